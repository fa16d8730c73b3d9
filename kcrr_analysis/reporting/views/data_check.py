"""View of the data check: what was read, what is wrong and where, what is off because a table is missing."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from kcrr_analysis.errors import Fault
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Block,
    Chart,
    Column,
    KeyFigure,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.tables import TABLES, CheckResult

SHOWN = 100
"""Faults listed in a chapter; `kcrr check` lists all of them."""


@build.register
def data_check(result: CheckResult) -> Section:
    """Verdict, files read, faults, missing tables, how many centres reported by month.

    Faults stand here as they are given: `open_chapter` has withheld what the disclosure rule does not let out.
    """
    errors, warnings = result.errors, result.warnings
    blocks: list[Block] = [Paragraph(_verdict(result), "conclusion"), _files(result)]
    if errors:
        blocks.append(_faults("Ошибки: исправьте до построения отчётов", errors))
    if warnings:
        blocks.append(_faults("Предупреждения: проверьте", warnings))
    blocks += _missing(result)
    blocks += _reporting_centres(result)
    return Section(
        title="Что прочитано и что исправить",
        blocks=tuple(blocks),
        key_figures=(
            KeyFigure("data_errors", "Ошибок в данных", len(errors), "int"),
            KeyFigure("data_warnings", "Предупреждений", len(warnings), "int"),
        ),
    )


def _verdict(result: CheckResult) -> str:
    errors, warnings = len(result.errors), len(result.warnings)
    files = formats.count(len(result.sources), "файл", "файла", "файлов")
    also = (
        f" Есть {formats.count(warnings, 'предупреждение', 'предупреждения', 'предупреждений')}: "
        "отчёты строятся, но указанные значения стоит проверить."
        if warnings
        else ""
    )
    if not errors:
        return f"Прочитано: {files}. Ошибок нет, по этим данным можно строить отчёты.{also}"
    found = formats.count(errors, "ошибка", "ошибки", "ошибок")
    tables = Counter(fault.table for fault in result.errors if fault.table)
    where = formats.enumeration([f"{_title(name)} ({n})" for name, n in tables.most_common()])
    return (
        f"Прочитано: {files}. Найдено: {found}{f' — {where}' if where else ''}. "
        f"Отчёты, которым нужны эти таблицы, не строятся, пока ошибки не исправлены.{also}"
    )


def _title(name: str) -> str:
    return f"«{TABLES[name].title}»" if name in TABLES else name


def _files(result: CheckResult) -> Table:
    rows = []
    for source in result.sources:
        frame = result.tables.get(source.table)
        rows.append(
            (
                source.file,
                TABLES[source.table].title if source.table in TABLES else source.table,
                source.rows,
                _months(frame),
                sum(fault.file == source.file and fault.severity == "error" for fault in result.errors),
            )
        )
    return Table(
        title="Прочитанные файлы",
        columns=(
            Column("Файл"),
            Column("Таблица"),
            Column("Строк в файле", "int"),
            Column("Период"),
            Column("Ошибок", "int"),
        ),
        rows=tuple(rows),
        notes=("Число строк — по файлу целиком; период — по строкам этого региона.",),
    )


def _months(frame: pd.DataFrame | None) -> str:
    if frame is None or "month" not in frame or not frame["month"].notna().any():
        return ""
    return formats.month_range(str(frame["month"].min()), str(frame["month"].max()))


def _faults(title: str, faults: tuple[Fault, ...]) -> Table:
    rest = len(faults) - SHOWN
    return Table(
        title=title,
        columns=(
            Column("Файл"),
            Column("Строка"),
            Column("Столбец"),
            Column("Значение"),
            Column("Что не так"),
            Column("Что сделать"),
        ),
        rows=tuple(
            (
                fault.file,
                "" if fault.row is None else str(fault.row),
                fault.column,
                fault.values,
                fault.message,
                fault.remedy,
            )
            for fault in faults[:SHOWN]
        ),
        notes=(f"Показаны первые {SHOWN}, всего {len(faults)}. Полный список: kcrr check ПАПКА.",) if rest > 0 else (),
    )


def _missing(result: CheckResult) -> list[Block]:
    absent = [contract.title for name, contract in TABLES.items() if name not in result.tables]
    if not absent:
        return []
    named = formats.enumeration([f"«{title}»" for title in absent])
    return [Paragraph(f"Нет таблиц: {named}. Разделы, которым они нужны, в отчётах не строятся.", "note")]


def _reporting_centres(result: CheckResult) -> list[Block]:
    flow, centers = result.tables.get("flow"), result.tables.get("centers")
    if flow is None or centers is None or centers.empty:
        return []
    rows = flow[(flow["scope"] == "center") & (flow["period"] == "month") & (flow["client_group"] == "all")]
    if rows["month"].nunique() < 2:
        return []
    months = pd.period_range(rows["month"].min(), rows["month"].max(), freq="M")
    reported = rows.groupby("month")["center_id"].nunique().reindex(months, fill_value=0)
    all_centres = int(centers["center_id"].nunique())
    worst = int(reported.min())
    if worst >= all_centres:
        every = formats.count(all_centres, "центр", "центра", "центров")
        return [Paragraph(f"В помесячных данных за {_months(rows)} есть каждый центр ({every}) за каждый месяц.")]
    line = Series("Отчитались", tuple(str(month) for month in months), tuple(float(n) for n in reported))
    return [
        Chart(
            title="Сколько центров есть в помесячных данных",
            panels=(
                Panel("line", (line,), unit="центров", kind="int", reference=(float(all_centres), "Всего центров")),
            ),
            alt=(
                f"Линейный график: число центров с данными по месяцам, от {worst} до {int(reported.max())} "
                f"из {all_centres}."
            ),
        )
    ]
