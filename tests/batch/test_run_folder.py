from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kcrr_analysis.batch import run_folder
from kcrr_analysis.errors import ParameterError


def test_two_batches_do_not_share_a_folder(tmp_path: Path) -> None:
    with run_folder.opened(tmp_path / "a"):
        with pytest.raises(ParameterError, match="уже работает другой запуск"), run_folder.opened(tmp_path / "a"):
            pass
        with run_folder.opened(tmp_path / "b"):
            pass
    with run_folder.opened(tmp_path / "a"):
        pass


def test_unfinished_files_are_cleared(tmp_path: Path) -> None:
    with run_folder.opened(tmp_path) as work:
        (work / "half").write_text("x", encoding="utf-8")
    assert not work.exists()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ParameterError, match="Не удаётся записать"), run_folder.opened(tmp_path / "file" / "run"):
        pass


def test_files_are_placed_and_verified(tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "n.json").write_text("{}", encoding="utf-8")
    outputs = run_folder.place([aside / "n.json"], tmp_path / "01", tmp_path)
    assert [output.path for output in outputs] == ["01/n.json"]
    assert run_folder.intact(outputs, tmp_path)
    (tmp_path / "01" / "n.json").write_text("{ }", encoding="utf-8")
    assert not run_folder.intact(outputs, tmp_path)
    run_folder.remove([tmp_path / "01" / "n.json", tmp_path / "01" / "absent"])
    assert not run_folder.intact(outputs, tmp_path)


@pytest.mark.parametrize(
    ("code", "said"),
    [(errno.ENOSPC, "кончилось место"), (errno.EACCES, "Нет доступа на запись"), (errno.EIO, "Не удаётся записать")],
)
def test_writing_errors_are_told_in_russian(code: int, said: str) -> None:
    assert said in run_folder.sentence(OSError(code, "x", "файл.docx"))
    assert "файл.docx" in run_folder.sentence(OSError(code, "x", "файл.docx"))
