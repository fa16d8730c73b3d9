"""Charts of the ten official indicators: the changes beside the limits of "kept", and the histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kcrr_analysis.indicators import Official
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Chart, Kind, Panel, Series
from kcrr_analysis.reporting.views.cells import number_cell, point, rows_of

MONTHS = 36
"""Months of history that a panel shows."""

CUMULATED = "Показатели нарастающим итогом каждый январь начинаются заново: сравнивайте одинаковые месяцы разных лет."
_HALVES = (range(1, 6), range(6, 11))
_KINDS: dict[str, Kind] = {"чел.": "int", "ед.": "int", "%": "percent"}


def change_chart(result: Official) -> tuple[Chart, ...]:
    """Year-on-year change of every indicator that has one, with its limits of "kept" below it."""
    rows = result.rows[result.rows["change_pct"].notna()]
    if rows.empty:
        return ()
    names = tuple(f"№{formats.NBSP}{row.number}. {row.title}" for row in rows_of(rows))
    change = Series("Изменение за год", names, tuple(point(value) for value in rows["change_pct"]))
    series: tuple[Series, ...] = (change,)
    notes: tuple[str, ...] = ()
    judged = rows[rows["band"] != ""]
    if len(judged):
        series = (change, _limits(judged))
        notes = (
            "Серый отрезок — пределы, внутри которых показатель считается сохранённым; число у отрезка — верхний "
            "предел. Это собственные колебания ряда, а не погрешность.",
        )
    low, high = rows["change_pct"].min(), rows["change_pct"].max()
    return (
        Chart(
            title=f"Изменение официальных показателей за год, {formats.month(result.month)}",
            panels=(Panel("interval", series, unit="%", kind="change_percent", reference=(0.0, " ")),),
            alt=(
                f"Изменения {formats.count(len(rows), 'показателя', 'показателей', 'показателей')} за год: от "
                f"{formats.change_percent(low)} до {formats.change_percent(high)}; под каждым — пределы «сохранён», "
                "где они известны."
            ),
            notes=notes,
        ),
    )


def _limits(judged: pd.DataFrame) -> Series:
    names = tuple(f"№{formats.NBSP}{row.number}. {row.title}" for row in rows_of(judged))
    low, high = (tuple(number_cell(value) for value in judged[name]) for name in ("band_low", "band_high"))
    return Series("Пределы «сохранён»", names, high, low=low, high=high, role="context")


def history_charts(result: Official) -> tuple[Chart, ...]:
    """Small multiples of the monthly histories, five indicators a chart."""
    charts = []
    for numbers in _HALVES:
        rows = result.rows[result.rows["number"].isin(numbers)]
        panels = [panel for row in rows_of(rows) if (panel := _history(result, row)) is not None]
        if panels:
            charts.append(_multiples(panels, rows))
    return tuple(charts)


def _history(result: Official, row: Any) -> Panel | None:
    own = result.history[result.history["number"] == row.number].set_index("month")["value"]
    if own.notna().sum() < 2:
        return None
    months = pd.period_range(max(own.index.min(), result.month - (MONTHS - 1)), result.month, freq="M")
    line = Series("", tuple(str(month) for month in months), tuple(point(own.get(month)) for month in months))
    return Panel(
        "line",
        (line,),
        title=f"№{formats.NBSP}{row.number}. {row.title}",
        unit=row.unit,
        kind=_KINDS.get(row.unit, "number"),
    )


def _multiples(panels: Sequence[Panel], rows: pd.DataFrame) -> Chart:
    named = formats.enumeration([f"«{panel.title}»" for panel in panels])
    cumulated = rows["period"].str.contains("..", regex=False).any()
    first, last = int(rows["number"].min()), int(rows["number"].max())
    return Chart(
        title=f"Официальные показатели № {first}–{last} по месяцам",
        panels=tuple(panels),
        alt=f"Линейные графики по месяцам: {named}.",
        notes=(CUMULATED,) if cumulated else (),
    )
