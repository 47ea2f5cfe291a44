"""Avatars: the same seed is the same picture, and a drawing can be stopped."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from saddlepoint.data import avatars
from saddlepoint.data.catalog import attributes, lookup, open_named
from saddlepoint.data.drawing import draw
from saddlepoint.errors import SaddleError, Stopped, UsageError

pytestmark = pytest.mark.skipif(
    not lookup("avatars").installed, reason="dicebear-core, dicebear-styles or resvg-py is not installed"
)
SKY = (0xCF, 0xE3, 0xF5)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def faces(cache):
    """Enough for two processes."""
    return open_named("avatars:adventurer:220", size=32, cache=cache)


@pytest.fixture(scope="module")
def table(cache, faces):
    return attributes("avatars:adventurer:220", size=32, cache=cache)


def test_a_larger_set_begins_with_the_smaller_however_many_processes_draw(faces, table):
    alone = list(draw("adventurer", range(100, 120), 32, 32, 3))
    assert faces.pixels.shape == (220, 32, 32, 3)
    assert len(table) == 220
    for number, (picture, traits) in enumerate(alone, 100):
        np.testing.assert_array_equal(faces.pixels[number], picture)
        assert all(traits.get(name, "none") == value for name, value in table.of(number).items())


def test_pictures_differ_and_stand_on_the_sky(faces):
    assert len(np.unique(faces.pixels.reshape(220, -1), axis=0)) > 215
    assert tuple(faces.pixels[0, 0, 0]) == SKY
    assert faces.name == "avatars:adventurer"


def test_attributes_tell_what_is_seen(faces, table):
    """Faces that the table calls dark are darker in the middle than those it calls light."""
    skin, colors = table.labels("skinColor")
    middle = faces.pixels[:, 14:24, 10:22].mean(axis=(1, 2, 3))
    dark, light = colors.index("#763900"), colors.index("#f2d3b1")
    assert middle[skin == dark].mean() + 50 < middle[skin == light].mean()


def test_glasses_and_beards_are_frequent_enough_to_learn():
    traits = [traits for _, traits in draw("avataaars", range(200), 8, 8, 3)]
    for name, expected in {"accessoriesVariant": 0.5, "facialHairVariant": 0.4}.items():
        assert sum(name in one for one in traits) / 200 == pytest.approx(expected, abs=0.12)


def test_sizes_and_channels():
    ((square, _),) = draw("lorelei", range(1), 24, 24, 3)
    ((wide, _),) = draw("lorelei", range(1), 12, 24, 3)
    ((clear, _),) = draw("lorelei", range(1), 24, 24, 4)
    ((gray, _),) = draw("lorelei", range(1), 24, 24, 1)
    np.testing.assert_array_equal(wide, square[6:18])
    assert clear.shape == (24, 24, 4)
    assert (clear[0, 0, 3], clear[12, 12, 3]) == (0, 255)
    assert gray.shape == (24, 24, 1)


def test_progress_rises_to_the_total_and_the_license_is_kept(tmp_path):
    told = []
    open_named("avatars:lorelei:60", size=8, cache=tmp_path, progress=lambda done, _: told.append(done))
    assert told == [0, 25, 50, 60]
    (facts,) = tmp_path.glob("sets/*/set.json")
    about = json.loads(facts.read_text())["about"]
    assert about["license"] == "CC0 1.0"
    assert about["creator"] == "Lisa Wischofsky"
    assert set(about["versions"]) == {"dicebear-core", "dicebear-styles", "resvg-py"}
    assert "CC BY 4.0" in lookup("avatars:adventurer").license


def test_drawing_can_be_stopped_and_leaves_nothing(tmp_path):
    told = []
    begun = time.monotonic()
    with pytest.raises(Stopped):
        open_named(
            "avatars:adventurer:100000",
            size=16,
            cache=tmp_path,
            progress=lambda done, total: told.append((done, total)),
            should_stop=lambda: told[-1][0] > 0,
        )
    assert time.monotonic() - begun < 20
    assert told[0] == (0, 100_000)
    assert not [path for path in (tmp_path / "sets").iterdir() if path.suffix != ".lock"]


def test_a_process_that_fails_is_reported(tmp_path, monkeypatch):
    # Bytes, but no .npy file: the process cannot map it.
    def spoil(folder, shape):
        return np.memmap(folder / "pixels.npy", np.uint8, "w+", shape=shape)

    monkeypatch.setattr(avatars, "allocate", spoil)
    with pytest.raises(SaddleError, match=r"drawing avatars failed: .*magic string"):
        open_named("avatars:personas:3", size=16, cache=tmp_path)


@pytest.mark.parametrize(
    ("spec", "fix"),
    [
        ("avatars:lorely", "lorelei"),
        ("avatars:zzz", "one of: adventurer"),
        ("avatars:adventurer:many", "10000"),
        ("avatars:adventurer:0", "10000"),
        ("avatars:adventurer:-3", "10000"),
        ("avatars:adventurer:²", "10000"),
        ("avatars:adventurer:2000000", "10000"),
        ("avatars:../adventurer", "adventurer"),
    ],
)
def test_wrong_names_and_counts_say_what_is_right(tmp_path, spec, fix):
    with pytest.raises(UsageError) as caught:
        open_named(spec, size=16, cache=tmp_path)
    assert fix in caught.value.fix


def test_the_drawing_process_needs_no_torch():
    code = "import sys, saddlepoint.data.drawing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
