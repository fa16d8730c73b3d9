"""Proportions and differences of two proportions.

`wilson` is the kit's interval for a share; `clopper_pearson` where the level must be guaranteed. For p1 - p2,
`newcombe` needs no iteration, `miettinen_nurminen` inverts the score test and agrees with it: zero lies inside the
interval if and only if the test does not reject.

Sources:
    Wilson E. B. (1927), JASA 22:209; Clopper C. J., Pearson E. S. (1934), Biometrika 26:404.
    Newcombe R. G. (1998), Stat Med 17:873 (method 10: hybrid score; method 5 is Mee's, without the factor N/(N-1)).
    Miettinen O., Nurminen M. (1985), Stat Med 4:213; Farrington C. P., Manning G. (1990), Stat Med 9:1447.
"""

from __future__ import annotations

import numpy as np
import scipy

from kcrr_analysis.stats.estimate import (
    Estimate,
    FloatArray,
    Numbers,
    aligned,
    checked,
    checked_counts,
    checked_level,
    estimated,
    plain,
)

FIRST, SECOND = " первой группы", " второй группы"
HALVINGS = 60
"""Bisection of an interval of length at most 2, down to rounding. (With millions of trials and a handful of cases the
closed form behind it still keeps three digits of a limit.)"""


def wilson(k: Numbers, n: Numbers, *, level: float = 0.95) -> Estimate:
    """Share k/n with Wilson's score interval (no continuity correction).

    Args:
        k: Cases; weighted counts may be fractional.
        n: Trials.
        level: Confidence level.

    Raises:
        ParameterError: Not 0 <= k <= n, or a level outside (0, 1).
    """
    level = checked_level(level)
    cases, trials = checked_counts(k, n)
    low, high = _wilson_limits(cases, trials, level)
    share, se = _share(cases, trials)
    return estimated(share, low, high, level=level, method="интервал Уилсона", n=trials, se=se)


def clopper_pearson(k: Numbers, n: Numbers, *, level: float = 0.95) -> Estimate:
    """Share k/n with the exact binomial interval: coverage is never below the level, often well above it.

    Args:
        k: Cases, whole.
        n: Trials, whole.
        level: Confidence level.

    Raises:
        ParameterError: Not whole, not 0 <= k <= n, or a level outside (0, 1).
    """
    level = checked_level(level)
    cases, trials = checked_counts(k, n, whole=True)
    low, high = exact_limits(cases, trials, level)
    share, se = _share(cases, trials)
    return estimated(share, low, high, level=level, method="точный интервал Клоппера — Пирсона", n=trials, se=se)


def newcombe(k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers, *, level: float = 0.95) -> Estimate:
    """Difference p1 - p2 of independent shares with Newcombe's hybrid score interval (his method 10).

    Args:
        k1: Cases of the first group.
        n1: Trials of the first group.
        k2: Cases of the second group.
        n2: Trials of the second group.
        level: Confidence level.

    Raises:
        ParameterError: Not 0 <= k <= n, or a level outside (0, 1).
    """
    level = checked_level(level)
    a, m, b, n = _two(k1, n1, k2, n2)
    (p1, se1), (p2, se2) = _share(a, m), _share(b, n)
    (low1, high1), (low2, high2) = _wilson_limits(a, m, level), _wilson_limits(b, n, level)
    difference = p1 - p2
    return estimated(
        difference,
        difference - np.hypot(p1 - low1, high2 - p2),
        difference + np.hypot(high1 - p1, p2 - low2),
        level=level,
        method="интервал Ньюкомба",
        n=m + n,
        se=np.hypot(se1, se2),
    )


def miettinen_nurminen(k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers, *, level: float = 0.95) -> Estimate:
    """Difference p1 - p2 with the score interval of Miettinen and Nurminen (factor N/(N-1)).

    The limits are the differences at which `score_statistic` meets the normal quantile, found by bisection between the
    estimate and -1 or 1, so tables with empty cells are no exception.

    Args:
        k1: Cases of the first group.
        n1: Trials of the first group.
        k2: Cases of the second group.
        n2: Trials of the second group.
        level: Confidence level.

    Raises:
        ParameterError: Not 0 <= k <= n, or a level outside (0, 1).
    """
    level = checked_level(level)
    a, m, b, n = _two(k1, n1, k2, n2)
    (p1, se1), (p2, se2) = _share(a, m), _share(b, n)
    difference = p1 - p2
    z = float(scipy.special.ndtri(0.5 + level / 2))
    return estimated(
        difference,
        _limit(a, m, b, n, z=z, edge=-1.0),
        _limit(a, m, b, n, z=z, edge=1.0),
        level=level,
        method="интервал Миеттинена — Нурминена",
        n=m + n,
        se=np.hypot(se1, se2),
    )


def restricted_mle(
    k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers, difference: Numbers
) -> tuple[FloatArray, FloatArray]:
    """Maximum likelihood estimates of p1 and p2 under p1 - p2 = difference.

    The middle root of the cubic of Farrington and Manning (1990), in closed form.

    Args:
        k1: Cases of the first group.
        n1: Trials of the first group.
        k2: Cases of the second group.
        n2: Trials of the second group.
        difference: Assumed p1 - p2, from -1 to 1.

    Returns:
        The two restricted estimates (arrays, 0-d for scalars); NaN where a group is empty.

    Raises:
        ParameterError: Not 0 <= k <= n, or a difference outside [-1, 1].
    """
    a, m, b, n = _two(k1, n1, k2, n2)
    return _restricted(a, m, b, n, _checked_difference(difference))


def score_statistic(
    k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers, difference: Numbers = 0.0, *, correction: bool = True
) -> Numbers:
    """Score statistic z of the hypothesis p1 - p2 = difference: positive where the data lie above it.

    Args:
        k1: Cases of the first group.
        n1: Trials of the first group.
        k2: Cases of the second group.
        n2: Trials of the second group.
        difference: Assumed p1 - p2; minus the margin for non-inferiority.
        correction: The variance factor N/(N-1) of Miettinen and Nurminen; False gives Farrington and Manning's test.

    Returns:
        Approximately standard normal under the hypothesis; infinite where the data are impossible under it.

    Raises:
        ParameterError: Not 0 <= k <= n, or a difference outside [-1, 1].
    """
    a, m, b, n = _two(k1, n1, k2, n2)
    return plain(_score(a, m, b, n, _checked_difference(difference), correction=correction))


def exact_limits(cases: FloatArray, trials: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Clopper-Pearson limits of checked counts; also the conditional limits of a ratio of rates."""
    tail = (1 - level) / 2
    empty = np.isnan(cases) | (trials == 0)
    safe_k, safe_n = np.where(empty, 1.0, cases), np.where(empty, 2.0, trials)
    low = np.where(safe_k > 0, scipy.special.betaincinv(np.maximum(safe_k, 1), safe_n - safe_k + 1, tail), 0.0)
    high = np.where(
        safe_k < safe_n, scipy.special.betaincinv(safe_k + 1, np.maximum(safe_n - safe_k, 1), 1 - tail), 1.0
    )
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def _two(k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers) -> tuple[FloatArray, ...]:
    return aligned(*checked_counts(k1, n1, place=FIRST), *checked_counts(k2, n2, place=SECOND))


def _checked_difference(difference: Numbers) -> FloatArray:
    return checked(difference, "разность долей", low=-1.0, high=1.0)


def _share(cases: FloatArray, trials: FloatArray) -> tuple[FloatArray, FloatArray]:
    safe = np.where(trials > 0, trials, np.nan)
    share = cases / safe
    return share, np.sqrt(share * (1 - share) / safe)


def _wilson_limits(cases: FloatArray, trials: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    z2 = float(scipy.special.ndtri(0.5 + level / 2)) ** 2
    n = np.where(trials > 0, trials, np.nan)
    middle = cases + z2 / 2
    half = np.sqrt(z2 * (cases * (n - cases) / n + z2 / 4))
    low = np.where(cases == 0, 0.0, np.maximum(middle - half, 0) / (n + z2))
    high = np.where(cases == n, 1.0, np.minimum((middle + half) / (n + z2), 1))
    unknown = np.isnan(n)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def _restricted(
    a: FloatArray, m: FloatArray, b: FloatArray, n: FloatArray, delta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    m, n = np.where(m > 0, m, np.nan), np.where(n > 0, n, np.nan)
    p1, p2, theta = a / m, b / n, n / m
    three_a = 3 * (1 + theta)
    second = -(1 + theta + p1 + theta * p2 + delta * (theta + 2))
    first = delta**2 + delta * (2 * p1 + theta + 1) + p1 + theta * p2
    constant = -p1 * delta * (1 + delta)
    v = (second / three_a) ** 3 - second * first * 1.5 / three_a**2 + 1.5 * constant / three_a
    u = np.copysign(np.sqrt(np.maximum((second / three_a) ** 2 - first / three_a, 0)), v)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.where(u == 0, 0.0, np.clip(v / u**3, -1, 1))
    root = 2 * u * np.cos((np.pi + np.arccos(angle)) / 3) - second / three_a
    restricted = np.clip(root, np.maximum(0, delta), np.minimum(1, 1 + delta))
    return restricted, np.clip(restricted - delta, 0, 1)


def _score(
    a: FloatArray, m: FloatArray, b: FloatArray, n: FloatArray, delta: FloatArray, *, correction: bool = True
) -> FloatArray:
    p1, p2 = _restricted(a, m, b, n, delta)
    m, n = np.where(m > 0, m, np.nan), np.where(n > 0, n, np.nan)
    factor = (m + n) / (m + n - 1) if correction else 1.0
    variance = factor * (p1 * (1 - p1) / m + p2 * (1 - p2) / n)
    gap = a / m - b / n - delta
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 0.0, gap / np.sqrt(variance))


def _limit(a: FloatArray, m: FloatArray, b: FloatArray, n: FloatArray, *, z: float, edge: float) -> FloatArray:
    inside = a / np.where(m > 0, m, np.nan) - b / np.where(n > 0, n, np.nan)
    outside = np.full_like(inside, edge)
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        accepted = np.abs(_score(a, m, b, n, middle)) <= z
        inside, outside = np.where(accepted, middle, inside), np.where(accepted, outside, middle)
    return (inside + outside) / 2
