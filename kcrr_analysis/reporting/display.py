"""What a notebook shows: blocks while one works, and the published report at the end."""

from __future__ import annotations

from typing import Any

from kcrr_analysis.reporting import formats, json_form
from kcrr_analysis.reporting.blocks import Block, Report, Section, Table


def mimebundle(report: Report) -> dict[str, Any]:
    """The report in the three forms that a notebook keeps: HTML, JSON and a few lines of text.

    The JSON form is what `notebook_files.extract` reads back, so that a report shown is a report published.
    """
    from kcrr_analysis.reporting import html

    return {
        json_form.MIME: json_form.to_dict(report),
        "text/html": html.fragment(report),
        "text/plain": summary(report),
    }


def summary(report: Report) -> str:
    """The report in a few lines: title, region, period, headline figures."""
    lines = [formats.clean(f"{report.title} – {report.region_name}, {report.period}")]
    for figure in report.key_figures:
        shown = formats.cell(figure.value, figure.kind)
        lines.append(f"{figure.label}: {shown} {figure.unit}".rstrip())
    return "\n".join(lines)


class Shown:
    """Blocks on display in a notebook; made by `show`."""

    def __init__(self, *blocks: Block | Section | Report) -> None:
        self.blocks = blocks

    def _repr_html_(self) -> str:
        from kcrr_analysis.reporting import html

        return "\n".join(html.fragment(block) for block in self.blocks)

    def __repr__(self) -> str:
        return "\n".join(_plain(block) for block in self.blocks)


def show(*blocks: Block | Section | Report) -> Shown:
    """Shows blocks in a notebook as they will look in the report; nothing is published by it.

    Args:
        *blocks: Tables, charts, paragraphs, sections, or a whole report to look at.

    >>> from kcrr_analysis.reporting import Paragraph
    >>> show(Paragraph("Обратилось 5 человек."))
    Обратилось 5 человек.
    """
    return Shown(*blocks)


def _plain(block: Block | Section | Report) -> str:
    if isinstance(block, Report):
        return summary(block)
    if isinstance(block, Table):
        return _plain_table(block)
    if isinstance(block, Section):
        return "\n".join([block.title, *(_plain(part) for part in block.blocks)])
    return formats.clean(getattr(block, "text", "") or getattr(block, "title", ""))


def _plain_table(table: Table) -> str:
    lines = [table.title, " | ".join(column.title for column in table.columns)]
    for row in table.rows:
        cells = (
            formats.cell(cell, column.kind, column.decimals) for cell, column in zip(row, table.columns, strict=True)
        )
        lines.append(" | ".join(cells))
    return "\n".join(formats.clean(line) for line in lines)
