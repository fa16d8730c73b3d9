from __future__ import annotations

import pytest

from kcrr_analysis.batch import params
from kcrr_analysis.errors import ParameterError
from tests.batch.conftest import SETTINGS, Kit


def test_a_run_is_read_and_its_values_converted(kit: Kit) -> None:
    run = params.read(kit.params)
    assert run.base == kit.base
    assert run.titles == {"series": "Глава series", "plain": "Глава plain"}
    assert run.values("series", "016") == {
        "data": "data",
        "region": "016",
        "month": None,
        "mapping": None,
        "disclosure": "public",
        "threshold": 5,
        "title": "Раздел «А»",
    }


def test_codes_stay_as_written(kit: Kit) -> None:
    kit.write_params(SETTINGS.replace("regions: all", "regions: [016, no, 08, 1e3]"))
    assert params.read(kit.params).settings.regions == ("016", "no", "08", "1e3")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("run: проба", "run: ../проба", "имя запуска станет именем папки"),
        ("run: проба", "run: /tmp/x", "имя запуска станет именем папки"),
        ("run: проба", "run: C:x", "имя запуска станет именем папки"),
        ("run: проба", "run: NUL.txt", "занято системой Windows"),
        ("run: проба", "run: проба.", "кончаться точкой"),
        ("run: проба\n", "", "параметр «run»: не заполнено"),
        ("run: проба", "run: [a]", "параметр «run»"),
        ("title: Пробный запуск <&>", "title:", "параметр «title»"),
        ("data: data", "data: нет_такой", "папка .*нет_такой не найдена"),
        ("data: data", "data: data/external_series.csv", "не найдена"),
        ("data: data", "data: data\ndate: x", "параметр «date» неизвестен. Возможно, имелось в виду «data»"),
        ("data: data", "data: data\nmapping: m.yaml", "параметр «mapping»: файл .*m.yaml не найден"),
        ("data: data", "data: data\nword_template: t.docx", "параметр «word_template»: файл .*не найден"),
        ("data: data", "data: data\nmonth: 2025-13", "ожидается месяц вида 2025-10"),
        ("data: data", "data: data\nmonth: 2025", "ожидается месяц вида 2025-10"),
        ("data: data", "data: data\nthreshold: 016", "без нулей впереди"),
        ("data: data", "data: data\nthreshold: 1", "не меньше 2"),
        ("data: data", "data: data\nthreshold: no", "параметр «threshold»"),
        ("data: data", "data: data\ndisclosure: открытый", "Допустимы: public, internal"),
        ("data: data", "data: data\ndata: data", "записан дважды"),
        ("[series, plain]", "[series, plane]", "блокнота «plane» нет .* Возможно, имелось в виду «plain».* Есть: plain, series"),  # noqa: E501
        ("[series, plain]", "[series, series]", "записан дважды"),
        ("[series, plain]", "[series.ipynb]", "пишется без расширения"),
        ("[series, plain]", "[../series]", "имя блокнота"),
        ("[series, plain]", "[]", "параметр «notebooks»"),
        ("[series, plain]", "series", "ожидается список"),
        ("regions: all", "regions: 77", "ожидается список"),
        ("regions: all", "regions: []", "список регионов пуст"),
        ("regions: all", "regions: [01, 02, 01]", "регион «01» записан дважды"),
        ("regions: all", 'regions: ["../77"]', "станет именем папки"),
        ("regions: all", "regions: [con]", "занято системой Windows"),
        ("series: {title", "plain2: {title", "которого нет в строке notebooks"),
        ("{title:", "{titel:", "параметра «titel» у него нет. Возможно, имелось в виду «title»"),
        ('{title: "Раздел «А»"}', "{title: [a]}", "параметр «title»: ожидается текст"),
        ('{title: "Раздел «А»"}', "{region: x}", "задаётся общей строкой файла"),
        ("run: проба", "run: проба\n\tx: 1", "не читается как YAML"),
    ],
)  # fmt: skip
def test_faults_of_the_file_are_named(kit: Kit, old: str, new: str, said: str) -> None:
    assert old in SETTINGS
    kit.write_params(SETTINGS.replace(old, new))
    with pytest.raises(ParameterError, match=f"(?s){said}"):
        params.read(kit.params)


def test_a_notebook_that_lacks_a_shared_parameter_is_refused(kit: Kit) -> None:
    kit.write_notebook("plain", "1", 'data: str = "data"')
    with pytest.raises(ParameterError, match="Блокнот plain: параметра «region» у него нет"):
        params.read(kit.params)


def test_regions_must_be_in_the_data() -> None:
    known = (("01", "Адыгея"), ("77", "Москва"))
    assert params.chosen_regions("all", known, "x") == known
    assert params.chosen_regions(("77",), known, "x") == (("77", "Москва"),)
    with pytest.raises(ParameterError, match=r"нет региона «78». Есть: 01 \(Адыгея\), 77 \(Москва\)"):
        params.chosen_regions(("78",), known, "x")
    with pytest.raises(ParameterError, match="нет ни одного региона"):
        params.chosen_regions("all", (), "x")
