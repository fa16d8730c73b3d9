"""Contacts that the centre starts: the list, the calls, who was reached, who responded, with what status."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel import client_status
from kcrr_analysis.funnel.cells import ALL, GROUP
from kcrr_analysis.funnel.code_titles import named
from kcrr_analysis.funnel.levels import Breakdown, Crowd
from kcrr_analysis.funnel.measures import Measures
from kcrr_analysis.funnel.person_log import NEVER, PersonLog, read, whole_days
from kcrr_analysis.funnel.tally import COUNTED_OUT, Tally
from kcrr_analysis.tables import Tables

RESPONSES = ("registration", "application", "service_request", "service")
"""Actions that show that a person has come to the centre."""

NO_STATUS = "при контактах не записан статус клиента (contacts.client_status)"


def contacts(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    window: int = 90,
    gap: int = 90,
    calls: tuple[str, ...] = ("phone",),
    refusals: tuple[str, ...] = ("refusal",),
    agency_sources: tuple[str, ...] = ("smev",),
    support_group: str = "disability",
    level: float = 0.95,
    rule: Rule | None = None,
) -> Measures:
    """Proactive contacts and calls by person (checklist 24, 56, 59, 91, 134).

    A person's group and status are those of the first contact of the period. «100 % обзвон» needs both: everybody on
    the list attempted, and everybody reached. What counts the list out (attempted, statuses) has no interval; being
    reached and responding have one.

    Args:
        tables: Data with the table `contacts`; `actions` for responses, refusals and event participants.
        region: Region code.
        month: Reporting month; the last one of the contacts by default.
        months: Length of the period.
        window: Days within which a response counts.
        gap: Days without an action after which a served participant of an event is a former client.
        calls: Channels of a contact that are calls; rows without a channel count as calls.
        refusals: Actions that record a refusal in a call.
        agency_sources: Sources of a contact that are СМЭВ.
        support_group: Group with a support base.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `contacts`.
        NotComputableError: It has no row of the region in the period.
        ParameterError: A parameter cannot be used.
    """
    whole_days(window=window, gap=gap)
    log = read(tables, region, month, months=months, need=("contacts",))
    tally = Tally(log, log.groups(log.contacts, log.actions), level)
    rows = log.inside(log.contacts)
    _proactive(log, tally, rows)
    _calls(log, tally, rows, calls)
    _refusals(log, tally, rows, refusals, window)
    _response(log, tally, rows, agency_sources, window)
    _support_base(log, tally, rows, support_group)
    _statuses(log, tally, rows, gap)
    return tally.result(
        "contacts",
        "Проактивные контакты и обзвон",
        settings={
            "Период, мес.": str(months),
            "Окно отклика, дней": str(window),
            "Звонками считаются каналы": named(calls),
            "Источники СМЭВ": named(agency_sources),
            "Группа с базой сопровождения": tally.by_group.name(support_group),
        },
        notes=(
            "Группа и статус человека — по первому контакту в периоде. Каждый человек считается один раз, сколько бы "
            "попыток ни было.",
        ),
        rule=rule,
    )


def _flag(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    return rows[rows[column].fillna(False).to_numpy(bool)]


def _proactive(log: PersonLog, tally: Tally, rows: pd.DataFrame) -> None:
    definition = tally.define(
        "proactive_contact_rate",
        "Люди со статусом потенциального клиента, с которыми в периоде пытались связаться, в процентах ко всем "
        "потенциальным клиентам в списках центра.",
        part="пытались связаться",
        whole="потенциальные клиенты в списках",
        interval=COUNTED_OUT,
    )
    if not rows["client_status"].notna().any():
        tally.missing(definition, NO_STATUS)
        return
    potential = Crowd("potential", log.column(rows, "client_status") == "potential")
    attempted = Crowd("potential_attempted", log.who(_flag(rows, "attempted")))
    tally.share(definition, potential, attempted, by=tally.by_group, census=True)


def _calls(log: PersonLog, tally: Tally, rows: pd.DataFrame, calls: tuple[str, ...]) -> None:
    everyone, tried_any = log.who(rows), log.who(_flag(rows, "attempted"))
    rows = rows[(rows["channel"].isin(calls) | rows["channel"].isna()).to_numpy(bool)]
    listed = Crowd("call_list", log.who(rows))
    attempted = Crowd("called", log.who(_flag(rows, "attempted")))
    for whole, part, rest in (
        (Crowd("contact_base", everyone), listed, "contact_base_uncalled"),
        (Crowd("attempted", tried_any), attempted, "attempted_otherwise"),
    ):
        tally.split(whole, part, Crowd(rest, whole.members & ~part.members))
    reached = Crowd("reached_by_call", log.who(_flag(_flag(rows, "attempted"), "reached")))
    tried = tally.define(
        "call_attempted_share",
        "Люди из списка обзвона, которым в периоде пытались позвонить хотя бы раз, в процентах к списку. «100 % "
        "обзвон» требует и этого, и дозвона до каждого.",
        part="пытались позвонить",
        whole="в списке обзвона",
        interval=COUNTED_OUT,
    )
    tally.share(tried, listed, attempted, by=tally.by_group, census=True)
    talked = tally.define(
        "call_reached_share",
        "Люди, с которыми в периоде удалось поговорить хотя бы раз, в процентах к тем, кому пытались позвонить.",
        part="удалось поговорить",
        whole="пытались позвонить",
        title="Доля дозвона к тем, кому звонили",
    )
    tally.share(talked, attempted, reached, by=tally.by_group)
    covered = tally.define(
        "call_reached_share",
        "Люди, с которыми в периоде удалось поговорить хотя бы раз, в процентах ко всему списку.",
        part="удалось поговорить",
        whole="в списке обзвона",
        variant="list",
        title="Доля дозвона ко всему списку",
        interval=COUNTED_OUT,
    )
    tally.share(covered, listed, reached, by=tally.by_group, census=True)


def _refusals(log: PersonLog, tally: Tally, rows: pd.DataFrame, refusals: tuple[str, ...], window: int) -> None:
    definition = tally.define(
        "call_refusal_share",
        f"Люди, отказавшиеся от предложения в течение {window} дней после первого разговора, в процентах к тем, с кем "
        "поговорили и у кого окно прошло. Это не отказ на сайте.",
        part="отказались",
        whole="удалось поговорить",
    )
    refused = log.actions[log.actions["action"].isin(refusals)]
    if refused.empty:
        tally.missing(
            definition,
            "отказы в разговоре нигде не записаны: недозвон отказом не является. Записывайте отказ действием "
            f"«{refusals[0] if refusals else 'refusal'}» в таблице actions",
        )
        return
    start = log.first(_flag(rows, "reached"))
    mature = (start != NEVER) & log.mature(start, window)
    done = log.who(refused[log.after(refused, start, window, same=True)])
    tally.share(
        definition,
        Crowd("talked_mature", mature),
        Crowd("refused", done),
        immature=Crowd("talked_immature", (start != NEVER) & ~mature),
    )


def _response(log: PersonLog, tally: Tally, rows: pd.DataFrame, sources: tuple[str, ...], window: int) -> None:
    definition = tally.define(
        "proactive_response",
        f"Люди, с которыми в периоде связались по событию из СМЭВ и которые в течение {window} дней после первого "
        "разговора зарегистрировались, подали заявление, запросили или получили услугу, в процентах к тем, с кем "
        "связались и у кого окно прошло. Часть из них обратилась бы и без контакта: это отклик, а не эффект.",
        part="обратились",
        whole="связались по событию из СМЭВ",
    )
    if "actions" not in log.given:
        tally.missing(definition, "нет таблицы actions: обращения людей после контакта неизвестны")
        return
    start = log.first(_flag(rows[rows["source"].isin(sources)], "reached"))
    came = log.actions[log.actions["action"].isin(RESPONSES)]
    mature = (start != NEVER) & log.mature(start, window)
    tally.share(
        definition,
        Crowd("smev_mature", mature),
        Crowd("smev_responded", log.who(came[log.after(came, start, window)])),
        immature=Crowd("smev_immature", (start != NEVER) & ~mature),
        by=tally.by_group,
    )


def _support_base(log: PersonLog, tally: Tally, rows: pd.DataFrame, group: str) -> None:
    definition = tally.define(
        "supported_share",
        "Люди группы, с которыми в периоде удалось связаться и чей статус взаимодействия записан, в процентах к базе — "
        "всем людям группы в списках центра.",
        part="связались, статус известен",
        whole="в базе сопровождения",
        interval=COUNTED_OUT,
    )
    statuses = tally.define(
        "supported_share",
        "База сопровождения группы по записанному статусу клиента при первом контакте периода.",
        part="людей с таким статусом",
        whole="в базе сопровождения",
        variant="statuses",
        title="База сопровождения по статусу клиента",
        interval=COUNTED_OUT,
    )
    stated = log.column(rows, "client_status")
    listed = log.who(rows)
    base = Crowd("contact_base", listed)
    known = Crowd("supported", log.who(_flag(rows, "reached")) & (stated != ""))
    tally.share(definition, base, known, by=tally.by_group, only=(group,), total=False, census=True)
    own = Crowd(f"contact_base_{group}", listed & (tally.groups == group))
    tally.same((own.name, ALL, ""), (base.name, GROUP, group))
    tally.same((own.name, "status", "potential"), ("potential", GROUP, group))
    tally.mix(statuses, own, Breakdown("status", "Статус клиента", stated, client_status.TITLES), census=True)


def _statuses(log: PersonLog, tally: Tally, rows: pd.DataFrame, gap: int) -> None:
    called = tally.define(
        "status_mix",
        "Люди, с которыми в периоде пытались связаться, по записанному статусу клиента при первом контакте.",
        part="людей с таким статусом",
        whole="пытались связаться",
        title="Статус клиента: с кем пытались связаться",
        interval=COUNTED_OUT,
    )
    if rows["client_status"].notna().any():
        attempted = Crowd("attempted", log.who(_flag(rows, "attempted")))
        stated = log.column(rows, "client_status")
        tally.same((attempted.name, "status", "potential"), ("potential_attempted", ALL, ""))
        tally.mix(called, attempted, Breakdown("status", "Статус клиента", stated, client_status.TITLES), census=True)
    else:
        tally.missing(called, NO_STATUS)
    events = tally.define(
        "status_mix",
        "Люди с действием, связанным с мероприятием, по статусу перед первым таким действием периода. Статус выведен "
        f"из журнала: потенциальный — до первого заявления или услуги, бывший — после услуги и {gap} дней без "
        "действий. Участники, которых в журнале нет, не учтены.",
        part="людей с таким статусом",
        whole="участники мероприятий в журнале",
        variant="events",
        title="Статус клиента: участники мероприятий",
        interval=COUNTED_OUT,
    )
    start = log.first(log.inside(log.actions[log.actions["event_id"].notna()]))
    came = np.flatnonzero(start != NEVER)
    if not len(came):
        tally.missing(events, "в действиях нет отметок мероприятий (actions.event_id)")
        return
    status = np.full(log.persons, "", dtype=object)
    status[came] = client_status.derived(log, came, start[came], gap)
    titles = client_status.TITLES
    tally.mix(
        events,
        Crowd("participants", start != NEVER),
        Breakdown("participant_status", "Статус участника", status, titles),
        census=True,
    )
