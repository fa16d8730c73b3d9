"""`docs/methodology_coverage.md`: where each of the checklist's 140 rows lives, or that it is still to come.

`python -m kcrr_analysis.methodology.coverage` writes the file; with `--check` it only compares and exits with 1
where the file is out of date.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from kcrr_analysis.errors import KcrrError, ParameterError
from kcrr_analysis.methodology.checklist import Checklist, Reference, Row, Status, checklist, unknown_references
from kcrr_analysis.methodology.dictionaries import Methodology
from kcrr_analysis.methodology.overrides import load
from kcrr_analysis.paths import root

PLACE = Path("docs") / "methodology_coverage.md"

_ROOMS = {
    "indicators": "показатели",
    "ipk": "индекс ИПК",
    "funnel": "воронка",
    "forecasting": "прогноз",
    "experiments": "апробации",
    "surveys": "опросы",
    "calibration": "калибровка",
    "costs": "стоимость",
    "attribution": "атрибуция",
}
_STATUSES: Mapping[Status, str] = {
    "computed": "вычисляется",
    "partly": "частично",
    "field": "есть: поле",
    "dictionary": "есть: словарь",
    "planned": "ещё впереди",
}
_SUMMARY: Mapping[Status, str] = {
    "computed": "Вычисляется",
    "field": "Учитывается в поле, расчёта строка не требует",
    "dictionary": "Есть в словаре, расчёта строка не требует",
    "partly": "Частично: основа есть, расчёт впереди",
    "planned": "Ещё впереди целиком",
}
_DICTIONARIES = {
    "stages": "этапы",
    "tools": "инструменты",
    "groups": "группы",
    "departments": "подразделения",
    "indicators": "показатели",
    "measures": "меры",
    "regions": "регионы",
    "index": "схема ИПК",
}


def document(listed: Checklist | None = None, methodology: Methodology | None = None) -> str:
    """The text of the document: a summary, then a table for each part of the checklist."""
    listed = listed or checklist()
    methodology = methodology or load()
    lines = [
        "# Покрытие методики",
        "",
        "Файл построен командой `python -m kcrr_analysis.methodology.coverage`; правьте не его, а",
        "`kcrr_analysis/methodology/data/checklist.yaml`.",
        "",
        "Методика перечисляет 140 требований. Ниже — где каждое из них живёт в наборе: статья словаря, столбец",
        "таблицы данных или расчёт. «Частично» значит, что основа есть, а расчёта числа ещё нет; рядом названа",
        "комната набора, где он появится.",
        "",
        "| Состояние | Строк |",
        "|---|---:|",
    ]
    counts = Counter(row.status for row in listed.rows.values())
    lines += [f"| {title} | {counts[status]} |" for status, title in _SUMMARY.items()]
    lines += [f"| **Всего** | **{len(listed.rows)}** |", ""]
    for letter, title in listed.parts.items():
        lines += [f"## {letter}. {title}", "", "| № | Требование | Где живёт | Состояние |", "|---:|---|---|---|"]
        lines += [
            f"| {row.number} | {_cell(row.title)} | {_places(row, methodology)} | {_state(row)} |"
            for row in listed.rows.values()
            if row.part == letter
        ]
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the document, or compares it with `--check`.

    Returns:
        0 done or up to date; 1 out of date; 2 the checklist or the place cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="python -m kcrr_analysis.methodology.coverage",
        description="Покрытие методики: docs/methodology_coverage.md",
    )
    parser.add_argument("--check", action="store_true", help="только сравнить; код 1, если файл устарел")
    parser.add_argument("--file", type=Path, help=f"куда писать; по умолчанию {PLACE.as_posix()} в папке набора")
    options = parser.parse_args(arguments)
    try:
        path = options.file or _default_place()
        wrong = list(unknown_references())
        if wrong:
            raise ParameterError(f"checklist.yaml: нет того, на что ссылаются строки: {'; '.join(wrong)}.")
        text = document()
        if options.check:
            return _compare(path, text)
        _write(path, text)
    except KcrrError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Записан файл {path}\n")
    return 0


def _default_place() -> Path:
    folder = root()
    if folder is None:
        raise ParameterError("Папка набора не найдена. Запустите команду из неё или укажите --file.")
    return folder / PLACE


def _compare(path: Path, text: str) -> int:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"Файл {path} устарел. Обновите его: python -m kcrr_analysis.methodology.coverage\n")
    return 1


def _write(path: Path, text: str) -> None:
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(aside, path)  # noqa: PTH105 - Path.replace is the same call; this one says what it does
    except OSError as error:
        raise ParameterError(f"Файл {path} не записывается: {error.strerror}. Проверьте папку и права.") from error


def _places(row: Row, methodology: Methodology) -> str:
    groups: dict[str, list[str]] = {}
    for reference in row.lives_in:
        noun, text = _place(reference, methodology)
        if noun:
            groups.setdefault(noun, []).append(text)
    places = "; ".join(f"{noun}: {', '.join(texts)}" for noun, texts in groups.items()) or "—"
    return f"{places}. {_cell(row.note)}" if row.note else places


def _place(reference: Reference, methodology: Methodology) -> tuple[str, str]:
    if reference.kind == "table":
        return "поле", f"`{reference.target}`"
    if reference.kind == "result":
        return "расчёт", f"`{reference.target}`"
    if reference.kind == "planned":
        return "", ""
    name, _, key = reference.target.partition("/")
    if name == "index":
        return _DICTIONARIES[name], f"`{key}`"
    if key.startswith("*"):
        field = key.removeprefix("*").removeprefix(".")
        return _DICTIONARIES[name], f"все, поле `{field}`" if field else "все"
    entry = getattr(methodology, name)[key]
    return _DICTIONARIES[name], f"{_cell(getattr(entry, 'title', key))} (`{key}`)"


def _state(row: Row) -> str:
    said = _STATUSES[row.status]
    rooms = ", ".join(f"{_ROOMS[room]} (`{room}`)" for room in row.targets("planned"))
    if not rooms:
        return said
    if row.status == "planned":
        return f"{said}: {rooms}"
    if row.targets("result"):
        return f"{said}: часть вычисляется, остальное ещё впереди: {rooms}"
    has = "поле есть" if row.targets("table") else "статья есть"
    return f"{said}: {has}, расчёт ещё впереди: {rooms}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    raise SystemExit(main())
