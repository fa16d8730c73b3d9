"""Bounds of the effect with missing outcomes: hand-computed, against brute force, published, and covering."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import bounds as attrition

TWELVE = Allowed(np.array([0, 1] * 6))


def test_extremes_by_hand() -> None:
    # control: 100 assigned, 80 seen, 40 reached; treated: 100, 90, 54
    found = attrition.bounds(
        np.array([20, 20, 27, 27.0]), np.array([40, 40, 45, 45.0]), np.full(4, 50.0), Allowed(np.array([0, 0, 1, 1]))
    )
    rows = found.rows.set_index("scenario")
    assert rows.loc["missing_as_failure", "lower"] == pytest.approx(0.54 - 0.40)
    assert rows.loc["observed", "lower"] == pytest.approx(0.6 - 0.5)
    # worst: 0.54 - (0.40 + 0.20), (0.54 + 0.10) - 0.40
    assert rows.loc["worst", ["lower", "upper"]].tolist() == pytest.approx([-0.06, 0.24])
    # Lee: of 90 seen in the treated arm 80 are kept: (54 - 10) / 80 - 0.5 and 54 / 80 - 0.5
    assert rows.loc["lee", ["lower", "upper"]].tolist() == pytest.approx([0.05, 0.175])
    assert found.arms["missing"].tolist() == [20, 10]
    assert found.to_frame()["per"].unique().tolist() == ["person"]


def test_published_bounds_of_job_corps() -> None:
    # Lee (2009), table IV: log wages in week 208 are known for 0.566 of the controls (mean 1.997), 0.607 of the treated
    # (mean 2.031), trimming share 0.068. Blanco, Flores & Flores-Lagunes (2013), JHR 48:3: wages from -1.55 to 5.99,
    # bounds without assumptions -3.109 and 3.135. Rounding of the shares moves a bound by up to 0.006.
    assigned, seen = np.full(4, 1000.0), np.array([566, 566, 607, 607.0])
    total = seen * np.array([1.997, 1.997, 2.031, 2.031])
    found = attrition.bounds(total, seen, assigned, Allowed(np.array([0, 0, 1, 1])), least=-1.55, most=5.99)
    row = found.rows.set_index("scenario").loc["worst"]
    assert row["lower"] == pytest.approx(-3.109, abs=0.01)
    assert row["upper"] == pytest.approx(3.135, abs=0.01)
    y = np.r_[np.full(607, 2.0), np.full(393, np.nan), np.full(566, 2.0), np.full(434, np.nan)]
    assert attrition.lee(y, np.repeat([True, False], 1000)).share == pytest.approx(0.068, abs=0.0005)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30), st.integers(0, 30)), min_size=8, max_size=8),
)
def test_assumptions_are_nested(raw: list[tuple[int, int, int]]) -> None:
    assigned = np.array([a + 1 for a, _, _ in raw], dtype=float)
    seen = np.minimum(assigned, np.array([b for _, b, _ in raw]))
    total = np.minimum(seen, np.array([c for *_, c in raw]))
    allowed = Allowed(np.array([0, 1] * 4))
    found = attrition.bounds(total, seen, assigned, allowed, level=0.8)
    rows = found.rows.set_index("scenario")
    worst = rows.loc["worst"]
    assert worst["lower"] <= worst["upper"]
    if np.isnan(worst["low"]):
        assert "не различаются" in worst["reason"]
    else:
        assert worst["low"] <= worst["lower"] + 1e-9
        assert worst["high"] >= worst["upper"] - 1e-9
    for name in set(rows.index) - {"worst", "lee"}:
        # the effect of those seen may be outside the bounds of all assigned; the default may not
        if name == "missing_as_failure":
            assert worst["lower"] - 1e-9 <= rows.loc[name, "lower"] <= worst["upper"] + 1e-9
    width = sum((assigned - seen)[allowed.codes == arm].sum() / assigned[allowed.codes == arm].sum() for arm in (0, 1))
    assert worst["upper"] - worst["lower"] == pytest.approx(width)


def test_nothing_missing_gives_one_answer() -> None:
    chance = np.random.default_rng(2)
    n = chance.integers(50, 200, 12).astype(float)
    y = chance.binomial(n.astype(int), 0.4).astype(float)
    rows = attrition.bounds(y, n, n, TWELVE).rows.set_index("scenario")
    assert np.ptp(rows[["lower", "upper"]].to_numpy()) < 1e-9
    for name in ("observed", "worst"):
        np.testing.assert_allclose(
            rows.loc[name, ["low", "high"]].astype(float), rows.loc["missing_as_failure", ["low", "high"]].astype(float)
        )


def test_per_centre_and_other_outcomes() -> None:
    found = attrition.bounds(
        np.array([2, 40, 9, 60.0]), np.array([10, 80, 10, 80.0]), np.array([10, 100, 10, 100.0]),
        Allowed(np.array([0, 0, 1, 1])), per="center",
    )  # fmt: skip
    rows = found.rows.set_index("scenario")
    assert rows.loc["missing_as_failure", "lower"] == pytest.approx((0.9 + 0.6) / 2 - (0.2 + 0.4) / 2)
    assert "на человека" in rows.loc["lee", "reason"]
    score = attrition.bounds(
        np.full(4, 30.5), np.full(4, 10.0), np.full(4, 12.0), Allowed(np.array([0, 1, 0, 1])), most=5
    )
    assert "да/нет" in score.rows.set_index("scenario").loc["lee", "reason"]


def brute(kept: list[float], keep: int, other: float, sign: int) -> tuple[float, float]:
    means = [sign * (np.mean(part) - other) for part in itertools.combinations(kept, keep)]
    return min(means), max(means)


@pytest.mark.parametrize("swap", [False, True])
def test_trimming_is_the_extreme_over_all_subsets(swap: bool) -> None:
    more = [3.0, 1, 4, 1, 5, 9, 2, 6]  # 8 of 10 seen; of them 6 are always seen
    fewer = [5.0, 3, 5, 8, 9, 7]  # 6 of 10
    y = np.r_[more, [np.nan] * 2, fewer, [np.nan] * 4]
    arm = np.repeat([True, False], 10)
    found = attrition.lee(y, ~arm if swap else arm)
    assert (found.lower, found.upper) == pytest.approx(brute(more, 6, float(np.mean(fewer)), -1 if swap else 1))
    assert found.trimmed == ("control" if swap else "treated")
    assert found.share == pytest.approx(0.25)
    assert found.se_lower > 0 < found.se_upper
    assert found.to_frame().loc[0, "trimmed"] == found.trimmed


def test_whole_weights_are_persons() -> None:
    y, arm = np.array([1.0, 2, 3, np.nan, 2, 1, np.nan, np.nan]), np.array([1, 1, 1, 1, 0, 0, 0, 0])
    weight = np.array([2, 1, 3, 1, 1, 2, 1, 2])
    one = attrition.lee(y, arm, weight=weight)
    other = attrition.lee(np.repeat(y, weight), np.repeat(arm, weight))
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper))
    assert np.isnan(one.se_lower)


def test_yes_no_totals_agree_with_persons() -> None:
    y = np.r_[np.ones(30), np.zeros(41), [np.nan] * 9, np.ones(12), np.zeros(50), [np.nan] * 28]
    arm = np.repeat([True, False], [80, 90])
    found = attrition.lee(y, arm)
    assert attrition.lee_binary((30, 12), (71, 62), (80, 90)) == pytest.approx((found.lower, found.upper))
    swapped = attrition.lee(y, ~arm)
    assert attrition.lee_binary((12, 30), (62, 71), (90, 80)) == pytest.approx((swapped.lower, swapped.upper))
    assert attrition.lee(y[~np.isnan(y)], arm[~np.isnan(y)]).trimmed == "none"


def test_standard_errors_of_trimming_agree_with_a_simulation() -> None:
    chance = np.random.default_rng(6)
    runs, n, found = 500, 400, []
    for _ in range(runs):
        arm = np.repeat([True, False], n)
        y = chance.normal(size=2 * n) + 0.3 * arm
        y[chance.random(2 * n) > np.where(arm, 0.85, 0.7)] = np.nan
        one = attrition.lee(y, arm)
        found.append((one.lower, one.upper, one.se_lower, one.se_upper))
    lower, upper, se_lower, se_upper = np.array(found).T
    # a standard deviation of 500 runs has a relative error of 3.2 %
    assert np.std(lower) == pytest.approx(se_lower.mean(), rel=0.11)
    assert np.std(upper) == pytest.approx(se_upper.mean(), rel=0.11)
    # truth: the seen of the treated, trimmed at the quantile 0.7 / 0.85, against the controls
    keep = 0.7 / 0.85
    tail = scipy.stats.norm.pdf(scipy.stats.norm.ppf(keep)) / keep
    assert lower.mean() == pytest.approx(0.3 - tail, abs=0.02)
    assert upper.mean() == pytest.approx(0.3 + tail, abs=0.02)


def test_imbens_manski_between_its_two_ends() -> None:
    z95, z90 = scipy.stats.norm.ppf([0.975, 0.95])
    assert attrition.critical(1, 1, 0.1, 0.1, level=0.95) == pytest.approx(z95)
    assert attrition.critical(0, 100, 0.1, 0.1, level=0.95) == pytest.approx(z90)
    assert attrition.critical(0, 1, 0, 0, level=0.95) == pytest.approx(z90)
    c = attrition.critical(0, 0.05, 0.1, 0.08, level=0.95)
    assert scipy.stats.norm.cdf(c + 0.5) - scipy.stats.norm.cdf(-c) == pytest.approx(0.95)
    t = scipy.stats.t.ppf(0.975, 4)
    assert attrition.critical(1, 1, 0.1, 0.1, level=0.95, df=4) == pytest.approx(t)
    assert attrition.imbens_manski(0, 1, 0.1, 0.2) == pytest.approx((-z90 * 0.1, 1 + z90 * 0.2), abs=1e-6)


def test_the_worst_case_covers_the_effect_whatever_is_missing() -> None:
    chance, eight = np.random.default_rng(9), Allowed(np.array([0, 1] * 4))
    runs, held, lee_held = 60, 0, 0
    for _ in range(runs):
        n = chance.integers(60, 300, 8)
        given = eight.codes == 1
        share = chance.beta(0.3 * 19, 0.7 * 19, 8)
        always = chance.binomial(n, share)  # reach either way; the treatment adds nothing
        # who has reached is seen more often, in the treated arm more so
        seen_reached = chance.binomial(always, np.where(given, 0.98, 0.8))
        seen_not = chance.binomial(n - always, np.where(given, 0.85, 0.8))
        rows = attrition.bounds(
            seen_reached.astype(float), (seen_reached + seen_not).astype(float), n.astype(float), eight
        ).rows.set_index("scenario")
        held += rows.loc["worst", "low"] <= 0 <= rows.loc["worst", "high"]
        lee_held += rows.loc["lee", "low"] <= 0 <= rows.loc["lee", "high"]
    # at least 95 %, less 3.3 standard errors of 60 runs
    assert held >= 52
    assert lee_held >= 52


def test_unequal_arms_keep_the_full_level() -> None:
    n, y = np.full(12, 100.0), np.arange(20.0, 80, 5)
    codes = np.r_[np.zeros(8, int), np.ones(4, int)]
    seen = np.full(12, 90.0)
    row = attrition.bounds(y, seen, n, Allowed(codes)).rows.set_index("scenario").loc["worst"]
    gone = n - seen
    low = randomisation.difference(y + gone * (codes == 0), n, Allowed(codes))
    high = randomisation.difference(y + gone * (codes == 1), n, Allowed(codes))
    assert (row["low"], row["high"]) == pytest.approx((low.interval(0.95)[0], high.interval(0.95)[1]))


def test_small_counts_are_withheld() -> None:
    seen = np.array([49, 50, 49, 49.0])
    allowed, assigned = Allowed(np.array([0, 0, 1, 1])), np.full(4, 50.0)
    found = attrition.bounds(np.full(4, 20.0), seen, assigned, allowed, rule=Rule())
    rows = found.rows.set_index("scenario")
    assert rows.loc["worst", ["lower", "upper", "low", "high"]].isna().all()
    assert rows.loc["worst", "lower_hidden"]
    assert rows.loc["missing_as_failure", "lower"] == 0
    assert found.arms["missing"].isna().all()
    few = attrition.bounds(np.array([1, 1, 20, 20.0]), seen, assigned, allowed, rule=Rule())
    assert few.rows["lower"].isna().all()
    marked = attrition.bounds(np.full(4, 20.0), seen, assigned, allowed, rule=Rule(mode="internal"))
    assert marked.rows["lower"].notna().all()
    assert marked.rows["lower_hidden"].tolist() == [False, True, True, True]


def test_refusals() -> None:
    allowed, ten = Allowed(np.array([0, 1])), np.full(2, 10.0)
    with pytest.raises(ParameterError, match="больше, чем назначенных"):
        attrition.bounds(ten, ten + 1, ten, allowed)
    with pytest.raises(ParameterError, match="выходит за границы"):
        attrition.bounds(ten + 1, ten, ten, allowed)
    with pytest.raises(ParameterError, match="ни одного результата"):
        attrition.lee(np.array([np.nan, 1]), np.array([1, 0]))
    with pytest.raises(ParameterError, match="одних и тех же"):
        attrition.lee(np.array([np.nan, 1]), np.array([1, 0, 1]))
    # one unit an arm: bounds yes, an interval no; nobody seen in an arm: only the extremes
    lone = attrition.bounds(ten - 5, ten - 1, ten, allowed).rows.set_index("scenario")
    assert "мало единиц" in lone.loc["lee", "reason"]
    assert np.isinf(lone.loc["worst", "high"])
    unseen = attrition.bounds(np.array([np.nan, 5]), np.array([0, 10.0]), ten, allowed)
    assert unseen.rows["scenario"].tolist() == ["missing_as_failure", "worst"]
