"""The networks of the tutorials: their parameters, shapes and first weights."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
import torch
from torch import nn

from saddlepoint.networks import dcgan

from .counting import parameters


def test_the_tutorial_has_as_many_parameters_as_published() -> None:
    assert parameters(dcgan.generator(size=64, channels=3, latent=100)) == 3_576_704
    assert parameters(dcgan.discriminator(size=64, channels=3)) == 2_765_568


def test_the_keras_networks_have_as_many_trainable_parameters_as_keras_counts() -> None:
    # By hand: kernels, biases and two per normalized channel; 3x3 kernel for the extra convolution.
    widths = [100, 512, 256, 128, 64]
    ups = sum(16 * a * b + 3 * b for a, b in pairwise(widths))
    assert (
        parameters(dcgan.keras_generator(size=64, channels=3, latent=100))
        == ups + 9 * 64 * 64 + 3 * 64 + 16 * 64 * 3 + 3
    )
    downs = 16 * 3 * 64 + 64 + sum(16 * a * b + 3 * b for a, b in ((64, 128), (128, 256), (256, 512)))
    assert parameters(dcgan.keras_discriminator(size=64, channels=3)) == downs + 512 * 16 + 1


@pytest.mark.parametrize(
    ("size", "plan"), [(32, [256, 128, 64]), (64, [512, 256, 128, 64]), (128, [1024, 512, 256, 128, 64])]
)
def test_channel_plan(size: int, plan: list[int]) -> None:
    assert dcgan.channel_plan(size, 64) == plan


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("make", "judge"),
    [(dcgan.generator, dcgan.discriminator), (dcgan.keras_generator, dcgan.keras_discriminator)],
    ids=["tutorial", "keras"],
)
def test_shapes(size: int, channels: int, make: type, judge: type) -> None:
    shape = {"size": size, "channels": channels, "width": 4}
    images = make(**shape, latent=6)(torch.randn(2, 6))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert judge(**shape)(images).shape == (2,)


def test_leak_of_the_generator() -> None:
    for leak in (0.0, 0.01):
        slopes = {
            m.negative_slope
            for m in dcgan.generator(size=32, channels=1, latent=4, leak=leak)
            if hasattr(m, "negative_slope")
        }
        assert slopes == {leak}


def test_torchs_own_initialization_stays() -> None:
    network = dcgan.discriminator(size=32, channels=1, width=4)
    before = [parameter.clone() for parameter in network.parameters()]
    dcgan.initialize(network, "torch")
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))


@pytest.mark.parametrize("norm", get_args(dcgan.Norm))
def test_normalization(norm: dcgan.Norm) -> None:
    shape: dict[str, int] = {"size": 32, "channels": 1, "width": 4}
    kinds = {"batch": nn.BatchNorm2d, "layer": nn.GroupNorm}
    for network in (dcgan.generator(**shape, latent=8, norm=norm), dcgan.discriminator(**shape, norm=norm)):
        norms = [type(module) for module in network if isinstance(module, nn.BatchNorm2d | nn.GroupNorm)]
        assert set(norms) == ({kinds[norm]} if norm in kinds else set())
        convolutions = [module for module in network if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
        assert {module.bias is None for module in convolutions} == {norm == "batch"}


def test_a_norm_of_each_sample_leaves_the_contrast_to_be_seen() -> None:
    torch.manual_seed(0)
    network = dcgan.discriminator(size=32, channels=1, width=8, norm="layer")
    pale = torch.rand(4, 1, 32, 32) - 0.5
    assert (network(2 * pale) - network(pale)).abs().max() > 1e-2


@pytest.mark.parametrize("how", [how for how in get_args(dcgan.Initialization) if how != "torch"])
def test_initialization(how: dcgan.Initialization) -> None:
    torch.manual_seed(0)
    network = dcgan.keras_discriminator(size=64, channels=3, width=32)
    dcgan.initialize(network, how)
    convolution, norm, dense = network[2], network[3], network[-2]
    assert isinstance(norm, nn.BatchNorm2d)
    for module in network.modules():
        if isinstance(bias := getattr(module, "bias", None), torch.Tensor):
            assert not bias.any()
    scale = {"normal": 1.0, "chapter": 0.0, "glorot": 1.0, "he": 1.0}[how]
    assert norm.weight.mean().item() == pytest.approx(scale, abs=0.02)
    if how == "glorot":
        assert (norm.weight == 1).all()
        for weight, fans in ((convolution.weight, 16 * (32 + 64)), (dense.weight, 16 * 256 + 1)):
            limit = (6 / fans) ** 0.5  # Keras: uniform on ±√(6 / (fan in + fan out))
            assert 0.98 * limit < weight.abs().max().item() <= limit
    elif how == "he":
        assert (norm.weight == 1).all()
        for weight, inputs in ((convolution.weight, 16 * 32), (dense.weight, 16 * 256)):
            assert weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.05)  # of 4,096 numbers or more
    else:
        for weight in (convolution.weight, norm.weight, dense.weight):
            assert weight.std().item() == pytest.approx(0.02, rel=0.3)


def test_hes_weights_keep_a_signal_without_norms() -> None:
    torch.manual_seed(0)
    network = dcgan.generator(size=64, channels=3, latent=100, width=32, norm="none")
    dcgan.initialize(network, "he")
    features = torch.randn(32, 100)
    for module in network[:-1]:
        features = module(features)
        if isinstance(module, nn.LeakyReLU):
            # Half the numbers of a layer are cut to zero, and its weights make up for it. At a border a fifth less.
            assert features.square().mean().sqrt().item() == pytest.approx(1.0, abs=0.3)
