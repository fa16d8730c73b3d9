"""A region's centres: their counts and premises by month, and figures of the region as one sum over another.

Counts of units (visits, services, measures) add up over centres; persons do not, for people go to two centres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.indicators.flow import TOTAL, monthly
from kcrr_analysis.tables import Tables


@dataclass(frozen=True)
class PerUnit:
    """A count of units over premises or staff, for a region by month.

    Attributes:
        rows: By month: numerator, denominator, value, hidden (the numerator is, or comes from, a count that
            disclosure control withholds or marks).
        left_out: Month -> codes of the centres that have no numerator or no denominator and are in neither sum.
    """

    rows: pd.DataFrame
    left_out: Mapping[pd.Period, tuple[str, ...]]


def centres(tables: Tables, region: str) -> pd.DataFrame:
    """The region's centres: center_id (index), center_name, modernised_from (first month, NaT for none)."""
    known = tables.get("centers")
    if known is None:
        flow = tables.flow
        own = flow[(flow["scope"] == "center") & (flow["region_code"] == region)]
        ids = sorted(own["center_id"].dropna().astype(str).unique())
        return pd.DataFrame(
            {"center_name": ids, "modernised_from": pd.PeriodIndex([pd.NaT] * len(ids), freq="M")},
            index=pd.Index(ids, name="center_id", dtype=object),
        )
    own = known[known["region_code"] == region].dropna(subset=["center_id"])
    since = pd.to_datetime(own["modernised_from"]) if "modernised_from" in own else pd.Series(pd.NaT, index=own.index)
    return pd.DataFrame(
        {
            "center_name": own["center_name"].astype(str).to_numpy(),
            "modernised_from": pd.PeriodIndex(since, freq="M"),
        },
        index=pd.Index(own["center_id"].astype(str), name="center_id", dtype=object),
    ).sort_index()


def centre_counts(
    tables: Tables, region: str, column: str, period: str = "month", group: str | None = TOTAL
) -> pd.DataFrame:
    """Rows of the region's centres of one flow column: month, center_id, client_group, value (float), hidden."""
    flow = tables.flow
    of_centre = (flow["scope"] == "center") & (flow["period"] == period)
    if group is not None:
        of_centre &= flow["client_group"] == group
    rows = flow[of_centre & flow["center_id"].isin(centres(tables, region).index)]
    hidden = rows[f"{column}_hidden"] if f"{column}_hidden" in rows else pd.Series(False, index=rows.index)
    frame = pd.DataFrame(
        {
            "month": rows["month"],
            "center_id": rows["center_id"].astype(str),
            "client_group": rows["client_group"].astype(str),
            "value": _floats(rows[column]),
            "hidden": hidden.astype(bool),
        }
    )
    known = frame["value"].notna() | frame["hidden"]
    return frame[known].sort_values(["month", "center_id", "client_group"], ignore_index=True)


def premises(tables: Tables, region: str) -> pd.DataFrame:
    """Rows of `center_months` of the region's centres, by (month, center_id), numbers as float.

    Raises:
        MissingTableError: There is no table `center_months`.
    """
    table = tables.center_months
    own = table[table["center_id"].isin(centres(tables, region).index)]
    columns = ("floor_area_m2", "client_area_m2", "staff_fte", "capacity_visits_day", "open_days")
    values = {name: _floats(own[name]) if name in own else np.full(len(own), np.nan) for name in columns}
    keys = pd.MultiIndex.from_arrays([own["month"], own["center_id"].astype(str)], names=["month", "center_id"])
    return pd.DataFrame(values, index=keys).sort_index()


def per_unit(tables: Tables, region: str, column: str, denominator: pd.Series) -> PerUnit:
    """A count of units over a denominator: the sums of the centres that have both.

    Where disclosure control withholds a centre's count, the region's own row stands for the sum if no centre is left
    out; else the month has no figure.

    Args:
        tables: Data with the table `flow`.
        region: Region code.
        column: Flow column that counts units.
        denominator: By (month, center_id); zero and missing values are no denominators.
    """
    counts = centre_counts(tables, region, column)
    whole = monthly(tables, region, column)
    whole = whole[whole["client_group"] == TOTAL].set_index("month")
    joined = counts.assign(
        denominator=denominator.reindex(pd.MultiIndex.from_frame(counts[["month", "center_id"]])).to_numpy(dtype=float)
    )
    joined["used"] = joined["denominator"] > 0
    used = joined[joined["used"]]
    # Every centre of the list belongs to the region's row, whether it reported or not.
    everyone = {str(code) for code in centres(tables, region).index}
    left_out: dict[pd.Period, tuple[str, ...]] = {
        month: tuple(sorted(everyone - set(used.loc[used["month"] == month, "center_id"])))
        for month in used["month"].unique()
    }
    sums = used.groupby("month").agg(
        numerator=("value", lambda values: values.sum(skipna=False)),
        denominator=("denominator", "sum"),
        hidden=("hidden", "any"),
    )
    lone = sums.index[[not left_out[month] and month in whole.index for month in sums.index]]
    unknown = lone[sums.loc[lone, "hidden"].to_numpy(dtype=bool)]
    sums.loc[unknown, "numerator"] = whole["value"].reindex(unknown)
    sums.loc[unknown, "hidden"] = whole["hidden"].reindex(unknown).to_numpy(dtype=bool)
    sums["value"] = sums["numerator"] / sums["denominator"]
    return PerUnit(sums[["numerator", "denominator", "value", "hidden"]], left_out)


def summed(counts: pd.DataFrame, expected: set[str]) -> pd.DataFrame:
    """Units of centres added up by month: value, hidden; months in which an expected centre is absent are left out."""
    by_month = counts.groupby("month").agg(
        value=("value", lambda values: values.sum(skipna=False)),
        hidden=("hidden", "any"),
        reported=("center_id", lambda codes: expected <= set(codes)),
    )
    return by_month.loc[by_month["reported"].astype(bool), ["value", "hidden"]]


def row_at(rows: pd.DataFrame, month: pd.Period) -> dict[str, Any] | None:
    """The row of a month as column -> value, or None; `rows` are by month."""
    found = rows[rows.index == month]
    return None if found.empty else {str(name): value for name, value in found.iloc[0].items()}


def _floats(values: pd.Series) -> np.ndarray:
    return np.asarray(values.astype("Float64").to_numpy(dtype=float, na_value=np.nan))
