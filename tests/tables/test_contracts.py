from __future__ import annotations

import pytest

from kcrr_analysis.tables.columns import DTYPES, TableContract, normal_header
from kcrr_analysis.tables.contracts import TABLES


def test_every_table_of_the_methodology_has_a_contract() -> None:
    assert list(TABLES) == [
        "centers", "center_months", "population", "flow", "plan", "events", "promotion", "actions", "services",
        "external_series", "survey_responses", "focus_coding", "pilots", "pilot_results", "partners", "contacts",
        "outcomes", "vacancies", "changes",
    ]  # fmt: skip


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_contract_is_sound(table: TableContract) -> None:
    assert set(table.key) <= set(table.columns)
    assert all(column.kind in DTYPES for column in table.columns.values())
    seen: dict[str, str] = {}
    for column in table.columns.values():
        for header in column.headers:
            assert seen.setdefault(normal_header(header), column.name) == column.name
            assert table.column_of(f"  {header.upper()} ") == column.name
    for column in table.columns.values():
        assert (column.kind == "choice") == bool(column.choices)
        assert column.default is None or column.default in column.choices


def test_bounds_that_the_recommendations_set() -> None:
    events = TABLES["events"].columns
    assert (events["weight"].low, events["weight"].high) == (1, 3)
    assert (events["engagement"].low, events["engagement"].high) == (0.5, 1.5)
    assert (events["mean_rating"].low, events["mean_rating"].high) == (1, 5)
    for table in TABLES.values():
        for column in table.columns.values():
            if column.kind in {"count", "money"}:
                assert column.low == 0
            if column.kind == "share":
                assert (column.low, column.high) == (0, 1)


@pytest.mark.parametrize(
    ("header", "column"),
    [("Обратилось, чел.", "applied"), ("  КЛИЕНТСКАЯ   группа", "client_group"),
     ("состоит на УЧЕТЕ", "registered_stock"),
     ("Код субъекта РФ", "region_code"), ("measures-delivered", "measures_delivered"), ("нечто", None)],
)  # fmt: skip
def test_headers_of_flow(header: str, column: str | None) -> None:
    assert TABLES["flow"].column_of(header) == column
