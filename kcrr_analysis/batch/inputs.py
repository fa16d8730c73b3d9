"""What decides a report's bytes, as hashes, so that `--resume` knows what may be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from kcrr_analysis.batch.manifest import kit_version, library_versions, sha256, sha256_of
from kcrr_analysis.batch.parameters_cell import Value
from kcrr_analysis.batch.params import RunParams

COMPARED = "regions"
"""A notebook with this parameter compares regions: the data of all of them decide its report."""


class Inputs:
    """Hashes of a run's inputs; each file is read once.

    Args:
        params: The run.
        regions: Codes of all regions in the data; a folder with such a name belongs to that region alone.
    """

    def __init__(self, params: RunParams, regions: tuple[str, ...]) -> None:
        self._params = params
        self._regions = regions
        self._notebooks = {stem: sha256(path) for stem, path in params.notebooks.items()}
        self._own: dict[str, str] = {}

    def of(self, region: str, notebook: str, values: Mapping[str, Value]) -> dict[str, str]:
        """SHA-256 by name of what decides the report of `notebook` for `region`."""
        cell = self._params.cells[notebook]
        return {
            "data": self._everything if COMPARED in cell.names else self._data(region),
            "notebook": self._notebooks[notebook],
            "parameters": sha256_of([json.dumps(values, ensure_ascii=False, sort_keys=True)]),
            "settings": sha256_of([self._settings, *self._named_files({**cell.defaults, **values})]),
            "kit": kit_version(),
            "libraries": sha256_of(f"{name} {version}" for name, version in library_versions().items()),
        }

    @cached_property
    def _settings(self) -> str:
        files = (self._params.mapping, self._params.word_template)
        return sha256_of("" if path is None else sha256(path) for path in files)

    def _named_files(self, values: Mapping[str, Value]) -> list[str]:
        """Hashes of the settings files that parameters name (weights of the index, rates of costs)."""
        named = (self._params.base / value for value in values.values() if isinstance(value, str) and "." in value)
        return [sha256(path) for path in named if path.is_file()]

    @cached_property
    def _everything(self) -> str:
        return _digest(_files(self._params.data), self._params.data)

    @cached_property
    def _common(self) -> str:
        folder = self._params.data
        files = [path for path in _files(folder) if path.relative_to(folder).parts[0] not in self._regions]
        return _digest(files, folder)

    def _data(self, region: str) -> str:
        if region not in self._own:
            own = self._params.data / region
            files = _files(own) if own.is_dir() else []
            self._own[region] = sha256_of([self._common, _digest(files, self._params.data)])
        return self._own[region]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "~$")))


def _digest(files: list[Path], folder: Path) -> str:
    return sha256_of(part for path in files for part in (path.relative_to(folder).as_posix(), sha256(path)))
