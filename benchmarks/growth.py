"""Growing against standing: ProGAN and DCGAN on avatars of 64x64 for the same time of one core.

python benchmarks/growth.py                       both, about an hour each, then the scores
python benchmarks/growth.py --minutes 1 --count 200 --data avatars:adventurer:500 --runs runs/t --name t --gallery runs
python benchmarks/growth.py --only dcgan          one of them

How long a picture takes at each stage is measured first, and the lengths of both trainings follow from it and stay:
however often it is killed, the same command goes on from the last checkpoint and ends with the same models. What is
measured while they train, the sliced Wasserstein distance of patches by level, is not counted as their time. In the
end both are scored with `fd_lite0_96` and that distance on as many samples as pictures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from evidence import RESULTS, by_name, entry, held, precision, publish
from PIL import Image

from saddlepoint import evaluate, load, recipe
from saddlepoint.api import Watching, resume, train
from saddlepoint.data.source import open_source
from saddlepoint.loop import train as play
from saddlepoint.match import Match, build
from saddlepoint.pictures.grid import grid
from saddlepoint.pictures.log import read_log
from saddlepoint.pictures.sheets import titled
from saddlepoint.plan import Plan

SETTINGS: dict[str, dict[str, Any]] = {
    "progan": {"preset": "laptop"},
    "dcgan": {"size": 64, "batch": 64, "soften": 0.2, "average": 100},
}
PLAN: dict[str, Any] = {"precision": precision(), "threads": 1, "device": "cpu", "seed": 0}
GALLERY = RESULTS.parent.parent / "docs" / "gallery"
WARM, ROUNDS = 2, 6  # rounds of each stage before the clock starts, and under it
LOOKS, SEEN = 2, 250  # measurements in each stage of ProGAN, and samples for one
SIDE = 96  # of the pictures that the network sees which `fd_lite0_96` compares


def options_of(name: str, **given: Any) -> recipe.Options:
    """A recipe's options in this comparison."""
    settings = dict(SETTINGS[name])
    return recipe.find(name).configure(settings.pop("preset", None), **settings, **given)


def paces(name: str, data: str) -> dict[str, float]:
    """Seconds of one core that a picture takes, by stage."""
    plan = Plan(**PLAN).resolve()
    plan.prepare()
    stages, found = recipe.find(name).stages(options_of(name), open_source(data)), dict[str, float]()
    while (stage := build(stages, plan, len(found))) is not None:
        match = Match(dataclasses.replace(stage, steps=WARM), plan)
        play(match)
        match.stage = dataclasses.replace(stage, steps=WARM + ROUNDS)
        began = time.process_time()
        play(match)
        found[stage.name] = (time.process_time() - began) / ROUNDS / stage.data.batch
    return found


def length(name: str, pace: dict[str, float], seconds: float) -> dict[str, int]:
    """The option that makes a training as long as that: every stage sees equally many pictures."""
    pictures = int(seconds / sum(pace.values()))
    fields = type(options_of(name)).model_fields
    return {"images": pictures} if "images" in fields else {"steps": max(1, pictures // SETTINGS[name]["batch"])}


def stages_of(name: str, plan: dict[str, Any], data: str) -> list[tuple[str, int, float]]:
    """Name, steps and minutes of each stage of a training of that length."""
    stages = recipe.find(name).stages(options_of(name, **plan["length"]), open_source(data))
    return [
        (stage.name, stage.steps, plan["pace"][stage.name] * stage.data.batch * stage.steps / 60) for stage in stages
    ]


def trained(name: str, plan: dict[str, Any], data: str, runs: Path) -> float:
    """Trains a recipe, or goes on; returns the minutes of one core that this took, measurements included."""
    began = time.process_time()
    if (runs / name / "run.json").exists():
        resume(runs / name)
    else:
        # Of a training of one stage as many measurements as of one that has a stage for each resolution.
        stages = stages_of(name, plan, data)
        every = max(1, min(steps for _, steps, _ in stages) // LOOKS // (5 if len(stages) == 1 else 1))
        watching = Watching(every, ("swd",), min(SEEN, len(open_source(data).images(size=64))), side=SIDE)
        train(name, data, name=name, out=runs, watching=watching, **SETTINGS[name], **plan["length"], **PLAN)
    return (time.process_time() - began) / 60


def curve(name: str, plan: dict[str, Any], data: str, run: Path) -> list[dict[str, Any]]:
    """What was measured while a recipe trained, with the minutes of one core that the training had taken."""
    ends, minutes = [0], [0.0]
    for _, steps, taken in stages_of(name, plan, data):
        ends.append(ends[-1] + steps)
        minutes.append(minutes[-1] + taken)

    def at(step: int) -> float:
        for (start, end), (before, after) in zip(pairwise(ends), pairwise(minutes), strict=True):
            if step <= end:
                return before + (after - before) * (step - start) / (end - start)
        return minutes[-1]

    marks = [record for record in read_log(run / "log.jsonl") if "scores" in record]
    return [
        {"step": mark["step"], "stage": mark["stage"], "minutes": round(at(mark["step"]), 2), **mark["scores"]}
        for mark in marks
    ]


def told(name: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    """The distances while a recipe trained as a table, by level."""
    levels = [key for key in rows[0] if key.startswith("swd")] if rows else []
    yield f"{name:>10} {'stage':>12} {'minutes':>8} " + " ".join(f"{level:>8}" for level in levels)
    for row in rows:
        cells = " ".join(f"{row[level]:8.1f}" for level in levels)
        yield f"{row['step']:>10,} {row['stage']:>12} {row['minutes']:>8.1f} {cells}"


def draw(curves: dict[str, list[dict[str, Any]]], gallery: Path) -> None:
    """The distances over the time of one core, a panel a level."""
    levels = [key for key in next(iter(curves.values()))[0] if key.startswith("swd")]
    figure, panels = plt.subplots(1, len(levels), figsize=(3.6 * len(levels), 3.4), layout="constrained")
    for panel, level in zip(panels, levels, strict=True):
        for name, rows in curves.items():
            panel.plot([row["minutes"] for row in rows], [row[level] for row in rows], label=name)
        panel.set(title=level.replace("swd_", "level "), xlabel="minutes of one core", ylim=(0, None))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("sliced Wasserstein distance x 1,000")
    panels[0].legend(frameon=False)
    figure.savefig(gallery / "growth-swd.webp", dpi=110)


def hang(runs: dict[str, Path], gallery: Path) -> None:
    """The first samples of each, side by side."""
    tiles: list[tuple[str, Image.Image]] = []
    for name, run in runs.items():
        tiles.append((name, grid(load(run, device="cpu").sample(36), columns=6).convert("RGB")))
    titled(tiles, columns=2).save(gallery / "growth.webp", quality=88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="of one core for each training")
    parser.add_argument("--only", nargs="*", default=list(SETTINGS), choices=SETTINGS)
    parser.add_argument("--data", default="avatars:adventurer")
    parser.add_argument("--count", type=int, default=5000, help="samples that are scored in the end")
    parser.add_argument("--runs", type=Path, default=Path("runs/growth"))
    parser.add_argument("--name", default="growth", help="of the file with the results")
    parser.add_argument("--gallery", type=Path, default=GALLERY, help="where pictures go")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    figures = held(given.name)
    figures |= {"data": given.data, "minutes_each": given.minutes, "settings": SETTINGS, "plan": PLAN}
    for name in given.only:
        lengths = given.runs / f"{name}.json"
        if not lengths.exists():
            pace = paces(name, given.data)
            lengths.write_text(json.dumps({"pace": pace, "length": length(name, pace, 60 * given.minutes)}))
        plan = json.loads(lengths.read_text())
        taken = trained(name, plan, given.data, given.runs)
        rows = curve(name, plan, given.data, given.runs / name)
        print("\n".join(told(name, rows)))
        found = evaluate(given.runs / name, count=given.count, side=SIDE, metrics=["fd", "swd"], device="cpu")
        scored = {"count": given.count, "scores": by_name(found.scores)}
        figures[name] = {**plan, "minutes_this_time": round(taken, 1), **scored, "curve": rows}
        publish(given.name, figures, seed=PLAN["seed"], as_json=given.json)
    done = [name for name in SETTINGS if name in figures]
    draw({name: figures[name]["curve"] for name in done}, given.gallery)
    hang({name: given.runs / name for name in done}, given.gallery)


if __name__ == "__main__":
    entry(main)
