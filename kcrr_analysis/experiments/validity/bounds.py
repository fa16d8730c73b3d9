"""Bounds of the effect where outcomes are missing: what can be said without assuming why they are missing.

Funnel outcomes (applied, came, returned) are counted over all assigned persons: who is not on record did not reach
the stage. That is an assumption too, so the two extremes stand beside it.

Sources:
    Extremes: Manski C. (1990), Am. Econ. Rev. 80:319; Horowitz J., Manski C. (2000), JASA 95:77.
    Trimming: Lee D. (2009), Rev. Econ. Stud. 76:1071 (variance: his Proposition 3).
    Interval of a partially identified effect: Imbens G., Manski C. (2004), Econometrica 72:1845.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed
from kcrr_analysis.experiments.validity.balance import per_unit
from kcrr_analysis.experiments.validity.checks import by_arm
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

FIGURES = ("lower", "upper", "low", "high")


@dataclass(frozen=True, eq=False)
class Bounds:
    """The effect per assigned person (or centre) under different assumptions about the missing outcomes.

    Attributes:
        rows: One row an assumption: scenario (missing_as_failure: who has no outcome did not reach it; observed: only
            those with an outcome; worst: nothing is assumed; lee: the service only adds, or only takes away, persons
            with an outcome), lower, upper (bounds of the effect; equal where it is identified), low, high (their
            joint interval; NaN where there is none), reason, `<column>_hidden`.
        arms: One row an arm (control, treated): arm, persons, missing, share (%), `<column>_hidden`.
        level: Confidence level.
        per: person or center: what the effect is an average over.
        units: Assigned units that were compared.
        exact: Whether the randomisation intervals have no Monte Carlo error.
        limits: Least and largest possible outcome.
    """

    rows: pd.DataFrame
    arms: pd.DataFrame
    level: float
    per: Literal["person", "center"]
    units: int
    exact: bool
    limits: tuple[float, float]

    def to_frame(self) -> pd.DataFrame:
        """One row an assumption."""
        return self.rows.assign(level=self.level, per=self.per, units=self.units)


@dataclass(frozen=True)
class Trimmed:
    """Lee's bounds of the effect on those who have an outcome in either arm.

    Attributes:
        lower: Lower bound.
        upper: Upper bound.
        share: Share of the outcomes of the arm with more of them that is trimmed.
        trimmed: Arm that is trimmed: treated, control, or none.
        se_lower: Standard error of the lower bound; NaN where unknown.
        se_upper: Of the upper bound.
    """

    lower: float
    upper: float
    share: float
    trimmed: Literal["treated", "control", "none"]
    se_lower: float = float("nan")
    se_upper: float = float("nan")

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([asdict(self)])


def bounds(
    total: FloatArray,
    observed: FloatArray,
    assigned: FloatArray,
    allowed: Allowed,
    *,
    least: float = 0.0,
    most: float = 1.0,
    missing: float = 0.0,
    per: Literal["person", "center"] = "person",
    level: float = 0.95,
    treated: int = 1,
    control: int = 0,
    rule: Rule | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Bounds:
    """The effect on a bounded outcome over all assigned persons, from cluster totals.

    The interval of the worst case holds the effect with the probability `level`. Where the arms may be exchanged, the
    test at each extreme is inverted at the level of Imbens and Manski's equation, between `2 level - 1` and `level`.

    Args:
        total: Sum of the outcome over those of each unit who have one, shape (units,).
        observed: Persons of each unit with an outcome.
        assigned: Persons of each unit.
        allowed: The observed assignment and those that could have happened.
        least: Least possible outcome of a person.
        most: Largest possible outcome.
        missing: What a missing outcome counts as by default: for funnel outcomes 0, did not reach.
        per: What the effect is an average over.
        level: Confidence level.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        rule: Disclosure control of the counts.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Raises:
        ParameterError: Totals that the limits do not allow, or more outcomes than persons.
    """
    level = checked_level(level)
    assigned = per_unit(assigned, allowed, "число назначенных")
    observed = per_unit(observed, allowed, "число людей с результатом")
    sums = checked(total, "итог по единице", low=-np.inf)
    if sums.shape == observed.shape:
        sums = np.where(observed > 0, sums, 0.0)
    sums = per_unit(sums, allowed, "итог по единице", low=-np.inf)
    slack = 1e-9 * (1 + np.abs(sums))
    if (observed > assigned).any() or not least <= missing <= most or not least < most:
        raise ParameterError("Людей с результатом больше, чем назначенных, или границы показателя заданы неверно.")
    if (sums < least * observed - slack).any() or (sums > most * observed + slack).any():
        raise ParameterError(
            f"Итог по единице выходит за границы показателя от {least:g} до {most:g}. Укажите верные least и most."
        )
    gone, given = assigned - observed, allowed.codes == treated

    def over(filled: FloatArray, size: FloatArray) -> randomisation.Reference:
        if per == "center":
            with np.errstate(invalid="ignore", divide="ignore"):
                filled, size = filled / size, (size > 0).astype(float)
        return randomisation.difference(
            np.where(size > 0, filled, 0.0), size, allowed, treated=treated, control=control, draws=draws, seed=seed
        )

    default = over(sums + missing * gone, assigned)
    lowest = over(sums + gone * np.where(given, least, most), assigned)
    highest = over(sums + gone * np.where(given, most, least), assigned)
    # Half of a two-sided error falls on each side only where the arms may be exchanged; else the full level is kept.
    c = critical(lowest.estimate, highest.estimate, lowest.se, highest.se, level=level)
    each = 2 * scipy.special.ndtr(c) - 1 if allowed.mirrored else level
    rows = [
        _row("missing_as_failure", default.estimate, default.estimate, default.interval(level)),
        _row("worst", lowest.estimate, highest.estimate, (lowest.interval(each)[0], highest.interval(each)[1])),
    ]
    if all((observed[allowed.codes == arm] > 0).any() for arm in (treated, control)):
        seen = over(sums, observed)
        rows.insert(1, _row("observed", seen.estimate, seen.estimate, seen.interval(level)))
        reason = "" if per == "person" else "только для среднего на человека"
        reason = reason if _binary(sums, least, most) else "только для показателя «да/нет»; по людям — функция lee"
        codes = np.where(given, 1, np.where(allowed.codes == control, 0, -1))
        rows.append(_lee_row(np.column_stack([sums, observed, assigned]), codes, allowed, level, reason))
    pair = [allowed.codes == arm for arm in (control, treated)]
    counts = [np.array([one[arm].sum() for arm in pair]) for one in (assigned, gone)]
    arms, few_missing = by_arm(("control", "treated"), counts[0], counts[1], ("persons", "missing"), rule)
    frame = pd.DataFrame(rows)
    few_reached = False
    if _binary(sums, least, most):
        reached = np.array([sums[arm].sum() for arm in pair])
        few_reached = by_arm(("control", "treated"), counts[0], reached, ("persons", "reached"), rule)[1]
    # The default row tells nothing of the missing; the other rows differ from it by their number.
    telling = few_reached | (few_missing & (frame["scenario"] != "missing_as_failure"))
    for column in FIGURES:
        frame[f"{column}_hidden"] = telling
        if rule is not None and rule.public:
            frame[column] = frame[column].mask(telling)
    return Bounds(frame, arms, level, per, default.units, default.exact, (least, most))


def critical(
    lower: float, upper: float, se_lower: float, se_upper: float, *, level: float, df: float = np.inf
) -> float:
    """Imbens and Manski's (2004) critical value: F(c + width / max se) - F(-c) = level.

    Args:
        lower: Lower bound of the effect.
        upper: Upper bound.
        se_lower: Standard error of the lower bound.
        se_upper: Of the upper one.
        level: Confidence level.
        df: Degrees of freedom; infinite: normal.
    """
    level = checked_level(level)
    error = max(se_lower, se_upper)
    apart = max(upper - lower, 0.0) / error if error > 0 else np.inf
    cdf: Callable[[float], Any] = scipy.special.ndtr if np.isinf(df) else lambda x: scipy.special.stdtr(df, x)
    ends = [_quantile(level, df), _quantile(0.5 + level / 2, df)]
    if not np.isfinite(apart):
        return ends[0]
    return float(scipy.optimize.brentq(lambda c: cdf(c + apart) - cdf(-c) - level, ends[0] - 1e-9, ends[1] + 1e-9))


def imbens_manski(
    lower: float, upper: float, se_lower: float, se_upper: float, *, level: float = 0.95, df: float = np.inf
) -> tuple[float, float]:
    """Interval that holds a partially identified effect with the probability `level` (see `critical`)."""
    c = critical(lower, upper, se_lower, se_upper, level=level, df=df)
    return lower - c * se_lower, upper + c * se_upper


def lee(outcome: FloatArray, treated: FloatArray, *, weight: FloatArray | None = None) -> Trimmed:
    """Lee's (2009) trimming bounds from persons, standard errors for persons assigned one by one.

    The assignment may change whether a person has an outcome in one direction only (monotonicity).

    Args:
        outcome: Each assigned person's outcome, NaN where missing, shape (persons,).
        treated: Whether the person was assigned to the treatment.
        weight: Weights; standard errors are unknown with them.

    Raises:
        ParameterError: Lengths that do not agree, or an arm without an outcome.
    """
    y, given = checked(outcome, "результат", low=-np.inf), np.asarray(treated).astype(bool)
    w = np.ones(y.shape) if weight is None else checked(weight, "вес")
    if y.shape != given.shape or w.shape != y.shape:
        raise ParameterError("Результат, группа и вес должны быть известны для одних и тех же людей.")
    seen = ~np.isnan(y)
    own = [(y[seen & arm], w[seen & arm], w[arm].sum()) for arm in (given, ~given)]
    if not all(part[1].sum() > 0 for part in own):
        raise ParameterError("В одной из групп нет ни одного результата: границы эффекта не вычисляются.")
    rate = [part[1].sum() / part[2] for part in own]
    more = int(rate[1] > rate[0])
    share = 1 - rate[1 - more] / rate[more]
    plain = np.average(own[1 - more][0], weights=own[1 - more][1])
    ends = [_tail(own[more][0], own[more][1], 1 - share, side) for side in (1, -1)]
    differences = sorted((end - plain) * (1 if more == 0 else -1) for end, *_ in ends)
    name: Literal["treated", "control", "none"] = "none" if share <= 1e-12 else "control" if more else "treated"
    errors = [float("nan")] * 2
    if weight is None:
        errors = [_lee_error(own[more], own[1 - more], end, share) for end in ends]
        errors = errors if more else errors[::-1]
    return Trimmed(float(differences[0]), float(differences[1]), float(share), name, errors[0], errors[1])


def lee_binary(
    reached: tuple[float, float], observed: tuple[float, float], assigned: tuple[float, float]
) -> tuple[float, float]:
    """Lee's bounds of a yes/no outcome from (weighted) totals, each as (treated, control): lower, upper."""
    lower, upper = _trimmed_totals(np.array([[*reached, *observed, *assigned]], dtype=float))
    return float(lower[0]), float(upper[0])


def _row(scenario: str, lower: float, upper: float, limits: tuple[float, float], reason: str = "") -> dict[str, object]:
    if not reason and np.isnan(limits[0]):
        reason = "интервала нет: итоги единиц не различаются"
    return {
        "scenario": scenario,
        "lower": lower,
        "upper": upper,
        "low": limits[0],
        "high": limits[1],
        "reason": reason,
    }


def _binary(sums: FloatArray, least: float, most: float) -> bool:
    """Whether the totals can be those of a yes/no outcome."""
    return least == 0 and most == 1 and bool((sums == np.floor(sums)).all())


def _lee_row(
    totals: FloatArray, codes: np.ndarray[Any, Any], allowed: Allowed, level: float, reason: str
) -> dict[str, object]:
    """Lee's bounds from totals of units, with standard errors by the jackknife over units.

    Args:
        totals: Reached, observed, assigned of each unit, shape (units, 3).
        codes: 1 treated, 0 control, -1 neither.
        allowed: For the chance of the arm in the unit's stratum: totals are weighted by its inverse.
        level: Confidence level.
        reason: Why there are no such bounds, or empty.
    """
    nothing = float("nan")
    if reason:
        return _row("lee", nothing, nothing, (nothing, nothing), reason)
    weight = np.zeros(codes.size)
    for member in allowed.members:
        for arm in (0, 1):
            own = member[codes[member] == arm]
            weight[own] = (codes[member] >= 0).sum() / own.size if own.size else 0.0
    parts = [totals * (weight * (codes == arm))[:, None] for arm in (1, 0)]
    whole = np.stack([part.sum(axis=0) for part in parts], axis=1)
    lower, upper = (float(one[0]) for one in _trimmed_totals(whole.reshape(1, 6)))
    without = np.stack([whole[None, :, arm] - part for arm, part in enumerate(parts)], axis=2).reshape(-1, 6)
    left = np.array(_trimmed_totals(without))
    squared = np.zeros(2)
    for arm in (0, 1):
        units = codes == arm
        spread = left[:, units] - left[:, units].mean(axis=1, keepdims=True)
        squared += (units.sum() - 1) / units.sum() * (spread**2).sum(axis=1)
    df = int((codes >= 0).sum()) - 2
    if not np.isfinite(squared).all() or min((codes == 0).sum(), (codes == 1).sum()) < 2:
        return _row("lee", lower, upper, (nothing, nothing), "для интервала мало единиц")
    low, high = imbens_manski(lower, upper, float(np.sqrt(squared[0])), float(np.sqrt(squared[1])), level=level, df=df)
    return _row("lee", lower, upper, (low, high))


def _trimmed_totals(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lee's bounds of a yes/no outcome.

    Args:
        totals: Columns: reached, observed, assigned, each of treated and control; shape (cases, 6).
    """
    reached, seen, given = totals[:, 0:2], totals[:, 2:4], totals[:, 4:6]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = seen / given
        kept = seen * np.minimum(rate[:, ::-1] / rate, 1.0)
        most = np.minimum(reached, kept) / kept
        least = np.maximum(reached - (seen - kept), 0.0) / kept
    return least[:, 0] - most[:, 1], most[:, 0] - least[:, 1]


def _tail(values: FloatArray, weight: FloatArray, keep: float, side: int) -> tuple[float, float, float]:
    """Mean, edge and variance of the share `keep` of the mass with the largest (side 1) or smallest values."""
    order = np.argsort(-side * values, kind="stable")
    ordered, mass = values[order], weight[order]
    before = np.cumsum(mass) - mass
    kept = np.clip(keep * mass.sum() - before, 0.0, mass)
    mean = float(np.average(ordered, weights=kept))
    edge = float(ordered[np.flatnonzero(kept > 0)[-1]])
    return mean, edge, float(np.average((ordered - mean) ** 2, weights=kept))


def _lee_error(
    trimmed: tuple[FloatArray, FloatArray, float],
    whole: tuple[FloatArray, FloatArray, float],
    end: tuple[float, float, float],
    share: float,
) -> float:
    """Standard error of one bound: Lee's (2009) Proposition 3."""
    mean, edge, variance = end
    n, m = trimmed[0].size, whole[0].size
    of_share = (1 - n / trimmed[2]) / n + (1 - m / whole[2]) / m
    squared = (variance + (edge - mean) ** 2 * share) / (n * (1 - share)) + (edge - mean) ** 2 * of_share
    return float(np.sqrt(squared + whole[0].var() / m))


def _quantile(probability: float, df: float) -> float:
    return float(scipy.special.ndtri(probability) if np.isinf(df) else scipy.special.stdtrit(df, probability))
