"""Outputs of executed notebooks, made in worker processes: charts and documents take a core each."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait
from pathlib import Path

from kcrr_analysis.batch.kernels import KernelKind, fork_server

KINDS = ("docx", "html", "json", "ipynb")  # Word first: it is the one that may be open and locked


def workers(jobs: int, kind: KernelKind, environment: Mapping[str, str]) -> ProcessPoolExecutor:
    """A pool of `jobs` processes with further variables; forked from the fork server where kernels are."""
    context = fork_server() if kind == "fork" else multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(dict(environment),))


def _start(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch decides what an interruption ends
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def render(notebook: Path, template: Path | None) -> None:
    """Write HTML, Word and JSON beside the executed `notebook`, under its stem."""
    from kcrr_analysis.reporting import notebook_files
    from kcrr_analysis.reporting import render as reporting_render

    reporting_render.write(notebook_files.extract(notebook), notebook.parent, notebook.stem, template=template)


def join(parts: Sequence[tuple[Path | None, str, str]], path: Path, template: Path | None) -> None:
    """Write the joined document of one region.

    Args:
        parts: By chapter in order: its JSON report (None if it could not be built), its title, and why not.
        path: The `.docx`.
        template: Styles.
    """
    from kcrr_analysis.reporting import FailedChapter, Report
    from kcrr_analysis.reporting import render as reporting_render

    reports = [Report.from_dict(json.loads(file.read_text(encoding="utf-8"))) for file, _, _ in parts if file]
    failed = [FailedChapter(title, reason) for file, title, reason in parts if not file]
    reporting_render.joined(reports, path, template=template, failed_chapters=failed)
