from __future__ import annotations

import hashlib
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import DataError, MissingTableError, ParameterError
from kcrr_analysis.tables import CheckResult, check, load
from tests.tables.conftest import Put

FLOW = "month;center_id;client_group;applied\n2025-10;c1;all;5\n2025-10;c2;all;7\n"


def errors(result: CheckResult) -> list[str]:
    return [str(fault) for fault in result.errors]


def warnings(result: CheckResult) -> list[str]:
    return [str(fault) for fault in result.warnings]


def test_a_sound_folder(put: Put) -> None:
    tables = load(put("flow.csv", FLOW))
    assert tables.names == ("centers", "flow")
    assert "flow" in tables
    assert "plan" not in tables
    assert tables.get("plan") is None
    assert tables.flow["applied"].tolist() == [5, 7]
    assert tables.flow["region_code"].tolist() == ["01", "77"]
    assert tables.flow["scope"].tolist() == ["center", "center"]
    assert tables.flow["period"].tolist() == ["month", "month"]
    assert tables.regions == (("01", "Адыгея"), ("77", "Москва"))
    assert tables.months == (pd.Period("2025-10", "M"), pd.Period("2025-10", "M"))
    assert tables.warnings == ()
    with pytest.raises(MissingTableError) as raised:
        tables.plan  # noqa: B018
    assert "нет таблицы «План» (plan)" in str(raised.value)


def test_dtypes_are_those_of_the_contract_and_every_column_is_there(put: Put) -> None:
    flow = load(put("flow.csv", FLOW)).flow
    assert {name: str(dtype) for name, dtype in flow.dtypes.items()} == {
        "month": "period[M]", "period": "string", "scope": "string", "center_id": "string", "region_code": "string",
        "client_group": "string", "registered_stock": "Int64", "registered_new": "Int64", "applied": "Int64",
        "measure_applicants": "Int64", "measure_recipients": "Int64", "measures_delivered": "Int64",
        "guidance_recipients": "Int64", "visits": "Int64", "services_delivered": "Int64", "clients_served": "Int64",
    }  # fmt: skip


def test_sources_are_addressed_by_their_bytes(put: Put) -> None:
    folder = put("flow.csv", FLOW)
    source = load(folder).sources[1]
    assert (source.table, source.file, source.rows) == ("flow", "flow.csv", 2)
    assert source.sha256 == hashlib.sha256((folder / "flow.csv").read_bytes()).hexdigest()
    assert source.columns == ("month", "center_id", "client_group", "applied")


def test_russian_headers_words_and_extra_columns(put: Put) -> None:
    text = (
        "Отчётный месяц;КОД КЦ;Группа;Обратилось, чел.;Вид периода;Примечание\n"
        "октябрь 2025 г.;c1;Все;1 234;с начала года;=1+1\n"
    )
    flow = load(put("flow.csv", text, "cp1251")).flow
    row = flow.iloc[0]
    assert (row["month"], row["client_group"], row["applied"]) == (pd.Period("2025-10", "M"), "all", 1234)
    assert (row["period"], row["Примечание"]) == ("year_to_date", "=1+1")


def test_one_table_in_parts_and_formats(put: Put) -> None:
    folder = put("flow.2025.csv", FLOW)
    pd.DataFrame(
        {"month": ["2025-11"], "center_id": ["c1"], "client_group": ["all"], "applied": [9], "note": ["x"]}
    ).to_parquet(folder / "flow.2026.parquet")
    result = check(folder)
    assert errors(result) == []
    assert result.tables.flow["applied"].tolist() == [5, 7, 9]
    assert result.tables.flow["note"].fillna("").tolist() == ["", "", "x"]
    assert [source.file for source in result.sources] == ["centers.csv", "flow.2025.csv", "flow.2026.parquet"]


def test_a_workbook_with_russian_headers_and_numbers_for_codes(put: Put) -> None:
    folder = put()
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (
        ["Код региона", "Группа", "Год", "Численность"],
        [1, "all", 2025, 1000],
        ["77", "all", 2025.0, "12 000"],
    ):
        sheet.append(row)
    workbook.save(folder / "population.xlsx")
    result = check(folder)
    assert result.tables.population["region_code"].tolist() == ["01", "77"]
    assert result.tables.population["population"].tolist() == [1000, 12000]
    assert warnings(result) == [
        "population.xlsx, строка 2, столбец «Код региона»: у кода пропал ведущий ноль, прочитано как «01». "
        "Значение: «1». "
        "Задайте столбцу в Excel текстовый формат."
    ]


def test_the_same_table_in_two_formats_is_an_error(put: Put) -> None:
    folder = put("flow.csv", FLOW)
    pd.DataFrame().to_parquet(folder / "flow.parquet")
    assert errors(check(folder)) == [
        "flow.csv: данные таблицы «Клиентопоток» заданы дважды: flow.csv и flow.parquet. Оставьте один из файлов."
    ]


def test_unknown_files_are_warnings(put: Put) -> None:
    folder = put("flows.csv", FLOW)
    put("отчёт.docx", "x")
    put("данные.ods", "x")
    put("~$flow.xlsx", "x")
    put("Архив/flow.csv", FLOW)
    assert warnings(check(folder)) == [
        "flows.csv: имя файла — не имя таблицы, файл не прочитан. Назовите файл именем таблицы или опишите его "
        "в mapping.yaml. Возможно, имелось в виду flow.csv.",
        "Архив/: имя папки — не код региона, её файлы не прочитаны. Назовите папку двумя цифрами кода региона "
        "(например 01) или уберите её.",
        "данные.ods: формат файла не читается, файл пропущен. Сохраните таблицу в одном из форматов: .csv, .xlsx, "
        ".xls, .parquet.",
    ]


def test_a_region_subfolder_lends_its_code(put: Put) -> None:
    folder = put("77/external_series.csv", "month;series_id;value;unit;source\n2025-10;u;1,5;%;Росстат\n")
    result = check(folder)
    assert errors(result) == []
    assert result.tables.external_series["region_code"].tolist() == ["77"]
    assert result.sources[1].file == "77/external_series.csv"


def test_a_row_of_another_region_in_a_region_subfolder(put: Put) -> None:
    text = "region_code;month;series_id;value;unit;source\n01;2025-10;u;1,5;%;Росстат\n"
    result = check(put("77/external_series.csv", text))
    assert errors(result) == [
        "77/external_series.csv, строка 2, столбец «region_code»: строка другого региона в папке региона 77. "
        "Значение: «01». Перенесите строку в папку её региона."
    ]
    assert result.errors[0].region_code == "77"


def test_faults_of_one_region_do_not_stop_another(put: Put) -> None:
    folder = put("flow.csv", FLOW.replace("c2;all;7", "c2;all;семь"))
    put("50/plan.xlsx", "это не книга")
    with pytest.raises(DataError):
        load(folder)
    tables = load(folder, region="01")
    assert tables.region == "01"
    assert tables.flow["applied"].tolist() == [5]
    assert tables.centers["center_id"].tolist() == ["c1"]
    assert tables.regions == (("01", "Адыгея"),)
    with pytest.raises(DataError) as raised:
        load(folder, region="77")
    assert [fault.region_code for fault in raised.value.faults] == ["77"]


def test_a_fault_whose_region_is_unknown_stops_every_region(put: Put) -> None:
    folder = put("flow.csv", FLOW.replace("c2;all", "c9;all"))
    for region in ("01", "77"):
        with pytest.raises(DataError, match="такого центра нет"):
            load(folder, region=region)


def test_a_region_gets_the_same_whether_read_alone_or_with_all(put: Put) -> None:
    text = FLOW + "2025-10;c1;all;-3\nкогда-то;c2;all;1\n"
    folder = put("flow.csv", text)
    whole = check(folder)
    for region in ("01", "77"):
        alone = check(folder, region=region)
        assert alone.errors == tuple(f for f in whole.errors if f.region_code in {None, region})
        mine = whole.tables.flow[whole.tables.flow["region_code"] == region].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone.tables.flow, mine)


def test_rows_without_region_belong_to_no_region(put: Put) -> None:
    text = "promotion_id;period_start;period_end;tool_id\np1;2025-10-01;2025-10-31;smm\n"
    folder = put("promotion.csv", text)
    assert len(load(folder).promotion) == 1
    assert len(load(folder, region="01").promotion) == 0


def test_only_some_tables(put: Put) -> None:
    folder = put("flow.csv", FLOW)
    put("plan.csv", "совсем не план\n1\n")
    tables = load(folder, only=["flow"])
    assert tables.names == ("flow",)
    assert tables.regions == (("01", "Адыгея"), ("77", "Москва"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"only": ["flows"]}, "Неизвестные таблицы: flows."),
        ({"region": "1"}, "Код региона «1» не подходит: нужны две цифры, например 01 или 77."),
        ({"region": "../"}, "Код региона «../» не подходит"),
        ({"mapping": "нет.yaml"}, "не найден. Проверьте путь."),
    ],
)
def test_wrong_arguments(put: Put, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message.replace(".", r"\.")):
        check(put(), **arguments)  # type: ignore[arg-type]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"не найдена\. Проверьте путь\."):
        check(tmp_path / "нет")


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    result = check(tmp_path)
    assert (result.errors, result.tables.names, result.tables.regions, result.tables.months) == ((), (), (), None)
    assert result.text() == "Таблиц не прочитано.\n\nОшибок нет.\n\nПредупреждений нет.\n"


def test_the_notice_of_the_data(put: Put) -> None:
    folder = put("dataset.yaml", "notice: Данные\n  синтетические.\nseed: 1\n")
    assert load(folder).notice == "Данные синтетические."
    (folder / "dataset.yaml").write_text("- x\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="ожидаются строки вида"):
        load(folder)


def test_an_unreadable_file_is_a_fault_of_its_table(put: Put) -> None:
    result = check(put("flow.xlsx", "не книга"))
    assert result.errors[0].table == "flow"
    assert "flow" not in result.tables


def test_text_of_a_check(put: Put) -> None:
    text = FLOW + "".join(f"2025-10;c1;g{n};-1\n" for n in range(4))
    assert check(put("flow.csv", text)).text(limit=2) == (
        "Прочитано:\n"
        "  centers.csv — Кадровые центры (centers), строк: 2\n"
        "  flow.csv — Клиентопоток (flow), строк: 6\n"
        "\n"
        "Ошибки: 4\n"
        "  flow.csv — 4\n"
        "    строка 4, столбец «applied» [-1]: отрицательное значение. Допустимо не меньше 0 чел.; проверьте исходные "
        "данные.\n"
        "    строка 5, столбец «applied» [-1]: отрицательное значение. Допустимо не меньше 0 чел.; проверьте исходные "
        "данные.\n"
        "    … и ещё 2\n"
        "\n"
        "Предупреждения: 4\n"
        "  flow.csv — 4\n"
        "    строка 4, столбец «client_group» [g0]: клиентской группы нет в словаре. Исправьте код или добавьте его в "
        "methodology/groups.yaml в папке данных.\n"
        "    строка 5, столбец «client_group» [g1]: клиентской группы нет в словаре. Исправьте код или добавьте его в "
        "methodology/groups.yaml в папке данных.\n"
        "    … и ещё 2\n"
    )


def test_faults_as_a_frame(put: Put) -> None:
    frame = check(put("flow.csv", FLOW.replace("c2;all;7", "c2;all;x"))).to_frame()
    assert frame.to_dict("records") == [
        {
            "severity": "error", "file": "flow.csv", "table": "flow", "row": 3, "column": "applied", "value": "x",
            "message": "нужно целое число", "remedy": "Запишите число цифрами без дробной части, например 1250.",
            "region_code": "77", "other": "",
        }
    ]  # fmt: skip
    assert len(check(put("flow.csv", FLOW)).to_frame()) == 0


def test_a_large_text_value_is_shown_short(put: Put) -> None:
    result = check(put("flow.csv", FLOW.replace("all;7", f"all;{'я' * 500}")))
    assert result.errors[0].value == "я" * 79 + "…"


def test_a_region_without_rows_is_no_fault_of_the_file(put: Put) -> None:
    result = check(put("flow.csv", FLOW), region="50")
    assert (result.errors, result.warnings, len(result.tables.flow)) == ((), (), 0)


@pytest.mark.parametrize("name", ["flow.csv", "flow.xlsx", "flow.xls", "flow.parquet"])
@given(content=st.binary(max_size=60))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_faults_and_never_a_traceback(put: Put, name: str, content: bytes) -> None:
    folder = put()
    (folder / name).write_bytes(content)
    assert check(folder).text()


def test_a_workbook_broken_inside(put: Put) -> None:
    folder = put()
    workbook = openpyxl.Workbook()
    for row in range(50):
        workbook.active.append([row, "x"])  # type: ignore[union-attr]
    path = folder / "flow.xlsx"
    workbook.save(path)
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at] + b"\x00\xff\x07" + whole[at + 3 :])
        assert check(folder).text()
