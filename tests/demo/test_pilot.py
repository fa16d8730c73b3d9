from __future__ import annotations

import numpy as np
import pytest

from kcrr_analysis.demo import DemoData, Truth
from kcrr_analysis.demo.pilot import pilot_arm
from kcrr_analysis.demo.regions import calendar, region


def test_the_effect_is_recovered_by_the_means_of_centres(full: DemoData) -> None:
    row, results = full.tables["pilots"].iloc[0], full.tables["pilot_results"]
    assert row["units"].split(";") == list(full.tables["centers"]["center_id"]) == list(results["center_id"])
    assert row["assignment"].split(";") == list(results["arm"])
    share = (results["applied"] / results["clients"]).to_numpy(dtype=float)
    treated = (results["arm"] == "new_format").to_numpy()
    difference = share[treated].mean() - share[~treated].mean()
    error = np.sqrt(share[treated].var(ddof=1) / treated.sum() + share[~treated].var(ddof=1) / (~treated).sum())
    assert abs(difference - Truth().pilot.effect) < 3.5 * error
    assert error < 0.05


def test_centres_are_halved_within_their_region() -> None:
    dates = calendar(3)
    for number in range(1, 12):
        treated = pilot_arm(region(number, f"{number:02d}", 3, dates), Truth()).treated
        assert abs(sum(treated) - len(treated) / 2) <= 0.5


def test_the_declared_icc_is_recovered_over_many_regions() -> None:
    """One-way analysis of variance of control centres: ICC = (MSB - MSW) / (MSB + (m - 1) MSW)."""
    dates, truth = calendar(3), Truth()
    arms = [pilot_arm(region(number, f"{number:02d}", 3, dates), truth) for number in range(1, 90)]
    control = ~np.concatenate([arm.treated for arm in arms])
    n = np.concatenate([arm.clients for arm in arms])[control].astype(float)
    share = np.concatenate([arm.applied for arm in arms])[control] / n
    grand, k = np.average(share, weights=n), len(n)
    between = (n * (share - grand) ** 2).sum() / (k - 1)
    within = (n * share * (1 - share)).sum() / (n.sum() - k)
    size = (n.sum() - (n**2).sum() / n.sum()) / (k - 1)
    icc = (between - within) / (between + (size - 1) * within)
    assert icc == pytest.approx(truth.pilot.icc, abs=0.02)
    assert grand == pytest.approx(truth.pilot.control, abs=0.025)
