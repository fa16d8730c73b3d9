"""Power, sample size and detectable effect of a pilot in closed form.

The estimate of the effect is taken as normal, its error from the design: cluster means with the design effect of
unequal sizes, pairs, or generalised least squares with periods. The critical value is Student's (Dunnett's for several
formats) at the level that the exact randomisation test can attain: with 4 centres against 4 that is 2.9 %, not 5 %, and
with 3 against 3 no result is ever significant.

Against the kit's own exact tests on simulated normal outcomes (600 to 1,500 runs each, power 60 to 90 %) the power here
is right to 2 percentage points: 4 to 7 centres an arm, 6 to 10 pairs, stepped wedges of 3 to 5 waves, crossovers; with
three formats of 6 centres each it is 9 points too high, of 8 centres 2 points. What outcomes of real centres do is
shown by `simulated_power`.

The intraclass correlation is itself an estimate: given as an `Icc`, the power comes with its values at both limits and
with its mean over the equally likely values (assurance).

Sources:
    Donner A., Klar N. (2000); Hayes R. J., Moulton L. H. (2017), Cluster Randomised Trials, ch. 7; Eldridge S. M. et
    al. (2006), Int J Epidemiol 35:1292. Assurance: Spiegelhalter D. J., Freedman L. S. (1986), Stat Med 5:1. Looks:
    Jennison C., Turnbull B. W. (2000), ch. 2 (inflation factor).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.boundaries import inflation
from kcrr_analysis.experiments.periods import schedule
from kcrr_analysis.experiments.sizing.arguments import (
    asked_for,
    checked_choice,
    checked_margin,
    correlation_of,
    inside,
    layout_of,
    number,
)
from kcrr_analysis.experiments.sizing.autocorrelation import Autocorrelation
from kcrr_analysis.experiments.sizing.criteria import AIMS, Aim
from kcrr_analysis.experiments.sizing.icc import Icc
from kcrr_analysis.experiments.sizing.outcome_models import OutcomeModel
from kcrr_analysis.experiments.sizing.search import BASES, Basis, Found, Plan, Search, Solved

if TYPE_CHECKING:
    from kcrr_analysis.experiments.design import Design

_SHORT = 15.0
"""Degrees of freedom below which the plan leans on few centres."""

_COARSE = 10
"""Significant p-values below which the exact test loses noticeably against Student's."""

_APART = 0.2
"""Difference of the power at the limits of the correlation from which it is called uncertain."""


@dataclass(frozen=True)
class Power:
    """What a pilot of this size can show.

    Attributes:
        outcome: Kind of the outcome.
        method: Method of assignment.
        aim: `difference`, `not_worse` or `equivalent`.
        solved: What was asked: `power`, `effect`, `clusters` or `size`.
        solution: Its exact value before any rounding up; every other figure is of the rounded plan.
        power: Probability of the aim under the true `effect`; 0 where the test can never attain the level.
        power_low: Power at the upper limit of the intraclass correlation; NaN where that is a plain number.
        power_high: Power at its lower limit.
        assurance: Power averaged over the uncertainty of the intraclass correlation; equals `power` for a plain number.
        effect: True difference, treated minus control, on the outcome's scale.
        detectable: Effect at which the power reaches `target`; NaN where no possible effect does, and for a margin.
        target: The power that `detectable` speaks of.
        margin: Margin of non-inferiority or equivalence; NaN otherwise.
        baseline: Level without the new format; NaN for means and ordinal outcomes without one number.
        clusters: Clusters of each arm (wave, sequence), the control first; empty where persons are assigned.
        size: Persons of a cluster (in one period of a design with periods); NaN where persons are assigned.
        persons: Persons of each arm (wave, sequence), all periods together.
        periods: Periods (blocks) of a design with periods, else 1.
        icc: Intraclass correlation; 0 where persons are assigned.
        cv: Coefficient of variation of the clusters' sizes.
        design_effect: Persons needed as a multiple of those of a pilot that assigns persons, for the same error.
        se: Standard error of the effect.
        df: Degrees of freedom; infinite for a normal test.
        alpha: Error asked for.
        attainable: Error that the exact test really has, at most `alpha`; 0 where it has none below it.
        smallest_p: The smallest p-value that this design can give, two-sided unless `sides` is 1.
        critical: What the statistic must exceed.
        assumptions: What it rests on: `normal_estimate`, `student`, `equal_effect`, `fixed_effects`,
            `exchangeable_periods`, `dunnett`, `pairs_correlation`, `explained`, `inflation_for_looks`,
            `not_randomised`, `proportional_odds`, `pooled_variance`.
        notes: What weakens it: `unattainable`, `level_below_alpha`, `few_assignments` (the exact test loses some power
            that is not counted: simulate), `few_degrees_of_freedom`, `icc_uncertain` (the power at the limits differs
            by more than 0.2), `icc_assumed` (a plain number), `cac_assumed` (in designs with periods: nothing tells it
            from the data), `rounded_up`.
    """

    outcome: str
    method: str
    aim: Aim
    solved: Solved
    solution: float
    power: float
    power_low: float
    power_high: float
    assurance: float
    effect: float
    detectable: float
    target: float
    margin: float
    baseline: float
    clusters: tuple[float, ...]
    size: float
    persons: tuple[float, ...]
    periods: int
    icc: float
    cv: float
    design_effect: float
    se: float
    df: float
    alpha: float
    attainable: float
    smallest_p: float
    critical: float
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row; numbers of arms and codes are joined by commas."""

        def cell(value: Any) -> Any:
            if not isinstance(value, tuple):
                return value
            return ",".join(part if isinstance(part, str) else f"{part:g}" for part in value)

        return pd.DataFrame({name: [cell(value)] for name, value in vars(self).items()})


def power(
    outcome: str = "proportion",
    *,
    baseline: float | Sequence[float] | None = None,
    sd: float | None = None,
    effect: float | None = None,
    power: float | None = None,
    clusters: float | Sequence[float] | None = None,
    size: float | Sequence[float] | None = None,
    cv: float | None = None,
    icc: float | Icc | None = None,
    method: str = "complete",
    arms: int | Sequence[float] = 2,
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
    aim: Aim = "difference",
    margin: float | None = None,
    better: Literal["higher", "lower"] = "higher",
    periods: int | None = None,
    pattern: Any = None,
    cac: float | Autocorrelation = 1.0,
    correlation: float = 0.0,
    explained: float = 0.0,
    strata: int = 1,
    accept: float = 1.0,
    overdispersion: float = 1.0,
    looks: int | Sequence[float] = 1,
    boundary: str = "lan_demets_obrien_fleming",
    inference: Literal["exact", "student"] = "exact",
    target: float = 0.8,
    basis: Basis = "estimate",
) -> Power:
    """Power of a pilot, or whichever of effect, clusters and size is left out for a power.

    Args:
        outcome: `mean`, `proportion`, `count`, `ordinal` or `ratio`; see `OutcomeModel`.
        baseline: Share, rate, or shares of ordinal categories without the new format.
        sd: Standard deviation of one person's outcome (mean, ratio); taken from an `Icc` where it is left out.
        effect: True difference on the outcome's scale; may be negative. 0 by default with a margin.
        power: Power wanted.
        clusters: Clusters of the first arm (wave, sequence; in a switchback, of all), or of each; pairs of a paired
            design. None with `size` given: to be found. Not given where persons are assigned.
        size: Persons of a cluster, in one period of a design with periods; where persons are assigned, persons of the
            first arm or of each (pairs of a paired design).
        cv: Coefficient of variation of the clusters' sizes; taken from an `Icc` where it is left out, else 0.
        icc: Intraclass correlation of the outcome, a number or an `Icc`; None: persons are assigned.
        method: As in `Design`.
        arms: Number of arms, or their sizes relative to the first, the control; waves of a stepped wedge.
        alpha: Error of the whole test.
        sides: Sides of a test of superiority.
        aim: `difference`, or by a margin `not_worse` or `equivalent`; those take the interval of level 1 -
            alpha.
        margin: Largest loss (difference, for equivalence) that does not matter; above zero.
        better: Which change is the good one; it decides the sign of an effect that is to be found, and what a loss
            is.
        periods: Periods of a stepped wedge (waves + 1 by default) or crossover; blocks of a switchback.
        pattern: Treatment of each wave or sequence (row) in each period, 0 or 1, instead of the regular one.
        cac: Cluster autocorrelation between periods, a number or an estimate.
        correlation: Correlation within pairs, of clusters' means or of persons.
        explained: Share of the variance of the assigned units' means that strata and covariates explain.
        strata: Number of strata (equal in size).
        accept: Share of assignments that a rerandomised design accepts.
        overdispersion: Variance over mean of a count.
        looks: Number of looks or their information fractions.
        boundary: Kind of `boundaries` for several looks.
        inference: `exact`: at the level that the randomisation test of clusters attains; `student`: at alpha itself.
        target: Power that `detectable` speaks of; `power` where that is given.
        basis: What must reach the power when clusters or size are found: the power at the `estimate` of the
            correlation, the `assurance`, or the power at the upper limit (`high`).

    Raises:
        ParameterError: Arguments that cannot be or do not go together.
        NotComputableError: No number of clusters or persons, and no possible effect, reaches the power.
    """
    checked_choice(aim, AIMS, "цель (aim)")
    checked_choice(better, ("higher", "lower"), "какое изменение хорошее (better)")
    checked_choice(inference, ("exact", "student"), "способ вывода (inference)")
    checked_choice(basis, BASES, "основа расчёта (basis)")
    checked_choice(sides, (1, 2), "число сторон критерия (sides)")
    level = inside(alpha, "уровень значимости (alpha)")
    goal = inside(target if power is None else power, "мощность (power)", low=level)
    clustered = icc is not None
    if not clustered and clusters is not None:
        raise ParameterError(
            "Число центров указано, а внутригрупповая корреляция (icc) нет. Оцените её по прошлым данным "
            "(experiments.icc); если назначаются люди, уберите clusters."
        )
    rho, estimate = correlation_of(icc)
    if estimate is not None:
        sd = estimate.sd if sd is None and outcome in ("mean", "ratio") else sd
        cv = estimate.cv if cv is None else cv
    layout = layout_of(
        method,
        arms,
        clusters if clustered else size,
        periods,
        pattern,
        clustered=clustered,
        cv=0.0 if cv is None else cv,
        cac=cac.cac.estimate if isinstance(cac, Autocorrelation) else cac,
        correlation=correlation,
        explained=explained,
        strata=strata,
        accept=accept,
    )
    plan = Plan(
        outcome=OutcomeModel(outcome, baseline, sd, overdispersion),  # type: ignore[arg-type]
        layout=layout,
        aim=aim,
        margin=checked_margin(aim, margin),
        alpha=level,
        sides=sides,
        sign=-1 if better == "lower" or (aim == "difference" and effect is not None and effect < 0) else 1,
        exact=inference == "exact",
        inflated=1.0 if looks == 1 else inflation(boundary, looks=looks, alpha=level, power=goal, sides=sides),
    )
    scale, persons = number(clusters, "число центров (clusters)"), number(size, "число людей (size)")
    if not clustered:
        scale, persons = persons, 1.0
    if effect is None and aim != "difference" and (power is None or scale is None or persons is None):
        effect = 0.0
    asked = asked_for(effect, power, scale, persons, clustered=clustered)
    if effect == 0 and aim == "difference":
        raise ParameterError("Эффект равен нулю, искать нечего. Укажите наименьший эффект, который имеет значение.")
    search = Search(plan, rho, estimate, basis, goal)
    found = search.solve(asked, effect, scale, persons)
    known = isinstance(cac, Autocorrelation) and not cac.weak
    return _result(search, found, asked, several_looks=looks != 1, cac_known=known)


def of_design(design: Design, outcome: str = "proportion", **settings: Any) -> Power:
    """Power of a `Design`: its method, arms and accepted share, the rest as in `power`.

    Args:
        design: The design; with a cluster column, `icc` must be given, without one it must not.
        outcome: Kind of the outcome.
        **settings: Arguments of `power` but for `method`, `arms` and `accept`.

    Raises:
        ParameterError: As `power`, and an `icc` that is missing or out of place.
    """
    taken = sorted({"method", "arms", "accept"} & set(settings))
    if taken:
        raise ParameterError(f"{', '.join(taken)}: это задаёт дизайн. Уберите из параметров мощности.")
    if (design.cluster is not None) != (settings.get("icc") is not None):
        remedy = (
            "Дизайн назначает центры: укажите внутригрупповую корреляцию (icc), числом или из experiments.icc."
            if design.cluster is not None
            else "Дизайн назначает людей по одному: внутригрупповая корреляция (icc) не нужна."
        )
        raise ParameterError(remedy)
    shares = list(design.shares.values())
    arms: Any = design.waves if design.method == "stepped_wedge" else [share / shares[0] for share in shares]
    accept = design.accept if design.method == "rerandomised" else 1.0
    if design.ordered and "pattern" not in settings:
        least = design.block * int(design.waves or 0) + 1 if design.method == "stepped_wedge" else 2 * design.block
        table = schedule(design, int(settings.get("periods") or least))
        settings["pattern"] = table[:, np.isfinite(table).all(axis=0)]
    return power(outcome, method=design.method, arms=arms, accept=accept, **settings)


def _result(search: Search, found: Found, asked: Solved, *, several_looks: bool, cac_known: bool) -> Power:
    plan, layout, effect = found.plan, found.plan.layout, found.effect
    scale, size = found.scale, found.size
    counts, periods = layout.counts(scale), layout.periods if layout.in_time else 1
    at = search.with_plan(plan)
    attainable = plan.attainable(scale)
    low, high = at.at_limits(effect, scale, size)
    reached = at.at_estimate(effect, scale, size)
    baseline = plan.outcome.baseline
    return Power(
        outcome=plan.outcome.kind,
        method=layout.method,
        aim=plan.aim,
        solved=asked,
        solution=found.solution,
        power=reached,
        power_low=low,
        power_high=high,
        assurance=at.assurance(effect, scale, size),
        effect=effect,
        detectable=at.detectable(scale, size),
        target=search.goal,
        margin=plan.margin,
        baseline=math.nan if baseline is None or isinstance(baseline, tuple) else float(baseline),
        clusters=counts if layout.clustered else (),
        size=size if layout.clustered else math.nan,
        persons=tuple(count * size * periods for count in counts),
        periods=periods,
        icc=search.rho,
        cv=layout.cv if layout.clustered else 0.0,
        design_effect=layout.design_effect(scale, size, search.rho),
        se=plan.error(effect, scale, size, search.rho)[0],
        df=plan.df(scale),
        alpha=plan.alpha,
        attainable=attainable,
        smallest_p=layout.smallest_p(scale, sides=plan.sides),
        critical=plan.critical(scale, attainable),
        assumptions=_assumptions(plan, several_looks),
        notes=_notes(search, found, asked, (low, high), cac_known=cac_known),
    )


def _assumptions(plan: Plan, several_looks: bool) -> tuple[str, ...]:
    layout = plan.layout
    held = {
        "normal_estimate": True,
        "student": np.isfinite(plan.df(1e3)),
        "equal_effect": layout.clustered,
        "fixed_effects": layout.in_time,
        "exchangeable_periods": layout.in_time,
        "dunnett": layout.compared > 1 and plan.aim == "difference",
        "pairs_correlation": layout.method == "matched_pairs",
        "explained": layout.explained > 0,
        "inflation_for_looks": several_looks,
        "not_randomised": layout.method == "not_randomised",
        "proportional_odds": plan.outcome.kind == "ordinal",
        "pooled_variance": plan.outcome.kind in ("proportion", "ordinal") and not layout.clustered,
    }
    return tuple(name for name, true in held.items() if true)


def _notes(
    search: Search, found: Found, asked: Solved, limits: tuple[float, float], *, cac_known: bool
) -> tuple[str, ...]:
    plan, scale = found.plan, found.scale
    attainable = plan.attainable(scale)
    said = {
        "unattainable": attainable == 0,
        "level_below_alpha": 0 < attainable < 0.9 * plan.alpha,
        "few_assignments": attainable > 0 and plan.assignments(scale) < _COARSE,
        "few_degrees_of_freedom": plan.df(scale) < _SHORT,
        "icc_uncertain": limits[1] - limits[0] > _APART,
        "cac_assumed": plan.layout.in_time and not cac_known,
        "icc_assumed": plan.layout.clustered and search.estimate is None,
        "rounded_up": asked in ("clusters", "size"),
    }
    return tuple(name for name, true in said.items() if true)
