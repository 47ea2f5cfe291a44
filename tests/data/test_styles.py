"""Avatars in two styles, and avatars without and with glasses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from saddlepoint.data.attributes import Attributes
from saddlepoint.data.catalog import lookup, open_named
from saddlepoint.data.pairs import held_out_pairs, pairs, unpaired
from saddlepoint.data.source import open_source
from saddlepoint.data.styles import read_tables, with_tones
from saddlepoint.errors import UsageError

pytestmark = pytest.mark.skipif(
    not lookup("avatars").installed, reason="dicebear-core, dicebear-styles or resvg-py is not installed"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_glasses_are_all_that_differs(cache: Path) -> None:
    found = pairs(open_source("glasses:adventurer:24", cache=cache), size=32)
    assert (len(found), found.shape, found.sides) == (24, (3, 32, 32), ("without", "with"))
    rows = np.arange(24)
    without, worn = found.source.pixels[rows].astype(int), found.target.pixels[rows].astype(int)
    changed = (np.abs(without - worn).max(3) > 20).reshape(24, -1).mean(1)
    # A pair of glasses is a small part of a picture, but of every picture, closed eyes behind shades included.
    assert changed.min() > 0.005
    assert changed.max() < 0.25
    plain = open_named("avatars:adventurer:24", size=32, cache=cache).pixels
    # The style itself draws glasses in a tenth: most faces are those of the plain set, bit for bit.
    assert np.mean([(a == b).all() for a, b in zip(plain, without, strict=True)]) > 0.7


def test_holding_out_keeps_pairs_together(cache: Path) -> None:
    source = open_source("glasses:adventurer:24", cache=cache, holdout=0.25)
    kept, held = pairs(source, size=32), held_out_pairs(source, size=32)
    assert (len(kept), len(held)) == (18, 6)
    apart = np.abs(held.source.pixels[np.arange(6)].astype(int) - held.target.pixels[np.arange(6)]).mean((1, 2, 3))
    assert apart.max() < 20


@pytest.mark.parametrize("spec", ["glasses:personas", "glasses:avataaars:9", "glasses:adventurer+glasses"])
def test_a_style_without_glasses_is_refused(cache: Path, spec: str) -> None:
    with pytest.raises(UsageError, match="no style with glasses") as caught:
        open_named(spec, cache=cache)
    assert "adventurer" in caught.value.fix


def test_two_styles_are_two_classes_with_an_attribute_in_common(cache: Path) -> None:
    source = open_source("styles:adventurer+big-smile:30", cache=cache)
    found = unpaired(source, size=16)
    assert found.sides == ("adventurer", "big-smile")
    assert (len(found.source), len(found.target)) == (30, 30)
    alone = open_named("avatars:big-smile:30", size=16, cache=cache)
    assert (found.target.pixels[np.arange(30)] == alone.pixels).all()
    with pytest.raises(UsageError, match="has no pairs"):
        pairs(source, size=16)
    tables = read_tables("adventurer+big-smile:30", (16, 16, 3), cache)
    for table, images in zip(tables, (found.source, found.target), strict=True):
        assert len(table) == 30
        for tone in ("skinTone", "hairTone"):
            assert table.labels(tone)[1] == ("dark", "light")
        labels, names = table.labels("skinTone")
        bright = images.pixels[np.arange(30)].mean((1, 2, 3))
        assert bright[labels == names.index("light")].mean() > bright[labels == names.index("dark")].mean()


def test_tones_follow_the_colors() -> None:
    table = Attributes.gather([{"skinColor": "#ffe4c0"}, {"skinColor": "#643d19"}, {"skinColor": "#e2ba87"}])
    tones = with_tones(table)
    assert [tones.of(row)["skinTone"] for row in range(3)] == ["light", "dark", "light"]
    assert "hairTone" not in tones.names


def test_what_is_not_there_has_no_tone() -> None:
    table = with_tones(Attributes.gather([{"hairColor": "#e5d7a3"}, {"hairVariant": "bald"}, {"hairColor": "#0e0e0e"}]))
    codes, values = table.labels("hairTone")
    assert [values[code] for code in codes] == ["light", "none", "dark"]


@pytest.mark.parametrize("spec", ["styles:adventurer", "styles:micah+micah", "styles:a+b+c"])
def test_anything_but_two_styles_is_refused(cache: Path, spec: str) -> None:
    with pytest.raises(UsageError, match="two styles") as caught:
        open_named(spec, cache=cache)
    assert caught.value.fix == "styles:adventurer+big-smile"
    with pytest.raises(UsageError, match="unknown style"):
        open_named("styles:adventurer+nobody", cache=cache)
    with pytest.raises(UsageError, match="not a count"):
        open_named("styles:adventurer+micah:many", cache=cache)
