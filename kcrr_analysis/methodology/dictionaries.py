"""Types of the methodology's dictionaries: what the recommendations name, as frozen values.

The values come from the packaged YAML files (and a region's own ones, see `load`); nothing here reads a file.
References between dictionaries are ids, checked when the dictionaries are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kcrr_analysis.errors import ParameterError

Room = Literal[
    "indicators",
    "ipk",
    "funnel",
    "forecasting",
    "experiments",
    "surveys",
    "calibration",
    "costs",
    "attribution",
]
"""A room of the kit that computes measures."""

GroupKind = Literal["total", "priority", "subgroup", "residual", "age"]
"""Part a group plays: the total row, a priority audience, a part of one, the residual audience, an age band."""

IndicatorKind = Literal["stock", "flow", "ratio"]
MeasureKind = Literal["stock", "flow", "ratio", "mean", "score", "cost", "list"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the work with a client (этап цикла работы с клиентами).

    Attributes:
        code: "0" to "4".
        title: Russian name.
        task: What the stage is for.
    """

    code: str
    title: str
    task: str


@dataclass(frozen=True, slots=True)
class Cases:
    """References to cases of a tool's use, as a region writes them.

    Attributes:
        inside: Cases of the employment service.
        outside: Cases of other organisations.
    """

    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A card of the tool library (карточка библиотеки инструментов).

    Attributes:
        tool_id: Code used in the tables (`events.tool_id`, `promotion.tool_id`, `actions.tool_id`).
        title: Russian name.
        stage: Code of the stage.
        technology: How the tool is used.
        indicators: Ids of the measures that tell how the tool works.
        groups: Client groups it is meant for; a parent group stands for its sub-groups.
        departments: Departments that run it, the leading one first.
        default_weight: Weight class of one event in the index (1 low, 2 medium, 3 high); None where the tool is
            no event (analysis, planning, a client's own service).
        weight_assumed: True where the recommendations do not class the format and the kit assumes the class.
        weight_reason: Why this class.
        recorded_in: Tables in which the tool's use is recorded.
        cases: References to cases.
    """

    tool_id: str
    title: str
    stage: str
    technology: str
    indicators: tuple[str, ...]
    groups: tuple[str, ...]
    departments: tuple[str, ...]
    default_weight: int | None
    weight_assumed: bool
    weight_reason: str
    recorded_in: tuple[str, ...]
    cases: Cases


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain need -> task -> tools -> metrics of a client group.

    Attributes:
        need: Id of the group's need.
        task: Id of the group's task.
        tools: Tool ids.
        metrics: Ids of measures or official indicators that show whether the task is done.
    """

    need: str
    task: str
    tools: tuple[str, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientGroup:
    """A client group or sub-group (клиентская группа, КГ). Groups overlap and are never added up.

    Attributes:
        group_id: Code used in the tables (`client_group`).
        title: Russian name.
        parent: Code of the wider group, or None.
        kind: Part the group plays.
        special_category: Membership itself tells of a person's health: special-category personal data.
        definition: Who belongs.
        needs: Need id -> what the audience needs.
        tasks: Task id -> what the centre sets out to do.
        chains: Chains of need, task, tools and metrics.
        outcomes: Ids of measures of the result for the group.
        tools: The group's tools, each once, in the order of the chains.
    """

    group_id: str
    title: str
    parent: str | None
    kind: GroupKind
    special_category: bool
    definition: str
    needs: Mapping[str, str]
    tasks: Mapping[str, str]
    chains: tuple[Chain, ...]
    outcomes: tuple[str, ...]

    @property
    def tools(self) -> tuple[str, ...]:
        """Ids of the group's tools, each once, in the order of the chains."""
        return tuple(dict.fromkeys(tool for chain in self.chains for tool in chain.tools))


@dataclass(frozen=True, slots=True)
class Department:
    """A row of the responsibility matrix (матрица ответственности).

    Attributes:
        department_id: Code.
        number: Row of the matrix; None for a department that the matrix only recommends.
        title: Russian name.
        units: Units of the standard structure that the row joins.
        functions: What they do to attract clients.
        optional: A region may do without it.
        note: Reading of the source, or empty.
    """

    department_id: str
    number: int | None
    title: str
    units: tuple[str, ...]
    functions: tuple[str, ...]
    optional: bool
    note: str


@dataclass(frozen=True, slots=True)
class KeepOrGrow:
    """How an indicator is judged kept, grown or fallen (сохранение или рост).

    Attributes:
        compare: Only `year_on_year`: a month with the same month a year before.
        kept_within_percent: Change taken as "kept" where the unit's own noise is not known, +-%.
        min_history_months: With fewer months the answer is "not enough data".
    """

    compare: Literal["year_on_year"]
    kept_within_percent: float
    min_history_months: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """One of the ten official indicators of the client flow.

    Attributes:
        indicator_id: Code.
        number: Number in the official list.
        title: Russian name.
        unit: Unit of the value.
        kind: Stock at the period's end, flow in the period, or ratio.
        counts: What the numerator counts. Persons are never summed over months, groups or centres.
        definition: What is counted and over which period.
        numerator: `table.column` used by default.
        numerator_options: Other columns that a region may choose.
        denominator: `table.column` used by default, or None.
        denominator_options: Other columns that a region may choose.
        client_group: Group of the rows in the numerator.
        denominator_group: Group of the rows in the denominator, or None.
        scale: Factor of the ratio: 100 for percent, else 1.
        starts_2026: Whether the indicator is used only from 2026; unknown by default.
        keep_or_grow: Rule of the status.
        note: Reading of the definition, or empty.
    """

    indicator_id: str
    number: int
    title: str
    unit: str
    kind: IndicatorKind
    counts: Literal["persons", "units"]
    definition: str
    numerator: str
    numerator_options: tuple[str, ...]
    denominator: str | None
    denominator_options: tuple[str, ...]
    client_group: str
    denominator_group: str | None
    scale: float
    starts_2026: Literal["yes", "no", "unknown"]
    keep_or_grow: KeepOrGrow
    note: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that the recommendations ask to watch besides the official ten.

    Attributes:
        measure_id: Code.
        title: Russian name.
        unit: Unit of the value.
        kind: Stock, flow, ratio, mean, score, cost or list.
        part: Letter of the checklist's part; the rows it serves are in the checklist.
        definition: What is measured, in Russian.
        numerator: `table.column`, or None where the measure is no count of one column.
        denominators: `table.column` of each denominator; two where the share is told both ways.
        source: Every `table.column` the measure needs.
        room: The room of the kit that computes it, or will.
        special_category: The value tells of people's health: aggregates only, small cells withheld.
    """

    measure_id: str
    title: str
    unit: str
    kind: MeasureKind
    part: str
    definition: str
    numerator: str | None
    denominators: tuple[str, ...]
    source: tuple[str, ...]
    room: Room
    special_category: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A region of Russia (субъект Российской Федерации).

    Attributes:
        code: Two digits, as trudvsem and the tax service number the regions.
        name: Russian name, as trudvsem writes it.
        aliases: Other spellings met in statistics and departmental files.
    """

    code: str
    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WeightClass:
    """A weight class of an event in the index.

    Attributes:
        code: Class as the tables write it: 1, 2 or 3.
        class_id: `low`, `medium` or `high`.
        title: Russian name.
        value: Weight in the formula; equal to the class unless calibrated, any real in [1, 3].
        meaning: What kinds of events belong.
        formats: Formats that the recommendations name.
    """

    code: int
    class_id: str
    title: str
    value: float
    meaning: str
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A band of the engagement coefficient: both ends belong to it.

    Attributes:
        band_id: `low`, `medium` or `high`.
        title: Russian name.
        low: Lower end.
        high: Upper end.
        signs: What such an event looks like.
    """

    band_id: str
    title: str
    low: float
    high: float
    signs: str


@dataclass(frozen=True, slots=True)
class PlacedEngagement:
    """Where an engagement coefficient falls.

    Attributes:
        value: The coefficient.
        band: The band it is assigned to.
        between: It lies in a gap and was assigned by the cuts.
    """

    value: float
    band: Band
    between: bool


@dataclass(frozen=True, slots=True)
class IndexScheme:
    """The scheme of the client attraction index (индекс привлечения клиентов, ИПК).

    Attributes:
        title: Russian name.
        formula: The formula of one event, as printed in reports.
        weights: Class 1, 2, 3 -> weight class.
        weight_low: Least weight.
        weight_high: Greatest weight.
        bands: `low`, `medium`, `high` -> engagement band.
        engagement_low: Least engagement accepted.
        engagement_high: Greatest engagement accepted.
        cut_medium: A value in the lower gap belongs to the medium band from here.
        cut_high: A value in the upper gap belongs to the high band from here.
        between_label: How a value in a gap is labelled.
        rating_low: Least rating in a review.
        rating_high: Greatest rating.
        rating_neutral: Rating that the adjusted reviews term counts as neither praise nor blame.
        min_events_for_interval: With fewer events no interval is given.
        assumptions: Assumption id -> what the kit assumes, for the report.
    """

    title: str
    formula: str
    weights: Mapping[int, WeightClass]
    weight_low: float
    weight_high: float
    bands: Mapping[str, Band]
    engagement_low: float
    engagement_high: float
    cut_medium: float
    cut_high: float
    between_label: str
    rating_low: float
    rating_high: float
    rating_neutral: float
    min_events_for_interval: int
    assumptions: Mapping[str, str]

    def place(self, engagement: float) -> PlacedEngagement:
        """The band of an engagement coefficient.

        A value in a gap between bands goes by the cuts (a cut itself belongs to the upper band) and is marked.
        Differences under 1e-9, which averaging leaves, are not a gap.

        Raises:
            ParameterError: The value is outside the accepted range, or is not a number.
        """
        value = round(engagement, 9)
        if not self.engagement_low <= value <= self.engagement_high:
            raise ParameterError(
                f"Коэффициент вовлечённости {_number(engagement)} вне допустимых границ: от "
                f"{_number(self.engagement_low)} до {_number(self.engagement_high)}. Исправьте значение."
            )
        for band in self.bands.values():
            if band.low <= value <= band.high:
                return PlacedEngagement(engagement, band, between=False)
        name = "low" if value < self.cut_medium else "medium" if value < self.cut_high else "high"
        return PlacedEngagement(engagement, self.bands[name], between=True)


@dataclass(frozen=True, slots=True)
class Methodology:
    """All dictionaries of the recommendations, with a region's own entries where it has them.

    Attributes:
        stages: Code -> stage.
        tools: Id -> library card.
        groups: Code -> client group, `all` first.
        departments: Id -> department.
        indicators: Id -> official indicator, by number.
        measures: Id -> measure.
        regions: Two-digit code -> region, by code.
        index: Scheme of the index.
        overridden: `dictionary/id` of every entry that a region's own files changed or added.
    """

    stages: Mapping[str, Stage]
    tools: Mapping[str, Tool]
    groups: Mapping[str, ClientGroup]
    departments: Mapping[str, Department]
    indicators: Mapping[str, Indicator]
    measures: Mapping[str, Measure]
    regions: Mapping[str, Region]
    index: IndexScheme
    overridden: tuple[str, ...]

    def subgroups(self, group_id: str) -> tuple[str, ...]:
        """Codes of the groups whose parent is `group_id`, at any depth."""
        found: list[str] = []
        for code, group in self.groups.items():
            if group.parent == group_id:
                found += [code, *self.subgroups(code)]
        return tuple(found)


def _number(value: float) -> str:
    return f"{value:g}".replace(".", ",")
