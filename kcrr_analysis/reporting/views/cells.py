"""From a result's numbers to cells: what disclosure control withholds or marks, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from kcrr_analysis.reporting.blocks import Cell, Hidden, Marked, Missing

OVERLAP = "Группы пересекаются (один человек может входить в несколько), поэтому их сумма не равна итогу."


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """The frame's rows with columns as attributes."""
    return iter(frame.itertuples())


def number_cell(value: float | None) -> float | None:
    """A number, or None (an empty cell)."""
    return None if value is None or math.isnan(value) else float(value)


def point(value: float | None) -> float | None:
    """A chart's point; a hidden or missing value is a gap."""
    return number_cell(value)


def count_cell(value: float, hidden: bool) -> Cell:
    """A count of persons or units.

    Args:
        value: The count; NaN where it is hidden or missing.
        hidden: Whether disclosure control withholds it (public) or marks it (internal).
    """
    if math.isnan(value):
        return Hidden() if hidden else Missing()
    return Marked(int(value)) if hidden else int(value)


def derived_cell(value: float, hidden: bool, reason: str = "") -> Cell:
    """A figure computed from counts: hidden where one of them is, else missing with its reason."""
    if math.isnan(value):
        if hidden:
            return Hidden()
        return Missing(reason) if reason else Missing()
    return Marked(float(value)) if hidden else float(value)
