"""The set of assignments that could have happened, against plain enumeration."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed, Criterion, imbalance

CHANCE = np.random.default_rng(11)
SIZE = CHANCE.normal(size=(8, 2))
EIGHT = np.array([0, 1, 1, 0, 1, 0, 0, 1])


def brute(codes: np.ndarray, strata: np.ndarray | None = None) -> set[tuple[int, ...]]:
    """All distinct orders of the codes within strata."""
    strata = np.zeros(len(codes)) if strata is None else strata
    found = {tuple(codes.tolist())}
    for label in np.unique(strata):
        own = np.flatnonzero(strata == label)
        orders = set(itertools.permutations(codes[own].tolist()))
        grown = set()
        for base in found:
            for order in orders:
                row = list(base)
                for place, code in zip(own, order, strict=True):
                    row[place] = code
                grown.add(tuple(row))
        found = grown
    return found


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=7))
@settings(max_examples=40, deadline=None)
def test_enumeration_is_that_of_plain_python(units: list[tuple[int, int]]) -> None:
    codes, strata = (np.array(part) for part in zip(*units, strict=True))
    allowed = Allowed(codes, strata)
    rows, exact = allowed.reference()
    assert exact
    assert (rows[0] == codes).all()
    assert len({tuple(row) for row in rows.tolist()}) == len(rows) == allowed.count == allowed.permutations
    assert {tuple(row) for row in rows.tolist()} == brute(codes, strata)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=7))
@settings(max_examples=40, deadline=None)
def test_mirrored_means_that_the_exchange_of_arms_is_allowed(units: list[tuple[int, int]]) -> None:
    codes, strata = (np.array(part) for part in zip(*units, strict=True))
    if np.unique(codes).size == 2:
        assert Allowed(codes, strata).mirrored == (tuple((1 - codes).tolist()) in brute(codes, strata))


def test_counts_by_hand() -> None:
    assert Allowed(np.repeat([0, 1], 6)).count == 924
    assert Allowed(np.tile([0, 1], 6), np.repeat(range(6), 2)).count == 64
    assert Allowed(np.repeat(range(5), 8)).count == math.factorial(40) // math.factorial(8) ** 5
    assert Allowed(np.repeat([0, 1, 2], 2)).count == 90
    assert not Allowed(np.repeat([0, 1, 2], 2)).mirrored


def test_draws_keep_the_arms_of_each_stratum_and_are_equally_likely() -> None:
    codes, strata = np.array([0, 0, 1, 0, 1, 1, 1]), np.array(["б", "а", "б", "а", "а", "б", "а"])
    allowed = Allowed(codes, strata)
    drawn = allowed.draw(18_000, np.random.default_rng(5))
    for label in "аб":
        own = strata == label
        assert (np.sort(drawn[:, own], axis=1) == np.sort(codes[own])).all()
    seen = Counter(tuple(row) for row in drawn.tolist())
    assert len(seen) == allowed.count == 18
    # 1,000 expected of each of the 18; five standard errors.
    assert max(abs(number - 1_000) for number in seen.values()) < 5 * np.sqrt(1_000)


def test_a_large_set_is_sampled_and_the_seed_repeats_it() -> None:
    allowed = Allowed(np.repeat([0, 1], 20))
    rows, exact = allowed.reference(draws=50, seed=3)
    assert not exact
    assert rows.shape == (51, 40)
    assert (rows[0] == allowed.codes).all()
    assert (rows.sum(axis=1) == 20).all()
    assert (rows == allowed.reference(draws=50, seed=3)[0]).all()
    assert not (rows == allowed.reference(draws=50, seed=4)[0]).all()


def test_imbalance_is_morgan_and_rubin_s_distance() -> None:
    """M = n1 n0 / n * d' S^-1 d (Morgan & Rubin 2012, section 3.1), S the covariance of units."""
    for codes in (EIGHT, np.array([0, 0, 0, 0, 0, 1, 1, 1])):
        gap = SIZE[codes == 1].mean(axis=0) - SIZE[codes == 0].mean(axis=0)
        n = np.bincount(codes)
        expected = n[0] * n[1] / n.sum() * gap @ np.linalg.inv(np.cov(SIZE, rowvar=False)) @ gap
        assert imbalance(codes[None], SIZE)[0] == pytest.approx(expected)
    assert imbalance(EIGHT[None], np.ones((8, 1)))[0] == 0
    assert imbalance(np.array([[0, 1, 2, 0, 1, 2, 0, 1]]), SIZE)[0] > 0


def test_a_criterion_leaves_what_it_accepts() -> None:
    every = np.array(sorted(brute(EIGHT)))
    criterion = Criterion(SIZE, float(np.quantile(imbalance(every, SIZE), 0.3)))
    expected = {tuple(row) for row in every[criterion.accepts(every)].tolist()}
    observed = np.array(sorted(expected)[3])
    allowed = Allowed(observed, None, criterion)
    rows, exact = allowed.reference()
    assert exact
    assert {tuple(row) for row in rows.tolist()} == expected
    assert allowed.count == len(expected) == len(rows)
    assert {tuple((1 - np.array(row)).tolist()) for row in expected} == expected
    assert allowed.mirrored
    sampled, exact = allowed.reference(draws=200, limit=10, seed=1)
    assert not exact
    assert len(sampled) == 201
    assert {tuple(row) for row in sampled.tolist()} <= expected


def test_units_without_outcome_stay_as_they_are_under_a_criterion() -> None:
    every = np.array(sorted(brute(EIGHT)))
    criterion = Criterion(SIZE, float(np.quantile(imbalance(every, SIZE), 0.4)))
    accepted = every[criterion.accepts(every)]
    observed, keep = accepted[5], np.array([True] * 6 + [False] * 2)
    within = Allowed(observed, None, criterion).restrict(keep)
    expected = {tuple(row[keep].tolist()) for row in accepted if (row[~keep] == observed[~keep]).all()}
    assert {tuple(row) for row in within.reference()[0].tolist()} == expected
    assert within.count == len(expected)
    again = within.restrict(np.array([False] + [True] * 5))
    fixed = np.array([False] + [True] * 5 + [False] * 2)
    expected = {tuple(row[fixed].tolist()) for row in accepted if (row[~fixed] == observed[~fixed]).all()}
    assert {tuple(row) for row in again.reference()[0].tolist()} == expected


def test_with_units_that_stay_as_they_are_a_criterion_may_refuse_the_mirror() -> None:
    every = np.array(sorted(brute(EIGHT)))
    criterion = Criterion(SIZE, float(np.quantile(imbalance(every, SIZE), 0.4)))
    accepted = every[criterion.accepts(every)]
    for observed in accepted:
        keep = np.ones(8, dtype=bool)
        keep[[int(np.flatnonzero(observed == arm)[0]) for arm in (0, 1)]] = False
        within = Allowed(observed, None, criterion).restrict(keep)
        rows = {tuple(row) for row in within.reference()[0].tolist()}
        closed = all(tuple((1 - np.array(row)).tolist()) in rows for row in rows)
        assert closed or not within.mirrored
    three = Allowed(np.array([0, 1, 2, 0, 1, 2, 0, 1]), None, criterion)
    assert not three.mirrored


def test_restriction_without_a_criterion() -> None:
    allowed = Allowed(EIGHT, np.repeat(["x", "y"], 4))
    assert allowed.restrict(np.ones(8, dtype=bool)) is allowed
    keep = np.array([True] * 4 + [False, True, True, True])
    assert {tuple(row) for row in allowed.restrict(keep).reference()[0].tolist()} == brute(
        EIGHT[keep], np.repeat([0, 1], [4, 3])
    )


def test_what_cannot_be() -> None:
    with pytest.raises(ParameterError, match="страт"):
        Allowed(EIGHT, np.arange(7))
    strict = Allowed(np.repeat([0, 1], 20), None, Criterion(np.arange(40.0)[:, None], -1.0))
    assert strict.count is None
    with pytest.raises(ParameterError, match="Увеличьте долю"):
        strict.reference(draws=5)
