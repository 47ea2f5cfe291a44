"""No file that somebody gave you runs: not as a model, a checkpoint, data, or a name in a configuration."""

from __future__ import annotations

import ast
import io
import os
import pickle
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from trials import TINY, Nursery, play

import saddlepoint
from saddlepoint import checkpoint, model
from saddlepoint.data.source import Source
from saddlepoint.errors import CheckpointError, SaddleError
from saddlepoint.run import Run

SOURCE = Path(str(saddlepoint.__file__)).parent
REFUSED = {64, 65, 66}
ALARMS = {"os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class"}
SHORT = {"warm": 2, "steps": 4, "every": 3}


class Trap:
    """An object that makes the canary when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.canary),)


def pickled(canary: Path) -> bytes:
    return pickle.dumps(Trap(canary))


def legacy(canary: Path) -> bytes:
    """The numbers of protocol 0, as Python 2 wrote them."""
    return pickle.dumps(Trap(canary), protocol=0)


def torch_file(canary: Path) -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.zeros(3), "trap": Trap(canary)}, file)
    return file.getvalue()


def array_of_objects(canary: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Trap(canary)], dtype=object), allow_pickle=True)
    return file.getvalue()


def arrays_of_objects(canary: Path) -> bytes:
    file = io.BytesIO()
    np.savez(file, images=np.array([Trap(canary)], dtype=object), allow_pickle=True)
    return file.getvalue()


def zipped(canary: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("archive/data.pkl", "a.pkl", "a.png", "labels.json", "dataset.json"):
            archive.writestr(name, pickled(canary))
    return file.getvalue()


def python_in_yaml(canary: Path) -> bytes:
    return f"!!python/object/apply:os.mkdir ['{canary}']".encode()


TRAPS: dict[str, Callable[[Path], bytes]] = {
    maker.__name__: maker
    for maker in (pickled, legacy, torch_file, array_of_objects, arrays_of_objects, zipped, python_in_yaml)
}
SUFFIXES = (".safetensors", ".pt", ".pkl", ".ckpt", ".npz", ".npy", ".zip", ".png", ".json")


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A folder that only a trap would make."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "a trap was sprung"


@pytest.fixture(scope="module")
def launches() -> Iterator[list[str]]:
    """Every process that is started and every name that a pickle looks up. A hook like this cannot be taken back."""
    events: list[str] = []
    active = True

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if active and event in ALARMS:
            events.append(f"{event} {args}")

    sys.addaudithook(hook)
    yield events
    active = False


@pytest.fixture
def launched(launches: list[str]) -> list[str]:
    launches.clear()
    return launches


@pytest.fixture(scope="module")
def trained(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    nursery.run(play, folder=str(folder), **SHORT)
    return folder


# Nothing here reads YAML, not even to try the trap; the static test below keeps it so.
@pytest.mark.parametrize("maker", sorted(TRAPS.keys() - {"python_in_yaml"}))
def test_the_traps_work(tmp_path: Path, maker: str) -> None:
    """Each would be sprung by a careless reader; else the other tests prove nothing."""
    canary, path = tmp_path / "canary", tmp_path / "trap"
    path.write_bytes(TRAPS[maker](canary))
    match maker:
        case "torch_file":
            torch.load(path, weights_only=False)
        case "array_of_objects":
            np.load(path, allow_pickle=True)
        case "arrays_of_objects":
            np.load(path, allow_pickle=True)["images"]
        case "zipped":
            pickle.loads(zipfile.ZipFile(path).read("a.pkl"))
        case _:
            pickle.loads(path.read_bytes())
    assert canary.exists()


@pytest.mark.parametrize("maker", TRAPS)
def test_no_trap_is_sprung_as_a_model(canary: Path, launched: list[str], tmp_path: Path, maker: str) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"model{suffix}"
        path.write_bytes(TRAPS[maker](canary))
        with pytest.raises(SaddleError) as caught:
            saddlepoint.load(path)
        assert caught.value.exit_code in REFUSED
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(path, folder / "model.safetensors")
    with pytest.raises(CheckpointError):
        saddlepoint.load(folder)
    assert launched == []


@pytest.mark.parametrize("suffix", [".pkl", ".pt", ".ckpt", ".npz"])
def test_a_pickle_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="refused: pickle files can run code") as caught:
        saddlepoint.load(path)
    assert caught.value.exit_code == 65
    assert caught.value.where == str(path)


@pytest.mark.parametrize("maker", TRAPS)
def test_no_trap_is_sprung_as_data(canary: Path, launched: list[str], tmp_path: Path, maker: str) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"data{suffix}"
        path.write_bytes(TRAPS[maker](canary))
        folder = tmp_path / f"folder of {suffix}"
        folder.mkdir()
        for name in ("0" + suffix, "labels.json", "dataset.json"):
            shutil.copy(path, folder / name)
        for spec in (path, folder):
            with pytest.raises(SaddleError) as caught:
                Source(spec, cache=tmp_path / "cache").images(size=16)
            assert caught.value.exit_code in REFUSED
    assert launched == []


@pytest.mark.parametrize("maker", TRAPS)
def test_no_trap_is_sprung_from_the_cache(canary: Path, launched: list[str], tmp_path: Path, maker: str) -> None:
    from PIL import Image

    folder, cache = tmp_path / "data", tmp_path / "cache"
    folder.mkdir()
    for number in range(4):
        Image.new("L", (16, 16), number).save(folder / f"{number}.png")
    whole = Source(folder, cache=cache).images(size=16).pixels.copy()
    written = [path for path in cache.rglob("*") if path.is_file()]
    assert written
    for path in written:
        path.write_bytes(TRAPS[maker](canary))
    try:
        assert np.array_equal(Source(folder, cache=cache).images(size=16).pixels, whole)
    except SaddleError as error:
        assert error.exit_code in REFUSED  # noqa: PT017 - either it is made again or it is refused
    assert launched == []


@pytest.mark.parametrize("maker", TRAPS)
def test_no_trap_is_sprung_as_a_checkpoint(
    canary: Path, launched: list[str], trained: Path, tmp_path: Path, maker: str
) -> None:
    """Not even one whose manifest was made to fit."""
    for name in ("game.safetensors", "state.json", "manifest.json"):
        run = Path(shutil.copytree(trained, tmp_path / f"run {name}"))
        store = Run(run).checkpoints
        for folder in store.steps().values():
            (folder / name).write_bytes(TRAPS[maker](canary))
            if name != "manifest.json":
                files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
                (folder / "manifest.json").write_bytes(checkpoint._manifest(int(folder.name[5:]), files))
        with pytest.raises(CheckpointError):
            store.newest()
    assert launched == []


NAMES = [
    "os.system",
    "builtins.eval",
    "os:system",
    "saddlepoint.recipes.gan",
    "../../gan",
    "gan\0",
    "",
    "_hidden",
    "touch X",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_configuration_is_never_imported(
    launched: list[str], trained: Path, tmp_path: Path, name: str
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    Run(run).note(recipe=name)
    tensors, config = model.read(run / "model" / "model.safetensors")
    model.save(run / "model", tensors, {**config, "recipe": name})
    verbs = saddlepoint.load, saddlepoint.resume
    before = set(sys.modules)
    for verb in verbs:
        with pytest.raises(SaddleError, match="no recipe") as caught:
            verb(run)
        assert caught.value.exit_code in REFUSED
    assert set(sys.modules) == before
    assert launched == []


def test_a_file_of_code_in_a_configuration_is_never_run(trained: Path, tmp_path: Path, canary: Path) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(canary)!r}, 'w')\n")
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    Run(run).note(recipe=str(evil))
    tensors, config = model.read(run / "model" / "model.safetensors")
    model.save(run / "model", tensors, {**config, "recipe": str(evil)})
    for verb in (saddlepoint.load, saddlepoint.resume):
        with pytest.raises(SaddleError, match=r"made with a recipe of its own, evil\.py") as caught:
            verb(run)
        assert caught.value.exit_code == 64
        assert f"--recipe {evil}" in str(caught.value.fix)


def test_a_model_with_a_recipe_of_its_own_is_read_when_its_user_names_the_file(trained: Path) -> None:
    assert saddlepoint.load(trained, recipe_file=TINY).sample(2).shape == (2, 1, 16, 16)


def test_a_header_that_asks_for_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for content in (
        b"\xff" * 8 + b"{}",
        (10**9).to_bytes(8, "little") + b"{",
        b"",
        b"\0" * 8,
        safetensors.torch.save({}),
    ):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"model\.safetensors is not a saddlepoint model"):
            saddlepoint.load(path)


# What may turn bytes or text into something that runs, and the two files that open pickles: one through an unpickler
# that admits arrays only, one only what is published weights byte for byte. Tests of their own try to break them.
FORBIDDEN_IMPORTS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "runpy"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "yaml.load"}
OPENERS = {"data/frozen_pickle.py": {"pickle"}, "metrics/features/weights.py": {"torch.load"}}


def dangers(tree: ast.AST) -> Iterator[str]:
    """Every use in a file of what could run a stranger's code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_IMPORTS)
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")[0]
            if not node.level and module in FORBIDDEN_IMPORTS:
                yield module
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in FORBIDDEN_CALLS:
                yield name
            for keyword in node.keywords:
                if keyword.arg in ("shell", "allow_pickle") and ast.unparse(keyword.value) != "False":
                    yield f"{keyword.arg}={ast.unparse(keyword.value)}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_file_of_ours_could_run_a_strangers_code(path: Path) -> None:
    found = set(dangers(ast.parse(path.read_text())))
    assert found == OPENERS.get(path.relative_to(SOURCE).as_posix(), set())


def test_the_search_finds_what_it_looks_for() -> None:
    text = (
        "import pickle, yaml.x\nfrom marshal import loads\neval('1')\nos.system('x')\ntorch.load(p)\n"
        "run(shell=True)\nnp.load(p, allow_pickle=flag)\nnp.load(p, allow_pickle=False)\nre.compile('x')\n"
    )
    assert sorted(dangers(ast.parse(text))) == sorted(
        ["pickle", "yaml.x", "marshal", "eval", "os.system", "torch.load", "shell=True", "allow_pickle=flag"]
    )
