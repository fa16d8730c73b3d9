from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis import demo, methodology
from kcrr_analysis.demo import DemoData
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables.contracts import TABLES


def test_every_table_of_the_contracts_is_made_with_its_columns_and_dtypes(small: DemoData) -> None:
    assert list(small.tables) == list(TABLES)
    for name, frame in small.tables.items():
        contract = TABLES[name]
        assert len(frame), name
        assert {c.name for c in contract.columns.values() if c.required} <= set(frame.columns), name
        for column in frame.columns.intersection(list(contract.columns)):
            expected = pd.api.types.pandas_dtype(contract.columns[column].dtype)
            assert frame[column].dtype == expected, (name, column)


def test_keys_name_rows_once(small: DemoData) -> None:
    for name, frame in small.tables.items():
        key = [column for column in TABLES[name].key if column in frame.columns]
        assert not frame.duplicated(key).any(), name


def test_same_seed_same_tables_other_seed_other_tables(small: DemoData) -> None:
    again = demo.make(seed=7, regions=2, months=14)
    other = demo.make(seed=8, regions=2, months=14)
    for name, frame in small.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[name])
    assert not small.tables["flow"]["applied"].equals(other.tables["flow"]["applied"])
    assert again.truth == small.truth


def test_a_region_does_not_depend_on_the_number_of_regions(small: DemoData) -> None:
    alone = demo.make(seed=7, regions=1, months=14)
    for name, frame in small.tables.items():
        if "region_code" in frame.columns:
            own = frame[frame["region_code"] == "01"].reset_index(drop=True)
            pd.testing.assert_frame_equal(alone.tables[name], own, obj=name)


def test_size_and_months_of_the_default_set(full: DemoData) -> None:
    tables = full.tables
    assert (full.seed, full.regions, full.months) == (2025, 10, 36)
    assert (full.first_month, full.last_month) == ("2022-11", "2025-10")
    assert tables["centers"]["region_code"].nunique() == 10
    assert len(tables["centers"]) == 60
    assert 2_700 <= len(tables["events"]) <= 3_300
    assert tables["flow"]["month"].nunique() == 36
    assert set(tables["flow"]["client_group"]) == set(methodology.groups())


def test_regions_are_fictitious_and_keep_their_leading_zero(full: DemoData) -> None:
    centers = full.tables["centers"]
    assert centers["region_code"].min() == "01"
    assert centers["region_name"].str.startswith("Демо-область").all()
    assert centers["center_name"].str.contains("демо").all()
    assert set(full.tables["external_series"]["source"]) == {"синтетический ряд"}


def test_progress_is_told_after_each_region() -> None:
    told: list[tuple[int, int]] = []
    demo.make(regions=2, months=3, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "wrong", [{"regions": 0}, {"regions": 90}, {"months": 1}, {"seed": -1}, {"last_month": "октябрь"}]
)
def test_wrong_numbers_are_refused_in_russian(wrong: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match=f"Параметр {next(iter(wrong))}: ожидается"):
        demo.make(**wrong)  # type: ignore[arg-type]
