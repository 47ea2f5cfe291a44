"""Grouped convolutions: torch's own, with derivatives of any order."""

import pytest
import torch
from torch import nn

from saddlepoint.layers.grouped import Grouped


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return Grouped(8, 2).double()


@pytest.fixture
def features():
    return torch.randn(2, 8, 4, 5, dtype=torch.float64, requires_grad=True)


def test_it_is_the_convolution_of_torch(layer, features):
    plain = nn.Conv2d(8, 8, 3, padding=1, groups=2).double()
    plain.load_state_dict(layer.state_dict())
    assert torch.allclose(layer(features), plain(features), atol=1e-12)


def test_penalties_on_gradients_have_the_gradients_of_torch(layer, features):
    plain = nn.Conv2d(8, 8, 3, padding=1, groups=2).double()
    plain.load_state_dict(layer.state_dict())
    found = []
    for one in (layer, plain):
        # Twice and a bend between, so that each of the three derivatives is differentiated.
        score = one(one(features).tanh()).square().sum()
        (slope,) = torch.autograd.grad(score, features, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), [*one.parameters(), features]))
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-10)


def test_first_and_second_derivatives_agree_with_differences(layer, features):
    def play(features, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (features,))

    features = features[:1, :, :3, :3].detach().requires_grad_()
    inputs = (features, layer.weight, layer.bias)
    assert torch.autograd.gradcheck(play, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(play, inputs, fast_mode=True)


def test_weights_get_no_gradient_that_nobody_asks_for(layer, features, monkeypatch):
    from saddlepoint.layers import grouped

    def refuse(*arguments):
        raise AssertionError("the gradient of the weights was made")

    monkeypatch.setattr(grouped._Correlate, "apply", refuse)
    (slope,) = torch.autograd.grad(layer(features).sum(), features)
    assert bool(slope.isfinite().all())
