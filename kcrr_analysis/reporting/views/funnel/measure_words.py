"""Conclusions of the measures along the client's path: never more than the interval or the complete count carries."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from kcrr_analysis.funnel.measures import Measures
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.views.cells import rows_of

NAMED = 4
"""Groups named in one sentence; the tables have all."""


def conclusions(result: Measures) -> list[str]:
    """Sentences of the theme, then which groups differ from the rest."""
    return [*(words for words in _THEMES[result.topic](result) if words), *_differences(result)]


def _row(result: Measures, measure_id: str, variant: str = "", level: str = "") -> Any | None:
    rows = result.rows
    found = rows[(rows["measure_id"] == measure_id) & (rows["variant"] == variant) & (rows["level"] == level)]
    row: Any = next(rows_of(found if level else found[found["kind"] == "all"]), None)
    return None if row is None or math.isnan(row.value) or row.value_hidden else row


def _said(row: Any) -> str:
    """«20,8 % (от 17,8 до 24,1 %; 132 из 635)»."""
    of = f"{formats.integer(row.numerator)} из {formats.integer(row.denominator)}"
    small = ", малая база" if "small_base" in row.flags else ""
    if math.isnan(row.low):
        return f"{formats.percent(row.value)} ({of}, {row.method})"
    return f"{formats.percent(row.value)} ({formats.interval(row.low, row.high, 'percent')}; {of}{small})"


def _sentence(result: Measures, measure_id: str, variant: str, words: str) -> str:
    row = _row(result, measure_id, variant)
    return "" if row is None else words.format(_said(row))


def _clients(result: Measures) -> list[str]:
    mean = _row(result, "services_per_client", "all")
    said = []
    if mean is not None:
        many = _row(result, "services_per_client", "distribution", "3+")
        said.append(
            f"На одного клиента приходится {formats.number(mean.value, 2)} запрошенных и положенных сервисов "
            f"({formats.interval(mean.low, mean.high, 'number', 2)}; "
            f"{formats.count(mean.denominator, 'клиент', 'клиента', 'клиентов')})"
            if not math.isnan(mean.low)
            else f"На одного клиента приходится {formats.number(mean.value, 2)} запрошенных и положенных сервисов "
            "(интервала нет: мало клиентов)"
        )
        said[-1] += "." if many is None else f"; три и больше — у {_said(many)}."
    said.append(_sentence(result, "path_completion", "whole", "Весь путь от первого контакта до услуги прошли {}."))
    said.append(_sentence(result, "inbound_conversion", "", "Из обратившихся сами подали заявление или записались {}."))
    return [" ".join(filter(None, said))]


def _returns(result: Measures) -> list[str]:
    return [
        " ".join(
            filter(
                None,
                (
                    _sentence(result, "return_rate", "", "После нового трудового события вернулись {}."),
                    _sentence(result, "return_rate", "gap", "После перерыва вернулись {}."),
                    _sentence(result, "additional_service_return", "", "За другим сервисом вернулись {}."),
                    _sentence(result, "reengagement_rate", "", "После разговора с бывшими клиентами вернулись {}."),
                ),
            )
        )
    ]


def _contacts(result: Measures) -> list[str]:
    said = [
        _sentence(result, "call_attempted_share", "", "Пытались позвонить {} людей из списка."),
        _sentence(result, "call_reached_share", "", "Из тех, кому звонили, удалось поговорить с {}."),
    ]
    rows = result.rows[(result.rows["measure_id"] == "call_attempted_share") & (result.rows["kind"] == "client_group")]
    full, partly = [], []
    for row in rows_of(rows):
        reached = _row(result, "call_reached_share", "list", row.level)
        if math.isnan(row.value) or row.value_hidden or reached is None:
            continue
        name = f"«{row.level_title}»"
        if reached.numerator == row.denominator:
            full.append(name)
        elif row.numerator == row.denominator:
            partly.append(f"{name} — поговорили с {_said(reached)}")
    calls = ""
    if full:
        calls = f"«100 % обзвон» выполнен (звонили всем и поговорили со всеми): {formats.enumeration(full)}. "
    if partly:
        calls += f"Звонили всем, но поговорили не со всеми, «100 % обзвон» не выполнен: {'; '.join(partly)}."
    return [" ".join(filter(None, said)), calls.rstrip()]


def _outcomes(result: Measures) -> list[str]:
    said = [
        _sentence(result, "outcome_known_share", "", "Результат известен у {} клиентов."),
        _sentence(
            result,
            "placement",
            "",
            "По записям нашли работу {}; это нижняя граница: кто не записан, тот не нашёл.",
        ),
        _sentence(result, "placement", "known", "Среди людей с известным результатом нашли работу {}."),
    ]
    return [" ".join(filter(None, said))]


def _partners(result: Measures) -> list[str]:
    rows = result.rows
    count = _row(result, "partner_count")
    said = []
    if count is not None:
        number = formats.count(count.value, "партнёр", "партнёра", "партнёров")
        said.append(f"На конец периода — {number} (сплошной учёт).")
    empty = rows[(rows["measure_id"] == "partner_group_map") & rows["flags"].str.contains("no_partner")]
    if len(empty):
        names = formats.enumeration([f"«{title}»" for title in empty["level_title"]])
        said.append(f"Без партнёра: {names}.")
    said.append(_sentence(result, "partner_conversion", "", "Из пришедших через партнёра клиентами стали {}."))
    return [" ".join(filter(None, said))]


_THEMES: dict[str, Callable[[Measures], list[str]]] = {
    "clients": _clients,
    "returns": _returns,
    "contacts": _contacts,
    "outcomes": _outcomes,
    "partners": _partners,
}


def _differences(result: Measures) -> list[str]:
    """Which groups differ, out of how many comparisons; nothing is said of the others."""
    shown = result.comparisons[~result.comparisons["hidden"].astype(bool)]
    if shown.empty:
        return ["Сравнить группы между собой нельзя: у них меньше 30 человек в знаменателе или числа скрыты."]
    number = formats.count(len(shown), "сравнения", "сравнений", "сравнений")
    apart = shown[shown["differs"] != 0]
    if apart.empty:
        return [
            f"Ни одна группа не отличается от остальных людей сверх случайного разброса (из {number} групп от 30 "
            "человек; поправка Холма на все сравнения раздела). Это не значит, что группы одинаковы."
        ]
    parts = [
        f"{_title(result, str(measure_id), str(variant))} — {_named(part)}"
        for (measure_id, variant), part in apart.groupby(["measure_id", "variant"], sort=False)
    ]
    return [
        f"Отличаются от остальных людей сверх случайного разброса (из {number} групп от 30 человек, поправка Холма на "
        f"все сравнения раздела): {'; '.join(parts)}. Интервал дан для каждой разности отдельно, без поправки. "
        "Причину отличия эти числа не называют."
    ]


def _title(result: Measures, measure_id: str, variant: str) -> str:
    return f"«{result.definitions[measure_id, variant].title}»"


def _named(part: pd.DataFrame) -> str:
    ordered = part.reindex(part["difference"].abs().sort_values(ascending=False, kind="stable").index)
    named = [
        f"«{row.level_title}» {'выше' if row.differs > 0 else 'ниже'} на {formats.number(abs(row.difference))} п. п. "
        f"({formats.interval(row.low, row.high, 'points')})"
        for row in rows_of(ordered.head(NAMED))
    ]
    rest = len(ordered) - len(named)
    return ", ".join(named) + (f" и ещё {rest}" if rest else "")
