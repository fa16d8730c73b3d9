"""A data folder -> tables, or everything that is wrong with it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.errors import DataError, Fault, ParameterError
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.paths import resolve
from kcrr_analysis.tables import prepared
from kcrr_analysis.tables.check import CheckResult
from kcrr_analysis.tables.columns import normal_header
from kcrr_analysis.tables.consistency import inconsistencies
from kcrr_analysis.tables.contracts import ALL, TABLES
from kcrr_analysis.tables.folder import MAPPING_FILE, Folder, TableFile, notice, survey, unknown_files
from kcrr_analysis.tables.mapped import mapped
from kcrr_analysis.tables.mapping import TableMapping, matched, read_mapping
from kcrr_analysis.tables.places import Places, center_regions, row_regions
from kcrr_analysis.tables.readers import Grid, UnreadableFileError, read, sha256
from kcrr_analysis.tables.records import Foreign, Records, Stack, records, stack
from kcrr_analysis.tables.rules import broken
from kcrr_analysis.tables.stored import faults_of, large_tables, stored_table
from kcrr_analysis.tables.table_set import Source, StoredTable, Tables


def load(
    folder: Path | str,
    *,
    region: str | None = None,
    only: Iterable[str] | None = None,
    mapping: Path | str | None = None,
) -> Tables:
    """The tables of a data folder.

    Args:
        folder: Data folder, from the kit's root unless absolute.
        region: Keep the rows of this region alone; faults of other regions do not matter then.
        only: Names of the tables to read; all by default.
        mapping: YAML that brings foreign files to the tables; `mapping.yaml` of the folder by default.

    Raises:
        DataError: The data have errors; all of them.
        ParameterError: The folder, a table name, the region or the mapping cannot be used.
    """
    result = check(folder, region=region, only=only, mapping=mapping)
    if result.errors:
        raise DataError(result.errors)
    return result.tables


def check(
    folder: Path | str,
    *,
    region: str | None = None,
    only: Iterable[str] | None = None,
    mapping: Path | str | None = None,
) -> CheckResult:
    """What is in a data folder and everything that is wrong with it; see `load` for the arguments.

    Raises:
        ParameterError: The folder, a table name, the region or the mapping cannot be used.
    """
    path = resolve(folder)
    wanted = _wanted(only)
    if region is not None and not re.fullmatch(r"\d{2}", region):
        raise ParameterError(f"Код региона «{region}» не подходит: нужны две цифры, например 01 или 77.")
    found = survey(path)
    dictionaries = methodology.load(path if (path / "methodology").exists() else None)
    reading = _Reading(dictionaries, region)
    claimed = reading.mapped(found, mapping, wanted | {"centers"})
    needed = wanted | {"centers"}
    files = [
        file
        for file in found.files
        if file.table in needed and file.region in {None, region or file.region} and file.path not in claimed
    ]
    large = {name: kept for name, kept in large_tables(files).items() if name not in reading.parts}
    for file in files:
        if file.table not in large:
            reading.add(file)
    faults = [*found.faults, *reading.faults]
    if wanted == set(TABLES):
        faults += unknown_files(found, claimed, with_mapping=bool(claimed) or mapping is not None)
    stacks = {name: stack(TABLES[name], reading.parts[name]) for name in TABLES if name in reading.parts}
    centers = center_regions(stacks)
    stacks = {name: _completed(one, centers, dictionaries) for name, one in stacks.items()}
    places = Places(stacks, centers)
    for part in (part for one in stacks.values() for part in one.parts):
        faults += [places.placed(fault) for fault in (*part.faults, *_failures(part))]
    faults += [places.placed(fault) for fault in inconsistencies(stacks, dictionaries, partial=region is not None)]
    stored: dict[str, StoredTable] = {}
    for name, kept_files in large.items():
        stored[name] = stored_table(
            kept_files, name, region, [str(c) for c in centers.index[(centers == region).fillna(False)]]
        )
        labels = {one.file.path.as_posix(): one.file.label for one in kept_files}
        faults += faults_of(stored[name], name, labels, dictionaries, {str(k) for k in centers.index})
        reading.sources += [
            Source(name, one.file.label, one.rows, sha256(one.file.path), one.columns) for one in kept_files
        ]
    kept = _kept(faults, region, wanted)
    frames = {name: _of_region(one.frame, region, centers) for name, one in stacks.items() if name in wanted}
    errors = tuple(fault for fault in kept if fault.severity == "error")
    warnings = tuple(fault for fault in kept if fault.severity == "warning")
    sources = tuple(source for source in reading.sources if source.table in wanted)
    tables = Tables(
        MappingProxyType(frames), path, region, warnings, sources, notice(path), MappingProxyType(stored),
        _region_names(stacks),
    )  # fmt: skip
    return CheckResult(tables, errors, warnings, sources)


def _wanted(only: Iterable[str] | None) -> set[str]:
    if only is None:
        return set(TABLES)
    names = {only} if isinstance(only, str) else set(only)
    unknown = sorted(names - set(TABLES))
    if unknown:
        raise ParameterError(f"Неизвестные таблицы: {', '.join(unknown)}. Есть: {', '.join(TABLES)}.")
    return names


@dataclass
class _Reading:
    """Files as they are read, one after another."""

    dictionaries: Methodology
    region: str | None
    parts: dict[str, list[Records]] = field(default_factory=lambda: defaultdict(list))
    sources: list[Source] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, file: TableFile) -> None:
        """Reads a canonical file; what cannot be read becomes a fault."""
        table = TABLES[file.table]
        try:
            share = prepared.take(file.path, self.region) if self._apart(table.name) and self.region else None
            grid = share.grid if share else read(file.path, file.label)
            digest = share.sha256 if share else sha256(file.path)
            part = records(grid, table, foreign=self._foreign(table.name, file.path, grid, digest))
        except UnreadableFileError as error:
            self.faults.append(replace(error.fault, table=table.name, region_code=file.region))
            return
        if table.name == "flow":
            part = _with_scope(part)
        if file.region is not None:
            part = _of_folder(part, file.region)
        self.parts[table.name].append(part)
        self.sources.append(
            Source(table.name, part.label, share.records if share else grid.records, digest, _given(part))
        )

    def _apart(self, table: str) -> bool:
        """Whether other regions' rows of the table are left out; centres are needed whole."""
        return self.region is not None and table != "centers"

    def _foreign(self, table: str, file: Path, grid: Grid, digest: str) -> Foreign | None:
        """Rows that certainly belong to another region than the one wanted; centres are needed whole."""
        if not self._apart(table):
            return None
        region = self.region
        parts = self.parts.get("centers", [])
        centers = center_regions({"centers": stack(TABLES["centers"], parts)} if parts else {})

        def foreign(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
            codes = row_regions(frame, centers)
            prepared.keep(file, grid, digest, codes)
            return (codes.notna() & (codes != region).fillna(False)).to_numpy(dtype=bool)

        return foreign

    def mapped(self, found: Folder, mapping: Path | str | None, wanted: set[str]) -> frozenset[Path]:
        """Reads the files that the mapping names; gives all of them, those of other tables too."""
        path = found.path / MAPPING_FILE if mapping is None else resolve(mapping)
        if mapping is None and not path.is_file():
            return frozenset()
        claimed: set[Path] = set()
        for one in read_mapping(path).tables:
            files = matched(found.path, one)
            claimed.update(files)
            if one.table not in wanted:
                continue
            if not files:
                patterns = ", ".join(one.files)
                self.faults.append(
                    Fault(patterns, None, "", "", f"нет файлов, названных в соответствии {path.name}",
                          "Положите файл в папку с данными или исправьте files.", "error", one.table)
                )  # fmt: skip
            for file in files:
                self._add_mapped(file, file.relative_to(found.path).as_posix(), one)
        return frozenset(claimed)

    def _add_mapped(self, file: Path, label: str, one: TableMapping) -> None:
        try:
            digest = sha256(file)
            parts = mapped(file, label, one, self.dictionaries)
        except UnreadableFileError as error:
            self.faults.append(replace(error.fault, table=one.table))
            return
        for part in parts:
            self.parts[one.table].append(_with_scope(part) if one.table == "flow" else part)
            self.sources.append(Source(one.table, part.label, len(part.rows), digest, _given(part)))


def _given(part: Records) -> tuple[str, ...]:
    return tuple(name for name in part.headers if name in part.table.columns)


def _with_scope(part: Records) -> Records:
    """Flow rows without a level: a centre's row where there is a centre, else a region's."""
    frame = part.frame
    empty = frame["scope"].isna() & ~_bad(part, "scope")
    if not empty.any():
        return part
    due = pd.Series(np.where(frame["center_id"].notna(), "center", "region"), index=frame.index, dtype="string")
    return replace(part, frame=frame.assign(scope=frame["scope"].mask(empty, due)))


def _bad(part: Records, column: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return part.unread.get(column, np.zeros(len(part.rows), dtype=bool))


def _of_folder(part: Records, region: str) -> Records:
    """Records of a region's own folder: its code where the rows have none, a fault where they have another."""
    if "region_code" not in part.table.columns:
        return replace(part, faults=tuple(replace(fault, region_code=region) for fault in part.faults))
    codes = part.frame["region_code"]
    foreign = (codes != region).fillna(False).to_numpy(dtype=bool)
    faults = [
        part.fault(
            int(at), "region_code", codes.iloc[at], f"строка другого региона в папке региона {region}",
            "Перенесите строку в папку её региона.",
        )
        for at in np.flatnonzero(foreign)
    ]  # fmt: skip
    lacking = "region_code" not in part.headers
    kept = [f for f in part.faults if not (lacking and f.row is None and f.column == "region_code")]
    frame = part.frame.assign(region_code=codes.fillna(region))
    return replace(part, frame=frame, faults=tuple(replace(fault, region_code=region) for fault in (*kept, *faults)))


def _failures(part: Records) -> tuple[Fault, ...]:
    """Cells that break the contract; pandera is imported only if there are any."""
    if not broken(part.table, part.frame):
        return ()
    from kcrr_analysis.tables.schema import failures

    return failures(part)


def _completed(one: Stack, centers: pd.Series[Any], dictionaries: Methodology) -> Stack:
    """Titles of dictionaries as codes; the region of a centre's row and the scope of a flow row filled in."""
    columns, frame = one.table.columns, one.frame
    changed: dict[str, pd.Series[Any]] = {}
    if "center_id" in columns and "region_code" in columns and one.table.name != "centers" and len(centers):
        own = frame["center_id"].map(centers).astype("string")
        changed["region_code"] = frame["region_code"].fillna(own)
    for column in columns.values():
        codes = _codes_by_title(column.dictionary, dictionaries)
        if codes:
            values = changed.get(column.name, frame[column.name])
            titles = {word: codes[normal_header(word)] for word in values.dropna().unique()
                      if normal_header(word) in codes and codes[normal_header(word)] != word}  # fmt: skip
            if titles:
                changed[column.name] = values.replace(titles)
    return replace(one, frame=frame.assign(**changed)) if changed else one


def _codes_by_title(dictionary: str | None, dictionaries: Methodology) -> dict[str, str]:
    if dictionary == "groups":
        words = {normal_header(group.title): code for code, group in dictionaries.groups.items()}
        return words | {normal_header(code): code for code in dictionaries.groups} | _ALL_WORDS
    if dictionary == "tools":
        words = {normal_header(tool.title): code for code, tool in dictionaries.tools.items()}
        return words | {normal_header(code): code for code in dictionaries.tools}
    return {}


_ALL_WORDS = dict.fromkeys(("все", "всего", "итого", "все клиенты", "все граждане"), ALL)


def _of_region(frame: pd.DataFrame, region: str | None, centers: pd.Series[Any]) -> pd.DataFrame:
    if region is None or not {"region_code", "center_id"} & set(frame.columns):
        return frame
    mine = (row_regions(frame, centers) == region).fillna(False)
    return frame[mine].reset_index(drop=True)


def _kept(faults: Iterable[Fault], region: str | None, wanted: set[str]) -> list[Fault]:
    kept = {
        fault for fault in faults
        if (region is None or fault.region_code in {None, region})
        and (not fault.table or fault.table in wanted)
    }  # fmt: skip
    return sorted(kept, key=lambda f: (f.file, f.row or 0, f.column, f.message, f.value))


def _region_names(stacks: Mapping[str, Stack]) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for table in ("external_series", "centers"):
        if table in stacks:
            frame = stacks[table].frame[["region_code", "region_name"]].dropna().drop_duplicates("region_code")
            names |= dict(zip(frame["region_code"], frame["region_name"], strict=True))
    return MappingProxyType(names)
