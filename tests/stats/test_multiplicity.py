"""Adjusted p-values against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError

METHODS = {"holm": stats.holm, "fdr_bh": stats.benjamini_hochberg}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("m", [1, 2, 7, 30])
def test_as_statsmodels(name: str, m: int) -> None:
    """Small, large and tied p-values mixed."""
    p = np.round(np.random.default_rng(m).random(m) ** 3, 2)
    assert METHODS[name](p) == pytest.approx(multipletests(p, method=name)[1])


@pytest.mark.parametrize("name", METHODS)
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30), data=st.data())
def test_adjusting_keeps_the_order_and_never_lowers(name: str, p: list[float], data: st.DataObject) -> None:
    found = METHODS[name](p)
    assert ((found >= p) & (found <= 1)).all()
    assert (np.diff(found[np.argsort(p)]) >= 0).all()
    turned = data.draw(st.permutations(range(len(p))))
    assert METHODS[name](np.array(p)[turned]).tolist() == found[turned].tolist()


def test_by_hand() -> None:
    assert stats.holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert stats.benjamini_hochberg([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])


@pytest.mark.parametrize("name", METHODS)
def test_unknown_p_values_stay_unknown_and_do_not_count(name: str) -> None:
    found = METHODS[name]([0.02, np.nan, 0.01, np.nan])
    assert np.isnan(found).tolist() == [False, True, False, True]
    assert found[[0, 2]].tolist() == METHODS[name]([0.02, 0.01]).tolist()
    assert METHODS[name]([]).size == 0


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("p", [[-0.1], [1.1]])
def test_impossible_p_values_are_refused(name: str, p: list[float]) -> None:
    with pytest.raises(ParameterError, match="p-значения"):
        METHODS[name](p)
