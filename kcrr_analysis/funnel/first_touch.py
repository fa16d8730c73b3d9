"""First-touched persons and clients of a region, by several cuts that are put under disclosure control together.

The tables of tools, channels, groups and centres count the same persons, and a tool belongs to one channel: what one
table hides, another must not give away. So whichever of them is published, its small counts are decided on over all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.attribution import Attribution, attribute
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel import joint_withholding
from kcrr_analysis.funnel.joint_withholding import Margin

CUTS = ("tool_id", "channel", "client_group", "center_id")
"""Columns of the touch by which a report may count the same persons."""

COUNTS = {"persons": "matured", "clients": "matured_clients"}
"""Published count -> the column of an attribution: persons whose window is closed, and those of them who converted."""


@dataclass(frozen=True)
class FirstTouches:
    """First touches of a period.

    Attributes:
        attribution: By the cut asked for.
        hidden: One row a level of the cut in the order of `attribution.rows`, then the total; columns `persons` and
            `clients`: whether the count is withheld (or marked).
    """

    attribution: Attribution
    hidden: pd.DataFrame


def first_touches(
    log: pd.DataFrame,
    by: Sequence[str],
    period: tuple[pd.Period, pd.Period],
    *,
    window_days: float,
    conversions: Sequence[str] = ("service",),
    level: float = 0.95,
    rule: Rule | None = None,
) -> FirstTouches:
    """Persons first touched in the period and those who became clients within the window.

    Args:
        log: Table `actions` of one region.
        by: Columns of the touch.
        period: First and last month of the touches.
        window_days: Window, days.
        conversions: Kinds of action that make a client.
        level: Confidence level.
        rule: Disclosure rule; None hides nothing. All of `CUTS` are decided on together, whichever is asked for, so
            that calls for several of them agree; another cut is decided on with them.

    Raises:
        NotComputableError: The log has no touch.
        ParameterError: An argument cannot be used.
    """
    since, until = period[0].to_timestamp(), (period[1] + 1).to_timestamp()

    def attributed(columns: Sequence[str]) -> Attribution:
        return attribute(
            log, columns, window_days=window_days, conversions=conversions, since=since, until=until, level=level
        )

    found = attributed(by)
    rows = len(found.rows) + bool(by)
    if rule is None:
        return FirstTouches(found, pd.DataFrame(False, index=range(rows), columns=[*COUNTS]))
    cuts: list[tuple[str, ...]] = [(name,) for name in CUTS if name in log and log[name].notna().any()]
    if tuple(by) not in cuts and (by or not cuts):
        cuts.append(tuple(by))
    classes = attributed([*dict.fromkeys(name for cut in cuts for name in cut)]).rows
    margins = [_margin(classes, cut) for cut in cuts]
    records = {name: classes[column].to_numpy(dtype=float) for name, column in COUNTS.items()}
    shown = joint_withholding.withhold(margins, records, dict.fromkeys(COUNTS, ()), rule)
    part = shown[cuts.index(tuple(by))] if by else shown[0].iloc[[-1]]
    flags = {name: part[f"{name}_hidden"].to_numpy(bool) for name in COUNTS}
    return FirstTouches(found, pd.DataFrame(flags))


def _margin(classes: pd.DataFrame, cut: tuple[str, ...]) -> Margin:
    groups = classes.groupby(list(cut), dropna=False, sort=True, observed=True)
    sums = groups[[*COUNTS.values()]].sum()
    rows = pd.concat([sums.reset_index(drop=True), sums.sum().to_frame().T], ignore_index=True)
    codes = np.asarray(groups.ngroup(), dtype=np.intp)
    return Margin(rows.rename(columns={column: name for name, column in COUNTS.items()}), codes)
