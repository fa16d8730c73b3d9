"""What a run did: `manifest.json`, written again after each report, so that a crash loses nothing."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import kcrr_analysis
from kcrr_analysis.errors import ParameterError

SCHEMA = "kcrr.manifest/1"
FILE = "manifest.json"

Status = Literal["delivered", "failed", "skipped"]

_LIBRARIES = ("ipykernel", "matplotlib", "nbclient", "numpy", "pandas", "papermill", "python-docx", "scipy")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a report was not delivered.

    Attributes:
        kind: Name of the error (`DataError`); `InternalError` for a defect.
        message: For the reader, in Russian, with the remedy.
        where: The cell or step.
        traceback: Of a defect; empty for errors that users mend, and in a public run (values of the data may stand
            in it).
        details: File with the traceback, from the run's folder, where the manifest must not hold it.
    """

    kind: str
    message: str
    where: str = ""
    traceback: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A written file.

    Attributes:
        path: From the run's folder, with forward slashes.
        sha256: Of its bytes.
    """

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """A data file that was read.

    Attributes:
        table: Canonical table name.
        file: Name from the data folder.
        rows: Rows read.
        sha256: Of its bytes.
    """

    table: str
    file: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """One notebook for one region.

    Attributes:
        region: Code.
        region_name: Name.
        notebook: Stem.
        status: delivered, failed, or skipped (not reached: the run was interrupted).
        seconds: Wall time.
        inputs: SHA-256 of everything that decides the outputs, by name; `--resume` compares them.
        parameters: What was injected, as text.
        outputs: Files written.
        error: Why it failed.
        warnings: Number of warnings about the region's data.
        kernel: fork or spawn.
        outdated: Kept from an earlier run whose inputs were others.
    """

    region: str
    region_name: str
    notebook: str
    status: Status
    seconds: float = 0.0
    inputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    error: Failure | None = None
    warnings: int = 0
    kernel: str = ""
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class RegionRecord:
    """The joined document of one region.

    Attributes:
        region: Code.
        chapters: SHA-256 of the JSON of each chapter in it, by notebook; with the template's under `template`.
        output: The document; None if it could not be written.
        error: Why not.
    """

    region: str
    chapters: Mapping[str, str] = field(default_factory=dict)
    output: Output | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A run.

    Attributes:
        run: Its name.
        title: Its Russian title.
        started: ISO time of the start.
        finished: ISO time of the end; None while it runs or after a crash.
        interrupted: Stopped by the operator.
        kit: Version of the kit with the first characters of the hash of its code.
        versions: Python and libraries.
        parameters: The YAML as read, as text.
        kernel: fork or spawn.
        jobs: Reports at a time.
        data_notice: Notice of the data set (demonstration data say what they are).
        files: Data files read.
        reports: By region and notebook, in the order of the plan.
        regions: Joined documents.
    """

    run: str
    title: str
    started: str
    finished: str | None = None
    interrupted: bool = False
    kit: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    kernel: str = ""
    jobs: int = 1
    data_notice: str = ""
    files: tuple[InputFile, ...] = ()
    reports: tuple[ReportRecord, ...] = ()
    regions: tuple[RegionRecord, ...] = ()

    def find(self, region: str, notebook: str) -> ReportRecord | None:
        """The record of a report, if there is one."""
        for record in self.reports:
            if (record.region, record.notebook) == (region, notebook):
                return record
        return None

    def find_region(self, region: str) -> RegionRecord | None:
        """The record of a region's document, if there is one."""
        return next((record for record in self.regions if record.region == region), None)

    def with_report(self, record: ReportRecord) -> Manifest:
        """A copy in which `record` stands in the place of its report."""
        key = (record.region, record.notebook)
        return replace(
            self,
            reports=tuple(record if (old.region, old.notebook) == key else old for old in self.reports),
        )

    def with_region(self, record: RegionRecord) -> Manifest:
        """A copy with the region's document."""
        others = tuple(old for old in self.regions if old.region != record.region)
        return replace(self, regions=tuple(sorted((*others, record), key=lambda item: item.region)))

    def count(self, status: Status) -> int:
        """How many reports have the status; an outdated one is not delivered."""
        return sum(record.status == status and not record.outdated for record in self.reports)

    @property
    def outdated(self) -> int:
        """How many reports stand as an earlier run with other inputs left them."""
        return sum(record.outdated for record in self.reports)

    def dumps(self) -> bytes:
        """The file's bytes."""
        content = {"schema": SCHEMA, **asdict(self)}
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into the run's folder: aside, then renamed."""
        write_bytes(folder / FILE, self.dumps())


def read(folder: Path) -> Manifest | None:
    """The manifest in the run's folder; None if there is none.

    Raises:
        ParameterError: The file is damaged or of another version.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _manifest(content)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(
            f"{path}: журнал запуска повреждён или сделан другой версией. Запустите без --resume."
        ) from error


def _manifest(content: dict[str, Any]) -> Manifest:
    if content.pop("schema") != SCHEMA:
        raise ValueError("schema")
    content["files"] = tuple(InputFile(**item) for item in content["files"])
    content["reports"] = tuple(_report(item) for item in content["reports"])
    content["regions"] = tuple(_region(item) for item in content["regions"])
    return Manifest(**content)


def _report(item: dict[str, Any]) -> ReportRecord:
    item["outputs"] = tuple(Output(**output) for output in item["outputs"])
    item["error"] = Failure(**item["error"]) if item["error"] else None
    return ReportRecord(**item)


def _region(item: dict[str, Any]) -> RegionRecord:
    item["output"] = Output(**item["output"]) if item["output"] else None
    item["error"] = Failure(**item["error"]) if item["error"] else None
    return RegionRecord(**item)


def sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(parts: Iterable[str]) -> str:
    """SHA-256 of texts in order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file aside, then rename it into place."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    aside.replace(path)


@cache
def kit_version() -> str:
    """The kit's version with the first characters of the hash of its code and dictionaries."""
    folder = Path(kcrr_analysis.__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".yaml", ".html", ".css", ".docx"})
    code = sha256_of(part for path in files for part in (path.relative_to(folder).as_posix(), sha256(path)))
    try:
        version = metadata.version("kcrr-analysis")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"{version}+{code[:12]}"


@cache
def library_versions() -> dict[str, str]:
    """Versions of Python, the system and the libraries that decide figures and looks."""
    found = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "нет"
    return found
