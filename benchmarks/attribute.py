"""Long hair or short, as asked: three conditional recipes on the same avatars for the same time of one core.

python benchmarks/attribute.py                        what is missing, one training after the other
python benchmarks/attribute.py --recipes biggan --minutes 5 --runs runs/try

Pictures of 32x32, the preset `laptop` of each at half its width, a tenth of them held out. As in the leaderboard
the rounds that fit into the time are measured first and then fixed. Samples, whose classes are as frequent as in the
data, are scored against the training pictures; whether hair is as long as was asked for, a classifier says that learned
it from them. May be killed at any time; the same command goes on. Writes `attribute` in results/conditional.json and
leaves the rest alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from evidence import RESULTS, by_name, entry, held, origin, publish, typed
from leaderboard import HOLDOUT, PLAN, SIDE, steps_in
from PIL import Image

from saddlepoint import evaluate, load, recipe
from saddlepoint.api import resume, train
from saddlepoint.pictures.grid import grid
from saddlepoint.pictures.sheets import scaled, titled

RECIPES = ("sngan_projection", "sagan", "biggan")
DATA, BY = "avatars:adventurer", "hair"
SETTINGS: dict[str, Any] = {"preset": "laptop", "by": BY}
COUNT, SHOWN = 5000, 16
GALLERY = RESULTS.parent.parent / "docs" / "gallery"


def row(name: str, minutes: float, runs: Path) -> dict[str, Any]:
    """Trains a recipe, or goes on, and scores it."""
    folder = runs / name
    if (folder / "run.json").exists():
        run = resume(folder)
    else:
        # In so short a time three times as many steps are worth more than the other half.
        settings = {**SETTINGS, "width": recipe.find(name).configure(SETTINGS["preset"]).model_dump()["width"] // 2}
        steps = steps_in(60 * minutes, name, DATA, settings)
        settings |= {"steps": steps, "holdout": HOLDOUT, **PLAN}
        run = train(name, DATA, name=name, out=runs, command=typed(name, DATA, settings), **settings)
    facts = run.run.facts()
    found = evaluate(run, count=COUNT, side=SIDE, metrics=["fd", "precision", "accuracy"], device="cpu")
    return {
        "steps": run.config["step"],
        "minutes": round(facts["seconds"] / 60, 1),
        "trained_by": facts["command"],
        **origin(),
        "scores": by_name(found.scores),
    }


def sheet(names: list[str], runs: Path) -> Image.Image:
    """Samples of each recipe and class: the same latents for both."""
    tiles = []
    for name in names:
        run = load(runs / name, device="cpu")
        for label, what in enumerate(run.config["data"]["classes"]):
            made = grid(run.sample(SHOWN, seed=0, labels=[label]), columns=8)
            tiles.append((f"{name}, {what}", scaled(made, (2 * made.width, 2 * made.height))))
    return titled(tiles, columns=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES), choices=RECIPES)
    parser.add_argument("--minutes", type=float, default=45.0, help="of one core for each training")
    parser.add_argument("--runs", type=Path, default=Path("runs/attribute"))
    parser.add_argument("--gallery", type=Path, default=GALLERY, help="where the picture goes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    for name in given.recipes:
        if name in held("conditional").get("attribute", {}).get("rows", {}):
            continue
        found = row(name, given.minutes, given.runs)
        # Read again: other parts may have been written in the meantime.
        figures = held("conditional")
        part = figures.setdefault("attribute", {"data": DATA, "by": BY, "count": COUNT, "rows": {}})
        part["minutes_each"] = given.minutes
        part["rows"][name] = found
        sheet(list(part["rows"]), given.runs).save(given.gallery / "attribute.webp", quality=88)
        publish("conditional", figures, seed=PLAN["seed"], as_json=given.json)


if __name__ == "__main__":
    entry(main)
