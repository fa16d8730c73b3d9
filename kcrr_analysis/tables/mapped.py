"""Foreign files -> records of a canonical table, as a mapping says; faults name the source's own rows and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import Fault
from kcrr_analysis.methodology import Methodology, region_names
from kcrr_analysis.tables.columns import normal_header
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.tables.keys import first_of, group_numbers
from kcrr_analysis.tables.mapping import (
    Aggregation,
    ColumnMapping,
    RowCondition,
    Scaling,
    Subtraction,
    TableMapping,
    Unpivot,
)  # fmt: skip
from kcrr_analysis.tables.readers import Grid, UnreadableFileError, read
from kcrr_analysis.tables.records import Records, Rows, records
from kcrr_analysis.tables.values import cell_text, is_absent, number

Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Work:
    """A source table on its way: text cells by source header, each row with its place in the file.

    Attributes:
        label: File (and sheet) name for messages.
        frame: Source header -> text; index 0, 1, ...
        parts: Source header -> its header cells, top row first.
        rows: Row numbers in the file.
        cells: Column made by unpivoting -> header that each value stood under.
        faults: Found so far.
    """

    label: str
    frame: pd.DataFrame
    parts: Mapping[str, tuple[str, ...]]
    rows: Rows
    cells: Mapping[str, np.ndarray[Any, Any]]
    faults: tuple[Fault, ...]

    def kept(self, keep: Flags) -> _Work:
        """The rows where `keep` is True."""
        cells = {name: headers[keep] for name, headers in self.cells.items()}
        return replace(self, frame=self.frame[keep].reset_index(drop=True), rows=self.rows[keep], cells=cells)


def mapped(path: Path, label: str, mapping: TableMapping, dictionaries: Methodology) -> tuple[Records, ...]:
    """Records of one source file: one value a sheet that the mapping names.

    Args:
        path: The file.
        label: Its name for messages.
        mapping: What its columns mean.
        dictionaries: For names of regions.

    Raises:
        UnreadableFileError: The file cannot be read, or lacks columns that the mapping names.
    """
    sheets: Sequence[str | None] = mapping.sheets or (None,)
    return tuple(
        _sheet(read(path, label, sheet=sheet, skip=mapping.skip_rows), mapping, dictionaries) for sheet in sheets
    )


def _sheet(grid: Grid, mapping: TableMapping, dictionaries: Methodology) -> Records:
    work = _headed(grid, mapping)
    for name in mapping.fill_down:
        column = _source(work, name)
        filled = work.frame[column].mask(work.frame[column].str.strip() == "").ffill().fillna("")
        work = replace(work, frame=work.frame.assign(**{column: filled}))
    if mapping.unpivot is not None:
        work = _long(work, mapping.unpivot)
    for condition in mapping.leave_out:
        work = work.kept(~_meets(work, condition))
    for subtraction in mapping.subtract:
        work = _own_figure(work, subtraction, dictionaries)
    made = _canonical(work, mapping, dictionaries)
    return made if mapping.aggregate is None else _aggregated(made, mapping.aggregate)


def _headed(grid: Grid, mapping: TableMapping) -> _Work:
    """The header's rows joined, cells as text."""
    if grid.headers is not None:
        parts = [(header,) for header in grid.headers]
        cells, rows = grid.cells, grid.rows
    else:
        deep = mapping.header_rows
        if len(grid.cells) < deep:
            raise _refused(grid.label, f"в файле меньше строк, чем в заголовке ({deep})", "Проверьте header_rows.")
        head = [[_clean(cell) for cell in line] for line in grid.cells.iloc[:deep].itertuples(index=False)]
        _spread(head, grid)
        parts = list(zip(*head, strict=True))
        cells, rows = grid.cells.iloc[deep:], grid.rows[deep:]
    names = [" | ".join(dict.fromkeys(part for part in one if part)) for one in parts]
    for name, position in mapping.positions.items():
        if position > len(names):
            raise _refused(grid.label, f"в файле нет столбца номер {position}", "Проверьте positions.")
        names[position - 1] = name
    columns: dict[str, pd.Series[Any]] = {}
    known: dict[str, tuple[str, ...]] = {}
    for at, name in enumerate(names):
        if not name:
            continue
        if name in columns:
            raise _refused(grid.label, f"заголовок «{name}» стоит дважды", "Назовите столбцы по номерам в positions.")
        raw = cells.iloc[:, at].reset_index(drop=True)
        columns[name] = raw.map(cell_text, na_action="ignore").astype("string").fillna("")
        known[name] = parts[at]
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))
    return _Work(grid.label, frame, known, rows, {}, grid.faults)


def _clean(cell: object) -> str:
    return "" if pd.isna(cell) else re.sub(r"\s+", " ", str(cell)).strip()  # type: ignore[call-overload]


def _spread(head: list[list[str]], grid: Grid) -> None:
    """Texts of merged header cells into every cell they cover; without merges, to the right over empty cells."""
    if grid.merged:
        at = {int(row): line for line, row in enumerate(grid.rows[: len(head)])}
        for top, left, bottom, right in grid.merged:
            if top not in at:
                continue
            text = head[at[top]][left]
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    if row in at and column < len(head[0]):
                        head[at[row]][column] = text
        return
    for line in head[:-1]:
        for column in range(1, len(line)):
            line[column] = line[column] or line[column - 1]


def _refused(label: str, message: str, remedy: str) -> UnreadableFileError:
    return UnreadableFileError(Fault(label, None, "", "", message, remedy))


def _source(work: _Work, name: str) -> str:
    """The source column that `name` means."""
    if name in work.frame.columns:
        return name
    wanted = normal_header(name)
    for column in work.frame.columns:
        if normal_header(str(column)) == wanted:
            return str(column)
    known = ", ".join(f"«{column}»" for column in list(work.frame.columns)[:12])
    raise _refused(
        work.label, f"нет столбца «{name}», который назван в соответствии (mapping)",
        f"Исправьте имя столбца; в файле есть: {known}.",
    )  # fmt: skip


def _long(work: _Work, unpivot: Unpivot) -> _Work:
    keep = [_source(work, name) for name in unpivot.keep]
    leave = {_source(work, name) for name in unpivot.leave}
    wide = [str(name) for name in work.frame.columns if name not in keep and name not in leave]
    count, length = len(wide), len(work.frame)
    columns: dict[str, Any] = {name: work.frame[name].repeat(count).to_numpy() for name in keep}
    for at, name in enumerate(unpivot.names_to):
        texts = [_part(work.parts[header], header, at, len(unpivot.names_to)) for header in wide]
        columns[name] = np.tile(np.array(texts, dtype=object), length)
    values = work.frame[wide].to_numpy(dtype=object).reshape(-1) if wide else np.array([], dtype=object)
    columns[unpivot.values_to] = values
    frame = pd.DataFrame({name: pd.array(cells, dtype="string") for name, cells in columns.items()})
    headers = np.tile(np.array(wide, dtype=object), length)
    cells = {unpivot.values_to: headers} | dict.fromkeys(unpivot.names_to, headers)
    return _Work(work.label, frame, {}, np.repeat(work.rows, count), cells, work.faults)


def _part(parts: tuple[str, ...], header: str, at: int, wanted: int) -> str:
    if wanted == 1:
        return header
    return parts[at] if at < len(parts) else ""


def _word(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())


def _by_value(values: pd.Series[Any]) -> tuple[np.ndarray[Any, Any], list[str]]:
    codes, uniques = pd.factorize(values)
    return codes, [str(value) for value in uniques]


def _meets(work: _Work, condition: RowCondition) -> Flags:
    codes, words = _by_value(work.frame[_source(work, condition.column)])
    listed = {_word(value) for value in condition.values}
    pattern = re.compile(condition.matches) if condition.matches else None
    hits = [
        _word(word) in listed
        or (pattern is not None and pattern.fullmatch(word.strip()) is not None)
        or (condition.empty and is_absent(word))
        for word in words
    ]
    return np.asarray(np.array([*hits, False], dtype=bool)[codes])


def _own_figure(work: _Work, subtraction: Subtraction, dictionaries: Methodology) -> _Work:
    """The whole's figure minus its parts', within rows equal in every other column."""
    names, values = _source(work, subtraction.column), _source(work, subtraction.value)
    others = [name for name in work.frame.columns if name not in {names, values}]
    codes, words = _by_value(work.frame[names])
    spelled = np.array([_word(word) for word in words], dtype=object)[codes]
    group = (
        work.frame.groupby(others, dropna=False, sort=False).ngroup().to_numpy()
        if others
        else np.zeros(len(codes), int)
    )
    figures = _numbers(work.frame[values])
    whole = np.flatnonzero(spelled == _word(subtraction.whole))
    result = pd.Series(figures[whole], index=group[whole])
    for part in subtraction.parts:
        at = np.flatnonzero(spelled == _word(part))
        result = result - pd.Series(figures[at], index=group[at]).reindex(result.index)
    texts = work.frame[values].copy()
    texts.iloc[whole] = [
        "" if np.isnan(own) else cell_text(round(float(own), 9)) for own in result.to_numpy(dtype="float64")
    ]
    lost = int((np.isnan(result.to_numpy(dtype="float64")) & ~np.isnan(figures[whole])).sum())
    faults = work.faults
    if lost:
        parts = ", ".join(f"«{part}»" for part in subtraction.parts)
        lost_figure = Fault(
            work.label, None, "", "",
            f"собственное значение «{subtraction.whole}» не вычислено (строк: {lost}): "
            f"нет значения одной из частей ({parts})",
            "Дополните источник или учтите пропуск в выводах.", "warning",
            region_code=_region_code(dictionaries, subtraction.whole),
        )  # fmt: skip
        faults = (*faults, lost_figure)
    return replace(work, frame=work.frame.assign(**{values: texts}), faults=faults)


def _numbers(values: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    codes, words = _by_value(values)
    read_as = [number(word) for word in words]
    table = np.array([*(np.nan if value is None else value for value in read_as), np.nan], dtype="float64")
    return np.asarray(table[codes])


@dataclass(frozen=True, slots=True)
class _Converted:
    """A canonical column as text; rows to leave out; cells that mean nothing known; what is wrong with them."""

    values: pd.Series[Any]
    drop: Flags
    lost: Flags
    faults: tuple[Fault, ...]


def _canonical(work: _Work, mapping: TableMapping, dictionaries: Methodology) -> Records:
    table = TABLES[mapping.table]
    columns: dict[str, pd.Series[Any]] = {}
    written = {name: _source(work, column.source) for name, column in mapping.columns.items()}
    made = {name: _converted(work, written[name], column, dictionaries) for name, column in mapping.columns.items()}
    columns |= {name: one.values for name, one in made.items()}
    for name, constant in mapping.constants.items():
        columns[name] = pd.Series([constant] * len(work.frame), dtype="string")
    for name in mapping.extras:
        source = _source(work, name)
        columns.setdefault(source, work.frame[source])
    keep = ~np.logical_or.reduce([one.drop for one in made.values()] or [np.zeros(len(work.frame), dtype=bool)])
    faults = (*work.faults, *(fault for one in made.values() for fault in one.faults))
    kept = replace(work, frame=pd.DataFrame(columns)).kept(keep)
    headers = tuple(str(name) for name in kept.frame.columns)
    grid = Grid(
        work.label, kept.frame.set_axis(range(len(headers)), axis=1), kept.rows, headers=headers,
        faults=tuple(replace(fault, table=table.name) for fault in faults),
    )  # fmt: skip
    cells = {name: kept.cells[source] for name, source in written.items() if source in kept.cells}
    typed = records(grid, table, written=written, cells=cells)
    unread = {name: flags | made[name].lost[keep] if name in made else flags for name, flags in typed.unread.items()}
    return replace(typed, unread=unread)


def _converted(work: _Work, source: str, column: ColumnMapping, dictionaries: Methodology) -> _Converted:
    values = work.frame[source]
    drop, lost = np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    faults: list[Fault] = []
    if column.multiply is not None:
        values = _scaled(work, values, column.multiply)
    if column.codes:
        codes, words = _by_value(values)
        known = {_word(word): code for word, code in column.codes.items()}
        unknown = [_word(word) not in known and not is_absent(word) for word in words]
        beyond = np.array([*unknown, False], dtype=bool)[codes]
        values = _recoded(codes, words, known)
        if column.others == "drop":
            drop = beyond
        elif column.others == "error":
            lost = beyond
            faults += _unknown(
                work, source, codes, unknown, message="значения нет в перечне codes соответствия (mapping)",
                remedy="Добавьте значение в codes или укажите others: drop либо keep.",
            )  # fmt: skip
    if column.regions:
        codes, words = _by_value(values)
        found = [None if is_absent(word) else _region_code(dictionaries, word) for word in words]
        unknown = [code is None and not is_absent(word) for word, code in zip(words, found, strict=True)]
        lost = lost | np.array([*unknown, False], dtype=bool)[codes]
        faults += _unknown(
            work, source, codes, unknown, message="регион с таким названием не найден",
            remedy="Исправьте название, добавьте его в methodology/regions.yaml (aliases) "
            "или исключите строку в leave_out.",
        )  # fmt: skip
        values = _recoded(codes, words, {_word(word): code or "" for word, code in zip(words, found, strict=True)})
    return _Converted(values.reset_index(drop=True).mask(lost, ""), drop, lost, tuple(faults))


def _region_code(dictionaries: Methodology, name: str) -> str | None:
    region = region_names.find(dictionaries.regions, name)
    return None if region is None else region.code


def _recoded(codes: np.ndarray[Any, Any], words: list[str], known: Mapping[str, str]) -> pd.Series[Any]:
    table = np.array([*(known.get(_word(word), word) for word in words), ""], dtype=object)
    return pd.Series(table[codes], dtype="string")


def _unknown(
    work: _Work, source: str, codes: np.ndarray[Any, Any], unknown: list[bool], *, message: str, remedy: str
) -> list[Fault]:
    """One fault for each value of which nothing is known, at its first row."""
    faults = []
    for code in np.flatnonzero(unknown):
        places = np.flatnonzero(codes == code)
        at = int(places[0])
        more = f" (строк: {len(places)})" if len(places) > 1 else ""
        header = str(work.cells[source][at]) if source in work.cells else source
        word = " ".join(str(work.frame[source].iloc[at]).split())
        faults.append(Fault(work.label, int(work.rows[at]), header, word[:80], message + more, remedy))
    return faults


def _scaled(work: _Work, values: pd.Series[Any], multiply: float | Scaling) -> pd.Series[Any]:
    """Figures times the factor; what is no number stays as it is, for the parser to name."""
    if isinstance(multiply, Scaling):
        codes, words = _by_value(work.frame[_source(work, multiply.by)])
        known = {_word(word): factor for word, factor in multiply.factors.items()}
        factors = np.array([known.get(_word(word), multiply.others) for word in words], dtype="float64")[codes]
    else:
        factors = np.full(len(values), multiply)
    figures = _numbers(values)
    scaled = np.round(figures * factors, 9)
    texts = values.to_numpy(dtype=object).copy()
    at = np.flatnonzero(~np.isnan(figures))
    texts[at] = [cell_text(float(figure)) for figure in scaled[at]]
    return pd.Series(texts, dtype="string")


def _aggregated(made: Records, aggregate: Aggregation) -> Records:
    """Records equal in the columns of `by` as one, at the row of the first."""
    frame, table, by = made.frame, made.table, list(aggregate.by)
    numbers = group_numbers(frame, by)
    first = first_of(numbers)
    columns = {name: frame[name].iloc[first].reset_index(drop=True) for name in by}
    groups = frame.groupby(numbers)
    columns |= {name: groups[name].sum(min_count=1).reset_index(drop=True) for name in aggregate.sum}
    columns |= {name: groups[name].mean().reset_index(drop=True) for name in aggregate.mean}
    done = {}
    for name, column in table.columns.items():
        values = columns.get(name)
        if values is None:
            values = frame[name].iloc[first].reset_index(drop=True)
            values = values.mask(np.ones(len(values), dtype=bool))
        done[name] = values.astype(pd.api.types.pandas_dtype(column.dtype))
    extras = {name: columns[name] for name in by if name not in table.columns}
    unread = {
        name: np.bincount(numbers, weights=flags, minlength=len(first)) > 0 for name, flags in made.unread.items()
    }
    frame = pd.DataFrame(done | extras, index=pd.RangeIndex(len(first)))
    return replace(made, frame=frame, rows=made.rows[first], unread=unread, cells={})
