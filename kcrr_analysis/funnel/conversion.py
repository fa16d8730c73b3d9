"""Penetration and conversion of promotion by any column, with cost, plan and comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kcrr_analysis import costs, methodology
from kcrr_analysis.costs import Rates
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.funnel import joint_withholding, placements
from kcrr_analysis.funnel.joint_withholding import Codes, Margin
from kcrr_analysis.funnel.placements import ACTIONS, BASES, MIN_PLACEMENTS, PERSONS, Floats
from kcrr_analysis.methodology import Methodology
from kcrr_analysis.tables import ALL

SMALL_COUNT = 10
"""Under this many target actions a share is flagged: one action more or less moves it by more than a tenth."""

PLANNED = {"planned_clients": "customers"} | {f"planned_{name}": name for name in ("impressions", "clicks", *ACTIONS)}
"""Columns of a plan -> the count that they plan."""

DEFAULT_TARGETS = ("applications", "leads", "registrations", "customers", *ACTIONS[:4][::-1])
"""The first of these that is recorded is the target action where none is named."""

DIFFERENCES = tuple(f"difference_per_{base}" for base in BASES)

INTERVAL = (
    "Единица наблюдения — размещение: интервал — для отношения сумм по размещениям и относится к доле, которую дают "
    "такие размещения. Как запись случившегося доля — сплошной учёт. Интервала нет, если размещений "
    f"меньше {MIN_PLACEMENTS} или действие ни разу не записано."
)
_NONE = {
    "tool_id": "Инструмент не указан",
    "campaign": "Кампания не указана",
    "client_group": "Группа не указана",
    "center_id": "Регион в целом, без центра",
}


@dataclass(frozen=True)
class Conversion:
    """Promotion by the levels of some columns.

    Attributes:
        by: Columns that make the levels.
        target: The target action that levels are compared by.
        level: Confidence level; 1 - level is the error budget of all comparisons together.
        first: Earliest start of a placement.
        last: Latest end of a placement.
        rows: One row a level, then one with `total` set. `by` columns; title (Russian); total; placements; counts
            (impressions, clicks, sessions, bounces, video_starts, full_views, every target action; NaN where recorded
            nowhere) with `<count>_recorded` (placements where it is); cost, internal_cost (roubles); click_rate,
            bounce_rate, mean_scroll, full_view_rate (%), mean_time (s), cost_per_click; for every target action
            `<action>_per_impression`, `<action>_per_click` (%), `cost_per_<action>` (roubles); each ratio with `_low`,
            `_high`, `_n` (placements where both parts are recorded; only these are used); difference_per_impression,
            difference_per_click of the target from all other placements (percentage points; `_low`, `_high` for this
            level alone, `_p` adjusted over all comparisons, `_differs` 1, -1, 0 or NaN where not compared);
            `planned_<count>`, `plan_done_<count>` (%) where a plan is given; small (few target actions);
            few_placements (no intervals); `_hidden` beside what disclosure control decides on.
        compared: Number of comparisons in the error budget.
        cost_definition: What is in the cost, in Russian.
        money_unit: Unit of the costs.
        cost_gaps: What the costs lack, in Russian.
        definition: What is counted, in Russian.
        interval: What the intervals are, in Russian.
    """

    by: tuple[str, ...]
    target: str
    level: float
    first: pd.Timestamp
    last: pd.Timestamp
    rows: pd.DataFrame
    compared: int
    cost_definition: str
    cost_gaps: tuple[str, ...]
    money_unit: str = "₽"
    definition: str = (
        "Доля — сумма целевых действий, делённая на сумму показов или переходов тех размещений, где записаны обе. "
        "Стоимость действия — полные расходы, делённые на число действий. Размещение относится к месяцу своего начала. "
        "Сравнение с остальными не доказывает причины: аудитория, срок и материал размещений различаются."
    )
    interval: str = INTERVAL

    def to_frame(self) -> pd.DataFrame:
        """One row a level and a total row, with definition, period and interval beside the figures."""
        return self.rows.assign(
            period=f"{self.first:%Y-%m-%d}..{self.last:%Y-%m-%d}",
            target=self.target,
            level=self.level,
            interval=self.interval,
            definition=f"{self.definition} {self.cost_definition}",
        )

    @property
    def total(self) -> pd.Series:
        """The row of all placements."""
        return self.rows[self.rows["total"]].iloc[0]

    @property
    def levels(self) -> pd.DataFrame:
        """The rows without the total."""
        return self.rows[~self.rows["total"]]


def conversion(
    promotion: pd.DataFrame,
    by: str | Sequence[str] = ("tool_id",),
    *,
    plan: pd.DataFrame | None = None,
    rates: Rates | None = None,
    target: str | None = None,
    level: float = 0.95,
    money_unit: str = "₽",
    names: Mapping[str, Mapping[str, str]] | None = None,
    rule: Rule | None = None,
) -> Conversion:
    """Penetration and conversion of promotion by tool, campaign, group, centre, region, month or any other column.

    A count that was recorded in no placement of a level is missing, not zero. A ratio uses the placements where both
    its parts are recorded.

    Args:
        promotion: Table `promotion`; extra columns may stand in `by`.
        by: Columns that make the levels; `month` is the month of `period_start`. May be empty (the total alone).
        plan: Planned counts: the `by` columns and `planned_clients` (compared with customers) or `planned_<count>`.
            With a column client_group that is not in `by`, only its rows `all` are used, for groups overlap.
        rates: Rate of an hour and overhead; without them the cost is external and direct spend.
        target: Target action to compare levels by; by default applications, leads or the deepest that is recorded.
        level: Confidence level.
        money_unit: Unit of the costs, where a foreign file has another than roubles.
        names: Column -> code -> Russian name; the packaged dictionaries for tools, groups and regions by default.
        rule: Disclosure rule; None leaves every figure as it is.

    Raises:
        ParameterError: A column or target that is not there.
        NotComputableError: No placement.
    """
    columns = (by,) if isinstance(by, str) else tuple(by)
    return conversions(
        promotion,
        [columns],
        plan=plan,
        rates=rates,
        target=target,
        level=level,
        money_unit=money_unit,
        names=names,
        rule=rule,
    )[0]


def conversions(
    promotion: pd.DataFrame,
    margins: Sequence[Sequence[str]],
    *,
    plan: pd.DataFrame | None = None,
    rates: Rates | None = None,
    target: str | None = None,
    level: float = 0.95,
    money_unit: str = "₽",
    names: Mapping[str, Mapping[str, str]] | None = None,
    rule: Rule | None = None,
) -> tuple[Conversion, ...]:
    """`conversion` by several sets of columns, published together: disclosure control sees all their rows at once.

    The error budget of comparisons is one for each set.

    Args:
        promotion: Table `promotion`.
        margins: One set of columns a result.
        plan: See `conversion`.
        rates: See `conversion`.
        target: See `conversion`.
        level: See `conversion`.
        money_unit: See `conversion`.
        names: See `conversion`.
        rule: See `conversion`.

    Raises:
        ParameterError: A column or target that is not there.
        NotComputableError: No placement.
    """
    if promotion.empty:
        raise NotComputableError(
            "В таблице promotion нет размещений за выбранный период. Дополните её или смените период."
        )
    rates = costs.UNKNOWN if rates is None else rates
    values = placements.measures(promotion, rates)
    chosen = _target(target, values)
    titles = _names(names)
    found = [
        _margin(promotion, tuple(columns), values=values, target=chosen, level=level, names=titles)
        for columns in margins
    ]
    if plan is not None:
        found = [
            replace(margin, rows=_planned(margin.rows, plan, tuple(columns), promotion))
            for margin, columns in zip(found, margins, strict=True)
        ]
    shown = joint_withholding.withhold(
        found, values, {name: _derived(name, chosen, found[0].rows) for name in PERSONS}, rule
    )
    return tuple(
        Conversion(
            by=tuple(columns),
            target=chosen,
            level=level,
            first=promotion["period_start"].min(),
            last=promotion["period_end"].max(),
            rows=rows.assign(small=rows[chosen] < SMALL_COUNT),
            compared=int(margin.rows[[f"{name}_p" for name in DIFFERENCES]].notna().sum().sum()),
            cost_definition=rates.definition,
            cost_gaps=costs.gaps(promotion, rates),
            money_unit=money_unit,
        )
        for columns, margin, rows in zip(margins, found, shown, strict=True)
    )


def _margin(
    promotion: pd.DataFrame,
    by: tuple[str, ...],
    *,
    values: Mapping[str, Floats],
    target: str,
    level: float,
    names: Mapping[str, Mapping[str, str]],
) -> Margin:
    keys, codes = _keyed(promotion, by)
    sets = [codes == code for code in range(len(keys))] if by else []
    every = np.ones(len(promotion), bool)
    rows = pd.DataFrame([placements.figures(values, rows, level) for rows in (*sets, every)])
    compared = placements.against_the_rest(values, codes, target, level)
    rows = rows.join(compared if by else compared.iloc[:0])
    titles = [*_titles(keys, names), "Всего"] if by else ["Всего"]
    rows = pd.concat([keys.reindex(range(len(rows))), rows.assign(title=titles)], axis=1)
    rows["total"] = rows.index == len(rows) - 1
    rows["few_placements"] = rows["placements"] < MIN_PLACEMENTS
    order = [*by, "title", "total", "placements"]
    return Margin(rows[[*order, *rows.columns.difference(order, sort=False)]], codes)


def _keyed(promotion: pd.DataFrame, by: tuple[str, ...]) -> tuple[pd.DataFrame, Codes]:
    """The levels in order, one row each, and the level of each placement."""
    frame = promotion
    if "month" in by and "month" not in frame:
        frame = frame.assign(month=frame["period_start"].dt.to_period("M"))
    lacking = [name for name in by if name not in frame]
    if lacking:
        raise ParameterError(
            f"В таблице promotion нет столбцов: {', '.join(lacking)}. Проверьте параметр by; "
            "дополнительные столбцы файла сохраняются строкой extras файла соответствия."
        )
    if not by:
        return pd.DataFrame(index=[0]).iloc[:0], np.zeros(len(frame), dtype=np.intp)
    groups = frame.groupby(list(by), dropna=False, sort=True, observed=True)
    codes: Codes = np.asarray(groups.ngroup(), dtype=np.intp)
    _, firsts = np.unique(codes, return_index=True)
    return frame[list(by)].iloc[firsts].reset_index(drop=True), codes


def _target(target: str | None, values: Mapping[str, Floats]) -> str:
    if target is not None and target not in ACTIONS:
        raise ParameterError(f"Целевое действие «{target}» неизвестно. Допустимы: {', '.join(ACTIONS)}.")
    recorded = [name for name in DEFAULT_TARGETS if np.isfinite(values[name]).any()]
    return target or (recorded[0] if recorded else DEFAULT_TARGETS[0])


def _names(names: Mapping[str, Mapping[str, str]] | None) -> Mapping[str, Mapping[str, str]]:
    return dictionary_names(methodology.load()) | dict(names or {})


def dictionary_names(dictionaries: Methodology) -> dict[str, dict[str, str]]:
    """Russian names of tools, groups and regions by the column that holds their codes."""
    return {
        "tool_id": {code: tool.title for code, tool in dictionaries.tools.items()},
        "client_group": {code: group.title for code, group in dictionaries.groups.items()},
        "region_code": {code: region.name for code, region in methodology.regions().items()},
    }


def _titles(keys: pd.DataFrame, names: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Russian title of each level: the names of its codes, joined."""
    parts = []
    for column in keys.columns:
        known, nothing = names.get(column, {}), _NONE.get(column, "не указано")
        parts.append([nothing if pd.isna(code) else known.get(str(code), str(code)) for code in keys[column]])
    return [" · ".join(words) for words in zip(*parts, strict=True)]


def _derived(name: str, target: str, rows: pd.DataFrame) -> list[str]:
    """Columns from which the count `name` could be computed back."""
    ratios = [*(f"{name}_per_{base}" for base in BASES), f"cost_per_{name}"]
    found = [f"{ratio}{end}" for ratio in ratios for end in ("", "_low", "_high")]
    if name == target:
        found += [f"{gap}{end}" for gap in DIFFERENCES for end in ("", "_low", "_high", "_p", "_differs")]
    if f"plan_done_{name}" in rows:
        found.append(f"plan_done_{name}")
    return found


def _planned(rows: pd.DataFrame, plan: pd.DataFrame, by: tuple[str, ...], promotion: pd.DataFrame) -> pd.DataFrame:
    """Planned counts and their fulfilment beside the facts."""
    columns = {name: count for name, count in PLANNED.items() if name in plan}
    lacking = [name for name in by if name not in plan]
    if lacking or not columns:
        raise ParameterError(
            "План не сопоставляется с размещениями: "
            + (f"в нём нет столбцов {', '.join(lacking)}. " if lacking else "в нём нет столбцов planned_…. ")
            + "Нужны столбцы разреза (by) и planned_clients или planned_<действие>."
        )
    kept = plan
    if "client_group" in plan and "client_group" not in by:
        kept = kept[kept["client_group"] == ALL]
    if "month" in plan and "month" not in by:
        months = promotion["period_start"].dt.to_period("M")
        kept = kept[(kept["month"] >= months.min()) & (kept["month"] <= months.max())]
    sums = {name: kept[name].astype("Float64") for name in columns}
    whole = pd.DataFrame([{name: value.sum(min_count=1) for name, value in sums.items()}])
    if by:
        level = kept[list(by)].assign(**sums).groupby(list(by), dropna=False, observed=True)[list(sums)]
        joined = rows[list(by)].merge(level.sum(min_count=1).reset_index(), on=list(by), how="left")
    else:
        joined = whole
    found = rows.copy()
    for name, count in columns.items():
        planned = joined[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan).copy()
        planned[-1] = whole[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan)[0]
        found[f"planned_{count}"] = planned
        found[f"plan_done_{count}"] = 100 * found[count] / np.where(planned > 0, planned, np.nan)
    return found
