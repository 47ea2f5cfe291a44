"""Runs that can be killed: a small training in a process of its own, and what to compare afterwards.

Importing torch takes seconds and some tests need hundreds of processes. So one process, the nursery, imports everything
once, stays single-threaded, and forks a child for each order that it reads on its standard input.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saddlepoint import recipe
from saddlepoint.data.policy import Policy
from saddlepoint.data.source import Source
from saddlepoint.errors import SaddleError
from saddlepoint.match import Match
from saddlepoint.observers import Log, Observer
from saddlepoint.plan import Plan
from saddlepoint.run import Run
from saddlepoint.session import ModelFolder, Session

HERE = Path(__file__).parent
TINY = str(HERE / "tiny.py")
SAVE_EVERY = 7
LENGTH = 600  # steps of both stages


def pictures(count: int = 256, side: int = 16) -> np.ndarray:
    """Gray noise, uint8 (count, side, side, 1), always the same."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 1), dtype=np.uint8)


class Quick(Session):
    """A session that logs every step and draws nothing."""

    def _observers(self, match: Match) -> list[Observer]:
        return [Log(self.run, every=1), ModelFolder(self, self.checkpoint_every)]


def play(folder: str, *, warm: int = 150, steps: int = 450, every: int = SAVE_EVERY, workers: int = 0) -> None:
    """Begins the run in `folder`, or goes on with it, plays it to its end, and leaves the hash of its state there."""
    chosen = recipe.find(TINY)
    run, plan = Run(Path(folder)), Plan(device="cpu", seed=11, threads=1)
    plan.prepare()
    torch.use_deterministic_algorithms(True)
    source = Source(pictures(), seed=plan.seed, flip=True, workers=workers, cache=run.folder / "cache")
    session = Quick(run, chosen, chosen.configure(warm=warm, steps=steps), plan, source, every, every)
    with run.owned():
        known = (run.folder / "run.json").exists()
        if not known:
            session.begin(source={"spec": None, "flip": True, "policy": asdict(Policy())})
        match = session.play(resume=known)
    (run.folder / "hash").write_text(fingerprint(match))


def fingerprint(match: Match) -> str:
    """SHA-256 over every tensor and number that a checkpoint holds, in the order of their names."""
    tensors, facts = match.state()
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for stem in sorted(tensors):
        for name in sorted(tensors[stem]):
            tensor = tensors[stem][name].detach().contiguous()
            digest.update(f"{stem}/{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What a finished run must have in common with another of the same seed."""

    hash: str
    losses: dict[int, dict[str, str]]

    @classmethod
    def of(cls, folder: Path) -> Outcome:
        """Reads it from a run's folder, every loss to its last bit."""
        return cls((folder / "hash").read_text(), {step: exact(values) for step, values in logged(folder)})

    def differing(self, other: Outcome) -> int:
        """How many logged numbers are not the same, and one more for the hash of the state."""
        steps = self.losses.keys() | other.losses.keys()
        differing = int(self.hash != other.hash)
        for step in steps:
            mine, theirs = self.losses.get(step, {}), other.losses.get(step, {})
            differing += sum(mine.get(key) != theirs.get(key) for key in mine.keys() | theirs.keys())
        return differing


def logged(folder: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Step and values of every whole line of the log, in the order they were written."""
    for line in (folder / "log.jsonl").read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if "values" in record:
                yield record["step"], record["values"]


def last_step(folder: Path) -> int:
    """The step of the log's last whole line; 0 without one."""
    with contextlib.suppress(FileNotFoundError), open(folder / "log.jsonl", "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        for line in reversed(file.read().split(b"\n")[:-1]):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                return int(json.loads(line)["step"])
    return 0


def exact(values: dict[str, float]) -> dict[str, str]:
    """Numbers spelled to the last bit."""
    return {key: value.hex() for key, value in values.items()}


@dataclass(frozen=True)
class Child:
    """A process that the nursery forked."""

    nursery: Nursery
    pid: int
    errors: Path

    def signal(self, number: int) -> None:
        """Sends a signal; to a child that has ended, none."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, timeout: float = 60.0) -> int:
        """Its exit code; minus the signal that ended it."""
        end = time.monotonic() + timeout
        while (code := self.nursery.ask(do="poll", pid=self.pid)) is None:
            if time.monotonic() > end:
                self.signal(signal.SIGKILL)
                raise TimeoutError(f"still running after {timeout} s: {self.said()}")
            time.sleep(0.002)
        return int(code)

    def said(self) -> str:
        """What it wrote to standard output and standard error."""
        return self.errors.read_text()


class Nursery:
    """The process that forks children. Use it as a context manager."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.born = scratch, 0

    def __enter__(self) -> Nursery:
        command = [sys.executable, "-W", "error", str(HERE / "trials.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def ask(self, **order: Any) -> Any:
        """Sends an order and waits for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(self, job: Callable[..., None], **arguments: Any) -> Child:
        """Forks a child that calls `job`, a function of a file of this folder, with JSON values."""
        self.born += 1
        errors = self.scratch / f"child-{self.born}"
        errors.touch()
        name = [Path(job.__code__.co_filename).stem, job.__name__]
        return Child(self, self.ask(do="start", job=name, arguments=arguments, errors=str(errors)), errors)

    def run(self, job: Callable[..., None], **arguments: Any) -> Child:
        """Starts `job` and waits until it has ended well."""
        child = self.start(job, **arguments)
        code = child.wait(120.0)
        assert code == 0, f"exit code {code}: {child.said()}"
        return child


def serve() -> None:
    """The nursery's own loop: reads orders until its standard input ends."""
    alive: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        answer: int | None = None
        if order["do"] == "start":
            pid = os.fork()
            if pid == 0:
                grow(order)
            alive.add(pid)
            answer = pid
        else:
            pid, status = os.waitpid(order["pid"], os.WNOHANG)
            if pid:
                alive.discard(pid)
                answer = os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


def grow(order: dict[str, Any]) -> None:
    """A child's life: one job, then an exit code as the command would leave with."""
    code = 1
    try:
        nothing, errors = os.open(os.devnull, os.O_RDONLY), os.open(order["errors"], os.O_WRONLY)
        os.dup2(nothing, 0)
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        module, name = order["job"]
        getattr(importlib.import_module(module), name)(**order["arguments"])
        code = 0
    except SaddleError as error:
        os.write(2, f"{error}\n".encode())
        code = error.exit_code
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


if __name__ == "__main__":
    # Here once, not in every child: tests need the one, the first step of an optimizer the other.
    import pytest  # noqa: F401
    import torch._dynamo

    sys.modules["trials"] = sys.modules["__main__"]
    serve()
