"""What a pilot measures, for its power: the variance of one person's outcome with and without the effect.

The effect is always a difference, treated minus control, on the outcome's own scale: of means, of shares, of rates per
person, of ratios; for an ordinal outcome, of the win probability from one half (the probability that a client of the
new format answers higher than one of the old format, ties counted half, minus 0.5).

Sources:
    Whitehead J. (1993), Stat Med 12:2257 (ordinal, proportional odds).
    Noether G. E. (1987), JASA 82:645; Zhao Y. D., Rahardja D., Qu Y. (2008), Stat Med 27:462 (win probability, ties).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import scipy

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray, Numbers, checked

Kind: TypeAlias = Literal["mean", "proportion", "count", "ordinal", "ratio"]

KINDS: dict[str, str] = {
    "mean": "среднее",
    "proportion": "доля",
    "count": "число событий на человека",
    "ordinal": "порядковая оценка",
    "ratio": "отношение сумм",
}
"""Kinds of outcomes with their Russian names."""

_EDGE = 1e-9


@dataclass(frozen=True)
class OutcomeModel:
    """An outcome without the new format.

    Attributes:
        kind: Its kind.
        baseline: Share or rate per person without the new format; shares of the categories, lowest first, of an ordinal
            outcome; not needed for a mean or a ratio.
        sd: Standard deviation of one person's outcome (mean), of one person's linearised residual (ratio: (numerator -
            ratio * denominator) / mean denominator).
        overdispersion: Variance over mean of a count, 1 for a Poisson count.

    Raises:
        ParameterError: What the kind needs is missing or cannot be.
    """

    kind: str
    baseline: float | tuple[float, ...] | None = None
    sd: float | None = None
    overdispersion: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            near = get_close_matches(str(self.kind), KINDS, n=1)
            hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
            raise ParameterError(f"Вид исхода «{self.kind}» неизвестен.{hint} Допустимы: {', '.join(KINDS)}.")
        if self.kind in ("mean", "ratio"):
            if self.sd is None or not float(checked(self.sd, "стандартное отклонение")) > 0:
                raise ParameterError("Укажите стандартное отклонение исхода одного человека (sd), больше нуля.")
        elif self.kind == "ordinal":
            object.__setattr__(self, "baseline", _categories(self.baseline))
        elif self.kind == "proportion":
            if self.baseline is None or not 0 < float(checked(self.baseline, "исходная доля")) < 1:
                raise ParameterError("Укажите долю без нового формата (baseline), больше 0 и меньше 1.")
        elif self.baseline is None or not float(checked(self.baseline, "исходное число событий")) > 0:
            raise ParameterError("Укажите число событий на человека без нового формата (baseline), больше нуля.")
        if not float(checked(self.overdispersion, "избыточная изменчивость")) > 0:
            raise ParameterError("Избыточная изменчивость (overdispersion) должна быть больше нуля.")

    @property
    def studentised(self) -> bool:
        """Whether the test of persons estimates the variance by itself (Student), not from the mean (normal)."""
        return self.kind in ("mean", "ratio")

    @property
    def bounds(self) -> tuple[float, float]:
        """Effects that can be, both ends excluded."""
        if self.kind == "proportion":
            return -self._level, 1 - self._level
        if self.kind == "count":
            return -self._level, np.inf
        return (-0.5, 0.5) if self.kind == "ordinal" else (-np.inf, np.inf)

    def variances(self, effect: float) -> tuple[float, float]:
        """Variance of one person's outcome without and with the new format.

        Args:
            effect: The true effect.

        Raises:
            ParameterError: An effect beyond the bounds.
        """
        low, high = self.bounds
        if not low < effect < high:
            raise ParameterError(
                f"Эффект {effect:g} невозможен: исход вышел бы за свои границы. Допустимо больше {low:g} и меньше "
                f"{high:g}."
            )
        if self.kind == "proportion":
            return tuple(p * (1 - p) for p in (self._level, self._level + effect))  # type: ignore[return-value]
        if self.kind == "count":
            return self.overdispersion * self._level, self.overdispersion * (self._level + effect)
        if self.kind == "ordinal":
            control, treated = np.array(self.baseline), shifted(self.baseline, effect)  # type: ignore[arg-type]
            return _placements(control, treated), _placements(treated, control)
        return (float(self.sd or 0.0) ** 2,) * 2

    def pooled(self, effect: float, shares: tuple[float, float]) -> float | None:
        """Variance of one person's outcome that the test assumes under no effect; None where it is that of `variances`.

        Args:
            effect: The true effect.
            shares: Sizes of the control and the treated arm.
        """
        if self.kind == "ordinal":
            control, treated = np.array(self.baseline), shifted(self.baseline, effect)  # type: ignore[arg-type]
            both = (control * shares[0] + treated * shares[1]) / sum(shares)
            return float(1 - (both**3).sum()) / 12
        if self.kind != "proportion":
            return None
        p = self._level + effect * shares[1] / sum(shares)
        return p * (1 - p)

    @property
    def _level(self) -> float:
        return float(self.baseline)  # type: ignore[arg-type]


def win_probability(control: Numbers, treated: Numbers) -> float:
    """Probability that one treated answer is higher than one control answer, ties counted half.

    Args:
        control: Shares of the categories, lowest first.
        treated: The same with the new format.
    """
    c, t = np.asarray(control, dtype=float), np.asarray(treated, dtype=float)
    return float(t @ (np.cumsum(c) - c / 2))


def proportional_odds(control: Numbers, odds_ratio: float) -> FloatArray:
    """Shares of the categories when the odds of every "this or higher" are multiplied.

    Args:
        control: Shares of the categories, lowest first.
        odds_ratio: Above 1 for higher answers.
    """
    shares = np.array(_categories(control))
    if not odds_ratio > 0:
        raise ParameterError(f"Отношение шансов {odds_ratio:g} недопустимо. Укажите число больше нуля.")
    above = 1 - np.cumsum(shares)[:-1]
    raised = above * odds_ratio / (1 + above * (odds_ratio - 1))
    return np.asarray(-np.diff(np.concatenate([[1.0], raised, [0.0]])))


def shifted(control: Sequence[float], effect: float) -> FloatArray:
    """Shares of the categories at which the win probability is 0.5 + effect, by proportional odds.

    Args:
        control: Shares of the categories, lowest first.
        effect: Win probability minus 0.5.

    Raises:
        ParameterError: An effect that these categories do not allow.
    """
    return np.array(_shifted(_categories(control), float(effect)))


@lru_cache(maxsize=1024)
def _shifted(control: tuple[float, ...], effect: float) -> tuple[float, ...]:
    def excess(log_odds: float) -> float:
        return win_probability(control, proportional_odds(control, float(np.exp(log_odds)))) - 0.5 - effect

    if excess(-30.0) > 0 or excess(30.0) < 0:
        raise ParameterError(
            f"Эффект {effect:g} при таких долях категорий невозможен: даже если все ответят одинаково, он меньше."
        )
    root = float(scipy.optimize.brentq(excess, -30.0, 30.0, xtol=1e-10))
    return tuple(float(share) for share in proportional_odds(control, float(np.exp(root))))


def _placements(own: FloatArray, other: FloatArray) -> float:
    """Variance, over one arm's answers, of the share of the other arm below (ties half)."""
    below = np.cumsum(other) - other / 2
    return float(own @ below**2 - (own @ below) ** 2)


def _categories(shares: Numbers) -> tuple[float, ...]:
    values = np.atleast_1d(checked(shares, "доли категорий", high=1.0))
    if values.ndim != 1 or values.size < 2 or np.isnan(values).any() or abs(values.sum() - 1) > 1e-6:
        raise ParameterError(
            "Для порядковой оценки укажите доли категорий (baseline) от низшей к высшей; сумма долей — 1."
        )
    return tuple(float(value) for value in values / values.sum())
