"""The rule of disclosure control, and how a hidden count blanks everything derived from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from kcrr_analysis.errors import ParameterError

Mode = Literal["public", "internal"]
_MODES = ("public", "internal")


@dataclass(frozen=True, slots=True)
class Rule:
    """Which counts of persons are small, and what is done with the cells that have to be hidden.

    Attributes:
        mode: `public` withholds the hidden cells; `internal` leaves the values and marks them.
        threshold: A count from 1 to `threshold - 1` is small. Zero is not: nobody is described by it.

    Raises:
        ParameterError: The mode is unknown, or the threshold is no whole number of 2 or more.
    """

    mode: Mode = "public"
    threshold: int = 5

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise ParameterError(
                f"Параметр disclosure: значение «{self.mode}» не допускается. "
                "Укажите public (малые числа скрываются) или internal (малые числа помечаются)."
            )
        if isinstance(self.threshold, bool) or not isinstance(self.threshold, int) or self.threshold < 2:
            raise ParameterError(
                f"Параметр threshold: значение «{self.threshold}» не допускается. "
                "Порог малого числа — целое число не меньше 2, обычно 5."
            )

    @property
    def public(self) -> bool:
        """Whether hidden values are withheld."""
        return self.mode == "public"

    def small(self, values: pd.Series) -> pd.Series:
        """Primary cells: counts above zero and under the threshold; a missing count is not small."""
        numbers = pd.to_numeric(values).astype("Float64")
        return ((numbers > 0) & (numbers < self.threshold)).fillna(False).astype(bool)


def hide(frame: pd.DataFrame, hidden: pd.Series | Sequence[bool], columns: Sequence[str], rule: Rule) -> pd.DataFrame:
    """Withhold a count and all that is derived from it: ratios, costs, ends of intervals, points of a chart.

    A figure may be hidden for several counts (numerator, denominator): call once for each, marks add up.

    Args:
        frame: Any table of figures.
        hidden: Rows whose underlying count is hidden, one value a row of `frame` (by position).
        columns: The count and the figures that would give it away.
        rule: In public mode the figures become missing; in internal mode they stay.

    Returns:
        A copy with a boolean column `<column>_hidden` beside each of `columns`, in both modes.

    Raises:
        ValueError: `hidden` is not as long as `frame`.
    """
    flags = pd.Series(list(hidden), index=frame.index, dtype="boolean").fillna(False).astype(bool)
    marked = frame.copy()
    for column in columns:
        mark = f"{column}_hidden"
        before = marked[mark].fillna(False).astype(bool) if mark in marked else False
        if rule.public:
            marked[column] = marked[column].mask(flags)
        marked[mark] = flags | before
    return marked
