"""Pictures of the index: what it is made of, who can be told apart, how it went by month."""

from __future__ import annotations

import pandas as pd

from kcrr_analysis.ipk import Score
from kcrr_analysis.reporting import formats
from kcrr_analysis.reporting.blocks import Chart, Kind, Panel, Series
from kcrr_analysis.reporting.views.cells import point, rows_of
from kcrr_analysis.reporting.views.ipk.figures import FORMS, IN_WORDS, UNITS
from kcrr_analysis.reporting.views.ipk.tables import MOST, ordered

TERMS = (
    ("events_term", "Вес мероприятий"),
    ("participants_term", "Участники × вовлечённость"),
    ("reviews_term", "Отзывы × оценка"),
)


def stacked(score: Score, period: str) -> tuple[Chart, ...]:
    """The three terms by unit."""
    rows = ordered(score.rows)
    rows = rows[rows["ipk"].notna()].head(MOST)
    if len(rows) < 2:
        return ()
    titles = _titles(rows)
    series = tuple(Series(name, titles, tuple(point(value) for value in rows[term])) for term, name in TERMS)
    many = UNITS[score.by[0]][1]
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        Chart(
            title=f"Из чего складывается ИПК {many}, {period}",
            panels=(Panel(shape="stacked", series=series, unit="баллов", kind="int"),),
            alt=(
                f"Составные столбцы: три слагаемых ИПК у {len(rows)} {many}; наибольший индекс — {first['title']}, "
                f"{formats.integer(first['ipk'])}, наименьший из показанных — {last['title']}, "
                f"{formats.integer(last['ipk'])}."
            ),
            notes=_cut(rows, score),
        ),
    )


def intervals(score: Score, period: str) -> tuple[Chart, ...]:
    """The ranked measure with the intervals of the expected sum."""
    measure = score.measure
    before = "" if measure == "ipk" else f"{measure}_"
    rows = ordered(score.rows, measure)
    rows = rows[rows[f"{before}low"].notna() & rows[measure].notna()].head(MOST)
    if len(rows) < 2:
        return ()
    titles = _titles(rows)
    low, high = rows[f"{before}low"], rows[f"{before}high"]
    series = Series(
        IN_WORDS[measure], titles, tuple(map(point, rows[measure])), tuple(map(point, low)), tuple(map(point, high))
    )
    kind: Kind = "int" if measure == "ipk" else "number"
    unit = "баллов" if measure == "ipk" else f"баллов {FORMS[measure][0].lower()}"
    many = UNITS[score.by[0]][1]
    level = formats.percent(100 * score.level, 0)
    return (
        Chart(
            title=f"{IN_WORDS[measure]}: значение и интервал ожидаемой суммы, {period}",
            panels=(Panel(shape="interval", series=(series,), unit=unit, kind=kind),),
            alt=(
                f"Точки с интервалами ({level}): {IN_WORDS[measure]} у {len(rows)} {many}, от "
                f"{formats.number(rows[measure].min(), FORMS[measure][1])} до "
                f"{formats.number(rows[measure].max(), FORMS[measure][1])}."
            ),
            notes=(
                f"Интервал каждого — {level} отдельно. Перекрытие интервалов ещё не значит, что различия нет: кого "
                "можно различить, сказано буквами в таблице.",
                *_cut(rows, score),
            ),
        ),
    )


def monthly(score: Score) -> tuple[Chart, ...]:
    """The index by month."""
    rows = score.rows
    known = rows[rows["ipk"].notna()]
    if len(rows) < 2 or known.empty:
        return ()
    line = Series("ИПК за месяц", tuple(str(month) for month in rows["month"]), tuple(map(point, rows["ipk"])))
    by_size = list(rows_of(known.sort_values("ipk", kind="stable")))
    low, high = by_size[0], by_size[-1]
    return (
        Chart(
            title="ИПК по месяцам",
            panels=(Panel(shape="line", series=(line,), unit="баллов", kind="int"),),
            alt=(
                f"Линейный график ИПК по месяцам: наименьший — {formats.integer(low.ipk)} "
                f"({formats.month(low.month)}), наибольший — {formats.integer(high.ipk)} "
                f"({formats.month(high.month)})."
            ),
            notes=(
                "Записанные суммы, не очищены от сезонности. В месяце мероприятий немного, и одно крупное заметно "
                "сдвигает точку: по соседним месяцам о росте или падении судить нельзя.",
            ),
        ),
    )


def _titles(rows: pd.DataFrame) -> tuple[str, ...]:
    """Titles of the units, told apart by their codes where two are called alike."""
    titles = rows["title"].astype(str)
    twice = titles.duplicated(keep=False)
    return tuple(
        f"{title} ({place + 1})" if again else title
        for place, (title, again) in enumerate(zip(titles, twice, strict=True))
    )


def _cut(rows: pd.DataFrame, score: Score) -> tuple[str, ...]:
    if len(rows) == len(score.rows):
        return ()
    return (f"Показаны {len(rows)} из {len(score.rows)}: первые по величине из тех, у кого значение есть и не скрыто.",)
