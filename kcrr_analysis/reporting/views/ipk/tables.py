"""Tables of the index by unit."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.ipk import Score
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Hidden, Table
from kcrr_analysis.reporting.views.cells import number_cell, rows_of
from kcrr_analysis.reporting.views.ipk.figures import (
    FORMS,
    IN_WORDS,
    UNITS,
    count,
    ends,
    figure,
    form_column,
    group,
    label,
    places,
)

MOST = 14
"""Rows of a table; the rest is one row."""

LETTERS = (
    "Группа: единицы с общей буквой по этим данным неразличимы. Место указано с учётом случайности: все места верны "
    "одновременно с вероятностью {level}."
)
RATIOS = ("per_event", "per_participant", "per_1000_roubles")
FIXED = ("per_1000_people", "per_employee", "per_m2")


def ordered(rows: pd.DataFrame, measure: str = "ipk") -> pd.DataFrame:
    """Units from the largest figure down; hidden and missing ones last."""
    return rows.sort_values([measure, "events"], ascending=[False, False], na_position="last", kind="stable")


def terms(score: Score, period: str) -> Table:
    """The three terms and their shares."""
    rows = ordered(score.rows)
    shown, rest = rows.head(MOST), rows.iloc[MOST:]
    body = [_terms_row(row, row.title) for row in rows_of(shown)]
    body += [_rest(score, shown, len(rest), 6)] if len(rest) else []
    body.append(_terms_row(next(rows_of(score.total)), "Все мероприятия"))
    head = UNITS[score.by[0]][0]
    return Table(
        title=f"ИПК и его слагаемые: {UNITS[score.by[0]][0].lower()}, {period}",
        columns=(
            Column(head),
            Column("Меропр., ед.", "int"),
            Column("Участников, чел.", "int"),
            Column("ИПК, баллов", "number", 0),
            Column("Вес, баллов", "number", 0),
            Column("Доля веса, %", "percent"),
            Column("Участники, баллов", "number", 0),
            Column("Доля участников, %", "percent"),
            Column("Отзывы, баллов", "number", 0),
            Column("Доля отзывов, %", "percent"),
        ),
        rows=tuple(body),
        notes=(
            "ИПК — сумма трёх слагаемых: вес — сумма весов мероприятий, участники — участники × вовлечённость, "
            "отзывы — "
            "отзывы × средняя оценка. Это записанная сумма, сплошной учёт.",
        ),
        emphasised=(len(body) - 1,),
    )


def _terms_row(row: Any, title: str) -> tuple[Cell, ...]:
    return (
        title,
        int(row.events),
        count(row, "participants"),
        figure(row, "ipk"),
        float(row.events_term),
        figure(row, "events_share"),
        figure(row, "participants_term"),
        figure(row, "participants_share"),
        figure(row, "reviews_term"),
        figure(row, "reviews_share"),
    )


def _rest(score: Score, shown: pd.DataFrame, number: int, empty: int) -> tuple[Cell, ...]:
    """What is left of the total: nothing that the total and the rows above do not tell."""
    total = score.total.iloc[0]
    left = [float(total[name] - shown[name].sum()) for name in ("events", "participants", "ipk")]
    hidden = shown[["participants", "ipk"]].isna().any(axis=None) or any(math.isnan(value) for value in left)
    title = f"Остальные ({number})"
    if hidden:
        return (title, int(left[0]), Hidden(), Hidden(), *(None,) * empty)
    return (title, int(left[0]), int(left[1]), left[2], *(None,) * empty)


def ranks(score: Score, period: str, own: str | None = None) -> Table:
    """The index or its normalised form with interval, rank interval and group.

    Args:
        score: The index by unit.
        period: The months in words.
        own: Code of a region: only its centres are shown, with their places among all.
    """
    measure = score.measure
    title, decimals = FORMS[measure]
    rows = ordered(score.rows, measure)
    if own is not None:
        rows = rows[rows["region_code"] == own]
    shown, rest = rows.head(MOST), rows.iloc[MOST:]
    body = tuple(
        (
            label(row),
            int(row.events),
            figure(row, measure, row.reason),
            ends(row, measure, "number", decimals),
            number_cell(row.rank),
            places(row),
            group(row),
        )
        for row in rows_of(shown)
    )
    notes = [
        LETTERS.format(level=formats.percent(100 * score.level, 0)),
        f"Интервал — для ожидаемой суммы за такой же период ({formats.percent(100 * score.level, 0)}); при числе "
        f"мероприятий меньше {score.least} нет ни интервала, ни места.",
    ]
    if own is not None:
        notes.append(f"Места — среди всех {len(score.rows)} {UNITS[score.by[0]][1]} всех регионов.")
    elif len(rest):
        notes.append(f"Показаны первые {len(shown)} из {len(rows)} {UNITS[score.by[0]][1]}; места — среди всех.")
    return Table(
        title=f"{IN_WORDS[measure]}: {'центры своего региона среди всех' if own else 'кого можно различить'}, {period}",
        columns=(
            Column(UNITS[score.by[0]][0]),
            Column("Меропр., ед.", "int"),
            Column(title, "number", decimals),
            Column("Интервал", "number", decimals),
            Column("Место по записи", "int"),
            Column("Место с учётом случайности"),
            Column("Группа"),
        ),
        rows=body,
        notes=tuple(notes),
    )


def brief(score: Score, title: str, form: str = "per_event", notes: tuple[str, ...] = ()) -> Table:
    """A cut in short: events, participants, index, interval, one normalised form, rank interval, group."""
    rows = ordered(score.rows[score.rows[list(score.by)].notna().all(axis=1)])
    shown = rows if len(rows) <= MOST else rows[rows["ipk"].notna()].head(MOST)
    body = [_brief_row(row, form) for row in rows_of(shown)]
    if len(shown) < len(score.rows):
        body.append(_rest(score, shown, len(score.rows) - len(shown), 5))
    return Table(
        title=title,
        columns=(
            Column(UNITS[score.by[0]][0]),
            Column("Меропр., ед.", "int"),
            Column("Участников, чел.", "int"),
            Column("ИПК, баллов", "number", 0),
            Column("Интервал ИПК", "number", 0),
            form_column(form),
            Column("Интервал на единицу", "number", FORMS[form][1]),
            Column("Место с учётом случайности"),
            Column("Группа"),
        ),
        rows=tuple(body),
        notes=(LETTERS.format(level=formats.percent(100 * score.level, 0)), *notes),
    )


def _brief_row(row: Any, form: str) -> tuple[Cell, ...]:
    return (
        row.title,
        int(row.events),
        count(row, "participants"),
        figure(row, "ipk"),
        ends(row, "ipk", "number", 0),
        figure(row, form),
        ends(row, form, "number", FORMS[form][1]),
        places(row),
        group(row),
    )


def normalised(score: Score, period: str) -> Table:
    """All normalised forms that the data allow."""
    rows = ordered(score.rows)
    forms = [name for name in (*RATIOS, *FIXED) if score.rows[name].notna().any()]
    shown = rows.head(MOST)
    columns = [Column(UNITS[score.by[0]][0])]
    for name in forms:
        columns.append(form_column(name))
        if name in RATIOS:
            columns.append(Column("Интервал", "number", FORMS[name][1]))
    body = [_forms_row(row, row.title, forms) for row in rows_of(shown)]
    body.append(_forms_row(next(rows_of(score.total)), "Все мероприятия", forms))
    notes = [
        "Интервалы отношений — по мероприятиям (цепочка и вероятное дробление — одно). У индекса на 1000 человек, "
        "сотрудника и м² делитель постоянный: его интервал во столько же раз шире значения, как у самого ИПК.",
    ]
    if "per_1000_people" in forms or "per_employee" in forms:
        notes.append("Население — за последний известный год, сотрудники и площадь — среднее за месяцы периода.")
    if score.cost_definition and "per_1000_roubles" in forms:
        notes.append(score.cost_definition)
    if len(rows) > len(shown):
        notes.append(f"Показаны {len(shown)} из {len(rows)}.")
    return Table(
        title=f"ИПК на единицу, {period}",
        columns=tuple(columns),
        rows=tuple(body),
        notes=tuple(notes),
        emphasised=(len(body) - 1,),
    )


def _forms_row(row: Any, title: str, forms: list[str]) -> tuple[Cell, ...]:
    cells: list[Cell] = [title]
    for name in forms:
        cells.append(figure(row, name))
        if name in RATIOS:
            cells.append(ends(row, name, "number", FORMS[name][1]))
    return tuple(cells)


def reviews(score: Score, period: str, note: str) -> Table:
    """The reviews' term as written and with the adjustment beside it."""
    rows = ordered(score.rows).head(MOST)
    return Table(
        title=f"Отзывы: слагаемое индекса и слагаемое с поправкой, {period}",
        columns=(
            Column(UNITS[score.by[0]][0]),
            Column("Отзывов, ед.", "int"),
            Column("Средняя оценка", "number", 2),
            Column("Отзывы × оценка, баллов", "number", 0),
            Column("Отзывы × (оценка − 3), баллов", "number", 0),
            Column("Меропр. без отзывов, ед.", "int"),
        ),
        rows=tuple(
            (
                row.title,
                count(row, "reviews"),
                figure(row, "mean_rating", "нет отзывов"),
                figure(row, "reviews_term"),
                figure(row, "reviews_adjusted"),
                int(row.no_reviews),
            )
            for row in rows_of(rows)
        ),
        notes=(note,),
    )


def conversion(score: Score, period: str, notes: tuple[str, ...]) -> Table:
    """Declared and attributed conversion side by side, with reach."""
    rows = ordered(score.rows).head(MOST)
    lines = [*((row, row.title) for row in rows_of(rows)), (next(rows_of(score.total)), "Все мероприятия")]
    columns = [
        Column(UNITS[score.by[0]][0]),
        Column("Охват, чел.", "int"),
        Column("Заявлено клиентов, чел.", "int"),
        Column("Заявленная конверсия, %", "percent"),
    ]
    logged = bool(score.total["persons"].notna().any() or score.total["persons_hidden"].any())
    if logged:
        columns += [
            Column("Людей в журнале, чел.", "int"),
            Column("Стали клиентами, чел.", "int"),
            Column("Отнесённая конверсия, %", "percent"),
            Column("Интервал Уилсона", "percent"),
        ]
    return Table(
        title=f"Конверсия участников в клиентов рядом с индексом, {period}",
        columns=tuple(columns),
        rows=tuple(_conversion_row(row, title, logged) for row, title in lines),
        notes=notes,
        emphasised=(len(lines) - 1,),
    )


def _conversion_row(row: Any, title: str, logged: bool) -> tuple[Cell, ...]:
    declared = (title, number_cell(row.reach), count(row, "new_clients"), figure(row, "conversion_declared"))
    if not logged:
        return declared
    unknown = "нет в журнале"
    return (
        *declared,
        count(row, "persons"),
        count(row, "clients"),
        figure(row, "conversion_attributed", unknown),
        ends(row, "conversion_attributed", "percent", 1, unknown),
    )
