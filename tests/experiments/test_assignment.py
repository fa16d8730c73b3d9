"""Assignments: the draw, its balance, reading back, and what no design could have drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import Assignment, Design, read_assignment
from kcrr_analysis.experiments.mechanism import imbalance
from tests.experiments.made_pilots import CENTRES, by_centre

IN_BLOCKS = CENTRES[["center_id", "region"]].merge(pd.DataFrame({"month": range(1, 9)}), how="cross")

DESIGNS: dict[str, tuple[Design, pd.DataFrame]] = {
    "complete": (by_centre(seed=3), CENTRES),
    "four arms": (by_centre(arms=list("abcd"), seed=3), CENTRES),
    "unequal": (by_centre(arms={"a": 0.25, "b": 0.75}, method="stratified", strata="region"), CENTRES),
    "three unequal": (by_centre(arms={"a": 0.2, "b": 0.3, "c": 0.5}), CENTRES),
    "stratified": (by_centre(method="stratified", strata=("region", "wave")), CENTRES),
    "formed pairs": (by_centre(method="matched_pairs", balance=("size", "staff")), CENTRES),
    "pairs in strata": (by_centre(method="matched_pairs", balance="size", strata="region"), CENTRES),
    "given pairs": (by_centre(method="matched_pairs", pairs="pair"), CENTRES.assign(pair=np.arange(12) // 2)),
    "given triples": (by_centre(method="matched_pairs", pairs="set", arms=list("abc")),
                      CENTRES.assign(set=list("xyzw") * 3)),
    "rerandomised": (by_centre(method="rerandomised", balance=("size", "staff"), strata="region"), CENTRES),
    "stepped wedge": (by_centre(method="stepped_wedge", waves=3, balance="size"), CENTRES),
    "crossover": (by_centre(method="crossover", balance="size"), CENTRES),
    "switchback": (by_centre(method="switchback", block=2, washout=1, strata="region"), IN_BLOCKS),
    "persons": (Design(balance="size"), CENTRES.rename(columns={"center_id": "person_id"})),
}  # fmt: skip


@pytest.mark.parametrize("name", DESIGNS)
def test_reading_back_is_accepted_as_the_seeds_own_draw(name: str, tmp_path: Path) -> None:
    design, units = DESIGNS[name]
    made = design.assign(units)
    assert made.redrawn is True
    kept = tmp_path / "assignment.csv"
    made.to_frame().to_csv(kept, index=False)
    for again in (made.to_frame(), pd.read_csv(kept, dtype=str), pd.read_csv(kept, dtype={design.assigned: str})):
        found = read_assignment(design, again)
        assert found.redrawn is True
        assert found.counts == made.counts
        assert found.ids == made.ids
        assert found.allowed.codes.tolist() == made.allowed.codes.tolist()
        assert found.allowed.count == made.allowed.count
        pd.testing.assert_frame_equal(found.balance, made.balance)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_draw_depends_on_units_and_seed_alone(name: str) -> None:
    design, units = DESIGNS[name]
    made = design.assign(units)
    forms: list[Callable[[pd.DataFrame], pd.DataFrame]] = [
        lambda frame: frame.sample(frac=1, random_state=5),
        lambda frame: frame.set_index(pd.Index([7] * len(frame))),
        lambda frame: pd.concat([frame, frame]),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.assign(unused=range(len(frame))),
    ]
    for form in forms:
        pd.testing.assert_frame_equal(design.assign(form(units)).units, made.units)


@given(order=st.permutations(range(12)), seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_does_not_matter(order: list[int], seed: int) -> None:
    design = by_centre(method="stratified", strata="region", seed=seed)
    assert design.assign(CENTRES.iloc[order]).units.equals(design.assign(CENTRES).units)


def test_each_arm_gets_its_share_of_each_stratum() -> None:
    design = by_centre(method="stratified", strata="region", arms={"a": 1 / 3, "b": 2 / 3}, seed=8)
    found = design.assign(CENTRES).units.groupby(["region", "arm"]).size()
    assert found.to_dict() == {("север", "a"): 2, ("север", "b"): 4, ("юг", "a"): 2, ("юг", "b"): 4}
    # (6 choose 2) squared
    assert design.assign(CENTRES).allowed.count == 225


def test_what_does_not_divide_goes_to_arms_by_chance_with_the_right_mean() -> None:
    sizes = [
        by_centre(arms={"a": 0.2, "b": 0.8}, seed=seed).assign(CENTRES.iloc[:7]).counts["a"] for seed in range(400)
    ]
    assert set(sizes) == {1, 2}
    # 7 x 0.2 = 1.4; standard error of the mean is sqrt(0.24 / 400) = 0.0245
    assert np.mean(sizes) == pytest.approx(1.4, abs=0.1)


def test_every_assignment_is_equally_likely() -> None:
    four = CENTRES.iloc[:4]
    found = pd.Series([tuple(by_centre(seed=seed).assign(four).allowed.codes) for seed in range(900)]).value_counts()
    # six assignments, 150 times each; chi-square with 5 degrees of freedom is under 20.5 in 99.9 %
    assert len(found) == 6
    assert ((found - 150) ** 2 / 150).sum() < 20.5


def test_formed_pairs_are_alike_and_divided() -> None:
    units = by_centre(method="matched_pairs", balance="size").assign(CENTRES).units
    assert (units.groupby("pair")["size"].agg(np.ptp) == 4).all()
    assert (units.groupby("pair")["arm"].nunique() == 2).all()
    within = by_centre(method="matched_pairs", balance="staff", strata="region").assign(CENTRES).units
    assert (within.groupby("pair")["region"].nunique() == 1).all()
    assert within["pair"].nunique() == 6


def test_a_rerandomised_draw_is_among_the_best() -> None:
    design = by_centre(method="rerandomised", balance="size", accept=0.1, seed=4)
    made = design.assign(CENTRES)
    every, exact = by_centre().assign(CENTRES).allowed.reference()
    gaps = imbalance(every, CENTRES[["size"]].to_numpy())
    assert exact
    assert imbalance(made.allowed.codes[None], CENTRES[["size"]].to_numpy())[0] <= np.quantile(gaps, 0.1) + 1e-9
    assert made.allowed.count == (gaps <= np.quantile(gaps, 0.1) + 1e-9).sum()


def test_balance_by_hand() -> None:
    units = pd.DataFrame({"center_id": list("abcd"), "arm": ["control", "treatment"] * 2, "size": [1.0, 2, 3, 6]})
    found = read_assignment(by_centre(balance="size"), units).balance
    # means 4 v 2, variances 8 and 2: (4 - 2) / sqrt(5)
    assert found.loc[0].tolist() == ["size", "treatment", 4.0, 2.0, pytest.approx(2 / np.sqrt(5))]
    alike = read_assignment(by_centre(balance="size"), units.assign(size=3)).balance
    assert alike["difference"].tolist() == [0.0]
    pair = read_assignment(by_centre(balance="size"), units.iloc[:2]).balance
    assert np.isnan(pair["difference"][0])


def test_identifiers_of_every_form_name_the_same_unit() -> None:
    numbered = CENTRES.assign(center_id=range(12))
    made = by_centre().assign(numbered)
    for form in (float, str, "Int64", "category"):
        assert by_centre().assign(numbered.astype({"center_id": form})).units.equals(made.units)
    assert by_centre().assign(CENTRES).ids != made.ids


def holed(column: str, keep: Any, other: Any = None) -> pd.DataFrame:
    """The centres with a hole in a column."""
    return CENTRES.assign(**{column: CENTRES[column].where(keep, other)})


BY_REGION = by_centre(method="stratified", strata="region")
GIVEN = by_centre(method="matched_pairs", pairs="p")
PER_REGION = by_centre(method="matched_pairs", pairs="p", strata="region")
HALF_PAIRED = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, np.nan, np.nan]


@pytest.mark.parametrize(
    ("design", "units", "said"),
    [
        (by_centre(), CENTRES.iloc[:0], "единиц всего 0, а групп 2"),
        (BY_REGION, CENTRES.iloc[:0], "единиц всего 0"),
        (by_centre(method="switchback"), IN_BLOCKS.iloc[:0], "единиц всего 0"),
        (by_centre(arms=list("abcd")), CENTRES.iloc[:3], "единиц всего 3, а групп 4"),
        (by_centre(method="stepped_wedge", waves=3), CENTRES.iloc[:2], "единиц всего 2, а групп 3"),
        (by_centre(arms={"a": 0.9999, "b": 0.0001}), CENTRES, "группе «b» с долей 0.0001 из 12 единиц не досталось"),
        (BY_REGION, CENTRES.iloc[:7], "в самой малой страте 1"),
        (by_centre(), CENTRES.drop(columns="center_id"), "нет столбца: center_id. Есть: region"),
        (by_centre(), CENTRES.set_index("center_id"), "нет столбца: center_id"),
        (by_centre(), pd.concat([CENTRES, CENTRES], axis=1), "столбец «center_id» есть в таблице дважды"),
        (by_centre(), [1, 2], "ожидается таблица"),
        (by_centre(), holed("center_id", CENTRES.index != 3), "в строке 4 .* не заполнен столбец center_id"),
        (by_centre(), holed("center_id", CENTRES.index != 3, " "), "в строке 4 .* не заполнен столбец center_id"),
        (BY_REGION, holed("region", CENTRES.index > 2), "в строке 1 .* не заполнен столбец region"),
        (GIVEN, CENTRES.assign(p=HALF_PAIRED), "в строке 11 .* не заполнен столбец p"),
        (GIVEN, CENTRES.assign(p=[1, 1, 1, *range(9)]), "в наборе «1» единиц: 4, а групп 2"),
        (PER_REGION, CENTRES.assign(p=[*range(6)] * 2), "единицы набора «0» в разных стратах"),
        (by_centre(method="matched_pairs", balance="size"), CENTRES.iloc[:11], r"нечётное \(11\)"),
        (by_centre(method="matched_pairs", balance="size", strata="wave"), CENTRES.iloc[:10], "единиц страты нечётное"),
        (by_centre(method="rerandomised", balance="size"), CENTRES.assign(size="много"),
         "в столбце size нет числа у «00»"),
        (by_centre(method="rerandomised", balance="size"), CENTRES.assign(size=np.inf), "в столбце size нет числа"),
        (BY_REGION, pd.concat([CENTRES, CENTRES.assign(region="запад")]),
         "«00» встречается с разными значениями .* region"),
        (by_centre(method="switchback"), CENTRES, "нет столбца: month"),
        (by_centre(method="switchback"), IN_BLOCKS.assign(month=IN_BLOCKS["month"].where(IN_BLOCKS.index != 3)),
         "не заполнен в строке 4"),
        (by_centre(method="not_randomised"), CENTRES, "ничего не назначает по жребию"),
    ],
)  # fmt: skip
def test_units_that_cannot_be_assigned(design: Design, units: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        design.assign(units)


def _changed(name: str, **columns: Any) -> tuple[Design, pd.DataFrame]:
    design, units = DESIGNS[name]
    return design, design.assign(units).to_frame().assign(**columns)


@pytest.mark.parametrize(
    ("name", "columns", "said"),
    [
        ("complete", {"arm": ["control"] * 4 + ["treatment"] * 8}, "«control» единиц: 4, а по протоколу могло быть 6"),
        ("complete", {"arm": ["control"] * 6 + ["tretment"] * 6}, "у единицы «06» значение arm «tretment» не описано"),
        ("complete", {"arm": [None] + ["control"] * 11}, "у единицы «00» значение arm «» не описано"),
        ("complete", {"arm": "control"}, "в группе «treatment» нет ни одной единицы"),
        ("four arms", {"arm": list("abcd") * 2 + list("abca")}, "единиц: 4, а по протоколу могло быть 3"),
        ("unequal", {"arm": ["a"] * 3 + ["b"] * 9}, "в страте «север» в группе «a» единиц: 3, а .* 1 или 2"),
        ("stratified", {"arm": ["control"] * 6 + ["treatment"] * 6}, "в страте «север / 1» "),
        ("formed pairs", {"arm": ["control"] * 6 + ["treatment"] * 6}, "в паре "),
        ("given pairs", {"arm": ["control"] * 6 + ["treatment"] * 6}, "в паре 00, 01 в группе «control» единиц: 2"),
        ("rerandomised", {"arm": ["control"] * 3 + ["treatment"] * 6 + ["control"] * 3}, "size, staff сильнее"),
        ("stepped wedge", {"wave": [1] * 6 + [2] * 3 + [3] * 3}, "в волне «1» единиц: 6, а по протоколу могло быть 4"),
        ("stepped wedge", {"wave": [2] * 4 + [3] * 4 + [4] * 4}, "значение wave «4» не описано .* Есть: 1, 2, 3"),
        ("stepped wedge", {"wave": [1] * 6 + [2] * 6}, "в волне «3» нет ни одной единицы"),
        ("crossover", {"sequence": [0] * 5 + [1] * 7}, "в очерёдности «0» единиц: 5, а по протоколу могло быть 6"),
        ("switchback", {"arm": ["control"] + ["treatment"] * 47}, "«control» единиц: 1, а по протоколу могло быть 2"),
    ],
)  # fmt: skip
def test_what_the_design_could_not_have_drawn_is_refused(name: str, columns: dict[str, Any], said: str) -> None:
    design, frame = _changed(name, **columns)
    with pytest.raises(ParameterError, match=said):
        read_assignment(design, frame)


def test_another_possible_assignment_is_accepted_and_told_from_the_seeds() -> None:
    design, units = DESIGNS["complete"]
    own = design.assign(units).to_frame()
    other = own.assign(arm=own["arm"].map({"control": "treatment", "treatment": "control"}))
    assert read_assignment(design, other).redrawn is False


def test_conflicting_rows_of_a_unit_and_a_missing_column_are_refused() -> None:
    design, units = DESIGNS["complete"]
    frame = design.assign(units).to_frame()
    with pytest.raises(ParameterError, match=r"«..» встречается с разными значениями столбцов arm"):
        read_assignment(design, pd.concat([frame, frame.assign(arm=frame["arm"].to_numpy()[::-1])]))
    with pytest.raises(ParameterError, match="Назначение: нет столбца: arm"):
        read_assignment(design, frame.drop(columns="arm"))


def test_an_assignment_that_nobody_drew_is_not_tested() -> None:
    design = by_centre(method="not_randomised")
    made = read_assignment(design, CENTRES.assign(arm=["treatment"] + ["control"] * 11))
    assert isinstance(made, Assignment)
    assert made.redrawn is None
    assert made.counts == {"control": 11, "treatment": 1}
