"""Streams of toy data, pure sample by sample: reading 0 … 3 gives what reading 0 … 1 and then 2 … 3 gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


def uniform(seed: int, start: int, count: int, width: int) -> Tensor:
    """Numbers in [0, 1) for samples `start` … `start + count - 1`, shape (count, width), in torch's default type."""
    # Philox is a function of a counter that gives four numbers at each count; every sample gets counts of its own.
    blocks = -(-width // 4)
    generator = np.random.Generator(np.random.Philox(key=seed, counter=start * blocks))
    numbers = generator.random((count, 4 * blocks))[:, :width]
    return torch.from_numpy(numbers).to(torch.get_default_dtype())


@dataclass(frozen=True)
class Made:
    """A stream whose samples are made of uniform numbers.

    Attributes:
        batch: samples for one draw.
        width: uniform numbers that a sample is made of.
        make: maps (count, width) to what the game wants.
        seed: of the numbers.
    """

    batch: int
    width: int
    make: Callable[[Tensor], Any]
    seed: int = 0

    def read(self, start: int, count: int) -> Any:
        return self.make(uniform(self.seed, start, count, self.width))


@dataclass(frozen=True)
class Nothing:
    """A stream for games that need no data."""

    batch: int

    def read(self, start: int, count: int) -> None:
        return None


def on_ring(numbers: Tensor) -> Tensor:
    """Three numbers a sample become points (N, 2) near eight places on a circle of radius 2."""
    angle = (8 * numbers[:, 0]).floor() * (math.pi / 4)
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * (numbers[:, 1:3] - 0.5)


def ring(batch: int) -> Made:
    """Points (N, 2)."""
    return Made(batch, 3, on_ring)


def ring_and_latents(batch: int, latent: int) -> Made:
    """Points (N, 2) and latents (N, latent): a game that draws nothing itself."""
    return Made(batch, 3 + latent, lambda numbers: (on_ring(numbers), 4 * numbers[:, 3:] - 2))


def two_rings(batch: int) -> Made:
    """Unpaired points of two domains, both (N, 2)."""
    return Made(batch, 6, lambda numbers: (on_ring(numbers[:, :3]), on_ring(numbers[:, 3:]) + 3))


def partly_labeled(batch: int) -> Made:
    """Points (N, 2) with labels (N,) of three classes, and further points without."""

    def make(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        points = on_ring(numbers[:, :3])
        return points, (points > 0.1).sum(1), on_ring(numbers[:, 3:])

    return Made(batch, 6, make)


def counting(batch: int, vocabulary: int, length: int) -> Made:
    """Sequences (N, length) that count upwards from a random word."""

    def make(numbers: Tensor) -> Tensor:
        return ((vocabulary * numbers).long() + torch.arange(length)) % vocabulary

    return Made(batch, 1, make)


def waves(batch: int, size: int) -> Made:
    """Sampled waves (N, size)."""
    return Made(batch, 1, lambda numbers: torch.sin(torch.linspace(0, 3, size) + numbers))


def episodes(batch: int, people: int, shots: int) -> Made:
    """Who (N,), shots (N, K, 2) in poses (N, K, 2), and one more pose (N, 2) with its frame (N, 2)."""

    def make(numbers: Tensor) -> tuple[Tensor, ...]:
        who = (people * numbers[:, 0]).long()
        poses = (4 * numbers[:, 1 : 1 + 2 * shots] - 2).view(-1, shots, 2)
        pose = 4 * numbers[:, 1 + 2 * shots :] - 2
        return who, portrait(poses, who[:, None]), poses, pose, portrait(pose, who)

    return Made(batch, 3 + 2 * shots, make)


def portrait(pose: Tensor, who: Tensor) -> Tensor:
    """The frame (…, 2) of a person in a pose."""
    return torch.stack([pose[..., 0] + who, 2 * pose[..., 1]], -1)


def one_person(batch: int, who: int) -> Made:
    """Poses (N, 2) and frames (N, 2) of one person."""

    def make(numbers: Tensor) -> tuple[Tensor, Tensor]:
        pose = 4 * numbers - 2
        return pose, portrait(pose, torch.full((len(pose),), who))

    return Made(batch, 2, make)


def clips(batch: int, frames: int) -> Made:
    """Frames (N, T, 2) that follow poses (N, T, 2)."""

    def make(numbers: Tensor) -> tuple[Tensor, Tensor]:
        poses = (2 * numbers - 1).view(-1, frames, 2)
        return poses.cumsum(1), poses

    return Made(batch, 2 * frames, make)
