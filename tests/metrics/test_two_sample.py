"""The two-sample test of the nearest neighbor: its accuracies by scikit-learn, and the law of its p-value."""

from __future__ import annotations

import pytest
import torch
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from saddlepoint.errors import UsageError
from saddlepoint.metrics.two_sample import two_sample


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("first", "second"), [(40, 40), (50, 20)])
def test_accuracies_are_those_of_a_left_out_neighbor(first: int, second: int) -> None:
    x, y = normal(first, 3), normal(second, 3, seed=1) + 0.7
    labels = [1] * first + [0] * second
    told = cross_val_predict(KNeighborsClassifier(1), torch.cat([x, y]).double(), labels, cv=LeaveOneOut())
    found = two_sample(x, y, trials=1)
    assert found.real == pytest.approx((told[:first] == 1).mean())
    assert found.fake == pytest.approx((told[first:] == 0).mean())
    assert found.accuracy == pytest.approx((told == labels).mean())


def test_sets_of_one_law_are_told_apart_by_chance() -> None:
    found = [two_sample(normal(40, 2, seed=2 * t), normal(40, 2, seed=2 * t + 1), trials=99) for t in range(150)]
    assert found[0].chance == 39 / 79
    accuracy = torch.tensor([each.accuracy for each in found])
    # Four deviations of the mean of 150.
    assert accuracy.mean().item() == pytest.approx(39 / 79, abs=4 * accuracy.std().item() / 150**0.5)
    values = torch.tensor([each.p_value for each in found])
    # Uniform, but for ties, which make it larger: four deviations of a share of 150.
    assert (values <= 0.1).double().mean() < 0.1 + 4 * (0.1 * 0.9 / 150) ** 0.5
    assert 0.4 < values.mean() < 0.7


def test_differences_collapse_and_copies_show_where_they_should() -> None:
    real = normal(200, 5)
    far = two_sample(real, normal(200, 5, seed=1) + 5)
    assert (far.accuracy, far.real, far.fake) == (1, 1, 1)
    assert far.p_value == 1 / 1001
    collapsed = two_sample(real, normal(4, 5, seed=1).repeat(50, 1) + 0.01 * normal(200, 5, seed=2))
    assert collapsed.fake > 0.95
    copies = two_sample(real, real + 1e-3 * normal(200, 5, seed=3))
    assert copies.accuracy < 0.05
    assert copies.p_value == 1


def test_few_points_cannot_be_surprising() -> None:
    """Of the six ways to label two pairs far apart, two keep them together: as good as what was seen, so it counts."""
    found = two_sample(torch.tensor([[0.0], [1.0]]), torch.tensor([[100.0], [101.0]]))
    assert found.accuracy == 1
    # Four deviations of a share of 1,000.
    assert found.p_value == pytest.approx(1 / 3, abs=4 * (2 / 9 / 1000) ** 0.5)


def test_is_a_pure_function_of_its_seed() -> None:
    x, y = normal(30, 2), normal(30, 2, seed=1)
    assert two_sample(x, y, trials=50) == two_sample(x, y, trials=50)
    values = {two_sample(x, y, trials=50, seed=seed).p_value for seed in range(5)}
    assert len(values) > 1
    with pytest.raises(UsageError, match="p-value"):
        two_sample(x, y, trials=0)
