"""Checkpoints: what is saved comes back, every part of it matters, and no sequence of mishaps loses the newest one."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from torch import Tensor, nn

from saddlepoint import checkpoint
from saddlepoint.checkpoint import MANIFEST, NewerError, Saved, Store, read, replace_durably
from saddlepoint.errors import CheckpointError, DiskError, MissingError, SaddleError
from saddlepoint.game import Game, Player, Stage, Turn
from saddlepoint.loop import train
from saddlepoint.match import Match
from saddlepoint.plan import Plan, seed_everything

Group = dict[str, dict[str, Tensor]]


def tensors(step: int) -> Group:
    weight = torch.full((2, 3), float(step))
    return {"game": {"weight": weight}, "averages": {}, "players": {"a/0/step": torch.tensor(1.0)}}


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    group = {
        "half": torch.randn(3, 5, generator=generator).bfloat16(),
        "double": torch.randn(4, generator=generator, dtype=torch.float64),
        "number": torch.tensor(7),
        "flags": torch.tensor([True, False]),
        "nothing": torch.empty(0, 3),
        "strided": torch.randn(4, 6, generator=generator).t()[1::2],
        "infinite": torch.tensor([float("inf"), -0.0, 1e-45]),
    }
    group["tied"] = group["double"]
    facts = {"stage": "main", "step": 3, "list": [1, None, 0.1, "日本語"], "nested": {"a": {"b": True}}}
    path = Store(tmp_path / "checkpoints").save(5, {"game": group, "averages": {}}, facts)
    saved = Store(tmp_path / "checkpoints").newest()
    assert saved == Saved(path, 5, saved.tensors, facts, [])
    assert saved.tensors.keys() == {"game", "averages"}
    for name, tensor in group.items():
        found = saved.tensors["game"][name]
        assert found.dtype == tensor.dtype
        assert found.shape == tensor.shape
        bytes_of = [one.reshape(-1).view(torch.uint8).tolist() for one in (found, tensor)]
        assert bytes_of[0] == bytes_of[1]


def test_the_manifest_holds_hash_and_size_of_every_file(tmp_path: Path) -> None:
    path = Store(tmp_path).save(500, tensors(1), {})
    manifest = json.loads((path / MANIFEST).read_bytes())
    assert path.name == "step-000500"
    assert (manifest["format"], manifest["step"]) == (1, 500)
    assert manifest["files"].keys() == {entry.name for entry in path.iterdir()} - {MANIFEST}
    assert all(record["size"] == (path / name).stat().st_size for name, record in manifest["files"].items())
    assert all(len(record["sha256"]) == 64 for record in manifest["files"].values())


def test_no_file_of_a_checkpoint_can_run_code(tmp_path: Path) -> None:
    path = Store(tmp_path).save(1, tensors(1), {})
    assert {entry.suffix for entry in path.iterdir()} == {".safetensors", ".json"}


def test_facts_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Store(tmp_path).save(1, tensors(1), {"rate": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_the_newest_are_kept_and_the_newest_is_by_step(tmp_path: Path) -> None:
    store = Store(tmp_path, keep=3)
    for step in (1, 5, 20, 100, 999_999, 1_000_000):
        store.save(step, tensors(step), {})
    assert list(store.steps()) == [100, 999_999, 1_000_000]
    # Neither time nor spelling decides: the oldest file time belongs to the newest step.
    os.utime(store.steps()[1_000_000], (0, 0))
    assert store.newest().step == 1_000_000


@pytest.mark.parametrize("keep", [-1, 0, 1, 2])
def test_at_least_two_are_kept(tmp_path: Path, keep: int) -> None:
    store = Store(tmp_path, keep)
    for step in (1, 2, 3):
        store.save(step, tensors(step), {})
    assert list(store.steps()) == [2, 3]


def test_what_only_looks_like_a_checkpoint_is_ignored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(1, tensors(1), {})
    for name in ("step-2", "step-000003.corrupt", ".saving-000004", "stage-main", "step-0000x5", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "step-000009").write_text("a file")
    assert list(store.steps()) == [1]
    assert store.newest().step == 1


def test_without_checkpoints_there_is_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert Store(folder).steps() == {}
        with pytest.raises(MissingError, match="no checkpoint in") as caught:
            Store(folder).newest()
        assert caught.value.exit_code == 66


def test_the_end_of_a_stage_is_kept_for_good(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(3, tensors(3), {"stage": "warm"})
    assert store.end_of("warm") is None
    store.finish("warm")
    for step in (3, 4, 5, 6):
        store.save(step, tensors(step), {"stage": "main"})
    ended = store.end_of("warm")
    assert ended is not None
    assert (ended.step, ended.facts) == (3, {"stage": "warm"})
    assert list(store.steps()) == [5, 6]


def test_a_damaged_end_of_a_stage_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(3, tensors(3), {})
    store.finish("warm")
    (tmp_path / "stage-warm" / "state.json").write_bytes(b"{} ")
    with pytest.raises(CheckpointError, match=r"state\.json: truncated 3 of 2 B"):
        store.end_of("warm")


def test_a_newer_checkpoint_is_not_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.save(1, tensors(1), {})
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    store.save(2, tensors(2), {})
    monkeypatch.undo()
    with pytest.raises(NewerError, match=r"made by a newer saddlepoint \(format 2\); this one reads up to 1"):
        store.newest()
    assert list(store.steps()) == [1, 2]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    replace_durably(path, b"old")

    def refuse(*_: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DiskError, match=r"x\.json could not be written: Read-only file system") as caught:
        replace_durably(path, b"new")
    assert caught.value.exit_code == 74
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_mutated_checkpoints_are_refused_or_equal(tmp_path: Path) -> None:
    """Whatever its files hold, a checkpoint is read as it was saved or refused in plain words."""
    path = Store(tmp_path).save(7, tensors(7), {"stage": "main", "step": 7})
    whole = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    dice, refused = random.Random(0), 0
    for _ in range(1000):
        name = dice.choice(sorted(whole))
        content = bytearray(whole[name])
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(content))
            match dice.randrange(3):
                case 0:
                    content[place] = dice.choice(b'0123456789"{}[]:,-e\\ \x00\xff')
                case 1:
                    del content[place : place + dice.randint(1, 30)]
                    content = content or bytearray(b" ")
                case 2:
                    content[place:place] = whole[dice.choice(sorted(whole))][: dice.randint(1, 60)]
        (path / name).write_bytes(content)
        try:
            saved = read(path)
        except CheckpointError:
            refused += 1
        else:
            assert saved.step == 7
            assert saved.facts == {"stage": "main", "step": 7}
            assert torch.equal(saved.tensors["game"]["weight"], tensors(7)["game"]["weight"])
        (path / name).write_bytes(whole[name])
    assert refused > 950


class Small(Game):
    """A game with every kind of state, on vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        self.critic = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(0.2), nn.Linear(4, 1))
        self.averaged = {"generator": 5.0}
        self.register_buffer("pool", torch.zeros(8, 2))
        self.register_buffer("level", torch.tensor(0.1))

    def players(self) -> dict[str, Player]:
        adam = torch.optim.Adam(self.generator.parameters(), lr=0.01, betas=(0.5, 0.99), amsgrad=True)
        sgd = torch.optim.SGD(self.critic.parameters(), lr=0.05, momentum=0.9)
        return {"critic": Player(sgd), "generator": Player(adam)}

    def turns(self, batches: Any) -> Any:
        real = next(batches)
        fake = self.generator(torch.randn(len(real), 3))
        old = self.pool[torch.randint(8, (len(real),))]
        self.pool[torch.randint(8, (len(real),))] = fake.detach()
        self.level.lerp_(fake.detach().mean().abs() + 0.1, 0.2)
        scores = self.critic(fake.detach()).mean() + self.critic(old).mean() - self.critic(real).mean()
        yield Turn("critic", wasserstein=scores * self.level, decay=0.1 * self.critic(real).square().mean())
        yield Turn("generator", wasserstein=-self.critic(fake).mean())


class Numbers:
    """A stream of vectors that are a function of their position."""

    batch = 4

    def read(self, start: int, count: int) -> Tensor:
        position = torch.arange(start, start + count, dtype=torch.float32)
        return torch.stack([position.sin(), position.cos()], 1)


def match() -> Match:
    seed_everything(3)
    return Match(Stage("main", Small(), Numbers(), 12), Plan(device="cpu", seed=3, threads=1))


def bits(played: Match) -> bytes:
    """Every tensor and number that a checkpoint of a match holds."""
    group, facts = played.state()
    named = {f"{stem}/{name}": tensor.clone() for stem, part in group.items() for name, tensor in part.items()}
    return safetensors.torch.save(named) + json.dumps(facts, sort_keys=True).encode()


@pytest.fixture(scope="module")
def middle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Saved, bytes]:
    """A checkpoint of step 6, and the bits of step 12."""
    played, store = match(), Store(tmp_path_factory.mktemp("middle"), keep=9)
    train(played, store=store, checkpoint_every=6)
    return read(store.steps()[6]), bits(played)


def finish(saved: Saved) -> bytes:
    """Plays on from a checkpoint to step 12."""
    played = match()
    played.restore(saved)
    train(played)
    return bits(played)


def copied(saved: Saved) -> Saved:
    group = {stem: {name: tensor.clone() for name, tensor in part.items()} for stem, part in saved.tensors.items()}
    return Saved(saved.path, saved.step, group, json.loads(json.dumps(saved.facts)))


def test_a_restored_match_goes_on_as_if_it_had_not_stopped(middle: tuple[Saved, bytes]) -> None:
    saved, expected = middle
    assert finish(copied(saved)) == expected


def test_every_tensor_of_a_checkpoint_matters(middle: tuple[Saved, bytes]) -> None:
    """Each is dropped, and each is changed: then the game must refuse or end in other bits."""
    saved, expected = middle
    keys = [(stem, name) for stem, part in saved.tensors.items() for name in part]
    assert len(keys) > 30
    # An average copies these from the network it follows at every step.
    copies = {f"generator.{name}" for name, _ in Small().generator.named_buffers()}
    for stem, name in keys:
        if stem == "averages" and name in copies:
            continue
        less, other = copied(saved), copied(saved)
        del less.tensors[stem][name]
        # Within range also for counters and second moments, which may not be negative.
        other.tensors[stem][name] = other.tensors[stem][name] * 2 + 1
        for changed in (less, other):
            try:
                assert finish(changed) != expected, f"{stem}/{name} does not matter"
            except (CheckpointError, KeyError) as error:  # an optimizer that misses a moment says so by itself
                assert changed is less, error  # noqa: PT017 - either it is refused or it must differ


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every named part of nested facts."""
    if isinstance(value, list):
        return [way for index, part in enumerate(value) for way in paths(part, (*here, index))]
    parts = value.items() if isinstance(value, dict) else ()
    return [way for key, part in parts for way in [(*here, key), *paths(part, (*here, key))]]


def test_every_fact_of_a_checkpoint_matters(middle: tuple[Saved, bytes]) -> None:
    """Each that is missing is refused in plain words."""
    saved, _ = middle
    ways = paths(saved.facts)
    assert len(ways) > 20
    for way in ways:
        changed = copied(saved)
        place = changed.facts
        for key in way[:-1]:
            place = place[key]
        del place[way[-1]]
        with pytest.raises(CheckpointError):
            finish(changed)


@pytest.mark.parametrize("change", [{"drawn": 0}, {"step": 5}, {"stage": "other"}], ids=str)
def test_the_place_in_the_run_matters(middle: tuple[Saved, bytes], change: dict[str, Any]) -> None:
    saved, expected = middle
    changed = copied(saved)
    changed.facts.update(change)
    if "stage" in change:
        with pytest.raises(CheckpointError, match="the checkpoint is of stage 'other', not 'main'"):
            finish(changed)
    else:
        assert finish(changed) != expected


@pytest.mark.parametrize("wrong", ["shape", "stranger", "player", "index"])
def test_a_checkpoint_of_another_game_is_refused(middle: tuple[Saved, bytes], wrong: str) -> None:
    changed = copied(middle[0])
    match wrong:
        case "shape":
            changed.tensors["game"]["critic.0.weight"] = torch.zeros(9, 9)
        case "stranger":
            changed.tensors["game"]["stranger"] = torch.zeros(1)
        case "player":
            changed.facts["players"]["critics"] = changed.facts["players"].pop("critic")
        case "index":
            changed.tensors["players"]["critic/99/momentum_buffer"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match="the checkpoint does not fit this game") as caught:
        finish(changed)
    assert caught.value.exit_code == 65


class Mishaps(RuleBasedStateMachine):
    """Saves, crashes, damage and full disks in any order; the model is the list of steps that were committed."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.store = Store(self.home / "checkpoints")
        self.intact: list[int] = []
        self.step = 0

    @rule(gap=st.integers(1, 40))
    def save(self, gap: int) -> None:
        self.step += gap
        self.store.save(self.step, tensors(self.step), {"step": self.step})
        self.intact.append(self.step)
        self.forget()

    @rule(gap=st.integers(1, 9), at=st.integers(0, 3))
    def crash_in_a_save(self, gap: int, at: int) -> None:
        """Dies after some files: what stands beside the final place then."""
        partial = self.store.folder / f".saving-{self.step + gap:06d}"
        partial.mkdir(parents=True, exist_ok=True)
        for name in ("game.safetensors", "state.json", MANIFEST)[:at]:
            (partial / name).write_bytes(b"part")

    @rule(gap=st.integers(1, 9))
    def save_on_a_full_disk(self, gap: int) -> None:
        def full(path: Path, content: bytes) -> None:
            path.write_bytes(content[: len(content) // 2])
            raise OSError(28, "No space left on device")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoint, "write_durably", full)
            with pytest.raises(DiskError):
                self.store.save(self.step + gap, tensors(0), {})

    @precondition(lambda self: self.intact)
    @rule(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), which=st.integers(0, 9))
    def damage(self, place: float, bit: int, which: int) -> None:
        folder = self.store.steps()[self.intact.pop()]
        path = sorted(folder.iterdir())[which % len(list(folder.iterdir()))]
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= 1 << bit
        path.write_bytes(content)

    @precondition(lambda self: self.intact)
    @rule()
    def resume(self) -> None:
        """Reads the newest; the run then goes on from there and may save a step again."""
        self.store.sweep()
        saved = self.store.newest()
        self.step = saved.step
        assert not list(self.store.folder.glob(".saving-*"))

    @invariant()
    def the_newest_intact_one_is_found(self) -> None:
        if self.intact:
            copy = Store(self.home / "copy")
            shutil.copytree(self.store.folder, copy.folder)
            saved = copy.newest()
            shutil.rmtree(copy.folder)
            assert saved.step == self.intact[-1]
            assert torch.equal(saved.tensors["game"]["weight"], tensors(saved.step)["game"]["weight"])
        elif self.store.steps():
            with pytest.raises(SaddleError):
                Store(self.store.folder).newest()

    def forget(self) -> None:
        """Retention: what the store keeps, damaged ones among them, is what can be intact."""
        kept = self.store.steps()
        self.intact = sorted(step for step in set(self.intact) if step in kept)

    def teardown(self) -> None:
        shutil.rmtree(self.home)


@pytest.fixture(autouse=True)
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush takes milliseconds and changes nothing but what a power cut leaves."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


Mishaps.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestMishaps = Mishaps.TestCase
