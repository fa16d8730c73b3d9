"""View of an ordered funnel: where persons are lost, which levels differ, the tables and charts it rests on."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.funnel import OrderedFunnel
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Hidden,
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
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, point, rows_of
from kcrr_analysis.reporting.views.funnel.ordered_words import (
    beside,
    by_words,
    conclusions,
    interval_words,
    keys,
    level_rows,
    period,
    warnings,
    whole_rows,
    window,
)

PATH_BY = {"tool_id": "инструментам", "channel": "каналам", "client_group": "группам", "center_id": "центрам"}
TOTAL = "Всего"
SHOWN = 40
"""Levels in a table; the largest ones, the others are in the data of the result."""

DRAWN = 10
"""Matured entrants under which a level is not drawn: its interval spans the picture."""

SMALL = "Малая база: меньше 30 человек с истёкшим сроком, доли неустойчивы."


@build.register
def ordered(result: OrderedFunnel) -> Section:
    """Conclusions, the path as a whole, levels by persons and by shares, bars of steps, intervals of levels."""
    whole, levels = whole_rows(result), level_rows(result)
    last = None if whole is None else whole.iloc[-1]
    blocks: list[Block] = [Paragraph(words, "conclusion") for words in conclusions(result, whole) if words]
    blocks += [Paragraph(words, "warning") for words in warnings(result, whole)]
    if whole is not None:
        blocks.append(_steps_table(result, whole))
        blocks += _steps_chart(result, whole)
    if len(levels):
        blocks += _level_tables(result, levels, whole)
        blocks += _levels_chart(result, levels, last)
    blocks.append(Paragraph(f"{result.definition.text} {result.interval}", "definition"))
    if words := beside(result):
        blocks.append(Paragraph(words, "note"))
    return Section(
        title=_title(result),
        blocks=tuple(blocks),
        key_figures=() if last is None or result.definition.flow else (_key_figure(result, last),),
    )


def _title(result: OrderedFunnel) -> str:
    if not result.region_code:
        return "Путь людей по шагам"
    by = result.definition.by[0] if result.definition.by else ""
    return f"Базовый клиентский путь по {PATH_BY.get(by, 'уровням')} первого контакта"


def _steps_table(result: OrderedFunnel, whole: pd.DataFrame) -> Table:
    columns = [Column("Шаг"), Column("Прошли, чел.", "int")]
    if not result.definition.flow:
        columns += [
            Column("Из них срок истёк, чел.", "int"),
            Column("Доля от вошедших, %", "percent"),
            Column("Интервал", "percent"),
            Column("Доля от предыдущего шага, %", "percent"),
            Column("Интервал", "percent"),
        ]
    columns += [Column("Дней от входа, медиана", "number"), Column("Половина людей — за, дней", "number")]
    return Table(
        title=f"{'Путь в целом' if keys(result) else 'Путь по шагам'}, {period(result)}",
        columns=tuple(columns),
        rows=tuple(_step_row(result, row) for row in rows_of(whole)),
        notes=(
            "Доли и сроки — по людям с истёкшим сроком наблюдения. «Половина людей» — от первого до третьего квартиля.",
            *((SMALL,) if bool(whole["small"].any()) else ()),
        )
        if not result.definition.flow
        else ("Сроки — по людям, прошедшим шаг в периоде.",),
    )


def _step_row(result: OrderedFunnel, row: Any) -> tuple[Cell, ...]:
    first = row.step_number == 1
    cells: list[Cell] = [row.step_title, count_cell(row.persons, row.persons_hidden)]
    if not result.definition.flow:
        cells += [
            count_cell(row.persons_matured, row.persons_matured_hidden),
            derived_cell(row.share_entry, row.share_entry_hidden, row.reason),
            None if first else _interval(row, "share_entry"),
            None if first else derived_cell(row.share_previous, row.share_previous_hidden, row.reason or "нет людей"),
            None if first else _interval(row, "share_previous"),
        ]
    days = (
        None if first else derived_cell(row.days_entry_median, row.days_entry_median_hidden, row.reason or "нет людей")
    )
    cells.append(days)
    cells.append(None if first else _days(row))
    return tuple(cells)


def _interval(row: Any, name: str) -> Cell:
    low, high, hidden = (getattr(row, f"{name}{end}") for end in ("_low", "_high", "_hidden"))
    if math.isnan(low):
        return Hidden() if hidden else None
    return formats.interval(low, high, "percent") + formats.MARK if hidden else Interval(low, high)


def _days(row: Any) -> Cell:
    low, high, hidden = row.days_entry_q1, row.days_entry_q3, row.days_entry_median_hidden
    if math.isnan(low):
        return Hidden() if hidden else None
    return formats.interval(low, high, "number") + formats.MARK if hidden else Interval(low, high)


def _level_tables(result: OrderedFunnel, levels: pd.DataFrame, whole: pd.DataFrame | None) -> list[Block]:
    steps, by = result.definition.steps, by_words(result)
    parts = [part for _, part in levels.groupby("order", sort=False)]
    # A withheld count sorts by what is shown of it: last.
    size = "persons" if result.definition.flow else "entrants_matured"
    parts.sort(key=lambda part: -part[size].fillna(-1).iloc[0])
    left_out = len(parts) - SHOWN
    shown = [(part["name"].iloc[0], part) for part in parts[:SHOWN]]
    if whole is not None:
        shown.append((TOTAL, whole))
    emphasised = (len(shown) - 1,) if whole is not None else ()
    notes = (f"Показаны {SHOWN} наибольших из {len(parts)}.",) if left_out > 0 else ()
    flow = result.definition.flow
    shown_steps = steps if flow else steps[1:]
    people = Table(
        title=f"Люди по шагам ({by}), {period(result)}",
        columns=(
            Column(by[:1].upper() + by[1:]),
            *(
                ()
                if flow
                else (Column("Вошли, чел.", "int"), Column("Срок ещё не истёк", "int"), Column("Срок истёк", "int"))
            ),
            *(Column(f"{step.title}, чел.", "int") for step in shown_steps),
        ),
        rows=tuple((name, *_people_cells(result, part)) for name, part in shown),
        notes=(*(() if flow else ("Шаги после входа — только по людям, у которых срок истёк.",)), *notes),
        emphasised=emphasised,
    )
    if result.definition.flow:
        return [people]
    small = any(part["small"].iloc[0] and part["entrants_matured"].iloc[0] > 0 for _, part in shown)
    shares = Table(
        title=f"Доли дошедших от вошедших ({by}), {period(result)}",
        columns=(
            Column(by[:1].upper() + by[1:]),
            *(Column(f"{step.title}, %", "percent") for step in steps[1:]),
            Column(f"Интервал для «{steps[-1].title}»", "percent"),
            Column(f"Дней до «{steps[-1].title}», медиана", "number"),
        ),
        rows=tuple((_marked_small(name, part), *_share_cells(part)) for name, part in shown),
        notes=("Доли — от вошедших с истёкшим сроком.", *notes, *((SMALL,) if small else ())),
        emphasised=emphasised,
    )
    return [people, shares]


def _marked_small(name: str, part: pd.DataFrame) -> str:
    first = part.iloc[0]
    return f"{name} (малая база)" if first["small"] and first["entrants_matured"] > 0 else name


def _people_cells(result: OrderedFunnel, part: pd.DataFrame) -> list[Cell]:
    rows = list(rows_of(part))
    if result.definition.flow:
        return [count_cell(row.persons, row.persons_hidden) for row in rows]
    first = rows[0]
    return [
        count_cell(first.persons, first.persons_hidden),
        count_cell(first.immature, first.immature_hidden),
        *(count_cell(row.persons_matured, row.persons_matured_hidden) for row in rows),
    ]


def _share_cells(part: pd.DataFrame) -> list[Cell]:
    rows = list(rows_of(part))
    last = rows[-1]
    median: Cell = derived_cell(last.days_entry_median, last.days_entry_median_hidden)
    if isinstance(median, Missing):
        median = None
    return [
        *(derived_cell(row.share_entry, row.share_entry_hidden, row.reason) for row in rows[1:]),
        _interval(last, "share_entry"),
        median,
    ]


def _steps_chart(result: OrderedFunnel, whole: pd.DataFrame) -> list[Chart]:
    column = "persons" if result.definition.flow else "persons_matured"
    values = whole[column]
    if values.isna().any() or not (values > 0).any():
        return []
    bars = Series("Люди", tuple(whole["step_title"]), tuple(point(value) for value in values))
    steps = "; ".join(f"{row.step_title} — {formats.integer(getattr(row, column))}" for row in rows_of(whole))
    return [
        Chart(
            title=f"Люди по шагам пути, {period(result)}",
            panels=(Panel(shape="bar", series=(bars,), unit="чел.", kind="int"),),
            alt=f"Столбчатая диаграмма: {steps}.",
            notes=() if result.definition.flow else ("Только вошедшие, у которых срок наблюдения истёк.",),
        )
    ]


def _levels_chart(result: OrderedFunnel, levels: pd.DataFrame, last: pd.Series | None) -> list[Chart]:
    step = result.definition.steps[-1]
    rows = levels[(levels["step"] == step.name) & levels["share_entry"].notna() & (levels["entrants_matured"] >= DRAWN)]
    if len(rows) < 2:
        return []
    rows = rows.sort_values("entrants_matured", ascending=False, kind="stable").head(SHOWN)
    rows = rows.sort_values("share_entry", ascending=False, kind="stable")
    low, high = (tuple(point(value) for value in rows[f"share_entry_{end}"]) for end in ("low", "high"))
    estimates = Series(step.title, tuple(rows["name"]), tuple(point(v) for v in rows["share_entry"]), low, high)
    mean = None if last is None else point(last["share_entry"])
    alt = (
        f"Точки с интервалами: доля дошедших до шага «{step.title}» от {formats.percent(rows['share_entry'].min())} "
        f"({rows['name'].iloc[-1]}) до {formats.percent(rows['share_entry'].max())} ({rows['name'].iloc[0]})."
    )
    panel = Panel(
        shape="interval",
        series=(estimates,),
        unit="%",
        kind="percent",
        reference=None if mean is None else (mean, TOTAL),
    )
    fewer = (
        "Пунктир — все вместе; отрезок в стороне от него сам по себе не различие: различия с поправкой на число "
        f"сравнений названы в выводах. Показано, где срок истёк не менее чем у {DRAWN} человек и числа не скрыты."
    )
    return [
        Chart(
            title=f"Доля дошедших до шага «{step.title}» ({by_words(result)}), {period(result)}",
            panels=(panel,),
            alt=alt,
            notes=(f"{interval_words(result).capitalize()} для каждой доли отдельно. {fewer}",),
        )
    ]


def _key_figure(result: OrderedFunnel, last: pd.Series) -> KeyFigure:
    within = f" за {window(result)}" if window(result) else ""
    note = f"вошедшие: {period(result)}"
    if not math.isnan(last["share_entry_low"]) and not last["share_entry_hidden"]:
        limits = formats.interval(last["share_entry_low"], last["share_entry_high"], "percent")
        note += f"; n = {formats.integer(last['entrants_matured'])}; {interval_words(result)}: {limits}"
    return KeyFigure(
        key=f"path_{last['step']}",
        label=f"Дошли до шага «{last['step_title']}»{within}",
        value=derived_cell(last["share_entry"], bool(last["share_entry_hidden"]), last["reason"]),
        kind="percent",
        note=note,
    )
