"""What the simulations of pilots report, with its bounds, and the usual methods that stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm, t

from kcrr_analysis.experiments.asymptotic.cluster_robust import cluster_means, cr2
from tests.bench.pilot_worlds import Centres, Floats

ALPHA = 0.05
EDGE = 1e-9


@dataclass(frozen=True)
class Row:
    """A line of the report.

    Attributes:
        part: `false`: false positives, `never`: an effect where the design can declare nothing, `covered`: coverage,
            `usual`: methods that are not the kit's (no bound).
        name: What was simulated.
        share: Share of runs.
        attainable: Largest size not above 5 % that the number of assignments permits; None where it is near 5 %.
    """

    part: Literal["false", "never", "covered", "usual", "found"]
    name: str
    share: float
    attainable: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is outside the bounds."""
        if self.part == "false":
            return self.share > 0.06 or (self.attainable is None and self.share < 0.04)
        if self.part == "covered":
            return self.share < 0.94 or (self.attainable is None and self.share > 0.97)
        return self.part == "never" and self.share > 0

    def line(self) -> str:
        """A line of the report."""
        note = "" if self.attainable is None else f"  attainable size {100 * self.attainable:.1f} %"
        return f"  {self.name:<72} {100 * self.share:5.1f} %{note}{'  OUTSIDE THE BOUNDS' if self.missed else ''}"


def attainable(assignments: int) -> float:
    """Largest two-sided size up to 5 % where each assignment is as extreme as its mirror."""
    return 2 * int(ALPHA * assignments / 2 + EDGE) / assignments


def refused(p: Sequence[float] | Floats) -> float:
    """Share of p-values that are significant."""
    return float((np.asarray(p) <= ALPHA + EDGE).mean())


def kept(p: Sequence[float] | Floats) -> float:
    """Share of p-values of the truth that do not refuse it."""
    return 1 - refused(p)


def usual(made: Centres, per_person: Floats, per_centre: Floats) -> dict[str, float]:
    """Share of runs whose 95 % interval holds the truth, by what others do."""
    size, total = made.size, made.total
    arms = [(made.arm == code).astype(float) for code in (1, 0)]
    persons = [(arm * size).sum(axis=1) for arm in arms]
    mean = [(arm * total).sum(axis=1) / number for arm, number in zip(arms, persons, strict=True)]
    gap, units = mean[0] - mean[1], size.shape[1]
    by_person = sum(m * (1 - m) / (number - 1) for m, number in zip(mean, persons, strict=True))
    scores = [
        ((arm * (total - size * m[:, None])) ** 2).sum(axis=1) / number**2
        for arm, m, number in zip(arms, mean, persons, strict=True)
    ]
    everyone = sum(persons)
    robust = sum(scores) * units / (units - 1) * (everyone - 1) / (everyone - 2)
    far, z = np.abs(gap - per_person), norm.ppf(1 - ALPHA / 2)
    held = {
        "Welch's test of persons": (far <= z * np.sqrt(by_person)).mean(),
        "cluster-robust CR1, normal quantiles": (far <= z * np.sqrt(robust)).mean(),
        "cluster-robust CR1, t(G-1)": (far <= t.ppf(1 - ALPHA / 2, units - 1) * np.sqrt(robust)).mean(),
    }
    ours = {
        "CR2, Satterthwaite (average per person)": (cr2, per_person),
        "Welch's test of centre means (per centre)": (cluster_means, per_centre),
    }
    for name, (method, truth) in ours.items():
        found = [method(total[run], size[run], arm).estimate for run, arm in enumerate(made.arm)]
        held[name] = np.mean([one.low <= true <= one.high for one, true in zip(found, truth, strict=True)])
    return {name: float(share) for name, share in held.items()}


TITLES = {
    "false": "declared without an effect (nominal 5 %)",
    "never": "declared with a huge effect, where nothing can be",
    "covered": "the truth is covered (nominal 95 %)",
    "found": "found with an effect",
    "usual": "beside them, on the runs with 12 centres",
}


def report(rows: Sequence[Row], runs: int) -> str:
    """The rows under their titles."""
    title = f"Pilots that were randomised: {runs} runs"
    lines = [title, "-" * len(title)]
    for part, text in TITLES.items():
        lines += [text, *(row.line() for row in rows if row.part == part)]
    return "\n".join(lines) + "\n"
