"""A/A on the past: the planned analysis keeps its level, a person-level test does not."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import aa_test

CHANCE = np.random.default_rng(7)
SIZES = CHANCE.integers(60, 600, 12).astype(float)
REACHED = CHANCE.binomial(SIZES.astype(int), CHANCE.beta(0.3 * 19, 0.7 * 19, 12)).astype(float)
CODES = np.array([0, 1] * 6)


def test_person_test_cries_wolf_and_the_planned_one_does_not() -> None:
    found = aa_test.placebo(REACHED, SIZES, Allowed(CODES))
    rate = found.rows.set_index("method")["rate"]
    assert found.exact
    assert 2 < rate["planned"] <= 5
    # measured for the kit with ICC 0.05 and 12 centres of 60-600: about 63 %
    assert rate["person_test"] > 40
    assert found.verdict == "passed"
    assert found.rows["runs"].tolist() == [924] * 3


def test_every_assignments_p_value_is_its_own() -> None:
    found = aa_test.placebo(REACHED, SIZES, Allowed(CODES))
    codes, _ = Allowed(CODES).reference()
    some = codes[::41]
    again = [randomisation.difference(REACHED, SIZES, Allowed(one)).p_value() for one in some]
    asked = aa_test.placebo(REACHED, SIZES, Allowed(CODES), analysis=lambda _: np.array(again))
    whole = found.rows.set_index("method").loc["planned", "rate"]
    # 23 of 924 assignments: three standard errors
    assert asked.rows["rate"].iloc[0] == pytest.approx(whole, abs=100 * 3 * np.sqrt(0.05 * 0.95 / len(some)))


def test_p_values_agree_with_scipy() -> None:
    codes, _ = Allowed(CODES).reference()
    member = (codes == 1).astype(float)
    means = aa_test._mean_test(REACHED / SIZES, member)
    gap, persons = aa_test._person_test(REACHED, SIZES, REACHED, member)
    for k in (0, 100, 500):
        one = codes[k] == 1
        share = REACHED / SIZES
        assert means[k] == pytest.approx(scipy.stats.ttest_ind(share[one], share[~one]).pvalue)
        samples = [
            np.r_[np.ones(int(REACHED[of].sum())), np.zeros(int((SIZES - REACHED)[of].sum()))] for of in (one, ~one)
        ]
        welch = scipy.stats.ttest_ind(*samples, equal_var=False)
        # Student with about 3,000 degrees of freedom against the normal distribution
        assert persons[k] == pytest.approx(welch.pvalue, abs=1e-3)
        assert gap[k] == pytest.approx(samples[0].mean() - samples[1].mean())


def test_many_centres_are_drawn_with_a_monte_carlo_interval() -> None:
    sizes = np.full(24, 50.0)
    reached = np.random.default_rng(1).binomial(50, 0.3, 24).astype(float)
    found = aa_test.placebo(reached, sizes, Allowed(np.array([0, 1] * 12)), runs=1000)
    assert not found.exact
    assert found.low <= found.statistic <= found.high
    assert found.low < 5 < found.high


def test_a_bad_analysis_fails() -> None:
    found = aa_test.placebo(REACHED, SIZES, Allowed(CODES), analysis=lambda codes: np.linspace(0, 0.2, len(codes)))
    assert found.statistic == pytest.approx(25, abs=0.2)
    assert found.verdict == "failed"


def test_other_outcomes_need_their_squares() -> None:
    allowed = Allowed(CODES)
    with pytest.raises(ParameterError, match="squares"):
        aa_test.placebo(10 * SIZES, SIZES, allowed)
    same = aa_test.placebo(REACHED, SIZES, allowed)
    found = aa_test.placebo(10 * REACHED, SIZES, allowed, squares=100 * REACHED)
    assert found.rows["rate"].tolist() == pytest.approx(same.rows["rate"].tolist())
    assert found.estimate == pytest.approx(10 * same.estimate)


def test_refusals_and_the_smallest_design() -> None:
    with pytest.raises(ParameterError, match="двух групп"):
        aa_test.placebo(REACHED, SIZES, Allowed(np.array([0, 1, 2] * 4)))
    found = aa_test.placebo(np.array([3.0, 4]), np.array([10.0, 10]), Allowed(np.array([0, 1])))
    assert found.rows.set_index("method").loc[["planned", "centre_means"], "rate"].tolist() == [0, 0]
