from __future__ import annotations

import pytest

from kcrr_analysis import reporting
from kcrr_analysis.reporting import Chart, Column, Panel, Series, Table, html
from tests.reporting import sample


def test_a_row_is_as_long_as_the_header() -> None:
    with pytest.raises(ValueError, match="has 2 cells, not 1"):
        Table("т", (Column("а"),), ((1, 2),))


def test_values_are_as_many_as_points() -> None:
    with pytest.raises(ValueError, match="y of «р» has 1 values for 2 points"):
        Series("р", ("2025-01", "2025-02"), (1,))
    with pytest.raises(ValueError, match="low of «р»"):
        Series("р", ("2025-01",), (1,), low=(1, 2))


def test_a_picture_is_described_and_not_empty() -> None:
    panel = Panel("line", (Series("р", (), ()),))
    with pytest.raises(ValueError, match="no alt text"):
        Chart("т", (panel,), alt=" ")
    with pytest.raises(ValueError, match="no panels"):
        Chart("т", (), alt="описание")


def test_blocks_are_values() -> None:
    assert sample.report() == sample.report()
    assert hash(sample.line_chart()) == hash(sample.line_chart())
    assert [figure.key for figure in sample.report().key_figures] == ["applied", "coverage", "svo", "visits"]


def test_a_report_writes_itself() -> None:
    assert sample.report().to_html() == html.page(sample.report())


def test_the_room_names_what_is_public() -> None:
    assert all(getattr(reporting, name) for name in reporting.__all__)
    with pytest.raises(AttributeError, match="no attribute 'draw'"):
        reporting.draw  # noqa: B018
