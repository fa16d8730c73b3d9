"""View of the ten official indicators: the table that is handed in, statuses in words, changes, histories."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import Official
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Cell,
    Column,
    Hidden,
    Interval,
    KeyFigure,
    Missing,
    Paragraph,
    Section,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import derived_cell, rows_of
from kcrr_analysis.reporting.views.indicators.coverage import MOVED
from kcrr_analysis.reporting.views.indicators.official_charts import change_chart, history_charts

STATUS = {
    "grown": "вырос",
    "kept": "сохранён",
    "fallen": "снизился",
    "not_enough_data": "недостаточно данных",
    "hidden": formats.HIDDEN,
    "not_computable": "не вычисляется",
}
KINDS = {"stock": "на конец периода", "flow": "за период", "ratio": "отношение"}
STARTS = {"yes": "да", "no": "нет", "unknown": "неизвестно"}
SHOWN_ELSEWHERE = ("applied", "teen_guidance_coverage", "disability_coverage", "graduates_coverage")
"""Indicators whose headline figures the levels and the coverage already give."""

SAID = 5
"""Indicators named by their titles in the conclusion; more are named by their numbers."""


@build.register
def official(result: Official) -> Section:
    """Conclusion, warnings, the ten in one table, changes with their bands, how each is computed, histories."""
    rows = result.rows
    return Section(
        title="Официальные показатели",
        blocks=(
            *(Paragraph(words, "conclusion") for words in _conclusions(rows)),
            *_warnings(rows),
            _table(result),
            *change_chart(result),
            _method_table(result),
            *history_charts(result),
            *_notes(rows),
        ),
        key_figures=(
            _grown(result),
            *(_key_figure(row) for row in rows_of(rows) if row.indicator not in SHOWN_ELSEWHERE),
        ),
    )


def _conclusions(rows: pd.DataFrame) -> list[str]:
    parts = [
        _part(rows, "grown", ("вырос", "выросли"), changes=True),
        _part(rows, "kept", ("сохранён", "сохранены"), changes=False),
        _part(rows, "fallen", ("снизился", "снизились"), changes=True),
    ]
    lacking = [
        _lacking(rows, "not_enough_data", "недостаточно данных для статуса"),
        _lacking(rows, "hidden", "статус скрыт"),
        _lacking(rows, "not_computable", "не вычисляются"),
    ]
    every = "; ".join(filter(None, [*parts, *lacking]))
    said = [f"Из десяти официальных показателей к тому же месяцу прошлого года {every}."]
    if any((rows["band"] != "").tolist()):
        said.append(
            "Учёт сплошной, выборочной погрешности нет. Статус сравнивает изменение за год с собственными колебаниями "
            "ряда и причин изменения не называет; и без перемен около одного показателя из двадцати выходит за свои "
            "пределы случайно."
        )
    return said


def _part(rows: pd.DataFrame, status: str, verbs: tuple[str, str], *, changes: bool) -> str:
    own = rows[rows["status"] == status]
    if own.empty:
        judged = rows["status"].isin(["grown", "kept"]).any()
        return f"не {verbs[0]} ни один" if status == "fallen" and judged else ""
    verb = formats.plural(len(own), verbs[0], verbs[1], verbs[1])
    if len(own) > SAID and not changes:
        return f"{verb} {len(own)}: {_numbers(own['number'])}"
    names = [_named(row, short=len(own) > SAID, change=changes) for row in rows_of(own)]
    return f"{verb} {len(own)}: {', '.join(names)}"


def _lacking(rows: pd.DataFrame, status: str, words: str) -> str:
    own = rows[rows["status"] == status]
    if own.empty:
        return ""
    return f"{words}: {_numbers(own['number'])}"


def _numbers(numbers: pd.Series) -> str:
    """«№ 1–3, 5»."""
    runs: list[list[int]] = []
    for number in sorted(int(number) for number in numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"№{formats.NBSP}{', '.join(said)}"


def _named(row: Any, *, short: bool, change: bool) -> str:
    name = f"№{formats.NBSP}{row.number}" if short else f"«{row.title}»"
    mark = formats.MARK if row.hidden or row.hidden_year_ago else ""
    return f"{name} ({formats.change_percent(row.change_pct)}{mark})" if change else name


def _warnings(rows: pd.DataFrame) -> list[Paragraph]:
    said = [
        f"№{formats.NBSP}{row.number} «{row.title}»: в расчёт не вошли центры без числителя или знаменателя — "
        f"{formats.enumeration([f'«{name}»' for name in row.left_out])}."
        for row in rows_of(rows[rows["left_out"].map(len) > 0])
    ]
    moved = rows[rows["denominator_change_pct"].abs() > MOVED]
    if len(moved):
        names = [
            f"№{formats.NBSP}{row.number} (знаменатель {formats.change_percent(row.denominator_change_pct)})"
            for row in rows_of(moved)
        ]
        said.append(f"Изменение за год отражает и изменение знаменателя: {formats.enumeration(names)}.")
    over = rows[(rows["unit"] == "%") & (rows["value"] > 100)]
    if len(over):
        names = [f"№{formats.NBSP}{row.number}" for row in rows_of(over)]
        said.append(f"Охват больше 100 %: {formats.enumeration(names)}. Проверьте числитель и численность группы.")
    return [Paragraph(words, "warning") for words in said]


def _decimals(unit: str) -> int:
    return 0 if unit in {"чел.", "ед."} else 2


def amount(value: float, unit: str) -> str:
    """A value of an indicator with the digits that its unit deserves."""
    return formats.percent(value, 2) if unit == "%" else formats.number(value, _decimals(unit))


def _value(value: float, hidden: bool, unit: str, reason: str = "") -> Cell:
    if math.isnan(value):
        return Hidden() if hidden else Missing(reason) if reason else Missing()
    return amount(value, unit) + (formats.MARK if hidden else "")


def _change(row: Any) -> Cell:
    hidden = row.hidden or row.hidden_year_ago
    if math.isnan(row.change):
        return Hidden() if hidden else None
    if row.unit == "%":
        said = formats.points(row.change, 2)
    else:
        said = formats.number(row.change, _decimals(row.unit), signed=True)
    return said + (formats.MARK if hidden else "")


def _status(row: Any) -> Cell:
    if row.status == "hidden":
        return Hidden()
    hidden = (row.hidden or row.hidden_year_ago) and row.status in {"grown", "kept", "fallen"}
    return STATUS[row.status] + (formats.MARK if hidden else "")


def _denominator(row: Any) -> str:
    if not row.denominator_name:
        return formats.EMPTY
    if math.isnan(row.denominator):
        return f"{row.denominator_name[:1].upper()}{row.denominator_name[1:]}"
    year = str(row.denominator_year)
    when = f"{year}{formats.NBSP}г." if len(year) == 4 else formats.month_short(year)
    whole = float(row.denominator).is_integer()
    size = formats.number(row.denominator, 0 if whole else 1)
    return f"{size}: {row.denominator_name}, {when}"


def _table(result: Official) -> Table:
    month = formats.month_short(result.month)
    year_ago = formats.month_short(result.month - 12)
    rows = tuple(
        (
            str(row.number),
            f"{row.title}, {row.unit}{' (малая база)' if row.small_base else ''}",
            _value(row.value, row.hidden, row.unit, "не вычисляется" if row.status == "not_computable" else ""),
            _value(row.year_ago, row.hidden_year_ago, row.unit),
            _change(row),
            _relative(row),
            _status(row),
            _denominator(row),
        )
        for row in rows_of(result.rows)
    )
    return Table(
        title=f"Официальные показатели, {_period(result)}",
        columns=(
            Column("№"),
            Column("Показатель"),
            Column(month, "number"),
            Column(year_ago, "number"),
            Column("За год", "number"),
            Column("За год, %", "change_percent"),
            Column("Статус"),
            Column("Знаменатель, его год или месяц"),
        ),
        rows=rows,
        notes=_table_notes(result),
    )


def _relative(row: Any) -> Cell:
    hidden = row.hidden or row.hidden_year_ago
    if math.isnan(row.change_pct) and not hidden:
        return None
    return derived_cell(row.change_pct, hidden)


def _period(result: Official) -> str:
    if result.period == "year_to_date":
        return formats.month_range(f"{result.month.year}-01", str(result.month))
    return formats.month(result.month)


def _table_notes(result: Official) -> tuple[str, ...]:
    rows = result.rows
    of_month = (
        "№ 6–8 — всегда нарастающим итогом с января"
        if result.period == "month"
        else "Показатели за период — нарастающим итогом с января"
    )
    notes = [
        f"{result.interval.capitalize()}: выборочного интервала нет. {of_month}; «За год, %» — изменение самого "
        "показателя относительно прошлогоднего значения, у охвата рядом изменение в процентных пунктах."
    ]
    reasons = [f"№{formats.NBSP}{row.number} — {row.reason}" for row in rows_of(rows[rows["reason"] != ""])]
    if reasons:
        notes.append(f"Почему нет значения или статуса: {'; '.join(reasons)}.")
    if rows["small_base"].any():
        notes.append("Малая база: меньше 30 человек сейчас или год назад, процент изменения неустойчив.")
    return tuple(notes)


def _band(row: Any) -> Cell:
    if not row.band:
        return None
    return Interval(row.band_low, row.band_high)


def _when(row: Any) -> str:
    first, _, last = row.period.partition("..")
    if last:
        return formats.month_range(first, last)
    return formats.month(first)


def _method_table(result: Official) -> Table:
    rows = tuple(
        (
            str(row.number),
            row.definition,
            f"{KINDS[row.kind]}; {_when(row)}",
            row.group_title,
            _band(row),
            str(row.months),
            STARTS[row.starts_2026],
        )
        for row in rows_of(result.rows)
    )
    notes = [
        "Пределы «сохранён» — насколько значение ряда отличается от прошлогоднего, когда уровень не меняется: около "
        "95 % таких месяцев лежат внутри. Они описывают собственные колебания ряда без сезонности и роста и "
        "погрешностью не являются. У показателей, которые меняются плавно (численность на учёте), пределы узки: "
        "случайно за них выходит до одного месяца из восьми."
    ]
    fixed = result.rows[result.rows["band"] == "fixed"]
    if len(fixed):
        numbers = formats.enumeration([f"№{formats.NBSP}{number}" for number in fixed["number"]])
        notes.append(f"Собственные колебания не оценены, взяты заданные пределы: {numbers}.")
    return Table(
        title="Как рассчитаны официальные показатели",
        columns=(
            Column("№"),
            Column("Что считается"),
            Column("Вид и период"),
            Column("Группа"),
            Column("Пределы «сохранён», % за год", "change_percent", 1),
            Column("История, мес."),
            Column("Вводится с 2026 г."),
        ),
        rows=rows,
        notes=tuple(notes),
    )


def _notes(rows: pd.DataFrame) -> list[Paragraph]:
    notes = [f"№{formats.NBSP}{row.number}. {row.note}" for row in rows_of(rows) if row.note]
    return [Paragraph(" ".join(notes), "definition")] if notes else []


def _grown(result: Official) -> KeyFigure:
    counted = result.rows["status"].value_counts()
    parts = [
        f"{words} {counted[status]}"
        for status, words in (
            ("kept", "сохранены"),
            ("fallen", "снизились"),
            ("not_enough_data", "недостаточно данных"),
            ("hidden", "скрыты"),
            ("not_computable", "не вычисляются"),
        )
        if status in counted
    ]
    return KeyFigure(
        key="official_grown",
        label="Выросло показателей из десяти",
        value=int(counted.get("grown", 0)),
        kind="int",
        note="; ".join((f"{formats.month(result.month)}, за год", *parts)),
    )


def _key_figure(row: Any) -> KeyFigure:
    status = STATUS[row.status]
    when = f"конец {formats.month(row.period, 'genitive')}" if row.kind == "stock" else _when(row)
    hidden = bool(row.hidden or row.hidden_year_ago)
    return KeyFigure(
        key=row.indicator,
        label=row.title,
        value=derived_cell(row.value, row.hidden, "не вычисляется"),
        kind="int" if _decimals(row.unit) == 0 else "number",
        unit=row.unit,
        note=f"{when}; сплошной учёт; {status}",
        change=None if math.isnan(row.change_pct) and not hidden else derived_cell(row.change_pct, hidden),
    )
