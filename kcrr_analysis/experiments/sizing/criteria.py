"""Power of a test whose estimate is normal and whose variance is estimated: superiority, non-inferiority, equivalence.

Given the estimated standard deviation (chi with its degrees of freedom) the estimate is normal; the probability is
integrated over it. For superiority this is the non-central t distribution, for equivalence Owen's function of the two
one-sided tests.

Power counts only significance in the direction of the effect, as R's power.t.test does by default.

Sources:
    R Core Team, stats::power.t.test, power.prop.test. Schuirmann D. J. (1987), J Pharmacokinet Biopharm 15:657;
    Phillips K. F. (1990), ibid. 18:137 (equivalent).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import scipy

from kcrr_analysis.experiments.sizing.dunnett import critical_value, legendre, scale_quadrature

Aim: TypeAlias = Literal["difference", "not_worse", "equivalent"]

AIMS = ("difference", "not_worse", "equivalent")


def critical(level: float, df: float, *, aim: str, sides: int, sizes: tuple[float, ...]) -> float:
    """What the statistic must exceed; infinite where the level cannot be attained.

    Args:
        level: Error of the whole test, both sides (and all comparisons) together; a margin is judged by the interval of
            level 1 - `level`, which spends half of it on either side.
        df: Degrees of freedom.
        aim: One of `AIMS`.
        sides: Sides of a test of superiority; a margin is judged as with two.
        sizes: Sizes of the arms, the control first: more than two share the level (Dunnett).
    """
    if not level > 0 or not df > 0:
        return float("inf")
    if aim == "difference":
        return critical_value(sizes, df=df, alpha=level, sides=sides)
    return critical_value(sizes, df=df, alpha=level / 2, sides=1)


def superiority(shift: float, df: float, bound: float) -> float:
    """Probability that the statistic exceeds `bound` when the true effect is `shift` standard errors."""
    if not np.isfinite(bound):
        return 0.0
    scale, mass = scale_quadrature(df)
    return float(mass @ scipy.special.ndtr(shift - bound * scale))


def most_extreme(shift: float, units: int, *, paired: bool) -> float:
    """Power of the exact test where only the most extreme assignment is significant (4 against 4; 6 pairs, at 5 %).

    It is then the chance that every pair, or every treated unit against every control one, goes the effect's way.

    Args:
        shift: True effect in standard errors.
        units: Units of each of two equal arms, or pairs.
        paired: Whether the units are pairs.
    """
    if paired:
        return float(scipy.special.ndtr(shift / np.sqrt(units)) ** units)
    apart = shift * np.sqrt(2 / units)
    nodes, weights = legendre(200)
    lowest = 10 * nodes  # of the treated, in standard deviations from their mean
    density = units * np.exp(-(lowest**2) / 2) / np.sqrt(2 * np.pi) * scipy.special.ndtr(-lowest) ** (units - 1)
    return float(10 * weights @ (density * scipy.special.ndtr(lowest + apart) ** units))


def equivalence(effect: float, margin: float, se: float, df: float, bound: float) -> float:
    """Probability that both one-sided tests exceed `bound`: the interval lies between minus and plus the margin."""
    if not np.isfinite(bound):
        return 0.0
    highest = margin / (bound * se)
    scale, mass = scale_quadrature(df, highest)
    upper = scipy.special.ndtr((margin - effect) / se - bound * scale)
    lower = scipy.special.ndtr(-(margin + effect) / se + bound * scale)
    return float(max(mass @ (upper - lower), 0.0))
