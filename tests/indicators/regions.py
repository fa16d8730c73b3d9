"""Small regions for the tests: rows of `flow`, `centers`, `center_months`, `population` and `plan` written by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kcrr_analysis.indicators.contradictions import COUNTS
from kcrr_analysis.tables import Tables

MONTHS = tuple(str(month) for month in pd.period_range("2022-11", "2025-10", freq="M"))
Values = Mapping[str, float | None]


def months(values: object, last: str = "2025-10") -> dict[str, float]:
    """Values by month, ending with `last`."""
    known = list(values)  # type: ignore[call-overload]
    return dict(zip(map(str, pd.period_range(end=last, periods=len(known), freq="M")), known, strict=True))


def level(value: float, **changed: float | None) -> dict[str, float | None]:
    """36 months of one value up to October 2025; `m2025_10=5` changes that month."""
    return dict.fromkeys(MONTHS, value) | {name[1:].replace("_", "-"): other for name, other in changed.items()}


def rows(*, group: str = "all", period: str = "month", center: str | None = None, **columns: Values) -> pd.DataFrame:
    """Rows of `flow` of region 01, or of one of its centres: column -> month -> count."""
    frame = pd.DataFrame({name: pd.Series(dict(values), dtype="Float64") for name, values in columns.items()})
    frame = frame.rename_axis("month").reset_index()
    for column in COUNTS:
        values = frame[column] if column in frame else pd.Series([pd.NA] * len(frame))
        frame[column] = values.astype("Int64")
    return frame.assign(
        month=pd.PeriodIndex(frame["month"], freq="M"),
        period=period,
        scope="center" if center else "region",
        center_id=pd.array([center or pd.NA] * len(frame), dtype="string"),
        region_code=pd.array(["01"] * len(frame), dtype="string"),
        client_group=group,
    )


def centers(*ids: str, modernised: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The centres of region 01, named «Центр a»."""
    since = [(modernised or {}).get(name) for name in ids]
    return pd.DataFrame(
        {
            "center_id": list(ids),
            "center_name": [f"Центр {name}" for name in ids],
            "region_code": "01",
            "region_name": "Область",
            "modernised_from": pd.to_datetime(pd.Series(since, dtype=object)),
        }
    )


def premises(center: str, at: object = MONTHS, **columns: float | None) -> pd.DataFrame:
    """Rows of `center_months` of one centre, the same in every month."""
    names = ("floor_area_m2", "client_area_m2", "staff_fte", "capacity_visits_day", "open_days")
    which = list(at)  # type: ignore[call-overload]
    frame = pd.DataFrame({"month": pd.PeriodIndex(which, freq="M"), "center_id": center})
    for name in names:
        frame[name] = pd.array([columns.get(name, pd.NA)] * len(frame), dtype="Float64")
    return frame


def population(**groups: Mapping[int, int]) -> pd.DataFrame:
    """Rows of `population` of region 01: group -> year -> persons."""
    found = [(group, year, size) for group, years in groups.items() for year, size in years.items()]
    frame = pd.DataFrame(found, columns=["client_group", "year", "population"])
    return frame.assign(region_code="01", center_id=pd.array([pd.NA] * len(frame), dtype="string"))


def plans(center: str, services: Values, clients: Values | None = None, group: str = "all") -> pd.DataFrame:
    """Rows of `plan` of one centre."""
    frame = pd.DataFrame({"planned_services": pd.Series(dict(services)), "planned_clients": pd.Series(clients or {})})
    frame = frame.astype("Float64").astype("Int64").rename_axis("month").reset_index()
    return frame.assign(month=pd.PeriodIndex(frame["month"], freq="M"), center_id=center, client_group=group)


def tables(**frames: pd.DataFrame | list[pd.DataFrame]) -> Tables:
    """A table set in memory; a list of frames is put one under another."""
    whole = {
        name: pd.concat(frame, ignore_index=True) if isinstance(frame, list) else frame
        for name, frame in frames.items()
    }
    return Tables(whole)
