"""ACGAN: a discriminator with two heads, and a generator that is recognized."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from saddlepoint import recipe
from saddlepoint.data.batches import Batch
from saddlepoint.data.images import Images
from saddlepoint.data.source import open_source
from saddlepoint.loop import train
from saddlepoint.match import opening
from saddlepoint.plan import Plan
from saddlepoint.recipes import acgan


def test_the_discriminator_has_the_papers_sizes() -> None:
    judge = acgan.Discriminator(acgan.Options(), 10, (3, 32, 32))
    found = [(layer.out_channels, layer.stride[0]) for layer in judge.modules() if isinstance(layer, nn.Conv2d)]
    assert found == [(16, 2), (32, 1), (64, 2), (128, 1), (256, 2), (512, 1)]
    assert judge.head.weight.shape == (11, 512 * 4 * 4)
    assert [layer.p for layer in judge.modules() if isinstance(layer, nn.Dropout)] == [0.5] * 6
    scores, logits = judge(torch.zeros(2, 3, 32, 32))
    assert scores.shape == (2,)
    assert logits.shape == (2, 10)


def test_both_players_are_paid_for_the_class_of_what_they_are_shown() -> None:
    torch.manual_seed(0)
    options = acgan.Options(width=6, latent=4, dropout=0.0)
    played = acgan.ACGAN(options, Images.blank(32, 1, ("a", "b", "c")))
    shown: list[tuple[torch.Tensor, torch.Tensor]] = []
    played.discriminator.register_forward_hook(lambda network, inputs, outputs: shown.append(outputs))
    asked: list[torch.Tensor] = []
    decode = played.decode
    played.decode = lambda latents, labels: (asked.append(labels), decode(latents, labels))[1]  # type: ignore[method-assign]
    batch = Batch(torch.randn(8, 1, 32, 32), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1]))
    judged, made = played.turns(iter([batch]))
    (_, of_real), (_, of_fake), (_, of_made) = shown
    assert torch.equal(judged.losses["class_of_real"], F.cross_entropy(of_real, batch.label))
    assert torch.equal(judged.losses["class_of_fake"], F.cross_entropy(of_fake, asked[0]))
    assert torch.equal(made.losses["class_asked"], F.cross_entropy(of_made, asked[0]))
    assert len(asked) == 1, "the same fakes serve in both turns"


def test_points_are_recognized_as_the_mode_that_was_asked_for() -> None:
    found = recipe.find("acgan")
    options = found.configure("plane", width=32, batch=64, average=0, steps=150)
    match = opening(found.stages(options, open_source("ring8:2000")), Plan("cpu", threads=1))
    train(match)
    game: Any = match.game
    labels = torch.arange(8).repeat(32)
    centers = torch.tensor(match.stage.data.examples.toy.centers, dtype=torch.float32)
    with match.averages.applied():
        points = game.sample(256, labels=labels, generator=torch.Generator().manual_seed(0))
        told = game.classify(match.stage.data.read(0, 256).image).argmax(1)
    assert float((told == match.stage.data.read(0, 256).label).float().mean()) > 0.99
    nearest = torch.cdist(points, centers).argmin(1)
    # Chance is 1/8; the classifier alone makes the generator obey, and soon.
    assert float((nearest == labels).float().mean()) > 0.9


def test_pictures_larger_than_the_papers_have_a_larger_map() -> None:
    played = acgan.ACGAN(acgan.Options(size=64, width=6, latent=4), Images.blank(64, 3, ("a", "b")))
    assert played.classify(played.sample(2)).shape == (2, 2)
    assert played.discriminator.head.in_features == pytest.approx(32 * 8 * 8)
