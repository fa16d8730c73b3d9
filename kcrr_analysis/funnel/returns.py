"""Former clients who come again: after a new work event, after a gap, for another service, after a contact."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel import client_status
from kcrr_analysis.funnel.code_titles import named
from kcrr_analysis.funnel.levels import Breakdown, Crowd, Shown
from kcrr_analysis.funnel.measures import Measures
from kcrr_analysis.funnel.person_log import DAY, NEVER, UNSTATED, Bools, Ints, PersonLog, read, whole_days
from kcrr_analysis.funnel.tally import COUNTED_OUT, Tally
from kcrr_analysis.tables import Tables

NO_OUTCOMES = "нет таблицы outcomes: события в трудовой жизни людей неизвестны"
NO_CONTACTS = "нет таблицы contacts: обращения центра к людям неизвестны"


def returns(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    gap: int = 90,
    window: int = 180,
    work_events: tuple[str, ...] = ("work_event",),
    returning: tuple[str, ...] = ("application",),
    own_sources: tuple[str, ...] = ("own_base", "platform"),
    partner_sources: tuple[str, ...] = ("partner",),
    agency_sources: tuple[str, ...] = ("smev",),
    level: float = 0.95,
    rule: Rule | None = None,
) -> Measures:
    """Return, re-engagement, group transitions and notifications of work events (checklist 15, 31, 32, 73, 74, 139).

    A return is a new action of `returning` (an application): a visit on the old request is none. Persons whose
    `window` has not passed by the end of the period are counted apart and are in no share.

    Args:
        tables: Data with the table `actions`; `outcomes` and `contacts` for the measures that need them.
        region: Region code.
        month: Reporting month; the last one of the actions by default.
        months: Length of the period in which persons enter a measure.
        gap: Days without any action after which a served person is a former client.
        window: Days within which a return counts.
        work_events: Kinds of outcomes that are a new event in the working life.
        returning: Actions that are a return.
        own_sources: Sources of a contact that are the centre's own.
        partner_sources: Sources that are partners.
        agency_sources: Sources that are other agencies (СМЭВ).
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `actions`.
        NotComputableError: It has no row of the region in the period.
        ParameterError: A parameter cannot be used.
    """
    whole_days(gap=gap, window=window)
    log = read(tables, region, month, months=months)
    tally = Tally(log, log.groups(log.actions, log.outcomes, log.contacts), level)
    back = log.actions[log.actions["action"].isin(returning)]
    event = _events(log, work_events)
    _after_event(log, tally, event, back, window)
    _after_gap(log, tally, back, gap, window)
    _additional(log, tally, window)
    _reengaged(log, tally, back, gap, window)
    _transitions(log, tally, back, window)
    sources = {"own": own_sources, "partner": partner_sources, "agency": agency_sources}
    _notified(log, tally, event, sources, window)
    return tally.result(
        "returns",
        "Возврат и удержание клиентов",
        settings={
            "Период, мес.": str(months),
            "Перерыв до статуса бывшего клиента, дней": str(gap),
            "Окно возврата, дней": str(window),
            "Новое трудовое событие": named(work_events),
            "Возвратом считается": named(returning),
        },
        notes=(
            "Группа человека — по первому действию в периоде, а если его нет — по последнему прежнему. Каждый человек "
            "в каждом числе считается один раз, по первому своему событию в периоде.",
        ),
        rule=rule,
    )


def _events(log: PersonLog, kinds: tuple[str, ...]) -> Ints:
    """Day of the first work event of the period of each person who had been served before it."""
    served = log.first(log.actions[log.actions["action"] == "service"])
    rows = log.inside(log.outcomes[log.outcomes["kind"].isin(kinds)])
    return log.first(rows[served[rows["person"].to_numpy()] < rows["at"].to_numpy()])


def _returned(log: PersonLog, back: pd.DataFrame, start: Ints, window: int, *, same: bool = False) -> Bools:
    return log.who(back[log.after(back, start, window, same=same)])


def _entered(log: PersonLog, name: str, start: Ints, window: int) -> tuple[Crowd, Crowd]:
    """Persons whose window has passed, and those who still wait."""
    entered = start != NEVER
    mature = entered & log.mature(start, window)
    return Crowd(f"{name}_mature", mature), Crowd(f"{name}_immature", entered & ~mature)


def _after_event(log: PersonLog, tally: Tally, event: Ints, back: pd.DataFrame, window: int) -> None:
    definition = tally.define(
        "return_rate",
        "Клиенты, у которых в периоде записано новое трудовое событие после полученной услуги и которые в течение "
        f"{window} дней с этого дня подали новое заявление, в процентах к клиентам с таким событием, у которых окно "
        "прошло.",
        part="вернулись",
        whole="с новым трудовым событием",
    )
    if "outcomes" not in log.given:
        tally.missing(definition, NO_OUTCOMES)
        return
    whole, waiting = _entered(log, "event", event, window)
    returned = Crowd("event_returned", _returned(log, back, event, window, same=True))
    tally.share(definition, whole, returned, immature=waiting, by=tally.by_group)


def _after_gap(log: PersonLog, tally: Tally, back: pd.DataFrame, gap: int, window: int) -> None:
    definition = tally.define(
        "return_rate",
        f"Клиенты, получившие услугу, у которых в периоде исполнилось {gap} дней без единого действия, и которые в "
        f"течение следующих {window} дней подали новое заявление, в процентах ко всем таким клиентам с прошедшим "
        "окном. Причина возврата при этом неизвестна.",
        part="вернулись",
        whole="стали бывшими клиентами",
        variant="gap",
        title=f"Возврат после перерыва {gap} дней",
    )
    former = _former_since(log, gap)
    whole, waiting = _entered(log, "former", former, window)
    returned = Crowd("former_returned", _returned(log, back, former, window))
    tally.share(definition, whole, returned, immature=waiting, by=tally.by_group)


def _former_since(log: PersonLog, gap: int) -> Ints:
    """First moment in the period at which a served person has been without any action for the gap."""
    actions = log.actions
    person, at = actions["person"].to_numpy(), actions["at"].to_numpy()
    following = np.append(at[1:], NEVER)
    following[np.append(person[1:] != person[:-1], True)[: len(person)]] = NEVER
    until = at + gap * DAY
    served = log.first(actions[actions["action"] == "service"])[person] <= at
    paused = served & (following > until) & (until >= log.span.start) & (until < log.span.end)
    return log.first(pd.DataFrame({"person": person[paused], "at": until[paused]}))


def _additional(log: PersonLog, tally: Tally, window: int) -> None:
    definition = tally.define(
        "additional_service_return",
        f"Клиенты, которые в течение {window} дней после первого сервиса периода подали новое заявление и после него "
        "получили сервис, которого раньше не получали, в процентах к клиентам, у которых это время прошло.",
        part="вернулись за другим сервисом",
        whole="получили сервис",
    )
    actions = log.actions
    services = actions[actions["action"] == "service"]
    named = services[services["service_id"].notna()]
    if named.empty:
        tally.missing(definition, "у услуг не указан код сервиса (actions.service_id)")
        return
    start = log.first(log.inside(services))
    asked = actions[actions["action"] == "application"]
    again = log.first(asked[log.after(asked, start, window)])
    later = named[log.after(named, again, same=True) & log.after(named, start, window)]
    earlier = named[named["at"].to_numpy() < again[named["person"].to_numpy()]]
    pairs = later[["person", "service_id"]].merge(
        earlier[["person", "service_id"]].drop_duplicates(), how="left", indicator=True
    )
    new = Crowd("came_for_another", log.who(pairs[pairs["_merge"] == "left_only"]))
    whole, waiting = _entered(log, "served", start, window)
    tally.share(definition, whole, new, immature=waiting, by=tally.by_group)


def _reengaged(log: PersonLog, tally: Tally, back: pd.DataFrame, gap: int, window: int) -> None:
    definition = tally.define(
        "reengagement_rate",
        "Бывшие клиенты, с которыми центр в периоде связался, подавшие новое заявление в течение "
        f"{window} дней после первого такого разговора, в процентах к бывшим клиентам, с которыми связались и у "
        f"которых окно прошло. Статус — записанный при контакте, а где его нет — по журналу (перерыв {gap} дней).",
        part="вернулись",
        whole="связались с бывшими клиентами",
    )
    if "contacts" not in log.given:
        tally.missing(definition, NO_CONTACTS)
        return
    reached = log.inside(log.contacts[log.contacts["reached"].fillna(False).to_numpy(bool)])
    known = reached["client_status"].astype(object).to_numpy()
    told = client_status.derived(log, reached["person"].to_numpy(), reached["at"].to_numpy(), gap)
    start = log.first(reached[np.where(pd.isna(known), told, known) == "former"])
    whole, waiting = _entered(log, "former_reached", start, window)
    tally.share(definition, whole, Crowd("former_reengaged", _returned(log, back, start, window)), immature=waiting)


def _transitions(log: PersonLog, tally: Tally, back: pd.DataFrame, window: int) -> None:
    count = tally.define(
        "group_transitions",
        "Люди, у которых в периоде записан переход в другую клиентскую группу, по первому переходу.",
        part="перешли в другую группу",
        interval=COUNTED_OUT,
    )
    if "outcomes" not in log.given:
        tally.missing(count, NO_OUTCOMES)
        return
    rows = log.outcomes
    old, new = (rows[name].astype(object).fillna(UNSTATED) for name in ("client_group", "new_client_group"))
    moved = log.inside(rows.assign(way=(old + ">" + new))[((new != UNSTATED) & (new != old)).to_numpy()])
    moved = moved.sort_values(["person", "at", "way"], kind="stable").drop_duplicates("person")
    way = np.full(log.persons, UNSTATED, dtype=object)
    way[moved["person"].to_numpy()] = moved["way"].to_numpy()
    names = {code: group.title for code, group in log.methodology.groups.items()}
    titles = {
        code: " → ".join(names.get(group, group) or "не указано" for group in code.split(">"))
        for code in sorted(set(moved["way"]))
    }
    people = Crowd("moved", log.who(moved))
    tally.amount(count, people, by=Breakdown("transition", "Переход", way, titles))
    start = log.first(moved)
    whole, waiting = _entered(log, "moved", start, window)
    tally.split(people, whole, waiting)
    for variant, title, said, done in (
        (
            "contacted",
            "Связались после перехода в другую группу",
            "с которыми центр связался",
            _reached_after(log, start, window),
        ),
        (
            "returned",
            "Вернулись после перехода в другую группу",
            "подавшие новое заявление",
            _returned(log, back, start, window, same=True),
        ),
    ):
        definition = tally.define(
            "group_transitions",
            f"Люди, перешедшие в другую группу, {said} в течение "
            f"{window} дней с перехода, в процентах к перешедшим, у которых окно прошло.",
            part=title.split(" ", maxsplit=1)[0].lower(),
            whole="перешли в другую группу",
            variant=variant,
            title=title,
            unit="%",
        )
        if variant == "contacted" and "contacts" not in log.given:
            tally.missing(definition, NO_CONTACTS)
        else:
            tally.share(definition, whole, Crowd(f"moved_{variant}", done), immature=waiting)


def _reached_after(log: PersonLog, start: Ints, window: int) -> Bools:
    reached = log.contacts[log.contacts["reached"].fillna(False).to_numpy(bool)]
    return log.who(reached[log.after(reached, start, window, same=True)])


def _notified(log: PersonLog, tally: Tally, event: Ints, sources: dict[str, tuple[str, ...]], window: int) -> None:
    definition = tally.define(
        "event_notification_coverage",
        "Клиенты с новым трудовым событием, о которых за "
        f"{window} дней после него в обращениях центра есть запись, в процентах к клиентам с записанным событием и "
        "прошедшим окном. Об одном человеке могли сообщить несколько источников. События, о которых не узнал никто, "
        "в данные не попадают, поэтому настоящий охват не выше показанного.",
        part="центр узнал",
        whole="с новым трудовым событием",
        interval=COUNTED_OUT,
    )
    titles = {"own": "Свои источники", "partner": "Данные партнёров", "agency": "Данные ведомств (СМЭВ)"}
    lacking = NO_OUTCOMES if "outcomes" not in log.given else NO_CONTACTS if "contacts" not in log.given else ""
    if lacking:
        tally.missing(definition, lacking)
        return
    whole, waiting = _entered(log, "event", event, window)
    rows = log.contacts[log.after(log.contacts, event, window, same=True)]
    tally.share(definition, whole, Crowd("event_known", log.who(rows)), immature=waiting, census=True)
    for code, title in titles.items():
        known = Crowd(f"event_known_{code}", log.who(rows[rows["source"].isin(sources[code])]))
        tally.share(definition, whole, known, shown=Shown("source", "Источник сведений", code, title), census=True)
