"""The decision table, the cost of an additional client, the effect if scaled."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from kcrr_analysis.experiments import Costs, Design, Outcome, Protocol, Rule
from kcrr_analysis.experiments.analysis import Figure
from kcrr_analysis.experiments.decision import STATES, Range, decide
from kcrr_analysis.experiments.readout import Effect, Verdict
from tests.experiments.made_pilots import by_centre

GOOD = {"difference": ["better"], "not_worse": ["not_worse"], "equivalent": ["equivalent"]}
BAD = {"difference": ["worse"], "not_worse": ["broken"], "equivalent": ["not_equivalent"]}
UNKNOWN = ["unclear", "cannot_tell"]


def effect(
    outcome: Outcome,
    verdict: Any,
    estimate: float = 0.08,
    low: float = 0.04,
    high: float = 0.12,
    arm: str = "treatment",
) -> Effect:
    figure = Figure("метод", estimate, low, high, 0.01)
    return Effect(
        outcome, arm, estimate, low, high, 0.95, 0.01, 0.01, verdict, figure, 0.38, 0.3, (6, 6), (300, 300), (0, 0)
    )


def pilot(*outcomes: Outcome, design: Design | None = None, **fields: Any) -> Protocol:
    return Protocol("p", design or by_centre(), outcomes, **fields)


GUARDS: dict[str, str | None] = {
    "no guardrail": None, "holds": "not_worse", "broken": "broken", "not known": "unclear", "too few": "cannot_tell",
    "not measured": "absent",
}  # fmt: skip

CASES = list(
    itertools.product(
        [(aim, verdict) for aim in GOOD for verdict in [*GOOD[aim], *BAD[aim], *UNKNOWN]],
        GUARDS, (True, False), (True, False), (True, False), (True, False),
    )
)  # fmt: skip


@pytest.mark.parametrize(("primary", "guard", "randomised", "valid", "finished", "crossed"), CASES)
def test_the_decision_table(
    primary: tuple[str, Verdict], guard: str, randomised: bool, valid: bool, finished: bool, crossed: bool
) -> None:  # fmt: skip
    aim, verdict = primary
    main = Outcome("y", aim=aim, margin=None if aim == "difference" else 0.05)  # type: ignore[arg-type]
    watch = Outcome("g", role="guardrail", margin=0.05)
    outcomes = [main] if GUARDS[guard] is None else [main, watch]
    effects = [effect(main, verdict)]
    if GUARDS[guard] not in {None, "absent"}:
        effects.append(effect(watch, GUARDS[guard]))
    method = "complete" if randomised else "not_randomised"
    found = decide(
        pilot(*outcomes, design=by_centre(method=method)), effects, valid=valid, finished=finished, crossed=crossed
    )
    # The same rule said otherwise.
    if guard == "broken" or verdict in BAD[aim]:
        expected = "stop"
    elif verdict in GOOD[aim] and guard in {"no guardrail", "holds"} and randomised and valid:
        expected = "adopt"
    else:
        expected = "extend"
    if not finished and not crossed:
        expected = "extend"
    assert found.action == expected
    assert found.pilot_state == {"adopt": "promoted", "extend": "developed", "stop": "tested"}[expected]
    assert found.pilot_state == STATES[found.action]
    assert ("invalid" in found.reasons) == (not valid)
    assert ("interim" in found.reasons) == (not finished and not crossed)
    assert ("look_stop" in found.reasons) == (not finished and crossed)
    assert ("guardrail_broken" in found.reasons) == (guard == "broken")


@pytest.mark.parametrize(
    ("adopt", "worthwhile", "estimate", "low", "high", "action", "reason"),
    [
        ("better", 0.0, 0.08, 0.04, 0.12, "adopt", "better"),
        ("better", 0.05, 0.08, 0.04, 0.12, "adopt", "better"),
        ("better", 0.05, 0.08, 0.06, 0.12, "adopt", "worthwhile"),
        ("better", 0.05, 0.045, 0.01, 0.08, "extend", "not_enough"),
        ("better", 0.15, 0.08, 0.04, 0.12, "stop", "not_worthwhile"),
        ("worthwhile", 0.05, 0.08, 0.04, 0.12, "extend", "not_enough"),
        ("worthwhile", 0.05, 0.08, 0.05, 0.12, "adopt", "worthwhile"),
        ("worthwhile", 0.0, 0.08, 0.04, 0.12, "adopt", "better"),
    ],
)  # fmt: skip
def test_what_is_worth_having(
    adopt: Any, worthwhile: float, estimate: float, low: float, high: float, action: str, reason: str
) -> None:
    main = Outcome("y", worthwhile=worthwhile)
    found = decide(pilot(main, rule=Rule(adopt)), [effect(main, "better", estimate, low, high)])
    assert (found.action, found.reasons[0]) == (action, reason)
    # The same where less is better.
    less = Outcome("y", worthwhile=worthwhile, better="lower")
    mirrored = decide(pilot(less, rule=Rule(adopt)), [effect(less, "better", -estimate, -high, -low)])
    assert (mirrored.action, mirrored.reasons) == (found.action, found.reasons)


def test_no_effect_worth_having_is_left_stops_without_significance() -> None:
    main = Outcome("y", worthwhile=0.05)
    assert decide(pilot(main), [effect(main, "unclear", 0.0, -0.03, 0.03)]).reasons == ("not_worthwhile", "unclear")
    assert decide(pilot(main), [effect(main, "cannot_tell", 0.0, -math.inf, math.inf)]).action == "extend"


def test_of_several_formats_the_best_of_the_adoptable_is_named() -> None:
    design = by_centre(arms=("control", "a", "b", "c"))
    main, watch = Outcome("y"), Outcome("g", role="guardrail", margin=0.1)
    effects = [
        effect(main, "better", 0.05, arm="a"), effect(main, "better", 0.07, arm="b"),
        effect(main, "better", 0.2, arm="c"),
        effect(watch, "not_worse", arm="a"), effect(watch, "not_worse", arm="b"), effect(watch, "broken", arm="c"),
    ]  # fmt: skip
    found = decide(pilot(main, watch, design=design), effects)
    assert (found.action, found.arm) == ("adopt", "b")
    assert decide(pilot(main, watch, design=design), effects[2:3] + effects[5:]).action == "stop"


def test_an_equivalence_guardrail_that_is_left_is_broken() -> None:
    main, watch = Outcome("y"), Outcome("g", role="guardrail", aim="equivalent", margin=0.1)
    assert decide(pilot(main, watch), [effect(main, "better"), effect(watch, "not_equivalent")]).action == "stop"
    assert decide(pilot(main, watch), [effect(main, "better"), effect(watch, "equivalent")]).action == "adopt"


def test_cost_of_an_additional_client_by_hand() -> None:
    main = Outcome("y")
    costs = Costs({"control": 300, "treatment": 420})
    found = decide(pilot(main, costs=costs), [effect(main, "better")])
    # 120 roubles more for each person, 0.08 (0.04 to 0.12) more of them reach the outcome
    assert found.extra_cost == 120
    assert found.cost == Range(pytest.approx(1500), pytest.approx(1000), pytest.approx(3000))
    unclear = decide(pilot(main, costs=costs), [effect(main, "unclear", 0.04, -0.02, 0.1)]).cost
    assert unclear == Range(pytest.approx(3000), pytest.approx(1200), math.inf)
    unknown = decide(pilot(main, costs=costs), [effect(main, "cannot_tell", 0.04, -math.inf, math.inf)]).cost
    assert unknown == Range(pytest.approx(3000), 0.0, math.inf)
    less = Outcome("y", better="lower")
    avoided = decide(pilot(less, costs=costs), [effect(less, "better", -0.08, -0.12, -0.04)]).cost
    assert avoided == found.cost


def test_without_sense_there_is_no_cost() -> None:
    main, level = Outcome("y"), Outcome("g", "ordinal")
    costs = Costs({"control": 300, "treatment": 420})
    cheaper = Costs({"control": 420, "treatment": 300})
    assert decide(pilot(main), [effect(main, "better")]).cost is None
    assert decide(pilot(main, costs=costs), [effect(main, "worse", -0.08, -0.12, -0.04)]).cost is None
    saved = decide(pilot(main, costs=cheaper), [effect(main, "better")])
    assert (saved.extra_cost, saved.cost) == (-120, None)
    assert decide(pilot(level, costs=costs), [effect(level, "better")]).extra_cost is None


def test_scaled_effect_by_hand() -> None:
    main = Outcome("y")
    found = decide(pilot(main, rule=Rule(scale_to=10_000)), [effect(main, "better")])
    assert found.scaled == Range(pytest.approx(800), pytest.approx(400), pytest.approx(1200))
    assert decide(pilot(main), [effect(main, "better")]).scaled is None
    per_centre = pilot(main, rule=Rule(scale_to=10_000), estimand="centre")
    assert decide(per_centre, [effect(main, "better")]).scaled is None
