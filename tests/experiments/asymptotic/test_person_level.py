"""Effects with persons assigned: published values, statsmodels, simulations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from kcrr_analysis import stats
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.asymptotic.lin_adjustment import lin
from kcrr_analysis.experiments.asymptotic.moments import Moments, moments
from kcrr_analysis.experiments.asymptotic.person_level import difference, proportion, readout, win_probability


def rows(persons: int = 300, seed: int = 3, effect: float = 0.5) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    arm = (chance.random(persons) < 0.4).astype(int)
    before, other = chance.normal(5, 2, persons), chance.exponential(1, persons)
    y = 1 + effect * arm + 0.7 * before - 0.4 * other + chance.normal(size=persons) * (1 + arm)
    visits = chance.poisson(2 + arm) + 1
    return pd.DataFrame(
        {
            "arm": arm,
            "y": y,
            "before": before,
            "other": other,
            "visits": visits,
            "services": chance.poisson(0.8 * visits),
            "came": (chance.random(persons) < 0.3 + 0.1 * arm).astype(int),
        }
    )


def fitted(data: pd.DataFrame, formula: str, kind: str = "nonrobust") -> Any:
    import statsmodels.formula.api as smf

    return smf.ols(formula, data).fit(cov_type=kind)


# NSW job training, earnings in 1978 (LaLonde 1986; Dehejia & Wahba 1999; `nsw_mixtape` of the package causaldata
# 0.1.5): persons, means and variances by arm, control first.
NSW = Moments(
    arms=(0, 1),
    columns=("re78",),
    n=np.array([260, 185]),
    mean=np.array([[4554.8011], [6349.1435]]),
    covariance=np.array([[[30072466.6]], [[61896056.1]]]),
)


def test_nsw_job_training_from_its_summary() -> None:
    """Effect 1794.34, Neyman's standard error 671.0 (Imbens & Rubin 2015; known from many textbooks)."""
    found = difference(NSW, "re78", 1, 0)
    assert found.estimate.estimate == pytest.approx(1794.34, abs=0.01)
    assert found.estimate.se == pytest.approx(671.0, abs=0.05)
    assert found.n == (185, 260)


def test_nsw_job_training_from_its_rows() -> None:
    causaldata = pytest.importorskip("causaldata")
    data = causaldata.nsw_mixtape.load_pandas().data
    found = readout(data, "treat", ["re78"], control=0).effects[0]
    assert found.estimate.estimate == pytest.approx(1794.34, abs=0.01)
    assert found.estimate.se == pytest.approx(671.0, abs=0.05)


def test_without_covariates_it_is_welchs_test() -> None:
    data = rows()
    found = difference(moments(data, "arm", ["y"]), "y", 1, 0)
    welch = scipy.stats.ttest_ind(data["y"][data["arm"] == 1], data["y"][data["arm"] == 0], equal_var=False)
    assert (found.p, found.df) == pytest.approx((welch.pvalue, welch.df))
    assert (found.estimate.low, found.estimate.high) == pytest.approx(tuple(welch.confidence_interval()))
    assert found.p_value(0.2, "greater") == pytest.approx(
        scipy.stats.ttest_ind(
            data["y"][data["arm"] == 1] - 0.2, data["y"][data["arm"] == 0], equal_var=False, alternative="greater"
        ).pvalue
    )
    assert np.isnan(found.variance_reduction)


def test_the_adjusted_difference_is_the_regressions_coefficient() -> None:
    data = rows()
    found = difference(moments(data, "arm", ["y", "before", "other"]), "y", 1, 0, covariates=["before", "other"])
    known = fitted(data, "y ~ arm + before + other")
    assert found.estimate.estimate == pytest.approx(known.params["arm"])
    robust = fitted(data, "y ~ arm + before + other", "HC2")
    assert found.estimate.se == pytest.approx(robust.bse["arm"], rel=0.02)
    assert found.covariates == ("before", "other")
    assert 0.3 < found.variance_reduction < 0.8


def test_with_equal_spreads_it_is_the_analysis_of_covariance_exactly() -> None:
    """Equal arms whose residuals mirror each other have one variance: then the classical error and df are right."""
    chance = np.random.default_rng(9)
    x = chance.normal(size=12)
    e = chance.normal(size=12)
    data = pd.DataFrame(
        {"arm": np.repeat([0, 1], 12), "x": np.tile(x, 2) + np.repeat([0, 0.3], 12), "y": np.concatenate([e, 1 - e])}
    )
    data["y"] += 2 * data["x"]
    known = fitted(data, "y ~ arm + x")
    found = difference(moments(data, "arm", ["x", "y"]), "y", 1, 0, covariates=["x"])
    assert found.estimate.estimate == pytest.approx(known.params["arm"])
    assert found.estimate.se == pytest.approx(known.bse["arm"])
    assert found.df == pytest.approx(known.df_resid, abs=0.5)


def test_lin_is_the_regression_with_interactions_and_hc2() -> None:
    data = rows(120)
    data["a"], data["b"] = data["before"] - data["before"].mean(), data["other"] - data["other"].mean()
    known = fitted(data, "y ~ arm * (a + b)", "HC2")
    found = lin(data, "arm", "y", ["before", "other"], treated=1, control=0)
    assert found.estimate.estimate == pytest.approx(known.params["arm"])
    assert found.estimate.se == pytest.approx(known.bse["arm"])
    assert 0 < found.variance_reduction < 1
    assert found.n == (int(data["arm"].sum()), 120 - int(data["arm"].sum()))


def test_a_ratio_has_the_error_of_its_linear_form() -> None:
    data = rows(2000)
    found = difference(moments(data, "arm", ["services", "visits"]), ("services", "visits"), 1, 0)
    value, variance = {}, 0.0
    for arm, own in data.groupby("arm"):
        value[arm] = own["services"].sum() / own["visits"].sum()
        line = (own["services"] - value[arm] * own["visits"]) / own["visits"].mean()
        variance += line.var() / len(own)
    assert found.estimate.estimate == pytest.approx(value[1] - value[0])
    assert found.estimate.se == pytest.approx(np.sqrt(variance))
    assert found.means == pytest.approx((value[1], value[0]))
    assert found.outcome == "services / visits"


def test_a_ratio_adjusted_by_a_ratio_known_before() -> None:
    """tea-tasting 1.14's RatioOfMeans on these rows: the same adjustment in its own code."""
    chance = np.random.default_rng(21)
    skill = chance.gamma(4, 0.25, 3000)
    data = pd.DataFrame({"arm": chance.integers(0, 2, 3000)})
    for name in ("before", "after"):
        data[f"visits_{name}"] = chance.poisson(3, 3000) + 1
        data[f"services_{name}"] = chance.poisson(skill * data[f"visits_{name}"])
    plain = difference(moments(data, "arm", list(data.columns[1:])), ("services_after", "visits_after"), 1, 0)
    pair = ("services_before", "visits_before")
    found = difference(
        moments(data, "arm", list(data.columns[1:])), ("services_after", "visits_after"), 1, 0, covariates=[pair]
    )
    assert found.covariates == ("services_before / visits_before",)
    assert found.variance_reduction == pytest.approx(1 - (found.estimate.se / plain.estimate.se) ** 2)
    assert found.variance_reduction > 0.05
    assert (plain.estimate.estimate, plain.estimate.se) == pytest.approx(TEA_PLAIN, rel=1e-3)
    assert (found.estimate.estimate, found.estimate.se) == pytest.approx(TEA_ADJUSTED, rel=1e-3)


TEA_PLAIN = (0.0392560612936218, 0.026860951003876837)
TEA_ADJUSTED = (0.027686910411628074, 0.02425165417886454)


def test_shares_have_the_score_test() -> None:
    """Newcombe's (1998) example 56/70 against 48/80: 0.0524 to 0.3339; Miettinen and Nurminen 0.0528 to 0.3382."""
    data = pd.DataFrame(
        {"arm": np.repeat(["н", "с"], [70, 80]), "came": np.r_[np.ones(56), np.zeros(14), np.ones(48), np.zeros(32)]}
    )
    table = moments(data, "arm", ["came"])
    found = proportion(table, "came", "н", "с")
    assert (found.estimate.low, found.estimate.high) == pytest.approx((0.0528, 0.3382), abs=5e-5)
    assert found.p == pytest.approx(2 * scipy.stats.norm.sf(abs(stats.score_statistic(56, 70, 48, 80))))
    other = proportion(table, "came", "н", "с", interval="newcombe")
    assert (other.estimate.low, other.estimate.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    with pytest.raises(ParameterError, match="не только 0 и 1"):
        proportion(moments(data.assign(came=data["came"] * 2), "arm", ["came"]), "came", "н", "с")


# Brunner & Munzel (2000), pain scores on the third day after surgery under two treatments (Table 1)
PAIN_Y = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1]
PAIN_N = [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]


def test_brunner_and_munzels_pain_scores() -> None:
    """R lawstat, brunner.munzel.test: P 0.788961, 95 % 0.5952169 to 0.9827052, t 3.1375, df 17.683, p 0.005786."""
    found = win_probability(PAIN_N, PAIN_Y)
    assert found.estimate.estimate == pytest.approx(0.788961, abs=1e-6)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((0.5952169, 0.9827052), abs=1e-6)
    assert (found.p, found.df) == pytest.approx((0.005786, 17.683), abs=1e-3)
    known = scipy.stats.brunnermunzel(PAIN_Y, PAIN_N)
    assert found.p == pytest.approx(known.pvalue)
    turned = win_probability(PAIN_Y, PAIN_N)
    assert turned.estimate.estimate == pytest.approx(1 - 0.788961, abs=1e-6)
    assert turned.p == pytest.approx(found.p)


def test_the_win_probability_counts_pairs() -> None:
    chance = np.random.default_rng(4)
    first, second = chance.integers(1, 6, 40), chance.integers(1, 6, 30)
    pairs = np.sign(first[:, None] - second[None, :])
    assert win_probability(first, second).estimate.estimate == pytest.approx(
        (pairs > 0).mean() + (pairs == 0).mean() / 2
    )


def test_arms_that_do_not_overlap_have_no_error_and_say_so() -> None:
    found = win_probability([5, 5, 4], [1, 2, 3])
    assert found.estimate.estimate == 1
    assert np.isnan([found.p, found.estimate.low, found.estimate.high]).all()
    assert "не перекрываются" in found.note
    same = win_probability([5, 5], [5, 5, 5])
    assert same.estimate.estimate == 0.5
    assert "одно и то же значение" in same.note


def test_all_arms_and_outcomes_from_one_pass() -> None:
    data = rows(900)
    data["arm"] = np.where(data["arm"] == 1, np.where(data.index % 3 == 0, "клуб", "ярмарка"), "обычный")
    found = readout(
        data, "arm", ["y", ("services", "visits")], control="обычный", covariates={"y": ["before", "other"]}
    )
    frame = found.to_frame()
    assert list(zip(frame["outcome"], frame["treated"], strict=True)) == [
        ("y", "клуб"), ("y", "ярмарка"), ("services / visits", "клуб"), ("services / visits", "ярмарка"),
    ]  # fmt: skip
    for outcome, own in frame.groupby("outcome"):
        assert own["p_holm"].to_numpy() == pytest.approx(stats.holm(own["p"])), outcome
    alone = difference(
        moments(data, "arm", ["y", "before", "other"]), "y", "клуб", "обычный", covariates=["before", "other"]
    )
    assert frame.loc[0, "estimate"] == pytest.approx(alone.estimate.estimate)
    assert frame.loc[0, "covariates"] == "before, other"
    assert frame["method"].str.contains("CUPED").tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: readout(d, "arm", ["y"], control=5), ParameterError, "Группы «5» в данных нет"),
        (lambda d: readout(d[d["arm"] == 0], "arm", ["y"], control=0), ParameterError, "только одна группа"),
        (lambda d: readout(d, "arm", ["y"], control=0, covariates={"z": ["x"]}), ParameterError, "исходов: z"),
        (
            lambda d: readout(d.assign(c=1.0), "arm", ["y"], control=0, covariates={"y": ["c"]}),
            NotComputableError,
            "не меняются",
        ),
        (
            lambda d: readout(d.assign(c=d["before"] * 2), "arm", ["y"], control=0, covariates={"y": ["c", "before"]}),
            NotComputableError,
            "повторяют друг друга",
        ),
        (
            lambda d: readout(d.assign(c=0), "arm", [("y", "c")], control=0),
            NotComputableError,
            "Знаменатель «c»",
        ),
        (
            lambda d: readout(d.assign(arm=np.arange(len(d)) > 0), "arm", ["y"], control=False),
            NotComputableError,
            "мало",
        ),
        (
            lambda d: lin(d.head(8), "arm", "y", ["before", "other"], treated=1, control=0),
            NotComputableError,
            "наклонов",
        ),
        (lambda d: win_probability([1, np.nan], [1, 2]), ParameterError, "пропуски"),
        (lambda d: win_probability([1], [1, 2]), NotComputableError, "не меньше двух"),
    ],
)
def test_what_cannot_be_compared_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(rows())


def test_no_spread_gives_no_interval() -> None:
    found = readout(pd.DataFrame({"arm": [0, 0, 1, 1], "y": [1.0, 1, 2, 2]}), "arm", ["y"], control=0).effects[0]
    assert found.estimate.estimate == 1
    assert np.isnan([found.p, found.df, found.estimate.low]).all()


@pytest.mark.parametrize("method", ["plain", "cuped", "lin"])
def test_false_positives_with_few_persons_and_a_strong_covariate(method: str) -> None:
    """24 persons in unequal arms, skewed covariate, 2,000 runs; a share of 5 % has a standard error of 0.5 %."""
    chance = np.random.default_rng(17)
    hits = 0
    runs = 2000 if method != "lin" else 800
    for _ in range(runs):
        arm = chance.permutation(np.repeat([0, 1], [14, 10]))
        x = chance.exponential(size=24)
        data = pd.DataFrame({"arm": arm, "x": x, "y": 2 * x + chance.normal(size=24)})
        if method == "lin":
            p = lin(data, "arm", "y", ["x"], treated=1, control=0).p
        else:
            found = moments(data, "arm", ["y", "x"])
            p = difference(found, "y", 1, 0, covariates=["x"] if method == "cuped" else []).p
        hits += p < 0.05
    assert 0.03 <= hits / runs <= 0.075
