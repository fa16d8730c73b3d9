from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting import (
    Chart,
    Column,
    Hidden,
    Interval,
    KeyFigure,
    Kind,
    Marked,
    Missing,
    Panel,
    Paragraph,
    Report,
    Section,
    Series,
    Table,
    json_form,
)
from tests.reporting import sample

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# Numbers that ten significant digits hold, as every figure of a report is after it was written once.
NUMBER = st.integers(-(2**53), 2**53) | st.floats(-1e12, 1e12).map(lambda value: float(f"{value:.9e}"))
KIND = st.sampled_from(get_args(Kind))
CELL = st.one_of(
    st.none(),
    TEXT,
    NUMBER,
    st.builds(Hidden),
    st.builds(Missing, TEXT),
    st.builds(Marked, NUMBER),
    st.builds(Interval, NUMBER, NUMBER),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.lists(st.builds(Column, TEXT, KIND, st.none() | st.integers(0, 4)), max_size=3))
    rows = draw(st.lists(st.tuples(*[CELL] * len(columns)), max_size=3))
    return Table(
        draw(TEXT),
        tuple(columns),
        tuple(rows),
        tuple(draw(st.lists(TEXT, max_size=2))),
        tuple(draw(st.lists(st.integers(0, 5), max_size=2))),
    )


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    def values(size: int) -> tuple[Any, ...]:
        return tuple(draw(st.lists(st.none() | NUMBER, min_size=size, max_size=size)))

    panels = []
    for _ in range(draw(st.integers(1, 2))):
        x = tuple(draw(st.lists(TEXT, max_size=3)))
        bounds = draw(st.booleans())
        series = Series(
            draw(TEXT),
            x,
            values(len(x)),
            values(len(x)) if bounds else (),
            values(len(x)) if bounds else (),
            draw(st.sampled_from(["main", "context"])),
        )
        shape = draw(st.sampled_from(["line", "bar", "interval"]))
        reference = draw(st.none() | st.tuples(NUMBER, TEXT))
        panels.append(Panel(shape, (series,), draw(TEXT), draw(TEXT), draw(KIND), reference))
    return Chart(draw(TEXT), tuple(panels), "описание " + draw(TEXT), tuple(draw(st.lists(TEXT, max_size=2))))


PARAGRAPHS = st.builds(Paragraph, TEXT, st.sampled_from(["plain", "conclusion", "definition", "note", "warning"]))
FIGURES = st.builds(KeyFigure, TEXT, TEXT, CELL, KIND, TEXT, TEXT, CELL)
SECTIONS = st.builds(
    Section,
    TEXT,
    st.lists(st.one_of(PARAGRAPHS, tables(), charts()), max_size=3).map(tuple),
    st.lists(FIGURES, max_size=2).map(tuple),
)
REPORTS = st.builds(
    Report,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.lists(SECTIONS, max_size=2).map(tuple),
    st.sampled_from(["public", "internal"]),
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    st.integers(2, 20),
)


@given(REPORTS)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(report: Report) -> None:
    text = json_form.dumps(report)
    assert json_form.loads(text) == report
    assert json_form.dumps(json_form.loads(text)) == text


def test_report_methods_are_the_same_form() -> None:
    report = sample.report()
    assert Report.from_dict(report.to_dict()).to_dict() == report.to_dict()
    assert report.to_dict()["schema"] == "kcrr.report/1"


def test_bytes_are_canonical() -> None:
    text = json_form.dumps(sample.report())
    again = json.loads(text)
    assert text == json.dumps(again, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    assert "Обращения и охват" in text


def _with(value: Any) -> Report:
    table = Table("т", (Column("ч", "number"),), ((value,),))
    return replace(sample.report(), sections=(Section("р", (table,)),))


def test_last_bits_do_not_change_the_bytes() -> None:
    total = sum([0.1] * 10)
    assert total != 1.0
    assert json_form.dumps(_with(total)) == json_form.dumps(_with(1.0)) == json_form.dumps(_with(1))


def test_numbers_of_numpy_are_numbers() -> None:
    assert json_form.dumps(_with(np.int64(3))) == json_form.dumps(_with(3))
    assert json_form.dumps(_with(np.float64(2.5))) == json_form.dumps(_with(2.5))


def test_a_road_through_javascript_changes_nothing() -> None:
    """JupyterLab writes 5.0 as 5 and 1e-07 as 1e-7 when it saves a notebook."""
    report = _with(5.0)
    text = json_form.dumps(report)
    assert json_form.dumps(json_form.loads(text.replace("5.0", "5"))) == text
    small = json_form.dumps(_with(1e-7))
    assert json_form.dumps(json_form.loads(small.replace("1e-07", "1e-7"))) == small


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53 + 1])
def test_numbers_that_json_cannot_hold_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"None or Missing|too large"):
        json_form.dumps(_with(value))


@pytest.mark.parametrize("value", [True, object(), b"x"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_form.dumps(_with(value))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "не читается как JSON"),
        ("[]", "ожидается отчёт вида «kcrr.report/1»"),
        ('{"schema": "kcrr.report/2"}', "а записано «kcrr.report/2»"),
        ('{"schema": "kcrr.report/1"}', "отчёт повреждён"),
        ('{"schema": NaN}', "не читается как JSON"),
    ],
)
def test_foreign_json_is_explained_in_russian(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=r"x\.json") as caught:
        json_form.loads(text, "x.json")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.update(extra=1),
        lambda content: content.pop("period"),
        lambda content: content.update(disclosure="secret"),
        lambda content: content.update(sections="текст"),
        lambda content: content["sections"].append({"title": "т"}),
        lambda content: content["sections"][0]["blocks"].append({"block": "video"}),
        lambda content: content["sections"][0]["key_figures"][0].update(value={"hidden": False}),
        lambda content: content["sections"][0]["key_figures"][0].update(value=[1]),
        lambda content: content["sections"][0]["blocks"][2]["rows"][0].pop(),
        lambda content: content["parameters"].append(["одно"]),
    ],
)
def test_damaged_reports_are_refused(spoil: Any) -> None:
    content = sample.report().to_dict()
    spoil(content)
    with pytest.raises(ParameterError, match="отчёт повреждён"):
        json_form.from_dict(content)


def test_hidden_cells_leave_no_number() -> None:
    assert json_form.to_dict(_with(Hidden()))["sections"][0]["blocks"][0]["rows"] == [[{"hidden": True}]]
