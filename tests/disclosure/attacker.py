"""An attacker on a published `flow`: linear programmes over the cells withheld, written apart from the kit's code.

He sees every shown value, knows which cells are withheld, the sums and by how much each misses (so he knows more than
anybody does), that counts are not negative, and, if told so, that a group is no larger than a wider one.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

STOCK = "registered_stock"


def exposed(flow: pd.DataFrame, hidden: pd.Series, column: str, threshold: int, parents=None) -> list[str]:
    """Primary cells whose feasible interval stays under the threshold, or that are shown.

    Args:
        flow: The true table.
        hidden: Which values of `column` are withheld.
        parents: Pairs (group, wider group) the attacker knows; none by default.
    """
    found: list[str] = []
    cells = {}
    for row, withheld in zip(flow.itertuples(), hidden, strict=True):
        value = getattr(row, column)
        if pd.isna(value):
            continue
        unit = "" if row.scope == "region" else row.center_id
        cells[row.region_code, row.month.year, row.client_group, unit, row.month.month, row.period] = (
            float(value), bool(withheld),
        )  # fmt: skip
    networks = defaultdict(dict)
    for key, cell in cells.items():
        networks[key[:2]][key[2:]] = cell
    for name, network in networks.items():
        found += [f"{name} {cell}" for cell in _exposed_in(network, column, threshold, parents)]
    return found


def _ties(network, column):
    """Relations total = sum of parts, as lists of (cell, coefficient)."""
    network = dict(network)
    lines = sorted({key[:2] for key in network})
    if column == STOCK:
        published = {period for *_, period in network}
        for group, unit in lines:
            for month in range(1, 13):
                pair = [(group, unit, month, period) for period in ("month", "year_to_date")]
                there = [cell for cell in pair if cell in network]
                if there and len(published) > 1:
                    for cell in pair:  # nobody published it, so nobody knows it
                        network.setdefault(cell, (network[there[0]][0], True))
                    yield network, [(pair[0], 1.0), (pair[1], -1.0)]
    else:
        for group, unit in lines:
            months = {m for m in range(1, 13) if (group, unit, m, "month") in network}
            years = [m for m in range(1, 13) if (group, unit, m, "year_to_date") in network]
            known, only_years = 0.0, not months
            for m in range(1, 13):
                cell = (group, unit, m, "year_to_date")
                if m in months:
                    known += network[group, unit, m, "month"][0]
                if cell in network:
                    grown = network[cell][0] - known
                    if m not in months and (grown > 0 or only_years or not unit):
                        network[group, unit, m, "month"] = (max(grown, 0.0), True)
                        months.add(m)
                    known = network[cell][0]
                elif not unit and m not in months and years and m < years[-1]:
                    network[group, unit, m, "month"] = (0.0, True)
                    months.add(m)
                elif unit and known > 0 and (group, "", m, "year_to_date") in network:
                    # nobody published it, so nobody knows it
                    network[cell] = (known, True)
                    years.append(m)
            for m in years:
                parts = [((group, unit, k, "month"), 1.0) for k in range(1, m + 1) if k in months]
                yield network, [((group, unit, m, "year_to_date"), -1.0), *parts]
    totals = sorted({(group, month, period) for group, unit, month, period in network if unit == ""})
    for group, month, period in totals:
        parts = [
            ((g, unit, month, period), 1.0)
            for g, unit in lines
            if g == group and unit and (g, unit, month, period) in network
        ]
        if parts:
            yield network, [((group, "", month, period), -1.0), *parts]


def _exposed_in(network, column, threshold, parents):
    published = set(network)
    relations = []
    everything = dict(network)
    for grown, relation in _ties(network, column):
        everything.update(grown)
        relations.append(relation)
    names = {cell: number for number, cell in enumerate(sorted(c for c in everything if everything[c][1]))}
    for cell, (value, withheld) in network.items():
        if 0 < value < threshold and not withheld:
            yield cell
    rows, columns, coefficients = [], [], []
    count = 0
    for relation in relations:
        free = [(names[cell], c) for cell, c in relation if cell in names]
        if free:
            for number, c in free:
                rows.append(count), columns.append(number), coefficients.append(c)
            count += 1
    truth = np.array([everything[cell][0] for cell in names])
    if not len(truth):
        return
    equal = coo_matrix((coefficients, (rows, columns)), shape=(count, len(names))).tocsr() if count else None
    right = equal @ truth if count else None
    low, high = np.zeros(len(names)), np.full(len(names), np.inf)
    low = np.minimum(low, truth)
    wide_rows, wide_right = [], []
    for inner, outer in parents or ():
        for cell in everything:
            if cell[0] != inner or (outer, *cell[1:]) not in everything:
                continue
            other = (outer, *cell[1:])
            if everything[cell][0] > everything[other][0]:
                continue
            if cell in names and other in names:
                wide_rows.append((names[cell], names[other]))
                wide_right.append(0.0)
            elif cell in names:
                high[names[cell]] = min(high[names[cell]], everything[other][0])
            elif other in names:
                low[names[other]] = max(low[names[other]], everything[cell][0])
    above = None
    if wide_rows:
        at = np.repeat(np.arange(len(wide_rows)), 2)
        above = coo_matrix(
            (np.tile([1.0, -1.0], len(wide_rows)), (at, np.array(wide_rows).reshape(-1))),
            shape=(len(wide_rows), len(names)),
        ).tocsr()
    for cell, number in names.items():
        value = everything[cell][0]
        if cell not in published or not 0 < value < threshold:
            continue
        goal = np.zeros(len(names))
        goal[number] = -1.0
        answer = linprog(
            goal, A_ub=above, b_ub=wide_right if wide_rows else None, A_eq=equal, b_eq=right,
            bounds=np.column_stack([low, np.where(np.isinf(high), 1e6, high)]), method="highs",
        )  # fmt: skip
        assert answer.status == 0, answer.message
        if -answer.fun < threshold - 1e-6:
            yield (*cell, value, -answer.fun)
