"""The index in words and tables: what drives it, who can be told apart, never more than the intervals allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import costs, ipk, tables
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.reporting import charts, formats, html, views
from kcrr_analysis.reporting.blocks import Chart, Hidden, Paragraph, Section, Table
from kcrr_analysis.reporting.views.ipk import words
from kcrr_analysis.reporting.views.ipk.figures import quoted
from kcrr_analysis.tables import Tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
RATES = costs.Rates(500.0, 0.15)
NEEDED = ("centers", "center_months", "population", "events", "actions", "flow")


@pytest.fixture(scope="module")
def one_region() -> Tables:
    return tables.load(DEMO, region="01", only=NEEDED)


@pytest.fixture(scope="module")
def chapter(one_region: Tables) -> Section:
    return views.section(ipk.overview(one_region, "01", rates=RATES, rule=Rule()))


@pytest.fixture(scope="module")
def all_regions() -> Tables:
    return tables.load(DEMO, only=NEEDED)


def said(built: Section, role: str = "conclusion") -> str:
    texts = [block.text for block in built.blocks if isinstance(block, Paragraph) and block.role == role]
    return " ".join(texts).replace(formats.NBSP, " ")


def table(built: Section, title: str) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table) and block.title.startswith(title))


def every_text(built: Section) -> Iterator[str]:
    yield built.title
    for block in built.blocks:
        if isinstance(block, Paragraph):
            yield block.text
        elif isinstance(block, Table):
            yield block.title
            yield from (column.title for column in block.columns)
            yield from block.notes
            for row in block.rows:
                yield from (
                    formats.cell(cell, column.kind, column.decimals)
                    for cell, column in zip(row, block.columns, strict=True)
                )
        else:
            yield block.title
            yield block.alt
            yield from block.notes
    yield from (f"{figure.label} {figure.note}" for figure in built.key_figures)


def scored(*sizes: int, events: int = 10, **columns: object) -> ipk.Score:
    centre = np.repeat([f"0{number}" for number in range(1, len(sizes) + 1)], events)
    frame = pd.DataFrame(
        {
            "center_id": centre,
            "weight": 2.0,
            "participants": np.repeat(sizes, events),
            "engagement": 1.0,
            "reviews": 5,
            "mean_rating": 4.0,
        }
    )
    return ipk.score(frame.assign(**columns), "centre")


def test_a_head_of_a_centre_reads_what_drives_the_index_and_that_size_dominates(chapter: Section) -> None:
    text = said(chapter)
    assert "записанный ИПК региона — 7 880 баллов (113 мероприятий)" in text
    assert "если считать мероприятия случайным потоком, ожидаемая сумма за такой период — от 6" in text
    assert "участники × вовлечённость — 49,3 %, отзывы × оценка — 47,7 %, вес мероприятий — 3,0 %" in text
    assert "97,0 % индекса растёт вместе с числом людей: решает размер" in text
    assert "Назвать лучших и худших эти данные не позволяют" in text


def test_the_formula_stands_as_written_with_its_reading(chapter: Section) -> None:
    text = said(chapter, "definition")
    assert "ИПК мероприятия = вес + участники × коэффициент вовлечённости + отзывы × средняя оценка." in text
    assert "высокий — 3" in text
    assert "вовлечённость как записана" in text
    calibrated = ipk.Scheme("калибровка", (1, 1.5, 2.5), "bands", (0.5, 0.9, 1.5))
    other = ipk.score(pd.DataFrame({"weight": [3], "participants": [5], "engagement": [1.0]}), scheme=calibrated)
    assert "по значениям полос 0,50, 0,90, 1,50" in said(views.section(other), "definition")


def test_the_chapter_has_what_the_recommendations_ask_for(chapter: Section) -> None:
    for title in (
        "ИПК и его слагаемые", "ИПК: кого можно различить", "ИПК на единицу", "ИПК по форматам", "ИПК по темам",
        "ИПК по клиентским группам", "Что приносит формат", "Форматы по вовлечённости", "Мероприятия с наибольшим ИПК",
        "Отзывы: слагаемое", "Конверсия участников",
    ):  # fmt: skip
        assert len(table(chapter, title).rows) <= 16
    assert sum(isinstance(block, Chart) for block in chapter.blocks) <= 3
    everything = " ".join(every_text(chapter)).replace(formats.NBSP, " ")
    assert "правило трёх раз" in everything
    assert "основа для обсуждения плана, а не доказательство" in everything
    assert "Для поощрения сотрудников эти суммы не годятся" in everything
    assert [figure.key for figure in chapter.key_figures] == [
        "ipk", "ipk_size_share", "ipk_per_1000_people", "ipk_conversion",
    ]  # fmt: skip


def test_terms_add_up_to_the_index_in_every_row(chapter: Section) -> None:
    for row in table(chapter, "ИПК и его слагаемые").rows:
        assert row[4] + row[6] + row[8] == pytest.approx(row[3])  # type: ignore[operator]
        assert row[5] + row[7] + row[9] == pytest.approx(100)  # type: ignore[operator]


def test_readers_meet_no_english_words(chapter: Section, all_regions: Tables) -> None:
    built = [chapter, *(views.section(ipk.compare(all_regions, "01", by=by)) for by in ("region", "tool"))]
    for text in (part for section in built for part in every_text(section)):
        assert not set(re.findall(r"[A-Za-z]{2,}", text)) - {"SMM", "QR"}, text


def test_every_picture_can_be_drawn_and_the_section_is_markup(chapter: Section) -> None:
    for block in chapter.blocks:
        if isinstance(block, Chart):
            assert len(charts.draw(block).png) > 5000
    assert "<table" in html.fragment(chapter)


def test_hidden_figures_are_nowhere_and_an_internal_report_marks_them(one_region: Tables, chapter: Section) -> None:
    public = table(chapter, "ИПК по форматам")
    hidden = [row for row in public.rows if isinstance(row[3], Hidden)]
    assert hidden
    assert all(isinstance(cell, Hidden) for row in hidden for cell in row[3:])
    internal = views.section(ipk.overview(one_region, "01", rates=RATES, rule=Rule(mode="internal")))
    text = " ".join(every_text(internal))
    assert "скрыто" not in text
    assert formats.MARK in text


def test_units_that_differ_are_named_and_no_others() -> None:
    text = words.told_apart(titled(scored(500, 60, 50, events=30))).replace(formats.NBSP, " ")
    assert "из 3 пар центров уверенно различимы 2" in text
    assert "«01» стоит выше, чем «02» и «03»" in text
    assert "«02» стоит" not in text
    assert "Остальные различия могут быть случайными" in text


def test_marks_within_marks_are_the_inner_ones() -> None:
    assert quoted("Центр «Главный»") == "«Центр „Главный“»"


def test_the_three_times_rule_follows_the_scheme() -> None:
    assert "в три раза (1,5 / 0,5)" in words.three_times(ipk.Scheme())
    assert "в 2,3 раза (1,40 / 0,60)" in words.three_times(ipk.Scheme(engagement="bands", bands=(0.6, 1.0, 1.4)))


def test_alike_units_are_not_ranked_in_words() -> None:
    text = words.told_apart(titled(scored(50, 50, 50))).replace(formats.NBSP, " ")
    assert "ни в одной из 3 пар центров различие не выходит за пределы случайного" in text
    assert "стоит выше" not in text


def titled(score: ipk.Score) -> ipk.Score:
    from dataclasses import replace

    return replace(score, rows=score.rows.assign(title=score.rows["center_id"]))


def test_few_events_have_no_interval_in_words_and_tables() -> None:
    built = views.section(scored(20, 30, events=2))
    text = said(built)
    assert "Мероприятий меньше 5, поэтому интервал не строится" in text
    assert "Сравнение центров между собой по этим данным невозможно: интервал есть меньше чем у двух" in text
    cells = table(built, "ИПК: кого можно различить").rows[0]
    assert formats.cell(cells[3]) == "мало мероприятий"
    assert formats.cell(cells[5]) == "меньше 5 мероприятий"


def test_what_weakens_the_index_is_said() -> None:
    flawed = scored(20, 30, mean_rating=[np.nan] * 3 + [4.0] * 17, engagement=[np.nan] * 2 + [0.77] + [1.0] * 17)
    text = said(views.section(flawed), "warning")
    assert "Не вошли в индекс 2 мероприятия: нет коэффициента вовлечённости — 2" in text
    assert "отзывы есть, а оценок нет: слагаемое отзывов принято за ноль, индекс занижен — 1" in text
    assert "вовлечённость между полосами — 1" in text


def test_probable_splits_stand_beside_chance() -> None:
    total = pd.Series({"split_excess": 6.0, "ipk": 600.0})
    text = words.splits(total, 3, 1.04, 3).replace(formats.NBSP, " ")
    assert "3 группы записей похожи на одно мероприятие" in text
    assert "Случайно так совпало бы около 1,0 пары" in text
    assert "индекс завышен на 6 баллов (1,00 % индекса)" in text
    assert words.splits(total, 0, 1.0, 3) == ""
    assert "в один день" in words.splits(total, 1, 1.0, 0)


def test_a_cut_by_two_columns_and_a_single_sum_have_views_too() -> None:
    frame = pd.DataFrame({"weight": [2.0] * 6, "participants": 9, "engagement": 1.0, "center_id": "1", "theme": "Тема"})
    assert "6 мероприятий" in said(views.section(ipk.score(frame, ("centre", "theme"))))
    assert "6 мероприятий" in said(views.section(ipk.score(frame)))


def test_regions_and_centres_beside_each_other(all_regions: Tables) -> None:
    regions = views.section(ipk.compare(all_regions, "01", by="region", rates=RATES, rule=Rule()))
    text = said(regions)
    assert "из 45 пар регионов уверенно различимы" in text
    assert "ИПК на 1000 человек: из 45 пар" in text
    assert re.search(r"Место «Демо-область 01 \(Северная\)» — от \d+ до \d+ из 10", text)
    centres = views.section(ipk.compare(all_regions, "01", by="centre", rates=RATES, rule=Rule()))
    own = table(centres, "ИПК: центры своего региона среди всех")
    assert len(own.rows) == 7
    assert "среди всех 60 центров" in own.notes[-1]
    whole = table(centres, "ИПК и его слагаемые").rows
    assert whole[-2][0] == "Остальные (46)"
    assert sum(row[3] for row in whole[:-1]) == pytest.approx(whole[-1][3])  # type: ignore[misc]
    themes = table(views.section(ipk.compare(all_regions, by="theme")), "ИПК тем")
    assert themes.rows[-1][0] == "Остальные (15)"


def test_the_basis_for_reward_names_who_and_why_not(one_region: Tables) -> None:
    score = ipk.overview(one_region, "01", rank_by="per_employee", rule=Rule()).centres
    built = views.section(ipk.reward_basis(score, audited=True, quality_floor=4.0))
    text = said(built)
    assert "Основание для разговора о поощрении есть у 6 из 7" in text
    row = next(row for row in table(built, "ИПК на сотрудника").rows if "Сосновый" in str(row[0]))
    assert row[-1] == "средняя оценка ниже порога качества"
    nobody = ipk.reward_basis(score, audited=True, quality_floor=5.0)
    assert "Ни у кого нет основания" in said(views.section(nobody))


def test_a_region_without_costs_log_and_engaged_formats_is_told_so(one_region: Tables) -> None:
    events = one_region.events.head(9).assign(external_cost=np.nan, direct_cost=np.nan, staff_hours=np.nan)
    events["month"] = pd.NaT
    built = views.section(ipk.overview(Tables(frames={"events": events.drop(columns="month")}), "01", months=36))
    everything = " ".join(every_text(built))
    assert "расходы мероприятий не записаны" in everything
    assert "Самые успешные форматы по вовлечённости назвать нельзя" in everything
    assert len(table(built, "Конверсия участников").columns) == 4
    assert not any("журналу" in figure.label for figure in built.key_figures)


def test_the_assumption_of_a_random_stream_is_checked_in_words() -> None:
    assert words.bursts(ipk.Bursts(1.05, 0.3, 100)) == ""
    assert "в 1,80 раза" in words.bursts(ipk.Bursts(1.8, 0.001, 100))
    assert "1,05 от разброса случайного потока" in words.stream(ipk.Bursts(1.05, 0.3, 100))
    assert words.stream(ipk.Bursts(np.nan, np.nan, 3)) == ""


def test_events_without_a_centre_are_said_and_dated_cuts_name_their_days(one_region: Tables) -> None:
    events = one_region.events.copy()
    events.loc[events.index[-3:], "center_id"] = pd.NA
    built = views.section(ipk.overview(one_region.replace(events=events), "01"))
    assert "Не указан центр: 3 мероприятия" in said(built, "warning")
    assert any(row[0] == "не указано" for row in table(built, "ИПК и его слагаемые").rows)
    assert "01.11.2022 – " in said(views.section(ipk.score(one_region.events, "tool")))


def test_chains_are_shown_as_wholes(all_regions: Tables) -> None:
    found = ipk.overview(all_regions, "05", months=36)
    chains = table(views.section(found), "Цепочки мероприятий")
    assert len(chains.rows) == 8
    assert "Показаны 8 из" in chains.notes[-1]
    first = found.chains.rows.set_index("chain_id").loc[str(chains.rows[0][0])]
    assert chains.rows[0][3] == pytest.approx(first["ipk"])


def test_a_lone_centre_is_compared_with_nobody(one_region: Tables) -> None:
    events = one_region.events.query("center_id == '01001'")
    built = views.section(ipk.overview(one_region.replace(events=events), "01"))
    assert "Сравнение центров между собой по этим данным невозможно" in said(built)
    assert sum(isinstance(block, Chart) for block in built.blocks) == 1


def test_a_hidden_total_is_not_said() -> None:
    score = ipk.score(
        pd.DataFrame({"weight": [2.0], "participants": 3, "engagement": 1.0, "center_id": "01"}), "centre", rule=Rule()
    )
    built = views.section(score)
    assert "скрыт: за ним стоит малое число людей" in said(built)


def test_the_region_overview_is_headed_by_the_own_regions_places() -> None:
    data = tables.load("data/demo", only=["centers", "center_months", "population", "events", "actions"])
    figures = views.section(ipk.compare(data, "01", "2025-10", by="region")).key_figures
    assert [figure.key for figure in figures] == ["rank_ipk", "rank_per_1000_people"]
    assert figures[0].note.replace("\N{NO-BREAK SPACE}", " ").endswith("; из 10; одновременные пределы: от 2 до 9")
    assert views.section(ipk.compare(data, "01", "2025-10", by="tool")).key_figures == ()
