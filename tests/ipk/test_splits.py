"""Probable splits: the declared ones are found, chains are none, chance is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from kcrr_analysis import tables
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk import splits

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


def events(*dates: str, **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"date": pd.to_datetime(list(dates)), "center_id": "01", "tool_id": "seminar", "theme": "Тема"}
    )
    return frame.assign(**columns)


def test_a_run_of_near_dates_is_one_split_and_a_far_event_is_none() -> None:
    found = splits.probable(events("2025-03-01", "2025-03-04", "2025-03-07", "2025-03-11"), days=3)
    assert found.tolist()[:3] == [1, 1, 1]
    assert found.isna().tolist() == [False, False, False, True]


def test_another_centre_tool_or_theme_is_another_event() -> None:
    days = ("2025-03-01", "2025-03-02")
    for other in ({"center_id": ["01", "02"]}, {"tool_id": ["seminar", "webinar"]}, {"theme": ["а", "б"]}):
        assert splits.probable(events(*days, **other)).isna().all()
    assert splits.probable(events(*days, theme=[None, None])).isna().all()


def test_themes_differ_by_words_and_not_by_case_spaces_or_yo() -> None:
    found = splits.probable(events("2025-03-01", "2025-03-02", theme=["Своё  дело", " свое ДЕЛО"]))
    assert found.tolist() == [1, 1]


def test_one_declared_chain_is_no_split_but_a_stranger_beside_it_is() -> None:
    days = ("2025-03-01", "2025-03-02", "2025-03-03")
    assert splits.probable(events(*days, chain_id="C1")).isna().all()
    assert splits.probable(events(*days, chain_id=["C1", "C1", None])).tolist() == [1, 1, 1]
    assert splits.probable(events(*days, chain_id=["C1", "C1", "C2"])).tolist() == [1, 1, 1]


def test_the_order_of_rows_does_not_matter_and_the_index_is_kept() -> None:
    frame = events("2025-03-01", "2025-03-02", "2025-05-01", "2025-05-02")
    shuffled = frame.iloc[[2, 0, 3, 1]]
    found = splits.probable(shuffled)
    assert found.index.tolist() == [2, 0, 3, 1]
    assert found.sort_index().tolist() == [1, 1, 2, 2]


def test_without_the_columns_or_rows_there_is_nothing_to_find() -> None:
    frame = events("2025-03-01", "2025-03-01")
    assert splits.probable(frame.drop(columns="theme")).isna().all()
    assert splits.by_chance(frame.drop(columns="theme")) == 0
    assert splits.by_chance(frame.iloc[:0]) == 0
    assert splits.by_chance(frame.assign(theme=None)) == 0
    assert splits.probable(frame, days=0).tolist() == [1, 1]
    with pytest.raises(ParameterError, match="split_days"):
        splits.probable(frame, days=-1)


def test_overlapping_chains_and_splits_are_one_jump() -> None:
    split = pd.Series([1, 1, None, None, None], dtype="Int64")
    chain = pd.Series([None, "C", "C", None, None])
    jump = splits.jumps(split, chain)
    assert len(set(jump[:3])) == 1
    assert len(set(jump)) == 3
    assert len(set(splits.jumps(split, None))) == 4


def test_merging_keeps_the_heaviest_weight() -> None:
    split = pd.Series([1, 1, 1, 2, 2, None], dtype="Int64")
    excess = splits.excess(split, np.array([2.0, 3, 1, 2, 2, 3]))
    assert excess[:3].sum() == 3
    assert excess[3:5].sum() == 2
    assert excess[5] == 0


def test_the_demo_s_splits_are_all_found_and_the_rest_is_about_what_chance_gives() -> None:
    frame = tables.load(DEMO, only=("events",)).events
    truth = yaml.safe_load((DEMO / "truth.yaml").read_text(encoding="utf-8"))["split_events"]
    found = splits.probable(frame, days=3)
    runs = frame.groupby(found, observed=True)["event_id"].agg(set)
    assert len(truth) == 8
    assert all(any(set(pair["event_ids"]) <= run for run in runs) for pair in truth)
    chance = splits.by_chance(frame, days=3)
    others = len(runs) - len(truth)
    assert abs(others - chance) < 3 * np.sqrt(chance)


def test_by_chance_agrees_with_a_simulation() -> None:
    random = np.random.default_rng(7)
    counts = []
    for _ in range(200):
        day = pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 365, 40), unit="D")
        frame = pd.DataFrame({"date": day, "center_id": "1", "tool_id": "t", "theme": random.choice(["а", "б"], 40)})
        gaps = [
            np.abs(np.subtract.outer(part.to_numpy(), part.to_numpy()))
            for _, part in frame.assign(day=(frame["date"] - frame["date"].min()).dt.days).groupby("theme")["day"]
        ]
        counts.append((sum(((gap <= 3).sum() - len(gap)) / 2 for gap in gaps), splits.by_chance(frame, days=3)))
    pairs, expected = np.mean(counts, axis=0)
    assert pairs == pytest.approx(expected, rel=0.06)
