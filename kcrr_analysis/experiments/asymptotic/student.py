"""Student's limits and p-values of an estimated effect: what every method with degrees of freedom ends in."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from kcrr_analysis.experiments.randomisation import Alternative
from kcrr_analysis.stats import Difference, Estimate


def student(
    estimate: float, se: float, df: float, *, level: float, method: str, n: float, null: float = 0.0
) -> Difference:
    """An effect with Student's limits and the two-sided p-value of `null`.

    Args:
        estimate: The effect.
        se: Its standard error.
        df: Degrees of freedom of the standard error.
        level: Confidence level, checked before.
        method: Russian name of the method.
        n: Independent units.
        null: The effect under the hypothesis.

    Returns:
        NaN limits and p-value where the standard error or its degrees of freedom are not positive.
    """
    if not (se > 0 and df > 0):
        return Difference(estimate, np.nan, np.nan, level, method, n, se if se > 0 else np.nan)
    half = float(scipy.special.stdtrit(df, 0.5 + level / 2)) * se
    p = float(2 * scipy.special.stdtr(df, -abs(estimate - null) / se))
    return Difference(estimate, estimate - half, estimate + half, level, method, n, se, p, df)


def student_p(effect: Difference, null: float = 0.0, alternative: Alternative = "two-sided") -> float:
    """p-value of another hypothesis about the same effect, e.g. of a margin.

    Args:
        effect: An effect with standard error and degrees of freedom.
        null: The effect under the hypothesis.
        alternative: `greater`: the effect is larger than `null`.
    """
    if not (effect.se > 0 and effect.df > 0):
        return float("nan")
    statistic = (effect.estimate - null) / effect.se
    if alternative == "two-sided":
        return float(2 * scipy.special.stdtr(effect.df, -abs(statistic)))
    return float(scipy.special.stdtr(effect.df, statistic if alternative == "less" else -statistic))


def figures(effect: Estimate, p: float, df: float = np.nan) -> dict[str, Any]:
    """Columns that every effect has in a frame."""
    return {
        "estimate": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "se": effect.se,
        "df": df,
        "p": p,
        "level": effect.level,
        "method": effect.method,
    }
