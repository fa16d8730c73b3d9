"""The checklist of the recommendations: 140 rows, and where in the kit each of them lives.

A row is found as a computed figure, a tracked field or a dictionary entry. The checklist is the kit's own and cannot
be overridden by a region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Literal, Self, cast, get_args

from pydantic import Field, field_validator, model_validator

from kcrr_analysis.methodology.dictionaries import IndexScheme, Methodology, Room
from kcrr_analysis.methodology.files import Text, frozen
from kcrr_analysis.methodology.overrides import DICTIONARIES, load, raw
from kcrr_analysis.yaml_files import FileModel, validate

Asks = Literal["figure", "field", "dictionary"]
Kind = Literal["methodology", "table", "result", "planned"]
Status = Literal["computed", "partly", "field", "dictionary", "planned"]

_REFERENCE = re.compile(
    r"(?P<methodology>methodology:[a-z]+/(?:[a-z0-9_]+|\*(?:\.[a-z_]+)?))"
    r"|(?P<table>table:[a-z_]+\.[a-z0-9_]+)"
    r"|(?P<result>result:[a-z_]+(?:\.[A-Za-z_]\w*)+)"
    r"|(?P<planned>planned:[a-z_]+)"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where a checklist row lives.

    Attributes:
        kind: A dictionary entry, a column of a table, a computed result, or a room that will compute it.
        target: `tools/open_day`, `flow.applied`, `indicators.applicants` or `funnel`.
    """

    kind: Kind
    target: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference written as `kind:target`.

        Raises:
            ValueError: The text is no reference; the message is Russian.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None or match.lastgroup is None:
            raise ValueError(
                "ожидается methodology:словарь/код, table:таблица.столбец, result:комната.имя или planned:комната"
            )
        return cls(cast("Kind", match.lastgroup), text.partition(":")[2])

    def __str__(self) -> str:
        """The reference as the checklist writes it."""
        return f"{self.kind}:{self.target}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the checklist.

    Attributes:
        number: 1 to 140.
        part: Letter, A to O.
        title: What the row asks for, in Russian.
        asks: Form in which the row must be found.
        lives_in: Where it lives.
        note: What the reader should know, or empty.
    """

    number: int
    part: str
    title: str
    asks: Asks
    lives_in: tuple[Reference, ...]
    note: str

    def targets(self, kind: Kind) -> tuple[str, ...]:
        """Targets of the row's references of one kind."""
        return tuple(reference.target for reference in self.lives_in if reference.kind == kind)

    @property
    def status(self) -> Status:
        """How far the kit is with the row.

        A row that asks for a figure is `computed` only by a result with nothing planned; with something planned it
        is `partly` (a result, a column or an entry is there already) or `planned` (nothing is).
        """
        if self.targets("planned"):
            return "partly" if len(self.targets("planned")) < len(self.lives_in) else "planned"
        if self.targets("result"):
            return "computed"
        return "field" if self.asks == "field" else "dictionary"


@dataclass(frozen=True, slots=True)
class Checklist:
    """The whole checklist.

    Attributes:
        parts: Letter -> title of the part.
        rows: Number -> row.
    """

    parts: Mapping[str, str]
    rows: Mapping[int, Row]


class RowEntry(FileModel):
    """A row of `checklist.yaml`."""

    part: Annotated[str, Field(pattern=r"^[A-O]$")]
    title: Text
    asks: Asks
    lives_in: Annotated[tuple[str, ...], Field(min_length=1)]
    note: str = ""

    @field_validator("lives_in")
    @classmethod
    def _known_forms(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            Reference.parse(text)
        return texts

    @model_validator(mode="after")
    def _no_overclaim(self) -> Self:
        kinds = {Reference.parse(text).kind for text in self.lives_in}
        if self.asks == "figure" and not kinds & {"result", "planned"}:
            raise ValueError("строке нужно число: укажите result (расчёт) или planned (где он появится)")
        if self.asks == "field" and "table" not in kinds:
            raise ValueError("строке нужно поле: укажите table")
        if self.asks == "dictionary" and "methodology" not in kinds:
            raise ValueError("строке нужна статья словаря: укажите methodology")
        return self


class ChecklistFile(FileModel):
    """The file `checklist.yaml`."""

    parts: dict[str, Text]
    rows: dict[Annotated[int, Field(ge=1, le=140)], RowEntry]


@cache
def checklist() -> Checklist:
    """The 140 rows with their parts, by number."""
    file = validate(ChecklistFile, raw("checklist"), "checklist.yaml")
    rows = {
        number: Row(
            number=number,
            part=entry.part,
            title=entry.title,
            asks=entry.asks,
            lives_in=tuple(Reference.parse(text) for text in entry.lives_in),
            note=entry.note,
        )
        for number, entry in sorted(file.rows.items())
    }
    return Checklist(parts=frozen(file.parts), rows=MappingProxyType(rows))


def unknown_references(listed: Checklist | None = None, methodology: Methodology | None = None) -> Iterator[str]:
    """References of the checklist to dictionary entries and rooms that do not exist, as «row: reference».

    Columns and results live on upper floors, so they are not looked at here.
    """
    methodology = methodology or load()
    for row in (listed or checklist()).rows.values():
        for reference in row.lives_in:
            if reference.kind == "planned" and reference.target not in get_args(Room):
                yield f"{row.number}: {reference}"
            if reference.kind == "methodology" and not _exists(reference.target, methodology):
                yield f"{row.number}: {reference}"


def _exists(target: str, methodology: Methodology) -> bool:
    name, _, key = target.partition("/")
    if name == "index":
        return key in {field.name for field in fields(IndexScheme)}
    if name not in DICTIONARIES:
        return False
    entries: Mapping[str, object] = getattr(methodology, name)
    if not key.startswith("*"):
        return key in entries
    _, _, attribute = key.partition(".")
    first = next(iter(entries.values()), None)
    return first is not None and is_dataclass(first) and (not attribute or hasattr(first, attribute))
