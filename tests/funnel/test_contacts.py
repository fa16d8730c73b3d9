"""Contacts by person: the list, attempted, reached, «100 % обзвон», statuses; and the demo's declared truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kcrr_analysis as kcrr
from kcrr_analysis import funnel
from kcrr_analysis.demo.truth import VoiceTruth
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import MissingTableError, ParameterError
from tests.funnel.hand_log import actions, counts, row, table, tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


def contacts(*rows: dict[str, object]) -> pd.DataFrame:
    same = {"time": "2025-03-01", "attempted": True, "reached": False, "channel": "phone", "client_status": "potential"}
    return table("contacts", [{"contact_id": f"k{n}", **same, **one} for n, one in enumerate(rows)])


CALLS = contacts(
    {"person_id": "a", "client_group": "disability"},
    {"person_id": "a", "client_group": "disability", "time": "2025-03-05", "reached": True},
    {"person_id": "a", "client_group": "disability", "time": "2025-03-09", "client_status": "current"},
    {"person_id": "b", "client_group": "disability"},
    {"person_id": "c", "client_group": "broad", "attempted": False},
    {"person_id": "d", "client_group": "broad", "reached": True, "channel": pd.NA, "client_status": "former"},
    {"person_id": "e", "client_group": "broad", "reached": True, "channel": "messenger"},
    {"person_id": "f", "client_group": "broad", "time": "2024-03-01"},
    {"person_id": "g", "client_group": "disability", "client_status": pd.NA, "reached": True},
)


def compute(calls: pd.DataFrame = CALLS, log: pd.DataFrame | None = None, **settings: object) -> funnel.Measures:
    frames = {"contacts": calls} | ({} if log is None else {"actions": log})
    return funnel.contacts(tables(**frames), "01", "2025-10", **settings)


def test_a_person_counts_once_however_many_attempts_there_were() -> None:
    result = compute()
    assert counts(result, "call_attempted_share") == (4, 5)
    assert counts(result, "call_reached_share") == (3, 4)
    assert counts(result, "call_reached_share", "list") == (3, 5)
    assert counts(result, "call_attempted_share", "", "disability") == (3, 3)
    assert counts(result, "call_reached_share", "", "disability") == (2, 3)
    assert counts(result, "call_attempted_share", "", "broad") == (1, 2)


def test_which_channels_are_calls_is_a_parameter() -> None:
    wider = funnel.contacts(tables(contacts=CALLS), "01", "2025-10", calls=("phone", "messenger"))
    assert counts(wider, "call_attempted_share", "", "broad") == (2, 3)


def test_what_counts_a_list_out_has_no_interval_and_being_reached_has_one() -> None:
    result = compute()
    assert row(result, "call_attempted_share")["method"] == "сплошной учёт"
    assert np.isnan(row(result, "call_attempted_share")["low"])
    reached = row(result, "call_reached_share")
    # Wilson's interval of 3/4, by hand: (k + z²/2 ± z·sqrt(k(n-k)/n + z²/4)) / (n + z²)
    z2 = 1.959964**2
    half = (z2 * (3 * 1 / 4 + z2 / 4)) ** 0.5
    assert reached["low"] == pytest.approx(100 * (3 + z2 / 2 - half) / (4 + z2), abs=1e-4)
    assert reached["high"] == pytest.approx(100 * (3 + z2 / 2 + half) / (4 + z2), abs=1e-4)


def test_proactive_contacts_are_of_potential_clients_by_their_first_status() -> None:
    result = compute()
    assert counts(result, "proactive_contact_rate") == (3, 4)
    assert counts(result, "proactive_contact_rate", "", "disability") == (2, 2)


def test_the_support_base_has_statuses_and_needs_a_conversation() -> None:
    result = compute()
    assert counts(result, "supported_share", "", "disability") == (1, 3)
    assert counts(result, "supported_share", "statuses", "potential") == (2, 3)
    unstated = row(result, "supported_share", "statuses", "", kind="status")
    assert (unstated["numerator"], unstated["level_title"]) == (1, "не указано")
    assert result.definitions["supported_share", ""].special_category
    empty = compute(support_group="svo_family")
    assert row(empty, "supported_share", "", "svo_family")["reason"] == "за период таких людей нет"


def test_statuses_of_those_called_and_of_event_participants() -> None:
    log = actions(
        ("p", "2025-02-01", "contact", {"event_id": "E1"}), ("p", "2025-02-02", "application"),
        ("p", "2025-02-03", "contact", {"event_id": "E2"}),
        ("q", "2024-02-01", "service"), ("q", "2025-02-01", "contact", {"event_id": "E1"}),
        ("r", "2025-01-20", "service"), ("r", "2025-02-01", "contact", {"event_id": "E1"}),
        ("s", "2025-02-01", "contact"),
    )  # fmt: skip
    result = compute(log=log, gap=90)
    assert counts(result, "status_mix", "", "potential") == (3, 5)
    assert counts(result, "status_mix", "", "former") == (1, 5)
    assert [counts(result, "status_mix", "events", status) for status in ("potential", "current", "former")] == [
        (1, 3), (1, 3), (1, 3),
    ]  # fmt: skip


def test_a_response_follows_a_conversation_on_a_notice_of_smev() -> None:
    calls = contacts(
        *({"person_id": one, "source": "smev", "reached": True} for one in ("yes", "before", "late", "only_contact")),
        {"person_id": "missed", "source": "smev"},
        {"person_id": "own", "source": "own_base", "reached": True},
        {"person_id": "recent", "source": "smev", "reached": True, "time": "2025-10-01"},
    )
    log = actions(
        ("yes", "2025-04-01", "registration"), ("before", "2025-02-01", "application"),
        ("late", "2025-08-01", "service"),
        ("only_contact", "2025-04-01", "contact"), ("missed", "2025-04-01", "service"),
        ("own", "2025-04-01", "service"),
        ("recent", "2025-10-02", "service"),
    )  # fmt: skip
    result = compute(calls, log, window=90)
    assert counts(result, "proactive_response") == (1, 4)
    assert row(result, "proactive_response")["immature"] == 1


def test_a_refusal_is_counted_only_where_somebody_wrote_it_down() -> None:
    bare = compute()
    assert "недозвон отказом не является" in row(bare, "call_refusal_share")["reason"]
    assert "actions" in row(bare, "proactive_response")["reason"]
    log = actions(("a", "2025-03-05 10:00", "refusal"), ("b", "2025-03-05", "refusal"), ("d", "2025-09-05", "refusal"))
    assert counts(compute(log=log), "call_refusal_share") == (1, 4)


def test_without_statuses_the_reason_stands() -> None:
    calls = CALLS.assign(client_status=pd.array([pd.NA] * len(CALLS), dtype="string"))
    result = compute(calls)
    assert "client_status" in row(result, "proactive_contact_rate")["reason"]
    assert "client_status" in row(result, "status_mix")["reason"]
    assert "event_id" in row(result, "status_mix", "events")["reason"]
    assert counts(result, "supported_share", "", "disability") == (0, 3)


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(MissingTableError, match="contacts"):
        funnel.contacts(tables(), "01", "2025-10")
    with pytest.raises(ParameterError, match="window"):
        compute(window=-1)


@pytest.fixture(scope="module")
def demo() -> funnel.Measures:
    """Everybody that the ten demo regions ever had on a list, as one region."""
    frame = kcrr.tables.load(DEMO, only=("contacts",)).contacts.assign(region_code="01")
    return funnel.contacts(tables(contacts=frame), "01", "2025-10", months=36)


def test_the_declared_truth_of_the_demo_is_found(demo: funnel.Measures) -> None:
    truth = VoiceTruth()
    attempted = row(demo, "call_attempted_share", "", "disability")
    assert attempted["value"] == 100 * truth.disability_attempted
    assert attempted["denominator"] > 500
    # 4 standard errors: a true rate is missed once in 15,000 seeds
    for group, rate in (("disability", truth.disability_reached), ("graduates", truth.other_reached),
                        ("broad", truth.other_reached)):  # fmt: skip
        reached = row(demo, "call_reached_share", "", group)
        error = (rate * (1 - rate) / reached["denominator"]) ** 0.5
        assert abs(reached["value"] / 100 - rate) < 4 * error, group
    other = row(demo, "call_attempted_share", "", "broad")
    error = (truth.other_attempted * (1 - truth.other_attempted) / other["denominator"]) ** 0.5
    assert abs(other["value"] / 100 - truth.other_attempted) < 4 * error


def test_the_disability_base_is_told_apart_from_the_others(demo: funnel.Measures) -> None:
    found = demo.comparisons.set_index(["measure_id", "level"]).loc[("call_reached_share", "disability")]
    assert found["differs"] == 1
    assert found["low"] > 0
    truth = VoiceTruth()
    assert found["low"] < 100 * (truth.disability_reached - truth.other_reached) < found["high"]


def test_small_counts_are_withheld_in_a_public_result() -> None:
    result = compute(rule=Rule())
    shown = result.rows
    assert shown["numerator"].dropna().loc[lambda k: (k > 0) & (k < 5)].empty
    assert shown["denominator"].dropna().loc[lambda n: (n > 0) & (n < 5)].empty
    marked = compute(rule=Rule(mode="internal")).rows
    assert marked["numerator"].notna().sum() == compute().rows["numerator"].notna().sum()
    assert marked["value_hidden"].any()
