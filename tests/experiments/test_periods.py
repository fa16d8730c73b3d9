"""Stepped wedge and crossover against regressions with dummies and plain enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.periods import in_time, schedule

WEDGE = Design(cluster="c", method="stepped_wedge", waves=3)
TABLE = schedule(WEDGE, 4)
WAVES = np.repeat([0, 1, 2], 2)
NAN = np.nan


def regression(mean: np.ndarray, weight: np.ndarray, treated: np.ndarray) -> tuple[float, float]:
    """Coefficient and cluster-robust standard error x sqrt(G / (G - 1)) by weighted least squares with dummies."""
    units, periods = mean.shape
    use = weight.ravel() > 0
    frame = np.column_stack(
        [treated.ravel(), np.repeat(np.eye(units), periods, axis=0), np.tile(np.eye(periods), (units, 1))[:, 1:]]
    )[use]
    root = np.sqrt(weight.ravel()[use])[:, None]
    slope = np.linalg.lstsq(frame * root, mean.ravel()[use] * root[:, 0], rcond=None)[0]
    bread = np.linalg.pinv((frame * root).T @ (frame * root))
    residual = (mean.ravel()[use] - frame @ slope) * root[:, 0] ** 2
    owner = np.repeat(np.arange(units), periods)[use]
    scores = np.stack([frame[owner == unit].T @ residual[owner == unit] for unit in range(units)])
    variance = (bread @ scores.T @ scores @ bread)[0, 0] * units / (units - 1)
    return float(slope[0]), float(np.sqrt(variance))


def data(seed: int, units: int = 6, periods: int = 4) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    mean = chance.normal(size=(units, periods)) + chance.normal(size=(units, 1)) + np.arange(periods)
    return mean, chance.integers(5, 60, (units, periods)).astype(float)


def test_schedules_by_hand() -> None:
    assert TABLE.tolist() == [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]
    assert schedule(WEDGE, 5).tolist() == [[0, 1, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]]
    slow = Design(cluster="c", method="stepped_wedge", waves=2, block=2)
    assert schedule(slow, 5).tolist() == [[0, 1, 1, 1, 1], [0, 0, 0, 1, 1]]
    cross = Design(cluster="c", method="crossover")
    assert schedule(cross, 3).tolist() == [[0, 1, 0], [1, 0, 1]]
    fading = Design(cluster="c", method="crossover", block=2, washout=1)
    assert np.array_equal(schedule(fading, 5), [[0, 0, NAN, 1, NAN], [1, 1, NAN, 0, NAN]], equal_nan=True)
    with pytest.raises(ParameterError, match="Нужно не меньше 4"):
        schedule(WEDGE, 3)
    with pytest.raises(ParameterError, match="два блока"):
        schedule(Design(cluster="c", method="crossover", block=3), 3)


@pytest.mark.parametrize("seed", range(5))
def test_as_a_regression_with_dummies_over_all_orders(seed: int) -> None:
    mean, weight = data(seed)
    if seed == 4:
        weight[1, 2] = 0
    found = in_time(mean * weight, weight, Allowed(WAVES), TABLE)
    assert (found.exact, found.draws, found.count) == (True, 90, 90)
    assert (found.estimate, found.se) == pytest.approx(regression(mean, weight, TABLE[WAVES]))
    for effect in (0.0, 0.7):
        shifted = mean - effect * TABLE[WAVES]
        rows = [np.array(row) for row in set(itertools.permutations(WAVES.tolist()))]
        sizes = [abs(np.divide(*regression(shifted, weight, TABLE[row]))) for row in rows]
        own = abs(np.divide(*regression(shifted, weight, TABLE[WAVES])))
        assert found.p_value(effect) == pytest.approx(np.mean(np.array(sizes) >= own * (1 - 1e-9)))


def test_levels_of_centres_and_periods_do_not_matter() -> None:
    mean, weight = data(7)
    weight[:] = 20
    base = in_time(mean * weight, weight, Allowed(WAVES), TABLE)
    moved = mean + np.linspace(-9, 9, 6)[:, None] + np.array([5, -3, 0, 40])
    other = in_time(moved * weight, weight, Allowed(WAVES), TABLE)
    assert (other.estimate, other.se, other.p_value()) == pytest.approx((base.estimate, base.se, base.p_value()))
    assert other.interval(0.8) == pytest.approx(base.interval(0.8), abs=1e-4)
    added = in_time((mean + 2 * TABLE[WAVES]) * weight, weight, Allowed(WAVES), TABLE)
    assert added.estimate == pytest.approx(base.estimate + 2)
    assert added.p_value(2.0) == pytest.approx(base.p_value())


@pytest.mark.parametrize("effect", [0.0, 1.5])
def test_exact_over_all_orders_as_the_observed_one(effect: float) -> None:
    mean, weight = data(8)
    every, _ = Allowed(WAVES).reference()
    p = np.array([
        in_time((mean + effect * TABLE[row]) * weight, weight, Allowed(row), TABLE).p_value(effect) for row in every
    ])  # fmt: skip
    assert [(p <= k / 90 + 1e-9).mean() for k in range(1, 91)] == pytest.approx([k / 90 for k in range(1, 91)])


def test_crossover_by_hand_and_its_smallest_p() -> None:
    """Differences of the two periods: 1, 2, 3 against -4, -5, -6; half the gap of their means is the effect."""
    table = schedule(Design(cluster="c", method="crossover"), 2)
    order = np.repeat([0, 1], 3)
    change = np.array([1.0, 2, 3, -4, -5, -6])
    total = np.column_stack([np.arange(6.0), np.arange(6.0) + change])
    found = in_time(total, np.ones((6, 2)), Allowed(order), table)
    assert found.estimate == pytest.approx((2 + 5) / 2)
    # 20 orders, each as extreme as its mirror: nothing can be significant at 5 %.
    assert found.p_value() == pytest.approx(0.1) == pytest.approx(found.smallest_p)
    assert found.interval() == (-np.inf, np.inf)
    uneven = in_time(total[1:], np.ones((5, 2)), Allowed(order[1:]), table)
    assert uneven.smallest_p == pytest.approx(1 / 10)


def test_two_waves_are_mirrored_three_are_not() -> None:
    mean, weight = data(9, periods=3)
    two = in_time(
        mean * weight,
        weight,
        Allowed(np.repeat([0, 1], 3)),
        schedule(Design(cluster="c", method="stepped_wedge", waves=2), 3),
    )
    assert two.smallest_p == pytest.approx(2 / 20)
    assert two.p_value() >= two.smallest_p
    mean, weight = data(9)
    assert in_time(mean * weight, weight, Allowed(WAVES), TABLE).smallest_p == pytest.approx(1 / 90)


def test_cells_without_data_and_washout_do_not_count() -> None:
    mean, weight = data(10)
    gone = weight.copy()
    gone[2, 1] = 0
    missing = mean * weight
    missing[2, 1] = NAN
    expected = in_time(mean * gone, gone, Allowed(WAVES), TABLE)
    assert in_time(missing, weight, Allowed(WAVES), TABLE).p_value() == expected.p_value()
    table = schedule(Design(cluster="c", method="crossover", block=2, washout=1), 4)
    use = np.isfinite(table).all(axis=0)
    order = Allowed(np.tile([0, 1], 3))
    washed = in_time(mean * weight, weight, order, table)
    assert washed.estimate == in_time((mean * weight)[:, use], weight[:, use], order, table[:, use]).estimate


def test_limits() -> None:
    mean, weight = data(11)
    with pytest.raises(ParameterError, match="нельзя отделить"):
        in_time(mean * weight, weight, Allowed(np.zeros(6, dtype=int)), TABLE)
    with pytest.raises(ParameterError, match="нельзя отделить"):
        in_time((mean * weight)[:, :1], weight[:, :1], Allowed(WAVES), TABLE[:, :1])
    sampled = in_time(
        *[np.tile(part, (4, 1)) for part in (mean * weight, weight)], Allowed(np.repeat([0, 1, 2], 8)), TABLE, draws=99
    )
    assert (sampled.exact, sampled.draws) == (False, 100)
    huge = in_time(mean * weight * 1e9, weight * 1e9, Allowed(WAVES), TABLE)
    assert huge.p_value() == in_time(mean * weight, weight, Allowed(WAVES), TABLE).p_value()
    same = in_time(weight * 0.3, weight, Allowed(WAVES), TABLE)
    assert same.estimate == pytest.approx(0, abs=1e-12)
    assert same.p_value() > 0.99
    assert np.isnan(same.interval(0.9)).all()


def test_false_positives_and_coverage_of_a_wedge() -> None:
    """Short form of the bench: 5 waves of 4 centres, serial correlation within centres; four standard errors."""
    chance = np.random.default_rng(12)
    table = schedule(Design(cluster="c", method="stepped_wedge", waves=5), 6)
    weight = np.repeat(chance.integers(10, 90, (20, 1)), 6, axis=1).astype(float)
    refused = covered = 0
    for _ in range(200):
        codes = chance.permutation(np.repeat(range(5), 4))
        mean = np.cumsum(chance.normal(size=(20, 6)), axis=1) + chance.standard_t(3, (20, 6)) / np.sqrt(weight)
        found = in_time((mean + table[codes]) * weight, weight, Allowed(codes), table, draws=199)
        covered += found.p_value(1.0) > 0.05
        refused += in_time(mean * weight, weight, Allowed(codes), table, draws=199).p_value() <= 0.05
    error = 4 * np.sqrt(0.05 * 0.95 / 200)
    assert abs(refused / 200 - 0.05) < error
    assert abs(covered / 200 - 0.95) < error
