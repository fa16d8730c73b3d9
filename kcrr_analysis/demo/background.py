"""The labour market round the centres: monthly background series of a region and its base of vacancies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kcrr_analysis.demo.regions import Calendar, Floats, Region

SOURCE = "синтетический ряд"

_SERIES: tuple[tuple[str, str, float, float, float, tuple[float, ...]], ...] = (
    # id, name, level per inhabitant, yearly growth (log), noise, seasonal profile
    ("unemployed_ilo", "Безработные по методологии МОТ, чел.", 0.0145, -0.10, 0.03,
     (1.07, 1.06, 1.04, 1.01, 0.97, 0.95, 0.94, 0.95, 0.97, 0.99, 1.02, 1.03)),
    ("unemployed_registered", "Зарегистрированные безработные, чел.", 0.0032, -0.12, 0.02,
     (1.04, 1.08, 1.09, 1.06, 1.01, 0.97, 0.95, 0.94, 0.94, 0.95, 0.98, 0.99)),
    ("vacancies", "Потребность в работниках, заявленная в службу занятости, ед.", 0.0115, 0.06, 0.035,
     (0.92, 0.95, 1.00, 1.05, 1.07, 1.06, 1.04, 1.04, 1.02, 1.00, 0.95, 0.90)),
    ("hires", "Принято работников организациями, чел.", 0.0068, 0.01, 0.04,
     (0.86, 0.93, 1.02, 1.07, 1.04, 1.06, 1.04, 1.07, 1.14, 1.05, 0.92, 0.80)),
    ("separations", "Выбыло работников из организаций, чел.", 0.0066, 0.01, 0.04,
     (0.90, 0.92, 1.00, 1.02, 1.02, 1.03, 1.05, 1.10, 1.08, 1.00, 0.94, 0.94)),
)  # fmt: skip


def _path(chance: np.random.Generator, n: int, noise: float) -> Floats:
    """Log deviations: a slow random walk and the month's own noise."""
    walk = np.cumsum(chance.normal(0, noise / 3, n))
    return np.asarray(walk - walk.mean() + chance.normal(0, noise / 2, n))


def external_series(area: Region, dates: Calendar) -> pd.DataFrame:
    """Table `external_series` of one region: five monthly series, persons or units, all synthetic."""
    chance = area.stream("external")
    months = dates.months
    years = np.asarray(months.year) - 2022 + (np.asarray(months.month) - 1) / 12
    frames = []
    for series_id, name, level, growth, noise, season in _SERIES:
        own = level * np.exp(chance.normal(0, 0.15))
        mean = area.population * own * np.exp(growth * years) * np.array(season)[np.asarray(months.month) - 1]
        frames.append(
            pd.DataFrame(
                {
                    "region_code": area.code,
                    "month": months,
                    "series_id": series_id,
                    "series_name": name.rsplit(",", 1)[0],
                    "value": np.round(mean * np.exp(_path(chance, len(months), noise))),
                    "unit": name.rsplit(", ", 1)[1],
                    "source": SOURCE,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def vacancies(area: Region, dates: Calendar, series: pd.DataFrame) -> pd.DataFrame:
    """Table `vacancies` of one region: the base of vacancies and the share that is fully and rightly described.

    Args:
        area: The region.
        dates: Months of the data set.
        series: Table `external_series` of the region.
    """
    chance = area.stream("vacancies")
    n = len(dates.months)
    asked = series.loc[series["series_id"] == "vacancies", "value"].to_numpy()
    start = chance.uniform(0.55, 0.68)
    quality = np.clip(start + np.linspace(0, chance.uniform(0.05, 0.14), n) + chance.normal(0, 0.012, n), 0, 1)
    return pd.DataFrame(
        {
            "month": dates.months,
            "region_code": area.code,
            "vacancies": np.round(asked * chance.uniform(0.82, 0.95)).astype(int),
            "quality": np.round(quality, 3),
        }
    )
