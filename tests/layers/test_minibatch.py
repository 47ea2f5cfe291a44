"""What a batch tells: computed pair by pair and group by group."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.layers.minibatch import MinibatchDiscrimination, MinibatchStd


def test_closeness_is_the_paper_s_sum() -> None:
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(4, kernels=3, size=2)
    features = torch.randn(5, 4)
    result = layer(features).detach()
    assert result.shape == (5, 7)
    assert torch.equal(result[:, :4], features)
    tensor = layer.tensor.weight.detach().view(3, 2, 4)  # T, its dimensions in the order B, C, A
    for i in range(5):
        for b in range(3):
            expected = 0.0
            for j in range(5):
                expected += math.exp(-float((tensor[b] @ (features[i] - features[j])).abs().sum()))
            assert float(result[i, 4 + b]) == pytest.approx(expected, rel=1e-5)


def test_equal_samples_are_as_close_as_can_be_and_strange_ones_are_alone() -> None:
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(4, kernels=6)
    assert torch.equal(layer(torch.ones(7, 4))[:, 4:], torch.full((7, 6), 7.0))
    torch.testing.assert_close(layer(1e3 * torch.randn(7, 4))[:, 4:], torch.ones(7, 6))


def test_discrimination_is_differentiable_twice() -> None:
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(3, kernels=2, size=2)
    features = torch.randn(4, 3, requires_grad=True)
    (slope,) = torch.autograd.grad((layer(features) ** 2).sum(), features, create_graph=True)
    (slope**2).sum().backward()
    assert layer.tensor.weight.grad is not None
    assert features.grad is not None
    assert (features.grad != 0).any(1).all()


def test_deviation_is_that_of_each_group() -> None:
    torch.manual_seed(0)
    features = torch.randn(8, 3, 4, 5)
    result = MinibatchStd(group=4)(features)
    assert result.shape == (8, 4, 4, 5)
    assert torch.equal(result[:, :3], features)
    for n in range(8):
        members = features[n % 2 :: 2]  # every second sample, as the paper's code groups them
        expected = members.std(0, correction=0).mean()
        torch.testing.assert_close(result[n, 3], expected.expand(4, 5), rtol=1e-5, atol=1e-6)


def test_deviation_of_points() -> None:
    points = torch.tensor([[0.0, 1.0], [4.0, 1.0]])
    result = MinibatchStd()(points)
    # (2 + 0) / 2; the zero is sqrt(1e-8).
    assert result[:, 2].tolist() == pytest.approx([1.00005, 1.00005])


@pytest.mark.parametrize("count", [1, 3, 5, 7, 11])
def test_batches_of_any_size_are_grouped(count: int) -> None:
    torch.manual_seed(0)
    points = torch.randn(count, 6)
    groups = max(1, count // 4)
    result = MinibatchStd(group=4)(points)[:, 6]
    for n in range(count):
        expected = points[n % groups :: groups].std(0, correction=0).mean()
        assert float(result[n]) == pytest.approx(float(expected), abs=1e-3)  # sqrt(1e-8) where all are equal


def test_a_collapsed_batch_has_finite_derivatives() -> None:
    points = torch.ones(4, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(MinibatchStd()(points).sum(), points, create_graph=True)
    (slope**2).sum().backward()
    assert points.grad is not None
    assert points.grad.isfinite().all()


def test_bfloat16_features_keep_their_type() -> None:
    features = (torch.randn(8, 2, 4, 4) + 100).bfloat16()
    result = MinibatchStd()(features)
    assert result.dtype == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16):
        assert MinibatchDiscrimination(32)(torch.randn(4, 32)).isfinite().all()
