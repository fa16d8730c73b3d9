"""The chapter on the demo data, regions compared, and what stands beside the events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import costs, ipk, tables
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.ipk import selection
from kcrr_analysis.tables import Tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
RATES = costs.Rates(500.0, 0.15)
NEEDED = ("centers", "center_months", "population", "events", "actions", "flow")


@pytest.fixture(scope="module")
def all_regions() -> Tables:
    return tables.load(DEMO, only=NEEDED)


@pytest.fixture(scope="module")
def one_region() -> Tables:
    return tables.load(DEMO, region="04", only=NEEDED)


@pytest.fixture(scope="module")
def chapter(one_region: Tables) -> ipk.Overview:
    return ipk.overview(one_region, "04", rates=RATES)


def test_every_cut_is_a_cut_of_the_same_events(chapter: ipk.Overview, one_region: Tables) -> None:
    events = one_region.events
    events = events[events["date"] >= "2024-11-01"]
    plain = (
        events["weight"]
        + events["participants"] * events["engagement"]
        + (events["reviews"] * events["mean_rating"].fillna(0))
    )
    for name in ("centres", "tools", "themes", "groups", "months", "chains"):
        assert getattr(chapter, name).rows["ipk"].sum() == pytest.approx(float(plain.sum())), name
    assert chapter.total["events"] == len(events)
    assert (str(chapter.first), str(chapter.month)) == ("2024-11", "2025-10")
    frame = chapter.to_frame()
    assert set(frame["cut"]) == {"centres", "tools", "themes", "groups", "months", "chains"}
    assert frame["title"].notna().all()


def test_sizes_come_from_the_tables(chapter: ipk.Overview, one_region: Tables) -> None:
    monthly = one_region.center_months
    mean = monthly[monthly["month"] > chapter.month - 12].groupby("center_id")["staff_fte"].mean()
    rows = chapter.centres.rows.set_index("center_id")
    assert rows["staff_fte"].to_dict() == pytest.approx(mean.to_dict())
    people = one_region.population
    of_group = people[people["center_id"].isna() & (people["year"] == 2025)].set_index("client_group")["population"]
    groups = chapter.groups.rows.set_index("client_group")
    assert groups.loc["school", "per_1000_people"] == pytest.approx(
        1000 * groups.loc["school", "ipk"] / float(of_group["school"])
    )
    assert chapter.total["population"] == float(of_group["all"])


def test_attributed_clients_are_those_of_events_whose_window_is_closed(
    chapter: ipk.Overview, one_region: Tables
) -> None:
    log = one_region.actions.sort_values(["time", "action_id"])
    first = log[log["action"] == "contact"].drop_duplicates("person_id")
    service = log[log["action"] == "service"].groupby("person_id")["time"].min()
    waited = first["person_id"].map(service) - first["time"]
    window, end = pd.Timedelta(days=90), log["time"].max()
    inside = first["event_id"].isin(one_region.events.query("date >= '2024-11-01'")["event_id"])
    ripe = inside & (first["time"] + window <= end - pd.Timedelta(days=2)) & ~(waited < pd.Timedelta(0))
    won = ripe & (waited <= window)
    assert chapter.total["persons"] == pytest.approx(ripe.sum(), abs=3)
    assert chapter.total["clients"] == pytest.approx(won.sum(), abs=2)
    assert chapter.open_windows > 0
    assert "90 дн." in chapter.attribution
    unknown = chapter.tools.rows.set_index("tool_id")["clients"]
    assert unknown.drop(["job_fair", "career_day", "open_day", "proftour"]).isna().all()


def test_the_true_splits_of_the_region_are_among_those_found(chapter: ipk.Overview) -> None:
    assert chapter.split_groups >= 1
    assert chapter.split_by_chance > 0
    assert chapter.total["probable_splits"] == chapter.split_groups
    wide = ipk.overview(tables.load(DEMO, region="04", only=("events",)), "04", "2025-10", months=36)
    assert wide.split_groups >= 2


def test_events_alone_are_enough_and_months_without_events_are_zero(one_region: Tables) -> None:
    events = one_region.events.query("'2025-03-01' <= date < '2025-05-01'")
    found = ipk.overview(Tables(frames={"events": events}), "04", "2025-06", months=4)
    assert found.months.rows["ipk"].gt(0).tolist() == [True, True, False, False]
    assert found.months.rows["events"].iloc[2] == 0
    assert found.months.rows["reason"].iloc[3] == "мероприятий не было"
    assert found.attribution == ""
    assert found.centres.rows["per_employee"].isna().all()
    assert found.centres.rows["title"].iloc[0] == found.centres.rows["center_id"].iloc[0]


def test_what_cannot_be_done_is_said(one_region: Tables) -> None:
    with pytest.raises(MissingTableError, match="events"):
        ipk.overview(Tables(frames={}), "04")
    with pytest.raises(NotComputableError, match="нет мероприятий"):
        ipk.overview(one_region, "77")
    with pytest.raises(NotComputableError, match="Последнее — "):
        ipk.overview(one_region, "04", "2019-01")
    with pytest.raises(ParameterError, match="months"):
        ipk.overview(one_region, "04", months=0)
    blank = one_region.replace(events=one_region.events.assign(engagement=np.nan))
    with pytest.raises(NotComputableError, match="нет коэффициента вовлечённости"):
        ipk.overview(blank, "04")
    assert ipk.overview(blank, "04", missing_engagement=1.0).total["assumed_engagement"] > 0


def test_in_public_no_shown_event_lies_in_a_unit_that_is_hidden(one_region: Tables) -> None:
    rule = Rule(threshold=30)
    found = ipk.overview(one_region, "04", rule=rule)
    gone = found.themes.rows.loc[found.themes.rows["reviews_hidden"], "theme"]
    assert len(gone)
    assert not set(found.leading["theme"]) & set(gone)
    assert (found.leading["reviews"].dropna() >= 30).all()
    for theme, part in found.leading.groupby("theme"):
        rest = found.themes.rows.set_index("theme").loc[theme, "reviews"] - part["reviews"].sum()
        assert rest == 0 or rest >= 30
    internal = ipk.overview(one_region, "04", rule=Rule(mode="internal", threshold=30))
    assert len(internal.leading) == 10


def test_regions_and_centres_are_ranked_by_sum_and_by_size(all_regions: Tables) -> None:
    found = ipk.compare(all_regions, "04", by="region", rates=RATES)
    assert len(found.score.rows) == found.regions == 10
    assert found.normalised is not None
    assert found.normalised.measure == "per_1000_people"
    assert found.to_frame()["normalised_rank"].notna().all()
    assert found.drivers.unit_rank_correlation > 0.9
    assert found.score.total.iloc[0]["population"] == pytest.approx(found.score.rows["population"].sum())
    centres = ipk.compare(all_regions, by="centre")
    assert centres.score.rows["region_code"].tolist() == centres.score.rows["center_id"].str[:2].tolist()
    assert centres.score.rows["region_title"].notna().all()
    assert centres.score.pairs_apart < centres.score.pairs / 10


def test_formats_of_the_demo_are_found_in_the_order_of_their_true_engagement(all_regions: Tables) -> None:
    from kcrr_analysis.demo.truth import EVENT_TOOLS

    found = ipk.compare(all_regions, by="tool", months=36)
    truth = {tool.tool_id: tool.engagement for tool in EVENT_TOOLS}
    assert found.normalised is None
    for _, part in found.formats[found.formats["rank"].notna()].groupby("client_group"):
        true = part["tool_id"].map(truth)
        above = (true.to_numpy()[:, None] > true.to_numpy()[None, :]).sum(0) + 1
        assert (part["rank_low"].to_numpy() <= above).all()
        assert (above <= part["rank_high"].to_numpy()).all()


def test_hidden_units_have_no_place_in_either_order(all_regions: Tables) -> None:
    found = ipk.compare(all_regions, by="centre", rule=Rule(threshold=60))
    assert found.normalised is not None
    for score in (found.score, found.normalised):
        gone = score.rows[score.rows["ipk_hidden"]]
        assert len(gone)
        assert gone[["ipk", "rank", "rank_low", "rank_high", "per_employee"]].isna().all(axis=None)
    with pytest.raises(ParameterError, match="Сравниваются"):
        ipk.compare(all_regions, by="city")  # type: ignore[arg-type]


def test_an_event_without_a_region_belongs_to_its_centre_s(one_region: Tables) -> None:
    events = one_region.events.assign(region_code=pd.array([pd.NA] * len(one_region.events), dtype="string"))
    placed = selection.placed(one_region.replace(events=events))
    assert placed["region_code"].eq("04").all()


def test_without_centres_staff_of_a_region_is_not_known(one_region: Tables) -> None:
    bare = Tables(frames={name: one_region[name] for name in ("center_months", "population")})
    at = pd.Period("2025-10", freq="M")
    found = selection.sizes(bare, at, 12, "region_code", "client_area_m2")
    assert found is not None
    assert "staff_fte" not in found or found["staff_fte"].isna().all()
    assert selection.sizes(Tables(frames={}), at, 12, "center_id", "floor_area_m2") is None


def test_reward_is_refused_unaudited_and_rests_on_the_index_per_employee() -> None:
    data = tables.load("data/demo", region="01", only=["centers", "center_months", "population", "events", "actions"])
    with pytest.raises(NotComputableError, match="не отмечены как проверенные"):
        ipk.reward(data, "01", "2025-10")
    basis = ipk.reward(data, "01", "2025-10", audited=True, quality_floor=4.0)
    assert basis.measure == "per_employee"
    assert (basis.rows["mean_rating"] >= 4.0).loc[basis.rows["eligible"]].all()
