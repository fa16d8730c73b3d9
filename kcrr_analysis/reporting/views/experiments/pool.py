"""View of one pilot over several regions: the mean effect, how much regions differ, what to expect in another."""

from __future__ import annotations

import math

from kcrr_analysis.experiments.pool import Pooled
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import (
    Cell,
    Chart,
    Column,
    Interval,
    KeyFigure,
    Kind,
    Missing,
    Panel,
    Paragraph,
    Section,
    Series,
    Table,
)
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import number_cell, rows_of

MEAN, NEXT = "В среднем по регионам", "Прогноз: ещё один регион"
CLEAR = 0.05
"""Regions are said to differ below this p-value of Cochran's Q."""


@build.register
def pooled(result: Pooled) -> Section:
    """Conclusion, forest chart, table by region, what weakens it."""
    about = f" на исход «{result.outcome}»" if result.outcome else ""
    unit = _Unit(result)
    regions = formats.count(len(result.regions), "региона", "регионов", "регионов")
    table = Table(
        title=f"Эффект нового формата{about} по регионам",
        columns=(
            Column("Регион"),
            Column(f"Эффект{unit.header}", unit.kind, unit.decimals),
            Column("Интервал", unit.kind, unit.decimals),
            Column("Вес, %", "percent"),
            Column("Среднее без этого региона", unit.kind, unit.decimals),
        ),
        rows=(*_region_rows(result, unit), *_whole_rows(result, unit)),
        notes=(
            f"Интервалы — {_level(result)}. Вес — доля региона в среднем эффекте.",
            f"Метод: {result.estimate.method}; разброс эффектов между регионами — "
            f"{'REML' if result.method == 'reml' else 'Пауле — Мандель'}.",
        ),
        emphasised=(len(result.regions),),
    )
    return Section(
        title=f"Эффект{about} по данным {regions}",
        blocks=(
            Paragraph(" ".join((_mean(result, unit), _spread(result), _next(result, unit))).strip(), "conclusion"),
            *(Paragraph(said, "warning") for said in (_hinge(result), *result.notes) if said),
            _chart(result, unit, about),
            table,
            Paragraph(result.definition, "definition"),
        ),
        key_figures=(
            KeyFigure(
                key="pooled_effect",
                label=f"Средний эффект{about}",
                value=unit.of(result.estimate.estimate),
                kind=unit.kind,
                note=f"по данным {regions}; {_limits(result, unit)} ({_level(result)})",
            ),
        ),
    )


class _Unit:
    """How effects read: differences of shares in percentage points, others as numbers."""

    def __init__(self, result: Pooled) -> None:
        share = result.kind == "proportion"
        self.factor = 100.0 if share else 1.0
        self.kind: Kind = "points" if share else "number"
        self.header = ", п. п." if share else ""
        self.words = "п. п." if share else ""
        finest = abs(result.estimate.se) * self.factor
        self.decimals = 1 if share or not finest > 0 else min(4, max(0, 1 - math.floor(math.log10(finest))))

    def of(self, value: float) -> float:
        """The value in the unit."""
        return value * self.factor

    def shown(self, value: float) -> str:
        """The value in words."""
        return formats.value(self.of(value), self.kind, self.decimals)

    def between(self, low: float, high: float) -> str:
        """An interval in words."""
        return formats.interval(self.of(low), self.of(high), self.kind, self.decimals)

    def cell(self, low: float, high: float) -> Cell:
        """An interval in a cell."""
        return Interval(self.of(low), self.of(high)) if math.isfinite(low + high) else Missing("нет")


def _level(result: Pooled) -> str:
    return formats.percent(100 * result.estimate.level, 0)


def _limits(result: Pooled, unit: _Unit) -> str:
    return unit.between(result.estimate.low, result.estimate.high)


def _mean(result: Pooled, unit: _Unit) -> str:
    whole = result.estimate
    limits = f"{_limits(result, unit)} с уверенностью {_level(result)}"
    regions = formats.count(len(result.regions), "региона", "регионов", "регионов")
    if whole.low > 0 or whole.high < 0:
        way = "выше" if whole.estimate > 0 else "ниже"
        return (
            f"По данным {regions} с новым форматом показатель в среднем {way}: эффект {unit.shown(whole.estimate)} "
            f"({limits})."
        )
    return (
        f"По данным {regions} средний эффект нового формата не установлен: оценка {unit.shown(whole.estimate)}, "
        f"интервал {limits} включает ноль."
    )


def _spread(result: Pooled) -> str:
    if result.q_p < CLEAR:
        return (
            "Эффект в регионах разный: различия больше, чем дала бы случайность (на них приходится "
            f"{formats.percent(result.i2, 0)} разброса оценок)."
        )
    return "Различий эффекта между регионами не обнаружено; при таких данных это не значит, что их нет."


def _next(result: Pooled, unit: _Unit) -> str:
    low, high = result.prediction
    if not math.isfinite(low + high):
        return ""
    said = f"В ещё одном таком же регионе ожидается эффект {unit.between(low, high)}"
    if low > 0 or high < 0:
        return f"{said}."
    return f"{said}: там он может быть и нулевым, и обратным по знаку."


def _hinge(result: Pooled) -> str:
    """Regions without which the conclusion about the mean would be another."""
    rows = result.regions
    if rows["without_low"].isna().any():
        return ""
    found = result.estimate.low > 0 or result.estimate.high < 0
    without = (rows["without_low"] > 0) | (rows["without_high"] < 0)
    names = [f"«{name}»" for name in rows.loc[without != found, "label"]]
    if not names:
        return ""
    changed = "не был бы установлен" if found else "был бы признан установленным"
    if len(names) == 1:
        return f"Вывод держится на одном регионе: если не учитывать регион {names[0]}, средний эффект {changed}."
    return (
        "Вывод держится на отдельных регионах: если не учитывать любой один из них "
        f"({formats.enumeration(names)}), средний эффект {changed}."
    )


def _region_rows(result: Pooled, unit: _Unit) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            row.label,
            unit.of(row.estimate),
            unit.cell(row.low, row.high),
            row.weight,
            number_cell(unit.of(row.without)),
        )
        for row in rows_of(result.regions)
    )


def _whole_rows(result: Pooled, unit: _Unit) -> tuple[tuple[Cell, ...], ...]:
    whole = result.estimate
    rows: list[tuple[Cell, ...]] = [
        (MEAN, unit.of(whole.estimate), unit.cell(whole.low, whole.high), 100.0, None),
    ]
    if math.isfinite(result.prediction[0]):
        rows.append((NEXT, None, unit.cell(*result.prediction), None, None))
    return tuple(rows)


def _chart(result: Pooled, unit: _Unit, about: str) -> Chart:
    rows = result.regions.sort_values("estimate", ascending=False, kind="stable")
    whole = result.estimate
    ahead = math.isfinite(result.prediction[0])
    ends = [(whole.low, whole.high), result.prediction] if ahead else [(whole.low, whole.high)]
    forest = Series(
        "Эффект",
        (*rows["label"], *(MEAN, NEXT)[: len(ends)]),
        tuple(unit.of(value) for value in (*rows["estimate"], *(whole.estimate,) * len(ends))),
        tuple(unit.of(value) for value in (*rows["low"], *(low for low, _ in ends))),
        tuple(unit.of(value) for value in (*rows["high"], *(high for _, high in ends))),
    )
    first, last = rows.iloc[0], rows.iloc[-1]
    return Chart(
        title=f"Эффект нового формата{about} по регионам и в среднем",
        panels=(
            Panel(shape="interval", series=(forest,), unit=unit.words, kind=unit.kind, reference=(0.0, "нет эффекта")),
        ),
        alt=(
            f"Точки с интервалами ({_level(result)}): эффект в {len(rows)} регионах, от {unit.shown(last['estimate'])} "
            f"({last['label']}) до {unit.shown(first['estimate'])} ({first['label']}); в среднем "
            f"{unit.shown(whole.estimate)}, {_limits(result, unit)}."
        ),
        notes=(
            *(
                ("Прогноз — где ожидается эффект в ещё одном таком же регионе; точка на нём — среднее.",)
                if ahead
                else ()
            ),
            "Интервал региона, задевающий ноль, не означает, что эффекта там нет.",
        ),
    )
