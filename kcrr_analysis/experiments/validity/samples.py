"""Can the pilot be trusted: do the sizes of the groups and the losses agree with the design?

Where centres were assigned, every p-value comes from the assignments that could have happened; a person-level test
there would cry wolf, because the clients of one centre are alike.

Sources:
    Sample-ratio mismatch: Fabijan A. et al. (2019), KDD '19: 2156; Kohavi R., Tang D., Xu Y. (2020), Trustworthy Online
    Controlled Experiments, ch. 21.
    Attrition of 5 % and 20 %: Schulz K., Grimes D. (2002), Lancet 359:781.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation
from kcrr_analysis.experiments.mechanism import DRAWS, Allowed
from kcrr_analysis.experiments.validity.balance import named, omnibus, per_unit, possible
from kcrr_analysis.experiments.validity.checks import (
    FAIL,
    FEW,
    WARN,
    Check,
    Verdict,
    by_arm,
    checked_thresholds,
    gravest,
    judged,
)
from kcrr_analysis.stats import miettinen_nurminen, score_statistic
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

RATIO_WARN, RATIO_FAIL = 0.01, 0.001
"""A sample-ratio check runs in every pilot, so its alarms must be rare (Kohavi et al. 2020 take 0.001)."""

LOSS_WARN, LOSS_FAIL = 5.0, 20.0
"""Percent without an outcome: under 5 hardly any bias, over 20 a threat to the conclusions (Schulz & Grimes 2002)."""

_COMPOSITIONS = 50_000
_TIE = 1e-9


def sample_ratio(
    counts: Mapping[str, int],
    shares: Mapping[str, float],
    *,
    warn: float = RATIO_WARN,
    fail: float = RATIO_FAIL,
    rule: Rule | None = None,
    seed: int = 0,
) -> Check:
    """Persons assigned one by one: do the arms hold the shares that the design gave them?

    The test is exact where the tables can be enumerated, else chi-square; with small expected counts, Monte Carlo.

    Args:
        counts: Arm -> persons found in it.
        shares: Arm -> share by the design (any scale).
        warn: p-value from which it warns.
        fail: p-value from which it fails.
        rule: Disclosure control of the counts.
        seed: Of the Monte Carlo form.

    Raises:
        ParameterError: Arms of the two do not agree, or a share that is not positive.
    """
    checked_thresholds(warn, fail)
    names = list(shares)
    if set(names) != set(counts) or len(names) < 2:
        raise ParameterError(
            f"Группы в данных ({', '.join(sorted(counts))}) и в плане ({', '.join(sorted(names))}) не совпадают. "
            "Укажите численность и долю каждой группы; групп должно быть не меньше двух."
        )
    found = checked([counts[name] for name in names], "численность группы", whole=True)
    share = checked([shares[name] for name in names], "доля группы")
    if not (share > 0).all() or np.isnan(found).any():
        raise ParameterError("Доля каждой группы должна быть больше нуля, а численность — известна.")
    share = share / share.sum()
    total = int(found.sum())
    rows, small = by_arm(names, found, None, ("persons", ""), rule)
    rows = rows.assign(share_planned=100 * share, share=100 * found / total if total else np.nan, share_hidden=small)
    if small and rule is not None and rule.public:
        rows["share"] = np.nan
    made = Check("sample_ratio", "Соотношение численности групп", "not_checked", n=total, unit="person", rows=rows)
    if total == 0:
        return replace(made, reason="В группах никого нет.", warn=warn, fail=fail)
    statistic, p, method = _goodness(found, share, seed)
    return replace(
        made,
        verdict=judged(p, warn=warn, fail=fail),
        statistic=statistic,
        p=p,
        warn=warn,
        fail=fail,
        method=method,
        exact="точный" in method,
    ).under(rule, small)


def _goodness(found: FloatArray, share: FloatArray, seed: int) -> tuple[float, float, str]:
    """Chi-square statistic of the counts, and its p-value."""
    total, arms = int(found.sum()), found.size
    expected = total * share
    statistic = float(((found - expected) ** 2 / expected).sum())
    if math.comb(total + arms - 1, arms - 1) <= _COMPOSITIONS:
        bars = np.array(list(itertools.combinations(range(total + arms - 1), arms - 1))).reshape(-1, arms - 1)
        edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, total + arms - 1)))
        chance = scipy.stats.multinomial.pmf(np.diff(edges, axis=1) - 1, total, share)
        own = scipy.stats.multinomial.pmf(found, total, share)
        return statistic, float(min(1.0, chance[chance <= own * (1 + 1e-7)].sum())), "точный полиномиальный критерий"
    if expected.min() >= 5:
        return statistic, float(scipy.stats.chi2.sf(statistic, arms - 1)), "критерий хи-квадрат"
    drawn = np.random.default_rng(seed).multinomial(total, share, size=DRAWS)
    as_far = (((drawn - expected) ** 2 / expected).sum(axis=1) >= statistic * (1 - _TIE)).sum()
    return statistic, float((as_far + 1) / (DRAWS + 1)), "критерий хи-квадрат, метод Монте-Карло"


def recruitment(
    sizes: FloatArray,
    allowed: Allowed,
    *,
    names: Sequence[str] = (),
    warn: float = WARN,
    fail: float = FAIL,
    level: float = 0.95,
    rule: Rule | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Check:
    """Centres assigned: did the arms attract unequal numbers of persons?

    How many centres each arm has follows from the design; how many persons came is an outcome. A difference may be
    the new service's own doing: then the persons of the arms are not alike, and figures per person mislead.

    Args:
        sizes: Persons of each assigned centre, shape (centres,).
        allowed: The observed assignment and those that could have happened.
        names: Names of the arms by code.
        warn: p-value from which it warns.
        fail: p-value from which it fails.
        level: Confidence level of the difference.
        rule: Disclosure control of the counts.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Returns:
        `estimate`: difference of persons per centre, last arm against the first (two arms only).
    """
    checked_thresholds(warn, fail)
    sizes = per_unit(sizes, allowed, "численность центра")
    arms = np.unique(allowed.codes)
    whole = np.array([sizes[allowed.codes == arm].sum() for arm in arms])
    rows, small = by_arm(named(arms, names), whole, None, ("persons", ""), rule)
    clusters = np.array([(allowed.codes == arm).sum() for arm in arms])
    rows = rows.assign(
        clusters=clusters, per_cluster=rows["persons"] / clusters, per_cluster_hidden=rows["persons_hidden"]
    )
    found = omnibus(sizes[:, None], allowed, draws=draws, seed=seed)
    p, least = found.p, found.smallest_p
    made = Check(
        "recruitment",
        "Численность клиентов в центрах разных групп",
        possible(p, least, warn, fail),
        found.statistic,
        p,
        allowed.codes.size,
        warn=warn,
        fail=fail,
        level=checked_level(level),
        method="рандомизационный критерий",
        smallest_p=least,
        exact=found.exact,
        reason=FEW if least > warn else "",
        rows=rows,
    )
    if arms.size == 2:
        over = randomisation.difference(
            sizes, np.ones(sizes.size), allowed, treated=int(arms[1]), control=int(arms[0]), draws=draws, seed=seed
        )
        low, high = over.interval(level)
        made = replace(made, estimate=over.estimate, low=low, high=high)
    return made.under(rule, small)


def center_attrition(
    lost: Sequence[bool],
    allowed: Allowed,
    *,
    names: Sequence[str] = (),
    warn: float = WARN,
    fail: float = FAIL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Check:
    """Whole centres without an outcome: as many as chance would give to each arm?

    With complete randomisation of two arms the p-value is that of the hypergeometric distribution (Fisher's exact
    test). A lost centre warns in any case: the comparison is no longer the one that was randomised.

    Args:
        lost: Whether the centre has no outcome at all, shape (centres,).
        allowed: The observed assignment of all centres, lost ones included.
        names: Names of the arms by code.
        warn: p-value from which it warns.
        fail: p-value from which it fails.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Returns:
        `estimate`: percent of centres lost.
    """
    checked_thresholds(warn, fail)
    gone = per_unit(np.asarray(lost, dtype=float), allowed, "потеря центра")
    arms = np.unique(allowed.codes)
    rows = pd.DataFrame({"arm": named(arms, names)})
    rows["clusters"] = [int((allowed.codes == arm).sum()) for arm in arms]
    rows["lost"] = [int(gone[allowed.codes == arm].sum()) for arm in arms]
    made = Check(
        "center_attrition",
        "Центры без результатов",
        "passed",
        0.0,
        1.0,
        gone.size,
        warn=warn,
        fail=fail,
        estimate=100 * float(gone.mean()),
        method="рандомизационный критерий",
        rows=rows,
    )
    if not gone.any():
        return made
    found = omnibus(gone[:, None], allowed, draws=draws, seed=seed)
    by_size: Verdict = "failed" if made.estimate > LOSS_FAIL else "warning"
    return replace(
        made,
        verdict=gravest(by_size, judged(found.p, warn=warn, fail=fail)),
        statistic=found.statistic,
        p=found.p,
        smallest_p=found.smallest_p,
        exact=found.exact,
    )


def person_attrition(
    missing: FloatArray,
    assigned: FloatArray,
    allowed: Allowed | None = None,
    *,
    names: Sequence[str] = (),
    treated: int = 1,
    control: int = 0,
    warn: float = WARN,
    fail: float = FAIL,
    level: float = 0.95,
    rule: Rule | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Check:
    """Persons without an outcome: as many in one arm as in the other?

    Args:
        missing: Persons without an outcome: of each centre, shape (centres,); without `allowed`, of each arm in the
            order of codes.
        assigned: Persons assigned, same shape.
        allowed: The assignment of the centres; None where persons were assigned one by one.
        names: Names of the arms by code.
        treated: Code of the arm of interest.
        control: Code of the arm it is compared with.
        warn: p-value from which it warns.
        fail: p-value from which it fails.
        level: Confidence level.
        rule: Disclosure control of the counts.
        draws: Assignments drawn where there are too many.
        seed: Of the draws.

    Returns:
        `estimate`: difference of the percentages missing; `rows`: persons, missing and share by arm.

    Raises:
        ParameterError: More missing than assigned, or lengths that do not agree.
    """
    checked_thresholds(warn, fail)
    gone, whole = checked(missing, "число людей без результата"), checked(assigned, "число людей")
    if gone.shape != whole.shape or (gone > whole).any() or np.isnan(gone + whole).any():
        raise ParameterError(
            "Людей без результата больше, чем назначенных, или ряды разной длины. Проверьте оба числа."
        )
    pair = np.array([control, treated])
    codes = np.arange(gone.size) if allowed is None else allowed.codes
    if codes.shape != gone.shape or not np.isin(pair, codes).all():
        raise ParameterError("Нет данных по одной из сравниваемых групп. Укажите числа по каждой назначенной единице.")
    counts = [np.array([one[codes == arm].sum() for arm in pair]) for one in (whole, gone)]
    label = [str(arm) for arm in pair] if not names else [names[arm] for arm in pair]
    rows, small = by_arm(label, counts[0], counts[1], ("persons", "missing"), rule)
    share = 100 * float(counts[1].sum() / counts[0].sum()) if counts[0].sum() else float("nan")
    made = Check(
        "person_attrition",
        "Люди без результатов",
        "not_checked",
        n=counts[0].sum(),
        unit="person",
        warn=warn,
        fail=fail,
        level=checked_level(level),
        rows=rows,
        reason="Нет ни одного назначенного человека.",
    )
    if not counts[0].all():
        return made
    by_size: Verdict = "failed" if share > LOSS_FAIL else "warning" if share > LOSS_WARN else "passed"
    if allowed is None:
        a, n, b, m = counts[1][1], counts[0][1], counts[1][0], counts[0][0]
        z = float(score_statistic(a, n, b, m)) if gone.any() else 0.0
        found = miettinen_nurminen(a, n, b, m, level=level)
        p = float(2 * scipy.special.ndtr(-abs(z)))
        made = replace(
            made,
            statistic=z,
            p=p,
            estimate=100 * found.estimate,
            low=100 * found.low,
            high=100 * found.high,
            method="критерий меток (Миеттинен — Нурминен)",
        )
    else:
        over = randomisation.difference(gone, whole, allowed, treated=treated, control=control, draws=draws, seed=seed)
        low, high = over.interval(level)
        p = over.p_value()
        made = replace(
            made,
            statistic=float(over.statistic()[0]),
            p=p,
            n=over.units,
            unit="cluster",
            estimate=100 * over.estimate,
            low=100 * low,
            high=100 * high,
            smallest_p=over.smallest_p,
            exact=over.exact,
            method="рандомизационный критерий",
        )
    return replace(made, verdict=gravest(by_size, judged(p, warn=warn, fail=fail)), reason="").under(rule, small)
