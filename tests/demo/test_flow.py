from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis import demo, methodology
from kcrr_analysis.demo import DemoData
from kcrr_analysis.demo.flow import MEASURES, PERSONS, UNITS
from kcrr_analysis.demo.people import GROUPS, KINDS, SEASONS

KEY = ["month", "scope", "center_id", "region_code", "client_group"]


@pytest.fixture(scope="module")
def flow(small: DemoData) -> pd.DataFrame:
    return small.tables["flow"]


def wide(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """One column a group, one row a month, period and unit."""
    keys = ["month", "period", "scope", "region_code", "center_id"]
    return rows.fillna({"center_id": "-"}).pivot(index=keys, columns="client_group", values=measure)


def test_kinds_are_a_whole_population_and_seasons_a_whole_year() -> None:
    assert sum(kind.share for kind in KINDS) == pytest.approx(1)
    assert all(sum(profile) == pytest.approx(12) for profile in SEASONS.values())
    assert set(GROUPS) == set(methodology.groups())


@pytest.mark.parametrize("measure", MEASURES)
def test_groups_overlap_as_they_must(flow: pd.DataFrame, measure: str) -> None:
    table = wide(flow, measure)
    for group, entry in methodology.groups().items():
        if entry.parent:
            assert (table[group] <= table[entry.parent]).all()
        assert (table[group] <= table["all"]).all()
    assert (table["youth"] <= table[["school", "students", "graduates"]].sum(axis=1)).all()
    top = table[["youth", "svo", "disability", "broad"]].sum(axis=1)
    assert (table["all"] <= top).all()
    assert (table["all"] < top).any()


def test_parts_are_not_more_than_the_whole(flow: pd.DataFrame) -> None:
    assert (flow["registered_new"] <= flow["applied"]).all()
    assert (flow["applied"] <= flow["clients_served"]).all()
    assert (flow["measure_recipients"] <= flow["measure_applicants"]).all()
    assert (flow["measure_applicants"] <= flow["clients_served"]).all()
    assert (flow["guidance_recipients"] <= flow["clients_served"]).all()
    assert (flow["measure_recipients"] <= flow["measures_delivered"]).all()
    assert (flow[list(MEASURES)] >= 0).all().all()


def test_year_to_date_counts_persons_once_and_adds_units(flow: pd.DataFrame) -> None:
    last = flow["month"].max()
    year = flow[flow["month"].dt.year == last.year]
    keys = ["scope", "region_code", "center_id", "client_group"]
    months = year[year["period"] == "month"].groupby(keys, dropna=False)[list(MEASURES)]
    total = year[(year["period"] == "year_to_date") & (year["month"] == last)].set_index(keys)
    sums, largest = months.sum().reindex(total.index), months.max().reindex(total.index)
    for measure in UNITS:
        assert (total[measure] == sums[measure]).all(), measure
    everybody = total.index.get_level_values("client_group") == "all"
    for measure in PERSONS:
        assert (total[measure] <= sums[measure]).all(), measure
        assert (total[measure] >= largest[measure]).all(), measure
        assert (total.loc[everybody, measure] < sums.loc[everybody, measure]).all(), measure


def test_january_year_to_date_is_january(flow: pd.DataFrame) -> None:
    january = flow[flow["month"].dt.month == 1].set_index(KEY)
    month = january[january["period"] == "month"][list(MEASURES)]
    total = january[january["period"] == "year_to_date"][list(MEASURES)]
    pd.testing.assert_frame_equal(month, total.reindex(month.index))


def test_year_to_date_grows_within_a_year(flow: pd.DataFrame) -> None:
    total = flow[flow["period"] == "year_to_date"].sort_values("month")
    keys = [total["month"].dt.year, total["scope"], total["region_code"], total["center_id"], total["client_group"]]
    growth = total.groupby(keys, dropna=False)[[*PERSONS, *UNITS]].diff()
    assert (growth.dropna() >= 0).all().all()


def test_region_counts_persons_of_two_centres_once(flow: pd.DataFrame) -> None:
    keys = ["month", "period", "region_code", "client_group"]
    centers = flow[flow["scope"] == "center"].groupby(keys)[list(MEASURES)].sum()
    region = flow[flow["scope"] == "region"].set_index(keys)[list(MEASURES)].reindex(centers.index)
    for measure in (*UNITS, "registered_stock"):
        assert (region[measure] == centers[measure]).all(), measure
    for measure in PERSONS:
        assert (region[measure] <= centers[measure]).all(), measure
    assert (region["applied"] < centers["applied"]).any()


def test_small_cells_exist_in_rare_groups(full: DemoData) -> None:
    flow = full.tables["flow"]
    rare = flow[(flow["client_group"] == "donbass_defenders") & (flow["period"] == "month")]
    assert rare["applied"].between(1, 4).mean() > 0.2
    third = flow[(flow["region_code"] == "03") & (flow["scope"] == "region") & (flow["period"] == "month")]
    assert third.loc[third["client_group"] == "donbass_defenders", "applied"].between(1, 4).any()


def test_level_shift_shows_in_its_region_and_month_only(full: DemoData) -> None:
    flow, shift = full.tables["flow"], full.truth["level_shift"]
    rows = flow[(flow["scope"] == "region") & (flow["period"] == "month") & (flow["client_group"] == "all")]
    table = rows.pivot(index="month", columns="region_code", values="applied").astype(float)
    change = (table / table.shift(12)).dropna()
    relative = change[shift["region_code"]] / change.drop(columns=shift["region_code"]).mean(axis=1)
    since = relative.index >= pd.Period(shift["month"], freq="M")
    assert relative[since].mean() == pytest.approx(shift["factor"], abs=0.1)
    assert relative[~since].mean() == pytest.approx(1, abs=0.06)


def test_registered_stock_is_plausible(full: DemoData) -> None:
    flow, population = full.tables["flow"], full.tables["population"]
    stock = flow[(flow["scope"] == "region") & (flow["client_group"] == "all") & (flow["period"] == "month")]
    people = population[population["center_id"].isna() & (population["client_group"] == "all")]
    mean = stock.groupby("region_code")["registered_stock"].mean()
    workforce = 0.5 * people.groupby("region_code")["population"].mean()
    assert (mean / workforce).between(0.004, 0.012).all()


def test_a_group_is_never_larger_than_its_population(full: DemoData) -> None:
    flow, population = full.tables["flow"], full.tables["population"]
    last = flow[(flow["month"] == "2025-10") & (flow["period"] == "year_to_date") & (flow["scope"] == "region")]
    people = population[population["center_id"].isna() & (population["year"] == 2025)]
    joined = last.merge(people, on=["region_code", "client_group"])
    assert len(joined) == 10 * len(GROUPS)
    assert (joined["clients_served"] < joined["population"]).all()
    teens = joined[joined["client_group"] == "teen_14_17"]
    assert (teens["guidance_recipients"] / teens["population"]).between(0.1, 0.4).all()


def test_modernised_centres_grow(full: DemoData) -> None:
    centers, months = full.tables["centers"], full.tables["center_months"]
    started = centers[centers["modernised_from"] > "2022-12-01"].set_index("center_id")["modernised_from"]
    assert len(started) >= 10
    rows = months[months["center_id"].isin(started.index)]
    done = rows["month"].dt.to_timestamp() >= rows["center_id"].map(started)
    mean = rows.groupby(["center_id", done])[["floor_area_m2", "client_area_m2", "capacity_visits_day"]].mean()
    assert (mean.xs(True, level=1) > mean.xs(False, level=1) * 1.2).all().all()


def test_plan_follows_the_season(small: DemoData) -> None:
    plan, flow = small.tables["plan"], small.tables["flow"]
    actual = flow[(flow["scope"] == "center") & (flow["period"] == "month")]
    joined = plan.merge(actual, on=["month", "center_id", "client_group"])
    assert len(joined) == len(plan)
    everybody = joined[joined["client_group"] == "all"]
    ratio = everybody["clients_served"].sum() / everybody["planned_clients"].sum()
    assert ratio == pytest.approx(1, abs=0.1)
    assert everybody[["clients_served", "planned_clients"]].astype(float).corr().iloc[0, 1] > 0.9


def test_a_declared_level_shift_is_a_parameter() -> None:
    truth = demo.Truth(level_shift=demo.truth.LevelShift("01", "2025-02", 3.0))
    rows = demo.make(seed=7, regions=1, months=14, truth=truth).tables["flow"]
    rows = rows[(rows["scope"] == "region") & (rows["period"] == "month") & (rows["client_group"] == "all")]
    applied = rows.set_index("month")["applied"].astype(float)
    assert applied["2025-10"] / applied["2024-10"] > 2.3
