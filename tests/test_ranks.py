"""Two processes play as two micro-batches of one process would."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from saddlepoint import ranks
from saddlepoint.errors import UsageError
from saddlepoint.plan import Plan

from .toys.playing import difference, first, played
from .toys.rank import BATCH, STEPS
from .toys.shelf import TOYS

ROOT = Path(__file__).parent.parent
TOGETHER = [name for name, toy in TOYS.items() if not toy.private]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes left that played everything."""
    folder = tmp_path_factory.mktemp("ranks")
    port = str(free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.toys.rank", str(folder)],
            cwd=ROOT,
            env={
                **os.environ,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
                "OMP_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    return folder


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.usefixtures("double")
def test_two_processes_equal_two_micro_batches(name: str, folder: Path) -> None:
    plan = Plan(device="cpu", threads=1, accumulate=2)
    expected = played(TOYS[name], plan, steps=STEPS, batch=BATCH)
    for rank in range(2):
        assert difference(load_file(folder / f"{name}.rank-{rank}"), expected) <= 1e-12


def test_two_processes_resume_each_with_its_own_pool(folder: Path) -> None:
    whole = [load_file(folder / f"whole.rank-{rank}") for rank in range(2)]
    cut = [load_file(folder / f"cut.rank-{rank}") for rank in range(2)]
    for rank in range(2):
        assert difference(whole[rank], cut[rank]) == 0
    differing = {name for name in whole[0] if not torch.equal(whole[0][name], whole[1][name])}
    assert differing == {"pool.items", "generator.1.running_mean", "generator.1.running_var"}


@pytest.mark.parametrize(
    ("name", "whose"), [("loss", "discriminator loss or gradient"), ("buffer", "weight pool.items")]
)
def test_what_goes_bad_on_one_process_rolls_back_both(name: str, whose: str, folder: Path) -> None:
    events = [(folder / f"{name}.events-{rank}").read_text().splitlines() for rank in range(2)]
    assert [len(lines) for lines in events] == [1, 1]
    assert f": {whose} not finite; back to 2" in events[0][0]
    one, other = (load_file(folder / f"{name}.rank-{rank}") for rank in range(2))
    assert difference(one, other) == 0


def test_alone_nothing_is_shared() -> None:
    tensor = torch.ones(2)
    ranks.average([tensor])
    ranks.join("cpu")
    ranks.meet()
    assert (ranks.rank(), ranks.world(), tensor.tolist()) == (0, 1, [1.0, 1.0])
    assert ranks.gather("x") == ["x"]
    assert ranks.share("x") == "x"
    assert ranks.any_of(True)
    assert not ranks.any_of(False)


def test_a_batch_must_divide_by_processes_and_micro_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "world", lambda: 3)
    monkeypatch.setattr(ranks, "agree_on", lambda game: None)
    with pytest.raises(UsageError, match="batch 8 does not divide by 3 processes x 1 micro-batches") as caught:
        first("vanilla")
    assert caught.value.fix == "--batch 6"
