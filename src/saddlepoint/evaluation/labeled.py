"""Scores of samples with classes: are they what was asked for, and what do they teach?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ..abilities import Classifies
from ..errors import UsageError
from ..metrics.classify import agreement, gan_test, gan_train, nearest, probe
from ..metrics.digits import learner
from ..metrics.features.extractor import colored
from .comparison import HIGHER, LOWER, Comparison, Score, View
from .sides import Made, pieces

EPOCHS = 6
"""Passes over the pictures that a network of digits is taught by."""
DIGITS = frozenset("0123456789")


def accuracy(c: Comparison) -> Iterator[Score]:
    """How many samples are of the class that was asked for, on the whole and in the worst class.

    The network `digits` tells digits by itself. For other data a linear probe of the network's features learns the
    classes from one half of the data; what it gets on the other half stands beside.

    A game that tells classes is asked about the data: its accuracy, or for classes of its own how well they agree.

    Raises:
        UsageError: samples or data without classes, or none that they share.
    """
    made = c.fake.side if isinstance(c.fake.side, Made) else None
    scores = [] if made is None or made.classifies is None else list(_told(c, made, made.classifies))
    if c.fake.labels is not None and set(c.fake.side.classes) & set(c.real.side.classes):
        scores += _asked(c)
    if not scores:
        raise UsageError("samples and data share no classes", where="--metrics", fix="leave out accuracy")
    yield from scores


def recognized(c: Comparison) -> tuple[Tensor, Tensor, float]:
    """Which samples are taken for what was asked for, bool (N,); their classes in the data's order, int64 (N,), -1 for
    a class that the data do not have; and what share of the data is told right.
    """
    names = c.real.side.classes
    place = [names.index(name) if name in names else -1 for name in c.fake.side.classes]
    fake, real = _labels(c.fake), _labels(c.real)
    asked = torch.tensor(place)[fake]
    if reads_digits(c):
        digits = torch.tensor([int(name) for name in names])
        told, truth = (_digits(view) for view in (c.fake, c.real))
        return (told == digits[asked]) & (asked >= 0), asked, _share(truth == digits[real])
    half = len(real) // 2
    classify = probe(c.real.features[:half], real[:half])
    known = _share(classify(c.real.features[half:]) == real[half:])
    return classify(c.fake.features) == asked, asked, known


def reads_digits(c: Comparison) -> bool:
    """Whether the network tells the data's classes by itself."""
    network = c.sight.extractor
    return network is not None and network.name.startswith("digits") and set(c.real.side.classes) <= DIGITS


def lessons(c: Comparison) -> Iterator[Score]:
    """What is learned from samples with labels, and what is said of them by what learned from data.

    The network `digits` is trained anew on the pictures; of other networks a linear probe of the features is.
    """
    if c.fake.labels is None or c.real.labels is None:
        raise UsageError("gan_train and gan_test need labels on both sides", where="--metrics", fix="leave out classes")
    fake, real = _renamed(c.fake, c.real.side.classes), _labels(c.real)
    half = len(real) // 2  # the data's own: taught by one half, asked about the other
    ours, theirs = (c.fake.features, c.real.features) if not reads_digits(c) else (_gray(c, c.fake), _gray(c, c.real))
    fit = learner(EPOCHS) if reads_digits(c) else probe
    best = gan_train(fit, theirs[:half], real[:half], theirs[half:], real[half:]).overall
    for name, test in (("gan_train", gan_train), ("gan_test", gan_test)):
        yield c.score(name, test(fit, ours, fake, theirs, real).overall, HIGHER, data=best)
    features = c.real.features
    best = gan_train(nearest, features[:half], real[:half], features[half:], real[half:]).overall
    found = gan_train(nearest, c.fake.features, fake, features, real).overall
    yield c.score("one_nn_error", 1 - found, LOWER, data=1 - best, note="the nearest sample tells the class of data")


def _asked(c: Comparison) -> Iterator[Score]:
    right, asked, known = recognized(c)
    how = "by the classifier itself" if reads_digits(c) else "by a linear probe, which half of the data taught"
    yield c.share("accuracy", right, data=known, note=how)
    shares = {label: _share(right[asked == label]) for label in asked.unique().tolist() if label >= 0}
    worst = min(shares, key=shares.__getitem__)
    yield c.score("accuracy_worst", shares[worst], HIGHER, note=f"class {c.real.side.classes[worst]}")


def _told(c: Comparison, made: Made, game: Classifies) -> Iterator[Score]:
    """What a game that tells classes says of the data."""
    labels, names = c.real.labels, c.real.side.classes
    if labels is None:
        return
    device = next(made.game.parameters()).device
    with torch.no_grad():
        told = torch.cat([game.classify(batch.image.to(device)).argmax(1).cpu() for batch in pieces(c.real.side)])
    if set(names) <= set(game.classes):
        right = told == torch.tensor([game.classes.index(name) for name in names])[labels]
        yield c.plain("classifier_accuracy", _share(right), HIGHER, generated=0)
        return
    found = agreement(told, labels)
    pairs = [(game.classes[kind], names[place]) for kind, place in enumerate(found.matching) if place is not None]
    note = ", ".join(f"{kind} is {name}" for kind, name in pairs[:20])
    yield c.plain("agreement", found.share, HIGHER, generated=0, note=note)


def _labels(view: View) -> Tensor:
    labels = view.labels
    if labels is None:
        raise UsageError(f"{view.side.name} has no classes", where="--metrics", fix="leave out accuracy")
    return labels


def _renamed(view: View, names: Sequence[str]) -> Tensor:
    """Labels in the order of other names.

    Raises:
        UsageError: one of the classes is not among these.
    """
    ours = view.side.classes
    if not set(ours) <= set(names):
        raise UsageError(
            f"{view.side.name} and the data have other classes", where="--metrics", fix="leave out classes"
        )
    return torch.tensor([names.index(name) for name in ours])[_labels(view)]


def _gray(c: Comparison, view: View) -> Tensor:
    return torch.cat([colored(images, 1) for images in c.images(view)])


def _digits(view: View) -> Tensor:
    logits = view.logits
    assert logits is not None, "the network of digits has some"
    return logits.argmax(1)


def _share(right: Tensor) -> float:
    return right.double().mean().item()
