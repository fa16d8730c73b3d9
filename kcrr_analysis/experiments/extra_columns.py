"""Numbers in columns that the data contracts do not know: text of a file until somebody asks for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.experiments.randomisation import Mask
from kcrr_analysis.stats.estimate import FloatArray
from kcrr_analysis.tables.columns import ColumnContract
from kcrr_analysis.tables.values import parse


def numbers(column: pd.Series[Any]) -> tuple[FloatArray, Mask]:
    """A column as numbers, read as the contracts read theirs (decimal comma, spaces between thousands).

    Args:
        column: Text or numbers.

    Returns:
        Values, NaN where a cell is empty or no number; which cells hold something that is no number.

    >>> numbers(pd.Series(["12,5", "1 200", ""]))[0]
    array([  12.5, 1200. ,    nan])
    """
    if column.dtype == bool or str(column.dtype) == "boolean":
        column = column.astype("Float64")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    found = parse(column, ColumnContract(str(column.name), str(column.name), "number"))
    return found.values.to_numpy(dtype=float, na_value=np.nan), np.asarray(found.bad)
