"""The index in words: what was recorded, what it is made of, who can be told apart, what weakens it."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.ipk import Bursts, Drivers, Scheme, Score
from kcrr_analysis.ipk.terms import FLAGS
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.views.cells import rows_of
from kcrr_analysis.reporting.views.ipk.figures import IN_WORDS, UNITS, label, names, of_units, quoted

STARS = (
    "Плохой отзыв тоже увеличивает индекс: каждая звезда прибавляет единицу. Поэтому рядом стоит слагаемое с "
    "поправкой — "
    "отзывы × (средняя оценка − 3): отрицательное значение значит, что недовольных больше."
)
BESIDE = (
    "В формуле нет конверсии участников в клиентов, поэтому она стоит рядом и в ИПК не входит. Заявленная — со "
    "слов центра "
    "(новые клиенты / участники), отнесённая — по журналу действий людей; они считают разное и не обязаны совпадать."
)
BASIS = (
    "Это основа для обсуждения плана, а не доказательство: форматы различаются тем, для кого и когда они проводятся, "
    "и перенос денег на «выгодный» формат не обязан дать тот же результат."
)
REWARD = (
    "Для поощрения сотрудников эти суммы не годятся: они зависят прежде всего от размера и легко завышаются записью. "
    "Основой может быть только индекс на единицу по проверенным данным и с порогом качества."
)


def three_times(scheme: Scheme) -> str:
    """How far apart in attendance two events may be for the smaller one to win by its engagement."""
    low, high = (0.5, 1.5) if scheme.bands is None else (scheme.bands[0], scheme.bands[2])
    ends = f"{formats.number(high, 2 if scheme.bands else 1)} / {formats.number(low, 2 if scheme.bands else 1)}"
    times, rule = ("три", "правило трёх раз") if high / low == 3 else (formats.number(high / low), "правило")
    return (
        f"Сравнивая мероприятия, помните {rule}: по одному слагаемому участников меньшее мероприятие может обогнать "
        f"большее, только если участников меньше не более чем в {times} раза ({ends}). Вес и отзывы могут это "
        "перевернуть."
    )


def points(value: float) -> str:
    """«7 880 баллов»."""
    return formats.count(round(value), "балл", "балла", "баллов")


def events(amount: float) -> str:
    """«113 мероприятий»."""
    return formats.count(amount, "мероприятие", "мероприятия", "мероприятий")


def recorded(score: Score, period: str, whose: str) -> str:
    """What was recorded, and the interval of the stream of events."""
    total = score.total.iloc[0]
    if math.isnan(total["ipk"]):
        return f"ИПК {whose} за период {period} скрыт: за ним стоит малое число людей."
    said = f"За период {period} записанный ИПК {whose} — {points(total['ipk'])} ({events(total['events'])}). "
    if math.isnan(total["low"]):
        return f"{said}Мероприятий меньше {score.least}, поэтому интервал не строится."
    return said + (
        "Это то, что записано; если считать мероприятия случайным потоком, ожидаемая сумма за такой период — "
        f"{formats.interval(total['low'], total['high'], 'number', 0)} ({level(score)})."
    )


def level(score: Score) -> str:
    """«уровень доверия 95 %»."""
    return f"уровень доверия {formats.percent(100 * score.level, 0)}"


def driven(found: Drivers, by: str) -> str:
    """What the index is made of, and that size dominates where it does."""
    share = found.shares
    if math.isnan(share["events_term"]):
        return ""
    said = (
        f"Из чего состоит индекс: участники × вовлечённость — {formats.percent(share['participants_term'])}, отзывы × "
        f"оценка — {formats.percent(share['reviews_term'])}, вес мероприятий — "
        f"{formats.percent(share['events_term'])}. "
    )
    if found.size_dominates:
        said += (
            f"То есть {formats.percent(found.size_share)} индекса растёт вместе с числом людей: решает размер — "
            "сколько человек пришло и сколько оставило отзыв. "
        )
    facts = []
    if not math.isnan(found.unit_rank_correlation):
        facts.append(
            f"ранговая корреляция индекса с простым числом участников у {of_units(found.units, by)} — "
            f"{formats.number(found.unit_rank_correlation, 2)}, у {of_units(found.events, 'event_id')} по "
            "отдельности — "
            f"{formats.number(found.rank_correlation, 2)}"
        )
    if not math.isnan(found.index_ratio):
        facts.append(
            f"наибольший индекс больше наименьшего в {formats.number(found.index_ratio)} раза, число участников — "
            f"в {formats.number(found.participants_ratio)} раза"
        )
    return (said + (f"По записанным данным {'; '.join(facts)}." if facts else "")).rstrip()


def told_apart(score: Score, own: str | None = None) -> str:
    """Which units can be told apart, never more than the simultaneous intervals allow.

    Args:
        score: The index by unit, with titles.
        own: Title of the reader's own unit, if it is one of them.
    """
    rows = score.rows[score.rows["rank"].notna()].sort_values("rank", kind="stable")
    many = UNITS[score.by[0]][1]
    if len(rows) < 2 or not score.pairs:
        return (
            f"Сравнение {many} между собой по этим данным невозможно: интервал есть меньше чем у двух (нужно не меньше "
            f"{score.least} мероприятий)."
        )
    measure = IN_WORDS[score.measure]
    pairs = formats.count(score.pairs, "пары", "пар", "пар")
    sure = f"с общей вероятностью {formats.percent(100 * score.level, 0)}"
    if not score.pairs_apart:
        return (
            f"{measure}: ни в одной из {pairs} {many} различие не выходит за пределы случайного ({sure}). "
            f"Назвать лучших и худших эти данные не позволяют."
        )
    said = f"{measure}: из {pairs} {many} уверенно различимы {score.pairs_apart} ({sure} на все сравнения сразу). "
    lines = list(rows_of(rows))
    first, last = lines[0], lines[-1]
    below = [label(row) for row in lines if not _share(row, first)]
    above = [label(row) for row in lines if not _share(row, last)]
    alike = len(lines) - 1 - len(below)
    if below:
        said += f"{quoted(label(first))} стоит выше, чем {_listed(below)}"
        said += f"; от остальных ({alike}) не отличается. " if alike else ". "
    if above and not (len(above) == 1 and below):
        said += f"{quoted(label(last))} стоит ниже, чем {_listed(above)}. "
    if own is not None and (rows["title"] == own).any():
        row = rows[rows["title"] == own].iloc[0]
        said += f"Место {quoted(own)} — от {row['rank_low']:.0f} до {row['rank_high']:.0f} из {len(rows)}. "
    return said + "Остальные различия могут быть случайными."


def _share(one: Any, other: Any) -> bool:
    """Whether two units have a letter in common: they cannot be told apart."""
    return bool(set(_letters(one.group)) & set(_letters(other.group)))


def _letters(group: str) -> list[str]:
    """Letters of a group: «аб2» is «а» and «б2»."""
    found: list[str] = []
    for sign in group:
        if sign.isdigit() and found:
            found[-1] += sign
        else:
            found.append(sign)
    return found


def _listed(titles: list[str], most: int = 4) -> str:
    if len(titles) <= most:
        return names(titles)
    return f"{', '.join(map(quoted, titles[:most]))} и ещё {len(titles) - most}"


def weakened(score: Score) -> list[str]:
    """Sentences on events left out and on flags; empty where nothing weakens the index."""
    said = []
    if score.left_out:
        parts = "; ".join(f"{why} — {number}" for why, number in score.left_out.items())
        said.append(f"Не вошли в индекс {events(sum(score.left_out.values()))}: {parts}. Пропуски не достраиваются.")
    total = score.total.iloc[0]
    flagged = [f"{words} — {int(total[flag])}" for flag, words in FLAGS.items() if total[flag] > 0]
    if flagged:
        said.append(f"Пометки, число мероприятий: {'; '.join(flagged)}.")
    return said


def splits(total: pd.Series, groups: int, chance: float, days: int) -> str:
    """Probable splits beside what chance would give; empty where none was found."""
    if not groups:
        return ""
    found = formats.count(groups, "группа записей похожа", "группы записей похожи", "групп записей похожи")
    share = (
        "" if not total["ipk"] > 0 else f" ({formats.percent(100 * total['split_excess'] / total['ipk'], 2)} индекса)"
    )
    near = "в один день" if days == 0 else f"с разрывом до {formats.count(days, 'дня', 'дней', 'дней')}"
    return (
        f"Вероятное дробление: {found} на одно мероприятие, записанное несколько раз (один центр, инструмент и "
        f"тема, {near}). "
        f"Случайно так совпало бы около {formats.number(chance)} пары, поэтому каждую группу надо проверить. Если "
        "все они — "
        f"дробления, индекс завышен на {points(total['split_excess'])}{share}."
    )


def bursts(found: Bursts) -> str:
    """A warning where events come in bursts; empty otherwise."""
    if not found.found:
        return ""
    return (
        "Мероприятия идут сериями: по центрам и месяцам их число колеблется сильнее, чем у случайного потока (в "
        f"{formats.number(found.index, 2)} раза). Настоящие интервалы шире показанных."
    )


def stream(found: Bursts) -> str:
    """How far the events agree with a random stream; empty where that is not known."""
    if math.isnan(found.index):
        return ""
    return (
        f"Проверка допущения: разброс числа мероприятий по центрам и месяцам — {formats.number(found.index, 2)} от "
        "разброса случайного потока с той же сезонностью (1 — совпадает, больше 1 — мероприятия идут сериями)."
    )
