"""Which client groups differ from the rest of a measure's persons: score tests under one error budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.funnel.cells import ALL, GROUP
from kcrr_analysis.funnel.measures import SMALL_BASE
from kcrr_analysis.stats.multiplicity import holm

COLUMNS = (
    "measure_id", "variant", "level", "level_title", "difference", "low", "high", "p_adjusted", "differs", "hidden",
)  # fmt: skip


def against_rest(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Each client group against all other persons of the same measure; see `Measures.comparisons`.

    The test is Miettinen and Nurminen's score test, whose interval is printed; Holm (1979) adjusts the p-values of all
    comparisons of the result together.

    Args:
        rows: Rows of a result after disclosure control, with the true counts in `_k` and `_n` and the flag `_persons`
            (the value is a share of independent persons).
        level: Confidence level.
    """
    shares = rows[rows["_persons"]]
    total = shares[shares["kind"] == ALL].drop_duplicates(["measure_id", "variant"], keep=False)
    pairs = shares[shares["kind"] == GROUP].merge(total, on=["measure_id", "variant"], suffixes=("", "_all"))
    n, n_rest = pairs["_n"], pairs["_n_all"] - pairs["_n"]
    pairs = pairs[(n >= SMALL_BASE) & (n_rest >= SMALL_BASE)]
    if pairs.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    k, n = pairs["_k"], pairs["_n"]
    k_rest, n_rest = pairs["_k_all"] - k, pairs["_n_all"] - n
    gap = stats.miettinen_nurminen(k, n, k_rest, n_rest, level=level)
    adjusted = holm(_two_sided(stats.score_statistic(k, n, k_rest, n_rest)))
    found = pairs[["measure_id", "variant", "level", "level_title"]].assign(
        difference=100 * gap.estimate,
        low=100 * gap.low,
        high=100 * gap.high,
        p_adjusted=adjusted,
        differs=np.where(adjusted <= 1 - level, np.sign(gap.estimate), 0).astype(int),
        hidden=pairs["value_hidden"] | pairs["value_hidden_all"],
    )
    shown = pairs["value"].notna() & pairs["value_all"].notna()
    return found[shown].reset_index(drop=True)


def _two_sided(z: Any) -> npt.NDArray[np.float64]:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)))
