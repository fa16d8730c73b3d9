"""Conversion of promotion: hand-computed cases, gaps, comparisons, the demo's truth, a real campaign."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import funnel, stats, tables
from kcrr_analysis.costs import Rates
from kcrr_analysis.demo.truth import PROMOTION_TOOLS
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.funnel import placements

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo"


def promotion(**columns: object) -> pd.DataFrame:
    """Placements; a column of one value is repeated."""
    size = max(len(values) for values in columns.values() if isinstance(values, list))
    frame = pd.DataFrame(
        {name: values if isinstance(values, list) else [values] * size for name, values in columns.items()}
    )
    return frame.assign(
        period_start=pd.to_datetime(frame.get("period_start", pd.Series(["2025-01-10"] * size))),
        period_end=pd.to_datetime(frame.get("period_end", pd.Series(["2025-01-20"] * size))),
    )


TWO = promotion(
    tool_id=["smm", "smm", "mailing"],
    impressions=[1000, 3000, 500],
    clicks=[10, 50, 20],
    sessions=[8, 40, 20],
    bounces=[4, 8, 5],
    time_s=[30.0, 60.0, 10.0],
    scroll_share=[0.5, 0.25, 1.0],
    video_starts=[100, None, None],
    full_views=[25, None, None],
    leads=[2, 6, 0],
    customers=[1, 3, 0],
    external_cost=[500.0, 1500.0, 100.0],
    staff_hours=[1.0, None, 2.0],
)


def level(result: funnel.Conversion, title: str) -> pd.Series:
    return result.rows.set_index("title").loc[title]


SMM, MAILING = "Продвижение в социальных сетях (SMM)", "Информационная рассылка"


def test_counts_shares_depth_and_costs_by_hand() -> None:
    row = level(funnel.conversion(TWO, rates=Rates(200)), SMM)
    assert (row["placements"], row["impressions"], row["clicks"], row["leads"]) == (2, 4000, 60, 8)
    assert row["click_rate"] == pytest.approx(100 * 60 / 4000)
    assert row["bounce_rate"] == pytest.approx(100 * 12 / 48)
    assert row["mean_time"] == pytest.approx((30 * 8 + 60 * 40) / 48)
    assert row["mean_scroll"] == pytest.approx(100 * (0.5 * 8 + 0.25 * 40) / 48)
    assert row["full_view_rate"] == pytest.approx(25)
    assert row["leads_per_impression"] == pytest.approx(100 * 8 / 4000)
    assert row["leads_per_click"] == pytest.approx(100 * 8 / 60)
    assert row["cost"] == 500 + 1500 + 200
    assert row["internal_cost"] == 200
    assert row["cost_per_leads"] == pytest.approx(2200 / 8)
    assert row["cost_per_customers"] == pytest.approx(2200 / 4)


def test_the_total_row_is_of_all_placements() -> None:
    found = funnel.conversion(TWO)
    assert found.total["clicks"] == 80
    assert found.total["leads_per_click"] == pytest.approx(100 * 8 / 80)
    assert found.rows["total"].tolist() == [False, False, True]
    assert found.rows["title"].tolist() == [MAILING, SMM, "Всего"]


def test_a_count_recorded_nowhere_is_missing_and_not_zero() -> None:
    row = level(funnel.conversion(TWO), MAILING)
    assert np.isnan(row["video_starts"])
    assert np.isnan(row["full_view_rate"])
    assert row["video_starts_recorded"] == 0
    assert np.isnan(row["applications"])  # no such column at all
    assert row["leads"] == 0  # recorded, and none came
    assert row["leads_per_click"] == 0
    assert np.isnan(row["cost_per_leads"])


def test_a_share_uses_the_placements_where_both_parts_are_recorded() -> None:
    row = level(funnel.conversion(TWO.assign(leads=[2, None, 0])), SMM)
    assert row["leads_per_click"] == pytest.approx(100 * 2 / 10)
    assert row["leads_per_click_n"] == 1
    assert row["leads_recorded"] == 1
    assert row["cost_per_leads"] == pytest.approx(500 / 2)


def test_zero_denominators_have_no_share() -> None:
    row = level(funnel.conversion(TWO.assign(clicks=0, impressions=[0, 0, 1])), SMM)
    assert np.isnan(row["leads_per_click"])
    assert np.isnan(row["leads_per_impression"])
    assert np.isnan(row["click_rate"])


def test_a_placement_without_sessions_weighs_nothing_in_the_depth() -> None:
    row = level(funnel.conversion(TWO.assign(sessions=[8, 0, 20], time_s=[30.0, None, 10.0])), SMM)
    assert row["mean_time"] == 30
    assert row["mean_time_n"] == 2


def test_fewer_than_five_placements_have_no_interval() -> None:
    row = level(funnel.conversion(TWO), SMM)
    assert np.isnan(row["leads_per_click_low"])
    assert row["few_placements"]
    assert funnel.conversion(TWO).compared == 0


def test_placements_are_the_units_of_the_interval() -> None:
    chance = np.random.default_rng(3)
    clicks = chance.integers(50, 500, 12)
    leads = chance.binomial(clicks, chance.beta(2, 20, 12))
    found = funnel.conversion(promotion(tool_id="smm", clicks=clicks.tolist(), leads=leads.tolist()), ()).total
    expected = stats.ratio(leads, clicks)
    assert found["leads_per_click_low"] == pytest.approx(100 * expected.low)
    assert found["leads_per_click_high"] == pytest.approx(100 * expected.high)
    binomial = stats.wilson(leads.sum(), clicks.sum())
    assert expected.high - expected.low > 1.5 * (binomial.high - binomial.low)  # far wider than binomial: it must be


def test_levels_of_any_column_of_several_and_of_months() -> None:
    frame = TWO.assign(
        age=["30-34", None, "45-49"], period_start=pd.to_datetime(["2025-01-31", "2025-02-01", "2025-02-28"])
    )
    assert funnel.conversion(frame, "age").rows["title"].tolist() == ["30-34", "45-49", "не указано", "Всего"]
    by_month = funnel.conversion(frame, "month")
    assert by_month.rows["title"].tolist() == ["2025-01", "2025-02", "Всего"]
    assert by_month.levels["clicks"].tolist() == [10, 70]
    both = funnel.conversion(frame, ("tool_id", "month"))
    assert both.levels["title"].tolist() == [f"{MAILING} · 2025-02", f"{SMM} · 2025-01", f"{SMM} · 2025-02"]
    assert funnel.conversion(frame, ()).rows["title"].tolist() == ["Всего"]


def test_missing_codes_are_a_level_of_their_own() -> None:
    frame = TWO.assign(center_id=pd.array([None, "01001", "01001"], dtype="string"))
    found = funnel.conversion(frame, "center_id", names={"center_id": {"01001": "Главный"}})
    assert found.levels["title"].tolist() == ["Главный", "Регион в целом, без центра"]


def test_the_target_is_the_one_named_or_the_first_that_is_recorded() -> None:
    assert funnel.conversion(TWO).target == "leads"
    assert funnel.conversion(TWO, target="customers").target == "customers"
    assert funnel.conversion(TWO[["tool_id", "impressions", "period_start", "period_end"]]).target == "applications"


@pytest.mark.parametrize(
    ("settings", "said"), [({"by": "colour"}, "нет столбцов: colour"), ({"target": "sales"}, "«sales» неизвестно")]
)
def test_unknown_columns_and_targets_are_refused(settings: dict[str, str], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        funnel.conversion(TWO, **settings)  # type: ignore[arg-type]


def test_no_placement_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="нет размещений"):
        funnel.conversion(TWO.iloc[:0])


def test_costs_say_what_they_lack() -> None:
    found = funnel.conversion(TWO)
    assert "Ставка часа не задана" in found.cost_definition
    assert any("ставка не задана" in said for said in found.cost_gaps)
    assert found.cost_definition in found.to_frame()["definition"].iloc[0]


PLAN = pd.DataFrame(
    {
        "month": pd.PeriodIndex(["2025-01", "2025-01", "2025-01", "2024-12"], freq="M"),
        "client_group": ["all", "all", "school", "all"],
        "tool_id": ["smm", "mailing", "smm", "smm"],
        "planned_clients": [8, 10, 3, 99],
    }
)


def test_plan_and_fact_without_overlapping_groups_or_other_months() -> None:
    found = funnel.conversion(TWO, plan=PLAN)
    row = level(found, SMM)
    assert row["planned_customers"] == 8
    assert row["plan_done_customers"] == pytest.approx(100 * 4 / 8)
    assert found.total["planned_customers"] == 18
    assert funnel.conversion(TWO, (), plan=PLAN).total["planned_customers"] == 18


def test_a_level_without_a_plan_has_none() -> None:
    row = level(funnel.conversion(TWO, plan=PLAN[PLAN["tool_id"] == "smm"]), MAILING)
    assert np.isnan(row["planned_customers"])
    assert np.isnan(row["plan_done_customers"])


def test_a_plan_of_other_columns_is_refused() -> None:
    with pytest.raises(ParameterError, match="нет столбцов campaign"):
        funnel.conversion(TWO.assign(campaign="a"), "campaign", plan=PLAN)
    with pytest.raises(ParameterError, match="нет столбцов planned_"):
        funnel.conversion(TWO, plan=PLAN.drop(columns="planned_clients"))


def campaigns(rates: dict[str, float], each: int, chance: np.random.Generator, spread: float = 60) -> pd.DataFrame:
    """Beta-binomial placements by tool."""
    tool = np.repeat(list(rates), each)
    mean = np.repeat(list(rates.values()), each)
    clicks = chance.integers(300, 2000, len(tool))
    leads = chance.binomial(clicks, chance.beta(mean * spread, (1 - mean) * spread))
    return promotion(
        tool_id=tool.tolist(), impressions=(clicks * 40).tolist(), clicks=clicks.tolist(), leads=leads.tolist()
    )


def test_a_level_that_differs_is_found_and_the_budget_counts_both_bases_of_all_levels() -> None:
    frame = campaigns({"smm": 0.05, "mailing": 0.05, "flyer": 0.2}, 20, np.random.default_rng(5))
    found = funnel.conversion(frame)
    rows = found.levels.set_index("tool_id")
    assert found.compared == 6
    assert rows.loc["flyer", "difference_per_click_differs"] == 1
    assert rows.loc["flyer", "difference_per_click_low"] > 0
    raw = stats.difference_of_ratios(frame["leads"], frame["clicks"], (frame["tool_id"] == "flyer").to_numpy())
    assert rows.loc["flyer", "difference_per_click"] == pytest.approx(100 * raw.estimate)
    assert rows.loc["flyer", "difference_per_click_p"] >= raw.p
    p = rows[[f"difference_per_{base}_p" for base in placements.BASES]]
    told = rows[[f"difference_per_{base}_differs" for base in placements.BASES]]
    assert ((p.to_numpy() < 0.05) == (told.to_numpy() != 0)).all()


def test_equal_rates_are_called_different_no_oftener_than_the_budget() -> None:
    """200 sets of 4 equal levels: at a true 5 % more than 20 false alarms come once in 1,000."""
    chance = np.random.default_rng(11)
    false = 0
    for _ in range(200):
        frame = campaigns(dict.fromkeys("abcd", 0.06), 10, chance)
        values = placements.measures(frame, Rates(None))
        found = placements.against_the_rest(values, np.repeat(np.arange(4), 10), "leads", 0.95)
        false += bool((found.filter(like="_differs").to_numpy() != 0).any())
    assert false <= 20


def test_intervals_cover_the_true_rate_of_varying_campaigns_and_binomial_ones_do_not() -> None:
    """300 sets of 12 campaigns: coverage 0.95 has standard error 0.013, so 0.90 is four of them below."""
    chance = np.random.default_rng(7)
    inside = binomial = 0
    for _ in range(300):
        values = placements.measures(campaigns({"smm": 0.06}, 12, chance), Rates(None))
        found = placements.figures(values, np.ones(12, bool), 0.95)
        inside += found["leads_per_click_low"] <= 6 <= found["leads_per_click_high"]
        plain = stats.wilson(found["leads"], found["clicks"])
        binomial += plain.low <= 0.06 <= plain.high
    assert inside >= 0.90 * 300
    assert binomial < 0.75 * 300


@pytest.fixture(scope="module")
def demo() -> tables.Tables:
    return tables.load(DEMO, only=("promotion",))


def test_the_demos_true_rates_are_inside_the_intervals(demo: tables.Tables) -> None:
    """30 intervals at 95 %; more than 7 misses of 30 independent ones come twice in 10,000."""
    rows = funnel.conversion(demo.promotion).levels.set_index("tool_id")
    inside = []
    for tool in PROMOTION_TOOLS:
        registered = tool.session * tool.registration
        true = {
            "click_rate": tool.click,
            "bounce_rate": tool.bounce,
            "registrations_per_click": registered,
            "applications_per_click": registered * tool.application,
            "customers_per_click": registered * tool.application * tool.customer,
        }
        row = rows.loc[tool.tool_id]
        inside += [row[f"{name}_low"] <= 100 * rate <= row[f"{name}_high"] for name, rate in true.items()]
        assert row["customers_per_click"] == pytest.approx(100 * true["customers_per_click"], rel=0.15)
    assert len(inside) == 30
    assert sum(inside) >= 23


def test_small_counts_of_persons_are_withheld_with_all_that_tells_them() -> None:
    frame = promotion(
        tool_id=["smm", "mailing", "flyer"], impressions=100, clicks=50, leads=[3, 20, 40], external_cost=90.0
    )
    found = funnel.conversion(frame, rule=Rule())
    rows = found.rows.set_index("tool_id")
    own = rows.loc["smm"]
    assert np.isnan(own[["leads", "leads_per_click", "leads_per_impression", "cost_per_leads"]].astype(float)).all()
    assert own["leads_hidden"]
    assert own["clicks"] == 50
    assert found.total["leads"] == 63
    assert np.isnan(rows.loc["mailing", "leads"])  # or the total would give the three away
    assert not own["small"]
    marked = funnel.conversion(frame, rule=Rule("internal")).rows.set_index("tool_id")
    assert (marked.loc["smm", "leads"], marked.loc["smm", "leads_hidden"]) == (3, True)
    assert marked.loc["smm", "small"]


def campaign(shared_data: Path) -> funnel.Conversion:
    found = tables.check(shared_data, mapping=ROOT / "params" / "mappings" / "kag_campaign.yaml")
    return funnel.conversion(found.tables.promotion, "age")


def test_the_real_campaign_by_age_equals_the_files_sums(shared_data: Path) -> None:
    """Sums of the file: 1,173 leads, 9,140 clicks, 66,079,398 impressions, 395 customers at 30-34; and so on."""
    found = campaign(shared_data)
    raw = pd.read_csv(shared_data / "KAG_conversion_data.csv")
    rows = found.levels.set_index("age")
    assert rows.loc["30-34", ["leads", "clicks", "impressions", "customers"]].tolist() == [1173, 9140, 66_079_398, 395]
    assert rows.loc["45-49", ["leads", "clicks", "impressions", "customers"]].tolist() == [546, 12_715, 59_493_692, 169]
    assert rows.loc["30-34", "leads_per_click"] == pytest.approx(12.834, abs=0.001)
    assert rows.loc["45-49", "leads_per_click"] == pytest.approx(4.294, abs=0.001)
    assert rows.loc["30-34", "leads_per_impression"] == pytest.approx(0.0017751, abs=1e-7)
    spent = raw.groupby("age")["Spent"].sum()
    assert rows.loc["30-34", "cost_per_leads"] == pytest.approx(spent["30-34"] / 1173)
    assert rows.loc["45-49", "cost_per_customers"] == pytest.approx(spent["45-49"] / 169)
    assert found.total["customers"] == raw["Approved_Conversion"].sum()
    assert np.isnan(found.total["applications"])
    assert found.cost_gaps == ("В данных не записаны прямые расходы и часы сотрудников: в стоимость они не вошли.",)


@pytest.mark.parametrize(
    ("name", "top", "bottom", "scale"),
    [
        ("leads_per_click", "Total_Conversion", "Clicks", 100),
        ("leads_per_impression", "Total_Conversion", "Impressions", 100),
        ("cost_per_leads", "Spent", "Total_Conversion", 1),
        ("cost_per_customers", "Spent", "Approved_Conversion", 1),
    ],
)
def test_intervals_of_the_real_campaign_agree_with_a_bootstrap_of_its_ads(
    shared_data: Path, name: str, top: str, bottom: str, scale: float
) -> None:
    """Percentile bootstrap over ads, 4,000 resamples: an independent way to the same limits."""
    rows = campaign(shared_data).levels.set_index("age")
    raw = pd.read_csv(shared_data / "KAG_conversion_data.csv")
    chance = np.random.default_rng(1)
    for age in ("30-34", "45-49"):
        own = raw[raw["age"] == age]
        pick = chance.integers(0, len(own), (4000, len(own)))
        resampled = own[top].to_numpy()[pick].sum(1) / own[bottom].to_numpy()[pick].sum(1)
        low, high = scale * np.quantile(resampled, [0.025, 0.975])
        width = high - low
        assert rows.loc[age, f"{name}_low"] == pytest.approx(low, abs=0.15 * width)
        assert rows.loc[age, f"{name}_high"] == pytest.approx(high, abs=0.15 * width)


def test_the_real_campaign_tells_the_ages_apart(shared_data: Path) -> None:
    found = campaign(shared_data)
    rows = found.levels.set_index("age")
    assert found.compared == 8
    assert rows["difference_per_impression_differs"].to_dict() == {"30-34": 1, "35-39": 0, "40-44": 0, "45-49": -1}
    assert rows["difference_per_click_differs"].to_dict() == {"30-34": 1, "35-39": 0, "40-44": -1, "45-49": -1}
