"""One frame of a camera, through PyAV, which reads whatever FFmpeg does."""

from __future__ import annotations

import sys
from itertools import islice

import numpy as np

from ..errors import MissingError, UnavailableError, UsageError

PREFIX = "camera:"
"""What a camera's name begins with; a number follows."""

_WARMING = 10
"""Frames that are passed over: cameras need a moment to find their exposure."""


def snapshot(name: str) -> np.ndarray:
    """What a camera sees now, uint8 (H, W, 3).

    Args:
        name: `camera:0` for the first one.

    Raises:
        UsageError: no number.
        UnavailableError: cameras of this system are not reached by number.
        MissingError: there is no such camera, it gives no picture, or PyAV is not installed.
    """
    number = name.removeprefix(PREFIX)
    if not (number.isascii() and number.isdigit()):
        raise UsageError(f"cameras have numbers, got {name!r}", where="IN", fix=f"{PREFIX}0")
    try:
        import av
    except ImportError as error:
        raise MissingError(
            "cameras need PyAV, which is not installed", where=name, fix="pip install saddlepoint[video]"
        ) from error
    file, form = _device(int(number))
    try:
        with av.open(file, format=form) as container:
            frames = list(islice(container.decode(video=0), _WARMING))
    except (av.FFmpegError, OSError, ValueError) as error:  # the last where FFmpeg was built without that interface
        why = getattr(error, "strerror", None) or error
        raise MissingError(f"{name} cannot be opened: {why}", where=file, fix="plug it in, or name another") from error
    if not frames:
        raise MissingError(f"{name} gives no picture", where=file, fix="is another program using it?")
    pixels: np.ndarray = frames[-1].to_ndarray(format="rgb24")
    return pixels


def _device(number: int) -> tuple[str, str]:
    """What FFmpeg calls a camera, and the interface it is reached by."""
    if sys.platform == "linux":
        return f"/dev/video{number}", "v4l2"
    if sys.platform == "darwin":
        return str(number), "avfoundation"
    raise UnavailableError(
        f"cameras are not reached by number on {sys.platform}", where=PREFIX, fix="give a picture file instead"
    )
