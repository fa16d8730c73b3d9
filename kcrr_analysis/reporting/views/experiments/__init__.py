"""Views of pilots: the protocol, the assignment, the results and their checks, several regions, what was not drawn."""

from kcrr_analysis.reporting.views.experiments import (
    assignment,
    attrition,
    by_region,
    not_randomised,
    pipeline,
    planning,
    pool,
    power,
    protocol,
    readout,
    segments,
    validity,
)

__all__ = [
    "assignment",
    "attrition",
    "by_region",
    "not_randomised",
    "pipeline",
    "planning",
    "pool",
    "power",
    "protocol",
    "readout",
    "segments",
    "validity",
]
