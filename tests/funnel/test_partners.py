"""Partners: in force on the last day, groups without one, first contacts through a partner."""

from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis import funnel
from kcrr_analysis.errors import MissingTableError
from tests.funnel.hand_log import actions, counts, row, table, tables

PARTNERS = table(
    "partners",
    [
        {"partner_id": "P1", "client_group": "students", "kind": "employer", "partner_name": "Завод"},
        {"partner_id": "P1", "client_group": "broad", "kind": "employer", "partner_name": "Завод"},
        {"partner_id": "P2", "client_group": "youth", "kind": "education", "since": "2025-10-31"},
        {"partner_id": "P3", "client_group": "disability", "kind": "nonprofit", "until": "2025-10-31"},
        {"partner_id": "P4", "client_group": "svo_family", "kind": "employer", "until": "2025-10-30"},
        {"partner_id": "P5", "client_group": "svo_family", "since": "2025-11-01"},
        {"partner_id": "P6", "client_group": "broad", "region_code": "02"},
        {"partner_id": "P7", "client_group": "broad", "kind": "association"},
    ],
)
LOG = actions(
    ("yes", "2025-03-01", "contact", {"partner_id": "P1", "client_group": "students"}),
    ("yes", "2025-03-20", "contact", {"partner_id": "P2"}), ("yes", "2025-05-30", "service"),
    ("late", "2025-03-01", "contact", {"partner_id": "P1", "client_group": "broad"}), ("late", "2025-05-31", "service"),
    ("second", "2025-03-01", "contact"), ("second", "2025-03-02", "contact", {"partner_id": "P1"}),
    ("second", "2025-03-03", "service"),
    ("old", "2024-03-01", "contact", {"partner_id": "P1"}), ("old", "2025-03-01", "service"),
    ("tie", "2025-03-01", "contact", {"partner_id": "P2"}), ("tie", "2025-03-01", "contact", {"partner_id": "P1"}),
    ("recent", "2025-10-01", "contact", {"partner_id": "P1"}), ("recent", "2025-10-02", "service"),
)  # fmt: skip


def compute(own: pd.DataFrame = PARTNERS, log: pd.DataFrame = LOG) -> funnel.Measures:
    return funnel.partners(tables(partners=own, actions=log), "01", "2025-10")


def test_partners_in_force_on_the_last_day_are_counted_once() -> None:
    result = compute()
    assert row(result, "partner_count")["value"] == 4
    assert row(result, "partner_count", "", "employer")["value"] == 1
    assert row(result, "partner_count", "", "nonprofit")["value"] == 1
    assert row(result, "partner_count", "", "media")["value"] == 0
    assert row(result, "partner_count", "", "association")["level_title"] == "association"


def test_the_map_counts_the_partners_of_the_wider_group_and_names_empty_groups() -> None:
    result = compute()
    assert row(result, "partner_group_map")["value"] == 5
    students = row(result, "partner_group_map", "", "students")
    assert students["value"] == 2
    assert row(result, "partner_group_map", "", "students>P1")["level_title"] == "Завод"
    assert row(result, "partner_group_map", "", "graduates")["value"] == 1
    empty = result.rows[result.rows["flags"] == "no_partner"]["level"].tolist()
    assert "svo_family" in empty
    assert "students" not in empty
    assert not {"youth", "svo", "all", "teen_14_17"} & set(result.rows["level"])


def test_a_person_came_through_a_partner_by_the_first_contact_alone() -> None:
    result = compute()
    assert counts(result, "partner_conversion") == (1, 3)
    assert row(result, "partner_conversion")["immature"] == 1
    assert counts(result, "partner_conversion", "", "P1") == (1, 3)
    assert counts(result, "partner_conversion", "", "employer") == (1, 3)
    assert counts(result, "partner_conversion", "", "students") == (1, 1)
    assert "P2" not in set(result.rows["level"])


def test_without_partners_in_the_log_the_reason_stands() -> None:
    bare = compute(log=actions(("a", "2025-03-01", "contact")))
    assert "partner_id" in row(bare, "partner_conversion")["reason"]
    with pytest.raises(MissingTableError, match="partners"):
        funnel.partners(tables(actions=LOG), "01", "2025-10")


def test_a_partner_without_a_region_belongs_to_its_centre() -> None:
    placed = {"P1": "01001", "P2": "02001"}
    same = {"client_group": "broad", "region_code": pd.NA}
    own = table("partners", [{"partner_id": code, "center_id": center, **same} for code, center in placed.items()])
    centers = table("centers", [{"center_id": "01001"}, {"center_id": "02001", "region_code": "02"}])
    result = funnel.partners(tables(partners=own, actions=LOG, centers=centers), "01", "2025-10")
    assert row(result, "partner_count")["value"] == 1
