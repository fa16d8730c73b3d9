"""How each task's result reads: one module a task, chosen by the result's type.

A view turns a result into a `Section`: the conclusion in words first, then the table and the chart it rests on, then
what was counted and what weakens it.
"""

from __future__ import annotations

from functools import singledispatch
from importlib import import_module

from kcrr_analysis.reporting.blocks import Section

_MODULES = ("data_check", "indicators", "ipk", "funnel", "experiments")


@singledispatch
def build(result: object) -> Section:
    """The section of a result; each view module registers its types."""
    raise TypeError(f"no view is registered for {type(result).__name__}")


def section(result: object) -> Section:
    """The section that shows a result.

    Raises:
        TypeError: No view knows the result's type.
    """
    for name in _MODULES:
        import_module(f"{__name__}.{name}")
    return build(result)
