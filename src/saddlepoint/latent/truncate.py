"""Latents from a normal distribution without its tails: samples become better on the whole, and more alike.

Brock, Donahue and Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", section 3.1:
the truncation trick. The threshold trades variety for fidelity after the training, at no cost; how much of either it
moves is what `saddle tradeoff` measures. Not every generator bears it: what was never trained on latents so close to
zero may saturate there.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import UsageError

LARGEST = 8.0
"""Largest threshold: of a normal distribution 1e-15 lies beyond, no latent that anybody will ever draw."""

THRESHOLDS = (2.0, 1.5, 1.0, 0.7, 0.5, 0.3, 0.1)
"""Where a sweep looks, when nobody says where."""


def truncate(latents: Tensor, threshold: float | None) -> Tensor:
    """Moves latents of N(0, I) to where the truncated normal has them; each number keeps its sign and its rank.

    The result x of z solves erf(x / √2) = erf(z / √2) · erf(t / √2), the inverse of the truncated distribution at the
    place of z in the whole one. Differs from the paper in the way, not in the law: Brock et al. draw what lies beyond
    the threshold again. This way the same draw stays the same latent, moved without a jump as the threshold falls, and
    a generator of random numbers is asked once, whatever comes.

    Args:
        latents: (…, Z), drawn from N(0, I).
        threshold: largest absolute value that a number may have, above 0 and up to `LARGEST`; None cuts nothing off.

    Returns:
        (…, Z) of the same type, computed in float64.

    Raises:
        UsageError: a threshold out of range, or one that is not a number.
    """
    if threshold is None:
        return latents
    if not 0 < threshold <= LARGEST:
        raise UsageError(
            f"--truncation must be a number > 0 and <= {LARGEST:g}, got {threshold:g}",
            where="--truncation",
            fix="--truncation 0.5: less variety, better samples; leave it out to cut nothing off",
        )
    share = math.erf(threshold / math.sqrt(2))
    inside = torch.erfinv(torch.erf(latents.double() / math.sqrt(2)) * share) * math.sqrt(2)
    # The last digit may lie just beyond, or anywhere where the error function is 1 to the last digit.
    return inside.clamp(-threshold, threshold).to(latents.dtype)
