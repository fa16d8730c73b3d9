"""What a person is to the centre at a moment: a potential, a current or a former client.

Where nobody wrote the status down, the log tells it: potential until the first application or service, former once
served and without any action for the gap, current in between. Only what happened before the moment counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis.funnel.person_log import DAY, Objects, PersonLog

TITLES = {"potential": "Потенциальный", "current": "Текущий", "former": "Бывший"}

SEEKING = ("application", "service")
"""Actions that make a person a client."""


def derived(log: PersonLog, person: npt.NDArray[np.int64], at: npt.NDArray[np.int64], gap: int) -> Objects:
    """Status of persons at moments, from the actions strictly before them.

    Args:
        log: The region's log.
        person: Persons.
        at: Moments, as long as `person`.
        gap: Days without an action after which a served person is former.
    """
    actions = log.actions
    seeking = actions[actions["action"].isin(SEEKING)]
    served = actions[actions["action"] == "service"]
    last = _last_before(actions, person, at)
    client = log.first(seeking)[person] < at
    former = (log.first(served)[person] < at) & (at - last >= gap * DAY)
    return np.where(former, "former", np.where(client, "current", "potential")).astype(object)


def _last_before(rows: pd.DataFrame, person: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Moment of the last row of the person strictly before the moment; the moment itself where there is none."""
    asked = pd.DataFrame({"person": person, "at": at, "place": np.arange(len(at))}).sort_values("at", kind="stable")
    known = rows[["person", "at"]].assign(last=rows["at"]).sort_values("at", kind="stable")
    found = pd.merge_asof(asked, known, on="at", by="person", allow_exact_matches=False)
    return np.asarray(found["last"].fillna(found["at"]).astype("int64").to_numpy()[np.argsort(found["place"])])
