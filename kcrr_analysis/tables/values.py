"""Text as people write it -> values: decimal commas, Russian dates, percent signs, marks of absence.

A column is parsed by its distinct values: each is read once, whatever the number of rows. A cell that cannot be read
becomes missing and is marked, so that all faults of a file can be listed at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.tables.columns import ColumnContract, Kind

ABSENT = frozenset({
    "", "-", "–", "—", "−", "…", "...", "..", "н/д", "нд", "н.д.", "нет данных", "нет сведений", "#н/д", "#n/a", "n/a",
    "na", "nan", "none", "null", "<na>", "nat",
})  # fmt: skip
"""What people write where there is no value; compared without case and outer spaces."""

_TEXT_ABSENT = ABSENT - {"na", "none", "nat", "нд"}

WANTED: Mapping[Kind, tuple[str, str]] = {
    "count": ("нужно целое число", "Запишите число цифрами без дробной части, например 1250."),
    "year": ("нужен год", "Запишите год четырьмя цифрами, например 2025."),
    "number": ("нужно число", "Запишите число цифрами, например 12,5; разделитель тысяч только пробел."),
    "money": ("нужна сумма в рублях", "Запишите сумму цифрами, например 12500,50; в рублях, не в тысячах."),
    "share": ("нужна доля", "Запишите долю от 0 до 1 (0,123) или проценты со знаком (12,3 %)."),
    "month": ("нужен месяц", "Запишите месяц как 2025-10, 10.2025 или октябрь 2025."),
    "date": ("нужна дата", "Запишите дату как 2025-10-01, 01.10.2025 или 1 октября 2025 г."),
    "time": ("нужно время с часовым поясом", "Запишите как 2025-10-01T12:30:00+03:00."),
    "flag": ("нужно да или нет", "Запишите да, нет, 1 или 0."),
    "choice": ("значение не из списка", ""),
    "code": ("код не читается", "Запишите код текстом."),
    "text": ("текст не читается", "Запишите значение текстом."),
}
"""What each kind wants and how to mend a cell, in Russian."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed column.

    Attributes:
        values: Typed values, missing where the cell was empty or unreadable; the index of the input.
        bad: True where the cell holds something that cannot be read.
        mended: True where the value was changed silently by the reader's rule (a leading zero put back).
    """

    values: pd.Series[Any]
    bad: np.ndarray[Any, np.dtype[np.bool_]]
    mended: np.ndarray[Any, np.dtype[np.bool_]]


def parse(raw: pd.Series[Any], column: ColumnContract) -> Parsed:
    """`raw` as the kind of `column`.

    Args:
        raw: Text as read from a file, or values that already have a type (Parquet).
        column: What the column promises.
    """
    if not _is_text(raw):
        typed = _typed(raw, column)
        if typed is not None:
            return typed
        raw = _as_text(raw)
    codes, uniques = pd.factorize(raw, use_na_sentinel=True)
    words = np.array([str(word).strip() for word in uniques], dtype=object)
    markers = _TEXT_ABSENT if column.kind == "text" else ABSENT
    absent = np.array([word.casefold() in markers for word in words], dtype=bool)
    values, mended = _PARSERS[column.kind](words, column)
    values, mended = values.copy(), np.asarray(mended, dtype=bool)
    missing = np.asarray(pd.isna(values), dtype=bool)
    values[absent] = values.dtype.na_value if hasattr(values.dtype, "na_value") else None
    bad = missing & ~absent
    taken = values.take(codes, allow_fill=True)
    return Parsed(
        pd.Series(taken, index=raw.index, name=column.name),
        _spread(bad, codes), _spread(mended & ~absent, codes),
    )  # fmt: skip


def is_absent(text: str) -> bool:
    """Whether `text` is one of the marks of a missing value.

    >>> is_absent(" н/д "), is_absent("0")
    (True, False)
    """
    return text.strip().casefold() in ABSENT


def number(text: str) -> float | None:
    """The number that `text` writes, or None: decimal comma or point, thousands by spaces.

    >>> number("1 234,5"), number("−3"), number("1,234.5"), number("12 34")
    (1234.5, -3.0, None, None)
    """
    cleaned = _SPACES.sub(" ", text).strip().replace("−", "-")
    if not _NUMBER.fullmatch(cleaned):
        return None
    value = float(cleaned.replace(" ", "").replace(",", "."))
    return value if np.isfinite(value) else None


def month(text: str) -> pd.Period | None:
    """The month that `text` names, or None.

    >>> str(month("окт. 2025")), str(month("10.2025")), month("13.2025")
    ('2025-10', '2025-10', None)
    """
    cleaned = _tidy(text)
    for pattern, order in ((_YEAR_MONTH, "ym"), (_MONTH_YEAR, "my")):
        found = pattern.fullmatch(cleaned)
        if found:
            first, second = int(found.group(1)), int(found.group(2))
            return _period(first, second) if order == "ym" else _period(second, first)
    named = _NAMED_MONTH.fullmatch(cleaned)
    if named:
        which = _month_number(named.group(1))
        return _period(int(named.group(2)), which) if which else None
    day = calendar_date(text)
    return _period(day.year, day.month) if day else None


def calendar_date(text: str) -> date | None:
    """The date that `text` names, or None.

    >>> calendar_date("1 октября 2025 г."), calendar_date("31.02.2025")
    (datetime.date(2025, 10, 1), None)
    """
    cleaned = _tidy(text)
    found = _ISO_DATE.fullmatch(cleaned)
    if found:
        return _day(int(found.group(1)), int(found.group(2)), int(found.group(3)))
    found = _POINT_DATE.fullmatch(cleaned)
    if found:
        year = int(found.group(3))
        return _day(year if year > 99 else 2000 + year, int(found.group(2)), int(found.group(1)))
    found = _WORD_DATE.fullmatch(cleaned)
    if found:
        which = _month_number(found.group(2))
        return _day(int(found.group(3)), which, int(found.group(1))) if which else None
    return None


_SPACES = re.compile(r"[\s']")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?: \d{3})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?")
_YEAR_MONTH = re.compile(r"(\d{4})[-./mм](\d{1,2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-./](\d{4})")
_NAMED_MONTH = re.compile(r"([а-я]{3,8})\.?,?[ -]?(\d{4})")
_CLOCK = r"(?:[t ]00?:00(?::00(?:\.0+)?)?)?"
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})" + _CLOCK)
_POINT_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})" + _CLOCK)
_WORD_DATE = re.compile(r"[«\"]?(\d{1,2})[»\"]? ([а-я]{3,8})\.? (\d{4})")
_YEAR_WORDS = re.compile(r"\s*(?:г\.?|года?|год)$")
_FULL_TIME = r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)"
_CURRENCY = re.compile(r"\s*(?:₽|руб(?:\.|лей|ля|ль)?|р\.)$")
_MONTHS = (
    ("январь", "января", "янв"), ("февраль", "февраля", "фев", "февр"), ("март", "марта", "мар"),
    ("апрель", "апреля", "апр"), ("май", "мая"), ("июнь", "июня", "июн"), ("июль", "июля", "июл"),
    ("август", "августа", "авг"), ("сентябрь", "сентября", "сен", "сент"), ("октябрь", "октября", "окт"),
    ("ноябрь", "ноября", "ноя", "нояб"), ("декабрь", "декабря", "дек"),
)  # fmt: skip
_MONTH_NUMBERS = {word: which for which, words in enumerate(_MONTHS, start=1) for word in words}
_YES = {"да", "1", "true", "истина", "yes", "1.0"}
_NO = {"нет", "0", "false", "ложь", "no", "0.0"}


def _tidy(text: str) -> str:
    cleaned = re.sub(r"\s+", " ", text.casefold()).strip()
    return _YEAR_WORDS.sub("", cleaned)


def _month_number(word: str) -> int | None:
    return _MONTH_NUMBERS.get(word)


def _period(year: int, which: int) -> pd.Period | None:
    if 1 <= which <= 12 and 1900 <= year <= 2200:
        return pd.Period(year=year, month=which, freq="M")
    return None


def _day(year: int, which: int, day: int) -> date | None:
    if not 1900 <= year <= 2200:
        return None
    try:
        return date(year, which, day)
    except ValueError:
        return None


Values = Any
"""An extension or numpy array of typed values."""
_Parser = Callable[[np.ndarray[Any, Any], ColumnContract], tuple[Values, Any]]


def _unmended(words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.zeros(len(words), dtype=bool)


def _floats(words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array([_float(word) for word in words], dtype="float64")


def _float(word: str) -> float:
    value = number(word)
    return np.nan if value is None else value


def _parse_number(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    return pd.array(_floats(words), dtype="float64"), _unmended(words)


def _parse_money(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    plain = np.array([_CURRENCY.sub("", word) for word in words], dtype=object)
    return pd.array(_floats(plain), dtype="float64"), _unmended(words)


def _parse_share(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    percent = np.array([word.endswith("%") for word in words], dtype=bool)
    values = _floats(np.array([word.rstrip("%") for word in words], dtype=object))
    values[percent] = np.round(values[percent] / 100, 12)
    return pd.array(values, dtype="float64"), _unmended(words)


def _parse_count(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    values = _floats(words)
    whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2**53)
    return pd.array([int(v) if ok else pd.NA for v, ok in zip(values, whole, strict=True)], dtype="Int64"), _unmended(
        words
    )


def _parse_year(words: np.ndarray[Any, Any], column: ColumnContract) -> tuple[Values, Any]:
    plain = np.array([_YEAR_WORDS.sub("", word.casefold()) for word in words], dtype=object)
    return _parse_count(plain, column)


def _parse_month(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    return pd.PeriodIndex([month(word) for word in words], freq="M").array, _unmended(words)


def _parse_date(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    days = [calendar_date(word) for word in words]
    return pd.DatetimeIndex(pd.to_datetime(pd.Series(days, dtype="object"))).as_unit("ns").array, _unmended(words)


def _parse_time(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    texts = pd.Series(words, dtype="object").astype("string")
    full = texts.str.fullmatch(_FULL_TIME).to_numpy(dtype=bool, na_value=False)
    tidy = texts.where(full).str.replace(",", ".", regex=False).str.replace(r"\s*UTC$", "Z", regex=True)
    times = pd.to_datetime(tidy.astype("object"), format="ISO8601", utc=True, errors="coerce")
    return pd.DatetimeIndex(times).as_unit("ns").array, _unmended(words)


def _parse_flag(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    plain = [word.casefold() for word in words]
    return pd.array(
        [True if word in _YES else False if word in _NO else pd.NA for word in plain], dtype="boolean"
    ), _unmended(words)


def _parse_choice(words: np.ndarray[Any, Any], column: ColumnContract) -> tuple[Values, Any]:
    known = {_word(code): code for code in column.choices}
    known |= {_word(form): code for code, forms in column.choices.items() for form in forms}
    return pd.array([known.get(_word(word), pd.NA) for word in words], dtype="string"), _unmended(words)


def _word(text: str) -> str:
    return re.sub(r"\s+", " ", text.casefold().replace("ё", "е")).strip()


def _parse_text(words: np.ndarray[Any, Any], _: ColumnContract) -> tuple[Values, Any]:
    return pd.array(list(words), dtype="string"), _unmended(words)


def _parse_code(words: np.ndarray[Any, Any], column: ColumnContract) -> tuple[Values, Any]:
    if column.dictionary != "regions":
        return _parse_text(words, column)
    short = np.array([bool(re.fullmatch(r"[1-9]", word)) for word in words], dtype=bool)
    return pd.array([f"0{word}" if s else word for word, s in zip(words, short, strict=True)], dtype="string"), short


_PARSERS: Mapping[Kind, _Parser] = {
    "code": _parse_code, "text": _parse_text, "choice": _parse_choice, "month": _parse_month, "date": _parse_date,
    "time": _parse_time, "year": _parse_year, "count": _parse_count, "number": _parse_number, "money": _parse_money,
    "share": _parse_share, "flag": _parse_flag,
}  # fmt: skip


def _spread(flags: np.ndarray[Any, Any], codes: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if not flags.any():
        return np.zeros(len(codes), dtype=bool)
    return np.where(codes >= 0, flags[codes], False)


def _is_text(raw: pd.Series[Any]) -> bool:
    return isinstance(raw.dtype, pd.StringDtype) or (
        raw.dtype == object and pd.api.types.infer_dtype(raw, skipna=True) in {"string", "empty"}
    )


def _typed(raw: pd.Series[Any], column: ColumnContract) -> Parsed | None:  # noqa: PLR0911 - one return a kind
    """Values that already have the right type; None where they must pass through text."""
    kind, dtype = column.kind, raw.dtype
    nothing = np.zeros(len(raw), dtype=bool)
    if kind == "month" and isinstance(dtype, pd.PeriodDtype) and str(dtype) == "period[M]":
        return Parsed(raw, nothing, nothing)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        zone = getattr(dtype, "tz", None)
        if kind == "time" and zone is not None:
            return Parsed(raw.dt.tz_convert("UTC").astype("datetime64[ns, UTC]"), nothing, nothing)
        if kind == "date" and zone is None:
            clock = (raw != raw.dt.normalize()) & raw.notna()
            return Parsed(raw.astype("datetime64[ns]").mask(clock), clock.to_numpy(dtype=bool), nothing)
        if kind == "month" and zone is None:
            return Parsed(raw.dt.to_period("M"), nothing, nothing)
        return None
    if pd.api.types.is_bool_dtype(dtype):
        return Parsed(raw.astype("boolean"), nothing, nothing) if kind == "flag" else None
    if pd.api.types.is_numeric_dtype(dtype) and kind in {"number", "money", "share", "count", "year"}:
        values = pd.to_numeric(raw).astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
        if kind in {"number", "money", "share"}:
            bad = np.isinf(values)
            return Parsed(pd.Series(np.where(bad, np.nan, values), index=raw.index, name=raw.name), bad, nothing)
        if pd.api.types.is_signed_integer_dtype(dtype):
            return Parsed(raw.astype("Int64"), nothing, nothing)
        bad = ~np.isnan(values) & ((values != np.floor(values)) | (np.abs(values) >= 2**53))
        whole = pd.Series(np.where(bad, np.nan, values), index=raw.index, name=raw.name)
        return Parsed(whole.astype("Int64"), bad, nothing)
    return None


def _as_text(raw: pd.Series[Any]) -> pd.Series[Any]:
    return raw.map(cell_text, na_action="ignore").astype("string")


def cell_text(value: object) -> str:
    """A typed cell as the text that a person would have written.

    >>> cell_text(1.0), cell_text(0.1), cell_text(date(2025, 10, 1))
    ('1', '0.1', '2025-10-01')
    """
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, float | np.floating):
        figure = float(value)
        return str(int(figure)) if figure.is_integer() and abs(figure) < 1e15 else repr(figure)
    if isinstance(value, pd.Period):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep="T")
    return str(value)
