"""A pilot from the protocol to the decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments import Costs, Design, Looks, Outcome, Protocol, Readout, Rule
from kcrr_analysis.experiments.randomisation import difference
from kcrr_analysis.tables import load
from tests.experiments.made_pilots import CENTRES, by_centre, clients, read, summed

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = clients(3)
SUMS = summed(PEOPLE)
APPLIED = Outcome("applied", of="clients")
COLUMNS = [
    "outcome", "role", "arm", "control", "estimand", "estimate", "low", "high", "level", "p", "p_adjusted", "verdict",
    "method", "reason", "smallest_p", "assignments", "mean", "control_mean", "relative", "units", "control_units",
    "persons", "control_persons", "missing", "control_missing",
]  # fmt: skip


def codes(readout: Readout) -> list[str]:
    return [one.code for one in readout.deviations]


def same(one: Readout, other: Readout) -> None:
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame(), rtol=1e-9)


# --- the demo's pilot ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_pilot() -> pd.DataFrame:
    """The demo's 60 centres: arm, clients, those who applied."""
    results = load(ROOT / "data" / "demo", only=("pilot_results",)).frames["pilot_results"]
    return results[["center_id", "region_code", "arm", "clients", "applied"]].astype({"clients": int, "applied": int})


DEMO = Protocol(
    "pilot-2025-1",
    Design(cluster="center_id", method="stratified", strata="region_code", arms=("control", "new_format"), seed=5),
    [APPLIED],
    costs=Costs({"control": 300, "new_format": 420}),
    rule=Rule(scale_to=10_000),
)


def test_the_demos_true_effect_is_inside_the_interval(demo_pilot: pd.DataFrame) -> None:
    found = DEMO.analyze(demo_pilot, demo_pilot)
    effect = found.primary[0]
    assert sum(effect.units) == 60
    # data/demo/truth.yaml: the new format adds 0.08
    assert effect.low < 0.08 < effect.high
    assert (effect.verdict, found.decision.action, found.decision.pilot_state) == ("better", "adopt", "promoted")
    assert found.decision.cost is not None
    assert found.decision.cost.estimate == pytest.approx(120 / effect.estimate)
    assert found.validity.verdict == "passed"
    assert codes(found) == ["not_fixed", "not_drawn"]
    assert (
        effect.low
        < min(check.estimate for check in effect.checks)
        <= max(check.estimate for check in effect.checks)
        < effect.high
    )


def test_three_centres_against_three_of_the_demo_cannot_tell(demo_pilot: pd.DataFrame) -> None:
    few = demo_pilot.groupby("arm").head(3)
    found = Protocol("p", by_centre(arms=("control", "new_format")), [APPLIED]).analyze(few, few)
    effect = found.primary[0]
    assert effect.figure.smallest_p == pytest.approx(0.1)
    assert effect.p >= 0.1 - 1e-12
    assert (effect.verdict, effect.low, effect.high) == ("cannot_tell", -np.inf, np.inf)
    assert (found.decision.action, found.decision.reasons) == ("extend", ("cannot_tell",))


# --- what must not matter --------------------------------------------------------------------------------------------

FOUR = by_centre(arms=list("abcd"))
DESIGNS = [
    by_centre(), by_centre(method="stratified", strata="region"), by_centre(method="matched_pairs", balance="size"),
    by_centre(method="rerandomised", balance="size"), by_centre(arms={"a": 0.25, "b": 0.75}), FOUR,
]  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("estimand", ["person", "centre"])
def test_a_row_a_person_equals_a_row_a_centre_with_sums(design: Design, estimand: str) -> None:
    grades = PEOPLE.groupby(["center_id", "grade"]).size().rename("n").reset_index()
    kinds: list[tuple[dict[str, Any], str, pd.DataFrame]] = [
        ({"kind": "proportion", "column": "applied"}, "clients", SUMS),
        ({"kind": "mean", "column": "minutes"}, "clients", SUMS),
        ({"kind": "count", "column": "visits"}, "clients", SUMS),
        ({"kind": "ordinal", "column": "grade"}, "n", grades),
    ]
    for fields, persons, table in kinds:
        one = read(design, PEOPLE, Outcome("y", **fields), estimand=estimand, draws=199)
        same(one, read(design, table, Outcome("y", of=persons, **fields), estimand=estimand, draws=199))
    ratio = Outcome("y", "ratio", "visits", of="asked")
    # A table of sums of a ratio does not hold the number of persons.
    by_person, by_sum = (
        read(design, table, ratio, estimand=estimand, draws=199).to_frame().drop(columns=["persons", "control_persons"])
        for table in (PEOPLE, SUMS)
    )
    pd.testing.assert_frame_equal(by_person, by_sum)


@given(order=st.permutations(range(len(SUMS))))
@settings(max_examples=6, deadline=None)
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    made = by_centre().assign(CENTRES)
    pilot = Protocol("p", by_centre(), [APPLIED])
    same(pilot.analyze(made, SUMS), pilot.analyze(made.to_frame().iloc[order], SUMS.iloc[order]))


@pytest.mark.parametrize(
    "form",
    [
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.astype(str),
        lambda frame: frame.astype("category"),
        lambda frame: frame.set_index(pd.Index([1] * len(frame))),
        lambda frame: frame.set_index(["visits", "minutes"]),
        lambda frame: frame.assign(center_id=frame["center_id"] + " "),
        lambda frame: pd.concat([frame, frame.assign(center_id="99")]),
    ],
)  # fmt: skip
def test_the_form_of_the_table_does_not_matter(form: Any) -> None:
    same(read(by_centre(), SUMS), read(by_centre(), form(SUMS)))


def test_the_frame_has_a_row_an_outcome_and_arm() -> None:
    found = read(FOUR, SUMS, APPLIED, Outcome("visits", "count", of="clients", role="secondary"))
    frame = found.to_frame()
    assert list(frame.columns) == COLUMNS
    assert frame[["outcome", "arm"]].to_numpy().tolist() == [[y, arm] for y in ("applied", "visits") for arm in "bcd"]
    assert (frame["relative"] * frame["control_mean"]).to_numpy() == pytest.approx(frame["estimate"].to_numpy())
    assert frame["estimate"].to_numpy() == pytest.approx((frame["mean"] - frame["control_mean"]).to_numpy())
    level = read(by_centre(), PEOPLE, Outcome("grade", "ordinal"))
    assert np.isnan(level.primary[0].relative)


def test_the_estimands_differ_where_size_matters() -> None:
    # Large centres profit, small ones do not: 2 v 2 of each size would hide it per centre.
    units = pd.DataFrame({"center_id": list("abcdefgh"), "arm": ["control", "treatment"] * 4, "n": [10] * 4 + [90] * 4})
    rows = units.assign(y=[3, 3, 3, 3, 27, 45, 27, 45])
    person, centre = (
        Protocol("p", by_centre(), [Outcome("y", of="n")], estimand=estimand).analyze(units, rows).primary[0]  # type: ignore[arg-type]
        for estimand in ("person", "centre")
    )
    assert person.estimate == pytest.approx(96 / 200 - 60 / 200)
    assert centre.estimate == pytest.approx((0.3 + 0.3 + 0.5 + 0.5) / 4 - 0.3)


# --- verdicts and intervals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["proportion", "ordinal"])
def test_test_interval_and_verdict_agree(kind: str) -> None:
    outcome = Outcome("applied") if kind == "proportion" else Outcome("grade", "ordinal")
    found = set()
    for seed in range(18):
        design = by_centre(seed=seed)
        made = design.assign(CENTRES)
        treated = tuple(made.units["center_id"][made.units["arm"] == "treatment"])
        rows = clients(seed, 0.04 * (seed % 6), treated)
        rows["grade"] += rows["applied"] * (seed % 3) * rows["center_id"].isin(treated)
        effect = Protocol("p", design, [outcome]).analyze(made, rows).primary[0]
        verdict = "better" if effect.low > 0 else "worse" if effect.high < 0 else "unclear"
        assert effect.verdict == verdict
        assert (effect.p <= 0.05) == (verdict != "unclear")
        assert effect.low <= effect.estimate <= effect.high
        found.add(verdict)
    assert {"better", "unclear"} <= found


def test_margins_are_read_from_the_interval() -> None:
    design = by_centre(seed=1)
    made = design.assign(CENTRES)
    plain = Protocol("p", design, [APPLIED]).analyze(made, SUMS).primary[0]
    low, high = plain.low, plain.high
    assert low < 0 < high
    cases = [
        ("not_worse", "higher", -low + 0.01, "not_worse"), ("not_worse", "higher", -low - 0.01, "unclear"),
        ("not_worse", "lower", high + 0.01, "not_worse"), ("not_worse", "lower", high - 0.01, "unclear"),
        ("equivalent", "higher", max(-low, high) + 0.01, "equivalent"),
        ("equivalent", "higher", max(-low, high) - 0.01, "unclear"),
    ]  # fmt: skip
    for aim, better, margin, verdict in cases:
        outcome = Outcome("applied", of="clients", aim=aim, better=better, margin=margin)  # type: ignore[arg-type]
        assert Protocol("p", design, [outcome]).analyze(made, SUMS).primary[0].verdict == verdict
    treated = SUMS["center_id"].isin(made.units["center_id"][made.units["arm"] == "treatment"])
    harm = SUMS.assign(applied=np.where(treated, 0, SUMS["clients"] // (2 + SUMS.index % 2)))
    for aim, verdict in (("not_worse", "broken"), ("equivalent", "not_equivalent")):
        outcome = Outcome("applied", of="clients", aim=aim, margin=0.1)  # type: ignore[arg-type]
        found = Protocol("p", design, [outcome]).analyze(made, harm)
        assert (found.primary[0].verdict, found.decision.action) == (verdict, "stop")


def test_not_worse_is_the_test_of_the_margin() -> None:
    design = by_centre(seed=1)
    made = design.assign(CENTRES)
    reference = difference(SUMS["applied"].to_numpy(float), SUMS["clients"].to_numpy(float), made.allowed)
    for margin in np.linspace(0.01, 0.3, 12):
        outcome = Outcome("applied", of="clients", aim="not_worse", margin=float(margin))
        verdict = Protocol("p", design, [outcome]).analyze(made, SUMS).primary[0].verdict
        refused = reference.p_value(-margin) <= 0.05 and reference.estimate > -margin
        assert (verdict == "not_worse") == refused


def test_several_arms_share_the_error() -> None:
    units = pd.concat([CENTRES.assign(center_id=CENTRES["center_id"] + letter) for letter in "xyz"])
    rows = pd.concat([SUMS.assign(center_id=SUMS["center_id"] + letter) for letter in "xyz"])
    plain = read(FOUR, rows, units=units)
    for effect in plain.primary:
        assert effect.p_adjusted >= effect.p
        assert 0.95 <= effect.level <= 1 - 0.05 / 3 + 1e-9
    holm = read(FOUR, rows, units=units, multiplicity="holm")
    p = sorted(effect.p for effect in holm.primary)
    adjusted = sorted(effect.p_adjusted for effect in holm.primary)
    assert adjusted[0] == pytest.approx(min(3 * p[0], 1))
    assert all(effect.level == pytest.approx(1 - 0.05 / 3) for effect in holm.primary)
    levels = read(FOUR, pd.concat([PEOPLE.assign(center_id=PEOPLE["center_id"] + letter) for letter in "xyz"]),
                  Outcome("grade", "ordinal"), units=units)  # fmt: skip
    assert all(effect.p_adjusted >= effect.p for effect in levels.primary)


def test_secondary_outcomes_are_under_holm_and_guardrails_are_not() -> None:
    found = read(
        by_centre(), SUMS, APPLIED, Outcome("visits", "count", of="clients", role="secondary"),
        Outcome("minutes", "mean", of="clients", role="secondary"),
        Outcome("asked", "count", of="clients", role="guardrail", margin=3),
    )  # fmt: skip
    one, two = found.effects[1:3]
    small, large = sorted((one, two), key=lambda effect: effect.p)
    assert small.p_adjusted == pytest.approx(min(2 * small.p, 1))
    assert large.p_adjusted == pytest.approx(max(large.p, small.p_adjusted))
    assert found.effects[3].p_adjusted == found.effects[3].p
    assert found.effects[3].verdict == "not_worse"
    assert not any(effect.checks for effect in found.effects[1:])


# --- what is missing -------------------------------------------------------------------------------------------------


def test_missing_outcomes_weaken_openly() -> None:
    gaps = PEOPLE.assign(applied=PEOPLE["applied"].where(PEOPLE.index % 5 > 0))
    missing = float(gaps["applied"].isna().sum())
    excluded, funnel = (
        read(by_centre(), gaps, Outcome("applied", missing=missing_as))
        for missing_as in ("excluded", "not_reached")  # type: ignore[arg-type]
    )
    for found, persons in ((excluded, len(gaps) - missing), (funnel, len(gaps))):
        effect = found.primary[0]
        assert sum(effect.persons) == persons
        assert sum(effect.missing) == missing
        assert effect.bounds is not None
        check = {one.code: one for one in found.validity.checks}["person_attrition"]
        # everybody assigned is counted once, whoever has an outcome
        assert check.rows["persons"].sum() == len(gaps)
        assert check.rows["missing"].sum() == missing
    whole = excluded.primary[0].bounds
    other = funnel.primary[0].bounds
    assert whole is not None and other is not None
    pd.testing.assert_frame_equal(whole.rows, other.rows)
    by_name = whole.rows.set_index("scenario")
    assert by_name.loc["observed", "lower"] == pytest.approx(excluded.primary[0].estimate)
    assert by_name.loc["missing_as_failure", "lower"] == pytest.approx(funnel.primary[0].estimate)
    assert read(by_centre(), PEOPLE, Outcome("applied")).primary[0].bounds is None


def test_a_centre_without_its_sum_is_missing_with_its_clients() -> None:
    gaps = SUMS.assign(applied=SUMS["applied"].where(SUMS.index > 1))
    effect = read(by_centre(), gaps).primary[0]
    assert sum(effect.missing) == SUMS["clients"][:2].sum()
    assert sum(effect.units) == 10
    assert effect.bounds is not None


def test_persons_without_a_row_count_in_a_funnel() -> None:
    people = PEOPLE.iloc[:60]
    found = read(Design(), people.iloc[6:], Outcome("applied", missing="not_reached"), units=people)
    effect = found.primary[0]
    assert (sum(effect.persons), sum(effect.missing), sum(effect.units)) == (60, 6, 60)
    assert "units_missing" in codes(found)
    assert [check.code for check in found.validity.checks] == ["sample_ratio", "person_attrition"]


def test_outcomes_beside_the_primary_may_be_missing_and_delay_adoption() -> None:
    guard = Outcome("wait", "mean", role="guardrail", margin=3)
    treated = tuple(by_centre().assign(CENTRES).units.query("arm == 'treatment'")["center_id"])
    good = clients(5, 0.5, treated)
    plain = read(by_centre(), good, Outcome("applied"))
    assert plain.decision.action == "adopt"
    for table in (
        good,
        good.assign(wait=np.nan),
        good.assign(wait=np.where(good["center_id"].isin(treated), 1.0, np.nan)),
    ):
        found = read(by_centre(), table, Outcome("applied"), guard)
        assert "outcome_missing" in codes(found)
        assert len(found.effects) == 1
        assert (found.decision.action, found.decision.reasons[0]) == ("extend", "guardrail_unclear")
    with pytest.raises(ParameterError, match="нет столбца «wait»"):
        read(by_centre(), good, Outcome("wait", "mean"))
    with pytest.raises(ParameterError, match="столбец «wait», 00: «долго» — не число"):
        read(by_centre(), good.assign(wait="долго"), Outcome("applied"), guard)


def test_an_arm_without_outcomes_and_one_centre_an_arm() -> None:
    made = by_centre().assign(CENTRES)
    by_arm = SUMS["center_id"].map(dict(zip(made.ids, made.units["arm"], strict=True)))
    with pytest.raises(ParameterError, match="в группе «treatment» нет ни одной единицы с результатом"):
        read(by_centre(), SUMS[by_arm == "control"])
    one = pd.concat([SUMS[by_arm == "control"], SUMS[by_arm == "treatment"].iloc[:1]])
    with pytest.raises(NotComputableError, match="В группе «treatment» одна единица назначения"):
        read(by_centre(), one)
    titled = Protocol("p", by_centre(), [APPLIED], arm_titles={"treatment": "Новый формат"})
    with pytest.raises(NotComputableError, match="В группе «Новый формат» одна единица"):
        titled.analyze(made, one)
    with pytest.raises(NotComputableError, match="одна единица назначения"):
        read(by_centre(), SUMS, units=CENTRES.iloc[:2])


def test_outcomes_of_nobody_assigned_are_refused() -> None:
    with pytest.raises(ParameterError, match="ни одна строка не относится к назначенным"):
        read(by_centre(), SUMS.assign(center_id=np.arange(100, 112)))


# --- deviations ------------------------------------------------------------------------------------------------------


def test_deviations_are_named(tmp_path: Path) -> None:
    pilot = Protocol("p", by_centre(), [APPLIED])
    made = by_centre().assign(CENTRES)
    fixed = Protocol.load(pilot.save(tmp_path / "p.yaml"))
    assert codes(fixed.analyze(made, SUMS)) == []
    assert codes(fixed.analyze(made.to_frame(), SUMS)) == []
    assert codes(pilot.analyze(made, SUMS)) == ["not_fixed"]
    path = tmp_path / "p.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("alpha: 0.05", "alpha: 0.2"), encoding="utf-8")
    assert codes(Protocol.load(path).analyze(made, SUMS)) == ["altered"]
    assert codes(pilot.analyze(by_centre(seed=9).assign(CENTRES), SUMS)) == ["not_fixed", "not_drawn"]
    early = pilot.analyze(made, SUMS, look=1)
    assert codes(early) == ["not_fixed", "look_unplanned"]
    assert (early.decision.action, early.decision.reasons[0]) == ("extend", "interim")


def test_wrong_calls_are_refused() -> None:
    pilot = Protocol("p", by_centre(), [APPLIED])
    made = by_centre().assign(CENTRES)
    for draws in (0, -5, 1.5, True):
        with pytest.raises(ParameterError, match="draws: "):
            pilot.analyze(made, SUMS, draws=draws)  # type: ignore[arg-type]
    for look in (0, "2", True):
        with pytest.raises(ParameterError, match="look: "):
            pilot.analyze(made, SUMS, look=look)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="не по жребию"):
        Protocol("p", by_centre(method="not_randomised"), [APPLIED]).analyze(made.to_frame(), SUMS)
    with pytest.raises(ParameterError, match="в группе «control» единиц: 4"):
        pilot.analyze(made.to_frame().assign(arm=["control"] * 4 + ["treatment"] * 8), SUMS)


def test_a_pilot_that_fails_its_checks_is_not_adopted() -> None:
    treated = tuple(by_centre().assign(CENTRES).units.query("arm == 'treatment'")["center_id"])
    good = clients(5, 0.5, treated)
    # Two thirds of the control's outcomes are lost, none of the others.
    lost = good["applied"].where(good["center_id"].isin(treated) | (good.index % 3 == 0))
    found = read(by_centre(), good.assign(applied=lost), Outcome("applied"))
    assert found.validity.verdict == "failed"
    assert (found.decision.action, found.decision.reasons[0]) == ("extend", "invalid")


def test_balance_is_checked_where_the_design_names_it() -> None:
    found = read(by_centre(balance=("size", "staff")), SUMS)
    assert [check.code for check in found.validity.checks] == ["recruitment", "center_attrition", "balance"]


# --- looks -----------------------------------------------------------------------------------------------------------

MANY = pd.concat([CENTRES.assign(center_id=CENTRES["center_id"] + letter) for letter in "xyz"], ignore_index=True)
LOOKS = by_centre(method="stratified", strata="wave", balance="size")


def _looked(effect: float, look: int | None, **fields: Any) -> Readout:
    made = LOOKS.assign(MANY)
    treated = tuple(made.units.query("arm == 'treatment'")["center_id"])
    chance = np.random.default_rng(2)
    rows = MANY.assign(n=30)
    rows["applied"] = chance.binomial(30, 0.4 + effect * rows["center_id"].isin(treated))
    done = rows if look is None else rows[rows["wave"] <= look]
    outcomes = [Outcome("applied", of="n"), Outcome("times", "count", "applied", of="n", role="secondary")]
    return Protocol("p", LOOKS, outcomes, looks=Looks(), **fields).analyze(made, done, look=look)


def test_an_early_look_without_an_effect_goes_on() -> None:
    found = _looked(0.0, 1)
    assert "units_missing" not in codes(found)
    assert len(found.looks) == 1
    assert found.looks[0].share == pytest.approx(1 / 3)
    assert (found.decision.action, found.decision.reasons[0]) == ("extend", "interim")
    assert sum(found.primary[0].units) == 12
    assert found.primary[0].level > 0.99
    assert {check.code: check.n for check in found.validity.checks}["center_attrition"] == 12


def test_a_large_effect_stops_at_a_look() -> None:
    found = _looked(0.4, 2)
    assert found.looks[-1].crossed
    assert found.primary[0].verdict == "better"
    assert found.decision.reasons[0] == "look_stop"
    assert found.decision.action == "adopt"


def test_the_last_look_is_the_end() -> None:
    found = _looked(0.0, None)
    assert len(found.looks) == 3
    assert found.looks[-1].spent == pytest.approx(0.05)
    assert found.primary[0].verdict == "unclear"
    assert "interim" not in found.decision.reasons
    same(found, _looked(0.0, 3))
    with pytest.raises(ParameterError, match="Просмотр 4: в протоколе волн 3"):
        _looked(0.0, 4)


def test_data_of_later_waves_do_not_reach_an_early_look() -> None:
    made = LOOKS.assign(MANY)
    rows = MANY.assign(n=30, applied=12)
    rows["applied"] += np.arange(len(rows)) % 7
    pilot = Protocol("p", LOOKS, [Outcome("applied", of="n")], looks=Looks())
    later = rows.assign(applied=rows["applied"].where(rows["wave"] == 1, 0))
    same(pilot.analyze(made, rows, look=1), pilot.analyze(made, later, look=1))


# --- methods in time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "design",
    [
        by_centre(method="stepped_wedge", waves=3),
        by_centre(method="crossover", block=2),
        by_centre(method="switchback", block=2),
    ],
)  # fmt: skip
def test_periods_of_every_form_and_cells_without_data(design: Design) -> None:
    rows = CENTRES[["center_id", "size"]].merge(pd.DataFrame({"month": range(5, 13)}), how="cross")
    rows["n"] = rows["size"].astype(int)
    rows["applied"] = np.random.default_rng(4).binomial(rows["n"], 0.4)
    made = design.assign(rows)
    pilot = Protocol("p", design, [Outcome("applied", of="n")])
    plain = pilot.analyze(made, rows, draws=199)
    for month in (
        rows["month"].astype(str),
        "2025-" + rows["month"].astype(str).str.zfill(2),
        rows["month"].astype("Int64"),
    ):
        same(plain, pilot.analyze(made, rows.assign(month=month).sample(frac=1, random_state=1), draws=199))
    assert plain.validity.verdict == "not_checked"
    hole = (rows["month"] == 7) & (rows["center_id"] < "04")
    empty = pilot.analyze(made, rows.assign(applied=rows["applied"].where(~hole)), draws=199).primary[0]
    absent = pilot.analyze(made, rows[~hole], draws=199).primary[0]
    assert (empty.estimate, empty.low, empty.p) == pytest.approx((absent.estimate, absent.low, absent.p))
    for broken, said in (
        (rows[rows["month"] != 7], "между 6 и 8 в данных пропущены"),
        (rows.assign(month=rows["month"].where(rows.index > 0)), "не заполнен"),
        (rows.drop(columns="month"), "нет столбца «month»"),
    ):
        with pytest.raises(ParameterError, match=said):
            pilot.analyze(made, broken)
    assert plain.primary[0].persons[0] + plain.primary[0].persons[1] == rows["n"].sum()


def test_a_wedge_with_too_few_periods_is_refused() -> None:
    design = by_centre(method="stepped_wedge", waves=3)
    rows = SUMS.merge(pd.DataFrame({"month": range(3)}), how="cross")
    with pytest.raises(ParameterError, match="Нужно не меньше 4"):
        read(design, rows)


def test_means_in_the_place_of_sums_are_suspected() -> None:
    """A centre's mean wait of 15 minutes over its 100 clients reads as 0.15: under the margin of 3."""
    protocol = Protocol(
        "p",
        by_centre(seed=2),
        [APPLIED, Outcome("wait", kind="mean", of="n", role="guardrail", margin=3, better="lower", title="Ожидание")],
    )
    rows = SUMS.assign(n=100, wait=np.linspace(14, 16, len(SUMS)))
    made = protocol.design.assign(CENTRES)
    found = protocol.analyze(made, rows)
    (said,) = [deviation.text for deviation in found.deviations if deviation.code == "sums_expected"]
    assert "«Ожидание»" in said
    right = protocol.analyze(made, rows.assign(wait=rows["wait"] * 100))
    assert "sums_expected" not in [deviation.code for deviation in right.deviations]
