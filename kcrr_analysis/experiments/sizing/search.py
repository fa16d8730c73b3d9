"""A plan whose numbers may be unknown: its power, and the search for what reaches a power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import scipy

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.sizing.criteria import Aim, critical, equivalence, most_extreme, superiority
from kcrr_analysis.experiments.sizing.icc import Icc
from kcrr_analysis.experiments.sizing.layouts import Layout
from kcrr_analysis.experiments.sizing.outcome_models import OutcomeModel

Solved: TypeAlias = Literal["power", "effect", "clusters", "size"]
Basis: TypeAlias = Literal["estimate", "assurance", "high"]

BASES = ("estimate", "assurance", "high")

_MOST = {"clusters": 1e5, "size": 1e8}


@dataclass(frozen=True)
class Plan:
    """Everything but the numbers.

    Attributes:
        outcome: What is measured.
        layout: Who is assigned.
        aim: Superiority, non-inferiority or equivalence.
        margin: Of the latter two.
        alpha: Error asked for.
        sides: Sides of a test of superiority.
        sign: 1 where a higher outcome is better, else -1.
        exact: Whether clusters are judged by the exact randomisation test.
        inflated: How many times more data several looks need.
    """

    outcome: OutcomeModel
    layout: Layout
    aim: Aim
    margin: float
    alpha: float
    sides: int
    sign: int
    exact: bool
    inflated: float

    def error(self, effect: float, scale: float, size: float, icc: float) -> tuple[float, float]:
        """Standard errors of the effect, under it and under the hypothesis of the test."""
        se = math.sqrt(self.layout.variance(scale, size, icc, self.outcome.variances(effect)) * self.inflated)
        if self.layout.clustered or self.aim != "difference" or self.layout.method == "matched_pairs":
            return se, se
        counts = self.layout.counts(scale)
        pooled = self.outcome.pooled(effect, (counts[0], counts[self.layout.smallest_arm()]))
        if pooled is None:
            return se, se
        return se, math.sqrt(self.layout.variance(scale, size, icc, (pooled, pooled)) * self.inflated)

    def df(self, scale: float) -> float:
        """Degrees of freedom; infinite where the test is normal."""
        if not self.layout.clustered and not self.outcome.studentised:
            return math.inf
        return self.layout.df(scale)

    def attainable(self, scale: float) -> float:
        """The level that the test really has: p-values of a randomisation test are multiples of the smallest."""
        if self._alone(scale) == 0:
            return 0.0
        return self._multiple(self.layout.smallest_joint(scale, sides=self.sides))

    def critical(self, scale: float, level: float) -> float:
        """What the statistic must exceed at this level; several formats must also pass one by one."""
        sizes = (1.0, 1.0) if self.layout.in_time else self.layout.shares
        df = self.df(scale)
        joint = critical(level, df, aim=self.aim, sides=self.sides, sizes=sizes)
        if self.layout.compared == 1:
            return joint
        return max(joint, critical(self._alone(scale), df, aim=self.aim, sides=self.sides, sizes=sizes[:2]))

    def assignments(self, scale: float) -> float:
        """How many of the p-values that the test can give are at most alpha; infinite where persons are assigned."""
        if not self.layout.clustered or not self.exact:
            return math.inf
        step = self.layout.smallest_p(scale, sides=self.sides)
        return math.floor(self.alpha / step + 1e-9) if step > 1e-9 else math.inf

    def _only_the_extreme(self, scale: float) -> bool:
        layout = self.layout
        plain = layout.method in ("complete", "matched_pairs", "not_randomised") and layout.strata == 1
        return plain and layout.shares == (1.0, 1.0) and self.sides == 2 and self.assignments(scale) == 1

    def _alone(self, scale: float) -> float:
        """Attainable level of one format against the control."""
        return self._multiple(self.layout.smallest_alone(scale, sides=self.sides))

    def _multiple(self, step: float) -> float:
        if not self.layout.clustered or not self.exact or step <= 1e-9:
            return self.alpha
        return math.floor(self.alpha / step + 1e-9) * step

    def power(self, effect: float, scale: float, size: float, icc: float, *, level: float | None = None) -> float:
        """Probability of the aim.

        Args:
            effect: True effect.
            scale: Assigned units of the first arm.
            size: Persons of a cluster.
            icc: Intraclass correlation.
            level: Of the test; by default the attainable one.
        """
        bound = self.critical(scale, self.attainable(scale) if level is None else level)
        if not math.isfinite(bound):
            return 0.0
        se, null = self.error(effect, scale, size, icc)
        if self.aim == "equivalent":
            return equivalence(effect, self.margin, se, self.df(scale), bound)
        shift = abs(effect) if self.aim == "difference" else self.sign * effect + self.margin
        if level is None and self._only_the_extreme(scale):
            return most_extreme(shift / se, round(scale), paired=self.layout.method == "matched_pairs")
        return superiority(shift / se, self.df(scale), bound * null / se)


@dataclass(frozen=True)
class Found:
    """The numbers of a whole plan.

    Attributes:
        plan: The plan, its arms of whole sizes.
        effect: True effect.
        scale: Assigned units of the first arm.
        size: Persons of a cluster.
        solution: The exact value of what was asked, before rounding up.
    """

    plan: Plan
    effect: float
    scale: float
    size: float
    solution: float


@dataclass(frozen=True)
class Search:
    """A plan with what is known of the intraclass correlation.

    Attributes:
        plan: The plan.
        rho: Intraclass correlation.
        estimate: Its estimate, where it is one.
        basis: What must reach the power.
        goal: The power.
    """

    plan: Plan
    rho: float
    estimate: Icc | None
    basis: Basis
    goal: float

    def with_plan(self, plan: Plan) -> Search:
        """The same for another plan."""
        return replace(self, plan=plan)

    def at_estimate(self, effect: float, scale: float, size: float, level: float | None = None) -> float:
        """Power at the estimated correlation."""
        return self.plan.power(effect, scale, size, self.rho, level=level)

    def at_limits(self, effect: float, scale: float, size: float) -> tuple[float, float]:
        """Power at the upper and at the lower limit of the correlation; NaN where that is a plain number."""
        if self.estimate is None:
            return math.nan, math.nan
        ends = (self.estimate.estimate.high, self.estimate.estimate.low)
        worst, best = (self.plan.power(effect, scale, size, float(end)) for end in ends)
        return worst, best

    def assurance(self, effect: float, scale: float, size: float, level: float | None = None) -> float:
        """Power averaged over the equally likely correlations."""
        if self.estimate is None:
            return self.at_estimate(effect, scale, size, level)
        values = self.estimate.distribution
        return float(np.mean([self.plan.power(effect, scale, size, float(rho), level=level) for rho in values]))

    def measured(self, effect: float, scale: float, size: float, level: float | None = None) -> float:
        """What must reach the power."""
        if self.estimate is None or self.basis == "estimate":
            return self.at_estimate(effect, scale, size, level)
        if self.basis == "assurance":
            return self.assurance(effect, scale, size, level)
        return self.plan.power(effect, scale, size, float(self.estimate.estimate.high), level=level)

    def detectable(self, scale: float, size: float) -> float:
        """Effect at which the power is the goal; NaN where there is none, and for a margin."""
        if self.plan.aim != "difference":
            return math.nan
        try:
            return self._effect(scale, size)
        except NotComputableError:
            return math.nan

    def solve(self, asked: Solved, effect: float | None, scale: float | None, size: float | None) -> Found:
        """The whole plan.

        Args:
            asked: What is None.
            effect: True effect.
            scale: Assigned units of the first arm.
            size: Persons of a cluster.

        Raises:
            NotComputableError: Nothing possible reaches the power.
        """
        layout = self.plan.layout
        if effect is not None:
            self.plan.outcome.variances(effect)
        if asked in ("power", "effect"):
            units, people = float(scale or 0.0), float(size or 0.0)
            if not layout.df(units) > 0:
                raise NotComputableError(
                    "Центров (людей) слишком мало: разброс между ними оценить нельзя. Добавьте их в группы."
                )
            whole = self._rounded(units)
            true = self._effect(units, people) if effect is None else effect
            solution = true if asked == "effect" else whole.at_estimate(true, units, people)
            return Found(whole.plan, true, units, people, solution)
        true = float(effect or 0.0)
        if asked == "clusters" or not layout.clustered:
            people = float(size or 1.0)
            name = "clusters" if layout.clustered else "size"
            solution = self._root(
                lambda units: self.measured(true, units, people, self.plan.alpha), layout.least(), name
            )
            return self._whole_clusters(true, solution, people)
        units = float(scale or 0.0)
        if not layout.df(units) > 0 or self.plan.attainable(units) == 0:
            raise NotComputableError(
                "При таком числе центров результат никогда не будет значимым, сколько бы людей ни было в каждом. "
                "Добавьте центры."
            )
        solution = self._root(lambda people: self.measured(true, units, people), 1.0, "size")
        return Found(self._rounded(units).plan, true, units, float(math.ceil(solution - 1e-9)), solution)

    def _whole_clusters(self, effect: float, solution: float, size: float) -> Found:
        """The fewest whole units that reach the power at the level that their number allows."""
        units = math.ceil(solution - 1e-9)
        while True:
            whole = self._rounded(float(units))
            reached = whole.measured(effect, float(units), size)
            if reached >= self.goal - 1e-9:
                return Found(whole.plan, effect, float(units), size, solution)
            units += 1

    def _rounded(self, scale: float) -> Search:
        """The same with whole units in every arm."""
        layout = self.plan.layout
        counts = [math.ceil(count - 1e-9) for count in layout.counts(scale)]
        shares = tuple(count / counts[0] for count in counts)
        return self.with_plan(replace(self.plan, layout=replace(layout, shares=shares)))

    def _root(self, reached: Callable[[float], float], least: float, name: str) -> float:
        if reached(least) >= self.goal:
            return least
        highest = math.log(_MOST[name])
        best = reached(math.exp(highest))
        if best < self.goal:
            remedy = (
                "Увеличьте число центров: при данном их числе разброс между центрами не убывает."
                if name == "size"
                else "Укажите больший эффект или меньшую мощность."
            )
            raise NotComputableError(
                f"Мощность {100 * self.goal:.0f} % недостижима: наибольшая возможная — {100 * best:.0f} %. {remedy}"
            )
        root = scipy.optimize.brentq(
            lambda log: reached(math.exp(log)) - self.goal, math.log(least), highest, xtol=1e-9
        )
        return math.exp(float(root))

    def _effect(self, scale: float, size: float) -> float:
        plan, sign = self.plan, self.plan.sign
        if plan.aim == "equivalent":
            raise ParameterError("Для цели «равны» (equivalent) эффект не ищется: укажите его, обычно 0.")
        if plan.attainable(scale) == 0:
            raise NotComputableError(
                "При таком числе центров результат никогда не будет значимым, каким бы ни был эффект. Добавьте центры."
            )
        low, high = plan.outcome.bounds
        bound = (high if sign > 0 else -low) * (1 - 1e-9)
        lowest = (low if sign > 0 else -high) * (1 - 1e-9)
        start = 0.0 if plan.aim == "difference" else max(-plan.margin, lowest)

        def reached(value: float) -> float:
            return self.measured(sign * value, scale, size) - self.goal

        step = plan.error(0.0, scale, size, self.rho)[0]
        far = start + step
        while far < bound and reached(far) < 0:
            far = start + 2 * (far - start)
        far = min(far, bound)
        near = start + step * 1e-9
        if reached(near) >= 0:
            return sign * near
        if reached(far) < 0:
            raise NotComputableError(
                f"Даже наибольший возможный эффект при таком размере не даёт мощности {100 * self.goal:.0f} %. "
                "Добавьте центры или людей."
            )
        return sign * float(scipy.optimize.brentq(reached, near, far, xtol=1e-12))
