"""Counts and what is derived from them, withheld together in a table that a task publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from kcrr_analysis.disclosure.rule import Rule, hide

if TYPE_CHECKING:
    from kcrr_analysis.disclosure.suppression import Tie


def withhold(
    frame: pd.DataFrame,
    counts: Mapping[str, Sequence[str]],
    ties: Sequence[Tie],
    rule: Rule | None,
) -> pd.DataFrame:
    """A published table under disclosure control: small counts, those that give them away, and all derived figures.

    Each count is decided over all rows at once (`kcrr_analysis.disclosure.suppress`), so `frame` must hold every row
    that is to be published, totals included, and `ties` every sum among them.

    Args:
        frame: One row a published unit.
        counts: Column of counts -> columns of `frame` from which the count could be computed back (shares, costs, ends
            of intervals). A derived column may stand under several counts: any of them hides it.
        ties: Sums that tie the rows.
        rule: Mode and threshold; None leaves the figures as they are and marks nothing.

    Returns:
        A copy with a boolean column `<column>_hidden` beside each count and each derived column. In public mode the
        hidden figures are missing; in internal mode they stay.
    """
    if rule is None:
        marks = {f"{name}_hidden": False for count, derived in counts.items() for name in (count, *derived)}
        return frame.assign(**marks)
    taken = frame
    for count, derived in counts.items():
        taken = hide(taken, _hidden(frame, count, ties, rule), [count, *derived], rule)
    return taken


def _hidden(frame: pd.DataFrame, count: str, ties: Sequence[Tie], rule: Rule) -> pd.Series:
    small = rule.small(frame[count])
    if not small.any() or not ties:
        return small
    # scipy.optimize is slow to import, and most tables have no small count
    from kcrr_analysis.disclosure.suppression import suppress

    return suppress(frame, count, ties, rule)
