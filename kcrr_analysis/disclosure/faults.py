"""Which values of a fault in the data may leave the analyst's screen."""

from __future__ import annotations

from dataclasses import replace

from kcrr_analysis.disclosure.rule import Rule
from kcrr_analysis.errors import Fault
from kcrr_analysis.tables import TABLES

WITHHELD = "скрыто"
PERSONS = frozenset({"person_id", "respondent_id"})
"""Columns of pseudonyms: with a moment beside it a pseudonym can point at a person."""


def shown(fault: Fault, rule: Rule) -> Fault:
    """The fault as a report, a manifest or an index page may show it.

    In public mode a value that may be a count, or point at a person, becomes «скрыто»; file, row and column stay, so
    that the analyst finds the cell. Every count is withheld, small or not: the fault alone does not tell which cells
    `protect` hides beside the small ones. A value whose column is not known (a header that a mapping renamed, a whole
    line of a file) is taken for a count. Text without a digit is none.

    Args:
        fault: A fault as the check of the data gives it.
        rule: Disclosure rule in force.

    Returns:
        In internal mode `fault` itself.
    """
    if not rule.public:
        return fault
    value = WITHHELD if fault.value and _withheld(fault) else fault.value
    return replace(fault, value=value, other="")


def _withheld(fault: Fault) -> bool:
    table = TABLES.get(fault.table)
    name = table.column_of(fault.column) if table is not None else None
    digits = any(character.isnumeric() for character in fault.value)
    if table is None:
        return digits
    persons = PERSONS.intersection(table.columns)
    if name is None:
        return digits or bool(persons)
    of_key = name == table.key[0] and bool(persons.intersection(table.key))
    return name in PERSONS or of_key or (table.columns[name].kind == "count" and digits)
