"""How alike two clients of one centre are when they come in different months: what designs in time rest on.

The intraclass correlation speaks of one period. Between periods it is smaller, and the ratio of the two, the cluster
autocorrelation (CAC), decides how much a centre tells as its own control: at 1 its level does not move, at 0 last
month says nothing of this one. Both correlations are moments of the region's own history: mean products of deviations
from the period's mean over pairs of persons of one centre, less those over pairs of different centres (which removes
what estimating the mean costs). Limits come from leaving out each centre in turn (jackknife).

Simulated coverage at nominal 95 % (12 to 60 centres of unequal size, 6 or 12 periods, correlation 0.02 to 0.1, CAC 0.3
to 0.9, 300 data sets each): 91-95 %. The limits are wide: 24 centres over 6 periods, about +-0.3.

Sources:
    Hooper R., Bourke L. (2015), BMJ 350:h2925; Martin J. et al. (2016), Trials 17:402 (estimates of the CAC).
    Karlin S., Cameron E. C., Williams P. T. (1981), PNAS 78:2664 (pairwise estimators of correlation).
    Miller R. G. (1974), Biometrika 61:1 (jackknife).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.stats.estimate import Estimate, FloatArray, Numbers, checked, checked_level

METHOD = "складной нож по центрам"
FEWEST = 4
"""Centres below which leaving one out says nothing."""


@dataclass(frozen=True)
class Autocorrelation:
    """Correlations of an outcome within centres, in one period and between periods.

    Attributes:
        cac: Cluster autocorrelation, cut to 0-1, with limits; `n` is the number of centres.
        raw: The same before it is cut.
        within: Correlation of two persons of a centre in one period.
        between: Correlation of two persons of a centre in different periods.
        centers: Centres with persons in at least two periods.
        periods: Periods.
        weak: Whether the correlation within a period is not clearly above zero: the ratio then says next to nothing.
    """

    cac: Estimate
    raw: float
    within: float
    between: float
    centers: int
    periods: int
    weak: bool

    def to_frame(self) -> pd.DataFrame:
        """One row: cac, low, high, level, raw, within, between, centers, periods, weak."""
        row: dict[str, Any] = {
            "cac": self.cac.estimate,
            "low": self.cac.low,
            "high": self.cac.high,
            "level": self.cac.level,
        }
        row |= {name: value for name, value in vars(self).items() if name != "cac"}
        return pd.DataFrame({name: [value] for name, value in row.items()})


def autocorrelation(total: Numbers, n: Numbers, *, squares: Numbers = None, level: float = 0.95) -> Autocorrelation:
    """Correlations within centres from sums by centre and period.

    Args:
        total: Sum of the outcome, shape (centres, periods).
        n: Persons behind it, same shape; 0 or a missing total: the centre has no data in the period.
        squares: Sum of squared outcomes; without it the outcome is 0 or 1 and `total` is a count.
        level: Confidence level.

    Raises:
        ParameterError: Shapes that do not fit, counts beyond the number of persons, a wrong level.
        NotComputableError: Fewer than four centres or two periods, or centres that differ no more than by chance.
    """
    level = checked_level(level)
    sums, sizes = checked(total, "сумма исхода", low=-np.inf), checked(n, "число людей")
    own = sums if squares is None else checked(squares, "сумма квадратов")
    if sums.ndim != 2 or sums.shape != sizes.shape or sums.shape != own.shape:
        raise ParameterError("Нужны таблицы «центр × период» одного размера: суммы исхода и числа людей.")
    known = ~(np.isnan(sums) | np.isnan(sizes) | np.isnan(own)) & (sizes > 0)
    if squares is None and ((sums < 0) | (sums > sizes))[known].any():
        raise ParameterError("Без сумм квадратов исход должен быть числом случаев: от нуля до числа людей.")
    cells = np.stack([np.where(known, part, 0.0) for part in (sums, sizes, own)])
    cells = cells[:, known.sum(axis=1) >= 2][:, :, known.sum(axis=0) >= 2]
    _, centers, periods = cells.shape
    if centers < FEWEST or periods < 2:
        raise NotComputableError(
            f"Связь между периодами оценить нельзя: центров с данными не менее чем за два периода {centers}, периодов "
            f"{periods}. Нужно не менее {FEWEST} центров и двух периодов."
        )
    variance, within, between = _moments(cells)
    if not within > 0:
        raise NotComputableError(
            "Центры различаются не больше, чем случайно: связь между периодами не с чем сравнить. Возьмите 1 как "
            "предположение или более длинный период."
        )
    left_out = np.array([_moments(np.delete(cells, number, axis=1)) for number in range(centers)])
    rest = left_out[:, 2] / np.where(left_out[:, 1] > 0, left_out[:, 1], np.nan)
    raw, errors = between / within, (centers - 1) / centers
    quantile = float(scipy.special.stdtrit(centers - 1, 0.5 + level / 2))
    se = float(np.sqrt(errors * ((rest - rest.mean()) ** 2).sum()))
    half = quantile * se
    spread = np.sqrt(errors * ((left_out[:, 1] - left_out[:, 1].mean()) ** 2).sum())
    ends = np.clip([raw - half, raw + half], 0, 1)
    return Autocorrelation(
        cac=Estimate(float(np.clip(raw, 0, 1)), float(ends[0]), float(ends[1]), level, METHOD, float(centers), se),
        raw=raw,
        within=within / variance,
        between=between / variance,
        centers=centers,
        periods=periods,
        weak=bool(np.isnan(se) or within < quantile * spread),
    )


def _moments(cells: FloatArray) -> tuple[float, float, float]:
    """Variance of one person's outcome, and covariances of two persons within and between periods."""
    total, n, squares = cells
    people = n.sum(axis=0)
    mean = total.sum(axis=0) / people
    off = total - n * mean
    own = squares - 2 * mean * total + n * mean**2
    same, others = float((n**2 - n).sum()), float((people**2).sum() - (n**2).sum())
    within = float((off**2 - own).sum()) / same + float((off**2).sum()) / others
    products = float((off.sum(axis=1) ** 2).sum() - (off**2).sum())
    pairs = float((n.sum(axis=1) ** 2).sum() - (n**2).sum())
    across = float(people.sum() ** 2 - (people**2).sum()) - pairs
    between = products * (1 / pairs + 1 / across)
    return float(own.sum() / people.sum()), within, between
