"""What is written in a chart: the unit's scale, ticks, names in lines, and places where labels do not touch."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import MaxNLocator

from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Panel


def spread(wanted: Sequence[float], heights: Sequence[float], room: float) -> list[float]:
    """Places for labels, as near to the wanted ones as they can be without touching.

    Args:
        wanted: Wished middles, in points from the bottom.
        heights: Heights of the labels.
        room: Height of the axes; the labels stay inside it where they fit.

    Returns:
        Middles in the order of `wanted`. Labels that touch form a block around the mean of what they wished.

    >>> spread([50, 50], [10, 10], 100)
    [55.0, 45.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))
    blocks: list[tuple[list[int], float]] = []  # members from below, bottom edge

    def settled(members: list[int]) -> float:
        tall = sum(heights[i] for i in members)
        offset, wish = 0.0, 0.0
        for i in members:
            wish += wanted[i] - offset - heights[i] / 2
            offset += heights[i]
        bottom = wish / len(members)
        return max(min(bottom, room - tall), 0.0) if tall <= room else (room - tall) / 2

    for i in order:
        members = [i]
        bottom = settled(members)
        while blocks and bottom < blocks[-1][1] + sum(heights[j] for j in blocks[-1][0]):
            members = blocks.pop()[0] + members
            bottom = settled(members)
        blocks.append((members, bottom))
    placed = [0.0] * len(wanted)
    for members, bottom in blocks:
        edge = bottom
        for i in members:
            placed[i] = edge + heights[i] / 2
            edge += heights[i]
    return placed


def scale(panel: Panel, values: Sequence[float]) -> tuple[float, str]:
    """What values are divided by, and the word for it in the unit: millions and more are written as such."""
    top = max((abs(value) for value in values), default=0)
    if panel.kind not in {"percent", "points", "change_percent"}:
        for size, word in ((1e12, "трлн"), (1e9, "млрд"), (1e6, "млн")):
            if top >= size:
                return size, word
    return 1.0, ""


def decimals(panel: Panel, values: Sequence[float], size: float) -> int | None:
    """Digits after the comma of written values; None leaves it to the kind."""
    if size > 1:
        return 1 if max(abs(value) for value in values) / size >= 100 else 2
    if panel.kind == "number" and all(float(value).is_integer() for value in values):
        return 0
    top = max((abs(value) for value in values), default=0)
    if formats.default_decimals(panel.kind) and 0 < top < 1:
        return min(6, 1 - math.floor(math.log10(top)))
    return None


def month_ticks(first: int, last: int, most: int) -> list[int]:
    """Months to write under the axis: the last one, and back from it in equal steps."""
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):
        ticks = list(range(last, first - 1, -step))
        if len(ticks) <= most:
            return ticks[::-1]
    return [last]


def number_ticks(low: float, high: float, panel: Panel, count: int) -> tuple[list[float], list[str]]:
    """Places of ticks between the limits and what is written at them."""
    whole = panel.kind in {"int", "change"}
    locator = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10], integer=whole and high - low >= 2)
    margin = (high - low) * 1e-9
    places = [float(v) for v in locator.tick_values(low, high) if low - margin <= v <= high + margin]
    step = places[1] - places[0] if len(places) > 1 else 1.0
    digits = next((d for d in range(7) if abs(round(step, d) - step) < step * 1e-6), 6)
    return places, [formats.plain(place, panel.kind, digits) for place in places]


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def legible(text: str) -> str:
    """Text that the font can draw; what it cannot becomes the replacement sign."""
    return "".join(c if ord(c) in _glyphs() else "\N{REPLACEMENT CHARACTER}" for c in formats.clean(text))


def wrapped(text: str, width: int, lines: int) -> str:
    """Text in lines of at most `width` characters; no-break spaces hold."""
    found = textwrap.wrap(legible(text), width, break_on_hyphens=False)
    if len(found) > lines:
        found = [*found[: lines - 1], textwrap.shorten(" ".join(found[lines - 1 :]), width, placeholder="…")]
    return "\n".join(found)
