"""Whether events come as a random stream: the assumption that the limits of the expected sum rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

ENOUGH = 20
"""Fewer events tell nothing of how they come."""

SURE = 0.05
"""Under this p-value events are said to come in bursts."""


@dataclass(frozen=True)
class Bursts:
    """How the number of events varies over centres and months, against a Poisson stream with the region's own season.

    Attributes:
        index: Pearson's chi-square of the table centre by month over its degrees of freedom: 1 for a random stream,
            above 1 for bursts, below 1 for events at regular intervals; NaN where there are too few.
        p: One-sided p-value of "no more varied than a random stream".
        events: Number of events (a chain or a probable split counted once).
    """

    index: float
    p: float
    events: int

    @property
    def found(self) -> bool:
        """Whether events surely come in bursts, so that intervals are too narrow."""
        return self.p < SURE


def bursts(events: pd.DataFrame, months: pd.PeriodIndex) -> Bursts:
    """The index of dispersion of events by centre and month.

    Args:
        events: Scored events with date, month, center_id and jump.
        months: Every month of the period, those without events too.
    """
    first = events[events["center_id"].notna()].sort_values("date", kind="stable").drop_duplicates("jump")
    table = pd.crosstab(first["center_id"], first["month"]).reindex(columns=months, fill_value=0)
    counts = table.to_numpy(dtype=float)
    whole = counts.sum()
    freedom = (counts.shape[0] - 1) * int((counts.sum(0) > 0).sum() - 1) if counts.size else 0
    if whole < ENOUGH or freedom < 1:
        return Bursts(index=np.nan, p=np.nan, events=len(first))
    expected = np.outer(counts.sum(1), counts.sum(0)) / whole
    known = expected > 0
    chi2 = float((((counts - expected) ** 2)[known] / expected[known]).sum())
    return Bursts(index=chi2 / freedom, p=float(chdtrc(freedom, chi2)), events=len(first))
