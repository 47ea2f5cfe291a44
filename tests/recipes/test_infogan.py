"""InfoGAN: what its codes are, what is paid for telling them, and that they find modes nobody named."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy import stats
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from saddlepoint import recipe
from saddlepoint.data.batches import Batch
from saddlepoint.data.source import open_source
from saddlepoint.loop import train
from saddlepoint.match import opening
from saddlepoint.plan import Plan
from saddlepoint.recipes import infogan


def game(shape: tuple[int, ...] = (1, 16, 16), **options: Any) -> infogan.InfoGAN:
    torch.manual_seed(0)
    return infogan.InfoGAN(infogan.Options(width=4, **options), shape)


def turns(played: infogan.InfoGAN) -> list[Any]:
    pictures = torch.randn(8, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(2)
    return list(played.turns(iter([Batch(pictures, None)])))


def test_the_networks_are_those_of_the_papers_appendix() -> None:
    made, judge = infogan.generator(74, (1, 28, 28), 64), infogan.Discriminator((1, 28, 28), 64, 12)
    shapes = [tuple(weight.shape) for weight in made.parameters() if weight.ndim > 1]
    assert shapes == [(1024, 74), (7 * 7 * 128, 1024), (128, 64, 4, 4), (64, 1, 4, 4)]
    shapes = [tuple(weight.shape) for weight in judge.parameters() if weight.ndim > 1]
    assert shapes == [
        *[(64, 1, 4, 4), (128, 64, 4, 4), (1024, 7 * 7 * 128)],
        *[(1, 1024), (128, 1024), (12, 128)],
    ]


def test_latents_from_a_normal_distribution_become_uniform() -> None:
    drawn = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    codes = infogan.uniform(drawn)
    # Values of p are uniform themselves: one below 0.001 would come up once in a thousand seeds.
    assert stats.kstest(codes.numpy(), stats.uniform(-1, 2).cdf).pvalue > 0.001
    assert torch.equal(codes.argsort(), drawn.argsort()), "a larger number is a larger code"


def test_both_players_pay_for_codes_that_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    played = game(continuous=3, weight=2.0)
    made: list[tuple[Tensor, Tensor]] = []
    told: list[Tensor] = []
    decode = played.decode
    monkeypatch.setattr(
        played, "decode", lambda noise, labels: (made.append((noise, labels)), decode(noise, labels))[1]
    )
    played.discriminator.register_forward_hook(lambda network, inputs, outputs: told.append(outputs[1]))
    judging, making = turns(played)
    ((noise, labels),) = made
    for turn, seen in ((judging, told[1]), (making, told[2])):
        logits, means = seen[:, :10], seen[:, 10:]
        assert torch.allclose(turn.losses["categories"], 2 * F.cross_entropy(logits, labels))
        # -log of a Gaussian with a variance of 1, less the constant.
        assert noise.shape == (8, 62 + 3)
        codes = infogan.uniform(noise[:, -3:])
        likelihood = torch.distributions.Normal(means, 1.0).log_prob(codes).sum(1)
        constant = 3 * torch.distributions.Normal(0.0, 1.0).log_prob(torch.zeros(()))
        assert torch.allclose(turn.losses["continuous"], 2 * (constant - likelihood).mean(), atol=1e-5)


def test_a_game_without_continuous_codes_is_not_charged_for_them() -> None:
    assert all("continuous" not in turn.losses for turn in turns(game(continuous=0)))


def test_modes_are_found_that_nobody_named() -> None:
    found = recipe.find("infogan")
    options = found.configure("plane", width=64, batch=64, average=0, steps=300)
    match = opening(found.stages(options, open_source("ring8:2000")), Plan("cpu", threads=1))
    train(match)
    batch = match.stage.data.read(0, 1000)
    with match.averages.applied():
        told = match.game.classify(batch.image).argmax(1)
    together = torch.zeros(8, 8).index_put_((told, batch.label), torch.ones(()), accumulate=True)
    rows, columns = linear_sum_assignment(-together)
    # Chance is about 1/5 after matching.
    assert float(together[rows, columns].sum()) / 1000 > 0.7
