"""How pooled regions read: never more than the interval allows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from kcrr_analysis.experiments.pool import pool
from kcrr_analysis.reporting import charts, html
from kcrr_analysis.reporting.blocks import Chart, Paragraph, Section, Table
from kcrr_analysis.reporting.views import build
from kcrr_analysis.reporting.views.experiments import pool as view

NAMES = ["Коми", "Архангельская область", "Ненецкий округ", "Вологодская область", "Мурманская область", "Псков"]
SHARES = np.array([0.062, 0.041, 0.093, -0.012, 0.055, 0.030])
ERRORS = np.array([0.021, 0.025, 0.030, 0.028, 0.020, 0.035])


def section(**settings: object) -> Section:
    given = {"estimates": SHARES, "ses": ERRORS, "labels": NAMES, "kind": "proportion", "outcome": "Стал клиентом"}
    return build(pool(**(given | settings)))


def said(made: Section, role: str = "conclusion") -> str:
    text = " ".join(block.text for block in made.blocks if isinstance(block, Paragraph) and block.role == role)
    return re.sub(r"\s", " ", text)


def test_an_effect_that_is_there_is_said_with_its_interval_and_the_prediction() -> None:
    made = section()
    text = said(made)
    assert "По данным 6 регионов с новым форматом показатель в среднем выше: эффект +4,7 п. п. (от +" in text
    assert "это не значит, что их нет" in text
    assert "В ещё одном таком же регионе ожидается эффект от" in text
    assert made.key_figures[0].value == pytest.approx(100 * pool(SHARES, ERRORS).estimate.estimate)


def test_an_interval_with_zero_is_no_effect_found() -> None:
    text = said(section(estimates=SHARES - 0.045))
    assert "не установлен" in text
    assert "включает ноль" in text
    assert "выше:" not in text


def test_regions_that_differ_are_said_to() -> None:
    text = said(section(estimates=SHARES * 5))
    assert "Эффект в регионах разный" in text
    assert "нулевым, и обратным" in text


def test_a_drop_is_called_a_drop() -> None:
    assert "в среднем ниже" in said(section(estimates=-SHARES - 0.05, ses=ERRORS / 3))


def test_a_conclusion_that_hangs_on_one_region_is_marked() -> None:
    made = section(estimates=[0.05, 0.06, 0.04], ses=[0.006] * 3, labels=["А", "Б", "В"])
    assert "показатель в среднем выше" in said(made)
    warnings = said(made, "warning")
    assert "Вывод держится на отдельных регионах" in warnings
    assert "если не учитывать любой один из них («А», «Б» и «В»), средний эффект не был бы установлен" in warnings
    one = section(estimates=[0.05, 0.052, 0.048, 0.051, -0.3], ses=[0.01] * 4 + [0.02], labels=list("АБВГД"))
    assert "если не учитывать регион «Д», средний эффект был бы признан установленным" in said(one, "warning")


def test_two_regions_have_no_prediction_row() -> None:
    made = section(estimates=[1.0, 2.0], ses=[0.5, 0.5], labels=["А", "Б"], kind="mean", outcome="")
    table = next(block for block in made.blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == ["А", "Б", view.MEAN]
    assert "ещё одном таком же" not in said(made)
    assert "п. п." not in said(made)


def test_chart_table_and_page_hold_all_regions_and_the_mean() -> None:
    made = section(df=4)
    chart = next(block for block in made.blocks if isinstance(block, Chart))
    (panel,) = chart.panels
    assert panel.series[0].x == (*np.array(NAMES)[np.argsort(-SHARES)], view.MEAN, view.NEXT)
    assert len(charts.draw(chart).png) > 5000
    page = html.fragment(made)
    for name in (*NAMES, view.MEAN, view.NEXT):
        assert name in page
    assert "перестановочный критерий" in said(made, "warning")
    assert "nan" not in page


def test_small_effects_keep_the_digits_their_error_has() -> None:
    made = section(estimates=[0.0012, 0.0031, 0.0022], ses=[0.0005] * 3, labels=["А", "Б", "В"], kind="mean")
    assert re.search(r"0,002\d", said(made))
