"""New clients of a region by what first reached them, and per employee of the front office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kcrr_analysis import attribution as attributing
from kcrr_analysis import disclosure
from kcrr_analysis.attribution import AttractionPerEmployee, Attribution
from kcrr_analysis.attribution.credit import WINDOW_DAYS, Model
from kcrr_analysis.attribution.employees import FRONT_OFFICE
from kcrr_analysis.disclosure import Rule, Tie
from kcrr_analysis.funnel.first_touch import first_touches
from kcrr_analysis.funnel.promotion import names_of, period_of
from kcrr_analysis.tables import Tables

CHANNELS = {
    "office": "В центре",
    "phone": "Телефон",
    "offsite": "Выезд",
    "messenger": "Мессенджер",
    "social": "Социальные сети",
    "event": "Мероприятие",
    "site": "Сайт",
}
"""Russian names of channels; another code stays as it is."""

_DERIVED = {
    "persons": ("conversion", "low", "high"),
    "clients": ("conversion", "low", "high", "median_days"),
}


@dataclass(frozen=True)
class Attraction:
    """New clients of one region in a period, by what touched them.

    Attributes:
        region_code: The region.
        first: First month of the touches.
        month: Last month of the touches.
        by: Columns of the touch that make the rows.
        model: first, last or linear.
        window_days: Days after the touch within which a conversion counts.
        level: Confidence level.
        immature: Persons whose window is not closed and who are in no row; NaN where withheld.
        rows: One row a level of `by`, then one with `total` set: the `by` columns; title (Russian); total; persons
            (touched, window closed), clients (those converted; fractional under linear), conversion (%), low, high,
            median_days (from touch to conversion), small (few persons), `_hidden` beside what disclosure control
            decides on.
        interval: What the interval is, in Russian.
        definition: Model, window and actions, in Russian.
    """

    region_code: str
    first: pd.Period
    month: pd.Period
    by: tuple[str, ...]
    model: str
    window_days: float
    level: float
    immature: float
    rows: pd.DataFrame
    interval: str
    definition: str

    def to_frame(self) -> pd.DataFrame:
        """One row a level and a total row, with period, definition and interval."""
        return self.rows.assign(
            region_code=self.region_code,
            period=f"{self.first}..{self.month}",
            unit="%",
            level=self.level,
            interval=self.interval,
            definition=self.definition,
        )


def attraction(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    by: str | Sequence[str] = ("channel",),
    months: int = 12,
    model: Model = "first",
    window_days: float = WINDOW_DAYS,
    conversions: Sequence[str] = ("service",),
    level: float = 0.95,
    rule: Rule | None = None,
) -> Attraction:
    """New clients by what touched them over the months up to the reporting month; see `attribution.attribute`.

    Args:
        tables: Data with the table `actions`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one in the log by default.
        by: Columns of the touch: channel, campaign, partner_id, client_group, center_id, tool_id, month ...
        months: Length of the period.
        model: first, last or linear.
        window_days: Window, days.
        conversions: Kinds of action that make a client.
        level: Confidence level.
        rule: Disclosure rule. Under first touch, the cuts of `first_touch.CUTS` and `by` are decided on together; a
            report that shows several other cuts beside each other should take one call with all their columns.

    Raises:
        MissingTableError: There is no table `actions`.
        NotComputableError: The region's log has no touch.
        ParameterError: An argument cannot be used.
    """
    log = tables.actions
    log = log[log["region_code"] == region]
    columns = (by,) if isinstance(by, str) else tuple(by)
    period = period_of(log["time"].dt.tz_localize(None).dt.to_period("M"), month, months)
    hidden: pd.DataFrame | None = None
    if model == "first":
        touched = first_touches(
            log, columns, period, window_days=window_days, conversions=conversions, level=level, rule=rule
        )
        found, hidden = touched.attribution, touched.hidden
    else:
        found = attributing.attribute(
            log,
            columns,
            model=model,
            window_days=window_days,
            conversions=conversions,
            since=period[0].to_timestamp(),
            until=(period[1] + 1).to_timestamp(),
            level=level,
        )
    rows = _published(found, _titles(found.rows, columns, {"channel": CHANNELS} | dict(names_of(tables))))
    immature = float(found.total["immature"].sum())
    few = rule is not None and rule.public and bool(rule.small(pd.Series([immature]))[0])
    return Attraction(
        region_code=region,
        first=period[0],
        month=period[1],
        by=columns,
        model=found.model,
        window_days=window_days,
        level=level,
        immature=np.nan if few else immature,
        rows=_withheld(rows, hidden, rule),
        interval=found.interval,
        definition=found.definition,
    )


def attraction_per_employee(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    channels: Sequence[str] = FRONT_OFFICE,
    window_days: float = WINDOW_DAYS,
    level: float = 0.95,
    rule: Rule | None = None,
) -> AttractionPerEmployee:
    """Clients of each centre's front office per post; see `attribution.per_employee`.

    Args:
        tables: Data with the tables `actions` and `center_months`.
        region: Region code.
        month: The period ends no later than this month, and with a month whose windows are all closed.
        months: Length of the period.
        channels: Channels that are the front office.
        window_days: Window, days.
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        MissingTableError: `actions` or `center_months` is absent.
        NotComputableError: No touch or post is recorded in the closed months.
        ParameterError: An argument cannot be used.
    """
    log = tables.actions
    log = log[log["region_code"] == region]
    own = set(log["center_id"].dropna())
    centers = tables.get("centers")
    if centers is not None:
        own |= set(centers.loc[centers["region_code"] == region, "center_id"])
    posts = tables.center_months
    found = attributing.per_employee(
        log,
        posts[posts["center_id"].isin(own)],
        channels=channels,
        window_days=window_days,
        months=months,
        month=month,
        level=level,
    )
    named = names_of(tables).get("center_id", {})
    rows = found.rows.assign(title=[named.get(str(code), str(code)) for code in found.rows["center_id"]])
    frame = pd.concat([rows, found.total.assign(title="Всего")], ignore_index=True)
    total = pd.Series(frame.index == len(frame) - 1, index=frame.index)
    rated = (frame["staff_fte"] > 0) & ~total
    ties = () if rule is None else (Tie(by=(), total=total, parts=rated),)
    derived = {"touched": (), "clients": ("per_employee", "low", "high", "p_adjusted", "differs")}
    shown = disclosure.withhold(frame, derived, ties, rule)
    return replace(found, rows=shown[~total], total=shown[total].drop(columns="center_id").reset_index(drop=True))


def _published(found: Attribution, titles: list[str]) -> pd.DataFrame:
    """Levels and the total, with the counts that a share rests on."""
    parts = [found.rows.assign(title=titles, total=False)] if found.by else []
    rows = pd.concat([*parts, found.total.assign(title="Всего", total=True)], ignore_index=True)
    rows = rows.drop(columns=["persons", "clients", "already_clients", "immature"])
    rows = rows.rename(columns={"matured": "persons", "matured_clients": "clients"})
    return rows[[*found.by, "title", "total", *rows.columns.difference([*found.by, "title", "total"], sort=False)]]


def _withheld(rows: pd.DataFrame, hidden: pd.DataFrame | None, rule: Rule | None) -> pd.DataFrame:
    if rule is None or hidden is None:
        ties = () if rule is None else (Tie(by=(), total=rows["total"]),)
        return disclosure.withhold(rows, _DERIVED, ties, rule)
    shown = rows
    for name, derived in _DERIVED.items():
        shown = disclosure.hide(shown, hidden[name], [name, *derived], rule)
    return shown


def _titles(rows: pd.DataFrame, by: tuple[str, ...], names: dict[str, Mapping[str, str]]) -> list[str]:
    parts = [
        ["не указано" if pd.isna(code) else names.get(name, {}).get(str(code), str(code)) for code in rows[name]]
        for name in by
    ]
    return [" · ".join(words) for words in zip(*parts, strict=True)]
