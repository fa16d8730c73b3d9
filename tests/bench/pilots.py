"""Pilots that were randomised: false positives and coverage over simulated pilots, with the usual methods beside.

Bounds: a false positive in at most 6 % of the runs at nominal 5 %, and in more than 4 % where the number of allowed
assignments permits; coverage from 94 to 97 %. The truth is the effect on the pilot's own centres. «Covered» means that
the test which the interval inverts does not refuse the truth: the interval, the hull of what is not refused, holds
it at least as often.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from kcrr_analysis.experiments.asymptotic import person_level
from kcrr_analysis.experiments.asymptotic.moments import moments
from kcrr_analysis.experiments.boundaries import spending
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.mechanism import Allowed, Criterion, imbalance
from kcrr_analysis.experiments.ordinal import win_probability
from kcrr_analysis.experiments.periods import in_time, schedule
from kcrr_analysis.experiments.randomisation import Reference, difference
from kcrr_analysis.experiments.sequential import Look, sequential
from kcrr_analysis.experiments.several import Multiplicity, several
from tests.bench.pilot_rows import ALPHA, EDGE, Row, attainable, kept, refused, report, usual
from tests.bench.pilot_worlds import (
    EFFECT,
    SIZES,
    Centres,
    Ints,
    centres,
    drawn,
    in_periods,
    levels,
    ratios,
)

TWELVE = np.repeat([0, 1], 6)
THREE_STRATA = np.array([0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1])
DRAWS = 499
FEWER = 299
"""Where a run takes many tests: the test stays exact, a little coarser."""


def judged(
    made: Centres, *, per_person: bool, strata: Ints | None = None, adjusted: bool = False, null: bool = False
) -> list[float]:
    """p-value of the truth in each run (of no effect where `null`)."""
    truth = np.zeros(len(made.arm)) if null else made.truth(per_person=per_person)
    found = []
    for run, arm in enumerate(made.arm):
        reference = difference(
            *made.sums(run, per_person=per_person), Allowed(arm, strata), draws=DRAWS,
            covariates=made.known[run] if adjusted else None,
        )  # fmt: skip
        found.append(reference.p_value(float(truth[run])))
    return found


def twelve(runs: int) -> list[Row]:
    """12 centres of 60 to 600 persons; the usual methods on the same runs."""
    chance = np.random.default_rng(401)
    arm = drawn(chance, TWELVE, runs)
    plain, related = centres(chance, arm), centres(chance, arm, outcome_by_size=0.2)
    rows = [
        Row("false", f"12 centres, {what}, average per {unit}", refused(judged(made, per_person=unit == "person")))
        for what, made in (("60-600 persons, ICC 0.05", plain), ("sizes related to the outcome", related))
        for unit in ("person", "centre")
    ]
    rows.append(
        Row("false", "12 centres, adjusted for a covariate", refused(judged(plain, per_person=True, adjusted=True)))
    )
    effect = centres(chance, arm, effect=EFFECT, outcome_by_size=0.2)
    for made, part, truth in (
        (plain, "false positives", np.zeros(runs)),
        (effect, "coverage", effect.truth(per_person=True)),
    ):
        same = effect.truth(per_person=False) if made is effect else truth
        held = usual(made, truth, same)
        rows += [
            Row("usual", f"{part}: {name}", 1 - share if part == "false positives" else share)
            for name, share in held.items()
        ]
    return rows


def covered_centres(runs: int) -> list[Row]:
    """Coverage with 12 centres, with strata and with pairs."""
    chance = np.random.default_rng(402)
    arm = drawn(chance, TWELVE, runs)
    worlds = {
        "constant effect": {"effect": EFFECT},
        "sizes related to the outcome": {"effect": EFFECT, "outcome_by_size": 0.2},
        "effect grows with size": {"effect_by_size": 0.2},
        "effect falls with size": {"effect": 0.2, "effect_by_size": -0.2},
        "effect and outcome grow with size": {"effect_by_size": 0.2, "outcome_by_size": 0.2},
        "effects differ by centre (SD 0.1)": {"effect": EFFECT, "spread_of_effect": 0.1},
    }
    rows = []
    for name, settings in worlds.items():
        made = centres(chance, arm, **settings)
        rows += [
            Row("covered", f"12 centres, {name}, per {unit}", kept(judged(made, per_person=unit == "person")))
            for unit in ("person", "centre")
        ]
        rows.append(Row("covered", f"12 centres, {name}, adjusted", kept(judged(made, per_person=True, adjusted=True))))
    made = centres(
        chance,
        arm,
        np.round(np.exp(chance.uniform(np.log(60), np.log(600), arm.shape))),
        effect_by_size=0.2,
        outcome_by_size=0.2,
    )
    wide = _expected_effect(0.2)
    ps = [difference(*made.sums(run, per_person=True), Allowed(one)).p_value(wide) for run, one in enumerate(made.arm)]
    rows.append(Row("usual", "the same interval for centres that these are a sample of", kept(ps)))
    return rows


def _expected_effect(by_size: float) -> float:
    """Effect per person over log-uniform sizes of 60 to 600 when it grows with the logarithm of size."""
    share = (np.arange(20_000) + 0.5) / 20_000
    size = 60 * 10**share
    return float(by_size * (share * size).sum() / size.sum())


def blocks(runs: int) -> list[Row]:
    """Pairs, strata with unequal shares, rerandomisation."""
    chance = np.random.default_rng(403)
    pair = np.repeat(np.arange(6), 2)
    rows = []
    for strata, codes, name, limit in (
        (pair, np.tile([0, 1], 6), "6 matched pairs", attainable(64)),
        (
            np.repeat([0, 1, 2], [4, 6, 6]),
            THREE_STRATA,
            "3 strata, shares 1/4, 1/2, 2/3",
            None,
        ),
        (np.repeat(np.arange(4), 5), np.tile([0, 0, 0, 1, 1], 4), "4 strata of 5 centres, 2 treated", None),
    ):  # fmt: skip
        arm = drawn(chance, codes, runs, strata)
        size = np.round(np.geomspace(60, 600, codes.size))
        size = size if strata is pair else chance.permutation(size)
        between = 0.05
        for unit in ("person", "centre"):
            per_person = unit == "person"
            made = centres(chance, arm, size, strata=strata, between=between)
            rows.append(
                Row("false", f"{name}, per {unit}", refused(judged(made, per_person=per_person, strata=strata)), limit)
            )
            for what, settings in (
                ("constant effect", {"effect": EFFECT}),
                ("effect by size", {"effect_by_size": 0.2}),
            ):
                made = centres(chance, arm, size, strata=strata, between=between, **settings)
                rows.append(
                    Row(
                        "covered",
                        f"{name}, {what}, per {unit}",
                        kept(judged(made, per_person=per_person, strata=strata)),
                        limit,
                    )
                )
    made = centres(chance, drawn(chance, TWELVE, runs), outcome_by_size=0.2)
    balance = np.log(SIZES)[:, None]
    every, _ = Allowed(TWELVE).reference()
    criterion = Criterion(balance, float(np.quantile(imbalance(every, balance), 0.2)))
    accepted = every[criterion.accepts(every)]
    arm = accepted[chance.integers(len(accepted), size=runs)].astype(int)
    for effect, part in ((0.0, "false"), (EFFECT, "covered")):
        made = centres(chance, arm, outcome_by_size=0.2, effect=effect)
        truth = made.truth(per_person=True)
        p = [
            difference(*made.sums(run, per_person=True), Allowed(one, None, criterion)).p_value(float(truth[run]))
            for run, one in enumerate(arm)
        ]
        rows.append(Row(part, "12 centres rerandomised, the best fifth", refused(p) if part == "false" else kept(p)))
    return rows


def ordinal_and_ratio(runs: int) -> list[Row]:
    """Win probability with 8 and 12 centres, ratio of sums with 12."""
    chance = np.random.default_rng(404)
    rows = []
    for codes, centres_of, name, limit, strata in (
        (np.repeat([0, 1], 4), 8, "8 centres ordinal, 4 v 4", attainable(70), None),
        (TWELVE, 12, "12 centres ordinal", None, None),
        (np.tile([0, 1], 8), 16, "8 pairs ordinal", None, np.repeat(np.arange(8), 2)),
    ):
        size = np.round(np.geomspace(40, 200, centres_of))
        arm = drawn(chance, codes, runs, strata)
        for shift, part in ((0.0, "false"), (0.35, "covered")):
            counts, truth = levels(chance, arm, size, shift)
            inside, p = [], []
            for run, one in enumerate(arm):
                found = win_probability(counts[run], Allowed(one, strata))
                p.append(found.p_value())
                low, high = found.interval(1 - ALPHA)
                inside.append(low <= truth[run] <= high)
            rows.append(Row(part, name, refused(p) if part == "false" else float(np.mean(inside)), limit))
    arm = drawn(chance, TWELVE, runs)
    for effect, part in ((0.0, "false"), (EFFECT, "covered")):
        total, weight = ratios(chance, arm, SIZES, effect)
        p = [difference(total[run], weight[run], Allowed(one)).p_value(effect) for run, one in enumerate(arm)]
        rows.append(
            Row(
                part,
                "12 centres, ratio of sums (denominators rise by 10 %)",
                refused(p) if part == "false" else kept(p),
            )
        )
    return rows


def persons(runs: int) -> list[Row]:
    """2,000 persons assigned one by one."""
    chance = np.random.default_rng(405)
    arm = np.repeat([0, 1], 1_000)
    levels_of = np.arange(1, 6)
    p: dict[str, list[float]] = {"mean (skewed)": [], "proportion": [], "mean, CUPED": [], "win probability": []}
    held: dict[str, list[bool]] = {"mean (skewed)": [], "proportion": []}
    for _ in range(runs):
        before = chance.gamma(1.0, 1.0, arm.size)
        money, reached = before + chance.gamma(0.5, 2.0, arm.size), chance.random(arm.size) < 0.1
        found = moments(
            pd.DataFrame({"arm": arm, "money": money, "before": before, "reached": reached * 1.0}),
            "arm",
            ["money", "before", "reached"],
        )
        one, two = person_level.difference(found, "money", 1, 0), person_level.proportion(found, "reached", 1, 0)
        p["mean (skewed)"].append(one.p)
        p["proportion"].append(two.p)
        p["mean, CUPED"].append(person_level.difference(found, "money", 1, 0, covariates=["before"]).p)
        stars = chance.choice(levels_of, arm.size, p=[0.05, 0.1, 0.2, 0.35, 0.3])
        p["win probability"].append(person_level.win_probability(stars[:1_000], stars[1_000:]).p)
        for name, figure in (("mean (skewed)", one.estimate), ("proportion", two.estimate)):
            held[name].append(figure.low <= 0 <= figure.high)
    rows = [Row("false", f"2,000 persons, {name}", refused(values)) for name, values in p.items()]
    return rows + [Row("covered", f"2,000 persons, {name}", float(np.mean(values))) for name, values in held.items()]


def changing(runs: int) -> list[Row]:
    """Stepped wedge, crossover, switchback."""
    chance = np.random.default_rng(406)
    rows = []
    wedge = schedule(Design(cluster="c", method="stepped_wedge", waves=5), 6)
    cross = schedule(Design(cluster="c", method="crossover", block=2), 4)
    for table, codes, name, draws in (
        (wedge, np.repeat(np.arange(5), 8), "stepped wedge, 5 waves of 8 centres", 199),
        (cross, np.repeat([0, 1], 5), "crossover, 10 centres, 4 periods", DRAWS),
    ):
        order = drawn(chance, codes, runs)
        size = np.round(np.geomspace(20, 120, codes.size))[:, None]
        weight = np.broadcast_to(size, (codes.size, table.shape[1]))
        for effect, part in ((0.0, "false"), (EFFECT, "covered")):
            total = in_periods(chance, table[order], size, effect)
            p = [
                in_time(total[run], weight, Allowed(one), table, draws=draws).p_value(effect)
                for run, one in enumerate(order)
            ]
            rows.append(Row(part, name, refused(p) if part == "false" else kept(p)))
    strata = np.repeat(np.arange(4), 6)
    arm = drawn(chance, np.tile([0, 1], 12), runs, strata)
    for effect, part in ((0.0, "false"), (EFFECT, "covered")):
        total = in_periods(chance, arm.reshape(runs, 4, 6).astype(float), np.full((4, 1), 80.0), effect, 0.0).reshape(
            runs, -1
        )
        p = [
            difference(total[run], np.full(24, 80.0), Allowed(one, strata), draws=DRAWS).p_value(effect)
            for run, one in enumerate(arm)
        ]
        rows.append(Row(part, "switchback, 4 centres of 6 blocks", refused(p) if part == "false" else kept(p)))
    return rows


def formats(runs: int) -> list[Row]:
    """24 centres, three formats and a shared control."""
    rows: list[Row] = []
    for number, method in enumerate(("dunnett", "holm")):
        rows += _formats(runs, method, np.random.default_rng([407, number]))
    return rows


def _formats(runs: int, method: Multiplicity, chance: np.random.Generator) -> list[Row]:
    arm = drawn(chance, np.repeat(np.arange(4), 6), runs)
    size = np.round(np.geomspace(60, 600, 24))
    rows = []
    for effect in (0.0, 0.3):
        made = centres(chance, (arm == 1).astype(int), size, effect=effect)
        wrong, right, together = [], [], []
        for run, codes in enumerate(arm):
            total, weight = made.sums(run, per_person=True)
            found = several(total, weight, Allowed(codes), [1, 2, 3], method=method, draws=FEWER)
            declared = found.p <= ALPHA + EDGE
            wrong.append(declared[1:].any() or (declared[0] and not effect))
            right.append(declared[0])
            if effect:
                truth = (float(made.truth(per_person=True)[run]), 0.0, 0.0)
                p = [
                    difference(total, weight, Allowed(codes), treated=code).p_value(truth[code - 1])
                    for code in (1, 2, 3)
                ]
                together.append(all(one > level + EDGE for one, level in zip(p, found.alpha, strict=True)))
        if not effect:
            rows.append(Row("false", f"24 centres, three formats, family-wise, {method}", float(np.mean(wrong))))
        else:
            rows += [
                Row("false", f"24 centres, one format works: the other two, {method}", float(np.mean(wrong))),
                Row("found", f"24 centres, the one that works is found, {method}", float(np.mean(right))),
                Row("covered", f"24 centres, all three intervals at once, {method}", float(np.mean(together))),
            ]
    return rows


def looks(runs: int) -> list[Row]:
    """Five looks at 5 waves of 8 centres."""
    chance = np.random.default_rng(408)
    wave = np.repeat(np.arange(1, 6), 8)
    arm = drawn(chance, np.tile([0, 1], 20), runs, wave)
    size = np.tile(np.round(np.geomspace(60, 600, 8)), 5)
    made, moved = centres(chance, arm, size), centres(chance, arm, size, effect=EFFECT)
    rows = []
    for kind in ("lan_demets_obrien_fleming", "obrien_fleming", "pocock", "power"):
        spent = spending(kind, 5, ALPHA).tolist()
        stopped = [any(look.crossed for look in _looked(made, run, wave, spent)) for run in range(runs)]
        rows.append(Row("false", f"five looks, {kind}", float(np.mean(stopped))))
    spent, truth = spending("lan_demets_obrien_fleming", 5, ALPHA).tolist(), moved.truth(per_person=True)
    held, early = [], []
    for run in range(runs):
        found = _looked(moved, run, wave, spent)
        last = next((look for look in found if look.crossed), found[-1])
        seen = wave <= last.number
        total, weight = moved.sums(run, per_person=True)
        reference = difference(total[seen], weight[seen], Allowed(arm[run][seen], wave[seen]), draws=FEWER)
        held.append(reference.p_value(float(truth[run])) > max(last.nominal, 1e-4) + EDGE)
        early.append(last.crossed and last.number < 5)
    return [
        *rows,
        Row("covered", "five looks, interval where it stopped, lan_demets_obrien_fleming", float(np.mean(held)), 0.0),
        Row("found", "five looks, stopped early with an effect", float(np.mean(early))),
    ]


def _looked(made: Centres, run: int, wave: Ints, spent: list[float]) -> tuple[Look, ...]:
    return sequential(*made.sums(run, per_person=True), Allowed(made.arm[run], wave), wave.tolist(), spent, draws=FEWER)


def too_few(runs: int) -> list[Row]:
    """Designs that can declare nothing, with a huge effect."""
    chance = np.random.default_rng(409)
    rows = []
    for codes, strata, name in (
        (np.repeat([0, 1], 3), None, "3 v 3 centres"),
        (np.repeat([0, 1], 2), None, "2 v 2 centres"),
        (np.tile([0, 1], 5), np.repeat(np.arange(5), 2), "5 pairs"),
    ):
        made = centres(chance, drawn(chance, codes, runs, strata), np.full(codes.size, 300.0), effect=0.6)
        found = [difference(*made.sums(run, per_person=True), Allowed(one, strata)) for run, one in enumerate(made.arm)]
        rows.append(_never(name, found))
    cross = schedule(Design(cluster="c", method="crossover"), 4)
    order = drawn(chance, np.repeat([0, 1], 3), runs)
    total = in_periods(chance, cross[order], np.full((6, 1), 300.0), 0.6)
    found = [in_time(total[run], np.full((6, 4), 300.0), Allowed(one), cross) for run, one in enumerate(order)]
    return [*rows, _never("crossover of 3 v 3 centres", found)]


def _never(name: str, found: list[Reference]) -> Row:
    smallest = min(one.p_value() for one in found)
    share = refused([one.p_value() for one in found])
    return Row("never", f"{name}: smallest p possible {found[0].smallest_p:.3f}, seen {smallest:.3f}", share)


PARTS: tuple[Callable[[int], list[Row]], ...] = (
    looks, formats, changing, persons, covered_centres, blocks, twelve, ordinal_and_ratio, too_few,
)  # fmt: skip


def run(runs: int = 4_000) -> str:
    """All simulations, in two processes."""
    with ProcessPoolExecutor(2) as pool:
        rows = [row for part in pool.map(_part, range(len(PARTS)), [runs] * len(PARTS)) for row in part]
    return report(rows, runs)


def _part(number: int, runs: int) -> list[Row]:
    return PARTS[number](runs)
