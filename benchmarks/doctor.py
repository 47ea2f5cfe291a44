"""Lets the doctor of a training look at runs that are known to be ill or well, and counts its errors.

    python benchmarks/doctor.py --json

Half of the runs are broken on purpose (`sabotage.py`); what ails them follows from how, and the outcome is measured as
well, by other means than the doctor's. A run is missed if none of the conditions expected of it was found, a healthy
run is a false alarm if any was, at any time. Thresholds were chosen on other seeds than these.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from evidence import entry, publish

from saddlepoint import recipe
from saddlepoint.data.source import Source, open_source
from saddlepoint.errors import NumericError
from saddlepoint.loop import train
from saddlepoint.match import Match, opening
from saddlepoint.metrics.distances import sliced_wasserstein
from saddlepoint.metrics.modes import modes
from saddlepoint.physician import Physician
from saddlepoint.plan import Plan
from saddlepoint.run import Run

OWN = str(Path(__file__).parent / "sabotage.py")
PLANE = {"width": 64, "batch": 128}
NARROW = {"width": 16, "initialization": "normal", "batch": 64, "steps": 1500}
WIDE = {"latent": 16, "width": 128, "width_discriminator": 128}
JUDGED = 2500  # samples that the outcome is measured with


@dataclass(frozen=True)
class Case:
    """A run, and which conditions it has; one of them is enough."""

    recipe: str
    data: str
    why: str
    expected: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def ill(data: str, why: str, *expected: str, **options: Any) -> Case:
    return Case(OWN, data, why, expected, options)


BROKEN = (
    ill("ring8", "minimax cost, 5 steps of the discriminator, slow generator", "vanishing_gradient",
        cost="minimax", discriminator_steps=5, lr_generator=1e-5, steps=1000),
    ill("digits", "large fast discriminator, slow generator", "discriminator_won",
        width_discriminator=128, lr_discriminator=3e-3, lr_generator=2e-6, latent=16, steps=1500),
    ill("moons", "fast discriminator, slow generator", "discriminator_won",
        discriminator_steps=3, lr_generator=1e-6, steps=1500),
    ill("grid25", "momentum of 0.9 and a fast generator", "mode_collapse", "partial_collapse",
        beta1=0.9, lr_generator=1e-2, steps=2500),
    ill("ring8", "10 steps of the generator for one of the discriminator", "mode_collapse", "oscillation",
        generator_steps=10, steps=700),
    ill("grid25", "a generator too small to cover the data: 4 features, a latent of 1", "partial_collapse",
        latent=1, width=4, steps=2500),
    ill("ring8", "frozen discriminator", "discriminator_lost", lr_discriminator=1e-7, steps=2000),
    ill("moons", "discriminator 1000 times slower", "discriminator_lost", lr_discriminator=1e-6, steps=2000),
    ill("digits:16", "16 pictures", "memorization", batch=16, **WIDE, steps=2000),
    ill("digits:32", "32 pictures", "memorization", batch=32, **WIDE, steps=3000),
    ill("ring8", "Wasserstein cost, critic without any constraint", "oscillation", cost="wasserstein", steps=2500),
    ill("ring8", "Wasserstein cost, no constraint, rates 300 times too high", "divergence",
        cost="wasserstein", lr_generator=0.3, lr_discriminator=0.3, steps=2000),
    ill("ring8", "rates 30 times too high", "divergence", "oscillation", "mode_collapse", "partial_collapse",
        lr_generator=0.03, lr_discriminator=0.03, steps=2500),
    Case("cdcgan", "mnist:train", "an eighth of the width, half of the generator's first features for the class",
         ("class_collapse",), NARROW),
)  # fmt: skip

HEALTHY = (
    Case(OWN, "moons", "the broken runs' own game, whole", options={"steps": 2000}),
    Case("gan", "ring8", "plane", options={"hidden": 64, "batch": 128, "steps": 3000}),
    Case("lsgan", "ring8", "plane", options={**PLANE, "steps": 2500}),
    Case("dragan", "ring8", "plane", options={**PLANE, "steps": 2500}),
    Case("pacgan", "ring8", "plane", options={**PLANE, "steps": 2500}),
    Case("r3gan", "ring8", "plane", options={**PLANE, "steps": 2500}),
    Case("r3gan", "grid25", "plane", options={**PLANE, "steps": 2500}),
    Case("wgan_gp", "moons", "plane", options={**PLANE, "critic_steps": 2, "steps": 1500}),
    Case("sngan", "swissroll", "plane", options={**PLANE, "discriminator_steps": 2, "steps": 2000}),
    Case("gan", "mixture1d", "plane", options={"hidden": 64, "batch": 128, "steps": 2500}),
    Case("dragan", "circle", "plane", options={**PLANE, "steps": 2000}),
    Case("r3gan", "checkerboard", "plane", options={**PLANE, "steps": 2000}),
    Case(
        "cdcgan",
        "mnist:train",
        "an eighth of the width, told the class at every layer",
        options={**NARROW, "networks": "radford", "steps": 2500},
    ),
    Case("gan", "digits", "8x8 pixels", options={"size": 8, "latent": 16, "hidden": 128, "lr": 5e-4, "steps": 4000}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of every run (default: 1)")
    parser.add_argument("--only", help="numbers of the cases to play, separated by commas; publishes nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    cases = [*BROKEN, *HEALTHY]
    if arguments.only:
        for number in map(int, arguments.only.split(",")):
            print(json.dumps({"case": number, **examined(cases[number], arguments.seed)}), flush=True)
        return
    table = []
    for case in cases:
        table.append(examined(case, arguments.seed))
        print(json.dumps(table[-1]), file=sys.stderr, flush=True)
    looking, playing = (sum(row.pop(key) for row in table) for key in ("looking", "seconds"))
    figures = {
        "runs": len(table),
        "missed": sum(row["verdict"] == "missed" for row in table),
        "false_alarms": sum(row["verdict"] == "false alarm" for row in table),
        "cost": round(looking / playing, 4),
        "seconds": round(playing),
        "table": table,
    }
    publish("doctor", figures, seed=arguments.seed, as_json=arguments.json)


def examined(case: Case, seed: int) -> dict[str, Any]:
    """Plays a case to its end and sets what the doctor found beside what there was to find."""
    plan = Plan("cpu", threads=1, seed=seed).resolve()
    plan.prepare()
    chosen, source = recipe.find(case.recipe), opened(case.data, seed)
    options = chosen.configure(source.kind if source.kind in chosen.presets else None, **case.options)
    match = opening(chosen.stages(options, source), plan)
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        doctor = Physician(Run(Path(folder)), lambda event, _: found.append(f"{event} {match.step}"), match.stage.steps)
        began = time.monotonic()
        try:
            train(match, observers=[doctor])
        except NumericError:
            found.append(f"not finite {match.step}")
        seconds = time.monotonic() - began
    names = {entry.split()[0] for entry in found}
    verdict = "right"
    if case.expected and not names & set(case.expected):
        verdict = "missed"
    elif not case.expected and found:
        verdict = "false alarm"
    return {
        "recipe": "sabotage" if case.recipe == OWN else case.recipe,
        "data": case.data,
        "why": case.why,
        "options": case.options,
        "expected": list(case.expected),
        "found": found,
        "verdict": verdict,
        **outcome(match),
        "looks": len(doctor.chart.looks),
        "looking": doctor.spent,
        "seconds": round(seconds, 1),
    }


def opened(data: str, seed: int) -> Source:
    """The data of a case: a set by its name, or `digits:32`, its first 32 pictures."""
    name, _, count = data.partition(":")
    if name != "digits" or not count:
        return open_source(data, seed=seed)
    digits = open_source(name).images(size=28)
    return open_source(digits.pixels[:: len(digits) // int(count)][: int(count)], seed=seed)


def outcome(match: Match) -> dict[str, Any]:
    """How the run ended, by other means than the doctor's: 2,500 new samples of the averaged networks."""
    with match.averages.applied():
        fake = match.game.sample(JUDGED, generator=torch.Generator().manual_seed(1)).flatten(1)  # type: ignore[operator]
    if not bool(fake.isfinite().all()):
        return {"distance": None}
    size = min(JUDGED, len(match.stage.data.examples))  # type: ignore[attr-defined]
    real = match.stage.data.read(0, size).image.flatten(1)
    width = sliced_wasserstein(real, real.mean(0, keepdim=True))
    ended: dict[str, Any] = {"distance": round(sliced_wasserstein(real, fake) / width, 3)}
    toy = getattr(match.stage.data.examples, "toy", None)  # type: ignore[attr-defined]
    if toy is not None and toy.centers is not None:
        ended["modes"] = f"{modes(fake, toy.centers, toy.std).count:.0f}/{len(toy.centers)}"
    return ended


if __name__ == "__main__":
    entry(main)
