"""Disclosure control of rows that share counts: one published count is one cell, hidden or shown everywhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis.disclosure import Rule, hide

if TYPE_CHECKING:
    from kcrr_analysis.disclosure.suppression import Tie

ALL = "all"
GROUP = "client_group"
UNION = "union"

DEAR, FREE = 100.0, 1e-3
"""What hiding a base costs more than another count, and what hiding an unpublished cell costs."""

Cell: TypeAlias = tuple[str, str, str]
"""Whose count, kind of level, level."""


@dataclass(eq=False)
class Cells:
    """Counts and the sums among them.

    Attributes:
        counts: Cell -> count.
        kinds: Kinds of disjoint levels: the levels of a name add up to its `ALL` cell.
        unions: Code of a union -> client groups whose cells add up to it.
        splits: Names (whole, part, rest): the last two add up to the first at every level that all three have.
        equal: Pairs of cells that count the same persons under two names.
    """

    counts: dict[Cell, float] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    unions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    splits: dict[tuple[str, str, str], None] = field(default_factory=dict)
    equal: dict[tuple[Cell, Cell], None] = field(default_factory=dict)

    def hidden(self, published: Collection[Cell], bases: Collection[str], rule: Rule) -> set[Cell]:
        """Cells to hide so that no small one can be computed, be it published or a difference of published ones.

        The bases (denominators) are settled first and by themselves, so that a base that stands in several results is
        hidden alike in them; after that a further base is hidden only where nothing else protects a small count.

        Args:
            published: Cells that stand in a report; the others are known only through the sums.
            bases: Names of the denominators.
            rule: The threshold.
        """
        frame = pd.DataFrame(list(self.counts), columns=["name", "kind", "level"]).assign(
            count=list(self.counts.values())
        )
        if not rule.small(frame["count"]).any():
            return set()
        # scipy.optimize is slow to import, and large regions may have no small count
        from kcrr_analysis.disclosure.suppression import suppress

        seen = np.array([cell in published for cell in self.counts], dtype=bool)
        price = np.where(seen, np.log2(2 + frame["count"]) * np.where(frame["kind"] == ALL, 3, 1), FREE)
        base = frame["name"].isin(bases).to_numpy()
        first = np.zeros(len(frame), dtype=bool)
        own = frame[base]
        first[base] = suppress(own, "count", self._sums(own), rule, pd.Series(price[base])).to_numpy(dtype=bool)
        cost = pd.Series(np.where(first | ~seen, FREE, price * np.where(base, DEAR, 1.0)))
        taken = suppress(frame, "count", [*self._sums(frame), *self._relations(frame)], rule, cost) | first
        return {cell for cell, hide_it in zip(self.counts, taken, strict=True) if hide_it}

    def _sums(self, frame: pd.DataFrame) -> list[Tie]:
        """Totals over disjoint levels and over unions of groups."""
        from kcrr_analysis.disclosure.suppression import Tie

        kind, level = frame["kind"], frame["level"]
        ties = [Tie(by=("name",), total=kind == ALL, parts=kind == one) for one in sorted(self.kinds)]
        ties += [
            Tie(by=("name",), total=(kind == UNION) & (level == code), parts=(kind == GROUP) & level.isin(groups))
            for code, groups in sorted(self.unions.items())
        ]
        return ties

    def _relations(self, frame: pd.DataFrame) -> list[Tie]:
        """Splits of one count into two, and equal counts."""
        from kcrr_analysis.disclosure.suppression import Tie

        name, kind, level = (frame[column] for column in ("name", "kind", "level"))
        ties: list[Tie] = []
        places: dict[str, npt.NDArray[np.object_]] = {}
        keys = (kind + "\n" + level).to_numpy(dtype=object)
        for whole, part, rest in self.splits:
            for one in (part, rest):
                places.setdefault(one, keys[(name == one).to_numpy()])
            both = np.isin(keys, np.intersect1d(places[part], places[rest]))
            ties.append(Tie(by=("kind", "level"), total=(name == whole) & both, parts=name.isin([part, rest]) & both))
        ties += [
            Tie(by=(), total=[cell == one for cell in self.counts], parts=[cell == other for cell in self.counts])
            for one, other in self.equal
        ]
        return ties


def withheld(rows: pd.DataFrame, cells: Cells, rule: Rule | None) -> pd.DataFrame:
    """Rows with a boolean `<column>_hidden` beside each count and each figure made of counts.

    Args:
        rows: numerator, denominator, immature, value, low, high, n; `_part`, `_whole`, `_immature` name the cells of
            the three counts (None where there is none).
        cells: All counts.
        rule: Mode and threshold; None marks nothing.
    """
    figures: Mapping[str, list[str]] = {
        "_part": ["numerator", "value", "low", "high"],
        "_whole": ["denominator", "n", "numerator", "value", "low", "high"],
        "_immature": ["immature"],
    }
    if rule is None:
        return rows.assign(**{f"{name}_hidden": False for names in figures.values() for name in names})
    published = {cell for column in figures for cell in rows[column] if cell is not None}
    hidden = cells.hidden(published, {cell[0] for cell in rows["_whole"] if cell is not None}, rule)
    for column, names in figures.items():
        rows = hide(rows, [cell in hidden for cell in rows[column]], names, rule)
    return rows
