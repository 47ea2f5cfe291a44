"""Copies are told from new samples: by hand, by scipy, and for generators that copy on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import mannwhitneyu, norm
from sklearn.cluster import KMeans
from torch import Tensor

from saddlepoint.errors import UsageError
from saddlepoint.metrics.memory import authenticity, find_cells, memorization


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def distances(points: Tensor, train: Tensor) -> Tensor:
    return torch.cdist(points.double(), train.double()).min(1).values


def test_a_sample_is_authentic_if_its_datum_has_a_nearer_neighbor() -> None:
    train = torch.tensor([[0.0], [1.0], [5.0]])
    fake = torch.tensor([[-0.5], [-1.5], [4.0], [5.0], [10.0], [-1.0]])
    found = authenticity(train, fake)
    assert found.nearest.tolist() == [0, 0, 2, 2, 2, 0]
    assert found.distances.tolist() == [0.5, 1.5, 1, 0, 5, 1]
    # The nearest others are 1, 1 and 4 away; as near is a copy.
    assert found.authentic.tolist() == [False, True, False, False, True, False]
    assert found.share == pytest.approx(1 / 3)


def test_data_that_are_there_twice_make_only_exact_copies_unauthentic() -> None:
    train = torch.tensor([[0.0], [0.0], [3.0]])
    assert authenticity(train, torch.tensor([[0.0], [0.1]])).authentic.tolist() == [False, True]


def test_new_data_are_authentic_as_often_as_nearest_neighbors_are_not_mutual() -> None:
    """In the plane, neighbors are mutual with a chance of 6π / (8π + 3√3) (Pickard 1982); copies are all told."""
    train, fake = normal(3000, 2), normal(3000, 2, seed=1)
    chance = 1 - 6 * math.pi / (8 * math.pi + 3 * math.sqrt(3))
    # Five deviations of a share among 3,000.
    assert authenticity(train, fake).share == pytest.approx(chance, abs=5 * math.sqrt(chance * (1 - chance) / 3000))
    assert authenticity(train, train + 1e-4 * normal(3000, 2, seed=2)).share < 0.02


def test_the_score_is_the_mann_whitney_statistic() -> None:
    train, held_out, fake = normal(200, 3), normal(90, 3, seed=1), 1.2 * normal(120, 3, seed=2)
    found = memorization(train, held_out, fake)
    theirs = mannwhitneyu(
        distances(fake, train),
        distances(held_out, train),
        alternative="less",
        method="asymptotic",
        use_continuity=False,
    )
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert found.score == pytest.approx(norm.ppf(theirs.pvalue), rel=1e-6)
    assert found.closer == pytest.approx(1 - theirs.statistic / (90 * 120), rel=1e-12)
    assert (found.cells, found.cell_scores) == (1, ())
    same = memorization(train, held_out, held_out)  # all ties
    assert (same.score, same.closer, same.p_value) == (0, 0.5, 0.5)


def test_new_samples_copies_and_misses_are_told_apart() -> None:
    train, held_out = normal(500, 4), normal(300, 4, seed=1)
    new = memorization(train, held_out, normal(300, 4, seed=2))
    copies = memorization(train, held_out, train[:300] + 0.05 * normal(300, 4, seed=3))
    misses = memorization(train, held_out, 2 * normal(300, 4, seed=4))
    assert abs(new.score) < 3
    assert copies.score < -10
    assert copies.closer > 0.95
    assert copies.p_value < 1e-10
    assert misses.score > 5
    assert misses.p_value > 0.99


def test_under_one_law_the_score_is_a_normal_deviate() -> None:
    found = [
        memorization(normal(100, 2, seed=3 * t), normal(60, 2, seed=3 * t + 1), normal(60, 2, seed=3 * t + 2))
        for t in range(200)
    ]
    scores = torch.tensor([each.score for each in found])
    # Both sets share their training data, which makes the score scatter a little more, not less; four deviations.
    assert scores.mean().item() == pytest.approx(0, abs=4 / math.sqrt(200) * scores.std().item())
    assert scores.std().item() == pytest.approx(1, abs=0.25)


def test_copying_in_one_place_is_seen_cell_by_cell() -> None:
    """Half of the samples are copies, the other half lie too far out: on the whole they look right."""
    place = torch.tensor([8.0, 0.0])
    train = torch.cat([normal(400, 2), normal(400, 2, seed=1) + place])
    held_out = torch.cat([normal(300, 2, seed=2), normal(300, 2, seed=3) + place])
    fake = torch.cat([train[:300] + 1e-3, 2 * normal(300, 2, seed=4) + place])
    whole = memorization(train, held_out, fake)
    cells = find_cells(train, 2)
    found = memorization(train, held_out, fake, cells=cells)
    assert found.cells == 2
    left = cells[:, 0].argmin().item()
    scores = [score for score in found.cell_scores if score is not None]
    assert scores[left] < -15
    assert scores[1 - left] > 3
    assert found.score == pytest.approx(sum(scores) / 2, abs=0.5)
    assert whole.score > scores[left] + 8
    # The mean of two deviates deviates by 1 / sqrt(2).
    weights = [(held_out[:, 0] < 4).sum().item() / 600, (held_out[:, 0] >= 4).sum().item() / 600]
    assert found.p_value == pytest.approx(norm.cdf(found.score / math.hypot(*weights)), abs=0.01)


def test_cells_with_too_few_are_left_out() -> None:
    place = torch.tensor([50.0, 0.0])
    train = torch.cat([normal(100, 2), normal(100, 2, seed=1) + place])
    held_out = torch.cat([normal(100, 2, seed=2), normal(5, 2, seed=3) + place])
    cells = torch.stack([torch.zeros(2), place])
    found = memorization(train, held_out, train, cells=cells)
    assert found.cells == 1
    assert found.cell_scores[1] is None
    assert found.score == found.cell_scores[0]
    with pytest.raises(UsageError, match="fill a cell"):
        memorization(train, held_out[:19], train)


def test_cells_are_those_of_k_means() -> None:
    train = torch.cat([normal(100, 3) + 6 * center for center in torch.eye(3)])
    found = find_cells(train, 3, seed=1)
    theirs = KMeans(3, n_init=5, random_state=0).fit(train.numpy()).cluster_centers_
    order = found.argmax(0)
    torch.testing.assert_close(found[order], torch.from_numpy(theirs[theirs.argmax(0)]).double(), rtol=1e-4, atol=1e-4)
    assert torch.equal(find_cells(train, 3, seed=1), found)
    # More cells than places: some stay where they started, and none is NaN.
    assert find_cells(torch.zeros(5, 2), 3).isfinite().all()
    with pytest.raises(UsageError, match="too few"):
        find_cells(train, 301)
