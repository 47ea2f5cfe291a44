"""Draws the figures of the guide that are not taken from a run: python docs/figures.py [costs] [failures]"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import torch
from PIL import Image

from saddlepoint import objectives, recipe
from saddlepoint.data.source import open_source
from saddlepoint.loop import train
from saddlepoint.match import opening
from saddlepoint.observers import Moment
from saddlepoint.pictures import plane as pictures
from saddlepoint.pictures.sheets import titled
from saddlepoint.plan import Plan
from saddlepoint.plane import look, truth

GALLERY = Path(__file__).parent / "gallery"
# A plain GAN with every rate free, which the benchmark of the doctor breaks in known ways.
SABOTAGE = Path(__file__).parent.parent / "benchmarks" / "sabotage.py"
FAILURES: dict[str, dict[str, Any]] = {
    "healthy, on its way": {},
    "mode collapse: 20 generator steps a round": {"generator_steps": 20, "beta1": 0.9},
    "vanishing gradient: minimax, a fast judge": {
        "cost": "minimax",
        "lr_discriminator": 1e-2,
        "discriminator_steps": 5,
    },
    "discriminator lost: it hardly learns": {"lr_discriminator": 1e-7},
}
COSTS = {
    "minimax": objectives.minimax_generator,
    "non-saturating": objectives.non_saturating_generator,
    "maximum likelihood": objectives.maximum_likelihood_generator,
    "least squares": objectives.least_squares_generator,
    "Wasserstein, hinge": objectives.wasserstein_generator,
}


def generator_costs() -> None:
    """What each cost says to a generator whose fake has the logit s, and how strongly it says it."""
    scores = torch.linspace(-6, 4, 400)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained")
    for name, cost in COSTS.items():
        each = scores.clone().requires_grad_()
        # A cost is a mean: the slope of the sum is each score's own.
        (slopes,) = torch.autograd.grad(sum(cost(score) for score in each), each)
        left.plot(scores, [float(cost(score)) for score in scores], label=name)
        right.plot(scores, -slopes, label=name)
    left.set(title="cost of one fake", xlabel="its logit s; it is taken for real from 0 on", ylim=(-6, 8))
    right.set(title="pull toward larger s", xlabel="its logit s", ylim=(-0.1, 3))
    right.axvspan(-6, -2, color="#d9dbe0", alpha=0.5, lw=0)
    right.text(-5.9, 2.75, "where a good discriminator\nputs young fakes", fontsize=8, va="top")
    left.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(GALLERY / "generator-costs.webp", dpi=110)


def failures(steps: int = 2000) -> None:
    """Four games on the ring after as many steps, one healthy and three that are not."""
    tiles = [
        (title, played(options, steps).resize((480, 480), Image.Resampling.LANCZOS))
        for title, options in FAILURES.items()
    ]
    titled(tiles, columns=2).save(GALLERY / "failures.webp", quality=85)


def played(options: dict[str, Any], steps: int) -> Image.Image:
    """What a game on the ring has come to, in four panels."""
    plan = Plan("cpu", threads=1, seed=0).resolve()
    plan.prepare()
    found, source = recipe.find(str(SABOTAGE)), open_source("ring8")
    match = opening(found.stages(found.configure(steps=steps, **options), source), plan)
    train(match)
    toy = source.examples().toy
    law = truth(toy)
    return pictures.draw(law, look(Moment(match, 0.0, 0.0), law, toy))


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["costs", "failures"]
    if "costs" in wanted:
        generator_costs()
    if "failures" in wanted:
        failures()
