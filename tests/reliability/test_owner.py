"""One run, one owner: of many processes exactly one may write a folder, and readers never see half of a file."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from pathlib import Path
from unittest import mock

import pytest
import torch
from trials import TINY, Child, Nursery, pictures

import saddlepoint
from saddlepoint import model
from saddlepoint.errors import LockedError
from saddlepoint.pictures.log import read_log
from saddlepoint.run import Run

PROCESSES, ROUNDS, WRITES = 8, 20, 100


def own(folder: str, start_at: float) -> None:
    """Owns a run until it is killed, from a moment that all processes wait for."""
    time.sleep(max(0.0, start_at - time.monotonic()))
    with Run(Path(folder)).owned():
        print("owner", flush=True)
        time.sleep(60)


def settle(children: list[Child]) -> tuple[list[Child], list[Child]]:
    """Owners and losers, when every child is one of them."""
    end = time.monotonic() + 20
    while True:
        owners = [child for child in children if "owner" in child.said()]
        losers = [child for child in children if "fix:" in child.said()]
        if len(owners) + len(losers) == len(children):
            return owners, losers
        assert time.monotonic() < end, [child.said() for child in children]
        time.sleep(0.005)


def test_of_eight_processes_one_owns_a_run(nursery: Nursery, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for _ in range(ROUNDS):
        start = time.monotonic() + 0.15
        children = [nursery.start(own, folder=str(folder), start_at=start) for _ in range(PROCESSES)]
        owners, losers = settle(children)
        assert len(owners) == 1
        for loser in losers:
            assert loser.wait() == LockedError.exit_code == 73
        # The next round finds the lock of a killed owner.
        owners[0].signal(signal.SIGKILL)
        assert owners[0].wait() == -signal.SIGKILL


def test_a_loser_is_told_at_once_who_the_owner_is(nursery: Nursery, tmp_path: Path) -> None:
    owner = nursery.start(own, folder=str(tmp_path / "run"), start_at=0.0)
    settle([owner])
    began = time.monotonic()
    with pytest.raises(LockedError) as caught, Run(tmp_path / "run").owned():
        pytest.fail("two owners")
    assert time.monotonic() - began < 2
    since = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    who = f"pid {owner.pid} on host {re.escape(socket.gethostname())} since {since}"
    assert re.fullmatch(f"{tmp_path}/run is in use by {who}", caught.value.what)
    assert caught.value.fix == "stop it, or choose another --name"

    owner.signal(signal.SIGKILL)
    owner.wait()
    with Run(tmp_path / "run").owned():
        assert f"pid {os.getpid()} " in (tmp_path / "run" / ".lock").read_text()


def test_the_lock_ends_with_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), Run(tmp_path).owned():
            raise ZeroDivisionError


def train(out: str) -> None:
    """Trains a run of a given name."""
    with mock.patch("saddlepoint.pictures.portfolio.update"):
        saddlepoint.train(TINY, pictures(32), warm=2, steps=60, threads=1, device="cpu", name="run", out=out)


def test_eight_trainings_of_one_name_make_one_run(nursery: Nursery, tmp_path: Path) -> None:
    children = [nursery.start(train, out=str(tmp_path)) for _ in range(PROCESSES)]
    codes = sorted(child.wait(120) for child in children)
    assert codes == [0] + [73] * (PROCESSES - 1), [child.said() for child in children]
    run = Run(tmp_path / "run")
    assert run.facts()["status"] == "done"
    steps = [record["step"] for record in read_log(run.folder / "log.jsonl") if "values" in record]
    assert len(steps) == len(set(steps))


def rewrite(folder: str) -> None:
    """Rewrites a run's facts and its model again and again, each time with another number everywhere."""
    run = Run(Path(folder))
    for number in range(1, WRITES + 1):
        run.note(number=number, filling=[number] * 2000)
        model.save(run.model, {"weight": torch.full((200, 50), float(number))}, config(number))


def config(number: int) -> dict[str, object]:
    """What `model.save` is told, with `number` as the step."""
    data = {"name": "noise", "count": 4, "height": 16, "width": 16, "channels": 1, "classes": []}
    return {"recipe": "gan", "options": {}, "stage": "main", "step": number, "version": "0", "data": data}


def test_readers_see_the_old_file_or_the_new_one(nursery: Nursery, tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.note(number=0, filling=[0] * 2000)
    model.save(run.model, {"weight": torch.zeros(200, 50)}, config(0))
    child, reads, seen = nursery.start(rewrite, folder=str(tmp_path)), 0, set()
    while reads < 1000 or max(seen) < WRITES:
        facts = run.facts()
        assert facts["filling"] == [facts["number"]] * 2000
        tensors, found = model.read(run.model / "model.safetensors")
        assert bool((tensors["weight"] == found["step"]).all())
        assert json.loads((run.model / "config.json").read_bytes())["digest"]
        reads += 1
        seen.add(facts["number"])
        assert reads < 100_000, child.said()
    assert child.wait() == 0
    assert len(seen) > 10, "the writer was not read while it wrote"
