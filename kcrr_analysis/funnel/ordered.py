"""Ordered funnel of persons: who entered, who went on to each step in time, and how soon.

Shares speak of matured entrants alone: those whose window has closed by the end of the log. Counting the others in
would lower every share by what has not had the time to happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.funnel.definition import (
    DAY_US,
    Condition,
    Counting,
    Days,
    Definition,
    Entry,
    Order,
    Ties,
    read_choice,
    read_days,
    read_moment,
    read_step_windows,
    read_steps,
    read_values,
)
from kcrr_analysis.funnel.ordered_disclosure import withheld
from kcrr_analysis.funnel.ordered_levels import against_rest
from kcrr_analysis.funnel.ordered_sql import EPOCH, Log, condition, counted, look, needed
from kcrr_analysis.tables.scan import Scannable, scan

SMALL_BASE = 30
"""Under this many matured entrants a row is flagged: a few persons move its shares by whole percent."""

TIME_TYPES = ("TIMESTAMP", "DATE", "VARCHAR")

RESERVED = (
    "cohort", "total", "step", "step_title", "step_number", "persons", "persons_matured", "immature", "entrants",
    "entrants_matured", "small", "reason", "period", "as_of", "level", "interval", "definition",
)  # fmt: skip
"""Columns of the result; a column of the log by such a name cannot split it."""

SHARES = ("share_entry", "share_previous")
QUARTILES = ("q1", "median", "q3")
_RANGE = 2**57


@dataclass(frozen=True)
class OrderedFunnel:
    """Persons by step of an ordered funnel.

    Attributes:
        definition: What was counted; the same log under another definition gives other figures.
        rows: One row a level and step, levels in the order of their values (missing last), the total last: the `by`
            columns, `cohort` (month of entry, where asked for), total (whether it is the row of all levels), step,
            step_title, step_number (from 1), persons, persons_matured, immature (persons whose window is still open),
            entrants and entrants_matured (of the level), share_entry and share_previous (% of matured entrants and of
            matured persons of the previous step) with `_low` and `_high`, days_entry_q1, days_entry_median,
            days_entry_q3 and days_previous_q1, ... (days from the entry and from the previous step, matured persons),
            small (under 30 matured entrants), reason (why there are no shares, or empty); `<column>_hidden` beside
            what disclosure control decides on.
        comparisons: Each level against all others by the share that reaches the last step, empty without levels: the
            `by` columns, entrants_matured, share, rest, difference, difference_low, difference_high (percentage
            points), p_adjusted (Holm), differs (1 above, -1 below, 0 not told apart), hidden.
        compared: Number of comparisons in the error budget, withheld ones included.
        level: Confidence level of the intervals, and 1 - level is the error budget of all comparisons together.
        actions: Actions in the log.
        without_person: Actions left out because no person is named.
        without_time: Actions left out because they have no time.
        titles: Column of `by` -> code -> Russian name.
        region_code: The region, or empty.
        interval: What the intervals are, in Russian.
    """

    definition: Definition
    rows: pd.DataFrame
    comparisons: pd.DataFrame
    compared: int
    level: float
    actions: int
    without_person: int
    without_time: int
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    region_code: str = ""
    interval: str = (
        "Доли — с интервалом Уилсона, по вошедшим, у которых срок истёк; сроки — медиана и квартили дошедших до шага. "
        "Люди считаются независимыми; если они приходят группами, интервалы на деле шире."
    )

    def to_frame(self) -> pd.DataFrame:
        """Long: one row a level and step, with the definition, period and interval beside the figures."""
        start, end = self.definition.start, self.definition.end
        period = (
            "" if start is None or end is None else f"{start.date()}..{(end - pd.Timedelta(microseconds=1)).date()}"
        )
        return self.rows.assign(
            period=period,
            as_of=self.definition.as_of,
            level=self.level,
            interval=self.interval,
            definition=self.definition.text,
        )


def ordered(
    actions: Scannable,
    steps: Mapping[str, Condition] | Sequence[str],
    window: Days = 90,
    by: str | Sequence[str] = (),
    *,
    step_windows: Mapping[str, Days] | Sequence[Days] = (),
    entry: Entry = "log",
    counting: Counting = "cohort",
    order: Order = "strict",
    ties: Ties = "in_order",
    period: Any = None,
    as_of: Any = None,
    where: Mapping[str, Any] | None = None,
    cohort: bool = False,
    total: bool = False,
    zone: str = "Europe/Moscow",
    level: float = 0.95,
    rule: Rule | None = None,
    rows_per_pass: int | None = None,
) -> OrderedFunnel:
    """Persons who go through `steps` in order, each step in time.

    A person enters once, with the first action of step 1. Each later step is the first action of that step after the
    previous one (never the same action twice), counted if it is in time; with a window from the entry alone this finds
    everybody who has any such sequence. Actions without person or time are left out and counted.

    Args:
        actions: Tables with `actions`, a frame, or paths of Parquet or CSV files with the columns person_id, time and
            those that steps and `by` name. `action_id`, where there is one, tells repeated records of one action.
        steps: Name -> condition, or action codes in order; see `definition.read_steps`.
        window: From the entry to any step: days (of 24 hours), `"30 days"` or a Timedelta; None for no limit. The last
            moment of the window is inside.
        by: Columns of the entry action that split the rows; a missing value is a level of its own. Of several
            first actions at one moment the level that sorts first counts.
        step_windows: From the previous step: name -> days, or one entry for each step but the first.
        entry: `log` (first touch in the whole log) or `period` (first one within the period).
        counting: `cohort` (those who entered in the period) or `period` (steps that fell into it). With `entry="log"`
            the latter counts a flow: persons of different cohorts, so that one step is no share of another.
        order: `strict`, or `any`: later steps in any order after the entry; a step counts with all before it in the
            list.
        ties: `in_order`: actions at one moment stand in the order of the steps that they match (of those that match the
            same first step, the one that matches fewer comes first); `apart`: a later step needs a later moment.
        period: A month, a day, or (first, last) of months, days or moments, both inside; None for the whole log.
        as_of: What happened later is not known; by default the last moment of the log.
        where: Column -> value or values: limits the log before anything else.
        cohort: Split by month of entry.
        total: Add the row of all levels.
        zone: Zone of days, months and of times that state none (IANA name).
        level: Confidence level.
        rule: Disclosure rule, for results that are published.
        rows_per_pass: Actions that are counted at once; a larger log takes several passes and the memory of one. By
            default all, and 20 million where one action may match two steps.

    Raises:
        MissingTableError: The tables have no `actions`.
        ParameterError: An argument cannot be used, or the log lacks a column.
        NotComputableError: Nobody entered.
    """
    read = read_steps(steps)
    by = _levels(by)
    limits = tuple((str(column), read_values(str(column), values)) for column, values in (where or {}).items())
    order, counting = read_choice("order", order, Order), read_choice("counting", counting, Counting)
    entry, ties = read_choice("entry", entry, Entry), read_choice("ties", ties, Ties)
    windows = read_step_windows(read, step_windows)
    days = read_days("window", window)
    columns = needed(read, by, dict(limits))
    with scan(actions, "actions", columns=(*columns, "action_id"), zone=zone) as source:
        lacking = [column for column in columns if column not in source.columns]
        if lacking:
            raise ParameterError(
                f"В журнале действий нет столбцов: {', '.join(lacking)}. Добавьте их или исправьте запрос."
            )
        if not source.columns["time"].startswith(TIME_TYPES):
            raise ParameterError("Журнал действий: столбец time не время. Запишите в него дату и время действия.")
        log = look(source, condition(source, limits))
        first, last = checked(log)
        start, end = _period(period, zone)
        definition = Definition(
            steps=read,
            window=days,
            step_windows=windows,
            entry=entry,
            counting=counting,
            order=order,
            ties=ties,
            by=by,
            cohort=cohort,
            where=limits,
            start=start,
            end=end,
            as_of=moment(last, zone) if as_of is None else _until("as_of", as_of, zone),
            log_start=moment(first, zone),
            zone=zone,
        )
        _check_any(definition)
        found = counted(source, definition, log, total=total and bool(by or cohort), rows_per_pass=rows_per_pass)
    if found.empty:
        raise NotComputableError(
            f"Никто не вошёл в путь: действий «{read[0].title}» за выбранный период нет. Проверьте шаги и период."
        )
    rows = _shares(_long(found, definition), definition, level)
    last_step = rows[(rows["step_number"] == len(read)) & ~rows["total"]]
    keys = [*by, *(["cohort"] if cohort else [])]
    comparisons = against_rest(last_step, [] if definition.flow else keys, level)
    compared = len(comparisons)
    rows, comparisons = withheld(rows, comparisons, definition, rule)
    return OrderedFunnel(
        definition=definition,
        rows=rows,
        comparisons=comparisons,
        compared=compared,
        level=level,
        actions=log.rows,
        without_person=log.without_person,
        without_time=log.without_time,
    )


def checked(log: Log) -> tuple[int, int]:
    """First and last moment of a log that can be counted, microseconds since 1970.

    Raises:
        NotComputableError: It has no action with a time.
        ParameterError: A time is none, or times lie thousands of years apart.
    """
    if log.unread:
        raise ParameterError(
            f"Журнал действий: «{log.unread}» не время. Запишите его как 2025-10-31 14:30:00 или загрузите журнал "
            "через kcrr.tables.load."
        )
    if log.first is None or log.last is None:
        raise NotComputableError("В журнале нет ни одного действия с временем. Дополните таблицу actions.")
    if log.last - log.first >= _RANGE:
        raise ParameterError("Журнал действий: времена расходятся на тысячи лет. Исправьте столбец time.")
    return log.first, log.last


def moment(value: int, zone: str) -> pd.Timestamp:
    """Microseconds since 1970 as a moment in `zone`."""
    return (EPOCH + pd.Timedelta(microseconds=value)).tz_convert(zone)


def _until(name: str, value: Any, zone: str) -> pd.Timestamp:
    return read_moment(name, value, zone, last=True) - pd.Timedelta(microseconds=1)


def _levels(by: str | Sequence[str]) -> tuple[str, ...]:
    columns = (by,) if isinstance(by, str) else tuple(by)
    for column in columns:
        if columns.count(column) > 1 or column in RESERVED:
            raise ParameterError(
                f"Параметр by: столбец «{column}» не допускается: назван дважды или так называется столбец результата."
            )
    return columns


def _period(period: Any, zone: str) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    if period is None:
        return None, None
    ends = tuple(period) if isinstance(period, tuple | list) else (period, period)
    if len(ends) != 2:
        raise ParameterError('Параметр period: нужны начало и конец, например ("2024-11", "2025-10").')
    start, end = read_moment("period", ends[0], zone, last=False), read_moment("period", ends[1], zone, last=True)
    if end <= start:
        raise ParameterError(f"Параметр period: конец {ends[1]} раньше начала {ends[0]}. Поменяйте их местами.")
    return start, end


def _check_any(definition: Definition) -> None:
    if definition.order != "any":
        return
    if any(days is not None for days in definition.step_windows):
        raise ParameterError(
            'Параметр step_windows: при order="any" предыдущего шага нет, и срок от него не определён. Уберите его.'
        )
    if definition.overlapping:
        raise ParameterError(
            'Параметр order: при order="any" одно действие не может подходить двум шагам. Разведите условия шагов '
            'или укажите order="strict".'
        )


def _long(found: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    """One row a level and step, steps that nobody reached included: keys, persons, persons_matured, days."""
    count = len(definition.steps)
    levels = found.drop_duplicates(["gid", "cohort", "everyone"])[["gid", "cohort", "everyone"]]
    whole = levels.merge(pd.DataFrame({"k": np.arange(1, count + 1)}), how="cross")
    whole = whole.merge(found, on=["gid", "cohort", "everyone", "k"], how="left")
    frame = pd.DataFrame(index=whole.index)
    for n, column in enumerate(definition.by):
        level = whole[f"b{n}"].groupby(np.arange(len(whole)) // count).transform("first")
        frame[column] = pd.array(level.to_numpy(dtype=object), dtype="string")
    if definition.cohort:
        months = whole["cohort"].to_numpy(dtype=object)
        frame["cohort"] = pd.PeriodIndex([None if pd.isna(month) else str(month) for month in months], freq="M")
    number = whole["k"].to_numpy(dtype=int)
    frame["total"] = whole["everyone"].to_numpy(dtype=bool)
    frame["step"] = np.array([step.name for step in definition.steps], dtype=object)[number - 1]
    frame["step_title"] = np.array([step.title for step in definition.steps], dtype=object)[number - 1]
    frame["step_number"] = number
    for column, counts in (("persons", "persons"), ("persons_matured", "matured")):
        frame[column] = whole[counts].fillna(0).to_numpy(dtype=np.int64)
    for base in ("entry", "previous"):
        known = whole[base].notna().to_numpy()
        values = np.full((len(whole), 3), np.nan)
        if known.any():
            values[known] = np.stack([np.asarray(quartiles, dtype=float) for quartiles in whole.loc[known, base]])
        for place, quartile in enumerate(QUARTILES):
            frame[f"days_{base}_{quartile}"] = values[:, place] / DAY_US
    return frame


def _shares(rows: pd.DataFrame, definition: Definition, level: float) -> pd.DataFrame:
    count = len(definition.steps)

    def of_entry(column: str) -> npt.NDArray[np.int64]:
        return np.repeat(rows[column].to_numpy()[::count], count)

    first = rows["step_number"].to_numpy() == 1
    rows["entrants"], rows["entrants_matured"] = of_entry("persons"), of_entry("persons_matured")
    rows["immature"] = rows["persons"] - rows["persons_matured"]
    k = rows["persons_matured"].to_numpy(dtype=float)
    previous = np.where(first, np.nan, np.roll(k, 1))
    blank = np.full(len(rows), definition.flow)
    for name, base in zip(SHARES, (rows["entrants_matured"].to_numpy(dtype=float), previous), strict=True):
        known = ~blank & (base > 0)
        share = stats.wilson(np.where(known, k, np.nan), np.where(known, base, np.nan), level=level)
        rows[name] = 100 * share.estimate
        rows[f"{name}_low"] = np.where(first, np.nan, 100 * share.low)
        rows[f"{name}_high"] = np.where(first, np.nan, 100 * share.high)
    if definition.flow:
        rows = rows.assign(persons_matured=np.nan, entrants_matured=np.nan, immature=np.nan)
    rows["small"] = rows["entrants_matured"] < SMALL_BASE
    rows["reason"] = _reasons(rows, definition)
    return rows


def _reasons(rows: pd.DataFrame, definition: Definition) -> npt.NDArray[np.object_]:
    if definition.flow:
        return np.full(
            len(rows), "доля не вычисляется: шаги периода прошли люди, вошедшие в разное время", dtype=object
        )
    open_still = (rows["entrants"] > 0) & (rows["entrants_matured"] == 0)
    words = "не хватает данных: срок наблюдения не истёк ни у одного из вошедших"
    return np.where(open_still, words, "").astype(object)
