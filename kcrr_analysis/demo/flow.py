"""The client flow of one region: counts of persons and units by month, centre and group, and the plan.

Everything is drawn for disjoint kinds of people (`people.KINDS`); a group is the sum of its kinds. So every group
holds its sub-groups, `all` is less than the sum of overlapping groups, and persons of a year are fewer than the sum
of its months because people return.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.demo.people import GROUPS, KINDS, SEASONS, catchment, membership
from kcrr_analysis.demo.regions import Calendar, Floats, Ints, Region, rebuilt
from kcrr_analysis.demo.truth import Truth

PERSONS = (
    "clients_served", "applied", "registered_new", "measure_applicants", "measure_recipients", "guidance_recipients",
)  # fmt: skip
"""Persons of a period; parents stand before their parts."""
UNITS = ("measures_delivered", "visits", "services_delivered")
MEASURES = (
    "registered_stock", "registered_new", "applied", "measure_applicants", "measure_recipients", "measures_delivered",
    "guidance_recipients", "visits", "services_delivered", "clients_served",
)  # fmt: skip
"""Measures in the order of the table."""

_PARENT = {
    "applied": "clients_served",
    "registered_new": "applied",
    "measure_applicants": "clients_served",
    "measure_recipients": "measure_applicants",
    "guidance_recipients": "clients_served",
}


def _expected(area: Region, dates: Calendar, truth: Truth, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Means of applications and of guidance: shape (months, centres, kinds)."""
    months, people = dates.history, catchment(area)
    of_year = np.asarray(months.month) - 1
    years = (np.asarray(months.year) - 2022 + of_year / 12)[:, None]
    season = np.stack([np.array(SEASONS[kind.season])[of_year] for kind in KINDS], axis=1)
    growth = np.exp(np.array([kind.growth for kind in KINDS]) * years)
    level = np.array([kind.applied for kind in KINDS]) / 12
    centre = np.exp(chance.normal(0, 0.12, len(area.center_ids)))[None, :, None]
    noise = np.exp(
        chance.normal(0, truth.flow.centre_noise, (len(months), len(area.center_ids)))
        + chance.normal(0, truth.flow.region_noise, (len(months), 1))
    )[:, :, None]
    done = np.where(rebuilt(area, months), truth.flow.modernised_gain, 1.0)[:, :, None]
    shift = np.ones((len(months), 1, 1))
    if area.code == truth.level_shift.region_code:
        shift[np.asarray(months >= pd.Period(truth.level_shift.month, freq="M"))] = truth.level_shift.factor
    common = centre * noise * done * shift
    applied = people[None] * (season * growth * level)[:, None, :] * common
    guided_season = np.array(SEASONS["guidance"])[of_year][:, None, None]
    guided = people[None] * (np.array([kind.guided for kind in KINDS]) / 12)[None, None] * guided_season
    return applied, guided * np.exp(0.06 * years)[:, :, None] * common


def _months(area: Region, dates: Calendar, truth: Truth, chance: np.random.Generator) -> tuple[dict[str, Ints], Ints]:
    """Counts of each month for centres and kinds, and the registered stock at the month's end."""
    applied_mean, guided_mean = _expected(area, dates, truth, chance)
    kinds_registered = np.array([kind.registered for kind in KINDS])
    kinds_measures = np.array([kind.measures for kind in KINDS])
    applied = chance.poisson(applied_mean)
    registered = chance.binomial(applied, kinds_registered)
    guided_only = chance.poisson(guided_mean * 0.85)
    others = chance.poisson(applied_mean * 0.35)
    served = applied + guided_only + others
    guided = guided_only + chance.binomial(
        applied, np.clip(0.15 * guided_mean / np.maximum(applied_mean, 1e-9), 0, 0.6)
    )
    wanted = chance.binomial(applied + others, kinds_measures)
    received = chance.binomial(wanted, 0.88)
    counts = {
        "clients_served": served,
        "applied": applied,
        "registered_new": registered,
        "measure_applicants": wanted,
        "measure_recipients": received,
        "guidance_recipients": guided,
        "measures_delivered": received + chance.poisson(received * 0.28),
        "visits": applied + others + chance.binomial(guided_only, 0.35) + chance.poisson(served * 0.75),
        "services_delivered": served + chance.poisson(served * 0.85),
    }
    stock = np.empty_like(applied)
    leaving = truth.flow.leaving_rate
    left = chance.poisson(applied_mean[0] * kinds_registered / leaving)
    for position in range(len(dates.history)):
        left = left - chance.binomial(left, leaving) + chance.binomial(registered[position], 0.93)
        stock[position] = left
    return counts, stock


def _year_to_date(
    months: dict[str, Ints], dates: Calendar, truth: Truth, chance: np.random.Generator
) -> dict[str, Ints]:
    """Year-to-date counts: persons counted once a year, units summed."""
    of_year = np.asarray(dates.history.month)
    totals: dict[str, Ints] = {}
    for name in (*PERSONS, *UNITS):
        month = months[name]
        total = np.empty_like(month)
        for position, number in enumerate(of_year):
            if number == 1:
                total[position] = month[position]
                continue
            if name in UNITS:
                total[position] = total[position - 1] + month[position]
                continue
            first_time = 1 - truth.flow.return_share * (number - 1) / 11
            grown = total[position - 1] + chance.binomial(month[position], first_time)
            grown = np.maximum(grown, month[position])
            parent = _PARENT.get(name)
            total[position] = grown if parent is None else np.minimum(grown, totals[parent][position])
        totals[name] = total
    return totals


def _region(
    months: dict[str, Ints], totals: dict[str, Ints], dates: Calendar, truth: Truth, chance: np.random.Generator
) -> tuple[dict[str, Ints], dict[str, Ints]]:
    """Regional counts: persons who came to two centres are counted once; units are sums. Shape (months, kinds)."""
    month: dict[str, Ints] = {}
    total: dict[str, Ints] = {}
    for name in (*PERSONS, *UNITS):
        sums = months[name].sum(axis=1)
        if name in UNITS:
            month[name], total[name] = sums, totals[name].sum(axis=1)
            continue
        parent = _PARENT.get(name)
        once = sums - chance.binomial(sums, truth.flow.two_centres)
        once = np.maximum(once, months[name].max(axis=1))
        month[name] = once if parent is None else np.minimum(once, month[parent])
        total[name] = _region_year(name, month, total, totals[name], dates=dates, truth=truth, chance=chance)
    return month, total


def _region_year(
    name: str,
    month: dict[str, Ints],
    total: dict[str, Ints],
    centre_total: Ints,
    *,
    dates: Calendar,
    truth: Truth,
    chance: np.random.Generator,
) -> Ints:
    """Year-to-date persons of the region, between the largest centre and the sum of centres and of months."""
    sums = centre_total.sum(axis=1)
    year = np.empty_like(sums)
    for position, number in enumerate(dates.history.month):
        if number == 1:
            year[position] = month[name][position]
            continue
        grown = sums[position] - sums[position - 1]
        value = year[position - 1] + grown - chance.binomial(np.maximum(grown, 0), 2 * truth.flow.two_centres)
        low = np.maximum.reduce([year[position - 1], month[name][position], centre_total[position].max(axis=0)])
        high = np.minimum(year[position - 1] + month[name][position], sums[position])
        parent = _PARENT.get(name)
        if parent is not None:
            high = np.minimum(high, total[parent][position])
        year[position] = np.minimum(np.maximum(value, low), high)
    return np.asarray(year)


def flow(area: Region, dates: Calendar, truth: Truth) -> pd.DataFrame:
    """Table `flow` of one region: rows by month, period, scope, unit and group."""
    chance = area.stream("flow")
    months, stock = _months(area, dates, truth, chance)
    totals = _year_to_date(months, dates, truth, chance)
    region_month, region_total = _region(months, totals, dates, truth, chance)
    start, member = dates.first_reported, membership()
    n_months, n_centres, n_groups = len(dates.months), len(area.center_ids), len(GROUPS)

    def cells(counts: Ints) -> Ints:
        return np.asarray(counts[start:] @ member).reshape(-1)

    blocks = [
        ("month", "center", {**months, "registered_stock": stock}),
        ("year_to_date", "center", {**totals, "registered_stock": stock}),
        ("month", "region", {**region_month, "registered_stock": stock.sum(axis=1)}),
        ("year_to_date", "region", {**region_total, "registered_stock": stock.sum(axis=1)}),
    ]
    frames = []
    for period, scope, counts in blocks:
        units = np.array(area.center_ids) if scope == "center" else np.array([None], dtype=object)
        n_units = n_centres if scope == "center" else 1
        frame = pd.DataFrame(
            {
                "month": np.repeat(dates.months, n_units * n_groups),
                "period": period,
                "scope": scope,
                "region_code": area.code,
                "center_id": np.tile(np.repeat(units, n_groups), n_months),
                "client_group": np.tile(np.array(GROUPS), n_months * n_units),
            }
        )
        frames.append(frame.assign(**{name: cells(counts[name]) for name in MEASURES}))
    return pd.concat(frames, ignore_index=True)


_PLANNED = ("all", "youth", "svo", "disability")


def plan(area: Region, dates: Calendar, actual: pd.DataFrame) -> pd.DataFrame:
    """Table `plan` of one region: the usual flow of the season plus the growth asked for.

    Args:
        area: The region.
        dates: Months of the data set.
        actual: Table `flow` of the region.
    """
    chance = area.stream("plan")
    rows = actual[(actual["period"] == "month") & (actual["scope"] == "center") & actual["client_group"].isin(_PLANNED)]
    sources = {"planned_clients": "clients_served", "planned_services": "services_delivered"}
    usual = rows.groupby(["center_id", "client_group"])[[*sources.values()]].mean()
    of_month = rows.groupby([rows["month"].dt.month, "client_group"])[[*sources.values()]].sum()
    of_month = of_month.div(rows.groupby([rows["month"].dt.month, "client_group"])["month"].nunique(), axis=0)
    season = of_month / of_month.groupby("client_group").transform("mean")
    keys = pd.MultiIndex.from_product([dates.months, area.center_ids, _PLANNED])
    center_id, group = keys.get_level_values(1), keys.get_level_values(2)
    month = pd.PeriodIndex(keys.get_level_values(0))
    table = pd.DataFrame({"month": month, "center_id": center_id, "client_group": group})
    growth = np.array([{"all": 1.0, "youth": 1.03, "svo": 1.08, "disability": 1.03}[name] for name in group])
    jitter = growth * np.exp(chance.normal(0, 0.03, len(table)))
    unit = pd.MultiIndex.from_arrays([center_id, group])
    moment = pd.MultiIndex.from_arrays([month.month, group])
    for column, source in sources.items():
        wanted = usual[source].reindex(unit).to_numpy() * season[source].reindex(moment).to_numpy() * jitter
        table[column] = np.round(wanted).astype(int)
    return table
