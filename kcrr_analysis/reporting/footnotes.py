"""The lines under a table that disclosure control adds: what «скрыто» and «*» mean."""

from __future__ import annotations

from collections.abc import Iterable

from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Hidden, KeyFigure, Marked, Report, Table

INTERNAL_MARK = "Для служебного пользования"


def _fewer(threshold: int | None) -> str:
    if threshold is None:
        return "человек меньше порога публикации"
    return f"меньше {threshold}{formats.NBSP}человек"


def notes(table: Table, threshold: int | None = None) -> tuple[str, ...]:
    """The table's own notes and, once each, what its hidden and marked cells mean.

    Args:
        table: The table.
        threshold: Below how many people a count is small; None where it is not known.
    """
    return (*table.notes, *_explained((cell for row in table.rows for cell in row), threshold))


def figure_notes(figures: Iterable[KeyFigure], threshold: int | None = None) -> tuple[str, ...]:
    """What hidden and marked headline figures mean, once each."""
    return _explained((cell for figure in figures for cell in (figure.value, figure.change)), threshold)


def _explained(cells: Iterable[Cell], threshold: int | None) -> tuple[str, ...]:
    kinds = {type(cell) for cell in cells}
    lines = []
    if Hidden in kinds:
        lines.append(
            f"«{formats.HIDDEN}» – {_fewer(threshold)} либо число, по которому такое значение можно вычислить."
        )
    if Marked in kinds:
        lines.append(
            f"{formats.MARK} {_fewer(threshold)} либо число, по которому такое можно вычислить: не публиковать."
        )
    return tuple(lines)


def notices(report: Report) -> tuple[str, ...]:
    """Lines that stand at the top of the report; an internal report says so first."""
    if report.disclosure == "public":
        return report.notices
    internal = (
        f"{INTERNAL_MARK}: показаны малые числа ({_fewer(report.threshold)}) и те, что их раскрывают; они отмечены "
        f"знаком «{formats.MARK}». Не публиковать."
    )
    return (internal, *report.notices)
