"""Which cells may be shown: statistical disclosure control for small counts of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcrr_analysis.disclosure.faults import shown
from kcrr_analysis.disclosure.flow import hidden_counts, protect
from kcrr_analysis.disclosure.rule import Rule, hide
from kcrr_analysis.disclosure.withhold import withhold

if TYPE_CHECKING:
    from kcrr_analysis.disclosure.suppression import Tie, intervals, suppress

__all__ = ["Rule", "Tie", "hidden_counts", "hide", "intervals", "protect", "shown", "suppress", "withhold"]


def __getattr__(name: str) -> Any:
    # scipy.optimize is slow to import, and reports on `flow` do without it
    if name in {"Tie", "intervals", "suppress"}:
        from kcrr_analysis.disclosure import suppression

        return getattr(suppression, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
