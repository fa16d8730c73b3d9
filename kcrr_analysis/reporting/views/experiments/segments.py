"""View of effects by segment: exploratory in every line, never a list of those who «won»."""

from __future__ import annotations

import math
from typing import Any

from kcrr_analysis.experiments.segments import SegmentEffects
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Cell,
    Chart,
    Column,
    Hidden,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import OVERLAP, count_cell, derived_cell, point, rows_of

EXPLORATORY = (
    "Это разведка: сегменты не были главным вопросом апробации. Различие между сегментами — повод для следующей "
    "апробации, а не вывод этой."
)
ALPHA = 0.05


@build.register
def segment_effects(result: SegmentEffects) -> Section:
    """Conclusion, table of effects with adjusted p-values, intervals, definition."""
    return Section(
        title="Эффект по сегментам (разведочно)",
        blocks=(
            Paragraph(_conclusion(result), "conclusion"),
            Paragraph(EXPLORATORY, "warning"),
            _table(result),
            *_chart(result),
            Paragraph(_definition(result), "definition"),
        ),
    )


def _conclusion(result: SegmentEffects) -> str:
    if result.compared < 2:
        return "Сравнить эффекты сегментов нельзя: данных хватает меньше чем для двух сегментов."
    if math.isnan(result.interaction_p):
        said = "Различаются ли эффекты сегментов, не публикуется: за одним из них стоит малое число людей."
    elif result.interaction_smallest_p > ALPHA:
        said = "Различаются ли эффекты сегментов, узнать нельзя: центров слишком мало, чтобы это показать."
    elif result.interaction_p <= ALPHA:
        said = f"Эффекты сегментов, по-видимому, различаются ({_p(result.interaction_p)})."
    else:
        said = (
            f"Различие эффектов между сегментами не доказано ({_p(result.interaction_p)}): их разброс мог возникнуть "
            "случайно, и выделять лучшие и худшие сегменты нельзя."
        )
    found = [row for row in rows_of(result.rows) if not math.isnan(row.p_holm) and row.p_holm <= ALPHA]
    if found:
        each = "; ".join(f"«{row.segment}» — {_signed(row.effect)}" for row in found)
        return f"{said} С поправкой на число сегментов эффект виден у {len(found)} из {result.compared}: {each}."
    return f"{said} С поправкой на число сегментов эффект не доказан ни в одном из {result.compared}."


def _signed(value: float) -> str:
    return formats.number(value, 3, signed=True)


def _p(value: float) -> str:
    return "p меньше 0,001" if value < 0.0005 else f"p = {formats.number(value, 3)}"


def _table(result: SegmentEffects) -> Table:
    return Table(
        title="Эффект на человека по сегментам (разведочно)",
        columns=(
            Column("Сегмент"),
            Column("Новый формат: центров", "int"),
            Column("чел.", "int"),
            Column("Контроль: центров", "int"),
            Column("чел.", "int"),
            Column("Эффект", "number", 3),
            Column("Интервал"),
            Column("p", "number", 3),
            Column("p с поправкой Холма", "number", 3),
            Column("p с поправкой Беньямини — Хохберга", "number", 3),
        ),
        rows=tuple(_row(row) for row in rows_of(result.rows)),
        notes=(
            f"Интервал каждого сегмента — {formats.percent(100 * result.level, 0)} отдельно, без поправки на их число.",
            "Поправка Холма ограничивает вероятность хотя бы одной ложной находки, Беньямини — Хохберга — долю ложных "
            "среди найденных.",
            *((OVERLAP,) if result.overlapping else ()),
        ),
    )


def _row(row: Any) -> tuple[Cell, ...]:
    figures = (row.p, row.p_holm, row.p_bh)
    return (
        row.segment,
        int(row.units_treated),
        count_cell(row.persons_treated, row.persons_treated_hidden),
        int(row.units_control),
        count_cell(row.persons_control, row.persons_control_hidden),
        derived_cell(row.effect, row.effect_hidden and not row.reason, row.reason),
        _interval(row),
        *(derived_cell(value, row.p_hidden and not row.reason, row.reason and "–") for value in figures),
    )


def _interval(row: Any) -> Cell:
    if math.isnan(row.low):
        return Hidden() if row.low_hidden and not row.reason else Missing("–") if row.reason else None
    if math.isinf(row.low) or math.isinf(row.high):
        return Missing("не ограничен: мало центров")
    return formats.interval(row.low, row.high, "number", 3) + (formats.MARK if row.low_hidden else "")


def _chart(result: SegmentEffects) -> tuple[Chart, ...]:
    finite = result.rows[["effect", "low", "high"]].abs().lt(math.inf).all(axis=1)
    known = result.rows[finite]
    if len(known) < 2:
        return ()
    names = tuple(known["segment"].astype(str))
    value, low, high = (tuple(map(point, known[name])) for name in ("effect", "low", "high"))
    series = Series("Эффект", names, value, low, high)
    return (
        Chart(
            title="Эффект на человека по сегментам (разведочно)",
            panels=(Panel(shape="interval", series=(series,), unit="на человека", reference=(0.0, "нет эффекта")),),
            alt=(
                f"Точки с интервалами: эффект в {len(known)} сегментах, от {_signed(known['effect'].min())} до "
                f"{_signed(known['effect'].max())}."
            ),
            notes=("Интервалы без поправки на число сегментов; из двадцати один не накрыл бы правду случайно.",),
        ),
    )


def _definition(result: SegmentEffects) -> str:
    kind = "все допустимые назначения" if result.interaction_exact else "случайная выборка допустимых назначений"
    return (
        "Эффект — разность средних на человека между группами внутри сегмента. Значения p — из других назначений, "
        f"допустимых по плану ({kind}). Одинаковы ли эффекты, проверено одним критерием; общий эффект оценён по тем же "
        "данным, поэтому его p приблизительное. Сегмент не рассчитывается, если в одной из групп меньше "
        f"{result.least_units} центров или меньше {formats.people(result.least_persons)}."
    )
