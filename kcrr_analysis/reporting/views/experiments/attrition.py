"""View of the effect's bounds where outcomes are missing."""

from __future__ import annotations

import math
from typing import Any

from kcrr_analysis.experiments.validity.bounds import Bounds
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Hidden, Missing, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import rows_of
from kcrr_analysis.reporting.views.experiments.validity import people_table

SCENARIOS = {
    "missing_as_failure": "О ком нет записи, тот не дошёл (основное)",
    "observed": "Только те, о ком есть запись",
    "worst": "Без предположений: два крайних случая",
    "lee": "Сервис только прибавляет или только убавляет записи (границы Ли)",
}
ARMS = {"control": "Контроль", "treated": "Новый формат"}


@build.register
def bounds(result: Bounds) -> Section:
    """Conclusion, the effect by assumption, who is missing."""
    level = formats.percent(100 * result.level, 0)
    table = Table(
        title="Эффект при разных предположениях о пропущенных результатах",
        columns=(Column("Предположение"), Column("Эффект или его границы"), Column(f"Интервал {level}")),
        rows=tuple(_row(row) for row in rows_of(result.rows)),
        notes=(
            "Границы — что могло бы быть при самых разных судьбах пропущенных; интервал добавляет к ним случайность "
            "назначения. Границы Ли говорят о тех, о ком запись была бы в любой группе.",
        ),
    )
    arms = result.arms.assign(arm=result.arms["arm"].map(ARMS))
    return Section(
        title="Пропущенные результаты и границы эффекта",
        blocks=(
            Paragraph(_conclusion(result), "conclusion"),
            table,
            people_table("Люди без результата", "Без результата, чел.", "missing", arms),
            Paragraph(_definition(result), "definition"),
        ),
    )


def _conclusion(result: Bounds) -> str:
    row = next(row for row in rows_of(result.rows) if row.scenario == "worst")
    if math.isnan(row.lower):
        return "Границы эффекта не публикуются: за ними стоит малое число людей."
    if row.lower == row.upper:
        return "Результаты известны о всех: границы эффекта совпадают с самим эффектом."
    ends = f"от {_signed(row.lower)} до {_signed(row.upper)}"
    if row.low > 0 or row.high < 0:
        word = "положителен" if row.low > 0 else "отрицателен"
        return f"Каковы бы ни были пропущенные результаты, эффект {word}: границы {ends}, интервал нуля не включает."
    if row.lower > 0 or row.upper < 0:
        return (
            f"Знак эффекта не зависит от пропущенных результатов (границы {ends}), но с учётом случайности назначения "
            "ноль не исключён."
        )
    return (
        f"Без предположений о пропущенных нельзя сказать даже, каков знак эффекта: границы {ends}. Вывод держится на "
        "предположении, что о ком нет записи, тот не дошёл."
    )


def _signed(value: float) -> str:
    return formats.number(value, 3, signed=True)


def _row(row: Any) -> tuple[Cell, ...]:
    return SCENARIOS[row.scenario], _pair(row, row.lower, row.upper), _pair(row, row.low, row.high)


def _pair(row: Any, low: float, high: float) -> Cell:
    if math.isnan(low):
        return Hidden() if row.lower_hidden else Missing(row.reason or "нет данных")
    if math.isinf(low) or math.isinf(high):
        return Missing("не ограничен: мало центров")
    mark = formats.MARK if row.lower_hidden else ""
    return (_signed(low) if low == high else f"от {_signed(low)} до {_signed(high)}") + mark


def _definition(result: Bounds) -> str:
    of = "на назначенного человека" if result.per == "person" else "на центр"
    low, high = (formats.number(value, 0 if float(value).is_integer() else 2) for value in result.limits)
    return (
        f"Эффект — разность средних {of} между группами; показатель лежит от {low} до {high}. Крайние случаи: всем "
        "пропущенным одной группы приписано наименьшее значение, другой — наибольшее, и наоборот."
    )
