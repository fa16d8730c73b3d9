"""Measures of service: each definition on a log small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import funnel
from kcrr_analysis.errors import MissingTableError, NotComputableError, ParameterError
from tests.funnel.hand_log import actions, counts, row, table, tables

ASKED = {"requested": True, "eligible": True}


def compute(log: pd.DataFrame, month: str = "2025-10", **settings: object) -> funnel.Measures:
    return funnel.clients(tables(actions=log), "01", month, **settings)


def service(person: str, day: str, code: str = "S1", **more: object) -> tuple:
    return (person, day, "service", ASKED | {"service_id": code} | more)


def test_services_are_counted_only_where_requested_and_eligible() -> None:
    result = compute(
        actions(
            service("a", "2025-10-01"),
            service("a", "2025-10-02", "S2"),
            service("a", "2025-10-03", "S2"),
            service("b", "2025-10-01"),
            service("b", "2025-10-05", "S2", eligible=False),
            service("b", "2025-10-06", "S3", requested=False),
            service("c", "2025-10-01", requested=pd.NA),
            ("b", "2025-10-07", "service_request", ASKED),
        )
    )
    assert counts(result, "services_per_client", "all") == (4, 2)
    assert row(result, "services_per_client", "all")["value"] == 2
    assert counts(result, "services_per_client", "different") == (3, 2)
    assert counts(result, "services_per_client", "distribution", "1") == (1, 2)
    assert counts(result, "services_per_client", "distribution", "2") == (0, 2)
    assert counts(result, "services_per_client", "distribution", "3+") == (1, 2)


def test_the_mean_number_of_services_has_an_interval_over_persons_and_none_for_a_few() -> None:
    rows = [service(f"p{n}", f"2025-10-{1 + k:02d}", f"S{k}") for n in range(40) for k in range(1 + n % 3)]
    mean = row(compute(actions(*rows)), "services_per_client", "all")
    values = np.array([1 + n % 3 for n in range(40)])
    error = values.std(ddof=1) / 40**0.5
    assert mean["value"] == pytest.approx(values.mean())
    assert mean["n"] == 40
    # 2.02 is Student's 97.5 % quantile with 39 degrees of freedom; the limits are on the log scale
    assert (mean["low"], mean["high"]) == pytest.approx(
        (mean["value"] * np.exp(-2.02 * error / mean["value"]), mean["value"] * np.exp(2.02 * error / mean["value"])),
        rel=0.02,
    )
    few = row(compute(actions(*rows[:10])), "services_per_client", "all")
    assert np.isnan(few["low"])
    assert few["method"] == "интервала нет: меньше 10 человек"


def test_without_flags_or_codes_the_reason_stands_instead_of_a_figure() -> None:
    bare = compute(actions(("a", "2025-10-01", "service")))
    assert "requested" in row(bare, "services_per_client", "all")["reason"]
    assert "канал" in row(bare, "remote_delivery_share")["reason"]
    assert "individual_support" in row(bare, "path_completion", "supported")["reason"]
    assert "outcomes" in row(bare, "repeat_share", "extended")["reason"]
    uncoded = compute(actions(("a", "2025-10-01", "service", ASKED)))
    assert "код сервиса" in row(uncoded, "services_per_client", "different")["reason"]


def test_a_repeat_is_the_same_service_again_within_the_window() -> None:
    result = compute(
        actions(
            service("again", "2025-05-01"), service("again", "2025-06-01"),
            service("other", "2025-05-01"), service("other", "2025-06-01", "S2"),
            service("late", "2025-05-01"), service("late", "2025-09-01"),
            service("recent", "2025-10-01"), service("recent", "2025-10-05"),
        ),
        window=90,
    )  # fmt: skip
    assert counts(result, "repeat_share", "iterations") == (1, 3)
    assert row(result, "repeat_share", "iterations")["immature"] == 1


def test_a_short_track_is_extended_only_after_it_ended_without_a_result() -> None:
    log = actions(
        service("extended", "2025-05-01"), service("extended", "2025-07-01"),
        service("stopped", "2025-05-01"),
        service("long", "2025-05-01"), service("long", "2025-05-20"), service("long", "2025-07-01"),
        service("placed", "2025-05-01"), service("placed", "2025-07-01"),
        service("moved", "2025-05-01"),
        service("recent", "2025-08-01"),
    )  # fmt: skip
    known = table(
        "outcomes",
        [
            {"person_id": "placed", "date": "2025-05-15", "kind": "employment"},
            {"person_id": "moved", "date": "2025-05-15", "kind": "work_event"},
            {"person_id": "stopped", "date": "2025-06-15", "kind": "employment"},
        ],
    )
    result = funnel.clients(tables(actions=log, outcomes=known), "01", "2025-10", window=90, track=30)
    # extended, stopped and moved had no result within 30 days; recent needs 120 days
    assert counts(result, "repeat_share", "extended") == (1, 3)
    assert row(result, "repeat_share", "extended")["immature"] == 1


def test_remote_delivery_is_a_share_of_services_with_persons_as_the_independent_units() -> None:
    rows = []
    for n in range(20):
        rows += [
            (f"p{n}", f"2025-10-{1 + k:02d}", "service", {"channel": "online" if k < n % 3 else "office"})
            for k in range(3)
        ]
    rows.append(("q", "2025-10-01", "service"))
    share = row(compute(actions(*rows)), "remote_delivery_share")
    away = np.array([n % 3 for n in range(20)])
    assert (share["numerator"], share["denominator"], share["n"]) == (away.sum(), 60, 20)
    assert share["value"] == pytest.approx(100 * away.sum() / 60)
    # as wide as the persons make it: 20 clusters of equal size
    error = 100 * (away / 3).std(ddof=1) / 20**0.5
    assert share["high"] - share["low"] == pytest.approx(2 * 2.09 * error, rel=0.15)
    assert 0 <= share["low"] < share["value"] < share["high"] <= 100


def test_a_large_remote_share_stays_below_a_hundred() -> None:
    rows = [(f"p{n}", f"2025-10-0{k}", "service", {"channel": "office" if n == k == 1 else "online"})
            for n in range(15) for k in (1, 2)]  # fmt: skip
    share = row(compute(actions(*rows)), "remote_delivery_share")
    assert share["value"] == pytest.approx(100 * 29 / 30)
    assert share["low"] < share["value"] < share["high"] <= 100


def test_a_trial_counts_once_and_only_before_any_application() -> None:
    trial = {"tool_id": "trial_service"}
    result = compute(
        actions(
            ("yes", "2025-03-01", "contact", trial), ("yes", "2025-03-20", "application"),
            ("yes", "2025-04-01", "contact", trial),
            ("late", "2025-03-01", "contact", trial), ("late", "2025-08-01", "application"),
            ("before", "2025-02-01", "application"), ("before", "2025-03-01", "contact", trial),
            ("before", "2025-03-02", "application"),
            ("recent", "2025-10-01", "contact", trial), ("recent", "2025-10-02", "application"),
        ),
        window=90,
    )  # fmt: skip
    assert counts(result, "trial_application_rate") == (1, 2)
    assert row(result, "trial_application_rate")["immature"] == 1


def test_the_path_is_ordered_and_ends_with_its_window() -> None:
    result = compute(
        actions(
            ("all", "2025-01-01", "contact"), ("all", "2025-01-01", "registration"),
            ("all", "2025-01-02", "application"), ("all", "2025-01-03", "service"),
            ("skips", "2025-01-01", "contact"), ("skips", "2025-01-02", "application"),
            ("slow", "2025-01-01", "contact"), ("slow", "2025-01-02", "registration"),
            ("slow", "2025-04-02", "application"),
            ("reversed", "2025-01-03", "contact"), ("reversed", "2025-01-02", "registration"),
            ("known", "2024-10-01", "contact"), ("known", "2025-01-02", "registration"),
            ("recent", "2025-10-01", "contact"),
        ),
        window=90,
    )  # fmt: skip
    assert counts(result, "path_completion", "", "registration") == (2, 4)
    assert counts(result, "path_completion", "", "application") == (1, 2)
    assert counts(result, "path_completion", "", "service") == (1, 1)
    assert counts(result, "path_completion", "whole") == (1, 4)
    assert row(result, "path_completion", "whole")["immature"] == 1


def test_supported_persons_are_shown_apart_where_support_is_recorded() -> None:
    result = compute(
        actions(
            ("a", "2025-01-01", "contact", {"tool_id": "individual_support"}), ("a", "2025-01-02", "registration"),
            ("a", "2025-01-03", "application"), ("a", "2025-01-04", "service"),
            ("b", "2025-01-01", "contact"),
        )
    )  # fmt: skip
    assert counts(result, "path_completion", "supported") == (1, 1)
    assert counts(result, "path_completion", "whole") == (1, 2)


@pytest.mark.parametrize(
    ("measure", "tool", "done"),
    [
        ("inbound_conversion", "inbound_request", "service_request"),
        ("supported_applications", "application_support", "registration"),
    ],
)
def test_what_follows_a_tool_counts_within_the_window_of_the_first_meeting(measure: str, tool: str, done: str) -> None:
    met = {"tool_id": tool}
    result = compute(
        actions(
            ("yes", "2025-03-01", "contact", met), ("yes", "2025-04-01", "contact", met), ("yes", "2025-05-30", done),
            ("late", "2025-03-01", "contact", met), ("late", "2025-04-01", "contact", met),
            ("late", "2025-05-31", done),
            ("before", "2025-03-01", done), ("before", "2025-03-02", "contact", met),
            ("recent", "2025-10-01", "contact", met), ("recent", "2025-10-02", done),
            ("other", "2025-03-01", "contact"), ("other", "2025-03-02", done),
        ),
        window=90,
    )  # fmt: skip
    assert counts(result, measure) == (1, 3)
    assert row(result, measure)["immature"] == 1


def test_chat_activity_is_of_those_who_came_before_the_reporting_month() -> None:
    chat = {"tool_id": "group_chat"}
    result = compute(
        actions(
            ("stays", "2025-03-01", "contact", chat), ("stays", "2025-10-02", "contact", chat),
            ("stays", "2025-10-03", "contact", chat),
            ("gone", "2025-03-01", "contact", chat), ("gone", "2025-10-02", "contact"),
            ("new", "2025-10-02", "contact", chat),
            ("old", "2024-10-02", "contact", chat),
        )
    )  # fmt: skip
    assert counts(result, "chat_activity", "", "group_chat") == (1, 2)
    assert row(result, "chat_activity", "", "svo_club")["reason"] == "действий с этим инструментом в периоде нет"


def test_a_person_is_of_the_group_of_the_first_action_in_the_period() -> None:
    result = compute(
        actions(
            service("a", "2024-10-01", client_group="school"),
            service("a", "2024-11-01", client_group="students"),
            service("a", "2025-01-01", client_group="graduates"),
        )
    )
    groups = result.rows[(result.rows["kind"] == "client_group") & (result.rows["variant"] == "all")]
    assert groups["level"].tolist() == ["students"]
    assert counts(result, "services_per_client", "all") == (2, 1)


def test_what_cannot_be_used_is_refused() -> None:
    log = actions(("a", "2025-10-01", "contact"))
    with pytest.raises(ParameterError, match="window"):
        compute(log, window=0)
    with pytest.raises(ParameterError, match="path"):
        compute(log, path=("contact",))
    with pytest.raises(ParameterError, match="months"):
        compute(log, months=0)
    with pytest.raises(NotComputableError, match="за период"):
        compute(log, month="2024-10")
    with pytest.raises(NotComputableError, match="нет строк региона 02"):
        funnel.clients(tables(actions=log), "02")
    with pytest.raises(MissingTableError, match="actions"):
        funnel.clients(tables(), "01", "2025-10")
    assert str(funnel.clients(tables(actions=log), "01").month) == "2025-10"
