"""Russian forms of numbers, months and words: the one place that knows how a value reads.

Numbers go through babel (locale `ru`), with what babel leaves wrong for a Russian report put right here: halves are
rounded away from zero as people expect (babel rounds them to even), the minus is U+2212 and not a hyphen, and a
value that rounds to zero has no sign.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cache
from numbers import Integral
from typing import Any, Literal, Protocol, runtime_checkable

from babel import Locale
from babel.numbers import format_decimal

from kcrr_analysis.reporting.blocks import Cell, Hidden, Interval, Kind, Marked, Missing

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
HIDDEN = "скрыто"
MISSING = "нет данных"
EMPTY = "–"
MARK = "*"

Form = Literal["nominative", "genitive", "prepositional"]

_RU = Locale("ru")
_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)
_MONTHS = (
    "январь", "февраль", "март", "апрель", "май", "июнь",
    "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
)  # fmt: skip
_SHORT_MONTHS = ("янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_ISO_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_DECIMALS: dict[Kind, int] = {"number": 1, "percent": 1, "points": 1, "change_percent": 1}
_UNITS: dict[Kind, str] = {
    "percent": f"{NBSP}%",
    "change_percent": f"{NBSP}%",
    "money": f"{NBSP}₽",
    "points": f"{NBSP}п.{NBSP}п.",
}
_SIGNED: frozenset[Kind] = frozenset({"points", "change", "change_percent"})
_NUMERIC: frozenset[Kind] = frozenset({"int", "number", "percent", "money", "points", "change", "change_percent"})
# Left-to-right and right-to-left overrides can make a text read otherwise than it is stored.
_REORDERING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@runtime_checkable
class Monthly(Protocol):
    """Anything with a year and a month: a date, a pandas Period or Timestamp."""

    @property
    def year(self) -> int: ...  # noqa: D102
    @property
    def month(self) -> int: ...  # noqa: D102


def is_numeric(kind: Kind) -> bool:
    """Whether values of this kind are aligned right."""
    return kind in _NUMERIC


def default_decimals(kind: Kind) -> int:
    """Digits after the comma where a column does not say."""
    return _DECIMALS.get(kind, 0)


@cache
def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def number(value: float, decimals: int = 1, *, signed: bool = False) -> str:
    """A number without unit: `1 234,5`, `−3,0`, `+2,0`.

    Args:
        value: A finite number.
        decimals: Digits after the comma, kept even when they are zeros.
        signed: Whether a positive value has a plus.

    Raises:
        ValueError: The value is not finite.

    >>> number(-1234.25) == "−1\N{NO-BREAK SPACE}234,3"
    True
    >>> number(-0.04), number(2.5, 0), number(3, signed=True)
    ('0,0', '3', '+3,0')
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    whole: Any = value
    exact = Decimal(int(whole)) if isinstance(whole, Integral) else Decimal(repr(float(whole)))
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)
    with localcontext(_WIDE):  # babel's own precision ends at 28 digits
        digits: str = format_decimal(abs(rounded), format=_pattern(decimals), locale=_RU)
    if not rounded:
        return digits
    return (MINUS if rounded < 0 else "+" if signed else "") + digits


def plain(value: float, kind: Kind = "number", decimals: int | None = None) -> str:
    """A value of `kind` without its unit, for axes and cards that write the unit elsewhere."""
    return number(value, default_decimals(kind) if decimals is None else decimals, signed=kind in _SIGNED)


def value(value: float, kind: Kind = "number", decimals: int | None = None) -> str:
    """A value of `kind` with the unit that the kind brings.

    >>> value(12.3, "percent") == "12,3\N{NO-BREAK SPACE}%"
    True
    """
    return plain(value, kind, decimals) + _UNITS.get(kind, "")


def integer(value: float) -> str:
    """A count: `1 234`."""
    return number(value, 0)


def percent(value: float, decimals: int = 1) -> str:
    """A percentage that is given as such (12.3 reads «12,3 %»)."""
    return _of("percent", value, decimals)


def money(value: float, decimals: int = 0) -> str:
    """Roubles: «1 234 ₽»."""
    return _of("money", value, decimals)


def points(value: float, decimals: int = 1) -> str:
    """A signed difference of two percentages: «+1,2 п. п.»."""
    return _of("points", value, decimals)


def change(value: float) -> str:
    """A signed change of a count: «+12», «−3», «0»."""
    return _of("change", value, 0)


def change_percent(value: float, decimals: int = 1) -> str:
    """A signed relative change: «+5,2 %»."""
    return _of("change_percent", value, decimals)


def _of(kind: Kind, number_: float, decimals: int) -> str:
    return value(number_, kind, decimals)


def interval(low: float, high: float, kind: Kind = "number", decimals: int | None = None) -> str:
    """An interval: «от 10,1 до 12,3 %», the unit once."""
    return f"от{NBSP}{plain(low, kind, decimals)} до{NBSP}{value(high, kind, decimals)}"


def cell(content: Cell, kind: Kind = "text", decimals: int | None = None) -> str:
    """A table's cell as it reads; None is a dash, a number that is not finite reads «нет данных»."""
    match content:
        case None:
            shown = EMPTY
        case Hidden():
            shown = HIDDEN
        case Missing(reason):
            shown = clean(reason) or MISSING
        case Marked(marked):
            shown = _figure(marked, kind, decimals) + MARK
        case Interval(low, high):
            finite = math.isfinite(low) and math.isfinite(high)
            shown = interval(low, high, kind, decimals) if finite else MISSING
        case str():
            is_month = kind == "month" and _ISO_MONTH.fullmatch(content)
            shown = month(content) if is_month else clean(content)
        case _:
            shown = _figure(content, kind, decimals)
    return shown


def _figure(figure: float, kind: Kind, decimals: int | None) -> str:
    if not math.isfinite(figure):
        return MISSING
    if kind in _NUMERIC:
        return value(figure, kind, decimals)
    return number(figure, decimals if decimals is not None else 0 if float(figure).is_integer() else 1)


def _year_month(when: str | Monthly) -> tuple[int, int]:
    if isinstance(when, str):
        match = _ISO_MONTH.fullmatch(when)
        if match is None:
            raise ValueError(f"«{when}» is not a month (YYYY-MM)")
        return int(match[1]), int(match[2])
    return when.year, when.month


def month_index(when: str | Monthly) -> int:
    """Months since year 0: neighbours differ by one."""
    year, month_ = _year_month(when)
    return year * 12 + month_ - 1


def _declined(number_: int, form: Form) -> str:
    name = _MONTHS[number_ - 1]
    if form == "nominative":
        return name
    stem = name.rstrip("ьй")
    soft = stem != name
    if form == "genitive":
        return stem + ("я" if soft else "а")
    return stem + "е"


def month(when: str | Monthly, form: Form = "nominative") -> str:
    """A month in words.

    Args:
        when: ISO month (`2025-10`) or anything with a year and a month.
        form: Case: «октябрь 2025 г.», «октября 2025 г.», «октябре 2025 г.».

    >>> month("2025-10").replace(NBSP, " "), month("2025-05", "genitive").replace(NBSP, " ")
    ('октябрь 2025 г.', 'мая 2025 г.')
    """
    year, number_ = _year_month(when)
    return f"{_declined(number_, form)} {year}{NBSP}г."


def in_month(when: str | Monthly) -> str:
    """«в октябре 2025 г.»."""
    return f"в{NBSP}{month(when, 'prepositional')}"


def month_range(first: str | Monthly, last: str | Monthly) -> str:
    """A run of months: «январь – октябрь 2025 г.», «ноябрь 2024 г. – март 2025 г.», one month as itself."""
    year, number_ = _year_month(first)
    if (year, number_) == _year_month(last):
        return month(first)
    if year == _year_month(last)[0]:
        return f"{_declined(number_, 'nominative')} – {month(last)}"
    return f"{month(first)} – {month(last)}"


def month_short(when: str | int | Monthly) -> str:
    """A month for an axis: «окт 2025»; an int is a `month_index`."""
    year, number_ = (when // 12, when % 12 + 1) if isinstance(when, int) else _year_month(when)
    return f"{_SHORT_MONTHS[number_ - 1]}{NBSP}{year}"


def plural(amount: float, one: str, few: str, many: str) -> str:
    """The word that agrees with `amount`.

    Args:
        amount: How many.
        one: With 1, 21 («человек»).
        few: With 2, 3, 4, 22 and with fractions («человека»).
        many: With 0, 5 ... 20, 25 («человек»).

    >>> [plural(n, "центр", "центра", "центров") for n in (1, 3, 11, 21, 1.5)]
    ['центр', 'центра', 'центров', 'центр', 'центра']
    """
    size = abs(amount)
    form = _RU.plural_form(int(size) if float(size).is_integer() else size)
    return {"one": one, "few": few, "many": many}.get(form, few)


def count(amount: float, one: str, few: str, many: str, decimals: int | None = None) -> str:
    """A number with its word: «1 234 человека», «5 человек»."""
    digits = (0 if float(amount).is_integer() else 1) if decimals is None else decimals
    rounded = round(amount, digits)
    word = few if digits else plural(rounded, one, few, many)
    return f"{number(amount, digits)}{NBSP}{word}"


def people(amount: float) -> str:
    """«1 человек», «2 человека», «5 человек»."""
    return count(amount, "человек", "человека", "человек")


def enumeration(words: Sequence[str], conjunction: str = "и") -> str:
    """«а», «а и б», «а, б и в»."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def clean(text: str) -> str:
    """Text from data made fit for markup: no control or reordering characters, no unpaired surrogates.

    Line breaks and tabs become spaces: a cell or a caption is one run of words.
    """
    return "".join(_kept(char) for char in text)


def _kept(char: str) -> str:
    if char in "\t\n\r\x0b\x0c\u2028\u2029\x85":
        return " "
    if unicodedata.category(char) in {"Cc", "Cs"} or char in _REORDERING or (ord(char) & 0xFFFE) == 0xFFFE:
        return ""
    return char
