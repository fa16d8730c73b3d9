"""Synthetic control: Proposition 99 as published, the weights' optimality, placebo ranks and limits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.not_randomised.panel import Panel
from kcrr_analysis.experiments.not_randomised.synthetic import simplex_weights, synthetic_control
from tests.bench.not_randomised import made, noise
from tests.experiments.not_randomised.test_did import california

DATA = Path(__file__).parent / "data"


def predictors(panel: Panel) -> pd.DataFrame:
    table = pd.read_csv(DATA / "cigarette_predictors.csv", comment="#", index_col="state")
    for year in (1975, 1980, 1988):
        table[f"sales_{year}"] = panel.values[:, panel.periods.index(year)]
    return table


def test_proposition_99_with_the_papers_predictors() -> None:
    """Abadie, Diamond & Hainmueller (2010), table 2, figures 3 and 8.

    Weights as published to 0.005: the importance of the predictors was found by minimising the error before 1989, as in
    the paper, but within bounds and rounded to one digit; the paper finds it anew for every placebo run.
    """
    panel = california()
    table = predictors(panel)
    importance = {"lnincome": 0.0009, "retprice": 1.0, "age15to24": 1.0, "beer": 0.04, "sales_1975": 1.0,
                  "sales_1980": 0.0009, "sales_1988": 0.1}  # fmt: skip
    found = synthetic_control(panel, predictors=table, importance=importance)
    published = {"Utah": 0.334, "Nevada": 0.234, "Montana": 0.199, "Colorado": 0.164, "Connecticut": 0.069}
    assert found.weights.set_index("unit")["weight"].to_dict() == pytest.approx(published, abs=0.005)
    course = found.course.set_index("period")
    assert course.loc[2000, "gap"] == pytest.approx(-26, abs=0.5)  # «about 26 packs lower» in 2000
    assert found.effect == pytest.approx(-19, abs=0.5)  # «almost 20 packs» on average over 1989-2000
    assert found.error_before**2 == pytest.approx(3, abs=0.2)  # mean squared error before 1989: about 3
    assert found.rank == 1
    assert found.p_value == pytest.approx(1 / 39)  # 0.026 in the paper
    assert set(found.left_out_donors["unit"]) == set(published)
    assert (found.left_out_donors["effect"] < -10).all()


def test_proposition_99_matched_on_every_year() -> None:
    """Stata's sdid with method(sc) gives -19.48, R's synthdid -19.62 (it shrinks the weights a little)."""
    found = synthetic_control(california())
    assert found.effect == pytest.approx(-19.5, abs=0.15)
    assert found.weights["unit"].tolist()[:4] == ["Utah", "Montana", "Nevada", "Connecticut"]
    # without the predictors two states with a closer fit before have larger ratios
    assert found.rank == 3
    assert found.p_value == pytest.approx(3 / 39)
    assert found.placebos["treated"].tolist().index(True) == 2
    assert (found.runs, found.donors, found.exact, found.unique) == (39, 38, True, True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 15))
def test_weights_are_the_nearest_point(seed: int, donors: int, features: int) -> None:
    chance = np.random.default_rng(seed)
    target, points = chance.normal(size=features), chance.normal(size=(donors, features)) + chance.normal(size=features)
    weights = simplex_weights(target, points)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    # no direction towards a donor comes nearer (the condition of Frank and Wolfe)
    rest = weights @ points - target
    assert (points @ rest).min() >= rest @ (weights @ points) - 1e-7 * (1 + np.abs(points).max() ** 2)


def test_a_mixture_is_found_again() -> None:
    values = noise(np.random.default_rng(1), 8, 20, 0.5)
    values[0] = 0.25 * values[3] + 0.75 * values[5]
    values[0, 15:] += 4
    found = synthetic_control(made(values, [0], 15))
    assert found.weights.set_index("unit")["weight"].to_dict() == pytest.approx({"05": 0.75, "03": 0.25})
    assert found.course["gap"].to_numpy() == pytest.approx([0] * 15 + [4] * 5, abs=1e-9)
    assert found.effect == pytest.approx(4)
    assert found.rank == 1


def test_limits_are_the_constant_effects_that_the_rank_does_not_refuse() -> None:
    values = noise(np.random.default_rng(2), 24, 20, 0.3)
    values[0, 15:] += 3
    base = synthetic_control(made(values, [0], 15), alpha=0.1)
    assert base.low < base.effect < base.high
    for effect, refused in ((base.low - 1e-6, True), (base.low + 1e-6, False), (base.high - 1e-6, False),
                            (base.high + 1e-6, True)):  # fmt: skip
        shifted = values.copy()
        shifted[0, 15:] -= effect
        assert (synthetic_control(made(shifted, [0], 15)).p_value <= 0.1) is refused
    assert synthetic_control(made(values[:10], [0], 15)).low == -math.inf


def test_a_course_that_no_constant_effect_explains_has_no_limits() -> None:
    values = noise(np.random.default_rng(3), 30, 20, 0.3)
    values[0, 15:] += [50, -50, 50, -50, 50]
    assert math.isnan(synthetic_control(made(values, [0], 15)).low)


def test_the_level_holds_without_an_effect() -> None:
    chance = np.random.default_rng(4)
    p = np.array([synthetic_control(made(noise(chance, 20, 16, 0.3), [4], 12)).p_value for _ in range(300)])
    assert 0.02 <= (p <= 0.05).mean() <= 0.085
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_several_treated_units_are_followed_by_their_mean() -> None:
    values = noise(np.random.default_rng(5), 9, 16, 0.3)
    values[:2, 12:] += 6
    found = synthetic_control(made(values, [0, 1], 12))
    assert found.course["treated"].to_numpy() == pytest.approx(values[:2].mean(axis=0))
    assert (found.runs, found.exact) == (1 + 21, True)
    few = synthetic_control(made(values, [0, 1], 12), placebos=10)
    assert (few.runs, few.exact) == (11, False)
    assert few.smallest_p == 1 / 11
    assert len(few.to_frame()) == 16


def test_degenerate_cases() -> None:
    values = np.ones((5, 6))
    found = synthetic_control(made(values, [0], 4))
    assert found.effect == 0
    assert found.ratio == 0
    assert found.p_value == 1
    values[0, 4:] += 1
    assert synthetic_control(made(values, [0], 4)).ratio == math.inf


def test_faults() -> None:
    values = noise(np.random.default_rng(6), 5, 8, 0.3)
    with pytest.raises(NotComputableError, match="хотя бы два центра"):
        synthetic_control(made(values[:2], [0], 4))
    with pytest.raises(NotComputableError, match="два периода"):
        synthetic_control(made(values, [0], 1))
    panel = made(values, [0], 4)
    table = pd.DataFrame({"x": np.arange(5.0)}, index=panel.units)
    with pytest.raises(ParameterError, match="нет центров: 04"):
        synthetic_control(panel, predictors=table[:4])
    with pytest.raises(ParameterError, match="есть пропуски"):
        synthetic_control(panel, predictors=table.replace(2.0, np.nan))
    with pytest.raises(ParameterError, match="неизвестных предикторов: y"):
        synthetic_control(panel, predictors=table, importance={"y": 1})
