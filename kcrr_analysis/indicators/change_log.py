"""The change log of services and promotion materials: how many changes a period saw, and which."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.indicators.centres import centres
from kcrr_analysis.tables import Tables

OBJECTS = {"service": "Сервисы", "material": "Материалы продвижения", "": "Вид не указан"}


@dataclass(frozen=True)
class ChangeLog:
    """Changes recorded in one region from January to the reporting month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        rows: One row a kind of object: object (service, material, empty for none given), title, changes (January to
            the month), changes_year_ago (same months of the year before), with_reason (changes whose reason is given),
            last (date of the last change up to the month, NaT for none).
        entries: The changes of the period, the latest first: date, object, place (centre's name, empty for the
            region), description, reason.
        definition: What is counted, in Russian.
        interval: Always «сплошной учёт».
    """

    region_code: str
    month: pd.Period
    rows: pd.DataFrame
    entries: pd.DataFrame
    definition: str = "Изменения сервисов и материалов продвижения, записанные в журнале с января по отчётный месяц."
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """One row a kind of object, with region, period and interval."""
        period = f"{self.month.year}-01..{self.month}"
        return self.rows.assign(region_code=self.region_code, period=period, interval=self.interval)


def change_log(tables: Tables, region: str, month: str | pd.Period | None = None) -> ChangeLog:
    """Counts of changes since January, by kind of object.

    Args:
        tables: Data with the table `changes`.
        region: Region code.
        month: Reporting month (`2025-10`); that of the last change by default.

    Raises:
        MissingTableError: There is no table `changes`.
        NotComputableError: It has no row of the region.
    """
    table = tables.changes
    names = centres(tables, region)["center_name"] if "centers" in tables or "flow" in tables else pd.Series(dtype=str)
    own = table[(table["region_code"] == region) | table["center_id"].isin(names.index)].dropna(subset=["date"])
    if own.empty:
        raise NotComputableError(
            f"В журнале изменений (таблица changes) нет строк региона {region}. Внесите изменения с датой и описанием."
        )
    at = pd.Period(own["date"].max(), freq="M") if month is None else pd.Period(month, freq="M")
    frame = pd.DataFrame(
        {
            "date": own["date"],
            "month": own["date"].dt.to_period("M"),
            "object": own["object"].astype("string").fillna("").astype(str),
            "place": own["center_id"].map(names).astype("string").fillna("").astype(str),
            "description": own["description"].astype("string").fillna("").astype(str),
            "reason": own["reason"].astype("string").fillna("").astype(str),
        }
    )
    this_year = _of_year(frame, at)
    rows = []
    for code, title in OBJECTS.items():
        past = frame[(frame["object"] == code) & (frame["month"] <= at)]
        if not code and past.empty:
            continue
        current = this_year[this_year["object"] == code]
        rows.append(
            {
                "object": code,
                "title": title,
                "changes": len(current),
                "changes_year_ago": int((_of_year(frame, at - 12)["object"] == code).sum()),
                "with_reason": int((current["reason"] != "").sum()),
                "last": past["date"].max(),
            }
        )
    entries = this_year.sort_values("date", ascending=False, kind="stable").drop(columns="month")
    return ChangeLog(region_code=region, month=at, rows=pd.DataFrame(rows), entries=entries.reset_index(drop=True))


def _of_year(frame: pd.DataFrame, at: pd.Period) -> pd.DataFrame:
    own: pd.DataFrame = frame[(frame["month"].dt.year == at.year) & (frame["month"] <= at)]
    return own
