"""The index of all regions beside each other: regions, centres across regions, formats, themes (rows 126-130)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from kcrr_analysis import costs
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk import formats, selection, units
from kcrr_analysis.ipk.drivers import Drivers, drivers
from kcrr_analysis.ipk.scheme import Scheme
from kcrr_analysis.ipk.score import Score, assembled, prepare
from kcrr_analysis.ipk.withheld import protect
from kcrr_analysis.methodology import load
from kcrr_analysis.tables import Tables

By = Literal["region", "centre", "tool", "theme"]

NORMALISED = {"region": "per_1000_people", "centre": "per_employee"}
"""What regions and centres are ranked by beside the sum; formats and themes have no fixed size."""


@dataclass(frozen=True)
class Comparison:
    """Units of all regions over the same months.

    Attributes:
        by: region, centre, tool or theme.
        own: Region whose units the reader looks for, or None.
        first: First month of the window.
        month: Last month.
        score: The index by unit, ranked by the sum; with `title` and, for centres, `region_code`.
        normalised: The same units ranked by a form normalised by a fixed size; None for formats and themes, and
            where no size is known.
        drivers: What the index of all events is made of, and what the order of the units repeats.
        formats: Formats by engagement within a client group, over all regions (see `formats.engagement`), with titles;
            empty unless `by` is tool.
        regions: Number of regions that have events.
        attribution: What an attributed client is, in Russian, or empty.
    """

    by: By
    own: str | None
    first: pd.Period
    month: pd.Period
    score: Score
    normalised: Score | None
    drivers: Drivers
    formats: pd.DataFrame
    regions: int
    attribution: str

    def to_frame(self) -> pd.DataFrame:
        """One row a unit, with the ranks by the sum and, as `normalised_rank...`, by the normalised form."""
        frame = self.score.to_frame()
        if self.normalised is not None:
            for column in ("rank", "rank_low", "rank_high", "group"):
                frame[f"normalised_{column}"] = self.normalised.rows[column]
            frame["normalised_measure"] = self.normalised.measure
        return frame


def compare(
    tables: Tables,
    region: str | None = None,
    month: str | pd.Period | None = None,
    *,
    by: By = "region",
    months: int = 12,
    scheme: Scheme | None = None,
    rates: costs.Rates | None = None,
    window_days: float = 90,
    level: float = 0.95,
    rank_by: str | None = None,
    area: selection.Area = "floor_area_m2",
    missing_engagement: float | None = None,
    rule: Rule | None = None,
) -> Comparison:
    """Compare regions, centres across regions, formats or themes.

    Args:
        tables: Data of all regions together, read without `region`.
        region: The reader's own region, to be marked; nothing is left out for it.
        month: Last month of the window; the last one of the data by default.
        by: What is compared.
        months: Length of the window.
        scheme: Values of the formula; the dictionaries' by default.
        rates: Hour rate and overhead; by default hours cost nothing.
        window_days: Window of first-touch attribution.
        level: Confidence level, joint for the ranks.
        rank_by: The normalised form: by default per 1,000 people for regions, per employee for centres.
        area: Which area m2 means.
        missing_engagement: Coefficient for events that have none; None leaves them out.
        rule: Disclosure rule; None withholds nothing.

    Raises:
        MissingTableError: There is no table `events`.
        NotComputableError: No event in the window, or none that can be scored.
        ParameterError: A parameter cannot be used.
    """
    if by not in get_args(By):
        raise ParameterError(f"ИПК: by = «{by}». Сравниваются: {', '.join(get_args(By))}.")
    book = load(tables.folder)
    scheme, rates = scheme or Scheme.recommended(book.index), rates or costs.UNKNOWN
    events, at = selection.window(selection.placed(tables), tables, month, months)
    clients, definition, _ = selection.attributed(tables, events, window_days, level)
    found = prepare(
        events, scheme, rates=rates, clients=clients, missing_engagement=missing_engagement, dictionary=book
    )
    scored, least = selection.scored(found), book.index.min_events_for_interval
    (column,) = columns = units.columns(by)
    sizes = selection.sizes(tables, at, months, column, area) if by in NORMALISED else None
    made = units.exposed(units.summed(scored, columns, level=level, least=least), sizes)
    cells = units.summed(scored, ("client_group", "tool_id"), level=level, least=least)
    cuts = {"units": units.ranked(made, "ipk", level)}
    if by == "tool":
        cuts["cells"] = formats.participants_only(cells)
    measure = rank_by or NORMALISED.get(by, "")
    other = units.ranked(made, measure, level) if measure else None
    together = None if sizes is None else sizes.drop(columns=column).sum(skipna=False).to_frame().T
    whole = units.exposed(units.summed(scored, (), level=level, least=least), together)
    kept = protect(whole.rows, cuts, rule)
    shown, titles = kept["units"], selection.names(tables, book)
    of = _regions(scored, shown.rows, titles) if by == "centre" else {}

    def result(of_units: units.Units, ranked_by: str) -> Score:
        rows = selection.titled(of_units.rows, columns, titles).assign(**of)
        return assembled(
            replace(of_units, rows=rows), kept[""].rows, found,
            scheme=scheme, level=level, measure=ranked_by, rates=rates, dictionary=book,
        )  # fmt: skip

    cell_rows = formats.engagement(scored, kept["cells"], level=level, least=least) if by == "tool" else pd.DataFrame()
    if by == "tool":
        cell_rows = cell_rows.assign(
            title=selection.titled(cell_rows, ("tool_id",), titles)["title"],
            group_title=selection.titled(cell_rows, ("client_group",), titles)["title"],
        )
    normalised = None
    if other is not None and other.rows[measure].notna().any():
        hidden = shown.rows["ipk_hidden"]
        ranks = ["rank", "rank_low", "rank_high", "group", "reason"]
        rows = shown.rows.assign(**{name: other.rows[name] for name in ranks})
        if rule is not None and rule.public:
            rows.loc[hidden, ["rank", "rank_low", "rank_high"]] = np.nan
            rows.loc[hidden, "group"] = ""
        normalised = result(replace(other, rows=rows), measure)
    return Comparison(
        by=by,
        own=region,
        first=at - months + 1,
        month=at,
        score=result(shown, "ipk"),
        normalised=normalised,
        drivers=drivers(scored, shown.rows),
        formats=cell_rows,
        regions=int(scored["region_code"].nunique()),
        attribution=definition,
    )


def _regions(events: pd.DataFrame, rows: pd.DataFrame, titles: dict[str, dict[str, str]]) -> dict[str, pd.Series]:
    """Region of each centre, by code and by name."""
    known = events.drop_duplicates("center_id").set_index("center_id")["region_code"]
    code = rows["center_id"].map(known)
    names = code.map(lambda one: titles["region_code"].get(str(one), str(one)))
    return {"region_code": code, "region_title": names}
