"""Runs side by side on one page: what they draw, how they scored, and their curves over the same steps.

Written, as a run's report, from what lies in the folders alone; whatever is missing or damaged is left out.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import UsageError
from .atomic import replacing
from .embed import plot
from .evaluation import number, read_evaluation
from .log import Series, read_log, scores, series
from .page import figure, grid, page, paragraph, section, text
from .plots import LIGHT, Theme, as_bytes, smooth
from .portfolio import samples
from .sheets import scaled, titled

_SIDE = 420
"""Height and width of a run's samples on the sheet, pixels."""
_PANELS = 12
"""Values that are drawn at most."""


def compare(folders: Sequence[Path], path: Path) -> Path:
    """Writes a page that shows several runs side by side.

    Args:
        folders: of two runs or more.
        path: an .html file.

    Raises:
        UsageError: fewer than two runs, or one of them twice.
        DiskError: the file cannot be written.
    """
    names = [folder.resolve().name for folder in folders]
    if len(folders) < 2 or len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("two different runs or more can be compared", where="RUN", fix="saddle compare RUN RUN")
    logs = {name: read_log(folder / "log.jsonl") for name, folder in zip(names, folders, strict=True)}
    parts = [
        f'<header>\n<p class="kicker">saddlepoint</p>\n<h1>{text(" and ".join(names))}</h1></header>',
        _samples(dict(zip(names, folders, strict=True))),
        section("Scores", grid(["score", *names], score_rows(score_table(folders)))),
        _curves("Scores over steps", {name: scores(log) for name, log in logs.items()}),
        _curves("Losses over steps", {name: series(log) for name, log in logs.items()}),
    ]
    with replacing(path) as draft:
        draft.write_bytes(page("Runs side by side · saddlepoint", "\n".join(part for part in parts if part)))
    return path


def score_table(folders: Sequence[Path]) -> dict[str, list[float | None]]:
    """Of every score that any of the runs has, the value of each; None where it was not measured."""
    found = [_scores(folder) for folder in folders]
    names = dict.fromkeys(name for values in found for name in values)
    return {name: [values.get(name) for values in found] for name in names}


def score_rows(table: Mapping[str, Sequence[float | None]]) -> list[list[str]]:
    """The table as a person reads it."""
    return [[name, *map(number, values)] for name, values in table.items()]


def _scores(folder: Path) -> dict[str, float | None]:
    """The newest evaluation of a run by score and what it was measured against."""
    facts = read_evaluation(folder)
    return {
        f"{score['name']} ({score['against']})" if score.get("against") else str(score["name"]): score.get("value")
        for score in facts.get("scores", [])
    }


def _samples(folders: Mapping[str, Path]) -> str:
    """The last samples of each run under its name and step."""
    tiles = []
    for name, folder in folders.items():
        if found := samples(folder):
            step, path = found[-1]
            with Image.open(path) as image:
                factor = _SIDE / max(image.size)
                tile = Image.new("RGB", (_SIDE, _SIDE), "white")
                tile.paste(scaled(image, (round(image.width * factor), round(image.height * factor))), (0, 0))
            tiles.append((f"{name}, step {step:,}", tile))
    if not tiles:
        return ""
    sheet = titled(tiles, columns=min(len(tiles), 3))
    file = io.BytesIO()
    sheet.save(file, "WEBP", quality=85, method=4)
    return section("Samples", figure(plot(file.getvalue(), sheet.size).tag("The last samples of each run"), ""))


def _curves(title: str, curves: Mapping[str, Mapping[str, Series]]) -> str:
    """A panel for each value, a line for each run that logged it."""
    values = list(dict.fromkeys(value for found in curves.values() for value in found))[:_PANELS]
    if not values:
        return ""
    data, size = draw_curves(curves, values)
    said = paragraph(f"The first {_PANELS} values.", "note") if len(values) == _PANELS else ""
    return section(title, figure(plot(data, size).tag(title), "Smoothed; one color a run."), said)


def draw_curves(
    curves: Mapping[str, Mapping[str, Series]], values: Sequence[str], theme: Theme = LIGHT
) -> tuple[bytes, tuple[int, int]]:
    """A WebP of small plots, two a row, and its size in pixels.

    Args:
        curves: by run, then by value.
        values: which to draw.
        theme: its colors.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = -(-len(values) // 2)
    figure = Figure(figsize=(9.6, 2.4 * rows + 0.4), dpi=110, facecolor=theme.paper, layout=ConstrainedLayoutEngine())
    FigureCanvasAgg(figure)
    cells: list[Any] = list(figure.subplots(rows, 2, squeeze=False).ravel())
    for axes, value in zip(cells, values, strict=False):
        axes.set_title(value.replace("$", r"\$"), fontsize=9, color=theme.ink, loc="left")
        axes.tick_params(colors=theme.faint, labelsize=8, length=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color=theme.rule, linewidth=0.8)
        for index, (run, found) in enumerate(curves.items()):
            if value in found:
                curve = found[value]
                finite = np.where(np.isfinite(curve.values), curve.values, np.nan)
                color = theme.curves[index % len(theme.curves)]
                axes.plot(curve.steps, smooth(finite), color=color, linewidth=1.5, label=run.replace("$", r"\$"))
    for axes in cells[len(values) :]:
        axes.set_axis_off()
    lines = {line.get_label(): line for axes in cells for line in axes.lines}
    figure.legend(lines.values(), lines, loc="outside upper left", ncols=4, frameon=False, fontsize=9)
    data = as_bytes(figure, "webp")
    with Image.open(io.BytesIO(data)) as image:
        return data, image.size
