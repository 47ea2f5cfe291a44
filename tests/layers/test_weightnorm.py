"""Weights as length and direction, and what data say about the lengths."""

from __future__ import annotations

import copy

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from saddlepoint.errors import GameError
from saddlepoint.layers.weightnorm import initialize, weight_norm


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return weight_norm(
        nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(6 * 16, 5))
    )


def inputs(count: int = 300) -> Tensor:
    return 3 * torch.randn(count, 2, 4, 4, generator=torch.Generator().manual_seed(1)) + 1


def before_activations(net: nn.Sequential, given: Tensor) -> list[Tensor]:
    """What each normalized layer gives, its features last."""
    first = net[0](given)
    return [first.movedim(1, -1).flatten(0, -2), net(given)]


def test_lengths_stay_and_directions_are_learned() -> None:
    net = network()
    lengths = [layer.weight.detach().flatten(1).norm(dim=1) for layer in (net[0], net[3])]
    learned = [weight for weight in net.parameters() if weight.requires_grad]
    assert len(learned) == 4, "two directions and two biases"
    optimizer = torch.optim.Adam(learned, 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        net(inputs(8)).square().sum().backward()
        optimizer.step()
    for layer, length in zip((net[0], net[3]), lengths, strict=True):
        assert torch.allclose(layer.weight.detach().flatten(1).norm(dim=1), length, rtol=1e-5)


def test_a_learned_length_has_a_gradient() -> None:
    layer = weight_norm(nn.Linear(3, 2), learn_length=True)
    layer(torch.ones(4, 3)).sum().backward()
    assert all(weight.grad is not None for weight in layer.parameters())
    assert len(list(layer.parameters())) == 3


def test_layers_that_are_normalized_already_are_left_alone() -> None:
    inner = weight_norm(nn.Linear(3, 3), learn_length=True)
    net = weight_norm(nn.Sequential(inner, nn.Linear(3, 2)))
    assert len(list(net.parameters())) == 6
    assert inner.parametrizations.weight.original0.requires_grad
    with pytest.raises(GameError, match="no weights to normalize"):
        weight_norm(net)


def test_after_a_look_at_the_data_features_have_mean_0_and_variance_1() -> None:
    net = network()
    initialize(net, inputs())
    for features in before_activations(net, inputs()):
        # Sums over some hundred float32 numbers.
        assert torch.allclose(features.mean(0), torch.zeros(1), atol=1e-4)
        assert torch.allclose(features.std(0), torch.ones(1), atol=1e-3)


def test_a_feature_that_does_not_vary_stays_finite() -> None:
    net = network()
    initialize(net, torch.ones(4, 2, 4, 4)[:, :, :1, :1].expand(-1, -1, 4, 4) * 0)
    assert all(bool(weight.isfinite().all()) for weight in net.parameters())


def test_what_the_look_found_is_saved() -> None:
    net = network()
    initialize(net, inputs())
    again = network()
    again.load_state_dict(safetensors.torch.load(safetensors.torch.save(net.state_dict())))
    assert torch.equal(again(inputs(4)), net(inputs(4)))
    assert torch.equal(copy.deepcopy(net)(inputs(4)), net(inputs(4)))
