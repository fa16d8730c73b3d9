"""The ten official indicators: values by hand, statuses with their reasons, persons never added up, hidden counts."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from kcrr_analysis import disclosure, indicators
from kcrr_analysis import tables as table_sets
from kcrr_analysis.errors import MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.indicators import Official
from kcrr_analysis.tables import Tables
from tests.indicators.regions import MONTHS, centers, level, months, population, premises, rows, tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
PEOPLE = population(
    teen_14_17={2022: 2000, 2024: 2000}, disability={2022: 1000, 2024: 1000, 2025: 1250}, graduates={2022: 500, 2026: 9}
)


def whole() -> dict[str, list[pd.DataFrame] | pd.DataFrame]:
    """A region in which everything can be computed."""
    since = {month: float(month[5:]) for month in MONTHS}

    def ytd(monthly: float, **changed: float | None) -> dict[str, float | None]:
        return {month: monthly * number for month, number in since.items()} | {
            name[1:].replace("_", "-"): value for name, value in changed.items()
        }

    return {
        "flow": [
            rows(
                registered_stock=level(5000, m2025_10=5050),
                registered_new=level(700, m2025_10=770),
                applied=level(1000, m2025_10=1030),
                measure_applicants=level(400, m2025_10=380),
                measures_delivered=level(500, m2024_10=400),
                visits=level(999),
            ),
            rows(
                period="year_to_date",
                applied=ytd(900, m2025_10=9270),
                measures_delivered=ytd(500),
            ),
            rows(group="svo_participants", measure_applicants=level(40)),
            rows(group="svo_family", measure_applicants=level(77)),
            rows(group="svo", measure_applicants=level(111)),
            rows(group="teen_14_17", period="year_to_date", guidance_recipients=ytd(20), measure_recipients=ytd(5)),
            rows(group="teen_14_17", guidance_recipients=level(20)),
            rows(group="disability", period="year_to_date", measure_recipients=ytd(10, m2025_10=150)),
            rows(group="disability", measure_recipients=level(10)),
            rows(group="graduates", period="year_to_date", measure_recipients=ytd(3)),
            rows(group="graduates", measure_recipients=level(3)),
            rows(center="a", visits=level(600), services_delivered=level(1200)),
            rows(center="b", visits=level(300), services_delivered=level(300, m2025_10=600)),
        ],
        "population": PEOPLE,
        "centers": centers("a", "b"),
        "center_months": [
            premises("a", floor_area_m2=200, client_area_m2=100, staff_fte=8.5),
            premises("b", floor_area_m2=100, client_area_m2=50, staff_fte=1.5),
        ],
    }


def compute(data: Tables | None = None, **settings: object) -> pd.DataFrame:
    return official(data, **settings).rows.set_index("number")


def official(data: Tables | None = None, **settings: object) -> Official:
    return indicators.official(tables(**whole()) if data is None else data, "01", "2025-10", **settings)  # type: ignore[arg-type]


def without(name: str) -> Tables:
    return tables(**{table: frame for table, frame in whole().items() if table != name})


def test_the_ten_values_by_hand() -> None:
    found = compute()
    assert list(found.index) == list(range(1, 11))
    assert found["value"].tolist() == pytest.approx(
        [5050, 1030, 380, 500, 40, 100 * 200 / 2000, 100 * 150 / 1250, 100 * 30 / 500, 900 / 300, 1800 / 10]
    )
    assert found["year_ago"].tolist() == pytest.approx(
        [5000, 1000, 400, 400, 40, 100 * 200 / 2000, 100 * 100 / 1000, 100 * 30 / 500, 900 / 300, 1500 / 10]
    )


def test_the_changes_by_hand() -> None:
    found = compute()
    assert found["change"].tolist() == pytest.approx([50, 30, -20, 100, 0, 0, 2, 0, 0, 30])
    assert found["change_pct"].tolist() == pytest.approx([1, 3, -5, 25, 0, 0, 20, 0, 0, 20])


def test_year_on_year_within_two_percent_is_kept() -> None:
    # Series without noise of their own: the fixed band of the dictionary.
    found = compute()
    assert found["status"].tolist() == [
        "kept", "grown", "fallen", "grown", "kept", "kept", "grown", "kept", "kept", "grown",
    ]  # fmt: skip
    assert set(found["band"]) == {"fixed"}
    assert (set(found["band_low"]), set(found["band_high"])) == ({-2.0}, {2.0})


def test_the_fixed_band_is_a_parameter() -> None:
    found = compute(kept_within_percent=4)
    assert found.loc[2, "status"] == "kept"
    assert found.loc[3, "status"] == "fallen"
    assert compute(kept_within_percent=0).loc[1, "status"] == "grown"


def test_the_month_before_is_not_the_base_of_the_status() -> None:
    data = whole()
    data["flow"][0] = rows(applied=level(1000, m2025_09=1500))  # type: ignore[index]
    found = compute(tables(**data))
    assert found.loc[2, "previous"] == 1500
    assert found.loc[2, "status"] == "kept"


def test_a_history_of_23_months_is_not_enough_data_and_24_are() -> None:
    for length, status in ((23, "not_enough_data"), (24, "grown")):
        found = compute(tables(flow=rows(applied=months([1000.0] * (length - 1) + [1100.0]))))
        assert found.loc[2, "status"] == status
        assert found.loc[2, "months"] == length
    short = compute(tables(flow=rows(applied=months([1000.0] * 23))))
    assert short.loc[2, "reason"] == "история 23 мес., нужно не меньше 24 мес."
    assert short.loc[2, "value"] == 1000


def test_stock_is_a_stock_and_flow_is_compared_with_flow() -> None:
    found = compute(period="year_to_date")
    assert (found.loc[1, "kind"], found.loc[1, "value"], found.loc[1, "period"]) == ("stock", 5050, "2025-10")
    new = compute(registered="registered_new").loc[1]
    assert (new["kind"], new["value"], new["year_ago"]) == ("flow", 770, 700)
    assert new["numerator_column"] == "flow.registered_new"
    assert "за отчётный период" in new["definition"]


def test_only_svo_participants_are_counted_not_their_families() -> None:
    row = compute().loc[5]
    assert (row["client_group"], row["value"]) == ("svo_participants", 40)


def test_every_coverage_names_its_denominator_and_its_year() -> None:
    found = compute()
    assert found.loc[[6, 7, 8], "denominator"].tolist() == [2000, 1250, 500]
    assert found.loc[[6, 7, 8], "denominator_year"].tolist() == ["2024", "2025", "2022"]
    assert found.loc[6, "denominator_name"] == "численность группы «Подростки 14–17 лет»"
    assert found.loc[7, "denominator_change_pct"] == pytest.approx(25)
    assert found.loc[[6, 7, 8], "period"].tolist() == ["2025-01..2025-10"] * 3


def test_teenagers_are_counted_by_guidance_not_by_measures() -> None:
    assert compute().loc[6, "numerator"] == 200


def test_the_area_is_a_parameter() -> None:
    client = compute(area="client").loc[9]
    assert client["value"] == pytest.approx(900 / 150)
    assert client["denominator_name"] == "площадь клиентской зоны, м²"
    assert (client["denominator"], client["denominator_year"]) == (150, "2025-10")
    assert compute(area="floor").loc[9, "denominator_name"] == "общая площадь, м²"


def test_a_centre_without_premises_is_left_out_of_both_sums_and_named() -> None:
    data = whole()
    data["center_months"] = premises("a", floor_area_m2=200, staff_fte=8.5)
    row = compute(tables(**data)).loc[9]
    assert row["value"] == pytest.approx(600 / 200)
    assert row["left_out"] == ("Центр b",)


def test_every_figure_is_a_complete_count() -> None:
    frame = official().to_frame()
    assert set(frame["interval"]) == {"сплошной учёт"}
    assert set(frame["region_code"]) == {"01"}
    assert set(frame["starts_2026"]) == {"unknown"}
    assert frame["definition"].str.len().min() > 30


def test_persons_of_centres_are_not_added_up_and_units_are() -> None:
    data = tables(
        centers=centers("a", "b"),
        flow=[
            rows(center="a", applied=level(10), measures_delivered=level(30)),
            rows(center="b", applied=level(20), measures_delivered=level(12)),
        ],
    )
    found = compute(data)
    assert found.loc[2, "status"] == "not_computable"
    assert "по центрам людей не складывают: один человек бывает в двух центрах" in found.loc[2, "reason"]
    assert math.isnan(found.loc[2, "value"])
    assert found.loc[4, "value"] == 42


def test_units_are_not_summed_where_a_centre_did_not_report() -> None:
    data = tables(centers=centers("a", "b"), flow=rows(center="a", measures_delivered=level(30)))
    row = compute(data).loc[4]
    assert row["status"] == "not_computable"
    assert "не по всем центрам есть строки" in row["reason"]


def test_persons_of_months_are_not_added_up_and_units_are() -> None:
    found = compute(period="year_to_date")
    assert found.loc[2, "value"] == 9270
    assert found.loc[2, "period"] == "2025-01..2025-10"
    assert found.loc[3, "status"] == "not_computable"
    assert "людей по месяцам не складывают" in found.loc[3, "reason"]
    assert found.loc[4, "value"] == 5000
    only_months = tables(flow=rows(measures_delivered=level(500, m2025_03=700)))
    assert compute(only_months, period="year_to_date").loc[4, "value"] == 9 * 500 + 700
    gap = tables(flow=rows(measures_delivered=level(500, m2025_03=None)))
    row = compute(gap, period="year_to_date").loc[4]
    assert (row["status"], row["reason"]) == ("not_computable", "нет значения за 2025-10")


def test_since_january_units_stand_over_the_mean_denominator() -> None:
    found = compute(period="year_to_date")
    assert found.loc[9, "value"] == pytest.approx(10 * 900 / 300)
    assert found.loc[10, "value"] == pytest.approx((9 * 1500 + 1800) / 10)


def test_a_year_to_date_figure_of_december_is_not_the_month_before_january() -> None:
    found = indicators.official(tables(**whole()), "01", "2025-01", period="year_to_date").rows.set_index("number")
    assert math.isnan(found.loc[2, "previous"])
    assert found.loc[1, "previous"] == 5000


@pytest.mark.parametrize(
    ("table", "numbers", "said"),
    [
        ("population", [6, 7, 8], "(population)"),
        ("center_months", [9, 10], "(center_months)"),
    ],
)
def test_a_missing_table_is_the_reason(table: str, numbers: list[int], said: str) -> None:
    found = compute(without(table))
    lacking = found[found["status"] == "not_computable"]
    assert lacking.index.tolist() == numbers
    assert all(said in reason for reason in lacking["reason"])
    assert not any(reason.endswith(".") for reason in lacking["reason"])


def test_a_group_without_a_population_is_the_reason() -> None:
    data = whole() | {"population": population(disability={2025: 1250})}
    found = compute(tables(**data))
    assert found.loc[6, "status"] == "not_computable"
    assert found.loc[6, "reason"] == "нет численности группы за 2025 год и ранее"


def test_a_region_with_nothing_official_has_ten_reasons() -> None:
    found = official(tables(flow=rows(clients_served=level(5))))
    assert set(found.rows["status"]) == {"not_computable"}
    assert (found.rows["reason"] != "").all()
    assert found.history.empty


def test_every_indicator_without_rows_says_which_rows_it_needs() -> None:
    some = tables(
        flow=[rows(applied=level(5)), rows(center="a", visits={"2025-10": 5})],
        population=PEOPLE,
        centers=centers("a"),
        center_months=premises("a", at=("2025-10",), floor_area_m2=10),
    )
    month, year = compute(some), compute(some, period="year_to_date")
    assert "client_group = svo_participants" in month.loc[5, "reason"]
    assert "Охват по сумме месяцев не вычисляется" in month.loc[7, "reason"]
    assert month.loc[9, "value"] == pytest.approx(0.5)
    assert "нет сразу строки flow со столбцом services_delivered" in month.loc[10, "reason"]
    assert "нет всех месяцев с января, чтобы сложить единицы" in year.loc[4, "reason"]
    assert "нет всех месяцев с января: сумму единиц" in year.loc[9, "reason"]


def test_a_hidden_month_gives_neither_a_figure_nor_a_status() -> None:
    flow = pd.concat(whole()["flow"], ignore_index=True)
    small = (flow["client_group"] == "svo_participants") & (flow["month"] == pd.Period("2024-10", freq="M"))
    flow.loc[small, "measure_applicants"] = 3
    data = tables(**(whole() | {"flow": flow}))
    row = compute(data, rule=disclosure.Rule()).loc[5]
    assert (row["status"], row["value"], bool(row["hidden_year_ago"])) == ("hidden", 40, True)
    assert row[["year_ago", "change", "change_pct", "band_low", "band_high"]].isna().all()
    history = official(data, rule=disclosure.Rule()).history
    own = history[(history["number"] == 5) & history["hidden"]]
    assert len(own)
    assert own["value"].isna().all()


def test_a_hidden_numerator_hides_the_coverage() -> None:
    flow = pd.concat(whole()["flow"], ignore_index=True)
    flow["measure_recipients_hidden"] = (flow["client_group"] == "graduates") & (
        flow["month"] == pd.Period("2025-10", freq="M")
    )
    flow.loc[flow["measure_recipients_hidden"], "measure_recipients"] = pd.NA
    row = compute(tables(**(whole() | {"flow": flow}))).loc[8]
    assert row["status"] == "hidden"
    assert row[["value", "numerator", "change", "change_pct"]].isna().all()
    assert row["reason"] == ""


def test_both_modes_come_to_the_same_band() -> None:
    values = months([float(30 + (place * 7) % 11) for place in range(36)]) | {"2024-03": 3.0}
    flow = rows(group="svo_participants", measure_applicants=values)
    bands = [
        compute(tables(flow=flow), rule=disclosure.Rule(mode=mode)).loc[5, ["band_low", "band_high", "status"]].tolist()  # type: ignore[arg-type]
        for mode in ("public", "internal")
    ]
    assert bands[0] == bands[1]
    assert bands[0][2] in {"kept", "grown", "fallen"}


def test_a_handful_of_persons_is_flagged() -> None:
    data = tables(flow=[rows(applied=level(1000)), rows(group="svo_participants", measure_applicants=level(29))])
    found = compute(data)
    assert found.loc[5, "small_base"]
    assert not found.loc[2, "small_base"]


def test_the_last_month_of_the_region_is_taken_by_default() -> None:
    later = rows(center="a", visits={"2025-11": 5})
    data = tables(**(whole() | {"flow": [*whole()["flow"], later]}))
    assert indicators.official(data, "01").month == pd.Period("2025-10", freq="M")


@pytest.mark.parametrize(
    "settings",
    [{"period": "year"}, {"registered": "applied"}, {"area": "roof"}, {"kept_within_percent": -1}],
)
def test_a_setting_that_means_nothing_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(settings))):
        official(**settings)


def test_no_rows_of_the_region_or_month_and_no_table() -> None:
    with pytest.raises(NotComputableError, match="нет строк региона 77"):
        indicators.official(tables(**whole()), "77")
    with pytest.raises(NotComputableError, match="2031-01"):
        indicators.official(tables(**whole()), "01", "2031-01")
    with pytest.raises(MissingTableError):
        indicators.official(tables(population=PEOPLE), "01")


def test_the_level_shift_of_the_demo_has_grown() -> None:
    # truth.yaml: all flow of region 02 is multiplied by 1.25 from February 2025 on.
    data = table_sets.load(DEMO, region="02")
    found = indicators.official(data, "02", "2025-10").rows.set_index("number")
    flows = found.loc[[2, 3, 4, 9, 10]]
    assert set(flows["status"]) == {"grown"}
    assert set(flows["band"]) == {"own_noise"}
    assert flows["change_pct"].between(20, 45).all()
    # Before the shift the same indicators are within their noise.
    before = indicators.official(data, "02", "2025-01").rows.set_index("number")
    assert list(before.loc[[2, 3, 4, 9, 10], "status"]).count("kept") >= 4
