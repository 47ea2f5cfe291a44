"""Semi-supervised GAN: few labels, many pictures, and fakes between the classes (Salimans et al. 2016).

Reproduces: section 5. The classifier of K classes is the discriminator: the class of fakes has the fixed logit 0, so
D(x) = Z / (Z + 1) with Z = Σ exp l_k(x); the generator matches the mean features before the logits. The default is the
authors' code for digits (no pixel knows its neighbors), `convolutional` theirs for house numbers, a layer shorter.

Differs from their code: where the generator of digits starts. Its softplus has mean 0, and its last biases draw the
mean picture. With a softplus above 0 all weights behind it turn the same way to darken the background, samples become
alike, and the discriminator had won after 500 steps. Its normalization has learned scales; latents are normal, noise is
uniform with the same deviation, averages do not start from zero. The convolutional generator has 4x4 kernels.

Result: the preset `laptop` on MNIST with 100 labels told 123 of the 10,000 test digits wrongly after its 24,000 steps
(`subset` 101, bfloat16, twenty minutes of one core), and 96, 98, 142, 224 and 93 with 62,000 steps instead (`subset` 0
to 4, float32, 86 minutes of one core without bf16 each). Published are 93 after 180,000, as the mean of ten subsets. Of
the 142, 24 are nines taken for eights, of the 224, 132 are sevens taken for twos: much depends on which ten of a class
are known. With 12,000 steps 1,245 to 4,797 were wrong with 20 labels, 200 to 350 with 50 and 154 to 277 with 200, on
average 2,797, 247 and 180 for ten choices of each; the published means are 1,677, 221 and 90.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from .. import recipe
from ..data.few import PartlyLabeledStream
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..layers.weightnorm import initialize
from ..networks.classifying import Discriminator, Form, begin_with_the_mean, generator
from ..objectives import cross_entropy, feature_matching
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source

EPS = 1e-4
"""Of Adam: the authors divide by sqrt(v + 1e-8)."""
FIRST_LOOK = 500
"""Pictures whose features decide the lengths of the discriminator's weights, and whose mean the generator starts at."""


class Options(recipe.Options):
    """What can be chosen about a semi-supervised GAN."""

    form: Form = Field("connected", description="of both networks")
    labels: int = Field(100, ge=1, description="pictures whose labels are used, equally many of each class")
    subset: int = Field(0, ge=0, le=2**32 - 1, description="seed that chooses these pictures")
    size: int = Field(28, ge=8, le=128, multiple_of=4, description="height and width of the pictures in pixels")
    channels: recipe.Channels = None
    latent: recipe.Latent = 100
    width: int = Field(250, ge=4, le=4096, description="features of the discriminator's smallest hidden layer")
    lr: recipe.Rate = 3e-3
    beta1: recipe.Beta1 = 0.5
    average: float = Field(7000.0, ge=0, description="half-life in steps of both networks' averages; 0: none")
    decay: recipe.Decay = 1.0
    batch: recipe.Batch = 100
    steps: recipe.Steps = 180_000
    epochs: recipe.Epochs = None


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"decay": 0.5, "average": 200.0, "steps": 24_000},
    "convolutional": {"form": "convolutional", "width": 64, "lr": 3e-4, "decay": 0.67},
}

SMOKE: dict[str, Any] = {"labels": 6, "size": 8, "latent": 8, "width": 4, "batch": 8, "steps": 4}


class SGAN(Game):
    """Salimans et al. 2016, section 5: the discriminator tells K classes, and from all of them the fakes."""

    def __init__(self, options: Options, classes: tuple[str, ...], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.options, self.latent, self.classes = options, options.latent, classes
        self.generator = generator(options.form, options.latent, options.width, shape)
        self.discriminator = Discriminator(options.form, options.width, len(classes), shape)
        if options.average:
            self.averaged = {"generator": options.average, "discriminator": options.average}

    def players(self) -> dict[str, Player]:
        return {
            "discriminator": self._player(self.discriminator),
            "generator": self._player(self.generator),
        }

    def _player(self, network: nn.Module) -> Player:
        learned = [weight for weight in network.parameters() if weight.requires_grad]
        adam = torch.optim.Adam(learned, self.options.lr, (self.options.beta1, 0.999), eps=EPS, fused=True)
        return Player(adam, schedule=linear_decay(self.options.decay))

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        batch = next(batches)
        known, real = batch.labeled, batch.unlabeled.image
        with torch.no_grad():
            fake = self.sample(len(real))
        logits = self.classify(torch.cat([known.image, real, fake])).float()
        scores, fake_scores = logits[len(known) :].logsumexp(1).chunk(2)
        yield Turn(
            "discriminator",
            supervised=F.cross_entropy(logits[: len(known)], known.label),
            real=0.5 * cross_entropy(scores, 1.0),
            fake=0.5 * cross_entropy(fake_scores, 0.0),
            watch={"D(x)": scores.sigmoid().mean(), "D(G(z))": fake_scores.sigmoid().mean()},
        )
        real = next(batches).unlabeled.image
        with torch.no_grad():
            wanted = self.discriminator.features(real)
        found = self.discriminator.features(self.sample(len(real)))
        yield Turn("generator", features=feature_matching(wanted, found) / found.shape[1])

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self, generator))

    def decode(self, latents: Tensor) -> Tensor:
        samples: Tensor = 2 * self.generator(latents) - 1
        return samples

    def classify(self, images: Tensor) -> Tensor:
        logits: Tensor = self.discriminator(images)
        return logits

    def score(self, images: Tensor) -> Tensor:
        return self.classify(images).float().logsumexp(1)


def stages(options: Options, data: Source) -> Iterator[Stage]:
    examples = data.images(size=options.size, channels=options.channels)
    stream = PartlyLabeledStream(examples, options.batch, labels=options.labels, subset=options.subset)
    game = SGAN(options, examples.classes, examples.shape)
    first = stream.read(0, min(FIRST_LOOK, len(examples))).image
    initialize(game.discriminator, first)
    if options.form == "connected":
        begin_with_the_mean(game.generator, first)
    yield Stage("adversarial", game, stream, recipe.rounds(options, examples))
