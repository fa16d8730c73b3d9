from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from kcrr_analysis import tables
from kcrr_analysis.tables import CheckResult, prepared


def assert_same(left: CheckResult, right: CheckResult) -> None:
    assert (left.errors, left.warnings, left.sources) == (right.errors, right.warnings, right.sources)
    one, other = left.tables, right.tables
    for name in ("folder", "region", "warnings", "sources", "notice", "names", "named_regions", "regions"):
        assert getattr(one, name) == getattr(other, name)
    assert list(one.frames) == list(other.frames)
    for name in one.frames:
        pd.testing.assert_frame_equal(one.frames[name], other.frames[name], check_exact=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two regions, a fault in each, a warning, and a table that knows no region."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "centers.csv").write_text(
        "center_id,center_name,region_code,region_name\nC1,Один,01,Адыгея\nC2,Два,77,Москва\n", encoding="utf-8"
    )
    (folder / "center_months.csv").write_text(
        "month,center_id,floor_area_m2,client_area_m2,staff_fte\n2025-09,C1,10,20,1\n2025-10,C2,x,5,2\n2025-10,C9,5,5,2\n",
        encoding="utf-8",
    )
    (folder / "external_series.csv").write_text(
        "region_code,month,series_id,value,unit,source\n01,2025-09,a,5,ед.,п\n01,2025-10,a,y,ед.,п\n77,2025-10,a,7,ед.,п\n",
        encoding="utf-8",
    )
    (folder / "services.csv").write_text(
        "service_id,service_name,kind,pilot_state\nS1,Услуга,federal_service,promoted\n", encoding="utf-8"
    )
    return folder


@pytest.mark.parametrize("only", [None, ("center_months",), ("centers", "external_series"), "services"])
def test_a_share_equals_a_check_of_the_region(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only: tuple[str, ...] | None
) -> None:
    for region in ("01", "77", "50"):
        monkeypatch.delenv(prepared.VARIABLE, raising=False)
        plain = tables.check(data, region=region, only=only)
        monkeypatch.setenv(prepared.VARIABLE, str(tmp_path / "shares"))
        for _ in range(2):
            assert_same(tables.check(data, region=region, only=only), plain)


def test_files_are_not_read_again(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(prepared.VARIABLE, str(tmp_path / "shares"))
    tables.check(data, region="01")
    seen: list[str] = []
    module = sys.modules["kcrr_analysis.tables.load"]
    read = module.read

    def noted(path: Path, *rest: object, **more: object) -> object:
        seen.append(path.name)
        return read(path, *rest, **more)

    monkeypatch.setattr(module, "read", noted)
    tables.check(data, region="77")
    assert seen == ["centers.csv", "services.csv"]  # needed whole, and of no region


def test_a_full_disk_stops_no_reading(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tables.check(data, region="01")
    monkeypatch.setenv(prepared.VARIABLE, str(tmp_path / "shares"))

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert_same(tables.check(data, region="01"), plain)
    assert list((tmp_path / "shares").iterdir()) == []
    monkeypatch.setenv(prepared.VARIABLE, str(data / "centers.csv" / "shares"))
    assert_same(tables.check(data, region="01"), plain)


def test_a_defect_in_keeping_is_not_hidden(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(prepared.VARIABLE, str(tmp_path / "shares"))

    def broken(*_: object, **__: object) -> bytes:
        raise TypeError

    monkeypatch.setattr(prepared.pickle, "dumps", broken)
    with pytest.raises(TypeError):
        tables.check(data, region="01")
