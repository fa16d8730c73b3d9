"""Events of a region: participants, engagement, reviews, costs and the new clients that the true model generates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.demo.regions import Calendar, Floats, Ints, Region
from kcrr_analysis.demo.truth import Truth

PER_CENTRE_MONTH = 1.39
"""Mean number of events of a centre in a month."""

_MONTHS = (0.75, 1.00, 1.10, 1.25, 1.00, 0.75, 0.70, 0.85, 1.15, 1.35, 1.20, 0.90)
_STARS = np.array([0.03, 0.05, 0.13, 0.34, 0.45])
_SPLITS = 2


def events(
    area: Region, dates: Calendar, truth: Truth, partners: pd.DataFrame
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Table `events` of one region and the probable split events placed in it.

    Every third region records two events twice, halved, on adjacent dates.

    Args:
        area: The region.
        dates: Months of the data set.
        truth: Declared truth.
        partners: Table `partners` of the region.
    """
    chance = area.stream("events")
    table = _occasions(area, dates, truth, chance)
    table = _split(table, area, chance)
    table = table.sort_values(["date", "center_id", "order"], kind="stable").reset_index(drop=True)
    table["event_id"] = [f"E{area.code}{number:05d}" for number in range(1, len(table) + 1)]
    tools = truth.event_tools
    index = table["tool"].to_numpy()
    count = table["participants"].to_numpy()

    table["tool_id"] = np.array([tool.tool_id for tool in tools])[index]
    table["region_code"] = area.code
    table["weight"] = np.array([float(tool.default_weight) for tool in tools])[index]
    reach = np.array([tool.reach_ratio for tool in tools])[index]
    table["reach"] = np.round(count * reach * np.exp(chance.normal(0, 0.35, len(table)))).astype(int)
    table["reach"] = np.maximum(table["reach"], count)
    engagement = table["engagement"].to_numpy()
    _signals(table, count, engagement, chance)
    _reviews(table, np.array([tool.review_share for tool in tools])[index], area, chance)
    mean = expected_new_clients(table, truth)
    table["new_clients"] = np.minimum(chance.poisson(mean), count)
    _costs(table, truth, index, chance)
    table["partner_id"] = _partner(table, partners, chance)
    table["chain_id"] = _chains(table, area, chance)
    pairs = [
        {
            "region_code": area.code,
            "center_id": str(rows["center_id"].iloc[0]),
            "tool_id": str(rows["tool_id"].iloc[0]),
            "event_ids": [str(code) for code in rows["event_id"]],
        }
        for _, rows in table[table["pair"] >= 0].groupby("pair")
    ]
    return table.drop(columns=["tool", "order", "pair"]), pairs


def expected_new_clients(table: pd.DataFrame, truth: Truth) -> Floats:
    """Mean new clients of each event under the true model (`truth.NewClients`).

    Args:
        table: Events with tool_id, participants, engagement, reviews and mean_rating.
        truth: Declared truth.
    """
    model = truth.new_clients
    weights = {tool.tool_id: tool.true_weight for tool in truth.event_tools}
    engagement = table["engagement"].to_numpy(float)
    value = np.select([engagement < 0.75, engagement <= 1.25], [model.band_low, model.band_medium], model.band_high)
    stars = table["reviews"].to_numpy(float) * table["mean_rating"].astype(float).fillna(0).to_numpy()
    weight = table["tool_id"].map(weights).to_numpy(float)
    participants = table["participants"].to_numpy(float)
    return np.asarray(model.per_weight * weight + model.per_participant * participants * value + model.per_star * stars)


def _occasions(area: Region, dates: Calendar, truth: Truth, chance: np.random.Generator) -> pd.DataFrame:
    """When and where events take place, their tool, theme, group, participants and engagement."""
    months, n_centres = dates.months, len(area.center_ids)
    size = area.shares**0.4
    rate = PER_CENTRE_MONTH * size / size.mean()
    season = np.array(_MONTHS)[np.asarray(months.month) - 1]
    count = chance.poisson(season[:, None] * rate[None, :])
    month_index, centre_index = (part.repeat(count.ravel()) for part in np.indices(count.shape).reshape(2, -1))
    n = len(month_index)
    tools = truth.event_tools
    share = np.array([tool.share for tool in tools], dtype=float)
    tool = chance.choice(len(tools), size=n, p=share / share.sum())
    topic = np.floor(chance.random(n) * np.array([len(item.topics) for item in tools])[tool]).astype(int)
    topics = [tools[t].topics[k] for t, k in zip(tool, topic, strict=True)]
    start = months.to_timestamp()[month_index]
    day = start + pd.to_timedelta(chance.integers(0, 27, n), unit="D")
    weekend = (day.dayofweek >= 5) & (chance.random(n) < 0.75)
    day = day + pd.to_timedelta(np.where(weekend, 7 - np.asarray(day.dayofweek), 0), unit="D")
    catchment = area.population * area.shares[centre_index]
    median = np.array([item.participants for item in tools])[tool] * (catchment / 170_000) ** 0.3
    participants = np.maximum(chance.poisson(median * np.exp(chance.normal(0, 0.42, n))), 8)
    own = chance.normal(0, 0.05, n_centres)[centre_index]
    engagement = np.array([item.engagement for item in tools])[tool] + own + chance.normal(0, 0.14, n)
    return pd.DataFrame(
        {
            "date": day,
            "center_id": np.array(area.center_ids)[centre_index],
            "tool": tool,
            "theme": [theme for theme, _ in topics],
            "client_group": [group for _, group in topics],
            "participants": participants,
            "engagement": _to_bands(np.clip(engagement, 0.5, 1.5), chance),
            "order": np.arange(n),
            "pair": -1,
        }
    )


def _to_bands(engagement: Floats, chance: np.random.Generator) -> Floats:
    """Most centres read the coefficient off the bands; one value in four of a gap stays between them."""
    value = np.round(engagement, 2)
    snap = chance.random(len(value)) < 0.75
    for low, high in ((0.7, 0.8), (1.2, 1.3)):
        inside = (value > low) & (value < high) & snap
        value = np.where(inside, np.where(value - low < high - value, low, high), value)
    return np.asarray(value)


def _split(table: pd.DataFrame, area: Region, chance: np.random.Generator) -> pd.DataFrame:
    if area.number % 3 != 1 or not len(table):
        return table
    large = np.flatnonzero(table["participants"].to_numpy() >= 20)
    chosen = np.sort(chance.choice(large, size=min(_SPLITS, len(large)), replace=False))
    table = table.copy()
    second = table.iloc[chosen].copy()
    half = second["participants"].to_numpy() // 2
    # The second half takes place the day after, so that the month stays the calendar's.
    second["date"] = second["date"] + pd.Timedelta(days=1)
    second["participants"] = half
    second["order"] = len(table) + np.arange(len(chosen))
    second["pair"] = np.arange(len(chosen))
    table.loc[chosen, "participants"] -= half
    table.loc[chosen, "pair"] = np.arange(len(chosen))
    return pd.concat([table, second], ignore_index=True)


def _signals(table: pd.DataFrame, count: Ints, engagement: Floats, chance: np.random.Generator) -> None:
    """Signals of engagement, recorded for six events in ten."""
    n = len(table)
    known = chance.random(n) < 0.6
    active = np.clip(0.15 + 0.6 * (engagement - 0.5) + chance.normal(0, 0.06, n), 0.02, 1)
    stayed = np.clip(0.35 + 0.55 * (engagement - 0.5) + chance.normal(0, 0.07, n), 0.05, 1)
    table["active_share"] = np.where(known, np.round(active, 2), np.nan)
    table["minutes_share"] = np.where(known, np.round(stayed, 2), np.nan)
    interactions = chance.poisson(count * engagement * 0.8)
    table["interactions"] = pd.array(interactions, dtype="Int64")
    table.loc[~known, "interactions"] = pd.NA


def _reviews(table: pd.DataFrame, share: Floats, area: Region, chance: np.random.Generator) -> None:
    """Reviews and their stars; some centres record the mean rating only."""
    reviews = chance.binomial(table["participants"].to_numpy(), share)
    stars = chance.multinomial(reviews, _STARS)
    some = reviews > 0
    mean = np.round((stars @ np.arange(1, 6)) / np.maximum(reviews, 1), 2)
    table["reviews"] = reviews
    table["mean_rating"] = np.where(some, mean, np.nan)
    detailed = dict(zip(area.center_ids, chance.random(len(area.center_ids)) < 0.7, strict=True))
    known = some & table["center_id"].map(detailed).to_numpy(bool)
    for star in range(1, 6):
        table[f"rating_{star}"] = pd.array(stars[:, star - 1], dtype="Int64")
        table.loc[~known, f"rating_{star}"] = pd.NA


def _costs(table: pd.DataFrame, truth: Truth, index: Ints, chance: np.random.Generator) -> None:
    n, tools = len(table), truth.event_tools
    scale = np.exp(chance.normal(0, 0.3, n))
    external = np.array([tool.external_cost for tool in tools])[index] * scale
    hours = np.array([tool.staff_hours for tool in tools])[index] * np.exp(chance.normal(0, 0.25, n))
    table["external_cost"] = np.round(external, -2)
    table["direct_cost"] = np.round(table["participants"].to_numpy() * chance.uniform(5, 25, n), -1)
    table["staff_hours"] = np.maximum(np.round(hours * 2) / 2, 0.5)


def _partner(table: pd.DataFrame, partners: pd.DataFrame, chance: np.random.Generator) -> list[str | None]:
    """A partner of the event's group for nearly half of the events."""
    by_group = {group: rows.to_numpy(str) for group, rows in partners.groupby("client_group")["partner_id"]}
    draws = chance.random((len(table), 2))
    result: list[str | None] = []
    for group, (given, which) in zip(table["client_group"], draws, strict=True):
        known = by_group.get(group)
        result.append(str(known[int(which * len(known))]) if known is not None and given < 0.45 else None)
    return result


def _chains(table: pd.DataFrame, area: Region, chance: np.random.Generator) -> list[str | None]:
    """Chains of two events of one centre within 45 days, about six events in a hundred."""
    chains: list[str | None] = [None] * len(table)
    number = 0
    for _, rows in table.groupby("center_id"):
        places = rows.index.to_numpy()
        gaps = np.diff(rows["date"].to_numpy()).astype("timedelta64[D]").astype(int)
        draws = chance.random(len(gaps))
        for step, (gap, draw) in enumerate(zip(gaps, draws, strict=True)):
            first, second = places[step], places[step + 1]
            other = rows["tool"].iloc[step] != rows["tool"].iloc[step + 1]
            if draw < 0.06 and gap <= 45 and other and chains[first] is None:
                number += 1
                chains[first] = chains[second] = f"C{area.code}{number:03d}"
    return chains
