"""What layers make of a class: norms with gains and biases of its own, scores with a direction of its own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from saddlepoint.layers.conditional import ConditionalBatchNorm, Projection, class_norm, vector_norm

LABELS = torch.tensor([2, 0, 2, 1])


def of_classes() -> ConditionalBatchNorm:
    torch.manual_seed(0)
    layer = class_norm(5, classes=3)
    for table in (layer.gain, layer.bias):
        nn.init.normal_(table.weight)
    return layer


def normal(features: Tensor) -> Tensor:
    return F.batch_norm(features, None, None, training=True)


def test_each_class_has_gains_and_biases_of_its_own() -> None:
    layer, features = of_classes(), torch.randn(4, 5, 3, 3)
    output = layer(features, LABELS)
    for sample, label in enumerate(LABELS):
        gain, bias = 1 + layer.gain.weight[label], layer.bias.weight[label]
        expected = normal(features)[sample] * gain[:, None, None] + bias[:, None, None]
        torch.testing.assert_close(output[sample], expected)


def test_classes_start_alike_as_a_plain_normalization() -> None:
    layer, plain = class_norm(5, classes=3), nn.BatchNorm2d(5)
    features = 2 + 3 * torch.randn(4, 5, 3, 3)
    torch.testing.assert_close(layer(features, LABELS), plain(features))
    torch.testing.assert_close(layer.eval()(features, LABELS), plain.eval()(features))


def test_a_class_that_is_not_there_learns_nothing() -> None:
    layer = of_classes()
    (layer(torch.randn(2, 5, 3, 3), torch.tensor([0, 2])) ** 3).sum().backward()
    for table in (layer.gain, layer.bias):
        moved = table.weight.grad.abs().sum(1) > 0
        assert moved.tolist() == [True, False, True]


def test_shares_of_classes_mix_what_they_make() -> None:
    layer, features = of_classes().eval(), torch.randn(4, 5, 3, 3)
    torch.testing.assert_close(layer(features, F.one_hot(LABELS, 3).float()), layer(features, LABELS))
    halves = torch.tensor([[0.5, 0.5, 0.0]]).expand(4, 3)
    first, second = (layer(features, torch.full((4,), label)) for label in (0, 1))
    torch.testing.assert_close(layer(features, halves), (first + second) / 2)


def test_vectors_are_mapped_to_gains_around_one_and_to_biases() -> None:
    layer = vector_norm(5, size=7)
    features, vectors = torch.randn(4, 5, 3, 3), torch.randn(4, 7)
    gain, bias = 1 + vectors @ layer.gain.weight.T, vectors @ layer.bias.weight.T
    expected = normal(features) * gain[..., None, None] + bias[..., None, None]
    torch.testing.assert_close(layer(features, vectors), expected)
    assert {name for name, _ in layer.named_parameters()} == {"gain.weight", "bias.weight"}


@pytest.mark.parametrize("condition", [LABELS, torch.randn(4, 3)])
def test_the_precision_is_that_of_the_features(condition: Tensor) -> None:
    layer = class_norm(5, classes=3) if condition is LABELS else vector_norm(5, size=3)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(4, 5, 3, 3).bfloat16(), condition).dtype == torch.bfloat16
    assert layer.norm.running_mean.dtype == torch.float32


def test_a_projection_adds_the_product_with_the_vector_of_the_class() -> None:
    torch.manual_seed(0)
    head, features = Projection(6, 3), torch.randn(4, 6)
    scores = head(features, LABELS)
    assert scores.shape == (4, 1)
    for sample, label in enumerate(LABELS):
        expected = (head.score.weight[0] + head.direction.weight[label]) @ features[sample] + head.score.bias
        torch.testing.assert_close(scores[sample], expected)
    torch.testing.assert_close(head(features, F.one_hot(LABELS, 3).float()), scores)
