"""Arguments are checked alike everywhere, and results keep the shape of what was given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError

OF_COUNTS: dict[str, Callable[..., stats.Estimate]] = {
    "wilson": stats.wilson,
    "clopper_pearson": stats.clopper_pearson,
    "newcombe": lambda k, n, **settings: stats.newcombe(k, n, 3, 9, **settings),
    "miettinen_nurminen": lambda k, n, **settings: stats.miettinen_nurminen(3, 9, k, n, **settings),
}
OF_SUMS: dict[str, Callable[..., stats.Estimate]] = {
    "poisson": lambda k, **settings: stats.poisson(k, 2.0, **settings),
    "rate_ratio": lambda k, **settings: stats.rate_ratio(k, 1, 3, 1, **settings),
    "weighted_poisson": lambda k, **settings: stats.weighted_poisson(k, 9, 2, **settings),
    "compound_poisson": lambda k, **settings: stats.compound_poisson([k, 3], **settings),
}
OTHERS: dict[str, Callable[..., object]] = {
    "ratio": partial(stats.ratio, [1, 2], [3, 4]),
    "difference_of_ratios": partial(stats.difference_of_ratios, [1, 2], [3, 4], np.array([True, False])),
    "bootstrap": partial(stats.bootstrap, [1, 2], np.mean, seed=1),
    "rank_intervals": partial(stats.rank_intervals, [1, 2], 1),
}
LEVELS: dict[str, Callable[..., object]] = (
    {name: partial(method, 3, 9) for name, method in OF_COUNTS.items()}
    | {name: partial(method, 3) for name, method in OF_SUMS.items()}
    | OTHERS
)


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan"), "95 %", None])
def test_a_level_outside_0_and_1_is_refused(name: str, level: object) -> None:
    with pytest.raises(ParameterError, match=r"Доверительный уровень .* недопустим"):
        LEVELS[name](level=level)


@pytest.mark.parametrize("name", OF_COUNTS)
@pytest.mark.parametrize(
    ("k", "n", "message"),
    [
        (4, 3, "Случаев не может быть больше"),
        (-1, 3, "неотрицательные"),
        (0, -3, "неотрицательные"),
        ([1, 5], [3, 4], "Случаев не может быть больше"),
        (np.inf, 3, "конечные"),
        ("много", 3, "Укажите числа"),
        ([1, 2, 3], [4, 5], "Длины рядов не совпадают"),
    ],
)
def test_counts_that_cannot_be_are_refused(name: str, k: Any, n: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        OF_COUNTS[name](k, n)


@pytest.mark.parametrize("name", OF_SUMS)
@pytest.mark.parametrize("k", [-1, np.inf])
def test_negative_and_infinite_counts_are_refused(name: str, k: float) -> None:
    with pytest.raises(ParameterError, match="Недопустимое значение"):
        OF_SUMS[name](k)


@pytest.mark.parametrize("call", [lambda: stats.clopper_pearson(1.5, 3), lambda: stats.poisson(1.5)])
def test_exact_methods_need_whole_counts(call: Callable[[], stats.Estimate]) -> None:
    with pytest.raises(ParameterError, match=r"1.5\. Укажите целые числа"):
        call()


@pytest.mark.parametrize("name", OF_COUNTS)
def test_no_trials_and_missing_counts_are_unknown_not_an_error(name: str) -> None:
    found = OF_COUNTS[name]([0, 2, np.nan], [0, 4, 4])
    for value in (found.estimate, found.low, found.high, found.se):
        assert np.isnan(value).tolist() == [True, False, True]
    assert np.isnan(OF_COUNTS[name](0, 0).low)


@pytest.mark.parametrize("name", OF_COUNTS)
def test_scalars_give_floats_and_arrays_give_the_same_numbers(name: str) -> None:
    one = OF_COUNTS[name](3, 9)
    many = OF_COUNTS[name]([[3, 0], [9, 5]], 9)
    for field in dataclasses.fields(one):
        value = getattr(one, field.name)
        if field.name not in ("level", "method"):
            assert isinstance(value, float)
            assert getattr(many, field.name).shape == (2, 2)
            assert getattr(many, field.name)[0, 0] == value


def test_nullable_and_missing_pandas_values_are_taken() -> None:
    found = stats.wilson(pd.Series([3, None], dtype="Int64"), pd.Series([9, 9]))
    assert found.low[0] == stats.wilson(3, 9).low
    assert np.isnan(found.low[1])


def test_an_estimate_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.wilson(1, 2).low = 0.0  # type: ignore[misc]
