"""Interference: the pilot's persons who also meet the other arm, and other pilots that run over the same units.

Sources:
    Persons of one arm who get the other's service: Bloom H. (1984), Evaluation Review 8:225 (the no-show correction).
    Association of two assignments: Cramér H. (1946), Mathematical Methods of Statistics,  21.9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed
from kcrr_analysis.experiments.validity.balance import omnibus
from kcrr_analysis.experiments.validity.checks import (
    FAIL,
    WARN,
    Check,
    Verdict,
    by_arm,
    checked_thresholds,
    gravest,
    hidden_cells,
    judged,
)
from kcrr_analysis.stats import holm
from kcrr_analysis.stats.estimate import FloatArray

CROSS_WARN, CROSS_FAIL = 0.05, 0.2
"""Share of the effect that mixing may have hidden: a convention of the kit, a parameter of the check."""

_TABLE = ("pilot_id", "units", "assignment", "period_start", "period_end")


def contamination(
    actions: pd.DataFrame,
    arms: Mapping[str, str],
    start: pd.Timestamp,
    end: pd.Timestamp,
    *,
    treated: str,
    control: str,
    effect: tuple[float, float, float] | None = None,
    warn: float = CROSS_WARN,
    fail: float = CROSS_FAIL,
    rule: Rule | None = None,
) -> Check:
    """Persons who came to centres of different arms within the pilot's period.

    A person belongs to the arm of the first centre on record; who later appears in a centre of the other arm has
    crossed. If all who crossed got the other arm's service, the comparison shows only `1 - c1 - c0` of the effect (c:
    shares who crossed). The comparison by assignment stays the main one; the corrected effect shows how much mixing
    can have hidden at most.

    Args:
        actions: Rows with person_id, center_id, time.
        arms: Centre -> its arm, all centres of the pilot.
        start: First moment of the pilot (with the zone of `time`, if it has one).
        end: Last moment.
        treated: Arm of interest.
        control: Arm that it is compared with.
        effect: Effect and its limits, to be corrected.
        warn: Share of the effect hidden from which it warns.
        fail: From which it fails.
        rule: Disclosure control of the counts.

    Returns:
        `statistic`: c1 + c0 (0 to 2); `estimate`, `low`, `high`: the corrected effect; `rows`: arm, persons, crossed,
            share.

    Raises:
        ParameterError: Columns that miss, or an arm without centres.
    """
    checked_thresholds(warn, fail=warn)
    missing = [column for column in ("person_id", "center_id", "time") if column not in actions]
    if missing or not {treated, control} <= set(arms.values()) or not warn <= fail:
        raise ParameterError(
            f"Для проверки смешения групп нужны столбцы person_id, center_id, time (нет: {', '.join(missing) or '–'}) "
            "и хотя бы один центр в каждой из сравниваемых групп; порог отказа не меньше порога предупреждения."
        )
    seen = actions.loc[actions["time"].between(start, end), ["person_id", "center_id", "time"]]
    seen = seen.assign(arm=seen["center_id"].astype(object).map(arms))
    seen = seen[seen["arm"].isin([treated, control]) & seen["person_id"].notna()]
    seen = seen.sort_values(["person_id", "time", "center_id"], kind="stable")
    of_person = seen.groupby("person_id", observed=True)["arm"]
    home, both = of_person.first(), of_person.nunique() > 1
    pair = (control, treated)
    whole = np.array([(home == arm).sum() for arm in pair], dtype=float)
    crossed = np.array([(both & (home == arm)).sum() for arm in pair], dtype=float)
    rows, small = by_arm(pair, whole, crossed, ("persons", "crossed"), rule)
    made = Check(
        "contamination",
        "Смешение групп",
        "not_checked",
        n=whole.sum(),
        unit="person",
        warn=warn,
        fail=fail,
        method="сплошной учёт людей по журналу действий",
        reason="В одной из групп нет ни одного человека за период.",
        rows=rows,
    )
    if not whole.all():
        return made
    hidden = float((crossed / whole).sum())
    verdict: Verdict = "failed" if hidden > fail else "warning" if hidden > warn else "passed"
    corrected = (float("nan"),) * 3 if effect is None or hidden >= 1 else tuple(one / (1 - hidden) for one in effect)
    check = replace(
        made,
        verdict=verdict,
        statistic=hidden,
        estimate=corrected[0],
        low=corrected[1],
        high=corrected[2],
        reason="",
    )
    return check.under(rule, small)


def simultaneous(
    pilots: pd.DataFrame,
    pilot_id: str,
    *,
    allowed: Allowed | None = None,
    warn: float = WARN,
    fail: float = FAIL,
    rule: Rule | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Check:
    """Other pilots over the same units at the same time: are their arms spread evenly over ours?

    Where they are not, two new things came together and their effects cannot be told apart.

    Args:
        pilots: Table `pilots`: pilot_id, units and assignment (joined by `;`), period_start, period_end (missing: still
            running); optional `unit`, by which counts of persons are told from counts of centres.
        pilot_id: The pilot in question.
        allowed: Its mechanism, units in the table's order; by default any permutation of its arms.
        warn: p-value (Holm over the other pilots) from which it warns.
        fail: From which it fails; arms that coincide altogether fail in any case.
        rule: Disclosure control where the units are persons.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Returns:
        `p`: the smallest adjusted p-value; `statistic`: its Cramér's V; `n`: units of ours in other pilots; `rows`:
        one row an other pilot and pair of arms: pilot_id, days (that both run), shared (units), arm, other_arm,
        units, v, p.

    Raises:
        ParameterError: Columns or the pilot miss, or units and arms of one are not as many as the other.
    """
    checked_thresholds(warn, fail)
    lacking = [column for column in _TABLE if column not in pilots]
    if lacking or pilot_id not in set(pilots["pilot_id"]):
        raise ParameterError(
            f"Апробации «{pilot_id}» нет в таблице pilots или нет столбцов: {', '.join(lacking) or '–'}. Проверьте код."
        )
    ours = pilots[pilots["pilot_id"] == pilot_id].iloc[0]
    units, arms = _listed(ours)
    if allowed is None:
        allowed = Allowed(np.unique(arms, return_inverse=True)[1].ravel().astype(np.int16))
    if allowed.codes.size != len(units):
        raise ParameterError("Число единиц в механизме назначения и в таблице pilots не совпадает.")
    of_persons = str(ours.get("unit", "center")) == "person"
    tables, tests, undated = [], [], []
    used: set[str] = set()
    for _, other in pilots[pilots["pilot_id"] != pilot_id].iterrows():
        days, theirs = _days(ours, other), dict(zip(*_listed(other), strict=True))
        place = [unit in theirs for unit in units]
        if days <= 0 or not any(place):
            continue
        if math.isnan(days):
            undated.append(f"«{other['pilot_id']}»")
            continue
        used |= {unit for unit in units if unit in theirs}
        found = np.array([theirs.get(unit, "не участвует") for unit in units])
        cross = pd.crosstab(pd.Series(arms, name="arm"), pd.Series(found, name="other_arm"))
        tests.append(_tested(found, allowed, cross.to_numpy(dtype=float), draws, seed))
        tables.append(
            _crossed(cross, rule if of_persons else None).assign(
                pilot_id=other["pilot_id"], days=days, shared=sum(place)
            )
        )
    made = Check(
        "simultaneous",
        "Одновременные апробации",
        "passed",
        n=len(used),
        warn=warn,
        fail=fail,
        unit="person" if of_persons else "cluster",
        method="рандомизационный критерий, поправка Холма",
        reason=f"Нет даты начала, совпадение по времени не проверено: {', '.join(undated)}." if undated else "",
    )
    if not tables:
        return replace(made, verdict="not_checked") if undated else made
    adjusted = holm([p for p, _ in tests])
    verdicts = [_spread(p, v, warn, fail) for p, (_, v) in zip(adjusted, tests, strict=True)]
    rows = pd.concat(
        [table.assign(p=p, v=v) for table, p, (_, v) in zip(tables, adjusted, tests, strict=True)], ignore_index=True
    )
    worst = int(np.argmin(adjusted))
    small = bool(rows["units_hidden"].any())
    check = replace(made, verdict=gravest(*verdicts), p=float(adjusted[worst]), statistic=tests[worst][1], rows=rows)
    if small and rule is not None and rule.public:
        rows[["p", "v", "shared"]] = np.nan
    return check.under(rule, small)


def _spread(p: float, v: float, warn: float, fail: float) -> Verdict:
    return "failed" if v > 1 - 1e-9 else judged(p, warn=warn, fail=fail)


def _listed(row: pd.Series) -> tuple[list[str], list[str]]:
    if pd.isna(row["units"]) or pd.isna(row["assignment"]):
        return [], []
    units, arms = (str(row[column]).split(";") for column in ("units", "assignment"))
    if len(units) != len(arms):
        raise ParameterError(
            f"Апробация «{row['pilot_id']}»: единиц {len(units)}, а назначений {len(arms)}. Они должны совпадать."
        )
    return [unit.strip() for unit in units], [arm.strip() for arm in arms]


def _days(ours: pd.Series, other: pd.Series) -> float:
    """Days that both run; a missing end is still to come, a missing start is unknown."""
    ends = [end for end in (ours["period_end"], other["period_end"]) if not pd.isna(end)]
    if pd.isna(ours["period_start"]) or pd.isna(other["period_start"]):
        return float("nan")
    start = max(ours["period_start"], other["period_start"])
    return float((min(ends) - start).days + 1) if ends else float("inf")


def _tested(found: np.ndarray, allowed: Allowed, cross: FloatArray, draws: int, seed: int) -> tuple[float, float]:
    """p-value of the spread of the other's arms over ours, and Cramér's V."""
    columns = np.unique(found)
    if columns.size < 2:
        return 1.0, 0.0
    indicators = (found[:, None] == columns[None, 1:]).astype(float)
    whole = cross.sum()
    expected = np.outer(cross.sum(axis=1), cross.sum(axis=0)) / whole
    chi2 = ((cross - expected) ** 2 / expected).sum()
    v = float(np.sqrt(chi2 / (whole * (min(cross.shape) - 1)))) if min(cross.shape) > 1 else 0.0
    return omnibus(indicators, allowed, draws=draws, seed=seed).p, v


def _crossed(cross: pd.DataFrame, rule: Rule | None) -> pd.DataFrame:
    """The cross table in long form."""
    flags = hidden_cells(cross.to_numpy(dtype=float), rule)[:-1, :-1]
    long = cross.reset_index().melt(id_vars="arm", var_name="other_arm", value_name="units")
    long["units"] = long["units"].astype(float)
    long["units_hidden"] = flags.ravel(order="F")
    if rule is not None and rule.public:
        long["units"] = long["units"].mask(long["units_hidden"])
    return long
