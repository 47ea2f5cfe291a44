"""Whatever happens inside a save, the checkpoint before it, or the new one, stands whole."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from faults import FATAL, Disk, failure, play_and_count, play_on_a_full_disk
from torch import Tensor
from trials import Nursery, Outcome, play

from saddlepoint import checkpoint
from saddlepoint.checkpoint import Store, read
from saddlepoint.errors import DiskError

Group = dict[str, dict[str, Tensor]]


def state(step: int) -> tuple[Group, dict[str, Any]]:
    """What a checkpoint of `step` holds, small."""
    tensors = {
        stem: {"weight": torch.full((4, 3), float(step)), "mean": torch.arange(3.0)} for stem in ("game", "players")
    }
    return tensors, {"stage": "main", "step": step}


class Direct(Store):
    """What must not be done: writes a checkpoint where it will be looked for."""

    def save(self, step: int, tensors: Any, facts: Any) -> Path:
        final = self.folder / f"step-{step:06d}"
        final.mkdir(parents=True)
        files = {f"{stem}.safetensors": checkpoint.safetensors.torch.save(group) for stem, group in tensors.items()}
        files["state.json"] = b"{}"
        for name, content in files.items():
            checkpoint.write_durably(final / name, content)
        checkpoint.write_durably(final / checkpoint.MANIFEST, checkpoint._manifest(step, files))
        return final


class Hasty(Store):
    """What must not be done: renames before the disk has the files."""

    def save(self, step: int, tensors: Any, facts: Any) -> Path:
        def write(path: Path, content: bytes) -> None:
            with open(path, "wb") as file:
                file.write(content)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoint, "write_durably", write)
            return super().save(step, tensors, facts)


STORES: dict[str, type[Store]] = {store.__name__: store for store in (Store, Direct, Hasty)}


def save_and_die(store: str, folder: str, step: int, fault: str, at: int) -> None:
    """Saves `step` and dies at the `at`-th touch of the disk."""
    with Disk(at, FATAL[fault]).watched():
        STORES[store](Path(folder)).save(step, *state(step))


def touches(folder: Path, step: int, store: type[Store] = Store) -> list[str]:
    """The calls that one save makes."""
    with Disk().watched() as disk:
        store(folder).save(step, *state(step))
    return disk.calls


def check(folder: Path, possible: set[int]) -> None:
    """Every checkpoint that looks committed verifies, the newest is one of `possible`, and the next save works."""
    store = Store(folder)
    for path in store.steps().values():
        read(path)
    saved = store.newest()
    assert saved.step in possible
    assert saved.skipped == []
    tensors, facts = state(saved.step)
    assert saved.facts == facts
    assert all(
        torch.equal(saved.tensors[stem][name], tensors[stem][name]) for stem in tensors for name in tensors[stem]
    )
    store.sweep()
    assert [path.name for path in folder.iterdir() if not path.name.startswith("step-")] == []
    store.save(9, *state(9))
    assert store.newest().step == 9


def prepared(folder: Path) -> Path:
    """A store as it stands before a save that also has something to prune."""
    for step in (1, 2):
        Store(folder).save(step, *state(step))
    return folder


def die_everywhere(nursery: Nursery, base: Path, store: str, fault: str, step: int = 3) -> Iterator[Path]:
    """Folders of stores, each of which was saving when its process or machine died, at one touch after the other."""
    for at in range(1, len(touches(prepared(base / "count"), step, STORES[store])) + 1):
        folder = Path(shutil.copytree(base / "before", base / f"at-{at}"))
        child = nursery.start(save_and_die, store=store, folder=str(folder), step=step, fault=fault, at=at)
        assert child.wait() == -signal.SIGKILL, child.said()
        yield folder


@pytest.mark.parametrize("fault", FATAL)
def test_dying_at_any_point_of_a_save_loses_nothing(nursery: Nursery, tmp_path: Path, fault: str) -> None:
    prepared(tmp_path / "before")
    folders = list(die_everywhere(nursery, tmp_path, "Store", fault))
    assert len(folders) > 20
    for folder in folders:
        check(folder, {2, 3})


def test_dying_while_a_step_is_saved_again_leaves_a_checkpoint(nursery: Nursery, tmp_path: Path) -> None:
    prepared(tmp_path / "before")
    for folder in die_everywhere(nursery, tmp_path, "Store", "kill", step=2):
        check(folder, {1, 2})


@pytest.mark.parametrize(("store", "fault"), [("Direct", "kill"), ("Hasty", "power cut")])
def test_a_careless_store_fails_the_same_check(nursery: Nursery, tmp_path: Path, store: str, fault: str) -> None:
    prepared(tmp_path / "before")
    failed = 0
    for folder in die_everywhere(nursery, tmp_path, store, fault):
        try:
            check(folder, {2, 3})
        except Exception:
            failed += 1
    assert failed


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_an_error_at_any_point_of_a_save_loses_nothing(tmp_path: Path, number: int, lasting: bool) -> None:
    before = prepared(tmp_path / "before")
    for at in range(1, len(touches(prepared(tmp_path / "count"), 3)) + 1):
        folder = Path(shutil.copytree(before, tmp_path / f"at-{at}"))
        error: DiskError | None = None
        with Disk(at, failure(number), lasting=lasting).watched():
            try:
                Store(folder).save(3, *state(3))
            except DiskError as found:
                error = found
        if error is None:
            # Only what comes after the commit may fail unheard.
            assert Store(folder).newest().step == 3
        else:
            assert error.exit_code == 74
            assert "save at step 3 failed" in error.what
            assert ("disk full" in error.what) == (number != errno.EIO)
            assert error.where == str(folder)
        if number != errno.EIO:
            assert list(folder.glob(".*")) == [], f"left behind at touch {at}"
        check(folder, {2, 3})


# What strace calls the same touches, and at which of them to strike. The names differ between machines, hence patterns.
STRIKES = [
    *[("/^fsync", when) for when in (1, 3, 5)],
    *[("/^write", when) for when in (1, 2, 4)],
    *[("/^openat", when) for when in (2, 4)],
    *[("/^rename", when) for when in (1, 2)],
    *[("/^mkdir", when) for when in (1, 2)],
]


def save_when_told(folder: str, step: int) -> None:
    """Saves after SIGUSR1."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    print("ready", flush=True)
    signal.sigwait({signal.SIGUSR1})
    Store(Path(folder)).save(step, *state(step))


def strike(nursery: Nursery, folder: Path, calls: str, what: str, when: int) -> int:
    """The exit code of a process whose save is struck from outside, without any help of its own."""
    child = nursery.start(save_when_told, folder=str(folder), step=3)
    while "ready" not in child.said():
        time.sleep(0.002)
    inject = ["-e", f"trace={calls}", "-e", f"inject={calls}:{what}:when={when}"]
    command = ["strace", "-f", "-p", str(child.pid), "-o", str(folder.with_suffix(".strace")), *inject]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        greeting = tracer.stderr.readline()
        if "attached" not in greeting:
            child.signal(signal.SIGKILL)
            pytest.skip(f"NOT TESTED: strace may not trace here: {greeting.strip()}")
        child.signal(signal.SIGUSR1)
        return child.wait()


@pytest.mark.skipif(not shutil.which("strace"), reason="NOT TESTED: kills at system calls need strace")
def test_a_kill_at_a_system_call_loses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    before = prepared(tmp_path / "before")
    killed = 0
    for calls, when in STRIKES:
        folder = Path(shutil.copytree(before, tmp_path / f"{calls[2:]}-{when}"))
        code = strike(nursery, folder, calls, "signal=KILL", when)
        assert code in (-signal.SIGKILL, 0)
        killed += code != 0
        check(folder, {2, 3})
    assert killed >= 10


@pytest.mark.skipif(not shutil.which("strace"), reason="NOT TESTED: errors of system calls need strace")
@pytest.mark.parametrize(("calls", "error"), [("/^fsync", "EIO"), ("/^write", "ENOSPC"), ("/^rename", "EDQUOT")])
def test_an_error_of_a_system_call_is_told(nursery: Nursery, tmp_path: Path, calls: str, error: str) -> None:
    folder = prepared(tmp_path / "store")
    assert strike(nursery, folder, calls, f"error={error}", 1) == DiskError.exit_code
    check(folder, {2})


SHORT = {"warm": 6, "steps": 30, "every": 3}


@pytest.fixture(scope="module")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, int]:
    """A short run that nothing disturbed, and how often it touched the disk."""
    base = tmp_path_factory.mktemp("whole")
    nursery.run(play_and_count, report=str(base / "count"), folder=str(base / "run"), **SHORT)
    return Outcome.of(base / "run"), int((base / "count").read_text())


@pytest.mark.parametrize("part", [0.3, 0.5, 0.7, 0.8])
def test_training_survives_a_disk_that_is_full_for_a_while(
    nursery: Nursery, whole: tuple[Outcome, int], tmp_path: Path, part: float
) -> None:
    outcome, count = whole
    start = int(part * count)
    folder = tmp_path / "run"
    child = nursery.run(play_on_a_full_disk, full_from=start, full_to=start + 10, folder=str(folder), **SHORT)
    assert "full" in child.said()
    assert (folder / "hash").read_text() == outcome.hash
    assert Store(folder / "checkpoints").newest().skipped == []


def test_three_failed_saves_end_a_run_that_can_be_resumed(
    nursery: Nursery, whole: tuple[Outcome, int], tmp_path: Path
) -> None:
    outcome, count = whole
    folder = tmp_path / "run"
    child = nursery.start(play_on_a_full_disk, full_from=count // 2, full_to=10**9, folder=str(folder), **SHORT)
    assert child.wait() == DiskError.exit_code, child.said()
    assert child.said().count("next try") == 2
    assert "disk full" in child.said()
    assert list((folder / "checkpoints").glob(".*")) == []
    before = Store(folder / "checkpoints").newest()
    assert before.skipped == []
    nursery.run(play, folder=str(folder), **SHORT)
    assert (folder / "hash").read_text() == outcome.hash


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for one and a half checkpoints of `large_state`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1536k", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a really full disk needs the right to mount one")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_really_full_disk_keeps_what_it_holds(small_disk: Path) -> None:
    store = Store(small_disk / "checkpoints")
    weight = torch.rand(1 << 18)  # 1 MiB
    store.save(1, {"game": {"weight": weight}}, {"step": 1})
    with pytest.raises(DiskError, match=r"disk full \(need 1.0 MB, 0.5 MB free\)"):
        store.save(2, {"game": {"weight": weight}}, {"step": 2})
    assert [path.name for path in store.folder.iterdir()] == ["step-000001"]
    assert torch.equal(store.newest().tensors["game"]["weight"], weight)
