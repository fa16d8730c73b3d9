"""Where things are: every relative path derives from one root, the folder that holds `notebooks/` and `params/`."""

from __future__ import annotations

from pathlib import Path


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


def resolve(path: Path | str, start: Path | str | None = None) -> Path:
    """An absolute path: `path` itself, or `path` seen from the root at or above `start`.

    Outside a kit folder a relative path is seen from `start` itself.
    """
    path = Path(path).expanduser()
    if path.is_absolute():
        return path
    here = Path(start or Path.cwd()).resolve()
    return ((root(here) or here) / path).resolve()
