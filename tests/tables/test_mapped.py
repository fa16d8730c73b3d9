"""Foreign files through mappings: each step, and faults at the source's own rows and columns."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from kcrr_analysis.tables import CheckResult, check

LONG = """
title: Проба
tables:
  - table: external_series
    files: "*.csv"
    columns: {region_code: {from: Регион, regions: да}, month: Месяц, series_id: Ряд, value: Число}
    constants: {unit: чел., source: Росстат}
"""


def run(tmp_path: Path, mapping: str, text: str | None = None, name: str = "чужой.csv") -> CheckResult:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
    return check(tmp_path)


def values(result: CheckResult) -> dict[tuple[str, str, str], float]:
    assert [str(fault) for fault in result.errors] == []
    frame = result.tables.external_series
    rows = zip(frame["region_code"], frame["month"].astype(str), frame["series_id"], frame["value"], strict=True)
    return {(region, month, series): value for region, month, series, value in rows}


def test_columns_constants_and_region_names(tmp_path: Path) -> None:
    result = run(tmp_path, LONG, "Месяц;РЕГИОН;Ряд;Число\nокт.2025;г. Москва;u;1 234,5\n10.2025;Тыва;u;2\n")
    assert values(result) == {("77", "2025-10", "u"): 1234.5, ("17", "2025-10", "u"): 2}
    assert set(result.tables.external_series["unit"]) == {"чел."}
    assert result.sources[0].file == "чужой.csv"


def test_faults_name_the_source_row_and_column(tmp_path: Path) -> None:
    result = run(
        tmp_path, LONG, "Месяц;Регион;Ряд;Число\n\nокт.2025;г. Москва;u;много\nокт;Тыва;u;2\nокт.2025;Марс;u;1\n"
    )
    assert [str(fault) for fault in result.errors] == [
        "чужой.csv, строка 3, столбец «Число»: нужно число. Значение: «много». "
        "Запишите число цифрами, например 12,5; разделитель тысяч только пробел.",
        "чужой.csv, строка 4, столбец «Месяц»: нужен месяц. Значение: «окт». "
        "Запишите месяц как 2025-10, 10.2025 или октябрь 2025.",
        "чужой.csv, строка 5, столбец «Регион»: регион с таким названием не найден. Значение: «Марс». "
        "Исправьте название, добавьте его в methodology/regions.yaml (aliases) или исключите строку в leave_out.",
    ]
    assert [fault.region_code for fault in result.errors] == ["77", "17", None]


def test_a_column_that_the_mapping_names_but_the_file_lacks(tmp_path: Path) -> None:
    result = run(tmp_path, LONG, "Месяц;Регион;Число\nокт.2025;Тыва;1\n")
    assert [str(fault) for fault in result.errors] == [
        "чужой.csv: нет столбца «Ряд», который назван в соответствии (mapping). "
        "Исправьте имя столбца; в файле есть: «Месяц», «Регион», «Число»."
    ]


def test_no_file_for_a_mapping(tmp_path: Path) -> None:
    assert [str(fault) for fault in run(tmp_path, LONG).errors] == [
        "*.csv: нет файлов, названных в соответствии mapping.yaml. Положите файл в папку с данными или исправьте files."
    ]


WIDE = """
title: Проба
tables:
  - table: external_series
    files: "*.csv"
    unpivot: {keep: [Месяц, Ряд], leave: [Примечание], names_to: area, values_to: value}
    leave_out:
      - {column: area, values: Страна, matches: ".* округ"}
    subtract:
      - {column: area, value: value, whole: Архангельская область, parts: [Ненецкий АО]}
    columns:
      region_code: {from: area, regions: да}
      month: Месяц
      series_id: {from: Ряд, codes: {Приём: hires, Долги: arrears}, others: OTHERS}
      value: {from: value, multiply: {by: Ряд, factors: {Долги: 1}, others: 1000}}
    constants: {unit: чел., source: Росстат}
"""
TEXT = (
    "Месяц;Ряд;Страна;Южный округ;Архангельская область;Ненецкий АО;Тыва;Примечание\n"
    "2025-10;Приём;9,9;1;2,5;0,3;0,1;x\n"
    "2025-10;Долги;9;1;20;;5;x\n"
)


def test_wide_to_long_with_scaling_and_a_total_less_its_part(tmp_path: Path) -> None:
    result = run(tmp_path, WIDE.replace("OTHERS", "error"), TEXT)
    found = values(result)
    assert found.pop(("29", "2025-10", "arrears")) != found.get(("29", "2025-10", "arrears"))
    assert pd.isna(found.pop(("83", "2025-10", "arrears")))
    assert found == {
        ("29", "2025-10", "hires"): 2200, ("83", "2025-10", "hires"): 300, ("17", "2025-10", "hires"): 100,
        ("17", "2025-10", "arrears"): 5,
    }  # fmt: skip
    assert [str(fault) for fault in result.warnings] == [
        "чужой.csv: собственное значение «Архангельская область» не вычислено (строк: 1): нет значения одной из частей "
        "(«Ненецкий АО»). Дополните источник или учтите пропуск в выводах."
    ]
    assert result.warnings[0].region_code == "29"


def test_a_fault_in_a_wide_table_names_its_own_header(tmp_path: Path) -> None:
    result = run(tmp_path, WIDE.replace("OTHERS", "error"), TEXT.replace("0,1;x", "пусто;x"))
    assert [str(fault) for fault in result.errors] == [
        "чужой.csv, строка 2, столбец «Тыва»: нужно число. Значение: «пусто». "
        "Запишите число цифрами, например 12,5; разделитель тысяч только пробел."
    ]


@pytest.mark.parametrize(("others", "series"), [("drop", {"hires"}), ("keep", {"hires", "Отпуск"})])
def test_values_beyond_the_codes_are_dropped_or_kept(tmp_path: Path, others: str, series: set[str]) -> None:
    result = run(tmp_path, WIDE.replace("OTHERS", others), TEXT.replace("Долги", "Отпуск"))
    assert {key[2] for key in values(result)} == series


def test_values_beyond_the_codes_are_errors_by_default(tmp_path: Path) -> None:
    result = run(tmp_path, WIDE.replace("OTHERS", "error"), TEXT.replace("Долги", "Отпуск"))
    assert str(result.errors[0]) == (
        "чужой.csv, строка 3, столбец «Ряд»: значения нет в перечне codes соответствия (mapping) (строк: 3). "
        "Значение: «Отпуск». Добавьте значение в codes или укажите others: drop либо keep."
    )


BOOK = """
title: Проба
tables:
  - table: external_series
    files: "*.xlsx"
    sheets: [Данные]
    skip_rows: 1
    header_rows: 2
    positions: {area: 1}
    fill_down: [area]
    unpivot: {keep: [area, Ряд], names_to: [kind, year], values_to: value}
    leave_out: [{column: value, empty: да}]
    columns:
      region_code: {from: area, regions: да}
      month: {from: year, codes: {2024 год: 2024-12, 2025 год: 2025-12}}
      series_id: {from: kind, codes: {"занятые, тыс.": employed, безработные: unemployed}}
      value: value
    constants: {unit: чел., source: Росстат}
"""


def test_a_workbook_with_a_header_of_two_rows_and_merged_cells(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Данные"
    for row in (
        ["Заголовок на весь лист"], [None, "Ряд", "занятые,\n тыс.", None, "безработные"],
        [None, None, "2024 год", "2025 год", "2025 год"], ["г.Москва 3", "a", 1, 2, 3], [None, "b", None, "…", 4],
        ["1 Сноска"],
    ):  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("C2:D2")
    sheet.merge_cells("B2:B3")
    workbook.save(tmp_path / "книга.xlsx")
    (tmp_path / "mapping.yaml").write_text(BOOK, encoding="utf-8")
    result = check(tmp_path)
    frame = result.tables.external_series
    assert frame[["region_code", "series_id", "value"]].to_numpy().tolist() == [
        ["77", "employed", 1], ["77", "employed", 2], ["77", "unemployed", 3], ["77", "unemployed", 4],
    ]  # fmt: skip
    assert [(fault.file, fault.row, fault.column) for fault in result.errors] == [
        ("книга.xlsx [Данные]", 5, "area")  # the same region, year and series twice
    ]


def test_rows_are_added_up_and_averaged(tmp_path: Path) -> None:
    mapping = """
title: Проба
tables:
  - table: promotion
    files: "*.csv"
    columns: {promotion_id: id, clicks: clicks, time_s: time, campaign: c}
    constants: {period_start: 2025-10-01, period_end: 2025-10-31, tool_id: smm, region_code: "77"}
    extras: [kind]
    aggregate: {by: [promotion_id, period_start, period_end, tool_id, region_code, kind], sum: [clicks], mean: [time_s]}
"""
    text = "id,clicks,time,c,kind\na,1,10,x,k\nb,,,,k\na,2,20,y,k\n"
    result = run(tmp_path, mapping, text)
    assert result.errors == ()
    frame = result.tables.promotion.set_index("promotion_id")
    assert frame["clicks"].tolist() == [3, pd.NA]
    assert frame.loc["a", ["time_s", "kind", "tool_id"]].tolist() == [15, "k", "smm"]
    assert frame["campaign"].isna().all()
    assert str(frame["clicks"].dtype) == "Int64"


def test_a_file_that_a_mapping_claims_is_not_read_twice(tmp_path: Path) -> None:
    mapping = LONG.replace("external_series", "vacancies").replace('"*.csv"', "vacancies.csv")
    mapping = mapping.replace("series_id: Ряд, value: Число", "vacancies: Число").replace(
        "    constants: {unit: чел., source: Росстат}\n", ""
    )
    result = run(tmp_path, mapping, "Месяц;Регион;Число\nокт.2025;Тыва;5\n", "vacancies.csv")
    assert result.errors == ()
    assert result.tables.vacancies["region_code"].tolist() == ["17"]
