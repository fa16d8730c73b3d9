"""docs/tables.md is what the contracts say."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from kcrr_analysis.tables import TABLES, document
from tests.conftest import ROOT


def test_the_page_in_docs_is_up_to_date() -> None:
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == document.page(), "run `make docs`"


def test_every_table_and_column_is_on_the_page() -> None:
    page = document.page()
    for table in TABLES.values():
        assert f"## {table.title}: `{table.name}`" in page
        for column in table.columns.values():
            assert f"| `{column.name}` | {column.title}" in page


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["document", "--out", str(tmp_path / "t.md")])
    monkeypatch.delitem(sys.modules, "kcrr_analysis.tables.document")
    runpy.run_module("kcrr_analysis.tables.document", run_name="__main__")
    assert (tmp_path / "t.md").read_text(encoding="utf-8") == document.page()
