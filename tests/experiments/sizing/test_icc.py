"""Intraclass correlation: a textbook analysis of variance by hand, exactness for equal sizes, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f as fisher

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.sizing.icc import design_effect, icc


def anova(values: list[list[float]]) -> tuple[float, float, float]:
    """Mean squares and the estimate, from the definition."""
    groups = [np.array(group, dtype=float) for group in values]
    n = np.array([len(group) for group in groups])
    whole = np.concatenate(groups)
    among = sum(len(g) * (g.mean() - whole.mean()) ** 2 for g in groups) / (len(groups) - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (len(whole) - len(groups))
    n0 = (n.sum() - (n**2).sum() / n.sum()) / (len(groups) - 1)
    return among, within, (among - within) / (among + (n0 - 1) * within)


GROUPS = [[3.0, 5, 4], [8, 9], [2, 2, 3, 4], [6, 7, 5]]
ROWS = np.concatenate([np.array(group) for group in GROUPS])
LABELS = np.repeat(["а", "б", "в", "г"], [len(group) for group in GROUPS])


def test_rows_and_totals_give_the_analysis_of_variance() -> None:
    found = icc(ROWS, cluster=LABELS)
    assert found.raw == pytest.approx(anova(GROUPS)[2])
    assert found.within == pytest.approx(anova(GROUPS)[1])
    sums = [sum(group) for group in GROUPS]
    squares = [sum(value**2 for value in group) for group in GROUPS]
    totals = icc(sums, [3, 2, 4, 3], squares=squares)
    assert totals.to_frame().drop(columns="flags").to_numpy() == pytest.approx(
        found.to_frame().drop(columns="flags").to_numpy()
    )
    assert (found.clusters, found.observations, found.mean_size) == (4, 12, 3)
    assert found.cv == pytest.approx(np.std([3, 2, 4, 3]) / 3)
    assert found.value == found.estimate.estimate
    assert found.sd**2 == pytest.approx(found.between + found.within)
    assert found.flags == ("few_clusters",)


def test_equal_sizes_give_searles_exact_limits() -> None:
    groups = [[3.0, 5, 4], [8, 9, 7], [2, 2, 3], [6, 7, 5], [4, 4, 9]]
    among, within, estimate = anova(groups)
    found = icc(np.concatenate(groups), cluster=np.repeat(np.arange(5), 3))
    assert found.value == pytest.approx(estimate)
    for limit, quantile in ((found.estimate.low, 0.975), (found.estimate.high, 0.025)):
        ratio = among / within / fisher.ppf(quantile, 4, 10)
        assert limit == pytest.approx((ratio - 1) / (ratio + 2), abs=1e-9)


def test_counts_of_zeros_and_ones_need_no_squares() -> None:
    cases, people = [5, 12, 30, 8], [20, 30, 60, 40]
    rows = np.concatenate([np.repeat([1.0, 0.0], [k, n - k]) for k, n in zip(cases, people, strict=True)])
    found = icc(cases, people)
    assert found == icc(rows, cluster=np.repeat(np.arange(4), people))
    assert "rare" not in found.flags
    assert "rare" in icc([1, 3, 0, 4], people).flags


def test_a_negative_estimate_is_cut_and_never_certain() -> None:
    found = icc([50, 50, 50, 50], [100, 100, 100, 100])
    assert found.raw < 0
    assert (found.value, found.estimate.low, found.between) == (0, 0, 0)
    assert "negative" in found.flags
    # its upper limit is that of an estimate of exactly zero: F = 1
    ratio = 1 / fisher.ppf(0.025, 3, 396)
    assert found.estimate.high == pytest.approx((ratio - 1) / (ratio + 99), abs=1e-9)


def test_the_distribution_agrees_with_the_limits() -> None:
    found = icc([12, 30, 18, 25, 9, 40, 22, 31], [60, 90, 50, 90, 40, 100, 80, 70], level=0.9)
    assert np.quantile(found.distribution, [0.05, 0.95], method="hazen") == pytest.approx(
        [found.estimate.low, found.estimate.high], abs=3e-3
    )
    assert (np.diff(found.distribution) >= 0).all()


@pytest.mark.parametrize(("kind", "lowest"), [("normal", 0.92), ("share", 0.90)])
def test_the_interval_covers_with_unequal_sizes(kind: str, lowest: float) -> None:
    """300 regions of 12 centres, CV 0.65, correlation 0.05: nominal 95 %; the bound leaves two errors of the
    simulation."""
    chance = np.random.default_rng(5)
    rho, inside = 0.05, 0
    for _ in range(300):
        n = np.maximum(2, chance.gamma(1 / 0.65**2, 60 * 0.65**2, 12).round()).astype(int)
        if kind == "share":
            found = icc(chance.binomial(n, chance.beta(0.3 * 19, 0.7 * 19, 12)), n)
        else:
            sums = n * chance.normal(0, np.sqrt(rho), 12) + chance.normal(0, np.sqrt(n * (1 - rho)))
            squares = (sums**2 / n) + (1 - rho) * chance.chisquare(n - 1)
            found = icc(sums, n, squares=squares)
        inside += found.estimate.low <= rho <= found.estimate.high
    assert lowest <= inside / 300 <= 0.985


def test_design_effect() -> None:
    assert design_effect(20, 0.05, 0.65) == pytest.approx(2.3725)  # Eldridge, Ashby & Kerry (2006)
    assert design_effect(20, 0.05) == pytest.approx(1.95)
    assert design_effect(1, 0.3) == 1
    assert design_effect([10, 20], [0.1, 0.05]) == pytest.approx([1.9, 1.95])
    with pytest.raises(ParameterError, match="корреляция"):
        design_effect(20, 1.5)


def test_missing_and_empty_clusters_take_no_part() -> None:
    found = icc([5, 12, np.nan, 8, 0], [20, 30, 10, 40, 0])
    assert found == icc([5, 12, 8], [20, 30, 40])
    assert found.clusters == 3


def test_no_variation_within_has_no_limits() -> None:
    found = icc([0, 20, 0, 30], [10, 20, 15, 30])
    assert found.value == 1
    assert np.isnan([found.estimate.low, found.estimate.high, *found.distribution]).all()
    assert "no_variation_within" in found.flags


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"total": [5], "n": [10]}, NotComputableError, "по одному центру"),
        ({"total": [1, 0, 1], "n": [1, 1, 1]}, NotComputableError, "одно наблюдение"),
        ({"total": [0, 0, 0], "n": [9, 9, 9]}, NotComputableError, "Исход у всех одинаков"),
        ({"total": [9, 9, 9], "n": [9, 9, 9]}, NotComputableError, "Исход у всех одинаков"),
        ({"total": [10, 2], "n": [9, 9]}, ParameterError, "числом случаев"),
        ({"total": [1.5, 2], "n": [9, 9]}, ParameterError, "числом случаев"),
        ({"total": [5.0, 2], "n": [9, 9], "squares": [1, 9]}, ParameterError, "Сумма квадратов"),
        ({"total": [5.0, 2]}, ParameterError, "Укажите число людей"),
        ({"total": [5.0, 2], "n": [9, 9], "cluster": ["а"]}, ParameterError, "меток центров"),
        ({"total": [5.0, 2], "n": [9, 9], "level": 95}, ParameterError, "уровень"),
    ],
)
def test_wrong_data(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        icc(**arguments)
