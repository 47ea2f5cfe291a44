"""The classifier that is a discriminator, and where its generator starts."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.networks.classifying import Centered, Discriminator, Form, begin_with_the_mean, generator

SHAPE = (1, 8, 8)


@pytest.mark.parametrize("form", ["connected", "convolutional"])
def test_shapes_fit_together(form: Form) -> None:
    made = generator(form, 5, 4, SHAPE)(torch.randn(6, 5))
    assert made.shape == (6, *SHAPE)
    assert made.min() >= 0
    assert made.max() <= 1
    judge = Discriminator(form, 4, 3, SHAPE)
    assert judge(made).shape == (6, 3)
    assert judge.features(made).ndim == 2


def test_only_the_connected_form_is_blind_to_neighborhoods() -> None:
    torch.manual_seed(0)
    images, order = torch.rand(4, *SHAPE) * 2 - 1, torch.randperm(64)
    judge = Discriminator("connected", 4, 3, SHAPE).eval()
    seen = judge(images)
    # A permutation of the pixels is undone by one of the first layer's weights.
    first = judge.body[2].parametrizations["weight"].original1
    with torch.no_grad():
        first.copy_(first[:, order])
    assert torch.allclose(judge(images.flatten(1)[:, order].view(4, *SHAPE)), seen, atol=1e-5)


def test_a_centered_softplus_has_mean_zero_behind_normalization() -> None:
    normal = torch.distributions.Normal(0.0, 1.0).icdf(torch.linspace(0.0005, 0.9995, 1000))
    assert Centered()(normal).mean().abs() < 1e-3


def test_the_last_biases_draw_the_mean() -> None:
    images = torch.rand(50, *SHAPE) * 2 - 1
    made = generator("connected", 5, 4, SHAPE)
    begin_with_the_mean(made, images)
    mean = (images.mean(0) + 1) / 2
    assert torch.allclose(made[6].bias.sigmoid().view(SHAPE), mean, atol=1e-5)
