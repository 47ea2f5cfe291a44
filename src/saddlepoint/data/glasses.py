"""Avatars without and with glasses: each seed drawn twice, side by side, alike in everything else.

`glasses`, `glasses:STYLE` or `glasses:STYLE:COUNT`, as of `avatars`; of the styles that draw glasses as such, not among
other accessories.
"""

from __future__ import annotations

from pathlib import Path

from saddlepoint.data.avatars import choose, draw_all, made_by, styles
from saddlepoint.data.drawing import seldom
from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import shelved
from saddlepoint.errors import UsageError

SIDES = ("without", "with")
_PART = "glasses"

Size = tuple[int, int, int]


def open_glasses(text: str, size: Size, root: Path, watch: Watch) -> Images:
    """The pairs, without glasses left and with them right.

    Args:
        text: what stands after `glasses:`.
        size: height, width of both together, channels.
        root: the cache.
        watch: follows the drawing, 4 to 10 milliseconds a pair and core.

    Raises:
        UsageError: an unknown style, or one without glasses.
    """
    style, count = choose(text)
    if _PART not in seldom(style.name) or style.often:
        names = ", ".join(other.name for other in styles() if _PART in seldom(other.name))
        raise UsageError(f"'{style.spelled}' is no style with glasses", where=f"glasses:{text}", fix=f"one of: {names}")
    folder = root / "sets" / f"glasses-{style.name}-{count}-{made_by(size)}"
    twice = [{_PART: 0}, {_PART: 100}]
    name = f"glasses:{style.name}"
    return shelved(folder, name, lambda partial: draw_all(partial, style, count, size, watch, twice), watch)
