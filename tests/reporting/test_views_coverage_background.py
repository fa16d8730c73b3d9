"""Coverage and the labour-market background in words: denominators named, rounding never read as change."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from kcrr_analysis import indicators
from kcrr_analysis.indicators import Coverage
from kcrr_analysis.reporting import Interval, Missing, Paragraph, Section, Table, views


def said(built: Section) -> str:
    return " ".join(
        block.text for block in built.blocks if isinstance(block, Paragraph) and block.role == "conclusion"
    ).replace("\N{NO-BREAK SPACE}", " ")


def table(built: Section) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table))


def group(code: str, title: str, coverage: float, change: float = np.nan, **values: object) -> dict[str, object]:
    return {
        "client_group": code,
        "title": title,
        "indicator": {"teen_14_17": 6, "disability": 7, "graduates": 8}.get(code, 0),
        "numerator_column": "measure_recipients",
        "persons": coverage * 10,
        "population": 1000.0,
        "population_year": 2025,
        "coverage": coverage,
        "population_year_ago": 1000.0,
        "population_year_ago_year": 2024,
        "coverage_year_ago": coverage - change,
        "hidden": False,
        "hidden_year_ago": False,
        "reason": "",
        "change": change,
        "population_change": 0.0,
    } | values


def covered(*groups: dict[str, object]) -> Section:
    return views.section(Coverage("01", pd.Period("2025-10", freq="M"), pd.DataFrame(groups)))


def test_official_groups_come_first_then_the_extremes_of_the_rest() -> None:
    built = covered(
        group("disability", "Люди с инвалидностью", 3.4, 0.1),
        group("school", "Школьники", 2.0),
        group("students", "Студенты", 9.0, -1.0),
    )
    assert said(built) == (
        "За период январь – октябрь 2025 г. официальные показатели охвата таковы: «Люди с инвалидностью» — 3,4 % "
        "(+0,1 п. п. за год). Из прочих групп выше всего «Студенты» — 9,0 % (−1,0 п. п. за год), ниже всего "
        "«Школьники» — 2,0 %."
    )
    assert [figure.key for figure in built.key_figures] == ["coverage_disability"]


def test_a_denominator_of_an_earlier_year_is_named() -> None:
    built = covered(group("disability", "Люди с инвалидностью", 3.4, population_year=2023))
    assert any("Численности за 2025 год нет" in note and "инвалидностью" in note for note in table(built).notes)


def test_a_group_without_a_denominator_shows_the_reason() -> None:
    nothing = group(
        "school", "Школьники", np.nan, population=np.nan, population_year=None, reason="нет численности группы"
    )
    row = table(covered(nothing, group("students", "Студенты", 2.0))).rows[0]
    assert row[3:5] == ("–", Missing("нет численности группы"))


def test_an_official_group_without_a_figure_is_said_not_to_be_computed() -> None:
    built = covered(
        group("disability", "Люди с инвалидностью", 3.4),
        group("graduates", "Выпускники", np.nan, reason="нет численности группы"),
    )
    assert "Не выводится охват: «Выпускники» (причина — в таблице)." in said(built)
    assert [figure.value for figure in built.key_figures] == [3.4, Missing("нет численности группы")]


def test_a_change_made_by_the_denominator_is_not_an_achievement() -> None:
    built = covered(group("disability", "Люди с инвалидностью", 8.0, 5.0, population_change=-50.0))
    assert "(+5,0 п. п. за год при изменении численности группы на −50,0 %)" in said(built)
    assert any("отражает и изменение численности" in note for note in table(built).notes)


def test_more_covered_than_there_are_people_is_a_warning_not_a_conclusion() -> None:
    built = covered(group("disability", "Люди с инвалидностью", 133.0))
    assert "133" not in said(built)
    assert any(isinstance(block, Paragraph) and block.role == "warning" for block in built.blocks)
    assert "проверьте знаменатель" in built.key_figures[0].note


def background(**values: dict[str, float]) -> Section:
    rows = [(name, month, value) for name, months in values.items() for month, value in months.items()]
    frame = pd.DataFrame(rows, columns=["series_id", "month", "value"])
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    units = frame["series_id"].map(lambda name: "%" if name.endswith("rate") else "чел.")
    frame = frame.assign(region_code="01", unit=units, source="Росстат", series_name=frame["series_id"])
    return views.section(indicators.background(SimpleNamespace(external_series=frame, folder=None), "01"))


def rounded(now: float, year_ago: float) -> dict[str, float]:
    months = [str(month) for month in pd.period_range("2024-07", "2025-10", freq="M")]
    values = dict(zip(months, [100.0 * (place % 5 + 2) for place in range(16)], strict=True))
    return values | {"2024-10": year_ago, "2025-10": now}


def test_a_change_that_rounding_could_have_made_is_not_called_one() -> None:
    built = background(hired=rounded(200, 300))
    assert said(built) == (
        "Ни один ряд не изменился за год так, чтобы это нельзя было объяснить округлением в источнике."
    )
    cell = table(built).rows[0][5]
    assert isinstance(cell, Interval)
    assert cell.high == 0
    assert any("округляет до 100" in note for note in table(built).notes)


def test_a_sure_change_of_a_rounded_series_is_said_as_an_interval() -> None:
    assert "«hired» — от +57 до +160 %" in said(background(hired=rounded(600, 300)))


def test_series_are_background_and_prove_no_causes() -> None:
    built = background(hired={"2024-10": 100.0, "2025-10": 112.0})
    assert said(built).startswith("Изменения за год: «hired» — +12,0 %.")
    assert "не доказывают причин" in said(built)


def test_a_series_that_ends_early_is_pointed_out() -> None:
    built = background(hired={"2025-08": 100.0}, quits={"2025-10": 100.0})
    warning = next(block for block in built.blocks if isinstance(block, Paragraph) and block.role == "warning")
    assert "«hired»" in warning.text
    assert "Сравнить ряды с прошлым годом нельзя" in said(built)


def test_a_rate_is_said_in_percentage_points() -> None:
    built = background(unemployment_rate={"2024-10": 2.3, "2025-10": 2.6})
    assert "«unemployment_rate» — +0,3 п. п." in said(built)
    assert str(table(built).rows[0][5]).replace("\N{NO-BREAK SPACE}", " ") == "+0,3 п. п."
