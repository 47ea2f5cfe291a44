"""Watches a run on points: keeps the numbers of every view of it, and prints them as a picture."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .abilities import Samples, Scores
from .data.points import Points
from .data.toys import Toy
from .metrics.modes import modes, perfect
from .observers import Moment
from .pictures.atomic import replacing
from .pictures.negatives import Hits, Opinion, Truth, View, keep, keep_truth
from .run import Run

COUNT = 2500
"""Points of a view, as in the protocols of VEEGAN and PacGAN."""

_DENSITY = {1: 1024, 2: 256}  # cells along an axis
_SURFACE = {1: 512, 2: 64}
_LATTICE = {1: 25, 2: 17}
_PUSHED = 400  # points whose push is kept


class PlaneViews:
    """Shows the same latents again and again, over the true density, with what the discriminator makes of the plane.

    Beside each print `samples/step-000500.png` lie its numbers, `step-000500.npz`; `log.jsonl` gets the modes.

    Args:
        run: whose folder.
        every: steps between views.
        points: the data.
        seed: of the latents.
    """

    def __init__(self, run: Run, every: int, points: Points, *, seed: int = 0) -> None:
        self.run, self.every, self.toy, self.seed = run, every, points.toy, seed
        self.truth: Truth | None = None

    def __call__(self, moment: Moment) -> None:
        from .pictures import plane

        if not isinstance(moment.game, Samples):
            return
        if self.truth is None:
            self.truth = truth(self.toy)
            keep_truth(self.truth, self.run.folder)
        view = look(moment, self.truth, self.toy, seed=self.seed)
        keep(view, self.run.folder)
        path = self.run.samples / f"step-{moment.step:06d}.png"
        with replacing(path) as draft:
            plane.draw(self.truth, view).save(draft)
        moment.written.append(path)
        if hits := view.hits:
            kl = float(hits.reverse_kl)
            # JSON knows no infinity.
            found = {"high_quality": float(hits.high_quality), "reverse_kl": kl if math.isfinite(kl) else None}
            self.run.append({"step": moment.step, "stage": moment.stage, "modes": {"count": hits.count, **found}})


def truth(toy: Toy) -> Truth:
    """A toy as pictures need it."""
    box, count = _square(np.array(toy.box)), _DENSITY[toy.dimension]
    density = toy.density(_cells(box, count)).reshape((count,) * toy.dimension)
    return Truth(box, density.astype(np.float32), toy.draw(COUNT, 1)[0], toy.centers, toy.weights)


def look(moment: Moment, truth: Truth, toy: Toy, *, seed: int = 0) -> View:
    """What a game has come to: its samples, its discriminator's surface, where that pushes them, the modes."""
    match, game = moment.match, moment.game
    assert isinstance(game, Samples)
    with match.averages.applied(), match.plan.autocast():
        points = game.sample(COUNT, generator=torch.Generator().manual_seed(seed)).float()
        opinion = _opinion(game, truth, points, critic="critic" in match.players) if isinstance(game, Scores) else None
    return View(moment.step, points.cpu().numpy(), opinion, _hits(toy, points))


def _hits(toy: Toy, points: Tensor) -> Hits | None:
    if toy.centers is None or toy.std is None or toy.weights is None:
        return None
    found = modes(points, toy.centers, toy.std, toy.weights)
    best = perfect(toy.centers, toy.std, toy.weights, samples=len(points), trials=1)
    return Hits(
        found.histogram.numpy(),
        toy.weights,
        np.array(found.high_quality),
        np.array(found.reverse_kl),
        np.array([best.high_quality, best.reverse_kl]),
    )


def _opinion(game: Scores, truth: Truth, fake: Tensor, *, critic: bool) -> Opinion | None:
    """The surface and the pushes; None of a discriminator that scores no single points."""
    count = _SURFACE[truth.dimension]
    cells, lattice = _cells(truth.box, count), _cells(truth.box, _LATTICE[truth.dimension])
    judged = torch.cat([torch.from_numpy(cells), torch.from_numpy(truth.points), fake.cpu()]).to(fake)
    scores = game.score(judged).float().cpu()
    if scores.shape != (len(judged),):
        return None
    level = _level(scores, len(cells), len(truth.points), critic=critic)
    places = torch.cat([torch.from_numpy(lattice), fake[:_PUSHED].cpu()]).to(fake)
    return Opinion(
        surface=(scores[: len(cells)] - level).reshape((count,) * truth.dimension).numpy(),
        level=np.array(level),
        places=places.cpu().numpy(),
        pushes=_pushes(game, places).cpu().numpy(),
        lattice=np.array(len(lattice)),
    )


def _pushes(game: Scores, places: Tensor) -> Tensor:
    """The gradient of the score: up it lies what the discriminator takes for more real."""
    with torch.enable_grad():
        own = places.detach().requires_grad_()
        return torch.autograd.grad(game.score(own).sum(), own)[0].float()


def _level(scores: Tensor, cells: int, real: int, *, critic: bool) -> float:
    """Zero for a logit, whose zero means something; for other scores the middle between real and fake.

    A critic's score is known up to a constant only, and a score that is of one sign almost everywhere is no logit that
    tells real from fake.
    """
    low, high = torch.quantile(scores, torch.tensor([0.02, 0.98])).tolist()
    if not critic and low <= 0 <= high:
        return 0.0
    middle = (scores[cells : cells + real].mean() + scores[cells + real :].mean()).item() / 2
    return middle if math.isfinite(middle) else 0.0


def _square(box: np.ndarray) -> np.ndarray:
    """The box, its shorter side made as long as the other, so that circles look like circles."""
    middle, half = box.mean(1, keepdims=True), (box[:, 1] - box[:, 0]).max() / 2
    return np.concatenate([middle - half, middle + half], 1)


def _cells(box: np.ndarray, count: int) -> np.ndarray:
    """Centers (count**D, D) of the cells that divide each side of a box; on the plane row by row from the bottom."""
    part = (np.arange(count, dtype=np.float32) + 0.5) / count
    sides = [low + part * (high - low) for low, high in box.tolist()]
    return np.stack([side.ravel() for side in np.meshgrid(*sides)], 1)
