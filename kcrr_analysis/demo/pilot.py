"""The pilot of a new format: centres randomised within their region, clients of a centre alike (ICC)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.demo.regions import Ints, Region
from kcrr_analysis.demo.truth import PilotTruth, Truth

PILOT_ID = "pilot-2025-1"


@dataclass(frozen=True, slots=True)
class PilotArm:
    """A region's part of the pilot; arrays over its centres.

    Attributes:
        center_ids: Centres.
        treated: Whether the centre holds the new format.
        clients: Clients who took part.
        applied: Those of them who applied.
        before_clients: Clients of the half-year before.
        before_applied: Those of them who applied.
        services: Services that the clients asked for and are entitled to.
        wait_minutes: Sum over clients of the wait for the first meeting.
    """

    center_ids: tuple[str, ...]
    treated: tuple[bool, ...]
    clients: Ints
    applied: Ints
    before_clients: Ints
    before_applied: Ints
    services: Ints
    wait_minutes: Ints


def pilot_arm(area: Region, truth: Truth) -> PilotArm:
    """Assigns the region's centres at random, half to the new format, and draws what came of it."""
    chance, declared = area.stream("pilot"), truth.pilot
    n = len(area.center_ids)
    treated = np.zeros(n, dtype=bool)
    # Of an odd number of centres, chance decides which arm has one more.
    half = n // 2 + int(n % 2 == 1 and chance.random() < 0.5)
    treated[chance.permutation(n)[:half]] = True
    clients = np.maximum(chance.poisson(declared.clients, n), 20)
    mean = declared.control + declared.effect * treated
    share = chance.beta(mean * _concentration(declared), (1 - mean) * _concentration(declared))
    applied = chance.binomial(clients, share)
    # Further outcomes come from a stream of their own, so that they do not move the ones above.
    more = area.stream("pilot_more")
    own = declared.control + declared.before_pull * (share - mean)
    before = np.maximum(more.poisson(declared.clients, n), 20)
    wait = np.rint(clients * np.maximum(more.normal(declared.wait_minutes, declared.wait_spread, n), 1))
    # Everybody asks for one service at least.
    level = more.normal(declared.services, declared.services_spread, n) + declared.services_effect * treated
    services = clients + more.poisson(clients * np.maximum(level - 1, 0.05))
    return PilotArm(
        area.center_ids, tuple(bool(t) for t in treated), clients, applied, before, more.binomial(before, own),
        services, wait.astype(np.int64),
    )  # fmt: skip


def _concentration(declared: PilotTruth) -> float:
    """Sum of the parameters of the beta distribution whose intraclass correlation is the declared one."""
    return 1 / declared.icc - 1


def pilots(arms: list[PilotArm], truth: Truth) -> pd.DataFrame:
    """Table `pilots`: one pilot over all regions, its units, arms and outcomes joined by `;` in the same order."""
    units = [code for arm in arms for code in arm.center_ids]
    return pd.DataFrame(
        {
            "pilot_id": [PILOT_ID],
            "pilot_name": ["Новый формат первой встречи"],
            "protocol_file": [f"params/pilots/{PILOT_ID}.yaml"],
            "unit": ["center"],
            "units": [";".join(units)],
            "assignment": [";".join(_arm(flag) for arm in arms for flag in arm.treated)],
            "outcomes": ["applied;services;wait_minutes"],
            "period_start": pd.to_datetime([truth.pilot.first_day]),
            "period_end": pd.to_datetime([truth.pilot.last_day]),
        }
    )


def pilot_results(area: Region, arm: PilotArm) -> pd.DataFrame:
    """A region's rows of table `pilot_results`: a centre each, with sums over its clients."""
    return pd.DataFrame(
        {
            "pilot_id": PILOT_ID,
            "region_code": area.code,
            "center_id": arm.center_ids,
            "arm": [_arm(flag) for flag in arm.treated],
            "clients": arm.clients,
            "applied": arm.applied,
            "services": arm.services,
            "wait_minutes": arm.wait_minutes,
            "before_clients": arm.before_clients,
            "before_applied": arm.before_applied,
        }
    )


def _arm(treated: bool) -> str:
    return "new_format" if treated else "control"
