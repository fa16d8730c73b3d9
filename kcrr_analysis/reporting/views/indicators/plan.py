"""View of plan and fact: services of the region and its centres, clients centre by centre."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import PlanFact
from kcrr_analysis.indicators.flow import TOTAL
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


@build.register
def plan(result: PlanFact) -> Section:
    """Conclusion, warnings, the region by group, the centres, bars of the centres."""
    rows = result.rows
    region = rows[rows["center_id"] == ""]
    centres = rows[(rows["center_id"] != "") & (rows["client_group"] == TOTAL)]
    total = region[region["client_group"] == TOTAL]
    return Section(
        title="План и факт",
        blocks=(
            Paragraph(_conclusion(result, total), "conclusion"),
            *_warnings(result),
            *((_region_table(result, region),) if len(region) else ()),
            *((_centre_table(result, centres),) if len(centres) else ()),
            *_chart(result, centres),
            Paragraph(result.definition, "definition"),
        ),
        key_figures=_key_figures(result, total),
    )


def _conclusion(result: PlanFact, total: pd.DataFrame) -> str:
    when = formats.in_month(result.month)
    if total.empty:
        return f"Итог выполнения плана {when} не выводится: в плане нет строк client_group = all."
    row: Any = next(rows_of(total))
    if math.isnan(row.services_pct):
        said = f"Выполнение плана по сервисам {when} не выводится"
        said += ": факт скрыт." if row.services_hidden else ": нет плана или факта."
    else:
        mark = formats.MARK if row.services_hidden else ""
        said = (
            f"План по сервисам {when} выполнен на {formats.percent(row.services_pct)}{mark}: "
            f"{formats.integer(row.services)} из {formats.integer(row.planned_services)}."
        )
    if not math.isnan(row.services_ytd_pct) and result.month.month > 1:
        said += f" С начала года — {formats.percent(row.services_ytd_pct)}."
    judged = int(row.clients_judged)
    if judged:
        met = int(row.clients_met)
        who = f"{formats.plural(met, 'выполнил', 'выполнили', 'выполнили')} {met}" if met else "не выполнил ни один"
        said += (
            f" План по клиентам за месяц {who} из {formats.count(judged, 'центра', 'центров', 'центров')}, по которым "
            "число клиентов показано."
        )
    return said


def _warnings(result: PlanFact) -> list[Paragraph]:
    if not result.unplanned:
        return []
    return [Paragraph(f"Нет плана на месяц, в суммы не вошли: {formats.enumeration(result.unplanned)}.", "warning")]


def _region_table(result: PlanFact, rows: pd.DataFrame) -> Table:
    return Table(
        title=f"План и факт по сервисам в регионе, {formats.month(result.month)}",
        columns=(
            Column("Группа"),
            Column("План сервисов за месяц", "int"),
            Column("Факт за месяц", "int"),
            Column("Выполнение, %", "percent"),
            Column("План с начала года", "int"),
            Column("Факт с начала года", "int"),
            Column("Выполнение с начала года, %", "percent"),
            Column("Обслужено граждан за месяц, чел.", "int"),
        ),
        rows=tuple(
            (
                row.group_title,
                number_cell(row.planned_services),
                count_cell(row.services, row.services_hidden),
                derived_cell(row.services_pct, row.services_hidden),
                number_cell(row.planned_services_ytd),
                count_cell(row.services_ytd, row.services_ytd_hidden),
                derived_cell(row.services_ytd_pct, row.services_ytd_hidden),
                count_cell(row.clients, row.clients_hidden),
            )
            for row in rows_of(rows)
        ),
        notes=(
            "Выполнение плана по клиентам в целом по региону не вычисляется: план задан по центрам, а людей по "
            f"центрам не складывают. {OVERLAP}",
        ),
        emphasised=tuple(place for place, group in enumerate(rows["client_group"]) if group == TOTAL),
    )


def _centre_table(result: PlanFact, rows: pd.DataFrame) -> Table:
    return Table(
        title=f"План и факт по центрам, все клиенты, {formats.month(result.month)}",
        columns=(
            Column("Центр"),
            Column("План сервисов", "int"),
            Column("Факт", "int"),
            Column("Выполнение, %", "percent"),
            Column("С начала года, %", "percent"),
            Column("План клиентов, чел.", "int"),
            Column("Факт, чел.", "int"),
            Column("Выполнение, %", "percent"),
        ),
        rows=tuple(_centre(row) for row in rows_of(rows)),
        notes=(f"{result.interval.capitalize()}: интервала нет. Клиенты — за месяц, с начала года не складываются.",),
    )


def _centre(row: Any) -> tuple[Cell, ...]:
    return (
        row.title,
        number_cell(row.planned_services),
        count_cell(row.services, row.services_hidden),
        derived_cell(row.services_pct, row.services_hidden),
        derived_cell(row.services_ytd_pct, row.services_ytd_hidden),
        number_cell(row.planned_clients),
        count_cell(row.clients, row.clients_hidden),
        derived_cell(row.clients_pct, row.clients_hidden),
    )


def _chart(result: PlanFact, rows: pd.DataFrame) -> tuple[Chart, ...]:
    rows = rows[rows["services_pct"].notna() | rows["clients_pct"].notna()]
    if len(rows) < 2:
        return ()
    ordered = rows.sort_values("services_pct", ascending=False)
    names = tuple(ordered["title"])
    services = Series("Сервисы", names, tuple(point(value) for value in ordered["services_pct"]))
    clients = Series("Клиенты", names, tuple(point(value) for value in ordered["clients_pct"]))
    return (
        Chart(
            title=f"Выполнение плана по центрам, {formats.month(result.month)}",
            panels=(
                Panel(shape="bar", series=(services, clients), unit="%", kind="percent", reference=(100.0, "План")),
            ),
            alt=(
                "Столбчатая диаграмма выполнения плана по центрам: сервисы от "
                f"{formats.percent(ordered['services_pct'].min())} до {formats.percent(ordered['services_pct'].max())}."
            ),
        ),
    )


def _key_figures(result: PlanFact, total: pd.DataFrame) -> tuple[KeyFigure, ...]:
    if total.empty:
        return ()
    row: Any = next(rows_of(total))
    when = f"{formats.month(result.month)}; {result.interval}"
    met: Cell = int(row.clients_met) if row.clients_judged else Missing("нет данных")
    return (
        KeyFigure(
            key="plan_services",
            label="План по сервисам выполнен на",
            value=derived_cell(row.services_pct, row.services_hidden),
            kind="percent",
            note=when,
        ),
        KeyFigure(
            key="plan_clients_met",
            label="Центров, выполнивших план по клиентам",
            value=met,
            kind="int",
            note=f"из {int(row.clients_judged)}; {when}",
        ),
    )
