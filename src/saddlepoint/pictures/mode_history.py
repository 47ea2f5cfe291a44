"""The plot of the modes of a run: how often each is hit at every step, and the three numbers that papers report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .atomic import replacing
from .negatives import Hits, View
from .plots import LIGHT, Theme, as_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST = 1e-4
"""Reverse KL below which the plot does not go, in nats."""


def mode_history(views: Sequence[View], path: Path) -> Path:
    """Draws the hits of all views over steps and writes the plot to `path`, a .png, .webp, .svg or .pdf.

    Above, the share of the samples that each mode gets, in units of the share that it should get; in the middle, the
    share of the modes that are found and the share of the samples that are of high quality; below, the reverse KL.
    Dotted is what as many points of the data themselves reach.
    """
    with replacing(path) as draft:
        draft.write_bytes(draw_mode_history(views, path.suffix.lstrip(".") or "png"))
    return path


def draw_mode_history(views: Sequence[View], format: str = "png", theme: Theme = LIGHT) -> bytes:
    """The plot of `mode_history` as the bytes of a file; views without hits are passed over."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    known = [(view.step, len(view.points), view.hits) for view in views if view.hits]
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    figure = Figure(figsize=(9.6, 7.2), dpi=110, facecolor=theme.paper, layout=layout)
    FigureCanvasAgg(figure)
    shares, parts, kl = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 2))
    for axes, title in ((shares, "mode"), (parts, "share"), (kl, "reverse KL, nats")):
        _plain(axes, title, theme)
    steps = np.array([step for step, _, _ in known])
    hits = [found for _, _, found in known]
    _draw_shares(shares, steps, [found.histogram / max(1, count) / found.weights for _, count, found in known], theme)
    _draw_parts(parts, steps, hits, theme)
    _draw_kl(kl, steps, hits, theme)
    kl.set_xlabel("step", color=theme.faint, fontsize=9)
    kl.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    return as_bytes(figure, format)


def _plain(axes: Axes, title: str, theme: Theme) -> None:
    axes.set_facecolor(theme.paper)
    axes.set_ylabel(title, color=theme.faint, fontsize=9)
    axes.tick_params(which="both", colors=theme.faint, labelsize=9, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.rule)


def _draw_shares(axes: Axes, steps: np.ndarray, shares: list[np.ndarray], theme: Theme) -> None:
    """One row a mode: white is never hit, orange as often as it should be, ink twice that and more."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    scale = LinearSegmentedColormap.from_list("hits", [theme.paper, theme.curves[1], theme.ink])
    # Each column reaches halfway to its neighbors.
    middles = (steps[1:] + steps[:-1]) / 2
    edges = np.concatenate([steps[:1], middles, steps[-1:] + (steps[-1:] == steps[:1])])
    rows = np.arange(len(shares[0]) + 1) + 0.5
    mesh = axes.pcolormesh(edges, rows, np.stack(shares, 1), cmap=scale, vmin=0, vmax=2, rasterized=True)
    axes.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    bar = axes.figure.colorbar(mesh, ax=axes, ticks=(0, 1, 2), pad=0.01, aspect=16)
    bar.ax.set_yticklabels(("never", "due", "twice"))
    bar.ax.tick_params(colors=theme.faint, labelsize=9, length=0)
    bar.outline.set_visible(False)


def _draw_parts(axes: Axes, steps: np.ndarray, hits: list[Hits], theme: Theme) -> None:
    total = len(hits[0].histogram)
    axes.plot(steps, [found.count / total for found in hits], color=theme.curves[0], linewidth=1.8)
    axes.plot(steps, [float(found.high_quality) for found in hits], color=theme.curves[1], linewidth=1.8)
    axes.axhline(float(hits[-1].perfect[0]), color=theme.curves[1], linewidth=1, linestyle=(0, (1, 2)))
    axes.set_ylim(-0.03, 1.05)
    axes.yaxis.set_major_formatter(lambda part, _: f"{part:.0%}")
    axes.grid(axis="y", color=theme.rule, linewidth=0.8)
    last = hits[-1]
    words = (f"modes found: {last.count} of {total} at the end", f"of high quality: {float(last.high_quality):.1%}")
    axes.legend(
        axes.lines[:2], words, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=9.5,
        labelcolor=theme.ink, handlelength=1.2, borderaxespad=0.1,
    )  # fmt: skip


def _draw_kl(axes: Axes, steps: np.ndarray, hits: list[Hits], theme: Theme) -> None:
    values = np.array([float(found.reverse_kl) for found in hits])
    shown = np.where(np.isfinite(values), np.maximum(values, _SMALLEST), np.nan)
    axes.set_yscale("log")
    axes.grid(axis="y", color=theme.rule, linewidth=0.8)
    axes.plot(steps, shown, color=theme.curves[2], linewidth=1.8, marker="o" if len(steps) == 1 else "")
    best = max(float(hits[-1].perfect[1]), _SMALLEST)
    axes.axhline(best, color=theme.curves[2], linewidth=1, linestyle=(0, (1, 2)))
    if not np.isfinite(shown).any():
        axes.set_ylim(best / 2, 10)
