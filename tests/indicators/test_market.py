"""Vacancies, the share of job-seekers who came, youth employment: by hand, with denominators, sources and reasons."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.errors import NotComputableError
from tests.indicators.regions import rows, tables

NOW, BEFORE = "2025-10", "2024-10"


def vacancies(*found: tuple[str, str | None, float, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(found, columns=["month", "center_id", "vacancies", "quality"])
    return frame.assign(
        month=pd.PeriodIndex(frame["month"], freq="M"),
        region_code="01",
        center_id=frame["center_id"].astype("string"),
        vacancies=frame["vacancies"].astype("Int64"),
        quality=frame["quality"].astype("Float64"),
    )


def external(**series: dict[str, float]) -> pd.DataFrame:
    found = [(name, month, value) for name, values in series.items() for month, value in values.items()]
    frame = pd.DataFrame(found, columns=["series_id", "month", "value"])
    return frame.assign(
        month=pd.PeriodIndex(frame["month"], freq="M"),
        region_code="01",
        unit=frame["series_id"].map({"youth_employment": "%"}).fillna("чел."),
        source="Росстат",
        series_name="Безработные",
    )


def compute(**frames: pd.DataFrame) -> pd.DataFrame:
    return indicators.market(tables(**frames), "01", NOW).rows.set_index("measure")


BASE = vacancies((NOW, "a", 300, 0.5), (NOW, "b", 100, 0.9), (BEFORE, "a", 200, 0.4))
FLOW = rows(applied={NOW: 120, BEFORE: 100})


def test_vacancies_of_centres_by_hand() -> None:
    found = compute(vacancies=BASE)
    assert found.loc["vacancy_count", "value"] == 400
    assert found.loc["vacancy_count", "change"] == pytest.approx(100)  # %
    # Weighted by vacancies, not a mean of 50 % and 90 %.
    assert found.loc["vacancy_quality", "value"] == pytest.approx(100 * (150 + 90) / 400)
    assert found.loc["vacancy_quality", "change"] == pytest.approx(60 - 40)  # percentage points
    assert found.loc["vacancy_quality", "denominator"] == 400


def test_the_regions_own_row_is_not_added_to_its_centres() -> None:
    found = compute(vacancies=pd.concat([BASE, vacancies((NOW, None, 350, 0.6))], ignore_index=True))
    assert found.loc["vacancy_count", "value"] == 350
    assert math.isnan(found.loc["vacancy_count", "year_ago"])


def test_a_quality_that_is_not_known_is_in_no_share() -> None:
    found = compute(vacancies=vacancies((NOW, "a", 300, 0.5), (NOW, "b", 100, None)))
    assert found.loc["vacancy_count", "value"] == 400
    assert found.loc["vacancy_quality", "value"] == pytest.approx(50)
    assert found.loc["vacancy_quality", "denominator"] == 300


def test_the_share_of_job_seekers_names_its_denominator_and_whose_error_it_has() -> None:
    row = compute(flow=FLOW, external_series=external(unemployed_ilo={NOW: 1000, BEFORE: 500})).loc["seeker_share"]
    assert (row["value"], row["year_ago"], row["change"]) == (pytest.approx(12), pytest.approx(20), pytest.approx(-8))
    assert (row["numerator"], row["denominator"]) == (120, 1000)
    assert row["denominator_name"] == "Безработные, чел."
    assert "Росстат" in row["source"]
    assert row["interval"] == "числитель — сплошной учёт; погрешность внешнего ряда в данных не указана"


def test_youth_employment_is_the_external_series_as_it_is() -> None:
    row = compute(external_series=external(youth_employment={NOW: 61.5, BEFORE: 60})).loc["youth_employment"]
    assert (row["value"], row["change"], row["unit"]) == (61.5, pytest.approx(1.5), "%")
    assert math.isnan(row["denominator"])


def test_every_missing_table_or_series_is_the_reason() -> None:
    found = compute(vacancies=BASE)
    assert found.loc["seeker_share", "reason"].startswith("в данных нет таблицы «Внешние")
    series = compute(vacancies=BASE, flow=FLOW, external_series=external(hired={NOW: 5}))
    assert "нет ряда unemployed_ilo" in series.loc["seeker_share", "reason"]
    assert "нет ряда youth_employment" in series.loc["youth_employment", "reason"]
    apart = compute(flow=FLOW, vacancies=BASE, external_series=external(unemployed_ilo={"2020-01": 5}))
    assert apart.loc["seeker_share", "reason"].startswith("нет месяца, за который есть и обратившиеся")
    late = compute(vacancies=BASE, external_series=external(youth_employment={"2025-09": 60}))
    assert late.loc["youth_employment", "reason"] == "нет значения за 2025-10"


def test_a_hidden_count_hides_the_share() -> None:
    flow = rows(applied={NOW: None, BEFORE: 100})
    flow["applied_hidden"] = flow["applied"].isna()
    found = indicators.market(
        tables(flow=flow, external_series=external(unemployed_ilo={NOW: 1000, BEFORE: 500})), "01"
    )
    row = found.rows.set_index("measure").loc["seeker_share"]
    assert (bool(row["hidden"]), row["reason"]) == (True, "")
    assert pd.isna([row["value"], row["numerator"], row["change"]]).all()
    assert found.history.loc[found.history["hidden"], "value"].isna().all()


def test_nothing_at_all_is_said_with_its_reasons() -> None:
    with pytest.raises(NotComputableError, match="рынка труда региона 01 не вычисляются"):
        indicators.market(tables(flow=FLOW), "01")


def test_a_month_before_all_data_has_no_values_but_reasons() -> None:
    found = indicators.market(tables(vacancies=BASE), "01", "2020-01")
    assert found.rows["value"].isna().all()
    assert (found.rows["reason"] != "").all()
    assert found.history.empty
    assert set(found.to_frame()["period"]) == {"2020-01"}
