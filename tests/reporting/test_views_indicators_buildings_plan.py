"""Premises, plan and fact in words: extremes only of what is shown, over 100 % a warning, persons never summed."""

from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis import indicators
from kcrr_analysis.reporting import Hidden, Missing, Paragraph, Section, Table, views
from kcrr_analysis.reporting.blocks import Chart, Marked
from kcrr_analysis.tables import Tables
from tests.indicators import test_plan
from tests.indicators.regions import centers, level, months, plans, premises, rows, tables
from tests.indicators.test_building import FLOW, ROOMS


def plain(text: object) -> str:
    return str(text).replace("\N{NO-BREAK SPACE}", " ")


def said(built: Section, role: str = "conclusion") -> list[str]:
    return [plain(block.text) for block in built.blocks if isinstance(block, Paragraph) and block.role == role]


def table(built: Section, place: int = 0) -> Table:
    return [block for block in built.blocks if isinstance(block, Table)][place]


def charts(built: Section) -> list[Chart]:
    return [block for block in built.blocks if isinstance(block, Chart)]


def building(**changed: object) -> Section:
    frames = {"centers": centers("a", "b"), "flow": FLOW, "center_months": ROOMS} | changed
    return views.section(indicators.building(tables(**frames), "01", "2025-10"))  # type: ignore[arg-type]


def test_the_fill_of_the_region_and_its_extremes() -> None:
    assert said(building()) == [
        "Здания центров в октябре 2025 г. заполнены на 70,8 % (годом ранее 45,8 %). Больше всего — Центр b (125,0 %), "
        "меньше всего — Центр a (60,0 %). Учёт сплошной; различия центров включают и различия их зданий."
    ]


def test_a_fill_over_100_percent_is_a_warning_with_a_remedy() -> None:
    (warning,) = said(building(), "warning")
    assert warning.startswith("Заполнение больше 100 %: Центр b (125,0 %).")
    assert "проверьте пропускную способность" in warning


def test_left_out_and_rebuilt_centres_are_named() -> None:
    warnings = said(
        building(
            centers=centers("a", "b", modernised={"a": "2025-06-01"}),
            center_months=[ROOMS[0], premises("b", floor_area_m2=100, staff_fte=2.5)],
        ),
        "warning",
    )
    assert warnings[0] == (
        "Заполнение здания: в число по региону не вошли центры без числителя или знаменателя — Центр b."
    )
    assert warnings[1].startswith("Модернизированы за последний год: Центр a (июнь 2025 г.).")


def test_the_table_of_centres_ends_with_the_region() -> None:
    built = table(building())
    assert [row[0] for row in built.rows] == ["Центр a", "Центр b", "Регион"]
    assert built.emphasised == (2,)
    assert built.rows[0][2:4] == (600, 300.0)
    assert built.rows[2][7] == pytest.approx(100 * 850 / 1200)
    assert built.rows[0][8] == pytest.approx(30)


def test_a_reason_stands_where_a_ratio_is_missing() -> None:
    built = building(center_months=[ROOMS[0], premises("b", staff_fte=2.5)])
    row = table(built).rows[1]
    assert (row[4], row[7]) == (
        Missing("нет площади"),
        Missing("нет пропускной способности или числа рабочих дней"),
    )
    assert charts(built) == []
    assert built.key_figures[0].note.endswith("без 1\N{NO-BREAK SPACE}центра")


def test_no_denominator_at_all_is_said() -> None:
    built = building(center_months=[premises("a"), premises("b")])
    assert said(built)[0].startswith(
        "Заполнение зданий в октябре 2025 г. не выводится: нет центра с числителем и знаменателем."
    )
    assert built.key_figures[0].value == Missing("нет центра с числителем и знаменателем")


def three(*, internal: bool = False) -> Section:
    flow = pd.concat([*FLOW, rows(center="c", visits=level(500, m2025_10=3 if internal else None))], ignore_index=True)
    flow["visits_hidden"] = (flow["center_id"] == "c") & (flow["month"] == pd.Period("2025-10", freq="M"))
    return building(
        centers=centers("a", "b", "c"),
        flow=flow,
        center_months=[*ROOMS, premises("c", floor_area_m2=50, capacity_visits_day=50, open_days=20)],
    )


def test_extremes_are_only_of_the_centres_that_are_shown() -> None:
    built = three()
    assert "Из центров, по которым число показано, больше всего — Центр b" in said(built)[0]
    assert said(built)[0].startswith("Заполнение зданий в октябре 2025 г. не выводится: число посещений скрыто.")
    assert table(built).rows[2][2] == Hidden()
    assert table(built).rows[2][7] == Hidden()
    assert "Центр c" not in charts(built)[0].panels[0].series[0].x
    assert built.key_figures[0].value == Hidden()


def test_an_internal_report_marks_small_counts_in_words_too() -> None:
    built = three(internal=True)
    assert "меньше всего — Центр c (0,3 %*)" in said(built)[0]
    assert table(built).rows[2][2] == Marked(3)
    assert isinstance(table(built).rows[3][7], Marked)


def test_the_fill_chart_has_the_capacity_and_the_year_before() -> None:
    (chart,) = charts(building())
    assert chart.panels[0].reference == (100.0, "Пропускная способность")
    assert [series.name for series in chart.panels[0].series] == ["Отчётный месяц", "Годом ранее"]
    assert chart.panels[0].series[0].x == ("Центр b", "Центр a")


def plan(data: Tables) -> Section:
    return views.section(indicators.plan(data, "01", "2025-10"))


def test_plan_and_fact_in_words() -> None:
    assert said(plan(test_plan.data())) == [
        "План по сервисам в октябре 2025 г. выполнен на 90,0 %: 180 из 200. С начала года — 99,0 %. План по клиентам "
        "за месяц выполнил 1 из 2 центров, по которым число клиентов показано."
    ]


def test_a_plan_of_clients_that_nobody_met() -> None:
    built = plan(test_plan.data(plan=[plans(name, test_plan.YEAR, months([500.0] * 10)) for name in ("a", "b")]))
    assert said(built)[0].endswith(
        "План по клиентам за месяц не выполнил ни один из 2 центров, по которым число клиентов показано."
    )


def test_clients_of_the_region_have_no_percentage() -> None:
    built = plan(test_plan.data())
    whole = table(built)
    assert not any("клиентов" in column.title and "%" in column.title for column in whole.columns)
    assert whole.rows[0][7] == 95
    assert any("людей по центрам не складывают" in note for note in whole.notes)
    assert [figure.key for figure in built.key_figures] == ["plan_services", "plan_clients_met"]
    assert built.key_figures[1].note.startswith("из 2;")


def test_the_centres_and_their_bars() -> None:
    built = plan(test_plan.data())
    rows_ = table(built, 1).rows
    assert [row[0] for row in rows_] == ["Центр a", "Центр b"]
    assert rows_[1][3] == pytest.approx(70)
    assert rows_[1][7] == pytest.approx(98)
    assert charts(built)[0].panels[0].reference == (100.0, "План")


def test_unplanned_centres_are_a_warning() -> None:
    built = plan(test_plan.data(plan=plans("a", test_plan.YEAR, test_plan.CLIENTS)))
    assert said(built, "warning") == ["Нет плана на месяц, в суммы не вошли: Центр b."]
    assert charts(built) == []


def test_a_hidden_fact_is_nowhere() -> None:
    built = plan(test_plan.data(flow=test_plan.marked(), plan=plans("a", test_plan.YEAR, test_plan.CLIENTS)))
    assert said(built)[0] == "Выполнение плана по сервисам в октябре 2025 г. не выводится: факт скрыт."
    row = table(built, 1).rows[0]
    assert row[2:5] == (Hidden(), Hidden(), Hidden())
    assert row[6:] == (Hidden(), Hidden())
    assert built.key_figures[0].value == Hidden()
    assert built.key_figures[1].value == Missing()


def test_without_a_total_nothing_is_concluded_from_groups() -> None:
    data = test_plan.data(
        plan=plans("a", months([100.0] * 10), group="youth"),
        flow=rows(center="a", group="youth", services_delivered=months([60.0] * 10)),
    )
    built = plan(data)
    assert said(built) == [
        "Итог выполнения плана в октябре 2025 г. не выводится: в плане нет строк client_group = all."
    ]
    assert built.key_figures == ()
