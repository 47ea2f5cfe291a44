"""The Fréchet distance: closed forms, scipy's matrix root, torchmetrics; and statistics gathered in any order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import Tensor, nn

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics import frechet
from saddlepoint.metrics.frechet import Statistics, frechet_distance, frechet_infinity


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def correlated(count: int, dimension: int, seed: int = 0) -> Tensor:
    """Rectified mixtures, as features of networks are."""
    mixed = normal(count, dimension, seed=seed) @ (torch.eye(dimension) + 0.3 * normal(dimension, dimension, seed=7))
    return (mixed + 0.5).relu()


def law(mean: Tensor, covariance: Tensor) -> Statistics:
    """A Gaussian as it is, as if of very many samples."""
    return Statistics.from_dict({"count": torch.tensor(10**9), "mean": mean, "covariance": covariance})


def scipy_form(x: Tensor, y: Tensor) -> float:
    """As the authors of FID compute it."""
    x, y = x.double().numpy(), y.double().numpy()
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    means = ((x.mean(0) - y.mean(0)) ** 2).sum()
    return float(means + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


@pytest.mark.parametrize("dimension", [1, 2, 64, 300])
def test_gaussians_have_their_closed_forms(dimension: int) -> None:
    zero, one, eye = torch.zeros(dimension), torch.ones(dimension), torch.eye(dimension)
    assert frechet_distance(law(zero, eye), law(one, eye)).distance == pytest.approx(dimension, rel=1e-12)
    assert frechet_distance(law(zero, eye), law(zero, 4 * eye)).distance == pytest.approx(dimension, rel=1e-12)
    assert frechet_distance(law(zero, eye), law(zero, 0 * eye)).distance == pytest.approx(dimension, rel=1e-12)
    found = frechet_distance(law(zero, eye), law(2 * one, 9 * eye))
    assert found.means == pytest.approx(4 * dimension)
    assert found.covariances == pytest.approx(4 * dimension)


def test_covariances_with_common_axes_are_as_far_as_their_roots() -> None:
    axes = torch.linalg.qr(normal(40, 40).double()).Q
    first, second = torch.rand(2, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    second[:10] = 0  # singular
    a, b = (axes @ torch.diag(values) @ axes.T for values in (first, second))
    expected = (first.sqrt() - second.sqrt()).square().sum().item()
    # Each of the ten roots of 0 is the root of a rounding error, 1e-8.
    assert frechet_distance(law(torch.zeros(40), a), law(torch.zeros(40), b)).distance == pytest.approx(expected, 1e-7)


@pytest.mark.parametrize(
    ("first", "second", "dimension"), [(700, 650, 100), (130, 900, 100), (120, 120, 100), (900, 800, 300), (50, 60, 3)]
)
def test_agrees_with_scipys_matrix_root(first: int, second: int, dimension: int) -> None:
    x, y = correlated(first, dimension), correlated(second, dimension, seed=1) * 1.1 + 0.1
    found = frechet_distance(Statistics.of(x), Statistics.of(y))
    assert found.distance == pytest.approx(scipy_form(x, y), rel=1e-9)
    assert not found.rank_deficient
    assert found.warning is None


@pytest.mark.parametrize(("first", "second"), [(60, 500), (500, 60), (60, 70), (100, 100), (2, 3)])
def test_singular_covariances_are_right_too_and_come_with_a_warning(first: int, second: int) -> None:
    """The exact value from the samples: the root's trace is the nuclear norm of one centered set times the other."""
    x, y = correlated(first, 100), correlated(second, 100, seed=1) * 1.1 + 0.1
    centered = [(each.double() - each.double().mean(0)) / (len(each) - 1) ** 0.5 for each in (x, y)]
    root = torch.linalg.svdvals(centered[0] @ centered[1].T).sum()
    traces = sum(each.square().sum() for each in centered)
    expected = ((x.double().mean(0) - y.double().mean(0)).square().sum() + traces - 2 * root).item()
    found = frechet_distance(Statistics.of(x), Statistics.of(y))
    assert found.distance == pytest.approx(expected, rel=1e-7)
    assert found.rank_deficient
    assert found.warning is not None
    assert f"{min(first, second)} features in 100 dimensions" in found.warning


def test_dead_features_change_nothing() -> None:
    x, y = correlated(300, 50), correlated(300, 50, seed=1) + 0.2
    expected = frechet_distance(Statistics.of(x), Statistics.of(y)).distance
    padded = [torch.cat([each, torch.full((300, 20), 0.7)], 1) for each in (x, y)]
    found = frechet_distance(*(Statistics.of(each) for each in padded))
    assert found.distance == pytest.approx(expected, rel=1e-7)
    assert not found.rank_deficient  # the features' fault, not their number's


def test_is_symmetric_and_nothing_for_equal_sets() -> None:
    a, b = Statistics.of(correlated(400, 60)), Statistics.of(correlated(300, 60, seed=1))
    assert frechet_distance(a, b).distance == pytest.approx(frechet_distance(b, a).distance, rel=1e-10)
    # What is left of traces of about 60 after their digits are used up.
    assert frechet_distance(a, a).distance == pytest.approx(0, abs=1e-10)


def test_agrees_with_torchmetrics() -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Same(nn.Module):
        num_features = 40

        def forward(self, features: Tensor) -> Tensor:
            return features

    x, y = correlated(300, 40).double(), correlated(250, 40, seed=1).double() + 0.1
    theirs = FrechetInceptionDistance(feature=Same())
    theirs.update(x, real=True)
    theirs.update(y, real=False)
    found = frechet_distance(Statistics.of(x), Statistics.of(y))
    # Torchmetrics takes covariances as differences of large sums.
    assert found.distance == pytest.approx(theirs.compute().item(), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.sampled_from([0.0, 1e6]))
def test_batches_of_any_size_give_the_statistics_of_the_whole(sizes: list[int], offset: float) -> None:
    features = normal(sum(sizes) + 2, 7).double() + offset
    streamed = Statistics(7)
    for batch in features.split([*sizes, 2]):
        streamed.add(batch)
    assert streamed.count == len(features)
    np.testing.assert_allclose(streamed.mean, features.mean(0), rtol=1e-14, atol=1e-15)
    # 1e6 costs six of sixteen digits of the features themselves.
    np.testing.assert_allclose(streamed.covariance, np.cov(features.numpy(), rowvar=False), rtol=1e-8, atol=1e-9)


def test_a_symmetric_matrix_in_stripes_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frechet, "_COLUMNS", 16)
    monkeypatch.setattr(frechet, "_ROWS", 30)
    x, y = correlated(100, 50), correlated(120, 50, seed=1)
    np.testing.assert_allclose(Statistics.of(x).covariance, np.cov(x.double(), rowvar=False), rtol=0, atol=1e-14)
    assert frechet_distance(Statistics.of(x), Statistics.of(y)).distance == pytest.approx(scipy_form(x, y), rel=1e-9)


def test_parts_are_merged_and_taken_away() -> None:
    x, y = normal(30, 5) + 3, 2 * normal(50, 5, seed=1)
    both = Statistics.of(torch.cat([x, y]))
    merged = Statistics.of(x).merge(Statistics.of(y))
    rest = both.without(Statistics.of(x))
    for found, expected in ((merged, both), (rest, Statistics.of(y))):
        assert found.count == expected.count
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-12, atol=1e-12)
    empty = Statistics(5)
    assert empty.merge(empty).count == 0
    assert torch.equal(empty.merge(both).covariance, both.covariance)
    with pytest.raises(UsageError, match="taken away"):
        merged.without(both)


def test_features_are_not_changed() -> None:
    x = normal(10, 3).double()
    before = x.clone()
    Statistics.of(x)
    assert torch.equal(x, before)


def test_statistics_are_kept_as_plain_tensors() -> None:
    kept = Statistics.of(correlated(50, 6))
    back = Statistics.from_dict(kept.to_dict())
    assert back.count == 50
    assert torch.equal(back.mean, kept.mean)
    torch.testing.assert_close(back.covariance, kept.covariance, rtol=1e-14, atol=0)
    back.add(correlated(20, 6, seed=1))
    expected = Statistics.of(torch.cat([correlated(50, 6), correlated(20, 6, seed=1)]))
    torch.testing.assert_close(back.covariance, expected.covariance, rtol=1e-12, atol=1e-14)


def test_what_are_no_statistics_is_refused() -> None:
    whole = Statistics.of(normal(5, 3)).to_dict()
    for broken in ({}, {**whole, "mean": torch.zeros(4)}, {**whole, "count": torch.tensor(1)}):
        with pytest.raises(DataError, match=r"statistics|do not fit"):
            Statistics.from_dict(broken)
    with pytest.raises(UsageError, match="no covariance"):
        frechet_distance(Statistics.of(normal(1, 3)), Statistics.of(normal(5, 3)))
    with pytest.raises(UsageError, match="do not belong"):
        frechet_distance(Statistics.of(normal(5, 4)), Statistics.of(normal(5, 3)))
    with pytest.raises(UsageError, match="do not belong"):
        Statistics(4).add(normal(5, 3))
    with pytest.raises(DataError, match="not finite"):
        Statistics(3).add(torch.full((5, 3), torch.nan))


def test_infinitely_many_samples_are_nearer_than_some() -> None:
    """Samples of N(0, s²) against N(0, 1) along each axis: sum of (s - 1)², which 600 samples put too high."""
    scale = torch.linspace(0.7, 1.3, 16)
    truth = (scale - 1).square().sum().item()
    real = law(torch.zeros(16), torch.eye(16))
    found = [frechet_infinity(real, normal(600, 16, seed=seed) * scale) for seed in range(12)]
    finite = torch.tensor([each.distances[-1] for each in found])
    infinite = torch.tensor([each.distance for each in found])
    # The means of twelve deviate by about 0.06 / sqrt(12) = 0.017; the bias of 600 is 0.14.
    assert infinite.mean().item() == pytest.approx(truth, abs=0.05)
    assert finite.mean().item() > truth + 0.1
    assert all(each.slope > 0 for each in found)


def test_the_line_goes_through_growing_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    def on_a_line(real: Statistics, fake: Statistics) -> frechet.Frechet:
        return frechet.Frechet(means=3 + 50 / fake.count, covariances=0, counts=(9, fake.count), dimension=2)

    monkeypatch.setattr(frechet, "frechet_distance", on_a_line)
    found = frechet_infinity(law(torch.zeros(2), torch.eye(2)), normal(1000, 2), points=5)
    assert found.counts == (100, 325, 550, 775, 1000)
    assert found.distance == pytest.approx(3)
    assert found.slope == pytest.approx(50)


def test_too_few_samples_for_a_line_are_refused() -> None:
    real = law(torch.zeros(40), torch.eye(40))
    with pytest.raises(UsageError, match="no line"):
        frechet_infinity(real, normal(100, 40))
    with pytest.raises(UsageError, match="no line"):
        frechet_infinity(real, normal(100, 40), smallest=50, points=1)
