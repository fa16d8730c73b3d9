"""Measures along the client's path: the frozen result that all functions of this theme give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

COMPLETE_COUNT = "сплошной учёт"
"""Method of a figure that counts a register out: it has no sampling interval."""

SMALL_BASE = 30
"""Persons in a denominator under which a row is flagged and not compared with others."""


@dataclass(frozen=True, slots=True)
class MeasureDefinition:
    """What a measure counted, as it was computed.

    Attributes:
        measure_id: Id in the dictionary of measures.
        variant: Which reading of the measure, empty for the main one.
        title: Russian name, with the reading.
        unit: Unit of the value: «%», «чел.», «ед./чел.», «ед.», «пар».
        text: MeasureDefinition in the dictionary.
        counted: How the kit counted it here: base, step, windows, what is left out.
        part: What the numerator counts.
        whole: What the denominator counts; empty for a count without one.
        interval: What the interval speaks of, or why there is none.
        checklist: Rows of the checklist that the measure answers.
        special_category: It tells of people's health: aggregates only, small cells withheld.
    """

    measure_id: str
    variant: str
    title: str
    unit: str
    text: str
    counted: str
    part: str
    whole: str
    interval: str
    checklist: tuple[int, ...]
    special_category: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """A themed list of measures of one region.

    Attributes:
        topic: `clients`, `returns`, `contacts`, `outcomes` or `partners`.
        title: Russian name of the theme.
        region_code: The region.
        month: The reporting month; what happened later is not used.
        months: Length of the period that ends with it.
        rows: Long, one row a measure, reading and level: measure_id, variant, title, kind (`all`, `client_group`,
            `tool`, `status`, ...), kind_title, level (code, empty for `all`), level_title, numerator, denominator,
            value (in `unit`; shares in %), unit, low, high (in `unit`), method (name of the interval or «сплошной
            учёт»), n (independent persons behind the value), immature (persons whose window has not passed, counted
            apart), flags (`small_base`, `immature`, joined by `;`), reason (why there is no figure, Russian, or
            empty); boolean `<column>_hidden` for numerator, denominator, immature, value, low, high, n. Counts are of
            persons unless the definition says otherwise; nobody stands twice in one count.
        definitions: (measure_id, variant) -> what was counted, in the order of `rows`.
        comparisons: Client groups against the rest of the same measure's persons: measure_id, variant, level,
            level_title, difference, low, high (percentage points), p_adjusted (Holm over all comparisons of the
            result), differs (1 higher, -1 lower, 0 not told apart), hidden. Only disjoint groups of `SMALL_BASE`
            persons or more on both sides.
        settings: Parameters that change figures: Russian name -> value.
        notes: Russian sentences on what weakens the figures as a whole.
        level: Confidence level.
    """

    topic: str
    title: str
    region_code: str
    month: pd.Period
    months: int
    rows: pd.DataFrame
    definitions: Mapping[tuple[str, str], MeasureDefinition]
    comparisons: pd.DataFrame
    settings: Mapping[str, str]
    notes: tuple[str, ...] = ()
    level: float = 0.95

    @property
    def period(self) -> str:
        """`2024-11..2025-10`."""
        return f"{self.month - (self.months - 1)}..{self.month}"

    def to_frame(self) -> pd.DataFrame:
        """`rows` with region, period, level of confidence and the definition beside each value."""
        keys = list(zip(self.rows["measure_id"], self.rows["variant"], strict=True))
        return self.rows.assign(
            topic=self.topic,
            region_code=self.region_code,
            period=self.period,
            confidence=self.level,
            counted=[self.definitions[key].counted for key in keys],
            definition=[self.definitions[key].text for key in keys],
        )
