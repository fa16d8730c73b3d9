"""Faults are told so that the user finds the place and the remedy."""

from __future__ import annotations

from kcrr_analysis.errors import DataError, Fault


def fault(row: int, value: str = "abc") -> Fault:
    return Fault("flow.csv", row, "Обратилось", value, "не число", "Исправьте значение.")


def test_a_fault_names_place_value_and_remedy() -> None:
    assert str(fault(7)) == "flow.csv, строка 7, столбец «Обратилось»: не число. Значение: «abc». Исправьте значение."
    whole = Fault("flow.csv", None, "", "", "файл пуст", "Выгрузите его снова.")
    assert str(whole) == "flow.csv: файл пуст. Выгрузите его снова."


def test_a_long_list_is_counted_not_cut_silently() -> None:
    text = str(DataError(fault(row) for row in range(2, 52)))
    assert len(text.splitlines()) == DataError.shown + 1
    assert text.endswith("… и ещё 30 (flow.csv: 30). Полный список: kcrr check ПАПКА.")
