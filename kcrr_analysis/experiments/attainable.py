"""What p-value a design can attain at best: with few assignments even the clearest result proves nothing."""

from __future__ import annotations

import numpy as np

from kcrr_analysis.experiments import periods
from kcrr_analysis.experiments.analysis import MANY
from kcrr_analysis.experiments.assignment import Assignment
from kcrr_analysis.experiments.mechanism import DRAWS, LIMIT, Allowed


def smallest_p(assignment: Assignment) -> float:
    """The smallest two-sided p-value of any arm against the control; 0 where a large sample of persons bounds nothing.

    The share that the observed assignment has among those that could have happened (twice that where the exchange of
    the two arms could have happened too), or among the assignments that are drawn where there are too many.

    Args:
        assignment: Any assignment; of one that was not randomised, as if it had been.

    Returns:
        The largest of the arms' smallest p-values: what the hardest comparison can attain.
    """
    allowed, design = assignment.allowed, assignment.design
    if design.method in {"stepped_wedge", "crossover"}:
        return _of(allowed, periods.DRAWS, 4 * periods.DRAWS, mirrored=False)
    if design.cluster is None and design.method == "complete" and allowed.codes.size > MANY:
        return 0.0
    pairs = (
        allowed.restrict(np.isin(allowed.codes, (0, arm)) & _compared(allowed, arm))
        for arm in range(1, len(design.names))
    )
    return max(_of(pair, DRAWS, LIMIT, mirrored=pair.mirrored) for pair in pairs)


def _compared(allowed: Allowed, arm: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Units of the strata that hold both the arm and the control."""
    both = np.zeros(allowed.codes.size, dtype=bool)
    for member in allowed.members:
        both[member] = {0, arm} <= set(allowed.codes[member].tolist())
    return both


def _of(allowed: Allowed, draws: int, limit: int, *, mirrored: bool) -> float:
    if allowed.permutations > limit:
        return 1 / (draws + 1)
    return (1 + mirrored) / (allowed.count or 1)
