"""The notebooks are thin: one parameters cell, calls, a story in Russian, one report published at the end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SHARED = ["data", "region", "month", "mapping", "disclosure", "threshold"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request: pytest.FixtureRequest) -> list[nbformat.NotebookNode]:
    return nbformat.read(Path(request.param), as_version=4).cells


def code(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    return [cell for cell in cells if cell.cell_type == "code"]


def test_the_parameters_are_annotated_and_explained_in_russian(cells: list[nbformat.NotebookNode]) -> None:
    (cell,) = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    statements = ast.parse(cell.source).body
    assert all(isinstance(statement, ast.AnnAssign) for statement in statements)
    names = [statement.target.id for statement in statements]
    assert names[: len(SHARED)] == SHARED
    assert all(re.search(r"  # [а-я]|  # public — ", line) for line in cell.source.splitlines())


def test_no_function_or_class_is_defined(cells: list[nbformat.NotebookNode]) -> None:
    for cell in code(cells):
        kinds = {type(node) for node in ast.walk(ast.parse(cell.source))}
        assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.Try}


def test_the_last_cell_publishes_the_report(cells: list[nbformat.NotebookNode]) -> None:
    assert cells[-1].source.startswith("chapter.publish(")
    assert sum(".publish(" in cell.source for cell in code(cells)) == 1


def test_only_checked_key_figures_are_stored_as_output(cells: list[nbformat.NotebookNode]) -> None:
    kept = [cell for cell in code(cells) if cell.outputs]
    assert [cell.source.splitlines()[0] for cell in kept] == ["# NBVAL_CHECK_OUTPUT"]
    assert [cell.metadata.tags for cell in kept] == [["keep_output"]]
    assert all(cell.execution_count is None for cell in code(cells) if cell not in kept)


def test_the_story_is_russian(cells: list[nbformat.NotebookNode]) -> None:
    for cell in cells:
        if cell.cell_type == "markdown":
            assert re.search(r"[А-Яа-я]{4}", cell.source)
