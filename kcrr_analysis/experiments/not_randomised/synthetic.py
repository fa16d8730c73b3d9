"""Synthetic control (Abadie, Diamond & Hainmueller 2010): the treated unit against a weighted mean of untreated ones.

Weights of the donors are not negative and sum to one, and make the weighted mean follow the treated unit before the
start as closely as they can: on every period's outcome, or on given predictors. The gap after the start is the
estimate. How far it stands out is told by placebo runs in which each donor plays the treated unit: the ratio of the gap
after the start to the gap before (roots of mean squares) is ranked among theirs, p = rank / (donors + 1).

With several treated units their mean is followed, and sets of as many donors play it.

Sources:
    Abadie A., Diamond A., Hainmueller J. (2010), JASA 105:493.
    Firpo S., Possebom V. (2018), J. Causal Inference 6(2): limits by inversion of the placebo ranks.
    Lawson C., Hanson R. (1974), Solving Least Squares Problems, ch. 23: least distance by non-negative least squares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.not_randomised.panel import Panel, Scale
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

PLACEBOS = 500
"""Sets of donors that play the treated units, at most."""

_DONOR = 1e-3
"""Weights below this are shown as none, and leaving their donor out changes nothing to speak of."""

_TIE = 1e-9


@dataclass(frozen=True)
class SyntheticControl:
    """A treated unit and its synthetic twin.

    Attributes:
        effect: Mean gap (treated less synthetic) after the start, on the panel's scale.
        low: Lower limit of a constant effect by inversion of the placebo ranks; minus infinity where no effect can be
            refused.
        high: Upper limit.
        level: Confidence level.
        p_value: Rank of the ratio of gaps, over the number of runs.
        rank: Place of the treated unit by that ratio, 1 the largest.
        runs: Placebo runs and the real one.
        exact: Whether all sets of donors played; False for a sample (several treated units).
        ratio: Root mean square gap after the start over that before.
        error_before: Root mean square gap before the start.
        spread_before: Standard deviation of the treated unit before the start: what the error is compared with.
        course: One row a period: period, treated, synthetic, gap, after.
        weights: One row a donor with a weight to speak of, the largest first: unit, weight.
        placebos: One row a run, the largest ratio first: units, ratio, error_before, effect, treated (the real one).
        left_out_donors: One row a donor of `weights`: unit, effect and error_before without it.
        unique: Whether the weights are determined: more periods (predictors) than donors in use.
        treated: Names of the treated units.
        donors: Number of donors.
        start: Label of the first treated period.
        before: Periods before the start.
        after: Periods from the start on.
        scale: Scale of the panel.
    """

    effect: float
    low: float
    high: float
    level: float
    p_value: float
    rank: int
    runs: int
    exact: bool
    ratio: float
    error_before: float
    spread_before: float
    course: pd.DataFrame
    weights: pd.DataFrame
    placebos: pd.DataFrame
    left_out_donors: pd.DataFrame
    unique: bool
    treated: tuple[str, ...]
    donors: int
    start: Any
    before: int
    after: int
    scale: Scale

    @property
    def smallest_p(self) -> float:
        """No p-value can be smaller with this many runs."""
        return 1 / self.runs

    def to_frame(self) -> pd.DataFrame:
        """One row a period: treated, synthetic, gap, with the summary of the whole."""
        names = ("effect", "low", "high", "level", "p_value", "rank", "runs", "ratio", "error_before", "scale")
        return self.course.assign(**{name: getattr(self, name) for name in names})


def synthetic_control(
    panel: Panel,
    *,
    predictors: pd.DataFrame | None = None,
    importance: dict[str, float] | None = None,
    alpha: float = 0.05,
    placebos: int = PLACEBOS,
    seed: int = 0,
) -> SyntheticControl:
    """The effect on treated units with one start, against a weighted mean of the others.

    Args:
        panel: Units by period; one start.
        predictors: One row a unit (index: names), one column a predictor, known before the start: matched instead of
            every period's outcome. Columns are divided by their standard deviation over units.
        importance: Weight of each predictor; all alike by default.
        alpha: Level of the test.
        placebos: Sets of donors that play the treated units where there are more.
        seed: Of the sample of sets.

    Raises:
        NotComputableError: Fewer than two donors, or fewer than two periods before the start.
        ParameterError: Predictors that lack a unit or a value, unknown importance, different starts.
    """
    level = checked_level(1 - alpha)
    start, treated = panel.start, panel.treated
    donors = np.flatnonzero(~treated)
    if donors.size < 2 or start < 2:
        raise NotComputableError(
            "Для синтетического контроля нужны хотя бы два центра без нового формата и два периода до начала; здесь "
            f"их {donors.size} и {start}. Добавьте данные."
        )
    features = panel.values[:, :start] if predictors is None else _features(panel, predictors, importance)
    own = _Run.of(panel.values, features, np.flatnonzero(treated), donors, start)
    sets = list(_sets(donors, int(treated.sum()), placebos, seed))
    played = [_Run.of(panel.values, features, one, np.setdiff1d(donors, one), start) for one in sets]
    ratios = np.array([own.ratio, *(run.ratio for run in played)])
    low, high = _limits(own, ratios[1:], alpha)
    used = own.weights > _DONOR
    names = np.array(panel.units)
    order = np.argsort(-own.weights[used], kind="stable")
    without = [_Run.of(panel.values, features, own.units, donors[donors != one], start) for one in donors[used][order]]
    twin = own.weights @ panel.values[donors]
    actual = panel.values[treated].mean(axis=0)
    runs = pd.DataFrame(
        [
            {
                "units": tuple(names[run.units]),
                "ratio": run.ratio,
                "error_before": run.error_before,
                "effect": run.effect,
                "treated": run is own,
            }
            for run in (own, *played)
        ]
    )
    return SyntheticControl(
        effect=own.effect,
        low=low,
        high=high,
        level=level,
        p_value=float((ratios >= own.ratio * (1 - _TIE)).mean()),
        rank=int((ratios > own.ratio * (1 + _TIE)).sum()) + 1,
        runs=ratios.size,
        exact=math.comb(donors.size, int(treated.sum())) == len(sets),
        ratio=own.ratio,
        error_before=own.error_before,
        spread_before=float(actual[:start].std()),
        course=pd.DataFrame(
            {
                "period": list(panel.periods),
                "treated": actual,
                "synthetic": twin,
                "gap": actual - twin,
                "after": np.arange(actual.size) >= start,
            }
        ),
        weights=pd.DataFrame({"unit": names[donors][used][order], "weight": own.weights[used][order]}),
        placebos=runs.sort_values("ratio", ascending=False, kind="stable", ignore_index=True),
        left_out_donors=pd.DataFrame(
            {
                "unit": names[donors][used][order],
                "effect": [run.effect for run in without],
                "error_before": [run.error_before for run in without],
            }
        ),
        unique=features.shape[1] > int(used.sum()),
        treated=panel.named(treated),
        donors=int(donors.size),
        start=panel.periods[start],
        before=start,
        after=actual.size - start,
        scale=panel.scale,
    )


def simplex_weights(target: FloatArray, donors: FloatArray) -> FloatArray:
    """Non-negative weights with sum one whose mean of donors is nearest to the target.

    The nearest point of a convex hull to a point is the least distance problem, which one non-negative least squares
    problem solves exactly (Lawson & Hanson 1974).

    Args:
        target: Shape (features,).
        donors: Shape (donors, features).
    """
    apart = (donors - target).T
    size = float(np.abs(apart).max(initial=0.0))
    if size == 0:
        return np.full(len(donors), 1 / len(donors))
    stacked = np.vstack([apart / size, np.ones(len(donors))])
    aim = np.zeros(len(stacked))
    aim[-1] = 1.0
    found, _ = scipy.optimize.nnls(stacked, aim)
    return np.asarray(found / found.sum())


@dataclass(frozen=True, eq=False)
class _Run:
    """One fit: which units were followed by which weights of the donors, and the gaps."""

    units: NDArray[np.intp]
    weights: FloatArray
    before: FloatArray
    after: FloatArray

    @classmethod
    def of(
        cls, values: FloatArray, features: FloatArray, units: NDArray[np.intp], donors: NDArray[np.intp], start: int
    ) -> _Run:
        weights = simplex_weights(features[units].mean(axis=0), features[donors])
        gap = values[units].mean(axis=0) - weights @ values[donors]
        return cls(units, weights, gap[:start], gap[start:])

    @property
    def effect(self) -> float:
        return float(self.after.mean())

    @property
    def error_before(self) -> float:
        return float(np.sqrt((self.before**2).mean()))

    @property
    def ratio(self) -> float:
        after = float(np.sqrt((self.after**2).mean()))
        if self.error_before > 0:
            return after / self.error_before
        return math.inf if after > 0 else 0.0


def _sets(donors: NDArray[np.intp], size: int, most: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Sets of donors that play the treated units, leaving at least one donor."""
    if donors.size - size < 1:
        return
    if math.comb(donors.size, size) <= most:
        yield from (np.array(one) for one in combinations(donors.tolist(), size))
        return
    chance = np.random.default_rng(seed)
    seen: set[tuple[int, ...]] = set()
    while len(seen) < most:
        one = tuple(sorted(chance.choice(donors, size, replace=False).tolist()))
        if one not in seen:
            seen.add(one)
            yield np.array(one)


def _limits(own: _Run, others: FloatArray, alpha: float) -> tuple[float, float]:
    """Constant effects that the ranks do not refuse: the mean squared gap less the effect stays below a placebo's.

    Placebo runs do not use the treated units, so their ratios do not depend on the effect.
    """
    runs = others.size + 1
    needed = math.floor(alpha * runs + _TIE)  # so many runs at least as extreme, the real one included, still refuse
    if needed < 1:
        return -math.inf, math.inf
    limit = np.sort(others)[::-1][needed - 1] * own.error_before
    spread = float(own.after.var())
    room = limit**2 - spread
    if room < 0:  # even the best constant effect leaves a course that stands out
        return math.nan, math.nan
    return own.effect - math.sqrt(room), own.effect + math.sqrt(room)


def _features(panel: Panel, predictors: pd.DataFrame, importance: dict[str, float] | None) -> FloatArray:
    table = predictors.set_axis(predictors.index.astype(str))
    absent = [name for name in panel.units if name not in table.index]
    if absent:
        raise ParameterError(f"В предикторах нет центров: {', '.join(absent[:5])}. Добавьте их строки.")
    taken = checked(table.loc[list(panel.units)].to_numpy(dtype=float), "предикторы", low=-np.inf)
    if np.isnan(taken).any():
        raise ParameterError("В предикторах есть пропуски. Заполните их или уберите столбец.")
    unknown = set(importance or {}) - set(table.columns)
    if unknown:
        raise ParameterError(f"Важность указана для неизвестных предикторов: {', '.join(sorted(unknown))}.")
    weight = importance or dict.fromkeys(table.columns, 1.0)
    given = np.array([weight.get(name, 0.0) for name in table.columns])
    spread = taken.std(axis=0)
    return np.asarray(taken / np.where(spread > 0, spread, 1.0) * np.sqrt(checked(given, "важность предикторов")))
