"""Walks through a latent space: between two latents, and around a loop of many.

A generator knows latents by their density: nearly all of N(0, I) in Z dimensions lies close to the sphere of radius
√Z. The straight line between two such points passes well inside it, through latents that training never drew, and
pictures in the middle look washed out. The great circle stays on the sphere.

Sources: White 2016, "Sampling Generative Networks", section 2.1; Shoemake 1985, "Animating Rotation with Quaternion
Curves"; the anime notebook for `explore`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..errors import UsageError

Path = Callable[[Tensor, Tensor, float | Tensor], Tensor]
"""A way from a latent to another: `path(a, b, 0)` is a, `path(a, b, 1)` is b."""


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The straight line from `a` to `b`.

    Args:
        a: (..., Z).
        b: (..., Z).
        t: 0 at a, 1 at b; a number, or a tensor that broadcasts against (...).

    Returns:
        (..., Z) in the type of `a`, computed in float64.
    """
    start, end, part = _double(a, b, t)
    return (start * (1 - part) + end * part).to(a.dtype)


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The great circle from `a` to `b`, at constant angular speed.

    Directions turn by Shoemake's formula, sin((1-t)θ)/sin θ · a + sin(tθ)/sin θ · b, and the norm goes from |a| to |b|
    in a straight line. Differs from White's code, which puts a and b themselves into the formula: for norms that
    differ much, its path bulges beyond both.

    Args:
        a: (..., Z), Z at least 2 for the turn to have room.
        b: (..., Z).
        t: 0 at a, 1 at b; a number, or a tensor that broadcasts against (...).

    Returns:
        (..., Z) in the type of `a`, computed in float64. A zero vector has no direction, so from or to it the path is
        straight. Opposite vectors have every great circle between them; the one taken turns first toward the axis
        along which `a` is smallest, so it is the same each time.
    """
    start, end, part = _double(a, b, t)
    norm_a, norm_b = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    none_a, none_b = norm_a == 0, norm_b == 0
    u = start / norm_a.masked_fill(none_a, 1)
    v = end / norm_b.masked_fill(none_b, 1)
    u, v = torch.where(none_a, v, u), torch.where(none_b, u, v)
    # Kahan's angle: exact where acos(u·v) has lost half of its digits, near 0 and near π.
    chord, cochord = (u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(chord, cochord)
    across = v - u * (u * v).sum(-1, keepdim=True)
    lost = (across.norm(dim=-1, keepdim=True) < 1e-12) & (cochord < chord)
    across = torch.where(lost, _perpendicular(u), across)
    across = across / across.norm(dim=-1, keepdim=True).clamp_min(1e-300)
    direction = u * torch.cos(angle * part) + across * torch.sin(angle * part)
    return (direction * (norm_a * (1 - part) + norm_b * part)).to(a.dtype)


def explore(states: Tensor, steps: int, path: Path = lerp) -> Iterator[Tensor]:
    """Frames of a walk that passes every state and ends where it began, ready to begin again.

    With 15 states of 100 latents, 24 steps and `lerp` it is the anime notebook's film.

    Args:
        states: (K, N, Z), K states of a sheet of N latents, or (K, Z).
        steps: frames from one state to the next, the next not counted.
        path: the way between two states.

    Yields:
        K · steps frames (N, Z), or (Z,); frame k · steps is state k, and no frame is shown twice at the seam.

    Raises:
        UsageError: no state, or no step.
    """
    if steps < 1 or states.ndim < 2 or len(states) == 0:
        raise UsageError(f"a walk needs a state (K, N, Z) and a step, got {tuple(states.shape)} and {steps} steps")
    return (
        path(before, after, step / steps)
        for before, after in zip(states, states.roll(-1, dims=0), strict=True)
        for step in range(steps)
    )


def loop(points: Tensor, steps: int, *, path: Path = slerp) -> Tensor:
    """The latents of a closed walk: (K, Z) points become (K · steps, Z) latents; `explore` in one tensor."""
    return torch.stack(list(explore(points, steps, path)))


def _double(a: Tensor, b: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both latents and t in float64; a tensor t gets a last axis to go with Z."""
    part = torch.as_tensor(t, dtype=torch.float64, device=a.device)
    return a.double(), b.double(), part.unsqueeze(-1)


def _perpendicular(u: Tensor) -> Tensor:
    """The part that is at right angles to `u` (..., Z) of the axis along which it is smallest."""
    axis = torch.nn.functional.one_hot(u.abs().argmin(-1), u.shape[-1]).to(u.dtype)
    return axis - u * (u * axis).sum(-1, keepdim=True)
