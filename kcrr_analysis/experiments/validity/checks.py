"""What a check of a pilot found, and all checks of one pilot together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.stats.estimate import FloatArray

Verdict: TypeAlias = Literal["passed", "warning", "failed", "not_checked"]

WARN = 0.05
"""A check over the allowed assignments warns at this p-value: with few centres a stricter limit would see nothing."""

FAIL = 0.01
"""The same check says that the pilot cannot be trusted."""

FEW = "По столь малому числу центров проверка не может ничего обнаружить: наименьшее возможное p больше порога."

_GRAVITY: dict[Verdict, int] = {"passed": 0, "not_checked": 1, "warning": 2, "failed": 3}


@dataclass(frozen=True, eq=False)
class Check:
    """One question to a pilot: can its figures be trusted?

    Attributes:
        code: What was asked: sample_ratio, recruitment, center_attrition, person_attrition, balance, placebo,
            contamination, simultaneous.
        title: The same in Russian.
        verdict: passed (nothing seen), warning, failed (the effect cannot be trusted), not_checked (see `reason`).
        statistic: The check's statistic; NaN where there is none.
        p: Its p-value; NaN where nothing is tested.
        n: Independent units behind it (persons or centres).
        unit: person or cluster.
        warn: p-value (or size, for checks without one) from which it warns.
        fail: From which it fails.
        estimate: Size of what was found; what it measures is said in the function that makes the check.
        low: Lower limit of the size.
        high: Upper limit.
        level: Confidence level of the limits.
        method: Russian name of the method.
        reason: Why it was not checked, in Russian, or empty.
        smallest_p: No p-value of this design could be smaller.
        exact: Whether the p-value has no Monte Carlo error.
        rows: The table behind it (one row an arm, covariate, method ...), with `<column>_hidden` for counts of persons.
        hidden: Whether the figures rest on a small count: withheld in public mode, marked in internal mode.
    """

    code: str
    title: str
    verdict: Verdict
    statistic: float = float("nan")
    p: float = float("nan")
    n: float = float("nan")
    unit: Literal["person", "cluster"] = "cluster"
    warn: float = WARN
    fail: float = FAIL
    estimate: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    level: float = 0.95
    method: str = ""
    reason: str = ""
    smallest_p: float = 0.0
    exact: bool = True
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    hidden: bool = False

    def to_frame(self) -> pd.DataFrame:
        """One row with every figure but the table behind it."""
        return pd.DataFrame([{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "rows"}])

    def under(self, rule: Rule | None, small: bool) -> Check:
        """The check with the figures that a small count of persons would be computed from withheld (public mode).

        Args:
            rule: Mode and threshold.
            small: Whether disclosure control hides one of the counts behind the figures.
        """
        if rule is None or not small:
            return self
        if not rule.public:
            return replace(self, hidden=True)
        nothing = float("nan")
        return replace(self, statistic=nothing, p=nothing, estimate=nothing, low=nothing, high=nothing, hidden=True)


@dataclass(frozen=True, eq=False)
class Validity:
    """The checks of one pilot.

    Attributes:
        checks: In the order of the report.
    """

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict; `not_checked` where nothing at all was checked."""
        done = [check.verdict for check in self.checks if check.verdict != "not_checked"]
        return max(done, key=_GRAVITY.__getitem__, default="not_checked")

    def to_frame(self) -> pd.DataFrame:
        """One row a check."""
        if not self.checks:
            return pd.DataFrame(columns=[name for name in Check.__dataclass_fields__ if name != "rows"])
        return pd.concat([check.to_frame() for check in self.checks], ignore_index=True)


def judged(p: float, *, warn: float = WARN, fail: float = FAIL) -> Verdict:
    """The verdict of a p-value."""
    if np.isnan(p):
        return "not_checked"
    return "failed" if p <= fail else "warning" if p <= warn else "passed"


def gravest(*verdicts: Verdict) -> Verdict:
    """The gravest of several verdicts."""
    return max(verdicts, key=_GRAVITY.__getitem__)


def checked_thresholds(warn: float, fail: float) -> None:
    """Refuses limits that cannot order the verdicts.

    Raises:
        ParameterError: Not 0 < fail <= warn < 1.
    """
    if not 0 < fail <= warn < 1:
        raise ParameterError(
            f"Пороги проверки {warn:g} и {fail:g} недопустимы. Укажите числа от 0 до 1, порог отказа не больше порога "
            "предупреждения."
        )


def hidden_cells(counts: FloatArray, rule: Rule | None) -> NDArray[np.bool_]:
    """Which cells of a two-way table of persons, margins included, may not be shown.

    Args:
        counts: Shape (rows, columns): disjoint groups of persons.
        rule: Mode and threshold; None hides nothing.

    Returns:
        Shape (rows + 1, columns + 1): the cells, the sums of rows in the last column, of columns in the last row.
    """
    height, width = counts.shape
    shape = (height + 1, width + 1)
    if rule is None:
        return np.zeros(shape, dtype=bool)
    from kcrr_analysis.disclosure import Tie, withhold  # scipy.optimize is slow to import

    whole = np.zeros(shape)
    whole[:height, :width] = counts
    whole[height] = whole.sum(axis=0)
    whole[:, width] = whole.sum(axis=1)
    row, column = (place.ravel() for place in np.indices(shape))
    frame = pd.DataFrame({"row": row, "column": column, "persons": whole.ravel()})
    ties = (Tie(("row",), column == width), Tie(("column",), row == height))
    flags = withhold(frame, {"persons": ()}, ties, rule)["persons_hidden"]
    return np.asarray(flags, dtype=bool).reshape(shape)


def by_arm(
    names: Sequence[str], whole: FloatArray, part: FloatArray | None, columns: tuple[str, str], rule: Rule | None
) -> tuple[pd.DataFrame, bool]:
    """Persons of each arm, those among them with a mark, and their share, under disclosure control.

    Args:
        names: Arms.
        whole: Persons of each arm.
        part: Those among them that are marked; None where only the whole is published.
        columns: Names of the two counts.
        rule: Mode and threshold.

    Returns:
        One row an arm: arm, the counts, share (%), and `<column>_hidden`; and whether anything is hidden.
    """
    pieces = whole[:, None] if part is None else np.column_stack([part, whole - part])
    flags = hidden_cells(pieces, rule)
    own = flags[:-1]
    frame = pd.DataFrame({"arm": list(names), columns[0]: whole, f"{columns[0]}_hidden": own[:, -1]})
    if part is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            share = 100 * part / whole
        derived = np.asarray(own.any(axis=1), dtype=bool)
        frame[columns[1]] = part
        frame["share"] = share
        for column in (columns[1], "share"):
            frame[f"{column}_hidden"] = derived
    if rule is not None and rule.public:
        for column in [name for name in map(str, frame) if f"{name}_hidden" in frame]:
            frame[column] = frame[column].mask(frame[f"{column}_hidden"])
    return frame, bool(flags.any())
