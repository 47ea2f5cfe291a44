"""InfoGAN: finds classes and factors in data without labels (Chen et al. 2016).

Reproduces: "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets", for
MNIST as in appendix C.1: 62 numbers of noise, a code of 10 categories, 2 continuous codes, all but the categories
uniform on [-1, 1]. A network Q, which shares all but its last layers with the discriminator, tells the codes from a
fake; the better it does, the more the fakes are known to say about the codes (section 5). Mistakes cost cross entropy
for the categories and half the squared error for continuous codes, the likelihood of a Gaussian of variance 1.

Who moves Q: both players pay for its mistakes, the generator to make codes plain to see, the discriminator because the
bound on the information is as tight as Q is good. Q's layers are the discriminator's and move in its turn.

Where the codes are: the categories are the classes, called `code 0` and so on whatever the data's are. Of a latent the
first `latent` numbers are noise, the last `continuous` the continuous codes: coordinates 62 and 63 by default.

Differs from the paper: a tanh at the end. `plane` is for points. `laptop` is narrower and averaged, its rates fall, and
λ is 0.1: with 1 two pairs of digits ended up in two categories together.

Result: 96.3 % of MNIST's test digits lie in their category by `laptop`, 81.1 % with `--weight 1`; published are 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from .. import recipe
from ..game import Game, Player, Stage, Turn
from ..layers.convolution import Down, Up
from ..layers.labels import draw_labels, one_hot
from ..layers.latents import latents
from ..networks import dcgan
from ..networks.mlp import mlp
from ..objectives import cross_entropy
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source


class Options(recipe.Options):
    """What can be chosen about an InfoGAN."""

    size: int = Field(28, ge=8, le=128, multiple_of=4, description="height and width of pictures in pixels")
    channels: recipe.Channels = None
    latent: int = Field(62, ge=1, le=4096, description="numbers of noise, which nobody has to tell")
    categories: int = Field(10, ge=2, le=4096, description="values of the categorical code")
    continuous: int = Field(2, ge=0, le=256, description="continuous codes, the last numbers of a latent")
    weight: float = Field(1.0, ge=0, le=100, description="weight λ of telling the codes")
    width: recipe.Width = 64
    lr_discriminator: float = Field(2e-4, gt=0, le=1, description="learning rate of the discriminator and of Q")
    lr_generator: float = Field(1e-3, gt=0, le=1, description="learning rate of the generator")
    beta1: recipe.Beta1 = 0.5
    average: recipe.Average = 0.0
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 128
    steps: recipe.Steps = 10_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"width": 48, "weight": 0.1, "average": 200, "decay": 0.5},
    "plane": {
        **{"latent": 2, "categories": 8, "continuous": 0, "width": 128, "lr_discriminator": 1e-3},
        **{"average": 200, "decay": 0.5, "batch": 256, "steps": 5000},
    },
}

SMOKE: dict[str, Any] = {"size": 8, "latent": 8, "width": 4, "batch": 4, "steps": 4}


def generator(entering: int, shape: tuple[int, ...], width: int) -> nn.Sequential:
    """Maps noise and codes (N, entering) to data of a shape, pictures in [-1, 1]."""
    if len(shape) == 1:
        return mlp([entering, *[width] * 3, *shape], leak=0.0)
    dense, joint = 16 * width, 2 * width * (shape[1] // 4) ** 2
    return nn.Sequential(
        *[nn.Linear(entering, dense, bias=False), nn.BatchNorm1d(dense), nn.ReLU(inplace=True)],
        *[nn.Linear(dense, joint, bias=False), nn.BatchNorm1d(joint), nn.ReLU(inplace=True)],
        nn.Unflatten(1, (2 * width, shape[1] // 4, shape[2] // 4)),
        *[Up(2 * width, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)],
        *[Up(width, shape[0], bias=True), nn.Tanh()],
    )


class Discriminator(nn.Module):
    """D and Q: maps data of a shape to logits (N,) and to what is told of the codes, (N, codes)."""

    def __init__(self, shape: tuple[int, ...], width: int, codes: int) -> None:
        super().__init__()
        self.told: nn.Module
        leaky = partial(nn.LeakyReLU, 0.1, inplace=True)
        if len(shape) == 1:
            self.body = nn.Sequential(*mlp([*shape, *[width] * 3], leak=0.1), leaky())
            self.source, self.told = nn.Linear(width, 1), nn.Linear(width, codes)
            return
        dense, joint = 16 * width, 2 * width * (shape[1] // 4) ** 2
        self.body = nn.Sequential(
            *[Down(shape[0], width, bias=True), leaky()],
            *[Down(width, 2 * width), nn.BatchNorm2d(2 * width), leaky(), nn.Flatten()],
            *[nn.Linear(joint, dense, bias=False), nn.BatchNorm1d(dense), leaky()],
        )
        self.source = nn.Linear(dense, 1)
        last = nn.Linear(2 * width, codes)
        self.told = nn.Sequential(nn.Linear(dense, 2 * width, bias=False), nn.BatchNorm1d(2 * width), leaky(), last)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(samples)
        return self.source(features).squeeze(1), self.told(features)


class InfoGAN(Game):
    """Chen et al. 2016, eq. 6: the game of a GAN, and -λ L_I for both players."""

    frequencies: Tensor

    def __init__(self, options: Options, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent = options, options.latent + options.continuous
        self.classes = tuple(f"code {number}" for number in range(options.categories))
        self.register_buffer("frequencies", torch.full((options.categories,), 1 / options.categories))
        codes = options.categories + options.continuous
        self.generator = generator(options.latent + codes, shape, options.width)
        self.discriminator = Discriminator(shape, options.width, codes)
        # A network for points has no BatchNorm to make up for weights as small as Radford's.
        dcgan.initialize(self, "normal" if len(shape) == 3 else "torch")
        if options.average:
            self.averaged = {"generator": options.average}

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, betas=(self.options.beta1, 0.999), fused=True)
        rates = {"discriminator": self.options.lr_discriminator, "generator": self.options.lr_generator}
        networks = {name: self.get_submodule(name).parameters() for name in rates}
        schedule = linear_decay(self.options.decay)
        return {name: Player(adam(networks[name], lr=rates[name]), schedule=schedule) for name in rates}

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        labels, noise = draw_labels(len(real), self.frequencies), latents(len(real), self.latent, self)
        fake = self.decode(noise, labels)
        real_scores, _ = self.discriminator(real)
        fake_scores, told = self.discriminator(fake.detach())
        yield Turn(
            "discriminator",
            real=cross_entropy(real_scores, 1.0),
            fake=cross_entropy(fake_scores, 0.0),
            **self.untold(told, labels, noise),
            watch={"D(x)": real_scores.sigmoid().mean(), "D(G(z,c))": fake_scores.sigmoid().mean()},
        )
        scores, told = self.discriminator(fake)
        yield Turn(
            "generator",
            adversarial=cross_entropy(scores, 1.0),
            **self.untold(told, labels, noise),
            watch={"D(G(z,c))": scores.sigmoid().mean()},
        )

    def untold(self, told: Tensor, labels: Tensor, noise: Tensor) -> dict[str, Tensor]:
        """-λ L_I by kind of code, less what is the same for all networks."""
        logits, means = told.float().tensor_split([self.options.categories], 1)
        losses = {"categories": self.options.weight * F.cross_entropy(logits, labels)}
        if self.options.continuous:
            errors = (means - uniform(noise)[:, self.options.latent :]).square().sum(1) / 2
            losses["continuous"] = self.options.weight * errors.mean()
        return losses

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        noise = latents(count, self.latent, self, generator)
        return self.decode(noise, draw_labels(count, self.frequencies, generator) if labels is None else labels)

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        category = one_hot(labels, self.options.categories)
        samples: Tensor = self.generator(torch.cat([uniform(latents), category], 1))
        return samples

    def score(self, images: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(images)[0]
        return scores

    def classify(self, images: Tensor) -> Tensor:
        told: Tensor = self.discriminator(images)[1]
        return told[:, : self.options.categories]


def uniform(numbers: Tensor) -> Tensor:
    """Numbers from N(0, 1), as all latents are drawn, made uniform on [-1, 1]."""
    # (1 + erf(n / √2)) / 2 is the share of normal numbers below n; of a number drawn from them it is uniform on [0, 1].
    return torch.erf(numbers / math.sqrt(2))


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.examples(size=options.size, channels=options.channels)
    game = InfoGAN(options, examples.shape)
    yield Stage("adversarial", game, examples.stream(options.batch), recipe.rounds(options, examples))
