"""Variance in designs with periods against published closed forms and a regression by statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from kcrr_analysis.errors import NotComputableError, ParameterError
from kcrr_analysis.experiments.sizing.wedge import crossover, size_classes, stepped, variance


def hussey_hughes(treatment: np.ndarray, within: float, between: float) -> float:
    """Hussey & Hughes (2007), eq. 8: variances of a cluster's period mean within and between clusters."""
    x = treatment.astype(float)
    clusters, periods = x.shape
    u, w, v = x.sum(), (x.sum(0) ** 2).sum(), (x.sum(1) ** 2).sum()
    above = clusters * within * (within + periods * between)
    return above / (
        (clusters * u - w) * within + (u**2 + clusters * periods * u - periods * w - clusters * v) * between
    )


@pytest.mark.parametrize(("waves", "clusters", "rho"), [(4, 6, 0.05), (3, 1, 0.2), (5, 2, 0.0), (4, 2, 0.01)])
def test_closed_form_of_hussey_and_hughes(waves: int, clusters: int, rho: float) -> None:
    rows = np.repeat(stepped(waves), clusters, axis=0)
    found = variance(stepped(waves), [clusters] * waves, size=30, sd=2, icc=rho, effects="random")
    assert found == pytest.approx(hussey_hughes(rows, 4 * (1 - rho) / 30, 4 * rho))


@pytest.mark.parametrize(
    ("size", "steps", "published"),
    # design effects of Woertman's formula, ICC 0.05: Kristunas et al. (2017), Trials 18:109, table 2
    [(10, 4, 0.535), (20, 3, 0.767), (20, 4, 0.572)],
)
def test_published_design_effects(size: int, steps: int, published: float) -> None:
    whole = variance(stepped(steps), [1] * steps, size=size, icc=0.05, effects="random")
    assert whole / (4 / (steps * size)) == pytest.approx(published, abs=0.00051)


def test_crossover_of_clusters() -> None:
    """Giraudeau, Ravaud & Donner (2008): 1 + (m - 1) rho - m eta, eta the correlation between periods."""
    size, rho, cac = 30, 0.05, 0.6
    expected = 4 / (20 * 2 * size) * (1 + (size - 1) * rho - size * rho * cac)
    for effects in ("random", "fixed"):
        found = variance(crossover(2), [10, 10], size=size, icc=rho, cac=cac, effects=effects)
        assert found == pytest.approx(expected)


@pytest.mark.parametrize("cac", [1.0, 0.6])
def test_fixed_effects_are_those_of_a_weighted_regression(cac: float) -> None:
    """Error of a regression by statsmodels under the covariance of the model."""
    waves, rho = 3, 0.1
    sizes = np.array([persons for _, persons in size_classes(40, 0.5)])
    rows = np.repeat(stepped(waves), sizes.size, axis=0)
    persons = np.tile(sizes, waves)
    units, periods = rows.shape
    frame = np.column_stack(
        [rows.ravel(), np.repeat(np.eye(units), periods, 0), np.tile(np.eye(periods)[:, 1:], (units, 1))]
    )
    model = sm.WLS(np.zeros(units * periods), frame, weights=np.repeat(persons, periods))
    model.fit()
    maker = model.pinv_wexog[0] * np.sqrt(np.repeat(persons, periods))
    own = (1 - rho) / persons + rho * (1 - cac)
    covariance = np.kron(np.diag(own), np.eye(periods)) + np.kron(
        np.eye(units), rho * cac * np.ones((periods, periods))
    )
    found = variance(stepped(waves), [sizes.size] * waves, size=40, icc=rho, cac=cac, cv=0.5)
    assert found == pytest.approx(maker @ covariance @ maker)


def test_fixed_effects_lose_what_clusters_tell_between_them() -> None:
    plan = stepped(4)
    for rho in (0.0, 0.02, 0.2):
        random, fixed = (variance(plan, [3] * 4, size=50, icc=rho, effects=e) for e in ("random", "fixed"))
        assert random <= fixed * (1 + 1e-12)
    assert fixed == pytest.approx(random, rel=0.02)


def test_patterns() -> None:
    assert stepped(2).tolist() == [[0, 1, 1], [0, 0, 1]]
    assert stepped(2, 4).tolist() == [[0, 1, 1, 1], [0, 0, 1, 1]]
    assert crossover(3).tolist() == [[0, 1, 0], [1, 0, 1]]


def test_size_classes_keep_the_mean() -> None:
    classes = size_classes(60, 0.65)
    shares, sizes = np.array(classes).T
    assert shares @ sizes == pytest.approx(60)
    assert np.std(sizes) / 60 == pytest.approx(0.65, abs=0.08)
    assert size_classes(60, 0) == [(1.0, 60.0)]


def test_what_cannot_be() -> None:
    for effects in ("random", "fixed"):
        with pytest.raises(NotComputableError, match="общего изменения"):
            variance([[0, 1], [0, 1]], [3, 3], size=10, icc=0.1, effects=effects)
    for wrong, message in (
        ({"treatment": [[0, 2], [0, 1]], "clusters": [1, 1], "size": 5}, "нулей и единиц"),
        ({"treatment": [[0, 1], [0, 0]], "clusters": [1], "size": 5}, "Волн в плане 2"),
        ({"treatment": [[0, 1], [0, 0]], "clusters": [1, 1], "size": 0}, "больше нуля"),
        ({"treatment": [[0, 1], [0, 0]], "clusters": [1, 1], "size": 5, "icc": 2}, "корреляция"),
    ):
        with pytest.raises(ParameterError, match=message):
            variance(**wrong)
    with pytest.raises(ParameterError, match="не менее 4 периодов"):
        stepped(3, 3)
    with pytest.raises(ParameterError, match="двух периодов"):
        crossover(1)
