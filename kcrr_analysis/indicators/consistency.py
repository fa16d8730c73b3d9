"""Warnings where the figures of a region contradict each other, each with its place and remedy."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.errors import KcrrError, NotComputableError, ParameterError
from kcrr_analysis.indicators import contradictions
from kcrr_analysis.indicators.centres import centres, premises
from kcrr_analysis.indicators.contradictions import Found
from kcrr_analysis.indicators.coverage import coverage
from kcrr_analysis.indicators.flow import dictionaries, group_title, guarded, reporting_month
from kcrr_analysis.tables import Tables

CHECKS = {
    "recipients": "Получатели и обратившиеся",
    "applicants": "Обратившиеся за мерами и все клиенты",
    "periods": "Месяц и нарастающий итог",
    "groups": "Группа и группа, в которую она входит",
    "centres": "Регион и сумма центров",
    "coverage": "Охват не больше 100 %",
    "stocks": "Численность на дату и поток за период",
    "premises": "Скачки площади и числа ставок",
}
LEAST_STAFF = 2.0
"""Posts: a change by fewer is no jump, whatever its percentage."""


@dataclass(frozen=True)
class Consistency:
    """Contradictions among the figures of one region in the months up to the reporting month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        first: The first month that was looked at.
        rows: One row a contradiction and place: check, title (of the check), place (centre's name, or the region),
            client_group, group_title, month (the latest of them), months (how many months have it), what (with the
            shown numbers of the latest month), remedy. Empty where nothing was found.
        checks: One row a check: check, title, made (comparisons), skipped (comparisons that missing, withheld or marked
            numbers left out), found (places).
    """

    region_code: str
    month: pd.Period
    first: pd.Period
    rows: pd.DataFrame
    checks: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a contradiction and place, with region and period."""
        return self.rows.assign(region_code=self.region_code, period=f"{self.first}..{self.month}")


def consistency(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    months: int = 12,
    double_percent: float = 15,
    jump_percent: float = 25,
    rule: disclosure.Rule | None = None,
) -> Consistency:
    """What contradicts what in the region's figures.

    Args:
        tables: Data with the table `flow`; `population` and `center_months` allow more checks.
        region: Region code.
        month: Reporting month (`2025-10`); the last one in `flow` by default.
        months: How many months are looked at, the reporting month included.
        double_percent: The sum of centres may exceed the region's persons by this much, % (people of two centres).
        jump_percent: A change of area or staff from month to month above it is a jump, %.
        rule: Disclosure rule for a `flow` that is not under disclosure control yet.

    Raises:
        ParameterError: A setting is out of bounds.
        MissingTableError: There is no table `flow`.
        NotComputableError: `flow` has no rows of the region, or none of the month.
    """
    for name, value in (("months", months), ("double_percent", double_percent), ("jump_percent", jump_percent)):
        if value <= 0:
            raise ParameterError(f"Параметр {name}: {value:g} не допускается. Укажите число больше нуля.")
    tables = guarded(tables, rule)
    known = centres(tables, region)
    flow = tables.flow
    of_centre = (flow["scope"] == "center") & flow["center_id"].isin(known.index)
    own = flow[of_centre | ((flow["scope"] == "region") & (flow["region_code"] == region))]
    if own.empty:
        raise NotComputableError(f"В таблице flow нет строк региона {region}: сверять нечего. Проверьте код региона.")
    at = reporting_month(own["month"], month, region)
    first = at - (months - 1)
    # Sums since January need the months of the first year from its beginning.
    start = pd.Period(f"{first.year}-01", freq="M")
    counts = contradictions.shown(own[(own["month"] >= start) & (own["month"] <= at)])
    found = Found()
    groups = dictionaries(tables).groups
    inside = counts[counts["month"] >= first]
    contradictions.rows_against_each_other(inside, found)
    contradictions.periods(counts, found)
    contradictions.groups(inside, {code: group.parent for code, group in groups.items()}, found)
    contradictions.sums_of_centres(inside, set(known.index), double_percent, found)
    contradictions.stocks_and_flows(counts, found)
    _coverage(tables, region, at, found)
    if "center_months" in tables:
        rooms = premises(tables, region)
        when = rooms.index.get_level_values("month")
        since = known["modernised_from"]
        contradictions.jumps(rooms[(when >= first - 1) & (when <= at)], since, jump_percent, LEAST_STAFF, found)
    every = found.frame()
    rows = _places(every[every["month"] >= first])
    rows.insert(1, "title", rows["check"].map(CHECKS))
    rows.insert(2, "place", rows.pop("center_id").map(known["center_name"]).fillna("Регион"))
    rows.insert(4, "group_title", [group_title(code, groups) if code else "" for code in rows["client_group"]])
    return Consistency(region_code=region, month=at, first=first, rows=rows, checks=_summary(found, rows))


def _coverage(tables: Tables, region: str, at: pd.Period, found: Found) -> None:
    try:
        rows = coverage(tables, region, at).rows
    except KcrrError:  # what coverage needs and lacks is said where coverage is shown; here the check is not made
        return
    shown = rows["coverage"].where(~rows["hidden"].astype(bool))
    found.note("coverage", shown.notna())
    wrong = rows[shown > 100].assign(center_id="")
    wrong["month"] = pd.PeriodIndex([at] * len(wrong), freq="M")
    what = pd.Series(
        [f"охвачено больше людей ({a:.0f}), чем есть в группе ({b:.0f})"
         for a, b in zip(wrong["persons"], wrong["population"], strict=True)],
        index=wrong.index, dtype=object,
    )  # fmt: skip
    remedy = "Проверьте численность в таблице population и строки нарастающим итогом в таблице flow."
    found.add("coverage", wrong, "coverage", what, remedy)


def _places(every: pd.DataFrame) -> pd.DataFrame:
    """One row for each contradiction and place: the latest month, and how many months have it."""
    columns = ["check", "center_id", "client_group", "month", "months", "what", "remedy"]
    if every.empty:
        return pd.DataFrame(columns=columns)
    # The words without their numbers tell one kind of contradiction from another.
    kind = every["what"].str.replace(r"[\d\s,]+", " ", regex=True)
    by = [every["check"], every["center_id"], every["client_group"], every["column"], kind]
    ordered = every.assign(months=every.groupby(by)["month"].transform("nunique")).sort_values("month", kind="stable")
    last = ordered.groupby([key.loc[ordered.index] for key in by], sort=False).tail(1)
    place = {name: number for number, name in enumerate(CHECKS)}
    last = last.assign(order=last["check"].map(place))
    last = last.sort_values(["order", "center_id", "client_group", "column"], kind="stable")
    return last[columns].reset_index(drop=True)


def _summary(found: Found, rows: pd.DataFrame) -> pd.DataFrame:
    counted = rows["check"].value_counts()
    return pd.DataFrame(
        {
            "check": list(CHECKS),
            "title": list(CHECKS.values()),
            "made": [found.made.get(check, 0) for check in CHECKS],
            "skipped": [found.skipped.get(check, 0) for check in CHECKS],
            "found": [int(counted.get(check, 0)) for check in CHECKS],
        }
    )
