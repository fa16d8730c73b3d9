"""Two tables of the same records: what one hides, the other must not give away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from kcrr_analysis import funnel
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel.joint_withholding import Margin, withhold

RULE = Rule()


def hidden(counts: list[float], *levels: list[int]) -> list[pd.DataFrame]:
    """What is shown of records with the given counts, by several labellings, each with its total."""
    margins = []
    for labels in levels:
        names, codes = np.unique(labels, return_inverse=True)
        sums = np.bincount(codes, weights=np.nan_to_num(counts), minlength=len(names))
        rows = pd.DataFrame({"n": [*sums, np.nansum(counts)]})
        margins.append(Margin(rows.assign(share=rows["n"] / 7), codes))
    return withhold(margins, {"n": np.array(counts, float)}, {"n": ["share"]}, RULE)


def test_a_tool_made_of_its_own_campaigns_cannot_be_computed_from_them() -> None:
    # tool 0 = campaigns 0 and 1; tool 1 = campaigns 2 and 3. Campaign 0 is small.
    tools, campaigns = hidden([3, 40, 50, 60], [0, 0, 1, 1], [0, 1, 2, 3])
    assert tools["n"].tolist() == [43, 110, 153]
    assert campaigns["n_hidden"].tolist() == [True, True, False, False, False]  # not 2 or 3: the tool is shown
    assert campaigns["share_hidden"].tolist() == campaigns["n_hidden"].tolist()
    assert np.isnan(campaigns["share"][0])


def test_equal_levels_of_two_tables_are_hidden_in_both() -> None:
    one, other = hidden([3, 40, 50], [0, 1, 2], [5, 6, 7])
    assert one["n_hidden"].tolist() == other["n_hidden"].tolist()
    assert one["n_hidden"].sum() == 2


def test_a_campaign_within_a_tool_is_not_bounded_by_it() -> None:
    # Tool 0 holds campaigns 1 and 2 whole and a part of campaign 0: from tool 0 = 7 and campaign 2 = 6 follows 1 <= 1.
    tools, campaigns = hidden([0, 1, 5, 6], [0, 0, 1, 0], [0, 1, 0, 2])
    assert campaigns["n_hidden"][1]
    assert tools["n_hidden"][0] or campaigns["n_hidden"][2]


def test_records_without_the_count_hide_nobody() -> None:
    one, _ = hidden([3, 40, np.nan], [0, 1, 1], [0, 1, 0])
    assert one["n_hidden"].tolist() == [True, True, False]


def test_without_a_small_count_or_a_rule_nothing_is_hidden() -> None:
    assert not any(part["n_hidden"].any() for part in hidden([30, 40, 0], [0, 1, 2], [0, 0, 1]))
    margin = Margin(pd.DataFrame({"n": [3, 40, 43]}), np.array([0, 1]))
    (part,) = withhold([margin], {"n": np.array([3.0, 40.0])}, {"n": []}, None)
    assert not part["n_hidden"].any()


def attack(levels: list[list[int]], shown: list[pd.DataFrame], place: tuple[int, int]) -> float:
    """The largest value that a hidden cell may have, over all counts of the records that agree with what is shown."""
    rows, values = [], []
    goal = np.zeros(len(levels[0]))
    for number, (labels, part) in enumerate(zip(levels, shown, strict=True)):
        for at, name in enumerate([*np.unique(labels), None]):
            inside = np.array([name is None or label == name for label in labels], dtype=float)
            if (number, at) == place:
                goal = -inside
            if not part["n_hidden"][at]:
                rows.append(inside)
                values.append(part["n"][at])
    found = linprog(goal, A_eq=rows or None, b_eq=values or None, bounds=(0, None))
    return np.inf if found.status == 3 else -found.fun


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(0, 3), st.integers(0, 1)), min_size=2, max_size=9
    )
)
def test_no_attacker_can_prove_a_small_count_to_be_small(records: list[tuple[int, int, int, int]]) -> None:
    counts, *levels = (list(part) for part in zip(*records, strict=True))
    shown = hidden(counts, *levels)
    for number, labels in enumerate(levels):
        sums = [sum(n for n, at in zip(counts, labels, strict=True) if at == name) for name in np.unique(labels)]
        for at, value in enumerate([*sums, sum(counts)]):
            if 0 < value < RULE.threshold:
                assert shown[number]["n_hidden"][at]
                assert attack(levels, shown, (number, at)) >= RULE.threshold - 1e-6


@pytest.mark.parametrize("target", ["applications", "leads"])
def test_conversions_published_together_are_decided_on_together(target: str) -> None:
    frame = pd.DataFrame(
        {
            "tool_id": ["smm", "smm", "mailing", "mailing"],
            "campaign": list("abcd"),
            "impressions": 1000,
            "clicks": 100,
            target: [2, 30, 40, 50],
            "period_start": pd.Timestamp("2025-01-01"),
            "period_end": pd.Timestamp("2025-01-09"),
        }
    )
    tools, campaigns = funnel.conversions(frame, [("tool_id",), ("campaign",)], rule=RULE)
    assert tools.rows[f"{target}_hidden"].tolist() == [False, False, False]
    assert campaigns.rows[f"{target}_hidden"].tolist() == [True, True, False, False, False]
