"""Where things are: every relative path derives from one root, the folder that holds `notebooks/` and `params/`."""

from __future__ import annotations

from pathlib import Path

RESERVED = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}) | {
    f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"
}
"""Names that Windows keeps for devices, whatever the ending."""


def root(start: Path | str | None = None) -> Path | None:
    """The kit's folder: the nearest one at or above `start` that holds both `notebooks/` and `params/`.

    Args:
        start: Where to begin; the current folder by default.
    """
    here = Path(start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "params").is_dir():
            return folder
    return None


def is_reserved(name: str) -> bool:
    """Whether Windows refuses a file or folder of this name.

    >>> is_reserved("Con.docx"), is_reserved("console.docx")
    (True, False)
    """
    return name.split(".", maxsplit=1)[0].strip().casefold() in RESERVED


def resolve(path: Path | str, start: Path | str | None = None) -> Path:
    """An absolute path: `path` itself, or `path` seen from the root at or above `start`.

    Outside a kit folder a relative path is seen from `start` itself.
    """
    path = Path(path).expanduser()
    if path.is_absolute():
        return path
    here = Path(start or Path.cwd()).resolve()
    return ((root(here) or here) / path).resolve()
