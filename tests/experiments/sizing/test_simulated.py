"""Simulated power: exact level without an effect, agreement with the closed form, thinning within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.mechanism import Allowed, Criterion
from kcrr_analysis.experiments.periods import schedule
from kcrr_analysis.experiments.sizing.closed_form import power
from kcrr_analysis.experiments.sizing.simulated import simulated_power

CHANCE = np.random.default_rng(11)
SIZES = np.array([60, 80, 120, 200, 90, 300, 75, 150, 110, 500, 95, 130], dtype=float)
CASES = CHANCE.binomial(SIZES.astype(int), CHANCE.beta(0.3 * 49, 0.7 * 49, 12)).astype(float)
TWELVE = Allowed(np.repeat([0, 1], 6))


def test_without_an_effect_it_errs_as_often_as_it_may() -> None:
    """All assignments are equally likely, so the error is exactly 46/924 whatever the data."""
    found = simulated_power(CASES, SIZES, TWELVE, effect=0.0, runs=1500, seed=1)
    assert found.power.low <= 46 / 924 <= found.power.high
    assert (found.added, found.units, found.counts) == (0, 12, (6, 6))
    assert found.smallest_p == pytest.approx(2 / 924)


def test_agrees_with_the_closed_form_where_its_assumptions_hold() -> None:
    """Normal outcomes, equal sizes: centres drawn anew from many, so that the past is the population."""
    chance = np.random.default_rng(3)
    rho, size, effect, reached, runs = 0.05, 50, 0.45, 0, 25
    for number in range(runs):
        sums = size * chance.normal(0, np.sqrt(rho), 16) + chance.normal(0, np.sqrt(size * (1 - rho)), 16)
        past = simulated_power(
            sums, np.full(16, size), Allowed(np.repeat([0, 1], 8)), effect=effect, outcome="mean", runs=60, draws=499,
            seed=number,
        )  # fmt: skip
        reached += past.power.estimate * 60
    closed = power("mean", sd=1, effect=effect, clusters=8, size=size, icc=rho)
    # the standard error of 25 pasts of 16 centres, 60 assignments each, is about 0.03
    assert reached / (60 * runs) == pytest.approx(closed.power, abs=0.09)


def test_a_share_stays_a_share() -> None:
    high = np.floor(SIZES * 0.97)
    found = simulated_power(high, SIZES, TWELVE, effect=0.2, runs=60, draws=199)
    assert found.added < 0.04
    assert "effect_cut" in found.notes
    low = simulated_power(CASES, SIZES, TWELVE, effect=-0.2, runs=60, draws=199)
    assert low.added == pytest.approx(-0.2, abs=0.01)
    assert low.estimate == pytest.approx(-0.2, abs=0.03)


@pytest.mark.parametrize(("outcome", "effect"), [("proportion", 0.1), ("count", 0.1), ("count", -0.1), ("mean", 2.5)])
def test_the_effect_added_is_the_effect_found(outcome: str, effect: float) -> None:
    found = simulated_power(CASES, SIZES, TWELVE, effect=effect, outcome=outcome, runs=300, draws=99, seed=2)
    assert found.added == pytest.approx(effect)
    assert found.estimate == pytest.approx(effect, abs=4 * found.se / np.sqrt(300))


def test_resampling_speaks_of_centres_like_these() -> None:
    fixed, drawn = (
        simulated_power(CASES, SIZES, TWELVE, effect=0.1, runs=400, draws=199, resample=resample, seed=4)
        for resample in (False, True)
    )
    assert drawn.resampled
    assert drawn.power.estimate != fixed.power.estimate
    assert drawn.se == pytest.approx(fixed.se, rel=0.5)


def test_three_against_three_never_shows_anything() -> None:
    found = simulated_power(CASES[:6], SIZES[:6], Allowed(np.repeat([0, 1], 3)), effect=0.6, runs=50)
    assert found.power.estimate == 0
    assert found.smallest_p == pytest.approx(0.1)
    assert "unattainable" in found.notes


def test_margins_and_directions() -> None:
    shared = {"runs": 200, "draws": 199, "seed": 5}
    wide = simulated_power(CASES, SIZES, TWELVE, effect=0.0, aim="not_worse", margin=0.3, **shared)
    narrow = simulated_power(CASES, SIZES, TWELVE, effect=0.0, aim="not_worse", margin=0.02, **shared)
    equal = simulated_power(CASES, SIZES, TWELVE, effect=0.0, aim="equivalent", margin=0.3, **shared)
    assert wide.power.estimate > 0.9 > 0.5 > narrow.power.estimate
    assert equal.power.estimate <= wide.power.estimate
    gain = simulated_power(CASES, SIZES, TWELVE, effect=0.2, aim="not_worse", margin=0.05, **shared)
    loss = simulated_power(
        SIZES - CASES, SIZES, TWELVE, effect=-0.2, aim="not_worse", margin=0.05, better="lower", **shared
    )
    assert gain.power.estimate == pytest.approx(loss.power.estimate, abs=0.1)


def test_strata_covariates_and_rerandomisation_are_used() -> None:
    level = CASES / SIZES
    plain = simulated_power(CASES, SIZES, TWELVE, effect=0.08, runs=300, draws=199, seed=6)
    adjusted = simulated_power(CASES, SIZES, TWELVE, effect=0.08, covariates=level, runs=300, draws=199, seed=6)
    assert adjusted.power.estimate > plain.power.estimate
    order = np.argsort(level)
    strata = np.empty(12, dtype=int)
    strata[order] = np.arange(12) // 2
    codes = np.empty(12, dtype=int)
    codes[order] = np.tile([0, 1], 6)
    paired = simulated_power(CASES, SIZES, Allowed(codes, strata), effect=0.08, runs=100, draws=199, seed=6)
    assert paired.smallest_p == pytest.approx(2 / 64)
    assert paired.se < plain.se
    balanced = Allowed(codes, None, Criterion(level[:, None], 0.5))
    redrawn = simulated_power(CASES, SIZES, balanced, effect=0.08, runs=40, draws=199, seed=6)
    assert redrawn.se < plain.se


def test_stepped_wedge_by_its_own_analysis() -> None:
    chance = np.random.default_rng(7)
    people = np.repeat(SIZES[:, None], 4, axis=1)
    level = chance.beta(0.3 * 49, 0.7 * 49, (12, 1)) * np.array([1, 1.1, 0.9, 1.2])
    cases = chance.binomial(people.astype(int), level).astype(float)
    table = schedule(Design(cluster="center_id", method="stepped_wedge", waves=3), 4)
    waves = Allowed(np.repeat([0, 1, 2], 4))
    shared = {"schedule": table, "runs": 100, "draws": 199, "seed": 8}
    without = simulated_power(cases, people, waves, effect=0.0, **shared)
    with_effect = simulated_power(cases, people, waves, effect=0.1, **shared)
    assert without.power.low <= 0.05
    assert with_effect.power.estimate > 0.5
    assert with_effect.estimate == pytest.approx(0.1, abs=0.02)


def test_estimand_per_center() -> None:
    found = simulated_power(CASES, SIZES, TWELVE, effect=0.15, estimand="center", runs=100, draws=199)
    assert found.estimate == pytest.approx(0.15, abs=0.05)


def test_progress_seed_and_frame() -> None:
    seen: list[tuple[int, int]] = []
    shared = {"effect": 0.1, "runs": 120, "draws": 99, "seed": 9}
    one = simulated_power(CASES, SIZES, TWELVE, progress=lambda done, runs: seen.append((done, runs)), **shared)
    assert seen == [(50, 120), (100, 120)]
    other = simulated_power(CASES, SIZES, TWELVE, **shared)
    assert other == one
    frame = one.to_frame()
    assert (frame.loc[0, "counts"], frame.loc[0, "runs"]) == ("6,6", 120)
    assert frame.loc[0, "low"] < frame.loc[0, "power"] < frame.loc[0, "high"]


def test_centres_without_people_take_no_part() -> None:
    sizes, cases = SIZES.copy(), CASES.copy()
    sizes[0], cases[0] = 0, np.nan
    found = simulated_power(cases, sizes, TWELVE, effect=0.3, runs=50, draws=99)
    assert np.isfinite(found.estimate)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"total": CASES[:5]}, "не подходят"),
        ({"total": CASES + 0.5}, "целым"),
        ({"total": SIZES + 1}, "не может быть больше"),
        ({"outcome": "ratio"}, "вид исхода"),
        ({"aim": "not_worse"}, "границу"),
        ({"runs": 0}, "Число прогонов"),
        ({"alpha": 2}, "уровень значимости"),
        ({"estimand": "persons"}, "оценивается"),
        ({"schedule": np.array([[0, 1], [0, 0]])}, "× периоды"),
    ],
)
def test_wrong_arguments(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        simulated_power(**({"total": CASES, "n": SIZES, "allowed": TWELVE, "effect": 0.1, "runs": 10} | changed))
