"""Client groups that add up in the data although groups may overlap: a wider group that is the sum of narrower ones.

Groups overlap by the methodology and are never added in a report. Where in fact they do add up (youth = pupils +
students + graduates), whoever reads the wider group and all but one of its parts has the last part. The wider group
is then withheld wherever a part is: at the centres of a region and year as soon as any part is hidden there, and in
the region's own rows as soon as a part is hidden in them. What stays shown of the wider group is a sum of shown parts
and tells nothing new; so no hidden part becomes narrower than its own group's protection left it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure.blocks import Bools, Floats, Ints

TOTAL = "all"
SHARE = 0.9
"""Part of the comparable cells in which the parts must add up for the sum to be taken as known to a reader."""

LEAST = 6
"""Cells with persons in them that are needed to see a sum in the data."""

MOST_PARTS = 6
"""Narrower groups of one group whose combinations are looked through."""


def hidden_sums(
    keys: pd.DataFrame, groups: pd.Series, values: Floats, hidden: Bools, parents: Mapping[str, str | None]
) -> Bools:
    """Cells of wider groups to hide besides `hidden`.

    Args:
        keys: One row a cell: region, unit (the centre; empty for the region itself), period, month.
        groups: Client group of each cell.
        values: Counts, cells x columns; NaN where there is none.
        hidden: Cells hidden already, the same shape.
        parents: Wider group of each group.

    Returns:
        Further cells to hide, the same shape.
    """
    further = np.zeros_like(hidden)
    names = groups.astype("string").fillna("").to_numpy(dtype=object)
    place = keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup().to_numpy(dtype=np.int64)
    first = np.unique(place, return_index=True)[1]
    of_region = (keys["unit"] == "").to_numpy(dtype=bool)[first]
    block = keys.assign(year=keys["month"].dt.year).groupby(["region", "year"], sort=False, dropna=False).ngroup()
    block_of = block.to_numpy(dtype=np.int64)[first]
    for outer, inner in _families(set(names), parents):
        rows = _positions(place, names, (outer, *inner), len(first))
        for column in range(values.shape[1]):
            counts, masks = _taken(values[:, column], rows, np.nan), _taken(hidden[:, column], rows, False)
            for parts in _summing(counts):
                wanted = _wanted(masks[:, list(parts)].any(axis=1), of_region, block_of)
                at = rows[wanted, 0]
                further[at[at >= 0], column] = True
    return further & ~hidden & ~np.isnan(values)


def _wanted(part_hidden: Bools, of_region: Bools, block: np.ndarray[Any, Any]) -> Bools:
    """Places where the wider group goes: see the module's text."""
    anywhere = np.isin(block, block[part_hidden])
    in_region = np.isin(block, block[part_hidden & of_region])
    return np.where(of_region, in_region, anywhere)


def _families(present: set[str], parents: Mapping[str, str | None]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Wider groups in the data with their narrower ones; the total is of all people and no sum of groups."""
    for outer in sorted(present - {TOTAL}):
        inner = tuple(sorted(group for group in present if parents.get(group) == outer))
        if 2 <= len(inner) <= MOST_PARTS:
            yield outer, inner


def _positions(place: np.ndarray[Any, Any], names: np.ndarray[Any, Any], groups: tuple[str, ...], places: int) -> Ints:
    """Row of each place and group, -1 where there is none."""
    rows: Ints = np.full((places, len(groups)), -1, dtype=np.int64)
    for number, group in enumerate(groups):
        at = np.flatnonzero(names == group)
        rows[place[at], number] = at
    return rows


def _taken(column: Any, rows: Ints, absent: float | bool) -> Any:
    return np.where(rows >= 0, column[rows], absent)


def _summing(counts: Floats) -> list[tuple[int, ...]]:
    """Sets of parts (positions from 1) that add up to the wider group (position 0) in the data."""
    found = []
    for size in range(2, counts.shape[1]):
        for parts in combinations(range(1, counts.shape[1]), size):
            total = counts[:, list(parts)].sum(axis=1)
            known = ~np.isnan(total) & (counts[:, 0] > 0)
            if known.sum() >= LEAST and (total[known] == counts[known, 0]).mean() >= SHARE:
                found.append(parts)
    return found
