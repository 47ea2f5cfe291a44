"""Precision, recall, density and coverage against the authors' package, by hand, and where the papers say what is."""

from __future__ import annotations

import pytest
import torch
from prdc import compute_prdc
from torch import Tensor

from saddlepoint.errors import UsageError
from saddlepoint.metrics import pairwise
from saddlepoint.metrics.precision import PrecisionRecall, precision_recall


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def shares(found: PrecisionRecall) -> dict[str, float]:
    names = ("precision", "recall", "density", "coverage")
    return {name: getattr(found, name) for name in names}


def collapsed(count: int, dimension: int, seed: int = 0) -> Tensor:
    return normal(7, dimension, seed=9).repeat(count // 7 + 1, 1)[:count] + 1e-3 * normal(count, dimension, seed=seed)


CASES = {
    "one law": (normal(600, 64), normal(500, 64, seed=1)),
    "shifted": (normal(300, 8), normal(400, 8, seed=1) + 0.5),
    "narrow": (normal(400, 16), 0.7 * normal(400, 16, seed=1)),
    "wide": (normal(400, 16), 1.5 * normal(400, 16, seed=1)),
    "rectified": (normal(400, 128).relu() * 5 + 3, (normal(300, 128, seed=1) + 0.2).relu() * 5 + 3),
    "collapsed": (normal(400, 16), collapsed(300, 16)),
    "apart": (normal(300, 4), normal(300, 4, seed=1) + 50),
    "float64": (normal(300, 8).double(), normal(300, 8, seed=1).double()),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_the_authors_package(
    name: str, k: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pairwise, "TILE", 128)
    real, fake = CASES[name]
    # In float64, since the package rounds distances to the type of the features.
    expected = compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=k)
    assert shares(precision_recall(real, fake, k=k)) == pytest.approx(expected, rel=1e-12)


def test_by_hand() -> None:
    """On the line, k = 1: the balls of 0, 1, 3, 7 reach 1, 1, 2, 4; those of 0.5, 2.5, 20 reach 2, 2, 17.5."""
    real, fake = (torch.tensor(points)[:, None] for points in ([0.0, 1.0, 3.0, 7.0], [0.5, 2.5, 20.0]))
    found = precision_recall(real, fake, k=1)
    assert found.balls.tolist() == [2, 1, 0]
    assert found.precision == pytest.approx(2 / 3)
    assert found.density == pytest.approx(1)
    assert found.recalled.tolist() == [True, True, True, True]
    assert found.covered.tolist() == [True, True, True, False]


def test_a_sample_on_the_rim_is_outside() -> None:
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [-1.0]])
    assert precision_recall(real, fake, k=1).precision == 0
    assert precision_recall(real, fake * 0.999, k=1).precision == 1


def test_data_against_themselves_are_perfect() -> None:
    x = normal(300, 8)
    found = precision_recall(x, x)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)


def test_coverage_of_new_data_is_what_the_paper_says() -> None:
    """1 - 2**-k for sets of equal size (Naeem et al. 2020, section 3.2), and density 1, in any dimension."""
    found = precision_recall(normal(2000, 4), normal(2000, 4, seed=1), k=3)
    # Five deviations of a share among 2,000, had they nothing to do with each other.
    assert found.coverage == pytest.approx(1 - 2**-3, abs=5 * (0.125 * 0.875 / 2000) ** 0.5)
    assert found.density == pytest.approx(1, abs=0.05)


def test_too_few_features_have_no_balls() -> None:
    with pytest.raises(UsageError, match="5 rows of features are too few"):
        precision_recall(normal(5, 2), normal(9, 2), k=5)
