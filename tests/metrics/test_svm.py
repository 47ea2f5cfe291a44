"""Linear support vector machines: the same as scikit-learn's, whatever the shape of the data."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from saddlepoint.errors import DataError, UsageError
from saddlepoint.metrics.svm import COSTS, folds, svm


def clusters(count: int, features: int, classes: int, *, apart: float = 0.7, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Normal clusters whose centers lie so many standard deviations from the middle in each dimension."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (count,), generator=generator)
    centers = apart * torch.randn(classes, features, generator=generator, dtype=torch.float64)
    return centers[labels] + torch.randn(count, features, generator=generator, dtype=torch.float64), labels


def scales(features: Tensor) -> Tensor:
    """What each dimension is divided by: nearly its deviation, and what gives all a mean squared norm of 1."""
    variance = features.var(0, correction=0)
    scale = ((variance + variance.mean()) / 2).sqrt()
    return scale * ((features - features.mean(0)) / scale).square().sum(1).mean().sqrt()


def normalized(features: Tensor) -> Tensor:
    return (features - features.mean(0)) / scales(features)


@pytest.mark.parametrize("cost", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("shape", [(60, 300, 3), (200, 20, 4)], ids=["wide", "tall"])
def test_scores_are_those_of_scikit_learn(cost: float, shape: tuple[int, int, int]) -> None:
    classifiers = pytest.importorskip("sklearn.svm")
    features, labels = clusters(*shape)
    ours = svm(features, labels, costs=(cost,))
    theirs = classifiers.LinearSVC(C=cost, tol=1e-8, max_iter=100_000).fit(normalized(features), labels)
    expected = torch.from_numpy(theirs.decision_function(normalized(features)))
    # Its coordinate descent ends a little before the minimum, the more so the larger the cost.
    torch.testing.assert_close(features @ ours.weight + ours.bias, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("cost", [0.01, 100.0])
def test_there_is_no_slope_left_where_it_ends(cost: float) -> None:
    features, labels = clusters(50, 80, 3)
    machine = svm(features, labels, costs=(cost,))
    inputs = torch.cat([normalized(features), torch.ones(50, 1, dtype=torch.float64)], 1)
    # It keeps weights and biases of features as they come.
    bias = machine.bias + features.mean(0) @ machine.weight
    weight = torch.cat([machine.weight * scales(features)[:, None], bias[None]]).requires_grad_()
    signs = 2 * torch.nn.functional.one_hot(labels).double() - 1
    missing = (1 - signs * (inputs @ weight)).clamp(min=0)
    (0.5 * weight.square().sum() + cost * missing.square().sum()).backward()
    assert weight.grad is not None
    # The gradient at zero has a norm of some 2 C N; a millionth of it is left.
    assert weight.grad.norm() < 1e-5 * 2 * cost * 50


def test_new_samples_are_told_and_classes_keep_their_numbers() -> None:
    features, labels = clusters(300, 40, 3, apart=1.0)
    labels = torch.tensor([1, 4, 7])[labels]
    machine = svm(features[:100].float(), labels[:100])
    assert machine.classes.tolist() == [1, 4, 7]
    # Two standard deviations between centers in each of 40 dimensions: nobody could mistake them.
    assert (machine(features[100:].float()) == labels[100:]).double().mean() > 0.98
    assert machine.cost in COSTS


def test_a_feature_that_never_varies_says_nothing() -> None:
    features, labels = clusters(40, 6, 2)
    still = torch.cat([features, torch.full((40, 1), 3.0)], 1)
    one, other = svm(features, labels), svm(still, labels)
    moved = torch.cat([features, torch.full((40, 1), -50.0)], 1)
    assert (one(features) == other(moved)).all()


def test_a_feature_that_hardly_varied_cannot_outweigh_the_others() -> None:
    features, labels = clusters(60, 6, 2, apart=1.0)
    once = torch.zeros(60, 1, dtype=torch.float64)
    once[int(labels.argmax())] = 1e-3
    machine = svm(torch.cat([features, once], 1), labels)
    # A thousand times what it ever was says less than what the others say.
    loud = torch.cat([features, torch.ones(60, 1, dtype=torch.float64)], 1)
    assert (machine(loud) == svm(features, labels)(features)).double().mean() > 0.9


def test_noise_wants_small_costs_and_clear_classes_do_not_care() -> None:
    generator = torch.Generator().manual_seed(0)
    noisy, labels = clusters(120, 60, 2, apart=0.15, seed=1)
    flipped = torch.where(torch.rand(120, generator=generator) < 0.2, 1 - labels, labels)
    assert svm(noisy, flipped).cost <= 1.0
    clear, labels = clusters(60, 60, 2, apart=3.0)
    assert svm(clear, labels).cost == COSTS[0], "the smallest of equals"


def test_one_sample_a_class_is_enough_to_begin_with() -> None:
    features = torch.eye(3)
    machine = svm(features, torch.arange(3))
    assert machine(features).tolist() == [0, 1, 2]
    assert machine.cost == 1.0


def test_a_single_class_is_always_told() -> None:
    assert svm(torch.randn(4, 3), torch.full((4,), 2)).classes.tolist() == [2]
    same = svm(torch.ones(4, 3), torch.tensor([0, 1, 1, 1]))
    assert same(torch.ones(2, 3)).tolist() == [1, 1], "nothing to go by but how often each class is there"


def test_folds_hold_out_each_class_in_turn() -> None:
    labels = torch.tensor([0, 0, 1, 0, 1, 0, 0, 0])
    assert folds(labels, 3).tolist() == [0, 1, 0, 2, 1, 0, 1, 2]
    assert folds(labels[:2], 5).tolist() == [0, 1]


def test_what_cannot_be_learned_from_is_refused() -> None:
    with pytest.raises(DataError):
        svm(torch.tensor([[1.0, float("nan")], [0.0, 1.0]]), torch.tensor([0, 1]))
    with pytest.raises(UsageError):
        svm(torch.zeros(3, 2), torch.tensor([0, 1]))
