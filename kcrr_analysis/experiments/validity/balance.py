"""Balance of the arms before the start: each covariate's difference, and one test of all of them together.

A test of every covariate would cry wolf once in twenty; the omnibus distance of Hansen and Bowers does not. What
chance alone would give is known from the design.

Source:
    Hansen B., Bowers J. (2008), Covariate balance in simple, stratified and clustered comparative studies, Statist.
    Sci. 23:219, statistic d2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed, Codes
from kcrr_analysis.experiments.validity.checks import FAIL, FEW, WARN, Check, Verdict, checked_thresholds, judged
from kcrr_analysis.stats.estimate import FloatArray, checked

LARGE = 1_000
"""Units from which the distance is compared with chi-square instead of the allowed assignments."""

_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Omnibus:
    """The distance of the arms over several values at once.

    Attributes:
        statistic: Hansen and Bowers' d2 of the observed assignment.
        p: Share of allowed assignments at least as far.
        smallest_p: p-value of the farthest assignment.
        exact: Whether every allowed assignment was tried.
        df: Rank of the distance.
        gaps: Observed differences of means, each arm against the first, shape (arms - 1, values).
        low: Limits of the middle 95 % of the differences that chance alone gives, same shape.
        high: The upper ones.
    """

    statistic: float
    p: float
    smallest_p: float
    exact: bool
    df: int
    gaps: FloatArray
    low: FloatArray
    high: FloatArray


def omnibus(values: FloatArray, allowed: Allowed, *, draws: int = DRAWS, seed: int = 0) -> Omnibus:
    """How far the arms are apart, against the assignments that could have happened.

    Args:
        values: Known for every unit, shape (units, values).
        allowed: The observed assignment and those that could have happened.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.
    """
    arms = np.unique(allowed.codes)
    centred = values.astype(float)
    for member in allowed.members:
        centred[member] -= centred[member].mean(axis=0)
    shape = (arms.size - 1, values.shape[1])
    if allowed.codes.size > LARGE and allowed.criterion is None:
        own = _gaps(centred, allowed.codes[None], arms)[0]
        covariance = _covariance(centred, allowed, arms)
        inverse, df = _inverse(covariance)
        statistic = float(own @ inverse @ own)
        half = 1.96 * np.sqrt(np.diag(covariance)).reshape(shape)
        p = float(scipy.stats.chi2.sf(statistic, df)) if df else 1.0
        return Omnibus(statistic, p, 0.0, False, df, own.reshape(shape), -half, half)
    codes, exact = allowed.reference(draws, seed=seed)
    gaps = _gaps(centred, codes, arms)
    distance, df = distances(gaps)
    low, high = np.quantile(gaps, [0.025, 0.975], axis=0).reshape(2, *shape)
    return Omnibus(
        float(distance[0]),
        as_extreme(distance),
        as_extreme(distance, distance.max()),
        exact,
        df,
        gaps[0].reshape(shape),
        low,
        high,
    )


def distances(gaps: FloatArray) -> tuple[FloatArray, int]:
    """Mahalanobis distances from the mean over assignments, in the metric of their own spread, and its rank.

    Args:
        gaps: Shape (assignments, values).
    """
    centred = gaps - gaps.mean(axis=0)
    inverse, df = _inverse(centred.T @ centred / len(centred))
    return np.einsum("kj,kj->k", centred @ inverse, centred), df


def as_extreme(sizes: FloatArray, observed: float | None = None) -> float:
    """Share of `sizes` at least as large as `observed` (by default the first of them), rounding aside."""
    edge = float(sizes[0] if observed is None else observed)
    return float((sizes >= edge - abs(edge) * _TIE - 1e-12).mean())


def possible(p: float, smallest: float, warn: float, fail: float) -> Verdict:
    """The verdict of a p-value; `not_checked` where the design cannot give one below the limit."""
    return "not_checked" if smallest > warn else judged(p, warn=warn, fail=fail)


def per_unit(values: Any, allowed: Allowed, name: str, low: float = 0.0) -> FloatArray:
    """One known number a unit.

    Raises:
        ParameterError: Another length, or a missing number.
    """
    array = checked(values, name, low=low)
    if array.shape != allowed.codes.shape or np.isnan(array).any():
        raise ParameterError(
            f"Параметр «{name}»: нужно одно известное число на каждую из {allowed.codes.size} назначенных единиц."
        )
    return array


def named(arms: Any, names: Sequence[str]) -> list[str]:
    """Names of the arms with these codes.

    Raises:
        ParameterError: A code without a name.
    """
    if names and max(arms) >= len(names):
        raise ParameterError(f"Названий групп {len(names)}, а в назначении есть группа с номером {max(arms)}.")
    return [names[arm] if names else str(arm) for arm in arms]


def balance(
    covariates: pd.DataFrame,
    allowed: Allowed,
    *,
    names: Sequence[str] = (),
    warn: float = WARN,
    fail: float = FAIL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Check:
    """Were the arms alike before the start?

    Differences by covariate are described, not tested; the one p-value is that of all covariates together. A missing
    value is replaced by the mean, and that it misses is one more covariate.

    Args:
        covariates: Known before the assignment: one row an assigned unit, one numeric column a covariate (its name is
            shown).
        allowed: The observed assignment and those that could have happened.
        names: Names of the arms by code.
        warn: p-value from which it warns.
        fail: p-value from which it fails.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Returns:
        `statistic`: d2; `rows`: one row a covariate and arm: covariate, arm, mean, mean_first (the first arm's),
        difference, sd (pooled within arms), standardised (difference / sd), chance_low, chance_high (the middle
        95 % of what chance gives).

    Raises:
        ParameterError: No covariate, another number of rows, or values that are not numbers.
    """
    checked_thresholds(warn, fail)
    arms = np.unique(allowed.codes)
    if covariates.shape[1] == 0 or len(covariates) != allowed.codes.size or arms.size < 2:
        raise ParameterError(
            "Для проверки равновесия нужны хотя бы один признак, по строке на каждую назначенную единицу, и две группы."
        )
    values, titles = _filled(covariates)
    found = omnibus(values, allowed, draws=draws, seed=seed)
    member = [allowed.codes == arm for arm in arms]
    means = np.array([values[one].mean(axis=0) for one in member])
    spread = np.array([values[one].var(axis=0, ddof=1) if one.sum() > 1 else np.zeros(len(titles)) for one in member])
    sd = np.sqrt(np.maximum(spread.mean(axis=0), 0))
    scale = np.where(sd > 1e-12, sd, np.nan)
    frames = [
        pd.DataFrame(
            {
                "covariate": titles,
                "arm": name,
                "mean": means[place + 1],
                "mean_first": means[0],
                "difference": found.gaps[place],
                "sd": sd,
                "standardised": found.gaps[place] / scale,
                "chance_low": found.low[place] / scale,
                "chance_high": found.high[place] / scale,
            }
        )
        for place, name in enumerate(named(arms[1:], names))
    ]
    return Check(
        "balance",
        "Равновесие групп до начала",
        possible(found.p, found.smallest_p, warn, fail),
        found.statistic,
        found.p,
        allowed.codes.size,
        warn=warn,
        fail=fail,
        method="рандомизационный критерий d² (Хансен — Бауэрс)",
        smallest_p=found.smallest_p,
        exact=found.exact,
        reason=FEW if found.smallest_p > warn else "",
        rows=pd.concat(frames, ignore_index=True),
    )


def _filled(covariates: pd.DataFrame) -> tuple[FloatArray, list[str]]:
    columns, titles = [], []
    for title in covariates.columns:
        column = checked(covariates[title], str(title), low=-np.inf)
        missing = np.isnan(column)
        if missing.all():
            raise ParameterError(f"Признак «{title}» нигде не известен. Уберите его или добавьте данные.")
        columns.append(np.where(missing, column[~missing].mean(), column))
        titles.append(str(title))
        if missing.any():
            columns.append(missing.astype(float))
            titles.append(f"{title}: нет данных")
    return np.column_stack(columns), titles


def _gaps(centred: FloatArray, codes: Codes, arms: Any) -> FloatArray:
    """Differences of means of every arm against the first, shape (assignments, (arms - 1) * values)."""
    means = []
    for arm in arms:
        member = (codes == arm).astype(float)
        means.append(member @ centred / member.sum(axis=1, keepdims=True))
    return np.concatenate([mean - means[0] for mean in means[1:]], axis=1)


def _covariance(centred: FloatArray, allowed: Allowed, arms: Any) -> FloatArray:
    """Exact covariance of `_gaps` over permutations within strata (values centred by stratum)."""
    sizes = np.array([(allowed.codes == arm).sum() for arm in arms], dtype=float)
    contrast = np.column_stack([-np.ones(arms.size - 1), np.eye(arms.size - 1)]) / sizes
    width = centred.shape[1]
    whole = np.zeros(((arms.size - 1) * width,) * 2)
    for member in allowed.members:
        if member.size < 2:
            continue
        share = np.array([(allowed.codes[member] == arm).mean() for arm in arms])
        of_sums = member.size * (np.diag(share) - np.outer(share, share))
        within = centred[member].T @ centred[member] / (member.size - 1)
        whole += np.kron(contrast @ of_sums @ contrast.T, within)
    return whole


def _inverse(covariance: FloatArray) -> tuple[FloatArray, int]:
    """Pseudo-inverse in the metric of correlations, and its rank."""
    scale = np.sqrt(np.diag(covariance))
    unit = np.where(scale > 1e-12, scale, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(unit, unit))
    kept = values > 1e-8
    whitened = vectors[:, kept] / np.sqrt(values[kept]) / unit[:, None]
    return whitened @ whitened.T, int(kept.sum())
