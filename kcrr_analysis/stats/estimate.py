"""An estimate with its limits, and the checks of arguments that all statistics share.

A count that cannot be (more cases than trials, a negative or a broken number) is a fault of the caller's data and
raises `ParameterError`; a figure that cannot be known (no trials at all, a missing count) is NaN with NaN limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError

FloatArray: TypeAlias = NDArray[np.float64]

Numbers: TypeAlias = Any
"""A number or whatever numpy makes an array of (list, array, pandas series, nullable ones too)."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its limits: floats where all arguments were scalars, arrays of one shape otherwise.

    Attributes:
        estimate: The point estimate; NaN where there is nothing to estimate from.
        low: Lower limit, NaN where unknown.
        high: Upper limit, NaN where unknown.
        level: Confidence level, between 0 and 1.
        method: Short Russian name of the method for reports, e.g. «интервал Уилсона».
        n: Number of independent units behind the figure (trials, events, clusters).
        se: Standard error on the estimate's own scale; NaN where the method has none.
    """

    estimate: Any
    low: Any
    high: Any
    level: float
    method: str
    n: Any = np.nan
    se: Any = np.nan


def estimated(
    estimate: FloatArray,
    low: FloatArray,
    high: FloatArray,
    *,
    level: float,
    method: str,
    n: FloatArray | float = np.nan,
    se: FloatArray | float = np.nan,
) -> Estimate:
    """An `Estimate` whose fields share one shape; limits of an unknown estimate are unknown."""
    shape = np.broadcast_shapes(np.shape(estimate), np.shape(low), np.shape(high), np.shape(n), np.shape(se))
    unknown = np.isnan(estimate)
    return Estimate(
        estimate=plain(np.broadcast_to(estimate, shape)),
        low=plain(np.broadcast_to(np.where(unknown, np.nan, low), shape)),
        high=plain(np.broadcast_to(np.where(unknown, np.nan, high), shape)),
        level=level,
        method=method,
        n=plain(np.broadcast_to(n, shape)),
        se=plain(np.broadcast_to(np.where(unknown, np.nan, se), shape)),
    )


def plain(values: FloatArray) -> Any:
    """A Python float of a 0-d array, a writable array of any other."""
    return float(values) if np.ndim(values) == 0 else np.array(values, dtype=float)


def checked_level(level: float) -> float:
    """The confidence level as a float strictly between 0 and 1.

    Raises:
        ParameterError: Anything else.
    """
    try:
        value = float(level)
    except (TypeError, ValueError):
        value = np.nan
    if not 0 < value < 1:
        raise ParameterError(
            f"Доверительный уровень {_shown(level)} недопустим. Укажите число больше 0 и меньше 1, например 0.95."
        )
    return value


def checked(values: Numbers, name: str, *, low: float = 0.0, high: float = np.inf, whole: bool = False) -> FloatArray:
    """Numbers as floats; missing ones stay NaN.

    Args:
        values: Scalar, array, list or pandas series.
        name: What they are, in Russian, for the message.
        low: The least value allowed.
        high: The largest value allowed.
        whole: Whether they must be whole.

    Raises:
        ParameterError: Not numbers, infinite, out of bounds, or broken where they must be whole.
    """
    try:
        if hasattr(values, "to_numpy"):
            array = np.asarray(values.to_numpy(dtype=float, na_value=np.nan), dtype=float)
        else:
            array = np.asarray(np.nan if values is None else values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"Недопустимое значение параметра «{name}». Укажите числа.") from error
    _refuse(array, np.isinf(array), name, "Укажите конечные числа.")
    _refuse(array, array < low, name, "Укажите неотрицательные числа." if low == 0 else f"Укажите числа от {low:g}.")
    _refuse(array, array > high, name, f"Укажите числа не больше {high:g}.")
    if whole:
        _refuse(array, ~np.isnan(array) & (array != np.floor(array)), name, "Укажите целые числа.")
    return array


def checked_counts(k: Numbers, n: Numbers, *, whole: bool = False, place: str = "") -> tuple[FloatArray, FloatArray]:
    """Cases and trials, broadcast: 0 <= k <= n.

    Args:
        k: Cases.
        n: Trials.
        whole: Whether both must be whole.
        place: Which pair it is where there are two, e.g. « первой группы».

    Raises:
        ParameterError: Negative, infinite, broken where whole is needed, or more cases than trials.
    """
    cases = checked(k, f"число случаев{place}", whole=whole)
    trials = checked(n, f"число наблюдений{place}", whole=whole)
    cases, trials = aligned(cases, trials)
    _refuse(cases, cases > trials, f"число случаев{place}", "Случаев не может быть больше, чем наблюдений.")
    missing = np.isnan(cases) | np.isnan(trials)
    return np.where(missing, np.nan, cases), np.where(missing, np.nan, trials)


def aligned(*arrays: FloatArray) -> tuple[FloatArray, ...]:
    """Arrays broadcast to one shape.

    Raises:
        ParameterError: The lengths do not fit.
    """
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(str(array.size) for array in arrays)
        raise ParameterError(f"Длины рядов не совпадают: {shapes}. Передайте ряды одной длины.") from error


def _refuse(values: FloatArray, bad: NDArray[np.bool_], name: str, remedy: str) -> None:
    if bad.any():
        first = values[bad].flat[0] if values.ndim else values
        raise ParameterError(f"Недопустимое значение параметра «{name}»: {float(first):g}. {remedy}")


def _shown(value: object) -> str:
    return f"«{value}»" if isinstance(value, str) else f"{value}"
