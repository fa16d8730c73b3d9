"""What a report is made of: frozen blocks that hold values and meaning, never looks.

Each block can be written as JSON and read back without loss, so that HTML, Word and a notebook's display are drawn
from one and the same value, at once or later (`kcrr render`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "int", "number", "percent", "money", "points", "month", "change", "change_percent"]
"""How a column's or axis' values read.

text; int (1 234); number (1 234,5); percent (12,3 %: the value is 12.3); money (1 234 ₽); points (percentage points,
signed); month (ISO `2025-10`, shown «октябрь 2025 г.»); change (signed int); change_percent (signed percent).
"""

ParagraphRole = Literal["plain", "conclusion", "definition", "note", "warning"]
Shape = Literal["line", "bar", "stacked", "interval"]
SeriesRole = Literal["main", "context"]
Disclosure = Literal["public", "internal"]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A cell that disclosure control withholds; its value is nowhere in the report."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A cell that has no value, and why («нет данных», «не вычисляется: …»)."""

    reason: str = "нет данных"


@dataclass(frozen=True, slots=True)
class Marked:
    """A small cell shown in an internal report: the value, marked for the reader."""

    value: float | int


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval estimate shown in one cell: «от low до high»."""

    low: float
    high: float


Cell = str | int | float | Hidden | Missing | Marked | Interval | None


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column.

    Attributes:
        title: Russian header, with the unit («Обратилось, чел.»).
        kind: How values read; decides format and alignment.
        decimals: Digits after the comma; None takes the kind's default.
    """

    title: str
    kind: Kind = "text"
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption.

    Attributes:
        title: Caption without number («Обратилось за содействием по группам, октябрь 2025 г.»).
        columns: Headers and kinds, left to right.
        rows: Cells, one tuple a row, as long as `columns`.
        notes: Lines under the table: definitions, sources, flags.
        emphasised: Positions of rows to set bold (totals).
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    emphasised: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Every row is as long as the header."""
        width = len(self.columns)
        for number, row in enumerate(self.rows):
            if len(row) != width:
                raise ValueError(f"row {number} of «{self.title}» has {len(row)} cells, not {width}")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph that can be pasted as is.

    Attributes:
        text: Russian sentences.
        role: conclusion (what follows from the figures), definition (what was counted), note, warning, plain.
    """

    text: str
    role: ParagraphRole = "plain"


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one line, one set of bars or one set of estimates.

    Attributes:
        name: Russian label, drawn beside the line.
        x: Months (ISO `2025-10`) or category names; the same length as `y`.
        y: Values; None where there is no value or it is hidden.
        low: Lower ends of the intervals, if any.
        high: Upper ends of the intervals, if any.
        role: main (coloured, labelled) or context (grey: last year, the average, the rest).
    """

    name: str
    x: tuple[str, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    role: SeriesRole = "main"

    def __post_init__(self) -> None:
        """x, y and the intervals are of one length."""
        for name in ("y", "low", "high"):
            values = getattr(self, name)
            if (name == "y" or values) and len(values) != len(self.x):
                raise ValueError(f"{name} of «{self.name}» has {len(values)} values for {len(self.x)} points")


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of axes.

    Attributes:
        shape: line (x are months), bar (horizontal bars by category), interval (points with error bars by category),
            stacked (parts of a whole end to end with their sum, one bar a category; no part may be negative).
        series: What is drawn.
        title: Short title above the axes; empty for a lone panel.
        unit: Unit of the values, written above the axis («чел.», «%»).
        kind: How values read.
        reference: A value to draw a line at (plan, zero, the average), with its label.
    """

    shape: Shape
    series: tuple[Series, ...]
    title: str = ""
    unit: str = ""
    kind: Kind = "number"
    reference: tuple[float, str] | None = None

    def __post_init__(self) -> None:
        """Parts of a whole are not negative."""
        if self.shape == "stacked" and any(value is not None and value < 0 for one in self.series for value in one.y):
            raise ValueError(f"a part of «{self.title}» is negative")


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with a caption: one panel, or small multiples.

    Attributes:
        title: Caption without number.
        panels: One or more sets of axes.
        alt: What the picture shows, for a reader who cannot see it; required.
        notes: Lines under the figure.
    """

    title: str
    panels: tuple[Panel, ...]
    alt: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A picture without a description is refused."""
        if not self.alt.strip():
            raise ValueError(f"chart «{self.title}» has no alt text")
        if not self.panels:
            raise ValueError(f"chart «{self.title}» has no panels")


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One headline figure: shown at the top of the chapter and compared over regions on the index page.

    Attributes:
        key: Stable identifier (`applied`).
        label: Russian label («Обратилось за содействием»).
        value: The figure, or why there is none.
        kind: How it reads.
        unit: Unit after the number («чел.»); empty where the kind says it.
        note: Period, denominator, n, interval or «сплошной учёт», one line.
        change: Change against the same month last year in percent, where it is known.
    """

    key: str
    label: str
    value: Cell
    kind: Kind = "int"
    unit: str = ""
    note: str = ""
    change: Cell = None


Block = Table | Paragraph | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A titled run of blocks.

    Attributes:
        title: Russian heading.
        blocks: Tables, paragraphs, charts in reading order.
        key_figures: Headline figures of the section.
    """

    title: str
    blocks: tuple[Block, ...]
    key_figures: tuple[KeyFigure, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One chapter: what a notebook fills and publishes.

    Attributes:
        name: Notebook name (`02_indicators`), also the stem of the output files.
        title: Russian title of the chapter.
        region_code: Region the chapter is about.
        region_name: Its name.
        period: The reporting period in words («октябрь 2025 г.»).
        sections: The content.
        disclosure: public (small cells hidden) or internal (small cells marked, watermark).
        notices: Lines that must stand at the top («Демонстрационные данные…»).
        sources: One line an input file: name, rows, first characters of its SHA-256.
        parameters: Parameters that change figures (never paths), as text.
        threshold: Counts of persons below it are small: hidden or marked.
    """

    name: str
    title: str
    region_code: str
    region_name: str
    period: str
    sections: tuple[Section, ...]
    disclosure: Disclosure = "public"
    notices: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = field(default=())
    threshold: int = 5

    @property
    def key_figures(self) -> tuple[KeyFigure, ...]:
        """Headline figures of all sections, in order."""
        return tuple(figure for section in self.sections for figure in section.key_figures)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values; `from_dict` reads them back without loss."""
        from kcrr_analysis.reporting import json_form

        return json_form.to_dict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Report:
        """The report that `to_dict` wrote."""
        from kcrr_analysis.reporting import json_form

        return json_form.from_dict(content)

    def to_html(self) -> str:
        """A self-contained page."""
        from kcrr_analysis.reporting import html

        return html.page(self)

    def _repr_mimebundle_(
        self,
        include: Sequence[str] = (),  # noqa: ARG002 - IPython's protocol passes both by name
        exclude: Sequence[str] = (),  # noqa: ARG002
    ) -> dict[str, Any]:
        """What a notebook shows and stores: the HTML fragment and the report as JSON."""
        from kcrr_analysis.reporting import display

        return display.mimebundle(self)


@dataclass(frozen=True, slots=True)
class FailedChapter:
    """A chapter that could not be built: the joined document names it and says why.

    Attributes:
        title: Its Russian title.
        reason: Why, in Russian.
    """

    title: str
    reason: str
