"""Levels of the client flow by group, against last month and the same month last year.

A flow column (`applied`, `measure_recipients`, ...) is a complete count: it has no sampling interval. What it has is
a history, so a change is set beside the year-on-year changes of the past instead of beside an error margin.
Client groups overlap: a total comes only from the row `client_group = all`, and groups are never added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis import disclosure, methodology
from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.methodology import ClientGroup, Methodology
from kcrr_analysis.tables import Tables

TOTAL = "all"
SMALL_BASE = 30
"""Under this many persons a percentage change is flagged: a handful of people moves it by tens of percent."""

MIN_PAST_CHANGES = 12
"""Year-on-year changes needed before their range says anything.

The range describes the past and is no test: where nothing happened, a new change still leaves the range of 23 past
ones in about one month of twelve (independent levels) to one of six (a random walk), by simulation, and of a dozen
groups some group does so in most months. Reports say so and claim no more.
"""


@dataclass(frozen=True)
class FlowLevels:
    """One flow measure of one region in one month, by client group.

    Attributes:
        column: The flow column counted.
        title: Russian name of the measure.
        unit: Unit of the values.
        definition: What is counted and over which period, in Russian.
        region_code: The region.
        month: The reporting month.
        rows: One row a client group, `all` first: client_group, title, value, previous (last month), year_ago (same
            month last year), change_previous and change_year (units), change_previous_pct and change_year_pct (%),
            hidden, hidden_previous, hidden_year_ago (a value that disclosure control withholds or marks), small_base,
            past_low, past_high (% a year) and past_n: the range of the group's own past year-on-year changes, NaN
            and 0 where fewer than 12 are known; past_marked (a value marked as small is among them).
        history: Long: month, client_group, value, hidden; every month on record up to `month`.
        interval: Always «сплошной учёт»: complete counts carry no sampling interval.
    """

    column: str
    title: str
    unit: str
    definition: str
    region_code: str
    month: pd.Period
    rows: pd.DataFrame
    history: pd.DataFrame
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """One row a client group, with the definition, period, unit and interval beside each value."""
        return self.rows.assign(
            indicator=self.column,
            region_code=self.region_code,
            period=str(self.month),
            unit=self.unit,
            interval=self.interval,
            definition=self.definition,
        )

    @property
    def total(self) -> pd.Series | None:
        """The row of `client_group = all`, or None where the data have none."""
        rows = self.rows[self.rows["client_group"] == TOTAL]
        return None if rows.empty else rows.iloc[0]


def applicants(tables: Tables, region: str, month: str | pd.Period | None = None) -> FlowLevels:
    """Official indicator 2: citizens who applied for help in finding a job during the month.

    Args:
        tables: Data with the table `flow`.
        region: Region code.
        month: Reporting month (`2025-10`); the last one on record by default.

    Raises:
        MissingTableError: There is no table `flow`.
        NotComputableError: `flow` has no monthly regional rows for the region and month.
    """
    indicator = dictionaries(tables).indicators["applied"]
    return levels(
        tables,
        region,
        month,
        column="applied",
        title=indicator.title,
        unit=indicator.unit,
        definition=indicator.definition,
    )


def levels(
    tables: Tables,
    region: str,
    month: str | pd.Period | None,
    *,
    column: str,
    title: str,
    unit: str,
    definition: str,
) -> FlowLevels:
    """Any flow column by client group; see `applicants` for the arguments and errors."""
    history = monthly(tables, region, column)
    if history.empty:
        raise NotComputableError(
            f"В таблице flow нет месячных строк региона {region} (period = month, scope = region) "
            f"с заполненным столбцом {column}. Добавьте их, чтобы показатель рассчитывался."
        )
    at = reporting_month(history["month"], month, region)
    history = history[history["month"] <= at]
    rows = _compare(history, at, dictionaries(tables).groups)
    return FlowLevels(
        column=column,
        title=title,
        unit=unit,
        definition=definition,
        region_code=region,
        month=at,
        rows=rows,
        history=history.reset_index(drop=True),
    )


def reporting_month(months: pd.Series, month: str | pd.Period | None, region: str) -> pd.Period:
    """The month asked for, or the last one on record.

    Raises:
        NotComputableError: The month is not among `months`.
    """
    last: pd.Period = months.max()
    if month is None:
        return last
    at = pd.Period(month, freq="M")
    if not (months == at).any():
        raise NotComputableError(
            f"За {at} в данных региона {region} нет строк; последний месяц в данных — {last}. "
            "Проверьте параметр month или дополните данные."
        )
    return at


def monthly(tables: Tables, region: str, column: str, period: str = "month") -> pd.DataFrame:
    """The region's own rows of one flow column: month, client_group, value (float), hidden."""
    flow = tables.flow
    rows = flow[(flow["scope"] == "region") & (flow["period"] == period) & (flow["region_code"] == region)]
    hidden = rows[f"{column}_hidden"] if f"{column}_hidden" in rows else pd.Series(False, index=rows.index)
    frame = pd.DataFrame(
        {
            "month": rows["month"],
            "client_group": rows["client_group"].astype(str),
            "value": rows[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
            "hidden": hidden.astype(bool),
        }
    )
    known = frame["value"].notna() | frame["hidden"]
    return frame[known].sort_values(["month", "client_group"], ignore_index=True)


def _compare(history: pd.DataFrame, at: pd.Period, groups: Mapping[str, ClientGroup]) -> pd.DataFrame:
    def column(month: pd.Period, name: str) -> pd.DataFrame:
        part = history[history["month"] == month].set_index("client_group")[["value", "hidden"]]
        return part.rename(columns={"value": name, "hidden": "hidden" if name == "value" else f"hidden_{name}"})

    rows = column(at, "value").join(column(at - 1, "previous")).join(column(at - 12, "year_ago"))
    for flag in ("hidden_previous", "hidden_year_ago"):
        rows[flag] = rows[flag].eq(True)
    for base, name in (("previous", "change_previous"), ("year_ago", "change_year")):
        rows[name] = rows["value"] - rows[base]
        rows[f"{name}_pct"] = (100 * rows[name] / rows[base]).where(rows[base] > 0)
    rows = rows.join(_past(history, at))
    rows["past_n"] = rows["past_n"].fillna(0).astype(int)
    marked = history["hidden"] & history["value"].notna()
    rows["past_marked"] = rows.index.isin(history.loc[marked, "client_group"])
    rows["small_base"] = (rows["year_ago"] < SMALL_BASE) | (rows["value"] < SMALL_BASE)
    rows = rows.reset_index()
    rows.insert(1, "title", [group_title(code, groups) for code in rows["client_group"]])
    return rows.iloc[group_order(rows["client_group"], groups)].reset_index(drop=True)


def _past(history: pd.DataFrame, at: pd.Period) -> pd.DataFrame:
    """Range of each group's year-on-year changes before `at`: past_low, past_high, past_n by client_group."""
    wide = history[history["month"] < at].pivot(index="month", columns="client_group", values="value")
    base = wide.reindex(wide.index - 12).set_axis(wide.index)
    # The same arithmetic as in `_compare`, so that an equal change is equal to the last bit.
    change = 100 * (wide - base) / base.where(base > 0)
    enough = change.count() >= MIN_PAST_CHANGES
    return pd.DataFrame(
        {
            "past_low": change.min().where(enough),
            "past_high": change.max().where(enough),
            "past_n": change.count().where(enough, 0),
        }
    )


def guarded(tables: Tables, rule: disclosure.Rule | None) -> Tables:
    """The tables with `flow` under disclosure control: as it is where that was done before, else by `rule`."""
    flow = tables.get("flow")
    if rule is None or flow is None or any(str(name).endswith("_hidden") for name in flow):
        return tables
    return disclosure.protect(tables, rule)


def dictionaries(tables: Tables) -> Methodology:
    """The recommendations' dictionaries, with the entries of the data folder's own `methodology/`."""
    return methodology.load(tables.folder)


def group_title(code: str, groups: Mapping[str, ClientGroup]) -> str:
    """Russian name of a client group; a code without a dictionary entry stays as it is."""
    return groups[code].title if code in groups else code


def group_order(codes: Iterable[str], groups: Mapping[str, ClientGroup]) -> np.ndarray:
    """Positions that put group codes in the dictionary's order, unknown codes last."""
    places = {code: place for place, code in enumerate(groups)}
    return np.argsort([places.get(code, len(places)) for code in codes], kind="stable")
