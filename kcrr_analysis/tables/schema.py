"""pandera schemas of the tables, generated from the contracts.

The schema of a table can be used on its own; `failures` runs it lazily over records that break some rule and places
each failure case at its cell. Importing this module imports pandera, which is slow: import it where something is
broken.
"""

from __future__ import annotations

import warnings
from functools import cache

import pandera.pandas as pa
from pandera.errors import SchemaErrors

from kcrr_analysis.errors import Fault
from kcrr_analysis.tables.columns import TableContract
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.tables.records import Records
from kcrr_analysis.tables.rules import Rule, rules


def schema(name: str) -> pa.DataFrameSchema:
    """The pandera schema of the table `name`, as `load` returns it: all columns typed, extra columns allowed.

    Args:
        name: Canonical table name.

    Raises:
        KeyError: There is no such table.
    """
    return _schema(TABLES[name])


@cache
def _schema(table: TableContract) -> pa.DataFrameSchema:
    columns = {
        column.name: pa.Column(
            column.dtype,
            nullable=True,
            title=column.title,
            description=column.doc or None,
            checks=[_check(rule) for rule in rules(table) if rule.column == column.name],
        )
        for column in table.columns.values()
    }
    return pa.DataFrameSchema(columns, name=table.name, title=table.title, strict=False)


def _check(rule: Rule) -> pa.Check:
    return pa.Check(rule.holds, name=rule.name, error=rule.message, ignore_na=False)


def failures(records: Records) -> tuple[Fault, ...]:
    """Every cell of `records` that breaks its contract; a cell that could not be read is not named again."""
    with warnings.catch_warnings():
        # pandera joins its own tables of cases, some without values, in a way that pandas announces to change
        warnings.simplefilter("ignore", FutureWarning)
        try:
            _schema(records.table).validate(records.frame, lazy=True)
        except SchemaErrors as error:
            cases = error.failure_cases
        else:
            return ()
    by_name = {(rule.column, rule.name): rule for rule in rules(records.table)}
    by_message = {(rule.column, rule.message): rule for rule in rules(records.table)}
    faults = []
    for case in cases.itertuples(index=False):
        rule = by_message.get((case.column, case.check)) or by_name.get((case.column, case.check))
        if rule is None:
            raise TypeError(f"{records.table.name}.{case.column}: {case.check} ({case.failure_case})")
        if rule.column not in records.headers:  # a column that the file lacks is one fault of its own, or none
            continue
        position = int(case.index)
        if records.unread[rule.column][position]:
            continue
        value = records.frame[rule.column].iloc[position]
        faults.append(records.fault(position, rule.column, value, rule.message, rule.remedy))
    return tuple(faults)
