"""Placebo inference: p-values by hand, closed-form intervals against a search, the smallest p-value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kcrr_analysis.experiments.not_randomised.placebo import Placebo, choices, largest_p, unit_noise
from tests.bench.not_randomised import noise


def test_one_of_four_by_hand() -> None:
    treated = np.array([False, True, False, False])
    change = np.array([1.0, 9.0, 2.0, 3.0])
    found = choices(treated, np.zeros((4, 2)) + np.arange(2)).placebo(change)
    assert found.estimate == pytest.approx(9 - 2)
    assert sorted(found.a) == pytest.approx(sorted([1 - 14 / 3, 7, 2 - 13 / 3, 3 - 4]))
    assert (found.exact, found.count, found.draws) == (True, 4, 4)
    assert found.p_value() == found.smallest_p == 1 / 4
    assert found.interval(0.95) == (-math.inf, math.inf)


def test_the_interval_is_exact_where_its_level_can_be_attained() -> None:
    # one of four at 70 %: an effect is refused when no other unit is as extreme
    treated = np.array([True, False, False, False])
    found = choices(treated, np.ones((4, 2))).placebo(np.array([9.0, 1.0, 2.0, 3.0]))
    low, high = found.interval(0.7)
    for effect, refused in ((low - 1e-6, True), (low + 1e-6, False), (high - 1e-6, False), (high + 1e-6, True)):
        assert (found.p_value(effect) <= 0.3) is refused


@pytest.mark.parametrize("seed", range(40))
def test_closed_form_limits_agree_with_a_search(seed: int) -> None:
    chance = np.random.default_rng(seed)
    size = int(chance.integers(21, 60))
    a, b, se = chance.normal(size=size), chance.uniform(-1, 1, size), chance.uniform(0.5, 2, size)
    b[0] = 1.0
    if seed % 3 == 0:
        b[1], se[1] = -1.0, se[0]  # the mirrored choice is always as extreme
    found = Placebo(a, b, se, True, size)
    low, high = found.interval(0.9)
    grid = np.linspace(-500, 500, 40_001)
    size_at = np.abs(a - grid[:, None] * b) / se
    accepted = grid[(size_at >= size_at[:, :1] * (1 - 1e-9) - 1e-12).mean(axis=1) > 0.1 + 1e-9]
    for limit, found_there, edge in ((low, accepted.min(), -500), (high, accepted.max(), 500)):
        assert limit == pytest.approx(found_there, abs=0.03) if abs(found_there) < 499 else abs(limit) >= 499, edge


def test_mirrored_choices_bound_the_p_value_from_below() -> None:
    treated = np.array([True, True, True, False, False, False])
    found = choices(treated, np.ones((6, 1))).placebo(np.array([100.0, 101, 102, 0, 1, 2]))
    assert found.count == 20
    assert found.p_value() == found.smallest_p == pytest.approx(2 / 20)


def test_noise_is_each_units_own() -> None:
    chance = np.random.default_rng(3)
    scale = np.repeat([1.0, 4.0], 20)
    before = chance.normal(size=(40, 200)) * scale[:, None] + 50 + np.arange(200)
    # means of four independent periods have half the standard deviation
    assert unit_noise(before) / scale == pytest.approx(0.5, abs=0.17)


def test_lasting_noise_counts_more_than_passing_noise() -> None:
    """Equal standard deviations by month, but half of the units wander: their contrasts vary more."""
    chance = np.random.default_rng(4)
    passing, lasting = noise(chance, 20, 240, 0.0), noise(chance, 20, 240, 0.7)
    found = unit_noise(np.concatenate([passing, lasting]))
    assert found[20:].mean() > 1.4 * found[:20].mean()


def test_few_periods_are_taken_one_by_one() -> None:
    before = np.random.default_rng(5).normal(size=(30, 5))
    rest = before - before.mean(axis=1, keepdims=True)
    rest -= rest.mean(axis=0)
    assert unit_noise(before) == pytest.approx(rest.std(axis=1, ddof=1))


def test_noise_of_constant_series_is_harmless() -> None:
    assert unit_noise(np.ones((5, 4))).tolist() == [1] * 5
    before = np.ones((5, 4))
    before[:3, 1] += [1.0, 2.0, 3.0]
    assert unit_noise(before).min() > 0


def test_many_choices_are_sampled_with_the_real_one_first() -> None:
    treated = np.arange(40) < 6
    found = choices(treated, np.ones((40, 1)), draws=500)
    assert not found.exact
    assert found.count == math.comb(40, 6)
    assert found.contrasts.shape == (501, 40)
    assert found.contrasts[0] == pytest.approx(np.where(treated, 1 / 6, -1 / 34))


def test_joint_p_of_nothing_moving_is_one() -> None:
    assert largest_p(np.zeros((10, 3))) == 1.0


def test_joint_p_takes_each_contrast_on_its_own_scale() -> None:
    statistics = np.ones((20, 2)) * [1.0, 100.0]
    statistics[0] = [30.0, 100.0]
    assert largest_p(statistics) == 1 / 20
