"""The generated document is up to date and tells each row's place and state."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kcrr_analysis.methodology import coverage
from kcrr_analysis.methodology.checklist import Checklist, Reference, Row
from kcrr_analysis.methodology.coverage import PLACE, document, main

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_in_docs_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["--check"]) == 0


def test_each_row_stands_once_in_a_table_of_four_columns() -> None:
    rows = [line for line in document().splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(line.split("|")[1]) for line in rows] == list(range(1, 141))
    assert all(len(re.split(r"(?<!\\)\|", line)) == 6 for line in rows)


def test_the_summary_adds_up() -> None:
    summary = document().split("## A")[0]
    counts = [int(number) for number in re.findall(r"\| (\d+) \|", summary)]
    assert sum(counts) == 140
    assert "**140**" in summary


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (1, ["`flow.registered_stock`", "`indicators.official`", "| вычисляется |"]),
        (16, ["`partners.loyalty`", "частично: поле есть, расчёт ещё впереди: опросы (`surveys`)"]),
        (2, ["`indicators.applicants`", "| вычисляется |"]),
        (34, ["часть вычисляется, остальное ещё впереди: прогноз (`forecasting`)", "самого прогноза ещё нет"]),
        (40, ["`changes.reason`", "`indicators.change_log`", "| вычисляется |"]),
        (75, ["инструменты: все, поле `technology`", "| есть: словарь |"]),
        (105, ["Отдел маркетинга и работы с клиентами (`marketing`)", "| есть: словарь |"]),
        (119, ["схема ИПК: `weights`", "`ipk.score`"]),
    ],
)
def test_lines_of_the_document(number: int, parts: list[str]) -> None:
    line = next(line for line in document().splitlines() if line.startswith(f"| {number} |"))
    for part in parts:
        assert part in line


def test_writing_then_checking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "docs" / "coverage.md"
    assert main(["--check", "--file", str(path)]) == 1
    assert "устарел" in capsys.readouterr().err
    assert main(["--file", str(path)]) == 0
    assert path.read_bytes() == document().encode("utf-8")
    assert [found.name for found in path.parent.iterdir()] == ["coverage.md"]
    assert main(["--check", "--file", str(path)]) == 0
    path.write_text("старое", encoding="utf-8")
    assert main(["--check", "--file", str(path)]) == 1


def test_the_default_place_is_in_the_kits_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("notebooks", "params"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert (tmp_path / PLACE).is_file()


def test_outside_a_kit_the_place_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "--file" in capsys.readouterr().err


def test_a_row_with_nothing_yet_is_still_to_come() -> None:
    row = Row(1, "A", "Строка | с чертой", "figure", (Reference.parse("planned:ipk"),), "")
    text = document(Checklist({"A": "Часть"}, {1: row}))
    assert "| 1 | Строка \\| с чертой | — | ещё впереди: индекс ИПК (`ipk`) |" in text


def test_a_reference_to_nothing_stops_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coverage, "unknown_references", lambda: iter(["7: methodology:tools/none"]))
    assert main(["--file", str(tmp_path / "x.md")]) == 2
    assert "7: methodology:tools/none" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").write_text("файл", encoding="utf-8")
    assert main(["--file", str(tmp_path / "docs" / "x.md")]) == 2
    assert "не записывается" in capsys.readouterr().err
