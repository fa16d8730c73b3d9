"""Views of pilots that were not randomised: the figure, what speaks against it, and why the claim is weak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.experiments.not_randomised.after_the_fact import AfterTheFact, PhasedIn
from kcrr_analysis.experiments.not_randomised.did import DifferenceInDifferences
from kcrr_analysis.experiments.not_randomised.event_study import EventStudy
from kcrr_analysis.experiments.not_randomised.staggered import Staggered
from kcrr_analysis.experiments.not_randomised.synthetic import SyntheticControl
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    KeyFigure,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of
from kcrr_analysis.reporting.views.experiments import not_randomised_words as words
from kcrr_analysis.reporting.views.experiments.not_randomised_words import Measure

SUBJECT = "Показатель центров"
NEAR = (-6, 12)
"""Periods from the start that are drawn."""

PHASED = "Поэтапное внедрение (выбор центров не случаен)"
METHOD = (
    "Разность разностей: изменение среднего центров с новым форматом от периода до начала к периоду после минус такое "
    "же изменение остальных. Значимость — место этой разницы среди всех выборов стольких же центров; разницы приведены "
    "к собственным колебаниям каждого центра до начала, чтобы маленькие центры не казались особенными."
)


@build.register
def after_the_fact(result: AfterTheFact) -> Section:
    """Everything about one format and one outcome: estimate, earlier dates, event study, synthetic control."""
    did = result.did
    subject = f"«{result.title}»"
    names = formats.enumeration([f"«{name}»" if "«" not in name else name for name in result.names])
    blocks: list[Block] = [
        Paragraph(words.did(did, subject, result.study), "conclusion"),
        Paragraph(words.WEAKER, "warning"),
        _did_table(did, f"{result.title}: центры с новым форматом и остальные, {words.since(did.start)}", result),
        *_course(did, result.title),
        Paragraph(words.earlier(did)),
    ]
    if result.study is not None:
        blocks += [Paragraph(words.study(result.study)), *_study_chart(result.study)]
        blocks.append(Paragraph(words.sensitivity(result.study)))
    if result.twin is not None:
        blocks += [Paragraph(words.twin(result.twin)), *_twin_chart(result.twin, result.title)]
    blocks += _seasons(did)
    blocks += [
        Paragraph(f"Новый формат: {names}. {words.BETTER}", "note"),
        Paragraph(f"{result.definition} {METHOD}", "definition"),
    ]
    if result.small:
        blocks.insert(2, Paragraph(words.MARKED, "warning"))
    measure = Measure(did.scale)
    figure = KeyFigure(
        key=f"not_randomised_{result.outcome}",
        label=f"{result.title}: разница с остальными центрами (выбор не случаен)",
        value=measure.cell(did.estimate),
        kind=measure.kind,
        note=(
            f"{words.since(did.start)}; {words.centres(len(did.treated))} против {len(did.controls)}; интервал "
            f"{words.level(did.level)} {measure.interval(did.low, did.high)}; {words.p_shown(did.p_value)}"
        ),
    )
    return Section("Новый формат без случайного выбора центров", tuple(blocks), (figure,))


@build.register
def difference_in_differences(result: DifferenceInDifferences) -> Section:
    """Conclusion, why it is weak, table, course by month, earlier dates."""
    return Section(
        "Разность разностей (выбор центров не случаен)",
        (
            Paragraph(words.did(result, SUBJECT), "conclusion"),
            Paragraph(words.WEAKER, "warning"),
            _did_table(result, f"Центры с новым форматом и остальные, {words.since(result.start)}"),
            *_course(result, SUBJECT),
            Paragraph(words.earlier(result)),
            *_dates(result),
            Paragraph(METHOD, "definition"),
        ),
    )


@build.register
def event_study(result: EventStudy) -> Section:
    """Whether the centres moved alike before, leads and lags, sensitivity."""
    measure = Measure(result.scale)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (formats.number(row.multiple, 1), measure.limits(row.low, row.high)) for row in rows_of(result.sensitivity)
    )
    table = Table(
        title="Интервал эффекта, если после начала центры расходятся сами",
        columns=(Column("Кратность наибольшего прежнего изменения"), Column("Интервал", measure.kind)),
        rows=rows,
        notes=(
            "Эффект — среднее отрезков после начала минус последний отрезок до него. Наибольшее прежнее изменение "
            "взято как наблюдалось, вместе со случайными колебаниями.",
        ),
    )
    return Section(
        "Ход до и после начала",
        (
            Paragraph(words.study(result), "conclusion"),
            *_study_chart(result),
            Paragraph(words.sensitivity(result)),
            table,
            Paragraph(words.WEAKER, "warning"),
        ),
    )


@build.register
def synthetic_control(result: SyntheticControl) -> Section:
    """Fit, place among the placebo runs, both lines, weights."""
    measure = Measure(result.scale)
    table = Table(
        title="Из каких центров составлено сравнение",
        columns=(Column("Центр"), Column("Вес", "percent"), Column("Разница без него", measure.kind)),
        rows=tuple(
            (row.unit, 100 * row.weight, measure.cell(other.effect))
            for row, other in zip(rows_of(result.weights), rows_of(result.left_out_donors), strict=True)
        ),
        notes=(
            f"Всего для сравнения было {words.centres(result.donors)}; остальные получили вес около нуля. Разница без "
            "центра — та же оценка, когда его нет среди сравниваемых.",
            *(() if result.unique else ("Периодов меньше, чем центров с весом: веса определены не однозначно.",)),
        ),
    )
    return Section(
        "Синтетический контроль (выбор центров не случаен)",
        (
            Paragraph(words.twin(result), "conclusion"),
            Paragraph(words.WEAKER, "warning"),
            *_twin_chart(result, SUBJECT),
            table,
        ),
    )


@build.register
def staggered(result: Staggered) -> Section:
    """The average effect, by group and by time since the start."""
    return Section(PHASED, (Paragraph(words.staggered(result, SUBJECT), "conclusion"), *_phases(result)))


@build.register
def phased_in(result: PhasedIn) -> Section:
    """The same with the outcome's name and definition."""
    names = formats.enumeration(result.names)
    marks = (Paragraph(words.MARKED, "warning"),) if result.small else ()
    return Section(
        PHASED,
        (
            Paragraph(words.staggered(result.effects, f"«{result.title}»"), "conclusion"),
            *marks,
            *_phases(result.effects),
            Paragraph(f"Новый формат: {names}. {words.BETTER}", "note"),
            Paragraph(result.definition, "definition"),
        ),
    )


def _phases(result: Staggered) -> tuple[Block, ...]:
    measure = Measure(result.scale)
    groups = Table(
        title="Разница по времени начала",
        columns=(
            Column("Начало"),
            Column("Центров", "int"),
            Column(f"Разница, {measure.unit}", measure.kind),
            Column(f"Интервал {words.level(result.level)}", measure.kind),
        ),
        rows=tuple(
            (words.when(row.group), int(row.units), measure.cell(row.estimate), measure.limits(row.low, row.high))
            for row in rows_of(result.groups)
        ),
        notes=(
            f"Сравнение с центрами без нового формата: {words.centres(result.never)}"
            f"{'' if result.control == 'never' else ', а также с ещё не начавшими'}.",
            "Интервалы одновременные: верны все вместе." if result.simultaneous else words.each(result.level),
        ),
    )
    dynamic = result.dynamic[result.dynamic["relative"].between(*NEAR)]
    cut = len(result.dynamic) - len(dynamic)
    bounded = bool(np.isfinite(dynamic[["low", "high"]]).all(axis=None))
    chart = Chart(
        title="Разница по времени от начала",
        panels=(_interval_panel(tuple(_distance(int(at)) for at in dynamic["relative"]), dynamic, measure),),
        alt=f"Точки с интервалами: разница с остальными центрами по {len(dynamic)} отрезкам времени от начала.",
        notes=(
            "До начала разница отсчитана от предыдущего периода и должна быть около нуля.",
            *(() if bounded else (words.UNBOUNDED,)),
            *((f"Более далёкие отрезки не показаны: {cut}.",) if cut else ()),
        ),
    )
    return (Paragraph(words.WEAKER, "warning"), groups, chart)


def _interval_panel(names: tuple[str, ...], rows: pd.DataFrame, measure: Measure) -> Panel:
    """Points with intervals about zero."""
    estimate, low, high = (words.known(rows[column].map(measure.of)) for column in ("estimate", "low", "high"))
    return Panel(
        shape="interval",
        series=(Series("Разница", names, estimate, low, high),),
        unit=measure.unit,
        kind=measure.kind,
        reference=(0.0, ""),
    )


def _distance(periods: int) -> str:
    if periods == 0:
        return "период начала"
    word = formats.count(abs(periods), "период", "периода", "периодов")
    return f"{word} до" if periods < 0 else f"{word} после"


def _did_table(did: DifferenceInDifferences, title: str, whole: AfterTheFact | None = None) -> Table:
    measure = Measure(did.scale)
    raw: Any = "number"
    columns = (
        Column("Центры"),
        Column("Число центров", "int"),
        Column("До начала" if did.scale == "level" else "До начала, индекс", raw),
        Column("После начала" if did.scale == "level" else "После начала, индекс", raw),
        Column(f"Изменение, {measure.unit}", measure.kind),
        Column(f"Интервал {words.level(did.level)}", measure.kind),
    )
    rows: tuple[tuple[Cell, ...], ...] = (
        ("С новым форматом", len(did.treated), did.treated_before, did.treated_after,
         measure.cell(did.treated_after - did.treated_before), None),
        ("Остальные", len(did.controls), did.controls_before, did.controls_after,
         measure.cell(did.controls_after - did.controls_before), None),
        ("Разница изменений", None, None, None, measure.cell(did.estimate), measure.limits(did.low, did.high)),
    )  # fmt: skip
    sampled = "" if did.exact else f" Сравнено {formats.integer(did.draws)} случайных выборов."
    notes = [
        f"Периодов до начала: {did.before}, после: {did.after}. Значимость: {words.p_shown(did.p_value)}, наименьшая "
        f"достижимая {formats.number(did.smallest_p, 3)}; возможных выборов центров — "
        f"{formats.integer(did.choices)}.{sampled}"
    ]
    if did.scale == "relative":
        notes.insert(0, "Индекс: 100 — собственное среднее каждого центра до начала; среднее по центрам.")
    if whole is not None:
        notes.append(
            f"В одном центре с новым форматом в среднем за месяц: {formats.integer(round(whole.count_before))} до "
            f"начала, {formats.integer(round(whole.count_after))} после."
        )
    if did.left_out:
        notes.append(f"Не вошли из-за пропусков или скрытых малых чисел: {words.centres(len(did.left_out))}.")
    if not did.own_noise:
        notes.append("История до начала коротка: колебания всех центров приняты одинаковыми.")
    return Table(title=title, columns=columns, rows=rows, notes=tuple(notes), emphasised=(2,))


def _course(did: DifferenceInDifferences, title: str) -> tuple[Chart, ...]:
    course = did.course
    if not isinstance(course["period"].iloc[0], pd.Period):
        return ()
    months = tuple(str(month) for month in course["period"])
    unit = "индекс, 100 — среднее до начала" if did.scale == "relative" else ""
    one = "центр с новым форматом" if len(did.treated) == 1 else "центры с новым форматом"
    return (
        Chart(
            title=f"{title} по месяцам: новый формат начат {words.since(did.start)}",
            panels=(
                Panel(
                    shape="line",
                    series=(
                        Series(one, months, words.known(course["treated"])),
                        Series("остальные", months, words.known(course["controls"]), role="context"),
                    ),
                    unit=unit,
                    kind="number",
                ),
            ),
            alt=(
                f"Два ряда по месяцам, {words.when(did.course['period'].iloc[0])} – "
                f"{words.when(did.course['period'].iloc[-1])}: центры с новым форматом и остальные. До начала средние "
                f"{formats.number(did.treated_before)} и {formats.number(did.controls_before)}, после — "
                f"{formats.number(did.treated_after)} и {formats.number(did.controls_after)}."
            ),
        ),
    )


def _dates(did: DifferenceInDifferences) -> tuple[Table, ...]:
    if did.placebo_dates.empty:
        return ()
    measure = Measure(did.scale)
    return (
        Table(
            title="Тот же расчёт на датах, когда ничего не начиналось",
            columns=(
                Column("Мнимое начало"),
                Column(f"Разница, {measure.unit}", measure.kind),
                Column("p", "number", 3),
            ),
            rows=tuple(
                (words.when(row.start), measure.cell(row.estimate), row.p_value) for row in rows_of(did.placebo_dates)
            ),
            notes=("Только по данным до настоящего начала.",),
        ),
    )


def _study_chart(study: EventStudy) -> tuple[Chart, ...]:
    measure = Measure(study.scale)
    rows = study.rows
    names = tuple(_block(row) for row in rows_of(rows))
    bounded = bool(np.isfinite(rows.loc[rows["phase"] != "base", ["low", "high"]]).all(axis=None))
    return (
        Chart(
            title=f"Разница между центрами до и после начала ({words.when(study.start)})",
            panels=(_interval_panel(names, rows, measure),),
            alt=(
                f"Точки с интервалами: разница с остальными центрами по {len(rows)} отрезкам, отсчёт от последнего "
                f"отрезка до начала. До начала от {measure.shown(rows['estimate'][rows['block'] < 0].min())} до "
                f"{measure.shown(rows['estimate'][rows['block'] < 0].max())}, после — от "
                f"{measure.shown(rows['estimate'][rows['block'] >= 0].min())} до "
                f"{measure.shown(rows['estimate'][rows['block'] >= 0].max())}."
            ),
            notes=(
                "Отсчёт — последний отрезок до начала: там разница равна нулю по построению.",
                words.each(study.level) if bounded else words.UNBOUNDED,
            ),
        ),
    )


def _block(row: Any) -> str:
    if isinstance(row.first_period, pd.Period):
        first, last = formats.month_short(row.first_period), formats.month_short(row.last_period)
        span = first if row.first_period == row.last_period else f"{first} – {last}"
    else:
        span = str(row.first_period) if row.first_period == row.last_period else f"{row.first_period}–{row.last_period}"
    mark = {"before": "до", "base": "отсчёт", "after": "после"}[row.phase]
    return f"{span} ({mark})"


def _twin_chart(twin: SyntheticControl, title: str) -> tuple[Chart, ...]:
    course = twin.course
    if not isinstance(course["period"].iloc[0], pd.Period):
        return ()
    months = tuple(str(month) for month in course["period"])
    unit = "индекс, 100 — среднее до начала" if twin.scale == "relative" else ""
    return (
        Chart(
            title=f"{title}: центры с новым форматом и их синтетический двойник",
            panels=(
                Panel(
                    shape="line",
                    series=(
                        Series("с новым форматом", months, words.known(course["treated"])),
                        Series("двойник", months, words.known(course["synthetic"]), role="context"),
                    ),
                    unit=unit,
                    kind="number",
                ),
            ),
            alt=(
                f"Два ряда по месяцам: центры с новым форматом и взвешенное среднее остальных. Средняя разница после "
                f"начала {Measure(twin.scale).shown(twin.effect)}."
            ),
            notes=("Двойник — взвешенное среднее остальных центров, подобранное по месяцам до начала.",),
        ),
    )


def _seasons(did: DifferenceInDifferences) -> list[Paragraph]:
    if not isinstance(did.start, pd.Period) or did.after % 12 == 0:
        return []
    months = formats.count(did.after, "месяц", "месяца", "месяцев")
    return [
        Paragraph(
            f"После начала прошло {months}, и это не те же месяцы года, что до него: общая для центров сезонность в "
            "сравнении сокращается, а различия в сезонности между центрами входят в оценку.",
            "note",
        )
    ]
