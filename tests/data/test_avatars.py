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
from saddlepoint.data.policy import Policy
from saddlepoint.data.source import open_source
from saddlepoint.errors import DataError, SaddleError, Stopped, UsageError

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
        known = table.of(number)
        assert all(traits.get(name, "none") == known[name] for name in known if name.endswith(("Variant", "Color")))


def test_numbered_variants_have_families(table):
    for number in range(len(table)):
        known = table.of(number)
        assert known["hair"] == known["hairVariant"].rstrip("0123456789")
        assert known["glasses"] == ("none" if known["glassesVariant"] == "none" else "some")
    assert table.values[table.names.index("hair")] == ("long", "short")
    assert not {"eyes", "mouth", "skin", "details"} & set(table.names)  # one family, no variants, or no numbers


def test_attributes_are_classes(cache, faces):
    """Those whose hair is called long have more hair under the chin, where the sky is otherwise."""
    source = open_source("avatars:adventurer:220", cache=cache, by="hair", holdout=0.1)
    parts = source.images(size=32), source.held_out(size=32)
    for images in parts:
        assert images.classes == ("long", "short")
        pixels = np.stack(list(images.pixels))
        below = (pixels[:, 26:] != SKY).any(axis=3).mean(axis=(1, 2))
        assert below[images.labels == 0].mean() > 1.2 * below[images.labels == 1].mean()
    assert sum(map(len, parts)) == 220
    assert source.attributes["hair"] == 2
    plain = open_source("avatars:adventurer:220", cache=cache)
    assert plain.images(size=32).classes == ()
    assert (
        len({plain.fingerprint, source.fingerprint, open_source("avatars:adventurer:220", by="skinColor").fingerprint})
        == 3
    )
    assert parts[0].fingerprint != plain.images(size=32).fingerprint == faces.fingerprint


def test_several_attributes_are_their_combinations(cache, faces):
    first, second = (
        open_source("avatars:adventurer:220", cache=cache, by=by) for by in ("hair,glasses", "glasses,hair")
    )
    images = first.images(size=32)
    assert images.classes == tuple(f"glasses={g} hair={h}" for g in ("none", "some") for h in ("long", "short"))
    assert images.frequencies.min() > 0.01
    np.testing.assert_array_equal(images.labels, second.images(size=32).labels)


@pytest.mark.parametrize(
    ("by", "error", "message"),
    [
        ("beard", UsageError, "unknown attribute 'beard'"),
        ("", UsageError, "unknown attribute ''"),
        ("hairs", UsageError, "did you mean 'hair'"),
        ("hairVariant,hairColor", DataError, "has 1 image"),
    ],
)
def test_a_choice_that_makes_no_classes_is_refused(cache, faces, by, error, message):
    with pytest.raises(error, match=message) as caught:
        open_source("avatars:adventurer:220", cache=cache, by=by).images(size=32)
    assert ("--drop-empty" if error is DataError else "hair") in caught.value.fix


def test_rare_combinations_are_accepted_when_asked(cache, faces):
    policy = Policy(drop_empty=True)
    images = open_source("avatars:adventurer:220", cache=cache, by="hairVariant,hairColor", policy=policy).images(
        size=32
    )
    assert images.frequencies.min() == pytest.approx(1 / 220)


def test_a_rare_part_can_be_drawn_often_and_changes_nothing_else(faces, table):
    style, count = avatars.choose("adventurer+glasses+earrings:80")
    assert (style.spelled, count) == ("adventurer+earrings+glasses", 80)
    wearing, same = 0, 0
    for number, (picture, traits) in enumerate(
        draw("adventurer", range(30), 32, 32, 3, dict.fromkeys(style.often, 50))
    ):
        before = {name: value for name, value in table.of(number).items() if value != "none" and name in traits}
        assert before.items() <= traits.items()
        added = {name for name in traits if table.of(number).get(name) == "none"}
        assert added <= {"glassesVariant", "glassesColor", "earringsVariant", "earringsColor"}
        wearing += "glassesVariant" in traits
        if not added:
            same += 1
            np.testing.assert_array_equal(picture, faces.pixels[number])
    assert 8 <= wearing <= 22  # half of 30, within 2.5 standard deviations; a tenth by itself
    assert same > 0


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
        ("avatars:adventurer+nose", "details, earrings, glasses"),
        ("avatars:adventurer+", "details, earrings, glasses"),
    ],
)
def test_wrong_names_and_counts_say_what_is_right(tmp_path, spec, fix):
    with pytest.raises(UsageError) as caught:
        open_named(spec, size=16, cache=tmp_path)
    assert fix in caught.value.fix


def test_the_drawing_process_needs_no_torch():
    code = "import sys, saddlepoint.data.drawing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
