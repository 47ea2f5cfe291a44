"""Train a small DCGAN on an array of pictures, look at samples, film a walk: the whole library in a page.

python examples/quickstart.py [STEPS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import saddlepoint


def disks(count: int, seed: int = 0) -> np.ndarray:
    """Colored disks on white, uint8 (count, 32, 32, 3): data that needs no download."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:32, :32]
    pictures = np.full((count, 32, 32, 3), 255, np.uint8)
    for picture in pictures:
        center, radius = rng.uniform(10, 22, 2), rng.uniform(4, 9)
        picture[(rows - center[0]) ** 2 + (columns - center[1]) ** 2 < radius**2] = rng.integers(0, 200, 3)
    return pictures


def main(steps: int) -> None:
    """Trains, samples and walks in a temporary folder."""
    with tempfile.TemporaryDirectory() as out:
        run = saddlepoint.train("dcgan", disks(512), size=32, width=16, batch=32, steps=steps, out=out, name="disks")
        images = run.sample(16, seed=0)
        print(f"{run.folder.name}: samples {tuple(images.shape)} in [{images.min():.2f}, {images.max():.2f}]")
        film = run.walk(Path(out) / "walk.webp", states=3, steps=4)
        print(f"film of {film.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
