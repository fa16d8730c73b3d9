from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from kcrr_analysis import tables
from kcrr_analysis.experiments import by_region, pipeline, plan
from kcrr_analysis.experiments.planning import Planned
from kcrr_analysis.reporting import formats, views
from kcrr_analysis.reporting.blocks import Chart, Hidden, Interval, Missing, Paragraph, Section, Table
from tests.conftest import ROOT

PILOTS = ROOT / "params" / "pilots"


@pytest.fixture(scope="module")
def demo() -> tables.Tables:
    return tables.load(ROOT / "data" / "demo", only=("centers", "pilots", "pilot_results", "services"))


@pytest.fixture(scope="module")
def planned(demo: tables.Tables) -> Planned:
    return plan(
        demo, "01", protocol=str(PILOTS / "pilot-2026-1.yaml"), numerator="before_applied", of="before_clients",
        source="pilot_results",
    )  # fmt: skip


def text(section: Section, role: str | None = None) -> str:
    said = [b.text for b in section.blocks if isinstance(b, Paragraph) and role in (None, b.role)]
    return " ".join(said).replace(formats.NBSP, " ")


def test_the_plan_says_what_can_be_noticed_and_what_that_rests_on(planned: Planned) -> None:
    section = views.section(planned)
    conclusion = text(section, "conclusion")
    assert "На 60 центрах (групп 2, по 30) апробация заметит эффект 5,0 п. п. с вероятностью 56 %" in conclusion
    assert "нужно около 120 центров" in conclusion
    assert ".." not in text(section)
    assert "не докажет, что его нет" in text(section, "warning")
    assert "внутригрупповая корреляция 0,030 (от 0,019 до 0,047)" in text(section, "plain")
    assert "так, будто они независимы, — в 36,4 %" in text(section, "plain")
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    assert table.rows[0][2:5] == (Missing("невозможно"), None, Missing("нет такого"))
    assert table.rows[0][5] == "0,10"
    assert isinstance(table.rows[1][3], Interval)
    assert [table.rows[place][0] for place in table.emphasised] == [30]
    (chart,) = [block for block in section.blocks if isinstance(block, Chart)]
    assert chart.panels[0].reference == (5.0, "искомый эффект")
    assert section.key_figures[0].value == pytest.approx(56.4, abs=0.05)


def test_with_three_centres_an_arm_the_plan_says_never(planned: Planned) -> None:
    few = replace(planned, centers=planned.centers.iloc[:6])
    assert "не может показать различие ни при каком результате: наименьшее возможное p — 0,10" in text(
        views.section(few), "conclusion"
    )


def test_a_plan_with_enough_centres_does_not_ask_for_more(planned: Planned) -> None:
    table = planned.table.assign(power=0.9, power_low=0.85, power_high=0.95)
    said = text(views.section(replace(planned, table=table, left_out=2, simulated=None, placebo=None)))
    assert "нужно около" not in said
    assert "Мощность мала" not in said
    assert "осталось центров: 2" in said
    low = planned.table.assign(power=planned.table["power"].clip(upper=0.7))
    assert "не хватит и 160 центров" in text(views.section(replace(planned, table=low)))


def test_a_region_alone_is_not_over_read(demo: tables.Tables) -> None:
    protocol = str(PILOTS / "pilot-2025-1.yaml")
    second = text(views.section(by_region(demo, "02", protocol=protocol)))
    assert "По данным одного региона (6 центров) вывода сделать нельзя" in second
    assert "её нельзя приписать формату" in second
    first = views.section(by_region(demo, "01", protocol=protocol))
    assert "различие не показано (это не значит, что его нет)" in text(first)
    assert ".." not in text(first)
    table = [block for block in first.blocks if isinstance(block, Table)][-1]
    assert table.rows[1][4] == Missing("не ограничен")
    assert table.rows[2][6] == "нет: центров слишком мало"
    found = by_region(demo, "01", protocol=protocol)
    elsewhere = replace(found, region_code="77")
    assert "не участвовал" in text(views.section(elsewhere))
    rows = found.rows.copy()
    rows.loc[0, ["estimate", "low", "high", "se"]] = float("nan")
    rows.loc[0, "reason"] = "малые числа скрыты"
    hidden = views.section(replace(found, rows=rows))
    assert "По одному этому региону ответа нет: малые числа скрыты." in text(hidden)
    assert not any(isinstance(cell, Hidden) for block in hidden.blocks if isinstance(block, Table) for row in block.rows
                   for cell in row)  # fmt: skip


def test_the_path_of_services(demo: tables.Tables) -> None:
    section = views.section(pipeline(demo, "01"))
    assert text(section, "conclusion").startswith("Разработано 4 региональных сервиса; апробировано 3, внедрено 1.")
    assert section.key_figures[0].note == "из 4; сплошной учёт"
    services = demo.services.assign(pilot_state=pd.Series(["tested"] + [pd.NA] * (len(demo.services) - 1)))
    services = services.assign(kind="regional_service")
    unknown = views.section(pipeline(tables.Tables(frames={"services": services}), "01"))
    assert "Стадия не указана" in text(unknown, "warning")
