"""Formats by engagement, what a rouble brings, what drives the index, the guard before reward."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import costs, ipk, stats
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.ipk import Scheme, formats, units
from kcrr_analysis.ipk.bursts import bursts
from kcrr_analysis.ipk.drivers import drivers, spearman
from kcrr_analysis.ipk.score import prepare
from kcrr_analysis.ipk.withheld import protect
from kcrr_analysis.methodology import load


def made(
    frame: pd.DataFrame, by: tuple[str, ...], clients: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, units.Units]:
    rows = prepare(frame, Scheme(), rates=costs.Rates(1000.0), clients=clients, dictionary=load()).rows
    cut = units.summed(rows, by, level=0.95, least=5)
    return rows, protect(units.summed(rows, (), level=0.95, least=5).rows, {"cut": cut}, None)["cut"]


def sample() -> pd.DataFrame:
    random = np.random.default_rng(5)
    tool = np.repeat(["proftour", "webinar", "seminar", "smm"], [12, 12, 12, 3])
    mean = np.repeat([1.35, 0.7, 0.75, 0.6], [12, 12, 12, 3])
    return pd.DataFrame(
        {
            "event_id": [f"E{number}" for number in range(39)],
            "tool_id": tool,
            "client_group": "students",
            "weight": 2.0,
            "participants": random.integers(20, 60, 39),
            "engagement": mean + random.uniform(-0.1, 0.1, 39),
            "reviews": 0,
            "external_cost": np.repeat([20_000.0, 1000, 1000, 1000], [12, 12, 12, 3]),
            "staff_hours": 2.0,
        }
    )


def test_formats_are_ranked_by_engagement_within_the_group_and_few_events_have_no_rank() -> None:
    rows, cut = made(sample(), ("client_group", "tool_id"))
    found = formats.engagement(rows, cut, level=0.95, least=5).set_index("tool_id")
    assert found.loc["proftour", ["rank", "rank_low", "rank_high"]].tolist() == [1, 1, 1]
    assert found.loc[["webinar", "seminar"], "rank_high"].tolist() == [3, 3]
    assert set(found.loc["webinar", "letters"]) & set(found.loc["seminar", "letters"])
    assert found.loc["smm", "reason"] == "меньше 5 мероприятий"
    assert np.isnan(found.loc["smm", "rank"])
    own = rows[rows["tool_id"] == "webinar"]
    expected = stats.ratio(own["participants_term"], own["participants"])
    assert (found.loc["webinar", "low"], found.loc["webinar", "high"]) == pytest.approx((expected.low, expected.high))


def test_a_lone_format_of_a_group_has_an_interval_and_no_rank() -> None:
    frame = sample().query("tool_id == 'webinar'")
    rows, cut = made(frame, ("client_group", "tool_id"))
    row = formats.engagement(rows, cut, level=0.95, least=5).iloc[0]
    assert row["reason"] == "сравнить не с чем"
    assert row["low"] < row["mean_engagement"] < row["high"]


def test_what_a_rouble_and_an_hour_bring() -> None:
    clients = pd.DataFrame({"event_id": ["E12", "E13"], "persons": [5, np.nan], "clients": [3, np.nan]})
    rows, cut = made(sample(), ("tool_id",), clients)
    found = formats.yields(rows, cut, level=0.95, least=5).set_index("tool_id")
    own = rows[rows["tool_id"] == "webinar"]
    assert found.loc["webinar", "cost"] == 12 * 3000
    assert found.loc["webinar", "ipk_per_1000_roubles"] == pytest.approx(own["ipk"].sum() / 36)
    assert found.loc["webinar", "ipk_per_hour"] == pytest.approx(own["ipk"].sum() / 24)
    # the event whose window is open is in neither the clients nor the cost
    assert found.loc["webinar", "clients_per_1000_roubles"] == pytest.approx(3 / 33)
    assert found.loc["proftour", "compared"] == "меньше"
    assert found.loc["webinar", "compared"] == "больше"
    assert np.isnan(found.loc["smm", "ipk_per_hour_low"])
    assert found.loc["smm", "compared"] == ""


def test_without_costs_hours_and_clients_nothing_is_invented() -> None:
    frame = sample().drop(columns=["external_cost", "staff_hours"])
    rows, cut = made(frame, ("tool_id",))
    found = formats.yields(rows, cut, level=0.95, least=5)
    assert found[list(formats.YIELDS)].isna().all(axis=None)
    assert (found["compared"] == "").all()


def test_drivers_of_proportional_events_are_size_alone() -> None:
    frame = pd.DataFrame({"participants": [10, 20, 40], "engagement": 1.0, "weight": 1.0, "reviews": 0})
    rows = prepare(frame.assign(center_id=["1", "2", "3"]), Scheme(), rates=None, clients=None, dictionary=load()).rows
    found = drivers(rows, units.summed(rows, ("center_id",), level=0.95, least=5).rows)
    assert found.rank_correlation == found.unit_rank_correlation == pytest.approx(1)
    assert found.index_ratio == pytest.approx(41 / 11)
    assert found.participants_ratio == 4
    assert found.shares["participants_term"] == pytest.approx(100 * 70 / 73)
    assert found.size_dominates
    assert found.to_frame().iloc[0]["size_share"] == pytest.approx(100 * 70 / 73)


def test_a_hidden_unit_leaves_no_ratio_from_which_it_could_be_computed() -> None:
    rows = pd.DataFrame({"ipk": [10.0, np.nan, 30.0], "participants": [5.0, np.nan, 20.0]})
    found = drivers(pd.DataFrame({"ipk": [1.0], "participants": [1.0], "events_term": 1.0, "participants_term": 0.0,
                                  "reviews_term": 0.0}), rows)  # fmt: skip
    assert np.isnan(found.index_ratio)
    assert found.units == 2
    assert not found.size_dominates


def test_spearman_agrees_with_scipy_and_needs_variation() -> None:
    from scipy.stats import spearmanr

    random = np.random.default_rng(1)
    first, second = pd.Series(random.integers(0, 9, 40)), pd.Series(random.integers(0, 9, 40))
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert np.isnan(spearman(first[:2], second[:2]))
    assert np.isnan(spearman(first, first * 0))


def scored(**columns: object) -> ipk.Score:
    frame = pd.DataFrame(
        {
            "center_id": np.repeat(["01", "02", "03", "04"], [8, 8, 8, 2]),
            "weight": 2.0,
            "participants": 20,
            "engagement": 1.0,
            "reviews": 5,
            "mean_rating": np.repeat([4.5, 3.5, np.nan, 5.0], [8, 8, 8, 2]),
        }
    ).assign(**columns)
    exposure = pd.DataFrame({"center_id": ["01", "02", "03", "04"], "staff_fte": [10.0, 20, 5, 5]})
    return ipk.score(frame, "centre", exposure=exposure, rank_by="per_employee")


def test_reward_is_refused_on_figures_that_nobody_checked_and_on_the_raw_sum() -> None:
    with pytest.raises(NotComputableError, match="не отмечены как проверенные"):
        ipk.reward_basis(scored())
    with pytest.raises(ParameterError, match="прежде всего от размера"):
        ipk.reward_basis(scored(), audited=True, measure="ipk")
    with pytest.raises(ParameterError, match="порог качества"):
        ipk.reward_basis(scored(), audited=True, quality_floor=9)
    with pytest.raises(NotComputableError, match="exposure"):
        ipk.reward_basis(scored(), audited=True, measure="per_m2")


def test_reward_looks_at_the_normalised_figure_and_the_quality_floor() -> None:
    found = ipk.reward_basis(scored(), audited=True)
    rows = found.to_frame().set_index("center_id")
    assert rows["eligible"].to_dict() == {"01": True, "02": False, "03": False, "04": False}
    assert rows.loc["02", "reason"] == "средняя оценка ниже порога качества"
    assert rows.loc["03", "reason"] == "нет оценок: качество неизвестно"
    assert rows.loc["04", "reason"] == "меньше 5 мероприятий: интервала нет"
    assert rows.loc["01", "value"] == pytest.approx(8 * (2 + 20 + 22.5) / 10)
    assert rows.loc["01", "group"] != ""
    assert ipk.reward_basis(scored(), audited=True, measure="per_event").rows["group"].eq("").all()


def stream(counts: list[list[int]], first: str = "2025-01") -> tuple[pd.DataFrame, pd.PeriodIndex]:
    """Events of centres (rows) by month (columns)."""
    months = pd.period_range(first, periods=len(counts[0]), freq="M")
    rows = [(f"{centre}", month) for centre, of in enumerate(counts) for month, n in zip(months, of, strict=True)
            for _ in range(n)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["center_id", "month"])
    return frame.assign(date=frame["month"].dt.to_timestamp(), jump=range(len(frame))), months


def test_dispersion_agrees_with_scipy_s_chi_square() -> None:
    from scipy.stats import chi2_contingency

    counts = [[4, 1, 7, 3], [2, 9, 1, 5], [3, 3, 6, 2]]
    found = bursts(*stream(counts))
    expected = chi2_contingency(counts)
    assert found.index == pytest.approx(expected.statistic / expected.dof)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.events == 46


def test_a_random_stream_is_rarely_taken_for_bursts_and_bursts_are_seen() -> None:
    random = np.random.default_rng(8)
    calm = [bursts(*stream(random.poisson(1.5, (7, 12)).tolist())).found for _ in range(150)]
    wild = [bursts(*stream((3 * random.poisson(0.5, (7, 12))).tolist())).found for _ in range(20)]
    assert np.mean(calm) < 0.12
    assert np.mean(wild) > 0.95


def test_few_events_tell_nothing_of_bursts() -> None:
    found = bursts(*stream([[1, 2], [3, 1]]))
    assert np.isnan(found.index)
    assert not found.found
    assert np.isnan(bursts(*stream([[30, 20, 10]])).index)
