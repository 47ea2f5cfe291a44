"""The Fréchet distance of two sets of features, taken for Gaussians: |m - n|² + tr(A + B - 2 (AB)^1/2).

Heusel et al. 2017, "GANs trained by a two time-scale update rule". With the features of Inception-v3 this is FID. The
trace of (AB)^1/2 is the sum of the roots of the eigenvalues of LᵀBL, where A = LLᵀ: a symmetric matrix, so that no
matrix root is taken and nothing complex arises (A and B are covariances, m and n means).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import DataError, UsageError
from .pairwise import check_features

_ROWS = 2048  # of features that are turned to float64 at once
_COLUMNS = 256  # a symmetric matrix is made in stripes so wide, up to the diagonal


class Statistics:
    """Count, mean and covariance of features, batch by batch; what is kept does not grow.

    Means and sums of squares of parts are put together by the formula of Chan, Golub and LeVeque 1979, which loses no
    digits where the mean is large.

    Args:
        dimension: of the features.
        device: where they will lie.

    Attributes:
        count: rows so far.
        mean: float64 (D,).
    """

    def __init__(self, dimension: int, device: torch.device | str = "cpu") -> None:
        self.count = 0
        self.mean = torch.zeros(dimension, dtype=torch.float64, device=device)
        self._scatter = torch.zeros((dimension, dimension), dtype=torch.float64, device=device)  # above the diagonal

    @classmethod
    def of(cls, features: Tensor) -> Statistics:
        """Those of features (N, D) that are all there."""
        check_features(features)
        result = cls(features.shape[1], features.device)
        result.add(features)
        return result

    @classmethod
    def from_dict(cls, tensors: dict[str, Tensor]) -> Statistics:
        """What `to_dict` gave; the device is that of the mean.

        Raises:
            DataError: tensors that are not such statistics.
        """
        try:
            count, mean, covariance = int(tensors["count"]), tensors["mean"].double(), tensors["covariance"].double()
        except (KeyError, ValueError, RuntimeError) as error:
            raise DataError("these are no statistics of features", fix="make them again") from error
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)) or count < 2:
            raise DataError(
                f"{count} features, a mean {tuple(mean.shape)} and a covariance {tuple(covariance.shape)} do not fit",
                fix="make them again",
            )
        result = cls(len(mean), mean.device)
        result.count, result.mean, result._scatter = count, mean, covariance.to(mean.device).triu() * (count - 1)
        return result

    def to_dict(self) -> dict[str, Tensor]:
        """Plain tensors to be kept: `count` int64 (), `mean` float64 (D,), `covariance` float64 (D, D)."""
        return {"count": torch.tensor(self.count), "mean": self.mean, "covariance": self.covariance}

    @torch.no_grad()
    def add(self, features: Tensor) -> None:
        """Takes in further features (N, D)."""
        check_features(features)
        self._check(features.shape[1], features.device)
        for rows in features.split(_ROWS):
            total = self.count + len(rows)
            block = rows.to(torch.float64, copy=True)
            mean = block.mean(0)
            block -= mean
            apart = mean - self.mean
            self._scatter.addr_(apart, apart, alpha=self.count * len(rows) / total)
            for start in range(0, len(mean), _COLUMNS):
                stripe = slice(start, start + _COLUMNS)
                self._scatter[stripe, start:].addmm_(block[:, stripe].T, block[:, start:])
            self.mean += apart * (len(rows) / total)
            self.count = total

    def merge(self, other: Statistics) -> Statistics:
        """Those of both sets together."""
        self._check(len(other.mean), other.mean.device)
        result = Statistics(len(self.mean), self.mean.device)
        result.count = total = self.count + other.count
        if total:
            apart = other.mean - self.mean
            result.mean = self.mean + apart * (other.count / total)
            result._scatter = self._scatter + other._scatter
            result._scatter.addr_(apart, apart, alpha=self.count * other.count / total)
        return result

    def without(self, part: Statistics) -> Statistics:
        """Those of the rest, when `part` are those of some of these features.

        Raises:
            UsageError: nothing would be left.
        """
        self._check(len(part.mean), part.mean.device)
        if part.count >= self.count:
            raise UsageError(f"{part.count} of {self.count} features cannot be taken away")
        result = Statistics(len(self.mean), self.mean.device)
        result.count = rest = self.count - part.count
        result.mean = self.mean + (self.mean - part.mean) * (part.count / rest)
        apart = part.mean - result.mean
        result._scatter = self._scatter - part._scatter
        result._scatter.addr_(apart, apart, alpha=-part.count * rest / self.count)
        return result

    @property
    def covariance(self) -> Tensor:
        """Unbiased, float64 (D, D).

        Raises:
            UsageError: fewer than two features.
        """
        if self.count < 2:
            raise UsageError(f"{self.count} features have no covariance", fix="at least two")
        upper = self._scatter.triu()
        return (upper + upper.triu(1).T) / (self.count - 1)

    def _check(self, dimension: int, device: torch.device) -> None:
        if dimension != len(self.mean) or device != self.mean.device:
            raise UsageError(
                f"features in {dimension} dimensions on {device} do not belong to statistics in {len(self.mean)} "
                f"on {self.mean.device}"
            )


@dataclass(frozen=True)
class Frechet:
    """The distance (without a root, as everybody reports it), and what it is made of.

    Attributes:
        means: the part that is due to different means.
        covariances: the part that is due to different covariances.
        counts: features of the first and of the second set.
        dimension: of the features.
    """

    means: float
    covariances: float
    counts: tuple[int, int]
    dimension: int

    @property
    def distance(self) -> float:
        """At least 0; 0 for equal means and covariances."""
        return self.means + self.covariances

    @property
    def rank_deficient(self) -> bool:
        """Whether a covariance is singular since there are not more features than dimensions."""
        return min(self.counts) <= self.dimension

    @property
    def warning(self) -> str | None:
        """What a person should know of the distance."""
        if not self.rank_deficient:
            return None
        return (
            f"{min(self.counts):,} features in {self.dimension:,} dimensions have a singular covariance: the distance "
            f"is far too large, and only comparable at equal counts; take many more than {self.dimension:,}"
        )


@torch.no_grad()
def frechet_distance(a: Statistics, b: Statistics) -> Frechet:
    """The Fréchet distance of two sets of features; it is symmetric.

    Finite sets are further apart than their laws, by about c / N: compare equal counts only, or `frechet_infinity`.

    Raises:
        UsageError: fewer than two features, or features of different dimensions or devices.
    """
    a._check(len(b.mean), b.mean.device)
    first, second = a.covariance, b.covariance
    root = _root_trace(first, second)
    return Frechet(
        means=(a.mean - b.mean).square().sum().item(),
        covariances=max(0.0, (first.trace() + second.trace()).item() - 2 * root),
        counts=(a.count, b.count),
        dimension=len(a.mean),
    )


@dataclass(frozen=True)
class Extrapolation:
    """The distance that infinitely many samples would have.

    Attributes:
        distance: where the line meets 1 / N = 0.
        slope: what a finite number of samples N adds, times N.
        counts: sizes of the sets that the line goes through.
        distances: theirs.
    """

    distance: float
    slope: float
    counts: tuple[int, ...]
    distances: tuple[float, ...]


def frechet_infinity(
    real: Statistics, fake: Tensor, *, points: int = 15, smallest: int | None = None, seed: int = 0
) -> Extrapolation:
    """The Fréchet distance extrapolated to infinitely many generated samples by a line in 1 / N.

    Chong and Forsyth 2020, "Effectively unbiased FID and Inception Score and where to find them". The bias of the
    reference remains. Differs from the paper: the smaller sets are parts of the larger ones, so that all of them
    together cost one pass over the features, and the latents need not come from a Sobol sequence.

    Args:
        real: the reference.
        fake: features (N, D) of generated samples.
        points: sets of features, at least two; each costs one `frechet_distance`.
        smallest: size of the smallest set; by default a tenth of all, as in the paper, or three times the dimension if
            that is more: with fewer the line is a curve.
        seed: of their order.

    Raises:
        UsageError: too few features.
    """
    check_features(fake)
    smallest = max(len(fake) // 10, 3 * fake.shape[1]) if smallest is None else smallest
    if not 2 <= smallest < len(fake) or points < 2:
        raise UsageError(
            f"no line goes through {points} sets of {smallest} to {len(fake)} features",
            fix="more samples, or features of fewer dimensions",
        )
    counts = torch.linspace(smallest, len(fake), points, dtype=torch.float64).round().long().tolist()
    order = torch.randperm(len(fake), generator=torch.Generator().manual_seed(seed)).to(fake.device)
    so_far, distances = Statistics(fake.shape[1], fake.device), []
    for count in counts:
        so_far.add(fake[order[so_far.count : count]])
        distances.append(frechet_distance(real, so_far).distance)
    inverse, values = (torch.tensor(each, dtype=torch.float64) for each in ([1 / n for n in counts], distances))
    centered = inverse - inverse.mean()
    slope = ((centered * values).sum() / centered.square().sum()).item()
    return Extrapolation(values.mean().item() - slope * inverse.mean().item(), slope, tuple(counts), tuple(distances))


def _root_trace(a: Tensor, b: Tensor) -> float:
    """The trace of (ab)^1/2 of two covariances (D, D)."""
    for first, second in ((a, b), (b, a)):
        factor, failed = torch.linalg.cholesky_ex(first)
        if not failed:
            return _roots(_congruent(factor, second))
    values, vectors = torch.linalg.eigh(a)
    factor = vectors * values.clamp(min=0).sqrt()
    return _roots(factor.T @ b @ factor)


def _congruent(lower: Tensor, symmetric: Tensor) -> Tensor:
    """LᵀSL for a lower triangular L, itself only up to the diagonal: a third of the time."""
    result = torch.zeros_like(symmetric)
    for start in range(0, len(lower), _COLUMNS):
        stripe = slice(start, start + _COLUMNS)
        result[start:, stripe] = lower[start:, start:].T @ (symmetric[start:, start:] @ lower[start:, stripe])
    return result


def _roots(symmetric: Tensor) -> float:
    """The sum of the roots of the eigenvalues of a matrix that is given up to its diagonal."""
    return torch.linalg.eigvalsh(symmetric, UPLO="L").clamp(min=0).sqrt().sum().item()
