"""A region's promotion: the period, the cuts, and what the small counts hide over all of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kcrr_analysis import funnel, tables
from kcrr_analysis.costs import Rates
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import MissingTableError, NotComputableError, ParameterError
from kcrr_analysis.funnel.promotion import MARGINS, period_of
from kcrr_analysis.tables import Tables

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


@pytest.fixture(scope="module")
def demo() -> Tables:
    return tables.load(DEMO, region="01", only=("promotion", "centers", "flow"))


def test_a_placement_belongs_to_the_month_of_its_start(demo: Tables) -> None:
    found = funnel.promotion(demo, "01", "2025-10", months=12, rates=Rates(450, 0.15))
    starts = demo.promotion["period_start"]
    own = demo.promotion[(starts >= "2024-11-01") & (starts < "2025-11-01")]
    assert (found.first, found.month) == (pd.Period("2024-11"), pd.Period("2025-10"))
    assert found.by_tool.total["clicks"] == own["clicks"].sum()
    assert (
        found.by_month.levels["clicks"].tolist()
        == own.groupby(own["period_start"].dt.to_period("M"))["clicks"].sum().tolist()
    )


def test_every_cut_adds_up_to_the_same_total(demo: Tables) -> None:
    found = funnel.promotion(demo, "01", months=6)
    for part in (found.by_tool, found.by_campaign, found.by_group, found.by_center, found.by_month):
        for name in ("placements", "impressions", "leads", "customers", "cost"):
            assert part.levels[name].sum() == pytest.approx(found.by_tool.total[name])
    assert found.to_frame()["margin"].unique().tolist() == list(MARGINS)


def test_centres_have_their_names_and_the_region_a_row_of_its_own(demo: Tables) -> None:
    titles = funnel.promotion(demo, "01", "2025-10").by_center.levels["title"].tolist()
    assert "Регион в целом, без центра" in titles
    assert any("Главный" in title for title in titles)


def test_no_shown_count_is_small_in_any_cut(demo: Tables) -> None:
    found = funnel.promotion(demo, "01", "2025-10", rule=Rule()).to_frame()
    some = False
    for name in ("leads", "registrations", "applications", "customers"):
        some |= found[f"{name}_hidden"].any()
        shown = found.loc[found[name].notna(), name]
        assert not shown.between(1, 4).any()
        hidden = found[f"{name}_hidden"]
        derived = [f"{name}_per_click", f"{name}_per_impression", f"cost_per_{name}", f"{name}_per_click_low"]
        assert found.loc[hidden, derived].isna().all(axis=None)
    assert some


def test_a_period_without_placements_is_not_computable(demo: Tables) -> None:
    with pytest.raises(NotComputableError, match="с 2019-01 по 2019-12"):
        funnel.promotion(demo, "01", "2019-12")
    with pytest.raises(NotComputableError, match="ни одной записи с датой"):
        funnel.promotion(demo, "99")
    with pytest.raises(ParameterError, match="months"):
        funnel.promotion(demo, "01", months=0)
    with pytest.raises(MissingTableError, match="promotion"):
        funnel.promotion(Tables({}), "01")


def test_the_period_ends_with_the_last_known_month_by_default() -> None:
    known = pd.Series(pd.PeriodIndex(["2025-01", "2025-03"], freq="M"))
    assert period_of(known, None, 2) == (pd.Period("2025-02"), pd.Period("2025-03"))
    assert period_of(known, "2025-01", 1) == (pd.Period("2025-01"), pd.Period("2025-01"))
