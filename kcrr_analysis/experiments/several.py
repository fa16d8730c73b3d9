"""Several formats against one control, in one error budget.

The joint test is Dunnett's idea without normality: the largest studentised difference is ranked among those of all
assignments that could have happened. It is closed (Marcus, Peritz & Gabriel 1976): a format is declared different only
if every set of formats that contains it is, and a set is tested by exchanging the units of the set and the control
alone. The family-wise error holds whichever of the other formats work.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from kcrr_analysis import stats
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed
from kcrr_analysis.experiments.randomisation import comparison, difference, extremes
from kcrr_analysis.stats.estimate import FloatArray

Multiplicity: TypeAlias = Literal["dunnett", "holm"]

MOST = 5
"""Formats up to which all sets are tested (31 of them); above, Holm's procedure."""


@dataclass(frozen=True, eq=False)
class Several:
    """Family-wise results of several formats.

    Attributes:
        p: Adjusted p-value of each format, in the order asked.
        alpha: Level at which the simultaneous interval of each format is to be made.
        method: `dunnett` or `holm`.
    """

    p: FloatArray
    alpha: FloatArray
    method: Multiplicity


@dataclass(frozen=True, eq=False)
class Set:
    """Formats that are tested together, and the data."""

    total: FloatArray
    weight: FloatArray
    allowed: Allowed
    arms: Sequence[int]
    control: int
    covariates: FloatArray | None


def several(
    total: FloatArray,
    weight: FloatArray,
    allowed: Allowed,
    arms: Sequence[int],
    *,
    control: int = 0,
    covariates: FloatArray | None = None,
    alpha: float = 0.05,
    method: Multiplicity = "dunnett",
    draws: int = DRAWS,
    seed: int = 0,
) -> Several:
    """Adjusted p-values of several formats against one control; arguments as in `randomisation.difference`.

    Args:
        total: Sum of the outcome in each assigned unit.
        weight: Persons of each unit, or ones.
        allowed: The observed assignment and those that could have happened.
        arms: Codes of the formats.
        control: Code of the control.
        covariates: Known before the assignment, shape (units, covariates).
        alpha: Family-wise level of the intervals.
        method: `dunnett` (closed test of the largest difference) or `holm`.
        draws: Assignments drawn where there are too many to enumerate.
        seed: Of the draws.
    """
    if method == "holm" or len(arms) > MOST:
        one = functools.partial(
            difference, total, weight, allowed, control=control, covariates=covariates, draws=draws, seed=seed
        )
        return holm([one(treated=arm).p_value() for arm in arms], alpha)
    adjusted = np.zeros(len(arms))
    level = np.full(len(arms), alpha)
    for size in range(1, len(arms) + 1):
        for chosen in itertools.combinations(range(len(arms)), size):
            arms_of_set = [arms[place] for place in chosen]
            sizes = _sizes(Set(total, weight, allowed, arms_of_set, control, covariates), draws, seed)
            p = float(extremes(sizes.max(axis=0)[None, :])[0])
            adjusted[list(chosen)] = np.maximum(adjusted[list(chosen)], p)
            if size == len(arms):
                largest = np.sort(sizes.max(axis=0))[::-1]
                # The largest value that the joint test does not refuse.
                bound = largest[int(np.floor(alpha * largest.size + 1e-9))] * (1 + 1e-9)
                level = np.clip((sizes > bound).mean(axis=1), alpha / len(arms), alpha)
    return Several(adjusted, level, "dunnett")


def holm(p: Sequence[float], alpha: float) -> Several:
    """Holm's procedure over the p-values of the formats; intervals at Bonferroni's level."""
    return Several(np.asarray(stats.holm(p)), np.full(len(p), alpha / len(p)), "holm")


def _sizes(tested: Set, draws: int, seed: int) -> FloatArray:
    """Absolute statistics of the formats, shape (formats, assignments): among them and the control alone."""
    allowed, arms = tested.allowed, {*tested.arms, tested.control}
    keep = np.isin(allowed.codes, list(arms)) & (np.asarray(tested.weight) > 0) & np.isfinite(tested.total)
    for member in allowed.members:
        if not arms <= set(allowed.codes[member][keep[member]].tolist()):
            keep[member] = False
    within = allowed.restrict(keep)
    codes, _ = within.reference(draws, seed=seed)
    covariates = None if tested.covariates is None else tested.covariates[keep]
    own = [
        comparison(
            tested.total[keep], tested.weight[keep], within, treated=arm, control=tested.control, covariates=covariates,
            others=True,
        ).sizes(codes)
        for arm in tested.arms
    ]  # fmt: skip
    return np.stack(own)
