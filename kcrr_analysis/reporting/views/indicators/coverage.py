"""View of coverage: the official groups first, every denominator with its year."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import Coverage
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
from kcrr_analysis.reporting.views.cells import OVERLAP, count_cell, derived_cell, number_cell, point, rows_of

GUIDANCE = "guidance_recipients"
COUNTED = {GUIDANCE: "Охват профориентацией"}
MOVED = 5.0
"""Percent a year that a group's size may change by before the change of coverage is said to reflect it."""


@build.register
def coverage(result: Coverage) -> Section:
    """Conclusion, table with denominators, bars of coverage now and a year ago."""
    period = formats.month_range(f"{result.month.year}-01", str(result.month))
    rows = result.rows
    table = Table(
        title=f"Охват клиентских групп, {period}",
        columns=(
            Column("Группа"),
            Column("Охвачено, чел.", "int"),
            Column("Численность группы, чел.", "int"),
            Column("Год численности"),
            Column("Охват, %", "percent", 2),
            Column("Годом ранее, %", "percent", 2),
            Column("Изменение, п. п.", "points", 2),
        ),
        rows=tuple(_row(row) for row in rows_of(rows)),
        notes=(
            "Числитель — граждане нарастающим итогом с начала года, каждый один раз; сплошной учёт, интервала нет. "
            "По подросткам 14–17 лет — услуги по профориентации, по остальным группам — меры поддержки.",
            *_denominators(rows, result.month.year),
            OVERLAP,
        ),
    )
    return Section(
        title="Охват клиентских групп",
        blocks=(
            Paragraph(_conclusion(rows, period), "conclusion"),
            *_warnings(rows),
            table,
            *_chart(rows[rows["coverage"].notna() & (rows["numerator_column"] != GUIDANCE)], period),
            Paragraph(result.definition, "definition"),
        ),
        key_figures=tuple(_key_figure(row, period) for row in rows_of(rows[rows["indicator"] > 0])),
    )


def _key_figure(row: Any, period: str) -> KeyFigure:
    counted = COUNTED.get(row.numerator_column, "Охват мерами поддержки")
    doubt = "; больше 100 %, проверьте знаменатель" if row.coverage > 100 else ""
    return KeyFigure(
        key=f"coverage_{row.client_group}",
        label=f"{counted}: {row.title[:1].lower()}{row.title[1:]}",
        value=derived_cell(row.coverage, row.hidden, row.reason),
        kind="percent",
        note=f"{period}; сплошной учёт{doubt}",
    )


def _conclusion(rows: pd.DataFrame, period: str) -> str:
    sound = rows[rows["coverage"] <= 100]
    official, rest = sound[sound["indicator"] > 0], sound[(sound["indicator"] == 0)]
    rest = rest.sort_values("coverage", ascending=False)
    said = f"За период {period} "
    if len(official):
        said += f"официальные показатели охвата таковы: {'; '.join(_said(row) for row in rows_of(official))}. "
    lacking = rows[(rows["indicator"] > 0) & ~rows.index.isin(official.index)]
    if len(lacking):
        names = formats.enumeration([f"«{title}»" for title in lacking["title"]])
        said += f"{'Не выводится' if len(official) else 'не выводится'} охват: {names} (причина — в таблице). "
    if len(rest) >= 2:
        first, *_, last = rows_of(rest)
        said += f"Из прочих групп выше всего {_said(first)}, ниже всего {_said(last)}."
    elif len(rest):
        said += f"Также {_said(next(rows_of(rest)))}."
    return said.rstrip()


def _said(row: Any) -> str:
    if math.isnan(row.change):
        change = ""
    elif abs(row.population_change) > MOVED:
        change = (
            f" ({formats.points(row.change)} за год при изменении численности группы на "
            f"{formats.change_percent(row.population_change)})"
        )
    else:
        change = f" ({formats.points(row.change)} за год)"
    return f"«{row.title}» — {formats.percent(row.coverage)}{change}"


def _warnings(rows: pd.DataFrame) -> tuple[Paragraph, ...]:
    over = rows[rows["coverage"] > 100]
    if over.empty:
        return ()
    names = formats.enumeration([f"«{title}»" for title in over["title"]])
    return (
        Paragraph(
            f"Охват больше 100 %: {names}. Охваченных больше, чем людей в группе: проверьте численность в таблице "
            "population и строки нарастающим итогом в таблице flow.",
            "warning",
        ),
    )


def _row(row: Any) -> tuple[Cell, ...]:
    year = "–" if pd.isna(row.population_year) else str(int(row.population_year))
    return (
        row.title,
        count_cell(row.persons, row.hidden),
        number_cell(row.population) or Missing("нет"),
        year,
        derived_cell(row.coverage, row.hidden, row.reason),
        derived_cell(row.coverage_year_ago, row.hidden_year_ago),
        derived_cell(row.change, row.hidden or row.hidden_year_ago),
    )


def _denominators(rows: pd.DataFrame, year: int) -> tuple[str, ...]:
    notes = []
    years = pd.to_numeric(rows["population_year"])
    stale = rows[years.notna() & (years < year)]
    if len(stale):
        names = formats.enumeration([f"«{title}»" for title in stale["title"]])
        notes.append(f"Численности за {year} год нет, взята последняя известная: {names}.")
    moved = rows[rows["population_change"].abs() > MOVED]
    if len(moved):
        names = formats.enumeration(
            [f"«{row.title}» ({formats.change_percent(row.population_change)})" for row in rows_of(moved)]
        )
        notes.append(f"Изменение охвата отражает и изменение численности группы за год: {names}.")
    return tuple(notes)


def _chart(known: pd.DataFrame, period: str) -> tuple[Chart, ...]:
    if len(known) < 2:
        return ()
    ordered = known.sort_values("coverage", ascending=False)
    now = Series("С начала года", tuple(ordered["title"]), tuple(point(value) for value in ordered["coverage"]))
    before = tuple(point(value) for value in ordered["coverage_year_ago"])
    series: tuple[Series, ...] = (now,)
    if any(value is not None for value in before):
        series = (now, Series("Годом ранее", now.x, before, role="context"))
    alt = (
        f"Столбчатая диаграмма охвата мерами поддержки по группам, {period}: "
        f"от {formats.percent(ordered['coverage'].min(), 2)} до {formats.percent(ordered['coverage'].max(), 2)}."
    )
    return (
        Chart(
            title=f"Охват клиентских групп мерами поддержки, {period}",
            panels=(Panel(shape="bar", series=series, unit="%", kind="percent"),),
            alt=alt,
            notes=("Охват профориентацией — другой показатель и на рисунке не показан.",),
        ),
    )
