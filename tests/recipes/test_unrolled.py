"""Unrolling is exact: the weights foreseen are those the discriminator's Adam would reach."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from saddlepoint import recipe
from saddlepoint.data.source import open_source
from saddlepoint.game import Player
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.objectives import minimax_discriminator, non_saturating_generator
from saddlepoint.plan import Plan


def played(steps: int, **options: float) -> Match:
    """A small unrolled GAN after some rounds, in float64."""
    plan = Plan("cpu", threads=1)
    found = recipe.find("unrolled")
    settings = {"width": 8, "depth": 2, "batch": 16, "unroll": 3, "steps": max(1, steps), "average": 0, **options}
    match = opening(found.stages(found.configure("plane", **settings), open_source("ring8:64")), plan)
    if steps:
        train(match)
    return match


@pytest.mark.parametrize("steps", [0, 4])
def test_the_weights_foreseen_are_those_adam_reaches(steps: int) -> None:
    match = played(steps)
    game, player = match.game, match.players["discriminator"]
    real, fake = torch.randn(16, 2), torch.randn(16, 2)
    foreseen = game.unrolled(real, fake)  # type: ignore[operator]
    for _ in range(3):
        loss = minimax_discriminator(game.discriminator(real), game.discriminator(fake))  # type: ignore[operator]
        loss.backward(inputs=player.params)
        player.optimizer.step()
        player.optimizer.zero_grad()
    for name, weight in game.discriminator.named_parameters():  # type: ignore[union-attr]
        # Ours adds its epsilon inside the root, torch's outside: they part only where a gradient is about 1e-8.
        assert torch.allclose(foreseen[name], weight, rtol=1e-4, atol=2e-6), name


def test_the_generators_gradient_goes_through_the_steps() -> None:
    # At a rate at which the steps, and what they change, are not too short to be seen.
    game = copy.deepcopy(played(0, lr_discriminator=1e-3).game).double()
    game.adam = None  # type: ignore[assignment]
    real = torch.randn(8, 2, dtype=torch.float64)

    def cost(fake: Tensor) -> Tensor:
        ahead = game.unrolled(real, fake)  # type: ignore[operator]
        return non_saturating_generator(functional_call(game.discriminator, ahead, fake))  # type: ignore[arg-type]

    fake = torch.randn(8, 2, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(cost(fake), fake)
    direction, step = torch.randn_like(fake), 1e-6
    with torch.no_grad():
        moved = fake + step * direction, fake - step * direction
    numeric = (cost(moved[0].requires_grad_()) - cost(moved[1].requires_grad_())).detach() / (2 * step)
    assert float((slope * direction).sum()) == pytest.approx(float(numeric), rel=1e-4)
    # Without the way through the steps it would be another gradient.
    frozen = {name: weight.detach() for name, weight in game.unrolled(real, fake).items()}  # type: ignore[operator]
    near = non_saturating_generator(functional_call(game.discriminator, frozen, fake))  # type: ignore[arg-type]
    (short,) = torch.autograd.grad(near, fake)
    assert not torch.allclose(short, slope, rtol=0.01)


def test_without_unrolling_it_is_the_plain_game() -> None:
    game = played(0, unroll=0).game
    weights = game.unrolled(torch.randn(4, 2), torch.randn(4, 2))  # type: ignore[operator]
    assert all(torch.equal(weights[name], weight) for name, weight in game.discriminator.named_parameters())  # type: ignore[union-attr]


def test_it_foresees_at_the_scheduled_rate() -> None:
    match = played(0)
    player: Player = match.players["discriminator"]
    real, fake = torch.randn(8, 2), torch.randn(8, 2)
    player.set_rates(0.0)
    far = match.game.unrolled(real, fake)  # type: ignore[operator]
    player.set_rates(0.999)
    near = match.game.unrolled(real, fake)  # type: ignore[operator]
    for name, weight in match.game.discriminator.named_parameters():  # type: ignore[union-attr]
        change = [float((ahead[name] - weight).detach().abs().max()) for ahead in (near, far)]
        assert 0 < change[0] < 0.01 * change[1]
