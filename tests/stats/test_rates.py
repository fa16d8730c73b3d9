"""Rates, sums of values of events, bursts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError


@pytest.mark.parametrize(
    # Garwood F. (1936); e.g. Ulm K. (1990), Am J Epidemiol 131:373.
    ("k", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.025, 5.572), (10, 4.795, 18.390), (50, 37.111, 65.919)],
)
def test_published_exact_poisson_limits(k: int, low: float, high: float) -> None:
    found = stats.poisson(k)
    assert (round(found.low, 3), round(found.high, 3)) == (low, high)


def test_a_rate_is_divided_by_its_exposure() -> None:
    found = stats.poisson([10, 10, 10], [1, 4, 0])
    assert found.estimate[1] == 2.5
    assert found.low[1] == pytest.approx(found.low[0] / 4)
    assert np.isnan([found.estimate[2], found.low[2], found.high[2]]).all()


def test_the_published_ratio_of_rates() -> None:
    # Breast cancer and fluoroscopy (Boice & Monson 1977; Rothman, Modern Epidemiology); exact limits of Stata's `iri`.
    found = stats.rate_ratio(41, 28010, 15, 19017)
    assert (found.estimate, found.low, found.high) == pytest.approx((1.855759, 1.005684, 3.6093), abs=5e-5)


def test_a_ratio_to_no_events_is_infinite_and_to_nothing_unknown() -> None:
    found = stats.rate_ratio([5, 0, 0, 2], [1, 1, 1, 0], [0, 5, 0, 2], 1)
    assert found.high[0] == np.inf
    assert found.low[0] > 0
    assert (found.estimate[1], found.low[1]) == (0, 0)
    assert np.isnan(found.low[2:]).all()
    assert np.isnan(found.high[2:]).all()


def test_swapping_the_rates_inverts_the_ratio() -> None:
    one, other = stats.rate_ratio(12, 3, 5, 2), stats.rate_ratio(5, 2, 12, 3)
    assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low))


def test_equal_values_give_the_exact_poisson_limits() -> None:
    found, exact = stats.compound_poisson([2.5] * 8), stats.poisson(8)
    assert (found.low, found.high) == pytest.approx((2.5 * exact.low, 2.5 * exact.high))
    assert found.n == 8


def test_gamma_limits_by_the_chi_square_formula() -> None:
    # Fay & Feuer (1997), equations for the lower and the upper limit, written with chi-square quantiles.
    values = np.array([1.0, 2.0, 3.0, 10.0])
    y, v, w = values.sum(), (values**2).sum(), values.max()
    found = stats.compound_poisson(values, level=0.9)
    assert found.estimate == 16
    assert found.se == pytest.approx(np.sqrt(114))
    assert found.low == pytest.approx(v / (2 * y) * chi2.ppf(0.05, 2 * y**2 / v))
    assert found.high == pytest.approx((v + w**2) / (2 * (y + w)) * chi2.ppf(0.95, 2 * (y + w) ** 2 / (v + w**2)))


def test_the_kernel_is_vectorised_scales_and_knows_no_events() -> None:
    found = stats.weighted_poisson([16, 160, 0, 0, np.nan], [114, 11400, 0, 0, 1], [10, 100, 5, 0, 1])
    assert found.high[1] == pytest.approx(10 * found.high[0])
    assert found.low[1] == pytest.approx(10 * found.low[0])
    assert (found.low[2], found.high[2]) == pytest.approx((0, 5 * stats.poisson(0).high))
    assert found.low[3] == 0
    assert np.isnan(found.high[3:]).all()
    assert found.n[:4].tolist() == pytest.approx([256 / 114, 256 / 114, 0, 0])


def test_no_events_tell_nothing_and_missing_values_are_refused() -> None:
    found = stats.compound_poisson([])
    assert np.isnan([found.estimate, found.low, found.high]).all()
    assert found.n == 0
    with pytest.raises(ParameterError, match="пропуск"):
        stats.compound_poisson([1, np.nan])


@pytest.mark.parametrize(("sigma", "expected"), [(0.4, 8), (0.7, 15), (1.0, 40)])
def test_the_expected_sum_is_covered(sigma: float, expected: int) -> None:
    rng = np.random.default_rng(20_251)
    counts = rng.poisson(expected, 6000)
    drawn = np.exp(sigma * rng.standard_normal((counts.size, counts.max())))
    values = np.where(np.arange(counts.max()) < counts[:, None], drawn, 0.0)[counts >= 5]
    found = stats.weighted_poisson(values.sum(1), (values**2).sum(1), values.max(1))
    truth = expected * np.exp(sigma**2 / 2)
    assert 0.93 <= np.mean((found.low <= truth) & (truth <= found.high)) <= 0.985
    assert np.median(found.high - found.low) < 1.25 * np.median(2 * 1.96 * found.se)


def test_dispersion_by_hand_and_against_the_constant_rate() -> None:
    found = stats.dispersion([4, 8, 6, 2])
    assert found.index == pytest.approx((1 + 9 + 1 + 9) / 5 / 3)
    assert found.p == pytest.approx(chi2.sf(4, 3))
    assert found.n == 4
    assert stats.dispersion([2, 4, 6], [1, 2, 3]).index == pytest.approx(0)


def test_dispersion_of_many_rows_and_of_nothing() -> None:
    found = stats.dispersion([[1, 20, 0, 3], [0, 0, 0, 0]])
    assert found.p[0] < 0.001
    assert np.isnan([found.index[1], found.p[1]]).all()
    assert np.isnan(stats.dispersion([7]).p)
    with pytest.raises(ParameterError, match="пропуск"):
        stats.dispersion([1, np.nan])


def test_a_poisson_process_is_seldom_called_bursty_and_bursts_mostly() -> None:
    rng = np.random.default_rng(20_252)
    calm = rng.poisson(3.0, (4000, 12))
    bursts = rng.poisson(3.0 * rng.gamma(1.0, 1.0, (4000, 12)))
    assert 0.035 < np.nanmean(stats.dispersion(calm).p < 0.05) < 0.065
    assert np.nanmean(stats.dispersion(bursts).p < 0.05) > 0.8
