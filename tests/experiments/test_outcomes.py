"""Outcomes: what goes together, and the sums that each assigned unit contributes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import Outcome
from kcrr_analysis.experiments.outcomes import reduce
from tests.experiments.made_pilots import clients, summed

NAN = float("nan")
IDS = ("a", "b")


def rows(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"center_id": ["a", "a", "b", "b", "c"], **columns})


def test_defaults_follow_the_name_and_the_role() -> None:
    one = Outcome("applied")
    assert (one.column, one.title, one.aim, one.sign) == ("applied", "applied", "difference", 1)
    guard = Outcome("wait", role="guardrail", margin=0.1, better="lower")
    assert (guard.aim, guard.sign) == ("not_worse", -1)
    assert Outcome("y", of="n", covariates="x", covariate_of="m").columns == ("y", "n", "m", "x")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "proporton"}, "имелось в виду proportion"),
        ({"role": "main"}, "role: «main»"),
        ({"better": "up"}, "better: «up»"),
        ({"missing": "drop"}, "missing: «drop»"),
        ({"aim": "same", "margin": 0.1}, "aim: «same»"),
        ({"kind": "ratio"}, "укажите столбец of"),
        ({"role": "guardrail"}, "нужен margin"),
        ({"aim": "equivalent"}, "нужен margin"),
        ({"aim": "not_worse", "margin": 0}, "нужен margin"),
        ({"aim": "not_worse", "margin": -0.1}, "margin: «-0.1»"),
        ({"aim": "not_worse", "margin": NAN}, "margin: «nan»"),
        ({"aim": "not_worse", "margin": "мало"}, "margin: «мало»"),
        ({"worthwhile": -1}, "worthwhile: «-1»"),
        ({"worthwhile": 3}, "а не процентами"),
        ({"aim": "not_worse", "margin": 5}, "а не процентами"),
        ({"kind": "ordinal", "aim": "not_worse", "margin": 0.5}, "меньше 0.5"),
        ({"kind": "ordinal", "missing": "not_reached"}, "not_reached не подходит"),
        ({"kind": "ordinal", "covariates": "x"}, "не предусмотрена"),
        ({"role": "guardrail", "aim": "difference", "margin": 0.1}, "Уберите aim: difference"),
        ({"covariate_of": "n"}, "covariate_of указан без covariates"),
        ({"column": 5}, "столбца «5»"),
        ({"covariates": [5]}, "столбца «5»"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Outcome("y", **fields)


@pytest.mark.parametrize("name", ["", " ", None])
def test_an_outcome_has_a_name(name: Any) -> None:
    with pytest.raises(ParameterError, match="укажите name"):
        Outcome(name)


def test_a_row_a_person_by_hand() -> None:
    found = reduce(Outcome("y"), rows(y=[1, 0, 1, NAN, 1]), IDS, "center_id")
    assert found.total.tolist() == [1, 1]
    assert found.weight.tolist() == found.persons.tolist() == [2, 1]
    assert found.missing.tolist() == [0, 1]
    funnel = reduce(Outcome("y", missing="not_reached"), rows(y=[1, 0, 1, NAN, 1]), IDS, "center_id")
    assert funnel.total.tolist() == [1, 1]
    assert funnel.weight.tolist() == funnel.persons.tolist() == [2, 2]
    assert funnel.missing.tolist() == [0, 1]


def test_sums_by_hand() -> None:
    table = rows(y=[3, 4, NAN, 5, 9], n=[10, 10, 7, 8, 9])
    found = reduce(Outcome("y", of="n"), table, IDS, "center_id")
    assert found.total.tolist() == [7, 5]
    assert found.weight.tolist() == found.persons.tolist() == [20, 8]
    assert found.missing.tolist() == [0, 7]
    funnel = reduce(Outcome("y", of="n", missing="not_reached"), table, IDS, "center_id")
    assert funnel.weight.tolist() == [20, 15]
    assert funnel.missing.tolist() == [0, 7]


def test_a_ratio_by_hand() -> None:
    found = reduce(Outcome("y", kind="ratio", of="n"), rows(y=[3, 2, 1, NAN, 9], n=[1, 0, 4, 2, 9]), IDS, "center_id")
    assert found.total.tolist() == [5, 1]
    assert found.weight.tolist() == [1, 4]
    assert found.persons.tolist() == [2, 1]
    assert found.missing.tolist() == [0, 1]


def test_levels_by_hand() -> None:
    found = reduce(Outcome("y", kind="ordinal"), rows(y=[5, 3, 3, 3, 1]), IDS, "center_id")
    assert found.scale == (3.0, 5.0)
    assert found.levels is not None
    assert found.levels.tolist() == [[1, 1], [2, 0]]
    table = reduce(Outcome("y", kind="ordinal", of="n"), rows(y=[5, 3, 3, NAN, 1], n=[4, 6, 2, 1, 1]), IDS, "center_id")
    assert table.levels is not None
    assert table.levels.tolist() == [[6, 4], [2, 0]]
    assert table.total.tolist() == [38, 6]
    assert table.missing.tolist() == [0, 1]
    nobody = reduce(Outcome("y", kind="ordinal"), rows(y=NAN), IDS, "center_id")
    assert nobody.levels is not None
    assert nobody.levels.shape == (2, 0)


def test_periods_stand_in_order_and_empty_cells_have_no_weight() -> None:
    table = rows(y=[1, 0, 1, 1, 1], week=["10", "9", "9", "11", "9"])
    found = reduce(Outcome("y"), table, IDS, "center_id", "week")
    assert found.periods == ("9", "10", "11")
    assert found.total.tolist() == [[0, 1, 0], [1, 0, 1]]
    assert found.weight.tolist() == [[1, 1, 0], [1, 0, 1]]
    with pytest.raises(ParameterError, match="между 9 и 11 в данных пропущены"):
        reduce(Outcome("y"), rows(y=1, week=[8, 9, 9, 11, 8]), IDS, "center_id", "week")


def test_covariates_are_means_of_persons_or_ratios_of_sums() -> None:
    table = rows(y=[1, 0, 1, 1, 1], x=[2.0, 4, NAN, 5, 100], m=[1, 3, 1, 2, 1])
    plain = reduce(Outcome("y", covariates="x"), table, IDS, "center_id")
    assert plain.covariates is not None
    assert plain.covariates.ravel().tolist() == [3, 5]
    summed_up = reduce(Outcome("y", covariates="x", covariate_of="m"), table, IDS, "center_id")
    assert summed_up.covariates is not None
    assert summed_up.covariates.ravel().tolist() == [6 / 4, 5 / 2]
    # a unit without the covariate gets the overall mean
    three = reduce(Outcome("y", covariates="x"), table.assign(x=[2, 4, NAN, NAN, 6]), ("a", "b", "c"), "center_id")
    assert three.covariates is not None
    assert three.covariates.ravel().tolist() == [3, 4, 6]
    for useless in (1.0, NAN):
        with pytest.raises(ParameterError, match="столбец «x» пуст или одинаков"):
            reduce(Outcome("y", covariates="x"), table.assign(x=useless), IDS, "center_id")


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["proportion", "mean", "count", "ordinal"]))
@settings(max_examples=40, deadline=None)
def test_a_row_a_person_equals_a_row_a_centre(seed: int, kind: Any) -> None:
    table = clients(seed)
    ids = tuple(sorted(set(table["center_id"])))
    column = {"proportion": "applied", "mean": "minutes", "count": "visits", "ordinal": "grade"}[kind]
    one = reduce(Outcome("y", kind, column), table.sample(frac=1, random_state=seed), ids, "center_id")
    if kind == "ordinal":
        sums = table.groupby(["center_id", "grade"]).size().rename("n").reset_index()
        other = reduce(Outcome("y", kind, column, of="n"), sums, ids, "center_id")
        assert np.array_equal(one.levels, other.levels)  # type: ignore[arg-type]
    else:
        other = reduce(Outcome("y", kind, column, of="clients"), summed(table), ids, "center_id")
    for name in ("total", "weight", "persons", "missing"):
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-12)


@pytest.mark.parametrize(
    "form",
    [
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.astype({"y": str}),
        lambda frame: frame.astype({"y": "category", "center_id": "category"}),
        lambda frame: frame.astype({"y": bool}),
        lambda frame: frame.astype({"y": "boolean"}),
        lambda frame: frame.set_index(pd.Index([0] * 5)),
        lambda frame: frame.set_index(["extra", "n"]),
    ],
)  # fmt: skip
def test_the_form_of_the_columns_does_not_matter(form: Any) -> None:
    table = rows(y=[1, 0, 1, 1, 1], n=1, extra=list("vwxyz"))
    one, other = (reduce(Outcome("y"), frame, IDS, "center_id") for frame in (table, form(table)))
    assert one.total.tolist() == other.total.tolist()
    assert one.weight.tolist() == other.weight.tolist()


@pytest.mark.parametrize(
    ("outcome", "columns", "said"),
    [
        (Outcome("aplied"), {"applied": 1}, "нет столбца «aplied». Возможно, имелся в виду «applied»"),
        (Outcome("y", of="n"), {"y": 1}, "нет столбца «n»"),
        (Outcome("y", covariates="x"), {"y": 1}, "нет столбца «x»"),
        (Outcome("y"), {"y": ["1", "да", "0", "", "1"]}, "столбец «y», a: «да» — не число"),
        (Outcome("y", "mean"), {"y": [1, 2, np.inf, 3, 4]}, "столбец «y», b: «inf» — не число"),
        (Outcome("y", "mean"), {"y": pd.Timestamp("2025-01-01")}, "даты, а не числа"),
        (Outcome("y"), {"y": [1, 2, 0, 0, 0]}, "столбец «y», a: значение 2 невозможно: ожидается 0 или 1"),
        (Outcome("y"), {"y": 0.5}, "ожидается 0 или 1"),
        (Outcome("y", of="n"), {"y": [1, 2, 5, 0, 0], "n": 4}, "b: значение 5 невозможно: больше знаменателя «n»"),
        (Outcome("y", of="n"), {"y": -1, "n": 4}, "значение -1 невозможно"),
        (Outcome("y", of="n"), {"y": 1, "n": [4, -4, 4, 4, 4]}, "столбец «n», a: значение -4 невозможно: знаменатель"),
        (Outcome("y", of="n"), {"y": 1, "n": [4, NAN, 4, 4, 4]}, "столбец «n», a: значение не заполнено"),
        (Outcome("y", "count"), {"y": [1, -2, 0, 0, 0]}, "значение -2 невозможно: число случаев"),
        (Outcome("y", "mean", of="n"), {"y": 7, "n": [0, 1, 1, 1, 1]}, "столбец «n», a: значение 0 .*: сумма «y»"),
        (Outcome("y", "ratio", of="n"), {"y": 7, "n": [-1, 1, 1, 1, 1]}, "столбец «n», a: значение -1"),
    ],
)  # fmt: skip
def test_values_that_cannot_be(outcome: Outcome, columns: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        reduce(outcome, rows(**columns), IDS, "center_id")


def test_a_column_twice_is_refused() -> None:
    table = pd.concat([rows(y=1), rows(y=0)[["y"]]], axis=1)
    with pytest.raises(ParameterError, match="столбец «y» есть в данных дважды"):
        reduce(Outcome("y"), table, IDS, "center_id")
