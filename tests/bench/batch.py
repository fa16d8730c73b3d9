"""What a report costs beside its own computation: the same chapters by plain calls, by forked and by fresh kernels."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

import kcrr_analysis as kcrr
from kcrr_analysis import paths
from kcrr_analysis.batch import run
from kcrr_analysis.batch.progress import Progress
from kcrr_analysis.reporting import charts, render
from tests.bench.measure import Timing, table, timed

REGIONS = ("01", "02", "03", "04")
ROOT = paths.root(Path(__file__))


def run_all() -> str:
    """Seconds a report of `02_indicators`, one job at a time."""
    assert ROOT is not None
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        params = work / "bench.yaml"
        params.write_text(
            f"run: bench\ntitle: Bench\ndata: {ROOT / 'data' / 'demo'}\nnotebooks: [02_indicators]\n"
            f"regions: [{', '.join(REGIONS)}]\n",
            encoding="utf-8",
        )
        timings = [
            timed("the computation and its files alone", lambda: _plain_calls(work)),
            timed("kcrr report, forked kernels", lambda: _batch(params, work / "fork", "fork")),
            timed("kcrr report, fresh kernels", lambda: _batch(params, work / "spawn", "spawn"), repeat=1),
            timed("papermill, one command a report, no files", lambda: _papermill(work), repeat=1),
        ]
    return table("seconds a report (02_indicators)", [_per_report(timing) for timing in timings])


def _per_report(timing: Timing) -> Timing:
    return Timing(timing.name, timing.seconds / len(REGIONS), timing.note)


def _plain_calls(work: Path) -> None:
    for region in REGIONS:
        charts.draw.cache_clear()
        chapter = kcrr.open_chapter(
            "02_indicators",
            "Показатели",
            data=str(ROOT / "data" / "demo"),  # type: ignore[operator]
            region=region,
            only=("centers", "flow", "population", "external_series"),
        )
        indicators = kcrr.indicators
        results = [
            chapter.compute(function, title="")
            for function in (indicators.applicants, indicators.coverage, indicators.background)
        ]
        render.write(chapter.publish(*results), work / "plain" / region, "02_indicators")


def _batch(params: Path, out: Path, kernel: str) -> None:
    run.run(params, out=out, jobs=1, kernel=kernel, progress=Progress(io.StringIO()))  # type: ignore[arg-type]


def _papermill(work: Path) -> None:
    for region in REGIONS:
        subprocess.run(
            [sys.executable, "-m", "papermill", "--no-progress-bar", "-r", "region", region,
             "notebooks/02_indicators.ipynb", str(work / f"{region}.ipynb")],
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
