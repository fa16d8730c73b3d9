"""Strict YAML: what was written is what arrives, and every fault is one Russian line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from kcrr_analysis import yaml_files
from kcrr_analysis.errors import ParameterError


class Inner(yaml_files.FileModel):
    threshold: int = Field(default=5, ge=2)


class Settings(yaml_files.FileModel):
    name: str
    regions: tuple[str, ...] = ()
    month: Annotated[str | None, yaml_files.Absent] = None
    public: yaml_files.Flag = True
    kind: Literal["public", "internal"] = "public"
    inner: Inner = Inner()


def read(text: str) -> Settings:
    return yaml_files.validate(Settings, yaml_files.parse(text, "x.yaml"), "x.yaml")


def test_yaml_1_1_readings_do_not_happen() -> None:
    settings = read("name: 016\nregions: [016, no, 1e3, 0x1F, 2025-03-01]\nmonth:\n")
    assert settings.name == "016"
    assert settings.regions == ("016", "no", "1e3", "0x1F", "2025-03-01")
    assert settings.month is None


@pytest.mark.parametrize(("word", "value"), [("true", True), ("да", True), ("false", False), ("Нет", False)])
def test_flags_are_plain_words(word: str, value: bool) -> None:
    assert read(f"name: x\npublic: {word}").public is value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\npublic: no", "x.yaml: параметр «public»: ожидается true или false (да или нет). Записано: «no»."),
        ("name: x\nregion: [1]", "x.yaml: параметр «region» неизвестен. Возможно, имелось в виду «regions». "),
        ("regions: [a]", "x.yaml: параметр «name»: не заполнено. Добавьте эту строку."),
        ("name: x\nregions: 77", "ожидается список: [а, б] или строки, начатые с «- ». Записано: «77»."),
        ("name: x\nkind: secret", "параметр «kind»: значение «secret» не допускается. Допустимы: public, internal."),
        (
            "name: x\nkind: publik",
            "«publik» не допускается. Возможно, имелось в виду public. Допустимы: public, internal.",
        ),
        ("name: x\ninner: {threshold: 1}", "«inner.threshold»: значение должно быть не меньше 2. Записано: «1»."),
        ("name: x\ninner: {threshold: five}", "«inner.threshold»: ожидается целое число. Записано: «five»."),
        ("name: x\ninner: {treshold: 5}", "«inner.treshold» неизвестен. Возможно, имелось в виду «threshold»."),
        ("name: x\nname: y", "x.yaml, строка 2, позиция 1: файл не читается как YAML (ключ «name» записан дважды)."),
        ("name: [x", "файл не читается как YAML"),
        ("just text", "ожидаются строки вида «ключ: значение»"),
        ("name: !!python/object/apply:os.system [echo]", "файл не читается как YAML"),
    ],
)
def test_each_fault_is_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read(text)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        read("kind: secret\ncolour: red")
    assert len(str(caught.value).splitlines()) == 3


def test_files_with_a_byte_order_mark_and_without(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        path = tmp_path / "a.yaml"
        path.write_text("name: Область", encoding=encoding)
        assert yaml_files.read_model(path, Settings).name == "Область"


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="не найден"):
        yaml_files.read(tmp_path / "none.yaml")
    path = tmp_path / "cp1251.yaml"
    path.write_bytes("name: Область".encode("cp1251"))
    with pytest.raises(ParameterError, match="не в кодировке UTF-8"):
        yaml_files.read(path)


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N"]), min_size=1))
def test_any_plain_scalar_arrives_as_its_text(text: str) -> None:
    assert yaml_files.parse(f"key: {text}", "x.yaml") == {"key": text}
