"""What a pilot measures, and its reduction to what each assigned unit contributes.

A table of outcomes has a row a person, or a row a centre (or centre and period) with sums. Either way a centre's part
in the analysis is a sum and a number of persons: linear and ratio estimates need no more, whatever the number of rows.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Real
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.extra_columns import numbers
from kcrr_analysis.experiments.labels import identifiers, in_order, without_gaps
from kcrr_analysis.stats.estimate import FloatArray

Kind: TypeAlias = Literal["proportion", "mean", "count", "ratio", "ordinal"]
Role: TypeAlias = Literal["primary", "secondary", "guardrail"]
Aim: TypeAlias = Literal["difference", "not_worse", "equivalent"]
Better: TypeAlias = Literal["higher", "lower"]
Estimand: TypeAlias = Literal["person", "centre"]
Missing: TypeAlias = Literal["excluded", "not_reached"]

KINDS: tuple[str, ...] = get_args(Kind)
_DATES = (datetime.date, datetime.timedelta, pd.Period)


@dataclass(frozen=True)
class Outcome:
    """One measured outcome.

    Attributes:
        name: Code, unique in the protocol.
        kind: `proportion` (did the person reach it), `mean`, `count` (times per person), `ratio` (of two sums, both
            outcomes), `ordinal` (levels of satisfaction).
        column: Column of the value: 0 or 1, a number, a level. With `of` in a table of sums: the sum.
        of: Denominator. For proportion, mean, count: number of persons of the row (table of sums); for ratio: the
            second quantity; for ordinal: number of persons with this level.
        role: `primary` decides, `secondary` explains, `guardrail` must not get worse by more than its margin.
        aim: What is to be shown: a `difference`, that it is `not_worse` by more than the margin, or `equivalent` within
            it. None: `not_worse` for a guardrail, else `difference`.
        better: Which direction is good.
        margin: Largest loss (for `equivalent`: difference) still accepted.
        worthwhile: Smallest effect worth having, in the outcome's own unit; 0 where any is.
        covariates: Columns known before the assignment that explain the outcome (CUPED).
        covariate_of: Their denominator in a table of sums; None where they are means.
        missing: An empty value is left out (`excluded`), or counts as not reached with the person in the denominator
            (`not_reached`: funnel outcomes on the assigned denominator; proportion, count and mean only).
        title: Russian name for reports; the code where empty.
        unit: Russian unit of values, such as «балл»; proportions are shown in percent.

    Raises:
        ParameterError: Arguments that do not go together.
    """

    name: str
    kind: Kind = "proportion"
    column: str = ""
    of: str | None = None
    role: Role = "primary"
    aim: Aim | None = None
    better: Better = "higher"
    margin: float | None = None
    worthwhile: float = 0.0
    covariates: Sequence[str] | str = ()
    covariate_of: str | None = None
    missing: Missing = "excluded"
    title: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        for name, default in (("column", self.name), ("title", self.name)):
            object.__setattr__(self, name, getattr(self, name) or default)
        given = self.covariates
        object.__setattr__(self, "covariates", (given,) if isinstance(given, str) else tuple(given))
        for name, allowed in (("kind", KINDS), ("role", get_args(Role)), ("better", get_args(Better)),
                              ("missing", get_args(Missing))):  # fmt: skip
            _known(f"Показатель «{self.name}»: {name}", getattr(self, name), allowed)
        if not isinstance(self.name, str) or not self.name.strip():
            raise ParameterError(f"Показатель «{self.name}»: укажите name, код показателя.")
        for column in (self.column, self.of, self.covariate_of, *self.covariates):
            if column is not None and not isinstance(column, str):
                raise ParameterError(
                    f"Показатель «{self.name}»: название столбца «{column}» не подходит. Укажите его текстом."
                )
        if self.missing == "not_reached" and self.kind in {"ratio", "ordinal"}:
            raise ParameterError(
                f"Показатель «{self.name}»: missing: not_reached не подходит для kind: {self.kind}: у пустого значения "
                "нет своего уровня. Оставьте excluded."
            )
        if self.kind == "ordinal" and self.covariates:
            raise ParameterError(
                f"Показатель «{self.name}»: поправка на covariates для kind: ordinal не предусмотрена. Уберите "
                "covariates или выберите mean."
            )
        if self.covariate_of is not None and not self.covariates:
            raise ParameterError(f"Показатель «{self.name}»: covariate_of указан без covariates. Уберите его.")
        if self.kind == "ratio" and self.of is None:
            raise ParameterError(f"Показатель «{self.name}»: для отношения нужен знаменатель: укажите столбец of.")
        if self.aim is None:
            object.__setattr__(self, "aim", "not_worse" if self.role == "guardrail" else "difference")
        _known(f"Показатель «{self.name}»: aim", self.aim, get_args(Aim))
        if self.role == "guardrail" and self.aim == "difference":
            raise ParameterError(
                f"Показатель «{self.name}»: защитный показатель (guardrail) проверяется на aim: not_worse или "
                "equivalent. Уберите aim: difference."
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        if self.aim != "difference" and self.margin in {None, 0}:
            raise ParameterError(
                f"Показатель «{self.name}»: для role: guardrail и для aim: not_worse, equivalent нужен margin больше "
                "0: на сколько показатель может ухудшиться."
            )
        for name in ("margin", "worthwhile"):
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            if value is not None and not (number and 0 <= value < np.inf):
                raise ParameterError(
                    f"Показатель «{self.name}»: {name}: «{value}». Ожидается число от 0; направление задаёт better."
                )
        if self.kind == "ordinal" and self.margin is not None and self.margin >= 0.5:
            raise ParameterError(
                f"Показатель «{self.name}»: margin: «{self.margin}». Для kind: ordinal он считается в вероятности "
                "выигрыша и должен быть меньше 0.5."
            )
        if self.kind == "proportion" and max(self.margin or 0, self.worthwhile) >= 1:
            raise ParameterError(
                f"Показатель «{self.name}»: margin и worthwhile доли задаются долей, а не процентами: 3 процентных "
                "пункта — это 0.03."
            )

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.better == "higher" else -1

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the outcome needs."""
        extra = [name for name in (self.of, self.covariate_of) if name]
        return (self.column, *extra, *self.covariates)


@dataclass(frozen=True, eq=False)
class Reduced:
    """An outcome as the assigned units contribute to it; rows follow the assignment's units.

    Attributes:
        total: Sum of the outcome, shape (units,) or (units, periods).
        weight: Persons with a value (ratio: the second sum), same shape; 0 where a unit has none.
        persons: Persons with a value, same shape; equals `weight` except for ratios.
        missing: Persons without a value, same shape.
        levels: Persons by level of an ordinal outcome, shape (units, levels).
        scale: The levels, in order.
        covariates: Means of the covariates, shape (units, covariates); None without them.
        periods: Labels of the periods; empty without them.
    """

    total: FloatArray
    weight: FloatArray
    persons: FloatArray
    missing: FloatArray
    levels: FloatArray | None = None
    scale: tuple[Any, ...] = ()
    covariates: FloatArray | None = None
    periods: tuple[Any, ...] = ()


def reduce(outcome: Outcome, rows: pd.DataFrame, ids: Sequence[str], key: str, period: str | None = None) -> Reduced:
    """Sums an outcome's rows over the assigned units.

    Args:
        outcome: The outcome.
        rows: A row a person or a row a unit (and period) with sums.
        ids: Identifiers of the assigned units, in order; rows of others are ignored.
        key: Column of the identifier.
        period: Column of the period, where the design needs it.

    Raises:
        ParameterError: A missing column, a value that is no number, or one that cannot be.
    """
    _columns_present(outcome, rows, key, period)
    place = {name: number for number, name in enumerate(ids)}
    place_of = identifiers(rows[key]).map(place)
    rows, unit = rows[place_of.notna()], place_of[place_of.notna()].to_numpy(dtype=np.intp)
    periods: tuple[Any, ...] = () if period is None else tuple(in_order(rows[period]))
    shape = (len(ids), len(periods)) if period else (len(ids),)
    if period:
        without_gaps(list(periods), period)
        step = rows[period].map({label: number for number, label in enumerate(periods)}).to_numpy(dtype=np.intp)
        cell = unit * len(periods) + step
    else:
        cell = unit

    def summed(values: FloatArray) -> FloatArray:
        return np.bincount(cell, values, minlength=int(np.prod(shape))).astype(float).reshape(shape)

    value = _numbers(outcome, rows, outcome.column, key)
    there = np.isfinite(value)
    denominator = np.ones(len(rows)) if outcome.of is None else _numbers(outcome, rows, outcome.of, key)
    _possible(outcome, rows, key, value, denominator)
    levels: FloatArray | None = None
    scale: tuple[float, ...] = ()
    if outcome.kind == "ordinal":
        scale = tuple(float(level) for level in np.unique(value[there]))
        each = np.where(there, denominator, 0.0)
        by_level = [summed(np.where(value == level, each, 0.0)) for level in scale]
        levels = np.stack(by_level, axis=-1) if by_level else np.zeros((*shape, 0))
        value = value * denominator if outcome.of else value
    known = there & np.isfinite(denominator)
    counted = np.isfinite(denominator) if outcome.missing == "not_reached" else known
    weight = np.where(counted, np.where(np.isfinite(denominator), denominator, 0.0), 0.0)
    by_row = outcome.of is None or outcome.kind == "ratio"
    persons = counted.astype(float) if by_row else weight
    covariates = _covariates(outcome, rows, key, unit, weight, len(ids)) if outcome.covariates else None
    return Reduced(
        total=summed(np.where(known, value, 0.0)),
        weight=summed(weight),
        persons=summed(persons),
        missing=summed(np.where(known, 0.0, 1.0 if by_row else np.nan_to_num(denominator))),
        levels=levels,
        scale=scale,
        covariates=covariates,
        periods=periods,
    )


def _covariates(  # noqa: PLR0917 - one caller
    outcome: Outcome, rows: pd.DataFrame, key: str, unit: Any, weight: FloatArray, units: int
) -> FloatArray:
    """Means of the covariates over the persons of each unit; units without one get the overall mean."""
    columns = []
    for name in outcome.covariates:
        value = _numbers(outcome, rows, name, key)
        if outcome.covariate_of is not None:
            above, below = value, _numbers(outcome, rows, outcome.covariate_of, key)
        else:
            above, below = value * weight, weight
        use = np.isfinite(above) & np.isfinite(below)
        sums = [np.bincount(unit[use], part[use], minlength=units) for part in (above, below)]
        mean = np.divide(sums[0], sums[1], out=np.full(units, np.nan), where=sums[1] > 0)
        known = mean[np.isfinite(mean)]
        if known.size < 2 or np.ptp(known) <= 1e-12 * np.abs(known).max():
            raise ParameterError(
                f"Показатель «{outcome.name}»: covariates: столбец «{name}» пуст или одинаков у всех единиц: "
                "поправлять не на что. Уберите его из протокола или заполните."
            )
        columns.append(np.where(np.isnan(mean), sums[0].sum() / sums[1].sum(), mean))
    return np.column_stack(columns)


def _columns_present(outcome: Outcome, rows: pd.DataFrame, key: str, period: str | None) -> None:
    for column in (key, *([period] if period else []), *outcome.columns):
        if list(rows.columns).count(column) > 1:
            raise ParameterError(
                f"Показатель «{outcome.name}»: столбец «{column}» есть в данных дважды. Оставьте один."
            )
        if column not in rows:
            near = get_close_matches(column, [str(name) for name in rows.columns], n=1)
            hint = f" Возможно, имелся в виду «{near[0]}»." if near else ""
            raise ParameterError(
                f"Показатель «{outcome.name}»: в данных нет столбца «{column}».{hint} "
                f"Есть: {', '.join(map(str, rows.columns))}. Добавьте столбец или исправьте протокол."
            )


def _numbers(outcome: Outcome, rows: pd.DataFrame, column: str, key: str) -> FloatArray:
    if isinstance(rows[column].dropna().iloc[0] if rows[column].notna().any() else None, _DATES):
        raise ParameterError(
            f"Показатель «{outcome.name}»: в столбце «{column}» даты, а не числа. Укажите в протоколе другой столбец."
        )
    values, bad = numbers(rows[column])
    bad |= np.isinf(values)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ParameterError(
            f"Показатель «{outcome.name}», столбец «{column}», {rows[key].iloc[first]}: «{rows[column].iloc[first]}» — "
            "не число. Исправьте значение или оставьте ячейку пустой."
        )
    return values


def _possible(outcome: Outcome, rows: pd.DataFrame, key: str, value: FloatArray, denominator: FloatArray) -> None:
    """Refuses values that cannot be: a share above the whole, a negative count, a sum over nobody."""
    column, shown, bad = outcome.of or outcome.column, denominator, denominator < 0
    remedy = "знаменатель не может быть отрицательным"
    if not bad.any() and outcome.kind != "ratio":
        bad, remedy = np.isfinite(value) & np.isnan(denominator), f"значение «{outcome.column}» есть, а знаменателя нет"
    if not bad.any() and outcome.kind in {"mean", "count"}:
        bad = (denominator == 0) & np.isfinite(value) & (value != 0)
        remedy = f"сумма «{outcome.column}» не равна нулю, а людей в знаменателе нет"
    if not bad.any():
        column, shown = outcome.column, value
    if not bad.any() and outcome.kind == "proportion":
        whole = np.where(np.isfinite(denominator), denominator, np.inf)
        bad = (value < 0) | (value > whole)
        remedy = "ожидается 0 или 1" if outcome.of is None else f"больше знаменателя «{outcome.of}» или меньше 0"
        if outcome.of is None:
            bad |= np.isfinite(value) & (value != 0) & (value != 1)
    elif not bad.any() and outcome.kind == "count":
        bad, remedy = value < 0, "число случаев не может быть отрицательным"
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        found = f"{shown[first]:g} невозможно" if np.isfinite(shown[first]) else "не заполнено"
        raise ParameterError(
            f"Показатель «{outcome.name}», столбец «{column}», {rows[key].iloc[first]}: значение {found}: {remedy}. "
            "Исправьте данные."
        )


def _known(where: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        near = get_close_matches(str(value), list(allowed), n=1)
        hint = f" Возможно, имелось в виду {near[0]}." if near else ""
        raise ParameterError(f"{where}: «{value}» не допускается.{hint} Допустимы: {', '.join(allowed)}.")
