"""What holds for all measures: intervals, disclosure against an attacker, order of rows, the region and the months."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kcrr_analysis as kcrr
from kcrr_analysis import funnel
from kcrr_analysis.disclosure import Rule, Tie, intervals
from kcrr_analysis.funnel.cells import ALL, GROUP
from kcrr_analysis.funnel.group_differences import against_rest
from kcrr_analysis.funnel.levels import Crowd
from kcrr_analysis.funnel.person_log import read
from kcrr_analysis.funnel.tally import Tally
from kcrr_analysis.methodology.checklist import checklist
from kcrr_analysis.tables import StoredTable, Tables
from tests.funnel.hand_log import actions, counts, row, table, tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
TASKS: tuple[Callable[..., funnel.Measures], ...] = (
    funnel.clients, funnel.returns, funnel.contacts, funnel.outcomes, funnel.partners,
)  # fmt: skip


def tally_of(groups: list[str]) -> Tally:
    rows = [(f"p{n}", "2025-10-01", "contact", {"client_group": group}) for n, group in enumerate(groups)]
    log = read(tables(actions=actions(*rows)), "01", "2025-10", months=1)
    return Tally(log, log.groups(log.actions))


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Newcombe (1998), Stat Med 17:857, table I: 81 of 263, Wilson's score interval 0.2553 to 0.3662
    tally = tally_of(["broad"] * 263)
    definition = tally.define("inbound_conversion", "", part="", whole="")
    members = np.arange(263) < 81
    tally.share(definition, Crowd("all", np.ones(263, dtype=bool)), Crowd("some", members))
    shown = row(tally.result("clients", "", settings={}, notes=(), rule=None), "inbound_conversion")
    assert (shown["low"], shown["high"]) == pytest.approx((25.53, 36.62), abs=0.005)
    assert shown["method"] == "интервал Уилсона"
    assert shown["n"] == 263


def test_two_sets_of_persons_cannot_share_a_name() -> None:
    tally = tally_of(["broad"] * 4)
    definition = tally.define("inbound_conversion", "", part="", whole="")
    everyone = Crowd("all", np.ones(4, dtype=bool))
    tally.share(definition, everyone, Crowd("some", np.array([True, False, False, False])))
    with pytest.raises(ValueError, match="two different crowds are named some"):
        tally.share(definition, everyone, Crowd("some", np.array([True, True, False, False])))


def shares(numbers: dict[str, tuple[int, int]], rule: Rule | None = None) -> funnel.Measures:
    """A share with these (numerator, denominator) by group."""
    groups = [group for group, (_, n) in numbers.items() for _ in range(n)]
    tally = tally_of(groups)
    members = np.array([place < k for k, n in numbers.values() for place in range(n)])
    definition = tally.define("inbound_conversion", "", part="", whole="")
    everyone = Crowd("all", np.ones(len(groups), dtype=bool))
    tally.share(definition, everyone, Crowd("some", members), by=tally.by_group)
    return tally.result("clients", "", settings={}, notes=(), rule=rule)


def test_groups_that_differ_are_told_apart_and_equal_ones_are_not() -> None:
    found = shares({"students": (90, 100), "broad": (30, 100), "school": (60, 100), "disability": (9, 10)}).comparisons
    assert found.set_index("level")["differs"].to_dict() == {"students": 1, "broad": -1, "school": 0}
    assert found["p_adjusted"].between(0, 1).all()
    # the difference to the rest, by hand: 90/100 - 99/210
    assert found.set_index("level").loc["students", "difference"] == pytest.approx(100 * (0.9 - 99 / 210))


def test_equal_groups_are_rarely_told_apart() -> None:
    """Familywise error of five groups with one true share: at most 5 %, here 3 s.e. above it for 150 results."""
    chance = np.random.default_rng(20251031)
    codes = ["students", "school", "graduates", "disability", "broad"]
    frame = pd.DataFrame({"level": ["", *codes], "kind": [ALL, *[GROUP] * 5]}).assign(
        measure_id="m", variant="", level_title="", _persons=True, value=1.0, value_hidden=False
    )
    wrong = 0
    for _ in range(150):
        k = chance.binomial(80, 0.3, 5).astype(float)
        rows = frame.assign(_k=[k.sum(), *k], _n=[400.0, *[80.0] * 5])
        wrong += bool((against_rest(rows, 0.95)["differs"] != 0).any())
    assert wrong / 150 < 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5


def test_a_small_count_and_a_small_remainder_are_withheld_with_what_would_give_them_away() -> None:
    result = shares({"students": (3, 40), "broad": (38, 40), "school": (20, 40), "graduates": (15, 40)}, Rule()).rows
    by = result.set_index("level")
    assert np.isnan(by.loc["students", "numerator"])  # three people did
    assert np.isnan(by.loc["broad", "numerator"])  # two people did not
    assert by["denominator"].notna().all()
    for column in ("value", "low", "high"):
        assert by.loc[["students", "broad"], column].isna().all()
        assert by.loc[["students", "broad"], f"{column}_hidden"].all()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 25), st.integers(0, 25)).map(lambda pair: (min(pair), max(pair))),
        min_size=2, max_size=5,
    )
)  # fmt: skip
def test_no_attacker_can_tell_a_small_count_from_what_is_shown(pairs: list[tuple[int, int]]) -> None:
    codes = ("students", "school", "graduates", "disability", "broad")
    numbers = {code: pair for code, pair in zip(codes, pairs, strict=False) if pair[1]}
    if not numbers:
        return
    result = shares(numbers, Rule()).rows
    rows = result[result["kind"].isin([ALL, GROUP])]
    # the attacker's table: numerator, remainder and denominator of each row, and the sums over groups
    truth = numbers | {"": tuple(map(sum, zip(*numbers.values(), strict=True)))}
    cells = pd.DataFrame(
        [
            {"level": one.level, "what": what, "count": value, "hidden": bool(hidden)}
            for one in rows.itertuples()
            for what, value, hidden in (
                ("part", truth[one.level][0], one.numerator_hidden),
                ("rest", truth[one.level][1] - truth[one.level][0], one.numerator_hidden or one.denominator_hidden),
                ("whole", truth[one.level][1], one.denominator_hidden),
            )
        ]
    )
    ties = [Tie(by=("what",), total=cells["level"] == ""), Tie(by=("level",), total=cells["what"] == "whole")]
    known = intervals(cells, "count", ties, cells["hidden"])
    small = (cells["count"] > 0) & (cells["count"] < 5)
    assert (known.loc[small, "high"] >= 5 - 1e-6).all()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)).map(lambda three: sorted(three)[::-1]),
        min_size=2, max_size=4,
    )
)  # fmt: skip
def test_no_attacker_gains_by_setting_the_measures_of_a_list_side_by_side(sizes: list[list[int]]) -> None:
    """The called are a numerator of one measure and the denominator of another: all must be withheld together."""
    numbers = dict(zip(("students", "school", "disability", "broad"), sizes, strict=False))
    rows = [
        {"contact_id": f"{group}{n}", "person_id": f"{group}{n}", "time": "2025-03-01", "client_group": group,
         "attempted": n < tried, "reached": n < reached, "channel": "phone"}
        for group, (listed, tried, reached) in numbers.items() for n in range(listed)
    ]  # fmt: skip
    if not rows:
        return
    shown = funnel.contacts(tables(contacts=table("contacts", rows)), "01", "2025-10", rule=Rule()).rows
    shown = shown.set_index(["measure_id", "variant", "level"])
    truth = {group: three for group, three in numbers.items() if three[0]}
    truth[""] = [sum(column) for column in zip(*numbers.values(), strict=True)]

    def known(level: str, *places: tuple[str, str, str]) -> bool:
        return any((m, v, level) in shown.index and pd.notna(shown.loc[(m, v, level), what]) for m, v, what in places)

    tried, talked = "call_attempted_share", "call_reached_share"
    cells = []
    for level, (listed, attempted, reached) in truth.items():
        seen = {
            "listed": known(level, (tried, "", "denominator"), (talked, "list", "denominator")),
            "attempted": known(level, (tried, "", "numerator"), (talked, "", "denominator")),
            "reached": known(level, (talked, "", "numerator"), (talked, "list", "numerator")),
        }
        counted = {"listed": listed, "attempted": attempted, "reached": reached, "untried": listed - attempted,
                   "missed": attempted - reached, "unreached": listed - reached}  # fmt: skip
        cells += [
            {"level": level, "what": what, "count": count, "hidden": not seen.get(what, False)}
            for what, count in counted.items()
        ]
    frame = pd.DataFrame(cells)
    ties = [Tie(by=("what",), total=frame["level"] == "")] + [
        Tie(by=("level",), total=frame["what"] == whole, parts=frame["what"].isin(parts))
        for whole, parts in (("listed", ("attempted", "untried")), ("attempted", ("reached", "missed")),
                             ("listed", ("reached", "unreached")))
    ]  # fmt: skip
    found = intervals(frame, "count", ties, frame["hidden"])
    small = (frame["count"] > 0) & (frame["count"] < 5)
    assert (found.loc[small, "high"] >= 5 - 1e-6).all()


def random_log(seed: int, people: int = 30) -> dict[str, pd.DataFrame]:
    chance = np.random.default_rng(seed)
    n = people * 6
    start = pd.Timestamp("2024-06-01", tz="UTC")

    def moments(size: int) -> list[str]:
        return [str(start + pd.Timedelta(hours=int(hour))) for hour in chance.integers(0, 520 * 24, size)]

    def pick(options: list[object], size: int) -> list[object]:
        return [options[place] for place in chance.integers(0, len(options), size)]

    groups = ["students", "school", "svo_participants", "svo_family", "disability", "broad", None]
    log = table(
        "actions",
        [
            {"action_id": f"a{k}", "person_id": f"p{person}", "time": when, "action": action, "tool_id": tool,
             "channel": channel, "client_group": group, "service_id": code, "event_id": event, "partner_id": partner,
             "requested": asked, "eligible": asked}
            for k, (person, when, action, tool, channel, group, code, event, partner, asked) in enumerate(
                zip(
                    chance.integers(0, people, n), moments(n),
                    pick(["contact", "registration", "application", "service", "service_request", "refusal"], n),
                    pick(["trial_service", "inbound_request", "application_support", "group_chat", None], n),
                    pick(["online", "office", "phone", None], n), pick(groups, n), pick(["S1", "S2", "S3"], n),
                    pick(["E1", None, None], n), pick(["P1", "P2", None], n), pick([True, True, False, pd.NA], n),
                    strict=True,
                )
            )
        ],
    )  # fmt: skip
    m = people * 2
    calls = table(
        "contacts",
        [
            {"contact_id": f"k{k}", "person_id": f"p{person}", "time": when, "reason": "job_loss", "source": source,
             "channel": "phone", "attempted": tried, "reached": tried and reached, "client_status": status,
             "client_group": group}
            for k, (person, when, source, tried, reached, status, group) in enumerate(
                zip(
                    chance.integers(0, people, m), moments(m), pick(["smev", "own_base", "partner"], m),
                    pick([True, False], m), pick([True, False], m), pick(["potential", "current", "former", None], m),
                    pick(groups, m), strict=True,
                )
            )
        ],
    )  # fmt: skip
    known = table(
        "outcomes",
        [
            {"person_id": f"p{person}", "date": when[:10], "kind": kind, "client_group": group,
             "new_client_group": group if kind == "group_transition" else None, "priority_employer": priority}
            for person, when, kind, group, priority in zip(
                chance.integers(0, people, m), moments(m),
                pick(["employment", "training", "work_event", "group_transition", "internship"], m),
                pick(groups, m), pick([True, False, pd.NA], m), strict=True,
            )
        ],
    )  # fmt: skip
    own = table(
        "partners", [{"partner_id": code, "client_group": "students", "kind": "employer"} for code in ("P1", "P2")]
    )
    return {"actions": log, "contacts": calls, "outcomes": known, "partners": own}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_numerators_are_parts_and_neither_the_order_of_rows_nor_the_names_of_persons_matter(seed: int) -> None:
    frames = random_log(seed)
    chance = np.random.default_rng(seed + 1)
    renamed = {f"p{n}": f"q{place}" for n, place in enumerate(chance.permutation(30))}
    mixed = {}
    for name, frame in frames.items():
        mixed[name] = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
        if "person_id" in frame:
            mixed[name]["person_id"] = mixed[name]["person_id"].map(renamed).astype("string")
    for task in TASKS:
        result = task(tables(**frames), "01", "2025-10")
        rows = result.rows[result.rows["unit"] == "%"]
        assert (rows["numerator"].fillna(0) <= rows["denominator"].fillna(0)).all(), task
        inside = rows["low"].isna() | ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"]))
        assert inside.all(), task
        assert (rows["value"].isna() == (rows["reason"] != "")).all(), task
        pd.testing.assert_frame_equal(task(tables(**mixed), "01", "2025-10").rows, result.rows)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_groups_add_up_to_everybody(seed: int) -> None:
    frames = tables(**random_log(seed))
    for task in TASKS:
        rows = task(frames, "01", "2025-10").rows
        for _, part in rows[rows["denominator"].notna()].groupby(["measure_id", "variant"]):
            total, groups = part[part["kind"] == ALL], part[part["kind"] == GROUP]
            if len(total) == 1 and len(groups):
                assert groups["denominator"].sum() == total["denominator"].iloc[0], task
                assert groups["numerator"].sum() == total["numerator"].iloc[0], task


def test_months_are_cut_by_moscow_time() -> None:
    log = actions(
        ("a", "2025-09-30 21:00", "contact", {"tool_id": "inbound_request"}),
        ("b", "2025-09-30 20:59", "contact", {"tool_id": "inbound_request"}),
        ("a", "2025-10-31 20:59", "application"),
        ("a", "2025-10-31 21:00", "service", {"requested": True, "eligible": True}),
    )
    result = funnel.clients(tables(actions=log), "01", "2025-10", months=1, window=1)
    assert counts(result, "inbound_conversion") == (0, 1)
    assert "requested" in row(result, "services_per_client", "all")["reason"]


def test_rows_without_a_region_belong_to_their_centre() -> None:
    log = actions(
        ("own", "2025-10-01", "contact"),
        ("by_centre", "2025-10-01", "contact", {"region_code": pd.NA, "center_id": "01001"}),
        ("other", "2025-10-01", "contact", {"region_code": "02"}),
        ("other_centre", "2025-10-01", "contact", {"region_code": pd.NA, "center_id": "02001"}),
        ("nowhere", "2025-10-01", "contact", {"region_code": pd.NA}),
    )  # fmt: skip
    centers = table("centers", [{"center_id": "01001"}, {"center_id": "02001", "region_code": "02"}])
    assert read(tables(actions=log, centers=centers), "01", "2025-10", months=1).persons == 2
    assert read(tables(actions=log), "01", "2025-10", months=1).persons == 1


def test_a_stored_log_gives_the_same_figures(tmp_path: Path) -> None:
    frames = random_log(7)
    path = tmp_path / "actions.parquet"
    frames["actions"].to_parquet(path)
    stored = StoredTable((path,), tuple(frames["actions"].columns), len(frames["actions"]))
    rest = {name: frame for name, frame in frames.items() if name != "actions"}
    data = Tables(frames=MappingProxyType(rest), stored=MappingProxyType({"actions": stored}))
    for task in TASKS:
        pd.testing.assert_frame_equal(task(data, "01", "2025-10").rows, task(tables(**frames), "01", "2025-10").rows)


def test_the_frame_carries_definition_period_and_confidence() -> None:
    result = funnel.returns(tables(**random_log(3)), "01", "2025-10", months=6, level=0.9)
    frame = result.to_frame()
    assert (frame["period"] == "2025-05..2025-10").all()
    assert (frame["confidence"] == 0.9).all()
    assert (frame["counted"].str.len() > 20).all()
    assert (frame["definition"].str.len() > 20).all()
    assert set(frame["topic"]) == {"returns"}


def test_every_row_of_the_checklist_asked_of_the_path_has_a_figure_or_a_reason() -> None:
    data = kcrr.tables.load(DEMO, region="01")
    found: set[int] = set()
    for task in TASKS:
        result = task(data, "01", "2025-10", rule=Rule())
        computed = result.rows["value"].notna() | result.rows["value_hidden"]
        assert (computed | (result.rows["reason"] != "")).all()
        found |= {number for one in result.definitions.values() for number in one.checklist}
    asked = {15, 24, 27, 30, 31, 32, 56, 57, 58, 59, 61, 62, 65, 68, 69, 70, 71, 72, 73, 74}
    asked |= {88, 90, 91, 134, 136, 137, 138, 139}
    assert asked <= found
    assert all(number in checklist().rows for number in found)


def test_the_paths_true_rates_are_found_in_the_demo() -> None:
    """Customers within 90 days of the first contact, by the declared rates of the first tools, pooled over regions."""
    truth = kcrr.demo.truth.Truth()
    weights = np.array([touch.share for touch in truth.first_touches], dtype=float)
    rate = float(weights @ [touch.customer_90 for touch in truth.first_touches] / weights.sum())
    log = kcrr.tables.load(DEMO, only=("actions",)).actions.assign(region_code="01")
    found = row(funnel.clients(tables(actions=log), "01", "2025-10", months=36), "path_completion", "whole")
    error = (rate * (1 - rate) / found["denominator"]) ** 0.5
    assert found["denominator"] > 10_000
    assert abs(found["value"] / 100 - rate) < 4 * error
