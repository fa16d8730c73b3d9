"""The ordered funnel in words: how many went how far, where most are lost, which levels differ, what weakens it."""

from __future__ import annotations

import math

import pandas as pd

from kcrr_analysis.funnel import OrderedFunnel
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.views.cells import rows_of

TITLES = {
    "tool_id": "инструмент", "channel": "канал", "campaign": "кампания", "client_group": "группа", "center_id": "центр",
    "region_code": "регион", "event_id": "мероприятие", "partner_id": "партнёр", "cohort": "месяц входа",
}  # fmt: skip
UNSTATED = "Не указано"
NAMED = 5
"""Levels named on each side in the conclusion."""

NOT_CAUSE = "Различие описывает людей, которые пришли этим путём, и само по себе не доказывает, что причина — в нём."


def keys(result: OrderedFunnel) -> list[str]:
    """Columns that name a level."""
    return [*result.definition.by, *(["cohort"] if result.definition.cohort else [])]


def whole_rows(result: OrderedFunnel) -> pd.DataFrame | None:
    """Rows of the path as a whole, or None where the result has only levels."""
    rows = result.rows if not keys(result) else result.rows[result.rows["total"]]
    return rows if len(rows) else None


def level_rows(result: OrderedFunnel) -> pd.DataFrame:
    """Rows of the levels, each with its name in `name` and its place in `order`."""
    if not keys(result):
        return result.rows.iloc[:0]
    rows = result.rows[~result.rows["total"]]
    return rows.assign(name=level_names(result, rows), order=rows.reset_index().index // len(result.definition.steps))


def level_names(result: OrderedFunnel, rows: pd.DataFrame) -> list[str]:
    """Names of levels as a reader knows them."""
    named = []
    for column in keys(result):
        titles = result.titles.get(column, {})
        if column == "cohort":
            named.append([formats.month(month) for month in rows[column]])
        else:
            named.append([UNSTATED if pd.isna(code) else titles.get(str(code), str(code)) for code in rows[column]])
    return [" · ".join(parts) for parts in zip(*named, strict=True)]


def by_words(result: OrderedFunnel) -> str:
    """What the levels are."""
    return ", ".join(TITLES.get(column, column) for column in keys(result))


def period(result: OrderedFunnel) -> str:
    """The period in words."""
    start, end = result.definition.start, result.definition.end
    if start is None or end is None:
        return "весь журнал"
    last = end - pd.Timedelta(microseconds=1)
    if start.day == 1 and end.day == 1 and start == start.normalize() and end == end.normalize():
        return formats.month_range(start, last)
    return f"с {start:%d.%m.%Y} по {last:%d.%m.%Y}"


def window(result: OrderedFunnel) -> str:
    """The term in words, empty where there is none."""
    longest = result.definition.longest
    return "" if longest is None else formats.count(round(longest, 2), "день", "дня", "дней")


def interval_words(result: OrderedFunnel) -> str:
    """Name of the interval with its level."""
    return f"{formats.number(100 * result.level, 0)}{formats.NBSP}%-й интервал"


def conclusions(result: OrderedFunnel, whole: pd.DataFrame | None) -> list[str]:
    """What follows from the figures."""
    if result.definition.flow:
        said = "Доли между шагами не выводятся: шаги за период прошли люди, вошедшие в разное время."
        return [said]
    words = [] if whole is None else [_whole_words(result, whole), _loss_words(whole)]
    return [*words, _levels_words(result)]


def _whole_words(result: OrderedFunnel, whole: pd.DataFrame) -> str:
    first, last = whole.iloc[0], whole.iloc[-1]
    if math.isnan(first["persons"]):
        return "Число вошедших скрыто: оно мало или раскрывает малое."
    said = f"В путь вошли ({period(result)}) {formats.people(first['persons'])}. "
    if last["reason"]:
        return f"{said}Доли не выводятся: {last['reason']}."
    if math.isnan(last["share_entry"]):
        return f"{said}Доля дошедших до шага «{last['step_title']}» скрыта: число мало или раскрывает малое."
    base = (
        "Из них"
        if not window(result)
        else f"Срок ({window(result)}) истёк у {formats.integer(last['entrants_matured'])}; из них"
    )
    share = formats.percent(last["share_entry"]) + (formats.MARK if last["share_entry_hidden"] else "")
    limits = formats.interval(last["share_entry_low"], last["share_entry_high"], "percent")
    said += (
        f"{base} до шага «{last['step_title']}» дошли {formats.integer(last['persons_matured'])}, то есть {share} "
        f"({interval_words(result)}: {limits})."
    )
    return said + (" База мала, доля неустойчива." if last["small"] else "")


def _loss_words(whole: pd.DataFrame) -> str:
    """The transition that loses most, or those that the intervals do not tell from it."""
    later = whole.iloc[1:]
    later = later[later["share_previous"].notna()]
    if later.empty or len(whole) < 3:
        return ""
    order = later.sort_values("share_previous", kind="stable")
    worst = order.iloc[0]
    close = order[order["share_previous_low"] <= worst["share_previous_high"]]
    if len(close) == 1:
        said = (
            f"Больше всего людей теряется перед шагом «{worst['step_title']}»: его не сделали "
            f"{formats.percent(100 - worst['share_previous'])} дошедших до предыдущего шага "
            f"({formats.interval(100 - worst['share_previous_high'], 100 - worst['share_previous_low'], 'percent')})."
        )
    else:
        names = formats.enumeration(
            [f"«{row.step_title}» ({formats.percent(100 - row.share_previous)})" for row in rows_of(close.sort_index())]
        )
        said = f"Потери перед шагами {names} в пределах погрешности неразличимы: где теряется больше всего, не ясно."
    return said + (" Часть шагов скрыта и не сравнивалась." if len(later) < len(whole) - 1 else "")


def _levels_words(result: OrderedFunnel) -> str:
    found = result.comparisons
    if not keys(result):
        return ""
    if found.empty:
        return f"Сравнить между собой ({by_words(result)}) нечего: людей с истёкшим сроком мало или числа скрыты."
    last = result.definition.steps[-1].title
    named = found.assign(name=level_names(result, found))
    withheld = result.compared - len(found)
    budget = (
        f"Сравнений {result.compared}{f', из них скрыто {withheld}' if withheld else ''}; вероятность хотя бы одного "
        f"ложного вывода — не больше {formats.percent(100 * (1 - result.level), 0)}."
    )
    sides = [
        f"{words} остальных доходят {_listed(named[named['differs'] == side])}"
        for side, words in ((1, "чаще"), (-1, "реже"))
        if (named["differs"] == side).any()
    ]
    if not sides:
        return f"По доле дошедших до шага «{last}» различий ({by_words(result)}) не видно. {budget}"
    return f"До шага «{last}» {'; '.join(sides)}. {budget} {NOT_CAUSE}"


def _listed(found: pd.DataFrame) -> str:
    largest = found.sort_values("difference", key=abs, ascending=False, kind="stable")
    said = [
        f"«{row.name}» ({formats.percent(row.share)}{formats.MARK if row.hidden else ''} "
        f"против {formats.percent(row.rest)})"
        for row in rows_of(largest.head(NAMED))
    ]
    more = len(largest) - NAMED
    return ", ".join(said) + f" и ещё {more}" if more > 0 else formats.enumeration(said)


def beside(result: OrderedFunnel) -> str:
    """How the base path of a region stands to the measure `path_completion` of the same chapter; empty for others."""
    end = result.definition.end
    if not result.region_code or end is None:
        return ""
    known = result.definition.as_of
    said = (
        "Мера «Прохождение клиентского пути» считает тот же путь и делит людей по клиентским группам, а не по первому "
        f"действию ({by_words(result)})"
    )
    if known >= end - pd.Timedelta(microseconds=1):
        return f"{said}; при том же периоде и сроке итоги совпадают."
    return (
        f"{said}; здесь журнал известен лишь по {known:%d.%m.%Y}, а там — по конец месяца, поэтому тех, у кого срок "
        "истёк, здесь может быть меньше."
    )


def warnings(result: OrderedFunnel, whole: pd.DataFrame | None) -> list[str]:
    """What weakens the figures."""
    words = []
    if whole is not None:
        open_still = whole.iloc[0]["immature"]
        mark = formats.MARK if whole.iloc[0]["immature_hidden"] else ""
        if open_still > 0:
            words.append(
                f"У {formats.integer(open_still)}{mark} из вошедших срок ({window(result)}) ещё не истёк: в числах "
                "людей они учтены, в долях и сроках — нет."
            )
    lost = [
        f"{title} — {formats.integer(count)}"
        for title, count in (("без кода человека", result.without_person), ("без времени", result.without_time))
        if count
    ]
    if lost:
        words.append(
            f"Не учтены действия {', '.join(lost)} (всего в журнале {formats.integer(result.actions)}): эти люди в "
            "путь не вошли или прошли его не до конца."
        )
    return words
