"""The person-level log of one region: actions, contacts and outcomes up to the end of a period, persons as numbers.

Moments are whole nanoseconds of Moscow time (`at`), persons are numbers from 0 that the three tables share, so that
what happened to whom, and within how many days of what, is arithmetic on arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.tables import Tables

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Objects: TypeAlias = npt.NDArray[np.object_]

ZONE = "Europe/Moscow"
"""Zone in which months and days begin: the departmental reports of all regions are cut by Moscow time."""

DAY = 86_400 * 10**9
NEVER = np.iinfo(np.int64).max
"""The moment of what did not happen."""

UNSTATED = ""
"""Group (channel, ...) of a person whose rows state none."""

_MOMENTS = {"actions": "time", "contacts": "time", "outcomes": "date"}
_CODES = {
    "actions": (
        "action", "tool_id", "channel", "event_id", "partner_id", "client_group", "service_id", "requested", "eligible",
    ),
    "contacts": ("reason", "source", "channel", "attempted", "reached", "client_status", "client_group"),
    "outcomes": ("kind", "client_group", "new_client_group", "priority_employer"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """Whole months that a measure looks at.

    Attributes:
        first: First month.
        month: Last month, the reporting one.
    """

    first: pd.Period
    month: pd.Period

    @property
    def start(self) -> int:
        """First moment of the period."""
        return int(self.first.start_time.value)

    @property
    def end(self) -> int:
        """First moment after it; what happens later is not known yet."""
        return int((self.month + 1).start_time.value)


@dataclass(frozen=True, eq=False)
class PersonLog:
    """Rows of one region known by the end of the period.

    Attributes:
        region_code: The region.
        span: The period.
        persons: Number of persons; a person is a number under it.
        actions: person, at, action, tool_id, channel, event_id, partner_id, client_group, service_id (categories),
            requested, eligible (nullable flags); by person and moment. Empty without the table.
        contacts: person, at, reason, source, channel, client_status, client_group, attempted, reached. The same.
        outcomes: person, at (start of the day), kind, client_group, new_client_group, priority_employer. The same.
        given: Tables that the data have.
        methodology: The dictionaries in force.
    """

    region_code: str
    span: Span
    persons: int
    actions: pd.DataFrame
    contacts: pd.DataFrame
    outcomes: pd.DataFrame
    given: frozenset[str]
    methodology: Methodology

    def inside(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of the period itself."""
        return rows[rows["at"].to_numpy() >= self.span.start]

    def first(self, rows: pd.DataFrame) -> Ints:
        """Moment of each person's first row, `NEVER` for persons without one; shape (persons,)."""
        moments = np.full(self.persons, NEVER, dtype=np.int64)
        np.minimum.at(moments, rows["person"].to_numpy(), rows["at"].to_numpy())
        return moments

    def after(self, rows: pd.DataFrame, start: Ints, window: float | None = None, *, same: bool = False) -> Bools:
        """Which rows lie after the person's own moment `start`, by at most `window` days.

        Args:
            rows: Rows with person and at.
            start: Moment of each person, shape (persons,); nothing follows `NEVER`.
            window: Days; without it until the end of the period.
            same: Whether a row at that very moment counts.
        """
        person, at = rows["person"].to_numpy(), rows["at"].to_numpy()
        begin = start[person]
        begun = begin != NEVER
        later = (at >= begin if same else at > begin) & begun
        if window is None:
            return np.asarray(later)
        return np.asarray(later & (at - np.where(begun, begin, at) <= int(window * DAY)))

    def who(self, rows: pd.DataFrame) -> Bools:
        """Which persons have a row; shape (persons,)."""
        found = np.zeros(self.persons, dtype=bool)
        found[rows["person"].to_numpy()] = True
        return found

    def mature(self, start: Ints, window: float) -> Bools:
        """Which persons' `window` days from `start` have passed by the end of the period; shape (persons,)."""
        return np.asarray(start <= self.span.end - int(window * DAY))

    def column(self, rows: pd.DataFrame, column: str) -> Objects:
        """What a person's first row of the period says in `column`, else the last earlier one; shape (persons,).

        Rows that say nothing are passed over, and a person of whom no row says anything is `UNSTATED`. Of rows at the
        same moment the first by the code's alphabet counts.
        """
        said = rows[rows[column].notna()]
        codes = said[column].cat.codes.to_numpy()
        person, at = said["person"].to_numpy(), said["at"].to_numpy()
        order = np.lexsort((codes, at, person))
        earlier = order[at[order] < self.span.start]
        later = order[at[order] >= self.span.start]
        found = np.full(self.persons, -1)
        found[person[earlier]] = codes[earlier]  # the last assignment stays
        found[person[later[::-1]]] = codes[later[::-1]]
        levels: Objects = np.append(said[column].cat.categories.to_numpy(dtype=object), UNSTATED)
        return np.asarray(levels[found], dtype=object)

    def groups(self, *rows: pd.DataFrame) -> Objects:
        """Client group of each person by the first of the tables that states one; shape (persons,)."""
        stated = np.full(self.persons, UNSTATED, dtype=object)
        for frame in reversed(rows):
            found = self.column(frame, "client_group")
            stated = np.where(found == UNSTATED, stated, found)
        return stated


def read(
    tables: Tables, region: str, month: str | pd.Period | None, *, months: int, need: Sequence[str] = ("actions",)
) -> PersonLog:
    """The log of a region for the `months` up to `month`.

    Args:
        tables: Data with the tables of `need`; actions, contacts and outcomes are used where they are.
        region: Region code.
        month: Reporting month; the last month of the first needed table by default.
        months: Length of the period.
        need: Tables that must be there and have a row of the period.

    Raises:
        MissingTableError: A needed table is absent.
        NotComputableError: A needed table has no row of the region in the period.
        ParameterError: The number of months is not a whole number above 0.
    """
    if isinstance(months, bool) or not isinstance(months, int | np.integer) or months < 1:
        raise ParameterError(f"Параметр months: значение «{months}» не допускается. Укажите целое число месяцев от 1.")
    for name in need:
        if name not in tables:
            tables[name]  # raises
    centers = _centers(tables, region)
    frames = {name: _rows(tables, name, region, centers) for name in _MOMENTS if name in tables}
    last = frames[need[0]]["at"].max()
    if pd.isna(last):
        raise NotComputableError(
            f"В таблице {need[0]} нет строк региона {region}. Добавьте их, чтобы меры по пути клиента считались."
        )
    at = pd.Timestamp(last).to_period("M") if month is None else pd.Period(month, freq="M")
    span = Span(at - (int(months) - 1), at)
    known = {name: frame[frame["at"].to_numpy() < span.end] for name, frame in frames.items()}
    for name in need:
        if not (known[name]["at"].to_numpy() >= span.start).any():
            raise NotComputableError(
                f"В таблице {name} нет строк региона {region} за период с {span.first} по {span.month}. "
                "Дополните данные или проверьте параметры month и months."
            )
    persons = _number(known)
    return PersonLog(
        region_code=region,
        span=span,
        persons=persons,
        **{name: known.get(name, _empty(name)) for name in _MOMENTS},
        given=frozenset(frames),
        methodology=methodology.load(tables.folder),
    )


def _centers(tables: Tables, region: str) -> set[str]:
    centers = tables.get("centers")
    if centers is None:
        return set()
    return set(centers.loc[centers["region_code"] == region, "center_id"].dropna().astype(str))


def _rows(tables: Tables, name: str, region: str, centers: set[str]) -> pd.DataFrame:
    """Rows of the region: person_id, at, the table's codes as categories, flags as nullable booleans."""
    moment, codes = _MOMENTS[name], _CODES[name]
    if tables.path(name):
        columns = ", ".join(("person_id", moment, "region_code", "center_id", *codes))
        frame = tables.sql(
            f"SELECT {columns} FROM {name} "  # noqa: S608 - names of ours
            "WHERE region_code IS NULL OR region_code IN (SELECT code FROM wanted)",
            wanted=pd.DataFrame({"code": [region]}),
        )
    else:
        frame = tables[name]
    empty = pd.Series(pd.NA, index=frame.index, dtype="string")
    own = frame.get("region_code", empty)
    placed = (own == region) | (own.isna() & frame.get("center_id", empty).isin(centers))
    whole = frame[moment].notna().to_numpy() & frame["person_id"].notna().to_numpy()
    frame = frame[placed.fillna(False).to_numpy(bool) & whole]
    taken = {"person_id": frame["person_id"], "at": _moment(frame[moment])}
    for code in codes:
        column = frame[code] if code in frame else pd.Series(pd.NA, index=frame.index, dtype="string")
        taken[code] = column.astype("boolean" if code in _FLAGS else "category")
    return pd.DataFrame(taken).reset_index(drop=True)


_FLAGS = frozenset({"requested", "eligible", "attempted", "reached", "priority_employer"})


def _moment(column: pd.Series[Any]) -> pd.Series[Any]:
    if column.dt.tz is not None:
        column = column.dt.tz_convert(ZONE).dt.tz_localize(None)
    return column.astype("datetime64[ns]").astype("int64")


def _number(frames: dict[str, pd.DataFrame]) -> int:
    """Puts the column `person` in place of `person_id` in all frames; how many persons there are."""
    ids = pd.concat([frame["person_id"].astype("string") for frame in frames.values()], ignore_index=True)
    codes, known = pd.factorize(ids)
    start = 0
    for name, frame in frames.items():
        own = codes[start : start + len(frame)]
        start += len(frame)
        numbered = frame.drop(columns="person_id").assign(person=own)
        frames[name] = numbered.sort_values(["person", "at"], kind="stable", ignore_index=True)
    return len(known)


def _empty(name: str) -> pd.DataFrame:
    columns: dict[str, pd.Series[Any]] = {
        "at": pd.Series(dtype="int64"),
        **{code: pd.Series(dtype="boolean" if code in _FLAGS else "category") for code in _CODES[name]},
        "person": pd.Series(dtype="int64"),
    }
    return pd.DataFrame(columns)


def whole_days(**windows: int) -> None:
    """Checks parameters that are numbers of days.

    Raises:
        ParameterError: Not a whole number above 0.
    """
    for name, days in windows.items():
        if isinstance(days, bool) or not isinstance(days, int | np.integer) or days < 1:
            raise ParameterError(f"Параметр {name}: значение «{days}» не допускается. Укажите целое число дней от 1.")
