"""The index: cases computed by hand, what weakens it, and properties that must hold for any events."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis import costs, ipk, stats
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk import Scheme

ONE = pd.DataFrame({"weight": [3], "participants": [50], "engagement": [1.2], "reviews": [10], "mean_rating": [4.5]})


def events(n: int, **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "event_id": [f"E{number}" for number in range(n)],
            "date": pd.date_range("2025-01-01", periods=n, freq="10D"),
            "center_id": "01",
            "weight": 2.0,
            "participants": 20,
            "engagement": 1.0,
            "reviews": 4,
            "mean_rating": 4.0,
        }
    )
    return frame.assign(**columns)


def only(frame: pd.DataFrame, by: str = "centre", **settings: object) -> pd.Series:
    rows = ipk.score(frame, by, **settings).rows  # type: ignore[arg-type]
    assert len(rows) == 1
    return rows.iloc[0]


def test_one_event_is_weight_plus_participants_plus_reviews() -> None:
    row = ipk.score(ONE).to_frame().iloc[0]
    # 3 + 50 x 1.2 + 10 x 4.5
    assert row["ipk"] == pytest.approx(108)
    assert (row["events_term"], row["participants_term"], row["reviews_term"]) == pytest.approx((3, 60, 45))
    assert row["events_share"] + row["participants_share"] + row["reviews_share"] == pytest.approx(100)
    assert row["participants_share"] == pytest.approx(100 * 60 / 108)
    assert row["reviews_adjusted"] == pytest.approx(10 * 1.5)
    assert np.isnan(row["low"])
    assert row["reason"] == "меньше 5 мероприятий"


def test_a_unit_is_the_sum_of_its_events_and_not_a_product_of_means() -> None:
    frame = pd.DataFrame(
        {
            "center_id": ["01", "01"],
            "weight": [1, 3],
            "participants": [10, 90],
            "engagement": [0.5, 1.5],
            "reviews": [9, 1],
            "mean_rating": [5.0, 1.0],
        }
    )
    row = only(frame)
    # (1 + 5 + 45) + (3 + 135 + 1)
    assert row["ipk"] == pytest.approx(190)
    assert row["mean_engagement"] == pytest.approx(1.4)
    assert row["mean_rating"] == pytest.approx(4.6)
    assert row["events_term"] + row["participants"] * row["mean_engagement"] + row["reviews"] * row[
        "mean_rating"
    ] == pytest.approx(190)


def test_no_reviews_give_a_zero_term_and_a_flag() -> None:
    row = ipk.score(ONE.assign(reviews=0, mean_rating=np.nan)).rows.iloc[0]
    assert row["reviews_term"] == 0
    assert row["no_reviews"] == 1
    assert np.isnan(row["mean_rating"])
    assert ipk.score(ONE[["weight", "participants", "engagement"]]).rows.iloc[0]["ipk"] == pytest.approx(63)


def test_reviews_without_any_rating_are_a_zero_term_with_its_own_flag() -> None:
    row = ipk.score(ONE.assign(mean_rating=np.nan)).rows.iloc[0]
    assert (row["reviews_term"], row["reviews"], row["unrated_reviews"], row["no_reviews"]) == (0, 10, 1, 0)


def test_ratings_by_star_serve_where_there_is_no_mean() -> None:
    stars = {"rating_1": [1], "rating_2": [0], "rating_3": [0], "rating_4": [2], "rating_5": [2]}
    frame = ONE.drop(columns=["reviews", "mean_rating"]).assign(**stars)
    row = ipk.score(frame).rows.iloc[0]
    assert row["reviews"] == 5
    assert row["reviews_term"] == pytest.approx(1 + 8 + 10)
    agreeing = ipk.score(frame.assign(reviews=5, mean_rating=3.8)).rows.iloc[0]
    assert agreeing["rating_conflict"] == 0
    denied = ipk.score(frame.assign(reviews=5, mean_rating=4.5)).rows.iloc[0]
    assert (denied["rating_conflict"], denied["reviews_term"]) == (1, pytest.approx(22.5))


@pytest.mark.parametrize(("value", "between"), [(0.7, 0), (0.75, 1), (0.79, 1), (0.8, 0), (1.25, 1), (1.3, 0)])
def test_engagement_in_a_gap_is_counted_as_it_is_and_flagged(value: float, between: int) -> None:
    row = ipk.score(ONE.assign(engagement=value)).rows.iloc[0]
    assert row["participants_term"] == pytest.approx(50 * value)
    assert row["between_bands"] == between


def test_an_event_that_cannot_be_scored_is_left_out_and_counted() -> None:
    frame = events(4).astype({"participants": "Int64"})
    frame.loc[0, "engagement"] = np.nan
    frame.loc[1, "weight"] = np.nan
    frame.loc[2, "participants"] = pd.NA
    found = ipk.score(frame)
    assert found.rows.iloc[0]["events"] == 1
    assert found.left_out == {
        "нет коэффициента вовлечённости": 1,
        "нет веса и в справочнике инструментов нет веса по умолчанию": 1,
        "нет числа участников": 1,
    }
    assert ipk.score(events(1).drop(columns="engagement")).left_out == {"нет коэффициента вовлечённости": 1}


def test_missing_engagement_is_filled_only_when_asked_and_then_flagged() -> None:
    row = only(events(2, engagement=[np.nan, 1.5]), missing_engagement=1.0)
    assert row["participants_term"] == 20 + 30
    assert row["assumed_engagement"] == 1


def test_the_tool_s_class_stands_in_for_a_missing_weight() -> None:
    row = ipk.score(ONE.assign(weight=np.nan, tool_id="webinar")).rows.iloc[0]
    assert row["events_term"] == 2
    assert row["assumed_weight"] == 1
    real = ipk.score(ONE.assign(weight=2.5, tool_id="webinar"), scheme=Scheme(weights=(1, 2, 2.6))).rows.iloc[0]
    assert real["events_term"] == pytest.approx(2.3)
    assert real["assumed_weight"] == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("engagement", 1.6),
        ("engagement", 0.4),
        ("weight", 3.5),
        ("participants", -1),
        ("mean_rating", 5.5),
        ("reviews", -2),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_event(column: str, value: float) -> None:
    frame = events(2)
    frame[column] = frame[column].astype(float)
    frame.loc[1, column] = value
    with pytest.raises(ParameterError, match=f"мероприятие E1: {column}"):
        ipk.score(frame)


def test_what_is_no_number_or_no_column_is_refused() -> None:
    with pytest.raises(ParameterError, match="participants"):
        ipk.score(ONE.drop(columns="participants"))
    with pytest.raises(ParameterError, match="не число"):
        ipk.score(ONE.assign(engagement="много"))
    with pytest.raises(ParameterError, match="theme"):
        ipk.score(ONE, "theme")
    for by in ("city", ("centre", "center_id")):
        with pytest.raises(ParameterError, match="Допустимы"):
            ipk.score(ONE.assign(center_id="01"), by)


def test_splitting_one_event_in_m_raises_the_index_by_the_weight_of_each_one_too_many() -> None:
    whole = events(1, theme="Тема", tool_id="seminar", participants=40, reviews=8)
    halves = events(2, theme="Тема", tool_id="seminar", date=pd.Timestamp("2025-03-01"))
    one, two = only(whole), only(halves)
    assert two["ipk"] - one["ipk"] == pytest.approx((2 - 1) * 2)
    assert (two["probable_splits"], two["split_excess"], two["jumps"], two["events"]) == (1, 2, 1, 2)
    assert one["split_excess"] == 0


def test_a_chain_is_one_jump_of_the_interval() -> None:
    frame = events(6, chain_id=["C1", "C1", None, None, None, None], participants=[10, 20, 30, 40, 50, 60])
    row = only(frame)
    values = 2 + np.array([30, 30, 40, 50, 60]) + 16 + np.array([2 + 16, 0, 0, 0, 0])
    expected = stats.compound_poisson(values)
    assert row["jumps"] == 5
    assert row["ipk"] == pytest.approx(values.sum())
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert np.isnan(only(frame.iloc[:5])["low"])


def test_cyrillic_themes_and_unnamed_ones_are_units() -> None:
    frame = events(12, theme=["Своё дело"] * 6 + ["Рабочие профессии"] * 5 + [None])
    found = ipk.score(frame, "theme")
    assert found.rows["theme"].tolist()[:2] == ["Рабочие профессии", "Своё дело"]
    assert found.rows["events"].tolist() == [5, 6, 1]
    assert found.rows["rank"].notna().tolist() == [True, True, False]
    many = ipk.score(events(12, theme=[None] * 6 + ["Своё дело"] * 6), "theme").rows
    assert many.iloc[1][["rank_low", "reason"]].isna().tolist() == [True, False]
    assert many.iloc[1]["reason"] == "не указано"


def test_an_empty_table_gives_an_empty_result() -> None:
    assert ipk.score(events(0), "centre").to_frame().empty
    assert ipk.score(events(0), "centre").total.iloc[0]["events"] == 0


def test_months_come_from_the_dates_and_several_columns_cross() -> None:
    found = ipk.score(events(8), ("month", "centre"))
    assert found.rows["month"].astype(str).tolist() == ["2025-01", "2025-02", "2025-03"]
    assert found.rows["events"].tolist() == [4, 2, 2]
    assert found.period == (pd.Timestamp("2025-01-01"), pd.Timestamp("2025-03-12"))


def test_declared_and_attributed_conversion_stand_side_by_side() -> None:
    frame = events(3, new_clients=pd.array([5, None, 3], dtype="Int64"), reach=[100, None, 50])
    clients = pd.DataFrame({"event_id": ["E0", "E1", "E9"], "persons": [8, np.nan, 99], "clients": [2, np.nan, 9]})
    row = only(frame, clients=clients)
    assert (row["new_clients"], row["reach"]) == (8, 150)
    assert row["conversion_declared"] == pytest.approx(100 * 8 / 40)
    assert (row["persons"], row["clients"]) == (8, 2)
    wilson = stats.wilson(2, 8)
    assert row["conversion_attributed"] == pytest.approx(25)
    assert (row["conversion_attributed_low"], row["conversion_attributed_high"]) == pytest.approx(
        (100 * wilson.low, 100 * wilson.high)
    )
    with pytest.raises(ParameterError, match="clients"):
        ipk.score(frame, clients=clients.drop(columns="persons"))


def test_normalised_forms() -> None:
    frame = events(6, participants=[10, 20, 30, 40, 50, 60], external_cost=1000.0, staff_hours=2.0)
    exposure = pd.DataFrame({"center_id": ["01"], "population": [50_000], "staff_fte": [10], "floor_area_m2": [0]})
    row = only(frame, exposure=exposure, rates=costs.Rates(500, 0.1))
    total = 6 * 2 + 210 + 6 * 16
    assert row["per_event"] == pytest.approx(total / 6)
    assert row["per_participant"] == pytest.approx(total / 210)
    assert row["per_1000_people"] == pytest.approx(total / 50)
    assert row["per_employee"] == pytest.approx(total / 10)
    assert np.isnan(row["per_m2"])
    assert row["cost"] == pytest.approx(6 * (1000 + 1.1 * 1000))
    assert row["per_1000_roubles"] == pytest.approx(total / 12.6)
    assert row["per_employee_low"] == pytest.approx(row["low"] / 10)
    expected = stats.ratio(2 + frame["participants"] + 16, frame["participants"])
    assert (row["per_participant_low"], row["per_participant_high"]) == pytest.approx((expected.low, expected.high))
    with pytest.raises(ParameterError, match="exposure"):
        only(frame, exposure=pd.concat([exposure, exposure]))


def test_ranks_by_a_fixed_size_may_turn_the_order_and_use_the_scaled_limits() -> None:
    frame = events(40, center_id=["01"] * 30 + ["02"] * 10)
    exposure = pd.DataFrame({"center_id": ["01", "02"], "staff_fte": [100.0, 2.0]})
    by_sum = ipk.score(frame, "centre", exposure=exposure)
    by_size = ipk.score(frame, "centre", exposure=exposure, rank_by="per_employee")
    assert by_sum.rows["rank"].tolist() == [1, 2]
    assert by_size.rows["rank"].tolist() == [2, 1]
    assert (by_size.pairs, by_size.pairs_apart) == (1, 1)
    assert by_size.rows["group"].tolist() == ["б", "а"]
    assert (
        ipk.score(frame, "centre", rank_by="per_employee").rows["reason"].tolist()
        == ["нет величины, на которую делится индекс"] * 2
    )
    with pytest.raises(ParameterError, match="rank_by"):
        ipk.score(frame, "centre", rank_by="per_event")


def test_small_counts_are_withheld_with_what_would_give_them_away() -> None:
    frame = events(11, center_id=["01"] * 5 + ["02"] * 5 + ["03"], reviews=[4] * 10 + [3])
    found = ipk.score(frame, "centre", rule=Rule()).rows.set_index("center_id")
    assert found["reviews_hidden"].sum() == 2
    assert found.loc["03", ["ipk", "reviews_term", "participants_share", "per_event", "mean_rating"]].isna().all()
    assert found.loc["03", "participants"] == 20
    internal = ipk.score(frame, "centre", rule=Rule(mode="internal")).rows.set_index("center_id")
    assert internal.loc["03", "ipk"] == pytest.approx(2 + 20 + 12)
    assert internal.loc["03", "ipk_hidden"]


one_event = st.tuples(
    st.integers(0, 300),
    st.floats(0.5, 1.5),
    st.floats(1, 3),
    st.integers(0, 80),
    st.floats(1, 5),
    st.sampled_from(["01", "02", "03"]),
)


def frame_of(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["participants", "engagement", "weight", "reviews", "mean_rating", "center_id"])


@settings(max_examples=25, deadline=None)
@given(st.lists(one_event, min_size=1, max_size=30), st.randoms())
def test_the_index_is_additive_over_events_and_blind_to_their_order(
    rows: list[tuple[object, ...]], random: object
) -> None:
    frame = frame_of(rows)
    whole = ipk.score(frame).rows.iloc[0]
    by_centre = ipk.score(frame, "centre").rows
    for term in ("ipk", "events_term", "participants_term", "reviews_term", "events", "participants", "reviews"):
        assert by_centre[term].sum() == pytest.approx(whole[term])
    plain = sum(w + p * e + r * m for p, e, w, r, m, _ in rows)  # type: ignore[operator]
    assert whole["ipk"] == pytest.approx(plain)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = ipk.score(frame_of(shuffled), "centre").rows
    pd.testing.assert_frame_equal(by_centre, again, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.lists(one_event, min_size=6, max_size=20), st.integers(2, 5))
def test_terms_and_limits_scale_with_the_counts(rows: list[tuple[object, ...]], k: int) -> None:
    frame = frame_of(rows)
    larger = frame.assign(participants=frame["participants"] * k, reviews=frame["reviews"] * k)
    one, other = ipk.score(frame).rows.iloc[0], ipk.score(larger).rows.iloc[0]
    assert other["participants_term"] == pytest.approx(k * one["participants_term"])
    assert other["reviews_term"] == pytest.approx(k * one["reviews_term"])
    assert other["events_term"] == pytest.approx(one["events_term"])
    assert one["low"] <= one["ipk"] <= one["high"]
