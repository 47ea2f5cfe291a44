"""Digits by class: does a conditional GAN draw what is asked for, and do its samples teach? Does InfoGAN find digits?

python benchmarks/conditional.py --cdcgan runs/mnist-cdcgan          likewise --cgan and --acgan
python benchmarks/conditional.py --infogan runs/mnist-infogan

All were trained on MNIST's training digits. As many samples of each digit are drawn as of the others, and rounded to
the 256 levels that a file holds:

accuracy       share of 10,000 that the project's classifier takes for the digit that was asked for; for real ones, of
               the 10,000 test digits
one_nn_error   of the 10,000 test digits those whose nearest among 50,000 samples is of another digit, by pixels; for
               real ones among the 60,000 training digits
gan_train      share of the test digits that the classifier's network tells right when 60,000 samples taught it alone;
               for real ones when the training digits did
agreement      share of the test digits that lie in the category that their digit is matched with, the best way

Writes its part of results/conditional.json, and leaves the others alone.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Any

import torch
from evidence import entry, held, origin, publish

from saddlepoint import load
from saddlepoint.abilities import Classifies
from saddlepoint.api import Trained
from saddlepoint.data.catalog import open_named
from saddlepoint.errors import UsageError
from saddlepoint.evaluation import networks
from saddlepoint.evaluation.labeled import EPOCHS
from saddlepoint.metrics.classify import Accuracy, agreement, class_accuracy, gan_train, nearest
from saddlepoint.metrics.digits import Digits, learner, recognize

ASKED = ("cgan", "cdcgan", "acgan")
JUDGED, NEAR, TAUGHT = 10_000, 50_000, 60_000
DIGITS = tuple("0123456789")
PIECE = 500


def figures_of(run: Trained, share: float) -> dict[str, Any]:
    """What is said of a conditional run, with what real digits get beside it."""
    judged, near, taught = (round(share * count) for count in (JUDGED, NEAR, TAUGHT))
    size = run.config["data"]["height"]
    test, train, drawn = real(size, "test"), taught_by(size, share), samples(run, taught)
    return {
        **by_class(first(drawn, judged)),
        "one_nn_error": one_nn_error(first(drawn, near), test),
        "gan_train": round(gan_train(learner(EPOCHS), *drawn, *test).overall, 5),
        "real": real_figures(size, share),
        "samples": {"accuracy": judged, "one_nn_error": near, "gan_train": taught, "real": len(train[0])},
        **made(run),
    }


@cache
def real_figures(size: int, share: float) -> dict[str, Any]:
    """What real digits get. Half of the work, and the same for every run of a size."""
    test, train = real(size, "test"), taught_by(size, share)
    return {
        **by_class(test),
        "one_nn_error": one_nn_error(train, test),
        "gan_train": round(gan_train(learner(EPOCHS), *train, *test).overall, 5),
    }


def first(digits: Digits, count: int) -> Digits:
    """The first of pictures and their labels."""
    return digits[0][:count], digits[1][:count]


def by_class(digits: Digits) -> dict[str, Any]:
    """Accuracy of the project's classifier on the whole and on each digit."""
    network = networks.classifier()
    found: Accuracy = class_accuracy(lambda images: recognize(network, images)[:, 0], *digits)
    shares = [None if each is None else round(each, 5) for each in found.by_class]
    return {"accuracy": round(found.overall, 5), "accuracy_by_class": shares}


def one_nn_error(known: Digits, test: Digits) -> float:
    """Share of the test digits whose nearest neighbor is of another digit."""
    (images, digits), (others, truth) = known, test
    return round(1 - gan_train(nearest, images.flatten(1), digits, others.flatten(1), truth).overall, 5)


@torch.no_grad()
def found_by(run: Trained) -> dict[str, Any]:
    """How well the categories that a run found by itself fit the digits of the test set."""
    game, (images, digits) = run.game, real(run.config["data"]["height"], "test")
    assert isinstance(game, Classifies), f"{run.run.name} tells no classes"
    told = torch.cat([game.classify(piece.to(run.device)).argmax(1).cpu() for piece in images.split(PIECE)])
    found = agreement(told, digits)
    own = torch.tensor([-1 if place is None else place for place in found.matching])[told]
    by_digit = [round((own[digits == digit] == digit).double().mean().item(), 5) for digit in range(len(DIGITS))]
    matching = {game.classes[kind]: place for kind, place in enumerate(found.matching)}
    return {"agreement": round(found.share, 5), "by_class": by_digit, "matching": matching, **made(run)}


def samples(run: Trained, count: int) -> Digits:
    """Samples of each digit in turn, as a file holds them."""
    images = run.sample(count, seed=0, labels=DIGITS)
    return ((images + 1) * 127.5).round() / 127.5 - 1, torch.arange(count) % len(DIGITS)


def real(size: int, part: str) -> Digits:
    """Digits of MNIST, size by size."""
    return networks.digits(open_named(f"mnist:{part}", size=size))


def taught_by(size: int, share: float) -> Digits:
    """The training digits, or the first of them."""
    digits = real(size, "train")
    return first(digits, round(share * len(digits[0])))


def made(run: Trained) -> dict[str, Any]:
    """How the run was made, and on what it was measured."""
    command = run.run.facts().get("command")
    return {"recipe": run.config["recipe"], "steps": run.config["step"], "trained_by": command, **origin()}


def opened(folder: Path, name: str) -> Trained:
    """A run of this recipe that was taught digits.

    Raises:
        UsageError: it is a run of another recipe, or of other pictures.
    """
    run = load(folder, device="cpu")
    found, data = run.config["recipe"], run.config["data"]["name"]
    if found != name or not data.startswith("mnist"):
        raise UsageError(
            f"{folder} is a run of {found} on {data}", where=f"--{name}", fix=f"train {name} on mnist:train"
        )
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ASKED:
        parser.add_argument(f"--{name}", type=Path, help="a run that was taught MNIST by class")
    parser.add_argument("--infogan", type=Path, help="a run that found categories in MNIST by itself")
    parser.add_argument("--share", type=float, default=1.0, help="of samples and training digits, to try it out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name in ASKED:
        if folder := getattr(given, name):
            figures[name] = figures_of(opened(folder, name), given.share)
    if given.infogan:
        figures["infogan"] = found_by(opened(given.infogan, "infogan"))
    # Read at last: another benchmark may have added its own in the meantime.
    publish("conditional", held("conditional") | figures, seed=0, as_json=given.json)


if __name__ == "__main__":
    entry(main)
