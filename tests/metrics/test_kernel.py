"""The kernel distance: its definition, a package, a closed form, and the law of its estimates."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel
from torch import Tensor, nn

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics import kernel
from saddlepoint.metrics.kernel import kernel_distance, kernel_distance_of_subsets


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def definition(x: Tensor, y: Tensor) -> float:
    """By scikit-learn's kernel."""
    pairs = ((x, x), (y, y), (x, y))
    within_x, within_y, across = (polynomial_kernel(a.double(), b.double(), degree=3, coef0=1) for a, b in pairs)
    n, m = len(x), len(y)
    within = (within_x.sum() - within_x.trace()) / (n * (n - 1)) + (within_y.sum() - within_y.trace()) / (m * (m - 1))
    return float(within - 2 * across.mean())


def of_gaussians(dimension: int, shift: float) -> float:
    """Of N(0, I) and N(shift, I): each mean is of (s / D + 1)³, by the cumulants of s = x·y."""

    def mean(first: float, second: float, third: float) -> float:
        square, cube = second + first**2, third + 3 * second * first + first**3
        return 1 + 3 * first / dimension + 3 * square / dimension**2 + cube / dimension**3

    length = dimension * shift**2
    within = mean(0, dimension, 0) + mean(length, dimension + 2 * length, 6 * length)
    return within - 2 * mean(0, dimension + length, 0)


@pytest.mark.parametrize(("first", "second"), [(100, 70), (33, 64), (3, 90)])
def test_agrees_with_its_definition(first: int, second: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_BLOCK", 32)
    x, y = normal(first, 12).relu(), normal(second, 12, seed=1).relu() + 0.2
    assert kernel_distance(x, y).distance == pytest.approx(definition(x, y), rel=1e-10)


@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_gaussians_have_their_closed_form(shift: float) -> None:
    found = kernel_distance(normal(3000, 5), normal(2500, 5, seed=1) + shift)
    assert found.distance == pytest.approx(of_gaussians(5, shift), abs=4 * found.standard_error)
    assert found.standard_error < 0.1 * found.distance


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_subsets_agree_with_torchmetrics() -> None:
    """Subsets as large as the sets are the sets, whoever chooses them."""
    from torchmetrics.image.kid import KernelInceptionDistance

    class Same(nn.Module):
        num_features = 16

        def forward(self, features: Tensor) -> Tensor:
            return features

    x, y = normal(80, 16).double().relu(), normal(80, 16, seed=1).double().relu() + 0.1
    theirs = KernelInceptionDistance(feature=Same(), subsets=3, subset_size=80)
    theirs.update(x, real=True)
    theirs.update(y, real=False)
    found = kernel_distance_of_subsets(x, y, subsets=3, size=80)
    assert found.mean == pytest.approx(theirs.compute()[0].item(), rel=1e-6)
    assert found.mean == pytest.approx(kernel_distance(x, y).distance, rel=1e-10)
    assert found.std == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_has_no_bias_and_its_error_is_known(shift: float) -> None:
    trials = 250
    found = [kernel_distance(normal(40, 3, seed=2 * t), normal(30, 3, seed=2 * t + 1) + shift) for t in range(trials)]
    values = torch.tensor([each.distance for each in found])
    claimed = torch.tensor([each.standard_error for each in found]).square().mean().item()
    truth = of_gaussians(3, shift)
    assert values.mean().item() == pytest.approx(truth, abs=4 * values.std().item() / math.sqrt(trials))
    # A variance of 250 is known to 4 · sqrt(2 / 250), a third, and more for tails; the jackknife is on the safe side.
    assert 0.7 < claimed / values.var().item() < 2.5
    inside = [low <= truth <= high for low, high in (each.interval(0.95) for each in found)]
    # Six deviations of a share of 250 below 95 %; estimates near 0 are skewed.
    assert sum(inside) / trials > 0.95 - 6 * math.sqrt(0.95 * 0.05 / trials)
    assert not all(low <= truth <= high for low, high in (each.interval(0.3) for each in found))


def test_subsets_follow_the_seed_and_scatter_around_the_whole() -> None:
    x, y = normal(500, 8), normal(600, 8, seed=1) + 0.3
    found = kernel_distance_of_subsets(x, y, subsets=40, size=100)
    again, other = (kernel_distance_of_subsets(x, y, subsets=40, size=100, seed=seed) for seed in (0, 1))
    assert found == again != other
    assert (found.subsets, found.size) == (40, 100)
    # Subsets are drawn alike: their mean is off by no more than about std / sqrt(40).
    assert found.mean == pytest.approx(kernel_distance(x, y).distance, abs=4 * found.std / math.sqrt(40))
    assert kernel_distance_of_subsets(x, y, subsets=2).size == 500


def test_a_set_beside_itself_counts_equal_samples_across() -> None:
    x = normal(50, 4)
    assert kernel_distance(x, x).distance == pytest.approx(definition(x, x), rel=1e-9)
    assert kernel_distance(x, x).distance == kernel_distance(x, x.clone()).distance < 0


def test_what_has_no_kernel_distance_is_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        kernel_distance(normal(2, 4), normal(5, 4))
    with pytest.raises(UsageError, match="subsets"):
        kernel_distance_of_subsets(normal(5, 4), normal(5, 4), subsets=0)
    with pytest.raises(UsageError, match="subsets"):
        kernel_distance_of_subsets(normal(5, 4), normal(5, 4), size=1)
    with pytest.raises(DataError, match="not finite"):
        kernel_distance(normal(5, 4), torch.full((5, 4), torch.nan))
