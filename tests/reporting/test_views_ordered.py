"""The ordered funnel in words: losses and differences only as far as the intervals allow, small counts nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kcrr_analysis import funnel, tables
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.reporting import Chart, Hidden, Marked, Paragraph, Section, Table, formats, views

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
STEPS = ["contact", "registration", "service"]
DAY = pd.Timedelta(days=1)


def actions(**levels: tuple[int, ...]) -> pd.DataFrame:
    """Level -> persons at each step; the log ends half a year later."""
    start = pd.Timestamp("2025-01-10", tz="UTC")
    rows = [("last", start + 180 * DAY, "other", "none")]
    for level, counts in levels.items():
        for step, count in enumerate(counts):
            rows += [(f"{level}-{n}", start + step * DAY, STEPS[step], level) for n in range(count)]
    return pd.DataFrame(rows, columns=["person_id", "time", "action", "tool_id"])


def late(count: int, level: str = "smm") -> pd.DataFrame:
    start = pd.Timestamp("2025-07-01", tz="UTC")
    return pd.DataFrame(
        [(f"late-{level}-{n}", start, "contact", level) for n in range(count)],
        columns=["person_id", "time", "action", "tool_id"],
    )


def built(log: pd.DataFrame, by: str | tuple[str, ...] = "tool_id", **settings: Any) -> Section:
    return views.section(funnel.ordered(log, STEPS, 90, by, **{"total": True, **settings}))


def said(section: Section, role: str = "conclusion") -> str:
    words = [block.text for block in section.blocks if isinstance(block, Paragraph) and block.role == role]
    return " ".join(words).replace(formats.NBSP, " ")


def parts(section: Section, kind: type) -> list[Any]:
    return [block for block in section.blocks if isinstance(block, kind)]


def test_the_conclusion_comes_first_with_n_and_interval() -> None:
    section = built(actions(t1=(100, 40, 30), t2=(100, 40, 30)))
    assert isinstance(section.blocks[0], Paragraph)
    assert said(section).startswith(
        "В путь вошли (весь журнал) 200 человек. Срок (90 дней) истёк у 200; из них до шага «Услуга» дошли 60, то есть "
        "30,0 % (95 %-й интервал: от 24,1 до 36,7 %). "
    )
    figure = section.key_figures[0]
    assert (figure.key, figure.value, figure.kind) == ("path_service", 30.0, "percent")
    assert "n = 200" in figure.note


def test_the_largest_loss_is_named_where_the_intervals_tell_it() -> None:
    assert "Больше всего людей теряется перед шагом «Регистрация на ЕЦП»: его не сделали 60,0 %" in said(
        built(actions(t1=(200, 80, 60)))
    )
    assert "перед шагом «Услуга»: его не сделали 75,0 %" in said(built(actions(t1=(200, 160, 40))))


def test_losses_that_the_intervals_do_not_tell_apart_are_not_ranked() -> None:
    words = said(built(actions(t1=(40, 20, 9))))
    assert "Больше всего" not in words
    assert "«Регистрация на ЕЦП» (50,0 %) и «Услуга» (55,0 %) в пределах погрешности неразличимы" in words


def test_levels_that_differ_are_named_with_both_shares() -> None:
    words = said(built(actions(t1=(100, 70, 60), t2=(100, 40, 20), t3=(100, 40, 30))))
    assert "чаще остальных доходят «t1» (60,0 % против 25,0 %)" in words
    assert "реже остальных доходят «t2» (20,0 % против 45,0 %)" in words
    assert "Сравнений 3; вероятность хотя бы одного ложного вывода — не больше 5 %." in words
    assert "не доказывает" in words


def test_more_than_five_levels_are_counted_not_listed() -> None:
    high = {f"h{n}": (100, 90, 80) for n in range(7)}
    low = {f"l{n}": (100, 20, 10) for n in range(7)}
    assert " и ещё 2" in said(built(actions(**high, **low)))


def test_equal_levels_are_said_not_to_differ() -> None:
    words = said(built(actions(t1=(100, 40, 30), t2=(100, 40, 31))))
    assert "различий (инструмент) не видно" in words


def test_too_few_to_compare() -> None:
    words = said(built(actions(t1=(4, 2, 1), t2=(5, 3, 2))))
    assert "нечего: людей с истёкшим сроком мало" in words
    assert "База мала" in words


def test_immature_entrants_are_warned_of_and_stand_in_the_table() -> None:
    section = built(pd.concat([actions(smm=(50, 30, 20), t2=(50, 30, 20)), late(12)]))
    assert "У 12 из вошедших срок (90 дней) ещё не истёк" in said(section, "warning")
    people = parts(section, Table)[1]
    assert [column.title for column in people.columns][:4] == [
        "Инструмент", "Вошли, чел.", "Срок ещё не истёк", "Срок истёк",
    ]  # fmt: skip
    assert people.rows[0][:4] == ("smm", 62, 12, 50)
    assert people.rows[-1][0] == "Всего"


def test_nothing_but_immature_ones_is_not_enough_data() -> None:
    section = built(pd.concat([late(12), late(3, "t2")]))
    assert "Доли не выводятся: не хватает данных" in said(section)
    assert not parts(section, Chart)


def test_titles_of_tools_stand_for_their_codes() -> None:
    result = funnel.ordered(actions(smm=(50, 30, 20), x=(50, 30, 20)), STEPS, 90, "tool_id", total=True)
    section = views.section(replace(result, titles={"tool_id": {"smm": "Соцсети"}}))
    assert {row[0] for row in parts(section, Table)[1].rows} == {"Соцсети", "x", "Всего"}


def test_a_missing_level_is_called_so_and_levels_join() -> None:
    log = actions(smm=(50, 30, 20), t2=(50, 30, 20)).assign(channel="phone")
    log["tool_id"] = log["tool_id"].where(log["tool_id"] != "t2")
    names = {row[0] for row in parts(built(log, ("tool_id", "channel")), Table)[1].rows}
    assert names == {"smm · phone", "Не указано · phone", "Всего"}


def test_without_levels_there_is_one_table_by_steps() -> None:
    section = built(actions(t1=(100, 40, 30)), ())
    assert section.title == "Путь людей по шагам"
    (table,) = parts(section, Table)
    assert [row[0] for row in table.rows] == ["Первый контакт", "Регистрация на ЕЦП", "Услуга"]
    assert table.rows[1][3] == 40.0
    assert len(parts(section, Chart)) == 1


def test_levels_alone_have_no_words_on_the_whole() -> None:
    section = built(actions(t1=(100, 40, 30), t2=(100, 40, 30)), total=False)
    assert len(parts(section, Table)) == 2
    assert not section.key_figures


def test_months_of_entry_read_as_months() -> None:
    names = [row[0] for row in parts(built(actions(t1=(50, 30, 20)), (), cohort=True), Table)[1].rows]
    assert names == [formats.month("2025-01"), "Всего"]


def test_a_flow_has_persons_and_no_shares() -> None:
    section = built(actions(t1=(50, 30, 20), t2=(50, 30, 20)), period="2025-01", counting="period")
    assert "Доли между шагами не выводятся" in said(section)
    assert not section.key_figures
    assert all("%" not in column.title for table in parts(section, Table) for column in table.columns)


def test_a_path_without_a_window_says_no_term() -> None:
    words = said(views.section(funnel.ordered(actions(t1=(100, 40, 30)), STEPS, None)))
    assert "Из них до шага «Услуга» дошли 30" in words


def test_a_period_that_is_no_run_of_months_is_said_by_days() -> None:
    section = built(actions(t1=(50, 30, 20)), period=("2025-01-05", "2025-01-15"))
    assert "В путь вошли (с 05.01.2025 по 15.01.2025)" in said(section)
    months = built(actions(t1=(50, 30, 20)), period=("2024-12", "2025-02"))
    assert "В путь вошли (декабрь 2024 г. – февраль 2025 г.)" in said(months)


def test_actions_left_out_are_warned_of() -> None:
    log = actions(t1=(50, 30, 20))
    log.loc[log.index[:2], "person_id"] = None
    log.loc[log.index[5], "time"] = pd.NaT
    assert "без кода человека — 2, без времени — 1" in said(built(log), "warning")


def test_many_levels_are_cut_and_said_to_be() -> None:
    section = built(actions(**{f"t{n:02d}": (10 + n, 5, 2) for n in range(45)}))
    people = parts(section, Table)[1]
    assert len(people.rows) == 41
    assert "Показаны 40 наибольших из 45." in people.notes


def test_small_counts_are_withheld_in_every_block() -> None:
    log = pd.concat([actions(a=(60, 30, 3), b=(70, 35, 20), c=(80, 40, 25)), late(2, "b")])
    section = built(log, rule=Rule())
    _, people, shares = parts(section, Table)
    row = next(row for row in people.rows if row[0] == "a")
    assert isinstance(row[-1], Hidden)
    row = next(row for row in shares.rows if row[0] == "a")
    assert isinstance(row[2], Hidden)
    assert isinstance(row[3], Hidden)
    assert isinstance(row[4], Hidden)
    assert "«a»" not in said(section)
    for chart in parts(section, Chart):
        assert all("a" not in series.x for panel in chart.panels for series in panel.series)


def test_a_withheld_whole_is_said_to_be() -> None:
    few = built(actions(a=(3, 2, 1)), (), rule=Rule())
    assert "Число вошедших скрыто" in said(few)
    some = built(actions(a=(50, 20, 2)), (), rule=Rule())
    assert "Доля дошедших до шага «Услуга» скрыта" in said(some)
    assert "Часть шагов скрыта и не сравнивалась" in said(some)
    assert isinstance(some.key_figures[0].value, Hidden)


def test_internal_reports_mark_what_is_small() -> None:
    section = built(actions(a=(60, 30, 3), b=(70, 35, 20), c=(80, 40, 25)), rule=Rule("internal"))
    _, people, shares = parts(section, Table)
    row = next(row for row in people.rows if row[0] == "a")
    assert row[-1] == Marked(3)
    row = next(row for row in shares.rows if row[0] == "a")
    assert str(row[3]).endswith(formats.MARK)
    assert f"«a» (5,0 %{formats.MARK} против" in said(section)


@pytest.mark.parametrize(
    ("by", "title"), [("tool_id", "инструментам"), ("channel", "каналам"), ("event_id", "уровням")]
)
def test_the_base_path_of_the_demo(by: str, title: str) -> None:
    data = tables.load(DEMO, region="01", only=("actions",))
    section = views.section(funnel.path(data, "01", "2025-10", by=by, rule=Rule()))
    assert section.title == f"Базовый клиентский путь по {title} первого контакта"
    assert said(section).startswith("В путь вошли (ноябрь 2024 г. – октябрь 2025 г.)")
    assert said(section, "definition").startswith("Путь: «Первый контакт» → «Регистрация на ЕЦП»")
    assert said(section, "note").endswith("при том же периоде и сроке итоги совпадают.")
    cells = [cell for table in parts(section, Table) for row in table.rows for cell in row]
    assert not any(isinstance(cell, str) and "nan" in cell.lower() for cell in cells)


def test_a_log_that_ends_before_the_month_says_so_beside_the_other_measure() -> None:
    log = actions(smm=(50, 30, 20), t2=(50, 30, 20)).assign(region_code="01", client_group="school")
    data = tables.Tables(frames={"actions": log})
    words = said(views.section(funnel.path(data, "01", "2025-07")), "note")
    assert "журнал известен лишь по 09.07.2025" in words
    assert "Из журнала взяты только действия, где «Код региона»: 01" in said(
        views.section(funnel.path(data, "01", "2025-07")), "definition"
    )
    assert not said(built(log), "note")
