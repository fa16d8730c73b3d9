from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting import display, extract, json_form
from tests.reporting import sample


def _code(*outputs: dict[str, Any], count: int | None = 1) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {},
        "outputs": list(outputs),
        "source": [],
    }


def _shown(report: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": display.mimebundle(report)}


def _notebook(path: Path, *cells: dict[str, Any]) -> Path:
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_last_report_is_taken(tmp_path: Path) -> None:
    first, last = sample.report(), replace(sample.report(), title="Последний")
    path = _notebook(
        tmp_path / "а.ipynb",
        {"cell_type": "markdown", "metadata": {}, "source": "# Заголовок"},
        _code(_shown(first), {"output_type": "stream", "name": "stdout", "text": "…"}),
        _code(_shown(last) | {"output_type": "execute_result", "execution_count": 3}),
        _code(),
    )
    assert extract(path).title == "Последний"
    assert json_form.dumps(extract(path)) == json_form.dumps(last)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = _notebook(tmp_path / "а.ipynb", _code(_shown(sample.report())))
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert extract(str(path)).name == "02_indicators"


def _error() -> dict[str, Any]:
    return {"output_type": "error", "ename": "KeyError", "evalue": "'flow'", "traceback": []}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([_code(count=None)], "блокнот не выполнен"),
        ([_code()], "нет опубликованного отчёта"),
        ([_code({"output_type": "display_data", "data": {"text/html": "x"}})], "нет опубликованного отчёта"),
        ([_code(_error())], "остановилось с ошибкой (KeyError: 'flow')"),
        ([_code({"output_type": "display_data", "data": {json_form.MIME: {"schema": "x"}}})], "kcrr.report/1"),
    ],
)
def test_what_is_missing_is_said_in_russian(tmp_path: Path, cells: list[dict[str, Any]], said: str) -> None:
    path = _notebook(tmp_path / "а.ipynb", *cells)
    with pytest.raises(ParameterError) as caught:
        extract(path)
    assert said in str(caught.value)
    assert "а.ipynb" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not json", b"[1]", b'{"worksheets": []}', b"\xff\xfe\x00"])
def test_a_file_that_is_no_notebook(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "а.ipynb"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match="не блокнот Jupyter"):
        extract(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="не найден"):
        extract(tmp_path / "нет.ipynb")
    with pytest.raises(ParameterError, match="не открывается"):
        extract(tmp_path)
