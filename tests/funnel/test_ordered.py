"""Ordered funnel: every option against a slow plain reference, hand-made edges, the demo's true rates."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from kcrr_analysis import funnel, methodology, tables
from kcrr_analysis.disclosure import Rule, Tie, intervals
from kcrr_analysis.errors import KcrrError, MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.funnel.ordered_levels import against_rest
from kcrr_analysis.tables import StoredTable, Tables

ZONE = "Europe/Moscow"
DAY = pd.Timedelta(days=1)
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


# --- the reference: one person at a time, one action at a time -------------------------------------------------------


def matches(action: dict[str, Any], condition: dict[str, set[str]]) -> bool:
    return all(action[column] in values for column, values in condition.items())


def reference(
    log: pd.DataFrame,
    steps: list[dict[str, set[str]]],
    *,
    window: float | None,
    step_windows: list[float | None],
    entry: str,
    counting: str,
    order: str,
    ties: str,
    period: tuple[pd.Timestamp, pd.Timestamp] | None,
    as_of: pd.Timestamp,
    by: list[str],
    cohort: bool,
) -> dict[tuple[Any, ...], list[list[Any]]]:
    """Level -> for each step the list of (matured, days from the entry, days from the step before) of its persons."""
    horizon = as_of
    if counting == "period" and period is not None:
        horizon = min(as_of, period[1] - pd.Timedelta(microseconds=1))
    inside = lambda moment: period is None or period[0] <= moment < period[1]  # noqa: E731
    flow = counting == "period" and entry == "log" and period is not None
    persons = defaultdict(list)
    seen = set()
    overlap = any(
        all(not (set(a) & set(b)) or a[c] & b[c] for c in set(a) & set(b)) for a, b in itertools.combinations(steps, 2)
    )
    for action in log.to_dict("records"):
        if not isinstance(action["person_id"], str) or action["person_id"] == "" or pd.isna(action["time"]):
            continue
        if action["time"] > horizon:
            continue
        if overlap and action["action_id"] in seen:
            continue
        seen.add(action["action_id"])
        action["steps"] = [n for n, step in enumerate(steps) if matches(action, step)]
        action["level"] = tuple(action[column] if isinstance(action[column], str) else None for column in by)
        if action["steps"]:
            persons[action["person_id"]].append(action)
    closes = [] if window is None else [window]
    if None not in step_windows:
        closes.append(sum(step_windows))  # type: ignore[arg-type]
    counted: dict[tuple[Any, ...], list[list[Any]]] = defaultdict(lambda: [[] for _ in steps])
    for actions in persons.values():
        # Time; at one time the first step matched, then fewer steps, then the level that sorts first.
        actions.sort(
            key=lambda a: (
                a["time"], min(a["steps"]), sum(1 << n for n in a["steps"]),
                tuple((value is None, value or "") for value in a["level"]),
            )
        )  # fmt: skip
        starts = [a for a in actions if 0 in a["steps"] and (entry == "log" or inside(a["time"]))]
        if not starts:
            continue
        first = starts[0]
        if not flow and not inside(first["time"]):
            continue
        position, previous, reached = actions.index(first), first["time"], [first["time"]]
        for number in range(1, len(steps)):
            base = first["time"] if order == "any" else previous
            start = actions.index(first) if order == "any" else position
            found = None
            for place in range(start + 1, len(actions)):
                action = actions[place]
                if number in action["steps"] and (ties == "in_order" or action["time"] > base):
                    found = place
                    break
            if found is None:
                break
            moment = actions[found]["time"]
            if window is not None and moment > first["time"] + window * DAY:
                break
            if step_windows[number - 1] is not None and moment > previous + step_windows[number - 1] * DAY:
                break
            position, previous = found, max(moment, reached[-1])
            reached.append(previous)
        matured = not closes or first["time"] + min(closes) * DAY <= horizon
        level = first["level"] + ((f"{first['time'].tz_convert(ZONE):%Y-%m}",) if cohort else ())
        for number, (moment, before) in enumerate(zip(reached, reached[:1] + reached, strict=False)):
            if not flow or inside(moment):
                counted[level][number].append((matured, (moment - first["time"]) / DAY, (moment - before) / DAY))
    return counted


def compare(result: funnel.OrderedFunnel, expected: dict[tuple[Any, ...], list[list[Any]]]) -> None:
    rows = result.to_frame()
    keys = [*result.definition.by, *(["cohort"] if result.definition.cohort else [])]
    whole = rows[rows["total"]]
    if len(whole):
        parts = [list(itertools.chain.from_iterable(steps)) for steps in zip(*expected.values(), strict=True)]
        compare_level(whole, parts, result)
    levels = dict(_levels(rows[~rows["total"]], keys))
    assert set(levels) == set(expected)
    for level, part in levels.items():
        compare_level(part, expected[level], result)


def compare_level(part: pd.DataFrame, steps: list[list[Any]], result: funnel.OrderedFunnel) -> None:
    assert part["persons"].tolist() == [len(step) for step in steps]
    if result.definition.flow:
        assert part["persons_matured"].isna().all()
    else:
        assert part["persons_matured"].tolist() == [sum(ripe for ripe, *_ in step) for step in steps]
        assert part["immature"].tolist() == [sum(not ripe for ripe, *_ in step) for step in steps]
    for row, step in zip(part.itertuples(), steps, strict=True):
        ripe = [days for mature, *days in step if mature or result.definition.flow]
        for base, days in zip(("entry", "previous"), zip(*ripe, strict=True), strict=False):
            if row.step_number > 1 and (base == "entry" or result.definition.order == "strict"):
                for quartile, q in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
                    assert getattr(row, f"days_{base}_{quartile}") == pytest.approx(np.quantile(days, q), abs=1e-6)
            else:
                assert np.isnan(getattr(row, f"days_{base}_median"))


def _levels(rows: pd.DataFrame, keys: list[str]) -> Any:
    if not keys:
        return [((), rows)]
    parts = rows.groupby(keys, dropna=False, sort=False)
    return [(tuple(None if pd.isna(value) else str(value) for value in key), part) for key, part in parts]


def random_log(seed: int, size: int = 260) -> pd.DataFrame:
    """Few persons, few moments and missing values: ties and edges everywhere."""
    chance = random.Random(seed)
    start = pd.Timestamp("2025-01-01", tz=ZONE)
    rows = []
    for number in range(size):
        moment = start + chance.choice([0.25, 0.5, 1.0]) * chance.randint(0, 160) * DAY
        rows.append(
            {
                "action_id": f"a{chance.randint(0, size * 4) if chance.random() < 0.2 else number + size * 5}",
                "person_id": chance.choice([None, "", *[f"p{n}" for n in range(38)]]),
                "time": pd.NaT if chance.random() < 0.02 else moment.tz_convert("UTC"),
                "action": chance.choice(["a", "a", "b", "b", "c", "x"]),
                "tool_id": chance.choice(["t1", "t2", None]),
            }
        )
    frame = pd.DataFrame(rows)
    # One identity, one action: a repeated record says the same.
    frame = frame.groupby("action_id", as_index=False).first().merge(frame[["action_id"]], on="action_id")
    return frame.sample(frac=1, random_state=seed).astype({"person_id": object, "tool_id": object})


DISJOINT = {"A": "a", "B": "b", "C": "c"}
OVERLAPPING = {"A": "a", "B": ["a", "b"], "C": {"action": ["b", "c"], "tool_id": ["t1", "t2"]}, "D": "b"}
OPTIONS = [
    (entry, counting, order, ties, window, step_windows, dated, overlapping)
    for entry in ("log", "period")
    for counting in ("cohort", "period")
    for order in ("strict", "any")
    for ties in ("in_order", "apart")
    for window in (20.0, None)
    for step_windows in (False, True)
    for dated in (False, True)
    for overlapping in (False, True)
    if not (order == "any" and (step_windows or overlapping))
    if dated or (entry, counting) == ("log", "cohort")  # without a period the four are one: tested below
]


def as_sets(steps: dict[str, Any]) -> list[dict[str, set[str]]]:
    written = [step if isinstance(step, dict) else {"action": step} for step in steps.values()]
    return [{c: {v} if isinstance(v, str) else set(v) for c, v in step.items()} for step in written]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options)))
def test_every_option_equals_the_plain_reference(options: tuple[Any, ...]) -> None:
    entry, counting, order, ties, window, per_step, dated, overlapping = options
    steps = OVERLAPPING if overlapping else DISJOINT
    step_windows = [9.5, None, 7.0][: len(steps) - 1] if per_step else [None] * (len(steps) - 1)
    if per_step and window is None:
        step_windows = [9.5, 8.0, 7.0][: len(steps) - 1]
    number = OPTIONS.index(options)
    chance = random.Random(number)
    log = random_log(number)
    by = chance.choice([[], ["tool_id"], ["tool_id", "action"]])
    cohort, total, cut, passes = (chance.random() < 0.5 for _ in range(4))
    as_of = pd.Timestamp("2025-04-20 12:00", tz=ZONE) if cut else log["time"].max()
    period = ("2025-02-01", "2025-03-10") if dated else None
    ends = (pd.Timestamp("2025-02-01", tz=ZONE), pd.Timestamp("2025-03-11", tz=ZONE)) if dated else None
    expected = reference(
        log, as_sets(steps), window=window, step_windows=step_windows, entry=entry, counting=counting, order=order,
        ties=ties, period=ends, as_of=as_of, by=by, cohort=cohort,
    )  # fmt: skip
    result = funnel.ordered(
        log, steps, window, by, step_windows=step_windows, entry=entry, counting=counting, order=order, ties=ties,
        period=period, as_of=as_of if cut else None, cohort=cohort, total=total,
        rows_per_pass=120 if passes else None,
    )  # fmt: skip
    compare(result, expected)


def test_the_drawn_options_meet_each_other() -> None:
    """Levels, months of entry, total, an early end and passes are drawn: each pair of them meets, with both queries."""
    drawn = []
    for number, options in enumerate(OPTIONS):
        chance = random.Random(number)
        drawn.append((chance.choice([0, 1, 2]), *(chance.random() < 0.5 for _ in range(4)), options[-1]))
    for one, other in itertools.combinations(range(6), 2):
        pairs = {(row[one], row[other]) for row in drawn}
        assert len(pairs) == len({row[one] for row in drawn}) * len({row[other] for row in drawn})


def test_without_a_period_entry_and_counting_change_nothing() -> None:
    log = random_log(1)
    rows = [
        funnel.ordered(log, DISJOINT, 20, "tool_id", entry=entry, counting=counting).rows
        for entry in ("log", "period")
        for counting in ("cohort", "period")
    ]
    for other in rows[1:]:
        pd.testing.assert_frame_equal(rows[0], other)


def test_a_window_from_the_entry_finds_everybody_who_has_any_such_sequence() -> None:
    """First fitting action after first fitting action loses nobody: an exhaustive search finds the same persons."""
    for seed in range(8):
        log = random_log(seed).dropna(subset=["time"])
        log = log[log["person_id"].notna() & (log["person_id"] != "")]
        result = funnel.ordered(log, ["a", "b", "c"], 15).to_frame()
        counts = [0, 0, 0]
        for _, own in log.groupby("person_id"):
            times = {code: own.loc[own["action"] == code, "time"].tolist() for code in "abc"}
            if not times["a"]:
                continue
            start = min(times["a"])
            pairs = [b for b in times["b"] if start <= b <= start + 15 * DAY]
            triples = [c for b in pairs for c in times["c"] if b <= c <= start + 15 * DAY]
            counts = [n + bool(found) for n, found in zip(counts, ([1], pairs, triples), strict=True)]
        assert result["persons"].tolist() == counts


# --- edges by hand ----------------------------------------------------------------------------------------------------


def log(*rows: tuple[str | None, str, str], **columns: list[Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["person_id", "time", "action"])
    frame["time"] = pd.to_datetime(frame["time"], utc=True, format="ISO8601")
    return frame.assign(**columns)


def persons(*args: Any, **kwargs: Any) -> list[int]:
    return funnel.ordered(*args, **kwargs).to_frame()["persons"].tolist()


def test_shares_intervals_and_days_by_hand() -> None:
    # p1: application after 2 days; p2: never; p3 enters 5 days before the log ends: immature
    actions = log(
        ("p1", "2025-01-01 10:00", "contact"), ("p1", "2025-01-03 10:00", "application"),
        ("p2", "2025-01-02 10:00", "contact"), ("p3", "2025-03-27 10:00", "contact"),
        ("p3", "2025-03-28 10:00", "application"), ("x", "2025-04-01 10:00", "other"),
    )  # fmt: skip
    result = funnel.ordered(actions, ["contact", "application"], 30)
    first, last = result.to_frame().to_dict("records")
    assert (first["persons"], first["persons_matured"], first["immature"]) == (3, 2, 1)
    assert (last["persons"], last["persons_matured"], last["immature"]) == (2, 1, 1)
    assert last["share_entry"] == last["share_previous"] == 50
    # Wilson (1927) for 1 of 2: 0.0945 to 0.9055
    assert (last["share_entry_low"], last["share_entry_high"]) == pytest.approx((9.45, 90.55), abs=0.01)
    assert last["days_entry_median"] == last["days_previous_median"] == pytest.approx(2)
    assert last["small"]
    assert result.definition.as_of == pd.Timestamp("2025-04-01 10:00", tz="UTC")


def test_a_group_whose_windows_are_all_open_is_not_enough_data() -> None:
    actions = log(("p", "2025-03-27 10:00", "contact"), ("p", "2025-03-28 10:00", "application"))
    last = funnel.ordered(actions, ["contact", "application"], 30).to_frame().iloc[-1]
    assert last["persons"] == 1
    assert np.isnan(last["share_entry"])
    assert last["reason"].startswith("не хватает данных: срок наблюдения не истёк")


def test_the_last_moment_of_the_window_is_inside() -> None:
    actions = log(
        ("p", "2025-01-01 10:00", "a"), ("p", "2025-01-31 10:00", "b"),
        ("q", "2025-01-01 10:00", "a"), ("q", "2025-01-31 10:00:00.000001", "b"),
    )  # fmt: skip
    assert persons(actions, ["a", "b"], 30) == [2, 1]
    assert persons(actions, ["a", "b"], "30 days") == [2, 1]
    assert persons(actions, ["a", "b"], np.int64(30)) == [2, 1]
    assert persons(actions, ["a", "b"], pd.Timedelta(days=30)) == [2, 1]


def test_whoever_could_be_watched_to_the_last_moment_of_the_window_is_mature() -> None:
    actions = log(("p", "2025-01-01 10:00", "a"), ("q", "2025-01-01 10:00:00.000001", "a"))
    result = funnel.ordered(actions, ["a", "b"], 30, as_of="2025-01-31 13:00:00")  # Moscow time
    assert result.rows.loc[0, ["persons", "persons_matured", "immature"]].tolist() == [2, 1, 1]
    chained = funnel.ordered(actions, ["a", "b", "c"], 40, step_windows=[20, 10], as_of="2025-01-31 13:00:00")
    assert chained.rows.loc[0, ["persons", "persons_matured", "immature"]].tolist() == [2, 1, 1]


def test_equal_times_stand_in_the_order_of_steps_unless_they_are_kept_apart() -> None:
    actions = log(("p", "2025-01-01", "c"), ("p", "2025-01-01", "b"), ("p", "2025-01-01", "a"))
    assert persons(actions, ["a", "b", "c"], 30) == [1, 1, 1]
    assert persons(actions, ["a", "b", "c"], 30, ties="apart") == [1, 0, 0]


def test_a_repeated_step_needs_another_action_and_a_repeated_record_is_none() -> None:
    once = log(("p", "2025-01-01", "service"), action_id=["1"])
    assert persons(once, ["service", "service"], 30) == [1, 0]
    assert persons(pd.concat([once, once]), ["service", "service"], 30) == [1, 0]
    twice = log(("p", "2025-01-01", "service"), ("p", "2025-01-01", "service"), action_id=["1", "2"])
    result = funnel.ordered(twice, ["service", "service"], 30).to_frame()
    assert result["step"].tolist() == ["service", "service (2)"]
    assert result["persons"].tolist() == [1, 1]
    assert persons(twice, ["service", "service"], 30, ties="apart") == [1, 0]


def test_one_action_that_fits_two_steps_is_used_once() -> None:
    actions = log(("p", "2025-01-01", "a"), ("p", "2025-01-02", "b"), ("p", "2025-01-03", "b"))
    steps = {"first": "a", "any": ["b", "c"], "b": "b", "again": "b"}
    assert persons(actions, steps, 30) == [1, 1, 1, 0]


def test_a_step_may_be_named_by_several_columns() -> None:
    actions = log(
        ("p", "2025-01-01", "contact"), ("p", "2025-01-02", "service"), ("q", "2025-01-01", "contact"),
        ("q", "2025-01-02", "service"), requested=[None, True, None, False],
    )  # fmt: skip
    steps = {"contact": "contact", "requested": {"action": "service", "requested": True}}
    assert persons(actions.astype({"requested": "boolean"}), steps, 30) == [2, 1]


def test_actions_without_person_or_time_are_left_out_and_counted() -> None:
    actions = log(
        ("p", "2025-01-01", "a"), (None, "2025-01-01", "a"), ("", "2025-01-02", "b"), ("p", None, "b"),
        (None, None, "b"),
    )  # fmt: skip
    result = funnel.ordered(actions, ["a", "b"], 30)
    assert result.to_frame()["persons"].tolist() == [1, 0]
    assert (result.actions, result.without_person, result.without_time) == (5, 3, 1)


def test_missing_levels_are_a_level_of_their_own_and_come_from_the_entry_action() -> None:
    actions = log(
        ("p", "2025-01-01", "a"), ("p", "2025-01-02", "b"), ("q", "2025-01-01", "a"), ("r", "2025-01-01", "a"),
        tool_id=["t1", "t2", None, ""],
    )  # fmt: skip
    frame = funnel.ordered(actions, ["a", "b"], 30, "tool_id", total=True).to_frame()
    assert frame["tool_id"].fillna("?").tolist() == ["t1", "t1", "?", "?", "?", "?"]
    assert frame["persons"].tolist() == [1, 1, 2, 0, 3, 1]
    assert frame["total"].tolist() == [False] * 4 + [True] * 2


def test_of_entries_at_one_moment_the_level_that_sorts_first_counts() -> None:
    rows = log(("p", "2025-01-01", "a"), ("p", "2025-01-01", "a"), ("p", "2025-01-01", "a"), tool_id=[None, "t2", "t1"])
    for shuffled in (rows, rows.iloc[::-1]):
        assert funnel.ordered(shuffled, ["a", "b"], 30, "tool_id").to_frame()["tool_id"].tolist() == ["t1", "t1"]


def test_entry_and_counting_say_which_persons_a_period_has() -> None:
    actions = log(
        ("old", "2025-01-10", "a"), ("old", "2025-02-10", "a"), ("old", "2025-02-12", "b"),
        ("new", "2025-02-20", "a"), ("new", "2025-03-05", "b"), ("x", "2025-06-01", "z"),
    )  # fmt: skip
    february = {"period": "2025-02"}
    assert persons(actions, ["a", "b"], 60, **february) == [1, 1]
    assert persons(actions, ["a", "b"], 60, **february, entry="period") == [2, 2]
    assert persons(actions, ["a", "b"], 60, **february, entry="period", counting="period") == [2, 1]
    flow = funnel.ordered(actions, ["a", "b"], 60, **february, counting="period").to_frame()
    assert flow["persons"].tolist() == [1, 1]  # new entered, old applied: not one and the same person
    assert flow["share_entry"].isna().all()
    assert flow["reason"].str.contains("доля не вычисляется").all()


def test_days_begin_in_the_zone() -> None:
    actions = log(("p", "2025-01-31 21:30", "a"), ("p", "2025-02-01", "b"))  # February in Moscow, January in UTC
    assert persons(actions, ["a", "b"], 30, period="2025-02") == [1, 1]
    with pytest.raises(NotComputableError):
        funnel.ordered(actions, ["a", "b"], 30, period="2025-02", zone="UTC")
    naive = actions.assign(time=actions["time"].dt.tz_localize(None))  # without a zone: the zone's own clock
    assert persons(naive, ["a", "b"], 30, period=("2025-01-31", "2025-01-31")) == [1, 1]


def test_what_happened_after_as_of_is_not_known() -> None:
    actions = log(("p", "2025-01-01", "a"), ("p", "2025-01-20", "b"), ("q", "2025-01-25", "a"))
    assert persons(actions, ["a", "b"], 30, as_of="2025-01-15") == [1, 0]
    assert persons(actions, ["a", "b"], 30, as_of="2025-01-20") == [1, 1]


def test_rows_by_month_of_entry() -> None:
    actions = log(("p", "2025-01-31 22:00", "a"), ("p", "2025-02-20", "b"), ("q", "2025-01-25", "a"))
    frame = funnel.ordered(actions, ["a", "b"], 30, cohort=True, total=True).to_frame()
    assert frame["cohort"].astype(str).tolist() == ["2025-01", "2025-01", "2025-02", "2025-02", "NaT", "NaT"]
    assert frame["persons"].tolist() == [1, 0, 1, 1, 2, 1]


def test_two_definitions_on_one_log_give_very_different_last_steps() -> None:
    """Why the definition is printed: one log, the same steps, and the last step is all persons or one in ten."""
    rows = []
    for n in range(100):
        services_first = [("service", 0), ("contact", 1), ("application", 40)]
        rows += [(f"p{n}", day, action) for action, day in services_first]
        if n < 10:
            rows.append((f"p{n}", 45, "service"))
    actions = pd.DataFrame(
        {
            "person_id": [row[0] for row in rows],
            "time": [pd.Timestamp("2025-01-01", tz="UTC") + row[1] * DAY for row in rows],
            "action": [row[2] for row in rows],
        }
    )
    steps = ["contact", "application", "service"]
    last = {
        (window, first): persons(actions, [first, *[s for s in steps if s != first]], window, order=order)[-1]
        for window, first, order in ((90, "service", "any"), (90, "contact", "strict"), (30, "contact", "strict"))
    }
    assert last == {(90, "service"): 100, (90, "contact"): 10, (30, "contact"): 0}


# --- sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["frame", "tables", "stored", "parquet", "csv", "two files"])
def test_frames_tables_and_files_give_the_same(form: str, tmp_path: Path) -> None:
    frame = random_log(5)
    frame = frame[frame["person_id"] != ""]
    expected = funnel.ordered(frame, DISJOINT, 20, "tool_id").rows
    source: Any = frame
    if form == "tables":
        source = Tables(frames=MappingProxyType({"actions": frame}))
    elif form == "csv":
        source = tmp_path / "it's [1].csv"
        frame.to_csv(source, index=False)
    elif form in {"parquet", "stored", "two files"}:
        source = tmp_path / "log.parquet"
        frame.to_parquet(source)
        if form == "stored":
            kept = StoredTable((source,), ("action_id", "person_id", "time", "action", "tool_id"), len(frame))
            source = Tables(frames=MappingProxyType({}), stored=MappingProxyType({"actions": kept}))
        elif form == "two files":
            frame[::2].to_parquet(source)
            frame[1::2].to_parquet(tmp_path / "more.parquet")
            source = [source, tmp_path / "more.parquet"]
    pd.testing.assert_frame_equal(funnel.ordered(source, DISJOINT, 20, "tool_id").rows, expected)


def test_passes_change_nothing() -> None:
    frame = random_log(6, 2000)
    whole = funnel.ordered(frame, OVERLAPPING, 20, ["tool_id"], total=True)
    parts = funnel.ordered(frame, OVERLAPPING, 20, ["tool_id"], total=True, rows_per_pass=300)
    pd.testing.assert_frame_equal(whole.rows, parts.rows)


def test_text_of_the_user_never_becomes_sql() -> None:
    hostile = "x'; DROP TABLE actions; --"
    actions = log(("p", "2025-01-01", "a"), ("p", "2025-01-02", hostile)).assign(**{'t"o': hostile})
    frame = funnel.ordered(actions, {"a": "a", hostile: hostile}, 30, 't"o', where={'t"o': hostile}).to_frame()
    assert frame["persons"].tolist() == [1, 1]
    assert frame['t"o'].tolist() == [hostile] * 2


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": ["a"]}, "шагов 1"),
        ({"steps": "a"}, "нужен список"),
        ({"steps": {"a": "a", "b": []}}, "пустое значение"),
        ({"steps": {"a": "a", "b": {}}}, "нет условия"),
        ({"steps": {"a": "a", "b": ["b", None]}}, "пустое значение"),
        ({"steps": {"a": "a", "b": {"colour": "red"}}}, "нет столбцов: colour"),
        ({"by": "colour"}, "нет столбцов: colour"),
        ({"by": "persons"}, "столбец результата"),
        ({"by": ["action", "action"]}, "назван дважды"),
        ({"window": 0}, "не допускается"),
        ({"window": "soon"}, "не срок"),
        ({"window": "30"}, "не допускается"),
        ({"window": True}, "не допускается"),
        ({"step_windows": {"z": 3}}, "нет шага «z»"),
        ({"step_windows": [1, 2, 3]}, "сроков 3"),
        ({"order": "random"}, "order"),
        ({"entry": "last"}, "entry"),
        ({"counting": "x"}, "counting"),
        ({"ties": "x"}, "ties"),
        ({"order": "any", "step_windows": [3]}, "предыдущего шага нет"),
        ({"order": "any", "steps": ["a", "a"]}, "одно действие"),
        ({"period": "soon"}, "не месяц"),
        ({"period": ("2025-03", "2025-01")}, "раньше начала"),
        ({"period": ("2025-01", "2025-02", "2025-03")}, "начало и конец"),
        ({"as_of": 5}, "не месяц"),
        ({"zone": "Mars/Base"}, "часового пояса"),
        ({"level": 2}, "уровень"),
    ],
)
def test_a_wrong_argument_gets_one_clear_message(settings: dict[str, Any], message: str) -> None:
    actions = log(("p", "2025-01-01", "a"), ("p", "2025-01-02", "b"))
    with pytest.raises(ParameterError, match=message):
        funnel.ordered(actions, **{"steps": ["a", "b"], "window": 30, **settings})


def test_two_steps_of_one_name_are_refused() -> None:
    actions = log(("p", "2025-01-01", "a"))
    with pytest.raises(ParameterError, match="повторяются"):
        funnel.ordered(actions, ["a", "a", "a (2)"], 30)


def test_nobody_and_nothing() -> None:
    with pytest.raises(NotComputableError, match="Никто не вошёл"):
        funnel.ordered(log(("p", "2025-01-01", "b")), ["a", "b"], 30)
    with pytest.raises(NotComputableError, match="ни одного действия"):
        funnel.ordered(log(("p", None, "b")), ["a", "b"], 30)
    with pytest.raises(MissingTableError):
        funnel.ordered(Tables(frames=MappingProxyType({})), ["a", "b"], 30)


def test_a_time_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("person_id,time,action\np,31.01.2025,a\nq,2025-01-31 10:00,a\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"«31\.01\.2025» не время"):
        funnel.ordered(path, ["a", "b"], 30)


def test_a_column_of_numbers_is_no_time() -> None:
    with pytest.raises(ParameterError, match="столбец time не время"):
        funnel.ordered(pd.DataFrame({"person_id": ["p"], "time": [5], "action": ["a"]}), ["a", "b"], 30)


def test_the_log_may_be_limited_and_the_definition_says_so() -> None:
    actions = log(("p", "2025-01-01", "a"), ("q", "2025-01-01", "a"), region_code=["01", "02"])
    result = funnel.ordered(actions, ["a", "b"], 30, where={"region_code": "02"})
    assert result.to_frame()["persons"].tolist() == [1, 0]
    assert "взяты только действия, где «Код региона»: 02" in result.definition.text


def test_times_a_thousand_years_apart_are_refused() -> None:
    actions = pd.DataFrame(
        {"person_id": "p", "time": ["0001-01-01 00:00:00", "9999-01-01 00:00:00"], "action": ["a", "b"]}
    )
    with pytest.raises(ParameterError, match="тысячи лет"):
        funnel.ordered(actions, ["a", "b"], 30)


# --- comparisons and disclosure ---------------------------------------------------------------------------------------


def sample(counts: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Tool -> (entrants, those who go on), all matured."""
    rows = []
    for tool, (entrants, reached) in counts.items():
        for n in range(entrants):
            rows.append((f"{tool}{n}", "2025-01-01", "a", tool))
            if n < reached:
                rows.append((f"{tool}{n}", "2025-01-02", "b", tool))
    frame = pd.DataFrame([*rows, ("z", "2025-06-01", "z", "t")], columns=["person_id", "time", "action", "tool_id"])
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True))


def test_levels_are_compared_with_the_rest_under_one_error_budget() -> None:
    result = funnel.ordered(sample({"t1": (100, 60), "t2": (200, 60), "t3": (5, 5)}), ["a", "b"], 30, "tool_id")
    found = result.comparisons.set_index("tool_id")
    assert list(found.index) == ["t1", "t2"]  # t3 is too small to compare
    assert found.loc["t1", "share"] == 60
    assert found.loc["t1", "rest"] == pytest.approx(100 * 65 / 205)
    # Newcombe (1998), method 10, from the Wilson limits of 60/100 and 65/205
    assert found.loc["t1", "difference"] == pytest.approx(60 - 100 * 65 / 205)
    assert (found["differs"] == [1, -1]).all()
    assert found.loc["t1", "p_adjusted"] < 1e-4


def test_equal_levels_are_not_told_apart() -> None:
    result = funnel.ordered(sample({"t1": (100, 50), "t2": (200, 100), "t3": (100, 52)}), ["a", "b"], 30, "tool_id")
    assert (result.comparisons["differs"] == 0).all()
    nobody = funnel.ordered(sample({"t1": (100, 0), "t2": (200, 0)}), ["a", "b"], 30, "tool_id")
    assert (nobody.comparisons["differs"] == 0).all()


def test_false_differences_stay_within_the_error_budget() -> None:
    """300 logs of eight equal levels: the share of logs with any difference is at most 5 %, within its own error."""
    chance = np.random.default_rng(4)
    n = np.full(8, 120)
    false = 0
    for _ in range(300):
        rows = pd.DataFrame(
            {
                "tool_id": pd.array(np.repeat([f"t{k}" for k in range(8)], 2), dtype="string"),
                "step_number": np.tile([1, 2], 8),
                "total": False,
                "persons_matured": np.column_stack([n, chance.binomial(n, 0.2)]).ravel(),
                "entrants_matured": np.repeat(n, 2),
            }
        )
        false += bool(against_rest(rows[rows["step_number"] == 2], ["tool_id"], 0.95)["differs"].any())
    assert false <= scipy_stats.binom.ppf(0.9999, 300, 0.05)


def test_small_counts_and_what_gives_them_away_are_withheld() -> None:
    data = sample({"t1": (40, 3), "t2": (60, 30), "t3": (50, 25)})
    frame = funnel.ordered(data, ["a", "b"], 30, "tool_id", total=True, rule=Rule()).to_frame()
    last = frame[frame["step"] == "b"].set_index(frame.loc[frame["step"] == "b", "tool_id"].fillna("all"))
    for column in (
        "persons",
        "persons_matured",
        "share_entry",
        "share_entry_low",
        "share_previous",
        "days_entry_median",
    ):
        assert np.isnan(last.loc["t1", column]), column
        assert last.loc["t1", f"{column}_hidden"]
    others = last.loc[["t2", "t3", "all"], "persons"]
    assert others.isna().any()  # or the total less the others would tell
    assert frame.loc[frame["step"] == "a", "persons"].notna().all()


def test_immature_ones_are_persons_too() -> None:
    data = sample({"t1": (40, 20), "t2": (60, 30)})
    late = log(("l1", "2025-05-20", "a"), ("l2", "2025-05-21", "a")).assign(tool_id="t1")
    frame = funnel.ordered(pd.concat([data, late]), ["a", "b"], 30, "tool_id", total=True, rule=Rule()).to_frame()
    row = frame[(frame["step"] == "a") & (frame["tool_id"] == "t1")].iloc[0]
    assert np.isnan(row["immature"])
    assert np.isnan(row["persons"]) or np.isnan(row["persons_matured"])


def test_no_small_count_of_the_demos_path_can_be_computed_back(demo: Tables) -> None:
    """The attacker knows every shown count, persons = matured + immature, and the sums over the tools."""
    for region in ("01", "04"):
        true = funnel.path(demo, region, "2025-10").rows
        public = funnel.path(demo, region, "2025-10", rule=Rule()).rows
        kinds = ("persons", "persons_matured", "immature")
        cells = pd.concat(
            [
                pd.DataFrame(
                    {
                        "kind": kind, "level": true["tool_id"].fillna("all"), "step": true["step"],
                        "total": true["total"], "count": true[kind], "hidden": public[kind].isna(),
                    }
                )
                for kind in kinds
            ],
            ignore_index=True,
        )  # fmt: skip
        ties = [
            Tie(by=("level", "step"), total=cells["kind"] == "persons"), Tie(by=("kind", "step"), total=cells["total"])
        ]  # fmt: skip
        small = cells["count"].between(1, 4)
        assert small.any()
        assert cells.loc[small, "hidden"].all()
        ends = intervals(cells, "count", ties, cells["hidden"])
        assert (ends.loc[small, "high"] >= 5).all()


def test_a_comparison_of_withheld_counts_goes_with_them_and_is_marked_inside() -> None:
    data = sample({"t1": (40, 3), "t2": (60, 30), "t3": (50, 25), "t4": (70, 30)})
    public = funnel.ordered(data, ["a", "b"], 30, "tool_id", total=True, rule=Rule())
    hidden = public.rows[public.rows["persons_matured_hidden"]]["tool_id"].dropna()
    assert set(hidden).isdisjoint(public.comparisons["tool_id"])
    internal = funnel.ordered(data, ["a", "b"], 30, "tool_id", total=True, rule=Rule("internal"))
    assert set(internal.comparisons.loc[internal.comparisons["hidden"], "tool_id"]) >= {"t1"}
    assert internal.rows["persons"].notna().all()


# --- the base path on the demo data -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> Tables:
    return tables.load(DEMO, only=("actions",))


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    from kcrr_analysis.yaml_files import read

    return dict(read(DEMO / "truth.yaml"))


def test_on_the_demos_log_the_definition_moves_the_last_step_fortyfold(demo: Tables) -> None:
    steps = ["contact", "registration", "application", "service"]
    wide = funnel.ordered(demo, steps, None)
    narrow = funnel.ordered(demo, steps, 7, step_windows=[3, 3, 3], ties="apart")
    first, last = (found.rows["persons"].tolist() for found in (wide, narrow))
    assert first[0] == last[0]  # the same persons enter
    assert first[-1] > 40 * last[-1] > 0
    assert wide.definition != narrow.definition
    assert wide.definition.text != narrow.definition.text


def test_the_demos_true_rates_are_found(demo: Tables, truth: dict[str, Any]) -> None:
    """45 shares of matured persons against the truth: none beyond the limit of a family-wise level of 1 in 1,000."""
    result = funnel.ordered(demo, ["contact", "registration", "application", "service"], 90, "tool_id").to_frame()
    limit = scipy_stats.norm.ppf(1 - 0.001 / 2 / 45)
    checked = 0
    for touch in truth["first_touches"]:
        rows = result[result["tool_id"] == touch["tool_id"]].set_index("step")
        n = rows["entrants_matured"].iloc[0]
        names = {"registration": "registration_90", "application": "application_90", "service": "customer_90"}
        for step, name in names.items():
            p = float(touch[name])
            z = (rows.loc[step, "persons_matured"] - n * p) / np.sqrt(n * p * (1 - p))
            assert abs(z) < limit, (touch["tool_id"], step, z)
            checked += 1
    assert checked == 45


def test_the_path_of_a_region_by_tool(demo: Tables) -> None:
    result = funnel.path(demo, "01", "2025-10")
    frame = result.to_frame()
    assert result.region_code == "01"
    assert result.titles["tool_id"]["job_fair"] == methodology.load(None).tools["job_fair"].title
    assert frame["total"].sum() == 4
    parts = frame[~frame["total"]].groupby("step", sort=False)["persons"].sum()
    assert parts.tolist() == frame.loc[frame["total"], "persons"].tolist()
    alone = funnel.path(tables.load(DEMO, region="01", only=("actions",)), "01", "2025-10")
    pd.testing.assert_frame_equal(result.rows, alone.rows)
    assert funnel.path(demo, "01").definition.start == pd.Timestamp("2024-11-01", tz=ZONE)


def test_the_path_and_the_measure_of_the_same_name_count_the_same_persons(demo: Tables) -> None:
    """`clients` is written without SQL and for another split: a second implementation of the total."""
    for region in ("01", "07"):
        own = funnel.path(demo, region, "2025-09").rows
        own = own[own["total"]].set_index("step")
        other = funnel.clients(demo, region, "2025-09").rows
        steps = other[(other["measure_id"] == "path_completion") & (other["kind"] == "step")].set_index("level")
        for step, before in (("registration", "contact"), ("application", "registration"), ("service", "application")):
            assert steps.loc[step, "numerator"] == own.loc[step, "persons_matured"]
            assert steps.loc[step, "denominator"] == own.loc[before, "persons_matured"]
            assert steps.loc[step, "low"] == pytest.approx(own.loc[step, "share_previous_low"])
        assert steps.loc["registration", "immature"] == own.loc["contact", "immature"]


def test_the_path_knows_nothing_of_later_months(demo: Tables) -> None:
    result = funnel.path(demo, "01", "2025-03", months=6)
    assert result.definition.as_of == pd.Timestamp("2025-04-01", tz=ZONE) - pd.Timedelta(microseconds=1)
    assert result.to_frame()["immature"].iloc[-4] > 0


def test_the_path_refuses_what_it_cannot_count(demo: Tables) -> None:
    with pytest.raises(ParameterError, match="months"):
        funnel.path(demo, "01", "2025-10", months=0)
    with pytest.raises(NotComputableError):
        funnel.path(demo, "99", "2025-10")
    with pytest.raises(KcrrError):
        funnel.path(demo, "01", "2019-10")


def test_the_definition_is_said_in_russian() -> None:
    actions = log(("p", "2025-01-01", "contact"), ("p", "2025-01-02", "service"), tool_id=["t", "t"])
    said = funnel.ordered(
        actions, ["contact", "service"], 21, "tool_id", period="2025-01", step_windows={"service": 1.5}
    ).definition.text
    assert said == (
        "Путь: «Первый контакт» → «Услуга». Вход — первое действие «Первый контакт» человека за весь журнал (он "
        "начинается 01.01.2025; что было раньше, неизвестно); период с 01.01.2025 по 31.01.2025. Каждый следующий шаг "
        "— первое подходящее другое действие после предыдущего шага, не позже чем через 21 день после входа; "
        "«Услуга» — не позже чем через 1,5 дня после предыдущего шага; действия с одинаковым временем считаются "
        "идущими в порядке шагов. Считаются люди, вошедшие "
        "в период; их следующие шаги — и после его конца. Разрез — по действию входа. Журнал известен по "
        "02.01.2025 03:00."
    )
    for settings, words in (
        ({"entry": "period", "counting": "period", "period": "2025-01"}, "Считаются только шаги внутри периода"),
        ({"counting": "period", "period": "2025-01"}, "кто бы и когда бы ни вошёл"),
        ({"order": "any", "ties": "apart"}, "в любом порядке после входа, без ограничения срока"),
        ({"cohort": True}, "Разрез — по месяцу входа."),
        ({"cohort": True, "by": "tool_id"}, "Разрез — по действию и месяцу входа."),
    ):
        assert words in funnel.ordered(actions, ["contact", "service"], None, **settings).definition.text
    for days, words in ((1, "1 день после"), (2, "2 дня после"), (11, "11 дней после")):
        said = funnel.ordered(actions, ["contact", "service"], days).definition.text
        assert f"не позже чем через {words} входа" in said
