"""The scheme of the index: what a weight class and an engagement coefficient are worth in the formula.

The recommendations give the classes 1, 2, 3 their own numbers and take the coefficient as it is recorded. A calibration
replaces both by estimated values; the formula stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kcrr_analysis import paths, yaml_files
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.methodology import IndexScheme

Engagement = Literal["recorded", "bands"]
Floats = npt.NDArray[np.float64]

CLASSES = (1.0, 2.0, 3.0)
"""Weight classes low, medium, high as the tables write them."""

BAND_MIDDLES = (0.6, 1.0, 1.4)
"""Middles of the bands low 0.5-0.7, medium 0.8-1.2, high 1.3-1.5."""

RECOMMENDED = "методические рекомендации"


@dataclass(frozen=True, slots=True)
class Scheme:
    """Values of the index' formula; the default is the recommendations' own.

    Attributes:
        title: Russian name, printed with every figure made by it.
        weights: Weight of an event of class 1 (low), 2 (medium), 3 (high); each in [1, 3], never falling.
        engagement: `recorded` takes the coefficient as it is; `bands` puts it on a line through `bands`.
        bands: Values of the bands low, medium, high, each in [0.5, 1.5], never falling; None with `recorded`.
        split_days: Events of one centre, tool and theme at most this many days apart are a probable split; 0 means
            only those of one day.

    Raises:
        ParameterError: A value cannot be used.
    """

    title: str = RECOMMENDED
    weights: tuple[float, float, float] = CLASSES
    engagement: Engagement = "recorded"
    bands: tuple[float, float, float] | None = None
    split_days: int = 3

    def __post_init__(self) -> None:
        _ordered("weights", self.weights, 1, 3)
        if self.engagement not in ("recorded", "bands"):
            raise ParameterError(
                f"Схема ИПК: engagement: значение «{self.engagement}» не допускается. Укажите recorded или bands."
            )
        if self.engagement == "bands" and self.bands is None:
            raise ParameterError(
                "Схема ИПК: при engagement: bands нужны значения полос. Добавьте bands: {low: …, medium: …, high: …}."
            )
        if self.engagement == "recorded" and self.bands is not None:
            raise ParameterError(
                "Схема ИПК: значения полос (bands) записаны, а engagement: recorded их не использует. "
                "Укажите engagement: bands или оставьте bands пустым."
            )
        if self.bands is not None:
            _ordered("bands", self.bands, 0.5, 1.5)
        if isinstance(self.split_days, bool) or not isinstance(self.split_days, int) or self.split_days < 0:
            raise ParameterError(
                f"Схема ИПК: split_days: «{self.split_days}». Ожидается целое число дней, 0 или больше."
            )

    @classmethod
    def recommended(cls, index: IndexScheme) -> Scheme:
        """The scheme that the dictionary `index` describes, a region's own changes included.

        Args:
            index: The packaged scheme or a region's.
        """
        low, medium, high = (float(index.weights[code].value) for code in (1, 2, 3))
        return cls(
            title=RECOMMENDED if (low, medium, high) == CLASSES else "справочник региона", weights=(low, medium, high)
        )

    @property
    def is_recommended(self) -> bool:
        """Whether weights and engagement are the recommendations' own."""
        return self.weights == CLASSES and self.engagement == "recorded"

    def weight(self, recorded: npt.ArrayLike) -> Floats:
        """Weights of events in the formula.

        Args:
            recorded: Weights as the tables write them, in [1, 3], NaN where there is none; between two classes the
                value lies on the line between theirs.
        """
        return np.asarray(np.interp(np.asarray(recorded, dtype=float), CLASSES, self.weights))

    def coefficient(self, recorded: npt.ArrayLike) -> Floats:
        """Engagement coefficients in the formula; outside the middles of the outer bands the line is flat.

        Args:
            recorded: Coefficients as the tables write them, in [0.5, 1.5], NaN where there is none.
        """
        values = np.asarray(recorded, dtype=float)
        return values if self.bands is None else np.asarray(np.interp(values, BAND_MIDDLES, self.bands))


def _ordered(name: str, values: tuple[float, ...], low: float, high: float) -> None:
    wrong = [value for value in values if not low <= value <= high]
    if len(values) != 3 or wrong:
        raise ParameterError(
            f"Схема ИПК: {name}: нужны три числа от {low:g} до {high:g}, записано "
            f"{', '.join(f'{v:g}' for v in values)}."
        )
    if any(upper < lower for lower, upper in pairwise(values)):
        raise ParameterError(
            f"Схема ИПК: {name}: значения не могут убывать от низкого класса к высокому, записано "
            f"{', '.join(f'{v:g}' for v in values)}. Проверьте порядок low, medium, high."
        )


class _Weights(yaml_files.FileModel):
    low: float = Field(ge=1, le=3)
    medium: float = Field(ge=1, le=3)
    high: float = Field(ge=1, le=3)


class _Bands(yaml_files.FileModel):
    low: float = Field(ge=0.5, le=1.5)
    medium: float = Field(ge=0.5, le=1.5)
    high: float = Field(ge=0.5, le=1.5)


class _SchemeFile(yaml_files.FileModel):
    title: str = Field(min_length=1)
    weights: _Weights = _Weights(low=1, medium=2, high=3)
    engagement: Engagement = "recorded"
    bands: Annotated[_Bands | None, yaml_files.Absent] = None
    split_days: int = Field(default=3, ge=0)


def read_scheme(path: Path | str = "params/ipk.yaml") -> Scheme:
    """The scheme written in a YAML file.

    Args:
        path: The file, seen from the kit's folder.

    Raises:
        ParameterError: The file is absent, is not YAML, or a value cannot be used; all faults are named.
    """
    file = paths.resolve(path)
    written = yaml_files.read_model(file, _SchemeFile)
    bands = written.bands
    try:
        return Scheme(
            title=written.title,
            weights=(written.weights.low, written.weights.medium, written.weights.high),
            engagement=written.engagement,
            bands=None if bands is None else (bands.low, bands.medium, bands.high),
            split_days=written.split_days,
        )
    except ParameterError as error:
        raise ParameterError(f"{file.name}: {error}") from error
