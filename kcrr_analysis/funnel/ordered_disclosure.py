"""Disclosure control of an ordered funnel: persons, matured and immature ones, tied over steps' levels and totals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis.disclosure import Rule, hide
from kcrr_analysis.funnel.definition import Definition

KINDS = ("persons", "persons_matured", "immature")
DAYS = tuple(f"days_{base}_{quartile}" for base in ("entry", "previous") for quartile in ("q1", "median", "q3"))
ENTRY_SHARE = ("share_entry", "share_entry_low", "share_entry_high")
PREVIOUS_SHARE = ("share_previous", "share_previous_low", "share_previous_high")
COMPARED = (
    "share",
    "rest",
    "difference",
    "difference_low",
    "difference_high",
    "p_adjusted",
    "differs",
    "entrants_matured",
)


def withheld(
    rows: pd.DataFrame, comparisons: pd.DataFrame, definition: Definition, rule: Rule | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and comparisons with small counts, those that give them away and all derived figures withheld.

    In each row persons are matured and immature ones; over the levels each of the three adds up to the total's row.

    Args:
        rows: Rows of an ordered funnel.
        comparisons: Levels against the rest.
        definition: What was counted.
        rule: Mode and threshold; None withholds nothing and marks nothing.

    Returns:
        Both, with `<column>_hidden` beside counts and derived columns of the rows, `hidden` set in the comparisons.
    """
    entrants = ("entrants", "entrants_matured")
    if rule is None:
        names = (*KINDS, *entrants, *DAYS, *ENTRY_SHARE, *PREVIOUS_SHARE)
        return rows.assign(**{f"{name}_hidden": False for name in names}), comparisons
    hidden = _hidden(rows, definition, rule)
    count = len(definition.steps)
    persons, matured, immature = (hidden[kind].to_numpy() for kind in KINDS)
    first = np.repeat(matured[::count], count)
    before = np.where(rows["step_number"] == 1, False, np.roll(matured, 1))

    def hidden_of(flags: npt.NDArray[np.bool_]) -> pd.Series:
        return pd.Series(flags, index=rows.index)

    shown = hide(rows, hidden_of(persons), ["persons"], rule)
    shown = hide(shown, hidden_of(np.repeat(persons[::count], count)), ["entrants"], rule)
    shown = hide(shown, hidden_of(matured), ["persons_matured", *DAYS], rule)
    shown = hide(shown, hidden_of(immature), ["immature"], rule)
    shown = hide(shown, hidden_of(first), ["entrants_matured"], rule)
    shown = hide(shown, hidden_of(matured | first), list(ENTRY_SHARE), rule)
    shown = hide(shown, hidden_of(matured | before), list(PREVIOUS_SHARE), rule)
    last = (rows["step_number"] == count).to_numpy()
    whole = rows["total"].to_numpy()
    gone = matured | first
    return shown, _comparisons(
        comparisons, rows[last & ~whole], (gone | gone[last & whole].any())[last & ~whole], definition, rule
    )


def _hidden(rows: pd.DataFrame, definition: Definition, rule: Rule) -> dict[str, pd.Series]:
    stacked = pd.concat(
        [
            pd.DataFrame(
                {
                    "row": np.arange(len(rows)),
                    "level": np.arange(len(rows)) // len(definition.steps),
                    "step": rows["step_number"].to_numpy(),
                    "total": rows["total"].to_numpy(),
                    "kind": kind,
                    "count": rows[kind].to_numpy(dtype=float),
                }
            )
            for kind in KINDS
        ],
        ignore_index=True,
    )
    flags = rule.small(stacked["count"])
    if flags.any():
        # scipy.optimize is slow to import, and large regions may have no small count
        from kcrr_analysis.disclosure.suppression import Tie, suppress

        whole = stacked["kind"] == KINDS[0]
        # Shares and intervals rest on matured persons: all and immature ones are given up first.
        spare = stacked["kind"] != KINDS[1]
        prices = np.log2(2 + stacked["count"].fillna(0)) * np.where(stacked["total"], 3, 1) * np.where(spare, 0.01, 1)
        flags = suppress(
            stacked,
            "count",
            [Tie(by=("level", "step"), total=whole), Tie(by=("kind", "step"), total=stacked["total"])],
            rule,
            prices,
        )
    return {kind: flags[(stacked["kind"] == kind).to_numpy()].reset_index(drop=True) for kind in KINDS}


def _comparisons(
    comparisons: pd.DataFrame, last: pd.DataFrame, hidden: npt.NDArray[np.bool_], definition: Definition, rule: Rule
) -> pd.DataFrame:
    """A comparison holds the level's counts and the rest's: with either withheld it goes.

    The rest is the total less the level: it gives nothing away that the total and the level do not, but with the total
    withheld it would; then all comparisons go.
    """
    if comparisons.empty:
        return comparisons
    keys = [*definition.by, *(["cohort"] if definition.cohort else [])]
    marks = last[keys].assign(_hidden=hidden)
    flags = comparisons[keys].merge(marks, on=keys, how="left")["_hidden"].to_numpy(dtype=bool)
    marked = comparisons.assign(hidden=flags)
    return marked[~flags].reset_index(drop=True) if rule.public else marked
