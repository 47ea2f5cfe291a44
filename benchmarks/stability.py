"""A generator without normalization: does a DCGAN still learn, and does WGAN-GP (Gulrajani et al. 2017, section 5)?

python benchmarks/stability.py [--minutes 15] [--json]

Both recipes play their preset `bare`: the same generator without a norm and with He's first weights, against the
discriminator of the recipe, which keeps its own (of the batch in a DCGAN, of each sample in WGAN-GP). On avatars at
32x32, each for the same time of one core. What is measured on the way is the sliced Wasserstein distance between 2,000
samples and 2,000 pictures of the data, over raw pixels in [-1, 1]; the distance between two halves of the data stands
beside it. Pictures go to docs/gallery.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import matplotlib.pyplot as plt
import torch
from evidence import RESULTS, entry, precision, publish
from PIL import Image
from torch import Tensor

from saddlepoint import recipe
from saddlepoint.abilities import Samples
from saddlepoint.data.source import open_source
from saddlepoint.errors import NumericError, Stopped
from saddlepoint.loop import train
from saddlepoint.match import opening
from saddlepoint.metrics.distances import sliced_wasserstein
from saddlepoint.observers import Moment
from saddlepoint.pictures import grid
from saddlepoint.pictures.sheets import evenly
from saddlepoint.plan import Plan

DATA, COUNT, SEED = "avatars:adventurer", 2000, 0
ENDLESS = 1_000_000  # steps; the time ends before
MOMENTS = 4  # of which pictures are shown
GALLERY = RESULTS.parent.parent / "docs" / "gallery"
SETTINGS: dict[str, dict[str, Any]] = {
    "dcgan": {"size": 32, "width": 32, "batch": 64, "average": 100},
    "wgan_gp": {"size": 32, "width": 32, "batch": 64, "average": 100},
}


class Judge:
    """Measures a training from time to time, and ends it when its time is over."""

    every = 25

    def __init__(self, real: Tensor, seconds: float, looks: int = 30) -> None:
        self.real, self.seconds, self.pause = real, seconds, seconds / looks
        self.began, self.lost, self.next = time.process_time(), 0.0, 0.0
        self.rows: list[dict[str, float]] = []
        self.sheets: list[tuple[int, Image.Image]] = []

    @property
    def played(self) -> float:
        """Seconds of the core that went into the training itself."""
        return time.process_time() - self.began - self.lost

    def __call__(self, moment: Moment) -> None:
        assert isinstance(moment.game, Samples)
        if self.played < self.next:
            return
        played, paused = self.played, time.process_time()
        with moment.match.averages.applied():
            generator = torch.Generator().manual_seed(SEED)
            fake = torch.cat([moment.game.sample(100, generator=generator) for _ in range(COUNT // 100)])
        distance = sliced_wasserstein(fake.flatten(1), self.real.flatten(1))
        self.rows.append({"step": moment.step, "seconds": round(played, 1), "distance": distance})
        self.sheets.append((moment.step, grid.grid(fake[:16], columns=4)))
        self.next += self.pause
        self.lost += time.process_time() - paused

    def over(self) -> bool:
        return self.played > self.seconds


def play(name: str, seconds: float) -> tuple[list[dict[str, float]], list[tuple[int, Image.Image]], float]:
    """Trains one recipe; returns what was measured, its pictures, and the distance between two halves of the data."""
    plan = Plan("cpu", precision=precision(), threads=1, seed=SEED).resolve()
    plan.prepare()
    found = recipe.find(name)
    options = found.configure("bare", steps=ENDLESS, **SETTINGS[name])
    match = opening(found.stages(options, open_source(DATA, seed=SEED)), plan)
    data = match.stage.data
    real, other = data.read(0, COUNT).image, data.read(COUNT, COUNT).image
    judge = Judge(real, seconds)
    try:
        train(match, observers=[judge], stop=judge.over)
    except Stopped:  # the time is over
        pass
    except NumericError as fault:
        print(f"{name} ended early: {fault}", file=sys.stderr)
    return judge.rows, judge.sheets, sliced_wasserstein(other.flatten(1), real.flatten(1))


def draw(played: dict[str, tuple[list[dict[str, float]], list[tuple[int, Image.Image]]]], floor: float) -> None:
    """The distance of both over time, and beside it what both had learned to draw at four times."""
    figure = plt.figure(figsize=(12, 4.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(5, 8), squeeze=False)[0]
    axes = left.subplots()
    for name, (rows, _) in played.items():
        axes.plot([row["seconds"] / 60 for row in rows], [row["distance"] for row in rows], label=name)
    axes.axhline(floor, color="#6b7180", linestyle=(0, (1, 2)), label="data against data")
    axes.set(xlabel="minutes of one core", ylabel="sliced Wasserstein distance", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    cells = right.subplots(len(played), MOMENTS)
    for line, (name, (_, sheets)) in zip(cells, played.items(), strict=True):
        # Without the first, which is noise; of a very short run there may be fewer than there are cells.
        for cell, place in zip(line, evenly(len(sheets), MOMENTS + 1)[1:], strict=False):
            step, picture = sheets[place]
            cell.imshow(picture)
            cell.set_title(f"{name}, step {step:,}", fontsize=9)
        for cell in line:
            cell.set_axis_off()
    figure.savefig(GALLERY / "bare.webp", dpi=110)


def main() -> None:
    """Plays both and hangs their pictures side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    played, floor = {}, 0.0
    for name in SETTINGS:
        rows, sheets, floor = play(name, 60 * given.minutes)
        played[name] = (rows, sheets)
    draw(played, floor)
    figures = {"data": DATA, "settings": SETTINGS, **{name: rows for name, (rows, _) in played.items()}}
    publish("stability", {**figures, "real_against_real": floor}, seed=SEED, as_json=given.json)


if __name__ == "__main__":
    entry(main)
