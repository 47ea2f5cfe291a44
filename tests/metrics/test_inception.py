"""The Inception Score: a published number, its bounds, a package."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy
from torch import Tensor, nn

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics.inception import inception_score


def logits(count: int, classes: int = 10, seed: int = 0) -> Tensor:
    return 3 * torch.randn(count, classes, generator=torch.Generator().manual_seed(seed))


def by_scipy(values: Tensor) -> float:
    chances = softmax(values.double().numpy(), axis=1)
    return math.exp(entropy(chances.T, chances.mean(0)[:, None]).mean())


def test_two_images() -> None:
    values = torch.tensor([[1.0, 2, 3], [-1, 5, 3.1]])
    assert inception_score(values, splits=1).mean == pytest.approx(1.24357, abs=1e-5)  # cut, not rounded
    assert inception_score(values, splits=1).mean == pytest.approx(by_scipy(values), rel=1e-12)


def test_is_the_number_of_classes_at_best_and_one_at_worst() -> None:
    sure = 1e4 * torch.eye(7).repeat(20, 1)
    assert inception_score(sure, splits=2).mean == pytest.approx(7, rel=1e-12)
    assert inception_score(sure[::7], splits=2).mean == pytest.approx(1, rel=1e-12)  # one class only
    assert inception_score(torch.zeros(20, 7), splits=2).mean == pytest.approx(1, rel=1e-12)  # nothing is sure


def test_splits_are_scored_in_order() -> None:
    values = logits(100)
    found = inception_score(values, splits=4)
    parts = [by_scipy(part) for part in values.split(25)]
    assert found.mean == pytest.approx(np.mean(parts), rel=1e-12)
    assert found.std == pytest.approx(np.std(parts), rel=1e-10)
    assert (found.splits, found.count) == (4, 100)
    # A split of one image says nothing, and no image is left out.
    assert inception_score(values, splits=100).mean == pytest.approx(1)
    uneven = [by_scipy(part) for part in values[:10].split([3, 3, 2, 2])]
    assert inception_score(values[:10], splits=4).mean == pytest.approx(np.mean(uneven), rel=1e-12)


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore`", "ignore:std")
def test_agrees_with_torchmetrics() -> None:
    from torchmetrics.image.inception import InceptionScore

    class Same(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return features

    values = logits(200).double()
    theirs = InceptionScore(feature=Same(), splits=1)  # it shuffles, which one split does not notice
    theirs.update(values)
    assert inception_score(values, splits=1).mean == pytest.approx(theirs.compute()[0].item(), rel=1e-9)


def test_what_has_no_score_is_refused() -> None:
    for values, splits in ((logits(5), 6), (logits(5), 0), (torch.zeros(5), 1)):
        with pytest.raises(UsageError, match="splits"):
            inception_score(values, splits)
    with pytest.raises(DataError, match="not finite"):
        inception_score(torch.full((5, 3), torch.nan), 1)
