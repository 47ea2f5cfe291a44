"""Distributions on the line and in the plane that can be drawn from, and whose true density is known.

Each class has the same two methods: `draw(generator, count)` gives points (N, D) and the mode that each came from,
or None where a distribution has no modes; `density(points)` gives the density at points (M, D), float64 (M,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Law(Protocol):
    """What the classes below have in common."""

    @property
    def dimension(self) -> int:
        """Of the space the points lie in."""

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Points (N, D) and their modes (N,)."""

    def density(self, points: np.ndarray) -> np.ndarray:
        """The density (M,) at points (M, D)."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Equally round Gaussians, the modes.

    Attributes:
        centers: (K, D).
        weights: probability of each mode (K,), sum 1.
        std: of every mode along every axis.
    """

    centers: np.ndarray
    weights: np.ndarray
    std: float

    @property
    def dimension(self) -> int:
        return self.centers.shape[1]

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        modes = generator.choice(len(self.centers), count, p=self.weights)
        return self.centers[modes] + self.std * generator.standard_normal((count, self.dimension)), modes

    def density(self, points: np.ndarray) -> np.ndarray:
        total = np.zeros(len(points))
        columns = np.ascontiguousarray(points.T)
        # Mode by mode: a table of all points by all modes would not fit for a fine picture of many modes.
        for center, weight in zip(self.centers, self.weights, strict=True):
            total += weight * np.exp(-0.5 / self.std**2 * ((columns - center[:, None]) ** 2).sum(0))
        return total / (np.sqrt(2 * np.pi) * self.std) ** self.dimension


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve in the plane, blurred by a round Gaussian.

    Attributes:
        path: from a parameter (N,) in [0, 1), drawn uniformly, to the plane (N, 2). It may jump at 1/2, nowhere else.
        std: of the blur along either axis.
    """

    path: Callable[[np.ndarray], np.ndarray]
    std: float
    dimension: int = 2

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        return self.path(generator.random(count)) + self.std * generator.standard_normal((count, 2)), None

    def density(self, points: np.ndarray) -> np.ndarray:
        """The blur's density, averaged over the curve's parameter by Gauss-Legendre quadrature, panel by panel."""
        # Panels of at most two deviations hold the error under 1e-6; an even number puts the jump between two of them.
        steps = np.hypot(*np.diff(self.path(np.linspace(0, 1, 400, endpoint=False)), axis=0).T)
        fastest = 400 * np.sort(steps)[-2]  # the longest step may be the jump
        panels = 2 * int(np.ceil(fastest / (4 * self.std)))
        nodes, weights = np.polynomial.legendre.leggauss(5)
        parameters = (np.arange(panels)[:, None] + (nodes + 1) / 2) / panels
        mixture = Mixture(self.path(parameters.ravel()), np.tile(weights / 2 / panels, panels), self.std)
        return mixture.density(points)


@dataclass(frozen=True, eq=False)
class Pinwheel:
    """Blades around the origin: Gaussians along rays, twisted the more, the farther out.

    After Johnson et al. 2016, "Composing graphical models with neural networks". Differs from their code: the twist
    depends on the distance from the origin, not on the coordinate along the blade; it then preserves areas, which
    makes the density exact.

    Attributes:
        blades: how many.
        radial: deviation along a blade; its middle is at distance 1.
        tangential: deviation across it.
        rate: radians of twist per unit of exp(distance).
    """

    blades: int
    radial: float
    tangential: float
    rate: float
    dimension: int = 2

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        blade = generator.integers(self.blades, size=count)
        flat = generator.standard_normal((count, 2)) * (self.radial, self.tangential) + (1.0, 0.0)
        return _turn(flat, self._twist(flat) + blade * 2 * np.pi / self.blades), None

    def density(self, points: np.ndarray) -> np.ndarray:
        total = np.zeros(len(points))
        for blade in range(self.blades):
            flat = _turn(points, -self._twist(points) - blade * 2 * np.pi / self.blades)
            total += np.exp(-0.5 * (((flat - (1.0, 0.0)) / (self.radial, self.tangential)) ** 2).sum(1))
        return total / (self.blades * 2 * np.pi * self.radial * self.tangential)

    def _twist(self, points: np.ndarray) -> np.ndarray:
        return self.rate * np.exp(np.hypot(points[:, 0], points[:, 1]))


@dataclass(frozen=True, eq=False)
class Checkerboard:
    """Uniform on the dark squares of a board around the origin.

    Attributes:
        squares: along a side, an even number.
        side: of one square.
    """

    squares: int
    side: float
    dimension: int = 2

    def draw(self, generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        row = generator.integers(self.squares, size=count)
        column = 2 * generator.integers(self.squares // 2, size=count) + row % 2
        corner = np.stack([column, row], 1) - self.squares / 2
        return self.side * (corner + generator.random((count, 2))), None

    def density(self, points: np.ndarray) -> np.ndarray:
        cell = np.floor(points / self.side + self.squares / 2)
        inside = ((cell >= 0) & (cell < self.squares)).all(1)
        dark = cell.sum(1) % 2 == 0
        return (inside & dark) * 2 / (self.squares * self.side) ** 2


def _turn(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points (N, 2) turned about the origin, each by its own angle (N,) in radians."""
    x, y = points.T
    return np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y], 1)
