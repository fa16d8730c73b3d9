"""Labour market, change log and consistency in words: exact sentences, reasons, nothing beyond the figures."""

from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.reporting import Hidden, Missing, Paragraph, Section, Table, views
from kcrr_analysis.reporting.blocks import Chart, Marked
from tests.indicators.regions import centers, level, rows, tables
from tests.indicators.test_change_log import LOG
from tests.indicators.test_market import BASE, FLOW, NOW, external


def plain(text: object) -> str:
    return str(text).replace("\N{NO-BREAK SPACE}", " ")


def said(built: Section, role: str = "conclusion") -> list[str]:
    return [plain(block.text) for block in built.blocks if isinstance(block, Paragraph) and block.role == role]


def table(built: Section, place: int = 0) -> Table:
    return [block for block in built.blocks if isinstance(block, Table)][place]


def market(**frames: pd.DataFrame) -> Section:
    return views.section(indicators.market(tables(**frames), "01", NOW))


def whole() -> Section:
    series = external(unemployed_ilo={NOW: 1000, "2024-10": 500}, youth_employment={NOW: 61.5, "2024-10": 60})
    return market(vacancies=BASE, flow=FLOW, external_series=series)


def test_the_market_in_words() -> None:
    assert said(whole()) == [
        "В октябре 2025 г.: «Вакансии в базе» — 400 ед. (+100,0 % за год); «Качество базы вакансий» — 60,0 % (+20,0 п. "
        "п. за год); «Доля ищущих работу, выбравших центр или ЕЦП» — ориентир, 12,0 % (−8,0 п. п. за год); «Занятость "
        "молодёжи» — 61,5 % (+1,5 п. п. за год)."
    ]


def test_the_share_of_job_seekers_is_said_to_be_a_guide() -> None:
    built = whole()
    (note,) = table(built).notes
    assert "ориентир, а не строгая доля" in note
    row = [plain(cell) for cell in table(built).rows[2]]
    assert row[4] == "1 000: безработные, чел."
    assert "погрешность внешнего ряда в данных не указана" in row[5]


def test_what_cannot_be_computed_has_its_reason_and_no_key_figure() -> None:
    built = market(vacancies=BASE)
    assert said(built)[0].endswith(
        "Не вычисляются: «Доля ищущих работу, выбравших центр или ЕЦП» и «Занятость молодёжи» (причина — под таблицей)."
    )
    assert table(built).rows[3][1] == Missing("не вычисляется")
    assert "«Занятость молодёжи» — в данных нет таблицы" in table(built).notes[1]
    assert [figure.key for figure in built.key_figures] == ["vacancies", "vacancy_quality"]
    assert built.key_figures[0].value == 400
    assert built.key_figures[0].change == pytest.approx(100)


def seekers(applied: float | None) -> Section:
    flow = rows(applied={NOW: applied, "2024-10": 100})
    flow["applied_hidden"] = flow["month"] == pd.Period(NOW, freq="M")
    return market(flow=flow, external_series=external(unemployed_ilo={NOW: 1000, "2024-10": 500}))


def test_a_hidden_count_hides_the_share_in_words_and_cells() -> None:
    built = seekers(None)
    assert "Скрыто: «Доля ищущих работу, выбравших центр или ЕЦП»." in said(built)[0]
    assert table(built).rows[2][1:4] == (Hidden(), "20,0\N{NO-BREAK SPACE}%", Hidden())
    assert built.key_figures[0].value == Hidden()
    assert not any(isinstance(block, Chart) for block in built.blocks)


def test_an_internal_report_marks_the_share() -> None:
    built = seekers(4)
    assert "ориентир, 0,4 %*" in said(built)[0]
    assert table(built).rows[2][1] == Marked(pytest.approx(0.4))
    assert str(table(built).rows[2][3]).endswith("*")


def test_histories_of_two_months_are_drawn_one_is_not() -> None:
    (chart,) = [block for block in whole().blocks if isinstance(block, Chart)]
    assert [panel.title for panel in chart.panels] == [
        "Вакансии в базе",
        "Качество базы вакансий",
        "Доля ищущих работу, выбравших центр или ЕЦП",
        "Занятость молодёжи",
    ]
    line = chart.panels[0].series[0]
    assert (line.y[0], line.y[1], line.y[-1]) == (200, None, 400)


def log(frame: pd.DataFrame = LOG) -> Section:
    return views.section(indicators.change_log(tables(changes=frame, centers=centers("a")), "01", "2025-10"))


def test_the_change_log_in_words() -> None:
    built = log()
    assert said(built) == [
        "За период январь – октябрь 2025 г. в журнале 3 изменения, за те же месяцы прошлого года — 1. Причина указана "
        "у 1 из 3."
    ]
    assert built.key_figures[0].value == 3
    assert table(built).rows[1] == ("Материалы продвижения", 1, 0, 0, "10.05.2025")


def test_changes_are_listed_with_place_and_reason() -> None:
    listed = table(log(), 1)
    assert listed.rows[1][:2] == ("10.05.2025", "Центр a")
    assert listed.rows[1][4] == Missing("не указана")
    assert listed.rows[2][1] == "Регион"
    assert listed.notes == ()


def test_a_long_log_is_cut_and_says_so() -> None:
    many = pd.concat([LOG.iloc[[0]]] * 25, ignore_index=True)
    listed = table(log(many), 1)
    assert len(listed.rows) == 20
    assert plain(listed.notes[0]) == "Показаны последние 20, ещё 5 изменений — в таблице changes."


def test_a_year_without_changes_has_no_list() -> None:
    built = log(LOG.iloc[[4]])
    assert "0 изменений" in said(built)[0]
    assert len([block for block in built.blocks if isinstance(block, Table)]) == 1


def consistency(*flow: pd.DataFrame) -> Section:
    return views.section(indicators.consistency(tables(flow=list(flow)), "01", "2025-10"))


def test_contradictions_are_a_warning_with_place_and_remedy() -> None:
    built = consistency(rows(measure_applicants=level(2000), measure_recipients=level(1000, m2025_08=2001)))
    assert said(built) == []
    (warning,) = said(built, "warning")
    assert warning.startswith(
        "За период ноябрь 2024 г. – октябрь 2025 г. найдено 1 противоречие (12 сравнений): «Получатели и "
        "обратившиеся» — 1. Исправьте данные до сдачи показателей."
    )
    row = table(built).rows[0]
    assert (row[0], row[2], row[3]) == ("Регион", "2025-08", "1")
    assert "2 001 и 2 000" in plain(row[4])
    assert "Проверьте" in str(row[5])
    assert built.key_figures[0].value == 1


def test_no_contradiction_proves_nothing() -> None:
    (words,) = said(consistency(rows(measure_applicants=level(2000), measure_recipients=level(1000))))
    assert "противоречий не найдено" in words
    assert words.endswith("Это не доказывает, что сами числа верны.")


def test_nothing_to_compare_is_said() -> None:
    (words,) = said(consistency(rows(guidance_recipients={"2025-10": 5})))
    assert words.startswith("За период ноябрь 2024 г. – октябрь 2025 г. сверить показатели не с чем.")


def test_a_long_list_is_cut_and_says_so() -> None:
    flow = [rows(applied=level(10))] + [rows(group=f"g{number:02d}", applied=level(11)) for number in range(35)]
    built = consistency(*flow)
    assert len(table(built).rows) == 30
    assert "Показаны первые 30, всего 35." in table(built).notes
