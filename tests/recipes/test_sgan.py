"""The semi-supervised GAN: what its losses say, and that labels of the rest are worth nothing to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from saddlepoint import recipe
from saddlepoint.data.images import Images
from saddlepoint.errors import UsageError
from saddlepoint.game import Turn
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.plan import Plan

SGAN = recipe.find("sgan")
PLAN = Plan("cpu", threads=1)


class Stripes:
    """A source of pictures 8x8: a bright row says the class, its brightness and the noise vary."""

    def images(self, *, size: int | None = None, channels: int | None = None) -> Images:
        random = np.random.default_rng(0)
        labels = random.integers(0, 3, 240)
        pixels = random.integers(0, 90, (240, 8, 8, 1))
        pixels[np.arange(240), 2 * labels + 1] += random.integers(30, 120, (240, 1, 1))
        return Images.of(pixels.astype(np.uint8), labels, classes=("a", "b", "c"), name="stripes")


class Wordless(Stripes):
    """The same without classes."""

    def images(self, *, size: int | None = None, channels: int | None = None) -> Images:
        found = super().images()
        return Images.of(found.pixels, name="stripes")  # type: ignore[arg-type]


def match(**given: Any) -> Match:
    options = {**SGAN.smoke, "batch": 24, "width": 16, **given}
    return opening(SGAN.stages(SGAN.configure(**options), Stripes()), PLAN)


def batches(played: Match) -> Iterator[Any]:
    stream = played.stage.data
    return (stream.read(start, stream.batch) for start in itertools.count(0, stream.batch))


def first_round(played: Match) -> dict[str, Turn]:
    return {turn.player: turn for turn in played.game.turns(batches(played))}


@pytest.fixture
def silent() -> Match:
    """A match whose discriminator has no noise, so that its losses can be computed again."""
    played = match()
    played.game.discriminator.eval()
    return played


def test_being_real_is_being_of_any_class(silent: Match) -> None:
    game, images = silent.game, silent.stage.data.read(0, 8).image
    logits = game.classify(images)
    sums = logits.exp().sum(1)
    assert torch.allclose(game.score(images).sigmoid(), sums / (sums + 1), atol=1e-6)
    # The same as the shares of K + 1 classes of which the last has the logit 0.
    shares = F.pad(logits, (0, 1)).softmax(1)
    assert torch.allclose(1 - game.score(images).sigmoid(), shares[:, -1], atol=1e-6)


def test_losses_are_the_papers(silent: Match) -> None:
    game, (read, other) = silent.game, (silent.stage.data.read(start, 24) for start in (0, 24))
    torch.manual_seed(0)
    turns = first_round(silent)
    torch.manual_seed(0)
    with torch.no_grad():
        fake, another = game.sample(24), game.sample(24)
        named = game.classify(read.labeled.image).log_softmax(1)[range(24), read.labeled.label]
        real, made = (game.score(images).sigmoid() for images in (read.unlabeled.image, fake))
        means = [game.discriminator.features(images).mean(0) for images in (other.unlabeled.image, another)]
    losses = {name: loss.item() for turn in turns.values() for name, loss in turn.losses.items()}
    assert losses == pytest.approx(
        {
            "supervised": -named.mean().item(),
            "real": -real.log().mean().item() / 2,
            "fake": -(1 - made).log().mean().item() / 2,
            "features": (means[0] - means[1]).square().mean().item(),
        },
        rel=1e-4,  # sums of float32 in another order
    )


def test_the_connected_generator_begins_with_the_mean_picture() -> None:
    played = match()
    first = played.stage.data.read(0, 240).image
    with torch.no_grad():
        drawn = played.game.sample(2000).mean(0)
    # Sigmoids of what latents add do not average out, and pixels are kept off 0 and 1.
    assert (drawn - first.mean(0)).abs().mean() < 0.15
    # What it begins without: gray everywhere.
    assert first.mean(0).abs().mean() > 0.4


def test_only_the_chosen_labels_are_used() -> None:
    losses = []
    for lie in (False, True):
        played = match()
        if lie:
            # Whatever the others are called, the game must not notice: only the stream's own choice carries labels.
            labels = played.stage.data.examples.labels
            labels[:] = (labels + 1) % 3
        train(played)
        losses.append({name: float(value) for name, value in played.tally.items()})
    assert losses[0] == losses[1]


@pytest.mark.parametrize("form", ["connected", "convolutional"])
def test_it_learns_to_tell_what_it_was_told_of_few(form: str) -> None:
    played = match(form=form, width=8, steps=100, labels=9, lr=3e-3, average=20.0)
    train(played)
    everything = played.stage.data.examples
    pictures = torch.from_numpy(everything.pixels[:].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    with played.averages.applied():
        right = (played.game.classify(pictures).argmax(1).numpy() == everything.labels).mean()
    # Chance is 0.33.
    assert right > 0.9


def test_data_without_classes_are_refused() -> None:
    with pytest.raises(UsageError, match="stripes has no classes"):
        next(SGAN.stages(SGAN.configure(**SGAN.smoke), Wordless()))
