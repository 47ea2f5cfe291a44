"""The sliced Wasserstein distance of small patches, from coarse structure to fine texture (Karras et al. 2018).

Section 5 of "Progressive Growing of GANs", and its code, which decides what the text leaves open: each picture is split
into a Laplacian pyramid down to 16x16; from each level 128 patches of 7x7 pixels are cut at random; over all patches
of a level, each color has its mean taken off and is divided by its deviation; and the patches of two sets are compared
along 512 random directions. Distances are reported times 1,000, by level and on average. The paper takes 16,384
pictures of each set; as long as there are as many of both, fewer give larger distances, also between equal sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import UsageError
from .distances import ordered

SMALLEST = 16
"""Levels of the pyramid are at least so high and wide."""

PATCH = 7
PER_PICTURE = 128
DIRECTIONS = 4 * 128

_STEP = 64  # directions along which all patches are seen at once
_SMOOTH = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


@dataclass(frozen=True)
class PatchDistance:
    """How far patches are apart.

    Attributes:
        levels: 1,000 times the sliced Wasserstein distance, by the height of the level, the finest first.
        mean: over the levels.
    """

    levels: dict[int, float]
    mean: float


class Patches:
    """Patches of pictures that come in one after another.

    Only what was cut out is kept, 75 kB of each level of each color picture.

    Args:
        per_picture: patches cut from each level of each picture.
        seed: of the places. They depend on it and on how many pictures came before, not on how they were batched.

    Attributes:
        levels: heights and widths of the pyramid's levels, known from the first picture on.
    """

    def __init__(self, *, per_picture: int = PER_PICTURE, seed: int = 0) -> None:
        self.per_picture = per_picture
        self.levels: list[tuple[int, int]] = []
        self._generator = torch.Generator().manual_seed(seed)
        self._cut: list[list[Tensor]] = []
        self._channels = 0

    @torch.no_grad()
    def add(self, images: Tensor) -> None:
        """Cuts patches out of more pictures.

        Args:
            images: float32 (N, C, H, W) on any scale, all of one size.

        Raises:
            UsageError: pictures smaller than a patch, or of another size than those before.
        """
        levels = pyramid(images.float())
        sizes = [(level.shape[2], level.shape[3]) for level in levels]
        if not self.levels:
            self.levels, self._channels = sizes, images.shape[1]
            self._cut = [[] for _ in sizes]
        if sizes != self.levels or images.shape[1] != self._channels:
            raise UsageError(f"pictures of shape {tuple(images.shape[1:])} among others of another one")
        # Places as parts of what there is: one draw for each picture, whatever its levels are.
        parts = torch.rand(len(images), len(levels), 2, self.per_picture, generator=self._generator)
        for level, part, cut in zip(levels, parts.to(images.device).unbind(1), self._cut, strict=True):
            cut.append(_patches(level, part))

    def normalized(self, level: int) -> Tensor:
        """The patches of a level, float32 (N · per_picture, C · 7 · 7), each color with mean 0 and deviation 1."""
        patches = torch.cat(self._cut[level])
        deviation, mean = torch.std_mean(patches.double(), dim=(0, 2), correction=0, keepdim=True)
        # A generator that paints all pictures in one color has no deviation; it is far from the data, not nowhere.
        return ((patches - mean) / deviation.clamp_min(1e-12)).float().flatten(1)


def patch_distance(
    real: Iterable[Tensor], fake: Iterable[Tensor], *, per_picture: int = PER_PICTURE, seed: int = 0
) -> PatchDistance:
    """The distance of two streams of pictures.

    Args:
        real: batches (N, C, H, W) of the data.
        fake: of the generator, as many pictures, of the same size, on the same scale.
        per_picture: patches cut from each level of each picture.
        seed: of the patches and the directions.

    Raises:
        UsageError: unequal numbers, sizes or channels, or pictures smaller than a patch.
    """
    sides = []
    # Another seed for the fakes: patches from the same places would be more alike than two samples are.
    for shift, stream in enumerate((real, fake)):
        side = Patches(per_picture=per_picture, seed=2 * seed + shift)
        for images in stream:
            side.add(images)
        sides.append(side)
    return compare(*sides, seed=seed)


def compare(real: Patches, fake: Patches, *, seed: int = 0) -> PatchDistance:
    """The distance of patches that were cut out before.

    Args:
        real: patches of the data.
        fake: of the generator.
        seed: of the directions.

    Raises:
        UsageError: no patches, or unequal numbers or shapes of them.
    """
    if not real.levels or real.levels != fake.levels:
        raise UsageError(f"patches of levels {real.levels} and {fake.levels} cannot be compared")
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for level, (height, _) in enumerate(real.levels):
        ours, theirs = real.normalized(level), fake.normalized(level)
        if ours.shape != theirs.shape:
            raise UsageError(
                f"{len(ours):,} patches of {ours.shape[1]} numbers cannot be matched with {len(theirs):,} of "
                f"{theirs.shape[1]}",
                fix="as many pictures of both, with as many channels",
            )
        found[height] = 1000 * _apart(ours, theirs, generator)
    return PatchDistance(found, sum(found.values()) / len(found))


def pyramid(images: Tensor) -> list[Tensor]:
    """The Laplacian pyramid of pictures (N, C, H, W), finest first (Burt and Adelson 1983).

    Every level is what the next coarser one, made large again, lacks; the last one is what remains. Levels are halved
    as long as their heights and widths are even and at least twice 16.

    Raises:
        UsageError: pictures smaller than a patch.
    """
    if images.ndim != 4 or min(images.shape[2:]) < PATCH:
        raise UsageError(f"pictures of shape {tuple(images.shape)} have no {PATCH}x{PATCH} patches")
    levels = [images]
    while all(length % 2 == 0 and length >= 2 * SMALLEST for length in levels[-1].shape[2:]):
        coarse = _blur(levels[-1])[:, :, ::2, ::2]
        levels[-1] = levels[-1] - _enlarge(coarse)
        levels.append(coarse)
    return levels


def _enlarge(images: Tensor) -> Tensor:
    """Twice as large: every pixel is spread over those around it."""
    spread = images.new_zeros(*images.shape[:2], 2 * images.shape[2], 2 * images.shape[3])
    spread[:, :, ::2, ::2] = images
    return 4 * _blur(spread)


def _blur(images: Tensor) -> Tensor:
    """The binomial filter of five pixels along both axes; beyond the border pictures are mirrored."""
    kernel = images.new_tensor(_SMOOTH)
    planes = F.pad(images.flatten(0, 1).unsqueeze(1), (2, 2, 2, 2), mode="reflect")
    planes = F.conv2d(F.conv2d(planes, kernel.view(1, 1, 5, 1)), kernel.view(1, 1, 1, 5))
    return planes.view(images.shape)


def _patches(images: Tensor, parts: Tensor) -> Tensor:
    """Patches (N · P, C, 49) with corners at `parts` (N, 2, P) in [0, 1) of what there is."""
    count, channels, height, width = images.shape
    top = (parts[:, 0] * (height - PATCH + 1)).long()
    left = (parts[:, 1] * (width - PATCH + 1)).long()
    inside = torch.arange(PATCH, device=images.device)
    rows = top[:, :, None, None] + inside[:, None]
    places = (rows * width + left[:, :, None, None] + inside).view(count, 1, -1)
    found = images.flatten(2).gather(2, places.expand(-1, channels, -1))
    return found.view(count, channels, -1, PATCH * PATCH).transpose(1, 2).flatten(0, 1)


def _apart(x: Tensor, y: Tensor, generator: torch.Generator) -> float:
    """The sliced Wasserstein distance of equally many points; `distances.sliced_wasserstein` does it in float64."""
    total = 0.0
    for _ in range(DIRECTIONS // _STEP):
        axes = torch.randn(x.shape[1], _STEP, generator=generator)
        axes = (axes / axes.norm(dim=0)).to(x.device)
        seen = [ordered(axes.T @ points.T) for points in (x, y)]
        total += (seen[0] - seen[1]).abs_().double().mean(1).sum().item()
    return total / DIRECTIONS
