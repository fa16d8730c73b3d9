"""Partners: how many, which groups they reach, and who came through them and became a client."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.funnel.cells import GROUP
from kcrr_analysis.funnel.levels import Breakdown, Crowd, Shown
from kcrr_analysis.funnel.measures import Measures
from kcrr_analysis.funnel.person_log import UNSTATED, PersonLog, read, whole_days
from kcrr_analysis.funnel.tally import COUNTED_OUT, Tally
from kcrr_analysis.tables import Tables

KINDS = {
    "employer": "Работодатели",
    "education": "Образовательные организации",
    "government": "Органы власти",
    "nonprofit": "НКО",
    "media": "СМИ",
    "other": "Другие",
}


def partners(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    window: int = 90,
    level: float = 0.95,
    rule: Rule | None = None,
) -> Measures:
    """Number of partners, map partner x group, conversion of persons who came through a partner (checklist 27).

    Args:
        tables: Data with the tables `partners` and `actions`.
        region: Region code.
        month: Reporting month; the last one of the actions by default.
        months: Length of the period of first contacts.
        window: Days from the first contact within which a person becomes a client.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: There is no table `partners` or `actions`.
        NotComputableError: `actions` has no row of the region in the period.
        ParameterError: A parameter cannot be used.
    """
    whole_days(window=window)
    if "partners" not in tables:
        tables["partners"]  # raises
    log = read(tables, region, month, months=months)
    tally = Tally(log, log.groups(log.actions), level)
    own = _partners(tables, region)
    active = own[_active(own, log.span.month)]
    _count(tally, active)
    _map(log, tally, active)
    _conversion(log, tally, own, window)
    return tally.result(
        "partners",
        "Партнёры",
        settings={"Период, мес.": str(months), "Окно от первого контакта, дней": str(window)},
        notes=(
            "Человек относится к партнёру по первому в журнале контакту; группа человека — по первому действию в "
            "периоде.",
            "Партнёры — организации, их числа не скрываются.",
        ),
        rule=rule,
    )


def _partners(tables: Tables, region: str) -> pd.DataFrame:
    """Rows of the region: partner_id, client_group, kind, name, since, until."""
    frame = tables["partners"]
    centers = tables.get("centers")
    known: set[str] = set()
    if centers is not None:
        known = set(centers.loc[centers["region_code"] == region, "center_id"].dropna().astype(str))
    empty = pd.Series(pd.NA, index=frame.index, dtype="string")
    code = frame.get("region_code", empty)
    rows = frame[
        ((code == region) | (code.isna() & frame.get("center_id", empty).isin(known))).fillna(False).to_numpy(bool)
    ]
    dates = {
        name: pd.to_datetime(rows[name]) if name in rows else pd.Series(pd.NaT, index=rows.index)
        for name in ("since", "until")
    }
    text = {name: rows.get(name, empty[rows.index]) for name in ("kind", "partner_name")}
    return pd.DataFrame(
        {
            "partner_id": rows["partner_id"].astype(str),
            "client_group": rows["client_group"].astype(str),
            "kind": text["kind"].astype(object).where(text["kind"].notna(), UNSTATED),
            "name": text["partner_name"].astype(object).where(text["partner_name"].notna(), rows["partner_id"]),
            **dates,
        }
    ).sort_values(["partner_id", "client_group"], ignore_index=True)


def _active(own: pd.DataFrame, month: pd.Period) -> pd.Series[bool]:
    """Partnerships in force on the last day of the month; an unknown beginning is long ago, an unknown end not yet."""
    last = month.end_time.normalize()
    return (own["since"].isna() | (own["since"] <= last)) & (own["until"].isna() | (own["until"] >= last))


def _count(tally: Tally, active: pd.DataFrame) -> None:
    definition = tally.define(
        "partner_count",
        "Организации, с которыми партнёрство действует в последний день отчётного месяца.",
        part="партнёров",
        interval=COUNTED_OUT,
    )
    kinds = active.drop_duplicates("partner_id")["kind"]
    tally.plain(definition, float(len(kinds)))
    for kind in [*KINDS, *sorted(set(kinds) - set(KINDS))]:
        number = int((kinds == kind).sum())
        if number or kind in KINDS:
            shown = Shown("partner_kind", "Вид партнёра", kind, KINDS.get(kind, kind or "не указано"))
            tally.plain(definition, float(number), shown)


def _map(log: PersonLog, tally: Tally, active: pd.DataFrame) -> None:
    definition = tally.define(
        "partner_group_map",
        "Пары «партнёр — группа» среди действующих партнёров; у подгруппы считаются и партнёры её более широкой "
        "группы. Возрастные строки и группы, состоящие из подгрупп, отдельно не показаны.",
        part="партнёров у группы",
        interval=COUNTED_OUT,
    )
    pairs = active[["partner_id", "client_group", "name"]].drop_duplicates(["partner_id", "client_group"])
    tally.plain(definition, float(len(pairs)))
    groups = log.methodology.groups
    parents = {group.parent for group in groups.values()}
    for code, group in groups.items():
        if code in parents or group.kind in {"total", "age"}:
            continue
        lineage = {code}
        above = group.parent
        while above is not None:
            lineage.add(above)
            above = groups[above].parent
        own = pairs[pairs["client_group"].isin(lineage)].drop_duplicates("partner_id")
        shown = Shown(GROUP, "Клиентская группа", code, group.title)
        tally.plain(definition, float(len(own)), shown, flags="" if len(own) else "no_partner")
        for partner, name in zip(own["partner_id"], own["name"], strict=True):
            tally.plain(definition, 1.0, Shown("pair", group.title, f"{code}>{partner}", str(name)))


def _conversion(log: PersonLog, tally: Tally, own: pd.DataFrame, window: int) -> None:
    definition = tally.define(
        "partner_conversion",
        f"Люди, чей первый в журнале контакт пришёлся на период и шёл через партнёра, получившие услугу в течение "
        f"{window} дней, в процентах ко всем таким людям, у которых это время прошло.",
        part="получили услугу",
        whole="пришли через партнёра",
    )
    actions = log.actions
    if not actions["partner_id"].notna().any():
        tally.missing(definition, "в действиях не указан партнёр (actions.partner_id)")
        return
    start, partner = _first_partner(log)
    came = (partner != UNSTATED) & (start >= log.span.start)
    partner = np.where(came, partner, UNSTATED).astype(object)
    services = actions[actions["action"] == "service"]
    client = Crowd("partner_client", log.who(services[log.after(services, start, window, same=True)]))
    mature = came & log.mature(start, window)
    whole = Crowd("came_by_partner", mature)
    waiting = Crowd("came_by_partner_immature", came & ~mature)
    listed = own.drop_duplicates("partner_id").set_index("partner_id")
    kind = pd.Series(partner).map(listed["kind"]).fillna(UNSTATED).to_numpy(dtype=object)
    by_kind = Breakdown("partner_kind", "Вид партнёра", kind, KINDS)
    by_partner = Breakdown(
        "partner", "Партнёр", partner, {str(code): str(name) for code, name in listed["name"].items()}
    )
    tally.share(definition, whole, client, immature=waiting, by=by_kind)
    tally.share(definition, whole, client, immature=waiting, by=tally.by_group, total=False)
    tally.share(definition, whole, client, immature=waiting, by=by_partner, total=False)


def _first_partner(log: PersonLog) -> tuple[np.ndarray, np.ndarray]:
    """Moment of each person's first contact and its partner, `UNSTATED` where it names none; shape (persons,) each.

    Of several first contacts at one moment the partner with the least code counts.
    """
    rows = log.actions[log.actions["action"] == "contact"]
    start = log.first(rows)
    first = rows[(rows["at"].to_numpy() == start[rows["person"].to_numpy()]) & rows["partner_id"].notna().to_numpy()]
    known = first["partner_id"].cat.categories.to_numpy(dtype=object)
    least = np.full(log.persons, len(known))
    np.minimum.at(least, first["person"].to_numpy(), first["partner_id"].cat.codes.to_numpy())
    return start, np.append(known, UNSTATED)[least]
