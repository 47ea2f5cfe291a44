"""Uniform noise of a given deviation, in training only."""

from __future__ import annotations

import pytest
import torch

from saddlepoint.layers.dither import Dither


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_noise_has_the_deviation_asked_for(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    noise = Dither(0.5)(torch.zeros(301, 97, dtype=dtype)).float()
    # 29,197 uniform numbers: the deviation is known to 0.0013, one standard error; rounding to bfloat16 adds less.
    assert float(noise.std()) == pytest.approx(0.5, abs=0.006)
    # The bytes' own mean is -1/2 of a step: -0.0034.
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.015)
    # Neighbors in a row and in a column know nothing of each other: four standard errors.
    for one, other in ((noise[:, 1:], noise[:, :-1]), (noise[1:], noise[:-1])):
        assert abs(float((one * other).mean())) < 0.25 * 4 / 29_000**0.5


def test_a_sum_over_features_is_normal() -> None:
    torch.manual_seed(0)
    sums = Dither(1.0)(torch.zeros(20_000, 250)).sum(1) / 250**0.5
    # Kurtosis of a normal distribution: 3, known here to sqrt(24 / 20,000) = 0.035.
    assert float(((sums - sums.mean()) / sums.std()).pow(4).mean()) == pytest.approx(3.0, abs=0.12)


def test_the_default_generator_decides() -> None:
    layer, features = Dither(0.3), torch.ones(3, 5)
    torch.manual_seed(1)
    one = layer(features)
    torch.manual_seed(1)
    assert torch.equal(layer(features), one)
    assert not torch.equal(layer(features), one)


def test_gradients_pass_and_evaluation_is_silent() -> None:
    layer, features = Dither(0.3), torch.randn(2, 3, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(features).sum(), features)
    assert torch.equal(gradient, torch.ones_like(features))
    assert layer.eval()(features) is features
