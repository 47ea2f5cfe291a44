"""Whether a generator invents or repeats: its samples beside the very data that it was trained on.

`neighbors` finds the training data that each sample is nearest to. `authenticity` calls a sample a copy if the nearest
of the data has no other of the data as near. `memorization` asks for a held-out set: data that nobody trained on are a
certain way from the training data, and a generator's samples should be no nearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from ..errors import UsageError
from .pairwise import Neighbors, check_features, neighbors

__all__ = ["Authenticity", "Memorization", "Neighbors", "authenticity", "find_cells", "memorization", "neighbors"]

_ENOUGH = 20  # samples on either side for which the normal law is good (Mann and Whitney 1947 say eight)


@dataclass(frozen=True, eq=False)
class Authenticity:
    """Which samples are no copies.

    Attributes:
        authentic: bool (N,).
        nearest: of the training data to each sample, int64 (N,).
        distances: to it, float64 (N,).
    """

    authentic: Tensor
    nearest: Tensor
    distances: Tensor

    @property
    def share(self) -> float:
        """Share of authentic samples, 0 … 1: around 0.4 for new data of the same law, 0 for copies."""
        return self.authentic.double().mean().item()


@torch.no_grad()
def authenticity(train: Tensor, fake: Tensor, *, nearest: Neighbors | None = None) -> Authenticity:
    """Which samples are further from their nearest training datum than that is from the nearest other one.

    Alaa et al. 2022, "How faithful is your synthetic data?", section 3.3. Differs from the paper: in the space of the
    features as they are, not in one that was trained for it. Samples far from all data are authentic too.

    Args:
        train: features (N, D) of the data that the generator was trained on, at least two.
        fake: features (M, D).
        nearest: `neighbors(fake, train)`, where that is known already.
    """
    check_features(train, fake)
    to_train = neighbors(fake, train) if nearest is None else nearest
    squares, indices = to_train.squares[:, 0], to_train.indices[:, 0]
    known, back = indices.unique(return_inverse=True)
    # A datum's nearest is itself, a copy of it that comes first, or next to that the other one.
    others = neighbors(train[known], train, count=2).squares[:, 1]
    return Authenticity(squares > others[back], indices, squares.sqrt())


@dataclass(frozen=True)
class Memorization:
    """How the distances of samples to the training data compare with those of held-out data.

    Attributes:
        score: C_T: deviations by which samples are nearer than they should be: well below 0, say -3, for copies; well
            above for samples that do not look like the data; around 0 for new ones.
        closer: chance that a sample is nearer to the training data than a held-out datum, ties halved: 1/2 if new.
        p_value: chance of such a score or a lower one for a generator that is as good as the data's own law.
        cells: how many cells the score is averaged over.
        cell_scores: the score of each cell with enough data and samples, None for the others; empty for one cell.
    """

    score: float
    closer: float
    p_value: float
    cells: int
    cell_scores: tuple[float | None, ...]


@torch.no_grad()
def memorization(train: Tensor, held_out: Tensor, fake: Tensor, *, cells: Tensor | None = None) -> Memorization:
    """The test for data-copying with a held-out set.

    Meehan, Chaudhuri and Dasgupta 2020, "A non-parametric test to detect data-copying in generative models": the
    Mann-Whitney test of the distances to the nearest training datum. A generator that copies in one place and misses
    the data in another can look right on the whole, so that they also test cell by cell and average, weighted by the
    held-out data in each cell (their equation 4).

    Args:
        train: features (N, D) of the data that the generator was trained on.
        held_out: features (M, D) of data of the same law that it was not.
        fake: features (L, D) of samples.
        cells: centers (K, D), from `find_cells(train, …)`; without them there is one cell.

    Raises:
        UsageError: too few held-out data or samples in every cell: at least 20 of either.
    """
    check_features(train, held_out, fake)
    held_out_distances, fake_distances = (neighbors(each, train).squares[:, 0] for each in (held_out, fake))
    if cells is None:
        score = _deviations(held_out_distances, fake_distances)
        scores, weights = [score], [1.0]
    else:
        held_out_cells, fake_cells = (neighbors(each, cells).indices[:, 0] for each in (held_out, fake))
        inside = [(held_out_cells == cell, fake_cells == cell) for cell in range(len(cells))]
        scores = [_deviations(held_out_distances[known], fake_distances[new]) for known, new in inside]
        weights = [float(known.sum()) for known, _ in inside]
    counted = [(score, weight) for score, weight in zip(scores, weights, strict=True) if score is not None]
    if not counted:
        raise UsageError(
            f"{len(held_out)} held-out data and {len(fake)} samples do not fill a cell",
            fix=f"at least {_ENOUGH} of either in a cell; fewer cells, or none",
        )
    total = sum(weight for _, weight in counted)
    score = sum(score * weight for score, weight in counted) / total
    # A weighted mean of independent normal deviates deviates less than each.
    spread = math.sqrt(sum(weight**2 for _, weight in counted)) / total
    return Memorization(
        score=score,
        closer=1 - _share_above(held_out_distances, fake_distances),
        p_value=NormalDist().cdf(score / spread),
        cells=len(counted),
        cell_scores=() if cells is None else tuple(scores),
    )


@torch.no_grad()
def find_cells(train: Tensor, count: int, *, rounds: int = 20, seed: int = 0) -> Tensor:
    """Centers (K, D) of cells that the training data fall into, for `memorization`, by Lloyd's k-means.

    Args:
        train: features (N, D).
        count: how many cells; ones that become empty stay where they are.
        rounds: of moving each center to the mean of its cell.
        seed: of the data that the centers start from.
    """
    check_features(train, least=count)
    start = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:count]
    centers = train[start.to(train.device)].double()
    for _ in range(rounds):
        cell = neighbors(train, centers).indices[:, 0]
        sums = torch.zeros_like(centers).index_add_(0, cell, train.double())
        sizes = torch.bincount(cell, minlength=count)[:, None]
        centers = torch.where(sizes > 0, sums / sizes.clamp(min=1), centers)
    return centers


def _deviations(held_out: Tensor, fake: Tensor) -> float | None:
    """The Mann-Whitney statistic in deviations: below 0 if the fake distances are smaller. None for too few."""
    n, m = len(held_out), len(fake)
    if min(n, m) < _ENOUGH:
        return None
    return (_share_above(held_out, fake) - 0.5) * math.sqrt(12 * n * m / (n + m + 1))


def _share_above(held_out: Tensor, fake: Tensor) -> float:
    """Share of all pairs whose fake distance is the larger one, ties halved."""
    held_out = held_out.sort().values
    below, up_to = (torch.searchsorted(held_out, fake.contiguous(), right=right).double() for right in (False, True))
    return ((below + up_to) / 2).mean().item() / len(held_out)
