"""The centres in their labour market: the base of vacancies, the share of job-seekers who came, youth employment.

External series stand beside the flow and are never added to it. Each figure is computed, or its reason is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.errors import MissingTableError, NotComputableError
from kcrr_analysis.indicators.centres import row_at
from kcrr_analysis.indicators.flow import TOTAL, dictionaries, guarded, monthly
from kcrr_analysis.tables import Tables

COMPLETE = "сплошной учёт"
EXTERNAL = "погрешность внешнего ряда в данных не указана"


@dataclass(frozen=True)
class Market:
    """Vacancies, job-seekers and youth employment of one region in one month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        rows: Four rows: measure (id of the dictionary), title, unit, kind (stock, ratio), month (of the value), value,
            year_ago, change (percentage points for a percentage, else %), numerator, denominator (persons or units,
            NaN for a series taken as it is), denominator_name, source, hidden, hidden_year_ago (disclosure control
            withholds or marks a count behind the value), reason (why there is no value), definition, interval
            («сплошной учёт» for the centres' own counts; the error of external series is that of their source).
        history: Long: month, measure, value, hidden; up to the reporting month.
    """

    region_code: str
    month: pd.Period
    rows: pd.DataFrame
    history: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a measure, with region and period."""
        return self.rows.assign(region_code=self.region_code, period=self.rows["month"].astype(str))


@dataclass(frozen=True)
class _Found:
    """One measure by month (value, numerator, denominator, hidden), or why there is none."""

    rows: pd.DataFrame
    reason: str = ""
    denominator_name: str = ""
    source: str = ""
    unit: str = ""
    interval: str = COMPLETE


def market(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    unemployed_series: str = "unemployed_ilo",
    youth_series: str = "youth_employment",
    rule: disclosure.Rule | None = None,
) -> Market:
    """The base of vacancies (count, quality), the share of job-seekers who came, and youth employment.

    Args:
        tables: Data with any of the tables `vacancies`, `flow`, `external_series`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one with any of the measures by default.
        unemployed_series: `series_id` of the job-seekers of the region (unemployed by the ILO definition), persons.
        youth_series: `series_id` of youth employment, as its source gives it.
        rule: Disclosure rule for a `flow` that is not under disclosure control yet.

    Raises:
        NotComputableError: No measure has a value in any month.
    """
    tables = guarded(tables, rule)
    found = {
        "vacancy_count": _or_reason(_vacancies, tables, region, "vacancies"),
        "vacancy_quality": _or_reason(_vacancies, tables, region, "quality"),
        "seeker_share": _or_reason(_seekers, tables, region, unemployed_series),
        "youth_employment": _or_reason(_external, tables, region, youth_series),
    }
    months = pd.concat([each.rows.index.to_series() for each in found.values()])
    if months.empty:
        reasons = "; ".join(dict.fromkeys(each.reason for each in found.values()))
        raise NotComputableError(f"Показатели рынка труда региона {region} не вычисляются: {reasons}.")
    at = months.max() if month is None else pd.Period(month, freq="M")
    known = dictionaries(tables).measures
    rows = [_row(name, each, at, known[name]) for name, each in found.items()]
    parts = [
        pd.DataFrame(
            {"month": past.index, "measure": name, "value": past["value"].to_numpy(), "hidden": past["hidden"]}
        )
        for name, each in found.items()
        if len(past := each.rows[each.rows.index <= at])
    ]
    nothing = pd.DataFrame({"month": [], "measure": [], "value": [], "hidden": []})
    history = pd.concat(parts, ignore_index=True) if parts else nothing
    return Market(region_code=region, month=at, rows=pd.DataFrame(rows), history=history)


def _or_reason(measure: Any, tables: Tables, region: str, name: str) -> _Found:
    try:
        found: _Found = measure(tables, region, name)
    except MissingTableError as error:
        text = str(error).rstrip(".")
        return _Found(_by_month({}), reason=text[:1].lower() + text[1:])
    return found


def _by_month(columns: dict[str, Any], index: Any = ()) -> pd.DataFrame:
    frame = pd.DataFrame(columns, index=pd.PeriodIndex(index, freq="M"))
    for name in ("value", "numerator", "denominator"):
        frame[name] = frame[name].astype(float) if name in frame else np.nan
    frame["hidden"] = frame["hidden"].astype(bool) if "hidden" in frame else False
    return frame.sort_index()


def _vacancies(tables: Tables, region: str, what: str) -> _Found:
    table = tables.vacancies
    own = table[table["region_code"] == region]
    of_region = own["center_id"].isna() if "center_id" in own else pd.Series(True, index=own.index)
    # The region's own rows where there are any: a vacancy may stand in the bases of two centres.
    own = own[of_region] if of_region.any() else own
    frame = pd.DataFrame(
        {
            "month": own["month"],
            "count": own["vacancies"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
            "quality": own["quality"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
        }
    ).dropna(subset=["count"] if what == "vacancies" else ["count", "quality"])
    if frame.empty:
        return _Found(_by_month({}), reason=f"в таблице vacancies нет значений региона {region} (столбец {what})")
    frame["good"] = frame["count"] * frame["quality"]
    sums = frame.groupby("month").sum()
    if what == "vacancies":
        return _Found(
            _by_month({"value": sums["count"], "numerator": sums["count"]}, sums.index), source="таблица vacancies"
        )
    sums = sums[sums["count"] > 0]
    columns = {"value": 100 * sums["good"] / sums["count"], "numerator": sums["good"], "denominator": sums["count"]}
    return _Found(_by_month(columns, sums.index), denominator_name="вакансии в базе, ед.", source="таблица vacancies")


def _series(tables: Tables, region: str, series_id: str) -> pd.DataFrame:
    table = tables.external_series
    own = table[(table["region_code"] == region) & (table["series_id"] == series_id) & table["value"].notna()]
    return own.drop_duplicates("month").set_index("month")


def _seekers(tables: Tables, region: str, series_id: str) -> _Found:
    seekers = _series(tables, region, series_id)
    if seekers.empty:
        return _Found(
            _by_month({}),
            reason=f"в таблице external_series нет ряда {series_id} (безработные по методологии МОТ) региона {region}",
        )
    applied = monthly(tables, region, "applied")
    applied = applied[applied["client_group"] == TOTAL].set_index("month")
    joined = applied.join(seekers["value"].rename("seekers"), how="inner")
    joined = joined[joined["seekers"] > 0]
    if joined.empty:
        return _Found(
            _by_month({}), reason=f"нет месяца, за который есть и обратившиеся (flow.applied), и ряд {series_id}"
        )
    columns = {
        "value": 100 * joined["value"] / joined["seekers"],
        "numerator": joined["value"],
        "denominator": joined["seekers"],
        "hidden": joined["hidden"],
    }
    name = seekers["series_name"].iloc[-1] if "series_name" in seekers else pd.NA
    return _Found(
        _by_month(columns, joined.index),
        denominator_name=f"{series_id if pd.isna(name) else name}, {seekers['unit'].iloc[-1]}",
        source=f"таблица flow; знаменатель — {'; '.join(sorted(set(seekers['source'])))}",
        interval=f"числитель — {COMPLETE}; {EXTERNAL}",
    )


def _external(tables: Tables, region: str, series_id: str) -> _Found:
    own = _series(tables, region, series_id)
    if own.empty:
        return _Found(
            _by_month({}),
            reason=f"в таблице external_series нет ряда {series_id} (занятость молодёжи) региона {region}",
        )
    rows = _by_month({"value": own["value"]}, own.index)
    source = "; ".join(sorted(set(own["source"])))
    return _Found(rows, source=source, unit=str(own["unit"].iloc[-1]), interval=EXTERNAL)


def _row(name: str, found: _Found, at: pd.Period, measure: Any) -> dict[str, Any]:
    rows = found.rows
    now, before = (row_at(rows, month) or {"value": np.nan, "hidden": False} for month in (at, at - 12))
    absent = at not in rows.index
    unit = found.unit or measure.unit
    change = now["value"] - before["value"]
    if unit != "%":
        change = 100 * change / before["value"] if before["value"] > 0 else np.nan
    return {
        "measure": name,
        "title": measure.title,
        "unit": unit,
        "kind": measure.kind,
        "month": at,
        "value": now["value"],
        "year_ago": before["value"],
        "change": change,
        "numerator": now.get("numerator", np.nan),
        "denominator": now.get("denominator", np.nan),
        "denominator_name": found.denominator_name,
        "source": found.source,
        "hidden": now["hidden"],
        "hidden_year_ago": before["hidden"],
        "reason": (found.reason or f"нет значения за {at}") if absent else "",
        "definition": measure.definition,
        "interval": found.interval,
    }
