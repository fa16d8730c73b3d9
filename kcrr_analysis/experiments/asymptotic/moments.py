"""Rows of persons reduced to counts, means and covariance matrices by arm: one pass, whatever is computed from them.

Rows go through in blocks that fit the processor's cache; each block gives one matrix product an arm, of columns
centred near their means, so that large values with small variance keep their digits. Columns are read where they lie,
without copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray

BLOCK = 16_384
"""Rows of a block: with a dozen columns about 2 MB."""

SAMPLE = 512
"""Rows, evenly spread, whose mean the columns are centred by."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Counts, means and covariances of the columns within each arm.

    Attributes:
        arms: Arms in sorted order.
        columns: Columns in the order asked for.
        n: Persons by arm, shape (arms,).
        mean: Shape (arms, columns).
        covariance: Sample covariance matrices (divisor n - 1), shape (arms, columns, columns); NaN for an arm of one
            person.
    """

    arms: tuple[Any, ...]
    columns: tuple[str, ...]
    n: NDArray[np.int64]
    mean: FloatArray
    covariance: FloatArray

    def arm(self, name: Any) -> int:
        """Position of an arm.

        Raises:
            ParameterError: No such arm.
        """
        if name not in self.arms:
            known = ", ".join(f"«{arm}»" for arm in self.arms)
            raise ParameterError(f"Группы «{name}» в данных нет. Есть: {known}.")
        return self.arms.index(name)

    def column(self, name: str) -> int:
        """Position of a column.

        Raises:
            ParameterError: No such column.
        """
        if name not in self.columns:
            raise ParameterError(f"Показателя «{name}» среди посчитанных нет. Есть: {', '.join(self.columns)}.")
        return self.columns.index(name)


def moments(data: pd.DataFrame, arm: str, columns: Sequence[str]) -> Moments:
    """Counts, means and covariances of `columns` by arm.

    Args:
        data: One row a person.
        arm: Column of the arm.
        columns: Numeric or boolean columns without missing values.

    Raises:
        ParameterError: No such column, not numbers, missing or infinite values, no rows.
    """
    names = tuple(dict.fromkeys(columns))
    absent = [name for name in (arm, *names) if name not in data.columns]
    if absent or not names:
        raise ParameterError(
            f"Нет столбцов: {', '.join(absent) or 'показатели не указаны'}. Проверьте имена показателей."
        )
    if data.empty:
        raise ParameterError("В данных нет ни одного человека. Проверьте отбор строк.")
    codes, arms = _codes(data[arm])
    series = [_numbers(data[name], name) for name in names]
    spread = np.unique(np.linspace(0, len(codes) - 1, min(SAMPLE, len(codes))).astype(int))
    with np.errstate(invalid="ignore"):  # infinite values become missing ones and are refused below
        centre = np.array([one[spread].mean(dtype=float) for one in series])
        products = _products(series, codes, centre, len(arms))
    n = products[:, -1, -1]
    shift = products[:, :-1, -1] / n[:, None]
    if np.isnan(shift).any():
        broken = [names[place] for place in np.unique(np.argwhere(np.isnan(shift))[:, 1])]
        raise ParameterError(
            f"Есть пропуски или бесконечные значения: {', '.join(broken)}. Оставьте только людей с известным исходом и "
            "отдельно оцените потери наблюдения."
        )
    squares = products[:, :-1, :-1] - n[:, None, None] * shift[:, :, None] * shift[:, None, :]
    below = np.where(n > 1, n - 1, np.nan)
    diagonal = np.arange(len(names))
    squares[:, diagonal, diagonal] = np.maximum(squares[:, diagonal, diagonal], 0)
    return Moments(arms, names, n.astype(np.int64), centre + shift, squares / below[:, None, None])


def _products(series: list[NDArray[Any]], codes: NDArray[Any], centre: FloatArray, arms: int) -> FloatArray:
    """Cross-products of the centred columns and ones, shape (arms, columns + 1, columns + 1)."""
    width = len(series) + 1
    found = np.zeros((arms, width, width))
    block = np.ones((width, BLOCK))
    for start in range(0, len(codes), BLOCK):
        here = codes[start : start + BLOCK]
        for row, (values, middle) in enumerate(zip(series, centre, strict=True)):
            np.subtract(values[start : start + BLOCK], middle, out=block[row, : len(here)])
        for code in range(arms):
            of_arm = np.take(
                block, np.flatnonzero(here == code), axis=1, mode="clip"
            )  # clip: no second pass over bounds
            found[code] += of_arm @ of_arm.T
    return found


def _codes(column: pd.Series) -> tuple[NDArray[Any], tuple[Any, ...]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()
        codes, arms = column.cat.codes.to_numpy(), tuple(column.cat.categories)
    else:
        positions, uniques = pd.factorize(column, sort=True)
        codes, arms = positions, tuple(uniques.tolist())
    if (codes < 0).any():
        raise ParameterError(
            f"Не у всех людей указана группа (столбец «{column.name}»). Уберите или дополните эти строки."
        )
    return codes.astype(np.int16), arms


def _numbers(column: pd.Series, name: str) -> NDArray[Any]:
    values = column.to_numpy()
    if values.dtype.kind not in "biuf":
        try:
            values = column.to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"Показатель «{name}» не числовой. Переведите его в числа.") from error
    return values.view(np.uint8) if values.dtype.kind == "b" else values
