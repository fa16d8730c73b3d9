"""Placebo inference for few treated units: the effect against those of all other choices of treated units.

Nobody drew the treated units by lot. If they had no effect and their own ups and downs were like the others', the
estimate would look like the same contrast computed for any other choice of as many units; it is ranked among those
(Conley & Taber 2011; MacKinnon & Webb 2020). Where one unit is noisier than another the plain contrasts do not compare
(Ferman & Pinto 2019): each contrast is therefore divided by its standard error computed from every unit's own noise
before the start. For units whose series differ by scale alone this keeps the level with any autocorrelation.

Sources:
    Conley T., Taber C. (2011), Rev. Econ. Stat. 93:113.
    Ferman B., Pinto C. (2019), Rev. Econ. Stat. 101:452.
    MacKinnon J., Webb M. (2020), J. Econometrics 218:435.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.experiments.mechanism import DRAWS, Allowed
from kcrr_analysis.stats.estimate import FloatArray, checked_level

OWN_NOISE_FROM = 4
"""Periods before the start from which a unit's own noise is measured; with fewer all units are taken to be alike."""

BLOCK = 4
"""Periods averaged before a unit's noise is measured, at most."""

BLOCKS = 6
"""Blocks to be kept at least, where there are as many periods."""

_FLOOR = 0.05
"""A unit's noise is not taken below this part of the median one."""

_TIE = 1e-9
"""Statistics this close (relatively) are equal."""


@dataclass(frozen=True, eq=False)
class Placebo:
    """An estimate among those of all choices of treated units; the real choice comes first.

    Under an assumed effect t the statistic of a choice is (a - t b) / se.

    Attributes:
        a: Contrasts of the outcome, shape (choices,).
        b: The same contrasts of an effect of one in the units that were really treated; b[0] is 1.
        se: Standard errors that make the contrasts comparable, shape (choices,).
        exact: Whether every choice is there once; False for a random sample.
        count: Number of possible choices.
    """

    a: FloatArray
    b: FloatArray
    se: FloatArray
    exact: bool
    count: int

    @property
    def draws(self) -> int:
        """Choices compared, the real one included."""
        return int(self.a.size)

    @property
    def estimate(self) -> float:
        """The contrast of the real choice."""
        return float(self.a[0])

    @cached_property
    def smallest_p(self) -> float:
        """No two-sided p-value can be smaller, however large the effect."""
        size = np.abs(self.b) / self.se
        return float((size >= size[0] * (1 - _TIE)).mean())

    def p_value(self, effect: float = 0.0) -> float:
        """Share of choices whose statistic is at least as far from zero as the real one under `effect`."""
        size = np.abs(self.a - effect * self.b) / self.se
        return float((size >= size[0] * (1 - _TIE) - 1e-12).mean())

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The hull of the effects that the test does not refuse; infinite where it can refuse none.

        For each choice the effects under which it is at least as extreme as the real one are known in closed form, so
        the limits are exact.
        """
        alpha = 1 - checked_level(level)
        return -self._edge(-1.0, alpha), self._edge(1.0, alpha)

    def _edge(self, side: float, alpha: float) -> float:
        """Largest accepted effect, of the outcome times `side`.

        With u = effect - estimate >= 0 the real statistic is u / se[0] and that of a choice |h - u b| / se, h = a -
        estimate b. The choice is at least as extreme for u up to `until`, and from `again` on where it grows faster.
        """
        until, again = self._crossings(side)
        if (np.isinf(until) | np.isfinite(again)).mean() > alpha + _TIE:
            return float("inf")
        ends = np.unique(until[np.isfinite(until)])
        at_least = until.size - np.searchsorted(np.sort(until), ends, side="left")
        returned = np.searchsorted(np.sort(again), ends, side="right")
        accepted = ends[(at_least + returned) / until.size > alpha + _TIE]
        return float(side * self.a[0] + accepted.max(initial=0.0))

    def _crossings(self, side: float) -> tuple[FloatArray, FloatArray]:
        """Ends of the run of u in which each choice is less extreme than the real one; infinite where there is none."""
        h = side * (self.a - self.a[0] * self.b)
        h[np.abs(h) <= 1e-12 * np.abs(self.a).max()] = 0.0
        ratio = self.se / self.se[0]
        roots = np.full((2, h.size), np.nan)
        for row, slope in zip(roots, (self.b + ratio, self.b - ratio), strict=True):
            sloped = np.abs(slope) > ratio * _TIE
            row[sloped] = h[sloped] / slope[sloped]
        grows = np.abs(self.b) >= ratio * (1 - _TIE)
        roots[~(roots > 0)] = np.nan
        near, far = np.fmin(*roots), np.fmax(*roots)
        until = np.where(grows, np.nan_to_num(near, nan=np.inf), np.nan_to_num(far, nan=0.0))
        return until, np.where(grows & (far > near), far, np.inf)


@dataclass(frozen=True, eq=False)
class Choices:
    """All choices of treated units as contrasts of means.

    Attributes:
        contrasts: Mean of the chosen less that of the others, shape (choices, G); the real choice comes first.
        se: Standard error of each contrast up to a common factor, shape (choices,).
        treated: Units really treated, shape (G,).
        exact: Whether every choice is there once.
        count: Number of possible choices.
        own_noise: Whether each unit's own noise was used.
    """

    contrasts: FloatArray
    se: FloatArray
    treated: NDArray[np.bool_]
    exact: bool
    count: int
    own_noise: bool

    def placebo(self, change: FloatArray) -> Placebo:
        """The contrast of `change`, shape (G,), over all choices."""
        given = self.treated.astype(float)
        return Placebo(self.contrasts @ change, self.contrasts @ given, self.se, self.exact, self.count)


def choices(
    treated: NDArray[np.bool_], before: FloatArray, *, draws: int = DRAWS, seed: int = 0, own_noise: bool | None = None
) -> Choices:
    """Every choice of as many treated units, or a sample of them.

    Args:
        treated: Units really treated, shape (G,).
        before: Values before the start, shape (G, periods): the noise of each unit is measured from them.
        draws: Choices sampled where there are too many to enumerate.
        seed: Of the sample.
        own_noise: Whether to weigh contrasts by each unit's own noise; by default with at least four periods before.
    """
    allowed = Allowed(treated.astype(np.int16))
    codes, exact = allowed.reference(draws, seed=seed)
    chosen = codes == 1
    own = before.shape[1] >= OWN_NOISE_FROM if own_noise is None else own_noise
    noise = unit_noise(before) if own else np.ones(len(treated))
    contrasts = np.where(chosen, 1 / treated.sum(), -1 / (~treated).sum())
    return Choices(
        contrasts=contrasts,
        se=np.sqrt(contrasts**2 @ noise**2),
        treated=treated,
        exact=exact,
        count=allowed.permutations,
        own_noise=own,
    )


def unit_noise(before: FloatArray) -> FloatArray:
    """Noise of each unit before the start about its own mean and the common course, shape (G,).

    It is the standard deviation of means over blocks of up to four periods: noise of single periods averages out, what
    lasts does not, as in the contrast itself. Large units have little of the former, small ones much.
    """
    length = max(1, min(BLOCK, before.shape[1] // BLOCKS))
    count = before.shape[1] // length
    means = before[:, before.shape[1] - count * length :].reshape(len(before), count, length).mean(axis=2)
    rest = means - means.mean(axis=1, keepdims=True)
    rest = rest - rest.mean(axis=0, keepdims=True)
    noise = rest.std(axis=1, ddof=1)
    typical = float(np.median(noise))
    scale = typical or float(noise.max())
    return np.maximum(noise, _FLOOR * scale) if scale > 0 else np.ones(len(before))


def largest_p(statistics: FloatArray) -> float:
    """Joint p-value of several contrasts: the largest of them, each on its own scale over the choices.

    Args:
        statistics: Shape (choices, contrasts), the real choice first.
    """
    spread = np.sqrt((statistics**2).mean(axis=0))
    moved = spread > 0
    if not moved.any():
        return 1.0
    largest = np.abs(statistics[:, moved] / spread[moved]).max(axis=1)
    return float((largest >= largest[0] * (1 - _TIE)).mean())
