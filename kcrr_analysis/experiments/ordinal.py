"""Levels of satisfaction compared by the win probability, whatever is assigned.

The win probability is the chance that a person of one arm is more satisfied than a person of the other, ties counting a
half (Mann & Whitney 1947; O'Brien & Castelloe 2006); 0.5 means no difference. It uses the order of the levels alone.
Its standard error comes from the assigned units' mean placements in the other arm (DeLong et al. 1988; with clusters
Obuchowski 1997), and the studentised value is ranked among those of all allowed assignments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed, Codes
from kcrr_analysis.experiments.randomisation import chances, chunks, comparison, extremes, studentised
from kcrr_analysis.stats.estimate import FloatArray, checked_level

_ROUNDING = 1e-24
"""Variance of a probability that is zero but for rounding."""


@dataclass(frozen=True, eq=False)
class WinProbability:
    """The win probability of an arm against the control, with its randomisation distribution.

    Attributes:
        estimate: Win probability, 0 to 1.
        se: Its standard error.
        statistics: (win probability - 1/2) / standard error over the allowed assignments, the observed one first.
        exact: Whether all allowed assignments are there.
        smallest_p: No two-sided p-value of this design can be smaller.
        units: Assigned units that took part.
    """

    estimate: float
    se: float
    statistics: FloatArray
    exact: bool
    smallest_p: float
    units: int

    def p_value(self) -> float:
        """Exact or Monte Carlo two-sided p-value of «no difference»."""
        return float(extremes(self.statistics[None, :])[0])

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Estimate +- the reference's quantile x standard error, within [0, 1].

        The studentised permutation interval (Konietschke & Pauly 2012): it holds 0.5 exactly when the test does not
        refuse it. [0, 1] where the design has too few assignments for the level; NaN where the standard error is zero
        (one level alone, or arms that do not overlap): nothing tells the precision.
        """
        alpha = 1 - checked_level(level)
        sizes = np.sort(np.abs(self.statistics))[::-1]
        refused = int(np.floor(alpha * sizes.size + 1e-9))
        # The largest value that the test does not refuse: one more as extreme would exceed alpha.
        bound = float(sizes[min(refused, sizes.size - 1)]) * (1 + 1e-9) if refused else np.inf
        if self.smallest_p > alpha + 1e-9 or not np.isfinite(bound):
            return 0.0, 1.0
        if not self.se > 0:
            return float("nan"), float("nan")
        return max(self.estimate - bound * self.se, 0.0), min(self.estimate + bound * self.se, 1.0)


def win_probability(
    levels: FloatArray,
    allowed: Allowed,
    *,
    treated: int = 1,
    control: int = 0,
    per_unit: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> WinProbability:
    """Compares an ordinal outcome of two arms.

    Args:
        levels: Persons of each assigned unit by level, lowest level first, shape (units, levels).
        allowed: The observed assignment and those that could have happened.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        per_unit: Give each unit (centre) the same weight instead of each person.
        draws: Assignments drawn where there are too many to enumerate.
        seed: Of the draws.

    Raises:
        ParameterError: Negative numbers of persons, or an arm without persons.
    """
    levels = np.asarray(levels, dtype=float)
    if levels.ndim != 2 or (levels < 0).any():
        raise ParameterError(
            "Порядковый показатель: ожидается таблица числа людей по уровням, без отрицательных чисел."
        )
    persons = levels.sum(axis=1)
    kept = comparison(persons, (persons > 0).astype(float), allowed, treated=treated, control=control)
    own = (persons > 0) & kept.used
    given = levels[own] / (persons[own][:, None] if per_unit else 1.0)
    codes, exact = kept.allowed.reference(draws, seed=seed)
    parts = [_compared(chunk, given, kept.allowed, (treated, control)) for chunk in chunks(codes)]
    win, variance = (np.concatenate(part) for part in zip(*parts, strict=True))
    variance = np.where(variance > _ROUNDING, variance, 0.0)
    within = kept.allowed
    return WinProbability(
        estimate=float(win[0]),
        se=float(np.sqrt(variance[0])),
        statistics=studentised(win - 0.5, variance),
        exact=exact,
        smallest_p=(1 + within.mirrored) / len(codes) if exact else 1 / len(codes),
        units=int(own.sum()),
    )


def _compared(
    codes: Codes, given: FloatArray, allowed: Allowed, arms: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Win probabilities and their variances for each row of `codes` (assignments, units)."""
    chance = chances(allowed, *arms)
    member = [codes == arm for arm in arms]
    weight = [np.where(own, 1 / part, 0.0) for own, part in zip(member, (chance, 1 - chance), strict=True)]
    size = given.sum(axis=1)
    share = [part @ given / (part @ size)[:, None] for part in weight]
    placement = [np.cumsum(part, axis=1) - part / 2 for part in share]
    win = np.einsum("kl,kl->k", share[0], placement[1])
    influence = np.zeros(codes.shape)
    for number, centre in ((0, win), (1, 1 - win)):
        residual = placement[1 - number] @ given.T - size * centre[:, None]
        influence += weight[number] * residual / (weight[number] @ size)[:, None]
    if len(allowed.members) == 1:
        variance = np.zeros(len(codes))
        for own in member:
            units = int(own[0].sum())
            variance += np.einsum("kg,kg->k", influence * own, influence) * units / max(units - 1, 1)
        return win, variance
    # High placements raise the win probability in one arm and lower it in the other: the stratum's common part cancels.
    variance = np.zeros(len(codes))
    for block in allowed.members:
        part = influence[:, block] - influence[:, block].mean(axis=1, keepdims=True)
        variance += np.einsum("kg,kg->k", part, part) * block.size / max(block.size - 1, 1)
    left = codes.shape[1] - len(allowed.members)
    return win, variance * left / max(left - 1, 1)
