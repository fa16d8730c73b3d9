"""Group-sequential boundaries against published tables, their own spending, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from kcrr_analysis.errors import ParameterError
from kcrr_analysis.experiments.boundaries import boundaries, crossing, inflation, nominal, spending


@pytest.mark.parametrize(
    ("kind", "looks", "published"),
    [
        # O'Brien & Fleming and Pocock, two-sided 0.05: Jennison & Turnbull (2000), tables 2.1 and 2.3
        ("obrien_fleming", 5, [4.5617, 3.2256, 2.6337, 2.2809, 2.0401]),
        ("pocock", 5, [2.4132] * 5),
        ("obrien_fleming", 2, [2.797, 1.977]),
        ("obrien_fleming", 3, [3.471, 2.454, 2.004]),
        ("obrien_fleming", 4, [4.049, 2.863, 2.337, 2.024]),
        ("pocock", 2, [2.178] * 2),
        ("pocock", 3, [2.289] * 3),
        ("pocock", 4, [2.361] * 4),
        ("pocock", 10, [2.555] * 10),
        ("lan_demets_pocock", 5, [2.4380, 2.4268, 2.4102, 2.3966, 2.3860]),
    ],
)
def test_published_tables(kind: str, looks: int, published: list[float]) -> None:
    places = max(len(f"{value}".split(".")[1]) for value in published)
    assert boundaries(kind, looks=looks) == pytest.approx(published, abs=0.51 * 10**-places)


def test_published_lan_demets() -> None:
    """Reboussin, DeMets, Kim & Lan (2000), two-sided 0.05, 0.025 a side; their grid is good to about 1e-4."""
    bounds = boundaries("lan_demets_obrien_fleming", looks=5)
    assert bounds == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=1.5e-4)
    # the second look by adaptive integration over the first: what it spends is what the function allows
    spent = spending("lan_demets_obrien_fleming", 5)

    def second(z: float) -> float:
        gap = np.sqrt(0.5)
        out = norm.sf((bounds[1] - gap * z) / gap) + norm.cdf((-bounds[1] - gap * z) / gap)
        return float(norm.pdf(z) * out)

    assert quad(second, -bounds[0], bounds[0], epsabs=1e-14, limit=200)[0] == pytest.approx(
        spent[1] - spent[0], rel=1e-8
    )


@pytest.mark.parametrize(
    ("kind", "looks", "power", "published"),
    [  # Jennison & Turnbull (2000), tables 2.2 and 2.4: ratio of the maximum to the fixed sample size, alpha 0.05
        ("pocock", 5, 0.9, 1.207),
        ("obrien_fleming", 5, 0.9, 1.026),
        ("pocock", 2, 0.8, 1.110),
        ("obrien_fleming", 2, 0.8, 1.008),
    ],
)
def test_published_inflation_of_the_sample_size(kind: str, looks: int, power: float, published: float) -> None:
    assert inflation(kind, looks=looks, power=power) == pytest.approx(published, abs=0.00051)


def test_one_look_is_the_usual_test() -> None:
    for kind in ("pocock", "obrien_fleming", "lan_demets_obrien_fleming", "power"):
        assert boundaries(kind, looks=1) == pytest.approx([1.959964], abs=1e-6)
        assert boundaries(kind, looks=[1.0], alpha=0.05, sides=1) == pytest.approx([1.644854], abs=1e-6)
        assert inflation(kind, looks=1) == pytest.approx(1, abs=1e-6)


@given(
    st.sampled_from(["pocock", "obrien_fleming", "lan_demets_obrien_fleming", "lan_demets_pocock", "power"]),
    st.lists(st.integers(1, 99), min_size=0, max_size=5, unique=True),
    st.sampled_from([0.01, 0.05, 0.2]),
    st.sampled_from([1, 2]),
)
@settings(max_examples=40, deadline=None)
def test_the_error_is_what_was_asked_for(kind: str, inner: list[int], alpha: float, sides: int) -> None:
    times = [*(value / 100 for value in sorted(inner)), 1.0]
    bounds = boundaries(kind, looks=times, alpha=alpha, sides=sides)
    found = crossing(bounds, times, sides=sides)
    assert found.total == pytest.approx(alpha, abs=1e-7)
    assert np.cumsum(found.upper + found.lower) == pytest.approx(spending(kind, times, alpha, sides=sides), abs=1e-7)


def test_simulated_paths_cross_as_often_as_computed() -> None:
    times = np.array([0.2, 0.5, 0.6, 1.0])
    bounds = boundaries("power", looks=list(times), exponent=1.5)
    chance = np.random.default_rng(7)
    step = np.sqrt(np.diff(times, prepend=0))
    drift, runs = 2.5, 200_000
    z = (np.cumsum(chance.normal(size=(runs, 4)) * step, axis=1) + drift * times) / np.sqrt(times)
    out = np.abs(z) >= bounds
    first = np.where(out.any(1), out.argmax(1), 4)
    share = np.bincount(first, minlength=5)[:4] / runs
    found = crossing(bounds, times, drift)
    assert found.upper + found.lower == pytest.approx(share, abs=5 * 0.5 / np.sqrt(runs))
    ended = np.append(times, 1.0)[first].mean()
    assert found.expected_information == pytest.approx(ended, abs=0.004)
    assert found.to_frame()["cumulative"].iloc[-1] == pytest.approx(found.total)


def test_spending_functions_are_their_formulas() -> None:
    times = np.array([0.3, 0.7, 1.0])
    assert spending("power", times, exponent=2) == pytest.approx(0.05 * times**2)
    each = 2 - 2 * norm.cdf(norm.ppf(1 - 0.025 / 2) / np.sqrt(times))  # 0.025 a side
    assert spending("lan_demets_obrien_fleming", times) == pytest.approx(2 * each)
    assert nominal([1.959964, -2.4132]) == pytest.approx([0.05, 0.0158], abs=5e-5)
    assert nominal(1.959964) == pytest.approx(0.05, abs=1e-6)


def test_a_look_that_may_spend_nothing_never_stops() -> None:
    bounds = boundaries("lan_demets_obrien_fleming", looks=[0.001, 0.5, 1])
    assert np.isinf(bounds[0])
    assert bounds[1:] == pytest.approx([2.9626, 1.9686], abs=2e-4)  # as with looks at 0.5 and 1 alone
    assert crossing(bounds, [0.001, 0.5, 1]).upper[0] == 0


def test_near_looks_and_many_looks_hold_the_error() -> None:
    times = [0.5, 0.501, 0.999, 1.0]
    assert crossing(boundaries("pocock", looks=times), times).total == pytest.approx(0.05, abs=1e-7)
    # continuous limit of the boundary grows with the number of looks
    constants = [boundaries("pocock", looks=k)[0] for k in (1, 5, 20)]
    assert constants == sorted(constants)


def test_the_result_is_the_callers_own() -> None:
    boundaries("pocock", looks=3)[:] = 0
    assert boundaries("pocock", looks=3)[0] == pytest.approx(2.2895, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "pokock", "looks": 3}, "Возможно, имелось в виду «pocock»"),
        ({"kind": "xyz", "looks": 3}, "неизвестен. Укажите"),
        ({"kind": "pocock", "looks": 0}, "Число просмотров"),
        ({"kind": "pocock", "looks": 1000}, "от 1 до 100"),
        ({"kind": "pocock", "looks": [0.5, 0.5, 1]}, "возрастать"),
        ({"kind": "pocock", "looks": [0.5, 0.9]}, "единицей"),
        ({"kind": "pocock", "looks": []}, "от 1 до 100"),
        ({"kind": "pocock", "looks": True}, "заданы неверно"),
        ({"kind": "pocock", "looks": [0.5, np.nan, 1]}, "без пропусков"),
        ({"kind": "pocock", "looks": 3, "alpha": 0}, "Уровень значимости"),
        ({"kind": "pocock", "looks": 3, "alpha": 1.0}, "Уровень значимости"),
        ({"kind": "pocock", "looks": 3, "alpha": 0.6, "sides": 1}, "меньше 0.5"),
        ({"kind": "power", "looks": 3, "exponent": 0}, "Показатель степени"),
        ({"kind": "power", "looks": 3, "sides": 3}, "Число сторон"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        boundaries(**arguments)


def test_wrong_bounds() -> None:
    with pytest.raises(ParameterError, match="Границ 2"):
        crossing([2, 2], 3)
    with pytest.raises(ParameterError, match="положительными"):
        crossing([2, -2], 2)
    with pytest.raises(ParameterError, match="Снос"):
        crossing([2, 2], 2, drift=np.nan)
    with pytest.raises(ParameterError, match="Мощность"):
        inflation("pocock", looks=2, power=0.01)
