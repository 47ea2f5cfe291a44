"""What a small sample of a generator shows beside a small sample of the data: cheap enough to look often.

Everything is relative to the data, so that one number means the same for points, digits and faces. Pictures are shrunk
to 16x16 first, where distances of pixels still tell collapse from variety.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE = 16
"""Pixels that pictures are shrunk to along each axis, if they have more."""

_REACH = 0.1  # of the data's mean pairwise distance: what is nearer counts as the same place
_CROWDED = 0.9  # in many dimensions nothing is that near; there the data's own neighbors, but for a tenth, count
_DIRECTIONS = 32
_TRAIL = 8
_PAIRS = 32  # two samples of one class: of fewer pairs nothing is said


def features(samples: Tensor) -> Tensor:
    """Samples as rows of numbers, float32 (N, F) on the CPU: points as they are, pictures shrunk."""
    samples = samples.detach().float()
    if samples.ndim == 4:
        height, width = (min(SIDE, length) for length in samples.shape[2:])
        samples = adaptive_avg_pool2d(samples, (height, width))
    return samples.flatten(1).cpu()


@dataclass(frozen=True)
class Sight:
    """What was seen of some generated samples.

    Attributes:
        diversity: mean distance between two of them; 1 for the data, 0 for copies of one sample.
        coverage: share of the data that lies near one of them; about 0.9 or more for data.
        strays: share of them that lies near no sample of the data; about 0.1 or less for data.
        distance: sliced Wasserstein distance to the data, less that between two samples of the data; 1 is as far as
            one point in the middle of the data.
        nearest: median distance to the nearest of the data, as a part of the same within the data; near 0 for copies.
        spread: root mean square distance from the data's mean; 1 for the data.
        place: their mean along at most 8 fixed directions, in units of the data's mean pairwise distance.
        variety: as `diversity`, of two samples of one class; None where there are no classes, or too many to say.
    """

    diversity: float
    coverage: float
    strays: float
    distance: float
    nearest: float
    spread: float
    place: tuple[float, ...]
    variety: float | None = None


class Eye:
    """Sees generated samples beside one and the same sample of the data.

    Args:
        real: features of the data (M, F), at least four.
        count: generated samples in each look; how near is near depends on it.
        seed: of the directions that are looked along.
        labels: the data's classes int64 (M,), if there are any.
    """

    def __init__(self, real: Tensor, count: int, seed: int = 0, *, labels: Tensor | None = None) -> None:
        self.real = real
        self.variety = _variety(real, labels)
        half = min(count, len(real) // 2)
        ours, others = real[:half], real[half:]
        self.mean = real.mean(0)
        self.spread = _spread(real - self.mean)
        self.unit = _positive(_diversity(real))
        self.near = max(_REACH * self.unit, torch.cdist(others, ours).min(1).values.quantile(_CROWDED).item())
        self.own = _positive(torch.cdist(real, real).fill_diagonal_(math.inf).min(1).values.median().item())
        generator = torch.Generator().manual_seed(seed)
        axes = torch.randn(real.shape[1], _DIRECTIONS, generator=generator)
        self.axes = axes / axes.norm(dim=0)
        self.trail = torch.linalg.qr(axes[:, :_TRAIL]).Q
        self.lines = self._lines(ours)
        self.noise = _apart(self.lines, self._lines(others))
        self.middle = _positive(_apart(self.lines, self._lines(self.mean[None])))

    def look(self, fake: Tensor, labels: Tensor | None = None) -> Sight:
        """What `fake`, features (N, F), N at least two, shows; with `labels` int64 (N,) also by class."""
        variety = _variety(fake, labels)
        apart = torch.cdist(self.real, fake)
        to_fake, to_real = apart.min(1).values, apart.min(0).values
        return Sight(
            diversity=_diversity(fake) / self.unit,
            coverage=(to_fake <= self.near).float().mean().item(),
            strays=(to_real > self.near).float().mean().item(),
            distance=max(0.0, _apart(self.lines, self._lines(fake)) - self.noise) / self.middle,
            nearest=to_real.median().item() / self.own,
            spread=_spread(fake - self.mean) / _positive(self.spread),
            place=tuple(((fake.mean(0) - self.mean) @ self.trail / self.unit).tolist()),
            variety=None if self.variety is None or variety is None else variety / _positive(self.variety),
        )

    def _lines(self, points: Tensor) -> Tensor:
        """Points seen along the directions, in order along each."""
        return (points @ self.axes).sort(0).values


def separation(real: Tensor, fake: Tensor) -> float:
    """Chance that a real sample scores above a fake one, ties halved: the area under the ROC curve, 0 … 1.

    It has no scale, so it means the same for a probability, a logit and the score of a critic.

    Args:
        real: scores (N,).
        fake: scores (M,).
    """
    above = (real[:, None] > fake[None]).double().mean() + (real[:, None] == fake[None]).double().mean() / 2
    return above.item()


def _apart(x: Tensor, y: Tensor) -> float:
    """The sliced Wasserstein distance of two samples in order along each direction (N, K) and (M, K).

    `distances.sliced_wasserstein` is exact also where N and M differ; this takes ranks for quantiles and a tenth of
    the time.
    """
    if len(x) < len(y):
        x, y = y, x
    return (x - y[torch.arange(len(x)) * len(y) // len(x)]).abs().mean().item()


def _diversity(points: Tensor) -> float:
    return torch.pdist(points).mean().item()


def _variety(points: Tensor, labels: Tensor | None) -> float | None:
    """Mean distance of two points of one class."""
    if labels is None:
        return None
    alike = (labels[:, None] == labels).triu(1)
    if alike.sum() < _PAIRS:
        return None
    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")  # of copies exactly 0
    return apart[alike].mean().item()


def _spread(points: Tensor) -> float:
    return points.square().sum(1).mean().sqrt().item()


def _positive(length: float) -> float:
    """A length to divide by: data that are all alike have none."""
    return max(length, 1e-12)
