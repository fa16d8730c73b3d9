"""Counts of persons by level, made into rows of measures with intervals and disclosure control.

Every published count is a cell. Cells are tied by two kinds of sums: a total is the sum of disjoint levels, and those
who passed a step with those who did not are all who could. Both go to the suppressor at once, so that neither a total
nor another measure's denominator gives a small cell away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel.cells import ALL, GROUP, UNION, Cell, Cells, withheld
from kcrr_analysis.funnel.group_differences import against_rest
from kcrr_analysis.funnel.levels import TOTAL, Breakdown, Crowd, Shown, Union
from kcrr_analysis.funnel.measures import COMPLETE_COUNT, SMALL_BASE, MeasureDefinition, Measures
from kcrr_analysis.funnel.person_log import Ints, Objects, PersonLog
from kcrr_analysis.methodology.checklist import checklist

CONSTANT_SHARE = "Интервал — для постоянной доли, от которой люди отклоняются независимо друг от друга."
COUNTED_OUT = "Сплошной учёт по записям, выборочного интервала нет."
MEAN_OF_PERSONS = "Интервал — для среднего на человека; люди независимы друг от друга."
NOBODY = "за период таких людей нет"
NOT_YET = "срок наблюдения ещё ни у кого не прошёл"
FEW = 10
"""Persons under whom a ratio of acts gets no interval: Student's quantile on a skewed count means nothing there."""


@dataclass(eq=False)
class Tally:
    """Collects the rows of one result.

    Attributes:
        log: The region's log.
        groups: Client group of each person.
        level: Confidence level.
    """

    log: PersonLog
    groups: Objects
    level: float = 0.95
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _definitions: dict[tuple[str, str], MeasureDefinition] = field(default_factory=dict)
    _cells: Cells = field(default_factory=Cells)

    @cached_property
    def by_group(self) -> Breakdown:
        """Client groups in the order of the dictionary."""
        titles = {code: group.title for code, group in self.log.methodology.groups.items()}
        return Breakdown(GROUP, "Клиентская группа", self.groups, titles)

    def define(
        self,
        measure_id: str,
        counted: str,
        *,
        part: str,
        whole: str = "",
        variant: str = "",
        title: str = "",
        unit: str = "",
        interval: str = CONSTANT_SHARE,
    ) -> MeasureDefinition:
        """The definition of a reading of a measure; its rows need it first.

        Args:
            measure_id: Id in the dictionary.
            counted: How it is counted here, Russian.
            part: What the numerator counts.
            whole: What the denominator counts.
            variant: Which reading.
            title: Russian name where the dictionary's does not fit the reading.
            unit: Unit where it is not the dictionary's.
            interval: What the interval speaks of.
        """
        measure = self.log.methodology.measures[measure_id]
        target = f"measures/{measure_id}"
        definition = MeasureDefinition(
            measure_id=measure_id,
            variant=variant,
            title=title or measure.title,
            unit=unit or measure.unit,
            text=measure.definition,
            counted=counted,
            part=part,
            whole=whole,
            interval=interval,
            checklist=tuple(n for n, row in checklist().rows.items() if target in row.targets("methodology")),
            special_category=measure.special_category,
        )
        self._definitions[measure_id, variant] = definition
        return definition

    def missing(self, definition: MeasureDefinition, reason: str, shown: Shown = TOTAL) -> None:
        """A row without a figure, with the reason."""
        self._add(definition, shown, reason=reason)

    def plain(self, definition: MeasureDefinition, value: float, shown: Shown = TOTAL, flags: str = "") -> None:
        """A row that counts no persons (partners, pairs): nothing to withhold."""
        self._add(definition, shown, numerator=value, value=value, method=COMPLETE_COUNT, flags=flags)

    def share(
        self,
        definition: MeasureDefinition,
        whole: Crowd,
        part: Crowd,
        *,
        immature: Crowd | None = None,
        by: Breakdown | None = None,
        only: Sequence[str] | None = None,
        union: Union | None = None,
        total: bool = True,
        shown: Shown = TOTAL,
        census: bool = False,
    ) -> None:
        """Rows of a share of persons: in all, and by level.

        Args:
            definition: What is counted.
            whole: Persons of the denominator.
            part: Those among them who are counted; members outside `whole` are left out.
            immature: Persons who would be in `whole` once their window has passed.
            by: Levels to show besides the total.
            only: Levels to show, each with a row even where nobody is in it.
            union: A row for several client groups together.
            total: Whether everybody's row is shown.
            shown: Level under which the total stands.
            census: The share is a complete count: no interval.
        """
        part = part & whole
        rest = Crowd(f"{whole.name} - {part.name}", whole.members & ~part.members)
        self._cells.splits[whole.name, part.name, rest.name] = None
        for crowd in (whole, part, rest, *(() if immature is None else (immature,))):
            self._count(crowd, by, union)
        for kind, level, at in self._places(whole, by, only, union, total=total, shown=shown):
            cell, base = (part.name, kind, level), (whole.name, kind, level)
            waiting = None if immature is None else (immature.name, kind, level)
            k, n = self._of(cell), self._of(base)
            found: dict[str, Any] = {"numerator": k, "denominator": n, "n": n, "_part": cell, "_whole": base}
            if waiting is not None:
                found |= {"immature": self._of(waiting), "_immature": waiting}
            if n and census:
                found |= {"value": 100 * k / n, "method": COMPLETE_COUNT}
            elif n:
                found |= _percents(stats.wilson(k, n, level=self.level)) | {"_persons": True}
            reason = "" if n else NOT_YET if found.get("immature") else NOBODY
            self._add(definition, at, reason=reason, **found)

    def mix(self, definition: MeasureDefinition, crowd: Crowd, by: Breakdown, *, census: bool = False) -> None:
        """Rows of the shares of disjoint levels in a crowd; see `share` for the arguments."""
        self._count(crowd, by, None)
        base = (crowd.name, ALL, "")
        n = self._of(base)
        if not n:
            self._add(definition, TOTAL, reason=NOBODY)
            return
        for level in [*by.titles, *(code for code in by.present(crowd.members) if code not in by.titles)]:
            cell = (crowd.name, by.kind, level)
            found: dict[str, Any] = {"numerator": self._of(cell), "denominator": n, "n": n}
            found |= {"value": 100 * self._of(cell) / n, "method": COMPLETE_COUNT, "_part": cell, "_whole": base}
            if not census:
                found |= _percents(stats.wilson(self._of(cell), n, level=self.level))
            self._add(definition, Shown(by.kind, by.title, level, by.name(level)), **found)

    def amount(
        self,
        definition: MeasureDefinition,
        crowd: Crowd,
        *,
        by: Breakdown | None = None,
        only: Sequence[str] | None = None,
        union: Union | None = None,
        total: bool = True,
    ) -> None:
        """Rows of a count of persons, a complete count; see `share` for the arguments."""
        self._count(crowd, by, union)
        for kind, level, at in self._places(crowd, by, only, union, total=total, shown=TOTAL):
            cell = (crowd.name, kind, level)
            count = self._of(cell)
            self._add(definition, at, numerator=count, value=count, method=COMPLETE_COUNT, _part=cell)

    def ratio(
        self,
        definition: MeasureDefinition,
        crowd: Crowd,
        part: tuple[str, Ints],
        whole: tuple[str, Ints] | None = None,
        *,
        by: Breakdown | None = None,
    ) -> None:
        """Rows of a ratio of acts to persons, or of acts to acts, over independent persons.

        Args:
            definition: What is counted; unit «%» makes it a share of acts.
            crowd: Persons whose acts are counted.
            part: Name and number of the acts of each person, shape (persons,).
            whole: The same for the denominator; the persons themselves by default.
            by: Levels to show besides the total.
        """
        base, acts = whole or (crowd.name, crowd.members.astype(np.int64))
        rest = f"{base} - {part[0]}"
        self._count(crowd, by, None)
        self._count(Crowd(part[0], crowd.members), by, None, part[1])
        if whole is not None:
            self._cells.splits[base, part[0], rest] = None
            self._count(Crowd(base, crowd.members), by, None, acts)
            self._count(Crowd(rest, crowd.members), by, None, acts - part[1])
        for kind, level, at in self._places(crowd, by, None, None, total=True, shown=TOTAL):
            cells: dict[str, Any] = {"_part": (part[0], kind, level), "_whole": (base, kind, level)}
            members = crowd.members & (by.of == level) if by is not None and kind != ALL else crowd.members
            if not members.any():
                self._add(definition, at, reason=NOBODY, **cells)
                continue
            estimate = _ratio(part[1][members], acts[members], self.level, share=definition.unit == "%")
            scale = 100 if definition.unit == "%" else 1
            found = {name: scale * getattr(estimate, of) for name, of in _ENDS}
            found |= {"numerator": self._of(cells["_part"]), "denominator": self._of(cells["_whole"])}
            self._add(definition, at, n=float(members.sum()), method=estimate.method, **found, **cells)

    def same(self, cell: Cell, other: Cell) -> None:
        """Tells disclosure control that two cells count the same persons."""
        self._cells.equal[cell, other] = None

    def split(self, whole: Crowd, part: Crowd, rest: Crowd) -> None:
        """Tells disclosure control that two disjoint crowds make up a third."""
        self._cells.splits[whole.name, part.name, rest.name] = None
        for crowd in (whole, part, rest):
            self._count(crowd, self.by_group, None)

    def result(
        self, topic: str, title: str, *, settings: Mapping[str, str], notes: Iterable[str], rule: Rule | None
    ) -> Measures:
        """All rows under disclosure control, with the comparisons of groups."""
        rows = withheld(pd.DataFrame(self._rows), self._cells, rule)
        span = self.log.span
        return Measures(
            topic=topic,
            title=title,
            region_code=self.log.region_code,
            month=span.month,
            months=(span.month - span.first).n + 1,
            rows=rows.drop(columns=[column for column in rows if str(column).startswith("_")]),
            definitions=dict(self._definitions),
            comparisons=against_rest(rows, self.level),
            settings=dict(settings),
            notes=tuple(notes),
            level=self.level,
        )

    def _of(self, cell: Cell) -> float:
        return self._cells.counts.get(cell, 0.0)

    def _places(
        self,
        crowd: Crowd,
        by: Breakdown | None,
        only: Sequence[str] | None,
        union: Union | None,
        *,
        total: bool,
        shown: Shown,
    ) -> list[tuple[str, str, Shown]]:
        """Kind and level of the cells to show, and what they are shown as."""
        places = [(ALL, "", shown)] if total else []
        if union is not None:
            places.append((UNION, union.code, Shown(UNION, "Группы вместе", union.code, union.title)))
        if by is None:
            return places
        levels = by.present(crowd.members) if only is None else only
        return places + [(by.kind, code, Shown(by.kind, by.title, code, by.name(code))) for code in levels]

    def _count(self, crowd: Crowd, by: Breakdown | None, union: Union | None, acts: Ints | None = None) -> None:
        number = crowd.members.astype(np.int64) if acts is None else np.where(crowd.members, acts, 0)
        total = float(number.sum())
        if self._cells.counts.setdefault((crowd.name, ALL, ""), total) != total:
            raise ValueError(f"two different crowds are named {crowd.name}")
        if by is not None:
            codes, levels = by.coded
            for level, value in zip(levels, np.bincount(codes, weights=number, minlength=len(levels)), strict=True):
                self._cells.counts[crowd.name, by.kind, str(level)] = float(value)
            self._cells.kinds.add(by.kind)
        if union is not None:
            codes, levels = self.by_group.coded
            inside = np.isin(levels.astype(str), union.groups)[codes]
            self._cells.counts[crowd.name, UNION, union.code] = float(number[inside].sum())
            self._cells.unions[union.code] = union.groups

    def _add(self, definition: MeasureDefinition, shown: Shown, *, flags: str = "", **found: Any) -> None:
        row: dict[str, Any] = {
            "measure_id": definition.measure_id,
            "variant": definition.variant,
            "title": definition.title,
            "kind": shown.kind,
            "kind_title": shown.kind_title,
            "level": shown.level,
            "level_title": shown.title,
            **dict.fromkeys(("numerator", "denominator", "value"), np.nan),
            "unit": definition.unit,
            **dict.fromkeys(("low", "high"), np.nan),
            "method": "",
            **dict.fromkeys(("n", "immature"), np.nan),
            "flags": flags,
            "reason": "",
            **dict.fromkeys(("_part", "_whole", "_immature")),
            "_persons": False,
        } | found
        if row["method"] != COMPLETE_COUNT and 0 < row["n"] < SMALL_BASE:
            row["flags"] = "small_base"
        if row["immature"] > 0:
            row["flags"] = ";".join(filter(None, (row["flags"], "immature")))
        self._rows.append(row | {"_k": row["numerator"], "_n": row["denominator"]})


_ENDS = (("value", "estimate"), ("low", "low"), ("high", "high"))


def _percents(estimate: stats.Estimate) -> dict[str, Any]:
    return {name: 100 * getattr(estimate, of) for name, of in _ENDS} | {"method": estimate.method}


def _ratio(part: Ints, whole: Ints, level: float, *, share: bool) -> stats.Estimate:
    """Ratio of sums; a share above a half by its complement, so that no limit leaves 0 to 1. No limits for a few."""
    if len(part) < FEW:
        value = float(part.sum() / whole.sum())
        return stats.Estimate(value, np.nan, np.nan, level, f"интервала нет: меньше {FEW} человек", len(part))
    if not share or 2 * part.sum() <= whole.sum():
        return stats.ratio(part, whole, level=level)
    rest = stats.ratio(whole - part, whole, level=level)
    return stats.Estimate(1 - rest.estimate, 1 - rest.high, 1 - rest.low, rest.level, rest.method, rest.n, rest.se)
