"""Adjusted p-values for many comparisons at once.

`holm` bounds the probability of a single false difference; `benjamini_hochberg` the expected share of false ones among
those declared. Unknown p-values (NaN) stay unknown and do not count as comparisons.

Sources:
    Holm S. (1979), Scand. J. Statist. 6:65.
    Benjamini Y., Hochberg Y. (1995), JRSS B 57:289.
"""

from __future__ import annotations

import numpy as np

from kcrr_analysis.stats.estimate import FloatArray, Numbers, checked


def holm(p: Numbers) -> FloatArray:
    """Holm's adjusted p-values: those at most alpha are declared with a familywise error of at most alpha.

    Args:
        p: p-values, any dependence; shape (m,).

    Returns:
        Adjusted p-values in the same order.

    Raises:
        ParameterError: A p-value outside [0, 1].
    """
    values, order = _sorted(p)
    m = order.size
    stepped = np.maximum.accumulate(values[order] * np.arange(m, 0, -1))
    return _back(values, order, stepped)


def benjamini_hochberg(p: Numbers) -> FloatArray:
    """Benjamini and Hochberg's adjusted p-values (false discovery rate; independent or positively dependent tests).

    Args:
        p: p-values, shape (m,).

    Returns:
        Adjusted p-values in the same order.

    Raises:
        ParameterError: A p-value outside [0, 1].
    """
    values, order = _sorted(p)
    m = order.size
    stepped = np.minimum.accumulate((values[order] * (m / np.arange(1, m + 1)))[::-1])[::-1]
    return _back(values, order, stepped)


def _sorted(p: Numbers) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
    values = np.atleast_1d(checked(p, "p-значения", high=1.0)).ravel()
    order = np.argsort(values, kind="stable")
    return values, order[: values.size - int(np.isnan(values).sum())]  # NaN sort to the end


def _back(values: FloatArray, order: np.ndarray[tuple[int, ...], np.dtype[np.intp]], stepped: FloatArray) -> FloatArray:
    adjusted = np.full(values.size, np.nan)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
