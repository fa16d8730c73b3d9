"""How persons use the services and the front office: services per client, tracks, path, inbound, chats and clubs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.funnel.code_titles import TITLES, named
from kcrr_analysis.funnel.levels import Breakdown, Crowd, Shown
from kcrr_analysis.funnel.measures import MeasureDefinition, Measures
from kcrr_analysis.funnel.person_log import DAY, NEVER, PersonLog, read, whole_days
from kcrr_analysis.funnel.tally import MEAN_OF_PERSONS, Tally
from kcrr_analysis.tables import Tables

RESULTS = ("employment", "accompanied_placement", "self_employment", "training", "internship")
"""Outcomes that end a track with a result."""

BOOKINGS = ("application", "booking", "service_request")
"""Actions that an inbound request is meant to end with."""

CHATS = ("group_chat", "youth_club", "women_club", "svo_club")
"""Tools whose participants are watched month by month."""

PATH = ("contact", "registration", "application", "service")
"""Steps of the base path of a client."""


def clients(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    window: int = 90,
    track: int = 30,
    remote: tuple[str, ...] = ("offsite", "online"),
    path: tuple[str, ...] = PATH,
    level: float = 0.95,
    rule: Rule | None = None,
) -> Measures:
    """Measures of attraction and service by person (checklist 30, 57, 58, 61, 62, 65, 68 to 71).

    A person's group is that of the first action of the period. Shares are of persons; services are counted only where
    they were requested and the person was eligible.

    Args:
        tables: Data with the table `actions`; `outcomes` for the tracks without a result.
        region: Region code.
        month: Reporting month; the last one of the actions by default.
        months: Length of the period.
        window: Days that a step may take.
        track: Days of a short track.
        remote: Channels of off-site and online delivery.
        path: Actions that are the steps of the base path.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `actions`.
        NotComputableError: It has no row of the region in the period.
        ParameterError: A parameter cannot be used.
    """
    whole_days(window=window, track=track)
    if len(path) < 2:
        raise ParameterError(
            "Параметр path: в пути клиента должно быть не меньше двух шагов, например contact, service."
        )
    log = read(tables, region, month, months=months)
    tally = Tally(log, log.groups(log.actions), level)
    _services_per_client(log, tally)
    _tracks(log, tally, window, track)
    _remote(log, tally, remote)
    _trial(log, tally, window)
    _path(log, tally, window, path)
    _inbound(log, tally, window)
    _supported(log, tally, window)
    _chats(log, tally)
    return tally.result(
        "clients",
        "Обслуживание: сервисы, треки, путь клиента",
        settings={
            "Период, мес.": str(months),
            "Окно на шаг, дней": str(window),
            "Короткий трек, дней": str(track),
            "Выездные и онлайн-каналы": named(remote),
        },
        notes=(
            "Группа человека — по первому действию в периоде. Каждый человек в каждом числе считается один раз.",
            "Счёт сервисов у тех, кто пришёл в конце периода, ещё не закончен.",
        ),
        rule=rule,
    )


def _services_per_client(log: PersonLog, tally: Tally) -> None:
    served = log.inside(log.actions[log.actions["action"] == "service"])
    means = tally.define(
        "services_per_client",
        "Оказанные в периоде сервисы, которые человек запросил и на которые имел право, включая повторные; делятся на "
        "людей хотя бы с одним таким сервисом.",
        part="сервисов",
        whole="клиентов",
        title="Сервисы на одного клиента, считая повторные",
        variant="all",
        interval=MEAN_OF_PERSONS,
    )
    if not served["requested"].notna().any() or not served["eligible"].notna().any():
        tally.missing(
            means, "у услуг не записано, запрошены ли они и положены ли (actions.requested, actions.eligible)"
        )
        return
    counted = served[(served["requested"] & served["eligible"]).fillna(False).to_numpy(bool)]
    acts = np.bincount(counted["person"], minlength=log.persons)
    crowd = Crowd("clients_by_request", acts > 0)
    tally.ratio(means, crowd, ("services_by_request", acts), by=tally.by_group)
    _different(log, tally, crowd, counted)
    number = np.select([acts >= 3, acts == 2, acts == 1], ["3+", "2", "1"], "").astype(object)
    mix = tally.define(
        "services_per_client",
        "Клиенты с одним, двумя, тремя и более сервисами за период; сервисы запрошены и положены, повторные считаются.",
        part="клиентов",
        whole="всех клиентов",
        variant="distribution",
        title="Клиенты по числу сервисов",
        unit="%",
    )
    titles = {"1": "1 сервис", "2": "2 сервиса", "3+": "3 сервиса и больше"}
    tally.mix(mix, crowd, Breakdown("services", "Число сервисов", number, titles))


def _different(log: PersonLog, tally: Tally, crowd: Crowd, counted: pd.DataFrame) -> None:
    definition = tally.define(
        "services_per_client",
        "То же, но разные сервисы: повторное получение одного сервиса не добавляет.",
        part="разных сервисов",
        whole="клиентов",
        variant="different",
        title="Разные сервисы на одного клиента",
        interval=MEAN_OF_PERSONS,
    )
    named = counted[counted["service_id"].notna()]
    if len(named) < len(counted):
        tally.missing(definition, "не у всех услуг указан код сервиса (actions.service_id)")
        return
    different = np.bincount(named.drop_duplicates(["person", "service_id"])["person"], minlength=log.persons)
    tally.ratio(definition, crowd, ("different_services", different))


def _tracks(log: PersonLog, tally: Tally, window: int, track: int) -> None:
    actions = log.actions
    services = actions[actions["action"] == "service"]
    start = log.first(log.inside(services))
    iterations = tally.define(
        "repeat_share",
        f"Клиенты, получившие один и тот же сервис снова в течение {window} дней после первого сервиса периода, "
        "в процентах к клиентам, у которых это время прошло.",
        part="получили сервис повторно",
        whole="клиентов",
        variant="iterations",
        title="Повторные итерации одного сервиса",
    )
    within = services[log.after(services, start, window, same=True) & services["service_id"].notna()]
    again = log.who(within[within.duplicated(["person", "service_id"])])
    known = start != NEVER
    mature = known & log.mature(start, window)
    everyone, waiting = Crowd("served_mature", mature), Crowd("served_immature", known & ~mature)
    tally.share(iterations, everyone, Crowd("repeated", again), immature=waiting)
    extended = tally.define(
        "repeat_share",
        f"Клиенты, у которых в первые {track} дней после первого сервиса периода не было ни другого сервиса, ни "
        f"записанного результата, и которые в следующие {window} дней получили ещё сервис, в процентах ко всем таким "
        "клиентам. Незаписанный результат неотличим от отсутствующего.",
        part="трек продолжен",
        whole="короткий трек без результата",
        variant="extended",
        title="Продолжение короткого трека без результата",
    )
    if "outcomes" not in log.given:
        tally.missing(extended, "нет таблицы outcomes: неизвестно, какие треки кончились без результата")
        return
    more = log.who(services[log.after(services, start, track)])
    results = log.outcomes[log.outcomes["kind"].isin(RESULTS)]
    day = np.where(known, start // DAY * DAY, NEVER)
    ended = log.who(results[log.after(results, day, track, same=True)])
    short = known & ~more & ~ended
    later = np.where(known, start + track * DAY, NEVER)
    followed = log.who(services[log.after(services, later, window)])
    whole = short & log.mature(start, track + window)
    tally.share(
        extended,
        Crowd("short_track_mature", whole),
        Crowd("track_extended", followed),
        immature=Crowd("short_track_immature", short & ~whole),
    )


def _remote(log: PersonLog, tally: Tally, remote: tuple[str, ...]) -> None:
    definition = tally.define(
        "remote_delivery_share",
        f"Сервисы, оказанные на выезде или онлайн (каналы {named(remote)}), в процентах к сервисам с указанным "
        "каналом.",
        part="сервисов на выезде и онлайн",
        whole="сервисов с указанным каналом",
        interval="Интервал — для отношения двух сумм; независимы люди, а не отдельные сервисы одного человека.",
    )
    services = log.inside(log.actions[log.actions["action"] == "service"])
    known = services[services["channel"].notna()]
    if known.empty:
        tally.missing(definition, "у услуг не указан канал оказания (actions.channel)")
        return
    every = np.bincount(known["person"], minlength=log.persons)
    away = np.bincount(known.loc[known["channel"].isin(remote), "person"], minlength=log.persons)
    crowd = Crowd("served_by_known_channel", every > 0)
    tally.ratio(definition, crowd, ("remote_services", away), ("services_by_channel", every), by=tally.by_group)


def _trial(log: PersonLog, tally: Tally, window: int) -> None:
    actions = log.actions
    tried = log.first(log.inside(actions[actions["tool_id"] == "trial_service"]))
    applied = log.first(actions[actions["action"] == "application"])
    new = (tried != NEVER) & (applied >= tried)
    soon = (applied != NEVER) & (applied - np.where(tried == NEVER, applied, tried) <= window * DAY)
    mature = new & log.mature(tried, window)
    definition = tally.define(
        "trial_application_rate",
        f"Люди, впервые в периоде попробовавшие сервис без заявления и подавшие его в течение {window} дней, в "
        "процентах к попробовавшим, у которых это время прошло. Подавшие заявление раньше пробы не считаются.",
        part="подали заявление",
        whole="попробовали сервис",
    )
    tally.share(
        definition,
        Crowd("tried_mature", mature),
        Crowd("tried_applied", soon),
        immature=Crowd("tried_immature", new & ~mature),
    )


def _path(log: PersonLog, tally: Tally, window: int, path: tuple[str, ...]) -> None:
    actions = log.actions
    begun = log.first(actions[actions["action"] == path[0]])
    entered = (begun != NEVER) & (begun >= log.span.start)
    mature = entered & log.mature(begun, window)
    waiting = Crowd("path_immature", entered & ~mature)
    steps = tally.define(
        "path_completion",
        f"Люди, чей первый шаг пути пришёлся на период; каждый следующий шаг — не раньше предыдущего и не позже "
        f"{window} дней после первого. Доля — к прошедшим предыдущий шаг, только люди, у которых окно прошло.",
        part="сделали шаг",
        whole="сделали предыдущий шаг",
    )
    first = previous = Crowd(f"path_{path[0]}", mature)
    moment = np.where(mature, begun, NEVER)
    for before, step in pairwise(path):
        rows = actions[actions["action"] == step]
        fits = log.after(rows, moment, same=True) & log.after(rows, begun, window, same=True)
        moment = log.first(rows[fits])
        passed = Crowd(f"path_{step}", moment != NEVER)
        move = f"{_step(before).capitalize()} → {_step(step)}"
        immature = waiting if before == path[0] else None
        tally.share(steps, previous, passed, immature=immature, shown=Shown("step", "Шаг пути", step, move))
        previous = passed
    way = f"{_step(path[0])} → {_step(path[-1])}"
    for variant, title, crowd in (
        ("whole", f"Весь путь клиента: {way}", first.members),
        ("supported", f"Весь путь с персональным сопровождением: {way}", _supported_persons(log)),
    ):
        whole = tally.define(
            "path_completion",
            f"Прошедшие все шаги пути за {window} дней, в процентах к начавшим его.",
            part="прошли весь путь",
            whole="начали путь",
            variant=variant,
            title=title,
        )
        if variant == "whole":
            tally.share(whole, first, previous, immature=waiting, by=tally.by_group)
        elif not crowd.any():
            tally.missing(whole, "в действиях нет отметок персонального сопровождения (tool_id = individual_support)")
        else:
            tally.share(
                whole, Crowd("supported_path", first.members & crowd), Crowd("supported_passed", previous.members)
            )


def _supported_persons(log: PersonLog) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return log.who(log.actions[log.actions["tool_id"] == "individual_support"])


def _step(action: str) -> str:
    return TITLES.get(action, action)


def _inbound(log: PersonLog, tally: Tally, window: int) -> None:
    definition = tally.define(
        "inbound_conversion",
        f"Люди, обратившиеся сами в периоде, которые в течение {window} дней после первого обращения подали заявление "
        "или записались, в процентах к обратившимся, у которых это время прошло.",
        part="подали заявление или записались",
        whole="обратились сами",
    )
    _followed(log, tally, definition, tool="inbound_request", wanted=BOOKINGS, window=window)


def _supported(log: PersonLog, tally: Tally, window: int) -> None:
    definition = tally.define(
        "supported_applications",
        f"Люди, которым в периоде начали помогать с регистрацией или заявлением и которые в течение {window} дней "
        "зарегистрировались или подали заявление, в процентах к тем, кому начали помогать и у кого это время прошло. "
        "Кто именно подал, человек или сотрудник, журнал не различает.",
        part="зарегистрировались или подали заявление",
        whole="начали с помощью сотрудника",
    )
    wanted = ("registration", "application")
    _followed(log, tally, definition, tool="application_support", wanted=wanted, window=window)


def _followed(
    log: PersonLog, tally: Tally, definition: MeasureDefinition, *, tool: str, wanted: tuple[str, ...], window: int
) -> None:
    """Share of the persons met through a tool who did something wanted within the window."""
    actions = log.actions
    start = log.first(log.inside(actions[actions["tool_id"] == tool]))
    rows = actions[actions["action"].isin(wanted)]
    done = log.who(rows[log.after(rows, start, window, same=True)])
    met = start != NEVER
    mature = met & log.mature(start, window)
    tally.share(
        definition,
        Crowd(f"{tool}_mature", mature),
        Crowd(f"{tool}_done", done),
        immature=Crowd(f"{tool}_immature", met & ~mature),
        by=tally.by_group,
    )


def _chats(log: PersonLog, tally: Tally) -> None:
    definition = tally.define(
        "chat_activity",
        "Люди, пришедшие в чат или клуб в периоде до отчётного месяца, у которых в отчётном месяце есть хотя бы одно "
        "действие там же, в процентах ко всем пришедшим.",
        part="действовали в отчётном месяце",
        whole="пришли до отчётного месяца",
    )
    begins = int(log.span.month.start_time.value)
    rows = log.inside(log.actions)
    for tool in CHATS:
        own = rows[rows["tool_id"] == tool]
        card = log.methodology.tools.get(tool)
        shown = Shown("tool", "Инструмент", tool, card.title if card else tool)
        if own.empty:
            tally.missing(definition, "действий с этим инструментом в периоде нет", shown)
            continue
        early = own["at"].to_numpy() < begins
        tally.share(
            definition,
            Crowd(f"{tool}_members", log.who(own[early])),
            Crowd(f"{tool}_active", log.who(own[~early])),
            shown=shown,
        )
