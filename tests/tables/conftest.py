"""A small data folder and a way to put files into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

CENTERS = "center_id;center_name;region_code;region_name\nc1;Центр 1;01;Адыгея\nc2;Центр 2;77;Москва\n"

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes `text` to `name` in a folder that already has two centres, and gives the folder."""

    def write(name: str | None = None, text: str = "", encoding: str = "utf-8") -> Path:
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        centers = folder / "centers.csv"
        if not centers.exists():
            centers.write_text(CENTERS, encoding="utf-8", newline="")
        if name is not None:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode(encoding))
        return folder

    return write
