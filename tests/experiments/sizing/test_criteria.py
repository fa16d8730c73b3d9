"""Power of Student's test, of non-inferiority and equivalence against published values and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import nct, t

from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.randomisation import difference
from kcrr_analysis.experiments.sizing.criteria import critical, equivalence, most_extreme, superiority


@pytest.mark.parametrize("df", [1.0, 2.0, 5.5, 38.0, 400.0])
@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0, 6.0])
def test_superiority_is_the_non_central_t(df: float, shift: float) -> None:
    bound = float(t.ppf(0.975, df))
    assert superiority(shift, df, bound) == pytest.approx(nct.sf(bound, df, shift), abs=1e-5)


@pytest.mark.parametrize(
    ("variation", "n", "published"),
    # two one-sided tests in a 2x2 crossover, true ratio 0.95, limits 0.80-1.25: R package PowerTOST, power.TOST
    [(0.30, 40, 0.815845), (0.25, 28, 0.807439), (0.20, 20, 0.834680)],
)
def test_published_power_of_equivalence(variation: float, n: int, published: float) -> None:
    se = math.sqrt(2 / n * math.log(1 + variation**2))
    bound = critical(0.10, n - 2, aim="equivalent", sides=2, sizes=(1, 1))
    assert equivalence(math.log(0.95), math.log(1.25), se, n - 2, bound) == pytest.approx(published, abs=1e-6)


def test_equivalence_by_simulation_where_the_variance_is_badly_known() -> None:
    chance, df, se, effect, margin = np.random.default_rng(4), 6, 0.5, 0.3, 1.6
    bound = critical(0.05, df, aim="equivalent", sides=2, sizes=(1, 1))
    estimate = chance.normal(effect, se, 200_000)
    error = se * np.sqrt(chance.chisquare(df, 200_000) / df)
    shown = ((estimate + margin) / error > bound) & ((estimate - margin) / error < -bound)
    assert equivalence(effect, margin, se, df, bound) == pytest.approx(shown.mean(), abs=0.005)


def test_a_level_that_cannot_be_attained_has_no_power() -> None:
    bound = critical(0.0, 10, aim="difference", sides=2, sizes=(1, 1))
    assert math.isinf(bound)
    assert superiority(50, 10, bound) == 0
    assert equivalence(0, 1, 0.001, 10, bound) == 0


@pytest.mark.parametrize(("units", "paired"), [(4, False), (6, True)])
def test_power_where_only_the_most_extreme_assignment_counts(units: int, paired: bool) -> None:
    """The kit's own test is significant exactly then, and it happens as often as computed."""
    chance, shift = np.random.default_rng(6), 3.0
    codes = np.tile([0, 1], units)
    allowed = Allowed(codes, np.repeat(np.arange(units), 2) if paired else None)
    noise = np.sqrt(units / 2) / shift  # so that the effect is one
    drawn = chance.normal(codes, noise, (20_000, 2 * units))
    treated, control = drawn[:, 1::2], drawn[:, ::2]
    above = (treated > control).all(1) if paired else treated.min(1) > control.max(1)
    below = (treated < control).all(1) if paired else treated.max(1) < control.min(1)
    assert most_extreme(shift, units, paired=paired) == pytest.approx(above.mean(), abs=0.015)
    significant = [difference(row, np.ones(2 * units), allowed).p_value() <= 0.05 for row in drawn[:60]]
    assert significant == (above | below)[:60].tolist()


def test_margins_take_the_two_sided_interval() -> None:
    assert critical(0.05, 10, aim="not_worse", sides=2, sizes=(1, 1)) == pytest.approx(t.ppf(0.975, 10))
    assert critical(0.05, 10, aim="difference", sides=1, sizes=(1, 1)) == pytest.approx(t.ppf(0.95, 10))
