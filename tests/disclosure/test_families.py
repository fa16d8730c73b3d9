"""A wider group that is the sum of its parts must not give a hidden part away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import methodology, tables
from kcrr_analysis.disclosure import Rule, hidden_counts
from tests.conftest import ROOT

PARENTS = {"youth": "all", "school": "youth", "students": "youth", "graduates": "youth", "teen_14_17": "youth"}


def flow(parts: dict[str, list[int]], extra: dict[str, list[int]]) -> pd.DataFrame:
    """One region's months of 2025; youth is the sum of `parts`."""
    youth = np.sum(list(parts.values()), axis=0)
    rows = [
        (group, month + 1, int(count))
        for group, counts in {**parts, **extra, "youth": list(youth)}.items()
        for month, count in enumerate(counts)
    ]
    frame = pd.DataFrame(rows, columns=["client_group", "number", "applied"])
    return frame.assign(
        month=pd.PeriodIndex.from_fields(year=2025, month=frame["number"], freq="M"),
        period="month",
        scope="region",
        region_code="01",
        center_id=pd.array([pd.NA] * len(frame), dtype="string"),
        applied=frame["applied"].astype("Int64"),
    )


def marks(frame: pd.DataFrame) -> set[tuple[str, int]]:
    hidden = hidden_counts(frame, Rule(), parents=PARENTS)["applied"]
    return set(zip(frame.loc[hidden, "client_group"], frame.loc[hidden, "number"], strict=True))


BIG = [120, 130, 140, 150, 160, 170, 180, 190]


def test_the_sum_is_hidden_with_its_part() -> None:
    frame = flow({"school": BIG, "students": BIG, "graduates": [3, *BIG[1:]]}, {"teen_14_17": BIG})
    hidden = marks(frame)
    assert ("graduates", 1) in hidden
    assert ("youth", 1) in hidden


def test_sums_of_shown_parts_stay() -> None:
    assert marks(flow({"school": BIG, "students": BIG, "graduates": BIG}, {})) == set()


def test_groups_that_overlap_are_left_alone() -> None:
    frame = flow({"school": BIG, "students": BIG, "graduates": [3, *BIG[1:]]}, {})
    youth = frame["client_group"] == "youth"
    frame.loc[youth, "applied"] -= 7
    assert not any(group == "youth" for group, _ in marks(frame))


@pytest.mark.parametrize("column", ["applied", "measure_recipients", "guidance_recipients", "registered_stock"])
def test_no_small_cell_of_the_demo_is_a_difference_of_shown_groups(column: str) -> None:
    data = tables.load(ROOT / "data" / "demo", only=("centers", "flow"))
    frame = data.flow
    hidden = hidden_counts(frame, Rule(), centers=data.centers)[column]
    keys = ["month", "period", "scope", "region_code", "center_id"]
    shown = frame.assign(value=frame[column].astype("float").where(~hidden), raw=frame[column].astype("float"))
    for outer in ("youth", "svo"):
        inner = [code for code, group in methodology.groups().items() if group.parent == outer and code != "teen_14_17"]
        wide = shown[shown["client_group"].isin([outer, *inner])]
        values = wide.pivot_table(
            index=keys, columns="client_group", values=["value", "raw"], aggfunc="first", dropna=False
        ).dropna(how="all")
        for part in inner:
            others = [code for code in inner if code != part]
            guess = values["value"][outer] - values["value"][others].sum(axis=1, skipna=False)
            raw = values["raw"][part]
            found = guess.notna() & (guess == raw) & raw.between(1, 4)
            exact = (values["raw"][inner].sum(axis=1) == values["raw"][outer]).mean() > 0.9
            assert not (found.any() and exact), (outer, part, int(found.sum()))
