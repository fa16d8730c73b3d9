"""Balance before the start: one p-value, uniform under randomisation, whatever the covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import balance as omnibus


def test_differences_and_chance_by_hand() -> None:
    # 2 v 2: values 1, 2 v 3, 6; differences over the six assignments: +-3, +-2, +-1
    frame = pd.DataFrame({"x": [1.0, 2, 3, 6]})
    found = omnibus.balance(frame, Allowed(np.array([0, 0, 1, 1])), names=["контроль", "формат"])
    row = found.rows.iloc[0]
    assert (row["mean"], row["mean_first"], row["difference"]) == (4.5, 1.5, 3)
    assert row["sd"] == pytest.approx(np.sqrt((0.5 + 4.5) / 2))
    assert row["standardised"] == pytest.approx(3 / np.sqrt(2.5))
    # variance over assignments (9 + 4 + 1) / 3: d2 = 9 / (14/3)
    assert found.statistic == pytest.approx(27 / 14)
    assert found.p == pytest.approx(2 / 6)
    assert found.verdict == "not_checked"


def test_omnibus_p_is_uniform_over_the_assignments() -> None:
    chance = np.random.default_rng(3)
    values = chance.normal(size=(10, 3)) ** 2
    codes = np.array([0, 1] * 5)
    reference, exact = Allowed(codes).reference()
    assert exact
    p = np.array([omnibus.omnibus(values, Allowed(one)).p for one in reference])
    # exact: the share of p at most a is a, up to the discreteness of 252 assignments in mirror pairs
    for level in (0.05, 0.2, 0.5, 0.9):
        assert (p <= level + 1e-9).mean() == pytest.approx(level, abs=2 / 252)


def test_chi_square_for_many_units_agrees_with_the_assignments(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(8)
    values = np.column_stack([chance.normal(size=300), chance.exponential(size=300)])
    allowed = Allowed(np.repeat([0, 1, 1], 100)[chance.permutation(300)], np.repeat(["а", "б"], 150))
    drawn = omnibus.omnibus(values, allowed)
    monkeypatch.setattr(omnibus, "LARGE", 100)
    large = omnibus.omnibus(values, allowed)
    assert large.statistic == pytest.approx(drawn.statistic, rel=0.08)
    # standard error of 9,999 draws 0.005, and the approximation
    assert large.p == pytest.approx(drawn.p, abs=0.03)
    assert large.df == 2
    np.testing.assert_allclose(large.gaps, drawn.gaps)
    np.testing.assert_allclose(large.high, drawn.high, rtol=0.06)


def test_exact_covariance_is_that_of_all_assignments() -> None:
    values = np.random.default_rng(1).normal(size=(8, 2))
    allowed = Allowed(np.array([0, 1, 2, 0, 1, 2, 0, 1]), np.array([0, 0, 0, 0, 0, 1, 1, 1]))
    centred = values.copy()
    for member in allowed.members:
        centred[member] -= centred[member].mean(axis=0)
    arms = np.unique(allowed.codes)
    codes, exact = allowed.reference()
    assert exact
    gaps = omnibus._gaps(centred, codes, arms)
    np.testing.assert_allclose(gaps.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(omnibus._covariance(centred, allowed, arms), gaps.T @ gaps / len(gaps), atol=1e-12)


def test_scale_and_repeated_covariates_do_not_matter() -> None:
    chance = np.random.default_rng(5)
    x = chance.normal(size=(12, 2))
    allowed = Allowed(np.array([0, 1] * 6))
    one = omnibus.omnibus(x, allowed)
    other = omnibus.omnibus(np.column_stack([1e6 * x[:, 0] + 5, 1e-6 * x[:, 1], x[:, 0] + x[:, 1]]), allowed)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert (other.p, other.df) == (pytest.approx(one.p), 2)


def test_an_imbalance_is_seen() -> None:
    frame = pd.DataFrame({"x": np.r_[np.arange(6), np.arange(6) + 20.0], "y": np.arange(12) % 3})
    found = omnibus.balance(frame, Allowed(np.repeat([0, 1], 6)))
    assert found.verdict == "failed"
    row = found.rows.set_index("covariate").loc["x"]
    assert row["standardised"] > row["chance_high"]


def test_a_missing_value_is_one_more_covariate() -> None:
    frame = pd.DataFrame({"x": [1.0, np.nan, 3, 4, 5, 6, 7, 8], "z": 1.0})
    found = omnibus.balance(frame, Allowed(np.array([0, 1] * 4)))
    assert found.rows["covariate"].tolist() == ["x", "x: нет данных", "z"]
    assert np.isnan(found.rows["standardised"].iloc[2])  # a constant has no spread


def test_three_arms_have_a_row_each() -> None:
    frame = pd.DataFrame({"x": np.arange(12.0)})
    found = omnibus.balance(frame, Allowed(np.array([0, 1, 2] * 4)), names=["контроль", "а", "б"])
    assert found.rows["arm"].tolist() == ["а", "б"]
    assert found.rows["difference"].tolist() == pytest.approx([1, 2])


def test_refusals() -> None:
    allowed = Allowed(np.array([0, 1, 0, 1]))
    with pytest.raises(ParameterError, match="хотя бы один признак"):
        omnibus.balance(pd.DataFrame(index=range(4)), allowed)
    with pytest.raises(ParameterError, match="нигде не известен"):
        omnibus.balance(pd.DataFrame({"x": [np.nan] * 4}), allowed)
