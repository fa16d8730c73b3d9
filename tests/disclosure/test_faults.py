"""What of a fault in the data may leave the analyst's screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcrr_analysis.disclosure import Rule, shown
from kcrr_analysis.errors import Fault
from kcrr_analysis.tables import TABLES

PUBLIC, INTERNAL = Rule(), Rule("internal")


def fault(table: str, column: str, value: str, other: str = "") -> Fault:
    return Fault(f"{table}.csv", 7, column, value, "проба", "Исправьте.", "warning", table, "01", other)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("flow", "applied", "3"),
        ("flow", "Обратились за содействием", "3"),
        ("flow", " Обратилось  за мерами поддержки ", "4711"),
        ("flow", "applied", "-3"),
        ("flow", "applied", "3,5"),
        ("flow", "applied", "4 чел."),
        ("flow", "applied", "½"),
        ("events", "Отзывы", "2"),
        ("outcomes", "person_id", "p-17 · 2025-10-03 · employment"),
        ("outcomes", "Код гражданина", "иванов"),
        ("actions", "person_id", "p-17"),
        ("survey_responses", "respondent_id", "r-5 · q1"),
        ("flow", "Подали заявлений в октябре", "3"),  # a header that a mapping file renamed
        ("outcomes", "ФИО", "иванов"),
        ("", "", "2025-10;month;center;01-1;all;3"),  # a line of a broken file
    ],
)
def test_counts_and_pseudonyms_are_withheld(table: str, column: str, value: str) -> None:
    given = fault(table, column, value, "2")
    assert shown(given, PUBLIC) == replace(given, value="скрыто", other="")
    assert shown(given, INTERNAL) is given


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("flow", "applied", "много"),
        ("flow", "month", "2025-13"),
        ("flow", "center_id", "01-9"),
        ("flow", "month", "2025-10 · month · center · 01-1 · all"),
        ("flow", "Подали заявлений в октябре", "нет данных"),
        ("events", "mean_rating", "4,0"),
        ("actions", "action_id", "a-1"),
        ("contacts", "time", "2025-10-03 10:00"),
        ("flow", "", ""),
        ("flow", "applied", ""),
    ],
)
def test_what_is_neither_stays(table: str, column: str, value: str) -> None:
    given = fault(table, column, value)
    assert shown(given, PUBLIC) == given


@pytest.mark.parametrize("name", TABLES)
def test_every_count_of_every_table_is_withheld_under_each_of_its_headers(name: str) -> None:
    for column in TABLES[name].columns.values():
        if column.kind == "count":
            assert {shown(fault(name, header, "3"), PUBLIC).value for header in column.headers} == {"скрыто"}


def test_a_second_value_never_goes_out() -> None:
    assert shown(fault("events", "mean_rating", "4,0", "4,50"), PUBLIC).other == ""
    assert shown(fault("events", "mean_rating", "4,0", "4,50"), INTERNAL).other == "4,50"


def test_the_place_stays() -> None:
    given = shown(fault("flow", "applied", "3"), PUBLIC)
    assert (given.file, given.row, given.column, given.region_code) == ("flow.csv", 7, "applied", "01")
