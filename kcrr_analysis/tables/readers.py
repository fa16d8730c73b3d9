"""Files -> grids of cells with the row numbers that a spreadsheet shows.

CSV in UTF-8 (with or without BOM), UTF-16 or Windows-1251, separated by `,` `;` or tab; XLSX and XLS;
Parquet. Nothing is interpreted here: a cell of a text file or a workbook is text, a cell of Parquet keeps its type.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.errors import Fault
from kcrr_analysis.tables.values import cell_text

SUFFIXES = (".csv", ".xlsx", ".xls", ".parquet")
"""File types that hold tables."""


class UnreadableFileError(Exception):
    """The file cannot be read at all; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one sheet.

    Attributes:
        label: File (and sheet) name for messages.
        cells: One column a position (0, 1, ...), no header taken out unless `headers` is given.
        rows: Row number of each line of `cells`, as a spreadsheet shows it (Parquet: the record's number).
        headers: Column names that the format itself holds (Parquet), else None.
        merged: Merged ranges as (first row, first column, last row, last column): row numbers, column positions.
        faults: What was wrong while reading.
    """

    label: str
    cells: pd.DataFrame
    rows: np.ndarray[Any, np.dtype[np.int64]]
    headers: tuple[str, ...] | None = None
    merged: tuple[tuple[int, int, int, int], ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def records(self) -> int:
        """Lines below a header of one row (all lines where the format itself holds the header)."""
        return len(self.rows) - (self.headers is None)


def sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, label: str, *, sheet: str | None = None, skip: int = 0) -> Grid:
    """The cells of one file.

    Args:
        path: The file; its suffix tells the format.
        label: Its name for messages.
        sheet: Name of the sheet of a workbook; None takes the only sheet with content, or the first of them.
        skip: Lines to leave out at the top (a preamble whose width differs from the table's).

    Raises:
        UnreadableFileError: The file cannot be read at all.
    """
    suffix = path.suffix.casefold()
    try:
        if suffix == ".csv":
            return _read_csv(path.read_bytes(), label, skip)
        if suffix == ".parquet":
            return _read_parquet(path, label)
        return _read_workbook(path.read_bytes(), label, sheet, skip)
    except PermissionError as error:
        raise _unreadable(
            label, "файл не открывается: нет доступа", "Закройте файл в Excel и проверьте права на чтение."
        ) from error
    except OSError as error:
        raise _unreadable(label, "файл не открывается", "Проверьте, что файл на месте и диск доступен.") from error


def sheet_names(path: Path, label: str) -> tuple[str, ...]:
    """Names of the visible sheets of a workbook, in order.

    Raises:
        UnreadableFileError: Not a workbook.
    """
    book = _workbook(path.read_bytes(), label)
    return _visible(book)


def _unreadable(label: str, message: str, remedy: str) -> UnreadableFileError:
    return UnreadableFileError(Fault(label, None, "", "", message, remedy))


def _empty(label: str) -> UnreadableFileError:
    return _unreadable(label, "файл пуст", "Заполните файл или уберите его из папки.")


def _decode(content: bytes, label: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif content.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    else:
        encoding = "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1251")
        except UnicodeDecodeError as error:
            raise _unreadable(
                label, "кодировка файла не распознана", "Сохраните файл как CSV UTF-8 (или Windows-1251)."
            ) from error
    if "\x00" in text:
        raise _unreadable(
            label, "это не текстовый файл CSV", "Сохраните таблицу как CSV или поправьте расширение имени файла."
        )
    return text


def _delimiter(text: str) -> str:
    """The separator under which the first lines agree best on the largest number of fields."""
    sample = text[:65536].splitlines()[:50]
    best, best_score = ",", 0.0
    for mark in (";", "\t", ","):
        try:
            widths = [len(row) for row in csv.reader(sample, delimiter=mark) if row]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        score = sum(width == widths[0] for width in widths) / len(widths) + min(widths[0], 100) / 1000
        if score > best_score + 1e-9:
            best, best_score = mark, score
    return best


def _read_csv(content: bytes, label: str, skip: int) -> Grid:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    text = _decode(content, label)
    if not text.strip():
        raise _empty(label)
    skip += int(skip == 0 and re.match(r"sep=.\r?\n", text, re.IGNORECASE) is not None)  # a line that Excel puts first
    body = _without_lines(text, skip)
    lead = len(body) - len(body.lstrip("\r\n"))
    skip += body[:lead].count("\n")
    body = body[lead:]
    if not body:
        raise _empty(label)
    mark = _delimiter(body)
    width = len(next(csv.reader(io.StringIO(body, newline=""), delimiter=mark), [""])) or 1
    refused: list[tuple[int, str]] = []

    def refuse(row: Any) -> str:
        refused.append((row.number, row.text))
        return "skip"

    data = body.encode("utf-8")
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(use_threads=False, autogenerate_column_names=True, block_size=1 << 25),
            parse_options=arrow_csv.ParseOptions(
                delimiter=mark, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            convert_options=arrow_csv.ConvertOptions(
                strings_can_be_null=False, column_types={f"f{n}": pa.string() for n in range(width)}
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unclosed_quote(label) from error
    cells = pd.DataFrame({n: pd.Series(pd.arrays.ArrowStringArray(column)) for n, column in enumerate(table.columns)})
    numbers = np.delete(np.arange(1, len(cells) + len(refused) + 1), [number - 1 for number, _ in refused])
    if len(cells) and body.count('"') % 2 and "\n" in str(cells.iat[-1, -1]):
        raise _unclosed_quote(label)
    return _with_refused(label, cells, numbers, refused, mark=mark, skip=skip)


def _without_lines(text: str, skip: int) -> str:
    for _ in range(skip):
        _, _, text = text.partition("\n")
    return text


def _unclosed_quote(label: str) -> UnreadableFileError:
    return _unreadable(
        label, "строки файла не разделяются на столбцы: кавычка не закрыта",
        "Проверьте кавычки: каждая открытая кавычка должна быть закрыта.",
    )  # fmt: skip


def _with_refused(
    label: str,
    cells: pd.DataFrame,
    numbers: np.ndarray[Any, np.dtype[np.int64]],
    refused: Sequence[tuple[int, str]],
    *,
    mark: str,
    skip: int,
) -> Grid:
    """Rows of another width: extra empty fields are dropped, anything else is a fault."""
    width, faults = cells.shape[1], []
    kept: list[tuple[int, list[str]]] = []
    for number, text in refused:
        try:
            fields = next(csv.reader([text.rstrip("\r\n")], delimiter=mark), [])
        except csv.Error as error:  # a field that swallows the rest of a large file
            raise _unclosed_quote(label) from error
        if len(fields) > width and not any(field.strip() for field in fields[width:]):
            kept.append((number, fields[:width]))
        elif any(field.strip() for field in fields):
            remedy = (
                "Возьмите значения с запятыми в кавычки или разделите столбцы точкой с запятой."
                if mark == "," and len(fields) > width
                else "Проверьте, не пропущен ли разделитель и не попал ли он внутрь значения."
            )
            message = f"в строке полей: {len(fields)}, а в заголовке: {width}"
            faults.append(Fault(label, number + skip, "", text.strip()[:80], message, remedy))
    if kept:
        extra = pd.DataFrame([row for _, row in kept]).astype("string")
        cells = pd.concat([cells.astype("string"), extra], ignore_index=True)
        numbers = np.concatenate([numbers, [number for number, _ in kept]])
        order = np.argsort(numbers, kind="stable")
        cells, numbers = cells.iloc[order].reset_index(drop=True), numbers[order]
    return _without_blank(Grid(label, cells, numbers + skip, faults=tuple(faults)))


def _without_blank(grid: Grid) -> Grid:
    """Without lines in which every cell is empty.

    Raises:
        UnreadableFileError: Nothing is left.
    """
    if grid.cells.shape[1]:
        first = grid.cells.iloc[:, 0]
        suspects = np.flatnonzero((first.isna() | (first.str.strip() == "")).to_numpy(dtype=bool, na_value=True))
        if len(suspects):
            part = grid.cells.iloc[suspects].fillna("")
            blank = (part.apply(lambda column: column.str.strip()) == "").all(axis=1).to_numpy(dtype=bool)
            keep = np.ones(len(grid.cells), dtype=bool)
            keep[suspects[blank]] = False
            grid = replace(grid, cells=grid.cells.loc[keep].reset_index(drop=True), rows=grid.rows[keep])
    if not len(grid.cells):
        raise _empty(grid.label)
    return grid


def _workbook(content: bytes, label: str) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    if not content:
        raise _empty(label)
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError as error:
        raise _unreadable(label, "книга защищена паролем", "Снимите пароль и сохраните книгу заново.") from error
    except (CalamineError, ValueError, OSError) as error:
        raise _not_a_workbook(label) from error


def _not_a_workbook(label: str) -> UnreadableFileError:
    return _unreadable(
        label, "файл не читается как книга Excel",
        "Откройте файл в Excel и сохраните как «Книга Excel (.xlsx)»; расширение имени должно отвечать формату.",
    )  # fmt: skip


def _visible(book: Any) -> tuple[str, ...]:
    return tuple(sheet.name for sheet in book.sheets_metadata if str(sheet.visible).endswith("Visible"))


def _read_workbook(content: bytes, label: str, sheet: str | None, skip: int) -> Grid:
    from python_calamine import CalamineError

    book = _workbook(content, label)
    try:
        return _chosen_sheet(book, label, sheet, skip)
    except (CalamineError, ValueError, OSError) as error:
        raise _not_a_workbook(label) from error


def _chosen_sheet(book: Any, label: str, sheet: str | None, skip: int) -> Grid:
    names = _visible(book)
    if sheet is not None:
        if sheet not in book.sheet_names:
            known = ", ".join(f"«{name}»" for name in book.sheet_names)
            raise _unreadable(label, f"в книге нет листа «{sheet}»", f"Есть листы: {known}.")
        return _read_sheet(book, f"{label} [{sheet}]", sheet, skip)
    filled = [name for name in names if book.get_sheet_by_name(name).height]
    if not filled:
        raise _empty(label)
    grid = _read_sheet(book, f"{label} [{filled[0]}]" if len(names) > 1 else label, filled[0], skip)
    if len(filled) == 1:
        return grid
    others = ", ".join(f"«{name}»" for name in filled[1:])
    note = Fault(
        label, None, "", "", f"в книге несколько листов с данными, прочитан только «{filled[0]}»",
        f"Если нужны и листы {others}, сохраните их отдельными файлами.", "warning",
    )  # fmt: skip
    return replace(grid, faults=(*grid.faults, note))


def _read_sheet(book: Any, label: str, name: str, skip: int) -> Grid:
    sheet = book.get_sheet_by_name(name)
    lines: list[list[Any]] = sheet.to_python(skip_empty_area=False)[skip:]
    if not lines:
        raise _empty(label)
    width = max(map(len, lines))
    columns = {
        n: pd.array(["" if n >= len(line) else _sheet_text(line[n]) for line in lines], dtype="string")
        for n in range(width)
    }
    merged = tuple(
        (top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in (sheet.merged_cell_ranges or ())
    )
    rows = np.arange(skip + 1, skip + len(lines) + 1)
    return _without_blank(Grid(label, pd.DataFrame(columns), rows, merged=merged))


def _sheet_text(cell: object) -> str:
    return cell if isinstance(cell, str) else cell_text(cell)


def _read_parquet(path: Path, label: str) -> Grid:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        frame = parquet.read_table(path).to_pandas(ignore_metadata=False)
    except (pa.ArrowException, ValueError, KeyError, TypeError, OSError) as error:  # whatever broken bytes bring about
        raise _unreadable(
            label, "файл не читается как Parquet", "Выгрузите файл заново; расширение имени должно отвечать формату."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    headers = tuple(str(name) for name in frame.columns)
    frame.columns = pd.RangeIndex(frame.shape[1])
    return Grid(label, frame, np.arange(1, len(frame) + 1), headers=headers)
