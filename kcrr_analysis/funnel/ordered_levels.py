"""Which levels of an ordered funnel differ from all others by the share that reaches the last step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import stats

Floats = npt.NDArray[np.float64]

MIN_COMPARED = 10
"""With fewer matured entrants of a level (or of the rest) it is compared with nothing."""

FIGURES = (
    "entrants_matured", "share", "rest", "difference", "difference_low", "difference_high", "p_adjusted", "differs",
    "hidden",
)  # fmt: skip


def against_rest(last: pd.DataFrame, keys: Sequence[str], level: float) -> pd.DataFrame:
    """Each level against all others; see `OrderedFunnel.comparisons`.

    The test is Miettinen and Nurminen's score test, p-values adjusted by Holm (1979) over all comparisons; the interval
    of the difference is Newcombe's (1998, method 10), each at the level by itself.

    Args:
        last: Rows of the last step, one a level, without a total: persons_matured, entrants_matured and `keys`.
        keys: Columns that name a level.
        level: Confidence level; 1 - level is the error budget.
    """
    k, n = (last[name].to_numpy(dtype=float) for name in ("persons_matured", "entrants_matured"))
    k_rest, n_rest = k.sum() - k, n.sum() - n
    fit = (n >= MIN_COMPARED) & (n_rest >= MIN_COMPARED)
    if not keys or not fit.any():
        return pd.DataFrame(columns=[*keys, *FIGURES])
    k, n, k_rest, n_rest = k[fit], n[fit], k_rest[fit], n_rest[fit]
    gap = stats.newcombe(k, n, k_rest, n_rest, level=level)
    adjusted = stats.holm(_two_sided(stats.score_statistic(k, n, k_rest, n_rest)))
    found = last.loc[fit, list(keys)].assign(
        entrants_matured=n,
        share=100 * k / n,
        rest=100 * k_rest / n_rest,
        difference=100 * gap.estimate,
        difference_low=100 * gap.low,
        difference_high=100 * gap.high,
        p_adjusted=adjusted,
        differs=np.where(adjusted < 1 - level, np.sign(gap.estimate), 0).astype(int),
        hidden=False,
    )
    return found.reset_index(drop=True)


def _two_sided(z: Any) -> Floats:
    from scipy.special import ndtr

    # Where nobody or everybody reaches the last step there is nothing to tell apart.
    tails: Floats = 2 * ndtr(-np.abs(np.asarray(z, dtype=float)))
    return np.where(np.isnan(tails), 1.0, tails)
