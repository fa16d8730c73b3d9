"""View of the tools of attention and attraction: what was used, what it brought, what a client cost."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.funnel import Tools
from kcrr_analysis.funnel.tools import MIN_COMPARED, NO_RECORD, NO_TOUCH
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
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, point, rows_of

ROWS = 20
"""Rows of a table; the tools with the largest costs, then with most persons, are shown."""

STAGE_TITLES = {"1": "привлечение внимания", "2": "привлечение", "": "вне библиотеки инструментов"}
_VERDICTS = {1.0: "выше", -1.0: "ниже", 0.0: "не отличается"}


@build.register
def tools(result: Tools) -> Section:
    """Conclusion, use of the tools by stage, conversion, cost per client, tools without records, definitions."""
    rows = result.rows[~result.rows["total"]]
    touched = rows[(rows["persons"] > 0) | rows["persons_hidden"]]
    return Section(
        title=f"Инструменты привлечения, {_period(result)}",
        blocks=(
            *(Paragraph(words, "conclusion") for words in _conclusions(result, rows, touched)),
            *(table for stage in STAGE_TITLES if (table := _use_table(result, rows, stage))),
            *_conversion_table(result, touched),
            *_cost_table(result, touched),
            *_charts(result, touched),
            *_without(rows),
            *(Paragraph(words, "definition") for words in _definitions(result) if words),
        ),
        key_figures=_key_figures(result),
    )


def _period(result: Tools) -> str:
    return formats.month_range(result.first, result.month)


def _total(result: Tools) -> Any:
    return next(rows_of(result.rows[result.rows["total"]]))


def _conclusions(result: Tools, rows: pd.DataFrame, touched: pd.DataFrame) -> list[str]:
    known = rows[rows["stage"] != ""]
    used = int((known["reason"] != NO_RECORD).sum())
    said = [f"За период {_period(result)} есть записи о {used} из {len(known)} инструментов первого и второго этапов."]
    total = _total(result)
    if touched.empty:
        return [*said, "Отнести клиентов к инструментам нельзя: касаний в журнале действий за период нет."]
    if not math.isnan(total.conversion):
        said.append(
            f"Из {formats.integer(total.persons)} человек, впервые связавшихся с центрами в этот период и не позже "
            f"{result.closed:%d.%m.%Y}, клиентами за {result.window_days:g} дн. стали {formats.integer(total.clients)}"
            f" — {formats.percent(total.conversion)} ({formats.interval(total.low, total.high, 'percent')})."
        )
    if not math.isnan(result.immature) and result.immature:
        said.append(
            f"Связались позже, и их срок ещё не истёк: {formats.people(result.immature)}; они в конверсию не входят."
        )
    return [" ".join(said), *_compared(result, touched)]


def _compared(result: Tools, touched: pd.DataFrame) -> list[str]:
    judged = touched[touched["differs"].notna()]
    if judged.empty:
        return [
            f"Сравнить инструменты по конверсии нельзя: у каждого меньше {MIN_COMPARED} человек или значения скрыты."
        ]
    parts = []
    for sign, word in ((1, "выше, чем у остальных людей,"), (-1, "ниже, чем у остальных людей,")):
        found = judged[judged["differs"] == sign].sort_values("difference", ascending=sign < 0)
        if len(found):
            parts.append(f"{word} {', '.join(_gap(row) for row in rows_of(found))}")
    same = judged[judged["differs"] == 0]
    if len(same):
        names = formats.enumeration([f"«{row.title}»" for row in rows_of(same)])
        parts.append(f"не {formats.plural(len(same), 'отличается', 'отличаются', 'отличаются')} от остальных {names}")
    left = len(touched) - len(judged)
    aside = f" Без сравнения инструментов: {left} (мало людей или значение скрыто)." if left else ""
    return [
        f"Конверсия в клиентов: {'; '.join(parts)}.{aside} Сравнений {result.compared}, поправка Холма: хоть одно "
        f"ложное отличие — не чаще чем в {formats.percent(100 * (1 - result.level), 0)} случаев. Отличие не "
        "доказывает, что дело в инструменте: через разные инструменты приходят разные люди."
    ]


def _gap(row: Any) -> str:
    ends = f"от{formats.NBSP}{formats.number(row.difference_low, signed=True)}"
    ends += f" до{formats.NBSP}{formats.value(row.difference_high, 'points')}"
    gap = formats.number(row.difference, signed=True)
    return f"«{row.title}» — {formats.percent(row.conversion)} (разница {gap}, {ends})"


def _cut(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """At most `ROWS` rows, in the library's order."""
    if len(rows) <= ROWS:
        return rows, ()
    kept = rows.fillna({"cost": 0, "persons": 0}).sort_values(["cost", "persons"], ascending=False).index[:ROWS]
    return rows.loc[kept.sort_values()], (f"Показаны {ROWS} инструментов из {len(rows)} с наибольшими расходами.",)


def _use_table(result: Tools, rows: pd.DataFrame, stage: str) -> Table | None:
    own = rows[(rows["stage"] == stage) & (rows[["events", "placements"]].sum(axis=1) > 0)]
    if own.empty:
        return None
    shown, cut = _cut(own)
    head = f"Этап {stage}, {STAGE_TITLES[stage]}" if stage else f"Коды {STAGE_TITLES[stage]}"
    return Table(
        title=f"{head}: охват и расходы, {_period(result)}",
        columns=(
            Column("Инструмент"),
            Column("Мероприятий", "int"),
            Column("Размещений", "int"),
            Column("Участий", "int"),
            Column("Охват аудитории, чел.", "int"),
            Column("Показы", "int"),
            Column("Расходы, ₽", "number", 0),
            Column("из них свои, ₽", "number", 0),
        ),
        rows=tuple(
            (
                row.title,
                int(row.events) or None,
                int(row.placements) or None,
                _none_or(count_cell(row.participants, row.participants_hidden), row.events),
                _none_or(count_cell(row.reach, row.reach_hidden), row.events),
                _none_or(count_cell(row.impressions, False), row.placements),
                derived_cell(row.cost, False),
                derived_cell(row.internal_cost, False),
            )
            for row in rows_of(shown)
        ),
        notes=(
            "Участия — не разные люди: один человек мог быть на нескольких мероприятиях. Прочерк — такие записи для "
            "инструмента не ведутся или их нет.",
            *cut,
            *result.cost_gaps,
        ),
    )


def _none_or(cell: Cell, occasions: float) -> Cell:
    return cell if occasions else None


def _conversion_table(result: Tools, touched: pd.DataFrame) -> tuple[Table, ...]:
    if touched.empty:
        return ()
    shown, cut = _cut(touched)
    shown = shown.sort_values("conversion", ascending=False, na_position="last", kind="stable")
    total = result.rows[result.rows["total"]]
    body = []
    for row in rows_of(pd.concat([shown, total])):
        hidden = bool(row.persons_hidden or row.clients_hidden)
        body.append(
            (
                row.title,
                count_cell(row.persons, row.persons_hidden),
                count_cell(row.clients, row.clients_hidden),
                derived_cell(row.conversion, hidden),
                _interval(row, "", hidden),
                None if row.total else _interval(row, "difference_", hidden),
                None if row.total else _verdict(row, hidden),
            )
        )
    return (
        Table(
            title=f"Конверсия в клиентов по первому касанию, {_period(result)}",
            columns=(
                Column("Инструмент"),
                Column("Людей", "int"),
                Column("Стали клиентами", "int"),
                Column("Конверсия, %", "percent"),
                Column("Интервал, %", "percent"),
                Column("Разница с остальными", "points"),
                Column("Вывод"),
            ),
            rows=tuple(body),
            notes=(
                f"Только те, у кого срок в {result.window_days:g} дн. истёк. Интервалы — на уровне "
                f"{formats.percent(100 * result.level, 0)} для каждой строки; вывод — с поправкой на все сравнения. "
                f"Прочерк в двух последних столбцах — меньше {MIN_COMPARED} человек.",
                *cut,
            ),
            emphasised=(len(body) - 1,),
        ),
    )


def _verdict(row: Any, hidden: bool) -> Cell:
    return derived_cell(math.nan, True) if hidden and math.isnan(row.conversion) else _VERDICTS.get(row.differs)


def _interval(row: Any, name: str, hidden: bool) -> Cell:
    low, high = getattr(row, f"{name}low"), getattr(row, f"{name}high")
    if math.isnan(low) or math.isnan(high):
        return derived_cell(math.nan, True) if hidden and math.isnan(row.conversion) else None
    if hidden:
        return formats.interval(low, high, "points" if name else "percent") + formats.MARK
    return Interval(low, high)


def _cost_table(result: Tools, touched: pd.DataFrame) -> tuple[Table, ...]:
    own = touched[touched["closed_cost"] > 0]
    if own.empty:
        return ()
    shown, cut = _cut(own)
    return (
        Table(
            title=f"Стоимость нового клиента, мероприятия и размещения до {result.closed:%d.%m.%Y}",
            columns=(
                Column("Инструмент"),
                Column("Расходы, ₽", "number", 0),
                Column("Стали клиентами", "int"),
                Column("На одного клиента, ₽", "number", 0),
                Column("Интервал, ₽", "number", 0),
            ),
            rows=tuple(
                (
                    row.title,
                    float(row.closed_cost),
                    count_cell(row.clients, row.clients_hidden),
                    _cost_cell(row),
                    _cost_interval(row),
                )
                for row in rows_of(shown)
            ),
            notes=(
                "Расходы — на мероприятия и размещения, чей срок атрибуции истёк, клиенты — по первым касаниям того же "
                "времени. Клиенты, которых инструмент привёл без записи в журнале, не учтены: стоимость может быть "
                "завышена.",
                *cut,
            ),
        ),
    )


def _cost_cell(row: Any) -> Cell:
    return derived_cell(row.cost_per_client, row.clients_hidden, "клиентов нет")


def _cost_interval(row: Any) -> Cell:
    if math.isnan(row.cost_per_client_high):
        if row.clients_hidden and math.isnan(row.clients):
            return derived_cell(math.nan, True)
        low = row.cost_per_client_low
        return None if math.isnan(low) else f"не меньше {formats.number(low, 0)}"
    if row.clients_hidden:
        return formats.interval(row.cost_per_client_low, row.cost_per_client_high, "number", 0) + formats.MARK
    return Interval(row.cost_per_client_low, row.cost_per_client_high)


def _charts(result: Tools, touched: pd.DataFrame) -> tuple[Chart, ...]:
    total = _total(result)
    found = (
        _chart(result, touched, ("conversion", "low", "high"), "Конверсия в клиентов по первому касанию",
               total.conversion),
        _chart(result, touched, ("cost_per_client", "cost_per_client_low", "cost_per_client_high"),
               "Стоимость нового клиента", math.nan),
    )  # fmt: skip
    return tuple(chart for chart in found if chart)


def _chart(result: Tools, touched: pd.DataFrame, names: tuple[str, str, str], title: str, whole: float) -> Chart | None:
    rows = touched[touched[names[0]].notna()].sort_values(names[0], ascending=False, kind="stable")[:ROWS]
    if len(rows) < 2:
        return None
    money = names[0] == "cost_per_client"
    unit = "₽" if money else "%"
    y, low, high = (tuple(point(value) for value in rows[name]) for name in names)
    ends = formats.interval(rows[names[0]].min(), rows[names[0]].max(), "number", 0 if money else 1)
    return Chart(
        title=f"{title}, {_period(result)}",
        panels=(
            Panel(
                shape="interval",
                series=(Series(title, tuple(rows["title"]), y, low, high),),
                unit=unit,
                kind="int" if money else "percent",
                reference=None if math.isnan(whole) else (float(whole), "Все инструменты"),
            ),
        ),
        alt=f"Точки с интервалами: {title[:1].lower()}{title[1:]} по инструментам, {ends} {unit}.",
        notes=("Скрытые значения не показаны.",),
    )


def _without(rows: pd.DataFrame) -> tuple[Paragraph, ...]:
    """Tools that say nothing, and why."""
    said = []
    for reason, head in (
        (NO_TOUCH, "Касаний в журнале нет, поэтому конверсия в клиентов не вычисляется (отклик на рекламу — "
                   "в разделе о продвижении)"),
        (NO_RECORD, "Записей в данных нет"),
    ):  # fmt: skip
        names = rows.loc[rows["reason"] == reason, "title"]
        if len(names):
            said.append(Paragraph(f"{head}: {'; '.join(names)}.", "note"))
    return tuple(said)


def _definitions(result: Tools) -> tuple[str, ...]:
    return (result.attribution, result.cost_definition, result.interval)


def _key_figures(result: Tools) -> tuple[KeyFigure, ...]:
    total = _total(result)
    if math.isnan(total.persons) and not total.persons_hidden:
        return ()
    hidden = bool(total.persons_hidden or total.clients_hidden)
    ends = "" if math.isnan(total.low) else f"; {formats.interval(total.low, total.high, 'percent')}"
    return (
        KeyFigure(
            "first_touch_conversion",
            "Конверсия первых касаний в клиентов",
            derived_cell(total.conversion, hidden, "касаний нет") if not math.isnan(total.persons) else Missing(),
            "percent",
            note=f"{_period(result)}; окно {result.window_days:g} дн.{ends}",
        ),
    )
