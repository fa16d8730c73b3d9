"""Lin's regression adjustment where persons were assigned: slopes of their own in each arm, HC2 variance.

Unlike CUPED it needs the rows themselves (each person's leverage), and cannot do worse than the plain difference in
large samples however unequal the arms and their slopes.

Sources:
    Lin W. (2013), Ann. Appl. Stat. 7:295. MacKinnon J., White H. (1985), J. Econometrics 29:305 (HC2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.experiments.asymptotic.moments import moments
from kcrr_analysis.experiments.asymptotic.person_level import PersonEffect, slopes
from kcrr_analysis.experiments.asymptotic.student import student
from kcrr_analysis.stats.estimate import checked_level

LIN = "регрессия Лина с поправкой на ковариаты (дисперсия HC2)"


def lin(
    data: pd.DataFrame,
    arm: str,
    outcome: str,
    covariates: Sequence[str],
    *,
    treated: Any,
    control: Any,
    level: float = 0.95,
) -> PersonEffect:
    """Lin's regression: covariates with slopes of their own in each arm, centred at the common mean, HC2 variance.

    Args:
        data: One row a person.
        arm: Column of the arm.
        outcome: Column.
        covariates: Columns known before the assignment, at least one.
        treated: Arm of interest.
        control: Arm it is compared with.
        level: Confidence level.

    Raises:
        ParameterError: No such column or arm, or missing values.
        NotComputableError: Too few persons, or covariates that repeat each other.
    """
    level = checked_level(level)
    names = list(dict.fromkeys(covariates))
    found = moments(data[data[arm].isin([treated, control])], arm, [outcome, *names])
    at = [found.arm(treated), found.arm(control)]
    n, k = found.n[at], len(names)
    if n.min() < k + 3:
        raise NotComputableError(
            f"Людей в меньшей группе {int(n.min())}, ковариат {k}: своих наклонов в каждой группе не оценить. Уберите "
            "ковариаты или сравните средние без поправки."
        )
    centre = (n[:, None] * found.mean[at]).sum(axis=0)[1:] / n.sum()
    levels, parts = [], []
    for position, label in zip(at, (treated, control), strict=True):
        rows = data[arm] == label
        y = data.loc[rows, outcome].to_numpy(dtype=float)
        x = data.loc[rows, names].to_numpy(dtype=float)
        size, mean = len(y), found.mean[position, 1:]
        scatter = found.covariance[position] * (size - 1)
        slope = slopes(scatter, names)
        inverse = np.linalg.inv(scatter[1:, 1:])
        inner = x - mean
        residual = y - found.mean[position, 0] - inner @ slope
        leverage = 1 / size + np.einsum("ij,jk,ik->i", inner, inverse, inner)
        loading = 1 / size + inner @ (inverse @ (centre - mean))
        levels.append(found.mean[position, 0] + float((centre - mean) @ slope))
        parts.append(float((loading**2 * residual**2 / np.maximum(1 - leverage, 1e-9)).sum()))
    below = n - 1 - k
    variance = sum(parts)
    df = variance**2 / sum(part**2 / size for part, size in zip(parts, below, strict=True)) if variance > 0 else np.nan
    effect = student(
        levels[0] - levels[1], float(np.sqrt(variance)), float(df), level=level, method=LIN, n=float(n.sum())
    )
    plain = float((found.covariance[at, 0, 0] / n).sum())
    return PersonEffect(
        outcome=outcome,
        treated=treated,
        control=control,
        estimate=effect,
        n=(int(n[0]), int(n[1])),
        means=(float(found.mean[at[0], 0]), float(found.mean[at[1], 0])),
        covariates=tuple(names),
        variance_reduction=1 - variance / plain if plain > 0 else np.nan,
        p_holm=effect.p,
    )
