"""Before a pilot: what the centres at hand could show, read from their own past, and the draw.

The protocol says what is to be found; the past of the same centres says how alike the clients of one centre are, how
many come, and whether the planned analysis keeps its error on data in which nothing was tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.assignment import Assignment
from kcrr_analysis.experiments.attainable import smallest_p
from kcrr_analysis.experiments.extra_columns import numbers
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.order import Order, order
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.experiments.sizing.closed_form import Power
from kcrr_analysis.experiments.sizing.icc import Icc, icc
from kcrr_analysis.experiments.sizing.simulated import SimulatedPower, simulated_power
from kcrr_analysis.experiments.validity.aa_test import placebo
from kcrr_analysis.experiments.validity.checks import Check
from kcrr_analysis.tables import ALL, Tables

PER_ARM = (3, 4, 6, 8, 10, 15, 20, 30, 40, 60, 80)
"""Numbers of centres in an arm that the table of power goes through."""

FLOW, RESULTS = "flow", "pilot_results"
"""Tables that can tell the past of the centres."""

RUNS, DRAWS = 200, 499
"""Simulated pilots, and assignments that each is compared with: the power is known to within 6 percentage points."""

FEWEST = 4
"""Centres with a past below which nothing is planned from it."""

KINDS = ("proportion", "count", "mean")


@dataclass(frozen=True, eq=False)
class Planned:
    """What a pilot by this protocol could show with the centres at hand.

    Attributes:
        protocol: The protocol.
        region_code: The region of the report.
        numerator: Column of the table that stands for the outcome in the past.
        of: Its denominator: persons.
        months: First and last month of the past; None where it is an earlier pilot's.
        source: Table of the past.
        centers: One row a centre: center_id, region_code, past_total, past_n, past_share.
        left_out: Centres without these figures.
        icc: Intraclass correlation in the past.
        effect: The effect that is to be found: the primary outcome's smallest worthwhile one (or its margin).
        power: Power of the protocol with all these centres.
        table: One row a number of centres in an arm: per_arm, centers (of all arms), power, power_low, power_high (at
            the limits of the correlation), assurance, detectable, smallest_p; all in the outcome's scale.
        simulated: Power by simulation on the past; None where the method or outcome has none.
        placebo: A/A on the past; None where it cannot be made.
    """

    protocol: Protocol
    region_code: str
    numerator: str
    of: str
    months: tuple[pd.Period, pd.Period] | None
    centers: pd.DataFrame
    source: str
    left_out: int
    icc: Icc
    effect: float
    power: Power
    table: pd.DataFrame
    simulated: SimulatedPower | None
    placebo: Check | None

    def to_frame(self) -> pd.DataFrame:
        """One row a number of centres."""
        return self.table.copy()


def plan(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    protocol: str | Protocol,
    numerator: str = "measure_recipients",
    of: str = "measure_applicants",
    months: int = 6,
    source: str = FLOW,
) -> Planned:
    """Power, A/A and the intraclass correlation from the centres' own past.

    Args:
        tables: Data with `flow` by centre, of all regions that are to take part.
        region: The region of the report.
        month: Last month of the past; the last one in the data by default.
        protocol: The protocol or its file.
        numerator: Column of `flow` that is like the primary outcome.
        of: Column of `flow` with the persons it is a share (or a number per person) of.
        months: Months of the past, as many as the pilot is to last.
        source: Table of the past, see `history`.

    Raises:
        MissingTableError: There is no table `flow`.
        NotComputableError: Fewer than four centres have both columns, or the design cannot be planned this way.
        ParameterError: Columns that `flow` has not.
    """
    fixed = protocol if isinstance(protocol, Protocol) else Protocol.load(protocol)
    design, outcome = fixed.design, fixed.primary
    if design.cluster is None or outcome.kind not in KINDS:
        raise NotComputableError(
            "План по прошлым данным строится для назначения центров и показателей вида доля, число на человека или "
            "среднее. Для других случаев мощность считают по ожидаемым числам (experiments.power)."
        )
    past, span, left_out = history(tables, month, numerator=numerator, of=of, months=months, source=source)
    total, n = past["past_total"].to_numpy(dtype=float), past["past_n"].to_numpy(dtype=float)
    if outcome.kind == "mean":
        raise NotComputableError(
            "В таблице flow суммы по центрам: разброс среднего между людьми из них не виден. Выберите "
            "показатель-долю или вызовите experiments.power с известным sd."
        )
    alike = icc(total, n)
    effect = outcome.sign * (outcome.worthwhile or float(outcome.margin or 0))
    if effect == 0:
        raise ParameterError(
            f"Протокол «{fixed.pilot}»: у основного показателя не указан worthwhile — наименьший эффект, который "
            "имеет значение. Без него не с чем соотнести мощность."
        )
    rows, whole = [], None
    arms = len(design.names)
    for per_arm in sorted({*PER_ARM, len(past) // arms}):
        found = _power(fixed, alike, float(total.sum() / n.sum()), effect, per_arm)
        if found is None:
            continue
        if per_arm == len(past) // arms:
            whole = found
        rows.append(
            {
                "per_arm": per_arm, "centers": per_arm * arms, "power": found.power, "power_low": found.power_low,
                "power_high": found.power_high, "assurance": found.assurance, "detectable": found.detectable,
                "smallest_p": found.smallest_p,
            }
        )  # fmt: skip
    if whole is None:
        raise NotComputableError(f"Центров с прошлыми данными: {len(past)}. Для {arms} групп этого мало.")
    drawn = _drawn(fixed, past)
    least = smallest_p(drawn) if drawn is not None else 0.0
    # Trials on the past know one comparison of two arms.
    allowed = drawn.allowed if drawn is not None and not design.in_time and arms == 2 else None
    return Planned(
        fixed, region, numerator, of, span, past, source, left_out, alike, effect, whole,
        _at_hand(pd.DataFrame(rows), len(past) // arms, least, fixed.alpha),
        _simulated(fixed, total, n, allowed, effect), _placebo(fixed, total, n, allowed),
    )  # fmt: skip


def draw(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    protocol: str | Protocol,
    numerator: str = "measure_recipients",
    of: str = "measure_applicants",
    months: int = 6,
    source: str = FLOW,
) -> Order:
    """Draws the protocol's assignment of the centres.

    Args:
        tables: Data with `centers`, and `flow` where the design balances past figures (`past_total`, `past_n`,
            `past_share`), of all regions that take part.
        region: The region of the report.
        month: Last month of the past.
        protocol: The protocol or its file.
        numerator: As in `plan`.
        of: As in `plan`.
        months: As in `plan`.
        source: As in `plan`.

    Raises:
        MissingTableError: There is no table `centers`.
        ParameterError: As `Design.assign`.
    """
    fixed = protocol if isinstance(protocol, Protocol) else Protocol.load(protocol)
    if fixed.design.cluster is None:
        raise NotComputableError(
            "Протокол назначает людей по одному, а их списка в таблицах нет. Жребий: протокол.design.assign(список "
            "людей), строка — человек; список остаётся в файле и не публикуется."
        )
    units = tables.centers.drop_duplicates("center_id")
    if set(fixed.design.balance) & {"past_total", "past_n", "past_share"}:
        past, _, _ = history(tables, month, numerator=numerator, of=of, months=months, source=source)
        units = units.merge(past.drop(columns="region_code"), on="center_id", how="inner")
    assignment = fixed.design.assign(units)
    place = units.set_index("center_id")
    names = place["center_name"].dropna().astype(str) if "center_name" in place else None
    own = frozenset(place.index[place["region_code"] == region].astype(str))
    return replace(order(fixed, assignment, names), listed=own)


def history(
    tables: Tables,
    month: str | pd.Period | None,
    *,
    numerator: str,
    of: str,
    months: int,
    source: str = FLOW,
) -> tuple[pd.DataFrame, tuple[pd.Period, pd.Period] | None, int]:
    """Sums of two columns by centre over the last months.

    Args:
        tables: Data with the table `source`.
        month: Last month; the last one in the data by default.
        numerator: Column of the outcome.
        of: Column of the persons.
        months: Number of months.
        source: `flow`, or `pilot_results` (all its rows of a centre together, whatever their month).

    Returns:
        One row a centre (center_id, region_code, past_total, past_n, past_share); first and last month, None for
        `pilot_results`; the number of centres left out because a figure is missing or withheld.

    Raises:
        MissingTableError: There is no such table.
        NotComputableError: Fewer than four centres have both figures for all months.
        ParameterError: An unknown table or column.
    """
    if source not in {FLOW, RESULTS}:
        raise ParameterError(f"Прошлые данные: таблица «{source}» не подходит. Допустимы: {FLOW}, {RESULTS}.")
    if source == RESULTS and RESULTS not in tables:
        raise NotComputableError(
            "Прошлое центров: таблицы pilot_results нет. Возьмите прошлое из помесячных данных: source = flow и "
            "подходящие numerator и of в первой ячейке."
        )
    rows = tables.flow if source == FLOW else tables.pilot_results
    for column in (numerator, of):
        if column not in rows and source == RESULTS:
            raise NotComputableError(
                f"Прошлое центров: в таблице {source} нет столбца «{column}». Возьмите прошлое из помесячных данных: "
                "source = flow и подходящие numerator и of в первой ячейке."
            )
        if column not in rows:
            listed = ", ".join(_counts(rows))
            raise ParameterError(f"В таблице {source} нет столбца «{column}». Есть числовые: {listed}.")
    span, wanted = None, 1
    if source == FLOW:
        rows = rows.loc[(rows["scope"] == "center") & (rows["client_group"] == ALL) & (rows["period"] == "month")]
        if rows.empty:
            raise NotComputableError("В таблице flow нет помесячных строк по центрам: прошлое центров неизвестно.")
        last: pd.Period = rows["month"].max() if month is None else pd.Period(str(month), "M")
        span, wanted = (last - (months - 1), last), months
        rows = rows[(rows["month"] >= span[0]) & (rows["month"] <= span[1])]
    rows = rows.assign(**{column: numbers(rows[column])[0] for column in (numerator, of)})
    known = rows[numerator].notna() & rows[of].notna()
    sums = (
        rows.assign(known=known)
        .groupby(["center_id", "region_code"], as_index=False)
        .agg(past_total=(numerator, "sum"), past_n=(of, "sum"), known=("known", "sum"), rows=("known", "size"))
    )
    full = sums[(sums["known"] >= wanted) & (sums["known"] == sums["rows"]) & (sums["past_n"] > 0)]
    if len(full) < FEWEST:
        raise NotComputableError(
            f"Центров с полными прошлыми данными (столбцы {numerator} и {of}): {len(full)}. Нужно хотя бы {FEWEST}."
        )
    full = full.drop(columns=["known", "rows"]).astype({"past_total": float, "past_n": float})
    full["past_share"] = full["past_total"] / full["past_n"]
    return full.reset_index(drop=True), span, len(sums) - len(full)


def _counts(rows: pd.DataFrame) -> list[str]:
    """Columns that hold numbers."""
    codes = {"center_id", "region_code", "person_id", "pilot_id", "month"}
    return [
        str(name)
        for name in rows.columns
        if name not in codes and rows[name].notna().any() and not numbers(rows[name])[1].any()
    ]


def _power(protocol: Protocol, alike: Icc, baseline: float, effect: float, per_arm: int) -> Power | None:
    """Power with so many centres in an arm; None where the design does not take them."""
    outcome, design = protocol.primary, protocol.design
    aim = outcome.aim or "difference"
    settings = {"aim": aim, "margin": outcome.margin if aim != "difference" else None, "better": outcome.better}
    counts: object = per_arm
    if design.method not in ("stepped_wedge", "switchback", "matched_pairs", "crossover"):
        shares = np.array(list(design.shares.values()))
        counts = [max(round(float(per_arm * len(shares) * share)), 1) for share in shares]
    try:
        return design.power(
            outcome.kind, baseline=baseline, effect=effect if aim == "difference" else 0.0, clusters=counts,
            size=round(alike.mean_size), icc=alike, alpha=protocol.alpha, **settings,
        )  # fmt: skip
    except NotComputableError:
        return None


def _drawn(protocol: Protocol, past: pd.DataFrame) -> Assignment | None:
    """A possible assignment of these centres; None where the design does not take them."""
    try:
        return protocol.design.assign(past)
    except ParameterError:
        return None


def _at_hand(table: pd.DataFrame, per_arm: int, least: float, alpha: float) -> pd.DataFrame:
    """The row of the centres at hand with the p-value that their strata and arms allow."""
    own = table["per_arm"] == per_arm
    table.loc[own, "smallest_p"] = np.maximum(table.loc[own, "smallest_p"], least)
    if least > alpha:
        table.loc[own, ["power", "power_low", "power_high", "assurance"]] = 0.0
        table.loc[own, "detectable"] = np.nan
    return table


def _placebo(protocol: Protocol, total: np.ndarray, n: np.ndarray, allowed: Allowed | None) -> Check | None:
    if allowed is None or protocol.primary.kind != "proportion" or (total > n).any():
        return None
    return placebo(total, n, allowed, alpha=protocol.alpha, seed=protocol.design.reference_seed)


def _simulated(
    protocol: Protocol, total: np.ndarray, n: np.ndarray, allowed: Allowed | None, effect: float
) -> SimulatedPower | None:
    outcome = protocol.primary
    if allowed is None or outcome.aim != "difference" or outcome.kind != "proportion" or (total > n).any():
        return None
    return simulated_power(
        total, n, allowed, effect=effect, alpha=protocol.alpha, runs=RUNS, draws=DRAWS,
        seed=protocol.design.reference_seed,
    )  # fmt: skip
