"""Integrity of the dictionaries: what one entry names, another must define; what an entry says must hold together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise

from kcrr_analysis.methodology.dictionaries import ClientGroup, IndexScheme, Methodology
from kcrr_analysis.methodology.region_names import spelling

Fault = tuple[str, str, str]
"""Dictionary, id of the entry (empty for the index), what is wrong with the remedy (Russian)."""

_SHOWN = 12


def faults(methodology: Methodology) -> list[Fault]:
    """Everything wrong between the entries of `methodology`."""
    return [
        *_tools(methodology),
        *_groups(methodology),
        *_indicators(methodology),
        *_measures(methodology),
        *_regions(methodology),
        *_index(methodology.index),
    ]


def _tools(m: Methodology) -> Iterator[Fault]:
    for key, tool in m.tools.items():
        for field, names, known, noun in (
            ("stage", (tool.stage,), m.stages, "этапа"),
            ("indicators", tool.indicators, m.measures, "меры"),
            ("groups", tool.groups, m.groups, "клиентской группы"),
            ("departments", tool.departments, m.departments, "подразделения"),
        ):
            for text in _unknown(field, names, known, noun):
                yield "tools", key, text
        if tool.weight_assumed and tool.default_weight is None:
            yield (
                "tools",
                key,
                ("поле «weight_assumed»: вес принят допущением, а сам не задан. Укажите default_weight: 1, 2 или 3."),
            )
        if tool.default_weight is not None and not tool.weight_reason:
            yield (
                "tools",
                key,
                "поле «weight_reason»: не сказано, почему у инструмента такой класс веса. Заполните его.",
            )


def _groups(m: Methodology) -> Iterator[Fault]:
    metrics = {**m.indicators, **m.measures}
    for key, group in m.groups.items():
        if group.parent is not None:
            for text in _unknown("parent", (group.parent,), m.groups, "клиентской группы"):
                yield "groups", key, text
        if _in_a_circle(group, m.groups):
            yield "groups", key, "поле «parent»: группы вложены по кругу. Уберите лишнюю вложенность."
        for text in _unknown("outcomes", group.outcomes, metrics, "меры или показателя"):
            yield "groups", key, text
        for number, chain in enumerate(group.chains, start=1):
            for field, names, known, noun in (
                ("need", (chain.need,), group.needs, "потребности этой группы"),
                ("task", (chain.task,), group.tasks, "задачи этой группы"),
                ("tools", chain.tools, m.tools, "инструмента"),
                ("metrics", chain.metrics, metrics, "меры или показателя"),
            ):
                for text in _unknown(f"chains.{number}.{field}", names, known, noun):
                    yield "groups", key, text


def _indicators(m: Methodology) -> Iterator[Fault]:
    numbers: dict[int, str] = {}
    for key, indicator in m.indicators.items():
        groups = [code for code in (indicator.client_group, indicator.denominator_group) if code is not None]
        for text in _unknown("client_group", groups, m.groups, "клиентской группы"):
            yield "indicators", key, text
        if (indicator.kind == "ratio") != (indicator.denominator is not None):
            yield (
                "indicators",
                key,
                (
                    "поле «denominator»: знаменатель нужен показателю вида ratio и только ему. "
                    "Добавьте или уберите его либо исправьте kind."
                ),
            )
        if indicator.number in numbers:
            yield (
                "indicators",
                key,
                f"поле «number»: номер {indicator.number} уже занят показателем «{numbers[indicator.number]}». "
                "Укажите другой номер.",
            )
        numbers.setdefault(indicator.number, key)


def _measures(m: Methodology) -> Iterator[Fault]:
    for key in m.measures:
        if key in m.indicators:
            yield "measures", key, "такой код уже есть среди официальных показателей. Выберите другой код."


def _regions(m: Methodology) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    for key, region in m.regions.items():
        for name in (region.name, *region.aliases):
            other = taken.setdefault(spelling(name), key)
            if other != key:
                yield (
                    "regions",
                    key,
                    f"название «{name}» уже принадлежит региону {other}. Уберите его у одного из регионов.",
                )


def _index(index: IndexScheme) -> Iterator[Fault]:
    weights = [index.weights[code].value for code in (1, 2, 3)]
    if not _ascending(index.weight_low, *weights, index.weight_high):
        yield (
            "index",
            "",
            (
                "поле «weights»: веса должны идти по возрастанию (low, medium, high) в границах weight_range "
                f"от {index.weight_low:g} до {index.weight_high:g}. Исправьте их."
            ),
        )
    low, medium, high = (index.bands[name] for name in ("low", "medium", "high"))
    ends = (low.low, low.high, index.cut_medium, medium.low, medium.high, index.cut_high, high.low, high.high)
    if not _ascending(index.engagement_low, *ends, index.engagement_high):
        yield (
            "index",
            "",
            (
                "поле «engagement_bands»: полосы должны идти по возрастанию, не пересекаться и лежать "
                "в engagement_range, а границы engagement_cuts — в промежутках между полосами. Исправьте их."
            ),
        )
    if not _ascending(index.rating_low, index.rating_neutral, index.rating_high):
        yield "index", "", "поле «rating»: low, neutral и high должны идти по возрастанию. Исправьте их."


def _ascending(*values: float) -> bool:
    return all(first <= second for first, second in pairwise(values))


def _unknown(field: str, names: Iterable[str], known: Mapping[str, object], noun: str) -> Iterator[str]:
    for name in names:
        if name in known:
            continue
        near = get_close_matches(name, known, n=1)
        hint = f" Возможно, имелось в виду «{near[0]}»." if near else ""
        listed = ", ".join(list(known)[:_SHOWN]) or "пока ни одной записи"
        more = ", …" if len(known) > _SHOWN else ""
        yield f"поле «{field}»: нет {noun} «{name}».{hint} Известны: {listed}{more}."


def _in_a_circle(group: ClientGroup, groups: Mapping[str, ClientGroup]) -> bool:
    seen: set[str] = set()
    code: str | None = group.group_id
    while code is not None and code in groups:
        if code in seen:
            return True
        seen.add(code)
        code = groups[code].parent
    return False
