"""Clients whom a centre's front office attracts, per employee (checklist row 26)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kcrr_analysis import stats
from kcrr_analysis.attribution.credit import WINDOW_DAYS, attribute, moment
from kcrr_analysis.errors import NotComputableError, ParameterError

FRONT_OFFICE = ("office", "phone")
"""Channels in which a centre's own staff meet people at the desk or on the telephone."""

_CHANNELS = {
    "office": "в центре",
    "phone": "по телефону",
    "offsite": "на выезде",
    "messenger": "в мессенджере",
    "social": "в социальных сетях",
    "event": "на мероприятии",
}
REWARD = (
    "Показатель не годится для поощрения сам по себе: только по проверенным данным и с порогом качества. Иначе выгодно "
    "записывать на себя чужие контакты и торопить обращение."
)


@dataclass(frozen=True)
class AttractionPerEmployee:
    """Clients attributed to a centre's front office per full-time post.

    Attributes:
        first: First month of the touches.
        last: Last month of the touches; the window of every touch in it is closed.
        months: Number of months.
        level: Confidence level.
        channels: Channels that count as front office.
        rows: One row a centre: center_id, touched (persons first touched there), clients (those who became clients in
            the window), staff_fte (mean posts of the period), per_employee (clients per post in the whole period), low,
            high, p_adjusted (the centre's rate against the region's, exact conditional test, Holm over all centres),
            differs (-1 below, 1 above, 0 cannot be told from the region).
        total: One row of the same columns for the region (p_adjusted is NaN).
        definition: What was counted, in Russian.
        caveat: Why it is no measure for reward by itself, in Russian.
        interval: What the interval is, in Russian.
    """

    first: pd.Period
    last: pd.Period
    months: int
    level: float
    channels: tuple[str, ...]
    rows: pd.DataFrame
    total: pd.DataFrame
    definition: str
    caveat: str = REWARD
    interval: str = "точный пуассоновский интервал"

    def to_frame(self) -> pd.DataFrame:
        """One row a centre, with period, definition and interval."""
        return self.rows.assign(
            period=f"{self.first}..{self.last}",
            unit="чел. на ставку",
            level=self.level,
            interval=self.interval,
            definition=self.definition,
        )


def per_employee(
    actions: pd.DataFrame,
    center_months: pd.DataFrame,
    *,
    channels: Sequence[str] = FRONT_OFFICE,
    window_days: float = WINDOW_DAYS,
    months: int = 12,
    month: str | pd.Period | None = None,
    as_of: str | pd.Timestamp | None = None,
    level: float = 0.95,
) -> AttractionPerEmployee:
    """Clients of a centre's front office, by first touch, per post, over the last months whose windows are closed.

    Args:
        actions: Table `actions` with center_id and channel.
        center_months: Table `center_months` with staff_fte.
        channels: Channels that are the front office.
        window_days: Window of attribution, days.
        months: Length of the period.
        month: The period ends no later than this month; by default with the last month that is closed.
        as_of: Up to when the log is known; its last action by default.
        level: Confidence level.

    Raises:
        ParameterError: An argument cannot be used.
        NotComputableError: No month is closed, or no touch or post is recorded in the period.
    """
    if months < 1:
        raise ParameterError(f"Параметр months: «{months}» не допускается. Укажите число месяцев не меньше одного.")
    if not channels:
        raise ParameterError("Параметр channels пуст. Укажите каналы фронт-офиса, например office и phone.")
    end = actions["time"].max() if as_of is None else moment(as_of, actions["time"])
    if pd.isna(end):
        raise NotComputableError("В журнале действий нет ни одной записи со временем. Дополните таблицу actions.")
    closed = (end - pd.Timedelta(days=window_days)).tz_localize(None).to_period("M") - 1
    last = closed if month is None else min(closed, pd.Period(month, freq="M"))
    first = last - (months - 1)
    found = attribute(
        actions,
        ("center_id", "channel"),
        window_days=window_days,
        as_of=end,
        since=first.to_timestamp(),
        until=(last + 1).to_timestamp(),
        level=level,
    ).rows
    office = found[found["channel"].isin(list(channels))].groupby("center_id")[["persons", "clients"]].sum()
    in_period = (center_months["month"] >= first) & (center_months["month"] <= last)
    posts = center_months[in_period].groupby("center_id")["staff_fte"].mean().rename("staff_fte")
    rows = office.join(posts, how="outer").rename(columns={"persons": "touched"})
    rows = rows.fillna({"touched": 0, "clients": 0}).astype({"touched": int, "clients": int})
    if not (rows["staff_fte"] > 0).any() or not rows["touched"].sum():
        raise NotComputableError(
            f"За {first} – {last} нет ни касаний фронт-офиса, ни ставок, по которым показатель вычисляется. Нужны "
            "столбцы channel и center_id таблицы actions и staff_fte таблицы center_months."
        )
    rows = rows.reset_index()
    rated = rows["staff_fte"] > 0
    total = pd.DataFrame([rows.loc[rated, ["touched", "clients", "staff_fte"]].sum()])
    total = total.astype({"touched": int, "clients": int})
    rows = _rated(rows, level)
    p = _against_region(rows, total)
    rows = rows.assign(p_adjusted=stats.holm(p))
    away = np.sign(rows["per_employee"] - float(total["clients"].iloc[0] / total["staff_fte"].iloc[0]))
    rows["differs"] = away.where(rows["p_adjusted"] < 1 - level, 0).fillna(0).astype(int)
    named = ", ".join(_CHANNELS.get(name, f"«{name}»") for name in channels)
    return AttractionPerEmployee(
        first=first,
        last=last,
        months=months,
        level=level,
        channels=tuple(channels),
        rows=rows,
        total=_rated(total, level).assign(p_adjusted=np.nan, differs=0),
        definition=(
            f"Люди, чей первый контакт с центром был {named} с {first.strftime('%m.%Y')} по {last.strftime('%m.%Y')} и "
            f"которые стали клиентами не позднее {window_days:g} дн., на одну ставку за эти месяцы (мес.: {months}). "
            "Ставки — все ставки центра: ставок одного фронт-офиса в данных нет."
        ),
    )


def _rated(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    found = stats.poisson(rows["clients"], rows["staff_fte"], level=level)
    return rows.assign(per_employee=found.estimate, low=found.low, high=found.high)


def _against_region(rows: pd.DataFrame, total: pd.DataFrame) -> np.ndarray:
    """Two-sided p values: the centre's clients given the region's, under equal rates for it and the rest."""
    from scipy.stats import binom

    n, posts = int(total["clients"].iloc[0]), float(total["staff_fte"].iloc[0])
    share = (rows["staff_fte"] / posts).to_numpy(float)
    k = rows["clients"].to_numpy(float)
    tail = np.minimum(binom.cdf(k, n, share), binom.sf(k - 1, n, share))
    p = np.minimum(2 * tail, 1)
    return np.where(np.isnan(share) | (share <= 0) | (share >= 1), np.nan, p)
