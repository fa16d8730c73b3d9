"""The inference that follows from the design: one outcome, one arm against the control.

What was assigned is what is independent. Where centres are assigned, centres are compared, however many persons they
have; persons are compared only where persons were assigned. Other methods stand beside the result as a check, never
instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments import periods, randomisation
from kcrr_analysis.experiments.assignment import Assignment
from kcrr_analysis.experiments.asymptotic import cluster_robust, person_level, wild_bootstrap
from kcrr_analysis.experiments.asymptotic.moments import moments
from kcrr_analysis.experiments.mechanism import DRAWS
from kcrr_analysis.experiments.ordinal import win_probability
from kcrr_analysis.experiments.outcomes import Outcome, Reduced
from kcrr_analysis.experiments.randomisation import Mask
from kcrr_analysis.stats.estimate import FloatArray

MANY = 400
"""Persons assigned one by one up to which all is done by randomisation; above, by Neyman's standard error, which is
then as good."""

WILD = 1_999
"""Draws of the wild bootstrap, which is a check only."""

_VANISHING = 1e-9

EXACT = "рандомизационный вывод: все допустимые назначения"
SAMPLED = "рандомизационный вывод: выборка допустимых назначений"


@dataclass(frozen=True)
class Figure:
    """An effect by one method.

    Attributes:
        method: Russian name.
        estimate: The effect.
        low: Lower limit; minus infinity where the design has too few assignments for the level.
        high: Upper limit.
        p: Two-sided p-value of «no effect».
        reason: Why this method, or what it is good for, in Russian.
        exact: Whether all allowed assignments were compared; None for methods that compare none.
        smallest_p: No p-value could be smaller; 0 for methods without such a bound.
        assignments: Number of allowed assignments; None where unknown or of no use.
        se: Standard error.
    """

    method: str
    estimate: float
    low: float
    high: float
    p: float
    reason: str = ""
    exact: bool | None = None
    smallest_p: float = 0.0
    assignments: int | None = None
    se: float = float("nan")


@dataclass(frozen=True, eq=False)
class Part:
    """The data of one comparison.

    Attributes:
        outcome: The outcome.
        assignment: The assignment.
        reduced: The outcome by assigned unit.
        arm: Code of the arm of interest.
        per_person: Average per person; else per assigned unit.
        level: Confidence level of the interval.
        draws: Assignments drawn where there are too many; None for the default.
    """

    outcome: Outcome
    assignment: Assignment
    reduced: Reduced
    arm: int
    per_person: bool
    level: float
    draws: int | None = None

    @property
    def sums(self) -> tuple[FloatArray, FloatArray]:
        """Totals and weights for the estimand."""
        return estimand(self.reduced, per_person=self.per_person)


def estimand(reduced: Reduced, *, per_person: bool) -> tuple[FloatArray, FloatArray]:
    """Totals and weights: of persons, or unit means with the same weight for each unit.

    A unit without a denominator still adds to the numerator of a ratio of sums: it keeps a vanishing weight.
    """
    if per_person:
        only_above = (reduced.weight <= 0) & (reduced.total != 0)
        return reduced.total, np.where(only_above, _VANISHING * reduced.weight.max(initial=1.0), reduced.weight)
    there = reduced.weight > 0
    mean = np.divide(reduced.total, reduced.weight, out=np.zeros_like(reduced.total), where=there)
    return mean, there.astype(float)


def compare(part: Part) -> Figure:
    """The effect by the method that follows from the design."""
    design = part.assignment.design
    if design.ordered:
        total, weight = part.sums
        table = periods.schedule(design, len(part.reduced.periods))
        reference = periods.in_time(
            total, weight, part.assignment.allowed, table, draws=part.draws or periods.DRAWS, seed=design.reference_seed
        )
        return _of_reference(reference, part)
    if by_person(part):
        return _persons(part)
    if part.outcome.kind == "ordinal" and part.reduced.levels is not None:
        win = win_probability(
            part.reduced.levels, part.assignment.allowed, treated=part.arm, per_unit=not part.per_person,
            draws=part.draws or DRAWS, seed=design.reference_seed,
        )  # fmt: skip
        low, high = win.interval(part.level)
        return Figure(
            EXACT if win.exact else SAMPLED, win.estimate - 0.5, low - 0.5, high - 0.5, win.p_value(), _reason(part),
            win.exact, win.smallest_p, part.assignment.allowed.count, win.se,
        )  # fmt: skip
    total, weight = part.sums
    reference = randomisation.difference(
        total, weight, part.assignment.allowed, treated=part.arm, covariates=part.reduced.covariates,
        draws=part.draws or DRAWS, seed=design.reference_seed,
    )  # fmt: skip
    return _of_reference(reference, part)


def others(part: Part) -> tuple[Figure, ...]:
    """The same effect by other methods, as a check; none decides."""
    design = part.assignment.design
    if design.in_time or design.cluster is None or part.outcome.kind == "ordinal":
        return ()
    total, weight = part.sums
    codes = part.assignment.allowed.codes
    strata = part.assignment.allowed.strata if design.method != "matched_pairs" else None
    found, nan = [], float("nan")
    if part.reduced.covariates is not None:
        plain = randomisation.difference(
            total,
            weight,
            part.assignment.allowed,
            treated=part.arm,
            draws=part.draws or DRAWS,
            seed=design.reference_seed,
        )
        found.append(_figure("то же без поправки на ковариаты", plain, part.level))
    for title, compute in (
        (
            "дикий кластерный бутстреп",
            lambda: wild_bootstrap.wild_cluster(
                total, weight, codes, treated=part.arm, covariates=part.reduced.covariates, draws=WILD, level=part.level
            ),
        ),
        (
            cluster_robust.CR2_METHOD,
            lambda: cluster_robust.cr2(
                total,
                weight,
                codes,
                treated=part.arm,
                covariates=part.reduced.covariates,
                strata=strata,
                level=part.level,
            ),
        ),
        (
            cluster_robust.WELCH_METHOD,
            lambda: cluster_robust.cluster_means(
                part.reduced.total, part.reduced.weight, codes, treated=part.arm, level=part.level
            ),
        ),
    ):
        try:
            found_one = compute()
        except (NotComputableError, ParameterError) as error:  # a check that cannot be made stops nothing
            found.append(Figure(title, nan, nan, nan, nan, str(error)))
        else:
            one = found_one.estimate
            found.append(Figure(one.method, one.estimate, one.low, one.high, found_one.p, se=one.se))
    return tuple(found)


def by_person(part: Part) -> bool:
    """Whether persons were assigned one by one, and many of them."""
    design = part.assignment.design
    return design.cluster is None and design.method == "complete" and part.assignment.allowed.codes.size > MANY


def _persons(part: Part) -> Figure:
    """Persons assigned one by one: one row each."""
    reduced, outcome = part.reduced, part.outcome
    use = reduced.weight > 0 if outcome.kind != "ratio" else reduced.persons > 0
    if outcome.kind == "ordinal":
        codes = part.assignment.allowed.codes
        level = [reduced.total[use & (codes == arm)] for arm in (part.arm, 0)]
        win = person_level.win_probability(*level, level=part.level).estimate
        return Figure(win.method, win.estimate - 0.5, win.low - 0.5, win.high - 0.5, win.p, _reason(part), se=win.se)
    total, weight = part.sums
    frame = pd.DataFrame({"arm": part.assignment.allowed.codes[use], "y": total[use], "of": weight[use]})
    of_sums = bool((frame["of"] != 1).any())
    names = [f"x{number}" for number in range(0 if reduced.covariates is None else reduced.covariates.shape[1])]
    if reduced.covariates is not None:
        frame[names] = reduced.covariates[use]
    column = ("y", "of") if of_sums else "y"
    found = moments(frame, "arm", ["y", "of", *names] if of_sums else ["y", *names])
    if outcome.kind == "proportion" and not names and not of_sums:
        one = person_level.proportion(found, "y", part.arm, 0, level=part.level).estimate
    else:
        one = person_level.difference(found, column, part.arm, 0, covariates=names, level=part.level).estimate
    return Figure(one.method, one.estimate, one.low, one.high, one.p, _reason(part), se=one.se)


def _of_reference(reference: randomisation.Reference, part: Part) -> Figure:
    return _figure(EXACT if reference.exact else SAMPLED, reference, part.level, _reason(part))


def _figure(title: str, reference: randomisation.Reference, level: float, reason: str = "") -> Figure:
    low, high = reference.interval(level)
    return Figure(
        title, reference.estimate, low, high, reference.p_value(), reason, reference.exact, reference.smallest_p,
        reference.count, reference.se,
    )  # fmt: skip


def _reason(part: Part) -> str:
    """Why this method, in Russian."""
    design, units = part.assignment.design, len(part.assignment.units)
    if design.method == "stepped_wedge":
        return "по жребию назначен порядок внедрения: сравнивается с другими порядками, возможными по жребию"
    if design.method == "crossover":
        return "по жребию назначена очерёдность форматов в центре: сравнивается с другими возможными очерёдностями"
    if design.cluster is None:
        if by_person(part):
            return "назначались отдельные люди, их много: достаточно стандартной ошибки по людям"
        return "назначались отдельные люди: результат сравнивается с другими возможными назначениями"
    what = "блоки времени внутри центров" if design.method == "switchback" else "центры, а не люди"
    return f"назначались {what} (единиц назначения {units}): независимы они, а не их клиенты"


def mean_of(reduced: Reduced, members: Mask, *, per_person: bool) -> float:
    """Mean of the outcome in an arm for the estimand; of an ordinal outcome, the mean level."""
    total, weight = estimand(reduced, per_person=per_person)
    below = weight[members].sum()
    return float(total[members].sum() / below) if below > 0 else float("nan")
