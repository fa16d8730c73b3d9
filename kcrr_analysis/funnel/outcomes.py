"""What came of the services: known outcomes, placement, integration, support, careers, by client group."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel.code_titles import named
from kcrr_analysis.funnel.levels import Crowd, Union
from kcrr_analysis.funnel.measures import Measures
from kcrr_analysis.funnel.person_log import DAY, NEVER, Bools, Ints, PersonLog, read, whole_days
from kcrr_analysis.funnel.tally import COUNTED_OUT, Tally
from kcrr_analysis.tables import Tables

PLACED = ("employment", "accompanied_placement")
"""Outcomes that are a job."""

ACTIVE = (*PLACED, "self_employment", "training")
"""Outcomes that are work, an own business or study."""

IMPROVED = (*ACTIVE, "internship")
"""Outcomes that better a person's place in the labour market."""

NO_OUTCOMES = "нет таблицы outcomes: результаты после услуг неизвестны"
LOWER_BOUND = "Люди с незаписанным результатом считаются не достигшими его, поэтому доля — нижняя граница."


def outcomes(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    window: int = 180,
    placed: tuple[str, ...] = PLACED,
    psychological_services: tuple[str, ...] | None = None,
    level: float = 0.95,
    rule: Rule | None = None,
) -> Measures:
    """Outcomes after service by person (checklist 72, 88, 90, 136, 137, 138).

    A person's group is that of the first action of the period. Shares follow persons from their first application (or
    service) of the period for `window` days; those whose window has not passed are counted apart.

    Args:
        tables: Data with the tables `outcomes` and `actions`; `services` names the psychological ones.
        region: Region code.
        month: Reporting month; the last one of the actions by default.
        months: Length of the period.
        window: Days of observation.
        placed: Kinds of outcomes that are a job.
        psychological_services: Codes of the services of psychological support; by default those whose names say so.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `actions`.
        NotComputableError: It has no row of the region in the period.
        ParameterError: A parameter cannot be used.
    """
    whole_days(window=window)
    log = read(tables, region, month, months=months)
    tally = Tally(log, log.groups(log.actions, log.outcomes), level)
    actions = log.actions
    served = log.first(log.inside(actions[actions["action"] == "service"]))
    applied = log.first(log.inside(actions[actions["action"] == "application"]))
    if "outcomes" in log.given:
        _known(log, tally, served, window)
        _placement(log, tally, applied, placed, window)
        _priority(log, tally, placed)
        _internships(log, tally)
        _svo(log, tally, applied, window)
        _disability(log, tally, applied, window)
        _career(log, tally, served, window)
    else:
        _without_outcomes(tally)
    _psychological(log, tally, _psychologists(tables, psychological_services))
    return tally.result(
        "outcomes",
        "Результаты после услуг",
        settings={
            "Период, мес.": str(months),
            "Срок наблюдения, дней": str(window),
            "Трудоустройством считается": named(placed),
        },
        notes=(
            "Группа человека — по первому действию в периоде. Каждый человек в каждом числе считается один раз.",
            "Доли описывают, что стало с людьми после обращения, и не доказывают, что причина — услуга.",
        ),
        rule=rule,
    )


def _within(log: PersonLog, rows: pd.DataFrame, start: Ints, window: int) -> Bools:
    """Who has one of these outcomes from the day of `start` on, within the window."""
    day = np.where(start == NEVER, NEVER, start // DAY * DAY)
    return log.who(rows[log.after(rows, day, window, same=True)])


def _observed(log: PersonLog, name: str, start: Ints, window: int) -> tuple[Crowd, Crowd]:
    """Persons whose window has passed, and those who still wait."""
    known = start != NEVER
    mature = known & log.mature(start, window)
    return Crowd(f"{name}_mature", mature), Crowd(f"{name}_immature", known & ~mature)


def _kinds(log: PersonLog, kinds: tuple[str, ...]) -> pd.DataFrame:
    return log.outcomes[log.outcomes["kind"].isin(kinds)]


def _known(log: PersonLog, tally: Tally, served: Ints, window: int) -> None:
    definition = tally.define(
        "outcome_known_share",
        f"Клиенты, чей результат записан в течение {window} дней после первого сервиса периода, в процентах к "
        "клиентам, у которых это время прошло.",
        part="результат записан",
        whole="получили сервис",
        interval=COUNTED_OUT,
    )
    whole, waiting = _observed(log, "served", served, window)
    known = Crowd("outcome_known", _within(log, log.outcomes, served, window))
    tally.share(definition, whole, known, immature=waiting, by=tally.by_group, census=True)


def _placement(log: PersonLog, tally: Tally, applied: Ints, placed: tuple[str, ...], window: int) -> None:
    whole, waiting = _observed(log, "applied", applied, window)
    found = Crowd("placed", _within(log, _kinds(log, placed), applied, window))
    definition = tally.define(
        "placement",
        f"Люди, подавшие заявление в периоде, которые в течение {window} дней нашли работу, в процентах к подавшим, у "
        f"которых это время прошло. {LOWER_BOUND}",
        part="нашли работу",
        whole="подали заявление",
    )
    tally.share(definition, whole, found, immature=waiting, by=tally.by_group)
    known = tally.define(
        "placement",
        f"Нашедшие работу в течение {window} дней, в процентах к тем подавшим заявление, чей результат за это время "
        "записан. Если результат чаще записывают у удачных случаев, доля завышена.",
        part="нашли работу",
        whole="подали заявление, результат записан",
        variant="known",
        title="Трудоустройство среди людей с известным результатом",
    )
    recorded = _within(log, log.outcomes, applied, window)
    observed = Crowd("applied_known", whole.members & recorded)
    tally.share(known, observed, found, by=tally.by_group)
    tally.split(whole, observed, Crowd("applied_unknown", whole.members & ~recorded))


def _priority(log: PersonLog, tally: Tally, placed: tuple[str, ...]) -> None:
    rows = log.inside(_kinds(log, placed))
    youth = log.methodology.subgroups("youth")
    together = Union("youth", "Молодёжь вместе", youth)
    definition = tally.define(
        "priority_placement",
        "Люди, устроившиеся в периоде к приоритетным работодателям.",
        part="устроились к приоритетным работодателям",
        interval=COUNTED_OUT,
    )
    share = tally.define(
        "priority_placement",
        "Устроившиеся в периоде к приоритетным работодателям, в процентах к устроившимся, у кого это отмечено.",
        part="устроились к приоритетным работодателям",
        whole="устроились, работодатель отмечен",
        variant="share",
        title="Доля устроившихся на приоритетные предприятия",
        unit="%",
    )
    noted = rows[rows["priority_employer"].notna()]
    if noted.empty:
        for one in (definition, share):
            tally.missing(one, "не отмечено, приоритетный ли работодатель (outcomes.priority_employer)")
        return
    best = Crowd("placed_priority", log.who(noted[noted["priority_employer"].to_numpy(bool)]))
    whole = Crowd("placed_noted", log.who(noted))
    tally.amount(definition, best, by=tally.by_group, only=_present(tally, youth, whole), union=together)
    tally.share(share, whole, best, by=tally.by_group, union=together)


def _present(tally: Tally, groups: tuple[str, ...], crowd: Crowd) -> tuple[str, ...]:
    """Those of the groups with anybody in the crowd."""
    present = set(tally.by_group.present(crowd.members))
    return tuple(group for group in groups if group in present)


def _internships(log: PersonLog, tally: Tally) -> None:
    definition = tally.define(
        "internships",
        "Молодые люди, у которых в периоде записана стажировка или практика.",
        part="прошли стажировку или практику",
        interval=COUNTED_OUT,
    )
    youth = log.methodology.subgroups("youth")
    crowd = Crowd("interned", log.who(log.inside(_kinds(log, ("internship",)))))
    tally.amount(
        definition,
        crowd,
        by=tally.by_group,
        only=_present(tally, youth, crowd),
        union=Union("youth", "Молодёжь вместе", youth),
        total=False,
    )


def _svo(log: PersonLog, tally: Tally, applied: Ints, window: int) -> None:
    groups = tuple(group for group in log.methodology.subgroups("svo") if group != "svo_family")
    definition = tally.define(
        "svo_integration",
        f"Участники СВО, ветераны и защитники Донбасса, подавшие заявление в периоде, которые в течение {window} дней "
        "устроились на работу, начали учиться или открыли своё дело, в процентах к подавшим, у которых это время "
        f"прошло. Члены семей не входят. {LOWER_BOUND}",
        part="работают, учатся или ведут своё дело",
        whole="подали заявление",
    )
    whole, waiting = _observed(log, "applied", applied, window)
    active = Crowd("integrated", _within(log, _kinds(log, ACTIVE), applied, window))
    union = Union("svo", "Участники СВО, ветераны и защитники Донбасса", groups)
    only = _present(tally, groups, Crowd("", whole.members | waiting.members))
    tally.share(definition, whole, active, immature=waiting, by=tally.by_group, only=only, union=union, total=False)


def _disability(log: PersonLog, tally: Tally, applied: Ints, window: int) -> None:
    definition = tally.define(
        "labour_market_integration",
        f"Люди с инвалидностью, подавшие заявление в периоде, которые через {window} дней работают или ищут работу, в "
        "процентах к подавшим, у которых это время прошло. Работают — записано трудоустройство или своё дело; ищут — "
        f"во второй половине срока есть заявление, запрос или услуга. {LOWER_BOUND}",
        part="работают или ищут работу",
        whole="подали заявление",
    )
    whole, waiting = _observed(log, "applied", applied, window)
    working = _within(log, _kinds(log, (*PLACED, "self_employment")), applied, window)
    half = np.where(applied == NEVER, NEVER, applied + window * DAY // 2)
    rows = log.actions[log.actions["action"].isin(("application", "service_request", "service"))]
    seeking = log.who(rows[log.after(rows, half, same=True) & log.after(rows, applied, window)])
    tally.share(
        definition,
        whole,
        Crowd("in_labour_market", working | seeking),
        immature=waiting,
        by=tally.by_group,
        only=("disability",),
        total=False,
    )
    count = tally.define(
        "accompanied_placement",
        "Люди с инвалидностью, у которых в периоде записано трудоустройство с сопровождением.",
        part="устроены с сопровождением",
        interval=COUNTED_OUT,
    )
    crowd = Crowd("accompanied", log.who(log.inside(_kinds(log, ("accompanied_placement",)))))
    tally.amount(count, crowd, by=tally.by_group, only=("disability",), total=False)


def _career(log: PersonLog, tally: Tally, served: Ints, window: int) -> None:
    definition = tally.define(
        "career_improved",
        f"Клиенты широкой аудитории с результатом, записанным в течение {window} дней после первого сервиса периода, "
        "которые нашли работу, открыли своё дело, учатся или прошли стажировку, в процентах ко всем таким клиентам. "
        "Рост дохода виден только по опросу.",
        part="положение улучшилось",
        whole="результат записан",
    )
    whole, _ = _observed(log, "served", served, window)
    recorded = _within(log, log.outcomes, served, window)
    better = Crowd("improved", _within(log, _kinds(log, IMPROVED), served, window))
    observed = Crowd("outcome_known", whole.members & recorded)
    tally.share(definition, observed, better, by=tally.by_group, only=("broad",), total=False)


def _psychologists(tables: Tables, chosen: tuple[str, ...] | None) -> tuple[str, ...]:
    """Codes of the services of psychological support."""
    services = tables.get("services")
    if chosen is not None or services is None:
        return chosen or ()
    named = services["service_name"].astype("string").str.casefold().str.contains("психолог", regex=False)
    return tuple(services.loc[named.fillna(False).to_numpy(bool), "service_id"].astype(str))


def _psychological(log: PersonLog, tally: Tally, codes: tuple[str, ...]) -> None:
    groups = log.methodology.subgroups("svo")
    definition = tally.define(
        "psychological_support",
        f"Люди, получившие в периоде психологическую поддержку (сервисы {', '.join(codes) or 'не заданы'}): участники "
        "СВО, ветераны и защитники Донбасса и отдельно члены семей.",
        part="получили психологическую поддержку",
        interval=COUNTED_OUT,
    )
    if not codes:
        tally.missing(
            definition, "неизвестно, какие сервисы — психологическая поддержка: укажите psychological_services"
        )
        return
    services = log.inside(log.actions[log.actions["action"] == "service"])
    crowd = Crowd("psychologically_supported", log.who(services[services["service_id"].isin(codes)]))
    members = tuple(group for group in groups if group != "svo_family")
    union = Union("svo", "Участники СВО, ветераны и защитники Донбасса", members)
    tally.amount(definition, crowd, by=tally.by_group, only=("svo_family",), union=union, total=False)


def _without_outcomes(tally: Tally) -> None:
    for measure_id in (
        "outcome_known_share", "placement", "priority_placement", "internships", "svo_integration",
        "labour_market_integration", "accompanied_placement", "career_improved",
    ):  # fmt: skip
        definition = tally.define(measure_id, "Не считается без таблицы результатов.", part="", interval="")
        tally.missing(definition, NO_OUTCOMES)
