"""What the index is used for: leading events, formats by engagement, what a rouble and an hour bring."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.ipk import Scheme, Score
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Missing, Paragraph, Table
from kcrr_analysis.reporting.views.cells import count_cell, number_cell, rows_of
from kcrr_analysis.reporting.views.ipk import words
from kcrr_analysis.reporting.views.ipk.figures import count, ends, figure, names
from kcrr_analysis.reporting.views.ipk.tables import MOST

CLIENTS = (
    "Клиенты, отнесённые к инструментам, и стоимость одного клиента — в главе «Воронка: от показа до клиента»: "
    "там малые числа скрыты сразу по всем разрезам."
)
"""Two chapters that each hid small counts of the same persons by tool would give them away together."""


def leading(rows: pd.DataFrame, scheme: Scheme, period: str) -> tuple[Table, ...]:
    """Single events with the largest index."""
    if rows.empty:
        return ()
    return (
        Table(
            title=f"Мероприятия с наибольшим ИПК, {period}",
            columns=(
                Column("Дата"),
                Column("Центр"),
                Column("Формат"),
                Column("Тема"),
                Column("Участников, чел.", "int"),
                Column("Отзывов, ед.", "int"),
                Column("ИПК, баллов", "number", 1),
            ),
            rows=tuple(
                (
                    f"{row.date:%d.%m.%Y}",
                    row.centre,
                    row.title,
                    "не указано" if pd.isna(row.theme) else str(row.theme),
                    count(row, "participants"),
                    count(row, "reviews"),
                    figure(row, "ipk"),
                )
                for row in rows_of(rows)
            ),
            notes=(
                words.three_times(scheme),
                "У одного мероприятия нет ни интервала, ни места: это запись, а не мера работы.",
            ),
        ),
    )


def engagement(cells: pd.DataFrame, least: int, level: float, period: str) -> tuple[Paragraph | Table, ...]:
    """Formats by engagement within a client group: those that have an interval, and the rest stated."""
    known = cells[cells["low"].notna()]
    if known.empty:
        said = (
            f"Самые успешные форматы по вовлечённости назвать нельзя: ни у одного формата внутри группы нет {least} "
            "мероприятий за период. Возьмите период длиннее или сравнение по всем регионам."
        )
        return (Paragraph(said, "conclusion"),)
    sentences = [_best(part) for _, part in known[known["rank"].notna()].groupby("group_title", sort=False)]
    text = " ".join(sentence for sentence in sentences if sentence) or (
        "Ни в одной группе различия форматов по вовлечённости не выходят за пределы случайных."
    )
    may_lead = known["rank_low"] == 1
    order = known.assign(lead=may_lead).sort_values(["lead", "events"], ascending=False, kind="stable")
    most = order.head(MOST).index
    shown = known[known.index.isin(most)]
    notes = [
        "Вовлечённость — средняя по участникам. Место — внутри группы, с учётом случайности, все места группы верны "
        f"одновременно с вероятностью {formats.percent(100 * level, 0)}; форматы с общей буквой неразличимы.",
    ]
    few = len(cells) - len(known)
    if few:
        notes.append(
            f"Ещё {formats.count(few, 'сочетание', 'сочетания', 'сочетаний')} группы и формата — меньше {least} "
            "мероприятий: ни интервала, ни места."
        )
    if len(shown) < len(known):
        notes.append(
            f"Показаны {len(shown)} из {len(known)} сочетаний: те, что могут быть первыми в группе, и самые частые."
        )
    return (
        Paragraph(text, "conclusion"),
        Table(
            title=f"Форматы по вовлечённости внутри клиентских групп, {period}",
            columns=(
                Column("Группа"),
                Column("Формат"),
                Column("Меропр., ед.", "int"),
                Column("Участников, чел.", "int"),
                Column("Вовлечённость", "number", 2),
                Column("Интервал", "number", 2),
                Column("Место в группе"),
                Column("Буквы"),
            ),
            rows=tuple(
                (
                    row.group_title,
                    row.title,
                    int(row.events),
                    count_cell(row.participants, row.participants_hidden),
                    number_cell(row.mean_engagement),
                    _interval(row),
                    Missing(row.reason) if math.isnan(row.rank) else _range(row.rank_low, row.rank_high),
                    row.letters or None,
                )
                for row in rows_of(shown)
            ),
            notes=tuple(notes),
        ),
    )


def _best(part: pd.DataFrame) -> str:
    """The formats that may be first, where some format surely is not."""
    first = part[part["rank_low"] == 1]
    if len(part) < 2 or len(first) == len(part):
        return ""
    compared = formats.count(len(part), "сравнимого формата", "сравнимых форматов", "сравнимых форматов")
    group = part["group_title"].iloc[0]
    if len(first) == 1:
        return f"«{group}»: из {compared} вовлечённость уверенно выше у формата {names(list(first['title']))}."
    return f"«{group}»: из {compared} первым может быть любой из {len(first)}: {names(list(first['title']))}."


def _interval(row: Any) -> Cell:
    return formats.interval(row.low, row.high, "number", 2)


def _range(low: float, high: float) -> str:
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


def plan(rows: pd.DataFrame, score: Score, period: str) -> tuple[Paragraph | Table, ...]:
    """What a rouble and an hour bring by format, with words that claim no cause."""
    priced = rows[rows["ipk_per_1000_roubles"].notna() | rows["ipk_per_1000_roubles_hidden"]]
    if priced.empty:
        return (Paragraph("Отдача форматов на рубль не вычисляется: расходы мероприятий не записаны.", "note"),)
    more, less = (list(rows.loc[rows["compared"] == side, "title"]) for side in ("больше", "меньше"))
    parts = [f"больше — {names(more)}"] if more else []
    parts += [f"меньше — {names(less)}"] if less else []
    said = (
        f"На 1000 ₽, по сравнению со всеми остальными форматами вместе, индекса записано {'; '.join(parts)} (с "
        "поправкой "
        "на число сравнений). "
        if parts
        else "По индексу на 1000 ₽ ни один формат уверенно не отличается от остальных. "
    )
    shown = priced.head(MOST)
    level = formats.percent(100 * score.level, 0)
    blocks: list[Paragraph | Table] = [
        Paragraph(said + words.BASIS, "conclusion"),
        Table(
            title=f"Что приносит формат на рубль и на час работы, {period}",
            columns=(
                Column("Формат"),
                Column("Меропр., ед.", "int"),
                Column("Стоимость", "money"),
                Column("ИПК на 1000 ₽", "number", 1),
                Column("Интервал", "number", 1),
                Column("ИПК на час", "number", 1),
                Column("Интервал", "number", 1),
                Column("Против остальных"),
            ),
            rows=tuple(
                (
                    row.title,
                    int(row.events),
                    number_cell(row.cost),
                    figure(row, "ipk_per_1000_roubles"),
                    ends(row, "ipk_per_1000_roubles"),
                    figure(row, "ipk_per_hour", "часы не записаны"),
                    ends(row, "ipk_per_hour"),
                    row.compared or None,
                )
                for row in rows_of(shown)
            ),
            notes=(
                f"Интервалы — по мероприятиям, {level}; при числе мероприятий меньше {score.least} их нет.",
                CLIENTS,
            )
            + ((score.cost_definition,) if score.cost_definition else ()),
        ),
    ]
    return tuple(blocks)
