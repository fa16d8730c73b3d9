"""What lies in a data folder: which file is which table, part and region."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kcrr_analysis.errors import Fault, ParameterError
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.tables.readers import SUFFIXES
from kcrr_analysis.yaml_files import read

MAPPING_FILE = "mapping.yaml"
DATASET_FILE = "dataset.yaml"

_REGION_FOLDER = re.compile(r"\d{2}")
_ASIDE = {".yaml", ".yml", ".md", ".txt", ".json", ".html", ".docx", ".pdf"}
_KNOWN_FOLDERS = {"methodology", "mappings", "params"}


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that holds a table or a part of it.

    Attributes:
        path: The file.
        label: Name relative to the data folder, `/` between parts.
        table: Canonical table name.
        region: Region whose own folder the file lies in, or None.
    """

    path: Path
    label: str
    table: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a data folder.

    Attributes:
        path: The folder.
        files: Files that hold tables, by table, region and name.
        others: Files of a table format whose name is no table's (a mapping may claim them).
        faults: Tables given twice, folders that are no region.
    """

    path: Path
    files: tuple[TableFile, ...]
    others: tuple[Path, ...]
    faults: tuple[Fault, ...]


def survey(path: Path) -> Folder:
    """The files of the data folder `path`.

    Raises:
        ParameterError: There is no such folder.
    """
    if not path.is_dir():
        raise ParameterError(f"Папка с данными {path} не найдена. Проверьте путь.")
    faults: list[Fault] = []
    seen: dict[tuple[str | None, str, str], list[TableFile]] = defaultdict(list)
    others: list[Path] = []
    for file, region in _listed(path, faults):
        label = file.relative_to(path).as_posix()
        table, _, part = file.stem.casefold().partition(".")
        if file.suffix.casefold() in SUFFIXES and table in TABLES:
            seen[region, table, part].append(TableFile(file, label, table, region))
        else:
            others.append(file)
    files: list[TableFile] = []
    for (region, table, _), group in seen.items():
        files.append(group[0])
        if len(group) > 1:
            faults.append(_twice(table, region, group))
    order = list(TABLES)
    files.sort(key=lambda file: (order.index(file.table), file.region or "", file.label))
    return Folder(path, tuple(files), tuple(others), tuple(faults))


def _listed(path: Path, faults: list[Fault]) -> Iterator[tuple[Path, str | None]]:
    for entry in sorted(path.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith((".", "~$")):
            continue
        if entry.is_file():
            yield entry, None
        elif _REGION_FOLDER.fullmatch(entry.name):
            for file in sorted(entry.iterdir(), key=lambda file: file.name):
                if file.is_file() and not file.name.startswith((".", "~$")):
                    yield file, entry.name
        elif entry.name.casefold() not in _KNOWN_FOLDERS:
            faults.append(
                Fault(entry.name + "/", None, "", "", "имя папки — не код региона, её файлы не прочитаны",
                      "Назовите папку двумя цифрами кода региона (например 01) или уберите её.", "warning")
            )  # fmt: skip


def _twice(table: str, region: str | None, group: list[TableFile]) -> Fault:
    names = " и ".join(file.label for file in group)
    return Fault(
        group[0].label, None, "", "", f"данные таблицы «{TABLES[table].title}» заданы дважды: {names}",
        "Оставьте один из файлов.", "error", table, region,
    )  # fmt: skip


def unknown_files(folder: Folder, claimed: frozenset[Path], *, with_mapping: bool = False) -> tuple[Fault, ...]:
    """A warning for each file that nothing reads; notes and settings beside the tables are passed over.

    Args:
        folder: The data folder.
        claimed: Files that a mapping reads.
        with_mapping: A mapping says what to read: only names that look like a table's slip of the pen are named.
    """
    faults = []
    for file in folder.others:
        suffix = file.suffix.casefold()
        if file in claimed or suffix in _ASIDE:
            continue
        label = file.relative_to(folder.path).as_posix()
        near = get_close_matches(file.stem.casefold().partition(".")[0], TABLES, n=1)
        if with_mapping and not near:
            continue
        if suffix in SUFFIXES:
            hint = f" Возможно, имелось в виду {near[0]}{suffix}." if near else ""
            faults.append(
                Fault(label, None, "", "", "имя файла — не имя таблицы, файл не прочитан",
                      f"Назовите файл именем таблицы или опишите его в mapping.yaml.{hint}", "warning")
            )  # fmt: skip
        else:
            formats = ", ".join(SUFFIXES)
            faults.append(
                Fault(label, None, "", "", "формат файла не читается, файл пропущен",
                      f"Сохраните таблицу в одном из форматов: {formats}.", "warning")
            )  # fmt: skip
    return tuple(faults)


def notice(path: Path) -> str:
    """The line `notice:` of the folder's `dataset.yaml`, or empty.

    Raises:
        ParameterError: The file is not YAML of the form `key: value`.
    """
    file = path / DATASET_FILE
    if not file.is_file():
        return ""
    content = read(file)
    if content is None or content == "":
        return ""
    if not isinstance(content, Mapping):
        raise ParameterError(f"{DATASET_FILE}: ожидаются строки вида «notice: текст».")
    text = content.get("notice", "")
    if not isinstance(text, str):
        raise ParameterError(f"{DATASET_FILE}: параметр «notice» должен быть одной строкой текста.")
    return " ".join(text.split())
