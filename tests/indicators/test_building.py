"""Premises and staff: sums over sums, denominators of the month itself, what is left out, hidden counts."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from kcrr_analysis import disclosure, indicators
from kcrr_analysis.errors import MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.indicators import Building
from kcrr_analysis.indicators.centres import centre_counts, centres
from kcrr_analysis.tables import Tables
from tests.indicators.regions import centers, level, premises, rows, tables

ROOMS = [
    premises("a", floor_area_m2=300, client_area_m2=150, staff_fte=10, capacity_visits_day=50, open_days=20),
    premises("b", floor_area_m2=100, client_area_m2=40, staff_fte=2.5, capacity_visits_day=10, open_days=20),
]
FLOW = [
    rows(center="a", visits=level(600, m2024_10=300), services_delivered=level(900)),
    rows(center="b", visits=level(250), services_delivered=level(100)),
]


def compute(**changed: object) -> Building:
    frames = {"centers": centers("a", "b"), "flow": FLOW, "center_months": ROOMS} | changed
    return indicators.building(tables(**frames), "01", "2025-10")  # type: ignore[arg-type]


def row(result: Building, center: str) -> pd.Series:
    return result.rows.set_index("center_id").loc[center]


def test_ratios_of_a_centre_by_hand() -> None:
    a = row(compute(), "a")
    assert a["visits_per_m2"] == pytest.approx(600 / 300)
    assert a["services_per_employee"] == pytest.approx(900 / 10)
    assert a["fill"] == pytest.approx(100 * 600 / (50 * 20))
    assert a["fill_year_ago"] == pytest.approx(30)
    assert a["capacity_visits"] == 1000


def test_the_region_is_a_sum_over_a_sum_and_no_mean_of_ratios() -> None:
    whole = row(compute(), "")
    assert whole["visits_per_m2"] == pytest.approx(850 / 400)
    assert whole["services_per_employee"] == pytest.approx(1000 / 12.5)
    assert whole["fill"] == pytest.approx(100 * 850 / 1200)
    assert whole["fill_year_ago"] == pytest.approx(100 * 550 / 1200)
    assert whole[["visits", "services", "area_m2", "staff_fte", "capacity_visits"]].tolist() == [
        850,
        1000,
        400,
        12.5,
        1200,
    ]


def test_a_fill_over_100_is_pointed_out() -> None:
    found = compute()
    assert row(found, "b")["fill"] == pytest.approx(125)
    assert found.rows.set_index("center_id")["over"].to_dict() == {"a": False, "b": True, "": False}


def test_the_client_zone_is_another_denominator() -> None:
    data = tables(centers=centers("a", "b"), flow=FLOW, center_months=ROOMS)
    found = indicators.building(data, "01", "2025-10", area="client")
    assert row(found, "a")["visits_per_m2"] == pytest.approx(4)
    assert "клиентской зоны" in found.definition
    assert set(found.to_frame()["area"]) == {"client"}
    with pytest.raises(ParameterError, match="area"):
        indicators.building(data, "01", area="roof")


def test_premises_are_those_of_the_month() -> None:
    before = [str(month) for month in pd.period_range("2022-11", "2025-05", freq="M")]
    after = [str(month) for month in pd.period_range("2025-06", "2025-10", freq="M")]
    rooms = [premises("a", before, floor_area_m2=100), premises("a", after, floor_area_m2=300), ROOMS[1]]
    found = compute(center_months=rooms, centers=centers("a", "b", modernised={"a": "2025-06-15"}))
    a = row(found, "a")
    assert (a["visits_per_m2"], a["visits_per_m2_year_ago"]) == (2, 3)
    assert (a["modernised"], a["modernised_from"], a["modernised_this_year"]) == (True, "2025-06", True)
    history = found.history[(found.history["ratio"] == "visits_per_m2")].set_index("month")["value"]
    assert history[pd.Period("2025-06", freq="M")] == pytest.approx(850 / 400)
    assert history[pd.Period("2025-05", freq="M")] == pytest.approx(850 / 200)


def test_a_modernisation_to_come_is_none_yet() -> None:
    found = compute(centers=centers("a", "b", modernised={"a": "2026-01-01", "b": "2023-01-01"}))
    assert row(found, "a")["modernised"] == False  # noqa: E712 - a numpy value
    assert (row(found, "b")["modernised"], row(found, "b")["modernised_this_year"]) == (True, False)


def test_a_centre_without_a_denominator_is_in_neither_sum_and_says_why() -> None:
    found = compute(center_months=[ROOMS[0], premises("b", floor_area_m2=0, staff_fte=2.5)])
    b = row(found, "b")
    assert b["visits_per_m2_reason"] == "нет площади"
    assert b["fill_reason"] == "нет пропускной способности или числа рабочих дней"
    assert b["services_per_employee"] == 40
    whole = row(found, "")
    assert whole["visits_per_m2"] == pytest.approx(2)
    assert found.left_out == {"visits_per_m2": ("Центр b",), "services_per_employee": (), "fill": ("Центр b",)}


def test_a_centre_without_a_row_says_why() -> None:
    found = compute(centers=centers("a", "b", "c"))
    c = row(found, "c")
    assert c["fill_reason"] == "нет строки в таблице flow"
    assert found.left_out["fill"] == ("Центр c",)


def test_without_any_denominator_the_region_says_why() -> None:
    found = compute(center_months=[premises("a"), premises("b")])
    whole = row(found, "")
    assert math.isnan(whole["fill"])
    assert whole["fill_reason"] == "нет центра с числителем и знаменателем"
    assert found.history.empty


def hidden(*, region: bool) -> Tables:
    flow = pd.concat(
        [
            rows(center="a", visits=level(600, m2025_10=None)),
            FLOW[1],
            *([rows(visits=level(850))] if region else []),
        ],
        ignore_index=True,
    )
    flow["visits_hidden"] = (
        (flow["scope"] == "center") & flow["visits"].isna() & (flow["month"] == pd.Period("2025-10", freq="M"))
    )
    return tables(centers=centers("a", "b"), flow=flow, center_months=ROOMS)


def test_a_hidden_count_is_in_no_ratio_nor_in_a_sum_that_gives_it_away() -> None:
    found = indicators.building(hidden(region=False), "01", "2025-10")
    a, whole = row(found, "a"), row(found, "")
    assert a[["visits", "visits_per_m2", "fill"]].isna().all()
    assert (a["fill_reason"], bool(a["visits_hidden"])) == ("", True)
    assert whole[["visits", "visits_per_m2", "fill"]].isna().all()
    assert bool(whole["visits_hidden"])


def test_the_regions_own_row_stands_for_a_sum_with_a_hidden_centre() -> None:
    whole = row(indicators.building(hidden(region=True), "01", "2025-10"), "")
    assert whole["fill"] == pytest.approx(100 * 850 / 1200)
    assert not whole["visits_hidden"]


def test_the_regions_row_does_not_stand_for_a_part_of_the_centres() -> None:
    data = hidden(region=True).replace(center_months=ROOMS[0])
    whole = row(indicators.building(data, "01", "2025-10"), "")
    assert math.isnan(whole["fill"])


def test_disclosure_control_of_a_small_centre() -> None:
    flow = [rows(center="a", visits=level(600)), rows(center="b", visits=level(3)), rows(visits=level(603))]
    data = tables(centers=centers("a", "b"), flow=flow, center_months=ROOMS)
    found = indicators.building(data, "01", "2025-10", rule=disclosure.Rule())
    known = found.rows.set_index("center_id")
    # 603 - 600 would give the 3 away: either the other centre or the region is hidden with it.
    assert math.isnan(known.loc["b", "visits"])
    assert known.loc[["a", ""], "visits"].isna().any()
    assert known["fill"].isna().tolist() == known["visits"].isna().tolist()


def test_without_a_table_of_centres_the_codes_of_flow_serve() -> None:
    data = tables(flow=FLOW)
    assert centres(data, "01")["center_name"].tolist() == ["a", "b"]
    assert set(centre_counts(data, "01", "visits")["center_id"]) == {"a", "b"}


def test_what_is_missing_has_its_message() -> None:
    with pytest.raises(MissingTableError, match="center_months"):
        indicators.building(tables(centers=centers("a"), flow=FLOW), "01")
    with pytest.raises(NotComputableError, match="нет месячных строк центров региона 01"):
        indicators.building(tables(centers=centers("a"), flow=rows(visits=level(5)), center_months=ROOMS), "01")
    with pytest.raises(NotComputableError, match="2030-01"):
        indicators.building(tables(centers=centers("a", "b"), flow=FLOW, center_months=ROOMS), "01", "2030-01")
