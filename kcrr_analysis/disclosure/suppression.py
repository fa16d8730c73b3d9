"""Complementary suppression for any table of counts whose rows are tied by sums.

For every primary cell in turn an integer programme finds the cheapest set of cells that must be hidden so that the
cell could as well be at the threshold: the incremental "attacker's problem" of Kelly, Golden & Assad (*Networks* 22,
1992) and Fischetti & Salazar (*Management Science* 47, 2001), as described in Hundepool et al., *Statistical
Disclosure Control*, Wiley 2012, ch. 4. What it finds is itself an alternative table that agrees with all that is
shown, so no audit can fail afterwards, and hiding more for the next cell never undoes it.

One programme a primary cell: right for hundreds of them (a funnel, events by region and tool). The table `flow` has
its own planner for hundreds of thousands (`kcrr_analysis.disclosure.blocks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_matrix, csr_matrix, diags, hstack
from scipy.sparse.csgraph import connected_components

from kcrr_analysis.disclosure.rule import Rule

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Tie:
    """A family of sums: among rows alike in `by`, the row of `total` is the sum of the rows of `parts`.

    Groups without a total row, or without parts, are no sums and tie nothing. Missing counts are left out, and where a
    sum misses, the attacker is granted the difference.

    Attributes:
        by: Columns whose equal values make a group; empty for the whole frame.
        total: Rows that hold sums, one flag a row (at most one in a group counts; several are several sums).
        parts: Rows that are summed; by default all that are no totals.
        order: For running totals: a column; a total then sums the parts up to and including its own place.
    """

    by: tuple[str, ...]
    total: Sequence[bool] | pd.Series
    parts: Sequence[bool] | pd.Series | None = None
    order: str | None = None


def suppress(
    frame: pd.DataFrame,
    value: str,
    ties: Sequence[Tie],
    rule: Rule,
    cost: pd.Series | None = None,
) -> pd.Series:
    """Which counts to hide so that no small one can be computed or proved small.

    Primary cells are counts from 1 to `threshold - 1`. Afterwards the feasibility interval of each - over all tables
    of whole, non-negative numbers that agree with the shown cells and the ties - reaches the threshold.

    Args:
        frame: One row a published count.
        value: Column of counts; missing values are neither hidden nor used.
        ties: All sums that tie the rows.
        rule: The threshold; the mode plays no part here (see `hide`).
        cost: What hiding a row costs, above zero; by default larger counts and totals cost more.

    Returns:
        True for rows to hide, with the index of `frame`. It does not depend on the order of rows.

    Raises:
        ValueError: A tie's flags or the costs are not as long as the frame.
    """
    order = _canonical(frame, value)
    counts = _counts(frame, value)[order]
    relations = _relations(frame, ties, counts, order)
    prices = _prices(counts, relations) if cost is None else np.asarray(cost, dtype=float)[order]
    primary = (counts > 0) & (counts < rule.threshold)
    hidden = primary.copy()
    for cells, part in _components(relations, primary):
        hidden[cells] = _protect(part, counts[cells], primary[cells], prices[cells], rule.threshold)
    result = np.empty(len(frame), bool)
    result[order] = hidden
    return pd.Series(result, index=frame.index, name=f"{value}_hidden")


def intervals(frame: pd.DataFrame, value: str, ties: Sequence[Tie], hidden: pd.Series | Sequence[bool]) -> pd.DataFrame:
    """The audit: what an attacker can say of each hidden cell from the shown cells and the ties.

    Args:
        frame: One row a published count, with true values.
        value: Column of counts.
        ties: Sums the attacker knows.
        hidden: Rows he does not see.

    Returns:
        Columns `low` and `high` (ends of the feasibility interval of the linear relaxation; inf where nothing
        binds), with the index of `frame`; shown cells have their value twice, missing ones NaN.
    """
    order = np.arange(len(frame))
    counts = _counts(frame, value)
    withheld = np.asarray(hidden, dtype=bool) & ~np.isnan(counts)
    relations = _relations(frame, ties, counts, order)
    ends = np.column_stack([counts, counts])
    ends[withheld, 1] = np.inf
    ends[withheld, 0] = np.minimum(counts[withheld], 0)
    for cells, part in _components(relations, withheld):
        free = np.flatnonzero(withheld[cells])
        truth, matrix = counts[cells][free], part[:, free]
        bounds = np.column_stack([np.minimum(truth, 0), np.full(len(free), np.inf)])
        for place, cell in enumerate(cells[free]):
            for side, sign in ((0, 1.0), (1, -1.0)):
                goal = np.zeros(len(free))
                goal[place] = sign
                found = linprog(goal, A_eq=matrix, b_eq=matrix @ truth, bounds=bounds, method="highs")
                ends[cell, side] = sign * found.fun if found.status == 0 else sign * -np.inf
    return pd.DataFrame(ends, index=frame.index, columns=["low", "high"])


def _counts(frame: pd.DataFrame, value: str) -> Floats:
    return np.asarray(pd.to_numeric(frame[value]).astype("Float64").to_numpy(dtype=float, na_value=np.nan))


def _canonical(frame: pd.DataFrame, value: str) -> npt.NDArray[np.intp]:
    """An order of rows that depends on what they say alone."""
    columns = sorted(str(name) for name in frame.columns if name != value)
    keys = [frame[value].astype("string").fillna("").to_numpy(dtype=object).astype(str)]
    keys += [frame[name].astype("string").fillna("").to_numpy(dtype=object).astype(str) for name in reversed(columns)]
    return np.lexsort(keys)


def _flags(flags: Sequence[bool] | pd.Series, frame: pd.DataFrame) -> Bools:
    taken = np.asarray(flags, dtype=bool)
    if taken.shape != (len(frame),):
        raise ValueError(f"a tie has {len(taken)} flags for {len(frame)} rows")
    return taken


def _relations(frame: pd.DataFrame, ties: Sequence[Tie], counts: Floats, order: npt.NDArray[np.intp]) -> csr_matrix:
    """One row a sum: 1 for a part, -1 for the total; columns follow `order`."""
    rows: list[int] = []
    columns: list[int] = []
    signs: list[float] = []
    number = 0
    ranked = frame.iloc[order]
    known = ~np.isnan(counts)
    for tie in ties:
        total = _flags(tie.total, frame)[order]
        parts = ~total if tie.parts is None else _flags(tie.parts, frame)[order]
        place = None if tie.order is None else pd.factorize(ranked[tie.order], sort=True)[0]
        group = np.zeros(len(frame), dtype=np.int64)
        if tie.by:
            group[:] = ranked.groupby(list(tie.by), dropna=False, sort=True).ngroup()
        by_group = np.argsort(group, kind="stable")
        for members in np.split(by_group, np.flatnonzero(np.diff(group[by_group])) + 1):
            summed = members[parts[members] & known[members]]
            for sum_cell in members[total[members] & known[members]]:
                of = summed if place is None else summed[place[summed] <= place[sum_cell]]
                if len(of):
                    rows += [number] * (len(of) + 1)
                    columns += [int(sum_cell), *map(int, of)]
                    signs += [-1.0] + [1.0] * len(of)
                    number += 1
    return coo_matrix((signs, (rows, columns)), shape=(number, len(frame))).tocsr()


def _prices(counts: Floats, relations: csr_matrix) -> Floats:
    totals = np.asarray((relations < 0).sum(axis=0)).ravel()
    return np.asarray(np.log2(2 + np.maximum(np.nan_to_num(counts), 0)) * (1 + 2 * totals))


def _components(relations: csr_matrix, wanted: Bools) -> list[tuple[npt.NDArray[np.intp], csr_matrix]]:
    """Connected parts of the ties that hold a wanted cell: their cells and their relations."""
    links = abs(relations).T @ abs(relations)
    _, label = connected_components(links, directed=False)
    found = []
    for part in np.unique(label[wanted]):
        cells = np.flatnonzero(label == part)
        inside = relations[:, cells]
        inside = inside[np.flatnonzero(np.diff(inside.indptr))]
        if inside.shape[0]:
            found.append((cells, inside))
    return found


def _protect(relations: csr_matrix, counts: Floats, primary: Bools, prices: Floats, threshold: int) -> Bools:
    """Hidden cells of one component."""
    hidden = primary.copy()
    published = ~np.isnan(counts)
    spare = np.where(published, np.maximum(counts, 0), 0)
    need = np.where(primary, threshold - counts, 0)
    settled = ~primary
    for cell in np.lexsort((np.arange(len(counts)), -need)):
        if settled[cell]:
            continue
        moved = _cheapest_move(relations, int(cell), float(need[cell]), spare, np.where(hidden, 1e-3, prices))
        if moved is None:
            return published
        hidden |= np.abs(moved) > 0.5
        settled |= moved >= need - 1e-6
    return hidden


def _cheapest_move(relations: csr_matrix, cell: int, need: float, spare: Floats, prices: Floats) -> Floats | None:
    """The cheapest whole-number change of the table that lifts `cell` by `need` and leaves every sum as it is."""
    count = relations.shape[1]
    low, high = np.zeros(2 * count), np.r_[np.full(count, np.inf), np.ceil(spare)]
    low[cell] = high[cell] = np.ceil(need)
    high[count + cell] = 0
    answer: Any = milp(
        np.r_[prices, prices],
        integrality=np.ones(2 * count),
        bounds=Bounds(low, high),
        constraints=LinearConstraint(hstack([relations, relations @ diags(np.full(count, -1.0))]).tocsr(), 0, 0),
    )
    if answer.x is None:
        return None
    change = np.round(answer.x)
    return np.asarray(change[:count] - change[count:])
