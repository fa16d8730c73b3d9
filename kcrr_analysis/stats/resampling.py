"""Bootstrap limits of any statistic of independent units, by `scipy.stats.bootstrap`.

scipy resamples, in batches, and knows BCa (Efron B. (1987), JASA 82:171; DiCiccio T., Efron B. (1996), Statist. Sci.
11:189). What it lacks is added here: clusters (reduced to their totals first, which is exact for statistics of sums
such as ratios), several columns per unit, a bound on memory, NaN instead of warnings.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.clusters import cluster_totals
from kcrr_analysis.stats.estimate import Estimate, FloatArray, Numbers, checked, checked_level, estimated

CELLS = 2_000_000
"""Numbers held at once by a batch of resamples: 16 MB a copy."""

METHODS = {"bca": ("BCa", "бутстреп BCa"), "percentile": ("percentile", "процентильный бутстреп")}

Statistic = Callable[[FloatArray, int], Any]


def bootstrap(
    values: Numbers,
    statistic: Statistic,
    *,
    cluster: Any = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int,
    method: Literal["bca", "percentile"] = "bca",
) -> Estimate:
    """Bootstrap limits of a statistic.

    Args:
        values: Shape (units,) or (units, columns).
        statistic: Called as `statistic(sample, axis)`: `sample` has shape (resamples, units) or (resamples, units,
            columns), its units along `axis` (always 1); returns shape (resamples,). A ratio of sums is
            `lambda x, axis: x[..., 0].sum(axis) / x[..., 1].sum(axis)`.
        cluster: The independent unit of each row; rows are summed to cluster totals before anything else, so the
            statistic must be one of sums over rows.
        level: Confidence level.
        resamples: Number of resamples.
        seed: Seed; equal seeds give equal limits.
        method: `bca`, second-order accurate; `percentile`, for statistics that its jackknife does not suit (quantiles).

    Returns:
        The statistic of the data itself, limits and standard error; NaN limits with fewer than two units or where
        all resamples agree.

    Raises:
        ParameterError: Missing values, too few resamples, unknown method, unlike lengths, or a level outside (0, 1).
    """
    level = checked_level(level)
    data = np.atleast_1d(checked(values, "значения", low=-np.inf))
    if data.ndim > 2 or np.isnan(data).any():
        raise ParameterError("Значения для бутстрепа должны быть таблицей «строка — наблюдение» без пропусков.")
    if method not in METHODS:
        raise ParameterError(f"Метод бутстрепа «{method}» неизвестен. Укажите одно из: {', '.join(METHODS)}.")
    if not (isinstance(resamples, (int, np.integer)) and resamples >= 100):
        raise ParameterError(f"Число повторов бутстрепа {resamples} недопустимо. Укажите целое число от 100.")
    if cluster is not None:
        data, _ = cluster_totals(data, cluster)
    units = len(data)
    name, title = METHODS[method]
    if units == 0:
        nothing = np.asarray(np.nan)
        return estimated(nothing, nothing, nothing, level=level, method=title, n=0.0)

    def on_rows(rows: NDArray[np.int64], axis: int) -> FloatArray:
        """The statistic over rows drawn by number: `axis` is the last one of `rows`."""
        flat = rows.reshape(-1, rows.shape[axis])
        return np.asarray(statistic(data[flat], 1), dtype=float).reshape(rows.shape[:-1])

    with np.errstate(divide="ignore", invalid="ignore"):
        point = on_rows(np.arange(units), -1)
        low = high = se = np.asarray(np.nan)
        if units > 1:
            import scipy.stats

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", scipy.stats.DegenerateDataWarning)
                drawn = scipy.stats.bootstrap(
                    (np.arange(units),),
                    on_rows,
                    n_resamples=int(resamples),
                    batch=max(1, CELLS // max(data.size, 1)),
                    vectorized=True,
                    axis=-1,
                    confidence_level=level,
                    method=name,
                    rng=np.random.default_rng(seed),
                )
            low, high = (np.asarray(side) for side in drawn.confidence_interval)
            se = np.asarray(drawn.standard_error)
            if not se > 0:
                low = high = se = np.asarray(np.nan)
    return estimated(point, low, high, level=level, method=title, n=float(units), se=se)
