"""What a run has to build, and what it may keep from an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kcrr_analysis.batch import data_regions, folder_names, params, run_folder
from kcrr_analysis.batch.inputs import Inputs
from kcrr_analysis.batch.manifest import Failure, Manifest, ReportRecord, Status
from kcrr_analysis.batch.parameters_cell import Value
from kcrr_analysis.batch.params import RunParams

if TYPE_CHECKING:
    from kcrr_analysis.tables import CheckResult


@dataclass(frozen=True, slots=True)
class Task:
    """One report to build.

    Attributes:
        region: Code.
        region_name: Name.
        notebook: Stem.
        values: Parameters to inject.
        inputs: Hashes that decide the outputs.
        warnings: Warnings about the region's data.
    """

    region: str
    region_name: str
    notebook: str
    values: Mapping[str, Value]
    inputs: Mapping[str, str]
    warnings: int

    def record(self, status: Status) -> ReportRecord:
        """The report's record, without outputs, error and time."""
        return ReportRecord(
            region=self.region,
            region_name=self.region_name,
            notebook=self.notebook,
            status=status,
            inputs=dict(self.inputs),
            parameters=params.as_text(self.values),
            warnings=self.warnings,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The work ahead.

    Attributes:
        todo: Reports to build.
        records: Records at the start, in the order of regions and chapters: kept ones as they were, the others as
            they stood before this run.
        chosen: Codes of the regions that this run answers for.
        regions: Those of them whose code can be a folder.
        kept: Number of chosen reports that stay as they are.
    """

    todo: tuple[Task, ...]
    records: tuple[ReportRecord, ...]
    chosen: tuple[str, ...]
    regions: tuple[str, ...]
    kept: int


def make(
    run_params: RunParams,
    checked: CheckResult,
    old: Manifest | None,
    folder: Path,
    *,
    regions: tuple[str, ...] | None,
    resume: bool,
) -> Plan:
    """The plan of a run.

    Args:
        run_params: The run.
        checked: Its data.
        old: Manifest of the earlier run in the same folder.
        folder: The run's folder.
        regions: Only these; all regions of the run by default.
        resume: Keep delivered reports whose inputs are the same and whose files are whole.

    Raises:
        ParameterError: A region is not in the data.
    """
    known = data_regions.named(checked)
    planned = params.chosen_regions(run_params.settings.regions, known, run_params.file.name)
    chosen = params.chosen_regions(regions, planned, "--regions") if regions is not None else planned
    chosen_codes = {code for code, _ in chosen}
    todo: list[Task] = []
    records: list[ReportRecord] = []
    kept = 0
    for task in _tasks(run_params, checked, planned, tuple(code for code, _ in known)):
        fault = folder_names.fault(task.region)
        before = old.find(task.region, task.notebook) if old else None
        if fault is not None:
            records.append(_refused(task, fault))
        elif task.region not in chosen_codes:
            if before is not None:
                records.append(_left(before, task))
        elif resume and before is not None and _current(before, task, folder):
            records.append(replace(before, outdated=False))
            kept += 1
        else:
            todo.append(task)
            records.append(_left(before, task) if before is not None else task.record("skipped"))
    usable = tuple(code for code, _ in chosen if folder_names.fault(code) is None)
    return Plan(tuple(todo), tuple(records), tuple(code for code, _ in chosen), usable, kept)


def _tasks(
    run_params: RunParams, checked: CheckResult, planned: tuple[tuple[str, str], ...], known: tuple[str, ...]
) -> list[Task]:
    inputs = Inputs(run_params, known)
    tasks = []
    for code, name in planned:
        warnings = sum(fault.region_code in {None, code} for fault in checked.warnings)
        for notebook in run_params.notebooks:
            values = run_params.values(notebook, code)
            tasks.append(Task(code, name, notebook, values, inputs.of(code, notebook, values), warnings))
    return tasks


def _current(before: ReportRecord, task: Task, folder: Path) -> bool:
    return (
        before.status == "delivered"
        and dict(before.inputs) == dict(task.inputs)
        and run_folder.intact(before.outputs, folder)
    )


def _left(before: ReportRecord, task: Task) -> ReportRecord:
    """An earlier record that this run has not (yet) replaced."""
    changed = dict(before.inputs) != dict(task.inputs)
    return replace(before, outdated=before.status == "delivered" and changed)


def _refused(task: Task, fault: str) -> ReportRecord:
    text = f"Код региона «{task.region}» не может быть именем папки: {fault}. Исправьте код в данных."
    return replace(task.record("failed"), error=Failure("ParameterError", text, "код региона"))
