"""The guard before the index is used to reward staff: audited figures, a quality floor, never the raw sum."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.ipk.overview import overview
from kcrr_analysis.ipk.scheme import Scheme
from kcrr_analysis.ipk.score import Score
from kcrr_analysis.tables import Tables

MEASURES = ("per_employee", "per_1000_people", "per_m2", "per_event", "per_participant")
"""Forms that may be a basis; the sum itself may not."""


@dataclass(frozen=True)
class RewardBasis:
    """Units and whether their normalised index may be a basis for reward.

    Attributes:
        by: Columns of the cut.
        measure: The normalised form used.
        quality_floor: Least mean rating.
        rows: One row a unit: the columns of the cut, title where known, events, value, low, high (of the measure),
            value_hidden, reviews_hidden, rank_low, rank_high and group where the measure is ranked, mean_rating,
            reviews, eligible, reason (why not, or empty).
        definition: What was decided by what, in Russian.
    """

    by: tuple[str, ...]
    measure: str
    quality_floor: float
    rows: pd.DataFrame
    definition: str = (
        "Основой может быть только индекс на единицу (не сумма), по проверенным данным и при средней оценке не ниже "
        "порога качества. Единицы с общей буквой неразличимы: разное поощрение им индекс не обосновывает."
    )

    def to_frame(self) -> pd.DataFrame:
        """One row a unit with measure and floor."""
        return self.rows.assign(measure=self.measure, quality_floor=self.quality_floor, definition=self.definition)


def reward_basis(
    score: Score, *, audited: bool = False, quality_floor: float = 4.0, measure: str = "per_employee"
) -> RewardBasis:
    """Which units' normalised index may be a basis for reward (row 132).

    Args:
        score: The index by unit.
        audited: Whether the events' figures have been checked against documents.
        quality_floor: Least mean rating of a unit.
        measure: A normalised form; `ipk` is refused.

    Raises:
        NotComputableError: The figures are not audited, or no unit has the measure.
        ParameterError: The measure is the raw sum or is unknown; the floor is no rating.
    """
    _must_be_audited(audited=audited)
    if measure not in MEASURES:
        raise ParameterError(
            f"Поощрение: показатель «{measure}» не допускается. Сумма индекса зависит прежде всего от размера; "
            f"укажите индекс на единицу: {', '.join(MEASURES)}."
        )
    if not 1 <= quality_floor <= 5:
        raise ParameterError(f"Поощрение: порог качества {quality_floor:g} — не оценка. Укажите число от 1 до 5.")
    rows = score.rows
    if rows[measure].isna().all():
        raise NotComputableError(
            f"Основа для поощрения не строится: индекс на единицу ({measure}) не вычислен. Передайте в score размеры "
            "единиц (exposure)."
        )
    names = [*score.by, *(["title"] if "title" in rows else [])]
    found = rows[[*names, "events", "reviews", "mean_rating"]].copy()
    found["value"], found["low"], found["high"] = (rows[f"{measure}{end}"] for end in ("", "_low", "_high"))
    found["value_hidden"], found["reviews_hidden"] = rows[f"{measure}_hidden"], rows["reviews_hidden"]
    for column, nothing in (("rank_low", float("nan")), ("rank_high", float("nan")), ("group", "")):
        found[column] = rows[column] if score.measure == measure and column in rows else nothing
    found["reason"] = ""
    reasons = (
        (found["mean_rating"] < quality_floor, "средняя оценка ниже порога качества"),
        (found["mean_rating"].isna(), "нет оценок: качество неизвестно"),
        (found["low"].isna(), f"меньше {score.least} мероприятий: интервала нет"),
        (found["value"].isna(), "индекс на единицу не вычислен или скрыт"),
        (rows["unrated_reviews"] > 0, "есть отзывы без оценок"),
    )
    for where, why in reasons:
        found.loc[where & (found["reason"] == ""), "reason"] = why
    found["eligible"] = found["reason"] == ""
    return RewardBasis(
        by=score.by, measure=measure, quality_floor=float(quality_floor), rows=found.reset_index(drop=True)
    )


def reward(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    audited: bool = False,
    quality_floor: float = 4.0,
    months: int = 12,
    scheme: Scheme | None = None,
    rule: Rule | None = None,
) -> RewardBasis:
    """The basis for reward of a region's centres by the index per employee; see `reward_basis` and `overview`.

    Raises:
        NotComputableError: The figures are not audited, or the centres' staff is not known.
    """
    _must_be_audited(audited=audited)
    whole = overview(tables, region, month, months=months, scheme=scheme, rank_by="per_employee", rule=rule)
    return reward_basis(whole.centres, audited=audited, quality_floor=quality_floor)


def _must_be_audited(*, audited: bool) -> None:
    if not audited:
        raise NotComputableError(
            "Основа для поощрения не строится: данные о мероприятиях не отмечены как проверенные. Индекс легко "
            "завысить записью (дробление, участники, отзывы). Проверьте данные по документам и укажите audited=True."
        )
