"""Noise: how much, when, and from whose randomness."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saddlepoint.layers.noise import GaussianNoise, SteadyDropout, drawing_from, instance_noise
from saddlepoint.schedules import linear_decay


def test_instance_noise_has_the_scale_it_is_given() -> None:
    torch.manual_seed(0)
    samples = torch.randn(100, 3, 10, 10)
    noise = instance_noise(samples, 0.3) - samples
    # Of 30,000 numbers: the standard errors are 0.0017 and 0.0012.
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.006)
    assert float(noise.std()) == pytest.approx(0.3, abs=0.004)


def test_instance_noise_follows_a_schedule_down_to_nothing() -> None:
    samples = torch.randn(50, 2)
    fade = linear_decay(0.0)
    amounts = []
    for fraction in (0.0, 0.5, 0.9, 1.0):
        torch.manual_seed(0)
        amounts.append(float((instance_noise(samples, 0.2 * fade(fraction)) - samples).std()))
    assert amounts[1] == pytest.approx(amounts[0] / 2, rel=1e-4)
    assert amounts[2] == pytest.approx(amounts[0] / 10, rel=1e-4)
    assert torch.equal(instance_noise(samples, 0.2 * fade(1.0)), samples)


def test_gaussian_noise_is_for_training_only() -> None:
    torch.manual_seed(0)
    layer, features = GaussianNoise(0.5), torch.randn(4000)
    assert torch.equal(layer.eval()(features), features)
    assert float((layer.train()(features) - features).std()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("training", [True, False])
def test_steady_dropout_drops_in_both_modes(training: bool) -> None:
    torch.manual_seed(0)
    dropped = SteadyDropout(0.25).train(training)(torch.ones(10_000))
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.015)  # three standard errors
    assert dropped.max() == pytest.approx(1 / 0.75)


def test_a_generator_decides_what_layers_draw_and_nothing_else_is_touched() -> None:
    network = nn.Sequential(nn.Linear(4, 64), SteadyDropout(), GaussianNoise(1.0))
    latents = torch.randn(3, 4)

    def sample(seed: int) -> torch.Tensor:
        with drawing_from(torch.Generator().manual_seed(seed)):
            return network(latents)

    state = torch.get_rng_state()
    one, same, other = sample(1), sample(1), sample(2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_one_generator_gives_one_draw_after_another() -> None:
    generator = torch.Generator().manual_seed(1)
    draws = []
    for _ in range(2):
        with drawing_from(generator):
            draws.append(torch.rand(3))
    assert not torch.equal(*draws)


def test_without_a_generator_the_default_one_is_drawn_from() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with drawing_from(None):
        assert torch.equal(torch.rand(3), expected)
