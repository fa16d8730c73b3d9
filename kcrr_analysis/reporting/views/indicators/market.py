"""View of the centres in their labour market: vacancies, the share of job-seekers who came, youth employment."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import Market
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Cell,
    Chart,
    Column,
    KeyFigure,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import derived_cell, point, rows_of
from kcrr_analysis.reporting.views.indicators.official import amount

LABELS = {"vacancy_count": "vacancies", "vacancy_quality": "vacancy_quality", "seeker_share": "seeker_share",
          "youth_employment": "youth_employment"}  # fmt: skip
SEEKERS = (
    "Доля ищущих работу — отношение обратившихся за месяц к числу безработных по методологии МОТ в том же месяце: "
    "обращаются и занятые, поэтому это ориентир, а не строгая доля, и он может превысить 100 %."
)


@build.register
def market(result: Market) -> Section:
    """Conclusion, table with denominators and sources, histories."""
    rows = result.rows
    return Section(
        title="Вакансии и ищущие работу",
        blocks=(
            Paragraph(_conclusion(result), "conclusion"),
            _table(result),
            *_chart(result),
            Paragraph(" ".join(f"{row.title}: {_lower(row.definition)}" for row in rows_of(rows)), "definition"),
        ),
        key_figures=tuple(_key_figure(row) for row in rows_of(rows) if not row.reason),
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _conclusion(result: Market) -> str:
    known = result.rows[result.rows["value"].notna()]
    said = []
    for row in rows_of(known):
        mark = formats.MARK if row.hidden else ""
        guide = "ориентир, " if row.measure == "seeker_share" else ""
        said.append(f"«{row.title}» — {guide}{_amount(row)}{mark}{_against(row)}")
    lacking = result.rows[result.rows["reason"] != ""]
    words = f"{formats.in_month(result.month).capitalize()}: {'; '.join(said)}." if said else ""
    hidden = result.rows[result.rows["value"].isna() & (result.rows["reason"] == "")]
    if len(hidden):
        words += f" Скрыто: {formats.enumeration([f'«{title}»' for title in hidden['title']])}."
    if len(lacking):
        names = formats.enumeration([f"«{title}»" for title in lacking["title"]])
        words += f" Не {'вычисляется' if len(lacking) == 1 else 'вычисляются'}: {names} (причина — под таблицей)."
    return words.strip()


def _amount(row: Any) -> str:
    if row.unit == "%":
        return formats.percent(row.value)
    return f"{amount(row.value, row.unit)}{formats.NBSP}{row.unit}"


def _against(row: Any) -> str:
    if math.isnan(row.change):
        return ""
    said = formats.points(row.change) if row.unit == "%" else formats.change_percent(row.change)
    return f" ({said} за год)"


def _table(result: Market) -> Table:
    return Table(
        title=f"Вакансии, ищущие работу и занятость молодёжи, {formats.month(result.month)}",
        columns=(
            Column("Показатель"),
            Column("Значение", "number"),
            Column("Год назад", "number"),
            Column("За год", "number"),
            Column("Знаменатель"),
            Column("Источник и точность"),
        ),
        rows=tuple(_row(row) for row in rows_of(result.rows)),
        notes=(SEEKERS, *_reasons(result)),
    )


def _reasons(result: Market) -> tuple[str, ...]:
    reasons = [f"«{row.title}» — {row.reason}" for row in rows_of(result.rows) if row.reason]
    return (f"Почему не вычисляется: {'; '.join(reasons)}.",) if reasons else ()


def _row(row: Any) -> tuple[Cell, ...]:
    denominator = formats.EMPTY
    if row.denominator_name and not math.isnan(row.denominator):
        denominator = f"{formats.integer(row.denominator)}: {_lower(row.denominator_name)}"
    source = f"{row.source}; {row.interval}" if row.source else formats.EMPTY
    return (
        f"{row.title}, {row.unit}",
        _cell(row, "value", row.hidden, "не вычисляется" if row.reason else ""),
        _cell(row, "year_ago", row.hidden_year_ago, ""),
        _change(row),
        denominator,
        source,
    )


def _cell(row: Any, name: str, hidden: bool, reason: str) -> Cell:
    value = getattr(row, name)
    if math.isnan(value) or hidden:
        return derived_cell(value, hidden, reason)
    return formats.percent(value) if row.unit == "%" else amount(value, row.unit)


def _change(row: Any) -> Cell:
    hidden = row.hidden or row.hidden_year_ago
    if math.isnan(row.change):
        return derived_cell(row.change, hidden) if hidden else None
    said = formats.points(row.change) if row.unit == "%" else formats.change_percent(row.change)
    return said + (formats.MARK if hidden else "")


def _chart(result: Market) -> tuple[Chart, ...]:
    panels = []
    for row in rows_of(result.rows):
        values = result.history[result.history["measure"] == row.measure].set_index("month")["value"]
        if values.notna().sum() < 2:
            continue
        months = pd.period_range(max(values.index.min(), result.month - 35), result.month, freq="M")
        line = Series("", tuple(str(month) for month in months), tuple(point(values.get(month)) for month in months))
        kind = "percent" if row.unit == "%" else "int"
        panels.append(Panel("line", (line,), title=row.title, unit=row.unit, kind=kind))  # type: ignore[arg-type]
    if not panels:
        return ()
    names = formats.enumeration([f"«{panel.title}»" for panel in panels])
    return (
        Chart(
            title="Вакансии и ищущие работу по месяцам",
            panels=tuple(panels),
            alt=f"Линейные графики по месяцам: {names}.",
        ),
    )


def _key_figure(row: Any) -> KeyFigure:
    value: Cell = derived_cell(row.value, row.hidden)
    if row.unit != "%" and not isinstance(value, Missing) and isinstance(value, float):
        value = int(value)
    return KeyFigure(
        key=LABELS[row.measure],
        label=row.title,
        value=value,
        kind="percent" if row.unit == "%" else "int",
        unit="" if row.unit == "%" else row.unit,
        note=f"{formats.month(row.month)}; {row.interval}",
        change=None
        if row.unit == "%" or math.isnan(row.change)
        else derived_cell(row.change, row.hidden or row.hidden_year_ago),
    )
