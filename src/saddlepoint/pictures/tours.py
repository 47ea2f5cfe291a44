"""Tours through latents and classes, drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import UnavailableError
from ..latent.tours import Tour
from . import negatives
from .film import write_film
from .grid import grid, save
from .plane import portrait
from .sheets import headed

Painter = Callable[[Tensor], Image.Image]


def painter(folder: Path, *, points: bool) -> Painter:
    """What draws a frame: images as a grid, points over the true density.

    Args:
        folder: the run's, which knows that density.
        points: whether points are drawn.

    Raises:
        UnavailableError: it does not know.
    """
    if not points:
        return grid
    truth = negatives.truth(folder)
    if truth is None:
        raise UnavailableError(
            "points are drawn over what their run should learn",
            where=str(folder / "samples" / "truth.npz"),
            fix="name the run, not its model",
        )
    return lambda drawn: portrait(truth, drawn.numpy(), dot=5.0)


def show(
    tour: Tour,
    decode: Callable[[Tensor, Tensor | None], Tensor],
    draw: Painter,
    path: Path,
    *,
    fps: float = 24,
    max_bytes: int | None = None,
) -> Path:
    """Draws a tour: as a sheet where the path ends in `.png`, else as a film.

    Args:
        tour: the way.
        decode: makes images (N, C, H, W), or points (N, D), of latents and labels.
        draw: draws one frame of that.
        path: where to.
        fps: frames per second.
        max_bytes: size of a film to stay under, at the cost of quality.

    Raises:
        UsageError: a suffix that no film has.
        DiskError: it cannot be written.
    """
    if path.suffix.lower() != ".png":
        return write_film(path, (draw(decode(*frame)) for frame in tour.frames), fps=fps, max_bytes=max_bytes)
    columns = [decode(*column) for column in tour.columns]
    if columns[0].ndim == 4:
        images = torch.stack(columns, 1).flatten(0, 1)
        return save(headed(images, columns=len(columns), heads=tour.heads, names=tour.names), path)
    # Many points make one picture: a column of a sheet of points is as high as one.
    drawn = np.stack([np.asarray(draw(points)) for points in columns])
    return save(headed(drawn, columns=len(columns), heads=tour.heads), path)
