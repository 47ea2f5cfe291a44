"""OpenMoji: emoji as line drawings and in color, from the same hands, so that line falls on line.

One picture per drawing, as in `emoji`: of a family that differs by skin tone or gender only the first is kept. The
group of flags is left out. Rendered on white at the size asked for.
"""

from __future__ import annotations

import io
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from saddlepoint.data.emoji import firsts
from saddlepoint.data.images import Images
from saddlepoint.data.scan import Watch
from saddlepoint.data.shelf import Contents, allocate, shelved
from saddlepoint.data.tarballs import Tarball, read

SIDES = ("lines", "colors")
COUNT = 2_004
PACKAGE = Tarball(
    "openmoji", "17.0.0", "EBnYrNGdcdw+OSXmENeNE1yBNRu6tOraTmoOyUbJkTmvT/+XETp8RZLSJFzD3lrPc5N9CzsyPnRTk0Vp4UaI9w=="
)
_FOLDERS = ("black/svg", "color/svg")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

Size = tuple[int, int, int]


def open_openmoji(size: Size, root: Path, watch: Watch) -> Images:
    """The pairs, lines left and colors right.

    Args:
        size: height, width of both together, channels; with 4 channels the background stays transparent.
        root: the cache.
        watch: follows the rendering, about a millisecond a pair.

    Raises:
        DataError: the package holds something else.
        MissingError: the package is not here.
    """
    shape = "x".join(map(str, size))
    folder = root / "sets" / f"openmoji-{PACKAGE.version}-{shape}-{version('resvg-py')}"
    return shelved(folder, "openmoji", lambda partial: _make(partial, size, watch), watch)


def _make(folder: Path, size: Size, watch: Watch) -> Contents:
    table = "data/openmoji.json"
    files = read(PACKAGE, lambda name: name == table or name.startswith(_FOLDERS))
    codes = list(firsts(row["hexcode"] for row in json.loads(files[table]) if row["group"] != "flags"))
    pixels = allocate(folder, (len(codes), *size))
    half = size[1] // 2
    for number, code in enumerate(codes):
        watch.check()
        for side, drawings in enumerate(_FOLDERS):
            drawing = files[f"{drawings}/{code}.svg"].decode("utf-8")
            pixels[number, :, side * half : (side + 1) * half] = render(drawing, size[0], size[2])
        watch.progress(number + 1, len(codes))
    return Contents(about={"package": PACKAGE.requirement, "license": "CC BY-SA 4.0", "creator": "OpenMoji"})


def render(drawing: str, side: int, channels: int) -> np.ndarray:
    """A square SVG as uint8 (side, side, channels), on white unless there is an alpha channel."""
    import resvg_py

    background = None if channels == 4 else "#ffffff"
    png = resvg_py.svg_to_bytes(
        svg_string=drawing, width=side, height=side, background=background, skip_system_fonts=True
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert(_MODES[channels])).reshape(side, side, channels)
