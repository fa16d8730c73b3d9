"""Premises and staff at work: visits per m2, services per employee and the fill of the building, centre by centre.

Area, staff and capacity are those of the month itself, for they change with modernisation. The region's figure is the
sum over its centres divided by the sum of their denominators, never a mean of the centres' ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.indicators.centres import PerUnit, centre_counts, centres, per_unit, premises, row_at
from kcrr_analysis.indicators.flow import guarded, reporting_month
from kcrr_analysis.tables import Tables

AREAS = {"floor": "floor_area_m2", "client": "client_area_m2"}
RATIOS: Mapping[str, tuple[str, str, float]] = {
    "visits_per_m2": ("visits", "area_m2", 1.0),
    "services_per_employee": ("services", "staff_fte", 1.0),
    "fill": ("visits", "capacity_visits", 100.0),
}
"""Ratio -> the count, its denominator, the factor."""

_COLUMNS = {"visits": "visits", "services": "services_delivered"}
_LACKING = {
    "area_m2": "нет площади",
    "staff_fte": "нет численности сотрудников",
    "capacity_visits": "нет пропускной способности или числа рабочих дней",
}


@dataclass(frozen=True)
class Building:
    """Use of premises and staff in one region's centres in one month.

    Attributes:
        region_code: The region.
        month: The reporting month.
        area: `floor` (all of the area) or `client` (client zone).
        rows: One row a centre, then the region (`center_id` empty): center_id, title, modernised (by the month),
            modernised_from (first month, empty for none), modernised_this_year (within the twelve months up to the
            reporting month: the ratios of both years stand on different premises), visits, services, area_m2,
            staff_fte, capacity_visits (visits a day x open days), visits_per_m2, services_per_employee, fill (%); each
            ratio also as `<name>_year_ago` and `<name>_reason` (why there is none); visits_hidden, services_hidden
            and each `_year_ago` of them (disclosure control withholds or marks the count and its ratios), over
            (fill above 100 %).
        left_out: Ratio -> names of the centres that are not in the region's figure of the month.
        history: Long: month, ratio, value, hidden; the region by month.
        definition: What is divided by what, in Russian.
        interval: Always «сплошной учёт».
    """

    region_code: str
    month: pd.Period
    area: str
    rows: pd.DataFrame
    left_out: Mapping[str, tuple[str, ...]]
    history: pd.DataFrame
    definition: str
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """One row a centre and one for the region, with region, period, area kind and interval."""
        return self.rows.assign(
            region_code=self.region_code, period=str(self.month), area=self.area, interval=self.interval
        )


def building(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    area: str = "floor",
    rule: disclosure.Rule | None = None,
) -> Building:
    """Visits per m2, services per employee and building fill of every centre and of the region.

    Args:
        tables: Data with the tables `flow` and `center_months`; `centers` for names and modernisation.
        region: Region code.
        month: Reporting month (`2025-10`); the last one with rows of centres by default.
        area: `floor` (all of the area) or `client` (client zone).
        rule: Disclosure rule for a `flow` that is not under disclosure control yet.

    Raises:
        ParameterError: The area is of no known kind.
        MissingTableError: `flow` or `center_months` is absent.
        NotComputableError: There are no rows of the region's centres, or none of the month.
    """
    if area not in AREAS:
        raise ParameterError(
            f"Параметр area: «{area}» не допускается. Укажите floor (общая площадь) или client (клиентская зона)."
        )
    tables = guarded(tables, rule)
    counts = {name: centre_counts(tables, region, column) for name, column in _COLUMNS.items()}
    months = pd.concat([frame["month"] for frame in counts.values()])
    if months.empty:
        raise NotComputableError(
            f"В таблице flow нет месячных строк центров региона {region} (scope = center, client_group = all). "
            "Добавьте их: нагрузка на здание считается по центрам."
        )
    at = reporting_month(months, month, region)
    under = _denominators(tables, region, area)
    whole = {
        ratio: per_unit(tables, region, _COLUMNS[count], under[denominator])
        for ratio, (count, denominator, _) in RATIOS.items()
    }
    known = centres(tables, region)
    now, before = (_of_month(counts, under, known.index, when) for when in (at, at - 12))
    rows = _with_year_ago(now, before)
    since = known["modernised_from"]
    rows.insert(0, "title", known["center_name"])
    rows["modernised"] = (since <= at).to_numpy(dtype=bool)
    rows["modernised_from"] = [str(start) if start is not pd.NaT else "" for start in since]
    rows["modernised_this_year"] = ((since <= at) & (since > at - 12)).to_numpy(dtype=bool)
    total = _region_row(whole, at)
    frame = pd.concat([rows.rename_axis("center_id").reset_index(), pd.DataFrame([total])], ignore_index=True)
    frame["over"] = frame["fill"] > 100
    names = known["center_name"]
    return Building(
        region_code=region,
        month=at,
        area=area,
        rows=frame,
        left_out={
            ratio: tuple(str(names[code]) for code in found.left_out.get(at, ())) for ratio, found in whole.items()
        },
        history=_history(whole, at),
        definition=_definition(area),
    )


def _denominators(tables: Tables, region: str, area: str) -> pd.DataFrame:
    rooms = premises(tables, region)
    return pd.DataFrame(
        {
            "area_m2": rooms[AREAS[area]],
            "staff_fte": rooms["staff_fte"],
            "capacity_visits": rooms["capacity_visits_day"] * rooms["open_days"],
        }
    )


def _of_month(counts: Mapping[str, pd.DataFrame], under: pd.DataFrame, ids: pd.Index, month: pd.Period) -> pd.DataFrame:
    """Counts, denominators and ratios of each centre in one month."""
    frame = under[under.index.get_level_values("month") == month].droplevel("month").reindex(ids)
    for name, column in counts.items():
        own = column[column["month"] == month].set_index("center_id")
        frame[name] = own["value"].reindex(ids)
        frame[f"{name}_hidden"] = own["hidden"].reindex(ids).eq(True)
    for ratio, (count, denominator, factor) in RATIOS.items():
        frame[ratio] = factor * frame[count] / frame[denominator].where(frame[denominator] > 0)
        lacking = ~(frame[denominator] > 0)
        no_count = frame[count].isna() & ~frame[f"{count}_hidden"]
        frame[f"{ratio}_reason"] = np.select(
            [no_count, lacking], ["нет строки в таблице flow", _LACKING[denominator]], default=""
        )
    return frame


def _with_year_ago(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    for name in (*RATIOS, "visits_hidden", "services_hidden"):
        now[f"{name}_year_ago"] = before[name]
    return now


def _region_row(whole: Mapping[str, PerUnit], at: pd.Period) -> dict[str, object]:
    row: dict[str, object] = {"center_id": "", "title": "Регион", "modernised": False, "modernised_from": ""}
    row["modernised_this_year"] = False
    for ratio, (count, denominator, factor) in RATIOS.items():
        found = whole[ratio].rows
        for month, suffix in ((at, ""), (at - 12, "_year_ago")):
            of_month = row_at(found, month)
            row[f"{ratio}{suffix}"] = factor * of_month["value"] if of_month else np.nan
            row[f"{count}_hidden{suffix}"] = bool(row.get(f"{count}_hidden{suffix}")) or bool(
                of_month and of_month["hidden"]
            )
        now = row_at(found, at)
        row[f"{ratio}_reason"] = "" if now else "нет центра с числителем и знаменателем"
        # Counts and premises of the centres that are in the ratio: fewer than the region's where some are left out.
        row[denominator] = now["denominator"] if now else np.nan
        if ratio != "fill":
            row[count] = now["numerator"] if now else np.nan
    return row


def _history(whole: Mapping[str, PerUnit], at: pd.Period) -> pd.DataFrame:
    parts = []
    for ratio, (_, _, factor) in RATIOS.items():
        found = whole[ratio].rows
        found = found[found.index <= at]
        parts.append(
            pd.DataFrame(
                {
                    "month": found.index,
                    "ratio": ratio,
                    "value": factor * found["value"].to_numpy(),
                    "hidden": found["hidden"].to_numpy(dtype=bool),
                }
            )
        )
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _definition(area: str) -> str:
    kind = "общую площадь" if area == "floor" else "площадь клиентской зоны"
    return (
        f"Посетители на 1 м² — визиты за месяц, делённые на {kind} того же месяца; сервисы на сотрудника — оказанные "
        "сервисы, делённые на занятые ставки; заполнение здания — визиты в процентах к пропускной способности "
        "(посещений в день × дней работы). Число по региону — сумма по центрам, делённая на сумму знаменателей тех же "
        "центров."
    )
