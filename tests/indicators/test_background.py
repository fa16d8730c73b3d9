"""Background series: compared with their own past, stale ones flagged."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.errors import NotComputableError


def series(**values: dict[str, float]) -> SimpleNamespace:
    rows = [(name, month, value) for name, months in values.items() for month, value in months.items()]
    frame = pd.DataFrame(rows, columns=["series_id", "month", "value"])
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    units = frame["series_id"].map(lambda name: "%" if name.endswith("rate") else "чел.")
    frame = frame.assign(region_code="01", unit=units, source="Росстат", series_name=frame["series_id"].str.upper())
    return SimpleNamespace(external_series=frame, folder=None)


def test_each_series_is_compared_at_its_own_last_month() -> None:
    data = series(
        hired={"2024-10": 200.0, "2025-09": 100.0, "2025-10": 150.0},
        vacancies={"2024-08": 50.0, "2025-08": 60.0},
    )
    rows = indicators.background(data, "01").rows.set_index("series_id")
    assert rows.loc["hired", "change_year"] == pytest.approx(-25)
    assert rows.loc["hired", "change_previous"] == pytest.approx(50)
    assert rows.loc["vacancies", "change_year"] == pytest.approx(20)
    assert np.isnan(rows.loc["vacancies", "change_previous"])
    assert rows["stale"].tolist() == [False, True]
    assert rows.loc["hired", "title"] == "HIRED"


def test_later_months_do_not_leak_into_an_earlier_report() -> None:
    data = series(hired={"2025-09": 100.0, "2025-10": 150.0})
    assert indicators.background(data, "01", "2025-09").rows["value"].tolist() == [100.0]


def test_missing_values_are_gaps_not_zeros() -> None:
    data = series(hired={"2025-08": 100.0, "2025-09": np.nan, "2025-10": 150.0})
    row = indicators.background(data, "01").rows.iloc[0]
    assert np.isnan(row["change_previous"])
    assert row["n"] == 2


def test_a_region_without_series_gets_the_reason() -> None:
    with pytest.raises(NotComputableError, match="нет значений региона 02"):
        indicators.background(series(hired={"2025-10": 1.0}), "02")


def test_what_the_source_rounds_away_widens_the_change() -> None:
    months = [str(month) for month in pd.period_range("2024-07", "2025-10", freq="M")]
    rounded = dict(zip(months, [100.0 * (place % 5 + 2) for place in range(16)], strict=True))
    rounded |= {"2024-10": 300.0, "2025-10": 200.0}
    exact = dict(zip(months, [101.0 + place for place in range(16)], strict=True))
    rows = indicators.background(series(hired=rounded, quits=exact), "01").rows.set_index("series_id")
    assert rows["step"].tolist() == [100, 0]
    assert rows.loc["hired", "change_year_low"] == pytest.approx(100 * (150 / 350 - 1))
    assert rows.loc["hired", "change_year_high"] == pytest.approx(0)
    assert rows.loc["quits", "change_year_low"] == rows.loc["quits", "change_year"]


def test_zeros_alone_are_not_taken_for_rounding() -> None:
    months = pd.period_range("2024-10", "2025-10", freq="M")
    assert indicators.background(series(hired={str(month): 0.0 for month in months}), "01").rows["step"].tolist() == [0]


def test_a_rate_changes_by_percentage_points() -> None:
    months = [str(month) for month in pd.period_range("2024-07", "2025-10", freq="M")]
    values = dict(zip(months, [2.0 + 0.1 * (place % 5) for place in range(16)], strict=True))
    values |= {"2024-10": 2.3, "2025-10": 2.6}
    row = indicators.background(series(unemployment_rate=values), "01").rows.iloc[0]
    assert row["rate"]
    assert row["step"] == pytest.approx(0.1)
    assert [row["change_year"], row["change_year_low"], row["change_year_high"]] == pytest.approx([0.3, 0.2, 0.4])


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([100, 200, 300, 500], 100),
        ([1, 2, 3, 5], 0),
        ([0.1, 0.2, 0.3, 1.4], 0.1),
        ([0.12, 0.2, 0.3, 1.4], 0.01),
        ([0.123456, 0.2, 0.3, 1.4], 0),
        ([100, 200, 100, 200], 0),
        ([2000, 3000, 4000, 5500], 100),
    ],
)
def test_rounding_is_the_coarsest_step_that_fits_every_value(values: list[float], step: float) -> None:
    months = pd.period_range("2025-01", "2025-04", freq="M")
    data = series(hired={str(month): float(value) for month, value in zip(months, values, strict=True)})
    assert indicators.background(data, "01").rows["step"].iloc[0] == pytest.approx(step)
