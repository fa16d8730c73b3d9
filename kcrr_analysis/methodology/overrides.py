"""The dictionaries, read from the packaged YAML files and a region's own ones.

A region puts files of the same names into `<data folder>/methodology/`. An entry there with a known id changes that
entry: a nested mapping is merged key by key, spellings of a region's name (`aliases`) are added, any other value
replaces the packaged one. A new id adds an entry. What
comes out is checked as a whole: every reference between dictionaries must be known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.methodology import files, integrity
from kcrr_analysis.methodology.dictionaries import Methodology
from kcrr_analysis.paths import resolve
from kcrr_analysis.yaml_files import FileModel, parse, read, validate

Model = TypeVar("Model", bound=FileModel)
Value = TypeVar("Value")

FOLDER = "methodology"
"""Subfolder of the data folder with a region's own entries."""

DICTIONARIES = ("stages", "tools", "groups", "departments", "indicators", "measures", "regions")
"""Dictionaries of entries; `index` is one entry of its own."""

_FILES = (*DICTIONARIES, "index")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {"stages": (re.compile(r"[0-9]"), "одна цифра"), "regions": (re.compile(r"[0-9]{2}"), "две цифры")}


def load(folder: Path | str | None = None) -> Methodology:
    """All dictionaries of the recommendations.

    Args:
        folder: Data folder; its subfolder `methodology`, if there is one, changes or adds entries. None: the
            packaged dictionaries alone (read once a process).

    Raises:
        ParameterError: The folder does not exist; a file has an unknown name, is not YAML or breaks its schema; an
            entry refers to an unknown one. All faults of a kind at once, in Russian.
    """
    own = {} if folder is None else _own(resolve(folder))
    return _load(own) if own else _packaged()


@cache
def _packaged() -> Methodology:
    return _load({})


@cache
def raw(name: str) -> Mapping[str, Any]:
    """The content of the packaged file `<name>.yaml`: nested dicts and lists of texts."""
    file = resources.files("kcrr_analysis.methodology") / "data" / f"{name}.yaml"
    content: Mapping[str, Any] = parse(file.read_text(encoding="utf-8"), f"{name}.yaml")
    return content


def _own(folder: Path) -> dict[str, Mapping[str, Any]]:
    if not folder.is_dir():
        raise ParameterError(f"Папка с данными {folder} не найдена. Проверьте путь.")
    own = folder / FOLDER
    if not own.exists():
        return {}
    if not own.is_dir():
        raise ParameterError(f"{own}: ожидается папка с файлами словарей, а это файл. Переименуйте его.")
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(own.iterdir()):
        if path.suffix.lower() not in {".yaml", ".yml"}:
            continue
        if path.suffix != ".yaml" or path.stem not in _FILES:
            near = get_close_matches(path.stem.lower(), _FILES, n=1)
            hint = f" Возможно, имелось в виду «{near[0]}.yaml»." if near else ""
            allowed = ", ".join(f"{name}.yaml" for name in _FILES)
            raise ParameterError(f"{FOLDER}/{path.name}: такого файла словарей нет.{hint} Допустимы: {allowed}.")
        content = read(path)
        if content is None:
            continue
        if not isinstance(content, Mapping):
            raise ParameterError(
                f"{FOLDER}/{path.name}: ожидаются записи вида «код:» с вложенными строками, а записано «{content}»."
            )
        found[path.stem] = content
    return found


def _load(own: Mapping[str, Mapping[str, Any]]) -> Methodology:
    faults: list[str] = []
    stages = _entries("stages", files.StageEntry, files.StageEntry.build, own, faults)
    tools = _entries("tools", files.ToolEntry, files.ToolEntry.build, own, faults)
    groups = _entries("groups", files.GroupEntry, files.GroupEntry.build, own, faults)
    departments = _entries("departments", files.DepartmentEntry, files.DepartmentEntry.build, own, faults)
    indicators = _entries("indicators", files.IndicatorEntry, files.IndicatorEntry.build, own, faults)
    measures = _entries("measures", files.MeasureEntry, files.MeasureEntry.build, own, faults)
    regions = _entries("regions", files.RegionEntry, files.RegionEntry.build, own, faults)
    index = _validated(files.IndexFile, _merged(raw("index"), own.get("index", {})), _place("index", own), faults)
    if faults or index is None:
        raise ParameterError("\n".join(faults))
    methodology = Methodology(
        stages=files.frozen(dict(sorted(stages.items()))),
        tools=files.frozen(tools),
        groups=files.frozen(groups),
        departments=files.frozen(departments),
        indicators=files.frozen(dict(sorted(indicators.items(), key=lambda item: item[1].number))),
        measures=files.frozen(measures),
        regions=files.frozen(dict(sorted(regions.items()))),
        index=index.build(),
        overridden=tuple(f"{name}/{key}" for name in _FILES for key in own.get(name, {})),
    )
    faults = [f"{_place(name, own, key)}: {text}" for name, key, text in integrity.faults(methodology)]
    if faults:
        raise ParameterError("\n".join(faults))
    return methodology


def _entries(
    name: str,
    model: type[Model],
    build: Callable[[Model, str], Value],
    own: Mapping[str, Mapping[str, Any]],
    faults: list[str],
) -> dict[str, Value]:
    built: dict[str, Value] = {}
    for key, content in _merged(raw(name), own.get(name, {})).items():
        place = _place(name, own, key)
        pattern, said = _KEYS.get(name, (_WORD, "латинские строчные буквы, цифры и «_», первой — буква"))
        if not pattern.fullmatch(key):
            faults.append(f"{place}: код записи не подходит. Код — {said}.")
            continue
        entry = _validated(model, content, place, faults)
        if entry is not None:
            built[key] = build(entry, key)
    return built


def _validated(model: type[Model], content: object, place: str, faults: list[str]) -> Model | None:
    try:
        return validate(model, content, place)
    except ParameterError as error:
        faults.append(str(error))
        return None


def _place(name: str, own: Mapping[str, Mapping[str, Any]], key: str = "") -> str:
    if not key:
        return f"{FOLDER}/{name}.yaml" if name in own else f"{name}.yaml (словарь набора)"
    file = f"{FOLDER}/{name}.yaml" if key in own.get(name, {}) else f"{name}.yaml (словарь набора)"
    return f"{file}, запись «{key}»"


def _merged(packaged: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(packaged)
    for key, value in own.items():
        before = merged.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(before, value)
        elif key == "aliases" and isinstance(before, list) and isinstance(value, list):
            merged[key] = [*before, *value]
        else:
            merged[key] = value
    return merged
