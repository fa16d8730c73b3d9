"""Regions by code and name, in the spellings that statistics use."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcrr_analysis import methodology
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.methodology.region_names import spelling


def test_eighty_nine_regions_each_once() -> None:
    regions = methodology.regions()
    assert len(regions) == 89
    assert list(regions) == sorted(regions)
    assert len({region.name for region in regions.values()}) == 89
    assert all(code == region.code and len(code) == 2 and code.isdigit() for code, region in regions.items())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("01", "Республика Адыгея"), ("77", "Москва"), ("83", "Ненецкий автономный округ"),
        ("90", "Запорожская область"), ("91", "Республика Крым"), ("92", "Севастополь"),
        ("93", "Донецкая Народная Республика"), ("94", "Луганская Народная Республика"), ("95", "Херсонская область"),
    ],
)  # fmt: skip
def test_codes(code: str, name: str) -> None:
    assert methodology.region_name(code) == name
    assert methodology.region_code(name) == code
    assert methodology.region_code(code) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("г. Москва", "77"), ("г.Москва 3", "77"), ("город Москва", "77"), ("г Москва", "77"), ("Москва г", "77"),
        ("Г.САНКТ-ПЕТЕРБУРГ", "78"), ("г. Севастополь", "92"), ("город федерального значения Севастополь", "92"),
        ("Московская область 3", "50"), ("Московская обл.", "50"), ("московская обл", "50"),
        ("Ханты-Мансийский авт. округ - Югра", "86"), ("Ханты–Мансийский АО — Югра", "86"), ("ХМАО-Югра", "86"),
        ("в том числе:          Ханты-Мансийский       авт. округ - Югра", "86"),
        ("Ямало-Ненецкий             авт. округ", "89"), ("Ненецкий авт.округ", "83"),
        ("в том числе               Ненецкий авт.округ", "83"),
        ("Еврейская авт. область", "79"), ("Еврейская авт.область", "79"), ("Чукотский авт.округ", "87"),
        ("Республика Северная  Осетия - Алания", "15"), ("Северная Осетия", "15"),
        ("Республика Татарстан (Татарстан)", "16"), ("Респ. Татарстан", "16"), ("Чувашская Республика - Чувашия", "21"),
        ("Кемеровская область - Кузбасс", "42"), ("Якутия", "14"), ("ДНР", "93"), ("7700000000000", "77"),
        ("Орловская область\u00a0¹", "57"), ("Тюменская область*", "72"),
    ],
)  # fmt: skip
def test_spellings_of_statistics(written: str, code: str) -> None:
    assert methodology.region_code(written) == code


@pytest.mark.parametrize(
    "written",
    [
        "Российская Федерация", "Центральный федеральный округ", "Крымский федеральный округ",
        "Архангельская область без авт. округа", "Тюменская область без авт. округов 4", "", "область",
        "00", "80", "99", "7700000000001", "Московская", "=Москва",
    ],
)  # fmt: skip
def test_what_is_no_region(written: str) -> None:
    assert methodology.find_region(written) is None
    with pytest.raises(ParameterError):
        methodology.region_code(written)


def test_messages_help() -> None:
    with pytest.raises(ParameterError, match=r"Регион «Масква» не найден. Возможно, это «Москва» \(77\)"):
        methodology.region_code("Масква")
    with pytest.raises(ParameterError, match="запишите «01»"):
        methodology.region_code("1")
    with pytest.raises(ParameterError, match="Регион с кодом «1» неизвестен"):
        methodology.region_name("1")


NAMES = [(name, region.code) for region in methodology.regions().values() for name in (region.name, *region.aliases)]


@given(
    st.sampled_from(NAMES),
    st.sampled_from([str, str.upper, str.lower]),
    st.sampled_from(["-", "–", "—", " - ", " — "]),
    st.sampled_from([" ", "  ", "\u00a0", "\n"]),
)
def test_case_dashes_and_spaces_make_no_difference(
    named: tuple[str, str], case: type[str], dash: str, space: str
) -> None:
    name, code = named
    written = case(name).replace(" — ", "-").replace("-", dash).replace(" ", space)
    assert methodology.region_code(f" {written} ") == code


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    region = methodology.find_region(text)
    assert region is None or region.code in methodology.regions()


@given(st.sampled_from(NAMES))
def test_the_normal_form_is_its_own_normal_form(named: tuple[str, str]) -> None:
    assert spelling(spelling(named[0])) == spelling(named[0])


def test_codes_and_names_of_trudvsem(shared_data: Path) -> None:
    with (shared_data / "trudvsem_region_code.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["region_name"] != "Байконур"]
    assert len(rows) == 83
    for row in rows:
        assert methodology.region_name(row["region_code"][:2]) == row["region_name"]
        assert methodology.region_code(row["region_code"]) == row["region_code"][:2]


def test_headers_of_rosstat(shared_data: Path) -> None:
    path = shared_data / "ru_regional_employment_flows_2009_2012.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        areas = next(csv.reader(file))[2:]
    found = {area: methodology.find_region(area) for area in areas}
    left = {area for area, region in found.items() if region is None}
    assert all("федеральный округ" in a or "без авт" in a or a == "Российская Федерация" for a in left), left
    codes = [region.code for region in found.values() if region is not None]
    assert len(codes) == len(set(codes)) == 85
