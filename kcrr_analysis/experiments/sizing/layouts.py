"""Who is assigned to what, for the power: error of the effect, degrees of freedom, attainable p-values of a design.

Scale: the number of clusters (persons, where persons are assigned) of the first arm, wave or sequence; the others
follow by their shares. In designs with periods a cluster is measured in every period, other persons each time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kcrr_analysis.experiments.design import IN_TIME
from kcrr_analysis.experiments.sizing import wedge
from kcrr_analysis.experiments.sizing.icc import design_effect

MANY = 200
"""Assigned units beyond which no p-value is out of reach."""


@dataclass(frozen=True)
class Layout:
    """A design, without its numbers.

    Attributes:
        method: As in `Design`.
        clustered: Whether clusters are assigned, not persons.
        shares: Size of each arm (wave, sequence) relative to the first, which is the control.
        cv: Coefficient of variation of the clusters' sizes.
        periods: Periods (blocks) of the designs in time.
        cac: Cluster autocorrelation between periods.
        correlation: Correlation of the two members of a pair (of their means, where they are clusters).
        explained: Share of the variance of assigned units' means that strata and covariates explain.
        strata: Number of strata of equal size.
        accept: Share of assignments that a rerandomised design accepts.
        pattern: Treatment of each wave or sequence (row) in each period; None for the regular one.
    """

    method: str = "complete"
    clustered: bool = True
    shares: tuple[float, ...] = (1.0, 1.0)
    cv: float = 0.0
    periods: int = 1
    cac: float = 1.0
    correlation: float = 0.0
    explained: float = 0.0
    strata: int = 1
    accept: float = 1.0
    pattern: tuple[tuple[int, ...], ...] | None = None

    @property
    def in_time(self) -> bool:
        """Whether clusters change their arm with time."""
        return self.method in IN_TIME

    @property
    def compared(self) -> int:
        """Number of comparisons with the control."""
        return 1 if self.in_time else len(self.shares) - 1

    def counts(self, scale: float) -> tuple[float, ...]:
        """Assigned units of each arm (wave, sequence)."""
        return tuple(scale * share for share in self.shares)

    def smallest_arm(self) -> int:
        """Position of the arm with the fewest units among those compared with the control."""
        return 1 + int(np.argmin(self.shares[1:])) if len(self.shares) > 1 else 0

    def least(self) -> float:
        """The scale at which one degree of freedom is left."""
        if self.method == "matched_pairs":
            return 2.0
        if self.method == "switchback":
            return 1.0
        lost = 2 if self.in_time else len(self.shares) + self.strata - 1
        return (lost + 1) / sum(self.shares)

    def df(self, scale: float) -> float:
        """Degrees of freedom of the estimated error."""
        whole = sum(self.counts(scale))
        if self.method == "matched_pairs":
            return (scale - 1) * (len(self.shares) - 1)
        if self.method == "switchback":
            return (whole - 1) * (self.periods - 1) - 1 if whole >= 2 else self.periods - 2
        if self.in_time:
            return whole - 2
        return whole - len(self.shares) - (self.strata - 1)

    def variance(self, scale: float, size: float, icc: float, variances: tuple[float, float]) -> float:
        """Variance of the effect's estimate.

        Args:
            scale: Assigned units of the first arm.
            size: Persons of a cluster (in one period); 1 where persons are assigned.
            icc: Intraclass correlation.
            variances: Variance of one person's outcome without and with the new format.
        """
        if self.in_time:
            error = wedge.variance(
                self._pattern(), self._sequences(scale), size=size, sd=float(np.sqrt(sum(variances) / 2)), icc=icc,
                cac=self.cac, cv=self.cv,
            )  # fmt: skip
            return error * (1 - self.explained)
        counts = self.counts(scale)
        people = [counts[0] * size, counts[self.smallest_arm()] * size]
        inflated = float(design_effect(size, icc, self.cv)) if self.clustered else 1.0
        error = inflated * (variances[0] / people[0] + variances[1] / people[1])
        if self.method == "matched_pairs":
            error *= 1 - self.correlation
        return error * (1 - self.explained)

    def design_effect(self, scale: float, size: float, icc: float) -> float:
        """Persons needed as a multiple of those of a pilot in which each person is assigned, for the same error."""
        people = sum(self.counts(scale)) * size * (self.periods if self.in_time else 1)
        if self.in_time:
            return self.variance(scale, size, icc, (1.0, 1.0)) * people / 4
        return float(design_effect(size, icc, self.cv)) if self.clustered else 1.0

    def smallest_p(self, scale: float, *, sides: int = 2) -> float:
        """The smallest p-value that the exact randomisation test can give.

        With several formats the test is closed: the joint test of all and the test of the format alone must agree.

        Args:
            scale: Assigned units of the first arm; fractions are rounded up.
            sides: Sides of the test.
        """
        return max(self.smallest_joint(scale, sides=sides), self.smallest_alone(scale, sides=sides))

    def smallest_alone(self, scale: float, *, sides: int = 2) -> float:
        """The same for the smallest arm and the control alone."""
        counts = self._whole(scale)
        arm = self.smallest_arm()
        if self.in_time or self.method == "matched_pairs" or len(counts) == 2 or sum(counts) > MANY:
            return self.smallest_joint(scale, sides=sides)
        return self._of_parts([counts[0], counts[arm]], sides)

    def smallest_joint(self, scale: float, *, sides: int = 2) -> float:
        """The same for the joint test of all formats."""
        counts = self._whole(scale)
        if sum(counts) > MANY:
            return 0.0
        if self.method == "matched_pairs":
            return min(1.0, sides * math.ldexp(1.0, -counts[0]))
        if self.method == "switchback":
            half = self.periods // 2
            ways = math.prod([math.comb(self.periods, half)] * sum(counts))
            return min(1.0, (sides if 2 * half == self.periods else 1) / ways)
        if self.in_time:
            mirrored = self.method == "crossover" and counts[0] == counts[1]
            return min(1.0, (sides if mirrored else 1) / _arrangements(counts))
        return self._of_parts(counts, sides)

    def _whole(self, scale: float) -> list[int]:
        return [math.ceil(count - 1e-9) for count in self.counts(scale)]

    def _of_parts(self, counts: Sequence[int], sides: int) -> float:
        """Assignments as extreme as the most extreme one, as a share of all."""
        parts = [math.ceil(count / self.strata) for count in counts]
        arms = range(1, len(parts))
        same = min(
            sum(_alike(parts, other, sides, self.strata) for other in arms if parts[other] == parts[arm])
            for arm in arms
        )
        return min(1.0, same / math.prod([_arrangements(parts)] * self.strata) / self.accept)

    def _pattern(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        if self.pattern is not None:
            return np.array(self.pattern, dtype=np.int8)
        if self.method == "stepped_wedge":
            return wedge.stepped(len(self.shares), max(self.periods, len(self.shares) + 1))
        return wedge.crossover(self.periods)

    def _sequences(self, scale: float) -> Sequence[float]:
        if self.method == "switchback":
            return [sum(self.counts(scale)) / 2] * 2
        return self.counts(scale)


def _arrangements(counts: Sequence[int]) -> int:
    ways, left = 1, sum(counts)
    for count in counts:
        ways *= math.comb(left, count)
        left -= count
    return ways


def _alike(parts: Sequence[int], arm: int, sides: int, strata: int) -> int:
    """Assignments with the same two sets of units as the control and this arm, either way round where both count."""
    rest = [count for position, count in enumerate(parts) if position not in (0, arm)]
    return (sides if parts[arm] == parts[0] else 1) * math.prod([_arrangements(rest)] * strata)
