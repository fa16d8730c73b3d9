"""What p-value a design can attain at best."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.experiments import Design, Outcome, Protocol
from kcrr_analysis.experiments.attainable import smallest_p


def centres(number: int, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"center_id": [f"{place:03d}" for place in range(number)], **columns})


@pytest.mark.parametrize(
    ("number", "settings", "least"),
    [
        (6, {}, 2 / 20),  # 3 v 3: 20 assignments, and the exchange of the arms is as extreme
        (8, {}, 2 / 70),
        (7, {"arms": {"control": 4 / 7, "new": 3 / 7}}, 1 / 35),  # arms of unequal size: no exchange
        (12, {"method": "matched_pairs", "balance": "size"}, 2 / 64),
        (60, {}, 1 / 10_000),
        (9, {"arms": ("control", "a", "b")}, 2 / 20),  # each arm against the control: 3 v 3
        (8, {"method": "stepped_wedge", "waves": 2}, 1 / 70),
        (40, {"method": "stepped_wedge", "waves": 5}, 1 / 2_000),
    ],
)
def test_the_smallest_p_counts_the_assignments(number: int, settings: dict[str, object], least: float) -> None:
    design = Design(cluster="center_id", **{"arms": ("control", "new"), "seed": 1, **settings})  # type: ignore[arg-type]
    assert smallest_p(design.assign(centres(number, size=np.arange(number)))) == pytest.approx(least)


def test_many_persons_bound_nothing_and_a_criterion_leaves_fewer_assignments() -> None:
    persons = pd.DataFrame({"person_id": [str(place) for place in range(500)]})
    assert smallest_p(Design().assign(persons)) == 0
    design = Design(cluster="center_id", method="rerandomised", balance="size", accept=0.2, seed=2)
    made = design.assign(centres(10, size=np.arange(10.0) ** 2))
    assert made.allowed.count is not None
    assert made.allowed.count < 252
    assert smallest_p(made) == pytest.approx(2 / made.allowed.count)


def test_the_readout_never_gives_a_smaller_p_than_that() -> None:
    design = Design(cluster="center_id", arms=("control", "new"), seed=3)
    frame = centres(6, n=100)
    made = design.assign(frame)
    frame["y"] = np.where(made.to_frame()["arm"] == "new", 90, 10) + np.arange(6)
    read = Protocol("p", design, [Outcome("y", of="n")]).analyze(made, frame)
    assert read.primary[0].p == pytest.approx(smallest_p(made))
    assert read.primary[0].figure.smallest_p == pytest.approx(smallest_p(made))
