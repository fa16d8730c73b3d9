"""Ratios of sums over independent units, and their differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError

TOP = np.array([3.0, 5.0, 2.0, 9.0, 4.0, 1.0])
BOTTOM = np.array([10.0, 12.0, 9.0, 31.0, 11.0, 8.0])


def left_out(top: np.ndarray, bottom: np.ndarray) -> float:
    """Jackknife variance about the ratio itself, unit by unit."""
    g, whole = len(top), top.sum() / bottom.sum()
    rest = [np.delete(top, i).sum() / np.delete(bottom, i).sum() for i in range(g)]
    return float((g - 1) / g * sum((value - whole) ** 2 for value in rest))


def test_the_error_is_what_leaving_units_out_gives() -> None:
    found = stats.ratio(TOP, BOTTOM)
    assert found.estimate == pytest.approx(24 / 81)
    assert found.se == pytest.approx(np.sqrt(left_out(TOP, BOTTOM)))
    spread = np.exp(student.ppf(0.975, 5) * found.se / found.estimate)
    assert (found.low, found.high) == pytest.approx((found.estimate / spread, found.estimate * spread))
    assert found.n == 6


def test_equal_denominators_give_students_error_of_a_mean() -> None:
    found = stats.ratio(TOP - 4, np.ones(6))
    half = student.ppf(0.975, 5) * TOP.std(ddof=1) / np.sqrt(6)
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half))


def test_clusters_are_their_totals() -> None:
    cluster = np.array(["б", "а", "б", "в", "а", "в"])
    found = stats.ratio(TOP, BOTTOM, cluster=cluster)
    expected = stats.ratio([9, 5, 10], [23, 19, 39])
    assert found == expected
    assert stats.ratio(TOP, BOTTOM, cluster=cluster.astype(object)) == expected


def test_order_and_scale_do_not_matter() -> None:
    found, turned = stats.ratio(TOP, BOTTOM), stats.ratio(1000 * TOP[::-1], BOTTOM[::-1])
    assert (turned.estimate, turned.low, turned.high) == pytest.approx(
        (1000 * found.estimate, 1000 * found.low, 1000 * found.high)
    )


@pytest.mark.parametrize(
    ("top", "bottom", "estimate"),
    [
        ([], [], np.nan),
        ([1, 2], [0, 0], np.nan),
        ([1], [2], 0.5),
        ([0, 0], [1, 1], 0.0),
        ([1, 2], [0, 3], 1.0),  # one unit alone has a denominator
        ([0.0, 9.0], [1, 1], 4.5),  # two units this far apart say nothing
    ],
)
def test_too_little_to_go_by_has_no_limits(top: list[float], bottom: list[float], estimate: float) -> None:
    found = stats.ratio(top, bottom)
    assert found.estimate == pytest.approx(estimate, nan_ok=True)
    assert np.isnan([found.low, found.high]).all()


def test_units_without_either_are_no_sample() -> None:
    assert stats.ratio([*TOP, 0, 0], [*BOTTOM, 0, 0]) == stats.ratio(TOP, BOTTOM)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"numerator": [1, np.nan], "denominator": [1, 1]}, "пропуски"),
        ({"numerator": [1, 1], "denominator": [1, -1]}, "знаменатель"),
        ({"numerator": [1, 1, 1], "denominator": [1, 1]}, "Длины"),
        ({"numerator": [1, 1], "denominator": [1, 1], "cluster": ["а"]}, "меток кластеров"),
        ({"numerator": [1, 1], "denominator": [1, 1], "cluster": ["а", None]}, "Меток кластеров нет в строках: 1"),
        ({"numerator": [1, 1], "denominator": [1, 1], "cluster": [1.0, np.nan]}, "Меток кластеров нет в строках: 1"),
    ],
)
def test_faulty_rows_are_refused(arguments: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        stats.ratio(**arguments)


def test_the_difference_is_welchs_test_where_denominators_are_equal() -> None:
    from scipy.stats import ttest_ind

    inside = np.array([True] * 6 + [False] * 5)
    values = np.array([3.0, 5, 2, 9, 4, 1, 8, 9, 6, 7, 12])
    found = stats.difference_of_ratios(values, np.ones(11), inside)
    welch = ttest_ind(values[inside], values[~inside], equal_var=False)
    assert (found.p, found.df) == pytest.approx((welch.pvalue, welch.df))
    assert (found.low, found.high) == pytest.approx(tuple(welch.confidence_interval()))
    assert found.estimate == pytest.approx(4 - 8.4)
    assert found.n == 11


def test_units_in_both_sets_bring_their_covariance() -> None:
    """Every unit in both sets with equal denominators: the paired t test."""
    from scipy.stats import ttest_rel

    before, after = TOP, TOP + np.array([1.0, 0.5, 2.0, 1.5, -0.5, 1.0])
    found = stats.difference_of_ratios(
        np.concatenate([after, before]), np.ones(12), np.arange(12) < 6, cluster=np.tile(np.arange(6), 2)
    )
    paired = ttest_rel(after, before)
    assert (found.p, found.df, found.n) == pytest.approx((paired.pvalue, 5, 6))


def test_nullable_pandas_columns_are_taken() -> None:
    top, bottom = pd.Series(TOP).astype("Int64"), pd.Series(BOTTOM).astype("Int64")
    labels = pd.Series(list("аабвгд"), dtype="category")
    assert stats.ratio(top, bottom, cluster=labels) == stats.ratio(TOP, BOTTOM, cluster=[0, 0, 1, 2, 3, 4])
    inside = pd.Series(TOP > 3, dtype="boolean")
    assert stats.difference_of_ratios(top, bottom, inside) == stats.difference_of_ratios(TOP, BOTTOM, TOP > 3)


def test_a_set_of_one_unit_or_none_has_no_test() -> None:
    for inside in (np.arange(6) < 1, np.arange(6) < 0):
        found = stats.difference_of_ratios(TOP, BOTTOM, inside)
        assert np.isnan([found.low, found.high, found.p, found.df]).all()


def test_faulty_sets_are_refused() -> None:
    with pytest.raises(ParameterError, match="inside"):
        stats.difference_of_ratios(TOP, BOTTOM, [1, 0, 1, 0, 1, 0])
    with pytest.raises(ParameterError, match="одной длины"):
        stats.difference_of_ratios(TOP, BOTTOM[:5], TOP > 3)


def test_coverage_and_false_alarms_on_skewed_campaigns() -> None:
    rng = np.random.default_rng(20_253)
    inside = rate = 0
    p = []
    for _ in range(1500):
        reach = np.ceil(300 * np.exp(0.8 * rng.standard_normal(24)))
        customers = rng.poisson(reach * 0.05 * rng.gamma(4, 1 / 4, 24))
        found = stats.ratio(customers, reach)
        inside += found.low <= 0.05 <= found.high
        rate += 1
        p.append(stats.difference_of_ratios(customers, reach, np.arange(24) < 8).p)
    assert 0.92 <= inside / rate <= 0.97
    assert 0.025 <= np.mean(np.array(p) < 0.05) <= 0.075
