"""The verbs on a run on points, and on toy data: points are drawn over their density, never as pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saddlepoint import recipe
from saddlepoint.errors import UsageError

from .conftest import Call


@pytest.fixture
def trained(saddle: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("saddlepoint.pictures.portfolio.find_spec", lambda name: None)  # as without PyAV
    smoke = [f"--{name.replace('_', '-')}={value}" for name, value in recipe.find("gan").smoke.items()]
    answer = saddle("train", "gan", "ring8:64", "--name", "ring", "--sample-every", "2", *smoke)
    assert answer.code == 0, answer.err
    return tmp_path / "runs" / "ring"


def test_a_run_on_points_gets_every_picture_and_answers_every_verb(saddle: Call, trained: Path) -> None:
    names = ("evolution", "losses", "modes", "progress", "real_vs_fake", "report")
    assert sorted(path.stem for path in trained.glob("*.*") if path.stem in names) == sorted(names)

    assert saddle("sample", "ring", "-n", "100", "--out", "dots.png").code == 0
    with Image.open("dots.png") as dots:
        assert dots.size == (640, 640)
    assert saddle("sample", "ring", "-n", "100", "--npz", "--out", "dots.npz").code == 0
    with np.load("dots.npz") as arrays:
        assert arrays.files == ["points"]
        assert arrays["points"].shape == (100, 2)
        assert arrays["points"].dtype == np.float32

    refused = saddle("sample", "ring", "--each")
    assert refused.code == UsageError.exit_code
    assert "ring makes points, not pictures" in refused.err

    assert saddle("walk", "ring", "--states", "2", "--steps", "3", "-n", "5", "--out", "walk.webp").code == 0
    with Image.open("walk.webp") as film:
        assert film.n_frames == 6
    (trained / "samples" / "truth.npz").unlink()
    assert "drawn over what their run should learn" in saddle("walk", "ring", "--out", "again.webp").err


def test_toys_are_listed_checked_and_drawn(saddle: Call, tmp_path: Path) -> None:
    toys = {toy["name"]: toy for toy in json.loads(saddle("data", "list", "--json").out)["toys"]}
    assert toys["ring8"]["modes"] == 8
    assert toys["moons"]["modes"] == 0
    assert "ringN" in saddle("data", "list").out

    checked = saddle("data", "check", "grid9:500").out
    assert "grid9:500: 500 points in the plane" in checked
    assert "9 modes, each of standard deviation 0.05" in checked
    assert "on the line" in saddle("data", "check", "normal1d").out
    refused = saddle("data", "check", "ring8", "--size", "8")
    assert refused.code == UsageError.exit_code
    assert "points, which have no size" in refused.err

    shown = json.loads(saddle("data", "show", "moons", "--out", tmp_path / "moons.png", "--json").out)
    assert shown["dimension"] == 2
    with Image.open(tmp_path / "moons.png") as drawn:
        assert drawn.size == (640, 640)


def test_the_preset_for_points_is_shown_on_points(saddle: Call) -> None:
    shown = json.loads(saddle("show", "gan", "--preset", "plane", "--json").out)
    first, last = (shown["networks"][name]["layers"] for name in ("discriminator", "generator"))
    assert first[0]["shape"] == ["N", 2]
    assert last[-1]["shape"] == ["N", 2]
