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
    """

    center_ids: tuple[str, ...]
    treated: tuple[bool, ...]
    clients: Ints
    applied: Ints


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
    return PilotArm(area.center_ids, tuple(bool(t) for t in treated), clients, chance.binomial(clients, share))


def _concentration(declared: PilotTruth) -> float:
    """Sum of the parameters of the beta distribution whose intraclass correlation is the declared one."""
    return 1 / declared.icc - 1


def pilots(arms: list[PilotArm], truth: Truth) -> pd.DataFrame:
    """Table `pilots`: one pilot over all regions, its units, arms and outcomes joined by `;` in the same order."""
    units = [code for arm in arms for code in arm.center_ids]
    treated = [flag for arm in arms for flag in arm.treated]
    return pd.DataFrame(
        {
            "pilot_id": [PILOT_ID],
            "pilot_name": ["Новый формат первой встречи"],
            "protocol_file": ["protocol_pilot-2025-1.yaml"],
            "unit": ["center"],
            "units": [";".join(units)],
            "assignment": [";".join("new_format" if flag else "control" for flag in treated)],
            "outcomes": ["unit_clients;unit_applied"],
            "period_start": pd.to_datetime([truth.pilot.first_day]),
            "period_end": pd.to_datetime([truth.pilot.last_day]),
            "unit_clients": [";".join(str(n) for arm in arms for n in arm.clients)],
            "unit_applied": [";".join(str(n) for arm in arms for n in arm.applied)],
        }
    )
