"""View of premises and staff: centres beside the region, modernised ones marked, fill above 100 % pointed out."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import Building
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Chart, Column, KeyFigure, Panel, Paragraph, Section, Series, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, number_cell, point, rows_of

NAMES = {
    "visits_per_m2": "Посетители на 1 м²",
    "services_per_employee": "Сервисы на сотрудника",
    "fill": "Заполнение здания",
}
AREAS = {"floor": "общая площадь", "client": "площадь клиентской зоны"}


@build.register
def building(result: Building) -> Section:
    """Conclusion, warnings, table of centres, bars of the fill."""
    rows = result.rows
    total = rows[rows["center_id"] == ""].iloc[0]
    return Section(
        title="Здания и сотрудники",
        blocks=(
            Paragraph(_conclusion(result, total), "conclusion"),
            *_warnings(result),
            _table(result),
            *_chart(result),
            Paragraph(result.definition, "definition"),
        ),
        key_figures=(
            KeyFigure(
                key="building_fill",
                label="Заполнение зданий",
                value=derived_cell(total["fill"], bool(total["visits_hidden"]), str(total["fill_reason"])),
                kind="percent",
                note=f"{formats.month(result.month)}; {result.interval}{_left_out_note(result, 'fill')}",
            ),
        ),
    )


def _left_out_note(result: Building, ratio: str) -> str:
    missing = len(result.left_out[ratio])
    return f"; без {formats.count(missing, 'центра', 'центров', 'центров')}" if missing else ""


def _conclusion(result: Building, total: pd.Series) -> str:
    when = formats.in_month(result.month)
    if math.isnan(total["fill"]):
        said = f"Заполнение зданий {when} не выводится: {_why(total)}."
    else:
        year_ago = total["fill_year_ago"]
        before = (
            "" if math.isnan(year_ago) else f" (годом ранее {_fill(year_ago, bool(total['visits_hidden_year_ago']))})"
        )
        said = f"Здания центров {when} заполнены на {_fill(total['fill'], bool(total['visits_hidden']))}{before}."
    centres = result.rows[result.rows["center_id"] != ""]
    known = centres[centres["fill"].notna()].sort_values("fill")
    if len(known) >= 2:
        low, high = known.iloc[0], known.iloc[-1]
        # A centre without a shown figure may well be the first or the last.
        start = "Больше" if len(known) == len(centres) else "Из центров, по которым число показано, больше"
        said += (
            f" {start} всего — {high['title']} ({_fill(high['fill'], bool(high['visits_hidden']))}), меньше всего — "
            f"{low['title']} ({_fill(low['fill'], bool(low['visits_hidden']))})."
        )
    return said + " Учёт сплошной; различия центров включают и различия их зданий."


def _fill(value: float, hidden: bool) -> str:
    return formats.percent(value) + (formats.MARK if hidden else "")


def _why(total: pd.Series) -> str:
    return "число посещений скрыто" if total["visits_hidden"] else str(total["fill_reason"]) or "нет данных"


def _warnings(result: Building) -> list[Paragraph]:
    said = []
    over = result.rows[result.rows["over"].astype(bool)]
    if len(over):
        shown = [f"{row.title} ({_fill(row.fill, row.visits_hidden)})" for row in rows_of(over)]
        said.append(
            f"Заполнение больше 100 %: {formats.enumeration(shown)}. Визитов больше, чем вмещает здание по паспорту: "
            "проверьте пропускную способность, число рабочих дней и учёт визитов."
        )
    for ratio, names in result.left_out.items():
        if names:
            said.append(
                f"{NAMES[ratio]}: в число по региону не вошли центры без числителя или знаменателя — "
                f"{formats.enumeration(names)}."
            )
    rebuilt = result.rows[result.rows["modernised_this_year"].astype(bool)]
    if len(rebuilt):
        shown = [f"{row.title} ({formats.month(row.modernised_from)})" for row in rows_of(rebuilt)]
        said.append(
            f"Модернизированы за последний год: {formats.enumeration(shown)}. Сравнение с прошлым годом у них "
            "отражает и смену площади, штата и пропускной способности."
        )
    return [Paragraph(words, "warning") for words in said]


def _table(result: Building) -> Table:
    columns = (
        Column("Центр"),
        Column("Модернизирован"),
        Column("Посещения", "int"),
        Column(f"{'Площадь' if result.area == 'floor' else 'Клиентская зона'}, м²", "number", 0),
        Column("На 1 м²", "number", 2),
        Column("Ставки", "number", 1),
        Column("Сервисов на сотрудника", "number", 1),
        Column("Заполнение, %", "percent"),
        Column("Годом ранее, %", "percent"),
    )
    body = tuple(_row(row) for row in rows_of(result.rows))
    return Table(
        title=f"Посещения, площадь, сотрудники и заполнение зданий, {formats.month(result.month)}",
        columns=columns,
        rows=body,
        notes=(
            f"{result.interval.capitalize()}: интервала нет. Площадь ({AREAS[result.area]}), ставки и пропускная "
            "способность — того же месяца. Число по региону — отношение сумм, а не среднее по центрам.",
        ),
        emphasised=(len(body) - 1,),
    )


def _row(row: Any) -> tuple[Cell, ...]:
    modern = "–" if not row.center_id else formats.month_short(row.modernised_from) if row.modernised else "нет"
    return (
        row.title,
        modern,
        count_cell(row.visits, row.visits_hidden),
        number_cell(row.area_m2),
        derived_cell(row.visits_per_m2, row.visits_hidden, row.visits_per_m2_reason),
        number_cell(row.staff_fte),
        derived_cell(row.services_per_employee, row.services_hidden, row.services_per_employee_reason),
        derived_cell(row.fill, row.visits_hidden, row.fill_reason),
        derived_cell(row.fill_year_ago, row.visits_hidden_year_ago),
    )


def _chart(result: Building) -> tuple[Chart, ...]:
    rows = result.rows[(result.rows["center_id"] != "") & result.rows["fill"].notna()]
    if len(rows) < 2:
        return ()
    ordered = rows.sort_values("fill", ascending=False)
    now = Series("Отчётный месяц", tuple(ordered["title"]), tuple(point(value) for value in ordered["fill"]))
    before = tuple(point(value) for value in ordered["fill_year_ago"])
    series: tuple[Series, ...] = (now,)
    if any(value is not None for value in before):
        series = (now, Series("Годом ранее", now.x, before, role="context"))
    return (
        Chart(
            title=f"Заполнение зданий центров, {formats.month(result.month)}",
            panels=(
                Panel(
                    shape="bar", series=series, unit="%", kind="percent", reference=(100.0, "Пропускная способность")
                ),
            ),
            alt=(
                "Столбчатая диаграмма заполнения зданий по центрам: от "
                f"{formats.percent(ordered['fill'].min())} до {formats.percent(ordered['fill'].max())}."
            ),
        ),
    )
