"""Coverage: what share of a client group's population the measures or the career guidance reached.

The numerator is persons counted once from January to the reporting month (`period = year_to_date`): months cannot
be added up, for people return. The denominator is the group's population; without the reporting year's figure the
latest earlier one serves, and the row is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.indicators.flow import TOTAL, dictionaries, group_order, group_title, monthly, reporting_month
from kcrr_analysis.tables import Tables

BY_MEASURES = "measure_recipients"
"""What a group is counted by where no official indicator says otherwise."""


@dataclass(frozen=True)
class Coverage:
    """Coverage of client groups in one region, from January to the reporting month.

    Attributes:
        region_code: The region.
        month: The reporting month; the period is January to this month.
        rows: One row a client group: client_group, title, indicator (number of the official indicator that it
            answers, 0 for none), numerator_column, persons, population, population_year, coverage (%),
            population_year_ago, population_year_ago_year, coverage_year_ago (%), change (percentage points),
            population_change (% a year: how much of the change is the denominator's), hidden, hidden_year_ago, reason
            (why there is no figure, or empty). The groups of the official indicators always have a row.
        definition: What is divided by what, in Russian.
        interval: Always «сплошной учёт».
    """

    region_code: str
    month: pd.Period
    rows: pd.DataFrame
    definition: str = (
        "Охват — число граждан группы, получивших меры поддержки (подростков — получивших услуги по профориентации) "
        "с января по отчётный месяц, делённое на численность группы. Каждый гражданин считается один раз за год."
    )
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """One row a client group, with period, denominator and its year, unit and interval."""
        return self.rows.assign(
            indicator="coverage",
            region_code=self.region_code,
            period=f"{self.month.year}-01..{self.month}",
            unit="%",
            interval=self.interval,
            definition=self.definition,
        )


def coverage(tables: Tables, region: str, month: str | pd.Period | None = None) -> Coverage:
    """Coverage of every client group that has a population.

    Args:
        tables: Data with the tables `flow` and `population`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one on record by default.

    Raises:
        MissingTableError: `flow` or `population` is absent.
        NotComputableError: No year-to-date rows of the region for the month.
    """
    dictionary = dictionaries(tables)
    official = {item.client_group: item for item in dictionary.indicators.values() if item.denominator_group}
    by = {group: item.numerator.removeprefix("flow.") for group, item in official.items()}
    counted = {column: monthly(tables, region, column, "year_to_date") for column in {BY_MEASURES, *by.values()}}
    if all(frame.empty for frame in counted.values()):
        raise NotComputableError(
            f"В таблице flow нет строк региона {region} нарастающим итогом (period = year_to_date, scope = region). "
            "Охват по сумме месяцев не вычисляется: один и тот же гражданин попал бы в неё несколько раз."
        )
    at = reporting_month(pd.concat([frame["month"] for frame in counted.values()]), month, region)
    people = _population(tables, region)
    measured = set(counted[BY_MEASURES]["client_group"]) & set(people["client_group"])
    groups = sorted((measured | set(official)) - {TOTAL})
    rows = pd.DataFrame(
        [
            _row(counted[by.get(group, BY_MEASURES)], people, group, at)
            | {
                "title": group_title(group, dictionary.groups),
                "indicator": official[group].number if group in official else 0,
                "numerator_column": by.get(group, BY_MEASURES),
            }
            for group in (groups[place] for place in group_order(groups, dictionary.groups))
        ]
    )
    rows["change"] = rows["coverage"] - rows["coverage_year_ago"]
    rows["population_change"] = 100 * (rows["population"] / rows["population_year_ago"] - 1)
    return Coverage(region_code=region, month=at, rows=rows)


def coverage_by_month(tables: Tables, region: str, column: str, group: str) -> pd.DataFrame:
    """Coverage of one group since January, for every month on record.

    Args:
        tables: Data with the tables `flow` and `population`.
        region: Region code.
        column: Flow column of the persons.
        group: Client group of both the persons and the population.

    Returns:
        By month: numerator (persons), denominator (population), denominator_year, value (%), hidden.

    Raises:
        MissingTableError: `flow` or `population` is absent.
    """
    counted = monthly(tables, region, column, "year_to_date")
    counted = counted[counted["client_group"] == group].set_index("month")
    people = _population(tables, region)
    sizes = people[(people["client_group"] == group) & (people["population"] > 0)].sort_values("year")
    years = pd.DataFrame({"year": pd.PeriodIndex(counted.index).year.astype(int)}, index=counted.index)
    known = pd.merge_asof(
        years.reset_index(),
        sizes[["year", "population"]].assign(denominator_year=sizes["year"]),
        on="year",
    ).set_index("month")
    return pd.DataFrame(
        {
            "numerator": counted["value"],
            "denominator": known["population"],
            "denominator_year": known["denominator_year"],
            "value": 100 * counted["value"] / known["population"],
            "hidden": counted["hidden"],
        }
    )


def _population(tables: Tables, region: str) -> pd.DataFrame:
    people = tables.population
    rows = people[people["region_code"] == region]
    if "center_id" in rows:
        rows = rows[rows["center_id"].isna()]
    return pd.DataFrame(
        {
            "client_group": rows["client_group"].astype(str),
            "year": rows["year"].astype(int),
            "population": rows["population"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
        }
    ).dropna()


def _row(persons: pd.DataFrame, people: pd.DataFrame, group: str, at: pd.Period) -> dict[str, object]:
    of_group = persons[persons["client_group"] == group]
    now = _share(of_group, people, group, at)
    before = _share(of_group, people, group, at - 12)
    return {
        "client_group": group,
        "persons": now["persons"],
        "population": now["population"],
        "population_year": now["year"],
        "coverage": now["share"],
        "population_year_ago": before["population"],
        "population_year_ago_year": before["year"],
        "coverage_year_ago": before["share"],
        "hidden": now["hidden"],
        "hidden_year_ago": before["hidden"],
        "reason": now["reason"],
    }


def _share(of_group: pd.DataFrame, people: pd.DataFrame, group: str, at: pd.Period) -> dict[str, object]:
    row = of_group[of_group["month"] == at]
    known = people[(people["client_group"] == group) & (people["year"] <= at.year)].sort_values("year")
    share: dict[str, object] = {
        "persons": np.nan,
        "population": np.nan,
        "year": None,
        "share": np.nan,
        "hidden": False,
        "reason": "",
    }
    if row.empty:
        return share | {"reason": f"нет строки нарастающим итогом за {at}"}
    persons, hidden = float(row["value"].iloc[0]), bool(row["hidden"].iloc[0])
    share |= {"persons": persons, "hidden": hidden}
    if known.empty:
        return share | {"reason": f"нет численности группы за {at.year} год и ранее"}
    size, year = float(known["population"].iloc[-1]), int(known["year"].iloc[-1])
    share |= {"population": size, "year": year}
    if size <= 0:
        return share | {"reason": f"численность группы за {year} год равна нулю"}
    return share | {"share": 100 * persons / size}
