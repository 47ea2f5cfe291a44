"""Samples that are what was asked for, samples that are not, and games that tell classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from saddlepoint.data.images import Images
from saddlepoint.errors import UsageError
from saddlepoint.evaluation import labeled
from saddlepoint.evaluation.comparison import Comparison, Score, View
from saddlepoint.evaluation.families import FAMILIES, choose
from saddlepoint.evaluation.labeled import accuracy, lessons
from saddlepoint.evaluation.sides import Made, Set
from saddlepoint.evaluation.sight import Sight
from saddlepoint.evaluation.subject import Subject
from saddlepoint.metrics.classify import probe

from .painter import Painter
from .test_families import JUNK, REAL, SAME, blobs, few


def compared(fake: Set | Made, real: Set = REAL, *, network: str = "quarters") -> Comparison:
    sight = Sight(replace(few(), name=network))
    return Comparison(View(fake, sight), View(real, sight), against="training")


def made(game: nn.Module, count: int = 200) -> Made:
    return Made(game.eval(), count, name="painter")


def scores(family: str, comparison: Comparison) -> dict[str, Score]:
    return {score.name: score for score in FAMILIES[family].measure(comparison)}


# The network named `digits` tells classes by its logits, any other teaches a probe.
@pytest.mark.parametrize("network", ["quarters", "digits"])
def test_samples_of_the_asked_class_are_told_from_others(network: str) -> None:
    right = scores("accuracy", compared(made(Painter()), network=network))
    assert right[f"accuracy_{network}"].value > 0.95
    assert right[f"accuracy_{network}"].data is not None
    assert right[f"accuracy_{network}"].data > 0.95
    assert right[f"accuracy_worst_{network}"].value > 0.9
    part = scores("accuracy", compared(made(Painter(paints=(0, 1, 0))), network=network))
    assert part[f"accuracy_{network}"].value == pytest.approx(0.5, abs=4 * (0.25 / 200) ** 0.5)
    assert part[f"accuracy_worst_{network}"].value < 0.1
    assert part[f"accuracy_worst_{network}"].note == "class 2"


def test_classes_go_by_name_and_not_by_place() -> None:
    turned = Painter(paints=(2, 1, 0), tells=(2, 1, 0), classes=("2", "1", "0"))
    found = scores("accuracy", compared(made(turned)))
    assert found["accuracy_quarters"].value > 0.95
    assert found["classifier_accuracy"].value > 0.95
    some = Set(blobs(300, 5, classes=2))
    fewer = scores("accuracy", compared(made(Painter()), some))
    assert fewer["accuracy_quarters"].value == pytest.approx(0.5, abs=0.15), "half are of a class the data lack"
    assert fewer["accuracy_worst_quarters"].value > 0.9, "which is no class of theirs"


def test_a_game_is_asked_about_the_data() -> None:
    found = scores("accuracy", compared(made(Painter())))["classifier_accuracy"]
    assert found.value > 0.95
    assert (found.generated, found.real) == (0, 300)
    wrong = scores("accuracy", compared(made(Painter(tells=(1, 0, 2)))))["classifier_accuracy"]
    assert wrong.value < 0.6


def test_codes_of_its_own_are_matched_with_the_classes() -> None:
    coded = Painter(paints=(1, 2, 0), tells=(2, 0, 1), classes=("code 0", "code 1", "code 2"))
    (found,) = accuracy(compared(made(coded)))
    assert found.name == "agreement"
    assert found.value > 0.95
    assert found.note == "code 0 is 1, code 1 is 2, code 2 is 0"


def test_sides_without_classes_in_common_are_refused() -> None:
    for fake, real in ((JUNK, REAL), (SAME, JUNK), (Set(named("a", "b", "c")), REAL)):
        with pytest.raises(UsageError, match="share no classes"):
            list(accuracy(compared(fake, real)))
    with pytest.raises(UsageError, match="have other classes"):
        list(lessons(compared(Set(named("a", "b", "c")), REAL)))


def named(*classes: str) -> Images:
    images = blobs(100, 3)
    return Images.of(np.asarray(images.pixels), images.labels, classes=classes)


def test_samples_teach_and_the_nearest_one_tells() -> None:
    right = scores("classes", compared(SAME))
    assert right["gan_train_quarters"].value > 0.95
    assert right["one_nn_error_quarters"].value < 0.05
    assert right["one_nn_error_quarters"].data is not None
    wrong = scores("classes", compared(made(Painter(paints=(1, 2, 0)))))
    assert wrong["gan_train_quarters"].value < 0.1
    assert wrong["one_nn_error_quarters"].value > 0.9


def test_of_digits_the_network_itself_is_taught_by_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []

    def learner(epochs: int) -> object:
        def fit(images: torch.Tensor, labels: torch.Tensor) -> object:
            shapes.append(tuple(images.shape))
            known = probe(images.flatten(1), labels)
            return lambda others: known(others.flatten(1))

        return fit

    monkeypatch.setattr(labeled, "learner", learner)
    found = scores("classes", compared(Set(blobs(100, 1)), Set(blobs(80, 2)), network="digits"))
    assert shapes == [(40, 1, 16, 16), (100, 1, 16, 16), (80, 1, 16, 16)]
    assert {"gan_train_digits", "gan_test_digits", "one_nn_error_digits"} == set(found)


def test_it_is_chosen_where_there_are_classes() -> None:
    names = [[family.name for family in choose(None, points=False, labels=labels)] for labels in (True, False)]
    assert set(names[0]) - set(names[1]) == {"accuracy"}
    for fake, real, expected in (
        (made(Painter()), REAL, True), (SAME, REAL, True), (JUNK, REAL, False), (SAME, JUNK, False),
    ):  # fmt: skip
        assert Subject(fake, {"training": real}, {}).labeled is expected
