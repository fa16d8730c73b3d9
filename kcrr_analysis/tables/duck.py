"""DuckDB over the tables: one connection a query, in memory, shut off from other files and from the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.columns import TableContract
from kcrr_analysis.tables.contracts import TABLES

if TYPE_CHECKING:
    from kcrr_analysis.tables.table_set import StoredTable, Tables


def query(tables: Tables, text: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The result of the SQL `text` over `tables` and `frames`; see `Tables.sql`.

    Raises:
        ParameterError: The query is wrong, or reaches for something outside the tables.
    """
    with connect() as connection:
        for name, frame in {**tables.frames, **frames}.items():
            if name in text:
                connection.register(name, arrow(frame))
        stored = {name: one for name, one in tables.stored.items() if name in text and name not in frames}
        for name, one in stored.items():
            view(connection, name, one)
        seal(connection, tuple(path for one in stored.values() for path in one.paths))
        try:
            return connection.execute(text).df()
        except duckdb.Error as error:
            raise ParameterError(f"Запрос SQL не выполнен: {error}") from error


def connect() -> duckdb.DuckDBPyConnection:
    """A connection in memory that neither installs nor loads extensions."""
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        },
    )


def seal(connection: duckdb.DuckDBPyConnection, paths: tuple[Path, ...]) -> None:
    """Shuts the connection off from everything but `paths`, for good."""
    allowed = ", ".join(literal(path.as_posix()) for path in paths)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def literal(text: str) -> str:
    """`text` as an SQL string.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """`text` as an SQL identifier.

    >>> print(name('a"b'))
    "a""b"
    """
    return '"' + text.replace('"', '""') + '"'


def arrow(frame: pd.DataFrame) -> pa.Table:
    """`frame` as DuckDB sees it: months as the date of their first day."""
    months = [column for column in frame.columns if isinstance(frame[column].dtype, pd.PeriodDtype)]
    plain = frame.assign(**{column: frame[column].dt.to_timestamp().dt.date for column in months})
    return pa.Table.from_pandas(plain, preserve_index=False)


_SQL_TYPES = {
    "code": "VARCHAR", "text": "VARCHAR", "choice": "VARCHAR", "month": "DATE", "date": "DATE", "time": "TIMESTAMPTZ",
    "year": "BIGINT", "count": "BIGINT", "number": "DOUBLE", "money": "DOUBLE", "share": "DOUBLE", "flag": "BOOLEAN",
}  # fmt: skip


def view(connection: duckdb.DuckDBPyConnection, table: str, stored: StoredTable) -> None:
    """A view of a stored table with every column of its contract, rows of its region alone."""
    connection.execute(f"CREATE VIEW {name(table)} AS {_select(table, stored)}")


def _select(table: str, stored: StoredTable) -> str:
    given = set(stored.columns)
    columns = ", ".join(
        f"{name(c.name) if c.name in given else 'NULL'}::{_SQL_TYPES[c.kind]} AS {name(c.name)}"
        for c in TABLES[table].columns.values()
    )
    return f"SELECT {columns} FROM {_source(stored)} WHERE {_of_region(stored)}"  # noqa: S608 - all parts quoted


def _source(stored: StoredTable) -> str:
    paths = ", ".join(literal(path.as_posix()) for path in stored.paths)
    return f"read_parquet([{paths}], file_row_number = true, filename = true)"


def _of_region(stored: StoredTable) -> str:
    if stored.region is None:
        return "true"
    own = f"region_code = {literal(stored.region)}" if "region_code" in stored.columns else "false"
    if "center_id" not in stored.columns or not stored.centers:
        return own
    centers = ", ".join(literal(center) for center in stored.centers)
    without = "region_code IS NULL AND " if "region_code" in stored.columns else ""
    return f"({own} OR ({without}center_id IN ({centers})))"


def read_stored(stored: StoredTable, table: TableContract) -> pd.DataFrame:
    """The rows of a stored table as a frame of the contract's dtypes."""
    with connect() as connection:
        frame = connection.execute(_select(table.name, stored)).df()
    return frame.astype({column.name: column.dtype for column in table.columns.values()})


def regions(stored: StoredTable) -> tuple[str, ...]:
    """Region codes of a stored table."""
    if "region_code" not in stored.columns:
        return ()
    with connect() as connection:
        rows = connection.execute(
            f"SELECT DISTINCT region_code FROM {_source(stored)} WHERE {_of_region(stored)}"  # noqa: S608 - quoted above
        ).fetchall()
    return tuple(sorted(str(code) for (code,) in rows if code is not None))


def stored_counts(stored: StoredTable, conditions: Mapping[str, str]) -> dict[str, tuple[int, str, int]]:
    """How many records of a stored table meet each condition, with the file and the number of the first.

    Args:
        stored: The table.
        conditions: Name -> SQL condition over the files' columns.
    """
    found = {}
    with connect() as connection:
        for key, condition in conditions.items():
            row = connection.execute(
                f"SELECT count(*), arg_min(filename, file_row_number), min(file_row_number) "  # noqa: S608 - from contracts
                f"FROM {_source(stored)} WHERE {_of_region(stored)} AND ({condition})"
            ).fetchone()
            if row is not None and row[0]:
                found[key] = (int(row[0]), str(row[1]), int(row[2]) + 1)
    return found


def stored_values(stored: StoredTable, column: str) -> dict[str, int]:
    """Distinct values of a code column of a stored table, with the number of records of each."""
    with connect() as connection:
        rows = connection.execute(
            f"SELECT {name(column)}, count(*) FROM {_source(stored)} "  # noqa: S608 - quoted
            f"WHERE {_of_region(stored)} AND {name(column)} IS NOT NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
    return {str(value): int(count) for value, count in rows}


def stored_repeats(stored: StoredTable, key: str) -> tuple[int, str]:
    """How many records repeat the key column `key`, and one such value."""
    with connect() as connection:
        row = connection.execute(
            f"SELECT coalesce(sum(n - 1), 0), any_value(k) FROM (SELECT {name(key)} AS k, count(*) AS n "  # noqa: S608
            f"FROM {_source(stored)} WHERE {_of_region(stored)} AND {name(key)} IS NOT NULL GROUP BY 1 HAVING n > 1)"
        ).fetchone()
    return (int(row[0]), str(row[1])) if row is not None and row[0] else (0, "")
