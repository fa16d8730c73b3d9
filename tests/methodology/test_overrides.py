"""A region's own files change or add entries, and faults in them are told in Russian with place and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcrr_analysis import methodology
from kcrr_analysis.errors import ParameterError


def write(folder: Path, name: str, text: str) -> Path:
    own = folder / "methodology"
    own.mkdir(exist_ok=True)
    (own / name).write_text(text, encoding="utf-8")
    return folder


def message(folder: Path | str) -> str:
    with pytest.raises(ParameterError) as caught:
        methodology.load(folder)
    return str(caught.value)


def test_without_own_files_the_dictionaries_are_the_packaged_ones(tmp_path: Path) -> None:
    assert methodology.load(tmp_path) is methodology.load()
    assert methodology.load(tmp_path).overridden == ()


def test_packaged_dictionaries_are_read_once() -> None:
    assert methodology.load() is methodology.load()


def test_one_field_of_one_entry_changes_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "tools.yaml", "open_day:\n  default_weight: 3\n  weight_reason: Решение региона\n")
    own, packaged = methodology.load(tmp_path), methodology.load()
    assert own.tools["open_day"].default_weight == 3
    assert own.tools["open_day"].title == packaged.tools["open_day"].title
    assert {name: tool for name, tool in own.tools.items() if name != "open_day"} == {
        name: tool for name, tool in packaged.tools.items() if name != "open_day"
    }
    assert own.overridden == ("tools/open_day",)
    assert packaged.tools["open_day"].default_weight == 2


def test_a_list_is_replaced_and_a_nested_mapping_is_merged(tmp_path: Path) -> None:
    write(
        tmp_path,
        "groups.yaml",
        "school:\n"
        "  needs:\n    safety: Безопасный труд\n"
        "  chains:\n    - {need: safety, task: first_experience, tools: [flyer], metrics: [placement]}\n",
    )
    school = methodology.load(tmp_path).groups["school"]
    assert "safety" in school.needs
    assert "summer_job" in school.needs
    assert [chain.need for chain in school.chains] == ["safety"]


def test_a_region_adds_a_group_a_tool_with_cases_and_an_own_indicator_reading(tmp_path: Path) -> None:
    write(tmp_path, "groups.yaml", "unemployed:\n  title: Безработные\n  kind: priority\n  definition: На учёте\n")
    write(
        tmp_path,
        "tools.yaml",
        "job_bus:\n"
        "  title: Автобус вакансий\n  stage: 2\n  technology: Объезд посёлков\n"
        "  indicators: [participants]\n  groups: [unemployed]\n  departments: [coordination]\n"
        "  cases:\n    inside: [Опыт соседнего центра]\n",
    )
    write(tmp_path, "indicators.yaml", "registered:\n  numerator: flow.registered_new\n  kind: flow\n")
    own = methodology.load(tmp_path)
    assert own.tools["job_bus"].cases.inside == ("Опыт соседнего центра",)
    assert own.tools["job_bus"].default_weight is None
    assert list(own.groups)[-1] == "unemployed"
    assert own.indicators["registered"].kind == "flow"
    assert own.indicators["registered"].number == 1


def test_a_calibrated_weight_and_bands(tmp_path: Path) -> None:
    write(
        tmp_path,
        "index.yaml",
        "weights:\n  high: {value: 2.6}\nengagement_bands:\n  low: {high: 0.72}\nengagement_cuts: {medium: 0.76}\n",
    )
    scheme = methodology.load(tmp_path).index
    assert scheme.weights[3].value == 2.6
    assert scheme.weights[2].value == 2
    assert not scheme.place(0.72).between
    assert scheme.place(0.755).band.band_id == "low"


def test_a_region_outside_the_list_may_be_added(tmp_path: Path) -> None:
    write(tmp_path, "regions.yaml", "'99':\n  name: Байконур\n")
    own = methodology.load(tmp_path).regions
    assert methodology.region_name("99", within=own) == "Байконур"
    assert methodology.region_code("байконур", within=own) == "99"
    assert methodology.find_region("Байконур", within=own) == own["99"]
    assert methodology.find_region("Байконур") is None
    assert "99" not in methodology.regions()


def test_spellings_of_a_region_are_added(tmp_path: Path) -> None:
    write(tmp_path, "regions.yaml", "'86':\n  aliases: [Ханты-Мансийск]\n")
    own = methodology.load(tmp_path).regions
    assert methodology.region_code("Ханты-Мансийск", within=own) == "86"
    assert methodology.region_code("ХМАО", within=own) == "86"
    assert methodology.find_region("Ханты-Мансийск") is None


def test_files_that_are_not_yaml_and_empty_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "Пояснение")
    write(tmp_path, "tools.yaml", "# пока пусто\n")
    assert methodology.load(tmp_path) == methodology.load()


@pytest.mark.parametrize(
    ("field", "value", "near"),
    [
        ("groups", "[yuth]", "Возможно, имелось в виду «youth»"),
        ("indicators", "[rech]", "Возможно, имелось в виду «reach»"),
        ("departments", "[pres_service]", "Возможно, имелось в виду «press_service»"),
        ("stage", "7", "Известны: 0, 1, 2, 3, 4"),
    ],
)
def test_a_tool_that_names_an_unknown_entry(tmp_path: Path, field: str, value: str, near: str) -> None:
    write(tmp_path, "tools.yaml", f"open_day:\n  {field}: {value}\n")
    text = message(tmp_path)
    assert text.startswith(f"methodology/tools.yaml, запись «open_day»: поле «{field}»: нет ")
    assert f"«{value.strip('[]')}»" in text
    assert near in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("school:\n  parent: yuth\n", "поле «parent»: нет клиентской группы «yuth». Возможно, имелось в виду «youth»"),
        ("youth:\n  parent: school\n", "группы вложены по кругу"),
        ("school:\n  outcomes: [placment]\n", "поле «outcomes»: нет меры или показателя «placment»"),
        (
            "school:\n  chains:\n    - {need: x, task: first_experience, tools: [flyer], metrics: [placement]}\n",
            "поле «chains.1.need»: нет потребности этой группы «x»",
        ),
        (
            "school:\n  chains:\n    - {need: summer_job, task: y, tools: [flyr], metrics: [z]}\n",
            "поле «chains.1.tools»: нет инструмента «flyr». Возможно, имелось в виду «flyer»",
        ),
    ],
)
def test_a_group_that_names_an_unknown_entry(tmp_path: Path, text: str, said: str) -> None:
    assert said in message(write(tmp_path, "groups.yaml", text))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("indicators.yaml", "applied:\n  client_group: al\n", "нет клиентской группы «al». Возможно, имелось в виду"),
        ("indicators.yaml", "applied:\n  number: 1\n", "номер 1 уже занят показателем «registered»"),
        ("indicators.yaml", "applied:\n  denominator: population.population\n", "знаменатель нужен показателю"),
        ("indicators.yaml", "applied:\n  numerator: applied\n", "ожидается «таблица.столбец»"),
        ("measures.yaml", "applied:\n  title: Х\n  unit: ед.\n  kind: flow\n  part: B\n  definition: Х\n  room: ipk\n",
         "такой код уже есть среди официальных показателей"),
        ("regions.yaml", "'77':\n  aliases: [Томская обл.]\n", "название «Томская обл.» уже принадлежит региону 70"),
        ("regions.yaml", "'016':\n  name: Край\n", "код записи не подходит. Код — две цифры"),
        ("tools.yaml", "День:\n  title: День\n", "код записи не подходит"),
        ("tools.yaml", "open_day:\n  weight_assumed: yes\n", "ожидается true или false"),
        ("tools.yaml", "open_day:\n  default_weight: 4\n", "значение должно быть не больше 3"),
        ("tools.yaml", "open_day:\n  default_weight: null\n", "Укажите default_weight: 1, 2 или 3"),
        ("tools.yaml", "open_day:\n  weight_reason: ''\n", "не сказано, почему"),
        ("tools.yaml", "open_day:\n  groups: []\n", "список не может быть пустым"),
        ("tools.yaml", "open_day:\n  title: ''\n", "текст не может быть пустым"),
        ("tools.yaml", "open_day:\n  wieght: 3\n", "неизвестен"),
        ("tools.yaml", "open_day: 3\n", "ожидаются строки вида «ключ: значение»"),
        ("tools.yaml", "- open_day\n", "ожидаются записи вида «код:»"),
        ("tools.yaml", "open_day:\n  title: А\nopen_day:\n  title: Б\n", "записан дважды"),
        ("tools.yaml", "new_one:\n  title: Новый\n", "параметр «stage»: не заполнено"),
        ("index.yaml", "weights:\n  high: {value: 3.5}\n", "веса должны идти по возрастанию"),
        ("index.yaml", "weights:\n  high: {value: nan}\n", "параметр «weights.high.value»"),
        ("index.yaml", "engagement_bands:\n  low: {high: 0.9}\n", "полосы должны идти по возрастанию"),
        ("index.yaml", "rating: {neutral: 6}\n", "low, neutral и high должны идти по возрастанию"),
    ],
)  # fmt: skip
def test_faults_in_own_files(tmp_path: Path, name: str, text: str, said: str) -> None:
    found = message(write(tmp_path, name, text))
    assert said in found
    assert name in found


def test_all_faults_of_a_kind_at_once(tmp_path: Path) -> None:
    write(tmp_path, "tools.yaml", "open_day:\n  groups: [a]\nsmm:\n  groups: [b]\n")
    assert len(message(tmp_path).splitlines()) == 2


def test_a_fault_that_an_own_entry_causes_in_a_packaged_one_names_the_packaged_file(tmp_path: Path) -> None:
    write(tmp_path, "groups.yaml", "school:\n  needs: null\n")
    assert "methodology/groups.yaml, запись «school»" in message(tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tool.yaml", "methodology/tool.yaml: такого файла словарей нет. Возможно, имелось в виду «tools.yaml»"),
        ("tools.yml", "Возможно, имелось в виду «tools.yaml»"),
        ("checklist.yaml", "Допустимы: stages.yaml, tools.yaml"),
    ],
)
def test_an_unknown_file_name(tmp_path: Path, name: str, said: str) -> None:
    assert said in message(write(tmp_path, name, "x: 1\n"))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "не найдена" in message(tmp_path / "нет такой")


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "methodology").write_text("x", encoding="utf-8")
    assert "ожидается папка" in message(tmp_path)
