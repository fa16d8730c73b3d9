"""What drives the index: the shares of its terms, and how far it only repeats attendance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.ipk.terms import TERMS

DOMINATES = 80.0
"""From this share of the index (%) on, what grows with the number of people is said to dominate."""


@dataclass(frozen=True)
class Drivers:
    """What the index of a set of events is made of.

    Attributes:
        events: Number of events.
        shares: Term (`events_term`, ...) -> its share of the index, %.
        rank_correlation: Spearman's correlation of the index with the number of participants, over events; NaN with
            fewer than three events or no variation.
        units: Number of units compared (centres, regions).
        unit_rank_correlation: The same over the units.
        index_ratio: Largest unit's index over the smallest one's; NaN with fewer than two units.
        participants_ratio: The same of participants.
        size_share: Share of the two terms that grow with the number of people (participants and reviews), %.
        size_dominates: That share is at least 80 %.
    """

    events: int
    shares: dict[str, float]
    rank_correlation: float
    units: int
    unit_rank_correlation: float
    index_ratio: float
    participants_ratio: float

    @property
    def size_share(self) -> float:
        """Share of the participants' and the reviews' terms in the index, %."""
        return self.shares["participants_term"] + self.shares["reviews_term"]

    @property
    def size_dominates(self) -> bool:
        """Whether the index mostly follows the number of people who came."""
        return self.size_share >= DOMINATES

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame(
            [
                {
                    "events": self.events,
                    **{name.replace("_term", "_share"): share for name, share in self.shares.items()},
                    "rank_correlation": self.rank_correlation,
                    "units": self.units,
                    "unit_rank_correlation": self.unit_rank_correlation,
                    "index_ratio": self.index_ratio,
                    "participants_ratio": self.participants_ratio,
                    "size_share": self.size_share,
                    "size_dominates": self.size_dominates,
                }
            ]
        )


def drivers(events: pd.DataFrame, units: pd.DataFrame) -> Drivers:
    """What drives the index of these events.

    Args:
        events: Scored events (`terms.compute`).
        units: Units of one cut with ipk and participants, after disclosure control: hidden units are in no comparison,
            and with one hidden there is no ratio of the largest to the smallest.
    """
    whole = events["ipk"].sum()
    return Drivers(
        events=len(events),
        shares={term: float(100 * events[term].sum() / whole) if whole > 0 else np.nan for term in TERMS},
        rank_correlation=spearman(events["ipk"], events["participants"]),
        units=int(units["ipk"].notna().sum()),
        unit_rank_correlation=spearman(units["ipk"], units["participants"]),
        index_ratio=_ratio(units["ipk"]),
        participants_ratio=_ratio(units["participants"]),
    )


def spearman(first: pd.Series, second: pd.Series) -> float:
    """Spearman's rank correlation; NaN with fewer than three pairs or where one figure does not vary."""
    known = first.notna() & second.notna()
    ranks = (first[known].rank(), second[known].rank())
    if known.sum() < 3 or any(rank.nunique() < 2 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def _ratio(values: pd.Series) -> float:
    if len(values) < 2 or values.isna().any() or values.min() <= 0:
        return float("nan")
    return float(values.max() / values.min())
