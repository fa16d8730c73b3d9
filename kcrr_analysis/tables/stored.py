"""Tables too large for memory: canonical Parquet that stays in its files and is checked by DuckDB.

Only what is already canonical stays: every column named and typed as the contract says. Anything else is read and typed
like any file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcrr_analysis.errors import Fault
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.tables.columns import ColumnContract
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.tables.folder import TableFile
from kcrr_analysis.tables.table_set import StoredTable

KEPT_IN_FILES = ("actions",)
"""Tables that may stay in their files."""

LARGE = 1_000_000
"""Records above which they do."""


@dataclass(frozen=True, slots=True)
class CanonicalFile:
    """A Parquet file that needs no typing: its columns of the contract and its number of records."""

    file: TableFile
    columns: tuple[str, ...]
    rows: int


def large_tables(files: Sequence[TableFile], *, large: int = LARGE) -> dict[str, tuple[CanonicalFile, ...]]:
    """Tables of `files` that stay where they are: canonical Parquet throughout, more than `large` records in all.

    Args:
        files: Files of the data folder.
        large: Records above which a table stays.
    """
    found = {}
    for table in KEPT_IN_FILES:
        own = [file for file in files if file.table == table]
        canonical = [one for one in map(_canonical, own) if one is not None and one.file.region is None]
        if own and len(canonical) == len(own) and sum(one.rows for one in canonical) > large:
            found[table] = tuple(canonical)
    return found


def _canonical(file: TableFile) -> CanonicalFile | None:
    if file.path.suffix.casefold() != ".parquet":
        return None
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file.path) as opened:
            rows, schema = opened.metadata.num_rows, opened.schema_arrow
    except (pa.ArrowException, ValueError, KeyError, OSError):  # reading it will say what is wrong
        return None
    columns = TABLES[file.table].columns
    given = tuple(field.name for field in schema if field.name in columns)
    needed = {column.name for column in columns.values() if column.required}
    typed = all(_fits(schema.field(name).type, columns[name]) for name in given)
    return CanonicalFile(file, given, rows) if typed and needed <= set(given) else None


def stored_table(files: Sequence[CanonicalFile], table: str, region: str | None, centers: Sequence[str]) -> StoredTable:
    """The table that `files` hold, limited to `region` and its `centers`."""
    columns = tuple(name for name in TABLES[table].columns if all(name in one.columns for one in files))
    paths = tuple(one.file.path for one in files)
    return StoredTable(paths, columns, sum(one.rows for one in files), region, tuple(centers))


def _fits(kind: Any, column: ColumnContract) -> bool:
    import pyarrow as pa

    if column.kind in {"code", "text"}:
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        return bool(pa.types.is_string(value) or pa.types.is_large_string(value))
    if column.kind == "time":
        return bool(pa.types.is_timestamp(kind)) and kind.tz is not None
    return column.kind == "flag" and bool(pa.types.is_boolean(kind))


def faults_of(
    stored: StoredTable, table: str, labels: Mapping[str, str], dictionaries: Methodology, centers: Collection[str]
) -> Iterator[Fault]:
    """Faults of a stored table: one a kind, with the number of records and the first of them.

    Args:
        stored: The table.
        table: Its canonical name.
        labels: Path as DuckDB writes it -> file name for messages.
        dictionaries: Groups, tools and regions that are known.
        centers: Known centres; empty if there is no table of centres.
    """
    from kcrr_analysis.tables import duck

    contract = TABLES[table]
    columns = [contract.columns[name] for name in stored.columns]
    quoted = {column.name: duck.name(column.name) for column in columns if not column.nullable}
    empty = {name: f"{sql} IS NULL OR trim({sql}::VARCHAR) = ''" for name, sql in quoted.items()}
    for name, (count, file, row) in duck.stored_counts(stored, empty).items():
        title = contract.columns[name].title
        yield Fault(labels.get(file, file), row, name, "", f"значение не заполнено (строк: {count})",
                    f"Заполните столбец «{title}».", "error", table)  # fmt: skip
    key = contract.key[0]
    repeats, example = duck.stored_repeats(stored, key)
    if repeats:
        yield Fault(next(iter(labels.values())), None, key, example, f"строки повторяют ключ (строк: {repeats})",
                    "Оставьте по одной строке с каждым ключом.", "error", table)  # fmt: skip
    label = next(iter(labels.values()))
    known: dict[str, tuple[set[str], str, str]] = {
        "groups": (set(dictionaries.groups), "клиентской группы нет в словаре", "groups"),
        "tools": (set(dictionaries.tools), "инструмента нет в словаре", "tools"),
        "regions": (set(dictionaries.regions), "такого кода региона нет", "regions"),
    }
    for column in columns:
        if column.dictionary is None:
            continue
        words, message, file = known[column.dictionary]
        for value, count in duck.stored_values(stored, column.name).items():
            if value not in words:
                remedy = f"Исправьте код или добавьте его в methodology/{file}.yaml в папке данных."
                text = f"{message} (строк: {count})"
                yield Fault(label, None, column.name, value, text, remedy, "warning", table)
    if centers and "center_id" in stored.columns:
        for value, count in duck.stored_values(stored, "center_id").items():
            if value not in centers:
                yield Fault(label, None, "center_id", value,
                            f"такого центра нет в таблице «Кадровые центры» (centers) (строк: {count})",
                            "Исправьте код центра или добавьте центр в centers.", "error", table)  # fmt: skip
