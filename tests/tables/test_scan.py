"""One table as a DuckDB relation: frame, tables, files; shut off from everything else; nothing is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest

from kcrr_analysis.errors import MissingTableError, ParameterError
from kcrr_analysis.tables import StoredTable, Tables
from kcrr_analysis.tables.scan import scan

FRAME = pd.DataFrame(
    {
        "person_id": ["p'", "q", None],
        "time": pd.to_datetime(["2025-01-01 10:00", "2025-01-02 00:00", None], utc=True),
        "action": pd.Categorical(["a", "b", "a"]),
    }
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_frame_gives_the_columns_asked_for() -> None:
    with scan(FRAME, "actions", columns=("person_id", "action", "absent")) as source:
        assert list(source.columns) == ["person_id", "action"]
        assert source.relation == '"actions"'
        found = source.fetch(f"SELECT {source.text('action')} AS a FROM actions ORDER BY a")
    assert found["a"].tolist() == ["a", "a", "b"]


def test_tables_in_memory_and_in_files(tmp_path: Path) -> None:
    path = tmp_path / "actions.parquet"
    FRAME.astype({"action": str}).assign(region_code=["01", "02", "01"]).to_parquet(path)
    stored = StoredTable((path,), ("person_id", "time", "action", "region_code"), 3, region="01")
    for tables, rows in (
        (Tables(frames=MappingProxyType({"actions": FRAME})), 3),
        (Tables(frames=MappingProxyType({}), stored=MappingProxyType({"actions": stored})), 2),
    ):
        with scan(tables, "actions") as source:
            assert source.fetch("SELECT count(*) AS n FROM actions")["n"].tolist() == [rows]
    with pytest.raises(MissingTableError), scan(Tables(frames=MappingProxyType({})), "actions"):
        pass


@pytest.mark.parametrize("name", ["log.csv", "it's.csv", "log [1].csv", "b*.csv", "log [2].parquet"])
def test_a_path_is_taken_as_it_is_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.with_name("bx.csv").write_text("person_id\nother\n")
    if path.suffix == ".csv":
        path.write_text("person_id,time\n007,31.01.2025\n")
    else:
        pd.DataFrame({"person_id": ["007"], "time": ["31.01.2025"]}).to_parquet(path)
    with scan(path, "actions") as source:
        assert source.fetch("SELECT * FROM actions").to_dict("list") == {"person_id": ["007"], "time": ["31.01.2025"]}


def test_several_files_are_one_table_by_the_names_of_columns(tmp_path: Path) -> None:
    for name, text in (("a.csv", "x,y\n1,2\n"), ("b.csv", "y,x\n4,3\n")):
        (tmp_path / name).write_text(text)
    with scan([tmp_path / "a.csv", tmp_path / "b.csv"], "actions") as source:
        assert sorted(source.fetch("SELECT x FROM actions")["x"]) == ["1", "3"]


def test_nothing_else_can_be_reached(tmp_path: Path) -> None:
    path, other = tmp_path / "log.csv", tmp_path / "other.csv"
    path.write_text("x\n1\n")
    other.write_text("x\n2\n")
    with scan(path, "actions") as source:
        for text in (
            f"SELECT * FROM read_csv('{other.as_posix()}')",
            f"COPY (SELECT 1) TO '{other.as_posix()}'",
            "SELECT * FROM read_parquet('http://127.0.0.1/x.parquet')",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(ParameterError, match="не прочитана"):
                source.fetch(text)
    assert other.read_text() == "x\n2\n"


def test_a_query_may_spill_and_nothing_is_left_behind(temporary: Path) -> None:
    with scan(FRAME, "actions") as source:
        folder = next(temporary.iterdir())
        source.run("CREATE TEMP TABLE big AS SELECT hash(i) AS h, repeat('x', 50) AS t FROM range(200000) AS r(i)")
        assert source.fetch("SELECT count(*) AS n FROM (SELECT * FROM big ORDER BY h)")["n"].tolist() == [200_000]
        setting = source.fetch("SELECT current_setting('temp_directory') AS d")["d"].tolist()
        assert setting == [folder.as_posix()]
    assert not list(temporary.iterdir())


def test_spilled_data_go_to_the_temporary_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kcrr_analysis.tables import duck

    connect = duck.connect

    def small() -> object:
        connection = connect()
        connection.execute("SET memory_limit = '40MB'; SET threads = 1")
        return connection

    monkeypatch.setattr(duck, "connect", small)
    with scan(FRAME, "actions") as source:
        source.run("CREATE TEMP TABLE big AS SELECT hash(i) AS h, hash(i + 1) AS g FROM range(3000000) AS r(i)")
        assert any(file.stat().st_size for folder in temporary.iterdir() for file in folder.iterdir())
    assert not list(temporary.iterdir())


def test_memory_that_is_short_is_said_in_russian(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kcrr_analysis.tables import duck

    connect = duck.connect

    def tiny() -> object:
        connection = connect()
        connection.execute("SET memory_limit = '10MB'; SET max_temp_directory_size = '1MB'; SET threads = 1")
        return connection

    monkeypatch.setattr(duck, "connect", tiny)
    with pytest.raises(ParameterError, match="Не хватило оперативной памяти"), scan(FRAME, "actions") as source:
        source.run("CREATE TEMP TABLE big AS SELECT hash(i) AS h, hash(i + 1) AS g FROM range(3000000) AS r(i)")
    assert not list(temporary.iterdir())


def test_nothing_is_left_behind_after_a_failure(temporary: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"), scan(FRAME, "actions"):
        raise RuntimeError("stop")
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "не указано ни одного файла"),
        ("absent.csv", "файла «absent.csv» нет"),
        ("log.txt", "не Parquet и не CSV"),
        (("a.csv", "a.parquet"), "разных форматов"),
        ("broken.parquet", "не прочитаны"),
    ],
)
def test_a_wrong_path_gets_one_clear_message(
    source: str | tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("log.txt", "a.csv", "a.parquet", "broken.parquet"):
        Path(name).write_text("x\n1\n")
    with pytest.raises(ParameterError, match=message), scan(source, "actions"):
        pass


def test_frames_that_cannot_be_taken() -> None:
    with pytest.raises(ParameterError, match="дважды"), scan(pd.concat([FRAME, FRAME], axis=1), "actions"):
        pass
    mixed = pd.DataFrame({"person_id": ["a", 1, 2.5]})
    with pytest.raises(ParameterError, match="смешаны"), scan(mixed, "actions"):
        pass
    with pytest.raises(MissingTableError, match="нет столбцов"), scan(FRAME, "actions", columns=("absent",)):
        pass


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ParameterError, match="часового пояса «Mars»"), scan(FRAME, "actions", zone="Mars"):
        pass


def test_text_without_zone_is_the_zones_own_clock() -> None:
    for zone, hour in (("Europe/Moscow", 7), ("UTC", 10)):
        with scan(pd.DataFrame({"time": ["2025-01-01 10:00"]}), "actions", zone=zone) as source:
            seconds = source.fetch("SELECT epoch(time::TIMESTAMPTZ) AS s FROM actions")["s"].iloc[0]
        assert pd.Timestamp(seconds, unit="s").hour == hour
