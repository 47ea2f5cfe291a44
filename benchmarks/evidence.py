"""Turns what a benchmark measured into evidence: a JSON file with command, revision, hardware and date."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saddlepoint.evaluation.comparison import Score

RESULTS = Path(__file__).parent / "results"


ORIGIN = ("command", "seed", "revision", "hardware", "date")
"""What `publish` writes beside the figures, anew each time."""


def entry(main: Callable[[], None]) -> None:
    """Runs a benchmark; what the library refuses is said as `saddle` says it, with the same exit code."""
    from saddlepoint.cli.failures import report
    from saddlepoint.errors import SaddleError

    try:
        main()
    except SaddleError as error:
        raise SystemExit(report(error, as_json="--json" in sys.argv)) from None


def held(name: str) -> dict[str, Any]:
    """The figures of `results/NAME.json`; none where there is no such file."""
    path = RESULTS / f"{name}.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    return {key: value for key, value in record.items() if key not in ORIGIN}


def publish(name: str, figures: dict[str, Any], *, seed: int, as_json: bool) -> None:
    """Writes `results/NAME.json` and prints it: one JSON object on standard output, or for a person what is new."""
    before = held(name)
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    source = {"command": command, "seed": seed, **origin()}
    record = {**source, **figures}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    # Many runs may share a file, and each would print all of them.
    new = {key: value for key, value in figures.items() if before.get(key) != value} or figures
    print(json.dumps(record) if as_json else json.dumps({**source, **new}, indent=1))


def origin() -> dict[str, str]:
    """What was measured, on what and when; of a row too, where one file holds rows of several machines."""
    return {"revision": revision(), "hardware": hardware(), "date": datetime.date.today().isoformat()}


def by_name(scores: Iterable[Score]) -> dict[str, dict[str, float | None]]:
    """Scores with the ends of their intervals; of one against several sets the first, which is the training data.

    Where real data say how to read a score, theirs stands there as `data`.
    """
    found: dict[str, dict[str, float | None]] = {}
    for score in scores:
        real = {} if score.data is None else {"data": score.data}
        found.setdefault(score.name, {"value": score.value, "low": score.low, "high": score.high, **real})
    return found


def figure(number: float) -> str:
    """A score as a reader wants it: three digits, or all of a large one."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def typed(recipe: str, data: str, settings: Mapping[str, Any]) -> str:
    """What a person types to train the same model."""
    flags = (f"--{name.replace('_', '-')} {value}" for name, value in settings.items())
    return " ".join(["saddle", "train", recipe, data, *flags])


def precision() -> str:
    """What the processor computes a network in fastest: bf16 where it has instructions for it, else fp32."""
    from saddlepoint.plan import Plan

    return Plan("cpu", precision="auto").resolve().precision


def revision() -> str:
    """The commit that was measured, marked when the source was changed since."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", here, *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = "+changes" if git("status", "--porcelain", "--", "../src") else ""
        return git("rev-parse", "--short", "HEAD") + changed
    except (subprocess.SubprocessError, OSError):
        return "unknown"


def hardware() -> str:
    """Processor, cores and the instructions that matter here; and the GPU, if there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor()
    import torch

    from saddlepoint.plan import capabilities

    notable = [flag for flag in ("avx512_bf16", "amx_bf16") if capabilities().get(flag)]
    gpu = f"; {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    cores = f"{len(os.sched_getaffinity(0))} cores ({', '.join(notable) or 'no bf16'})"
    return f"{model}, {cores}{gpu}; torch {torch.__version__}"
