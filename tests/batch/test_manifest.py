from __future__ import annotations

from pathlib import Path

import pytest

from kcrr_analysis.batch import manifest
from kcrr_analysis.batch.manifest import Failure, InputFile, Manifest, Output, RegionRecord, ReportRecord
from kcrr_analysis.errors import ParameterError

FULL = Manifest(
    "проба", "Проба", "2025-11-01T10:00:00+03:00", "2025-11-01T10:01:00+03:00", False, "0.1.0+abc", {"python": "3.11"},
    {"run": "проба"}, "fork", 2, "Демо", (InputFile("flow", "flow.csv", 3, "ab"),),
    (
        ReportRecord("01", "Адыгея", "n", "delivered", 1.5, {"data": "x"}, {"region": "01"}, (Output("01/n.json", "cd"),), None, 1, "fork"),  # noqa: E501
        ReportRecord("77", "Москва", "n", "failed", 0.5, error=Failure("DataError", "плохо", "ячейка 2", "")),
    ),
    (RegionRecord("01", {"n": "cd"}, Output("01/report.docx", "ef")), RegionRecord("77", error=Failure("x", "y"))),
)  # fmt: skip


def test_a_manifest_reads_back_equal(tmp_path: Path) -> None:
    FULL.write(tmp_path)
    assert manifest.read(tmp_path) == FULL
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_no_manifest_is_none(tmp_path: Path) -> None:
    assert manifest.read(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": "other/9"}', '{"schema": "kcrr.manifest/1", "files": []}']
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / manifest.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match="без --resume"):
        manifest.read(tmp_path)


def test_records_are_replaced_in_place() -> None:
    changed = FULL.with_report(ReportRecord("01", "Адыгея", "n", "failed"))
    assert [(record.region, record.status) for record in changed.reports] == [("01", "failed"), ("77", "failed")]
    assert changed.count("failed") == 2
    assert [one.region for one in FULL.with_region(RegionRecord("50")).regions] == ["01", "50", "77"]
