"""A run that is asked to stop saves, leaves with its own exit code, and goes on later as if it never had stopped."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from PIL import Image
from trials import TINY, Nursery, last_step, pictures

import saddlepoint
from saddlepoint.checkpoint import Store, read
from saddlepoint.errors import Stopped
from saddlepoint.run import Run

EVERY, WARM, STEPS = 6, 4, 20

# Where a signal strikes: a function that this phase calls, at which of its calls, and the step of the checkpoint that
# must then be the newest. A signal is asked for after each round, so one between two rounds stops after the next.
PHASES: dict[str, tuple[str, int, int | None]] = {
    "data scan": ("PIL.Image.open", 5, None),
    "first step": ("saddlepoint.loop._move", 1, 1),
    "train step": ("saddlepoint.loop._move", 21, 11),
    "save": ("saddlepoint.checkpoint._manifest", 4, 11),
    "snapshot": ("saddlepoint.pictures.grid.save", 4, 11),
    "pictures": ("saddlepoint.pictures.portfolio.update", 2, 11),
    "model": ("saddlepoint.model.save", 4, 11),
}
TERM, INT = signal.SIGTERM, signal.SIGINT
CASES = [*((phase, TERM) for phase in PHASES), ("train step", INT), ("save", INT)]


@contextlib.contextmanager
def striking(target: str, number: int, act: Callable[[], None]) -> Iterator[None]:
    """Inside, `act` is called just before the `number`-th call of the function `target`."""
    module, _, name = target.rpartition(".")
    original, calls = getattr(importlib.import_module(module), name), 0

    def struck(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            act()
        return original(*args, **kwargs)

    with mock.patch(target, struck):
        yield


def send(kind: int) -> None:
    """Sends this process a signal, and says when."""
    print("sent at", time.monotonic(), flush=True)
    os.kill(os.getpid(), kind)


def train(out: str, data: str, signals: list[tuple[str, int, int]], draw: bool = False) -> None:
    """Trains a run that sends itself a signal at each of some calls: (function, which call, signal)."""
    os.environ["SADDLEPOINT_CACHE"] = f"{out}/cache"
    with contextlib.ExitStack() as stack:
        if not draw:
            stack.enter_context(mock.patch("saddlepoint.pictures.portfolio.update"))
        for target, number, kind in signals:
            stack.enter_context(striking(target, number, partial(send, kind)))
        saddlepoint.train(
            TINY, data, warm=WARM, steps=STEPS, threads=1, device="cpu", seed=3, name="run", out=out,
            checkpoint_every=EVERY, sample_every=EVERY,
        )  # fmt: skip


def resume(out: str) -> None:
    """Goes on with that run."""
    os.environ["SADDLEPOINT_CACHE"] = f"{out}/cache"
    with mock.patch("saddlepoint.pictures.portfolio.update"):
        saddlepoint.resume("run", out=out, recipe_file=TINY)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 32 pictures."""
    folder = tmp_path_factory.mktemp("data")
    for number, pixels in enumerate(pictures(32)):
        Image.fromarray(pixels[..., 0]).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def whole(nursery: Nursery, data: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the last checkpoint of an undisturbed run says of itself: every hash of its files."""
    out = tmp_path_factory.mktemp("whole")
    nursery.run(train, out=str(out), data=str(data), signals=[])
    return final(out)


def final(out: Path) -> bytes:
    folder = list(Store(out / "run" / "checkpoints").steps().values())[-1]
    assert folder.name == f"step-{WARM + STEPS:06d}"
    return (folder / "manifest.json").read_bytes()


@pytest.mark.parametrize(("phase", "kind"), CASES, ids=lambda value: getattr(value, "name", value))
def test_a_signal_in_any_phase_saves_and_leaves(
    nursery: Nursery, data: Path, whole: bytes, tmp_path: Path, phase: str, kind: signal.Signals
) -> None:
    target, number, step = PHASES[phase]
    child = nursery.start(
        train, out=str(tmp_path), data=str(data), signals=[(target, number, kind)], draw=phase == "pictures"
    )
    assert child.wait() == Stopped.exit_code == 75, child.said()
    assert time.monotonic() - float(child.said().split()[2]) < 10
    run = Run(tmp_path / "run")
    steps = run.checkpoints.steps()
    assert max(steps, default=None) == step
    if step is not None:
        assert read(steps[step]).step == step
        assert f"stopped at step {step}; everything is saved" in child.said()
        assert "fix: saddle resume run" in child.said()
    facts = run.facts()
    assert (facts["status"], facts["step"]) == ("stopped", step or 0)

    nursery.run(resume, out=str(tmp_path))
    assert final(tmp_path) == whole
    assert run.facts()["status"] == "done"


@pytest.mark.parametrize("kind", [TERM, INT], ids=lambda kind: kind.name)
def test_a_second_signal_during_the_save_leaves_at_once(
    nursery: Nursery, data: Path, whole: bytes, tmp_path: Path, kind: signal.Signals
) -> None:
    # The checkpoints of steps 0, 4, 4 and 10 and run.json are written before; the stop is asked for in step 11.
    signals = [("saddlepoint.loop._move", 21, kind), ("saddlepoint.checkpoint._manifest", 5, kind)]
    child = nursery.start(train, out=str(tmp_path), data=str(data), signals=signals)
    assert child.wait() == Stopped.exit_code, child.said()
    store = Store(tmp_path / "run" / "checkpoints")
    assert (store.folder / ".saving-000011").is_dir(), "the second signal came outside of the save"
    assert store.newest().step == 10
    assert store.newest().skipped == []

    nursery.run(resume, out=str(tmp_path))
    assert final(tmp_path) == whole
    assert not list(store.folder.glob(".*"))


def test_a_second_signal_leaves_within_two_seconds(nursery: Nursery, data: Path, tmp_path: Path) -> None:
    child = nursery.start(train_slowly, out=str(tmp_path), data=str(data))
    deadline = time.monotonic() + 30
    while "saving" not in child.said():
        assert time.monotonic() < deadline, child.said()
        time.sleep(0.01)
    began = time.monotonic()
    child.signal(signal.SIGTERM)
    assert child.wait() == Stopped.exit_code
    assert time.monotonic() - began < 2
    assert Store(tmp_path / "run" / "checkpoints").newest().step == 10


def train_slowly(out: str, data: str) -> None:
    """Trains a run that stops in step 11 and then never gets its save done."""

    def hang() -> None:
        print("saving", flush=True)
        time.sleep(60)

    with striking("saddlepoint.checkpoint._manifest", 5, hang):
        train(out, data, [("saddlepoint.loop._move", 21, signal.SIGINT)])


def test_a_signal_that_cannot_save_is_an_error(nursery: Nursery, data: Path, tmp_path: Path) -> None:
    child = nursery.start(train_without_room, out=str(tmp_path), data=str(data))
    assert child.wait() == 74, child.said()
    assert "everything is saved" not in child.said()
    assert "save at step 11 failed" in child.said()
    assert Run(tmp_path / "run").facts()["status"] == "failed"


def train_without_room(out: str, data: str) -> None:
    """Trains a run that is stopped in step 11 while the disk is full."""

    def refuse() -> None:
        raise OSError(28, "No space left on device")

    with striking("saddlepoint.checkpoint._manifest", 5, refuse):
        train(out, data, [("saddlepoint.loop._move", 21, signal.SIGTERM)])


def test_the_command_stops_with_the_exit_code_of_a_resumable_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    saddle = [sys.executable, "-m", "saddlepoint.cli"]
    place = ["--out", str(tmp_path), "--threads", "1", "--device", "cpu"]
    train = [*saddle, "train", "gan", str(data), "--size", "16", "--batch", "16", "--hidden", "16", "--steps", "100000"]
    with subprocess.Popen([*train, "--name", "run", *place], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while last_step(tmp_path / "run") < 10:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 75, errors
    assert "error[stopped]: stopped at step" in errors
    assert "Traceback" not in errors
    facts = json.loads((tmp_path / "run" / "run.json").read_bytes())
    assert facts["status"] == "stopped"
    assert max(Store(tmp_path / "run" / "checkpoints").steps()) == facts["step"] >= 10
