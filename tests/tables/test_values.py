from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.tables.columns import DTYPES, ColumnContract, Kind
from kcrr_analysis.tables.values import ABSENT, Parsed, calendar_date, is_absent, month, number, parse

MONTHS = [
    "январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
]  # fmt: skip
GENITIVE = [
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
    "декабря",
]  # fmt: skip


def parsed(kind: Kind, *words: str | None, **contract: object) -> Parsed:
    column = ColumnContract("x", "Столбец", kind, **contract)  # type: ignore[arg-type]
    return parse(pd.Series(list(words), dtype="string"), column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,5", 12.5), ("12.5", 12.5), ("1 234,5", 1234.5), ("1\u00a0234", 1234), ("1\u202f234\u202f567", 1234567),
        ("1\u2009234", 1234), ("−3", -3), ("-3", -3), ("+4", 4), ("0", 0), ("007", 7), ("1e3", 1000),
        ("1,234.5", None), ("12 34", None), ("1.234.567", None), ("12тыс", None), ("x", None), ("", None),
        ("1e999", None),
        ("0x10", None), ("inf", None), ("nan", None), ("1_000", None), ("½", None),
    ],
)  # fmt: skip
def test_number(text: str, value: float | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    ["01.10.2025", "31.10.2025", "1 октября 2025 г.", "«1» октября 2025 года", "окт.2025", "окт 2025", "октябрь 2025",
     "Октябрь 2025 г.", "ОКТЯБРЬ, 2025", "октября 2025", "10.2025", "2025-10", "2025-10-01", "2025.10", "2025/10",
     "10/2025", "1.10.25", "2025-10-01T00:00:00", "2025-10-01 00:00:00", " 2025-10 "],
)  # fmt: skip
def test_every_form_of_a_month(text: str) -> None:
    assert month(text) == pd.Period("2025-10", "M")


@pytest.mark.parametrize(
    "text", ["13.2025", "2025-00", "октбрь 2025", "январь-октябрь 2025", "2025", "x", "IV кв. 2025"]
)
def test_no_month(text: str) -> None:
    assert month(text) is None


@pytest.mark.parametrize(
    "text",
    ["2025-10-07", "07.10.2025", "7.10.2025", "7.10.25", "7 октября 2025 г.", "7 окт. 2025", "2025-10-07T00:00:00"],
)
def test_every_form_of_a_date(text: str) -> None:
    assert calendar_date(text) == date(2025, 10, 7)


@pytest.mark.parametrize(
    "text", ["31.02.2025", "07/10/2025", "2025-10-07T12:00:00", "45931", "октябрь 2025", "32.01.2025"]
)
def test_no_date(text: str) -> None:
    assert calendar_date(text) is None


NO_NUL = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
"""Files with a NUL character are refused on reading; pandas takes what follows one in a text for absent."""


@settings(deadline=None)
@given(st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).map(lambda x: round(x, 3)))
def test_numbers_written_in_russian_read_back(value: float) -> None:
    text = f"{value:,.3f}".replace(",", "\u00a0").replace(".", ",")
    assert number(text) == pytest.approx(value, abs=1e-9)


@settings(deadline=None)
@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_counts_read_back(value: int) -> None:
    result = parsed("count", f"{value:,}".replace(",", " "))
    assert result.values[0] == value
    assert not result.bad[0]


@settings(deadline=None)
@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 12, 31)))
def test_dates_read_back_in_every_form(day: date) -> None:
    forms = [
        day.isoformat(),
        f"{day.day:02}.{day.month:02}.{day.year}",
        f"{day.day} {GENITIVE[day.month - 1]} {day.year} г.",
    ]
    assert [calendar_date(form) for form in forms] == [day] * 3
    own = pd.Period(year=day.year, month=day.month, freq="M")
    named = [f"{MONTHS[day.month - 1]} {day.year}", f"{day.month:02}.{day.year}", str(own), *forms]
    assert [month(form) for form in named] == [own] * 6


@settings(deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(min_value=-12, max_value=12))
def test_moments_read_back_whatever_the_zone(moment: object, hours: int) -> None:
    stamp = pd.Timestamp(moment).tz_localize("UTC")  # type: ignore[arg-type]
    local = stamp.tz_convert(f"{'+' if hours >= 0 else '-'}{abs(hours):02}:00")
    assert parsed("time", local.isoformat()).values[0] == stamp


@settings(deadline=None)
@given(st.floats(min_value=0, max_value=1).map(lambda x: round(x, 4)))
def test_shares_as_fractions_and_percents_are_one(value: float) -> None:
    texts = [f"{value}".replace(".", ","), f"{value * 100:.2f} %".replace(".", ","), f"{value * 100:.2f}%"]
    assert parsed("share", *texts).values.tolist() == pytest.approx([value] * 3, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.text(NO_NUL, max_size=12), max_size=20), st.sampled_from(list(DTYPES)))
def test_any_text_gives_the_kind_dtype_and_marks_what_it_cannot_read(words: list[str], kind: Kind) -> None:
    column = ColumnContract("x", "x", kind, choices={"a": ("б",)} if kind == "choice" else {})
    result = parse(pd.Series(words, dtype="string"), column)
    assert str(result.values.dtype) == column.dtype
    missing = result.values.isna().to_numpy()
    absent = np.array([is_absent(word) for word in words], dtype=bool)
    assert not (result.bad & ~missing).any()
    if kind != "text":
        assert (missing == (result.bad | absent)).all()


@pytest.mark.parametrize("mark", sorted(ABSENT))
def test_marks_of_absence_are_missing_not_bad(mark: str) -> None:
    result = parsed("count", mark, mark.upper(), f"  {mark} ", None)
    assert result.values.isna().all()
    assert not result.bad.any()


def test_a_word_like_none_is_text_in_a_text_column() -> None:
    assert parsed("text", "None", "нет").values.tolist() == ["None", "нет"]


def test_money_drops_the_currency() -> None:
    values = parsed("money", "1 234,50 ₽", "12 руб.", "5 рублей", "7 р.", "3 тыс. руб.").values
    assert values[:4].tolist() == [1234.5, 12, 5, 7]
    assert math.isnan(values[4])


def test_counts_must_be_whole() -> None:
    result = parsed("count", "5,0", "5,5", "1e20")
    assert result.values.tolist() == [5, pd.NA, pd.NA]
    assert result.bad.tolist() == [False, True, True]


def test_times_need_a_zone() -> None:
    result = parsed(
        "time", "2025-10-01T12:30:00+03:00", "2025-10-01 12:30Z", "2025-10-01T12:30:00", "2025-13-01T00:00Z"
    )
    assert result.bad.tolist() == [False, False, True, True]
    assert result.values[0] == pd.Timestamp("2025-10-01T09:30:00Z")


def test_flags() -> None:
    result = parsed("flag", "да", "НЕТ", "1", "0", "истина", "может быть")
    assert result.values.tolist() == [True, False, True, False, True, pd.NA]
    assert result.bad.tolist() == [False] * 5 + [True]


def test_years() -> None:
    assert parsed("year", "2025", "2025 г.", "2025 год", "25,5").values.tolist() == [2025, 2025, 2025, pd.NA]


def test_choices_by_code_and_by_word() -> None:
    result = parsed("choice", "REGION", "Регион", "учёт", "центр", choices={"region": ("регион",), "center": ("учет",)})
    assert result.values.tolist() == ["region", "region", "center", pd.NA]


def test_codes_stay_text_and_a_lost_zero_of_a_region_comes_back_marked() -> None:
    assert parsed("code", "01", "1", "007").values.tolist() == ["01", "1", "007"]
    result = parsed("code", "01", "1", "77", dictionary="regions")
    assert result.values.tolist() == ["01", "01", "77"]
    assert result.mended.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("count", pd.Series([2**64 - 1], dtype="uint64"), [pd.NA]),
        ("count", pd.Series([1.0, np.nan, 2.5]), [1, pd.NA, pd.NA]),
        ("count", pd.Series([1, 2]), [1, 2]),
        ("number", pd.Series([1, 2]), [1.0, 2.0]),
        ("code", pd.Series([1.0, 77.0]), ["1", "77"]),
        ("flag", pd.Series([True, False]), [True, False]),
        ("flag", pd.Series([1, 0]), [True, False]),
        ("month", pd.Series(pd.to_datetime(["2025-10-01", None])), [pd.Period("2025-10", "M"), pd.NaT]),
        ("month", pd.Series([date(2025, 10, 1)]), [pd.Period("2025-10", "M")]),
        (
            "date",
            pd.Series(pd.to_datetime(["2025-10-01", "2025-10-01T12:00"], format="ISO8601")),
            [pd.Timestamp("2025-10-01"), pd.NaT],
        ),
        ("time", pd.Series(pd.to_datetime(["2025-10-01T12:00+03:00"])), [pd.Timestamp("2025-10-01T09:00Z")]),
    ],
)
def test_values_that_already_have_a_type(kind: Kind, raw: pd.Series[Any], expected: list[Any]) -> None:
    column = ColumnContract("x", "x", kind)
    result = parse(raw, column)
    assert str(result.values.dtype) == column.dtype
    for value, due in zip(result.values, expected, strict=True):
        assert (pd.isna(value) and pd.isna(due)) or value == due  # type: ignore[call-overload]


def test_a_naive_time_with_a_type_is_bad() -> None:
    result = parse(pd.Series(pd.to_datetime(["2025-10-01 12:00"])), ColumnContract("x", "x", "time"))
    assert result.bad.tolist() == [True]
