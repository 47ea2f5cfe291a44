"""The plot of a run: losses above; the discriminator's opinions, shares and the norms of the gradients below."""

from __future__ import annotations

import io
import itertools
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .atomic import replacing
from .log import Series, measured, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 600
"""Points a curve is drawn with: more than a screen shows, so hundreds of thousands of records cost no more."""


class Theme(NamedTuple):
    """Colors of a plot. `curves` is Okabe and Ito's palette, which color-blind readers can tell apart."""

    paper: str
    ink: str
    faint: str
    rule: str
    curves: tuple[str, ...]


LIGHT = Theme(
    "#ffffff", "#24262b", "#7a7f8a", "#e6e7ea",
    ("#0072b2", "#d55e00", "#009e73", "#b0578d", "#8a6d00", "#3a9ccb", "#5b5f97", "#7a7f8a"),
)  # fmt: skip
DARK = Theme(
    "#17181b", "#e8e9ec", "#8d929c", "#2c2e33",
    ("#56b4e9", "#ff8a3d", "#2fc79a", "#e08fc0", "#e6c229", "#9ad5ff", "#a5a8e6", "#b3b7c0"),
)  # fmt: skip


def losses(records: Sequence[dict[str, Any]], path: Path) -> Path:
    """Draws every logged value over steps and writes the plot to `path`.

    Losses have the upper axis in common; values named `D(…)`, the discriminator's mean probability of "real", have one
    from 0 to 1 below it, those named `recognized` or `share` another, and the norms of the players' gradients the last,
    which is logarithmic. Each value is a faint raw trace below a bold smoothed one. Stages are parted by a thin line.

    Args:
        records: lines of a run's log, as `read_log` gives them; events and broken records are passed over.
        path: .png, .webp, .svg or .pdf.
    """
    with replacing(path) as draft:
        draft.write_bytes(draw_losses(records, path.suffix.lstrip(".") or "png"))
    return path


def draw_losses(records: Sequence[dict[str, Any]], format: str = "png", theme: Theme = LIGHT) -> bytes:
    """The plot of `losses` as the bytes of a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    panels: dict[_Kind, dict[str, Series]] = {kind: {} for kind in _KINDS}
    for name, curve in series(records).items():
        panels[next(kind for kind in _KINDS[::-1] if kind.names.search(name))][name] = curve
    panels = {kind: panel for kind, panel in panels.items() if panel} or {_KINDS[0]: {}}
    heights = [kind.height for kind in panels]
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(9.6, sum(heights) + 0.6), dpi=150, facecolor=theme.paper, layout=layout)
    FigureCanvasAgg(figure)
    rows: list[Axes] = list(figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])
    for axes, (kind, panel) in zip(rows, panels.items(), strict=True):
        _panel(axes, panel, theme)
        _legend(axes, kind.title, panel, theme)
        kind.frame(axes, panel, theme)
    _mark_stages(rows, records, theme)
    return as_bytes(figure, format)


def _panel(axes: Axes, panel: dict[str, Series], theme: Theme) -> None:
    """Draws the curves of one axis: a band from lowest to highest where records are dense, and the smoothed curve."""
    axes.set_facecolor(theme.paper)
    axes.grid(axis="y", color=theme.rule, linewidth=0.8)
    axes.tick_params(which="both", colors=theme.faint, labelsize=9, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.rule)
    # Colors begin anew in each panel: as the discriminator names real before fake, the two panels then agree. Where a
    # panel has more curves than there are colors, the others are broken lines.
    looks = itertools.product(("-", "--", ":", "-."), theme.curves)
    for (line, color), (name, curve) in zip(itertools.cycle(looks), panel.items(), strict=False):
        steps, low, mean, high = _binned(curve)
        axes.fill_between(steps, low, high, color=color, alpha=0.16, linewidth=0)
        axes.plot(steps, mean, color=color, alpha=0.35, linewidth=0.7)
        mark = "o" if np.isfinite(mean).sum() == 1 else ""
        axes.plot(steps, smooth(mean), line, color=color, linewidth=1.8, marker=mark, label=_plain(name))


def _binned(curve: Series) -> tuple[NDArray[np.float64], ...]:
    """Steps, lowest, mean and highest value of at most `_BINS` equal groups of records; all-NaN groups stay NaN."""
    values = np.where(np.isfinite(curve.values), curve.values, np.nan)
    groups = -(-len(values) // _BINS)
    fill = -len(values) % groups
    table = np.append(values, np.full(fill, np.nan)).reshape(-1, groups)
    steps = np.append(curve.steps, np.full(fill, curve.steps[-1])).reshape(-1, groups).mean(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's word for a group without any number
        return steps, np.nanmin(table, 1), np.nanmean(table, 1), np.nanmax(table, 1)


def smooth(values: NDArray[np.float64], share: float = 0.04) -> NDArray[np.float64]:
    """Running median over `share` of the curve, then its running mean: even, and unmoved by a single spike.

    Args:
        values: (n,), NaN where nothing was measured; such gaps stay gaps and do not spread.
        share: width of both windows as a part of n.
    """
    half = int(len(values) * share / 2)
    even = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's word for a window without any number
        for center in (np.nanmedian, np.nanmean):
            padded = np.pad(even, half, constant_values=np.nan)
            even = center(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
    return np.where(np.isfinite(values), even, np.nan)


def _legend(axes: Axes, title: str, panel: dict[str, Series], theme: Theme) -> None:
    """Names the axis and its curves above the panel, where they hide nothing."""
    axes.set_ylabel(title, color=theme.faint, fontsize=9)
    if not panel:
        axes.text(0.5, 0.5, "nothing logged yet", color=theme.faint, ha="center", transform=axes.transAxes)
        return
    columns = min(4, len(panel))
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=columns, frameon=False, fontsize=9.5,
        labelcolor=theme.ink, handlelength=1.2, columnspacing=1.6, borderaxespad=0.2,
    )  # fmt: skip


def _frame_most(axes: Axes, panel: dict[str, Series], theme: Theme) -> None:
    """Keeps one wild value from flattening the rest: the axis shows 99 % of them and says what lies beyond."""
    values = np.concatenate([curve.values for curve in panel.values()] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = np.quantile(values, (0.005, 0.995))
    room = max(high - low, 1e-6)
    if values.max() > high + 2 * room or values.min() < low - 2 * room:
        outside = int(((values > high + 0.1 * room) | (values < low - 0.1 * room)).sum())
        axes.set_ylim(low - 0.1 * room, high + 0.1 * room)
        note = f"{outside:,} of {len(values):,} values lie outside, from {values.min():.3g} to {values.max():.3g}"
        axes.text(1, 0.985, note, color=theme.faint, fontsize=8, ha="right", va="top", transform=axes.transAxes)


def _frame_opinions(axes: Axes, panel: dict[str, Series], theme: Theme) -> None:
    """All probabilities, and a line where the discriminator only guesses."""
    _frame_shares(axes, panel, theme)
    axes.axhline(0.5, color=theme.faint, linewidth=0.8, linestyle=(0, (2, 3)))


def _frame_shares(axes: Axes, panel: dict[str, Series], theme: Theme) -> None:
    """All that a part of a whole can be."""
    axes.set_ylim(-0.02, 1.02)


def _frame_norms(axes: Axes, panel: dict[str, Series], theme: Theme) -> None:
    """Powers of ten, if there is anything above zero to draw."""
    if any(np.isfinite(curve.values[curve.values > 0]).any() for curve in panel.values()):
        axes.set_yscale("log", nonpositive="mask")
    else:
        _frame_most(axes, panel, theme)


class _Kind(NamedTuple):
    """Values of one axis: its title and height in inches, the names they are known by, and how the axis is framed."""

    title: str
    height: float
    names: re.Pattern[str]
    frame: Callable[[Axes, dict[str, Series], Theme], None]


_KINDS = (
    _Kind("loss", 3.9, re.compile(""), _frame_most),
    _Kind("probability of “real”", 2.6, re.compile(r"(^|/)D\("), _frame_opinions),
    _Kind("share", 1.8, re.compile("(^|/)(recognized|share)$"), _frame_shares),
    _Kind("norm of the gradient", 2.2, re.compile("(^|/)gradient$"), _frame_norms),
)
"""From top to bottom; a value that has no kind of its own is taken for a loss."""


def _mark_stages(rows: Sequence[Axes], records: Sequence[dict[str, Any]], theme: Theme) -> None:
    """Names the steps, and draws a line where each later stage begins."""
    rows[-1].set_xlabel("step", color=theme.faint, fontsize=9)
    rows[-1].xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    previous = None
    for record in measured(records):
        stage = record.get("stage")
        if previous is not None and stage != previous:
            for axes in rows:
                axes.axvline(record["step"], color=theme.faint, linewidth=0.8, alpha=0.6)
            place = (record["step"], 0.98)
            name = f" {_plain(str(stage))}"
            rows[0].text(*place, name, color=theme.faint, fontsize=8, va="top", transform=rows[0].get_xaxis_transform())
        previous = stage


def _plain(name: str) -> str:
    """A name as matplotlib prints it letter for letter: no formula, no leading underscore, which would hide a label."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:60])
    return shown.replace("/", " · ").replace("$", r"\$").strip(" _")


def as_bytes(figure: Figure, format: str) -> bytes:
    """Renders the figure; the same curves give the same bytes, for no date is written into it."""
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # a name in a script the font lacks
        figure.savefig(file, format=format, metadata=metadata, facecolor=figure.get_facecolor())
    return file.getvalue()
