"""The one style of the kit's charts: colours, sizes, matplotlib settings.

Colours are from the Okabe-Ito palette, which colour-blind readers tell apart; the main series is blue, context is grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl

from kcrr_analysis.reporting.blocks import Series

DPI = 200
WIDTH = 6.5  # inches: the text width of an A4 page with margins of 30 and 15 mm
MAIN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LABEL_COLOURS = ("#00609A", "#B24C00", "#007A59", "#A34E7E", "#8F6200", "#22749F")  # darker: text needs contrast
CONTEXT_COLOUR, CONTEXT_LABEL, GRID, INK, SOFT = "#9A9FA6", "#666C74", "#E3E6EA", "#1C2430", "#5A6572"
CONTEXT_LINES = ("-", "--", ":", "-.")
NO_DATA = "нет данных"
NO_VALUE = "нет значения"

# Settings that decide looks; the others (back end, tool bar) are none of a chart's business.
_FAMILIES = frozenset(
    {
        "agg",
        "axes",
        "errorbar",
        "figure",
        "font",
        "grid",
        "hatch",
        "image",
        "legend",
        "lines",
        "markers",
        "path",
        "patch",
    }
    | {"savefig", "text", "xaxis", "xtick", "yaxis", "ytick"}
)
TEXT = 9.0
PALETTE = 128  # colours
LINE = 1.25  # line height in ems
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": "#9AA3AD",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.hspace": 0.07,
    "figure.constrained_layout.wspace": 0.05,
}


def settings() -> Any:
    """All settings that decide looks: matplotlib's defaults under the kit's own, whatever a notebook has set."""
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if name.split(".")[0] in _FAMILIES}
    return {**defaults, **_STYLE}


def colours(series: Sequence[Series], palette: Sequence[str] = MAIN_COLOURS) -> list[str]:
    """A colour of the palette for each main series, grey for context."""
    context = CONTEXT_COLOUR if palette is MAIN_COLOURS else CONTEXT_LABEL
    chosen, taken = [], 0
    for one in series:
        if one.role == "context":
            chosen.append(context)
        else:
            chosen.append(palette[taken % len(palette)])
            taken += 1
    return chosen
