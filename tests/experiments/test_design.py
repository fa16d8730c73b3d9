"""A design: what goes together, and what it refuses."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import Design
from tests.experiments.made_pilots import CENTRES, by_centre


def test_a_list_of_arms_means_equal_shares_and_the_first_is_the_control() -> None:
    design = Design(arms=("old", "a", "b", "c"))
    assert dict(design.shares) == dict.fromkeys(("old", "a", "b", "c"), 0.25)
    assert (design.control, design.names) == ("old", ("old", "a", "b", "c"))
    assert design == Design(arms={"old": 0.25, "a": 0.25, "b": 0.25, "c": 0.25})


def test_what_is_assigned_is_the_cluster_where_there_is_one() -> None:
    assert Design().assigned == "person_id"
    assert by_centre().assigned == "center_id"
    assert by_centre().randomised
    assert not by_centre(method="not_randomised").randomised
    assert by_centre(method="crossover").in_time
    assert Design(strata="region").strata == ("region",)
    assert Design(strata=None).strata == ()  # type: ignore[arg-type]
    assert Design(balance=pd.Index(["a", "b"])).balance == ("a", "b")  # type: ignore[arg-type]


def test_power_takes_the_arms_from_the_design() -> None:
    settings: dict[str, Any] = {"sd": 1, "effect": 0.5, "clusters": 12, "size": 30, "icc": 0.02}
    halves = by_centre(arms={"control": 0.5, "a": 0.25, "b": 0.25}).power("mean", **settings)
    assert halves.clusters == (12, 6, 6)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"arms": "ab"}, "хотя бы две группы"),
        ({"arms": None}, "хотя бы две группы"),
        ({"arms": ["a"]}, "хотя бы две группы"),
        ({"arms": ["a", "a"]}, "повторяются: a, a"),
        ({"arms": [1, "1"]}, "повторяются: 1, 1"),
        ({"arms": ["", "b"]}, "пусты"),
        ({"arms": {"a": 0.4, "b": 0.5}}, r"a: 0.4, b: 0.5\) должны быть больше 0 и в сумме давать 1"),
        ({"arms": {"a": 1.0, "b": 0.0}}, "больше 0"),
        ({"arms": {"a": float("nan"), "b": 0.5}}, "a: nan"),
        ({"arms": {"a": "половина", "b": 0.5}}, "группы a: «половина» — не число"),
        ({"method": "stratifed"}, "имелось в виду stratified"),
        ({"method": ["complete"]}, "неизвестен"),
        ({"method": "stratified"}, "strata: по каким столбцам"),
        ({"method": "matched_pairs"}, r"pairs \(столбец пар\) или balance"),
        ({"method": "rerandomised"}, "balance: по каким столбцам"),
        ({"method": "rerandomised", "balance": "x", "accept": 0}, "accept: «0»"),
        ({"method": "rerandomised", "balance": "x", "accept": "0.1"}, "accept: «0.1»"),
        ({"method": "stepped_wedge", "cluster": "c"}, "waves: число волн"),
        ({"method": "stepped_wedge", "cluster": "c", "waves": 1}, "waves: «1»"),
        ({"method": "stepped_wedge", "waves": 3}, "Укажите cluster"),
        ({"method": "crossover", "cluster": "c", "arms": list("abc")}, "ровно две группы"),
        ({"method": "crossover", "cluster": "c", "arms": {"a": 0.3, "b": 0.7}}, "доли групп ничего не задают"),
        ({"method": "matched_pairs", "balance": "x", "arms": list("abc")}, "столбец pairs"),
        ({"method": "matched_pairs", "pairs": "p", "arms": {"a": 0.3, "b": 0.7}}, "равные доли"),
        ({"method": "switchback", "cluster": "c", "block": 2, "washout": 2}, "не остаётся ни одного периода"),
        ({"seed": -1}, "seed: «-1»"),
        ({"seed": 1.5}, "seed: «1.5»"),
        ({"block": True}, "block: «True»"),
        ({"waves": 3}, "не использует waves"),
        ({"block": 2}, "не использует block"),
        ({"pairs": "p"}, "не использует pairs"),
        ({"cluster": "c", "method": "stepped_wedge", "waves": 3, "block": 2, "washout": 1}, "не использует washout"),
        ({"strata": 5}, "столбца «5»"),
        ({"unit": " "}, "столбца « »"),
        ({"cluster": "arm"}, "столбец «arm» заполняет жребий"),
        ({"cluster": "c", "method": "stepped_wedge", "waves": 3, "strata": "wave"}, "столбец «wave» заполняет жребий"),
        ({"cluster": "c", "method": "switchback", "strata": "block"}, "столбец «block» заполняет жребий"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Design(**settings)


def test_a_column_may_be_called_wave_where_the_draw_does_not_fill_it() -> None:
    assert by_centre(method="stratified", strata="wave").assign(CENTRES).counts == {"control": 6, "treatment": 6}
