"""A report as HTML: a page that stands alone, and a fragment for a notebook.

Nothing refers to an outside address: styles are inline, pictures are data. All text from data is escaped by the
template engine. The fragment's styles touch only what is inside it and follow JupyterLab's light and dark themes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kcrr_analysis.reporting import footnotes, formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Hidden,
    KeyFigure,
    Missing,
    Paragraph,
    Report,
    Section,
    Table,
)

_FIGURE_WIDTH = 720  # CSS pixels
_FOLDER = Path(__file__).parent / "templates"


def page(report: Report) -> str:
    """The report as one self-contained page."""
    return (
        _environment()
        .get_template("page.html")
        .render(report=report, style=_style("report.css", "page.css"), content=_content(report))
    )


def fragment(block: Block | Section | Report) -> str:
    """A block, section or report for a notebook's output.

    Tables and figures are numbered only in a whole report.
    """
    environment, style = _environment(), _style("report.css")
    if isinstance(block, Report):
        return environment.get_template("report.html").render(report=block, style=style, content=_content(block))
    section = block if isinstance(block, Section) else Section("", (block,))
    return environment.get_template("part.html").render(
        style=style,
        section=_section(section, None, None, None),
        cards=_cards(section.key_figures),
        card_notes=footnotes.figure_notes(section.key_figures),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.globals["internal_mark"] = footnotes.INTERNAL_MARK
    return environment


def _finalize(value: Any) -> Any:
    """Every text that reaches the page is cleaned; escaping follows."""
    return formats.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _style(*names: str) -> Markup:
    # The style sheets are ours; they hold no data.
    return Markup("\n".join((_FOLDER / name).read_text(encoding="utf-8").strip() for name in names))  # noqa: S704


def _content(report: Report) -> dict[str, Any]:
    tables, figures = count(1), count(1)
    return {
        "notices": footnotes.notices(report),
        "cards": _cards(report.key_figures),
        "card_notes": footnotes.figure_notes(report.key_figures, report.threshold),
        "sections": [_section(section, tables, figures, report.threshold) for section in report.sections],
    }


def _section(
    section: Section, tables: Iterator[int] | None, figures: Iterator[int] | None, threshold: int | None
) -> dict[str, Any]:
    blocks = []
    for block in section.blocks:
        if isinstance(block, Table):
            blocks.append(_table(block, _label("Таблица", tables), threshold))
        elif isinstance(block, Chart):
            blocks.append(_chart(block, _label("Рисунок", figures)))
        else:
            blocks.append(_paragraph(block))
    return {"title": section.title, "blocks": blocks}


def _label(word: str, numbers: Iterator[int] | None) -> str:
    return "" if numbers is None else f"{word}{formats.NBSP}{next(numbers)} – "


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    return {"kind": "paragraph", "role": paragraph.role, "text": paragraph.text}


def _table(table: Table, label: str, threshold: int | None) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": label + table.title,
        "columns": [{"title": column.title, "side": _side(column)} for column in table.columns],
        "rows": [
            {
                "cells": [_table_cell(cell, column) for cell, column in zip(row, table.columns, strict=True)],
                "strong": position in table.emphasised,
            }
            for position, row in enumerate(table.rows)
        ],
        "row_headers": bool(table.columns) and not formats.is_numeric(table.columns[0].kind),
        "notes": footnotes.notes(table, threshold),
    }


def _table_cell(cell: Cell, column: Column) -> dict[str, str]:
    absent = " kcrr-absent" if cell is None or isinstance(cell, Hidden | Missing) else ""
    return {"text": formats.cell(cell, column.kind, column.decimals), "side": _side(column) + absent}


def _side(column: Column) -> str:
    return "num" if formats.is_numeric(column.kind) else "txt"


def _chart(chart: Chart, label: str) -> dict[str, Any]:
    from kcrr_analysis.reporting import charts

    picture = charts.draw(chart)
    return {
        "kind": "chart",
        "caption": label + chart.title,
        "alt": chart.alt,
        "width": _FIGURE_WIDTH,
        # base64 of our own picture: nothing to escape.
        "source": Markup("data:image/png;base64," + base64.b64encode(picture.png).decode("ascii")),  # noqa: S704
        "notes": chart.notes,
    }


def _cards(key_figures: tuple[KeyFigure, ...]) -> list[dict[str, str]]:
    cards = []
    for figure in key_figures:
        known = figure.change is not None
        cards.append(
            {
                "label": figure.label,
                "value": formats.cell(figure.value, figure.kind),
                "long": "" if isinstance(figure.value, int | float) else " kcrr-words",
                "unit": figure.unit,
                "change": formats.cell(figure.change, "change_percent") if known else "",
                "note": figure.note,
            }
        )
    return cards
