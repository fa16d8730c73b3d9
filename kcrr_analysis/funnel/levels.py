"""Persons and the levels they are counted by: crowds, breakdowns, unions of groups, and where a row stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from kcrr_analysis.funnel.cells import ALL
from kcrr_analysis.funnel.person_log import UNSTATED, Bools, Objects


@dataclass(frozen=True, eq=False)
class Breakdown:
    """A level for each person; the levels are disjoint.

    Attributes:
        kind: Code of the kind of levels (`client_group`).
        title: Its Russian name.
        of: Level of each person, shape (persons,); `UNSTATED` where none is known.
        titles: Level -> Russian name; an unknown code stays as it is. Its order is the order of rows.
    """

    kind: str
    title: str
    of: Objects
    titles: Mapping[str, str]

    def name(self, level: str) -> str:
        """Russian name of a level."""
        return self.titles.get(level, level) if level else "не указано"

    @cached_property
    def coded(self) -> tuple[npt.NDArray[np.int64], Objects]:
        """Number of each person's level, and the levels by number."""
        codes, levels = pd.factorize(self.of)
        return codes, np.asarray(levels, dtype=object)

    def present(self, members: Bools) -> list[str]:
        """Levels of these persons, in the order of `titles`, unknown codes after them, `UNSTATED` last."""
        rank = {code: number for number, code in enumerate(self.titles)}
        codes, known = self.coded
        levels = {str(level) for level in known[np.unique(codes[members])]}
        return sorted(levels, key=lambda code: (code == UNSTATED, rank.get(code, len(rank)), code))


@dataclass(frozen=True, eq=False)
class Crowd:
    """A named set of persons.

    Attributes:
        name: Unique in the tally; the same persons in several measures are one crowd, so that their count is one cell.
        members: One flag a person, shape (persons,).
    """

    name: str
    members: Bools

    def __and__(self, other: Crowd) -> Crowd:
        """Members of both, under this crowd's name."""
        return Crowd(self.name, self.members & other.members)


@dataclass(frozen=True, slots=True)
class Shown:
    """Under which level a row stands.

    Attributes:
        kind: Code of the kind.
        kind_title: Russian name of the kind.
        level: Code of the level.
        title: Russian name of the level.
    """

    kind: str = ALL
    kind_title: str = "Всего"
    level: str = ""
    title: str = "Всего"


TOTAL = Shown()


@dataclass(frozen=True, slots=True)
class Union:
    """Several client groups taken together (each person has one group here, so they add up).

    Attributes:
        code: Code of the level.
        title: Russian name.
        groups: The groups.
    """

    code: str
    title: str
    groups: tuple[str, ...]
