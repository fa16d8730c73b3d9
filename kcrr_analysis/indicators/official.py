"""The ten official indicators of the client flow, each with its definition, denominator, change and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.errors import KcrrError, MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.indicators import figures
from kcrr_analysis.indicators.centres import centres, row_at
from kcrr_analysis.indicators.coverage import coverage
from kcrr_analysis.indicators.figures import Figures
from kcrr_analysis.indicators.flow import SMALL_BASE, dictionaries, group_title, guarded, reporting_month
from kcrr_analysis.indicators.noise import Verdict, judge, noise
from kcrr_analysis.methodology import ClientGroup, Indicator
from kcrr_analysis.tables import Tables

PERIODS = ("month", "year_to_date")
AREAS = {"floor": "center_months.floor_area_m2", "client": "center_months.client_area_m2"}
_DENOMINATORS = {
    "floor_area_m2": "общая площадь, м²",
    "client_area_m2": "площадь клиентской зоны, м²",
    "staff_fte": "численность сотрудников, ставок",
}
_NEW = "flow.registered_new"
_NEW_DEFINITION = "Граждане, вставшие на регистрационный учёт в целях поиска подходящей работы за отчётный период."


@dataclass(frozen=True)
class Official:
    """The ten official indicators of one region for one month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        period: `month` (indicators 2-5, 9 and 10 are of the month) or `year_to_date` (since January). Indicator 1 is a
            stock at the month's end unless `registered_new` was chosen; 6-8 always run since January.
        rows: Ten rows: number, indicator (id), title, unit, kind (stock, flow, ratio), period (`2025-10` or
            `2025-01..2025-10`), value, previous (a month ago), year_ago, change (in the unit), change_pct (% of the
            value a year ago), status (grown, kept, fallen, not_enough_data, hidden, not_computable), reason (why there
            is no value or no status), band_low and band_high (% a year that are still "kept"), band (own_noise, or
            fixed where the noise is not known), months (of known history, withheld and marked ones apart), numerator,
            numerator_column, denominator, denominator_column, denominator_name, denominator_year (a year for a
            population, the month for premises),
            denominator_year_ago, denominator_change_pct, client_group, group_title, hidden, hidden_previous,
            hidden_year_ago (disclosure control withholds or marks the value), small_base (fewer than 30 persons),
            left_out (centres without a numerator or a denominator), starts_2026 (yes, no, unknown), definition, note.
        history: Long: number, month, value, hidden; up to the reporting month.
        interval: Always «сплошной учёт»: the band of the status describes the series' own past, not sampling.
    """

    region_code: str
    month: pd.Period
    period: str
    rows: pd.DataFrame
    history: pd.DataFrame
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """The ten rows with region and interval."""
        return self.rows.assign(region_code=self.region_code, interval=self.interval)


def official(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    rule: disclosure.Rule | None = None,
    period: str = "month",
    registered: str | None = None,
    area: str | None = None,
    kept_within_percent: float | None = None,
) -> Official:
    """All ten official indicators, each computed or with the reason why not.

    Args:
        tables: Data with the table `flow`; `population` for 6-8, `center_months` for 9 and 10.
        region: Region code.
        month: Reporting month (`2025-10`); the last one of the region in `flow` by default.
        rule: Disclosure rule for a `flow` that is not under disclosure control yet.
        period: `month`, or `year_to_date` for figures since January: persons from rows that count each once, units
            also as sums of months.
        registered: What indicator 1 counts, `registered_stock` or `registered_new`; the dictionary decides by default.
        area: Area of indicator 9, `floor` (all of it) or `client` (client zone); the dictionary decides by default.
        kept_within_percent: Change taken as "kept" where the noise is not known, %; the dictionary's by default.

    Raises:
        ParameterError: A setting cannot be used as written.
        MissingTableError: There is no table `flow`.
        NotComputableError: `flow` has no rows of the region, or none of the month.
    """
    chosen = _chosen(dictionaries(tables).indicators, registered, area, kept_within_percent)
    if period not in PERIODS:
        raise ParameterError(f"Параметр period: «{period}» не допускается. Укажите month или year_to_date.")
    tables = guarded(tables, rule)
    at = _month(tables, region, month)
    groups = dictionaries(tables).groups
    shares = _coverage(tables, region, at)
    rows, histories = [], []
    for indicator in sorted(chosen, key=lambda item: item.number):
        found = _figures(tables, region, indicator, period)
        rows.append(
            _row(indicator, found, at, groups) | _left_out(tables, region, found, at) | shares.get(indicator.number, {})
        )
        past = found.rows[found.rows.index <= at]
        histories.append(
            pd.DataFrame(
                {
                    "number": indicator.number,
                    "month": past.index,
                    "value": past["value"].to_numpy(),
                    "hidden": past["hidden"].to_numpy(dtype=bool),
                }
            )
        )
    return Official(
        region_code=region,
        month=at,
        period=period,
        rows=pd.DataFrame(rows),
        history=pd.concat([part for part in histories if len(part)] or histories[:1], ignore_index=True),
    )


def _chosen(
    indicators: Mapping[str, Indicator], registered: str | None, area: str | None, within: float | None
) -> list[Indicator]:
    """The dictionary's indicators with the caller's choices."""
    known = dict(indicators)
    if registered is not None:
        options = {name.removeprefix("flow."): name for name in known["registered"].numerator_options}
        if registered not in options:
            raise ParameterError(f"Параметр registered: «{registered}» не допускается. Есть: {', '.join(options)}.")
        known["registered"] = replace(known["registered"], numerator=options[registered])
    if area is not None:
        if area not in AREAS:
            raise ParameterError(
                f"Параметр area: «{area}» не допускается. Укажите floor (общая площадь) или client (клиентская зона)."
            )
        known["visits_per_m2"] = replace(known["visits_per_m2"], denominator=AREAS[area])
    if known["registered"].numerator == _NEW:
        known["registered"] = replace(known["registered"], kind="flow", definition=_NEW_DEFINITION)
    if within is not None:
        if not 0 <= within < 100:
            raise ParameterError(f"Параметр kept_within_percent: {within:g} вне границ. Укажите число от 0 до 100.")
        known = {
            name: replace(item, keep_or_grow=replace(item.keep_or_grow, kept_within_percent=within))
            for name, item in known.items()
        }
    return list(known.values())


def _month(tables: Tables, region: str, month: str | pd.Period | None) -> pd.Period:
    flow = tables.flow
    own = flow[(flow["region_code"] == region) | flow["center_id"].isin(centres(tables, region).index)]
    if own.empty:
        raise NotComputableError(f"В таблице flow нет строк региона {region}. Проверьте код региона.")
    of_region = own[own["scope"] == "region"]
    return reporting_month((own if of_region.empty or month is not None else of_region)["month"], month, region)


def _figures(tables: Tables, region: str, indicator: Indicator, period: str) -> Figures:
    column = indicator.numerator.removeprefix("flow.")
    try:
        if indicator.denominator_group:
            return figures.covered(tables, region, column, indicator.denominator_group)
        if indicator.denominator:
            over = indicator.denominator.removeprefix("center_months.")
            return figures.over_premises(tables, region, column, over, period)
        own = "month" if indicator.kind == "stock" else period
        units = indicator.counts == "units"
        return figures.counted(tables, region, column, indicator.client_group, units=units, period=own)
    except MissingTableError as error:
        return figures.absent(_reason(error))


def _coverage(tables: Tables, region: str, at: pd.Period) -> dict[int, dict[str, Any]]:
    """Why a coverage has no figure, as the coverage itself says it, by number of the indicator."""
    try:
        found = coverage(tables, region, at).rows
    except KcrrError as error:
        return {number: {"reason": _reason(error)} for number in (6, 7, 8)}
    lacking = found[(found["indicator"] > 0) & (found["reason"] != "")]
    return {int(row["indicator"]): {"reason": row["reason"]} for _, row in lacking.iterrows()}


def _reason(error: KcrrError) -> str:
    """A message as the end of a sentence."""
    text = str(error).rstrip(".")
    return text[:1].lower() + text[1:]


def _row(indicator: Indicator, found: Figures, at: pd.Period, groups: Mapping[str, ClientGroup]) -> dict[str, Any]:
    now, previous, before = (_at(found, month) for month in (at, at - 1, at - 12))
    verdict = _verdict(indicator, found, at, now, before)
    reason = verdict.reason
    if now["absent"]:
        reason = found.reason or f"нет значения за {at}"
    change_pct = 100 * (now["value"] / before["value"] - 1) if before["value"] > 0 else np.nan
    persons = indicator.counts == "persons"
    known = found.rows["value"].notna() & ~found.rows["hidden"].astype(bool)
    # A year-to-date value of the month before belongs to another year in January.
    comparable = not found.cumulative or at.month > 1
    return {
        "number": indicator.number,
        "indicator": indicator.indicator_id,
        "title": indicator.title,
        "unit": indicator.unit,
        "kind": indicator.kind,
        "period": f"{at.year}-01..{at}" if found.cumulative or indicator.denominator_group else str(at),
        "value": now["value"],
        "previous": previous["value"] if comparable else np.nan,
        "year_ago": before["value"],
        "change": now["value"] - before["value"],
        "change_pct": change_pct,
        "status": verdict.status,
        "reason": reason,
        "band_low": verdict.low,
        "band_high": verdict.high,
        "band": verdict.band,
        "months": int((known & (found.rows.index <= at)).sum()),
        "numerator": now["numerator"],
        "numerator_column": indicator.numerator,
        "denominator": now["denominator"],
        "denominator_column": indicator.denominator or "",
        "denominator_name": _denominator(indicator, groups),
        "denominator_year": _denominator_year(indicator, now, at),
        "denominator_year_ago": before["denominator"],
        "denominator_change_pct": 100 * (now["denominator"] / before["denominator"] - 1)
        if before["denominator"] > 0
        else np.nan,
        "client_group": indicator.client_group,
        "group_title": group_title(indicator.client_group, groups),
        "hidden": now["hidden"],
        "hidden_previous": bool(previous["hidden"] and comparable),
        "hidden_year_ago": before["hidden"],
        "small_base": bool(persons and (now["numerator"] < SMALL_BASE or before["numerator"] < SMALL_BASE)),
        "starts_2026": indicator.starts_2026,
        "definition": indicator.definition,
        "note": indicator.note,
    }


def _at(found: Figures, month: pd.Period) -> dict[str, Any]:
    row = row_at(found.rows, month)
    if row is not None:
        return row | {"absent": False}
    nothing = dict.fromkeys(("value", "numerator", "denominator", "denominator_year"), np.nan)
    return nothing | {"hidden": False, "absent": True}


def _verdict(
    indicator: Indicator, found: Figures, at: pd.Period, now: dict[str, Any], before: dict[str, Any]
) -> Verdict:
    if np.isnan(now["value"]):
        return Verdict("hidden" if now["hidden"] else "not_computable")
    if np.isnan(before["value"]) and before["hidden"]:
        return Verdict("hidden")
    # Marked values play no part in the noise, so that both modes of disclosure come to the same band.
    shown = found.rows["value"].where(~found.rows["hidden"].astype(bool))
    return judge(
        now["value"],
        before["value"],
        shown,
        at,
        indicator.keep_or_grow,
        own=noise(found.single, at),
        shares=(found.squares(at), found.squares(at - 12)),
    )


def _denominator(indicator: Indicator, groups: Mapping[str, ClientGroup]) -> str:
    if indicator.denominator_group:
        title = group_title(indicator.denominator_group, groups)
        return f"численность группы «{title}»"
    column = (indicator.denominator or "").removeprefix("center_months.")
    return _DENOMINATORS.get(column, column)


def _denominator_year(indicator: Indicator, now: dict[str, Any], at: pd.Period) -> str:
    if np.isnan(now["denominator"]):
        return ""
    return str(int(now["denominator_year"])) if indicator.denominator_group else str(at)


def _left_out(tables: Tables, region: str, found: Figures, at: pd.Period) -> dict[str, tuple[str, ...]]:
    lacking = found.left_out.get(at, ())
    names = centres(tables, region)["center_name"]
    return {"left_out": tuple(str(names[code]) for code in lacking)}
