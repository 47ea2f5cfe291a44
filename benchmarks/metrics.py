"""What a score costs: the Fréchet distance beside scipy's matrix root, precision and recall beside the authors' `prdc`.

Both get the same features, rectified and correlated as those of a network are for the first, normal for the second.
Each measurement is a process of its own that may use so many cores and no more; the two sides take turns, and figures
are of medians. Memory is the peak above what the process held with the features loaded and everything imported.

    python benchmarks/metrics.py            about ten minutes on two cores
    python benchmarks/metrics.py --count 1500 --wide 300 --narrow 128 --rounds 1        to see that it works
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

K = 5
SCORES = ("precision", "recall", "density", "coverage")
Measured = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="samples in either set")
    parser.add_argument("--wide", type=int, default=2048, help="dimension of the features for the Fréchet distance")
    parser.add_argument("--narrow", type=int, default=1024, help="dimension of the features for precision and recall")
    parser.add_argument("--cores", type=int, default=2, help="largest number of cores; one is always measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--side", choices=sorted(SIDES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measure(SIDES[given.side], given)))
        return
    from evidence import publish

    cores = sorted({1, given.cores}, reverse=True)
    figures = {"count": given.count, "cores": cores, "frechet": {}, "precision_recall": {}}
    for number in cores:
        of_frechet, of_precision = compare_frechet(given, number), compare_precision(given, number)
        if number == cores[0]:
            figures["frechet"], figures["precision_recall"] = of_frechet, of_precision
        else:
            figures["frechet"]["one_core"], figures["precision_recall"]["one_core"] = of_frechet, of_precision
    publish("metrics", figures, seed=given.seed, as_json=given.json)


def compare_frechet(given: argparse.Namespace, cores: int) -> dict[str, Any]:
    theirs, ours = rounds(given, cores, "scipy", "frechet")
    value, expected = ours[0]["value"], theirs[0]["value"]
    return {**times(theirs, ours), "relative_error": abs(value / expected - 1), "dimension": given.wide}


def compare_precision(given: argparse.Namespace, cores: int) -> dict[str, Any]:
    theirs, ours = rounds(given, cores, "prdc", "precision")
    memory = [statistics.median(each["megabytes"] for each in side) for side in (theirs, ours)]
    return {
        **times(theirs, ours),
        "memory_ratio": round(memory[1] / memory[0], 3),
        "their_megabytes": round(memory[0]),
        "megabytes": round(memory[1]),
        "max_error": max(abs(ours[0]["value"][name] - theirs[0]["value"][name]) for name in SCORES),
        "dimension": given.narrow,
    }


def times(theirs: list[Measured], ours: list[Measured]) -> dict[str, float]:
    seconds = [statistics.median(each["seconds"] for each in side) for side in (theirs, ours)]
    return {
        "time_ratio": round(seconds[1] / seconds[0], 3),
        "their_seconds": round(seconds[0], 2),
        "seconds": round(seconds[1], 2),
    }


def rounds(given: argparse.Namespace, cores: int, *sides: str) -> list[list[Measured]]:
    """Measurements of the sides in turn, each in a process that is held to so many cores."""
    environment = {**os.environ, **{f"{name}_NUM_THREADS": str(cores) for name in ("OMP", "MKL", "OPENBLAS")}}
    sizes = [f"--{name}={getattr(given, name)}" for name in ("count", "wide", "narrow", "cores", "seed")]
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    measured: list[list[Measured]] = [[] for _ in sides]
    for _ in range(given.rounds):
        for side, found in zip(sides, measured, strict=True):
            done = subprocess.run(
                [sys.executable, __file__, *sizes, "--side", side],
                env=environment, check=True, capture_output=True, text=True,
                preexec_fn=lambda: os.sched_setaffinity(0, allowed),
            )  # fmt: skip
            found.append(json.loads(done.stdout.splitlines()[-1]))
    return measured


def measure(side: Callable[[argparse.Namespace, int], Callable[[], Any]], given: argparse.Namespace) -> Measured:
    """One call, after one with fewer samples that imports and warms up whatever there is."""
    with contextlib.redirect_stdout(io.StringIO()):
        side(given, given.wide + 64)()  # fewer would be singular, and take another way
        call = side(given, given.count)
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # resets the high-water mark
        rest, began = _status("VmRSS"), time.perf_counter()
        value = call()
        seconds, peak = time.perf_counter() - began, _status("VmHWM")
    return {"seconds": seconds, "megabytes": (peak - rest) / 1e3, "value": value}


def _status(name: str) -> int:
    """A figure of this process in kB."""
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1])


def ours_frechet(given: argparse.Namespace, count: int) -> Callable[[], float]:
    from saddlepoint.metrics.frechet import Statistics, frechet_distance

    real, fake = wide_features(given, count)
    return lambda: frechet_distance(Statistics.of(real), Statistics.of(fake)).distance


def scipy_frechet(given: argparse.Namespace, count: int) -> Callable[[], float]:
    """As the authors of FID do it: numpy's covariances, scipy's root of their product."""
    import numpy as np
    from scipy.linalg import sqrtm

    real, fake = (each.numpy() for each in wide_features(given, count))

    def distance() -> float:
        means = [each.mean(0, dtype=np.float64) for each in (real, fake)]
        first, second = (np.cov(each, rowvar=False) for each in (real, fake))
        root = sqrtm(first @ second).real
        return float(((means[0] - means[1]) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * np.trace(root))

    return distance


def ours_precision(given: argparse.Namespace, count: int) -> Callable[[], dict[str, float]]:
    from saddlepoint.metrics.precision import precision_recall

    real, fake = narrow_features(given, count)

    def scores() -> dict[str, float]:
        found = precision_recall(real, fake, k=K)
        return {name: getattr(found, name) for name in SCORES}

    return scores


def prdc_precision(given: argparse.Namespace, count: int) -> Callable[[], dict[str, float]]:
    from prdc import compute_prdc

    real, fake = (each.numpy() for each in narrow_features(given, count))
    return lambda: {name: float(value) for name, value in compute_prdc(real, fake, nearest_k=K).items()}


def wide_features(given: argparse.Namespace, count: int) -> tuple[Any, Any]:
    import torch

    generator = torch.Generator().manual_seed(given.seed)
    dimension = given.wide if count == given.count else 8  # a few samples in many dimensions would warm up for long
    mixing = torch.eye(dimension) + 0.5 * torch.randn(dimension, dimension, generator=generator) / dimension**0.5
    real, fake = (torch.randn(count, dimension, generator=generator) @ mixing for _ in range(2))
    return (real + 0.5).relu(), (1.1 * fake + 0.4).relu()


def narrow_features(given: argparse.Namespace, count: int) -> tuple[Any, Any]:
    import torch

    generator = torch.Generator().manual_seed(given.seed)
    return torch.randn(count, given.narrow, generator=generator), torch.randn(count, given.narrow, generator=generator)


SIDES = {"frechet": ours_frechet, "scipy": scipy_frechet, "precision": ours_precision, "prdc": prdc_precision}

if __name__ == "__main__":
    main()
