"""Conditional DCGAN: a DCGAN that is told the class, as a textbook chapter builds it for MNIST.

Reproduces, as the preset `chapter`: the 32x32 network of the chapter's section on conditional adversarial nets. Noise
and label pass a first layer of their own in the generator, picture and label planes in the discriminator, and the two
are joined from there on; convolutions have biases, weights and the scales of the BatchNorm come from N(0, 0.02). Fakes
are of classes drawn uniformly, others in the generator's turn than in the discriminator's. Mirza and Osindero 2014
have the idea, Radford et al. 2016 the layers. The preset `laptop` is for one core: the networks of Radford et al.'s own
digits, whose every layer is told the class (`networks/told.py`), noise on all that the discriminator sees, a price for
samples of a class that are alike (Mao et al. 2019), which fades, a rate that falls, an average of the generator.

Differs from the chapter: the discriminator returns logits and the loss takes them; biases start at 0 and not at
PyTorch's small random values; pictures are made with the running statistics of the BatchNorm, not with those of their
batch. Sizes of 64 and 128 have one and two layers more, as a DCGAN has.

Result: the preset `laptop` on MNIST, 8,000 steps, 45 minutes of one core with bf16: 99.7 % of samples are told as the
digit that was asked for, no digit under 98.8 %. Their variety is a little smaller than that of the data: the nearest of
50,000 samples is of another digit for 3.6 % of the test digits, the nearest of 60,000 real ones for 2.9 %, and a
network that learned from samples alone tells 99.2 % of them, not 99.65 %. With the chapter's networks, half as wide, in
20,000 steps it was 5.0 %, without tricks 6.8 %. With `--width 32` and no tricks they drew one picture for each digit:
after 1,000 steps a variance within a class of 0.006, the data's is 0.195; `--networks radford --width 16` had 0.184.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.convolution import Down, Head, Stem, Up
from ..layers.labels import draw_labels, one_hot
from ..layers.latents import latents
from ..layers.noise import instance_noise
from ..networks import dcgan, told
from ..objectives import cross_entropy
from ..penalties import mode_seeking
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.images import Images
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a conditional DCGAN."""

    size: recipe.Size = 32
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: int = Field(128, ge=4, le=512, description="channels at half the images' size; each halving doubles them")
    networks: Literal["chapter", "radford"] = Field("chapter", description="told the class at once, or at every layer")
    noise: float = Field(0.0, ge=0, description="deviation of the noise on all pictures that the discriminator sees")
    seek: float = Field(0.0, ge=0, description="weight at first of a price for samples of a class that are alike")
    initialization: dcgan.Initialization = Field("chapter", description="distribution of the first weights")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 128
    steps: recipe.Steps = 10_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "chapter": {"channels": 1, "epochs": 20},
    "laptop": {
        **{"networks": "radford", "width": 64, "initialization": "normal", "noise": 0.2, "seek": 0.3},
        **{"lr": 4e-4, "average": 200, "decay": 0.5, "batch": 128, "steps": 8_000},
    },
}

# The chapter's scales let next to nothing through for the first hundred steps.
SMOKE: dict[str, Any] = {
    **{"size": 32, "latent": 8, "width": 4, "initialization": "normal"},
    **{"batch": 4, "steps": 4, "epochs": None},
}


class Generator(nn.Module):
    """Maps latents (N, Z) and classes (N, K) to images (N, C, size, size) in [-1, 1]."""

    def __init__(self, options: Options, classes: int, channels: int) -> None:
        super().__init__()
        widths = dcgan.channel_plan(options.size, options.width)
        half = widths[0] // 2
        self.noise = nn.Sequential(Stem(options.latent, half, bias=True), nn.BatchNorm2d(half), nn.ReLU(inplace=True))
        self.label = nn.Sequential(Stem(classes, half, bias=True), nn.BatchNorm2d(half), nn.ReLU(inplace=True))
        layers: list[nn.Module] = []
        for entering, leaving in pairwise(widths):
            layers += [Up(entering, leaving, bias=True), nn.BatchNorm2d(leaving), nn.ReLU(inplace=True)]
        self.joint = nn.Sequential(*layers, Up(widths[-1], channels, bias=True), nn.Tanh())

    def forward(self, latents: Tensor, label: Tensor) -> Tensor:
        images: Tensor = self.joint(torch.cat([self.noise(latents), self.label(label)], 1))
        return images


class Discriminator(nn.Module):
    """Maps images (N, C, size, size) and classes (N, K), shown as K planes of one number each, to logits (N,)."""

    def __init__(self, options: Options, classes: int, channels: int) -> None:
        super().__init__()
        widths = dcgan.channel_plan(options.size, options.width)[::-1]
        half = widths[0] // 2
        self.image = nn.Sequential(Down(channels, half, bias=True), nn.LeakyReLU(0.2, inplace=True))
        self.label = nn.Sequential(Down(classes, half, bias=True), nn.LeakyReLU(0.2, inplace=True))
        layers: list[nn.Module] = []
        for entering, leaving in pairwise(widths):
            layers += [Down(entering, leaving, bias=True), nn.BatchNorm2d(leaving), nn.LeakyReLU(0.2, inplace=True)]
        self.joint = nn.Sequential(*layers, Head(widths[-1], bias=True))

    def forward(self, images: Tensor, label: Tensor) -> Tensor:
        planes = label[:, :, None, None].expand(-1, -1, *images.shape[2:])
        scores: Tensor = self.joint(torch.cat([self.image(images), self.label(planes)], 1))
        return scores


class CDCGAN(Game):
    """The chapter's round: two turns, each with fakes of its own."""

    frequencies: Tensor

    def __init__(self, options: Options, data: Images) -> None:
        super().__init__()
        self.options, self.latent, self.classes = options, options.latent, recipe.classes(data)
        self.steps = recipe.rounds(options, data)
        self.register_buffer("frequencies", torch.tensor(data.frequencies))
        shape = {"size": options.size, "channels": data.channels, "width": options.width, "classes": len(self.classes)}
        if options.networks == "radford":
            self.generator: nn.Module = told.generator(latent=options.latent, **shape)
            self.discriminator: nn.Module = told.discriminator(**shape)
        else:
            self.generator = Generator(options, len(self.classes), data.channels)
            self.discriminator = Discriminator(options, len(self.classes), data.channels)
        dcgan.initialize(self, options.initialization)
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(self.options.beta1, 0.999), fused=True)
        schedule = linear_decay(self.options.decay)
        return {
            "discriminator": Player(adam(self.discriminator.parameters()), schedule=schedule),
            "generator": Player(adam(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        batch, blurred = next(batches), partial(instance_noise, scale=self.options.noise)
        asked = self.any_labels(len(batch.image))
        with torch.no_grad():
            fake = self.sample(len(asked), labels=asked)
        real_scores, fake_scores = self.judge(blurred(batch.image), batch.label), self.judge(blurred(fake), asked)
        yield Turn(
            "discriminator",
            real=cross_entropy(real_scores, 1.0),
            fake=cross_entropy(fake_scores, 0.0),
            watch={"D(x|y)": real_scores.sigmoid().mean(), "D(G(z|y))": fake_scores.sigmoid().mean()},
        )
        asked = self.any_labels(len(asked))
        if self.options.seek:
            # Each class twice, so that there are pairs to compare.
            asked = asked[: len(asked) // 2].repeat(2)
        noise = latents(len(asked), self.latent, self)
        fake = self.decode(noise, asked)
        scores = self.judge(blurred(fake), asked)
        losses = {"adversarial": cross_entropy(scores, 1.0)}
        if self.options.seek:
            # It fades: a generator that has learned to vary should vary as the data do, and no more.
            weight = self.options.seek * (1 - self.step / self.steps)
            losses["sameness"] = weight * mode_seeking(*fake.chunk(2), *noise.chunk(2))
        yield Turn("generator", **losses, watch={"D(G(z|y))": scores.sigmoid().mean()})

    def any_labels(self, count: int) -> Tensor:
        """Labels int64 (count,) of all classes alike, whatever their frequencies in the data."""
        return draw_labels(count, torch.ones_like(self.frequencies))

    def judge(self, images: Tensor, labels: Tensor) -> Tensor:
        """Logits (N,): is it real, and of its class?"""
        scores: Tensor = self.discriminator(images, one_hot(labels, len(self.classes)))
        return scores

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = latents(count, self.latent, self, generator)
        return self.decode(noise, draw_labels(count, self.frequencies, generator) if labels is None else labels)

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        images: Tensor = self.generator(latents, one_hot(labels, len(self.classes)))
        return images


def stages(options: Options, data: Source) -> Iterator[Stage]:
    images = data.images(size=options.size, channels=options.channels)
    game = CDCGAN(options, images)
    yield Stage("adversarial", game, images.stream(options.batch), recipe.rounds(options, images))
