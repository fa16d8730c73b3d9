"""The path of regional services: developed, tested, promoted."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pandas as pd

from kcrr_analysis.errors import NotComputableError
from kcrr_analysis.tables import Tables

STAGES = ("developed", "tested", "promoted")


@dataclass(frozen=True)
class Pipeline:
    """Regional services by stage.

    Attributes:
        region_code: The region.
        month: The reporting month; the dictionary of services is that of today.
        rows: One row a stage: stage, reached (services that are at it or beyond), now (services that are at it), share
            (percent of the services of the stage before that reached it; NaN for the first).
        services: The services: service_id, service_name, stage (empty where it is not recorded).
        pilots: Pilots recorded in table `pilots`, None without the table.
        unknown: Services without a recorded stage.
        definition: What is counted, in Russian.
        interval: Always «сплошной учёт».
    """

    region_code: str
    month: pd.Period | None
    rows: pd.DataFrame
    services: pd.DataFrame
    pilots: int | None
    unknown: int
    definition: str = (
        "Региональные сервисы по стадиям: разработан, апробирован, внедрён; доля — от дошедших до предыдущей."
    )
    interval: str = "сплошной учёт"

    def to_frame(self) -> pd.DataFrame:
        """One row a stage."""
        return self.rows.assign(region_code=self.region_code, interval=self.interval)


def pipeline(tables: Tables, region: str, month: pd.Period | None = None) -> Pipeline:
    """Counts regional services by the stage of their pilot.

    Args:
        tables: Data with `services`.
        region: Region code.
        month: Reporting month, printed.

    Raises:
        MissingTableError: There is no table `services`.
        NotComputableError: It has no regional service, or none with a stage.
    """
    table = tables.services
    own = table[table["kind"] == "regional_service"]
    stage = own["pilot_state"].astype("string").fillna("")
    if not stage.isin(STAGES).any():
        raise NotComputableError(
            "В таблице services нет региональных сервисов со стадией (столбец pilot_state). Заполните вид сервиса и "
            "стадию."
        )
    place = stage[stage.isin(STAGES)].map({name: number for number, name in enumerate(STAGES)})
    reached = [int((place >= number).sum()) for number in range(len(STAGES))]
    now = [int((place == number).sum()) for number in range(len(STAGES))]
    shares = [float("nan"), *(100 * b / a if a else float("nan") for a, b in itertools.pairwise(reached))]
    rows = pd.DataFrame({"stage": STAGES, "reached": reached, "now": now, "share": shares})
    listed = own.assign(stage=stage)[["service_id", "service_name", "stage"]].reset_index(drop=True)
    pilots = int(tables.pilots["pilot_id"].nunique()) if "pilots" in tables else None
    return Pipeline(region, month, rows, listed, pilots, int((~stage.isin(STAGES)).sum()))
