"""The data contracts as a page for analysts: `python -m kcrr_analysis.tables.document` writes docs/tables.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from kcrr_analysis.tables.columns import ColumnContract, Kind, TableContract
from kcrr_analysis.tables.contracts import TABLES

_KINDS: dict[Kind, str] = {
    "code": "код",
    "text": "текст",
    "month": "месяц",
    "date": "дата",
    "time": "дата и время с часовым поясом",
    "year": "год",
    "count": "целое число",
    "number": "число",
    "money": "сумма",
    "share": "доля (0,12 или 12 %)",
    "flag": "да/нет",
    "choice": "одно из значений",
}

_INTRO = """\
# Таблицы данных

Страница создана программой (`make docs`) из описаний в `kcrr_analysis/tables/contracts.py`.

Одна таблица — один файл: `<таблица>.csv`, `.xlsx`, `.xls` или `.parquet`. Таблицу можно разложить на части
(`flow.2024.csv`, `flow.2025.csv`), а данные одного региона положить в папку с его кодом (`77/flow.csv`). Заголовок
столбца — код или русское название, регистр и знаки препинания не важны. Лишние столбцы сохраняются. Код — это текст:
`01` остаётся `01`. Пустая ячейка, «–», «н/д» и «нет данных» означают, что значения нет.

Обязательны только столбцы с пометкой «да». Если таблицы нет, разделы, которым она нужна, не строятся, и отчёт об этом
говорит.
"""


def page() -> str:
    """The page in Markdown: every table with its file name, key and columns."""
    return "\n".join([_INTRO, *(_table(table) for table in TABLES.values())])


def _table(table: TableContract) -> str:
    lines = [
        f"## {table.title}: `{table.name}`",
        "",
        f"Строку определяют: {', '.join(f'`{name}`' for name in table.key)}.",
        "",
        "| код | заголовок | вид | обязателен |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{column.name}` | {column.title}{f', {column.unit}' if column.unit else ''} | {_kind(column)} "
        f"| {'да' if column.required else ''} |"
        for column in table.columns.values()
    ]
    lines += [
        f"\nХотя бы один из столбцов должен быть в файле: {', '.join(f'`{name}`' for name in names)}."
        for names in table.one_of
    ]
    return "\n".join([*lines, ""])


def _kind(column: ColumnContract) -> str:
    said = _KINDS[column.kind]
    if column.choices:
        options = (f"`{code}` ({words[0]})" if words else f"`{code}`" for code, words in column.choices.items())
        said += ": " + ", ".join(options)
    bounds = [f"{word} {bound:g}" for word, bound in (("от", column.low), ("до", column.high)) if bound is not None]
    if bounds and column.kind not in {"share", "year"}:
        said += f", {' '.join(bounds)}".replace(".", ",")
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/tables.md"))
    parser.parse_args().out.write_text(page(), encoding="utf-8", newline="\n")
