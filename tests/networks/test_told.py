"""Networks that are told the class at every layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from saddlepoint.networks import told

from .counting import parameters


def test_parameters_are_those_of_the_layers_and_a_bias_for_each_class_and_feature() -> None:
    # Weights, biases with ten classes beside them, two per normalized feature; layer by layer.
    dense = [100 * 1024 + 13 * 1024, 1024 * 8192 + 13 * 8192]
    ups = [16 * 128 * 64 + 13 * 64, 16 * 64 + 11]
    assert parameters(told.generator(size=32, channels=1, latent=100, classes=10)) == sum([*dense, *ups])
    downs = [16 * 64 + 11 * 64, 16 * 64 * 128 + 13 * 128]
    ends = [8192 * 1024 + 13 * 1024, 1024 + 11]
    assert parameters(told.discriminator(size=32, channels=1, classes=10)) == sum([*downs, *ends])


@pytest.mark.parametrize("size", [32, 64, 128])
def test_shapes_fit_together(size: int) -> None:
    label = F.one_hot(torch.tensor([0, 2, 1]), 3).float()
    images = told.generator(size=size, channels=3, latent=5, classes=3, width=4)(torch.randn(3, 5), label)
    assert images.shape == (3, 3, size, size)
    assert images.abs().max() <= 1
    assert told.discriminator(size=size, channels=3, classes=3, width=4)(images, label).shape == (3,)


def test_biases_of_the_classes_are_what_planes_of_the_label_would_add_inside_the_border() -> None:
    torch.manual_seed(0)
    features, label = torch.randn(2, 3, 8, 8), torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    joined = nn.Conv2d(3 + 2, 4, 4, stride=2, padding=1)
    alone = nn.Conv2d(3, 4, 4, stride=2, padding=1)
    layer = told.Told(alone, 4, classes=2)
    with torch.no_grad():
        alone.weight.copy_(joined.weight[:, :3])
        assert alone.bias is not None
        assert joined.bias is not None
        alone.bias.copy_(joined.bias)
        layer.biases.weight.copy_(joined.weight[:, 3:].sum((2, 3)))
    planes = label[:, :, None, None].expand(-1, -1, 8, 8)
    wanted = joined(torch.cat([features, planes], 1))
    assert torch.allclose(layer(features, label)[:, :, 1:-1, 1:-1], wanted[:, :, 1:-1, 1:-1], atol=1e-6)


def test_every_layer_hears_the_class() -> None:
    torch.manual_seed(0)
    judge = told.discriminator(size=32, channels=1, classes=2, width=4).eval()
    images, (first, second) = torch.randn(4, 1, 32, 32), torch.eye(2).repeat_interleave(4, 0).chunk(2)
    told_alike = judge(images, first)
    for layer in judge:
        with torch.no_grad():
            other = layer.biases.weight.detach().clone()
            layer.biases.weight.copy_(other[:, :1].expand(-1, 2))
            deaf = judge(images, second)
            layer.biases.weight.copy_(other)
        # Deaf at one layer, it still tells the classes apart by the others; and this one made a difference.
        assert not torch.allclose(deaf, told_alike)
        assert not torch.allclose(deaf, judge(images, second))
