"""Pilots that were not randomised in words: weaker than those of a randomised one, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.experiments.not_randomised.did import DifferenceInDifferences
from kcrr_analysis.experiments.not_randomised.event_study import EventStudy
from kcrr_analysis.experiments.not_randomised.panel import Scale
from kcrr_analysis.experiments.not_randomised.staggered import Staggered
from kcrr_analysis.experiments.not_randomised.synthetic import SyntheticControl
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Interval, Kind, Missing

WEAKER = (
    "Центры выбраны не случайно, поэтому вывод слабее, чем у пилота со случайным распределением. Изменение может "
    "объясняться и тем, чем эти центры отличались: руководитель и команда, ремонт или переезд, соседние программы, "
    "местный рынок труда. Расчёт исключает только то, что было общим для всех центров, и постоянные различия между "
    "ними."
)
BETTER = (
    "Надёжный ответ даст пилот со случайным выбором центров: при том же числе центров он не требует предположения об "
    "одинаковом ходе."
)
MARKED = "Среди данных есть малые числа: отчёт только для служебного пользования."
UNBOUNDED = "Точки без интервала: при таком числе центров он не ограничен."
POOR_FIT = 0.5
"""Error before the start over the unit's own spread from which the synthetic control is said not to follow it."""


@dataclass(frozen=True)
class Measure:
    """How effects on a scale read."""

    scale: Scale

    @property
    def kind(self) -> Kind:
        """Kind of the column or axis."""
        return "number" if self.scale == "level" else "change_percent"

    @property
    def unit(self) -> str:
        """Unit of the effect, in words."""
        words = {"level": "единицы показателя", "relative": "% прежнего уровня", "log": "%"}
        return words[self.scale]

    def of(self, value: float) -> float:
        """The figure as it is shown: a difference of logarithms as percent."""
        if self.scale != "log":
            return value
        return 100 * math.expm1(value) if value < 700 else math.inf

    def shown(self, value: float) -> str:
        """«+8,3 %» or «+8,3»."""
        if self.scale == "level":
            return formats.number(value, 1, signed=True)
        return formats.change_percent(self.of(value))

    def interval(self, low: float, high: float) -> str:
        """«от −1,2 до +4,5 %», or that there is no limit."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return "не ограничен"
        return formats.interval(self.of(low), self.of(high), self.kind)

    def cell(self, value: float) -> Cell:
        """A figure's cell."""
        return self.of(value) if math.isfinite(value) else Missing("нет")

    def limits(self, low: float, high: float) -> Cell:
        """An interval's cell."""
        if math.isnan(low) or math.isnan(high):
            return Missing("нет")
        if not (math.isfinite(low) and math.isfinite(high)):
            return Missing("не ограничен")
        return Interval(self.of(low), self.of(high))


def when(period: Any) -> str:
    """A period's label: «март 2025 г.», «1989»."""
    return formats.month(period) if isinstance(period, pd.Period) else str(period)


def since(period: Any) -> str:
    """«с марта 2025 г.», «с 1989»."""
    return f"с{formats.NBSP}{formats.month(period, 'genitive') if isinstance(period, pd.Period) else period}"


def centres(amount: int, form: str = "nominative") -> str:
    """«2 центра», «у 2 центров»."""
    if form == "genitive":
        return formats.count(amount, "центра", "центров", "центров")
    return formats.count(amount, "центр", "центра", "центров")


def p_shown(p: float) -> str:
    """«p = 0,048», «p < 0,001»."""
    return "p < 0,001" if p < 0.001 else f"p{formats.NBSP}={formats.NBSP}{formats.number(p, 3)}"


def level(value: float) -> str:
    """«95 %»."""
    return formats.percent(100 * value, 0)


def diverged(result: DifferenceInDifferences, course: EventStudy | None = None) -> bool:
    """Whether the centres moved apart before anything began: by earlier dates or by the event study."""
    alpha = result.alpha + 1e-9
    before = course is not None and min(course.pretrend_p, course.trend_p) <= alpha
    return before or bool((result.placebo_dates["p_value"] <= alpha).any())


def did(result: DifferenceInDifferences, subject: str, course: EventStudy | None = None) -> str:
    """What the difference-in-differences found, never more than its limits and the past allow."""
    measure = Measure(result.scale)
    size = measure.shown(result.estimate)
    tail = " прежнего уровня" if result.scale == "relative" else ""
    many, rest = len(result.treated), len(result.controls)
    opening = (
        f"{subject}: {since(result.start)} изменение в {_in(many)} с новым форматом отличается от изменения в "
        f"остальных {rest} на {size}{tail}"
    )
    choices = formats.count(result.choices, "возможный выбор", "возможных выбора", "возможных выборов")
    if not result.attainable:
        return (
            f"{opening}, но отличить это от обычных колебаний нельзя в принципе: есть только {choices} центров, и "
            f"наименьшее достижимое p равно {formats.number(result.smallest_p, 3)} — больше "
            f"{formats.number(result.alpha, 2)}. Интервал не ограничен. {_needed(many, result.alpha)}"
        )
    limits = f"интервал {level(result.level)} {measure.interval(result.low, result.high)}"
    if result.significant:
        rare = f"{opening}, {limits}. Среди всех выборов стольких же центров столь большое расхождение редко"
        if diverged(result, course):
            return (
                f"{rare} ({p_shown(result.p_value)}), но центры расходились и до начала нового формата: приписывать "
                "разницу формату нельзя."
            )
        return f"{rare} ({p_shown(result.p_value)}). Это согласуется с действием формата, но не доказывает его."
    return (
        f"{opening}, {limits}. Такое же или большее расхождение даёт {formats.percent(100 * result.p_value, 0)} "
        "выборов стольких же центров: отличить действие формата от обычных колебаний по этим данным нельзя. Это не "
        "значит, что формат не действует."
    )


def _in(many: int) -> str:
    return formats.count(many, "центре", "центрах", "центрах")


def _needed(many: int, alpha: float) -> str:
    total = many + 1
    while math.comb(total, many) * alpha < 1 - 1e-9:
        total += 1
    return (
        f"При {_in(many)} с новым форматом центров всего нужно не меньше {total}, либо формат должен начаться в "
        "большем числе центров."
    )


def earlier(result: DifferenceInDifferences) -> str:
    """What the same calculation says on dates when nothing began."""
    dates = result.placebo_dates
    if dates.empty:
        return "Проверить расчёт на более ранних датах нельзя: история до начала слишком коротка."
    many = formats.count(len(dates), "более ранней дате", "более ранних датах", "более ранних датах")
    if not result.attainable:
        largest = Measure(result.scale).shown(dates["estimate"].abs().max()).lstrip("+")
        return f"Для сравнения: на {many}, когда ничего не начиналось, тот же расчёт даёт по модулю до {largest}."
    found = int((dates["p_value"] <= result.alpha + 1e-9).sum())
    if not found:
        return f"На {many}, когда ничего не начиналось, тот же расчёт «эффекта» не находит."
    return (
        f"Тот же расчёт находит «эффект» и там, где ничего не начиналось: на {found} из {many}. Центры расходились и "
        "до нового формата, поэтому приписывать разницу формату нельзя."
    )


def study(result: EventStudy) -> str:
    """Whether the centres moved alike before, and how little that proves."""
    measure = Measure(result.scale)
    alpha = 1 - result.level
    if result.smallest_p > alpha + 1e-9:
        return (
            "Одинаково ли менялись центры до начала, при таком их числе проверить нельзя: ни одно расхождение не может "
            "стать значимым."
        )
    if min(result.pretrend_p, result.trend_p) <= alpha + 1e-9:
        return (
            f"Центры с новым форматом и остальные расходились ещё до начала (проверка всех отрезков: "
            f"{p_shown(result.pretrend_p)}; проверка уклона: {p_shown(result.trend_p)}). Продолжись этот уклон, он "
            f"один дал бы {measure.shown(result.trend_effect)}. Предположение об одинаковом ходе не выполняется, и "
            "приписывать разницу формату нельзя."
        )
    return (
        f"До начала заметных расхождений не найдено ({p_shown(result.pretrend_p)}), но это мало что доказывает: "
        f"медленное ровное расхождение, которое такая проверка пропускает не реже чем в половине случаев, само дало бы "
        f"«эффект» до {measure.shown(result.missed_effect).lstrip('+')}."
    )


def sensitivity(result: EventStudy) -> str:
    """How much the difference may move by itself before nothing can be said."""
    measure = Measure(result.scale)
    step = measure.shown(result.largest_step).lstrip("+")
    block = (
        "отрезок"
        if result.length == 1
        else f"отрезок ({result.length} {formats.plural(result.length, 'период', 'периода', 'периодов')})"
    )
    if not (math.isfinite(result.effect_low) and math.isfinite(result.effect_high)):
        return "Запас прочности не вычисляется: интервал эффекта не ограничен."
    if result.breakdown == 0:
        return (
            "Запаса прочности нет: интервал эффекта, отсчитанного от последнего отрезка перед началом, включает ноль "
            "уже без всякого собственного расхождения центров."
        )
    if math.isinf(result.breakdown):
        return "До начала разница не менялась вовсе, поэтому запас прочности по ней не измерить."
    return (
        f"Запас прочности: до начала разница менялась за {block} самое большее на {step}. Если после начала она сама "
        f"по себе меняется больше чем на {formats.number(result.breakdown, 2)} от этого, интервал включает ноль и "
        "говорить об эффекте нельзя."
    )


def twin(result: SyntheticControl) -> str:
    """What the synthetic control adds."""
    measure = Measure(result.scale)
    error = measure.shown(result.error_before).lstrip("+")
    who = "центр" if len(result.treated) == 1 else "средний ход центров"
    if result.spread_before > 0 and result.error_before > POOR_FIT * result.spread_before:
        fit = (
            f"Взвешенное среднее остальных плохо повторяет {who} с новым форматом до начала (ошибка {error}), поэтому "
            "как замена он не годится, и вывода из него не следует. "
        )
    else:
        fit = f"Взвешенное среднее остальных повторяет {who} с новым форматом до начала с ошибкой {error}. "
    place = (
        f"После начала разница в среднем {measure.shown(result.effect)}; по отношению разницы после к разнице до это "
        f"{result.rank}-е место из {result.runs} ({p_shown(result.p_value)}"
    )
    bound = 1 / result.runs
    if bound > 1 - result.level + 1e-9:
        return f"{fit}{place}; меньше {formats.number(bound, 3)} p здесь не бывает, каким бы ни был эффект)."
    return f"{fit}{place})."


def staggered(result: Staggered, subject: str) -> str:
    """What the average over groups and periods found."""
    measure = Measure(result.scale)
    simple = result.simple
    alpha = 1 - result.level
    opening = (
        f"{subject}: в среднем по центрам и периодам после начала разница с остальными "
        f"{measure.shown(simple['estimate'])}, интервал {level(result.level)} "
        f"{measure.interval(simple['low'], simple['high'])}"
    )
    if result.inference == "placebo" and result.smallest_p > alpha + 1e-9:
        return (
            f"{opening}. При таком числе центров ни одна разница не может стать значимой: наименьшее достижимое p — "
            f"{formats.number(result.smallest_p, 3)}."
        )
    if simple["p_value"] > alpha + 1e-9:
        return (
            f"{opening} ({p_shown(simple['p_value'])}): отличить действие формата от обычных колебаний нельзя. Это не "
            "значит, что формат не действует."
        )
    if result.pretrend_p <= alpha + 1e-9:
        return (
            f"{opening} ({p_shown(simple['p_value'])}), но центры расходились и до начала нового формата "
            f"({p_shown(result.pretrend_p)}): приписывать разницу формату нельзя."
        )
    return f"{opening} ({p_shown(simple['p_value'])}). Это согласуется с действием формата, но не доказывает его."


def each(value: float) -> str:
    """That intervals hold one by one."""
    missed = formats.percent(100 * (1 - value), 0)
    return (
        "Каждый интервал рассчитан отдельно: хотя бы один из них не содержит истинного значения чаще, чем в "
        f"{missed} случаев."
    )


def known(values: pd.Series) -> tuple[float | None, ...]:
    """Chart points; what is missing or unbounded is a gap."""
    return tuple(float(value) if np.isfinite(value) else None for value in values)
