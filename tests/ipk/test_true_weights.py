"""The demo's true weights, bands and stars can be found in its events: what a calibrated scheme would put in place."""

from __future__ import annotations

import numpy as np
import yaml

from kcrr_analysis import tables
from tests.conftest import ROOT


def test_the_true_weights_of_the_formats_are_found_in_the_declared_new_clients() -> None:
    """Poisson regression with an identity link, all regions: new_clients = weight + 0.08 P e[band] + 0.01 stars."""
    truth = yaml.safe_load((ROOT / "data" / "demo" / "truth.yaml").read_text(encoding="utf-8"))
    events = tables.load("data/demo", only=["centers", "events"]).events
    tools = [tool["tool_id"] for tool in truth["event_tools"]]
    model = truth["new_clients"]
    engagement, people = events["engagement"].to_numpy(float), events["participants"].to_numpy(float)
    low, high = engagement < 0.75, engagement > 1.25
    bands = np.column_stack([people * low, people * ~(low | high), people * high])
    stars = events["reviews"].to_numpy(float) * events["mean_rating"].astype(float).fillna(0).to_numpy()
    design = np.column_stack([(events["tool_id"] == tool).to_numpy(float) for tool in tools])
    design = np.column_stack([design, bands, stars])
    clients = events["new_clients"].to_numpy(float)
    mean = np.maximum(clients, 1.0)
    for _ in range(20):
        root = 1 / np.sqrt(mean)
        found = np.linalg.lstsq(design * root[:, None], clients * root, rcond=None)[0]
        mean = np.maximum(design @ found, 0.1)
    spread = np.linalg.inv(design.T @ (design / mean[:, None]))
    per = model["per_participant"]
    declared = np.array(
        [tool["true_weight"] * model["per_weight"] for tool in truth["event_tools"]]
        + [per * model[f"band_{band}"] for band in ("low", "medium", "high")]
        + [model["per_star"]]
    )
    gap = found - declared
    chi2 = float(gap @ np.linalg.solve(spread, gap))
    # 18 parameters: 99.9 % of chi-square lie under 42.3; and the recorded classes (1, 2, 3) would not pass
    assert chi2 < 42.3
    recorded = declared.copy()
    recorded[: len(tools)] = [tool["default_weight"] for tool in truth["event_tools"]]
    gap = found - recorded
    assert float(gap @ np.linalg.solve(spread, gap)) > 42.3
