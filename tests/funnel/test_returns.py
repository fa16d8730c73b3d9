"""Returns: gap, work event, another service, re-engagement, transitions, notifications, each counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import funnel
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.funnel import client_status
from kcrr_analysis.funnel.person_log import DAY, read
from tests.funnel.hand_log import actions, counts, row, table, tables


def outcomes(*rows: tuple[str, str, str], **more: object) -> pd.DataFrame:
    return table("outcomes", [{"person_id": p, "date": day, "kind": kind, **more} for p, day, kind in rows])


def compute(log: pd.DataFrame, *, month: str = "2025-10", **frames: object) -> funnel.Measures:
    given = {name: frames.pop(name) for name in ("outcomes", "contacts") if name in frames}
    return funnel.returns(tables(actions=log, **given), "01", month, **frames)


def test_a_return_after_a_work_event_is_a_new_application_of_a_former_client() -> None:
    log = actions(
        ("yes", "2024-06-01", "service"), ("yes", "2025-03-10", "application"), ("yes", "2025-03-20", "application"),
        ("same_day", "2024-06-01", "service"), ("same_day", "2025-03-01 06:00", "application"),
        ("visit", "2024-06-01", "service"), ("visit", "2025-03-10", "service"), ("visit", "2025-03-10", "contact"),
        ("late", "2024-06-01", "service"), ("late", "2025-09-10", "application"),
        ("stranger", "2025-03-10", "application"),
        ("recent", "2024-06-01", "service"), ("recent", "2025-10-10", "application"),
        ("other", "2024-06-01", "service"), ("other", "2025-03-10", "application"),
    )  # fmt: skip
    events = outcomes(
        *((person, "2025-03-01", "work_event") for person in ("yes", "same_day", "visit", "late", "stranger")),
        ("yes", "2025-04-01", "work_event"),
        ("recent", "2025-10-01", "work_event"),
        ("other", "2025-03-01", "employment"),
    )
    result = compute(log, outcomes=events, window=180)
    assert counts(result, "return_rate") == (2, 4)
    assert row(result, "return_rate")["immature"] == 1
    widened = compute(log, outcomes=events, window=180, work_events=("work_event", "employment"))
    assert counts(widened, "return_rate") == (3, 5)


def test_a_person_is_former_once_the_gap_is_full_and_the_window_starts_then() -> None:
    # 2024-11-01 + 90 days is 2025-01-30; the window of 60 days ends on 2025-03-31
    log = actions(
        ("yes", "2024-11-01", "service"), ("yes", "2025-02-15", "application"),
        ("contact", "2024-11-01", "service"), ("contact", "2025-02-15", "contact"),
        ("edge", "2024-11-01 10:00", "service"), ("edge", "2025-03-31 10:00", "application"),
        ("over", "2024-11-01 10:00", "service"), ("over", "2025-03-31 10:01", "application"),
        ("busy", "2024-11-01", "service"), ("busy", "2025-01-20", "contact"), ("busy", "2025-02-15", "application"),
        ("unserved", "2024-11-01", "application"), ("unserved", "2025-02-15", "application"),
        ("recent", "2025-07-01", "service"),
        ("not_yet", "2025-10-01", "service"),
    )  # fmt: skip
    result = compute(log, gap=90, window=60)
    # busy has a pause too: after the application of 2025-02-15
    assert counts(result, "return_rate", "gap") == (2, 5)
    assert row(result, "return_rate", "gap")["immature"] == 1
    assert row(result, "return_rate", "gap")["title"] == "Возврат после перерыва 90 дней"


def test_somebody_with_two_pauses_counts_once_by_the_first_of_the_period() -> None:
    log = actions(
        ("a", "2024-01-01", "service"), ("a", "2024-12-01", "contact"), ("a", "2025-05-01", "application"),
        ("a", "2025-10-30", "contact"),
    )  # fmt: skip
    assert counts(compute(log, gap=90, window=90), "return_rate", "gap") == (1, 1)


def test_another_service_needs_a_new_application_first() -> None:
    first, asked = ("2025-01-01", "service", "S1"), ("2025-02-01", "application", "")
    histories = {
        "yes": (first, asked, ("2025-02-05", "service", "S2")),
        "same": (first, asked, ("2025-02-05", "service", "S1")),
        "no_request": (first, ("2025-02-05", "service", "S2")),
        "had": (("2024-01-01", "service", "S2"), first, asked, ("2025-02-05", "service", "S2")),
        "late": (first, asked, ("2025-08-05", "service", "S2")),
        "recent": (("2025-10-01", "service", "S1"),),
    }
    log = actions(
        *(
            (person, day, action, {"service_id": code} if code else {})
            for person, steps in histories.items()
            for day, action, code in steps
        )
    )
    result = compute(log, window=180)
    assert counts(result, "additional_service_return") == (1, 5)
    assert row(result, "additional_service_return")["immature"] == 1
    uncoded = compute(actions(("a", "2025-01-01", "service")))
    assert "код сервиса" in row(uncoded, "additional_service_return")["reason"]


def contacts(*rows: tuple[str, str, str | None, bool], **more: object) -> pd.DataFrame:
    return table(
        "contacts",
        [
            {
                "contact_id": f"k{n}",
                "person_id": p,
                "time": at,
                "client_status": status,
                "attempted": True,
                "reached": ok,
            }
            for n, (p, at, status, ok) in enumerate(rows)
        ],
        **more,
    )


def test_reengagement_is_of_former_clients_who_were_reached() -> None:
    log = actions(
        ("yes", "2024-01-01", "service"), ("yes", "2025-02-10", "application"),
        ("earlier", "2024-01-01", "service"), ("earlier", "2025-01-10", "application"),
        ("missed", "2024-01-01", "service"), ("missed", "2025-02-10", "application"),
        ("current", "2025-01-01", "service"), ("current", "2025-02-10", "application"),
        ("derived", "2024-01-01", "service"), ("derived", "2025-02-10", "application"),
        ("recent", "2024-01-01", "service"),
    )  # fmt: skip
    calls = contacts(
        ("yes", "2025-02-01", "former", True),
        ("earlier", "2025-02-01", "former", True),
        ("missed", "2025-02-01", "former", False),
        ("current", "2025-02-01", "current", True),
        ("derived", "2025-02-01", None, True),
        ("recent", "2025-10-01", "former", True),
    )
    result = compute(log, contacts=calls, window=90)
    assert counts(result, "reengagement_rate") == (2, 3)
    assert row(result, "reengagement_rate")["immature"] == 1


def test_the_status_is_derived_from_what_happened_strictly_before() -> None:
    log = read(
        tables(
            actions=actions(
                ("a", "2025-01-01", "contact"), ("a", "2025-01-10", "application"), ("a", "2025-01-20", "service"),
                ("a", "2025-02-01", "contact"),
            )
        ),
        "01", "2025-10", months=12,
    )  # fmt: skip
    day = [pd.Timestamp(text).value for text in ("2025-01-10", "2025-01-11", "2025-01-20", "2025-02-01", "2025-05-03")]
    moments = np.array(day) + 3 * 3600 * 10**9  # Moscow is three hours ahead of the log's UTC
    told = client_status.derived(log, np.zeros(5, dtype=np.int64), moments, 91)
    assert told.tolist() == ["potential", "current", "current", "current", "former"]
    assert client_status.derived(log, np.array([0]), moments[-1:], 92).tolist() == ["current"]
    assert DAY == 86_400 * 10**9


def test_transitions_are_counted_by_person_and_followed() -> None:
    moves = table(
        "outcomes",
        [
            {"person_id": person, "date": day, "kind": "group_transition", "client_group": old, "new_client_group": new}
            for person, day, old, new in (
                ("a", "2025-02-01", "school", "students"),
                ("a", "2025-03-01", "students", "graduates"),
                ("b", "2025-02-01", "school", "students"),
                ("c", "2025-02-01", "students", "graduates"),
                ("d", "2025-02-01", "students", "students"),
                ("e", "2025-10-01", "students", "graduates"),
                ("f", "2024-02-01", "students", "graduates"),
            )
        ],
    )
    log = actions(("a", "2025-02-10", "application"), ("c", "2025-09-10", "application"))
    calls = contacts(("a", "2025-02-05", "former", True), ("b", "2025-02-05", "former", False))
    result = compute(log, outcomes=moves, contacts=calls, window=180)
    assert row(result, "group_transitions")["value"] == 4
    assert row(result, "group_transitions", "", "school>students")["value"] == 2
    assert row(result, "group_transitions", "", "school>students")["level_title"] == "Школьники → Студенты"
    assert counts(result, "group_transitions", "contacted") == (1, 3)
    assert counts(result, "group_transitions", "returned") == (1, 3)
    assert row(result, "group_transitions", "returned")["immature"] == 1


def test_notifications_by_source_are_of_recorded_events() -> None:
    people = [f"p{n}" for n in range(4)]
    log = actions(*((person, "2024-06-01", "service") for person in people), ("q", "2025-06-01", "contact"))
    events = outcomes(*((person, "2025-02-01", "work_event") for person in people))
    calls = contacts(
        ("p0", "2025-02-05", "former", False), ("p1", "2025-02-05", "former", True),
        ("p1", "2025-02-06", "former", True),
        ("p2", "2025-01-05", "former", True), ("p3", "2025-09-05", "former", True),
    )  # fmt: skip
    calls["source"] = pd.array(["own_base", "own_base", "partner", "smev", "smev"], dtype="string")
    result = compute(log, outcomes=events, contacts=calls, window=180)
    assert counts(result, "event_notification_coverage") == (2, 4)
    assert counts(result, "event_notification_coverage", "", "own") == (2, 4)
    assert counts(result, "event_notification_coverage", "", "partner") == (1, 4)
    assert counts(result, "event_notification_coverage", "", "agency") == (0, 4)
    assert row(result, "event_notification_coverage")["method"] == "сплошной учёт"


def test_what_the_tables_do_not_tell_has_a_reason() -> None:
    log = actions(("a", "2025-01-01", "service"))
    bare = compute(log)
    for measure in ("return_rate", "group_transitions", "event_notification_coverage"):
        assert "outcomes" in row(bare, measure)["reason"]
    assert "contacts" in row(bare, "reengagement_rate")["reason"]
    events = outcomes(("a", "2025-02-01", "work_event"))
    with_outcomes = compute(log, outcomes=events)
    assert "contacts" in row(with_outcomes, "event_notification_coverage")["reason"]
    assert "contacts" in row(with_outcomes, "group_transitions", "contacted")["reason"]
    unripe = compute(actions(("a", "2025-07-05", "service")), window=180)
    assert row(unripe, "return_rate", "gap")["reason"] == "срок наблюдения ещё ни у кого не прошёл"
    with pytest.raises(ParameterError, match="gap"):
        compute(log, gap=0)
