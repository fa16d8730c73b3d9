from __future__ import annotations

from pathlib import Path

from kcrr_analysis import tables
from kcrr_analysis.batch import data_regions


def test_regions_of_rows_faults_and_folders(tmp_path: Path) -> None:
    rows = "region_code,month,series_id,value,unit,source\n01,2025-10,x,1,ед.,проба\n02,2025-10,x,много,ед.,проба\n"
    (tmp_path / "external_series.csv").write_text(rows, encoding="utf-8")
    for code, file in (("77", "flow.xlsx"), ("50", ".hidden"), ("mappings", "flow.xlsx")):
        (tmp_path / code).mkdir()
        (tmp_path / code / file).write_bytes(b"no workbook")
    (tmp_path / "16").mkdir()
    found = data_regions.named(tables.check(tmp_path))
    assert found == (("01", "Республика Адыгея"), ("02", "Республика Башкортостан"), ("77", "Москва"))
