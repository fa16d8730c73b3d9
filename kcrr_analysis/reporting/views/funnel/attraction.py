"""Views of new clients by what touched them, per employee of the front office, and of a scenario of return."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.attribution import AttractionPerEmployee
from kcrr_analysis.attribution.credit import SMALL_BASE
from kcrr_analysis.costs import FinancialReturn
from kcrr_analysis.funnel import Attraction
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Cell,
    Chart,
    Column,
    Interval,
    KeyFigure,
    Kind,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, point, rows_of

CUTS = {
    "channel": ("Канал", "каналам"),
    "tool_id": ("Инструмент", "инструментам"),
    "client_group": ("Группа", "клиентским группам"),
    "center_id": ("Центр", "центрам"),
    "partner_id": ("Партнёр", "партнёрам"),
    "campaign": ("Кампания", "кампаниям"),
    "month": ("Месяц", "месяцам"),
    "event_id": ("Мероприятие", "мероприятиям"),
}
ROWS = 20


@build.register
def attraction(result: Attraction) -> Section:
    """Conclusion, table and intervals by level, the definition."""
    head, by = _cut(result.by)
    period = formats.month_range(result.first, result.month)
    levels, total = result.rows[~result.rows["total"]], result.rows[result.rows["total"]]
    note = ""
    if len(levels) > ROWS:
        note = f"Показаны {ROWS} строк с наибольшим числом людей из {len(levels)}."
        order = levels["persons"].fillna(0).sort_values(ascending=False, kind="stable").index
        levels = levels.loc[order[:ROWS].sort_values()]
    body = [_row(row) for row in rows_of(pd.concat([levels, total]) if len(levels) else total)]
    about = (
        f"Люди с первым касанием в периоде, у которых срок в {result.window_days:g} дн. истёк. Медиана — дней от "
        "касания до цели у ставших клиентами."
        if result.model == "first"
        else "Человек, у которого было несколько касаний, стоит в нескольких строках, а в итоге — один раз."
    )
    small = f"Малая база: меньше {SMALL_BASE} человек." if (result.rows["small"] & ~result.rows["total"]).any() else ""
    table = Table(
        title=f"{' '.join(['Новые клиенты', by]).rstrip()}, {period}",
        columns=(
            Column(head),
            Column("Людей", "int"),
            Column("Стали клиентами", "int" if result.model != "linear" else "number"),
            Column("Конверсия, %", "percent"),
            Column("Интервал, %", "percent"),
            Column("Медиана, дн.", "number", 0),
        ),
        rows=tuple(body),
        notes=tuple(
            filter(None, (about, f"{result.interval[:1].upper()}{result.interval[1:]}.", small, note)),
        ),
        emphasised=(len(body) - 1,),
    )
    whole = next(rows_of(total))
    return Section(
        title=f"Новые клиенты {by}".rstrip(),
        blocks=(
            Paragraph(_words(result, whole, period), "conclusion"),
            table,
            *_chart(levels, by, period, whole),
            Paragraph(result.definition, "definition"),
        ),
    )


def _cut(by: tuple[str, ...]) -> tuple[str, str]:
    if not by:
        return "Все касания", ""
    parts = [CUTS.get(name, (name, f"столбцу «{name}»")) for name in by]
    heads = [parts[0][0], *(head.lower() for head, _ in parts[1:])]
    return ", ".join(heads), "по " + formats.enumeration([word for _, word in parts])


def _words(result: Attraction, total: Any, period: str) -> str:
    if math.isnan(total.conversion):
        return f"За период {period} конверсия в клиентов не выводится: ни у кого срок не истёк или значение скрыто."
    ends = "" if math.isnan(total.low) else f" ({formats.interval(total.low, total.high, 'percent')})"
    later = ""
    if not math.isnan(result.immature) and result.immature:
        later = f" Срок ещё не истёк: {formats.people(result.immature)}; они в расчёт не входят."
    return (
        f"За период {period} из {formats.integer(total.persons)} человек, у которых срок в {result.window_days:g} дн. "
        f"истёк, клиентами стали {formats.number(total.clients, 0)}: {formats.percent(total.conversion)}{ends}.{later} "
        "Различия строк между собой не проверялись: интервалы, которые пересекаются, различия не показывают."
    )


def _row(row: Any) -> tuple[Cell, ...]:
    hidden = bool(row.conversion_hidden)
    clients: Cell = derived_cell(row.clients, row.clients_hidden)
    if isinstance(clients, float) and clients.is_integer():
        clients = int(clients)
    interval = derived_cell(math.nan, hidden) if math.isnan(row.conversion) and hidden else interval_cell(row, hidden)
    return (
        f"{row.title}{' (малая база)' if row.small and not row.total else ''}",
        count_cell(row.persons, row.persons_hidden),
        clients,
        derived_cell(row.conversion, hidden, "людей нет"),
        interval,
        derived_cell(row.median_days, bool(row.median_days_hidden), "клиентов нет"),
    )


def interval_cell(row: Any, hidden: bool, *, kind: Kind = "percent", decimals: int = 1) -> Cell:
    """The interval of a row, marked where it tells of a small count; a dash where there is none."""
    if math.isnan(row.low) or math.isnan(row.high):
        return None
    if hidden:
        return formats.interval(row.low, row.high, kind, decimals) + formats.MARK
    return Interval(row.low, row.high)


def _chart(rows: pd.DataFrame, by: str, period: str, total: Any) -> tuple[Chart, ...]:
    known = rows[rows["conversion"].notna()].sort_values("conversion", ascending=False, kind="stable")
    return _interval_chart(
        known.rename(columns={"conversion": "value"}),
        title=f"Конверсия в клиентов {by}, {period}",
        unit="%",
        kind="percent",
        reference=None if math.isnan(total.conversion) else (float(total.conversion), "Все"),
    )


def _interval_chart(
    rows: pd.DataFrame, *, title: str, unit: str, kind: Kind, reference: tuple[float, str] | None
) -> tuple[Chart, ...]:
    """Points with intervals of `value`, `low`, `high` by `title`; none for fewer than two rows."""
    if len(rows) < 2:
        return ()
    y, low, high = (tuple(point(value) for value in rows[name]) for name in ("value", "low", "high"))
    series = Series(title, tuple(rows["title"]), y, low, high)
    ends = formats.interval(rows["value"].min(), rows["value"].max(), "number", 2 if rows["value"].max() < 10 else 1)
    return (
        Chart(
            title=title,
            panels=(Panel(shape="interval", series=(series,), unit=unit, kind=kind, reference=reference),),
            alt=f"Точки с интервалами: {title[:1].lower()}{title[1:]}, {ends} {unit}.",
            notes=("Скрытые значения не показаны.",),
        ),
    )


@build.register
def attraction_per_employee(result: AttractionPerEmployee) -> Section:
    """Conclusion, table and intervals by centre, why it is no measure for reward."""
    period = formats.month_range(result.first, result.last)
    rows = result.rows.sort_values("per_employee", ascending=False, na_position="last", kind="stable")
    rows = rows if "title" in rows else rows.assign(title=rows["center_id"].astype(str))
    total = result.total.assign(title="Всего")
    body = [_employee_row(row) for row in rows_of(pd.concat([rows, total]))]
    whole = next(rows_of(total))
    return Section(
        title="Клиенты фронт-офиса на одну ставку",
        blocks=(
            Paragraph(_employee_words(rows, whole, period), "conclusion"),
            Paragraph(result.caveat, "warning"),
            Table(
                title=f"Новые клиенты фронт-офиса на ставку, {period}",
                columns=(
                    Column("Центр"),
                    Column("Первых контактов", "int"),
                    Column("Стали клиентами", "int"),
                    Column("Ставок в среднем", "number"),
                    Column("Клиентов на ставку", "number", 2),
                    Column("Интервал", "number", 2),
                    Column("Против региона"),
                ),
                rows=tuple(body),
                notes=(
                    f"{result.interval[:1].upper()}{result.interval[1:]}; вывод — точный тест с поправкой Холма на все "
                    "центры. Если люди приходят группами, интервалы на деле шире.",
                ),
                emphasised=(len(body) - 1,),
            ),
            *_interval_chart(
                rows[rows["per_employee"].notna()].rename(columns={"per_employee": "value"}),
                title=f"Новые клиенты фронт-офиса на ставку, {period}",
                unit="чел. на ставку",
                kind="number",
                reference=None if math.isnan(whole.per_employee) else (float(whole.per_employee), "Регион"),
            ),
            Paragraph(result.definition, "definition"),
        ),
        key_figures=(
            KeyFigure(
                "clients_per_employee",
                "Клиенты фронт-офиса на ставку",
                derived_cell(whole.per_employee, _marked(whole, "per_employee")),
                "number",
                note=f"{period}; {formats.interval(whole.low, whole.high, 'number', 2)}"
                if whole.low == whole.low
                else period,
            ),
        ),
    )


def _marked(row: Any, name: str) -> bool:
    return bool(getattr(row, f"{name}_hidden", False))


def _employee_words(rows: pd.DataFrame, whole: Any, period: str) -> str:
    said = f"За период {period} "
    if math.isnan(whole.per_employee):
        said += "число клиентов фронт-офиса на ставку по региону не выводится. "
    else:
        said += (
            f"фронт-офис привлёк {formats.number(whole.per_employee, 2)} нового клиента на ставку "
            f"({formats.interval(whole.low, whole.high, 'number', 2)}). "
        )
    judged = rows[rows["p_adjusted"].notna()]
    parts = []
    for sign, word in ((1, "выше региона"), (-1, "ниже региона")):
        names = judged.loc[judged["differs"] == sign, "title"]
        if len(names):
            parts.append(f"{word} {formats.enumeration([f'«{name}»' for name in names])}")
    if judged.empty:
        return said + "Центры не сравниваются: значения скрыты или центр один."
    if not parts:
        return (
            said
            + f"Ни один из {len(judged)} сравниваемых центров не отличается от региона: разница не больше случайной."
        )
    return said + f"Из {len(judged)} сравниваемых центров {'; '.join(parts)}; остальные от региона не отличаются."


def _employee_row(row: Any) -> tuple[Cell, ...]:
    hidden = _marked(row, "per_employee")
    verdict: Cell = (
        {1: "выше", -1: "ниже", 0: "не отличается"}.get(row.differs) if row.p_adjusted == row.p_adjusted else None
    )
    interval: Cell = interval_cell(row, hidden, kind="number", decimals=2)
    if math.isnan(row.per_employee) and hidden:
        interval = verdict = derived_cell(math.nan, True)
    return (
        row.title,
        count_cell(row.touched, _marked(row, "touched")),
        count_cell(row.clients, _marked(row, "clients")),
        derived_cell(row.staff_fte, False, "нет ставок"),
        derived_cell(row.per_employee, hidden, "нет ставок"),
        interval,
        verdict,
    )


@build.register
def financial_return(result: FinancialReturn) -> Section:
    """What the scenario returns, and when it does not pay."""
    net = formats.interval(result.net_low, result.net_high, "money")
    if result.net_low > 0:
        verdict = "При этих допущениях расходы окупаются на всём интервале."
    elif result.net_high < 0:
        verdict = "При этих допущениях расходы не окупаются на всём интервале."
    else:
        verdict = "Интервал включает ноль: окупятся ли расходы, по этим данным сказать нельзя."
    source = (
        f" Источник ценности клиента: {result.source}." if result.source else " Источник ценности клиента не указан."
    )
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Дополнительные клиенты, чел.", result.clients, Interval(result.clients_low, result.clients_high)),
        ("Ценность одного клиента, ₽", result.client_value, None),
        ("Отдача, ₽", result.value, Interval(result.value_low, result.value_high)),
        ("Расходы, ₽", result.cost, None),
        ("Отдача за вычетом расходов, ₽", result.net, Interval(result.net_low, result.net_high)),
        *(
            (("Окупается при числе клиентов", math.ceil(result.break_even), None),)
            if math.isfinite(result.break_even)
            else ()
        ),
    )
    return Section(
        title="Финансовая отдача: сценарий",
        blocks=(
            Paragraph(
                f"Отдача за вычетом расходов — {formats.money(result.net)} ({net}). {verdict}{source}", "conclusion"
            ),
            Table(
                title="Сценарий финансовой отдачи",
                columns=(Column("Величина"), Column("Значение", "number", 0), Column("Интервал", "number", 0)),
                rows=rows,
            ),
            Paragraph(result.definition, "definition"),
        ),
    )
