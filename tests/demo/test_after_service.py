from __future__ import annotations

import numpy as np

from kcrr_analysis.demo import DemoData, Truth


def test_everybody_of_the_disability_base_is_called_and_not_everybody_reached(full: DemoData) -> None:
    table, truth = full.tables["contacts"], Truth().voices
    base = table[table["client_group"] == "disability"]
    assert base["attempted"].all()
    reached = base.groupby("person_id")["reached"].any()
    error = np.sqrt(truth.disability_reached * (1 - truth.disability_reached) / len(reached))
    assert abs(reached.mean() - truth.disability_reached) < 4 * error
    others = table[table["client_group"] != "disability"].groupby("person_id")["attempted"].any()
    assert abs(others.mean() - truth.other_attempted) < 0.06


def test_reached_means_attempted(full: DemoData) -> None:
    table = full.tables["contacts"]
    assert (table["reached"] <= table["attempted"]).all()
    assert set(table["client_status"]) == {"potential", "current", "former"}


def test_status_is_what_the_person_was_at_the_call(full: DemoData) -> None:
    table, actions = full.tables["contacts"], full.tables["actions"]
    first = table["person_id"].map(actions.groupby("person_id")["time"].min())
    potential = table["client_status"] == "potential"
    assert ((first > table["time"]) | first.isna())[potential].all()
    assert (first <= table["time"])[~potential].all()


def test_outcomes_follow_a_service(full: DemoData) -> None:
    actions, outcomes = full.tables["actions"], full.tables["outcomes"]
    served = actions[actions["action"] == "service"].groupby("person_id")["time"].min().dt.tz_localize(None)
    assert (outcomes["date"] > outcomes["person_id"].map(served)).all()
    moved = outcomes["kind"] == "group_transition"
    assert outcomes.loc[moved, "new_client_group"].notna().all()
    assert outcomes.loc[~moved, "new_client_group"].isna().all()
    assert (outcomes.loc[outcomes["kind"] == "accompanied_placement", "client_group"] == "disability").all()
