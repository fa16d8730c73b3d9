from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis import tables
from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments import Design, Outcome, Protocol, by_region, pilot, pipeline, randomisation
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.experiments.pilots import pilot_data
from tests.conftest import ROOT

FILE = str(ROOT / "params" / "pilots" / "pilot-2025-1.yaml")
TRUE_EFFECT, TRUE_SERVICES = 0.08, 0.15
"""data/demo/truth.yaml: pilot.effect, pilot.services_effect."""


@pytest.fixture(scope="module")
def demo() -> tables.Tables:
    return tables.load(ROOT / "data" / "demo", only=("centers", "pilots", "pilot_results", "services"))


def made(results: pd.DataFrame, pilots: pd.DataFrame | None = None) -> tables.Tables:
    frames = {"pilot_results": results} | ({} if pilots is None else {"pilots": pilots})
    return tables.Tables(frames=frames)


def rows(arms: list[str], regions: list[str] | None = None, **columns: list[object]) -> pd.DataFrame:
    centres = [f"c{number}" for number in range(len(arms))]
    frame = pd.DataFrame({"pilot_id": "p1", "center_id": centres, "arm": arms, **columns})
    return frame.assign(region_code=regions if regions is not None else "01")


PLAIN = Protocol("p1", Design(cluster="center_id", arms=("control", "new")), [Outcome("applied", of="clients")])


def test_the_demo_pilots_truth_is_inside_the_intervals(demo: tables.Tables) -> None:
    found = pilot(demo, "01", protocol=FILE).readout
    applied, services, wait = found.effects
    assert applied.low < TRUE_EFFECT < applied.high
    assert services.low < TRUE_SERVICES < services.high
    assert (applied.verdict, wait.verdict, found.decision.action) == ("better", "not_worse", "adopt")
    assert found.deviations == ()
    assert [check.code for check in found.validity.checks][-1] == "simultaneous"


def test_the_demo_readout_is_the_randomisation_test_within_regions(demo: tables.Tables) -> None:
    results = demo.pilot_results.sort_values("center_id")
    numbers = results[["applied", "clients", "before_applied", "before_clients"]].astype(float).to_numpy().T
    allowed = Allowed((results["arm"] == "new_format").astype(int).to_numpy(), results["region_code"].to_numpy())
    by_hand = randomisation.difference(numbers[0], numbers[1], allowed, covariates=numbers[2] / numbers[3])
    effect = pilot(demo, "01", protocol=FILE).readout.primary[0]
    assert effect.estimate == pytest.approx(by_hand.estimate)
    assert effect.figure.se == pytest.approx(by_hand.se)


def test_a_region_alone_tells_little_and_the_summary_holds_the_truth(demo: tables.Tables) -> None:
    found = by_region(demo, "02", protocol=FILE)
    row = found.rows.set_index("region_code").loc["02"]
    assert (row["smallest_p"], row["verdict"]) == (pytest.approx(0.1), "cannot_tell")
    assert np.isinf(row["low"])
    assert found.rows["region_code"].tolist() == [f"{number:02d}" for number in range(1, 11)]
    left_out = found.rows[found.rows["reason"] != ""]
    assert (left_out["df"] <= 2).all()
    assert len(found.pooled.regions) == 10 - len(left_out)
    assert found.pooled.estimate.low < TRUE_EFFECT < found.pooled.estimate.high


def test_the_assignment_of_the_pilots_table_counts_not_the_column_of_the_results() -> None:
    arms = ["control", "new"] * 4
    results = rows(arms, applied=[1, 5, 2, 6, 3, 7, 2, 8], clients=[20] * 8)
    listed = pd.DataFrame(
        {"pilot_id": ["p1"], "units": [";".join(results["center_id"][::-1])], "assignment": [";".join(arms[::-1])]}
    ).assign(period_start=pd.NaT, period_end=pd.NaT)
    wrong = results.assign(arm="control")
    one = pilot(made(wrong, listed), "01", protocol=PLAIN).readout
    two = pilot(made(results), "01", protocol=PLAIN).readout
    assert one.primary[0].estimate == two.primary[0].estimate == pytest.approx((26 - 8) / 80)


def test_numbers_written_as_excel_writes_them_are_read() -> None:
    results = rows(["control", "new"] * 3, minutes=["1 200,5", "1 000,5"] * 3, clients=["10", "10"] * 3)
    wait = Protocol("p1", PLAIN.design, [Outcome("minutes", kind="mean", of="clients")])
    assert pilot(made(results), "01", protocol=wait).readout.primary[0].estimate == pytest.approx(-20)


def test_what_is_wrong_with_the_tables_is_said() -> None:
    results = rows(["control", "new"] * 3, applied=[1] * 6, clients=[9] * 6)
    with pytest.raises(NotComputableError, match=r"«p1» \(есть: other\)"):
        pilot(made(results.assign(pilot_id="other")), "01", protocol=PLAIN)
    listed = pd.DataFrame({"pilot_id": ["p1"], "units": ["c0;c1"], "assignment": ["control"]})
    with pytest.raises(ParameterError, match="единиц 2, а групп назначения 1"):
        pilot(made(results, listed), "01", protocol=PLAIN)
    with pytest.raises(NotComputableError, match="внутри регионов"):
        by_region(made(results), "01", protocol=PLAIN)


def test_the_region_of_a_centre_comes_from_the_table_of_centres() -> None:
    results = rows(["control", "new"] * 2, applied=[1] * 4, clients=[9] * 4).drop(columns="region_code")
    centres = pd.DataFrame({"center_id": results["center_id"], "region_code": ["01", "01", "02", "02"]})
    frames = {"pilot_results": results, "centers": centres}
    units, _ = pilot_data(tables.Tables(frames=frames), PLAIN)
    assert units["region_code"].tolist() == ["01", "01", "02", "02"]


def test_a_region_with_small_counts_is_left_out_of_the_summary_in_public() -> None:
    regions = [code for code in ("01", "02", "03", "04") for _ in range(8)]
    applied = [1, 2, 0, 0, 1, 1, 0, 0] + [30, 40, 20, 55, 33, 41, 28, 60] * 3
    results = rows(["control", "new"] * 16, regions, applied=applied, clients=[100] * 32)
    design = Design(cluster="center_id", arms=("control", "new"), method="stratified", strata="region_code")
    protocol = Protocol("p1", design, [Outcome("applied", of="clients")])
    public = by_region(made(results), "01", protocol=protocol, rule=Rule())
    first = public.rows.iloc[0]
    assert np.isnan(first["estimate"])
    assert first["reason"] == "малые числа скрыты"
    assert len(public.pooled.regions) == 3
    assert len(by_region(made(results), "01", protocol=protocol).pooled.regions) == 4


def test_regional_services_by_stage() -> None:
    services = pd.DataFrame(
        {
            "service_id": list("abcdef"),
            "service_name": list("abcdef"),
            "kind": ["regional_service"] * 5 + ["federal_service"],
            "pilot_state": ["developed", "tested", "promoted", "promoted", None, "promoted"],
        }
    )
    found = pipeline(tables.Tables(frames={"services": services}), "01")
    assert found.rows["reached"].tolist() == [4, 3, 2]
    assert found.rows["now"].tolist() == [1, 1, 2]
    assert found.rows["share"].tolist()[1:] == [75.0, pytest.approx(200 / 3)]
    assert (found.unknown, found.pilots) == (1, None)
    assert found.to_frame()["interval"].eq("сплошной учёт").all()
    with pytest.raises(NotComputableError, match="pilot_state"):
        pipeline(tables.Tables(frames={"services": services.iloc[5:]}), "01")


def test_the_protocols_of_the_demo_are_fixed() -> None:
    for file in sorted(Path(FILE).parent.glob("*.yaml")):
        protocol = Protocol.load(file)
        assert protocol.recorded == protocol.hash, file.name


LISTED = {"period_start": pd.NaT, "period_end": pd.NaT}


def test_a_centre_that_left_is_named_and_its_region_is_known() -> None:
    arms, regions = ["control", "new"] * 6, ["01"] * 6 + ["02"] * 6
    results = rows(arms, regions, applied=list(range(12)), clients=[20] * 12)
    centres = results[["center_id", "region_code"]]
    listed = pd.DataFrame(
        {"pilot_id": ["p1"], "units": [";".join(results["center_id"])], "assignment": [";".join(arms)]}
    ).assign(**LISTED)
    design = Design(cluster="center_id", arms=("control", "new"), method="stratified", strata="region_code", seed=None)
    protocol = Protocol("p1", design, [Outcome("applied", of="clients")])
    frames = {"pilot_results": results.iloc[1:], "pilots": listed, "centers": centres}
    found = pilot(tables.Tables(frames=frames), "01", protocol=protocol).readout
    assert [deviation.code for deviation in found.deviations if "c0" in deviation.text] == ["units_missing"]
    assert "center_attrition" in [check.code for check in found.validity.checks if check.verdict == "warning"]


def test_groups_that_differ_from_the_draw_are_named() -> None:
    arms = ["control", "new"] * 4
    results = rows(arms, applied=[1, 5, 2, 6, 3, 7, 2, 8], clients=[20] * 8)
    listed = pd.DataFrame(
        {"pilot_id": ["p1"], "units": [";".join(results["center_id"])], "assignment": [";".join(arms)]}
    ).assign(**LISTED)
    results.loc[0, "arm"] = "new"
    found = pilot(made(results, listed), "01", protocol=PLAIN).readout
    (said,) = [deviation.text for deviation in found.deviations if deviation.code == "arm_differs"]
    assert "(единиц: 1): c0." in said


def test_two_groups_of_one_centre_are_refused_and_no_group_is_told() -> None:
    results = rows(["control", "new"] * 4, applied=[1] * 8, clients=[20] * 8)
    twice = pd.concat([results, results.iloc[:1].assign(arm="new")], ignore_index=True)
    with pytest.raises(ParameterError, match="c0"):
        pilot(made(twice), "01", protocol=PLAIN)
    with pytest.raises(NotComputableError, match="Неизвестно, кто в какой группе"):
        pilot(made(results.assign(arm=pd.NA)), "01", protocol=PLAIN)


def test_two_regions_are_no_summary() -> None:
    results = rows(["control", "new"] * 8, ["01"] * 8 + ["02"] * 8, applied=list(range(30, 46)), clients=[100] * 16)
    design = Design(cluster="center_id", arms=("control", "new"), method="stratified", strata="region_code", seed=None)
    protocol = Protocol("p1", design, [Outcome("applied", of="clients")])
    with pytest.raises(NotComputableError, match="регионов с оценкой 2"):
        by_region(made(results), "01", protocol=protocol)
