"""How fast batches come from a folder of pictures: Pillow in a DataLoader with two workers, and saddlepoint's cache.

Both read the same folder of 64x64 PNG, shuffled, as float32 batches in [-1, 1], in turn in one process. The first
epoch of the cache scans and decodes; the ratio is of the second, when decoding is done for good.

    python benchmarks/data.py            about a minute on two cores
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from evidence import entry, publish
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from saddlepoint.data.source import open_source


class Folder(Dataset[Tensor]):
    """What a tutorial writes: open, convert, scale, whenever a picture is asked for."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.glob("*.png"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        pixels = np.asarray(Image.open(self.paths[index]).convert("RGB"))
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 127.5 - 1


def write_pictures(folder: Path, count: int, seed: int) -> None:
    """Smooth random pictures, which compress as drawings do."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        coarse.resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{number:05d}.png")


def epoch(batches: Iterable[object]) -> float:
    """Seconds to see every batch once."""
    began = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=6400)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        pictures, cache = Path(root) / "pictures", Path(root) / "cache"
        pictures.mkdir()
        write_pictures(pictures, given.count, given.seed)
        loader = DataLoader(Folder(pictures), given.batch, shuffle=True, num_workers=2, persistent_workers=True)
        began = time.perf_counter()
        stream = open_source(pictures, cache=cache).images(size=64, channels=3).stream(given.batch)
        starts = range(0, given.count - given.batch + 1, given.batch)
        first = time.perf_counter() - began + epoch(stream.read(start, given.batch) for start in starts)
        epoch(loader)  # its workers start here
        times: dict[str, list[float]] = {"loader": [], "cache": []}
        for number in range(1, 4):
            times["loader"].append(epoch(loader))
            shifted = (stream.read(number * given.count + start, given.batch) for start in starts)
            times["cache"].append(epoch(shifted))
    loader_rate, cache_rate = (given.count / sorted(times[name])[1] for name in ("loader", "cache"))
    figures = {
        "cache_ratio": round(cache_rate / loader_rate, 2),
        "cache_images_per_second": round(cache_rate),
        "loader_images_per_second": round(loader_rate),
        "first_epoch_images_per_second": round(given.count / first),
    }
    publish("data", figures, seed=given.seed, as_json=given.json)


if __name__ == "__main__":
    entry(main)
