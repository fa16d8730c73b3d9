"""The data check in words: verdict, faults in place, missing tables, incomplete months."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest

from kcrr_analysis import tables
from kcrr_analysis.errors import DataError
from kcrr_analysis.reporting import Paragraph, Section, Table, views
from kcrr_analysis.reporting.blocks import Chart
from kcrr_analysis.reporting.chapters import open_chapter

CENTERS = "center_id;center_name;region_code;region_name\n01-1;Первый;01;Область\n01-2;Второй;01;Область\n"
FLOW = "month;period;scope;center_id;region_code;client_group;applied\n"


def section(folder: Path, rows: str) -> Section:
    (folder / "centers.csv").write_text(CENTERS, encoding="utf-8")
    (folder / "flow.csv").write_text(FLOW + rows, encoding="utf-8")
    return views.section(tables.check(folder, region="01"))


def titled(built: Section, start: str) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table) and block.title.startswith(start))


def said(built: Section) -> str:
    return " ".join(block.text for block in built.blocks if isinstance(block, Paragraph)).replace(
        "\N{NO-BREAK SPACE}", " "
    )


COMPLETE = "2025-09;month;center;01-1;01;all;50\n2025-09;month;center;01-2;01;all;50\n"
COMPLETE += "2025-10;month;center;01-1;01;all;50\n2025-10;month;center;01-2;01;all;50\n"


def test_clean_data_are_said_to_be_clean(tmp_path: Path) -> None:
    built = section(tmp_path, COMPLETE)
    assert "Прочитано: 2 файла. Ошибок нет, по этим данным можно строить отчёты." in said(built)
    assert "есть каждый центр (2 центра) за каждый месяц" in said(built)
    assert next(figure.value for figure in built.key_figures) == 0
    assert "Нет таблиц: «Центры по месяцам»" in said(built)


def test_a_fault_stands_with_its_place_and_remedy(tmp_path: Path) -> None:
    built = section(tmp_path, COMPLETE + "2025-11;month;center;01-2;01;all;много\n")
    row = titled(built, "Ошибки").rows[0]
    assert row[:4] == ("flow.csv", "6", "applied", "много")
    assert "Найдено: 1 ошибка — «Клиентопоток» (1)." in said(built)
    assert "не строятся, пока ошибки не исправлены" in said(built)


@pytest.mark.parametrize(("mode", "small"), [("public", []), ("internal", ["3", "2"])])
def test_a_small_count_in_a_fault_is_not_repeated_in_the_report(tmp_path: Path, mode: str, small: list[str]) -> None:
    # four files and rows enough that nothing else in the section is a 2 or a 3
    rows = "".join(f"2025-10;month;center;01-{n};01;all;50;40\n" for n in range(1, 5))
    names = "".join(f"01-{n};Центр;01;Область\n" for n in range(1, 6))
    (tmp_path / "centers.csv").write_text(CENTERS.splitlines(True)[0] + names, encoding="utf-8")
    (tmp_path / "flow.csv").write_text(
        FLOW.replace("applied", "measure_applicants;measure_recipients")
        + rows
        + "2025-10;month;center;01-5;01;all;2;3\n",
        encoding="utf-8",
    )
    (tmp_path / "population.csv").write_text("region_code;client_group;year;population\n01;all;2025;900\n", "utf-8")
    (tmp_path / "services.csv").write_text("service_id;service_name\ns;Сервис\n", encoding="utf-8")
    chapter = open_chapter("01", "Проверка", data=str(tmp_path), region="01", disclosure=mode, strict=False)
    told = json.dumps(chapter.publish(chapter.checked).to_dict()["sections"], ensure_ascii=False)
    assert re.findall(r"(?<![\w-])[23](?!\w)", told) == small
    assert ("скрыто" in told) == (mode == "public")
    assert '"flow.csv", "6", "measure_recipients"' in told
    assert "больше, чем «Обратилось за мерами поддержки»" in told


def test_nothing_that_leaves_a_chapter_holds_a_raw_fault(tmp_path: Path) -> None:
    (tmp_path / "centers.csv").write_text(CENTERS, encoding="utf-8")
    (tmp_path / "flow.csv").write_text(FLOW + COMPLETE + "2025-11;month;center;01-2;01;all;4 чел.\n", encoding="utf-8")
    opened = partial(open_chapter, "01", "Проверка", data=str(tmp_path), region="01")
    with pytest.raises(DataError, match=r"flow\.csv, строка 6, столбец «applied».*«скрыто»") as caught:
        opened()
    assert "4 чел." not in str(caught.value)
    with pytest.raises(DataError, match=r"«4 чел\.»"):
        opened(disclosure="internal")
    chapter = opened(strict=False)
    assert [fault.value for fault in chapter.checked.errors] == ["скрыто"]
    assert chapter.checked.tables.warnings == chapter.tables.warnings == chapter.checked.warnings


def test_months_in_which_centres_are_missing_are_drawn(tmp_path: Path) -> None:
    built = section(tmp_path, COMPLETE.rsplit("2025-10;month;center;01-2", 1)[0])
    chart = next(block for block in built.blocks if isinstance(block, Chart))
    assert chart.panels[0].series[0].y == (2.0, 1.0)
    assert chart.panels[0].reference == (2.0, "Всего центров")


@pytest.mark.parametrize("faults", [101])
def test_a_long_list_is_cut_and_says_so(tmp_path: Path, faults: int) -> None:
    rows = "".join(f"2025-{9 + place % 2:02d};month;center;01-1;01;g{place};много\n" for place in range(faults))
    built = section(tmp_path, rows)
    table = titled(built, "Ошибки")
    assert len(table.rows) == 100
    assert "Показаны первые 100, всего 101." in table.notes[0]
