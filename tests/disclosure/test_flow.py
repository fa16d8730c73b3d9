from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule, hidden_counts, protect
from kcrr_analysis.disclosure.flow import COUNTS
from tests.disclosure.attacker import exposed
from tests.disclosure.flows import random_flow

NONE: dict[str, str | None] = {}


def table(
    cells: dict[tuple[str, str, int], int | None], *, period: str = "month", column: str = "applied"
) -> pd.DataFrame:
    """A flow of one region and year from (unit or '' for the region, group, month) -> count."""
    rows = [
        {
            "month": pd.Period(year=2025, month=month, freq="M"),
            "period": period,
            "scope": "center" if unit else "region",
            "region_code": "01",
            "center_id": unit or pd.NA,
            "client_group": group,
            column: count,
        }
        for (unit, group, month), count in cells.items()
    ]
    frame = pd.DataFrame(rows)
    return frame.astype({column: "Int64", "center_id": "string", "month": "period[M]"})


def both(cells: dict[tuple[str, str, int], int]) -> pd.DataFrame:
    """Monthly cells and their running totals."""
    totals: dict[tuple[str, str, int], int | None] = {}
    running: dict[tuple[str, str], int] = {}
    for (unit, group, month), count in sorted(cells.items(), key=lambda cell: cell[0][2]):
        running[unit, group] = running.get((unit, group), 0) + count
        totals[unit, group, month] = running[unit, group]
    return pd.concat([table(dict(cells)), table(totals, period="year_to_date")], ignore_index=True)


def marks(frame: pd.DataFrame, column: str = "applied", threshold: int = 5) -> set[tuple[str, str, int]]:
    hidden = hidden_counts(frame, Rule(threshold=threshold), parents=NONE)[column]
    rows = frame[hidden]
    units = rows["center_id"].fillna("")
    return set(zip(units, rows["period"], rows["month"].dt.month, strict=True))


class FakeTables:
    folder = None

    def __init__(self, **frames: pd.DataFrame) -> None:
        self.frames = frames

    def get(self, name: str) -> pd.DataFrame | None:
        return self.frames.get(name)

    def replace(self, **frames: pd.DataFrame) -> FakeTables:
        return FakeTables(**{**self.frames, **frames})


def test_nothing_small_nothing_hidden():
    assert marks(both({("", "x", 1): 30, ("a", "x", 1): 10, ("b", "x", 1): 20})) == set()


def test_zeros_are_shown():
    assert marks(both({("", "x", 1): 20, ("a", "x", 1): 0, ("b", "x", 1): 20})) == set()


def test_a_small_centre_takes_the_smaller_of_its_neighbours_with_it():
    frame = table({("", "x", 1): 63, ("a", "x", 1): 3, ("b", "x", 1): 20, ("c", "x", 1): 40})
    assert marks(frame) == {("a", "month", 1), ("b", "month", 1)}


def test_two_ones_whose_sum_is_known_to_be_two_need_a_third():
    frame = table({("", "x", 1): 22, ("a", "x", 1): 1, ("b", "x", 1): 1, ("c", "x", 1): 20})
    assert marks(frame) == {("a", "month", 1), ("b", "month", 1), ("c", "month", 1)}


def test_a_partner_too_small_to_give_is_not_enough():
    # a and b hidden together sum to 4: both would be known to be small
    frame = table({("", "x", 1): 4, ("a", "x", 1): 4, ("b", "x", 1): 0})
    assert {("a", "month", 1), ("", "month", 1)} <= marks(frame)


def test_a_region_of_one_centre_is_hidden_with_it():
    assert marks(table({("", "x", 1): 3, ("a", "x", 1): 3})) == {("", "month", 1), ("a", "month", 1)}


def test_january_is_hidden_in_both_periods():
    found = marks(both({("a", "x", 1): 3, ("a", "x", 2): 20, ("a", "x", 3): 20}))
    assert {("a", "month", 1), ("a", "year_to_date", 1)} <= found


def test_a_month_is_not_left_as_the_difference_of_two_running_totals():
    found = marks(both({("a", "x", 1): 20, ("a", "x", 2): 3, ("a", "x", 3): 20, ("a", "x", 4): 20}))
    assert found == {("a", "month", 2), ("a", "year_to_date", 2), ("a", "month", 3)}


def test_the_annual_total_survives_a_year_of_small_months():
    cells = {("a", "x", m): 2 for m in range(1, 13)}
    cells |= {("b", "x", m): 30 for m in range(1, 13)}
    cells |= {("", "x", m): 32 for m in range(1, 13)}
    found = marks(both(cells))
    assert ("a", "year_to_date", 12) not in found
    assert not any(unit == "" for unit, _, _ in found)


def test_a_stock_is_one_cell_in_both_periods():
    cells = {("", "x", 1): 40, ("a", "x", 1): 3, ("b", "x", 1): 37}
    column = "registered_stock"
    frame = pd.concat(
        [table(dict(cells), period=p, column=column) for p in ("month", "year_to_date")], ignore_index=True
    )
    assert marks(frame, column) == {(unit, p, 1) for unit in "ab" for p in ("month", "year_to_date")}


def test_a_centre_known_only_from_the_table_of_centres():
    frame = table({("", "x", 1): 23, ("a", "x", 1): 3, ("b", "x", 1): 20})
    frame["region_code"] = frame["region_code"].where(frame["scope"] == "region")
    centers = pd.DataFrame({"center_id": ["a", "b"], "region_code": ["01", "01"]})
    assert hidden_counts(frame, Rule(), parents=NONE)["applied"].sum() == 1
    assert hidden_counts(frame, Rule(), centers=centers, parents=NONE)["applied"].sum() == 2


def test_missing_and_negative_counts_do_no_harm():
    frame = table({("", "x", 1): 23, ("a", "x", 1): 3, ("b", "x", 1): None, ("c", "x", 1): -4, ("d", "x", 1): 20})
    hidden = hidden_counts(frame, Rule(), parents=NONE)["applied"]
    assert not hidden[frame["applied"].isna()].any()
    assert hidden[frame["center_id"] == "a"].all()
    broken = frame.assign(month=frame["month"].where(frame["center_id"] != "a"), scope=frame["scope"].astype("string"))
    assert hidden_counts(broken, Rule(), parents=NONE)["applied"][frame["center_id"] == "a"].all()


def test_an_empty_flow_and_a_table_set_without_flow_pass():
    frame = table({("", "x", 1): 3}).iloc[:0]
    assert protect(FakeTables(flow=frame), Rule()).get("flow").columns.tolist()[-1] == "applied_hidden"
    tables = FakeTables(centers=pd.DataFrame())
    assert protect(tables, Rule()) is tables


@pytest.mark.parametrize("mode", ["public", "internal"])
def test_protect_withholds_or_marks_the_same_cells(mode):
    flow = random_flow(1, columns=("applied", "clients_served"))
    protected = protect(FakeTables(flow=flow), Rule(mode)).get("flow")
    for column in ("applied", "clients_served"):
        hidden = protected[f"{column}_hidden"]
        assert hidden.dtype == bool
        assert hidden.any()
        assert protected[column].dtype == "Int64"
        if mode == "public":
            assert protected.loc[hidden, column].isna().all()
            assert (protected.loc[~hidden, column] == flow.loc[~hidden, column]).all()
        else:
            pd.testing.assert_series_equal(protected[column], flow[column])
    expected = hidden_counts(flow, Rule())
    assert (protected["applied_hidden"] == expected["applied"]).all()


def test_protecting_twice_changes_nothing():
    once = protect(FakeTables(flow=random_flow(2)), Rule())
    twice = protect(once, Rule())
    pd.testing.assert_frame_equal(once.get("flow"), twice.get("flow"))


@pytest.mark.parametrize("seed", range(4))
def test_the_choice_does_not_depend_on_the_order_of_rows(seed):
    flow = random_flow(seed, regions=3, columns=COUNTS[:3], overlap=0.2)
    shuffled = flow.sample(frac=1, random_state=seed)
    hidden, again = hidden_counts(flow, Rule()), hidden_counts(shuffled, Rule())
    pd.testing.assert_frame_equal(hidden, again.loc[flow.index])


@pytest.mark.parametrize("seed", range(24))
def test_no_attacker_proves_a_cell_small(seed):
    """Complete two-way tables: centres by months with running totals, additive or with people counted once."""
    flow = random_flow(
        seed,
        centres=(1, 2, 3, 4, 6)[seed % 5],
        months=(12, 12, 5, 1)[seed % 4],
        scale=(0.3, 1.0, 2.0, 4.0, 8.0, 15.0)[seed % 6],
        overlap=(0.0, 0.0, 0.3)[seed % 3],
        groups=2,
    ).replace({"client_group": {"all": "g1"}})
    threshold = (5, 5, 5, 3, 10, 2)[seed // 4]
    hidden = hidden_counts(flow, Rule(threshold=threshold), parents=NONE)["applied"]
    assert exposed(flow, hidden, "applied", threshold) == []


@pytest.mark.parametrize("seed", range(8))
def test_no_attacker_uses_a_group_inside_a_group(seed):
    flow = random_flow(seed + 100, centres=2 + seed % 3, groups=3, nested=True, scale=(0.7, 2.0, 5.0, 9.0)[seed % 4])
    hidden = hidden_counts(flow, Rule(), parents={"g1": "g0"})["applied"]
    assert exposed(flow, hidden, "applied", 5, [("g0", "all"), ("g1", "all"), ("g1", "g0")]) == []


@pytest.mark.parametrize("seed", range(12))
def test_no_attacker_uses_rows_that_are_missing(seed):
    flow = random_flow(
        seed + 200, centres=2 + seed % 4, groups=2, scale=(1.0, 3.0, 6.0)[seed % 3], overlap=(0.0, 0.2)[seed % 2]
    )
    flow = flow.replace({"client_group": {"all": "g1"}})
    chance = np.random.default_rng(seed)
    of_region, of_year = flow["scope"] == "region", flow["period"] == "year_to_date"
    drop = (of_region, ~of_region, of_year, ~of_year, ~of_region & of_year, chance.random(len(flow)) < 0.1)[seed % 6]
    flow = flow[~drop].reset_index(drop=True)
    hidden = hidden_counts(flow, Rule(), parents=NONE)["applied"]
    assert exposed(flow, hidden, "applied", 5) == []


@pytest.mark.parametrize("seed", range(4))
def test_no_attacker_reads_a_stock(seed):
    flow = random_flow(seed + 300, centres=2 + seed, groups=2, scale=4.0, columns=("registered_stock",))
    flow = flow.replace({"client_group": {"all": "g1"}})
    hidden = hidden_counts(flow, Rule(), parents=NONE)["registered_stock"]
    assert exposed(flow, hidden, "registered_stock", 5) == []


def test_the_attacker_finds_what_is_left_open():
    """The check above can fail: primary cells alone are no protection."""
    flow = random_flow(5, groups=1, scale=6.0).replace({"client_group": {"all": "g1"}})
    primary = (flow["applied"] > 0) & (flow["applied"] < 5)
    assert exposed(flow, primary, "applied", 5) != []
