"""Persons who meet both arms, and pilots that run over the same units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import interference

ARMS = {"c1": "control", "c2": "control", "t1": "new", "t2": "new", "x": "other"}
START, END = pd.Timestamp("2025-03-01"), pd.Timestamp("2025-03-31")


def visits(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["person_id", "center_id", "time"])
    return frame.assign(time=pd.to_datetime(frame["time"]))


def crowd(control: int, new: int, from_control: int, from_new: int) -> pd.DataFrame:
    rows = [(f"c{k}", "c1", "2025-03-02") for k in range(control)] + [(f"t{k}", "t1", "2025-03-02") for k in range(new)]
    rows += [(f"c{k}", "t2", "2025-03-09") for k in range(from_control)]
    rows += [(f"t{k}", "c2", "2025-03-09") for k in range(from_new)]
    return visits(*rows)


def check(actions: pd.DataFrame, **settings: object):
    return interference.contamination(actions, ARMS, START, END, treated="new", control="control", **settings)


def test_who_crossed_by_hand() -> None:
    found = check(
        visits(
            ("a", "t1", "2025-03-05"), ("a", "c1", "2025-03-02"),  # control first, then new: crossed, rows out of order
            ("b", "c1", "2025-03-02"), ("b", "c2", "2025-03-03"),  # two centres of one arm
            ("c", "t1", "2025-03-02"), ("c", "c1", "2025-04-02"),  # the other arm after the period
            ("d", "t1", "2025-03-02"), ("d", "x", "2025-03-03"),  # a centre outside the comparison
            ("e", "zz", "2025-03-02"),  # no centre of the pilot
        )
    )  # fmt: skip
    rows = found.rows.set_index("arm")
    assert rows["persons"].to_dict() == {"control": 2, "new": 2}
    assert rows["crossed"].to_dict() == {"control": 1, "new": 0}
    assert rows.loc["control", "share"] == 50
    assert found.statistic == pytest.approx(0.5)
    assert found.verdict == "failed"


def test_the_corrected_effect_is_divided_by_what_is_left() -> None:
    found = check(crowd(200, 100, 20, 5), effect=(0.04, -0.01, 0.09))
    # c0 = 0.1, c1 = 0.05: 0.85 of the effect is left
    assert found.statistic == pytest.approx(0.15)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.04 / 0.85, -0.01 / 0.85, 0.09 / 0.85))
    assert found.verdict == "warning"
    assert check(crowd(200, 100, 0, 0)).verdict == "passed"


def test_all_crossed_leaves_no_effect_to_correct() -> None:
    found = check(crowd(20, 20, 20, 20), effect=(0.04, -0.01, 0.09))
    assert np.isnan([found.estimate, found.low, found.high]).all()


def test_few_who_crossed_are_withheld() -> None:
    found = check(crowd(200, 100, 3, 0), effect=(0.04, -0.01, 0.09), rule=Rule())
    assert found.hidden
    assert np.isnan([found.statistic, found.estimate]).all()
    assert found.rows.loc[0, "crossed_hidden"]
    assert np.isnan(found.rows.loc[0, ["crossed", "share"]].astype(float)).all()
    assert found.rows["persons"].tolist() == [200, 100]


def test_contamination_refusals() -> None:
    assert check(visits(("a", "c1", "2025-03-02"))).verdict == "not_checked"
    with pytest.raises(ParameterError, match="time"):
        check(pd.DataFrame({"person_id": ["a"], "center_id": ["c1"]}))
    with pytest.raises(ParameterError, match="центр"):
        interference.contamination(crowd(1, 1, 0, 0), ARMS, START, END, treated="absent", control="control")


UNITS = [f"u{k:02d}" for k in range(12)]


def pilot(code: str, arms: list[str], start: str = "2025-03-01", end: str | None = "2025-06-30", **other: object):
    units = other.pop("units", UNITS)
    return {
        "pilot_id": code, "units": ";".join(units), "assignment": ";".join(arms), "period_start": pd.Timestamp(start),
        "period_end": pd.Timestamp(end) if end else pd.NaT, **other,
    }  # fmt: skip


def look(*pilots: dict[str, object], **settings: object):
    return interference.simultaneous(pd.DataFrame(list(pilots)), "mine", **settings)


HALF = ["a"] * 6 + ["b"] * 6


def test_a_pilot_with_the_same_arms_cannot_be_told_apart() -> None:
    found = look(pilot("mine", HALF), pilot("theirs", ["x"] * 6 + ["y"] * 6))
    assert (found.verdict, found.statistic) == ("failed", pytest.approx(1))
    assert found.p == pytest.approx(2 / 924)
    only = look(pilot("mine", HALF), pilot("theirs", ["x"] * 6, units=UNITS[:6]))
    assert only.verdict == "failed"  # in the other pilot are the units of one arm, and no others


def test_a_pilot_spread_evenly_does_no_harm() -> None:
    found = look(pilot("mine", HALF), pilot("theirs", ["x", "y"] * 6, end=None))
    assert (found.verdict, found.p, found.statistic) == ("passed", pytest.approx(1), pytest.approx(0))
    assert found.rows["units"].tolist() == [3, 3, 3, 3]
    assert found.rows["days"].unique().tolist() == [122]
    assert found.n == 12


def test_pilots_at_other_times_or_places_do_not_count() -> None:
    found = look(
        pilot("mine", HALF),
        pilot("before", HALF, start="2024-01-01", end="2025-02-28"),
        pilot("elsewhere", ["x", "y"], units=["v1", "v2"]),
        {"pilot_id": "empty", "units": None, "assignment": None, "period_start": pd.Timestamp("2025-03-01")},
    )
    assert found.verdict == "passed"
    assert found.rows.empty
    touching = look(pilot("mine", HALF), pilot("before", HALF, start="2024-01-01", end="2025-03-01"))
    assert touching.rows["days"].unique().tolist() == [1]


def test_a_pilot_without_a_date_is_not_passed_over() -> None:
    undated = {"pilot_id": "undated", "units": UNITS[0], "assignment": "x"}
    alone = look(pilot("mine", HALF), undated)
    assert alone.verdict == "not_checked"
    assert "«undated»" in alone.reason
    beside = look(pilot("mine", HALF), pilot("theirs", ["x", "y"] * 6), undated)
    assert (beside.verdict, beside.reason) == ("passed", alone.reason)
    assert look(pilot("mine", HALF), undated | {"units": "elsewhere"}).reason == ""


def test_several_pilots_are_adjusted_together() -> None:
    lean = ["x"] * 5 + ["y"] + ["x"] + ["y"] * 5  # 5 of 6 against 1 of 6: p = 0.08
    one = look(pilot("mine", HALF), pilot("theirs", lean))
    two = look(pilot("mine", HALF), pilot("theirs", lean), pilot("third", ["x", "y"] * 6))
    assert two.p == pytest.approx(2 * one.p)
    assert look(pilot("mine", HALF), pilot("theirs", ["x"] * 12)).p == 1


def test_the_mechanism_may_be_given() -> None:
    allowed = Allowed(np.array([0] * 6 + [1] * 6), np.arange(12) % 6)  # pairs: the i-th of each half
    found = look(pilot("mine", HALF), pilot("theirs", ["x"] * 6 + ["y"] * 6), allowed=allowed)
    assert found.p == pytest.approx(2 / 64)


def test_units_that_are_persons_are_withheld() -> None:
    people = [f"p{k}" for k in range(40)]
    ours = pilot("mine", ["a"] * 20 + ["b"] * 20, units=people, unit="person")
    theirs = pilot("theirs", ["x"] * 3 + ["y"] * 17 + ["x"] * 10 + ["y"] * 10, units=people, unit="person")
    found = look(ours, theirs, rule=Rule())
    assert found.hidden
    assert np.isnan(found.p)
    assert found.rows["units"].isna().all()
    assert found.rows["p"].isna().all()


def test_simultaneous_refusals() -> None:
    with pytest.raises(ParameterError, match="mine"):
        look(pilot("theirs", HALF))
    with pytest.raises(ParameterError, match="единиц 12, а назначений 2"):
        look(pilot("mine", ["a", "b"]))
    with pytest.raises(ParameterError, match="механизме"):
        look(pilot("mine", HALF), allowed=Allowed(np.array([0, 1])))
