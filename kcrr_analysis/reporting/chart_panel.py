"""One panel of a chart: its scale, its height, its drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from kcrr_analysis.reporting import chart_labels, formats
from kcrr_analysis.reporting.blocks import Panel, Series
from kcrr_analysis.reporting.chart_style import (
    CONTEXT_LABEL,
    CONTEXT_LINES,
    DPI,
    GRID,
    INK,
    LABEL_COLOURS,
    LINE,
    NO_DATA,
    NO_VALUE,
    SOFT,
    TEXT,
    colours,
)


@dataclass(frozen=True, slots=True)
class End:
    """The label of a line's end: where the line ends, what to write, in which colour."""

    x: int | None
    y: float
    text: str
    colour: str
    main: bool

    @property
    def height(self) -> float:
        """Height in points."""
        return (self.text.count("\n") + 1) * TEXT * LINE + 2


class PanelPlan:
    """One panel: its scale, its height, its drawing."""

    def __init__(self, panel: Panel, *, lone: bool) -> None:
        self.panel = panel
        self.lone = lone
        self.values = [
            value
            for series in panel.series
            for values in (series.y, series.low, series.high)
            for value in values
            if value is not None and math.isfinite(value)
        ]
        self.categories = tuple(dict.fromkeys(name for series in panel.series for name in series.x))
        if panel.shape == "stacked":
            self.values = [total for total in self._totals().values() if total is not None]
        drawn = any(value is not None for series in panel.series for value in series.y)
        self.empty = not (drawn and self.values)
        self.scale, self.scale_word = chart_labels.scale(panel, self.values)
        self.decimals = chart_labels.decimals(panel, self.values, self.scale)
        self.ends: list[End] = [] if self.empty or panel.shape != "line" else self._ends()

    # Sizes

    @property
    def height(self) -> float:
        """Height in inches that the panel needs."""
        head = 0.25 * bool(self.panel.title) + 0.22 * self._head_lines
        if self.empty:
            return 1.5 + head
        if self.panel.shape == "line":
            labels = sum(end.height for end in self.ends) / 72
            return max(2.5 if self.lone else 1.75, labels) + head + 0.35
        axis = 0.3 if self.panel.shape == "interval" else 0.05
        below = 0.2 * bool(self._reference_label())
        return self._axes_height + head + axis + below + 0.2

    @property
    def _axes_height(self) -> float:
        """Height in inches of the axes of categories."""
        return max(len(self.categories) * self._pitch, 0.5)

    @property
    def _pitch(self) -> float:
        """Height of a category's row in inches: its bars, or its name if that takes more lines."""
        lines = max((text.count("\n") + 1 for text in self._category_labels()), default=1)
        return max(0.12 + 0.2 * self._bands, 0.155 * lines + 0.06)

    @property
    def _bands(self) -> int:
        """Rows of marks that a category holds."""
        return 1 if self.panel.shape == "stacked" else len(self.panel.series)

    def _unit(self) -> str:
        unit = self.panel.unit or {"percent": "%", "money": "₽", "points": "п. п.", "change_percent": "%"}.get(
            self.panel.kind, ""
        )
        return chart_labels.legible(f"{self.scale_word} {unit}".strip())

    @property
    def _head_lines(self) -> int:
        """Lines between the title and the axes: the unit and the legend share one where they fit."""
        unit, legend = bool(self._unit()), self._legend_needed()
        names = sum(len(series.name) + 4 for series in self.panel.series)
        apart = unit and legend and names + len(self._unit()) > (44 if self.lone else 16)
        return 2 if apart else int(unit or legend)

    def _legend_needed(self) -> bool:
        return self.panel.shape != "line" and len(self.panel.series) > 1

    def _category_labels(self) -> list[str]:
        return [chart_labels.wrapped(name, 34 if self.lone else 20, 3) for name in self.categories]

    def _reference_label(self) -> str:
        if self.panel.reference is None:
            return ""
        value, label = self.panel.reference
        return chart_labels.legible(f"{label}: {self._shown(value)}") if label.strip() else ""

    # Values

    def _shown(self, value: float) -> str:
        return formats.plain(value / self.scale, self.panel.kind, self.decimals)

    def _scaled(self, values: Sequence[float | None]) -> list[float]:
        return [math.nan if value is None else value / self.scale for value in values]

    def _totals(self) -> dict[str, float | None]:
        """Sum of the series by category; None where one of them has no value, for then there is no sum to show."""
        parts = [dict(zip(series.x, series.y, strict=True)) for series in self.panel.series]
        totals: dict[str, float | None] = {}
        for name in self.categories:
            values = [part.get(name) for part in parts]
            known = [value for value in values if value is not None]
            totals[name] = sum(known) if len(known) == len(values) else None
        return totals

    def _ends(self) -> list[End]:
        ends = []
        for series, colour in zip(self.panel.series, colours(self.panel.series, LABEL_COLOURS), strict=True):
            present = [(formats.month_index(x), y) for x, y in zip(series.x, series.y, strict=True) if y is not None]
            if present:
                month, last = max(present)
                text = self._named(series.name, last)
                ends.append(End(month, last / self.scale, text, colour, series.role == "main"))
        if self.panel.reference is not None and self.panel.reference[1].strip():
            text = self._named(self.panel.reference[1], self.panel.reference[0])
            ends.append(End(None, self.panel.reference[0] / self.scale, text, CONTEXT_LABEL, main=False))
        return ends

    def _named(self, name: str, value: float) -> str:
        """A name and a value, in lines that fit beside the axes; a long name is cut, the value never."""
        width = 22 if self.lone else 12
        shown = self._shown(value)
        if not name.strip():
            return shown
        lines = chart_labels.wrapped(name, width, 3).split("\n")
        if len(lines[-1]) + 2 + len(shown) <= width:
            return "\n".join([*lines[:-1], f"{lines[-1]}: {shown}"])
        return "\n".join([*lines[:-1], f"{lines[-1]}:", shown])

    def _limits(self) -> tuple[float, float]:
        values = [value / self.scale for value in self.values]
        if self.panel.reference is not None:
            values.append(self.panel.reference[0] / self.scale)
        low, high = min(values), max(values)
        from_zero = self._bars or 0 <= low <= 0.6 * high
        if from_zero:
            low, high = min(low, 0), max(high, 0)
        if low == high:
            pad = max(abs(low) * 0.1, 1 if self.panel.kind in {"int", "change"} else 0) or 1
            return (low if from_zero else low - pad), high + pad
        pad = (high - low) * 0.06
        return (low if from_zero and low >= 0 else low - pad), (high if from_zero and high <= 0 else high + pad)

    @property
    def _bars(self) -> bool:
        return self.panel.shape in {"bar", "stacked"}

    # Drawing

    def draw(self, axes: Axes) -> None:
        """Draws the panel; the names at the ends of lines are written afterwards (`label_ends`)."""
        unit = "" if self.empty else self._unit()
        above = 0 if self.empty else self._head_lines
        if self.panel.title:
            # A title begins where the axes do, and names of categories take more room than numbers.
            width = (60, 27) if self.panel.shape == "line" or self.empty else (38, 18)
            axes.set_title(chart_labels.wrapped(self.panel.title, width[not self.lone], 3), pad=7 + 13 * above)
        if self.empty:
            self._draw_nothing(axes)
            return
        if unit:
            axes.annotate(
                unit, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
                color=SOFT, fontsize=8.5, va="bottom", ha="left",
            )  # fmt: skip
        if self.panel.shape == "line":
            self._draw_lines(axes)
        else:
            self._draw_categories(axes)

    def _draw_nothing(self, axes: Axes) -> None:
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set(visible=True, color=GRID)
        axes.text(0.5, 0.5, NO_DATA, transform=axes.transAxes, ha="center", va="center", color=SOFT, fontsize=11)

    def _draw_lines(self, axes: Axes) -> None:
        low, high = self._limits()
        shades = colours(self.panel.series)
        contexts = iter(CONTEXT_LINES * len(self.panel.series))
        months: list[int] = []
        for series, colour in zip(self.panel.series, shades, strict=True):
            places = [formats.month_index(month) for month in series.x]
            ordered = sorted(range(len(places)), key=places.__getitem__)
            x = [places[i] for i in ordered]
            y = self._scaled([series.y[i] for i in ordered])
            months += x
            main = series.role == "main"
            line_style = "-" if main else next(contexts)
            axes.plot(x, y, color=colour, lw=2.2 if main else 1.5, ls=line_style, zorder=3 if main else 2)
            marked = _marked(y)
            axes.plot(
                [x[i] for i in marked], [y[i] for i in marked], ls="none", marker="o", color=colour,
                ms=4.5 if main else 3.5, zorder=4 if main else 2, clip_on=False,
            )  # fmt: skip
            if series.low and series.high:
                bottom = self._scaled([series.low[i] for i in ordered])
                top = self._scaled([series.high[i] for i in ordered])
                axes.fill_between(x, bottom, top, color=colour, alpha=0.16, lw=0, zorder=1)
        if self.panel.reference is not None:
            axes.axhline(self.panel.reference[0] / self.scale, color=SOFT, lw=1, ls=(0, (4, 3)), zorder=1)
        first, last = min(months), max(months)
        alone = first == last
        axes.set_xlim(first - (1 if alone else 0.02 * (last - first)), last + (1 if alone else 0))
        ticks = chart_labels.month_ticks(first, last, 7 if self.lone else 3)
        axes.set_xticks(ticks, [formats.month_short(tick) for tick in ticks])
        axes.set_ylim(low, high)
        axes.grid(axis="y")
        levels, words = chart_labels.number_ticks(low, high, self.panel, count=5 if self.lone else 4)
        axes.set_yticks(levels, words)

    def label_ends(self, axes: Axes) -> None:
        """Writes the names at the ends of the lines, moved apart where they would touch."""
        if not self.ends:
            return
        box = axes.get_window_extent()
        scale = 72 / DPI
        bottom, top = axes.get_ylim()
        wanted = [(end.y - bottom) / (top - bottom) * box.height * scale for end in self.ends]
        placed = chart_labels.spread(wanted, [end.height for end in self.ends], box.height * scale)
        edge = axes.get_xlim()[1]
        for end, at, to in zip(self.ends, wanted, placed, strict=True):
            moved = abs(to - at) > 3
            if end.x is not None and end.x < edge:
                axes.plot([end.x, edge], [end.y] * 2, color=end.colour, lw=0.7, ls=(0, (1, 3)), zorder=1)
            axes.annotate(
                end.text, (edge, end.y), (12, to - at), xycoords="data", textcoords="offset points",
                va="center", ha="left", color=end.colour, fontsize=TEXT, linespacing=LINE * 0.9,
                fontweight="bold" if end.main else "normal", annotation_clip=False,
                arrowprops={
                    "arrowstyle": "-", "color": end.colour, "lw": 0.7, "shrinkA": 1, "shrinkB": 3,
                    "relpos": (0, 0.5),
                } if moved else None,
            )  # fmt: skip

    def _draw_categories(self, axes: Axes) -> None:
        rows = {name: position for position, name in enumerate(self.categories)}
        groups = self._bands
        shades = colours(self.panel.series)
        whole = min(0.76, 0.27 * groups / self._pitch)
        band = whole / groups
        stacked = self.panel.shape == "stacked"
        if stacked:
            self._draw_stacks(axes, shades, whole)
        side_by_side = () if stacked else tuple(zip(self.panel.series, shades, strict=True))
        for order, (series, colour) in enumerate(side_by_side):
            places = [rows[name] - whole / 2 + band * (order + 0.5) for name in series.x]
            if self.panel.shape == "bar":
                self._draw_bars(axes, series, places, band, colour)
            else:
                self._draw_points(axes, series, places, colour)
        low, high = self._limits()
        axes.set_xlim(*self._room_for_labels(low, high))
        axes.set_ylim(len(self.categories) - 0.45, -0.55)
        axes.set_yticks(range(len(self.categories)), self._category_labels())
        axes.tick_params(axis="y", labelcolor=INK, labelsize=TEXT)
        if self._bars:
            axes.set_xticks([])
            axes.spines["bottom"].set_visible(False)
            axes.axvline(0, color="#7C8792", lw=0.9, zorder=4)
        else:
            axes.grid(axis="x")
            ticks, words = chart_labels.number_ticks(low, high, self.panel, count=5 if self.lone else 3)
            axes.set_xticks(ticks, words)
        self._draw_reference(axes)
        if len(self.panel.series) > 1:
            axes.legend(
                handles=[
                    Patch(color=colour, label=chart_labels.legible(series.name))
                    for series, colour in zip(self.panel.series, shades, strict=True)
                ],
                loc="lower right", bbox_to_anchor=(1, 1 + (self._head_lines - 1) * 0.19 / self._axes_height),
                ncols=min(len(self.panel.series), 3), frameon=False,
                borderaxespad=0.2, handlelength=0.9, handleheight=0.9, columnspacing=1.2, fontsize=8.5,
            )  # fmt: skip

    def _draw_bars(self, axes: Axes, series: Series, places: Sequence[float], band: float, colour: str) -> None:
        values = self._scaled(series.y)
        axes.barh(places, [0 if math.isnan(v) else v for v in values], height=band * 0.92, color=colour, zorder=2)
        self._whiskers(axes, series, places, INK)
        self._value_labels(axes, series, places)

    def _draw_stacks(self, axes: Axes, shades: Sequence[str], height: float) -> None:
        """One bar a category: its parts end to end, the sum behind them."""
        totals = self._totals()
        left = dict.fromkeys(self.categories, 0.0)
        for series, colour in zip(self.panel.series, shades, strict=True):
            for name, value in zip(series.x, series.y, strict=True):
                if value is not None and totals[name] is not None:
                    row, width = self.categories.index(name), value / self.scale
                    axes.barh(row, width, left=left[name], height=height, color=colour, zorder=2)
                    left[name] += width
        sums = Series("", self.categories, tuple(totals[name] for name in self.categories))
        self._value_labels(axes, sums, range(len(self.categories)))

    def _draw_points(self, axes: Axes, series: Series, places: Sequence[float], colour: str) -> None:
        self._whiskers(axes, series, places, colour)
        axes.plot(self._scaled(series.y), places, ls="none", marker="o", ms=6.5, color=colour, zorder=4)
        self._value_labels(axes, series, places)

    def _whiskers(self, axes: Axes, series: Series, places: Sequence[float], colour: str) -> None:
        if not (series.low and series.high):
            return
        for place, low, high in zip(places, self._scaled(series.low), self._scaled(series.high), strict=True):
            if not (math.isnan(low) or math.isnan(high)):
                axes.plot([low, high], [place, place], color=colour, lw=1.6, zorder=3)
                axes.plot([low, high], [place, place], ls="none", marker="|", ms=7, color=colour, zorder=3)

    def _value_labels(self, axes: Axes, series: Series, places: Sequence[float]) -> None:
        tops = self._scaled(series.high or series.y)
        bottoms = self._scaled(series.low or series.y)
        for place, raw, bottom, top in zip(places, series.y, bottoms, tops, strict=True):
            if raw is None:
                at, side, text, colour = 0.0, 1, NO_VALUE, SOFT
                if self.panel.shape == "interval":
                    at = self._limits()[0]
            else:
                value = raw / self.scale
                side = -1 if self.panel.shape == "bar" and value < 0 else 1
                far = [v for v in (value, bottom, top) if not math.isnan(v)]
                at, text, colour = (min(far) if side < 0 else max(far)), self._shown(raw), INK
            axes.annotate(
                text, (at, place), (5 * side, 0), textcoords="offset points", va="center_baseline",
                ha="left" if side > 0 else "right", fontsize=8.5, color=colour, annotation_clip=False, zorder=5,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )  # fmt: skip

    def _room_for_labels(self, low: float, high: float) -> tuple[float, float]:
        """Axis limits that leave the value labels their place inside the axes."""
        inch = 0.07 * max((len(self._shown(v)) for v in self.values), default=0) + 0.12
        width = 3.6 if self.lone else 1.5
        right = (high - low) * min(inch / (width - inch), 1.5) if high > 0 or self.panel.shape != "bar" else 0
        left = (high - low) * min(inch / (width - inch), 1.5) if low < 0 and self.panel.shape == "bar" else 0
        return low - left, high + right

    def _draw_reference(self, axes: Axes) -> None:
        if self.panel.reference is None:
            return
        at = self.panel.reference[0] / self.scale
        axes.axvline(at, color=SOFT, lw=1, ls=(0, (4, 3)), zorder=3)
        if self._reference_label():
            below = -4 if self._bars else -20
            axes.annotate(
                self._reference_label(), (at, 0), (0, below), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="top", ha="center", fontsize=8.5, color=CONTEXT_LABEL,
                annotation_clip=False,
            )  # fmt: skip


def _marked(values: Sequence[float]) -> list[int]:
    """Points that get a dot: the last one, and those that no line reaches."""
    present = [i for i, value in enumerate(values) if not math.isnan(value)]
    alone = [i for i in present if i - 1 not in present and i + 1 not in present]
    return sorted({*alone, *present[-1:]})
