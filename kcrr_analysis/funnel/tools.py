"""Every tool of attention and attraction (checklist 44-65): reach, occasions, participants, cost, clients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from kcrr_analysis import costs, methodology, stats
from kcrr_analysis.attribution.credit import WINDOW_DAYS
from kcrr_analysis.costs import Rates
from kcrr_analysis.disclosure import Rule, Tie, hide, withhold
from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.funnel.first_touch import FirstTouches, first_touches
from kcrr_analysis.funnel.promotion import period_of
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.tables import Tables

STAGES = ("1", "2")
"""Attention and attraction."""

MIN_COMPARED = 10
"""With fewer matured persons of a tool (or of the rest) its conversion is compared with nothing."""

NO_RECORD = "в данных нет записей"
NO_TOUCH = "касаний в журнале нет"
NO_COST = "расходы не записаны"
NOT_STATED = "Инструмент не указан"

COMPARED = ("difference", "difference_low", "difference_high", "p_adjusted", "differs")
_CONVERSION = ("conversion", "low", "high")
_COST = ("cost_per_client", "cost_per_client_low", "cost_per_client_high")
_RECORDED = ("events", "placements", "participants", "reach", "impressions")


@dataclass(frozen=True)
class Tools:
    """Tools of stages 1 and 2 in one region and period.

    Attributes:
        region_code: The region.
        first: First month of the period.
        month: Last month of the period.
        level: Confidence level; 1 - level is the error budget of all comparisons together.
        window_days: Window of attribution, days.
        as_of: The moment up to which the log is known, None without a log.
        closed: Last moment whose window is closed; None without a log. Conversion and cost per client speak of
            occasions and first touches up to it.
        immature: Persons first touched later than that; NaN where withheld.
        rows: One row a tool of the library, then codes that it does not know, last `total`: tool_id, title, stage;
            total; events, placements, participants (attendances), reach, impressions; cost, internal_cost (roubles, NaN
            where not recorded); persons (first touched by the tool in the period, window closed), clients (those
            converted), conversion (%), low, high; closed_cost (of occasions up to `closed`), cost_per_client,
            cost_per_client_low, cost_per_client_high (roubles; in the total only where costs of all touching tools are
            recorded); difference, difference_low, difference_high (percentage points against the persons of all other
            tools), p_adjusted (Holm), differs (1, -1, 0; NaN not compared); reason (what is missing and why, or empty);
            `_hidden` beside what disclosure control decides on.
        compared: Number of comparisons in the error budget.
        cost_definition: What is in the cost, in Russian.
        cost_gaps: What the costs lack, in Russian.
        attribution: Who counts as a client, in Russian.
        interval: What the intervals are, in Russian.
    """

    region_code: str
    first: pd.Period
    month: pd.Period
    level: float
    window_days: float
    as_of: pd.Timestamp | None
    closed: pd.Timestamp | None
    immature: float
    rows: pd.DataFrame
    compared: int
    cost_definition: str
    cost_gaps: tuple[str, ...]
    attribution: str
    interval: str = (
        "Конверсия — интервал Уилсона; стоимость клиента — точный пуассоновский интервал числа клиентов при записанных "
        "расходах. Люди считаются независимыми; если они приходят группами, интервалы на деле шире."
    )

    def to_frame(self) -> pd.DataFrame:
        """One row a tool and a total row, with period, definition and interval beside the figures."""
        return self.rows.assign(
            region_code=self.region_code,
            period=f"{self.first}..{self.month}",
            level=self.level,
            interval=self.interval,
            definition=f"{self.attribution} {self.cost_definition}".strip(),
        )


def tools(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    rates: Rates | None = None,
    window_days: float = WINDOW_DAYS,
    level: float = 0.95,
    rule: Rule | None = None,
) -> Tools:
    """What each tool of stages 1 and 2 reached, cost and brought, over the months up to the reporting month.

    Args:
        tables: Data with any of the tables `events`, `promotion`, `actions`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one on record by default.
        months: Length of the period.
        rates: Rate of an hour and overhead; without them the cost is external and direct spend.
        window_days: Window of attribution, days (first touch).
        level: Confidence level.
        rule: Disclosure rule.

    Raises:
        NotComputableError: None of the tables has a record of the region in the period.
        ParameterError: `months` or `window_days` cannot be used.
    """
    rates = costs.UNKNOWN if rates is None else rates
    sources = {name: _own(tables, name, region) for name in ("events", "promotion", "actions")}
    dates = {"events": "date", "promotion": "period_start", "actions": "time"}
    known = {name: _months(frame[dates[name]]) for name, frame in sources.items()}
    first, last = period_of(_joined([*known.values()]), month, months)
    held, placed = (sources[name][(known[name] >= first) & (known[name] <= last)] for name in ("events", "promotion"))
    touches = _attributed(sources["actions"], (first, last), window_days, level, rule)
    found = None if touches is None else touches.attribution
    as_of = None if found is None else found.as_of
    if held.empty and placed.empty and (found is None or not found.total["persons"].sum()):
        raise NotComputableError(
            f"В таблицах events, promotion и actions нет записей региона {region} с {first} по {last}. Дополните их "
            "или измените параметры month и months."
        )
    closed = None if as_of is None else (as_of - pd.Timedelta(days=window_days)).tz_localize(None)
    recorded = _recorded(held, placed, rates, closed)
    touched = None if found is None else found.rows.set_index("tool_id")[["matured", "matured_clients"]]
    rows = _rows(recorded, touched, methodology.load(tables.folder))
    rows = _judged(rows, level)
    immature = float(found.total["immature"].iloc[0]) if found is not None and len(found.total) else 0.0
    compared = int(rows["p_adjusted"].notna().sum())
    shown = _withheld(rows, touches, rule)
    small = rule is not None and bool(rule.small(pd.Series([immature]))[0])
    return Tools(
        region_code=region,
        first=first,
        month=last,
        level=level,
        window_days=window_days,
        as_of=as_of,
        closed=closed,
        immature=np.nan if small and rule is not None and rule.public else immature,
        rows=shown,
        compared=compared,
        cost_definition=rates.definition,
        cost_gaps=_gaps(held, placed, rates),
        attribution="" if found is None else found.definition,
    )


def _own(tables: Tables, name: str, region: str) -> pd.DataFrame:
    """The region's rows of a table, none where the table is absent."""
    frame = tables.get(name)
    if frame is None:
        return pd.DataFrame(
            columns=["region_code", "tool_id", "date", "period_start", "time", *costs.PARTS], dtype=object
        )
    return frame[frame["region_code"] == region]


def _months(times: pd.Series) -> pd.Series:
    moments = pd.to_datetime(times)
    if moments.dt.tz is not None:
        moments = moments.dt.tz_localize(None)
    return moments.dt.to_period("M")


def _joined(months: list[pd.Series]) -> pd.Series:
    known = [part for part in months if len(part)]
    return pd.concat(known) if known else months[0]


def _gaps(held: pd.DataFrame, placed: pd.DataFrame, rates: Rates) -> tuple[str, ...]:
    """What the costs of events and of placements lack."""
    said = (
        f"{name}: {text[:1].lower()}{text[1:]}"
        for name, frame in (("Мероприятия", held), ("Размещения", placed))
        if len(frame)
        for text in costs.gaps(frame, rates)
    )
    return tuple(said)


def _attributed(
    actions: pd.DataFrame, period: tuple[pd.Period, pd.Period], window_days: float, level: float, rule: Rule | None
) -> FirstTouches | None:
    """Clients by tool of the first touch in the period; None where the log has no touch."""
    if actions.empty:
        return None
    try:
        return first_touches(actions, ("tool_id",), period, window_days=window_days, level=level, rule=rule)
    except NotComputableError:  # no touch at all: the tools' rows say so
        return None


def _withheld(rows: pd.DataFrame, touches: FirstTouches | None, rule: Rule | None) -> pd.DataFrame:
    """Attendances and reach decided on here, persons and clients with the other cuts of the same persons."""
    ties = () if rule is None else (Tie(by=(), total=rows["total"]),)
    shown = withhold(rows, {"participants": (), "reach": ()}, ties, rule)
    derived = {"persons": (*_CONVERSION, *COMPARED), "clients": (*_CONVERSION, *COMPARED, *_COST)}
    if touches is None or rule is None:
        return withhold(shown, derived, (), None)
    codes = touches.attribution.rows["tool_id"].astype("string").fillna("")
    own = rows["tool_id"].astype("string").fillna("")
    for name, columns in derived.items():
        marks = touches.hidden[name].to_numpy(bool)
        flagged = set(codes[marks[:-1]])
        flags = own.isin(flagged) & ~rows["total"] | (rows["total"] & bool(marks[-1]))
        shown = hide(shown, flags, [name, *columns], rule)
    return shown


def _recorded(held: pd.DataFrame, placed: pd.DataFrame, rates: Rates, closed: pd.Timestamp | None) -> pd.DataFrame:
    """Sums of events and placements by tool; a count that no row records is missing."""
    parts = []
    for frame, day, counts in (
        (held, "date", {"participants": "participants", "reach": "reach"}),
        (placed, "period_start", {"impressions": "impressions"}),
    ):
        if frame.empty:
            continue
        cost = costs.contact_cost(frame, rates)
        early = pd.to_datetime(frame[day]) <= closed if closed is not None else pd.Series(True, index=frame.index)
        taken = pd.DataFrame(
            {
                "tool_id": frame["tool_id"].astype("string"),
                "events" if day == "date" else "placements": 1.0,
                "cost": cost,
                "internal_cost": costs.internal_cost(frame, rates),
                "closed_cost": cost.where(early),
            }
        )
        for name, column in counts.items():
            if column in frame:
                taken[name] = frame[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        parts.append(taken)
    if not parts:
        return pd.DataFrame(index=pd.Index([], dtype="string", name="tool_id"))
    return pd.concat(parts, ignore_index=True).groupby("tool_id", dropna=False).sum(min_count=1)


def _rows(recorded: pd.DataFrame, touched: pd.DataFrame | None, dictionaries: Methodology) -> pd.DataFrame:
    """One row a tool of the stages, unknown codes after them, last the total."""
    library = dictionaries.tools
    asked = [code for code, tool in library.items() if tool.stage in STAGES]
    seen = [*recorded.index, *([] if touched is None else touched.index)]
    strange = list(dict.fromkeys(code for code in seen if pd.notna(code) and code not in library))
    codes: list[object] = [*asked, *strange]
    rows = recorded.reindex(pd.Index(codes, dtype="string"))
    nameless = recorded[recorded.index.isna()]
    rows = pd.concat([rows, nameless]) if len(nameless) else rows
    if touched is not None:
        people = touched.rename(columns={"matured": "persons", "matured_clients": "clients"})
        people.index = people.index.astype("string")
        if people.index.hasnans and not rows.index.hasnans:
            rows = pd.concat([rows, rows.iloc[:0].reindex(pd.Index([pd.NA], dtype="string"))])
        rows = rows.join(people)
    rows = rows.reindex(columns=[*_RECORDED, "cost", "internal_cost", "closed_cost", "persons", "clients"])
    total = rows.sum(min_count=1).to_frame().T.set_axis(pd.Index([pd.NA], dtype="string"))
    rows = pd.concat([rows, total])
    rows = rows.rename_axis("tool_id").reset_index()
    rows["total"] = rows.index == len(rows) - 1
    rows.loc[:, ["events", "placements"]] = rows[["events", "placements"]].fillna(0)
    if touched is not None:
        rows.loc[:, ["persons", "clients"]] = rows[["persons", "clients"]].fillna(0)
    known = [library.get(str(code)) if pd.notna(code) else None for code in rows["tool_id"]]
    titles = [
        tool.title if tool else NOT_STATED if pd.isna(code) else str(code)
        for tool, code in zip(known, rows["tool_id"], strict=True)
    ]
    rows.insert(1, "title", [*titles[:-1], "Всего"])
    rows.insert(2, "stage", [tool.stage if tool else "" for tool in known])
    return rows


def _judged(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Conversion, cost per client and the comparison of each tool with all others."""
    share = stats.wilson(rows["clients"], rows["persons"], level=level)
    untouched = rows["persons"].fillna(0).eq(0)
    spent = rows["closed_cost"].where((rows["closed_cost"] > 0) & ~untouched)
    if (rows["closed_cost"].isna() != untouched)[~rows["total"]].any():
        spent = spent.mask(rows["total"])
    rate = stats.poisson(rows["clients"], spent, level=level)
    rows = rows.assign(conversion=100 * share.estimate, low=100 * share.low, high=100 * share.high)
    with np.errstate(divide="ignore"):
        ends = (1 / np.asarray(rate.estimate), 1 / np.asarray(rate.high), 1 / np.asarray(rate.low))
    rows[list(_COST)] = np.where(np.isfinite(np.column_stack(ends)), np.column_stack(ends), np.nan)
    n, k = rows["persons"].to_numpy(float), rows["clients"].to_numpy(float)
    others, gained = n[-1] - n, k[-1] - k
    enough = (n >= MIN_COMPARED) & (others >= MIN_COMPARED) & ~rows["total"].to_numpy(bool)
    arguments = [np.where(enough, values, np.nan) for values in (k, n, gained, others)]
    gap = stats.miettinen_nurminen(*arguments, level=level)
    p = stats.holm(2 * ndtr(-np.abs(stats.score_statistic(*arguments))))
    sign = np.where(p < 1 - level, np.sign(gap.estimate), 0.0)
    rows = rows.assign(
        difference=100 * gap.estimate,
        difference_low=100 * gap.low,
        difference_high=100 * gap.high,
        p_adjusted=p,
        differs=np.where(np.isnan(p), np.nan, sign),
    )
    nothing = rows[list(_RECORDED)].fillna(0).eq(0).all(axis=1) & rows["persons"].fillna(0).eq(0)
    rows["reason"] = np.select(
        [nothing, untouched, rows["closed_cost"].isna()], [NO_RECORD, NO_TOUCH, NO_COST], default=""
    )
    return rows
