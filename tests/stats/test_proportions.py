"""Proportions against published tables, brute force and exact coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.stats import binom, norm

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError

Z = 1.959963984540054

# Newcombe R. G. (1998), Stat Med 17:857, Table I: methods 3 (Wilson) and 5 (Clopper-Pearson).
SINGLE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]

# Newcombe R. G. (1998), Stat Med 17:873, Table II: methods 10 (hybrid), 6 (Miettinen-Nurminen), 5 (Mee).
PAIRS = [
    ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382), (0.0533, 0.3377)),
    ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406), (0.1821, 0.8370)),
    ((6, 7, 2, 7), (0.0582, 0.8062), (0.0342, 0.8534), (0.0544, 0.8478)),
    ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933), (-0.0313, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0), (0.7156, 1.0), (0.7225, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0), (0.6636, 1.0), (0.6777, 1.0)),
]

tables = st.integers(1, 60).flatmap(
    lambda m: st.integers(1, 60).flatmap(
        lambda n: st.tuples(st.integers(0, m), st.just(m), st.integers(0, n), st.just(n))
    )
)


@pytest.mark.parametrize(("k", "n", "score", "exact"), SINGLE)
def test_published_limits_of_a_share(k: int, n: int, score: tuple[float, float], exact: tuple[float, float]) -> None:
    for found, expected in ((stats.wilson(k, n), score), (stats.clopper_pearson(k, n), exact)):
        assert (round(found.low, 4), round(found.high, 4)) == expected
        assert found.estimate == k / n
        assert found.n == n


@pytest.mark.parametrize(("table", "hybrid", "score", "_"), PAIRS)
def test_published_limits_of_a_difference(
    table: tuple[int, ...], hybrid: tuple[float, float], score: tuple[float, float], _: object
) -> None:
    for found, expected in ((stats.newcombe(*table), hybrid), (stats.miettinen_nurminen(*table), score)):
        assert (round(found.low, 4), round(found.high, 4)) == expected


@pytest.mark.parametrize(("table", "_", "__", "mee"), PAIRS)
def test_mees_published_limits_are_roots_of_the_uncorrected_statistic(
    table: tuple[int, ...], _: object, __: object, mee: tuple[float, float]
) -> None:
    for limit, sign in zip(mee, (1, -1), strict=True):
        if abs(limit) < 1:
            inner, outer = limit + sign * 1e-4, limit - sign * 1e-4
            assert sign * stats.score_statistic(*table, inner, correction=False) < Z
            assert sign * stats.score_statistic(*table, outer, correction=False) > Z


def test_the_published_non_inferiority_statistic() -> None:
    # Farrington-Manning, 100/150 v 85/130, margin 0.1.
    assert stats.score_statistic(100, 150, 85, 130, -0.1, correction=False) == pytest.approx(2.0042, abs=5e-5)
    factor = np.sqrt(279 / 280)
    assert stats.score_statistic(100, 150, 85, 130, -0.1) == pytest.approx(2.0042 * factor, abs=5e-5)


@pytest.mark.parametrize("table", [(5, 10**6, 3, 9 * 10**5), (50, 10**7, 3, 9000), (0, 10**6, 4, 10**6)])
def test_rare_cases_among_millions_keep_three_digits(table: tuple[int, int, int, int]) -> None:
    """The restricted estimate by bisection of the likelihood's slope, the statistic at the limit from it."""
    a, m, b, n = table
    found = stats.miettinen_nurminen(*table)
    for delta, sign in ((found.low, 1), (found.high, -1)):

        def slope(p: float, delta: float = delta) -> float:
            q = p - delta
            return (a / p if a else 0) - (m - a) / (1 - p) + (b / q if b else 0) - (n - b) / (1 - q)

        low = max(0.0, delta) + 1e-15
        p = optimize.brentq(slope, low, 0.5, xtol=1e-18) if slope(low) > 0 else low
        variance = (p * (1 - p) / m + (p - delta) * (1 - p + delta) / n) * (m + n) / (m + n - 1)
        assert sign * (a / m - b / n - delta) / np.sqrt(variance) == pytest.approx(Z, rel=2e-3)


def test_without_a_difference_the_statistic_is_the_pooled_z() -> None:
    pooled = 104 / 150
    z = (0.8 - 0.6) / np.sqrt(pooled * (1 - pooled) * (1 / 70 + 1 / 80))
    assert stats.score_statistic(56, 70, 48, 80, correction=False) == pytest.approx(z)


@given(tables, st.floats(-0.99, 0.99))
def test_the_restricted_estimates_maximise_the_likelihood(table: tuple[int, int, int, int], delta: float) -> None:
    a, m, b, n = table
    p1, p2 = (float(value) for value in stats.restricted_mle(*table, delta))
    assert p1 - p2 == pytest.approx(delta, abs=1e-9)

    def loss(p: float) -> float:
        with np.errstate(divide="ignore"):
            return -float(binom.logpmf(a, m, np.clip(p, 0, 1)) + binom.logpmf(b, n, np.clip(p - delta, 0, 1)))

    best = optimize.minimize_scalar(loss, bounds=(max(0, delta), min(1, 1 + delta)), options={"xatol": 1e-10})
    assert loss(p1) <= best.fun + 1e-7


@given(tables, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_score_interval_is_the_set_of_differences_not_rejected(
    table: tuple[int, int, int, int], level: float
) -> None:
    found = stats.miettinen_nurminen(*table, level=level)
    grid = np.linspace(-0.9995, 0.9995, 4000)
    z = norm.ppf(0.5 + level / 2)
    accepted = grid[np.abs(stats.score_statistic(*table, grid)) <= z]
    inside = grid[(grid >= found.low) & (grid <= found.high)]
    assert accepted.tolist() == inside.tolist()
    assert -1 <= found.low <= found.estimate <= found.high <= 1


@settings(max_examples=40)
@given(tables)
def test_swapping_the_groups_turns_the_interval_round(table: tuple[int, int, int, int]) -> None:
    a, m, b, n = table
    for method in (stats.newcombe, stats.miettinen_nurminen):
        one, other = method(a, m, b, n), method(b, n, a, m)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@given(tables)
def test_the_complement_of_a_share_has_the_complement_of_its_limits(table: tuple[int, int, int, int]) -> None:
    k, n, _, _ = table
    for method in (stats.wilson, stats.clopper_pearson):
        one, rest = method(k, n), method(n - k, n)
        assert (one.low, one.high) == pytest.approx((1 - rest.high, 1 - rest.low), abs=1e-9)
        assert 0 <= one.low <= one.estimate <= one.high <= 1


def test_exact_coverage_by_enumeration() -> None:
    p = np.linspace(0.02, 0.98, 49)
    chance = binom.pmf(np.arange(31)[:, None], 30, p)

    def coverage(found: stats.Estimate) -> np.ndarray:
        return (chance * ((found.low[:, None] <= p) & (p <= found.high[:, None]))).sum(0)

    assert coverage(stats.clopper_pearson(np.arange(31), 30)).min() >= 0.95
    score = coverage(stats.wilson(np.arange(31), 30))
    assert 0.94 < score.mean() < 0.965
    assert score.min() > 0.9


def test_exact_coverage_of_differences_by_enumeration() -> None:
    m, n = 12, 18
    a, b = (grid.ravel() for grid in np.meshgrid(np.arange(m + 1), np.arange(n + 1)))
    p1, p2 = (grid.ravel() for grid in np.meshgrid(np.linspace(0.05, 0.95, 10), np.linspace(0.05, 0.95, 10)))
    chance = binom.pmf(a[:, None], m, p1) * binom.pmf(b[:, None], n, p2)
    for method in (stats.newcombe, stats.miettinen_nurminen):
        found = method(a, m, b, n)
        inside = (found.low[:, None] <= p1 - p2) & (p1 - p2 <= found.high[:, None])
        coverage = (chance * inside).sum(0)
        assert 0.94 < coverage.mean() < 0.97
        assert coverage.min() > 0.9


def test_a_difference_beyond_one_is_refused() -> None:
    with pytest.raises(ParameterError, match="разность долей"):
        stats.restricted_mle(1, 2, 1, 2, 1.5)
    with pytest.raises(ParameterError, match="разность долей"):
        stats.score_statistic(1, 2, 1, 2, [-1.5, 0])
