"""Formats beside each other: engagement within a client group, and what a rouble and an hour of work bring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.ipk import units
from kcrr_analysis.ipk.units import Ints, Units

Floats = npt.NDArray[np.float64]

YIELDS = {
    "ipk_per_1000_roubles": ("ipk", "cost", 1000.0),
    "ipk_per_hour": ("ipk", "staff_hours", 1.0),
    "clients_per_1000_roubles": ("clients", "cost", 1000.0),
    "clients_per_hour": ("clients", "staff_hours", 1.0),
}
"""What a format brings: measure -> (column above, column below, scale)."""


def participants_only(cut: Units) -> Units:
    """The cut without the counts that are not published of it, so that they hide nothing."""
    return replace(cut, rows=cut.rows.assign(reviews=np.nan, new_clients=np.nan, persons=np.nan, clients=np.nan))


def engagement(events: pd.DataFrame, cut: Units, *, level: float, least: int) -> pd.DataFrame:
    """Formats of each client group by mean engagement, with simultaneous rank intervals within the group (row 133).

    Engagement is weighted by participants; chains and probable splits are one unit of the variance.

    Args:
        events: Scored events.
        cut: Their cut by client_group and tool_id, after disclosure control.
        level: Confidence level, joint for the ranks of a group.
        least: Fewest events (jumps) that allow an interval and a rank.

    Returns:
        One row a group and format: client_group, tool_id, events, jumps, participants, mean_engagement, low, high,
        rank, rank_low, rank_high, letters, reason, participants_hidden; formats with the higher engagement first.
    """
    rows = cut.rows[["client_group", "tool_id", "events", "jumps", "participants", "participants_hidden"]].copy()
    rows["mean_engagement"] = cut.rows["mean_engagement"]
    members = units.members(cut.unit, len(cut.rows))
    top, bottom = events["participants_term"].to_numpy(float), events["participants"].to_numpy(float)
    jump = events["jump"].to_numpy()
    enough = ((rows["jumps"] >= least) & rows[["client_group", "tool_id"]].notna().all(axis=1)).to_numpy()

    def found(at: int, confidence: float) -> stats.Estimate:
        inside = members[at]
        return stats.ratio(top[inside], bottom[inside], cluster=jump[inside], level=confidence)

    for column in ("low", "high", "rank", "rank_low", "rank_high"):
        rows[column] = np.nan
    rows["letters"] = ""
    rows["reason"] = np.where(enough, "", f"меньше {least} мероприятий")
    for positions in rows[enough].groupby("client_group").indices.values():
        of_group = np.flatnonzero(enough)[positions]
        own = [found(int(at), level) for at in of_group]
        index = rows.index[of_group]
        rows.loc[index, "low"] = [one.low for one in own]
        rows.loc[index, "high"] = [one.high for one in own]
        if len(of_group) < 2:
            rows.loc[index, "reason"] = "сравнить не с чем"
            continue

        def limits(alpha: float, of_group: Ints = of_group) -> tuple[Floats, Floats]:
            ends = [found(int(at), 1 - alpha) for at in of_group]
            return np.array([end.low for end in ends]), np.array([end.high for end in ends])

        ranks = stats.rank_intervals([one.estimate for one in own], [one.se for one in own], level=level, limits=limits)
        for column, values in (("rank", ranks.rank), ("rank_low", ranks.low), ("rank_high", ranks.high)):
            rows.loc[index, column] = np.asarray(values, dtype=float)
        rows.loc[index, "letters"] = list(ranks.groups)
    return rows.sort_values(["client_group", "mean_engagement"], ascending=[True, False], ignore_index=True)


def yields(events: pd.DataFrame, cut: Units, *, level: float, least: int) -> pd.DataFrame:
    """What each format brings for a rouble and for an hour of work (row 131): a basis for discussing the plan.

    Formats differ in whom they are meant for and when they are held: the figures compare, they prove no effect.

    Args:
        events: Scored events, with cost, staff_hours and clients as far as they are known.
        cut: Their cut by tool_id, after disclosure control.
        level: Confidence level.
        least: Fewest events (jumps) that allow an interval.

    Returns:
        One row a format: tool_id, events, jumps, cost, staff_hours, each measure of `YIELDS` with _low, _high and
        _hidden, compared (`больше`, `меньше` or empty: its index per 1,000 roubles against all other formats together,
        at a level shared among the formats).
    """
    rows = cut.rows[["tool_id", "events", "jumps", "cost"]].copy()
    members = units.members(cut.unit, len(cut.rows))
    hours = _numbers(events, "staff_hours")
    rows["staff_hours"] = [float(np.nansum(hours[at])) if (~np.isnan(hours[at])).any() else np.nan for at in members]
    jump = events["jump"].to_numpy()
    enough = (rows["jumps"] >= least).to_numpy()
    for measure, (above, below, scale) in YIELDS.items():
        top, bottom = _numbers(events, above), _numbers(events, below) / scale
        found = np.array(
            [
                _yield(top, bottom, jump, at, level=level, limits=bool(ok))
                for at, ok in zip(members, enough, strict=True)
            ]
        )
        hidden = cut.rows["clients_hidden" if above == "clients" else "ipk_hidden"].astype(bool)
        gone = hidden & cut.rows["clients" if above == "clients" else "ipk"].isna()
        for place, end in enumerate(("", "_low", "_high")):
            rows[f"{measure}{end}"] = pd.Series(found[:, place], index=rows.index).mask(gone)
        rows[f"{measure}_hidden"] = hidden
    rows["compared"] = _compared(events, members, enough, jump, level)
    rows.loc[rows["ipk_per_1000_roubles"].isna(), "compared"] = ""
    return rows.sort_values("ipk_per_1000_roubles", ascending=False, na_position="last", ignore_index=True)


def _compared(
    events: pd.DataFrame, members: list[Ints], enough: npt.NDArray[np.bool_], jump: Floats, level: float
) -> list[str]:
    """Bonferroni over the formats: each against all others together."""
    top, bottom = _numbers(events, "ipk"), _numbers(events, "cost") / 1000
    known = ~np.isnan(bottom)
    words = [""] * len(members)
    tests = int(enough.sum())
    if tests < 2 or not known.any():
        return words
    for at in np.flatnonzero(enough):
        inside = np.zeros(len(top), dtype=bool)
        inside[members[at]] = True
        gap = stats.difference_of_ratios(
            top[known], bottom[known], inside[known], cluster=jump[known], level=1 - (1 - level) / tests
        )
        words[at] = "больше" if gap.low > 0 else "меньше" if gap.high < 0 else ""
    return words


def _yield(
    top: Floats, bottom: Floats, jump: Floats, at: Ints, *, level: float, limits: bool
) -> tuple[float, float, float]:
    at = at[~np.isnan(top[at]) & ~np.isnan(bottom[at])]
    if not len(at) or bottom[at].sum() <= 0:
        return (np.nan, np.nan, np.nan)
    found = stats.ratio(top[at], bottom[at], cluster=jump[at], level=level)
    return (found.estimate, found.low, found.high) if limits else (found.estimate, np.nan, np.nan)


def _numbers(events: pd.DataFrame, name: str) -> Floats:
    if name not in events:
        return np.full(len(events), np.nan)
    return np.asarray(events[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan))
