"""Learn the map from a uniform to a normal variable, and draw it beside the exact one, the inverse of the normal's CDF.

python examples/uniform_to_normal.py [STEPS]

On the line the map from latents to data can be written down: G(z) solves F_Z(z) = F_X(x), so from z uniform on [0, 1]
to x normal it is the quantile function. A GAN is never told so. It may also find the mirror image, G(1 - z), which has
the same distribution; that is then compared with its own exact map.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from saddlepoint import Game, Plan, Player, Stage, Turn
from saddlepoint.data.laws import Mixture
from saddlepoint.data.points import Points
from saddlepoint.data.toys import Toy
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.objectives import minimax_discriminator, non_saturating_generator
from saddlepoint.penalties import r1
from saddlepoint.schedules import linear_decay

NORMAL = Toy("normal", "mean 0, deviation 1", Mixture(np.zeros((1, 1)), np.ones(1), 1.0), ((-4.0, 4.0),))
BLUE, ORANGE, INK, FAINT = "#0072b2", "#d55e00", "#24262b", "#b9bdc6"


class Stretch(nn.Module):
    """From [0, 1] to [-4, 4], so that the first layer's bends lie all over it."""

    def forward(self, latents: Tensor) -> Tensor:
        return 8 * latents - 4


class Line(Game):
    """Latents uniform on [0, 1], or normal, data on the line, smooth networks.

    R1 makes the equilibrium attract (Mescheder et al. 2018); without it the samples swing around the data.
    """

    averaged = {"generator": 100.0}  # noqa: RUF012 - read, never changed

    def __init__(self, *, uniform: bool = True, gamma: float = 0.02) -> None:
        super().__init__()
        self.draw, self.gamma = torch.rand if uniform else torch.randn, gamma
        self.generator = nn.Sequential(
            Stretch() if uniform else nn.Identity(),
            nn.Linear(1, 64),
            nn.Tanh(),
            nn.Linear(64, 64),
            nn.Tanh(),
            nn.Linear(64, 1),
        )
        self.discriminator = nn.Sequential(
            nn.Linear(1, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1), nn.Flatten(0)
        )

    def players(self) -> dict[str, Player]:
        adam = partial(torch.optim.Adam, betas=(0.0, 0.99))
        return {
            "discriminator": Player(adam(self.discriminator.parameters(), lr=6e-3), schedule=linear_decay(0.1)),
            "generator": Player(adam(self.generator.parameters(), lr=3e-3), schedule=linear_decay(0.1)),
        }

    def turns(self, batches: Iterator[Any]) -> Iterator[Turn]:
        real = next(batches).image
        with torch.no_grad():
            fake = self.sample(len(real))
        yield Turn(
            "discriminator",
            adversarial=minimax_discriminator(self.discriminator(real), self.discriminator(fake)),
            penalty=self.gamma / 2 * r1(self.discriminator, real),
        )
        yield Turn("generator", adversarial=non_saturating_generator(self.discriminator(self.sample(len(real)))))

    def sample(self, count: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return self.decode(self.draw(count, 1, generator=generator))

    def decode(self, latents: Tensor) -> Tensor:
        """Points (N, 1) of latents (N, 1)."""
        return self.generator(latents)

    def score(self, points: Tensor) -> Tensor:
        return self.discriminator(points)


def play(
    steps: int, *, uniform: bool = True, batch: int = 512, observers: tuple[Any, ...] = (), seed: int = 0
) -> Match:
    """Plays the game on a normal variable to its end."""
    plan = Plan("cpu", seed=seed, threads=1).resolve()
    stages = (
        Stage("line", Line(uniform=uniform), Points.draw(NORMAL, seed=seed).stream(batch), steps) for _ in range(1)
    )
    match = opening(stages, plan)
    train(match, observers=observers)
    return match


def quantiles(count: int = 999) -> Tensor:
    """Latents (count, 1), evenly spaced inside (0, 1)."""
    return (torch.arange(count)[:, None] + 0.5) / count


@torch.no_grad()
def learned(match: Match, latents: Tensor) -> tuple[Tensor, Tensor]:
    """The learned map at `latents`, and the exact one of the same direction."""
    with match.averages.applied():
        found = match.game.decode(latents)  # type: ignore[operator]
    exact = torch.special.ndtri(latents)
    return found, exact if (found * exact).mean() > 0 else -exact


def draw(latents: Tensor, found: Tensor, exact: Tensor, path: Path) -> None:
    """Both maps over the latent's density, with both densities of what they make at their side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(9, 6.4), dpi=110, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    FigureCanvasAgg(figure)
    (maps, data), (noise, corner) = figure.subplots(2, 2, width_ratios=(3, 1), height_ratios=(4, 1))
    corner.axis("off")
    maps.sharex(noise)
    maps.sharey(data)
    z = latents[:, 0]
    # Equal steps of the latent, followed to where they land: dense where the map is flat.
    for index in range(len(z) // 40, len(z), len(z) // 20):
        maps.plot([z[index], z[index], 1], [-4, found[index, 0], found[index, 0]], color=FAINT, linewidth=0.7)
    maps.plot(z, exact[:, 0], color=BLUE, linewidth=4, alpha=0.45, label="exact: the inverse of the normal's CDF")
    maps.plot(z, found[:, 0], color=ORANGE, linewidth=1.8, label="learned: G(z)")
    maps.legend(frameon=False, loc="upper center")
    maps.set(ylim=(-4, 4), ylabel="x = G(z)")
    lattice = np.linspace(-4, 4, 400)
    data.fill_betweenx(lattice, NORMAL.density(lattice[:, None]), color=BLUE, alpha=0.25, linewidth=0)
    data.hist(
        found[:, 0].numpy(), 40, range=(-4, 4), density=True, orientation="horizontal", histtype="step", color=ORANGE
    )
    data.set(xlabel="density of x")
    noise.fill_between([0, 1], 1, color=FAINT, alpha=0.5, linewidth=0)
    noise.set(xlim=(0, 1), ylim=(0, 1.3), xlabel="z, uniform", ylabel="density")
    for axes in (maps, data, noise):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=9)
    figure.savefig(path)


def main(steps: int) -> None:
    """Trains, compares the two maps, draws them."""
    latents = quantiles()
    found, exact = learned(play(steps), latents)
    middle = (latents[:, 0] > 0.01) & (latents[:, 0] < 0.99)
    error = (found - exact).abs()[middle]
    print(f"|G(z) - exact| for z in 0.01 … 0.99: mean {error.mean():.3f}, largest {error.max():.3f}")
    print(f"mean {found.mean():+.3f} (0), deviation {found.std():.3f} (1)")
    draw(latents, found, exact, Path("uniform_to_normal.png"))
    print("uniform_to_normal.png")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2500)
