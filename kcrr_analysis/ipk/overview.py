"""The chapter on the index of one region: every cut of the same events, what drives it, and what it may be used for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kcrr_analysis import costs, disclosure
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.ipk import formats, selection, splits, units
from kcrr_analysis.ipk.bursts import Bursts, bursts
from kcrr_analysis.ipk.drivers import Drivers, drivers
from kcrr_analysis.ipk.scheme import Scheme
from kcrr_analysis.ipk.score import Score, assembled, prepare
from kcrr_analysis.ipk.units import Units
from kcrr_analysis.ipk.withheld import COUNTS, protect
from kcrr_analysis.methodology import load
from kcrr_analysis.tables import Tables

CUTS = {
    "centres": ("center_id",),
    "tools": ("tool_id",),
    "themes": ("theme",),
    "groups": ("client_group",),
    "months": ("month",),
    "chains": ("chain_id",),
}
"""Cuts of the chapter: name -> columns."""

LEADING = 10


@dataclass(frozen=True)
class Overview:
    """The index of one region over some months.

    Attributes:
        region_code: The region.
        first: First month of the window.
        month: Last month.
        centres: The index by centre, with sizes (population of the catchment, staff, area).
        tools: By format.
        themes: By theme.
        groups: By client group, with the group's population.
        months: By month, every month of the window (zero where there was no event).
        chains: By declared chain; events outside of chains are one row without code.
        leading: The events with the largest index: event_id, date, title (tool), centre, theme, participants, reviews,
            ipk, the three terms, `<column>_hidden`. Events that would give a hidden figure away are not among them.
        drivers: What the index is made of.
        formats: Formats by engagement within a client group (see `formats.engagement`), with titles.
        plan: What a rouble and an hour bring by format (see `formats.yields`), with titles.
        split_groups: Runs of events that are probably one.
        split_by_chance: How many pairs would look so by chance.
        attribution: What an attributed client is, in Russian, or empty where the log cannot tell.
        open_windows: Events whose window of attribution is not closed; they are in no attributed figure.
        unplaced_events: Events whose centre is not named.
        bursts: Whether events come as the random stream that the intervals assume.
    """

    region_code: str
    first: pd.Period
    month: pd.Period
    centres: Score
    tools: Score
    themes: Score
    groups: Score
    months: Score
    chains: Score
    leading: pd.DataFrame
    drivers: Drivers
    formats: pd.DataFrame
    plan: pd.DataFrame
    split_groups: int
    split_by_chance: float
    attribution: str
    open_windows: int
    unplaced_events: int
    bursts: Bursts

    @property
    def total(self) -> pd.Series:
        """The figures of all events together."""
        row: pd.Series = self.centres.total.iloc[0]
        return row

    def to_frame(self) -> pd.DataFrame:
        """All cuts, one row a unit: cut, code, title and the columns of `Score`."""
        parts = []
        for name, columns in CUTS.items():
            frame = getattr(self, name).to_frame().rename(columns={columns[0]: "code"})
            parts.append(frame.assign(cut=name, region_code=self.region_code).astype({"code": "string"}))
        joined: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return joined


def overview(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    scheme: Scheme | None = None,
    rates: costs.Rates | None = None,
    window_days: float = 90,
    level: float = 0.95,
    rank_by: str = "ipk",
    area: selection.Area = "floor_area_m2",
    missing_engagement: float | None = None,
    rule: Rule | None = None,
) -> Overview:
    """The index of a region by centre, format, theme, client group, month, chain and event.

    Args:
        tables: Data with the table `events`; `centers`, `center_months`, `population`, `actions` add what they know.
        region: Region code.
        month: Last month of the window (`2025-10`); the last one of the data by default.
        months: Length of the window.
        scheme: Values of the formula; the dictionaries' (with the region's own) by default.
        rates: Hour rate and overhead; by default hours cost nothing, and the report says so.
        window_days: Window of first-touch attribution.
        level: Confidence level.
        rank_by: What centres are ranked by: `ipk`, `per_1000_people`, `per_employee`, `per_m2`.
        area: Which area m2 means.
        missing_engagement: Coefficient for events that have none; None leaves them out.
        rule: Disclosure rule; None withholds nothing.

    Raises:
        MissingTableError: There is no table `events`.
        NotComputableError: No event in the window, or none that can be scored.
        ParameterError: A parameter cannot be used.
    """
    book = load(tables.folder)
    scheme = scheme or Scheme.recommended(book.index)
    rates = rates or costs.UNKNOWN
    placed = selection.placed(tables)
    events, at = selection.window(placed[placed["region_code"] == region], tables, month, months)
    clients, definition, open_windows = selection.attributed(tables, events, window_days, level)
    found = prepare(
        events, scheme, rates=rates, clients=clients, missing_engagement=missing_engagement, dictionary=book
    )
    scored, least = selection.scored(found, region), book.index.min_events_for_interval

    def cut(by: tuple[str, ...]) -> Units:  # the same events every time
        return units.summed(scored, by, level=level, least=least)

    sizes = {
        "centres": selection.sizes(tables, at, months, "center_id", area),
        "groups": selection.sizes(_of_region(tables, region), at, months, "client_group", area),
    }
    made = {}
    for name, by in CUTS.items():
        exposed = units.exposed(cut(by), sizes.get(name))
        made[name] = units.ranked(exposed, rank_by if name == "centres" else "ipk", level)
    whole = _whole(cut(()), selection.sizes(_of_region(tables, region), at, months, "region_code", area), region)
    cells = cut(("client_group", "tool_id"))
    made["cells"] = formats.participants_only(cells)
    kept = protect(whole.rows, made, rule)
    titles = selection.names(tables, book)
    scores = {
        name: assembled(
            replace(kept[name], rows=selection.titled(kept[name].rows, by, titles)),
            kept[""].rows,
            found,
            scheme=scheme,
            level=level,
            measure=rank_by if name == "centres" else "ipk",
            rates=rates,
            dictionary=book,
        )
        for name, by in CUTS.items()
    }
    scores["months"] = _every_month(scores["months"], at, months)
    cell_rows = formats.engagement(scored, kept["cells"], level=level, least=least)
    plan = formats.yields(scored, kept["tools"], level=level, least=least)
    return Overview(
        region_code=region,
        first=at - months + 1,
        month=at,
        **scores,
        leading=_leading(scored, kept, titles, rule),
        drivers=drivers(scored, kept["centres"].rows),
        formats=cell_rows.assign(
            title=selection.titled(cell_rows, ("tool_id",), titles)["title"],
            group_title=selection.titled(cell_rows, ("client_group",), titles)["title"],
        ),
        plan=selection.titled(plan, ("tool_id",), titles),
        split_groups=int(scored["split"].nunique()),
        split_by_chance=splits.by_chance(scored, days=scheme.split_days),
        attribution=definition,
        open_windows=open_windows,
        unplaced_events=int(scored["center_id"].isna().sum()),
        bursts=bursts(scored, pd.period_range(at - months + 1, at, freq="M")),
    )


def _of_region(tables: Tables, region: str) -> Tables:
    people = tables.get("population")
    return tables if people is None else tables.replace(population=people[people["region_code"] == region])


def _whole(found: Units, sizes: pd.DataFrame | None, region: str) -> Units:
    own = None if sizes is None else sizes[sizes["region_code"] == region].drop(columns="region_code")
    return units.exposed(found, own if own is not None and len(own) else None)


def _every_month(score: Score, at: pd.Period, months: int) -> Score:
    """Months without an event have an index of zero: nothing was recorded."""
    span = pd.DataFrame({"month": pd.period_range(at - months + 1, at, freq="M")})
    rows = span.merge(score.rows, on="month", how="left")
    idle = rows["events"].isna()
    sums = ["events", "ipk", "events_term", "participants_term", "reviews_term", "participants", "reviews", "jumps"]
    rows.loc[idle, sums] = 0
    rows.loc[idle, "reason"] = "мероприятий не было"
    marks = [str(name) for name in rows if str(name).endswith("_hidden")]
    rows[marks] = rows[marks].eq(True)
    rows["title"] = [str(month) for month in rows["month"]]
    return replace(score, rows=rows.astype({"events": int, "jumps": int}))


def _leading(
    events: pd.DataFrame, kept: dict[str, Units], titles: dict[str, dict[str, str]], rule: Rule | None
) -> pd.DataFrame:
    """Events with the largest index that give nothing away: neither their own small counts nor a unit's remainder."""
    columns = ["event_id", "date", "center_id", "tool_id", "theme", "participants", "reviews", "ipk"]
    rows = events.reindex(columns=[*columns, "events_term", "participants_term", "reviews_term"])
    rows = rows.assign(place=np.arange(len(rows))).sort_values(
        ["ipk", "event_id"], ascending=[False, True], kind="stable"
    )
    cuts = [cut for name, cut in kept.items() if name]
    if rule is not None and rule.public:
        rows = rows[~rule.small(rows["participants"]) & ~rule.small(rows["reviews"])]
        for cut in cuts:
            gone = (cut.rows["participants_hidden"] | cut.rows["reviews_hidden"]).to_numpy(dtype=bool)
            rows = rows[~gone[cut.unit[rows["place"].to_numpy()]]]
    rows = rows.head(LEADING)
    if rule is not None and rule.public:
        rows = _without_small_remainders(rows, cuts, rule)
    small = {name: tuple(set(COUNTS[name]) & set(rows)) for name in ("participants", "reviews")}
    rows = disclosure.withhold(rows.drop(columns="place").reset_index(drop=True), small, [], rule)
    rows["centre"] = selection.titled(rows, ("center_id",), titles)["title"]
    return selection.titled(rows, ("tool_id",), titles)


def _without_small_remainders(rows: pd.DataFrame, cuts: list[Units], rule: Rule) -> pd.DataFrame:
    """Leaves out events of a unit whose other events together are a small count."""
    while True:
        unsafe = np.zeros(len(rows), dtype=bool)
        for cut in cuts:
            unit = cut.unit[rows["place"].to_numpy()]
            for count in ("participants", "reviews"):
                shown = np.bincount(unit, weights=rows[count].to_numpy(float), minlength=len(cut.rows))
                rest = pd.Series(np.nan_to_num(cut.rows[count].to_numpy(float)) - shown)
                unsafe |= rule.small(rest).to_numpy()[unit] if len(unit) else False
        if not unsafe.any():
            return rows
        rows = rows[~unsafe]
