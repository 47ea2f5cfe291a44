"""A way to call the command in process, and one tiny trained run for all tests that look at a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddlepoint import cli, recipe


@dataclass(frozen=True)
class Answer:
    """What a command line answered: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Call = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is read from or written to the tester's own folders."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("SADDLEPOINT_INCEPTION", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def saddle(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs one command line in this process."""

    def call(*arguments: object) -> Answer:
        code = cli.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve pictures of noise, 10 high and 8 wide, and one file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(12):
        Image.fromarray(random.integers(0, 256, (10, 8, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """The folder of a run of four steps, made by the command itself."""
    line = ["train", "gan", str(pictures), "--size", "8", "--hidden", "8", "--latent", "4", "--batch", "4"]
    return played(tmp_path_factory.mktemp("trained"), *line, "--steps", "4", "--checkpoint-every", "4")


@pytest.fixture(scope="session")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two steps on thirty pictures of noise in three classes, `ant`, `bee` and `cow`."""
    out = tmp_path_factory.mktemp("conditional")
    random = np.random.default_rng(0)
    for index in range(30):
        folder = out / "animals" / ("ant", "bee", "cow")[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    small = [f"--{name.replace('_', '-')}={value}" for name, value in recipe.find("cgan").smoke.items()]
    return played(out, "train", "cgan", str(out / "animals"), *small, "--steps", "2")


def played(out: Path, *line: str) -> Path:
    """Trains with a cache of its own; the run is called `tiny`."""
    before = os.environ.get("SADDLEPOINT_CACHE")
    os.environ["SADDLEPOINT_CACHE"] = str(out / "cache")
    assert cli.run([*line, "--out", str(out / "runs"), "--name", "tiny"]) == 0
    if before is None:
        del os.environ["SADDLEPOINT_CACHE"]
    else:
        os.environ["SADDLEPOINT_CACHE"] = before
    return out / "runs" / "tiny"
