"""Coverage: numerator since January, denominator with its year, reasons where there is no figure."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.errors import NotComputableError


def rows(**columns: list[object]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(
        month=pd.PeriodIndex(frame["month"], freq="M"),
        period="year_to_date",
        scope="region",
        region_code="01",
        measure_recipients=frame["measure_recipients"].astype("Int64"),
        guidance_recipients=frame["guidance_recipients"].astype("Int64"),
    )


FLOW = rows(
    month=["2025-10", "2025-10", "2025-10", "2024-10", "2025-10"],
    client_group=["disability", "teen_14_17", "graduates", "disability", "all"],
    measure_recipients=[150, 5, 80, 100, 900],
    guidance_recipients=[20, 400, 10, 15, 500],
)
PEOPLE = pd.DataFrame(
    {
        "region_code": "01",
        "client_group": ["disability", "disability", "teen_14_17", "all", "disability"],
        "year": [2024, 2025, 2024, 2025, 2026],
        "population": [1000, 1200, 2000, 50_000, 9_999],
        "center_id": pd.array([pd.NA] * 5, dtype="string"),
    }
)


def compute(flow: pd.DataFrame = FLOW, people: pd.DataFrame = PEOPLE) -> pd.DataFrame:
    data = SimpleNamespace(flow=flow, population=people, folder=None)
    return indicators.coverage(data, "01", "2025-10").rows.set_index("client_group")


def test_persons_since_january_over_the_population_of_that_year() -> None:
    row = compute().loc["disability"]
    assert row["coverage"] == pytest.approx(100 * 150 / 1200)
    assert row["coverage_year_ago"] == pytest.approx(100 * 100 / 1000)
    assert row["change"] == pytest.approx(2.5)
    assert (row["population_year"], row["population_year_ago_year"]) == (2025, 2024)


def test_teenagers_are_counted_by_guidance_and_by_the_last_known_population() -> None:
    row = compute().loc["teen_14_17"]
    assert row["numerator_column"] == "guidance_recipients"
    assert row["coverage"] == pytest.approx(20)
    assert row["population_year"] == 2024


def test_a_population_of_a_later_year_is_not_used() -> None:
    assert compute().loc["disability", "population"] == 1200


def test_an_official_group_without_a_population_keeps_its_row_and_the_reason() -> None:
    rows = compute()
    assert set(rows.index) == {"teen_14_17", "disability", "graduates"}
    assert pd.isna(rows.loc["graduates", "coverage"])
    assert rows.loc["graduates", "reason"] == "нет численности группы за 2025 год и ранее"
    assert rows["indicator"].to_dict() == {"teen_14_17": 6, "disability": 7, "graduates": 8}


def test_an_official_group_that_nobody_counted_keeps_its_row_and_the_reason() -> None:
    rows = compute(flow=FLOW[FLOW["client_group"] != "teen_14_17"])
    assert rows.loc["teen_14_17", "reason"] == "нет строки нарастающим итогом за 2025-10"


def test_the_denominators_own_change_is_known() -> None:
    assert compute().loc["disability", "population_change"] == pytest.approx(20)


def test_catchments_of_centres_are_no_denominator_of_the_region() -> None:
    catchment = PEOPLE[PEOPLE["year"] == 2025].assign(center_id="01-01", population=1)
    assert compute(people=pd.concat([PEOPLE, catchment])).loc["disability", "population"] == 1200


def test_a_zero_population_gives_the_reason_instead_of_a_figure() -> None:
    empty = PEOPLE.assign(population=0)
    row = compute(people=empty).loc["disability"]
    assert pd.isna(row["coverage"])
    assert row["reason"] == "численность группы за 2025 год равна нулю"


def test_a_sum_of_months_is_refused() -> None:
    with pytest.raises(NotComputableError, match="по сумме месяцев не вычисляется"):
        compute(flow=FLOW.assign(period="month"))
