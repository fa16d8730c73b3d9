from __future__ import annotations

import pytest

from kcrr_analysis.tables import check
from tests.tables.conftest import Put

EVENT = "event_id;date;tool_id;region_code;participants;"
PROMOTION = "promotion_id;period_start;period_end;tool_id;"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("plan.csv", "month;center_id;client_group\n2025-10;c1;all\n10.2025;c1;Все\n",
         "plan.csv, строка 3, столбец «month»: строка повторяет ключ («Месяц», «Код центра», «Клиентская группа»): "
         "он уже есть в plan.csv, строка 2. Значение: «2025-10 · c1 · all». Оставьте одну из строк."),
        ("promotion.csv", PROMOTION + "clicks\np;2025-10-31;2025-10-01;smm;1\n",
         "promotion.csv, строка 2, столбец «period_end»: конец периода раньше начала (2025-10-31). "
         "Значение: «2025-10-01». Исправьте дату начала или конца."),
        ("flow.csv", "month;center_id;client_group\n2025-10;c9;all\n",
         "flow.csv, строка 2, столбец «center_id»: такого центра нет в таблице «Кадровые центры» (centers). "
         "Значение: «c9». Исправьте код центра или добавьте центр в centers."),
        ("flow.csv", "month;center_id;region_code;client_group\n2025-10;c1;77;all\n",
         "flow.csv, строка 2, столбец «region_code»: центр c1 по таблице centers относится к региону 01. "
         "Значение: «77». Исправьте код региона или код центра."),
        ("flow.csv", "month;scope;center_id;region_code;client_group\n2025-10;центр;;77;all\n",
         "flow.csv, строка 2, столбец «center_id»: в строке уровня «центр» нет кода центра. Заполните код центра."),
        ("flow.csv", "month;scope;center_id;client_group\n2025-10;region;;all\n",
         "flow.csv, строка 2, столбец «region_code»: в строке уровня «регион» нет кода региона. "
         "Заполните код региона."),
        ("flow.csv", "month;scope;center_id;client_group\n2025-10;region;c1;all\n",
         "flow.csv, строка 2, столбец «center_id»: в строке уровня «регион» указан центр. Значение: «c1». "
         "Очистите код центра или укажите уровень «центр»."),
    ],
)  # fmt: skip
def test_errors(put: Put, name: str, text: str, message: str) -> None:
    result = check(put(name, text))
    assert [str(fault) for fault in result.errors] == [message]
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("promotion.csv", PROMOTION + "impressions;clicks\np;2025-10-01;2025-10-31;smm;5;6\n",
         "promotion.csv, строка 2, столбец «clicks»: «Переходы» больше, чем «Показы». Значение: «6»; рядом: «5». "
         "Проверьте обе величины."),
        ("flow.csv", "month;center_id;client_group;measure_applicants;measure_recipients\n2025-10;c1;all;5;6\n",
         "flow.csv, строка 2, столбец «measure_recipients»: «Получили меры поддержки» больше, чем "
         "«Обратилось за мерами поддержки». Значение: «6»; рядом: «5». Проверьте обе величины."),
        ("flow.csv", "month;center_id;client_group\n2025-09;c1;youth\n2025-10;c1;youth\n",
         "flow.csv, строка 2, столбец «client_group»: нет строки «all» (все клиенты), итог вычислить нельзя; "
         "месяцы: 2025-09 — 2025-10 (число месяцев: 2). "
         "Добавьте строки с группой all: группы пересекаются, и складывать их нельзя."),
        ("flow.csv", "month;center_id;client_group\n2025-07;c1;all\n2025-08;c1;all\n2025-10;c1;all\n",
         "flow.csv, строка 2, столбец «month»: в ряду «month · center · c1 · 01 · all» пропущены месяцы: 2025-09. "
         "Добавьте строки за эти месяцы или учтите пропуск в выводах."),
        ("plan.csv", "month;center_id;client_group\n2025-10;c1;марсиане\n",
         "plan.csv, строка 2, столбец «client_group»: клиентской группы нет в словаре. Значение: «марсиане». "
         "Исправьте код или добавьте его в methodology/groups.yaml в папке данных."),
        ("events.csv", EVENT + "weight\ne1;2025-10-01;фейерверк;77;1;1\ne2;2025-10-01;фейерверк;77;1;1\n",
         "events.csv, строка 2, столбец «tool_id»: инструмента нет в словаре (строк: 2). Значение: «фейерверк». "
         "Исправьте код или добавьте его в methodology/tools.yaml в папке данных."),
        ("vacancies.csv", "month;region_code;vacancies\n2025-10;00;5\n",
         "vacancies.csv, строка 2, столбец «region_code»: такого кода региона нет. Значение: «00». "
         "Исправьте код или добавьте его в methodology/regions.yaml в папке данных."),
        ("events.csv", EVENT + "reviews;rating_4;rating_5\ne;2025-10-01;smm;77;9;5;1;2\n",
         "events.csv, строка 2, столбец «reviews»: число отзывов не равно сумме оценок от 1 до 5. Значение: «5»; "
         "рядом: «3». Проверьте число отзывов и оценки."),
        ("events.csv", EVENT + "mean_rating;rating_4;rating_5\ne;2025-10-01;smm;77;9;4,0;1;1\n",
         "events.csv, строка 2, столбец «mean_rating»: средняя оценка не сходится с оценками от 1 до 5. "
         "Значение: «4»; рядом: «4,50». Проверьте среднюю оценку и оценки."),
        ("events.csv", EVENT + "reviews\ne;2025-10-01;smm;77;9;3\n",
         "events.csv, строка 2, столбец «mean_rating»: есть отзывы, но нет ни средней оценки, ни оценок от 1 до 5. "
         "Добавьте среднюю оценку или число оценок каждого балла."),
        ("events.csv", EVENT + "reviews;mean_rating\ne;2025-10-01;smm;77;2;3;5\n",
         "events.csv, строка 2, столбец «reviews»: «Отзывы» больше, чем «Участники». Значение: «3»; рядом: «2». "
         "Проверьте обе величины."),
    ],
)  # fmt: skip
def test_warnings(put: Put, name: str, text: str, message: str) -> None:
    result = check(put(name, text))
    assert result.errors == ()
    assert [str(fault) for fault in result.warnings] == [message]


def test_a_group_and_a_tool_may_be_named_by_title(put: Put) -> None:
    from kcrr_analysis import methodology

    group, tool = methodology.groups()["youth"].title, methodology.tools()["open_day"].title
    text = f"event_id;date;tool_id;region_code;participants;client_group\ne;2025-10-01;{tool.upper()};77;1;{group}\n"
    result = check(put("events.csv", text))
    assert result.warnings == ()
    assert result.tables.events[["tool_id", "client_group"]].iloc[0].tolist() == ["open_day", "youth"]


def test_yearly_series_have_no_gaps_but_a_lost_year_is_one(put: Put) -> None:
    head = "region_code;month;series_id;value;unit;source\n"
    rows = [f"77;{year}-12;u;1;%;Росстат\n" for year in (2009, 2010, 2011, 2013)]
    folder = put("external_series.csv", head + "".join(rows[:3]))
    assert check(folder).warnings == ()
    put("external_series.csv", head + "".join(rows))
    assert [fault.message for fault in check(folder).warnings] == ["в ряду «77 · u» пропущены месяцы: 2012-12"]


def test_keys_with_empty_optional_parts_are_compared(put: Put) -> None:
    text = "region_code;client_group;year;population\n77;all;2025;5\n77;all;2025;6\n"
    assert len(check(put("population.csv", text)).errors) == 1


def test_a_repeat_in_another_file_names_that_file(put: Put) -> None:
    folder = put("services.1.csv", "service_id;service_name\ns;a\n")
    put("services.2.csv", "service_id;service_name\ns;b\n")
    assert "он уже есть в services.1.csv, строка 2" in check(folder).errors[0].message


def test_references_between_tables(put: Put) -> None:
    folder = put("services.csv", "service_id;service_name\ns;a\n")
    put("outcomes.csv", "person_id;date;kind;region_code;service_id\np;2025-10-01;employed;77;другой\n")
    assert [str(fault) for fault in check(folder).warnings] == [
        "outcomes.csv, строка 2, столбец «service_id»: такого кода нет в таблице «Сервисы» (services). "
        "Значение: «другой». Исправьте код или добавьте строку в services."
    ]


def test_tables_of_centres_need_the_table_of_centres(put: Put) -> None:
    folder = put("plan.csv", "month;center_id;client_group\n2025-10;c1;all\n")
    (folder / "centers.csv").unlink()
    assert [str(fault) for fault in check(folder).warnings] == [
        "plan.csv: нет таблицы «Кадровые центры» (centers), регион строк неизвестен. "
        "Добавьте файл centers.csv или centers.xlsx."
    ]


def test_an_unknown_code_is_a_warning_of_each_region_that_uses_it(put: Put) -> None:
    text = "month;center_id;client_group\n2025-10;c1;марсиане\n2025-10;c2;марсиане\n2025-11;c2;марсиане\n"
    folder = put("plan.csv", text)
    whole = check(folder).warnings
    assert [(fault.row, fault.region_code, fault.message) for fault in whole] == [
        (2, "01", "клиентской группы нет в словаре"),
        (3, "77", "клиентской группы нет в словаре (строк: 2)"),
    ]
    assert check(folder, region="77").warnings == whole[1:]
