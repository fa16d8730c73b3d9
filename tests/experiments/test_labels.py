"""Identifiers and periods as tables bring them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.labels import identifiers, in_order, without_gaps


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([1, 12]), ["1", "12"]),
        (pd.Series([1.0, np.nan]), ["1", None]),
        (pd.Series([1.5, 2.0]), ["1.5", "2.0"]),
        (pd.Series([" 01 ", "", None]), ["01", None, None]),
        (pd.Series(["b", "a"], dtype="category"), ["b", "a"]),
        (pd.Series([1, None], dtype="Int64"), ["1", None]),
    ],
)
def test_identifiers_become_text(values: pd.Series, expected: list[str | None]) -> None:
    found = identifiers(values)
    assert [None if pd.isna(one) else one for one in found] == expected
    assert identifiers(found).dropna().tolist() == [one for one in expected if one is not None]


MONTHS = [pd.Period("2024-12", "M"), pd.Period("2025-01", "M")]
DAYS = [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-02-01")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([10, 9, 9], [9, 10]),
        (["10", "9"], ["9", "10"]),
        (["неделя 10", "неделя 2"], ["неделя 2", "неделя 10"]),
        (["2025-10", "2025-09"], ["2025-09", "2025-10"]),
        (list(reversed(MONTHS)), MONTHS),
        (list(reversed(DAYS)), DAYS),
    ],
)  # fmt: skip
def test_periods_stand_in_time(given: list[Any], expected: list[Any]) -> None:
    assert in_order(pd.Series(given, name="month")) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["1", None], "не заполнен в строке 2"),
        ([1, "2"], "порядок периодов не определить"),
        ([pd.Timestamp("2025-01-01"), 3], "порядок периодов не определить"),
        (["март", "апрель"], "«март» порядок"),
        (["01.02.2025", "15.01.2025"], "Запишите все периоды одинаково"),
    ],
)
def test_periods_without_an_order_are_refused(given: list[Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        in_order(pd.Series(given, name="month", dtype=object))


@pytest.mark.parametrize(
    "periods",
    [[1, 2, 4], ["2025-11", "2025-12", "2026-02"], ["1", "2", "5"], [*MONTHS, pd.Period("2025-05", "M")]],
)  # fmt: skip
def test_a_gap_is_refused(periods: list[Any]) -> None:
    with pytest.raises(ParameterError, match="пропущены периоды"):
        without_gaps(periods, "month")


@pytest.mark.parametrize(
    "periods", [[1, 2, 3], [2, 4, 6], ["2025-11", "2025-12", "2026-01"], ["неделя 1", "неделя 2", "неделя 9"], [1, 7]]
)
def test_equal_steps_and_unknown_scales_pass(periods: list[Any]) -> None:
    without_gaps(periods, "month")
