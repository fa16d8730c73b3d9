"""The monthly figures behind each official indicator, and why there are none where there are none.

Persons are never summed over months, groups or centres: people return and go to two centres. Units (visits, services,
measures) may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from kcrr_analysis.indicators.centres import centre_counts, centres, per_unit, premises, summed
from kcrr_analysis.indicators.coverage import coverage_by_month
from kcrr_analysis.indicators.flow import monthly
from kcrr_analysis.tables import Tables

COLUMNS = ("value", "numerator", "denominator", "denominator_year", "hidden")


@dataclass(frozen=True)
class Figures:
    """One indicator by month.

    Attributes:
        rows: By month: value, numerator, denominator, denominator_year, hidden (a count that the value is or comes from
            is withheld or marked by disclosure control).
        single: The single months behind the value, which tell of the noise: by month. The same as the value, unless
            that is cumulated since January.
        weights: The counts of single months, whose shares in the year tell how far noise averages out.
        cumulative: The value runs since January.
        reason: Why there are no rows, in Russian, or empty.
        left_out: Month -> centres without a numerator or a denominator.
    """

    rows: pd.DataFrame
    single: pd.Series
    weights: pd.Series
    cumulative: bool = False
    reason: str = ""
    left_out: Mapping[pd.Period, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def squares(self, month: pd.Period) -> float:
        """Sum of squared shares of the months in the figure of `month`."""
        if not self.cumulative:
            return 1.0
        parts = self.weights.reindex(pd.period_range(f"{month.year}-01", month, freq="M")).to_numpy(dtype=float)
        total = parts.sum()
        if np.isnan(total) or total <= 0:
            return 1 / len(parts)
        return float(((parts / total) ** 2).sum())


def absent(reason: str) -> Figures:
    """No figures, and why."""
    nothing = pd.Series(dtype=float, index=pd.PeriodIndex([], freq="M"))
    rows = pd.DataFrame(dict.fromkeys(COLUMNS, nothing)).astype({"hidden": bool})
    return Figures(rows, nothing, nothing, reason=reason)


def counted(tables: Tables, region: str, column: str, group: str, *, units: bool, period: str) -> Figures:
    """A count of persons or units of one group in the region.

    Args:
        tables: Data with the table `flow`.
        region: Region code.
        column: Flow column.
        group: Client group.
        units: Whether the column counts units, which may be summed over centres and months.
        period: `month` or `year_to_date`.
    """
    single = _regional(tables, region, column, group, "month")
    if single.empty and units:
        single = _of_centres(tables, region, column, group)
    rows = single if period == "month" else _regional(tables, region, column, group, period)
    if rows.empty and period == "year_to_date" and units:
        rows = _cumulated(single)
    if rows.empty:
        return absent(_no_rows(column, group, units=units, period=period))
    shown = single["value"].where(~single["hidden"])
    full = rows.assign(numerator=rows["value"], denominator=np.nan, denominator_year=np.nan)
    return Figures(full[list(COLUMNS)], shown, shown, cumulative=period == "year_to_date")


def covered(tables: Tables, region: str, column: str, group: str) -> Figures:
    """Coverage of a group since January, %; see `coverage_by_month` for the errors."""
    rows = coverage_by_month(tables, region, column, group)
    if rows.empty:
        return absent(_no_rows(column, group, units=False, period="year_to_date"))
    single = _regional(tables, region, column, group, "month")
    shown = single["value"].where(~single["hidden"])
    return Figures(rows[list(COLUMNS)], shown, shown, cumulative=True)


def over_premises(tables: Tables, region: str, column: str, denominator: str, period: str) -> Figures:
    """Units a month over the centres' area or staff; since January, the sum of units over the mean denominator.

    Raises:
        MissingTableError: `flow` or `center_months` is absent.
    """
    found = per_unit(tables, region, column, premises(tables, region)[denominator])
    if found.rows.empty:
        return absent(
            f"ни у одного центра региона нет сразу строки flow со столбцом {column} и строки center_months со столбцом "
            f"{denominator}"
        )
    single = found.rows["value"].where(~found.rows["hidden"])
    weights = found.rows["numerator"].where(~found.rows["hidden"])
    rows = found.rows
    if period == "year_to_date":
        rows = _since_january(found.rows)
        if rows.empty:
            return absent("нет всех месяцев с января: сумму единиц с начала года сложить не из чего")
    rows = rows.assign(denominator_year=np.nan)
    return Figures(rows[list(COLUMNS)], single, weights, cumulative=period == "year_to_date", left_out=found.left_out)


def _regional(tables: Tables, region: str, column: str, group: str, period: str) -> pd.DataFrame:
    rows = monthly(tables, region, column, period)
    return rows[rows["client_group"] == group].set_index("month")[["value", "hidden"]]


def _of_centres(tables: Tables, region: str, column: str, group: str) -> pd.DataFrame:
    expected = set(centres(tables, region).index)
    return summed(centre_counts(tables, region, column, group=group), expected)


def _whole_years(rows: pd.DataFrame) -> pd.Series:
    """Whether all months from January to this one are there."""
    months = pd.PeriodIndex(rows.index)
    so_far = rows.groupby(months.year).cumcount() + 1
    return pd.Series(so_far.to_numpy() == months.month, index=rows.index)


def _cumulated(single: pd.DataFrame) -> pd.DataFrame:
    """Sums since January of units."""
    if single.empty:
        return single
    ordered = single.sort_index()
    years = pd.PeriodIndex(ordered.index).year
    sums = pd.DataFrame(
        {
            "value": ordered["value"].groupby(years).transform(lambda part: part.cumsum(skipna=False)),
            "hidden": ordered["hidden"].groupby(years).cummax().astype(bool),
        }
    )
    return sums[_whole_years(ordered)]


def _since_january(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_index()
    years = pd.PeriodIndex(ordered.index).year
    numerator = ordered["numerator"].groupby(years).transform(lambda part: part.cumsum(skipna=False))
    denominator = ordered["denominator"].groupby(years).transform(lambda part: part.expanding().mean())
    sums = pd.DataFrame(
        {
            "numerator": numerator,
            "denominator": denominator,
            "value": numerator / denominator,
            "hidden": ordered["hidden"].groupby(years).cummax().astype(bool),
        }
    )
    return sums[_whole_years(ordered)]


def _no_rows(column: str, group: str, *, units: bool, period: str) -> str:
    where = f"в таблице flow нет строк региона (scope = region, client_group = {group}) со столбцом {column}"
    if period == "month":
        if units:
            return f"{where}, и не по всем центрам есть строки, из которых единицы можно сложить"
        return f"{where}; по центрам людей не складывают: один человек бывает в двух центрах"
    if units:
        return f"{where} с period = year_to_date, и нет всех месяцев с января, чтобы сложить единицы"
    return (
        f"{where} нарастающим итогом (period = year_to_date); людей по месяцам не складывают: один человек попал бы в "
        "сумму несколько раз"
    )
