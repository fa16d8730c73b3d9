"""View of a region's index: what was recorded, what drives it, who can be told apart, what it may be used for."""

from __future__ import annotations

import math
from typing import Any

from kcrr_analysis import methodology
from kcrr_analysis.ipk import Overview, Score
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Cell, Column, Interval, KeyFigure, Missing, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.cells import derived_cell, rows_of
from kcrr_analysis.reporting.views.ipk import charts, tables, usage, words
from kcrr_analysis.reporting.views.ipk.figures import count, figure

CHAINS = 8


@build.register
def overview(result: Overview) -> Section:
    """Conclusions first; terms, ranks and forms by centre; formats, themes, groups, events; reviews and conversion."""
    period = formats.month_range(str(result.first), str(result.month))
    centres, total = result.centres, result.total
    conclusions = (
        words.recorded(centres, period, "региона"),
        words.driven(result.drivers, "center_id"),
        words.told_apart(centres),
    )
    warnings = [
        *words.weakened(centres),
        words.bursts(result.bursts),
        _unplaced(result),
        words.splits(total, result.split_groups, result.split_by_chance, centres.scheme.split_days),
    ]
    attributed = (words.BESIDE, LOGGED, result.attribution, _open(result)) if result.attribution else (words.BESIDE,)
    return Section(
        title="Индекс привлечения клиентов (ИПК)",
        blocks=(
            *(Paragraph(said, "conclusion") for said in conclusions if said),
            *(Paragraph(said, "warning") for said in warnings if said),
            tables.terms(centres, period),
            *charts.stacked(centres, period),
            tables.ranks(centres, period),
            *charts.intervals(centres, period),
            tables.normalised(centres, period),
            *charts.monthly(result.months),
            tables.brief(result.tools, f"ИПК по форматам, {period}", notes=(words.three_times(centres.scheme),)),
            *usage.plan(result.plan, result.tools, period),
            *usage.engagement(result.formats, centres.least, centres.level, period),
            tables.brief(result.groups, f"ИПК по клиентским группам, {period}", "per_1000_people", (GROUPS,)),
            tables.brief(result.themes, f"ИПК по темам, {period}"),
            *usage.leading(result.leading, centres.scheme, period),
            *_chains(result.chains, period),
            tables.reviews(centres, period, words.STARS),
            tables.conversion(centres, period, tuple(note for note in attributed if note)),
            Paragraph(words.REWARD, "note"),
            *definitions(centres),
            *(Paragraph(said, "definition") for said in (words.stream(result.bursts),) if said),
        ),
        key_figures=_key_figures(result, period),
    )


LOGGED = (
    "Людей в журнале — те, чьё первое касание записано на этих мероприятиях и у кого окно уже закрыто. Форматы, "
    "мероприятий которых в журнале нет, в отнесённую конверсию не входят."
)
GROUPS = "Мероприятие относится к одной группе, для которой проводилось; прийти могли и другие люди."


def definitions(score: Score) -> tuple[Paragraph, ...]:
    """The formula as written, its reading, the scheme, the interval."""
    index = methodology.index_scheme()
    scheme = score.scheme
    weights = ", ".join(
        f"{name} — {formats.number(value, 0 if float(value).is_integer() else 2)}"
        for name, value in zip(("низкий класс", "средний", "высокий"), scheme.weights, strict=True)
    )
    taken = (
        "как записана"
        if scheme.bands is None
        else ("по значениям полос " + ", ".join(formats.number(value, 2) for value in scheme.bands))
    )
    return (
        Paragraph(
            f"{score.formula}. {index.assumptions['sum_over_events']} Схема: {scheme.title}; вес: {weights}; "
            f"вовлечённость {taken}.",
            "definition",
        ),
        Paragraph(f"{score.interval} {index.assumptions['recorded_sum']}", "definition"),
    )


def _unplaced(result: Overview) -> str:
    if not result.unplaced_events:
        return ""
    return f"Не указан центр: {words.events(result.unplaced_events)}; в сравнении центров их нет."


def _open(result: Overview) -> str:
    if not result.open_windows:
        return ""
    return (
        f"У {formats.count(result.open_windows, 'мероприятия', 'мероприятий', 'мероприятий')} окно ещё не закрыто: "
        "в отнесённой конверсии их нет."
    )


def _chains(score: Score, period: str) -> tuple[Table, ...]:
    rows = tables.ordered(score.rows[score.rows["chain_id"].notna()])
    if rows.empty:
        return ()
    shown = rows.head(CHAINS)
    notes = ["Цепочка оценивается целиком: в интервалах это одно мероприятие. Одной цепочке интервал не строится."]
    if len(rows) > len(shown):
        notes.append(f"Показаны {len(shown)} из {len(rows)} цепочек с наибольшим индексом.")
    return (
        Table(
            title=f"Цепочки мероприятий, {period}",
            columns=(
                Column("Цепочка"),
                Column("Меропр., ед.", "int"),
                Column("Участников, чел.", "int"),
                Column("ИПК, баллов", "number", 0),
                Column("Доля участников, %", "percent"),
            ),
            rows=tuple(_chain(row) for row in rows_of(shown)),
            notes=tuple(notes),
        ),
    )


def _chain(row: Any) -> tuple[Cell, ...]:
    return (
        row.title,
        int(row.events),
        count(row, "participants"),
        figure(row, "ipk"),
        figure(row, "participants_share"),
    )


def _key_figures(result: Overview, period: str) -> tuple[KeyFigure, ...]:
    total, level = result.total, words.level(result.centres)
    interval = "меньше 5 мероприятий, интервала нет"
    if not math.isnan(total["low"]):
        interval = f"ожидаемая сумма {formats.interval(total['low'], total['high'], 'number', 0)}, {level}"
    found = [
        KeyFigure(
            key="ipk",
            label="Индекс привлечения клиентов (ИПК)",
            value=derived_cell(total["ipk"], total["ipk_hidden"]),
            kind="int",
            unit="баллов",
            note=f"{period}; {words.events(total['events'])}; {interval}",
        ),
        KeyFigure(
            key="ipk_size_share",
            label="Доля индекса, растущая с числом людей",
            value=derived_cell(total["participants_share"] + total["reviews_share"], total["ipk_hidden"]),
            kind="percent",
            note=f"{period}; слагаемые участников и отзывов; сплошной учёт",
        ),
    ]
    if not math.isnan(total["population"]):
        low, high = total["per_1000_people_low"], total["per_1000_people_high"]
        found.append(
            KeyFigure(
                key="ipk_per_1000_people",
                label="ИПК на 1000 человек населения",
                value=derived_cell(total["per_1000_people"], total["per_1000_people_hidden"]),
                kind="number",
                note=f"{period}; население {formats.integer(total['population'])} чел."
                + (f"; {formats.cell(Interval(low, high), 'number', 1)}, {level}" if not math.isnan(low) else ""),
            )
        )
    if result.attribution:
        found.append(_conversion(result, period))
    return tuple(found)


def _conversion(result: Overview, period: str) -> KeyFigure:
    total = result.total
    hidden = bool(total["conversion_attributed_hidden"])
    low, high = total["conversion_attributed_low"], total["conversion_attributed_high"]
    shown = derived_cell(total["conversion_attributed"], hidden, "нет в журнале")
    of = (
        ""
        if isinstance(shown, Missing) or math.isnan(low)
        else (
            f"; n = {formats.integer(total['persons'])}; {formats.interval(low, high, 'percent')}, "
            f"{words.level(result.centres)}"
        )
    )
    return KeyFigure(
        key="ipk_conversion",
        label="Участники, ставшие клиентами (по журналу)",
        value=shown,
        kind="percent",
        note=f"{period}{of}",
    )
