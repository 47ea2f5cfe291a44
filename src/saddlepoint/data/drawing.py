"""Draws a range of avatars, in a process of its own: `python -m saddlepoint.data.drawing JOB`.

Neither making an avatar nor rendering it lets go of Python's lock, so threads do not help; and a process started this
way, unlike one of `multiprocessing`, never imports the user's script again. It imports no PyTorch. JOB is a `Job` as
JSON. Pixels go straight into the mapped file; one line of JSON on standard output, the attributes of the pictures just
drawn, says how far it is. When the reader is gone the next line fails and the process ends.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from saddlepoint.packages import package_file

BACKGROUND = "#cfe3f5"  # a pale sky blue: no style's skin, hair or ink has it
_LINE = 25  # pictures between two signs of life, about a tenth of a second
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# Drawn this often, in percent, where the style's own 10 would leave a network too few to learn from.
_RAISED = {"avataaars": {"accessoriesProbability": 50, "facialHairProbability": 40}}


@dataclass(frozen=True)
class Job:
    """Which avatars to draw, and where to.

    Attributes:
        style: name of the style.
        first: number of the first picture, which is also its seed.
        last: number after the last picture.
        pixels: the .npy file of all pictures, uint8 (N, H, W, C).
        renditions: how each picture is drawn, side by side, from left to right: in how many of a hundred pictures a
            part is drawn that the style itself draws seldom. The attributes are those of the last.
    """

    style: str
    first: int
    last: int
    pixels: str
    renditions: Sequence[Mapping[str, int]]


def style_file(style: str) -> Path:
    """The definition of a style; it need not exist.

    Raises:
        PackageNotFoundError: the styles are not installed.
    """
    return package_file("dicebear-styles", f"dicebear_styles/{style}.json")


def seldom(style: str) -> list[str]:
    """Parts that a style draws in some pictures only, or leaves out in some."""
    parts = json.loads(style_file(style).read_text(encoding="utf-8"))["components"]
    return [name for name, part in parts.items() if part.get("probability", 100) < 100]


def draw(
    style: str, seeds: range, height: int, width: int, channels: int, percent: Mapping[str, int] | None = None
) -> Iterator[tuple[np.ndarray, dict[str, str]]]:
    """Avatars as uint8 (height, width, channels), each with its attributes; the same seed is the same picture.

    Rendered at the size asked for, not shrunk to it. With 4 channels the background stays transparent, else it is
    `BACKGROUND`. Where the sides differ, the middle of the square picture is cut out. In how many of a hundred
    pictures a part is drawn, if `percent` says so, changes nothing else about a picture.
    """
    import resvg_py
    from dicebear import Avatar, Style

    definition = Style(json.loads(style_file(style).read_text(encoding="utf-8")))
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    background = None if channels == 4 else BACKGROUND
    probabilities = _RAISED.get(style, {}) | {f"{part}Probability": share for part, share in (percent or {}).items()}
    for seed in seeds:
        avatar = Avatar(definition, {"seed": str(seed), **probabilities}).to_json()
        png = resvg_py.svg_to_bytes(
            svg_string=avatar["svg"], width=side, height=side, background=background, skip_system_fonts=True
        )
        picture = np.asarray(Image.open(io.BytesIO(png)).convert(_MODES[channels])).reshape(side, side, channels)
        yield picture[top : top + height, left : left + width], _attributes(avatar["options"])


def _attributes(options: dict[str, Any]) -> dict[str, str]:
    """Which variants and colors an avatar has, as text; how its parts are turned and shifted is left out."""
    return {
        key: " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in options.items()
        if key.endswith(("Variant", "Color")) and value
    }


def main(argument: str) -> None:
    """Does the job and tells of it."""
    job = Job(**json.loads(argument))
    pixels = np.lib.format.open_memmap(job.pixels, mode="r+")
    height, width, channels = pixels.shape[1:]
    seeds, each = range(job.first, job.last), width // len(job.renditions)
    sides = [draw(job.style, seeds, height, each, channels, percent) for percent in job.renditions]
    drawn: list[dict[str, str]] = []
    for number, pictures in enumerate(zip(*sides, strict=True), job.first):
        pixels[number] = np.concatenate([picture for picture, _ in pictures], axis=1)
        drawn.append(pictures[-1][1])
        if len(drawn) == _LINE or number == job.last - 1:
            sys.stdout.write(json.dumps({"first": number + 1 - len(drawn), "attributes": drawn}) + "\n")
            sys.stdout.flush()
            drawn = []


if __name__ == "__main__":
    main(sys.argv[1])
