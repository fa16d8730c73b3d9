"""The checklist is whole, every reference in it is true, and no row claims more than there is."""

from __future__ import annotations

import importlib
from typing import get_type_hints

import pytest

from kcrr_analysis import methodology
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.methodology.checklist import (
    Checklist,
    ChecklistFile,
    Reference,
    Row,
    checklist,
    unknown_references,
)
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.yaml_files import validate

ROWS = checklist().rows

LAST_ROW = {
    "A": 11, "B": 22, "C": 32, "D": 43, "E": 55, "F": 65, "G": 71, "H": 74, "I": 77, "J": 93, "K": 105, "L": 109,
    "M": 118, "N": 133, "O": 140,
}  # fmt: skip
"""Where each part of the recommendations' checklist ends."""


def test_140_rows_in_the_parts_of_the_source() -> None:
    assert list(ROWS) == list(range(1, 141))
    assert list(checklist().parts) == list(LAST_ROW)
    first = 1
    for part, last in LAST_ROW.items():
        assert {ROWS[number].part for number in range(first, last + 1)} == {part}
        first = last + 1


def test_titles_are_given_and_differ() -> None:
    assert len({row.title for row in ROWS.values()}) == 140


def test_dictionary_references_and_rooms_exist() -> None:
    assert list(unknown_references()) == []


def test_columns_exist_in_the_contracts() -> None:
    for row in ROWS.values():
        for target in row.targets("table"):
            table, _, column = target.partition(".")
            assert column in TABLES[table].columns, (row.number, target)


RESULTS = sorted({target for row in ROWS.values() for target in row.targets("result")})


@pytest.mark.parametrize("target", RESULTS)
def test_results_exist_and_give_a_frame(target: str) -> None:
    room, _, name = target.rpartition(".")
    found = getattr(importlib.import_module(f"kcrr_analysis.{room}"), name)
    assert callable(get_type_hints(found)["return"].to_frame)


def test_a_row_that_needs_a_figure_has_a_result_or_says_where_it_will_come() -> None:
    for row in ROWS.values():
        if row.asks == "figure":
            assert row.targets("result") or row.targets("planned"), row.number
            assert row.status in {"computed", "partly", "planned"}, row.number
        else:
            assert not row.targets("planned"), row.number


def test_tools_measures_departments_and_groups_all_serve_a_row() -> None:
    named = {target for row in ROWS.values() for target in row.targets("methodology")}
    wide = {"all", "youth", "svo", "teen_14_17"}
    assert {f"tools/{name}" for name in methodology.tools()} <= named
    assert {f"measures/{name}" for name in methodology.measures()} <= named
    assert {f"departments/{name}" for name in methodology.departments()} <= named
    assert {f"indicators/{name}" for name in methodology.indicators()} <= named
    assert {f"groups/{name}" for name in methodology.groups() if name not in wide} <= named


def test_a_measure_belongs_to_the_part_of_one_of_its_rows() -> None:
    parts: dict[str, set[str]] = {}
    for row in ROWS.values():
        for target in row.targets("methodology"):
            parts.setdefault(target, set()).add(row.part)
    for name, measure in methodology.measures().items():
        assert measure.part in parts[f"measures/{name}"], name


@pytest.mark.parametrize(
    ("lives_in", "status"),
    [
        (("result:a.b", "table:a.b"), "computed"),
        (("result:a.b", "planned:ipk"), "partly"),
        (("table:a.b", "planned:ipk"), "partly"),
        (("planned:ipk",), "planned"),
    ],
)
def test_status_of_a_row_that_needs_a_figure(lives_in: tuple[str, ...], status: str) -> None:
    row = Row(1, "A", "Строка", "figure", tuple(Reference.parse(text) for text in lives_in), "")
    assert row.status == status


@pytest.mark.parametrize(
    "reference",
    [
        "methodology:tools/none", "methodology:index/none", "methodology:nothing/x", "methodology:tools/*.colour",
        "planned:cellar",
    ],
)  # fmt: skip
def test_a_reference_to_nothing_is_found(reference: str) -> None:
    row = Row(7, "A", "Строка", "figure", (Reference.parse(reference),), "")
    assert list(unknown_references(Checklist({"A": "Часть"}, {7: row}))) == [f"7: {reference}"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"asks": "figure", "lives_in": ["table:flow.applied"]}, "строке нужно число"),
        ({"asks": "field", "lives_in": ["methodology:tools/smm"]}, "строке нужно поле"),
        ({"asks": "dictionary", "lives_in": ["table:flow.applied"]}, "строке нужна статья словаря"),
        ({"asks": "figure", "lives_in": ["somewhere"]}, "ожидается methodology:словарь/код"),
        ({"asks": "figure", "lives_in": ["table:flow"]}, "ожидается methodology:словарь/код"),
    ],
)
def test_a_row_that_overclaims_is_refused(entry: dict[str, object], said: str) -> None:
    content = {"parts": {"A": "Часть"}, "rows": {"1": {"part": "A", "title": "Строка", **entry}}}
    with pytest.raises(ParameterError, match=said):
        validate(ChecklistFile, content, "checklist.yaml")
