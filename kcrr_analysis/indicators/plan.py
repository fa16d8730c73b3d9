"""Plan and fact: services, which may be summed, and clients, who are compared month by month and centre by centre.

A plan of clients is set for each centre. The sum of such plans counts a person of two centres twice and is no plan of
the region's persons, so the region has no percentage of clients, but the number of centres that met theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.indicators.centres import centre_counts, centres
from kcrr_analysis.indicators.flow import (
    dictionaries,
    group_order,
    group_title,
    guarded,
    monthly,
    reporting_month,
)
from kcrr_analysis.tables import Tables

NO_REGIONAL_PLAN = "план по клиентам задан по центрам; людей по центрам не складывают"


@dataclass(frozen=True)
class PlanFact:
    """Plan and fact of one region and its centres in one month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        rows: One row a unit and client group, the region (`center_id` empty) first: center_id, title, client_group,
            group_title, planned_services, services, services_pct (% of plan), planned_clients, clients, clients_pct
            (centres only), planned_services_ytd, services_ytd, services_ytd_pct (January to the month; services
            alone may be summed), services_hidden, clients_hidden, services_ytd_hidden (disclosure control withholds
            or marks the fact and its percentage), reason (why the region has no percentage of clients). Region rows
            also: clients_met (centres that met the month's plan of clients), clients_judged (centres whose percentage
            is known and shown).
        unplanned: Names of the centres without a plan for the month; they are in no sum.
        definition: What is compared, in Russian.
        interval: Always «сплошной учёт».
    """

    region_code: str
    month: pd.Period
    rows: pd.DataFrame
    unplanned: tuple[str, ...]
    definition: str = (
        "Выполнение плана — факт в процентах к плану того же центра, группы и месяца. Сервисы складываются по центрам "
        "и месяцам; клиенты — нет: один человек бывает в двух центрах и приходит в разные месяцы."
    )
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """One row a unit and group, with region, period and interval."""
        return self.rows.assign(region_code=self.region_code, period=str(self.month), interval=self.interval)


def plan(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    rule: disclosure.Rule | None = None,
) -> PlanFact:
    """Plan against fact by centre, region and client group.

    Args:
        tables: Data with the tables `plan` and `flow`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one that has both a plan and facts by default.
        rule: Disclosure rule for a `flow` that is not under disclosure control yet.

    Raises:
        MissingTableError: `plan` or `flow` is absent.
        NotComputableError: The region's centres have no plan, or none for the month.
    """
    tables = guarded(tables, rule)
    known = centres(tables, region)
    planned = tables.plan
    planned = planned[planned["center_id"].isin(known.index)]
    facts = {
        "services": centre_counts(tables, region, "services_delivered", group=None),
        "clients": centre_counts(tables, region, "clients_served", group=None),
    }
    if planned.empty or (facts["services"].empty and facts["clients"].empty):
        raise NotComputableError(
            f"Для региона {region} нет плана (таблица plan) или факта по центрам (таблица flow, scope = center): "
            "выполнение плана не вычисляется. Добавьте строки."
        )
    with_facts = planned["month"].isin(pd.concat([frame["month"] for frame in facts.values()]))
    at = reporting_month(planned.loc[with_facts, "month"], month, region)
    rows = _centre_rows(planned, facts, at)
    rows = _since_january(rows, planned, facts["services"], _cumulated(tables, region), at)
    whole = _region_rows(tables, region, rows, set(known.index), at)
    frame = pd.concat([whole, rows], ignore_index=True)
    for name in ("services", "clients", "services_ytd"):
        due = frame[f"planned_{name}"]
        frame[f"{name}_pct"] = 100 * frame[name] / due.where(due > 0)
    frame = _met(frame)
    groups = dictionaries(tables).groups
    frame.insert(1, "title", frame["center_id"].map(known["center_name"]).fillna("Регион"))
    frame.insert(3, "group_title", [group_title(code, groups) for code in frame["client_group"]])
    codes = frame["client_group"].unique()
    place = {code: position for position, code in enumerate(codes[group_order(codes, groups)])}
    frame["place"] = frame["client_group"].map(place)
    frame = frame.sort_values(["center_id", "place"]).drop(columns="place")
    with_plan = set(planned.loc[planned["month"] == at, "center_id"])
    missing = tuple(str(name) for code, name in known["center_name"].items() if code not in with_plan)
    return PlanFact(region_code=region, month=at, rows=frame.reset_index(drop=True), unplanned=missing)


def _centre_rows(planned: pd.DataFrame, facts: dict[str, pd.DataFrame], at: pd.Period) -> pd.DataFrame:
    own = planned[planned["month"] == at]
    keys = pd.MultiIndex.from_arrays([own["center_id"].astype(str), own["client_group"].astype(str)])
    rows = pd.DataFrame(index=keys.set_names(["center_id", "client_group"]))
    for name, frame in facts.items():
        due = own[f"planned_{name}"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        of_month = frame[frame["month"] == at].set_index(["center_id", "client_group"])
        rows[f"planned_{name}"] = due
        rows[name] = of_month["value"].reindex(rows.index)
        rows[f"{name}_hidden"] = of_month["hidden"].reindex(rows.index).eq(True)
    return rows.reset_index().assign(reason="")


def _cumulated(tables: Tables, region: str) -> pd.DataFrame:
    return centre_counts(tables, region, "services_delivered", "year_to_date", group=None)


def _since_january(
    rows: pd.DataFrame, planned: pd.DataFrame, single: pd.DataFrame, cumulated: pd.DataFrame, at: pd.Period
) -> pd.DataFrame:
    """Adds the services planned and delivered since January: the year-to-date row, else the sum of all months."""
    keys = ["center_id", "client_group"]
    index = pd.MultiIndex.from_frame(rows[keys])

    def of_year(frame: pd.DataFrame) -> pd.DataFrame:
        own: pd.DataFrame = frame[(frame["month"].dt.year == at.year) & (frame["month"] <= at)]
        return own

    due = of_year(planned).groupby(keys)["planned_services"].agg(["sum", "count"])
    due["sum"] = due["sum"].astype(float).where(due["count"] == at.month)
    rows["planned_services_ytd"] = due["sum"].reindex(index).to_numpy(dtype=float)
    sums = of_year(single).groupby(keys).agg(
        value=("value", lambda values: values.sum(skipna=False)), hidden=("hidden", "any"), months=("month", "nunique")
    )  # fmt: skip
    sums = sums[sums["months"] == at.month]
    ready = cumulated[cumulated["month"] == at].set_index(keys)
    found = ready[["value", "hidden"]].reindex(index)
    lacking = found["hidden"].isna().to_numpy()
    rows["services_ytd"] = np.where(lacking, sums["value"].reindex(index).to_numpy(dtype=float), found["value"])
    rows["services_ytd_hidden"] = np.where(
        lacking, sums["hidden"].reindex(index).eq(True).to_numpy(), found["hidden"].eq(True).to_numpy()
    ).astype(bool)
    return rows


def _region_rows(tables: Tables, region: str, rows: pd.DataFrame, everyone: set[str], at: pd.Period) -> pd.DataFrame:
    """One row a group: services of the centres with a plan, persons of the region's own row."""
    own = {
        "services": monthly(tables, region, "services_delivered"),
        "services_ytd": monthly(tables, region, "services_delivered", "year_to_date"),
        "clients": monthly(tables, region, "clients_served"),
    }
    own = {name: frame[frame["month"] == at].set_index("client_group") for name, frame in own.items()}
    found = []
    for group, part in ((str(code), part) for code, part in rows.groupby("client_group", sort=False)):
        row: dict[str, object] = {"center_id": "", "client_group": group, "reason": NO_REGIONAL_PLAN}
        for name in ("services", "services_ytd"):
            row |= _sum(part, name, own[name], group, whole=set(part["center_id"]) == everyone)
        known = group in own["clients"].index
        row["planned_clients"] = np.nan
        row["clients"] = own["clients"]["value"][group] if known else np.nan
        row["clients_hidden"] = bool(known and own["clients"]["hidden"][group])
        found.append(row)
    return pd.DataFrame(found)


def _sum(part: pd.DataFrame, name: str, own: pd.DataFrame, group: str, *, whole: bool) -> dict[str, object]:
    """Plan and fact of one group summed over the centres that have both."""
    both = part[part[f"planned_{name}"].notna() & (part[name].notna() | part[f"{name}_hidden"])]
    if both.empty or (name == "services_ytd" and len(both) < len(part)):
        return {f"planned_{name}": np.nan, name: np.nan, f"{name}_hidden": False}
    fact, hidden = both[name].sum(skipna=False), bool(both[f"{name}_hidden"].any())
    # With every centre in the sum the region's own row says the same and gives no centre away.
    if hidden and whole and len(both) == len(part) and group in own.index:
        fact, hidden = own["value"][group], bool(own["hidden"][group])
    return {f"planned_{name}": both[f"planned_{name}"].sum(), name: fact, f"{name}_hidden": hidden}


def _met(frame: pd.DataFrame) -> pd.DataFrame:
    judged = frame[(frame["center_id"] != "") & frame["clients_pct"].notna() & ~frame["clients_hidden"].astype(bool)]
    by_group = judged.groupby("client_group")["clients_pct"].agg(
        met=lambda values: int((values >= 100).sum()), judged="count"
    )
    of_region = frame["center_id"] == ""
    for name in ("met", "judged"):
        counts = frame["client_group"].map(by_group[name]).fillna(0)
        frame[f"clients_{name}"] = counts.where(of_region)
    return frame
