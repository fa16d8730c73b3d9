"""Adopt, extend or stop: what the protocol's rule says of the intervals, what it would cost and bring.

A guardrail that is broken forbids adoption; one that is not known yet delays it. What was not randomised is never
adopted on its own evidence: the strongest decision is to repeat it with a draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from kcrr_analysis.experiments.protocol import Protocol
    from kcrr_analysis.experiments.readout import Effect

Action: TypeAlias = Literal["adopt", "extend", "stop"]
PilotState: TypeAlias = Literal["developed", "tested", "promoted"]

STATES: dict[Action, PilotState] = {"adopt": "promoted", "extend": "developed", "stop": "tested"}
"""What becomes of the service: promoted, still in development and testing, or tested without going on."""


@dataclass(frozen=True)
class Range:
    """A figure derived from the effect, with the limits that the effect's interval gives it.

    Attributes:
        estimate: The figure; NaN where it makes no sense.
        low: Lower limit.
        high: Upper limit; infinite where the effect may be none.
    """

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Decision:
    """What the rule says.

    Attributes:
        action: adopt, extend (go on collecting), stop.
        arm: The format meant; for adoption the one with the largest benefit.
        reasons: Codes in order of weight: better, worthwhile, not_worse, equivalent, worse, not_worthwhile, not_enough,
            not_equivalent, unclear, cannot_tell, guardrail_broken, guardrail_unclear, not_randomised, invalid, interim,
            look_stop.
        pilot_state: State of the service that follows.
        cost: Roubles per additional person with the outcome; None without costs, or where more costs less.
        extra_cost: Roubles a person more than in the control; None without costs.
        scaled: Additional persons a year if the format reached `scale_to`; None without it.
    """

    action: Action
    arm: str
    reasons: tuple[str, ...]
    pilot_state: PilotState
    cost: Range | None = None
    extra_cost: float | None = None
    scaled: Range | None = None


def decide(
    protocol: Protocol,
    effects: Sequence[Effect],
    *,
    valid: bool = True,
    finished: bool = True,
    crossed: bool = False,
) -> Decision:
    """Applies the protocol's rule.

    Args:
        protocol: The protocol.
        effects: The effects of all outcomes and arms.
        valid: Whether no check says that the pilot cannot be trusted.
        finished: Whether this is the final analysis.
        crossed: Whether a look crossed its boundary.
    """
    primary = [effect for effect in effects if effect.outcome.role == "primary"]
    each = [(effect, *_of_arm(protocol, effect, effects)) for effect in primary]
    order: dict[Action, int] = {"adopt": 0, "extend": 1, "stop": 2}
    best, action, reasons = min(each, key=lambda one: (order[one[1]], -_benefit(one[0])))
    if not protocol.design.randomised and action == "adopt":
        action, reasons = "extend", ("not_randomised", *reasons)
    if not valid:
        action, reasons = ("extend" if action == "adopt" else action), ("invalid", *reasons)
    if not finished:
        if crossed:
            reasons = ("look_stop", *reasons)
        else:
            action, reasons = "extend", ("interim", *reasons)
    extra, cost = _cost(protocol, best)
    return Decision(action, best.arm, reasons, STATES[action], cost, extra, _scaled(protocol, best))


def _of_arm(protocol: Protocol, primary: Effect, effects: Sequence[Effect]) -> tuple[Action, tuple[str, ...]]:
    own = {effect.outcome.name: effect.verdict for effect in effects if effect.arm == primary.arm}
    # A guardrail that was not measured is not known yet.
    guards = [own.get(outcome.name, "unclear") for outcome in protocol.outcomes if outcome.role == "guardrail"]
    outcome, verdict = primary.outcome, primary.verdict
    low, high = sorted((outcome.sign * primary.low, outcome.sign * primary.high))
    enough = (
        low >= outcome.worthwhile if protocol.rule.adopt == "worthwhile" else _benefit(primary) >= outcome.worthwhile
    )
    good = verdict in {"better", "not_worse", "equivalent"}
    if not {"broken", "not_equivalent"}.isdisjoint(guards):
        return "stop", ("guardrail_broken", verdict)
    if verdict in {"worse", "broken", "not_equivalent"}:
        return "stop", (verdict if verdict == "not_equivalent" else "worse",)
    if outcome.aim == "difference" and outcome.worthwhile > 0 and high < outcome.worthwhile:
        return "stop", ("not_worthwhile", verdict)
    if good and (outcome.aim != "difference" or enough):
        if "unclear" in guards or "cannot_tell" in guards:
            return "extend", ("guardrail_unclear", verdict)
        return "adopt", ("worthwhile" if outcome.worthwhile > 0 and low >= outcome.worthwhile else verdict,)
    return "extend", (verdict if not good else "not_enough",)


def _benefit(effect: Effect) -> float:
    return effect.outcome.sign * effect.estimate


def _cost(protocol: Protocol, effect: Effect) -> tuple[float | None, Range | None]:
    """Extra roubles a person, and roubles per additional outcome: extra / effect, at the ends of the interval."""
    if protocol.costs is None or effect.outcome.kind not in {"proportion", "count"} or protocol.estimand != "person":
        return None, None
    extra = protocol.costs.per_person[effect.arm] - protocol.costs.per_person[protocol.design.control]
    low, high = sorted((effect.outcome.sign * effect.low, effect.outcome.sign * effect.high))
    benefit = _benefit(effect)
    if extra <= 0 or not benefit > 0:
        return extra, None
    return extra, Range(
        extra / benefit, extra / high if math.isfinite(high) else 0.0, extra / low if low > 0 else math.inf
    )


def _scaled(protocol: Protocol, effect: Effect) -> Range | None:
    people = protocol.rule.scale_to
    if people is None or effect.outcome.kind in {"ordinal", "ratio"} or protocol.estimand != "person":
        return None
    return Range(people * effect.estimate, people * effect.low, people * effect.high)
