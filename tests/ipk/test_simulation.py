"""Coverage over simulated regions, in short: `python -m tests.bench ipk` runs the long form."""

from __future__ import annotations

from tests.bench import ipk as bench


def test_intervals_and_ranks_hold_what_they_promise() -> None:
    """40 sets of 12 centres: the standard error of the coverage is about 1.2 points, of the joint coverage 3.5."""
    for number, (name, region) in enumerate(bench.worlds()):
        found = bench.measured(name, region, sets=40, seed=100 + number)
        assert 0.92 <= found.coverage <= 0.999, name
        assert found.joint >= 0.85, name
        assert found.coverage_normal < found.coverage
        assert found.width > found.width_normal


def test_the_bench_s_true_sum_is_the_mean_of_its_draws() -> None:
    import numpy as np

    region, chance = bench.world((20.0,) * 12), np.random.default_rng(2)
    sums = []
    for _ in range(60):
        rows = bench.events(region, chance)
        value = (
            rows["weight"] + rows["participants"] * rows["engagement"] + rows["reviews"] * rows["mean_rating"].fillna(0)
        )
        sums.append(value.sum())
    error = np.std(sums, ddof=1) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - region.truth.sum()) < 4 * error
