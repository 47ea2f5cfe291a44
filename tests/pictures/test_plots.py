"""The plot of losses: what is in the log is on the paper, whatever the log is like."""

import numpy as np
import pytest
from PIL import Image

from saddlepoint.pictures import plots
from saddlepoint.pictures.log import Series


def records(count, stages=("adversarial",), **names):
    """A log whose values are given by functions of the part of the run that is over, from 0 to 1."""
    names = names or {"discriminator/real": lambda u: 0.5 + u, "discriminator/D(x)": lambda u: 1 - u / 2}
    return [
        {
            "step": 10 * (index + 1),
            "stage": stages[index * len(stages) // count],
            "values": {name: curve(index / count) for name, curve in names.items()},
        }
        for index in range(count)
    ]


def drawn(tmp_path, log):
    with Image.open(plots.losses(log, tmp_path / "losses.png")) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def has(pixels, color):
    wanted = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return bool((np.abs(pixels - wanted).sum(-1) < 12).any())


def test_each_curve_is_drawn_in_its_color_and_each_kind_has_its_panel(tmp_path):
    one, two = (
        {"discriminator/real": lambda u: u},
        {"discriminator/D(x)": lambda u: u, "generator/D(G(z))": lambda u: 0},
    )
    below = drawn(tmp_path, records(50, **one, **two))
    above = drawn(tmp_path, records(50, **one))
    assert below.shape[0] > above.shape[0] * 1.4
    first, second, third = plots.LIGHT.curves[:3]
    assert has(above, first)
    assert not has(above, second)
    assert has(below, second)
    assert not has(below, third)


@pytest.mark.parametrize(
    ("name", "values"), [("generator/gradient", lambda u: 1e4 * (1 + u)), ("generator/recognized", lambda u: u)]
)
def test_norms_and_shares_do_not_flatten_the_losses(tmp_path, name, values):
    cost = {"generator/loss": lambda u: 40 + np.sin(9 * u)}
    alone, beside = drawn(tmp_path, records(50, **cost)), drawn(tmp_path, records(50, **cost, **{name: values}))
    assert beside.shape[0] > alone.shape[0] * 1.3
    upper = beside[: alone.shape[0] * 9 // 10]
    rows = [np.flatnonzero((np.abs(picture - [0, 0x72, 0xB2]).sum(-1) < 12).any(1)) for picture in (alone, upper)]
    # A sine around 40 on the axis of numbers up to 20,000, or from 0, would be a flat line, some ten pixels thick.
    assert np.ptp(rows[1]) == pytest.approx(np.ptp(rows[0]), rel=0.15)


def test_more_curves_than_colors_are_told_apart_by_broken_lines(tmp_path):
    colors = len(plots.LIGHT.curves)
    flat = {f"player{index}/loss": (lambda u, level=index: level) for index in range(colors + 1)}
    pixels = drawn(tmp_path, records(50, **flat))
    blue = np.abs(pixels - [0, 0x72, 0xB2]).sum(-1) < 12
    # The first curve is a whole line near the bottom, the one after the last color a broken line at the top.
    places = [np.flatnonzero(row) for row in blue if row.any()]
    covers = [len(place) / (np.ptp(place) + 1) for place in places if np.ptp(place) > 900]
    assert max(covers) > 0.95
    assert min(covers) < 0.85


@pytest.mark.parametrize(
    "log",
    [
        [],
        records(1),
        records(2),
        records(30, stages=("words", "$x^{", "漢字")),
        records(20, **{"alone": lambda u: u, "_hidden/$\\frac{": lambda u: -u, "漢/字": lambda u: u}),
        records(20, **{f"player{index}/loss": (lambda u: u) for index in range(30)}),
        records(20, **{"generator/loss": lambda u: float("nan")}),
        records(
            20,
            **{"a/gradient": lambda u: 0.0, "b/gradient": lambda u: float("nan"), "c/gradient": lambda u: float("inf")},
        ),
        records(20, **{"generator/loss": lambda u: float("inf") if u > 0.5 else 1e300}),
        [{"step": 1, "event": "rolled_back", "message": "…"}, {"nonsense": True}, *records(3)],
    ],
    ids=["empty", "one", "two", "stages", "names", "many", "nan", "no norms", "inf", "events"],
)
def test_any_log_can_be_drawn(tmp_path, log):
    assert drawn(tmp_path, log).std() > 0


def test_the_same_log_gives_the_same_bytes():
    light = plots.draw_losses(records(30))
    assert plots.draw_losses(records(30)) == light
    assert plots.draw_losses(records(30), theme=plots.DARK) != light


def test_dense_curves_are_thinned_and_keep_their_spikes():
    values = np.sin(np.linspace(0, 6, 200_001))
    values[123_456], values[77:99] = 50.0, np.nan
    steps, low, mean, high = plots._binned(Series(np.arange(200_001), values))
    assert len(steps) == len(low) == len(mean) <= 600
    assert np.nanmax(high) == 50
    assert np.nanmin(low) == np.nanmin(values)
    assert np.all(np.diff(steps) > 0)


def test_smoothing_removes_spikes_keeps_levels_and_does_not_close_gaps():
    random = np.random.default_rng(0)
    values = np.where(np.arange(500) < 250, 1.0, 3.0) + random.normal(0, 0.1, 500)
    values[100], values[400:420] = 1000.0, np.nan
    smooth = plots.smooth(values)
    assert np.abs(smooth[:230] - 1).max() < 0.15
    assert np.nanmax(np.abs(smooth[270:] - 3)) < 0.15
    assert np.isnan(smooth[400:420]).all()
    assert np.isfinite(np.delete(smooth, np.s_[400:420])).all()
    assert plots.smooth(np.array([2.0])).tolist() == [2.0]
