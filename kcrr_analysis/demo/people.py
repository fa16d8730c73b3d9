"""Who lives in a region: disjoint kinds of people whose unions are the client groups, so that overlaps are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.demo.regions import Calendar, Floats, Ints, Region

GROUPS = (
    "all", "youth", "school", "students", "graduates", "teen_14_17", "svo", "svo_participants", "svo_veterans",
    "donbass_defenders", "svo_family", "disability", "broad",
)  # fmt: skip
"""Client groups in the order of the tables."""


@dataclass(frozen=True, slots=True)
class Kind:
    """People who belong to exactly these client groups (beside `all`).

    Attributes:
        groups: Client groups.
        share: Share of the population.
        applied: Yearly applications for job-search help per person.
        guided: Yearly career guidance per person.
        registered: Share of the applicants who are registered.
        measures: Share of the served who apply for a support measure.
        season: Key of the seasonal profile of applications.
        growth: Yearly growth of applications, log scale.
    """

    groups: tuple[str, ...]
    share: float
    applied: float
    guided: float
    registered: float
    measures: float
    season: str
    growth: float


_P, _V, _D, _F = "svo_participants", "svo_veterans", "donbass_defenders", "svo_family"

KINDS = (
    Kind(("youth", "school", "teen_14_17"), 0.0300, 0.060, 0.26, 0.45, 0.55, "summer", 0.05),
    Kind(("youth", "students", "teen_14_17"), 0.0130, 0.050, 0.18, 0.45, 0.50, "summer", 0.05),
    Kind(("youth", "school"), 0.0150, 0.004, 0.10, 0.20, 0.25, "summer", 0.04),
    Kind(("youth", "students"), 0.0300, 0.026, 0.06, 0.60, 0.45, "students", 0.04),
    Kind(("youth", "graduates"), 0.0100, 0.110, 0.10, 0.80, 0.60, "graduates", 0.03),
    Kind(("youth", "graduates", "disability"), 0.0002, 0.150, 0.10, 0.85, 0.75, "graduates", 0.03),
    Kind(("youth", "students", "disability"), 0.0005, 0.060, 0.09, 0.65, 0.65, "students", 0.03),
    Kind(("youth", "students", "svo", _F), 0.0012, 0.060, 0.10, 0.60, 0.60, "students", 0.12),
    Kind(("svo", _P), 0.0022, 0.110, 0.03, 0.80, 0.72, "even", 0.30),
    Kind(("svo", _P, _V), 0.0007, 0.140, 0.03, 0.80, 0.75, "even", 0.35),
    Kind(("svo", _P, "disability"), 0.0003, 0.150, 0.03, 0.85, 0.80, "even", 0.35),
    Kind(("svo", _V), 0.0010, 0.090, 0.02, 0.80, 0.70, "even", 0.22),
    Kind(("svo", _V, "disability"), 0.0002, 0.120, 0.02, 0.85, 0.80, "even", 0.22),
    Kind(("svo", _D), 0.0003, 0.080, 0.02, 0.80, 0.70, "even", 0.10),
    Kind(("svo", _F), 0.0065, 0.045, 0.02, 0.85, 0.60, "even", 0.18),
    Kind(("disability",), 0.0220, 0.042, 0.012, 0.90, 0.70, "disability", 0.02),
    Kind(("broad",), 0.8669, 0.0135, 0.0015, 0.92, 0.50, "broad", -0.05),
)
"""All kinds; the shares sum to 1."""

SEASONS: dict[str, tuple[float, ...]] = {
    "broad": (1.14, 1.06, 1.02, 0.99, 0.92, 0.90, 0.91, 0.95, 1.07, 1.10, 1.03, 0.91),
    "summer": (0.35, 0.50, 0.75, 1.40, 2.60, 2.70, 1.40, 0.80, 0.50, 0.40, 0.35, 0.25),
    "students": (0.80, 0.90, 1.00, 1.15, 1.25, 1.45, 1.20, 0.90, 1.00, 0.90, 0.80, 0.65),
    "graduates": (0.70, 0.75, 0.80, 0.80, 0.90, 1.45, 2.00, 1.75, 1.25, 0.85, 0.45, 0.30),
    "even": (0.98, 1.02, 1.05, 1.04, 0.98, 0.97, 0.96, 0.98, 1.04, 1.05, 1.02, 0.91),
    "disability": (0.90, 1.00, 1.08, 1.08, 0.97, 0.92, 0.88, 0.92, 1.05, 1.12, 1.10, 0.98),
    "guidance": (0.95, 1.15, 1.25, 1.25, 0.90, 0.25, 0.15, 0.30, 1.20, 1.75, 1.60, 1.25),
}
"""Month of the year (January first) as a multiple of the mean month; each sums to 12."""


def membership() -> Ints:
    """Which kinds make up which group: shape (kinds, groups)."""
    rows = [[int(group == "all" or group in kind.groups) for group in GROUPS] for kind in KINDS]
    return np.array(rows, dtype=np.int64)


def catchment(area: Region) -> Floats:
    """People of each kind in each centre's catchment in the first year: shape (centres, kinds).

    Small centres differ more from the region's mix than large ones.
    """
    chance = area.stream("catchment")
    shares = np.array([kind.share for kind in KINDS])
    mix = shares * np.exp(chance.normal(0, 0.10, (len(area.center_ids), len(KINDS))))
    mix[:, -1] += 1 - mix.sum(axis=1)
    return np.asarray(area.population * area.shares[:, None] * mix)


_YEARLY = {"graduates": 0.015, "students": 0.01, "svo": 0.16, "disability": 0.005}


def population(area: Region, dates: Calendar) -> pd.DataFrame:
    """Table `population` of one region: the region's rows and each centre's catchment, by group and year."""
    base, member = catchment(area), membership()
    growth = np.array([max((_YEARLY.get(g, -0.002) for g in kind.groups), default=0.0) for kind in KINDS])
    frames = []
    for year in dates.years:
        kinds = np.round(base * np.exp(growth * (year - 2022))).astype(np.int64)
        counts = kinds @ member
        for center_id, row in (("", counts.sum(axis=0)), *zip(area.center_ids, counts, strict=True)):
            frames.append(
                pd.DataFrame(
                    {
                        "region_code": area.code,
                        "center_id": center_id or None,
                        "client_group": GROUPS,
                        "year": year,
                        "population": row,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)
