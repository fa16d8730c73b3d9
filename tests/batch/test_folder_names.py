from __future__ import annotations

import pytest

from kcrr_analysis.batch import folder_names


@pytest.mark.parametrize("name", ["77", "01", "demo", "отчёт 2025", "a.b", "rosstat-2025_10", "console"])
def test_ordinary_names_are_accepted(name: str) -> None:
    assert folder_names.fault(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "", " ", ".", "..", "../77", "/etc", "C:", "C:\\x", "a/b", "a\\b", "a:b", "a*", "a?", 'a"b', "a<b", "a|b", "a\nb",  # noqa: E501
        "a\x00", "name.", "name ", " name", ".hidden", "-x", "~x", "CON", "con", "nul.txt", "COM1", "lpt9.x", "AUX .txt",  # noqa: E501
        "x" * 65,
    ],
)  # fmt: skip
def test_path_tricks_and_reserved_names_are_refused(name: str) -> None:
    assert folder_names.fault(name)
