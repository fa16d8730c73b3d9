"""Outcomes of the power calculation: variances, proportional odds, win probability."""

from __future__ import annotations

import numpy as np
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.sizing.outcome_models import OutcomeModel, proportional_odds, shifted, win_probability

CONTROL = (0.2, 0.5, 0.2, 0.1)


def test_proportional_odds_of_whiteheads_example() -> None:
    """Whitehead (1993), section 2: log odds ratio 0.887 turns the control's shares into these."""
    found = proportional_odds(CONTROL, np.exp(-0.887))  # his categories are ordered from best to worst
    assert found == pytest.approx([0.378, 0.472, 0.106, 0.044], abs=0.0006)
    assert proportional_odds(CONTROL, 1) == pytest.approx(CONTROL)


def test_win_probability_counts_ties_half() -> None:
    assert win_probability([0.5, 0.5], [0.5, 0.5]) == 0.5
    assert win_probability([1, 0], [0, 1]) == 1
    # pairs by hand: 0.3*0.4*1/2 + 0.7*(0.4 + 0.6/2)
    assert win_probability([0.4, 0.6], [0.3, 0.7]) == pytest.approx(0.3 * 0.2 + 0.7 * (0.4 + 0.3))


def test_shift_to_a_win_probability() -> None:
    for effect in (-0.2, 0.0, 0.13):
        assert win_probability(CONTROL, shifted(CONTROL, effect)) == pytest.approx(0.5 + effect, abs=1e-9)
    with pytest.raises(ParameterError, match="невозможен"):
        shifted([0.01, 0.99], 0.4)


def test_variances() -> None:
    assert OutcomeModel("proportion", 0.2).variances(0.1) == pytest.approx((0.16, 0.21))
    assert OutcomeModel("count", 2.0, overdispersion=1.5).variances(1.0) == pytest.approx((3.0, 4.5))
    assert OutcomeModel("mean", sd=3).variances(9) == (9, 9)
    assert OutcomeModel("ratio", 0.4, sd=2).variances(0.1) == (4, 4)
    assert OutcomeModel("proportion", 0.2).pooled(0.1, (1, 3)) == pytest.approx(0.275 * 0.725)
    assert OutcomeModel("mean", sd=3).pooled(0.1, (1, 1)) is None


def test_variance_of_the_win_probability_is_that_of_the_rank_sum_test() -> None:
    """Simulated under no effect: variance of the win probability is v (1/n1 + 1/n0), ties as in the data."""
    chance, n, runs = np.random.default_rng(2), 40, 4000
    shares = np.array(CONTROL)
    counts = chance.multinomial(n, shares, size=(2, runs))
    below = np.cumsum(counts[0], axis=1) - counts[0] / 2
    wins = (counts[1] * below).sum(1) / n**2
    expected = OutcomeModel("ordinal", CONTROL).variances(0.0)[0] * 2 / n
    assert wins.var() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "propotion", "baseline": 0.1}, "имелось в виду «proportion»"),
        ({"kind": "mean"}, "стандартное отклонение"),
        ({"kind": "ratio", "sd": 0}, "стандартное отклонение"),
        ({"kind": "proportion"}, "долю без нового формата"),
        ({"kind": "proportion", "baseline": 1}, "долю без нового формата"),
        ({"kind": "count", "baseline": 0}, "число событий"),
        ({"kind": "count", "baseline": 1, "overdispersion": 0}, "Избыточная"),
        ({"kind": "ordinal", "baseline": (0.5, 0.6)}, "сумма долей"),
        ({"kind": "ordinal", "baseline": 1.0}, "сумма долей"),
    ],
)
def test_wrong_outcomes(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        OutcomeModel(**arguments)


def test_effects_beyond_the_bounds() -> None:
    with pytest.raises(ParameterError, match=r"Допустимо больше -0\.2 и меньше 0\.8"):
        OutcomeModel("proportion", 0.2).variances(0.8)
    with pytest.raises(ParameterError, match="Эффект -3"):
        OutcomeModel("count", 2.0).variances(-3)
    with pytest.raises(ParameterError, match="Отношение шансов"):
        proportional_odds(CONTROL, 0)
