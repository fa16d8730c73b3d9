"""View of the consistency warnings: what contradicts what, where, and what to do."""

from __future__ import annotations

from kcrr_analysis.indicators import Consistency
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, Column, KeyFigure, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of

LISTED = 30
"""Contradictions listed in the report."""


@build.register
def consistency(result: Consistency) -> Section:
    """Conclusion, the contradictions with remedies, how many comparisons were made."""
    period = formats.month_range(str(result.first), str(result.month))
    found = len(result.rows)
    made, skipped = int(result.checks["made"].sum()), int(result.checks["skipped"].sum())
    blocks: list[Block] = [Paragraph(_conclusion(result, period, made, skipped), "warning" if found else "conclusion")]
    if found:
        blocks.append(_warnings(result, period))
    blocks.append(_checks(result, period))
    return Section(
        title="Согласованность показателей",
        blocks=tuple(blocks),
        key_figures=(
            KeyFigure(
                key="consistency_warnings",
                label="Противоречий в показателях",
                value=found,
                kind="int",
                note=f"{period}; сравнений: {formats.integer(made)}, не сделано: {formats.integer(skipped)}",
            ),
        ),
    )


def _conclusion(result: Consistency, period: str, made: int, skipped: int) -> str:
    left = (
        f" Ещё {formats.count(skipped, 'сравнение', 'сравнения', 'сравнений')} сделать нельзя: числа скрыты, отмечены "
        "как малые или отсутствуют."
        if skipped
        else ""
    )
    done = formats.count(made, "сравнение", "сравнения", "сравнений")
    if not made:
        return f"За период {period} сверить показатели не с чем.{left}"
    if result.rows.empty:
        return f"За период {period} противоречий не найдено ({done}).{left} Это не доказывает, что сами числа верны."
    kinds = result.checks[result.checks["found"] > 0]
    names = [f"«{row.title}» — {row.found}" for row in rows_of(kinds)]
    return (
        f"За период {period} найдено {formats.count(len(result.rows), 'противоречие', 'противоречия', 'противоречий')} "
        f"({done}): {'; '.join(names)}. Исправьте данные до сдачи показателей.{left}"
    )


def _warnings(result: Consistency, period: str) -> Table:
    rest = len(result.rows) - LISTED
    return Table(
        title=f"Противоречия в показателях, {period}",
        columns=(
            Column("Где"),
            Column("Группа"),
            Column("Месяц", "month"),
            Column("Месяцев"),
            Column("Что не сходится"),
            Column("Что сделать"),
        ),
        rows=tuple(
            (row.place, row.group_title or formats.EMPTY, str(row.month), str(row.months), row.what, row.remedy)
            for row in rows_of(result.rows.head(LISTED))
        ),
        notes=(
            "Числа в скобках — за последний из месяцев с этим противоречием.",
            *((f"Показаны первые {LISTED}, всего {len(result.rows)}.",) if rest > 0 else ()),
        ),
    )


def _checks(result: Consistency, period: str) -> Table:
    return Table(
        title=f"Что сверялось, {period}",
        columns=(
            Column("Проверка"),
            Column("Сравнений", "int"),
            Column("Не сделано", "int"),
            Column("Противоречий", "int"),
        ),
        rows=tuple((row.title, int(row.made), int(row.skipped), int(row.found)) for row in rows_of(result.checks)),
        notes=("Не сделано — одно из чисел скрыто, отмечено как малое или отсутствует; скрытые числа не сверяются.",),
    )
