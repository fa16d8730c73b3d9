"""The recommendations as data: stages, tools, client groups, departments, indicators, measures, the index, regions.

The functions give the packaged dictionaries; `load(folder)` gives them with a region's own entries.
"""

from __future__ import annotations

from collections.abc import Mapping

from kcrr_analysis.methodology import region_names as _names
from kcrr_analysis.methodology.dictionaries import (
    Band,
    Chain,
    ClientGroup,
    Department,
    IndexScheme,
    Indicator,
    Measure,
    Methodology,
    PlacedEngagement,
    Region,
    Stage,
    Tool,
    WeightClass,
)
from kcrr_analysis.methodology.overrides import load

__all__ = [
    "Band",
    "Chain",
    "ClientGroup",
    "Department",
    "IndexScheme",
    "Indicator",
    "Measure",
    "Methodology",
    "PlacedEngagement",
    "Region",
    "Stage",
    "Tool",
    "WeightClass",
    "departments",
    "find_region",
    "groups",
    "index_scheme",
    "indicators",
    "load",
    "measures",
    "region_code",
    "region_name",
    "regions",
    "stages",
    "tools",
]


def stages() -> Mapping[str, Stage]:
    """Stages of the work with a client: code "0" to "4" -> stage."""
    return load().stages


def tools() -> Mapping[str, Tool]:
    """The tool library: tool id -> card."""
    return load().tools


def groups() -> Mapping[str, ClientGroup]:
    """Client groups and sub-groups: code -> group, `all` first."""
    return load().groups


def departments() -> Mapping[str, Department]:
    """The responsibility matrix: department id -> department with its functions."""
    return load().departments


def indicators() -> Mapping[str, Indicator]:
    """The ten official indicators: id -> indicator, by number."""
    return load().indicators


def measures() -> Mapping[str, Measure]:
    """The other measures of the recommendations: id -> measure."""
    return load().measures


def index_scheme() -> IndexScheme:
    """The scheme of the client attraction index (ИПК)."""
    return load().index


def regions() -> Mapping[str, Region]:
    """The 89 regions: two-digit code -> region."""
    return load().regions


def find_region(name: str, within: Mapping[str, Region] | None = None) -> Region | None:
    """The region that `name` means, in any known spelling or as a code; None where there is none.

    Args:
        name: A name, a two-digit code or the 13 digits that trudvsem writes.
        within: Regions to look among; the packaged ones by default.
    """
    return _names.find(load().regions if within is None else within, name)


def region_code(name: str, within: Mapping[str, Region] | None = None) -> str:
    """The two-digit code of the region that `name` means; see `find_region`.

    Raises:
        ParameterError: No such region; the message names the nearest one.

    >>> region_code("г. Москва")
    '77'
    """
    return _names.code_of(load().regions if within is None else within, name)


def region_name(code: str, within: Mapping[str, Region] | None = None) -> str:
    """The name of the region with the two-digit `code`, among the packaged regions or those `within`.

    Raises:
        ParameterError: No such code.

    >>> region_name("86")
    'Ханты-Мансийский автономный округ — Югра'
    """
    return _names.name_of(load().regions if within is None else within, code)
