from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting import FailedChapter, html, json_form, render
from tests.reporting import sample


def test_each_format_is_written(tmp_path: Path) -> None:
    written = render.write(sample.report(), tmp_path / "новая" / "77", "02_indicators")
    assert {name: path.name for name, path in written.items()} == {
        "html": "02_indicators.html",
        "docx": "02_indicators.docx",
        "json": "02_indicators.json",
    }
    assert written["html"].read_bytes().decode("utf-8") == html.page(sample.report())
    assert written["json"].read_bytes().decode("utf-8") == json_form.dumps(sample.report())
    assert sorted(path.name for path in written["html"].parent.iterdir()) == sorted(
        path.name for path in written.values()
    )


def test_equal_reports_give_equal_files(tmp_path: Path) -> None:
    first = render.write(sample.report("internal"), tmp_path / "1", "а")
    second = render.write(sample.report("internal"), tmp_path / "2", "а")
    assert [path.read_bytes() for path in first.values()] == [path.read_bytes() for path in second.values()]


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    assert list(render.write(sample.report(), tmp_path, "а", ["json"])) == ["json"]
    assert [path.name for path in tmp_path.iterdir()] == ["а.json"]
    with pytest.raises(ParameterError, match="«pdf» неизвестен"):
        render.write(sample.report(), tmp_path, "а", ["pdf"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "stem", ["../а", "а/б", "а\\б", "", ".", "..", ".скрытый", "c:а", "con", "LPT1.x", "а.", "а\x00б"]
)
def test_a_stem_cannot_leave_the_folder(tmp_path: Path, stem: str) -> None:
    with pytest.raises(ParameterError, match="Имя файла"):
        render.write(sample.report(), tmp_path, stem, ["json"])
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render.write(sample.report(), tmp_path, "а", ["json", "html"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(_report: Any) -> str:
        raise RuntimeError("defect")

    monkeypatch.setattr(html, "page", fail)
    with pytest.raises(RuntimeError):
        render.write(sample.report("internal"), tmp_path, "а", ["json", "html"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "занято").write_text("x", encoding="utf-8")
    with pytest.raises(ParameterError, match="не записывается"):
        render.write(sample.report(), tmp_path / "занято", "а", ["json"])


def test_joined_chapters(tmp_path: Path) -> None:
    failed = [FailedChapter("Воронка", "нет таблицы promotion")]
    first = render.joined([sample.report()], tmp_path / "1" / "report.docx", None, failed)
    second = render.joined([sample.report()], tmp_path / "2" / "report.docx", None, failed)
    assert first == tmp_path / "1" / "report.docx"
    assert first.read_bytes() == second.read_bytes()
