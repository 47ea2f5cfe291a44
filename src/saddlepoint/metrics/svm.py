"""Linear support vector machines of a few samples with many features, one for each class against all others.

A machine minimizes ½ ‖w‖² + C Σ max(0, 1 − y ⟨w, x⟩)² over the samples, y = 1 for its class and −1 for others, where a
feature of ones makes the bias: the L2-SVM of LIBLINEAR (Fan et al. 2008), and `LinearSVC` of scikit-learn.

Its answer is a combination of the samples, w = Xᵀβ. So all work is done on the shares β and the table XXᵀ of products
(Chapelle 2007, "Training a Support Vector Machine in the Primal"): the number of features does not matter. The machines
of all classes, and in a cross-validation those of all folds, are found side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .classify import check_labels
from .pairwise import check_features

COSTS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""What is tried for C, of features whose squares add up to 1 on average."""
FOLDS = 5
TOLERANCE = 1e-6
"""How much may be left of the first gradient."""
STEPS, INNER, HALVINGS = 50, 300, 30
"""Most steps of Newton's method, of conjugate gradients in each, and halvings of one."""


@dataclass(frozen=True)
class Machine:
    """What was learned, a `classify.Classifier`.

    Attributes:
        weight: of features as they come, float64 (D, K).
        bias: float64 (K,).
        classes: the labels that there were, int64 (K,).
        cost: C.
    """

    weight: Tensor
    bias: Tensor
    classes: Tensor
    cost: float

    def __call__(self, samples: Tensor) -> Tensor:
        """Labels int64 (N,) of samples (N, D)."""
        return self.classes[(samples.double() @ self.weight + self.bias).argmax(1)]


@torch.no_grad()
def svm(features: Tensor, labels: Tensor, *, costs: Sequence[float] = COSTS) -> Machine:
    """Learns from samples; the same ones give the same machine, whatever the seed.

    Args:
        features: (N, D); each dimension is brought to mean 0 and, half by its own variance and half by the mean of
            all, to nearly variance 1; then all of them to a mean squared norm of 1, so that a cost means the same
            whatever D. A few samples tell variances badly: by its own alone a pixel that was once not quite white would
            outweigh all others in a new sample.
        labels: int64 (N,), from 0; a class without samples is never told.
        costs: C, ascending. Of several the one that is right most often in a cross-validation, the smallest of equals;
            the middle one where no class has a second sample.
    """
    check_features(features)
    check_labels(features, labels)
    classes, target = labels.unique(return_inverse=True)
    inputs = features.double()
    center, variance = inputs.mean(0), inputs.var(0, correction=0)
    scale = ((variance + variance.mean()) / 2).sqrt()
    scale = torch.where(scale > 0, scale, 1.0)
    inputs = (inputs - center) / scale
    size = inputs.square().sum(1).mean().item() or 1.0  # where no feature varies
    products = inputs @ inputs.T / size + 1  # of the feature of ones
    signs = 2 * F.one_hot(target, len(classes)).double() - 1
    cost = costs[0] if len(costs) == 1 else _best(products, signs, costs)
    shares = _Machines(products, signs, torch.ones_like(signs), cost).find()
    weight = inputs.T @ shares / (size * scale[:, None])
    return Machine(weight, shares.sum(0) - center @ weight, classes, cost)


def folds(labels: Tensor, most: int) -> Tensor:
    """The part of a cross-validation in which each sample is held out, int64 (N,): each class in turn through all.

    Args:
        labels: int64 (N,).
        most: how many parts; fewer where no class has so many samples.
    """
    turns = torch.empty_like(labels)
    for label in labels.unique():
        chosen = labels == label
        turns[chosen] = torch.arange(int(chosen.sum()))
    return turns % most


def _best(products: Tensor, signs: Tensor, costs: Sequence[float]) -> float:
    """The cost of most hits when each part is told by machines that learned from the others."""
    target, classes = signs.argmax(1), signs.shape[1]
    held = F.one_hot(folds(target, FOLDS)).bool()
    parts = held.shape[1]
    if parts == 1:
        return costs[len(costs) // 2]
    seen = (~held).double().repeat_interleave(classes, 1)
    shares, hits = torch.zeros_like(seen), []
    for cost in costs:
        shares = _Machines(products, signs.repeat(1, parts), seen, cost).find(shares)
        told = (products @ shares).unflatten(1, (parts, classes)).argmax(2)
        hits.append(int((told == target[:, None])[held].sum()))
    return costs[hits.index(max(hits))]


@dataclass(frozen=True)
class _Machines:
    """M machines that look at the same N samples.

    Attributes:
        products: XXᵀ, float64 (N, N). Vectors Xᵀa of the space of features are written as their shares a, (N, M).
        signs: y, float64 (N, M).
        seen: 1 where a machine learns from a sample, else 0 (N, M).
        cost: C.
    """

    products: Tensor
    signs: Tensor
    seen: Tensor
    cost: float

    def find(self, shares: Tensor | None = None) -> Tensor:
        """Newton's method, from these shares or from zero."""
        zero = torch.zeros_like(self.signs)
        enough = TOLERANCE**2 * self._norm(self._gradient(zero, self._missing(zero)))
        shares = zero if shares is None else shares
        scores = self.products @ shares
        for _ in range(STEPS):
            missing = self._missing(scores)
            gradient = self._gradient(shares, missing)
            if (self._norm(gradient) <= enough).all():
                break
            step, change = self._conjugate(2 * self.cost * (missing > 0), -gradient)
            part = self._part(shares, scores, step, change)
            shares, scores = shares + part * step, scores + part * change
        return shares

    def _missing(self, scores: Tensor) -> Tensor:
        """By how much scores (N, M) fall short of the margin, where a machine learns from the sample."""
        return self.seen * (1 - self.signs * scores).clamp(min=0)

    def _gradient(self, shares: Tensor, missing: Tensor) -> Tensor:
        return shares - 2 * self.cost * self.signs * missing

    def _norm(self, shares: Tensor) -> Tensor:
        """Squared norms ‖Xᵀa‖², (M,)."""
        return ((self.products @ shares) * shares).sum(0)

    def _conjugate(self, bend: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """The Newton step d of (1 + Xᵀ diag(bend) X) d = Xᵀ wanted for each machine: its shares, and the scores Xd."""
        step, change = torch.zeros_like(wanted), torch.zeros_like(wanted)
        rest, rest_scores = wanted, self.products @ wanted
        way, way_scores = rest, rest_scores
        first = size = (rest * rest_scores).sum(0)
        for _ in range(INNER):
            # A Newton step that is a hundredth off is as good: the next one makes up for it.
            going = size > 1e-4 * first
            if not going.any():
                break
            bent = way + bend * way_scores
            length = torch.where(going, size / (bent * way_scores).sum(0), 0.0)
            step, change = step + length * way, change + length * way_scores
            rest = rest - length * bent
            rest_scores = self.products @ rest
            before, size = size, (rest * rest_scores).sum(0)
            turn = torch.where(going, size / before, 0.0)
            way, way_scores = rest + turn * way, rest_scores + turn * way_scores
        return step, change

    def _part(self, shares: Tensor, scores: Tensor, step: Tensor, change: Tensor) -> Tensor:
        """How much of its step each machine takes, (M,): all, or a half as often as it would lead up."""
        part = torch.ones_like(scores[0])
        now = self._height(shares, scores)
        for _ in range(HALVINGS):
            up = self._height(shares + part * step, scores + part * change) > now
            if not up.any():
                break
            part = torch.where(up, part / 2, part)
        return part

    def _height(self, shares: Tensor, scores: Tensor) -> Tensor:
        """What is minimized, (M,)."""
        return 0.5 * (shares * scores).sum(0) + self.cost * self._missing(scores).square().sum(0)
