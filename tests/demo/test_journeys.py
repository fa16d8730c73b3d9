from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import methodology
from kcrr_analysis.demo import DemoData, Truth


@pytest.fixture(scope="module")
def actions(full: DemoData) -> pd.DataFrame:
    return full.tables["actions"]


def test_first_touch_conversion_within_90_days_is_the_declared_one(actions: pd.DataFrame) -> None:
    """Persons whose window is whole; a conversion after 90 days does not count."""
    first = actions[actions["action"] == "contact"].drop_duplicates("person_id").set_index("person_id")
    window = pd.Timedelta(days=90)
    end = actions["time"].max()
    first = first[first["time"] <= end - window]
    for column, action in (
        ("registration_90", "registration"),
        ("application_90", "application"),
        ("customer_90", "service"),
    ):
        step = actions[actions["action"] == action].drop_duplicates("person_id").set_index("person_id")["time"]
        within = (step.reindex(first.index) - first["time"]) <= window
        rate = within.groupby(first["tool_id"]).agg(["mean", "count"])
        for touch in Truth().first_touches:
            declared = getattr(touch, column)
            error = np.sqrt(declared * (1 - declared) / rate.loc[touch.tool_id, "count"])
            assert abs(rate.loc[touch.tool_id, "mean"] - declared) < 4.5 * error, (touch.tool_id, column)


def test_steps_come_in_order_and_within_the_data(actions: pd.DataFrame) -> None:
    when = actions.drop_duplicates(["person_id", "action"]).pivot(index="person_id", columns="action", values="time")
    assert when["contact"].notna().all()
    for earlier, later in (("contact", "registration"), ("registration", "application"), ("application", "service")):
        both = when.dropna(subset=later)
        assert both[earlier].notna().all(), later
        assert (both[earlier] <= both[later]).all(), later
    assert (
        actions["time"].is_monotonic_increasing or actions.groupby("region_code")["time"].is_monotonic_increasing.all()
    )
    assert actions["time"].min() >= pd.Timestamp("2022-11-01", tz="UTC")
    assert actions["time"].max() < pd.Timestamp("2025-11-01", tz="UTC")


def test_some_apply_late_and_some_return(actions: pd.DataFrame) -> None:
    applied = actions[actions["action"] == "application"]
    first = actions.drop_duplicates("person_id").set_index("person_id")["time"]
    lag = applied["time"] - applied["person_id"].map(first)
    assert (lag > pd.Timedelta(days=90)).any()
    assert applied["person_id"].duplicated().any()


def test_services_are_delivered_only_where_requested_and_eligible(actions: pd.DataFrame) -> None:
    served = actions[actions["action"] == "service"]
    assert served["requested"].all()
    assert served["eligible"].all()
    assert served["service_id"].notna().all()
    asked = actions[actions["action"] == "service_request"]
    assert (~asked["eligible"]).any()
    assert actions.loc[actions["action"] == "contact", "service_id"].isna().all()


def test_event_contacts_stand_on_the_day_of_the_event(full: DemoData, actions: pd.DataFrame) -> None:
    held = full.tables["events"].set_index("event_id")
    rows = actions.dropna(subset="event_id")
    assert len(rows) > 1000
    event = held.loc[rows["event_id"]]
    assert (event["tool_id"].to_numpy() == rows["tool_id"].to_numpy()).all()
    assert (event["center_id"].to_numpy() == rows["center_id"].to_numpy()).all()
    day = rows["time"].dt.tz_localize(None).dt.normalize().to_numpy()
    assert (day == event["date"].to_numpy()).all()


def test_tools_are_of_the_library() -> None:
    assert {touch.tool_id for touch in Truth().first_touches} <= set(methodology.tools())
    for touch in Truth().first_touches:
        assert touch.customer_90 < touch.application_90 < touch.registration_90
