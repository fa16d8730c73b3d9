"""What the methodology's YAML files may hold: one pydantic model an entry, each building its frozen value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from kcrr_analysis.methodology.dictionaries import (
    Band,
    Cases,
    Chain,
    ClientGroup,
    Department,
    GroupKind,
    IndexScheme,
    Indicator,
    IndicatorKind,
    KeepOrGrow,
    Measure,
    MeasureKind,
    Region,
    Room,
    Stage,
    Tool,
    WeightClass,
)
from kcrr_analysis.yaml_files import Absent, FileModel, Flag

Value = TypeVar("Value")

_COLUMN = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("текст не может быть пустым")
    return text


def _some(items: tuple[str, ...]) -> tuple[str, ...]:
    if not items:
        raise ValueError("список не может быть пустым")
    return items


def _column(text: str) -> str:
    if not _COLUMN.fullmatch(text):
        raise ValueError("ожидается «таблица.столбец», например flow.applied")
    return text


Text = Annotated[str, AfterValidator(_not_empty)]
Id = Text
Some = AfterValidator(_some)
ColumnRef = Annotated[str, AfterValidator(_column)]


def frozen(mapping: Mapping[str, Value]) -> Mapping[str, Value]:
    """A read-only copy of `mapping` in the same order."""
    return MappingProxyType(dict(mapping))


class StageEntry(FileModel):
    """An entry of `stages.yaml`."""

    title: Text
    task: Text

    def build(self, key: str) -> Stage:
        """The stage with code `key`."""
        return Stage(code=key, title=self.title, task=self.task)


class CasesEntry(FileModel):
    """References to cases on a tool's card."""

    inside: tuple[Text, ...] = ()
    outside: tuple[Text, ...] = ()


class ToolEntry(FileModel):
    """An entry of `tools.yaml`."""

    title: Text
    stage: Id
    technology: Text
    indicators: Annotated[tuple[Id, ...], Some]
    groups: Annotated[tuple[Id, ...], Some]
    departments: Annotated[tuple[Id, ...], Some]
    default_weight: Annotated[Annotated[int, Field(ge=1, le=3)] | None, Absent] = None
    weight_assumed: Flag = False
    weight_reason: str = ""
    recorded_in: tuple[Text, ...] = ()
    cases: CasesEntry = CasesEntry()

    def build(self, key: str) -> Tool:
        """The library card with id `key`."""
        return Tool(
            tool_id=key,
            title=self.title,
            stage=self.stage,
            technology=self.technology,
            indicators=self.indicators,
            groups=self.groups,
            departments=self.departments,
            default_weight=self.default_weight,
            weight_assumed=self.weight_assumed,
            weight_reason=self.weight_reason,
            recorded_in=self.recorded_in,
            cases=Cases(inside=self.cases.inside, outside=self.cases.outside),
        )


class ChainEntry(FileModel):
    """A chain of a client group."""

    need: Id
    task: Id
    tools: Annotated[tuple[Id, ...], Some]
    metrics: Annotated[tuple[Id, ...], Some]


class GroupEntry(FileModel):
    """An entry of `groups.yaml`."""

    title: Text
    parent: Annotated[Id | None, Absent] = None
    kind: GroupKind
    special_category: Flag = False
    definition: Text
    needs: dict[str, Text] = Field(default_factory=dict)
    tasks: dict[str, Text] = Field(default_factory=dict)
    chains: tuple[ChainEntry, ...] = ()
    outcomes: tuple[Id, ...] = ()

    def build(self, key: str) -> ClientGroup:
        """The client group with code `key`."""
        return ClientGroup(
            group_id=key,
            title=self.title,
            parent=self.parent,
            kind=self.kind,
            special_category=self.special_category,
            definition=self.definition,
            needs=frozen(self.needs),
            tasks=frozen(self.tasks),
            chains=tuple(
                Chain(need=chain.need, task=chain.task, tools=chain.tools, metrics=chain.metrics)
                for chain in self.chains
            ),
            outcomes=self.outcomes,
        )


class DepartmentEntry(FileModel):
    """An entry of `departments.yaml`."""

    number: Annotated[Annotated[int, Field(ge=1)] | None, Absent] = None
    title: Text
    units: Annotated[tuple[Text, ...], Some]
    functions: Annotated[tuple[Text, ...], Some]
    optional: Flag = False
    note: str = ""

    def build(self, key: str) -> Department:
        """The department with id `key`."""
        return Department(
            department_id=key,
            number=self.number,
            title=self.title,
            units=self.units,
            functions=self.functions,
            optional=self.optional,
            note=self.note,
        )


class KeepOrGrowEntry(FileModel):
    """Rule of an indicator's status."""

    compare: Literal["year_on_year"] = "year_on_year"
    kept_within_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 2.0
    min_history_months: Annotated[int, Field(ge=13)] = 24


class IndicatorEntry(FileModel):
    """An entry of `indicators.yaml`."""

    number: Annotated[int, Field(ge=1)]
    title: Text
    unit: Text
    kind: IndicatorKind
    counts: Literal["persons", "units"]
    definition: Text
    numerator: ColumnRef
    numerator_options: tuple[ColumnRef, ...] = ()
    denominator: Annotated[ColumnRef | None, Absent] = None
    denominator_options: tuple[ColumnRef, ...] = ()
    client_group: Id
    denominator_group: Annotated[Id | None, Absent] = None
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    starts_2026: Literal["yes", "no", "unknown"] = "unknown"
    keep_or_grow: KeepOrGrowEntry = KeepOrGrowEntry()
    note: str = ""

    def build(self, key: str) -> Indicator:
        """The official indicator with id `key`."""
        return Indicator(
            indicator_id=key,
            number=self.number,
            title=self.title,
            unit=self.unit,
            kind=self.kind,
            counts=self.counts,
            definition=self.definition,
            numerator=self.numerator,
            numerator_options=self.numerator_options,
            denominator=self.denominator,
            denominator_options=self.denominator_options,
            client_group=self.client_group,
            denominator_group=self.denominator_group,
            scale=self.scale,
            starts_2026=self.starts_2026,
            keep_or_grow=KeepOrGrow(
                compare=self.keep_or_grow.compare,
                kept_within_percent=self.keep_or_grow.kept_within_percent,
                min_history_months=self.keep_or_grow.min_history_months,
            ),
            note=self.note,
        )


class MeasureEntry(FileModel):
    """An entry of `measures.yaml`."""

    title: Text
    unit: Text
    kind: MeasureKind
    part: Annotated[str, Field(pattern=r"^[A-O]$")]
    definition: Text
    numerator: Annotated[ColumnRef | None, Absent] = None
    denominators: tuple[ColumnRef, ...] = ()
    source: tuple[ColumnRef, ...] = ()
    room: Room
    special_category: Flag = False

    def build(self, key: str) -> Measure:
        """The measure with id `key`; its source always holds the numerator and the denominators."""
        counted = (self.numerator,) if self.numerator else ()
        return Measure(
            measure_id=key,
            title=self.title,
            unit=self.unit,
            kind=self.kind,
            part=self.part,
            definition=self.definition,
            numerator=self.numerator,
            denominators=self.denominators,
            source=tuple(dict.fromkeys((*counted, *self.denominators, *self.source))),
            room=self.room,
            special_category=self.special_category,
        )


class RegionEntry(FileModel):
    """An entry of `regions.yaml`."""

    name: Text
    aliases: tuple[Text, ...] = ()

    def build(self, key: str) -> Region:
        """The region with code `key`."""
        return Region(code=key, name=self.name, aliases=self.aliases)


Number = Annotated[float, Field(allow_inf_nan=False)]


class WeightEntry(FileModel):
    """A weight class of `index.yaml`."""

    title: Text
    value: Number
    meaning: Text
    formats: tuple[Text, ...] = ()


class WeightEntries(FileModel):
    """The three weight classes of `index.yaml`."""

    high: WeightEntry
    medium: WeightEntry
    low: WeightEntry


class BandEntry(FileModel):
    """An engagement band of `index.yaml`."""

    title: Text
    low: Number
    high: Number
    signs: Text


class BandEntries(FileModel):
    """The three engagement bands of `index.yaml`."""

    high: BandEntry
    medium: BandEntry
    low: BandEntry


class RangeEntry(FileModel):
    """Both ends of an accepted range."""

    low: Number
    high: Number


class CutEntries(FileModel):
    """Where a value in a gap between bands changes its band."""

    medium: Number
    high: Number


class RatingEntry(FileModel):
    """The scale of the ratings in reviews."""

    low: Number
    high: Number
    neutral: Number


class IndexFile(FileModel):
    """The file `index.yaml`."""

    title: Text
    formula: Text
    weight_range: RangeEntry
    weights: WeightEntries
    engagement_range: RangeEntry
    engagement_bands: BandEntries
    engagement_cuts: CutEntries
    between_label: Text
    rating: RatingEntry
    min_events_for_interval: Annotated[int, Field(ge=2)]
    assumptions: dict[str, Text] = Field(default_factory=dict)

    def build(self) -> IndexScheme:
        """The scheme of the index."""
        classes = ((1, "low", self.weights.low), (2, "medium", self.weights.medium), (3, "high", self.weights.high))
        bands = (
            ("low", self.engagement_bands.low),
            ("medium", self.engagement_bands.medium),
            ("high", self.engagement_bands.high),
        )
        return IndexScheme(
            title=self.title,
            formula=self.formula,
            weights=MappingProxyType(
                {
                    code: WeightClass(
                        code=code,
                        class_id=name,
                        title=entry.title,
                        value=entry.value,
                        meaning=entry.meaning,
                        formats=entry.formats,
                    )
                    for code, name, entry in classes
                }
            ),
            weight_low=self.weight_range.low,
            weight_high=self.weight_range.high,
            bands=frozen(
                {
                    name: Band(band_id=name, title=entry.title, low=entry.low, high=entry.high, signs=entry.signs)
                    for name, entry in bands
                }
            ),
            engagement_low=self.engagement_range.low,
            engagement_high=self.engagement_range.high,
            cut_medium=self.engagement_cuts.medium,
            cut_high=self.engagement_cuts.high,
            between_label=self.between_label,
            rating_low=self.rating.low,
            rating_high=self.rating.high,
            rating_neutral=self.rating.neutral,
            min_events_for_interval=self.min_events_for_interval,
            assumptions=frozen(self.assumptions),
        )
