"""Event study: leads and lags by hand, blocks, the joint test's level, trends that it misses, sensitivity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.not_randomised.did import difference_in_differences
from kcrr_analysis.experiments.not_randomised.event_study import event_study
from tests.bench.not_randomised import made, noise


def test_leads_and_lags_by_hand() -> None:
    values = np.zeros((4, 6))
    values[0] = [1, 2, 4, 7, 11, 16]
    found = event_study(made(values, [0], 3))
    assert found.rows["estimate"].tolist() == pytest.approx([-3, -2, 0, 3, 7, 12])
    assert found.rows["block"].tolist() == [-3, -2, -1, 0, 1, 2]
    assert found.rows["phase"].tolist() == ["before", "before", "base", "after", "after", "after"]
    assert found.effect == pytest.approx((3 + 7 + 12) / 3)
    assert found.largest_step == pytest.approx(2)
    assert found.trend == pytest.approx(1.5)
    # the base is period 2, what follows centres on period 4
    assert found.trend_effect == pytest.approx(1.5 * 2)


def test_blocks_are_counted_from_the_start() -> None:
    values = np.tile(np.arange(11.0), (5, 1))
    values[0] += [0, 0, 0, 0, 0, 0, 0, 6, 6, 6, 3]
    found = event_study(made(values, [0], 7), length=3)
    assert found.rows["first_period"].tolist() == [1, 4, 7, 10]
    assert found.rows["last_period"].tolist() == [3, 6, 9, 10]
    assert found.rows["estimate"].tolist() == pytest.approx([0, 0, 6, 3])


def test_one_block_either_side_is_the_difference_in_differences() -> None:
    values = noise(np.random.default_rng(1), 20, 24, 0.4)
    study = event_study(made(values, [0, 1], 12), length=6)
    did = difference_in_differences(made(values[:, 6:], [0, 1], 6))
    assert study.effect == pytest.approx(did.estimate)


def test_the_joint_test_of_the_past_keeps_its_level() -> None:
    chance = np.random.default_rng(2)
    p = [event_study(made(noise(chance, 20, 20, 0.5), [3, 7], 15), length=3).pretrend_p for _ in range(400)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.08


def test_a_steep_trend_is_found_and_a_slight_one_missed() -> None:
    chance = np.random.default_rng(3)
    found = {0.5: 0, 0.02: 0}
    for slope in found:
        for _ in range(40):
            values = noise(chance, 20, 20, 0.3)
            values[:2] += slope * np.arange(20)
            found[slope] += event_study(made(values, [0, 1], 15)).trend_p <= 0.05
    assert found[0.5] >= 36
    assert found[0.02] <= 12


def test_the_missed_effect_is_missed_at_least_every_second_time() -> None:
    chance = np.random.default_rng(4)
    missed = 0
    worlds = [noise(chance, 20, 24, 0.0) for _ in range(60)]
    named = [event_study(made(values, [0, 1], 18)).missed_effect for values in worlds]
    slope = np.mean(named) / ((24 - 18 + 1) / 2)
    for values in (noise(chance, 20, 24, 0.0) for _ in range(150)):
        values[:2] += slope * np.arange(24)
        missed += event_study(made(values, [0, 1], 18)).trend_p > 0.05
    assert 0.42 <= missed / 150 <= 0.75


def test_sensitivity_widens_by_the_largest_step() -> None:
    values = noise(np.random.default_rng(5), 30, 20, 0.3) * 0.1
    values[:2, 15:] += 5
    found = event_study(made(values, [0, 1], 15), multiples=(0, 1, 2))
    drift = found.largest_step * (1 + 2 + 3 + 4 + 5) / 5
    table = found.sensitivity.set_index("multiple")
    assert (table.loc[0, "low"], table.loc[0, "high"]) == (found.effect_low, found.effect_high)
    assert table.loc[1, "low"] == pytest.approx(found.effect_low - drift)
    assert table.loc[2, "high"] == pytest.approx(found.effect_high + 2 * drift)
    assert found.effect_low - found.breakdown * drift == pytest.approx(0)


def test_an_interval_with_zero_breaks_down_at_once_and_a_steady_past_never() -> None:
    values = noise(np.random.default_rng(6), 30, 20, 0.3)
    assert event_study(made(values, [0, 1], 15)).breakdown == 0
    still = np.zeros((30, 8))
    still[:2, 4:] = 3
    assert event_study(made(still, [0, 1], 4)).breakdown == math.inf


def test_where_nothing_can_be_told_that_is_said() -> None:
    values = noise(np.random.default_rng(7), 12, 20, 0.3)
    found = event_study(made(values, [0], 15))
    assert found.missed_effect == math.inf
    assert (found.effect_low, found.effect_high) == (-math.inf, math.inf)
    assert found.to_frame()["control_units"].unique().tolist() == [11]


def test_faults() -> None:
    values = noise(np.random.default_rng(8), 12, 20, 0.3)
    with pytest.raises(NotComputableError, match="не составить двух блоков"):
        event_study(made(values, [0], 5), length=3)
    with pytest.raises(ParameterError, match="Длина блока"):
        event_study(made(values, [0], 15), length=0)
    with pytest.raises(ParameterError, match="Кратности"):
        event_study(made(values, [0], 15), multiples=(-1,))
