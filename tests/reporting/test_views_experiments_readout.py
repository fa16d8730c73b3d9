"""A pilot in words: the decision first, never more than the figures allow, nothing infinite, nothing in English."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import tables
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.experiments import Costs, Design, Looks, Outcome, Protocol, Readout
from kcrr_analysis.experiments import Rule as Decides
from kcrr_analysis.experiments.decision import Decision, Range
from kcrr_analysis.experiments.validity.checks import Check, Validity
from kcrr_analysis.experiments.withheld import withheld
from kcrr_analysis.reporting import charts, formats, html
from kcrr_analysis.reporting.blocks import Chart, Hidden, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments import decision, words
from kcrr_analysis.reporting.views.experiments import readout as view
from kcrr_analysis.reporting.views.experiments.words import Measure

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
APPLIED = Outcome("applied", of="n", title="Обратились", worthwhile=0.03)
TITLES = {"control": "обычный приём", "new": "карьерный марафон"}
LATIN = {"p", "seed", "hash", "CR", "CR2"}


def said(built: Section, *roles: str) -> str:
    texts = [
        block.text for block in built.blocks if isinstance(block, Paragraph) and (not roles or block.role in roles)
    ]
    return " ".join(texts).replace(formats.NBSP, " ")


def table(built: Section, title: str) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table) and block.title.startswith(title))


def shown(built: Section, title: str) -> list[list[str]]:
    found = table(built, title)
    return [
        [
            formats.cell(cell, column.kind, column.decimals).replace(formats.NBSP, " ")
            for cell, column in zip(row, found.columns, strict=True)
        ]
        for row in found.rows
    ]


def every_text(built: Section) -> Iterator[str]:
    yield built.title
    for block in built.blocks:
        if isinstance(block, Paragraph):
            yield block.text
            continue
        yield block.title
        yield from block.notes
        if isinstance(block, Table):
            yield from (column.title for column in block.columns)
            yield from (text for row in shown(built, block.title) for text in row)
        else:
            yield block.alt
            yield from (panel.unit for panel in block.panels)
    for figure in built.key_figures:
        yield f"{figure.label} {formats.cell(figure.value, figure.kind)} {figure.note}"


def check_wording(built: Section, *allowed: str) -> None:
    """Plain Russian: no words of a program, no infinity, no missing value, no double stops."""
    html.fragment(built)
    for text in every_text(built):
        assert not re.search(r"(?<!\w)(inf|nan|none|true|false)(?!\w)", text, re.IGNORECASE), text
        assert ".." not in text.replace("...", ""), text
        assert "  " not in text, text
        without_sum = re.sub(r"контрольная сумма \w+", "", text)
        assert not set(re.findall(r"[A-Za-z]{2,}\w*", without_sum)) - LATIN - set(allowed), text
        assert not re.search(r"\d,\d{6,}|\d,\d{2,}\s*п\.", text), text


def centres(number: int, persons: int | np.ndarray = 100) -> pd.DataFrame:
    return pd.DataFrame({"center_id": [f"{place:02d}" for place in range(number)], "n": persons})


def pilot(*outcomes: Outcome, design: Design | None = None, **settings: Any) -> Protocol:
    chosen = design or Design(cluster="center_id", arms=("control", "new"), seed=1)
    given: dict[str, Any] = {
        "title": "Карьерный марафон", "arm_titles": TITLES, "recorded": None, "service_id": "R02", **settings
    }  # fmt: skip
    made = Protocol("01-25", chosen, outcomes or (APPLIED,), **given)
    return replace(made, recorded=made.hash)


def read(protocol: Protocol, frame: pd.DataFrame, look: int | None = None, **columns: Any) -> Readout:
    made = protocol.design.assign(frame)
    rows = frame.merge(made.to_frame()[["center_id", "arm"]])
    for name, make in columns.items():
        rows[name] = make(rows)
    return protocol.analyze(made, rows.drop(columns="arm"), look=look, draws=999)


def share(control: float, new: float, spread: int = 3) -> Any:
    """Persons with the outcome, the shares of the arms with a fixed spread over centres."""
    return lambda rows: np.round(
        rows["n"] * np.where(rows["arm"] == "control", control, new) + np.arange(len(rows)) % spread
    )


@pytest.fixture(scope="module")
def good() -> Section:
    protocol = pilot(
        question="Чаще ли обращаются?", costs=Costs({"control": 300, "new": 420}, "калькуляция"),
        rule=Decides(scale_to=10_000), service_id="R01",
    )  # fmt: skip
    return build(read(protocol, centres(16), applied=share(0.3, 0.4)))


def test_the_decision_comes_first_with_its_ground_and_the_effect_in_words(good: Section) -> None:
    conclusions = [
        b.text.replace(formats.NBSP, " ") for b in good.blocks if isinstance(b, Paragraph) and b.role == "conclusion"
    ]
    assert conclusions[0].startswith(
        "Решение по правилу протокола: внедрять формат «карьерный марафон». Основание: основной показатель "
        "«Обратились» лучше, чем в контрольной группе, и весь интервал эффекта не ниже полезного (3,0 п. п.)"
    )
    assert re.search(
        r"на \d+,\d п\. п\. выше, чем в контрольной группе \(от \d+,\d до \d+,\d п\. п\. с уровнем доверия 95 %\)",
        conclusions[1],
    )
    assert "Различие показано: лучше контрольной группы." in conclusions[1]
    assert re.search(r"из каждых 100 человек — примерно на 9 больше \(от \d+ до \d+\)", conclusions[1])
    assert "Центров: в опытной группе 8, в контрольной 8." in conclusions[1]
    check_wording(good)


def test_why_this_method_how_many_assignments_per_whom(good: Section) -> None:
    text = said(good, "definition")
    assert "назначались центры, а не люди (единиц назначения 16)" in text
    assert "Допустимых назначений 12 870, перебраны все" in text
    assert "Наименьшее возможное p — 0,00016" in text
    assert "каждый человек считается одинаково" in text
    assert "Отступлений от протокола нет." in said(good, "plain")


def test_cost_scale_and_state_of_the_service_follow(good: Section) -> None:
    text = said(good, "plain")
    assert "формат «карьерный марафон» дороже на 120 ₽ на человека; на каждого дополнительного человека" in text
    assert "Источник: калькуляция." in text
    assert re.search(r"Если бы формат получили 10 000 человек в год, .* примерно на \d+ ?\d* больше \(от", text)
    assert "Состояние сервиса R01 после решения: «внедрён»." in text
    assert [figure.key for figure in good.key_figures] == ["pilot_decision", "pilot_effect", "pilot_cost"]


def test_other_methods_do_not_decide(good: Section) -> None:
    found = table(good, "Основной показатель другими методами")
    assert len(found.rows) == 4
    assert "решение по ним не принимается" in found.notes[0]


def test_three_against_three_can_show_nothing_and_says_why() -> None:
    result = read(pilot(rule=Decides(scale_to=1000)), centres(6), applied=share(0.1, 0.9, 2))
    built = build(result)
    assert result.primary[0].p == pytest.approx(0.1)
    assert "Решение по правилу протокола: продолжить апробацию" in said(built, "conclusion")
    text = said(built, "warning")
    assert "Жребий мог дать только 20 назначений, поэтому наименьшее возможное p — 0,10, больше 0,05" in text
    assert "при любом результате этот план не может показать различие" in text
    assert "добавить центры" in said(built, "conclusion")
    row = shown(built, "Результаты апробации")[0]
    assert "не ограничен" in row
    assert "различие показано" not in said(built).lower()
    assert "рассчитать нельзя" in said(built, "plain")
    assert "на допущениях" in table(built, "Основной показатель другими").notes[0]
    chart = next(block for block in built.blocks if isinstance(block, Chart))
    assert chart.panels[0].series[0].low == (None,)
    check_wording(built)


def test_no_difference_shown_is_not_no_difference() -> None:
    protocol = pilot(costs=Costs({"control": 300, "new": 420}), rule=Decides(scale_to=1000))
    built = build(read(protocol, centres(8), applied=share(0.3, 0.33, 7)))
    text = said(built)
    assert "не показано (это не значит, что его нет)" in text
    assert "по оценке на" in text
    assert re.search(r"\(от \d+,\d п\. п\. ниже до \d+,\d п\. п\. выше", text)
    assert "Иначе говоря" not in text
    assert "не меньше" in text
    assert "рассчитывать на прирост нельзя" in text
    assert "расчётом мощности" in text
    check_wording(built)


def test_a_broken_guardrail_stops_the_pilot() -> None:
    guard = Outcome("complaints", of="n", role="guardrail", better="lower", margin=0.02, title="Жалобы")
    protocol = pilot(APPLIED, guard, rule=Decides(scale_to=1000))
    built = build(read(protocol, centres(16), applied=share(0.3, 0.4), complaints=share(0.05, 0.2)))
    text = said(built)
    assert "остановить апробацию. Основание: защитный показатель «Жалобы» ухудшился больше допуска" in text
    assert "Показано: хуже контрольной группы больше чем на 2,0 п. п." in text
    assert "Если бы формат получили" not in text
    assert "«апробирован»" in text
    row = shown(built, "Результаты апробации")[1]
    assert row[0] == "Жалобы (меньше — лучше)"
    assert row[1] == "защитный"
    pictures = [block for block in built.blocks if isinstance(block, Chart)]
    assert [picture.panels[0].unit for picture in pictures] == ["п. п.; правее — лучше", "п. п.; левее — лучше"]
    assert pictures[1].panels[0].series[1].y == (2.0,), "the margin of a guardrail where less is better"
    for picture in pictures:
        assert charts.draw(picture).png
    check_wording(built)


def test_a_guardrail_not_known_yet_delays_adoption() -> None:
    guard = Outcome("refused", of="n", role="guardrail", better="lower", margin=0.02, title="Отказы")
    built = build(read(pilot(APPLIED, guard), centres(16), applied=share(0.3, 0.45), refused=share(0.1, 0.1, 16)))
    text = said(built)
    assert (
        "продолжить апробацию. Основание: не показано, что ухудшение защитного показателя «Отказы» меньше допуска"
        in text
    )
    assert "Не показано, что ухудшение меньше 2,0 п. п. (и обратное не показано)" in text
    assert "до этого не внедрять" in text


def test_three_formats_stand_apart_and_share_one_error() -> None:
    design = Design(cluster="center_id", arms=("control", "club", "chat"), balance="before", seed=2)
    titles = {"control": "обычный приём", "club": "клуб", "chat": "чат"}
    visits = Outcome("visits", kind="count", of="n", role="secondary", title="Посещений на человека")
    protocol = pilot(
        APPLIED, visits, design=design, arm_titles=titles, costs=Costs({"control": 300, "club": 280, "chat": 290})
    )

    chance = np.random.default_rng(3)

    def applied(rows: pd.DataFrame) -> pd.Series:
        effect = rows["arm"].map({"control": 0.3, "club": 0.31, "chat": 0.5})
        return (rows["n"] * effect + chance.integers(0, 9, len(rows))).round()

    frame = centres(18).assign(before=np.arange(18.0))
    built = build(read(protocol, frame, applied=applied, visits=lambda rows: chance.poisson(2 * rows["n"])))
    text = said(built)
    assert "внедрять формат «чат»" in text
    assert "формат «чат» дешевле на 10 ₽ на человека и не хуже" in text
    rows = shown(built, "Результаты апробации")
    assert [row[1] for row in rows] == ["клуб", "чат", "клуб", "чат"]
    notes = " ".join(table(built, "Результаты апробации").notes)
    assert "на число форматов (совместная, по наибольшему различию)" in notes
    assert "дополнительных — на их число (Холма)" in notes
    pictures = [block for block in built.blocks if isinstance(block, Chart)]
    assert len(pictures) == 1, "an outcome that does not decide and has another unit is in the table"
    assert pictures[0].panels[0].series[0].x == ("Обратились: клуб", "Обратились: чат")
    check_wording(built, "before")


def test_satisfaction_reads_as_cases_of_a_hundred() -> None:
    outcome = Outcome("score", kind="ordinal", title="Оценка услуги")
    protocol = pilot(outcome)
    frame = centres(12)
    made = protocol.design.assign(frame)
    rows = made.to_frame().loc[lambda units: units.index.repeat(20)].reset_index(drop=True)
    rows["score"] = np.clip(
        np.arange(len(rows)) % 5 + 1 + (rows["arm"] == "new") * (np.arange(len(rows)) % 3 == 0), 1, 5
    )
    built = build(protocol.analyze(made, rows.drop(columns="arm")))
    text = said(built, "conclusion")
    assert re.search(r"в 5\d случаях из 100 оценка выше у клиента опытной \(от 5\d до \d\d из 100", text)
    assert "50 — различия нет" in text
    row = shown(built, "Результаты апробации")[0]
    assert re.fullmatch(r"5\d из 100", row[4])
    chart = next(block for block in built.blocks if isinstance(block, Chart))
    assert chart.panels[0].reference == (50, "нет различия")
    check_wording(built)


def test_every_deviation_is_named_and_persons_are_not() -> None:
    protocol = replace(pilot(APPLIED, Outcome("placed", of="n", role="secondary", title="Трудоустроены")), recorded="0")
    frame = centres(12)
    made = protocol.design.assign(frame)
    rows = frame.assign(applied=30 + np.arange(12) % 3).iloc[1:]
    built = build(protocol.analyze(made, pd.concat([rows, rows.tail(1).assign(center_id="99")]), look=1, draws=499))
    text = said(built, "warning")
    assert "1) Протокол изменён после фиксации" in text
    assert "не учтены: 99" in text
    assert "Нет данных назначенных единиц: 00" in text
    assert "Показатель «Трудоустроены» не измерен: в данных нет его столбцов" in text
    assert "протоколом не предусмотрен" in text
    assert "вывод о различии предварительный" in text
    assert "От протокола есть 5 отступлений: см. ниже." in said(built, "conclusion")
    assert "дождаться конца апробации" in said(built, "conclusion")

    persons = Protocol("sms", Design(seed=1), [Outcome("came", title="Пришли")])
    people = pd.DataFrame({"person_id": [f"secret{place}" for place in range(600)]})
    drawn = persons.design.assign(people)
    came = people.assign(came=np.arange(600) % 2).iloc[3:]
    told = build(persons.analyze(drawn, came))
    assert "Нет данных о части назначенных людей" in said(told, "warning")
    assert not any("secret" in one for one in every_text(told))
    assert "Людей: в опытной группе" in said(told, "conclusion")
    assert "в среднем на человека." in said(told, "definition").replace(" (каждый", ". (каждый")


def looking(look: int, new: float) -> Section:
    design = Design(cluster="center_id", method="stratified", strata="wave", arms=("control", "new"), seed=1)
    protocol = pilot(design=design, looks=Looks("pocock"), costs=Costs({"control": 5, "new": 5}))
    frame = centres(32).assign(wave=np.repeat([1, 2], 16))
    return build(read(protocol, frame, look=look, applied=share(0.3, new, 5)))


def test_an_interim_look_says_so_and_has_its_table() -> None:
    built = looking(1, 0.3)
    assert "промежуточный просмотр, и граница досрочной остановки не пройдена" in said(built, "conclusion")
    assert "дождаться следующей волны; протокол не менять" in said(built, "conclusion")
    assert "завершили 50 % единиц" in said(built, "warning")
    assert "не хуже ли он, не показано" in said(built, "plain")
    rows = shown(built, "Промежуточные просмотры")
    assert rows[0][:2] == ["1", "50 %"]
    assert rows[0][4] == "граница не пройдена"
    assert any("сравнивается с границей просмотра" in note for note in table(built, "Результаты апробации").notes)
    assert "граница просмотра не пройдена" in built.key_figures[1].note
    check_wording(built)
    stopped = looking(1, 0.7)
    assert "пройдена граница досрочной остановки" in said(stopped, "conclusion")
    assert shown(stopped, "Промежуточные просмотры")[0][4] == "граница пройдена"
    assert "стоит столько же и не хуже" in said(stopped, "plain")


def test_missing_outcomes_stand_beside_the_effect_with_bounds_in_its_unit() -> None:
    protocol = pilot(Outcome("came", title="Пришли", missing="not_reached"))
    frame = centres(12)
    made = protocol.design.assign(frame)
    rows = made.to_frame().loc[lambda units: units.index.repeat(30)].reset_index(drop=True)
    rows["came"] = (np.arange(len(rows)) % 30 < np.where(rows["arm"] == "new", 18, 10)).astype(float)
    rows.loc[rows.index[rows["arm"] == "new"][:12], "came"] = np.nan
    result = protocol.analyze(made, rows.drop(columns="arm"))
    built = build(result)
    assert "в опытной группе — 12 человек, в контрольной — 0 человек; они посчитаны как не достигшие" in said(built)
    rows_shown = shown(built, "Эффект при разных предположениях")
    assert "п. п." in rows_shown[0][1]
    check_wording(built)
    hidden = build(withheld(result, Rule(threshold=20)))
    assert "скрыто" in said(hidden)
    assert any("скрыто" in row for row in shown(hidden, "Эффект при разных"))


def few(rows: pd.DataFrame) -> np.ndarray:
    given = rows["arm"] == "new"
    return np.where(given, given.cumsum() <= 3, 20)


def test_small_counts_are_hidden_in_words_tables_charts_and_key_figures() -> None:
    protocol = pilot(costs=Costs({"control": 300, "new": 420}), rule=Decides(scale_to=1000))
    result = read(protocol, centres(16), applied=few)
    built = build(withheld(result, Rule()))
    assert "Размер эффекта скрыт: за ним стоит малое число людей" in said(built, "conclusion")
    assert shown(built, "Результаты апробации")[0][2] == "скрыто"
    assert shown(built, "Результаты апробации")[0][3] == "20,0 %"
    assert not any(isinstance(block, Chart) for block in built.blocks)
    assert all(row[1:] == ["скрыто"] * 3 for row in shown(built, "Основной показатель другими"))
    effect = next(figure for figure in built.key_figures if figure.key == "pilot_effect")
    assert effect.value == Hidden()
    check_wording(built)
    for text in every_text(built):
        assert formats.number(abs(100 * result.primary[0].estimate), 1) not in text
    marked = build(withheld(result, Rule("internal")))
    assert shown(marked, "Результаты апробации")[0][4].endswith("*")
    assert next(figure for figure in marked.key_figures if figure.key == "pilot_effect").value != Hidden()


def test_a_hidden_guardrail_says_its_verdict_only() -> None:
    guard = Outcome("rare", of="n", role="guardrail", better="lower", margin=0.02, title="Отказы")
    built = build(withheld(read(pilot(APPLIED, guard), centres(16), applied=share(0.3, 0.4), rare=few), Rule()))
    assert "размер изменения скрыт" in said(built, "plain")
    check_wording(built)


def test_non_inferiority_and_equivalence_have_their_own_words() -> None:
    aims = {
        "not_worse": "показано, что основной показатель «Обратились» если и хуже, то меньше чем на 10,0 п. п.",
        "equivalent": "показано, что основной показатель «Обратились» отличается меньше чем на 10,0 п. п.",
    }
    for aim, expected in aims.items():
        outcome = Outcome("applied", of="n", title="Обратились", aim=aim, margin=0.1)  # type: ignore[arg-type]
        built = build(read(pilot(outcome), centres(16), applied=share(0.3, 0.3)))
        assert expected in said(built, "conclusion")
        assert "внедрять" in said(built, "conclusion")
        check_wording(built)


def in_time(method: str) -> Section:
    settings: dict[str, Any] = {"stepped_wedge": {"waves": 4}}.get(method, {})
    design = Design(cluster="center_id", arms=("control", "new"), method=method, seed=1, **settings)  # type: ignore[arg-type]
    protocol = pilot(design=design)
    rows = centres(16)[["center_id"]].merge(pd.DataFrame({"month": range(5)}), how="cross")
    made = design.assign(rows)
    kept = made.to_frame()
    if method == "switchback":
        given = (
            kept.set_index(["center_id", "block"])["arm"].reindex(pd.MultiIndex.from_frame(rows)).to_numpy() == "new"
        )
    else:
        order = rows["center_id"].map(kept.set_index("center_id")[{"crossover": "sequence"}.get(method, "wave")])
        given = (rows["month"] >= order) if method == "stepped_wedge" else ((rows["month"] + order) % 2 == 1)
    rows = rows.assign(n=80, applied=25 + 8 * np.asarray(given) + np.arange(len(rows)) % 4)
    return build(protocol.analyze(made, rows, draws=499))


@pytest.mark.parametrize("method", ["stepped_wedge", "crossover", "switchback"])
def test_a_pilot_in_time_says_what_was_drawn_and_counts_a_centre_once(method: str) -> None:
    built = in_time(method)
    text = said(built)
    assert "внедрять формат «карьерный марафон»" in text
    effect = next(figure for figure in built.key_figures if figure.key == "pilot_effect")
    if method == "switchback":
        assert "Блоков времени: в опытной группе" in text
        assert "блоков времени — 80" in effect.note
    else:
        assert "Центров — 16, каждый побывал в обеих группах." in text
        assert "центров — 16" in effect.note
        assert "Различия центров и периодов" in " ".join(table(built, "Результаты").notes)
    check_wording(built)


def test_the_average_over_centres_and_known_covariates_are_named() -> None:
    outcome = Outcome("applied", of="n", title="Обратились", covariates="before")
    frame = centres(16, 50 + 5 * np.arange(16)).assign(before=np.arange(16) % 5 / 10)
    built = build(read(pilot(outcome, estimand="centre"), frame, applied=share(0.3, 0.4)))
    assert "Поправка на известное до жребия: «before»" in said(built, "definition")
    assert "в среднем по центрам" in said(built, "definition")
    assert len(table(built, "Основной показатель другими").rows) == 5
    check_wording(built, "before")


def test_a_ready_mean_of_a_centre_has_no_number_of_persons_and_counts_read_as_units() -> None:
    mean = Outcome("rating", kind="mean", title="Средняя оценка", unit="балл")
    built = build(
        read(pilot(mean), centres(12), rating=lambda rows: 4 + (rows["arm"] == "new") + np.arange(12) % 3 / 9)
    )
    assert shown(built, "Сколько единиц")[0][2] == "в данных нет"
    assert re.search(r"на \d,\d+ балл выше", said(built, "conclusion"))
    visits = Outcome("visits", kind="count", of="n", title="Посещения")
    protocol = pilot(visits, costs=Costs({"control": 1, "new": 2}), rule=Decides(scale_to=100_000))
    counted = build(
        read(protocol, centres(12), visits=lambda rows: 100 + 30 * (rows["arm"] == "new") + np.arange(12) % 3)
    )
    assert "на каждую дополнительную единицу показателя «Посещения»" in said(counted, "plain")
    assert re.search(r"результатов «Посещения» стало бы примерно на (29|30|31) 000 больше", said(counted, "plain"))


def test_what_rounds_to_nothing_and_what_has_one_limit() -> None:
    result = read(pilot(), centres(12), applied=share(0.3, 0.3))
    effect = replace(result.primary[0], estimate=0.0001, low=-0.02, high=math.inf, verdict="unclear")
    text = words.compared(effect, Measure.of(effect.outcome)).replace(formats.NBSP, " ")
    assert text.startswith("по оценке такой же, как в контрольной группе (от 2,0 п. п. ниже до сколь угодно выше")
    certain = replace(effect, estimate=0.1, low=0.05, verdict="better")
    assert "(не меньше 5,0 п. п. с уровнем" in words.compared(certain, Measure.of(effect.outcome)).replace(
        formats.NBSP, " "
    )
    assert words.of_hundred(certain, Measure.of(effect.outcome)) == ""
    chosen = replace(result.decision, scaled=Range(1000, 500, math.inf), action="adopt")
    made = replace(result, protocol=replace(result.protocol, rule=Decides(scale_to=10_000)), decision=chosen)
    assert "не меньше чем на 500" in decision.scaled(withheld(made)).replace(formats.NBSP, " ")
    guard = Outcome("x", of="n", role="guardrail", margin=0.02)
    assert "не может показать, что ухудшение меньше" in words.verdict(
        replace(effect, outcome=guard, verdict="cannot_tell")
    )


def test_cheaper_but_worse_is_said() -> None:
    protocol = pilot(costs=Costs({"control": 300, "new": 250}))
    built = build(read(protocol, centres(16), applied=share(0.4, 0.3)))
    assert "дешевле на 50 ₽ на человека, но хуже" in said(built, "plain")
    assert "остановить апробацию. Основание: основной показатель «Обратились» хуже" in said(built, "conclusion")


def test_every_reason_has_words() -> None:
    result = read(pilot(), centres(16), applied=share(0.3, 0.4))
    for reason in (
        "better", "worthwhile", "worse", "not_worthwhile", "unclear", "cannot_tell", "guardrail_broken",
        "guardrail_unclear", "not_randomised", "invalid", "interim", "look_stop", "not_enough",
    ):  # fmt: skip
        for action in ("adopt", "extend", "stop"):
            made = replace(result, decision=Decision(action, "new", (reason,), "tested"))  # type: ignore[arg-type]
            assert len(decision.grounds(made)) > 20, reason
            assert decision.sentence(made).startswith("Решение по правилу протокола: ")
    untrusted = replace(result, decision=Decision("extend", "new", ("invalid", "better"), "developed"))
    assert "найти причину расхождения" in decision.advice(untrusted)


def test_costs_read_as_far_as_the_interval_goes() -> None:
    costs = Costs({"control": 300, "new": 420})
    result = read(pilot(costs=costs), centres(16), applied=share(0.3, 0.4))

    def priced(price: Range | None, extra: float | None = 120.0) -> str:
        chosen = replace(result.decision, cost=price, extra_cost=extra)
        return decision.cost(withheld(replace(result, decision=chosen))).replace(formats.NBSP, " ")

    assert "1 230 ₽ (от 988 ₽ до 4 570 ₽)" in priced(Range(1234, 987.6, 4567))
    assert "не меньше 350 ₽; сверху цена не ограничена" in priced(Range(1234, 350, math.inf))
    assert "указать нельзя: улучшение не показано" in priced(Range(1234, 0, math.inf))
    assert "по оценке нет" in priced(None)
    assert priced(None, None) == ""
    assert "дешевле на 20 ₽ на человека и не хуже" in priced(None, -20.0)


def test_a_check_that_failed_is_said_with_titles_of_the_groups() -> None:
    result = read(pilot(), centres(12), applied=share(0.3, 0.4))
    failed = Check(
        "recruitment", "Численность", "failed", 1.0, 0.001, 12, estimate=5.0, low=2.0, high=8.0,
        rows=pd.DataFrame({"arm": ["control", "new"], "per_cluster": [1.0, 2.0]}),
    )  # fmt: skip
    built = build(replace(result, validity=Validity((failed,))))
    assert "Результатам апробации доверять нельзя" in said(built, "plain")
    assert "карьерный марафон — 2,0" in shown(built, "Проверки апробации")[0][2]


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0142, "0,014"), (0.9714, "0,97"), (0.0002, "меньше 0,001"), (0.05, "0,050"), (0.0502, "0,0502"), (0.1, "0,10")],
)
def test_p_values_have_the_digits_that_they_need(p: float, text: str) -> None:
    assert words.p_value(p) == text


def test_smallest_p_values_counts_and_levels_read_plainly() -> None:
    assert [words.smallest(p) for p in (0.1, 2 / 70, 1 / 10_000, 2 / 12_870, 0.05)] == [
        "0,10", "0,029", "0,0001", "0,00016", "0,05",
    ]  # fmt: skip
    assert words.assignments(8 * 10**12) == "допустимых назначений больше триллиона"
    assert words.assignments(2 * 10**6) == "допустимых назначений больше миллиона"
    assert "неизвестно" in words.assignments(None)
    levels = [words.confidence(level).replace(formats.NBSP, " ") for level in (0.95, 0.975, 0.9984, 0.9999)]
    assert levels == ["95 %", "97,5 %", "99,84 %", "99,99 %"]


def test_measures_have_units_and_stay_within_what_is_possible() -> None:
    share_of = Measure.of(APPLIED)
    assert share_of.limits(-1.5, 0.2).replace(formats.NBSP, " ") == "от −100,0 до 20,0 п. п."
    assert share_of.limits(-math.inf, 0.2).replace(formats.NBSP, " ") == "не больше 20,0 п. п."
    assert share_of.limits(0.1, math.inf).replace(formats.NBSP, " ") == "не меньше 10,0 п. п."
    assert share_of.limits(-math.inf, math.inf) == "не ограничен"
    minutes = Measure.of(Outcome("wait", kind="mean", unit="мин"))
    assert minutes.signed(-0.256).replace(formats.NBSP, " ") == "−0,26 мин"
    wait = Outcome("wait", kind="mean", unit="мин", better="lower", role="guardrail", margin=3)
    assert words.margin_words(wait, minutes).replace(formats.NBSP, " ") == "3 мин"


def test_the_demo_pilot_reads_well() -> None:
    frame = tables.load(DEMO, only=("pilot_results",)).frames["pilot_results"].rename(columns={"clients": "n"})
    design = Design(
        cluster="center_id", method="stratified", strata="region_code", arms=("control", "new_format"), seed=5
    )
    protocol = pilot(APPLIED, design=design, arm_titles={})
    result = protocol.analyze(frame, frame)
    built = build(withheld(result, Rule()))
    assert "внедрять новый формат" in said(built, "conclusion")
    assert "на 7,3 п. п. выше" in said(built, "conclusion")
    low, high = (100 * end for end in (result.primary[0].low, result.primary[0].high))
    assert low < 8 < high, "the true effect of the demo"
    assert "Опытная группа" in [column.title for column in table(built, "Результаты").columns]
    check_wording(built)
    assert view.readout(result).title == built.title
