"""A/A on the past: how often an analysis finds an effect where there was none.

The mechanism assigns anew over outcomes of a period before the pilot. On fixed outcomes the p-values of all
assignments come from one pass. Beside the planned analysis stands a person-level test: it shows why centres must be
the unit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import Allowed, Codes
from kcrr_analysis.experiments.validity.balance import per_unit
from kcrr_analysis.experiments.validity.checks import Check, Verdict
from kcrr_analysis.stats import clopper_pearson
from kcrr_analysis.stats.estimate import FloatArray

_TIE = 1e-9

PValues = Callable[[Codes], FloatArray]


def placebo(
    total: FloatArray,
    n: FloatArray,
    allowed: Allowed,
    *,
    runs: int = 4_000,
    alpha: float = 0.05,
    squares: FloatArray | None = None,
    analysis: PValues | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Check:
    """A/A on the past: how often the planned analysis would have found an effect where there was none.

    The assignment is drawn anew over outcomes of a period before the pilot. All methods see the same assignments.

    Args:
        total: Sum of the outcome in each centre before the pilot, shape (centres,).
        n: Persons of each centre then.
        allowed: The mechanism (two arms).
        runs: Assignments drawn where there are too many to try all.
        alpha: Level of the planned test.
        squares: Sum of squares of the outcome; by default the outcome is 0 or 1.
        analysis: The planned analysis: p-values of assignments of shape (runs, centres); by default randomisation
            inference.
        level: Confidence level of the Monte Carlo interval.
        seed: Of the draws.

    Returns:
        `statistic`: false-positive rate of the planned analysis, %, with its Monte Carlo interval in `low`, `high`
        (the rate itself twice where all assignments were tried); `estimate`: half-width of the middle `1 - alpha` of
        the differences that chance alone gave; `rows`: one row a method (planned, centre_means, person_test).

    Raises:
        ParameterError: Not two arms, or totals that cannot be.
    """
    total, n = per_unit(total, allowed, "итог по центру"), per_unit(n, allowed, "число людей")
    arms = np.unique(allowed.codes)
    if arms.size != 2 or (n <= 0).any():
        raise ParameterError("Проверка на прошлых данных идёт для двух групп и центров, в которых были люди.")
    if squares is None and ((total < 0).any() or (total > n).any()):
        raise ParameterError("Итог больше числа людей. Для показателя, отличного от «да/нет», передайте squares.")
    codes, exact = allowed.reference(runs, seed=seed)
    member = (codes == arms[1]).astype(float)
    gap, person_p = _person_test(total, n, total if squares is None else np.asarray(squares, dtype=float), member)
    if analysis is None:
        over = randomisation.difference(
            total, n, allowed, treated=int(arms[1]), control=int(arms[0]), draws=runs, seed=seed
        )
        sizes = np.abs(over.statistic())
        planned = 1 - np.searchsorted(np.sort(sizes), sizes * (1 - _TIE) - 1e-12) / sizes.size
    else:
        planned = np.asarray(analysis(codes), dtype=float)
    found = {"planned": planned, "centre_means": _mean_test(total / n, member), "person_test": person_p}
    rows = pd.DataFrame([_rate(name, p, alpha, level, exact) for name, p in found.items()])
    own = rows.iloc[0]
    verdict: Verdict = "passed" if own["low"] <= 100 * alpha else "failed"
    return Check(
        "placebo",
        "Ложные срабатывания на прошлых данных",
        verdict,
        float(own["rate"]),
        n=total.size,
        warn=alpha,
        fail=alpha,
        estimate=float(np.quantile(np.abs(gap), 1 - alpha)),
        low=float(own["low"]),
        high=float(own["high"]),
        level=level,
        method="повторное назначение на прошлых данных",
        exact=exact,
        rows=rows,
    )


def _rate(name: str, p: FloatArray, alpha: float, level: float, exact: bool) -> dict[str, object]:
    alarms = int((p <= alpha + _TIE).sum())
    rate = 100 * alarms / p.size
    limits = clopper_pearson(alarms, p.size, level=level)
    low, high = (rate, rate) if exact else (100 * limits.low, 100 * limits.high)
    return {"method": name, "rate": rate, "low": low, "high": high, "runs": p.size}


def _person_test(
    total: FloatArray, n: FloatArray, squares: FloatArray, member: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Differences per person, and the p-values of Welch's test that takes persons for independent."""
    parts = []
    for share in (member, 1 - member):
        persons = share @ n
        mean = share @ total / persons
        variance = np.maximum(share @ squares / persons - mean**2, 0) * persons / np.maximum(persons - 1, 1)
        parts.append((mean, variance / persons))
    gap, squared = parts[0][0] - parts[1][0], parts[0][1] + parts[1][1]
    z = np.abs(gap) / np.sqrt(np.where(squared > 0, squared, np.inf))
    return gap, np.asarray(2 * scipy.special.ndtr(-z))


def _mean_test(mean: FloatArray, member: FloatArray) -> FloatArray:
    """p-values of Student's test of the centres' means."""
    first, second = member.sum(axis=1), (1 - member).sum(axis=1)
    a, b = member @ mean / first, (1 - member) @ mean / second
    within = mean @ mean - first * a**2 - second * b**2
    df = mean.size - 2
    if df < 1:
        return np.ones(len(member))
    squared = np.maximum(within, 0) / df * (1 / first + 1 / second)
    t = np.abs(a - b) / np.sqrt(np.where(squared > 0, squared, np.inf))
    return np.asarray(2 * scipy.stats.t.sf(t, df))
