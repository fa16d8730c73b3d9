"""Every fault of headers and cells, word for word."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from kcrr_analysis.tables import check
from tests.tables.conftest import Put


def faults(put: Put, name: str, text: str) -> list[str]:
    result = check(put(name, text))
    return [str(fault) for fault in (*result.errors, *result.warnings) if fault.file == name]


EVENT = "event_id;date;tool_id;region_code;participants"


@pytest.mark.parametrize(
    ("header", "cell", "message"),
    [
        ("date", "вчера", "нужна дата. Значение: «вчера». "
         "Запишите дату как 2025-10-01, 01.10.2025 или 1 октября 2025 г."),
        ("participants", "5,5",
         "нужно целое число. Значение: «5,5». Запишите число цифрами без дробной части, например 1250."),
        ("participants", "-5", "отрицательное значение. Значение: «-5». "
         "Допустимо не меньше 0 чел.; проверьте исходные данные."),
        ("participants", "", "значение не заполнено. Заполните столбец «Участники» в этой строке."),
        ("event_id", "н/д", "значение не заполнено. Заполните столбец «Код мероприятия» в этой строке."),
        ("region_code", "770", "код региона должен состоять из двух цифр. Значение: «770». "
                               "Запишите код двумя цифрами, например 01 или 77."),
        ("weight", "4", "значение больше 3. Значение: «4». Допустимо от 1 до 3; проверьте исходные данные."),
        ("weight", "0,5", "значение меньше 1. Значение: «0,5». Допустимо от 1 до 3; проверьте исходные данные."),
        ("engagement", "1,6", "значение больше 1,5. Значение: «1,6». "
         "Допустимо от 0,5 до 1,5; проверьте исходные данные."),
        ("mean_rating", "0", "значение меньше 1. Значение: «0». Допустимо от 1 до 5; проверьте исходные данные."),
        ("active_share", "12,3", "значение больше 1. Значение: «12,3». "
                                 "Запишите долю от 0 до 1 или проценты со знаком (12,3 %)."),
        ("active_share", "треть", "нужна доля. Значение: «треть». "
                                  "Запишите долю от 0 до 1 (0,123) или проценты со знаком (12,3 %)."),
        ("external_cost", "3 тыс.", "нужна сумма в рублях. Значение: «3 тыс.». "
                                    "Запишите сумму цифрами, например 12500,50; в рублях, не в тысячах."),
        ("staff_hours", "день", "нужно число. Значение: «день». "
                                "Запишите число цифрами, например 12,5; разделитель тысяч только пробел."),
    ],
)  # fmt: skip
def test_a_wrong_cell_of_events(put: Put, header: str, cell: str, message: str) -> None:
    row = {"event_id": "e1", "date": "2025-10-01", "tool_id": "open_day", "region_code": "77", "participants": "10"}
    row[header] = cell
    text = ";".join(row) + "\n" + ";".join(row.values()) + "\n"
    assert faults(put, "events.csv", text) == [f"events.csv, строка 2, столбец «{header}»: {message}"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("flow.csv", "month;center_id;client_group\nоктябрь;c1;all\n",
         "flow.csv, строка 2, столбец «month»: нужен месяц. Значение: «октябрь». "
         "Запишите месяц как 2025-10, 10.2025 или октябрь 2025."),
        ("population.csv", "region_code;client_group;year;population\n77;all;MMXXV;5\n",
         "population.csv, строка 2, столбец «year»: нужен год. Значение: «MMXXV». "
         "Запишите год четырьмя цифрами, например 2025."),
        ("actions.csv", "action_id;person_id;time;action\na;p;2025-10-01 12:30;lead\n",
         "actions.csv, строка 2, столбец «time»: у времени нет часового пояса. Значение: «2025-10-01 12:30». "
         "Допишите пояс, например 2025-10-01T12:30+03:00."),
        ("actions.csv", "action_id;person_id;time;action\na;p;полдень;lead\n",
         "actions.csv, строка 2, столбец «time»: нужно время с часовым поясом. Значение: «полдень». "
         "Запишите как 2025-10-01T12:30:00+03:00."),
        ("actions.csv", "action_id;person_id;time;action;requested\na;p;2025-10-01T12:30Z;lead;иногда\n",
         "actions.csv, строка 2, столбец «requested»: нужно да или нет. Значение: «иногда». "
         "Запишите да, нет, 1 или 0."),
        ("services.csv", "service_id;service_name;kind\ns;Подбор;местный\n",
         "services.csv, строка 2, столбец «kind»: значение не из списка. Значение: «местный». Допустимы: "
         "federal_measure (федеральная мера), federal_service (федеральный сервис), "
         "regional_service (региональный сервис)."),
        ("services.csv", "service_id;Название услуги;Название услуги\ns;a;b\n",
         "services.csv, столбец «Название услуги»: заголовок «Название услуги» стоит 2 раза. Оставьте один из них."),
        ("services.csv", "service_id;Название услуги;service_name\ns;a;b\n",
         "services.csv, столбец «service_name»: несколько столбцов означают одно: «Название услуги», «service_name». "
         "Оставьте один из них."),
        ("services.csv", "service_id\ns\n",
         "services.csv, столбец «service_name»: нет обязательного столбца «Название сервиса». "
         "Добавьте столбец с заголовком «Название сервиса» или service_name."),
        ("services.csv", "Отчёт за октябрь;;\nещё;что-то;1\n",
         "services.csv: в первой строке нет заголовков таблицы. Первая строка должна содержать заголовки "
         "(«Код сервиса», «Название сервиса», «Вид сервиса», …); "
         "для чужого формата опишите соответствие в mapping.yaml."),
        ("events.csv", "event_id;date;tool_id;participants\ne;2025-10-01;open_day;5\n",
         "events.csv, столбец «center_id»: нет столбца «Код центра» или «Код региона». Добавьте хотя бы один из них."),
    ],
)  # fmt: skip
def test_faults_of_other_tables(put: Put, name: str, text: str, message: str) -> None:
    assert faults(put, name, text) == [message]


def test_the_header_is_named_as_it_is_written(put: Put) -> None:
    found = faults(
        put, "events.csv", "ID мероприятия;Дата;Инструмент;Код региона;Участников\ne;01.10.2025;open_day;77;x\n"
    )
    assert found == [
        "events.csv, строка 2, столбец «Участников»: нужно целое число. Значение: «x». "
        "Запишите число цифрами без дробной части, например 1250."
    ]


def test_every_fault_of_a_file_is_listed_at_once(put: Put) -> None:
    text = f"{EVENT}\n;x;open_day;77;y\ne2;2025-10-01;open_day;7777;-1\n"
    assert len(faults(put, "events.csv", text)) == 5


def test_merged_cells_below_the_header(put: Put) -> None:
    folder = put()
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["Код сервиса", "Название сервиса"], ["s1", "Подбор"], ["s2", None]):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    workbook.save(folder / "services.xlsx")
    assert [str(fault) for fault in check(folder).errors] == [
        "services.xlsx, строка 2: объединённые ячейки в данных (строки 2–3). "
        "Снимите объединение и заполните каждую ячейку.",
        "services.xlsx, строка 3, столбец «Название сервиса»: значение не заполнено. "
        "Заполните столбец «Название сервиса» в этой строке.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("service_id;service_name\n",
         "services.csv: в файле нет строк с данными. Заполните файл или уберите его."),
        ("service_id;service_name;;\ns;a;7;\n",
         "services.csv: столбец номер 3 без заголовка, его значения пропущены. "
         "Дайте столбцу заголовок или очистите его."),
    ],
)  # fmt: skip
def test_warnings_about_a_file(put: Put, text: str, message: str) -> None:
    result = check(put("services.csv", text))
    assert result.errors == ()
    assert [str(fault) for fault in result.warnings] == [message]


def test_a_misspelt_header_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "flow.csv").write_text(
        "month;region_code;client_group;aplied;наш столбец\n2025-10;01;all;5;да\n", encoding="utf-8"
    )
    warnings = [str(fault) for fault in check(tmp_path).warnings]
    assert (
        "flow.csv, столбец «aplied»: столбца «aplied» в таблице нет, возможно, это «Обратилось за содействием» "
        "(applied). Исправьте заголовок; пока столбец читается как дополнительный."
    ) in warnings
    assert not any("наш столбец" in warning for warning in warnings)


def test_a_quote_that_swallows_a_large_file_is_named(tmp_path: Path) -> None:
    rows = "2025-10;01;all;5\n" * 20_000
    (tmp_path / "flow.csv").write_text(
        'month;region_code;client_group;applied\n2025-09;"01;all;5\n' + rows, encoding="utf-8"
    )
    (fault,) = check(tmp_path).errors
    assert "кавычка не закрыта" in fault.message
