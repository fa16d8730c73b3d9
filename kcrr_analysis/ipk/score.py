"""The client attraction index (индекс привлечения клиентов, ИПК) by any cut of the events.

One event: weight + participants x engagement + reviews x mean rating; a unit is the sum over its events. Source: the
methodical recommendations; what they leave open is read as `methodology/data/index.yaml` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from kcrr_analysis import costs, methodology
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk import terms, units
from kcrr_analysis.ipk.scheme import Scheme
from kcrr_analysis.ipk.terms import EventTerms
from kcrr_analysis.ipk.units import Units
from kcrr_analysis.ipk.withheld import protect
from kcrr_analysis.methodology import Methodology

INTERVAL = (
    "Интервал — для ожидаемой суммы за такой период, если считать мероприятия случайным потоком (составной "
    "пуассоновский процесс, гамма-границы Фэя и Фойера); цепочка и вероятное дробление считаются одним мероприятием."
)


@dataclass(frozen=True)
class Score:
    """The index of the units of one cut.

    Attributes:
        by: Columns of the cut (`center_id`, `tool_id`, ...); empty for all events together.
        rows: One row a unit, with the columns of the cut and:

            events, jumps (chains and probable splits counted once); ipk and its terms events_term, participants_term,
            reviews_term, their shares events_share, participants_share, reviews_share (%);
            participants, reviews, mean_engagement (weighted by participants), mean_rating (weighted by reviews),
            reviews_adjusted (reviews x (mean rating - 3)), reach;
            new_clients (declared) and conversion_declared (% of the participants of events that declare), persons and
            clients (attributed to the unit's events) and conversion_attributed (%) with _low, _high;
            counts of events with a flag: no_reviews, unrated_reviews, rating_conflict, between_bands, assumed_weight,
            assumed_engagement; probable_splits and split_excess (by how much the index would fall were they merged);
            cost (roubles); population, staff_fte, floor_area_m2 of the exposure;
            per_event, per_participant, per_1000_roubles, per_1000_people, per_employee, per_m2, each with _low, _high;
            low, high (limits of the expected sum of the period), se, largest (the largest jump), rank, rank_low,
            rank_high (simultaneous), group (letters: units that share one cannot be told apart), reason (why there is
            no interval or rank, or empty); `<column>_hidden` where disclosure control withholds or marks a figure.
        total: The same columns for all events together, one row, without ranks.
        measure: What is ranked: `ipk` or a form normalised by a fixed exposure.
        pairs: Pairs of ranked units.
        pairs_apart: Those that can be told apart.
        scheme: Values of the formula.
        left_out: Reason -> number of events that could not be scored and are in no sum.
        level: Confidence level of intervals; of rank intervals jointly.
        least: Fewest events (jumps) that allow an interval.
        period: First and last date of the scored events; None where there is no date.
        cost_definition: What a cost is made of, in Russian, or empty where no rates are given.
        formula: The formula as written, in Russian.
        interval: What the interval speaks of, in Russian.
    """

    by: tuple[str, ...]
    rows: pd.DataFrame
    total: pd.DataFrame
    measure: str
    pairs: int
    pairs_apart: int
    scheme: Scheme
    left_out: Mapping[str, int]
    level: float
    least: int
    period: tuple[pd.Timestamp, pd.Timestamp] | None
    cost_definition: str
    formula: str
    interval: str = INTERVAL

    def to_frame(self) -> pd.DataFrame:
        """One row a unit, with formula, scheme, period, level, unit of measurement and the meaning of the interval."""
        first, last = self.period or (None, None)
        return self.rows.assign(
            indicator="ipk",
            unit="балл",
            period="" if first is None else f"{first:%Y-%m-%d}..{last:%Y-%m-%d}",
            level=self.level,
            scheme=self.scheme.title,
            formula=self.formula,
            interval=self.interval,
        )


def score(
    events: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    scheme: Scheme | None = None,
    exposure: pd.DataFrame | None = None,
    rates: costs.Rates | None = None,
    clients: pd.DataFrame | None = None,
    level: float = 0.95,
    rank_by: str = "ipk",
    missing_engagement: float | None = None,
    dictionary: Methodology | None = None,
    rule: Rule | None = None,
) -> Score:
    """The index by unit.

    Args:
        events: Events: participants and engagement, and as far as they are known weight or tool_id, reviews,
            mean_rating or rating_1 ... rating_5, date, the columns of the cut, center_id, theme, chain_id, reach,
            new_clients, costs. An event without participants, engagement or weight (its own or the tool's) is left out
            and counted.
        by: What to sum by: one or several of event, chain, centre, region, tool, theme, client_group, month, or the
            columns' own names. Events without a code make a unit of their own, which has no rank.
        scheme: Values of the formula; the recommendations' by default.
        exposure: Fixed size of each unit: the columns of the cut and any of population, staff_fte, floor_area_m2.
        rates: Hour rate and overhead; without them there is no index per rouble.
        clients: Attributed clients: event_id, persons, clients. An event that is not in it has none; a missing value is
            not known and is in no sum.
        level: Confidence level.
        rank_by: `ipk`, or `per_1000_people`, `per_employee`, `per_m2`.
        missing_engagement: Coefficient for events that have none; None leaves them out.
        dictionary: Tools with default weights, bounds of the recommendations; the packaged ones by default.
        rule: Disclosure rule; None withholds nothing.

    Raises:
        ParameterError: An unknown cut, a value out of bounds, or a table that lacks what is needed.
    """
    book = dictionary or methodology.load()
    scheme = scheme or Scheme.recommended(book.index)
    cut = units.columns(by)
    found = prepare(
        events, scheme, rates=rates, clients=clients, missing_engagement=missing_engagement, dictionary=book
    )
    least = book.index.min_events_for_interval
    made = units.exposed(units.summed(found.rows, cut, level=level, least=least), exposure)
    if cut:
        made = units.ranked(made, rank_by, level)
    whole = units.exposed(units.summed(found.rows, (), level=level, least=least), None)
    kept = protect(whole.rows, {"cut": made}, rule)
    return assembled(
        kept["cut"], kept[""].rows, found, scheme=scheme, level=level, measure=rank_by, rates=rates, dictionary=book
    )


def prepare(
    events: pd.DataFrame,
    scheme: Scheme,
    *,
    rates: costs.Rates | None,
    clients: pd.DataFrame | None,
    missing_engagement: float | None = None,
    dictionary: Methodology,
) -> EventTerms:
    """Terms of the events with what the normalised forms and the conversion need: one, cost, persons, clients."""
    found = terms.compute(events, scheme, missing_engagement=missing_engagement, dictionary=dictionary)
    rows = found.rows.assign(one=1.0)
    if rates is not None:
        rows["cost"] = costs.contact_cost(rows, rates).to_numpy()
    if clients is not None:
        lacking = {"event_id", "persons", "clients"} - set(clients.columns)
        if lacking or "event_id" not in rows or clients["event_id"].duplicated().any():
            raise ParameterError(
                "ИПК: таблица clients должна содержать столбцы event_id, persons, clients, по строке на мероприятие, "
                "а таблица мероприятий — столбец event_id."
            )
        known = clients.assign(event_id=clients["event_id"].astype("string")).set_index("event_id")
        for name in ("persons", "clients"):
            code = rows["event_id"].astype("string")
            values = code.map(known[name].astype(float)).to_numpy(dtype=float, na_value=np.nan)
            rows[name] = np.where(code.isin(known.index), values, 0.0)
    return EventTerms(rows=rows, left_out=found.left_out)


def assembled(
    made: Units,
    total: pd.DataFrame,
    found: EventTerms,
    *,
    scheme: Scheme,
    level: float,
    measure: str,
    rates: costs.Rates | None,
    dictionary: Methodology,
) -> Score:
    """The result from its parts."""
    dates = pd.DatetimeIndex(found.rows["date"]).dropna() if "date" in found.rows else pd.DatetimeIndex([])
    return Score(
        by=made.by,
        rows=made.rows.copy(),  # in one piece: many columns were added one by one
        total=total.copy(),
        measure=measure,
        pairs=made.pairs[0],
        pairs_apart=made.pairs[1],
        scheme=scheme,
        left_out=MappingProxyType(dict(found.left_out)),
        level=level,
        least=dictionary.index.min_events_for_interval,
        period=(pd.Timestamp(dates.min()), pd.Timestamp(dates.max())) if len(dates) else None,
        cost_definition=rates.definition if rates is not None else "",
        formula=dictionary.index.formula,
    )
