"""Tools of stages 1 and 2: sums by hand, attributed clients and their cost, reasons, one error budget, small counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from kcrr_analysis import funnel, methodology, tables
from kcrr_analysis.costs import Rates
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.funnel.tools import NO_COST, NO_RECORD, NO_TOUCH
from kcrr_analysis.tables import Tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"

EVENTS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2025-01-10", "2025-02-10", "2025-06-20", "2024-12-31"]),
        "region_code": "01",
        "tool_id": ["job_fair", "job_fair", "job_fair", "job_fair"],
        "participants": pd.array([40, 60, 30, 99], dtype="Int64"),
        "reach": pd.array([400, None, 100, 99], dtype="Int64"),
        "external_cost": [1000.0, 3000.0, 7000.0, 9.0],
        "direct_cost": [0.0, 0.0, 0.0, 0.0],
        "staff_hours": [2.0, 3.0, 4.0, 9.0],
    }
)
PROMOTION = pd.DataFrame(
    {
        "period_start": pd.to_datetime(["2025-03-01", "2025-03-05"]),
        "region_code": ["01", "02"],
        "tool_id": ["online_ads", "online_ads"],
        "impressions": pd.array([5000, 1], dtype="Int64"),
        "external_cost": [800.0, 1.0],
    }
)


def log(**tools: tuple[int, int]) -> pd.DataFrame:
    """Persons first touched on 1 February by a tool, and how many of them are served a week later."""
    rows = [("end", "registration", None, 180)]
    for name, (persons, clients) in tools.items():
        tool = None if name == "none" else name
        for number in range(persons):
            rows.append((f"{name}{number}", "contact", tool, 31))
            if number < clients:
                rows.append((f"{name}{number}", "service", None, 38))
    rows.append(("late", "contact", "job_fair", 170))
    frame = pd.DataFrame(rows, columns=["person_id", "action", "tool_id", "day"])
    time = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(frame["day"], unit="D")
    return frame.assign(time=time, region_code="01", action_id=frame.index.astype(str))


ACTIONS = log(job_fair=(50, 20), outbound_call=(200, 20), trial_service=(6, 3))


def compute(rule: Rule | None = None, **frames: pd.DataFrame) -> funnel.Tools:
    data = Tables({"events": EVENTS, "promotion": PROMOTION, "actions": ACTIONS} | frames)
    return funnel.tools(data, "01", "2025-06", months=6, rates=Rates(100), rule=rule)


def row(found: funnel.Tools, tool: str) -> pd.Series:
    return found.rows.set_index("tool_id").loc[tool]


def test_reach_occasions_participants_and_cost_by_hand() -> None:
    fair = row(compute(), "job_fair")
    assert (fair["events"], fair["participants"], fair["reach"]) == (3, 130, 500)  # December is outside the period
    assert fair["cost"] == 11_000 + 900
    assert fair["internal_cost"] == 900
    ads = row(compute(), "online_ads")
    assert (ads["placements"], ads["impressions"], ads["cost"]) == (1, 5000, 800)  # the other region's is not here
    assert np.isnan(ads["internal_cost"])
    assert np.isnan(ads["participants"])


def test_clients_cost_of_the_occasions_whose_window_is_closed() -> None:
    fair = row(compute(), "job_fair")
    assert (fair["persons"], fair["clients"], fair["conversion"]) == (50, 20, 40)
    assert fair["closed_cost"] == 4000 + 500  # the event of June is not over
    assert fair["cost_per_client"] == pytest.approx(4500 / 20)
    # Garwood's limits of 20 events: 12.2165 and 30.8884
    assert fair["cost_per_client_low"] == pytest.approx(4500 / 30.8884, rel=1e-4)
    assert fair["cost_per_client_high"] == pytest.approx(4500 / 12.2165, rel=1e-4)
    assert compute().immature == 1


def test_every_tool_of_the_library_has_a_row_and_what_it_lacks_is_said() -> None:
    found = compute()
    library = methodology.load().tools
    asked = {code for code, tool in library.items() if tool.stage in {"1", "2"}}
    assert set(found.rows["tool_id"].dropna()) == asked
    reasons = found.rows.set_index("tool_id")["reason"]
    assert reasons["tv_ads"] == NO_RECORD == "в данных нет записей"
    assert reasons["online_ads"] == NO_TOUCH
    assert reasons["outbound_call"] == NO_COST
    assert reasons["job_fair"] == ""
    assert np.isnan(
        row(found, "online_ads")["cost_per_client_low"]
    )  # nobody asked it: no cost per client, not even a bound


def test_comparisons_share_one_budget() -> None:
    found = compute()
    assert found.compared == 2  # 6 persons of trial_service are too few
    fair, call = row(found, "job_fair"), row(found, "outbound_call")
    assert (fair["differs"], call["differs"]) == (1, -1)
    assert fair["difference"] == pytest.approx(40 - 100 * 23 / 206)
    assert np.isnan(row(found, "trial_service")["differs"])
    # Score test of 20/50 against 23/206 (variance factor N / (N - 1)), twice by Holm or once as the larger
    pooled = 43 / 256
    z = (20 / 50 - 23 / 206) / np.sqrt(pooled * (1 - pooled) * (1 / 50 + 1 / 206) * 256 / 255)
    p = chi2.sf(z**2, 1)
    assert fair["p_adjusted"] in (pytest.approx(p), pytest.approx(2 * p))


def test_the_total_has_a_cost_per_client_only_when_all_costs_are_recorded() -> None:
    assert np.isnan(compute().rows.iloc[-1]["cost_per_client"])
    alone = compute(actions=log(job_fair=(50, 20)), promotion=PROMOTION.iloc[:0])
    assert alone.rows.iloc[-1]["cost_per_client"] == pytest.approx(4500 / 20)
    assert alone.compared == 0  # no one else to compare with


def test_unknown_codes_and_contacts_without_a_tool_are_rows_too() -> None:
    found = compute(actions=log(job_fair=(20, 5), drones=(12, 6), none=(15, 3)))
    titles = found.rows.set_index("title")
    assert titles.loc["drones", "persons"] == 12
    assert titles.loc["drones", "stage"] == ""
    assert titles.loc["Инструмент не указан", "clients"] == 3
    assert titles.loc["Всего", "persons"] == 47


def test_events_without_a_known_tool_are_counted_with_contacts_without_one() -> None:
    nameless = EVENTS.assign(tool_id=pd.array(["job_fair", None, "job_fair", "job_fair"], dtype="string"))
    found = compute(events=nameless, actions=log(none=(15, 3))).rows.set_index("title")
    assert found.loc["Инструмент не указан", ["participants", "persons"]].tolist() == [60, 15]


def test_without_a_log_there_is_use_and_cost_but_no_conversion() -> None:
    found = funnel.tools(Tables({"events": EVENTS}), "01", "2025-06", months=6)
    assert row(found, "job_fair")["participants"] == 130
    assert np.isnan(row(found, "job_fair")["persons"])
    assert found.closed is None
    assert found.attribution == ""
    untouched = compute(actions=ACTIONS[ACTIONS["action"] != "contact"])
    assert np.isnan(untouched.rows.iloc[-1]["persons"])


def test_nothing_in_the_period_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="с 2020-07 по 2020-12"):
        funnel.tools(Tables({"events": EVENTS, "actions": ACTIONS}), "01", "2020-12", months=6)


def test_small_counts_are_withheld_with_shares_and_costs() -> None:
    found = compute(Rule())
    trial = row(found, "trial_service")
    assert np.isnan(trial[["clients", "conversion", "low", "high"]].astype(float)).all()
    assert trial["persons"] == 6
    others = found.rows[found.rows["clients_hidden"] & (found.rows["tool_id"] != "trial_service")]
    assert len(others)  # or the total would give the three away
    assert np.isnan(others["cost_per_client"].astype(float)).all()
    assert np.isnan(found.immature)
    marked = compute(Rule("internal"))
    assert row(marked, "trial_service")["clients"] == 3
    assert marked.immature == 1


@pytest.fixture(scope="module")
def demo() -> Tables:
    return tables.load(DEMO, region="01")


def test_the_demo_is_read_whole(demo: Tables) -> None:
    found = funnel.tools(demo, "01", "2025-10", rates=Rates(450, 0.15))
    held = demo.events[(demo.events["date"] >= "2024-11-01") & (demo.events["date"] < "2025-11-01")]
    total = found.rows.iloc[-1]
    assert total["events"] == len(held)
    assert total["participants"] == held["participants"].sum()
    levels = found.rows[~found.rows["total"]]
    for name in ("cost", "persons", "clients", "reach", "impressions"):
        assert levels[name].sum() == pytest.approx(total[name])
    assert found.to_frame()["definition"].str.contains("не позднее 90 дн").all()
