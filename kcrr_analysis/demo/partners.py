"""Partners of a region, the dictionary of services, the log of changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.demo.regions import Calendar, Region

_KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("employer", "Демо-завод", ("students", "graduates", "broad")),
    ("employer", "Демо-агрохолдинг", ("broad", "students")),
    ("employer", "Демо-перевозчик", ("svo_participants", "broad")),
    ("employer", "Демо-больница", ("graduates", "disability")),
    ("employer", "Демо-торговая сеть", ("students", "disability", "broad")),
    ("education", "Демо-колледж", ("students", "graduates")),
    ("education", "Демо-университет", ("students", "graduates")),
    ("education", "Демо-школа", ("school",)),
    ("education", "Демо-лицей", ("school",)),
    ("government", "Демо-многофункциональный центр", ("broad", "svo_family")),
    ("government", "Демо-военкомат", ("svo_participants", "svo_veterans")),
    ("nonprofit", "Демо-фонд поддержки ветеранов", ("svo_participants", "svo_veterans", "svo_family")),
    ("nonprofit", "Демо-общество инвалидов", ("disability",)),
    ("media", "Демо-радио", ("broad",)),
)


def partners(area: Region, dates: Calendar) -> pd.DataFrame:
    """Table `partners` of one region: a row for each partner and client group it helps to reach."""
    chance = area.stream("partners")
    rows = []
    for number, (kind, name, groups) in enumerate(_KINDS, start=1):
        since = dates.months[0].to_timestamp() - pd.Timedelta(days=int(chance.integers(30, 1200)))
        if chance.random() < 0.4:
            since = dates.months[int(chance.integers(0, len(dates.months)))].to_timestamp()
        ended = chance.random() < 0.12
        until = dates.months[-1].to_timestamp() - pd.Timedelta(days=int(chance.integers(0, 300)))
        loyalty = float(np.clip(round(chance.normal(7.4, 1.5)), 0, 10))
        priority = bool(chance.random() < 0.5)
        rows += [
            {
                "partner_id": f"P{area.code}{number:03d}",
                "client_group": group,
                "partner_name": f"{name} № {number} (демо {area.code})",
                "kind": kind,
                "region_code": area.code,
                "priority_employer": priority if kind == "employer" else None,
                "since": since,
                "until": until if ended and until > since else pd.NaT,
                "loyalty": loyalty if kind == "employer" else np.nan,
            }
            for group in groups
        ]
    return pd.DataFrame(rows)


SERVICES: tuple[tuple[str, str, str, str], ...] = (
    ("M01", "Содействие в поиске подходящей работы", "federal_measure", "promoted"),
    ("M02", "Содействие началу своего дела", "federal_measure", "promoted"),
    ("M03", "Профессиональное обучение и дополнительное образование", "federal_measure", "promoted"),
    ("M04", "Временное трудоустройство подростков", "federal_measure", "promoted"),
    ("M05", "Сопровождение при трудоустройстве людей с инвалидностью", "federal_measure", "promoted"),
    ("S01", "Профориентация", "federal_service", "promoted"),
    ("S02", "Психологическая поддержка", "federal_service", "promoted"),
    ("S03", "Составление резюме", "federal_service", "promoted"),
    ("S04", "Подготовка к собеседованию", "federal_service", "promoted"),
    ("S05", "Знакомство с рынком труда региона", "federal_service", "promoted"),
    ("R01", "Карьерный разбор за час", "regional_service", "tested"),
    ("R02", "Наставник на первый месяц", "regional_service", "tested"),
    ("R03", "Семейная консультация для участников СВО", "regional_service", "promoted"),
    ("R04", "Пробный день на предприятии", "regional_service", "developed"),
)
"""Code, name, kind and state of each service."""


def services() -> pd.DataFrame:
    """Table `services`, common to all regions."""
    return pd.DataFrame(SERVICES, columns=["service_id", "service_name", "kind", "pilot_state"])


_CHANGES: tuple[tuple[str, str | None, str, str], ...] = (
    ("service", "S01", "Добавлены профпробы на предприятиях", "Опрос школьников: мало практики"),
    ("service", "S03", "Шаблоны резюме по отраслям", "Фокус-группа: общий шаблон не помогает"),
    ("service", "R01", "Сокращена анкета перед консультацией", "Низкая оценка скорости"),
    ("service", "S02", "Запись без звонка, через мессенджер", "Жалобы на ожидание"),
    ("material", None, "Переписана листовка о мерах поддержки", "Мало переходов по QR-коду"),
    ("material", None, "Новые видео с историями успеха", "Низкая доля полных просмотров"),
    ("material", None, "Отдельная страница для участников СВО", "Вопросы в чатах"),
)


def changes(area: Region, dates: Calendar) -> pd.DataFrame:
    """Table `changes` of one region: the log of changes of services and promotion materials."""
    chance = area.stream("changes")
    n = int(chance.integers(4, len(_CHANGES) + 1))
    chosen = chance.permutation(len(_CHANGES))[:n]
    days = (dates.months[-1].end_time - dates.months[0].start_time).days
    when = np.sort(chance.integers(0, days, n))
    return pd.DataFrame(
        [
            {
                "change_id": f"H{area.code}{number:03d}",
                "date": dates.months[0].to_timestamp() + pd.Timedelta(days=int(day)),
                "region_code": area.code,
                "object": _CHANGES[which][0],
                "service_id": _CHANGES[which][1],
                "description": _CHANGES[which][2],
                "reason": _CHANGES[which][3],
            }
            for number, (which, day) in enumerate(zip(chosen, when, strict=True), start=1)
        ]
    )
