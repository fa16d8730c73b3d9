"""Russian words for the codes that settings name; a region's own codes stay as they are."""

from __future__ import annotations

from collections.abc import Iterable

TITLES = {
    "contact": "контакт",
    "registration": "регистрация",
    "application": "заявление",
    "service_request": "запрос услуги",
    "booking": "запись",
    "service": "услуга",
    "refusal": "отказ",
    "employment": "устройство на работу",
    "accompanied_placement": "сопровождаемое трудоустройство",
    "self_employment": "своё дело",
    "training": "обучение",
    "internship": "стажировка",
    "work_event": "событие в трудовой жизни",
    "group_transition": "переход в другую группу",
    "offsite": "выезд",
    "online": "онлайн",
    "office": "центр",
    "phone": "телефон",
    "messenger": "мессенджер",
    "own_base": "своя база",
    "platform": "ЕЦП",
    "partner": "партнёр",
    "smev": "СМЭВ",
}


def named(codes: Iterable[str]) -> str:
    """The codes in words, joined by commas.

    >>> named(["offsite", "online", "bus"])
    'выезд, онлайн, bus'
    """
    return ", ".join(TITLES.get(code, code) for code in codes)
