from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kcrr_analysis import cli
from kcrr_analysis.batch.run_folder import OutputError
from kcrr_analysis.errors import ParameterError

ENGLISH = re.compile(
    r"\b(usage|error|options|arguments?|invalid|required|unrecognized|expected|choose|positional|show this)\b", re.I
)


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize("command", [(), ("check",), ("report",), ("render",), ("protocol",), ("demo",)])
def test_help_is_russian(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert called(*command, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith("Вызов: kcrr")
    assert not ENGLISH.search(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "не указана команда. Есть: check, report, render, protocol, demo"),
        (("chek",), "команды «chek» нет"),
        (("report",), "не указано: --params ФАЙЛ"),
        (("report", "--parms", "x"), "лишнее или неизвестное: «--parms» (возможно, --params), «x»"),
        (("report", "--params"), "после --params нужно значение"),
        (("report", "--params", "x", "--jobs", "0"), "--jobs: нужно целое число не меньше 1, а записано «0»"),
        (("report", "--params", "x", "--jobs", "два"), "записано «два»"),
        (("report", "--params", "x", "--regions", "77,"), "--regions: нужны коды через запятую"),
        (("report", "--params", "x", "--kernel", "thread"), "--kernel: значение «thread» не допускается"),
        (("report", "--params", "x", "--resume=да"), "у ключа --resume значения быть не должно"),
        (("report", "--param", "x"), "лишнее или неизвестное: «--param»"),
        (("check",), "не указано: ПАПКА"),
        (("check", "a", "b"), "лишнее или неизвестное: «b»"),
        (("demo", "--seed", "-1"), "--seed"),
    ],
)
def test_wrong_calls_are_explained_in_russian(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(*arguments) == 2
    text = capsys.readouterr().err
    assert text.startswith("Ошибка: ")
    assert said in text
    assert not ENGLISH.search(text)


@pytest.mark.parametrize(
    ("error", "code"), [(ParameterError("Плохо."), 2), (OutputError("Плохо."), 1), (KeyboardInterrupt(), 130)]
)
def test_errors_of_users_have_no_traceback(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_check", fail)
    assert called("check", "data") == code
    assert capsys.readouterr().err.strip() in {"Плохо.", "Остановлено."}


def test_defects_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "_check", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(("check", "data"))


def test_check_says_by_its_code_whether_the_data_are_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "region_code,month,series_id,value,unit,source\n"
    file = tmp_path / "external_series.csv"
    file.write_text(header + "77,2025-10,x,5,ед.,проба\n", encoding="utf-8")
    assert called("check", str(tmp_path)) == 0
    assert "Ошибок нет." in capsys.readouterr().out
    file.write_text(header + "77,2025-10,x,пять,ед.,проба\n01,2025-10,x,6,ед.,проба\n", encoding="utf-8")
    assert called("check", str(tmp_path)) == 1
    assert "пять" in capsys.readouterr().out
    assert called("check", str(tmp_path), "--region", "01") == 0
    capsys.readouterr()
    assert called("check", str(tmp_path), "--region", "99") == 2
    said = capsys.readouterr()
    assert "--region: в данных нет региона «99». Есть: 01 (" in said.err
    assert said.out == ""
    (tmp_path / "50").mkdir()
    (tmp_path / "50" / "flow.xlsx").write_bytes(b"no workbook")
    assert called("check", str(tmp_path), "--region", "50") == 1
    assert called("check", str(tmp_path / "absent")) == 2


def test_a_reader_that_has_gone_does_not_change_the_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "external_series.csv"
    file.write_text("region_code,month,series_id,value,unit,source\n77,2025-10,x,пять,ед.,проба\n", encoding="utf-8")
    command = [sys.executable, "-m", "kcrr_analysis", "check", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_a_missing_file_of_parameters_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("report", "--params", str(tmp_path / "x.yaml")) == 2
    assert "не найден" in capsys.readouterr().err


def test_a_protocol_is_fixed_once_and_a_change_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("pilot: p1\ndesign: {arms: [a, b]}\noutcomes: [{name: y}]\n", encoding="utf-8")
    assert called("protocol", str(file)) == 0
    assert "зафиксирован" in capsys.readouterr().out
    file.write_text(file.read_text(encoding="utf-8").replace("p1", "p2"), encoding="utf-8")
    assert called("protocol", str(file)) == 1
    assert "изменён после фиксации" in capsys.readouterr().out
    file.write_text("pilot: p1\ndesign: {arms: [a]}\noutcomes: [{name: y}]\n", encoding="utf-8")
    assert called("protocol", str(file)) == 2
    assert "p.yaml" in capsys.readouterr().err


def test_render_needs_an_executed_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "n.ipynb").write_text('{"cells": []}', encoding="utf-8")
    assert called("render", str(tmp_path / "n.ipynb")) == 2
    assert "не выполнен" in capsys.readouterr().err


def test_the_command_line_imports_no_heavy_library() -> None:
    code = "import sys, kcrr_analysis.cli as c; c._parser(); print([m for m in ('pandas', 'matplotlib', 'pydantic', 'yaml', 'papermill') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("--version") == 0
    assert re.fullmatch(r"kcrr \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_an_empty_folder_is_not_a_clean_bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("check", str(tmp_path)) == 2
    assert "нет ни одной таблицы" in capsys.readouterr().err
