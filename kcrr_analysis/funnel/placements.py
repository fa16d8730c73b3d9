"""Figures of a set of promotion placements: counts, shares, depth and costs, with placements as independent units.

Rates vary from campaign to campaign far more than binomial counts of impressions would, so intervals are those of
ratios of sums over placements (`stats.ratio`). As a record of what happened a share is a complete count; the interval
speaks of the rate that such placements have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import costs, stats
from kcrr_analysis.costs import Rates

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ACTIONS = ("calls", "detail_views", "downloads", "subscriptions", "leads", "registrations", "applications", "customers")
"""Target actions, from the lightest to the client."""

PERSONS = ("leads", "registrations", "applications", "customers")
"""Target actions that identify persons: small counts are under disclosure control."""

COUNTS = ("impressions", "clicks", "sessions", "bounces", "video_starts", "full_views", *ACTIONS)
"""Counts that are summed over placements."""

BASES = {"impression": "impressions", "click": "clicks"}
"""What shares of target actions are told of."""

MIN_PLACEMENTS = 5
"""With fewer placements there is no interval: their spread cannot be known."""


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio of sums over placements.

    Attributes:
        name: Column of the result.
        numerator: Column of the measures.
        denominator: Column of the measures.
        scale: 100 for percent, else 1.
        ceiling: Largest possible value, inf where there is none.
    """

    name: str
    numerator: str
    denominator: str
    scale: float = 100.0
    ceiling: float = np.inf


SHARES = (
    Share("click_rate", "clicks", "impressions", ceiling=100),
    Share("bounce_rate", "bounces", "sessions", ceiling=100),
    Share("mean_time", "time_sum", "sessions", scale=1),
    Share("mean_scroll", "scroll_sum", "sessions", ceiling=100),
    Share("full_view_rate", "full_views", "video_starts", ceiling=100),
    Share("cost_per_click", "cost", "clicks", scale=1),
    *(Share(f"{action}_per_{base}", action, column) for action in ACTIONS for base, column in BASES.items()),
    *(Share(f"cost_per_{action}", "cost", action, scale=1) for action in ACTIONS),
)
"""Every ratio that is computed of a set of placements."""


def measures(promotion: pd.DataFrame, rates: Rates) -> dict[str, Floats]:
    """Columns of the placements as floats, NaN where nothing is recorded; time and scroll weighted by sessions."""
    taken = {name: _floats(promotion, name) for name in COUNTS}
    taken["time_sum"] = _floats(promotion, "time_s") * taken["sessions"]
    taken["scroll_sum"] = _floats(promotion, "scroll_share") * taken["sessions"]
    # A placement without sessions has no time on the page: it weighs nothing, it is no gap.
    for name in ("time_sum", "scroll_sum"):
        recorded = np.isfinite(taken[name]).any()
        taken[name] = np.where((taken["sessions"] == 0) & recorded, 0.0, taken[name])
    taken["cost"] = costs.contact_cost(promotion, rates).to_numpy(dtype=float)
    taken["internal_cost"] = costs.internal_cost(promotion, rates).to_numpy(dtype=float)
    return taken


def figures(values: Mapping[str, Floats], rows: Bools, level: float) -> dict[str, float]:
    """Sums and ratios of one set of placements.

    Args:
        values: Result of `measures`.
        rows: The placements of the set.
        level: Confidence level.

    Returns:
        `placements`; every count and `cost`, `internal_cost` (NaN where recorded in no placement) with
        `<count>_recorded` (placements where it is); every ratio of `SHARES` over the placements where both parts are
        recorded, with `_low`, `_high` (NaN with fewer than `MIN_PLACEMENTS`) and `_n`.
    """
    found: dict[str, float] = {"placements": int(rows.sum())}
    for name in (*COUNTS, "cost", "internal_cost"):
        own = values[name][rows]
        recorded = np.isfinite(own)
        found[name] = float(own[recorded].sum()) if recorded.any() else np.nan
        found[f"{name}_recorded"] = int(recorded.sum())
    for share in SHARES:
        found |= _ratio(share, values[share.numerator][rows], values[share.denominator][rows], level)
    return found


def _ratio(share: Share, top: Floats, bottom: Floats, level: float) -> dict[str, float]:
    both = np.isfinite(top) & np.isfinite(bottom)
    n = int(both.sum())
    value = low = high = np.nan
    if n and bottom[both].sum() > 0:
        found = stats.ratio(top[both], bottom[both], level=level)
        value = share.scale * found.estimate
        if n >= MIN_PLACEMENTS:
            low, high = share.scale * found.low, min(share.scale * found.high, share.ceiling)
    return {share.name: value, f"{share.name}_low": low, f"{share.name}_high": high, f"{share.name}_n": n}


def against_the_rest(
    values: Mapping[str, Floats], codes: npt.NDArray[np.signedinteger[Any]], target: str, level: float
) -> pd.DataFrame:
    """Each level's share of the target action against that of all other placements, under one error budget.

    Levels with fewer than `MIN_PLACEMENTS` placements, or with as few others, are not compared. All comparisons of all
    levels, of both bases, share one family of Holm.

    Args:
        values: Result of `measures`.
        codes: Level of each placement, 0 ... L - 1.
        target: The target action.
        level: Confidence level; the family's error rate is 1 - level.

    Returns:
        One row a level; for each base in `BASES`: `difference_per_<base>` (percentage points), `_low`, `_high`
        (for this level alone), `_p` (Holm-adjusted), `_differs` (1 above, -1 below, 0 not told apart, NaN not
        compared).
    """
    size = int(codes.max()) + 1
    columns: dict[str, Floats] = {}
    raw = np.full((len(BASES), size), np.nan)
    for place, (base, column) in enumerate(BASES.items()):
        both = np.isfinite(values[target]) & np.isfinite(values[column])
        top, bottom, of = values[target][both], values[column][both], codes[both]
        members = np.bincount(of, minlength=size)
        gaps = np.full((3, size), np.nan)
        for code in np.flatnonzero((members >= MIN_PLACEMENTS) & (both.sum() - members >= MIN_PLACEMENTS)):
            found = stats.difference_of_ratios(top, bottom, of == code, level=level)
            gaps[:, code] = 100 * np.array([found.estimate, found.low, found.high])
            raw[place, code] = found.p
        name = f"difference_per_{base}"
        columns |= {name: gaps[0], f"{name}_low": gaps[1], f"{name}_high": gaps[2]}
    adjusted = stats.holm(raw.ravel()).reshape(raw.shape)
    for place, base in enumerate(BASES):
        name = f"difference_per_{base}"
        told = np.where(adjusted[place] < 1 - level, np.sign(columns[name]), 0.0)
        columns |= {f"{name}_p": adjusted[place], f"{name}_differs": np.where(np.isnan(adjusted[place]), np.nan, told)}
    return pd.DataFrame(columns)


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(pd.to_numeric(frame[name]).astype("Float64").to_numpy(dtype=float, na_value=np.nan))
