"""The protocol: what it refuses, its file, its hash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import Costs, Design, Looks, Outcome, Protocol, Rule
from tests.experiments.made_pilots import by_centre

WRITTEN = """\
pilot: p1
title: Апробация
design:
  cluster: center_id
  arms: {control: 0.5, treatment: 0.5}
outcomes:
- name: applied
"""

WAVES = by_centre(method="stratified", strata=("wave", "region"))

PROTOCOLS = [
    Protocol("p", Design(), [Outcome("y")]),
    Protocol(
        "p",
        WAVES,
        [
            Outcome("y", of="n", worthwhile=0.03, title="Обратились", covariates=("x", "z"), covariate_of="m"),
            Outcome("g", "ordinal", role="guardrail", margin=0.1, unit="балл"),
            Outcome("m", "mean", role="secondary", aim="equivalent", margin=2, better="lower", missing="not_reached"),
        ],
        title="Название: «с» двоеточием # и решёткой",
        question="Да?\nНет.",
        estimand="centre",
        alpha=0.1,
        multiplicity="holm",
        looks=Looks("pocock"),
        rule=Rule("worthwhile", scale_to=10_000),
        costs=Costs({"control": 300, "treatment": 420.5}, source="смета"),
        service_id="s-01",
        arm_titles={"treatment": "Новый формат"},
    ),
    Protocol("no", by_centre(arms=("on", "1e3", "016"), seed=2**31), [Outcome("yes", "ratio", of="2025-03")]),
    Protocol("p", by_centre(method="matched_pairs", balance=("a", "b")), [Outcome("y")]),
    Protocol("p", by_centre(method="matched_pairs", pairs="pair"), [Outcome("y")]),
    Protocol("p", by_centre(method="rerandomised", balance="a", accept=0.05), [Outcome("y")]),
    Protocol("p", by_centre(method="stepped_wedge", waves=3, period="week"), [Outcome("y")]),
    Protocol("p", by_centre(method="switchback", block=4, washout=1), [Outcome("y")]),
    Protocol("p", by_centre(arms={"a": 1 / 3, "b": 2 / 3}), [Outcome("y")],
             costs=Costs({"a": np.int64(1), "b": np.float32(2)}),
             rule=Rule(scale_to=np.float64(7))),
]  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_saving_and_loading_is_the_identity_and_keeps_the_hash(protocol: Protocol, tmp_path: Path) -> None:
    path = protocol.save(tmp_path / "new" / "p.yaml")
    again = Protocol.load(path)
    assert again == protocol
    assert again.hash == again.recorded == protocol.hash
    assert not again.altered
    # Saving the same once more changes nothing.
    text = path.read_text(encoding="utf-8")
    assert protocol.save(path) == again.save(path) == path
    assert path.read_text(encoding="utf-8") == text
    assert [one.name for one in path.parent.iterdir()] == ["p.yaml"]


WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)


@given(
    title=WORDS, question=WORDS, margin=st.floats(0.001, 0.99), seed=st.integers(0, 2**40),
    share=st.floats(0.01, 0.99), titles=st.dictionaries(st.sampled_from(["a", "b"]), WORDS),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_text_and_number_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, title: str, question: str, margin: float, seed: int, share: float,
    titles: dict[str, str],
) -> None:  # fmt: skip
    protocol = Protocol(
        "p", Design(arms={"a": share, "b": 1 - share}, seed=seed), [Outcome("y", aim="not_worse", margin=margin)],
        title=title, question=question, arm_titles=titles,
    )  # fmt: skip
    again = Protocol.load(protocol.save(tmp_path_factory.mktemp("p") / "p.yaml"))
    assert again.hash == protocol.hash
    assert not again.altered
    assert (again.design, again.outcomes) == (protocol.design, protocol.outcomes)


def test_every_field_belongs_to_the_hash() -> None:
    full = PROTOCOLS[1]
    others = [
        replace(full, pilot="q"), replace(full, title=""), replace(full, alpha=0.05), replace(full, estimand="person"),
        replace(full, multiplicity="dunnett"), replace(full, looks=None), replace(full, rule=Rule("worthwhile")),
        replace(full, costs=None), replace(full, service_id=""), replace(full, arm_titles={}),
        replace(full, question=""),
        replace(full, design=replace(full.design, seed=1)), replace(full, outcomes=full.outcomes[:2]),
    ]  # fmt: skip
    assert len({one.hash for one in [full, *others]}) == len(others) + 1


def test_numbers_written_otherwise_are_the_same_protocol() -> None:
    one, other = (Protocol("p", Design(), [Outcome("m", "mean", worthwhile=value)]) for value in (3, 3.0))
    assert one.hash == other.hash


def test_a_changed_line_is_seen(tmp_path: Path) -> None:
    path = Protocol("p", Design(), [Outcome("y", worthwhile=0.03)]).save(tmp_path / "p.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("0.03", "0.01"), encoding="utf-8")
    assert Protocol.load(path).altered
    with pytest.raises(ParameterError, match="уже зафиксирован и отличается"):
        Protocol("p", Design(), [Outcome("y", worthwhile=0.01)]).save(path)


def test_a_name_that_yaml_reads_as_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="null или ~"):
        Protocol("p", Design(), [Outcome("y", of="null")]).save(tmp_path / "p.yaml")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="Протокол не записан"):
        Protocol("p", Design(), [Outcome("y")]).save(tmp_path / "file" / "p.yaml")
    with pytest.raises(ParameterError, match="а нужен файл YAML"):
        Protocol("p", Design(), [Outcome("y")]).save(tmp_path)


def test_titles_and_the_primary_outcome() -> None:
    full = PROTOCOLS[1]
    assert full.primary.name == "y"
    assert (full.arm_title("treatment"), full.arm_title("control")) == ("Новый формат", "control")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pilot": " "}, "Укажите код апробации"),
        ({"design": None}, r"design: ожидается Design\(...\)"),
        ({"outcomes": []}, "основных показателей .* 0"),
        ({"outcomes": [Outcome("y"), Outcome("z")]}, "основных показателей .* 2: y, z"),
        ({"outcomes": [Outcome("y"), Outcome("y", role="secondary")]}, "показатель «y» описан дважды"),
        ({"outcomes": Outcome("y")}, "ожидается список Outcome"),
        ({"outcomes": [{"name": "y"}]}, "ожидается список Outcome"),
        ({"alpha": 5}, "alpha: «5»"),
        ({"alpha": "мало"}, "alpha: «мало»"),
        ({"alpha": 0}, "alpha: «0»"),
        ({"estimand": "center"}, "estimand: «center»"),
        ({"multiplicity": "bonferroni"}, "multiplicity: «bonferroni»"),
        ({"looks": Looks()}, "Добавьте столбец «wave» в strata"),
        ({"looks": "pocock"}, r"looks: ожидается Looks\(...\)"),
        ({"design": WAVES, "looks": Looks("pokok")}, "имелось в виду «pocock»"),
        ({"design": replace(WAVES, arms=list("abc")), "looks": Looks()}, "при двух группах"),
        ({"costs": Costs({"control": 1, "tretment": 2})}, "группы «tretment» нет в дизайне. Есть: control, treatment"),
        ({"costs": Costs({"control": 1})}, "нет стоимости для групп: treatment"),
        ({"arm_titles": {"x": "y"}}, "arm_titles: группы «x» нет"),
        ({"design": by_centre(method="crossover"), "outcomes": [Outcome("y", covariates="x")]},
         "поправка на covariates не применяется"),
        ({"design": by_centre(method="crossover"), "outcomes": [Outcome("y", "ordinal")]}, "Укажите kind: mean"),
    ],
)  # fmt: skip
def test_parts_that_do_not_go_together(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Protocol(**{"pilot": "p", "design": by_centre(), "outcomes": [Outcome("y")], **fields})


@pytest.mark.parametrize("roubles", [-1, "3", float("nan"), True])
def test_costs_are_numbers_from_zero(roubles: Any) -> None:
    with pytest.raises(ParameterError, match="costs: a: "):
        Costs({"a": roubles})


def test_the_rule_is_checked() -> None:
    with pytest.raises(ParameterError, match=r"rule.adopt: «good»"):
        Rule("good")  # type: ignore[arg-type]
    for people in (0, -5, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match=r"rule.scale_to"):
            Rule(scale_to=people)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pilot: p1\n", "", "параметр «pilot»: не заполнено"),
        ("title:", "titel:", "параметр «titel» неизвестен. Возможно, имелось в виду «title»"),
        ("cluster:", "claster:", "параметр «design.claster» неизвестен. Возможно, имелось в виду «cluster»"),
        ("- name: applied", "- name: applied\n  margn: 1", "параметр «outcomes.0.margn» неизвестен"),
        ("- name: applied", "- name: applied\n  kind: доля", "«outcomes.0.kind»: значение «доля» не допускается"),
        ("- name: applied", "- name: applied\n  margin: много", "«outcomes.0.margin»: ожидается число"),
        ("- name: applied", "- name: applied\n  covariates: {a: b}", "«outcomes.0.covariates»: ожидается список"),
        ("- name: applied", "- name: applied\n- name: z", "p.yaml: .*основных показателей .* 2: applied, z"),
        ("- name: applied", "- name: applied\n- name: z\n  role: guardrail", "Показатель «z»: .* нужен margin"),
        ("- name: applied", "  name: applied", "параметр «outcomes»: ожидается список"),
        ("treatment: 0.5", "treatment: 0.4", r"p.yaml: Дизайн: arms: доли групп \(control: 0.5, treatment: 0.4\)"),
        ("treatment: 0.5", "treatment: половина", "доля группы treatment: «половина» — не число"),
        ("{control: 0.5, treatment: 0.5}", "control", "параметр «design.arms»: ожидается список групп"),
        ("  arms:", "  method: stratifed\n  arms:", "«design.method»: значение «stratifed» не допускается"),
        ("  arms:", "  strata: {a: b}\n  arms:", "параметр «design.strata»: ожидается список"),
        ("  arms:", "  method: stepped_wedge\n  waves: много\n  arms:", "«design.waves»: ожидается целое число"),
        ("  arms:", "  seed: 1.5\n  arms:", "«design.seed»: ожидается целое число"),
        ("outcomes:", "alpha: 0,05\noutcomes:", "параметр «alpha»: ожидается число"),
        ("outcomes:", "looks: {kind: pocock}\noutcomes:", "Добавьте столбец «wave» в strata"),
        ("outcomes:", "costs: {per_person: {control: 1, new: 2}}\noutcomes:", "группы «new» нет в дизайне"),
        ("outcomes:", "costs: {per_person: {control: 1, treatment: -2}}\noutcomes:", "не меньше 0"),
        ("outcomes:", "rule: {adopt: good}\noutcomes:", "«rule.adopt»: значение «good»"),
        ("title:", "pilot: p2\ntitle:", "ключ «pilot» записан дважды"),
    ],
)  # fmt: skip
def test_a_file_with_a_fault_names_the_place_the_value_and_the_remedy(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in WRITTEN
    path = tmp_path / "p.yaml"
    path.write_text(WRITTEN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParameterError, match=said) as raised:
        Protocol.load(path)
    assert "p.yaml" in str(raised.value)


def test_what_may_be_left_empty(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        WRITTEN.replace("  arms:", "  strata:\n  pairs: null\n  waves:\n  arms:") + "looks:\ncosts: null\n", "utf-8"
    )
    found = Protocol.load(path)
    assert found == Protocol("p1", by_centre(), [Outcome("applied")], title="Апробация")
    assert found.recorded is None
    assert not found.altered
    with pytest.raises(ParameterError, match="не найден"):
        Protocol.load(tmp_path / "other.yaml")


@pytest.mark.parametrize(
    ("design", "primary"),
    [
        (WAVES, Outcome("y", kind="ordinal")),
        (by_centre(method="rerandomised", strata="wave", balance="size"), Outcome("y")),
        (by_centre(method="stratified", strata="wave", arms=("a", "b", "c")), Outcome("y")),
    ],
)
def test_looks_that_cannot_be_made_exact_are_refused(design: Design, primary: Outcome) -> None:
    with pytest.raises(ParameterError, match="Уберите looks"):
        Protocol("p", design, [primary], looks=Looks())
