"""Goodfellow et al. 2014, Fig. 1: p_data, p_g and D on their way to equilibrium, and the two theorems in numbers.

python examples/goodfellow_figure.py [STEPS]

(a) A pair near convergence: D is partly right. (b) G stands still and D learns on, to D* = p_data / (p_data + p_g)
(Proposition 1). (c) G has followed D's gradient. (d) At the end p_g = p_data and D = 1/2 everywhere. Everywhere
|D - D*| is measured where the data lie, and V(D*, G) = -2 log 2 + 2 JSD(p_data || p_g) (Theorem 1) is checked. p_g is
a histogram of a million samples; the game is that of `uniform_to_normal.py`.

Differs from the paper: latents are normal, not uniform. A uniform latent ends, and with it p_g; there D* jumps, and no
network does. In (b) D alone is trained, without a penalty, on large batches, as the proposition asks.
"""

from __future__ import annotations

import copy
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from uniform_to_normal import BLUE, FAINT, INK, NORMAL, ORANGE, play, quantiles

from saddlepoint.metrics.distances import histogram, jensen_shannon
from saddlepoint.objectives import minimax_discriminator
from saddlepoint.observers import Moment

BINS = 400
LOW, HIGH = -5.0, 5.0
SUPPORT = 1e-2
"""Density of the data below which nobody has taught D anything: 0.01 lies 2.7 deviations out."""


@dataclass
class Panel:
    """The state of a game: what is drawn of it, and how well D and V agree with theory.

    Attributes:
        title: of the panel.
        fake: density of the generator's samples in each cell (BINS,).
        judged: D there (BINS,).
        best: D* there (BINS,).
        values: V of D and of D*, each averaged over new samples, and -2 log 2 + 2 JSD.
        arrows: latents and where they land, (9,) each.
    """

    title: str
    fake: np.ndarray
    judged: np.ndarray
    best: np.ndarray
    values: tuple[float, float, float]
    arrows: tuple[np.ndarray, np.ndarray]

    def error(self) -> np.ndarray:
        """|D - D*| where the data lie."""
        return np.abs(self.judged - self.best)[truth() > SUPPORT]


def cells() -> np.ndarray:
    """Centers (BINS,) of the cells of the line."""
    return LOW + (HIGH - LOW) * (np.arange(BINS) + 0.5) / BINS


def truth() -> np.ndarray:
    """The density of the data in each cell."""
    return NORMAL.density(cells()[:, None])


@torch.no_grad()
def look(title: str, generator: nn.Module, discriminator: nn.Module, *, samples: int) -> Panel:
    """Measures a pair."""
    width = (HIGH - LOW) / BINS
    counts = histogram(generator(torch.randn(samples, 1)), [(LOW, HIGH)], BINS)
    expected = torch.from_numpy(np.append(truth() * width, 0.0))
    expected[-1] = 1 - expected.sum()  # beyond both ends
    fake = counts[:-1].numpy() / samples / width
    real = truth()
    best = real / np.maximum(real + fake, 1e-300)
    judged = discriminator(torch.from_numpy(cells()[:, None]).float()).sigmoid().numpy()
    new = torch.randn(samples // 5, 1), generator(torch.randn(samples // 5, 1))
    logits = torch.from_numpy(np.log(np.maximum(real, 1e-300)) - np.log(np.maximum(fake, 1e-12)))
    ours = value(discriminator(new[0]), discriminator(new[1]))
    theirs = value(*(logits[cell_of(points)] for points in new))
    theory = -2 * math.log(2) + 2 * jensen_shannon(expected, counts)
    shown = torch.special.ndtri(quantiles(9))
    arrows = shown[:, 0].numpy(), generator(shown)[:, 0].numpy()
    return Panel(title, fake, judged, best, (ours, theirs, theory), arrows)


def cell_of(points: Tensor) -> Tensor:
    """The cell of each point (N, 1); those beyond the ends count to the last cells."""
    return ((points[:, 0] - LOW) / (HIGH - LOW) * BINS).long().clamp(0, BINS - 1)


def value(real: Tensor, fake: Tensor) -> float:
    """V(D, G) of logits: mean log D(x) + mean log(1 - D(G(z)))."""
    return (logsigmoid(real).mean() + logsigmoid(-fake).mean()).item()


def best_response(generator: nn.Module, discriminator: nn.Module, steps: int) -> nn.Module:
    """A discriminator trained on while the generator stands still."""
    own = copy.deepcopy(discriminator).train()
    optimizer = torch.optim.Adam(own.parameters(), lr=3e-3)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        with torch.no_grad():
            fake = generator(torch.randn(4096, 1))
        loss = minimax_discriminator(own(torch.randn(4096, 1)), own(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return own


class Watch:
    """Keeps copies of both networks at chosen steps."""

    every = 1

    def __init__(self, steps: list[int]) -> None:
        self.steps, self.kept = steps, {}

    def __call__(self, moment: Moment) -> None:
        if moment.step in self.steps:
            game = moment.game
            self.kept[moment.step] = copy.deepcopy((game.generator, game.discriminator))


def panels(steps: int) -> list[Panel]:
    """Plays the game and measures it at four moments."""
    early, later = max(1, steps // 25), max(2, steps // 10)
    watch = Watch([early, later])
    match = play(steps, uniform=False, observers=(watch,))
    learning, samples = (400, 1_000_000) if steps > 100 else (5, 20_000)
    torch.manual_seed(1)
    generator, discriminator = watch.kept[early]
    found = [
        look(f"(a) step {early}", generator, discriminator, samples=samples),
        look("(b) the same G, best D", generator, best_response(generator, discriminator, learning), samples=samples),
        look(f"(c) step {later}", *watch.kept[later], samples=samples),
    ]
    with match.averages.applied():
        found.append(look(f"(d) step {steps}", match.game.generator, match.game.discriminator, samples=samples))
    return found


def draw(found: list[Panel], path: Path) -> None:
    """The figure: data dotted black, the generator green in the paper and orange here, D dashed blue, z below x."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(13, 4.2), dpi=110, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08))
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(found), sharey=True), found, strict=True):
        axes.plot(cells(), truth(), color=INK, linestyle=(0, (1, 1.5)), linewidth=1.8, label="p of the data")
        axes.plot(cells(), panel.fake, color=ORANGE, linewidth=1.6, label="p of G's samples")
        axes.plot(cells(), panel.best, color=FAINT, linewidth=3, label="D* = best")
        axes.plot(cells(), panel.judged, color=BLUE, linestyle=(0, (4, 2)), linewidth=1.6, label="D")
        for z, x in zip(*panel.arrows, strict=True):
            way = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
            axes.annotate("", (x, -0.12), (1.5 * z, -0.34), arrowprops=way)
        axes.hlines((-0.12, -0.34), (LOW, LOW + 0.2 * (HIGH - LOW)), (HIGH, HIGH - 0.2 * (HIGH - LOW)), color=INK, lw=1)
        axes.set(xlim=(LOW, HIGH), ylim=(-0.38, 1.05), title=panel.title, yticks=(0, 0.5, 1), xticks=())
        axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    figure.axes[0].text(LOW, -0.1, "x", fontsize=9)
    figure.axes[0].text(LOW + 0.2 * (HIGH - LOW), -0.32, "z", fontsize=9, ha="right")
    figure.savefig(path)


def main(steps: int) -> None:
    """Plays, measures, draws."""
    found = panels(steps)
    for panel in found:
        error, (ours, best, theory) = panel.error(), panel.values
        print(f"{panel.title}: |D - D*| mean {error.mean():.3f}, largest {error.max():.3f}")
        print(f"    V(D, G) {ours:.4f}   V(D*, G) {best:.4f}   -2 log 2 + 2 JSD {theory:.4f}")
    print(f"-2 log 2 = {-2 * math.log(2):.4f}")
    draw(found, Path("goodfellow_figure.png"))
    print("goodfellow_figure.png")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1200)
