"""Looks in waves: the error is spent as planned, over the assignments that could have happened."""

from __future__ import annotations

import numpy as np
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.boundaries import spending
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.randomisation import difference
from kcrr_analysis.experiments.sequential import _critical, sequential, to_frame

WAVE = np.repeat([1, 2, 3], 8)
CODES = np.tile([0, 1], 12)
POCOCK = spending("pocock", 3, 0.05).tolist()


def looked(y: np.ndarray, spent: list[float] = POCOCK, codes: np.ndarray = CODES, **more: object) -> tuple:
    weight = more.pop("weight", np.ones(y.size))
    return sequential(y, weight, Allowed(codes, WAVE), WAVE.tolist(), spent, **more)  # type: ignore[arg-type]


def test_critical_value_by_hand() -> None:
    """Ten assignments, two may cross; the third and second are equal, so only the largest may."""
    sizes = np.array([1.0, 5, 3, 3, 2, 0, 0, 0, 0, 0])
    none = np.zeros(10, dtype=bool)
    assert (sizes >= _critical(sizes, none, 0.1)).sum() == 1
    assert (sizes >= _critical(sizes, none, 0.2)).sum() == 1
    assert (sizes >= _critical(sizes, none, 0.3)).sum() == 3
    assert (sizes >= _critical(sizes, none, 0.4)).sum() == 4
    assert _critical(sizes, none, 0.09) == np.inf
    assert _critical(sizes, none, 1.0) == 0
    gone = sizes >= 3
    assert _critical(sizes, gone, 0.3) == np.inf
    assert (sizes[~gone] >= _critical(sizes, gone, 0.5)).sum() == 2
    assert _critical(np.full(10, 7.0), none, 0.5) == np.inf


@pytest.mark.parametrize("kind", ["pocock", "lan_demets_obrien_fleming", "power"])
def test_at_most_the_planned_share_of_assignments_crosses(kind: str) -> None:
    spent = spending(kind, 3, 0.05).tolist()
    looks = looked(np.random.default_rng(1).normal(size=24), spent, draws=1_999)
    assert [look.number for look in looks] == [1, 2, 3]
    assert [look.share for look in looks] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [look.spent for look in looks] == pytest.approx(spent)
    assert looks[0].nominal <= spent[0] + 1e-9
    # Each look alone is no stricter than its part of the budget, no laxer than all of it.
    assert all(look.nominal <= look.spent + 1e-9 for look in looks) or kind != "pocock"
    assert list(to_frame(looks)["number"]) == [1, 2, 3]


def test_exact_over_assignments_drawn_as_observed() -> None:
    """Another assignment of the same outcomes in each run: crossing within the budget at each look (four errors)."""
    y, chance = np.random.default_rng(2).standard_t(2, 24), np.random.default_rng(3)
    allowed = Allowed(CODES, WAVE)
    crossed = np.zeros((300, 3), dtype=bool)
    for run in range(300):
        codes = allowed.draw(1, chance)[0]
        crossed[run] = np.logical_or.accumulate([look.crossed for look in looked(y, codes=codes, draws=199, seed=run)])
    for number in range(3):
        bound = POCOCK[number]
        assert crossed[:, number].mean() < bound + 4 * np.sqrt(bound * (1 - bound) / 300)
    assert crossed[:, 2].any()


def test_one_look_is_the_fixed_test() -> None:
    for seed in range(20):
        y = np.random.default_rng(seed).normal(size=24) + 0.9 * CODES
        one = sequential(y, np.ones(24), Allowed(CODES, np.ones(24)), [1] * 24, [0.05], draws=999)[0]
        assert one.crossed == (one.p <= 0.05)
        assert one.p == pytest.approx(difference(y, np.ones(24), Allowed(CODES)).p_value(), abs=0.04)


def test_later_waves_do_not_change_earlier_looks() -> None:
    y = np.random.default_rng(4).normal(size=24) + 0.5 * CODES
    whole = looked(y, draws=499, seed=3)
    for number in (1, 2):
        weight = np.where(number >= WAVE, 1.0, 0.0)
        early = looked(np.where(number >= WAVE, y, np.nan), POCOCK[:number], weight=weight, draws=499, seed=3)
        assert early == whole[:number]
    assert looked(y, draws=499, seed=3) == whole
    assert looked(5 * y - 7, draws=499, seed=3) == whole


def test_a_large_effect_stops_early_but_not_before_it_can() -> None:
    y = np.random.default_rng(5).normal(size=24) + 30 * CODES
    pocock = looked(y)
    # 70 assignments in the first wave, 2 as extreme: 0.029 is more than Pocock's spending of 0.022 by a third.
    assert [look.crossed for look in pocock] == [False, True, False]
    assert pocock[0].nominal == 0
    late = looked(y, spending("lan_demets_obrien_fleming", 3, 0.05).tolist(), draws=999)
    assert not late[0].crossed
    assert late[1].crossed


def test_complete_separation_crosses_only_where_it_may() -> None:
    looks = looked(CODES * 1.0, draws=9_999)
    assert [look.crossed for look in looks] == [False, True, False]
    none = looked(CODES * 1.0, [0.0, 0.0, 0.0], draws=199)
    assert not any(look.crossed for look in none)


def test_units_without_outcome_do_not_count() -> None:
    y = np.random.default_rng(6).normal(size=24)
    weight = np.ones(24)
    weight[[3, 20]] = 0
    missing = np.where(weight > 0, y, np.nan)
    assert looked(y, weight=weight, draws=199) == looked(missing, draws=199)
    use = weight > 0
    alone = sequential(y[use], weight[use], Allowed(CODES[use], WAVE[use]), WAVE[use].tolist(), POCOCK, draws=199)
    assert [look.p for look in looked(missing, draws=199)] == [look.p for look in alone]


@pytest.mark.parametrize("wave", [1, 2, 3])
def test_a_wave_without_an_arm_compares_nothing_by_itself(wave: int) -> None:
    codes = np.where(wave == WAVE, 0, CODES)
    looks = looked(np.random.default_rng(7).normal(size=24) + codes, codes=codes, draws=499)
    assert looks[2].share == 1
    if wave == 1:
        assert (looks[0].p, looks[0].nominal, looks[0].crossed) == (1.0, 0.0, False)
    else:
        assert looks[wave - 1].p == looks[wave - 2].p


def test_what_cannot_be() -> None:
    y = np.arange(24.0)
    with pytest.raises(ParameterError, match="не внутри волн"):
        sequential(y, np.ones(24), Allowed(CODES), WAVE.tolist(), POCOCK)
    with pytest.raises(ParameterError, match="к просмотру 1 нет данных"):
        looked(np.where((WAVE == 1) & (CODES == 1), np.nan, y), POCOCK[:1])
    same = looked(np.ones(24), draws=99)
    assert not any(look.crossed for look in same)
    assert [look.p for look in same] == [1, 1, 1]


def test_a_covariate_that_explains_the_outcome_lets_a_look_stop_and_a_constant_shift_of_it_does_not_matter() -> None:
    chance = np.random.default_rng(8)
    wave = np.repeat([1, 2, 3], 12)
    codes = np.concatenate([chance.permutation([0, 1] * 6) for _ in range(3)])
    before = chance.normal(0, 1, wave.size)
    y = before + 0.4 * codes + chance.normal(0, 0.1, wave.size)
    ones, spent = np.ones(wave.size), [0.01, 0.03, 0.05]
    plain = sequential(y, ones, Allowed(codes, wave), wave, spent, draws=1_999)
    better = sequential(y, ones, Allowed(codes, wave), wave, spent, covariates=before, draws=1_999)
    shifted = sequential(y, ones, Allowed(codes, wave), wave, spent, covariates=before + 50, draws=1_999)
    assert not any(look.crossed for look in plain)
    assert any(look.crossed for look in better)
    assert [look.p for look in better] == [look.p for look in shifted]


def test_an_early_look_with_few_units_is_made_without_the_covariate() -> None:
    wave, codes = np.repeat([1, 2], [4, 12]), np.array([0, 1] * 8)
    y = np.arange(16.0) ** 1.5
    looks = sequential(y, np.ones(16), Allowed(codes, wave), wave, [0.02, 0.05], covariates=y[::-1], draws=499)
    alone = sequential(y, np.ones(16), Allowed(codes, wave), wave, [0.02], draws=499)
    assert looks[0].p == alone[0].p
