"""Charts of the conversion of promotion: estimates with intervals by level."""

from __future__ import annotations

import math
from typing import Any

from kcrr_analysis.funnel import Conversion
from kcrr_analysis.funnel.placements import MIN_PLACEMENTS
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Chart, Panel, Series
from kcrr_analysis.reporting.views.cells import point
from kcrr_analysis.reporting.views.funnel.conversion_tables import RANKED, shown_rows
from kcrr_analysis.reporting.views.funnel.conversion_words import ONE, TITLES, cut, label, lower, period, records


def charts(result: Conversion) -> tuple[Chart, ...]:
    """Share of the target action per click, and what a client (or the target action) cost, by level."""
    if not result.by:
        return ()
    paid = "customers" if result.rows["cost_per_customers"].notna().any() else result.target
    found = (
        _chart(result, f"{result.target}_per_click", f"{TITLES[result.target]} к переходам", "%", "percent"),
        _chart(result, f"cost_per_{paid}", f"Стоимость {ONE[paid]}", result.money_unit, "number"),
    )
    return tuple(chart for chart in found if chart)


def _chart(result: Conversion, name: str, title: str, unit: str, kind: Any) -> Chart | None:
    rows = shown_rows(result)[0]
    rows = rows[~rows["total"] & rows[name].notna()]
    if set(result.by) <= RANKED:
        rows = rows.sort_values(name, ascending=False, kind="stable")
    if len(rows) < 2:
        return None
    series = Series(
        name=title,
        x=tuple(label(row) for row in records(rows)),
        y=tuple(point(value) for value in rows[name]),
        low=tuple(point(value) for value in rows[f"{name}_low"]),
        high=tuple(point(value) for value in rows[f"{name}_high"]),
    )
    whole = result.total[name]
    decimals = 2 if rows[name].max() < 100 else 0
    ends = formats.interval(rows[name].min(), rows[name].max(), "number", decimals)
    return Chart(
        title=f"{title} {cut(result)[1]}, размещения {period(result)}",
        panels=(
            Panel(
                shape="interval",
                series=(series,),
                unit=unit,
                kind="int" if kind == "number" and decimals == 0 else kind,
                reference=None if math.isnan(whole) else (float(whole), "Все размещения"),
            ),
        ),
        alt=f"Точки с интервалами: {lower(title)} {cut(result)[1]}, {ends} {unit}.",
        notes=(f"Без отрезка — меньше {MIN_PLACEMENTS} размещений. Скрытые значения не показаны.",),
    )
