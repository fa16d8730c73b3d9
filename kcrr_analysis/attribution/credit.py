"""Attribution of new clients to touches: first, last or linear, within a window of days.

A touch is a person's identified contact; a conversion is the first action of the kinds named (a service by default) in
the person's whole log. A touch after the conversion attracts nobody new: that person was a client already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.errors import NotComputableError, ParameterError

Model = Literal["first", "last", "linear"]
MODELS: tuple[str, ...] = get_args(Model)
WINDOW_DAYS = 90
"""The kit's reading of the recommendations: a conversion follows the touch within this many days."""

SMALL_BASE = 30
"""Under this many matured persons a share is flagged: one person moves it by more than three points."""

COUNTS = ("persons", "already_clients", "immature", "matured", "clients", "matured_clients")

_ACTIONS = {
    "contact": "контакт",
    "registration": "регистрация на ЕЦП",
    "application": "заявление",
    "service": "получение сервиса",
    "service_request": "запрос сервиса",
}
_CREDIT = {
    "first": "к первому касанию человека во всём журнале",
    "last": "к последнему касанию перед этим",
    "linear": "ко всем касаниям окна поровну",
}
_INTERVALS = {
    "first": "интервал Уилсона",
    "last": "интервал Уилсона",
    "linear": "интервала нет: вклад касаний дробный",
}


@dataclass(frozen=True)
class Attribution:
    """Touched and converted persons by what touched them.

    Attributes:
        by: Columns of the touch that make the rows.
        model: first, last or linear.
        window_days: Days after the touch within which a conversion counts.
        as_of: The moment up to which the log is known; later actions are left out.
        since: Touches from this moment on are counted; None for all. The first touch is sought in the whole log anyway.
        until: Touches before this moment are counted; None for all.
        level: Confidence level.
        interval: What the interval is, in Russian.
        definition: Model, window and actions, in Russian.
        rows: One row a level of `by`: the `by` columns; persons (touched who were no clients before the touch),
            already_clients (touched only after their conversion; not among persons), immature (persons whose window is
            not closed), matured (persons - immature), clients (credit: persons converted; fractional under linear),
            matured_clients (their part among matured), conversion (%, matured_clients / matured), low, high,
            median_days (from touch to conversion among the converted), small (matured under `SMALL_BASE`).
        total: One row, the same columns without `by`. Under last and linear a person touched in several ways stands
            in several rows but once in the total.
    """

    by: tuple[str, ...]
    model: Model
    window_days: float
    as_of: pd.Timestamp
    since: pd.Timestamp | None
    until: pd.Timestamp | None
    level: float
    interval: str
    definition: str
    rows: pd.DataFrame
    total: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a level of `by`, with definition, interval and level beside the figures."""
        return self.rows.assign(unit="%", level=self.level, interval=self.interval, definition=self.definition)


def attribute(
    actions: pd.DataFrame,
    by: str | Sequence[str],
    *,
    model: Model = "first",
    window_days: float = WINDOW_DAYS,
    touches: Sequence[str] = ("contact",),
    conversions: Sequence[str] = ("service",),
    as_of: str | pd.Timestamp | None = None,
    since: str | pd.Timestamp | None = None,
    until: str | pd.Timestamp | None = None,
    level: float = 0.95,
) -> Attribution:
    """Credit every person's conversion to the touches before it.

    First: the person's first touch in the whole log, if the conversion follows within the window. Last: the last touch
    at or before the conversion, within the window. Linear: all touches within the window before the conversion share it
    equally. The credits of all rows add up to the number of converted persons under each model.

    Equal timestamps: a touch at the moment of the conversion precedes it; touches at one moment are ordered by
    `action_id` (by the `by` columns where there is none), so the order of rows in the frame never matters.

    A window is closed ("matured") when the first touch of the row lies `window_days` or more before `as_of`, whatever
    came of it; `conversion` is told of matured persons only.

    Args:
        actions: Table `actions` (person_id, time, action, and the `by` columns; extra columns are ignored).
        by: Columns of the touch, or `month` (of the touch, in the zone of `time`); may be empty.
        model: first, last or linear.
        window_days: Length of the window, days.
        touches: Kinds of action that are touches.
        conversions: Kinds of action that make a client.
        as_of: Up to when the log is known; its last action by default.
        since: Count touches from this moment on (a date without zone is read in the zone of `time`).
        until: Count touches before this moment.
        level: Confidence level.

    Raises:
        ParameterError: An argument cannot be used as given.
        NotComputableError: The log has no touch.
    """
    columns = (by,) if isinstance(by, str) else tuple(by)
    _check(model, window_days, touches, conversions)
    lacking = [name for name in ("person_id", "time", "action", *columns) if name not in actions and name != "month"]
    if lacking:
        raise ParameterError(
            f"В таблице actions нет столбцов: {', '.join(lacking)}. Проверьте параметр by или добавьте столбцы."
        )
    window = pd.Timedelta(days=window_days)
    log = actions[actions["person_id"].notna() & actions["time"].notna()]
    if "month" in columns and "month" not in log:
        log = log.assign(month=log["time"].dt.tz_localize(None).dt.to_period("M"))
    end = log["time"].max() if as_of is None else moment(as_of, log["time"])
    log = log[log["time"] <= end]
    touched = log[log["action"].isin(list(touches))]
    if touched.empty:
        raise NotComputableError(
            f"В журнале действий нет касаний ({_named(touches)}): отнести клиентов не к чему. "
            "Проверьте столбец action таблицы actions или параметр touches."
        )
    converted = log[log["action"].isin(list(conversions))].groupby("person_id")["time"].min()
    touched = _ordered(touched, columns)
    touched = touched.assign(conversion=touched["person_id"].map(converted).astype(touched["time"].dtype))
    starts, ends = (None if edge is None else moment(edge, log["time"]) for edge in (since, until))
    units = _first(touched, window) if model == "first" else _shared(touched, window, model)
    units = units[_within(units["time"], starts, ends)]
    units = units.assign(mature=units["time"] + window <= end)
    levels = list(columns)
    persons = units if not levels else _per_person(units, levels)
    rows = _summary(persons, levels, model, level)
    total = _summary(_per_person(units, []), [], model, level)
    return Attribution(
        by=columns,
        model=model,
        window_days=window_days,
        as_of=end,
        since=starts,
        until=ends,
        level=level,
        interval=_INTERVALS[model],
        definition=_definition(model, window_days, touches, conversions, end),
        rows=rows if levels else total,
        total=total,
    )


def moment(when: str | pd.Timestamp, times: pd.Series) -> pd.Timestamp:
    """A moment in the zone of `times`.

    Raises:
        ParameterError: It is no date or time.
    """
    try:
        at = pd.Timestamp(when)
    except ValueError as error:
        raise ParameterError(f"«{when}» не дата и не время. Запишите его как ГГГГ-ММ-ДД.") from error
    zone = times.dt.tz
    if zone is None:
        return at if at.tzinfo is None else at.tz_localize(None)
    return at.tz_localize(zone) if at.tzinfo is None else at.tz_convert(zone)


def _check(model: str, window_days: float, touches: Sequence[str], conversions: Sequence[str]) -> None:
    if model not in MODELS:
        raise ParameterError(f"Модель атрибуции «{model}» неизвестна. Допустимы: {', '.join(MODELS)}.")
    if not (np.isfinite(window_days) and window_days > 0):
        raise ParameterError(f"Параметр window_days: «{window_days}» не допускается. Укажите число дней больше нуля.")
    if not touches or not conversions or set(touches) & set(conversions):
        raise ParameterError(
            "Касания (touches) и обращения (conversions) — непустые списки видов действий, и одно действие не может "
            f"быть и тем и другим. Задано: {list(touches)} и {list(conversions)}."
        )


def _ordered(touched: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Touches by person and moment; ties by `action_id`, else by the columns of the rows."""
    tie = ["action_id"] if "action_id" in touched else list(by)
    kept = touched[list(dict.fromkeys(["person_id", "time", *by, *tie]))]
    keys = {f"_{number}": kept[name].astype("string").fillna("") for number, name in enumerate(tie)}
    ordered = kept.assign(**keys).sort_values(["person_id", "time", *keys], kind="stable")
    return ordered.drop(columns=list(keys)).reset_index(drop=True)


def _first(touched: pd.DataFrame, window: pd.Timedelta) -> pd.DataFrame:
    units = touched.drop_duplicates("person_id")
    waited = units["conversion"] - units["time"]
    return units.assign(
        credit=((waited >= pd.Timedelta(0)) & (waited <= window)).astype(float),
        already=waited < pd.Timedelta(0),
        waited=waited,
    )


def _shared(touched: pd.DataFrame, window: pd.Timedelta, model: str) -> pd.DataFrame:
    waited = touched["conversion"] - touched["time"]
    counts = (waited >= pd.Timedelta(0)) & (waited <= window)
    if model == "last":
        last = touched.index[counts][~touched.loc[counts, "person_id"].duplicated(keep="last")]
        credit = touched.index.isin(last).astype(float)
    else:
        share = counts.groupby(touched["person_id"]).transform("sum").where(counts)
        credit = (1 / share).fillna(0.0).to_numpy()
    return touched.assign(credit=credit, already=waited < pd.Timedelta(0), waited=waited)


def _within(times: pd.Series, since: pd.Timestamp | None, until: pd.Timestamp | None) -> pd.Series:
    kept = pd.Series(True, index=times.index)
    if since is not None:
        kept &= times >= since
    if until is not None:
        kept &= times < until
    return kept


def _per_person(units: pd.DataFrame, levels: list[str]) -> pd.DataFrame:
    """One row a person and level: its earliest touch decides maturity, its credit is summed."""
    keys = ["person_id", *levels]
    if not units.duplicated(keys).any():
        return units
    groups = units.groupby(keys, dropna=False, sort=False, observed=True)
    credited = units["waited"].where(units["credit"] > 0)
    return (
        groups.agg(time=("time", "min"), mature=("mature", "max"), credit=("credit", "sum"), already=("already", "min"))
        .assign(waited=credited.groupby([units[key] for key in keys], dropna=False, sort=False, observed=True).max())
        .reset_index()
    )


def _summary(persons: pd.DataFrame, levels: list[str], model: str, level: float) -> pd.DataFrame:
    new = ~persons["already"].to_numpy(bool)
    mature = persons["mature"].to_numpy(bool)
    days = persons["waited"].where(persons["credit"] > 0).dt.total_seconds() / 86_400
    parts = persons[levels].assign(
        persons=new.astype(int),
        already_clients=(~new).astype(int),
        immature=(new & ~mature).astype(int),
        matured=(new & mature).astype(int),
        clients=persons["credit"],
        matured_clients=persons["credit"].where(mature, 0.0),
        median_days=days,
    )
    key: list[str] | np.ndarray = levels or np.zeros(len(parts), dtype=int)
    groups = parts.groupby(key, dropna=False, sort=True, observed=True)
    rows = groups[list(COUNTS)].sum().assign(median_days=groups["median_days"].median())
    rows = rows.reset_index(drop=not levels)
    if model != "linear":
        rows[["clients", "matured_clients"]] = rows[["clients", "matured_clients"]].astype(int)
        found = stats.wilson(rows["matured_clients"], rows["matured"], level=level)
        rows = rows.assign(conversion=100 * found.estimate, low=100 * found.low, high=100 * found.high)
    else:
        share = 100 * rows["matured_clients"] / rows["matured"].where(rows["matured"] > 0)
        rows = rows.assign(conversion=share, low=np.nan, high=np.nan)
    rows["small"] = rows["matured"] < SMALL_BASE
    order = [*levels, *COUNTS, "conversion", "low", "high", "median_days", "small"]
    return rows[order]


def _definition(
    model: str, window_days: float, touches: Sequence[str], conversions: Sequence[str], end: pd.Timestamp
) -> str:
    days = f"{window_days:g}".replace(".", ",")
    return (
        f"Клиент — человек, который не позднее {days} дн. после касания впервые дошёл до цели ({_named(conversions)}); "
        f"он относится {_CREDIT[model]}. Касание — {_named(touches)}. Доля вычисляется по людям, у которых {days} дн. "
        f"прошли к {end:%d.%m.%Y}; тот, с кем связались уже после этого, новым не считается. Контакты до начала "
        "журнала не видны."
    )


def _named(kinds: Sequence[str]) -> str:
    return " или ".join(_ACTIONS.get(kind, f"«{kind}»") for kind in kinds)
