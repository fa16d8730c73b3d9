"""The region's labour-market background from external series (Rosstat and departmental statistics).

External series are never mixed with the flow of the centres: they stand beside it, each with its source, unit and
the month it ends in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.tables import Tables

FINEST, COARSEST = -3, 7
"""Powers of ten between which rounding is looked for."""

MIN_VALUES = 4
"""Distinct values needed before their common multiple is taken for the source's rounding."""


@dataclass(frozen=True)
class Background:
    """External series of one region up to the reporting month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        rows: One row a series: series_id, title, unit, source, month (the series' own last month), value, rate
            (whether it is a percentage itself, whose changes are percentage points, or a level, whose changes are
            percent), change_previous, change_year (against the month before and the same month last year), step (what
            the source rounds to by the look of its values, 0 where they are exact), change_previous_low,
            change_previous_high, change_year_low, change_year_high (what the rounding leaves possible, NaN where it
            leaves no bound), stale (it ends before the reporting month), n (months with a value).
        history: Long: month, series_id, value; gaps are missing values.
    """

    region_code: str
    month: pd.Period
    rows: pd.DataFrame
    history: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a series with its own period, unit and source."""
        return self.rows.assign(region_code=self.region_code, period=self.rows["month"].astype(str))


def background(tables: Tables, region: str, month: str | pd.Period | None = None) -> Background:
    """The region's external series against the month before and the same month last year.

    Args:
        tables: Data with the table `external_series`.
        region: Region code.
        month: Reporting month (`2025-10`); the last month of any series by default.

    Raises:
        MissingTableError: There is no table `external_series`.
        NotComputableError: It has no value of the region up to the month.
    """
    series = tables.external_series
    own = series[(series["region_code"] == region) & series["value"].notna()]
    at = own["month"].max() if month is None else pd.Period(month, freq="M")
    own = own[own["month"] <= at]
    if own.empty:
        raise NotComputableError(
            f"В таблице external_series нет значений региона {region}"
            + ("" if month is None else f" по {at} включительно")
            + ". Добавьте ряды или проверьте код региона и параметр month."
        )
    rows = pd.DataFrame([_row(part, at) for _, part in own.groupby("series_id", sort=False)])
    history = own[["month", "series_id", "value"]].sort_values(["series_id", "month"], ignore_index=True)
    history["series_id"] = history["series_id"].astype(str)
    return Background(region_code=region, month=at, rows=rows, history=history)


def _row(part: pd.DataFrame, at: pd.Period) -> dict[str, object]:
    part = part.sort_values("month")
    last: dict[Any, Any] = part.iloc[-1].to_dict()
    values = part.set_index("month")["value"].astype(float)
    month = last["month"]
    value, previous, year_ago = values.reindex([month, month - 1, month - 12]).tolist()
    name = last.get("series_name")
    rate = "%" in str(last["unit"]) or "процент" in str(last["unit"]).lower()
    step = _rounding(values)
    change = _points if rate else _percent
    return {
        "series_id": str(last["series_id"]),
        "title": str(last["series_id"]) if name is None or pd.isna(name) else str(name),
        "unit": str(last["unit"]),
        "source": str(last["source"]),
        "month": month,
        "value": value,
        "rate": rate,
        "step": step,
        **_compared("change_previous", change, value, previous, step),
        **_compared("change_year", change, value, year_ago, step),
        "stale": bool(month < at),
        "n": len(values),
    }


def _compared(
    name: str, change: Callable[[float, float], float], value: float, base: float, step: float
) -> dict[str, float]:
    """The change, and its bounds when both values may be off by half the rounding step."""
    return {
        name: change(value, base),
        f"{name}_low": change(value - step / 2, base + step / 2),
        f"{name}_high": change(value + step / 2, base - step / 2),
    }


def _points(value: float, base: float) -> float:
    return value - base


def _percent(value: float, base: float) -> float:
    return 100 * (value / base - 1) if base > 0 else np.nan


def _rounding(values: pd.Series) -> float:
    """The largest power of ten that every value is a multiple of; 0 for 1 itself and with few values to tell by."""
    seen = values.dropna().unique()
    if len(seen) < MIN_VALUES:
        return 0.0
    for power in range(COARSEST, FINEST - 1, -1):
        multiples = seen / 10.0**power
        if np.isclose(multiples, np.round(multiples), rtol=0, atol=1e-9).all():
            return 10.0**power if power else 0.0
    return 0.0
