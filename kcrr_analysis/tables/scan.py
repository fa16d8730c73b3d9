"""One table as a DuckDB relation, wherever it lies: tables, a frame, Parquet or CSV files.

The connection sees that relation and nothing else: no other file, no network, no extensions. It may spill to one
temporary folder of its own, which is removed afterwards whatever happens.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa

from kcrr_analysis.errors import MissingTableError, ParameterError
from kcrr_analysis.tables import duck
from kcrr_analysis.tables.table_set import Tables

OnePath: TypeAlias = str | PathLike[str]
Scannable: TypeAlias = Tables | pd.DataFrame | OnePath | Sequence[OnePath]

FORMATS = (".parquet", ".csv")


@dataclass(frozen=True)
class Scan:
    """A relation that is open for queries.

    Attributes:
        relation: Its name, quoted for SQL.
        columns: Column -> SQL type, in order.
        connection: The sealed connection.
    """

    relation: str
    columns: Mapping[str, str]
    connection: duckdb.DuckDBPyConnection

    def text(self, column: str) -> str:
        """SQL of a column read as text; empty text is missing."""
        quoted = duck.name(column)
        return quoted if self.columns[column] == "VARCHAR" else f"{quoted}::VARCHAR"

    def fetch(self, query: str) -> pd.DataFrame:
        """The result of a query.

        Raises:
            ParameterError: DuckDB cannot run it; its message is passed on.
        """
        try:
            return self.connection.execute(query).df()
        except duckdb.OutOfMemoryException as error:
            raise ParameterError(
                "Не хватило оперативной памяти или места на диске для временных файлов. Закройте другие программы, "
                "освободите диск или сократите журнал (один регион, меньший период)."
            ) from error
        except duckdb.Error as error:
            raise ParameterError(f"Таблица не прочитана: {error}") from error

    def run(self, statement: str) -> None:
        """Executes a statement that has no result; errors as in `fetch`."""
        self.fetch(statement)


@contextmanager
def scan(
    source: Scannable, table: str, *, columns: Sequence[str] | None = None, zone: str = "Europe/Moscow"
) -> Iterator[Scan]:
    """Opens a table for DuckDB queries.

    Args:
        source: Tables that hold it in memory or in files, a frame, or paths of Parquet or CSV files with a header.
            Everything in a CSV is text.
        table: Canonical name of the table; the relation's name.
        columns: Columns that will be asked for; others of a frame are left behind. All by default.
        zone: Zone of times that state none, and of calendar functions.

    Raises:
        MissingTableError: The tables lack it.
        ParameterError: A path that is no file or no Parquet or CSV, a frame that DuckDB cannot take, an unknown zone.
    """
    with tempfile.TemporaryDirectory(prefix="kcrr-", ignore_cleanup_errors=True) as spill, duck.connect() as connection:
        connection.execute(f"SET temp_directory = {duck.literal(Path(spill).as_posix())}")
        connection.execute("SET preserve_insertion_order = false")
        # Queries here write the small side of a join on the right; the optimiser's guesses of size are often wrong.
        connection.execute("SET disabled_optimizers = 'build_side_probe_side'")
        _set_zone(connection, zone)
        paths = _provide(connection, source, table, columns)
        duck.seal(connection, paths)
        try:
            described = connection.execute(f"DESCRIBE {duck.name(table)}").fetchall()
        except duckdb.Error as error:
            raise ParameterError(f"Таблица {table} не прочитана: {error}") from error
        types = MappingProxyType({str(row[0]): str(row[1]) for row in described})
        yield Scan(duck.name(table), types, connection)


def _set_zone(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    try:
        connection.execute(f"SET TimeZone = {duck.literal(zone)}")
    except duckdb.Error as error:
        raise ParameterError(
            f"Параметр zone: часового пояса «{zone}» нет. Укажите его по базе IANA, например Europe/Moscow."
        ) from error


def _provide(
    connection: duckdb.DuckDBPyConnection, source: Scannable, table: str, columns: Sequence[str] | None
) -> tuple[Path, ...]:
    """Makes the relation `table`; the files it may read."""
    if isinstance(source, Tables):
        if table in source.stored:
            stored = source.stored[table]
            duck.view(connection, table, stored)
            return stored.paths
        source = source[table]
    if isinstance(source, pd.DataFrame):
        connection.register(table, _arrow(source, table, columns))
        return ()
    paths = _paths(source, table)
    listed = ", ".join(duck.literal(_unglobbed(path)) for path in paths)
    together = ", union_by_name = true" if len(paths) > 1 else ""
    if paths[0].suffix.casefold() == ".parquet":
        made = f"VIEW {duck.name(table)} AS SELECT * FROM read_parquet([{listed}]{together})"  # noqa: S608 - quoted
    else:
        # Read once and kept as text: DuckDB would push a cast into the reader, where a bad value is an error.
        reader = f"read_csv([{listed}], header = true, all_varchar = true{together})"
        chosen = "*" if columns is None else f"COLUMNS(lambda c: c IN ({', '.join(map(duck.literal, columns))}))"
        made = f"TEMP TABLE {duck.name(table)} AS SELECT {chosen} FROM {reader}"  # noqa: S608 - quoted
    try:
        connection.execute(f"CREATE {made}")
    except duckdb.Error as error:
        raise ParameterError(
            f"Файлы таблицы {table} не прочитаны: {error} Нужен Parquet или CSV в UTF-8 с заголовком."
        ) from error
    return (*paths, *(Path(_unglobbed(path)) for path in paths))


def _arrow(frame: pd.DataFrame, table: str, columns: Sequence[str] | None) -> pa.Table:
    kept = list(frame.columns) if columns is None else [name for name in columns if name in frame.columns]
    if not kept:
        raise MissingTableError(
            f"В таблице {table} нет столбцов {', '.join(columns or ())}. Назовите столбцы как в описании таблицы."
        )
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise ParameterError(f"В таблице {table} столбец «{doubled[0]}» встречается дважды. Оставьте один.")
    try:
        return duck.arrow(frame[kept])
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ParameterError(
            f"Таблица {table}: в столбце смешаны значения разных типов ({error}). Приведите столбец к одному типу."
        ) from error


def _paths(source: OnePath | Sequence[OnePath], table: str) -> tuple[Path, ...]:
    given = [source] if isinstance(source, str | PathLike) else list(source)
    paths = tuple(Path(one).resolve() for one in given)
    if not paths:
        raise ParameterError(f"Таблица {table}: не указано ни одного файла. Передайте путь к файлу Parquet или CSV.")
    for path in paths:
        if not path.is_file():
            raise ParameterError(f"Таблица {table}: файла «{path.name}» нет. Проверьте путь.")
        if path.suffix.casefold() not in FORMATS:
            raise ParameterError(
                f"Таблица {table}: файл «{path.name}» не Parquet и не CSV. Сохраните таблицу в одном из этих форматов."
            )
    if len({path.suffix.casefold() for path in paths}) > 1:
        raise ParameterError(f"Таблица {table}: файлы разных форматов. Передайте либо только Parquet, либо только CSV.")
    return paths


def _unglobbed(path: Path) -> str:
    """The path with the characters that DuckDB would expand taken literally; access is checked by this spelling too."""
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in path.as_posix())
