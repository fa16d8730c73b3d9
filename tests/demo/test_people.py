from __future__ import annotations

from kcrr_analysis.demo import DemoData


def test_catchments_add_up_to_the_region(small: DemoData) -> None:
    table = small.tables["population"]
    keys = ["region_code", "client_group", "year"]
    region = table[table["center_id"].isna()].set_index(keys)["population"]
    centers = table[table["center_id"].notna()].groupby(keys)["population"].sum()
    assert (region.sort_index() == centers.sort_index()).all()


def test_regions_have_plausible_sizes(full: DemoData) -> None:
    table = full.tables["population"]
    rows = table[table["center_id"].isna() & (table["year"] == 2025)]
    size = rows.pivot(index="region_code", columns="client_group", values="population").astype(float)
    assert size["all"].between(290_000, 3_100_000).all()
    assert size["all"].idxmin() == "03"
    assert (size["teen_14_17"] / size["all"]).between(0.03, 0.06).all()
    assert (size["disability"] / size["all"]).between(0.015, 0.035).all()
    assert set(table["year"]) == {2022, 2023, 2024, 2025}
