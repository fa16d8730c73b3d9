"""Levels by group: hand-computed comparisons, the usual range, hidden values."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.errors import NotComputableError


def flow(values: dict[str, dict[str, float | None]], *, region: str = "01", period: str = "month") -> pd.DataFrame:
    """Regional rows: group -> month -> applied."""
    rows = [(month, group, value) for group, months in values.items() for month, value in months.items()]
    frame = pd.DataFrame(rows, columns=["month", "client_group", "applied"])
    return frame.assign(
        month=pd.PeriodIndex(frame["month"], freq="M"),
        client_group=frame["client_group"].astype("string"),
        applied=frame["applied"].astype("Int64"),
        period=period,
        scope="region",
        region_code=region,
        center_id=pd.NA,
    )


def tables(frame: pd.DataFrame) -> SimpleNamespace:
    return SimpleNamespace(flow=frame, folder=None)


def by_group(result: indicators.FlowLevels) -> pd.DataFrame:
    return result.rows.set_index("client_group")


def test_changes_against_last_month_and_last_year() -> None:
    data = flow(
        {
            "all": {"2024-10": 200, "2025-09": 250, "2025-10": 220},
            "youth": {"2024-10": 40, "2025-09": 50, "2025-10": 60},
        }
    )
    rows = by_group(indicators.applicants(tables(data), "01", "2025-10"))
    assert rows.loc["all", ["value", "previous", "year_ago"]].tolist() == [220, 250, 200]
    assert rows.loc["all", ["change_previous", "change_year"]].tolist() == [-30, 20]
    assert rows.loc["all", "change_previous_pct"] == pytest.approx(-12)
    assert rows.loc["youth", "change_year_pct"] == pytest.approx(50)


def test_the_last_month_is_the_default_and_later_rows_do_not_leak_into_an_earlier_report() -> None:
    data = flow({"all": {"2025-08": 10, "2025-09": 20, "2025-10": 30}})
    assert str(indicators.applicants(tables(data), "01").month) == "2025-10"
    earlier = indicators.applicants(tables(data), "01", "2025-09")
    assert earlier.history["value"].tolist() == [10, 20]


def test_other_regions_centres_and_year_to_date_rows_are_not_counted() -> None:
    own = flow({"all": {"2025-10": 100}})
    other = flow({"all": {"2025-10": 7}}, region="02")
    running = flow({"all": {"2025-10": 900}}, period="year_to_date")
    centre = flow({"all": {"2025-10": 40}}).assign(scope="center", center_id="01-01")
    result = indicators.applicants(tables(pd.concat([own, other, running, centre])), "01")
    assert result.rows["value"].tolist() == [100]


def test_a_zero_base_gives_no_percentage_and_a_small_base_is_flagged() -> None:
    data = flow({"all": {"2024-10": 0, "2025-10": 50}, "disability": {"2024-10": 10, "2025-10": 20}})
    rows = by_group(indicators.applicants(tables(data), "01"))
    assert np.isnan(rows.loc["all", "change_year_pct"])
    assert rows.loc["all", "change_year"] == 50
    assert rows["small_base"].tolist() == [True, True]


def test_a_hidden_value_takes_every_figure_made_from_it_along() -> None:
    data = flow({"all": {"2024-10": 100, "2025-09": 110, "2025-10": None}})
    data["applied_hidden"] = data["applied"].isna()
    row = by_group(indicators.applicants(tables(data), "01", "2025-10")).loc["all"]
    assert row["hidden"]
    assert not row["hidden_year_ago"]
    assert np.isnan([row["value"], row["change_previous"], row["change_year_pct"]]).all()


def test_the_range_is_that_of_the_past_year_on_year_changes_without_the_reporting_month() -> None:
    months = pd.period_range("2022-10", "2025-10", freq="M")
    values = {str(month): 100.0 for month in months[:12]}
    values |= {str(month): 110.0 for month in months[12:24]}
    values |= {str(month): 99.0 for month in months[24:36]}
    values["2025-10"] = 300.0
    row = indicators.applicants(tables(flow({"all": values})), "01").rows.iloc[0]
    assert (row["past_low"], row["past_high"]) == (pytest.approx(-10), pytest.approx(10))
    assert row["past_n"] == 24


def test_under_two_years_of_history_there_is_no_range() -> None:
    values = {str(month): 100.0 for month in pd.period_range("2023-12", "2025-10", freq="M")}
    row = indicators.applicants(tables(flow({"all": values})), "01").rows.iloc[0]
    assert np.isnan([row["past_low"], row["past_high"]]).all()
    assert row["past_n"] == 0


def test_each_group_has_its_own_range() -> None:
    months = pd.period_range("2022-10", "2025-10", freq="M")
    steady = {str(month): 100.0 for month in months}
    doubling = {str(month): 100.0 * 2 ** (place // 12) for place, month in enumerate(months)}
    rows = by_group(indicators.applicants(tables(flow({"all": steady, "youth": doubling})), "01"))
    assert rows.loc["all", ["past_low", "past_high"]].tolist() == [0, 0]
    assert rows.loc["youth", ["past_low", "past_high"]].tolist() == [100, 100]


def test_without_rows_the_reason_is_given() -> None:
    with pytest.raises(NotComputableError, match="нет месячных строк региона 77"):
        indicators.applicants(tables(flow({"all": {"2025-10": 1}})), "77")
    with pytest.raises(NotComputableError, match="последний месяц в данных — 2025-10"):
        indicators.applicants(tables(flow({"all": {"2025-10": 1}})), "01", "2025-11")


def test_the_frame_says_what_each_figure_is() -> None:
    frame = indicators.applicants(tables(flow({"all": {"2025-10": 100}})), "01").to_frame()
    row = frame.iloc[0]
    assert (row["indicator"], row["period"], row["unit"], row["interval"]) == (
        "applied",
        "2025-10",
        "чел.",
        "сплошной учёт",
    )
    assert row["definition"]
