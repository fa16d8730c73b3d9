"""One `Report` value, shown in a notebook and written as HTML, Word and JSON.

`blocks` says what a report is made of; `formats` how values read in Russian; `charts`, `html`, `word`, `json_form` and
`display` draw; `notebook_files` takes a report out of an executed notebook; `render` writes files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    FailedChapter,
    Hidden,
    Interval,
    KeyFigure,
    Kind,
    Marked,
    Missing,
    Panel,
    Paragraph,
    Report,
    Section,
    Series,
    Table,
)

if TYPE_CHECKING:
    from kcrr_analysis.reporting.display import show
    from kcrr_analysis.reporting.notebook_files import extract

__all__ = [
    "Block",
    "Cell",
    "Chart",
    "Column",
    "FailedChapter",
    "Hidden",
    "Interval",
    "KeyFigure",
    "Kind",
    "Marked",
    "Missing",
    "Panel",
    "Paragraph",
    "Report",
    "Section",
    "Series",
    "Table",
    "extract",
    "show",
]


def __getattr__(name: str) -> Any:
    """`show` and `extract`, loaded when first asked for."""
    if name == "show":
        from kcrr_analysis.reporting.display import show

        return show
    if name == "extract":
        from kcrr_analysis.reporting.notebook_files import extract

        return extract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
