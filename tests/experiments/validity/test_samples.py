"""Checks of a pilot: group sizes, recruitment and losses keep their false-alarm rate and see what is there."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import samples as validity
from kcrr_analysis.experiments.validity.checks import Check, Validity

TWELVE = Allowed(np.array([0, 1] * 6))


def test_sample_ratio_of_large_arms_is_chi_square() -> None:
    # Wikipedia, "Sample ratio mismatch" (2026): 600 v 400 of 1,000 at 50-50 gives p = 2.54e-10.
    found = validity.sample_ratio({"a": 600, "b": 400}, {"a": 1, "b": 1})
    assert scipy.stats.chi2.sf(found.statistic, 1) == pytest.approx(2.54e-10, rel=2e-3)
    assert found.verdict == "failed"
    large = validity.sample_ratio({"a": 44_000, "b": 45_000}, {"a": 1, "b": 1})
    # srm.osc.garden: 44,000 v 45,000 gives p = 0.0008
    assert large.p == pytest.approx(0.0008, abs=5e-5)
    assert (large.method, large.exact) == ("критерий хи-квадрат", False)


@pytest.mark.parametrize(("a", "b", "share"), [(3, 12, 0.5), (20, 31, 0.3), (0, 9, 0.5), (7, 7, 0.5)])
def test_two_small_arms_are_the_exact_binomial(a: int, b: int, share: float) -> None:
    found = validity.sample_ratio({"a": a, "b": b}, {"a": share, "b": 1 - share})
    assert found.p == pytest.approx(scipy.stats.binomtest(a, a + b, share).pvalue, rel=1e-9)
    assert found.exact


def test_three_small_arms_by_hand() -> None:
    # 3 persons, equal shares: the three like (3, 0, 0) have 1/27 each, the six like (2, 1, 0) 3/27, (1, 1, 1) has 6/27
    def p(*counts: int) -> float:
        return validity.sample_ratio(dict(zip("abc", counts, strict=True)), dict.fromkeys("abc", 1)).p

    assert p(3, 0, 0) == pytest.approx(3 / 27)
    assert p(2, 1, 0) == pytest.approx(21 / 27)
    assert p(1, 1, 1) == pytest.approx(1)


def test_many_arms_with_small_expected_counts_go_by_monte_carlo() -> None:
    shares = {"a": 97, **dict.fromkeys("bcd", 1)}
    found = validity.sample_ratio({"a": 97, "b": 1, "c": 1, "d": 1}, shares)
    assert "Монте-Карло" in found.method
    assert found.p > 0.9
    assert validity.sample_ratio({"a": 80, "b": 20, "c": 0, "d": 0}, shares).p == pytest.approx(1e-4, abs=1e-9)


def test_false_alarms_of_the_sample_ratio_are_rare() -> None:
    chance = np.random.default_rng(4)
    runs = 3000
    found = chance.binomial(400, 0.5, size=runs)
    alarms = [validity.sample_ratio({"a": int(k), "b": 400 - int(k)}, {"a": 1, "b": 1}).p <= 0.01 for k in set(found)]
    rate = np.mean([dict(zip(set(found), alarms, strict=True))[k] for k in found])
    # 99.9 % of binomial(3000, 0.01) is under 0.017
    assert 0.001 < rate < 0.017


def test_sample_ratio_refuses_what_cannot_be() -> None:
    with pytest.raises(ParameterError, match="не совпадают"):
        validity.sample_ratio({"a": 1}, {"a": 1, "b": 1})
    with pytest.raises(ParameterError, match="больше нуля"):
        validity.sample_ratio({"a": 1, "b": 2}, {"a": 1, "b": 0})
    with pytest.raises(ParameterError, match="Пороги"):
        validity.sample_ratio({"a": 1, "b": 2}, {"a": 1, "b": 1}, warn=0.001, fail=0.01)
    assert validity.sample_ratio({"a": 0, "b": 0}, {"a": 1, "b": 1}).verdict == "not_checked"


def test_a_small_arm_is_withheld_with_all_that_gives_it_away() -> None:
    found = validity.sample_ratio({"a": 3, "b": 40}, {"a": 1, "b": 1}, rule=Rule())
    assert found.hidden
    assert np.isnan([found.p, found.statistic]).all()
    # the total is n: the other arm would give the small one away
    assert found.rows["persons"].isna().all()
    assert found.rows["share"].isna().all()
    internal = validity.sample_ratio({"a": 3, "b": 40}, {"a": 1, "b": 1}, rule=Rule(mode="internal"))
    assert internal.hidden
    assert internal.rows["persons"].tolist() == [3, 40]
    assert internal.p < 0.001


def test_recruitment_by_hand() -> None:
    # 2 v 2 centres: six assignments; 10, 20 v 30, 40 is the farthest, with its mirror
    found = validity.recruitment(np.array([10, 20, 30, 40]), Allowed(np.array([0, 0, 1, 1])), warn=0.4, fail=0.35)
    assert found.p == pytest.approx(2 / 6)
    assert found.estimate == pytest.approx(20)
    assert found.rows["per_cluster"].tolist() == [15, 35]
    assert found.verdict == "failed"


def test_recruitment_with_few_centres_is_not_checked() -> None:
    found = validity.recruitment(np.array([10, 20, 30, 400, 500, 600]), Allowed(np.array([0, 0, 0, 1, 1, 1])))
    assert found.smallest_p == pytest.approx(0.1)
    assert found.verdict == "not_checked"
    assert "малому числу центров" in found.reason


def test_recruitment_keeps_its_false_alarm_rate() -> None:
    sizes = np.random.default_rng(2).integers(60, 600, 12).astype(float)
    codes, exact = TWELVE.reference()
    assert exact
    alarms = [validity.recruitment(sizes, Allowed(one), level=0.5).verdict != "passed" for one in codes[::23]]
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(alarms))


def test_recruitment_of_three_arms_has_no_single_difference() -> None:
    codes = np.repeat([0, 1, 2], 4)
    found = validity.recruitment(np.r_[np.full(4, 100.0), np.full(4, 100.0), np.full(4, 400.0)], Allowed(codes))
    assert np.isnan(found.estimate)
    assert found.verdict == "failed"


def test_lost_centres_agree_with_fishers_exact_test() -> None:
    lost = np.zeros(12, dtype=bool)
    lost[[1, 3, 5, 7, 0]] = True
    found = validity.center_attrition(lost, TWELVE)
    assert found.p == pytest.approx(scipy.stats.fisher_exact([[4, 2], [1, 5]]).pvalue)
    assert found.rows["lost"].tolist() == [1, 4]
    assert found.verdict == "failed"  # 5 of 12 is over 20 %
    assert validity.center_attrition(np.zeros(12), TWELVE).verdict == "passed"
    one = np.arange(12) == 3
    assert validity.center_attrition(one, TWELVE).verdict == "warning"


def test_attrition_of_persons_assigned_one_by_one() -> None:
    # Newcombe (1998), example (a): 56/70 v 48/80; score interval 0.0528, 0.3382
    found = validity.person_attrition(np.array([48, 56]), np.array([80, 70]))
    assert (found.low, found.high) == (pytest.approx(5.28, abs=0.01), pytest.approx(33.82, abs=0.01))
    assert found.verdict == "failed"
    none = validity.person_attrition(np.array([0, 0]), np.array([80, 70]))
    assert (none.verdict, none.p) == ("passed", 1.0)


def test_attrition_within_centres_goes_by_centres() -> None:
    # All persons of some centres are lost, alike in both arms: persons would see a difference, centres do not
    assigned = np.full(12, 100.0)
    missing = np.array([30, 2, 3, 40, 2, 3, 2, 55, 3, 2, 4, 6.0])
    by_centre = validity.person_attrition(missing, assigned, TWELVE)
    by_person = validity.person_attrition(np.array([missing[::2].sum(), missing[1::2].sum()]), np.array([600.0, 600.0]))
    assert by_person.p < 0.001 < 0.05 < by_centre.p
    assert by_centre.estimate == pytest.approx(by_person.estimate)
    assert by_centre.low < by_centre.estimate < by_centre.high
    assert by_centre.n == 12


@pytest.mark.parametrize("clustered", [True, False])
def test_attrition_keeps_its_false_alarm_rate(clustered: bool) -> None:
    chance = np.random.default_rng(11)
    eight, runs, alarms = Allowed(np.array([0, 1] * 4)), 100, 0
    for _ in range(runs):
        assigned = chance.integers(60, 300, 8).astype(float)
        share = chance.beta(0.03 * 19, 0.97 * 19, 8) if clustered else np.full(8, 0.03)
        missing = chance.binomial(assigned.astype(int), share).astype(float)
        if clustered:
            found = validity.person_attrition(missing, assigned, eight, level=0.5)
        else:
            found = validity.person_attrition(
                *(np.array([one[::2].sum(), one[1::2].sum()]) for one in (missing, assigned))
            )
        alarms += found.p <= 0.05
    # 3.5 standard errors
    assert alarms / runs <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / runs)


def test_attrition_refuses_and_withholds() -> None:
    with pytest.raises(ParameterError, match="больше, чем назначенных"):
        validity.person_attrition(np.array([5, 1]), np.array([4, 9]))
    with pytest.raises(ParameterError, match="сравниваемых групп"):
        validity.person_attrition(np.array([1, 1]), np.array([4, 9]), treated=2)
    found = validity.person_attrition(np.array([3, 10]), np.array([100, 120]), rule=Rule())
    assert found.rows["missing"].isna().all()
    assert np.isnan([found.estimate, found.p, found.low]).all()
    assert found.rows["persons"].tolist() == [100, 120]
    empty = validity.person_attrition(np.array([0, 0]), np.array([0, 9]))
    assert empty.verdict == "not_checked"


def test_names_follow_the_codes() -> None:
    found = validity.person_attrition(np.array([1, 2]), np.array([40, 90]), names=["контроль", "формат"])
    assert found.rows["arm"].tolist() == ["контроль", "формат"]
    with pytest.raises(ParameterError, match="Названий групп"):
        validity.recruitment(np.ones(12), TWELVE, names=["один"])
    with pytest.raises(ParameterError, match="одно известное число"):
        validity.recruitment(np.ones(11), TWELVE)


def test_the_gravest_verdict_speaks_for_the_pilot() -> None:
    checks = [Check(str(k), "", verdict) for k, verdict in enumerate(["passed", "warning", "not_checked"])]
    assert Validity(tuple(checks)).verdict == "warning"
    assert Validity(tuple(checks[:1] + checks[2:])).verdict == "passed"
    assert Validity(tuple(checks[2:])).verdict == Validity(()).verdict == "not_checked"
    frame = Validity(tuple(checks)).to_frame()
    assert frame["verdict"].tolist() == ["passed", "warning", "not_checked"]
    assert list(Validity(()).to_frame()) == list(frame)
