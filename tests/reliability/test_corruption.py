"""A damaged checkpoint is noticed before any of its tensors is used, and the one before it takes its place."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import safe_open
from trials import TINY, Nursery, pictures, play

import saddlepoint
from saddlepoint import checkpoint
from saddlepoint.checkpoint import MANIFEST, Store, read
from saddlepoint.errors import CheckpointError, SaddleError
from saddlepoint.run import Run

FLIPS = 64
SHORT = {"warm": 4, "steps": 8, "every": 3}
FILES = ("game.safetensors", "averages.safetensors", "players.safetensors", "state.json", MANIFEST)
Damage = Callable[[Path, Path], Any]  # is given the file and the same file of another step


@pytest.fixture(scope="module")
def trained(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with the checkpoints of steps 10 and 12."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    nursery.run(play, folder=str(folder), **SHORT)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def newest_two(run: Path) -> tuple[Path, Path]:
    """Folders of the newest checkpoint and of the one before it."""
    old, new = list(Store(run / "checkpoints").steps().values())[-2:]
    return new, old


def refuses(folder: Path) -> str:
    """The reason for which a checkpoint is refused; no tensor may be made before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.safetensors.torch, "load", lambda _: pytest.fail("a tensor was made"))
        with pytest.raises(CheckpointError) as caught:
            read(folder)
    assert caught.value.exit_code == 65
    return caught.value.what


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_noticed(run: Path, name: str) -> None:
    path = newest_two(run)[0] / name
    whole = path.read_bytes()
    dice = random.Random(name)
    for _ in range(FLIPS):
        place, bit = dice.randrange(len(whole)), dice.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        reason = refuses(path.parent)
        if name != MANIFEST:
            assert reason == f"{name}: sha256 mismatch"
    path.write_bytes(whole)
    assert read(path.parent).step == 12


def cut(length: Callable[[int], int]) -> Damage:
    """Keeps the first bytes only."""

    def damage(path: Path, other: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: length(len(content))])

    return damage


DAMAGES: dict[str, Damage] = {
    "cut to 0": cut(lambda size: 0),
    "cut to 1": cut(lambda size: 1),
    "cut to 8": cut(lambda size: 8),
    "cut to half": cut(lambda size: size // 2),
    "cut by 1": cut(lambda size: size - 1),
    "longer by 1": lambda path, other: path.write_bytes(path.read_bytes() + b"\0"),
    "zeros": lambda path, other: path.write_bytes(bytes(path.stat().st_size)),
    "deleted": lambda path, other: path.unlink(),
    "a folder": lambda path, other: (path.unlink(), path.mkdir()),
    "of another step": lambda path, other: shutil.copy(other, path),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damaged_file_is_noticed(run: Path, name: str, damage: str) -> None:
    new, old = newest_two(run)
    DAMAGES[damage](new / name, old / name)
    reason = refuses(new)
    if name != MANIFEST:
        assert reason.startswith(f"{name}: ") or reason.startswith("unreadable")


def edit(path: Path, change: Callable[[dict], Any], *, sign: bool = False) -> None:
    """Changes a manifest; signed, its digest fits again."""
    manifest = json.loads(path.read_bytes())
    change(manifest)
    if sign:
        manifest["digest"] = checkpoint._digest(manifest)
    path.write_text(json.dumps(manifest))


EDITS: dict[str, Callable[[dict], Any]] = {
    "another step": lambda manifest: manifest.update(step=11),
    "another hash": lambda manifest: manifest["files"]["game.safetensors"].update(sha256="0" * 64),
    "another size": lambda manifest: manifest["files"]["game.safetensors"].update(size=3),
    "a file less": lambda manifest: manifest["files"].pop("averages.safetensors"),
    "a file more": lambda manifest: manifest["files"].update({"../../run.json": {"sha256": "", "size": 0}}),
    "no files": lambda manifest: manifest.pop("files"),
    "no format": lambda manifest: manifest.pop("format"),
    "a list of files": lambda manifest: manifest.update(files=[]),
    "a number for a record": lambda manifest: manifest["files"].update({"state.json": 3}),
}


@pytest.mark.parametrize("change", EDITS)
@pytest.mark.parametrize("sign", [False, True], ids=["unsigned", "signed"])
def test_every_edited_manifest_is_noticed(run: Path, change: str, sign: bool) -> None:
    new = newest_two(run)[0]
    edit(new / MANIFEST, EDITS[change], sign=sign)
    refuses(new)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "null", "[]", "3", '"step"', "{}", '{"format": "1"}', "\ud800", "1" * 5000]
)
def test_every_manifest_that_is_none_is_noticed(run: Path, text: str) -> None:
    new = newest_two(run)[0]
    (new / MANIFEST).write_bytes(text.encode(errors="surrogatepass"))
    refuses(new)


def test_an_extra_file_and_a_renamed_folder_are_noticed(run: Path) -> None:
    new = newest_two(run)[0]
    (new / "extra.safetensors").write_bytes(b"")
    assert refuses(new) == "extra.safetensors: unexpected"
    (new / "extra.safetensors").unlink()
    later = new.rename(new.with_name("step-000099"))
    assert refuses(later) == "the manifest is of step 12"


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("game.safetensors", "zeros", "game.safetensors: sha256 mismatch"),
        ("players.safetensors", "cut to 8", "players.safetensors: truncated 8 of "),
        ("averages.safetensors", "deleted", "averages.safetensors: missing"),
        (MANIFEST, "deleted", "no manifest"),
    ],
)
def test_a_resumed_run_takes_the_previous_checkpoint_and_says_so(
    nursery: Nursery, trained: Path, run: Path, name: str, damage: str, reason: str
) -> None:
    new, old = newest_two(run)
    DAMAGES[damage](new / name, old / name)
    (run / "hash").unlink()
    child = nursery.run(play, folder=str(run), **SHORT)

    assert f"skipped: step 12: {reason}" in child.said()
    assert "resumed from step 10" in child.said()
    assert (new.with_name("step-000012.corrupt") / "state.json").exists()
    assert (run / "hash").read_text() == (trained / "hash").read_text()
    assert newest_two(run)[0].name == "step-000012"


def test_a_second_damaged_checkpoint_of_a_step_is_kept_too(run: Path) -> None:
    new = newest_two(run)[0]
    for expected in ("step-000012.corrupt", "step-000012.corrupt-2"):
        shutil.copytree(new, run / "copy")
        (new / MANIFEST).write_bytes(b"{}")
        assert Store(run / "checkpoints").newest().step == 10
        assert (new.with_name(expected) / MANIFEST).read_bytes() == b"{}"
        (run / "copy").rename(new)


def test_without_an_intact_checkpoint_nothing_is_changed(nursery: Nursery, run: Path) -> None:
    new, old = newest_two(run)
    (new / "state.json").write_bytes(b"{}")
    (old / MANIFEST).unlink()
    before = dict(contents(run))
    child = nursery.start(play, folder=str(run), **SHORT)
    assert child.wait() == CheckpointError.exit_code
    assert "no intact checkpoint among 2 · 12: state.json: truncated 2 of " in child.said()
    assert "10: no manifest" in child.said()
    assert "nothing was changed" in child.said()
    assert dict(contents(run)) == before


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder but the lock, which names its last owner."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != ".lock":
            yield str(path), path.read_bytes()


def test_a_checkpoint_of_a_newer_version_is_neither_read_nor_set_aside(nursery: Nursery, run: Path) -> None:
    new = newest_two(run)[0]
    edit(new / MANIFEST, lambda manifest: manifest.update(format=5), sign=True)
    before = dict(contents(run))
    child = nursery.start(play, folder=str(run), **SHORT)
    assert child.wait() == CheckpointError.exit_code
    assert "made by a newer saddlepoint (format 5); this one reads up to 1" in child.said()
    assert "fix: pip install -U saddlepoint" in child.said()
    assert dict(contents(run)) == before


def test_a_flipped_bit_would_be_loaded_without_the_checksum(run: Path) -> None:
    """Why there is a manifest: the file format itself does not notice."""
    path = newest_two(run)[0] / "game.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with safe_open(path, "pt") as file:
        assert all(isinstance(file.get_tensor(name), torch.Tensor) for name in file.keys())  # noqa: SIM118


NEEDED = ("recipe", "options", "plan", "source", "checkpoint_every", "sample_every", "status")


@pytest.mark.parametrize("key", NEEDED)
@pytest.mark.parametrize("value", [..., None, [], {"x": 1}, 0.5], ids=repr)
def test_a_run_whose_facts_were_edited_is_refused_in_plain_words(run: Path, key: str, value: Any) -> None:
    facts = json.loads((run / "run.json").read_bytes())
    facts["status"] = "stopped"
    facts[key] = value
    if value is ...:
        del facts[key]
    (run / "run.json").write_text(json.dumps(facts))
    with pytest.raises(SaddleError) as caught:
        saddlepoint.resume(run, data=pictures(), recipe_file=TINY)
    assert caught.value.exit_code in (64, 65, 66)


def test_a_run_whose_facts_are_whole_is_resumed(run: Path) -> None:
    """Else the test above could not fail."""
    Run(run).note(status="stopped")
    assert saddlepoint.resume(run, data=pictures(), recipe_file=TINY).sample(1).shape == (1, 1, 16, 16)
