"""The three terms of every event: weight, participants x engagement, reviews x mean rating, and what weakens them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis import methodology
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk import splits
from kcrr_analysis.ipk.scheme import Scheme
from kcrr_analysis.methodology import IndexScheme, Methodology

Floats = npt.NDArray[np.float64]

RATINGS = tuple(f"rating_{star}" for star in range(1, 6))
ROUNDING = 0.0501
"""A mean rating and the stars may differ by half a tenth: means are often written with one decimal."""

NO_WEIGHT = "нет веса и в справочнике инструментов нет веса по умолчанию"
NO_PARTICIPANTS = "нет числа участников"
NO_ENGAGEMENT = "нет коэффициента вовлечённости"

TERMS = ("events_term", "participants_term", "reviews_term")

FLAGS: Mapping[str, str] = {
    "no_reviews": "нет отзывов: слагаемое отзывов равно нулю",
    "unrated_reviews": "отзывы есть, а оценок нет: слагаемое отзывов принято за ноль, индекс занижен",
    "rating_conflict": "средняя оценка не сходится с оценками от 1 до 5: взята средняя",
    "between_bands": "вовлечённость между полосами",
    "assumed_weight": "вес не записан, взят класс инструмента по умолчанию",
    "assumed_engagement": "вовлечённость не записана, взято заданное значение",
}
"""Flags of an event, one boolean column each, and what they mean, in Russian."""


@dataclass(frozen=True)
class EventTerms:
    """Terms of events that can be scored, and those that cannot.

    Attributes:
        rows: One row a scored event, the columns of the input and: events_term, participants_term, reviews_term, ipk,
            participants, reviews (floats), engagement (the coefficient in the formula), rated_reviews (reviews that
            have a rating), reviews_adjusted (reviews x (rating - neutral)), the flags, split (run of a probable
            split), split_excess (by how much the index would fall if the split were merged), jump (number of the jump
            of the compound process), month.
        left_out: Reason -> number of events that are not scored.
    """

    rows: pd.DataFrame
    left_out: Mapping[str, int]


def compute(
    events: pd.DataFrame,
    scheme: Scheme,
    *,
    missing_engagement: float | None = None,
    dictionary: Methodology | None = None,
) -> EventTerms:
    """Terms of each event.

    Args:
        events: Events with participants, and with engagement, weight or tool_id, reviews, mean_rating or rating_1 ...
            rating_5, date, center_id, theme, chain_id, event_id as far as they are known.
        scheme: Values of the formula.
        missing_engagement: Coefficient for events that have none; None leaves them out, and says so.
        dictionary: Where the tools' default weights and the accepted bounds come from; the packaged ones by default.

    Raises:
        ParameterError: A value outside the bounds of the recommendations, or a table without participants.
    """
    if "participants" not in events:
        raise ParameterError("ИПК: в таблице мероприятий нет столбца participants (участники). Добавьте его.")
    book = dictionary or methodology.load()
    index = book.index
    rows = events.reset_index(drop=True)
    engagement = _numbers(rows, "engagement")
    assumed_engagement = np.isnan(engagement) & (missing_engagement is not None)
    if missing_engagement is not None:
        engagement = np.where(assumed_engagement, float(missing_engagement), engagement)
    weight, assumed_weight = _weights(rows, book)
    participants = _numbers(rows, "participants")
    _inside(rows, engagement, "engagement", index.engagement_low, index.engagement_high)
    _inside(rows, weight, "weight", index.weight_low, index.weight_high)
    _inside(rows, participants, "participants", 0, np.inf)
    reasons = np.select(
        [np.isnan(participants), np.isnan(weight), np.isnan(engagement)],
        [NO_PARTICIPANTS, NO_WEIGHT, NO_ENGAGEMENT],
        "",
    )
    coefficient = scheme.coefficient(engagement)
    reviews, rated, stars, conflict = _reviews(rows, index)
    columns = {
        "participants": participants,
        "engagement": coefficient,
        "events_term": scheme.weight(weight),
        "participants_term": participants * coefficient,
        "reviews": reviews,
        "rated_reviews": rated,
        "reviews_term": stars,
        "reviews_adjusted": stars - index.rating_neutral * rated,
        "no_reviews": reviews == 0,
        "unrated_reviews": (reviews > 0) & (rated == 0),
        "rating_conflict": conflict,
        "between_bands": _between(engagement, index),
        "assumed_weight": assumed_weight,
        "assumed_engagement": assumed_engagement,
    }
    rows = pd.concat(
        [rows.drop(columns=[name for name in columns if name in rows]), pd.DataFrame(columns, index=rows.index)], axis=1
    )
    if "date" in rows:
        rows["month"] = pd.to_datetime(rows["date"]).dt.to_period("M")
    kept = rows[reasons == ""].reset_index(drop=True)
    kept["ipk"] = kept[list(TERMS)].sum(axis=1)
    kept["split"] = splits.probable(kept, days=scheme.split_days)
    kept["split_excess"] = splits.excess(kept["split"], kept["events_term"].to_numpy(dtype=float))
    kept["jump"] = splits.jumps(kept["split"], kept.get("chain_id"))
    left, counts = np.unique(reasons[reasons != ""], return_counts=True)
    return EventTerms(rows=kept, left_out={str(why): int(n) for why, n in zip(left, counts, strict=True)})


def _numbers(rows: pd.DataFrame, name: str) -> Floats:
    if name not in rows:
        return np.full(len(rows), np.nan)
    try:
        values = pd.to_numeric(rows[name]).astype("Float64")
    except (TypeError, ValueError) as error:
        raise ParameterError(f"ИПК: в столбце {name} не число. Исправьте значения.") from error
    return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))


def _weights(rows: pd.DataFrame, book: Methodology) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Recorded weights, else the tool's default class; which of them are assumed."""
    recorded = _numbers(rows, "weight")
    if "tool_id" not in rows:
        return recorded, np.zeros(len(rows), dtype=bool)
    defaults = {code: tool.default_weight for code, tool in book.tools.items() if tool.default_weight is not None}
    default = rows["tool_id"].astype("string").map(defaults).to_numpy(dtype=float, na_value=np.nan)
    assumed = np.isnan(recorded) & ~np.isnan(default)
    return np.where(assumed, default, recorded), assumed


def _reviews(rows: pd.DataFrame, index: IndexScheme) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Reviews, how many of them have a rating, the sum of ratings, and where the mean denies the stars.

    A recorded mean rating comes before the stars. A missing number of reviews is the number of stars, else zero.
    """
    reviews, mean = _numbers(rows, "reviews"), _numbers(rows, "mean_rating")
    stars = np.column_stack([_numbers(rows, name) for name in RATINGS])
    for values, name in ((reviews, "reviews"), *zip(stars.T, RATINGS, strict=True)):
        _inside(rows, values, name, 0, np.inf)
    _inside(rows, mean, "mean_rating", index.rating_low, index.rating_high)
    counted = np.nansum(stars, axis=1)
    reviews = np.where(np.isnan(reviews), counted, reviews)
    own = np.nansum(stars * np.arange(1, 6), axis=1) / np.where(counted > 0, counted, np.nan)
    used = np.where(np.isnan(mean), own, mean)
    rated = np.where(np.isnan(used), 0.0, reviews)
    conflict = np.abs(mean - own) > ROUNDING
    return reviews, rated, np.where(rated > 0, reviews * np.nan_to_num(used), 0.0), conflict


def _between(engagement: Floats, index: IndexScheme) -> npt.NDArray[np.bool_]:
    """Whether a coefficient lies in a gap between bands (`IndexScheme.place`, for many at once)."""
    value = np.round(engagement, 9)
    inside = np.logical_or.reduce([(value >= band.low) & (value <= band.high) for band in index.bands.values()])
    return np.asarray(~inside & ~np.isnan(value))


def _inside(rows: pd.DataFrame, values: Floats, name: str, low: float, high: float) -> None:
    wrong = np.flatnonzero((values < low) | (values > high))
    if not len(wrong):
        return
    at = int(wrong[0])
    which = f"мероприятие {rows['event_id'].iloc[at]}" if "event_id" in rows else f"строка {at + 1}"
    allowed = f"от {low:g} до {high:g}" if np.isfinite(high) else f"не меньше {low:g}"
    more = f" (и ещё {len(wrong) - 1})" if len(wrong) > 1 else ""
    raise ParameterError(
        f"ИПК: {which}{more}: {name} = {f'{values[at]:g}'.replace('.', ',')}, допустимо {allowed}. Исправьте значение."
    )
