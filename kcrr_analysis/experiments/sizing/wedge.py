"""Variance of the effect in designs with periods: stepped wedge, cluster crossover, switchback.

Means of a cluster's periods have the variance of persons within it and two levels of correlation: `icc` within a period
and `icc * cac` between periods (Hooper & Bourke 2015); the level of each period is a free parameter. With random
effects and `cac` = 1 the variance is that of Hussey and Hughes' closed form; here it is computed from the information
of each sequence, so that any pattern, unequal numbers of clusters and unequal sizes are no exception. With fixed
effects, which the kit's analysis takes, the level of a cluster is a free parameter too and only its changes tell of the
effect.

Sources:
    Hussey M. A., Hughes J. P. (2007), Contemp Clin Trials 28:182. Hooper R., Bourke L. (2015), BMJ 350:h2925.
    Hooper R. et al. (2016), Stat Med 35:4718. Giraudeau B., Ravaud P., Donner A. (2008), Stat Med 27:5578 (crossover).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.stats.estimate import FloatArray, checked

INSEPARABLE = (
    "При таком плане эффект нельзя отличить от общего изменения во времени: в каждом периоде все центры одинаковы. "
    "Начните в разных центрах в разное время."
)

SIZE_CLASSES = 9
"""Equally likely cluster sizes that stand for a gamma distribution of sizes."""


def stepped(waves: int, periods: int | None = None) -> NDArray[np.int8]:
    """Treatment of each wave (row) in each period (column): wave i starts in period i + 1, the first period is control.

    Args:
        waves: Number of waves.
        periods: Periods in all, waves + 1 by default; further ones lengthen the end.

    Raises:
        ParameterError: Fewer than one wave, fewer periods than waves + 1.
    """
    columns = waves + 1 if periods is None else periods
    if waves < 1 or columns < waves + 1:
        raise ParameterError(
            f"Для поэтапного внедрения в {waves} волн нужно не менее {waves + 1} периодов: первый — без нового формата."
        )
    return (np.arange(columns)[None, :] > np.arange(waves)[:, None]).astype(np.int8)


def crossover(periods: int) -> NDArray[np.int8]:
    """Two sequences that change in every period: control first, and treatment first.

    Raises:
        ParameterError: Fewer than two periods.
    """
    if periods < 2:
        raise ParameterError("Для смены форматов внутри центра нужно не менее двух периодов.")
    first = np.arange(periods) % 2
    return np.array([first, 1 - first], dtype=np.int8)


def variance(
    treatment: NDArray[np.int8] | Sequence[Sequence[int]],
    clusters: Sequence[float] | FloatArray,
    *,
    size: float,
    sd: float = 1.0,
    icc: float = 0.0,
    cac: float = 1.0,
    cv: float = 0.0,
    effects: Literal["fixed", "random"] = "fixed",
) -> float:
    """Variance of the effect's estimate.

    Args:
        treatment: 1 where the sequence (row) has the new format in the period (column).
        clusters: Number of clusters of each sequence; fractions are allowed.
        size: Persons of a cluster in one period, on average (other persons in each period).
        sd: Standard deviation of one person's outcome, between and within clusters together.
        icc: Correlation of two persons of a cluster in one period.
        cac: Cluster autocorrelation: the correlation of two persons in different periods as a share of `icc`.
        cv: Coefficient of variation of the clusters' sizes.
        effects: `fixed`: regression on effects of cluster and period weighted by persons, as `periods` analyses;
            `random`: generalised least squares (Hussey and Hughes), which also uses what differs between clusters.

    Raises:
        ParameterError: A treatment matrix or numbers that cannot be.
        NotComputableError: The effect cannot be told from the periods.
    """
    pattern = np.asarray(treatment, dtype=float)
    number = np.atleast_1d(checked(clusters, "число центров"))
    if pattern.ndim != 2 or not np.isin(pattern, (0, 1)).all():
        raise ParameterError(
            "План по периодам должен быть таблицей из нулей и единиц: строка — волна, столбец — период."
        )
    if number.shape != (len(pattern),):
        raise ParameterError(
            f"Волн в плане {len(pattern)}, а чисел центров {number.size}. Укажите число для каждой волны."
        )
    rho = float(checked(icc, "внутригрупповая корреляция", high=1.0))
    autocorrelation = float(checked(cac, "корреляция между периодами", high=1.0))
    classes = size_classes(size, cv)
    if effects == "fixed":
        return float(sd) ** 2 * _fixed(pattern, number, classes, rho, autocorrelation)
    return float(sd) ** 2 * _random(pattern, number, classes, rho, autocorrelation)


def _fixed(
    pattern: FloatArray, number: FloatArray, classes: list[tuple[float, float]], rho: float, cac: float
) -> float:
    within = pattern - pattern.mean(axis=1, keepdims=True)
    cleaned = within - number @ within / number.sum()
    spread = float(number @ (cleaned**2).sum(axis=1))
    if not spread > 1e-9 * max(float(number @ pattern.sum(axis=1)), 1e-300):
        raise NotComputableError(INSEPARABLE)
    share, persons = np.array(classes).T
    noise = (1 - rho) / persons + rho * (1 - cac)
    return float((share * persons**2) @ noise / (share @ persons) ** 2) / spread


def _random(
    pattern: FloatArray, number: FloatArray, classes: list[tuple[float, float]], rho: float, cac: float
) -> float:
    periods = pattern.shape[1]
    effect, mixed, level = 0.0, np.zeros(periods), np.zeros((periods, periods))
    for share, persons in classes:
        own = (1 - rho) / persons + rho * (1 - cac)
        weight = np.linalg.inv(own * np.eye(periods) + rho * cac) * share
        seen = pattern @ weight
        effect += float(number @ (seen * pattern).sum(axis=1))
        mixed += number @ seen
        level += number.sum() * weight
    information = effect - float(mixed @ np.linalg.solve(level, mixed))
    if not information > 1e-9 * effect or not effect > 0:
        raise NotComputableError(INSEPARABLE)
    return 1 / information


def size_classes(size: float, cv: float) -> list[tuple[float, float]]:
    """Shares and sizes of equally likely classes of clusters with this mean and coefficient of variation."""
    mean, variation = float(checked(size, "число людей в центре за период")), float(checked(cv, "коэффициент вариации"))
    if not mean > 0:
        raise ParameterError("Число людей в центре за период должно быть больше нуля.")
    if variation == 0:
        return [(1.0, mean)]
    middle = (np.arange(SIZE_CLASSES) + 0.5) / SIZE_CLASSES
    sizes = scipy.special.gammaincinv(1 / variation**2, middle)
    sizes = np.maximum(sizes / sizes.mean(), 1e-6)
    return [(1 / SIZE_CLASSES, float(mean * relative)) for relative in sizes]
