"""View of a flow measure by client group: what changed, whether that is usual, the table and the charts behind it."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import FlowLevels
from kcrr_analysis.indicators.flow import TOTAL
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
from kcrr_analysis.reporting.views.cells import OVERLAP, count_cell, derived_cell, point, rows_of

SMALL_BASE = "Малая база: значение или прошлогодняя база меньше 30 человек, процент изменения неустойчив."
CHANCE = "Выход за пределы бывает и случайно, и тем чаще, чем больше групп сравнивается."
STEADY = 0.05
"""A change under this many percent reads «почти столько же»: it would print as 0,0 %."""


@build.register
def levels(result: FlowLevels) -> Section:
    """Conclusions, table by group, the total's history and the change by group."""
    total = result.total
    figure = KeyFigure(
        key=result.column,
        label=result.title,
        value=count_cell(total["value"], total["hidden"]) if total is not None else Missing("нет строки «all»"),
        kind="int",
        unit=result.unit,
        note=f"{formats.month(result.month)}; {result.interval}",
        change=_key_change(total) if total is not None else None,
    )
    conclusions = (_total_words(result), _groups_words(result))
    return Section(
        title=result.title,
        blocks=(
            *(Paragraph(words, "conclusion") for words in conclusions if words),
            _levels_table(result),
            *_levels_charts(result),
            Paragraph(result.definition, "definition"),
        ),
        key_figures=(figure,),
    )


def _key_change(total: pd.Series) -> Cell:
    if math.isnan(total["change_year_pct"]) and not (total["hidden"] or total["hidden_year_ago"]):
        return None
    return derived_cell(total["change_year_pct"], total["hidden"] or total["hidden_year_ago"])


def _total_words(result: FlowLevels) -> str:
    total, month = result.total, formats.month(result.month)
    if total is None:
        return (
            f"Итог за {month} не выводится: в данных нет строки client_group = all, а складывать пересекающиеся "
            "группы нельзя."
        )
    if math.isnan(total["value"]):
        return f"Значение за {month} скрыто: оно меньше порога малого числа или раскрывает такое."
    when = formats.month(result.month, "prepositional")
    said = f"{result.title}: в {when} — {_amount(total['value'], result.unit)}. "
    year = _against(total["change_year"], total["change_year_pct"], result.month - 12, total["year_ago"])
    month_before = _against(total["change_previous"], total["change_previous_pct"], result.month - 1, total["previous"])
    known = [words for words in (year, month_before) if words]
    said += f"Это {', и '.join(known)}. " if known else "Сравнить не с чем: прежних значений нет или они скрыты. "
    return f"{said}Учёт сплошной, выборочной погрешности нет. {_past_words(total)}".rstrip()


def _amount(value: float, unit: str) -> str:
    return formats.people(value) if unit == "чел." else f"{formats.integer(value)}{formats.NBSP}{unit}"


def _against(change: float, percent: float, month: pd.Period, base: float) -> str:
    when = formats.in_month(month)
    if math.isnan(base) or math.isnan(change):
        return ""
    if change == 0:
        return f"столько же, сколько {when}"
    side = "больше" if change > 0 else "меньше"
    share = "" if math.isnan(percent) else f"на {formats.percent(abs(percent))} "
    if share and abs(percent) < STEADY:
        return f"почти столько же, сколько {when} ({formats.integer(base)})"
    by = formats.integer(abs(change))
    return f"{share}({by}) {side}, чем {when} ({formats.integer(base)})" if share else f"на {by} {side}, чем {when}"


def _past_words(row: pd.Series) -> str:
    if math.isnan(row["change_year_pct"]):
        return ""
    if not row["past_n"]:
        return "Сопоставить изменение за год с прошлым размахом нельзя: известно меньше 12 прошлых годовых изменений."
    verdict = "выходит за пределы" if _side(row) else "не выходит за пределы"
    return (
        f"Изменение за год {verdict} прошлого размаха: за предыдущие "
        f"{formats.count(row['past_n'], 'месяц', 'месяца', 'месяцев')} оно составляло "
        f"от {formats.change_percent(row['past_low'])} до {formats.change_percent(row['past_high'])}."
    )


def _side(row: pd.Series) -> int:
    """1 above the range of past changes, -1 below it, 0 within."""
    return int(row["change_year_pct"] > row["past_high"]) - int(row["change_year_pct"] < row["past_low"])


def _groups_words(result: FlowLevels) -> str:
    """Only groups beyond their own past range are named, by the side they left it on, out of how many compared."""
    rows = result.rows[(result.rows["client_group"] != TOTAL) & ~result.rows["small_base"]]
    rows = rows[rows["change_year_pct"].notna() & (rows["past_n"] > 0)]
    if rows.empty:
        return ""
    compared = formats.count(len(rows), "сравниваемой группы", "сравниваемых групп", "сравниваемых групп")
    sides = rows.apply(_side, axis=1)
    parts = [
        f"{words} — {formats.enumeration([_named(row) for row in rows_of(rows[sides == side])])}"
        for side, words in ((1, "выше"), (-1, "ниже"))
        if (sides == side).any()
    ]
    if not parts:
        return f"Ни у одной из {compared} изменение за год не вышло за пределы её прошлого размаха."
    return f"За пределы своего прошлого размаха вышли, из {compared}: {'; '.join(parts)}. {CHANCE}"


def _named(row: Any) -> str:
    past = formats.interval(row.past_low, row.past_high, "change_percent")
    return f"«{row.title}» ({formats.change_percent(row.change_year_pct)} за год, прежде {past})"


def _levels_table(result: FlowLevels) -> Table:
    unit = result.unit
    columns = (
        Column("Группа"),
        Column(f"{formats.month_short(result.month)}, {unit}", "int"),
        Column(f"{formats.month_short(result.month - 1)}, {unit}", "int"),
        Column("К прошлому месяцу, %", "change_percent"),
        Column(f"{formats.month_short(result.month - 12)}, {unit}", "int"),
        Column("За год", "change"),
        Column("За год, %", "change_percent"),
        Column("Прошлый размах за год, %", "change_percent", 0),
    )
    rows, emphasised = [], []
    for place, row in enumerate(rows_of(result.rows)):
        if row.client_group == TOTAL:
            emphasised.append(place)
        year_hidden = row.hidden or row.hidden_year_ago
        rows.append(
            (
                f"{row.title}{' (малая база)' if row.small_base else ''}",
                count_cell(row.value, row.hidden),
                count_cell(row.previous, row.hidden_previous),
                derived_cell(row.change_previous_pct, row.hidden or row.hidden_previous),
                count_cell(row.year_ago, row.hidden_year_ago),
                derived_cell(row.change_year, year_hidden),
                derived_cell(row.change_year_pct, year_hidden),
                _past_cell(row),
            )
        )
    return Table(
        title=f"{result.title} по группам, {formats.month(result.month)}",
        columns=columns,
        rows=tuple(rows),
        notes=_levels_notes(result),
        emphasised=tuple(emphasised),
    )


def _past_cell(row: Any) -> Cell:
    if not row.past_n:
        return None
    if row.past_marked:
        return formats.interval(row.past_low, row.past_high, "change_percent", 0) + formats.MARK
    return Interval(row.past_low, row.past_high)


def _levels_notes(result: FlowLevels) -> tuple[str, ...]:
    notes = [
        f"{result.interval.capitalize()}: выборочного интервала нет. Значения не очищены от сезонности и числа рабочих "
        f"дней. {OVERLAP}"
    ]
    if (result.rows["past_n"] > 0).any():
        notes.append(
            "Прошлый размах — наименьшее и наибольшее изменение за год у этой же группы за прошлые месяцы "
            f"(не более {result.rows['past_n'].max()}). {CHANCE}"
        )
    if result.rows["small_base"].any():
        notes.append(SMALL_BASE)
    return tuple(notes)


def _levels_charts(result: FlowLevels) -> tuple[Chart, ...]:
    charts = []
    total = result.history[result.history["client_group"] == TOTAL]
    if len(total) >= 2:
        charts.append(_history_chart(result, total))
    rows = result.rows[(result.rows["client_group"] != TOTAL) & result.rows["change_year_pct"].notna()]
    rows = rows[~rows["small_base"]]
    if len(rows) >= 2:
        charts.append(_change_chart(result, rows))
    return tuple(charts)


def _history_chart(result: FlowLevels, total: pd.DataFrame) -> Chart:
    values = total.set_index("month")["value"]
    months = pd.period_range(result.month - min(35, (result.month - values.index[0]).n), result.month, freq="M")
    known = values.reindex(months).dropna()
    last = known.index[-1] if len(known) else result.month
    name = "Все граждане" if last == result.month else f"Все граждане, {formats.month_short(last)}"
    line = Series(name, tuple(str(month) for month in months), tuple(point(values.get(month)) for month in months))
    alt = (
        f"Линейный график: {result.title.lower()}, все граждане, по месяцам с {formats.month(months[0], 'genitive')} "
        f"по {formats.month(months[-1])}; "
        + (
            f"наименьшее значение {formats.integer(known.min())}, наибольшее {formats.integer(known.max())}, "
            f"последнее известное {formats.integer(known.iloc[-1])} ({formats.month(last)})."
            if len(known)
            else "значений нет."
        )
    )
    panel = Panel(shape="line", series=(line,), unit=result.unit, kind="int")
    return Chart(title=f"{result.title}: все граждане по месяцам", panels=(panel,), alt=alt)


def _change_chart(result: FlowLevels, rows: pd.DataFrame) -> Chart:
    ordered = rows.sort_values("change_year_pct", ascending=False)
    bars = Series(
        name="Изменение за год",
        x=tuple(ordered["title"]),
        y=tuple(point(value) for value in ordered["change_year_pct"]),
    )
    alt = (
        "Столбчатая диаграмма: изменение за год по группам, "
        f"от {formats.change_percent(ordered['change_year_pct'].min())} "
        f"до {formats.change_percent(ordered['change_year_pct'].max())}."
    )
    panel = Panel(shape="bar", series=(bars,), unit="%", kind="change_percent")
    notes = ("Группы с малой базой и со скрытыми значениями не показаны.",)
    return Chart(
        title=f"{result.title}: изменение к тому же месяцу прошлого года, {formats.month(result.month)}",
        panels=(panel,),
        alt=alt,
        notes=notes,
    )
