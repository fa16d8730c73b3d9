from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.demo.regions import TOPICS, calendar, center_months, region, stream


def test_history_begins_in_january() -> None:
    dates = calendar(14)
    assert str(dates.months[0]) == "2024-09"
    assert str(dates.history[0]) == "2024-01"
    assert dates.first_reported == 8
    assert dates.years == (2024, 2025)


def test_streams_differ_by_region_and_topic_and_repeat() -> None:
    draws = {(n, topic): stream(1, n, topic).random() for n in (1, 2) for topic in TOPICS}
    assert len(set(draws.values())) == len(draws)
    assert stream(1, 2, "flow").random() == draws[2, "flow"]


@pytest.mark.parametrize("number", [1, 3, 10, 57])
def test_catchments_share_the_region(number: int) -> None:
    area = region(number, f"{number:02d}", 5, calendar(36))
    assert np.isclose(area.shares.sum(), 1)
    assert (np.diff(area.shares) <= 0).all()
    assert area.shares.min() > 0.01
    assert all(code.startswith(area.code) for code in area.center_ids)


def test_buildings_are_whole(_months: int = 36) -> None:
    dates = calendar(_months)
    table = center_months(region(4, "04", 5, dates), dates)
    assert (table["client_area_m2"] < table["floor_area_m2"]).all()
    assert (table["staff_fte"] >= 2).all()
    assert table["open_days"].between(15, 24).all()
    assert isinstance(table["month"].dtype, pd.PeriodDtype)
