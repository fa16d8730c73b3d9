"""Difference-in-differences with few treated units that nobody drew by lot.

The treated units' change from before to after the start, less the change of the others. That it is the effect rests on
parallel trends: without the format the treated units would have changed as the others did. No test shows that; what can
be shown is whether the estimate stands out among all other choices of as many units (`placebo`), and whether earlier
dates on which nothing began give such estimates, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.experiments.mechanism import DRAWS
from kcrr_analysis.experiments.not_randomised.panel import Panel, Scale
from kcrr_analysis.experiments.not_randomised.placebo import choices
from kcrr_analysis.stats.estimate import checked_level

PLACEBO_DATES = 5
"""Earlier dates tried, at most."""

PLACEBO_MARGIN = 3
"""Periods needed on either side of an earlier date."""


@dataclass(frozen=True)
class DifferenceInDifferences:
    """An effect read from the changes of treated and untreated units.

    Attributes:
        estimate: Mean change of the treated units less that of the others, on the panel's scale; a mean over units.
        low: Lower limit by test inversion; minus infinity where the test cannot refuse any effect at this level.
        high: Upper limit.
        level: Confidence level.
        p_value: Two-sided: share of the choices of treated units whose contrast is at least as extreme.
        smallest_p: No p-value can be smaller with these numbers of units.
        exact: Whether all choices were compared; False for a random sample.
        choices: Number of possible choices.
        draws: Choices compared.
        own_noise: Whether contrasts were made comparable by each unit's own noise before the start.
        scale: Scale of the panel.
        treated: Names of the treated units.
        controls: Names of the others.
        start: Label of the first treated period.
        before: Number of periods before the start.
        after: Number of periods from the start on.
        treated_before: Mean of the treated units before.
        treated_after: Mean of the treated units after.
        controls_before: Mean of the others before.
        controls_after: Mean of the others after.
        course: One row a period: period, treated, controls (means over units on the panel's scale).
        placebo_dates: One row an earlier date, read from the periods before the start alone: start, before, after
            (periods), estimate, p_value.
        left_out: Untreated units left out for missing periods.
    """

    estimate: float
    low: float
    high: float
    level: float
    p_value: float
    smallest_p: float
    exact: bool
    choices: int
    draws: int
    own_noise: bool
    scale: Scale
    treated: tuple[str, ...]
    controls: tuple[str, ...]
    start: Any
    before: int
    after: int
    treated_before: float
    treated_after: float
    controls_before: float
    controls_after: float
    course: pd.DataFrame
    placebo_dates: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def alpha(self) -> float:
        """Level of the test that goes with the interval."""
        return 1 - self.level

    @property
    def attainable(self) -> bool:
        """Whether any effect, however large, could be told from chance at this level."""
        return self.smallest_p <= self.alpha + 1e-9

    @property
    def significant(self) -> bool:
        """Whether the estimate stands out among the choices at this level."""
        return self.p_value <= self.alpha + 1e-9

    def to_frame(self) -> pd.DataFrame:
        """One row: the estimate with its limits, units, periods and p-values."""
        names = (
            "estimate", "low", "high", "level", "p_value", "smallest_p", "exact", "choices", "scale", "start", "before",
            "after", "treated_before", "treated_after", "controls_before", "controls_after",
        )  # fmt: skip
        row = {name: getattr(self, name) for name in names}
        return pd.DataFrame([row | {"treated_units": len(self.treated), "control_units": len(self.controls)}])


def difference_in_differences(
    panel: Panel, *, alpha: float = 0.05, draws: int = DRAWS, seed: int = 0, own_noise: bool | None = None
) -> DifferenceInDifferences:
    """The effect of a format that several units took up at once, of their own will.

    Args:
        panel: Units by period; one start for all treated units.
        alpha: Level of the test; the interval has level 1 - alpha.
        draws: Choices of treated units sampled where there are too many to enumerate.
        seed: Of the sample.
        own_noise: Whether contrasts are made comparable by each unit's own noise before the start; by default where
            there are at least four periods before. Without it, units are taken to be equally noisy: with small treated
            units that finds effects that are not there.

    Raises:
        ParameterError: Treated units with different starts, or a level outside (0, 1).
    """
    level = checked_level(1 - alpha)
    start, treated = panel.start, panel.treated
    before, after = panel.values[:, :start], panel.values[:, start:]
    chosen = choices(treated, before, draws=draws, seed=seed, own_noise=own_noise)
    placebo = chosen.placebo(after.mean(axis=1) - before.mean(axis=1))
    low, high = placebo.interval(level)
    dates = [_earlier(panel, at, chosen.placebo) for at in placebo_starts(start)]
    columns = ["start", "before", "after", "estimate", "p_value"]
    return DifferenceInDifferences(
        estimate=placebo.estimate,
        low=low,
        high=high,
        level=level,
        p_value=placebo.p_value(),
        smallest_p=placebo.smallest_p,
        exact=placebo.exact,
        choices=placebo.count,
        draws=placebo.draws,
        own_noise=chosen.own_noise,
        scale=panel.scale,
        treated=panel.named(treated),
        controls=panel.named(~treated),
        start=panel.periods[start],
        before=start,
        after=after.shape[1],
        treated_before=float(before[treated].mean()),
        treated_after=float(after[treated].mean()),
        controls_before=float(before[~treated].mean()),
        controls_after=float(after[~treated].mean()),
        course=pd.DataFrame(
            {
                "period": list(panel.periods),
                "treated": panel.values[treated].mean(axis=0),
                "controls": panel.values[~treated].mean(axis=0),
            }
        ),
        placebo_dates=pd.DataFrame(dates, columns=columns),
        left_out=panel.left_out,
    )


def placebo_starts(start: int) -> list[int]:
    """Positions of earlier dates to try: evenly spread, with at least three periods on either side."""
    first, last = PLACEBO_MARGIN, start - PLACEBO_MARGIN
    if last < first:
        return []
    return sorted({round(at) for at in np.linspace(first, last, min(PLACEBO_DATES, last - first + 1))})


def _earlier(panel: Panel, at: int, contrast: Any) -> dict[str, Any]:
    before, after = panel.values[:, :at], panel.values[:, at : panel.start]
    placebo = contrast(after.mean(axis=1) - before.mean(axis=1))
    return {
        "start": panel.periods[at],
        "before": at,
        "after": panel.start - at,
        "estimate": placebo.estimate,
        "p_value": placebo.p_value(),
    }
