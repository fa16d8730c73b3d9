"""Promotion of a region: campaigns by channel with the true funnel from impression to customer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.demo.regions import Calendar, Floats, Ints, Region
from kcrr_analysis.demo.truth import Truth

PER_MONTH = 3.0
"""Mean number of placements of a region in a month."""

_VIDEO = frozenset({"online_ads", "smm", "themed_site"})
_GROUPS = ("broad", "students", "graduates", "svo_participants", "svo_family", "disability", "school")
_GROUP_SHARES = (0.40, 0.16, 0.10, 0.11, 0.06, 0.10, 0.07)


def promotion(area: Region, dates: Calendar, truth: Truth) -> pd.DataFrame:
    """Table `promotion` of one region.

    Each step is binomial given the step before; a campaign's own rate varies round its tool's true rate by a beta
    distribution (`truth.campaign_concentration`).
    """
    chance = area.stream("promotion")
    months, tools = dates.months, truth.promotion_tools
    which = np.repeat(np.arange(len(months)), chance.poisson(PER_MONTH, len(months)))
    n = len(which)
    share = np.array([tool.share for tool in tools], dtype=float)
    tool = chance.choice(len(tools), size=n, p=share / share.sum())
    start = months.to_timestamp()[which] + pd.to_timedelta(chance.integers(0, 14, n), unit="D")
    end = start + pd.to_timedelta(chance.integers(6, 15, n), unit="D")

    def rate(name: str) -> Floats:
        mean = np.array([float(getattr(item, name)) for item in tools])[tool]
        total = truth.campaign_concentration
        return np.asarray(chance.beta(mean * total, (1 - mean) * total))

    def thin(count: Ints, share: Floats | float) -> Ints:
        return np.asarray(chance.binomial(count, share))

    median = np.array([item.impressions for item in tools])[tool] * (area.population / 1_000_000) ** 0.7
    impressions = chance.poisson(median * np.exp(chance.normal(0, 0.45, n)))
    clicks = thin(impressions, rate("click"))
    sessions = thin(clicks, rate("session"))
    bounces = thin(sessions, rate("bounce"))
    engaged = sessions - bounces
    registrations = np.minimum(thin(sessions, rate("registration")), engaged)
    applications = thin(registrations, rate("application"))
    customers = thin(applications, rate("customer"))
    calls = thin(engaged, 0.035)
    subscriptions = thin(engaged, 0.045)
    video = np.isin(np.array([item.tool_id for item in tools])[tool], list(_VIDEO))
    starts = np.where(video, thin(impressions, 0.05), 0)
    cost = np.array([item.cost_per_thousand for item in tools])[tool] * impressions / 1000
    names = [tools[k].campaigns[int(u * len(tools[k].campaigns))] for k, u in zip(tool, chance.random(n), strict=True)]
    table = pd.DataFrame(
        {
            "promotion_id": [f"A{area.code}{number:04d}" for number in range(1, n + 1)],
            "period_start": start,
            "period_end": end,
            "region_code": area.code,
            "center_id": _centre(area, n, chance),
            "tool_id": np.array([item.tool_id for item in tools])[tool],
            "campaign": names,
            "client_group": chance.choice(np.array(_GROUPS), size=n, p=_GROUP_SHARES),
            "impressions": impressions,
            "clicks": clicks,
            "sessions": sessions,
            "bounces": bounces,
            "time_s": np.round(np.exp(chance.normal(np.log(70), 0.3, n))),
            "scroll_share": np.round(chance.beta(9, 9, n), 3),
            "video_starts": pd.array(np.where(video, starts, -1), dtype="Int64"),
            "full_views": pd.array(np.where(video, thin(starts, 0.28), -1), dtype="Int64"),
            "calls": calls,
            "detail_views": thin(engaged, 0.55),
            "downloads": thin(engaged, 0.06),
            "subscriptions": subscriptions,
            "leads": registrations + thin(calls, 0.7) + thin(subscriptions, 0.4),
            "registrations": registrations,
            "applications": applications,
            "customers": customers,
            "external_cost": np.round(cost, -2),
            "direct_cost": np.round(chance.uniform(0, 3000, n), -2),
            "staff_hours": np.round(chance.gamma(4, 2.0, n) * 2) / 2,
        }
    )
    for column in ("video_starts", "full_views"):
        table.loc[~video, column] = pd.NA
    return table


def _centre(area: Region, n: int, chance: np.random.Generator) -> list[str | None]:
    """Most placements are the region's; a quarter belong to one centre."""
    own = chance.random(n) < 0.25
    ids = chance.choice(np.array(area.center_ids), size=n)
    return [str(code) if is_own else None for code, is_own in zip(ids, own, strict=True)]
