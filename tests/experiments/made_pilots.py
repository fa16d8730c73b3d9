"""Pilots made for tests: centres of unequal size, their clients, the same summed by centre."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.experiments import Design, Outcome, Protocol, Readout

CENTRES = pd.DataFrame(
    {
        "center_id": [f"{number:02d}" for number in range(12)],
        "region": ["север"] * 6 + ["юг"] * 6,
        "wave": [1, 2, 3] * 4,
        "size": np.arange(12) * 4.0 + 6,
        "staff": [3.0, 5, 2, 8, 4, 6, 7, 3, 9, 5, 4, 6],
    }
)


def by_centre(**settings: Any) -> Design:
    """A design that assigns centres."""
    return Design(cluster="center_id", **settings)


def clients(seed: int = 1, effect: float = 0.0, treated: tuple[str, ...] = ()) -> pd.DataFrame:
    """A row a client of the twelve centres."""
    chance = np.random.default_rng(seed)
    centre = np.repeat(CENTRES["center_id"].to_numpy(), CENTRES["size"].astype(int))
    number = centre.size
    share = 0.4 + effect * np.isin(centre, treated)
    return pd.DataFrame(
        {
            "center_id": centre,
            "person_id": [f"p{place}" for place in range(number)],
            "applied": chance.binomial(1, share),
            "visits": chance.poisson(2, number),
            "minutes": chance.normal(30, 5, number).round(2),
            "grade": chance.integers(1, 6, number),
            "asked": chance.integers(0, 4, number),
            "before": chance.normal(0, 1, number),
        }
    )


def summed(rows: pd.DataFrame) -> pd.DataFrame:
    """The clients' outcomes summed by centre."""
    groups = rows.groupby("center_id")
    sums = groups[["applied", "visits", "minutes", "asked", "before"]].sum()
    return sums.assign(clients=groups.size()).reset_index()


def read(
    design: Design, rows: pd.DataFrame, *outcomes: Outcome, units: pd.DataFrame = CENTRES, **settings: Any
) -> Readout:
    """A pilot drawn by its design and read out."""
    look, draws = settings.pop("look", None), settings.pop("draws", 499)
    protocol = Protocol("pilot", design, outcomes or [Outcome("applied", of="clients")], **settings)
    return protocol.analyze(design.assign(units), rows, look=look, draws=draws)


def figures(readout: Readout) -> pd.DataFrame:
    """What must not depend on the form of the table."""
    return readout.to_frame()
