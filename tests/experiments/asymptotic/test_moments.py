"""Moments by arm against pandas, their digits, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.asymptotic import moments as room
from kcrr_analysis.experiments.asymptotic.moments import moments


def rows(persons: int = 50_000, seed: int = 1) -> pd.DataFrame:
    """More rows than a block holds, three arms, columns of several kinds."""
    chance = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "arm": chance.choice(["новый", "старый", "третий"], persons, p=[0.5, 0.4, 0.1]),
            "visits": chance.poisson(3, persons),
            "came": chance.random(persons) < 0.2,
            "rating": chance.normal(size=persons),
            "single": chance.normal(size=persons).astype("float32"),
            "nullable": pd.array(chance.integers(0, 9, persons), dtype="Int64"),
        }
    )


COLUMNS = ["visits", "came", "rating", "single", "nullable"]


@pytest.mark.parametrize("kind", ["object", "category", "codes", "sorted"])
def test_means_and_covariances_are_those_of_pandas(kind: str) -> None:
    data = rows()
    if kind == "category":
        data["arm"] = pd.Categorical(data["arm"], categories=["лишний", "новый", "старый", "третий"])
    elif kind == "codes":
        data["arm"] = data["arm"].map({"новый": 1, "старый": 0, "третий": 7})
    elif kind == "sorted":
        data = data.sort_values(["arm", "rating"])
    found = moments(data, "arm", COLUMNS)
    numbers = data[COLUMNS].astype(float)
    for position, arm in enumerate(found.arms):
        own = numbers[data["arm"] == arm]
        assert found.n[position] == len(own)
        assert found.mean[position] == pytest.approx(own.mean().to_numpy())
        assert found.covariance[position] == pytest.approx(own.cov().to_numpy())
    assert found.arms == tuple(sorted(data["arm"].unique()))


def test_large_values_with_small_spread_keep_their_digits() -> None:
    chance = np.random.default_rng(2)
    noise = chance.normal(size=40_000)
    data = pd.DataFrame({"arm": np.arange(40_000) % 2, "y": 1e9 + noise})
    found = moments(data, "arm", ["y"])
    for arm in (0, 1):
        assert found.covariance[arm, 0, 0] == pytest.approx((data["y"][data["arm"] == arm] - 1e9).var(), rel=1e-9)


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=40),
    shift=st.floats(-1e6, 1e6),
    block=st.integers(2, 50),
)
@settings(max_examples=60, deadline=None)
def test_neither_blocks_nor_a_shift_matter(values: list[float], shift: float, block: int) -> None:
    y = np.array(values)
    data = pd.DataFrame({"arm": np.arange(y.size) % 2, "y": y, "z": y[::-1] + shift})
    patch = pytest.MonkeyPatch()
    patch.setattr(room, "BLOCK", block)
    try:
        found = moments(data, "arm", ["y", "z"])
    finally:
        patch.undo()
    for arm in (0, 1):
        own = data.loc[data["arm"] == arm, ["y", "z"]]
        assert found.mean[arm] == pytest.approx(own.mean().to_numpy(), abs=1e-6)
        assert found.covariance[arm] == pytest.approx(own.cov().to_numpy(), rel=1e-6, abs=1e-3)


def test_a_column_without_spread_has_no_variance_and_an_arm_of_one_unknown() -> None:
    found = moments(pd.DataFrame({"arm": ["а", "а", "а", "б"], "y": [0.1, 0.1, 0.1, 5.0]}), "arm", ["y", "y"])
    assert found.columns == ("y",)
    assert found.covariance[0, 0, 0] == pytest.approx(0, abs=1e-30)
    assert found.covariance[0, 0, 0] >= 0
    assert np.isnan(found.covariance[1, 0, 0])
    assert found.mean[:, 0] == pytest.approx([0.1, 5])


@pytest.mark.parametrize(
    ("data", "columns", "message"),
    [
        ({"arm": [0, 1], "y": [1.0, 2.0]}, ["z"], "Нет столбцов: z"),
        ({"arm": [0, 1], "y": [1.0, 2.0]}, [], "показатели не указаны"),
        ({"arm": [], "y": []}, ["y"], "ни одного человека"),
        ({"arm": [0, 1, 1], "y": [1.0, np.nan, 2.0]}, ["y"], "пропуски или бесконечные значения: y"),
        ({"arm": [0, 1, 1], "y": [1.0, np.inf, 2.0]}, ["y"], "пропуски или бесконечные"),
        ({"arm": [0, 1, 1], "y": pd.array([1, None, 2], dtype="Int64")}, ["y"], "пропуски"),
        ({"arm": [0, None, 1], "y": [1.0, 1.0, 2.0]}, ["y"], "Не у всех людей указана группа"),
        ({"arm": [0, 1], "y": ["а", "б"]}, ["y"], "не числовой"),
    ],
)
def test_faulty_rows_are_refused(data: dict, columns: list[str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        moments(pd.DataFrame(data), "arm", columns)


def test_an_unknown_arm_or_column_is_named() -> None:
    found = moments(rows(100), "arm", ["visits"])
    with pytest.raises(ParameterError, match=r"Группы «x» в данных нет\. Есть: «новый»"):
        found.arm("x")
    with pytest.raises(ParameterError, match="Показателя «x» среди посчитанных нет"):
        found.column("x")
