"""Pictures that the tests draw."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def draw(width: int = 24, height: int = 24, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A smooth picture without symmetry, another one for every seed."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    phase = np.random.default_rng(seed).uniform(0.5, 2, 3)
    bands = [127 + 120 * np.sin(p * (2 * x + i * y) + p) for i, p in enumerate(phase)]
    return Image.fromarray(np.stack(bands, -1).astype(np.uint8)).convert(mode)


def encode(image: Image.Image, form: str = "PNG", **settings: object) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, form, **settings)
    return file.getvalue()


def fill(folder: Path, count: int = 4, seed: int = 0, **size: int) -> Path:
    """A folder of `count` different PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(encode(draw(seed=seed + number, **size)))
    return folder


@pytest.fixture(name="draw")
def _draw() -> Callable[..., Image.Image]:
    return draw


@pytest.fixture(name="encode")
def _encode() -> Callable[..., bytes]:
    return encode


@pytest.fixture(name="fill")
def _fill() -> Callable[..., Path]:
    return fill
