"""Fictitious regions, their centres, buildings and population, and the streams of chance that belong to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOPICS = (
    "region", "centres", "buildings", "flow", "external", "plan", "events", "partners", "promotion", "actions",
    "contacts", "outcomes", "vacancies", "survey", "focus", "changes", "pilot", "catchment",
    "pilot_more",
)  # fmt: skip
"""Streams of chance of one region; a new one is added at the end, so that the others keep their values."""

_CENTRES = (7, 6, 4, 6, 7, 5, 6, 7, 6, 6)
_SMALL_REGION = 3

_NAMES = (
    "Северная", "Озёрная", "Малая", "Лесная", "Заречная", "Степная", "Приморская", "Горная", "Луговая", "Южная",
    "Полевая", "Восточная", "Каменная", "Сосновая", "Ясная", "Западная", "Равнинная", "Тихая", "Речная", "Верхняя",
)  # fmt: skip
_TOWNS = ("Главный", "Заводской", "Речной", "Сосновый", "Полевой", "Новый", "Дальний", "Старый")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months of the data set.

    Attributes:
        months: Reported months, ascending.
        history: Months simulated: from January of the first reported year, so that year-to-date figures are whole.
    """

    months: pd.PeriodIndex
    history: pd.PeriodIndex

    @property
    def first_reported(self) -> int:
        """Position of the first reported month in `history`."""
        return len(self.history) - len(self.months)

    @property
    def years(self) -> tuple[int, ...]:
        """Years of the reported months."""
        return tuple(sorted({int(year) for year in self.months.year}))


def calendar(months: int, last: str = "2025-10") -> Calendar:
    """The calendar of `months` months that end with `last` (YYYY-MM).

    >>> calendar(36).months[0], calendar(36).history[0]
    (Period('2022-11', 'M'), Period('2022-01', 'M'))
    """
    end = pd.Period(last, freq="M")
    reported = pd.period_range(end=end, periods=months, freq="M")
    start = pd.Period(year=reported[0].year, month=1, freq="M")
    return Calendar(reported, pd.period_range(start, end, freq="M"))


@dataclass(frozen=True, slots=True)
class Region:
    """One fictitious region.

    Attributes:
        number: 1-based number; the region's draws depend on it and the seed alone.
        code: Region code with its leading zero.
        name: Clearly fictitious name.
        population: Inhabitants in the first year.
        center_ids: Codes of the centres, the head centre first.
        shares: Share of each centre's catchment in the population; sums to 1.
        modernised: First month after modernisation for each centre, or NaT.
        seed: Seed of the data set.
    """

    number: int
    code: str
    name: str
    population: int
    center_ids: tuple[str, ...]
    shares: Floats
    modernised: tuple[pd.Period | None, ...]
    seed: int

    def stream(self, topic: str) -> np.random.Generator:
        """The region's own generator for a topic, the same for any number of regions."""
        return stream(self.seed, self.number, topic)


def stream(seed: int, number: int, topic: str) -> np.random.Generator:
    """The generator of region `number` and `topic` under `seed`."""
    key = (number, TOPICS.index(topic))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def region(number: int, code: str, seed: int, dates: Calendar) -> Region:
    """Region `number` (from 1) with its code of the data set with `seed`."""
    chance = stream(seed, number, "region")
    people = float(np.clip(np.exp(chance.normal(np.log(1_050_000), 0.55)), 420_000, 3_000_000))
    if number % 10 == _SMALL_REGION:
        people = 300_000.0
    n = _CENTRES[(number - 1) % len(_CENTRES)]
    chance = stream(seed, number, "centres")
    rest = chance.dirichlet(np.full(n - 1, 2.5))
    head = chance.uniform(0.32, 0.45)
    shares = np.concatenate([[head], (1 - head) * np.sort(rest)[::-1]])
    share_floor = 0.022
    shares = np.maximum(shares, share_floor)
    shares = np.sort(shares / shares.sum())[::-1].copy()
    modern: list[pd.Period | None] = []
    for position in range(n):
        draw, month = chance.random(), int(chance.integers(0, 48))
        # The head centre and about half of the others are rebuilt, some of them before the data begin.
        done = position == 0 or draw < 0.5
        moved = pd.Period("2021-07", freq="M") + month
        modern.append(moved if done and moved <= dates.months[-1] else None)
    name = f"Демо-область {code} ({_NAMES[(number - 1) % len(_NAMES)]})"
    ids = tuple(f"{code}{position + 1:03d}" for position in range(n))
    return Region(number, code, name, int(round(people, -3)), ids, shares, tuple(modern), seed)


def centers(area: Region) -> pd.DataFrame:
    """Table `centers` of one region."""
    names = [
        f"Кадровый центр «{_TOWNS[position % len(_TOWNS)]}» (демо {area.code})"
        for position in range(len(area.center_ids))
    ]
    return pd.DataFrame(
        {
            "center_id": list(area.center_ids),
            "center_name": names,
            "region_code": area.code,
            "region_name": area.name,
            "modernised_from": pd.Series([month.start_time if month else pd.NaT for month in area.modernised]),
        }
    )


def rebuilt(area: Region, months: pd.PeriodIndex) -> npt.NDArray[np.bool_]:
    """Whether each centre is modernised in each month: shape (months, centres)."""
    columns = [
        np.zeros(len(months), bool) if start is None else np.asarray(months >= start) for start in area.modernised
    ]
    return np.stack(columns, axis=1)


_OPEN_DAYS = (17, 20, 21, 22, 18, 19, 23, 21, 22, 23, 20, 22)


def center_months(area: Region, dates: Calendar) -> pd.DataFrame:
    """Table `center_months` of one region: floor area, staff, capacity; areas and capacity grow when modernised."""
    chance = area.stream("buildings")
    n, months = len(area.center_ids), dates.months
    catchment = area.population * area.shares
    visits_day = catchment * 0.0042 / 20.7
    capacity = np.maximum(np.round(visits_day / chance.uniform(0.42, 0.62, n)), 8)
    floor = np.round(np.maximum(capacity * chance.uniform(3.8, 5.6, n), 90))
    client = chance.uniform(0.38, 0.48, n)
    staff = np.maximum(catchment / chance.uniform(9_000, 12_500, n), 3)
    growth = chance.uniform(1.35, 1.9, n)
    done = rebuilt(area, months)
    factor = np.where(done, growth, 1.0)
    zone = np.where(done, client * 1.25, client)
    area_m2 = np.round(floor * factor)
    vacancy = chance.choice([0.0, 0.5, 1.0], size=(len(months), n), p=[0.75, 0.15, 0.1])
    days = np.array([_OPEN_DAYS[month - 1] for month in months.month])
    table = {
        "month": np.repeat(months, n),
        "center_id": np.tile(np.array(area.center_ids), len(months)),
        "floor_area_m2": area_m2.ravel(),
        "client_area_m2": np.round(area_m2 * zone, 1).ravel(),
        "staff_fte": (np.round(staff * 2) / 2 + np.round(2 * (factor - 1)) - vacancy).clip(2).ravel(),
        "capacity_visits_day": np.round(capacity * np.where(done, growth * 1.1, 1.0)).astype(int).ravel(),
        "open_days": np.repeat(days, n),
    }
    return pd.DataFrame(table)
