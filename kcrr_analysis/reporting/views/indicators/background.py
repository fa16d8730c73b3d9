"""View of the labour-market background: external series with their sources, never mixed with the centres' own flow."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import Background
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Cell,
    Chart,
    Column,
    Interval,
    KeyFigure,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import number_cell, point, rows_of

PRECISE = 2.0
"""Width in percent of what rounding leaves of a level's change that still lets it stand as one number."""

PRECISE_POINTS = 0.25
"""The same for a rate, in percentage points: rates to one decimal stand, rates to whole percent do not."""

NAMED = 5
"""Series named in the conclusion; the table has all of them."""


@build.register
def background(result: Background) -> Section:
    """Table of the series and small multiples of up to six."""
    rows = result.rows
    whole = bool((rows["value"] % 1 == 0).all())
    table = Table(
        title=f"Рынок труда региона, {formats.month(result.month)}",
        columns=(
            Column("Показатель"),
            Column("Ед. изм."),
            Column("Месяц", "month"),
            Column("Значение", "number", 0 if whole else 1),
            Column("К прошлому месяцу", "change_percent"),
            Column("За год", "change_percent"),
        ),
        rows=tuple(
            (
                row.title,
                row.unit,
                str(row.month),
                row.value,
                _change(row, "change_previous"),
                _change(row, "change_year"),
            )
            for row in rows_of(rows)
        ),
        notes=(f"Источник: {'; '.join(sorted(set(rows['source'])))}.", *_rounding_note(rows)),
    )
    stale = rows[rows["stale"]]
    said = _background_words(result)
    blocks: list[Paragraph | Table | Chart] = [Paragraph(said, "conclusion"), table]
    if len(stale):
        names = formats.enumeration([f"«{row.title}» ({formats.month(row.month)})" for row in rows_of(stale)])
        blocks.append(Paragraph(f"Ряды, которые кончаются раньше отчётного месяца: {names}.", "warning"))
    blocks += _background_chart(result)
    return Section(
        title="Фон: рынок труда региона",
        blocks=tuple(blocks),
        key_figures=tuple(
            KeyFigure(
                key=f"background_{row.series_id}",
                label=row.title,
                value=row.value,
                kind="int" if whole else "number",
                unit=row.unit,
                note=f"{formats.month(row.month)}; {row.source}",
                change=_change(row, "change_year"),
            )
            for row in rows_of(rows.head(3))
        ),
    )


def _change(row: Any, name: str) -> Cell:
    """The change as one number where rounding moves it little, else as the interval that rounding leaves."""
    change, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    if math.isnan(change):
        return None
    if math.isnan(low) or math.isnan(high):
        return Missing("округлено")
    if row.rate:
        return _points(change, low, high)
    return number_cell(change) if high - low <= PRECISE else Interval(low, high)


def _points(change: float, low: float, high: float) -> str:
    return formats.points(change) if high - low <= PRECISE_POINTS else formats.interval(low, high, "points")


def _rounding_note(rows: pd.DataFrame) -> tuple[str, ...]:
    coarse = (rows["change_year_high"] - rows["change_year_low"] > 0) & (rows["step"] > 0)
    steps = sorted(set(rows.loc[coarse, "step"]))
    if not steps:
        return ()
    digits = {step: 0 if step >= 1 else round(-math.log10(step)) for step in steps}
    shown = formats.enumeration([formats.number(step, digits[step]) for step in steps], "или")
    return (
        f"Судя по самим числам, источник округляет до {shown}; где округление заметно сдвигает изменение, вместо числа "
        "даны возможные пределы.",
    )


def _background_words(result: Background) -> str:
    known = result.rows[result.rows["change_year"].notna()]
    if known.empty:
        return "Сравнить ряды с прошлым годом нельзя: история короче года."
    sure = known[(known["change_year_low"] > 0) | (known["change_year_high"] < 0)]
    if sure.empty:
        return "Ни один ряд не изменился за год так, чтобы это нельзя было объяснить округлением в источнике."
    # Rates and levels change in different units: rates first, then levels by the size of the change.
    order = (
        sure.assign(size=sure["change_year"].abs())
        .sort_values(["rate", "size"], ascending=False, kind="stable")
        .index[:NAMED]
    )
    said = [f"«{row.title}» — {_said(row)}" for row in rows_of(sure.loc[order])]
    return (
        f"{'Наибольшие изменения' if len(known) > len(said) else 'Изменения'} за год: {'; '.join(said)}. "
        "Каждый ряд сравнивается с тем же месяцем прошлого года. Ряды описывают рынок труда и не доказывают причин "
        "изменения клиентопотока."
    )


def _said(row: Any) -> str:
    low, high = row.change_year_low, row.change_year_high
    if row.rate:
        return _points(row.change_year, low, high)
    if high - low <= PRECISE:
        return formats.change_percent(row.change_year)
    return formats.interval(low, high, "change_percent", 0)


def _background_chart(result: Background) -> list[Chart]:
    panels = []
    for row in rows_of(result.rows.head(6)):
        part = result.history[result.history["series_id"] == row.series_id].set_index("month")["value"]
        if len(part) < 2:
            continue
        first = max(part.index.min(), row.month - 35)
        months = pd.period_range(first, row.month, freq="M")
        line = Series(
            name="", x=tuple(str(month) for month in months), y=tuple(point(part.get(month)) for month in months)
        )
        panels.append(Panel(shape="line", series=(line,), title=row.title, unit=row.unit, kind="number"))
    if not panels:
        return []
    names = formats.enumeration([f"«{panel.title}»" for panel in panels])
    return [
        Chart(
            title="Рынок труда региона по месяцам",
            panels=tuple(panels),
            alt=f"Линейные графики по месяцам: {names}.",
        )
    ]
