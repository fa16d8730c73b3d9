"""Boundaries of group-sequential tests, and the probabilities of crossing them.

A pilot that is read out in several looks spends its error over them. The statistic at information fraction t is
z(t) = B(t) / sqrt(t), B a Brownian motion with a drift; the density of B inside the boundaries is carried from look to
look by numerical integration (Gauss-Legendre panels, half a step of the process wide), so that figures hold to 1e-6.

Two-sided boundaries are symmetric; each side spends alpha / 2. A spending function is therefore applied to alpha / 2 a
side, as published tables and the usual programs do, and the cumulative spending of both sides is twice that.

Sources:
    Armitage P., McPherson C. K., Rowe B. C. (1969), JRSS A 132:235 (recursive integration).
    Pocock S. J. (1977), Biometrika 64:191; O'Brien P. C., Fleming T. R. (1979), Biometrics 35:549.
    Lan K. K. G., DeMets D. L. (1983), Biometrika 70:659; Kim K., DeMets D. L. (1987), Biometrika 74:149 (power family).
    Jennison C., Turnbull B. W. (2000), Group Sequential Methods, tables 2.1-2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray, Numbers, checked, plain

Kind = Literal["pocock", "obrien_fleming", "lan_demets_obrien_fleming", "lan_demets_pocock", "power"]

KINDS: dict[str, str] = {
    "pocock": "граница Покока",
    "obrien_fleming": "граница О'Брайена — Флеминга",
    "lan_demets_obrien_fleming": "расходование ошибки Лана — ДеМетса по О'Брайену — Флемингу",
    "lan_demets_pocock": "расходование ошибки Лана — ДеМетса по Пококу",
    "power": "степенное расходование ошибки",
}
"""Kinds of boundaries with their Russian names."""

MOST_LOOKS = 100
CLOSEST = 1e-4
"""Least distance of two information fractions: the grid of the integration follows it."""

REACH = 9.0
"""Where the density is cut, in standard deviations of B(t) from its mean."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_HIGHEST = 37.0
"""z beyond which the normal tail underflows."""


@dataclass(frozen=True)
class Crossing:
    """Where a sequential test ends.

    Attributes:
        fractions: Information fractions of the looks, shape (looks,).
        upper: Probability that the upper boundary is crossed first at each look, shape (looks,).
        lower: The same for the lower boundary; zeros in a one-sided test.
        expected_information: Expected information fraction at which the test ends.
    """

    fractions: FloatArray
    upper: FloatArray
    lower: FloatArray
    expected_information: float

    @property
    def total(self) -> float:
        """Probability that either boundary is crossed: the error without a drift, the power with one."""
        return float(self.upper.sum() + self.lower.sum())

    def to_frame(self) -> pd.DataFrame:
        """One row a look: `look`, `fraction`, `upper`, `lower`, `cumulative`."""
        return pd.DataFrame(
            {
                "look": np.arange(1, self.fractions.size + 1),
                "fraction": self.fractions,
                "upper": self.upper,
                "lower": self.lower,
                "cumulative": np.cumsum(self.upper + self.lower),
            }
        )


def boundaries(
    kind: Kind | str,
    *,
    looks: int | Sequence[float],
    alpha: float = 0.05,
    exponent: float = 3.0,
    sides: Literal[1, 2] = 2,
) -> FloatArray:
    """Critical values of |z| (of z in a one-sided test) at each look.

    Args:
        kind: `pocock` (one value for all looks), `obrien_fleming` (proportional to 1 / sqrt(t)),
            `lan_demets_obrien_fleming`, `lan_demets_pocock` or `power` (spending functions).
        looks: Number of equally spaced looks, or their information fractions, increasing and ending in 1.
        alpha: Error of the whole test, both sides together in a two-sided one.
        exponent: Exponent of the power family, alpha * t ** exponent; above zero.
        sides: Sides of the test.

    Returns:
        Shape (looks,). Infinite where a look may spend nothing that a float can hold.

    Raises:
        ParameterError: An unknown kind, looks or fractions that cannot be, alpha outside (0, 1).
    """
    error, tails = _errors(alpha, sides)
    name, times = _checked_kind(kind), _fractions(looks)
    return _boundaries(name, times, error, _exponent(exponent), tails).copy()


def spending(
    kind: Kind | str,
    fractions: int | Sequence[float],
    alpha: float = 0.05,
    *,
    exponent: float = 3.0,
    sides: Literal[1, 2] = 2,
) -> FloatArray:
    """Cumulative error spent up to each look: what exact tests at the looks may use.

    Args:
        kind: Any kind of `boundaries`; for `pocock` and `obrien_fleming`, what their exact boundaries spend.
        fractions: Information fractions, or the number of equally spaced looks.
        alpha: Error of the whole test.
        exponent: Exponent of the power family.
        sides: Sides of the test.

    Returns:
        Shape (looks,), ending in alpha.

    Raises:
        ParameterError: As `boundaries`.
    """
    error, tails = _errors(alpha, sides)
    name, times = _checked_kind(kind), _fractions(fractions)
    function = _spending_function(name, error / tails, _exponent(exponent))
    if function is not None:
        return np.minimum(tails * function(np.array(times)), error)
    bounds = _boundaries(name, times, error, 1.0, tails)
    spent = np.cumsum(_crossed(bounds, times, tails)).clip(max=error)
    spent[-1] = error
    return spent


def nominal(z: Numbers) -> Numbers:
    """Two-sided nominal p-value of a boundary: 2 * (1 - Phi(|z|))."""
    values = np.abs(np.asarray(z, dtype=float))
    return plain(2 * scipy.special.ndtr(-values))


def crossing(
    bounds: Sequence[float] | FloatArray,
    fractions: int | Sequence[float],
    drift: float = 0.0,
    *,
    sides: Literal[1, 2] = 2,
) -> Crossing:
    """Probabilities of crossing the boundaries first at each look.

    Args:
        bounds: Critical values, as `boundaries` gives; infinite ones are never crossed.
        fractions: Information fractions, or the number of equally spaced looks.
        drift: Expected z at full information: effect / standard error of the complete pilot.
        sides: Sides of the test.

    Raises:
        ParameterError: Lengths do not fit, bounds that are not positive numbers, wrong fractions.
    """
    times, tails = _fractions(fractions), _sides(sides)
    limits = np.atleast_1d(np.asarray(bounds, dtype=float))
    if limits.shape != (len(times),):
        raise ParameterError(
            f"Границ {limits.size}, а просмотров данных {len(times)}. Укажите по одной границе на просмотр."
        )
    if not (limits > 0).all():
        raise ParameterError("Границы должны быть положительными значениями z.")
    shift = float(checked(drift, "снос", low=-np.inf))
    if np.isnan(shift):
        raise ParameterError("Снос не задан. Укажите ожидаемое значение z при полном объёме данных.")
    upper, lower = np.array(list(_exits(limits, times, tails, shift))).T
    t = np.array(times)
    early = (upper + lower)[:-1]
    return Crossing(t, upper, lower, float(early @ t[:-1]) + 1 - float(early.sum()))


def inflation(
    kind: Kind | str,
    *,
    looks: int | Sequence[float],
    alpha: float = 0.05,
    power: float = 0.8,
    exponent: float = 3.0,
    sides: Literal[1, 2] = 2,
) -> float:
    """How many times more data the complete sequential pilot needs than one with a single look, for equal power.

    Raises:
        ParameterError: As `boundaries`; a power that is not between alpha and 1.
    """
    bounds = boundaries(kind, looks=looks, alpha=alpha, exponent=exponent, sides=sides)
    if not alpha < power < 1:
        raise ParameterError(f"Мощность {power:g} недопустима. Укажите число больше уровня значимости и меньше 1.")
    times = _fractions(looks)
    single = -scipy.special.ndtri(alpha / sides) + scipy.special.ndtri(power)

    def lacking(drift: float) -> float:
        return sum(at for at, _ in _exits(bounds, times, sides, drift)) - power

    return float((scipy.optimize.brentq(lacking, 0.5 * single, 4 * single, xtol=1e-9) / single) ** 2)


@lru_cache(maxsize=256)
def _boundaries(kind: str, times: tuple[float, ...], alpha: float, exponent: float, sides: int) -> FloatArray:
    function = _spending_function(kind, alpha / sides, exponent)
    if function is None:
        t = np.array(times)
        shape = np.ones(t.size) if kind == "pocock" else 1 / np.sqrt(t)
        lowest = -float(scipy.special.ndtri(alpha / sides))

        def excess(constant: float) -> float:
            return float(sum(_crossed(constant * shape, times, sides))) - alpha

        if len(times) == 1:
            return np.array([lowest])
        return float(scipy.optimize.brentq(excess, max(lowest, 1e-6), lowest + 5, xtol=1e-9)) * shape
    spent = function(np.array(times))
    step = np.diff(spent, prepend=0.0)
    bounds: list[float] = []
    density = _Density()
    for number, time in enumerate(times):
        bound = _bound(density, time, float(step[number]), sides)
        bounds.append(bound)
        if number + 1 < len(times):
            density.keep(time, bound, sides, following=times[number + 1])
    return np.array(bounds)


def _bound(density: _Density, time: float, spent: float, sides: int) -> float:
    """The z at which one side of the look at `time` spends `spent`."""
    if density.points is None:
        return float(-scipy.special.ndtri(spent)) if spent > 0 else np.inf

    def excess(z: float) -> float:
        return float(np.log(max(density.exits(time, z, sides)[0], 1e-320)) - np.log(spent))

    if not spent > 1e-300 or excess(_HIGHEST) > 0:
        return np.inf
    return float(scipy.optimize.brentq(excess, -_HIGHEST if sides == 1 else 1e-9, _HIGHEST, xtol=1e-9))


class _Density:
    """Sub-density of B(t) among the paths that have crossed nothing; before the first look, all mass at zero."""

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        self.time = 0.0
        self.points: FloatArray | None = None
        self.mass: FloatArray = np.ones(1)

    def exits(self, time: float, z: float, sides: int) -> tuple[float, float]:
        """Probabilities of being above z and below -z at `time`."""
        edge, spread, start = z * np.sqrt(time), np.sqrt(time - self.time), self._start(time)
        above = float(self.mass @ scipy.special.ndtr((start - edge) / spread))
        below = float(self.mass @ scipy.special.ndtr((-edge - start) / spread)) if sides == 2 else 0.0
        return above, below

    def keep(self, time: float, z: float, sides: int, *, following: float) -> None:
        """Go to `time` and keep what lies inside the boundaries; `following` is the look after it."""
        root, middle = np.sqrt(time), self.drift * time
        high = min(middle + REACH * root, z * root)
        low = middle - REACH * root if sides == 1 else max(middle - REACH * root, -z * root)
        high = max(high, low)
        step = np.sqrt(min(time - self.time, following - time))
        edges = np.linspace(low, high, int(np.ceil((high - low) / (2 * step))) + 2)
        half = np.diff(edges)[:, None] / 2
        points = (edges[:-1, None] + half + half * _NODES).ravel()
        spread = np.sqrt(time - self.time)
        distance = (points[:, None] - self._start(time)[None, :]) / spread
        kernel = np.exp(-(distance**2) / 2) / (np.sqrt(2 * np.pi) * spread)
        self.mass = (half * _WEIGHTS).ravel() * (kernel @ self.mass)
        self.points, self.time = points, time

    def _start(self, time: float) -> FloatArray:
        """Means of B(time) from each point of the grid."""
        points = np.zeros(1) if self.points is None else self.points
        return points + self.drift * (time - self.time)


def _exits(bounds: FloatArray, times: tuple[float, ...], sides: int, drift: float) -> Iterator[tuple[float, float]]:
    density = _Density(drift)
    for number, time in enumerate(times):
        yield density.exits(time, float(bounds[number]), sides)
        if number + 1 < len(times):
            density.keep(time, float(bounds[number]), sides, following=times[number + 1])


def _crossed(bounds: FloatArray, times: tuple[float, ...], sides: int) -> list[float]:
    return [above + below for above, below in _exits(bounds, times, sides, 0.0)]


def _spending_function(kind: str, alpha: float, exponent: float) -> Callable[[FloatArray], FloatArray] | None:
    """Cumulative error of one side at information fractions; None for the kinds that are shapes of the boundary."""
    if kind == "lan_demets_obrien_fleming":
        z = float(scipy.special.ndtri(alpha / 2))
        return lambda t: 2 * scipy.special.ndtr(z / np.sqrt(t))
    if kind == "lan_demets_pocock":
        return lambda t: alpha * np.log1p((np.e - 1) * t)
    if kind == "power":
        return lambda t: alpha * t**exponent
    return None


def _checked_kind(kind: object) -> str:
    if isinstance(kind, str) and kind in KINDS:
        return kind
    near = get_close_matches(str(kind).lower(), KINDS, n=1, cutoff=0.5)
    hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
    raise ParameterError(f"Вид границ «{kind}» неизвестен.{hint} Укажите один из: {', '.join(KINDS)}.")


def _fractions(looks: int | Sequence[float]) -> tuple[float, ...]:
    if isinstance(looks, (int, np.integer)) and not isinstance(looks, bool):
        if not 1 <= looks <= MOST_LOOKS:
            raise ParameterError(
                f"Число просмотров данных {looks} недопустимо. Укажите целое число от 1 до {MOST_LOOKS}."
            )
        return tuple(float(value) for value in np.arange(1, looks + 1) / looks)
    if np.ndim(looks) != 1:
        raise ParameterError(
            f"Просмотры данных заданы неверно: {looks}. Укажите их число или доли данных, например [0.5, 1]."
        )
    times: NDArray[np.float64] = checked(looks, "доли данных при просмотрах")
    if not 1 <= times.size <= MOST_LOOKS or np.isnan(times).any():
        raise ParameterError(f"Укажите от 1 до {MOST_LOOKS} долей данных при просмотрах, без пропусков.")
    if not (np.diff(times, prepend=0.0) >= CLOSEST * (1 - 1e-9)).all() or abs(times[-1] - 1) > 1e-9:
        shown = "; ".join(f"{value:g}" for value in times)
        raise ParameterError(
            f"Доли данных при просмотрах ({shown}) должны возрастать и заканчиваться единицей, например [0.5, 1]."
        )
    return (*(float(value) for value in times[:-1]), 1.0)


def _errors(alpha: float, sides: int) -> tuple[float, int]:
    value, tails = float(checked(alpha, "уровень значимости")), _sides(sides)
    if not 0 < value < tails / 2:
        raise ParameterError(
            f"Уровень значимости {alpha} недопустим. Укажите число больше 0 и меньше {tails / 2:g}, например 0.05."
        )
    return value, tails


def _exponent(exponent: float) -> float:
    value = float(checked(exponent, "показатель степени"))
    if not value > 0:
        raise ParameterError(f"Показатель степени {exponent} недопустим. Укажите число больше нуля.")
    return value


def _sides(sides: int) -> int:
    if sides not in (1, 2):
        raise ParameterError(f"Число сторон критерия {sides} недопустимо. Укажите 1 или 2.")
    return sides
