"""Which score notices what: real pictures, spoiled in known ways at three strengths each, measured as if generated.

python benchmarks/sensitivity.py [--sets avatars digits] [--count 2000] [--side 96] [--json]

A set is cut into three parts of equal size: one is the training data, one is held out, and the third plays the perfect
generator, whose samples are then spoiled:

    blur           by a Gaussian, deviation in pixels
    noise          of that deviation on the scale 0 … 1
    collapse       only one in so many samples is different, the others are its copies
    memorization   so large a share of the samples are copies of training pictures
    imbalance      one half of the kinds comes up so many times less often (digits 0 to 4; dark pictures)
    jpeg           compression, 100 less its quality

A score notices a strength when it leaves the interval, or for scores without one the range, that three unspoiled
generators span. About fifty minutes on one core; may be killed at any time, the same command goes on.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from evidence import by_name, entry, held, publish
from PIL import Image, ImageFilter

from saddlepoint.data.cache import default_folder
from saddlepoint.data.images import Images
from saddlepoint.data.source import open_source
from saddlepoint.evaluation.comparison import Score
from saddlepoint.evaluation.evaluate import compared, measured
from saddlepoint.evaluation.families import choose
from saddlepoint.evaluation.networks import network
from saddlepoint.evaluation.sides import Set, Side
from saddlepoint.evaluation.sight import Sight
from saddlepoint.evaluation.subject import HELD_OUT, TRAINING, Subject

SETS = {"avatars": ("avatars:adventurer:20000", 64), "digits": ("mnist", 32)}
METRICS = ("fd", "kd", "is", "precision", "swd", "ms_ssim", "memory", "nearest_neighbor")
UNSPOILED = 3  # generators that show how much a score varies by itself

Pixels = np.ndarray
"""Uint8 (N, H, W, C)."""
Spoil = Callable[["Parts", float], Pixels]


class Parts:
    """A set in parts: `training`, `held_out`, and `fresh`, of which `samples` takes as many as the others have."""

    def __init__(self, images: Images, count: int) -> None:
        order = np.random.Generator(np.random.Philox(key=1)).permutation(len(images))
        self.count, self.images = count, images
        self.training, self.held_out = order[:count], order[count : 2 * count]
        self.fresh = order[2 * count :]
        self.kinds = kinds(images)

    def pixels(self, rows: np.ndarray) -> Pixels:
        return np.ascontiguousarray(self.images.pixels[np.asarray(rows)])

    @property
    def samples(self) -> Pixels:
        return self.pixels(self.fresh[: self.count])


def kinds(images: Images) -> np.ndarray:
    """Two kinds of pictures, bool (N,): the first half of the classes, or where there are none the darker half."""
    if images.labels is not None:
        return np.asarray(images.labels) < len(images.classes) // 2
    brightness = np.array([picture.mean() for picture in images.pixels])
    return brightness < np.median(brightness)


def through_pillow(pixels: Pixels, change: Callable[[Image.Image], Image.Image]) -> Pixels:
    """Each picture changed by Pillow."""
    pictures = (Image.fromarray(one.squeeze(2) if one.shape[2] == 1 else one) for one in pixels)
    return np.stack([np.asarray(change(picture)) for picture in pictures]).reshape(pixels.shape)


def blur(parts: Parts, deviation: float) -> Pixels:
    return through_pillow(parts.samples, lambda picture: picture.filter(ImageFilter.GaussianBlur(deviation)))


def noise(parts: Parts, deviation: float) -> Pixels:
    drawn = np.random.Generator(np.random.Philox(key=2)).standard_normal(parts.samples.shape)
    return (parts.samples + 255 * deviation * drawn).round().clip(0, 255).astype(np.uint8)


def collapse(parts: Parts, factor: float) -> Pixels:
    return parts.samples[np.arange(parts.count) % max(1, round(parts.count / factor))]


def memorization(parts: Parts, share: float) -> Pixels:
    copies = round(share * parts.count)
    return np.concatenate([parts.pixels(parts.training[:copies]), parts.samples[copies:]])


def imbalance(parts: Parts, factor: float) -> Pixels:
    kind = parts.kinds[parts.fresh]
    few = round(parts.count / 2 / factor)
    rows = np.concatenate([parts.fresh[kind][:few], parts.fresh[~kind][: parts.count - few]])
    return parts.pixels(rows)


def jpeg(parts: Parts, loss: float) -> Pixels:
    def packed(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=round(100 - loss))
        return Image.open(file).convert(picture.mode)

    return through_pillow(parts.samples, packed)


SPOILED: dict[str, tuple[Spoil, tuple[float, float, float]]] = {
    "blur": (blur, (0.5, 1.0, 2.0)),
    "noise": (noise, (0.02, 0.05, 0.1)),
    "collapse": (collapse, (4, 16, 64)),
    "memorization": (memorization, (0.1, 0.5, 1.0)),
    "imbalance": (imbalance, (2, 4, 16)),
    "jpeg": (jpeg, (25, 60, 85)),
}


def judged(parts: Parts, pixels: Pixels, sight: Sight) -> dict[str, dict[str, float | None]]:
    """Every score of pictures that play the samples, those on the held-out part by that name."""
    real: dict[str, Side] = {
        TRAINING: whole(parts.pixels(parts.training)),
        HELD_OUT: whole(parts.pixels(parts.held_out)),
    }
    comparisons = compared(Subject(whole(pixels), real, {}), sight, 0)
    found: list[Score] = []
    for family in choose(METRICS, points=False):
        found += measured(family, comparisons if family.name == "memory" else comparisons[:1])
    return by_name(found)


def whole(pixels: Pixels) -> Set:
    return Set(Images.of(pixels))


def table(name: str, count: int, sight: Sight, rows: dict[str, Any]) -> Iterator[str]:
    """Measures what is missing in the rows of a set, one disturbance after the other; gives the name of each."""
    spec, size = SETS[name]
    parts = Parts(open_source(spec).images(size=size), count)
    if "unspoiled" not in rows:
        starts = range(0, UNSPOILED * count, count)
        rows["unspoiled"] = [judged(parts, parts.pixels(parts.fresh[at : at + count]), sight) for at in starts]
    for what, (spoil, strengths) in SPOILED.items():
        if what not in rows:
            rows[what] = [{"strength": s, "scores": judged(parts, spoil(parts, s), sight)} for s in strengths]
            rows["noticed"] = {done: noticed(rows, done) for done in SPOILED if done in rows}
            yield what


def noticed(rows: dict[str, Any], what: str) -> dict[str, dict[str, Any]]:
    """Of each score, how many of the strengths it notices, and whether it moves one way and never back.

    At the end of its scale a score may rest: recall cannot fall below zero.
    """
    found = {}
    for score in rows["unspoiled"][0]:
        usual = [each[score][end] for each in rows["unspoiled"] for end in ("value", "low", "high")]
        low, high = (pick(value for value in usual if value is not None) for pick in (min, max))
        values = [row["scores"][score]["value"] for row in rows[what]]
        path = [float(np.mean([each[score]["value"] for each in rows["unspoiled"]])), *values]
        steps = np.diff(path)
        found[score] = {
            "noticed": sum(not low <= value <= high for value in values),
            "monotone": bool(steps.any() and ((steps >= 0).all() or (steps <= 0).all())),
            "direction": "up" if values[-1] > high else "down" if values[-1] < low else "",
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    parser.add_argument("--count", type=int, default=2000, help="pictures in each part")
    parser.add_argument("--side", type=int, default=96, help="pixels that the network looks at")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.manual_seed(0)
    sight = Sight(network("lite0", device=torch.device("cpu"), side=given.side), default_folder() / "features")
    how = {"count": given.count, "network": sight.name}
    before = held("sensitivity")
    figures = {name: before[name] for name in SETS if name in before and how.items() <= before.items()}
    for name in given.sets:
        for what in table(name, given.count, sight, figures.setdefault(name, {})):
            print(name, what, file=sys.stderr, flush=True)
            publish("sensitivity", {**how, **figures}, seed=0, as_json=given.json)


if __name__ == "__main__":
    entry(main)
