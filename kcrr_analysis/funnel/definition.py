"""What an ordered funnel counts: steps, windows, entry, ties, period. It moves the answer, so it travels with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from numbers import Real
from typing import Any, Literal, TypeAlias, get_args

import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.contracts import TABLES

Entry = Literal["log", "period"]
Counting = Literal["cohort", "period"]
Order = Literal["strict", "any"]
Ties = Literal["in_order", "apart"]

Condition: TypeAlias = "str | Sequence[str] | Mapping[str, Any]"
Days: TypeAlias = "float | str | pd.Timedelta | None"

MAX_STEPS = 15
DAY_US = 86_400_000_000

TITLES: Mapping[str, str] = {
    "contact": "Первый контакт",
    "registration": "Регистрация на ЕЦП",
    "application": "Заявление",
    "service": "Услуга",
    "service_request": "Запрос услуги",
}
"""Russian names of the usual steps; any other step is called as the caller names it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A named condition on an action.

    Attributes:
        name: Name in the results; unique.
        conditions: (column, accepted values) pairs, all of which an action must meet.
    """

    name: str
    conditions: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def title(self) -> str:
        """Russian name."""
        return TITLES.get(self.name, self.name)

    def meets(self, other: Step) -> bool:
        """Whether one action may match both steps: no column asks for values without a common one."""
        own = dict(self.conditions)
        return all(column not in own or set(own[column]) & set(values) for column, values in other.conditions)


@dataclass(frozen=True, slots=True)
class Definition:
    """The question that an ordered funnel answers.

    Attributes:
        steps: The steps, entry first.
        window: Days from the entry (whole 24 hours each) within which every step must come; None for no limit.
        step_windows: Days from the previous step, one for each step but the first; None for no limit.
        entry: `log`: a person enters with the first action of step 1 in the whole log; `period`: with the first one in
            the period.
        counting: `cohort`: those who entered in the period, whenever their later steps came; `period`: steps that
            fell into the period.
        order: `strict`: each step after the previous one; `any`: later steps in any order after the entry.
        ties: `in_order`: actions at one and the same time stand in the order of the steps; `apart`: a later step needs
            a later time.
        by: Columns of the entry action that split the rows.
        cohort: Whether rows are split by month of entry too.
        where: (column, values) pairs that limit the log before anything else.
        start: First moment of the period, or None for the whole log.
        end: First moment after it, or None.
        as_of: What happened later is not known yet.
        log_start: The first action of the log.
        zone: Zone of days and months.
    """

    steps: tuple[Step, ...]
    window: float | None
    step_windows: tuple[float | None, ...]
    entry: Entry
    counting: Counting
    order: Order
    ties: Ties
    by: tuple[str, ...]
    cohort: bool
    where: tuple[tuple[str, tuple[str, ...]], ...]
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    as_of: pd.Timestamp
    log_start: pd.Timestamp
    zone: str

    @property
    def overlapping(self) -> bool:
        """Whether one action may match two steps."""
        return any(one.meets(other) for n, one in enumerate(self.steps) for other in self.steps[:n])

    @property
    def longest(self) -> float | None:
        """Days after which a person's path is decided; None where it never is."""
        chained = None if None in self.step_windows else sum(days for days in self.step_windows if days is not None)
        known = [days for days in (self.window, chained) if days is not None]
        return min(known) if known else None

    @property
    def flow(self) -> bool:
        """Whether the persons of a step need not be among those who entered in the period."""
        return self.counting == "period" and self.entry == "log" and self.start is not None

    @property
    def horizon(self) -> pd.Timestamp:
        """The last moment whose actions count."""
        if self.counting == "period" and self.end is not None:
            return min(self.as_of, self.end - pd.Timedelta(microseconds=1))
        return self.as_of

    @property
    def text(self) -> str:
        """The definition in Russian, for the report."""
        return " ".join(part for part in (self._path(), self._entry(), self._later(), self._counted()) if part)

    def _path(self) -> str:
        return f"Путь: {' → '.join(f'«{step.title}»' for step in self.steps)}."

    def _entry(self) -> str:
        first = f"первое действие «{self.steps[0].title}»"
        if self.entry == "period" and self.start is not None:
            return f"Вход — {first} человека за период {self._period()} (более ранние не учитываются)."
        before = f"он начинается {_day(self.log_start)}; что было раньше, неизвестно"
        said = f"Вход — {first} человека за весь журнал ({before})"
        return f"{said}." if self.start is None else f"{said}; период {self._period()}."

    def _later(self) -> str:
        limits = [] if self.window is None else [f"не позже чем через {_days(self.window)} после входа"]
        named = [
            f"«{step.title}» — не позже чем через {_days(days)} после предыдущего шага"
            for step, days in zip(self.steps[1:], self.step_windows, strict=True)
            if days is not None
        ]
        within = f", {'; '.join(limits + named)}" if limits or named else ", без ограничения срока"
        tie = (
            "действия с одинаковым временем считаются идущими в порядке шагов"
            if self.ties == "in_order"
            else "действие с тем же временем, что у предыдущего шага, не считается следующим"
        )
        if self.order == "any":
            return (
                f"Остальные шаги — в любом порядке после входа{within}; шаг засчитан, когда пройдены и все шаги "
                f"перед ним в списке; {tie}."
            )
        return f"Каждый следующий шаг — первое подходящее другое действие после предыдущего шага{within}; {tie}."

    def _counted(self) -> str:
        until = f"Журнал известен по {_moment(self.as_of)}."
        if self.flow:
            said = "Считаются шаги, которые пришлись на период, кто бы и когда бы ни вошёл."
        elif self.counting == "period" and self.start is not None:
            said = "Считаются только шаги внутри периода."
        elif self.start is not None:
            said = "Считаются люди, вошедшие в период; их следующие шаги — и после его конца."
        else:
            said = ""
        if self.by or self.cohort:
            by = " и ".join(part for part, used in (("действию", self.by), ("месяцу", self.cohort)) if used)
            said += f" Разрез — по {by} входа."
        if self.where:
            limits = "; ".join(f"«{_header(column)}»: {', '.join(values)}" for column, values in self.where)
            said += f" Из журнала взяты только действия, где {limits}."
        return f"{said} {until}".strip()

    def _period(self) -> str:
        if self.start is None or self.end is None:
            return ""
        return f"с {_day(self.start)} по {_day(self.end - pd.Timedelta(microseconds=1))}"


def read_steps(steps: Mapping[str, Condition] | Sequence[str]) -> tuple[Step, ...]:
    """Steps as a user writes them.

    Args:
        steps: Name -> condition, or a sequence of action codes, each its own step (a repeated code is a repeated step).
            A condition is an action code, several of them, or a mapping of column -> value or values.

    Raises:
        ParameterError: Under two steps or over 15, a condition without values, a name twice.
    """
    if isinstance(steps, str) or not isinstance(steps, Mapping | Sequence):
        raise ParameterError(
            "Параметр steps: нужен список кодов действий или словарь «название шага — условие», например "
            '{"contact": "contact", "application": "application"}.'
        )
    if isinstance(steps, Mapping):
        named = [(str(name), condition) for name, condition in steps.items()]
    else:
        named = []
        for code in steps:
            again = sum(str(code) == str(other[1]) for other in named)
            named.append((f"{code} ({again + 1})" if again else str(code), code))
    if not 2 <= len(named) <= MAX_STEPS:
        raise ParameterError(f"Параметр steps: шагов {len(named)}, а нужно от 2 до {MAX_STEPS}.")
    read = tuple(Step(name, _conditions(name, condition)) for name, condition in named)
    if len({step.name for step in read}) < len(read):
        raise ParameterError("Параметр steps: названия шагов повторяются. Дайте каждому шагу своё название.")
    return read


def _conditions(name: str, condition: Condition) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pairs = condition if isinstance(condition, Mapping) else {"action": condition}
    if not pairs:
        raise ParameterError(f"Параметр steps: у шага «{name}» нет условия. Укажите код действия.")
    return tuple((str(column), read_values(name, values)) for column, values in pairs.items())


def read_values(name: str, values: Any) -> tuple[str, ...]:
    """Accepted values of a column as text, in the order given.

    Raises:
        ParameterError: None at all, or a missing one.
    """
    several = [values] if isinstance(values, str | bool | int | float) or values is None else list(values)
    if not several or any(value is None or value == "" or value != value for value in several):  # noqa: PLR0124 - NaN
        raise ParameterError(f"Параметр steps: у «{name}» пустое значение. Укажите хотя бы один код.")
    return tuple(dict.fromkeys(str(value).lower() if isinstance(value, bool) else str(value) for value in several))


def read_days(name: str, value: Days) -> float | None:
    """A window in days.

    Args:
        name: The parameter, for messages.
        value: Days, a time span such as `"30 days"` or a pandas Timedelta; None for no limit.

    Raises:
        ParameterError: No span, or under a second.
    """
    if value is None:
        return None
    try:
        given: Any = "" if isinstance(value, bool) else value
        days = float(given) if isinstance(given, Real) else pd.Timedelta(given) / pd.Timedelta(days=1)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"Параметр {name}: «{value}» не срок. Укажите число дней, например 90.") from error
    if not 1 / 86_400 <= days < 100_000:  # a bare number as text reads as nanoseconds
        raise ParameterError(f"Параметр {name}: срок {value} не допускается. Укажите число дней больше нуля.")
    return days


def read_step_windows(steps: tuple[Step, ...], given: Mapping[str, Days] | Sequence[Days]) -> tuple[float | None, ...]:
    """Windows from the previous step, one for each step but the first.

    Raises:
        ParameterError: A name that is no later step, or a sequence of another length.
    """
    names = [step.name for step in steps[1:]]
    if isinstance(given, Mapping):
        unknown = [str(name) for name in given if name not in names]
        if unknown:
            raise ParameterError(f"Параметр step_windows: нет шага «{unknown[0]}». Есть: {', '.join(names)}.")
        return tuple(read_days("step_windows", given.get(name)) for name in names)
    listed = list(given)
    if not listed:
        return (None,) * len(names)
    if len(listed) != len(names):
        raise ParameterError(f"Параметр step_windows: сроков {len(listed)}, а шагов после входа {len(names)}.")
    return tuple(read_days("step_windows", days) for days in listed)


def read_choice(name: str, value: object, choices: Any) -> Any:
    """One of the values of a Literal.

    Raises:
        ParameterError: Another value.
    """
    allowed = get_args(choices)
    if value not in allowed:
        raise ParameterError(f"Параметр {name}: значение «{value}» не допускается. Допустимы: {', '.join(allowed)}.")
    return value


def read_moment(name: str, value: Any, zone: str, *, last: bool) -> pd.Timestamp:
    """The first moment of a month, a day or a moment, or the first one after it.

    Args:
        name: The parameter, for messages.
        value: `2025-10`, `2025-10-31`, a pandas Period, a date or a moment (without zone: in `zone`).
        zone: Zone of days and months.
        last: Whether the first moment after it is wanted (a microsecond after a moment).

    Raises:
        ParameterError: It is none of these.
    """
    try:
        if isinstance(value, datetime) or (isinstance(value, str) and len(value) > len("2025-10-31")):
            at = pd.Timestamp(value)
            at = at.tz_localize(zone) if at.tzinfo is None else at.tz_convert(zone)
            return at + pd.Timedelta(microseconds=1) if last else at
        unit = "M" if isinstance(value, str) and len(value) == len("2025-10") else "D"
        if isinstance(value, str | pd.Period | date):
            span = value if isinstance(value, pd.Period) else pd.Period(value, freq=unit)
            return (span + int(last)).start_time.tz_localize(zone)
        error: Exception | None = None
    except (TypeError, ValueError) as fault:
        error = fault
    raise ParameterError(
        f"Параметр {name}: «{value}» не месяц, не день и не время. Запишите, например, 2025-10 или 2025-10-31."
    ) from error


def _day(moment: pd.Timestamp) -> str:
    return moment.strftime("%d.%m.%Y")


def _moment(moment: pd.Timestamp) -> str:
    return moment.strftime("%d.%m.%Y %H:%M")


def _header(column: str) -> str:
    """Russian header of a column of the log; a column of the user's own is called as it is."""
    known = TABLES["actions"].columns.get(column)
    return known.title if known else column


def _days(days: float) -> str:
    """«через ...» in the accusative: «90 дней», «21 день», «2 дня», «1,5 дня»."""
    if not float(days).is_integer():
        return f"{days:.2f}".rstrip("0").replace(".", ",") + " дня"
    count = int(days)
    if count % 100 in range(11, 15) or count % 10 in {0, *range(5, 10)}:
        return f"{count} дней"
    return f"{count} {'день' if count % 10 == 1 else 'дня'}"
