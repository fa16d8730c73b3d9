from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from kcrr_analysis import demo, tables
from kcrr_analysis.demo import DemoData
from kcrr_analysis.demo import folder as writing
from kcrr_analysis.errors import ParameterError

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
LIMIT = 8 * 1024 * 1024


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def folder(small: DemoData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.write(small, tmp_path_factory.mktemp("demo") / "set")


def test_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = demo.write(demo.make(seed=7, regions=2, months=14), tmp_path / "again")
    assert content(again) == content(folder)


def test_the_folder_passes_the_contracts_without_a_warning(folder: Path) -> None:
    result = tables.check(folder)
    assert not result.errors
    assert not result.warnings
    assert "синтетические" in result.tables.notice


def test_what_is_written_is_read_back(small: DemoData, folder: Path) -> None:
    read = tables.load(folder)
    for name, frame in small.tables.items():
        back = read[name][list(frame.columns)]
        # Columns beyond the contract stay text until a protocol says what they are.
        known = [column for column in frame if column in tables.TABLES[name].columns]
        pd.testing.assert_frame_equal(back[known], frame[known], obj=name)
        pd.testing.assert_frame_equal(back.astype("string"), frame.astype("string"), obj=name)


def test_the_folder_says_what_it_is(small: DemoData, folder: Path) -> None:
    about = yaml.safe_load((folder / "dataset.yaml").read_text(encoding="utf-8"))
    assert about["synthetic"] is True
    assert (about["seed"], about["regions"], about["months"]) == (7, 2, 14)
    truth = yaml.safe_load((folder / "truth.yaml").read_text(encoding="utf-8"))
    assert truth["pilot"] == small.truth["pilot"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}." in readme for name in small.tables)


def test_csv_opens_in_a_russian_spreadsheet(folder: Path) -> None:
    raw = (folder / "center_months.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    header, first = raw.decode("utf-8-sig").splitlines()[:2]
    assert header.startswith("Месяц;Код центра;Общая площадь")
    assert first.startswith("2024-09;01001;")
    assert "," in raw.decode("utf-8-sig")


def test_an_older_demo_is_replaced(small: DemoData, tmp_path: Path) -> None:
    target = tmp_path / "demo"
    demo.write(demo.make(seed=1, regions=1, months=3), target)
    demo.write(small, target)
    assert yaml.safe_load((target / "dataset.yaml").read_text(encoding="utf-8"))["regions"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_an_empty_folder_is_filled(small: DemoData, tmp_path: Path) -> None:
    target = tmp_path / "empty"
    target.mkdir()
    assert (demo.write(small, target) / "flow.parquet").is_file()


@pytest.mark.parametrize("marker", [None, "title: Данные региона\n", "synthetic: false\n"])
def test_a_foreign_folder_is_refused_untouched(small: DemoData, tmp_path: Path, marker: str | None) -> None:
    (tmp_path / "flow.csv").write_text("свои данные", encoding="utf-8")
    if marker is not None:
        (tmp_path / "dataset.yaml").write_text(marker, encoding="utf-8")
    before = content(tmp_path)
    with pytest.raises(ParameterError, match="не пуста и не содержит демонстрационных данных"):
        demo.write(small, tmp_path)
    assert content(tmp_path) == before


def test_a_file_added_to_the_demo_is_not_destroyed(small: DemoData, tmp_path: Path) -> None:
    target = demo.write(small, tmp_path / "demo")
    (target / "заметки.docx").write_bytes(b"1")
    with pytest.raises(ParameterError, match="посторонние файлы: заметки"):
        demo.write(small, target)
    assert (target / "заметки.docx").exists()


def test_a_file_in_place_of_the_folder_is_refused(small: DemoData, tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="файл, а не папка"):
        demo.write(small, tmp_path / "demo")


def test_a_failure_leaves_the_older_set_whole(small: DemoData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = demo.write(demo.make(seed=1, regions=1, months=3), tmp_path / "demo")
    before = content(target)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_yaml", full_disk)
    with pytest.raises(ParameterError, match="не записывается"):
        demo.write(small, target)
    assert content(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_failed_rename_puts_the_older_set_back(
    small: DemoData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = demo.write(demo.make(seed=1, regions=1, months=3), tmp_path / "demo")
    before, rename = content(target), Path.replace

    def held_open(self: Path, other: Path) -> Path:
        if self.name == "new":
            raise PermissionError(13, "Permission denied")
        return rename(self, other)

    monkeypatch.setattr(Path, "replace", held_open)
    with pytest.raises(ParameterError, match="Закройте файлы"):
        demo.write(small, target)
    assert content(target) == before


def test_a_folder_that_cannot_be_made_is_said(small: DemoData, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="не создаётся"):
        demo.write(small, tmp_path / "file" / "demo")


def test_the_default_set_is_small_enough(full: DemoData, tmp_path: Path) -> None:
    written = demo.write(full, tmp_path / "demo")
    assert sum(path.stat().st_size for path in written.iterdir()) <= LIMIT


def test_the_set_in_the_repository_is_the_default_one_and_passes() -> None:
    if not DEMO.is_dir():
        pytest.skip("data/demo is not made yet: run `kcrr demo`")
    about = yaml.safe_load((DEMO / "dataset.yaml").read_text(encoding="utf-8"))
    assert (about["version"], about["seed"], about["regions"], about["months"]) == (writing.VERSION, 2025, 10, 36)
    assert sum(path.stat().st_size for path in DEMO.iterdir()) <= LIMIT
    result = tables.check(DEMO)
    assert not result.errors
    assert not result.warnings
