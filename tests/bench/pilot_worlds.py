"""Simulated pilots: centres with their own level, and outcomes under both formats, for all runs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SIZES = np.round(np.geomspace(60, 600, 12))
"""Persons of the 12 centres."""

ICC = 0.05
SHARE = 0.3
EFFECT = 0.1
LEVELS = np.array([0.05, 0.10, 0.20, 0.35, 0.30])
"""Shares of the five levels of satisfaction."""


@dataclass(frozen=True)
class Centres:
    """Centres of many runs; each array is of shape (runs, centres).

    Attributes:
        size: Persons.
        arm: Arm as drawn.
        control: Chance of a person to reach the outcome under the control.
        treated: The same under the new format.
        total: Persons who reached it.
        known: Something known before the assignment that goes with the outcome.
    """

    size: Floats
    arm: Ints
    control: Floats
    treated: Floats
    total: Floats
    known: Floats

    def truth(self, *, per_person: bool) -> Floats:
        """The effect on these centres (not on those that they might be a sample of), shape (runs,)."""
        weight = self.size if per_person else np.ones_like(self.size)
        return np.asarray(((self.treated - self.control) * weight).sum(axis=1) / weight.sum(axis=1))

    def sums(self, run: int, *, per_person: bool) -> tuple[Floats, Floats]:
        """Totals and weights of one run as the analysis takes them."""
        if per_person:
            return self.total[run], self.size[run]
        return self.total[run] / self.size[run], np.ones(self.size.shape[1])


def drawn(chance: np.random.Generator, codes: Ints, runs: int, strata: Ints | None = None) -> Ints:
    """Permutations of `codes`, within strata where there are, shape (runs, units)."""
    arm = np.tile(codes, (runs, 1))
    for label in np.unique(strata) if strata is not None else [None]:
        own = slice(None) if label is None else strata == label
        arm[:, own] = chance.permuted(arm[:, own], axis=1)
    return arm


def relative(size: Floats) -> Floats:
    """0 for a centre of 60 persons, 1 for one of 600."""
    return np.asarray(np.clip((np.log(size) - np.log(60)) / np.log(10), 0, 1))


def centres(
    chance: np.random.Generator,
    arm: Ints,
    size: Floats = SIZES,
    *,
    effect: float = 0.0,
    outcome_by_size: float = 0.0,
    effect_by_size: float = 0.0,
    spread_of_effect: float = 0.0,
    between: float = 0.0,
    strata: Ints | None = None,
) -> Centres:
    """Binary outcomes with intraclass correlation `ICC`.

    Args:
        chance: Generator.
        arm: Arms, shape (runs, centres).
        size: Persons, shape (centres,) or (runs, centres).
        effect: Added to the chance of each person in arm 1.
        outcome_by_size: Added to the chance in the largest centres, nothing in the smallest.
        effect_by_size: Added to the effect in the largest centres.
        spread_of_effect: Standard deviation of the centres' effects.
        between: Added by the stratum's number, from 0.
        strata: Number of each centre's stratum.
    """
    size = np.broadcast_to(size, arm.shape).astype(float)
    mean = SHARE - outcome_by_size / 2 + outcome_by_size * relative(size)
    mean = mean + (0.0 if strata is None else between * strata)
    control = chance.beta(mean * (1 / ICC - 1), (1 - mean) * (1 / ICC - 1))
    shift = effect + effect_by_size * relative(size) + spread_of_effect * chance.standard_normal(arm.shape)
    treated = np.clip(control + shift, 0, 1)
    total = chance.binomial(size.astype(int), np.where(arm == 1, treated, control)).astype(float)
    return Centres(size, arm, control, treated, total, control + chance.normal(0, 0.07, arm.shape))


def levels(chance: np.random.Generator, arm: Ints, size: Floats, shift: float = 0.0) -> tuple[Ints, Floats]:
    """Ordinal outcomes and the true win probability.

    Args:
        chance: Generator.
        arm: Shape (runs, centres).
        size: Persons, shape (centres,).
        shift: By which the new format moves the hidden scale.

    Returns:
        Persons by level, shape (runs, centres, levels), and the probability that a person of these centres is more
        satisfied under the new format than under the control, shape (runs,).
    """
    cuts = norm.ppf(np.cumsum(LEVELS)[:-1])
    own = chance.normal(0, np.sqrt(ICC / (1 - ICC)), arm.shape)[..., None]

    def shares(moved: float) -> Floats:
        below = norm.cdf(cuts - own - moved)
        ends = (*below.shape[:-1], 1)
        return np.diff(np.concatenate([np.zeros(ends), below, np.ones(ends)], axis=-1), axis=-1)

    of = [shares(0.0), shares(shift)]
    counts = chance.multinomial(size.astype(int), np.where((arm == 1)[..., None], of[1], of[0]))
    whole = [np.einsum("rgl,g->rl", part, size) / size.sum() for part in of]
    truth = (whole[1] * (np.cumsum(whole[0], axis=1) - whole[0] / 2)).sum(axis=1)
    return counts, truth


def in_periods(
    chance: np.random.Generator, treatment: Floats, size: Floats, effect: float = 0.0, wave_trend: float = 0.03
) -> Floats:
    """Totals of a binary outcome by centre and period, shape (runs, centres, periods).

    Args:
        chance: Generator.
        treatment: Shape (runs, centres, periods).
        size: Persons a centre and period, shape (centres, 1).
        effect: Added to the chance of treated cells.
        wave_trend: Added to the chance in each later period.
    """
    runs, units, periods = treatment.shape
    between = SHARE * (1 - SHARE) * ICC
    level = SHARE + chance.normal(0, np.sqrt(0.8 * between), (runs, units, 1))
    level = level + chance.normal(0, np.sqrt(0.2 * between), treatment.shape) + wave_trend * np.arange(periods)
    chances = np.clip(level + effect * treatment, 0, 1)
    return chance.binomial(np.broadcast_to(size, treatment.shape).astype(int), chances).astype(float)


def ratios(chance: np.random.Generator, arm: Ints, size: Floats, effect: float = 0.0) -> tuple[Floats, Floats]:
    """Numerators and denominators of a ratio of sums; the new format raises the denominators by 10 % too."""
    weight = chance.poisson(np.where(arm == 1, 1.65, 1.5) * size).astype(float)
    rate = chance.gamma(20, SHARE / 20, arm.shape)
    return chance.poisson(weight * (rate + effect * arm)).astype(float), weight
