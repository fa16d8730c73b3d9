"""Wild cluster bootstrap-t with the null imposed (WCR), from cluster totals.

The regression is refitted without the effect, each cluster's residuals are multiplied by one random weight, and the
statistic of the effect (CR1 standard error) is computed anew from the outcomes so made. As everything is linear in
the assumed effect, numerators and squared denominators are polynomials of it: the interval by test inversion needs no
refitting.

Rademacher's weights (-1, 1) give at most 2^G outcomes: with fewer than 12 clusters Webb's six points are drawn
instead, from 12 on Rademacher's, each combination once where there are few enough.

It serves as a second opinion: with few clusters of one arm (up to about five) or very unequal ones it can be far too
cautious or too bold (MacKinnon & Webb 2017, 2018), which randomisation inference cannot.

Sources:
    Cameron C., Gelbach J., Miller D. (2008), Rev. Econ. Stat. 90:414. Webb M. (2014/2023), Can. J. Econ. 56:839.
    Roodman D., MacKinnon J., Nielsen M., Webb M. (2019), Stata Journal 19:4.
    MacKinnon J., Webb M. (2017), J. Appl. Econometrics 32:233; (2018), Econometrics Journal 21:114.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.asymptotic.cluster_robust import ClusterRegression, regression
from kcrr_analysis.experiments.asymptotic.student import figures
from kcrr_analysis.experiments.mechanism import DRAWS, LIMIT
from kcrr_analysis.experiments.randomisation import Alternative, Reference
from kcrr_analysis.stats import Estimate
from kcrr_analysis.stats.estimate import FloatArray, checked_level

Weights = Literal["rademacher", "webb"]

METHODS = {
    "rademacher": "дикий кластерный бутстреп (веса Радемахера)",
    "webb": "дикий кластерный бутстреп (веса Уэбба)",
}
FEW = 12
"""With fewer clusters Rademacher's weights give too few different outcomes."""

_ROUNDING = 1e-20
_WEBB = np.sqrt([1.5, 1.0, 0.5])


@dataclass(frozen=True, eq=False)
class WildBootstrap:
    """The effect with the wild cluster bootstrap's p-value and interval.

    Attributes:
        reference: The bootstrap distribution; the observed statistic comes first. `reference.exact`: each combination
            of weights is there once.
        weights: rademacher or webb.
        level: Confidence level.
    """

    reference: Reference
    weights: Weights
    level: float

    @cached_property
    def estimate(self) -> Estimate:
        """The effect, its CR1 standard error, limits by test inversion; infinite where the level cannot be attained.

        `n` is the number of clusters.
        """
        found = self.reference
        low, high = found.interval(self.level)
        return Estimate(found.estimate, low, high, self.level, METHODS[self.weights], float(found.units), found.se)

    @cached_property
    def p(self) -> float:
        """Two-sided p-value of no effect."""
        return self.reference.p_value()

    def p_value(self, effect: float = 0.0, alternative: Alternative = "two-sided") -> float:
        """p-value of another hypothesis, e.g. of a margin."""
        return self.reference.p_value(effect, alternative)

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        own = {"clusters": self.estimate.n, "draws": self.reference.draws, "exact": self.reference.exact}
        return pd.DataFrame([figures(self.estimate, self.p) | own])


def wild_cluster(
    total: Any,
    weight: Any,
    arm: Any,
    *,
    treated: int = 1,
    control: int = 0,
    covariates: Any = None,
    strata: Any = None,
    weights: Weights | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> WildBootstrap:
    """The effect of `cluster_robust.cr2` with the wild cluster bootstrap's p-value and interval.

    Args:
        total: Sum of the outcome in each cluster, shape (clusters,).
        weight: Persons of each cluster, or ones with means as totals.
        arm: Code of each cluster's arm.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        covariates: Shape (clusters,) or (clusters, covariates).
        strata: Label of each cluster's stratum.
        weights: By default webb with fewer than 12 clusters, else rademacher.
        draws: How many are drawn where the combinations are too many to enumerate.
        seed: Of the draws.
        level: Confidence level.

    Raises:
        ParameterError: As `cluster_robust.cr2`, unknown weights, or too few draws.
        NotComputableError: An arm with fewer than two clusters.
    """
    level = checked_level(level)
    fitted = regression(total, weight, arm, treated=treated, control=control, covariates=covariates, strata=strata)
    chosen: Weights = weights or ("webb" if fitted.mean.size < FEW else "rademacher")
    if chosen not in METHODS:
        raise ParameterError(f"Веса бутстрепа «{chosen}» неизвестны. Укажите одно из: {', '.join(METHODS)}.")
    if draws < 99:
        raise ParameterError(f"Число повторов бутстрепа {draws} недопустимо. Укажите целое число от 99.")
    return WildBootstrap(_reference(fitted, *_multipliers(chosen, fitted.mean.size, draws, seed)), chosen, level)


def _multipliers(weights: Weights, clusters: int, draws: int, seed: int) -> tuple[FloatArray, bool]:
    """Weights of the clusters, shape (draws, clusters); True where each but the observed combination is there once."""
    if weights == "rademacher" and 2**clusters <= LIMIT:
        bits = np.arange(1, 2**clusters)[:, None] >> np.arange(clusters) & 1
        return np.where(bits, -1.0, 1.0), True
    chance = np.random.default_rng(seed)
    points = np.array([1.0]) if weights == "rademacher" else _WEBB
    return np.asarray(chance.choice(np.concatenate([-points, points]), size=(draws, clusters))), False


def _reference(fitted: ClusterRegression, multipliers: FloatArray, exact: bool) -> Reference:
    """Coefficients of the statistics as polynomials of the assumed effect, the observed statistic first."""
    clusters = fitted.mean.size
    restricted = ClusterRegression(fitted.mean, fitted.weight, fitted.given, np.delete(fitted.design, 1, axis=1))
    outcome = restricted.annihilator @ (fitted.weight * fitted.mean)
    treatment = restricted.annihilator @ (fitted.weight * fitted.given)
    scale = clusters / (clusters - 1)
    gaps, residuals = [], []
    for part in (outcome, treatment):
        made = multipliers * part
        gaps.append(made @ fitted.loading)
        residuals.append(made @ (fitted.annihilator.T * fitted.loading))
    squares = [
        scale * np.einsum("kg,kg->k", residuals[one], residuals[other]) for one, other in ((0, 0), (0, 1), (1, 1))
    ]
    squares[2] = np.where(squares[2] > _ROUNDING * squares[2].max(), squares[2], 0.0)
    own = scale * float(((fitted.loading * fitted.residual) ** 2).sum())
    first = (fitted.effect, 1.0, own, 0.0, 0.0)
    a, b, c, d, e = (np.concatenate([[one], rest]) for one, rest in zip(first, (*gaps, *squares), strict=True))
    count = len(multipliers) + 1 if exact else None
    return Reference(a=a, b=b, c=c, d=d, e=e, exact=exact, units=clusters, count=count, mirrored=exact)
