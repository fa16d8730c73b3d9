"""What follows a service, and the calls to former, current and potential clients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis.demo.regions import Calendar, Region
from kcrr_analysis.demo.truth import Truth

_KINDS = ("employment", "training", "self_employment", "internship", "group_transition", "work_event")
_KIND_SHARES = (0.58, 0.14, 0.06, 0.07, 0.07, 0.08)
_TRANSITIONS = {"school": "students", "students": "graduates", "graduates": "broad", "svo_participants": "svo_veterans"}


def outcomes(area: Region, dates: Calendar, done: pd.DataFrame) -> pd.DataFrame:
    """Table `outcomes` of one region: results known for six in ten of the persons served.

    Args:
        area: The region.
        dates: Months of the data set.
        done: Table `actions` of the region.
    """
    chance = area.stream("outcomes")
    served = done[done["action"] == "service"].drop_duplicates("person_id", keep="last")
    known = chance.random(len(served)) < 0.6
    table = served[known].reset_index(drop=True)
    n = len(table)
    kind = chance.choice(np.array(_KINDS, dtype=object), size=n, p=_KIND_SHARES)
    group = table["client_group"].to_numpy(object)
    kind = np.where((kind == "employment") & (group == "disability"), "accompanied_placement", kind)
    moved = np.array([_TRANSITIONS.get(name) for name in group], dtype=object)
    kind = np.where((kind == "group_transition") & pd.isna(moved), "work_event", kind)
    placed = np.isin(kind.astype(str), ["employment", "accompanied_placement"])
    day = table["time"].dt.tz_localize(None).dt.normalize() + pd.to_timedelta(chance.integers(5, 110, n), unit="D")
    result = pd.DataFrame(
        {
            "person_id": table["person_id"],
            "date": day,
            "kind": kind,
            "region_code": area.code,
            "center_id": table["center_id"],
            "client_group": group,
            "service_id": table["service_id"],
            "priority_employer": pd.array(
                [bool(draw < 0.35) if job else None for draw, job in zip(chance.random(n), placed, strict=True)],
                dtype="boolean",
            ),
            "new_client_group": [
                to if what == "group_transition" else None for what, to in zip(kind, moved, strict=True)
            ],
        }
    )
    return result[result["date"] <= dates.months[-1].end_time].reset_index(drop=True)


_BASES = (("disability", 0.34), ("svo_participants", 0.16), ("svo_family", 0.08), ("graduates", 0.14), ("broad", 0.28))
_REASONS = ("job_loss", "new_service", "end_of_study", "return_from_service", "follow_up")
_SOURCES = ("smev", "own_base", "partner", "platform")
_PEOPLE = 420


def contacts(area: Region, dates: Calendar, truth: Truth, done: pd.DataFrame) -> pd.DataFrame:
    """Table `contacts` of one region: one row an attempt, or one row without an attempt for a person not called.

    Everybody of the disability base is called, not everybody is reached.

    Args:
        area: The region.
        dates: Months of the data set.
        truth: Declared truth.
        done: Table `actions` of the region; a third of the persons called come from it.
    """
    chance = area.stream("contacts")
    n = max(int(_PEOPLE * (area.population / 1_000_000) ** 0.5 * len(dates.months) / 36), 40)
    group = chance.choice(np.array([name for name, _ in _BASES]), size=n, p=[share for _, share in _BASES])
    person = np.array([f"b{area.code}{number:05d}" for number in chance.permutation(90_000)[:n]], dtype=object)
    known = done.drop_duplicates("person_id").set_index("person_id")["client_group"]
    for name, _ in _BASES:
        pool = known.index[known == name].to_numpy(object)
        rows = np.flatnonzero((group == name) & (chance.random(n) < 0.33))[: len(pool)]
        person[rows] = pool[chance.permutation(len(pool))[: len(rows)]]
    voices = truth.voices
    base = group == "disability"
    attempted = chance.random(n) < np.where(base, voices.disability_attempted, voices.other_attempted)
    reached = attempted & (chance.random(n) < np.where(base, voices.disability_reached, voices.other_reached))
    attempts = np.where(attempted, 1 + (chance.random(n) < np.where(reached, 0.3, 0.5)), 1)
    row = np.repeat(np.arange(n), attempts)
    last = np.append(row[1:] != row[:-1], True)
    days = (dates.months[-1].end_time - dates.months[0].start_time).days
    start = dates.months[0].to_timestamp() + pd.to_timedelta(chance.integers(0, days - 9, n), unit="D")
    second = np.where(last & (attempts[row] > 1), chance.integers(1, 8, len(row)), 0)
    moment = start[row] + pd.to_timedelta(second * 86_400 + chance.integers(6 * 3600, 15 * 3600, len(row)), unit="s")
    table = pd.DataFrame(
        {
            "person_id": person[row],
            "time": moment.tz_localize("UTC"),
            "reason": chance.choice(np.array(_REASONS), size=n)[row],
            "source": chance.choice(np.array(_SOURCES), size=n, p=[0.4, 0.35, 0.1, 0.15])[row],
            "channel": "phone",
            "attempted": attempted[row],
            "reached": reached[row] & last,
            "client_status": _status(person[row], moment.tz_localize("UTC"), done),
            "region_code": area.code,
            "center_id": chance.choice(np.array(area.center_ids), size=n, p=area.shares)[row],
            "client_group": group[row],
        }
    )
    table = table.sort_values(["time", "person_id"], kind="stable").reset_index(drop=True)
    table.insert(0, "contact_id", [f"K{area.code}{number:05d}" for number in range(1, len(table) + 1)])
    return table


_FORMER = pd.Timedelta(days=60)


def _status(person: npt.NDArray[np.object_], moment: pd.DatetimeIndex, done: pd.DataFrame) -> npt.NDArray[np.str_]:
    """What the person was to the centre at that moment: `former` from two months after the first service."""
    first = done.groupby("person_id")["time"].min()
    served = done[done["action"] == "service"].groupby("person_id")["time"].min()
    people = pd.Series(person, dtype="string")
    known = (people.map(first) <= moment).to_numpy(dtype=bool)
    former = (people.map(served) + _FORMER <= moment).to_numpy(dtype=bool)
    return np.asarray(np.where(former, "former", np.where(known, "current", "potential")))
