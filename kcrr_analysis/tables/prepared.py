"""Files read once for many regions: a batch names a folder, and each region's rows of each file are kept there.

A batch opens the same national files once a region and notebook, and reading them takes the same time each time. The
first reading of a file leaves every region's cells in the folder; later readings, in whatever process, take theirs and
are checked as ever, so that nothing else changes. The folder lives as long as the batch.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.tables.readers import Grid

VARIABLE = "KCRR_PREPARED"
"""Environment variable with the folder; a batch sets it for its kernels."""


@dataclass(frozen=True, slots=True)
class Share:
    """A region's part of one file.

    Attributes:
        grid: Header, the region's rows and the rows of no known region.
        records: Records of the whole file.
        sha256: SHA-256 of the whole file.
    """

    grid: Grid
    records: int
    sha256: str


def take(file: Path, region: str) -> Share | None:
    """The region's part of `file`; None outside a batch, before the first reading, or where it has no rows."""
    place = _place(file)
    if place is None:
        return None
    try:
        content = (place / f"{region}.pickle").read_bytes()
    except OSError:
        return None
    share: Share = pickle.loads(content)  # noqa: S301 - written by this batch in its own folder
    return share


def keep(file: Path, grid: Grid, digest: str, codes: pd.Series[Any]) -> None:
    """Store each region's part of `file`; nothing outside a batch.

    Args:
        file: The file.
        grid: All its cells.
        digest: SHA-256 of its bytes.
        codes: Region code of each record; missing where it is not known.
    """
    place = _place(file)
    if place is None or place.exists():
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=place.parent))
    except OSError:
        return
    try:
        for region, share in _shares(grid, digest, codes):
            (aside / f"{region}.pickle").write_bytes(pickle.dumps(share, protocol=pickle.HIGHEST_PROTOCOL))
        aside.rename(place)
    except OSError:  # another process has stored the same, or the disk is full: keeping only saves time
        shutil.rmtree(aside, ignore_errors=True)


def _shares(grid: Grid, digest: str, codes: pd.Series[Any]) -> Iterator[tuple[object, Share]]:
    start = 0 if grid.headers is not None else 1
    nowhere = np.flatnonzero(codes.isna().to_numpy())
    for region, rows in codes.reset_index(drop=True).groupby(codes.array).indices.items():
        own = np.concatenate([np.arange(start), np.sort(np.concatenate([rows, nowhere])) + start]).astype(np.intp)
        part = replace(grid, cells=grid.cells.iloc[own], rows=grid.rows[own])
        yield region, Share(part, grid.records, digest)


def _place(file: Path) -> Path | None:
    name = os.environ.get(VARIABLE)
    return Path(name) / hashlib.sha256(str(file).encode()).hexdigest()[:32] if name else None
