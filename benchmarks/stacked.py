"""How many of the 1,000 modes of stacked MNIST a GAN finds, and what its loss and its penalties contribute.

Trains `r3gan --preset stacked` on one thread, and in turn labels 26,000 samples of its averaged generator with a
classifier of digits: the protocol of VEEGAN and PacGAN. Arms are the full recipe and two that lack a part of it; all
are declared to run for the same number of steps, so that at equal steps they stand at equal rates and penalties, and
arms that are only compared may end early.

    python benchmarks/stacked.py relativistic-r1-r2                   about two hours of one core
    python benchmarks/stacked.py non_saturating-r1-r2 --until 4000
    python benchmarks/stacked.py relativistic-r1 --until 4000

It may be killed at any time: each evaluation is written at once, and the same command goes on from the last
checkpoint. Whatever arms are there are gathered in results/stacked.json.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch
from evidence import entry, precision, publish
from torch import Tensor

from saddlepoint.api import resume, train
from saddlepoint.data.catalog import open_named
from saddlepoint.errors import Stopped
from saddlepoint.evaluation import networks
from saddlepoint.metrics.digits import recognize, stacked_labels
from saddlepoint.metrics.modes import modes_of_labels, perfect_labels
from saddlepoint.observers import Moment

ARMS = {
    f"{loss}-{penalties.replace('+', '-')}": {"loss": loss, "penalties": penalties}
    for loss, penalties in (("relativistic", "r1+r2"), ("non_saturating", "r1+r2"), ("relativistic", "r1"))
}
SAMPLES = 26_000
MODES = 1000
STEPS = 12_000
EVERY = 1000
PIECE = 500  # samples made at once


class Judge:
    """An observer that labels samples, and appends what it found to `modes.jsonl` in the run's folder.

    Args:
        folder: the run's.
        until: step at which the run is asked to stop, as a person would: with a signal.
    """

    every = EVERY

    def __init__(self, folder: Path, until: int) -> None:
        self.path, self.until = folder / "modes.jsonl", until
        self.earlier: float | None = None
        self.began = time.process_time()

    def __call__(self, moment: Moment) -> None:
        if not moment.done:
            return
        reached = time.process_time()
        if self.earlier is None:
            # What a killed process had played beyond its last checkpoint is played and counted once more.
            before = [found["cpu_seconds"] for found in trajectory(self.path) if found["step"] < moment.step]
            self.earlier = before[-1] if before else 0.0
        with moment.match.averages.applied(), torch.autocast("cpu", torch.bfloat16):
            found = count(samples(moment.game))
        entry = {"step": moment.step, "cpu_seconds": round(self.earlier + reached - self.began, 1), **found}
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        print(entry, flush=True)
        # Evaluations are not training.
        self.began += time.process_time() - reached
        if moment.step >= self.until:
            os.kill(os.getpid(), signal.SIGTERM)


def samples(game: Any) -> Iterator[Tensor]:
    """The same 26,000 latents each time, as pictures, piece by piece."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(SAMPLES // PIECE):
        yield game.sample(PIECE, generator=generator).float()


@torch.no_grad()
def count(pictures: Iterator[Tensor]) -> dict[str, float]:
    """Modes found, and how unevenly, in pictures (N, 3, H, W)."""
    labels = torch.cat([stacked_labels(recognize(classifier(), piece)) for piece in pictures])
    found = modes_of_labels(labels, MODES)
    return {"modes": int(found.count), "kl": round(found.reverse_kl, 4)}


def trajectory(path: Path) -> list[dict[str, Any]]:
    """The evaluations in a file by step; of one step the last, and of a torn line nothing."""
    found = {}
    for line in path.read_text().splitlines() if path.is_file() else []:
        if line.endswith("}"):
            entry = json.loads(line)
            found[entry["step"]] = entry
    return [found[step] for step in sorted(found)]


def real() -> dict[str, float]:
    """The same counted in pictures of the training set: what the classifier and chance allow."""
    stream = open_named("stacked_mnist", size=32).stream(PIECE)
    return count(stream.read(start, PIECE).image for start in range(0, SAMPLES, PIECE))


@cache
def classifier() -> torch.nn.Module:
    """The classifier, trained if need be when it is first asked for."""
    return networks.classifier()


def accuracy() -> float:
    """Share of MNIST's 10,000 test digits that the classifier recognizes."""
    pictures, digits = networks.digits(open_named("mnist:test", size=32))
    return (recognize(classifier(), pictures)[:, 0] == digits).double().mean().item()


def play(arm: str, runs: Path, judge: Judge, steps: int) -> None:
    """Begins the arm's run, or goes on with it."""
    name = f"stacked-{arm}"
    try:
        if (runs / name / "run.json").is_file():
            resume(name, out=runs, observers=[judge])
            return
        pace: dict[str, Any] = {"checkpoint_every": EVERY // 2, "sample_every": EVERY // 2}
        plan: dict[str, Any] = {"precision": precision(), "threads": 1, "device": "cpu", "seed": 0}
        options: dict[str, Any] = {"preset": "stacked", "steps": steps, **ARMS[arm]}
        train("r3gan", "stacked_mnist", name=name, out=runs, observers=[judge], **plan, **pace, **options)
    except Stopped as stopped:
        print(stopped)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arm", nargs="?", choices=ARMS, help="what to train; without one, only gather")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs")
    parser.add_argument("--until", type=int, default=STEPS, help="step to stop at")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.arm:
        play(given.arm, given.runs, Judge(given.runs / f"stacked-{given.arm}", given.until), STEPS)
    perfect = perfect_labels(MODES, SAMPLES)
    figures = {
        "steps": STEPS,
        "samples": SAMPLES,
        "classifier_accuracy": round(accuracy(), 4),
        "real": real(),
        "perfect": {"modes": round(perfect.count, 1), "kl": round(perfect.reverse_kl, 4)},
        "arms": {arm: trajectory(given.runs / f"stacked-{arm}" / "modes.jsonl") for arm in ARMS},
    }
    publish("stacked", figures, seed=0, as_json=given.json)


if __name__ == "__main__":
    entry(main)
