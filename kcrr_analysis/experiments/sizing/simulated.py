"""Power by simulation on the region's own past data: nothing is assumed but that the pilot will be like the past.

Each run draws an assignment that the design could give, adds the effect to the treated centres' past outcomes and
analyses the result as the pilot will be analysed, by the exact randomisation test. With `resample` the centres too are
drawn anew with replacement (within strata): the power then speaks of centres like these, not of these in this very
period.

A share gets its effect by thinning: each treated client without the outcome reaches it with the chance that adds the
effect on average (or, for a loss, each with it loses it), so that shares stay within 0 and 1. A count gets a Poisson
number of further events, or loses some; a mean is shifted.

Source: Gail M. H. et al. (1996), Stat Med 15:1069 (randomisation inference for community trials); Kennedy-Shaffer L.,
Hughes M. D. (2022), Stat Med 41:4681 (power by permutation of past data).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import LIMIT, Allowed, Codes
from kcrr_analysis.experiments.periods import in_time
from kcrr_analysis.experiments.randomisation import Reference, difference
from kcrr_analysis.experiments.sizing.arguments import checked_choice, checked_margin, inside
from kcrr_analysis.experiments.sizing.criteria import AIMS
from kcrr_analysis.stats import Estimate, clopper_pearson
from kcrr_analysis.stats.estimate import FloatArray, Numbers, checked

Kind: TypeAlias = Literal["proportion", "count", "mean"]
Progress: TypeAlias = Callable[[int, int], None]

DRAWS = 1_999
"""Assignments that each run is compared with, where there are too many to enumerate."""

RUNS = 1_000
"""A power of 80 % is then known to within 2.5 percentage points."""

_EVERY = 50
_FEW = 4
"""Sets up to so many times the draws are enumerated."""
_LOOKED_AT = 20
"""Runs whose smallest p-value is computed: it hardly differs between them."""


@dataclass(frozen=True)
class SimulatedPower:
    """How often a pilot on past data showed what it should.

    Attributes:
        power: Share of runs that reached the aim, with its Monte Carlo interval (Clopper-Pearson); `n` is the number of
            runs.
        outcome: Kind of the outcome.
        aim: `difference`, `not_worse` or `equivalent`.
        effect: Effect asked for, per person.
        added: Effect really added on average: smaller than asked where a centre's share had no room for it.
        estimate: Mean of the estimated effects over the runs.
        se: Their standard deviation: what the standard error of the pilot's estimate will be.
        alpha: Error of the test.
        smallest_p: The smallest p-value that any run could give.
        units: Centres.
        counts: Centres of each arm (wave, sequence).
        resampled: Whether centres were drawn anew.
        notes: `unattainable` (no run could be significant), `effect_cut` (the effect did not fit into some centres).
    """

    power: Estimate
    outcome: str
    aim: str
    effect: float
    added: float
    estimate: float
    se: float
    alpha: float
    smallest_p: float
    units: int
    counts: tuple[int, ...]
    resampled: bool
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row; numbers of arms and notes are joined by commas."""
        row: dict[str, Any] = {
            "power": self.power.estimate,
            "low": self.power.low,
            "high": self.power.high,
            "runs": self.power.n,
        }
        row |= {name: value for name, value in vars(self).items() if name != "power"}
        row["counts"], row["notes"] = ",".join(map(str, self.counts)), ",".join(self.notes)
        return pd.DataFrame({name: [value] for name, value in row.items()})


@dataclass(frozen=True, eq=False)
class _Drawn(Allowed):
    """The allowed assignments of one run: a large set is sampled once for all runs, which are independent of it."""

    pool: Codes | None = None

    def reference(self, draws: int = DRAWS, *, limit: int = LIMIT, seed: int = 0) -> tuple[Codes, bool]:
        if self.pool is None:
            return super().reference(draws, limit=limit, seed=seed)
        return np.concatenate([self.codes[None], self.pool]), False


@dataclass(frozen=True, eq=False)
class _Pilot:
    """What every run shares."""

    total: FloatArray
    size: FloatArray
    kind: Kind
    effect: float
    treatment: FloatArray | None
    treated: int
    control: int
    per_person: bool
    covariates: FloatArray | None
    draws: int

    def given(self, codes: Codes) -> FloatArray:
        """1 where a centre (in a period) has the new format."""
        if self.treatment is None:
            return np.asarray(codes == self.treated, dtype=float)
        return np.asarray(self.treatment[codes], dtype=float)

    def with_effect(self, rows: Any, given: FloatArray, chance: np.random.Generator) -> tuple[FloatArray, float]:
        """Outcomes with the effect, and the effect really added per treated person."""
        total, size = self.total[rows], self.size[rows]
        where = (np.nan_to_num(given) > 0) & (size > 0)
        people = np.where(where, size, 0.0)
        wanted = abs(self.effect) * people
        expected = change = wanted
        if self.kind == "count" and self.effect > 0:
            change = chance.poisson(wanted).astype(float)
        elif self.kind != "mean":
            room = np.where(where, total if self.effect < 0 else size - total, 0.0)
            expected = np.minimum(wanted, room)
            share = np.divide(expected, room, out=np.zeros_like(room), where=room > 0)
            change = chance.binomial(room.astype(np.int64), share).astype(float)
        sign = np.sign(self.effect)
        return total + sign * change, float(sign * expected.sum() / max(people.sum(), 1e-300))

    def analysed(self, total: FloatArray, rows: Any, allowed: Allowed, seed: int) -> Reference:
        """The pilot's own analysis."""
        size = self.size[rows]
        if not self.per_person:
            total, size = np.divide(total, size, out=np.zeros_like(total), where=size > 0), (size > 0).astype(float)
        if self.treatment is not None:
            return in_time(total, size, allowed, self.treatment, draws=self.draws, seed=seed)
        covariates = None if self.covariates is None else self.covariates[rows]
        return difference(
            total, size, allowed, treated=self.treated, control=self.control, covariates=covariates, draws=self.draws,
            seed=seed,
        )  # fmt: skip


def simulated_power(
    total: Numbers,
    n: Numbers,
    allowed: Allowed,
    *,
    effect: float,
    outcome: Kind = "proportion",
    treated: int = 1,
    control: int = 0,
    schedule: FloatArray | None = None,
    estimand: Literal["person", "center"] = "person",
    covariates: FloatArray | None = None,
    aim: str = "difference",
    margin: float | None = None,
    better: Literal["higher", "lower"] = "higher",
    alpha: float = 0.05,
    runs: int = RUNS,
    draws: int = DRAWS,
    resample: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> SimulatedPower:
    """Power of the exact test on past totals of centres.

    Args:
        total: Past sum of the outcome in each centre, shape (centres,); (centres, periods) with a `schedule`.
        n: Persons behind it, same shape; centres without persons take no part.
        allowed: Any assignment of the design (`Assignment.allowed`): runs draw from those it could have given.
        effect: What the new format adds per person (share, events, units of the mean); may be negative, or 0 to see how
            often the test errs.
        outcome: `proportion`, `count` or `mean`.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        schedule: Treatment of each wave or sequence by period (`periods.schedule`), for the designs in time.
        estimand: Average per person, or per centre.
        covariates: Known before the pilot, shape (centres,) or (centres, covariates); not with a schedule.
        aim: `difference`, `not_worse` or `equivalent`.
        margin: Of the latter two.
        better: Which direction is good: a loss is the other one.
        alpha: Error; the aims with a margin take the two-sided interval of level 1 - alpha.
        runs: Simulated pilots.
        draws: Assignments that each is compared with, where there are too many to enumerate.
        resample: Draw the centres anew in each run.
        seed: Equal seeds give equal results.
        progress: Called as `progress(done, runs)` every 50 runs.

    Raises:
        ParameterError: Arguments that cannot be or do not fit.
    """
    checked_choice(outcome, ("proportion", "count", "mean"), "вид исхода (outcome)")
    checked_choice(estimand, ("person", "center"), "что оценивается (estimand)")
    checked_choice(aim, AIMS, "цель (aim)")
    checked_choice(better, ("higher", "lower"), "какое изменение хорошее (better)")
    bound, level = checked_margin(aim, margin), inside(alpha, "уровень значимости (alpha)")
    sums, sizes = _checked(total, n, allowed, outcome, schedule)
    if not (isinstance(runs, (int, np.integer)) and runs >= 1):
        raise ParameterError(f"Число прогонов {runs} недопустимо. Укажите целое число от 1.")
    columns = None if covariates is None else np.asarray(covariates, dtype=float).reshape(len(sums), -1)
    pilot = _Pilot(
        sums, sizes, outcome, float(checked(effect, "эффект", low=-np.inf)), schedule, treated, control,
        estimand == "person", columns, draws,
    )  # fmt: skip
    chance = np.random.default_rng(seed)
    assignments, pool = _assignments(allowed, int(runs), chance), _pool(allowed, draws, chance)
    reached, estimates, added, smallest = 0, np.empty(runs), np.empty(runs), 1.0
    for run in range(int(runs)):
        rows = _rows(allowed, resample, chance)
        codes = assignments[run]
        changed, added[run] = pilot.with_effect(rows, pilot.given(codes), chance)
        drawn = _Drawn(codes, allowed.strata, allowed.criterion, pool)
        found = pilot.analysed(changed, rows, drawn, seed=int(chance.integers(2**31)))
        reached += _shown(found, aim, bound, 1 if better == "higher" else -1, level)
        estimates[run] = found.estimate
        if run < _LOOKED_AT:
            smallest = min(smallest, found.smallest_p)
        if progress is not None and (run + 1) % _EVERY == 0:
            progress(run + 1, int(runs))
    notes = ["unattainable"] if smallest > level else []
    notes += ["effect_cut"] if abs(float(added.mean())) < 0.99 * abs(pilot.effect) else []
    return SimulatedPower(
        power=clopper_pearson(reached, int(runs)),
        outcome=outcome,
        aim=aim,
        effect=pilot.effect,
        added=float(added.mean()),
        estimate=float(np.nanmean(estimates)),
        se=float(np.nanstd(estimates, ddof=1)) if runs > 1 else float("nan"),
        alpha=level,
        smallest_p=smallest,
        units=len(sums),
        counts=tuple(int(count) for count in np.bincount(allowed.codes)),
        resampled=resample,
        notes=tuple(notes),
    )


def _checked(
    total: Numbers, n: Numbers, allowed: Allowed, outcome: str, schedule: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    sums = np.atleast_1d(checked(total, "сумма исхода", low=-np.inf))
    sizes = np.atleast_1d(checked(n, "число людей"))
    shape = (allowed.codes.size,) if schedule is None else (allowed.codes.size, np.shape(schedule)[1])
    if sums.shape != shape or sizes.shape != shape:
        expected = " × ".join(map(str, shape))
        raise ParameterError(
            f"Прошлые данные не подходят к назначению: нужны суммы и числа людей размером {expected} (центры"
            f"{'' if schedule is None else ' × периоды'}), переданы {sums.shape} и {sizes.shape}."
        )
    missing = np.isnan(sums) | np.isnan(sizes)
    sums, sizes = np.where(missing, 0.0, sums), np.where(missing, 0.0, sizes)
    if outcome != "mean" and ((sums < 0).any() or (sums != np.floor(sums)).any()):
        raise ParameterError("Число случаев по центрам должно быть целым и неотрицательным.")
    if outcome == "proportion" and (sums > sizes).any():
        raise ParameterError(
            'Случаев не может быть больше, чем людей. Для событий на человека укажите outcome="count".'
        )
    return sums, sizes


def _assignments(allowed: Allowed, runs: int, chance: np.random.Generator) -> Codes:
    if allowed.criterion is None:
        return allowed.draw(runs, chance)
    codes, exact = allowed.reference(runs, seed=int(chance.integers(2**31)))
    return codes[chance.integers(0, len(codes), runs)] if exact else codes[1:]


def _pool(allowed: Allowed, draws: int, chance: np.random.Generator) -> Codes | None:
    """Assignments that all runs are compared with; None where the set is small enough to go through."""
    if allowed.permutations <= _FEW * draws:
        return None
    codes, _ = allowed.reference(draws, limit=0, seed=int(chance.integers(2**31)))
    return codes[1:]


def _rows(allowed: Allowed, resample: bool, chance: np.random.Generator) -> Any:
    if not resample:
        return slice(None)
    rows = np.arange(allowed.codes.size)
    for member in allowed.members:
        rows[member] = chance.choice(member, member.size)
    return rows


def _shown(found: Reference, aim: str, margin: float, sign: int, alpha: float) -> bool:
    """Whether the run reached its aim; a two-sided difference counts in either direction."""
    if not np.isfinite(found.estimate):
        return False
    if aim == "difference":
        return found.p_value() <= alpha + 1e-9
    worse = sign * found.estimate > -margin and found.p_value(-sign * margin) <= alpha + 1e-9
    if aim == "not_worse":
        return worse
    return worse and sign * found.estimate < margin and found.p_value(sign * margin) <= alpha + 1e-9
