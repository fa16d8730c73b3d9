"""Several formats against one control: the closed test against plain enumeration, and its family-wise error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kcrr_analysis import stats
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.randomisation import difference
from kcrr_analysis.experiments.several import MOST, holm, several

NINE = np.repeat([0, 1, 2], 3)


def t_size(y: np.ndarray, codes: np.ndarray, arm: int, control: int = 0) -> float:
    first, second = y[codes == arm], y[codes == control]
    squares = sum(((part - part.mean()) ** 2).sum() / part.size**2 for part in (first, second))
    units = first.size + second.size
    return abs(first.mean() - second.mean()) / np.sqrt(squares * units / (units - 2))


def brute(y: np.ndarray, codes: np.ndarray, arms: list[int]) -> list[float]:
    """Closed test of the largest statistic over all permutations of each set with the control."""
    adjusted = dict.fromkeys(arms, 0.0)
    for count in range(1, len(arms) + 1):
        for chosen in itertools.combinations(arms, count):
            use = np.isin(codes, [0, *chosen])
            own, start = y[use], codes[use]
            rows = [np.array(row) for row in set(itertools.permutations(start.tolist()))]
            largest = np.array([max(t_size(own, row, arm) for arm in chosen) for row in rows])
            observed = max(t_size(own, start, arm) for arm in chosen)
            p = float((largest >= observed * (1 - 1e-9)).mean())
            for arm in chosen:
                adjusted[arm] = max(adjusted[arm], p)
    return [adjusted[arm] for arm in arms]


@pytest.mark.parametrize("seed", range(4))
def test_closed_test_as_plain_python_does_it(seed: int) -> None:
    chance = np.random.default_rng(seed)
    codes = chance.permutation(np.repeat([0, 1, 2], [3, 2, 2]))
    y = chance.normal(size=7) + codes
    found = several(y, np.ones(7), Allowed(codes), [1, 2])
    assert found.p == pytest.approx(brute(y, codes, [1, 2]))
    assert found.method == "dunnett"


@pytest.mark.parametrize("strata", [None, np.tile([0, 1, 2], 8)])
def test_adjusted_is_no_smaller_than_alone_and_intervals_lie_between(strata: np.ndarray | None) -> None:
    chance = np.random.default_rng(5)
    codes = np.empty(24, dtype=int)
    for own in [slice(None)] if strata is None else [strata == label for label in range(3)]:
        codes[own] = chance.permutation(np.resize([0, 1, 2, 3], codes[own].size))
    y = chance.normal(size=24) + (codes == 2)
    allowed = Allowed(codes, strata)
    found = several(y, np.ones(24), allowed, [1, 2, 3], draws=1_999)
    alone = [difference(y, np.ones(24), allowed, treated=arm).p_value() for arm in (1, 2, 3)]
    assert (found.p >= np.array(alone) - 0.01).all()
    assert (found.alpha >= 0.05 / 3 - 1e-12).all()
    assert (found.alpha <= 0.05).all()
    other = several(y, np.ones(24), allowed, [1, 2, 3], method="holm", draws=1_999)
    assert other.p == pytest.approx(stats.holm(alone))
    assert other.alpha == pytest.approx(np.full(3, 0.05 / 3))
    one = several(y, np.ones(24), allowed, [2], draws=1_999)
    assert one.p[0] == pytest.approx(alone[1], abs=0.02)


def test_covariates_and_order_of_formats() -> None:
    chance = np.random.default_rng(6)
    codes, x = chance.permutation(np.repeat([0, 1, 2], 4)), chance.normal(size=12)
    y = 3 * x + chance.normal(size=12) * 0.3 + (codes == 2)
    found = several(y, np.ones(12), Allowed(codes), [1, 2], covariates=x, draws=999)
    back = several(y, np.ones(12), Allowed(codes), [2, 1], covariates=x, draws=999)
    assert found.p == pytest.approx(back.p[::-1])
    assert found.p[1] < several(y, np.ones(12), Allowed(codes), [1, 2], draws=999).p[1]
    assert several(y * 1e6 + 5, np.ones(12), Allowed(codes), [1, 2], covariates=x, draws=999).p == pytest.approx(
        found.p
    )


def test_units_without_outcome_and_strata_without_an_arm_are_left_out() -> None:
    chance = np.random.default_rng(7)
    codes, strata = np.tile([0, 1, 2], 5), np.repeat(range(5), 3)
    y, weight = chance.normal(size=15), chance.integers(5, 50, 15).astype(float)
    base = several(y[3:] * weight[3:], weight[3:], Allowed(codes[3:], strata[3:]), [1, 2], draws=300)
    gone = y * weight
    gone[1] = np.nan
    empty = np.where(np.arange(15) == 1, 0, weight)
    found = several(gone, weight, Allowed(codes, strata), [1, 2], draws=300)
    assert found.p == pytest.approx(several(y * weight, empty, Allowed(codes, strata), [1, 2], draws=300).p)
    # Format 2 can still be compared with the control in the first stratum, where format 1 has nobody.
    assert base.p[0] == pytest.approx(found.p[0], abs=0.1)


def test_many_formats_and_equal_outcomes() -> None:
    codes = np.repeat(np.arange(MOST + 2), 3)
    y = np.random.default_rng(8).normal(size=codes.size)
    found = several(y, np.ones(codes.size), Allowed(codes), list(range(1, MOST + 2)), draws=99)
    assert found.method == "holm"
    assert holm([0.01, 0.5], 0.05).p == pytest.approx([0.02, 0.5])
    same = several(np.ones(9), np.ones(9), Allowed(NINE), [1, 2])
    assert same.p == pytest.approx([1, 1])


def test_joint_intervals_refuse_together_at_most_alpha() -> None:
    """Over all 1,680 assignments as the observed one: the share in which any format's own p is within its level."""
    y = np.random.default_rng(9).standard_t(2, 9)
    every, _ = Allowed(NINE).reference()
    chosen = every[np.random.default_rng(1).choice(len(every), 150, replace=False)]
    refused = 0
    for codes in chosen:
        found = several(y, np.ones(9), Allowed(codes), [1, 2], alpha=0.2)
        own = [difference(y, np.ones(9), Allowed(codes), treated=arm).p_value() for arm in (1, 2)]
        refused += any(p <= level + 1e-9 for p, level in zip(own, found.alpha, strict=True))
    assert refused / 150 < 0.2 + 3 * np.sqrt(0.16 / 150)


@pytest.mark.parametrize("effect", [0.0, 4.0])
def test_family_wise_error(effect: float) -> None:
    """Short form of the bench: 24 centres; with one format that works, the others are declared no more often."""
    chance = np.random.default_rng(10)
    wrong = 0
    for _ in range(150):
        codes = chance.permutation(np.repeat(range(4), 6))
        y = chance.normal(size=24) + effect * (codes == 1)
        p = several(y, np.ones(24), Allowed(codes), [1, 2, 3], draws=199).p
        wrong += (p[1:] <= 0.05).any() or (effect == 0 and p[0] <= 0.05)
        assert effect == 0 or p[0] <= 0.05
    assert wrong / 150 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 150)
