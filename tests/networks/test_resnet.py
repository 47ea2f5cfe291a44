"""The residual networks of Miyato et al. 2018."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from saddlepoint.layers.attention import Attention
from saddlepoint.networks.resnet import DownBlock, UpBlock, conditional_generator, discriminator, generator

from .counting import parameters


def test_have_as_many_parameters_as_published_ones() -> None:
    with torch.device("meta"):
        assert parameters(generator(size=32, channels=3, latent=128)) == 4_276_739
        assert parameters(discriminator(size=32, channels=3)) == 1_053_825


def test_larger_plans_are_those_of_the_authors() -> None:
    with torch.device("meta"):
        for size, features in ((64, [1024, 512, 256, 128, 64]), (128, [1024, 1024, 512, 256, 128, 64])):
            rising = [block for block in generator(size=size, channels=3, latent=128) if isinstance(block, UpBlock)]
            assert [block.first.in_channels for block in rising] == features[:-1]
            assert [block.first.out_channels for block in rising] == features[1:]
            blocks = [block for block in discriminator(size=size, channels=3).modules() if isinstance(block, DownBlock)]
            assert [block.second.out_channels for block in blocks] == features[::-1]
            assert [block.halve for block in blocks] == [True] * 5 + [False] * (size == 128)


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("channels", [1, 4])
@torch.no_grad()
def test_map_latents_to_images_and_images_to_logits(size: int, channels: int) -> None:
    torch.manual_seed(0)
    images = generator(size=size, channels=channels, latent=5, width=8)(torch.randn(3, 5))
    assert images.shape == (3, channels, size, size)
    assert 0 < float(images.abs().max()) <= 1
    judge = discriminator(size=size, channels=channels, width=4)
    scores = judge(images)
    assert scores.shape == (3,)
    assert torch.equal(judge.head(judge.features(images)).squeeze(1), scores)
    assert scores.unique().numel() == 3


def test_a_rising_block_widens_before_it_copies_without_a_difference() -> None:
    torch.manual_seed(0)
    block = UpBlock(3, 5, norm=nn.Identity)
    features = torch.randn(2, 3, 4, 4)
    doubled = F.interpolate(features.relu(), scale_factor=2.0)
    expected = block.second(block.first(doubled).relu()) + block.shortcut(F.interpolate(features, scale_factor=2.0))
    # The same sums in another order: float32 rounding of numbers near 1.
    assert torch.allclose(block(features), expected, atol=1e-5)


@pytest.mark.parametrize("first", [True, False])
def test_a_falling_block_averages_before_its_shortcut_without_a_difference(first: bool) -> None:
    torch.manual_seed(0)
    block = DownBlock(3, 5, halve=True, first=first)
    features = torch.randn(2, 3, 4, 4)
    # An image has negative pixels that a ReLU would hide.
    entering = features if first else features.relu()
    whole = block.second(block.first(entering).relu()) + block.shortcut(features)
    assert block.first.out_channels == (5 if first else 3)
    assert torch.allclose(block(features), F.avg_pool2d(whole, 2), atol=1e-5)  # rounding, as above


def test_a_block_that_changes_no_shape_passes_its_input_on() -> None:
    block = DownBlock(4, 4, halve=False)
    nn.init.zeros_(block.second.weight)
    features = torch.randn(2, 4, 8, 8)
    before = features.clone()
    assert torch.equal(block(features), features)
    assert torch.equal(features, before), "the input itself is left alone"


def test_a_generator_without_normalization_decodes_each_latent_alone() -> None:
    torch.manual_seed(0)
    network = generator(size=32, channels=1, latent=4, width=4, norm=nn.Identity)
    latents = torch.randn(3, 4)
    assert torch.allclose(network(latents)[:1], network(latents[:1]), atol=1e-6)  # batch sizes may round differently


def test_first_weights_are_glorot_and_first_biases_zero() -> None:
    torch.manual_seed(0)
    block = UpBlock(32, 64)
    # Glorot's variance is 2 / (entering + leaving), the gain √2 of the authors' code doubles it; 18,432 uniform samples
    # put the standard deviation within 1 % of that.
    assert float(block.first.weight.detach().std()) == pytest.approx((4 / (9 * (32 + 64))) ** 0.5, rel=0.02)
    assert float(block.shortcut.weight.detach().std()) == pytest.approx((2 / (32 + 64)) ** 0.5, rel=0.04)
    assert not any(bool(part.bias.count_nonzero()) for part in (block.first, block.second, block.shortcut))


def test_classes_cost_tables_and_nothing_else() -> None:
    with torch.device("meta"):
        # Six norms of 256 features in the blocks: gains and biases for each class, not for all; one vector each in D.
        plain = 4_276_739 - 2 * 6 * 256
        assert parameters(conditional_generator(size=32, channels=3, latent=128, classes=7)) == plain + 7 * 2 * 6 * 256
        assert parameters(discriminator(size=32, channels=3, classes=7)) == 1_053_825 + 7 * 128


def test_a_conditional_generator_starts_as_the_plain_one_whatever_the_class() -> None:
    torch.manual_seed(0)
    plain = generator(size=32, channels=1, latent=5, width=4)
    told = conditional_generator(size=32, channels=1, latent=5, classes=3, width=4)
    told.stem, told.end = plain[:2], plain[-4:]
    for mine, theirs in zip(told.blocks, plain[2:-4], strict=True):
        mine.first, mine.second, mine.shortcut = theirs.first, theirs.second, theirs.shortcut
    latents = torch.randn(3, 5)
    torch.testing.assert_close(told(latents, torch.tensor([0, 1, 2])), plain(latents))


@pytest.mark.parametrize(("size", "attention"), [(32, 8), (32, 16), (64, 32), (128, 64), (128, 8)])
def test_attention_is_at_the_asked_side_in_both(size: int, attention: int) -> None:
    shape = {"size": size, "channels": 3, "classes": 2, "width": 4, "attention": attention}
    rising, falling = conditional_generator(**shape, latent=4), discriminator(**shape)
    sides: list[int] = []
    for layer in (*rising.modules(), *falling.modules()):
        if isinstance(layer, Attention):
            layer.register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape[-1]))
    labels = torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        assert falling(rising(torch.randn(2, 4), labels), labels).shape == (2,)
    assert sides == [attention] * 2


def test_wide_blocks_widen_at_their_first_convolution() -> None:
    widening = [DownBlock(4, 8, halve=True, wide=wide).first.out_channels for wide in (False, True)]
    assert widening == [4, 8]
