from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import methodology
from kcrr_analysis.demo import DemoData, Truth
from kcrr_analysis.demo.events import expected_new_clients


@pytest.fixture(scope="module")
def events(full: DemoData) -> pd.DataFrame:
    return full.tables["events"]


def test_recorded_weight_is_the_default_of_the_methodology(events: pd.DataFrame) -> None:
    library = methodology.tools()
    for tool in Truth().event_tools:
        assert library[tool.tool_id].default_weight == tool.default_weight
        assert 1 <= tool.true_weight <= 3
    assert set(events["tool_id"]) == {tool.tool_id for tool in Truth().event_tools}
    assert any(abs(tool.true_weight - tool.default_weight) > 0.5 for tool in Truth().event_tools)


def test_bounds(events: pd.DataFrame) -> None:
    assert events["engagement"].between(0.5, 1.5).all()
    assert (events["reviews"] <= events["participants"]).all()
    assert (events["new_clients"] <= events["participants"]).all()
    assert (events["reach"] >= events["participants"]).all()
    assert events["date"].between("2022-11-01", "2025-10-31").all()
    gaps = events["engagement"].between(0.7, 0.8, inclusive="neither")
    assert 0 < gaps.mean() < 0.1, "a few values stand between the bands"


def test_stars_agree_with_reviews_and_mean(events: pd.DataFrame) -> None:
    stars = events[[f"rating_{k}" for k in range(1, 6)]]
    known = stars.notna().all(axis=1)
    count = stars[known].astype(int).to_numpy()
    assert (count.sum(axis=1) == events.loc[known, "reviews"]).all()
    mean = (count @ np.arange(1, 6)) / count.sum(axis=1)
    assert np.allclose(mean, events.loc[known, "mean_rating"], atol=0.005)
    assert events.loc[events["reviews"] == 0, "mean_rating"].isna().all()


def test_true_weights_and_bands_are_recovered_by_regression(events: pd.DataFrame) -> None:
    """Weighted least squares on the model's own terms; the mean of a Poisson count is its variance."""
    truth = Truth()
    model = truth.new_clients
    band = np.digitize(events["engagement"], [0.75, 1.25 + 1e-9])
    stars = events["reviews"].astype(float) * events["mean_rating"].fillna(0)
    tools = [tool.tool_id for tool in truth.event_tools]
    design = np.column_stack(
        [
            *(events["tool_id"] == tool for tool in tools),
            *(np.where(band == k, events["participants"], 0) for k in range(3)),
            stars,
        ]
    ).astype(float)
    count = events["new_clients"].to_numpy(float)
    fitted = np.full(len(count), count.mean())
    for _ in range(5):
        scaled = design / np.sqrt(fitted)[:, None]
        estimate = np.linalg.lstsq(scaled, count / np.sqrt(fitted), rcond=None)[0]
        fitted = np.maximum(design @ estimate, 0.2)
    error = np.sqrt(np.diag(np.linalg.inv(scaled.T @ scaled)))
    expected = np.array(
        [model.per_weight * tool.true_weight for tool in truth.event_tools]
        + [model.per_participant * value for value in (model.band_low, model.band_medium, model.band_high)]
        + [model.per_star]
    )
    assert (np.abs(estimate - expected) < 4 * error).all()
    assert (error[: len(tools)] < 0.6).all(), "the default set is large enough to tell the classes apart"


def test_new_clients_have_the_declared_mean(events: pd.DataFrame) -> None:
    expected = expected_new_clients(events, Truth())
    assert events["new_clients"].sum() / expected.sum() == pytest.approx(1, abs=4 / np.sqrt(expected.sum()))


def test_split_events_are_placed_as_declared(full: DemoData, events: pd.DataFrame) -> None:
    pairs = full.truth["split_events"]
    assert len(pairs) == 8
    for pair in pairs:
        rows = events[events["event_id"].isin(pair["event_ids"])]
        assert len(rows) == 2
        assert rows[["center_id", "tool_id", "theme", "client_group"]].nunique().eq(1).all()
        assert abs((rows["date"].iloc[0] - rows["date"].iloc[1]).days) == 1


def test_chains_join_two_events_of_one_centre(events: pd.DataFrame) -> None:
    chains = events.dropna(subset="chain_id").groupby("chain_id")
    assert len(chains) > 50
    assert (chains["event_id"].count() == 2).all()
    assert (chains["center_id"].nunique() == 1).all()


def test_partners_belong_to_the_region_and_group(full: DemoData, events: pd.DataFrame) -> None:
    pairs = set(full.tables["partners"][["partner_id", "client_group"]].itertuples(index=False, name=None))
    given = events.dropna(subset="partner_id")
    assert len(given) > 500
    assert set(given[["partner_id", "client_group"]].itertuples(index=False, name=None)) <= pairs
