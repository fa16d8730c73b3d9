"""Which assignments could have happened: the reference set of randomisation inference.

Given how many units of each stratum went to each arm, every permutation of the arms within the strata was equally
likely; a balance criterion (rerandomisation) leaves a subset of them. The observed assignment is always one of the set.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray

Codes: TypeAlias = NDArray[np.int16]
Labels: TypeAlias = NDArray[Any]

LIMIT = 20_000
"""Sets up to this size are enumerated: the p-value is exact, without Monte Carlo error."""

DRAWS = 9_999
"""Assignments drawn from a larger set; a p-value of 0.05 then has a standard error of 0.002."""

_STREAM = 7
_CELLS, _FEWEST = 100_000_000, 499
"""With very many units fewer assignments are drawn: memory holds so many cells."""

_ATTEMPTS = 2_000
"""Chunks of draws after which a balance criterion is given up as too strict."""


@dataclass(frozen=True, eq=False)
class Criterion:
    """Balance that an assignment must have to be accepted (Morgan & Rubin 2012).

    Attributes:
        covariates: Shape (units, covariates).
        threshold: Largest accepted distance.
    """

    covariates: FloatArray
    threshold: float

    def accepts(self, codes: Codes) -> NDArray[np.bool_]:
        """Which rows of `codes` (assignments, units) are balanced enough."""
        return imbalance(codes, self.covariates) <= self.threshold * (1 + 1e-9)


def imbalance(codes: Codes, covariates: FloatArray) -> FloatArray:
    """Mahalanobis distance of the arms' covariate means from the common mean, summed over arms with their sizes.

    With two arms it is proportional to Morgan and Rubin's (2012) distance between the two means.

    Args:
        codes: Assignments, shape (assignments, units).
        covariates: Shape (units, covariates).
    """
    centred = covariates - covariates.mean(axis=0)
    whitened = centred @ np.linalg.pinv(np.atleast_2d(np.cov(centred, rowvar=False)))
    distance = np.zeros(len(codes))
    for arm in np.unique(codes):
        member = (codes == arm).astype(float)
        size = member.sum(axis=1)
        sums = member @ centred
        distance += np.einsum("kj,kj->k", sums, member @ whitened) / np.maximum(size, 1)
    return distance


@dataclass(frozen=True, eq=False)
class Allowed:
    """The assignments that the design could have produced with the same numbers of units by stratum and arm.

    Attributes:
        codes: The observed assignment: arm (wave, sequence) of each unit, shape (units,).
        strata: Stratum of each unit; None where all units form one.
        criterion: Balance criterion of a rerandomised design.

    Raises:
        ParameterError: Strata of another length.
    """

    codes: Codes
    strata: Labels | None = None
    criterion: Criterion | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", np.asarray(self.codes, dtype=np.int16))
        if self.strata is not None:
            strata = np.unique(np.asarray(self.strata), return_inverse=True)[1].ravel()
            if strata.shape != self.codes.shape:
                raise ParameterError(
                    f"Число страт ({strata.size}) не равно числу единиц ({self.codes.size}). Укажите страту каждой."
                )
            object.__setattr__(self, "strata", strata)

    @cached_property
    def members(self) -> tuple[NDArray[np.intp], ...]:
        """Positions of the units of each stratum."""
        if self.strata is None:
            return (np.arange(self.codes.size),)
        return tuple(np.flatnonzero(self.strata == code) for code in range(int(self.strata.max(initial=-1)) + 1))

    @cached_property
    def permutations(self) -> int:
        """Number of permutations within strata, before any balance criterion."""
        return math.prod(_multinomial(Counter(self.codes[member].tolist())) for member in self.members)

    @cached_property
    def count(self) -> int | None:
        """Number of allowed assignments; None where a criterion leaves an unknown part of a large set."""
        if self.criterion is None:
            return self.permutations
        return len(self._every()) if self.permutations <= LIMIT else None

    @property
    def mirrored(self) -> bool:
        """Whether exchanging two arms gives an allowed assignment: then no two-sided p-value is below 2 / count."""
        arms = np.unique(self.codes)
        if arms.size != 2:
            return False
        return all(2 * int((self.codes[member] == arms[0]).sum()) == member.size for member in self.members)

    def restrict(self, keep: NDArray[np.bool_]) -> Allowed:
        """The assignments of the kept units, given the arms of the others."""
        if bool(keep.all()):
            return self
        if self.criterion is not None:
            return _Within(self.codes[keep], None if self.strata is None else self.strata[keep], None, self, keep)
        return Allowed(self.codes[keep], None if self.strata is None else self.strata[keep])

    def reference(self, draws: int = DRAWS, *, limit: int = LIMIT, seed: int = 0) -> tuple[Codes, bool]:
        """Allowed assignments, the observed one first.

        Args:
            draws: How many are drawn where the set is larger than `limit`; fewer with more than 10,000 units.
            limit: Largest set that is enumerated.
            seed: Of the draws.

        Returns:
            Shape (assignments, units), and whether each allowed assignment is there exactly once.

        Raises:
            ParameterError: A balance criterion that (almost) no assignment meets.
        """
        if self.permutations <= limit:
            every = self._every()
            own = int((every == self.codes).all(axis=1).argmax())
            return np.concatenate([self.codes[None], every[:own], every[own + 1 :]]), True
        draws = min(draws, max(_FEWEST, _CELLS // self.codes.size))
        # Not the stream that the assignment itself was drawn from.
        chance = np.random.default_rng([_STREAM, seed])
        kept, found = [self.codes[None]], 0
        for _ in range(_ATTEMPTS):
            drawn = self._accepted(self.draw(min(draws, 20_000), chance))
            kept.append(drawn)
            found += len(drawn)
            if found >= draws:
                return np.concatenate(kept)[: draws + 1], False
        raise ParameterError(
            "Условию равновесия групп почти ни одно назначение не удовлетворяет. Увеличьте долю принимаемых назначений."
        )

    def draw(self, draws: int, chance: np.random.Generator) -> Codes:
        """Independent permutations within strata, before any balance criterion, shape (draws, units)."""
        drawn = np.empty((draws, self.codes.size), dtype=np.int16)
        for member in self.members:
            drawn[:, member] = chance.permuted(np.tile(self.codes[member], (draws, 1)), axis=1)
        return drawn

    def _accepted(self, codes: Codes) -> Codes:
        return codes if self.criterion is None else codes[self.criterion.accepts(codes)]

    def _every(self) -> Codes:
        blocks = [_arrangements(tuple(sorted(Counter(self.codes[member].tolist()).items()))) for member in self.members]
        if len(blocks) == 1 and self.members[0].size == self.codes.size:
            return self._accepted(blocks[0])
        every = np.empty((self.permutations, self.codes.size), dtype=np.int16)
        repeat = self.permutations
        for member, block in zip(self.members, blocks, strict=True):
            repeat //= len(block)
            tiles = self.permutations // (repeat * len(block))
            every[:, member] = np.tile(np.repeat(block, repeat, axis=0), (tiles, 1))
        return self._accepted(every)


@dataclass(frozen=True, eq=False)
class _Within(Allowed):
    """Permutations of some units only, under a criterion over all units."""

    whole: Allowed | None = None
    keep: NDArray[np.bool_] | None = None

    def _accepted(self, codes: Codes) -> Codes:
        if self.whole is None or self.keep is None or self.whole.criterion is None:
            return codes
        full = np.tile(self.whole.codes, (len(codes), 1))
        full[:, self.keep] = codes
        return codes[self.whole.criterion.accepts(full)]

    @cached_property
    def count(self) -> int | None:
        return len(self._every()) if self.permutations <= LIMIT else None

    @property
    def mirrored(self) -> bool:
        # Units of the same arms that stay as they are do not change places: the criterion may refuse the mirror.
        if self.whole is None or self.keep is None:
            return super().mirrored
        return super().mirrored and not bool(np.isin(self.whole.codes[~self.keep], self.codes).any())

    def restrict(self, keep: NDArray[np.bool_]) -> Allowed:
        if self.whole is None or self.keep is None:
            return super().restrict(keep)
        inner = self.keep.copy()
        inner[self.keep] = keep
        return self.whole.restrict(inner)


def _multinomial(counts: Counter[int]) -> int:
    ways, left = 1, sum(counts.values())
    for size in counts.values():
        ways *= math.comb(left, size)
        left -= size
    return ways


@lru_cache(maxsize=64)
def _arrangements(counts: tuple[tuple[int, int], ...]) -> Codes:
    """All distinct orders of codes given as (code, number), shape (orders, units)."""
    size = sum(number for _, number in counts)
    orders = np.array(list(_placed(size, counts)), dtype=np.int16)
    orders.setflags(write=False)
    return orders


def _placed(size: int, counts: tuple[tuple[int, int], ...]) -> Iterator[list[int]]:
    (code, number), rest = counts[0], counts[1:]
    if not rest:
        yield [code] * size
        return
    for places in itertools.combinations(range(size), number):
        chosen = set(places)
        free = [place for place in range(size) if place not in chosen]
        for order in _placed(size - number, rest):
            row = [code] * size
            for place, other in zip(free, order, strict=True):
                row[place] = other
            yield row
