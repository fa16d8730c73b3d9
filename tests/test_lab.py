"""JupyterLab's defaults: Russian, and nothing fetched from outside."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from kcrr_analysis import lab


def test_the_defaults_are_russian_and_offline(tmp_path: Path) -> None:
    settings = json.loads(lab.write_defaults(tmp_path).read_text(encoding="utf-8"))
    assert settings["@jupyterlab/translation-extension:plugin"]["locale"] == "ru_RU"
    assert settings["@jupyterlab/apputils-extension:notification"] == {"checkForUpdates": False, "fetchNews": "false"}


def test_the_command_writes_under_the_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["lab", "--prefix", str(tmp_path)])
    monkeypatch.delitem(sys.modules, "kcrr_analysis.lab")
    runpy.run_module("kcrr_analysis.lab", run_name="__main__")
    assert (tmp_path / "share/jupyter/lab/settings/overrides.json").is_file()
