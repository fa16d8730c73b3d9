"""A region's promotion in a period: conversion by tool, campaign, client group, centre and month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.costs import Rates
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.funnel.conversion import Conversion, conversions, dictionary_names
from kcrr_analysis.tables import Tables

MARGINS = ("tool_id", "campaign", "client_group", "center_id", "month")


@dataclass(frozen=True)
class Promotion:
    """Conversion of one region's promotion by each of several columns.

    Attributes:
        region_code: The region.
        first: First month of the period.
        month: Last month of the period (the reporting month).
        by_tool: Conversion by tool.
        by_campaign: By campaign.
        by_group: By client group.
        by_center: By centre; placements of the region as a whole are a level of their own.
        by_month: By month of the placement's start.
    """

    region_code: str
    first: pd.Period
    month: pd.Period
    by_tool: Conversion
    by_campaign: Conversion
    by_group: Conversion
    by_center: Conversion
    by_month: Conversion

    def to_frame(self) -> pd.DataFrame:
        """All rows, with the column `margin` that says by what."""
        parts = (self.by_tool, self.by_campaign, self.by_group, self.by_center, self.by_month)
        frames = [part.to_frame().assign(margin=part.by[0]) for part in parts]
        return pd.concat(frames, ignore_index=True).assign(region_code=self.region_code)


def promotion(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    rates: Rates | None = None,
    target: str | None = None,
    level: float = 0.95,
    rule: Rule | None = None,
) -> Promotion:
    """Penetration and conversion of a region's promotion over the months up to the reporting month.

    A placement belongs to the month of its `period_start`.

    Args:
        tables: Data with the table `promotion`.
        region: Region code.
        month: Reporting month (`2025-10`); the month of the last placement's start by default.
        months: Length of the period.
        rates: Rate of an hour and overhead; without them the cost is external and direct spend.
        target: Target action to compare levels by; see `conversion`.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `promotion`.
        NotComputableError: No placement of the region starts in the period.
        ParameterError: `months` or `target` cannot be used.
    """
    own = tables.promotion
    own = own[own["region_code"] == region]
    starts = own["period_start"].dt.to_period("M")
    first, last = period_of(starts, month, months)
    own = own[(starts >= first) & (starts <= last)].reset_index(drop=True)
    if own.empty:
        raise NotComputableError(
            f"В таблице promotion нет размещений региона {region}, начатых с {first} по {last}. Дополните таблицу или "
            "измените параметры month и months."
        )
    found = conversions(
        own, [(name,) for name in MARGINS], rates=rates, target=target, level=level, names=names_of(tables), rule=rule
    )
    return Promotion(region, first, last, *found)


def period_of(known: pd.Series, month: str | pd.Period | None, months: int) -> tuple[pd.Period, pd.Period]:
    """First and last month of the period: `months` months up to `month`, or up to the last of `known`.

    Raises:
        ParameterError: `months` is less than one.
        NotComputableError: No month is named and none is known.
    """
    if months < 1:
        raise ParameterError(f"Параметр months: «{months}» не допускается. Укажите число месяцев не меньше одного.")
    if month is None and not known.notna().any():
        raise NotComputableError(
            "В данных региона нет ни одной записи с датой. Дополните их или проверьте код региона."
        )
    last = known.max() if month is None else pd.Period(month, freq="M")
    return last - (months - 1), last


def names_of(tables: Tables) -> Mapping[str, Mapping[str, str]]:
    """Russian names by column: the dictionaries of the data folder, and the centres' own names."""
    names = dictionary_names(methodology.load(tables.folder))
    centers = tables.get("centers")
    if centers is not None:
        names["center_id"] = dict(
            zip(centers["center_id"].astype(str), centers["center_name"].astype(str), strict=True)
        )
    return names
