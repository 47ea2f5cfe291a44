"""Films: right frames at the right time, in little memory and within the bytes allowed."""

import builtins
import weakref

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageSequence

from saddlepoint.errors import MissingError, UsageError
from saddlepoint.pictures.film import on_white, write_film


def frames(count, size=(48, 32)):
    """A ball rolls from left to right over a background that brightens."""
    for index in range(count):
        image = Image.new("RGB", size, (40 + 4 * index, 90, 160))
        x = index * (size[0] - 12) / max(1, count - 1)
        ImageDraw.Draw(image).ellipse((x, 8, x + 12, 20), fill=(240, 200, 40))
        yield image


def noise(count, size=(48, 32)):
    random = np.random.default_rng(0)
    for _ in range(count):
        yield Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), np.uint8))


def read(path):
    """Frames as float arrays, and what each lasts in ms."""
    with Image.open(path) as film:
        pictures, times = [], []
        for frame in ImageSequence.Iterator(film):
            pictures.append(np.asarray(frame.convert("RGB"), float))
            times.append(frame.info["duration"])
        return pictures, times, film.info.get("loop")


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
@pytest.mark.parametrize("loop", [True, False])
def test_frames_come_back_in_order_and_time(tmp_path, suffix, loop):
    path = write_film(tmp_path / f"ball{suffix}", frames(10), fps=25, loop=loop)
    pictures, times, repeats = read(path)
    assert len(pictures) == 10
    assert set(times) == {40}
    assert repeats == (0 if loop else (1 if suffix == ".webp" else None))
    for got, wanted in zip(pictures, frames(10), strict=True):
        assert np.abs(got - np.asarray(wanted, float)).mean() < 4


def test_webp_keeps_24_frames_a_second_on_average(tmp_path):
    _, times, _ = read(write_film(tmp_path / "ball.webp", frames(24), fps=24))
    assert sum(times) == 1000


@pytest.mark.parametrize("size", [(48, 32), (47, 31)])
def test_mp4_takes_odd_sizes(tmp_path, size):
    av = pytest.importorskip("av")
    path = write_film(tmp_path / "ball.mp4", frames(12, size), fps=8)
    with av.open(str(path)) as film:
        pictures = [frame.to_ndarray(format="rgb24").astype(float) for frame in film.decode(video=0)]
        assert float(film.streams.video[0].average_rate) == 8
    assert len(pictures) == 12
    for got, wanted in zip(pictures, frames(12, size), strict=True):
        assert got.shape == (32, 48, 3)
        assert np.abs(got[: size[1], : size[0]] - np.asarray(wanted, float)).mean() < 8


def test_without_pyav_the_error_says_what_to_install(tmp_path, monkeypatch):
    load = builtins.__import__

    def without_av(name, *arguments):
        if name == "av":
            raise ImportError(name)
        return load(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(MissingError, match=r"pip install saddlepoint\[video\]"):
        write_film(tmp_path / "ball.mp4", frames(2), fps=8)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_a_limit_in_bytes_costs_quality_but_no_time(tmp_path, suffix):
    free = write_film(tmp_path / f"free{suffix}", noise(16), fps=10)
    limit = free.stat().st_size // 3
    path = write_film(tmp_path / f"small{suffix}", noise(16), fps=10, max_bytes=limit)
    assert path.stat().st_size <= limit
    pictures, times, _ = read(path)
    assert len(pictures) < 16
    assert sum(times) == pytest.approx(1600, rel=0.15)


def test_a_film_within_the_limit_is_left_at_its_best(tmp_path):
    free = write_film(tmp_path / "free.webp", frames(6), fps=10).read_bytes()
    assert write_film(tmp_path / "same.webp", frames(6), fps=10, max_bytes=len(free)).read_bytes() == free


def test_an_impossible_limit_is_an_error_and_keeps_the_old_film(tmp_path):
    path = write_film(tmp_path / "ball.webp", frames(3), fps=10)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="does not fit into 100 bytes"):
        write_film(path, noise(8), fps=10, max_bytes=100)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_frames_are_let_go_as_soon_as_they_are_drawn(tmp_path):
    drawn, most = [], 0

    def counted():
        nonlocal most
        for frame in frames(40):
            drawn.append(weakref.ref(frame))
            most = max(most, sum(reference() is not None for reference in drawn))
            yield frame

    write_film(tmp_path / "ball.webp", counted(), fps=24)
    assert most <= 3


def test_transparent_frames_are_laid_on_white():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    assert np.asarray(on_white(image)).tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize(
    ("name", "pictures", "fps", "message"),
    [
        ("film.avi", [Image.new("L", (4, 4))], 8, r"film\.avi"),
        ("film.webp", [], 8, "without a frame"),
        ("film.webp", [Image.new("L", (4, 4))], 0, "0 frames per second"),
        ("film.webp", [Image.new("L", (4, 4)), Image.new("L", (5, 4))], 8, "frame 1"),
    ],
)
def test_what_is_no_film_is_refused(tmp_path, name, pictures, fps, message):
    with pytest.raises(UsageError, match=message):
        write_film(tmp_path / name, pictures, fps=fps)
    assert not list(tmp_path.iterdir())


def test_one_frame_is_a_film(tmp_path):
    for suffix in (".webp", ".gif"):
        with Image.open(write_film(tmp_path / f"one{suffix}", frames(1), fps=8)) as film:
            assert film.size == (48, 32)
