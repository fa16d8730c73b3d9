from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import papermill
import pytest

from kcrr_analysis.batch import manifest, params, run
from kcrr_analysis.batch.kernels import available_kind
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.reporting import charts, json_form, notebook_files
from tests.batch.conftest import PLAIN, SERIES, SETTINGS, Kit

pytestmark = pytest.mark.batch

CHAPTER = """\
import kcrr_analysis as kcrr

chapter = kcrr.open_chapter("plain", "Глава", data=data, region=region, disclosure=disclosure, threshold=threshold)
chapter.publish()"""
BROKEN = "if region == '77': raise ValueError('проба')\n" + PLAIN


def statuses(kit: Kit) -> dict[tuple[str, str], str]:
    found = manifest.read(kit.folder)
    assert found is not None
    return {(record.region, record.notebook): record.status for record in found.reports}


def test_all_reports_of_all_regions(kit: Kit) -> None:
    done, seen = kit.run()
    assert done.delivered
    names = {f"{stem}.{kind}" for stem in ("series", "plain") for kind in ("ipynb", "html", "docx", "json")} | {
        "report.docx"
    }
    assert {path.split("/")[1] for path in kit.files()} == names
    assert len(kit.files()) == 3 * 9
    assert sorted(path.name for path in kit.folder.iterdir() if not path.name.startswith(".")) == [
        "01", "02", "77", "index.html", "manifest.json",
    ]  # fmt: skip
    assert "[6/6]" in seen
    assert "осталось ≈" in seen
    found = manifest.read(kit.folder)
    assert found == done.manifest
    assert found.finished
    assert found.kernel == available_kind()
    assert all(record.kernel == found.kernel and record.seconds > 0 for record in found.reports)
    assert [(file.table, file.rows) for file in found.files] == [("external_series", 6)]
    assert "Раздел «А»" in (kit.folder / "77" / "series.ipynb").read_text(encoding="utf-8")
    assert str(kit.base) not in (kit.folder / "77" / "series.ipynb").read_text(encoding="utf-8")


def test_papermill_fork_and_spawn_give_the_same_json(kit: Kit) -> None:
    kit.run(kernel=available_kind())
    first = {name: text for name, text in kit.files().items() if name.endswith(".json")}
    kit.run(kernel="spawn", regions=("02",))
    second = {name: text for name, text in kit.files().items() if name.endswith(".json")}
    assert first == second
    run_params = params.read(kit.params)
    target = kit.base / "papermill.ipynb"
    papermill.execute_notebook(
        kit.base / "notebooks" / "series.ipynb",
        target,
        run_params.values("series", "02"),
        progress_bar=False,
        cwd=kit.base,
    )
    assert json_form.dumps(notebook_files.extract(target)).encode() == first["02/series.json"]


def test_a_failed_report_stops_nothing_and_leaves_no_stale_file(kit: Kit) -> None:
    kit.run()
    kit.write_notebook("plain", BROKEN)
    done, seen = kit.run()
    assert not done.delivered
    assert statuses(kit)["77", "plain"] == "failed"
    assert list(statuses(kit).values()).count("delivered") == 5
    assert not list((kit.folder / "77").glob("plain.*"))
    assert (kit.folder / "77" / "report.docx").is_file()
    assert "] 77 Москва · plain: НЕ ГОТОВ, " in seen
    failure = done.manifest.find("77", "plain")
    assert failure is not None
    assert failure.error is not None
    assert failure.error.traceback == ""
    assert failure.error.details == "errors/77_plain.txt"
    details = (kit.folder / failure.error.details).read_text(encoding="utf-8")
    assert "ValueError: проба" in details
    assert "Traceback" in details
    page = (kit.folder / "index.html").read_text(encoding="utf-8")
    assert 'id="failed-77"' in page
    assert "Внутренняя ошибка." in page
    assert "errors/77_plain.txt" in page
    assert "ValueError: проба" not in page + (kit.folder / "manifest.json").read_text(encoding="utf-8")
    kit.write_notebook("plain", PLAIN)
    kit.run(resume=True)
    assert not list((kit.folder / "errors").iterdir())


def test_an_internal_run_keeps_the_traceback_in_the_manifest(kit: Kit) -> None:
    kit.write_params(SETTINGS + "disclosure: internal\n")
    kit.write_notebook("plain", BROKEN)
    done, _ = kit.run(regions=("77",))
    record = done.manifest.find("77", "plain")
    assert record is not None
    assert record.error is not None
    assert "ValueError: проба" in record.error.traceback
    assert record.error.details == ""
    assert not (kit.folder / "errors").exists()


def test_a_region_with_faulty_data_is_named_with_row_and_remedy(kit: Kit) -> None:
    kit.write_series({"01": "10", "02": "20", "77": "тридцать"})
    done, _ = kit.run()
    assert statuses(kit)["77", "series"] == "failed"
    assert statuses(kit)["77", "plain"] == "delivered"
    assert statuses(kit)["01", "series"] == "delivered"
    record = done.manifest.find("77", "series")
    assert record is not None
    assert record.error is not None
    assert record.error.kind == "DataError"
    page = (kit.folder / "index.html").read_text(encoding="utf-8")
    assert "<td>6</td>" in page
    assert "тридцать" in page


@pytest.mark.parametrize("mode", ["public", "internal"])
def test_a_count_in_a_fault_leaves_only_an_internal_run(kit: Kit, mode: str) -> None:
    flow = "month;region_code;scope;client_group;applied;measure_applicants\n2025-10;77;region;all;4 чел.;600\n"
    (kit.base / "data" / "flow.csv").write_text(flow, encoding="utf-8")
    kit.write_notebook("plain", CHAPTER)
    kit.write_params(
        SETTINGS.replace("[series, plain]", "[plain]").replace("parameters", "#") + f"disclosure: {mode}\n"
    )
    done, _ = kit.run(regions=("77",))
    record = done.manifest.find("77", "plain")
    assert record is not None
    assert record.error is not None
    assert record.error.kind == "DataError"
    assert "flow.csv, строка 2, столбец «applied»" in record.error.message
    for name in ("index.html", "manifest.json"):
        text = (kit.folder / name).read_text(encoding="utf-8")
        assert ("4 чел." in text) == (mode == "internal")
        assert ("скрыто" in text) == (mode == "public")


def test_resume_builds_only_what_is_missing_failed_or_changed(kit: Kit) -> None:
    kit.write_notebook("plain", BROKEN)
    kit.run()
    before = kit.files()
    (kit.folder / "01" / "series.html").unlink()
    kit.write_notebook("plain", PLAIN)
    _, seen = kit.run(resume=True)
    assert (
        "Отчётов к построению: 4, без изменений оставлено 2." in seen
    )  # plain changed in all, series of 01 incomplete
    after = kit.files()
    assert after["02/series.ipynb"] == before["02/series.ipynb"]
    assert after["77/series.docx"] == before["77/series.docx"]
    assert set(statuses(kit).values()) == {"delivered"}
    again = kit.files()
    done, seen = kit.run(resume=True)
    assert "Отчётов к построению: 0, без изменений оставлено 6." in seen
    assert kit.files() == again
    assert done.delivered


def test_some_regions_leave_the_others_as_they_are_and_mark_them_outdated(kit: Kit) -> None:
    kit.run()
    before = kit.files()
    kit.write_series({"01": "10", "02": "20", "77": "31"})
    done, _ = kit.run(regions=("77",))
    after = kit.files()
    assert {name for name in after if after[name] != before[name]} <= {name for name in after if name.startswith("77/")}
    assert json.loads(after["77/series.json"]) != json.loads(before["77/series.json"])
    assert {(record.region, record.outdated) for record in done.manifest.reports} == {
        ("01", True),
        ("02", True),
        ("77", False),
    }
    with pytest.raises(ParameterError, match="--regions: в данных нет региона «50»"):
        kit.run(regions=("50",))


@pytest.mark.parametrize("name", ["77/external_series.xlsx", "77/external_series.csv"])
def test_a_region_of_which_nothing_can_be_read_is_not_lost(kit: Kit, name: str) -> None:
    kit.write_series({"01": "10"})
    file = kit.base / "data" / name
    file.parent.mkdir()
    file.write_bytes(b"\x00\xff\x00 no table")
    done, _ = kit.run()
    assert not done.delivered
    assert statuses(kit) == {
        ("01", "series"): "delivered",
        ("01", "plain"): "delivered",
        ("77", "series"): "failed",
        ("77", "plain"): "delivered",
    }
    page = (kit.folder / "index.html").read_text(encoding="utf-8")
    assert 'id="failed-77"' in page
    assert name in page
    assert "Другие ошибки в данных" not in page


def test_errors_that_stopped_no_report_stand_on_the_page(kit: Kit) -> None:
    kit.write_params(SETTINGS.replace("[series, plain]", "[plain]").replace("parameters:", "#"))
    (kit.base / "data" / "external_series.02.xlsx").write_bytes(b"no workbook")
    done, _ = kit.run(regions=("01",))
    assert done.delivered
    page = (kit.folder / "index.html").read_text(encoding="utf-8")
    assert "Другие ошибки в данных" in page
    assert "external_series.02.xlsx" in page


def test_a_joined_document_that_cannot_be_written_is_named(kit: Kit) -> None:
    target = kit.folder / "77" / "report.docx"
    target.mkdir(parents=True)  # no file can take its place, as none can that of a document open in Word
    done, _ = kit.run()
    assert statuses(kit)["77", "plain"] == "delivered"
    assert not done.delivered
    assert [record.region for record in done.unwritten] == ["77"]
    said = run.summary(done)
    assert "Готово отчётов: 6 из 6." in said
    page = (kit.folder / "index.html").read_text(encoding="utf-8")
    assert 'href="#failed-77"' in page
    for text in (said, page):
        assert f"Нет доступа на запись: {target}" in text
        assert "Закройте файл" in text
        assert ".work" not in text
    target.rmdir()
    done, seen = kit.run(resume=True)
    assert "Отчётов к построению: 0" in seen
    assert done.delivered
    assert target.is_file()


def test_a_run_of_some_regions_answers_for_them_alone(kit: Kit) -> None:
    kit.write_notebook("plain", BROKEN)
    first, _ = kit.run()
    assert not first.delivered
    done, _ = kit.run(regions=("01",))
    assert done.delivered
    assert "Готово отчётов: 2 из 2." in run.summary(done)
    assert 'id="failed-77"' in (kit.folder / "index.html").read_text(encoding="utf-8")
    done, _ = kit.run(regions=("77",))
    assert not done.delivered


def test_an_outdated_report_is_not_a_delivered_one(kit: Kit) -> None:
    kit.run()
    kit.write_series({"01": "10", "02": "20", "77": "31"})
    done, _ = kit.run(regions=("77",))
    assert done.delivered
    assert (done.manifest.count("delivered"), done.manifest.outdated) == (2, 4)
    assert not replace(done, regions=("01",)).delivered
    page = (kit.folder / "index.html").read_text(encoding="utf-8")
    assert "<b>4</b> построено по прежним данным" in page


def test_bad_input_starts_nothing(kit: Kit) -> None:
    kit.write_params(SETTINGS.replace("regions: all", "regions: [78]"))
    with pytest.raises(ParameterError, match="нет региона «78»"):
        kit.run()
    assert not (kit.folder / "manifest.json").exists()
    with pytest.raises(ParameterError, match="не меньше 1"):
        kit.run(jobs=0)


def test_charts_look_for_pictures_where_the_batch_says() -> None:
    assert run.PICTURES == charts.VARIABLE


def test_a_kernel_that_the_system_lacks_is_refused(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "available_kind", lambda: "spawn")
    with pytest.raises(ParameterError, match="способа fork на этом компьютере нет"):
        kit.run(kernel="fork")
    assert not kit.folder.exists()


def test_no_more_jobs_than_reports(kit: Kit) -> None:
    done, _ = kit.run(regions=("01",), jobs=50)
    assert done.delivered
    assert done.manifest.jobs == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a signal for one process needs POSIX")
def test_an_interrupted_run_keeps_what_is_delivered_and_resumes(kit: Kit) -> None:
    reached = kit.base / "reached"
    os.mkfifo(reached)
    ears = os.open(reached, os.O_RDONLY | os.O_NONBLOCK)
    held = (
        f"if region == '77':\n    import time\n    open({str(reached)!r}, 'wb', 0).write(b'.')\n    time.sleep(600)\n"
    )
    kit.write_notebook("series", held + SERIES)
    process = subprocess.Popen(
        [sys.executable, "-m", "kcrr_analysis", "report", "--params", str(kit.params), "--out", str(kit.base / "reports"),  # noqa: E501
         "--jobs", "1"],
        stderr=subprocess.PIPE, encoding="utf-8", cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stderr is not None
    told, _, _ = select.select([ears], [], [], 120)
    os.close(ears)
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert told
    assert process.wait(60) == 130
    process.stderr.close()
    assert "Запуск остановлен. Готово отчётов:" in rest
    assert "Traceback" not in rest
    found = manifest.read(kit.folder)
    assert found is not None
    assert found.interrupted
    assert statuses(kit)["01", "series"] == "delivered"
    assert statuses(kit)["77", "series"] == "skipped"
    assert "Запуск остановлен до конца" in (kit.folder / "index.html").read_text(encoding="utf-8")
    kit.write_notebook("series", SERIES)
    done, _ = kit.run(resume=True)
    assert done.delivered
    assert not done.manifest.interrupted


def test_a_month_or_a_template_that_cannot_serve_is_said_before_anything_is_built(kit: Kit) -> None:
    kit.write_params(SETTINGS + "month: 2031-01\n")
    with pytest.raises(ParameterError, match="месяца 2031-01 в данных нет"):
        kit.run()
    (kit.base / "template.docx").write_bytes(b"not a Word file")
    kit.write_params(SETTINGS + "word_template: template.docx\n")
    with pytest.raises(ParameterError, match=r"template\.docx"):
        kit.run()
    assert not kit.files()
