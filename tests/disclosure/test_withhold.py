"""A published table under disclosure control: counts, totals and derived figures."""

from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule, Tie, intervals, withhold

TOOLS = pd.DataFrame(
    {
        "tool": ["a", "b", "c", "all"],
        "clients": [3, 40, 60, 103],
        "share": [0.03, 0.4, 0.6, 0.5],
        "cost": [9.0, 8, 7, 6],
    }
)
TIE = Tie(by=(), total=TOOLS["tool"] == "all")
DERIVED = {"clients": ["share"]}


def test_a_small_count_takes_another_with_it_so_that_the_total_does_not_give_it_away() -> None:
    shown = withhold(TOOLS, DERIVED, [TIE], Rule())
    hidden = shown["clients_hidden"]
    assert hidden.tolist() == [True, True, False, False]
    assert shown.loc[hidden, ["clients", "share"]].isna().all(axis=None)
    assert shown["cost"].tolist() == TOOLS["cost"].tolist()
    audit = intervals(TOOLS, "clients", [TIE], hidden)
    assert audit.loc[0, "high"] >= 5


def test_an_internal_table_keeps_the_values_and_marks_them() -> None:
    shown = withhold(TOOLS, DERIVED, [TIE], Rule(mode="internal"))
    assert shown["clients"].tolist() == TOOLS["clients"].tolist()
    assert shown["share_hidden"].tolist() == [True, True, False, False]


@pytest.mark.parametrize("rule", [None, Rule()])
def test_without_small_counts_nothing_is_hidden(rule: Rule | None) -> None:
    shown = withhold(TOOLS.iloc[1:3], DERIVED, [], rule)
    assert not shown["clients_hidden"].any()
    assert not shown["share_hidden"].any()


def test_a_figure_of_two_counts_is_hidden_by_either() -> None:
    frame = pd.DataFrame({"k": [2, 50], "n": [80, 3], "rate": [0.025, 16.7]})
    shown = withhold(frame, {"k": ["rate"], "n": ["rate"]}, [], Rule())
    assert shown["rate_hidden"].tolist() == [True, True]
    assert shown["k_hidden"].tolist() == [True, False]
