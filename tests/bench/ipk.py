"""Coverage of the index's intervals and of the simultaneous rank intervals over simulated regions.

Every data set is one region: 12 centres whose events come as a Poisson stream, formats mixed as in the demo data, every
expected sum known. What is measured: how often a centre's interval holds its expected sum, how often ALL true ranks lie
in their intervals at once, how wide both are; beside them what is usually done instead. A draw in which a centre has
fewer than five events gives it no interval and does not count for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from kcrr_analysis import ipk
from kcrr_analysis.demo.truth import EVENT_TOOLS

Floats = npt.NDArray[np.float64]

EXPECTED = tuple(np.geomspace(8, 60, 12))
"""Expected events of the 12 centres."""

STARS = np.array([0.03, 0.05, 0.13, 0.34, 0.45])
LEVEL = 0.95


@dataclass(frozen=True)
class World:
    """Expected events by centre, and the true expected index of one event."""

    expected: Floats
    per_event: float

    @property
    def truth(self) -> Floats:
        """Expected sum of each centre."""
        return self.expected * self.per_event


@dataclass(frozen=True)
class Result:
    """What was measured in one world."""

    name: str
    sets: int
    coverage: float
    coverage_smallest: float
    coverage_normal: float
    width: float
    width_normal: float
    joint: float
    joint_marginal: float
    span: float
    span_marginal: float
    pairs_apart: float

    def lines(self) -> list[str]:
        """Lines of the report."""
        return [
            f"{self.name}, {self.sets} data sets",
            f"  interval holds the expected sum   gamma {100 * self.coverage:5.1f} %   "
            f"normal {100 * self.coverage_normal:5.1f} %   (nominal 95)",
            f"  the same for the smallest centre   gamma {100 * self.coverage_smallest:5.1f} %",
            f"  mean width / expected sum         gamma {self.width:5.2f}     normal {self.width_normal:5.2f}",
            f"  ALL 12 true ranks in their intervals   simultaneous {100 * self.joint:5.1f} %   "
            f"from marginal intervals {100 * self.joint_marginal:5.1f} %   (nominal 95)",
            f"  mean length of a rank interval    simultaneous {self.span:5.2f}     marginal {self.span_marginal:5.2f}"
            f"   pairs told apart {100 * self.pairs_apart:4.1f} %",
        ]


def world(expected: Sequence[float]) -> World:
    """A region with these expected events; the mean of an event is known from the model, not simulated."""
    share = np.array([tool.share for tool in EVENT_TOOLS])
    people = np.array([tool.participants for tool in EVENT_TOOLS]) * np.exp(0.42**2 / 2)
    weight = np.array([tool.default_weight for tool in EVENT_TOOLS])
    engagement = np.array([tool.engagement for tool in EVENT_TOOLS])
    reviews = np.array([tool.review_share for tool in EVENT_TOOLS])
    value = weight + people * engagement + people * reviews * (STARS @ np.arange(1, 6))
    return World(np.asarray(expected, dtype=float), float(share @ value / share.sum()))


def events(region: World, chance: np.random.Generator) -> pd.DataFrame:
    """One draw of a region's events."""
    count = chance.poisson(region.expected)
    centre = np.repeat(np.arange(len(count)), count)
    share = np.array([tool.share for tool in EVENT_TOOLS])
    tool = chance.choice(len(EVENT_TOOLS), size=len(centre), p=share / share.sum())

    def of(name: str) -> Floats:
        return np.array([getattr(item, name) for item in EVENT_TOOLS], dtype=float)[tool]

    participants = chance.poisson(of("participants") * np.exp(chance.normal(0, 0.42, len(tool))))
    # within the bounds of the coefficient and with the format's mean
    engagement = of("engagement") + chance.uniform(-1, 1, len(tool)) * np.minimum(
        0.25, np.minimum(of("engagement") - 0.5, 1.5 - of("engagement"))
    )
    reviews = chance.binomial(participants, of("review_share"))
    stars = chance.multinomial(reviews, STARS) @ np.arange(1, 6)
    return pd.DataFrame(
        {
            "center_id": [f"{number:02d}" for number in centre],
            "weight": of("default_weight"),
            "participants": participants,
            "engagement": engagement,
            "reviews": reviews,
            "mean_rating": np.where(reviews > 0, stars / np.maximum(reviews, 1), np.nan),
        }
    )


def measured(name: str, region: World, sets: int, seed: int) -> Result:
    """Coverage and width over `sets` draws."""
    chance = np.random.default_rng(seed)
    z = norm.ppf(0.5 + LEVEL / 2)
    inside, inside_normal, width, width_normal, joint, joint_marginal = ([] for _ in range(6))
    span, span_marginal, apart, smallest = [], [], [], []
    for _ in range(sets):
        found = ipk.score(events(region, chance), "center_id", level=LEVEL)
        rows = found.rows.set_index("center_id").reindex([f"{n:02d}" for n in range(len(region.expected))])
        rows = rows.assign(truth=region.truth).dropna(subset=["low"])
        truth, value, se = (rows[column].to_numpy(float) for column in ("truth", "ipk", "se"))
        low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
        inside += list((low <= truth) & (truth <= high))
        smallest += [held for held, one in zip(inside[-len(truth) :], truth, strict=True) if one == region.truth.min()]
        inside_normal += list(np.abs(value - truth) <= z * se)
        width += list((high - low) / truth)
        width_normal += list(2 * z * se / truth)
        best, worst = _true_ranks(truth)
        joint.append(_holds(rows["rank_low"].to_numpy(float), rows["rank_high"].to_numpy(float), best, worst))
        span += list(rows["rank_high"] - rows["rank_low"] + 1)
        above = low[:, None] > high[None, :]
        marginal = (1 + above.sum(0), len(truth) - above.sum(1))
        joint_marginal.append(_holds(*marginal, best, worst))
        span_marginal += list(marginal[1] - marginal[0] + 1)
        apart.append(found.pairs_apart / found.pairs)
    return Result(
        name=name,
        sets=sets,
        coverage=float(np.mean(inside)),
        coverage_smallest=float(np.mean(smallest)),
        coverage_normal=float(np.mean(inside_normal)),
        width=float(np.mean(width)),
        width_normal=float(np.mean(width_normal)),
        joint=float(np.mean(joint)),
        joint_marginal=float(np.mean(joint_marginal)),
        span=float(np.mean(span)),
        span_marginal=float(np.mean(span_marginal)),
        pairs_apart=float(np.mean(apart)),
    )


def _true_ranks(truth: Floats) -> tuple[Floats, Floats]:
    """Best and worst rank of each unit: equal units share a run of ranks."""
    return 1 + (truth[:, None] > truth[None, :]).sum(0), (truth[:, None] >= truth[None, :]).sum(0)


def _holds(low: Floats, high: Floats, best: Floats, worst: Floats) -> bool:
    """Every interval holds all true ranks of its unit; for equal units any order is true, so it must hold a run."""
    return bool(((low <= best) & (worst <= high)).all())


def worlds() -> tuple[tuple[str, World], ...]:
    """The two worlds of the bench."""
    return (
        ("12 centres, 8 to 60 expected events", world(EXPECTED)),
        ("12 equal centres, 20 expected events", world((20.0,) * 12)),
    )


def run(sets: int = 500) -> str:
    """Both worlds, `sets` data sets each."""
    title = "ИПК: coverage of intervals and ranks"
    lines = [title, "-" * len(title)]
    for number, (name, region) in enumerate(worlds()):
        lines += measured(name, region, sets, seed=20251030 + number).lines()
    return "\n".join(lines) + "\n"
