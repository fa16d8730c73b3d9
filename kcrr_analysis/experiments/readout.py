"""What a pilot showed: effects, checks, deviations from the protocol, the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from kcrr_analysis.experiments.analysis import Figure
from kcrr_analysis.experiments.assignment import Assignment
from kcrr_analysis.experiments.decision import Decision
from kcrr_analysis.experiments.outcomes import Outcome
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.experiments.sequential import Look
from kcrr_analysis.experiments.validity.bounds import Bounds
from kcrr_analysis.experiments.validity.checks import Validity

Verdict: TypeAlias = Literal[
    "better", "worse", "unclear", "cannot_tell", "not_worse", "broken", "equivalent", "not_equivalent"
]


@dataclass(frozen=True, eq=False)
class Effect:
    """What an arm did to an outcome, against the control.

    Attributes:
        outcome: The outcome.
        arm: Code of the arm.
        estimate: Arm minus control, in the outcome's unit; of an ordinal outcome, win probability - 1/2.
        low: Lower limit; minus infinity where the design has too few assignments for the level.
        high: Upper limit.
        level: Confidence level of the limits, raised where several arms or looks share the error.
        p: Two-sided p-value of «no effect», not adjusted.
        p_adjusted: The same, adjusted for the arms (primary outcome) or for the arms and outcomes (secondary ones,
            Holm).
        verdict: What may be said: better, worse, unclear, cannot_tell (the design cannot give a p-value below alpha);
            with a margin not_worse, broken, equivalent, not_equivalent, unclear.
        figure: The method, its reason, the number of assignments.
        mean: Mean in the arm for the estimand.
        control_mean: Mean in the control.
        units: Assigned units with the outcome: arm, control.
        persons: Persons with the outcome: arm, control.
        missing: Persons without it: arm, control.
        checks: The same effect by other methods.
        bounds: Bounds over what is missing; None where nothing is, or the outcome has no limits.
    """

    outcome: Outcome
    arm: str
    estimate: float
    low: float
    high: float
    level: float
    p: float
    p_adjusted: float
    verdict: Verdict
    figure: Figure
    mean: float
    control_mean: float
    units: tuple[int, int]
    persons: tuple[float, float]
    missing: tuple[float, float]
    checks: tuple[Figure, ...] = ()
    bounds: Bounds | None = None

    @property
    def relative(self) -> float:
        """The effect as a share of the control's mean; NaN where that is zero or has no meaning."""
        if self.outcome.kind == "ordinal" or not self.control_mean:
            return float("nan")
        return self.estimate / abs(self.control_mean)


@dataclass(frozen=True)
class Deviation:
    """What was not done as the protocol says.

    Attributes:
        code: altered, not_fixed, not_drawn, units_missing, units_unknown, outcome_missing, look_unplanned,
            arm_differs, sums_expected.
        text: The same in Russian.
    """

    code: str
    text: str


@dataclass(frozen=True, eq=False)
class Readout:
    """A pilot's results.

    Attributes:
        protocol: The protocol.
        assignment: The assignment.
        effects: By outcome in the protocol's order, then by arm.
        validity: The checks of the pilot itself.
        deviations: What was not done as planned.
        looks: The looks so far; empty without planned looks.
        decision: What the rule says.
    """

    protocol: Protocol
    assignment: Assignment
    effects: tuple[Effect, ...]
    validity: Validity
    deviations: tuple[Deviation, ...]
    looks: tuple[Look, ...]
    decision: Decision

    @property
    def primary(self) -> tuple[Effect, ...]:
        """Effects on the primary outcome, by arm."""
        return tuple(effect for effect in self.effects if effect.outcome.role == "primary")

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome and arm."""
        return pd.DataFrame(
            [
                {
                    "outcome": effect.outcome.name,
                    "role": effect.outcome.role,
                    "arm": effect.arm,
                    "control": self.protocol.design.control,
                    "estimand": self.protocol.estimand,
                    "estimate": effect.estimate,
                    "low": effect.low,
                    "high": effect.high,
                    "level": effect.level,
                    "p": effect.p,
                    "p_adjusted": effect.p_adjusted,
                    "verdict": effect.verdict,
                    "method": effect.figure.method,
                    "reason": effect.figure.reason,
                    "smallest_p": effect.figure.smallest_p,
                    "assignments": effect.figure.assignments,
                    "mean": effect.mean,
                    "control_mean": effect.control_mean,
                    "relative": effect.relative,
                    "units": effect.units[0],
                    "control_units": effect.units[1],
                    "persons": effect.persons[0],
                    "control_persons": effect.persons[1],
                    "missing": effect.missing[0],
                    "control_missing": effect.missing[1],
                }
                for effect in self.effects
            ]
        )
