"""Plain papermill, as a person calls it, injects readable Russian."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kcrr_analysis.batch import papermill_plugin
from tests.conftest import ROOT


def test_plain_papermill_writes_cyrillic_as_cyrillic(tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", "--prepare-only", "-p", "region", "Область «Юг»"]
    source = ROOT / "notebooks" / "02_indicators.ipynb"
    subprocess.run([*command, str(source), str(out)], check=True, capture_output=True, cwd=tmp_path)
    assert "region = 'Область «Юг»'" in out.read_text(encoding="utf-8")


def test_the_plugin_has_one_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = papermill_plugin.nothing
