"""Several cuts of the same events under one disclosure decision: a sum in one must not give away a cell of another."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.ipk import Scheme, units
from kcrr_analysis.ipk.score import prepare
from kcrr_analysis.ipk.withheld import protect
from kcrr_analysis.methodology import load

CUTS = {"tools": ("tool_id",), "themes": ("theme",), "months": ("month",)}


def cuts(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, units.Units]]:
    rows = prepare(frame, Scheme(), rates=None, clients=None, dictionary=load()).rows
    made = {name: units.ranked(units.exposed(units.summed(rows, by, level=0.95, least=5), None), "ipk", 0.95)
            for name, by in CUTS.items()}  # fmt: skip
    return rows, units.summed(rows, (), level=0.95, least=5).rows, made


def sample() -> pd.DataFrame:
    """Seminars alone are held on the themes x and y; x has 3 reviews in all."""
    return pd.DataFrame(
        {
            "tool_id": ["seminar"] * 4 + ["webinar"] * 6,
            "theme": ["x", "y", "y", "y", "z", "z", "z", "v", "v", "v"],
            "date": pd.date_range("2025-01-03", periods=10, freq="9D"),
            "weight": 2.0,
            "participants": 30,
            "engagement": 1.0,
            "reviews": [3, 10, 10, 10, 9, 9, 9, 9, 9, 9],
            "mean_rating": 4.0,
        }
    )


def test_a_format_whose_themes_are_all_shown_would_give_the_hidden_theme_away() -> None:
    _, total, made = cuts(sample())
    kept = protect(total, made, Rule())
    themes = kept["themes"].rows.set_index("theme")
    tools = kept["tools"].rows.set_index("tool_id")
    assert themes.loc["x", "ipk_hidden"]
    # 33 reviews of seminars less 30 of theme y would be the 3 of x
    assert themes.loc["y", "ipk_hidden"] or tools.loc["seminar", "ipk_hidden"]
    assert not kept[""].rows["ipk_hidden"].any()


def test_no_small_count_can_be_computed_from_all_that_is_shown_of_all_cuts() -> None:
    random = np.random.default_rng(3)
    for _ in range(6):
        n = 24
        frame = pd.DataFrame(
            {
                "tool_id": random.choice(["seminar", "webinar", "smm"], n),
                "date": pd.Timestamp("2025-01-03") + pd.to_timedelta(random.integers(0, 150, n), unit="D"),
                "weight": 2.0,
                "participants": 30,
                "engagement": 1.0,
                "reviews": random.integers(0, 5, n),
                "mean_rating": 4.0,
            }
        )
        frame["theme"] = frame["tool_id"] + random.choice(["а", "б", "в"], n)
        rows, total, made = cuts(frame)
        kept = protect(total, made, Rule())
        small = shown = 0
        for name in made:
            truth = made[name].rows["reviews"].to_numpy()
            for place, value in enumerate(truth):
                if 0 < value < 5:
                    small += 1
                    assert most(rows, kept, made, name, place) >= 5 - 1e-6
                shown += int(not kept[name].rows["reviews_hidden"].iloc[place])
        assert small
        assert shown


def most(rows: pd.DataFrame, kept: dict, made: dict, name: str, place: int) -> float:
    """The greatest value of a unit's reviews that agrees with all shown sums; the events are free, not negative."""
    n = len(rows)
    equations, values = [np.ones(n)], [rows["reviews"].sum()]
    for cut, units_of in made.items():
        hidden = kept[cut].rows["reviews_hidden"].to_numpy()
        for unit in np.flatnonzero(~hidden):
            equations.append((units_of.unit == unit).astype(float))
            values.append(units_of.rows["reviews"].iloc[unit])
    goal = -(made[name].unit == place).astype(float)
    found = linprog(goal, A_eq=np.array(equations), b_eq=np.array(values), bounds=(0, None), method="highs")
    return float(-found.fun) if found.status == 0 else np.inf


def test_without_a_rule_all_marks_are_there_and_false() -> None:
    _, total, made = cuts(sample())
    kept = protect(total, made, None)
    assert not kept["themes"].rows.filter(like="_hidden").any(axis=None)
    assert kept["themes"].rows["ipk"].equals(made["themes"].rows["ipk"])


def test_an_empty_cut_is_nothing_to_protect() -> None:
    _, total, made = cuts(sample().iloc[:0])
    assert protect(total, made, Rule())["themes"].rows.empty
