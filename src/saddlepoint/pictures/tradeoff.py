"""Fidelity against variety, as a curve: what each threshold of a truncation costs and gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .atomic import replacing, write_record
from .evaluation import number
from .plots import LIGHT, Theme, as_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RECORD, CURVE = "tradeoff.json", "curve.png"
NONE = "none"
"""What stands for no truncation."""


def write_tradeoff(folder: Path, facts: Mapping[str, Any]) -> list[Path]:
    """Writes `tradeoff.json` and `curve.png` into a folder.

    Args:
        folder: made if need be.
        facts: of `Tradeoff.facts()`.

    Raises:
        DiskError: the folder cannot be written to.
    """
    write_record(folder / RECORD, facts)
    with replacing(folder / CURVE) as draft:
        draft.write_bytes(draw_tradeoff(facts))
    return [folder / RECORD, folder / CURVE]


def tradeoff_rows(points: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """A row for each threshold, the head first."""
    names = list(dict.fromkeys(score["name"] for point in points for score in point["scores"]))
    rows = [["truncation", *names]]
    for point in points:
        values = {score["name"]: score["value"] for score in point["scores"]}
        rows.append([_said(point["truncation"]), *(number(values.get(name)) for name in names)])
    return rows


def draw_tradeoff(facts: Mapping[str, Any], format: str = "png", theme: Theme = LIGHT) -> bytes:
    """The curve of precision against recall and, beside it, the Fréchet distance by threshold, as bytes of a file.

    Args:
        facts: of `Tradeoff.facts()`.
        format: of the file.
        theme: its colors.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    points = facts["points"]
    words = [_said(point["truncation"]) for point in points]
    figure = Figure(figsize=(9.6, 4.6), dpi=150, facecolor=theme.paper, layout=ConstrainedLayoutEngine(w_pad=0.12))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    recall, precision, distance = (_values(points, family) for family in ("recall", "precision", "fd"))
    _plain(left, "recall: variety", "precision: fidelity", theme)
    left.plot(recall, precision, color=theme.curves[0], linewidth=1.8, marker="o", markersize=5)
    for x, y, word in zip(recall, precision, words, strict=True):
        left.annotate(word, (x, y), (6, 5), textcoords="offset points", color=theme.ink, fontsize=8.5)
    left.set_xlim(-0.02, 1.15 * _largest(recall) + 0.02)
    left.set_ylim(-0.02, 1.1 * _largest(precision) + 0.02)
    _plain(right, "truncation", "Fréchet distance", theme)
    right.plot(range(len(words)), distance, color=theme.curves[1], linewidth=1.8, marker="o", markersize=5)
    right.set_xticks(range(len(words)), words)
    right.set_ylim(0, 1.1 * _largest(distance))
    return as_bytes(figure, format)


def _plain(axes: Axes, across: str, up: str, theme: Theme) -> None:
    axes.set_facecolor(theme.paper)
    axes.grid(color=theme.rule, linewidth=0.8)
    axes.tick_params(colors=theme.faint, labelsize=9, length=0)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_xlabel(across, color=theme.faint, fontsize=9)
    axes.set_ylabel(up, color=theme.faint, fontsize=9)


def _values(points: Sequence[Mapping[str, Any]], family: str) -> np.ndarray:
    """The value of a family's score at every threshold; NaN where there is none."""
    found = []
    for point in points:
        values = [score["value"] for score in point["scores"] if _is(score["name"], family)]
        found.append(values[0] if values else np.nan)
    return np.array(found, np.float64)


def _largest(values: np.ndarray) -> float:
    """The largest value, or 1 where there is none above 0."""
    return float(values[np.isfinite(values)].max(initial=0)) or 1.0


def _is(name: str, family: str) -> bool:
    # The original Inception's distance has a name of its own.
    return name.partition("_")[0] in (family, "fid" if family == "fd" else family)


def _said(threshold: float | None) -> str:
    return NONE if threshold is None else f"{threshold:g}"
