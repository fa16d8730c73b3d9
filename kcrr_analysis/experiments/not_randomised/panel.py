"""A panel of centres by months with the centres that took up a new format, and when.

What pilots that were not randomised are read from: every centre has a value in every period, and some centres were
never treated, or not yet. Once treated, a centre stays treated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.labels import listed
from kcrr_analysis.stats.estimate import FloatArray, checked

Scale: TypeAlias = Literal["level", "relative", "log"]


@dataclass(frozen=True, eq=False)
class Panel:
    """Outcomes of units by period, complete.

    Attributes:
        units: Names of the units (centres), sorted; length G.
        periods: Labels of the periods in order; length T.
        values: Outcome on the scale of the analysis, shape (G, T): the total over its weight where weights were given.
        totals: Outcome as it was recorded, shape (G, T).
        first: Position of the first treated period of each unit, shape (G,); T for units never treated.
        scale: level (as recorded, or per unit of weight); relative (percent of the unit's own mean before the first
            unit was treated); log (natural logarithm).
        left_out: Untreated units left out because of missing periods.
    """

    units: tuple[str, ...]
    periods: tuple[Any, ...]
    values: FloatArray
    totals: FloatArray
    first: NDArray[np.intp]
    scale: Scale
    left_out: tuple[str, ...] = ()

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Units that are treated at some time, shape (G,)."""
        return np.asarray(self.first < len(self.periods))

    @property
    def start(self) -> int:
        """Position of the first treated period, one for all treated units.

        Raises:
            ParameterError: The units were treated at different times.
        """
        starts = np.unique(self.first[self.treated])
        if starts.size != 1:
            raise ParameterError(
                f"Формат начали в разное время ({', '.join(str(self.periods[at]) for at in starts)}). "
                "Для такого начала есть расчёт поэтапного внедрения (staggered); здесь укажите центры с одной датой."
            )
        return int(starts[0])

    def named(self, which: NDArray[np.bool_]) -> tuple[str, ...]:
        """Names of the marked units."""
        return tuple(name for name, taken in zip(self.units, which, strict=True) if taken)


def panel(
    frame: pd.DataFrame,
    *,
    outcome: str,
    treated: Mapping[str, Any] | Sequence[str],
    start: Any = None,
    unit: str = "center_id",
    period: str = "month",
    weight: str | None = None,
    scale: Scale = "level",
    gaps: Literal["refuse", "leave_out"] = "refuse",
) -> Panel:
    """The panel of a long frame.

    Args:
        frame: One row a unit and period.
        outcome: Column of the outcome: a total.
        treated: First treated period of each treated unit; or the treated units, with `start` for all of them.
        start: First treated period where `treated` is a list.
        unit: Column of unit names.
        period: Column of periods: anything that sorts (monthly periods, years).
        weight: Column that totals are divided by (persons, staff); None takes the totals as they are.
        scale: See `Panel`. Sizes of centres differ, so their trends are more alike as percentages than as persons.
        gaps: What to do with an untreated unit that lacks a period: refuse, or leave the unit out. A treated unit must
            be complete.

    Raises:
        ParameterError: A column is absent, a row is double, a unit is unknown, periods are missing, nobody is treated
            or everybody is, there is no period before or after the start, or values do not suit the scale.
    """
    if scale not in get_args(Scale):
        raise ParameterError(f"Шкала «{scale}» неизвестна. Укажите одно из: {', '.join(get_args(Scale))}.")
    wide, weights = _wide(frame, unit, period, outcome, weight)
    starts = _starts(treated, start)
    unknown = sorted(set(starts) - set(wide.index))
    if unknown:
        raise ParameterError(f"Единиц с новым форматом нет в данных: {listed(unknown)}. Проверьте коды центров.")
    wide, left_out = _complete(wide, set(starts), gaps)
    first = _positions(wide, starts)
    totals = checked(wide.to_numpy(dtype=float), outcome, low=-np.inf)
    values = totals if weights is None else totals / _divisors(weights.reindex_like(wide), str(weight))
    return Panel(
        units=tuple(wide.index),
        periods=tuple(wide.columns),
        values=_scaled(values, scale, int(first.min()), outcome),
        totals=totals,
        first=first,
        scale=scale,
        left_out=left_out,
    )


def _wide(
    frame: pd.DataFrame, unit: str, period: str, outcome: str, weight: str | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    absent = [name for name in (unit, period, outcome, weight) if name is not None and name not in frame]
    if absent:
        raise ParameterError(f"В данных нет столбцов: {', '.join(absent)}. Проверьте названия столбцов.")
    rows = frame[[unit, period, outcome, *([weight] if weight else [])]]
    rows = rows.assign(**{unit: rows[unit].astype(str)})
    double = rows.duplicated([unit, period])
    if double.any():
        at = rows.loc[double].iloc[0]
        raise ParameterError(
            f"Строка центра {at[unit]} за период {at[period]} встречается несколько раз. Оставьте одну строку на центр "
            "и период (например, только client_group = all)."
        )
    if rows.empty:
        raise ParameterError("Данных нет: таблица пуста. Проверьте регион и период.")
    by = rows.set_index([unit, period])
    return _unstacked(by[outcome]), None if weight is None else _unstacked(by[weight])


def _unstacked(column: pd.Series) -> pd.DataFrame:
    return column.astype("Float64").astype(float).unstack().sort_index(axis=0).sort_index(axis=1)


def _starts(treated: Mapping[str, Any] | Sequence[str], start: Any) -> dict[str, Any]:
    if isinstance(treated, str):
        treated = [treated]
    if isinstance(treated, Mapping):
        starts = {str(name): at for name, at in treated.items()}
    elif start is None:
        raise ParameterError("Не указан первый период нового формата (start). Укажите его, например 2025-03.")
    else:
        starts = {str(name): start for name in treated}
    if not starts:
        raise ParameterError("Не указан ни один центр с новым форматом. Перечислите коды центров в параметре treated.")
    return starts


def _complete(
    wide: pd.DataFrame, treated: set[str], gaps: Literal["refuse", "leave_out"]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    periods: Any = wide.columns
    if isinstance(periods, pd.PeriodIndex):  # a month that nobody reported is a gap, too
        wide = wide.reindex(columns=pd.period_range(periods[0], periods[-1], freq=periods.freq))
    empty = list(wide.columns[wide.isna().all()])
    if empty:
        raise ParameterError(f"Нет данных ни одного центра за {listed(empty)}. Добавьте эти периоды в таблицу.")
    missing = wide.isna()
    partial = [str(name) for name in wide.index[missing.any(axis=1)]]
    bad = [name for name in partial if name in treated] if gaps == "leave_out" else partial
    if bad:
        at = missing.loc[bad[0]].idxmax()
        remedy = (
            "Добавьте строки: центр с новым форматом исключить нельзя."
            if bad[0] in treated
            else "Добавьте строки или разрешите исключить такие центры (gaps = leave_out)."
        )
        raise ParameterError(
            f"Не за все периоды есть данные центров: {listed(bad)} (у {bad[0]} нет значения за {at}). {remedy}"
        )
    kept = wide.drop(index=partial)
    return kept, tuple(partial)


def _positions(wide: pd.DataFrame, starts: Mapping[str, Any]) -> NDArray[np.intp]:
    """Position of each unit's first treated period."""
    labels: list[Any] = list(wide.columns)
    monthly = isinstance(labels[0], pd.Period)
    first = np.full(len(wide), len(labels), dtype=np.intp)
    for name, given in starts.items():
        at = _month(given) if monthly else given
        if at not in labels:
            raise ParameterError(
                f"Первого периода нового формата {at} (центр {name}) нет в данных: они охватывают {labels[0]} – "
                f"{labels[-1]}. Исправьте дату начала."
            )
        first[wide.index.get_loc(name)] = labels.index(at)
        if labels.index(at) == 0:
            raise ParameterError(
                f"У центра {name} нет ни одного периода до начала нового формата ({at}). Без прошлого сравнивать не с "
                "чем: добавьте данные за более ранние периоды."
            )
    if len(starts) == len(wide):
        raise ParameterError(
            "Все центры работали с новым форматом: сравнивать не с кем. Нужны центры, где его не было."
        )
    return first


def _month(at: Any) -> pd.Period:
    try:
        return pd.Period(at, freq="M")
    except (ValueError, TypeError) as error:
        raise ParameterError(f"Месяц «{at}» не распознан. Укажите его в виде 2025-03.") from error


def _divisors(weights: pd.DataFrame, name: str) -> FloatArray:
    divisor = checked(weights.to_numpy(dtype=float), name)
    if np.isnan(divisor).any() or (divisor == 0).any():
        raise ParameterError(f"В столбце «{name}» есть пропуски или нули, делить на них нельзя. Исправьте данные.")
    return divisor


def _scaled(values: FloatArray, scale: Scale, start: int, outcome: str) -> FloatArray:
    if scale == "log":
        if (values <= 0).any():
            raise ParameterError(f"В «{outcome}» есть нули: логарифм не определён. Укажите шкалу relative или level.")
        return np.asarray(np.log(values))
    if scale == "relative":
        base = values[:, :start].mean(axis=1, keepdims=True)
        if (base <= 0).any():
            raise ParameterError(
                f"У части центров «{outcome}» до начала нового формата равен нулю: изменение в процентах не "
                "определено. Исключите такие центры или укажите шкалу level."
            )
        return np.asarray(100 * values / base)
    return values
