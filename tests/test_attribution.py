"""Attribution: who counts as converted and by what, against a plain second implementation and the demo's truth."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from kcrr_analysis import attribution, tables
from kcrr_analysis.attribution import attribute
from kcrr_analysis.attribution.credit import Model
from kcrr_analysis.demo.truth import FIRST_TOUCHES
from kcrr_analysis.errors import NotComputableError, ParameterError

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
START = pd.Timestamp("2025-01-01", tz="UTC")


def log(*rows: tuple[str, float, str, str]) -> pd.DataFrame:
    """(person, day, action, tool); action ids in the order given."""
    frame = pd.DataFrame(rows, columns=["person_id", "day", "action", "tool_id"])
    return frame.assign(
        action_id=[f"a{number:03d}" for number in range(len(frame))],
        time=START + pd.to_timedelta(frame["day"], unit="D"),
    )


TWO = log(
    ("p", 0, "contact", "call"),
    ("p", 60, "contact", "club"),
    ("p", 70, "service", ""),
    ("q", 0, "contact", "club"),
    ("q", 10, "contact", "call"),
    ("q", 101, "service", ""),
    ("r", 300, "contact", "call"),
)


def clients(frame: pd.DataFrame, model: str, **settings: object) -> dict[str, float]:
    rows = attribute(frame, "tool_id", model=model, **settings).rows  # type: ignore[arg-type]
    return dict(zip(rows["tool_id"], rows["clients"], strict=True))


def test_first_touch_is_credited_when_the_conversion_follows_in_the_window() -> None:
    assert clients(TWO, "first") == {"call": 1, "club": 0}  # q's service comes 101 days after the first touch


def test_last_touch_takes_the_nearest_one_in_the_window() -> None:
    assert clients(TWO, "last") == {"call": 0, "club": 1}  # q: 91 days after the last touch
    assert clients(TWO, "last", window_days=91) == {"call": 1, "club": 1}


def test_linear_shares_equally_among_the_touches_of_the_window() -> None:
    assert clients(TWO, "linear") == {"call": 0.5, "club": 0.5}
    assert clients(TWO, "linear", window_days=150) == {"call": 1, "club": 1}


def test_the_share_is_told_of_persons_whose_window_is_closed() -> None:
    rows = attribute(TWO, "tool_id").rows.set_index("tool_id")
    assert rows.loc["call", ["persons", "immature", "matured", "matured_clients"]].tolist() == [2, 1, 1, 1]
    assert rows.loc["call", "conversion"] == 100
    assert rows.loc["call", "low"] == pytest.approx(20.65, abs=0.01)  # Wilson, 1 of 1: 1 / (1 + 1.96 ** 2)
    assert rows.loc["call", "median_days"] == 70
    assert rows["small"].all()


def test_a_window_that_closes_at_the_moment_of_the_log_is_closed() -> None:
    one = log(("p", 0, "contact", "call"), ("q", 90, "contact", "call"))
    assert attribute(one, ()).total["matured"].tolist() == [1]
    assert attribute(one, (), as_of=START + pd.Timedelta(days=89.9)).total["matured"].tolist() == [0]


def test_what_comes_after_as_of_is_not_known() -> None:
    rows = attribute(TWO, "tool_id", as_of="2025-02-15").rows  # day 45
    assert rows["clients"].sum() == 0
    assert rows["persons"].sum() == 2


def test_a_touch_after_the_conversion_attracts_nobody() -> None:
    former = log(("p", 0, "service", ""), ("p", 5, "contact", "call"), ("p", 9, "service", ""))
    for model in attribution.credit.MODELS:
        row = attribute(former, (), model=model).total.iloc[0]  # type: ignore[arg-type]
        assert (row["persons"], row["already_clients"], row["clients"]) == (0, 1, 0)


def test_equal_timestamps_follow_the_action_id_and_not_the_order_of_rows() -> None:
    same = log(("p", 0, "contact", "call"), ("p", 0, "contact", "club"), ("p", 0, "service", ""))
    for frame in (same, same.iloc[::-1]):
        assert clients(frame, "first") == {"call": 1}
        assert clients(frame, "last") == {"call": 0, "club": 1}
    renamed = same.assign(action_id=["z", "b", "c"])
    assert clients(renamed, "first") == {"club": 1}


def test_touches_of_a_period_still_know_the_whole_log() -> None:
    later = attribute(TWO, "tool_id", since="2025-02-01", until="2025-12-31").rows
    assert later["tool_id"].tolist() == ["call"]  # r alone is touched first after January
    assert later["persons"].tolist() == [1]


def test_months_and_missing_levels_are_rows_too() -> None:
    frame = TWO.assign(tool_id=TWO["tool_id"].replace("club", None))
    rows = attribute(frame, ["month", "tool_id"]).rows
    assert set(rows["month"].astype(str)) == {"2025-01", "2025-10"}
    assert rows["tool_id"].isna().sum() == 1


def test_the_definition_goes_with_every_row() -> None:
    said = attribute(TWO, "tool_id", conversions=("application",)).to_frame()["definition"].iloc[0]
    assert "не позднее 90 дн." in said
    assert "(заявление)" in said
    assert "к первому касанию человека" in said
    assert "к 28.10.2025" in said
    assert attribute(TWO, (), model="linear").interval == "интервала нет: вклад касаний дробный"
    assert np.isnan(attribute(TWO, (), model="linear").total["low"].iloc[0])


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ({"model": "best"}, "Модель атрибуции «best»"),
        ({"window_days": 0}, "window_days"),
        ({"touches": ()}, "непустые списки"),
        ({"touches": ("service",)}, "не может"),
        ({"as_of": "вчера"}, "не дата"),
    ],
)
def test_impossible_settings_are_refused(settings_: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        attribute(TWO, "tool_id", **settings_)  # type: ignore[arg-type]


def test_unknown_columns_and_logs_without_touches_are_refused() -> None:
    with pytest.raises(ParameterError, match="нет столбцов: partner"):
        attribute(TWO, "partner")
    with pytest.raises(NotComputableError, match="нет касаний"):
        attribute(TWO, "tool_id", touches=("visit",))


def test_naive_times_are_taken_as_they_are() -> None:
    naive = TWO.assign(time=TWO["time"].dt.tz_localize(None))
    assert clients(naive, "first", since="2025-01-01", as_of=pd.Timestamp("2026-01-01", tz="UTC")) == {
        "call": 1,
        "club": 0,
    }


def reference(rows: list[tuple[str, float, str, str]], model: str, window: float) -> tuple[dict[str, float], int]:
    """Credits by tool and the number of converted persons, person by person."""
    credit: dict[str, float] = {}
    converted = 0
    for person in {row[0] for row in rows}:
        own = [(day, place, action, tool) for place, (who, day, action, tool) in enumerate(rows) if who == person]
        touched = sorted((day, place, tool) for day, place, action, tool in own if action == "contact")
        served = [day for day, _, action, _ in own if action == "service"]
        if not touched or not served:
            continue
        when = min(served)
        near = [touch for touch in touched if when - window <= touch[0] <= when]
        if model == "first":
            near = near if touched[0] in near else []
            chosen = near[:1]
        else:
            chosen = near[-1:] if model == "last" else near
        converted += bool(chosen)
        for _, _, tool in chosen:
            credit[tool] = credit.get(tool, 0) + 1 / len(chosen)
    return credit, converted


ROWS = st.lists(
    st.tuples(
        st.sampled_from("pqrst"),
        st.integers(0, 40).map(float),
        st.sampled_from(["contact", "contact", "service", "registration"]),
        st.sampled_from(["call", "club", "smm"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(ROWS, st.sampled_from(["first", "last", "linear"]), st.sampled_from([5, 12, 60]))
def test_credits_equal_a_plain_second_implementation_and_add_up(
    rows: list[tuple[str, float, str, str]], model: str, window: float
) -> None:
    rows = [*rows, ("z", 0.0, "contact", "smm")]
    found = attribute(log(*rows), "tool_id", model=model, window_days=window)  # type: ignore[arg-type]
    credit, converted = reference(rows, model, window)
    told = dict(zip(found.rows["tool_id"], found.rows["clients"], strict=True))
    assert {tool: told.get(tool, 0) for tool in credit} == pytest.approx(credit)
    assert found.rows["clients"].sum() == pytest.approx(converted)
    assert found.total["clients"].iloc[0] == pytest.approx(converted)
    assert (found.rows["matured"] + found.rows["immature"] == found.rows["persons"]).all()
    if model == "first":
        assert found.rows["persons"].sum() == found.total["persons"].iloc[0]


@settings(max_examples=20, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.sampled_from(attribution.credit.MODELS))
def test_the_order_of_rows_does_not_matter(
    rows: list[tuple[str, float, str, str]], chance: random.Random, model: Model
) -> None:
    frame = log(*rows, ("z", 0.0, "contact", "smm"))
    order = list(range(len(frame)))
    chance.shuffle(order)
    one, other = (attribute(taken, "tool_id", model=model) for taken in (frame, frame.iloc[order]))
    pd.testing.assert_frame_equal(one.rows, other.rows)


@pytest.fixture(scope="module")
def demo() -> tables.Tables:
    return tables.load(DEMO, only=("actions",))


@pytest.mark.parametrize(("action", "rate"), [("service", "customer_90"), ("application", "application_90")])
def test_the_demos_true_conversion_by_first_touch_is_found(demo: tables.Tables, action: str, rate: str) -> None:
    """Chi-square of all tools against the declared rates: a true table exceeds the bound once in 10,000."""
    rows = attribute(demo.actions, "tool_id", conversions=(action,)).rows.set_index("tool_id")
    true = pd.Series({touch.tool_id: getattr(touch, rate) for touch in FIRST_TOUCHES})
    rows = rows.loc[true.index].set_axis(true.index)
    n, k = rows["matured"], rows["matured_clients"]
    assert n.min() > 300
    z2 = (k - n * true) ** 2 / (n * true * (1 - true))
    assert z2.sum() < chi2.ppf(0.9999, len(true))
    inside = (rows["low"] <= 100 * true) & (100 * true <= rows["high"])
    assert inside.sum() >= len(true) - 4  # 4 misses of 15 at 5 % each: probability of more about 0.0006


def posts(**fte: list[float]) -> pd.DataFrame:
    months = pd.period_range("2025-01", periods=3, freq="M")
    frames = [pd.DataFrame({"month": months, "center_id": name, "staff_fte": values}) for name, values in fte.items()]
    return pd.concat(frames, ignore_index=True)


def office(**clients_: int) -> pd.DataFrame:
    rows: list[tuple[str, float, str, str]] = []
    place: list[str] = []
    for name, count in clients_.items():
        for number in range(count):
            rows += [(f"{name}{number}", 5.0, "contact", "x"), (f"{name}{number}", 8.0, "service", "")]
            place += [name, name]
    rows += [("end", 200.0, "registration", "")]
    return log(*rows).assign(center_id=[*place, "a"], channel="office")


def test_clients_of_the_front_office_per_post() -> None:
    found = attribution.per_employee(office(a=12, b=2), posts(a=[4, 5, 6], b=[5, 5, 5]), months=3, month="2025-03")
    rows = found.rows.set_index("center_id")
    assert rows["per_employee"].to_dict() == pytest.approx({"a": 12 / 5, "b": 2 / 5})
    assert rows.loc["a", "low"] == pytest.approx(6.2006 / 5, abs=1e-3)  # Garwood's limits of 12: 6.2006, 20.9616
    assert rows.loc["a", "high"] == pytest.approx(20.9616 / 5, abs=1e-3)
    assert found.total["per_employee"].iloc[0] == pytest.approx(14 / 10)
    # two-sided binomial test of 12 of 14 at one half: 2 * (91 + 14 + 1) / 2 ** 14, twice by Holm
    assert rows["p_adjusted"].tolist() == pytest.approx([4 * 106 / 2**14] * 2)
    assert rows["differs"].to_dict() == {"a": 1, "b": -1}
    assert "поощрения" in found.caveat
    assert (found.first, found.last) == (pd.Period("2025-01"), pd.Period("2025-03"))


def test_the_period_ends_with_the_last_month_whose_windows_are_closed() -> None:
    actions = office(a=3)
    found = attribution.per_employee(actions, posts(a=[1, 1, 1]), months=3)
    assert found.last == pd.Period("2025-03")  # day 200 is 20 July; 90 days before is 21 April
    assert "по 03.2025" in found.to_frame()["definition"].iloc[0]


def test_other_channels_are_no_front_office() -> None:
    actions = office(a=3).assign(channel="social")
    with pytest.raises(NotComputableError, match="channel"):
        attribution.per_employee(actions, posts(a=[1, 1, 1]), months=3)


def test_a_centre_without_posts_has_no_rate() -> None:
    found = attribution.per_employee(office(a=3, b=4), posts(a=[1, 1, 1]), months=3)
    rows = found.rows.set_index("center_id")
    assert np.isnan(rows.loc["b", "per_employee"])
    assert found.total["clients"].iloc[0] == 3


@pytest.mark.parametrize("settings_", [{"months": 0}, {"channels": ()}])
def test_impossible_periods_and_channels_are_refused(settings_: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        attribution.per_employee(office(a=1), posts(a=[1, 1, 1]), **settings_)  # type: ignore[arg-type]


def test_an_empty_log_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="ни одной записи"):
        attribution.per_employee(office(a=1).iloc[:0], posts(a=[1, 1, 1]))
