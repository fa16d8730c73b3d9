"""Small counts of persons behind a readout: hidden with everything that would give them away."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.experiments import Costs, Design, Outcome, Protocol, Readout
from kcrr_analysis.experiments import Rule as Decides
from kcrr_analysis.experiments.withheld import Withheld, reached, withheld

DESIGN = Design(cluster="center_id", arms=("control", "new"), seed=1)
CENTRES = 12


def read(*outcomes: Outcome, **columns: object) -> Readout:
    frame = pd.DataFrame({"center_id": [f"{place:02d}" for place in range(CENTRES)], "n": 50})
    made = DESIGN.assign(frame)
    frame = frame.merge(made.to_frame())
    for name, value in columns.items():
        frame[name] = value(frame) if callable(value) else value
    protocol = Protocol("p", DESIGN, outcomes, costs=Costs({"control": 100, "new": 150}), rule=Decides(scale_to=1000))
    return protocol.analyze(made, frame)


def mostly(frame: pd.DataFrame) -> np.ndarray:
    return np.where(frame["arm"] == "new", 30, 20) + np.arange(CENTRES) % 3


def few(frame: pd.DataFrame) -> np.ndarray:
    """Three persons of the new arm, many of the control."""
    first = (frame["arm"] == "new").cumsum().le(3) & (frame["arm"] == "new")
    return np.where(frame["arm"] == "new", first.astype(int), 10)


def persons(without: dict[str, int], *, answer: str = "y") -> pd.DataFrame:
    """Twenty persons a centre, some of an arm without an outcome."""
    frame = DESIGN.assign(pd.DataFrame({"center_id": [f"{place:02d}" for place in range(CENTRES)]})).to_frame()
    rows = frame.loc[frame.index.repeat(20)].reset_index(drop=True)
    rows[answer] = (np.arange(len(rows)) % 20 < np.where(rows["arm"] == "new", 12, 7)).astype(float)
    for arm, number in without.items():
        rows.loc[rows.index[rows["arm"] == arm][:number], answer] = np.nan
    return rows


def test_without_a_rule_and_without_small_counts_nothing_is_hidden() -> None:
    result = read(Outcome("y", of="n"), y=mostly)
    assert withheld(result).readout is result
    shown = withheld(result, Rule())
    pd.testing.assert_frame_equal(shown.readout.to_frame(), result.to_frame())
    assert not shown.decision_hidden
    assert not shown.to_frame().filter(like="_hidden").any(axis=None)


@pytest.mark.parametrize("rest", [False, True])
def test_three_persons_with_or_without_the_outcome_hide_the_effect_and_what_comes_from_it(rest: bool) -> None:
    result = read(Outcome("y", of="n"), y=lambda frame: 50 - few(frame) if rest else few(frame))
    shown = withheld(result, Rule())
    effect = shown.readout.primary[0]
    hidden = (effect.estimate, effect.low, effect.high, effect.p, effect.p_adjusted, effect.mean, effect.figure.se)
    assert all(map(math.isnan, hidden))
    assert all(math.isnan(one.estimate) and math.isnan(one.p) for one in effect.checks)
    assert effect.control_mean == result.primary[0].control_mean, "the control is large: its own mean tells nothing"
    assert effect.persons == (300, 300)
    assert effect.verdict == result.primary[0].verdict
    decision = shown.readout.decision
    assert decision.action == result.decision.action
    assert shown.decision_hidden
    assert decision.scaled is not None
    assert math.isnan(decision.scaled.estimate)
    if decision.cost is not None:
        assert math.isnan(decision.cost.low)
    frame = shown.to_frame().iloc[0]
    assert frame[["estimate_hidden", "low_hidden", "p_hidden", "mean_hidden"]].all()
    assert not frame["control_mean_hidden"]


def test_an_internal_report_marks_and_keeps_the_figures() -> None:
    result = read(Outcome("y", of="n"), y=few)
    shown = withheld(result, Rule("internal"))
    assert shown.readout.primary[0].estimate == result.primary[0].estimate
    assert shown.marks[0].figures
    assert shown.decision_hidden
    assert shown.readout.decision == result.decision


def test_four_persons_are_small_and_five_are_not_nor_is_nobody() -> None:
    def exactly(number: int) -> Withheld:
        return withheld(
            read(
                Outcome("y", of="n"),
                y=lambda frame: np.where(frame["arm"] == "new", (frame["arm"] == "new").cumsum() <= number, 20),
            ),
            Rule(),
        )

    assert exactly(4).marks[0].figures
    assert not exactly(5).marks[0].figures
    assert not exactly(0).marks[0].figures


def test_a_small_number_of_missing_hides_who_has_the_outcome_too() -> None:
    outcome = Outcome("y")
    result = Protocol("p", DESIGN, [outcome]).analyze(
        DESIGN.assign(pd.DataFrame({"center_id": [f"{place:02d}" for place in range(CENTRES)]})),
        persons({"new": 3, "control": 9}).drop(columns="arm"),
    )
    shown = withheld(result, Rule())
    effect = shown.readout.primary[0]
    assert math.isnan(effect.missing[0])
    assert math.isnan(effect.persons[0]), "assigned less those with the outcome would be the missing"
    assert effect.missing[1] == 9
    assert not math.isnan(effect.estimate), "the effect on those with the outcome tells nothing of the missing"
    assert effect.bounds is not None
    rows = effect.bounds.rows.set_index("scenario")
    assert rows.loc["worst", ["lower", "upper", "low", "high"]].isna().all()
    lost = next(check for check in shown.readout.validity.checks if check.code == "person_attrition")
    assert lost.hidden
    assert math.isnan(lost.p)
    assert lost.rows["missing"].isna().any()
    assert lost.rows["share"].isna().any()


def test_those_who_did_not_reach_stay_in_the_denominator_when_few_are_missing() -> None:
    outcome = Outcome("y", missing="not_reached")
    result = Protocol("p", DESIGN, [outcome]).analyze(
        DESIGN.assign(pd.DataFrame({"center_id": [f"{place:02d}" for place in range(CENTRES)]})),
        persons({"new": 3}).drop(columns="arm"),
    )
    effect = withheld(result, Rule()).readout.primary[0]
    assert effect.persons == (120, 120)
    assert math.isnan(effect.missing[0])
    assert effect.missing[1] == 0
    assert effect.bounds is not None
    rows = effect.bounds.rows.set_index("scenario")
    assert not rows.loc["missing_as_failure", ["lower", "upper"]].isna().any()
    assert rows.loc["observed", ["lower", "upper"]].isna().all()


def test_a_small_group_of_persons_hides_its_recruitment() -> None:
    def tiny(frame: pd.DataFrame) -> np.ndarray:
        return np.where(frame["arm"] == "new", (frame["arm"] == "new").cumsum() <= 3, 50)

    result = read(Outcome("y", kind="mean", of="few"), few=tiny, y=lambda frame: tiny(frame) * 2.0)
    shown = withheld(result, Rule())
    assert shown.marks[0].persons == (True, False)
    recruited = shown.readout.validity.checks[0]
    assert recruited.code == "recruitment"
    assert recruited.hidden
    assert math.isnan(recruited.estimate)
    rows = recruited.rows.set_index("arm")
    assert math.isnan(rows.loc["new", "persons"])
    assert math.isnan(rows.loc["new", "per_cluster"])


def test_looks_of_a_hidden_outcome_keep_their_boundaries_only() -> None:
    design = Design(cluster="center_id", method="stratified", strata="wave", arms=("control", "new"), seed=1)
    frame = pd.DataFrame({"center_id": [f"{place:02d}" for place in range(16)], "wave": [1, 2] * 8, "n": 50})
    made = design.assign(frame)
    frame = frame.merge(made.to_frame()[["center_id", "arm"]])
    frame["y"] = np.where(frame["arm"] == "new", (frame["arm"] == "new").cumsum() <= 3, 20)
    from kcrr_analysis.experiments import Looks

    result = Protocol("p", design, [Outcome("y", of="n")], looks=Looks()).analyze(made, frame)
    shown = withheld(result, Rule())
    assert all(math.isnan(look.p) for look in shown.readout.looks)
    assert [look.nominal for look in shown.readout.looks] == [look.nominal for look in result.looks]


def test_ready_means_of_centres_are_no_persons() -> None:
    result = read(Outcome("y", kind="mean"), y=lambda frame: np.arange(CENTRES) * 0.1 + (frame["arm"] == "new"))
    assert result.primary[0].persons == (6, 6)
    small = withheld(result, Rule(threshold=10))
    assert not small.marks[0].figures
    assert not small.marks[0].persons[0]


def test_what_is_behind_the_means() -> None:
    result = read(Outcome("y", of="n"), Outcome("z", kind="mean", of="n", role="secondary"), y=few, z=few)
    assert reached(result.effects[0]) == (3, 60)
    assert all(map(math.isnan, reached(result.effects[1])))
