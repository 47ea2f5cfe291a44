"""Every picture of a run, made of what lies in its folder.

The samples are the negatives: `samples/step-000500.png`, the same latents at every step. The evolution sheet, the
film and the comparison are developed from them, as often as wanted, also long after the run or its crash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from . import negatives
from .film import write_film
from .log import read_log
from .sheets import evenly, evolution_sheet, real_vs_fake, scaled
from .translations import read_layout

if TYPE_CHECKING:
    from torch import Tensor

_STEP = re.compile(r"step-(\d+)\.png")
_FRAMES = 240
CORNER = 4
"""Rows, and of samples columns too, of the part of a sheet that is shown step by step."""
_SIDE = 480
_LARGEST_SIDE = 720


def samples(folder: Path) -> list[tuple[int, Path]]:
    """(step, file) of the sample sheets of a run that can be opened, in the order of steps."""
    found = [(int(match[1]), path) for path in folder.glob("samples/*.png") if (match := _STEP.fullmatch(path.name))]
    return sorted(entry for entry in found if _readable(entry[1]))


def update(folder: Path, *, real: Tensor | None = None, film: bool = True) -> list[Path]:
    """Makes `losses.png`, `evolution.png`, `real_vs_fake.png`, the film and `report.html` anew.

    For a run on points, evolution and comparison show them over the true density, and `modes.png` how modes are hit.

    Args:
        folder: a run's folder, finished, running or crashed; what has no material yet is not made.
        real: images of the data (N, C, H, W) in [-1, 1], to stand beside the generated ones.
        film: make the film too, which takes longest.

    Returns:
        The files that were made.

    Raises:
        DiskError: the folder cannot be written to.
    """
    from .report import write_report

    made = []
    if records := read_log(folder / "log.jsonl"):
        from .plots import losses

        made.append(losses(records, folder / "losses.png"))
    if truth := negatives.truth(folder):
        made += _of_points(folder, truth)
    elif samples(folder):
        made.append(evolution(folder, cell=_cell(folder) if real is None else (real.shape[-1], real.shape[-2])))
        if real is not None:
            made.append(comparison(folder, real))
    if film:
        made += progress_film(folder)
    return [*made, write_report(folder)]


def evolution(folder: Path, *, cell: tuple[int, int] | None = None) -> Path:
    """Writes `evolution.png`: the samples at 20 steps of the run.

    Args:
        folder: a run with at least one sample sheet.
        cell: (width, height) of one image on the sheets; then the upper left 4 x 4 of each are shown, large enough to
            see a face in, and without it whole sheets. Of translations four whole rows are shown.
    """
    from .grid import save

    found, layout = samples(folder), read_layout(folder / "samples")
    columns = len(layout.heads) if layout else CORNER
    cell = layout.cell if layout else cell
    frames = []
    for index in evenly(len(found), 20):
        step, path = found[index]
        with Image.open(path) as sheet:
            frames.append((step, _corner(sheet, cell, columns) if cell else sheet.copy()))
    return save(evolution_sheet(frames), folder / "evolution.png")


def comparison(folder: Path, real: Tensor) -> Path:
    """Writes `real_vs_fake.png`: as many real images as the last sample sheet has, in as many columns, beside it."""
    from .grid import PADDING, grid, save

    with Image.open(samples(folder)[-1][1]) as fake:
        columns = max(1, round((fake.width + PADDING) / (real.shape[-1] + PADDING)))
        rows = max(1, round((fake.height + PADDING) / (real.shape[-2] + PADDING)))
        sheet = real_vs_fake(grid(real[: columns * rows], columns=columns), fake)
    return save(sheet, folder / "real_vs_fake.png")


def _of_points(folder: Path, truth: negatives.Truth) -> list[Path]:
    """Writes `evolution.png`, `real_vs_fake.png` and `modes.png` of a run on points, and any print that is missing."""
    from . import plane
    from .grid import save

    views = negatives.views(folder)
    if not views:
        return []
    for view in views:
        if not (path := folder / "samples" / f"step-{view.step:06d}.png").exists():
            plane.draw(truth, view).save(path)
    shown = [views[index] for index in evenly(len(views), 20)]
    frames = [(view.step, plane.portrait(truth, view.points, side=300, hits=view.hits)) for view in shown]
    real = plane.portrait(truth, truth.points, color=plane.REAL)
    fake = plane.portrait(truth, views[-1].points, hits=views[-1].hits)
    made = [
        save(evolution_sheet(frames), folder / "evolution.png"),
        save(real_vs_fake(real, fake, what="points"), folder / "real_vs_fake.png"),
    ]
    if any(view.hits for view in views):
        from .mode_history import mode_history

        made.append(mode_history(views, folder / "modes.png"))
    return made


def progress_film(folder: Path, *, fps: float = 8) -> list[Path]:
    """Writes `progress.webp`, the samples learning to look like something; `progress.mp4` too where PyAV is installed.

    Of more than 240 sample sheets 240 are shown, at most 720 pixels wide, in at most 8 MB.

    Returns:
        The films; none for a run without samples.
    """
    found = samples(folder)
    if not found:
        return []
    found = [found[index] for index in evenly(len(found), _FRAMES)]
    suffixes = [".webp", ".mp4"] if find_spec("av") else [".webp"]
    return [
        write_film(folder / f"progress{suffix}", _labeled(found, fps), fps=fps, max_bytes=8_000_000)
        for suffix in suffixes
    ]


def _labeled(found: list[tuple[int, Path]], fps: float) -> Iterator[Image.Image]:
    """The frames of the film, each above a line that tells the step; the last one rests for a second and a half."""
    last, last_path = found[-1]
    with Image.open(last_path) as image:
        longest = max(image.size)
        factor = max(1, round(_SIDE / longest)) if longest <= _LARGEST_SIDE else _LARGEST_SIDE / longest
        size = (round(image.width * factor), round(image.height * factor))
    font, foot = ImageFont.load_default(15), 34
    for step, path in found:
        frame = Image.new("RGB", (size[0], size[1] + foot), "#17181b")
        with Image.open(path) as image:
            frame.paste(scaled(image, size), (0, 0))
        draw = ImageDraw.Draw(frame)
        draw.text((12, size[1] + foot / 2 + 1), f"step {step:,}", fill="#e8e9ec", font=font, anchor="lm")
        draw.line((-1, size[1] + 1, size[0] * step / max(1, last) - 1, size[1] + 1), fill="#e69f00", width=3)
        yield frame
    for _ in range(round(1.5 * fps)):
        yield frame


def _cell(folder: Path) -> tuple[int, int] | None:
    """(width, height) of the run's images, if run.json tells."""
    try:
        data = json.loads((folder / "run.json").read_bytes())["data"]
        width, height = int(data["width"]), int(data["height"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _corner(sheet: Image.Image, cell: tuple[int, int], columns: int) -> Image.Image:
    """The upper left images of a sheet, in four rows."""
    from .grid import PADDING

    width, height = columns * (cell[0] + PADDING) - PADDING, CORNER * (cell[1] + PADDING) - PADDING
    return sheet.crop((0, 0, min(width, sheet.width), min(height, sheet.height)))


def _readable(path: Path) -> bool:
    """Whether a picture is whole; one that a crash or a disk has damaged is passed over."""
    try:
        with Image.open(path) as image:
            image.verify()
    except Exception:  # Pillow lets through whatever its decoders trip over
        return False
    return True
