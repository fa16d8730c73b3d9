"""Random effects over regions: published values of the BCG trials, properties, coverage."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.pool import pool

# Colditz et al. (1994), 13 trials of the BCG vaccine (dat.bcg): cases and others among vaccinated and not vaccinated
CASES = np.array([4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27])
HEALTHY = np.array([119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886])
CASES_0 = np.array([11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29])
HEALTHY_0 = np.array([128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825])
LOG_RR = np.log(CASES / (CASES + HEALTHY)) - np.log(CASES_0 / (CASES_0 + HEALTHY_0))
SE = np.sqrt(1 / CASES - 1 / (CASES + HEALTHY) + 1 / CASES_0 - 1 / (CASES_0 + HEALTHY_0))


def test_bcg_vaccine_by_reml() -> None:
    """R metafor, rma(yi, vi) and confint() of dat.bcg, as printed in Viechtbauer (2010), J Stat Softw 36(3).

    -0.7145 (se 0.1798), tau^2 0.3132 (0.1197 to 1.1115), I^2 92.22 %, Q(12) = 152.2330. The printed se is the one
    without Hartung and Knapp's factor.
    """
    found = pool(LOG_RR, SE)
    assert found.estimate.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert found.tau2.estimate == pytest.approx(0.3132, abs=5e-5)
    assert (found.tau2.low, found.tau2.high) == pytest.approx((0.1197, 1.1115), abs=5e-5)
    assert found.i2 == pytest.approx(92.2214, abs=5e-5)
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    weight = 1 / (SE**2 + found.tau2.estimate)
    assert 1 / np.sqrt(weight.sum()) == pytest.approx(0.1798, abs=5e-5)
    assert found.regions["weight"].sum() == pytest.approx(100)


def test_hartung_and_knapps_error_by_its_definition() -> None:
    """Hartung & Knapp (2001): weighted squares over (k - 1) times the sum of weights, written out."""
    found = pool(LOG_RR, SE)
    tau2, mean = found.tau2.estimate, found.estimate.estimate
    squares = total = 0.0
    for y, se in zip(LOG_RR, SE, strict=True):
        squares += (y - mean) ** 2 / (se**2 + tau2)
        total += 1 / (se**2 + tau2)
    error = np.sqrt(squares / (12 * total))
    assert not found.guarded
    half = scipy.stats.t.ppf(0.975, 12) * error
    assert (found.estimate.low, found.estimate.high) == pytest.approx((mean - half, mean + half))
    reach = scipy.stats.t.ppf(0.975, 11) * np.sqrt(tau2 + error**2)
    assert found.prediction == pytest.approx((mean - reach, mean + reach))
    assert found.estimate.p == pytest.approx(2 * scipy.stats.t.sf(abs(mean) / error, 12))


def test_reml_is_the_largest_restricted_likelihood() -> None:
    def minus(tau2: float) -> float:
        total = SE**2 + tau2
        mean = (LOG_RR / total).sum() / (1 / total).sum()
        return float(np.log(total).sum() + np.log((1 / total).sum()) + ((LOG_RR - mean) ** 2 / total).sum())

    best = scipy.optimize.minimize_scalar(minus, bounds=(0, 5), method="bounded", options={"xatol": 1e-10})
    assert pool(LOG_RR, SE).tau2.estimate == pytest.approx(best.x, abs=1e-6)


def test_paule_mandel_makes_q_its_expectation() -> None:
    found = pool(LOG_RR, SE, method="paule_mandel")
    weight = 1 / (SE**2 + found.tau2.estimate)
    mean = (weight * LOG_RR).sum() / weight.sum()
    assert (weight * (LOG_RR - mean) ** 2).sum() == pytest.approx(12)
    assert found.tau2.estimate == pytest.approx(0.3181, abs=5e-5)


def test_equal_errors_are_the_one_sample_t_test() -> None:
    y = np.array([1.0, 3.0, 4.5, 2.0, 7.0])
    found = pool(y, np.full(5, 0.4))
    known = scipy.stats.ttest_1samp(y, 0)
    assert found.estimate.p == pytest.approx(known.pvalue)
    assert (found.estimate.low, found.estimate.high) == pytest.approx(tuple(known.confidence_interval()))
    assert found.tau2.estimate == pytest.approx(y.var(ddof=1) - 0.16)


effects = st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 20)), min_size=2, max_size=9)


@given(effects, st.sampled_from(["reml", "paule_mandel"]))
@settings(max_examples=150, deadline=None)
def test_never_narrower_than_the_common_effect_and_prediction_never_narrower_than_the_mean(
    rows: list[tuple[float, float]], method: str
) -> None:
    y, se = np.array(rows).T
    found = pool(y, se, method=method)
    assert found.estimate.high - found.estimate.low >= found.common.high - found.common.low
    assert y.min() - 1e-9 <= found.estimate.estimate <= y.max() + 1e-9
    assert found.tau2.estimate >= 0
    assert 0 <= found.tau2.low <= found.tau2.high
    assert 0 <= found.i2 < 100
    if len(rows) > 2:
        assert found.prediction[0] <= found.estimate.low + 1e-9
        assert found.prediction[1] >= found.estimate.high - 1e-9
    moved = pool(3 - 2 * y, 2 * se, method=method)
    assert moved.estimate.estimate == pytest.approx(3 - 2 * found.estimate.estimate, abs=1e-5)
    assert moved.tau2.estimate == pytest.approx(4 * found.tau2.estimate, rel=1e-5, abs=1e-6)


def test_leaving_a_region_out_is_pooling_the_others() -> None:
    found = pool(LOG_RR, SE)
    for place in (0, 7):
        rest = pool(np.delete(LOG_RR, place), np.delete(SE, place)).estimate
        row = found.regions.iloc[place]
        assert (row["without"], row["without_low"], row["without_high"]) == pytest.approx(
            (rest.estimate, rest.low, rest.high)
        )


def test_two_regions_have_no_prediction_and_say_so() -> None:
    found = pool([1.0, 2.0], [0.5, 0.5], ["А", "Б"])
    assert np.isnan(found.prediction).all()
    assert found.estimate.df == 1
    assert found.regions["without"].isna().all()
    assert any("два" in note for note in found.notes)
    assert any("не указаны" in note for note in found.notes)


def test_alike_regions_keep_the_errors_they_came_with() -> None:
    found = pool([1.0, 1.01, 0.99, 1.0], [0.5, 0.5, 0.5, 0.5])
    assert found.guarded
    assert found.tau2.estimate == 0
    assert found.estimate.se == pytest.approx(0.25)


def test_few_degrees_of_freedom_widen_the_errors_by_students_variance() -> None:
    found = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5], df=[4, 6, np.nan])
    assert found.regions["se_used"].to_numpy() == pytest.approx(0.5 * np.sqrt([2.0, 1.5, 1.0]))
    own = found.regions["high"] - found.regions["estimate"]
    assert own.to_numpy() == pytest.approx(0.5 * scipy.stats.t.ppf(0.975, [4, 6, 1e9]))
    assert any("увеличены" in note for note in found.notes)


@pytest.mark.parametrize(("tau", "regions"), [(0.0, 6), (0.5, 6), (0.0, 3)])
def test_coverage_with_three_against_three_centres_in_each_region(tau: float, regions: int) -> None:
    """1,000 pilots, regions of unlike noise; a coverage of 95 % has a standard error of 0.7 %, of 92 % one of 0.9 %."""
    chance = np.random.default_rng(31)
    inside = ahead = 0
    runs = 1000
    noise = np.linspace(0.3, 1.2, regions)
    for _ in range(runs):
        true = chance.normal(0, tau, regions)
        y = true + noise * chance.normal(size=regions)
        se = noise * np.sqrt(chance.chisquare(4, regions) / 4)
        found = pool(y, se, df=4)
        inside += found.estimate.low <= 0 <= found.estimate.high
        ahead += found.prediction[0] <= chance.normal(0, tau) <= found.prediction[1]
    assert inside / runs >= 0.935
    assert ahead / runs >= (0.89 if tau else 0.95)


def test_frame_holds_regions_mean_and_prediction() -> None:
    frame = pool(LOG_RR, SE).to_frame()
    assert len(frame) == 15
    assert frame["row"].tolist() == ["region"] * 13 + ["mean", "prediction"]
    assert frame["level"].eq(0.95).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"estimates": [1.0], "ses": [1.0]}, NotComputableError, "Сводить нечего"),
        ({"estimates": [1.0, 2.0], "ses": [1.0]}, ParameterError, "по одной на регион"),
        ({"estimates": [1.0, np.nan], "ses": [1.0, 1.0]}, ParameterError, "положительная"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 0.0]}, ParameterError, "положительная"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 1.0], "labels": ["А", "А"]}, ParameterError, "без повторов"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 1.0], "method": "dl"}, ParameterError, "dl"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 1.0], "kind": "share"}, ParameterError, "share"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 1.0], "df": [2, 9]}, ParameterError, "не больше двух: Регион 1"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 1.0], "df": [4, 9, 9]}, ParameterError, "Степеней свободы 3"),
        ({"estimates": [1.0, 2.0], "ses": [1.0, 1.0], "level": 2}, ParameterError, "уровень"),
    ],
)
def test_what_cannot_be_pooled_is_refused(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        pool(**arguments)
