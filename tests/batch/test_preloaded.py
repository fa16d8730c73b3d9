from __future__ import annotations

import importlib
import runpy
import sys

import pytest

MODULE = "kcrr_analysis.batch.preloaded"


@pytest.mark.parametrize(
    ("absent", "named", "raised"),
    [
        ("duckdb", "duckdb", False),
        ("kcrr_analysis.reporting.word", "docx", False),  # a library that the kit's module needs
        ("kcrr_analysis.reporting.word", "kcrr_analysis.reporting.word", True),
        ("kcrr_analysis.tables", None, True),
    ],
)
def test_only_libraries_may_be_absent(
    absent: str, named: str | None, raised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def imported(name: str) -> None:
        seen.append(name)
        if name == absent:
            raise ImportError(name=named)

    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.delitem(sys.modules, MODULE, raising=False)  # another test may have imported it
    monkeypatch.setattr(importlib, "import_module", imported)
    if raised:
        with pytest.raises(ImportError):
            runpy.run_module(MODULE)
        assert seen[-1] == absent
    else:
        runpy.run_module(MODULE)
        assert seen[-1] != absent
