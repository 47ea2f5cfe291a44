"""How much a discriminator knows of classes that nobody told it: what can be learned from its features and few labels.

Radford et al. 2016, section 5.1: a linear support vector machine on the discriminator's features, beside

    pixels        the same machine on the numbers of the picture
    untrained     the same machine on features of the same network with first weights
    supervised    the same network, which learns from the labeled pictures alone

Each is taught with the same pictures and asked about the same others. Differs from the paper: the cost of mistakes is
chosen by cross-validation among the labeled pictures, since more labels than those are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import model
from ..abilities import Classifies, Conditional
from ..data.images import Images
from ..data.scan import Watch
from ..errors import Stopped, UnavailableError, UsageError
from ..metrics.classify import Classifier
from ..metrics.svm import svm
from ..pictures.atomic import write_record
from ..session import Stopper
from ..trained import Trained, load
from .activations import Teller, features, teach
from .evaluate import circumstances
from .exam import PIECE, Exam, Labeled, prepare

LABELS, SEEDS, COUNT, STEPS = (100, 1000), 5, 10_000, 500
CONTESTANTS = ("discriminator", "pixels", "untrained", "supervised")


@dataclass(frozen=True)
class Probe:
    """What was measured.

    Attributes:
        trained: the run.
        accuracies: by contestant and number of labels, for each choice of labels the share of questions told right.
        how: everything that the numbers depend on, as plain values.
    """

    trained: Trained
    accuracies: Mapping[str, Mapping[int, Sequence[float]]]
    how: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """All but the run itself, as plain values: a row for each number of labels."""
        counts = list(next(iter(self.accuracies.values())))
        rows = [
            {"labels": count, **{name: _spread(found[count]) for name, found in self.accuracies.items()}}
            for count in counts
        ]
        return {"what": self.trained.run.name, "rows": rows, "how": self.how}

    def write(self, path: Path) -> Path:
        """Writes the record as JSON, whole or not at all.

        Raises:
            DiskError: the place cannot be written to.
        """
        write_record(path, self.facts())
        return path


def probe(
    run: str | Path | Trained,
    data: str | Path | np.ndarray | Images | None = None,
    *,
    test: str | Path | Images | None = None,
    labels: Sequence[int] = LABELS,
    by: str | Sequence[str] = (),
    seeds: int = SEEDS,
    count: int = COUNT,
    steps: int = STEPS,
    best: bool = False,
    device: str = "auto",
    out: str | Path = "runs",
    recipe_file: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Probe:
    """Learns classes from a discriminator's features and a few labels, and from the same labels without them.

    Args:
        run: a run's path, name or `last`, or a loaded run; of pictures, judged by convolutions.
        data: pictures with classes, from which the labels are; by default the run's own.
        test: others, which are asked about; by default `mnist:test` of `mnist:train`, what the run held out, or else a
            quarter of the data, from which no labels are taken.
        labels: how many, equally many of each class; of several thousands the machines take minutes.
        by: attributes that are the classes; by default as the run had them.
        seeds: choices of labels, by the seeds 0, 1, …; each has its own first weights, too.
        count: most pictures that are asked about.
        steps: of the supervised network, with up to 64 pictures each; 0 leaves it out.
        best, device, out, recipe_file: as for `load`; a loaded run needs its own recipe's file again.
        progress: told (done, total), first of the data that are looked through, then of the contestants.

    Raises:
        UnavailableError: the run makes points, or its discriminator has no convolutions.
        UsageError: no classes, fewer labels than classes, or more than pictures.
        SaddleError: as for `load` and `train`.
    """
    counts = sorted(set(labels))
    if not counts or min(seeds, count) < 1 or steps < 0:
        raise UsageError("there is nothing to learn, or to ask", where="--labels", fix="--labels 100,1000 --seeds 5")
    trained = run if isinstance(run, Trained) else load(run, best=best, device=device, out=out, recipe_file=recipe_file)
    if trained.config["data"].get("toy"):
        raise UnavailableError(f"{trained.run.name} makes points, which have no features to learn from")
    # Refused before the data are looked through.
    width = features(trained.game, torch.zeros(2, *_shape(trained), device=trained.device)).shape[1]
    with Stopper().listening() as stopper:
        exam = prepare(trained, data, test, by=by, watch=Watch(stopper, progress))
        exam.lesson(counts[0], 0)  # refused, where there are fewer labels than classes
        contest = _Contest(trained, partial(_untrained, trained, recipe_file), exam, counts, count, steps)
        found: dict[str, dict[int, list[float]]] = {}
        total = seeds * (len(CONTESTANTS) - (steps == 0))
        for done, (name, shares) in enumerate(contest.play(range(seeds)), start=1):
            for number, share in zip(counts, shares, strict=True):
                found.setdefault(name, {number: [] for number in counts})[number].append(share)
            progress(done, total)
            if stopper():
                raise Stopped("stopped while labels were learned; nothing was written", fix="run the command again")
    settings = {"features": width, "steps of the supervised network": steps, "choices of labels": seeds}
    return Probe(trained, found, {**_described(trained, exam, count), **settings})


@dataclass(frozen=True)
class _Contest:
    """Contestants who learn from the same labels and are asked the same questions."""

    trained: Trained
    fresh: Callable[[int], nn.Module]
    exam: Exam
    counts: Sequence[int]
    questions: int
    steps: int

    def play(self, seeds: Sequence[int]) -> Iterator[tuple[str, list[float]]]:
        """Of each seed and contestant, share of the questions told right after each number of labels."""
        for seed in seeds:
            lesson = self.exam.lesson(self.counts[-1], seed)
            yield "discriminator", self._machines(partial(self._features, self.trained.game), lesson)
            yield "pixels", self._machines(partial(torch.flatten, start_dim=1), lesson)
            yield "untrained", self._machines(partial(self._features, self.fresh(seed)), lesson)
            if self.steps:
                yield "supervised", self._asked([self._network(lesson, count, seed) for count in self.counts])

    def _machines(self, see: Callable[[Tensor], Tensor], lesson: Labeled) -> list[float]:
        images, labels = lesson
        seen = torch.cat([see(part) for part in images.split(PIECE)])
        return self._asked([svm(seen[:count], labels[:count]) for count in self.counts], see)

    def _network(self, lesson: Labeled, count: int, seed: int) -> Classifier:
        images, labels = lesson
        network = _seeded(seed, lambda: Teller(self.fresh(seed), images.shape[1:], len(self.exam.lessons.classes)))
        teach(network, images[:count], labels[:count], steps=self.steps, seed=seed)
        return lambda asked: network(asked.to(self.trained.device)).argmax(1).cpu()

    @torch.no_grad()
    def _asked(
        self, classifiers: Sequence[Classifier], see: Callable[[Tensor], Tensor] = lambda images: images
    ) -> list[float]:
        right, asked = [0] * len(classifiers), 0
        for images, labels in self.exam.ask(self.questions):
            seen = see(images)
            right = [hits + int((tell(seen) == labels).sum()) for hits, tell in zip(right, classifiers, strict=True)]
            asked += len(labels)
        return [hits / asked for hits in right]

    def _features(self, game: nn.Module, images: Tensor) -> Tensor:
        return features(game, images.to(self.trained.device)).cpu()


def _untrained(trained: Trained, recipe_file: str | None, seed: int) -> nn.Module:
    """The run's game with first weights of a seed."""
    game = _seeded(seed, lambda: model.rebuild(trained.config, recipe_file))
    return game.to(trained.device).eval()


def _seeded(seed: int, build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def _shape(trained: Trained) -> tuple[int, int, int]:
    data = trained.config["data"]
    return data["channels"], data["height"], data["width"]


def _spread(shares: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation of a choice of labels from it (None for a single one), and all of them."""
    deviation = stdev(shares) if len(shares) > 1 else None
    return {"mean": fmean(shares), "std": deviation, "accuracies": list(shares)}


def _described(trained: Trained, exam: Exam, count: int) -> dict[str, Any]:
    game, classes = trained.game, exam.lessons.classes
    told = set(game.classes) & set(classes) if isinstance(game, Conditional | Classifies) else set()
    return {
        "run": trained.run.name,
        "recipe": trained.config["recipe"],
        "step": trained.config.get("step"),
        "taught classes in training": bool(told),
        "lessons": f"{exam.lessons.name}, {len(exam.lessons):,} of key {exam.lessons.fingerprint}",
        "questions": f"{exam.questions.name}, {len(exam.questions):,} of key {exam.questions.fingerprint}",
        "asked": min(count, len(exam.questions)),
        "seen in training": None if exam.unseen is None else not exam.unseen,
        "classes": list(classes),
        "guessed": exam.guessed,
        **circumstances(),
    }
