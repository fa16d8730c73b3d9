"""Every relative path derives from one root."""

from __future__ import annotations

from pathlib import Path

from kcrr_analysis import paths


def test_paths_start_at_the_kit_folder_from_anywhere_in_it(tmp_path: Path) -> None:
    (tmp_path / "kit" / "notebooks").mkdir(parents=True)
    (tmp_path / "kit" / "params").mkdir()
    for start in ("kit", "kit/notebooks", "kit/params"):
        assert paths.resolve("data/demo", tmp_path / start) == (tmp_path / "kit" / "data" / "demo").resolve()


def test_outside_a_kit_folder_paths_start_where_they_are_written(tmp_path: Path) -> None:
    assert paths.root(tmp_path) is None
    assert paths.resolve("data", tmp_path) == (tmp_path / "data").resolve()


def test_absolute_paths_stay(tmp_path: Path) -> None:
    assert paths.resolve(tmp_path, "anywhere") == tmp_path
