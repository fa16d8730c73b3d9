"""The picture of a pilot's effects that a head of a centre understands: where zero is, what would be worthwhile."""

from __future__ import annotations

import math

from kcrr_analysis.experiments.outcomes import Better, Outcome
from kcrr_analysis.experiments.readout import Effect, Readout
from kcrr_analysis.experiments.withheld import Withheld
from kcrr_analysis.reporting.blocks import Chart, Panel, Series
from kcrr_analysis.reporting.views.experiments import words
from kcrr_analysis.reporting.views.experiments.tables import measures
from kcrr_analysis.reporting.views.experiments.words import Measure

EFFECT, THRESHOLD = "Эффект", "Порог"
SIDES: dict[Better, str] = {"higher": "правее — лучше", "lower": "левее — лучше"}


def effects(made: Withheld) -> tuple[Chart, ...]:
    """Effects with intervals, one picture for outcomes of one unit and one good side; the primary one comes first.

    Secondary outcomes stand beside those that decide, where their unit is the same; else the table alone shows them.
    """
    readout = made.readout
    known = [effect for effect in readout.effects if math.isfinite(effect.estimate)]
    shown = measures(readout)
    groups: dict[tuple[str, str, Better], list[Effect]] = {}
    for effect in sorted(known, key=lambda effect: effect.outcome.role != "primary"):
        measure = shown[effect.outcome.name]
        alike = measure.kind if measure.kind == "points" or measure.centre else effect.outcome.name
        groups.setdefault((alike, measure.unit, effect.outcome.better), []).append(effect)
    decide = [part for part in groups.values() if any(effect.outcome.role != "secondary" for effect in part)]
    return tuple(_chart(made, part, shown) for part in decide)


def _chart(made: Withheld, part: list[Effect], shown: dict[str, Measure]) -> Chart:
    readout = made.readout
    measure = shown[part[0].outcome.name]
    names = tuple(_category(readout, effect) for effect in part)
    ends = [_ends(effect, shown[effect.outcome.name]) for effect in part]
    series = [
        Series(
            EFFECT,
            names,
            tuple(round(measure.value(effect.estimate), measure.decimals) for effect in part),
            tuple(low for low, _ in ends),
            tuple(high for _, high in ends),
        )
    ]
    marks = [(name, mark) for name, effect in zip(names, part, strict=True) if (mark := threshold(effect.outcome))]
    if marks:
        at = tuple(measure.value(mark) for _, mark in marks)
        series.append(Series(THRESHOLD, tuple(name for name, _ in marks), at, role="context"))
    titles = list(dict.fromkeys(f"«{effect.outcome.title}»" for effect in part))
    about = titles[0] if len(titles) == 1 else f"{titles[0]} и ещё {len(titles) - 1}"
    return Chart(
        title=f"Апробация «{readout.protocol.title or readout.protocol.pilot}»: эффект и его интервал, {about}",
        panels=(
            Panel(
                shape="interval",
                series=tuple(series),
                unit="; ".join(filter(None, (measure.header, SIDES[part[0].outcome.better]))),
                kind="int" if measure.centre else measure.kind,
                reference=(measure.centre * measure.factor, "нет различия"),
            ),
        ),
        alt=_alt(readout, part, shown),
        notes=tuple(_notes(part)),
    )


def _category(readout: Readout, effect: Effect) -> str:
    if len(readout.primary) == 1:
        return effect.outcome.title
    arm = words.arm_name(readout.protocol, effect.arm)
    return f"{effect.outcome.title}: {arm}"


def threshold(outcome: Outcome) -> float:
    """What the protocol compares the effect with, in the outcome's unit; 0 where it names nothing."""
    if outcome.aim == "difference":
        return outcome.sign * outcome.worthwhile
    return -outcome.sign * float(outcome.margin or 0)


def _ends(effect: Effect, measure: Measure) -> tuple[float | None, float | None]:
    if not (math.isfinite(effect.low) and math.isfinite(effect.high)) or words.unlimited(effect):
        return None, None
    return measure.value(effect.low), measure.value(effect.high)


def _alt(readout: Readout, part: list[Effect], shown: dict[str, Measure]) -> str:
    each = []
    for effect in part:
        measure = shown[effect.outcome.name]
        limits = "интервал не ограничен"
        if not words.unlimited(effect):
            limits = f"интервал {measure.limits(effect.low, effect.high)}"
        each.append(f"{_category(readout, effect)} — {measure.signed(effect.estimate)}, {limits}")
    return f"{words.stop('Точки с интервалами: ' + '; '.join(each))} Вертикальная линия — нет различия."


def _notes(part: list[Effect]) -> list[str]:
    said = "Точка — эффект, отрезок — интервал; отрезок, задевающий пунктир, значит: различие не показано."
    if part[0].outcome.kind == "ordinal":
        said += " Эффект — в скольких случаях из 100 оценка клиента опытной группы выше."
    notes = [said]
    marks = []
    if any(effect.outcome.aim == "difference" and effect.outcome.worthwhile for effect in part):
        marks.append("наименьший эффект, ради которого стоит внедрять")
    if any(effect.outcome.role == "guardrail" for effect in part):
        marks.append("у защитных показателей — наибольшее допустимое ухудшение")
    elif any(effect.outcome.aim != "difference" for effect in part):
        marks.append("наибольшее допустимое ухудшение")
    if marks:
        notes.append(f"Серая точка — порог из протокола: {'; '.join(marks)}.")
    if any(words.unlimited(effect) or not math.isfinite(effect.low + effect.high) for effect in part):
        notes.append("Точка без отрезка: допустимых назначений слишком мало, и интервал не ограничен.")
    return notes
