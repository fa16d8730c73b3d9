"""Disclosure control of several cuts of the same events, decided together: what one hides, another must not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kcrr_analysis import disclosure
from kcrr_analysis.ipk.units import FIXED, RATIOS, Units

_INDEX = (
    "ipk", "events_share", "participants_share", "reviews_share", "low", "high", "se", "largest",
    *(f"{name}{end}" for name in (*RATIOS, *FIXED) for end in ("", "_low", "_high")),
    "rank", "rank_low", "rank_high", "group",
)  # fmt: skip

COUNTS: Mapping[str, tuple[str, ...]] = {
    "participants": ("participants_term", *_INDEX, "conversion_declared"),
    "reviews": ("reviews_term", "reviews_adjusted", "mean_rating", *_INDEX),
    "new_clients": ("conversion_declared",),
    "persons": ("conversion_attributed", "conversion_attributed_low", "conversion_attributed_high"),
    "clients": ("conversion_attributed", "conversion_attributed_low", "conversion_attributed_high"),
}
"""Counts of persons, and of what gives them away -> the figures from which the count could be computed back."""

CONTROLLED = tuple(dict.fromkeys(name for count, derived in COUNTS.items() for name in (count, *derived)))
"""Every column that disclosure control may withhold."""


def protect(total: pd.DataFrame, cuts: Mapping[str, Units], rule: disclosure.Rule | None) -> dict[str, Units]:
    """Cuts with small counts withheld, and those that would give them away.

    The sums known to a reader are the total of each cut, and every unit of one cut whose events are exactly those of
    some units of another (a format held on themes of its own, a month of one event).

    Args:
        total: The one row of all events.
        cuts: Name -> cut; all that is published together.
        rule: Mode and threshold; None only adds the columns that mark hidden cells.

    Returns:
        Name -> cut with a column `<column>_hidden` beside each count and each derived figure. The key `""` holds the
        total.
    """
    frames = {"": Units((), total, np.zeros(0, dtype=np.int64)), **cuts}
    if rule is None:
        return {name: replace(frame, rows=_marked(frame.rows, None)) for name, frame in frames.items()}
    parts = [
        frame.rows.reindex(columns=list(CONTROLLED)).assign(cut=name, place=np.arange(len(frame.rows)))
        for name, frame in frames.items()
    ]
    joined = pd.concat([part.astype({"group": object}) for part in parts], ignore_index=True)
    shown = disclosure.withhold(joined, COUNTS, list(_ties(joined, cuts)), rule)
    return {
        name: replace(frame, rows=_marked(frame.rows, shown[shown["cut"] == name])) for name, frame in frames.items()
    }


def _marked(rows: pd.DataFrame, shown: pd.DataFrame | None) -> pd.DataFrame:
    """The rows with what may be shown of the controlled columns, and the marks of what is hidden."""
    kept = [name for name in CONTROLLED if name in rows]
    marks = [f"{name}_hidden" for name in CONTROLLED]
    if shown is None:
        return pd.concat([rows, pd.DataFrame(False, index=rows.index, columns=marks)], axis=1)
    own = shown.set_axis(rows.index)
    order = [name for name in rows if name not in kept]
    return pd.concat([rows[order], own[kept], own[marks].astype(bool)], axis=1)[[*rows.columns, *marks]]


def _ties(joined: pd.DataFrame, cuts: Mapping[str, Units]) -> Iterator[disclosure.Tie]:
    whole = joined["cut"] == ""
    for name in cuts:
        yield disclosure.Tie(by=(), total=whole, parts=joined["cut"] == name)
    order = list(cuts)
    for first, second in permutations(cuts, 2):
        at, of = (joined.index[joined["cut"] == name].to_numpy() for name in (first, second))
        for unit, members in _nested(cuts[first].unit, cuts[second].unit):
            if len(members) == 1 and order.index(first) > order.index(second):
                continue  # the same two equal units, met the other way round
            total, parts = np.zeros(len(joined), dtype=bool), np.zeros(len(joined), dtype=bool)
            total[at[unit]] = True
            parts[of[members]] = True
            yield disclosure.Tie(by=(), total=pd.Series(total), parts=pd.Series(parts))


def _nested(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Units of the first cut that are the sum of whole units of the second, each with those."""
    if not len(first):
        return
    shape = (int(first.max()) + 1, int(second.max()) + 1)
    links = coo_matrix((np.ones(len(first)), (first, second)), shape=shape)
    graph = coo_matrix((np.ones(len(first)), (first, shape[0] + second)), shape=(sum(shape), sum(shape)))
    _, label = connected_components(graph, directed=False)
    alone = np.bincount(label[: shape[0]], minlength=label.max() + 1) == 1
    table = links.tocsr()
    for unit in np.flatnonzero(alone[label[: shape[0]]]):
        members = np.unique(table.indices[table.indptr[unit] : table.indptr[unit + 1]])
        if not (len(members) == shape[1] and shape[0] == 1):
            yield int(unit), np.asarray(members, dtype=np.int64)
