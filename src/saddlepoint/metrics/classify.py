"""What a classifier says of samples with labels: are they of their class, and do they teach the classes?

    class_accuracy    how often it says what samples were asked to be
    gan_train         what samples teach it
    gan_test          what it says of samples when data taught it
    probe, nearest    two that learn in a moment, from features or pixels; `svm.svm` is a third
    agreement         how well classes without names fit those of the data

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
from .pairwise import check_features, neighbors

Classifier = Callable[[Tensor], Tensor]
"""From samples to labels, int64 (N,)."""

Fit = Callable[[Tensor, Tensor], Classifier]
"""From samples and their labels, int64 (N,), to a classifier: `probe`, `nearest` and `svm.svm`, for features; for
pictures of digits `digits.learner(epochs)`.
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
    check_labels(samples, labels)
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
    check_labels(fake, fake_labels)
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
    check_labels(features, labels)
    known, target = labels.unique(return_inverse=True)
    center, scale = features.double().mean(0), features.double().std(0, correction=0)
    scale = torch.where(scale > 0, scale, 1.0)
    inputs = (features - center) / scale
    weight, bias = _logistic(inputs, target, len(known), decay)

    @torch.no_grad()
    def classify(samples: Tensor) -> Tensor:
        return known[((samples - center) / scale @ weight + bias).argmax(1)]

    return classify


def nearest(features: Tensor, labels: Tensor) -> Classifier:
    """A classifier that gives the label of the nearest sample; of equally near ones the first's.

    Its error on test data, taught by 50,000 samples, is what conditional generators of digits are held against
    (Radford et al. 2016, "Unsupervised Representation Learning with DCGANs", section 6.3, on pixels).

    Args:
        features: (N, D), of pictures their pixels.
        labels: int64 (N,), from 0.
    """
    check_features(features)
    check_labels(features, labels)
    return lambda samples: labels[neighbors(samples, features).indices[:, 0]]


@dataclass(frozen=True)
class Agreement:
    """How well classes that somebody found by himself fit those of the data.

    Attributes:
        share: of the data that are in the class their own is matched with, 0 … 1.
        matching: of each class found that class of the data; None for one that is left over.
    """

    share: float
    matching: tuple[int | None, ...]


def agreement(found: Tensor, labels: Tensor) -> Agreement:
    """Matches each class found with at most one of the data, the best way of all (Kuhn 1955).

    Args:
        found: int64 (N,), from 0, by whatever made classes without being told any.
        labels: of the same data, int64 (N,), from 0.
    """
    check_labels(found, labels)
    check_labels(labels, found)
    kinds, classes = int(found.max()) + 1, int(labels.max()) + 1
    table = torch.bincount(found * classes + labels, minlength=kinds * classes).view(kinds, classes)

    # Takes a quarter of a second to import, and most of the metrics do without it.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table.cpu().numpy(), maximize=True)
    matched = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    hits = int(table[rows, columns].sum())
    return Agreement(hits / len(labels), tuple(matched.get(kind) for kind in range(kinds)))


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


def check_labels(samples: Tensor, labels: Tensor) -> None:
    """Refuses labels that are not one whole number from 0 for each sample.

    Raises:
        UsageError: says what they are instead.
    """
    if labels.ndim != 1 or labels.dtype != torch.int64 or len(labels) != len(samples) or not len(labels):
        raise UsageError(
            f"labels {tuple(labels.shape)} of {labels.dtype} do not label {len(samples)} samples",
            fix="int64 (N,), one for each sample",
        )
    if int(labels.min()) < 0:
        raise UsageError(f"a label is {int(labels.min())}", fix="labels from 0")
