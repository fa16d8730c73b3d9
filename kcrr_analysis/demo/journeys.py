"""Journeys of single (invented) persons: first contact, registration, application, services, return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis.demo.partners import SERVICES
from kcrr_analysis.demo.regions import Calendar, Floats, Ints, Region
from kcrr_analysis.demo.truth import Truth

PERSONS = 2_400
"""Persons with a first contact in a region of a million inhabitants over three years."""

WINDOW = 90.0
"""Days after the first contact within which the declared conversions hold."""

_GROUPS = (
    "broad", "school", "students", "graduates", "svo_participants", "svo_veterans", "donbass_defenders",
    "svo_family", "disability",
)  # fmt: skip
_GROUP_SHARES = (0.46, 0.08, 0.12, 0.09, 0.07, 0.02, 0.01, 0.06, 0.09)
_RETURN = 0.12
_OFFICE_SECONDS = (6 * 3600, 15 * 3600)  # 9:00 to 18:00 in Moscow, as UTC


@dataclass(frozen=True, slots=True)
class _People:
    """Arrays over persons; days are counted from the first day of the data, NaN where a step never comes."""

    tool: Ints
    first: Floats
    registered: Floats
    applied: Floats
    served: Floats
    group: npt.NDArray[np.str_]
    centre: Ints
    event: Ints


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the journeys of a region stand in: its tables, the first day and the number of days."""

    area: Region
    truth: Truth
    held: pd.DataFrame
    partners: pd.DataFrame
    start: pd.Timestamp
    days: float


def actions(area: Region, dates: Calendar, truth: Truth, held: pd.DataFrame, partners: pd.DataFrame) -> pd.DataFrame:
    """Table `actions` of one region; steps after the last day of the data are not yet known and are absent.

    Args:
        area: The region.
        dates: Months of the data set.
        truth: Declared truth.
        held: Table `events` of the region.
        partners: Table `partners` of the region.
    """
    start = dates.months[0].to_timestamp()
    days = float((dates.months[-1].end_time - start).days + 1)
    setting = _Setting(area, truth, held, partners, start, days)
    chance = area.stream("actions")
    people = _people(setting, chance)
    parts = [
        _steps(people, people.first, "contact", with_tool=True),
        _more_contacts(people, truth, chance),
        _steps(people, people.registered, "registration"),
        _steps(people, people.applied, "application"),
        _services(people, chance),
        _returns(people, truth, chance),
    ]
    table = pd.concat(parts, ignore_index=True)
    table = table[table["day"] < days].sort_values(["day", "person", "rank"], kind="stable")
    return _frame(table.reset_index(drop=True), people, setting, chance)


def _people(setting: _Setting, chance: np.random.Generator) -> _People:
    area, held, days, touches = setting.area, setting.held, setting.days, setting.truth.first_touches
    n = max(int(PERSONS * (area.population / 1_000_000) ** 0.5 * days / 1096), 40)
    share = np.array([touch.share for touch in touches], dtype=float)
    tool = chance.choice(len(touches), size=n, p=share / share.sum())
    first = np.floor(chance.uniform(0, days, n)) + _hour(n, chance)
    centre = chance.choice(len(area.center_ids), size=n, p=area.shares)
    event = np.full(n, -1)
    event_day = (held["date"] - setting.start).dt.days.to_numpy(float)
    event_centre = pd.Index(area.center_ids).get_indexer(pd.Index(held["center_id"]))
    for number, touch in enumerate(touches):
        people = np.flatnonzero(tool == number)
        occasions = np.flatnonzero((held["tool_id"] == touch.tool_id).to_numpy() & (event_day < days))
        if touch.channel != "event" or not len(occasions):
            continue
        chosen = chance.choice(occasions, size=len(people))
        event[people] = chosen
        first[people] = event_day[chosen] + _hour(len(people), chance)
        centre[people] = event_centre[chosen]
    registered, applied, served = _conversions(tool, first, setting.truth, chance)
    group = chance.choice(np.array(_GROUPS), size=n, p=_GROUP_SHARES)
    return _People(tool, first, registered, applied, served, group, centre, event)


def _hour(n: int, chance: np.random.Generator) -> Floats:
    """A moment of the working day, as a part of a day in UTC, to the second."""
    return np.asarray(chance.integers(*_OFFICE_SECONDS, size=n) / 86_400)


def _delay(n: int, mean: float, longest: float, chance: np.random.Generator) -> Floats:
    """Days of waiting: exponential, cut so that the steps of the window stay within it."""
    return np.asarray(np.minimum(chance.exponential(mean, n), longest))


def _visit(applied: Floats, chance: np.random.Generator) -> Floats:
    """The day of the first service: in office hours, after the application, at most 27 days later."""
    n = len(applied)
    return np.asarray(np.floor(applied + _delay(n, 7, 25, chance)) + 1 + _hour(n, chance))


def _conversions(tool: Ints, first: Floats, truth: Truth, chance: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    touches, n = truth.first_touches, len(tool)
    register = np.array([touch.registration_90 for touch in touches])[tool]
    apply = np.array([touch.application_90 for touch in touches])[tool]
    serve = np.array([touch.customer_90 for touch in touches])[tool]
    draw = chance.random((4, n))
    registers = draw[0] < register
    applies = registers & (draw[1] < apply / register)
    serves = applies & (draw[2] < serve / apply)
    registered = np.where(registers, first + _delay(n, 6, 25, chance), np.nan)
    applied = np.where(applies, registered + _delay(n, 9, 35, chance), np.nan)
    served = np.where(serves, _visit(applied, chance), np.nan)
    late = ~applies & (draw[3] < truth.late_share)
    when = first + chance.uniform(WINDOW + 1, 240, n)
    registered = np.where(late & ~registers, when - 1.0, registered)
    applied = np.where(late, when, applied)
    served = np.where(late, _visit(when, chance), served)
    return registered, applied, served


def _steps(people: _People, day: Floats, action: str, *, with_tool: bool = False) -> pd.DataFrame:
    person = np.flatnonzero(~np.isnan(day))
    return pd.DataFrame(
        {
            "person": person,
            "day": day[person],
            "rank": {"contact": 0, "registration": 1, "application": 2}[action],
            "action": action,
            "tool": people.tool[person] if with_tool else -1,
            "event": people.event[person] if with_tool else -1,
        }
    )


def _plain(truth: Truth) -> Ints:
    """Positions of the tools that are not events."""
    return np.array([k for k, touch in enumerate(truth.first_touches) if touch.channel != "event"])


def _more_contacts(people: _People, truth: Truth, chance: np.random.Generator) -> pd.DataFrame:
    """Later contacts through other tools, before the application or within two months."""
    n = len(people.first)
    person = np.repeat(np.arange(n), chance.poisson(0.45, n))
    last = np.where(np.isnan(people.applied), people.first + 60, people.applied)
    day = people.first[person] + chance.uniform(0.02, 0.98, len(person)) * (last - people.first)[person]
    return pd.DataFrame(
        {
            "person": person,
            "day": day,
            "rank": 0,
            "action": "contact",
            "tool": chance.choice(_plain(truth), size=len(person)),
            "event": -1,
        }
    )


def _services(people: _People, chance: np.random.Generator) -> pd.DataFrame:
    """Requested services; delivered where the person is eligible. The first is always delivered."""
    person = np.flatnonzero(~np.isnan(people.served))
    count = 1 + np.minimum(chance.poisson(0.9, len(person)), 3)
    row = np.repeat(np.arange(len(person)), count)
    order = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    eligible = (order == 0) | (chance.random(len(row)) < 0.82)
    delivered = (order == 0) | (eligible & (chance.random(len(row)) < 0.85))
    day = people.served[person][row] + order * chance.integers(4, 21, len(row))
    return pd.DataFrame(
        {
            "person": person[row],
            "day": day,
            "rank": 3,
            "action": np.where(delivered, "service", "service_request"),
            "tool": -1,
            "event": -1,
            "service": chance.integers(0, len(SERVICES) - 1, len(row)),
            "requested": pd.array(np.ones(len(row), dtype=bool), dtype="boolean"),
            "eligible": pd.array(eligible, dtype="boolean"),
        }
    )


def _returns(people: _People, truth: Truth, chance: np.random.Generator) -> pd.DataFrame:
    """Former clients who come again, with a new event in their working life, after four to thirteen months."""
    person = np.flatnonzero(~np.isnan(people.served))
    person = person[chance.random(len(person)) < _RETURN]
    n = len(person)
    day = people.served[person] + np.floor(chance.uniform(120, 400, n))
    frames = [
        pd.DataFrame({"person": person, "day": day + later, "rank": rank, "action": action, "tool": -1, "event": -1})
        for rank, (action, later) in enumerate((("contact", 0), ("application", 2), ("service", 9)))
    ]
    table = pd.concat(frames, ignore_index=True)
    contact = (table["action"] == "contact").to_numpy()
    plain = _plain(truth)
    table["tool"] = np.where(contact, plain[chance.integers(0, len(plain), len(table))], -1)
    served = (table["action"] == "service").to_numpy()
    table["service"] = np.where(served, chance.integers(0, len(SERVICES) - 1, len(table)), -1)
    table["requested"] = table["eligible"] = pd.Series(True, index=table.index, dtype="boolean").where(served)
    return table


def _frame(table: pd.DataFrame, people: _People, setting: _Setting, chance: np.random.Generator) -> pd.DataFrame:
    area, truth, held, partners = setting.area, setting.truth, setting.held, setting.partners
    n = len(table)
    person, tool, event = (table[name].to_numpy(int) for name in ("person", "tool", "event"))
    tools = np.array([touch.tool_id for touch in truth.first_touches] + [None], dtype=object)
    channels = np.array([touch.channel for touch in truth.first_touches] + [None], dtype=object)
    campaigns = [c for item in truth.promotion_tools if item.tool_id == "smm" for c in item.campaigns]
    named = np.array([*campaigns, None], dtype=object)
    with_campaign = (tools[tool] == "smm") & (len(campaigns) > 0)
    partner_ids = np.array([*dict.fromkeys(partners["partner_id"]), None], dtype=object)
    with_partner = (table["action"] == "contact").to_numpy() & (chance.random(n) < 0.12)
    service = table["service"].fillna(-1).to_numpy(int)
    service_ids = np.array([row[0] for row in SERVICES] + [None], dtype=object)
    event_ids = np.array([*held["event_id"], None], dtype=object)
    seconds = np.round(table["day"].to_numpy() * 86_400).astype("int64")
    numbers = chance.permutation(100_000)[: len(people.first)]
    return pd.DataFrame(
        {
            "action_id": [f"D{area.code}{number:06d}" for number in range(1, n + 1)],
            "person_id": np.array([f"g{area.code}{number:05d}" for number in numbers], dtype=object)[person],
            "time": (setting.start + pd.to_timedelta(seconds, unit="s")).tz_localize("UTC"),
            "action": table["action"],
            "tool_id": tools[tool],
            "channel": channels[tool],
            "campaign": named[np.where(with_campaign, chance.integers(0, max(len(campaigns), 1), n), -1)],
            "event_id": event_ids[event],
            "partner_id": partner_ids[np.where(with_partner, chance.integers(0, len(partner_ids) - 1, n), -1)],
            "region_code": area.code,
            "center_id": np.array(area.center_ids)[people.centre[person]],
            "client_group": people.group[person],
            "service_id": service_ids[service],
            "requested": table["requested"].astype("boolean"),
            "eligible": table["eligible"].astype("boolean"),
        }
    )
