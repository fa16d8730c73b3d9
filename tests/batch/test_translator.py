from __future__ import annotations

import ast
import datetime

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.parameterize import parameterize_notebook
from papermill.translators import papermill_translators

from kcrr_analysis.batch import translator
from kcrr_analysis.errors import ParameterError
from tests.batch.conftest import PARAMETERS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_is_written_reads_back_equal(value: object) -> None:
    assert ast.literal_eval(translator.literal(value)) == value


def test_cyrillic_is_injected_readable() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    )
    notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "x"}
    notebook.metadata["papermill"] = {}
    done = parameterize_notebook(notebook, {"title": 'Томская «область» "№ 1"\\', "month": None, "threshold": 7})
    assert done.cells[1].source == (
        "# Параметры запуска\ntitle = 'Томская «область» \"№ 1\"\\\\'\nmonth = None\nthreshold = 7\n"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.int64(3), "3"),
        (np.float64(0.5), "0.5"),
        (np.bool_(True), "True"),
        (np.str_("я"), "'я'"),
        (float("nan"), "float('nan')"),
    ],
)
def test_numpy_scalars_become_python_ones(value: object, written: str) -> None:
    assert translator.literal(value) == written


@pytest.mark.parametrize("value", [datetime.date(2025, 10, 1), object(), {1, 2}, b"x"])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="не передаётся в блокнот"):
        translator.literal(value)


def test_papermill_sees_optional_parameters() -> None:
    python = papermill_translators.find_translator("python3", "python")
    found = python.inspect({"source": PARAMETERS})
    assert [parameter.name for parameter in found][:3] == ["data", "region", "month"]
    assert found[1].help == "код региона"
