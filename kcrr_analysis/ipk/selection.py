"""The events of a chapter and what stands beside them: window of months, names, sizes of units, attributed clients."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from kcrr_analysis import attribution
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.ipk.terms import EventTerms
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.tables import ALL, Tables

Area = Literal["floor_area_m2", "client_area_m2"]


def placed(tables: Tables) -> pd.DataFrame:
    """All events with the region of their own or of their centre, and the month."""
    events = tables["events"]
    region = events["region_code"].astype("string")
    centers = tables.get("centers")
    if centers is not None and "center_id" in events:
        known = centers.drop_duplicates("center_id").set_index("center_id")["region_code"]
        region = region.fillna(events["center_id"].map(known).astype("string"))
    return events.assign(region_code=region, month=events["date"].dt.to_period("M"))


def window(
    events: pd.DataFrame, tables: Tables, month: str | pd.Period | None, months: int
) -> tuple[pd.DataFrame, pd.Period]:
    """Events of the `months` months up to `month`, and that month.

    Args:
        events: Events with their month.
        tables: Where the last month is looked up when none is given.
        month: Last month; the last one of the data by default.
        months: Length of the window.

    Raises:
        ParameterError: `months` is not 1 or more.
        NotComputableError: No event in the window.
    """
    if isinstance(months, bool) or not isinstance(months, int) or months < 1:
        raise ParameterError(f"ИПК: months = «{months}». Ожидается целое число месяцев, 1 или больше.")
    if events.empty:
        raise NotComputableError("В таблице events нет мероприятий. Добавьте их, чтобы рассчитать ИПК.")
    span = tables.months
    at = pd.Period(month, freq="M") if month is not None else (span[1] if span else events["month"].max())
    inside = events[(events["month"] > at - months) & (events["month"] <= at)]
    if inside.empty:
        raise NotComputableError(
            f"За месяцы с {at - months + 1} по {at} в таблице events нет мероприятий. Последнее — "
            f"{events['date'].max():%d.%m.%Y}. Проверьте параметр month или дополните данные."
        )
    return inside.reset_index(drop=True), at


def names(tables: Tables, dictionary: Methodology) -> dict[str, dict[str, str]]:
    """Column of the cut -> code -> Russian name."""
    found = {
        "tool_id": {code: tool.title for code, tool in dictionary.tools.items()},
        "client_group": {code: group.title for code, group in dictionary.groups.items()},
        "region_code": dict(tables.regions),
        "center_id": {},
    }
    centers = tables.get("centers")
    if centers is not None:
        rows = centers.dropna(subset=["center_name"]).drop_duplicates("center_id")
        found["center_id"] = dict(zip(rows["center_id"].astype(str), rows["center_name"].astype(str), strict=True))
    return found


def titled(rows: pd.DataFrame, by: tuple[str, ...], titles: dict[str, dict[str, str]]) -> pd.DataFrame:
    """The rows with a column `title`: names of the codes of the cut, «не указано» where there is no code."""
    nothing = "вне цепочек" if by == ("chain_id",) else "не указано"
    parts = [
        [nothing if pd.isna(code) else titles.get(column, {}).get(str(code), str(code)) for code in rows[column]]
        for column in by
    ]
    return rows.assign(title=[" · ".join(words) for words in zip(*parts, strict=True)])


def sizes(tables: Tables, at: pd.Period, months: int, column: str, area: Area) -> pd.DataFrame | None:
    """Fixed sizes of centres or regions: mean staff and area over the window, population of the latest year.

    Args:
        tables: Data, perhaps with center_months and population.
        at: Last month.
        months: Length of the window.
        column: `center_id`, `region_code` or `client_group` (population alone).
        area: Which area counts.

    Returns:
        `column`, population, staff_fte, floor_area_m2 (whichever area was chosen); None where nothing is known.
    """
    parts = []
    monthly = tables.get("center_months")
    if monthly is not None and column != "client_group":
        inside = monthly[(monthly["month"] > at - months) & (monthly["month"] <= at)]
        mean = inside.groupby("center_id")[["staff_fte", area]].mean().rename(columns={area: "floor_area_m2"})
        if column == "region_code":
            centers = tables.get("centers")
            if centers is None:
                mean = mean.iloc[:0]
            else:
                of = centers.drop_duplicates("center_id").set_index("center_id")["region_code"]
                mean = mean.groupby(of.reindex(mean.index)).sum(min_count=1)
        parts.append(mean.rename_axis(column))
    people = tables.get("population")
    if people is not None:
        parts.append(_population(people, at.year, column))
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    return pd.concat(parts, axis=1).rename_axis(column).reset_index().astype({column: "string"})


def _population(people: pd.DataFrame, year: int, column: str) -> pd.DataFrame:
    own = people["center_id"].notna() if "center_id" in people else pd.Series(False, index=people.index)
    rows = people[(own if column == "center_id" else ~own) & (people["year"] <= year)]
    if column != "client_group":
        rows = rows[rows["client_group"] == ALL]
    latest = rows.sort_values("year", kind="stable").drop_duplicates(column, keep="last")
    return latest.set_index(column)[["population"]].astype(float)


def attributed(
    tables: Tables, events: pd.DataFrame, window_days: float, level: float
) -> tuple[pd.DataFrame | None, str, int]:
    """Clients attributed to each event whose window is closed: persons, clients; the definition; events not yet closed.

    Persons are those whose window is closed. A format none of whose events ever appears in the log is not known,
    and not zero.

    Args:
        tables: Data, perhaps with actions.
        events: Events of the window.
        window_days: Days after the first touch within which a person counts as converted.
        level: Confidence level.

    Returns:
        None, "" and 0 where the log cannot tell.
    """
    actions = tables.get("actions")
    if actions is None or "event_id" not in actions or actions["event_id"].isna().all():
        return None, "", 0
    found = attribution.attribute(actions, "event_id", window_days=window_days, level=level)
    rows = found.rows[found.rows["event_id"].notna()]
    table = events[["event_id", "tool_id", "date"]].merge(
        rows[["event_id", "matured", "matured_clients"]].astype({"event_id": "string"}), on="event_id", how="left"
    )
    logged = set(actions.loc[actions["event_id"].notna(), "tool_id"].dropna())
    end = found.as_of.tz_localize(None) if found.as_of.tzinfo else found.as_of
    closed = table["date"] + pd.Timedelta(days=window_days + 1) <= end
    known = closed & table["tool_id"].isin(logged)
    values = table[["matured", "matured_clients"]].astype(float).fillna(0).where(known, np.nan)
    clients = pd.DataFrame(
        {"event_id": table["event_id"], "persons": values["matured"], "clients": values["matured_clients"]}
    )
    open_yet = int((~closed & table["tool_id"].isin(logged)).sum())
    return clients.dropna(subset=["event_id"]), found.definition, open_yet


def scored(found: EventTerms, region: str = "") -> pd.DataFrame:
    """The events that can be scored.

    Raises:
        NotComputableError: None can; the message says why.
    """
    if len(found.rows):
        return found.rows
    reasons = "; ".join(f"{why} — {count}" for why, count in found.left_out.items())
    where = f" региона {region}" if region else ""
    raise NotComputableError(
        f"ИПК не вычисляется: ни одно мероприятие{where} за период не годится ({reasons}). Дополните таблицу events."
    )
