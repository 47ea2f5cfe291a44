"""pix2pix: a picture in, a picture out, judged patch by patch beside what it was made from (Isola et al. 2017).

Reproduces: equation 4. The generator is a U-Net and its only noise is dropout, which goes on after training; the
discriminator sees source and target on top of each other and says of every patch whether they belong together. What
lies low in frequency the L1 distance gets right alone; the game adds what it blurs.

Differs from the paper: BatchNorm over batches of one is an instance normalization with learned scales, and by that name
it stands here; with larger batches (`--norm batch`) running statistics are used after training. The discriminator moves
before the generator is asked. Windows are cut at random from pictures `jitter` larger, 30 of 286 pixels in the paper.
For pictures under 256 pixels the U-Net is as deep as their side can be halved.

Result: emoji from their lines at 64x64 (`--preset laptop`, `openmoji`, 15 minutes of an idle core): of the held-out
pairs L1 0.171, PSNR 16.5 dB, SSIM 0.81. The L1 distance alone comes closer (0.153, 17.8 dB, 0.84, and by VGG features
0.57 against 0.64), for it paints what it does not know in the mean of all colors, a sepia; with the game colors are as
vivid as real ones, and the wrong ones as often. Of the targets' histogram of the color a, L1 hits 62 %, both 81 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from .. import recipe
from ..data.pairs import pairs
from ..errors import UsageError
from ..game import Game, Player, Stage, Turn
from ..networks import patch
from ..networks.dcgan import initialize
from ..networks.unet import UNet
from ..objectives import minimax_discriminator, non_saturating_generator
from ..schedules import linear_decay

if TYPE_CHECKING:
    from ..data.source import Source

NORMS: dict[str, patch.Norm] = {"batch": nn.BatchNorm2d, "instance": partial(nn.InstanceNorm2d, affine=True)}


class Options(recipe.Options):
    """What can be chosen about a pix2pix."""

    size: Literal[32, 64, 128, 256] = Field(256, description="height and width of each side in pixels")
    channels: recipe.Channels = None
    width: int = Field(64, ge=4, le=512, description="channels of the first layer of both networks")
    layers: int = Field(3, ge=0, le=5, description="the discriminator's; 3: patches of 70 pixels, 1: of 16, 0: of one")
    norm: Literal["batch", "instance"] = Field("instance", description="normalization; batch needs batches above 1")
    dropout: float = Field(0.5, ge=0, lt=1, description="probability of a feature to be dropped; 0: no noise")
    l1: float = Field(100.0, ge=0, description="weight of the L1 distance to the target, the paper's lambda")
    adversarial: float = Field(1.0, ge=0, description="weight of the game; 0: the L1 distance alone, no discriminator")
    jitter: float = Field(0.12, ge=0, lt=1, description="how much larger pictures are than random windows; 0: none")
    lr: recipe.Rate = 2e-4
    beta1: recipe.Beta1 = 0.5
    decay: recipe.Decay = 0.5
    batch: int = Field(1, ge=1, le=65536, description="pairs per step")
    steps: recipe.Steps = 20_000
    epochs: recipe.Epochs = 200.0


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": {"size": 64, "width": 32, "layers": 2, "norm": "batch", "batch": 16, "epochs": 40.0},
}

SMOKE: dict[str, Any] = {"size": 32, "width": 4, "layers": 1, "batch": 4, "steps": 4, "epochs": None}


class Pix2Pix(Game):
    """Isola et al. 2017, equations 1 to 4."""

    def __init__(self, options: Options, channels: int, sides: tuple[str, str]) -> None:
        super().__init__()
        self.options, self.sides, self.multiple = options, sides, options.size
        norm, width = NORMS[options.norm], options.width
        depth = options.size.bit_length() - 1
        self.generator = UNet(channels, channels, depth=depth, width=width, norm=norm, dropout=options.dropout)
        self.discriminator = patch.discriminator(2 * channels, width=width, layers=options.layers, norm=norm)
        for network in (self.generator, self.discriminator):
            initialize(network, "normal")

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, lr=self.options.lr, betas=(self.options.beta1, 0.999), fused=True)
        schedule = linear_decay(self.options.decay)
        return {
            "discriminator": Player(adam(self.discriminator.parameters()), schedule=schedule),
            "generator": Player(adam(self.generator.parameters()), schedule=schedule),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        batch = next(batches)
        source, target, made = batch.source, batch.target, self.generator(batch.source)
        distance = self.options.l1 * F.l1_loss(made.float(), target)
        if not self.options.adversarial:
            yield Turn("generator", l1=distance)
            return
        real, fake = self.judge(source, target), self.judge(source, made.detach())
        yield Turn(
            "discriminator",
            # Half of it, to slow the discriminator down beside the generator (section 3.3).
            adversarial=0.5 * minimax_discriminator(real, fake),
            watch={"D(x, y)": real.sigmoid().mean(), "D(x, G(x))": fake.sigmoid().mean()},
        )
        fooled = non_saturating_generator(self.judge(source, made))
        yield Turn("generator", adversarial=self.options.adversarial * fooled, l1=distance)

    def judge(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits (N, 1, h, w), for each patch: whether this target belongs to this source."""
        scores: Tensor = self.discriminator(torch.cat([source, target], 1))
        return scores

    def translate(self, images: Tensor) -> Tensor:
        made: Tensor = self.generator(images)
        return made


def stages(options: Options, data: Source) -> Iterator[Stage]:
    if not options.l1 and not options.adversarial:
        raise UsageError("neither L1 distance nor game: nothing is asked of the generator", where="--l1, --adversarial")
    whole = options.size + round(options.jitter * options.size)
    examples = pairs(data, size=whole, channels=options.channels)
    game = Pix2Pix(options, examples.channels, examples.sides)
    stream = examples.stream(options.batch, crop=options.size)
    yield Stage("adversarial", game, stream, recipe.rounds(options, examples))
