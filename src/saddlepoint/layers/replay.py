"""A pool of old fakes, which reminds a discriminator of what it has learned to refuse."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import GameError


class Replay(nn.Module):
    """Remembers fakes and hands some of them out again.

    Everything is in buffers, the number of places filled as well, and randomness is torch's default generator: a
    resumed run draws what it would have drawn, even from a pool that is not full yet. Samples come back detached.

    Args:
        capacity: samples to remember.
        shape: of one sample, such as (3, 32, 32) or (2,).
    """

    samples: Tensor
    filled: Tensor

    def __init__(self, capacity: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("samples", torch.zeros(capacity, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    def exchange(self, fakes: Tensor) -> Tensor:
        """Hands out for each fake itself or, with probability 1/2, an old one whose place it takes.

        Zhu et al. 2017, section 4, and the authors' code. While the pool fills up, fakes are stored and given back.

        Differs from the code: the places for one batch are distinct; for batches of one that is the same.

        Args:
            fakes: (N, …).

        Returns:
            As many samples (N, …).

        Raises:
            GameError: fakes of another shape than the pool's.
        """
        fakes, capacity = self._fitting(fakes), len(self.samples)
        stored = self._fill(fakes)
        coming = fakes[stored : stored + capacity]
        places = torch.randperm(capacity, device=fakes.device)[: len(coming)]
        old = self.samples[places]
        swap = (torch.rand(len(coming), device=fakes.device) < 0.5).view(-1, *[1] * (fakes.ndim - 1))
        self.samples[places] = torch.where(swap, coming, old)
        return torch.cat([fakes[:stored], torch.where(swap, old, coming), fakes[stored + capacity :]])

    def mix(self, fakes: Tensor) -> Tensor:
        """Hands out a batch of which half is new and half is old (Shrivastava et al. 2017, section 2.3).

        The pool takes in the new half, at random places once it is full. While the pool is empty, all are new.

        Arguments, result and errors are those of `exchange`.
        """
        fakes, filled = self._fitting(fakes), int(self.filled)
        half = len(fakes) // 2 if filled else 0
        new = fakes[half:]
        old = self.samples[torch.randint(max(1, filled), (half,), device=fakes.device)]
        stored = self._fill(new)
        coming = new[stored : stored + len(self.samples)]
        places = torch.randperm(len(self.samples), device=fakes.device)[: len(coming)]
        self.samples[places] = coming
        return torch.cat([new, old])

    def _fill(self, fakes: Tensor) -> int:
        """Stores fakes in free places, and tells how many."""
        filled = int(self.filled)
        count = min(len(fakes), len(self.samples) - filled)
        self.samples[filled : filled + count] = fakes[:count]
        self.filled += count
        return count

    def _fitting(self, fakes: Tensor) -> Tensor:
        if fakes.shape[1:] != self.samples.shape[1:]:
            raise GameError(
                f"fakes of shape {tuple(fakes.shape[1:])} do not fit a pool of {tuple(self.samples.shape[1:])}",
                fix="give Replay the shape of one sample",
            )
        return fakes.detach().to(self.samples.dtype)
