"""The bootstrap against theory, scipy itself and the limits of memory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from kcrr_analysis import stats
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats import resampling

VALUES = np.random.default_rng(5).gamma(3, 1, 60)


def ratio_of_sums(sample: np.ndarray, axis: int) -> np.ndarray:
    return sample[..., 0].sum(axis) / sample[..., 1].sum(axis)


def test_the_mean_has_nearly_students_limits() -> None:
    found = stats.bootstrap(VALUES, np.mean, seed=1, method="percentile", resamples=8000)
    se = VALUES.std() / np.sqrt(60)
    assert found.estimate == pytest.approx(VALUES.mean())
    assert found.se == pytest.approx(se, rel=0.05)
    assert (found.low, found.high) == pytest.approx(
        (VALUES.mean() - 1.96 * se, VALUES.mean() + 1.96 * se), abs=0.25 * se
    )
    assert found.n == 60


@pytest.mark.parametrize(("method", "name"), [("bca", "BCa"), ("percentile", "percentile")])
def test_as_scipy_with_the_same_seed(method: str, name: str) -> None:
    found = stats.bootstrap(VALUES, np.median, seed=3, method=method, resamples=500)
    expected = scipy_stats.bootstrap(
        (VALUES,), np.median, n_resamples=500, method=name, rng=np.random.default_rng(3), batch=500
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_clusters_are_reduced_to_their_totals() -> None:
    rng = np.random.default_rng(6)
    rows = np.column_stack([rng.poisson(5, 200), rng.poisson(20, 200)]).astype(float)
    cluster = rng.integers(0, 25, 200)
    totals = np.array([rows[cluster == label].sum(0) for label in range(25)])
    by_rows = stats.bootstrap(rows, ratio_of_sums, cluster=cluster, seed=2)
    assert by_rows == stats.bootstrap(totals, ratio_of_sums, seed=2)
    assert by_rows.n == 25
    linear = stats.ratio(rows[:, 0], rows[:, 1], cluster=cluster)
    assert (by_rows.low, by_rows.high) == pytest.approx((linear.low, linear.high), rel=0.03)


def test_equal_seeds_give_equal_limits_whatever_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stats.bootstrap(VALUES, np.mean, seed=1)
    assert found == stats.bootstrap(VALUES, np.mean, seed=1)
    assert found.low != stats.bootstrap(VALUES, np.mean, seed=2).low
    largest = 0

    def watched(sample: np.ndarray, axis: int) -> np.ndarray:
        nonlocal largest
        largest = max(largest, sample.size)
        return sample.mean(axis)

    monkeypatch.setattr(resampling, "CELLS", 600)
    assert stats.bootstrap(VALUES, watched, seed=1).low == pytest.approx(found.low)
    assert largest == 600


def test_too_little_to_resample_has_no_limits() -> None:
    for values in ([], [4.0], [4.0, 4.0, 4.0]):
        found = stats.bootstrap(values, np.mean, seed=1)
        assert np.isnan([found.low, found.high, found.se]).all()
        assert found.n == len(values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [1, np.nan]}, "без пропусков"),
        ({"values": np.ones((2, 2, 2))}, "без пропусков"),
        ({"method": "basic"}, "неизвестен"),
        ({"resamples": 10}, "повторов"),
        ({"cluster": [1, 2]}, "меток кластеров"),
    ],
)
def test_faulty_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        stats.bootstrap(**({"values": VALUES, "statistic": np.mean, "seed": 1} | arguments))
