"""The ten official indicators in words, tables and charts: statuses and reasons said exactly, hidden counts nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcrr_analysis import disclosure, indicators
from kcrr_analysis.indicators import Official
from kcrr_analysis.reporting import Hidden, Interval, Missing, Paragraph, Section, Table, json_form, views
from kcrr_analysis.reporting.blocks import Chart, KeyFigure, Marked, Report
from kcrr_analysis.tables import Tables
from tests.indicators.regions import level, months, rows, tables
from tests.indicators.test_official import whole


def official(data: Tables | None = None, **settings: object) -> Official:
    return indicators.official(tables(**whole()) if data is None else data, "01", "2025-10", **settings)  # type: ignore[arg-type]


def section(data: Tables | None = None, **settings: object) -> Section:
    return views.section(official(data, **settings))


def plain(text: object) -> str:
    return str(text).replace("\N{NO-BREAK SPACE}", " ")


def said(built: Section, role: str = "conclusion") -> list[str]:
    return [plain(block.text) for block in built.blocks if isinstance(block, Paragraph) and block.role == role]


def table(built: Section, place: int = 0) -> Table:
    return [block for block in built.blocks if isinstance(block, Table)][place]


def charts(built: Section) -> list[Chart]:
    return [block for block in built.blocks if isinstance(block, Chart)]


def figure(built: Section, key: str) -> KeyFigure:
    return next(each for each in built.key_figures if each.key == key)


def json(built: Section) -> str:
    return json_form.dumps(Report("x", "Глава", "01", "Область", "октябрь 2025 г.", (built,)))


def test_the_conclusion_names_what_grew_and_fell() -> None:
    first, second = said(section())
    assert first == (
        "Из десяти официальных показателей к тому же месяцу прошлого года выросли 4: «Обратились за содействием в "
        "поиске подходящей работы» (+3,0 %), «Оказано мер государственной поддержки» (+25,0 %), «Охват людей с "
        "инвалидностью мерами поддержки» (+20,0 %), «Сервисы на одного сотрудника» (+20,0 %); сохранены 5: "
        "«Зарегистрировано в целях поиска подходящей работы», «Участники СВО, обратившиеся за мерами поддержки», "
        "«Охват подростков профориентацией», «Охват выпускников СПО и вузов мерами поддержки», «Посетители на 1 м² "
        "площади»; снизился 1: «Обратились за мерами государственной поддержки» (−5,0 %)."
    )
    assert "причин изменения не называет" in second
    assert "Учёт сплошной, выборочной погрешности нет" in second


def test_what_has_no_status_is_said_by_number() -> None:
    built = section(tables(flow=rows(applied=level(1000))))
    assert said(built)[0] == (
        "Из десяти официальных показателей к тому же месяцу прошлого года сохранён 1: «Обратились за содействием в "
        "поиске подходящей работы»; не снизился ни один; не вычисляются: № 1, 3–10."
    )
    assert figure(built, "official_grown").value == 0
    assert figure(built, "official_grown").note.endswith("сохранены 1; не вычисляются 9")


def test_without_any_verdict_nothing_is_said_to_have_not_fallen() -> None:
    built = section(tables(flow=rows(applied=months([1000.0] * 5))))
    assert said(built) == [
        "Из десяти официальных показателей к тому же месяцу прошлого года недостаточно данных для статуса: № 2; не "
        "вычисляются: № 1, 3–10."
    ]
    notes = " ".join(table(built).notes)
    assert "№\N{NO-BREAK SPACE}2 — история 5 мес., нужно не меньше 24 мес." in notes
    assert table(built).rows[1][6] == "недостаточно данных"


def test_the_table_that_is_handed_in() -> None:
    built = section()
    rows_ = [tuple(plain(cell) for cell in row) for row in table(built).rows]
    assert rows_[1][:7] == (
        "2",
        "Обратились за содействием в поиске подходящей работы, чел.",
        "1 030",
        "1 000",
        "+30",
        "3.0000000000000027",
        "вырос",
    )
    assert rows_[6][2:5] == ("12,00 %", "10,00 %", "+2,00 п. п.")
    assert rows_[6][7] == "1 250: численность группы «Люди с инвалидностью», 2025 г."
    assert rows_[8][2] == "3,00"
    assert rows_[8][7] == "300: общая площадь, м², окт 2025"
    assert rows_[0][7] == "–"


def test_a_reason_stands_under_the_table_and_in_the_cell() -> None:
    built = section(tables(**{name: frame for name, frame in whole().items() if name != "population"}))
    row = table(built).rows[5]
    assert row[2] == Missing("не вычисляется")
    assert row[3] == Missing()
    assert row[4] is None
    assert row[6] == "не вычисляется"
    assert any("Почему нет значения или статуса" in note and "population" in note for note in table(built).notes)


def test_definition_kind_period_and_limits_of_each() -> None:
    method = table(section(), 1)
    assert method.rows[0][2].startswith("на конец периода; октябрь")  # type: ignore[union-attr]
    assert method.rows[5][2].startswith("отношение; январь – октябрь")  # type: ignore[union-attr]
    assert method.rows[1][4] == Interval(-2, 2)
    assert all(row[6] == "неизвестно" for row in method.rows)
    assert any("взяты заданные пределы" in note for note in method.notes)


def test_a_denominator_that_moved_is_a_warning() -> None:
    warnings = said(section(), "warning")
    assert len(warnings) == 1
    assert "№ 7 (знаменатель +25,0 %)" in warnings[0]


def test_a_coverage_over_100_percent_and_left_out_centres_are_warnings() -> None:
    result = official()
    frame = result.rows.copy()
    frame.loc[5, "value"] = 120.0
    frame.at[8, "left_out"] = ("Центр b",)
    warnings = said(views.section(replace(result, rows=frame)), "warning")
    assert any("Охват больше 100 %: № 6." in words for words in warnings)
    assert any("№ 9 «Посетители на 1 м² площади»: в расчёт не вошли" in words for words in warnings)


def test_a_small_base_is_marked_in_the_row_and_explained() -> None:
    data = tables(flow=rows(group="svo_participants", measure_applicants=level(20)))
    built = table(section(data))
    assert str(built.rows[4][1]).endswith("чел. (малая база)")
    assert any("меньше 30 человек" in note for note in built.notes)


def test_key_figures_leave_out_what_stands_elsewhere() -> None:
    built = section()
    assert [each.key for each in built.key_figures] == [
        "official_grown", "registered", "measure_applicants", "measures_delivered", "svo_measure_applicants",
        "visits_per_m2", "services_per_employee",
    ]  # fmt: skip
    assert plain(figure(built, "registered").note) == "конец октября 2025 г.; сплошной учёт; сохранён"
    assert figure(built, "measure_applicants").change == pytest.approx(-5)


def test_the_change_chart_has_the_limits_beside_the_changes() -> None:
    chart = charts(section())[0]
    change, limits = chart.panels[0].series
    assert len(change.x) == 10
    assert change.y[2] == pytest.approx(-5)
    assert (limits.low[2], limits.high[2]) == (-2, 2)
    assert "а не погрешность" in chart.notes[0]
    assert "от −5,0 % до +25,0 %" in plain(chart.alt)


def test_a_change_without_a_verdict_has_no_limits() -> None:
    chart = charts(section(tables(flow=rows(applied=months([100.0] * 12 + [110.0])))))[0]
    assert [series.name for series in chart.panels[0].series] == ["Изменение за год"]
    assert chart.notes == ()


def test_histories_are_small_multiples_of_at_most_six() -> None:
    drawn = charts(section())[1:]
    assert [len(chart.panels) for chart in drawn] == [5, 5]
    assert all(len(panel.series[0].x) <= 36 for chart in drawn for panel in chart.panels)
    assert drawn[0].notes == ()
    assert "каждый январь начинаются заново" in drawn[1].notes[0]


def test_without_a_history_there_are_no_charts() -> None:
    assert charts(section(tables(flow=rows(applied={"2025-10": 100})))) == []


def hidden(mode: str) -> Section:
    values = months([float(300 + (place * 37) % 101) for place in range(36)]) | {"2024-10": 4.0}
    flow = rows(group="svo_participants", measure_applicants=values)
    return section(tables(flow=flow), rule=disclosure.Rule(mode=mode))  # type: ignore[arg-type]


def test_a_hidden_base_hides_every_figure_from_it() -> None:
    built = hidden("public")
    row = table(built).rows[4]
    assert row[3:7] == (Hidden(), Hidden(), Hidden(), Hidden())
    assert "статус скрыт: № 5" in said(built)[0]
    assert figure(built, "svo_measure_applicants").change == Hidden()
    assert figure(built, "svo_measure_applicants").note.endswith("скрыто")
    line = charts(built)[0].panels[0].series[0]
    assert line.y[line.x.index("2024-10")] is None
    assert "4.0" not in json(built)


def test_an_internal_report_marks_what_comes_from_small_counts() -> None:
    built = hidden("internal")
    row = table(built).rows[4]
    assert row[3] == "4*"
    assert isinstance(row[5], Marked)
    assert str(row[6]).endswith("*")
    assert "%*)" in plain(said(built)[0])


def test_a_year_to_date_report_says_so() -> None:
    built = section(period="year_to_date")
    assert plain(table(built).title) == "Официальные показатели, январь – октябрь 2025 г."
    assert "Показатели за период — нарастающим итогом с января" in table(built).notes[0]
    assert plain(figure(built, "measures_delivered").note).startswith("январь – октябрь 2025 г.")


def test_no_word_is_english_but_names_of_tables() -> None:
    text = " ".join(said(section()) + said(section(), "warning"))
    assert not any("a" <= letter <= "z" for letter in text.lower())
