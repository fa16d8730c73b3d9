"""View of the change log: how many changes there were, and which."""

from __future__ import annotations

import pandas as pd

from kcrr_analysis.indicators import ChangeLog
from kcrr_analysis.indicators.change_log import OBJECTS
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, Column, KeyFigure, Missing, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of

LISTED = 20
"""Changes listed in the report; the log has all of them."""


@build.register
def change_log(result: ChangeLog) -> Section:
    """Conclusion, counts by kind of object, the latest changes."""
    period = formats.month_range(f"{result.month.year}-01", str(result.month))
    total = int(result.rows["changes"].sum())
    before = int(result.rows["changes_year_ago"].sum())
    said = f"За период {period} в журнале {_count(total)}, за те же месяцы прошлого года — {before}."
    if total:
        reasons = int(result.rows["with_reason"].sum())
        said += f" Причина указана у {reasons} из {total}."
    blocks: list[Block] = [Paragraph(said, "conclusion"), _counts(result, period)]
    if len(result.entries):
        blocks.append(_entries(result, period))
    blocks.append(Paragraph(result.definition, "definition"))
    return Section(
        title="Журнал изменений",
        blocks=tuple(blocks),
        key_figures=(
            KeyFigure(
                key="changes",
                label="Изменений в журнале с начала года",
                value=total,
                kind="int",
                note=f"{period}; {result.interval}; год назад — {before}",
            ),
        ),
    )


def _count(total: int) -> str:
    return formats.count(total, "изменение", "изменения", "изменений")


def _counts(result: ChangeLog, period: str) -> Table:
    return Table(
        title=f"Изменения сервисов и материалов, {period}",
        columns=(
            Column("Что менялось"),
            Column("Изменений", "int"),
            Column("Годом ранее", "int"),
            Column("С причиной", "int"),
            Column("Последнее"),
        ),
        rows=tuple(
            (
                row.title,
                int(row.changes),
                int(row.changes_year_ago),
                int(row.with_reason),
                formats.EMPTY if pd.isna(row.last) else row.last.strftime("%d.%m.%Y"),
            )
            for row in rows_of(result.rows)
        ),
        notes=(f"{result.interval.capitalize()} записей журнала; польза изменений этим числом не измеряется.",),
    )


def _entries(result: ChangeLog, period: str) -> Table:
    rest = len(result.entries) - LISTED
    return Table(
        title=f"Последние изменения, {period}",
        columns=(Column("Дата"), Column("Где"), Column("Что менялось"), Column("Суть"), Column("Причина")),
        rows=tuple(
            (
                row.date.strftime("%d.%m.%Y"),
                row.place or "Регион",
                OBJECTS.get(row.object, row.object),
                row.description,
                row.reason or Missing("не указана"),
            )
            for row in rows_of(result.entries.head(LISTED))
        ),
        notes=(f"Показаны последние {LISTED}, ещё {_count(rest)} — в таблице changes.",) if rest > 0 else (),
    )
