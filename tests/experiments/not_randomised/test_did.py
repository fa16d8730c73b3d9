"""Difference-in-differences with few treated units: by hand, published values, level and coverage."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.not_randomised.did import difference_in_differences, placebo_starts
from kcrr_analysis.experiments.not_randomised.panel import Panel, panel
from tests.bench import not_randomised

DATA = Path(__file__).parent / "data"


def of(values: np.ndarray, treated: int, start: int) -> Panel:
    """The first units treated."""
    units, periods = values.shape
    first = np.where(np.arange(units) < treated, start, periods)
    return Panel(tuple(f"{n:02d}" for n in range(units)), tuple(range(periods)), values, values, first, "level")


def california() -> Panel:
    sales = pd.read_csv(DATA / "cigarette_sales.csv", comment="#").melt("Year", var_name="state", value_name="packs")
    return panel(sales, outcome="packs", treated=["California"], start=1989, unit="state", period="Year")


def test_the_estimate_by_hand() -> None:
    values = np.array([[1.0, 3, 10, 12], [2, 2, 3, 3], [0, 4, 6, 6]])
    found = difference_in_differences(of(values, 1, 2))
    assert found.estimate == pytest.approx((11 - 2) - ((3 - 2) + (6 - 2)) / 2)
    assert (found.treated_before, found.treated_after) == (2, 11)
    assert (found.controls_before, found.controls_after) == (2, 4.5)
    assert (found.treated, found.controls, found.start, found.before, found.after) == (("00",), ("01", "02"), 2, 2, 2)
    assert found.course["treated"].tolist() == [1, 3, 10, 12]


def test_proposition_99() -> None:
    """-27.3 in Arkhangelsky et al. (2021), AER 111:4088, table 1; -27.35 by R's synthdid and Stata's sdid."""
    found = difference_in_differences(california())
    assert found.estimate == pytest.approx(-27.35, abs=0.005)
    assert found.smallest_p == 1 / 39
    # by ranks of the unscaled contrast: California is one of the most extreme, but not alone
    alike = difference_in_differences(california(), own_noise=False)
    assert alike.p_value > 1 / 39
    # what the parallel-trends assumption is worth here: earlier dates give the same sign and a good part of the size
    assert (found.placebo_dates["estimate"] < -5).all()
    assert (found.placebo_dates["p_value"] <= 0.05).any()


def test_one_of_twelve_is_never_significant() -> None:
    values = np.random.default_rng(1).normal(size=(12, 24))
    values[0, 18:] += 1000
    found = difference_in_differences(of(values, 1, 18))
    assert found.p_value == found.smallest_p == pytest.approx(1 / 12)
    assert not found.attainable
    assert not found.significant
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_an_effect_moves_estimate_and_interval_alike() -> None:
    values = np.random.default_rng(2).normal(size=(30, 30))
    none = difference_in_differences(of(values, 2, 24))
    moved = values.copy()
    moved[:2, 24:] += 7
    some = difference_in_differences(of(moved, 2, 24))
    for name in ("estimate", "low", "high"):
        assert getattr(some, name) - getattr(none, name) == pytest.approx(7)
    assert some.significant
    assert some.p_value == pytest.approx(1 / math.comb(30, 2))


def test_common_shocks_and_levels_do_not_matter() -> None:
    chance = np.random.default_rng(3)
    values = chance.normal(size=(20, 20))
    shifted = values + chance.normal(size=(20, 1)) * 100 + np.linspace(0, 50, 20)
    columns = ["estimate", "low", "high", "p_value"]
    base, moved = (difference_in_differences(of(one, 2, 15)).to_frame()[columns] for one in (values, shifted))
    assert moved.to_numpy() == pytest.approx(base.to_numpy())


@pytest.mark.parametrize("place", ["any", "noisiest", "quietest"])
def test_the_level_holds_under_autocorrelation_wherever_the_noise_is(place: str) -> None:
    """5 % of 600 runs, two standard errors 1.8 points; units' standard deviations differ 3.2 times."""
    share = not_randomised.false_positives(600, autocorrelation=0.5, treated=place, seed=7).share
    assert 0.025 <= share <= 0.075


def test_alike_noise_finds_effects_in_noisy_units() -> None:
    """What own noise protects from: the plain contrast of two noisy units is extreme four times as often."""
    assert not_randomised.false_positives(400, autocorrelation=0.5, treated="noisiest", seed=7, own=False).share > 0.12


def test_the_interval_covers_the_effect() -> None:
    """95 % nominal, 500 runs: two standard errors 2 points."""
    assert 0.92 <= not_randomised.coverage(500, seed=11) <= 0.98


def test_earlier_dates_are_read_from_the_past_alone() -> None:
    values = np.random.default_rng(4).normal(size=(20, 24))
    one = difference_in_differences(of(values, 2, 18)).placebo_dates
    values[:2, 18:] += 100
    assert difference_in_differences(of(values, 2, 18)).placebo_dates.equals(one)
    assert one["start"].tolist() == placebo_starts(18) == [3, 6, 9, 12, 15]
    assert placebo_starts(5) == []
    first = one.iloc[0]
    change = values[:, 3:18].mean(axis=1) - values[:, :3].mean(axis=1)
    assert first["estimate"] == pytest.approx(change[:2].mean() - change[2:].mean())


def test_short_histories_take_units_for_alike() -> None:
    values = np.random.default_rng(5).normal(size=(20, 8))
    assert not difference_in_differences(of(values, 2, 3)).own_noise
    assert difference_in_differences(of(values, 2, 4)).own_noise


def test_different_starts_and_levels_are_refused() -> None:
    values = np.random.default_rng(6).normal(size=(5, 8))
    several = Panel(tuple("abcde"), tuple(range(8)), values, values, np.array([3, 4, 8, 8, 8]), "level")
    with pytest.raises(ParameterError, match="в разное время"):
        difference_in_differences(several)
    with pytest.raises(ParameterError, match="Доверительный уровень"):
        difference_in_differences(of(values, 1, 3), alpha=0)
