"""The file of a run (`params/demo.yaml`): what to build, from what data, for whom.

Every name and value is checked before anything starts. What is wrong is said at once, in Russian, with the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from kcrr_analysis import paths, yaml_files
from kcrr_analysis.batch import folder_names, parameters_cell
from kcrr_analysis.batch.parameters_cell import ParametersCell, Value
from kcrr_analysis.errors import ParameterError

_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")

SHARED = ("data", "region", "month", "mapping", "disclosure", "threshold")
"""Parameters that the run itself gives to every notebook."""


def _threshold(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[1-9][0-9]*", value.strip()):
        raise ValueError("ожидается целое число не меньше 2, без нулей впереди")
    return value


def _unique(values: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value.casefold() in seen:
            raise ValueError(f"{what} «{value}» записан дважды")
        seen.add(value.casefold())


class RunFile(yaml_files.FileModel):
    """The YAML of a run, as written.

    Attributes:
        run: Name of the run, also of its folder under OUT.
        title: Russian title of the index page.
        data: Folder with the data, from the kit's root.
        mapping: Mapping file for foreign data.
        notebooks: Stems of the notebooks in `notebooks/`, in the order of the chapters.
        regions: `all`, or codes.
        month: Reporting month (YYYY-MM); None is the last one in the data.
        disclosure: public hides small cells, internal marks them.
        threshold: Counts of persons under it are small cells.
        word_template: A `.docx` whose styles Word outputs take.
        parameters: Further parameters by notebook.
    """

    run: str
    title: str = Field(min_length=1)
    data: str = Field(min_length=1)
    mapping: Annotated[str | None, yaml_files.Absent] = None
    notebooks: tuple[str, ...] = Field(min_length=1)
    regions: Literal["all"] | tuple[str, ...] = "all"
    month: Annotated[str | None, yaml_files.Absent] = None
    disclosure: Literal["public", "internal"] = "public"
    threshold: Annotated[int, BeforeValidator(_threshold)] = Field(default=5, ge=2)
    word_template: Annotated[str | None, yaml_files.Absent] = None
    parameters: dict[str, dict[str, str | list[str] | None]] = Field(default_factory=dict)

    @field_validator("run")
    @classmethod
    def _run(cls, value: str) -> str:
        fault = folder_names.fault(value)
        if fault:
            raise ValueError(f"имя запуска станет именем папки: {fault}")
        return value

    @field_validator("notebooks", "regions", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str) and value.strip() != "all":
            raise ValueError("ожидается список: [а, б] или строки, начатые с «- »")
        return value

    @field_validator("notebooks")
    @classmethod
    def _notebooks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _unique(value, "блокнот")
        for stem in value:
            fault = folder_names.fault(stem)
            if fault:
                raise ValueError(f"имя блокнота «{stem}»: {fault}")
            if stem.endswith(".ipynb"):
                raise ValueError(f"имя блокнота пишется без расширения: «{stem.removesuffix('.ipynb')}»")
        return value

    @field_validator("regions")
    @classmethod
    def _regions(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, tuple):
            if not value:
                raise ValueError("список регионов пуст. Перечислите коды или напишите all")
            _unique(value, "регион")
            for code in value:
                fault = folder_names.fault(code)
                if fault:
                    raise ValueError(f"код региона «{code}» станет именем папки: {fault}")
        return value

    @field_validator("month")
    @classmethod
    def _month(cls, value: str | None) -> str | None:
        if value is not None and not _MONTH.fullmatch(value):
            raise ValueError("ожидается месяц вида 2025-10")
        return value


@dataclass(frozen=True, slots=True)
class RunParams:
    """A checked run.

    Attributes:
        file: The YAML's path.
        base: Folder that relative paths are seen from (the kit's root).
        settings: What the YAML says.
        data: Folder with the data, absolute.
        mapping: Mapping file, absolute.
        word_template: Template, absolute.
        notebooks: Paths by stem, in order.
        cells: Parameters cells by stem.
        titles: Russian titles by stem: the first heading of the notebook.
        extra: Converted values of `parameters`, by stem.
    """

    file: Path
    base: Path
    settings: RunFile
    data: Path
    mapping: Path | None
    word_template: Path | None
    notebooks: Mapping[str, Path]
    cells: Mapping[str, ParametersCell]
    titles: Mapping[str, str]
    extra: Mapping[str, Mapping[str, Value]]

    def values(self, notebook: str, region: str) -> dict[str, Value]:
        """What is injected into `notebook` for `region`."""
        shared: dict[str, Value] = {
            "data": self.shown(self.data),
            "region": region,
            "month": self.settings.month,
            "mapping": self.shown(self.mapping) if self.mapping else None,
            "disclosure": self.settings.disclosure,
            "threshold": self.settings.threshold,
        }
        return self.cells[notebook].convert(shared | dict(self.extra.get(notebook, {})))

    def shown(self, path: Path) -> str:
        """`path` from the base where it lies inside, else absolute; with forward slashes on every system."""
        return (path.relative_to(self.base) if path.is_relative_to(self.base) else path).as_posix()


def read(file: Path | str) -> RunParams:
    """The run that the YAML `file` describes.

    Raises:
        ParameterError: The file or anything it names cannot be used.
    """
    file = Path(file)
    settings = yaml_files.read_model(file, RunFile)
    base = paths.root(file.resolve().parent) or paths.root() or Path.cwd()
    found = _notebook_paths(settings, base, file.name)
    cells = {stem: parameters_cell.read(path) for stem, path in found.items()}
    data = _existing(settings.data, base, file.name, "data", folder=True)
    run = RunParams(
        file=file,
        base=base,
        settings=settings,
        data=data,
        mapping=_optional(settings.mapping, base, file.name, "mapping"),
        word_template=_optional(settings.word_template, base, file.name, "word_template"),
        notebooks=found,
        cells=cells,
        titles={stem: parameters_cell.title(path) for stem, path in found.items()},
        extra=_extra(settings, cells, file.name),
    )
    for stem in found:
        run.values(stem, "00")
    return run


def _existing(written: str, base: Path, name: str, key: str, *, folder: bool) -> Path:
    path = paths.resolve(written, base)
    if not (path.is_dir() if folder else path.is_file()):
        what = "Папка" if folder else "Файл"
        raise ParameterError(
            f"{name}: параметр «{key}»: {what.lower()} {path} не найден{'а' if folder else ''}. "
            "Проверьте путь: он пишется от корня комплекта."
        )
    return path


def _optional(written: str | None, base: Path, name: str, key: str) -> Path | None:
    return _existing(written, base, name, key, folder=False) if written is not None else None


def _notebook_paths(settings: RunFile, base: Path, name: str) -> dict[str, Path]:
    folder = base / "notebooks"
    known = sorted(path.stem for path in folder.glob("*.ipynb"))
    for stem in settings.notebooks:
        if stem not in known:
            near = get_close_matches(stem, known, n=1)
            hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
            raise ParameterError(
                f"{name}: блокнота «{stem}» нет в папке {folder}.{hint} Есть: {', '.join(known) or 'ни одного'}."
            )
    return {stem: folder / f"{stem}.ipynb" for stem in settings.notebooks}


def _extra(settings: RunFile, cells: Mapping[str, ParametersCell], name: str) -> dict[str, dict[str, Value]]:
    faults: list[str] = []
    converted: dict[str, dict[str, Value]] = {}
    for stem, written in settings.parameters.items():
        if stem not in cells:
            faults.append(
                f"{name}: параметры заданы для блокнота «{stem}», которого нет в строке notebooks ({', '.join(cells)})."
            )
            continue
        own = [key for key in written if key in SHARED]
        if own:
            faults.append(
                f"{name}: параметр «{own[0]}» блокнота {stem} задаётся общей строкой файла, а не в разделе parameters."
            )
            continue
        try:
            converted[stem] = cells[stem].convert(written)
        except ParameterError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise ParameterError("\n".join(faults))
    return converted


def chosen_regions(
    asked: Literal["all"] | tuple[str, ...], known: tuple[tuple[str, str], ...], where: str
) -> tuple[tuple[str, str], ...]:
    """Codes and names of the regions to build, in the order of the data.

    Args:
        asked: `all`, or codes.
        known: Codes and names in the data.
        where: What asked (file name or option), for the message.

    Raises:
        ParameterError: A code is not in the data, or the data hold no region.
    """
    if not known:
        raise ParameterError(f"{where}: в данных нет ни одного региона. Проверьте папку: kcrr check ПАПКА.")
    if asked == "all":
        return known
    codes = [code for code, _ in known]
    absent = [code for code in asked if code not in codes]
    if absent:
        listed = ", ".join(f"{code} ({name})" for code, name in known)
        raise ParameterError(
            f"{where}: в данных нет {'региона' if len(absent) == 1 else 'регионов'} "
            f"{', '.join(f'«{code}»' for code in absent)}. Есть: {listed}."
        )
    return tuple(pair for pair in known if pair[0] in asked)


def as_text(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as text, for the manifest and the index page."""
    return {name: "null" if value is None else str(value) for name, value in values.items()}
