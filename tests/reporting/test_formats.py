from __future__ import annotations

import math
from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcrr_analysis.reporting import Hidden, Interval, Marked, Missing, formats
from kcrr_analysis.reporting.formats import MINUS, NBSP


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0, 0, "0"),
        (1234, 0, "1_234"),
        (1234567.25, 1, "1_234_567,3"),
        (0.5, 0, "1"),  # halves go away from zero, not to the even neighbour
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (-2.5, 0, "−3"),
        (2.675, 2, "2,68"),  # as written in decimals, not as stored in binary
        (-0.04, 1, "0,0"),
        (-0.0, 1, "0,0"),
        (5, 2, "5,00"),
        (1e21, 0, "1_000_000_000_000_000_000_000"),
        (1e-7, 1, "0,0"),
    ],
)
def test_number_reads_in_russian(value: float, decimals: int, shown: str) -> None:
    assert formats.number(value, decimals) == shown.replace("_", NBSP)


def test_numpy_numbers_read_as_pythons() -> None:
    assert formats.number(np.float64(2.5), 0) == "3"
    assert formats.number(np.float32(2.3)) == "2,3"
    assert formats.number(np.int64(1234), 0) == f"1{NBSP}234"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        formats.number(value)
    assert formats.cell(value, "int") == "нет данных"


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 6))
def test_a_number_reads_back_within_half_a_digit(value: float, decimals: int) -> None:
    shown = formats.number(value, decimals)
    read = Fraction(shown.replace(NBSP, "").replace(",", ".").replace(MINUS, "-"))
    assert abs(read - Fraction(repr(value))) <= Fraction(1, 2 * 10**decimals)
    assert "-" not in shown
    assert not (read == 0 and shown.startswith(MINUS))


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (formats.percent(12.345), "12,3_%"),
        (formats.money(1234.5), "1_235_₽"),
        (formats.points(1.25), "+1,3_п._п."),
        (formats.points(-1.2), "−1,2_п._п."),
        (formats.change(12), "+12"),
        (formats.change(-3), "−3"),
        (formats.change(0), "0"),
        (formats.change_percent(5.24), "+5,2_%"),
        (formats.change_percent(-0.01), "0,0_%"),
        (formats.interval(10.1, 12.3, "percent"), "от_10,1 до_12,3_%"),
        (formats.plain(12.3, "percent"), "12,3"),
    ],
)
def test_kinds_bring_sign_and_unit(shown: str, wanted: str) -> None:
    assert shown == wanted.replace("_", NBSP)


@pytest.mark.parametrize(
    ("content", "kind", "shown"),
    [
        (None, "int", "–"),
        (Hidden(), "int", "скрыто"),
        (Missing(), "int", "нет данных"),
        (Missing("не вычисляется: нет площади"), "int", "не вычисляется: нет площади"),
        (Marked(3), "int", "3*"),
        (Interval(1, 2), "number", "от_1,0 до_2,0"),
        (Interval(math.nan, 2), "number", "нет данных"),
        ("2025-10", "month", "октябрь 2025_г."),
        ("2025-13", "month", "2025-13"),
        ("2025-10", "text", "2025-10"),
        ("сплошной учёт", "int", "сплошной учёт"),
        ("=cmd()", "text", "=cmd()"),
        (7, "text", "7"),
        (7.25, "text", "7,3"),
        (12.5, "int", "13"),
    ],
)
def test_cell_of_every_sort(content: object, kind: str, shown: str) -> None:
    assert formats.cell(content, kind) == shown.replace("_", NBSP)  # type: ignore[arg-type]


def test_months_in_three_cases() -> None:
    names = [formats.month(f"2025-{number:02}").split()[0] for number in range(1, 13)]
    genitive = [formats.month(f"2025-{number:02}", "genitive").split()[0] for number in range(1, 13)]
    inside = [formats.in_month(f"2025-{number:02}").replace(NBSP, " ") for number in range(1, 13)]
    assert " ".join(names) == ("январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь")
    assert " ".join(genitive) == ("января февраля марта апреля мая июня июля августа сентября октября ноября декабря")
    assert inside[0] == "в январе 2025 г."
    assert [text.split()[1] for text in inside[1:5]] == ["феврале", "марте", "апреле", "мае"]


def test_months_from_periods_and_dates() -> None:
    wanted = f"октябрь 2025{NBSP}г."
    assert formats.month(pd.Period("2025-10", "M")) == wanted
    assert formats.month(pd.Timestamp("2025-10-07")) == wanted
    assert formats.month(date(2025, 10, 7)) == wanted
    assert formats.month_short("2025-01") == f"янв{NBSP}2025"
    assert formats.month_short(formats.month_index("2024-12") + 1) == f"янв{NBSP}2025"
    with pytest.raises(ValueError, match="YYYY-MM"):
        formats.month("октябрь")


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("2025-01", "2025-10", "январь – октябрь 2025_г."),
        ("2024-11", "2025-03", "ноябрь 2024_г. – март 2025_г."),
        ("2025-10", "2025-10", "октябрь 2025_г."),
    ],
)
def test_month_range(first: str, last: str, shown: str) -> None:
    assert formats.month_range(first, last) == shown.replace("_", NBSP)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0 человек"), (1, "1 человек"), (2, "2 человека"), (5, "5 человек"), (11, "11 человек"), (12, "12 человек"),
     (21, "21 человек"), (22, "22 человека"), (111, "111 человек"), (1.5, "1,5 человека"), (1234, "1 234 человека")],
)  # fmt: skip
def test_people_agree_with_the_number(amount: float, shown: str) -> None:
    assert formats.people(amount).replace(NBSP, " ") == shown


def test_enumeration() -> None:
    assert [formats.enumeration(words) for words in ([], ["а"], ["а", "б"], ["а", "б", "в"])] == [
        "",
        "а",
        "а и б",
        "а, б и в",
    ]


@given(st.text())
def test_clean_text_is_fit_for_xml(text: str) -> None:
    kept = formats.clean(text)
    assert formats.clean(kept) == kept
    assert all(c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) & 0xFFFE != 0xFFFE for c in kept)


def test_clean_keeps_words_and_drops_tricks() -> None:
    assert formats.clean("а\x00б\x1b\u202eв\ud800 г\nд\tе") == "абв г д е"
