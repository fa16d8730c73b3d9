"""The scheme: the recommendations by default, interpolation between calibrated values, faults named in Russian."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kcrr_analysis import ipk, methodology
from kcrr_analysis.errors import ParameterError
from kcrr_analysis.ipk import Scheme

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, text: str) -> Path:
    file = folder / "ipk.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_file_of_the_kit_and_the_dictionary_both_say_what_the_recommendations_say() -> None:
    assert ipk.read_scheme(ROOT / "params" / "ipk.yaml") == Scheme()
    assert Scheme.recommended(methodology.index_scheme()) == Scheme()
    assert Scheme().is_recommended


def test_recorded_weights_and_engagement_stay_as_they_are() -> None:
    scheme = Scheme()
    assert scheme.weight([1, 2.5, 3]).tolist() == [1, 2.5, 3]
    assert scheme.coefficient([0.5, 0.77, 1.5]).tolist() == [0.5, 0.77, 1.5]


def test_a_weight_between_classes_lies_on_the_line_between_their_values() -> None:
    scheme = Scheme(title="калибровка", weights=(1.2, 1.8, 2.8))
    assert scheme.weight([1, 1.5, 2, 2.25, 3]) == pytest.approx([1.2, 1.5, 1.8, 2.05, 2.8])
    assert np.isnan(scheme.weight([np.nan])).all()
    assert not scheme.is_recommended


def test_band_values_stand_at_the_middles_of_the_bands_and_are_flat_outside() -> None:
    scheme = Scheme(title="калибровка", engagement="bands", bands=(0.5, 0.9, 1.5))
    # middles 0.6, 1.0, 1.4; half way between the first two is 0.8
    assert scheme.coefficient([0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.5]) == pytest.approx([0.5, 0.5, 0.7, 0.9, 1.2, 1.5, 1.5])


def test_a_calibrated_file_is_read(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "title: калибровка 2025\nweights: {low: 1.1, medium: 1.9, high: 2.7}\nengagement: bands\n"
        "bands: {low: 0.5, medium: 0.9, high: 1.5}\nsplit_days: 1\n",
    )
    assert ipk.read_scheme(file) == Scheme("калибровка 2025", (1.1, 1.9, 2.7), "bands", (0.5, 0.9, 1.5), 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: а\nweights: {low: 1, medium: 2, high: 4}\n", "weights.high"),
        ("title: а\nweights: {low: 2, medium: 1, high: 3}\n", "не могут убывать"),
        ("title: а\nengagement: bands\n", "нужны значения полос"),
        ("title: а\nbands: {low: 0.6, medium: 1, high: 1.4}\n", "recorded их не использует"),
        ("title: а\nengagement: bands\nbands: {low: 0.9, medium: 0.8, high: 1.4}\n", "не могут убывать"),
        ("title: а\nsplit_days: -1\n", "split_days"),
        ("title: а\nengagment: recorded\n", "Возможно, имелось в виду «engagement»"),
        ("weights: {low: 1, medium: 2, high: 3}\n", "title"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=r"ipk\.yaml") as raised:
        ipk.read_scheme(written(tmp_path, text))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "values",
    [
        {"weights": (0.5, 2, 3)},
        {"engagement": "guess"},
        {"split_days": 1.5},
        {"split_days": True},
        {"engagement": "bands", "bands": (0.4, 1, 1.4)},
    ],
)
def test_a_scheme_made_in_code_is_checked_too(values: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="Схема ИПК"):
        Scheme(**values)  # type: ignore[arg-type]


def test_a_regions_own_weights_get_their_own_name() -> None:
    from dataclasses import replace

    index = methodology.index_scheme()
    high = replace(index.weights[3], value=2.5)
    own = Scheme.recommended(replace(index, weights={**index.weights, 3: high}))
    assert own.weights == (1, 2, 2.5)
    assert own.title == "справочник региона"
