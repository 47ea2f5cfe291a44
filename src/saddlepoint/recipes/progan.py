"""ProGAN: both networks grow from 4x4 pixels to the size of the pictures (Karras et al. 2018).

Reproduces: "Progressive Growing of GANs for Improved Quality, Stability, and Variation". A stage for each resolution,
and before it one in which its layers fade in, linearly over the pictures seen; equalized learning rate, pixel norm,
the deviation over the batch as a feature, WGAN-GP with one step of the critic a round and a drift that keeps its
scores near zero, larger batches while pictures are small, and a moving average of the generator to sample from. Each
stage begins with an Adam that remembers nothing, as in the authors' code; the average goes on.

Pictures come and go in the final size at every stage, so that one set, one film and one score serve them all: the
networks see them averaged down to the resolution they have reached, and what they make is shown enlarged.

Differs from the paper: one learning rate, where the authors raise it from 128x128 on; for the rest, see
`networks/progressive.py`.

Result: avatars at 64x64 (`--preset laptop --images 30635`), 55 minutes of a core without bf16: patches are 21 from the
data's, of a DCGAN of that time 68; `fd_lite0_96` 1,577 and 1,878. Heads, hair and colors vary, lines are not yet drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from .. import recipe
from ..data.stream import require_room
from ..game import Game, Player, Stage, Turn
from ..layers.latents import latents
from ..networks import progressive
from ..networks.modern import widths
from ..networks.progressive import enlarge, mix, reduce
from ..objectives import wasserstein_discriminator, wasserstein_generator
from ..penalties import drift, gradient_penalty

if TYPE_CHECKING:
    from ..data.source import Source

DRIFT = 1e-3
"""Weight of the critic's mean squared score of real pictures."""


class Options(recipe.Options):
    """What can be chosen about a ProGAN."""

    size: Literal[4, 8, 16, 32, 64, 128, 256, 512, 1024] = Field(
        64, description="height and width of pictures in pixels, at the end"
    )
    channels: recipe.Channels = None
    latent: recipe.Latent = 512
    width: int = Field(512, ge=1, le=4096, description="channels at 4x4")
    taper: int = Field(
        32, ge=4, le=1024, description="largest resolution at full width; beyond, each doubling halves it"
    )
    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty, the paper's lambda")
    lr: recipe.Rate = 1e-3
    average: recipe.Average = 693.0
    batch: int = Field(32, ge=1, le=65536, description="samples per step at the final size; each halving doubles them")
    largest_batch: int = Field(128, ge=1, le=65536, description="samples per step beyond which nothing is doubled")
    images: int = Field(600_000, ge=1, description="pictures seen in each stage, of a fade or of a resolution")

    def batch_at(self, side: int) -> int:
        """Samples per step of the stages of a resolution."""
        return max(self.batch, min(self.largest_batch, self.batch * self.size // side))

    def steps_at(self, side: int) -> int:
        """Rounds of each stage of a resolution."""
        return math.ceil(self.images / self.batch_at(side))

    @property
    def sides(self) -> list[int]:
        """The resolutions, 4 first."""
        return [4 << doublings for doublings in range(self.size.bit_length() - 2)]

    @property
    def steps(self) -> int:
        """Rounds of all stages together."""
        return sum(self.steps_at(side) * (1 if side == 4 else 2) for side in self.sides)


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {
        "latent": 64,
        "width": 64,
        "taper": 8,
        "average": 200,
        "batch": 16,
        "largest_batch": 16,
        "images": 26_000,
    },
}

SMOKE: dict[str, Any] = {"size": 16, "latent": 8, "width": 8, "batch": 4, "largest_batch": 4, "images": 12}


class ProGAN(Game):
    """Karras et al. 2018, section 2: a game whose networks grow between its stages.

    Attributes:
        fade: rounds over which the newest layers fade in, or 0 when they have.
        share: what the newest layers count for, in [0, 1], shape ().
    """

    share: Tensor

    def __init__(self, options: Options, channels: int) -> None:
        super().__init__()
        self.options, self.latent, self.fade = options, options.latent, 0
        plan = widths(options.size, width=options.width, taper=options.taper)
        self.generator = progressive.Generator(plan, channels=channels, latent=options.latent)
        self.critic = progressive.Discriminator(plan, channels=channels)
        self.register_buffer("share", torch.ones(()))
        if options.average:
            self.averaged = {"generator": options.average}

    def grow(self, fade: int) -> None:
        """Doubles the resolution; the new layers fade in over so many rounds."""
        self.generator.grow()
        self.critic.grow()
        self.fade = fade
        self.share.zero_()

    def settle(self) -> None:
        """Ends the fade."""
        self.fade = 0
        self.share.fill_(1.0)

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(0.0, 0.99), fused=True)
        fading = self.fade > 0
        return {
            "critic": Player(adam(self.critic.playing(fading=fading))),
            "generator": Player(adam(self.generator.playing(fading=fading))),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        if self.fade:
            self.share.fill_((self.step + 1) / self.fade)
        real = self.seen(next(batches).image)
        with torch.no_grad():
            fake = self.make(len(real))
        real_scores = self.judge(real)
        cost = wasserstein_discriminator(real_scores, self.judge(fake))
        yield Turn(
            "critic",
            wasserstein=cost,
            penalty=self.options.penalty * gradient_penalty(self.judge, real, fake),
            drift=DRIFT * drift(real_scores),
            watch={"distance": -cost, "share": self.share},
        )
        yield Turn("generator", wasserstein=wasserstein_generator(self.judge(self.make(len(real)))))

    def make(self, count: int) -> Tensor:
        """New images (count, C, side, side) of the resolution reached, of any range."""
        images: Tensor = self.generator(latents(count, self.latent, self.generator), self.newest)
        return images

    def judge(self, images: Tensor) -> Tensor:
        """Scores (N,) of images (N, C, side, side) of the resolution reached."""
        scores: Tensor = self.critic(images, self.newest)
        return scores

    def seen(self, images: Tensor) -> Tensor:
        """Pictures of the final size as the critic sees them: in the resolution reached, and faded like the fakes."""
        small = reduce(images, self.options.size // self.generator.side)
        return small if self.newest is None else mix(enlarge(reduce(small)), small, self.newest)

    @property
    def newest(self) -> Tensor | None:
        """What the newest layers count for; None for all."""
        return self.share if self.fade else None

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(latents(count, self.latent, self.generator, generator))

    def decode(self, latents: Tensor) -> Tensor:
        made: Tensor = self.generator(latents, self.newest)
        # Clamped only here: in training the critic must see, and the generator feel, what is out of bounds.
        return enlarge(made, self.options.size // self.generator.side).clamp(-1, 1)

    def score(self, images: Tensor) -> Tensor:
        return self.judge(self.seen(images))


def stages(options: Options, data: Source) -> Iterator[Stage]:
    images = data.images(size=options.size, channels=options.channels)
    if options.batch <= len(images):
        require_room(options.batch_at(4), len(images), "image", flag="--largest-batch")
    game = ProGAN(options, images.channels)
    for side in options.sides:
        stream, steps = images.stream(options.batch_at(side)), options.steps_at(side)
        if side > 4:
            game.grow(fade=steps)
            yield Stage(f"fade-{side}", game, stream, steps)
            game.settle()
        yield Stage(str(side), game, stream, steps)
