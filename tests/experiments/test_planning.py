from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import tables
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments import Design, Outcome, Protocol, draw, icc, plan
from kcrr_analysis.experiments.planning import history
from tests.conftest import ROOT

FILE = str(ROOT / "params" / "pilots" / "pilot-2026-1.yaml")
PAST = {"numerator": "before_applied", "of": "before_clients", "source": "pilot_results"}


@pytest.fixture(scope="module")
def demo() -> tables.Tables:
    return tables.load(ROOT / "data" / "demo", only=("centers", "flow", "pilot_results"))


def flow(months: int = 3, centres: int = 6) -> tables.Tables:
    """Centre g has 10 (g + 1) applicants a month, half of them recipients."""
    rows = [
        {
            "month": pd.Period("2025-01", "M") + step, "period": "month", "scope": "center", "client_group": "all",
            "region_code": "01", "center_id": f"c{g}", "measure_applicants": 10 * (g + 1),
            "measure_recipients": 5 * (g + 1),
        }
        for g in range(centres)
        for step in range(months)
    ]  # fmt: skip
    return tables.Tables(frames={"flow": pd.DataFrame(rows)})


def test_the_past_is_summed_over_the_last_months_of_each_centre() -> None:
    past, span, left_out = history(flow(), None, numerator="measure_recipients", of="measure_applicants", months=2)
    assert past["past_n"].tolist() == [20, 40, 60, 80, 100, 120]
    assert past["past_share"].eq(0.5).all()
    assert (str(span[0]), str(span[1]), left_out) == ("2025-02", "2025-03", 0)


def test_a_centre_with_a_missing_month_is_left_out_and_counted() -> None:
    data = flow()
    short = data.flow[~((data.flow["center_id"] == "c0") & (data.flow["month"] == pd.Period("2025-02", "M")))]
    past, _, left_out = history(
        tables.Tables(frames={"flow": short}),
        "2025-03",
        numerator="measure_recipients",
        of="measure_applicants",
        months=2,
    )
    assert past["center_id"].tolist() == [f"c{g}" for g in range(1, 6)]
    assert left_out == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"numerator": "nothing"}, "нет столбца «nothing»"),
        ({"source": "plan"}, "таблица «plan» не подходит"),
        ({"months": 9}, "Нужно хотя бы 4"),
    ],
)
def test_a_past_that_cannot_be_used_is_explained(settings: dict[str, object], said: str) -> None:
    asked = {"numerator": "measure_recipients", "of": "measure_applicants", "months": 2, **settings}
    with pytest.raises((NotComputableError, ParameterError), match=said):
        history(flow(), None, **asked)  # type: ignore[arg-type]


def test_the_demos_plan_agrees_with_its_parts(demo: tables.Tables) -> None:
    found = plan(demo, "01", protocol=FILE, **PAST)
    results = demo.pilot_results[["before_applied", "before_clients"]].astype(float)
    alike = icc(results["before_applied"].to_numpy(), results["before_clients"].to_numpy())
    assert found.icc.value == pytest.approx(alike.value)
    own = found.table.set_index("per_arm").loc[30]
    assert own["power"] == found.power.power
    closed = found.protocol.design.power(
        baseline=float(results["before_applied"].sum() / results["before_clients"].sum()), effect=0.05,
        clusters=(30, 30), size=122, icc=alike,
    )  # fmt: skip
    assert own["power"] == pytest.approx(closed.power)
    assert found.simulated is not None
    # Two ways to one power: normal theory, and exact tests on the past itself (200 runs: standard error 0.035).
    assert found.simulated.power.estimate == pytest.approx(own["power"], abs=0.14)
    three = found.table.set_index("per_arm").loc[3]
    assert (three["power"], three["smallest_p"]) == (0, pytest.approx(0.1))
    assert found.table["power"].is_monotonic_increasing
    assert found.placebo is not None
    rates = found.placebo.rows.set_index("method")["rate"]
    assert rates["planned"] == pytest.approx(5, abs=1.5)
    assert rates["person_test"] > 20


def test_the_draw_is_the_designs_and_lists_the_regions_own_centres(demo: tables.Tables) -> None:
    found = draw(demo, "03", protocol=FILE, **PAST)
    again = draw(demo, "05", protocol=FILE, **PAST)
    pd.testing.assert_frame_equal(found.assignment.units, again.assignment.units)
    assert found.listed == {"03001", "03002", "03003", "03004"}
    assert found.names["03001"].endswith("(демо 03)")
    by = found.assignment.units.groupby("region_code")["arm"].value_counts().unstack()
    assert (np.abs(by["control"] - by["reminder"]) <= 1).all()


def test_what_cannot_be_planned_is_explained(demo: tables.Tables) -> None:
    persons = Protocol("p", Design(), [Outcome("applied", worthwhile=0.05)])
    centres = Design(cluster="center_id")
    with pytest.raises(NotComputableError, match="назначения центров"):
        plan(demo, "01", protocol=persons, **PAST)
    with pytest.raises(ParameterError, match="worthwhile"):
        plan(demo, "01", protocol=Protocol("p", centres, [Outcome("applied", of="clients")]), **PAST)
    minutes = Protocol("p", centres, [Outcome("m", kind="mean", of="clients", worthwhile=1)])
    with pytest.raises(NotComputableError, match="sd"):
        plan(demo, "01", protocol=minutes, **PAST)


def test_strata_that_leave_too_few_draws_are_told_before_the_data(demo: tables.Tables) -> None:
    """Four centres in two strata of two: 4 draws, smallest p 0.5, whatever the table for four centres says."""
    few = demo.pilot_results[demo.pilot_results["center_id"].isin(["01001", "01002", "02001", "02002"])]
    data = tables.Tables(frames={"pilot_results": few})
    found = plan(data, "01", protocol=FILE, **PAST)
    own = found.table.set_index("per_arm").loc[2]
    assert (own["power"], own["smallest_p"]) == (0, pytest.approx(0.5))
    assert np.isnan(own["detectable"])


def test_a_pilot_before_any_results_is_sent_to_the_monthly_data(demo: tables.Tables) -> None:
    only = tables.Tables(frames={"centers": demo.centers})
    with pytest.raises(NotComputableError, match="source = flow"):
        plan(only, "01", protocol=FILE, **PAST)
    with pytest.raises(NotComputableError, match="source = flow"):
        plan(demo, "01", protocol=FILE, source="pilot_results")
    persons = Protocol("p", Design(), [Outcome("applied", worthwhile=0.05)])
    with pytest.raises(NotComputableError, match="людей по одному"):
        draw(demo, "01", protocol=persons)
