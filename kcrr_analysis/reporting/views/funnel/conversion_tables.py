"""Tables of the conversion of promotion: target action, all actions, penetration, depth, costs, plan."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from kcrr_analysis.funnel import Conversion
from kcrr_analysis.funnel.conversion import SMALL_COUNT
from kcrr_analysis.funnel.placements import ACTIONS, BASES, MIN_PLACEMENTS
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Block, Cell, Column, Interval, Kind, Missing, Table
from kcrr_analysis.reporting.views.cells import count_cell, derived_cell, number_cell
from kcrr_analysis.reporting.views.funnel.conversion_words import ONE, TITLES, cut, label, per, rate_decimals, records

ROWS = 15
"""Rows of a table; the levels with the most impressions are shown."""

RANKED = {"tool_id", "campaign", "client_group", "center_id", "region_code"}


def shown_rows(result: Conversion) -> tuple[pd.DataFrame, str]:
    """Levels in reading order with the total last, and a note where not all are shown."""
    levels = result.levels
    note = ""
    if len(levels) > ROWS:
        note = f"Показаны {ROWS} строк с наибольшим числом показов из {len(levels)}."
        levels = levels.loc[levels["impressions"].fillna(0).sort_values(ascending=False, kind="stable").index[:ROWS]]
        levels = levels.sort_index()
    if set(result.by) <= RANKED:
        levels = levels.sort_values(f"{result.target}_per_click", ascending=False, na_position="last", kind="stable")
    total = result.rows[result.rows["total"]]
    return (pd.concat([levels, total]) if result.by else total), note


def tables(result: Conversion) -> tuple[Block, ...]:
    """Thematic tables; what is recorded nowhere has no column."""
    found = (_target_table(result), _actions_table(result), _penetration_table(result), _depth_table(result))
    return (
        *(table for table in found if table),
        *_by_action_tables(result),
        *_costs_table(result),
        *_plan_table(result),
    )


def _table(result: Conversion, title: str, columns: list[Column], cells: list[tuple[Cell, ...]], *notes: str) -> Table:
    """A table by level: first the level's title, the total bold."""
    rows, cut_note = shown_rows(result)
    head, by = cut(result)
    body = tuple((_title(row), *cell) for row, cell in zip(records(rows), cells, strict=True))
    return Table(
        title=f"{title} {by}".rstrip(),
        columns=(Column(head), *columns),
        rows=body,
        notes=tuple(note for note in (*notes, cut_note) if note),
        emphasised=(len(body) - 1,),
    )


def _title(row: Any) -> str:
    small = " (мало действий)" if row.small and not row.few_placements else ""
    return f"{label(row)}{small}"


def interval_cell(
    row: Any, name: str, scale: float = 1.0, hidden: bool = False, *, kind: Kind = "percent", decimals: int = 2
) -> Cell:
    """The interval of a ratio, marked where it tells of a small count; a dash where there are too few placements."""
    low, high = scale * getattr(row, f"{name}_low"), scale * getattr(row, f"{name}_high")
    if math.isnan(low) or math.isnan(high):
        return derived_cell(math.nan, True) if hidden and math.isnan(getattr(row, name)) else None
    if hidden:
        return formats.interval(low, high, kind, decimals) + formats.MARK
    return Interval(low, high)


def _ratio_cell(row: Any, name: str, scale: float = 1.0, hidden: bool = False) -> Cell:
    return derived_cell(scale * getattr(row, name), hidden)


def _cost_per(row: Any, action: str) -> Cell:
    reason = "действий нет" if getattr(row, action) == 0 else ""
    return derived_cell(getattr(row, f"cost_per_{action}"), is_hidden(row, action), reason)


def is_hidden(row: Any, action: str) -> bool:
    """Whether disclosure control withholds or marks the action's figures."""
    return bool(getattr(row, f"{action}_hidden", False))


def _verdict(row: Any) -> str:
    words = {1.0: "больше", -1.0: "меньше", 0.0: "не отличается"}
    told = [words.get(getattr(row, f"difference_per_{base}_differs"), "не сравнивалось") for base in BASES]
    if row.total:
        return formats.EMPTY
    return told[0] if told[0] == told[1] else f"на показ {told[0]}, на переход {told[1]}"


def _target_table(result: Conversion) -> Table | None:
    target = result.target
    if not result.rows[f"{target}_recorded"].any():
        return None
    cells: list[tuple[Cell, ...]] = []
    for row in records(shown_rows(result)[0]):
        hidden = is_hidden(row, target)
        per_show, per_click = (f"{target}_per_{base}" for base in BASES)
        cells.append(
            (
                row.placements,
                count_cell(getattr(row, target), hidden),
                _ratio_cell(row, per_show, per(result)[0] / 100, hidden),
                interval_cell(row, per_show, per(result)[0] / 100, hidden, kind="number", decimals=1),
                _ratio_cell(row, per_click, 1, hidden),
                interval_cell(row, per_click, 1, hidden),
                _verdict(row),
            )
        )
    columns = [
        Column("Размещений", "int"),
        Column(TITLES[target], "int"),
        Column(f"На {per(result)[1]}", "number"),
        Column("Интервал", "number"),
        Column("К переходам, %", "percent", 2),
        Column("Интервал, %", "percent", 2),
        Column("Против остальных"),
    ]
    return _table(result, f"{TITLES[target]}: доля", columns, cells, *_share_notes(result))


def _share_notes(result: Conversion) -> list[str]:
    notes = [
        "Интервал 95 %: какую долю дают такие размещения; размещение — единица наблюдения."
        if result.level == 0.95
        else f"Интервал {formats.percent(100 * result.level, 0)}: какую долю дают такие размещения."
    ]
    total, target = result.total, result.target
    for base, column in BASES.items():
        used = int(total[f"{target}_per_{base}_n"])
        if used < total.placements:
            both = "действия и показы" if column == "impressions" else "действия и переходы"
            notes.append(
                f"{both.capitalize()} вместе записаны в {used} размещениях из {total.placements}: доля по ним."
            )
    if result.rows["few_placements"].any():
        notes.append(f"Меньше {MIN_PLACEMENTS} размещений — интервала нет и сравнение не проводится.")
    if (result.levels["small"] & ~result.levels["few_placements"]).any():
        notes.append(f"Мало действий: меньше {SMALL_COUNT}, доля неустойчива.")
    return notes


def _actions_table(result: Conversion) -> Table | None:
    """Every target action of all placements: count and share both ways, cost, each with its interval."""
    total = records(result.rows[result.rows["total"]])[0]
    recorded = recorded_actions(result)
    if not recorded:
        return None
    money = money_decimals(result, [f"cost_per_{action}" for action in recorded])
    body: list[tuple[Cell, ...]] = []
    for action in recorded:
        hidden = is_hidden(total, action)
        shares = [f"{action}_per_{base}" for base in BASES]
        cost = f"cost_per_{action}"
        body.append(
            (
                TITLES[action],
                count_cell(getattr(total, action), hidden),
                _ratio_cell(total, shares[0], per(result)[0] / 100, hidden),
                interval_cell(total, shares[0], per(result)[0] / 100, hidden, kind="number", decimals=1),
                _ratio_cell(total, shares[1], 1, hidden),
                interval_cell(total, shares[1], 1, hidden),
                _ratio_cell(total, cost, 1, hidden),
                interval_cell(total, cost, 1, hidden, kind="number", decimals=money),
            )
        )
    return Table(
        title="Целевые действия всех размещений",
        columns=(
            Column("Действие"),
            Column("Число", "int"),
            Column(f"На {per(result)[1]}", "number"),
            Column("Интервал", "number"),
            Column("К переходам, %", "percent", 2),
            Column("Интервал, %", "percent", 2),
            Column(f"Стоимость, {result.money_unit}", "number", money),
            Column(f"Интервал, {result.money_unit}", "number", money),
        ),
        rows=tuple(body),
        notes=("Действия не складываются: один человек мог сделать несколько.",),
    )


def recorded_actions(result: Conversion) -> list[str]:
    """Target actions that some placement records."""
    return [action for action in ACTIONS if result.rows[f"{action}_recorded"].any()]


def money_decimals(result: Conversion, names: list[str]) -> int:
    """Kopecks only where all the costs are small."""
    values = result.rows[names].abs()
    return 2 if float(values.max().max()) < 100 else 0


def _penetration_table(result: Conversion) -> Table | None:
    rows = records(shown_rows(result)[0])
    cells: list[tuple[Cell, ...]] = [
        (
            row.placements,
            _count(row.impressions),
            _count(row.clicks),
            _ratio_cell(row, "click_rate"),
            interval_cell(row, "click_rate"),
            _ratio_cell(row, "cost_per_click"),
        )
        for row in rows
    ]
    columns = [
        Column("Размещений", "int"),
        Column("Показы", "int"),
        Column("Переходы", "int"),
        Column("Переходы к показам, %", "percent", rate_decimals(result)),
        Column("Интервал, %", "percent", rate_decimals(result)),
        Column(f"Стоимость перехода, {result.money_unit}", "number", money_decimals(result, ["cost_per_click"])),
    ]
    return _table(result, "Проникновение: показы и переходы", columns, cells)


def _count(value: float) -> Cell:
    return Missing() if math.isnan(value) else int(value)


def _depth_table(result: Conversion) -> Table | None:
    if not (result.rows["sessions_recorded"].any() or result.rows["video_starts_recorded"].any()):
        return None
    cells: list[tuple[Cell, ...]] = [
        (
            _count(row.sessions),
            _ratio_cell(row, "bounce_rate"),
            interval_cell(row, "bounce_rate"),
            _ratio_cell(row, "mean_time"),
            interval_cell(row, "mean_time"),
            _ratio_cell(row, "mean_scroll"),
            _ratio_cell(row, "full_view_rate"),
        )
        for row in records(shown_rows(result)[0])
    ]
    columns = [
        Column("Визиты", "int"),
        Column("Отказы к визитам, %", "percent"),
        Column("Интервал, %", "percent"),
        Column("Время на сайте, с", "number", 0),
        Column("Интервал, с", "number", 0),
        Column("Прокрутка, %", "percent", 0),
        Column("Видео досмотрено, %", "percent", 0),
    ]
    notes = (
        "Отказ — визит, в котором посетитель ушёл сразу; это не отказ в разговоре. Время и прокрутка — средние "
        "по визитам.",
    )
    return _table(result, "Глубина ознакомления", columns, cells, *notes)


def _by_action_tables(result: Conversion) -> tuple[Table, ...]:
    """Counts and both shares of every action by level."""
    recorded = recorded_actions(result)
    if len(recorded) < 2 or not result.by:
        return ()
    found = []
    for title, suffix, scale, kind, decimals in (
        ("Целевые действия, число", "", 1.0, "int", 0),
        ("Целевые действия к переходам, %", "_per_click", 1.0, "percent", 2),
        (f"Целевые действия на {per(result)[1]}", "_per_impression", per(result)[0] / 100, "number", 1),
    ):
        cells: list[tuple[Cell, ...]] = [
            tuple(
                derived_cell(scale * getattr(row, f"{action}{suffix}"), is_hidden(row, action)) for action in recorded
            )
            for row in records(shown_rows(result)[0])
        ]
        columns = [Column(TITLES[action], kind, decimals) for action in recorded]  # type: ignore[arg-type]
        found.append(_table(result, title + ",", columns, cells))
    return tuple(found)


def _costs_table(result: Conversion) -> tuple[Table, ...]:
    if not result.rows["cost_recorded"].any():
        return ()
    recorded = recorded_actions(result)
    told = [action for action in dict.fromkeys(("leads", result.target, "customers")) if action in recorded][:3]
    if len(told) == 3:
        told = [told[0], told[2]] if result.target != "customers" else told[:2]
    internal = bool(result.rows["internal_cost_recorded"].any())
    cells: list[tuple[Cell, ...]] = []
    for row in records(shown_rows(result)[0]):
        own: list[Cell] = [_cost_cell(row.cost), *([_cost_cell(row.internal_cost)] if internal else [])]
        for action in told:
            name, hidden = f"cost_per_{action}", is_hidden(row, action)
            decimals = money_decimals(result, [name])
            own += [_cost_per(row, action), interval_cell(row, name, 1, hidden, kind="number", decimals=decimals)]
        cells.append(tuple(own))
    unit = result.money_unit
    columns = [Column(f"Расходы, {unit}", "number", 0)]
    columns += [Column(f"из них свои, {unit}", "number", 0)] if internal else []
    for action in told:
        decimals = money_decimals(result, [f"cost_per_{action}"])
        columns += [
            Column(f"Стоимость {ONE[action]}, {unit}", "number", decimals),
            Column(f"Интервал, {unit}", "number", decimals),
        ]
    own_note = ("Свои — часы сотрудников, прямые и накладные без внешних расходов.",) if internal else ()
    notes = (result.cost_definition, *own_note, *result.cost_gaps)
    found = [_table(result, "Расходы и стоимость", columns, cells, *notes)]
    others = [action for action in recorded if action not in told]
    if others and result.by:
        rest: list[tuple[Cell, ...]] = [
            tuple(_cost_per(row, action) for action in others) for row in records(shown_rows(result)[0])
        ]
        heads = [Column(TITLES[action], "number", money_decimals(result, [f"cost_per_{action}"])) for action in others]
        found.append(_table(result, f"Стоимость прочих целевых действий, {unit},", heads, rest))
    return tuple(found)


def _cost_cell(value: float) -> Cell:
    return Missing() if math.isnan(value) else value


def _plan_table(result: Conversion) -> tuple[Table, ...]:
    planned = [name.removeprefix("planned_") for name in result.rows.columns if name.startswith("planned_")]
    if not planned:
        return ()
    titles = {"impressions": "Показы", "clicks": "Переходы"} | TITLES
    cells: list[tuple[Cell, ...]] = []
    for row in records(shown_rows(result)[0]):
        own: list[Cell] = []
        for name in planned:
            hidden = is_hidden(row, name)
            plan = number_cell(getattr(row, f"planned_{name}"))
            done = derived_cell(getattr(row, f"plan_done_{name}"), hidden, "нет плана")
            own += [Missing("нет плана") if plan is None else plan, count_cell(getattr(row, name), hidden), done]
        cells.append(tuple(own))
    columns = []
    for name in planned:
        columns += [
            Column(f"{titles[name]}: план", "int"),
            Column("Факт", "int"),
            Column("Выполнение, %", "percent"),
        ]
    return (_table(result, "План и факт", columns, cells),)


def compact_table(result: Conversion) -> Table:
    """One table of a cut: penetration, the target action with its interval, its cost."""
    target = result.target
    cells: list[tuple[Cell, ...]] = []
    for row in records(shown_rows(result)[0]):
        hidden = is_hidden(row, target)
        cells.append(
            (
                row.placements,
                _count(row.impressions),
                _ratio_cell(row, "click_rate"),
                count_cell(getattr(row, target), hidden),
                _ratio_cell(row, f"{target}_per_click", 1, hidden),
                interval_cell(row, f"{target}_per_click", 1, hidden),
                _cost_per(row, target),
            )
        )
    columns = [
        Column("Размещений", "int"),
        Column("Показы", "int"),
        Column("Переходы к показам, %", "percent", rate_decimals(result)),
        Column(TITLES[target], "int"),
        Column("К переходам, %", "percent", 2),
        Column("Интервал, %", "percent", 2),
        Column(
            f"Стоимость {ONE[target]}, {result.money_unit}", "number", money_decimals(result, [f"cost_per_{target}"])
        ),
    ]
    notes = [] if not result.rows["few_placements"].any() else [f"Меньше {MIN_PLACEMENTS} размещений — интервала нет."]
    return _table(result, TITLES[target], columns, cells, *notes)
