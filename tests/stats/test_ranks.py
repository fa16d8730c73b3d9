"""Simultaneous rank intervals and the letters of units that cannot be told apart."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import studentized_range

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError

NAN = float("nan")


def of(groups: tuple[str, ...]) -> list[set[str]]:
    return [set(re.findall(r"[а-я]\d*", text)) for text in groups]


@pytest.mark.parametrize(
    # Studentised range, upper 5 %, infinite degrees of freedom (Pearson & Hartley, Biometrika Tables, table 29).
    ("units", "q"),
    [(2, 2.77), (3, 3.31), (10, 4.47), (20, 5.01), (100, 6.08)],
)
def test_published_critical_values(units: int, q: float) -> None:
    assert np.sqrt(2) * stats.critical_difference(units) == pytest.approx(q, abs=0.006)


def test_the_critical_value_as_scipy_and_for_two_units_the_normal_one() -> None:
    assert stats.critical_difference(2) == pytest.approx(1.959964, abs=1e-6)
    for units, level in ((5, 0.9), (40, 0.99)):
        expected = studentized_range.ppf(level, units, np.inf) / np.sqrt(2)
        assert stats.critical_difference(units, level=level) == pytest.approx(expected, rel=1e-5)
    assert np.isnan(stats.critical_difference(1))


def test_three_units_by_hand() -> None:
    # The standard error of a difference is 1 and the critical value 2.344: only 10 - 7 exceeds it.
    found = stats.rank_intervals([7.0, 10.0, 8.0], np.sqrt(0.5))
    assert found.rank.tolist() == [3, 1, 2]
    assert found.low.tolist() == [2, 1, 1]
    assert found.high.tolist() == [3, 2, 3]
    assert found.groups == ("б", "а", "аб")
    assert found.different.tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_unknown_units_are_left_out() -> None:
    found = stats.rank_intervals([1.0, NAN, 9.0, 5.0], [0.1, 0.1, 0.1, NAN])
    assert found.rank.tolist() == [2, 0, 1, 0]
    assert found.low.tolist() == [2, 0, 1, 0]
    assert found.groups == ("б", "", "а", "")
    assert found.n == 2
    assert not found.different[1].any()


def test_ties_share_the_best_rank() -> None:
    found = stats.rank_intervals([5.0, 7.0, 5.0, 1.0], 0.01)
    assert found.rank.tolist() == [2, 1, 2, 4]
    assert (found.low.tolist(), found.high.tolist()) == ([2, 1, 2, 4], [3, 1, 3, 4])
    exact = stats.rank_intervals([5.0, 5.0], 0.0)
    assert exact.high.tolist() == [2, 2]


@pytest.mark.parametrize("values", [[], [3.0], [NAN]])
def test_fewer_than_two_units_have_nothing_to_compare(values: list[float]) -> None:
    found = stats.rank_intervals(values, 1.0, limits=lambda alpha: (values, values))
    assert np.isnan(found.critical)
    assert found.high.tolist() == [int(value == value) for value in values]


def test_own_limits_can_only_take_a_sure_difference_back() -> None:
    values, se = np.array([0.0, 3.0, 6.0]), np.array([1.0, 1.0, 1.0])
    seen = []

    def symmetric(alpha: float) -> tuple[np.ndarray, np.ndarray]:
        seen.append(alpha)
        half = stats.critical_difference(3) * se
        return values - half, values + half

    plain = stats.rank_intervals(values, se)
    same = stats.rank_intervals(values, se, limits=symmetric)
    assert same.different.tolist() == plain.different.tolist()
    assert stats.critical_difference(2, level=1 - seen[0]) == pytest.approx(same.critical)
    wide = stats.rank_intervals(values, se, limits=lambda alpha: (values - 2, values + 9))
    assert not wide.different.any()
    gap = stats.rank_intervals(values, se, limits=lambda alpha: (values - 2, np.array([2.0, NAN, 8.0])))
    assert gap.rank.tolist() == [2, 0, 1]


def test_shares_near_zero_are_judged_by_their_own_limits() -> None:
    """With no cases the plain standard error is 0 and would call any difference sure."""
    share = stats.wilson([0, 1, 30], [20, 20, 40])

    def limits(alpha: float) -> tuple[np.ndarray, np.ndarray]:
        found = stats.wilson([0, 1, 30], [20, 20, 40], level=1 - alpha)
        return found.low, found.high

    assert stats.rank_intervals([0.0, 1.0], 0.0).different.any()
    found = stats.rank_intervals(share.estimate, share.se, limits=limits)
    assert found.different.tolist() == [[False, False, True], [False, False, True], [True, True, False]]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-5, 5) | st.sampled_from([0.0, 1.0, NAN]), st.floats(0.05, 2.0)), min_size=0, max_size=45
    )
)
def test_two_units_share_a_letter_if_and_only_if_they_do_not_differ(units: list[tuple[float, float]]) -> None:
    values, se = [unit[0] for unit in units], [unit[1] for unit in units]
    found = stats.rank_intervals(values, se)
    groups = of(found.groups)
    for i, j in itertools.combinations(range(len(units)), 2):
        if found.rank[i] and found.rank[j]:
            assert bool(groups[i] & groups[j]) != found.different[i, j]
    for i, group in enumerate(groups):
        assert bool(group) == bool(found.rank[i])
        assert found.low[i] <= found.rank[i] <= found.high[i]
        sure = (np.array(values) > values[i]) & found.different[i]
        assert found.low[i] == (1 + sure.sum() if found.rank[i] else 0)


def test_units_of_one_error_have_letters_in_the_order_of_ranks() -> None:
    """With one error the groups are runs of ranks: each unit starts where the former run ends."""
    surely = 2.02  # what a difference must exceed
    found = stats.rank_intervals([9.0, 8.0, 7.0, 6.0, 1.0], surely / np.sqrt(2) / stats.critical_difference(5))
    assert found.groups == ("а", "аб", "аб", "б", "в")
    assert found.different[0].tolist() == [False, False, False, True, True]


def test_six_hundred_units_of_unlike_errors_are_done_and_named_apart() -> None:
    rng = np.random.default_rng(1)
    found = stats.rank_intervals(rng.normal(0, 3, 600), rng.uniform(0.05, 1.5, 600))
    groups = of(found.groups)
    assert max(int(letter[1:] or 1) for group in groups for letter in group) > 1
    pairs = rng.integers(0, 600, (3000, 2))
    for i, j in pairs[pairs[:, 0] != pairs[:, 1]].tolist():
        assert bool(groups[i] & groups[j]) != found.different[i, j]


@pytest.mark.parametrize("spacing", [0.0, 0.8])
def test_all_true_ranks_lie_in_their_intervals_together(spacing: float) -> None:
    rng = np.random.default_rng(20_254)
    truth = spacing * np.arange(6.0)
    best = 1 + (truth[:, None] > truth[None, :]).sum(0)
    worst = 6 - (truth[:, None] < truth[None, :]).sum(0)
    se = np.full(6, 0.7)
    held = 0
    for estimate in truth + se * rng.standard_normal((900, 6)):
        found = stats.rank_intervals(estimate, se)
        held += bool((found.low <= best).all() and (found.high >= worst).all())
    assert held / 900 >= 0.93
    if not spacing:  # equal units are the least favourable case: the level is exact
        assert held / 900 <= 0.975


def test_expected_sums_of_events_are_ranked_honestly() -> None:
    rng = np.random.default_rng(20_255)
    held = 0
    for _ in range(400):
        events = [np.exp(0.8 * rng.standard_normal(n)) for n in rng.poisson(15, 8)]
        total = [float(values.sum()) for values in events]
        se = [float(np.sqrt((values**2).sum())) for values in events]
        found = stats.rank_intervals(total, se)
        held += bool((found.low == 1).all() and (found.high == 8).all())
    assert held / 400 >= 0.93


@pytest.mark.parametrize(
    ("estimate", "se", "message"),
    [
        ([1, 2], [1, -1], "стандартные ошибки"),
        ([1, 2], [1, 1, 1], "Длины"),
        ([[1, 2]], 1, "одним рядом"),
        ([1, np.inf], 1, "оценки"),
    ],
)
def test_faulty_estimates_are_refused(estimate: list[float], se: list[float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        stats.rank_intervals(estimate, se)
