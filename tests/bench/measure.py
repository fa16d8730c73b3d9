"""Seconds as medians of several runs, printed as a table with ratios: machines are noisy, ratios less so."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Median seconds of one way to do a thing."""

    name: str
    seconds: float
    note: str = ""


def timed(name: str, call: Callable[[], object], repeat: int = 3, note: str = "") -> Timing:
    """Run `call` `repeat` times and keep the median."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return Timing(name, statistics.median(seconds), note)


def table(title: str, timings: list[Timing]) -> str:
    """The timings under a title, each with its ratio to the first."""
    width = max(len(timing.name) for timing in timings)
    base = timings[0].seconds
    lines = [title, "-" * len(title)]
    lines += [
        f"{timing.name:<{width}}  {timing.seconds:8.2f} s  {timing.seconds / base:6.2f} x  {timing.note}".rstrip()
        for timing in timings
    ]
    return "\n".join(lines) + "\n"
