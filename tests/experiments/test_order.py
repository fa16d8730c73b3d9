"""An assignment as it is announced."""

from __future__ import annotations

import pandas as pd
import pytest

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import Design, Outcome, Protocol
from kcrr_analysis.experiments.order import order

PROTOCOL = Protocol("p", Design(cluster="center_id", arms=("control", "new"), seed=1), [Outcome("y")])
CENTRES = pd.DataFrame({"center_id": [f"{place:02d}" for place in range(8)]})


def test_an_order_takes_the_assignment_or_its_kept_frame_and_names_the_centres() -> None:
    made = PROTOCOL.design.assign(CENTRES)
    names = pd.Series("Центр", index=CENTRES["center_id"])
    kept = order(PROTOCOL, made.to_frame(), names)
    assert list(kept.assignment.units["arm"]) == list(made.units["arm"])
    assert set(kept.to_frame()["name"]) == {"Центр"}
    assert "name" not in order(PROTOCOL, made).to_frame()


def test_an_assignment_that_the_design_cannot_give_is_refused() -> None:
    kept = PROTOCOL.design.assign(CENTRES).to_frame().assign(arm=["new"] * 7 + ["control"])
    with pytest.raises(ParameterError, match="дизайн дать не мог"):
        order(PROTOCOL, kept)
