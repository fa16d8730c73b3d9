"""Pilots that were not randomised, in words: never more than the limits allow, and always why the claim is weak."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.experiments.not_randomised.after_the_fact import phased_in
from kcrr_analysis.experiments.not_randomised.did import difference_in_differences
from kcrr_analysis.experiments.not_randomised.event_study import event_study
from kcrr_analysis.experiments.not_randomised.panel import Panel
from kcrr_analysis.experiments.not_randomised.staggered import staggered
from kcrr_analysis.experiments.not_randomised.synthetic import synthetic_control
from kcrr_analysis.reporting import charts, formats, html
from kcrr_analysis.reporting.blocks import Chart, Interval, Missing, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments import not_randomised as _views  # noqa: F401 - registers the views
from kcrr_analysis.reporting.views.experiments import not_randomised_words as words
from kcrr_analysis.reporting.views.experiments.not_randomised_words import Measure
from tests.bench.not_randomised import noise
from tests.experiments.not_randomised.test_after_the_fact import CENTRES, read, tables
from tests.experiments.not_randomised.test_did import california

MONTHS = tuple(pd.period_range("2023-01", periods=24, freq="M"))


def panel(treated: int, units: int, effect: float = 0.0, seed: int = 1, scale: str = "relative") -> Panel:
    values = 100 + noise(np.random.default_rng(seed), units, 24, 0.3, 5.0)
    values[:treated, 18:] += effect
    first = np.where(np.arange(units) < treated, 18, 24)
    return Panel(tuple(f"Ц{n}" for n in range(units)), MONTHS, values, values, first, scale)  # type: ignore[arg-type]


def said(section: Section, role: str = "conclusion") -> str:
    texts = [block.text for block in section.blocks if isinstance(block, Paragraph) and block.role == role]
    return " ".join(texts).replace(formats.NBSP, " ")


def every_text(section: Section) -> list[str]:
    texts = [section.title, *(figure.label for figure in section.key_figures)]
    for block in section.blocks:
        if isinstance(block, Paragraph):
            texts.append(block.text)
        elif isinstance(block, Table):
            texts += [block.title, *block.notes, *(column.title for column in block.columns)]
        else:
            texts += [block.title, block.alt, *block.notes]
    return texts


@cache
def sections() -> list[Section]:
    some, one = panel(2, 30, 20), panel(1, 12, 20)
    several = replace(some, first=np.where(np.arange(30) < 4, np.array([18, 18, 20, 20] + [24] * 26), 24))
    results = [
        *(
            function(data)
            for data in (some, one)
            for function in (difference_in_differences, event_study, synthetic_control)
        ),
        staggered(several),
        staggered(one),
        read(tables(0.4), rule=Rule()),
        read(tables(), treated=CENTRES[0]),
    ]
    return [build(result) for result in results]


def test_every_section_is_russian_says_why_it_is_weak_and_can_be_drawn() -> None:
    for section in sections():
        assert "Центры выбраны не случайно" in said(section, "warning")
        for text in every_text(section):
            assert not re.search(r"[A-Za-z]{2,}", text), text
            assert "nan" not in text
            assert "inf" not in text


def test_the_whole_reading_can_be_drawn() -> None:
    section = sections()[-1]  # unbounded intervals among its points
    assert html.fragment(section)
    for block in section.blocks:
        if isinstance(block, Chart):
            assert charts.draw(block).png.startswith(b"\x89PNG")


def test_no_conclusion_speaks_of_proof() -> None:
    for section in sections():
        assert not re.search(r"доказан|эффект есть|формат действует|улучшил|вырос благодаря", said(section))


def test_a_difference_that_stands_out_agrees_with_an_effect_and_no_more() -> None:
    text = said(build(difference_in_differences(panel(2, 30, 20))))
    assert "отличается от изменения в остальных 28 на +" in text
    assert "согласуется с действием формата, но не доказывает его" in text


def test_a_difference_that_does_not_is_no_absence() -> None:
    text = said(build(difference_in_differences(panel(2, 30))))
    assert "отличить действие формата от обычных колебаний по этим данным нельзя" in text
    assert "Это не значит, что формат не действует" in text


def test_one_of_twelve_says_what_is_missing() -> None:
    found = difference_in_differences(panel(1, 12, 1000))
    text = said(build(found))
    assert "нельзя в принципе" in text
    assert "есть только 12 возможных выборов центров" in text
    assert "p равно 0,083 — больше 0,05" in text
    assert "центров всего нужно не меньше 20" in text
    table = next(block for block in build(found).blocks if isinstance(block, Table))
    assert table.rows[2][5] == Missing("не ограничен")
    assert "даёт по модулю до" in words.earlier(found)


def test_effects_on_dates_when_nothing_began_spoil_the_estimate() -> None:
    drifting = panel(2, 30)
    drifting.values[:2, :18] += 4 * np.arange(18)
    found = difference_in_differences(drifting)
    assert "Тот же расчёт находит «эффект» и там, где ничего не начиналось" in words.earlier(found)
    assert words.diverged(found)
    assert not re.search("согласуется", said(build(replace(found, p_value=0.001))))
    assert "приписывать разницу формату нельзя" in said(build(replace(found, p_value=0.001)))
    study = event_study(drifting)
    assert words.diverged(difference_in_differences(panel(2, 30)), study)
    assert "расходились ещё до начала" in said(build(study))
    assert "приписывать разницу формату нельзя" in said(build(study))


def test_a_quiet_past_is_no_proof() -> None:
    study = event_study(panel(2, 30, 20, seed=2))
    assert study.pretrend_p > 0.05
    text = said(build(study))
    assert "это мало что доказывает" in text
    assert "пропускает не реже чем в половине случаев" in text
    assert "Запас прочности" in words.sensitivity(study)
    none = event_study(panel(2, 30, seed=2))
    assert "Запаса прочности нет" in words.sensitivity(none)
    assert "не менялась вовсе" in words.sensitivity(replace(study, breakdown=float("inf")))
    quarters = event_study(panel(2, 30, 40, seed=2), length=3)
    assert "отрезок (3 периода)" in words.sensitivity(quarters)
    few = event_study(panel(1, 12))
    assert "проверить нельзя" in said(build(few))
    assert "не вычисляется" in words.sensitivity(few)
    notes = [note for block in build(few).blocks if isinstance(block, Chart) for note in block.notes]
    assert words.UNBOUNDED in notes


def test_a_short_history_tries_no_earlier_dates() -> None:
    short = panel(2, 30)
    cut = replace(short, periods=MONTHS[15:], values=short.values[:, 15:], first=np.maximum(short.first - 15, 0))
    found = difference_in_differences(cut)
    assert "история до начала слишком коротка" in words.earlier(found)
    notes = " ".join(note for block in build(found).blocks if isinstance(block, Table) for note in block.notes)
    assert "колебания всех центров приняты одинаковыми" in notes


def test_a_poor_twin_gives_no_conclusion() -> None:
    far = panel(1, 12)
    far.values[0] += 60
    assert "как замена он не годится, и вывода из него не следует" in said(build(synthetic_control(far)))
    near = panel(1, 30)
    near.values[0, :18] = near.values[3:5, :18].mean(axis=0)
    text = said(build(synthetic_control(near)))
    assert "1-е место из 30" in text
    assert "не бывает" not in text


def test_years_are_tabled_and_not_drawn_by_month() -> None:
    for function in (difference_in_differences, event_study, synthetic_control):
        section = build(function(california()))
        shapes = [block.panels[0].shape for block in section.blocks if isinstance(block, Chart)]
        assert "line" not in shapes
    assert "с 1989" in said(build(difference_in_differences(california())))


def test_staggered_starts() -> None:
    few = panel(1, 12, 50)
    assert "наименьшее достижимое p — 0,083" in said(build(staggered(few)))
    many = panel(3, 30, 30)
    first = many.first.copy()
    first[2] = 20
    assert "не доказывает его" in said(build(staggered(replace(many, first=first))))
    assert "отличить действие формата" in said(build(staggered(replace(panel(3, 30), first=first))))
    table = next(block for block in build(staggered(many, control="not_yet")).blocks if isinstance(block, Table))
    assert "ещё не начавшими" in table.notes[0]


def test_phases_are_read_with_their_outcome() -> None:
    found = phased_in(tables(0.4), "01", starts={CENTRES[0]: "2024-10", CENTRES[1]: "2025-01"}, rule=Rule())
    section = build(found)
    assert said(section).startswith("«Обратилось за содействием»: в среднем")
    assert "Центр 1 и Центр 2" in said(section, "note")
    assert "малые числа" in said(build(replace(found, small=True)), "warning")
    apart = replace(found, effects=replace(found.effects, pretrend_p=0.01))
    assert "приписывать разницу формату нельзя" in said(build(apart))


def test_the_whole_reading_of_one_format() -> None:
    found = read(tables(0.4), rule=Rule())
    section = build(found)
    assert section.key_figures[0].kind == "change_percent"
    assert "2 центра против 6" in section.key_figures[0].note.replace(formats.NBSP, " ")
    assert "«Центр 1» и «Центр 2»" in said(section, "note")
    assert "не те же месяцы года" in said(section, "note")
    assert "сам" not in said(section, "conclusion")[:5]
    inside = build(replace(found, small=True))
    assert "малые числа" in said(inside, "warning")
    assert len(build(replace(found, study=None, twin=None)).blocks) < len(section.blocks)


def test_left_out_centres_and_sampled_choices_are_named_by_number() -> None:
    found = replace(difference_in_differences(panel(2, 30)), left_out=("Ц31",), exact=False)
    notes = " ".join(note for block in build(found).blocks if isinstance(block, Table) for note in block.notes)
    assert "Не вошли из-за пропусков или скрытых малых чисел: 1" in notes.replace(formats.NBSP, " ")
    assert "случайных выборов" in notes


@pytest.mark.parametrize(
    ("scale", "shown", "interval"),
    [
        ("level", "+10,0", "от −5,0 до 10,0"),
        ("relative", "+10,0 %", "от −5,0 до +10,0 %"),
        ("log", "+10,5 %", "от −4,9 до +10,5 %"),
    ],
)
def test_effects_read_on_their_scale(scale: str, shown: str, interval: str) -> None:
    measure = Measure(scale)  # type: ignore[arg-type]
    size = 0.1 if scale == "log" else 10.0
    assert measure.shown(size).replace(formats.NBSP, " ") == shown
    assert measure.interval(-size / 2, size).replace(formats.NBSP, " ") == interval
    assert measure.interval(-np.inf, np.inf) == "не ограничен"
    assert measure.limits(np.nan, 1.0) == Missing("нет")
    assert isinstance(measure.limits(-size, size), Interval)


def test_p_values_have_three_decimals() -> None:
    assert words.p_shown(0.0481).replace(formats.NBSP, " ") == "p = 0,048"
    assert words.p_shown(0.0001) == "p < 0,001"
