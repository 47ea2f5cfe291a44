"""Pictures to pictures: what a distance learns, what the game, and what both; and styles that nobody has paired.

python benchmarks/pairs.py                               what is missing, one training after the other, hours of a core
python benchmarks/pairs.py --only l1 gan l1_gan          the three of Isola et al. 2017, table 1, on emoji
python benchmarks/pairs.py --only cyclegan --steps 100   shorter than the preset says

A tenth of the pictures is held out, and all that is measured is measured of it. Pairs: how far translations are from
the right answers, how sharp they are beside them, and how like in colors where the answer paints. Two styles: Fréchet
distance of translations to the target style beside that of the source as it is, the way there and back, and whether
light skin and light hair stay light, as told by a probe that learned it from the target style. May be killed at any
time; the same command goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evidence import RESULTS, by_name, entry, held, origin, precision, publish, typed
from PIL import Image, ImageCms
from torch import Tensor

from saddlepoint import evaluate, load
from saddlepoint.api import resume, train
from saddlepoint.data.cache import default_folder
from saddlepoint.data.images import Images
from saddlepoint.data.pairs import held_out_pairs
from saddlepoint.data.source import open_source
from saddlepoint.data.split import Rows, split
from saddlepoint.data.stream import labeled, scaled
from saddlepoint.data.styles import read_tables
from saddlepoint.evaluation.networks import network
from saddlepoint.metrics.classify import class_accuracy, probe
from saddlepoint.networks.progressive import enlarge
from saddlepoint.pictures.translations import comparison

EMOJI, STYLES, PIXELS = "openmoji", "styles", "styles:toon-head+pixel-art"
SHEETS = {EMOJI: "pairs-openmoji", STYLES: "pairs-styles", PIXELS: "pairs-pixels"}
SIZES = {EMOJI: 64, STYLES: 64, PIXELS: 32}
TRAININGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "l1": ("pix2pix", EMOJI, {"adversarial": 0.0}),
    "gan": ("pix2pix", EMOJI, {"l1": 0.0}),
    "l1_gan": ("pix2pix", EMOJI, {}),
    "cyclegan": ("cyclegan", STYLES, {}),
    "cyclegan_pixels": ("cyclegan", PIXELS, {"jitter": 0.0, "steps": 4000}),
    "discogan_pixels": ("discogan", PIXELS, {}),
}
PLAN: dict[str, Any] = {"precision": precision(), "threads": 1, "device": "cpu", "seed": 0}
HOLDOUT, SIDE, COUNT = 0.1, 96, 2000
TONES = ("skinTone", "hairTone")
TOLD = ("dark", "light", "none")
GALLERY = RESULTS.parent.parent / "docs" / "gallery"


def settings_of(name: str, shorter: dict[str, Any]) -> dict[str, Any]:
    """All that is chosen about a training."""
    _, data, settings = TRAININGS[name]
    return {"preset": "laptop", "size": SIZES[data], **settings, **shorter, "holdout": HOLDOUT, **PLAN}


def trained(name: str, runs: Path, shorter: dict[str, Any]) -> float:
    """Trains a model, or goes on; returns its minutes."""
    recipe, data, _ = TRAININGS[name]
    if (runs / name / "run.json").exists():
        run = resume(runs / name)
    else:
        run = train(recipe, data, name=name, out=runs, **settings_of(name, shorter))
    return float(run.run.facts()["seconds"]) / 60


def scores(run: Path) -> dict[str, dict[str, float | None]]:
    """Every score that `saddle eval` has of it, by name."""
    return by_name(evaluate(run, count=COUNT, side=SIDE, device="cpu").scores)


def sharpness(images: Tensor) -> float:
    """Mean absolute difference of neighbors, along rows and columns."""
    return float(images.diff(dim=2).abs().mean() + images.diff(dim=3).abs().mean())


def beside(run: Path) -> dict[str, Any]:
    """Translations of the held-out pairs beside their targets: sharpness, as a part of theirs, and shared colors."""
    pairs = held_out_pairs(open_source(EMOJI, holdout=HOLDOUT), size=SIZES[EMOJI])
    source, target = (picture_tensor(images) for images in (pairs.source, pairs.target))
    made = load(run, device="cpu").translate(source)
    painted = ((source - target).abs().mean(1) > 0.2).numpy()
    colors = {
        channel: round(shared(found, wanted), 4)
        for channel, found, wanted in zip("Lab", lab(made)[painted].T, lab(target)[painted].T, strict=True)
    }
    return {"sharpness": sharpness(made) / sharpness(target), "colors": colors}


def lab(pictures: Tensor) -> np.ndarray:
    """The colors of pictures (N, 3, H, W) in [-1, 1] as CIELAB, int (N, H, W, 3), each channel from 0 to 255."""
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    pixels = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    found = np.stack([np.asarray(ImageCms.applyTransform(Image.fromarray(each), to_lab)) for each in pixels])
    # a and b are signed, and gray is in their middle.
    return (found.astype(int) + np.array([0, 128, 128])) % 256


def shared(found: np.ndarray, wanted: np.ndarray) -> float:
    """Intersection of two histograms of 32 bins, from 0 to 1 (Isola et al. 2017, figure 7)."""
    parts = [np.histogram(values, bins=32, range=(0, 256))[0] / len(values) for values in (found, wanted)]
    return float(np.minimum(*parts).sum())


def picture_tensor(images: Images) -> Tensor:
    """All pictures of a set, float32 (N, C, H, W) in [-1, 1]."""
    return scaled(images.pixels[np.arange(len(images))])


def styles_by(data: str, tone: str) -> list[tuple[Images, Images]]:
    """Of each style what is trained on and what is held out, with that tone as the class, 0 for dark."""
    size = SIZES[data]
    whole = open_source(data).images(size=size)
    tables = read_tables(data.partition(":")[2], (size, size, 3), default_folder())
    assert whole.labels is not None, "the styles are its classes"
    sides = []
    for side, table in enumerate(tables):
        rows = np.flatnonzero(whole.labels == side)
        codes, values = table.labels(tone)
        found = np.array([TOLD.index(value) for value in values])[codes]
        part = replace(whole, pixels=Rows(whole.pixels, rows), labels=found, classes=TOLD)
        # Held out as in the training, and only then without those that have no such tone.
        learned, held_back = split(part, HOLDOUT)
        sides.append((_told(learned), _told(held_back)))
    return sides


def _told(images: Images) -> Images:
    """The pictures whose tone is light or dark."""
    assert images.labels is not None, "tones are its classes"
    rows = np.flatnonzero(images.labels < TOLD.index("none"))
    return replace(images, pixels=Rows(images.pixels, rows), labels=images.labels[rows], classes=TOLD[:2])


def kept(run: Path, data: str, tone: str, *, back: bool) -> dict[str, float]:
    """How often a probe of the style translated to finds in a translation the tone that its source has."""
    (_, source), (lessons, target) = styles_by(data, tone)[:: -1 if back else 1]
    look = network("lite0", device=torch.device("cpu"), side=SIDE)

    def seen(pictures: Tensor) -> Tensor:
        return torch.cat([look(piece).features for piece in pictures.split(100)])

    def first(images: Images, count: int) -> tuple[Tensor, Tensor]:
        return labeled(images, np.arange(min(count, len(images))))

    pictures, tones = first(lessons, COUNT)
    tell = probe(seen(pictures), tones)
    pictures, tones = first(source, COUNT // 2)
    other, other_tones = first(target, COUNT // 2)
    made = load(run, device="cpu").translate(pictures, back=back)
    return {
        "translated": class_accuracy(tell, seen(made), tones).overall,
        "as it is": class_accuracy(tell, seen(pictures), tones).overall,
        "target": class_accuracy(tell, seen(other), other_tones).overall,
        "most frequent": max(tones.double().mean().item(), 1 - tones.double().mean().item()),
    }


def row(name: str, runs: Path, shorter: dict[str, Any]) -> dict[str, Any]:
    """Trains a model and measures it."""
    minutes = trained(name, runs, shorter)
    found: dict[str, Any] = {
        "command": typed(*TRAININGS[name][:2], settings_of(name, shorter)),
        "minutes": round(minutes, 1),
        **origin(),
    }
    found["scores"] = scores(runs / name)
    data = TRAININGS[name][1]
    if data == EMOJI:
        found |= beside(runs / name)
    else:
        found["kept"] = {tone: kept(runs / name, data, tone, back=False) for tone in TONES}
        found["kept_back"] = {tone: kept(runs / name, data, tone, back=True) for tone in TONES}
    return found


def sheet(data: str, names: list[str], runs: Path) -> Image.Image:
    """Held-out pictures, from all over the set, and what each model makes of them, side by side."""
    if data == EMOJI:
        pairs = held_out_pairs(open_source(EMOJI, holdout=HOLDOUT), size=SIZES[EMOJI])
        source, answers = (_spread(images) for images in (pairs.source, pairs.target))
        columns = [("input", source), *((name, _made(runs / name, source)) for name in names), ("target", answers)]
    else:
        source, target = (_spread(side[1]) for side in styles_by(data, TONES[0]))
        recipes = {name: TRAININGS[name][0] for name in names}
        columns = [("input", source), *((recipe, _made(runs / name, source)) for name, recipe in recipes.items())]
        columns.append(("input", target))
        columns += [(f"{recipe}, back", _made(runs / name, target, back=True)) for name, recipe in recipes.items()]
    return comparison([(head, list(enlarge(pictures, 128 // SIZES[data]))) for head, pictures in columns])


def _spread(images: Images) -> Tensor:
    """Twelve pictures of a set, evenly spread over it."""
    return picture_tensor(images)[:: len(images) // 12][:12]


def _made(run: Path, pictures: Tensor, *, back: bool = False) -> Tensor:
    return load(run, device="cpu").translate(pictures, back=back)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(TRAININGS), choices=TRAININGS)
    parser.add_argument("--steps", type=int, help="rounds to play, instead of what the preset says")
    parser.add_argument("--runs", type=Path, default=Path("runs/pairs"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    shorter = {} if given.steps is None else {"steps": given.steps}
    rows: dict[str, dict[str, Any]] = held("pairs").get("rows", {})
    for name in given.only:
        if name in rows:
            continue
        rows[name] = row(name, given.runs, shorter)
        data = TRAININGS[name][1]
        names = [each for each in TRAININGS if each in rows and TRAININGS[each][1] == data]
        sheet(data, names, given.runs).save(GALLERY / f"{SHEETS[data]}.webp", quality=88)
        publish("pairs", {"holdout": HOLDOUT, "sizes": SIZES, "rows": rows}, seed=PLAN["seed"], as_json=given.json)


if __name__ == "__main__":
    entry(main)
