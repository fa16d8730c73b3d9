"""Reads a pilot out as its protocol says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments import periods, sequential
from kcrr_analysis.experiments.analysis import Figure, Part, by_person, compare, estimand, mean_of, others
from kcrr_analysis.experiments.assignment import Assignment, read_assignment
from kcrr_analysis.experiments.boundaries import spending
from kcrr_analysis.experiments.decision import decide
from kcrr_analysis.experiments.measurements import by_unit, rows_of, waves_of
from kcrr_analysis.experiments.mechanism import DRAWS
from kcrr_analysis.experiments.outcomes import Reduced
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.experiments.randomisation import Mask
from kcrr_analysis.experiments.readout import Deviation, Effect, Readout, Verdict
from kcrr_analysis.experiments.sequential import Look
from kcrr_analysis.experiments.several import Several, holm, several
from kcrr_analysis.experiments.validity import samples
from kcrr_analysis.experiments.validity.balance import balance
from kcrr_analysis.experiments.validity.bounds import Bounds, bounds
from kcrr_analysis.experiments.validity.checks import Check, Validity

LEAST_DRAWS = 99
"""Assignments below which a p-value of 0.05 is beyond reach of the precision."""

FINEST = 1e-4
"""Level of the interval at a look that has nothing to spend."""


def analyze(
    protocol: Protocol,
    assignment: Assignment | pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    look: int | None = None,
    draws: int | None = None,
) -> Readout:
    """Reads a pilot out; see `Protocol.analyze`."""
    if not protocol.design.randomised:
        raise ParameterError(
            f"Протокол «{protocol.pilot}»: центры выбраны не по жребию (метод not_randomised). Для таких данных есть "
            "experiments.after_the_fact: разность разностей с более слабым выводом."
        )
    if draws is not None and (isinstance(draws, bool) or not isinstance(draws, int) or draws < LEAST_DRAWS):
        raise ParameterError(f"Анализ: draws: «{draws}». Ожидается целое число от {LEAST_DRAWS}.")
    if look is not None and (isinstance(look, bool) or not isinstance(look, int) or look < 1):
        raise ParameterError(f"Анализ: look: «{look}». Ожидается номер просмотра: целое число от 1.")
    made = assignment if isinstance(assignment, Assignment) else read_assignment(protocol.design, assignment)
    if made.design != protocol.design:
        made = read_assignment(protocol.design, made.to_frame())
    deviations = _of_protocol(protocol, made)
    rows = rows_of(protocol, made, outcomes, look, deviations)
    reduced: dict[str, Reduced] = {}
    for outcome in protocol.outcomes:
        try:
            reduced[outcome.name] = by_unit(outcome, made, rows)
        except ParameterError as error:
            if outcome.role == "primary" or outcome.column in rows:
                raise
            deviations.append(Deviation("outcome_missing", f"Показатель «{outcome.title}» не измерен. {error}"))
    looks = _looks(protocol, made, reduced[protocol.primary.name], look, deviations)
    effects = _effects(protocol, made, reduced, looks, draws, deviations)
    deviations += _implausible(effects)
    checks = _checks(protocol, made, reduced[protocol.primary.name], looks)
    decision = decide(
        protocol,
        effects,
        valid=checks.verdict != "failed",
        finished=look is None if protocol.looks is None else looks[-1].share >= 1,
        crossed=any(one.crossed for one in looks),
    )
    return Readout(protocol, made, effects, checks, tuple(deviations), looks, decision)


def _implausible(effects: Sequence[Effect]) -> list[Deviation]:
    """Means smaller than the change that the protocol still tolerates or seeks: sums were asked for, means given."""
    strange = {
        effect.outcome.title: effect
        for effect in effects
        if effect.outcome.kind in {"mean", "count"}
        and effect.outcome.of is not None
        and 0 < abs(effect.control_mean) < max(effect.outcome.margin or 0, effect.outcome.worthwhile)
    }
    return [
        Deviation(
            "sums_expected",
            f"Показатель «{title}»: порог протокола больше самого показателя в контрольной группе. Возможно, в столбце "
            f"«{effect.outcome.column}» стоят средние, а нужны суммы по клиентам центра: тогда вывод по нему неверен.",
        )
        for title, effect in strange.items()
    ]


def _of_protocol(protocol: Protocol, made: Assignment) -> list[Deviation]:
    found = []
    if protocol.altered:
        found.append(
            Deviation("altered", "Протокол изменён после фиксации: строка hash не соответствует его содержанию.")
        )
    elif protocol.recorded is None:
        found.append(Deviation("not_fixed", "Протокол не был зафиксирован: сохранённого файла с hash нет."))
    if made.redrawn is False:
        found.append(
            Deviation(
                "not_drawn",
                "Назначение возможно по протоколу, но не совпадает с тем, что дают его seed и список единиц.",
            )
        )
    return found


def _looks(
    protocol: Protocol, made: Assignment, reduced: Reduced, look: int | None, deviations: list[Deviation]
) -> tuple[Look, ...]:
    planned = protocol.looks
    if planned is None:
        if look is not None:
            deviations.append(
                Deviation(
                    "look_unplanned",
                    f"Просмотр {look} протоколом не предусмотрен: интервал и p на нём не удерживают заявленную ошибку.",
                )
            )
        return ()
    wave = waves_of(planned.wave, made)
    waves = int(wave.max())
    number = waves if look is None else look
    if number > waves:
        raise ParameterError(f"Просмотр {look}: в протоколе волн {waves}. Укажите номер от 1 до {waves}.")
    shares = [float((wave <= step).mean()) for step in range(1, waves + 1)]
    spent = spending(planned.kind, shares, protocol.alpha)
    total, weight = estimand(reduced, per_person=protocol.estimand == "person")
    return sequential.sequential(
        total, weight, made.allowed, wave.tolist(), spent[:number].tolist(), covariates=reduced.covariates,
        seed=protocol.design.reference_seed,
    )  # fmt: skip


def _effects(  # noqa: PLR0917 - one caller
    protocol: Protocol,
    made: Assignment,
    reduced: dict[str, Reduced],
    looks: tuple[Look, ...],
    draws: int | None,
    deviations: list[Deviation],
) -> tuple[Effect, ...]:
    arms = [1] if protocol.design.in_time else list(range(1, len(protocol.design.names)))
    effects: list[Effect] = []
    for outcome in protocol.outcomes:
        if outcome.name not in reduced:
            continue
        own = _seen(reduced[outcome.name], protocol, made, looks)
        try:
            _enough_units(protocol, made, own, arms)
        except (ParameterError, NotComputableError) as error:
            if outcome.role == "primary":
                raise
            deviations.append(Deviation("outcome_missing", f"Показатель «{outcome.title}» не сравнить. {error}"))
            continue
        parts = [
            Part(outcome, made, own, arm, protocol.estimand == "person", 1 - protocol.alpha, draws) for arm in arms
        ]
        shared = _shared(protocol, parts, looks)
        for place, own_part in enumerate(parts):
            part = own_part if shared is None else replace(own_part, level=1 - float(shared.alpha[place]))
            figure = compare(part)
            p = figure.p if shared is None or np.isnan(shared.p[place]) else float(shared.p[place])
            effects.append(_effect(part, protocol, figure, p))
    return tuple(_worded(effect, protocol, looks) for effect in _controlled(effects))


def _shared(protocol: Protocol, parts: Sequence[Part], looks: tuple[Look, ...]) -> Several | None:
    """How the error of the primary outcome is shared by arms or looks; None where it need not be."""
    part = parts[0]
    if part.outcome.role != "primary":
        return None
    if looks:
        return Several(np.array([np.nan]), np.array([max(looks[-1].nominal, FINEST)]), "holm")
    if len(parts) == 1:
        return None
    if part.outcome.kind == "ordinal" or by_person(part) or protocol.multiplicity == "holm":
        return holm([compare(one).p for one in parts], protocol.alpha)
    total, weight = part.sums
    chosen = [one.arm for one in parts]
    return several(
        total, weight, part.assignment.allowed, chosen, covariates=part.reduced.covariates, alpha=protocol.alpha,
        draws=part.draws or DRAWS, seed=protocol.design.reference_seed,
    )  # fmt: skip


def _effect(part: Part, protocol: Protocol, figure: Figure, adjusted: float) -> Effect:
    outcome, own = part.outcome, part.reduced
    arm, control = _members(part.assignment, own, part.arm), _members(part.assignment, own, 0)
    return Effect(
        outcome=outcome,
        arm=protocol.design.names[part.arm],
        estimate=figure.estimate,
        low=figure.low,
        high=figure.high,
        level=part.level,
        p=figure.p,
        p_adjusted=adjusted,
        verdict="unclear",
        figure=figure,
        mean=mean_of(own, arm, per_person=part.per_person),
        control_mean=mean_of(own, control, per_person=part.per_person),
        units=(_units(own, arm), _units(own, control)),
        persons=(float(own.persons[arm].sum()), float(own.persons[control].sum())),
        missing=(float(own.missing[arm].sum()), float(own.missing[control].sum())),
        checks=others(part) if outcome.role == "primary" else (),
        bounds=_bounds(part),
    )


def _controlled(effects: Sequence[Effect]) -> list[Effect]:
    """Holm's adjustment over all effects on secondary outcomes."""
    places = [place for place, effect in enumerate(effects) if effect.outcome.role == "secondary"]
    adjusted = list(effects)
    for place, p in zip(places, stats.holm([effects[place].p for place in places]) if places else [], strict=True):
        adjusted[place] = replace(effects[place], p_adjusted=float(p))
    return adjusted


def _worded(effect: Effect, protocol: Protocol, looks: tuple[Look, ...]) -> Effect:
    return replace(effect, verdict=_verdict(effect, protocol.alpha, looks if effect.outcome.role == "primary" else ()))


def _verdict(effect: Effect, alpha: float, looks: tuple[Look, ...]) -> Verdict:
    outcome = effect.outcome
    nothing: Verdict = "cannot_tell" if effect.figure.smallest_p > alpha + 1e-9 else "unclear"
    if outcome.aim != "difference":
        return _within_margin(effect) or nothing
    found = any(look.crossed for look in looks) if looks else effect.p_adjusted <= alpha + 1e-9
    if not found:
        return nothing
    return "better" if outcome.sign * effect.estimate > 0 else "worse"


def _within_margin(effect: Effect) -> Verdict | None:
    outcome = effect.outcome
    low, high = sorted((outcome.sign * effect.low, outcome.sign * effect.high))
    margin = float(outcome.margin or 0)
    if outcome.aim == "equivalent":
        if low > -margin and high < margin:
            return "equivalent"
        return "not_equivalent" if high < -margin or low > margin else None
    if low > -margin:
        return "not_worse"
    return "broken" if high < -margin else None


def _seen(reduced: Reduced, protocol: Protocol, made: Assignment, looks: tuple[Look, ...]) -> Reduced:
    """Without the units that have not finished by the last look."""
    if not looks or protocol.looks is None:
        return reduced
    later = waves_of(protocol.looks.wave, made) > looks[-1].number
    if not later.any():
        return reduced
    levels = reduced.levels
    return replace(
        reduced,
        total=np.where(later, 0.0, reduced.total),
        weight=np.where(later, 0.0, reduced.weight),
        persons=np.where(later, 0.0, reduced.persons),
        missing=np.where(later, 0.0, reduced.missing),
        levels=None if levels is None else np.where(later[:, None], 0.0, levels),
    )


def _members(made: Assignment, reduced: Reduced, arm: int) -> Mask:
    """Cells (units, or units and periods) that belong to an arm and have the outcome's persons."""
    if made.design.ordered:
        table = periods.schedule(made.design, len(reduced.periods))
        return np.asarray(table[made.allowed.codes] == arm)
    return np.asarray(made.allowed.codes == arm)


def _units(reduced: Reduced, members: Mask) -> int:
    there = members & (reduced.weight > 0)
    return int(there.any(axis=1).sum() if there.ndim == 2 else there.sum())


def _enough_units(protocol: Protocol, made: Assignment, reduced: Reduced, arms: Sequence[int]) -> None:
    """Refuses what has no outcome, or one unit only, in an arm."""
    for arm in (0, *arms):
        found = _units(reduced, _members(made, reduced, arm))
        name = protocol.arm_title(protocol.design.names[arm])
        if not found:
            raise ParameterError(
                f"Результаты: в группе «{name}» нет ни одной единицы с результатом, сравнивать не с чем. Проверьте "
                "данные и назначение."
            )
        if found == 1:
            raise NotComputableError(
                f"В группе «{name}» одна единица назначения с результатом: разницу форматов нельзя отделить от "
                "разницы самих центров, сколько бы людей в них ни было. Нужно хотя бы по 4 центра в группе; до этого "
                "— только описание."
            )


def _bounds(part: Part) -> Bounds | None:
    """What the missing outcomes of a proportion could change."""
    own = part.reduced
    if part.outcome.kind != "proportion" or own.total.ndim != 1 or not own.missing.sum() or by_person(part):
        return None
    # Those who count as «not reached» are in the weight already.
    observed = own.persons - (own.missing if part.outcome.missing == "not_reached" else 0)
    return bounds(
        own.total, observed, observed + own.missing, part.assignment.allowed,
        per="person" if part.per_person else "center", level=part.level, treated=part.arm,
        draws=part.draws or DRAWS, seed=part.assignment.design.reference_seed,
    )  # fmt: skip


def _checks(protocol: Protocol, made: Assignment, reduced: Reduced, looks: tuple[Look, ...]) -> Validity:
    """Can the figures be trusted: ratio or recruitment, losses on both levels, balance before the pilot."""
    design, allowed = made.design, made.allowed
    if design.in_time:
        return Validity(())
    names = design.names
    lost, gone = reduced.missing, reduced.weight <= 0
    persons = reduced.persons + (lost if protocol.primary.missing == "excluded" else 0)
    if looks and protocol.looks is not None:
        due = waves_of(protocol.looks.wave, made) <= looks[-1].number
        allowed, persons, lost, gone = allowed.restrict(due), persons[due], lost[due], gone[due]
    checks: list[Check] = []
    if design.cluster is None:
        if design.method == "complete":
            checks.append(samples.sample_ratio(made.counts, dict(design.shares)))
    else:
        checks.append(samples.recruitment(persons, allowed, names=names))
        checks.append(samples.center_attrition(list(gone), allowed, names=names))
    if lost.sum():
        given = None if design.cluster is None else allowed
        sums = [np.array([part[allowed.codes == arm].sum() for arm in range(len(names))]) for part in (lost, persons)]
        missing, assigned = sums if given is None else (lost, persons)
        checks.append(samples.person_attrition(missing, assigned, given, names=names))
    if design.balance:
        checks.append(balance(made.units[list(design.balance)], made.allowed, names=names))
    return Validity(tuple(checks))
