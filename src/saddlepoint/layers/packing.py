"""Packing: a discriminator that judges several samples at once sees that they are all alike (Lin et al. 2018)."""

from __future__ import annotations

from torch import Tensor

from ..errors import UsageError


def pack(samples: Tensor, m: int) -> Tensor:
    """Joins each m consecutive samples into one, along the channels (Lin et al. 2018, section 2).

    A packed discriminator has m times the entering channels or features; nothing else changes. Its batch of reals and
    its batch of fakes are packed alike, never mixed.

    Args:
        samples: pictures (N, C, H, W) or points (N, D), independent of each other.
        m: samples to a pack, the paper's degree of packing; 1 changes nothing.

    Returns:
        Pictures (N/m, mC, H, W) or points (N/m, mD).

    Raises:
        UsageError: N does not divide by m.
    """
    if len(samples) % m:
        raise UsageError(
            f"{len(samples)} samples do not divide into packs of {m}",
            where="--batch",
            fix=f"a batch of {max(1, len(samples) // m) * m}",
        )
    return samples.unflatten(0, (-1, m)).flatten(1, 2)
