"""Cells and columns of the index: what is hidden, what is missing and why, one place for titles and decimals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Hidden, Interval, Kind, Missing
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell

UNITS: dict[str, tuple[str, str, str]] = {
    "center_id": ("Центр", "центров", "центра"),
    "region_code": ("Регион", "регионов", "региона"),
    "tool_id": ("Формат", "форматов", "формата"),
    "theme": ("Тема", "тем", "темы"),
    "client_group": ("Клиентская группа", "клиентских групп", "клиентской группы"),
    "month": ("Месяц", "месяцев", "месяца"),
    "chain_id": ("Цепочка", "цепочек", "цепочки"),
    "event_id": ("Мероприятие", "мероприятий", "мероприятия"),
}
"""Column of a cut -> its header, its genitive plural and singular."""

FORMS: dict[str, tuple[str, int]] = {
    "ipk": ("ИПК, баллов", 0),
    "per_event": ("На мероприятие", 1),
    "per_participant": ("На участника", 2),
    "per_1000_people": ("На 1000 человек", 1),
    "per_employee": ("На сотрудника", 1),
    "per_m2": ("На м²", 2),
    "per_1000_roubles": ("На 1000 ₽", 2),
}
"""The index and its normalised forms: header and digits after the comma."""

IN_WORDS = {
    "ipk": "ИПК",
    "per_1000_people": "ИПК на 1000 человек",
    "per_employee": "ИПК на сотрудника",
    "per_m2": "ИПК на м²",
    "per_event": "ИПК на мероприятие",
    "per_participant": "ИПК на участника",
}


def of_units(number: int, by: str) -> str:
    """«7 центров», «21 центра», after «у» or «из»."""
    _, many, one = UNITS[by]
    return formats.count(number, one, many, many)


FEW = "мало мероприятий"


def form_column(name: str) -> Column:
    """The column of a form of the index."""
    title, decimals = FORMS[name]
    return Column(title, "number", decimals)


def figure(row: Any, name: str, reason: str = "") -> Cell:
    """A figure of a row of `ipk.Score`, as disclosure control allows."""
    return derived_cell(float(getattr(row, name)), bool(getattr(row, f"{name}_hidden", False)), reason)


def count(row: Any, name: str) -> Cell:
    """A count of a row of `ipk.Score`."""
    return count_cell(float(getattr(row, name)), bool(getattr(row, f"{name}_hidden", False)))


def ends(row: Any, name: str, kind: Kind = "number", decimals: int = 1, reason: str = FEW) -> Cell:
    """The interval of a figure: columns `<name>_low`, `<name>_high` (`low`, `high` for the index itself)."""
    before = "" if name == "ipk" else f"{name}_"
    low, high = float(getattr(row, f"{before}low")), float(getattr(row, f"{before}high"))
    hidden = bool(getattr(row, f"{name}_hidden", False))
    if math.isnan(low) or math.isnan(high):
        return Hidden() if hidden and math.isnan(float(getattr(row, name))) else Missing(reason)
    return formats.interval(low, high, kind, decimals) + formats.MARK if hidden else Interval(low, high)


def places(row: Any) -> Cell:
    """The rank interval of a row: «от 1 до 7»."""
    low, high = float(row.rank_low), float(row.rank_high)
    if math.isnan(low) or math.isnan(high):
        return Hidden() if bool(getattr(row, "rank_hidden", False)) else Missing(row.reason or "нет")
    if low == high:
        return f"{low:.0f}"
    return f"{low:.0f}–{high:.0f}"


def group(row: Any) -> Cell:
    """The letters of a row."""
    letters = row.group
    if not isinstance(letters, str):
        return Hidden()
    return letters or None


def quoted(title: str) -> str:
    """A title in quotation marks, its own marks being the inner ones: «Центр „Главный“»."""
    return f"«{title.replace('«', '„').replace('»', '“')}»"


def names(titles: Sequence[str]) -> str:
    """«а», «б» и «в»."""
    return formats.enumeration([quoted(title) for title in titles])


def label(row: Any) -> str:
    """A unit's title, with its region where units of several regions are compared."""
    region = getattr(row, "region_title", None)
    return f"{row.title}, {region}" if isinstance(region, str) and region not in row.title else str(row.title)
