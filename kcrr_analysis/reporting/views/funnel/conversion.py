"""View of the conversion of promotion, by one cut and of a region's whole period."""

from __future__ import annotations

import math

import pandas as pd

from kcrr_analysis.funnel import Conversion, Promotion
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, KeyFigure, Missing, Paragraph, Section
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import derived_cell
from kcrr_analysis.reporting.views.funnel.conversion_charts import charts
from kcrr_analysis.reporting.views.funnel.conversion_tables import compact_table, tables
from kcrr_analysis.reporting.views.funnel.conversion_words import (
    ONE,
    TITLES,
    compared_words,
    conclusions,
    cut,
    period,
)


@build.register
def conversion(result: Conversion) -> Section:
    """Conclusion, target action by level, all actions, penetration, depth, costs, definitions."""
    return Section(
        title=f"Конверсия продвижения {cut(result)[1]}".rstrip(),
        blocks=(*conclusions(result), *tables(result), *charts(result), *definitions(result)),
        key_figures=key_figures(result),
    )


@build.register
def promotion(result: Promotion) -> Section:
    """By tool in full, then one table for each other cut."""
    blocks: list[Block] = [*conclusions(result.by_tool), *tables(result.by_tool), *charts(result.by_tool)]
    for part in (result.by_campaign, result.by_group, result.by_center, result.by_month):
        said = compared_words(part)
        by = cut(part)[1]
        if said:
            blocks.append(Paragraph(f"{by[:1].upper()}{by[1:]}. {' '.join(said)}", "conclusion"))
        blocks.append(compact_table(part))
    return Section(
        title=f"Продвижение, {formats.month_range(result.first, result.month)}",
        blocks=(*blocks, *definitions(result.by_tool)),
        key_figures=key_figures(result.by_tool),
    )


def definitions(result: Conversion) -> tuple[Paragraph, ...]:
    """What was counted, what is in the cost, what the intervals are."""
    return (
        Paragraph(result.definition, "definition"),
        Paragraph(result.cost_definition, "definition"),
        Paragraph(result.interval, "definition"),
    )


def key_figures(result: Conversion) -> tuple[KeyFigure, ...]:
    """Clicks per 1,000 impressions, share of the target action per click, cost of it."""
    total, target = result.total, result.target
    note = f"{period(result)}; размещений {formats.integer(total.placements)}"
    hidden = bool(total[f"{target}_hidden"])
    share, cost = f"{target}_per_click", f"cost_per_{target}"
    figures = (
        KeyFigure(
            "click_rate",
            "Переходов на 1000 показов",
            derived_cell(10 * total.click_rate, False),
            "number",
            note=note + _ends(total, "click_rate", 10),
        ),
        KeyFigure(
            share,
            f"{TITLES[target]} к переходам",
            derived_cell(total[share], hidden),
            "percent",
            note=note + _ends(total, share),
        ),
        KeyFigure(
            cost,
            f"Стоимость {ONE[target]}",
            derived_cell(total[cost], hidden),
            "number",
            unit=result.money_unit,
            note=note + _ends(total, cost),
        ),
    )
    return tuple(figure for figure in figures if not isinstance(figure.value, Missing))


def _ends(total: pd.Series, name: str, scale: float = 1.0) -> str:
    low, high = scale * total[f"{name}_low"], scale * total[f"{name}_high"]
    return "" if math.isnan(low) else f"; {formats.interval(low, high, 'number', 2 if high < 100 else 0)}"
