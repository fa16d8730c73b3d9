from __future__ import annotations

from kcrr_analysis.demo import DemoData


def test_series_are_whole_and_have_units(full: DemoData) -> None:
    table = full.tables["external_series"]
    assert table.groupby(["region_code", "series_id"])["month"].nunique().eq(36).all()
    assert table.groupby("series_id")[["series_name", "unit"]].nunique().eq(1).all().all()
    assert (table["value"] > 0).all()
    assert set(table["unit"]) == {"чел.", "ед."}


def test_hires_fall_in_december(full: DemoData) -> None:
    table = full.tables["external_series"]
    hires = table[table["series_id"] == "hires"]
    mean = hires.groupby(hires["month"].dt.month)["value"].mean()
    assert mean.idxmin() in (12, 1)
    assert mean.idxmax() in (8, 9)


def test_vacancy_quality_is_a_share(full: DemoData) -> None:
    table = full.tables["vacancies"]
    assert table["quality"].between(0.4, 1).all()
    assert (table["vacancies"] > 0).all()
