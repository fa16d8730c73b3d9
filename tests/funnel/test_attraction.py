"""New clients by channel and per employee of one region, with their small counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from kcrr_analysis import funnel, tables
from kcrr_analysis.attribution import attribute
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel.first_touch import CUTS
from kcrr_analysis.tables import Tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


@pytest.fixture(scope="module")
def demo() -> Tables:
    return tables.load(DEMO, region="01", only=("actions", "center_months", "centers"))


def test_first_touches_of_the_period_by_channel(demo: Tables) -> None:
    found = funnel.attraction(demo, "01", "2025-10", months=12)
    rows = found.rows[~found.rows["total"]].set_index("channel")
    plain = attribute(demo.actions, "channel", since="2024-11-01", until="2025-11-01")
    by_channel = plain.rows.set_index("channel")
    assert rows["clients"].to_dict() == by_channel["matured_clients"].to_dict()
    assert rows["persons"].to_dict() == by_channel["matured"].to_dict()
    assert found.rows[found.rows["total"]]["persons"].tolist() == [rows["persons"].sum()]
    assert found.immature == plain.total["immature"].iloc[0]
    assert set(rows["title"]) == {"В центре", "Телефон", "Выезд", "Мессенджер", "Социальные сети", "Мероприятие"}
    assert found.to_frame()["period"].iloc[0] == "2024-11..2025-10"


def test_small_counts_are_withheld_with_their_shares(demo: Tables) -> None:
    rows = funnel.attraction(demo, "01", "2025-10", by="client_group", rule=Rule()).rows
    for name in ("persons", "clients"):
        assert not rows[name].between(1, 4).any()
        hidden = rows[f"{name}_hidden"]
        assert hidden.any()
        assert rows.loc[hidden, [name, "conversion", "low", "high"]].isna().all(axis=None)


def test_what_the_table_of_tools_hides_no_other_cut_gives_away(demo: Tables) -> None:
    """The attacker knows the tool, channel, group and centre of each person, and what all four tables show."""
    log = demo.actions
    shown = {cut: funnel.attraction(demo, "01", "2025-10", by=cut, rule=Rule()).rows for cut in CUTS}
    tools_ = funnel.tools(Tables({"actions": log}), "01", "2025-10", rule=Rule()).rows.set_index("tool_id")
    by_tool = shown["tool_id"].set_index("tool_id")
    named = by_tool.index.dropna()
    assert by_tool.loc[named, "clients_hidden"].to_dict() == tools_.loc[named, "clients_hidden"].to_dict()
    classes = attribute(log, CUTS, since="2024-11-01", until="2025-11-01").rows
    small, truth = [], classes["matured_clients"].to_numpy(float)
    known, values = [], []
    for cut, rows in shown.items():
        for place in rows.index:
            own = rows.loc[place]
            inside = np.ones(len(classes)) if own["total"] else (classes[cut] == own[cut]).to_numpy(float)
            if not own["clients_hidden"]:
                known.append(inside)
                values.append(own["clients"])
            if 0 < inside @ truth < 5:
                assert own["clients_hidden"]
                small.append(inside)
    assert len(small) >= 5
    for inside in small:
        found = linprog(-inside, A_eq=np.array(known), b_eq=values, bounds=(0, None))
        assert found.status == 3 or -found.fun >= 5 - 1e-6


def test_internal_reports_mark_and_show(demo: Tables) -> None:
    rows = funnel.attraction(demo, "01", "2025-10", by="client_group", rule=Rule("internal")).rows
    assert rows["clients_hidden"].any()
    assert rows["clients"].notna().all()


def test_a_small_number_of_open_windows_is_withheld() -> None:
    frame = pd.DataFrame(
        {
            "person_id": [*(f"p{number}" for number in range(20)), "late"],
            "action": "contact",
            "channel": "phone",
            "region_code": "01",
            "time": pd.to_datetime(["2025-01-01"] * 20 + ["2025-06-30"], utc=True),
        }
    )
    found = funnel.attraction(Tables({"actions": frame}), "01", rule=Rule())
    assert np.isnan(found.immature)
    assert funnel.attraction(Tables({"actions": frame}), "01", rule=Rule("internal")).immature == 1


def test_another_cut_is_decided_on_with_the_standard_ones(demo: Tables) -> None:
    rows = funnel.attraction(demo, "01", "2025-10", by=("month", "channel"), rule=Rule()).rows
    assert not rows["clients"].between(1, 4).any()
    assert rows["clients_hidden"].any()


def test_all_touches_alone_are_one_row(demo: Tables) -> None:
    found = funnel.attraction(demo, "01", "2025-10", by=(), rule=Rule())
    assert found.rows["title"].tolist() == ["Всего"]


def test_other_models_go_through(demo: Tables) -> None:
    found = funnel.attraction(demo, "01", "2025-10", by=("channel", "center_id"), model="linear", rule=Rule())
    assert found.model == "linear"
    assert " · " in found.rows["title"].iloc[0]
    assert found.rows["clients_hidden"].any()


def test_clients_per_post_of_the_regions_centres(demo: Tables) -> None:
    found = funnel.attraction_per_employee(demo, "01", "2025-10")
    posts = demo.center_months
    period = posts[(posts["month"] >= found.first) & (posts["month"] <= found.last)]
    expected = period.groupby("center_id")["staff_fte"].mean()
    assert found.rows.set_index("center_id")["staff_fte"].to_dict() == pytest.approx(expected.to_dict())
    assert found.total["clients"].iloc[0] == found.rows["clients"].sum()
    assert found.last == pd.Period("2025-07")
    assert "title" in found.rows


def test_small_centres_hide_their_rate(demo: Tables) -> None:
    rows = funnel.attraction_per_employee(demo, "01", "2025-10", rule=Rule()).rows
    hidden = rows["clients_hidden"]
    assert hidden.sum() >= 2
    assert np.isnan(rows.loc[hidden, ["clients", "per_employee", "low", "high"]].astype(float)).all(axis=None)


def test_a_folder_without_the_list_of_centres_still_has_its_own(demo: Tables) -> None:
    without = Tables({name: demo[name] for name in ("actions", "center_months")})
    assert len(funnel.attraction_per_employee(without, "01", "2025-10").rows) == demo.actions["center_id"].nunique()
