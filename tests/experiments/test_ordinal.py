"""Win probability against pairs of persons counted one by one, and published values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.ordinal import win_probability

FOUR = np.tile([0, 1], 4)


def one_hot(values: list[int]) -> np.ndarray:
    return (np.array(values)[:, None] == np.arange(1, max(values) + 1)).astype(float)


def brute(counts: np.ndarray, codes: np.ndarray, per_unit: bool = False) -> tuple[float, float]:
    """Win probability and DeLong's variance by clusters (Obuchowski 1997), pair by pair."""
    treated, control = (np.flatnonzero(codes == arm) for arm in (1, 0))
    levels = range(counts.shape[1])
    size = counts.sum(axis=1)
    weight = counts / (size[:, None] if per_unit else 1)

    def wins(g: int, h: int) -> float:
        return sum(
            weight[g, a] * weight[h, b] * (1.0 if a > b else 0.5 if a == b else 0.0)
            for a, b in itertools.product(levels, levels)
        )

    table = np.array([[wins(g, h) for h in control] for g in treated])
    m, n = weight[treated].sum(), weight[control].sum()
    win = table.sum() / (m * n)
    first = (table.sum(axis=1) / n - weight[treated].sum(axis=1) * win) / m
    second = (table.sum(axis=0) / m - weight[control].sum(axis=1) * win) / n
    parts = [(part**2).sum() * part.size / (part.size - 1) for part in (first, second)]
    return float(win), float(sum(parts))


def test_brunner_and_munzel_s_pain_scores() -> None:
    """Brunner & Munzel (2000), table 1: 25 women, W = 3.1375, win probability 0.789 (example of R's lawstat)."""
    placebo, drug = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]
    found = win_probability(one_hot(placebo + drug), Allowed(np.repeat([0, 1], [14, 11])), draws=999)
    assert found.estimate == pytest.approx(0.788961, abs=5e-7)
    assert found.statistics[0] == pytest.approx(3.1374674823)
    assert found.statistics[0] == pytest.approx(-scipy.stats.brunnermunzel(drug, placebo).statistic)
    # The studentised permutation test of Neubert & Brunner (2007) on these data: 0.008.
    assert found.p_value() == pytest.approx(0.008, abs=0.008)
    low, high = found.interval()
    assert 0.5 < low < 0.65
    assert 0.93 < high <= 1


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=30, deadline=None)
def test_as_pairs_of_persons_say(seed: int, per_unit: bool) -> None:
    chance = np.random.default_rng(seed)
    counts = chance.integers(0, 6, (7, 4)) + np.array([1, 0, 0, 0])
    codes = chance.permutation([0, 0, 0, 1, 1, 1, 1])
    found = win_probability(counts, Allowed(codes), per_unit=per_unit)
    win, variance = brute(counts, codes, per_unit)
    assert (found.estimate, found.se) == pytest.approx((win, np.sqrt(variance)), abs=1e-12)
    every = [np.array(row) for row in set(itertools.permutations(codes.tolist()))]
    assert len(every) == 35 == found.statistics.size
    all_of = [brute(counts, row, per_unit) for row in every]
    size = np.array(
        [abs(w - 0.5) / np.sqrt(v) if v > 1e-20 else (np.inf if abs(w - 0.5) > 1e-12 else 0) for w, v in all_of]
    )
    own = abs(win - 0.5) / np.sqrt(variance) if variance > 1e-20 else (np.inf if abs(win - 0.5) > 1e-12 else 0)
    slack = 1e-9 * (own if np.isfinite(own) else 0)
    assert found.p_value() == pytest.approx((size >= own - slack - 1e-12).mean())


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_order_arms_units(seed: int, stratified: bool) -> None:
    chance = np.random.default_rng(seed)
    counts, codes = chance.integers(1, 9, (8, 5)), chance.permutation(FOUR)
    strata = None
    if stratified:
        strata, codes = np.repeat([0, 1], 4), np.concatenate([chance.permutation([0, 0, 1, 1]) for _ in range(2)])
    base = win_probability(counts, Allowed(codes, strata))
    mirror = win_probability(counts, Allowed(1 - codes, strata))
    assert (mirror.estimate, mirror.se, mirror.p_value()) == pytest.approx((1 - base.estimate, base.se, base.p_value()))
    assert mirror.interval(0.9) == pytest.approx(tuple(1 - end for end in base.interval(0.9)[::-1]))
    back = win_probability(counts[:, ::-1], Allowed(codes, strata))
    assert (back.estimate, back.p_value()) == pytest.approx((1 - base.estimate, base.p_value()))
    order = chance.permutation(8)
    moved = win_probability(counts[order], Allowed(codes[order], None if strata is None else strata[order]))
    assert (moved.estimate, moved.se, moved.p_value()) == pytest.approx((base.estimate, base.se, base.p_value()))
    empty = np.insert(counts, 2, 0, axis=1)
    assert win_probability(empty, Allowed(codes, strata)).p_value() == base.p_value()
    for level in (0.8, 0.9, 0.95):
        low, high = base.interval(level)
        assert (low <= 0.5 <= high) == (base.p_value() > 1 - level + 1e-9)


def test_exact_over_all_assignments_as_the_observed_one() -> None:
    counts = np.random.default_rng(3).integers(0, 30, (8, 5))
    every, _ = Allowed(FOUR).reference()
    p = np.array([win_probability(counts, Allowed(codes)).p_value() for codes in every])
    assert [(p <= k / 70 + 1e-9).mean() for k in range(2, 71, 2)] == pytest.approx([k / 70 for k in range(2, 71, 2)])
    assert (p <= 0.05).mean() == pytest.approx(2 / 70)


def test_pairs_take_the_pair_s_level_out() -> None:
    """Within each pair the treated unit is better, pairs lie far apart: small error, smallest p of 6 pairs 2 / 64."""
    counts = np.zeros((12, 14))
    for pair in range(6):
        counts[2 * pair, [2 * pair, 2 * pair + 1]] = [30, 10 + pair]
        counts[2 * pair + 1, [2 * pair, 2 * pair + 1]] = [10, 30 + pair]
    codes = np.tile([0, 1], 6)
    paired, apart = (
        win_probability(counts, Allowed(codes, np.repeat(range(6), 2))),
        win_probability(counts, Allowed(codes)),
    )
    assert paired.estimate == apart.estimate > 0.5
    assert paired.se < apart.se / 3
    assert paired.p_value() == pytest.approx(2 / 64) == pytest.approx(paired.smallest_p)
    assert apart.p_value() > 0.3


def test_limits() -> None:
    same = win_probability(np.full((8, 3), 9), Allowed(FOUR))
    assert (same.estimate, same.se, same.p_value()) == (0.5, 0.0, 1.0)
    assert np.isnan(same.interval()).all()
    apart = win_probability(np.stack([[9, 0], [0, 7]] * 4), Allowed(FOUR))
    assert (apart.estimate, apart.p_value()) == (1.0, pytest.approx(2 / 70))
    assert np.isnan(apart.interval()).all()
    few = win_probability(np.random.default_rng(0).integers(1, 9, (6, 4)), Allowed(FOUR[:6]))
    assert (few.smallest_p, few.interval()) == (pytest.approx(0.1), (0.0, 1.0))
    counts = np.random.default_rng(1).integers(1, 9, (8, 4))
    gone = np.vstack([counts, np.zeros((1, 4))])
    assert (
        win_probability(gone, Allowed(np.append(FOUR, 1))).p_value() == win_probability(counts, Allowed(FOUR)).p_value()
    )
    huge = win_probability(counts * 1e12, Allowed(FOUR))
    assert huge.estimate == pytest.approx(win_probability(counts, Allowed(FOUR)).estimate)
    sampled = win_probability(np.random.default_rng(1).integers(1, 9, (30, 4)), Allowed(np.tile([0, 1], 15)), draws=99)
    assert (sampled.exact, sampled.smallest_p) == (False, 0.01)
    for wrong in (counts[:, 0], -counts):
        with pytest.raises(ParameterError, match="отрицательных"):
            win_probability(wrong, Allowed(FOUR))
    with pytest.raises(ParameterError, match="нет единиц"):
        win_probability(counts * FOUR[:, None], Allowed(FOUR))


def test_false_positives_with_clusters() -> None:
    """Short form of the bench: 8 centres, 4 v 4; attainable 2.9 %; four standard errors of 500 runs."""
    chance = np.random.default_rng(7)
    size = np.geomspace(40, 200, 8).astype(int)
    refused = 0
    for _ in range(500):
        shares = chance.dirichlet(20 * np.array([0.05, 0.1, 0.2, 0.35, 0.3]), 8)
        counts = np.stack([chance.multinomial(n, share) for n, share in zip(size, shares, strict=True)])
        refused += win_probability(counts, Allowed(chance.permutation(FOUR))).p_value() <= 0.05
    assert abs(refused / 500 - 2 / 70) < 4 * np.sqrt(2 / 70 / 500)
