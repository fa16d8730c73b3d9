"""Randomisation inference by hand, against a second implementation in plain Python, and by simulation."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed, Criterion, imbalance
from kcrr_analysis.experiments.randomisation import Reference, comparison, difference, extremes

ONES = np.ones
TWELVE = np.tile([0, 1], 6)
SIZES = np.round(np.geomspace(60, 600, 12))
values = st.integers(-20, 20)


def orders(codes: list[int], strata: list[int]) -> list[list[int]]:
    """Every allowed assignment, in plain Python."""
    rows: list[dict[int, int]] = [{}]
    for label in sorted(set(strata)):
        own = [place for place, one in enumerate(strata) if one == label]
        ways = set(itertools.permutations([codes[place] for place in own]))
        rows = [row | dict(zip(own, way, strict=True)) for row in rows for way in ways]
    return [[row[place] for place in range(len(codes))] for row in rows]


def statistic(total: list[float], weight: list[float], codes: list[int], strata: list[int]) -> float:
    """Difference of weighted means over its standard error, term by term, in exact fractions up to the root."""
    share = {}
    for label in set(strata):
        own = [code for code, one in zip(codes, strata, strict=True) if one == label]
        share[label] = Fraction(sum(own), len(own))
    units = range(len(codes))
    own_weight = [
        Fraction(weight[g]) / (share[strata[g]] if codes[g] else 1 - share[strata[g]]) for g in units
    ]  # fmt: skip
    mean = [Fraction(total[g]) / Fraction(weight[g]) for g in units]
    whole = [sum(own_weight[g] for g in units if codes[g] == arm) for arm in (0, 1)]
    centre = [sum(own_weight[g] * mean[g] for g in units if codes[g] == arm) / whole[arm] for arm in (0, 1)]
    residual = [own_weight[g] / whole[codes[g]] * (mean[g] - centre[codes[g]]) for g in units]
    variance = Fraction(0)
    if len(set(strata)) == 1:
        variance = sum((part**2 for part in residual), Fraction(0)) * Fraction(len(codes), max(len(codes) - 2, 1))
    else:
        for label in set(strata):
            own = [residual[g] for g in units if strata[g] == label]
            middle = sum(own) / len(own)
            variance += sum((part - middle) ** 2 for part in own) * Fraction(len(own), max(len(own) - 1, 1))
        left = len(codes) - len(set(strata))
        variance *= Fraction(left, max(left - 1, 1))
    gap = centre[1] - centre[0]
    if variance == 0:
        return 0.0 if gap == 0 else math.copysign(math.inf, gap)
    return float(gap) / math.sqrt(float(variance))


def brute_p(total: list[float], weight: list[float], codes: list[int], strata: list[int]) -> float:
    sizes = [abs(statistic(total, weight, row, strata)) for row in orders(codes, strata)]
    observed = abs(statistic(total, weight, codes, strata))
    slack = 0 if math.isinf(observed) else observed * 1e-9 + 1e-12
    return sum(size >= observed - slack for size in sizes) / len(sizes)


def of(y: object, codes: object = TWELVE, weight: object = None, strata: object = None, **more: object) -> Reference:
    """A reference of unit means `y`."""
    y, codes = np.asarray(y, dtype=float), np.asarray(codes)
    size = ONES(y.size) if weight is None else np.asarray(weight, dtype=float)
    allowed = Allowed(codes, None if strata is None else np.asarray(strata))
    return difference(y * size, size, allowed, **more)  # type: ignore[arg-type]


# by hand ----------------------------------------------------------------------------------------------------------


def test_two_against_two_by_hand() -> None:
    """Means 1.5 and 5.5; squared errors (0.5 + 4.5) / 4 x 4 / 2; of 6 assignments this and its mirror are farthest."""
    found = of([1, 2, 4, 7], [0, 0, 1, 1])
    assert found.estimate == pytest.approx(4)
    assert found.se == pytest.approx(np.sqrt(2.5))
    assert found.p_value() == pytest.approx(2 / 6)
    assert found.p_value(alternative="greater") == pytest.approx(1 / 6)
    assert found.p_value(alternative="less") == pytest.approx(1)
    assert found.smallest_p == pytest.approx(1 / 3)
    assert (found.draws, found.exact, found.units, found.count) == (6, True, 4, 6)
    assert found.interval() == (-np.inf, np.inf)


def test_the_lady_tasting_tea() -> None:
    """Fisher (1935), The Design of Experiments, chapter II: 8 cups, all right 1/70, at most one pair wrong 17/70."""
    milk_first = np.repeat([1, 0], 4)
    assert of(milk_first, milk_first).p_value(alternative="greater") == pytest.approx(1 / 70)
    said = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    assert of(said, milk_first).p_value(alternative="greater") == pytest.approx(17 / 70)
    assert of(said, milk_first).p_value() == pytest.approx(34 / 70)


def test_darwin_s_maize() -> None:
    """Fisher (1935), section 21: 15 pairs, differences in eighths of an inch; 863 of 32,768 sums as large."""
    gap = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])
    heights = np.column_stack([np.zeros(15), gap]).ravel()
    allowed = Allowed(np.tile([0, 1], 15), np.repeat(range(15), 2))
    codes, exact = allowed.reference(limit=40_000)
    compared = comparison(heights, ONES(30), allowed)
    assert exact
    assert extremes(compared.sizes(codes)[None])[0] == pytest.approx(1726 / 32768)
    # Both tails; the paired t of the same data is 2.148 (ibid., section 17).
    assert compared.sizes(codes[:1])[0] == pytest.approx(2.148, abs=5e-4)


def test_persons_and_centres_are_averaged_differently() -> None:
    total, weight = np.array([10.0, 90, 2, 30]), np.array([20.0, 100, 10, 50])
    allowed = Allowed(np.array([0, 0, 1, 1]))
    assert difference(total, weight, allowed).estimate == pytest.approx(32 / 60 - 100 / 120)
    assert difference(total / weight, ONES(4), allowed).estimate == pytest.approx((0.2 + 0.6) / 2 - (0.5 + 0.9) / 2)


def test_unequal_shares_by_stratum_do_not_bias() -> None:
    """Stratum levels 0 and 10, no effect; a quarter treated in one, three quarters in the other."""
    y, strata = np.repeat([0.0, 10.0], 4), np.repeat([0, 1], 4)
    assert of(y, [1, 0, 0, 0, 1, 1, 1, 0], strata=strata).estimate == pytest.approx(0)


# second implementation --------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_as_plain_python_does_it(data: st.DataObject) -> None:
    units = data.draw(st.integers(4, 7))
    y = data.draw(st.lists(values, min_size=units, max_size=units))
    weight = data.draw(st.lists(st.integers(1, 9), min_size=units, max_size=units))
    two = data.draw(st.booleans())
    strata = [0] * 3 + [1] * (units - 3) if two and units >= 6 else [0] * units
    codes = data.draw(st.permutations([0, 1] * (units // 2) + [0] * (units % 2)))
    assume(all({0, 1} <= {c for c, s in zip(codes, strata, strict=True) if s == label} for label in set(strata)))
    found = difference(np.array(y, float), np.array(weight, float), Allowed(np.array(codes), np.array(strata)))
    expected = statistic(y, weight, codes, strata)
    assert found.statistic()[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.p_value() == pytest.approx(brute_p(y, weight, codes, strata))
    shifted = [total - 3 * size * code for total, size, code in zip(y, weight, codes, strict=True)]
    assert found.p_value(3.0) == pytest.approx(brute_p(shifted, weight, codes, strata))


@pytest.mark.parametrize("case", range(30))
def test_the_interval_is_the_hull_of_what_the_test_accepts(case: int) -> None:
    """By a fine grid of hypotheses; heavy tails, unequal sizes, strata and covariates make gaps in the accepted set."""
    chance = np.random.default_rng([2, case])
    units = int(chance.integers(8, 12))
    codes = chance.permutation(np.arange(units) % (2 + case % 2) == 0).astype(int)
    y = chance.standard_t(1.5 if case % 3 else 30, units) + 2 * codes
    found = of(
        y, codes, np.round(np.exp(chance.normal(5, 1, units))), None if case % 5 else np.arange(units) >= units // 2,
        covariates=y + chance.normal(size=units) if case % 4 == 0 else None,
    )  # fmt: skip
    low, high = found.interval(0.9)
    grid = found.estimate + found.se * np.concatenate(
        [-np.geomspace(3e4, 8, 90), np.linspace(-8, 8, 1601), np.geomspace(8, 3e4, 90)]
    )
    accepted = grid[np.array([found.p_value(effect) for effect in grid]) > 0.1 + 1e-9]
    assert low <= accepted.min() + 1e-6 * found.se
    assert accepted.max() - 1e-6 * found.se <= high
    for end, way in ((low, -1), (high, 1)):
        if np.isfinite(end):
            assert found.p_value(end - way * 1e-4 * found.se) > 0.1
            assert found.p_value(end + way * 1e-4 * found.se) <= 0.1 + 1e-9
        else:
            assert found.p_value(way * 1e9 * found.se) > 0.1


def test_an_interval_with_a_gap_reaches_over_it() -> None:
    """Found by search: effects beyond four standard errors below are refused, those farther are accepted again."""
    chance = np.random.default_rng([5, 265])
    y = chance.standard_t(1.2, 8)
    x = y + chance.normal(size=8)
    found = of(y, np.tile([0, 1], 4), np.exp(chance.normal(5, 1, 8)), covariates=x)
    low, high = found.interval(0.8)
    assert found.p_value(found.estimate - 4 * found.se) <= 0.2
    assert low < found.estimate - 7 * found.se
    assert found.p_value(low + 1e-4 * found.se) > 0.2
    assert found.p_value(low - 1e-4 * found.se) <= 0.2
    assert all(found.p_value(low - far * found.se) <= 0.2 for far in np.geomspace(0.01, 1e5, 200))
    assert high > found.estimate


def test_the_adjusted_estimate_is_the_regression_s() -> None:
    chance = np.random.default_rng(3)
    x, y = chance.normal(size=(12, 2)), chance.normal(size=12)
    frame = np.column_stack([ONES(12), TWELVE, x])
    expected = np.linalg.lstsq(frame, y, rcond=None)[0][1]
    found = of(y, covariates=x)
    assert found.estimate == pytest.approx(expected)
    root = np.sqrt(SIZES)
    weighted = np.linalg.lstsq(frame * root[:, None], y * root, rcond=None)[0][1]
    assert of(y, weight=SIZES, covariates=x).estimate == pytest.approx(weighted)
    assert of(y + 3 * x[:, 0] - 7, covariates=x).p_value() == pytest.approx(found.p_value())
    assert of(5 * x[:, 1] + 0.01 * y + TWELVE, covariates=x).p_value() <= 2 / 924 + 1e-9


# properties -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.01, 100), st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_units_levels_scales_arms(seed: int, shift: float, scale: float, stratified: bool, adjusted: bool) -> None:
    chance = np.random.default_rng(seed)
    y, size, x = chance.normal(size=8), chance.integers(5, 50, 8).astype(float), chance.normal(size=8)
    codes, strata = np.array([0, 1, 0, 1, 1, 0, 0, 1]), np.repeat([0, 1], 4) if stratified else None
    given_x = x if adjusted else None
    base = of(y, codes, size, strata, covariates=given_x)
    interval = np.array(base.interval(0.9))
    order = chance.permutation(8)
    moved = of(y[order], codes[order], size[order], None if strata is None else strata[order],
               covariates=None if given_x is None else x[order])  # fmt: skip
    assert (moved.estimate, moved.se, moved.p_value()) == pytest.approx((base.estimate, base.se, base.p_value()))
    other = of(y * scale + shift, codes, size * 3, strata, covariates=None if given_x is None else 2 - 5 * x)
    assert (other.estimate, other.se) == pytest.approx((base.estimate * scale, base.se * scale), rel=1e-6)
    assert other.p_value() == pytest.approx(base.p_value())
    assert other.interval(0.9) == pytest.approx(interval * scale, rel=1e-4, abs=1e-4 * scale)
    mirror = of(y, 1 - codes, size, strata, covariates=given_x)
    assert (mirror.estimate, mirror.p_value()) == pytest.approx((-base.estimate, base.p_value()))
    assert mirror.interval(0.9) == pytest.approx(-interval[::-1], rel=1e-4, abs=1e-4)
    assert mirror.p_value(alternative="less") == pytest.approx(base.p_value(alternative="greater"))
    added = of(y + 2.5 * codes, codes, size, strata, covariates=given_x)
    assert added.p_value(2.5) == pytest.approx(base.p_value())
    assert added.estimate == pytest.approx(base.estimate + 2.5)
    assert base.p_value(base.estimate) == pytest.approx(1)


@pytest.mark.parametrize("effect", [0.0, 1.3])
@pytest.mark.parametrize("way", ["plain", "weighted", "strata", "covariate", "criterion"])
def test_exact_whatever_the_outcomes(way: str, effect: float) -> None:
    """Each allowed assignment in turn is the observed one: p is at most alpha in at most a share alpha of them, and in
    just alpha at each attainable one (no ties)."""
    chance = np.random.default_rng(6)
    y, size = chance.standard_t(2, 8), ONES(8) if way != "weighted" else np.exp(chance.normal(3, 1, 8))
    strata = np.repeat([0, 1], 4) if way == "strata" else None
    start, x = np.array([0, 1, 0, 1, 1, 0, 0, 1]), chance.normal(size=(8, 1))
    every, _ = Allowed(start, strata).reference()
    criterion = None
    if way == "criterion":
        criterion = Criterion(x, float(np.quantile(imbalance(every, x), 0.5)))
        every = every[criterion.accepts(every)]
    p = np.array([
        difference(
            (y + effect * codes) * size,
            size,
            Allowed(codes, strata, criterion),
            covariates=x if way == "covariate" else None,
        ).p_value(effect)
        for codes in every
    ])  # fmt: skip
    steps = np.arange(2, len(every) + 1, 2) / len(every)
    assert np.allclose([(p <= step + 1e-9).mean() for step in steps], steps)


def test_a_sample_of_assignments_agrees_with_all() -> None:
    y = np.random.default_rng(9).normal(size=12) + 0.8 * TWELVE
    allowed = Allowed(TWELVE)
    exact, sampled = of(y), comparison(y * SIZES, SIZES, allowed)
    exact = of(y, weight=SIZES)
    codes, every = allowed.reference(20_000, limit=10, seed=4)
    assert not every
    p = extremes(sampled.sizes(codes)[None])[0]
    assert abs(p - exact.p_value()) < 5 * np.sqrt(exact.p_value() / 20_000)
    many = of(np.random.default_rng(1).normal(size=40), np.tile([0, 1], 20), draws=199)
    assert (many.exact, many.draws, many.smallest_p) == (False, 200, 1 / 200)
    assert many.p_value() >= 1 / 200


def test_other_arms_stay_as_they_are() -> None:
    y, codes = np.random.default_rng(2).normal(size=12), np.tile([0, 1, 2], 4)
    use = codes != 2
    whole, alone = of(y, codes), of(y[use], codes[use])
    assert (whole.estimate, whole.p_value(), whole.count) == (alone.estimate, alone.p_value(), 70)
    assert of(y, codes, treated=2, control=1).estimate == pytest.approx(y[codes == 2].mean() - y[codes == 1].mean())


# limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strata", [None, np.repeat([0, 1, 2], 4)])
@pytest.mark.parametrize("level", [0.0, 0.7, 1.0, 1234567.8])
def test_equal_outcomes_differ_in_nothing_but_rounding(level: float, strata: np.ndarray | None) -> None:
    size = np.random.default_rng(0).random(12) * 100
    found = difference(size * level, size, Allowed(TWELVE, strata))
    assert (found.estimate, found.se, found.p_value()) == (0.0, 0.0, 1.0)
    assert np.isnan(found.interval()).all()


@pytest.mark.parametrize("strata", [None, np.repeat([0, 1, 2], 4)])
def test_complete_separation_has_a_p_value_but_no_interval(strata: np.ndarray | None) -> None:
    found = of(TWELVE * 0.3 + 0.1, weight=SIZES / 7, strata=strata)
    assert found.estimate == pytest.approx(0.3)
    assert found.p_value() == pytest.approx(found.smallest_p) == pytest.approx(2 / (found.count or 0))
    assert np.isnan(found.interval()).all()


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_three_against_three_is_never_significant(scale: float) -> None:
    """20 assignments: the smallest p is 0.10, whatever the weights, and there is no interval at 95 %."""
    found = of([1, 2, 3, 101, 102, 104], [0, 0, 0, 1, 1, 1], scale * np.array([1.1, 2.3, 3.7, 1.3, 0.7, 2.9]))
    assert found.p_value() == pytest.approx(0.1) == pytest.approx(found.smallest_p)
    assert found.interval() == (-np.inf, np.inf)
    assert np.isfinite(found.interval(0.8)).all()
    assert of([1, 5], [0, 1]).p_value() == 1
    assert of([1, 5], [0, 1]).interval() == (-np.inf, np.inf)


def test_a_level_that_is_barely_attainable() -> None:
    """4 v 4: 2 of 70 is 0.0286. At 97.2 % the extreme assignment alone refuses, at 97.1 % neither."""
    found = of([1, 2, 3, 4, 11, 12, 13, 15.0], np.repeat([0, 1], 4))
    assert found.p_value() == pytest.approx(2 / 70)
    assert np.isfinite(found.interval(0.97)).all()
    assert np.isfinite(found.interval(1 - 2 / 70)).all()
    assert found.interval(0.972) == (-np.inf, np.inf)


def test_units_without_an_outcome_are_left_out() -> None:
    chance = np.random.default_rng(8)
    y, strata = chance.normal(size=12), np.repeat([0, 1, 2], 4)
    use = np.arange(12) != 5
    expected = of(y[use], TWELVE[use], SIZES[use], strata[use])
    total, weight = y * SIZES, SIZES.copy()
    for change in (np.where(use, total, np.nan), np.where(use, total, np.inf)):
        found = difference(change, SIZES, Allowed(TWELVE, strata))
        assert (found.estimate, found.p_value()) == (expected.estimate, expected.p_value())
    weight[5] = 0
    assert difference(total, weight, Allowed(TWELVE, strata)).p_value() == expected.p_value()


def test_a_stratum_with_one_arm_compares_nothing() -> None:
    y, strata = np.random.default_rng(8).normal(size=12), np.repeat([0, 1, 2], 4)
    codes = TWELVE.copy()
    codes[4:8] = 1
    use = strata != 1
    assert of(y, codes, strata=strata).p_value() == of(y[use], codes[use], strata=strata[use]).p_value()
    assert of(y, codes, strata=strata).units == 8


def test_huge_sizes_and_distant_levels() -> None:
    y = np.random.default_rng(12).normal(size=12)
    base = of(y, weight=SIZES)
    assert of(y, weight=SIZES * 1e12).p_value() == base.p_value()
    for strata in (None, np.repeat([0, 1, 2], 4)):
        base = of(y, weight=SIZES, strata=strata)
        far = of(y + 1e8, weight=SIZES, strata=strata)
        assert far.p_value() == base.p_value()
        assert far.interval(0.9) == pytest.approx(base.interval(0.9), abs=1e-4)


def test_what_cannot_be() -> None:
    y = np.arange(12.0)
    with pytest.raises(ParameterError, match="не равно числу назначенных"):
        difference(y[:5], ONES(5), Allowed(TWELVE))
    for gone in (np.where(TWELVE == 1, np.nan, y), np.where(TWELVE == 0, np.nan, y)):
        with pytest.raises(ParameterError, match="нет единиц с результатом"):
            difference(gone, ONES(12), Allowed(TWELVE))
    with pytest.raises(ParameterError, match="пропуски"):
        of(y, covariates=np.where(y == 3, np.nan, y))
    with pytest.raises(ParameterError, match="повторяют назначение"):
        of(y, covariates=TWELVE * 2.0 - 1)
    with pytest.raises(ParameterError, match="повторяют назначение"):
        of(y, covariates=np.random.default_rng(0).normal(size=(12, 11)))
    assert of(y, covariates=ONES(12)).estimate == pytest.approx(of(y).estimate)
    without = Reference(*(np.array([part]) for part in (1.0, 0.0, 1.0, 0.0, 1.0)), True, 2, 1, False)
    assert np.isnan([without.estimate, *without.interval()]).all()


# simulation -------------------------------------------------------------------------------------------------------


def test_false_positives_and_coverage_of_twelve_centres() -> None:
    """Short form of the bench: 500 runs, ICC 0.05, sizes related to the outcome; bounds of four standard errors."""
    chance = np.random.default_rng(20)
    refused = covered = 0
    mean = 0.2 + 0.2 * np.arange(12) / 11
    for _ in range(500):
        codes, level = chance.permutation(TWELVE), chance.beta(19 * mean, 19 * (1 - mean))
        total = chance.binomial(SIZES.astype(int), level).astype(float)
        refused += difference(total, SIZES, Allowed(codes)).p_value() <= 0.05
        # An effect that grows with size: constant it is not.
        effect = np.clip(level + 0.2 * np.arange(12) / 11, 0, 1) - level
        total = chance.binomial(SIZES.astype(int), level + effect * codes).astype(float)
        truth = float((effect * SIZES).sum() / SIZES.sum())
        covered += difference(total, SIZES, Allowed(codes)).p_value(truth) > 0.05
    assert abs(refused / 500 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 500)
    assert covered / 500 > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 500)
