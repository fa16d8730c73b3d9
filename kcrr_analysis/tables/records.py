"""A grid and a contract -> typed records, with every fault placed at its cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import Fault, Severity
from kcrr_analysis.tables.columns import ColumnContract, TableContract, normal_header
from kcrr_analysis.tables.readers import Grid
from kcrr_analysis.tables.values import WANTED, cell_text, parse

Rows = np.ndarray[Any, np.dtype[np.int64]]
Foreign = Callable[[pd.DataFrame], np.ndarray[Any, np.dtype[np.bool_]]]
"""Typed `region_code` and `center_id` (those there are) -> True for rows of other regions."""


@dataclass(frozen=True, slots=True)
class Records:
    """Typed rows of one file of one table.

    Attributes:
        label: File (and sheet) name for messages.
        table: What the table promises.
        frame: All columns of the contract in its order, then the file's extra columns; index 0, 1, ...
        rows: Row number of each record in its file.
        headers: Canonical column -> header as it is written in the file, for columns that the file has.
        faults: Faults of reading and typing.
        unread: Canonical column that the file has -> True where a cell could not be read.
        cells: Canonical column -> header that each cell stood under, where a mapping turned columns into rows.
    """

    label: str
    table: TableContract
    frame: pd.DataFrame
    rows: Rows
    headers: Mapping[str, str]
    faults: tuple[Fault, ...]
    unread: Mapping[str, np.ndarray[Any, np.dtype[np.bool_]]]
    cells: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def fault(  # noqa: PLR0917 - the order of a fault's own fields
        self, position: int | None, column: str, value: object, message: str, remedy: str,
        severity: Severity = "error", other: str = "",
    ) -> Fault:  # fmt: skip
        """A fault at the record number `position` (None: the whole file) in canonical `column`."""
        row = None if position is None else int(self.rows[position])
        shown = "" if value is None or value is pd.NA or value is pd.NaT else _shown(value)
        header = self.headers.get(column, column)
        if position is not None and column in self.cells:
            header = str(self.cells[column][position])
        return Fault(self.label, row, header, shown, message, remedy, severity, self.table.name, other=other)


def _shown(value: object) -> str:
    """A cell as an analyst writes it: decimal comma, a date without a clock."""
    if isinstance(value, pd.Timestamp) and value.tz is None:
        text = value.date().isoformat()
    else:
        text = cell_text(value).strip()
        text = text.replace(".", ",") if isinstance(value, float) else text
    return text if len(text) <= 80 else text[:79] + "…"


def records(
    grid: Grid,
    table: TableContract,
    *,
    written: Mapping[str, str] | None = None,
    cells: Mapping[str, np.ndarray[Any, Any]] | None = None,
    foreign: Foreign | None = None,
) -> Records:
    """`grid` as records of `table`: headers matched, cells typed.

    Args:
        grid: Cells of one sheet.
        table: What the table promises.
        written: Canonical column -> header in the source file, where a mapping renamed it.
        cells: Canonical column -> source header of each cell, where a mapping turned columns into rows.
        foreign: Tells from the typed columns `region_code` and `center_id` which rows to leave out unread.
    """
    headers, body, rows = _header(grid)
    faults = [*grid.faults]
    names, found = _names(headers, table, grid.label, faults)
    found |= dict(written or {})
    columns: dict[str, pd.Series[Any]] = {}
    unread: dict[str, np.ndarray[Any, np.dtype[np.bool_]]] = {}
    positions = {name: at for at, name in enumerate(names) if name}
    any_rows = len(rows) > 0
    if foreign is not None:
        body, rows = _own_rows(body, rows, table, positions, foreign)
    draft = Records(grid.label, table, pd.DataFrame(), rows, found, (), {}, cells or {})
    for column in table.columns.values():
        if column.name in positions:
            raw = body.iloc[:, positions[column.name]].reset_index(drop=True)
            parsed = parse(raw, column)
            columns[column.name], unread[column.name] = parsed.values, parsed.bad
            faults += _unreadable(draft, column, raw, parsed.bad)
            if parsed.mended.any():
                faults.append(_mended(draft, column, raw, parsed.mended))
        else:
            columns[column.name] = _absent(column, len(rows))
    for at, name in enumerate(names):
        if name and name not in columns:
            columns[name] = body.iloc[:, at].reset_index(drop=True)
    faults += _unnamed(draft, headers, body) if found.keys() & table.columns.keys() else []
    if not any_rows:
        faults.append(
            draft.fault(None, "", None, "в файле нет строк с данными", "Заполните файл или уберите его.", "warning")
        )
    faults += [*_lacking(draft, positions.keys() & table.columns.keys()), *_merged(draft, grid)]
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))
    return Records(grid.label, table, frame, rows, found, tuple(faults), unread, cells or {})


def _own_rows(
    body: pd.DataFrame, rows: Rows, table: TableContract, positions: Mapping[str, int], foreign: Foreign
) -> tuple[pd.DataFrame, Rows]:
    placing = {
        name: parse(body.iloc[:, positions[name]].reset_index(drop=True), table.columns[name]).values
        for name in ("region_code", "center_id") if name in positions and name in table.columns
    }  # fmt: skip
    if not placing:
        return body, rows
    keep = ~foreign(pd.DataFrame(placing, index=pd.RangeIndex(len(rows))))
    return body[keep], rows[keep]


def _header(grid: Grid) -> tuple[Sequence[str], pd.DataFrame, Rows]:
    if grid.headers is not None:
        return grid.headers, grid.cells, grid.rows
    first = ["" if pd.isna(cell) else str(cell).strip() for cell in grid.cells.iloc[0]]
    return first, grid.cells.iloc[1:], grid.rows[1:]


def _names(
    headers: Sequence[str], table: TableContract, label: str, faults: list[Fault]
) -> tuple[list[str], dict[str, str]]:
    """Canonical (or extra) column name of each position, empty for columns left out."""
    names = [table.column_of(header) or header for header in headers]
    found: dict[str, str] = {}
    counts = Counter(name for name in names if name)
    for name, count in counts.items():
        if count > 1:
            written = [header for header, other in zip(headers, names, strict=True) if other == name]
            same = len(set(written)) == 1
            message = (
                f"заголовок «{written[0]}» стоит {count} раза" if same and count < 5
                else f"заголовок «{written[0]}» стоит {count} раз" if same
                else "несколько столбцов означают одно: " + ", ".join(f"«{header}»" for header in written)
            )  # fmt: skip
            faults.append(Fault(label, None, written[-1], "", message, "Оставьте один из них.", "error", table.name))
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            names[at] = ""
        elif name:
            seen.add(name)
            found[name] = headers[at]
    faults += _misspelt(found, table, label)
    return names, found


def _misspelt(found: Mapping[str, str], table: TableContract, label: str) -> list[Fault]:
    """Columns that the table does not have, close in writing to one that the file lacks."""
    lacking = {
        normal_header(header): column.title
        for column in table.columns.values()
        if column.name not in found
        for header in column.headers
    }
    warnings = []
    for name, header in found.items():
        near = [] if name in table.columns else get_close_matches(normal_header(header), lacking, n=1, cutoff=0.85)
        if near:
            message = f"столбца «{header}» в таблице нет, возможно, это «{lacking[near[0]]}» ({near[0]})"
            remedy = "Исправьте заголовок; пока столбец читается как дополнительный."
            warnings.append(Fault(label, None, header, "", message, remedy, "warning", table.name))
    return warnings


def _unnamed(draft: Records, headers: Sequence[str], body: pd.DataFrame) -> list[Fault]:
    """Columns with values but no header."""
    found = []
    for at, header in enumerate(headers):
        if not header:
            cells = body.iloc[:, at].dropna().astype("string").str.strip()
            if (cells != "").any():
                found.append(
                    draft.fault(None, "", None, f"столбец номер {at + 1} без заголовка, его значения пропущены",
                                "Дайте столбцу заголовок или очистите его.", "warning")
                )  # fmt: skip
    return found


def _merged(draft: Records, grid: Grid) -> list[Fault]:
    """Merged cells below the header: the values of all cells but the first are lost."""
    body = set(draft.rows.tolist())
    return [
        Fault(grid.label, top, "", "", f"объединённые ячейки в данных (строки {top}–{bottom})",
              "Снимите объединение и заполните каждую ячейку.", "error", draft.table.name)
        for top, left, bottom, right in grid.merged if top in body and (bottom, right) != (top, left)
    ]  # fmt: skip


def _absent(column: ColumnContract, length: int) -> pd.Series[Any]:
    if column.default is not None:
        return pd.Series([column.default] * length, dtype="string", name=column.name)
    fill: Any = np.nan if column.dtype == "float64" else pd.NaT if "date" in column.dtype else pd.NA
    if column.kind == "month":
        fill = pd.NaT
    return pd.Series([fill] * length, dtype=column.dtype, name=column.name)


def _unreadable(
    draft: Records, column: ColumnContract, raw: pd.Series[Any], bad: np.ndarray[Any, np.dtype[np.bool_]]
) -> list[Fault]:
    message, remedy = WANTED[column.kind]
    if column.kind == "choice":
        words = ", ".join(f"{code} ({forms[0]})" if forms else code for code, forms in column.choices.items())
        remedy = f"Допустимы: {words}."
    if column.kind == "time":
        return [
            draft.fault(at, column.name, raw.iloc[at], *_time_words(str(raw.iloc[at]), message, remedy))
            for at in np.flatnonzero(bad).tolist()
        ]
    return [draft.fault(at, column.name, raw.iloc[at], message, remedy) for at in np.flatnonzero(bad).tolist()]


def _time_words(text: str, message: str, remedy: str) -> tuple[str, str]:
    naive = pd.to_datetime(text, format="ISO8601", errors="coerce")
    if naive is not pd.NaT and getattr(naive, "tzinfo", None) is None:
        return "у времени нет часового пояса", f"Допишите пояс, например {text.strip().replace(' ', 'T')}+03:00."
    return message, remedy


def _mended(
    draft: Records, column: ColumnContract, raw: pd.Series[Any], mended: np.ndarray[Any, np.dtype[np.bool_]]
) -> Fault:
    at, count = int(np.flatnonzero(mended)[0]), int(mended.sum())
    word = cell_text(raw.iloc[at]).strip()
    more = f" (и ещё строк: {count - 1})" if count > 1 else ""
    return draft.fault(
        at, column.name, word, f"у кода пропал ведущий ноль, прочитано как «0{word}»{more}",
        "Задайте столбцу в Excel текстовый формат.", "warning",
    )  # fmt: skip


def _lacking(draft: Records, given: Collection[str]) -> list[Fault]:
    table = draft.table
    if not given:
        first = ", ".join(f"«{column.title}»" for column in list(table.columns.values())[:3])
        remedy = (
            f"Первая строка должна содержать заголовки ({first}, …); "
            "для чужого формата опишите соответствие в mapping.yaml."
        )
        return [draft.fault(None, "", None, "в первой строке нет заголовков таблицы", remedy)]
    faults = [
        draft.fault(None, column.name, None, f"нет обязательного столбца «{column.title}»",
                    f"Добавьте столбец с заголовком «{column.title}» или {column.name}.")
        for column in table.columns.values() if column.required and column.name not in given
    ]  # fmt: skip
    for group in table.one_of:
        if not set(group) & set(given):
            titles = " или ".join(f"«{table.columns[name].title}»" for name in group)
            faults.append(draft.fault(None, group[0], None, f"нет столбца {titles}", "Добавьте хотя бы один из них."))
    return faults


@dataclass(frozen=True, slots=True)
class Stack:
    """All records of one table, from one or several files.

    Attributes:
        table: What the table promises.
        parts: The files' records, in order.
        frame: Their rows one below the other; index 0, 1, ...
    """

    table: TableContract
    parts: tuple[Records, ...]
    frame: pd.DataFrame

    def place(self, position: int) -> tuple[Records, int]:
        """The part that holds row `position` of the frame, and its position there."""
        for part in self.parts:
            if position < len(part.rows):
                return part, position
            position -= len(part.rows)
        raise IndexError(position)

    def fault(  # noqa: PLR0917 - the order of a fault's own fields
        self, position: int, column: str, message: str, remedy: str, severity: Severity = "error",
        value: object = None, other: str = "",
    ) -> Fault:  # fmt: skip
        """A fault at row `position` of the frame; the value is the cell's unless given."""
        part, at = self.place(position)
        if value is None and column in self.frame.columns:
            value = self.frame[column].iloc[position]
        return part.fault(at, column, value, message, remedy, severity, other)

    def unread(self, column: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """True where the cell of `column` is missing only because it could not be read."""
        return np.concatenate([
            part.unread.get(column, np.zeros(len(part.rows), dtype=bool)) for part in self.parts
        ])  # fmt: skip


def stack(table: TableContract, parts: Sequence[Records]) -> Stack:
    """`parts` of `table` one below the other."""
    if len(parts) == 1:
        return Stack(table, tuple(parts), parts[0].frame)
    extras: dict[str, None] = {}
    for part in parts:
        extras.update(dict.fromkeys(name for name in part.frame.columns if name not in table.columns))
    names = [*table.columns, *extras]
    frames = [part.frame.reindex(columns=names) for part in parts]
    columns = {}
    for name in names:
        pieces = [frame[name] for frame in frames]
        if name in extras and len({str(piece.dtype) for piece in pieces}) > 1:
            pieces = [piece.map(cell_text, na_action="ignore").astype("string") for piece in pieces]
        columns[name] = pd.concat(pieces, ignore_index=True)
    return Stack(table, tuple(parts), pd.DataFrame(columns))
