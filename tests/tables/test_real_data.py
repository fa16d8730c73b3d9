"""Files that nobody on the project wrote, brought in by the mappings of the kit."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kcrr_analysis.tables import Tables, check

MAPPINGS = Path(__file__).resolve().parents[2] / "params" / "mappings"
FLOWS = "ru_regional_employment_flows_2009_2012.csv"
SERIES = {
    "EMPL_HIRE_NUM_TH": "hires", "EMPL_QUIT_NUM_TH": "quits", "EMPL_VACANCY_NUM_TH": "workers_wanted",
    "EMPL_QUIT_VOLUNTARY_NUM_TH": "quits_own_wish", "EMPL_NUM_PERS": "wage_arrears",
}  # fmt: skip


def tables(shared_data: Path, name: str) -> Tables:
    result = check(shared_data, mapping=MAPPINGS / f"{name}.yaml")
    assert result.errors == ()
    return result.tables


@pytest.fixture(scope="module")
def flows(shared_data: Path) -> pd.DataFrame:
    return tables(shared_data, "rosstat_flows").external_series


def test_every_region_of_the_time_appears_once(flows: pd.DataFrame) -> None:
    assert flows["region_code"].nunique() == 83
    assert not {"91", "92"} & set(flows["region_code"])
    assert len(flows) == 83 * 468
    assert not flows.duplicated(["region_code", "month", "series_id"]).any()
    assert set(flows["unit"]) == {"чел."}
    assert flows.groupby("series_id")["series_name"].nunique().eq(1).all()


@pytest.mark.parametrize(("source", "series"), SERIES.items())
def test_regions_add_up_to_the_country_wherever_all_are_there(
    shared_data: Path, flows: pd.DataFrame, source: str, series: str
) -> None:
    raw = pd.read_csv(shared_data / FLOWS)
    raw = raw[raw["varname"] == source].set_index("date")["Российская Федерация"]
    own = flows[flows["series_id"] == series]
    by_month = own.groupby("month")["value"].agg(["sum", "count"])
    country = raw.to_numpy() * (1 if series == "wage_arrears" else 1000)
    complete = (by_month["count"] == 83).to_numpy()
    gap = (by_month["sum"].to_numpy() - country)[complete]
    if series != "wage_arrears":  # 83 figures rounded to 0.1 thousand: sd about 0.26 thousand
        assert complete.sum() >= 44
        assert abs(gap).max() <= 1000
    else:
        assert (gap == 0).all()


def test_hand_read_cells_of_the_flows(flows: pd.DataFrame) -> None:
    cell = flows.set_index(["region_code", "month", "series_id"])["value"]
    january = pd.Period("2009-01", "M")
    assert cell["31", january, "hires"] == 2900
    assert cell["29", january, "hires"] == pytest.approx(2200)  # 2.5 less 0.3 of the Nenets district
    assert cell["83", january, "hires"] == 300
    assert cell["72", january, "hires"] == pytest.approx(3700)  # 16.5 less 7.4 and 5.4
    assert cell["72", january, "wage_arrears"] == 968 - 499 - 103
    assert pd.isna(cell["72", pd.Period("2009-02", "M"), "wage_arrears"])  # no figure of the Yamal district


def test_hand_read_cells_of_the_workbook(shared_data: Path) -> None:
    frame = tables(shared_data, "rosstat_labour_force_xls").external_series
    cell = frame.set_index(["region_code", "month", "series_id"])["value"]
    year, quarter = pd.Period("2015-12", "M"), pd.Period("2016-01", "M")
    assert cell["31", pd.Period("2009-12", "M"), "labour_force_year"] == pytest.approx(791390.0618379224)
    assert cell["31", year, "unemployment_rate_year"] == 4.069
    assert cell["77", year, "labour_force_year"] == pytest.approx(7067.5e3, abs=50)
    assert cell["31", quarter, "unemployed_quarter"] == 32187
    assert cell["92", quarter, "unemployment_rate_quarter"] == pytest.approx(5.35478283602843)
    assert cell["29", year, "labour_force_year"] == pytest.approx(587.9e3, abs=60)
    assert ("29", pd.Period("2012-12", "M"), "unemployment_rate_year") not in cell.index
    assert ("91", pd.Period("2009-12", "M"), "labour_force_year") not in cell.index
    assert frame["region_code"].nunique() == 85
    assert set(frame.loc[frame["month"] == quarter, "series_id"].str.endswith("_quarter")) == {True}
    assert set(frame.loc[frame["unit"] == "%", "series_id"].str.contains("_rate_")) == {True}


def test_the_own_figure_of_a_total_equals_the_row_that_the_workbook_gives(shared_data: Path) -> None:
    """Where the source also prints the oblast without its districts, the subtraction must give the same."""
    from python_calamine import CalamineWorkbook

    frame = tables(shared_data, "rosstat_labour_force_xls").external_series
    cell = frame.set_index(["region_code", "month", "series_id"])["value"]
    book = CalamineWorkbook.from_path(str(shared_data / "rosstat806_323-328_EAN_unemployed.xls"))
    rows = book.get_sheet_by_name("2009-2015 годы").to_python(skip_empty_area=False)
    for row, region in ((30, "29"), (74, "72")):
        for column, year in ((5, 2013), (6, 2014), (7, 2015)):
            printed = float(rows[row][column]) * 1000  # type: ignore[arg-type]
            assert cell[region, pd.Period(f"{year}-12", "M"), "labour_force_year"] == pytest.approx(printed, abs=60)


def test_totals_of_the_campaign(shared_data: Path) -> None:
    raw = pd.read_csv(shared_data / "KAG_conversion_data.csv")
    frame = tables(shared_data, "kag_campaign").promotion
    assert len(frame) == len(raw) == 625
    assert frame["impressions"].sum() == raw["Impressions"].sum()
    assert frame["clicks"].sum() == raw["Clicks"].sum()
    assert frame["leads"].sum() == raw["Total_Conversion"].sum()
    assert frame["customers"].sum() == raw["Approved_Conversion"].sum()
    assert frame["external_cost"].sum() == pytest.approx(raw["Spent"].sum())
    assert frame["age"].tolist() == raw["age"].tolist()
    assert {"gender", "interest", "fb_campaign_id"} <= set(frame.columns)
