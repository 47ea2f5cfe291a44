"""What a small sample of a generator shows beside a small sample of the data: cheap enough to look often.

Everything is relative to the data: lengths are in units of the data's own mean pairwise distance, so that one number
means the same for points, digits and faces. Pictures are shrunk to 16x16 first, where pixel distances still tell
collapse from variety.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE = 16
"""Pixels that pictures are shrunk to, at most, along each axis."""
_REACH = 0.1  # of the data's mean pairwise distance: what is nearer counts as the same place
_CROWDED = 0.9  # in many dimensions nothing is near: there, this share of the data's own nearest neighbors is
_DIRECTIONS = 32
_TRAIL = 8


def features(samples: Tensor) -> Tensor:
    """Samples as rows of numbers, float32 (N, F) on the CPU: points as they are, pictures shrunk to 16x16."""
    samples = samples.detach().float()
    if samples.ndim == 4:
        height, width = (min(SIDE, length) for length in samples.shape[2:])
        samples = adaptive_avg_pool2d(samples, (height, width))
    return samples.flatten(1).cpu()


@dataclass(frozen=True)
class Sight:
    """What was seen.

    Attributes:
        diversity: mean distance between two generated samples; 1 for the data, 0 for copies of one sample.
        coverage: share of the data that lies near a generated sample.
        strays: share of the generated samples that lie near no sample of the data.
        distance: sliced Wasserstein distance to the data, less what two samples of the data are apart.
        nearest: median distance of a generated sample from the nearest of the data, as a part of the same distance
            within the data; far below 1 for copies.
        spread: root mean square distance from the data's mean; 1 for the data.
        place: the mean of the samples along fixed directions, at most 8 numbers.
    """

    diversity: float
    coverage: float
    strays: float
    distance: float
    nearest: float
    spread: float
    place: list[float]


class Eye:
    """Sees generated samples beside the same data each time.

    Args:
        real: features of the data (M, F), at least four.
        seed: of the directions that are looked along.
    """

    def __init__(self, real: Tensor, seed: int = 0) -> None:
        self.real = real
        self.half = len(real) // 2
        self.mean = real.mean(0)
        self.rms = _rms(real - self.mean)
        self.unit = max(_diversity(real), 1e-12)
        within = torch.cdist(real, real).fill_diagonal_(math.inf)
        self.own = max(within.min(1).values.median().item(), 1e-12)
        generator = torch.Generator().manual_seed(seed)
        axes = torch.randn(_DIRECTIONS, real.shape[1], generator=generator)
        self.axes = axes / axes.norm(dim=1, keepdim=True)
        self.near: dict[int, float] = {}

    def look(self, fake: Tensor) -> Sight:
        """What `fake`, features (N, F), shows; fewer than the data, at least two."""
        real = self.real[: len(fake)]
        apart = torch.cdist(self.real, fake)
        near = self._near(len(fake))
        to_real = apart.min(0).values
        middle = (fake.mean(0) - self.mean) / self.unit
        return Sight(
            diversity=_diversity(fake) / self.unit,
            coverage=(apart.min(1).values < near).float().mean().item(),
            strays=(to_real > near).float().mean().item(),
            distance=max(0.0, self._sliced(fake, real) - self._noise(len(fake))) / self.unit,
            nearest=to_real.median().item() / self.own,
            spread=_rms(fake - self.mean) / max(self.rms, 1e-12),
            place=self._place(middle),
        )

    def _near(self, count: int) -> float:
        """How near is near, for a sample of `count`."""
        if count not in self.near:
            rest = self.real[count:] if len(self.real) >= 2 * count else self.real
            among = torch.cdist(rest, self.real[:count])
            nearest = among[among > 0].view(-1).new_tensor([row[row > 0].min().item() for row in among])
            self.near[count] = max(_REACH * self.unit, nearest.quantile(_CROWDED).item())
        return self.near[count]
