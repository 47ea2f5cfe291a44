"""The doctor of a training: looks every few hundred steps, and speaks when a run falls ill and when it is well again.

It knows no recipe. It takes what any game offers: samples, scores if the game can judge, the data's own stream, and the
norms of gradients and weights. What the numbers mean is decided in `diagnosis.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from .abilities import Conditional, Samples, Scores
from .conditions import Look
from .diagnosis import Chart, read_looks
from .game import Game
from .match import Match
from .metrics.checkup import Eye, features, separation
from .observers import Moment
from .pictures.log import read_log
from .run import Run

LOOKS = 60
"""Looks that a stage is meant to get."""
SHARE = 0.009
"""Part of the training's time that looks may take."""
_STEPS = (10, 1000)  # between two looks
_REAL = 512  # samples of the data that are looked at
_POINTS, _PICTURES = 256, 128  # generated samples; half as many are judged
_PIECE = 64  # pictures made at once, where batches are smaller: memory must hold what training needs, and little more


class Physician:
    """Looks, writes in the log what it saw, and tells what it makes of it.

    Args:
        run: whose log keeps the looks; a run that is resumed goes on with its own.
        tell: told of each finding, by the condition's name and in words.
        steps: of the stage.
        share: a look is left out while looks have taken more than this part of the time.
    """

    def __init__(self, run: Run, tell: Callable[[str, str], None], steps: int, *, share: float = SHARE) -> None:
        self.run, self.tell, self.share = run, tell, share
        self.every = min(max(steps // LOOKS, _STEPS[0]), _STEPS[1])
        self.spent = 0.0
        self.patient: Patient | None = None
        self.chart = Chart(steps)

    def __call__(self, moment: Moment) -> None:
        if self.patient is not None and self.spent > self.share * moment.seconds:
            return
        began = time.monotonic()
        if self.patient is None:
            self.patient = Patient(moment.match)
            for look in read_looks(read_log(self.run.folder / "log.jsonl"), moment.stage):
                self.chart.add(look)
        look = self.patient.examine()
        self.run.append({"step": moment.step, "stage": moment.stage, "look": asdict(look)})
        for finding in self.chart.add(look):
            self.tell(finding.event, finding.text)
        self.spent += time.monotonic() - began


class Patient:
    """A match that is looked at.

    The networks are looked at as they are played: an average would hide how a training swings. Samples are made in
    evaluation mode, as their users make them, and scores in training mode, as the generator meets them.

    Attributes:
        real: samples of the data, to be judged; None where the data are not of the kind that the game samples.
        eye: knows the data.
        count: generated samples in a look.
        labels: their classes int64 (count,), those of the first of the data; None where the game is told none.
        whole: whether the eye knows all of the training data.
        maker: name of the player that moves the samples, if one does.
    """

    def __init__(self, match: Match) -> None:
        self.match, self.maker = match, maker(match)
        self.real: Tensor | None = None
        self.eye: Eye | None = None
        self.count = 0
        self.labels: Tensor | None = None
        game, stream = match.game, match.stage.data
        size = len(getattr(stream, "examples", range(_REAL + 1)))
        self.whole = size <= _REAL
        if not isinstance(game, Samples):
            return
        batch = stream.read(0, min(_REAL, size))
        real = getattr(batch, "image", None)
        known = getattr(batch, "label", None) if isinstance(game, Conditional) else None
        if isinstance(real, Tensor) and len(real) >= 4:
            with undisturbed(game, training=False):
                alike = game.sample(2).shape[1:] == real.shape[1:]
            if alike:
                self.count = _PICTURES if real.ndim == 4 else _POINTS
                if known is not None:
                    self.labels = known[torch.arange(self.count) % len(known)]
                # A copy of the few that are judged, so that the others can be forgotten.
                self.real, self.eye = real[: self.count].clone(), Eye(features(real), self.count, labels=known)

    def examine(self) -> Look:
        """One look. Draws from torch's default randomness, which the loop seeds anew before each step."""
        moved = [parameter.detach() for player in self.match.players.values() for parameter in player.params]
        seen = {"weights": _number(torch.nn.utils.get_total_norm(moved)), **self._samples()}
        if seen.get("finite", True):
            seen |= self._scores()
        return Look(self.match.step, **seen)

    def _samples(self) -> dict[str, Any]:
        """What the same latents show each time."""
        game = self.match.game
        if self.eye is None or not isinstance(game, Samples):
            return {}
        with undisturbed(game, training=False), self.match.plan.autocast():
            fake = self._made(game)
        if not bool(fake.isfinite().all()):
            return {"finite": False}
        seen = asdict(self.eye.look(fake, self.labels))
        return seen if self.whole else {**seen, "nearest": None}

    def _made(self, game: Samples) -> Tensor:
        """Features of samples, made in pieces."""
        generator, piece = torch.Generator().manual_seed(0), max(_PIECE, self.match.stage.data.batch)
        sizes = [min(piece, self.count - start) for start in range(0, self.count, piece)]
        asked = [None] * len(sizes) if self.labels is None else self.match.plan.move(self.labels).split(sizes)
        made = [game.sample(size, labels=label, generator=generator) for size, label in zip(sizes, asked, strict=True)]
        return torch.cat([features(samples) for samples in made])

    def _scores(self) -> dict[str, Any]:
        """How well the judge tells new samples from data, how far its scores reach, and how steep the cost is."""
        game = self.match.game
        if self.real is None or not isinstance(game, Scores) or not isinstance(game, Samples):
            return {}
        count = self.count // 2
        if self.real.ndim == 4:
            count = min(count, max(self.match.stage.data.batch, 16))
        start = int(torch.randint(max(1, len(self.real) - count + 1), ()))
        with undisturbed(game, training=True), self.match.plan.autocast():
            real = game.score(self.match.plan.move(self.real[start : start + count]))
            with torch.enable_grad():
                fake = game.score(game.sample(count))
                slope = self._slope(fake.float().mean())
        real, fake = real.detach().float().cpu(), fake.detach().float().cpu()
        both = torch.cat([real, fake])
        if not bool(both.isfinite().all()):
            return {"finite": False}
        return {"separation": separation(real, fake), "scale": _number(both.std()), "slope": slope}

    def _slope(self, score: Tensor) -> float | None:
        """The norm of the maker's last gradient as a part of that of its mean score; 1 for a Wasserstein cost."""
        asked = self.match.tally.get(f"{self.maker}/gradient")
        if asked is None or not score.requires_grad:
            return None
        params = self.match.players[str(self.maker)].params
        grads = torch.autograd.grad(score, params, allow_unused=True)
        bare = torch.nn.utils.get_total_norm([grad for grad in grads if grad is not None])
        # Where the score itself is flat nothing can be said of the cost.
        return _number(asked / bare) if bare > 0 else None


@contextmanager
def undisturbed(game: Game, *, training: bool) -> Iterator[None]:
    """Inside, the game can be played with, without gradients; afterwards it is as it was, running means included."""
    before = game.training
    buffers = [
        (module, name, buffer, buffer.clone())
        for module in game.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    try:
        game.train(training)
        with torch.no_grad():
            yield
    finally:
        game.train(before)
        with torch.no_grad():
            for module, name, buffer, value in buffers:
                # A layer may have put a new tensor in the place of the old one, as spectral normalization does.
                setattr(module, name, buffer.copy_(value))


def maker(match: Match) -> str | None:
    """Name of the first player whose parameters the samples depend on; None where there is none."""
    game = match.game
    if not isinstance(game, Samples):
        return None
    with undisturbed(game, training=False), torch.enable_grad():
        total = game.sample(2).float().sum()
        if not total.requires_grad:
            return None
        for name, player in match.players.items():
            grads = torch.autograd.grad(total, player.params, retain_graph=True, allow_unused=True)
            if any(grad is not None for grad in grads):
                return name
    return None


def _number(value: Tensor) -> float:
    """A plain number; JSON knows no infinity."""
    number = float(value)
    return number if math.isfinite(number) else math.copysign(1e38, number)
