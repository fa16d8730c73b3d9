"""Regions that the data name, also those of which nothing can be read.

A region whose only file is damaged leaves no row, and would leave no trace in a batch either: its reports must fail
with the place and the remedy, not be missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcrr_analysis.tables import CheckResult

_CODE = re.compile(r"\d{2}")


def named(checked: CheckResult) -> tuple[tuple[str, str], ...]:
    """(code, name) of every region of a checked data folder, by code: of its rows, its faults and its subfolders."""
    from kcrr_analysis import methodology
    from kcrr_analysis.reporting import formats

    names = dict(checked.tables.regions)
    official = methodology.regions()
    codes = {fault.region_code for fault in checked.errors if fault.region_code in official}
    folder = checked.tables.folder
    if folder is not None:
        codes |= {
            entry.name
            for entry in folder.iterdir()
            if _CODE.fullmatch(entry.name) and entry.is_dir() and any(map(_is_data, entry.iterdir()))
        }
    for code in codes - names.keys():
        if code is not None:
            names[code] = official[code].name if code in official else code
    # A name goes to the terminal and to pages: no control or reordering characters from the data.
    return tuple(sorted((code, formats.clean(name)) for code, name in names.items()))


def _is_data(file: Path) -> bool:
    return file.is_file() and not file.name.startswith((".", "~$"))
