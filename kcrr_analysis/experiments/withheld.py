"""Disclosure control of a readout: which of its figures rest on a small count of persons.

A mean gives away those with the outcome and those without it, an effect gives away the mean of the other arm, and all
that is computed from an effect gives away the effect. What was decided, and the verdict in words, stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.experiments.analysis import Figure
from kcrr_analysis.experiments.decision import Decision, Range
from kcrr_analysis.experiments.readout import Effect, Readout
from kcrr_analysis.experiments.validity.bounds import FIGURES, Bounds
from kcrr_analysis.experiments.validity.checks import Check, Validity, by_arm

NOTHING = float("nan")
_EFFECT = ("estimate", "low", "high", "p", "p_adjusted", "relative")


@dataclass(frozen=True)
class Marks:
    """Which figures of an effect may not be shown; pairs are (arm, control).

    Attributes:
        figures: The effect, its limits, its p-values and all that is computed from them.
        means: The means of the two arms.
        persons: Persons with the outcome.
        missing: Persons without it.
        bounds: Bounds over what is missing.
    """

    figures: bool = False
    means: tuple[bool, bool] = (False, False)
    persons: tuple[bool, bool] = (False, False)
    missing: tuple[bool, bool] = (False, False)
    bounds: bool = False


@dataclass(frozen=True, eq=False)
class Withheld:
    """A readout under disclosure control.

    Attributes:
        readout: The readout; in public mode hidden figures are missing (NaN), in internal mode they stay.
        marks: What is hidden (public) or marked (internal) of each of `readout.effects`.
        rule: Mode and threshold; None hides nothing.
    """

    readout: Readout
    marks: tuple[Marks, ...]
    rule: Rule | None = None

    @property
    def decision_hidden(self) -> bool:
        """Whether the cost and the expected effect rest on a small count."""
        pairs = zip(self.readout.effects, self.marks, strict=True)
        return any(
            own.figures
            for effect, own in pairs
            if effect.outcome.role == "primary" and effect.arm == self.readout.decision.arm
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome and arm, with `<column>_hidden` beside each figure that may be hidden."""
        frame = self.readout.to_frame()
        for column in _EFFECT:
            frame[f"{column}_hidden"] = [own.figures for own in self.marks]
        for place, before in enumerate(("", "control_")):
            frame[f"{before}mean_hidden"] = [own.means[place] for own in self.marks]
            frame[f"{before}persons_hidden"] = [own.persons[place] for own in self.marks]
            frame[f"{before}missing_hidden"] = [own.missing[place] for own in self.marks]
        return frame


def withheld(readout: Readout, rule: Rule | None = None) -> Withheld:
    """The readout with what small counts of persons would be computed from withheld (public) or marked (internal).

    Args:
        readout: What `Protocol.analyze` gave.
        rule: Mode and threshold; None hides nothing.
    """
    if rule is None:
        return Withheld(readout, tuple(Marks() for _ in readout.effects))
    clustered = readout.protocol.design.cluster is not None
    marks = tuple(_marks(effect, rule, clustered=clustered) for effect in readout.effects)
    effects = tuple(_shown(effect, own, rule) for effect, own in zip(readout.effects, marks, strict=True))
    made = Withheld(replace(readout, effects=effects), marks, rule)
    hidden = made.decision_hidden and rule.public
    primary_hidden = any(
        own.figures for effect, own in zip(effects, marks, strict=True) if effect.outcome.role == "primary"
    )
    looks = readout.looks
    if primary_hidden and rule.public:
        looks = tuple(replace(look, p=NOTHING) for look in looks)
    return replace(
        made,
        readout=replace(
            made.readout,
            decision=_decision(readout.decision) if hidden else readout.decision,
            looks=looks,
            validity=Validity(tuple(_check(check, rule) for check in readout.validity.checks)),
        ),
    )


def reached(effect: Effect) -> tuple[float, float]:
    """Persons (of a count: cases) behind the means: arm, control; NaN for outcomes that count nobody."""
    if effect.outcome.kind not in {"proportion", "count"}:
        return NOTHING, NOTHING
    arm, control = (
        mean * persons for mean, persons in zip((effect.mean, effect.control_mean), effect.persons, strict=True)
    )
    return _whole(arm), _whole(control)


def counts_persons(effect: Effect, *, clustered: bool) -> bool:
    """Whether `persons` are persons: a row a centre with a ready mean has no number of them."""
    return effect.outcome.kind == "proportion" or not clustered or effect.persons != tuple(map(float, effect.units))


def _marks(effect: Effect, rule: Rule, *, clustered: bool) -> Marks:
    if not counts_persons(effect, clustered=clustered):
        return Marks()
    above = reached(effect)
    few = [_small(rule, persons) for persons in effect.persons]
    gone = [_small(rule, missing) for missing in effect.missing]
    means = []
    for place, with_outcome in enumerate(effect.persons):
        rest = with_outcome - above[place] if effect.outcome.kind == "proportion" else NOTHING
        means.append(few[place] or _small(rule, above[place]) or _small(rule, rest))
    # Who was assigned is told by the checks: with the missing hidden, those with the outcome must be hidden too.
    apart = effect.outcome.missing != "not_reached"
    persons = [own or (lost and apart) for own, lost in zip(few, gone, strict=True)]
    return Marks(
        figures=any(means),
        means=(means[0], means[1]),
        persons=(persons[0], persons[1]),
        missing=(gone[0], gone[1]),
        bounds=any(means) or any(gone),
    )


def _shown(effect: Effect, own: Marks, rule: Rule) -> Effect:
    bounds = effect.bounds if effect.bounds is None or not own.bounds else _bounds(effect.bounds, own, rule)
    if not rule.public:
        return replace(effect, bounds=bounds)
    persons, missing = (
        (NOTHING if flags[0] else values[0], NOTHING if flags[1] else values[1])
        for flags, values in ((own.persons, effect.persons), (own.missing, effect.missing))
    )
    kept = replace(
        effect,
        mean=NOTHING if own.means[0] else effect.mean,
        control_mean=NOTHING if own.means[1] else effect.control_mean,
        persons=persons,
        missing=missing,
        bounds=bounds,
    )
    if not own.figures:
        return kept
    return replace(
        kept,
        estimate=NOTHING,
        low=NOTHING,
        high=NOTHING,
        p=NOTHING,
        p_adjusted=NOTHING,
        figure=_without(effect.figure),
        checks=tuple(map(_without, effect.checks)),
    )


def _without(figure: Figure) -> Figure:
    return replace(figure, estimate=NOTHING, low=NOTHING, high=NOTHING, p=NOTHING, se=NOTHING)


def _bounds(found: Bounds, own: Marks, rule: Rule) -> Bounds:
    """Rows that would tell how many are missing, and the table of the missing."""
    rows = found.rows.copy()
    telling = own.figures | (rows["scenario"] != "missing_as_failure")
    for column in FIGURES:
        rows[f"{column}_hidden"] = telling
        if rule.public:
            rows[column] = rows[column].mask(telling)
    arms, _ = by_arm(
        list(found.arms["arm"]),
        found.arms["persons"].to_numpy(dtype=float),
        found.arms["missing"].to_numpy(dtype=float),
        ("persons", "missing"),
        rule,
    )
    return replace(found, rows=rows, arms=arms)


def _check(check: Check, rule: Rule) -> Check:
    """A check of the counts of persons, decided anew under the rule."""
    rows = check.rows
    if "persons" not in rows:
        return check
    whole = rows["persons"].to_numpy(dtype=float)
    part = rows["missing"].to_numpy(dtype=float) if "missing" in rows else None
    marked, small = by_arm(list(rows["arm"]), whole, part, ("persons", "missing"), rule)
    if not small:
        return check
    told = list(_derived(rows, marked))
    shown = rows.copy()
    for column, hidden in told:
        shown[f"{column}_hidden"] = hidden
        if rule.public:
            shown[column] = shown[column].mask(hidden)
    return replace(check, rows=shown).under(rule, small)


def _derived(rows: pd.DataFrame, marked: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Columns of a check and which of their cells are hidden."""
    persons = marked["persons_hidden"].set_axis(rows.index)
    yield "persons", persons
    if "per_cluster" in rows:
        yield "per_cluster", persons
    if "missing" in rows:
        part = marked["missing_hidden"].set_axis(rows.index)
        yield "missing", part
        yield "share", part
    elif "share" in rows:
        yield "share", pd.Series(bool(persons.any()), index=rows.index)


def _decision(decision: Decision) -> Decision:
    none = Range(NOTHING, NOTHING, NOTHING)
    return replace(
        decision,
        cost=None if decision.cost is None else none,
        scaled=None if decision.scaled is None else none,
    )


def _small(rule: Rule, value: float) -> bool:
    return bool(rule.small(pd.Series([value])).iloc[0])


def _whole(value: float) -> float:
    return float(np.round(value)) if np.isfinite(value) else NOTHING
