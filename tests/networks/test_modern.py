"""The networks of R3GAN."""

import pytest
import torch
from torch.nn import functional as F

from saddlepoint.networks import modern


def test_channels_are_full_up_to_the_taper_and_halve_beyond():
    assert modern.widths(32, width=768, taper=32) == [768] * 4
    assert modern.widths(128, width=768, taper=32) == [768, 768, 768, 768, 384, 192]
    assert modern.widths(32, width=256, taper=4, patch=2) == [256, 128, 64]


@pytest.mark.parametrize(("size", "patch"), [(32, 1), (32, 2), (64, 4)])
def test_a_picture_from_a_latent_and_a_logit_from_a_picture(size, patch):
    plan = modern.widths(size, width=8, taper=8, patch=patch)
    made = modern.generator(plan, channels=3, latent=5, blocks=1, patch=patch)(torch.randn(2, 5))
    assert made.shape == (2, 3, size, size)
    assert modern.discriminator(plan, channels=3, blocks=1, patch=patch)(made).shape == (2,)


def test_the_published_network_has_its_published_size():
    plan = modern.widths(32, width=768, taper=32)
    for network in (modern.generator(plan, channels=3, latent=64), modern.discriminator(plan, channels=3)):
        # "20.7 M" is the authors' count; what differs is below its rounding.
        assert sum(weight.numel() for weight in network.parameters()) / 1e6 == pytest.approx(20.7, abs=0.06)


def test_a_block_begins_as_the_identity_and_does_not_stay_it():
    torch.manual_seed(0)
    block, features = modern.Block(8, blocks=4), torch.randn(2, 8, 4, 4)
    assert torch.equal(block(features), features)
    block(features).square().sum().backward()
    assert bool(block.reduce.weight.grad.any())


def test_halving_is_a_blur_at_each_second_pixel():
    features = torch.randn(2, 3, 8, 8)
    blur = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (blur[:, None] * blur).expand(3, 1, 3, 3)
    expected = F.conv2d(features, kernel, stride=2, padding=1, groups=3)
    # Sums of nine products in another order.
    assert torch.allclose(modern.Halve(3, 3, 8)(features), expected, atol=1e-6)


def test_doubling_keeps_pixels_and_puts_means_between_them():
    features = torch.randn(1, 2, 4, 4)
    doubled = modern.Double(2, 2, 4)(features)
    assert torch.allclose(doubled[..., ::2, ::2], features, atol=1e-6)
    assert torch.allclose(doubled[..., 0, 1], (features[..., 0, 0] + features[..., 0, 1]) / 2, atol=1e-6)


def test_a_pointwise_layer_is_a_1x1_convolution():
    layer, features = modern.Pointwise(4, 6, bias=True), torch.randn(2, 4, 3, 5)
    expected = F.conv2d(features, layer.weight[:, :, None, None], layer.bias)
    assert torch.allclose(layer(features), expected, atol=1e-6)
