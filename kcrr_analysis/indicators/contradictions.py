"""What the counts of a region contradict: each rule compares shown numbers only and names the place.

A comparison with a value that disclosure control withholds or marks is not made, in either mode, so that neither a
warning nor its absence says anything about a hidden count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kcrr_analysis.indicators.flow import TOTAL
from kcrr_analysis.tables import TABLES

PERSONS = (
    "registered_new", "applied", "measure_applicants", "measure_recipients", "guidance_recipients", "clients_served",
)  # fmt: skip
UNITS = ("measures_delivered", "visits", "services_delivered")
STOCK = "registered_stock"
FLOWS = PERSONS + UNITS
COUNTS = (STOCK, *FLOWS)

KEYS = ["center_id", "client_group", "month"]
FOUND = [*KEYS, "check", "column", "what", "remedy"]

_NOT_MORE = (
    ("recipients", "measure_recipients", ("measure_applicants",)),
    ("recipients", "measure_recipients", ("measures_delivered",)),
    ("recipients", "clients_served", ("services_delivered",)),
    ("applicants", "measure_applicants", ("applied", "clients_served")),
)
MIN_SAME = 6
"""Months in which a stock equals a flow before the one is taken for the other."""

MIN_DOUBLE = 30
"""Sum of the centres' persons under which a few people of two centres explain any percentage."""

MIN_CUMULATED = 30
"""A month equal to the year so far is no chance from this count on."""


@dataclass
class Found:
    """Contradictions and how many comparisons stand behind them.

    Attributes:
        rows: One frame for each rule that found something.
        made: Check -> comparisons made.
        skipped: Check -> comparisons that a missing, withheld or marked number left out.
    """

    rows: list[pd.DataFrame] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def note(self, check: str, known: pd.Series | np.ndarray) -> None:
        """Counts comparisons: `known` says which could be made."""
        made = int(np.asarray(known, dtype=bool).sum())
        self.made[check] = self.made.get(check, 0) + made
        self.skipped[check] = self.skipped.get(check, 0) + len(known) - made

    def add(self, check: str, at: pd.DataFrame, column: str, what: pd.Series, remedy: str) -> None:
        """Contradictions at the keys of `at` (columns `KEYS`)."""
        if len(at):
            self.rows.append(at[KEYS].assign(check=check, column=column, what=what, remedy=remedy))

    def frame(self) -> pd.DataFrame:
        """All contradictions, one a place and month."""
        return pd.concat(self.rows, ignore_index=True) if self.rows else pd.DataFrame(columns=FOUND)


def title(column: str) -> str:
    """Russian title of a flow column in guillemets."""
    return f"«{TABLES['flow'].columns[column].title}»"


def shown(flow: pd.DataFrame) -> pd.DataFrame:
    """Counts of rows as floats, NaN where they are missing, withheld or marked; with `KEYS` and `period`.

    The region's own rows have an empty `center_id`.
    """
    frame = flow[["month", "period", "client_group"]].copy()
    frame["center_id"] = flow["center_id"].where(flow["scope"] == "center").astype("string").fillna("").astype(str)
    frame["client_group"] = frame["client_group"].astype(str)
    for column in COUNTS:
        values = flow[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        mark = f"{column}_hidden"
        withheld = flow[mark].fillna(False).to_numpy(dtype=bool) if mark in flow else np.zeros(len(flow), bool)
        frame[column] = np.where(withheld, np.nan, values)
    return frame.reset_index(drop=True)


def rows_against_each_other(counts: pd.DataFrame, found: Found) -> None:
    """A count that cannot be more than another of the same row."""
    for check, less, more in _NOT_MORE:
        limit = counts[list(more)].sum(axis=1, skipna=False)
        found.note(check, counts[less].notna() & limit.notna())
        wrong = counts[counts[less] > limit]
        against = " и ".join(title(name) for name in more)
        together = " вместе" if len(more) > 1 else ""
        what = _pairs(wrong[less], limit.loc[wrong.index], f"{title(less)} больше, чем {against}{together}")
        found.add(check, wrong, less, what, "Проверьте обе величины и то, к одному ли периоду и группе они относятся.")


def periods(counts: pd.DataFrame, found: Found) -> None:
    """Since January: not below the month, not falling, not above the sum of the months."""
    single, year = (_keyed(counts, period) for period in ("month", "year_to_date"))
    both = single.join(year, lsuffix="_month", rsuffix="_year", how="inner")
    keys = year.index.to_frame(index=False)
    before = year.reindex(pd.MultiIndex.from_frame(keys.assign(month=keys["month"] - 1))).set_axis(year.index)
    same_year = (keys["month"].dt.month > 1).to_numpy(dtype=bool)
    sums = _sums(single)
    for column in FLOWS:
        month, so_far = both[f"{column}_month"], both[f"{column}_year"]
        found.note("periods", month.notna() & so_far.notna())
        wrong = both[so_far < month].reset_index()
        text = f"{title(column)}: с начала года меньше, чем за месяц"
        what = _pairs(wrong[f"{column}_year"], wrong[f"{column}_month"], text)
        found.add("periods", wrong, column, what, "Проверьте строки period = year_to_date и period = month.")

        found.note("periods", (year[column].notna() & before[column].notna())[same_year])
        fallen = (year[column] < before[column]) & same_year
        wrong = pd.DataFrame({"now": year.loc[fallen, column], "was": before.loc[fallen, column]}).reset_index()
        text = f"{title(column)}: нарастающий итог упал к прошлому месяцу"
        found.add("periods", wrong, column, _pairs(wrong["now"], wrong["was"], text),
                  "Проверьте оба месяца: итог с начала года не убывает.")  # fmt: skip

        total = sums[column].reindex(year.index)
        found.note("periods", year[column].notna() & total.notna())
        more = year[column] > total
        wrong = pd.DataFrame({"now": year.loc[more, column], "sum": total[more]}).reset_index()
        text = f"{title(column)}: с начала года больше суммы месяцев"
        found.add("periods", wrong, column, _pairs(wrong["now"], wrong["sum"], text),
                  "Проверьте месяцы с января: в одном из них не хватает людей или единиц.")  # fmt: skip


def groups(counts: pd.DataFrame, parents: Mapping[str, str | None], found: Found) -> None:
    """A group is not above the wider group that holds it, nor above all."""
    keyed = counts.set_index([*KEYS, "period"]).sort_index()
    present = set(counts["client_group"])
    for inner, outer in nested(present, parents):
        part = counts[counts["client_group"] == inner]
        wanted = pd.MultiIndex.from_frame(part.assign(client_group=outer)[[*KEYS, "period"]])
        wider = keyed[~keyed.index.duplicated()].reindex(wanted)
        for column in COUNTS:
            roof = pd.Series(wider[column].to_numpy(), index=part.index)
            found.note("groups", part[column].notna() & roof.notna())
            wrong = part[part[column] > roof]
            name = "итога (all)" if outer == TOTAL else f"группы {outer}, в которую она входит"
            what = _pairs(wrong[column], roof.loc[wrong.index], f"{title(column)}: в группе больше, чем у {name}")
            found.add("groups", wrong, column, what, "Проверьте строки обеих групп: часть не больше целого.")


def nested(present: set[str], parents: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Pairs (group, the nearest wider group that is present); every group lies in `all`."""
    pairs = []
    for code in sorted(present - {TOTAL}):
        seen, wider = {code}, parents.get(code)
        while wider is not None and wider not in present and wider not in seen:
            seen.add(wider)
            wider = parents.get(wider)
        outer = wider if wider in present and wider not in seen else TOTAL
        if outer in present:
            pairs.append((code, outer))
    return pairs


def sums_of_centres(counts: pd.DataFrame, everyone: set[str], double_percent: float, found: Found) -> None:
    """The region against its centres: persons between the largest centre and the sum, units equal to the sum."""
    unit = ["period", "client_group", "month"]
    whole = counts[counts["center_id"] == ""].set_index(unit)
    of_centres = counts[counts["center_id"] != ""]
    reported = of_centres.groupby(unit)["center_id"].agg(lambda codes: everyone <= set(codes))
    whole = whole[~whole.index.duplicated()]
    whole = whole.loc[whole.index.intersection(reported.index[reported.astype(bool)])]
    by_place = of_centres.groupby(unit)[list(COUNTS)]
    sums, lacking = by_place.sum(), of_centres[list(COUNTS)].isna().groupby([of_centres[name] for name in unit]).any()
    for column in COUNTS:
        total = sums[column].mask(lacking[column]).reindex(whole.index)
        own = whole[column]
        found.note("centres", own.notna() & total.notna())
        text = f"{title(column)}: в строке региона"
        if column in UNITS:
            cases = [(own != total, f"{text} не столько, сколько в сумме центров")]
        else:
            cases = [
                (own > total, f"{text} больше, чем в сумме центров"),
                ((total > own * (1 + double_percent / 100)) & (total >= MIN_DOUBLE),
                 f"{text} заметно меньше суммы центров: столько людей вряд ли бывает в двух центрах"),
            ]  # fmt: skip
        for wrong, said in cases:
            at = (wrong & own.notna() & total.notna()).to_numpy(dtype=bool)
            rows = pd.DataFrame({"own": own[at], "sum": total[at]}).reset_index().assign(center_id="")
            what = _pairs(rows["own"], rows["sum"], said)
            found.add("centres", rows, column, what, "Проверьте строку региона и строки всех центров.")


def stocks_and_flows(counts: pd.DataFrame, found: Found) -> None:
    """A stock that is a flow, a month that is a year so far."""
    single, year = (_keyed(counts, period) for period in ("month", "year_to_date"))
    both = single.join(year, lsuffix="_month", rsuffix="_year", how="inner")
    month, so_far = both[f"{STOCK}_month"], both[f"{STOCK}_year"]
    found.note("stocks", month.notna() & so_far.notna())
    wrong = both[(month != so_far) & month.notna() & so_far.notna()].reset_index()
    text = f"{title(STOCK)}: численность на дату различается в строках за месяц и с начала года"
    found.add("stocks", wrong, STOCK, _pairs(wrong[f"{STOCK}_month"], wrong[f"{STOCK}_year"], text),
              "Это одна и та же численность на конец месяца: запишите её одинаково.")  # fmt: skip

    of_all = both[both.index.get_level_values("client_group") == TOTAL].reset_index()
    for other, said in (("registered_new_month", "числу вставших на учёт за месяц"),
                        ("registered_new_year", "числу вставших на учёт с начала года")):  # fmt: skip
        known = of_all[of_all[[f"{STOCK}_month", other]].notna().all(axis=1)]
        if other.endswith("year"):
            known = known[known["month"].dt.month > 1]
        found.note("stocks", np.ones(known["center_id"].nunique(), bool))
        same = (known[f"{STOCK}_month"] == known[other]).groupby(known["center_id"]).agg(["all", "size"])
        taken = same.index[same["all"] & (same["size"] >= MIN_SAME)]
        last = known[known["center_id"].isin(taken)].sort_values("month").groupby("center_id").tail(1)
        what = pd.Series(f"{title(STOCK)}: каждый месяц равно {said} — похоже на поток вместо численности",
                         index=last.index)  # fmt: skip
        found.add("stocks", last, STOCK, what, "Запишите численность на конец месяца, а поток — в свой столбец.")

    later = of_all[of_all["month"].dt.month > 2]
    for column in FLOWS:
        month, so_far = later[f"{column}_month"], later[f"{column}_year"]
        found.note("stocks", month.notna() & so_far.notna())
        wrong = later[(month == so_far) & (month >= MIN_CUMULATED)]
        text = f"{title(column)}: за месяц столько же, сколько с начала года"
        found.add("stocks", wrong, column, _pairs(wrong[f"{column}_month"], wrong[f"{column}_year"], text),
                  "Проверьте, не записан ли месяц нарастающим итогом или итог — за один месяц.")  # fmt: skip


def jumps(rooms: pd.DataFrame, modernised: pd.Series, jump_percent: float, least_staff: float, found: Found) -> None:
    """Area and staff that change from month to month by more than modernisation explains.

    Args:
        rooms: Premises by (month, center_id).
        modernised: First month after modernisation by centre, NaT for none.
        jump_percent: Change from which it is a jump, %.
        least_staff: A change of staff by fewer posts is no jump.
        found: Where to.
    """
    names = {"floor_area_m2": "общая площадь", "client_area_m2": "площадь клиентской зоны", "staff_fte": "ставки"}
    ordered = rooms.reset_index().sort_values(["center_id", "month"])
    same = ordered["center_id"].eq(ordered["center_id"].shift()) & (
        ordered["month"].astype("int64").diff() == 1
    )  # fmt: skip
    since = ordered["center_id"].map(modernised)
    away = (ordered["month"].astype("int64") - pd.PeriodIndex(since, freq="M").astype("int64")).abs()
    rebuilt = since.notna().to_numpy() & (away <= 1).to_numpy()
    for column, name in names.items():
        now, was = ordered[column], ordered[column].shift().where(same)
        found.note("premises", now.notna() & was.notna())
        jumped = (was > 0) & ((now / was - 1).abs() > jump_percent / 100) & ~rebuilt
        if column == "staff_fte":
            jumped &= (now - was).abs() >= least_staff
        wrong = ordered[jumped].assign(client_group="", now=now[jumped], was=was[jumped])
        what = pd.Series(
            [f"{name}: было {_number(a)}, стало {_number(b)}" for a, b in zip(wrong["was"], wrong["now"], strict=True)],
            index=wrong.index, dtype=object,
        )  # fmt: skip
        found.add("premises", wrong, column, what,
                  "Проверьте строки center_months; если центр перестроен, запишите дату в centers.modernised_from.",
                  )  # fmt: skip


def _keyed(counts: pd.DataFrame, period: str) -> pd.DataFrame:
    part = counts[counts["period"] == period].set_index(KEYS).drop(columns="period").sort_index()
    return part[~part.index.duplicated()]


def _sums(single: pd.DataFrame) -> pd.DataFrame:
    """Sums of months since January; missing where a month is."""
    ordered = single.reset_index().sort_values(KEYS)
    year = ordered["month"].dt.year
    by = [ordered["center_id"], ordered["client_group"], year]
    whole = ordered.groupby(by).cumcount().to_numpy() + 1 == ordered["month"].dt.month.to_numpy()
    values = ordered[list(FLOWS)]
    lacking = values.isna().astype(int).groupby(by).cummax().astype(bool)
    sums = values.groupby(by).cumsum().mask(lacking)
    sums[~whole] = np.nan
    return sums.set_index(pd.MultiIndex.from_frame(ordered[KEYS]))


def _pairs(first: pd.Series, second: pd.Series, text: str) -> pd.Series:
    """The text with both numbers."""
    said = [f"{text} ({_number(a)} и {_number(b)})" for a, b in zip(first, second, strict=True)]
    return pd.Series(said, index=first.index, dtype=object)


def _number(value: float) -> str:
    return f"{value:,.10g}".replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
