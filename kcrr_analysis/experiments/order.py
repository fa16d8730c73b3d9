"""An assignment as it is announced to the centres: with the names of the groups and of the centres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from kcrr_analysis.experiments.assignment import Assignment, read_assignment
from kcrr_analysis.experiments.protocol import Protocol


@dataclass(frozen=True, eq=False)
class Order:
    """Who goes to which group.

    Attributes:
        protocol: The protocol: it names the groups.
        assignment: The assignment.
        names: Name of each centre by its identifier; empty where names are not known.
        listed: Centres that the report lists (a region's own); None lists all.
    """

    protocol: Protocol
    assignment: Assignment
    names: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[str] | None = None

    def to_frame(self) -> pd.DataFrame:
        """The assignment as it is kept, and `name` where names are known."""
        frame = self.assignment.to_frame()
        return frame.assign(name=frame[self.protocol.design.assigned].map(self.names)) if self.names else frame


def order(
    protocol: Protocol, assignment: Assignment | pd.DataFrame, names: Mapping[str, str] | pd.Series | None = None
) -> Order:
    """The assignment for the order to the centres.

    Args:
        protocol: The protocol.
        assignment: What `Design.assign` gave, or its frame as it was kept.
        names: Names of the centres by their identifiers.

    Raises:
        ParameterError: An assignment that the design could not have produced.
    """
    made = assignment if isinstance(assignment, Assignment) else read_assignment(protocol.design, assignment)
    known = {} if names is None else {str(key): str(name) for key, name in dict(names).items()}
    return Order(protocol, made, MappingProxyType(known))
