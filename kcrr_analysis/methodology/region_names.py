"""Regions by code and by name, in the spellings that statistics and departmental files use.

Codes are the two digits by which trudvsem and the tax service number the regions (the first digits of a KLADR code):
91 Крым, 92 Севастополь, 90 Запорожская область, 93 ДНР, 94 ЛНР, 95 Херсонская область. Series on vehicle plates
differ (80 ДНР, 81 ЛНР, 82 Крым, 84, 85) and are not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.methodology.dictionaries import Region

_DASHES = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*")
_FOOTNOTE = re.compile(r"(?:\s*[0-9¹²³⁴-⁹]+\)?|\s*\*+)+$")
_LEAD = re.compile(r"^(в том числе|из них)\s*:?\s*")
_SHORT = (
    (re.compile(r"\bавт\.?\s*обл(\.|асть)?(?![а-я])"), "автономная область"),
    (re.compile(r"\bавт\.?\s*окр(\.|уг)?(?![а-я])"), "автономный округ"),
    (re.compile(r"(?<![а-я-])ао(?![а-я])"), "автономный округ"),
    (re.compile(r"(?<![а-я])обл\.?(?![а-я])"), "область"),
    (re.compile(r"(?<![а-я])респ\.?(?![а-я])"), "республика"),
    (re.compile(r"^(г\.|г\s|город федерального значения\s|город\s|гор\.)\s*"), ""),
    (re.compile(r"[\s,]+(г\.?|город)$"), ""),
)
_CODE = re.compile(r"([0-9]{2})(?:0{11}|0{9})?")


def spelling(name: str) -> str:
    """The form in which two spellings of one region's name are equal.

    Case, «ё», dashes, spaces, «авт. округ», «обл.», «г. » and a footnote's number at the end make no difference.

    >>> spelling("г.Москва 3") == spelling("МОСКВА")
    True
    >>> spelling("в том числе Ненецкий авт.округ")
    'ненецкий автономный округ'
    """
    text = " ".join(name.casefold().replace("ё", "е").split())
    text = _LEAD.sub("", text)
    text = _FOOTNOTE.sub("", text) or text
    text = _DASHES.sub("-", text)
    for pattern, full in _SHORT:
        text = pattern.sub(full, text)
    return " ".join(text.split())


def find(regions: Mapping[str, Region], name: str) -> Region | None:
    """The region that `name` means: a name in any known spelling, or a code («77», «7700000000000»); else None."""
    text = str(name).strip()
    code = _CODE.fullmatch(text)
    if code:
        return regions.get(code.group(1))
    return regions.get(_spellings(tuple(regions.values())).get(spelling(text), ""))


def code_of(regions: Mapping[str, Region], name: str) -> str:
    """The two-digit code of the region that `name` means; see `find`.

    Raises:
        ParameterError: No such region; the message names the nearest one.
    """
    region = find(regions, name)
    if region is not None:
        return region.code
    if re.fullmatch(r"[0-9]", str(name).strip()):
        raise ParameterError(
            f"Код региона «{name}» записан одной цифрой: запишите «0{str(name).strip()}». "
            "Если таблицу сохраняла программа, убравшая ноль, задайте столбцу текстовый формат."
        )
    known = {spelling(region.name): region for region in regions.values()}
    near = get_close_matches(spelling(str(name)), known, n=1)
    hint = f" Возможно, это «{known[near[0]].name}» ({known[near[0]].code})." if near else ""
    raise ParameterError(
        f"Регион «{name}» не найден.{hint} Укажите код из двух цифр или полное название; "
        "другое написание можно добавить в methodology/regions.yaml (поле aliases)."
    )


def name_of(regions: Mapping[str, Region], code: str) -> str:
    """The name of the region with the two-digit `code`.

    Raises:
        ParameterError: No such code.
    """
    region = regions.get(code)
    if region is None:
        raise ParameterError(
            f"Регион с кодом «{code}» неизвестен. Код — две цифры («01», «77»); "
            "свой код можно добавить в methodology/regions.yaml."
        )
    return region.name


@lru_cache(maxsize=8)
def _spellings(regions: tuple[Region, ...]) -> dict[str, str]:
    return {spelling(name): region.code for region in regions for name in (region.name, *region.aliases)}
