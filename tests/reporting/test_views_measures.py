"""Words and tables of the measures along the client's path: exact sentences, nothing hidden let out, nothing absent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import kcrr_analysis as kcrr
from kcrr_analysis import funnel
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.reporting import Hidden, Marked, Paragraph, Report, Section, Table, json_form, views
from kcrr_analysis.reporting.blocks import Chart
from kcrr_analysis.reporting.views.funnel.measures import LONGEST
from kcrr_analysis.tables import Tables
from tests.funnel.hand_log import actions, table, tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
TASKS: tuple[Callable[..., funnel.Measures], ...] = (
    funnel.clients, funnel.returns, funnel.contacts, funnel.outcomes, funnel.partners,
)  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> Tables:
    return kcrr.tables.load(DEMO, region="05")


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def words(built: Section) -> list[str]:
    return [plain(one.text) for one in built.blocks if isinstance(one, Paragraph) and one.role == "conclusion"]


def found(built: Section, title: str) -> Table:
    return next(one for one in built.blocks if isinstance(one, Table) and one.title.startswith(title))


def contact_rows(*groups: tuple[str, int, int, int]) -> pd.DataFrame:
    """Contacts of groups: listed, attempted, reached persons."""
    rows = []
    for group, listed, attempted, reached in groups:
        rows += [
            {"contact_id": f"{group}{n}", "person_id": f"{group}{n}", "time": "2025-03-01", "client_group": group,
             "attempted": n < attempted, "reached": n < reached, "client_status": "potential", "channel": "phone"}
            for n in range(listed)
        ]  # fmt: skip
    return table("contacts", rows)


def contacts(*groups: tuple[str, int, int, int], rule: Rule | None = None) -> Section:
    return views.section(funnel.contacts(tables(contacts=contact_rows(*groups)), "01", "2025-10", rule=rule))


def test_a_full_call_round_needs_both_attempts_and_conversations() -> None:
    said = words(contacts(("disability", 50, 50, 40), ("graduates", 30, 30, 30), ("broad", 40, 20, 10)))
    assert said[0] == (
        "Пытались позвонить 83,3 % (100 из 120, сплошной учёт) людей из списка. Из тех, кому звонили, удалось "
        "поговорить с 80,0 % (от 71,1 до 86,7 %; 80 из 100)."
    )
    assert said[1] == (
        "«100 % обзвон» выполнен (звонили всем и поговорили со всеми): «Выпускники СПО и вузов». Звонили всем, но "
        "поговорили не со всеми, «100 % обзвон» не выполнен: «Люди с инвалидностью» — поговорили с 80,0 % (40 из 50, "
        "сплошной учёт)."
    )


def test_groups_are_said_to_differ_only_under_one_error_budget() -> None:
    apart = words(contacts(("disability", 100, 100, 90), ("broad", 100, 100, 40)))[-1]
    assert apart.startswith(
        "Отличаются от остальных людей сверх случайного разброса (из 2 сравнений групп от 30 человек, поправка Холма "
        "на все сравнения раздела): «Доля дозвона к тем, кому звонили» — «Люди с инвалидностью» выше на 50,0 п. п. "
    )
    assert apart.endswith("Причину отличия эти числа не называют.")
    alike = words(contacts(("disability", 100, 100, 60), ("broad", 100, 100, 59)))[-1]
    assert alike == (
        "Ни одна группа не отличается от остальных людей сверх случайного разброса (из 2 сравнений групп от 30 "
        "человек; поправка Холма на все сравнения раздела). Это не значит, что группы одинаковы."
    )
    small = words(contacts(("disability", 20, 20, 10), ("broad", 20, 20, 2)))[-1]
    assert small == "Сравнить группы между собой нельзя: у них меньше 30 человек в знаменателе или числа скрыты."


def test_levels_that_are_withheld_are_named_and_not_shown() -> None:
    groups = (("disability", 50, 50, 40), ("graduates", 20, 20, 3), ("school", 30, 30, 20), ("broad", 40, 20, 10))
    built = contacts(*groups, rule=Rule())
    shown = found(built, "Доля дозвона к тем, кому звонили")
    names = [str(line[0]) for line in shown.rows]
    assert "Выпускники СПО и вузов (малая база)" not in names
    note = next(note for note in shown.notes if note.startswith("Скрыто"))
    assert "Выпускники СПО и вузов" in note
    assert shown.emphasised == (0,)
    assert not any(isinstance(cell, Hidden) for line in shown.rows for cell in line)
    assert "с 3 " not in " ".join(words(built))


def test_an_internal_report_marks_instead() -> None:
    built = contacts(("disability", 50, 50, 40), ("graduates", 20, 20, 3), rule=Rule(mode="internal"))
    shown = found(built, "Доля дозвона к тем, кому звонили")
    small = next(line for line in shown.rows if "Выпускники" in str(line[0]))
    assert small[1] == Marked(3)
    assert str(small[4]).endswith("*")


def test_what_is_not_computable_has_one_table_of_reasons() -> None:
    built = contacts(("broad", 10, 10, 5))
    reasons = found(built, "Что не вычисляется и почему")
    assert {line[0] for line in reasons.rows} >= {"Отказы в разговоре", "Отклик на проактивное обращение"}
    assert all(str(line[1]) for line in reasons.rows)
    assert ("Персонально сопровождаемые: Люди с инвалидностью", "за период таких людей нет") in reasons.rows


def test_no_sentence_is_built_on_a_hidden_figure() -> None:
    log = actions(*((f"p{n}", "2025-01-01", "application") for n in range(20)))
    known = table("outcomes", [{"person_id": f"p{n}", "date": "2025-02-01", "kind": "employment"} for n in range(3)])
    built = views.section(funnel.outcomes(tables(actions=log, outcomes=known), "01", "2025-10", rule=Rule()))
    assert not any("нашли работу" in said for said in words(built))
    figure = next(one for one in built.key_figures if one.key == "placement")
    assert figure.value == Hidden()
    assert "из" not in figure.note


def test_partners_are_named_by_group_and_the_empty_groups_are_said() -> None:
    own = table(
        "partners", [{"partner_id": "P1", "client_group": "youth", "partner_name": "Завод", "kind": "employer"}]
    )
    log = actions(("a", "2025-10-01", "contact"))
    built = views.section(funnel.partners(tables(partners=own, actions=log), "01", "2025-10"))
    shown = found(built, "Карта «партнёр — группа»")
    assert ("Студенты", 1, "Завод") in shown.rows
    assert ("Люди с инвалидностью", 0, "партнёра нет") in shown.rows
    assert words(built)[0].startswith("На конец периода — 1 партнёр (сплошной учёт). Без партнёра: ")


def test_a_mean_of_few_clients_is_said_without_an_interval() -> None:
    log = actions(*((f"p{n}", "2025-10-01", "service", {"requested": True, "eligible": True}) for n in range(6)))
    built = views.section(funnel.clients(tables(actions=log), "01", "2025-10"))
    assert words(built)[0].startswith(
        "На одного клиента приходится 1,00 запрошенных и положенных сервисов (интервала нет: мало клиентов); три и "
    )


def test_only_the_largest_levels_of_a_long_list_are_shown() -> None:
    names = {f"P{n:02d}": f"Партнёр {n:02d}" for n in range(20)}
    own = table("partners", [{"partner_id": code, "client_group": "broad", "partner_name": name, "kind": "employer"}
                             for code, name in names.items()])  # fmt: skip
    rows = [
        (f"{code}-{n}", "2025-01-01", "contact", {"partner_id": code})
        for code in names
        for n in range(int(code[1:]) + 1)
    ]
    built = views.section(funnel.partners(tables(partners=own, actions=actions(*rows)), "01", "2025-10"))
    shown = found(built, "Клиенты от партнёров")
    assert len(shown.rows) == LONGEST
    assert shown.rows[0][0] == "Всего"
    assert any(note.startswith("Показано 15 уровней") for note in shown.notes)
    assert "Партнёр 00 (малая база)" not in {line[0] for line in shown.rows}


@pytest.mark.parametrize("mode", ["public", "internal"])
def test_the_demo_reads_in_both_modes(demo: Tables, mode: str) -> None:
    sections = [views.section(task(demo, "05", "2025-10", rule=Rule(mode=mode))) for task in TASKS]  # type: ignore[arg-type]
    for built in sections:
        assert isinstance(built.blocks[0], Paragraph)
        assert built.blocks[0].role == "conclusion"
        assert sum(isinstance(one, Chart) for one in built.blocks) <= 2
        assert all(len(one.rows) <= LONGEST for one in built.blocks if isinstance(one, Table))
        assert built.key_figures
    report = Report("x", "Меры", "05", "Демо", "октябрь 2025 г.", tuple(sections))
    written = json_form.to_dict(report)
    assert json_form.to_dict(json_form.from_dict(written)) == written


def test_what_a_reader_sees_has_no_english_words_but_names_of_columns(demo: Tables) -> None:
    allowed = {"outcomes", "contacts", "actions", "channel", "individual_support", "tool_id", "refusal", "S02"}
    for task in TASKS:
        built = views.section(task(demo, "05", "2025-10", rule=Rule()))
        texts = [one.text for one in built.blocks if isinstance(one, Paragraph)]
        texts += [one.title for one in built.blocks if not isinstance(one, Paragraph)]
        texts += [str(cell) for one in built.blocks if isinstance(one, Table) for line in one.rows for cell in line
                  if isinstance(cell, str)]  # fmt: skip
        texts += [note for one in built.blocks if isinstance(one, Table) for note in one.notes]
        latin = {word for text in texts for word in re.findall(r"[A-Za-z][A-Za-z_0-9]*", text)}
        assert latin <= allowed, task
