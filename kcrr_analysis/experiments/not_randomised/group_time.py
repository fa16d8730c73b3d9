"""Effects by group and period as linear contrasts: what Callaway & Sant'Anna's (2021) estimates are built from.

A group is the set of units with the same start. Every effect is a sum of weights times values, with one row of weights
a group: it can be estimated, its influence function written down, and the same contrast read off any other choice of
who started when.

Source:
    Callaway B., Sant'Anna P. (2021), J. Econometrics 225:200, equations 2.4 to 3.9 and their influence functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.experiments.not_randomised.panel import Panel
from kcrr_analysis.stats.estimate import FloatArray

Control: TypeAlias = Literal["never", "not_yet"]


@dataclass(frozen=True, eq=False)
class Effect:
    """A linear effect.

    Attributes:
        weights: Weight of each value of a unit, by group code and period, shape (codes, T).
        shares: How the estimate moves with the share of each group, shape (codes,).
        given: The course of an effect of one, by group code and period: what the estimate is one of.
    """

    weights: FloatArray
    shares: FloatArray
    given: FloatArray


@dataclass(frozen=True, eq=False)
class GroupTime:
    """Units by group, coded 0 (never treated) to the last start.

    Attributes:
        values: Shape (G, T).
        codes: Code of each unit's group, shape (G,).
        starts: First treated position of each code; T for code 0.
        control: Which groups serve as controls.
    """

    values: FloatArray
    codes: NDArray[np.intp]
    starts: tuple[int, ...]
    control: Control

    @classmethod
    def of(cls, panel: Panel, control: Control) -> GroupTime:
        """The groups of a panel."""
        end = len(panel.periods)
        starts = (end, *sorted(set(panel.first[panel.treated].tolist())))
        codes = np.where(panel.treated, np.searchsorted(starts[1:], panel.first) + 1, 0)
        return cls(panel.values, codes.astype(np.intp), starts, control)

    @cached_property
    def sizes(self) -> FloatArray:
        """Units of each group."""
        return np.bincount(self.codes, minlength=len(self.starts)).astype(float)

    @cached_property
    def worked(self) -> FloatArray:
        """1 from each group's start on, shape (codes, T)."""
        return (np.arange(self.values.shape[1]) >= np.array(self.starts)[:, None]).astype(float)

    @cached_property
    def means(self) -> FloatArray:
        """Mean of each group by period, shape (codes, T)."""
        return np.stack([self.values[self.codes == code].mean(axis=0) for code in range(len(self.starts))])

    @cached_property
    def cells(self) -> dict[tuple[int, int], Effect]:
        """Effects by group code and position of the period, where somebody serves as control."""
        places = [(code, at) for code in range(1, len(self.starts)) for at in range(1, self.values.shape[1])]
        return {place: self._cell(*place) for place in places if self.controls(*place).any()}

    def after(self, code: int, at: int) -> bool:
        """Whether the group is treated in the period."""
        return at >= self.starts[code]

    def controls(self, code: int, at: int) -> NDArray[np.bool_]:
        """Groups that serve as controls of a group in a period, by code."""
        last = max(at, self._base(code, at))
        free = np.array(self.starts) > last if self.control == "not_yet" else np.arange(len(self.starts)) == 0
        free[code] = False
        return np.asarray(free)

    def _base(self, code: int, at: int) -> int:
        """The period that changes are counted from: the last before the start, before it the one before."""
        return self.starts[code] - 1 if self.after(code, at) else at - 1

    def _cell(self, code: int, at: int) -> Effect:
        free = self.controls(code, at)
        share = np.where(free, -1 / self.sizes[free].sum(), 0.0)
        share[code] = 1 / self.sizes[code]
        weights = np.zeros_like(self.worked)
        weights[:, at] += share
        weights[:, self._base(code, at)] -= share
        given = self.worked
        if not self.after(code, at):
            given = np.zeros_like(given)
            given[code, at] = 1.0
        return Effect(weights, np.zeros(len(self.starts)), given)

    def estimate(self, effect: Effect) -> float:
        """The effect."""
        return float((effect.weights * self.means * self.sizes[:, None]).sum())

    def influence(self, effect: Effect) -> FloatArray:
        """Influence of each unit, shape (G,): departure from its group's mean, and part in the groups' shares."""
        rest = self.values - self.means[self.codes]
        moved = effect.shares[self.codes] - effect.shares @ (self.sizes / self.sizes.sum())
        return np.asarray(len(self.codes) * (effect.weights[self.codes] * rest).sum(axis=1) + moved)

    def averaged(self, effects: list[Effect], codes: list[int] | None = None) -> Effect:
        """Mean of effects, weighted by the sizes of their groups where codes are given."""
        size = np.ones(len(effects)) if codes is None else self.sizes[codes]
        weight = size / size.sum()
        shares = np.einsum("e,ec->c", weight, np.stack([one.shares for one in effects]))
        if codes is not None:
            value = np.array([self.estimate(one) for one in effects])
            np.add.at(shares, codes, (value - weight @ value) * len(self.codes) / size.sum())
        return Effect(np.einsum("e,ect->ct", weight, np.stack([one.weights for one in effects])), shares, self.worked)

    def simple(self) -> Effect:
        """The average over all groups and periods from their start on."""
        places = [place for place in self.cells if self.after(*place)]
        return self.averaged([self.cells[place] for place in places], [code for code, _ in places])

    def by_group(self) -> dict[int, Effect]:
        """The average of each group over its periods, by code."""
        found: dict[int, Effect] = {}
        for code in range(1, len(self.starts)):
            own = [effect for (of, at), effect in self.cells.items() if of == code and self.after(of, at)]
            if own:
                found[code] = self.averaged(own)
        return found

    def by_exposure(self) -> dict[int, Effect]:
        """The average at each time since the start, over groups by size; negative times are before it."""
        return self._collected(lambda code, at: at - self.starts[code])

    def by_period(self) -> dict[int, Effect]:
        """The average in each period over the groups treated by then, by size."""
        return self._collected(lambda _, at: at, only_after=True)

    def _collected(self, key: Callable[[int, int], int], *, only_after: bool = False) -> dict[int, Effect]:
        gathered: dict[int, list[tuple[int, int]]] = {}
        for place in self.cells:
            if self.after(*place) or not only_after:
                gathered.setdefault(key(*place), []).append(place)
        return {
            name: self.averaged([self.cells[place] for place in places], [code for code, _ in places])
            for name, places in sorted(gathered.items())
        }
