"""Callaway & Sant'Anna: published values, two-by-two cases by hand, level with few units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.not_randomised.did import difference_in_differences
from kcrr_analysis.experiments.not_randomised.group_time import GroupTime
from kcrr_analysis.experiments.not_randomised.panel import Panel
from kcrr_analysis.experiments.not_randomised.staggered import staggered
from tests.bench.not_randomised import made, noise

YEARS = (2003, 2004, 2005, 2006, 2007)


def counties() -> Panel:
    """Counties with exactly the published example's means and covariances by group: estimates depend on no more."""
    moments = pd.read_csv(Path(__file__).parent / "data" / "minimum_wage_moments.csv", comment="#")
    chance = np.random.default_rng(0)
    blocks, first = [], []
    for group, rows in moments.groupby("group"):
        n = int(rows["counties"].iloc[0])
        covariance = rows[[f"cov_{year}" for year in YEARS]].to_numpy()
        raw = chance.normal(size=(n, len(YEARS)))
        raw -= raw.mean(axis=0)
        white = np.linalg.solve(np.linalg.cholesky(raw.T @ raw / n), raw.T).T
        blocks.append(white @ np.linalg.cholesky(covariance).T + rows["mean"].to_numpy())
        first += [YEARS.index(group) if group else len(YEARS)] * n
    values = np.concatenate(blocks)
    names = tuple(f"{n:03d}" for n in range(len(values)))
    return Panel(names, YEARS, values, values, np.array(first), "log")


# README of the R package did 2.5 (outcome regression, xformla = ~1, never-treated controls): estimates and bootstrapped
# standard errors, which move by some 5 % from run to run
ATT = {
    (2004, 2004): (-0.0105, 0.0241), (2004, 2005): (-0.0704, 0.0313), (2004, 2006): (-0.1373, 0.0380),
    (2004, 2007): (-0.1008, 0.0337), (2006, 2004): (0.0065, 0.0223), (2006, 2005): (-0.0028, 0.0196),
    (2006, 2006): (-0.0046, 0.0188), (2006, 2007): (-0.0412, 0.0202), (2007, 2004): (0.0305, 0.0154),
    (2007, 2005): (-0.0027, 0.0168), (2007, 2006): (-0.0311, 0.0190), (2007, 2007): (-0.0261, 0.0182),
}  # fmt: skip
DYNAMIC = {
    -3: (0.0305, 0.0153), -2: (-0.0006, 0.0136), -1: (-0.0245, 0.0138), 0: (-0.0199, 0.0115), 1: (-0.0510, 0.0174),
    2: (-0.1373, 0.0356), 3: (-0.1008, 0.0354),
}  # fmt: skip
GROUPS = {2004: (-0.0797, 0.0277), 2006: (-0.0229, 0.0172), 2007: (-0.0261, 0.0177)}
OVERALL = {"dynamic": (-0.0772, 0.0196), "group": (-0.0310, 0.0123)}


def test_the_published_example_of_minimum_wages() -> None:
    found = staggered(counties())
    assert found.inference == "bootstrap"
    tables = (
        (found.group_time.set_index(["group", "period"]), ATT),
        (found.dynamic.set_index("relative"), DYNAMIC),
        (found.groups.set_index("group"), GROUPS),
        (found.overall.set_index("kind"), OVERALL),
    )
    for table, published in tables:
        for key, (estimate, se) in published.items():
            assert table.loc[key, "estimate"] == pytest.approx(estimate, abs=6e-5), key
            assert table.loc[key, "se"] == pytest.approx(se, rel=0.1), key
    assert set(found.group_time["controls"]) == {309}
    # the weighted average over groups and periods, by hand from the published cells
    weights = {2004: 20, 2006: 40, 2007: 131}
    after = {key: value for key, (value, _) in ATT.items() if key[1] >= key[0]}
    simple = sum(weights[g] * value for (g, _), value in after.items()) / sum(weights[g] for g, _ in after)
    assert found.simple["estimate"] == pytest.approx(simple, abs=1e-4)
    assert found.simple["estimate"] == pytest.approx(-0.0400, abs=6e-5)


def test_bands_are_as_wide_as_published() -> None:
    """Half-widths of the simultaneous 95 % bands over standard errors: 2.67 over the table, 2.53 over times."""
    found = staggered(counties())
    for table, width in ((found.group_time, 2.67), (found.dynamic, 2.53)):
        assert ((table["high"] - table["low"]) / 2 / table["se"]).to_numpy() == pytest.approx(width, abs=0.2)
    # did's own Wald test of the same pre-periods: 0.168
    assert 0.05 < found.pretrend_p < 0.5


def test_controls_not_yet_treated_by_hand() -> None:
    model = counties()
    found = staggered(model, control="not_yet").group_time.set_index(["group", "period"])
    first, values = model.first, model.values
    own, later = first == 1, first > 2
    change = values[:, 2] - values[:, 0]
    assert found.loc[(2004, 2005), "estimate"] == pytest.approx(change[own].mean() - change[later].mean())
    assert found.loc[(2004, 2005), "controls"] == later.sum()
    assert found.loc[(2007, 2006), "controls"] == 309


def test_one_start_is_the_difference_from_the_last_period_before() -> None:
    values = noise(np.random.default_rng(1), 10, 5, 0.3)
    found = staggered(made(values, [0, 1], 3))
    for at in (3, 4):
        pair = difference_in_differences(made(values[:, [2, at]], [0, 1], 1))
        row = found.group_time.set_index("period").loc[at]
        assert row["estimate"] == pytest.approx(pair.estimate)
    assert found.simple["estimate"] == pytest.approx(found.overall["estimate"].to_numpy())


def staggered_panel(values: np.ndarray, starts: list[int]) -> Panel:
    panel = made(values, [0], starts[0])
    first = np.full(len(values), values.shape[1])
    first[: len(starts)] = starts
    return Panel(panel.units, panel.periods, values, values, first, "level")


def test_growing_effects_are_averaged_rightly() -> None:
    """Effect = periods since the start + 1: what a two-way regression gets wrong."""
    values = np.zeros((12, 8)) + np.arange(8)
    for unit, start in enumerate((3, 3, 6)):
        values[unit, start:] += np.arange(8 - start) + 1
    found = staggered(staggered_panel(values, [3, 3, 6]))
    assert found.dynamic.set_index("relative")["estimate"].to_dict() == pytest.approx(
        {**dict.fromkeys(range(-5, 0), 0.0), 0: 1, 1: 2, 2: 3, 3: 4, 4: 5}
    )
    assert found.groups["estimate"].tolist() == pytest.approx([3, 1.5])
    assert found.groups["units"].tolist() == [2, 1]
    overall = found.overall.set_index("kind")["estimate"]
    assert overall["group"] == pytest.approx((2 * 3 + 1.5) / 3)
    assert overall["simple"] == pytest.approx((2 * 15 + 3) / (2 * 5 + 2))
    assert overall["dynamic"] == pytest.approx(3)
    assert overall["calendar"] == pytest.approx((1 + 2 + 3 + (2 * 4 + 1) / 3 + (2 * 5 + 2) / 3) / 5)


def test_few_units_are_judged_by_choices_and_keep_their_level() -> None:
    chance = np.random.default_rng(2)
    scale = np.geomspace(0.5, 2, 24)
    refused = 0
    for _ in range(200):
        values = noise(chance, 24, 6, 0.5, chance.permutation(scale))
        found = staggered(staggered_panel(values, [4, 4, 5]), draws=199)
        assert found.inference == "placebo"
        refused += found.simple["p_value"] <= 0.05
    assert 0.02 <= refused / 200 <= 0.095


def test_an_effect_moves_the_placebo_interval_with_it() -> None:
    values = noise(np.random.default_rng(3), 24, 14, 0.5)
    panel = staggered_panel(values, [8, 8, 11])
    moved = values + 5.0 * (np.arange(14) >= panel.first[:, None])
    none, some = staggered(panel), staggered(staggered_panel(moved, [8, 8, 11]))
    for name in ("estimate", "low", "high"):
        assert some.simple[name] - none.simple[name] == pytest.approx(5)
    assert some.smallest_p < 0.01
    assert some.pretrend_p == none.pretrend_p


def test_influence_functions_agree_with_a_bootstrap_of_units() -> None:
    panel = counties()
    model = GroupTime.of(panel, "never")
    effect = model.simple()
    se = np.sqrt((model.influence(effect) ** 2).sum()) / len(model.codes)
    chance = np.random.default_rng(4)
    drawn = []
    for _ in range(300):
        rows = chance.integers(0, len(model.codes), len(model.codes))
        again = GroupTime(model.values[rows], model.codes[rows], model.starts, "never")
        drawn.append(again.estimate(again.simple()))
    assert se == pytest.approx(np.std(drawn), rel=0.15)


def test_faults_and_frame() -> None:
    panel = staggered_panel(noise(np.random.default_rng(5), 12, 8, 0.3), [3, 5])
    with pytest.raises(ParameterError, match="Значение «all» неизвестно"):
        staggered(panel, control="all")  # type: ignore[arg-type]
    with pytest.raises(NotComputableError, match="единственный центр"):
        staggered(panel, inference="bootstrap")
    frame = staggered(panel).to_frame()
    assert set(frame["table"]) == {"overall", "group", "dynamic", "calendar", "group_time"}
    first = staggered_panel(noise(np.random.default_rng(6), 12, 3, 0.3), [1])
    assert np.isnan(staggered(first).pretrend_p)
