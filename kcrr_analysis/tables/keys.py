"""Rows that agree in some columns, found fast: each distinct combination gets a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def group_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> Numbers:
    """A number from 0 up for each row, equal where the rows agree in all `columns` (missing equals missing).

    >>> group_numbers(pd.DataFrame({"a": [1, 1, 2], "b": ["x", "x", "x"]}), ["a", "b"]).tolist()
    [0, 0, 1]
    """
    numbers = np.zeros(len(frame), dtype=np.int64)
    for name in columns:
        codes, uniques = pd.factorize(plain(frame[name]), use_na_sentinel=False)
        combined = numbers * np.int64(len(uniques)) + codes
        numbers = pd.factorize(combined)[0].astype(np.int64)
    return numbers


def plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """`values`, with months as whole numbers (missing months as the least number)."""
    if isinstance(values.dtype, pd.PeriodDtype):
        return pd.Series(values.array.asi8, index=values.index)
    return values


def first_of(numbers: Numbers) -> Numbers:
    """Position of the first row of each group number."""
    _, first = np.unique(numbers, return_index=True)
    return first


def fitting(values: pd.Series[Any], pattern: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """True where the text matches the whole regular expression; missing texts do not."""
    codes, uniques = pd.factorize(values)
    good = pd.Series(uniques, dtype="string").str.fullmatch(pattern).to_numpy(dtype=bool, na_value=False)
    return np.array([*good, False], dtype=bool)[codes]
