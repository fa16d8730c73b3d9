"""Hand-made logs: rows written as tuples, made into tables of the contract's columns."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from kcrr_analysis.funnel import Measures
from kcrr_analysis.tables import TABLES, Tables

REGION = "01"


def table(name: str, rows: Sequence[dict[str, Any]], **same: object) -> pd.DataFrame:
    """A table with every column of its contract; the region is `REGION` unless a row says otherwise."""
    columns = TABLES[name].columns
    frame = pd.DataFrame([{"region_code": REGION, **same, **row} for row in rows])
    for column in columns.values():
        if column.name not in frame:
            frame[column.name] = pd.NA
        if column.kind == "time":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True, format="ISO8601")
        elif column.kind in {"date", "number"}:
            filled = frame[column.name].astype(object).where(frame[column.name].notna(), None)
            frame[column.name] = filled.astype(column.dtype)
        else:
            frame[column.name] = frame[column.name].astype(column.dtype)
    return frame[list(columns)]


def actions(*rows: tuple[str, str, str] | tuple[str, str, str, dict[str, Any]]) -> pd.DataFrame:
    """Table `actions` of rows (person, moment, action, other columns)."""
    return table(
        "actions",
        [
            {"person_id": row[0], "time": row[1], "action": row[2], "action_id": f"a{n}", **(row[3] if row[3:] else {})}
            for n, row in enumerate(rows)
        ],
    )


def tables(**frames: pd.DataFrame) -> Tables:
    return Tables(frames=MappingProxyType(frames))


def row(result: Measures, measure_id: str, variant: str = "", level: str = "", kind: str = "") -> pd.Series:
    """The one row of a measure at a level; without a level, that of everybody."""
    rows = result.rows
    found = rows[(rows["measure_id"] == measure_id) & (rows["variant"] == variant) & (rows["level"] == level)]
    if kind or not level:
        found = found[found["kind"] == (kind or "all")]
    assert len(found) == 1, f"{measure_id}/{variant}/{level}: {len(found)} rows"
    return found.iloc[0]


def counts(result: Measures, measure_id: str, variant: str = "", level: str = "") -> tuple[float, float]:
    """Numerator and denominator."""
    one = row(result, measure_id, variant, level)
    return one["numerator"], one["denominator"]
