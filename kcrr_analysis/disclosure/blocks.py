"""Which cells of monthly and year-to-date counts to hide, planned for all networks at once.

A *network* is one count of one client group in one region and one year. Its *lines* are the centres and the region;
a line has up to twelve months `x[m]` and year-to-date values `y[m]`. Sums tie them: over centres to the region, and
`y[m] = y[m-1] + x[m]` along a line, with `y[1] = x[1]` in January.

Protection is by rectangles, the two-dimensional case of the hypercube method (Repsilber 1994; Giessing in
Hundepool et al., *Statistical Disclosure Control*, Wiley 2012, ch. 4). A rectangle is a set of lines and a set of
months whose monthly cells are all hidden, with the year-to-date cells between its first and last month. Persons can
be moved inside a rectangle without changing any sum that is shown, so in it a cell can be as large as the smaller
of two sums: its line's over the rectangle's months, and its month's over the rectangle's lines. Both reach the
threshold for every primary cell by construction; each move is a table of whole numbers, so a cleverer (integer)
attacker is no better off. A rectangle is open where its last year-to-date cells are hidden too (the line's sum no
longer binds), or where the region's line is one of its lines (the month's sum no longer binds). The last resort is
open both ways: the cell and every total above it. Hiding more never undoes a rectangle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MONTHS = 12
_CENTRE_MONTH, _CENTRE_YEAR, _REGION_MONTH, _REGION_YEAR = 1.0, 2.0, 6.0, 12.0
"""What hiding a cell costs, before its size: centres before regions, months before year to date."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Counts by line and month; NaN where the table has none.

    Attributes:
        month: Monthly counts, shape (lines, 12).
        year: Year-to-date counts, shape (lines, 12).
        small_month: Primary cells among `month`.
        small_year: Primary cells among `year`.
        network: Number of each line's network, ascending from 0; shape (lines,).
        region: Whether the line is the region's; such a line stands last in its network.
        floor_month: What a monthly cell may not fall under (the largest group inside its group).
        floor_year: The same for year-to-date cells.
        roof_month: What a monthly cell may not exceed (the smallest group around its group).
        roof_year: The same for year-to-date cells.
        wider: Lines of the same unit, count and year whose groups hold the line's group, the narrowest first, -1 where
            there are no more; shape (lines, any).
    """

    month: Floats
    year: Floats
    small_month: Bools
    small_year: Bools
    network: Ints
    region: Bools
    floor_month: Floats
    floor_year: Floats
    roof_month: Floats
    roof_year: Floats
    wider: Ints


@dataclass(slots=True)
class _Segments:
    """Stretches of months of a centre's line that need partners: one row each.

    `start` and `end` bound the stretch; its year-to-date cells from `start` to `last` are hidden. `cells` are its
    hidden months, `need` how many persons each must be able to gain (0: none).
    """

    line: Ints
    start: Ints
    last: Ints
    open_end: Bools
    cells: Bools
    need: Floats

    def rows(self, chosen: Ints | Bools) -> _Segments:
        return _Segments(
            self.line[chosen], self.start[chosen], self.last[chosen],
            self.open_end[chosen], self.cells[chosen], self.need[chosen],
        )  # fmt: skip

    def years(self) -> Bools:
        """Months whose year-to-date cells lie inside, shape (segments, 12)."""
        at = np.arange(MONTHS)
        return np.asarray((at >= self.start[:, None]) & (at <= self.last[:, None]))


class Plan:
    """Hidden cells of all networks; built once by `Plan(lines, threshold)`.

    Attributes:
        hidden_month: Monthly cells to hide, shape (lines, 12).
        hidden_year: Year-to-date cells to hide, shape (lines, 12).
    """

    def __init__(self, lines: Lines, threshold: int) -> None:
        self._lines = lines
        self._threshold = threshold
        self._has_month = ~np.isnan(lines.month)
        self._has_year = ~np.isnan(lines.year)
        self._month = np.where(self._has_month, lines.month, 0.0)
        self._imply_months()
        self._movable_cells()
        self._weigh()
        count = int(lines.network[-1]) + 1 if len(lines.network) else 0
        self._first = np.searchsorted(lines.network, np.arange(count + 1))
        last = self._first[1:] - 1
        self._region_of = np.where(lines.region[last], last, -1)[lines.network] if count else np.zeros(0, int)
        self.hidden_month = lines.small_month.copy()
        self.hidden_year = lines.small_year.copy()
        segments = self._segments()
        self._leaning = np.zeros(len(lines.month), bool)
        self._find_partners(segments)
        self._free_regions()
        self._lift_wider(segments)
        self.hidden_month &= ~np.isnan(lines.month)
        self.hidden_year &= self._has_year

    def _imply_months(self) -> None:
        """Where only the year-to-date value is published, its difference is a month that nobody has to hide.

        A missing month whose difference is zero beside published months is read as zero, known to everybody.
        """
        only_year = ~self._has_month.any(axis=1) & self._has_year.any(axis=1)
        self._unpublished = np.zeros(self._month.shape, bool)
        before = np.zeros(len(self._month))
        for m in range(MONTHS):
            known, missing = self._has_year[:, m], ~self._has_month[:, m]
            now = np.where(known, self._lines.year[:, m], before + self._month[:, m])
            grown = np.maximum(now - before, 0)
            self._unpublished[:, m] = known & missing & (only_year | (grown > 0))
            self._month[:, m] = np.where(self._unpublished[:, m], grown, self._month[:, m])
            before = now
        self._has_month = self._has_month | self._unpublished

    def _movable_cells(self) -> None:
        """How many persons a monthly cell and the year-to-date cells after it can lose, or gain."""
        lines = self._lines
        year = np.where(self._has_year, lines.year, np.inf)
        spare = np.minimum(self._month, self._month - lines.floor_month)
        room = lines.roof_month - self._month
        spare_year = np.minimum(year, year - lines.floor_year)
        room_year = np.where(self._has_year, lines.roof_year - np.where(self._has_year, lines.year, 0), np.inf)
        after = np.minimum.accumulate(spare_year[:, ::-1], axis=1)[:, ::-1]
        self._spare = np.where(self._has_month, np.maximum(np.minimum(spare, after), 0), 0.0)
        after = np.minimum.accumulate(room_year[:, ::-1], axis=1)[:, ::-1]
        self._room = np.maximum(np.minimum(room, after), 0)

    def _weigh(self) -> None:
        region = self._lines.region[:, None]
        size = np.minimum(np.log10(1 + np.maximum(self._month, 0)) / 6, 0.9)
        self._month_cost = np.where(region, _REGION_MONTH, _CENTRE_MONTH) + size
        self._month_cost[self._unpublished] = 0
        year = np.where(self._has_year, np.maximum(self._lines.year, 0), 0)
        size = np.minimum(np.log10(1 + year) / 6, 0.9)
        self._year_cost = np.where(region, _REGION_YEAR, _CENTRE_YEAR) + size
        self._year_cost[~self._has_year] = 0

    def _segments(self) -> _Segments:
        """Stretches in which each line's own sums hold the threshold; hides the cells they need.

        A stretch opens at a primary cell and takes further months until the sum of its hidden months reaches the
        threshold and a year-to-date value can be shown again; at the end of the year it grows backwards instead.
        """
        lines, threshold = self._lines, self._threshold
        active = np.flatnonzero(
            (lines.small_month | lines.small_year).any(axis=1) & ~(lines.region & self._has_centres())
        )
        month_small, year_small = lines.small_month[active], lines.small_year[active]
        has_month, has_year = self._has_month[active], self._has_year[active]
        spare, value, year = self._spare[active], self._month[active], lines.year[active]
        n = len(active)
        label = np.full((n, MONTHS), -1)
        taken = np.zeros((n, MONTHS), bool)
        inside, total, rest = np.zeros(n, bool), np.zeros(n), np.zeros(n)
        closed = np.zeros((n, MONTHS), bool)
        has_any_year = has_year.any(axis=1)
        start = np.full(n, -1)
        for m in range(MONTHS):
            opening = (month_small[:, m] | year_small[:, m]) & (~inside | ~has_any_year)
            start = np.where(opening, m, start)
            total, rest = np.where(opening, 0, total), np.where(opening, 0, rest)
            inside |= opening
            lacking = has_any_year & ((total < threshold) | (rest > 0))
            wanted = month_small[:, m] | opening | ((spare[:, m] > 0) & lacking)
            take = inside & wanted & has_month[:, m]
            label[:, m] = np.where(inside, start, -1)
            taken[:, m] = take
            total = total + np.where(take, spare[:, m], 0)
            rest = np.maximum(rest - np.where(take, spare[:, m], 0), 0)
            need_year = np.where(year_small[:, m] & inside, threshold - year[:, m], 0)
            rest = np.maximum(rest, need_year)
            closing = inside & (total >= threshold) & (rest <= 0) & has_year[:, m] & ~year_small[:, m]
            closed[:, m] = closing
            inside &= ~closing
        last_year = MONTHS - 1 - np.argmax(has_year[:, ::-1], axis=1)
        last_any = MONTHS - 1 - np.argmax((has_year | has_month)[:, ::-1], axis=1)
        settled = last_year == last_any
        growing = inside & has_any_year & settled & (rest <= 0)
        growing &= ~year_small[np.arange(n), last_year]
        reach = np.where(growing, (spare * has_month).sum(axis=1), 0) >= threshold
        growing &= reach
        tail, merging = start.copy(), np.zeros(n, bool)
        tailed = inside & has_any_year
        for m in range(MONTHS - 2, -1, -1):
            extend = growing & (m < start) & ((total < threshold) | merging)
            inner = extend & (label[:, m] >= 0)
            own = extend & ~inner & has_month[:, m] & (spare[:, m] > 0)
            taken[:, m] |= own
            total = total + np.where(own | (inner & taken[:, m]), spare[:, m], 0)
            merging = np.where(inner, label[:, m] != m, merging & ~extend)
            tail = np.where(extend, m, tail)
        at = np.arange(MONTHS)
        absorbed = tailed[:, None] & (at >= tail[:, None]) & (at <= last_any[:, None])
        label = np.where(absorbed, tail[:, None], np.where(at > last_any[:, None], -1, label))
        closed[np.arange(n), last_year] |= growing & (total >= threshold)
        return self._cut(active, label, taken, closed, value)

    def _has_centres(self) -> Bools:
        sizes = np.diff(self._first)
        return np.asarray((sizes > 1)[self._lines.network]) if len(sizes) else np.zeros(0, bool)

    def _cut(self, active: Ints, label: Ints, taken: Bools, closed: Bools, value: Floats) -> _Segments:
        lines, threshold = self._lines, self._threshold
        at = np.arange(MONTHS)
        starts = label == at
        row, start = np.nonzero(starts)
        mine = label[row] == start[:, None]
        end = MONTHS - 1 - np.argmax(mine[:, ::-1], axis=1)
        line = active[row]
        cells = taken[row] & mine
        open_end = ~closed[row, end]
        last = np.where(open_end, MONTHS - 1, end - 1)
        small = lines.small_month[line] & cells
        need = np.where(small, threshold - value[row], 0.0)
        inside = (at >= start[:, None]) & (at <= end[:, None])
        smallest = np.where(lines.small_year[line] & inside, lines.year[line], np.inf).min(axis=1)
        first = np.arange(len(row)), start
        need[first] = np.where(np.isfinite(smallest), np.maximum(need[first], threshold - smallest), need[first])
        return _Segments(line, start, last, open_end, cells, need)

    def _find_partners(self, segments: _Segments) -> None:
        """Give each stretch the lines that complete its rectangle, the hardest stretch of a network first."""
        lines = self._lines
        np.logical_or.at(self.hidden_month, segments.line, segments.cells)
        np.logical_or.at(self.hidden_year, segments.line, segments.years())
        tied = (self._region_of[segments.line] >= 0) & ~lines.region[segments.line]
        segments = segments.rows(tied)
        network = lines.network[segments.line]
        order = np.lexsort((segments.start, segments.line, -segments.cells.sum(axis=1), network))
        segments, network = segments.rows(order), network[order]
        first = np.searchsorted(network, network)
        turn = np.arange(len(network)) - first
        for number in range(int(turn.max()) + 1 if len(turn) else 0):
            self._complete(segments.rows(turn == number))

    def _complete(self, segments: _Segments) -> None:
        """One stretch of each network: add the cheapest lines until every month can give what is needed."""
        lines, threshold = self._lines, self._threshold
        network = lines.network[segments.line]
        centres = self._first[network + 1] - 1 - self._first[network]
        owner = np.repeat(np.arange(len(network)), centres)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(centres) - centres, centres)
        partner = self._first[network][owner] + within
        keep = partner != segments.line[owner]
        owner, partner = owner[keep], partner[keep]
        cells, need = segments.cells[owner], segments.need.copy()
        years = segments.years()
        roomy = (self._room[partner] >= threshold - 1) & self._has_month[partner]
        able = (roomy | ~cells).all(axis=1)
        owner, partner, cells = owner[able], partner[able], cells[able]
        cost = (self._month_cost[partner] * (cells & ~self.hidden_month[partner])).sum(axis=1)
        cost += (self._year_cost[partner] * (years[owner] & ~self.hidden_year[partner])).sum(axis=1)
        gives = np.where(cells, self._spare[partner], 0)
        region = self._region_of[segments.line]
        region_cost = (self._month_cost[region] * (segments.cells & ~self.hidden_month[region])).sum(axis=1)
        region_cost += (self._year_cost[region] * (years & ~self.hidden_year[region])).sum(axis=1)
        spent, used = np.zeros(len(network)), np.zeros(len(owner), bool)
        for _ in range(int(centres.max()) if len(centres) else 0):
            lacking = need.sum(axis=1)
            gain = np.minimum(gives, need[owner]).sum(axis=1)
            open_pairs = np.flatnonzero((gain > 0) & ~used)
            if not len(open_pairs):
                break
            whole = gain[open_pairs] >= lacking[owner[open_pairs]]
            price = np.where(whole, cost[open_pairs], 1e6 + (cost[open_pairs] + 0.5) / gain[open_pairs])
            rank = np.lexsort((partner[open_pairs], price, owner[open_pairs]))
            ranked = open_pairs[rank]
            best = ranked[np.r_[True, owner[ranked][1:] != owner[ranked][:-1]]]
            used[best] = True
            spent[owner[best]] += cost[best]
            need[owner[best]] = np.maximum(need[owner[best]] - gives[best], 0)
        short = need.sum(axis=1) > 0
        by_region = short | (region_cost < spent)
        chosen = used & ~by_region[owner]
        np.logical_or.at(self.hidden_month, partner[chosen], cells[chosen])
        np.logical_or.at(self.hidden_year, partner[chosen], years[owner[chosen]])
        self._use_region(segments.rows(by_region))

    def _use_region(self, segments: _Segments) -> None:
        """Hide the region's own cells instead: the month's sum no longer binds."""
        region = self._region_of[segments.line]
        self._leaning[segments.line] = True
        both = np.where(segments.cells, np.minimum(self._spare[segments.line], self._spare[region]), 0)
        closed = ~segments.open_end & (both.sum(axis=1) >= self._threshold)
        closed &= ((self._room[region] >= self._threshold - 1) | ~segments.cells).all(axis=1)
        last = np.where(closed, segments.last, MONTHS - 1)
        opened = _Segments(segments.line, segments.start, last, ~closed, segments.cells, segments.need)
        years = opened.years()
        self.hidden_month[region] |= opened.cells
        self.hidden_year[region] |= years
        np.logical_or.at(self.hidden_month, opened.line, opened.cells)
        np.logical_or.at(self.hidden_year, opened.line, years)

    def _free_regions(self) -> None:
        """Primary cells of the region's own line that no centre's rectangle has freed: open both ways.

        Where centres add up to the region every small total has small centres, and nothing is left to do here.
        """
        lines, threshold = self._lines, self._threshold
        for line in np.flatnonzero(
            lines.region & self._has_centres() & (lines.small_month | lines.small_year).any(axis=1)
        ):
            first = self._first[lines.network[line]]
            months = np.flatnonzero(lines.small_month[line] | lines.small_year[line])
            need = threshold - np.fmin(
                np.where(lines.small_month[line], lines.month[line], np.nan),
                np.where(lines.small_year[line], lines.year[line], np.nan),
            )
            for m in months:
                self._free_total(line, first, m, need[m])

    def _free_total(self, line: np.int64, first: np.int64, m: np.int64, need: np.float64) -> None:
        tail = slice(m, MONTHS)
        centres = np.arange(first, line)
        year_open = (self.hidden_year[line, tail] | ~self._has_year[line, tail]).all()
        open_months = self.hidden_month[centres, m] | self._unpublished[centres, m]
        opened = open_months & (self.hidden_year[centres, tail] | ~self._has_year[centres, tail]).all(axis=1)
        if year_open and opened.any():
            return
        if self._closed_pair(line, centres[open_months], int(m), float(need)):
            return
        present = self._has_month[centres, m] * 2 + self._has_year[centres, tail].any(axis=1)
        partner = centres[np.argmax(present * 10 + open_months)]
        for each in (line, partner):
            self.hidden_month[each, m] |= self._has_month[each, m]
            self.hidden_year[each, tail] |= self._has_year[each, tail]

    def _closed_pair(self, line: np.int64, centres: Ints, m: int, need: float) -> bool:
        """Whether the region and one hidden centre can gain at `m` and lose as many in months hidden in both."""
        small_year = bool(self._lines.small_year[line, m])
        for centre in centres:
            both = self.hidden_month[line] & self.hidden_month[centre]
            if not (self.hidden_month[line, m] or self._unpublished[line, m]):
                continue
            free = [self.hidden_year[each] | ~self._has_year[each] for each in (line, centre)]
            joint = free[0] & free[1]
            gives = np.minimum(self._spare[line], self._spare[centre])
            total, k = 0.0, m
            while k + 1 < MONTHS and joint[k]:
                k += 1
                total += gives[k] if both[k] else 0
            k = m
            while not small_year and k - 1 >= 0 and joint[k - 1]:
                k -= 1
                total += gives[k] if both[k] else 0
            if total >= need:
                return True
        return False

    def _lift_wider(self, segments: _Segments) -> None:
        """Where a wider group's sums stand too close above a cell's, open both ways in the wider group as well.

        Sums that add up never do: they exceed a group's sums by no less than the cell exceeds the group's cell.
        """
        lines = self._lines
        month = np.where(self._has_month, self._month, np.nan)
        for wider in lines.wider.T:
            at = np.flatnonzero(wider[segments.line] >= 0)
            line, above = segments.line[at], wider[segments.line[at]]
            row, m = np.nonzero(segments.need[at] > 0)
            line, above, need = line[row], above[row], segments.need[at][row, m]
            apart = np.nan_to_num(month[above, m] - month[line, m], nan=np.inf)
            gap = np.where(lines.small_month[above, m], np.minimum(need, apart), need)
            tight = (self._closest(line, above, m) < gap) | (apart < gap)
            region, total = self._region_of[line], self._region_of[above]
            leaning = self._leaning[line] & (region >= 0) & (total >= 0)
            tight |= leaning & (self._closest(region, total, m) < gap)
            tight |= leaning & (month[total, m] - month[region, m] < gap)
            for one, place, amount in zip(line[tight], m[tight], need[tight], strict=True):
                self._lift(int(one), int(place), float(amount))

    def _closest(self, line: Ints, above: Ints, m: Ints) -> Floats:
        """How near the wider line's year-to-date cells come to the line's, from month `m` on."""
        distance = self._lines.year[above] - self._lines.year[line]
        distance = np.where(np.arange(MONTHS) >= m[:, None], distance, np.inf)
        return np.asarray(np.fmin.reduce(np.where(np.isnan(distance), np.inf, distance), axis=1))

    def _lift(self, line: int, m: int, need: float) -> None:
        lines, tail = self._lines, slice(m, MONTHS)
        month = np.where(self._has_month[:, m], self._month[:, m], np.nan)
        moved = [line]
        for above in (int(each) for each in lines.wider[line] if each >= 0):
            near = False
            for one in moved:
                pairs = [(above, one), (int(self._region_of[above]), int(self._region_of[one]))]
                for high, low in pairs:
                    if high >= 0 and low >= 0:
                        gaps = [
                            month[high] - month[low],
                            *(lines.year[high, tail] - lines.year[low, tail]),
                        ]
                        near |= bool((np.nan_to_num(np.array(gaps), nan=np.inf) < need).any())
            if near:
                moved.append(above)
        for one in moved:
            for each in (one, int(self._region_of[one])):
                if each >= 0:
                    self.hidden_month[each, m] = True
                    self.hidden_year[each, tail] = True
