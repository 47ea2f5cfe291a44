"""Toy data known by name: points on the line or in the plane from a distribution whose density is known.

A mistake of a GAN can be seen there at a glance, and measured exactly. Needs numpy only.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from .laws import Checkerboard, Curve, Law, Mixture, Pinwheel

Box = tuple[tuple[float, float], ...]

_STREAM = 0x746F7973  # keeps the points independent of the order that the same seed shuffles them in
_LARGEST_RING = 100  # more modes of deviation 0.01 on the unit circle would touch at three deviations
_LARGEST_GRID = 1024  # modes; a picture of the density takes time in proportion


@dataclass(frozen=True, eq=False)
class Toy:
    """A distribution of points with a name.

    Attributes:
        name: as it is typed.
        what: in a few words.
        law: the distribution.
        box: (low, high) of each axis; holds all but 1e-4 of the probability, with room around it for a picture.
    """

    name: str
    what: str
    law: Law
    box: Box

    @property
    def dimension(self) -> int:
        """D: 1 on the line, 2 in the plane."""
        return self.law.dimension

    @property
    def centers(self) -> np.ndarray | None:
        """Of the modes, float64 (K, D), where there are modes."""
        return self.law.centers if isinstance(self.law, Mixture) else None

    @property
    def weights(self) -> np.ndarray | None:
        """Probabilities of the modes, float64 (K,), where there are modes."""
        return self.law.weights if isinstance(self.law, Mixture) else None

    @property
    def std(self) -> float | None:
        """Standard deviation of a mode along each axis, where there are modes."""
        return self.law.std if isinstance(self.law, Mixture) else None

    def draw(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Points float32 (count, D), and the mode of each, int64 (count,), where there are modes.

        A pure function of `count` and `seed`, the latter in 0 … 2**64 - 1.
        """
        generator = np.random.Generator(np.random.Philox(key=[seed, _STREAM]))
        points, modes = self.law.draw(generator, count)
        return points.astype(np.float32), modes

    def density(self, points: np.ndarray) -> np.ndarray:
        """The true density, float64 (M,), at points (M, D)."""
        return self.law.density(np.asarray(points, np.float64).reshape(-1, self.dimension))


def names() -> tuple[str, ...]:
    """Of all toys, of the families `ringN` and `gridN` the member that papers report."""
    return tuple(_TOYS)


def is_toy(name: str) -> bool:
    """Whether `name` is a toy's, or a ring's or grid's of any number; that number may still be wrong."""
    return name in _TOYS or _family(name) is not None


def find(name: str) -> Toy:
    """The toy of that name.

    Raises:
        UsageError: unknown, or a ring or grid of a number that cannot be.
    """
    family = _family(name)
    if family is not None:
        kind, number = family
        return _ring(number) if kind == "ring" else _grid(number)
    if name not in _TOYS:
        close = difflib.get_close_matches(name, _TOYS, 1)
        fix = f"did you mean {close[0]}?" if close else "one of: " + ", ".join(_TOYS)
        raise UsageError(f"unknown toy '{name}'", where=name, fix=fix)
    return _TOYS[name]()


def _family(name: str) -> tuple[str, int] | None:
    """("ring", 8) of `ring8`."""
    found = re.fullmatch(r"(ring|grid)([0-9]{1,9})", name)
    return (found[1], int(found[2])) if found else None


def _ring(modes: int) -> Toy:
    """Centers (cos 2πk/N, sin 2πk/N), deviation 0.01 (Lin et al. 2018, "PacGAN", and their code)."""
    name = f"ring{modes}"
    if not 1 <= modes <= _LARGEST_RING:
        raise UsageError(f"a ring of {modes:,} modes cannot be", where=name, fix=f"ring1 … ring{_LARGEST_RING}")
    angles = 2 * np.pi * np.arange(modes) / modes
    centers = np.stack([np.cos(angles), np.sin(angles)], 1)
    return _mixture(name, f"{modes} small Gaussians on a circle, as in PacGAN", centers, 0.01, room=0.5)


def _grid(modes: int) -> Toy:
    """Centers on a square grid of spacing 2 around 0, deviation 0.05 (Lin et al. 2018, "PacGAN", and their code)."""
    name, side = f"grid{modes}", math.isqrt(modes)
    if side**2 != modes or not 1 <= modes <= _LARGEST_GRID:
        near = min(max(1, round(math.sqrt(modes))), math.isqrt(_LARGEST_GRID)) ** 2
        raise UsageError(f"a grid of {modes:,} modes cannot be: it is a square", where=name, fix=f"grid{near}")
    axis = 2.0 * np.arange(side) - (side - 1)
    centers = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return _mixture(name, f"{side} x {side} small Gaussians, as in PacGAN", centers, 0.05, room=1.0)


def _mixture(
    name: str, what: str, centers: np.ndarray, std: float, *, room: float, weights: np.ndarray | None = None
) -> Toy:
    """Gaussians around `centers`, equally likely without `weights`, seen with `room` around the outermost centers."""
    chances = np.full(len(centers), 1 / len(centers)) if weights is None else weights
    low, high = centers.min(0) - room, centers.max(0) + room
    return Toy(name, what, Mixture(centers, chances, std), tuple(zip(low.tolist(), high.tolist(), strict=True)))


def _normal1d() -> Toy:
    # Neither the mean nor the deviation of the latents: a generator has to shift and to shrink them.
    return _mixture("normal1d", "one Gaussian on the line, mean 3, deviation 0.5", np.array([[3.0]]), 0.5, room=2.5)


def _mixture1d() -> Toy:
    centers, weights = np.array([[-3.0], [0.0], [2.0]]), np.array([0.5, 0.2, 0.3])
    what = "three Gaussians on the line, of weights 0.5, 0.2 and 0.3"
    return _mixture("mixture1d", what, centers, 0.3, room=2.0, weights=weights)


def _line() -> Toy:
    def path(t: np.ndarray) -> np.ndarray:
        return np.stack([2 * t - 1, t - 0.5], 1)

    return Toy("line", "a straight line, blurred", Curve(path, 0.05), ((-1.5, 1.5), (-1.5, 1.5)))


def _circle() -> Toy:
    def path(t: np.ndarray) -> np.ndarray:
        return np.stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)], 1)

    return Toy("circle", "the unit circle, blurred", Curve(path, 0.05), ((-1.5, 1.5), (-1.5, 1.5)))


def _moons() -> Toy:
    """Two half circles, each reaching into the other, as scikit-learn's `make_moons` draws them."""

    def path(t: np.ndarray) -> np.ndarray:
        angle, lower = 2 * np.pi * t, t >= 0.5
        # The angle of the lower moon runs on from π, where both cosine and sine have changed sign already.
        return np.stack([np.cos(angle) + np.where(lower, 1.0, 0.0), np.sin(angle) + np.where(lower, 0.5, 0.0)], 1)

    return Toy("moons", "two half circles, each reaching into the other", Curve(path, 0.1), ((-1.75, 2.75), (-2, 2.5)))


def _swissroll() -> Toy:
    """The spiral of radius t and angle t from 1.5π to 4.5π, as scikit-learn's `make_swiss_roll`, a fifth as large."""

    def path(t: np.ndarray) -> np.ndarray:
        angle = 1.5 * np.pi * (1 + 2 * t)
        return angle[:, None] / 5 * np.stack([np.cos(angle), np.sin(angle)], 1)

    return Toy("swissroll", "a spiral, blurred", Curve(path, 0.1), ((-3.5, 3.5), (-3.5, 3.5)))


def _pinwheel() -> Toy:
    law = Pinwheel(blades=5, radial=0.3, tangential=0.05, rate=0.25)
    return Toy("pinwheel", "five twisted blades", law, ((-2.5, 2.5), (-2.5, 2.5)))


def _checkerboard() -> Toy:
    law = Checkerboard(squares=4, side=2.0)
    return Toy("checkerboard", "the dark squares of a board of 4 x 4", law, ((-5, 5), (-5, 5)))


_TOYS: dict[str, Callable[[], Toy]] = {
    "ring8": lambda: _ring(8),
    "grid25": lambda: _grid(25),
    "line": _line,
    "circle": _circle,
    "moons": _moons,
    "swissroll": _swissroll,
    "pinwheel": _pinwheel,
    "checkerboard": _checkerboard,
    "normal1d": _normal1d,
    "mixture1d": _mixture1d,
}
