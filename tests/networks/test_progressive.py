"""Networks that grow: sizes, and what a share of the newest layers means."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.networks import progressive
from saddlepoint.networks.modern import widths
from saddlepoint.networks.progressive import Discriminator, Generator, enlarge, reduce

from .counting import parameters

PLAN = [8, 6, 4]


def grown(times: int) -> tuple[Generator, Discriminator]:
    torch.manual_seed(0)
    generator, discriminator = Generator(PLAN, channels=3, latent=5), Discriminator(PLAN, channels=3)
    for _ in range(times):
        generator.grow()
        discriminator.grow()
    return generator, discriminator


def test_at_1024_they_have_the_published_number_of_parameters() -> None:
    plan = widths(1024, width=512, taper=32)
    with torch.device("meta"):
        generator = Generator(plan, channels=3, latent=512)
        discriminator = Discriminator(plan, channels=3)
        for _ in plan[1:]:
            generator.grow()
            discriminator.grow()
    assert generator.side == 1024
    # With every layer to and from colors, as the authors' code has them.
    assert parameters(generator) == 23_079_115
    assert parameters(discriminator) == 23_087_249


@pytest.mark.parametrize("times", [0, 1, 2])
def test_growing_doubles_the_side(times: int) -> None:
    generator, discriminator = grown(times)
    images = generator(torch.randn(4, 5))
    assert images.shape == (4, 3, 4 << times, 4 << times)
    assert generator.side == 4 << times
    assert discriminator(images).shape == (4,)


def test_new_layers_without_a_share_change_nothing() -> None:
    generator, discriminator = grown(1)
    latents, images = torch.randn(4, 5), torch.randn(4, 3, 16, 16)
    before = generator(latents), discriminator(reduce(images))
    generator.grow()
    discriminator.grow()
    nothing = torch.zeros(())
    assert torch.allclose(generator(latents, nothing), enlarge(before[0]), atol=1e-6)
    assert torch.allclose(discriminator(images, nothing), before[1], atol=1e-5)


def test_new_layers_with_the_whole_share_are_all_there_is() -> None:
    generator, discriminator = grown(2)
    latents, images, whole = torch.randn(4, 5), torch.randn(4, 3, 16, 16), torch.ones(())
    assert torch.allclose(generator(latents, whole), generator(latents), atol=1e-6)
    assert torch.allclose(discriminator(images, whole), discriminator(images), atol=1e-5)


def test_a_fading_picture_is_a_mixture_of_both() -> None:
    generator, _ = grown(1)
    latents = torch.randn(2, 5)
    none, half, whole = (generator(latents, torch.tensor(share)) for share in (0.0, 0.25, 1.0))
    assert torch.allclose(half, 0.75 * none + 0.25 * whole, atol=1e-6)


@pytest.mark.parametrize("fading", [False, True])
def test_what_plays_is_what_gets_a_gradient(fading: bool) -> None:
    share = torch.tensor(0.5) if fading else None
    generator, discriminator = grown(2)
    discriminator(generator(torch.randn(4, 5), share), share).sum().backward()
    for network in (generator, discriminator):
        moved = {id(weight) for weight in network.parameters() if weight.grad is not None}
        assert moved == {id(weight) for weight in network.playing(fading=fading)}


def test_latents_are_directions() -> None:
    generator, _ = grown(1)
    latents = torch.randn(2, 5)
    assert torch.allclose(generator(latents), generator(3 * latents), atol=1e-5)


def test_the_discriminator_sees_when_all_pictures_are_alike() -> None:
    _, discriminator = grown(0)
    images = torch.randn(4, 3, 4, 4)
    alone = discriminator(images[:1].expand(4, -1, -1, -1))
    assert not torch.allclose(discriminator(images)[:1], alone[:1])
    assert isinstance(discriminator.blocks[0], progressive.Verdict)


def test_reducing_takes_back_what_enlarging_does() -> None:
    images = torch.randn(1, 3, 4, 4)
    assert torch.allclose(reduce(enlarge(images, 4), 4), images, atol=1e-6)
    assert enlarge(images, 1) is images
    assert reduce(images, 1) is images
