"""The Dirac-GAN: two numbers that play against each other, and the exact answer (Mescheder et al. 2018, section 2).

All data sit at 0, all fakes at θ, and the discriminator is D(x) = ψx. Near a point of rest, one step of gradient
descent is a linear map of (ψ, θ); the absolute value of its larger eigenvalue is the growth or decay per step. `exact`
derives that map by hand, `fitted` measures it on a path that our own losses, penalties and autograd have walked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from saddlepoint import objectives, penalties
from saddlepoint.game import Game, Player, Stage, Turn
from saddlepoint.loop import train
from saddlepoint.match import Match
from saddlepoint.observers import Moment
from saddlepoint.plan import Plan

from .streams import Nothing

RATE = 0.1
GAMMA = 0.6
WEIGHT = 0.5
"""λ of the penalties that ask for a slope of 1."""
SIGMA = 1.0
"""Of the instance noise."""
BOUND = 0.5
"""Of the clipped weight."""

Array = np.ndarray[Any, Any]
Pair = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A game's two costs and their derivatives where every score is 0, by the fakes' score s.

    Attributes:
        discriminator: cost of (real, fake).
        generator: likewise.
        pull: of the discriminator's cost, the first; `l'(0)` of the paper when it equals `push`.
        push: of the generator's cost, the first, with the sign turned.
        bend: of the discriminator's cost, the second.
        noise_bend: the curvature of the discriminator's cost in ψ that instance noise of variance 1 makes.
    """

    discriminator: Pair
    generator: Pair
    pull: float
    push: float
    bend: float
    noise_bend: float


def of_fakes(loss: Callable[[Tensor], Tensor]) -> Pair:
    """A generator's cost that does not look at real scores."""
    return lambda real, fake: loss(fake)


# The labels ±1 have their middle at D = 0, which is all that a discriminator without a bias can answer at the data.
SQUARES = partial(objectives.least_squares_discriminator, a=-1.0, b=1.0)

OBJECTIVES = {
    "minimax": Objective(
        objectives.minimax_discriminator, of_fakes(objectives.minimax_generator), 1 / 2, 1 / 2, 1 / 4, 1 / 2
    ),
    "non_saturating": Objective(
        objectives.non_saturating_discriminator,
        of_fakes(objectives.non_saturating_generator),
        1 / 2,
        1 / 2,
        1 / 4,
        1 / 2,
    ),
    "maximum_likelihood": Objective(
        objectives.maximum_likelihood_discriminator,
        of_fakes(objectives.maximum_likelihood_generator),
        1 / 2,
        1,
        1 / 4,
        1 / 2,
    ),
    "least_squares": Objective(SQUARES, of_fakes(objectives.least_squares_generator), 1, 1, 1, 2),
    "hinge": Objective(objectives.hinge_discriminator, of_fakes(objectives.hinge_generator), 1, 1, 0, 0),
    "wasserstein": Objective(
        objectives.wasserstein_discriminator, of_fakes(objectives.wasserstein_generator), 1, 1, 0, 0
    ),
    "relativistic": Objective(
        objectives.relativistic_discriminator, objectives.relativistic_generator, 1 / 2, 1 / 2, 1 / 4, 1 / 2
    ),
    "relativistic_average": Objective(
        objectives.relativistic_average_discriminator,
        objectives.relativistic_average_generator,
        1,
        1,
        1 / 2,
        1 / 2,
    ),
}


@dataclass(frozen=True)
class Penalty:
    """A regularizer and what it adds to the linear map.

    Attributes:
        cost: of the game and the points judged real and fake, already weighted.
        damping: what it takes from ψ per time and ψ, by the objective.
        center: length of the slope it asks for. With 1 the game rests at ψ = 0, θ = 2λ/l', away from the data, and
            only from the side ψ > 0.
        noise: standard deviation of the instance noise.
        clip: bound of ψ.
    """

    cost: Callable[[Dirac, Tensor, Tensor], Tensor] = lambda game, real, fake: torch.zeros(())
    damping: Callable[[Objective], float] = lambda objective: 0.0
    center: float = 0.0
    noise: float = 0.0
    clip: float | None = None

    def rest(self, objective: Objective) -> float:
        """θ of the point of rest."""
        return 2 * WEIGHT * self.center / objective.pull


def _to_one(objective: Objective) -> float:
    # At rest the fakes are off the data, so the objective's own curvature damps too.
    return 2 * WEIGHT + objective.bend * (2 * WEIGHT / objective.pull) ** 2


PENALTIES = {
    "none": Penalty(),
    "clip": Penalty(clip=BOUND),
    "gradient_penalty": Penalty(
        lambda game, real, fake: WEIGHT * penalties.gradient_penalty(game.discriminator, real, fake), _to_one, 1.0
    ),
    "gradient_penalty_one_sided": Penalty(
        lambda game, real, fake: WEIGHT * penalties.gradient_penalty(game.discriminator, real, fake, one_sided=True)
    ),
    "gradient_penalty_zero": Penalty(
        lambda game, real, fake: GAMMA / 2 * penalties.gradient_penalty(game.discriminator, real, fake, center=0.0),
        lambda objective: GAMMA,
    ),
    "dragan": Penalty(lambda game, real, fake: WEIGHT * penalties.dragan_penalty(game.discriminator, real), _to_one, 1),
    "r1": Penalty(lambda game, real, fake: GAMMA / 2 * penalties.r1(game.discriminator, real), lambda objective: GAMMA),
    "r2": Penalty(lambda game, real, fake: GAMMA / 2 * penalties.r2(game.discriminator, fake), lambda objective: GAMMA),
    "r1_r2": Penalty(
        lambda game, real, fake: (
            GAMMA / 2 * (penalties.r1(game.discriminator, real) + penalties.r2(game.discriminator, fake))
        ),
        lambda objective: 2 * GAMMA,
    ),
    "lecam": Penalty(lambda game, real, fake: WEIGHT * game.lecam(game.discriminator(real), game.discriminator(fake))),
    "instance_noise": Penalty(noise=SIGMA, damping=lambda objective: objective.noise_bend * SIGMA**2),
}


class Line(nn.Module):
    """D(x) = ψx of points (N, 1)."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope, dtype=torch.float64))

    def forward(self, points: Tensor) -> Tensor:
        return self.slope * points[:, 0]


class Dirac(Game):
    """The two costs and a penalty, played by gradient descent at one rate."""

    discriminator: Line
    lecam: penalties.LeCam

    def __init__(self, objective: Objective, penalty: Penalty, start: tuple[float, float]) -> None:
        super().__init__()
        self.objective, self.penalty = objective, penalty
        self.discriminator = Line(start[0])
        self.place = nn.Parameter(torch.tensor(start[1], dtype=torch.float64))
        self.lecam = penalties.LeCam()
        # Two values have the mean and variance of normal noise, and every real one meets every fake one.
        signs = torch.tensor([[1, 1, -1, -1], [1, -1, 1, -1]], dtype=torch.float64)
        self.noise = [penalty.noise * row[:, None] for row in signs]

    def players(self) -> dict[str, Player]:
        clip = self.penalty.clip
        after = None if clip is None else partial(penalties.clip_weights, self.discriminator, clip)
        return {
            "discriminator": Player(torch.optim.SGD(self.discriminator.parameters(), lr=RATE), after=after),
            "generator": Player(torch.optim.SGD([self.place], lr=RATE)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real, fake = self.noise[0], self.place + self.noise[1]
        yield Turn(
            "discriminator",
            adversarial=self.objective.discriminator(self.discriminator(real), self.discriminator(fake)),
            penalty=self.penalty.cost(self, real, fake),
        )
        scores = self.discriminator(real), self.discriminator(self.place + self.noise[1])
        yield Turn("generator", adversarial=self.objective.generator(*scores))

    @property
    def state(self) -> tuple[float, float]:
        """(ψ, θ)."""
        return self.discriminator.slope.item(), self.place.item()


def exact(objective: Objective, penalty: Penalty, *, alternating: bool) -> Array:
    """The update matrix of (ψ - 0, θ - rest), derived by hand."""
    damping, pull, push = penalty.damping(objective), objective.pull, objective.push
    first = np.array([[1 - RATE * damping, -RATE * pull], [0.0, 1.0]])
    second = np.array([[1.0, 0.0], [RATE * push, 1.0]])
    # In turn, the generator already sees the discriminator's new weight; at once, both see the old ones.
    return second @ first if alternating else first + second - np.eye(2)


def at_once(game: Dirac, steps: int) -> Array:
    """The path (steps + 1, 2) of (ψ, θ) when both players take each step at the same time."""
    players = game.players()
    path = [game.state]
    for _ in range(steps):
        for turn in list(game.turns(iter(()))):
            turn.loss.backward(inputs=players[turn.player].params)
        for player in players.values():
            player.optimizer.step()
            player.optimizer.zero_grad()
            if player.after:
                player.after()
        path.append(game.state)
    return np.array(path)


def in_turn(game: Dirac, steps: int) -> Array:
    """The path when the one loop plays the game: the discriminator moves, then the generator."""
    path: list[tuple[float, float]] = []

    class Recorder:
        every = 1

        def __call__(self, moment: Moment) -> None:
            path.append(game.state)

    train(Match(Stage("dirac", game, Nothing(1), steps), Plan(device="cpu", threads=1)), observers=[Recorder()])
    return np.array(path)


def fitted(path: Array) -> tuple[Array, Array]:
    """The affine map that a path follows: its matrix, and the point that it leaves where it is."""
    before, after = path[:-1], path[1:]
    moves, next_moves = np.diff(before, axis=0), np.diff(after, axis=0)
    matrix = np.linalg.lstsq(moves, next_moves, rcond=None)[0].T
    rest = np.linalg.solve(np.eye(2) - matrix, after.mean(0) - matrix @ before.mean(0))
    return matrix, rest


def growth(matrix: Array) -> float:
    """The factor per step by which the slowest part of a distance from rest changes."""
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def near_rest(objective: Objective, penalty: Penalty) -> Dirac:
    """A game so near its point of rest that what is not linear is below 1e-5 of what is."""
    return Dirac(objective, penalty, (1e-6, penalty.rest(objective) + (0.0 if penalty.center else 1e-6)))


def distance(path: Array) -> float:
    """The largest distance of the fakes from the data in the last quarter of a path."""
    return float(np.abs(path[-len(path) // 4 :, 1]).max())
