"""A series' own noise, and whether it was kept, grew or fell against the same month of the year before.

The figures are complete counts: nothing is sampled, and the band is no confidence interval. It describes how far a
month departs from the same month of another year when the level does not change.

Method. Year-on-year changes `d(t) = log y(t) - log y(t - 12)` take the season out by the series' own value of the
same month (the seasonal difference of Box & Jenkins, *Time Series Analysis*, 1970, ch. 9). Differences of `d` between
near months take out the growth as well, so that neither a trend nor one lasting shift of the level is counted as
noise (difference-based estimation of a variance: Rice, *Annals of Statistics* 12, 1984). Their scale is the median of
absolute values, `1.4826 * median |d(t) - d(s)| / sqrt 2` over all pairs one to four months apart (the median absolute
deviation, Hampel, *JASA* 69, 1974): up to half of the pairs may be spoilt. Four lags instead of one, because
neighbouring months of a stock are alike and would make the noise look small.

The band is the estimate times a multiplier that holds 95 % of the months of a series with a constant season, a
constant level and independent normal noise. The multiplier is above 1.96, for the noise itself is estimated, and was
found by simulation (300,000 series for each length). Where noise is correlated from month to month, the band holds
less: 93 % at a correlation of 0.3, 87 % at 0.67 (a stock of which a third leaves each month).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from kcrr_analysis.methodology.dictionaries import KeepOrGrow

Status = Literal["grown", "kept", "fallen", "not_enough_data", "hidden", "not_computable"]
Band = Literal["own_noise", "fixed", ""]

SHARE = 95
"""Percent of months that the band holds where nothing changes."""

LAGS = (1, 2, 3, 4)
MIN_CHANGES = 10
"""Past year-on-year changes from which the noise is estimated; 24 whole months give 11."""

MIN_PAIRS = 24
"""Pairs of near changes from which the noise is estimated; 10 changes in a row give 30."""

EXACT = 1e-9
"""A standard deviation below it is none: the changes do not differ."""

_CHANGES = (10, 11, 12, 14, 17, 23, 35, 47, 71, 107)
_MULTIPLIERS = (2.22, 2.19, 2.14, 2.10, 2.07, 2.04, 2.02, 2.01, 1.99, 1.98)


@dataclass(frozen=True, slots=True)
class Noise:
    """The irregular part of one month.

    Attributes:
        sd: Standard deviation of the logarithm of a month about its season and level; NaN where it is not known.
        changes: Past year-on-year changes that it was estimated from.
    """

    sd: float
    changes: int

    @property
    def known(self) -> bool:
        """Whether it could be estimated."""
        return not math.isnan(self.sd)

    def band(self, now: float = 1.0, before: float = 1.0) -> float:
        """Half-width of the band of a year-on-year change, on the logarithmic scale.

        Args:
            now: Sum of squared shares of the months in the figure: 1 for one month, less for a sum since January.
            before: The same for the year before.
        """
        return multiplier(self.changes) * self.sd * math.sqrt(now + before)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a figure was kept, grew or fell against the year before.

    Attributes:
        status: `grown`, `kept`, `fallen`, or `not_enough_data`.
        low: Change that is still "kept", lower end, %; NaN without a verdict.
        high: The upper end, %.
        band: What the ends come from: `own_noise`, or `fixed` where the noise is not known.
        reason: Why there is no verdict, in Russian, or empty.
    """

    status: Status
    low: float = math.nan
    high: float = math.nan
    band: Band = ""
    reason: str = ""


def multiplier(changes: int) -> float:
    """Half-width of the band in standard deviations of a year-on-year change."""
    inverse = [0.0, *(1 / n for n in reversed(_CHANGES))]
    return float(np.interp(1 / max(changes, 1), inverse, [1.96, *reversed(_MULTIPLIERS)]))


def noise(values: pd.Series, before: pd.Period) -> Noise:
    """The noise of a monthly series in the months before one.

    Args:
        values: Values above zero by month; gaps, zeros and negative values are left out.
        before: The month that is judged; it and later ones play no part.
    """
    past = values[(values.index < before) & (values > 0)].astype(float)
    if past.empty:
        return Noise(math.nan, 0)
    months = pd.period_range(past.index.min(), past.index.max(), freq="M")
    level = np.log(past.reindex(months).to_numpy(dtype=float))
    changes = level[12:] - level[:-12]
    pairs = np.concatenate([np.abs(changes[lag:] - changes[:-lag]) for lag in LAGS if len(changes) > lag] or [[]])
    pairs = pairs[~np.isnan(pairs)]
    known = int((~np.isnan(changes)).sum())
    if known < MIN_CHANGES or len(pairs) < MIN_PAIRS:
        return Noise(math.nan, known)
    # The median of a difference of two changes has the scale of four months' noise: two a change.
    sd = 1.4826 * float(np.median(pairs)) / 2
    # Equal changes leave nothing but the rounding of floating-point numbers.
    return Noise(sd if sd > EXACT else math.nan, known)


def judge(
    value: float,
    year_ago: float,
    history: pd.Series,
    month: pd.Period,
    rule: KeepOrGrow,
    *,
    own: Noise | None = None,
    shares: tuple[float, float] = (1.0, 1.0),
) -> Verdict:
    """Kept, grown or fallen, year on year.

    Args:
        value: The figure of the month.
        year_ago: The figure of the same month of the year before.
        history: The figure by month, up to the month; its known values are the history.
        month: The month that is judged.
        rule: The indicator's rule: months of history needed, and the band where the noise is not known.
        own: Noise of one month; by default that of `history`.
        shares: Sums of squared shares of the months in the figure, now and a year before (see `Noise.band`).
    """
    months = int(history[history.index <= month].notna().sum())
    if months < rule.min_history_months:
        return Verdict(
            "not_enough_data", reason=f"история {months} мес., нужно не меньше {rule.min_history_months} мес."
        )
    if math.isnan(value) or math.isnan(year_ago):
        return Verdict("not_enough_data", reason="нет значения за тот же месяц прошлого года")
    if value <= 0 or year_ago <= 0:
        return Verdict("not_enough_data", reason="значение или его прошлогодняя база — ноль")
    own = noise(history, month) if own is None else own
    if own.known:
        half = own.band(*shares)
        low, high, band = 100 * math.expm1(-half), 100 * math.expm1(half), "own_noise"
    else:
        low, high, band = -rule.kept_within_percent, rule.kept_within_percent, "fixed"
    change = 100 * (value / year_ago - 1)
    status: Status = "grown" if change > high + 1e-9 else "fallen" if change < low - 1e-9 else "kept"
    return Verdict(status, low, high, "own_noise" if band == "own_noise" else "fixed")
