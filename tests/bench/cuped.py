"""A million persons, five outcomes, a covariate each: the CUPED readout beside tea-tasting on pandas and on polars.

Each run is a process of its own: it makes the same data, warms up on a thousand rows (imports are not measured) and
times one analysis from the frame to effects with intervals and p-values.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd

from tests.bench.measure import Timing, table

PERSONS = 1_000_000
OUTCOMES = 5
RUNS = 5
WARM = 1_000
TITLE = "CUPED readout: 1,000,000 persons, 5 outcomes, a covariate each"
WAYS = {
    "kit": "kcrr_analysis",
    "polars": "tea-tasting on polars",
    "pandas": "tea-tasting on pandas",
}


def people() -> pd.DataFrame:
    """Persons in two arms: counts and skewed sums that go with their past."""
    chance = np.random.default_rng(20_251_124)
    columns: dict[str, Any] = {"variant": chance.integers(0, 2, PERSONS)}
    for number in range(OUTCOMES):
        before = chance.gamma(2, 1, PERSONS)
        columns[f"before_{number}"] = before
        columns[f"after_{number}"] = 0.6 * before + chance.gamma(2, 1, PERSONS) + 0.01 * columns["variant"]
    return pd.DataFrame(columns)


def analyses(way: str) -> Any:
    """A function from a frame to (effect, lower limit, upper limit, p-value) of each outcome."""
    pairs = {f"after_{number}": f"before_{number}" for number in range(OUTCOMES)}
    if way == "kit":
        from kcrr_analysis.experiments.asymptotic import person_level

        def kit(frame: Any) -> list[tuple[float, ...]]:
            covariates = {outcome: [before] for outcome, before in pairs.items()}
            found = person_level.readout(frame, "variant", list(pairs), control=0, covariates=covariates)
            estimates = [one.estimate for one in found.effects]
            return [(one.estimate, one.low, one.high, one.p) for one in estimates]

        return kit
    import tea_tasting as tt

    experiment = tt.Experiment({outcome: tt.Mean(outcome, before) for outcome, before in pairs.items()})

    def rival(frame: Any) -> list[tuple[float, ...]]:
        found = experiment.analyze(frame)
        results = [found[outcome] for outcome in pairs]
        return [(one.effect_size, one.effect_size_ci_lower, one.effect_size_ci_upper, one.pvalue) for one in results]

    return rival


def once(way: str) -> None:
    """One measured analysis; prints seconds and figures as JSON."""
    frame: Any = people()
    if way == "polars":
        import polars

        frame = polars.DataFrame({name: frame[name].to_numpy() for name in frame})
    analyse = analyses(way)
    analyse(frame[:WARM])
    start = time.perf_counter()
    figures = analyse(frame)
    print(json.dumps({"seconds": time.perf_counter() - start, "figures": figures}))  # noqa: T201


def run() -> str:
    """Medians of five fresh runs each, taken in turn; the figures must agree."""
    missing = [name for name in ("tea_tasting", "polars") if importlib.util.find_spec(name) is None]
    ways = ["kit"] if missing else list(WAYS)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    figures: dict[str, Any] = {}
    for _ in range(RUNS):
        for way in ways:
            command = [sys.executable, "-m", "tests.bench.cuped", way]
            done = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
            seconds[way].append(done["seconds"])
            figures[way] = done["figures"]
    for way in ways[1:]:
        # the kit's errors pay for the estimation of theta, a difference in the sixth digit
        np.testing.assert_allclose(figures[way], figures["kit"], rtol=1e-4, atol=1e-7)
    note = "effects, limits and p-values agree to four digits" if len(ways) > 1 else ""
    timings = [
        Timing(WAYS[way], statistics.median(seconds[way]), f"{min(seconds[way]):.3f} to {max(seconds[way]):.3f} s")
        for way in ways
    ]
    lines = [table(TITLE, timings) + note]
    if missing:
        lines.append(f"skipped: {', '.join(missing)} not installed")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    once(sys.argv[1]) if len(sys.argv) > 1 else print(run())  # noqa: T201
