"""What was measured on the assigned units: the rows that belong to them, by wave and block of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.assignment import BLOCK, Assignment, block_numbers
from kcrr_analysis.experiments.labels import identifiers, in_order, listed, without_gaps
from kcrr_analysis.experiments.outcomes import Outcome, Reduced, reduce
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.experiments.readout import Deviation
from kcrr_analysis.stats.estimate import FloatArray


def rows_of(
    protocol: Protocol, made: Assignment, outcomes: pd.DataFrame, look: int | None, deviations: list[Deviation]
) -> pd.DataFrame:
    """Rows of assigned units; what is missing or strange is named.

    Args:
        protocol: The protocol.
        made: The assignment.
        outcomes: Table of outcomes.
        look: Number of the look; None is the final analysis.
        deviations: What is missing or strange is added here.

    Raises:
        ParameterError: No table, no column of units, no row of an assigned unit, or a person twice.
    """
    key = protocol.design.assigned
    if not isinstance(outcomes, pd.DataFrame):
        raise ParameterError("Результаты: ожидается таблица (DataFrame): строка на человека или на единицу назначения.")
    if key not in outcomes:
        raise ParameterError(
            f"Результаты: нет столбца «{key}», по которому строки относятся к единицам назначения. "
            f"Есть: {', '.join(map(str, outcomes.columns))}."
        )
    if list(outcomes.columns).count(key) > 1:
        raise ParameterError(f"Результаты: столбец «{key}» есть в таблице дважды. Оставьте один.")
    found = identifiers(outcomes[key])
    known = set(made.ids)
    nameless = int(found.isna().sum())
    if nameless:
        deviations.append(
            Deviation("units_unknown", f"В данных не заполнен «{key}», строк: {nameless}; они не учтены.")
        )
    strange = sorted(set(found.dropna()) - known)
    if strange:
        deviations.append(
            Deviation(
                "units_unknown", f"В данных есть единицы, которых нет в назначении; они не учтены: {listed(strange)}."
            )
        )
    absent = sorted(_due(protocol, made, look) - set(found))
    if absent:
        deviations.append(Deviation("units_missing", f"Нет данных назначенных единиц: {listed(absent)}."))
    if known.isdisjoint(found):
        raise ParameterError(
            f"Результаты: ни одна строка не относится к назначенным единицам. В назначении: {listed(sorted(known))}; "
            f"в данных: {listed(strange) or 'пусто'}. Проверьте коды (начальные нули, столбец «{key}»)."
        )
    twice = found[found.isin(known) & found.duplicated()]
    if protocol.design.cluster is None and len(twice):
        raise ParameterError(
            f"Результаты: «{twice.iloc[0]}» встречается несколько раз, а назначались отдельные люди. Оставьте одну "
            "строку на человека (для числа случаев — сумму)."
        )
    return outcomes[found.isin(known)]


def by_unit(outcome: Outcome, made: Assignment, rows: pd.DataFrame) -> Reduced:
    """The outcome summed over what was assigned: units, units and periods, or units' blocks of time.

    Args:
        outcome: The outcome.
        made: The assignment.
        rows: Rows of assigned units, see `rows_of`.

    Raises:
        ParameterError: Columns, values or periods that cannot be used.
    """
    design = made.design
    if design.ordered:
        return reduce(outcome, rows, made.ids, design.assigned, design.period)
    if design.method != "switchback":
        return _with_absent(outcome, made, reduce(outcome, rows, made.ids, design.assigned))
    rows = _in_blocks(made, rows)
    slot = "__slot"
    rows = rows.assign(**{slot: identifiers(rows[design.assigned]) + "\t" + identifiers(rows[BLOCK])})
    slots = made.units[design.assigned] + "\t" + made.units[BLOCK].astype(str)
    return reduce(outcome, rows, tuple(slots), slot)


def waves_of(column: str, made: Assignment) -> FloatArray:
    """Wave of each unit, from 1 without gaps.

    Raises:
        ParameterError: Waves that are not 1, 2, ...
    """
    found = pd.to_numeric(made.units[column], errors="coerce").to_numpy(dtype=float)
    if not np.array_equal(np.unique(found), np.arange(1, np.unique(found).size + 1)):
        names = listed(sorted(set(made.units[column].astype(str))))
        raise ParameterError(
            f"Назначение: волны просмотров (столбец «{column}»): {names}. Ожидаются номера 1, 2, … без пропусков."
        )
    return found


def _due(protocol: Protocol, made: Assignment, look: int | None) -> set[str]:
    """Units that should have data by now: at a look, those of its waves."""
    if protocol.looks is None or look is None:
        return set(made.ids)
    now = waves_of(protocol.looks.wave, made) <= look
    return {name for name, due in zip(made.ids, now.tolist(), strict=True) if due}


def _with_absent(outcome: Outcome, made: Assignment, reduced: Reduced) -> Reduced:
    """Assigned persons without any row are missing too; a funnel outcome has them in its denominator."""
    absent = (reduced.persons + reduced.missing) <= 0
    if made.design.cluster is not None or outcome.of is not None or not absent.any():
        return reduced
    counted = reduced.weight + absent if outcome.missing == "not_reached" else reduced.weight
    persons = counted if outcome.missing == "not_reached" else reduced.persons
    return replace(reduced, weight=counted, persons=persons, missing=reduced.missing + absent)


def _in_blocks(made: Assignment, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the number of their block, without those of the washout."""
    design = made.design
    if design.period not in rows:
        if BLOCK in rows and not design.washout:
            return rows
        raise ParameterError(
            f"Результаты: нет столбца «{design.period}»: по нему строки относят к блокам времени"
            f"{' и исключают перерыв (washout)' if design.washout else ''}. Есть: {', '.join(map(str, rows.columns))}."
        )
    order = in_order(rows[design.period])
    without_gaps(order, design.period)
    place = {label: number for number, label in enumerate(order)}
    if BLOCK not in rows:
        rows = rows.assign(**{BLOCK: block_numbers(design, rows[design.period])})
        blocks, assigned = int(rows[BLOCK].max()) + 1, int(made.units[BLOCK].nunique())
        if blocks != assigned:
            raise ParameterError(
                f"Результаты: периоды ({order[0]} … {order[-1]}) образуют блоков {blocks}, а назначено {assigned}: "
                f"какие из них есть в данных, не определить. Добавьте столбец «{BLOCK}» с номером блока из назначения "
                "или все периоды."
            )
    return rows[rows[design.period].map(place) % design.block >= design.washout]
