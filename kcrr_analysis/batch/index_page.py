"""`index.html` of a run: what was delivered, the regions side by side, what failed and how to mend it.

One self-contained file: styles and the few lines of script that sort the table are inline, nothing refers outside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kcrr_analysis.batch import manifest, run_folder
from kcrr_analysis.batch.manifest import Failure, Manifest
from kcrr_analysis.batch.progress import spell
from kcrr_analysis.errors import Fault
from kcrr_analysis.reporting import Report, formats
from kcrr_analysis.reporting.blocks import Hidden, KeyFigure, Kind, Marked, Missing

FILE = "index.html"
SHOWN_FAULTS = 30
JOINED = "Всё в одном файле"
_WORDS = {"delivered": "готов", "failed": "не готов", "skipped": "не начат"}


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """One region's figure in the comparison.

    Attributes:
        text: As it reads.
        order: What sorts it; None goes last.
        width: Length of the bar, percent of the longest in the column; None is no bar.
        change: Against the same month last year, as it reads; empty if unknown.
        note: Period and definition.
        period: The reporting period where it is not that of most regions; such a figure has no bar.
    """

    text: str
    order: float | None = None
    width: float | None = None
    change: str = ""
    note: str = ""
    period: str = ""


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """One key figure over the regions.

    Attributes:
        title: Label with the unit.
        cells: By region code.
    """

    title: str
    cells: dict[str, ComparedCell]


def write(state: Manifest, titles: Mapping[str, str], folder: Path, faults: Sequence[Fault] = ()) -> Path:
    """Write the page into the run's folder.

    Args:
        state: What the run did.
        titles: Russian titles of the notebooks, in order.
        folder: Its folder.
        faults: Faults of the data, to stand beside the failed reports.

    Raises:
        OutputError: The page cannot be written.
    """
    reports = _delivered(state, folder)
    failures = _failures(state, titles, faults)
    unlisted = _unlisted(state, failures, faults)
    text = (
        _environment()
        .get_template("index.html")
        .render(
            state=state,
            kinds=("html", "docx"),
            notebooks=[(stem, title) for stem, title in titles.items()],
            rows=_rows(state),
            periods=formats.enumeration(sorted({report.period for report in reports.values()})),
            notices=_notices(state, reports.values()),
            columns=_columns(reports),
            failures=failures,
            unlisted=unlisted[:SHOWN_FAULTS],
            unlisted_more=max(0, len(unlisted) - SHOWN_FAULTS),
            started=_moment(state.started),
            finished=_moment(state.finished) if state.finished else "",
            lasted=_lasted(state),
            shown_faults=SHOWN_FAULTS,
        )
    )
    try:
        manifest.write_bytes(folder / FILE, text.encode())
    except OSError as error:
        raise run_folder.OutputError(run_folder.sentence(error, folder / FILE)) from error
    return folder / FILE


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = formats.count
    environment.filters["plural"] = formats.plural
    environment.filters["spell"] = spell
    return environment


def _delivered(state: Manifest, folder: Path) -> dict[tuple[str, str], Report]:
    """Reports by region and notebook, read back from their JSON."""
    found = {}
    for record in state.reports:
        for output in record.outputs:
            file = folder / output.path
            if record.status == "delivered" and output.path.endswith(".json") and file.is_file():
                content = json.loads(file.read_text(encoding="utf-8"))
                found[record.region, record.notebook] = Report.from_dict(content)
    return found


def _rows(state: Manifest) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for record in state.reports:
        row = rows.setdefault(
            record.region,
            {"code": record.region, "name": record.region_name, "reports": {}, "joined": "", "unwritten": False},
        )
        row["reports"][record.notebook] = {
            "status": record.status,
            "word": _WORDS[record.status],
            "outdated": record.outdated,
            "warnings": record.warnings,
            "links": {Path(output.path).suffix[1:]: quote(output.path) for output in record.outputs},
        }
    for region in state.regions:
        if region.region in rows:
            rows[region.region]["joined"] = quote(region.output.path) if region.output is not None else ""
            rows[region.region]["unwritten"] = region.error is not None
    return list(rows.values())


def _notices(state: Manifest, reports: Iterable[Report]) -> list[str]:
    notices = [state.data_notice] if state.data_notice else []
    for report in reports:
        notices += [notice for notice in report.notices if notice not in notices]
    if any(report.disclosure == "internal" for report in reports):
        notices.append("Для служебного пользования: малые числа не скрыты, а отмечены.")
    return notices


def _columns(reports: dict[tuple[str, str], Report]) -> list[ComparedColumn]:
    """Key figures by chapter; a figure that is zero everywhere (errors in the data) compares nothing."""
    figures: dict[tuple[str, str], dict[str, KeyFigure]] = {}
    for (region, notebook), report in reports.items():
        for figure in report.key_figures:
            figures.setdefault((notebook, figure.key), {})[region] = figure
    columns = [
        _column(by_region, {region: reports[region, notebook].period for region in by_region})
        for (notebook, _), by_region in sorted(figures.items(), key=lambda item: item[0][0])
    ]
    return [column for column in columns if any(cell.order != 0 for cell in column.cells.values())]


def _column(by_region: dict[str, KeyFigure], periods: Mapping[str, str]) -> ComparedColumn:
    usual = Counter(periods.values()).most_common(1)[0][0]
    first = next(iter(by_region.values()))
    numbers = {region: _number(figure.value) for region, figure in by_region.items()}
    compared = {region: number for region, number in numbers.items() if number is not None and periods[region] == usual}
    longest = max(compared.values(), default=0.0)
    bars = longest > 0 and min(compared.values()) >= 0
    cells = {}
    for region, figure in by_region.items():
        number = numbers[region]
        cells[region] = ComparedCell(
            text=formats.cell(figure.value, figure.kind),
            order=number,
            width=round(100 * compared[region] / longest, 1) if bars and region in compared else None,
            change=_change(figure),
            note=figure.note,
            period="" if periods[region] == usual else periods[region],
        )
    return ComparedColumn(first.label + (f", {first.unit}" if first.unit else ""), cells)


def _number(value: object) -> float | None:
    if isinstance(value, Marked):
        value = value.value
    return float(value) if isinstance(value, int | float) else None


def _change(figure: KeyFigure) -> str:
    kind: Kind = "change_percent"
    if figure.change is None or isinstance(figure.change, Hidden | Missing | str):
        return ""
    return formats.cell(figure.change, kind)


def _failures(state: Manifest, titles: Mapping[str, str], faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Regions with failed reports or document: what stopped each chapter, and the faults of the region's data."""
    found: dict[str, dict[str, Any]] = {}
    names = {record.region: record.region_name for record in state.reports}

    def of(region: str) -> dict[str, Any]:
        return found.setdefault(
            region, {"code": region, "name": names[region], "chapters": [], "faults": [], "all": (), "more": 0}
        )

    for record in state.reports:
        if record.status != "failed" or record.error is None:
            continue
        item = of(record.region)
        item["chapters"].append(_chapter(titles[record.notebook], record.error))
        if record.error.kind == "DataError" and not item["faults"]:
            own = [
                fault for fault in faults if fault.severity == "error" and fault.region_code in {None, record.region}
            ]
            item["faults"], item["all"] = own[:SHOWN_FAULTS], own
            item["more"] = max(0, len(own) - SHOWN_FAULTS)
    for region in state.regions:
        if region.error is not None and region.region in names:
            of(region.region)["chapters"].append(_chapter(JOINED, region.error))
    for item in found.values():
        for chapter in item["chapters"]:
            chapter["listed"] = bool(item["faults"]) and chapter["kind"] == "DataError"
    return list(found.values())


def _unlisted(state: Manifest, failures: Sequence[Mapping[str, Any]], faults: Sequence[Fault]) -> list[Fault]:
    """Errors in the data that no failed report of the page lists: of all regions, or of one on the page."""
    listed = {fault for item in failures for fault in item["all"]}
    touched = {None, *(record.region for record in state.reports)}
    return [
        fault for fault in faults if fault.severity == "error" and fault.region_code in touched and fault not in listed
    ]


def _chapter(title: str, error: Failure) -> dict[str, Any]:
    return {"title": title, "kind": error.kind, "lines": error.message.splitlines(), "where": error.where}


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%d.%m.%Y %H:%M")


def _lasted(state: Manifest) -> str:
    if not state.finished:
        return ""
    return spell((datetime.fromisoformat(state.finished) - datetime.fromisoformat(state.started)).total_seconds())
