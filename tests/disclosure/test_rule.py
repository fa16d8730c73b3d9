from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule, hide
from kcrr_analysis.errors import ParameterError


@pytest.mark.parametrize("threshold", [1, 0, -3, True, 5.0, "5", None])
def test_a_threshold_is_a_whole_number_of_two_or_more(threshold):
    with pytest.raises(ParameterError, match="threshold"):
        Rule(threshold=threshold)


def test_an_unknown_mode_is_refused_in_russian():
    with pytest.raises(ParameterError, match="не допускается"):
        Rule(mode="open")  # type: ignore[arg-type]


def test_small_is_above_zero_and_under_the_threshold():
    counts = pd.Series([0, 1, 4, 5, None, -2], dtype="Int64")
    assert Rule().small(counts).tolist() == [False, True, True, False, False, False]
    assert Rule(threshold=2).small(counts).tolist() == [False, True, False, False, False, False]


def test_hide_blanks_the_count_and_what_is_derived_from_it():
    frame = pd.DataFrame({"n": pd.array([3, 40], dtype="Int64"), "share": [0.3, 0.4], "low": [0.1, 0.3]}, index=[7, 9])
    public = hide(frame, [True, False], ["n", "share", "low"], Rule())
    assert public.loc[7, ["n", "share", "low"]].isna().all()
    assert public.loc[9, ["n", "share", "low"]].tolist() == [40, 0.4, 0.3]
    assert public["share_hidden"].tolist() == [True, False]
    assert public["n"].dtype == "Int64"
    assert frame["n"].notna().all()


def test_hide_in_internal_mode_marks_and_keeps_values():
    frame = pd.DataFrame({"n": [3, 40], "share": [0.3, 0.4]})
    internal = hide(frame, pd.Series([True, False]), ["n", "share"], Rule("internal"))
    assert internal["share"].tolist() == [0.3, 0.4]
    assert internal["share_hidden"].tolist() == [True, False]


def test_marks_of_two_counts_add_up():
    frame = pd.DataFrame({"share": [0.1, 0.2, 0.3]})
    twice = hide(hide(frame, [True, False, False], ["share"], Rule()), [False, True, False], ["share"], Rule())
    assert twice["share_hidden"].tolist() == [True, True, False]


def test_hide_refuses_flags_of_another_length():
    with pytest.raises(ValueError, match="Length"):
        hide(pd.DataFrame({"n": [1, 2]}), [True], ["n"], Rule())
