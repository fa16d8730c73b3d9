"""What p-value a design can attain at best: with few assignments even the clearest result proves nothing."""

from __future__ import annotations

import numpy as np

from kcrr_analysis.experiments import periods
from kcrr_analysis.experiments.analysis import MANY
from kcrr_analysis.experiments.assignment import Assignment
from kcrr_analysis.experiments.mechanism import DRAWS, LIMIT, Allowed
from kcrr_analysis.experiments.randomisation import compared


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
    if design.ordered:
        return _of(allowed, periods.DRAWS, 4 * periods.DRAWS, mirrored=False)
    if design.cluster is None and design.method == "complete" and allowed.codes.size > MANY:
        return 0.0
    least = 0.0
    for arm in range(1, len(design.names)):
        keep = np.isin(allowed.codes, (0, arm))
        pair = allowed.restrict(keep & compared(allowed, keep, arm, 0))
        least = max(least, _of(pair, DRAWS, LIMIT, mirrored=pair.mirrored))
    return least


def _of(allowed: Allowed, draws: int, limit: int, *, mirrored: bool) -> float:
    if allowed.permutations > limit:
        return 1 / (draws + 1)
    return (1 + mirrored) / (allowed.count or 1)
