"""Plays the Dirac-GAN with every objective and every penalty, and compares its growth per step with the exact one.

    python benchmarks/dirac.py --json

For each objective and penalty: `exact` and `measured`, the growth of the slowest part of a distance from rest per step
when both players move at once, and the same `in_turn`, as the training loop plays; `rests_at`, the place of the fakes
where nothing moves any more (the data are at 0); `left`, how far from the data the fakes still get in the last quarter
of 400 steps from (1, 1); and whether that is `converged`, less than 0.01.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from evidence import entry, publish

from tests.toys.dirac import (
    BOUND,
    GAMMA,
    OBJECTIVES,
    PENALTIES,
    RATE,
    SIGMA,
    WEIGHT,
    Dirac,
    Objective,
    Penalty,
    at_once,
    distance,
    exact,
    fitted,
    growth,
    in_turn,
    near_rest,
)

STEPS, LONG = 5, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    started = time.process_time()
    table = {
        objective: {penalty: compare(OBJECTIVES[objective], PENALTIES[penalty]) for penalty in PENALTIES}
        for objective in OBJECTIVES
    }
    cells = [cell for row in table.values() for cell in row.values()]
    pairs = [pair for cell in cells for pair in (cell, cell["in_turn"])]
    figures = {
        "setting": {"rate": RATE, "gamma": GAMMA, "lambda": WEIGHT, "sigma": SIGMA, "clip": BOUND},
        "largest_error": max(abs(pair["exact"] - pair["measured"]) for pair in pairs),
        "cpu_seconds": round(time.process_time() - started, 1),
        **table,
    }
    publish("dirac", figures, seed=0, as_json=arguments.json)


def compare(objective: Objective, penalty: Penalty) -> dict[str, Any]:
    """One cell of the table."""
    left = distance(at_once(Dirac(objective, penalty, (1.0, 1.0)), LONG))
    return {
        **both(objective, penalty, alternating=False),
        "in_turn": both(objective, penalty, alternating=True),
        "rests_at": penalty.rest(objective),
        "left": left,
        "converged": left < 0.01,
    }


def both(objective: Objective, penalty: Penalty, *, alternating: bool) -> dict[str, float]:
    """The growth per step by hand, and on a path."""
    matrix, _ = fitted((in_turn if alternating else at_once)(near_rest(objective, penalty), STEPS))
    return {"exact": growth(exact(objective, penalty, alternating=alternating)), "measured": growth(matrix)}


if __name__ == "__main__":
    entry(main)
