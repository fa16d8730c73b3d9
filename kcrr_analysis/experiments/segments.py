"""Effects by segment: exploratory, with the chance of a false finding held over all segments at once.

Whether the effects differ at all is asked first, by one test. Under the hypothesis of one common effect the outcomes of
all segments under every other allowed assignment are known. The common effect itself is estimated, so that this
p-value is approximate: it is the largest of three, at the estimate and half a standard error to either side. Under
equal effects it was at most 0.05 in 2 to 5 % of simulated pilots (8 and 12 centres, sizes up to CV 1.1); over a wide
interval for the common effect (Berger & Boos 1994) in less than 1 %.

Sources:
    Adjusted p-values: Holm S. (1979); Benjamini Y., Hochberg Y. (1995).
    Variation of effects, the plug-in test: Ding P., Feller A., Miratrix L. (2016), JRSS B 78:655.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule, withhold
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed
from kcrr_analysis.experiments.validity.balance import as_extreme, distances
from kcrr_analysis.stats import benjamini_hochberg, holm
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

LEAST_UNITS = 4
"""Assigned units with persons of the segment in each arm: 3 against 3 cannot give p below 0.1."""

LEAST_PERSONS = 30
"""Persons of the segment in each arm: a convention of the kit, a parameter."""

SPAN = (0.0, -0.5, 0.5)
"""Standard errors from the estimated common effect at which the interaction is tested."""

_COUNTS = ("persons_treated", "persons_control")
_FIGURES = ("effect", "low", "high", "p", "p_holm", "p_bh")


@dataclass(frozen=True, eq=False)
class SegmentEffects:
    """The effect by segment, always exploratory: a reason for the next pilot, never a finding of this one.

    Attributes:
        rows: One row a segment: segment, units_treated, units_control, persons_treated, persons_control, effect (per
            person), low, high, p, p_holm, p_bh, reason (why there is no effect, or empty), and `<column>_hidden`.
        overall: Effect over all persons of the segments, with its limits: estimate, low, high.
        interaction_p: p-value of the hypothesis that the effects of the segments with an effect are all the same; NaN
            where fewer than two have one.
        interaction_exact: Whether all allowed assignments were tried.
        interaction_smallest_p: No p-value of the interaction could be smaller.
        compared: Segments with an effect.
        level: Confidence level of each interval by itself.
        least_units: Units in each arm below which a segment is refused.
        least_persons: Persons in each arm below which a segment is refused.
        overlapping: Whether a person may belong to several segments.
        exploratory: Always True.
    """

    rows: pd.DataFrame
    overall: tuple[float, float, float]
    interaction_p: float
    interaction_exact: bool
    interaction_smallest_p: float
    compared: int
    level: float
    least_units: int
    least_persons: int
    overlapping: bool
    exploratory: Literal[True] = True

    def to_frame(self) -> pd.DataFrame:
        """One row a segment, with the interaction's p-value."""
        return self.rows.assign(level=self.level, interaction_p=self.interaction_p, exploratory=True)


def segment_effects(
    totals: pd.DataFrame,
    units: list[str],
    allowed: Allowed,
    *,
    treated: int = 1,
    control: int = 0,
    level: float = 0.95,
    least_units: int = LEAST_UNITS,
    least_persons: int = LEAST_PERSONS,
    overlapping: bool = False,
    rule: Rule | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> SegmentEffects:
    """Effects by segment with adjusted p-values, and one test of whether they differ at all.

    Args:
        totals: Rows with unit (assigned centre), segment, total (sum of the outcome over the segment's persons
            there), persons.
        units: The assigned units in the order of `allowed.codes`.
        allowed: The observed assignment and those that could have happened.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        level: Confidence level of each interval by itself.
        least_units: Units with persons in each arm below which a segment is refused; at least 2.
        least_persons: Persons in each arm below which a segment is refused.
        overlapping: Whether a person may belong to several segments; then their sum is no total.
        rule: Disclosure control of the counts; a whole total of persons (yes/no outcome) counts too.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Raises:
        ParameterError: Columns that miss, unknown units, or one unit and segment twice.
    """
    level = checked_level(level)
    total, persons, names = _tables(totals, units, allowed)
    if least_units < 2 or least_persons < 1:
        raise ParameterError("Наименьшее число центров в группе — не меньше 2, людей — не меньше 1.")
    member = [allowed.codes == arm for arm in (treated, control)]
    rows = pd.DataFrame({"segment": names})
    for arm, label in zip(member, ("treated", "control"), strict=True):
        rows[f"units_{label}"] = (persons[arm] > 0).sum(axis=0)
        rows[f"persons_{label}"] = persons[arm].sum(axis=0)
        rows[f"reached_{label}"] = total[arm].sum(axis=0)
    rows["reason"] = [_refused(row, least_units, least_persons) for row in rows.itertuples()]
    kept = np.flatnonzero(rows["reason"] == "")
    for column in _FIGURES:
        rows[column] = np.nan
    for place in kept:
        found = randomisation.difference(
            total[:, place], persons[:, place], allowed, treated=treated, control=control, draws=draws, seed=seed
        )
        rows.loc[place, ["effect", "low", "high", "p"]] = [found.estimate, *found.interval(level), found.p_value()]
    rows["p_holm"], rows["p_bh"] = holm(rows["p"]), benjamini_hochberg(rows["p"])
    whole = randomisation.difference(
        total.sum(axis=1), persons.sum(axis=1), allowed, treated=treated, control=control, draws=draws, seed=seed
    )
    p, least, exact = float("nan"), float("nan"), True
    if kept.size > 1:
        taken = total[:, kept], persons[:, kept]
        p, least, exact = _interaction(*taken, allowed, (treated, control), whole, draws=draws, seed=seed)
    binary = bool(((total == np.floor(total)) & (total >= 0) & (total <= persons)).all())
    shown = _withheld(rows, rule, overlapping=overlapping, binary=binary)
    hidden = shown["effect_hidden"] & rows["effect"].notna()
    if rule is not None and rule.public and hidden.any():
        # Adjusted p-values depend on those of hidden segments: Bonferroni's bound does not.
        p = float("nan")
        for column in ("p_holm", "p_bh"):
            shown[column] = np.minimum(shown["p"] * kept.size, 1.0)
    return SegmentEffects(
        rows=shown.drop(columns=[name for name in shown if str(name).startswith("reached_")]),
        overall=(whole.estimate, *whole.interval(level)),
        interaction_p=p,
        interaction_exact=exact,
        interaction_smallest_p=least,
        compared=int(kept.size),
        level=level,
        least_units=least_units,
        least_persons=least_persons,
        overlapping=overlapping,
    )


def _tables(totals: pd.DataFrame, units: list[str], allowed: Allowed) -> tuple[FloatArray, FloatArray, list[str]]:
    """Totals and persons, shape (units, segments), and the segments in order of appearance."""
    lacking = [column for column in ("unit", "segment", "total", "persons") if column not in totals]
    if lacking or len(units) != allowed.codes.size:
        raise ParameterError(
            f"Для эффектов по сегментам нужны столбцы unit, segment, total, persons (нет: {', '.join(lacking) or '–'}) "
            f"и единицы в порядке назначения ({allowed.codes.size})."
        )
    strange = sorted(set(totals["unit"]) - set(units))
    if strange or totals.duplicated(["unit", "segment"]).any() or totals["segment"].isna().any():
        raise ParameterError(
            f"Строки сегментов: единица без назначения ({', '.join(map(str, strange[:3])) or '–'}), повтор единицы и "
            "сегмента или пустой сегмент. Оставьте по одной строке на назначенную единицу и сегмент."
        )
    if totals.empty:
        raise ParameterError("Нет ни одной строки по сегментам. Добавьте данные.")
    names = [str(name) for name in pd.unique(totals["segment"])]
    row = pd.Index(units).get_indexer(pd.Index(totals["unit"]))
    column = pd.factorize(totals["segment"])[0]
    tables = []
    for name, title, low in (("total", "итог по сегменту", -np.inf), ("persons", "число людей", 0.0)):
        table = np.zeros((len(units), len(names)))
        table[row, column] = np.nan_to_num(checked(totals[name], title, low=low))
        tables.append(table)
    return tables[0], tables[1], names


def _refused(row: object, least_units: int, least_persons: int) -> str:
    units = min(row.units_treated, row.units_control)  # type: ignore[attr-defined]
    persons = min(row.persons_treated, row.persons_control)  # type: ignore[attr-defined]
    if units < least_units:
        return f"мало центров: в одной из групп меньше {least_units}"
    if persons < least_persons:
        return f"мало людей: в одной из групп меньше {least_persons}"
    return ""


def _interaction(
    total: FloatArray,
    persons: FloatArray,
    allowed: Allowed,
    arms: tuple[int, int],
    whole: randomisation.Reference,
    *,
    draws: int,
    seed: int,
) -> tuple[float, float, bool]:
    """p-value of equal effects, the smallest one possible, and whether all assignments were tried.

    The statistic is the Mahalanobis distance of the segments' effects from the first one's, in the metric of its own
    spread over the assignments.
    """
    codes, exact = allowed.reference(draws, seed=seed)
    given = (allowed.codes == arms[0]).astype(float)[:, None]
    shares = []
    for arm in arms:
        chance = np.zeros(allowed.codes.size)
        for member in allowed.members:
            chance[member] = (allowed.codes[member] == arm).mean()
        own = (codes == arm) / np.where(chance > 0, chance, 1.0)
        size = own @ persons
        shares.append([own @ total, own @ (persons * given), np.where(size > 0, size, np.nan)])
    (a, b, n), (c, d, m) = shares
    of_total, of_given = a / n - c / m, b / n - d / m
    known = ~np.isnan(of_total + of_given).any(axis=1)
    of_total, of_given = of_total[known], of_given[known]
    step = whole.se if np.isfinite(whole.se) else 0.0
    found = []
    for away in SPAN:
        effects = of_total - (whole.estimate + away * step) * of_given
        distance, _ = distances(effects[:, 1:] - effects[:, :1])
        found.append((as_extreme(distance), as_extreme(distance, float(distance.max()))))
    p, least = (max(one) for one in zip(*found, strict=True))
    return p, least, exact


def _withheld(rows: pd.DataFrame, rule: Rule | None, *, overlapping: bool, binary: bool) -> pd.DataFrame:
    """Segments under disclosure control; the sum over them is known from the readout unless they overlap."""
    from kcrr_analysis.disclosure import Tie  # scipy.optimize is slow to import

    counts = [*_COUNTS, *(("reached_treated", "reached_control") if binary else ())]
    last = pd.DataFrame([{**{column: rows[column].sum() for column in counts}, "reason": ""}])
    whole = pd.concat([rows, last], ignore_index=True)
    is_total = pd.Series(whole.index == len(rows))
    ties = () if overlapping else (Tie((), is_total),)
    shown = withhold(whole, dict.fromkeys(counts, _FIGURES), ties, rule).iloc[:-1]
    if rule is None or not rule.public:
        return shown
    # A refused segment's reason says how small it is; a hidden one's says no more than that it is.
    small = shown[[f"{count}_hidden" for count in _COUNTS]].any(axis=1)
    return shown.assign(reason=shown["reason"].mask(small & (shown["reason"] != ""), "мало людей"))
