"""What a notebook calls: parameters refused in Russian, missing tables switched off, one report published."""

from __future__ import annotations

from pathlib import Path

import pytest

import kcrr_analysis as kcrr
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import DataError, ParameterError
from kcrr_analysis.reporting import Paragraph
from kcrr_analysis.reporting.chapters import Chapter, SwitchedOff, section

FLOW = """month;period;scope;region_code;client_group;applied
2024-10;month;region;01;all;100
2025-09;month;region;01;all;120
2025-10;month;region;01;all;110
2025-10;month;region;01;disability;3
2025-10;month;region;02;all;90
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.csv").write_text(FLOW, encoding="utf-8")
    (tmp_path / "dataset.yaml").write_text("notice: Пробные данные.\n", encoding="utf-8")
    return tmp_path


def opened(folder: Path, **settings: object) -> Chapter:
    return kcrr.open_chapter("02_x", "Глава", **{"data": str(folder), "region": "01", **settings})  # type: ignore[arg-type]


def test_the_report_carries_region_period_notice_sources_and_parameters(folder: Path) -> None:
    chapter = opened(folder)
    report = chapter.publish(chapter.compute(kcrr.indicators.applicants, title="Обращения"))
    assert (report.region_code, report.period.replace("\N{NO-BREAK SPACE}", " ")) == ("01", "октябрь 2025 г.")
    assert report.notices == ("Пробные данные.",)
    assert report.sources[0].startswith("flow.csv: 5")
    assert dict(report.parameters)["Отчётный месяц"] == "2025-10"
    assert str(folder) not in str(report.to_dict())


def test_a_part_without_its_table_is_switched_off_and_says_why(folder: Path) -> None:
    chapter = opened(folder)
    market = chapter.compute(kcrr.indicators.background, title="Рынок труда")
    assert isinstance(market, SwitchedOff)
    block = chapter.publish(market).sections[0].blocks[0]
    assert isinstance(block, Paragraph)
    assert "Раздел не построен. В данных нет таблицы «Внешние ряды» (external_series)." in block.text


def test_a_small_cell_is_nowhere_in_a_public_report_and_marked_in_an_internal_one(folder: Path) -> None:
    def row(mode: str) -> object:
        chapter = opened(folder, disclosure=mode)
        rows = chapter.compute(kcrr.indicators.applicants, title="x").rows.set_index("client_group")
        return rows.loc["disability", "value"]

    assert row("public") != row("public")  # NaN
    assert row("internal") == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"disclosure": "secret"}, "значение «secret» не допускается"),
        ({"region": 1}, "записано число 1, а код региона — текст"),
        ({"month": "октябрь"}, "«октябрь» не месяц. Запишите его как ГГГГ-ММ"),
        ({"month": "2025-13"}, "«2025-13» не месяц"),
        ({"region": "77"}, "Региона «77» в данных нет. Есть: 01, 02."),
        ({"data": "nowhere"}, "не найден"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(folder: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        opened(folder, **settings)


def test_faults_stop_a_strict_chapter_and_only_its_region(folder: Path) -> None:
    (folder / "flow.csv").write_text(FLOW + "2025-09;month;region;02;all;много\n", encoding="utf-8")
    opened(folder)
    with pytest.raises(DataError, match=r"flow\.csv, строка 7.*много"):
        opened(folder, region="02")
    assert len(opened(folder, region="02", strict=False).checked.errors) == 1


def test_key_figures_are_lines_of_text(folder: Path) -> None:
    chapter = opened(folder)
    shown = repr(kcrr.key_figures(chapter.compute(kcrr.indicators.applicants, title="x")))
    assert shown.replace("\N{NO-BREAK SPACE}", " ") == (
        "Обратились за содействием в поиске подходящей работы: 110 чел. (октябрь 2025 г.; сплошной учёт)"
    )


def test_the_package_names_what_it_has() -> None:
    assert {"tables", "indicators", "reporting", "open_chapter"} <= set(dir(kcrr))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kcrr.nothing


def test_all_regions_are_there_to_compare_and_their_small_cells_are_hidden(folder: Path) -> None:
    others = opened(folder).everyone("flow")
    assert [code for code, _ in others.regions] == ["01", "02"]
    assert others.tables.flow["applied_hidden"].sum() == 1
    assert opened(folder).everyone("flow", regions="01").tables.regions[0][0] == "01"
    assert (
        opened(folder).everyone("flow", regions=["01"]).regions == opened(folder).everyone("flow", regions="01").regions
    )
    with pytest.raises(ParameterError, match="нет регионов 55"):
        opened(folder).everyone("flow", regions="55")


def test_a_region_with_errors_is_left_out_of_the_comparison_and_named(folder: Path) -> None:
    (folder / "flow.csv").write_text(FLOW + "2025-09;month;region;02;all;много\n", encoding="utf-8")
    others = opened(folder).everyone("flow")
    assert [code for code, _ in others.left_out] == ["02"]
    assert set(others.tables.flow["region_code"]) == {"01"}
    (_, warning) = kcrr.reporting.show(section(others)).blocks[0].blocks
    assert "Не сравниваются из-за ошибок" in warning.text
    with pytest.raises(DataError, match="много"):
        opened(folder, region="02", strict=False).everyone("flow")


def test_a_function_with_a_rule_is_given_the_chapters(folder: Path) -> None:
    def mode(tables: object, region: str, month: object, *, rule: Rule) -> str:
        return rule.mode

    assert opened(folder, disclosure="internal").compute(mode, title="x") == "internal"
