"""Centres that change their arm with time: stepped wedge and crossover by randomisation of the order.

The estimate is the coefficient of the treatment in a regression of the means of centre and period on effects of the
centre and of the period (Hussey & Hughes 2007), weighted by persons; its reference is the same coefficient under every
other order that could have been drawn (Ji et al. 2017), divided by its standard error with the centre as cluster. A
switchback draws each block of a centre by itself and is analysed as strata, see `randomisation`.
"""

from __future__ import annotations

import numpy as np

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.design import Design
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.randomisation import Reference, chunks
from kcrr_analysis.stats.estimate import FloatArray

DRAWS = 1_999
"""Orders drawn: a p-value of 0.05 has a standard error of 0.005."""


def schedule(design: Design, periods: int) -> FloatArray:
    """Treatment of each wave or sequence in each period, NaN where the period does not count.

    Args:
        design: A stepped wedge: after one period without treatment for all, a wave begins every `block` periods;
            further periods lengthen the last step. A crossover: the arm changes every `block`
            periods.
        periods: Number of periods.

    Returns:
        Shape (waves or 2, periods).

    Raises:
        ParameterError: Too few periods.
    """
    time = np.arange(periods)
    if design.method == "stepped_wedge":
        waves = int(design.waves or 0)
        needed = 1 + design.block * waves
        if periods < needed:
            raise ParameterError(
                f"Ступенчатое внедрение: волн {waves}, периодов на волну {design.block}, а в данных их {periods}. "
                f"Нужно не меньше {needed}: период до внедрения и затем волна за волной."
            )
        starts = 1 + design.block * np.arange(waves)
        return (time[None, :] >= starts[:, None]).astype(float)
    block = time // design.block
    if block[-1] < 1:
        raise ParameterError(
            f"Перекрёстный план: периодов {periods}, а смена через {design.block}. Нужно хотя бы два блока."
        )
    table = np.stack([block % 2, (block + 1) % 2]).astype(float)
    fading = (time % design.block < design.washout) & (block > 0)
    table[:, fading] = np.nan
    return table


def in_time(
    total: FloatArray,
    weight: FloatArray,
    allowed: Allowed,
    table: FloatArray,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Reference:
    """The effect of a treatment that reaches centres in different periods, over the orders that could have been drawn.

    Args:
        total: Sums of the outcome, shape (centres, periods).
        weight: Persons, same shape, or ones with means as totals; 0 where a cell has no data.
        allowed: Observed waves or sequences of the centres and those that could have happened.
        table: Treatment of each wave or sequence by period, see `schedule`.
        draws: Orders drawn where there are too many to enumerate.
        seed: Of the draws.

    Raises:
        ParameterError: The order of treatment cannot be told from the effects of centres and periods.
    """
    counts = np.isfinite(table).all(axis=0)
    table = table[:, counts]
    total, weight = (np.asarray(part, dtype=float)[:, counts] for part in (total, weight))
    codes, exact = allowed.reference(draws, limit=4 * draws, seed=seed)
    weight = np.where(np.isfinite(total), weight, 0.0)
    units, periods = weight.shape
    root = np.sqrt(weight).ravel()
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0).ravel()
    basis = _basis(units, periods, root)

    def cleaned(rows: FloatArray) -> FloatArray:
        weighted = rows * root
        return np.asarray(weighted - (weighted @ basis) @ basis.T)

    outcome, given = cleaned(mean[None, :])[0], cleaned(table[allowed.codes].reshape(1, -1))[0]
    # What is left of equal outcomes is rounding.
    outcome[np.abs(outcome) <= 1e-12 * np.abs(mean * root).max()] = 0.0
    if float(given @ given) < 1e-9 * max(float(root @ root), 1.0):
        raise ParameterError(
            "Порядок внедрения нельзя отделить от различий центров и периодов: нет периода, в котором одни центры "
            "уже работают по-новому, а другие ещё нет. Добавьте периоды или центры."
        )
    parts = []
    for chunk in chunks(codes, width=units * periods * 4):
        treated = cleaned(table[chunk].reshape(len(chunk), -1))
        size = np.einsum("kc,kc->k", treated, treated)
        size = np.where(size > 1e-9, size, np.nan)
        a, b = treated @ outcome / size, treated @ given / size
        scores = [
            (treated * (values - slope[:, None] * treated)).reshape(-1, units, periods).sum(axis=2)
            for values, slope in ((outcome, a), (given, b))
        ]
        scale = units / (units - 1) / size**2
        products = ((0, 0), (0, 1), (1, 1))
        c, d, e = (np.einsum("kg,kg->k", scores[i], scores[j]) * scale for i, j in products)
        parts.append((a, b, c, d, e))
    a, b, c, d, e = (np.concatenate(part) for part in zip(*parts, strict=True))
    told = np.isfinite(a)
    return Reference(a[told], b[told], c[told], d[told], e[told], exact, units, allowed.count, allowed.mirrored)


def _basis(units: int, periods: int, root: FloatArray) -> FloatArray:
    """Orthonormal columns that span the weighted effects of centres and periods."""
    of_unit = np.repeat(np.eye(units), periods, axis=0)
    of_period = np.tile(np.eye(periods), (units, 1))
    frame = np.column_stack([of_unit, of_period]) * root[:, None]
    left, values, _ = np.linalg.svd(frame, full_matrices=False)
    return np.asarray(left[:, values > values.max() * 1e-10])
