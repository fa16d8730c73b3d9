"""Segments: effects with adjusted p-values, one test of whether they differ, small segments refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kcrr_analysis.disclosure import Rule
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments import randomisation, segments
from kcrr_analysis.experiments.mechanism import Allowed
from kcrr_analysis.stats import benjamini_hochberg, holm

UNITS = [f"u{k:02d}" for k in range(12)]
CODES = np.array([0, 1] * 6)
TWELVE = Allowed(CODES)


def frame(total: np.ndarray, persons: np.ndarray) -> pd.DataFrame:
    """Tables of shape (units, segments) in long form; segments are called а, б, в."""
    place = [(unit, "абвг"[s], s, u) for u, unit in enumerate(UNITS[: len(total)]) for s in range(total.shape[1])]
    return pd.DataFrame(
        {
            "unit": [one[0] for one in place],
            "segment": [one[1] for one in place],
            "total": [total[one[3], one[2]] for one in place],
            "persons": [persons[one[3], one[2]] for one in place],
        }
    )


def drawn(seed: int, effects: tuple[float, ...], codes: np.ndarray = CODES) -> tuple[np.ndarray, np.ndarray]:
    """Constant effects by segment on a measured outcome, centres alike."""
    chance = np.random.default_rng(seed)
    shape = codes.size, len(effects)
    persons = chance.integers(20, 60, shape).astype(float)
    mean = chance.normal(10, 1, (codes.size, 1)) + chance.normal(0, 0.5, shape)
    return persons * (mean + codes[:, None] * np.array(effects)), persons


def look(total: np.ndarray, persons: np.ndarray, **settings: Any) -> segments.SegmentEffects:
    return segments.segment_effects(
        frame(total, persons), UNITS[: len(total)], settings.pop("allowed", TWELVE), **settings
    )


def test_each_segment_is_a_pilot_of_its_own() -> None:
    total, persons = drawn(1, (0.0, 1.0, 3.0))
    found = look(total, persons)
    for place, row in enumerate(found.rows.itertuples()):
        alone = randomisation.difference(total[:, place], persons[:, place], TWELVE)
        assert (row.effect, row.p) == (pytest.approx(alone.estimate), pytest.approx(alone.p_value()))
        assert (row.low, row.high) == pytest.approx(alone.interval())
    np.testing.assert_allclose(found.rows["p_holm"], holm(found.rows["p"]))
    np.testing.assert_allclose(found.rows["p_bh"], benjamini_hochberg(found.rows["p"]))
    whole = randomisation.difference(total.sum(axis=1), persons.sum(axis=1), TWELVE)
    assert found.overall[0] == pytest.approx(whole.estimate)
    assert found.exploratory
    assert found.to_frame()["exploratory"].all()


def test_unequal_effects_are_told_from_equal_ones() -> None:
    assert look(*drawn(1, (0.0, 0.0, 4.0))).interaction_p < 0.02
    equal = look(*drawn(1, (2.0, 2.0, 2.0)))
    assert equal.interaction_p > 0.05
    assert equal.interaction_exact
    # a common effect of any size changes nothing
    same = look(*drawn(1, (0.0, 0.0, 0.0)))
    assert same.interaction_p == pytest.approx(equal.interaction_p, abs=0.001)


def test_false_findings_are_as_rare_as_promised() -> None:
    chance = np.random.default_rng(5)
    alarms, runs = np.zeros(2), 60
    for seed in range(runs):
        codes = chance.permutation(CODES[:8])
        found = look(*drawn(seed, (0.0, 0.0, 0.0), codes), allowed=Allowed(codes), level=0.5)
        alarms += [found.interaction_p <= 0.05, (found.rows["p_holm"] <= 0.05).any()]
    # 3.5 standard errors
    assert (alarms / runs <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / runs)).all()


def test_small_segments_are_refused_with_the_reason() -> None:
    total, persons = drawn(2, (0.0, 0.0, 0.0, 0.0))
    total[4:, 1] = persons[4:, 1] = 0  # two centres of each arm
    total[:, 2], persons[:, 2] = 10.0, 2.0
    found = look(total, persons)
    rows = found.rows.set_index("segment")
    assert rows.loc["б", "reason"] == "мало центров: в одной из групп меньше 4"
    assert rows.loc["в", "reason"] == "мало людей: в одной из групп меньше 30"
    assert rows.loc[["б", "в"], ["effect", "p", "p_holm"]].isna().all().all()
    assert found.compared == 2
    # refused segments are no comparisons
    assert rows.loc["а", "p_holm"] <= 2 * rows.loc["а", "p"] + 1e-12


def test_one_segment_has_no_interaction() -> None:
    found = look(*drawn(3, (0.0,)))
    assert np.isnan(found.interaction_p)
    assert found.compared == 1


def test_strata_and_absent_rows() -> None:
    total, persons = drawn(4, (0.0, 2.0))
    strata = np.repeat([0, 1], 6)
    found = segments.segment_effects(frame(total, persons).iloc[1:], UNITS, Allowed(CODES, strata))
    assert found.rows["segment"].tolist() == ["б", "а"]
    assert found.rows.set_index("segment").loc["а", "units_control"] == 5
    assert 0 < found.interaction_p <= 1


def yes_no(persons: np.ndarray) -> np.ndarray:
    return np.random.default_rng(8).binomial(persons.astype(int), 0.4).astype(float)


def test_small_counts_are_withheld_with_what_gives_them_away() -> None:
    persons = np.full((12, 3), 30.0)
    persons[:, 2] = 0
    persons[[0, 1], 2] = 3
    total = yes_no(persons)
    found = look(total, persons, rule=Rule())
    rows = found.rows.set_index("segment")
    assert rows.loc["в", ["persons_treated", "persons_control"]].isna().all()
    assert rows.loc["в", "reason"] == "мало центров: в одной из групп меньше 4"[:4] + " людей"
    # the sum of the segments is known: one more of each arm is hidden, its effect too
    assert rows["persons_treated"].isna().sum() == 2
    assert rows["effect"].isna().sum() == 2
    assert np.isnan(found.interaction_p)
    shown = rows[rows["effect"].notna()].iloc[0]
    assert shown["p_holm"] == pytest.approx(min(1, 2 * shown["p"]))
    free = look(total, persons, rule=Rule(), overlapping=True).rows.set_index("segment")
    assert free["persons_treated"].isna().tolist() == [False, False, True]
    inside = look(total, persons, rule=Rule(mode="internal"))
    assert inside.rows["persons_treated"].notna().all()
    assert inside.rows["persons_treated_hidden"].sum() == 2
    assert not np.isnan(inside.interaction_p)


def test_few_who_reached_hide_the_effect() -> None:
    persons = np.full((12, 2), 30.0)
    total = yes_no(persons)
    total[:, 1] = 0
    total[0, 1] = 2
    rows = look(total, persons, rule=Rule(), overlapping=True).rows.set_index("segment")
    assert rows["effect"].isna().tolist() == [False, True]
    assert rows.loc["б", "persons_control"] == 180
    assert "reached_treated" not in rows


def test_refusals() -> None:
    total, persons = drawn(1, (0.0, 1.0))
    good = frame(total, persons)
    with pytest.raises(ParameterError, match="persons"):
        segments.segment_effects(good.drop(columns="persons"), UNITS, TWELVE)
    with pytest.raises(ParameterError, match="повтор единицы"):
        segments.segment_effects(pd.concat([good, good]), UNITS, TWELVE)
    with pytest.raises(ParameterError, match="без назначения"):
        segments.segment_effects(good.assign(unit="u99"), UNITS, TWELVE)
    with pytest.raises(ParameterError, match="ни одной строки"):
        segments.segment_effects(good.iloc[:0], UNITS, TWELVE)
    with pytest.raises(ParameterError, match="не меньше 2"):
        segments.segment_effects(good, UNITS, TWELVE, least_units=1)
