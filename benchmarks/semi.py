"""How many of MNIST's 10,000 test digits are told wrongly after learning from 20, 50, 100 or 200 labels (`sgan`).

    python benchmarks/semi.py                        40 runs: four numbers of labels, ten choices of them each
    python benchmarks/semi.py --labels 100           ten of them
    python benchmarks/semi.py --subsets 0 1 2 3 4    of each number the first five; another process may do the rest
    python benchmarks/semi.py --steps 12000          for as many steps; each number of labels has its own
    python benchmarks/semi.py --baseline             a network of the same size that learns from the labels alone

The protocol of Salimans et al. 2016, Table 1, permutation-invariant: the labels are equally many of each class, chosen
by seeds 0 to 9; all 60,000 training digits are there without theirs; the averaged classifier at the end of the run is
tested once. All in float32, the same on every machine. It may be killed at any time: the same command goes on with the
run from its last checkpoint, and plays what is missing. To do it anew, delete `sgan` from results/conditional.json, and
the runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from evidence import entry, held, origin, publish
from torch import Tensor
from torch.nn import functional as F

from saddlepoint import recipe
from saddlepoint.abilities import Classifies
from saddlepoint.api import resume, train
from saddlepoint.data.catalog import open_named
from saddlepoint.data.few import PartlyLabeledStream
from saddlepoint.data.source import open_source
from saddlepoint.errors import UsageError
from saddlepoint.evaluation.networks import digits
from saddlepoint.layers.weightnorm import initialize
from saddlepoint.networks.classifying import Discriminator
from saddlepoint.plan import seed_everything
from saddlepoint.recipes import sgan
from saddlepoint.run import Run

LABELS, SUBSETS = (20, 50, 100, 200), range(10)
PRESET, DATA = "laptop", "mnist:train"
EVERYTHING = 60_000
FEW_STEPS, EVERYTHING_STEPS = 2_000, 12_000
"""Steps of the baseline. A few labels it has learned by heart long before."""


def semi_supervised(labels: int, subset: int, steps: int, runs: Path) -> tuple[int, float]:
    """Plays the game, or goes on; the digits that its classifier gets wrong, and the seconds of the training."""
    folder = runs / f"{labels}-{subset}"
    if (folder / "run.json").exists():
        begun = Run(folder).facts()["options"]["steps"]
        if begun != steps:
            raise UsageError(f"this run has {begun} steps", where=str(folder), fix=f"--steps {begun}, or other --runs")
        run = resume(folder)
    else:
        settings: dict[str, Any] = {"labels": labels, "subset": subset, "steps": steps, "seed": subset}
        run = train("sgan", DATA, name=folder.name, out=runs, preset=PRESET, device="cpu", threads=1, **settings)
    assert isinstance(run.game, Classifies)
    return wrong(run.game.classify), run.run.facts()["seconds"]


def supervised(labels: int, subset: int, steps: int) -> tuple[int, float]:
    """The same for the game's own classifier, noise and normalization included, that sees the labeled digits alone."""
    torch.set_num_threads(1)
    seed_everything(subset)
    options = recipe.find("sgan").configure(PRESET, labels=labels, subset=subset)
    assert isinstance(options, sgan.Options)
    examples = open_source(DATA, seed=subset).images(size=options.size)
    stream = PartlyLabeledStream(examples, options.batch, labels=labels, subset=subset)
    network = Discriminator(options.form, options.width, len(examples.classes), examples.shape)
    initialize(network, stream.read(0, sgan.FIRST_LOOK).image)
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learned, options.lr, (options.beta1, 0.999), eps=sgan.EPS, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    began = time.process_time()
    for step in range(steps):
        known = stream.read(step * options.batch, options.batch).labeled
        assert known.label is not None
        logits = network(known.image)
        optimizer.zero_grad()
        F.cross_entropy(logits, known.label).backward()
        optimizer.step()
        schedule.step()
    seconds = time.process_time() - began
    return wrong(network.eval()), seconds


@torch.no_grad()
def wrong(classify: Callable[[Tensor], Tensor]) -> int:
    """Test digits that are taken for others."""
    pictures, answers = digits(open_named("mnist:test"))
    found = torch.cat([classify(part).argmax(1) for part in pictures.split(1000)])
    return int((found != answers).sum())


def length(labels: int, baseline: bool, chosen: int | None) -> int:
    """Steps of a run."""
    if baseline:
        return EVERYTHING_STEPS if labels == EVERYTHING else FEW_STEPS
    return int(sgan.PRESETS[PRESET]["steps"]) if chosen is None else chosen


def rows(figures: dict[str, Any], labels: int, baseline: bool, steps: int) -> dict[str, Any]:
    """The part of the figures a run belongs to: mistakes and steps by number of labels, and the seconds of all."""
    home = figures.setdefault("sgan", {"steps": {}, "seconds": 0.0})
    part: dict[str, Any] = home.setdefault("supervised", {"steps": {}, "seconds": 0.0}) if baseline else home
    before = part["steps"].setdefault(str(labels), steps)
    if before != steps:
        raise UsageError(
            f"{labels} labels in conditional.json are of {before} steps, not {steps}",
            where="--steps",
            fix=f"--steps {before}, or delete these rows first",
        )
    return part


def put(row: list[int | None], subset: int, count: int) -> None:
    """Writes the mistakes of a choice of labels at its place; before it, None stands for a choice not yet played."""
    row += [None] * (subset + 1 - len(row))
    row[subset] = count


def main() -> None:
    """Plays what is missing, one run after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", nargs="*", type=int, default=None)
    parser.add_argument("--subsets", nargs="*", type=int, default=[*SUBSETS], choices=SUBSETS, metavar="0 … 9")
    parser.add_argument("--steps", type=int, help="instead of what the preset says")
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--runs", type=Path, default=Path("runs/semi"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    learn = supervised if given.baseline else partial(semi_supervised, runs=given.runs)
    for labels in given.labels or (*LABELS, *([EVERYTHING] if given.baseline else [])):
        steps = length(labels, given.baseline, given.steps)
        # Of all labels there is one choice only.
        for subset in [0] if labels == EVERYTHING else given.subsets:
            row = rows(held("conditional"), labels, given.baseline, steps).get(str(labels), [])
            if subset < len(row) and row[subset] is not None:
                continue
            count, seconds = learn(labels, subset, steps)
            # Read again: another process may have added its own in the meantime.
            figures = held("conditional")
            part = rows(figures, labels, given.baseline, steps)
            put(part.setdefault(str(labels), []), subset, count)
            part.update(seconds=round(part["seconds"] + seconds, 1), **origin())
            publish("conditional", figures, seed=subset, as_json=given.json)


if __name__ == "__main__":
    entry(main)
