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
    "log",
    [
        [],
        records(1),
        records(2),
        records(30, stages=("words", "$x^{", "漢字")),
        records(20, **{"alone": lambda u: u, "_hidden/$\\frac{": lambda u: -u, "漢/字": lambda u: u}),
        records(20, **{f"player{index}/loss": (lambda u: u) for index in range(30)}),
        records(20, **{"generator/loss": lambda u: float("nan")}),
        records(20, **{"generator/loss": lambda u: float("inf") if u > 0.5 else 1e300}),
        [{"step": 1, "event": "rolled_back", "message": "…"}, {"nonsense": True}, *records(3)],
    ],
    ids=["empty", "one", "two", "stages", "names", "many", "nan", "inf", "events"],
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
