from __future__ import annotations

from kcrr_analysis.reporting import Column, Hidden, KeyFigure, Marked, Table, footnotes
from kcrr_analysis.reporting.formats import NBSP
from tests.reporting import sample


def _table(*cells: object) -> Table:
    return Table("т", (Column("ч", "int"),), tuple((cell,) for cell in cells), ("Своё примечание.",))  # type: ignore[misc]


def test_a_table_without_small_cells_keeps_its_notes() -> None:
    assert footnotes.notes(_table(1, 2), 5) == ("Своё примечание.",)


def test_hidden_and_marked_are_explained_once_each() -> None:
    notes = footnotes.notes(_table(Hidden(), Hidden(), Marked(2), Marked(3)), 7)
    assert len(notes) == 3
    assert notes[1].startswith(f"«скрыто» – меньше 7{NBSP}человек")
    assert notes[2].startswith(f"* меньше 7{NBSP}человек")


def test_the_threshold_is_not_invented() -> None:
    assert "5" not in footnotes.notes(_table(Hidden()))[1]


def test_hidden_headline_figures_are_explained() -> None:
    assert footnotes.figure_notes([KeyFigure("k", "Обратились", Hidden())], 5)[0].startswith("«скрыто»")
    assert footnotes.figure_notes([KeyFigure("k", "Обратились", 7)], 5) == ()


def test_an_internal_report_says_so_first() -> None:
    assert footnotes.notices(sample.report("public")) == sample.report().notices
    internal = footnotes.notices(sample.report("internal"))
    assert internal[0].startswith("Для служебного пользования")
    assert internal[1:] == sample.report().notices
