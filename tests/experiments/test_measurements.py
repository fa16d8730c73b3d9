"""Rows of the assigned units: whose they are, and what is missing or strange."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import Design, Looks, Outcome, Protocol
from kcrr_analysis.experiments.measurements import by_unit, rows_of, waves_of
from kcrr_analysis.experiments.readout import Deviation
from tests.experiments.made_pilots import CENTRES, by_centre, clients, summed

SUMS = summed(clients(3))
PILOT = Protocol("p", by_centre(), [Outcome("applied", of="clients")])
MADE = by_centre().assign(CENTRES)


def named(rows: Any, protocol: Protocol = PILOT, look: int | None = None) -> list[tuple[str, str]]:
    found: list[Deviation] = []
    rows_of(protocol, protocol.design.assign(CENTRES), rows, look, found)
    return [(one.code, one.text) for one in found]


def test_units_without_data_and_data_without_units_are_named() -> None:
    assert named(SUMS) == []
    assert named(SUMS.iloc[1:]) == [("units_missing", "Нет данных назначенных единиц: 00.")]
    strange = pd.concat([SUMS, SUMS.assign(center_id="99")])
    assert named(strange) == [("units_unknown", "В данных есть единицы, которых нет в назначении; они не учтены: 99.")]
    nameless = SUMS.assign(center_id=SUMS["center_id"].where(SUMS.index > 0))
    assert named(nameless)[0] == ("units_unknown", "В данных не заполнен «center_id», строк: 1; они не учтены.")
    assert named(SUMS.iloc[6:])[0][1].endswith("00, 01, 02, 03, 04 и ещё 1.")


def test_at_a_look_only_its_waves_are_due() -> None:
    design = by_centre(method="stratified", strata="wave")
    protocol = Protocol("p", design, [Outcome("applied", of="clients")], looks=Looks())
    first = SUMS[SUMS["center_id"].isin(CENTRES["center_id"][CENTRES["wave"] == 1])]
    assert named(first, protocol, 1) == []
    assert named(first, protocol, 2)[0][0] == "units_missing"
    assert named(first, protocol)[0][0] == "units_missing"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([1, 2], "ожидается таблица"),
        (SUMS.drop(columns="center_id"), "нет столбца «center_id»"),
        (SUMS.iloc[:0], "в данных: пусто"),
        (SUMS.assign(center_id=np.arange(12) + 500), r"назначении: 00, .* в данных: 500, .* \(начальные нули"),
        (pd.concat([SUMS, SUMS[["center_id"]]], axis=1), "столбец «center_id» есть в таблице дважды"),
    ],
)
def test_rows_that_cannot_be_used(rows: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        named(rows)


def test_a_person_twice_is_refused_a_centre_is_not() -> None:
    assert named(pd.concat([SUMS, SUMS])) == []
    people = clients(3)
    protocol = Protocol("p", Design(), [Outcome("applied")])
    with pytest.raises(ParameterError, match="«p7» встречается несколько раз"):
        rows_of(protocol, Design().assign(people), pd.concat([people, people.iloc[7:8]]), None, [])


def test_assigned_persons_without_a_row_are_missing() -> None:
    people = clients(3).iloc[:40]
    made = Design().assign(people)
    plain, funnel = (
        by_unit(Outcome("applied", missing=missing), made, people.iloc[4:])  # type: ignore[arg-type]
        for missing in ("excluded", "not_reached")
    )
    assert (plain.weight.sum(), plain.persons.sum(), plain.missing.sum()) == (36, 36, 4)
    assert (funnel.weight.sum(), funnel.persons.sum(), funnel.missing.sum()) == (40, 40, 4)
    assert plain.total.sum() == funnel.total.sum() == people["applied"].iloc[4:].sum()


def _switchback(washout: int = 1) -> tuple[Any, pd.DataFrame]:
    rows = CENTRES[["center_id"]].merge(pd.DataFrame({"month": range(1, 9)}), how="cross")
    rows["y"] = rows["month"].astype(float)
    return by_centre(method="switchback", block=2, washout=washout).assign(rows), rows


def test_blocks_of_a_switchback_leave_their_first_months_out() -> None:
    made, rows = _switchback()
    found = by_unit(Outcome("y", "mean"), made, rows)
    assert found.total.tolist() == [2, 4, 6, 8] * 12
    assert found.weight.tolist() == [1] * 48
    named_blocks = rows.assign(block=(rows["month"] - 1) // 2)
    assert by_unit(Outcome("y", "mean"), made, named_blocks).total.tolist() == found.total.tolist()
    whole, _ = _switchback(0)
    assert by_unit(Outcome("y", "mean"), whole, rows).total.tolist() == [3, 7, 11, 15] * 12
    assert by_unit(Outcome("y", "mean"), whole, named_blocks.drop(columns="month")).weight.tolist() == [2] * 48


def test_blocks_that_cannot_be_told_are_refused() -> None:
    made, rows = _switchback()
    outcome = Outcome("y", "mean")
    with pytest.raises(ParameterError, match=r"нет столбца «month».*перерыв \(washout\)"):
        by_unit(outcome, made, rows.rename(columns={"month": "m"}))
    with pytest.raises(ParameterError, match=r"нет столбца «month».*перерыв \(washout\)"):
        by_unit(outcome, made, rows.rename(columns={"month": "block"}))
    with pytest.raises(ParameterError, match="образуют блоков 3, а назначено 4"):
        by_unit(outcome, made, rows[rows["month"] > 2])
    with pytest.raises(ParameterError, match="между 3 и 5 в данных пропущены"):
        by_unit(outcome, made, rows[rows["month"] != 4])
    # With the block's number the missing ones are plain.
    later = rows.assign(block=(rows["month"] - 1) // 2)
    assert by_unit(outcome, made, later[later["month"] > 2]).weight.tolist() == [0, 1, 1, 1] * 12


@pytest.mark.parametrize("waves", [["a", "b", "c"] * 4, [0, 1, 2] * 4, [1, 2, 4] * 4])
def test_waves_are_numbered_from_one(waves: list[Any]) -> None:
    made = by_centre(method="stratified", strata="wave").assign(CENTRES.assign(wave=waves))
    with pytest.raises(ParameterError, match=r"волны просмотров .* Ожидаются номера 1, 2"):
        waves_of("wave", made)
