"""Which region a row belongs to: its own code, else its centre's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import Fault
from kcrr_analysis.tables.contracts import REGION_PATTERN
from kcrr_analysis.tables.keys import fitting
from kcrr_analysis.tables.records import Stack


def center_regions(stacks: Mapping[str, Stack]) -> pd.Series[Any]:
    """Region code by centre, from the table `centers`; empty without it."""
    if "centers" not in stacks:
        return pd.Series([], index=pd.Index([], dtype="string"), dtype="string")
    frame = stacks["centers"].frame.dropna(subset=["center_id"]).drop_duplicates("center_id")
    return pd.Series(frame["region_code"].array, index=pd.Index(frame["center_id"].array), dtype="string")


def row_regions(frame: pd.DataFrame, centers: pd.Series[Any]) -> pd.Series[Any]:
    """Region of each row: its own code, else its centre's; missing where neither tells."""
    known = pd.Series(pd.NA, index=frame.index, dtype="string")
    if "region_code" in frame.columns:
        own = frame["region_code"]
        known = own.where(fitting(own, REGION_PATTERN))
    if "center_id" in frame.columns and len(centers):
        known = known.fillna(frame["center_id"].map(centers).astype("string"))
    return known


class Places:
    """Region of each record, to say whom a fault concerns."""

    def __init__(self, stacks: Mapping[str, Stack], centers: pd.Series[Any]) -> None:
        self._stacks, self._centers = stacks, centers
        self._codes: dict[str, np.ndarray[Any, Any]] = {}

    def placed(self, fault: Fault) -> Fault:
        """`fault` with the region of its row, where that is known."""
        if fault.region_code is not None or fault.row is None or fault.table not in self._stacks:
            return fault
        one = self._stacks[fault.table]
        if fault.table not in self._codes:
            self._codes[fault.table] = row_regions(one.frame, self._centers).fillna("").to_numpy(dtype=object)
        start = 0
        for part in one.parts:
            at = int(np.searchsorted(part.rows, fault.row))
            if part.label == fault.file and at < len(part.rows) and part.rows[at] == fault.row:
                code = self._codes[fault.table][start + at]
                return replace(fault, region_code=code) if code else fault
            start += len(part.rows)
        return fault
