"""Contradictions: each rule finds its own, at its place; hidden numbers are compared with nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kcrr_analysis import disclosure, indicators
from kcrr_analysis import tables as table_sets
from kcrr_analysis.errors import MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.indicators import Consistency
from kcrr_analysis.indicators.consistency import CHECKS
from kcrr_analysis.indicators.contradictions import nested
from tests.indicators.regions import centers, level, months, population, premises, rows, tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


def compute(*flow: pd.DataFrame, **settings: object) -> Consistency:
    frames = {name: settings.pop(name) for name in ("centers", "population", "center_months") if name in settings}
    return indicators.consistency(tables(flow=list(flow), **frames), "01", "2025-10", **settings)  # type: ignore[arg-type]


def found(result: Consistency) -> list[tuple[str, str, str]]:
    """(check, place, what) with plain spaces."""
    return [
        (row.check, row.place, row.what.replace("\N{NO-BREAK SPACE}", " "))
        for row in result.rows.itertuples()
    ]  # fmt: skip


def test_more_recipients_than_applicants() -> None:
    result = compute(rows(measure_applicants=level(2000), measure_recipients=level(1000, m2025_08=2001)))
    what = "«Получили меры поддержки» больше, чем «Обратилось за мерами поддержки» (2 001 и 2 000)"
    assert found(result) == [("recipients", "Регион", what)]
    assert result.rows["month"].tolist() == [pd.Period("2025-08", freq="M")]
    assert result.rows["months"].tolist() == [1]
    checks = result.checks.set_index("check")
    assert checks.loc["recipients", ["made", "found"]].tolist() == [12, 1]


def test_more_applicants_for_measures_than_clients() -> None:
    one = compute(rows(applied=level(10), clients_served=level(20), measure_applicants=level(31)))
    assert [each[0] for each in found(one)] == ["applicants"]
    assert found(one)[0][2].endswith("вместе (31 и 30)")
    assert one.rows["months"].tolist() == [12]
    assert found(compute(rows(applied=level(10), clients_served=level(20), measure_applicants=level(30)))) == []


YTD = {f"2025-{number:02d}": float(100 * number) for number in range(1, 11)}


def since_january(**changed: float) -> pd.DataFrame:
    values = YTD | {name[1:].replace("_", "-"): value for name, value in changed.items()}
    return rows(period="year_to_date", applied=values)


@pytest.mark.parametrize(
    ("year", "what"),
    [
        (since_january(m2025_01=90), ["с начала года меньше, чем за месяц (90 и 100)"]),
        (since_january(m2025_05=390), ["нарастающий итог упал к прошлому месяцу (390 и 400)"]),
        (since_january(m2025_10=1001), ["с начала года больше суммы месяцев (1 001 и 1 000)"]),
        (since_january(), []),
    ],
)
def test_months_and_the_year_so_far(year: pd.DataFrame, what: list[str]) -> None:
    result = compute(rows(applied=level(100)), year)
    assert [each[2].partition(": ")[2] for each in found(result)] == what
    assert {each[0] for each in found(result)} <= {"periods"}


def test_a_fall_in_january_is_none() -> None:
    year = rows(period="year_to_date", applied={"2024-11": 1100, "2024-12": 1200, "2025-01": 100, "2025-02": 200})
    assert found(compute(rows(applied=level(100)), year)) == []


def test_a_group_above_the_wider_group_and_above_all() -> None:
    result = compute(
        rows(applied=level(100)),
        rows(group="svo", applied=level(50)),
        rows(group="svo_participants", applied=level(51)),
        rows(group="youth", applied=level(101)),
    )
    assert [(row.check, row.client_group) for row in result.rows.itertuples()] == [
        ("groups", "svo_participants"),
        ("groups", "youth"),
    ]
    assert "группы svo, в которую она входит (51 и 50)" in found(result)[0][2]
    assert "итога (all) (101 и 100)" in found(result)[1][2]


def test_the_nearest_wider_group_that_is_there() -> None:
    parents = {"inner": "middle", "middle": "outer", "outer": None, "loop": "pool", "pool": "loop"}
    assert nested({"all", "inner", "outer"}, parents) == [("inner", "outer"), ("outer", "all")]
    assert nested({"inner"}, parents) == []
    assert nested({"all", "loop"}, parents) == [("loop", "all")]


def of_centres(first: float, second: float, whole: float, column: str) -> Consistency:
    return compute(
        rows(center="a", **{column: level(first)}),
        rows(center="b", **{column: level(second)}),
        rows(**{column: level(whole)}),
        centers=centers("a", "b"),
    )


@pytest.mark.parametrize(
    ("column", "whole", "what"),
    [
        ("visits", 150, ""),
        ("visits", 149, "не столько, сколько в сумме центров (149 и 150)"),
        ("applied", 140, ""),
        ("applied", 151, "больше, чем в сумме центров (151 и 150)"),
        ("applied", 130, "заметно меньше суммы центров"),
    ],
)
def test_the_region_against_its_centres(column: str, whole: float, what: str) -> None:
    result = of_centres(100, 50, whole, column)
    assert [each[0] for each in found(result)] == (["centres"] if what else [])
    assert all(what in each[2] for each in found(result))


def test_a_sum_without_one_of_the_centres_is_not_compared() -> None:
    result = compute(
        rows(center="a", visits=level(100)), rows(visits=level(150)), centers=centers("a", "b")
    )  # fmt: skip
    assert found(result) == []


def test_a_coverage_over_100_percent() -> None:
    year = rows(group="disability", period="year_to_date", measure_recipients={"2025-10": 133})
    result = compute(year, population=population(disability={2025: 100}))
    assert found(result) == [("coverage", "Регион", "охвачено больше людей (133), чем есть в группе (100)")]
    assert result.rows["group_title"].tolist() == ["Люди с инвалидностью"]


def test_a_stock_that_differs_between_the_periods() -> None:
    result = compute(
        rows(registered_stock=level(100)), rows(period="year_to_date", registered_stock=level(100, m2025_10=101))
    )
    assert [each[0] for each in found(result)] == ["stocks"]
    assert "(100 и 101)" in found(result)[0][2]


def test_a_flow_recorded_as_a_stock() -> None:
    values = months([float(100 + (7 * place) % 11) for place in range(10)])
    year = months([100.0 * (place + 1) for place in range(10)])
    result = compute(
        rows(registered_stock=values, registered_new=values), rows(period="year_to_date", registered_new=year)
    )
    what = (
        "«Зарегистрировано на конец периода»: каждый месяц равно числу вставших на учёт за месяц — похоже на поток "
        "вместо численности"
    )
    assert found(result) == [("stocks", "Регион", what)]


def test_a_month_recorded_as_the_year_so_far() -> None:
    result = compute(rows(visits=months([500.0] * 10)), rows(period="year_to_date", visits=months([500.0] * 10)))
    assert any("за месяц столько же, сколько с начала года (500 и 500)" in each[2] for each in found(result))


def rooms(**areas: float) -> pd.DataFrame:
    before = [str(month) for month in pd.period_range("2024-10", "2025-05", freq="M")]
    after = [str(month) for month in pd.period_range("2025-06", "2025-10", freq="M")]
    return pd.concat(
        [
            premises("a", before, floor_area_m2=100, staff_fte=4),
            premises("a", after, floor_area_m2=areas["area"], staff_fte=areas["staff"]),
        ],
        ignore_index=True,
    )


FLOW_OF_A = rows(center="a", visits=level(100))


def test_a_jump_of_the_area_without_a_modernisation() -> None:
    result = compute(FLOW_OF_A, centers=centers("a"), center_months=rooms(area=1000, staff=4))
    assert found(result) == [("premises", "Центр a", "общая площадь: было 100, стало 1 000")]
    assert result.rows["month"].tolist() == [pd.Period("2025-06", freq="M")]
    rebuilt = centers("a", modernised={"a": "2025-06-01"})
    assert found(compute(FLOW_OF_A, centers=rebuilt, center_months=rooms(area=1000, staff=4))) == []


def test_a_jump_is_measured_by_a_parameter_and_few_posts_are_none() -> None:
    data = rooms(area=120, staff=5.5)
    assert found(compute(FLOW_OF_A, centers=centers("a"), center_months=data)) == []
    strict = compute(FLOW_OF_A, centers=centers("a"), center_months=data, jump_percent=10)
    assert [each[2] for each in found(strict)] == ["общая площадь: было 100, стало 120"]
    staff = compute(FLOW_OF_A, centers=centers("a"), center_months=rooms(area=100, staff=8.5))
    assert [each[2] for each in found(staff)] == ["ставки: было 4, стало 8,5"]


def test_older_months_are_not_looked_at() -> None:
    flow = rows(measure_applicants=level(100), measure_recipients=level(50, m2024_08=101))
    assert found(compute(flow)) == []
    assert len(found(compute(flow, months=24))) == 1
    assert compute(flow, months=24).first == pd.Period("2023-11", freq="M")


@pytest.mark.parametrize("mode", ["public", "internal"])
def test_a_hidden_count_is_compared_with_nothing_in_either_mode(mode: str) -> None:
    # 3 recipients of 2 applicants: a warning would tell of both.
    flow = rows(
        measure_applicants=level(100, m2025_08=2), measure_recipients=level(50, m2025_08=3)
    )  # fmt: skip
    rule = disclosure.Rule(mode=mode)  # type: ignore[arg-type]
    assert len(found(compute(flow))) == 1
    result = compute(flow, rule=rule)
    assert found(result) == []
    assert result.checks.set_index("check").loc["recipients", "made"] == 11


def test_nothing_is_found_in_the_demo_and_every_check_is_listed() -> None:
    result = indicators.consistency(table_sets.load(DEMO, region="01"), "01", "2025-10")
    assert found(result) == []
    assert result.checks["check"].tolist() == list(CHECKS)
    assert (result.checks["made"] > 0).all()
    assert result.to_frame().empty


def test_what_is_wrong_or_missing_has_its_message() -> None:
    flow = rows(applied=level(5))
    for name in ("months", "double_percent", "jump_percent"):
        with pytest.raises(ParameterError, match=name):
            compute(flow, **{name: 0})
    with pytest.raises(NotComputableError, match="нет строк региона 77"):
        indicators.consistency(tables(flow=flow), "77")
    with pytest.raises(MissingTableError):
        indicators.consistency(tables(), "01")
