"""Dunnett's critical values against his tables and scipy's randomised integration."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.sizing.dunnett import adjusted_p, critical_value, scale_quadrature


@pytest.mark.parametrize(
    ("arms", "df", "published"),
    [  # Dunnett (1964), two-sided 0.05
        (1, 10, 2.23),
        (2, 5, 3.03),
        (2, 10, 2.57),
        (2, 20, 2.38),
        (2, np.inf, 2.21),
        (3, 10, 2.76),
        (3, 20, 2.54),
        (3, np.inf, 2.35),
        (9, 20, 2.95),
    ],
)
def test_published_two_sided(arms: int, df: float, published: float) -> None:
    assert critical_value([1] * (arms + 1), df=df) == pytest.approx(published, abs=0.0051)


@pytest.mark.parametrize(("arms", "df", "published"), [(2, 5, 2.44), (9, 5, 3.30), (3, 20, 2.19), (2, np.inf, 1.92)])
def test_published_one_sided(arms: int, df: float, published: float) -> None:
    assert critical_value([1] * (arms + 1), df=df, sides=1) == pytest.approx(published, abs=0.0051)


def test_adjusted_p_agrees_with_scipy_for_unequal_arms() -> None:
    chance = np.random.default_rng(3)
    control, arms = chance.normal(0, 1, 14), [chance.normal(shift, 1, n) for shift, n in ((0.9, 8), (0.2, 6), (1.3, 5))]
    other = scipy.stats.dunnett(*arms, control=control, rng=np.random.default_rng(1))
    sizes = [14, 8, 6, 5]
    found = adjusted_p(list(other.statistic), sizes, df=sum(sizes) - 4)
    assert found == pytest.approx(other.pvalue, abs=1e-3)  # scipy's integration is random
    greater = scipy.stats.dunnett(*arms, control=control, alternative="greater", rng=np.random.default_rng(1))
    assert adjusted_p(list(greater.statistic), sizes, df=29, sides=1) == pytest.approx(greater.pvalue, abs=1e-3)


def test_the_critical_value_is_where_p_is_alpha() -> None:
    sizes = [10, 7, 7, 3]
    bound = critical_value(sizes, df=8, alpha=0.03)
    assert adjusted_p([bound, -bound], sizes, df=8) == pytest.approx([0.03, 0.03], abs=1e-7)


def test_quadrature_over_the_scale_is_a_chi() -> None:
    for df in (1.0, 3.5, 40.0, 900.0):
        points, mass = scale_quadrature(df)
        assert mass.sum() == pytest.approx(1, abs=1e-6)
        assert mass @ points**2 == pytest.approx(1, abs=1e-6)
        below = scale_quadrature(df, 0.8)[1].sum()
        assert below == pytest.approx(scipy.stats.chi2.cdf(0.64 * df, df), abs=1e-6)
    assert scale_quadrature(np.inf)[1].sum() == 1
    assert scale_quadrature(np.inf, 0.9)[1].sum() == 0


def test_wrong_arguments() -> None:
    with pytest.raises(ParameterError, match="контрольная"):
        critical_value([1], df=5)
    with pytest.raises(ParameterError, match="степеней свободы"):
        critical_value([1, 1], df=0)
