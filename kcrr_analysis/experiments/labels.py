"""Identifiers and periods as tables bring them: numbers, text or dates, brought to one form."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError

_MONTH = re.compile(r"\d{4}-\d{2}")
_BEGINS_WITH_DAY = re.compile(r"\d{1,2}[./]\d")


def identifiers(values: pd.Series) -> pd.Series:
    """Identifiers as text: 1, 1.0 and «1» name the same unit, «01» another one; missing and blank ones are missing."""
    if pd.api.types.is_float_dtype(values):
        values = values.convert_dtypes()
    text = values.astype("string").str.strip()
    return text.mask(text == "").astype(object)


def in_order(periods: pd.Series) -> list[Any]:
    """The periods that occur, from the first to the last.

    Numbers within text count as numbers (week 2 comes before week 10).

    Args:
        periods: Numbers, dates, pandas periods, or text such as `2025-03` or `неделя 7`.

    Raises:
        ParameterError: Missing periods, periods of several kinds, or text whose order cannot be told.
    """
    if periods.isna().any():
        row = int(np.flatnonzero(periods.isna())[0]) + 1
        raise ParameterError(f"Период (столбец «{periods.name}») не заполнен в строке {row}. Заполните его.")
    found = list(pd.unique(periods.astype(object)))
    texts = [label for label in found if isinstance(label, str)]
    if not texts:
        with contextlib.suppress(TypeError):  # numbers beside dates: told below
            return sorted(found)
    unclear = [label for label in texts if not re.search(r"\d", label) or _BEGINS_WITH_DAY.match(label)]
    if len(texts) < len(found) or unclear:
        label = (unclear or texts or found)[0]
        raise ParameterError(
            f"Период (столбец «{periods.name}»): по записи «{label}» порядок периодов не определить. Запишите все "
            "периоды одинаково: номером или как 2025-03."
        )
    return sorted(found, key=_natural)


def without_gaps(periods: list[Any], column: str) -> None:
    """Refuses numbered or monthly periods with a gap: everything after it would be taken for an earlier period.

    Args:
        periods: In their order.
        column: Name of the column, for the message.

    Raises:
        ParameterError: A period is missing between others.
    """
    places = _places(periods)
    if places is None or len(places) < 3:
        return
    steps = np.diff(places)
    wide = np.flatnonzero(steps > steps.min() * 1.5)
    if wide.size:
        before, after = periods[int(wide[0])], periods[int(wide[0]) + 1]
        raise ParameterError(
            f"Период (столбец «{column}»): между {before} и {after} в данных пропущены периоды, расписание сдвинулось "
            "бы. Добавьте строки пропущенных периодов; значений в них может не быть."
        )


def _places(periods: list[Any]) -> np.ndarray[Any, Any] | None:
    """Periods on a line with equal steps: numbers or months; None where they are neither."""
    if all(isinstance(label, pd.Period) for label in periods):
        return np.array([label.ordinal for label in periods], dtype=float)
    texts = [str(label) for label in periods]
    if all(_MONTH.fullmatch(text) for text in texts):
        return np.array([12 * int(text[:4]) + int(text[5:]) for text in texts], dtype=float)
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return None


def _natural(label: str) -> list[Any]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", label.strip())]


def listed(names: Sequence[Any], most: int = 5) -> str:
    """The first names of a list for a message, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b и ещё 1'
    """
    more = len(names) - most
    return ", ".join(str(name) for name in names[:most]) + (f" и ещё {more}" if more > 0 else "")
