"""The tables of one data folder as a value that tasks take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.errors import Fault, MissingTableError, ParameterError
from kcrr_analysis.tables.contracts import TABLES

_DATED = {"flow": "month", "external_series": "month", "events": "date", "promotion": "period_end"}
"""Tables that tell the period of the data, in this order, and their column."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a table was read from.

    Attributes:
        table: Canonical table name.
        file: File name relative to the data folder, `/` between parts.
        rows: Records that the file holds, of all regions.
        sha256: SHA-256 of the file's bytes.
        columns: Canonical columns that the file has.
    """

    table: str
    file: str
    rows: int
    sha256: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table that stays in its files because it is too large for memory.

    Attributes:
        paths: Canonical Parquet files.
        columns: Canonical columns that the files have.
        rows: Records in all of them.
        region: Rows of this region alone, or None for all.
        centers: Centres of that region.
    """

    paths: tuple[Path, ...]
    columns: tuple[str, ...]
    rows: int
    region: str | None = None
    centers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables by name: `tables.flow`, `tables["flow"]`, `tables.get("flow")`, `"flow" in tables`.

    A frame has every column of its contract, in its order, then the file's extra columns; columns that the files lack
    are missing throughout (`Source.columns` tells which were given).

    Attributes:
        frames: Table name -> frame.
        folder: The data folder, or None for tables made in memory.
        region: The one region that was kept, or None for all.
        warnings: Faults that weaken the tables.
        sources: Files they were read from.
        notice: What every report made from these data must say (`notice:` in `dataset.yaml`), or empty.
        stored: Tables that stay in their files; `sql` sees them, taking one by name reads it whole.
        named_regions: Region code -> name as the data give it.
    """

    frames: Mapping[str, pd.DataFrame]
    folder: Path | None = None
    region: str | None = None
    warnings: tuple[Fault, ...] = ()
    sources: tuple[Source, ...] = ()
    notice: str = ""
    stored: Mapping[str, StoredTable] = field(default_factory=lambda: MappingProxyType({}))
    named_regions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> pd.DataFrame:
        """The table `name`.

        Raises:
            MissingTableError: It is not in the data folder.
        """
        frame = self.get(name)
        if frame is None:
            known = TABLES.get(name)
            if known is None:
                raise KeyError(name)
            # The folder is not named: the text stands in reports, which are the same on every machine.
            raise MissingTableError(
                f"В данных нет таблицы «{known.title}» ({name}). Добавьте файл {name}.csv или {name}.xlsx."
            )
        return frame

    def __getattr__(self, name: str) -> pd.DataFrame:
        """`tables.flow` is `tables["flow"]`."""
        if name in TABLES:
            return self[name]
        raise AttributeError(name)

    def __contains__(self, name: object) -> bool:
        return name in self.frames or name in self.stored

    def get(self, name: str) -> pd.DataFrame | None:
        """The table `name`, or None where there is none; a stored table is read whole."""
        if name in self.frames:
            return self.frames[name]
        if name in self.stored:
            from kcrr_analysis.tables import duck

            return duck.read_stored(self.stored[name], TABLES[name])
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables there are, in the order of the contracts."""
        return tuple(name for name in TABLES if name in self)

    @property
    def regions(self) -> tuple[tuple[str, str], ...]:
        """(code, name) of every region found in the data, by code."""
        found: set[str] = set()
        for frame in self.frames.values():
            if "region_code" in frame.columns:
                found.update(str(code) for code in frame["region_code"].dropna().unique())
        if self.stored:
            from kcrr_analysis.tables import duck

            for stored in self.stored.values():
                found.update(duck.regions(stored))
        known = methodology.regions()
        return tuple(
            (code, self.named_regions.get(code) or (known[code].name if code in known else code))
            for code in sorted(found)
        )

    @property
    def months(self) -> tuple[pd.Period, pd.Period] | None:
        """First and last month in `flow`, else in the first other dated table that has one; None without any."""
        for name, column in _DATED.items():
            frame = self.frames.get(name)
            if frame is not None and frame[column].notna().any():
                known = frame[column].dropna()
                first, last = known.min(), known.max()
                return (first, last) if column == "month" else (first.to_period("M"), last.to_period("M"))
        return None

    def path(self, name: str) -> tuple[Path, ...]:
        """Files of a stored table, empty for a table in memory."""
        return self.stored[name].paths if name in self.stored else ()

    def replace(self, **frames: pd.DataFrame) -> Tables:
        """A copy with some tables changed or added.

        Args:
            **frames: Table name -> frame.

        Raises:
            ParameterError: A name that is no table.
        """
        unknown = [name for name in frames if name not in TABLES]
        if unknown:
            raise ParameterError(f"Неизвестные таблицы: {', '.join(unknown)}. Есть: {', '.join(TABLES)}.")
        stored = {name: table for name, table in self.stored.items() if name not in frames}
        return replace(self, frames=MappingProxyType({**self.frames, **frames}), stored=MappingProxyType(stored))

    def sql(self, query: str, **frames: Any) -> pd.DataFrame:
        """The result of a DuckDB query over the tables, each a view of its name.

        A month reads as the date of its first day. No file beside the tables' own and no network can be reached.

        Args:
            query: SQL text; values from outside belong into a frame of `frames`, not into the text.
            **frames: More frames, each a view of its name.
        """
        from kcrr_analysis.tables import duck

        return duck.query(self, query, frames)
