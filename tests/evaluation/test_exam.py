"""Which pictures labels are taken from, and which are asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.errors import MissingError, UsageError
from saddlepoint.evaluation.exam import Exam, prepare
from saddlepoint.run import Run
from saddlepoint.trained import Trained

CLASSES = ("x", "y", "z")


def pictures(count: int, *, classes: tuple[str, ...] = CLASSES, name: str = "some") -> Images:
    """Pictures that are as bright as their number, of the classes in turn."""
    pixels = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 1))
    return Images.of(pixels.copy(), np.arange(count) % len(classes), classes=classes, name=name)


def numbers(images: torch.Tensor) -> list[int]:
    """Which pictures these are."""
    return ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


@pytest.fixture
def run(tmp_path: Path) -> Trained:
    config = {"recipe": "toy", "data": {"channels": 1, "height": 4, "width": 4, "classes": []}}
    return Trained(Run(tmp_path), nn.Linear(1, 1), config, torch.device("cpu"))  # type: ignore[arg-type]


def test_lessons_are_balanced_and_begin_alike() -> None:
    exam = Exam(pictures(60), pictures(30), unseen=None)
    images, labels = exam.lesson(12, seed=0)
    assert images.shape == (12, 1, 4, 4)
    assert torch.bincount(labels).tolist() == [4, 4, 4]
    assert [number % 3 for number in numbers(images)] == labels.tolist()
    few, _ = exam.lesson(6, seed=0)
    assert numbers(few) == numbers(images)[:6]
    assert numbers(exam.lesson(12, seed=1)[0]) != numbers(images)
    with pytest.raises(UsageError, match="3 classes and 60 pictures"):
        exam.lesson(2, seed=0)


def test_questions_are_all_or_spread_over_the_set() -> None:
    exam = Exam(pictures(9), pictures(200), unseen=None)
    everything = [number for images, _ in exam.ask(10_000) for number in numbers(images)]
    assert everything == list(range(200))
    ((images, labels),) = exam.ask(5)
    assert numbers(images) == [0, 50, 100, 149, 199]
    assert labels.tolist() == [number % 3 for number in numbers(images)]
    uneven = Images.of(np.zeros((5, 4, 4, 1), np.uint8), np.array([1, 0, 1, 1, 2]), classes=CLASSES)
    assert Exam(uneven, uneven, unseen=None).guessed == pytest.approx(0.6)


def test_without_others_a_quarter_is_asked_about(run: Trained) -> None:
    exam = prepare(run, pictures(40), None, by=(), watch=Watch())
    assert (len(exam.lessons), len(exam.questions), exam.unseen) == (30, 10, None)
    learned, asked = (set(part.pixels[:][:, 0, 0, 0].tolist()) for part in (exam.lessons, exam.questions))
    assert learned | asked == set(range(40))
    again = prepare(run, pictures(40), None, by=(), watch=Watch())
    assert again.questions.fingerprint == exam.questions.fingerprint


def test_questions_of_another_set_get_the_labels_of_the_lessons(run: Trained) -> None:
    test = pictures(8, classes=("z", "x"), name="others")
    exam = prepare(run, pictures(40), test, by=(), watch=Watch())
    assert (len(exam.lessons), exam.questions.classes, exam.unseen) == (40, CLASSES, None)
    assert exam.questions.labels is not None
    assert exam.questions.labels.tolist() == [2, 0] * 4
    with pytest.raises(UsageError, match="others has the class w, which nobody was taught"):
        prepare(run, pictures(40), pictures(8, classes=("x", "w"), name="others"), by=(), watch=Watch())


def test_what_cannot_be_asked_is_refused(run: Trained) -> None:
    plain = Images.of(np.zeros((8, 4, 4, 1), np.uint8), name="plain")
    with pytest.raises(UsageError, match="plain has no classes"):
        prepare(run, plain, None, by=(), watch=Watch())
    with pytest.raises(UsageError, match="plain has no classes"):
        prepare(run, pictures(8), plain, by=(), watch=Watch())
    with pytest.raises(MissingError, match="a model alone does not know its data") as caught:
        prepare(run, None, None, by=(), watch=Watch())
    assert caught.value.fix == "saddle probe RUN DATA"
