"""Dunnett's test: several formats against one shared control, in one error budget.

The statistics of the comparisons share the control and the pooled variance, so they are correlated: by
lambda_i * lambda_j with lambda_i = sqrt(n_i / (n_i + n_0)), 0.5 for equal arms. Given the control's deviation and the
variance they are independent; the probability is integrated over both by Gauss quadrature.

Source: Dunnett C. W. (1955), JASA 50:1096; (1964), Biometrics 20:482 (two-sided tables).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray

_POINTS = 48
_LARGE = 1e6
"""Degrees of freedom from which the variance is taken as known."""


def critical_value(sizes: Sequence[float], *, df: float, alpha: float = 0.05, sides: int = 2) -> float:
    """What the largest of the statistics must exceed.

    Args:
        sizes: Sizes of the arms (or inverse variances of their means), the control first.
        df: Degrees of freedom of the pooled variance; infinite where it is known.
        alpha: Error of all comparisons together.
        sides: Sides of each comparison.

    Raises:
        ParameterError: Fewer than two arms, sizes or df not above zero, alpha outside (0, 1).
    """
    numbers = tuple(float(size) for size in sizes)
    if len(numbers) < 2 or not min(numbers) > 0:
        raise ParameterError("Для критерия Даннета нужны контрольная группа и хотя бы одна группа с новым форматом.")
    if not df > 0 or not 0 < alpha < 1 or sides not in (1, 2):
        raise ParameterError("Для критерия Даннета нужны число степеней свободы больше нуля и уровень между 0 и 1.")
    return _critical(numbers, float(df), float(alpha), sides)


def adjusted_p(statistics: Sequence[float], sizes: Sequence[float], *, df: float, sides: int = 2) -> FloatArray:
    """p-value of each comparison, adjusted for all of them (single step).

    Args:
        statistics: One t statistic a comparison.
        sizes: Sizes of the arms, the control first.
        df: Degrees of freedom of the pooled variance.
        sides: Sides of each comparison.
    """
    numbers = tuple(float(size) for size in sizes)
    values = np.abs(statistics) if sides == 2 else np.asarray(statistics, dtype=float)
    return np.array([1 - _all_below(float(value), numbers, float(df), sides) for value in values])


@lru_cache(maxsize=4096)
def _critical(sizes: tuple[float, ...], df: float, alpha: float, sides: int) -> float:
    tail = alpha / sides
    single = float(scipy.special.stdtrit(df, 1 - tail)) if df < _LARGE else float(-scipy.special.ndtri(tail))
    if len(sizes) == 2:
        return float(scipy.special.stdtrit(df, 1 - tail)) if np.isfinite(df) else single
    most = tail / (len(sizes) - 1)
    bonferroni = float(scipy.special.stdtrit(df, 1 - most)) if np.isfinite(df) else float(-scipy.special.ndtri(most))

    def excess(value: float) -> float:
        return _all_below(value, sizes, df, sides) - (1 - alpha)

    return float(scipy.optimize.brentq(excess, single - 0.01, bonferroni + 0.01, xtol=1e-8))


def _all_below(value: float, sizes: tuple[float, ...], df: float, sides: int) -> float:
    """Probability that no statistic exceeds the value without any effect."""
    arms = np.array(sizes[1:])
    loading = np.sqrt(arms / (arms + sizes[0]))
    rest = np.sqrt(1 - loading**2)
    nodes, weights = _normal()
    scale, mass = scale_quadrature(df)
    edge = value * scale[:, None, None]
    shift = loading * nodes[None, :, None]
    inside = scipy.special.ndtr((edge - shift) / rest)
    if sides == 2:
        inside = inside - scipy.special.ndtr((-edge - shift) / rest)
    return float(mass @ inside.prod(axis=2) @ weights)


@lru_cache(maxsize=1)
def _normal() -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    return nodes, weights / weights.sum()


@lru_cache(maxsize=8)
def legendre(points: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of Gauss and Legendre's quadrature between -1 and 1."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return nodes, weights


@lru_cache(maxsize=4096)
def scale_quadrature(df: float, highest: float = np.inf) -> tuple[FloatArray, FloatArray]:
    """Quadrature over the estimated standard deviation as a share of the true one: chi / sqrt(df).

    Args:
        df: Degrees of freedom.
        highest: Where to stop; the weights then add to the probability below it.

    Returns:
        Points and weights, shape (points,); 1 and 1 where the variance is known.
    """
    if df >= _LARGE:
        return np.ones(1), np.ones(1) if highest > 1 else np.zeros(1)
    nodes, weights = legendre(_POINTS)
    low, high = np.sqrt(scipy.special.chdtri(df, np.array([1 - 1e-12, 1e-12])) / df)
    high = max(min(high, highest), low)
    points = (low + high) / 2 + (high - low) / 2 * nodes
    log_density = (
        np.log(2) + df / 2 * np.log(df / 2) - scipy.special.gammaln(df / 2) + (df - 1) * np.log(points)
    ) - df * points**2 / 2
    return points, (high - low) / 2 * weights * np.exp(log_density)
