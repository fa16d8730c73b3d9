from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.tables import Tables, check, load
from kcrr_analysis.tables.folder import survey
from kcrr_analysis.tables.stored import large_tables
from tests.tables.conftest import Put

FLOW = "month;center_id;client_group;applied\n2025-10;c1;all;5\n2025-11;c1;all;7\n2025-10;c2;all;\n"


def test_sql_joins_tables_and_frames(put: Put) -> None:
    tables = load(put("flow.csv", FLOW))
    extra = pd.DataFrame({"center_id": ["c1"], "share": [0.5]})
    found = tables.sql(
        "SELECT f.month, c.center_name, f.applied * x.share AS half FROM flow f JOIN centers c USING (center_id) "
        "JOIN x USING (center_id) ORDER BY f.month",
        x=extra,
    )
    assert found["half"].tolist() == [2.5, 3.5]
    assert found["month"].tolist() == [pd.Timestamp("2025-10-01"), pd.Timestamp("2025-11-01")]
    assert found["center_name"].tolist() == ["Центр 1", "Центр 1"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('centers.csv')",
        "COPY flow TO 'out.csv'",
        "INSTALL httpfs; SELECT * FROM flow",
        "LOAD httpfs; SELECT * FROM flow",
        "ATTACH 'x.db'; SELECT * FROM flow",
        "SET enable_external_access = true; SELECT * FROM flow",
        "SELECT * FROM connection",
        "SELECT * FROM tables",
        "SELEC",
    ],
)
def test_sql_reaches_nothing_but_the_tables(put: Put, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put("flow.csv", FLOW)
    monkeypatch.chdir(folder)
    with pytest.raises(ParameterError, match="Запрос SQL не выполнен"):
        load(folder).sql(query)
    assert sorted(path.name for path in folder.iterdir()) == ["centers.csv", "flow.csv"]


def test_a_frame_may_have_any_column_names(put: Put) -> None:
    odd = pd.DataFrame({'a"; DROP TABLE flow; --': [1], "Столбец с пробелом": ["x"]})
    found = load(put("flow.csv", FLOW)).sql("SELECT * FROM odd", odd=odd)
    assert list(found.columns) == list(odd.columns)


def test_replace_gives_a_changed_copy(put: Put) -> None:
    tables = load(put("flow.csv", FLOW))
    changed = tables.replace(flow=tables.flow.head(1))
    assert (len(tables.flow), len(changed.flow)) == (3, 1)
    assert changed.sql("SELECT count(*) AS n FROM flow")["n"].tolist() == [1]
    with pytest.raises(ParameterError, match="Неизвестные таблицы: flows"):
        tables.replace(flows=tables.flow)


def test_tables_made_in_memory() -> None:
    tables = Tables({"vacancies": pd.DataFrame({"region_code": ["77"], "vacancies": [5]})})
    assert tables.names == ("vacancies",)
    assert tables.regions == (("77", "Москва"),)
    assert tables.months is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        tables.region = "77"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        tables.flows  # noqa: B018
    with pytest.raises(KeyError):
        tables["flows"]


def actions(folder: Path, name: str, ids: list[str], **columns: object) -> None:
    frame = pd.DataFrame(
        {
            "action_id": ids, "person_id": "p", "time": pd.Timestamp("2025-10-01T12:00Z"), "action": "lead",
            "center_id": ["c1" if n % 2 else "c2" for n in range(len(ids))], **columns,
        }
    )  # fmt: skip
    frame.to_parquet(folder / name)


@pytest.fixture
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kcrr_analysis.tables.stored.LARGE", 3)
    monkeypatch.setattr(large_tables, "__kwdefaults__", {"large": 3})


@pytest.mark.usefixtures("_small_is_large")
def test_a_large_canonical_table_stays_in_its_files(put: Put) -> None:
    folder = put()
    actions(folder, "actions.1.parquet", ["a", "b", "c"])
    actions(folder, "actions.2.parquet", ["d", "e"])
    tables = load(folder)
    assert "actions" not in tables.frames
    assert "actions" in tables
    assert tables.path("actions") == (folder / "actions.1.parquet", folder / "actions.2.parquet")
    assert tables.sql("SELECT count(*) AS n, min(event_id) AS e FROM actions").iloc[0].tolist()[0] == 5
    assert sum(source.rows for source in tables.sources if source.table == "actions") == 5
    one = load(folder, region="01")
    assert one.sql("SELECT action_id FROM actions ORDER BY 1")["action_id"].tolist() == ["b", "e"]
    assert sorted(one.actions["action_id"]) == ["b", "e"]
    assert str(one.actions["time"].dtype) == "datetime64[ns, UTC]"


@pytest.mark.usefixtures("_small_is_large")
def test_a_large_table_is_checked_where_it_is(put: Put) -> None:
    folder = put()
    actions(folder, "actions.parquet", ["a", "a", "", "d"], client_group=["all", "all", "марсиане", "марсиане"])
    actions(folder, "actions.2.parquet", ["x"], center_id=["c9"])
    result = check(folder)
    assert [str(fault) for fault in result.errors] == [
        "actions.2.parquet, столбец «action_id»: строки повторяют ключ (строк: 1). Значение: «a». "
        "Оставьте по одной строке с каждым ключом.",
        "actions.2.parquet, столбец «center_id»: такого центра нет в таблице «Кадровые центры» (centers) (строк: 1). "
        "Значение: «c9». Исправьте код центра или добавьте центр в centers.",
        "actions.parquet, строка 3, столбец «action_id»: значение не заполнено (строк: 1). "
        "Заполните столбец «Код действия».",
    ]


@pytest.mark.usefixtures("_small_is_large")
def test_a_large_table_that_is_not_canonical_is_read(put: Put) -> None:
    folder = put()
    actions(folder, "actions.parquet", ["a", "b", "c", "d"], requested="да")
    assert large_tables(survey(folder).files) == {}
    assert load(folder).frames["actions"]["requested"].tolist() == [True] * 4


def test_without_a_flow_the_other_dated_tables_tell_the_period() -> None:
    held = pd.DataFrame({"date": pd.to_datetime(["2025-03-31", "2024-12-01", None])})
    months = Tables({"events": held}).months
    assert months == (pd.Period("2024-12", freq="M"), pd.Period("2025-03", freq="M"))
