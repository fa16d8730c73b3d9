"""Differences of two arms assigned by cluster: CR2 with Satterthwaite's degrees of freedom, and tests of cluster means.

All is computed from cluster totals. Where every person of a cluster has the same row of the design (arm, cluster
covariates, strata), the regression on persons reduces exactly to cluster means weighted by numbers of persons; so do
the CR2 variance and its degrees of freedom: `(I - H_gg)^(-1/2)` acts on a vector of ones as the factor `(1 - n_g
h_g)^(-1/2)`.

The weight decides what is estimated: persons, the average per person; ones (and means as totals), the average per
centre. The two differ where the outcome goes with size.

The CR2 adjustment takes persons for independent (within weights), as the R package clubSandwich does for `lm`. The
degrees of freedom take an intraclass correlation into account (the random-effects working model of Imbens & Kolesár
2016): with centres of unequal size they are fewer than under independence, and that matters. False positives at
nominal 5 %, 12 centres of 60 to 600 persons, six against six: ICC 0.002, 0.05, 0.3 of the data, degrees of freedom
under independence (`icc=0`, clubSandwich's) 5.3, 6.1, 5.5 %; with `icc=0.05`, the default, 3.6, 4.5, 4.2 %. From 0.05
upwards its value matters little.

Sources:
    Bell R., McCaffrey D. (2002), Survey Methodology 28:169. Pustejovsky J., Tipton E. (2018), J. Bus. Econ. Stat.
    36:672. Imbens G., Kolesár M. (2016), Rev. Econ. Stat. 98:701. Welch B. (1947), Biometrika 34:28. Su F., Ding P.
    (2021), JRSS B 83:994 (totals, means and persons in cluster-randomised experiments).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.asymptotic.student import figures, student, student_p
from kcrr_analysis.experiments.randomisation import Alternative
from kcrr_analysis.stats import Difference
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

CR2_METHOD = "устойчивая к кластерам оценка CR2, степени свободы Саттертуэйта"
WELCH_METHOD = "критерий Уэлча по средним центров"
POOLED_METHOD = "критерий Стьюдента по средним центров (общая дисперсия)"
USUAL_ICC = 0.05
"""Of the working model behind the degrees of freedom, where the design does not know better."""

ALONE = 1e-9
"""A cluster whose leverage is this near 1 is fitted perfectly whatever its outcome: nothing tells how it varies."""


@dataclass(frozen=True)
class ClusterEffect:
    """The difference of two arms that were assigned by cluster.

    Attributes:
        estimate: Treated minus control with Student's limits, standard error, p-value and degrees of freedom; `n` is
            the number of clusters.
        clusters: Clusters with an outcome: treated, control.
        weights: Sums of weights (persons, where weights are persons): treated, control.
        means: Weighted means, unadjusted: treated, control.
        variance_reduction: Share of the variance that covariates and strata took away, against the same analysis
            without them; negative where they cost more than they gave; NaN without any.
    """

    estimate: Difference
    clusters: tuple[int, int]
    weights: tuple[float, float]
    means: tuple[float, float]
    variance_reduction: float = np.nan

    @property
    def p(self) -> float:
        """Two-sided p-value of no effect."""
        return self.estimate.p

    @property
    def df(self) -> float:
        """Degrees of freedom."""
        return self.estimate.df

    def p_value(self, effect: float = 0.0, alternative: Alternative = "two-sided") -> float:
        """p-value of another hypothesis, e.g. of a margin."""
        return student_p(self.estimate, effect, alternative)

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        row = figures(self.estimate, self.p, self.df) | {"variance_reduction": self.variance_reduction}
        for place, arm in enumerate(("treated", "control")):
            row[f"clusters_{arm}"] = self.clusters[place]
            row[f"weight_{arm}"] = self.weights[place]
            row[f"mean_{arm}"] = self.means[place]
        return pd.DataFrame([row])


@dataclass(frozen=True, eq=False)
class ClusterRegression:
    """Regression of cluster means on arm, covariates and strata, weighted.

    Attributes:
        mean: Outcome's mean in each cluster, shape (clusters,).
        weight: Positive weights, shape (clusters,).
        given: Whether each cluster is treated.
        design: Shape (clusters, coefficients): ones, treated, centred covariates, strata.
    """

    mean: FloatArray
    weight: FloatArray
    given: FloatArray
    design: FloatArray

    @cached_property
    def bread(self) -> FloatArray:
        """Inverse of the weighted cross-products."""
        return np.asarray(np.linalg.inv(self.design.T @ (self.design * self.weight[:, None])))

    @cached_property
    def loading(self) -> FloatArray:
        """What a unit of a cluster's total adds to the effect."""
        return np.asarray(self.design @ self.bread[1])

    @cached_property
    def annihilator(self) -> FloatArray:
        """Takes totals to total residuals, shape (clusters, clusters)."""
        hat = self.weight[:, None] * (self.design @ self.bread @ self.design.T)
        return np.asarray(np.eye(self.mean.size) - hat)

    @cached_property
    def residual(self) -> FloatArray:
        """Total residual of each cluster."""
        return np.asarray(self.annihilator @ (self.weight * self.mean))

    @property
    def effect(self) -> float:
        """Coefficient of the treatment."""
        return float(self.loading @ (self.weight * self.mean))

    def two(self, values: FloatArray) -> tuple[float, float]:
        """Sums over the treated and the control clusters."""
        return float(values[self.given == 1].sum()), float(values[self.given == 0].sum())


def regression(
    total: Any,
    weight: Any,
    arm: Any,
    *,
    treated: int = 1,
    control: int = 0,
    covariates: Any = None,
    strata: Any = None,
) -> ClusterRegression:
    """The weighted regression that CR2 and the wild bootstrap start from; see `cr2` for the arguments.

    Raises:
        ParameterError: Unlike lengths, missing covariates, or columns that repeat each other.
        NotComputableError: An arm with fewer than two clusters.
    """
    sums = np.atleast_1d(checked(total, "сумма исхода по центру", low=-np.inf))
    size = np.atleast_1d(checked(weight, "вес центра"))
    codes = np.asarray(arm)
    if not sums.shape == size.shape == codes.shape:
        raise ParameterError(
            f"Числа сумм ({sums.size}), весов ({size.size}) и назначений ({codes.size}) не равны. Передайте по одному "
            "значению на центр."
        )
    keep = np.isin(codes, (treated, control)) & (size > 0) & ~np.isnan(sums)
    given = (codes[keep] == treated).astype(float)
    for present in (int(given.sum()), int((1 - given).sum())):
        if present < 2:
            raise NotComputableError(
                f"В одной из групп центров с результатом: {present}. По одному центру нельзя узнать, насколько центры "
                "различаются сами по себе; нужно не меньше двух в каждой группе."
            )
    size = size[keep]
    columns = [np.ones(size.size), given]
    if covariates is not None:
        known = checked(covariates, "ковариаты", low=-np.inf).reshape(codes.size, -1)[keep]
        if np.isnan(known).any():
            raise ParameterError("В ковариатах центров есть пропуски. Заполните их или уберите ковариату.")
        columns += list((known - np.average(known, axis=0, weights=size)).T)
    if strata is not None:
        labels = np.unique(np.asarray(strata)[keep].astype(str), return_inverse=True)[1].ravel()
        columns += list(np.eye(labels.max() + 1)[labels].T[1:])
    design = np.column_stack(columns)
    scaled = design * np.sqrt(size / size.mean())[:, None]
    if np.linalg.matrix_rank(scaled / np.linalg.norm(scaled, axis=0).clip(1e-300)) < design.shape[1]:
        raise ParameterError(
            "Назначение, ковариаты и страты повторяют друг друга: эффект от них не отделить. Уберите лишние ковариаты "
            "или страты, в которых вся группа одна."
        )
    return ClusterRegression(sums[keep] / size, size, given, design)


def cr2(
    total: Any,
    weight: Any,
    arm: Any,
    *,
    treated: int = 1,
    control: int = 0,
    covariates: Any = None,
    strata: Any = None,
    icc: float = USUAL_ICC,
    level: float = 0.95,
) -> ClusterEffect:
    """The effect with the CR2 variance and Satterthwaite's degrees of freedom.

    Args:
        total: Sum of the outcome in each cluster, shape (clusters,).
        weight: Persons of each cluster, for the average per person; ones, with means as totals, for the average per
            centre. Clusters without weight or outcome are left out.
        arm: Code of each cluster's arm.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with; clusters of other arms are left out.
        covariates: Known before the assignment, shape (clusters,) or (clusters, covariates).
        strata: Label of each cluster's stratum; the effect is then within strata.
        icc: Intraclass correlation of the working model behind the degrees of freedom: the design's, where known; 0 for
            clubSandwich's. With weights of one it plays no part.
        level: Confidence level.

    Raises:
        ParameterError: Unlike lengths, missing covariates, columns that repeat each other, an impossible `icc`.
        NotComputableError: An arm with fewer than two clusters, or a cluster on which the effect depends and that the
            covariates and strata fit perfectly.
    """
    level = checked_level(level)
    rho = float(checked(icc, "внутрикластерная корреляция", high=1.0))
    fitted = regression(total, weight, arm, treated=treated, control=control, covariates=covariates, strata=strata)
    effect = _cr2(fitted, rho, level)
    reduction = np.nan
    if fitted.design.shape[1] > 2:
        plain = ClusterRegression(fitted.mean, fitted.weight, fitted.given, fitted.design[:, :2])
        reduction = 1 - (effect.se / _cr2(plain, rho, level).se) ** 2 if effect.se > 0 else np.nan
    return _summary(fitted, effect, reduction)


def cluster_means(
    total: Any, weight: Any, arm: Any, *, treated: int = 1, control: int = 0, pooled: bool = False, level: float = 0.95
) -> ClusterEffect:
    """The difference of unweighted averages of the cluster means (the average per centre), Student's or Welch's test.

    Args:
        total: Sum of the outcome in each cluster, shape (clusters,).
        weight: Persons of each cluster; they make the means and do not weigh them.
        arm: Code of each cluster's arm.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        pooled: One variance for both arms (Student) instead of one each (Welch).
        level: Confidence level.

    Raises:
        ParameterError: Unlike lengths.
        NotComputableError: An arm with fewer than two clusters.
    """
    level = checked_level(level)
    fitted = regression(total, weight, arm, treated=treated, control=control)
    first, second = fitted.mean[fitted.given == 1], fitted.mean[fitted.given == 0]
    parts = np.array([first.var(ddof=1) / first.size, second.var(ddof=1) / second.size])
    below = np.array([first.size - 1, second.size - 1])
    if pooled:
        df = float(below.sum())
        common = float((parts * below * [first.size, second.size]).sum()) / df
        variance = common * (1 / first.size + 1 / second.size)
    else:
        variance = float(parts.sum())
        df = variance**2 / float((parts**2 / below).sum()) if variance > 0 else np.nan
    effect = student(
        float(first.mean() - second.mean()),
        float(np.sqrt(variance)),
        df,
        level=level,
        method=POOLED_METHOD if pooled else WELCH_METHOD,
        n=float(fitted.mean.size),
    )
    equal = ClusterRegression(fitted.mean, np.ones_like(fitted.mean), fitted.given, fitted.design)
    return _summary(equal, effect, np.nan)


def _cr2(fitted: ClusterRegression, rho: float, level: float) -> Difference:
    """Effect, CR2 variance, Satterthwaite's degrees of freedom."""
    free = np.diag(fitted.annihilator)
    weightless = np.abs(fitted.loading) * fitted.weight <= ALONE
    alone = (free < ALONE) & ~weightless
    if alone.any():
        raise NotComputableError(
            f"Центров, которые страты и ковариаты описывают полностью: {int(alone.sum())}; от них зависит эффект, а "
            "разброс по ним не оценить. Уберите часть ковариат или объедините страты."
        )
    adjusted = np.where(weightless, 0.0, fitted.loading / np.sqrt(np.where(free < ALONE, 1.0, free)))
    variance = float((adjusted * fitted.residual) @ (adjusted * fitted.residual))
    if variance <= 1e-24 * float(fitted.weight @ fitted.mean**2 / fitted.weight.sum()):
        variance = 0.0
    spread = fitted.weight * (1 + (fitted.weight - 1) * rho)
    middle = adjusted[:, None] * fitted.annihilator
    quadratic = (middle * spread) @ middle.T
    df = float(np.trace(quadratic)) ** 2 / float((quadratic**2).sum())
    return student(
        fitted.effect, float(np.sqrt(variance)), df, level=level, method=CR2_METHOD, n=float(fitted.mean.size)
    )


def _summary(fitted: ClusterRegression, effect: Difference, reduction: float) -> ClusterEffect:
    weights = fitted.two(fitted.weight)
    sums = fitted.two(fitted.weight * fitted.mean)
    return ClusterEffect(
        estimate=effect,
        clusters=(int(fitted.given.sum()), int((1 - fitted.given).sum())),
        weights=weights,
        means=(sums[0] / weights[0], sums[1] / weights[1]),
        variance_reduction=reduction,
    )
