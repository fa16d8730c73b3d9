"""Pairs of units that are alike: matched before the draw, so that chance divides like with like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kcrr_analysis.stats.estimate import FloatArray

_ROUNDS = 50


def nearest_pairs(covariates: FloatArray) -> NDArray[np.intp]:
    """Pairs with a small sum of Mahalanobis distances (Greevy et al. 2004): greedy, then improved by exchanges.

    Args:
        covariates: Shape (units, covariates), an even number of units.

    Returns:
        Number of the pair of each unit, shape (units,).
    """
    gap = _distances(covariates)
    left, pairs = set(range(len(gap))), []
    order = np.dstack(np.unravel_index(np.argsort(gap, axis=None, kind="stable"), gap.shape))[0]
    for first, second in order.tolist():
        if first < second and first in left and second in left:
            pairs.append([first, second])
            left -= {first, second}
    for _ in range(_ROUNDS):
        if not _improve(pairs, gap):
            break
    numbers = np.empty(len(gap), dtype=np.intp)
    for number, pair in enumerate(sorted(sorted(pair) for pair in pairs)):
        numbers[pair] = number
    return numbers


def _distances(covariates: FloatArray) -> FloatArray:
    scaled = covariates - covariates.mean(axis=0)
    inverse = np.linalg.pinv(np.atleast_2d(np.cov(scaled, rowvar=False)))
    gap = scaled[:, None, :] - scaled[None, :, :]
    return np.asarray(np.einsum("abi,ij,abj->ab", gap, inverse, gap))


def _improve(pairs: list[list[int]], gap: FloatArray) -> bool:
    """Exchanges partners of two pairs wherever the sum falls; whether any did."""
    changed = False
    for i in range(len(pairs)):
        for j in range(i + 1, len(pairs)):
            (a, b), (c, d) = pairs[i], pairs[j]
            now = gap[a, b] + gap[c, d]
            ways = {gap[a, c] + gap[b, d]: ([a, c], [b, d]), gap[a, d] + gap[b, c]: ([a, d], [b, c])}
            best = min(ways)
            if best < now - 1e-12:
                pairs[i], pairs[j] = ways[best]
                changed = True
    return changed
