"""The pandera schemas and the fast gate are one and the same set of demands."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pandera.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.tables import check
from kcrr_analysis.tables.contracts import TABLES
from kcrr_analysis.tables.readers import Grid
from kcrr_analysis.tables.records import Records, records
from kcrr_analysis.tables.rules import broken, rules
from kcrr_analysis.tables.schema import failures, schema
from tests.tables.conftest import Put

NUMBERS = pd.RangeIndex(1).to_numpy()


def event(**cells: str) -> Records:
    row = {"event_id": "e", "date": "2025-10-01", "tool_id": "smm", "region_code": "77", "participants": "1"} | cells
    frame = pd.DataFrame([list(row.values())]).astype("string")
    return records(Grid("events.csv", frame, NUMBERS + 2, headers=tuple(row)), TABLES["events"])


WORDS = st.sampled_from(
    ["", "0", "1", "3", "3,01", "0,5", "1,5", "1,51", "-1", "5", "12 %", "1,2", "x", "77", "777", "01", "н/д"]
)
COLUMNS = [
    "event_id",
    "region_code",
    "participants",
    "weight",
    "engagement",
    "mean_rating",
    "active_share",
    "external_cost",
]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(COLUMNS), WORDS))
@pytest.mark.filterwarnings("ignore::FutureWarning:pandera")
def test_the_gate_lets_pass_exactly_what_pandera_lets_pass(cells: dict[str, str]) -> None:
    made = event(**cells)
    try:
        schema("events").validate(made.frame, lazy=True)
        sound = True
    except pandera.errors.SchemaErrors:
        sound = False
    assert (broken(made.table, made.frame) == ()) == sound
    if sound:
        assert failures(made) == ()


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(COLUMNS), WORDS))
def test_an_unreadable_cell_is_named_once(cells: dict[str, str]) -> None:
    made = event(**cells)
    columns = [fault.column for fault in (*made.faults, *failures(made)) if fault.severity == "error"]
    assert len(columns) == len(set(columns))


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_schema_that_an_empty_table_meets(name: str) -> None:
    table = TABLES[name]
    grid = Grid(name, pd.DataFrame({n: pd.Series([], dtype="string") for n in range(len(table.columns))}),
                NUMBERS[:0], headers=tuple(table.columns))  # fmt: skip
    made = records(grid, table)
    assert [fault.message for fault in made.faults] == ["в файле нет строк с данными"]
    pd.testing.assert_frame_equal(schema(name).validate(made.frame), made.frame)
    assert broken(table, made.frame) == ()
    assert {rule.column for rule in rules(table)} <= set(table.columns)


def test_sound_data_are_read_without_pandera(put: Put) -> None:
    folder = put("flow.csv", "month;center_id;client_group;applied\n2025-10;c1;all;5\n")
    code = (
        "import sys; from kcrr_analysis import tables; "
        f"assert not tables.check({str(folder)!r}).errors; "
        "print('pandera' in sys.modules, 'duckdb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_all_failures_of_a_long_column_are_placed(put: Put) -> None:
    rows = "".join(f"2025-10;c1;g{n};{-1 if n % 10 == 0 else n}\n" for n in range(1000))
    result = check(put("flow.csv", "month;center_id;client_group;applied\n" + rows))
    assert [fault.row for fault in result.errors] == [n + 2 for n in range(0, 1000, 10)]
