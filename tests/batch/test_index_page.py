from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kcrr_analysis.batch import index_page
from kcrr_analysis.batch.manifest import Failure, Manifest, Output, RegionRecord, ReportRecord
from kcrr_analysis.errors import Fault
from kcrr_analysis.reporting import Hidden, KeyFigure, Report, Section, json_form

TITLES = {"a": "Глава А", "b": "Глава <Б>"}


def record(region: str, name: str, status: str = "delivered", **rest: object) -> ReportRecord:
    outputs = (
        tuple(Output(f"{region}/a.{kind}", "0") for kind in ("html", "docx", "json")) if status == "delivered" else ()
    )
    return ReportRecord(region, name, "a", status, 1.0, outputs=outputs, **rest)  # type: ignore[arg-type]


def state(*records: ReportRecord, **rest: object) -> Manifest:
    return Manifest(
        "r",
        "Запуск <script>",
        "2025-11-01T10:00:00+03:00",
        "2025-11-01T10:03:20+03:00",
        reports=records,
        **rest,  # type: ignore[arg-type]
    )


def put_report(
    folder: Path, region: str, value: object, change: object = None, period: str = "октябрь 2025 г.", **rest: object
) -> None:
    (folder / region).mkdir()
    figures = (KeyFigure("n", "Обратилось", value, "int", "чел.", "октябрь", change), KeyFigure("e", "Ошибок", 0))  # type: ignore[arg-type]
    report = Report("a", "А", region, "Р", period, (Section("С", (), figures),), **rest)  # type: ignore[arg-type]
    (folder / region / "a.json").write_text(json_form.dumps(report), encoding="utf-8")


def page(folder: Path, made: Manifest, faults: tuple[Fault, ...] = ()) -> str:
    return index_page.write(made, TITLES, folder, faults).read_text(encoding="utf-8")


def test_figures_of_regions_stand_side_by_side(tmp_path: Path) -> None:
    put_report(tmp_path, "01", 1000, 2.5, notices=("Демонстрационные данные.",))
    put_report(tmp_path, "77", 4000, -1.0)
    put_report(tmp_path, "50", Hidden())
    regions = (RegionRecord("01", output=Output("01/report.docx", "0")),)
    text = page(
        tmp_path,
        state(record("01", "Адыгея"), record("77", "Москва", warnings=2), record("50", "Область"), regions=regions),
    )
    assert re.findall(r'data-order="([\d.]*)" title="октябрь">([^<]+)<', text) == [
        ("1000.0", "1\xa0000"),
        ("4000.0", "4\xa0000"),
        ("", "скрыто"),
    ]
    assert "width:25.0%" in text
    assert "+2,5\xa0%" in text
    assert "−1,0\xa0%" in text
    assert "Ошибок" not in text  # zero everywhere compares nothing
    assert 'href="01/report.docx"' in text
    assert 'href="77/a.html"' in text
    assert "2 предупреждения" in text.replace("\xa0", " ")
    assert text.count("Демонстрационные данные.") == 1


def test_a_figure_of_another_month_says_so_and_is_not_compared(tmp_path: Path) -> None:
    put_report(tmp_path, "01", 1000)
    put_report(tmp_path, "50", 9000, period="сентябрь 2025 г.")
    put_report(tmp_path, "77", 2000)
    text = page(tmp_path, state(record("01", "А"), record("50", "Б"), record("77", "В")))
    assert re.findall(r"width:([\d.]*)%", text) == ["50.0", "100.0"]
    assert "9\xa0000<small>сентябрь 2025 г.</small>" in text
    assert "<small>октябрь" not in text


def test_nothing_leads_outside_and_text_from_data_is_text(tmp_path: Path) -> None:
    name = "<img src=http://x.y onerror=alert(1)>"
    failed = record("77", name, "failed", error=Failure("ParameterError", f"Плохо {name}\nИсправьте.", "ячейка 2"))
    text = page(tmp_path, state(failed))
    assert "<img" not in text
    assert "<script>" in text  # the kit's own
    assert text.count("<script>") == 1
    assert not re.search(r'<[^>]*(?:src|href)\s*=\s*"?(?:https?:)?//', text)
    assert "@import" not in text
    assert "Глава &lt;Б&gt;" in text


def test_a_failed_region_says_where_and_what_to_do(tmp_path: Path) -> None:
    fault = Fault("flow.csv", 5, "Обратилось", "мн", "не число", "Исправьте число.", region_code="77")
    other = replace(fault, value="чужое", region_code="01")
    failed = record("77", "Москва", "failed", error=Failure("DataError", str(fault), "ячейка 2"))
    text = page(tmp_path, state(failed), (fault, other, replace(fault, severity="warning", value="предупреждение")))
    assert (
        '<td class="wrap">flow.csv</td><td>5</td><td>Обратилось</td><td class="wrap">мн</td><td>не число</td><td>Исправьте число.</td>'  # noqa: E501
        in text
    )
    assert "чужое" not in text
    assert "предупреждение</td>" not in text
    assert 'href="#failed-77"' in text


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (state(record("01", "А", outdated=True)), "построен по прежним данным или настройкам"),
        (replace(state(record("01", "А", "skipped")), interrupted=True), "Запуск остановлен до конца"),
        (replace(state(record("01", "А", "skipped")), finished=None), "Запуск ещё не закончен"),
        (state(record("01", "А", "skipped"), data_notice="Данные вымышлены."), "Данные вымышлены."),
    ],
)
def test_the_page_says_what_weakens_it(tmp_path: Path, made: Manifest, said: str) -> None:
    assert said in page(tmp_path, made)


def test_an_internal_run_says_so(tmp_path: Path) -> None:
    put_report(tmp_path, "01", 5, disclosure="internal")
    assert "Для служебного пользования" in page(tmp_path, state(record("01", "Адыгея")))
