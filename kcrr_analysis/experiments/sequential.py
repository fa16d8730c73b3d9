"""Looks at a running pilot, as waves of centres finish, within one error budget.

The error to spend by each look comes from a spending function or a classic boundary (`boundaries`); the critical value
of a look comes from the pilot's own randomisation: over the assignments that could have happened, jointly in all
waves, the share that crosses at this look or an earlier one does not exceed what may be spent. Few centres and unequal
sizes do no harm to the error; what an early look cannot spend, for want of assignments, later ones may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import Allowed, Codes
from kcrr_analysis.experiments.randomisation import comparison, extremes
from kcrr_analysis.stats.estimate import FloatArray

DRAWS = 9_999
_LARGEST = 1e300
_STREAM = 11
_SPARE = 5


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        number: From 1.
        share: Share of the planned units that had finished.
        spent: Error that may be spent by this look, cumulative.
        p: Two-sided p-value of the units up to this look, not adjusted; 1 where nothing can be compared yet.
        nominal: Largest p-value that stops the pilot at this look; 0 where it cannot stop.
        crossed: Whether it stops here.
    """

    number: int
    share: float
    spent: float
    p: float
    nominal: float
    crossed: bool


def sequential(
    total: FloatArray,
    weight: FloatArray,
    allowed: Allowed,
    waves: Sequence[int] | FloatArray,
    spent: Sequence[float] | FloatArray,
    *,
    covariates: FloatArray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Look, ...]:
    """The looks so far.

    Args:
        total: Sum of the outcome in each unit, shape (units,).
        weight: Persons of each unit, or ones; 0 for units that have not finished.
        allowed: The observed assignment and those that could have happened; waves must be among its strata.
        waves: Wave of each unit, from 1.
        spent: Error that may be spent by each look made so far, cumulative.
        covariates: Known before the assignment, shape (units, covariates).
        draws: Assignments drawn.
        seed: Of the draws; a wave keeps its draws at later looks.

    Raises:
        ParameterError: Arms were not assigned within waves, or an arm without data at the last look.
    """
    wave = np.asarray(waves, dtype=int)
    if any(np.unique(wave[member]).size > 1 for member in allowed.members):
        raise ParameterError(
            "Последовательный анализ: группы назначены не внутри волн. Укажите столбец волны в strata протокола до "
            "жребия."
        )
    total, weight = np.asarray(total, dtype=float), np.asarray(weight, dtype=float)
    shares = [float((wave <= number).mean()) for number in range(1, len(spent) + 1)]
    finished = np.where(wave <= len(spent), weight, 0.0)
    if not {0, 1} <= set(allowed.codes[(finished > 0) & np.isfinite(total)].tolist()):
        raise ParameterError(f"Последовательный анализ: к просмотру {len(spent)} нет данных одной из групп.")
    # Only what can be compared changes places: units with an outcome, in strata where both arms have one.
    whole = comparison(total, finished, allowed)
    total, weight, wave, allowed = total[whole.used], weight[whole.used], wave[whole.used], whole.allowed
    known = None if covariates is None else np.asarray(covariates, dtype=float)[whole.used]
    codes = _nested(allowed, wave, len(spent), draws, seed)
    crossed = np.zeros(len(codes), dtype=bool)
    looks: list[Look] = []
    for number, budget in enumerate(spent, start=1):
        seen = wave <= number
        sizes = np.zeros(len(codes))
        if seen.any():
            # An early look with hardly more units than covariates is made without them.
            enough = known is not None and int(seen.sum()) > known.reshape(len(known), -1).shape[1] + _SPARE
            own = known[seen] if known is not None and enough else None
            sizes = comparison(total[seen], weight[seen], allowed.restrict(seen), covariates=own).sizes(codes[:, seen])
            # Complete separation is an infinite statistic; an infinite critical value must not be crossed by it.
            sizes = np.minimum(sizes, _LARGEST)
        bound = _critical(sizes, crossed, budget)
        now = ~crossed & (sizes >= bound)
        looks.append(
            Look(
                number=number,
                share=shares[number - 1],
                spent=float(budget),
                p=float(extremes(sizes[None, :])[0]),
                nominal=float((sizes >= bound).mean()) if np.isfinite(bound) else 0.0,
                crossed=bool(now[0]),
            )
        )
        crossed |= now
    return tuple(looks)


def to_frame(looks: Sequence[Look]) -> pd.DataFrame:
    """One row a look."""
    return pd.DataFrame([vars(look) for look in looks])


def _nested(allowed: Allowed, wave: FloatArray, looks: int, draws: int, seed: int) -> Codes:
    """Assignments of all units, the observed first; each wave is drawn from its own stream."""
    codes = np.tile(allowed.codes, (draws + 1, 1))
    for number in range(1, looks + 1):
        own = np.asarray(wave == number)
        if own.any():
            codes[1:, own] = allowed.restrict(own).draw(draws, np.random.default_rng([_STREAM, seed, number]))
    return codes


def _critical(sizes: FloatArray, crossed: FloatArray, budget: float) -> float:
    """Smallest critical value that keeps the share crossing so far within the budget."""
    room = int(np.floor(budget * sizes.size + 1e-9)) - int(crossed.sum())
    left = np.sort(sizes[~np.asarray(crossed, dtype=bool)])[::-1]
    if room <= 0 or not left.size:
        return float("inf")
    if room >= left.size:
        return 0.0
    # Equal values cross together or not at all.
    above = left[left > left[room] * (1 + 1e-9)]
    return float(above.min()) * (1 - 1e-9) if above.size else float("inf")
