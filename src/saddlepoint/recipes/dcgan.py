"""DCGAN: a GAN of convolutions with batch normalization (Radford et al. 2016).

Reproduces, each as a preset:
  tutorial  the PyTorch DCGAN tutorial: 64x64, 100 latents, N(0, 0.02) weights, Adam 2e-4 with beta1 0.5
  anime     a notebook on anime faces: 128 latents, batches of 512, 50 epochs
  digits    a textbook chapter's variant for MNIST: one channel, twice the width, BatchNorm scales from N(0, 0.02)
  leaky     the generator of Raschka's 2021 slides: LeakyReLU with slope 0.01
  keras     "An End to End Introduction to GANs": Glorot weights, biases, a faster BatchNorm, an extra convolution, a
            dense head, labels softened by up to 0.2, the generator judged on fakes of its own
  bare      a generator without normalization, as Gulrajani et al. 2017 (section 5) take it to make a GAN fail

Differs from the tutorial: the discriminator returns logits and the loss takes them (the same function, without the
overflow). Differs from the Keras post: the discriminator takes one step on real and fake together, not one on each,
and meets fakes made with the statistics of their batch, not with moving ones.

Result: by eye, on one core of a Xeon with AMX (docs/gallery has pictures, commands, seeds, times), recognizable faces
of varied hair and skin on 20,000 avatars at 64x64, mostly readable digits on MNIST at 32x32. Scores: not yet measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..networks import dcgan
from ..objectives import cross_entropy

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about a DCGAN."""

    size: recipe.Size = 64
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: int = Field(64, ge=4, le=512, description="channels at half the images' size; each halving doubles them")
    leak: float = Field(0.0, ge=0, lt=1, description="slope of the generator's activations for negative values")
    form: Literal["tutorial", "keras", "bare"] = Field(
        "tutorial",
        description="whose networks and round; keras: biases, dense head, generator on new fakes; bare: no norm in G",
    )
    initialization: dcgan.Initialization = Field("normal", description="distribution of the first weights")
    soften: float = Field(0.0, ge=0, lt=0.5, description="largest amount by which a label is softened at random")
    lr_generator: float = Field(2e-4, gt=0, le=1, description="learning rate of the generator")
    lr_discriminator: float = Field(2e-4, gt=0, le=1, description="learning rate of the discriminator")
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    batch: recipe.Batch = 128
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "tutorial": {},
    "anime": {"latent": 128, "batch": 512, "epochs": 50},
    "digits": {"channels": 1, "width": 128, "initialization": "chapter"},
    "leaky": {"leak": 0.01},
    "bare": {"form": "bare", "initialization": "he"},
    "keras": {"form": "keras", "leak": 0.2, "initialization": "glorot", "soften": 0.2, "lr_generator": 1.5e-4},
}

SMOKE: dict[str, Any] = {"size": 32, "latent": 8, "width": 4, "batch": 4, "steps": 4, "epochs": None}


BUILDERS: dict[str, tuple[Callable[..., nn.Sequential], Callable[..., nn.Sequential]]] = {
    "tutorial": (dcgan.generator, dcgan.discriminator),
    "keras": (dcgan.keras_generator, dcgan.keras_discriminator),
    "bare": (partial(dcgan.generator, norm="none"), dcgan.discriminator),
}


class DCGAN(Game):
    """The round of the PyTorch tutorial: the fakes of the discriminator's turn serve again in the generator's."""

    def __init__(self, options: Options, channels: int) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent
        build_generator, build_discriminator = BUILDERS[options.form]
        shape = {"size": options.size, "channels": channels, "width": options.width}
        self.generator = build_generator(**shape, latent=options.latent, leak=options.leak)
        self.discriminator = build_discriminator(**shape)
        dcgan.initialize(self, options.initialization)
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, betas=(self.options.beta1, 0.999), fused=True)
        return {
            "discriminator": Player(adam(self.discriminator.parameters(), lr=self.options.lr_discriminator)),
            "generator": Player(adam(self.generator.parameters(), lr=self.options.lr_generator)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        fake = self.sample(len(real))
        real_scores, fake_scores = self.discriminator(real), self.discriminator(fake.detach())
        ones, zeros = 1 - self.noise(real_scores), self.noise(fake_scores)
        yield Turn(
            "discriminator",
            real=cross_entropy(real_scores, ones),
            fake=cross_entropy(fake_scores, zeros),
            watch={"D(x)": real_scores.sigmoid().mean(), "D(G(z))": fake_scores.sigmoid().mean()},
        )
        if self.options.form == "keras":
            fake = self.sample(len(real))
        scores = self.discriminator(fake)
        yield Turn("generator", adversarial=cross_entropy(scores, ones), watch={"D(G(z))": scores.sigmoid().mean()})

    def noise(self, scores: Tensor) -> Tensor:
        """By how much each label is softened: uniform in [0, soften], shape of the scores."""
        return self.options.soften * torch.rand_like(scores, dtype=torch.float32)

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        images: Tensor = self.generator(latents)
        return images

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(images)
        return scores


def stages(options: Options, data: Source) -> Iterator[Stage]:
    images = data.images(size=options.size, channels=options.channels)
    game = DCGAN(options, images.channels)
    yield Stage("adversarial", game, images.stream(options.batch), recipe.rounds(options, images))
