"""Arguments of the power calculation: what goes together, and the layout that they describe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

import numpy as np

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.design import IN_TIME, METHODS
from kcrr_analysis.experiments.sizing.icc import Icc
from kcrr_analysis.experiments.sizing.layouts import Layout
from kcrr_analysis.experiments.sizing.search import Solved
from kcrr_analysis.stats.estimate import checked

_NAMES = {
    "power": "мощность (power)",
    "effect": "эффект (effect)",
    "clusters": "число центров (clusters)",
    "size": "число людей (size)",
}


def checked_choice(value: object, known: Sequence[object], name: str) -> None:
    """Refuses a value that is not among the known ones.

    Raises:
        ParameterError: With the nearest known one, where there is any near.
    """
    if value in known:
        return
    near = get_close_matches(str(value), [str(one) for one in known], n=1)
    hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
    listed = ", ".join(str(one) for one in known)
    raise ParameterError(f"Параметр «{name}»: значение «{value}» неизвестно.{hint} Допустимы: {listed}.")


def inside(value: float, name: str, *, low: float = 0.0, high: float = 1.0, closed: bool = False) -> float:
    """A number strictly between two bounds (or from the lower one on).

    Raises:
        ParameterError: Anything else.
    """
    found = float(checked(value, name, low=-np.inf))
    if not (low <= found < high if closed else low < found < high):
        start = f"от {low:g}" if closed else f"больше {low:g}"
        raise ParameterError(
            f"Недопустимое значение параметра «{name}»: {found:g}. Укажите число {start} и меньше {high:g}."
        )
    return found


def number(value: float | Sequence[float] | None, name: str) -> float | None:
    """The first of the arms' numbers, whole and at least 1; None where it is to be found.

    Raises:
        ParameterError: Anything else.
    """
    if value is None:
        return None
    numbers = np.atleast_1d(checked(value, name, whole=True))
    if numbers.ndim != 1 or not numbers.size or not (numbers >= 1).all():
        raise ParameterError(f"Недопустимое значение параметра «{name}». Укажите целые числа от 1.")
    return float(numbers[0])


def correlation_of(icc: float | Icc | None) -> tuple[float, Icc | None]:
    """The intraclass correlation as a number, and its estimate where it is one.

    Raises:
        ParameterError: A number outside [0, 1).
        NotComputableError: An estimate without limits.
    """
    if icc is None:
        return 0.0, None
    if not isinstance(icc, Icc):
        return inside(icc, "внутригрупповая корреляция (icc)", closed=True), None
    if np.isnan(icc.distribution).any():
        raise NotComputableError(
            "У оценки внутригрупповой корреляции нет пределов: исход внутри центров не различается. Укажите её числом."
        )
    return icc.value, icc


def checked_margin(aim: str, margin: float | None) -> float:
    """The margin, NaN for superiority.

    Raises:
        ParameterError: None where the aim needs one, one where it does not, not above zero.
    """
    if aim == "difference":
        if margin is not None:
            raise ParameterError("Граница (margin) нужна только для «не хуже» (not_worse) и «равны» (equivalent).")
        return math.nan
    if margin is None or not float(checked(margin, "граница (margin)")) > 0:
        raise ParameterError(
            "Укажите границу (margin): наибольшее отличие, которое ещё не имеет значения, больше нуля."
        )
    return float(margin)


def asked_for(
    effect: float | None, power: float | None, scale: float | None, size: float | None, *, clustered: bool
) -> Solved:
    """Which of the numbers is to be found.

    Raises:
        ParameterError: None of them or more than one.
    """
    given: dict[str, float | None] = {"power": power, "effect": effect}
    given |= {"clusters": scale, "size": size} if clustered else {"size": scale}
    unknown = [name for name, value in given.items() if value is None]
    if len(unknown) != 1:
        listed = ", ".join(_NAMES[name] for name in given)
        state = "заданы все" if not unknown else "не заданы: " + ", ".join(_NAMES[name] for name in unknown)
        raise ParameterError(f"Ровно одно из перечисленного нужно оставить незаданным: {listed}. Сейчас {state}.")
    return next(name for name in get_args(Solved) if name == unknown[0])


def layout_of(
    method: str,
    arms: int | Sequence[float],
    numbers: float | Sequence[float] | None,
    periods: int | None,
    pattern: Any = None,
    *,
    clustered: bool,
    **settings: Any,
) -> Layout:
    """The layout of a method and its arms.

    Args:
        method: As in `Design`.
        arms: Number of arms (waves) or their relative sizes.
        numbers: Units of the arms, where given.
        periods: Periods of the designs in time.
        pattern: Treatment by wave or sequence (rows) and period, None for the regular one.
        clustered: Whether clusters are assigned.
        **settings: Further fields of `Layout`.

    Raises:
        ParameterError: An unknown method, arms, periods or shares that cannot be.
    """
    checked_choice(method, METHODS, "метод назначения (method)")
    if method in IN_TIME and not clustered:
        raise ParameterError(f"Метод {method} назначает центры во времени. Укажите внутригрупповую корреляцию (icc).")
    shares = _shares(method, arms, numbers)
    for name, title in (("correlation", "корреляция в парах"), ("explained", "объяснённая доля изменчивости")):
        settings[name] = inside(settings[name], f"{title} ({name})", closed=True)
    if not 0 < float(checked(settings["accept"], "доля принимаемых назначений (accept)")) <= 1:
        raise ParameterError("Доля принимаемых назначений (accept) должна быть больше 0 и не больше 1.")
    if not float(checked(settings["strata"], "число страт (strata)", whole=True)) >= 1:
        raise ParameterError("Число страт (strata) должно быть целым числом от 1.")
    settings["cac"] = float(checked(settings["cac"], "корреляция между периодами (cac)", high=1.0))
    settings["cv"] = float(checked(settings["cv"], "коэффициент вариации размеров (cv)"))
    if pattern is not None:
        rows = np.asarray(pattern, dtype=float)
        if method not in ("stepped_wedge", "crossover") or rows.ndim != 2 or len(rows) != len(shares):
            raise ParameterError("План по периодам (pattern): нужна строка на каждую волну или последовательность.")
        periods = rows.shape[1]
        settings["pattern"] = tuple(tuple(int(cell) for cell in row) for row in rows)
    least = len(shares) + 1 if method == "stepped_wedge" else 2
    length = (
        periods if periods is not None else least if method == "stepped_wedge" else 2 if method == "crossover" else None
    )
    if method in IN_TIME and (length is None or length < least):
        raise ParameterError(f"Для метода {method} укажите число периодов (periods), целое число от {least}.")
    return Layout(method, clustered, shares, periods=length or 1, **settings)


def _shares(method: str, arms: int | Sequence[float], numbers: float | Sequence[float] | None) -> tuple[float, ...]:
    if isinstance(arms, (int, np.integer)):
        found = np.ones(max(int(arms), 0))
    else:
        found = np.atleast_1d(checked(arms, "доли групп (arms)"))
    if method in ("crossover", "switchback"):
        found = np.ones(2 if method == "crossover" else 1)
    elif found.size < 2 or not (found > 0).all():
        raise ParameterError("Нужны хотя бы две группы (arms), первая — контрольная; доли групп больше нуля.")
    if numbers is not None and np.ndim(numbers) == 1:
        each = np.atleast_1d(checked(numbers, "размеры групп"))
        if each.size != found.size or not (each > 0).all():
            raise ParameterError(f"Групп {found.size}, а размеров указано {each.size}. Укажите размер каждой группы.")
        found = each
    if method == "matched_pairs" and not np.allclose(found, found[0]):
        raise ParameterError("В парах размеры групп равны. Укажите число пар.")
    return tuple(float(share) for share in found / found[0])
