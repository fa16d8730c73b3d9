"""What a contact with clients costs, and what a growth of the flow would return.

Cost = external spend + staff hours x rate + direct cost + overhead. Overhead is a share of the sum of staff and direct
cost: a contractor's bill carries its own. The rate and the overhead are parameters of the region; the kit knows no
value of either, nor of a client.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import pandas as pd
from pydantic import Field

from kcrr_analysis import paths, yaml_files
from kcrr_analysis.errors import NotComputableError, ParameterError

PARTS = ("external_cost", "direct_cost", "staff_hours")
"""Columns that a cost is made of."""

_NBSP = "\N{NO-BREAK SPACE}"
_NAMES = {
    "external_cost": "внешние расходы",
    "direct_cost": "прямые расходы",
    "staff_hours": "часы сотрудников",
}


class WithInterval(Protocol):
    """An interval estimate, such as `stats.Estimate`."""

    @property
    def estimate(self) -> float:
        """The point."""

    @property
    def low(self) -> float:
        """Lower limit."""

    @property
    def high(self) -> float:
        """Upper limit."""

    @property
    def level(self) -> float:
        """Confidence level, such as 0.95."""


class RatesFile(yaml_files.FileModel):
    """`params/costs.yaml` as written.

    Attributes:
        hour_rate: Roubles an hour of work with all charges; empty where it is not known.
        overhead: Share of the staff and direct cost.
        source: Where the numbers come from; printed beside every cost.
    """

    hour_rate: Annotated[Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, yaml_files.Absent]
    overhead: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """What an hour of work costs and what stands behind it.

    Attributes:
        hour_rate: Roubles an hour of work; None where it is not known: hours are then left out and flagged.
        overhead: Overhead as a share of staff and direct cost together: 0.15 adds 15 % of their sum. External spend
            bears none.
        source: Where the numbers come from, in Russian, or empty.

    Raises:
        ParameterError: A value is negative or not finite.
    """

    hour_rate: float | None
    overhead: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        for name, value in (("hour_rate", self.hour_rate), ("overhead", self.overhead)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ParameterError(
                    f"Параметр {name}: значение «{value}» не допускается. Укажите число не меньше нуля"
                    + (" или оставьте пустым, если ставка не известна." if name == "hour_rate" else ".")
                )

    @property
    def definition(self) -> str:
        """What is in the cost, one Russian sentence or two."""
        if self.hour_rate is None:
            parts, base = "внешние расходы + прямые расходы", "прямых расходов"
            ending = " Ставка часа не задана: работа сотрудников в стоимость не входит."
        else:
            parts = f"внешние расходы + часы сотрудников × {_roubles(self.hour_rate)} + прямые расходы"
            base, ending = "оплаты часов и прямых расходов", ""
        if self.overhead:
            parts += f" + накладные ({_number(100 * self.overhead)}{_NBSP}% от {base})"
        source = f" Источник ставки и накладных: {self.source}." if self.source else ""
        return f"Стоимость = {parts}.{ending}{source}"


UNKNOWN = Rates(None)
"""No rate is known: cost is external and direct spend alone."""


def read_rates(path: str | Path) -> Rates:
    """Rates from a file such as `params/costs.yaml`.

    Args:
        path: The file; a relative path is seen from the kit's folder.

    Raises:
        ParameterError: The file is absent or not as it must be; all faults at once.
    """
    file = yaml_files.read_model(paths.resolve(path), RatesFile)
    return Rates(file.hour_rate, file.overhead, file.source)


def contact_cost(frame: pd.DataFrame, rates: Rates) -> pd.Series:
    """Cost of each row: external + hours x rate + direct + overhead, roubles.

    A part that is not recorded adds nothing; where no part is recorded that could be priced, the cost is missing and
    not zero. `unpriced` and `gaps` tell which costs are incomplete.

    Args:
        frame: Rows of `events` or `promotion`, or of any table with some of `PARTS`.
        rates: Rate and overhead.

    Returns:
        Float series with the index of `frame`, NaN where nothing is recorded.
    """
    external = _recorded(frame, "external_cost")
    return external.add(internal_cost(frame, rates), fill_value=0).rename("cost")


def internal_cost(frame: pd.DataFrame, rates: Rates) -> pd.Series:
    """What a tool costs that the centre runs itself: hours x rate + direct + overhead, roubles (checklist row 118).

    Args:
        frame: Rows with some of `direct_cost`, `staff_hours`.
        rates: Rate and overhead.

    Returns:
        Float series with the index of `frame`, NaN where neither is recorded (or hours alone without a rate).
    """
    direct = _recorded(frame, "direct_cost")
    if rates.hour_rate is not None:
        direct = direct.add(_recorded(frame, "staff_hours") * rates.hour_rate, fill_value=0)
    return (direct * (1 + rates.overhead)).rename("internal_cost")


def unpriced(frame: pd.DataFrame, rates: Rates) -> pd.Series:
    """Rows whose recorded hours are left out of the cost because no rate is given."""
    return (_recorded(frame, "staff_hours").gt(0) & (rates.hour_rate is None)).rename("unpriced")


def gaps(frame: pd.DataFrame, rates: Rates) -> tuple[str, ...]:
    """What the costs of these rows lack, Russian sentences; empty where nothing is missing.

    Args:
        frame: Rows with some of `PARTS`.
        rates: Rate and overhead.
    """
    said = []
    missing = {name: int(_recorded(frame, name).isna().sum()) for name in PARTS}
    nowhere = [_NAMES[name] for name, count in missing.items() if count == len(frame)]
    partly = [
        f"{_NAMES[name]} — в {count} из {len(frame)}" for name, count in missing.items() if 0 < count < len(frame)
    ]
    if len(nowhere) == len(PARTS):
        return ("Расходы в данных не записаны: стоимость не вычисляется.",)
    if nowhere:
        said.append(f"В данных не записаны {_list(nowhere)}: в стоимость они не вошли.")
    if partly:
        said.append(f"Записаны не везде (строк без записи): {_list(partly)}; такая часть в стоимость не вошла.")
    if unpriced(frame, rates).any():
        said.append("Часы сотрудников записаны, но ставка не задана: стоимость без них занижена.")
    return tuple(said)


@dataclass(frozen=True, slots=True)
class FinancialReturn:
    """What additional clients would return under a region's own assumptions: a scenario, no forecast.

    Attributes:
        clients: Additional clients.
        clients_low: Lower limit.
        clients_high: Upper limit.
        level: Confidence level of the limits.
        client_value: Roubles that the region puts on one client.
        cost: What is spent to attract them, roubles.
        value: clients x client_value, roubles.
        value_low: From the lower limit.
        value_high: From the upper limit.
        net: value - cost, roubles.
        net_low: From the lower limit.
        net_high: From the upper limit.
        break_even: Clients whose value equals the cost.
        source: Where the value of a client comes from, in Russian.
        definition: What was computed, in Russian.
    """

    clients: float
    clients_low: float
    clients_high: float
    level: float
    client_value: float
    cost: float
    value: float
    value_low: float
    value_high: float
    net: float
    net_low: float
    net_high: float
    break_even: float
    source: str
    definition: str = (
        "Отдача = дополнительные клиенты × ценность одного клиента − расходы. Ценность клиента задаёт регион, своего "
        "значения у набора нет; её неточность в интервал не входит. Это сценарий, а не прогноз: он верен, если клиенты "
        "действительно дополнительные, то есть без этих расходов не пришли бы."
    )

    def to_frame(self) -> pd.DataFrame:
        """One row with every figure."""
        return pd.DataFrame([asdict(self)])


def scenario(
    clients: WithInterval, *, client_value: float | None = None, cost: float, source: str = ""
) -> FinancialReturn:
    """Financial return on a growth of the flow (checklist row 43), under the region's own value of a client.

    Args:
        clients: Additional clients with their interval (`stats.Estimate`).
        client_value: Roubles that one additional client is worth to the region.
        cost: Roubles spent to attract them.
        source: Where the value comes from, in Russian; printed beside the figure.

    Raises:
        NotComputableError: No value of a client is given.
        ParameterError: A number is not finite, the cost is negative, or the limits are in the wrong order.
    """
    if client_value is None:
        raise NotComputableError(
            "Финансовая отдача не вычисляется: ценность одного клиента не задана, а общепринятой нет. Укажите "
            "client_value — сколько рублей регион относит на одного дополнительного клиента, — и источник этой оценки."
        )
    numbers = (clients.estimate, clients.low, clients.high, client_value, cost)
    if not all(math.isfinite(number) for number in numbers) or cost < 0 or not clients.low <= clients.high:
        raise ParameterError(
            "Сценарий отдачи: число клиентов с границами, client_value и cost должны быть конечными числами, "
            "расходы — не меньше нуля, нижняя граница — не больше верхней."
        )
    ends = sorted((clients.low * client_value, clients.high * client_value))
    return FinancialReturn(
        clients=float(clients.estimate),
        clients_low=float(clients.low),
        clients_high=float(clients.high),
        level=clients.level,
        client_value=float(client_value),
        cost=float(cost),
        value=clients.estimate * client_value,
        value_low=ends[0],
        value_high=ends[1],
        net=clients.estimate * client_value - cost,
        net_low=ends[0] - cost,
        net_high=ends[1] - cost,
        break_even=cost / client_value if client_value > 0 else math.inf,
        source=source,
    )


def _recorded(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as floats; missing throughout where the frame has none."""
    if name not in frame:
        return pd.Series(np.nan, index=frame.index, dtype=float)
    values = pd.to_numeric(frame[name]).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    return pd.Series(values, index=frame.index)


def _number(value: float) -> str:
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", _NBSP).replace(".", ",")


def _roubles(value: float) -> str:
    return f"{_number(value)}{_NBSP}₽"


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} и {words[-1]}"
