"""A format that some centres began of their own will, read afterwards from the region's monthly flow.

Nothing was randomised and nothing planned beforehand: difference-in-differences, what speaks against its assumption
(event study, earlier dates) and a synthetic control as a second opinion, all on percentages of each centre's own mean
before the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis import disclosure
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.not_randomised.did import DifferenceInDifferences, difference_in_differences
from kcrr_analysis.experiments.not_randomised.event_study import EventStudy, event_study
from kcrr_analysis.experiments.not_randomised.group_time import Control
from kcrr_analysis.experiments.not_randomised.panel import panel
from kcrr_analysis.experiments.not_randomised.staggered import Staggered, staggered
from kcrr_analysis.experiments.not_randomised.synthetic import SyntheticControl, synthetic_control
from kcrr_analysis.tables import Tables
from kcrr_analysis.tables.contracts import TABLES

TOTAL = "all"

BLOCK = 3
"""Months in a block of the event study: single months are too noisy to show a trend."""


@dataclass(frozen=True)
class AfterTheFact:
    """What the monthly flow says about a format that some centres began of their own will.

    Attributes:
        region_code: The region.
        month: Last month used.
        outcome: Column of `flow`.
        title: Russian name of the outcome.
        names: Name of each treated centre, or its code.
        did: Difference-in-differences, in percent of each centre's own mean before the start; a mean over centres.
        study: Event study in blocks of months; None with too short a history.
        twin: Synthetic control; None with fewer than two other centres.
        count_before: Mean monthly count of a treated centre before the start, on average over the treated centres.
        count_after: The same from the start on.
        small: Whether small counts that disclosure control marks are among the data (internal mode only).
        definition: What is compared with what, in Russian.
    """

    region_code: str
    month: pd.Period
    outcome: str
    title: str
    names: tuple[str, ...]
    did: DifferenceInDifferences
    study: EventStudy | None
    twin: SyntheticControl | None
    count_before: float
    count_after: float
    small: bool
    definition: str = (
        "Каждый центр сравнивается с самим собой: его месячный показатель делится на своё среднее до начала нового "
        "формата. Оценка — на сколько процентов прежнего уровня центры с новым форматом изменились сильнее остальных "
        "центров региона, в среднем на один центр. Центры с форматом выбраны не случайно."
    )

    def to_frame(self) -> pd.DataFrame:
        """One row a method: estimate with limits, p-value and numbers of centres."""
        did = self.did
        rows = [{"method": "difference_in_differences", "estimate": did.estimate, "low": did.low, "high": did.high,
                 "p_value": did.p_value, "smallest_p": did.smallest_p}]  # fmt: skip
        if self.twin is not None:
            twin = self.twin
            rows.append({"method": "synthetic_control", "estimate": twin.effect, "low": twin.low, "high": twin.high,
                         "p_value": twin.p_value, "smallest_p": twin.smallest_p})  # fmt: skip
        return pd.DataFrame(rows).assign(
            region_code=self.region_code, outcome=self.outcome, start=str(did.start), month=str(self.month), unit="%",
            level=did.level, treated=len(did.treated), controls=len(did.controls), count_before=self.count_before,
            count_after=self.count_after, definition=self.definition,
        )  # fmt: skip


@dataclass(frozen=True)
class PhasedIn:
    """What the monthly flow says about a format that centres began at different times of their own will.

    Attributes:
        region_code: The region.
        month: Last month used.
        outcome: Column of `flow`.
        title: Russian name of the outcome.
        names: Name of each treated centre, or its code.
        effects: By group, month and time since the start, in percent of each centre's own mean before the first start.
        small: Whether small counts that disclosure control marks are among the data (internal mode only).
        definition: What is compared with what, in Russian.
    """

    region_code: str
    month: pd.Period
    outcome: str
    title: str
    names: tuple[str, ...]
    effects: Staggered
    small: bool
    definition: str = (
        "Каждый центр сравнивается с самим собой: его месячный показатель делится на своё среднее до первого начала "
        "формата в регионе. Изменение в центре с последнего месяца перед началом формата сравнивается с изменением "
        "центров, где формата ещё нет. Отсчёт от одного месяца делает интервал широким. Центры с форматом выбраны не "
        "случайно."
    )

    def to_frame(self) -> pd.DataFrame:
        """One row an effect, with region, outcome and definition."""
        return self.effects.to_frame().assign(
            region_code=self.region_code, outcome=self.outcome, month=str(self.month), unit="%",
            definition=self.definition,
        )  # fmt: skip


def after_the_fact(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    treated: Sequence[str] | str,
    start: str | pd.Period,
    outcome: str = "applied",
    alpha: float = 0.05,
    rule: disclosure.Rule | None = None,
) -> AfterTheFact:
    """Whether centres that began a new format changed otherwise than the region's other centres.

    Args:
        tables: Data with the table `flow`.
        region: Region code.
        month: Last month to use; the last one on record by default.
        treated: Codes of the centres with the new format.
        start: First month of the format.
        outcome: Column of `flow`: monthly counts of the centres.
        alpha: Level of the tests.
        rule: Disclosure control: other centres with small counts are left out, a treated one makes the figure
            impossible.

    Raises:
        MissingTableError: There is no table `flow`.
        NotComputableError: No monthly rows of the centres, a treated centre with small counts, or too short a history.
        ParameterError: Unknown outcome or centre, or a start outside the data.
    """
    chosen = [treated] if isinstance(treated, str) else [str(one) for one in treated]
    rows, small = _shown(_rows(tables, region, month, outcome), chosen, rule)
    data = panel(rows, outcome="value", treated=chosen, start=start, scale="relative", gaps="leave_out")
    did = difference_in_differences(data, alpha=alpha)
    at = data.start
    counts = data.totals[data.treated].mean(axis=0)
    return AfterTheFact(
        region_code=region,
        month=data.periods[-1],
        outcome=outcome,
        title=TABLES["flow"].columns[outcome].title,
        names=_names(tables, did.treated),
        did=did,
        study=event_study(data, length=BLOCK, alpha=alpha) if at >= 2 * BLOCK else None,
        twin=synthetic_control(data, alpha=alpha) if len(did.controls) >= 2 and at >= 2 else None,
        count_before=float(counts[:at].mean()),
        count_after=float(counts[at:].mean()),
        small=small,
    )


def phased_in(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    starts: Mapping[str, str | pd.Period],
    outcome: str = "applied",
    control: Control = "not_yet",
    alpha: float = 0.05,
    rule: disclosure.Rule | None = None,
) -> PhasedIn:
    """The same where centres began at different times, none of them drawn by lot.

    Args:
        tables: Data with the table `flow`.
        region: Region code.
        month: Last month to use; the last one on record by default.
        starts: First month of the format by centre.
        outcome: Column of `flow`: monthly counts of the centres.
        control: Whether centres that had not begun yet serve as controls, too.
        alpha: Level of the tests.
        rule: Disclosure control, as in `after_the_fact`.

    Raises:
        MissingTableError: There is no table `flow`.
        NotComputableError: No monthly rows of the centres, or a treated centre with small counts.
        ParameterError: Unknown outcome or centre, or a start outside the data.
    """
    rows, small = _shown(_rows(tables, region, month, outcome), list(starts), rule)
    data = panel(rows, outcome="value", treated=starts, scale="relative", gaps="leave_out")
    treated = data.named(data.treated)
    return PhasedIn(
        region_code=region,
        month=data.periods[-1],
        outcome=outcome,
        title=TABLES["flow"].columns[outcome].title,
        names=_names(tables, treated),
        effects=staggered(data, control=control, alpha=alpha),
        small=small,
    )


def _shown(rows: pd.DataFrame, treated: Sequence[str], rule: disclosure.Rule | None) -> tuple[pd.DataFrame, bool]:
    """The rows without values that may not be published, and whether values to be marked are left among them.

    Raises:
        NotComputableError: A treated centre has such values.
    """
    hidden = rows["hidden"] | (rule.small(rows["value"]) if rule is not None else False)
    if rule is None or not rule.public:
        return rows, bool(hidden.any())
    whose = sorted(set(rows.loc[hidden, "center_id"]) & set(treated))
    if whose:
        raise NotComputableError(
            f"У центров {', '.join(whose)} есть месяцы с малыми числами: в открытом отчёте они скрываются, и оценка по "
            "ним не публикуется. Возьмите более крупный показатель или служебный режим."
        )
    return rows.assign(value=rows["value"].mask(hidden)), False


def _rows(tables: Tables, region: str, month: str | pd.Period | None, outcome: str) -> pd.DataFrame:
    """Monthly counts of the region's centres: center_id, month, value, hidden."""
    flow = tables.flow
    known = TABLES["flow"].columns.get(outcome)
    if known is None or known.dtype != "Int64" or outcome not in flow:
        raise ParameterError(
            f"Показателя «{outcome}» нет среди чисел таблицы flow. Укажите, например, applied или clients_served."
        )
    own = flow[
        (flow["scope"] == "center")
        & (flow["period"] == "month")
        & (flow["client_group"] == TOTAL)
        & (flow["region_code"] == region)
    ]
    last = own["month"].max() if month is None else pd.Period(month, freq="M")
    own = own[own["month"] <= last]
    if own.empty:
        raise NotComputableError(
            f"В таблице flow нет помесячных строк центров региона {region} (scope = center, client_group = all). "
            "Добавьте их или проверьте код региона."
        )
    hidden = own[f"{outcome}_hidden"].astype(bool) if f"{outcome}_hidden" in own else False
    return pd.DataFrame(
        {
            "center_id": own["center_id"].astype(str),
            "month": own["month"],
            "value": own[outcome].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
            "hidden": hidden,
        }
    )


def _names(tables: Tables, treated: Sequence[str]) -> tuple[str, ...]:
    """Names of the centres; codes where the data have no names."""
    known = tables.get("centers")
    if known is None:
        return tuple(treated)
    names = known.dropna(subset=["center_id"]).set_index("center_id")["center_name"].dropna()
    return tuple(str(names.get(one, one)) for one in treated)
