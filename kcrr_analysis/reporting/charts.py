"""Charts as PNG: one considered style, direct labels, Russian numbers, the same bytes each time.

Figures are drawn on their own canvas with their own settings, so neither pyplot nor a notebook's style is touched or
felt.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import struct
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kcrr_analysis.reporting import json_form
from kcrr_analysis.reporting.blocks import Chart
from kcrr_analysis.reporting.chart_panel import PanelPlan
from kcrr_analysis.reporting.chart_style import DPI, PALETTE, WIDTH, settings

VARIABLE = "KCRR_PICTURES"
"""Environment variable with a batch's folder of drawn charts."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart.

    Attributes:
        png: The bytes of the file.
        width_mm: Width at which its text has its intended size.
        height_mm: Height at that width.
    """

    png: bytes
    width_mm: float
    height_mm: float


@lru_cache(maxsize=64)
def draw(chart: Chart) -> Picture:
    """The chart as PNG, 165 mm wide at 200 dots an inch.

    Equal charts give equal bytes: no date and no program name is stored. A chart that was drawn is kept, so that
    HTML and Word of one report cost one drawing; in a batch (`VARIABLE`) so do the notebook and the joined document.
    """
    folder = os.environ.get(VARIABLE)
    png = _kept(chart, Path(folder)) if folder else _drawn(chart)
    width, height = struct.unpack(">II", png[16:24])  # a PNG's first chunk
    return Picture(png, width / DPI * 25.4, height / DPI * 25.4)


def _kept(chart: Chart, folder: Path) -> bytes:
    form = json.dumps(json_form.block_form(chart), ensure_ascii=False, sort_keys=True)
    path = folder / f"{hashlib.sha256(form.encode()).hexdigest()}.png"
    try:
        return path.read_bytes()
    except OSError:
        png = _drawn(chart)
    # Keeping it only saves time: neither a full disk nor, on Windows, a reader of the same picture stops a report.
    aside: Path | None = None
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            aside = Path(file.name)
            file.write(png)
        aside.replace(path)
        aside = None
    if aside is not None:
        with contextlib.suppress(OSError):
            aside.unlink()
    return png


def _drawn(chart: Chart) -> bytes:
    with mpl.rc_context(settings()):
        columns = 1 if len(chart.panels) == 1 else 2
        rows = math.ceil(len(chart.panels) / columns)
        plans = [PanelPlan(panel, lone=columns == 1) for panel in chart.panels]
        height = max(plan.height for plan in plans) * rows
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        grid = figure.add_gridspec(rows, columns)
        placed = [
            (plan, figure.add_subplot(grid[position // columns, position % columns]))
            for position, plan in enumerate(plans)
        ]
        for plan, axes in placed:
            plan.draw(axes)
        if any(plan.ends for plan in plans):
            figure.draw_without_rendering()
            for plan, axes in placed:
                plan.label_ends(axes)
        canvas.draw()
    return _png(canvas)


def _png(canvas: Any) -> bytes:
    """The canvas as PNG with a palette: a third of the size, and nothing in it but pixels and the density."""
    image = Image.frombuffer("RGBA", canvas.get_width_height(physical=True), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    few = image.convert("RGB").quantize(PALETTE, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, format="png", dpi=(DPI, DPI))
    return buffer.getvalue()
