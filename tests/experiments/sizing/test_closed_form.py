"""Power, size and detectable effect against R, statsmodels, published designs and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import nct, t
from statsmodels.stats.power import FTestAnovaPower, TTestIndPower, TTestPower

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.sizing.autocorrelation import autocorrelation
from kcrr_analysis.experiments.sizing.closed_form import Power, of_design, power
from kcrr_analysis.experiments.sizing.icc import icc
from kcrr_analysis.experiments.sizing.outcome_models import proportional_odds, win_probability

CLUSTERS = {"outcome": "proportion", "baseline": 0.2, "size": 100, "cv": 0.65, "icc": 0.05}


def test_r_power_t_test() -> None:
    """Examples of R's help page of power.t.test."""
    assert power("mean", sd=1, effect=1, size=20).power == pytest.approx(0.8689528, abs=5e-8)
    assert power("mean", sd=1, effect=1, power=0.9).solution == pytest.approx(22.02110, abs=5e-6)
    one_sided = power("mean", sd=1, effect=1, power=0.9, sides=1)
    assert one_sided.solution == pytest.approx(17.84713, abs=2e-5)
    assert one_sided.persons == (18, 18)


def test_r_power_prop_test() -> None:
    """Examples of R's help page of power.prop.test."""
    assert power("proportion", baseline=0.5, effect=0.25, size=50).power == pytest.approx(0.7401659, abs=5e-8)
    assert power("proportion", baseline=0.5, effect=0.25, power=0.9).solution == pytest.approx(76.7, abs=0.05)
    found = power("proportion", baseline=0.5, power=0.9, size=50)
    assert 0.5 + found.effect == pytest.approx(0.8026, abs=5e-5)
    assert found.persons == (50, 50)


@given(st.floats(0.2, 1.2), st.integers(4, 100), st.sampled_from([0.01, 0.05, 0.1]), st.floats(0.5, 2.0))
@settings(max_examples=25, deadline=None)
def test_statsmodels_t_test_with_unequal_arms(effect: float, n: int, alpha: float, ratio: float) -> None:
    treated = max(2, round(n * ratio))
    found = power("mean", sd=1, effect=effect, size=(n, treated), alpha=alpha).power
    other = TTestIndPower().power(effect, n, alpha, ratio=treated / n, alternative="two-sided")
    assume(np.isfinite(other))
    # statsmodels counts significance in the wrong direction too
    wrong = TTestIndPower().power(-effect, n, alpha / 2, ratio=treated / n, alternative="larger")
    assert found == pytest.approx(other - np.nan_to_num(wrong), abs=1e-5)


def test_pairs_of_persons_are_the_paired_t_test() -> None:
    found = power("mean", sd=2, effect=1, size=15, method="matched_pairs", correlation=0.6).power
    other = TTestPower().power(1 / (2 * math.sqrt(2 * 0.4)), 15, 0.025, alternative="larger")
    assert found == pytest.approx(other, abs=1e-5)


def test_two_arms_without_correlation_are_persons() -> None:
    one = power("mean", sd=1, effect=0.5, clusters=500, size=1, icc=0.0)
    assert one.power == pytest.approx(power("mean", sd=1, effect=0.5, size=500).power)
    anova = FTestAnovaPower().power(0.25, 80, 0.05, 2)
    assert power("mean", sd=1, effect=0.5, size=40).power == pytest.approx(anova, abs=1e-4)


def test_whiteheads_ordinal_example() -> None:
    """Whitehead (1993): shares 0.2, 0.5, 0.2, 0.1, log odds ratio 0.887, power 90 %: 187 people in all.

    His formula is for the log odds ratio, ours for the win probability: they differ by 2 % at so large an effect.
    """
    control = (0.2, 0.5, 0.2, 0.1)
    treated = proportional_odds(control, math.exp(-0.887))
    found = power("ordinal", baseline=control, effect=win_probability(control, treated) - 0.5, power=0.9)
    assert 2 * found.solution == pytest.approx(187, rel=0.03)
    near = proportional_odds(control, math.exp(-0.05))
    whole = (np.array(control) + near) / 2
    formula = 6 * (1.959964 + 1.281552) ** 2 / (0.05**2 * (1 - (whole**3).sum()))
    found = power("ordinal", baseline=control, effect=win_probability(control, near) - 0.5, power=0.9)
    assert found.solution == pytest.approx(formula, rel=0.002)
    assert "proportional_odds" in found.assumptions


def test_ordinal_power_by_simulation_of_the_rank_sum_test() -> None:
    control = np.array([0.2, 0.5, 0.2, 0.1])
    treated, n, runs = proportional_odds(control, math.exp(-0.887)), 70, 6000
    chance = np.random.default_rng(8)
    a, b = chance.multinomial(n, control, runs), chance.multinomial(n, treated, runs)
    wins = (b * (np.cumsum(a, 1) - a / 2)).sum(1) / n**2
    ties = 1 - (((a + b) / (2 * n)) ** 3).sum(1)
    z = (wins - 0.5) / np.sqrt(ties / 12 * (2 * n + 1) / n**2)
    found = power("ordinal", baseline=control, effect=win_probability(control, treated) - 0.5, size=n)
    assert found.power == pytest.approx((z < -1.959964).mean(), abs=0.02)


def test_counts_with_overdispersion() -> None:
    """By hand: (z + z)^2 * phi * (l0 + l1) / (l1 - l0)^2."""
    found = power("count", baseline=2, effect=0.5, power=0.9, overdispersion=1.4)
    assert found.solution == pytest.approx((1.959964 + 1.281552) ** 2 * 1.4 * 4.5 / 0.25, rel=1e-6)


def test_non_inferiority_of_a_share() -> None:
    """By hand (Blackwelder 1982): 2 * 0.85 * 0.15 * (z + z)^2 / 0.1^2 = 267.9 persons an arm."""
    found = power("proportion", baseline=0.85, power=0.9, aim="not_worse", margin=0.1)
    assert found.solution == pytest.approx((1.959964 + 1.281552) ** 2 * 2 * 0.85 * 0.15 / 0.01, rel=1e-6)
    assert (found.persons, found.effect, found.margin) == ((268, 268), 0, 0.1)
    assert math.isnan(found.detectable)
    mirrored = power("proportion", baseline=0.15, power=0.9, aim="not_worse", margin=0.1, better="lower")
    assert mirrored.solution == pytest.approx(found.solution)
    worse = power("proportion", baseline=0.15, power=0.9, aim="not_worse", margin=0.1, better="lower", effect=0.04)
    assert worse.solution > 2 * found.solution


def test_the_effect_that_a_margin_needs() -> None:
    found = power("mean", sd=1, clusters=12, size=30, icc=0.02, power=0.8, aim="not_worse", margin=0.2)
    assert found.solved == "effect"
    again = power("mean", sd=1, clusters=12, size=30, icc=0.02, effect=found.effect, aim="not_worse", margin=0.2)
    assert again.power == pytest.approx(0.8)
    wide = power("proportion", baseline=0.05, clusters=12, size=200, icc=0.001, power=0.5, aim="not_worse", margin=0.2)
    assert wide.effect == pytest.approx(-0.05, abs=1e-6)  # even the worst share is not worse by the margin
    with pytest.raises(ParameterError, match="эффект не ищется"):
        power("mean", sd=1, clusters=12, size=30, icc=0.02, power=0.8, aim="equivalent", margin=0.2)


def test_equivalence_takes_more_than_non_inferiority() -> None:
    sizes = {"sd": 1, "clusters": 15, "size": 40, "icc": 0.01, "margin": 0.25}
    not_worse = power("mean", aim="not_worse", **sizes)
    equivalent = power("mean", aim="equivalent", **sizes)
    assert equivalent.power == pytest.approx(2 * not_worse.power - 1, abs=1e-6)  # symmetric at no effect
    assert equivalent.effect == 0


def test_clusters_by_hand() -> None:
    """6 v 6 of 100: variance 8.0625 * (0.16 + 0.21) / 600, t with 10 degrees of freedom at 46/924."""
    found = power(effect=0.1, clusters=6, **CLUSTERS)
    se = math.sqrt(8.0625 * 0.37 / 600)
    level = math.floor(0.05 * 462) / 462
    assert found.power == pytest.approx(nct.sf(t.ppf(1 - level / 2, 10), 10, 0.1 / se))
    assert (found.se, found.df, found.attainable) == pytest.approx((se, 10, level))
    assert found.smallest_p == pytest.approx(2 / 924)
    assert (found.clusters, found.size, found.persons) == ((6, 6), 100, (600, 600))
    assert found.design_effect == pytest.approx(8.0625)
    assert {"few_degrees_of_freedom", "icc_assumed"} <= set(found.notes)
    student = power(effect=0.1, clusters=6, inference="student", **CLUSTERS)
    assert student.power == pytest.approx(nct.sf(t.ppf(0.975, 10), 10, 0.1 / se))


def test_three_against_three_is_never_significant() -> None:
    found = power(effect=0.5, clusters=3, **CLUSTERS)
    assert (found.power, found.attainable, found.assurance) == (0, 0, 0)
    assert found.smallest_p == pytest.approx(0.1)
    assert math.isinf(found.critical)
    assert math.isnan(found.detectable)
    assert "unattainable" in found.notes
    assert power(effect=0.5, clusters=3, alpha=0.1, **CLUSTERS).power > 0
    with pytest.raises(NotComputableError, match="каким бы ни был эффект"):
        power(power=0.8, clusters=3, **CLUSTERS)
    with pytest.raises(NotComputableError, match="никогда не будет значимым"):
        power(outcome="proportion", baseline=0.2, effect=0.3, power=0.8, clusters=3, icc=0.05)


def test_four_against_four_is_judged_at_the_attainable_level() -> None:
    found = power(effect=0.3, clusters=4, **CLUSTERS)
    assert found.attainable == pytest.approx(2 / 70)
    assert "level_below_alpha" in found.notes
    assert found.power < power(effect=0.3, clusters=4, inference="student", **CLUSTERS).power


@given(st.floats(0.03, 0.2), st.floats(0.5, 0.95), st.floats(0.0, 0.1), st.sampled_from([(1, 1), (1, 2), (1, 1, 1)]))
@settings(max_examples=12, deadline=None)
def test_what_is_found_reaches_the_power(effect: float, goal: float, rho: float, arms: tuple[int, ...]) -> None:
    shared = {"outcome": "proportion", "baseline": 0.3, "icc": rho, "arms": arms, "effect": effect}
    found = power(power=goal, size=60, **shared)
    assert found.power >= goal - 1e-9
    assert found.solution <= found.clusters[0]
    again = power(clusters=found.clusters, size=60, **shared)
    assert again.power == pytest.approx(found.power)
    assert power(clusters=found.clusters, size=60, power=goal, **(shared | {"effect": None})).effect <= effect + 1e-6
    if found.clusters[0] > 8:  # beyond the steps of small reference sets
        fewer = [count - 1 for count in found.clusters]
        assert power(clusters=fewer, size=60, **shared).power < goal + 0.02


def test_size_of_clusters_and_its_limit() -> None:
    shared = {"outcome": "proportion", "baseline": 0.2, "effect": 0.1, "icc": 0.02}
    found = power(power=0.8, clusters=10, **shared)
    assert power(size=found.size, clusters=10, **shared).power >= 0.8
    assert power(size=found.size - 1, clusters=10, **shared).power < 0.8
    with pytest.raises(NotComputableError, match="наибольшая возможная"):
        power(power=0.8, clusters=5, **shared)


def test_detectable_effect_follows_the_wish() -> None:
    shared = {"outcome": "proportion", "baseline": 0.4, "icc": 0.02, "clusters": 12, "size": 80}
    up, down = (power(power=0.8, better=better, **shared) for better in ("higher", "lower"))
    assert up.effect > 0 > down.effect
    assert power(effect=down.effect, **shared).power == pytest.approx(0.8)
    assert power(effect=-0.02, **shared).detectable == pytest.approx(down.effect)
    with pytest.raises(NotComputableError, match="наибольший возможный"):
        power(power=0.9, **(shared | {"baseline": 0.97, "size": 5, "clusters": 4}))


def test_several_formats_share_the_error() -> None:
    """Four arms: Dunnett's critical value, 2.3885 with 92 degrees of freedom."""
    found = power("mean", sd=1, effect=0.3, clusters=24, size=100, icc=0.05, arms=4)
    assert found.critical == pytest.approx(2.3885, abs=1e-3)
    assert found.df == 92
    assert "dunnett" in found.assumptions
    assert found.power < power("mean", sd=1, effect=0.3, clusters=24, size=100, icc=0.05).power
    four = power("mean", sd=1, effect=0.3, clusters=4, size=100, icc=0.05, arms=4)
    assert four.smallest_p == pytest.approx(2 / 70)
    assert power("mean", sd=1, effect=3, clusters=3, size=100, icc=0.05, arms=4).power == 0


def test_stepped_wedge_of_five_waves() -> None:
    """By hand: variance of centre-period means within centres over the spread of the treatment."""
    found = power("mean", sd=1, effect=0.15, clusters=8, size=40, icc=0.05, method="stepped_wedge", arms=5)
    plan = (np.arange(6)[None, :] > np.arange(5)[:, None]).astype(float)
    cleaned = plan - plan.mean(1, keepdims=True) - plan.mean(0) + plan.mean()
    assert found.se == pytest.approx(math.sqrt(0.95 / 40 / (8 * (cleaned**2).sum())))
    assert (found.periods, found.clusters, found.persons) == (6, (8,) * 5, (1920,) * 5)
    assert found.df == 38
    assert "cac_assumed" in found.notes
    less = power("mean", sd=1, effect=0.15, clusters=8, size=40, icc=0.05, cac=0.7, method="stepped_wedge", arms=5)
    assert less.power < found.power
    found = power("mean", sd=1, effect=0.15, power=0.8, size=40, icc=0.05, method="stepped_wedge", arms=5)
    assert found.power >= 0.8


def test_an_estimated_autocorrelation() -> None:
    chance = np.random.default_rng(3)
    people = np.full((30, 6), 200)
    level = np.clip(0.4 + chance.normal(0, 0.1, (30, 1)) + chance.normal(0, 0.05, (30, 6)), 0.05, 0.95)
    found = autocorrelation(chance.binomial(people, level), people)
    shared = {"baseline": 0.4, "effect": 0.05, "clusters": 5, "size": 200, "icc": 0.05, "method": "stepped_wedge"}
    one, other = (power("proportion", arms=4, cac=cac, **shared) for cac in (found, found.cac.estimate))
    assert one.power == other.power
    assert "cac_assumed" in other.notes
    assert "cac_assumed" not in one.notes


def test_crossover_and_switchback() -> None:
    shared = {"outcome": "mean", "sd": 1, "effect": 0.25, "size": 30, "icc": 0.05, "cac": 0.8}
    crossover = power(clusters=6, method="crossover", periods=2, **shared)
    assert crossover.power > power(clusters=6, **shared).power
    # Giraudeau, Ravaud & Donner (2008): 1 + (m - 1) rho - m eta, against the same persons assigned one by one
    assert crossover.design_effect == pytest.approx(1 + 29 * 0.05 - 30 * 0.04)
    alone = power(clusters=1, method="switchback", periods=12, **shared)
    assert (alone.df, alone.persons) == (10, (360,))
    assert alone.smallest_p == pytest.approx(2 / math.comb(12, 6))
    pattern = power(clusters=6, method="crossover", pattern=[[0, 1, 0, 1], [1, 0, 1, 0]], **shared)
    assert pattern.periods == 4
    assert pattern.power > crossover.power


def test_looks_cost_the_inflation_factor() -> None:
    """Jennison & Turnbull, table 2.2: Pocock, five looks, power 0.9: 1.207 times the variance."""
    shared = {"outcome": "mean", "sd": 1, "effect": 0.3, "clusters": 20, "size": 50, "icc": 0.02}
    one, five = power(**shared), power(looks=5, boundary="pocock", target=0.9, **shared)
    assert (five.se / one.se) ** 2 == pytest.approx(1.207, abs=5e-4)
    assert "inflation_for_looks" in five.assumptions


HISTORY = icc([12, 30, 18, 25, 9, 40, 22, 31], [60, 90, 50, 90, 40, 100, 80, 70])


def test_an_uncertain_correlation() -> None:
    found = power("proportion", baseline=0.3, effect=0.15, clusters=12, size=70, icc=HISTORY)
    assert found.icc == HISTORY.value
    assert found.cv == pytest.approx(HISTORY.cv)
    assert found.power_low < found.assurance < found.power_high
    assert found.power_low < found.power < found.power_high
    ends = [
        power("proportion", baseline=0.3, effect=0.15, clusters=12, size=70, icc=float(end), cv=HISTORY.cv).power
        for end in (HISTORY.estimate.high, HISTORY.estimate.low)
    ]
    assert (found.power_low, found.power_high) == pytest.approx(tuple(ends))
    assert "icc_uncertain" in found.notes
    assert "icc_assumed" not in found.notes
    plain = power("proportion", baseline=0.3, effect=0.15, clusters=12, size=70, icc=0.02)
    assert plain.assurance == plain.power
    assert math.isnan(plain.power_low)


def test_assurance_and_upper_limit_ask_for_more_clusters() -> None:
    shared = {"outcome": "proportion", "baseline": 0.3, "effect": 0.15, "power": 0.8, "size": 70, "icc": HISTORY}
    plain, mean, worst = (power(basis=basis, **shared).clusters[0] for basis in ("estimate", "assurance", "high"))
    assert plain < mean < worst
    assert power(basis="assurance", **shared).assurance >= 0.8
    assert power(basis="high", **shared).power_low >= 0.8


def test_the_sd_of_a_mean_comes_from_the_history() -> None:
    chance = np.random.default_rng(1)
    label = np.repeat(np.arange(10), 30)
    history = icc(chance.normal(0, 2, 300) + chance.normal(0, 0.5, 10)[label], cluster=label)
    one = power("mean", effect=0.5, clusters=10, size=30, icc=history)
    other = power("mean", effect=0.5, clusters=10, size=30, icc=history, sd=history.sd)
    assert one == other


def test_the_frame_holds_all_fields() -> None:
    found = power(effect=0.1, clusters=6, **CLUSTERS)
    frame = found.to_frame()
    assert list(frame.columns) == list(Power.__dataclass_fields__)
    assert frame.loc[0, "clusters"] == "6,6"
    assert frame.loc[0, "notes"] == "few_degrees_of_freedom,icc_assumed"


def test_a_design_brings_its_method_and_arms() -> None:
    design = Design(cluster="center_id", arms={"control": 0.5, "a": 0.25, "b": 0.25})
    found = of_design(design, "mean", sd=1, effect=0.5, clusters=12, size=30, icc=0.02)
    assert found.clusters == (12, 6, 6)
    wedge = Design(cluster="center_id", method="stepped_wedge", waves=3)
    assert of_design(wedge, "mean", sd=1, effect=0.5, clusters=2, size=30, icc=0.02).periods == 4
    assert of_design(wedge, "mean", sd=1, effect=0.5, clusters=2, size=30, icc=0.02, periods=6).periods == 6
    washed = Design(cluster="center_id", method="crossover", block=2, washout=1)
    assert of_design(washed, "mean", sd=1, effect=0.5, clusters=4, size=30, icc=0.02).periods == 3
    persons = Design()
    assert of_design(persons, "mean", sd=1, effect=1, size=20).power == pytest.approx(0.8689528, abs=5e-8)
    assert design.power("mean", sd=1, effect=0.5, clusters=12, size=30, icc=0.02) == found
    with pytest.raises(ParameterError, match="назначает центры"):
        of_design(design, "mean", sd=1, effect=0.5, size=30)
    with pytest.raises(ParameterError, match="по одному"):
        of_design(persons, "mean", sd=1, effect=0.5, size=30, icc=0.1)
    with pytest.raises(ParameterError, match="задаёт дизайн"):
        of_design(design, "mean", arms=3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"clusters": 6, "effect": 0.1, "power": 0.8}, "заданы все"),
        ({"effect": 0.1}, "не заданы: мощность"),
        ({"clusters": 6}, "не заданы: мощность"),
        ({"clusters": 6, "effect": 0.0}, "Эффект равен нулю"),
        ({"clusters": 6, "effect": 0.9}, "невозможен"),
        ({"clusters": 6, "effect": 0.1, "method": "complet"}, "имелось в виду «complete»"),
        ({"clusters": 6, "effect": 0.1, "aim": "notworse"}, "not_worse"),
        ({"clusters": 6, "effect": 0.1, "margin": 0.1}, "только для"),
        ({"clusters": 6, "effect": 0.1, "aim": "not_worse"}, "Укажите границу"),
        ({"clusters": 6, "effect": 0.1, "alpha": 0}, "уровень значимости"),
        ({"clusters": 6, "power": 0.01}, "больше 0.05"),
        ({"clusters": 6, "effect": 0.1, "icc": 1.2}, "внутригрупповая"),
        ({"clusters": 6.5, "effect": 0.1}, "целые"),
        ({"clusters": 0, "effect": 0.1}, "целые числа от 1"),
        ({"clusters": (6, 6, 6), "effect": 0.1}, "размеров указано 3"),
        ({"clusters": 6, "effect": 0.1, "arms": 1}, "две группы"),
        ({"clusters": 6, "effect": 0.1, "icc": None}, "внутригрупповая корреляция"),
        ({"clusters": None, "effect": 0.1, "icc": None, "method": "stepped_wedge"}, "назначает центры во времени"),
        ({"clusters": 6, "effect": 0.1, "method": "switchback"}, "число периодов"),
        ({"clusters": 6, "effect": 0.1, "method": "stepped_wedge", "arms": 4, "periods": 3}, "от 5"),
        ({"clusters": 6, "effect": 0.1, "method": "complete", "pattern": [[0, 1]]}, "План по периодам"),
        ({"clusters": (6, 5), "effect": 0.1, "method": "matched_pairs"}, "число пар"),
        ({"clusters": 6, "effect": 0.1, "correlation": 1.0}, "корреляция в парах"),
        ({"clusters": 6, "effect": 0.1, "accept": 0}, "accept"),
        ({"clusters": 6, "effect": 0.1, "strata": 0}, "Число страт"),
        ({"clusters": 6, "effect": 0.1, "sides": 3}, "число сторон"),
        ({"clusters": 6, "effect": 0.1, "basis": "mean"}, "основа"),
        ({"clusters": 6, "effect": 0.1, "inference": "t"}, "способ вывода"),
        ({"clusters": 6, "effect": 0.1, "better": "up"}, "хорошее"),
    ],
)
def test_wrong_arguments(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        power(**(CLUSTERS | changed))


def test_too_few_to_estimate_the_error() -> None:
    with pytest.raises(NotComputableError, match="слишком мало"):
        power(effect=0.1, clusters=1, **CLUSTERS)
    with pytest.raises(NotComputableError, match="нет пределов"):
        power("proportion", baseline=0.3, effect=0.1, clusters=6, size=10, icc=icc([0, 20, 0, 30], [10, 20, 15, 30]))
