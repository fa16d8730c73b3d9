"""Promotion, tools and attraction in words: never beyond the interval, hidden counts nowhere, gaps said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import attribution, costs, funnel, stats, tables
from kcrr_analysis.costs import Rates
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.reporting import Chart, Hidden, Interval, Marked, Missing, Paragraph, Section, Table, formats, views
from kcrr_analysis.tables import Tables

ROOT = Path(__file__).resolve().parents[2]


def said(built: Section, role: str = "conclusion") -> str:
    words = " ".join(block.text for block in built.blocks if isinstance(block, Paragraph) and block.role == role)
    return words.replace(formats.NBSP, " ")


def table(built: Section, title: str) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table) and block.title.startswith(title))


def shown(cell: object) -> str:
    return formats.cell(cell, "number").replace(formats.NBSP, " ")  # type: ignore[arg-type]


def placed(**columns: object) -> pd.DataFrame:
    size = max(len(values) for values in columns.values() if isinstance(values, list))
    frame = pd.DataFrame(
        {name: value if isinstance(value, list) else [value] * size for name, value in columns.items()}
    )
    return frame.assign(period_start=pd.Timestamp("2025-01-10"), period_end=pd.Timestamp("2025-03-20"))


def campaigns(rates: dict[str, float], each: int = 12, seed: int = 2, **more: object) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    tool, mean = np.repeat(list(rates), each), np.repeat(list(rates.values()), each)
    clicks = chance.integers(500, 1500, len(tool))
    leads = chance.binomial(clicks, chance.beta(200 * mean, 200 * (1 - mean)))
    return placed(
        tool_id=tool.tolist(), impressions=(50 * clicks).tolist(), clicks=clicks.tolist(), leads=leads.tolist(), **more
    )


def test_the_real_campaign_reads_as_a_report(shared_data: Path) -> None:
    found = tables.check(shared_data, mapping=ROOT / "params" / "mappings" / "kag_campaign.yaml")
    built = views.section(funnel.conversion(found.tables.promotion, "age", money_unit="ед. валюты файла"))
    assert said(built) == (
        "625 размещений с 01.01.2017 по 31.12.2017: 204 823 716 показов, 36 068 переходов (0,018 % показов), лиды — "
        "2 669, то есть 13,0 на 1 млн показов (от 12,2 до 13,9) и 7,40 % переходов (от 6,81 до 8,04 %). "
        "Лидов на 1 млн показов: больше, чем у остальных, «30-34» — 17,8 (разница +7,0, от +5,3 до +8,7); меньше, чем "
        "у остальных, «45-49» — 9,2 (разница −5,4, от −6,8 до −4,0); не отличаются от остальных «35-39» и «40-44». "
        "Лидов в процентах к переходам: больше, чем у остальных, «30-34» — 12,83 % (разница +7,28, от +5,73 до +8,83 "
        "п. п.); меньше, чем у остальных, «45-49» — 4,29 % (разница −4,80, от −5,76 до −3,84 п. п.), «40-44» — 5,84 % "
        "(разница −1,96, от −3,25 до −0,67 п. п.); не отличается от остальных «35-39». "
        "Сравнений 8, поправка Холма: хоть одно "
        "ложное отличие — не чаще чем в 5 % случаев. Отличие не доказывает причины. "
        "Стоимость лида — 20,86 ед. валюты файла (от 19,27 до 22,57 ед. валюты файла); клиента — 63,83 ед. валюты "
        "файла (от 57,46 до 70,92 ед. валюты файла). В данных не записаны прямые расходы и часы сотрудников: в "
        "стоимость они не вошли."
    )
    assert "₽" not in " ".join(
        column.title for block in built.blocks if isinstance(block, Table) for column in block.columns
    )
    assert [row[0] for row in table(built, "Лиды: доля").rows] == ["30-34", "35-39", "40-44", "45-49", "Всего"]


def test_levels_that_cannot_be_told_apart_are_said_not_to_differ() -> None:
    built = views.section(funnel.conversion(campaigns(dict.fromkeys(["smm", "mailing", "flyer"], 0.05))))
    assert "ни одна строка из 3 не отличается от остальных размещений" in said(built)
    assert "больше, чем у остальных" not in said(built)
    verdicts = {row[-1] for row in table(built, "Лиды: доля").rows[:-1]}
    assert verdicts == {"не отличается"}


def test_a_level_that_differs_is_named_with_its_interval() -> None:
    built = views.section(funnel.conversion(campaigns({"smm": 0.05, "mailing": 0.05, "flyer": 0.12})))
    assert "больше, чем у остальных, «Флаеры и буклеты» — " in said(built)
    row = next(row for row in table(built, "Лиды: доля").rows if row[0] == "Флаеры и буклеты")
    assert row[-1] == "больше"
    assert isinstance(row[-2], Interval)


def test_one_level_alone_that_could_be_compared() -> None:
    frame = campaigns({"smm": 0.05}, each=12)
    few = campaigns({"flyer": 0.05, "mailing": 0.05}, each=3)
    built = views.section(funnel.conversion(pd.concat([frame, few], ignore_index=True)))
    assert "строка «Продвижение в социальных сетях (SMM)» не отличается" in said(built)
    assert "Без сравнения строк: 2 из 3 (мало размещений, нет данных или значение скрыто)." in said(built)
    assert "Меньше 5 размещений — интервала нет" in " ".join(table(built, "Лиды: доля").notes)


def test_few_placements_are_not_compared_and_have_no_interval() -> None:
    built = views.section(funnel.conversion(campaigns({"smm": 0.05, "mailing": 0.3}, each=4)))
    assert "Сравнение по инструментам не проводится" in said(built)
    assert [row[6] for row in table(built, "Лиды: доля").rows[:-1]] == [None, None]


def test_what_is_recorded_nowhere_has_no_table_and_no_words() -> None:
    built = views.section(funnel.conversion(placed(tool_id=["smm", "smm"], impressions=[None, None])))
    assert (
        said(built)
        == "За размещения с 10.01.2025 по 20.03.2025 не записано ни показов, ни переходов, ни целевых действий."
    )
    assert not any(isinstance(block, Chart) for block in built.blocks)
    titles = [block.title for block in built.blocks if isinstance(block, Table)]
    assert titles == ["Проникновение: показы и переходы по инструментам"]
    assert table(built, "Проникновение").rows[0][2] == Missing()
    assert built.key_figures == ()


def test_counts_without_impressions_read_by_clicks_alone() -> None:
    frame = campaigns({"smm": 0.05, "flyer": 0.12}).drop(columns="impressions")
    words = said(views.section(funnel.conversion(frame)))
    assert "показов" not in words
    assert "Лидов в процентах к переходам: больше" in words


def test_shares_of_part_of_the_placements_say_so() -> None:
    frame = campaigns({"smm": 0.05, "flyer": 0.06})
    frame["clicks"] = frame["clicks"].astype(float)
    frame.loc[0, "clicks"] = np.nan
    notes = " ".join(table(views.section(funnel.conversion(frame)), "Лиды: доля").notes)
    assert "Действия и переходы вместе записаны в 23 размещениях из 24: доля по ним." in notes
    assert "Действия и показы" not in notes


def test_small_counts_of_actions_are_flagged() -> None:
    frame = campaigns({"smm": 0.05, "flyer": 0.05})
    frame.loc[frame["tool_id"] == "flyer", "leads"] = [1, 0] * 6
    built = views.section(funnel.conversion(frame, level=0.9))
    notes = [note.replace(formats.NBSP, " ") for note in table(built, "Лиды: доля").notes]
    assert "Флаеры и буклеты (мало действий)" in [row[0] for row in table(built, "Лиды: доля").rows]
    assert any("Мало действий: меньше 10" in note for note in notes)
    assert any("Интервал 90 %" in note for note in notes)


def test_no_row_is_longer_than_a_page() -> None:
    frame = placed(
        campaign=[f"Кампания {number:02d}" for number in range(22)],
        impressions=[1000 + number for number in range(22)],
        clicks=10,
        leads=[number % 5 for number in range(22)],
    )
    rows = table(views.section(funnel.conversion(frame, "campaign")), "Лиды: доля")
    assert len(rows.rows) == 16
    assert "Показаны 15 строк с наибольшим числом показов из 22." in rows.notes
    assert "Кампания 00" not in [row[0] for row in rows.rows]


def test_months_read_in_words_and_in_their_order() -> None:
    frame = campaigns({"smm": 0.05, "flyer": 0.09})
    frame["period_start"] = pd.to_datetime(["2025-02-01", "2025-01-01"] * 12)
    rows = table(views.section(funnel.conversion(frame, "month")), "Лиды: доля").rows
    assert [str(row[0]).replace(formats.NBSP, " ") for row in rows] == ["январь 2025 г.", "февраль 2025 г.", "Всего"]


def test_an_unknown_column_and_several_columns_are_named() -> None:
    frame = campaigns({"smm": 0.05, "flyer": 0.09}).assign(banner="a")
    built = views.section(funnel.conversion(frame, ("tool_id", "banner")))
    assert built.title == "Конверсия продвижения по инструментам и по столбцу «banner»"
    assert views.section(funnel.conversion(frame, ())).title == "Конверсия продвижения"


def test_plan_and_fact_stand_side_by_side() -> None:
    frame = campaigns({"smm": 0.05, "flyer": 0.09}, customers=1)
    plan = pd.DataFrame({"tool_id": ["smm"], "planned_clients": [10]})
    rows = table(views.section(funnel.conversion(frame, plan=plan)), "План и факт").rows
    assert {row[0]: row[1:] for row in rows}["Продвижение в социальных сетях (SMM)"] == (10, 12, 120)
    assert {row[0]: row[1] for row in rows}["Флаеры и буклеты"] == Missing("нет плана")


def hidden_parts(rule: Rule) -> Section:
    frame = campaigns({"smm": 0.05, "mailing": 0.05, "flyer": 0.05}, external_cost=1000.0)
    frame.loc[frame["tool_id"] == "flyer", "leads"] = [3] + [0] * 11
    return views.section(funnel.conversion(frame, rule=rule))


def test_hidden_counts_are_nowhere_in_a_public_section() -> None:
    built = hidden_parts(Rule())
    rows = {row[0]: row for row in table(built, "Лиды: доля").rows}
    assert rows["Флаеры и буклеты"][2:] == (Hidden(),) * 5 + ("не сравнивалось",)
    money = {row[0]: row for row in table(built, "Расходы").rows}["Флаеры и буклеты"]
    assert money[1] == 12_000
    assert money[2:] == (Hidden(), Hidden())
    for block in built.blocks:
        if isinstance(block, Chart):
            assert "Флаеры и буклеты" not in block.panels[0].series[0].x
    assert "Флаеры" not in said(built)


def test_hidden_counts_are_marked_in_an_internal_section() -> None:
    rows = {row[0]: row for row in table(hidden_parts(Rule("internal")), "Лиды: доля").rows}
    own = rows["Флаеры и буклеты (мало действий)"]
    assert own[2] == Marked(3)
    assert isinstance(own[4], str)
    assert own[4].endswith(formats.MARK)


@pytest.fixture(scope="module")
def demo() -> Tables:
    return tables.load(ROOT / "data" / "demo", region="01")


def test_the_regions_promotion_has_one_table_for_each_further_cut(demo: Tables) -> None:
    built = views.section(funnel.promotion(demo, "01", "2025-10", rates=Rates(450, 0.15), rule=Rule()))
    titles = [block.title for block in built.blocks if isinstance(block, Table)]
    for by in ("по кампаниям", "по клиентским группам", "по центрам", "по месяцам"):
        assert f"Заявления на МГП {by}" in titles
        assert f"{by.capitalize()}. " in said(built)
    assert all(len(block.columns) <= 9 and len(block.rows) <= 16 for block in built.blocks if isinstance(block, Table))
    assert [figure.key for figure in built.key_figures] == [
        "click_rate",
        "applications_per_click",
        "cost_per_applications",
    ]
    assert "накладные (15" in said(built, "definition")
    actions = table(built, "Целевые действия всех размещений")
    assert actions.rows[0][0] == "Звонки"
    assert len(actions.rows) == 8


def test_tools_read_from_use_to_cost_of_a_client(demo: Tables) -> None:
    built = views.section(funnel.tools(demo, "01", "2025-10", rates=Rates(450, 0.15), rule=Rule()))
    words = said(built)
    assert "есть записи о 28 из 60 инструментов" in words
    assert "Конверсия в клиентов: выше, чем у остальных людей, «Помощь с регистрацией на ЕЦП и заявлением»" in words
    assert "Отличие не доказывает" in words
    notes = said(built, "note")
    assert "Записей в данных нет: Внешнее PR-мероприятие;" in notes
    assert "Касаний в журнале нет" in notes
    cost = {row[0]: row for row in table(built, "Стоимость нового клиента").rows}
    assert cost["День открытых дверей"][2:] == (Hidden(), Hidden(), Hidden())
    assert str(cost["День карьеры и выездная встреча в учебном заведении"][4]).startswith("не меньше")
    use = {row[0]: row for row in table(built, "Этап 1").rows}
    assert use["Уличные баннеры"][1] is None
    assert use["Уличные баннеры"][3] is None
    assert built.key_figures[0].key == "first_touch_conversion"
    charts = [block for block in built.blocks if isinstance(block, Chart)]
    assert "День открытых дверей" not in charts[0].panels[0].series[0].x


def test_tools_of_an_internal_report_mark_their_intervals(demo: Tables) -> None:
    built = views.section(funnel.tools(demo, "01", "2025-10", rates=Rates(450, 0.15), rule=Rule("internal")))
    row = {row[0]: row for row in table(built, "Конверсия в клиентов").rows}["День открытых дверей"]
    assert isinstance(row[2], Marked)
    assert all(str(cell).endswith(formats.MARK) for cell in row[4:6])
    cost = {row[0]: row for row in table(built, "Стоимость нового клиента").rows}["День открытых дверей"]
    assert str(cost[4]).endswith(formats.MARK)


def test_tools_without_a_log_say_that_clients_cannot_be_attributed(demo: Tables) -> None:
    data = Tables({"events": demo.events})
    built = views.section(funnel.tools(data, "01", "2025-10"))
    assert "Отнести клиентов к инструментам нельзя" in said(built)
    assert built.key_figures == ()
    assert any("Ставка часа не задана" in block.text for block in built.blocks if isinstance(block, Paragraph))


def test_many_tools_of_one_stage_are_cut_to_a_page(demo: Tables) -> None:
    result = funnel.tools(demo, "01", "2025-10")
    rows = result.rows.assign(events=result.rows["events"].where(result.rows["total"], 1))
    built = views.section(replace(result, rows=rows.assign(participants_hidden=False)))
    shown_table = table(built, "Этап 1")
    assert len(shown_table.rows) == 20
    assert any("Показаны 20 инструментов" in note for note in shown_table.notes)


def test_tools_too_few_to_compare() -> None:
    frame = pd.DataFrame(
        {
            "person_id": ["a", "a", "b", "z"],
            "action": ["contact", "service", "contact", "registration"],
            "tool_id": ["job_fair", None, "smm", None],
            "time": pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-03", "2025-06-30"], utc=True),
            "region_code": "01",
        }
    )
    built = views.section(funnel.tools(Tables({"actions": frame}), "01", "2025-06"))
    assert "Сравнить инструменты по конверсии нельзя" in said(built)


def test_new_clients_by_channel(demo: Tables) -> None:
    built = views.section(funnel.attraction(demo, "01", "2025-10", rule=Rule()))
    assert "из 635 человек, у которых срок в 90 дн. истёк, клиентами стали 132: 20,8 % (от 17,8 до 24,1 %)" in said(
        built
    )
    rows = {row[0]: row for row in table(built, "Новые клиенты по каналам").rows}
    assert rows["Мероприятие"][2:] == (Hidden(),) * 4
    assert rows["В центре"][2] == 42


def test_linear_credit_has_no_interval_and_says_so(demo: Tables) -> None:
    built = views.section(
        funnel.attraction(demo, "01", "2025-10", by="client_group", model="linear", rule=Rule("internal"))
    )
    found = table(built, "Новые клиенты по клиентским группам")
    assert {row[4] for row in found.rows} == {None}
    assert "Интервала нет: вклад касаний дробный." in found.notes
    assert any("малая база" in str(row[0]) for row in found.rows)


def test_many_rows_of_new_clients_are_cut_and_all_touches_are_one_row(demo: Tables) -> None:
    built = views.section(funnel.attraction(demo, "01", "2025-10", by=("center_id", "channel")))
    assert len(table(built, "Новые клиенты").rows) == 21
    assert len(table(views.section(funnel.attraction(demo, "01", "2025-10", by=())), "Новые клиенты").rows) == 1


def test_no_closed_window_has_no_conversion(demo: Tables) -> None:
    built = views.section(funnel.attraction(demo, "01", "2025-10", months=1))
    assert "конверсия в клиентов не выводится" in said(built)


def test_clients_per_post_carry_the_caveat(demo: Tables) -> None:
    built = views.section(funnel.attraction_per_employee(demo, "01", "2025-10", rule=Rule()))
    assert "не отличается от региона" in said(built)
    assert "не годится для поощрения" in said(built, "warning")
    rows = table(built, "Новые клиенты фронт-офиса").rows
    assert rows[-1][0] == "Всего"
    assert Hidden() in rows[-2]


def test_a_centre_above_the_region_is_named() -> None:
    rows = pd.DataFrame(
        {"center_id": ["a", "b"], "touched": 40, "clients": [30, 3], "staff_fte": 10.0, "per_employee": [3.0, 0.3],
         "low": [2.0, 0.1], "high": [4.3, 0.9], "p_adjusted": 0.001, "differs": [1, -1]}
    )  # fmt: skip
    whole = {"touched": 80, "clients": 33, "staff_fte": 20.0, "per_employee": 1.65, "low": 1.1, "high": 2.3}
    total = pd.DataFrame([whole | {"p_adjusted": np.nan, "differs": 0}])
    month = pd.Period("2025-03")
    result = attribution.AttractionPerEmployee(month, month, 1, 0.95, ("office",), rows, total, "Определение.")
    assert "Из 2 сравниваемых центров выше региона «a»; ниже региона «b»" in said(views.section(result))
    nothing = replace(result, total=total.assign(per_employee=np.nan, low=np.nan), rows=rows.assign(p_adjusted=np.nan))
    words = said(views.section(nothing))
    assert "не выводится" in words
    assert "Центры не сравниваются" in words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(10, 70, "сказать нельзя"), (50, 70, "окупаются на всём интервале"), (0, 10, "не окупаются на всём интервале")],
)
def test_a_scenario_says_no_more_than_its_interval(low: float, high: float, words: str) -> None:
    growth = stats.Estimate((low + high) / 2, low, high, 0.95, "", 1.0, 1.0)
    built = views.section(costs.scenario(growth, client_value=1000, cost=20_000))
    assert words in said(built)
    assert "не указан" in said(built)
    assert table(built, "Сценарий").rows[-1][:2] == ("Окупается при числе клиентов", 20)
    assert len(table(views.section(costs.scenario(growth, client_value=0, cost=1)), "Сценарий").rows) == 5
