"""Draws the figures of the guide that no run has to be trained for: python docs/figures.py"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import torch

from saddlepoint import objectives

GALLERY = Path(__file__).parent / "gallery"
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


if __name__ == "__main__":
    generator_costs()
