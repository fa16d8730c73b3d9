"""View of one pilot region by region: what this region's part can tell alone, and the regions together."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from kcrr_analysis.experiments.pilots import REGION, ByRegion
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, Cell, Column, Interval, Missing, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of
from kcrr_analysis.reporting.views.experiments.words import Measure, smallest, stop

STUDENT = (
    "Интервалы регионов в своде построены по разбросу их центров и предполагают его нормальным; по одному региону "
    "выводов по ним не делают. Что позволяет сам жребий внутри региона, показывает следующая таблица."
)


@build.register
def by_region(result: ByRegion) -> Section:
    """The region's own part, the summary over regions, and why a region has no interval."""
    whole = build(result.pooled)
    measure = Measure.of(result.protocol.primary)
    # The first block of the summary is its conclusion: the region's own part comes before it.
    blocks: list[Block] = [
        Paragraph(_own(result, measure), "plain"),
        *whole.blocks,
        Paragraph(STUDENT, "note"),
        _table(result, measure),
    ]
    return replace(whole, title="Апробация по регионам", blocks=tuple(blocks))


def _own(result: ByRegion, measure: Measure) -> str:
    rows = result.rows[result.rows[REGION] == result.region_code]
    if rows.empty:
        return "Этот регион в апробации не участвовал; ниже — свод по участвовавшим."
    row = next(rows_of(rows))
    if math.isnan(row.estimate):
        return f"По одному этому региону ответа нет: {row.reason}."
    centres = formats.count(int(row.units + row.control_units), "центра", "центров", "центров")
    if row.smallest_p > result.protocol.alpha:
        return (
            f"По данным одного региона ({centres}) вывода сделать нельзя: при таком числе центров наименьшее "
            f"возможное p — {smallest(row.smallest_p)}. Разница групп здесь {measure.signed(row.estimate)}; её нельзя "
            "приписать формату."
        )
    said = (
        "различие показано" if row.p <= result.protocol.alpha else "различие не показано (это не значит, что его нет)"
    )
    return (
        f"По данным одного региона ({centres}) {said}: {measure.signed(row.estimate)}, интервал "
        f"{stop(measure.limits(row.low, row.high))} Решение принимается по всем регионам вместе."
    )


def _table(result: ByRegion, measure: Measure) -> Table:
    return Table(
        title="Апробация в каждом регионе отдельно",
        columns=(
            Column("Регион"),
            Column("Центров: новый формат", "int"),
            Column("Центров: контрольная", "int"),
            Column(f"Эффект, {measure.header}", "number", measure.decimals),
            Column(f"Рандомизационный интервал, {measure.header}", "number", measure.decimals),
            Column("Наименьшее возможное p"),
            Column("В своде"),
        ),
        rows=tuple(_row(row, measure) for row in rows_of(result.rows)),
        notes=(
            "Интервал не ограничен там, где допустимых назначений слишком мало для заданного уровня. В своде ошибки "
            "регионов оценены по разбросу их центров.",
        ),
    )


def _row(row: Any, measure: Measure) -> tuple[Cell, ...]:
    estimate, low, high = (float(getattr(row, name)) for name in ("estimate", "low", "high"))
    reason = str(row.reason)
    if math.isnan(estimate):
        return str(getattr(row, REGION)), None, None, Missing(reason), None, None, "нет"
    bounded = math.isfinite(low) and math.isfinite(high)
    return (
        str(getattr(row, REGION)),
        int(row.units),
        int(row.control_units),
        measure.value(estimate),
        Interval(measure.value(low), measure.value(high)) if bounded else Missing("не ограничен"),
        smallest(float(row.smallest_p)),
        "да" if not reason else f"нет: {reason.partition(':')[0]}",
    )
