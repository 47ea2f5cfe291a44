"""Pictures inside a page: as data URIs, made smaller until they fit."""

from __future__ import annotations

import base64
import io
import itertools
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageSequence

from .film import on_white, write_film
from .page import text

_FORMATS = {"PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "JPEG": "image/jpeg"}
_FILM_SIDE = 420


class Embedded(NamedTuple):
    """A picture as the page holds it; `width` in pixels."""

    uri: str
    width: int
    height: int

    def tag(self, alt: str) -> str:
        """The `<img>` element."""
        return f'<img src="{self.uri}" width="{self.width}" height="{self.height}" alt="{text(alt)}">'


def embed(path: Path, max_bytes: int) -> Embedded | None:
    """A picture or a film of at most `max_bytes` before base64, which adds a third.

    The file is taken as it is if it fits. A still is otherwise packed as WebP and scaled down, a film becomes smaller,
    coarser and jerkier.

    Returns:
        None when there is no such file or nothing in it that can be read.
    """
    try:
        with Image.open(path, formats=tuple(_FORMATS)) as image:
            moving = getattr(image, "n_frames", 1) > 1
            taken = path.stat().st_size
            if taken <= max_bytes:
                image.load()  # a file cut short is found here, not by the reader of the page
                return Embedded(_uri(path.read_bytes(), _FORMATS[image.format or ""]), *image.size)
            return _smaller_film(image, taken, max_bytes) if moving else _smaller_still(image, max_bytes)
    except Exception:  # whatever is wrong with a picture, the rest of the page is worth having
        return None


def plot(data: bytes, size: tuple[int, int]) -> Embedded:
    """A plot in WebP."""
    return Embedded(_uri(data, "image/webp"), *size)


def _smaller_still(image: Image.Image, max_bytes: int) -> Embedded:
    still, quality = on_white(image), 85
    while True:
        file = io.BytesIO()
        still.save(file, "WEBP", quality=quality, method=4)
        if file.tell() <= max_bytes or max(still.size) < 64:
            return Embedded(_uri(file.getvalue(), "image/webp"), *still.size)
        if quality > 65:
            quality = 65
        else:
            scale = min(0.9, (max_bytes / file.tell()) ** 0.5)
            smaller = (max(1, int(still.width * scale)), max(1, int(still.height * scale)))
            still = still.resize(smaller, Image.Resampling.LANCZOS)


def _smaller_film(image: Image.Image, taken: int, max_bytes: int) -> Embedded:
    scale = min(1.0, _FILM_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Frames that would be given up anyway are not packed first: each trial costs seconds.
    every = max(1, round(taken * scale**2 / (1.3 * max_bytes)))
    image.seek(0)
    image.load()
    fps = 1000 / (image.info.get("duration") or 100) / every
    shown = itertools.islice(ImageSequence.Iterator(image), 0, None, every)
    frames = (on_white(frame).resize(size, Image.Resampling.LANCZOS) for frame in shown)
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.webp", frames, fps=fps, max_bytes=max_bytes)
        return Embedded(_uri(film.read_bytes(), "image/webp"), *size)


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
