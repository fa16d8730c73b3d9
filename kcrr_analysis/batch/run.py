"""All reports of a run: built side by side, each placed whole, each failure kept to itself."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from kcrr_analysis import paths
from kcrr_analysis.batch import (
    execution,
    index_page,
    interruption,
    manifest,
    params,
    plan,
    rendering,
    run_folder,
)
from kcrr_analysis.batch.kernels import KernelKind, KernelPool, available_kind
from kcrr_analysis.batch.manifest import Failure, InputFile, Manifest, Output, RegionRecord, ReportRecord
from kcrr_analysis.batch.params import RunParams
from kcrr_analysis.batch.plan import Plan, Task
from kcrr_analysis.batch.progress import Progress
from kcrr_analysis.disclosure import Rule, shown
from kcrr_analysis.errors import KcrrError, ParameterError

if TYPE_CHECKING:
    from kcrr_analysis.tables import CheckResult

DEFAULT_OUT = "reports"
MOST_JOBS = 61 if sys.platform == "win32" else 1000  # Windows waits for at most 61 processes of a pool
ERRORS = "errors"
DEFECT = "Внутренняя ошибка. Это дефект блокнота или комплекта, а не данных."
PICTURES = "KCRR_PICTURES"  # `reporting.charts.VARIABLE`, without importing matplotlib into the batch itself


class InterruptedRunError(KcrrError):
    """The operator stopped the batch; what was delivered stays, the manifest says what is missing."""

    exit_code = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run.

    Attributes:
        folder: Where it is.
        manifest: What happened, also in earlier runs for regions that this one left alone.
        regions: Codes of the regions that this run answers for.
    """

    folder: Path
    manifest: Manifest
    regions: tuple[str, ...]

    @property
    def reports(self) -> tuple[ReportRecord, ...]:
        """Records of the run's regions."""
        return tuple(record for record in self.manifest.reports if record.region in self.regions)

    @property
    def unwritten(self) -> tuple[RegionRecord, ...]:
        """The run's regions whose joined document could not be written."""
        return tuple(
            record for record in self.manifest.regions if record.error is not None and record.region in self.regions
        )

    @property
    def delivered(self) -> bool:
        """Whether every report and every joined document of the run's regions is there."""
        whole = all(record.status == "delivered" and not record.outdated for record in self.reports)
        return whole and not self.unwritten


def run(
    file: Path | str,
    *,
    out: Path | str | None = None,
    regions: tuple[str, ...] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    kernel: KernelKind | None = None,
    cell_timeout: int | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Build the reports of the run that the YAML `file` describes, into `out/<run>/`.

    Args:
        file: The run's YAML.
        out: Folder of runs; `reports` under the kit's root by default.
        regions: Only these regions of the run; others keep what they have.
        jobs: Reports at a time; the number of processors by default.
        resume: Keep delivered reports whose inputs have not changed, byte for byte.
        kernel: fork or spawn; the faster one that the system has by default.
        cell_timeout: Seconds one cell may take; None is no limit.
        progress: Where lines of progress go.

    Returns:
        Where the run is and what happened.

    Raises:
        ParameterError: Nothing could be started.
        OutputError: The run's folder cannot be written any more.
        InterruptedRunError: Stopped by Ctrl-C.
    """
    if jobs is not None and jobs < 1:
        raise ParameterError(f"Число одновременных отчётов должно быть не меньше 1, а задано {jobs}.")
    if kernel == "fork" and available_kind() != "fork":
        raise ParameterError(
            "Ключ --kernel: способа fork на этом компьютере нет. Уберите ключ или укажите --kernel spawn."
        )
    run_params = params.read(file)
    folder = run_path(run_params, out)
    with run_folder.opened(folder) as work:
        batch = _Batch(
            run_params,
            folder,
            work,
            jobs=min(jobs or _processors(), MOST_JOBS),
            cell_timeout=cell_timeout,
            progress=progress or Progress(),
        )
        return batch.run(regions, kernel, resume=resume)


def run_path(run_params: RunParams, out: Path | str | None = None) -> Path:
    """The run's folder in `out`."""
    folder = paths.resolve(out) if out is not None else run_params.base / DEFAULT_OUT
    return folder / run_params.settings.run


def summary(done: Outcome) -> str:
    """The outcome in a few lines, in Russian."""
    ready = sum(record.status == "delivered" and not record.outdated for record in done.reports)
    lines = [f"Готово отчётов: {ready} из {len(done.reports)}. {done.folder / index_page.FILE}"]
    failed = [record for record in done.reports if record.status == "failed"]
    if failed:
        listed = ", ".join(f"{record.region} {record.notebook}" for record in failed[:10])
        more = f" и ещё {len(failed) - 10}" if len(failed) > 10 else ""
        lines.append(f"Не готово: {len(failed)} ({listed}{more}). Причины – на той же странице.")
    for region in done.unwritten[:10]:
        assert region.error is not None
        lines.append(f"Общий документ региона {region.region} не записан. {region.error.message}")
    if len(done.unwritten) > 10:
        lines.append(f"И ещё общих документов не записано: {len(done.unwritten) - 10}.")
    return "\n".join(lines)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


class _Batch:
    """One run under way."""

    def __init__(
        self,
        run_params: RunParams,
        folder: Path,
        work: Path,
        *,
        jobs: int,
        cell_timeout: int | None,
        progress: Progress,
    ) -> None:
        self.params, self.folder, self.work = run_params, folder, work
        self.jobs, self.cell_timeout, self.progress = jobs, cell_timeout, progress
        self.rule = Rule(run_params.settings.disclosure, run_params.settings.threshold)
        self.stopping = threading.Event()
        self.state = Manifest(run_params.settings.run, run_params.settings.title, _now())

    def _refuse_template(self) -> None:
        """A template that is no Word file is said before any report is built."""
        if self.params.word_template is not None:
            from kcrr_analysis.reporting import word_template

            word_template.opened(self.params.word_template)

    def _refuse_month(self, checked: CheckResult) -> None:
        """A month that no region has is said before any report is built."""
        month, months = self.params.settings.month, checked.tables.months
        if month is not None and months is not None and not str(months[0]) <= month <= str(months[1]):
            raise ParameterError(
                f"{self.params.file.name}: параметр «month»: месяца {month} в данных нет. "
                f"В них месяцы с {months[0]} по {months[1]}."
            )

    def run(self, regions: tuple[str, ...] | None, kernel: KernelKind | None, *, resume: bool) -> Outcome:
        """Plan, build, record."""
        from kcrr_analysis import tables
        from kcrr_analysis.tables import prepared

        old = self._old_manifest(strict=resume)
        kept = {prepared.VARIABLE: str(self.work / "data"), PICTURES: str(self.work / "pictures")}
        with KernelPool(kernel) as kernels, rendering.workers(self.jobs, kernels.kind, kept) as renderers:
            kernels.warm_up()
            kernels.extra_environment.update(kept)
            self._refuse_template()
            checked = tables.check(self.params.data, mapping=self.params.mapping)
            self._refuse_month(checked)
            ahead = plan.make(self.params, checked, old, self.folder, regions=regions, resume=resume)
            self.jobs = min(self.jobs, max(len(ahead.todo), 1))
            self.state = replace(
                self.state,
                kit=manifest.kit_version(),
                versions=manifest.library_versions(),
                parameters=params.as_text(self.params.settings.model_dump()),
                kernel=kernels.kind,
                jobs=self.jobs,
                data_notice=checked.tables.notice,
                files=tuple(InputFile(one.table, one.file, one.rows, one.sha256) for one in checked.sources),
                reports=ahead.records,
                regions=old.regions if old else (),
            )
            self._save()
            self.progress.begin(len(ahead.todo), ahead.kept)
            interrupted = not self._build(ahead, kernels, renderers)
        self.state = replace(self.state, finished=_now(), interrupted=interrupted)
        self._save()
        faults = [shown(fault, self.rule) for fault in (*checked.errors, *checked.warnings)]
        index_page.write(self.state, self.params.titles, self.folder, faults)
        if interrupted:
            raise InterruptedRunError(
                f"Запуск остановлен. Готово отчётов: {self.state.count('delivered')}. "
                "Продолжить: та же команда с --resume."
            )
        return Outcome(self.folder, self.state, ahead.chosen)

    def _old_manifest(self, *, strict: bool) -> Manifest | None:
        try:
            return manifest.read(self.folder)
        except ParameterError:
            if strict:
                raise
            return None

    def _save(self) -> None:
        try:
            self.state.write(self.folder)
        except OSError as error:
            raise run_folder.OutputError(run_folder.sentence(error, self.folder)) from error

    def _build(self, ahead: Plan, kernels: KernelPool, renderers: ProcessPoolExecutor) -> bool:
        """Build what the plan says; False if the operator stopped it."""
        left = dict.fromkeys(ahead.regions, 0)
        for task in ahead.todo:
            left[task.region] += 1
        arrived: SimpleQueue[Future[ReportRecord | RegionRecord | None] | None] = SimpleQueue()
        running = 0
        with (
            interruption.noticed(lambda: arrived.put(None)),
            ThreadPoolExecutor(self.jobs, thread_name_prefix="report") as threads,
        ):
            for task in ahead.todo:
                threads.submit(self._report, task, kernels, renderers).add_done_callback(arrived.put)
                running += 1
            for code in (code for code in left if not left[code]):
                threads.submit(self._join, code, renderers).add_done_callback(arrived.put)
                running += 1
            try:
                while running:
                    future = interruption.next_of(arrived)
                    if future is None:
                        self.stopping.set()
                        kernels.close()
                        threads.shutdown(wait=False, cancel_futures=True)
                        continue
                    running -= 1
                    record = None if future.cancelled() else self._recorded(future)
                    if isinstance(record, ReportRecord) and not self.stopping.is_set():
                        left[record.region] -= 1
                        if not left[record.region]:
                            threads.submit(self._join, record.region, renderers).add_done_callback(arrived.put)
                            running += 1
            except BaseException:
                self.stopping.set()
                kernels.close()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return not self.stopping.is_set()

    def _recorded(self, future: Future[ReportRecord | RegionRecord | None]) -> ReportRecord | RegionRecord | None:
        record = future.result()
        if isinstance(record, RegionRecord):
            self.state = self.state.with_region(record)
            self._save()
        elif record is not None and record.status != "skipped":
            self.state = self.state.with_report(record)
            self._save()
            self.progress.report(record)
        return record

    def _report(
        self, task: Task, kernels: KernelPool, renderers: ProcessPoolExecutor
    ) -> ReportRecord | RegionRecord | None:
        """Build one report, in a thread that waits for its kernel and its rendering."""
        started = time.monotonic()
        outputs: tuple[Output, ...] = ()
        failure: Failure | None = None
        if self.stopping.is_set():
            return task.record("skipped")
        details = self._details(f"{task.region}_{task.notebook}")
        try:
            outputs = self._outputs(task, kernels, renderers)
        except execution.NotebookFailed as error:
            failure = error.failure
        except Exception as error:  # noqa: BLE001 - one report's failure must not stop the others
            failure = _failure(error)
        if failure is not None:
            if self.stopping.is_set():
                return task.record("skipped")
            failure = self._without_old_outputs(task, self._published(failure, details))
        return replace(
            task.record("failed" if failure else "delivered"),
            seconds=round(time.monotonic() - started, 2),
            outputs=outputs,
            error=failure,
            kernel=kernels.kind,
        )

    def _outputs(self, task: Task, kernels: KernelPool, renderers: ProcessPoolExecutor) -> tuple[Output, ...]:
        aside = self.work / task.region / task.notebook
        aside.mkdir(parents=True)
        notebook = aside / f"{task.notebook}.ipynb"
        execution.execute(
            self.params.notebooks[task.notebook],
            notebook,
            task.values,
            kernels,
            folder=self.params.base,
            cell_timeout=self.cell_timeout,
        )
        renderers.submit(rendering.render, notebook, self.params.word_template).result()
        files = [aside / f"{task.notebook}.{kind}" for kind in rendering.KINDS]
        return run_folder.place(files, self.folder / task.region, self.folder)

    def _without_old_outputs(self, task: Task, failure: Failure) -> Failure:
        """Remove the report's earlier files: nobody may paste a figure that could not be built again."""
        stale = [self.folder / task.region / f"{task.notebook}.{kind}" for kind in rendering.KINDS]
        try:
            run_folder.remove(stale)
        except OSError as error:
            text = f"{failure.message}\nПрежний файл отчёта устарел, но не удаляется: {error.filename}."
            return replace(failure, message=text)
        return failure

    def _details(self, name: str) -> Path:
        """Where the traceback of a defect goes; an earlier one is gone."""
        file = self.folder / ERRORS / f"{name}.txt"
        with contextlib.suppress(OSError):
            run_folder.remove([file])
        return file

    def _published(self, failure: Failure, details: Path) -> Failure:
        """The failure as the manifest may hold it: a public run puts a defect's traceback into a file of its own."""
        if failure.kind != "InternalError" or not self.rule.public:
            return failure
        try:
            details.parent.mkdir(exist_ok=True)
            manifest.write_bytes(details, f"{failure.message}\n\n{failure.traceback}\n".encode())
        except OSError as error:
            text = f"{DEFECT} Подробности не записаны: {run_folder.sentence(error, details)}"
            return replace(failure, message=text, traceback="")
        file = details.relative_to(self.folder).as_posix()
        text = f"{DEFECT} Передайте разработчику файл {file}. Не публикуйте его: в нём могут быть числа из данных."
        return replace(failure, message=text, traceback="", details=file)

    def _join(self, region: str, renderers: ProcessPoolExecutor) -> ReportRecord | RegionRecord | None:
        """Join the region's chapters into one document; None if the document is current."""
        if self.stopping.is_set():
            return None
        records = [record for record in self.state.reports if record.region == region]
        basis = {record.notebook: _chapter_hash(record) for record in records}
        template = self.params.word_template
        if template is not None:
            basis["template"] = manifest.sha256(template)
        before = self.state.find_region(region)
        if (
            before is not None
            and before.output is not None
            and dict(before.chapters) == basis
            and run_folder.intact([before.output], self.folder)
        ):
            return None
        target = self.folder / region / "report.docx"
        output: Output | None = None
        failure: Failure | None = None
        try:
            if any(basis[record.notebook] for record in records):
                output = self._joined(records, target, renderers)
            else:
                run_folder.remove([target])
        except Exception as error:  # noqa: BLE001 - one region's document must not stop the others
            failure = _failure(error)
        if failure is not None and self.stopping.is_set():
            return None
        details = self._details(f"{region}_report")
        return RegionRecord(region, basis, output, failure and self._published(failure, details))

    def _joined(self, records: list[ReportRecord], target: Path, renderers: ProcessPoolExecutor) -> Output:
        parts = []
        for record in records:
            file = target.parent / f"{record.notebook}.json" if record.status == "delivered" else None
            reason = record.error.message if record.error else "Глава ещё не построена."
            parts.append((file, self.params.titles[record.notebook], reason))
        aside = self.work / target.parent.name / target.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        renderers.submit(rendering.join, parts, aside, self.params.word_template).result()
        return run_folder.place([aside], target.parent, self.folder)[0]


def _chapter_hash(record: ReportRecord) -> str:
    """What the chapter contributes to the joined document; empty for one that is not delivered."""
    if record.status != "delivered":
        return ""
    return next(output.sha256 for output in record.outputs if output.path.endswith(".json"))


def _failure(error: Exception) -> Failure:
    """What to record of an exception outside the notebook."""
    if isinstance(error, KcrrError):
        return Failure(type(error).__name__, str(error), "сборка документа")
    if isinstance(error, OSError):
        return Failure("OutputError", run_folder.sentence(error), "запись файлов")
    if isinstance(error, BrokenProcessPool):
        text = "Процесс сборки документов неожиданно завершился: возможно, не хватило памяти. Повторите с --resume."
        return Failure("OutputError", text, "сборка документа")
    return execution.defect(error)
