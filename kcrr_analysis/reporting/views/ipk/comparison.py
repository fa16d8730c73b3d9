"""Views of the index beside other regions, of a single cut, and of the basis for reward."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from kcrr_analysis.ipk import Comparison, RewardBasis, Score
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, KeyFigure, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import derived_cell, number_cell, rows_of
from kcrr_analysis.reporting.views.ipk import charts, tables, usage, words
from kcrr_analysis.reporting.views.ipk.figures import FORMS, IN_WORDS, UNITS, count, names
from kcrr_analysis.reporting.views.ipk.overview import definitions

TITLES = {
    "region": "ИПК регионов",
    "centre": "ИПК центров разных регионов",
    "tool": "ИПК форматов по всем регионам",
    "theme": "ИПК тем по всем регионам",
}


@build.register
def comparison(result: Comparison) -> Section:
    """Conclusions, the sum by unit, the ranks by sum and by size, formats by engagement."""
    period = formats.month_range(str(result.first), str(result.month))
    score, column = result.score, result.score.by[0]
    own = _own(result)
    regions = formats.count(result.regions, "региона", "регионов", "регионов")
    conclusions = [
        words.recorded(score, period, regions),
        words.driven(result.drivers, column),
        words.told_apart(score, own),
    ]
    if result.normalised is not None:
        conclusions.append(words.told_apart(result.normalised, own))
    fixed = () if result.normalised is None else (result.normalised,)
    sums = result.by in {"tool", "theme"}
    return Section(
        title=TITLES[result.by],
        blocks=(
            *(Paragraph(said, "conclusion") for said in conclusions if said),
            *(Paragraph(said, "warning") for said in words.weakened(score)),
            *(
                (tables.brief(score, f"{TITLES[result.by]}, {period}", notes=(words.three_times(score.scheme),)),)
                if sums
                else ()
            ),
            *(() if sums else (tables.terms(score, period),)),
            *charts.stacked(score, period),
            *(() if sums else (tables.ranks(score, period),)),
            *(tables.ranks(one, period) for one in fixed),
            *(chart for one in fixed for chart in charts.intervals(one, period)),
            *_own_centres(result, period),
            *(() if sums else (tables.normalised(score, period),)),
            *(usage.engagement(result.formats, score.least, score.level, period) if len(result.formats) else ()),
            Paragraph(words.REWARD, "note"),
            *definitions(score),
        ),
        key_figures=_places(result, period),
    )


def _own_centres(result: Comparison, period: str) -> tuple[Table, ...]:
    if result.by != "centre" or result.own is None or not (result.score.rows["region_code"] == result.own).any():
        return ()
    found = (result.score,) if result.normalised is None else (result.score, result.normalised)
    return tuple(tables.ranks(one, period, own=result.own) for one in found)


def _places(result: Comparison, period: str) -> tuple[KeyFigure, ...]:
    """The own region's places, with the limits that hold for all regions at once."""
    if result.by != "region" or result.own is None:
        return ()
    found = []
    for one in (result.score, result.normalised):
        rows = None if one is None else one.rows[one.rows["region_code"] == result.own]
        if one is None or rows is None or rows.empty:
            continue
        row = next(rows_of(rows))
        limits = ""
        if not math.isnan(row.rank):
            of = formats.integer(one.rows["rank"].notna().sum())
            limits = f"; из {of}; одновременные пределы: {formats.interval(row.rank_low, row.rank_high, 'int')}"
        found.append(
            KeyFigure(
                key=f"rank_{one.measure}",
                label=f"Место региона, {IN_WORDS[one.measure]}",
                value=derived_cell(row.rank, row.ipk_hidden, "мест нет: мало мероприятий"),
                kind="int",
                note=f"{period}{limits}",
            )
        )
    return tuple(found)


def _own(result: Comparison) -> str | None:
    rows = result.score.rows
    if result.own is None or result.by != "region":
        return None
    found = rows.loc[rows["region_code"] == result.own, "title"]
    return None if found.empty else str(found.iloc[0])


@build.register
def score(result: Score) -> Section:
    """One cut of the index: what was recorded, the terms, who can be told apart."""
    rows = result.rows
    if "title" not in rows:
        named = rows[list(result.by)].astype("string").fillna("не указано") if result.by else None
        titles = ["Все мероприятия"] * len(rows) if named is None else named.agg(" · ".join, axis=1)
        result = replace(result, rows=rows.assign(title=titles))
    period = _dates(result)
    single = len(result.by) == 1
    blocks: list[Paragraph | Table] = [Paragraph(words.recorded(result, period, "всех мероприятий"), "conclusion")]
    if single:
        blocks.append(Paragraph(words.told_apart(result), "conclusion"))
    blocks += [Paragraph(said, "warning") for said in words.weakened(result)]
    if single:
        blocks += [tables.terms(result, period), tables.ranks(result, period), tables.normalised(result, period)]
    return Section(title="Индекс привлечения клиентов (ИПК)", blocks=(*blocks, *definitions(result)))


def _dates(result: Score) -> str:
    if result.period is None:
        return "без дат"
    first, last = result.period
    return f"{first:%d.%m.%Y} – {last:%d.%m.%Y}"


@build.register
def reward(result: RewardBasis) -> Section:
    """Who may be considered, by which figure, and why others may not."""
    title, decimals = FORMS[result.measure]
    rows = result.rows
    if "title" not in rows:
        rows = rows.assign(title=rows[list(result.by)].astype("string").fillna("не указано").agg(" · ".join, axis=1))
    able = rows[rows["eligible"]]
    said = (
        f"Основание для разговора о поощрении есть у {len(able)} из {len(rows)}: {names(list(able['title']))}. "
        "Единицы с общей буквой неразличимы."
        if len(able)
        else "Ни у кого нет основания для поощрения по индексу."
    )
    table = Table(
        title=f"{IN_WORDS[result.measure]} и порог качества",
        columns=(
            Column(UNITS[result.by[0]][0] if result.by else "Единица"),
            Column("Меропр., ед.", "int"),
            Column(title, "number", decimals),
            Column("Интервал", "number", decimals),
            Column("Группа"),
            Column("Отзывов, ед.", "int"),
            Column("Средняя оценка", "number", 2),
            Column("Почему нет"),
        ),
        rows=tuple(_reward_row(row, decimals) for row in rows_of(rows)),
        notes=(f"Порог качества: средняя оценка не ниже {formats.number(result.quality_floor)}.",),
    )
    return Section(
        title="Основа для поощрения сотрудников",
        blocks=(Paragraph(said, "conclusion"), table, Paragraph(result.definition, "definition")),
    )


def _reward_row(one: Any, decimals: int) -> tuple[Cell, ...]:
    interval = None if math.isnan(one.low) else formats.interval(one.low, one.high, "number", decimals)
    return (
        one.title,
        int(one.events),
        derived_cell(one.value, one.value_hidden, one.reason),
        interval,
        one.group if isinstance(one.group, str) and one.group else None,
        count(one, "reviews"),
        number_cell(one.mean_rating),
        one.reason or None,
    )
