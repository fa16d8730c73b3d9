from __future__ import annotations

import numpy as np
import pytest

from kcrr_analysis.demo import DemoData, Truth
from kcrr_analysis.demo.voices import CODES


def test_answers_are_within_their_scales(full: DemoData) -> None:
    table = full.tables["survey_responses"]
    graded = table.loc[table["scale"] == "1-5", "answer"].astype(int)
    assert graded.between(1, 5).all()
    assert set(graded) == {1, 2, 3, 4, 5}
    assert table.loc[table["item"] == "recommend", "answer"].astype(int).between(0, 10).all()
    assert not table.duplicated(["respondent_id", "item"]).any()


def test_steeper_items_hang_together_more(full: DemoData) -> None:
    table = full.tables["survey_responses"]
    wide = table[table["scale"] == "1-5"].pivot(index="respondent_id", columns="item", values="answer").astype(float)
    model = Truth().survey
    slope = dict(zip(model.items, model.slopes, strict=True))
    with_rest = {item: wide[item].corr(wide.drop(columns=item).mean(axis=1)) for item in model.items}
    assert with_rest[max(slope, key=slope.__getitem__)] > with_rest[min(slope, key=slope.__getitem__)] + 0.1
    assert all(value > 0.3 for value in with_rest.values())


def test_weights_correct_the_eager_young(full: DemoData) -> None:
    people = full.tables["survey_responses"].drop_duplicates("respondent_id")
    assert people["weight"].mean() == pytest.approx(1, abs=0.03)
    young = people["client_group"].isin(["students", "graduates", "school"])
    assert young.mean() > 0.33
    assert np.average(young, weights=people["weight"]) == pytest.approx(0.28, abs=0.03)


def test_two_coders_agree_as_their_accuracy_says(full: DemoData) -> None:
    table, accuracy = full.tables["focus_coding"], Truth().voices.coder_accuracy
    wide = table.pivot(index=["session_id", "fragment_id"], columns="coder_id", values="code")
    expected = accuracy**2 + (1 - accuracy) ** 2 / (len(CODES) - 1)
    assert len(wide) == 480
    assert (wide["k1"] == wide["k2"]).mean() == pytest.approx(expected, abs=4 * np.sqrt(0.18 / len(wide)))
