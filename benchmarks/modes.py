"""Every recipe on the ring of 8 and the grid of 25 (PacGAN's protocol): modes, samples of high quality, reverse KL.

python benchmarks/modes.py                                    all recipes with a preset `plane`, 10 seeds each
python benchmarks/modes.py --recipes r3gan --toys ring8       one of them
python benchmarks/modes.py --recipes dragan --steps 16000     for longer; the row is called dragan_16000
python benchmarks/modes.py --sheet                            draws what seed 0 made into docs/gallery, plays nothing

100,000 points, latents from N(0, I) in the plane, 2,500 samples judged as Lin et al. 2018 judge them. Each recipe plays
its preset `plane`, the same for both sets and for every seed, for the same number of rounds. What was played is kept: a
benchmark that is cut off goes on where it stopped. To play a row anew, delete it from results/modes.json.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evidence import RESULTS, entry, held, publish

from saddlepoint import recipe
from saddlepoint.abilities import Samples
from saddlepoint.data import toys
from saddlepoint.data.source import open_source
from saddlepoint.loop import train
from saddlepoint.match import opening
from saddlepoint.metrics.modes import modes, perfect
from saddlepoint.pictures.plane import portrait
from saddlepoint.pictures.sheets import titled
from saddlepoint.plan import Plan
from saddlepoint.plane import truth

TOYS = ("ring8", "grid25")
STEPS, SEEDS, SAMPLES = 5_000, 10, 2500
SAMPLED = Path("runs/modes")
GALLERY = RESULTS.parent.parent / "docs" / "gallery"


def play(name: str, toy: str, seed: int, steps: int) -> dict[str, float | None]:
    """Trains one recipe on one toy and judges its samples."""
    plan = Plan("cpu", threads=1, seed=seed).resolve()
    plan.prepare()
    found = recipe.find(name)
    match = opening(found.stages(found.configure("plane", steps=steps), open_source(toy, seed=seed)), plan)
    began = time.process_time()
    train(match)
    seconds = time.process_time() - began
    assert isinstance(match.game, Samples)
    with match.averages.applied():
        samples = match.game.sample(SAMPLES, generator=torch.Generator().manual_seed(seed))
    if seed == 0:
        SAMPLED.mkdir(parents=True, exist_ok=True)
        np.save(SAMPLED / f"{toy}-{name}.npy", samples.numpy())
    judged = modes(samples, *mixture(toy))
    kl = judged.reverse_kl if judged.high_quality else None  # JSON has no infinity
    return {"modes": judged.count, "hq": judged.high_quality, "kl": kl, "seconds": seconds}


def mixture(toy: str) -> tuple[np.ndarray, float]:
    """Centers of the modes, and the deviation around each."""
    found = toys.find(toy)
    assert found.centers is not None, f"{toy} has no modes"
    assert found.std is not None
    return found.centers, found.std


def sampler(toy: str) -> dict[str, Any]:
    """What the data themselves would get."""
    best = perfect(*mixture(toy), samples=SAMPLES)
    return {"modes": best.count, "hq": best.high_quality, "kl": best.reverse_kl}


def stacked() -> dict[str, Any]:
    """What `stacked.py` found on stacked MNIST: the last evaluation of each of its arms, one seed each."""
    arms = held("stacked").get("arms", {})
    last = {arm: trajectory[-1] for arm, trajectory in arms.items() if trajectory}
    return {
        arm: {"modes": [row["modes"]], "kl": [row["kl"]], "steps": row["step"], "seconds": row["cpu_seconds"]}
        for arm, row in last.items()
    }


def sheet(toy: str, *, columns: int = 4, side: int = 240) -> None:
    """The samples of every recipe over the true density, seed 0, as one picture."""
    law = truth(toys.find(toy))
    tiles = [
        (path.stem.removeprefix(f"{toy}-"), portrait(law, np.load(path), side=side))
        for path in sorted(SAMPLED.glob(f"{toy}-*.npy"))
    ]
    titled(tiles, columns=columns).save(GALLERY / f"modes-{toy}.webp", quality=85)


def main() -> None:
    """Plays what is missing, one run after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="*", default=None)
    parser.add_argument("--toys", nargs="*", default=TOYS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--sheet", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.sheet:
        for toy in given.toys:
            sheet(toy)
        return
    names = given.recipes or [name for name in recipe.names() if "plane" in recipe.find(name).presets]
    before = held("modes")
    figures = {toy: before.get(toy, {}) | {"perfect": sampler(toy)} for toy in TOYS} | {"stacked_mnist": stacked()}
    for name in names:
        row = name if given.steps == STEPS else f"{name}_{given.steps}"
        for toy in given.toys:
            empty = {"modes": [], "hq": [], "kl": [], "steps": given.steps, "seconds": 0.0}
            rows = figures[toy].get(row, empty)
            for seed in range(len(rows["modes"]), given.seeds):
                result = play(name, toy, seed, given.steps)
                rows["seconds"] = round(rows["seconds"] + result.pop("seconds"), 1)
                for key, value in result.items():
                    rows[key].append(value)
                figures[toy][row] = rows
                publish("modes", figures, seed=0, as_json=given.json)


if __name__ == "__main__":
    entry(main)
