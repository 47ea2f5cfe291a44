"""Kills a training again and again, resumes it, and counts the bits that differ from a run that nobody disturbed.

    python benchmarks/kills.py --kills 40 --json

Two ways of dying. At random: the process is killed by SIGKILL, a quarter of the times while it starts, else while it
trains and saves every seven steps. Injected: a short run of two stages dies at one touch of the disk after another, by
SIGKILL in the middle of a write, or by a simulated power cut that also takes what was not flushed. Compared are every
loss to its last bit and a SHA-256 over all weights, averages, optimizers and positions.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "reliability"))

from evidence import entry, publish
from faults import FATAL, play_and_count, play_and_die
from trials import LENGTH, SAVE_EVERY, Nursery, Outcome, last_step, play

SHORT = {"warm": 4, "steps": 8, "every": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="kills at random moments (default: 40)")
    parser.add_argument("--points", type=int, default=40, help="injected deaths of each kind (default: 40; 0: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch, Nursery(Path(scratch)) as nursery:
        at_random = kill_at_random(nursery, Path(scratch), arguments.kills, dice)
        injected = kill_everywhere(nursery, Path(scratch), arguments.points, dice)
    differing = at_random.pop("differing") + injected.pop("differing")
    figures = {**at_random, **injected, "differing_bits": differing}
    publish("kills", {"figures": figures}, seed=arguments.seed, as_json=arguments.json)
    sys.exit(bool(differing))


def kill_at_random(nursery: Nursery, scratch: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """Kills one run at random moments spread over its whole length."""
    whole, folder = scratch / "whole", scratch / "killed"
    nursery.run(play, folder=str(whole), every=LENGTH)
    targets = sorted(dice.choices(range(LENGTH - 2 * SAVE_EVERY), k=kills))
    in_a_save = starting = 0
    for number, target in enumerate(targets):
        child = nursery.start(play, folder=str(folder))
        if number % 4:
            while last_step(folder) < target:
                time.sleep(0.002)
            time.sleep(dice.uniform(0.0, 0.1))
        else:
            time.sleep(dice.uniform(0.0, 0.15))
            starting += 1
        child.signal(signal.SIGKILL)
        code = child.wait()
        assert code == -signal.SIGKILL, child.said()
        in_a_save += any((folder / "checkpoints").glob(".saving-*"))
        note(f"kill {number + 1} of {kills}: step {last_step(folder)}")
    nursery.run(play, folder=str(folder))
    differing = Outcome.of(folder).differing(Outcome.of(whole))
    return {"kills": kills, "kills_in_a_save": in_a_save, "kills_while_starting": starting, "differing": differing}


def kill_everywhere(nursery: Nursery, scratch: Path, points: int, dice: random.Random) -> dict[str, Any]:
    """Lets short runs die at chosen touches of the disk, one run for each."""
    nursery.run(play_and_count, report=str(scratch / "count"), folder=str(scratch / "short"), **SHORT)
    whole, touches = Outcome.of(scratch / "short"), int((scratch / "count").read_text())
    deaths = differing = 0
    for fault in FATAL:
        chosen = dice.sample(range(1, touches + 1), min(points or touches, touches))
        for at in chosen:
            folder = scratch / f"{fault} {at}"
            child = nursery.start(play_and_die, fault=fault, at=at, folder=str(folder), **SHORT)
            code = child.wait()
            assert code == -signal.SIGKILL, child.said()
            nursery.run(play, folder=str(folder), **SHORT)
            found = Outcome.of(folder)
            # A power cut may take lines of the log that were not flushed, and nothing else.
            kept = found.losses.keys() if fault == "power cut" else whole.losses.keys()
            differing += found.differing(Outcome(whole.hash, {step: whole.losses[step] for step in kept}))
            deaths += 1
            note(f"{fault} at touch {at} of {touches}: {differing} differing")
    return {"injected": deaths, "touches_of_the_disk": touches, "differing": differing}


def note(text: str) -> None:
    """Progress, for a person who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    entry(main)
