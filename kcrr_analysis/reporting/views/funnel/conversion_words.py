"""Words on the conversion of promotion: what it gave, which levels differ from the rest, what an action cost."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import pandas as pd

from kcrr_analysis.funnel import Conversion
from kcrr_analysis.funnel.placements import BASES, MIN_PLACEMENTS
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Kind, Paragraph

PER = {1_000: "1 тыс.", 10_000: "10 тыс.", 100_000: "100 тыс.", 1_000_000: "1 млн"}
"""Impressions that a share may be told of: a percentage of impressions would be zeros."""

READABLE = 5.0
"""The fewest impressions of `PER` are taken that bring the share of all placements to this."""

TITLES = {
    "calls": "Звонки",
    "detail_views": "Просмотры подробностей",
    "downloads": "Скачивания",
    "subscriptions": "Подписки",
    "leads": "Лиды",
    "registrations": "Регистрации на ЕЦП",
    "applications": "Заявления на МГП",
    "customers": "Новые клиенты",
}
ONE = {
    "calls": "звонка",
    "detail_views": "просмотра подробностей",
    "downloads": "скачивания",
    "subscriptions": "подписки",
    "leads": "лида",
    "registrations": "регистрации",
    "applications": "заявления",
    "customers": "клиента",
}
MANY = {
    "calls": "звонков",
    "detail_views": "просмотров подробностей",
    "downloads": "скачиваний",
    "subscriptions": "подписок",
    "leads": "лидов",
    "registrations": "регистраций",
    "applications": "заявлений",
    "customers": "клиентов",
}
CUTS = {
    "tool_id": ("Инструмент", "по инструментам"),
    "campaign": ("Кампания", "по кампаниям"),
    "client_group": ("Группа", "по клиентским группам"),
    "center_id": ("Центр", "по центрам"),
    "region_code": ("Регион", "по регионам"),
    "month": ("Месяц", "по месяцам"),
    "age": ("Возраст", "по возрасту"),
    "gender": ("Пол", "по полу"),
}
_ISO_MONTH = re.compile(r"\b\d{4}-(?:0[1-9]|1[0-2])\b")


def cut(result: Conversion) -> tuple[str, str]:
    """Header of the first column and «по …»."""
    if not result.by:
        return "Размещения", ""
    parts = [CUTS.get(name, (name, f"по столбцу «{name}»")) for name in result.by]
    return ", ".join([parts[0][0], *(head.lower() for head, _ in parts[1:])]), formats.enumeration(
        [by for _, by in parts]
    )


def period(result: Conversion) -> str:
    """«с 01.11.2024 по 31.10.2025»."""
    return f"с {result.first:%d.%m.%Y} по {result.last:%d.%m.%Y}"


def label(row: Any) -> str:
    """A level's title, months in words."""
    return _ISO_MONTH.sub(lambda found: formats.month(found[0]), row.title)


def conclusions(result: Conversion) -> tuple[Paragraph, ...]:
    """What the promotion gave, who differs from the rest, what it cost."""
    words = (_total_words(result), *compared_words(result), _cost_words(result))
    return tuple(Paragraph(text, "conclusion") for text in words if text)


def per(result: Conversion) -> tuple[int, str]:
    """How many impressions the share of the target action is told of, and «100 тыс. показов»."""
    share = result.total[f"{result.target}_per_impression"] / 100
    enough = [size for size in PER if size * share >= READABLE]
    size = enough[0] if enough else 100_000 if math.isnan(share) or not share else max(PER)
    return size, f"{PER[size]} показов".replace(" ", formats.NBSP)


def rate_decimals(result: Conversion) -> int:
    """Digits that let the share of clicks be told from zero."""
    rate = result.total["click_rate"]
    return 2 if math.isnan(rate) or rate <= 0 else max(2, 1 + math.ceil(-math.log10(rate)))


def records(frame: pd.DataFrame) -> list[SimpleNamespace]:
    """The frame's rows with columns as attributes: `cells.rows_of` is slow on frames of hundreds of columns."""
    names = [str(name) for name in frame.columns]
    rows = frame.astype(object).to_numpy()
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows]


def lower(title: str) -> str:
    """A title inside a sentence; abbreviations stay."""
    return title[:1].lower() + title[1:]


def _total_words(result: Conversion) -> str:
    total, target = result.total, result.target
    parts = []
    if not math.isnan(total.impressions):
        parts.append(formats.count(total.impressions, "показ", "показа", "показов"))
    if not math.isnan(total.clicks):
        rate = ""
        if not math.isnan(total.click_rate):
            rate = f" ({formats.percent(total.click_rate, rate_decimals(result))} показов)"
        parts.append(formats.count(total.clicks, "переход", "перехода", "переходов") + rate)
    if not math.isnan(total[target]):
        shares = [_share_words(result, total, base) for base in BASES if not math.isnan(total[f"{target}_per_{base}"])]
        of = f", то есть {' и '.join(shares)}" if shares else ""
        parts.append(f"{lower(TITLES[target])} — {formats.integer(total[target])}{of}")
    if not parts:
        return f"За размещения {period(result)} не записано ни показов, ни переходов, ни целевых действий."
    placed = formats.count(total.placements, "размещение", "размещения", "размещений")
    return f"{placed} {period(result)}: {', '.join(parts)}."


def _share_words(result: Conversion, row: pd.Series, base: str) -> str:
    """«1,93 % переходов (от 1,67 до 2,25 %)»."""
    name, kind, scale, decimals = _base(result, base)
    low, high = scale * row[f"{name}_low"], scale * row[f"{name}_high"]
    of = f" на {per(result)[1]}" if base == "impression" else " переходов"
    ends = "" if math.isnan(low) else f" ({formats.interval(low, high, kind, decimals)})"
    return formats.value(scale * row[name], kind, decimals) + of + ends


def _base(result: Conversion, base: str) -> tuple[str, Kind, float, int]:
    """Column of the share, how it reads, what turns its percentages into that, digits."""
    name = f"{result.target}_per_{base}"
    return (name, "number", per(result)[0] / 100, 1) if base == "impression" else (name, "percent", 1.0, 2)


def compared_words(result: Conversion) -> tuple[str, ...]:
    """Which levels differ from all other placements, for each base, and how sure that is."""
    levels = result.levels
    if len(levels) < 2:
        return ()
    told = levels[[f"difference_per_{base}_differs" for base in BASES]]
    any_told = told.notna().any(axis=1)
    judged = int(any_told.sum())
    if not judged:
        return (
            f"Сравнение {cut(result)[1]} не проводится: у каждой строки или у всех остальных меньше {MIN_PLACEMENTS} "
            "размещений, либо значения скрыты.",
        )
    left = len(levels) - judged
    aside = (
        f" Без сравнения строк: {left} из {len(levels)} (мало размещений, нет данных или значение скрыто)."
        if left
        else ""
    )
    budget = (
        f" Сравнений {result.compared}, поправка Холма: хоть одно ложное отличие — не чаще чем в "
        f"{formats.percent(100 * (1 - result.level), 0)} случаев. Отличие не доказывает причины."
    )
    if not told.fillna(0).to_numpy().any():
        who = f"ни одна строка из {judged} не отличается"
        if judged == 1:
            who = f"строка «{label(records(levels[any_told])[0])}» не отличается"
        alike = (
            f"По числу {MANY[result.target]} на показ и на переход {who} от остальных размещений: различия не больше, "
            "чем бывают между размещениями случайно."
        )
        return (alike + aside + budget,)
    said = [words for base in BASES if (words := _compared(result, levels, base))]
    return (*said[:-1], said[-1] + aside + budget)


def _compared(result: Conversion, levels: pd.DataFrame, base: str) -> str:
    name = f"difference_per_{base}"
    judged = levels[levels[f"{name}_differs"].notna()]
    if judged.empty:
        return ""
    of = f"на {per(result)[1]}" if base == "impression" else "в процентах к переходам"
    parts = []
    for sign, word in ((1, "больше, чем у остальных,"), (-1, "меньше, чем у остальных,")):
        found = judged[judged[f"{name}_differs"] == sign].sort_values(name, ascending=sign < 0)
        if len(found):
            parts.append(f"{word} {', '.join(_gap(result, row, base) for row in records(found))}")
    same = judged[judged[f"{name}_differs"] == 0]
    if len(same):
        names = formats.enumeration([f"«{label(row)}»" for row in records(same)])
        parts.append(f"не {formats.plural(len(same), 'отличается', 'отличаются', 'отличаются')} от остальных {names}")
    many = MANY[result.target]
    return f"{many[:1].upper()}{many[1:]} {of}: {'; '.join(parts)}."


def _gap(result: Conversion, row: Any, base: str) -> str:
    """«30-34» — 17,8 (разница +6,7, от +5,0 до +8,4)."""
    share, kind, scale, decimals = _base(result, base)
    name = f"difference_per_{base}"
    values = [scale * getattr(row, f"{name}{end}") for end in ("", "_low", "_high")]
    if min(abs(value) for value in values) < 0.5 * 10**-decimals:
        decimals += 1
    gap, low, high = (formats.number(value, decimals, signed=True) for value in values)
    unit = "" if base == "impression" else f"{formats.NBSP}п.{formats.NBSP}п."
    own = formats.value(scale * getattr(row, share), kind, decimals)
    return f"«{label(row)}» — {own} (разница {gap}, от{formats.NBSP}{low} до{formats.NBSP}{high}{unit})"


def _cost_words(result: Conversion) -> str:
    parts = []
    for action in dict.fromkeys(("leads", result.target, "customers")):
        value = result.total[f"cost_per_{action}"]
        if math.isnan(value):
            continue
        low, high = (result.total[f"cost_per_{action}_{end}"] for end in ("low", "high"))
        ends = "" if math.isnan(low) else f" ({_money(result, low, high)})"
        parts.append(f"{ONE[action]} — {_money(result, value)}{ends}")
    lack = " ".join(["", *result.cost_gaps])
    return f"Стоимость {'; '.join(parts)}.{lack}" if parts else ""


def _money(result: Conversion, *values: float) -> str:
    decimals = 2 if abs(values[-1]) < 100 else 0
    if len(values) == 1:
        return formats.number(values[0], decimals) + formats.NBSP + result.money_unit
    return formats.interval(values[0], values[1], "number", decimals) + formats.NBSP + result.money_unit
