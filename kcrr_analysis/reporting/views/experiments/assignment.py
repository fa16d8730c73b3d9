"""View of an assignment: how it was drawn, who is in which group, how even the groups are, how to keep it."""

from __future__ import annotations

import math

import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.experiments.assignment import BLOCK, PAIR, SEQUENCE, WAVE, Assignment
from kcrr_analysis.experiments.attainable import smallest_p
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.order import Order
from kcrr_analysis.experiments.outcomes import Outcome
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Hidden,
    KeyFigure,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of
from kcrr_analysis.reporting.views.experiments import words

SEQUENCES = ("сначала контроль", "сначала новый формат")
ALPHA = 0.05
NOTICEABLE = 0.25
"""Standardised difference that is usually called noticeable (Imbens & Rubin 2015, ch. 14)."""


@build.register
def assignment(made: Assignment) -> Section:
    """An assignment alone, groups named by their codes; publish `order(protocol, assignment)`."""
    nameless = Outcome("outcome")
    return order(Order(Protocol("pilot", made.design, [nameless]), made))


@build.register
def order(announced: Order) -> Section:
    """Who was assigned where; the list of units for the order; balance; how to keep it."""
    made = announced.assignment
    return Section(
        title="Назначение групп апробации" + (f" «{announced.protocol.title}»" if announced.protocol.title else ""),
        blocks=(
            Paragraph(_conclusion(announced), "conclusion"),
            *(Paragraph(said, "warning") for said in _warnings(made)),
            *_groups(announced),
            *_balance(announced),
            *_units(announced),
            Paragraph(_keep(made.design), "note"),
            Paragraph(_drawn(made), "definition"),
        ),
        key_figures=(
            KeyFigure(
                "pilot_units",
                f"Назначено: {words.what_assigned(made.design, 'of')}",
                Hidden() if _few(made) else len(made.units),
                "int",
                note=words.METHODS[made.design.method],
            ),
        ),
    )


def group_name(announced: Order, group: str) -> str:
    """Russian name of an arm, wave or sequence."""
    method = announced.assignment.design.method
    if method == "stepped_wedge":
        begins = 2 + announced.assignment.design.block * (int(group) - 1)
        return f"волна {group} (по-новому с {begins}-го периода)"
    if method == "crossover":
        return SEQUENCES[int(group)]
    return words.arm_name(announced.protocol, group)


def _few(made: Assignment) -> bool:
    """Whether persons were assigned and a group of them is too small to be published."""
    sizes = pd.Series(list(made.counts.values()))
    return made.design.cluster is None and bool(Rule().small(sizes).any())


def _conclusion(announced: Order) -> str:
    made = announced.assignment
    if _few(made):
        return f"По жребию назначены люди. Численность групп скрыта: одна из них меньше {Rule().threshold} человек."
    each = "; ".join(f"{group_name(announced, name)} — {formats.integer(size)}" for name, size in made.counts.items())
    what = words.what_assigned(made.design, "of")
    how = "По жребию назначено" if made.design.randomised else "Без жребия распределено"
    return f"{how} {what}: {formats.integer(len(made.units))}. {words.capital(each)}."


def _warnings(made: Assignment) -> list[str]:
    said = []
    if not made.design.randomised:
        said.append(
            "Жребия не было: различие групп может объясняться тем, почему центры выбраны. Вывод по такой "
            "апробации слабее."
        )
    if made.redrawn is False:
        said.append(
            "Назначение возможно по этому плану, но число seed и список единиц дают другое. Сохраните то, которое "
            "объявлено центрам, и укажите, как оно получено."
        )
    least = smallest_p(made) if made.design.randomised else 0.0
    if least > ALPHA:
        said.append(
            f"Недостаточно единиц назначения: наименьшее возможное p — {words.smallest(least)}, больше 0,05. При любом "
            "результате этот план не может показать различие на уровне 5 %: добавьте центры до начала апробации."
        )
    return said


def _groups(announced: Order) -> tuple[Table, ...]:
    made = announced.assignment
    if _few(made):
        return ()
    design = made.design
    total = len(made.units)
    planned = not design.in_time
    rows: list[tuple[Cell, ...]] = []
    for name, size in made.counts.items():
        share = (100 * design.shares[name],) if planned else ()
        rows.append((words.capital(group_name(announced, name)), size, 100 * size / total, *share))
    return (
        Table(
            title="Сколько назначено в каждую группу",
            columns=(
                Column("Группа"),
                Column(words.capital(words.what_assigned(design, "of")), "int"),
                Column("Доля, %", "percent"),
                *((Column("По плану, %", "percent"),) if planned else ()),
            ),
            rows=tuple(rows),
        ),
    )


def _balance(announced: Order) -> tuple[Block, ...]:
    rows = announced.assignment.balance
    if rows.empty or _few(announced.assignment):
        return ()
    names = [f"{words.column_title(row.covariate)}: {group_name(announced, row.arm)}" for row in rows_of(rows)]
    several = rows["arm"].nunique() > 1
    table = Table(
        title="Равновесие групп до начала апробации",
        columns=(
            Column("Признак"),
            *((Column("Группа"),) if several else ()),
            Column("Среднее в группе", "number", 2),
            Column("Среднее в контрольной", "number", 2),
            Column("Разность, станд. откл.", "number", 2),
        ),
        rows=tuple(
            (
                words.column_title(row.covariate),
                *((group_name(announced, row.arm),) if several else ()),
                row.mean,
                row.control_mean,
                row.difference if not math.isnan(row.difference) else Missing("не вычисляется"),
            )
            for row in rows_of(rows)
        ),
        notes=(
            "Средние — по единицам назначения. Разность делится на стандартное отклонение признака между единицами; "
            f"больше {formats.number(NOTICEABLE, 2)} в любую сторону обычно считают заметной. При малом числе "
            "центров жребий даёт такие разности часто, и переделывать жребий из-за них нельзя.",
        ),
    )
    known = rows["difference"].notna()
    if known.sum() < 2:
        return (table,)
    shown = rows[known]
    labels = [
        name if several else words.column_title(row.covariate) for name, row in zip(names, rows_of(rows), strict=True)
    ]
    series = Series(
        "Разность",
        tuple(label for label, there in zip(labels, known, strict=True) if there),
        tuple(map(float, shown["difference"])),
    )
    widest = formats.number(float(shown["difference"].abs().max()), 2)
    return (
        table,
        Chart(
            title="Насколько группы различаются до начала апробации",
            panels=(Panel("interval", (series,), unit="станд. откл.", reference=(0.0, "группы одинаковы")),),
            alt=(
                f"Точки — разности групп по признакам ({len(shown)}), наибольшая по модулю {widest} стандартного "
                "отклонения."
            ),
        ),
    )


def _units(announced: Order) -> tuple[Block, ...]:
    """The list for the order; persons are never listed."""
    design, frame = announced.assignment.design, announced.assignment.units
    if announced.listed is not None:
        frame = frame[frame[design.assigned].isin(announced.listed)]
        if frame.empty:
            return (Paragraph("Центры этого региона в апробации не участвуют.", "note"),)
    if design.cluster is None:
        return (Paragraph("Список людей не публикуется: он остаётся в файле назначения.", "note"),)
    group = design.group_column
    extra = [*design.strata, *([PAIR] if PAIR in frame else []), *([BLOCK] if BLOCK in frame else [])]
    titles = {PAIR: "Пара", BLOCK: "Блок времени"}
    heads = {WAVE: "Очередь начала", SEQUENCE: "Очерёдность"}
    rows: list[tuple[Cell, ...]] = [
        (
            str(row[design.assigned]),
            *((announced.names.get(str(row[design.assigned]), ""),) if announced.names else ()),
            *(str(int(row[name]) + 1) if name == BLOCK else str(row[name]) for name in extra),
            group_name(announced, str(row[group])),
        )
        for row in frame.to_dict("records")
    ]
    whole = len(announced.assignment.units)
    part = "" if len(rows) == whole else f": центры региона, {len(rows)} из {whole}"
    return (
        Table(
            title=f"Список для приказа: кто в какой группе{part}",
            columns=(
                Column("Код" if announced.names else "Центр"),
                *((Column("Центр"),) if announced.names else ()),
                *(Column(titles.get(name, words.column_title(name))) for name in extra),
                Column(heads.get(group, "Группа")),
            ),
            rows=tuple(rows),
        ),
    )


def _keep(design: Design) -> str:
    of = "центр работал" if design.cluster is not None else "с человеком работали"
    stays = "он остаётся" if design.cluster is not None else "человек остаётся"
    return (
        "Как хранить: сохраните эту таблицу вместе с протоколом до начала апробации и не меняйте. Анализ ведётся по "
        f"назначению: даже если {of} не так, как назначено, в таблице {stays} в своей группе."
    )


def _drawn(made: Assignment) -> str:
    design = made.design
    said = f"Как назначено: {words.METHODS[design.method]}"
    if design.strata:
        said += f"; страты — {words.column_titles(design.strata)}"
    if design.method == "matched_pairs" and design.balance and not design.pairs:
        said += f"; пары подобраны по близости: {words.column_titles(design.balance)}"
    if design.method == "rerandomised":
        said += (
            "; жребий повторялся, пока группы не стали достаточно близки по признакам "
            f"{words.column_titles(design.balance)} (принимается {formats.percent(100 * design.accept, 0)} самых "
            "ровных назначений)"
        )
    said += "."
    if not design.randomised:
        return said
    again = " Тот же список и то же число дают то же назначение." if made.redrawn else ""
    least = smallest_p(made)
    bound = "" if not least else f" Наименьшее возможное p — {words.smallest(least)}."
    return (
        f"{said} Число для датчика случайных чисел (seed) — {design.seed}.{again} "
        f"{words.capital(words.assignments(made.allowed.count))}.{bound}"
    )
