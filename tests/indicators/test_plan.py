"""Plan and fact: services summed, clients judged centre by centre, what is hidden is in no percentage."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from kcrr_analysis import disclosure, indicators
from kcrr_analysis.errors import MissingTableError, NotComputableError
from kcrr_analysis.indicators import PlanFact
from kcrr_analysis.indicators.plan import NO_REGIONAL_PLAN
from kcrr_analysis.tables import Tables
from tests.indicators.regions import centers, months, plans, rows, tables

YEAR = months([100.0] * 10)  # January to October 2025
CLIENTS = months([50.0] * 10)


def data(**changed: object) -> Tables:
    frames: dict[str, object] = {
        "centers": centers("a", "b"),
        "plan": [plans("a", YEAR, CLIENTS), plans("b", YEAR, CLIENTS)],
        "flow": [
            rows(center="a", services_delivered=months([110.0] * 10), clients_served=months([40.0] * 9 + [50.0])),
            rows(center="b", services_delivered=months([90.0] * 9 + [70.0]), clients_served=months([49.0] * 10)),
            rows(services_delivered=months([200.0] * 9 + [180.0]), clients_served=months([85.0] * 9 + [95.0])),
        ],
    }
    return tables(**(frames | changed))  # type: ignore[arg-type]


def row(result: PlanFact, center: str, group: str = "all") -> pd.Series:
    return result.rows.set_index(["center_id", "client_group"]).loc[(center, group)]


def compute(**changed: object) -> PlanFact:
    return indicators.plan(data(**changed), "01", "2025-10")


def test_a_centre_by_hand() -> None:
    b = row(compute(), "b")
    assert b["services_pct"] == pytest.approx(70)
    assert b["clients_pct"] == pytest.approx(98)
    assert b["services_ytd_pct"] == pytest.approx(100 * (9 * 90 + 70) / 1000)


def test_services_of_the_region_are_summed() -> None:
    whole = row(compute(), "")
    assert (whole["planned_services"], whole["services"]) == (200, 180)
    assert whole["services_pct"] == pytest.approx(90)
    assert whole["services_ytd_pct"] == pytest.approx(100 * (1100 + 880) / 2000)


def test_clients_of_the_region_are_its_own_row_and_have_no_percentage() -> None:
    whole = row(compute(), "")
    assert whole["clients"] == 95  # not 50 + 49
    assert math.isnan(whole["planned_clients"])
    assert math.isnan(whole["clients_pct"])
    assert whole["reason"] == NO_REGIONAL_PLAN


def test_centres_that_met_their_plan_of_clients_are_counted() -> None:
    whole = row(compute(), "")
    assert (whole["clients_met"], whole["clients_judged"]) == (1, 2)


def test_a_year_to_date_row_goes_before_the_sum_of_months() -> None:
    flow = [
        *data()["flow"].pipe(lambda frame: [frame]),
        rows(center="b", period="year_to_date", services_delivered={"2025-10": 850.0}),
    ]
    assert row(compute(flow=flow), "b")["services_ytd"] == 850


def test_a_missing_month_gives_no_sum_since_january() -> None:
    flow = data()["flow"]
    holed = flow[(flow["center_id"] != "b") | (flow["month"] != pd.Period("2025-03", freq="M"))]
    found = compute(flow=holed)
    assert math.isnan(row(found, "b")["services_ytd_pct"])
    assert math.isnan(row(found, "")["services_ytd_pct"])
    short = compute(plan=[plans("a", YEAR), plans("b", months([100.0] * 9))])
    assert math.isnan(row(short, "b")["services_ytd_pct"])


def test_a_centre_without_a_plan_is_in_no_sum_and_named() -> None:
    found = compute(plan=plans("a", YEAR, CLIENTS))
    assert found.unplanned == ("Центр b",)
    assert row(found, "")["services"] == 110
    assert row(found, "")["services_pct"] == pytest.approx(110)


def test_a_plan_of_zero_has_no_percentage() -> None:
    found = compute(plan=[plans("a", months([0.0] * 10), CLIENTS), plans("b", YEAR, CLIENTS)])
    assert math.isnan(row(found, "a")["services_pct"])


def test_groups_keep_to_themselves_and_the_total_stands_first() -> None:
    found = compute(
        plan=[plans("a", YEAR, CLIENTS, group="youth"), plans("a", YEAR, CLIENTS)],
        flow=[
            data()["flow"],
            rows(center="a", group="youth", services_delivered=months([60.0] * 10), clients_served=CLIENTS),
        ],
    )
    assert row(found, "a", "youth")["services_pct"] == pytest.approx(60)
    assert found.rows["client_group"].tolist() == ["all", "youth", "all", "youth"]
    assert found.rows["title"].tolist() == ["Регион", "Регион", "Центр a", "Центр a"]
    assert math.isnan(row(found, "", "youth")["clients"])


def marked(center: str = "a") -> pd.DataFrame:
    flow = data()["flow"].copy()
    last = (flow["center_id"] == center).fillna(False) & (flow["month"] == pd.Period("2025-10", freq="M"))
    for name in ("services_delivered", "clients_served"):
        flow[f"{name}_hidden"] = last.astype(bool)
        flow.loc[last, name] = pd.NA
    return flow


def test_a_hidden_fact_is_in_no_percentage_nor_count() -> None:
    found = compute(flow=marked())
    a, whole = row(found, "a"), row(found, "")
    assert a[["services", "services_pct", "clients", "clients_pct", "services_ytd", "services_ytd_pct"]].isna().all()
    assert a[["services_hidden", "clients_hidden", "services_ytd_hidden"]].all()
    # The region's own row is shown: disclosure control decided that it gives no centre away.
    assert (whole["services"], bool(whole["services_hidden"])) == (180, False)
    assert whole["clients_judged"] == 1


def test_a_part_of_the_centres_is_not_replaced_by_the_region() -> None:
    found = compute(flow=marked(), plan=plans("a", YEAR, CLIENTS))
    whole = row(found, "")
    assert math.isnan(whole["services_pct"])
    assert bool(whole["services_hidden"])


def test_small_counts_never_show() -> None:
    flow = [
        rows(center="a", clients_served=months([3.0] * 10), services_delivered=months([40.0] * 10)),
        rows(center="b", clients_served=months([60.0] * 10), services_delivered=months([90.0] * 10)),
        rows(clients_served=months([62.0] * 10), services_delivered=months([130.0] * 10)),
    ]
    found = indicators.plan(data(flow=flow), "01", "2025-10", rule=disclosure.Rule())
    a = row(found, "a")
    assert a[["clients", "clients_pct"]].isna().all()
    assert bool(a["clients_hidden"])


def test_the_frame_carries_its_period() -> None:
    frame = compute().to_frame()
    assert set(frame["period"]) == {"2025-10"}
    assert set(frame["interval"]) == {"сплошной учёт"}


def test_what_is_missing_has_its_message() -> None:
    with pytest.raises(MissingTableError, match="plan"):
        indicators.plan(tables(centers=centers("a"), flow=rows(center="a", visits=YEAR)), "01")
    with pytest.raises(NotComputableError, match="региона 01 нет плана"):
        indicators.plan(data(plan=plans("z", YEAR)), "01")
    with pytest.raises(NotComputableError, match="2026-01"):
        indicators.plan(data(), "01", "2026-01")


def test_the_last_month_with_both_plan_and_fact_is_taken() -> None:
    later = plans("a", months([100.0] * 12, last="2025-12"), CLIENTS)
    assert indicators.plan(data(plan=later), "01").month == pd.Period("2025-10", freq="M")
