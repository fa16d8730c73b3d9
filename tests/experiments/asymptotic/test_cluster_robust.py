"""CR2 on cluster totals against persons, closed forms, and its false positives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.asymptotic.cluster_robust import cluster_means, cr2

SIZES = np.array([60, 25, 40, 10, 33, 18, 52, 7, 21, 30])
ARM = np.array([1, 0, 1, 0, 0, 1, 0, 1, 1, 0])


def persons(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of persons and the cluster of each."""
    chance = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(SIZES.size), SIZES)
    return chance.normal(size=SIZES.size)[cluster] * 0.4 + chance.normal(size=cluster.size) + cluster / 5, cluster


def totals(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    return np.bincount(cluster, weights=values)


def by_matrices(y: np.ndarray, x: np.ndarray, cluster: np.ndarray, rho: float = 0.0) -> tuple[float, float, float]:
    """CR2 by Pustejovsky & Tipton (2018), eq. 9-11, with whole person-level matrices; coefficient 1 of x."""
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    rest = np.eye(len(y)) - hat
    residual = rest @ y
    work = np.zeros_like(rest)
    meat, columns = np.zeros((x.shape[1],) * 2), []
    for g in np.unique(cluster):
        at = np.flatnonzero(cluster == g)
        work[np.ix_(at, at)] = (1 - rho) * np.eye(at.size) + rho
        adjust = scipy.linalg.fractional_matrix_power(np.eye(at.size) - hat[np.ix_(at, at)], -0.5).real
        score = x[at].T @ adjust @ residual[at]
        meat += np.outer(score, score)
        columns.append(rest[:, at] @ adjust @ x[at] @ bread[:, 1])
    variance = (bread @ meat @ bread)[1, 1]
    p = np.column_stack(columns)
    inner = p.T @ work @ p
    return float((bread @ x.T @ y)[1]), float(np.sqrt(variance)), float(np.trace(inner) ** 2 / (inner**2).sum())


@pytest.mark.parametrize("rho", [0.0, 0.05])
def test_cluster_totals_give_what_persons_give(rho: float) -> None:
    y, cluster = persons()
    x = np.column_stack([np.ones(y.size), ARM[cluster]])
    found = cr2(totals(y, cluster), SIZES, ARM, icc=rho)
    assert (found.estimate.estimate, found.estimate.se, found.df) == pytest.approx(by_matrices(y, x, cluster, rho))


def test_cluster_totals_give_what_persons_give_with_covariates_and_strata() -> None:
    y, cluster = persons(5)
    age = np.linspace(20, 61, SIZES.size) ** 1.1
    strata = np.array(list("ааббввабва"))
    dummies = [(strata[cluster] == label).astype(float) for label in "бв"]
    x = np.column_stack([np.ones(y.size), ARM[cluster], age[cluster], *dummies])
    found = cr2(totals(y, cluster), SIZES, ARM, covariates=age, strata=strata, icc=0)
    assert (found.estimate.estimate, found.estimate.se, found.df) == pytest.approx(by_matrices(y, x, cluster))
    half = scipy.stats.t.ppf(0.975, found.df) * found.estimate.se
    assert found.estimate.high - found.estimate.estimate == pytest.approx(half)
    plain = cr2(totals(y, cluster), SIZES, ARM)
    assert found.variance_reduction == pytest.approx(1 - (found.estimate.se / plain.estimate.se) ** 2)
    assert np.isnan(plain.variance_reduction)


def test_closed_form_of_two_arms() -> None:
    """Per arm, the formulas that clubSandwich's own tests state for a mean of clusters (test_intercept_formulas.R)."""
    y, cluster = persons(8)
    total = totals(y, cluster)
    variance = trace = squares = 0.0
    for arm in (0, 1):
        n = SIZES[arm == ARM].astype(float)
        whole = n.sum()
        mean = total[arm == ARM] / n
        centre = total[arm == ARM].sum() / whole
        variance += (n**2 * (mean - centre) ** 2 / (1 - n / whole)).sum() / whole**2
        df = whole**2 / (
            whole**2 * (n**2 / (whole - n) ** 2).sum()
            - 2 * whole * (n**3 / (whole - n) ** 2).sum()
            + (n**2 / (whole - n)).sum() ** 2
        )
        trace += 1 / whole
        squares += 1 / whole**2 / df
    found = cr2(total, SIZES, ARM, icc=0)
    assert found.estimate.se == pytest.approx(np.sqrt(variance))
    assert found.df == pytest.approx(trace**2 / squares)


def test_equal_weights_are_welchs_error_with_bell_and_mccaffreys_df() -> None:
    """Imbens & Kolesár (2016), section 2: the degrees of freedom of two means depend on the sizes of the arms alone."""
    arm = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    means = np.array([3.0, 5, 4, 1, 2, 6, 3, 2, 1, 4])
    found = cr2(means, np.ones(10), arm)
    welch = scipy.stats.ttest_ind(means[:3], means[3:], equal_var=False)
    assert found.estimate.estimate / found.estimate.se == pytest.approx(welch.statistic)
    m, n = 3, 7
    assert found.df == pytest.approx((m + n) ** 2 * (m - 1) * (n - 1) / (n**2 * (n - 1) + m**2 * (m - 1)))


@pytest.mark.parametrize("pooled", [False, True])
def test_cluster_means_are_a_t_test_of_the_means(pooled: bool) -> None:
    y, cluster = persons(1)
    total = totals(y, cluster)
    mean = total / SIZES
    found = cluster_means(total, SIZES, ARM, pooled=pooled)
    known = scipy.stats.ttest_ind(mean[ARM == 1], mean[ARM == 0], equal_var=pooled)
    assert (found.p, found.df) == pytest.approx((known.pvalue, known.df))
    assert (found.estimate.low, found.estimate.high) == pytest.approx(tuple(known.confidence_interval()))
    assert found.p_value(0, "greater") == pytest.approx(
        scipy.stats.ttest_ind(mean[ARM == 1], mean[ARM == 0], equal_var=pooled, alternative="greater").pvalue
    )
    assert found.clusters == (5, 5)
    assert found.weights == (5.0, 5.0)


def test_scale_and_other_arms_do_not_matter() -> None:
    y, cluster = persons(2)
    total = totals(y, cluster)
    found = cr2(total, SIZES, ARM)
    more = cr2([*(10 * total), 5.0, np.nan], [*SIZES, 4, 9], [*ARM, 2, 1])
    assert more.estimate.estimate == pytest.approx(10 * found.estimate.estimate)
    assert (more.p, more.df) == pytest.approx((found.p, found.df))
    swapped = cr2(total, SIZES, ARM, treated=0, control=1)
    assert swapped.estimate.estimate == pytest.approx(-found.estimate.estimate)
    assert swapped.p == pytest.approx(found.p)


def test_a_margin_at_the_limit_has_half_the_level() -> None:
    found = cr2(totals(*persons()), SIZES, ARM)
    assert found.p_value(found.estimate.low, "greater") == pytest.approx(0.025)
    assert found.p_value(found.estimate.high, "less") == pytest.approx(0.025)
    assert found.p_value(found.estimate.high) == pytest.approx(0.05)
    frame = found.to_frame()
    assert (len(frame), frame["p"].iloc[0]) == (1, found.p)


def test_false_positives_with_twelve_unequal_centres() -> None:
    """60 to 600 persons, ICC 0.05, no effect: 2,000 runs; the share of p < 0.05 has a standard error of 0.5 %.

    Independence as the working model of the degrees of freedom is bolder, at 6 %.
    """
    chance = np.random.default_rng(11)
    n = np.geomspace(60, 600, 12).round()
    hits, inside = 0, 0
    for _ in range(2000):
        mean = chance.normal(0, np.sqrt(0.05 + 0.95 / n))
        arm = chance.permutation([0, 1] * 6)
        found = cr2(n * mean, n, arm)
        hits += found.p < 0.05
        inside += found.estimate.low <= 0 <= found.estimate.high
    assert 0.03 <= hits / 2000 <= 0.06
    assert inside == 2000 - hits


def test_no_spread_between_centres_gives_no_interval() -> None:
    found = cr2([10.0, 20, 30, 40], [10, 20, 30, 40], [1, 1, 0, 0])
    assert found.estimate.estimate == pytest.approx(0)
    assert np.isnan([found.p, found.estimate.low, found.p_value(1)]).all()


def test_matched_pairs_are_the_paired_t_test_where_sizes_are_equal() -> None:
    first, second = np.array([5.0, 7, 6, 9, 4]), np.array([4.0, 6.5, 6, 7, 4.5])
    found = cr2(np.concatenate([first, second]), np.ones(10), np.repeat([1, 0], 5), strata=np.tile(np.arange(5), 2))
    paired = scipy.stats.ttest_rel(first, second)
    assert (found.p, found.df) == pytest.approx((paired.pvalue, 4))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"total": [1, 2, 3], "weight": [1, 1, 1], "arm": [1, 0, 0]}, NotComputableError, "По одному центру"),
        ({"total": [1, 2, 3], "weight": [1, 1, 1], "arm": [0, 0, 0]}, NotComputableError, "результатом: 0"),
        ({"total": [1, 2, 3], "weight": [1, 1], "arm": [1, 0, 0]}, ParameterError, "не равны"),
        ({"total": [1, 2, 3, 4], "weight": [1] * 4, "arm": [1, 1, 0, 0], "icc": 2}, ParameterError, "корреляция"),
        (
            {"total": [1, 2, 3, 4], "weight": [1] * 4, "arm": [1, 1, 0, 0], "covariates": [2, 2, 1, 1]},
            ParameterError,
            "повторяют друг друга",
        ),
        (
            {"total": [1, 2, 3, 4], "weight": [1] * 4, "arm": [1, 1, 0, 0], "covariates": [2, np.nan, 1, 1]},
            ParameterError,
            "пропуски",
        ),
        (
            {"total": [1, 2, 3, 4, 5], "weight": [1] * 5, "arm": [1, 1, 0, 0, 0], "covariates": [0, 9, 1, 1, 1]},
            NotComputableError,
            "описывают полностью",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cr2(**arguments)
