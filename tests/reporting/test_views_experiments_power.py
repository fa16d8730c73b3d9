from __future__ import annotations

import numpy as np

from kcrr_analysis.experiments import icc, power
from kcrr_analysis.experiments.sizing import closed_form
from kcrr_analysis.reporting import formats, views
from kcrr_analysis.reporting.blocks import Paragraph, Section, Table
from kcrr_analysis.reporting.views.experiments.power import NOTES


def said(section: Section) -> str:
    return " ".join(b.text for b in section.blocks if isinstance(b, Paragraph)).replace(formats.NBSP, " ")


def cells(section: Section) -> dict[str, str]:
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    return {str(name).replace(formats.NBSP, " "): str(value).replace(formats.NBSP, " ") for name, value in table.rows}


def test_the_sample_size_of_rs_example_reads_in_russian() -> None:
    section = views.section(power("proportion", baseline=0.5, effect=0.25, power=0.9))
    assert "покажет эффект +25,0 п. п., если он есть, с вероятностью 90 %" in said(section)
    assert cells(section)["Людей в группах"] == "77; 77"
    assert "Центров в группах" not in cells(section)


def test_three_against_three_centres_can_show_nothing() -> None:
    section = views.section(power("proportion", baseline=0.3, effect=0.2, clusters=3, size=100, icc=0.05))
    assert "Этот план не может показать различие: наименьшее возможное p — 0,10." in said(section)
    assert NOTES["unattainable"] in said(section)
    assert cells(section)["Различие, заметное с вероятностью 80 %"] == "нет такого"


def test_an_estimated_correlation_brings_its_limits() -> None:
    chance = np.random.default_rng(3)
    n = np.full(20, 100)
    alike = icc(chance.binomial(n, chance.beta(6, 14, 20)), n)
    section = views.section(power("proportion", baseline=0.3, effect=0.1, clusters=10, size=100, icc=alike))
    assert cells(section)["Мощность при крайних значениях корреляции"].startswith("от ")
    assert "не хуже" in said(views.section(power(baseline=0.3, aim="not_worse", margin=0.1, size=300)))


def test_every_note_has_words() -> None:
    documented = closed_form.Power.__doc__ or ""
    assert [note for note in NOTES if f"`{note}`" not in documented] == []
