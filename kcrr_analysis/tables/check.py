"""The outcome of checking a data folder: what could be read and everything that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import pandas as pd

from kcrr_analysis.errors import Fault
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.tables.table_set import Source, Tables

FAULT_COLUMNS = ("severity", "file", "table", "row", "column", "value", "message", "remedy", "region_code", "other")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check of a data folder found.

    Attributes:
        tables: Tables with what could be read; cells with errors are missing.
        errors: Faults that stop the reports that need the table, by file and row.
        warnings: Faults that weaken them, by file and row.
        sources: Files that were read.
    """

    tables: Tables
    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    sources: tuple[Source, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a fault: severity, file, table, row, column, value, message, remedy, region_code, other."""
        faults = [*self.errors, *self.warnings]
        frame = pd.DataFrame(
            {name: [getattr(fault, name) for fault in faults] for name in FAULT_COLUMNS}, columns=list(FAULT_COLUMNS)
        )
        return frame.astype({name: "Int64" if name == "row" else "string" for name in FAULT_COLUMNS})

    def text(self, limit: int | None = 20) -> str:
        """The findings as Russian text: what was read, errors, then warnings, each by file.

        Args:
            limit: Faults shown of each file; None shows all.
        """
        lines = ["Прочитано:", *(_source_line(source) for source in self.sources)] if self.sources else []
        if not self.sources:
            lines.append("Таблиц не прочитано.")
        lines.append("")
        lines += _listed("Ошибки", "ошибок нет", self.errors, limit)
        lines.append("")
        lines += _listed("Предупреждения", "предупреждений нет", self.warnings, limit)
        return "\n".join(lines) + "\n"


def _source_line(source: Source) -> str:
    rows = f"{source.rows:,}".replace(",", " ")
    return f"  {source.file} — {TABLES[source.table].title} ({source.table}), строк: {rows}"


def _listed(title: str, none: str, faults: tuple[Fault, ...], limit: int | None) -> list[str]:
    if not faults:
        return [none[0].upper() + none[1:] + "."]
    lines = [f"{title}: {len(faults)}"]
    for file, group in groupby(faults, key=lambda fault: fault.file):
        own = list(group)
        lines.append(f"  {file} — {len(own)}")
        shown = own if limit is None else own[:limit]
        lines += [f"    {_line(fault)}" for fault in shown]
        if len(own) > len(shown):
            lines.append(f"    … и ещё {len(own) - len(shown)}")
    return lines


def _line(fault: Fault) -> str:
    place = []
    if fault.row is not None:
        place.append(f"строка {fault.row}")
    if fault.column:
        place.append(f"столбец «{fault.column}»")
    where = ", ".join(place) or "весь файл"
    value = f" [{fault.values}]" if fault.values else ""
    return f"{where}{value}: {fault.message}. {fault.remedy}"
