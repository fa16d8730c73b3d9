"""Staggered adoption: units that took up a format at different times (Callaway & Sant'Anna 2021).

The effect on each group (units with the same start) in each period is the group's change since the period before its
start less the change of units not treated by then. A regression with unit and period effects would also use units
treated earlier as controls, and can turn signs where effects grow; this does not. Averages over groups and periods
follow the paper: simple, by group, by time since the start, by calendar period. No covariates: then the paper's three
estimators coincide.

With many units in every group limits come from influence functions and a multiplier bootstrap over units, simultaneous
within each table. With few they come from all choices of who starts when (`placebo`), each on its own.

Source:
    Callaway B., Sant'Anna P. (2021), J. Econometrics 225:200.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.not_randomised.group_time import Control, Effect, GroupTime
from kcrr_analysis.experiments.not_randomised.panel import Panel, Scale
from kcrr_analysis.experiments.not_randomised.placebo import OWN_NOISE_FROM, Placebo, largest_p, unit_noise
from kcrr_analysis.stats.estimate import checked_level

Inference: TypeAlias = Literal["bootstrap", "placebo"]

MANY = 20
"""Units that each group, and the untreated, must have for the bootstrap to be chosen."""

DRAWS = 1_999
"""Bootstrap draws, or choices of who starts when where they are too many to enumerate."""

LIMIT = 5_000
"""Choices of who starts when that are enumerated, at most."""


@dataclass(frozen=True)
class Staggered:
    """Effects of a format that units took up at different times.

    Attributes:
        group_time: One row a group and period: group (label of its start), period, relative (periods since the start),
            phase (before, after), estimate, se, low, high, p_value, treated, controls (units). Before the start the
            change since the period before: it should be near zero.
        overall: One row a way to average: kind (simple, group, dynamic, calendar), estimate, se, low, high, p_value.
        groups: One row a group: group, units, estimate, se, low, high, p_value.
        dynamic: One row a time since the start: relative, estimate, se, low, high, p_value.
        calendar: One row a period: period, estimate, se, low, high, p_value.
        inference: bootstrap or placebo. se is missing for the latter.
        simultaneous: Whether the limits of a table's rows hold together (bootstrap) or each on its own.
        level: Confidence level.
        control: never: units never treated are the controls; not_yet: units not treated by then as well.
        scale: Scale of the panel.
        never: Units never treated.
        smallest_p: No p-value of the simple average can be smaller (placebo), or 0.
        pretrend_p: Whether the changes before the start are near zero: the largest of them, jointly; with placebo only
            those before anybody's start; NaN without any.
    """

    group_time: pd.DataFrame
    overall: pd.DataFrame
    groups: pd.DataFrame
    dynamic: pd.DataFrame
    calendar: pd.DataFrame
    inference: Inference
    simultaneous: bool
    level: float
    control: Control
    scale: Scale
    never: int
    smallest_p: float
    pretrend_p: float

    @property
    def simple(self) -> dict[str, float]:
        """The average over groups and periods from their start on, by group size: estimate, se, low, high, p_value."""
        return {name: float(self.overall[name].iloc[0]) for name in ("estimate", "se", "low", "high", "p_value")}

    def to_frame(self) -> pd.DataFrame:
        """One row an effect: all tables stacked, with `table` naming each."""
        tables = {
            "overall": self.overall,
            "group": self.groups,
            "dynamic": self.dynamic,
            "calendar": self.calendar,
            "group_time": self.group_time,
        }
        named = [frame.astype(object).assign(table=name) for name, frame in tables.items()]
        stacked = pd.concat(named, ignore_index=True)
        return stacked.assign(level=self.level, inference=self.inference, control=self.control, scale=self.scale)


def staggered(
    panel: Panel,
    *,
    control: Control = "never",
    inference: Inference | Literal["auto"] = "auto",
    alpha: float = 0.05,
    draws: int = DRAWS,
    seed: int = 0,
) -> Staggered:
    """Effects by group and period, and their averages.

    Args:
        panel: Units by period with any starts.
        control: Units never treated, or also those not treated by then.
        inference: bootstrap, placebo, or auto: the bootstrap where every group and the untreated have 20 units or more.
        alpha: Level of the tests.
        draws: Bootstrap draws, or choices of who starts when.
        seed: Of the draws.

    Raises:
        ParameterError: An unknown choice or a bad level.
        NotComputableError: Bootstrap asked for with a group of a single unit.
    """
    level = checked_level(1 - alpha)
    for value, known in ((control, get_args(Control)), (inference, ("auto", *get_args(Inference)))):
        if value not in known:
            raise ParameterError(f"Значение «{value}» неизвестно. Укажите одно из: {', '.join(known)}.")
    model = GroupTime.of(panel, control)
    least = int(model.sizes.min())
    chosen: Inference = inference if inference != "auto" else "bootstrap" if least >= MANY else "placebo"
    if chosen == "bootstrap" and least < 2:
        raise NotComputableError(
            "Бутстреп невозможен: в одной из групп единственный центр, разброс внутри неё неизвестен. Укажите "
            "inference = placebo."
        )
    limits: _Limits = (_Bootstrap if chosen == "bootstrap" else _Choices)(model, panel, level, draws, seed)
    labels, starts = panel.periods, [panel.periods[at] for at in model.starts[1:]]
    groups, exposure, periods = model.by_group(), model.by_exposure(), model.by_period()
    whole = {
        "simple": model.simple(),
        "group": model.averaged(list(groups.values()), list(groups)),
        "dynamic": model.averaged([effect for since, effect in exposure.items() if since >= 0]),
        "calendar": model.averaged(list(periods.values())),
    }
    return Staggered(
        group_time=_group_time(model, labels, limits),
        overall=pd.DataFrame([{"kind": kind, **limits.of([effect])[0]} for kind, effect in whole.items()]),
        groups=_table({"group": starts, "units": model.sizes[1:].astype(int)}, list(groups.values()), limits),
        dynamic=_table({"relative": list(exposure)}, list(exposure.values()), limits),
        calendar=_table({"period": [labels[at] for at in periods]}, list(periods.values()), limits),
        inference=chosen,
        simultaneous=chosen == "bootstrap",
        level=level,
        control=control,
        scale=panel.scale,
        never=int(model.sizes[0]),
        smallest_p=limits.smallest_p(whole["simple"]),
        pretrend_p=limits.joint(_before(model, anybody=chosen == "bootstrap")),
    )


def _before(model: GroupTime, *, anybody: bool) -> list[Effect]:
    """Changes before each group's start; or only those before anybody's, so that other choices hold no effects."""
    earliest = model.values.shape[1] if anybody else min(model.starts[1:])
    return [effect for (code, at), effect in model.cells.items() if not model.after(code, at) and at < earliest]


def _table(columns: dict[str, Any], effects: list[Effect], limits: _Limits) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(columns), pd.DataFrame(limits.of(effects))], axis=1)


def _group_time(model: GroupTime, labels: tuple[Any, ...], limits: _Limits) -> pd.DataFrame:
    places = list(model.cells)
    columns = {
        "group": [labels[model.starts[code]] for code, _ in places],
        "period": [labels[at] for _, at in places],
        "relative": [at - model.starts[code] for code, at in places],
        "phase": ["after" if model.after(*place) else "before" for place in places],
        "treated": [int(model.sizes[code]) for code, _ in places],
        "controls": [int(model.sizes[model.controls(*place)].sum()) for place in places],
    }
    return _table(columns, list(model.cells.values()), limits)


class _Limits(Protocol):
    """Limits and p-values of effects that are shown together."""

    def of(self, effects: list[Effect]) -> list[dict[str, float]]: ...

    def joint(self, effects: list[Effect]) -> float: ...

    def smallest_p(self, effect: Effect) -> float: ...


class _Bootstrap:
    """Influence functions, and the largest studentised departure over the table from multipliers of one sign a unit."""

    def __init__(self, model: GroupTime, _: Panel, level: float, draws: int, seed: int) -> None:
        self.model, self.level = model, level
        self.signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(draws, len(model.codes)))

    def of(self, effects: list[Effect]) -> list[dict[str, float]]:
        estimate = np.array([self.model.estimate(effect) for effect in effects])
        influence = np.stack([self.model.influence(effect) for effect in effects])
        se = np.sqrt((influence**2).sum(axis=1)) / influence.shape[1]
        known = se > 0
        if not known.any():
            return [_found(value, np.nan, np.nan, np.nan, np.nan) for value in estimate]
        largest = np.abs(self.signs @ influence[known].T / (influence.shape[1] * se[known])).max(axis=1)
        width = float(np.quantile(largest, self.level)) * se
        with np.errstate(divide="ignore", invalid="ignore"):
            p = (1 + (largest[:, None] >= np.abs(estimate) / se).sum(axis=0)) / (1 + len(largest))
        return [_found(*row) for row in zip(estimate, se, estimate - width, estimate + width, p, strict=True)]

    def joint(self, effects: list[Effect]) -> float:
        return min((row["p_value"] for row in self.of(effects)), default=float("nan")) if effects else float("nan")

    def smallest_p(self, _: Effect) -> float:
        return 0.0


class _Choices:
    """The same contrast over all choices of who started when."""

    def __init__(self, model: GroupTime, panel: Panel, level: float, draws: int, seed: int) -> None:
        self.model, self.level = model, level
        allowed = Allowed(model.codes.astype(np.int16))
        self.codes, self.exact = allowed.reference(draws, limit=LIMIT, seed=seed)
        self.count = allowed.permutations
        before = panel.values[:, : int(panel.first.min())]
        own = before.shape[1] >= OWN_NOISE_FROM
        self.noise = unit_noise(before) if own else np.ones(len(model.codes))

    def placebo(self, effect: Effect) -> Placebo:
        model, units = self.model, np.arange(len(self.model.codes))
        given = effect.given[model.codes]
        parts = ((effect.weights @ model.values.T), (effect.weights @ given.T))
        a, b = (part[self.codes, units].sum(axis=1) for part in parts)
        squared = (effect.weights**2).sum(axis=1)
        se = np.sqrt(squared[self.codes] @ self.noise**2)
        return Placebo(a, b, se, self.exact, self.count)

    def of(self, effects: list[Effect]) -> list[dict[str, float]]:
        rows = []
        for effect in effects:
            placebo = self.placebo(effect)
            rows.append(_found(placebo.estimate, np.nan, *placebo.interval(self.level), placebo.p_value()))
        return rows

    def joint(self, effects: list[Effect]) -> float:
        if not effects:
            return float("nan")
        found = [self.placebo(effect) for effect in effects]
        return largest_p(np.stack([one.a / one.se for one in found], axis=1))

    def smallest_p(self, effect: Effect) -> float:
        return self.placebo(effect).smallest_p


def _found(estimate: float, se: float, low: float, high: float, p: float) -> dict[str, float]:
    values = {"estimate": estimate, "se": se, "low": low, "high": high, "p_value": p}
    return {name: float(value) for name, value in values.items()}
