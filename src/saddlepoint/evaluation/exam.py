"""Pictures to learn labels from, and others to be asked about: what is known of a run's data, taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from ..data.catalog import test_part
from ..data.few import choose
from ..data.images import Images
from ..data.layout import shown
from ..data.policy import recorded
from ..data.scan import Watch
from ..data.source import Source, open_source
from ..data.split import split
from ..data.stream import labeled
from ..errors import UsageError
from ..trained import Trained
from .subject import own_data

SHARE = 0.25
"""Of the pictures that are asked about, where no others are known."""
PIECE = 256
Labeled = tuple[Tensor, Tensor]
"""Pictures float32 (N, C, H, W) in [-1, 1], and their labels, int64 (N,)."""


@dataclass(frozen=True)
class Exam:
    """Two sets without a picture in common.

    Attributes:
        lessons: what labels are taken from.
        questions: what is asked about, with the classes of the lessons.
        unseen: whether the run was trained without the questions; None where that is not known.
    """

    lessons: Images
    questions: Images
    unseen: bool | None

    @property
    def guessed(self) -> float:
        """Share of the questions that are right for whoever always tells their most frequent class."""
        return float(self.questions.frequencies.max())

    def lesson(self, labels: int, seed: int) -> Labeled:
        """Pictures with labels, equally many of each class; of one seed the first of more are fewer.

        Raises:
            UsageError: there are not so many, or more classes.
        """
        return labeled(self.lessons, choose(self.lessons, labels, seed))

    def ask(self, count: int) -> Iterator[Labeled]:
        """Questions in pieces: all, or so many, evenly spread over the set."""
        rows = np.unique(np.linspace(0, len(self.questions) - 1, min(count, len(self.questions))).round().astype(int))
        for start in range(0, len(rows), PIECE):
            yield labeled(self.questions, rows[start : start + PIECE])


def prepare(trained: Trained, data: Any, test: Any, *, by: str | Sequence[str], watch: Watch) -> Exam:
    """Finds lessons and questions.

    The questions are the pictures of `test`; of `mnist:train` else `mnist:test`; else those that the run held out; else
    a quarter of the lessons, which their number alone decides (`data.split`).

    Args:
        trained: a run that makes pictures.
        data: labeled pictures; by default the run's own.
        test: others.
        by: attributes that are the classes; by default as the run had them.
        watch: of the passes over data.

    Raises:
        UsageError: there are no classes, or not the same ones.
        DataError: the run's data are not what they were.
        MissingError: they are not at hand.
    """
    shape = trained.config["data"]
    fit: dict[str, Any] = {"size": (shape["height"], shape["width"]), "channels": shape["channels"]}
    source = _own(trained, by, watch) if data is None else open_source(data, by=by, watch=watch)
    lessons = _with_classes(source.images(**fit), source)
    other = test_part(source.name) if test is None else test
    if other is None and source.holdout:
        return Exam(lessons, source.held_out(**fit), unseen=True)
    if other is None:
        return Exam(*split(lessons, SHARE), unseen=False if data is None else None)
    asked = open_source(other, by=by, watch=watch)
    questions = _renamed(_with_classes(asked.images(**fit), asked), lessons.classes)
    return Exam(lessons, questions, unseen=True if data is test is None else None)


def _own(trained: Trained, by: str | Sequence[str], watch: Watch) -> Source:
    """The source of a run's data; with classes by other attributes, if these are named."""
    source, _ = own_data(trained, watch, where="DATA", fix="saddle probe RUN DATA")
    if not by:
        return source
    facts: Mapping[str, Any] = trained.run.begun()["source"]
    return open_source(facts["spec"], watch=watch, **{**recorded(facts), "by": by})


def _with_classes(images: Images, source: Source) -> Images:
    if images.labels is not None:
        return images
    names = ", ".join(list(source.attributes)[:8])
    raise UsageError(
        f"{images.name} has no classes, so there is nothing to tell",
        where="--by" if names else "DATA",
        fix=f"--by with one of its attributes: {names}" if names else "sort the pictures into one folder a class",
    )


def _renamed(images: Images, classes: tuple[str, ...]) -> Images:
    """The same pictures with labels in the order of other classes, of which theirs are some."""
    if not set(images.classes) <= set(classes):
        strange = next(name for name in images.classes if name not in classes)
        raise UsageError(
            f"{images.name} has the class {shown(strange)}, which nobody was taught",
            where="--test",
            fix="the classes that are taught: " + ", ".join(map(shown, classes[:8])),
        )
    assert images.labels is not None, "it has classes"
    order = np.array([classes.index(name) for name in images.classes])
    return replace(images, labels=order[images.labels], classes=classes)
