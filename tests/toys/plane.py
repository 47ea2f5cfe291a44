"""A run on points without a game: a ring of four modes, samples that creep from the middle onto two of them."""

import numpy as np

from saddlepoint.pictures.negatives import Hits, Opinion, Truth, View, keep, keep_truth

CENTERS = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
CELLS = (np.arange(32) + 0.5) / 32 * 4 - 2
ACROSS, UP = np.meshgrid(CELLS, CELLS)
NEAR = [np.exp(-((ACROSS - x) ** 2 + (UP - y) ** 2) / 0.02) for x, y in CENTERS]
RANDOM = np.random.default_rng(0)
TRUTH = Truth(
    box=np.array([[-2.0, 2], [-2, 2]]),
    density=np.sum(NEAR, 0).astype(np.float32),
    points=(CENTERS[RANDOM.integers(4, size=300)] + 0.1 * RANDOM.standard_normal((300, 2))).astype(np.float32),
    centers=CENTERS,
    weights=np.full(4, 0.25),
)
LINE = Truth(
    box=np.array([[-2.0, 2]]),
    density=np.exp(-(CELLS**2)).astype(np.float32),
    points=RANDOM.standard_normal((300, 1)).astype(np.float32),
)


def view(step: int, last: int = 1000) -> View:
    """What the run had come to: all samples between the middle and the first two modes."""
    random, part = np.random.default_rng(1), min(1.0, step / last)
    points = part * CENTERS[random.integers(2, size=200)] + 0.05 * random.standard_normal((200, 2))
    grid = np.stack([side.ravel() for side in np.meshgrid(np.linspace(-1.5, 1.5, 5), np.linspace(-1.5, 1.5, 5))], 1)
    places = np.concatenate([grid, points[:20]]).astype(np.float32)
    opinion = Opinion(ACROSS.astype(np.float32), np.array(0.0), places, np.tile((1.0, 0), (45, 1)), np.array(25))
    hits = np.array([100.0, 100, 0, 0]) * part
    quality, kl = np.array(part), np.array(np.log(2) if part else np.inf)
    return View(
        step, points.astype(np.float32), opinion, Hits(hits, TRUTH.weights, quality, kl, np.array([0.989, 0.001]))
    )


def line_view(step: int) -> View:
    """As many points on the line, without modes; the score rises from -1 to 1."""
    places = np.linspace(-2, 2, 9, dtype=np.float32)[:, None]
    opinion = Opinion(CELLS.astype(np.float32) / 2, np.array(0.0), places, np.ones((9, 1)), np.array(9))
    return View(step, view(step).points[:, :1], opinion)


def run(folder, steps=(0, 500, 1000)):
    """The folder of such a run, with numbers and without prints."""
    keep_truth(TRUTH, folder)
    for step in steps:
        keep(view(step), folder)
    return folder
