"""Event study: the difference between treated and untreated units before and after the start, step by step.

Before the start the difference should not move; whether it does is tested jointly and as a straight trend, by the same
choices of treated units as the effect. That the test does not refuse proves little: it misses trends large enough to
produce the whole estimate, and conditioning on having passed it makes bias worse (Roth 2022). So two things are said
instead: how large an effect a trend could feign that the test would miss every second time, and how far the difference
may have moved by itself after the start, in multiples of its largest step before, until the effect can no longer be
told from zero (relative magnitudes of Rambachan & Roth 2023, in the plug-in form: the largest step is taken as it was
observed, noise included, which makes it larger rather than smaller).

Sources:
    Roth J. (2022), AER: Insights 4:305.
    Rambachan A., Roth J. (2023), Rev. Econ. Stud. 90:2555.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.mechanism import DRAWS
from kcrr_analysis.experiments.not_randomised.panel import Panel, Scale
from kcrr_analysis.experiments.not_randomised.placebo import Choices, choices, largest_p
from kcrr_analysis.stats.estimate import FloatArray, checked_level

MULTIPLES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Multiples of the largest step before the start for which limits are given."""


@dataclass(frozen=True)
class EventStudy:
    """Leads and lags of the difference between treated and untreated units.

    Attributes:
        rows: One row a block of periods: block (0 is the first after the start, -1 the last before: the base),
            first_period, last_period, phase (before, base, after), estimate (difference less that of the base), low,
            high (each by test inversion, not simultaneous), p_value.
        length: Periods in a block.
        level: Confidence level.
        scale: Scale of the panel.
        treated: Names of the treated units.
        controls: Number of untreated units.
        start: Label of the first treated period.
        pretrend_p: Joint p-value of all blocks before the start: the largest deviation among those of all choices.
        pretrend_blocks: Blocks that it tests.
        trend: Slope of the difference before the start, per period.
        trend_p: Its p-value.
        trend_effect: What the slope, had it gone on, would have made of `effect`.
        missed_effect: The effect that a slope feigns which the test of the slope misses at least every second time;
            infinite where the test can refuse nothing.
        effect: Mean of the blocks after the start, less the base.
        effect_low: Lower limit by test inversion.
        effect_high: Upper limit.
        effect_p: Its p-value.
        smallest_p: No p-value can be smaller with these numbers of units.
        largest_step: Largest change of the difference between neighbouring blocks before the start.
        sensitivity: One row a multiple: multiple, low, high: limits of `effect` if the difference may move by itself by
            at most that multiple of `largest_step` a block after the start.
        breakdown: The smallest multiple with which the limits reach zero; 0 where they hold it already.
        choices: Number of possible choices of treated units.
        exact: Whether all of them were compared.
    """

    rows: pd.DataFrame
    length: int
    level: float
    scale: Scale
    treated: tuple[str, ...]
    controls: int
    start: Any
    pretrend_p: float
    pretrend_blocks: int
    trend: float
    trend_p: float
    trend_effect: float
    missed_effect: float
    effect: float
    effect_low: float
    effect_high: float
    effect_p: float
    smallest_p: float
    largest_step: float
    sensitivity: pd.DataFrame
    breakdown: float
    choices: int
    exact: bool

    def to_frame(self) -> pd.DataFrame:
        """One row a block, with level, scale and numbers of units."""
        return self.rows.assign(
            level=self.level, scale=self.scale, treated_units=len(self.treated), control_units=self.controls
        )


def event_study(
    panel: Panel,
    *,
    length: int = 1,
    alpha: float = 0.05,
    multiples: Sequence[float] = MULTIPLES,
    draws: int = DRAWS,
    seed: int = 0,
) -> EventStudy:
    """Leads and lags around the start.

    Args:
        panel: Units by period; one start for all treated units.
        length: Periods averaged into a block; blocks are counted from the start, an incomplete first one is left out.
        alpha: Level of the tests; intervals have level 1 - alpha.
        multiples: Multiples of the largest step before the start for the sensitivity.
        draws: Choices of treated units sampled where there are too many to enumerate.
        seed: Of the sample.

    Raises:
        NotComputableError: Fewer than two blocks before the start.
        ParameterError: A bad length, level or multiple, or different starts.
    """
    level = checked_level(1 - alpha)
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise ParameterError(f"Длина блока {length} недопустима. Укажите целое число периодов от 1.")
    if any(not 0 <= one < np.inf for one in multiples):
        raise ParameterError("Кратности для проверки чувствительности — числа от 0, например 0.5, 1, 2.")
    start = panel.start
    blocks, bounds, leads = _blocks(panel, start, length)
    if leads < 2:
        raise NotComputableError(
            f"До начала нового формата {start} периодов: из них не составить двух блоков по {length}. Проверить, "
            "менялись ли центры одинаково до начала, нельзя: добавьте более ранние данные или уменьшите блок."
        )
    chosen = choices(panel.treated, panel.values[:, :start], draws=draws, seed=seed)
    deviations = blocks - blocks[:, [leads - 1]]
    rows = [
        _place(panel, bounds[at], at - leads) | _found(chosen, deviations[:, at], at - leads, level)
        for at in range(blocks.shape[1])
    ]
    whole = chosen.placebo(deviations[:, leads:].mean(axis=1))
    low, high = whole.interval(level)
    before = chosen.contrasts @ deviations[:, :leads]
    step = float(np.abs(np.diff(before[0])).max())
    lags = blocks.shape[1] - leads
    drift = step * (lags + 1) / 2
    slopes = _slopes(chosen, panel.values[:, :start])
    slope_size = np.abs(slopes) / chosen.se
    distance = (panel.values.shape[1] - start + length) / 2  # from the middle of the base to that of what follows
    refused = max(math.floor(alpha * slopes.size + 1e-9), 1)  # ranks that the test refuses
    found = float(np.sort(slope_size[1:])[-refused] * chosen.se[0])
    return EventStudy(
        rows=pd.DataFrame(rows),
        length=length,
        level=level,
        scale=panel.scale,
        treated=panel.named(panel.treated),
        controls=int((~panel.treated).sum()),
        start=panel.periods[start],
        pretrend_p=largest_p(before[:, :-1] / chosen.se[:, None]),
        pretrend_blocks=leads - 1,
        trend=float(slopes[0]),
        trend_p=float((slope_size >= slope_size[0] * (1 - 1e-9) - 1e-12).mean()),
        trend_effect=float(slopes[0]) * distance,
        missed_effect=found * distance if whole.smallest_p <= alpha + 1e-9 else float("inf"),
        effect=whole.estimate,
        effect_low=low,
        effect_high=high,
        effect_p=whole.p_value(),
        smallest_p=whole.smallest_p,
        largest_step=step,
        sensitivity=pd.DataFrame(
            [{"multiple": one, "low": low - one * drift, "high": high + one * drift} for one in multiples]
        ),
        breakdown=_breakdown(low, high, drift),
        choices=whole.count,
        exact=whole.exact,
    )


def _blocks(panel: Panel, start: int, length: int) -> tuple[FloatArray, list[tuple[int, int]], int]:
    """Means of blocks counted from the start, shape (G, blocks), their bounds, and how many end before the start."""
    end = panel.values.shape[1]
    edges = [*range(start % length, start, length), *range(start, end, length), end]
    bounds = [(low, high) for low, high in pairwise(edges) if low < high]
    means = np.stack([panel.values[:, low:high].mean(axis=1) for low, high in bounds], axis=1)
    return means, bounds, start // length


def _place(panel: Panel, bound: tuple[int, int], block: int) -> dict[str, Any]:
    return {
        "block": block,
        "first_period": panel.periods[bound[0]],
        "last_period": panel.periods[bound[1] - 1],
        "phase": "after" if block >= 0 else "base" if block == -1 else "before",
    }


def _found(chosen: Choices, deviation: FloatArray, block: int, level: float) -> dict[str, float]:
    if block == -1:
        return {"estimate": 0.0, "low": np.nan, "high": np.nan, "p_value": np.nan}
    placebo = chosen.placebo(deviation)
    low, high = placebo.interval(level)
    return {"estimate": placebo.estimate, "low": low, "high": high, "p_value": placebo.p_value()}


def _slopes(chosen: Choices, before: FloatArray) -> FloatArray:
    """Least-squares slope per period of each choice's difference before the start."""
    time = np.arange(before.shape[1]) - (before.shape[1] - 1) / 2
    return np.asarray(chosen.contrasts @ (before @ time) / (time @ time))


def _breakdown(low: float, high: float, drift: float) -> float:
    nearest = max(low, -high, 0.0)
    if nearest <= 0:
        return 0.0
    return nearest / drift if drift > 0 else float("inf")
