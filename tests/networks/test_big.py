"""The networks of Brock et al. 2019, built on the meta device where they are large."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from saddlepoint.errors import UsageError
from saddlepoint.layers.attention import Attention
from saddlepoint.networks import big
from saddlepoint.networks.resnet import DownBlock, UpBlock

from .counting import parameters

SMALL: dict[str, Any] = {"size": 32, "channels": 3, "classes": 3, "width": 2}


def test_have_as_many_parameters_as_published_ones() -> None:
    with torch.device("meta"):
        assert parameters(big.generator(size=128, channels=3, latent=120, classes=1000)) == 70_433_988
        assert parameters(big.discriminator(size=128, channels=3, classes=1000)) == 87_982_370


@pytest.mark.parametrize(
    ("size", "rising", "falling", "halvings"),
    [
        (32, [4, 4, 4, 4], [4, 4, 4, 4], 2),
        (64, [16, 16, 8, 4, 2], [1, 2, 4, 8, 16], 4),
        (128, [16, 16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16], 5),
    ],
)
def test_plans_are_those_of_the_authors(size: int, rising: list[int], falling: list[int], halvings: int) -> None:
    with torch.device("meta"):
        generator = big.generator(size=size, channels=1, latent=120, classes=10, width=8)
        discriminator = big.discriminator(size=size, channels=1, classes=10, width=8)
    ups = [block for block in generator.modules() if isinstance(block, UpBlock)]
    assert [ups[0].first.in_channels, *(block.second.out_channels for block in ups)] == [8 * units for units in rising]
    downs = [block for block in discriminator.modules() if isinstance(block, DownBlock)]
    assert [block.second.out_channels for block in downs] == [8 * units for units in falling]
    assert all(block.first.out_channels == block.second.out_channels for block in downs)
    assert [block.halve for block in downs] == [index < halvings for index in range(len(downs))]


@pytest.mark.parametrize("size", [32, 64, 128])
@torch.no_grad()
def test_map_latents_and_labels_to_images_and_attend_at_half_the_size(size: int) -> None:
    torch.manual_seed(0)
    generator = big.generator(size=size, channels=1, latent=60, classes=3, width=2)
    discriminator = big.discriminator(size=size, channels=1, classes=3, width=2)
    sides: list[int] = []
    for layer in (*generator.modules(), *discriminator.modules()):
        if isinstance(layer, Attention):
            layer.register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape[-1]))
    latents, labels = torch.randn(2, 60), torch.tensor([2, 0])
    images = generator(latents, labels)
    assert images.shape == (2, 1, size, size)
    assert float(images.abs().max()) <= 1
    scores = discriminator(images, labels)
    assert scores.shape == (2,)
    assert sides == [size // 2] * 2
    assert not torch.equal(discriminator(images, labels.flip(0)), scores)
    torch.testing.assert_close(generator(latents, torch.eye(3)[labels]), images)


def test_each_part_of_a_latent_enters_at_a_scale_of_its_own() -> None:
    torch.manual_seed(0)
    generator = big.generator(**SMALL, latent=8).eval()
    seen: list[torch.Tensor] = []
    for block in generator.network.blocks:
        block.register_forward_hook(lambda _, inputs, output: seen.append(output))
    latents, labels = torch.randn(1, 8), torch.zeros(1, dtype=torch.long)
    with torch.no_grad():
        generator(latents, labels)
        for part in range(4):
            moved = latents.clone()
            moved[:, 2 * part : 2 * part + 2] += 1
            generator(moved, labels)
    before, after = seen[:3], [seen[start : start + 3] for start in (3, 6, 9, 12)]
    for part, outputs in enumerate(after):
        changed = [not torch.equal(one, other) for one, other in zip(before, outputs, strict=True)]
        assert changed == [block >= part - 1 for block in range(3)]


def test_a_latent_that_makes_no_equal_parts_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be cut into 6 equal parts") as refusal:
        big.generator(size=128, channels=3, latent=128, classes=2, width=1)
    assert refusal.value.fix == "--latent 132"


def test_first_weights_are_orthogonal() -> None:
    torch.manual_seed(0)
    for network in (big.generator(**SMALL, latent=8, shared=4), big.discriminator(**SMALL)):
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding)]
        assert len(layers) > 10
        for layer in layers:
            rows = layer.weight.detach().flatten(1)
            products = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
            # float32 sums of a few hundred products.
            torch.testing.assert_close(products, torch.eye(len(products)), rtol=0, atol=1e-5)
