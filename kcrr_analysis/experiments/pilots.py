"""A pilot in the data tables: its assignment and outcomes, read out by its protocol, whole and by region.

Table `pilots` says who was assigned to what, table `pilot_results` what came of it; the protocol's file says what the
columns mean and what decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.labels import listed
from kcrr_analysis.experiments.pool import Pooled, pool
from kcrr_analysis.experiments.protocol import Protocol
from kcrr_analysis.experiments.readout import Deviation
from kcrr_analysis.experiments.validity.checks import Validity
from kcrr_analysis.experiments.validity.interference import simultaneous
from kcrr_analysis.experiments.withheld import Withheld, withheld
from kcrr_analysis.tables import Tables

REGION = "region_code"

FEWEST = 3
"""Regions below which nothing is said of how they differ."""


@dataclass(frozen=True, eq=False)
class ByRegion:
    """One pilot read out region by region, and the regions together.

    Attributes:
        protocol: The protocol; the draw was made within regions.
        rows: One row a region: region_code, estimate, low, high, se, p, smallest_p, verdict, units, control_units,
            persons, control_persons, df, reason (why it is not in the summary, or empty).
        pooled: Random-effects summary of the primary outcome over the regions that have a figure.
        region_code: The region of the report.
    """

    protocol: Protocol
    rows: pd.DataFrame
    pooled: Pooled
    region_code: str

    def to_frame(self) -> pd.DataFrame:
        """One row a region."""
        return self.rows.copy()


def pilot(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    protocol: str | Protocol,
    look: int | None = None,
    rule: Rule | None = None,
) -> Withheld:
    """Reads out the pilot of a protocol over all the tables' regions.

    Args:
        tables: Data with `pilots` and `pilot_results`, of all regions that took part.
        region: The region of the report; the readout does not depend on it.
        month: The reporting month; the pilot's own period counts.
        protocol: The protocol or its file.
        look: Number of the look; None is the final analysis.
        rule: Disclosure control of small counts.

    Raises:
        MissingTableError: There is no such table.
        NotComputableError: The tables have no such pilot, or an arm has one unit only.
        ParameterError: As `Protocol.analyze`.
    """
    del region, month
    fixed = protocol if isinstance(protocol, Protocol) else Protocol.load(protocol)
    assigned, results = pilot_data(tables, fixed)
    found = fixed.analyze(assigned, results, look=look)
    found = replace(found, deviations=(*found.deviations, *_told_otherwise(fixed, assigned, results)))
    if _listed_units(tables, fixed) is not None:
        together = simultaneous(tables.pilots, fixed.pilot, rule=rule, seed=fixed.design.reference_seed)
        found = replace(found, validity=Validity((*found.validity.checks, together)))
    return withheld(found, rule)


def pilot_data(tables: Tables, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A pilot's assignment and outcomes as `Protocol.analyze` takes them.

    The assignment is that of table `pilots`; where it lists no units, the column `arm` of the results is.

    Args:
        tables: Data with `pilots` and `pilot_results`.
        protocol: The protocol.

    Returns:
        One row an assigned unit, with strata and covariates; the rows of `pilot_results`.

    Raises:
        NotComputableError: The tables have no such pilot or no outcomes of it.
        ParameterError: The lists of units and arms have different lengths, or a column of the design is missing.
    """
    results = tables.pilot_results
    results = results[results["pilot_id"] == protocol.pilot]
    if results.empty:
        listed = ", ".join(sorted(tables.pilot_results["pilot_id"].dropna().unique())) or "нет ни одной"
        raise NotComputableError(
            f"В таблице pilot_results нет результатов апробации «{protocol.pilot}» (есть: {listed}). Добавьте их или "
            "укажите другой протокол."
        )
    key, column = protocol.design.assigned, protocol.design.group_column
    planned = _listed_units(tables, protocol)
    if planned is None:
        if column not in results or results[column].isna().all():
            raise NotComputableError(
                "Неизвестно, кто в какой группе: в таблице pilots нет назначения, а в pilot_results не заполнен "
                f"столбец группы ({column}). Заполните его так, как дал жребий."
            )
        # One row for each different statement: two groups of one centre are refused when they are read.
        design = protocol.design
        named = [
            key,
            column,
            *design.strata,
            *design.balance,
            "center_id",
            REGION,
            *([design.pairs] if design.pairs else []),
        ]
        told = [name for name in dict.fromkeys(named) if name in results]
        return _with_places(tables, results.drop_duplicates(told)), results
    about_units = results.drop_duplicates(key).drop(columns=[column], errors="ignore")
    planned = planned.rename(columns={"unit": key, "arm": column}).merge(about_units, on=key, how="left")
    return _with_places(tables, planned), results


def _told_otherwise(protocol: Protocol, assigned: pd.DataFrame, results: pd.DataFrame) -> tuple[Deviation, ...]:
    """Units whose group in the results is not the one that was drawn."""
    key, column = protocol.design.assigned, protocol.design.group_column
    if column not in results or protocol.design.in_time:
        return ()
    drawn = results[key].map(assigned.drop_duplicates(key).set_index(key)[column])
    other = results[column].notna() & drawn.notna() & (results[column].str.strip() != drawn)
    if not other.any():
        return ()
    names = sorted(set(results.loc[other, key]))
    which = f": {listed(names)}" if protocol.design.cluster else ""
    return (
        Deviation(
            "arm_differs",
            f"Группа в таблице результатов не та, что в назначении (единиц: {len(names)}){which}. Учтено назначение; "
            "проверьте, по какому формату единица работала.",
        ),
    )


def by_region(
    tables: Tables,
    region: str,
    month: str | pd.Period | None = None,
    *,
    protocol: str | Protocol,
    rule: Rule | None = None,
) -> ByRegion:
    """The same pilot in each region by itself, and a random-effects summary.

    Args:
        tables: Data of all regions that took part.
        region: The region of the report.
        month: The reporting month; the pilot's own period counts.
        protocol: The protocol or its file; regions must be among its strata.
        rule: Disclosure control: in public mode a region whose figures rest on small counts is left out.

    Raises:
        NotComputableError: Fewer than three regions have a figure, or the draw was not made within regions.
        ParameterError: As `Protocol.analyze`.
    """
    del month
    fixed = protocol if isinstance(protocol, Protocol) else Protocol.load(protocol)
    if fixed.primary.kind == "ordinal":
        raise NotComputableError("Свод по регионам для порядкового показателя не строится: его эффект — вероятность.")
    if REGION not in fixed.design.strata or fixed.looks is not None or len(fixed.design.names) != 2:
        raise NotComputableError(
            "Свод по регионам возможен, если жребий шёл внутри регионов (region_code среди strata) и групп две, без "
            "промежуточных просмотров."
        )
    assigned, results = pilot_data(tables, fixed)
    rows = [_region_row(fixed, code, assigned, results, rule) for code in sorted(assigned[REGION].dropna().unique())]
    frame = pd.DataFrame(rows)
    frame["df"] = frame["units"] + frame["control_units"] - 2 - len(fixed.primary.covariates)
    few = frame["se"].notna() & ~(frame["se"].gt(0) & frame["df"].gt(2))
    frame.loc[few & frame["reason"].eq(""), "reason"] = "центров слишком мало: в свод не входит"
    known = frame[frame["reason"].eq("")]
    if len(known) < FEWEST:
        raise NotComputableError(
            f"Свод по регионам: регионов с оценкой {len(known)}, нужно хотя бы {FEWEST}. Смотрите итог по всем "
            "центрам вместе."
        )
    pooled = pool(
        known["estimate"].to_numpy(), known["se"].to_numpy(), labels=known[REGION].tolist(),
        df=known["df"].to_numpy(), level=1 - fixed.alpha,
        outcome=fixed.primary.title, kind=fixed.primary.kind,
    )  # fmt: skip
    return ByRegion(fixed, frame, pooled, region)


def _region_row(
    protocol: Protocol, code: str, assigned: pd.DataFrame, results: pd.DataFrame, rule: Rule | None
) -> dict[str, float | str]:
    own = assigned[assigned[REGION] == code]
    empty = dict.fromkeys(
        ("estimate", "low", "high", "se", "p", "smallest_p", "units", "control_units", "persons", "control_persons"),
        float("nan"),
    )
    try:
        found = protocol.analyze(own, results[results[protocol.design.assigned].isin(own[protocol.design.assigned])])
    except (NotComputableError, ParameterError) as error:
        return {REGION: code, **empty, "verdict": "", "reason": str(error)}
    effect = withheld(found, rule).readout.primary[0]
    if np.isnan(effect.estimate):
        return {REGION: code, **empty, "verdict": "", "reason": "малые числа скрыты"}
    return {
        REGION: code, "estimate": effect.estimate, "low": effect.low, "high": effect.high, "se": effect.figure.se,
        "p": effect.p, "smallest_p": effect.figure.smallest_p, "units": effect.units[0],
        "control_units": effect.units[1], "persons": effect.persons[0], "control_persons": effect.persons[1],
        "verdict": effect.verdict, "reason": "",
    }  # fmt: skip


def _listed_units(tables: Tables, protocol: Protocol) -> pd.DataFrame | None:
    """Units and arms that table `pilots` lists; None where it does not."""
    if "pilots" not in tables:
        return None
    found = tables.pilots[tables.pilots["pilot_id"] == protocol.pilot]
    if found.empty or found[["units", "assignment"]].isna().any(axis=None):
        return None
    row = found.iloc[0]
    units, arms = (str(row[name]).split(";") for name in ("units", "assignment"))
    if len(units) != len(arms):
        raise ParameterError(
            f"Таблица pilots, апробация «{protocol.pilot}»: единиц {len(units)}, а групп назначения {len(arms)}. "
            "Списки через точку с запятой должны совпадать по длине и порядку."
        )
    return pd.DataFrame({"unit": [name.strip() for name in units], "arm": [name.strip() for name in arms]})


def _with_places(tables: Tables, units: pd.DataFrame) -> pd.DataFrame:
    """Units with the region of their centre, where the results do not tell it."""
    if "center_id" not in units or "centers" not in tables:
        return units
    region = tables.centers.set_index("center_id")[REGION]
    own = units[REGION] if REGION in units else pd.Series(pd.NA, index=units.index, dtype="string")
    return units.assign(**{REGION: own.fillna(units["center_id"].map(region))})
