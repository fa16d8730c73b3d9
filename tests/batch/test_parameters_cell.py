from __future__ import annotations

from pathlib import Path

import pytest

from kcrr_analysis.batch import parameters_cell
from kcrr_analysis.batch.parameters_cell import Annotation, Parameter
from kcrr_analysis.errors import ParameterError

CELL = '''\
"""Параметры."""
region: str = "77"  # код региона
month: str | None = None  # месяц
threshold: int = 5
share: float = 0.5
wide: bool = False
groups: list[str] = ["youth"]  # группы # и ещё
mode: Literal["a", "b"] = "a"
old = 3
level: "Optional[int]" = None
'''


def test_names_types_defaults_and_comments_are_read() -> None:
    cell = parameters_cell.parse(CELL, "n")
    assert cell.names == ("region", "month", "threshold", "share", "wide", "groups", "mode", "old", "level")
    assert cell.parameters[0] == Parameter("region", Annotation("str"), "77", "код региона")
    assert cell.parameters[1].annotation == Annotation("str", optional=True)
    assert cell.parameters[5] == Parameter("groups", Annotation("str", is_list=True), ["youth"], "группы # и ещё")
    assert cell.parameters[6].annotation == Annotation("str", choices=("a", "b"))
    assert cell.parameters[7].annotation == Annotation("int")
    assert cell.parameters[8].annotation == Annotation("int", optional=True)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("region", "016", "016"), ("region", "no", "no"), ("region", "1e3", "1e3"), ("region", "", ""),
        ("month", "null", None), ("month", "", None), ("month", None, None), ("month", "2025-10", "2025-10"),
        ("threshold", "10", 10), ("threshold", "-3", -3), ("share", "0.25", 0.25), ("share", "1e-3", 0.001), ("share", "2", 2.0),  # noqa: E501
        ("wide", "true", True), ("wide", "Нет", False),
        ("groups", ["016", "no"], ["016", "no"]), ("groups", [], []), ("mode", "b", "b"), ("level", "null", None), ("level", "4", 4),  # noqa: E501
    ],
)  # fmt: skip
def test_values_are_converted_by_annotation(name: str, written: object, value: object) -> None:
    converted = parameters_cell.parse(CELL, "n").convert({name: written})[name]
    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("region", ["77"]), ("region", None), ("threshold", "016"), ("threshold", "5.0"), ("threshold", "пять"), ("threshold", "1_0"),  # noqa: E501
        ("threshold", "null"), ("share", "0,5"), ("share", "nan"), ("share", "inf"), ("wide", "no"), ("wide", "yes"), ("wide", "on"),  # noqa: E501
        ("wide", "1"), ("groups", "youth"), ("groups", [["a"]]), ("mode", "c"), ("level", "x"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_what_is_expected(name: str, written: object) -> None:
    with pytest.raises(ParameterError, match=f"параметр «{name}»: ожидается .* Записано"):
        parameters_cell.parse(CELL, "n").convert({name: written})


def test_unknown_names_list_what_the_notebook_takes_and_the_nearest() -> None:
    with pytest.raises(ParameterError) as caught:
        parameters_cell.parse(CELL, "глава").convert({"treshold": "5", "region": None})
    text = str(caught.value)
    assert "Возможно, имелось в виду «threshold»" in text
    assert "region, month, threshold" in text
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "x = open('f')",
        "a, b = 1, 2",
        "x: Path = 'a'",
        "x = {'a': 1}",
        "x: list[list[int]] = []",
        "def f(): pass",
        "x =",
    ],
)
def test_anything_but_annotated_literals_is_refused(source: str) -> None:
    with pytest.raises(ParameterError, match="ячейка параметров, строка 1"):
        parameters_cell.parse(source, "n")


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"не читается как блокнот|ячеек с меткой"):
        parameters_cell.read(path)
    with pytest.raises(ParameterError, match="не найден"):
        parameters_cell.read(tmp_path / "y.ipynb")


@pytest.mark.parametrize(
    "content",
    ["", "нет", "[]", "null", "{}", '{"cells": 1}', '{"nbformat": 99, "cells": []}', '{"nbformat": 4, "cells": [1]}',
     '{"nbformat": 4, "nbformat_minor": 5, "cells": [{"cell_type": "code"}]}', "[" * 100_000],
    ids=range(10),
)  # fmt: skip
def test_a_file_that_is_no_notebook_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "n.ipynb"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError, match=r"n\.ipynb не читается как блокнот"):
        parameters_cell.read(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match=r"n\.ipynb не читается как блокнот"):
        parameters_cell.read(file)


def test_a_defect_is_not_taken_for_a_bad_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr("nbformat.reads", broken)
    (tmp_path / "n.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        parameters_cell.read(tmp_path / "n.ipynb")
