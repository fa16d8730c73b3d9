"""Outcomes after service: known, placement with its lower bound, the groups' own results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import kcrr_analysis as kcrr
from kcrr_analysis import funnel
from tests.funnel.hand_log import actions, counts, row, table, tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


def outcomes(*rows: tuple[str, str, str] | tuple[str, str, str, dict[str, object]]) -> pd.DataFrame:
    return table(
        "outcomes",
        [{"person_id": r[0], "date": r[1], "kind": r[2], **(r[3] if r[3:] else {})} for r in rows],  # type: ignore[misc]
    )


def compute(log: pd.DataFrame, known: pd.DataFrame, **more: object) -> funnel.Measures:
    services = {"services": more.pop("services")} if "services" in more else {}
    return funnel.outcomes(tables(actions=log, outcomes=known, **services), "01", "2025-10", **more)


def test_an_outcome_is_known_from_the_day_of_the_service_to_the_end_of_the_window() -> None:
    people = ("same_day", "edge", "over", "before", "none")
    log = actions(*((person, "2025-01-01 10:00", "service") for person in people), ("recent", "2025-10-01", "service"))
    known = outcomes(
        ("same_day", "2025-01-01", "training"),
        ("edge", "2025-06-30", "work_event"),
        ("over", "2025-07-01", "employment"),
        ("before", "2024-12-31", "employment"),
        ("recent", "2025-10-05", "employment"),
    )
    result = compute(log, known, window=180)
    assert counts(result, "outcome_known_share") == (2, 5)
    assert row(result, "outcome_known_share")["immature"] == 1
    assert row(result, "outcome_known_share")["method"] == "сплошной учёт"


def test_placement_is_a_lower_bound_and_beside_it_stands_the_share_among_the_known() -> None:
    log = actions(*((f"p{n}", "2025-01-01", "application") for n in range(10)), ("recent", "2025-10-01", "application"))
    known = outcomes(
        *((f"p{n}", "2025-02-01", "employment") for n in range(3)),
        ("p0", "2025-03-01", "employment"),
        ("p3", "2025-02-01", "accompanied_placement"),
        ("p4", "2025-02-01", "training"),
        ("recent", "2025-10-02", "employment"),
    )
    result = compute(log, known)
    assert counts(result, "placement") == (4, 10)
    assert counts(result, "placement", "known") == (4, 5)
    assert row(result, "placement")["immature"] == 1
    assert "нижняя граница" in result.definitions["placement", ""].counted
    assert counts(compute(log, known, placed=("employment",)), "placement") == (3, 10)


def test_priority_employers_and_internships_of_the_youth() -> None:
    groups = {"s": "students", "g": "graduates", "b": "broad", "t": "students"}
    log = actions(*((person, "2025-01-01", "service", {"client_group": group}) for person, group in groups.items()))
    known = outcomes(
        ("s", "2025-02-01", "employment", {"priority_employer": True}),
        ("s", "2025-03-01", "employment", {"priority_employer": True}),
        ("g", "2025-02-01", "employment", {"priority_employer": False}),
        ("b", "2025-02-01", "employment", {"priority_employer": True}),
        ("t", "2025-02-01", "employment"),
        ("t", "2025-02-02", "internship"),
        ("b", "2025-02-02", "internship"),
        ("s", "2024-02-02", "internship"),
    )
    result = compute(log, known)
    assert row(result, "priority_placement")["value"] == 2
    assert row(result, "priority_placement", "", "youth")["value"] == 1
    assert counts(result, "priority_placement", "share") == (2, 3)
    assert counts(result, "priority_placement", "share", "youth") == (1, 2)
    assert row(result, "internships", "", "youth")["value"] == 1
    assert row(result, "internships", "", "students")["unit"] == "чел."
    unmarked = compute(log, outcomes(("s", "2025-02-01", "employment")))
    assert "priority_employer" in row(unmarked, "priority_placement", "share")["reason"]


def test_svo_integration_is_of_participants_and_not_of_families() -> None:
    groups = {"p": "svo_participants", "v": "svo_veterans", "d": "donbass_defenders", "f": "svo_family", "b": "broad"}
    log = actions(*((person, "2025-01-01", "application", {"client_group": group}) for person, group in groups.items()))
    known = outcomes(
        ("p", "2025-02-01", "training"),
        ("v", "2025-02-01", "self_employment"),
        ("d", "2025-02-01", "work_event"),
        ("f", "2025-02-01", "employment"),
    )
    result = compute(log, known)
    assert counts(result, "svo_integration", "", "svo") == (2, 3)
    assert counts(result, "svo_integration", "", "svo_veterans") == (1, 1)
    assert "svo_family" not in result.rows.loc[result.rows["measure_id"] == "svo_integration", "level"].tolist()


def test_people_with_disability_work_or_seek_work_at_the_end_of_the_window() -> None:
    own = {"client_group": "disability"}
    people = ("works", "seeks", "early", "after", "none")
    log = actions(
        *((person, "2025-01-01", "application", own) for person in people),
        ("seeks", "2025-05-15", "service_request", own),
        ("early", "2025-02-01", "service", own),
        ("after", "2025-08-01", "application", own),
        ("x", "2025-01-01", "application", {"client_group": "broad"}),
    )
    known = outcomes(
        ("works", "2025-02-01", "accompanied_placement", own), ("early", "2025-02-10", "training", own),
        ("x", "2025-02-01", "accompanied_placement"),
    )  # fmt: skip
    result = compute(log, known, window=180)
    assert counts(result, "labour_market_integration", "", "disability") == (2, 5)
    assert row(result, "accompanied_placement", "", "disability")["value"] == 1
    assert result.definitions["labour_market_integration", ""].special_category


def test_a_career_is_better_only_among_those_whose_outcome_is_known() -> None:
    own = {"client_group": "broad"}
    log = actions(*((person, "2025-01-01", "service", own) for person in ("job", "study", "event", "unknown")))
    known = outcomes(
        ("job", "2025-02-01", "employment"), ("study", "2025-02-01", "training"), ("event", "2025-02-01", "work_event")
    )
    assert counts(compute(log, known), "career_improved", "", "broad") == (2, 3)


def test_psychological_support_is_found_by_the_service_names_or_a_parameter() -> None:
    log = actions(
        ("p", "2025-01-01", "service", {"client_group": "svo_participants", "service_id": "S02"}),
        ("p", "2025-01-02", "service", {"client_group": "svo_participants", "service_id": "S02"}),
        ("f", "2025-01-01", "service", {"client_group": "svo_family", "service_id": "S02"}),
        ("v", "2025-01-01", "service", {"client_group": "svo_veterans", "service_id": "S03"}),
    )
    names = table("services", [{"service_id": "S02", "service_name": "Психологическая поддержка"},
                               {"service_id": "S03", "service_name": "Резюме"}])  # fmt: skip
    empty = outcomes(("p", "2025-02-01", "training"))
    result = compute(log, empty, services=names)
    assert row(result, "psychological_support", "", "svo")["value"] == 1
    assert row(result, "psychological_support", "", "svo_family")["value"] == 1
    chosen = compute(log, empty, services=names, psychological_services=("S03",))
    assert row(chosen, "psychological_support", "", "svo")["value"] == 1
    assert row(chosen, "psychological_support", "", "svo_family")["value"] == 0
    assert "psychological_services" in row(compute(log, empty), "psychological_support")["reason"]


def test_without_the_table_every_measure_has_its_row_and_the_reason() -> None:
    log = actions(("a", "2025-01-01", "service"))
    result = funnel.outcomes(tables(actions=log), "01", "2025-10")
    reasons = result.rows.set_index("measure_id")["reason"]
    assert set(reasons.index) == {
        "outcome_known_share", "placement", "priority_placement", "internships", "svo_integration",
        "labour_market_integration", "accompanied_placement", "career_improved", "psychological_support",
    }  # fmt: skip
    assert (reasons != "").all()


def test_the_demo_knows_six_outcomes_in_ten() -> None:
    """The demo writes an outcome down for 60 % of the served, 5 to 109 days after the last service."""
    data = kcrr.tables.load(DEMO, only=("actions", "outcomes"))
    pooled = {name: data[name].assign(region_code="01") for name in ("actions", "outcomes")}
    result = funnel.outcomes(tables(**pooled), "01", "2025-10", months=36, window=180)
    known = row(result, "outcome_known_share")
    assert known["denominator"] > 2000
    # later services move some outcomes out of the window (at most the 12 % who return); binomial error 4 s.e. = 3.6 %
    error = 4 * np.sqrt(0.6 * 0.4 / known["denominator"])
    assert 0.6 * 0.88 - error < known["value"] / 100 < 0.6 + error
