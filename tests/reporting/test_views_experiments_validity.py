"""Checks of a pilot, bounds and segments in words: verdicts, what to do, nothing beyond the figures, no small count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.experiments import segments
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.validity import aa_test, interference
from kcrr_analysis.experiments.validity import balance as omnibus
from kcrr_analysis.experiments.validity import bounds as attrition
from kcrr_analysis.experiments.validity import samples as validity
from kcrr_analysis.experiments.validity.checks import Check, Validity
from kcrr_analysis.reporting import charts, formats, html, views
from kcrr_analysis.reporting.blocks import Chart, Hidden, Marked, Missing, Paragraph, Section, Table
from kcrr_analysis.reporting.views.experiments import attrition as _attrition  # noqa: F401 - registers its view
from kcrr_analysis.reporting.views.experiments import segments as _segments  # noqa: F401
from kcrr_analysis.reporting.views.experiments import validity as words

NAMES = ["Контроль", "Новый формат"]
UNITS = [f"{k:05d}" for k in range(12)]
CODES = np.array([0, 1] * 6)
TWELVE = Allowed(CODES)
CHANCE = np.random.default_rng(3)
SIZES = CHANCE.integers(60, 600, 12).astype(float)
REACHED = CHANCE.binomial(SIZES.astype(int), CHANCE.beta(0.3 * 19, 0.7 * 19, 12)).astype(float)
START, END = pd.Timestamp("2025-03-01"), pd.Timestamp("2025-06-01")


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
            yield from (block.title, *(column.title for column in block.columns), *block.notes)
            for row in block.rows:
                yield from (
                    cell if isinstance(cell, str) else cell.reason for cell in row if isinstance(cell, str | Missing)
                )
        elif isinstance(block, Chart):
            yield from (block.title, block.alt, *block.notes)


def is_russian(built: Section) -> None:
    for text in every_text(built):
        assert not re.search(r"[A-Za-z]{2,}", text), text
        assert "nan" not in text, text
    assert "nan" not in html.fragment(built).replace("Манн", "")
    for block in built.blocks:
        if isinstance(block, Chart):
            assert charts.draw(block).png


def crossed(control: int) -> Check:
    rows = [(f"{c}{k}", UNITS[c], START) for c in (0, 1) for k in range(100)]
    rows += [(f"0{k}", UNITS[1], END) for k in range(control)]
    actions = pd.DataFrame(rows, columns=["person_id", "center_id", "time"])
    arms = {unit: NAMES[code] for unit, code in zip(UNITS, CODES, strict=True)}
    return interference.contamination(
        actions, arms, START, END, treated=NAMES[1], control=NAMES[0], effect=(0.05, -0.02, 0.12), rule=Rule()
    )


def pilots(other: str) -> pd.DataFrame:
    ours = {"pilot_id": "1", "units": ";".join(UNITS), "assignment": ";".join(NAMES[code] for code in CODES)}
    theirs = {"pilot_id": "2", "units": ";".join(UNITS), "assignment": other}
    return pd.DataFrame([ours, theirs]).assign(period_start=START, period_end=pd.NaT)


def every_check() -> Validity:
    covariates = pd.DataFrame(
        {"Клиентов в прошлом году": SIZES, "Доля обратившихся": REACHED / SIZES, "Одинаковый": 1.0}
    )
    return Validity(
        (
            validity.sample_ratio(dict.fromkeys(NAMES, 500), dict.fromkeys(NAMES, 1)),
            validity.recruitment(SIZES, TWELVE, names=NAMES),
            validity.center_attrition(np.zeros(12), TWELVE, names=NAMES),
            validity.person_attrition(np.round(SIZES / 30), SIZES, TWELVE, names=NAMES),
            omnibus.balance(covariates, TWELVE, names=NAMES),
            aa_test.placebo(REACHED, SIZES, TWELVE),
            crossed(0),
            interference.simultaneous(pilots(";".join(["да", "да", "нет", "нет"] * 3)), "1"),
        )
    )


def test_a_sound_pilot_reads_calmly() -> None:
    built = words.validity(every_check())
    assert said(built) == "Проверки не нашли причин не доверять результатам апробации."
    assert said(built, "warning") == ""
    checks = table(built, "Проверки")
    assert [row[1] for row in checks.rows] == ["расхождений не видно"] * 8
    assert "не значит, что их нет" in checks.notes[1]
    assert built.key_figures[0].value == "расхождений не видно"
    assert built.key_figures[0].note == "выполнено 8 из 8"
    assert any(isinstance(block, Chart) for block in built.blocks)
    is_russian(built)


def test_views_are_chosen_by_type() -> None:
    check = validity.center_attrition(np.zeros(12), TWELVE)
    assert views.build(check) == views.build(Validity((check,)))


def test_trouble_is_named_with_what_to_do() -> None:
    confounded = interference.simultaneous(pilots(";".join("да" if code else "нет" for code in CODES)), "1")
    lost = validity.center_attrition(np.arange(12) == 3, TWELVE, names=NAMES)
    small = validity.recruitment(np.arange(6.0) * 100, Allowed(np.repeat([0, 1], 3)), names=NAMES)
    built = words.validity(Validity((confounded, lost, small)))
    assert said(built).startswith("Результатам апробации доверять нельзя: «Одновременные апробации».")
    assert "Есть вопросы: «Центры без результатов»." in said(built)
    assert "Не проверено: «Численность клиентов в центрах разных групп»." in said(built)
    assert said(built, "warning").count("Эффекты двух новшеств не разделить") == 1
    rows = table(built, "Проверки").rows
    assert rows[1][2] == "Без результатов: Контроль — 0 из 6; Новый формат — 1 из 6."
    assert "центров слишком мало, чтобы указать пределы" in rows[2][2]
    assert table(built, "Группы одновременных").rows[0][1] == "без конца"
    is_russian(built)
    warned = words.validity(Validity((lost,)))
    assert said(warned).startswith("Результаты апробации надо читать с оговорками")


def test_nothing_checked_is_said() -> None:
    empty = validity.sample_ratio({"а": 0, "б": 0}, {"а": 1, "б": 1})
    built = words.validity(Validity((replace(empty, rows=pd.DataFrame()),)))
    assert said(built).startswith("Ни одна проверка не выполнена")
    assert table(built, "Проверки").rows[0][2] == Missing("В группах никого нет.")


def test_every_kind_of_trouble_has_advice() -> None:
    assert set(words.ADVICE) == set(words._SEEN) == {check.code for check in every_check().checks}


def test_persons_without_outcomes() -> None:
    none = words.validity(Validity((validity.person_attrition(np.zeros(12), SIZES, TWELVE, names=NAMES),)))
    assert table(none, "Проверки").rows[0][2] == "Результаты есть о всех."
    drawn = Allowed(np.array([0, 1] * 12))
    many = validity.person_attrition(np.full(24, 3.0), np.full(24, 100.0), drawn, names=NAMES, draws=300)
    assert "случайная выборка таких назначений" in said(words.validity(Validity((many,))), "definition")


def test_small_counts_are_hidden_or_marked() -> None:
    settings: dict[str, Any] = {"names": NAMES}
    missing, assigned = np.array([3.0, 40]), np.array([300.0, 300])
    public = words.validity(Validity((validity.person_attrition(missing, assigned, rule=Rule(), **settings),)))
    row = table(public, "Проверки").rows[0]
    assert row[2:] == (Hidden(), Hidden())
    # the total is not published, so that the other arm stays
    assert table(public, "Люди без").rows[0] == ("Контроль", 300, Hidden(), Hidden())
    internal = words.validity(
        Validity((validity.person_attrition(missing, assigned, rule=Rule(mode="internal"), **settings),))
    )
    assert isinstance(table(internal, "Проверки").rows[0][3], Marked)
    assert table(internal, "Люди без").rows[0][2] == Marked(3)
    mixed = words.validity(Validity((crossed(3),)))
    assert table(mixed, "Проверки").rows[0][2:] == (Hidden(), None)
    assert "3" not in html.fragment(mixed).replace("2025", "").split("<table")[2].split("</table")[0].replace("300", "")


def test_crossing_shows_the_corrected_effect() -> None:
    seen = table(words.validity(Validity((crossed(20),))), "Проверки").rows[0][2]
    # 0.05 / (1 - 0.2)
    assert "до +0,063 (от −0,025 до +0,150)" in seen


def test_one_covariate_and_a_constant_have_no_chart() -> None:
    frame = pd.DataFrame({"Одинаковый": np.ones(12)})
    built = words.validity(Validity((omnibus.balance(frame, TWELVE, names=NAMES),)))
    assert "единицы не различаются" in table(built, "Проверки").rows[0][2]
    assert not any(isinstance(block, Chart) for block in built.blocks)
    codes = np.array([0, 1, 2] * 4)
    three = omnibus.balance(pd.DataFrame({"Штат": SIZES, "Площадь": REACHED}), Allowed(codes), names=[*NAMES, "Второй"])
    chart = next(block for block in words.validity(Validity((three,))).blocks if isinstance(block, Chart))
    assert "Штат (Второй)" in chart.panels[0].series[0].x


def test_three_arms_and_no_other_pilot() -> None:
    three = validity.recruitment(SIZES, Allowed(np.array([0, 1, 2] * 4)), names=[*NAMES, "Второй"])
    alone = interference.simultaneous(pilots("да")[:1], "1")
    rows = table(words.validity(Validity((three, alone))), "Проверки").rows
    assert "Разность" not in str(rows[0][2])
    assert "Других апробаций" in str(rows[1][2])
    actions = pd.DataFrame({"person_id": ["а", "б"], "center_id": UNITS[:2], "time": START})
    arms = dict(zip(UNITS, (NAMES[code] for code in CODES), strict=True))
    found = interference.contamination(actions, arms, START, END, treated=NAMES[1], control=NAMES[0])
    shown = table(words.validity(Validity((found,))), "Проверки").rows[0]
    assert str(shown[2]).replace(formats.NBSP, " ").endswith("Контроль — 0,0 %; Новый формат — 0,0 %.")


def bounded(total: np.ndarray, seen: np.ndarray, **settings: Any) -> Section:
    return views.build(attrition.bounds(total, seen, SIZES, settings.pop("allowed", TWELVE), **settings))


def test_bounds_in_words() -> None:
    seen = np.floor(0.95 * SIZES)
    clear = bounded(np.floor(seen * (0.2 + 0.5 * CODES)), seen, rule=Rule())
    assert "эффект положителен" in said(clear)
    assert "эффект отрицателен" in said(bounded(np.floor(seen * (0.7 - 0.5 * CODES)), seen))
    noise = np.tile([-0.25, -0.25, 0.25, 0.25], 3)
    noisy = bounded(np.floor(seen * (0.3 + 0.15 * CODES + noise)), seen)
    assert "ноль не исключён" in said(noisy)
    unclear = bounded(np.floor(seen * 0.4), np.floor(0.8 * SIZES))
    assert "каков знак эффекта" in said(unclear)
    assert "Результаты известны о всех" in said(bounded(np.floor(SIZES * 0.4), SIZES))
    few = SIZES - (np.arange(12) < 2)
    hidden = bounded(np.floor(few * 0.4), few, rule=Rule())
    assert "не публикуются" in said(hidden)
    assert table(hidden, "Эффект при").rows[2][1:] == (Hidden(), Hidden())
    marked = bounded(np.floor(few * 0.4), few, rule=Rule(mode="internal"))
    assert str(table(marked, "Эффект при").rows[2][1]).endswith(formats.MARK)
    lone = views.build(
        attrition.bounds(np.array([40.0, 60]), np.full(2, 90.0), np.full(2, 100.0), Allowed(np.array([0, 1])))
    )
    assert table(lone, "Эффект при").rows[0][2] == Missing("не ограничен: мало центров")
    for built in (clear, noisy, unclear, hidden, marked, lone):
        is_russian(built)


def segment_frame(effects: dict[str, float], persons: int = 40) -> pd.DataFrame:
    chance = np.random.default_rng(1)
    rows = [
        (unit, name, persons * (10 + chance.normal() + effect * code), persons)
        for unit, code in zip(UNITS, CODES, strict=True)
        for name, effect in effects.items()
    ]
    return pd.DataFrame(rows, columns=["unit", "segment", "total", "persons"])


def test_segments_are_always_exploratory() -> None:
    frame = segment_frame({"Молодёжь": 9, "Участники СВО": 0, "Прочие": 0})
    found = segments.segment_effects(frame, UNITS, TWELVE)
    built = views.build(found)
    assert "разведочно" in built.title
    assert "разведка" in said(built, "warning")
    assert said(built).startswith("Эффекты сегментов, по-видимому, различаются (p = 0,")
    assert "эффект виден у 1 из 3: «Молодёжь»" in said(built)
    is_russian(built)
    alike = views.build(segments.segment_effects(segment_frame({"А": 0, "Б": 0}), UNITS, TWELVE, overlapping=True))
    assert "не доказано" in said(alike)
    assert "выделять лучшие и худшие сегменты нельзя" in said(alike)
    assert "пересекаются" in table(alike, "Эффект").notes[2]
    strong = replace(found, interaction_p=0.0001)
    assert "p меньше 0,001" in said(views.build(strong))


def test_segments_that_cannot_be_compared() -> None:
    one = segments.segment_effects(segment_frame({"А": 0}), UNITS, TWELVE)
    assert "Сравнить эффекты сегментов нельзя" in said(views.build(one))
    few = segments.segment_effects(segment_frame({"А": 0, "Б": 1}, persons=2), UNITS, TWELVE)
    row = table(views.build(few), "Эффект").rows[0]
    assert row[5] == Missing("мало людей: в одной из групп меньше 30")
    six = Allowed(np.repeat([0, 1], 3))
    frame = segment_frame({"А": 0, "Б": 1})
    frame = frame[frame["unit"].isin(UNITS[:6])]
    tiny = segments.segment_effects(frame, UNITS[:6], six, least_units=2)
    assert "центров слишком мало" in said(views.build(tiny))
    assert table(views.build(tiny), "Эффект").rows[0][6] == Missing("не ограничен: мало центров")
    is_russian(views.build(tiny))


@pytest.mark.parametrize("mode", ["public", "internal"])
def test_hidden_segments(mode: Any) -> None:
    frame = segment_frame({"А": 0, "Б": 1, "В": 0}).assign(total=lambda rows: np.floor(rows["persons"] * 0.4))
    small = (frame["segment"] == "В") & ~frame["unit"].isin(UNITS[:2])
    frame.loc[small, ["total", "persons"]] = 0
    frame.loc[(frame["segment"] == "В") & ~small, ["total", "persons"]] = [1, 2]
    built = views.build(segments.segment_effects(frame, UNITS, TWELVE, rule=Rule(mode=mode)))
    rows = {row[0]: row for row in table(built, "Эффект").rows}
    if mode == "public":
        assert rows["В"][2] == rows["В"][4] == Hidden()
        assert sum(row[5] == Hidden() for row in rows.values()) == 1
        assert "не публикуется" in said(built)
    else:
        assert rows["В"][2] == Marked(2)
        assert any(isinstance(row[5], Marked) for row in rows.values())
    is_russian(built)
