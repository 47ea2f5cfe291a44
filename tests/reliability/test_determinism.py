"""The same run twice gives the same bits, wherever it runs and however its data are read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from trials import HERE, Nursery, Outcome, fingerprint, pictures, play

from saddlepoint.data.source import Source
from saddlepoint.match import Match
from saddlepoint.plan import Plan
from saddlepoint.recipe import find

SHORT = {"warm": 4, "steps": 16, "every": 7}
SCRIPT = "import json, sys; from trials import play; play(**json.loads(sys.argv[1]))"
PLACES = [
    {"LANG": "C", "TZ": "UTC", "PYTHONHASHSEED": "0"},
    {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "4211"},
]


def test_the_same_run_in_two_places_is_the_same(tmp_path: Path) -> None:
    processes, folders = [], []
    for number, place in enumerate(PLACES):
        here = tmp_path / f"place {number}"
        here.mkdir()
        # A relative folder: the run must not depend on where it is.
        order = json.dumps({**SHORT, "folder": "run"})
        environment = {**os.environ, **place, "PYTHONPATH": str(HERE)}
        command = [sys.executable, "-W", "error", "-c", SCRIPT, order]
        processes.append(subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, text=True))
        folders.append(here / "run")
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    first, second = map(Outcome.of, folders)
    assert first.differing(second) == 0
    assert len(first.losses) == 20


def test_the_number_of_workers_does_not_matter(nursery: Nursery, tmp_path: Path) -> None:
    outcomes = []
    for workers in (0, 1, 2, 4):
        folder = tmp_path / str(workers)
        nursery.run(play, folder=str(folder), workers=workers, **SHORT)
        outcomes.append(Outcome.of(folder))
    assert [outcome.differing(outcomes[0]) for outcome in outcomes] == [0, 0, 0, 0]


def test_a_run_resumed_with_other_workers_is_the_same(nursery: Nursery, tmp_path: Path) -> None:
    nursery.run(play, folder=str(tmp_path / "whole"), **SHORT)
    nursery.run(play, folder=str(tmp_path / "run"), workers=2, **SHORT)
    for step in ("step-000020", "step-000018"):  # as if it had been killed after step 11
        shutil.rmtree(tmp_path / "run" / "checkpoints" / step)
    nursery.run(play, folder=str(tmp_path / "run"), workers=4, **SHORT)
    assert Outcome.of(tmp_path / "run").differing(Outcome.of(tmp_path / "whole")) == 0


def epochs(source: Source) -> str:
    """A hash of the first three epochs' batches."""
    stream = source.images(size=16, channels=1).stream(24)
    digest = hashlib.sha256()
    for start in range(0, 3 * 256, 24):
        digest.update(stream.read(start, 24).image.numpy().tobytes())
    return digest.hexdigest()


def test_batches_are_the_same_for_every_number_of_workers(tmp_path: Path) -> None:
    found = {
        workers: epochs(Source(pictures(), seed=5, flip=True, workers=workers, cache=tmp_path / str(workers)))
        for workers in (0, 1, 2, 4)
    }
    assert len(set(found.values())) == 1, found
    assert epochs(Source(pictures(), seed=6, flip=True, cache=tmp_path / "other")) not in found.values()


def test_the_order_in_which_files_were_made_does_not_matter(tmp_path: Path) -> None:
    hashes = []
    for name, step in (("forwards", 1), ("backwards", -1)):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(256)[::step]:
            Image.fromarray(pictures()[number, ..., 0]).save(folder / f"{number:03}.png")
        hashes.append(epochs(Source(folder, seed=5, cache=tmp_path / f"cache of {name}")))
    assert hashes[0] == hashes[1]


def weights(seed: int) -> str:
    """A hash of the first weights of the small game."""
    chosen, plan = find(str(HERE / "tiny.py")), Plan(device="cpu", seed=seed, threads=1)
    torch.manual_seed(seed)
    source = Source(pictures(32), seed=seed, cache=Path(os.devnull))
    return fingerprint(Match(next(chosen.stages(chosen.configure(), source)), plan))


def test_another_seed_is_another_run() -> None:
    assert weights(1) == weights(1) != weights(2)


def test_what_an_observer_draws_does_not_matter(nursery: Nursery, tmp_path: Path) -> None:
    nursery.run(play, folder=str(tmp_path / "quiet"), **SHORT)
    nursery.run(play_noisily, folder=str(tmp_path / "noisy"))
    assert Outcome.of(tmp_path / "noisy").differing(Outcome.of(tmp_path / "quiet")) == 0


def play_noisily(folder: str) -> None:
    """Plays a run beside which torch's generator is used for something else at every look."""
    import trials

    append = trials.Log.__call__

    def append_and_draw(log: trials.Log, moment: object) -> None:
        torch.rand(7)
        np.random.default_rng().random()
        append(log, moment)

    trials.Log.__call__ = append_and_draw
    trials.play(folder, **SHORT)
