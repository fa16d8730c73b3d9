"""Keep-or-grow: the noise of a series, the band that it gives, and how often a series at rest is called kept."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.indicators.noise import LAGS, MIN_CHANGES, Noise, judge, multiplier, noise
from kcrr_analysis.methodology.dictionaries import KeepOrGrow

AT = pd.Period("2025-10", freq="M")
RULE = KeepOrGrow(compare="year_on_year", kept_within_percent=2, min_history_months=24)
SEASON = np.log([0.8, 0.9, 1.1, 1.3, 1.4, 1.2, 1.0, 0.9, 1.0, 1.1, 0.9, 0.7])


def series(values: object) -> pd.Series:
    known = np.asarray(values, dtype=float)
    return pd.Series(known, index=pd.period_range(end=AT, periods=len(known), freq="M"))


def by_hand(values: pd.Series, before: pd.Period) -> float:
    """The noise as its definition reads, by loops over months."""
    level = {month: math.log(value) for month, value in values.items() if month < before}
    change = {month: level[month] - level[month - 12] for month in level if month - 12 in level}
    pairs = [abs(change[month] - change[month - lag]) for month in change for lag in LAGS if month - lag in change]
    return 1.4826 * median(pairs) / 2


@given(st.lists(st.floats(50, 500), min_size=36, max_size=60))
@settings(max_examples=40, deadline=None)
def test_the_noise_is_the_median_difference_of_near_changes(values: list[float]) -> None:
    known = series(values)
    found = noise(known, AT)
    expected = by_hand(known, AT)
    assert found.changes == len(values) - 13
    assert found.sd == pytest.approx(expected) if expected > 1e-9 else not found.known


@given(st.lists(st.floats(50, 500), min_size=36, max_size=36), st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_the_unit_does_not_matter(values: list[float], factor: float) -> None:
    first, second = noise(series(values), AT), noise(factor * series(values), AT)
    assert first.sd == pytest.approx(second.sd, abs=1e-9, nan_ok=True)


def stationary(chance: np.random.Generator, runs: int, length: int, sd: float, correlation: float = 0.0) -> np.ndarray:
    shocks = chance.normal(0, 1, (runs, length))
    noisy = np.empty_like(shocks)
    noisy[:, 0] = shocks[:, 0]
    for place in range(1, length):
        noisy[:, place] = correlation * noisy[:, place - 1] + math.sqrt(1 - correlation**2) * shocks[:, place]
    return np.exp(5 + np.resize(SEASON, length) + sd * noisy)


def kept(chance: np.random.Generator, length: int, correlation: float = 0.0, runs: int = 1500) -> float:
    """Percent of series at rest that are called kept."""
    said = [
        judge(line[-1], line[-13], series(line), AT, RULE).status
        for line in stationary(chance, runs, length, 0.08, correlation)
    ]
    assert set(said) <= {"kept", "grown", "fallen"}
    return 100 * said.count("kept") / runs


@pytest.mark.parametrize("length", [24, 36, 60])
def test_a_seasonal_series_at_rest_is_kept_in_95_months_of_100(length: int) -> None:
    # 1,500 series: three and a half standard errors are 2 points.
    assert kept(np.random.default_rng(2025), length) == pytest.approx(95, abs=2)


@pytest.mark.parametrize(("correlation", "share"), [(0.3, 93.4), (0.67, 86.8)])
def test_correlated_noise_holds_less_as_the_module_says(correlation: float, share: float) -> None:
    assert kept(np.random.default_rng(7), 36, correlation) == pytest.approx(share, abs=3)


def test_growth_that_is_steady_is_no_noise() -> None:
    # 1 % a month: every change over a year is the same, so the noise is not known and the fixed band holds.
    verdict = judge(1.01**35, 1.01**23, series(1.01 ** np.arange(36)), AT, RULE)
    assert (verdict.status, verdict.band) == ("grown", "fixed")
    assert (verdict.low, verdict.high) == (-2, 2)


def test_one_lasting_shift_hardly_widens_the_band() -> None:
    lines = stationary(np.random.default_rng(3), 300, 36, 0.05)
    shifted = lines * np.where(np.arange(36) >= 27, 1.25, 1.0)
    before = np.mean([noise(series(line), AT).sd for line in lines])
    after = np.mean([noise(series(line), AT).sd for line in shifted])
    assert after < 1.35 * before
    grown = [judge(line[-1], line[-13], series(line), AT, RULE).status == "grown" for line in shifted]
    assert np.mean(grown) > 0.6


def test_the_month_itself_and_later_ones_play_no_part() -> None:
    line = series(stationary(np.random.default_rng(1), 1, 40, 0.1)[0])
    changed = line.copy()
    changed.iloc[-3:] *= 100
    assert noise(line, AT - 2) == noise(changed, AT - 2)


def test_gaps_and_zeros_are_left_out() -> None:
    line = series(stationary(np.random.default_rng(1), 1, 48, 0.1)[0])
    holed = line.copy()
    holed.iloc[30] = 0
    holed.iloc[31] = np.nan
    assert noise(holed, AT) == noise(line.drop(line.index[[30, 31]]), AT)
    assert noise(holed, AT).changes == 35 - 4


def test_too_few_changes_give_no_noise() -> None:
    line = series(stationary(np.random.default_rng(1), 1, 22 + 1, 0.1)[0])
    assert noise(line, AT).changes == MIN_CHANGES
    assert noise(line, AT).known
    assert not noise(line.iloc[1:], AT).known
    assert noise(line.iloc[:0], AT) == noise(line.iloc[-1:], AT)


def test_multipliers_fall_to_the_normal_quantile() -> None:
    values = [multiplier(changes) for changes in (1, 10, 11, 20, 23, 50, 107, 10_000)]
    assert all(first >= second for first, second in pairwise(values))
    assert multiplier(23) == 2.04
    assert 1.96 < multiplier(10_000) < 1.98


def test_a_sum_of_months_has_a_narrower_band() -> None:
    # Ten equal months of two years: the noise of a sum is that of a month over the root of ten.
    assert Noise(0.1, 23).band(0.1, 0.1) == pytest.approx(Noise(0.1, 23).band() / math.sqrt(10))


def test_the_band_is_as_wide_on_the_logarithmic_scale_both_ways() -> None:
    line = stationary(np.random.default_rng(5), 1, 36, 0.1)[0]
    verdict = judge(line[-1], line[-13], series(line), AT, RULE)
    assert verdict.band == "own_noise"
    assert (1 + verdict.low / 100) * (1 + verdict.high / 100) == pytest.approx(1)
    half = multiplier(23) * noise(series(line), AT).sd * math.sqrt(2)
    assert verdict.high == pytest.approx(100 * (math.exp(half) - 1))


@pytest.mark.parametrize(
    ("now", "status"), [(102, "kept"), (102.1, "grown"), (98, "kept"), (97.9, "fallen"), (100, "kept")]
)
def test_the_fixed_band_counts_its_ends_in(now: float, status: str) -> None:
    assert judge(now, 100, series([100.0] * 36), AT, RULE).status == status


@pytest.mark.parametrize(
    ("now", "before", "length", "reason"),
    [
        (100, 100, 23, "история 23 мес., нужно не меньше 24 мес."),
        (100, math.nan, 36, "нет значения за тот же месяц прошлого года"),
        (0, 100, 36, "значение или его прошлогодняя база — ноль"),
        (100, 0, 36, "значение или его прошлогодняя база — ноль"),
    ],
)
def test_no_verdict_has_its_reason(now: float, before: float, length: int, reason: str) -> None:
    verdict = judge(now, before, series([100.0] * length), AT, RULE)
    assert (verdict.status, verdict.reason, verdict.band) == ("not_enough_data", reason, "")
    assert math.isnan(verdict.low)
