"""View before a pilot: what the centres at hand could show."""

from __future__ import annotations

import math

import pandas as pd

from kcrr_analysis.experiments.planning import Planned
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
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
from kcrr_analysis.reporting.views.cells import rows_of
from kcrr_analysis.reporting.views.experiments.words import Measure, difference_words, smallest
from kcrr_analysis.tables.contracts import TABLES

ENOUGH = 0.8
"""Power that is usually asked for."""

METHOD_NOTE = (
    "Мощность — вероятность, с которой апробация покажет эффект такой величины, если он есть. Расчёт учитывает "
    "сходство клиентов одного центра, разный размер центров, малое число центров (распределение Стьюдента) и "
    "уровень, которого может достичь точный критерий."
)


@build.register
def planned(result: Planned) -> Section:
    """What can be found, by the number of centres; the past it rests on; A/A on that past."""
    outcome = result.protocol.primary
    measure = Measure.of(outcome)
    own = result.table[result.table["per_arm"] == _own(result)].iloc[0]
    table = Table(
        title="Что покажет апробация при разном числе центров",
        columns=(
            Column("Центров в группе", "int"),
            Column("Центров всего", "int"),
            Column("Мощность, %", "percent", 1),
            Column("При крайних значениях сходства, %", "percent", 0),
            Column(f"Различие, заметное с вероятностью 80 %, {measure.header}", "number", measure.decimals),
            Column("Наименьшее возможное p"),
        ),
        rows=tuple(_row(row, measure) for row in rows_of(result.table)),
        notes=(
            f"Искомый эффект: {_effect(result, measure)}; уровень значимости "
            f"{formats.number(result.protocol.alpha, 2)}, двусторонний.",
            METHOD_NOTE,
            "Строка имеющихся центров (выделена) учитывает страты протокола, остальные — нет.",
        ),
        emphasised=tuple(place for place, number in enumerate(result.table["per_arm"]) if number == _own(result)),
    )
    blocks: list[Block] = [Paragraph(_conclusion(result, own, measure), "conclusion")]
    warning = _warning(result, own)
    if warning:
        blocks.append(Paragraph(warning, "warning"))
    blocks += [_chart(result, measure), table, Paragraph(_past(result), "plain")]
    trials = _trials(result, measure)
    if trials:
        blocks.append(Paragraph(trials, "plain"))
    return Section(
        title="Сколько центров нужно",
        blocks=tuple(blocks),
        key_figures=(
            KeyFigure(
                "planned_power",
                "Мощность апробации на имеющихся центрах",
                100 * float(own["power"]),
                "percent",
                note=f"{_centres_of(len(result.centers))}; искомый эффект {_effect(result, measure)}",
            ),
        ),
    )


def _effect(result: Planned, measure: Measure) -> str:
    return difference_words(result.protocol.primary, abs(result.effect), measure)


def _own(result: Planned) -> int:
    return len(result.centers) // len(result.protocol.design.names)


def _row(row: pd.Series, measure: Measure) -> tuple[Cell, ...]:
    unattainable = not row.power > 0
    return (
        row.per_arm,
        row.centers,
        Missing("невозможно") if unattainable else 100 * row.power,
        None if unattainable else Interval(100 * row.power_low, 100 * row.power_high),
        Missing("нет такого") if math.isnan(row.detectable) else measure.value(abs(row.detectable)),
        "меньше 0,001" if row.smallest_p < 0.001 else smallest(row.smallest_p),
    )


def _conclusion(result: Planned, own: pd.Series, measure: Measure) -> str:
    arms = len(result.protocol.design.names)
    effect = _effect(result, measure)
    if not own["power"] > 0:
        return (
            f"При {_centres(len(result.centers))} ({_own(result)} в группе) апробация не может показать различие ни "
            f"при каком результате: наименьшее возможное p — {smallest(float(own['smallest_p']))}. Добавьте центры, "
            "укрупните страты или уменьшите число групп."
        )
    chance = formats.percent(100 * float(own["power"]), 0)
    least = measure.size(abs(float(own["detectable"])))
    said = (
        f"На {_centres(len(result.centers))} (групп {arms}, по {_own(result)}) апробация заметит эффект {effect} с "
        f"вероятностью {chance}; эффект от {least} она заметит с вероятностью 80{formats.NBSP}%."
    )
    enough = result.table[result.table["power"] >= ENOUGH]
    if own["power"] >= ENOUGH:
        return said
    if enough.empty:
        most = _centres_of(int(result.table["centers"].max()))
        return f"{said} Чтобы заметить искомый эффект с такой вероятностью, не хватит и {most}."
    needed = _centres_of(int(enough["centers"].iloc[0]))
    return f"{said} Чтобы заметить искомый эффект с такой вероятностью, нужно около {needed}."


def _warning(result: Planned, own: pd.Series) -> str:
    said = []
    if 0 < own["power"] < ENOUGH:
        said.append(
            "Мощность мала: если различие не будет показано, это не докажет, что его нет. Помогают ещё центры, более "
            "длинный срок, прошлые данные центров как поправка (covariates) и подбор пар."
        )
    if own["power"] > 0 and own["power_high"] - own["power_low"] > 0.2:
        said.append("Сходство клиентов одного центра известно неточно, поэтому и мощность известна приблизительно.")
    if result.left_out:
        said.append(f"Без полных прошлых данных осталось центров: {result.left_out}; в расчёт они не вошли.")
    return " ".join(said)


def _past(result: Planned) -> str:
    found = result.icc
    columns = TABLES[result.source].columns
    numerator, of = (columns[name].title if name in columns else name for name in (result.numerator, result.of))
    if result.months is None:
        when = "из таблицы результатов прежней апробации"
    else:
        when = f"за {formats.month_range(*(str(month) for month in result.months))}"
    limits = formats.interval(found.estimate.low, found.estimate.high, "number", 3)
    return (
        f"Расчёт опирается на прошлое тех же центров ({when}; «{numerator}» / «{of}»): в среднем "
        f"{formats.count(round(found.mean_size), 'человек', 'человека', 'человек')} на центр, коэффициент вариации "
        f"размера {formats.number(found.cv, 2)}, внутригрупповая корреляция {formats.number(found.value, 3)} "
        f"({limits}). Она показывает, насколько клиенты одного центра похожи друг на друга; из-за неё людей нельзя "
        "считать независимыми. Поправка на прошлые данные центров и страты в расчёт не входят: с ними мощность может "
        "быть больше."
    )


def _trials(result: Planned, measure: Measure) -> str:
    said = []
    if result.simulated is not None:
        power = result.simulated.power
        runs = formats.count(power.n, "пробной апробации", "пробных апробациях", "пробных апробациях")
        said.append(
            f"Проверка моделированием: в {runs} на прошлых данных с добавленным эффектом он показан в "
            f"{formats.percent(100 * power.estimate, 0)} случаев "
            f"({formats.interval(100 * power.low, 100 * power.high, 'percent', 0)})."
        )
    if result.placebo is not None:
        rows = result.placebo.rows.set_index("method")["rate"]
        said.append(
            "Без эффекта (проверка А/А: жребий повторён на прошлых данных, где ничего не пробовали) запланированный "
            f"анализ находит «различие» в {formats.percent(float(rows['planned']))} случаев, а сравнение клиентов "
            f"так, будто они независимы, — в {formats.percent(float(rows['person_test']))}. Одна случайность даёт "
            f"разницу групп до {measure.size(result.placebo.estimate)} в 95{formats.NBSP}% случаев."
        )
    return " ".join(said)


def _chart(result: Planned, measure: Measure) -> Chart:
    known = result.table[result.table["detectable"].notna()]
    names = tuple(formats.count(int(number), "центр", "центра", "центров") for number in known["centers"])
    values = tuple(measure.value(abs(value)) for value in known["detectable"])
    effect = measure.value(abs(result.effect))
    bars = Series("Различие, заметное с вероятностью 80 %", names, values)
    return Chart(
        title="Какое различие заметит апробация при разном числе центров",
        panels=(
            Panel(
                shape="bar", series=(bars,), unit=measure.header, kind="number",
                reference=(effect, "искомый эффект"),
            ),
        ),
        alt=(
            f"Столбцы: наименьшее различие, которое апробация заметит с вероятностью 80 %, по числу центров: от "
            f"{formats.number(values[0])} при {names[0]} до {formats.number(values[-1])} при {names[-1]}."
            if values
            else "Различий, которые апробация могла бы заметить, нет."
        ),
        notes=("Число центров — во всех группах вместе.",),
    )  # fmt: skip


def _centres(number: int) -> str:
    """«60 центрах»."""
    return formats.count(number, "центре", "центрах", "центрах")


def _centres_of(number: int) -> str:
    """«60 центров»."""
    return formats.count(number, "центра", "центров", "центров")
