"""The change log: what was changed since January, by kind, with and without a reason."""

from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.errors import MissingTableError, NotComputableError
from tests.indicators.regions import centers, tables

LOG = pd.DataFrame(
    [
        ("2025-02-03", "01", None, "service", "Новая форма", "опрос"),
        ("2025-05-10", None, "a", "material", "Новая листовка", None),
        ("2025-10-31", "01", None, "service", "Короче очередь", ""),
        ("2025-11-01", "01", None, "service", "Позже отчёта", "опрос"),
        ("2024-03-01", "01", None, "service", "Год назад", "опрос"),
        ("2024-12-01", "01", None, "service", "После тех же месяцев", "опрос"),
        ("2025-03-01", "02", None, "service", "Другой регион", "опрос"),
        ("2025-06-01", None, "z", "service", "Чужой центр", "опрос"),
    ],
    columns=["date", "region_code", "center_id", "object", "description", "reason"],
)
LOG["date"] = pd.to_datetime(LOG["date"])
for name in ("region_code", "center_id", "object", "description", "reason"):
    LOG[name] = LOG[name].astype("string")


def compute(log: pd.DataFrame = LOG, month: str | None = "2025-10") -> indicators.ChangeLog:
    return indicators.change_log(tables(changes=log, centers=centers("a")), "01", month)


def test_changes_since_january_by_kind() -> None:
    found = compute().rows.set_index("object")
    assert found["changes"].to_dict() == {"service": 2, "material": 1}
    assert found["changes_year_ago"].to_dict() == {"service": 1, "material": 0}
    assert found["with_reason"].to_dict() == {"service": 1, "material": 0}
    assert found.loc["service", "last"] == pd.Timestamp("2025-10-31")


def test_entries_are_the_latest_first_with_their_place() -> None:
    found = compute().entries
    assert found["description"].tolist() == ["Короче очередь", "Новая листовка", "Новая форма"]
    assert found["place"].tolist() == ["", "Центр a", ""]


def test_a_change_of_no_given_kind_is_counted_apart() -> None:
    found = compute(LOG.assign(object=pd.array([pd.NA] * len(LOG), dtype="string"))).rows
    assert found["object"].tolist() == ["service", "material", ""]
    assert found["changes"].tolist() == [0, 0, 3]
    assert found["title"].tolist()[-1] == "Вид не указан"


def test_the_month_of_the_last_change_is_taken_by_default() -> None:
    assert compute(month=None).month == pd.Period("2025-11", freq="M")


def test_the_frame_carries_its_period() -> None:
    assert set(compute().to_frame()["period"]) == {"2025-01..2025-10"}


def test_a_log_without_centres_in_the_data() -> None:
    found = indicators.change_log(tables(changes=LOG), "01", "2025-10")
    assert found.rows["changes"].sum() == 2


def test_what_is_missing_has_its_message() -> None:
    with pytest.raises(NotComputableError, match="нет строк региона 77"):
        indicators.change_log(tables(changes=LOG), "77")
    with pytest.raises(MissingTableError):
        indicators.change_log(tables(), "01")
