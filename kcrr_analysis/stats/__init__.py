"""Statistical primitives: every figure comes with its limits, level, method and number of independent units.

An `Estimate` holds floats for scalars and arrays for arrays. What cannot be known is NaN; what cannot be is a
`ParameterError` in Russian.

    shares                      `wilson`; guaranteed level: `clopper_pearson`
    differences of shares       `newcombe`; agreeing with its test: `miettinen_nurminen`, `score_statistic`,
                                `restricted_mle`
    rates of events             `poisson`, `rate_ratio`; do events come in bursts: `dispersion` -> `Dispersion`
    sums of values of events    `compound_poisson`; from group sums: `weighted_poisson`
    ratios of sums              `ratio`; one set of units against the rest: `difference_of_ratios` -> `Difference`
    any other statistic         `bootstrap`
    many comparisons            `holm`, `benjamini_hochberg`
    ranks                       `rank_intervals` -> `Ranks`, `critical_difference`
"""

from kcrr_analysis.stats.estimate import Estimate
from kcrr_analysis.stats.multiplicity import benjamini_hochberg, holm
from kcrr_analysis.stats.proportions import (
    clopper_pearson,
    miettinen_nurminen,
    newcombe,
    restricted_mle,
    score_statistic,
    wilson,
)
from kcrr_analysis.stats.ranks import Ranks, critical_difference, rank_intervals
from kcrr_analysis.stats.rates import Dispersion, compound_poisson, dispersion, poisson, rate_ratio, weighted_poisson
from kcrr_analysis.stats.ratios import Difference, difference_of_ratios, ratio
from kcrr_analysis.stats.resampling import bootstrap

__all__ = [
    "Difference",
    "Dispersion",
    "Estimate",
    "Ranks",
    "benjamini_hochberg",
    "bootstrap",
    "clopper_pearson",
    "compound_poisson",
    "critical_difference",
    "difference_of_ratios",
    "dispersion",
    "holm",
    "miettinen_nurminen",
    "newcombe",
    "poisson",
    "rank_intervals",
    "rate_ratio",
    "ratio",
    "restricted_mle",
    "score_statistic",
    "weighted_poisson",
    "wilson",
]
