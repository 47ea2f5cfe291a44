"""Films: WebP and GIF through Pillow, MP4 through PyAV.

Frames come one by one out of a generator network, and a film of a walk may hold thousands, so they are never all in
memory: they are spooled, packed, to a temporary file, from which an encoder reads them as often as it likes.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageSequence

from ..errors import MissingError, UsageError
from .atomic import replacing

# (fineness, keep every n-th frame): some detail goes first, then smoothness of motion, then more of both; never length.
_CONCESSIONS = ((1.0, 1), (0.75, 1), (0.6, 1), (0.75, 2), (0.6, 2), (0.45, 2), (0.6, 3), (0.4, 4), (0.25, 6), (0.1, 8))


class Reel(Image.Image):
    """Spooled frames as one Pillow image of many frames, of which only the one sought is in memory.

    Args:
        spool: RGB frames, each packed by zlib, end to end.
        bounds: where each frame begins in it, and where the last one ends.
        size: (width, height) of every frame.
        every: shows frames 0, n, 2n … only, so that an encoder sees a shorter film.
    """

    def __init__(self, spool: IO[bytes], bounds: list[int], size: tuple[int, int], every: int = 1) -> None:
        super().__init__()
        self._mode, self._size = "RGB", size
        self._spool, self._bounds, self.every = spool, bounds, every
        self.n_frames = len(range(0, len(bounds) - 1, every))
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Unpacks one frame; EOFError after the last one, as Pillow's iterators expect."""
        if frame >= self.n_frames:
            raise EOFError(f"the film ends at frame {self.n_frames - 1}")
        begin, end = self._bounds[frame * self.every : frame * self.every + 2]
        self._spool.seek(begin)
        self.im = Image.frombytes("RGB", self.size, zlib.decompress(self._spool.read(end - begin))).im
        self._frame = frame

    def tell(self) -> int:
        """The frame that is shown now."""
        return self._frame


def write_film(
    path: Path, frames: Iterable[Image.Image], *, fps: float, loop: bool = True, max_bytes: int | None = None
) -> Path:
    """Writes a film; the suffix chooses the codec: .webp, .gif or .mp4.

    Args:
        path: where to; written whole or not at all.
        frames: pictures of one size, at least one, drawn when they are needed. Transparent ones are laid on white.
        fps: frames per second. GIF counts in hundredths of a second, so 24 plays as 25.
        loop: whether players begin again at the end (MP4 leaves that to the player).
        max_bytes: the largest file wanted. To meet it the film becomes coarser and then jerkier (every second, third …
            frame, each shown that much longer); it is never cut short.

    Raises:
        UsageError: an unknown suffix, no frame, frames of several sizes, or no film that small can be made.
        MissingError: .mp4 is asked for and PyAV is not installed.
    """
    encode = {".webp": _write_webp, ".gif": _write_gif, ".mp4": _write_mp4}.get(path.suffix.lower())
    if encode is None:
        raise UsageError(f"{path.name!r} names no film format", where=str(path), fix="end it in .webp, .gif or .mp4")
    if not fps > 0:
        raise UsageError(f"a film cannot run at {fps} frames per second", fix="give a number above 0")
    with tempfile.TemporaryFile() as spool, replacing(path) as draft:
        bounds, size = _spool(spool, frames)
        taken, guess = 0, 0.0
        for fineness, every in _CONCESSIONS:
            # Bytes go about with fineness to the power 0.7; a form that would come out far too large is not tried.
            if max_bytes and guess / every * fineness**0.7 > 1.25 * max_bytes and every < _CONCESSIONS[-1][1]:
                continue
            encode(draft, Reel(spool, bounds, size, every), fps / every, loop, fineness)
            taken = draft.stat().st_size
            if max_bytes is None or taken <= max_bytes:
                return path
            guess = taken * every / fineness**0.7
        raise UsageError(
            f"{path.name} does not fit into {max_bytes:,} bytes: its coarsest form takes {taken:,}",
            fix="make fewer or smaller frames, or allow more bytes",
        )


def _spool(spool: IO[bytes], frames: Iterable[Image.Image]) -> tuple[list[int], tuple[int, int]]:
    """Packs frames into a file; returns where they begin and end, and their size."""
    bounds, size = [0], (0, 0)
    for index, frame in enumerate(frames):
        size = size if index else frame.size
        if frame.size != size:
            raise UsageError(f"frame {index} of the film is {frame.size}, but the frames before it are {size}")
        bounds.append(bounds[-1] + spool.write(zlib.compress(on_white(frame).tobytes(), 1)))
    if len(bounds) == 1:
        raise UsageError("a film without a frame cannot be written")
    return bounds, size


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB, with white shining through where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), layer).convert("RGB")


def _write_webp(path: Path, reel: Reel, fps: float, loop: bool, fineness: float) -> None:
    """Every frame is a key frame; between those libwebp keeps pixels that differ a little: slow fades would stutter."""
    options = {"kmin": 0, "kmax": 1, "quality": round(80 * fineness), "method": 4}
    reel.save(path, None, save_all=True, duration=1000 / fps, loop=0 if loop else 1, **options)


def _write_gif(path: Path, reel: Reel, fps: float, loop: bool, fineness: float) -> None:
    """All frames share the colors of a contact sheet of eight of them, so that they do not flicker."""
    shown = range(0, reel.n_frames, max(1, reel.n_frames // 8))
    contact = Image.new("RGB", (reel.width, reel.height * len(shown)))
    for place, index in enumerate(shown):
        reel.seek(index)
        contact.paste(reel, (0, place * reel.height))
    colors = contact.quantize(max(8, round(256 * fineness)), method=Image.Quantize.MEDIANCUT)
    # Dithering looks like noise in motion and doubles the size.
    frames = (frame.quantize(palette=colors, dither=Image.Dither.NONE) for frame in ImageSequence.Iterator(reel))
    forever: dict[str, Any] = {"loop": 0} if loop else {}
    duration = max(20, round(100 / fps) * 10)  # browsers slow anything faster than 20 ms down to 100 ms
    next(frames).save(path, save_all=True, append_images=frames, duration=duration, optimize=False, **forever)


def _write_mp4(path: Path, reel: Reel, fps: float, loop: bool, fineness: float) -> None:
    try:
        import av
    except ImportError as error:
        raise MissingError(
            "MP4 films need PyAV, which is not installed",
            where=path.name,
            fix="pip install saddlepoint[video], or end the name in .webp",
        ) from error
    even = (reel.width + reel.width % 2, reel.height + reel.height % 2)  # H.264 halves the resolution of color
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = even
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(round(20 + 20 * (1 - fineness)))}
        for frame in ImageSequence.Iterator(reel):
            canvas = frame.resize(even)  # an added row or column looks like its neighbor, not like a black line
            canvas.paste(frame, (0, 0))
            container.mux(stream.encode(av.VideoFrame.from_image(canvas)))
        container.mux(stream.encode())
