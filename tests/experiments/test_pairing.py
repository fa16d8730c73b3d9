"""Pairs of units that are alike, against all ways to pair them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kcrr_analysis.experiments.pairing import nearest_pairs


def ways(units: tuple[int, ...]) -> Iterator[list[tuple[int, int]]]:
    """All ways to divide the units into pairs."""
    if not units:
        yield []
        return
    first, rest = units[0], units[1:]
    for place, other in enumerate(rest):
        for way in ways(rest[:place] + rest[place + 1 :]):
            yield [(first, other), *way]


def distance(covariates: np.ndarray, way: list[tuple[int, int]]) -> float:
    inverse = np.linalg.inv(np.atleast_2d(np.cov(covariates, rowvar=False)))
    return sum(float((covariates[a] - covariates[b]) @ inverse @ (covariates[a] - covariates[b])) for a, b in way)


def pairs_of(numbers: np.ndarray) -> list[tuple[int, int]]:
    return [tuple(np.flatnonzero(numbers == number).tolist()) for number in range(len(numbers) // 2)]


@pytest.mark.parametrize("seed", range(12))
def test_near_the_best_of_all_pairings(seed: int) -> None:
    covariates = np.random.default_rng(seed).normal(size=(8, 1 + seed % 3))
    numbers = nearest_pairs(covariates)
    assert (np.bincount(numbers) == 2).all()
    best = min(distance(covariates, way) for way in ways(tuple(range(8))))
    found = distance(covariates, pairs_of(numbers))
    assert best - 1e-9 <= found <= 1.25 * best + 1e-9


def test_one_covariate_pairs_neighbours() -> None:
    """On a line the best pairs are neighbours in order; the closest two first (greedy) would leave a far pair."""
    line = np.array([0.0, 1.0, 1.5, 2.5])[:, None]
    assert pairs_of(nearest_pairs(line)) == [(0, 1), (2, 3)]
    size = np.array([600, 60, 90, 610, 300, 95, 290, 61.0])[:, None]
    assert pairs_of(nearest_pairs(size)) == [(0, 3), (1, 7), (2, 5), (4, 6)]


def test_twins_are_found_and_scale_does_not_matter() -> None:
    half = np.random.default_rng(4).normal(size=(10, 3))
    covariates = np.concatenate([half, half + 1e-3])
    numbers = nearest_pairs(covariates)
    assert (numbers[:10] == numbers[10:]).all()
    assert (nearest_pairs(covariates * [1, 1e4, 1e-4] + 5) == numbers).all()


def test_equal_units_still_make_pairs() -> None:
    assert sorted(nearest_pairs(np.ones((6, 2))).tolist()) == [0, 0, 1, 1, 2, 2]
