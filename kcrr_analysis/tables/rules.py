"""What the contracts demand of single cells, as predicates over typed columns.

They are written once: `schema` builds pandera checks of them, and `broken` evaluates them alone, so that sound data
pass without importing pandera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from kcrr_analysis.tables.columns import ColumnContract, TableContract
from kcrr_analysis.tables.keys import fitting


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on one column.

    Attributes:
        column: Canonical column name.
        name: What is demanded: `filled`, `low`, `high`, `pattern`.
        holds: Typed column -> True where the demand is met (missing cells meet all but `filled`).
        message: What is wrong with a cell that breaks it, in Russian.
        remedy: What to do about it, in Russian.
    """

    column: str
    name: str
    holds: Callable[[pd.Series[Any]], pd.Series[Any]]
    message: str
    remedy: str


@cache
def rules(table: TableContract) -> tuple[Rule, ...]:
    """Every demand of `table` on single cells."""
    return tuple(rule for column in table.columns.values() for rule in _of(column))


def broken(table: TableContract, frame: pd.DataFrame) -> tuple[Rule, ...]:
    """The rules of `table` that some cell of `frame` breaks."""
    return tuple(rule for rule in rules(table) if not rule.holds(frame[rule.column]).all())


def _of(column: ColumnContract) -> list[Rule]:
    found: list[Rule] = []
    if not column.nullable:
        found.append(
            Rule(column.name, "filled", _filled, "значение не заполнено",
                 f"Заполните столбец «{column.title}» в этой строке.")
        )  # fmt: skip
    unit = f" {column.unit}" if column.unit else ""
    if column.low is not None:
        found.append(Rule(column.name, "low", _at_least(column.low), _below(column), _bounds(column, unit)))
    if column.high is not None:
        found.append(
            Rule(column.name, "high", _at_most(column.high), f"значение больше {_number(column.high)}",
                 _bounds(column, unit))
        )  # fmt: skip
    if column.pattern:
        found.append(
            Rule(column.name, "pattern", _matches(column.pattern), "код региона должен состоять из двух цифр",
                 "Запишите код двумя цифрами, например 01 или 77.")
        )  # fmt: skip
    return found


def _below(column: ColumnContract) -> str:
    return "отрицательное значение" if column.low == 0 else f"значение меньше {_number(column.low or 0)}"


def _bounds(column: ColumnContract, unit: str) -> str:
    if column.kind == "share":
        return "Запишите долю от 0 до 1 или проценты со знаком (12,3 %)."
    if column.high is None:
        return f"Допустимо не меньше {_number(column.low or 0)}{unit}; проверьте исходные данные."
    return f"Допустимо от {_number(column.low or 0)} до {_number(column.high)}{unit}; проверьте исходные данные."


def _number(value: float) -> str:
    return f"{value:g}".replace(".", ",")


def _filled(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.notna()


def _at_least(bound: float) -> Callable[[pd.Series[Any]], pd.Series[Any]]:
    def holds(values: pd.Series[Any]) -> pd.Series[Any]:
        return (values >= bound).fillna(True).astype(bool) | values.isna()

    return holds


def _at_most(bound: float) -> Callable[[pd.Series[Any]], pd.Series[Any]]:
    def holds(values: pd.Series[Any]) -> pd.Series[Any]:
        return (values <= bound).fillna(True).astype(bool) | values.isna()

    return holds


def _matches(pattern: str) -> Callable[[pd.Series[Any]], pd.Series[Any]]:
    def holds(values: pd.Series[Any]) -> pd.Series[Any]:
        return pd.Series(fitting(values, pattern), index=values.index) | values.isna()

    return holds
