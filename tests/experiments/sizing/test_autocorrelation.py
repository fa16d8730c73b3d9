"""Correlations between periods: pair by pair, recovery of a known truth, coverage."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.sizing.autocorrelation import autocorrelation


def by_pairs(rows: list[tuple[int, int, float]]) -> tuple[float, float]:
    """Covariances within and between periods from every pair of persons: centre, period, outcome."""
    means = {p: np.mean([y for _, q, y in rows if q == p]) for p in {p for _, p, _ in rows}}
    products: dict[tuple[bool, bool], list[float]] = {}
    for (c, p, y), (d, q, x) in itertools.combinations(rows, 2):
        products.setdefault((c == d, p == q), []).append((y - means[p]) * (x - means[q]))
    own = {key: float(np.mean(values)) for key, values in products.items()}
    return own[True, True] - own[False, True], own[True, False] - own[False, False]


def data(
    chance: np.random.Generator, centers: int, periods: int, rho: float, cac: float, size: float = 60
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = np.maximum(4, chance.gamma(2.5, size / 2.5, (centers, 1)).round()) * np.ones((1, periods))
    level = (
        chance.normal(0, np.sqrt(rho * cac), (centers, 1))
        + chance.normal(0, np.sqrt(rho * (1 - cac)), (centers, periods))
        + chance.normal(0, 0.3, periods)
    )
    total = n * level + chance.normal(0, np.sqrt(n * (1 - rho)))
    return total, n, total**2 / n + (1 - rho) * chance.chisquare(n - 1)


def test_moments_are_those_of_all_pairs_of_persons() -> None:
    chance = np.random.default_rng(1)
    n = chance.integers(2, 5, (5, 3))
    rows = [
        (c, p, float(chance.normal(c, 1) + 0.5 * p)) for c in range(5) for p in range(3) for _ in range(int(n[c, p]))
    ]
    total, squares = np.zeros((5, 3)), np.zeros((5, 3))
    for c, p, y in rows:
        total[c, p] += y
        squares[c, p] += y**2
    found = autocorrelation(total, n, squares=squares)
    within, between = by_pairs(rows)
    assert found.raw == pytest.approx(between / within)
    assert found.within / found.between == pytest.approx(within / between)


def test_a_known_truth_is_found() -> None:
    chance = np.random.default_rng(2)
    found = [
        autocorrelation(total, n, squares=squares)
        for total, n, squares in (data(chance, 40, 6, 0.08, 0.7) for _ in range(100))
    ]
    assert np.mean([one.within for one in found]) == pytest.approx(0.08, abs=0.008)
    assert np.median([one.raw for one in found]) == pytest.approx(0.7, abs=0.05)
    covered = np.mean([one.cac.low <= 0.7 <= one.cac.high for one in found])
    assert 0.85 <= covered <= 0.99
    assert (found[0].centers, found[0].periods, found[0].weak) == (40, 6, False)


def test_counts_and_gaps() -> None:
    chance = np.random.default_rng(3)
    people = np.full((12, 4), 80)
    cases = chance.binomial(people, np.clip(0.4 + chance.normal(0, 0.1, (12, 1)), 0.05, 0.95)).astype(float)
    whole = autocorrelation(cases, people)
    assert whole.raw == pytest.approx(1, abs=0.25)  # the level of a centre does not move
    assert 0 <= whole.cac.low <= whole.cac.estimate <= whole.cac.high <= 1
    assert autocorrelation(cases, people, squares=cases) == whole
    holes = cases.copy()
    holes[0, 1], holes[1, 1:] = np.nan, np.nan
    found = autocorrelation(holes, people)
    assert found.centers == 11  # the second centre is left with one period
    assert list(found.to_frame().columns[:4]) == ["cac", "low", "high", "level"]
    assert found.to_frame().loc[0, "centers"] == 11


def test_hardly_any_difference_between_centres_is_weak() -> None:
    chance = np.random.default_rng(5)
    weak = []
    for _ in range(30):
        total, n, squares = data(chance, 10, 4, 0.002, 0.5)
        try:
            weak.append(autocorrelation(total, n, squares=squares).weak)
        except NotComputableError:
            weak.append(True)
    assert np.mean(weak) > 0.7


@pytest.mark.parametrize(
    ("total", "n", "error", "message"),
    [
        ([1, 2], [3, 4], ParameterError, "центр × период"),
        (np.full((5, 2), 9), np.full((5, 2), 4), ParameterError, "числом случаев"),
        (np.full((3, 2), 2), np.full((3, 2), 4), NotComputableError, "не менее 4 центров"),
        (np.full((6, 1), 2), np.full((6, 1), 4), NotComputableError, "двух периодов"),
        (np.full((6, 3), 2), np.full((6, 3), 4), NotComputableError, "не больше, чем случайно"),
    ],
)
def test_what_cannot_be_estimated(total: object, n: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        autocorrelation(total, n)
