"""The inference that follows from the design, against hand computation and second implementations."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy

from kcrr_analysis.experiments import Design, Outcome, Protocol, Readout, analysis
from kcrr_analysis.experiments.analysis import EXACT, Part
from kcrr_analysis.experiments.outcomes import reduce
from tests.experiments.made_pilots import CENTRES, by_centre, clients, read, summed

SUMS = summed(clients(3))


def _values(values: list[float], arm: list[str]) -> Readout:
    """A pilot of centres with one value each."""
    units = pd.DataFrame({"center_id": [f"c{place}" for place in range(len(values))], "arm": arm, "y": values})
    return Protocol("p", by_centre(), [Outcome("y", "mean")]).analyze(units, units)


def test_three_against_three_by_hand() -> None:
    found = _values([1, 2, 3, 4, 5, 6], ["control"] * 3 + ["treatment"] * 3).primary[0]
    # of 20 assignments two are as extreme: 1 + 2 + 3 v 4 + 5 + 6 and its mirror
    assert (found.estimate, found.mean, found.control_mean) == (3, 5, 2)
    assert found.p == pytest.approx(0.1)
    assert (found.figure.smallest_p, found.figure.assignments) == (pytest.approx(0.1), 20)
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.verdict == "cannot_tell"


def test_four_against_four_by_hand() -> None:
    found = _values([1, 2, 3, 4, 5, 6, 7, 8.5], ["control"] * 4 + ["treatment"] * 4).primary[0]
    assert found.estimate == pytest.approx(26.5 / 4 - 10 / 4)
    assert found.p == pytest.approx(2 / 70)
    assert found.verdict == "better"
    assert found.figure.method == EXACT


def _studentised(mean: np.ndarray, weight: np.ndarray, treated: tuple[int, ...]) -> float:
    """Difference of weighted means over its sandwich standard error, term by term."""
    gap, variance, units = 0.0, 0.0, len(mean)
    for sign, members in ((1, list(treated)), (-1, [place for place in range(units) if place not in treated])):
        own = sum(weight[place] * mean[place] for place in members) / sum(weight[place] for place in members)
        gap += sign * own
        variance += (
            sum((weight[place] * (mean[place] - own)) ** 2 for place in members)
            / sum(weight[place] for place in members) ** 2
        )
    return gap / np.sqrt(variance * units / (units - 2))


@pytest.mark.parametrize("per_person", [True, False])
def test_complete_randomisation_against_a_loop_over_all_assignments(per_person: bool) -> None:
    units = CENTRES.iloc[:8]
    design = by_centre(seed=5)
    made = design.assign(units)
    protocol = Protocol("p", design, [Outcome("applied", of="clients")], estimand="person" if per_person else "centre")
    found = protocol.analyze(made, SUMS).primary[0]
    table = SUMS[SUMS["center_id"].isin(made.ids)]
    mean = (table["applied"] / table["clients"]).to_numpy()
    weight = table["clients"].to_numpy(dtype=float) if per_person else np.ones(8)
    treated = tuple(np.flatnonzero(made.allowed.codes == 1))
    given = np.isin(np.arange(8), treated)
    assert found.estimate == pytest.approx(
        np.average(mean[given], weights=weight[given]) - np.average(mean[~given], weights=weight[~given])
    )

    def p(effect: float) -> float:
        under = mean - effect * given
        every = [abs(_studentised(under, weight, chosen)) for chosen in itertools.combinations(range(8), 4)]
        return float(np.mean(np.array(every) >= abs(_studentised(under, weight, treated)) * (1 - 1e-9)))

    assert found.p == pytest.approx(p(0))
    # The interval holds the effects that the test does not refuse.
    step = (found.high - found.low) * 1e-3
    assert p(found.low + step) > 0.05 >= p(found.low - step)
    assert p(found.high - step) > 0.05 >= p(found.high + step)


def test_pairs_against_a_loop_over_all_exchanges() -> None:
    # With equal weights the statistic of pairs is the paired t: signs of the differences are exchanged.
    units = CENTRES.assign(pair=np.arange(12) // 2)
    design = by_centre(method="matched_pairs", pairs="pair", seed=2)
    made = design.assign(units)
    found = (
        Protocol("p", design, [Outcome("y", "mean")]).analyze(made, units.assign(y=units["staff"] ** 1.5)).primary[0]
    )
    value = units["staff"].to_numpy() ** 1.5
    codes = made.allowed.codes
    gaps = np.array(
        [
            value[2 * n : 2 * n + 2][codes[2 * n : 2 * n + 2] == 1].sum() * 2 - value[2 * n : 2 * n + 2].sum()
            for n in range(6)
        ]
    )
    signs = np.array(list(itertools.product((-1, 1), repeat=6)))
    every = np.abs((signs * gaps).mean(axis=1) / (signs * gaps).std(axis=1, ddof=1))
    assert found.estimate == pytest.approx(gaps.mean())
    assert found.p == pytest.approx(np.mean(every >= abs(gaps.mean() / gaps.std(ddof=1)) * (1 - 1e-9)))
    assert found.figure.smallest_p == pytest.approx(2 / 64)


@pytest.mark.parametrize(
    "design",
    [by_centre(method="stepped_wedge", waves=3, seed=2), by_centre(method="crossover", block=2, washout=1, seed=2)],
)
def test_methods_in_time_give_the_coefficient_of_the_regression(design: Design) -> None:
    statsmodels = pytest.importorskip("statsmodels.api")
    chance = np.random.default_rng(8)
    made = design.assign(CENTRES)
    rows = CENTRES[["center_id", "size"]].merge(pd.DataFrame({"month": range(1, 9)}), how="cross")
    rows["n"] = chance.integers(5, 30, len(rows))
    rows["y"] = chance.binomial(rows["n"], 0.4)
    found = Protocol("p", design, [Outcome("y", of="n")]).analyze(made, rows, draws=99).primary[0]
    code = rows["center_id"].map(dict(zip(made.ids, made.allowed.codes.tolist(), strict=True)))
    if design.method == "stepped_wedge":
        rows["given"] = (rows["month"] - 1 > code).astype(float)
        used = rows
    else:
        rows["given"] = ((rows["month"] - 1) // 2 + code) % 2
        used = rows[~rows["month"].isin([3, 5, 7])]
    frame = pd.get_dummies(used[["center_id", "month"]].astype(str), drop_first=True, dtype=float)
    exog = statsmodels.add_constant(frame.assign(given=used["given"]))
    fitted = statsmodels.WLS(used["y"] / used["n"], exog, weights=used["n"]).fit()
    assert found.estimate == pytest.approx(fitted.params["given"], abs=1e-9)
    assert found.persons == (used["n"][used["given"] == 1].sum(), used["n"][used["given"] == 0].sum())
    assert found.figure.reason.startswith("по жребию назначен")


def test_a_switchback_by_hand() -> None:
    # Two centres, four blocks of two months, the first month of each block is left out.
    units = pd.DataFrame(
        {"center_id": ["a"] * 4 + ["b"] * 4, "block": [0, 1, 2, 3] * 2, "arm": ["control", "treatment"] * 4}
    )
    rows = pd.DataFrame({"center_id": ["a"] * 8 + ["b"] * 8, "month": [*range(1, 9)] * 2})
    rows["y"] = [9, 1, 9, 5, 9, 2, 9, 7, 9, 3, 9, 4, 9, 0, 9, 6.0]
    design = by_centre(method="switchback", block=2, washout=1)
    found = Protocol("p", design, [Outcome("y", "mean")]).analyze(units, rows).primary[0]
    # treatment 5, 7, 4, 6; control 1, 2, 3, 0
    assert (found.mean, found.control_mean, found.estimate) == (5.5, 1.5, pytest.approx(4))
    assert found.figure.assignments == 36
    assert found.p == pytest.approx(2 / 36)
    assert "блоки времени" in found.figure.reason
    given = Protocol("p", by_centre(method="switchback", block=2), [Outcome("y", "mean")])
    by_block = (
        rows.assign(block=(rows["month"] - 1) // 2)
        .drop(columns="month")
        .drop_duplicates(["center_id", "block"], keep="last")
    )
    assert given.analyze(units, by_block).primary[0].estimate == pytest.approx(4)


def _persons(number: int, seed: int = 4) -> pd.DataFrame:
    table = pd.concat([clients(place) for place in range(seed, seed + 3)], ignore_index=True).iloc[:number]
    return table.assign(person_id=[f"p{place}" for place in range(number)])


def test_many_persons_by_neyman_by_hand() -> None:
    table = _persons(900)
    design = Design(seed=1)
    made = design.assign(table)
    found = Protocol("p", design, [Outcome("minutes", "mean")]).analyze(made, table).primary[0]
    arm = table["person_id"].map(dict(zip(made.ids, made.allowed.codes.tolist(), strict=True)))
    one, other = (table["minutes"][arm == code] for code in (1, 0))
    error = np.sqrt(one.var() / one.size + other.var() / other.size)
    assert found.estimate == pytest.approx(one.mean() - other.mean())
    assert found.figure.se == pytest.approx(error)
    welch = scipy.stats.ttest_ind(one, other, equal_var=False)
    assert found.p == pytest.approx(welch.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(welch.confidence_interval()))
    assert (found.figure.exact, found.figure.assignments, found.checks) == (None, None, ())


def test_nsw_job_training() -> None:
    # Package causaldata, nsw_mixtape (LaLonde 1986; Dehejia & Wahba 1999): earnings of 1978, 185 trained with mean
    # 6349.143 and sd 7867.402, 260 not trained with mean 4554.801 and sd 5483.836: effect 1794.34, Neyman SE 671.0.
    # The estimate and its error depend on these moments alone: any persons with them will do.
    parts = []
    for arm, number, mean, sd in (
        ("treated", 185, 6349.14306640625, 7867.40234375),
        ("control", 260, 4554.80078125, 5483.8359375),
    ):
        score = scipy.stats.norm.ppf((np.arange(number) + 0.5) / number)
        parts.append(pd.DataFrame({"arm": arm, "re78": mean + sd * score / score.std(ddof=1)}))
    table = pd.concat(parts, ignore_index=True)
    table["person_id"] = [f"p{place:03d}" for place in range(445)]
    design = Design(arms={"control": 260 / 445, "treated": 185 / 445})
    found = Protocol("nsw", design, [Outcome("re78", "mean")]).analyze(table, table).primary[0]
    assert found.estimate == pytest.approx(1794.34, abs=0.005)
    assert found.figure.se == pytest.approx(671.0, abs=0.05)
    assert found.verdict == "better"
    assert found.persons == (185, 260)


@pytest.mark.parametrize("number", [80, 700])
def test_a_ratio_of_sums_keeps_persons_without_a_denominator(number: int) -> None:
    table = _persons(number)
    design = Design(seed=6)
    made = design.assign(table)
    found = Protocol("p", design, [Outcome("visits", "ratio", of="asked")]).analyze(made, table, draws=1999).primary[0]
    arm = table["person_id"].map(dict(zip(made.ids, made.allowed.codes.tolist(), strict=True)))
    sums = table.groupby(arm)[["visits", "asked"]].sum()
    ratio = sums["visits"] / sums["asked"]
    assert (table["asked"] == 0).any()
    assert found.estimate == pytest.approx(ratio[1] - ratio[0], abs=1e-6)
    assert (found.mean, found.control_mean) == pytest.approx((ratio[1], ratio[0]))
    # The delta method by hand.
    error = 0.0
    for code in (0, 1):
        own = table[arm == code]
        error += (own["visits"] - ratio[code] * own["asked"]).var() / len(own) / own["asked"].mean() ** 2
    assert found.figure.se == pytest.approx(np.sqrt(error), rel=0.03)


def test_few_persons_by_randomisation_agree_with_many_persons_method() -> None:
    table = _persons(300)
    design = Design(seed=6)
    made = design.assign(table)
    for outcome in (
        Outcome("minutes", "mean"),
        Outcome("applied"),
        Outcome("grade", "ordinal"),
        Outcome("minutes", "mean", covariates="before"),
    ):
        protocol = Protocol("p", design, [outcome])
        few = protocol.analyze(made, table, draws=3999).primary[0]
        part = Part(outcome, made, reduce(outcome, table, made.ids, "person_id"), 1, True, 0.95)
        many = analysis._persons(part)
        assert few.estimate == pytest.approx(many.estimate, abs=0.02 * few.figure.se)
        assert few.low == pytest.approx(many.low, abs=0.15 * few.figure.se)
        assert few.high == pytest.approx(many.high, abs=0.15 * few.figure.se)
        # 300 persons with 0 or 1: one person more or less is a tenth of the p-value.
        assert few.p == pytest.approx(many.p, abs=0.12 if outcome.kind == "proportion" else 0.04)


def test_sums_over_groups_of_persons_are_a_ratio() -> None:
    table = _persons(600).assign(n=1)
    design = Design(seed=6)
    one = read(design, table, Outcome("applied", "mean"), units=table).primary[0]
    other = read(
        design, table.assign(applied=table["applied"] * 2, n=2), Outcome("applied", "mean", of="n"), units=table
    ).primary[0]
    assert other.estimate == pytest.approx(one.estimate)
    assert other.figure.se == pytest.approx(one.figure.se, rel=0.01)


def test_checks_stand_beside_and_a_failing_one_stops_nothing() -> None:
    plain = read(by_centre(), SUMS).primary[0]
    assert len(plain.checks) == 3
    assert all(abs(check.estimate - plain.estimate) < 0.1 for check in plain.checks)
    adjusted = read(by_centre(), SUMS, Outcome("applied", of="clients", covariates="before", covariate_of="clients"))
    first = adjusted.primary[0].checks[0]
    assert first.method == "то же без поправки на ковариаты"
    assert first.estimate == pytest.approx(plain.estimate)
    small = read(by_centre(), SUMS, units=CENTRES.iloc[:4]).primary[0]
    assert len(small.checks) == 3
    assert all(check.reason for check in small.checks if np.isnan(check.estimate))


def test_reasons_are_told() -> None:
    assert "центры, а не люди (единиц назначения 12)" in read(by_centre(), SUMS).primary[0].figure.reason
    table = _persons(60)
    assert (
        "отдельные люди: результат" in read(Design(), table, Outcome("applied"), units=table).primary[0].figure.reason
    )
    table = _persons(500)
    assert "их много" in read(Design(), table, Outcome("applied"), units=table).primary[0].figure.reason
