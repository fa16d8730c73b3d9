"""The whole synthetic data set: one call makes all tables of the contracts with a known truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd
from pandas.api.types import pandas_dtype

from kcrr_analysis import methodology
from kcrr_analysis.demo import (
    after_service,
    background,
    events,
    flow,
    journeys,
    partners,
    people,
    pilot,
    promotion,
    voices,
)
from kcrr_analysis.demo.regions import Calendar, Region, calendar, center_months, centers, region
from kcrr_analysis.demo.truth import Truth
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.contracts import TABLES

Progress = Callable[[int, int], None]
"""Called after each region with the number done and the number of all regions."""


@dataclass(frozen=True, slots=True)
class DemoData:
    """A synthetic data set.

    Attributes:
        tables: Canonical frames by table name, in the order of the contracts.
        truth: The declared truth and the split events placed by it, ready for YAML.
        definitions: What each part of the truth means.
        seed: Seed of all draws.
        regions: Number of regions.
        months: Number of months.
        first_month: First month, YYYY-MM.
        last_month: Last month, YYYY-MM.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: Mapping[str, Any]
    definitions: Mapping[str, str]
    seed: int
    regions: int
    months: int
    first_month: str
    last_month: str


def make(
    seed: int = 2025,
    regions: int = 10,
    months: int = 36,
    *,
    last_month: str = "2025-10",
    truth: Truth | None = None,
    progress: Progress | None = None,
) -> DemoData:
    """Makes the synthetic data set.

    Args:
        seed: Seed of all draws; the same seed gives the same tables.
        regions: Number of fictitious regions, 1 to 89. They borrow real codes, never names; a region does
            not depend on their number.
        months: Number of months up to `last_month`, 2 to 60.
        last_month: Last month, YYYY-MM.
        truth: Declared truth; the kit's own by default.
        progress: Called after each region.

    Raises:
        ParameterError: A number is out of its bounds.
    """
    _bounded("seed", seed, 0, 2**63 - 1)
    codes = sorted(methodology.regions())
    _bounded("regions", regions, 1, len(codes))
    _bounded("months", months, 2, 60)
    declared = truth or Truth()
    dates = _calendar(months, last_month)
    parts: dict[str, list[pd.DataFrame]] = {}
    placed: dict[str, list[Any]] = {"split_events": []}
    arms: list[pilot.PilotArm] = []
    for number in range(1, regions + 1):
        area = region(number, codes[number - 1], seed, dates)
        for name, frame in _tables(area, dates, declared, placed):
            parts.setdefault(name, []).append(canonical(frame, name))
        arms.append(pilot.pilot_arm(area, declared))
        parts.setdefault("pilot_results", []).append(canonical(pilot.pilot_results(area, arms[-1]), "pilot_results"))
        if progress is not None:
            progress(number, regions)
    parts["services"] = [canonical(partners.services(), "services")]
    parts["pilots"] = [canonical(pilot.pilots(arms, declared), "pilots")]
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    ordered = {name: tables[name] for name in TABLES if name in tables}
    return DemoData(
        MappingProxyType(ordered),
        MappingProxyType({**declared.to_dict(), **placed}),
        MappingProxyType(declared.definitions()),
        seed,
        regions,
        months,
        str(dates.months[0]),
        str(dates.months[-1]),
    )


def _bounded(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ParameterError(f"Параметр {name}: ожидается целое число от {low} до {high}, а задано {value}.")


def _calendar(months: int, last_month: str) -> Calendar:
    try:
        return calendar(months, last_month)
    except ValueError as error:
        raise ParameterError(f"Параметр last_month: ожидается месяц вида 2025-10, а задано «{last_month}».") from error


def _tables(
    area: Region, dates: Calendar, truth: Truth, placed: dict[str, list[Any]]
) -> Iterator[tuple[str, pd.DataFrame]]:
    counts = flow.flow(area, dates, truth)
    series = background.external_series(area, dates)
    allies = partners.partners(area, dates)
    held, pairs = events.events(area, dates, truth, allies)
    done = journeys.actions(area, dates, truth, held, allies)
    placed["split_events"] += pairs
    yield "centers", centers(area)
    yield "center_months", center_months(area, dates)
    yield "population", people.population(area, dates)
    yield "flow", counts
    yield "plan", flow.plan(area, dates, counts)
    yield "events", held
    yield "promotion", promotion.promotion(area, dates, truth)
    yield "actions", done
    yield "external_series", series
    yield "survey_responses", voices.survey_responses(area, dates, truth)
    yield "focus_coding", voices.focus_coding(area, truth)
    yield "partners", allies
    yield "contacts", after_service.contacts(area, dates, truth, done)
    yield "outcomes", after_service.outcomes(area, dates, done)
    yield "vacancies", background.vacancies(area, dates, series)
    yield "changes", partners.changes(area, dates)


def canonical(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """`frame` with the columns and dtypes of the contract of table `name`; other columns stay at the end."""
    columns = TABLES[name].columns
    known = [column for column in columns if column in frame.columns]
    others = [column for column in frame.columns if column not in columns]
    result = frame[[*known, *others]].copy()
    for column in others:
        result[column] = result[column].convert_dtypes()
    for column in known:
        if result[column].dtype != columns[column].dtype:
            result[column] = result[column].astype(pandas_dtype(columns[column].dtype))
    return result
