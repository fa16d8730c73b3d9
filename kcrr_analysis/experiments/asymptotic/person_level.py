"""Effects where persons were assigned to arms one by one; not for persons of assigned centres.

From `moments` alone: Neyman's difference of means, CUPED with one or more covariates, ratios of sums by the delta
method (with CUPED too), shares by the score test, several arms against a shared control. From rows: the win
probability of ordinal outcomes here, Lin's regression in `lin_adjustment`.

An outcome is a column, or a pair (numerator, denominator) for a ratio of sums; so is a covariate. A covariate is
something known before the assignment.

The adjusted difference is that of the regression on arm and covariates (theta pooled within arms), with one variance
an arm, as the arms' spreads may differ; the price of estimating theta is paid in the variance and in the degrees of
freedom, so that small samples are not flattered; with one covariate and equal spreads it is the analysis of
covariance exactly.

Sources:
    Neyman J. (1923/1990), Statist. Sci. 5:465. Welch B. (1947), Biometrika 34:28.
    Deng A. et al. (2013), WSDM (CUPED). Deng A., Knoblich U., Lu J. (2018), KDD (delta method).
    Brunner E., Munzel U. (2000), Biometrical J. 42:17.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.asymptotic.moments import Moments, moments
from kcrr_analysis.experiments.asymptotic.student import figures, student, student_p
from kcrr_analysis.experiments.randomisation import Alternative
from kcrr_analysis.stats import Difference, holm, miettinen_nurminen, newcombe, score_statistic
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

Variable: TypeAlias = str | tuple[str, str]
"""A column, or (numerator, denominator) of a ratio of sums."""

NEYMAN = "разность средних по Нейману (критерий Уэлча)"
RATIO = "разность отношений сумм (дельта-метод)"
ADJUSTED = "с поправкой на ковариаты (CUPED)"
SCORE = "критерий множителей Лагранжа для долей"
WIN = "вероятность лучшего исхода (критерий Бруннера — Мюнцеля)"


@dataclass(frozen=True)
class PersonEffect:
    """One arm against the control on one outcome, persons assigned.

    Attributes:
        outcome: Column, or «numerator / denominator».
        treated: Arm of interest.
        control: Arm it is compared with.
        estimate: Treated minus control (for ordinal outcomes the win probability) with limits, standard error,
            p-value and degrees of freedom (NaN where the method has none); `n` is the number of persons.
        n: Persons: treated, control.
        means: Unadjusted means, ratios or shares: treated, control.
        null: The effect under the hypothesis: 0, or 0.5 for the win probability.
        covariates: What was adjusted for.
        variance_reduction: Share of the variance that the covariates took away; negative where they cost more than
            they gave; NaN without covariates.
        p_holm: p-value under Holm's control over the arms compared with the same control on this outcome; equal to p
            where there is one.
        note: What weakens the figure, in Russian, or empty.
    """

    outcome: str
    treated: Any
    control: Any
    estimate: Difference
    n: tuple[int, int]
    means: tuple[float, float]
    null: float = 0.0
    covariates: tuple[str, ...] = ()
    variance_reduction: float = np.nan
    p_holm: float = np.nan
    note: str = ""

    @property
    def p(self) -> float:
        """Two-sided p-value of `null`."""
        return self.estimate.p

    @property
    def df(self) -> float:
        """Degrees of freedom; NaN where the method has none."""
        return self.estimate.df

    def p_value(self, effect: float, alternative: Alternative = "two-sided") -> float:
        """p-value of another hypothesis, e.g. of a margin; NaN for methods without degrees of freedom."""
        return student_p(self.estimate, effect, alternative)

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        names = {"outcome": self.outcome, "treated": self.treated, "control": self.control}
        row = names | figures(self.estimate, self.p, self.df) | {"p_holm": self.p_holm, "null": self.null}
        for place, arm in enumerate(("treated", "control")):
            row[f"n_{arm}"], row[f"mean_{arm}"] = self.n[place], self.means[place]
        row |= {"covariates": ", ".join(self.covariates), "variance_reduction": self.variance_reduction}
        return pd.DataFrame([row | {"note": self.note}])


@dataclass(frozen=True)
class PersonReadout:
    """All arms against the control on all outcomes, from one pass over the persons.

    Attributes:
        effects: By outcome, then by arm.
        control: The shared control.
        level: Confidence level of each interval.
        moments: What the figures were computed from.
    """

    effects: tuple[PersonEffect, ...]
    control: Any
    level: float
    moments: Moments

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome and arm."""
        return pd.concat([one.to_frame() for one in self.effects], ignore_index=True)


def readout(
    data: pd.DataFrame,
    arm: str,
    outcomes: Sequence[Variable],
    *,
    control: Any,
    covariates: Mapping[Variable, Sequence[Variable]] | None = None,
    level: float = 0.95,
) -> PersonReadout:
    """Every arm against the control on every outcome, from one pass over the rows.

    Args:
        data: One row a person; no missing values in the columns used.
        arm: Column of the arm.
        outcomes: Columns, or pairs (numerator, denominator).
        control: The arm that the others are compared with.
        covariates: Covariates of each outcome, known before the assignment; outcomes without an entry have none.
        level: Confidence level.

    Raises:
        ParameterError: No such column or arm, missing values, no other arm than the control.
        NotComputableError: An arm with fewer than two persons, or covariates that repeat each other.
    """
    by = dict(covariates or {})
    strange = [_title(outcome) for outcome in by if outcome not in outcomes]
    if strange:
        raise ParameterError(f"Ковариаты указаны для показателей, которых нет среди исходов: {', '.join(strange)}.")
    used = [*outcomes, *(one for several in by.values() for one in several)]
    found = moments(data, arm, [column for one in used for column in ([one] if isinstance(one, str) else one)])
    found.arm(control)
    arms = [one for one in found.arms if one != control]
    if not arms:
        raise ParameterError("В данных только одна группа: сравнивать не с чем. Проверьте столбец назначения.")
    effects: list[PersonEffect] = []
    for outcome in outcomes:
        several = [
            difference(found, outcome, one, control, covariates=by.get(outcome, ()), level=level) for one in arms
        ]
        adjusted = holm([one.p for one in several])
        effects += [replace(one, p_holm=float(p)) for one, p in zip(several, adjusted, strict=True)]
    return PersonReadout(tuple(effects), control, checked_level(level), found)


def difference(
    found: Moments,
    outcome: Variable,
    treated: Any,
    control: Any,
    *,
    covariates: Sequence[Variable] = (),
    level: float = 0.95,
) -> PersonEffect:
    """Difference of means (or ratios of sums), plain (Neyman) or adjusted for covariates (CUPED).

    The variance is Neyman's: conservative for the persons of the pilot, right for persons like them.

    Args:
        found: Moments with the columns needed.
        outcome: Column, or (numerator, denominator).
        treated: Arm of interest.
        control: Arm it is compared with.
        covariates: Columns or pairs, known before the assignment.
        level: Confidence level.

    Raises:
        ParameterError: No such arm or column, or a level outside (0, 1).
        NotComputableError: Too few persons, a denominator of zero, or covariates that repeat each other.
    """
    level = checked_level(level)
    at = [found.arm(treated), found.arm(control)]
    n = found.n[at].astype(float)
    k = len(covariates)
    if n.min() < 2 or n.sum() - 2 <= k:
        raise NotComputableError(
            f"Людей в группах слишком мало: {int(n[0])} и {int(n[1])}. Для этого сравнения нужно не меньше двух в "
            f"каждой группе и больше {k + 2} всего."
        )
    values, spreads = _linearised(found, at, (outcome, *covariates))
    gap = values[0] - values[1]
    within = ((n - 1)[:, None, None] * spreads).sum(axis=0)
    theta = slopes(within, covariates)
    weights = np.concatenate([[1.0], -theta])
    own = np.einsum("i,aij,j->a", weights, spreads, weights)
    common = float(weights @ within @ weights) / (n.sum() - 2 - k)
    factor = (n.sum() - 2) / (n.sum() - 2 - k)
    parts = np.maximum(own, 0) * factor / n
    price = common * float(gap[1:] @ np.linalg.solve(within[1:, 1:], gap[1:])) if k else 0.0
    plain = spreads[:, 0, 0] / n
    variance = float(parts.sum()) + price
    df = float(parts.sum() ** 2 / (parts**2 / (n - 1)).sum()) - k if parts.sum() > 0 else np.nan
    title = NEYMAN if isinstance(outcome, str) else RATIO
    effect = student(
        float(weights @ gap),
        float(np.sqrt(variance)),
        df,
        level=level,
        method=f"{title} {ADJUSTED}" if k else title,
        n=float(n.sum()),
    )
    return PersonEffect(
        outcome=_title(outcome),
        treated=treated,
        control=control,
        estimate=effect,
        n=(int(n[0]), int(n[1])),
        means=(float(values[0, 0]), float(values[1, 0])),
        covariates=tuple(_title(one) for one in covariates),
        variance_reduction=1 - variance / float(plain.sum()) if k and plain.sum() > 0 else np.nan,
        p_holm=effect.p,
    )


def proportion(
    found: Moments,
    outcome: str,
    treated: Any,
    control: Any,
    *,
    interval: Literal["miettinen_nurminen", "newcombe"] = "miettinen_nurminen",
    level: float = 0.95,
) -> PersonEffect:
    """Difference of shares with the score test's p-value.

    Args:
        found: Moments with the outcome, whose values are 0 and 1.
        outcome: Column.
        treated: Arm of interest.
        control: Arm it is compared with.
        interval: Whose limits; those of Miettinen and Nurminen agree with the test.
        level: Confidence level.

    Raises:
        ParameterError: No such arm or column, or values other than 0 and 1.
    """
    at, column = [found.arm(treated), found.arm(control)], found.column(outcome)
    n, share = found.n[at].astype(float), found.mean[at, column]
    spread = np.nan_to_num(found.covariance[at, column, column]) * (n - 1)
    cases = np.round(n * share)
    if not (
        np.allclose(cases, n * share, atol=1e-6 * n.max()) and np.allclose(spread, n * share * (1 - share), atol=1e-6)
    ):
        raise ParameterError(f"Показатель «{outcome}» содержит не только 0 и 1: доли по нему не посчитать.")
    z = float(score_statistic(cases[0], n[0], cases[1], n[1]))
    method = newcombe if interval == "newcombe" else miettinen_nurminen
    limits = method(cases[0], n[0], cases[1], n[1], level=level)
    p = float(2 * scipy.special.ndtr(-abs(z)))
    effect = Difference(
        limits.estimate, limits.low, limits.high, level, f"{SCORE}, {limits.method}", limits.n, limits.se, p
    )
    sizes, shares = (int(n[0]), int(n[1])), (float(share[0]), float(share[1]))
    return PersonEffect(outcome, treated, control, effect, sizes, shares, p_holm=p)


def win_probability(treated: Any, control: Any, *, outcome: str = "", level: float = 0.95) -> PersonEffect:
    """P(treated > control) + P(equal) / 2 of an ordinal outcome, Brunner and Munzel's test and interval.

    Args:
        treated: Values of the treated persons; only their order matters.
        control: Values of the control persons.
        outcome: Name of the outcome.
        level: Confidence level.

    Returns:
        `null` is 0.5: neither arm tends to better values. The limits stay within 0 and 1; they and the p-value are
        NaN, with a note, where the arms do not overlap or everybody has the same value.

    Raises:
        ParameterError: Missing or infinite values.
        NotComputableError: An arm with fewer than two persons.
    """
    level = checked_level(level)
    first, second = (np.atleast_1d(checked(one, "значения исхода", low=-np.inf)) for one in (treated, control))
    if np.isnan(first).any() or np.isnan(second).any():
        raise ParameterError("В значениях исхода есть пропуски. Оставьте только людей с известным исходом.")
    if min(first.size, second.size) < 2:
        raise NotComputableError(
            f"Людей в группах слишком мало: {first.size} и {second.size}. Нужно не меньше двух в каждой."
        )
    n = np.array([first.size, second.size], dtype=float)
    scale = np.unique(np.concatenate([first, second]))
    counts = np.stack([np.bincount(np.searchsorted(scale, one), minlength=scale.size) for one in (first, second)])
    below = (np.cumsum(counts, axis=1) - counts / 2) / n[:, None]
    places = below[::-1]
    centre = (counts * places).sum(axis=1) / n
    parts = (counts * (places - centre[:, None]) ** 2).sum(axis=1) / (n - 1) / n
    variance = float(parts.sum())
    df = variance**2 / float((parts**2 / (n - 1)).sum()) if variance > 1e-24 else np.nan
    effect = student(
        float(centre[0]), float(np.sqrt(variance)), df, level=level, method=WIN, n=float(n.sum()), null=0.5
    )
    effect = replace(effect, low=max(effect.low, 0.0), high=min(effect.high, 1.0)) if effect.se > 0 else effect
    note = ""
    if np.isnan(df):
        same = scale.size == 1
        note = (
            "У всех людей одно и то же значение: сравнивать нечего."
            if same
            else "Значения групп не перекрываются: погрешность этим методом не оценить, нужен перестановочный критерий."
        )
        effect = Difference(effect.estimate, np.nan, np.nan, level, WIN, effect.n)
    means = (float(first.mean()), float(second.mean()))
    sizes = (first.size, second.size)
    return PersonEffect(outcome, "treated", "control", effect, sizes, means, null=0.5, p_holm=effect.p, note=note)


def _title(one: Variable) -> str:
    return one if isinstance(one, str) else " / ".join(one)


def _linearised(found: Moments, at: list[int], variables: Sequence[Variable]) -> tuple[FloatArray, FloatArray]:
    """Value of each variable by arm, shape (2, v), and covariances of its linear form, shape (2, v, v)."""
    mean = found.mean[at]
    values = np.empty((2, len(variables)))
    gradient = np.zeros((2, len(variables), len(found.columns)))
    for place, one in enumerate(variables):
        if isinstance(one, str):
            column = found.column(one)
            values[:, place], gradient[:, place, column] = mean[:, column], 1.0
            continue
        top, bottom = found.column(one[0]), found.column(one[1])
        if (np.abs(mean[:, bottom]) <= 0).any():
            raise NotComputableError(f"Знаменатель «{one[1]}» в одной из групп равен нулю: отношение не вычисляется.")
        values[:, place] = mean[:, top] / mean[:, bottom]
        gradient[:, place, top] += 1 / mean[:, bottom]
        gradient[:, place, bottom] -= values[:, place] / mean[:, bottom]
    return values, np.einsum("avc,acd,awd->avw", gradient, found.covariance[at], gradient)


def slopes(within: FloatArray, covariates: Sequence[Variable]) -> FloatArray:
    """Slopes of the outcome (row 0) on the covariates.

    Raises:
        NotComputableError: Covariates that repeat each other or do not vary.
    """
    if within.shape[0] == 1:
        return np.zeros(0)
    scatter = within[1:, 1:]
    root = np.sqrt(np.diag(scatter))
    if (root <= 0).any() or np.linalg.matrix_rank(scatter / np.outer(root, root), tol=1e-10) < len(root):
        names = ", ".join(_title(one) for one in covariates)
        raise NotComputableError(
            f"Ковариаты ({names}) не меняются или повторяют друг друга: поправку не посчитать. Уберите лишние."
        )
    return np.asarray(np.linalg.solve(scatter, within[1:, 0]))
