"""A panel of units by period: order, scales, and clear refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.not_randomised.panel import panel

MONTHS = pd.period_range("2025-01", periods=4, freq="M")
ROWS = pd.DataFrame(
    [
        {"center_id": unit, "month": month, "applied": base + 10 * at, "staff": base / 10}
        for unit, base in (("b", 100), ("a", 200), ("c", 50))
        for at, month in enumerate(MONTHS)
    ]
)


def test_units_and_periods_are_ordered_and_starts_found() -> None:
    made = panel(ROWS.sample(frac=1, random_state=1), outcome="applied", treated={"b": "2025-03"})
    assert made.units == ("a", "b", "c")
    assert made.periods == tuple(MONTHS)
    assert made.values.tolist() == [[200, 210, 220, 230], [100, 110, 120, 130], [50, 60, 70, 80]]
    assert made.first.tolist() == [4, 2, 4]
    assert made.start == 2
    assert made.named(made.treated) == ("b",)


def test_a_weight_divides_the_totals() -> None:
    made = panel(ROWS, outcome="applied", treated=["b"], start="2025-03", weight="staff")
    assert made.values[0].tolist() == [10, 10.5, 11, 11.5]
    assert made.totals[0].tolist() == [200, 210, 220, 230]


def test_relative_is_percent_of_the_units_own_past() -> None:
    made = panel(ROWS, outcome="applied", treated="b", start="2025-03", scale="relative")
    assert made.values[1] == pytest.approx([100 * 100 / 105, 100 * 110 / 105, 100 * 120 / 105, 100 * 130 / 105])
    assert made.values[:, :2].mean(axis=1) == pytest.approx(100)


def test_log_is_the_natural_one() -> None:
    made = panel(ROWS, outcome="applied", treated="b", start="2025-03", scale="log")
    assert made.values[2] == pytest.approx(np.log([50, 60, 70, 80]))


def test_an_untreated_unit_with_a_gap_is_refused_or_left_out() -> None:
    rows = ROWS[~((ROWS["center_id"] == "c") & (ROWS["month"] == MONTHS[1]))]
    with pytest.raises(ParameterError, match=r"c нет значения за 2025-02.*gaps"):
        panel(rows, outcome="applied", treated="b", start="2025-03")
    made = panel(rows, outcome="applied", treated="b", start="2025-03", gaps="leave_out")
    assert made.units == ("a", "b")
    assert made.left_out == ("c",)


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        (lambda rows: rows, {"treated": ["z"], "start": "2025-03"}, "нет в данных: z"),
        (lambda rows: rows, {"treated": [], "start": "2025-03"}, "ни один центр"),
        (lambda rows: rows, {"treated": ["a"]}, "Не указан первый период"),
        (lambda rows: rows, {"treated": ["a"], "start": "2026-03"}, "охватывают 2025-01 – 2025-04"),
        (lambda rows: rows, {"treated": ["a"], "start": "март"}, "не распознан"),
        (lambda rows: rows, {"treated": ["a"], "start": "2025-01"}, "нет ни одного периода до начала"),
        (lambda rows: rows, {"treated": ["a", "b", "c"], "start": "2025-03"}, "сравнивать не с кем"),
        (lambda rows: rows, {"treated": ["a"], "start": "2025-03", "scale": "cube"}, "Шкала «cube» неизвестна"),
        (lambda rows: rows.rename(columns={"applied": "x"}), {"treated": ["a"], "start": "2025-03"}, "нет столбцов"),
        (lambda rows: pd.concat([rows, rows[:1]]), {"treated": ["a"], "start": "2025-03"}, "несколько раз"),
        (lambda rows: rows[:0], {"treated": ["a"], "start": "2025-03"}, "таблица пуста"),
        (lambda rows: rows[rows["month"] != MONTHS[1]], {"treated": ["a"], "start": "2025-03"}, "Нет данных ни одного"),
        (lambda rows: rows.iloc[:7], {"treated": ["a"], "start": "2025-03", "gaps": "leave_out"}, "исключить нельзя"),
        (lambda rows: rows.assign(staff=0), {"treated": ["a"], "start": "2025-03", "weight": "staff"}, "делить на них"),
        (lambda rows: rows.assign(applied=0), {"treated": ["a"], "start": "2025-03", "scale": "log"}, "логарифм"),
        (lambda rows: rows.assign(applied=0), {"treated": ["a"], "start": "2025-03", "scale": "relative"}, "нулю"),
    ],
)
def test_faults_are_named(change, settings, words) -> None:
    with pytest.raises(ParameterError, match=words):
        panel(change(ROWS), outcome="applied", **settings)


def test_different_starts_have_no_common_one() -> None:
    made = panel(ROWS, outcome="applied", treated={"a": "2025-02", "b": "2025-03"})
    with pytest.raises(ParameterError, match=r"2025-02, 2025-03.*поэтапного"):
        _ = made.start


def test_years_are_periods_too() -> None:
    rows = ROWS.assign(year=[2020, 2021, 2022, 2023] * 3)
    assert panel(rows, outcome="applied", treated="a", start=2022, period="year").start == 2
