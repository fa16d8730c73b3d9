"""View of a power calculation by itself: what was asked, the answer, what it rests on."""

from __future__ import annotations

import math

from kcrr_analysis.experiments import Outcome, Power
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, KeyFigure, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments.words import Measure, smallest

NOTES = {
    "unattainable": "При таком числе центров показать различие нельзя ни при каком результате.",
    "level_below_alpha": "Точный критерий достигает меньшего уровня значимости, чем задан.",
    "few_assignments": "Допустимых назначений мало: значимы только крайние из них.",
    "few_degrees_of_freedom": "Центров мало, расчёт приблизительный.",
    "icc_uncertain": "Внутригрупповая корреляция известна неточно, поэтому и мощность известна приблизительно.",
    "icc_assumed": "Внутригрупповая корреляция задана числом, а не оценена по прошлым данным.",
    "cac_assumed": "Сходство соседних периодов задано числом, а не оценено по прошлым данным.",
    "rounded_up": "Число центров или людей округлено вверх.",
}


@build.register
def power(result: Power) -> Section:
    """The answer in words, the plan in a table, what weakens it."""
    measure = Measure.of(Outcome("outcome", kind=result.outcome))  # type: ignore[arg-type]
    rows: list[tuple[Cell, Cell]] = [
        ("Мощность", formats.percent(100 * result.power)),
        ("Эффект", _effect(result.effect, measure)),
        (
            "Различие, заметное с вероятностью " + formats.percent(100 * result.target, 0),
            _effect(result.detectable, measure),
        ),
        ("Людей в группах", "; ".join(formats.integer(math.ceil(part)) for part in result.persons)),
        ("Уровень значимости", formats.number(result.alpha, 2)),
    ]
    if result.clusters:
        rows += [
            ("Центров в группах", "; ".join(formats.integer(part) for part in result.clusters)),
            ("Внутригрупповая корреляция", formats.number(result.icc, 3)),
            ("Эффект плана (во сколько раз больше нужно людей)", formats.number(result.design_effect, 2)),
            ("Наименьшее возможное p", "меньше 0,001" if result.smallest_p < 0.001 else smallest(result.smallest_p)),
        ]
    if not math.isnan(result.power_low) and result.power_low < result.power_high:
        limits = formats.interval(100 * result.power_low, 100 * result.power_high, "percent", 0)
        rows.append(("Мощность при крайних значениях корреляции", limits))
    said = tuple(Paragraph(NOTES[note], "warning") for note in result.notes if note in NOTES)
    return Section(
        title="Мощность апробации",
        blocks=(
            Paragraph(_conclusion(result, measure), "conclusion"),
            *said,
            Table(title="Расчёт мощности", columns=(Column("Величина"), Column("Значение")), rows=tuple(rows)),
        ),
        key_figures=(KeyFigure("power", "Мощность апробации", 100 * result.power, "percent"),),
    )


def _effect(value: float, measure: Measure) -> str:
    return "нет такого" if math.isnan(value) else measure.signed(value)


def _conclusion(result: Power, measure: Measure) -> str:
    if not result.power > 0:
        return (
            f"Этот план не может показать различие: наименьшее возможное p — {smallest(result.smallest_p)}. "
            "Нужно больше центров."
        )
    aim = {
        "difference": f"покажет эффект {_effect(result.effect, measure)}, если он есть,",
        "not_worse": "покажет, что новый формат не хуже больше чем на допуск,",
        "equivalent": "покажет, что форматы отличаются меньше чем на допуск,",
    }[result.aim]
    return f"Такая апробация {aim} с вероятностью {formats.percent(100 * result.power, 0)}."
