"""Pilots that were not randomised: false positives and coverage over simulated panels of centres by month.

Every data set is a region of 40 centres over 32 months with autocorrelated noise, the format beginning in the 25th
month in two centres. Nothing is added (false positives) or a known effect is (coverage). Centres differ in noise by 3.2
times, as those of 60 and of 600 clients do; beside the kit's figure stands what the plain contrast, which takes centres
for alike, does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kcrr_analysis.experiments.not_randomised.did import difference_in_differences
from kcrr_analysis.experiments.not_randomised.panel import Panel

Floats = npt.NDArray[np.float64]

UNITS, BEFORE, AFTER = 40, 24, 8
CLIENTS = np.geomspace(60, 600, UNITS)
ALPHA = 0.05


@dataclass(frozen=True)
class Found:
    """How often an effect was declared."""

    name: str
    runs: int
    share: float

    def line(self) -> str:
        """A line of the report."""
        return f"  {self.name:<80} {100 * self.share:5.1f} %"


def noise(
    chance: np.random.Generator, units: int, periods: int, autocorrelation: float, scale: Floats | float = 1.0
) -> Floats:
    """Stationary AR(1) series, shape (units, periods), with standard deviation `scale`."""
    shocks = chance.standard_normal((units, periods))
    series = np.empty_like(shocks)
    series[:, 0] = shocks[:, 0]
    for at in range(1, periods):
        series[:, at] = autocorrelation * series[:, at - 1] + np.sqrt(1 - autocorrelation**2) * shocks[:, at]
    return series * np.broadcast_to(scale, (units,))[:, None]


def made(values: Floats, chosen: list[int], start: int) -> Panel:
    """A panel with these units treated."""
    units, periods = values.shape
    first = np.full(units, periods)
    first[chosen] = start
    return Panel(tuple(f"{n:02d}" for n in range(units)), tuple(range(periods)), values, values, first, "level")


def false_positives(
    runs: int, *, autocorrelation: float, treated: str, seed: int, own: bool = True, alike: bool = False
) -> Found:
    """Share of runs without an effect in which one is declared.

    Args:
        runs: Data sets.
        autocorrelation: Of the noise, a month apart.
        treated: any (drawn anew each run), noisiest, quietest.
        seed: Of the noise.
        own: Whether contrasts are made comparable by each centre's own noise.
        alike: Whether all centres are equally noisy.
    """
    chance = np.random.default_rng(seed)
    scale = np.ones(UNITS) if alike else np.sqrt(200 / CLIENTS)
    declared = 0
    for _ in range(runs):
        values = noise(chance, UNITS, BEFORE + AFTER, autocorrelation, scale)
        drawn = chance.choice(UNITS, 2, replace=False).tolist()
        chosen = {"any": drawn, "noisiest": [0, 1], "quietest": [UNITS - 2, UNITS - 1]}[treated]
        declared += difference_in_differences(made(values, chosen, BEFORE), alpha=ALPHA, own_noise=own).significant
    who = {"any": "any two", "noisiest": "the two smallest", "quietest": "the two largest"}[treated]
    sizes = "equal noise" if alike else "noise 1 : 3.2"
    how = "own noise" if own else "plain contrast"
    return Found(f"{who} of {UNITS}, {sizes}, autocorrelation {autocorrelation}, {how}", runs, declared / runs)


def false_positives_in_counts(runs: int, *, units: int, largest: bool, seed: int) -> Found:
    """The same with counts: Poisson about a common season and growth, and a lasting component of 8 %.

    Small centres are noisy from month to month, large ones mostly wander: their noise differs in kind, not just scale.
    """
    chance = np.random.default_rng(seed)
    months = np.arange(BEFORE + AFTER)
    declared = 0
    for _ in range(runs):
        wander = np.exp(noise(chance, units, months.size, 0.5, 0.08))
        course = (1 + 0.01 * months) * (1 + 0.2 * np.sin(months / 2))
        counts = chance.poisson(np.geomspace(30, 600, units)[:, None] * course * wander)
        values = 100 * counts / counts[:, :BEFORE].mean(axis=1, keepdims=True)
        chosen = [units - 2, units - 1] if largest else chance.choice(units, 2, replace=False).tolist()
        declared += difference_in_differences(made(values, chosen, BEFORE), alpha=ALPHA).significant
    who = "the two largest" if largest else "any two"
    return Found(f"{who} of {units}, counts of 30 to 600 a month in percent of the past", runs, declared / runs)


def one_of_twelve(runs: int, seed: int) -> Found:
    """Share of runs with a huge effect in one of twelve centres in which it is declared: none can be."""
    chance = np.random.default_rng(seed)
    declared = 0
    for _ in range(runs):
        values = noise(chance, 12, BEFORE + AFTER, 0.5)
        values[0, BEFORE:] += 50
        declared += difference_in_differences(made(values, [0], BEFORE), alpha=ALPHA).significant
    return Found("one of 12, effect of 50 standard deviations", runs, declared / runs)


def coverage(runs: int, seed: int, effect: float = 2.0) -> float:
    """Share of runs whose interval holds the effect; any two of 40 centres, noise 1 : 3.2, autocorrelation 0.5."""
    chance = np.random.default_rng(seed)
    held = 0
    for _ in range(runs):
        values = noise(chance, UNITS, BEFORE + AFTER, 0.5, np.sqrt(200 / CLIENTS))
        chosen = chance.choice(UNITS, 2, replace=False).tolist()
        values[chosen, BEFORE:] += effect
        found = difference_in_differences(made(values, chosen, BEFORE), alpha=ALPHA)
        held += found.low <= effect <= found.high
    return held / runs


def run(runs: int = 4_000) -> str:
    """False positives in several worlds, the design that can declare nothing, coverage."""
    title = f"Pilots that were not randomised: {runs} runs, nominal {100 * ALPHA:g} %"
    lines = [title, "-" * len(title), "declared without an effect"]
    found = [
        false_positives(runs, autocorrelation=0.5, treated="any", seed=41, alike=True),
        false_positives(runs, autocorrelation=0.8, treated="any", seed=42, alike=True),
        false_positives(runs, autocorrelation=0.5, treated="any", seed=43),
        *(
            false_positives(runs, autocorrelation=0.5, treated=who, seed=43, own=own)
            for who in ("noisiest", "quietest")
            for own in (True, False)
        ),
    ]
    found += [
        false_positives_in_counts(runs, units=units, largest=largest, seed=46)
        for units in (12, 40)
        for largest in (False, True)
    ]
    lines += [one.line() for one in found]
    lines += ["declared with an effect, where nothing can be", one_of_twelve(runs, 44).line()]
    held = Found("any two of 40, noise 1 : 3.2, autocorrelation 0.5", runs, coverage(runs, 45))
    lines += ["interval holds the effect (nominal 95 %)", held.line()]
    return "\n".join(lines) + "\n"
