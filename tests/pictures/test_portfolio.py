"""Every picture of a run from what lies in its folder, whatever state the folder is in."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from saddlepoint.pictures import portfolio
from saddlepoint.pictures.grid import grid, save

from ..toys import plane as points


def run(folder, steps=(0, 100, 200, 300), size=(10, 8), count=16):
    """A run whose samples brighten from step to step."""
    for place, step in enumerate(steps):
        value = 2 * place / max(1, len(steps) - 1) - 1
        save(grid(torch.full((count, 3, *size[::-1]), value)), folder / "samples" / f"step-{step:06d}.png")
    lines = [{"step": step, "stage": "a", "values": {"generator/adversarial": 1.0}} for step in range(10, 310, 10)]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def one_codec(monkeypatch):
    """As on a machine without PyAV."""
    monkeypatch.setattr(portfolio, "find_spec", lambda name: None)


@pytest.mark.usefixtures("one_codec")
def test_a_finished_run_gets_every_picture(tmp_path):
    made = portfolio.update(run(tmp_path), real=torch.zeros(20, 3, 8, 10))
    names = ["losses.png", "evolution.png", "real_vs_fake.png", "progress.webp", "report.html"]
    assert [path.name for path in made] == names
    assert all((tmp_path / name).stat().st_size > 100 for name in names)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("one_codec")
def test_a_run_without_samples_or_log_gets_a_page(tmp_path):
    assert [path.name for path in portfolio.update(tmp_path)] == ["report.html"]
    assert portfolio.progress_film(tmp_path) == []


def test_samples_come_in_the_order_of_steps_and_without_the_broken_ones(tmp_path):
    run(tmp_path, steps=(0, 500, 1_000_000))
    whole = tmp_path / "samples" / "step-000500.png"
    whole.write_bytes(whole.read_bytes()[:60])
    (tmp_path / "samples" / "step-000700.png").write_bytes(b"<html>404</html>")
    (tmp_path / "samples" / "notes.png").write_bytes(b"")
    assert [step for step, _ in portfolio.samples(tmp_path)] == [0, 1_000_000]


@pytest.mark.usefixtures("one_codec")
def test_the_film_shows_every_step_and_rests_on_the_last(tmp_path):
    (path,) = portfolio.progress_film(run(tmp_path), fps=8)
    with Image.open(path) as film:
        levels, times = [], []
        for frame in ImageSequence.Iterator(film):
            levels.append(np.asarray(frame.convert("L"), float)[: film.height // 2].mean())
            times.append(frame.info["duration"])
    assert len(levels) == 4
    assert np.all(np.diff(levels) > 30)
    assert times[:3] == [125] * 3
    assert times[3] == 125 + 12 * 125


@pytest.mark.usefixtures("one_codec")
def test_a_run_that_grows_still_makes_one_film(tmp_path):
    run(tmp_path, steps=(0, 100))
    save(grid(torch.zeros(16, 3, 16, 20)), tmp_path / "samples" / "step-000200.png")
    (path,) = portfolio.progress_film(tmp_path)
    with Image.open(path) as film:
        assert film.n_frames == 3


def test_mp4_is_made_where_pyav_is(tmp_path):
    pytest.importorskip("av")
    assert [path.name for path in portfolio.progress_film(run(tmp_path))] == ["progress.webp", "progress.mp4"]


def test_real_images_are_laid_out_like_the_samples(tmp_path):
    portfolio.comparison(run(tmp_path, size=(64, 64)), torch.ones(20, 3, 64, 64))
    with Image.open(tmp_path / "real_vs_fake.png") as sheet:
        side = 4 * 64 + 3 * 2
        assert sheet.width - 2 * side in range(10, 30)


@pytest.mark.parametrize(("told", "inches"), [({"data": {"width": 10, "height": 8}}, 4), ({}, 8), ({"data": 3}, 8)])
def test_evolution_shows_a_corner_large_when_the_size_is_known(tmp_path, told, inches, one_codec):
    run(tmp_path, count=64)
    (tmp_path / "run.json").write_text(json.dumps(told))
    portfolio.update(tmp_path, film=False)
    with Image.open(tmp_path / "evolution.png") as sheet:
        width = inches * 12 - 2
        assert sheet.width == 4 * ((300 // width) * width + 12) - 12


@pytest.mark.usefixtures("one_codec")
def test_a_run_on_points_is_developed_from_its_numbers(tmp_path):
    points.run(tmp_path)
    made = [path.name for path in portfolio.update(tmp_path)]
    assert made == ["evolution.png", "real_vs_fake.png", "modes.png", "progress.webp", "report.html"]
    assert [step for step, _ in portfolio.samples(tmp_path)] == [0, 500, 1000]  # prints, made anew
    with Image.open(tmp_path / "progress.webp") as film:
        assert film.n_frames == 3
    page = (tmp_path / "report.html").read_text()
    assert page.count("<h2>Modes</h2>") == 1
    with Image.open(tmp_path / "evolution.png") as sheet:
        cell = np.asarray(sheet.convert("RGB"), float)[-300:, -300:]
    y, x = np.nonzero(cell[..., 0] - cell[..., 2] > 120)
    # At the last of the steps all samples lie around (1, 0) and (0, 1), of a box from -2 to 2.
    np.testing.assert_allclose(((x.mean() + 0.5) / 75 - 2, 2 - (y.mean() + 0.5) / 75), (0.5, 0.5), atol=0.15)


def test_what_is_left_of_a_run_on_points_still_gets_a_page(tmp_path):
    points.run(tmp_path, steps=())
    assert [path.name for path in portfolio.update(tmp_path)] == ["report.html"]
