from __future__ import annotations

from kcrr_analysis.batch import params
from kcrr_analysis.batch.inputs import Inputs
from tests.batch.conftest import PARAMETERS, PLAIN, Kit


def hashes(kit: Kit, region: str, notebook: str = "series", threshold: int = 5) -> dict[str, str]:
    run = params.read(kit.params)
    return Inputs(run, ("01", "77")).of(region, notebook, run.values(notebook, region) | {"threshold": threshold})


def test_a_regions_own_folder_concerns_that_region_alone(kit: Kit) -> None:
    before = {code: hashes(kit, code) for code in ("01", "77")}
    (kit.base / "data" / "77").mkdir()
    (kit.base / "data" / "77" / "flow.csv").write_text("x", encoding="utf-8")
    assert hashes(kit, "01") == before["01"]
    assert hashes(kit, "77")["data"] != before["77"]["data"]


def test_common_data_notebook_and_parameters_count(kit: Kit) -> None:
    before = hashes(kit, "01")
    assert hashes(kit, "01") == before
    assert hashes(kit, "01", threshold=6)["parameters"] != before["parameters"]
    kit.write_notebook("series", PLAIN)
    assert hashes(kit, "01")["notebook"] != before["notebook"]
    kit.write_series({"01": "11"})
    assert hashes(kit, "01")["data"] != before["data"]


def test_a_settings_file_that_a_parameter_names_counts_given_or_default(kit: Kit) -> None:
    kit.write_notebook("series", PLAIN, PARAMETERS + '\nscheme: str = "params/ipk.yaml"  # веса')
    before = hashes(kit, "01")
    (kit.base / "params" / "ipk.yaml").write_text("a: 1", encoding="utf-8")
    first = hashes(kit, "01")
    assert first["settings"] != before["settings"]
    (kit.base / "params" / "ipk.yaml").write_text("a: 2", encoding="utf-8")
    assert hashes(kit, "01")["settings"] != first["settings"]


def test_the_data_of_all_regions_decide_a_comparison(kit: Kit) -> None:
    kit.write_notebook("series", PLAIN, PARAMETERS + '\nregions: str = "all"  # с кем сравнивать')
    before = hashes(kit, "01")
    (kit.base / "data" / "77").mkdir()
    (kit.base / "data" / "77" / "flow.csv").write_text("x", encoding="utf-8")
    assert hashes(kit, "01")["data"] != before["data"]
