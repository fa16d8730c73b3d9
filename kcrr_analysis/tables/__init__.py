"""Data contracts and readers: a folder of files -> checked tables.

tables = load("data/demo")            # DataError lists everything that is wrong
result = check("data/demo")           # never raises for faults in the data
tables.flow, tables.get("plan"), tables.sql("select count(*) from flow")
"""

from __future__ import annotations

from kcrr_analysis.tables.check import CheckResult
from kcrr_analysis.tables.columns import ColumnContract, TableContract
from kcrr_analysis.tables.contracts import ALL, TABLES
from kcrr_analysis.tables.load import check, load
from kcrr_analysis.tables.table_set import Source, StoredTable, Tables

__all__ = [
    "ALL",
    "TABLES",
    "CheckResult",
    "ColumnContract",
    "Source",
    "StoredTable",
    "TableContract",
    "Tables",
    "check",
    "load",
]
