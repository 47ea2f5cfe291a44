"""What a classifier says of samples with labels: are they of their class, and do they teach the classes?

Shmelkov et al. 2018, "How good is my GAN?": GAN-train, the accuracy on real data of a classifier trained on samples,
falls when samples lack quality or variety; GAN-test, the accuracy on samples of one trained on data, falls when they
lack quality, and is higher than the accuracy on new data when they are copies. Both stand beside the accuracy of one
that was trained and tested on data: `gan_train` with real data for `fake`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import UsageError
from .pairwise import check_features

Classifier = Callable[[Tensor], Tensor]
"""From samples to labels, int64 (N,)."""

Fit = Callable[[Tensor, Tensor], Classifier]
"""From samples and their labels, int64 (N,), to a classifier: `probe`, for features. For pictures of digits, say,

    def fit(images, digits):
        network = train(images, digits, epochs=2)
        return lambda images: recognize(network, images)[:, 0]
"""


@dataclass(frozen=True)
class Accuracy:
    """How often labels were told right.

    Attributes:
        overall: share of all samples, 0 … 1.
        by_class: share of the samples of each class; None for a class that has none.
        counts: samples of each class.
    """

    overall: float
    by_class: tuple[float | None, ...]
    counts: tuple[int, ...]


def class_accuracy(classify: Classifier, samples: Tensor, labels: Tensor) -> Accuracy:
    """How often a classifier finds the class that samples were asked for.

    Args:
        classify: a classifier.
        samples: (N, …).
        labels: what they should be, int64 (N,), from 0.
    """
    _check_labels(samples, labels)
    told = classify(samples)
    if told.shape != labels.shape:
        raise UsageError(f"a classifier gives a label for each of {len(labels)} samples, not {tuple(told.shape)}")
    right = (told.to(labels.device) == labels).double()
    counts = torch.bincount(labels)
    hits = torch.bincount(labels, right)
    shares = [hit / count if count else None for hit, count in zip(hits.tolist(), counts.tolist(), strict=True)]
    return Accuracy(right.mean().item(), tuple(shares), tuple(counts.tolist()))


def gan_train(fit: Fit, fake: Tensor, fake_labels: Tensor, real: Tensor, real_labels: Tensor) -> Accuracy:
    """Trained on samples, tested on data.

    Args:
        fit: trains a classifier.
        fake: samples (N, …), features or pictures.
        fake_labels: int64 (N,).
        real: data (M, …), best held out from the generator's training.
        real_labels: int64 (M,).
    """
    _check_labels(fake, fake_labels)
    return class_accuracy(fit(fake, fake_labels), real, real_labels)


def gan_test(fit: Fit, fake: Tensor, fake_labels: Tensor, real: Tensor, real_labels: Tensor) -> Accuracy:
    """Trained on data, tested on samples; arguments as for `gan_train`."""
    return gan_train(fit, real, real_labels, fake, fake_labels)


def probe(features: Tensor, labels: Tensor, *, decay: float = 1e-3) -> Classifier:
    """A linear classifier of features, logistic regression: the same data give the same one, whatever the seed.

    Args:
        features: (N, D); each dimension is brought to mean 0 and variance 1.
        labels: int64 (N,), from 0; a class without samples is never told.
        decay: half of it times the sum of squared weights is added to the mean cross-entropy.
    """
    check_features(features)
    _check_labels(features, labels)
    known, target = labels.unique(return_inverse=True)
    center, scale = features.double().mean(0), features.double().std(0, correction=0)
    scale = torch.where(scale > 0, scale, 1.0)
    inputs = (features - center) / scale
    weight, bias = _logistic(inputs, target, len(known), decay)

    @torch.no_grad()
    def classify(samples: Tensor) -> Tensor:
        return known[((samples - center) / scale @ weight + bias).argmax(1)]

    return classify


@torch.enable_grad()
def _logistic(inputs: Tensor, target: Tensor, classes: int, decay: float) -> tuple[Tensor, Tensor]:
    """Weights (D, K) and biases (K,) of least regularized cross-entropy, which is convex and has one minimum."""
    weight = inputs.new_zeros(inputs.shape[1], classes, requires_grad=True)
    bias = inputs.new_zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=500, tolerance_grad=1e-7, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        cost = F.cross_entropy(inputs @ weight + bias, target) + decay / 2 * weight.square().sum()
        cost.backward()
        return cost

    optimizer.step(loss)
    return weight.detach(), bias.detach()


def _check_labels(samples: Tensor, labels: Tensor) -> None:
    if labels.ndim != 1 or labels.dtype != torch.int64 or len(labels) != len(samples) or not len(labels):
        raise UsageError(
            f"labels {tuple(labels.shape)} of {labels.dtype} do not label {len(samples)} samples",
            fix="int64 (N,), one for each sample",
        )
    if int(labels.min()) < 0:
        raise UsageError(f"a label is {int(labels.min())}", fix="labels from 0")
