"""What a column and a table promise: the vocabulary in which the data contracts are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal

Kind = Literal["code", "text", "month", "date", "time", "year", "count", "number", "money", "share", "flag", "choice"]
"""How a column's values read and what they become in memory.

code: text that identifies, never a number (`string`); text: free text (`string`); choice: one of a few codes
(`string`); month (`period[M]`); date (`datetime64[ns]`); time: a moment with a zone (`datetime64[ns, UTC]`);
year, count: whole numbers (`Int64`); number, money (roubles), share (0 to 1): `float64`; flag: `boolean`.
"""

Dictionary = Literal["groups", "tools", "regions"]

DTYPES: Mapping[Kind, str] = MappingProxyType({
    "code": "string", "text": "string", "choice": "string", "month": "period[M]", "date": "datetime64[ns]",
    "time": "datetime64[ns, UTC]", "year": "Int64", "count": "Int64", "number": "float64", "money": "float64",
    "share": "float64", "flag": "boolean",
})  # fmt: skip
"""Dtype in memory of each kind."""


@dataclass(frozen=True, slots=True)
class ColumnContract:
    """One column of a table.

    Attributes:
        name: Canonical code, the header in English.
        title: Russian header.
        kind: How values read; see `Kind`.
        aliases: Other Russian headers that mean the same column.
        required: The file must have the column.
        nullable: Cells may be empty.
        default: Value of every row when the file lacks the column (a code of `choices` or a dictionary); None for none.
        choices: For kind `choice`: code -> Russian words accepted for it.
        low: Least value allowed, or None.
        high: Greatest value allowed, or None.
        pattern: Regular expression a code must match whole, or empty.
        dictionary: Methodology dictionary whose identifiers the column holds, or None.
        unit: Unit of measurement, in Russian, or empty.
        doc: What it means, in one English sentence; empty where the title says it all.
    """

    name: str
    title: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False
    nullable: bool = True
    default: str | None = None
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    dictionary: Dictionary | None = None
    unit: str = ""
    doc: str = ""

    @property
    def dtype(self) -> str:
        """Dtype of the column in memory."""
        return DTYPES[self.kind]

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header that means this column."""
        return (self.name, self.title, *self.aliases)


@dataclass(frozen=True, slots=True, eq=False)
class TableContract:
    """One table of the data folder.

    Attributes:
        name: Canonical name, also the name of its file.
        title: Russian name.
        key: Columns that together name a row; empty cells are allowed in key columns that are not required.
        columns: Canonical column name -> contract, in the order frames have them.
        one_of: Groups of columns of which a file must have at least one (`center_id` or `region_code`).
        doc: What a row is, in one English sentence.
    """

    name: str
    title: str
    key: tuple[str, ...]
    columns: Mapping[str, ColumnContract]
    one_of: tuple[tuple[str, ...], ...] = ()
    doc: str = ""

    def column_of(self, header: str) -> str | None:
        """Canonical name of the column that `header` means, or None.

        >>> from kcrr_analysis.tables.contracts import TABLES
        >>> TABLES["centers"].column_of("Код  Региона")
        'region_code'
        """
        return _headers(self).get(normal_header(header))


_MARKS = re.compile(r"[\s_\-–—.,:;«»\"'()/\\]+")


def normal_header(header: str) -> str:
    """`header` without what people vary: case, spaces, punctuation, ё.

    >>> normal_header(" Учётная  ЗАПИСЬ, чел. ") == normal_header("учетная запись чел")
    True
    """
    return _MARKS.sub(" ", header.casefold().replace("ё", "е").replace("²", "2")).strip()


@cache
def _headers(table: TableContract) -> Mapping[str, str]:
    return {normal_header(header): c.name for c in table.columns.values() for header in c.headers}
