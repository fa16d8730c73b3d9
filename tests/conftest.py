"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data that nobody on the project wrote; the kit never depends on it.

    `KCRR_REAL_DATA` names it; by default it is looked for beside the checkout.
    """
    folder = Path(os.environ.get("KCRR_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real data is not on this machine (set KCRR_REAL_DATA to try it)")
    return folder
