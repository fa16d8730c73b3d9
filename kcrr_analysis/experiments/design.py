"""How a pilot assigns: the unit, the arms, the method, the seed.

A design is fixed before the data. What it assigns is the cluster (a centre) where there is one, else the unit (a
person); the analysis then takes as independent what was assigned, never more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from kcrr_analysis.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from kcrr_analysis.experiments.assignment import Assignment
    from kcrr_analysis.experiments.sizing.closed_form import Power

Method: TypeAlias = Literal[
    "complete", "stratified", "matched_pairs", "rerandomised", "stepped_wedge", "crossover", "switchback",
    "not_randomised",
]  # fmt: skip

METHODS: tuple[str, ...] = get_args(Method)
IN_TIME = ("stepped_wedge", "crossover", "switchback")
"""Methods under which a centre changes its arm with time."""

SEQUENCES = 2
"""A crossover has two orders: control first, or the new format first."""


@dataclass(frozen=True)
class Design:
    """How units go to arms.

    Attributes:
        unit: Column that identifies who is measured.
        cluster: Column that identifies what is assigned as a whole (a centre); None assigns each unit by itself.
        arms: Share of each arm; the first one is the control. A sequence of names means equal shares.
        method: `complete`, `stratified` (within `strata`), `matched_pairs` (by `pairs`, or formed on `balance`),
            `rerandomised` (redrawn until `balance` is even enough), `stepped_wedge` (`waves` begin one after another),
            `crossover` (each cluster changes the arm at every block), `switchback` (blocks of each cluster are drawn),
            `not_randomised`.
        strata: Columns within which is assigned; waves of entry of a sequential pilot belong here too.
        pairs: Column that names each unit's pair (or set, with more than two arms).
        balance: Numeric columns known beforehand: shown in the balance table, used to pair and to redraw.
        accept: Share of assignments that a rerandomised design accepts.
        waves: Number of waves of a stepped wedge.
        period: Column of the period of an outcome, for the methods in time and for a pilot that was not randomised.
        block: Periods that a cluster keeps its arm in a crossover or switchback; periods between the waves of a stepped
            wedge.
        washout: First periods of each block that do not count (both arms alike), for the earlier arm to fade.
        seed: Of the draw; the same units and seed give the same assignment. None: the draw was made elsewhere.

    Raises:
        ParameterError: Arguments that do not go together.

    >>> Design(cluster="center_id", arms=("control", "new"), seed=7).arms["new"]
    0.5
    """

    unit: str = "person_id"
    cluster: str | None = None
    arms: Mapping[str, float] | Sequence[str] = ("control", "treatment")
    method: Method = "complete"
    strata: Sequence[str] | str = ()
    pairs: str | None = None
    balance: Sequence[str] | str = ()
    accept: float = 0.1
    waves: int | None = None
    period: str = "month"
    block: int = 1
    washout: int = 0
    seed: int | None = 0
    _shares: Mapping[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strata", _columns(self.strata))
        object.__setattr__(self, "balance", _columns(self.balance))
        object.__setattr__(self, "arms", MappingProxyType(_shares(self.arms)))
        object.__setattr__(self, "_shares", self.arms)
        if self.method not in METHODS:
            near = get_close_matches(str(self.method), METHODS, n=1)
            hint = f" Возможно, имелось в виду {near[0]}." if near else ""
            raise ParameterError(f"Метод назначения «{self.method}» неизвестен.{hint} Допустимы: {', '.join(METHODS)}.")
        self._check_numbers()
        self._check_method()

    @property
    def assigned(self) -> str:
        """Column that identifies what is assigned."""
        return self.cluster or self.unit

    @property
    def shares(self) -> Mapping[str, float]:
        """Share of each arm."""
        return self._shares

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arms, the control first."""
        return tuple(self._shares)

    @property
    def control(self) -> str:
        """Name of the arm that the others are compared with."""
        return self.names[0]

    @property
    def randomised(self) -> bool:
        """Whether chance decided who got what."""
        return self.method != "not_randomised"

    @property
    def in_time(self) -> bool:
        """Whether a cluster changes its arm with time."""
        return self.method in IN_TIME

    @property
    def ordered(self) -> bool:
        """Whether an order in time is drawn for each cluster: waves or sequences, not arms."""
        return self.method in {"stepped_wedge", "crossover"}

    @property
    def group_column(self) -> str:
        """Column of an assignment that says who is in which group: `arm`, `wave` or `sequence`."""
        return {"stepped_wedge": "wave", "crossover": "sequence"}.get(self.method, "arm")

    @property
    def reference_seed(self) -> int:
        """Seed of the assignments that the observed one is compared with."""
        return self.seed or 0

    def assign(self, units: pd.DataFrame) -> Assignment:
        """Draws an assignment.

        The order of rows does not matter: units are sorted by their identifier first.

        Args:
            units: One row a unit (persons of a cluster may have several rows: what concerns the cluster must then be
                the same in all of them), with the columns that the design names.

        Raises:
            ParameterError: Missing columns or identifiers, too few units, or a method that draws nothing.
        """
        from kcrr_analysis.experiments.assignment import assign

        return assign(self, units)

    def power(self, outcome: str = "proportion", **settings: Any) -> Power:
        """Power, size or detectable effect of this design by closed form; see `experiments.power`.

        Args:
            outcome: `mean`, `proportion`, `count`, `ordinal` or `ratio`.
            **settings: As in `experiments.power`; arms, shares, method and whether clusters are assigned come from
            the design.
        """
        from kcrr_analysis.experiments.sizing.closed_form import of_design

        return of_design(self, outcome, **settings)

    def _check_numbers(self) -> None:
        for name, least in (("block", 1), ("washout", 0), ("seed", 0)):
            value = getattr(self, name)
            if name == "seed" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ParameterError(f"Дизайн: {name}: «{value}». Ожидается целое число от {least}.")
        if not _number(self.accept) or not 0 < self.accept <= 1:
            raise ParameterError(f"Дизайн: accept: «{self.accept}». Ожидается доля больше 0 и не больше 1.")
        if self.washout and self.washout >= self.block:
            raise ParameterError(
                f"Дизайн: washout ({self.washout}) не меньше block ({self.block}): в блоке не остаётся ни одного "
                "периода. Удлините блок или сократите перерыв."
            )

    def _check_method(self) -> None:
        needs = {
            "stratified": (bool(self.strata), "strata: по каким столбцам делить на страты"),
            "matched_pairs": (bool(self.pairs or self.balance), "pairs (столбец пар) или balance (как подбирать пары)"),
            "rerandomised": (bool(self.balance), "balance: по каким столбцам выравнивать группы"),
            "stepped_wedge": (self.waves is not None, "waves: число волн"),
        }  # fmt: skip
        met, what = needs.get(self.method, (True, ""))
        if not met:
            raise ParameterError(f"Дизайн: для метода {self.method} нужно указать {what}.")
        if self.waves is not None and (
            isinstance(self.waves, bool) or not isinstance(self.waves, int) or self.waves < 2
        ):
            raise ParameterError(f"Дизайн: waves: «{self.waves}». Ожидается целое число волн от 2.")
        self._check_unused()
        self._check_columns()
        if self.in_time and (self.cluster is None or len(self.names) != SEQUENCES):
            raise ParameterError(
                f"Дизайн: метод {self.method} назначает центры во времени. Укажите cluster и ровно две группы: "
                "контрольную и опытную."
            )
        if self.method == "matched_pairs" and not self.pairs and len(self.names) != 2:
            raise ParameterError(
                "Дизайн: пары подбираются для двух групп. При большем числе групп укажите столбец pairs с "
                "номером набора."
            )
        if self.method == "matched_pairs" and len(set(self._shares.values())) != 1:
            raise ParameterError("Дизайн: в паре каждая группа получает одну единицу. Укажите равные доли групп.")
        if self.ordered and len(set(self._shares.values())) != 1:
            raise ParameterError(
                f"Дизайн: при методе {self.method} каждый центр работает и по-старому, и по-новому, доли групп ничего "
                "не задают. Перечислите две группы без долей."
            )

    def _check_unused(self) -> None:
        """Refuses what the method would silently ignore."""
        for name, methods, default in (
            ("waves", ("stepped_wedge",), None),
            ("block", IN_TIME, 1),
            ("washout", ("crossover", "switchback"), 0),
            ("pairs", ("matched_pairs",), None),
        ):
            if getattr(self, name) != default and self.method not in methods:
                raise ParameterError(
                    f"Дизайн: метод {self.method} не использует {name} («{getattr(self, name)}»). Уберите {name} или "
                    f"выберите метод: {', '.join(methods)}."
                )

    def _check_columns(self) -> None:
        own = {"stepped_wedge": ("wave",), "crossover": ("sequence",), "switchback": ("arm", "block")}
        taken = own.get(self.method, ("arm",))
        named = (self.unit, self.cluster, self.pairs, *self.strata, *self.balance)
        for column in named:
            if column is not None and (not isinstance(column, str) or not column.strip()):
                raise ParameterError(f"Дизайн: название столбца «{column}» не подходит. Укажите его текстом.")
            if column in taken:
                raise ParameterError(
                    f"Дизайн: столбец «{column}» заполняет жребий, исходный столбец не может так называться. "
                    "Переименуйте его."
                )


def _columns(value: Sequence[str] | str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shares(arms: Mapping[str, float] | Sequence[str]) -> dict[str, float]:
    if not isinstance(arms, (Mapping, Sequence)) or isinstance(arms, str) or len(arms) < 2:
        raise ParameterError("Дизайн: arms: нужны хотя бы две группы; первая — контрольная.")
    names = [str(name) for name in arms]
    if len(set(names)) != len(names) or not all(name.strip() for name in names):
        raise ParameterError(
            f"Дизайн: arms: названия групп пусты или повторяются: {', '.join(names)}. Назовите каждую группу по-своему."
        )
    if not isinstance(arms, Mapping):
        return {name: 1 / len(names) for name in names}
    shares = {}
    for name, share in arms.items():
        try:
            shares[str(name)] = float(share)
        except (TypeError, ValueError):
            raise ParameterError(
                f"Дизайн: arms: доля группы {name}: «{share}» — не число. Укажите долю, например 0.5."
            ) from None
    wrong = [name for name, share in shares.items() if not 0 < share < 1]
    if wrong or abs(sum(shares.values()) - 1) > 1e-6:
        listed = ", ".join(f"{name}: {share:g}" for name, share in shares.items())
        raise ParameterError(
            f"Дизайн: arms: доли групп ({listed}) должны быть больше 0 и в сумме давать 1. Исправьте доли или "
            "перечислите группы без них: тогда доли равны."
        )
    return shares
