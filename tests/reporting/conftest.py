"""Snapshots and strategies for the tests of the reports."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "snapshots"


@pytest.fixture
def snapshot() -> Callable[[str, str], None]:
    """Compares text with a stored file; `KCRR_UPDATE_SNAPSHOTS=1` stores it anew."""

    def compare(name: str, text: str) -> None:
        path = FOLDER / name
        if os.environ.get("KCRR_UPDATE_SNAPSHOTS") == "1":
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"no snapshot {name}: run once with KCRR_UPDATE_SNAPSHOTS=1 and read the file"
        assert text == path.read_text(encoding="utf-8")

    return compare
