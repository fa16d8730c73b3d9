"""Costs: what is in them, what is missing from them, and the scenario of return."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcrr_analysis import costs, stats
from kcrr_analysis.costs import Rates
from kcrr_analysis.errors import NotComputableError, ParameterError

ROOT = Path(__file__).resolve().parents[1]

FRAME = pd.DataFrame(
    {
        "external_cost": [1000.0, np.nan, np.nan, 0.0],
        "direct_cost": [200.0, 300.0, np.nan, np.nan],
        "staff_hours": [4.0, np.nan, np.nan, 5.0],
    }
)


def test_cost_is_external_plus_hours_plus_direct_plus_overhead_on_the_last_two() -> None:
    cost = costs.contact_cost(FRAME, Rates(500, 0.1))
    assert cost[0] == pytest.approx(1000 + (4 * 500 + 200) * 1.1)
    assert cost[1] == pytest.approx(300 * 1.1)
    assert cost[3] == pytest.approx(5 * 500 * 1.1)


def test_nothing_recorded_is_a_missing_cost_and_never_zero() -> None:
    assert np.isnan(costs.contact_cost(FRAME, Rates(500))[2])
    assert costs.contact_cost(FRAME[[]], Rates(500)).isna().all()
    assert costs.contact_cost(FRAME[["staff_hours"]], Rates(None)).isna().all()


def test_hours_without_a_rate_are_left_out_and_flagged() -> None:
    assert costs.contact_cost(FRAME, costs.UNKNOWN)[0] == 1200
    assert costs.unpriced(FRAME, costs.UNKNOWN).tolist() == [True, False, False, True]
    assert not costs.unpriced(FRAME, Rates(0)).any()
    assert any("ставка не задана" in said for said in costs.gaps(FRAME, costs.UNKNOWN))


def test_internal_cost_leaves_the_contractor_out() -> None:
    assert costs.internal_cost(FRAME, Rates(500, 0.1))[0] == pytest.approx(2200 * 1.1)
    assert np.isnan(costs.internal_cost(FRAME[["external_cost"]], Rates(500))[0])


def test_gaps_name_the_parts_that_are_recorded_nowhere_and_in_some_rows() -> None:
    nowhere = costs.gaps(FRAME[["external_cost"]].fillna(0), Rates(500))
    assert nowhere == ("В данных не записаны прямые расходы и часы сотрудников: в стоимость они не вошли.",)
    partly = costs.gaps(FRAME, Rates(500))
    assert "внешние расходы — в 2 из 4, прямые расходы — в 2 из 4 и часы сотрудников — в 2 из 4" in partly[0]
    assert costs.gaps(FRAME[[]], Rates(500)) == ("Расходы в данных не записаны: стоимость не вычисляется.",)
    assert costs.gaps(FRAME.fillna(0), Rates(500)) == ()


def test_nullable_columns_are_read_as_they_are() -> None:
    frame = pd.DataFrame({"external_cost": pd.array([100, None], dtype="Int64")})
    assert costs.contact_cost(frame, Rates(1)).tolist()[0] == 100


@given(
    st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e4), st.floats(0, 5000), st.floats(0, 2),
)  # fmt: skip
def test_cost_is_the_sum_of_internal_and_external(
    external: float, direct: float, hours: float, rate: float, overhead: float
) -> None:
    frame = pd.DataFrame({"external_cost": [external], "direct_cost": [direct], "staff_hours": [hours]})
    rates = Rates(rate, overhead)
    total = costs.contact_cost(frame, rates)[0]
    assert total == pytest.approx(external + costs.internal_cost(frame, rates)[0])
    assert total >= external


def test_the_definition_says_what_is_in_the_cost() -> None:
    said = Rates(450, 0.15, "приказ").definition.replace("\N{NO-BREAK SPACE}", " ")
    assert said == (
        "Стоимость = внешние расходы + часы сотрудников × 450 ₽ + прямые расходы + накладные (15 % от оплаты часов и "
        "прямых расходов). Источник ставки и накладных: приказ."
    )
    assert "работа сотрудников в стоимость не входит" in costs.UNKNOWN.definition
    assert "1 234,5" in Rates(1234.5).definition.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("rate", "overhead"), [(-1, 0), (1, -0.1), (float("nan"), 0), (1, float("inf"))])
def test_impossible_rates_are_refused(rate: float, overhead: float) -> None:
    with pytest.raises(ParameterError, match="не меньше нуля"):
        Rates(rate, overhead)


def test_the_packaged_rates_say_that_they_are_an_example() -> None:
    rates = costs.read_rates(ROOT / "params" / "costs.yaml")
    assert rates == Rates(450, 0.15, rates.source)
    assert "пример" in rates.definition


def test_rates_without_an_hour_are_unknown_not_zero(tmp_path: Path) -> None:
    path = tmp_path / "costs.yaml"
    path.write_text("hour_rate:\noverhead: 0\n", encoding="utf-8")
    assert costs.read_rates(path) == Rates(None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hour_rate: -5\noverhead: 0", "не меньше 0"),
        ("hour_rate: много\noverhead: 0", "ожидается число"),
        ("hour_rate: inf\noverhead: 0", "hour_rate"),
        ("hour_rate: 500\noverhead: 0\novrhead: 1", "Возможно, имелось в виду «overhead»"),
        ("overhead: 0.1", "hour_rate"),
    ],
)
def test_a_faulty_file_is_refused_with_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "costs.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=said):
        costs.read_rates(path)


GROWTH = stats.Estimate(estimate=40.0, low=10.0, high=70.0, level=0.95, method="", n=100.0, se=15.0)


def test_without_the_regions_own_value_of_a_client_there_is_no_return() -> None:
    with pytest.raises(NotComputableError, match="ценность одного клиента не задана"):
        costs.scenario(GROWTH, cost=1000)


def test_the_interval_of_clients_goes_through_to_the_return() -> None:
    found = costs.scenario(GROWTH, client_value=500, cost=10_000, source="решение региона")
    assert (found.value, found.value_low, found.value_high) == (20_000, 5_000, 35_000)
    assert (found.net, found.net_low, found.net_high) == (10_000, -5_000, 25_000)
    assert found.break_even == 20
    assert found.to_frame()["source"].tolist() == ["решение региона"]


def test_a_client_of_no_value_never_pays_back() -> None:
    assert costs.scenario(GROWTH, client_value=0, cost=10).break_even == np.inf
    loss = costs.scenario(GROWTH, client_value=-2, cost=0)
    assert loss.value_low == -140 <= loss.value <= loss.value_high == -20


@pytest.mark.parametrize(("value", "cost"), [(float("nan"), 1), (1, -1), (1, float("inf"))])
def test_a_broken_scenario_is_refused(value: float, cost: float) -> None:
    with pytest.raises(ParameterError, match="Сценарий отдачи"):
        costs.scenario(GROWTH, client_value=value, cost=cost)
