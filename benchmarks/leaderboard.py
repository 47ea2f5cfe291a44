"""Every recipe on the same pictures for the same time of one core, and how it scores.

python benchmarks/leaderboard.py                              what is missing, one training after the other
python benchmarks/leaderboard.py --recipes wgan_gp --sets mnist
python benchmarks/leaderboard.py --page                       writes docs/leaderboard.md, trains nothing

Pictures of 32x32, one thread, bf16 where the processor has it, a tenth of the pictures held out. How many steps fit
into the time is measured first and then fixed, so that the command in the table trains the very same model on any
machine. Settings are what the table says and no more: nothing was searched for on these scores. May be killed at any
time; the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from evidence import RESULTS, by_name, entry, figure, held, origin, precision, publish, typed
from PIL import Image

from saddlepoint import evaluate, recipe
from saddlepoint.api import train
from saddlepoint.data.source import open_source
from saddlepoint.loop import train as play
from saddlepoint.match import opening
from saddlepoint.pictures.grid import grid
from saddlepoint.pictures.sheets import scaled, titled
from saddlepoint.plan import Plan

DOCS = RESULTS.parent.parent / "docs"
SETS = {"mnist": "mnist:train", "avatars": "avatars:adventurer"}
SMALL: dict[str, Any] = {"size": 32, "width": 32, "batch": 64, "average": 100}
SETTINGS: dict[str, dict[str, Any]] = {
    "gan": {"size": 32, "hidden": 512, "batch": 64, "average": 100},
    "dcgan": {**SMALL, "soften": 0.2},
    "lsgan": SMALL,
    "wgan": SMALL,
    "wgan_gp": SMALL,
    "dragan": SMALL,
    "sngan": {"preset": "laptop"},
    "unrolled": SMALL,
    "pacgan": SMALL,
    "began": {"preset": "laptop", "average": 100},
    "r3gan": {"size": 32, "width": 128, "taper": 4, "patch": 2, "lr": 5e-4, "average": 100},
}
PLAN: dict[str, Any] = {"precision": precision(), "threads": 1, "device": "cpu", "seed": 0}
HOLDOUT, COUNT, SIDE = 0.1, 5000, 96
PACE, WARM = 15.0, 12  # seconds of rounds that the pace is measured over, after some rounds to warm up
SHOWN = ("fd_lite0_96", "kd_lite0_96", "precision_lite0_96", "recall_lite0_96", "swd", "memorization_lite0_96")


def steps_in(seconds: float, name: str, data: str, settings: dict[str, Any]) -> int:
    """How many rounds of a recipe one core plays in so long, two digits of it."""
    plan = Plan(**PLAN).resolve()
    plan.prepare()
    found = recipe.find(name)
    chosen = dict(settings)
    preset, by = chosen.pop("preset", None), chosen.pop("by", None)
    source = open_source(data, holdout=HOLDOUT, by=by)
    rounds = WARM
    for _ in range(2):
        match = opening(found.stages(found.configure(preset, **chosen, steps=rounds), source), plan)
        began = time.process_time()
        play(match)
        pace = (time.process_time() - began) / rounds
        rounds = max(WARM, round(PACE / pace))
    steps = seconds / pace
    unit = 10 ** max(0, len(str(int(steps))) - 2)
    return max(unit, round(steps / unit) * unit)


def row(name: str, which: str, minutes: float, runs: Path) -> dict[str, Any]:
    """Trains a recipe and scores it."""
    data = SETS[which]
    steps = steps_in(60 * minutes, name, data, SETTINGS[name])
    began = time.process_time()
    run = train(name, data, name=f"{which}-{name}", out=runs, holdout=HOLDOUT, steps=steps, **SETTINGS[name], **PLAN)
    seconds = time.process_time() - began
    found = evaluate(run, count=COUNT, side=SIDE, metrics=["fd", "kd", "precision", "swd", "memory"], device="cpu")
    return {
        "recipe": name,
        "steps": steps,
        "minutes": round(seconds / 60, 1),
        "command": typed(name, data, {**SETTINGS[name], "steps": steps, "holdout": HOLDOUT, **PLAN}),
        **origin(),
        "scores": by_name(found.scores),
    }


def page(record: dict[str, Any]) -> str:
    """The leaderboard as Markdown."""
    lines = [
        "# Leaderboard",
        "",
        f"Recipes on pictures of 32x32 for the same time of one core, {record['minutes_each']:g} minutes as measured "
        "beforehand (the column says what they came to while other work went on beside them), with "
        f"the small settings of its command; {record['count']:,} samples of seed 0 against as many training pictures, "
        "and `memorization` against the held-out tenth. So short a time says which recipe gets somewhere fast on a "
        "laptop, and nothing about where it ends: R3GAN, SNGAN and their like are made for long runs on large GPUs. "
        "`revision` is the commit that a row was trained at. What has no row is not yet measured.",
        "",
        f"`{record['command']}`, {record['date']}, {record['hardware']}.",
    ]
    for which in SETS:
        rows = sorted(record["rows"].get(which, []), key=lambda each: each["scores"][SHOWN[0]]["value"])
        if not rows:
            continue
        titles = " | ".join(f"`{name}`" for name in SHOWN)
        lines += ["", f"## {which}", "", f"| recipe | steps | minutes | {titles} | revision |"]
        lines += ["|---" * (4 + len(SHOWN)) + "|"]
        for each in rows:
            cells = [_cell(each["scores"].get(name)) for name in SHOWN]
            cells = [each["recipe"], f"{each['steps']:,}", str(each["minutes"]), *cells, each["revision"]]
            lines.append(f"| {' | '.join(cells)} |")
        lines += ["", f"![Samples of each](gallery/leaderboard-{which}.webp)", ""]
        lines += [f"    {each['command']}" for each in rows]
    return "\n".join([*lines, ""])


def _cell(score: dict[str, Any] | None) -> str:
    if score is None:
        return ""
    ends = f" ({figure(score['low'])} … {figure(score['high'])})" if score["low"] is not None else ""
    return f"{figure(score['value'])}{ends}"


def sheet(which: str, rows: list[dict[str, Any]], runs: Path) -> None:
    """The first samples of each recipe under its name, as one picture."""
    from saddlepoint import load

    tiles: list[tuple[str, Image.Image]] = []
    for each in rows:
        made = grid(load(runs / f"{which}-{each['recipe']}", device="cpu").sample(25), columns=5)
        tiles.append((each["recipe"], scaled(made, (2 * made.width, 2 * made.height))))
    titled(tiles, columns=4).save(DOCS / "gallery" / f"leaderboard-{which}.webp", quality=78)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="*", default=list(SETTINGS), choices=SETTINGS)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--minutes", type=float, default=6.0, help="of one core for each training")
    parser.add_argument("--runs", type=Path, default=Path("runs/leaderboard"))
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.page:
        (DOCS / "leaderboard.md").write_text(page(json.loads((RESULTS / "leaderboard.json").read_text())))
        return
    rows: dict[str, list[dict[str, Any]]] = held("leaderboard").get("rows", {})
    for name in given.recipes:
        for which in given.sets:
            if name in [each["recipe"] for each in rows.setdefault(which, [])]:
                continue
            rows[which].append(row(name, which, given.minutes, given.runs))
            sheet(which, rows[which], given.runs)
            figures = {"minutes_each": given.minutes, "count": COUNT, "rows": rows}
            publish("leaderboard", figures, seed=0, as_json=given.json)


if __name__ == "__main__":
    entry(main)
