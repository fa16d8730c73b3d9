"""Intraclass correlation of a region's own history, and what it costs a design whose unit is the centre.

Estimator: one-way analysis of variance with n0 for unequal sizes. Interval: Wald's pivot. For a true correlation the
means of clusters, weighted by the inverse of their variances, spread as F with k - 1 and N - k degrees of freedom; the
limits are the correlations at which the spread meets the quantiles. It is exact for normal outcomes and any sizes, and
Searle's interval where sizes are equal.

Simulated coverage at nominal 95 % (6 to 60 clusters, sizes with coefficient of variation 0.65 and mean 20 to 200,
correlation 0.01 to 0.1, 600 data sets each): the interval here 92-97 % for normal outcomes, 93-96 % for shares near
30 %, 86-95 % for shares near 10 % (the lowest where the correlation is 0.1); Searle's F with n0 91-96, 90-95, 83-95 %;
Smith's and Swiger's normal limits 75-95 % throughout, nearly all of the error being limits that lie too low.

Sources:
    Donner A. (1986), Int Stat Rev 54:67; Donner A., Klar N. (2000), Design and Analysis of Cluster Randomization
    Trials. Wald A. (1940), Ann Math Stat 11:96; Searle S. R. (1971), Linear Models, ch. 9; Seely J. F., El-Bassiouni Y.
    (1983), Ann Stat 11:197. Eldridge S. M., Ashby D., Kerry S. (2006), Int J Epidemiol 35:1292 (unequal sizes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.stats.clusters import cluster_totals
from kcrr_analysis.stats.estimate import Estimate, FloatArray, Numbers, aligned, checked, checked_level, plain

METHOD = "интервал Вальда для внутригрупповой корреляции"
FEW = 15
"""Clusters below which the estimate says little: the upper limit is then several times the estimate."""

RARE = 0.15
"""Shares below it (or above one minus it) make the interval somewhat narrow."""

POINTS = 40
"""Equally likely values that stand for the uncertainty of the correlation."""

HALVINGS = 40

Flag = Literal["negative", "few_clusters", "rare", "no_variation_within"]


@dataclass(frozen=True)
class Icc:
    """The intraclass correlation of an outcome in clusters.

    Attributes:
        estimate: The correlation, from 0 to 1, with limits; `n` is the number of clusters.
        raw: The estimate of the analysis of variance before negative values are cut to 0.
        clusters: Clusters with at least one observation.
        observations: Observations in all.
        mean_size: Observations in a cluster, on average.
        cv: Coefficient of variation of the sizes (divisor k), as the design effect takes it.
        between: Variance between clusters, in squared units of the outcome; not negative.
        within: Variance within clusters.
        flags: `negative` (cut to 0, its limits are those of an estimate of 0), `few_clusters`, `rare` (a share near 0
            or 1: the interval is somewhat narrow), `no_variation_within` (no limits).
        distribution: Equally likely values of the correlation (its confidence distribution), ascending, shape (40,);
            NaN where there are no limits.
    """

    estimate: Estimate
    raw: float
    clusters: int
    observations: float
    mean_size: float
    cv: float
    between: float
    within: float
    flags: tuple[Flag, ...] = ()
    distribution: FloatArray = field(default_factory=lambda: np.full(POINTS, np.nan), repr=False, compare=False)

    @property
    def value(self) -> float:
        """The estimate as a number."""
        return float(self.estimate.estimate)

    @property
    def sd(self) -> float:
        """Standard deviation of one person's outcome, between and within clusters together."""
        return float(np.sqrt(self.between + self.within))

    def to_frame(self) -> pd.DataFrame:
        """One row with the figures and the flags, joined by commas."""
        return pd.DataFrame(
            {
                "icc": [self.value],
                "low": [self.estimate.low],
                "high": [self.estimate.high],
                "level": [self.estimate.level],
                "raw": [self.raw],
                "clusters": [self.clusters],
                "observations": [self.observations],
                "mean_size": [self.mean_size],
                "cv": [self.cv],
                "between": [self.between],
                "within": [self.within],
                "flags": [",".join(self.flags)],
            }
        )


def icc(total: Numbers, n: Numbers = None, *, squares: Numbers = None, cluster: Any = None, level: float = 0.95) -> Icc:
    """Intraclass correlation from rows, or from totals of clusters.

    Args:
        total: Sum of the outcome in each cluster; with `cluster` and without `n`, the outcome of each person.
        n: Persons in each cluster (or row). Rows without persons or with a missing total are left out.
        squares: Sum of squared outcomes in each cluster. Without it the outcome is 0 or 1 and `total` is a count; from
            persons' rows it is computed.
        cluster: Label of the cluster of each row; rows are summed first. Every row is a cluster by default.
        level: Confidence level.

    Raises:
        ParameterError: Counts beyond the number of persons, impossible sums of squares, unlike lengths, a wrong level.
        NotComputableError: Fewer than two clusters, one person in each, or an outcome that does not vary.
    """
    level = checked_level(level)
    sums, sizes, square_sums, binary = _totals(total, n, squares, cluster)
    k, people = sizes.size, float(sizes.sum())
    if k < 2:
        raise NotComputableError(
            "Внутригрупповую корреляцию нельзя оценить по одному центру. Нужны данные не менее чем по двум центрам."
        )
    if not people > k:
        raise NotComputableError(
            "Внутригрупповую корреляцию нельзя оценить: в каждом центре одно наблюдение. Нужны строки по людям."
        )
    means = sums / sizes
    inside = square_sums - sums**2 / sizes
    if (inside < -1e-9 * np.maximum(square_sums, 1e-300)).any():
        raise ParameterError("Сумма квадратов исхода меньше возможной при такой сумме. Проверьте столбцы с суммами.")
    among = float(sizes @ (means - sums.sum() / people) ** 2)
    within = float(np.maximum(inside, 0).sum()) / (people - k)
    if among + within <= 1e-12 * float(square_sums.sum()) or not among + within > 0:
        raise NotComputableError(
            "Исход у всех одинаков: внутригрупповой корреляции нет. Возьмите другой период или исход."
        )
    n0 = (people - float(sizes @ sizes) / people) / (k - 1)
    between = (among / (k - 1) - within) / n0
    raw = between / (between + within)
    share = sums.sum() / people
    flags: list[Flag] = ["negative"] if raw < 0 else []
    flags += ["few_clusters"] if k < FEW else []
    flags += ["rare"] if binary and not RARE <= share <= 1 - RARE else []
    quantiles = np.concatenate([[(1 - level) / 2, (1 + level) / 2], (np.arange(POINTS) + 0.5) / POINTS])
    if within > 0:
        found = _limits(means, sizes, within, quantiles)
    else:
        found = np.full(quantiles.size, np.nan)
        flags.append("no_variation_within")
    point = max(raw, 0.0)
    return Icc(
        estimate=Estimate(point, float(found[0]), float(found[1]), level, METHOD, float(k)),
        raw=raw,
        clusters=k,
        observations=people,
        mean_size=people / k,
        cv=float(sizes.std() / sizes.mean()),
        between=max(between, 0.0),
        within=within,
        flags=tuple(flags),
        distribution=found[2:],
    )


def design_effect(size: Numbers, icc: Numbers, cv: Numbers = 0.0) -> Numbers:
    """How many times more people a design by centres needs than one by persons: 1 + ((cv^2 + 1) * size - 1) * icc.

    Args:
        size: Persons in a cluster, on average.
        icc: Intraclass correlation, from 0 to 1.
        cv: Coefficient of variation of the sizes.

    Raises:
        ParameterError: A negative size or cv, a correlation outside [0, 1].
    """
    m, rho, variation = aligned(
        checked(size, "число людей в центре"),
        checked(icc, "внутригрупповая корреляция", high=1.0),
        checked(cv, "коэффициент вариации размеров"),
    )
    return plain(1 + ((variation**2 + 1) * m - 1) * rho)


def _totals(
    total: Numbers, n: Numbers, squares: Numbers, cluster: Any
) -> tuple[FloatArray, FloatArray, FloatArray, bool]:
    """Sums, sizes and sums of squares of the clusters, and whether the outcome is 0 or 1."""
    values = np.atleast_1d(checked(total, "сумма исхода", low=-np.inf))
    if n is None and cluster is None:
        raise ParameterError("Укажите число людей в каждом центре (n) или метку центра для каждой строки (cluster).")
    persons = n is None
    sizes = np.ones(values.size) if persons else np.atleast_1d(checked(n, "число людей в центре"))
    squared = (
        values**2 if persons else values if squares is None else np.atleast_1d(checked(squares, "сумма квадратов"))
    )
    values, sizes, squared = aligned(values, sizes, squared)
    if not persons and squares is None:
        whole = np.isnan(values) | (values == np.floor(values))
        if (values < 0).any() or (values > sizes).any() or not whole.all():
            raise ParameterError(
                "Без сумм квадратов исход должен быть числом случаев: целым, не меньше нуля и не больше числа людей. "
                "Для среднего передайте суммы квадратов (squares)."
            )
    known = ~(np.isnan(values) | np.isnan(sizes) | np.isnan(squared)) & (sizes > 0)
    rows = np.column_stack([values, sizes, squared])[known]
    if cluster is not None:
        labels = np.asarray(cluster)
        if labels.shape != known.shape:
            raise ParameterError(f"Число меток центров ({labels.size}) не равно числу строк ({known.size}).")
        rows, _ = cluster_totals(rows, labels[known])
    binary = bool(np.isin(values[known], (0, 1)).all()) if persons else squares is None
    return rows[:, 0], rows[:, 1], rows[:, 2], binary


def _limits(means: FloatArray, sizes: FloatArray, within: float, quantiles: FloatArray) -> FloatArray:
    """Quantiles of the confidence distribution, cut at 0: where the spread of the means meets those of F."""
    k, people = sizes.size, float(sizes.sum())
    goal = scipy.special.fdtri(k - 1, people - k, 1 - quantiles)
    below = float(_spread(np.zeros(1), means, sizes, within)[0]) < 1

    def spread(rho: FloatArray) -> FloatArray:
        return _expected(rho, sizes) if below else _spread(rho, means, sizes, within)

    low, high = np.zeros(quantiles.size), np.full(quantiles.size, 1.0 - 1e-12)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = spread(middle) > goal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(spread(np.zeros(1)) <= goal, 0.0, (low + high) / 2)


def _spread(rho: FloatArray, means: FloatArray, sizes: FloatArray, within: float) -> FloatArray:
    """Wald's pivot at each correlation, falling in it; about 1 at the true one."""
    weight = 1 / (rho[:, None] / (1 - rho[:, None]) + 1 / sizes)
    centre = (weight @ means) / weight.sum(1)
    return np.asarray((weight * (means - centre[:, None]) ** 2).sum(1) / ((sizes.size - 1) * within))


def _expected(rho: FloatArray, sizes: FloatArray) -> FloatArray:
    """The pivot of means that differ as chance alone makes them differ: for spreads below that."""
    return np.asarray((1 / (1 + rho[:, None] / (1 - rho[:, None]) * sizes)).mean(axis=1))
