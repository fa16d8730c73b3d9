"""The assignment for the order to the centres, and the protocol for approval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.experiments import Costs, Design, Looks, Outcome, Protocol
from kcrr_analysis.experiments import Rule as Decides
from kcrr_analysis.experiments.assignment import read_assignment
from kcrr_analysis.experiments.order import order
from kcrr_analysis.reporting import charts, formats, html
from kcrr_analysis.reporting.blocks import Chart, Hidden, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments import words

CENTRES = pd.DataFrame(
    {
        "center_id": [f"{place:02d}" for place in range(12)],
        "region_code": ["01", "02"] * 6,
        "size": np.arange(12.0) * 10,
        "staff_fte": np.arange(12.0)[::-1],
    }
)
APPLIED = Outcome("applied", of="n", title="Обратились", worthwhile=0.03)


def said(built: Section) -> str:
    return " ".join(block.text for block in built.blocks if isinstance(block, Paragraph)).replace(formats.NBSP, " ")


def table(built: Section, title: str) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table) and block.title.startswith(title))


def cells(found: Table) -> list[list[str]]:
    return [
        [
            formats.cell(cell, column.kind, column.decimals).replace(formats.NBSP, " ")
            for cell, column in zip(row, found.columns, strict=True)
        ]
        for row in found.rows
    ]


def drawn(**settings: Any) -> tuple[Design, Section]:
    design = Design(**{"cluster": "center_id", "arms": ("control", "new"), "seed": 7, **settings})
    made = Protocol("p", design, [APPLIED], title="Клуб", arm_titles={"new": "клуб"})
    names = {"00": "Первый центр"}
    built = build(order(made, design.assign(CENTRES), names))
    html.fragment(built)
    return design, built


def test_the_order_names_every_centre_its_group_and_how_it_was_drawn() -> None:
    design, built = drawn(method="stratified", strata="region_code", balance=["size", "staff_fte"])
    assert built.title == "Назначение групп апробации «Клуб»"
    text = said(built)
    assert "По жребию назначено центров: 12. Контрольная группа — 6; клуб — 6." in text
    assert "случайное назначение внутри страт; страты — «Код региона»" in text
    assert "(seed) — 7. Тот же список и то же число дают то же назначение." in text
    assert "Допустимых назначений 400. Наименьшее возможное p — 0,005." in text
    assert "в таблице он остаётся в своей группе" in text
    listed = table(built, "Список для приказа")
    assert [column.title for column in listed.columns] == ["Код", "Центр", "Код региона", "Группа"]
    assert len(listed.rows) == 12
    assert listed.rows[0][:3] == ("00", "Первый центр", "01")
    expected = design.assign(CENTRES).units["arm"].map({"control": "контрольная группа", "new": "клуб"})
    assert [row[-1] for row in listed.rows] == list(expected)


def test_balance_stands_in_a_table_and_a_picture() -> None:
    design, built = drawn(balance=["size", "staff_fte"])
    found = table(built, "Равновесие групп")
    expected = design.assign(CENTRES).balance
    assert [row[3] for row in found.rows] == pytest.approx(list(expected["difference"]))
    picture = next(block for block in built.blocks if isinstance(block, Chart))
    assert picture.panels[0].series[0].x == ("size", words.column_title("staff_fte"))
    assert charts.draw(picture).png
    assert words.column_title("staff_fte") != "staff_fte"


def test_a_balance_that_cannot_be_scaled_says_so() -> None:
    design = Design(cluster="center_id", arms=("control", "a", "b"), balance="even", seed=1)
    frame = CENTRES.head(6).assign(even=[1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    made = design.assign(frame)
    made.units["even"] = made.units["arm"].map({"control": 1.0, "a": 2.0, "b": 3.0})
    rows = cells(table(build(made), "Равновесие"))
    assert [row[-1] for row in rows] == ["не вычисляется", "не вычисляется"]
    assert rows[0][1] == "формат a"


def test_three_against_three_is_refused_hope_before_the_pilot() -> None:
    design = Design(cluster="center_id", arms=("control", "new"), seed=1)
    text = said(build(design.assign(CENTRES.head(6))))
    assert "наименьшее возможное p — 0,10, больше 0,05" in text
    assert "добавьте центры до начала апробации" in text


def test_another_assignment_than_the_seed_gives_is_told() -> None:
    design = Design(cluster="center_id", arms=("control", "new"), seed=1)
    made = design.assign(CENTRES)
    turned = made.to_frame().assign(arm=lambda units: units["arm"].map({"control": "new", "new": "control"}))
    text = said(build(read_assignment(design, turned)))
    assert "число seed и список единиц дают другое" in text
    assert "Тот же список" not in text


def test_what_nobody_drew_is_called_so() -> None:
    design = Design(cluster="center_id", arms=("control", "new"), method="not_randomised")
    text = said(build(read_assignment(design, CENTRES.assign(arm=["control", "new"] * 6))))
    assert "Без жребия распределено центров: 12." in text
    assert "Жребия не было" in text
    assert "seed" not in text


@pytest.mark.parametrize(
    ("settings", "head", "value"),
    [
        ({"method": "stepped_wedge", "waves": 3}, "Очередь начала", "волна 1 (по-новому с 2-го периода)"),
        ({"method": "crossover"}, "Очерёдность", "сначала контроль"),
        ({"method": "matched_pairs", "balance": "size"}, "Пара", "0"),
    ],
)
def test_other_plans_have_their_own_columns(settings: dict[str, Any], head: str, value: str) -> None:
    listed = table(drawn(**settings)[1], "Список для приказа")
    place = [column.title for column in listed.columns].index(head)
    assert value in {str(row[place]) for row in listed.rows}


def test_a_switchback_lists_blocks_and_a_rerandomised_plan_its_criterion() -> None:
    design = Design(cluster="center_id", arms=("control", "new"), method="switchback", seed=1)
    units = CENTRES[["center_id"]].merge(pd.DataFrame({"month": range(4)}), how="cross")
    built = build(design.assign(units))
    assert "блоков времени: 48" in said(built)
    assert cells(table(built, "Список"))[0][1] == "1"
    text = said(drawn(method="rerandomised", balance="size", accept=0.25)[1])
    assert "близки по признакам «size» (принимается 25 % самых ровных назначений)" in text
    assert "«size»" in said(drawn(method="matched_pairs", balance="size")[1])


def test_persons_are_never_listed_and_small_groups_of_them_are_hidden() -> None:
    design = Design(arms={"control": 0.5, "new": 0.5}, seed=1)
    people = pd.DataFrame({"person_id": [f"secret{place}" for place in range(40)]})
    built = build(design.assign(people))
    assert "secret" not in html.fragment(built)
    assert "Список людей не публикуется" in said(built)
    assert "человек остаётся в своей группе" in said(built)
    few = build(design.assign(people.head(8)))
    assert "Численность групп скрыта" in said(few)
    assert not any(isinstance(block, Table) for block in few.blocks)
    assert few.key_figures[0].value == Hidden()


def test_a_protocol_reads_fit_for_approval() -> None:
    design = Design(
        cluster="center_id", arms={"control": 0.4, "club": 0.3, "chat": 0.3}, method="stratified",
        strata=["region_code"], balance="size", seed=9,
    )  # fmt: skip
    made = Protocol(
        "p-1", design,
        [
            APPLIED,
            Outcome("wait", kind="mean", unit="мин", role="guardrail", better="lower", margin=3, title="Ожидание"),
            Outcome("came", role="secondary", missing="not_reached", covariates="before", title="Пришли"),
        ],
        title="Два формата", question="Какой формат лучше?", service_id="R02",
        costs=Costs({"control": 300, "club": 310.5, "chat": 290}, "калькуляция"), rule=Decides(scale_to=5000),
        arm_titles={"control": "обычный приём", "club": "клуб", "chat": "чат"},
    )  # fmt: skip
    built = build(made)
    html.fragment(built)
    plan = dict(cells(table(built, "План апробации")))
    assert plan["Группы и их доли"] == "обычный приём — 40 % (контрольная); клуб — 30 %; чат — 30 %"
    assert plan["Как назначается"] == (
        "случайное назначение внутри страт; страты — «Код региона»; равновесие проверяется по: «size»; число для "
        "жребия (seed) — 9"
    )
    assert plan["Допустимая ошибка"] == "5 %, двусторонняя; на 2 формата вместе (совместно, по наибольшему различию)"
    assert plan["Промежуточные просмотры"] == "нет: один анализ в конце"
    assert "клуб — 310,50 ₽; чат — 290 ₽ (источник: калькуляция)" in plan["Стоимость на человека"]
    assert plan["Масштаб внедрения"] == "5 000 человек в год"
    rows = cells(table(built, "Показатели и их пороги"))
    assert rows[0][:6] == ["Обратились", "основной", "доля людей", "больше", "различие", "полезно от 3,0 п. п."]
    assert rows[1][3:6] == ["меньше", "ухудшение меньше допуска", "допуск 3 мин"]
    assert rows[2][6] == "came; поправка на before"
    text = said(built)
    assert text.startswith("Вопрос: Какой формат лучше?")
    assert (
        "Внедрять, если улучшение показателя «Обратились» показано, а оценка эффекта не меньше полезной (3,0 п. п.) и "
        "по каждому защитному показателю показано, что ухудшение меньше допуска. Остановить, если показано ухудшение"
    ) in text
    assert made.hash[:12] in text
    assert "ещё не зафиксирован" in text
    assert "считается не достигшим результата" in " ".join(table(built, "Показатели").notes)


def test_other_protocols_say_their_own_rule_and_plan() -> None:
    def plan(design: Design, *outcomes: Outcome, **settings: Any) -> tuple[dict[str, str], str]:
        built = build(Protocol("p", design, outcomes or (APPLIED,), **settings))
        return dict(cells(table(built, "План апробации"))), said(built)  # type: ignore[arg-type]

    waves = Design(cluster="center_id", arms=("control", "new"), method="stratified", strata="wave", seed=1)
    table_of, text = plan(waves, looks=Looks(), rule=Decides(adopt="worthwhile"), estimand="centre")
    assert "Лана — Деметса" in table_of["Промежуточные просмотры"]
    assert "весь интервал эффекта на «Обратились» не ниже полезного (3,0 п. п.)" in text
    assert table_of["Чей эффект"].startswith("в среднем по центрам")
    assert table_of["Стоимость на человека"].startswith("не задана")
    assert table_of["Масштаб внедрения"].startswith("не задан")
    aims = {"equivalent": "отличается меньше чем на 5,0 п. п.", "not_worse": "если и хуже, то меньше чем на 5,0 п. п."}
    for aim, expected in aims.items():
        same = Outcome("applied", of="n", aim=aim, margin=0.05)  # type: ignore[arg-type]
        assert expected in plan(waves, same)[1]
    switch = Design(cluster="center_id", arms=("control", "new"), method="switchback", block=3, washout=1)
    assert "формат держится 3 периода, первый из них не в счёт" in plan(switch)[0]["Как назначается"]
    wedge = Design(cluster="center_id", arms=("control", "new"), method="stepped_wedge", waves=4)
    assert "волн — 4" in plan(wedge)[0]["Как назначается"]
    pairs = Design(cluster="center_id", arms=("control", "new"), method="matched_pairs", pairs="couple")
    assert "пары — столбец couple" in plan(pairs)[0]["Как назначается"]
    persons = plan(Design())[0]
    assert persons["Кто измеряется"] == "назначенные люди"


def test_an_altered_protocol_is_told_apart_from_a_fixed_one() -> None:
    made = Protocol("p", Design(cluster="center_id", arms=("control", "new")), [APPLIED])
    assert "протокол зафиксирован" in said(build(replace(made, recorded=made.hash)))
    altered = said(build(replace(made, recorded="0")))
    assert "Протокол изменён после фиксации" in altered
    assert "записанная сумма другая" in altered
