from __future__ import annotations

from pathlib import Path

import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.mapping import MappingFile, matched, read_mapping
from kcrr_analysis.yaml_files import validate

BASE = {"table": "external_series", "files": "a.csv", "columns": {"value": "x"}}


def mapping(**changes: object) -> MappingFile:
    return validate(MappingFile, {"title": "Проба", "tables": [BASE | changes]}, "проба.yaml")


@pytest.mark.parametrize(
    "pattern",
    ["../a.csv", "/etc/a.csv", "C:\\a.csv", "x/../../a.csv", "..\\a.csv", "**/a.csv", "~/a.csv", "\\\\host\\a.csv"],
)
def test_a_pattern_stays_in_the_folder(pattern: str) -> None:
    with pytest.raises(ParameterError) as raised:
        mapping(files=[pattern])
    assert str(raised.value) == (
        "проба.yaml: параметр «tables.0.files»: образец имени файла должен оставаться внутри папки с данными. "
        f"Записано: «{[pattern]}»."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "series"}, "такой таблицы нет"),
        ({"columns": {"val": "x"}}, "в таблице external_series нет столбца «val»"),
        ({"constants": {"value": "1"}}, "столбцы заданы и в columns, и в constants: value"),
        ({"columns": {"unit": {"from": "x", "multiply": "2"}}}, "multiply годится только для чисел"),
        ({"leave_out": [{"column": "x", "matches": "("}]}, "регулярное выражение записано неверно"),
        ({"leave_out": [{"column": "x"}]}, "нужно одно из: values, matches, empty"),
        ({"aggregate": {"by": ["месяц"]}}, "aggregate.by: нет столбца «месяц»"),
        ({"aggregate": {"by": ["month"], "sum": ["unit"]}}, "aggregate: «unit» не числовой столбец"),
        ({"header_rows": "0"}, "значение должно быть не меньше 1"),
        ({"colums": {}}, "параметр «tables.0.colums» неизвестен"),
    ],
)
def test_a_wrong_mapping_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError) as raised:
        mapping(**changes)
    assert message in str(raised.value)


def test_short_forms() -> None:
    one = mapping().tables[0]
    assert one.files == ("a.csv",)
    assert one.columns["value"].source == "x"


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "секрет.csv"
    outside.write_text("x\n1\n", encoding="utf-8")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "own.csv").write_text("x\n1\n", encoding="utf-8")
    try:
        (folder / "link.csv").symlink_to(outside)
    except OSError:
        pytest.skip("links cannot be made here")
    assert matched(folder, mapping(files="*.csv").tables[0]) == (folder / "own.csv",)


@pytest.mark.parametrize("name", ["rosstat_flows", "rosstat_labour_force_xls", "kag_campaign"])
def test_the_mappings_of_the_kit_can_be_read(name: str) -> None:
    root = Path(__file__).resolve().parents[2]
    assert read_mapping(root / "params" / "mappings" / f"{name}.yaml").tables
