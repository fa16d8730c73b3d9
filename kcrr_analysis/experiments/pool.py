"""One pilot over several regions: random effects, Hartung-Knapp's interval, prediction interval for another region.

Regions differ, so the effects do; the model gives their mean and their spread tau. Tau squared is estimated by REML:
nearly unbiased and efficient for effects of any kind (Viechtbauer 2005; recommended by Langan et al. 2019); Paule and
Mandel's estimator is there for comparison. The interval is Hartung and Knapp's with k - 1 degrees of freedom, which
holds its level with few regions, and never narrower than the one without their factor (`max(1, q)`: Röver, Knapp &
Friede 2015). What to expect in one more region like these is the prediction interval (Higgins, Thompson &
Spiegelhalter 2009, k - 2 degrees of freedom; with Hartung and Knapp's error: Partlett & Riley 2017).

Regions that had few centres each have standard errors that are themselves known badly: with 3 against 3 centres, 4
degrees of freedom. Given `df`, each squared standard error is multiplied by df / (df - 2), the variance of Student's t:
then Cochran's Q has its nominal expectation and a region with a luckily small standard error does not get all the
weight. As that alone understates tau, the larger tau of the corrected and the given errors is taken. Where the centres
themselves are at hand, one randomisation test over all of them with the regions as strata is the primary analysis
(`randomisation.difference`); pooling then serves to tell how much regions differ.

Simulated at nominal 95 %, 3 to 10 regions of unlike noise (0.3 to 1.2), tau from 0 to 2, errors known or with 4
degrees of freedom a region: the interval of the mean covers in 95 to 100 % of pilots, the prediction interval in 97
to 100 % with 3 regions and in 84 to 99 % with 6 to 10, least where tau is like the errors.

Sources:
    Hartung J., Knapp G. (2001), Stat Med 20:1771. Sidik K., Jonkman J. (2002), Stat Med 21:3153.
    Röver C., Knapp G., Friede T. (2015), BMC Med Res Methodol 15:99. IntHout J., Ioannidis J., Borm G. (2014), ibid.
    14:25. Viechtbauer W. (2005), J Educ Behav Stat 30:261; (2007), Stat Med 26:37 (Q-profile). Langan D. et al.
    (2019), Res Synth Methods 10:83. Paule R., Mandel J. (1982), J Res Natl Bur Stand 87:377. Higgins J., Thompson S.
    (2002), Stat Med 21:1539. Higgins J., Thompson S., Spiegelhalter D. (2009), JRSS A 172:137. Partlett C., Riley R.
    (2017), Stat Med 36:301.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.asymptotic.student import student
from kcrr_analysis.experiments.outcomes import KINDS, Kind
from kcrr_analysis.stats import Difference, Estimate
from kcrr_analysis.stats.estimate import FloatArray, checked, checked_level

Method = Literal["reml", "paule_mandel"]

POOLED = "случайные эффекты, интервал Хартунга — Кнаппа"
COMMON = "общий эффект (обратные дисперсии)"
FEW = 12
"""With fewer regions tau is hardly known: the prediction interval may cover less often than its level says."""

_GRID = 400


@dataclass(frozen=True)
class Pooled:
    """One pilot's effects in several regions, together.

    Attributes:
        regions: One row a region: label, estimate, se (as given), df, low, high (its own interval), se_used
            (corrected for degrees of freedom), weight (% in the pooled effect), without (pooled effect without this
            region), without_low, without_high.
        estimate: Mean effect over regions, Hartung-Knapp limits, p-value, k - 1 degrees of freedom; `n` is the number
            of regions.
        prediction: Limits for the true effect in one more region like these; NaN with fewer than three.
        tau2: Variance of true effects between regions, with Q-profile limits.
        i2: Share of the spread of estimates that is not sampling error, %.
        q: Cochran's Q, with k - 1 degrees of freedom.
        q_p: p-value of "regions do not differ".
        common: The effect as if all regions had one (normal limits), for comparison.
        method: reml or paule_mandel.
        outcome: Russian name of the outcome, or empty.
        kind: What the outcome is; effects on a `proportion` are differences of shares.
        guarded: Whether Hartung and Knapp's factor was below 1 and not used.
        notes: What weakens the figures, in Russian.
        definition: What was computed, in Russian.
    """

    regions: pd.DataFrame
    estimate: Difference
    prediction: tuple[float, float]
    tau2: Estimate
    i2: float
    q: float
    q_p: float
    common: Estimate
    method: Method
    outcome: str
    kind: Kind
    guarded: bool
    notes: tuple[str, ...]
    definition: str = (
        "Средний эффект по регионам — взвешенное среднее эффектов регионов; вес тем больше, чем точнее оценка "
        "региона и чем меньше регионы различаются между собой. Прогноз — границы, в которых ожидается эффект "
        "в ещё одном таком же регионе; он шире интервала среднего, потому что включает различия между "
        "регионами."
    )

    def to_frame(self) -> pd.DataFrame:
        """One row a region, then the pooled effect and the prediction interval; `row` says which."""
        whole, k = self.estimate, len(self.regions)
        low, high = self.prediction
        rows = [
            {
                "row": "mean",
                "label": "",
                "estimate": whole.estimate,
                "se": whole.se,
                "df": whole.df,
                "low": whole.low,
                "high": whole.high,
                "p": whole.p,
                "tau2": self.tau2.estimate,
                "i2": self.i2,
                "q": self.q,
                "regions": k,
                "method": whole.method,
            },
            {
                "row": "prediction",
                "label": "",
                "low": low,
                "high": high,
                "df": float(k - 2),
            },
        ]
        frame = pd.concat([self.regions.assign(row="region"), pd.DataFrame(rows)], ignore_index=True)
        return frame.assign(level=whole.level)


@dataclass(frozen=True)
class _Fit:
    tau2: float
    weight: FloatArray
    mean: float
    se: float
    guarded: bool


def pool(
    estimates: Any,
    ses: Any,
    labels: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    df: Any = None,
    method: Method = "reml",
    outcome: str = "",
    kind: Kind = "mean",
) -> Pooled:
    """Effects of one pilot in several regions, together.

    Args:
        estimates: Effect in each region, on one scale, shape (regions,).
        ses: Standard errors.
        labels: Names of the regions.
        level: Confidence level.
        df: Degrees of freedom of each standard error (one number or one a region; NaN: many). Without them the standard
            errors count as known.
        method: Estimator of tau squared.
        outcome: Russian name of the outcome, for reports.
        kind: What the outcome is; effects on a `proportion` are differences of shares, from -1 to 1.

    Raises:
        ParameterError: Unlike lengths, missing values, standard errors that are not positive, labels that repeat, an
            unknown method, or degrees of freedom of 2 and less.
        NotComputableError: Fewer than two regions.
    """
    level = checked_level(level)
    y = np.atleast_1d(checked(estimates, "эффекты регионов", low=-np.inf))
    se = np.atleast_1d(checked(ses, "стандартные ошибки"))
    names, freedom = _checked(y, se, labels, df)
    if method not in ("reml", "paule_mandel"):
        raise ParameterError(f"Метод «{method}» неизвестен. Укажите одно из: reml, paule_mandel.")
    if kind not in KINDS:
        raise ParameterError(f"Вид исхода «{kind}» неизвестен. Укажите одно из: {', '.join(KINDS)}.")
    variance = se**2 * np.where(np.isnan(freedom), 1.0, freedom / (freedom - 2))
    fit, k = _fitted(y, variance, se**2, method), y.size
    estimate = _estimate(fit, k, level)
    prediction = (np.nan, np.nan)
    if k > 2:
        reach = float(scipy.special.stdtrit(k - 2, 0.5 + level / 2)) * float(np.hypot(np.sqrt(fit.tau2), fit.se))
        prediction = (fit.mean - reach, fit.mean + reach)
    weight = 1 / variance
    mean, q = _common(y, weight), _q(y, variance, 0.0)
    typical = (k - 1) * weight.sum() / (weight.sum() ** 2 - (weight**2).sum())
    z = float(scipy.special.ndtri(0.5 + level / 2)) / float(np.sqrt(weight.sum()))
    own = scipy.special.stdtrit(np.where(np.isnan(freedom), 1e9, freedom), 0.5 + level / 2) * se
    unknown = Difference(np.nan, np.nan, np.nan, level, POOLED)
    rest = [unknown] * k
    if k > 2:
        rest = [_estimate(_fitted(*parts, method), k - 1, level) for parts in _left_out(y, variance, se**2)]
    regions = pd.DataFrame(
        {
            "label": names,
            "estimate": y,
            "se": se,
            "df": freedom,
            "low": y - own,
            "high": y + own,
            "se_used": np.sqrt(variance),
            "weight": 100 * fit.weight / fit.weight.sum(),
            "without": [one.estimate for one in rest],
            "without_low": [one.low for one in rest],
            "without_high": [one.high for one in rest],
        }
    )
    return Pooled(
        regions=regions,
        estimate=estimate,
        prediction=prediction,
        tau2=_profiled(y, variance, se**2, fit.tau2, level),
        i2=float(100 * fit.tau2 / (fit.tau2 + typical)),
        q=q,
        q_p=float(scipy.special.chdtrc(k - 1, q)),
        common=Estimate(mean, mean - z, mean + z, level, COMMON, float(k), float(1 / np.sqrt(weight.sum()))),
        method=method,
        outcome=outcome,
        kind=kind,
        guarded=fit.guarded,
        notes=tuple(_notes(k, freedom, df)),
    )


def _checked(y: FloatArray, se: FloatArray, labels: Sequence[str] | None, df: Any) -> tuple[list[str], FloatArray]:
    if y.shape != se.shape or y.ndim != 1:
        raise ParameterError(f"Эффектов {y.size}, стандартных ошибок {se.size}: нужно по одной на регион.")
    if np.isnan(y).any() or np.isnan(se).any() or not (se > 0).all():
        raise ParameterError(
            "У каждого региона должны быть эффект и положительная стандартная ошибка. Уберите регионы, где их нет."
        )
    if y.size < 2:
        raise NotComputableError("Сводить нечего: результат есть только в одном регионе. Нужно не меньше двух.")
    names = [f"Регион {place + 1}" for place in range(y.size)] if labels is None else [str(one) for one in labels]
    if len(names) != y.size or len(set(names)) != y.size:
        raise ParameterError("Названий регионов должно быть столько же, сколько эффектов, и без повторов.")
    freedom = checked(np.nan if df is None else df, "степени свободы")
    if freedom.shape not in ((), y.shape):
        raise ParameterError(f"Степеней свободы {freedom.size}, регионов {y.size}: нужно по одной на регион или одна.")
    freedom = np.broadcast_to(freedom, y.shape).astype(float)
    if (freedom <= 2).any():
        few = ", ".join(name for name, low in zip(names, (freedom <= 2).tolist(), strict=True) if low)
        raise ParameterError(
            f"Степеней свободы не больше двух: {few}. По такой ошибке вес региона не определить. Объедините центры "
            "всех регионов в одном перестановочном критерии с регионами как стратами или исключите регион."
        )
    return names, freedom


def _fitted(y: FloatArray, variance: FloatArray, given: FloatArray, method: Method) -> _Fit:
    """The model with corrected variances; tau squared is the larger of those by the corrected and by the given ones."""
    both = (variance,) if np.array_equal(variance, given) else (variance, given)
    tau2 = max(_reml(y, one) if method == "reml" else _crossing(y, one, float(y.size - 1)) for one in both)
    weight = 1 / (variance + tau2)
    mean = _common(y, weight)
    factor = float(weight @ (y - mean) ** 2) / max(y.size - 1, 1)
    return _Fit(tau2, weight, mean, float(np.sqrt(max(1.0, factor) / weight.sum())), factor < 1)


def _estimate(fit: _Fit, k: int, level: float) -> Difference:
    return student(fit.mean, fit.se, float(k - 1), level=level, method=POOLED, n=float(k))


def _common(y: FloatArray, weight: FloatArray) -> float:
    return float(weight @ y / weight.sum())


def _q(y: FloatArray, variance: FloatArray, tau2: float) -> float:
    """Cochran's Q with weights for `tau2`."""
    weight = 1 / (variance + tau2)
    return float(weight @ (y - _common(y, weight)) ** 2)


def _crossing(y: FloatArray, variance: FloatArray, value: float) -> float:
    """The tau squared at which Q, which falls with it, takes the value; 0 where it is below from the start."""
    if _q(y, variance, 0.0) <= value:
        return 0.0
    high = float(variance.max() + y.var(ddof=1))
    while _q(y, variance, high) > value:
        high *= 4
    return float(scipy.optimize.brentq(lambda tau2: _q(y, variance, tau2) - value, 0.0, high, xtol=1e-14 * high))


def _reml(y: FloatArray, variance: FloatArray) -> float:
    """The largest restricted likelihood, first on a grid (it may have several peaks), then by its derivative."""
    top = 4 * float(y.var(ddof=1)) + float(variance.max())
    grid = np.concatenate([[0.0], np.geomspace(top * 1e-8, top, _GRID)])
    weight = 1 / (variance + grid[:, None])
    total = weight.sum(axis=1)
    mean = weight @ y / total
    likelihood = np.log(weight).sum(axis=1) - np.log(total) - (weight * (y - mean[:, None]) ** 2).sum(axis=1)
    best = int(likelihood.argmax())

    def slope(tau2: float) -> float:
        own = 1 / (variance + tau2)
        return float(-own.sum() + own @ own / own.sum() + own**2 @ (y - _common(y, own)) ** 2)

    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, _GRID)])
    if slope(low) <= 0 or slope(high) >= 0:
        return float(grid[best])
    return float(scipy.optimize.brentq(slope, low, high, xtol=1e-14 * top))


def _profiled(y: FloatArray, variance: FloatArray, given: FloatArray, tau2: float, level: float) -> Estimate:
    """Tau squared with Q-profile limits: the lower one by corrected variances, the upper one by the given ones."""
    tail, k = (1 - level) / 2, y.size
    low = _crossing(y, variance, float(scipy.special.chdtri(k - 1, tail)))
    high = _crossing(y, given, float(scipy.special.chdtri(k - 1, 1 - tail)))
    return Estimate(tau2, low, high, level, "Q-профиль", float(k))


def _left_out(
    y: FloatArray, variance: FloatArray, given: FloatArray
) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    return [(np.delete(y, at), np.delete(variance, at), np.delete(given, at)) for at in range(y.size)]


def _notes(k: int, freedom: FloatArray, given: Any) -> list[str]:
    notes = []
    if k < 3:
        notes.append("Регионов два: прогноза для ещё одного региона нет, различия между регионами почти не оценить.")
    elif k < FEW:
        notes.append(
            f"Регионов мало ({k}): различия между ними известны плохо, прогноз для ещё одного региона приблизительный: "
            "эффект в нём может оказаться за этими границами чаще, чем обещает их уровень."
        )
    known = freedom[~np.isnan(freedom)]
    if known.size and known.min() < 10:
        notes.append(
            "В регионах мало центров, и сами стандартные ошибки известны неточно: они увеличены с учётом степеней "
            "свободы. Главным считайте перестановочный критерий по всем центрам с регионами как стратами."
        )
    if given is None:
        notes.append(
            "Степени свободы стандартных ошибок не указаны: ошибки приняты за точно известные. При малом числе "
            "центров в регионах это завышает точность."
        )
    return notes
