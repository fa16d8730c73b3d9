"""Randomisation inference: the effect against all assignments that could have happened.

Under the hypothesis that the new format adds `effect` to everybody's outcome, the outcomes under every other allowed
assignment are known; the observed statistic is ranked among theirs (Fisher 1935). The statistic is the difference of
the arms' means divided by its standard error, so that the test is exact under that hypothesis and right in large
samples under the weaker one about the average (Wu & Ding 2021). Numerator and squared denominator are polynomials of
the effect: the interval by test inversion needs no refitting.

Units are what was assigned. A centre's persons enter through their total and number alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed, Codes
from kcrr_analysis.stats.estimate import FloatArray, checked_level

Alternative: TypeAlias = Literal["two-sided", "greater", "less"]

Mask: TypeAlias = NDArray[np.bool_]
Moments: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]

_CHUNK = 2_000_000
_ZERO = 1e-14
_GRID = 40
_REACH = np.concatenate([np.arange(0, 16, 0.5), 2 ** np.arange(4, 30, 0.5)])
"""Where the limits of an interval are looked for first, in standard errors from the estimate: the set of accepted
effects may have gaps."""
_SPREAD = 1e-12
"""What differs less than this (relatively) does not differ: it is the rounding of equal values."""
_SAME = 1e-9
_TIE = 1e-9
"""Statistics this close (relatively) are equal: rounding must not decide who is as extreme as the observed one."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The distribution of the studentised effect over the allowed assignments; the observed one comes first.

    Under an assumed effect t the statistic is (a - t b) / sqrt(c - 2 t d + t^2 e).

    Attributes:
        a: Differences of means of the outcome, shape (assignments,).
        b: The same of the observed treatment.
        c: Squared standard errors of `a`.
        d: Covariances of the errors of `a` and `b`.
        e: Squared standard errors of `b`.
        exact: Whether all allowed assignments are there; False for a random sample of them.
        units: Assigned units that took part in the comparison.
        count: Number of allowed assignments; None where it is not known.
        mirrored: Whether the arms' exchange is allowed too: it is as extreme as the observed assignment.
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray
    e: FloatArray
    exact: bool
    units: int
    count: int | None
    mirrored: bool

    @property
    def draws(self) -> int:
        """Assignments that the observed one is compared with, itself included."""
        return int(self.a.size)

    @property
    def estimate(self) -> float:
        """The effect under which the observed difference is zero."""
        return float(self.a[0] / self.b[0]) if self.b[0] else float("nan")

    @property
    def se(self) -> float:
        """Design-based standard error of the estimate."""
        return float(np.sqrt(self._variance(np.array([self.estimate]))[0, 0]) / abs(self.b[0]))

    @property
    def smallest_p(self) -> float:
        """No two-sided p-value of this design can be smaller."""
        return (1 + self.mirrored) / self.draws if self.exact else 1 / self.draws

    def statistic(self, effect: float = 0.0) -> FloatArray:
        """Studentised differences under the assumed effect, the observed one first, shape (assignments,)."""
        return np.asarray(self._statistics(np.array([effect]))[0])

    def p_value(self, effect: float = 0.0, alternative: Alternative = "two-sided") -> float:
        """Share of allowed assignments at least as extreme as the observed one.

        Args:
            effect: The hypothesis: what the treatment adds to each person's (centre's) outcome.
            alternative: `greater`: the effect is larger than that.
        """
        return float(self._p_values(np.array([float(effect)]), alternative)[0])

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Effects that the two-sided test does not refuse.

        Args:
            level: Confidence level; infinite limits where the design has too few assignments for it.

        Returns:
            The hull of the accepted effects. NaN where the units of an arm do not differ at all (nobody, or everybody,
            reached the outcome): nothing tells how much they might.
        """
        alpha = 1 - checked_level(level)
        if not np.isfinite(self.estimate):
            return float("nan"), float("nan")
        ends = [self._refuses_at_infinity(side, alpha) for side in (-1, 1)]
        if any(ends) and not self.se > 0:
            return float("nan"), float("nan")
        low, high = (self._edge(side, alpha) if end else np.inf for side, end in zip((-1, 1), ends, strict=True))
        return -low, high

    def _edge(self, side: int, alpha: float) -> float:
        """The outermost accepted effect on one side, times the side."""
        grid = side * self.estimate + _REACH * self.se
        if self._accepted(grid[-1:], side, alpha)[0]:
            return float("inf")
        for _ in range(5):
            last = int(np.flatnonzero(self._accepted(grid[:-1], side, alpha)).max(initial=0))
            inside, outside = float(grid[last]), float(grid[last + 1])
            grid = np.linspace(inside, outside, _GRID + 1)
        return inside

    def _accepted(self, grid: FloatArray, side: int, alpha: float) -> NDArray[np.bool_]:
        return self._p_values(side * grid, "two-sided") > alpha + _TIE

    def _refuses_at_infinity(self, side: int, alpha: float) -> bool:
        return bool(extremes(studentised(-side * self.b, self.e)[None, :])[0] <= alpha + _TIE)

    def _p_values(self, effects: FloatArray, alternative: Alternative) -> FloatArray:
        statistics = self._statistics(effects)
        if alternative == "less":
            statistics = -statistics
        return extremes(statistics, one_sided=alternative != "two-sided")

    def _statistics(self, effects: FloatArray) -> FloatArray:
        return studentised(self.a - effects[:, None] * self.b, self._variance(effects))

    def _variance(self, effects: FloatArray) -> FloatArray:
        t = effects[:, None]
        whole = self.c + t**2 * self.e
        variance = whole - 2 * t * self.d
        return np.where(variance > whole * 1e-12, variance, 0.0)


def extremes(statistics: FloatArray, *, one_sided: bool = False) -> FloatArray:
    """Share of each row's statistics at least as large as its first one, the observed.

    Args:
        statistics: Shape (hypotheses, assignments).
        one_sided: Large means large; else far from zero.
    """
    sizes = statistics if one_sided else np.abs(statistics)
    observed = sizes[:, :1]
    slack = np.where(np.isfinite(observed), np.abs(observed) * _TIE + 1e-12, 0.0)
    return np.asarray((sizes >= observed - slack).mean(axis=1))


def studentised(above: FloatArray, squared: FloatArray) -> FloatArray:
    """Above / root; without any spread, a difference is infinitely many errors and no difference is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = above / np.sqrt(squared)
    none = np.abs(above) <= _ZERO
    return np.asarray(np.where(squared > 0, ratio, np.where(none, 0.0, np.copysign(np.inf, above))))


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two arms are compared on: the units' means and weights, covariates regressed out.

    Attributes:
        allowed: The observed assignment of the compared units and those that could have happened.
        mean: Outcome of each unit less the average, shape (units,).
        weight: Persons behind it (or the denominator), or ones.
        given: Observed treatment of each unit, 1 or 0; what the covariates explain of it is taken out too.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        used: Which of the given units are compared.
    """

    allowed: Allowed
    mean: FloatArray
    weight: FloatArray
    given: FloatArray
    treated: int
    control: int
    used: Mask

    def moments(self, codes: Codes) -> Moments:
        """Coefficients `a` to `e` of a `Reference` for each row of `codes` (assignments, units)."""
        parts = [self._moments(chunk) for chunk in chunks(codes)]
        a, b, c, d, e = (np.concatenate(part) for part in zip(*parts, strict=True))
        return a, b, c, d, e

    def sizes(self, codes: Codes) -> FloatArray:
        """Absolute studentised differences of the assignments `codes`, without an effect."""
        a, _, c, *_ = self.moments(codes)
        return np.abs(studentised(a, c))

    def _moments(self, codes: Codes) -> Moments:
        first, second = codes == self.treated, codes == self.control
        if len(self.allowed.members) == 1:
            return _from_sums(first, second, self)
        return _from_residuals(first, second, self)


def comparison(
    total: FloatArray,
    weight: FloatArray,
    allowed: Allowed,
    *,
    treated: int = 1,
    control: int = 0,
    covariates: FloatArray | None = None,
    others: bool = False,
) -> Comparison:
    """The units that two arms compare; arguments as in `difference`.

    Args:
        total: Sum of the outcome in each assigned unit.
        weight: Persons of each unit, or ones.
        allowed: The observed assignment and those that could have happened.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        covariates: Known before the assignment, shape (units,) or (units, covariates).
        others: Keep the units of other arms, which then change places too (joint tests of several arms).

    Raises:
        ParameterError: Not one value a unit, or an arm without units.
    """
    total, weight = np.asarray(total, dtype=float), np.asarray(weight, dtype=float)
    if total.shape != allowed.codes.shape or weight.shape != allowed.codes.shape:
        raise ParameterError(
            f"Число единиц в данных ({total.size}) не равно числу назначенных единиц ({allowed.codes.size})."
        )
    keep = (weight > 0) & np.isfinite(total)
    if not others:
        keep &= (allowed.codes == treated) | (allowed.codes == control)
    keep &= compared(allowed, keep, treated, control)
    for arm in (treated, control):
        if not (allowed.codes[keep] == arm).any():
            raise ParameterError(
                f"В группе с номером {arm} нет единиц с результатом, сравнивать нечего. Проверьте назначение и данные."
            )
    within = allowed.restrict(keep)
    mean, size = total[keep] / weight[keep], weight[keep]
    given, highest = (within.codes == treated).astype(float), float(np.abs(mean).max())
    mean = mean - np.average(mean, weights=size)
    if covariates is not None:
        columns = _known(np.asarray(covariates, dtype=float).reshape(len(keep), -1)[keep])
        mean, arm = _residuals(mean, columns, size), given
        given = _residuals(arm, columns, size)
        if size @ given**2 < _SAME * (size @ arm):
            raise ParameterError(
                "Ковариаты повторяют назначение: эффект от них не отделить. Оставьте меньше ковариат и только "
                "известные до жребия."
            )
    mean[np.abs(mean) <= _SPREAD * highest] = 0.0
    return Comparison(within, mean, size, given, treated, control, keep)


def difference(
    total: FloatArray,
    weight: FloatArray,
    allowed: Allowed,
    *,
    treated: int = 1,
    control: int = 0,
    covariates: FloatArray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Reference:
    """The difference of two arms' means over the allowed assignments.

    Means are weighted by `weight` over the chance of the arm in the unit's stratum, so that unequal shares by
    stratum do not bias them. Covariates are regressed out under the hypothesis (Rosenbaum 2002), which keeps the
    test exact.

    Args:
        total: Sum of the outcome in each assigned unit, shape (units,).
        weight: Persons (or the denominator) of each unit, for the average per person; ones, with the unit's mean as
            total, for the average per centre. Units with weight 0 have no outcome and are left out.
        allowed: The observed assignment and those that could have happened.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with; other arms stay as they are.
        covariates: Known before the assignment, shape (units,) or (units, covariates).
        draws: Assignments drawn where there are too many to enumerate.
        seed: Of the draws.

    Raises:
        ParameterError: Not one value a unit, or an arm without units.
    """
    compared = comparison(total, weight, allowed, treated=treated, control=control, covariates=covariates)
    codes, exact = compared.allowed.reference(draws, seed=seed)
    within = compared.allowed
    return Reference(*compared.moments(codes), exact, compared.mean.size, within.count, within.mirrored)


def compared(allowed: Allowed, keep: NDArray[np.bool_], treated: int, control: int) -> NDArray[np.bool_]:
    """Units of strata in which both arms have kept units: the others compare nothing."""
    both = np.zeros(keep.size, dtype=bool)
    for member in allowed.members:
        arms = allowed.codes[member][keep[member]]
        both[member] = bool((arms == treated).any() and (arms == control).any())
    return both


def _known(columns: FloatArray) -> FloatArray:
    if not np.isfinite(columns).all():
        raise ParameterError("В ковариатах единиц есть пропуски. Заполните их или уберите ковариату.")
    return columns


def _residuals(values: FloatArray, columns: FloatArray, weight: FloatArray) -> FloatArray:
    root = np.sqrt(weight)[:, None]
    frame = np.column_stack([np.ones(len(values)), columns - columns.mean(axis=0)])
    solution = np.linalg.lstsq(frame * root, values[:, None] * root, rcond=None)[0]
    return np.asarray(values - (frame @ solution)[:, 0])


def chunks(codes: Codes, width: int | None = None) -> Iterator[Codes]:
    """Rows of `codes` in parts of so many that `width` numbers a row fit the memory."""
    rows = max(1, _CHUNK // (width or codes.shape[1]))
    for start in range(0, len(codes), rows):
        yield codes[start : start + rows]


def _from_sums(first: Mask, second: Mask, compared: Comparison) -> Moments:
    """The coefficients without strata: sums over the arms, one matrix product for all assignments."""
    size, y, given = compared.weight, compared.mean, compared.given
    products = (y, given, y * y, y * given, given * given)
    columns = np.array([size, size * y, size * given, size**2, *(size**2 * part for part in products)])
    # Both arms side by side, one after the other in each row.
    sums = columns @ np.concatenate([first, second]).T.astype(float)
    weight, of_y, of_m, s, sy, sm, syy, sym, smm = sums
    mu, nu, whole = of_y / weight, of_m / weight, weight**2
    errors = np.array(
        [
            _told(syy - 2 * mu * sy + mu**2 * s, syy) / whole,
            (sym - mu * sm - nu * sy + mu * nu * s) / whole,
            _told(smm - 2 * nu * sm + nu**2 * s, smm) / whole,
        ]
    ).reshape(3, 2, -1)
    units = int(first[0].sum() + second[0].sum())
    c, d, e = errors.sum(axis=1) * (units / max(units - 2, 1))
    a, b = (arms[0] - arms[1] for arms in np.array([mu, nu]).reshape(2, 2, -1))
    return a, b, c, np.where((c > 0) & (e > 0), d, 0.0), e


def _from_residuals(first: Mask, second: Mask, compared: Comparison) -> Moments:
    """The coefficients with strata: residuals about the arm's and then the stratum's mean.

    With pairs their sum of squares is that of the differences within pairs.
    """
    size, share = compared.weight, chances(compared.allowed, compared.treated, compared.control)
    arms = [np.where(first, size / share, 0.0), np.where(second, size / (1 - share), 0.0)]
    arms = [arm / arm.sum(axis=1, keepdims=True) for arm in arms]
    own = arms[0] + arms[1]
    gaps: list[FloatArray] = []
    errors: list[FloatArray] = []
    squares: list[FloatArray] = []
    for values in (compared.mean, compared.given):
        above, below = arms[0] @ values, arms[1] @ values
        gaps.append(above - below)
        residual = own * (values - np.where(first, above[:, None], below[:, None]))
        for member in compared.allowed.members:
            part, there = residual[:, member], own[:, member] > 0
            units = int(there[0].sum())
            residual[:, member] = (part - part.sum(axis=1, keepdims=True) / units * there) * np.sqrt(
                units / max(units - 1, 1)
            )
        errors.append(residual)
        squares.append(_told(np.einsum("kg,kg->k", residual, residual), (own * own) @ values**2))
    left = compared.mean.size - len(compared.allowed.members)
    c, d, e = (part * (left / max(left - 1, 1)) for part in (squares[0], np.einsum("kg,kg->k", *errors), squares[1]))
    return gaps[0], gaps[1], c, np.where((c > 0) & (e > 0), d, 0.0), e


def _told(squares: FloatArray, whole: FloatArray) -> FloatArray:
    """Sums of squares, zero where they are but rounding beside the uncentred ones."""
    return np.where(squares > _SPREAD * whole, squares, 0.0)


def chances(allowed: Allowed, treated: int, control: int) -> FloatArray:
    """Share of the treated among the units of the two arms in each unit's stratum, shape (units,)."""
    share = np.empty(allowed.codes.size)
    for member in allowed.members:
        first, second = (int((allowed.codes[member] == arm).sum()) for arm in (treated, control))
        share[member] = first / (first + second)
    return share
