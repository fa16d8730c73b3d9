"""Sums over the events of a unit (a centre, a format, a month ...), and how certain they are.

The sum over a period is what was recorded. As a measure of a unit's working it is one draw of a random stream of events
with values (a compound Poisson process): the limits are Fay & Feuer's gamma limits of its expected sum (*Statistics in
Medicine* 16:791, 1997), where a chain or a probable split is one jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk.terms import FLAGS, TERMS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COLUMNS = {
    "event": "event_id",
    "chain": "chain_id",
    "centre": "center_id",
    "center": "center_id",
    "region": "region_code",
    "tool": "tool_id",
    "theme": "theme",
    "client_group": "client_group",
    "month": "month",
}
"""What an index can be summed by -> column of the events."""

FIXED = {
    "per_1000_people": ("population", 1000.0),
    "per_employee": ("staff_fte", 1.0),
    "per_m2": ("floor_area_m2", 1.0),
}
"""Normalised forms by a fixed exposure: measure -> (column of the exposure, scale)."""

RATIOS = {"per_event": ("one", 1.0), "per_participant": ("participants", 1.0), "per_1000_roubles": ("cost", 1000.0)}
"""Normalised forms by what the events themselves took: measure -> (column of the events, scale)."""

UNNAMED = "не указано"


@dataclass(frozen=True)
class Units:
    """Units of one cut of the events.

    Attributes:
        by: Columns of the cut.
        rows: One row a unit; see `kcrr_analysis.ipk.Score`.
        unit: Position in `rows` of each event's unit.
        pairs: Pairs of ranked units, and those that can be told apart.
    """

    by: tuple[str, ...]
    rows: pd.DataFrame
    unit: Ints
    pairs: tuple[int, int] = (0, 0)


def columns(by: str | Sequence[str]) -> tuple[str, ...]:
    """Columns of the events that `by` names.

    Raises:
        ParameterError: An unknown or repeated name.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    known = set(COLUMNS.values())
    found = [name if name in known else COLUMNS.get(name, "") for name in names]
    if "" in found or len(set(found)) != len(found):
        raise ParameterError(
            f"ИПК: by = {', '.join(map(str, names))}. Допустимы, каждый один раз: {', '.join(COLUMNS)} "
            "или названия этих столбцов таблицы events."
        )
    return tuple(found)


def summed(events: pd.DataFrame, by: tuple[str, ...], *, level: float, least: int) -> Units:
    """Sums, shares and limits by unit, in the order of the codes.

    Args:
        events: Scored events (`terms.compute`), with `one`, and `cost`, `persons`, `clients` where they are known.
        by: Columns of the cut; none for all events together.
        level: Confidence level.
        least: Fewest jumps that allow an interval.

    Raises:
        ParameterError: A column of the cut is not in the table.
    """
    absent = [name for name in by if name not in events]
    if absent:
        raise ParameterError(
            f"ИПК: в таблице мероприятий нет столбца {', '.join(absent)}, по которому нужен индекс. "
            "Добавьте столбец или выберите другой разрез (by)."
        )
    if by:
        unit = np.asarray(events.groupby(list(by), dropna=False, sort=True).ngroup().to_numpy(), dtype=np.int64)
        _, first = np.unique(unit, return_index=True)
        keys = events[list(by)].iloc[first].reset_index(drop=True)
        rows = pd.concat([keys, _sums(events, unit, len(keys), level)], axis=1)
    else:
        unit = np.zeros(len(events), dtype=np.int64)
        rows = _sums(events, unit, 1, level)
    _limits(rows, events, unit, level, least)
    _ratios(rows, events, unit, level)
    return Units(by=by, rows=rows, unit=unit)


def members(unit: Ints, count: int) -> list[Ints]:
    """Positions of the events of each of `count` units."""
    if not count:
        return []
    order = np.argsort(unit, kind="stable").astype(np.int64)
    return np.split(order, np.cumsum(np.bincount(unit, minlength=count))[:-1])


def _sums(events: pd.DataFrame, unit: Ints, count: int, level: float) -> pd.DataFrame:
    def total(values: Any, where: Any = True) -> Floats:
        """Sum of the known values by unit; NaN where a unit has none."""
        array = np.where(where, np.asarray(values, dtype=float), np.nan)
        known = ~np.isnan(array)
        sums = np.bincount(unit[known], weights=array[known], minlength=count)
        return np.asarray(np.where(np.bincount(unit[known], minlength=count) > 0, sums, np.nan))

    def given(name: str) -> Any:
        if name not in events:
            return np.full(len(events), np.nan)
        return np.asarray(events[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan))

    def ratio(numerator: Floats, denominator: Floats) -> Floats:
        return np.asarray(np.divide(numerator, denominator, out=np.full(count, np.nan), where=denominator > 0))

    sums = {term: total(events[term]) for term in TERMS}
    ipk, participants, rated = total(events["ipk"]), total(events["participants"]), total(events["rated_reviews"])
    new_clients, persons, clients = total(given("new_clients")), total(given("persons")), total(given("clients"))
    declaring = total(events["participants"], ~np.isnan(given("new_clients")))
    wilson = stats.wilson(clients, persons, level=level)
    known = persons > 0
    split = pd.DataFrame({"unit": unit, "split": events["split"].to_numpy()}).dropna()
    return pd.DataFrame(
        {
            "events": np.bincount(unit, minlength=count),
            "ipk": ipk,
            **sums,
            **{term.replace("_term", "_share"): 100 * ratio(value, ipk) for term, value in sums.items()},
            "participants": participants,
            "reviews": total(events["reviews"]),
            "mean_engagement": ratio(sums["participants_term"], participants),
            "mean_rating": ratio(sums["reviews_term"], rated),
            "reviews_adjusted": total(events["reviews_adjusted"]),
            "reach": total(given("reach")),
            "new_clients": new_clients,
            "conversion_declared": 100 * ratio(new_clients, declaring),
            "persons": persons,
            "clients": clients,
            "conversion_attributed": 100 * np.where(known, wilson.estimate, np.nan),
            "conversion_attributed_low": 100 * np.where(known, wilson.low, np.nan),
            "conversion_attributed_high": 100 * np.where(known, wilson.high, np.nan),
            **{flag: np.bincount(unit, weights=events[flag], minlength=count).astype(int) for flag in FLAGS},
            "probable_splits": split.groupby("unit")["split"]
            .nunique()
            .reindex(range(count), fill_value=0)
            .to_numpy(int),
            "split_excess": np.bincount(unit, weights=events["split_excess"], minlength=count),
            "cost": total(given("cost")),
        }
    )


def _limits(rows: pd.DataFrame, events: pd.DataFrame, unit: Ints, level: float, least: int) -> None:
    """Adds jumps, low, high, and what `stats.weighted_poisson` needs to scale them (se, largest)."""
    jumps = pd.DataFrame({"unit": unit, "jump": events["jump"].to_numpy(), "ipk": events["ipk"].to_numpy()})
    value = jumps.groupby(["unit", "jump"])["ipk"].sum()
    by_unit = value.groupby(level="unit")
    rows["jumps"] = by_unit.size().reindex(rows.index, fill_value=0).astype(int)
    squares = (value**2).groupby(level="unit").sum().reindex(rows.index)
    rows["se"] = np.sqrt(squares)
    rows["largest"] = by_unit.max().reindex(rows.index)
    limits = stats.weighted_poisson(rows["ipk"], squares, rows["largest"], level=level)
    enough = rows["jumps"] >= least
    rows["low"] = np.where(enough, limits.low, np.nan)
    rows["high"] = np.where(enough, limits.high, np.nan)
    rows["reason"] = np.where(enough, "", f"меньше {least} мероприятий")


def _ratios(rows: pd.DataFrame, events: pd.DataFrame, unit: Ints, level: float) -> None:
    """Adds the index per event, per participant and per 1,000 roubles, with limits where the unit has an interval."""
    inside_of = members(unit, len(rows))
    known = rows["low"].notna().to_numpy()
    for measure, (name, scale) in RATIOS.items():
        if name not in events:
            rows[[measure, f"{measure}_low", f"{measure}_high"]] = np.nan
            continue
        below = events[name].to_numpy(dtype=float) / scale
        found = [
            _ratio(events["ipk"].to_numpy()[at], below[at], events["jump"].to_numpy()[at], level, bool(inside))
            for at, inside in zip(inside_of, known, strict=True)
        ]
        rows[[measure, f"{measure}_low", f"{measure}_high"]] = np.array(found).reshape(-1, 3)


def _ratio(above: Floats, below: Floats, jump: Ints, level: float, limits: bool) -> tuple[float, float, float]:
    known = ~np.isnan(below)
    if not known.any() or below[known].sum() <= 0:
        return (np.nan, np.nan, np.nan)
    if not limits:
        return (float(above[known].sum() / below[known].sum()), np.nan, np.nan)
    found = stats.ratio(above[known], below[known], cluster=jump[known], level=level)
    return (found.estimate, found.low, found.high)


def exposed(found: Units, exposure: pd.DataFrame | None) -> Units:
    """Adds the index per 1,000 people of the group, per employee and per m2, with scaled limits.

    Args:
        found: Units.
        exposure: The columns of the cut and population, staff_fte, floor_area_m2 as far as they are known; None adds
            empty columns.

    Raises:
        ParameterError: The exposure lacks a column of the cut, or has a unit twice.
    """
    rows = found.rows.copy()
    sizes = [size for size, _ in FIXED.values()]
    known = pd.DataFrame(index=rows.index)
    if exposure is not None:
        by = list(found.by)
        lacking = [name for name in by if name not in exposure]
        if lacking or exposure.duplicated(by or None).any():
            raise ParameterError(
                f"ИПК: в таблице exposure нужны столбцы {', '.join(by)}, по одной строке на единицу. Проверьте таблицу."
            )
        given = [name for name in sizes if name in exposure]
        if by:
            left, right = rows[by].astype("object"), exposure[[*by, *given]].astype(dict.fromkeys(by, "object"))
            known = left.merge(right, on=by, how="left").set_index(rows.index)
        else:
            known = pd.DataFrame({name: exposure[name].iloc[0] for name in given}, index=rows.index)
    for measure, (size, scale) in FIXED.items():
        amount = np.full(len(rows), np.nan)
        if size in known:
            amount = pd.to_numeric(known[size]).astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        amount = np.where(amount > 0, amount, np.nan)
        rows[size] = amount
        for end in ("", "_low", "_high"):
            rows[f"{measure}{end}"] = scale * rows[end.removeprefix("_") or "ipk"] / amount
    return Units(found.by, rows, found.unit, found.pairs)


def ranked(found: Units, measure: str, level: float) -> Units:
    """Adds rank, rank_low, rank_high and group letters: simultaneous over all units that have an interval.

    Args:
        found: Units with their limits.
        measure: `ipk`, or a form normalised by a fixed exposure.
        level: Joint confidence level of all rank intervals together.

    Raises:
        ParameterError: The measure cannot be ranked.
    """
    if measure != "ipk" and measure not in FIXED:
        raise ParameterError(
            f"ИПК: rank_by = «{measure}». Ранги строятся по ipk или по индексу на постоянную величину: "
            f"{', '.join(FIXED)}."
        )
    rows = found.rows.assign(rank=np.nan, rank_low=np.nan, rank_high=np.nan, group="")
    named = rows[list(found.by)].notna().all(axis=1) if found.by else pd.Series(True, index=rows.index)
    rows.loc[~named & (rows["reason"] == ""), "reason"] = UNNAMED
    known = rows["low"].notna() & named & rows[measure].notna()
    lacking = rows["low"].notna() & named & rows[measure].isna()
    rows.loc[lacking, "reason"] = "нет величины, на которую делится индекс"
    if known.sum() < 2:
        return Units(found.by, rows, found.unit)
    taken = rows[known]
    scale = (taken[measure] / taken["ipk"]).to_numpy(dtype=float)

    def limits(alpha: float) -> tuple[Floats, Floats]:
        ends = stats.weighted_poisson(taken["ipk"], taken["se"] ** 2, taken["largest"], level=1 - alpha)
        return ends.low * scale, ends.high * scale

    ranks = stats.rank_intervals(
        taken[measure].to_numpy(dtype=float), taken["se"].to_numpy(dtype=float) * scale, level=level, limits=limits
    )
    rows.loc[known, "rank"] = np.asarray(ranks.rank, dtype=float)
    rows.loc[known, "rank_low"] = np.asarray(ranks.low, dtype=float)
    rows.loc[known, "rank_high"] = np.asarray(ranks.high, dtype=float)
    rows.loc[known, "group"] = list(ranks.groups)
    apart = np.asarray(ranks.different, dtype=bool)
    many = len(taken)
    return Units(found.by, rows, found.unit, (many * (many - 1) // 2, int(np.triu(apart, 1).sum())))
