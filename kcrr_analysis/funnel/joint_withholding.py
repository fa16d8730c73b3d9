"""Tables by different columns of the same records, put under disclosure control together.

A region's promotion by tool and by campaign are two tables of the same placements: where the placements of a tool
belong to campaigns of its own, the campaigns' rows add up to the tool's, and a count hidden in one table could be
computed from the other. So the attacker is granted all of the records but their counts: he knows which levels each one
belongs to. A count is protected when the records' counts could be others, not negative, that agree with all that is
shown and make it as large as the threshold (the audit of `kcrr_analysis.disclosure.intervals`).

What else must be hidden for that is found for one small count after another by a linear programme: the incremental
"attacker's problem" of Kelly, Golden & Assad (*Networks* 22, 1992) and Fischetti & Salazar (*Management Science* 47,
2001), as `kcrr_analysis.disclosure.suppress` solves it for tables whose rows are tied by sums of published rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.disclosure import Rule

Codes = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Margin:
    """One table: a row a level, then the total.

    Attributes:
        rows: Levels in the order of their codes, and last a row that counts every record once.
        codes: Level of each record; all margins list the same records in the same order.
    """

    rows: pd.DataFrame
    codes: Codes


def withhold(
    margins: Sequence[Margin], records: Mapping[str, Floats], derived: Mapping[str, Sequence[str]], rule: Rule | None
) -> list[pd.DataFrame]:
    """The rows of each margin, with small counts and all that give them away withheld in all of them.

    Args:
        margins: Tables of the same records that are published together; a count in them is the sum over its records.
        records: Count -> its value in each record, NaN where it is not recorded.
        derived: Count -> the columns from which it could be computed back.
        rule: Mode and threshold; None withholds nothing.

    Returns:
        One frame a margin, with a boolean column `<column>_hidden` beside each count and derived column.
    """
    starts = np.cumsum([0, *(len(margin.rows) for margin in margins)])
    frame = pd.concat([margin.rows for margin in margins], ignore_index=True)
    if rule is None:
        shown = disclosure.withhold(frame, derived, (), None)
    else:
        shown = frame
        for name, columns in derived.items():
            flags = _hidden(margins, records[name], frame[name], rule)
            shown = disclosure.hide(shown, flags, [name, *columns], rule)
    return [shown.iloc[first:last].reset_index(drop=True) for first, last in pairwise(starts)]


def _hidden(margins: Sequence[Margin], record: Floats, published: pd.Series, rule: Rule) -> pd.Series:
    """Rows of all margins to hide for one count."""
    small = rule.small(published)
    if not small.any():
        return small
    recorded = np.isfinite(record)
    labels = np.column_stack([margin.codes[recorded] for margin in margins])
    classes, of = np.unique(labels, axis=0, return_inverse=True)
    counts: Floats = np.asarray(np.bincount(of.ravel(), weights=record[recorded]), np.float64)
    blocks = []
    for number, margin in enumerate(margins):
        levels = np.arange(len(margin.rows) - 1)
        blocks += [classes[:, number] == levels[:, None], np.ones((1, len(classes)), bool)]
    members: Floats = np.vstack(blocks).astype(np.float64)
    totals = np.zeros(len(members), bool)
    totals[np.cumsum([len(margin.rows) for margin in margins]) - 1] = True
    values = np.nan_to_num(published.to_numpy(dtype=float))
    prices = np.log2(2 + values) * (1 + 2 * totals)
    need = np.where(small, rule.threshold - values, 0.0)
    hidden = _protected(members, counts, need, prices)
    return pd.Series(hidden, index=published.index)


def _protected(members: Floats, counts: Floats, need: Floats, prices: Floats) -> Bools:
    """The small rows, which need something, and those that must be hidden with them; the most exposed first."""
    hidden, settled = need > 0, need <= 0
    for row in np.lexsort((np.arange(len(need)), -need)):
        if not settled[row]:
            moved = _cheapest_move(members, counts, int(row), float(need[row]), np.where(hidden, 1e-3, prices))
            hidden |= np.abs(moved) > 1e-6
            settled |= moved >= need - 1e-6
    return hidden


def _cheapest_move(members: Floats, counts: Floats, row: int, need: float, prices: Floats) -> Floats:
    """How the rows change under the cheapest change of the records' counts that lifts `row` by `need`.

    There always is one: a record of the row may be as large as one likes, if the rows that show it are hidden.
    """
    # scipy.optimize is slow to import, and most reports have no small count
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, hstack, identity

    size, width = members.shape
    up = identity(size, format="csr")
    bounds = np.column_stack([np.r_[-counts, np.zeros(2 * size)], np.full(width + 2 * size, np.inf)])
    bounds[width + row, 0] = need
    bounds[width + size + row, 1] = 0
    answer: Any = linprog(
        np.concatenate([np.full(width, 1e-6), prices, prices]),
        A_eq=hstack([csr_matrix(members), -up, up]).tocsr(),
        b_eq=np.zeros(size),
        bounds=bounds,
        method="highs",
    )
    return np.asarray(members @ answer.x[:width])
