"""4,000 A/A runs of 12 unequal centres: exact randomisation inference beside cluster-experiments.

60 to 600 persons a centre, ICC 0.05, an outcome of 0 or 1, six centres against six, no effect. Twice: over fresh data
each run, and over one past data set that is assigned anew (cluster-experiments' own simulation). Of cluster-experiments
fewer runs are measured and the seconds scaled; making its person-level frames is not counted.
"""

from __future__ import annotations

import importlib.util
import time
from typing import Any

import numpy as np
import pandas as pd

from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import aa_test
from tests.bench.measure import Timing, table

RUNS = 4_000
RIVAL_RUNS = 400
ICC, SHARE = 0.05, 0.3
SIZES = np.geomspace(60, 600, 12).round().astype(int)
ARMS = np.repeat([0, 1], 6)


def drawn(seed: int, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Cases by run and centre (beta-binomial), and the arm of each centre."""
    chance = np.random.default_rng(seed)
    prior = 1 / ICC - 1
    share = chance.beta(SHARE * prior, (1 - SHARE) * prior, size=(runs, SIZES.size))
    return chance.binomial(SIZES, share), chance.permuted(np.tile(ARMS, (runs, 1)), axis=1)


def persons(cases: np.ndarray) -> pd.DataFrame:
    """One row a person."""
    centre = np.repeat(np.arange(SIZES.size), SIZES)
    place = np.concatenate([np.arange(size) for size in SIZES])
    return pd.DataFrame({"centre": centre.astype(str), "target": (place < cases[centre]).astype(float)})


def _kit_fresh() -> tuple[float, float]:
    cases, arms = drawn(1, RUNS)
    start = time.perf_counter()
    p = [
        randomisation.difference(total, SIZES, Allowed(codes)).p_value()
        for total, codes in zip(cases.astype(float), arms, strict=True)
    ]
    return time.perf_counter() - start, float((np.array(p) <= 0.05 + 1e-9).mean())


def _kit_past() -> tuple[float, float]:
    cases, arms = drawn(2, 1)
    start = time.perf_counter()
    found = aa_test.placebo(cases[0].astype(float), SIZES.astype(float), Allowed(arms[0]), runs=RUNS)
    return time.perf_counter() - start, found.statistic / 100


def _rival_fresh() -> tuple[float, float]:
    from cluster_experiments import ClusteredOLSAnalysis

    cases, arms = drawn(1, RIVAL_RUNS)
    analysis = ClusteredOLSAnalysis(cluster_cols=["centre"])
    seconds, hits = 0.0, 0
    for total, codes in zip(cases, arms, strict=True):
        frame = persons(total)
        frame["treatment"] = np.where(codes[frame["centre"].astype(int)] == 1, "B", "A")
        start = time.perf_counter()
        hits += analysis.get_pvalue(frame) < 0.05
        seconds += time.perf_counter() - start
    return seconds * RUNS / RIVAL_RUNS, hits / RIVAL_RUNS


def _rival_past() -> tuple[float, float]:
    from cluster_experiments import BalancedClusteredSplitter, ClusteredOLSAnalysis, ConstantPerturbator, PowerAnalysis

    frame = persons(drawn(2, 1)[0][0])
    power: Any = PowerAnalysis(
        perturbator=ConstantPerturbator(average_effect=0),
        splitter=BalancedClusteredSplitter(cluster_cols=["centre"]),
        analysis=ClusteredOLSAnalysis(cluster_cols=["centre"]),
        n_simulations=RIVAL_RUNS,
        seed=3,
    )
    start = time.perf_counter()
    rate = float(power.power_analysis(frame))
    return (time.perf_counter() - start) * RUNS / RIVAL_RUNS, rate


def run() -> str:
    """Seconds of 4,000 runs and the share of false positives at nominal 5 %."""
    present = importlib.util.find_spec("cluster_experiments") is not None
    kit, rival = "kcrr_analysis, exact randomisation inference", "cluster-experiments, clustered OLS"
    lines = []
    for title, ours, theirs in (
        ("fresh data each run", _kit_fresh, _rival_fresh),
        ("one past data set assigned anew", _kit_past, _rival_past),
    ):
        ways = [(kit, ours, "")] + ([(rival, theirs, f", {RIVAL_RUNS} runs scaled")] if present else [])
        timings = []
        for name, call, how in ways:
            seconds, rate = call()
            timings.append(Timing(name, seconds, f"false positives {100 * rate:.1f} % of nominal 5 %{how}"))
        lines.append(table(f"{RUNS:,} A/A runs of 12 centres, {title}", timings))
    if not present:
        lines.append("skipped: cluster-experiments not installed\n")
    return "\n".join(lines)


if __name__ == "__main__":
    print(run())  # noqa: T201
