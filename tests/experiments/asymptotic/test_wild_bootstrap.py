"""The wild cluster bootstrap against refitting persons, its interval, and its false positives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.asymptotic.cluster_robust import cr2
from kcrr_analysis.experiments.asymptotic.wild_bootstrap import wild_cluster

SIZES = np.array([6, 3, 8, 4, 5, 7])
ARM = np.array([1, 0, 1, 0, 1, 0])
CLUSTER = np.repeat(np.arange(6), SIZES)


def persons(seed: int = 4) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return chance.normal(size=6)[CLUSTER] + chance.normal(size=CLUSTER.size) + 1.5 * ARM[CLUSTER]


def statistic(y: np.ndarray, x: np.ndarray, null: float) -> float:
    """t of coefficient 1 with the CR0 error (a constant factor does not matter to the bootstrap)."""
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    scores = np.array([x[g == CLUSTER].T @ (y - x @ beta)[g == CLUSTER] for g in range(6)])
    return float((beta[1] - null) / np.sqrt((bread @ scores.T @ scores @ bread)[1, 1]))


def refitted(y: np.ndarray, x: np.ndarray, null: float) -> float:
    """p-value over all 64 combinations of Rademacher's weights, each outcome made and refitted person by person."""
    others = np.delete(x, 1, axis=1)
    moved = y - null * x[:, 1]
    base = others @ np.linalg.lstsq(others, moved, rcond=None)[0] + null * x[:, 1]
    observed = abs(statistic(y, x, null))
    made = [
        abs(statistic(base + np.array(signs)[CLUSTER] * (y - base), x, null))
        for signs in itertools.product((1, -1), repeat=6)
    ]
    return float(np.mean(np.array(made) >= observed - 1e-9))


@pytest.mark.parametrize("null", [0.0, 1.0, -2.5, 4.0])
@pytest.mark.parametrize("covariate", [None, np.array([1.0, 5, 2, 2, 7, 3])])
def test_cluster_totals_give_what_refitting_persons_gives(null: float, covariate: np.ndarray | None) -> None:
    y = persons()
    x = [np.ones(y.size), ARM[CLUSTER]] + ([] if covariate is None else [covariate[CLUSTER]])
    found = wild_cluster(np.bincount(CLUSTER, y), SIZES, ARM, covariates=covariate, weights="rademacher")
    assert found.reference.exact
    assert found.reference.draws == 64
    assert found.p_value(null) == pytest.approx(refitted(y, np.column_stack(x), null))


def test_the_interval_holds_the_effects_that_are_not_refused() -> None:
    chance = np.random.default_rng(6)
    n = chance.integers(20, 90, 14).astype(float)
    arm = np.tile([0, 1], 7)
    total = n * (chance.normal(size=14) + 2 * arm)
    found = wild_cluster(total, n, arm)
    low, high = found.estimate.low, found.estimate.high
    assert low < found.estimate.estimate < high
    for limit, outward in ((low, -1), (high, 1)):
        assert found.p_value(limit - outward * 1e-3) > 0.05
        assert found.p_value(limit + outward * 1e-2) <= 0.05
    assert (found.p > 0.05) == (low <= 0 <= high)
    assert found.estimate.estimate == pytest.approx(cr2(total, n, arm).estimate.estimate)


def test_few_clusters_get_webbs_weights_and_many_rademachers() -> None:
    y = np.bincount(CLUSTER, persons())
    few = wild_cluster(y, SIZES, ARM, draws=500, seed=1)
    assert (few.weights, few.reference.exact, few.reference.draws) == ("webb", False, 501)
    assert few.p == wild_cluster(y, SIZES, ARM, draws=500, seed=1).p
    twelve = wild_cluster(np.tile(y, 2), np.tile(SIZES, 2), np.tile(ARM, 2))
    assert (twelve.weights, twelve.reference.draws) == ("rademacher", 4096)
    many = wild_cluster(np.tile(y, 3), np.tile(SIZES, 3), np.tile(ARM, 3), draws=300)
    assert (many.weights, many.reference.draws, many.reference.exact) == ("rademacher", 301, False)


def test_webbs_weights_have_mean_zero_and_variance_one() -> None:
    from kcrr_analysis.experiments.asymptotic.wild_bootstrap import _multipliers

    drawn, exact = _multipliers("webb", 5, 40_000, 2)
    assert not exact
    assert np.unique(drawn.round(6)).size == 6
    assert drawn.mean() == pytest.approx(0, abs=0.01)
    assert drawn.var() == pytest.approx(1, abs=0.01)


def test_a_level_that_cannot_be_attained_has_no_limits() -> None:
    """Four clusters, Rademacher: 16 combinations in mirrored pairs, no two-sided p-value below 1/8."""
    found = wild_cluster([1.0, 9, 2, 10], np.ones(4), [0, 1, 0, 1], weights="rademacher")
    assert found.p >= 1 / 8 - 1e-12
    assert (found.estimate.low, found.estimate.high) == (-np.inf, np.inf)


def test_false_positives_with_twelve_unequal_centres() -> None:
    """1,000 runs: the share of p < 0.05 has a standard error of 0.7 %."""
    chance = np.random.default_rng(12)
    n = np.geomspace(60, 600, 12).round()
    hits = 0
    for _ in range(1000):
        mean = chance.normal(0, np.sqrt(0.05 + 0.95 / n))
        hits += wild_cluster(n * mean, n, chance.permutation([0, 1] * 6)).p < 0.05
    assert 0.025 <= hits / 1000 <= 0.075


def test_one_row_of_figures() -> None:
    found = wild_cluster(np.bincount(CLUSTER, persons()), SIZES, ARM, draws=200)
    frame = found.to_frame()
    assert len(frame) == 1
    assert frame.loc[0, "method"] == "дикий кластерный бутстреп (веса Уэбба)"
    assert frame.loc[0, "clusters"] == 6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"weights": "mammen"}, ParameterError, "mammen"),
        ({"draws": 10}, ParameterError, "повторов"),
        ({"control": 5}, NotComputableError, "По одному центру"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        wild_cluster(np.bincount(CLUSTER, persons()), SIZES, ARM, **arguments)
