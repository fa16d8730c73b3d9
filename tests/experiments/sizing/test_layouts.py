"""Attainable p-values of designs, counted by listing all assignments."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.randomisation import difference
from kcrr_analysis.experiments.sizing.layouts import Layout


@pytest.mark.parametrize(
    ("layout", "scale", "expected"),
    [
        (Layout(), 3, 0.1),
        (Layout(), 4, 2 / 70),
        (Layout(shares=(1, 2)), 3, 1 / math.comb(9, 3)),
        (Layout("matched_pairs"), 6, 2 / 64),
        (Layout("stratified", strata=2), 4, 2 / 36),
        (Layout("rerandomised", accept=0.1), 4, 2 / 7),
        (Layout("stepped_wedge", shares=(1, 1, 1), periods=4), 2, 1 / 90),
        (Layout("crossover", periods=2), 4, 2 / 70),
        (Layout("switchback", shares=(1,), periods=6), 1, 2 / 20),
        (Layout("switchback", shares=(1,), periods=5), 2, 1 / 100),
        (Layout(shares=(1, 1, 1)), 3, 0.1),  # two formats: each must also pass alone
        (Layout(), 150, 0.0),
    ],
)
def test_smallest_p(layout: Layout, scale: float, expected: float) -> None:
    assert layout.smallest_p(scale) == pytest.approx(expected)


def test_one_side_halves_it() -> None:
    assert Layout().smallest_p(3, sides=1) == pytest.approx(0.05)
    assert Layout(shares=(1, 2)).smallest_p(3, sides=1) == pytest.approx(1 / math.comb(9, 3))


@pytest.mark.parametrize("sizes", [(2, 2, 2), (2, 3, 3), (2, 2, 3), (3, 1, 1)])
def test_joint_test_of_several_formats(sizes: tuple[int, ...]) -> None:
    """Share of all assignments in which the largest difference is as large as in the most extreme one."""
    outcome = np.array([0.0, 1.1, 2.3, 10.7, 11.9, 13.2, 14.9, 16.1])[: sum(sizes)]
    outcome[: sizes[0]] -= 100.0  # the observed control is the lowest
    codes = set(itertools.permutations(np.repeat(range(len(sizes)), sizes)))
    largest = []
    for code in codes:
        arms = np.array(code)
        gaps = [abs(outcome[arms == arm].mean() - outcome[arms == 0].mean()) for arm in range(1, len(sizes))]
        largest.append(max(gaps))
    values = np.array(largest)
    layout = Layout(shares=tuple(size / sizes[0] for size in sizes))
    assert (values >= values.max() - 1e-9).mean() >= layout.smallest_joint(sizes[0]) - 1e-12


def test_the_smallest_p_is_that_of_the_kits_own_test() -> None:
    codes = np.repeat([0, 1], [5, 4])
    total = np.where(codes == 1, 100.0, 0.0) + np.arange(9)
    found = difference(total, np.ones(9), Allowed(codes)).p_value()
    assert found == pytest.approx(Layout(shares=(1, 0.8)).smallest_p(5))


def test_degrees_of_freedom() -> None:
    assert Layout().df(6) == 10
    assert Layout(shares=(1, 1, 1)).df(6) == 15
    assert Layout("stratified", strata=3).df(6) == 8
    assert Layout("matched_pairs").df(6) == 5
    assert Layout("stepped_wedge", shares=(1,) * 5, periods=6).df(8) == 38
    assert Layout("crossover", periods=2).df(5) == 8
    assert Layout("switchback", shares=(1,), periods=12).df(1) == 10
    assert Layout("switchback", shares=(1,), periods=12).df(4) == 32
    for layout in (Layout(), Layout("matched_pairs"), Layout("stepped_wedge", shares=(1,) * 5, periods=6)):
        assert layout.df(layout.least()) == pytest.approx(1)


def test_variance_of_cluster_means() -> None:
    """m = 20, ICC 0.05, CV 0.65: design effect 2.3725 (Eldridge, Ashby & Kerry 2006)."""
    layout = Layout(cv=0.65)
    assert layout.variance(8, 20, 0.05, (1.0, 3.0)) == pytest.approx(2.3725 * 4 / 160)
    assert layout.design_effect(8, 20, 0.05) == pytest.approx(2.3725)
    assert Layout(clustered=False).variance(50, 1, 0.0, (1.0, 3.0)) == pytest.approx(4 / 50)
    paired = Layout("matched_pairs", correlation=0.4, explained=0.5)
    assert paired.variance(8, 20, 0.05, (1.0, 1.0)) == pytest.approx(1.95 * 2 / 160 * 0.6 * 0.5)
