"""Voices of clients: survey answers of a graded response model, and focus groups coded by two coders."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.demo.partners import SERVICES
from kcrr_analysis.demo.regions import Calendar, Floats, Region
from kcrr_analysis.demo.truth import Truth

RESPONDENTS = 600
"""Respondents of a region in three years."""

_GROUPS = ("broad", "students", "graduates", "school", "svo_participants", "svo_family", "disability")
_CLIENTS = np.array([0.50, 0.13, 0.09, 0.06, 0.07, 0.05, 0.10])
_YOUNG = np.array([False, True, True, True, False, False, False])
_SVO = np.array([False, False, False, False, True, True, False])
_AGES = ("18-24", "25-34", "35-49", "50+")


def survey_responses(area: Region, dates: Calendar, truth: Truth) -> pd.DataFrame:
    """Table `survey_responses` of one region: 1-5 for each item, 0-10 for the recommendation.

    The young answer more often than others; `weight` is the inverse of the chance to answer, with mean 1.
    """
    chance = area.stream("survey")
    model = truth.survey
    n = max(int(RESPONDENTS * len(dates.months) / 36), 40)
    odds = _CLIENTS * np.where(_YOUNG, model.youth_answers, 1.0)
    group = chance.choice(len(_GROUPS), size=n, p=odds / odds.sum())
    weight = np.where(_YOUNG[group], 1 / model.youth_answers, 1.0)
    weight = weight * odds.sum() / _CLIENTS.sum()
    centre = chance.choice(len(area.center_ids), size=n, p=area.shares)
    level = chance.normal(0, model.centre_sd, len(area.center_ids))
    theta = (
        np.where(_YOUNG[group], model.youth_mean, np.where(_SVO[group], model.svo_mean, 0.0))
        + level[centre]
        + chance.normal(0, 1, n)
    )
    month = np.sort(chance.integers(0, len(dates.months), n))
    day = dates.months.to_timestamp()[month] + pd.to_timedelta(chance.integers(0, 28, n), unit="D")
    age = np.where(_YOUNG[group], 0, chance.choice([1, 2, 3], size=n, p=[0.25, 0.43, 0.32]))
    service = chance.integers(0, len(SERVICES) - 1, n)
    people = pd.DataFrame(
        {
            "respondent_id": [f"r{area.code}{number:04d}" for number in range(1, n + 1)],
            "survey_id": [f"csi{year}" for year in dates.months.year[month]],
            "date": day,
            "center_id": np.array(area.center_ids)[centre],
            "service_id": np.array([row[0] for row in SERVICES])[service],
            "client_group": np.array(_GROUPS)[group],
            "weight": np.round(weight, 4),
            "sex": chance.choice(np.array(["female", "male"]), size=n, p=[0.57, 0.43]),
            "age_group": np.array(_AGES)[age],
            "settlement": chance.choice(np.array(["urban", "rural"]), size=n, p=[0.74, 0.26]),
        }
    )
    frames = []
    for position, item in enumerate(model.items):
        answer = _graded(theta, model.slopes[position], np.array(model.thresholds[position]), chance)
        missing = chance.random(n) < 0.02
        frames.append(people.assign(item=item, scale="1-5", answer=answer.astype(str), missing=missing))
    recommend = np.clip(np.round(7.6 + 1.7 * theta + chance.normal(0, 1.3, n)), 0, 10).astype(int)
    frames.append(people.assign(item=model.top_item, scale="0-10", answer=recommend.astype(str), missing=False))
    table = pd.concat(frames, ignore_index=True)
    table = table[~table["missing"]].drop(columns="missing")
    return table.sort_values("respondent_id", kind="stable").reset_index(drop=True)


def _graded(theta: Floats, slope: float, thresholds: Floats, chance: np.random.Generator) -> Floats:
    above = 1 / (1 + np.exp(-slope * (theta[:, None] - thresholds[None, :])))
    return np.asarray(1 + (chance.random(len(theta))[:, None] < above).sum(axis=1))


CODES = ("waiting", "courtesy", "clear_language", "vacancy_choice", "useful_advice", "premises", "paperwork", "trust")
"""Codes of the fragments of focus groups."""
_VALENCES = ("negative", "neutral", "positive")
_SESSIONS = 2
_FRAGMENTS = 24


def focus_coding(area: Region, truth: Truth) -> pd.DataFrame:
    """Table `focus_coding` of one region: every fragment coded by two coders with the same accuracy."""
    chance = area.stream("focus")
    n = _SESSIONS * _FRAGMENTS
    session = np.repeat(np.arange(1, _SESSIONS + 1), _FRAGMENTS)
    true_code = chance.choice(len(CODES), size=n, p=[0.18, 0.14, 0.15, 0.14, 0.13, 0.08, 0.12, 0.06])
    true_valence = chance.choice(3, size=n, p=[0.36, 0.22, 0.42])
    group = np.array(_GROUPS)[chance.integers(0, len(_GROUPS), _SESSIONS)][session - 1]
    service = np.array([row[0] for row in SERVICES])[chance.integers(0, len(SERVICES) - 1, n)]
    frames = []
    for coder in ("k1", "k2"):
        right = chance.random((2, n)) < truth.voices.coder_accuracy
        code = (true_code + np.where(right[0], 0, chance.integers(1, len(CODES), n))) % len(CODES)
        valence = (true_valence + np.where(right[1], 0, chance.integers(1, 3, n))) % 3
        frames.append(
            pd.DataFrame(
                {
                    "session_id": [f"F{area.code}{number}" for number in session],
                    "fragment_id": [f"{number:02d}" for number in np.tile(np.arange(1, _FRAGMENTS + 1), _SESSIONS)],
                    "coder_id": coder,
                    "code": np.array(CODES)[code],
                    "valence": np.array(_VALENCES)[valence],
                    "service_id": service,
                    "client_group": group,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
