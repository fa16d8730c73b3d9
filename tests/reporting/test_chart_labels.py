from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcrr_analysis.reporting import Panel, chart_labels
from kcrr_analysis.reporting.formats import NBSP


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(5, 40)), max_size=8),
    st.floats(50, 400),
)
def test_labels_never_touch_and_stay_inside(labels: list[tuple[float, float]], room: float) -> None:
    wanted, heights = [at for at, _ in labels], [height for _, height in labels]
    placed = chart_labels.spread(wanted, heights, room)
    order = sorted(range(len(placed)), key=placed.__getitem__)
    for lower, upper in pairwise(order):
        assert placed[lower] + heights[lower] / 2 <= placed[upper] - heights[upper] / 2 + 1e-6
    if sum(heights) <= room:
        for at, height in zip(placed, heights, strict=True):
            assert height / 2 - 1e-6 <= at <= room - height / 2 + 1e-6


def test_labels_that_do_not_touch_stay_where_they_wished() -> None:
    assert chart_labels.spread([80.0, 20.0], [10, 10], 100) == [80.0, 20.0]


def test_months_under_the_axis_end_with_the_last() -> None:
    ticks = chart_labels.month_ticks(100, 135, 7)
    assert ticks[-1] == 135
    assert len(ticks) == 6
    assert chart_labels.month_ticks(5, 5, 7) == [5]


@pytest.mark.parametrize(
    ("low", "high", "kind", "words"),
    [
        (0, 2100, "int", ["0", "500", "1_000", "1_500", "2_000"]),
        (0, 3, "int", ["0", "1", "2", "3"]),
        (-10, 10, "change", ["−10", "−5", "0", "+5", "+10"]),
        (0, 1, "percent", ["0,0", "0,2", "0,4", "0,6", "0,8", "1,0"]),
    ],
)
def test_ticks_are_round_and_russian(low: float, high: float, kind: str, words: list[str]) -> None:
    _, shown = chart_labels.number_ticks(low, high, Panel("line", (), kind=kind), 5)  # type: ignore[arg-type]
    assert [word.replace(NBSP, "_") for word in shown] == words


def test_millions_are_written_as_such() -> None:
    money = Panel("line", (), kind="money")
    assert chart_labels.scale(money, [2e6, 5.0]) == (1e6, "млн")
    assert chart_labels.scale(money, [-3e9]) == (1e9, "млрд")
    assert chart_labels.scale(money, [999_999.0]) == (1.0, "")
    assert chart_labels.scale(Panel("line", (), kind="percent"), [2e6]) == (1.0, "")
    assert chart_labels.decimals(money, [2e6], 1e6) == 2
    assert chart_labels.decimals(money, [200e6], 1e6) == 1


def test_small_values_keep_their_digits() -> None:
    assert chart_labels.decimals(Panel("line", (), kind="number"), [0.0031], 1.0) == 4
    assert chart_labels.decimals(Panel("line", (), kind="number"), [3.0, 4.0], 1.0) == 0


def test_names_are_wrapped_and_made_legible() -> None:
    assert chart_labels.wrapped("Студенты профессиональных организаций", 20, 3) == (
        "Студенты\nпрофессиональных\nорганизаций"
    )
    assert chart_labels.wrapped("а б в г д", 3, 2) == "а б\nв…"
    assert chart_labels.wrapped(f"10{NBSP}000 человек", 8, 2) == f"10{NBSP}000\nчеловек"
    assert chart_labels.legible("\x07а\U0001f9ff") == "а\N{REPLACEMENT CHARACTER}"
