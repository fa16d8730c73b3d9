from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule, Tie, hidden_counts, intervals, suppress
from tests.disclosure.flows import random_flow


def two_way(seed: int, rows: int = 5, columns: int = 4, scale: float = 5.0) -> tuple[pd.DataFrame, list[Tie]]:
    """Events by region and tool with both margins."""
    chance = np.random.default_rng(seed)
    inner = pd.DataFrame(chance.poisson(chance.gamma(1, scale, (rows, columns))), index=[f"r{i}" for i in range(rows)])
    inner.columns = [f"t{j}" for j in range(columns)]
    inner.loc["total"] = inner.sum()
    inner["total"] = inner.sum(axis=1)
    frame = inner.rename_axis("region").reset_index().melt("region", var_name="tool", value_name="n")
    return frame, [Tie(("region",), frame["tool"] == "total"), Tie(("tool",), frame["region"] == "total")]


@pytest.mark.parametrize("seed", range(8))
def test_every_interval_of_a_two_way_table_reaches_the_threshold(seed):
    frame, ties = two_way(seed, scale=(1.0, 3.0, 8.0)[seed % 3])
    hidden = suppress(frame, "n", ties, Rule())
    primary = (frame["n"] > 0) & (frame["n"] < 5)
    ends = intervals(frame, "n", ties, hidden)
    assert hidden[primary].all()
    assert (ends["high"][primary] >= 5 - 1e-6).all()
    assert (ends["low"][primary] <= frame["n"][primary] + 1e-6).all()
    shown = ends[~hidden]
    assert (shown["low"] == shown["high"]).all()


def test_a_hidden_cell_alone_in_its_sum_is_an_open_book():
    frame = pd.DataFrame({"n": [3, 20, 23], "kind": ["a", "b", "total"]})
    tie = Tie((), frame["kind"] == "total")
    ends = intervals(frame, "n", [tie], [True, False, False])
    assert ends.loc[0].tolist() == [3, 3]
    assert suppress(frame, "n", [tie], Rule()).tolist() == [True, True, False]


def test_running_totals():
    frame = pd.DataFrame({"month": [1, 1, 2, 2, 3, 3], "total": [False, True] * 3, "n": [20, 20, 3, 23, 20, 43]})
    tie = Tie((), frame["total"], order="month")
    hidden = suppress(frame, "n", [tie], Rule())
    primary = (frame["n"] > 0) & (frame["n"] < 5)
    assert hidden[primary].all()
    assert (intervals(frame, "n", [tie], hidden)["high"][primary] >= 5).all()
    assert 2 <= hidden.sum() <= 3


def test_cost_decides_who_goes_with_the_small_cell():
    frame = pd.DataFrame({"kind": ["a", "b", "c", "total"], "n": [3, 20, 20, 43]})
    tie = Tie((), frame["kind"] == "total")
    cheap_c = suppress(frame, "n", [tie], Rule(), cost=pd.Series([1, 9, 1, 9]))
    assert cheap_c.tolist() == [True, False, True, False]


def test_untied_and_missing_counts():
    frame = pd.DataFrame({"n": pd.array([3, None, 0, 50, -1], dtype="Int64")})
    assert suppress(frame, "n", [], Rule()).tolist() == [True, False, False, False, False]
    tie = Tie((), [False, False, False, True, False])
    hidden = suppress(frame, "n", [tie], Rule())
    assert hidden.tolist() == [True, False, False, True, False]


def test_the_order_of_rows_does_not_matter():
    frame, _ = two_way(3)
    shuffled = frame.sample(frac=1, random_state=1)

    def hidden(table: pd.DataFrame) -> pd.Series:
        ties = [Tie(("region",), table["tool"] == "total"), Tie(("tool",), table["region"] == "total")]
        return suppress(table, "n", ties, Rule())

    pd.testing.assert_series_equal(hidden(frame), hidden(shuffled).loc[frame.index])


def test_flags_of_another_length_are_refused():
    with pytest.raises(ValueError, match="flags"):
        suppress(pd.DataFrame({"n": [1, 2]}), "n", [Tie((), [True])], Rule())


def test_the_planner_of_flow_passes_the_general_audit():
    """Two independent pieces agree: cells chosen by rectangles, audited through ties written as groupings."""
    flow = random_flow(11, centres=3, groups=1, scale=3.0).replace({"client_group": {"all": "g"}})
    of_region, of_year = flow["scope"] == "region", flow["period"] == "year_to_date"
    ties = [
        Tie(("month", "period"), of_region),
        Tie(("center_id",), of_year, order="month"),
    ]
    hidden = hidden_counts(flow, Rule(), parents={})["applied"]
    ends = intervals(flow, "applied", ties, hidden)
    primary = ((flow["applied"] > 0) & (flow["applied"] < 5)).to_numpy()
    assert (ends["high"].to_numpy()[primary] >= 5 - 1e-6).all()
    general = suppress(flow, "applied", ties, Rule())
    assert (intervals(flow, "applied", ties, general)["high"].to_numpy()[primary] >= 5 - 1e-6).all()
