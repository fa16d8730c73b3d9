"""Words and tables of the indicators: exact sentences for hand-made results, and nothing said beyond them."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from kcrr_analysis import disclosure, indicators
from kcrr_analysis.reporting import Hidden, Interval, Paragraph, Section, Table, json_form, views
from kcrr_analysis.reporting.blocks import Chart, Report
from kcrr_analysis.tables import Tables


def flow(values: dict[str, dict[str, float | None]]) -> pd.DataFrame:
    rows = [(month, group, value) for group, months in values.items() for month, value in months.items()]
    frame = pd.DataFrame(rows, columns=["month", "client_group", "applied"])
    return frame.assign(
        month=pd.PeriodIndex(frame["month"], freq="M"),
        applied=frame["applied"].astype("Int64"),
        period="month",
        scope="region",
        region_code="01",
    )


def section(frame: pd.DataFrame) -> Section:
    return views.section(indicators.applicants(SimpleNamespace(flow=frame, folder=None), "01", "2025-10"))


def words(built: Section) -> list[str]:
    return [
        block.text.replace("\N{NO-BREAK SPACE}", " ")
        for block in built.blocks
        if isinstance(block, Paragraph) and block.role == "conclusion"
    ]


def table(built: Section) -> Table:
    return next(block for block in built.blocks if isinstance(block, Table))


def yearly(last_year: float, this_year: float) -> dict[str, float]:
    """Three years of months: 100, then `last_year`, then `this_year`; year-on-year changes are constant."""
    months = pd.period_range("2022-11", "2025-10", freq="M")
    levels = [100.0] * 12 + [last_year] * 12 + [this_year] * 12
    return {str(month): level for month, level in zip(months, levels, strict=True)}


def test_the_total_in_words() -> None:
    built = section(flow({"all": {"2024-10": 1000, "2025-09": 1250, "2025-10": 1101}}))
    assert words(built) == [
        "Обратились за содействием в поиске подходящей работы: в октябре 2025 г. — 1 101 человек. Это на 10,1 % (101) "
        "больше, чем в октябре 2024 г. (1 000), и на 11,9 % (149) меньше, чем в сентябре 2025 г. (1 250). Учёт "
        "сплошной, выборочной погрешности нет. Сопоставить изменение за год с прошлым размахом нельзя: известно "
        "меньше 12 прошлых годовых изменений."
    ]


def test_no_change_and_almost_no_change_are_said_as_such() -> None:
    built = section(flow({"all": {"2024-10": 10_000, "2025-09": 10_001, "2025-10": 10_000}}))
    assert (
        "Это столько же, сколько в октябре 2024 г., и почти столько же, сколько в сентябре 2025 г. (10 001)."
        in (words(built)[0])
    )


def test_a_change_within_the_past_range_is_not_called_more() -> None:
    values = yearly(110, 99)
    values["2025-10"] = 115.0
    said = words(section(flow({"all": values})))[0]
    assert "Изменение за год не выходит за пределы прошлого размаха: за предыдущие 23 месяца оно составляло" in said
    values["2025-10"] = 140.0
    said = words(section(flow({"all": values})))[0]
    assert "выходит за пределы прошлого размаха: за предыдущие 23 месяца оно составляло от −10,0 % до +10,0 %" in said


CHANCE = " Выход за пределы бывает и случайно, и тем чаще, чем больше групп сравнивается."


def test_only_groups_beyond_their_own_range_are_named_out_of_how_many() -> None:
    risen = yearly(110, 99) | {"2025-10": 200.0}
    steady = yearly(110, 99)
    said = words(section(flow({"all": steady, "youth": risen, "disability": steady})))[1]
    assert said == (
        "За пределы своего прошлого размаха вышли, из 2 сравниваемых групп: выше — «Молодёжь» (+81,8 % за год, прежде "
        "от −10,0 до +10,0 %)." + CHANCE
    )
    assert words(section(flow({"all": steady, "youth": steady})))[1] == (
        "Ни у одной из 1 сравниваемой группы изменение за год не вышло за пределы её прошлого размаха."
    )


def test_growth_that_is_slower_than_ever_is_below_the_range_not_above() -> None:
    growing = yearly(120, 144) | {"2025-10": 122.0}
    assert (
        "ниже — «Молодёжь» (+1,7 % за год, прежде от +20,0 до +20,0 %)"
        in (words(section(flow({"all": yearly(110, 99), "youth": growing})))[1])
    )


def test_no_change_where_there_always_was_one_is_named_too() -> None:
    growing = yearly(120, 144) | {"2025-10": 120.0}
    assert "ниже — «Молодёжь» (0,0 % за год" in (words(section(flow({"all": yearly(110, 99), "youth": growing})))[1])


def test_a_small_group_is_marked_and_never_named() -> None:
    tiny = {month: value / 10 for month, value in yearly(110, 99).items()} | {"2025-10": 29}
    whole = {month: round(value) for month, value in tiny.items()}
    built = section(flow({"all": yearly(110, 99), "disability": whole}))
    assert len(words(built)) == 1
    assert "Люди с инвалидностью (малая база)" in [row[0] for row in table(built).rows]


def test_a_hidden_total_is_not_described() -> None:
    frame = flow({"all": {"2024-10": 100, "2025-09": 100, "2025-10": None}})
    frame["applied_hidden"] = frame["applied"].isna()
    built = section(frame)
    assert words(built) == ["Значение за октябрь 2025 г. скрыто: оно меньше порога малого числа или раскрывает такое."]
    assert table(built).rows[0][1] == Hidden()
    assert table(built).rows[0][5:7] == (Hidden(), Hidden())
    assert built.key_figures[0].value == Hidden()


def test_without_a_total_row_groups_are_not_added_up() -> None:
    assert "складывать пересекающиеся группы нельзя" in words(section(flow({"youth": {"2025-10": 50}})))[0]


def test_the_past_range_stands_beside_the_change() -> None:
    built = section(flow({"all": yearly(110, 99)}))
    cell = table(built).rows[0][7]
    assert isinstance(cell, Interval)
    assert (cell.low, cell.high) == (pytest.approx(-10), pytest.approx(10))
    assert any("бывает и случайно" in note for note in table(built).notes)


def test_a_hidden_month_is_a_gap_and_its_value_is_nowhere_in_the_report() -> None:
    frame = flow({"all": {month: value * 1000 for month, value in yearly(110, 99).items()} | {"2025-03": 3}})
    frame["center_id"] = pd.array([pd.NA] * len(frame), dtype="string")
    data = disclosure.protect(Tables({"flow": frame}), disclosure.Rule())
    built = views.section(indicators.applicants(data, "01", "2025-10"))
    chart = next(block for block in built.blocks if isinstance(block, Chart))
    line = chart.panels[0].series[0]
    assert line.y[line.x.index("2025-03")] is None
    assert 3 not in line.y
    assert '"low": -99' not in json_form.dumps(Report("x", "Глава", "01", "Область", "октябрь 2025 г.", (built,)))


def test_the_last_known_month_is_named_where_the_reporting_month_is_hidden() -> None:
    frame = flow({"all": yearly(110, 99) | {"2025-10": None}})
    frame["applied_hidden"] = frame["applied"].isna()
    built = section(frame)
    chart = next(block for block in built.blocks if isinstance(block, Chart))
    assert chart.panels[0].series[0].name.replace("\N{NO-BREAK SPACE}", " ") == "Все граждане, сен 2025"
    assert "последнее известное 99 (сентябрь 2025" in chart.alt


def test_an_internal_report_marks_what_comes_from_small_values() -> None:
    frame = flow({"all": yearly(110, 99) | {"2025-03": 3}})
    frame["applied_hidden"] = frame["applied"] == 3
    assert str(table(section(frame)).rows[0][7]).endswith("*")


def test_an_unknown_result_has_no_view() -> None:
    with pytest.raises(TypeError, match="no view is registered for int"):
        views.section(5)
