"""Disclosure control of the table `flow`: decided once, over every count in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.disclosure.blocks import MONTHS, Bools, Floats, Ints, Lines, Plan
from kcrr_analysis.disclosure.families import hidden_sums
from kcrr_analysis.disclosure.rule import Rule, hide
from kcrr_analysis.tables import Tables

STOCKS = ("registered_stock",)
"""Counts at a moment: their year-to-date value is no sum of months but the same stock again."""

FLOWS = (
    "registered_new", "applied", "measure_applicants", "measure_recipients", "guidance_recipients", "clients_served",
)  # fmt: skip
"""Counts of persons over a period."""

UNITS = ("measures_delivered", "services_delivered", "visits")
"""Counts of acts over a period: three visits are at most three visitors, so a small one gives a small count away."""

COUNTS = STOCKS + FLOWS + UNITS
TOTAL = "all"


def protect(tables: Tables, rule: Rule) -> Tables:
    """Put the counts in `flow`, of persons and of what they were given, under disclosure control.

    Criterion. A count from 1 to `threshold - 1` is a primary cell. With it so many other (secondary) cells are
    hidden that the *feasibility interval* of every primary cell - what remains possible for an attacker who sees all
    other cells, zeros included, and knows the sums that tie them and that counts are whole and not negative - still
    reaches the threshold: the cell can neither be computed nor be proved small (upper protection level
    `threshold - value`; Hundepool et al., *Statistical Disclosure Control*, Wiley 2012, ch. 4.2-4.4; Fischetti &
    Salazar, *Management Science* 47, 2001). The sums are: centres to their region, months from January to the
    year-to-date value, January's month = its year-to-date value. Where a table's counts do not add up exactly (people
    return, people go to two centres) the attacker is granted each difference, which is the cautious reading. A
    registered stock adds up over centres only, and its two periods count as one cell. Client groups overlap and
    are never added, except where they do add up in the data (`kcrr_analysis.disclosure.families`): the wider group is
    then hidden with its parts. The attacker knows that `all` and each wider group are no smaller than the groups
    inside them.
    A row that is absent is a value nobody published, except where the sums show it to be zero. Where rows are absent
    and the counts do not add up either, the nesting of groups may tell more than is accounted for here; the sums do
    not. The difference of two shown year-to-date values is a count nobody published: it is not primary.

    How the cells are chosen: `kcrr_analysis.disclosure.blocks`. The choice does not depend on the order of rows.

    Limit. The pattern is decided for one release of the data. When the next month arrives, other cells of the same
    months may be chosen, and an attacker who keeps both releases can intersect them: a cell that either shows is known
    in both. Earlier public reports of the same months must be withdrawn or kept consistent with the new ones.

    Args:
        tables: A table set; without `flow` it comes back as it is. `centers` is read for the region of centre rows
            that do not name it.
        rule: Mode and threshold.

    Returns:
        The table set whose `flow` has a boolean column `<column>_hidden` beside each count. In public mode
        the hidden values are missing; in internal mode they stay. Missing values are never marked.
    """
    flow = tables.get("flow")
    if flow is None:
        return tables
    groups = methodology.load(tables.folder).groups
    parents = {code: group.parent for code, group in groups.items()}
    hidden = hidden_counts(flow, rule, centers=tables.get("centers"), parents=parents)
    for column in COUNTS:
        if column in hidden:
            flow = hide(flow, hidden[column], [column], rule)
    return tables.replace(flow=flow)


def hidden_counts(
    flow: pd.DataFrame,
    rule: Rule,
    *,
    centers: pd.DataFrame | None = None,
    parents: Mapping[str, str | None] | None = None,
) -> pd.DataFrame:
    """Which counts of persons have to be hidden; see `protect` for the criterion.

    Args:
        flow: Table `flow`.
        rule: Its threshold decides; its mode does not.
        centers: Table `centers`, for the region of centre rows that do not name it.
        parents: Wider group of each client group; by default the methodology's dictionary.

    Returns:
        Boolean columns, one for each of `COUNTS` that `flow` has, with the index of `flow`.
    """
    columns: list[str] = [column for column in COUNTS if column in flow]
    values = np.column_stack([_numbers(flow[column]) for column in columns]) if columns else np.zeros((len(flow), 0))
    primary = (values > 0) & (values < rule.threshold)
    hidden = primary.copy()
    cells = _Cells(flow, centers)
    if len(cells.line) and columns:
        stock = np.array([name in STOCKS for name in columns])
        known = parents if parents is not None else _parents()
        plan = Plan(cells.lines(values, primary, stock, known), rule.threshold)
        hidden |= cells.spread(plan, stock) & ~np.isnan(values)
        keys = cells.places()
        hidden[cells.rows] |= hidden_sums(
            keys, flow["client_group"].iloc[cells.rows], values[cells.rows], hidden[cells.rows], known
        )
    return pd.DataFrame(hidden, index=flow.index, columns=columns)


def _numbers(column: pd.Series) -> Floats:
    return np.asarray(pd.to_numeric(column).astype("Float64").to_numpy(dtype=float, na_value=np.nan))


def _parents() -> dict[str, str | None]:
    return {code: group.parent for code, group in methodology.groups().items()}


class _Cells:
    """Where each row of `flow` stands among lines and months."""

    def __init__(self, flow: pd.DataFrame, centers: pd.DataFrame | None) -> None:
        month = flow["month"]
        if not isinstance(month.dtype, pd.PeriodDtype):
            month = pd.Series(pd.PeriodIndex(month, freq="M"), index=flow.index)
        scope, period = flow["scope"].astype("string"), flow["period"].astype("string")
        of_region = (scope == "region").fillna(False).to_numpy(dtype=bool)
        of_centre = (scope == "center").fillna(False).to_numpy(dtype=bool)
        self.of_year = (period == "year_to_date").fillna(False).to_numpy(dtype=bool)
        of_month = (period == "month").fillna(False).to_numpy(dtype=bool)
        usable = (of_region | of_centre) & (self.of_year | of_month) & month.notna().to_numpy()
        self.rows = np.flatnonzero(usable)
        self.size = len(flow)
        region, centre = self._units(flow, centers, of_centre)
        self.region, self.centre, self.of_region, self.months = region, centre, of_region, month
        group_codes, self.groups = pd.factorize(flow["client_group"].astype("string").fillna(""), sort=True)
        region_codes, _ = pd.factorize(region, sort=True)
        centre_codes, self.centres = pd.factorize(centre, sort=True)
        year = month.dt.year.fillna(0).to_numpy(dtype=np.int64)
        years = year - (year[self.rows].min() if len(self.rows) else 0)
        years = np.where(usable, years, 0)
        span, groups = int(years.max(initial=0)) + 1, max(len(self.groups), 1)
        units = len(self.centres) + 1
        network = (region_codes.astype(np.int64) * groups + group_codes) * span + years
        unit = np.where(of_region, units - 1, centre_codes)
        key = (network * units + unit)[self.rows]
        self.keys, self.line = np.unique(key, return_inverse=True)
        self.month = (month.dt.month.fillna(1).to_numpy(dtype=np.int64) - 1)[self.rows]
        self.of_year = self.of_year[self.rows]
        self.units, self.span = units, span

    @staticmethod
    def _units(flow: pd.DataFrame, centers: pd.DataFrame | None, of_centre: Bools) -> tuple[pd.Series, pd.Series]:
        nothing = pd.Series(pd.NA, index=flow.index, dtype="string")
        region = flow["region_code"].astype("string") if "region_code" in flow else nothing
        centre = flow["center_id"].astype("string") if "center_id" in flow else nothing
        if centers is not None and {"center_id", "region_code"} <= set(centers.columns):
            known = centers.dropna(subset=["center_id"]).drop_duplicates("center_id")
            of = known.set_index(known["center_id"].astype(str))["region_code"].astype("string")
            region = region.fillna(centre.map(of).astype("string"))
        # a centre of no known region is tied to no other; its own name keeps it apart
        alone = "\0" + centre.fillna("")
        return region.fillna(alone), centre.where(pd.Series(of_centre, index=flow.index)).fillna("")

    def places(self) -> pd.DataFrame:
        """Region, unit, period and month of each usable row."""
        return pd.DataFrame(
            {
                "region": self.region.to_numpy()[self.rows],
                "unit": np.where(self.of_region[self.rows], "", self.centre.fillna("").to_numpy()[self.rows]),
                "period": self.of_year,
                "month": self.months.to_numpy()[self.rows],
            }
        )

    def lines(self, values: Floats, primary: Bools, stock: Bools, parents: Mapping[str, str | None]) -> Lines:
        """Lines of all columns, one column after another."""
        count, columns = len(self.keys), values.shape[1]
        month, year = np.full((2, columns, count, MONTHS), np.nan)
        small_month, small_year = np.zeros((2, columns, count, MONTHS), bool)
        # of rows given twice the larger is written first, so that the smaller decides
        for which, small, rows in ((month, small_month, ~self.of_year), (year, small_year, self.of_year)):
            picked = self.rows[rows]
            line, at = self.line[rows], self.month[rows]
            twice = len(np.unique(line * MONTHS + at)) < len(line)
            for c in range(columns):
                column = values[picked, c]
                order = np.lexsort((-np.nan_to_num(column, nan=np.inf),)) if twice else slice(None)
                which[c, line[order], at[order]] = column[order]
                flagged = primary[picked, c]
                small[c, line[flagged], at[flagged]] = True
        month[stock] = np.fmin(month[stock], year[stock])
        small_month[stock] |= small_year[stock]
        year[stock], small_year[stock] = np.nan, False
        of_network = np.unique(self.keys // self.units, return_inverse=True)[1]
        networks = int(of_network.max()) + 1
        network = (np.arange(columns)[:, None] * networks + of_network).reshape(-1)
        shape = (columns * count, MONTHS)
        pairs = self._wider(parents)
        floor_month, roof_month = _limits(month, pairs)
        floor_year, roof_year = _limits(year, pairs)
        return Lines(
            month=month.reshape(shape),
            year=year.reshape(shape),
            small_month=small_month.reshape(shape),
            small_year=small_year.reshape(shape),
            network=network,
            region=np.tile(self.keys % self.units == self.units - 1, columns),
            floor_month=floor_month.reshape(shape),
            floor_year=floor_year.reshape(shape),
            roof_month=roof_month.reshape(shape),
            roof_year=roof_year.reshape(shape),
            wider=_ladder(pairs, count, columns),
        )

    def _wider(self, parents: Mapping[str, str | None]) -> list[tuple[Ints, Ints]]:
        """Lines and the lines of a wider group beside them, one pair of arrays for each pair of groups."""
        group = self.keys // self.units // self.span % max(len(self.groups), 1)
        found = []
        for inner, outer in _nested_pairs([str(code) for code in self.groups], parents):
            low = np.flatnonzero(group == inner)
            wider = self.keys[low] + (outer - inner) * self.span * self.units
            high = np.minimum(np.searchsorted(self.keys, wider), len(self.keys) - 1)
            same = self.keys[high] == wider
            found.append((low[same], high[same]))
        return found

    def spread(self, plan: Plan, stock: Bools) -> Bools:
        """The plan's cells as rows and columns of `flow`."""
        columns = len(stock)
        shape = (columns, len(self.keys), MONTHS)
        month, year = plan.hidden_month.reshape(shape), plan.hidden_year.reshape(shape).copy()
        year[stock] = month[stock]
        hidden = np.zeros((self.size, columns), bool)
        for c in range(columns):
            hidden[self.rows, c] = np.where(
                self.of_year, year[c, self.line, self.month], month[c, self.line, self.month]
            )
        return hidden


def _limits(counts: Floats, pairs: list[tuple[Ints, Ints]]) -> tuple[Floats, Floats]:
    """What the groups inside each cell's group, and the groups around it, leave it to vary.

    Shown or not, they are taken as they stand: a move that leaves them alone agrees with any of them.
    """
    floor, roof = np.zeros(counts.shape), np.full(counts.shape, np.inf)
    for low, high in pairs:
        # data that contradict the nesting bind nobody
        floor[:, high] = np.fmax(floor[:, high], np.minimum(counts[:, low], counts[:, high]))
        roof[:, low] = np.fmin(roof[:, low], np.maximum(counts[:, low], counts[:, high]))
    return floor, roof


def _ladder(pairs: list[tuple[Ints, Ints]], count: int, columns: int) -> Ints:
    """`Lines.wider`: for each line the lines of wider groups, in the order of `pairs`."""
    depth = np.zeros(count, dtype=np.int64)
    for low, _ in pairs:
        depth[low] += 1
    ladder = np.full((count, int(depth.max(initial=0))), -1)
    depth[:] = 0
    for low, high in pairs:
        ladder[low, depth[low]] = high
        depth[low] += 1
    offsets = np.repeat(np.arange(columns) * count, count)[:, None]
    repeated = np.tile(ladder, (columns, 1))
    return np.where(repeated >= 0, repeated + offsets, -1)


def _nested_pairs(groups: list[str], parents: Mapping[str, str | None]) -> list[tuple[int, int]]:
    """Pairs (group, wider group) by position in `groups`, the nearest first; `all` is wider than every other."""
    place = {code: number for number, code in enumerate(groups)}
    pairs: list[tuple[int, int]] = []
    for code, number in place.items():
        above: list[str] = []
        wider = parents.get(code)
        while wider is not None and wider not in (code, TOTAL, *above):
            above.append(wider)
            wider = parents.get(wider)
        if code != TOTAL:
            pairs += [(number, place[each]) for each in (*above, TOTAL) if each in place]
    return pairs
