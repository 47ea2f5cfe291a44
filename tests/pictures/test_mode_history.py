"""The plot of the modes over a run."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from saddlepoint.pictures.mode_history import draw_mode_history, mode_history

from ..toys.plane import view


def shares(views):
    """The orange of the upper panel, how much of it in each of the four rows from mode 1, at the bottom, up."""
    with Image.open(io.BytesIO(draw_mode_history(views))) as image:
        panel = np.asarray(image.convert("RGB"), float)[14:292, 80:945]
    orange = ((panel[..., 0] - panel[..., 2]) / 255).mean(1)
    return orange.reshape(-1)[: 4 * 69].reshape(4, 69).mean(1)[::-1]


def test_modes_that_are_hit_are_orange_and_others_white():
    rows = shares([view(step) for step in range(0, 1001, 100)])
    assert rows[:2].min() > 0.2
    assert rows[2:].max() < 0.05


def test_the_same_views_give_the_same_bytes_and_views_without_modes_are_passed_over():
    views = [view(0), view(500), view(1000)]
    assert draw_mode_history(views) == draw_mode_history([*views, replace(view(1500), hits=None)])


@pytest.mark.parametrize("steps", [(0,), (0, 1000)])
def test_a_run_that_has_found_nothing_or_just_begun_is_drawn(steps, tmp_path):
    path = mode_history([view(step) for step in steps], tmp_path / "modes.png")
    assert path.stat().st_size > 5000
