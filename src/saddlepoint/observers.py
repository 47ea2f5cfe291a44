"""What watches a training: an observer is called every few steps with a moment and may never change the game."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from . import making
from .abilities import Conditional, Samples, Translates, decode
from .game import Game
from .run import Run

if TYPE_CHECKING:
    from .match import Match


@dataclass(frozen=True, eq=False)
class Moment:
    """A finished step, as observers see it.

    Attributes:
        match: what is being played; look, do not touch.
        seconds: since this process began to play.
        images_per_second: since an observer last looked.
        written: pictures that observers made of it, for those that come after them.
    """

    match: Match
    seconds: float
    images_per_second: float
    written: list[Path] = field(default_factory=list)

    @property
    def step(self) -> int:
        """Finished steps over all stages."""
        return self.match.total_step

    @property
    def steps(self) -> int:
        """Step at which the current stage ends."""
        return self.match.base + self.match.stage.steps

    @property
    def done(self) -> int:
        """Steps of the current stage that are finished."""
        return self.match.step

    @property
    def ended(self) -> bool:
        """Whether the stage is finished."""
        return self.match.step == self.match.stage.steps

    @property
    def stage(self) -> str:
        """Name of the stage."""
        return self.match.stage.name

    @property
    def game(self) -> Game:
        """The game; play it inside `averaged()`."""
        return self.match.game

    @cached_property
    def values(self) -> dict[str, float]:
        """Losses and watched values of this step; read from the device once, and only if someone asks."""
        tally = self.match.tally
        return dict(zip(tally, torch.stack(list(tally.values())).tolist(), strict=True)) if tally else {}


class Observer(Protocol):
    """Anything that watches."""

    every: int
    """Steps from one look to the next."""

    def __call__(self, moment: Moment) -> None:
        """Looks at a moment."""


class Log:
    """Writes losses and watched values to `log.jsonl`."""

    def __init__(self, run: Run, every: int = 10) -> None:
        self.run, self.every = run, every

    def __call__(self, moment: Moment) -> None:
        if moment.values:
            self.run.append(
                {
                    "step": moment.step,
                    "stage": moment.stage,
                    "seconds": round(moment.seconds, 3),
                    "images_per_second": round(moment.images_per_second, 2),
                    "values": moment.values,
                }
            )


CLASSES, LATENTS = 10, 10
"""Most columns and all rows of a sheet by class."""
ROWS = 8
"""Of a sheet of translations."""


class Snapshots:
    """Makes the same pictures again and again: one fixed set of latents through the whole run.

    Of a game with classes each row is one latent and each column one class, as in Mirza and Osindero 2014, Fig. 2.

    Args:
        folder: where `step-000500.png` goes.
        every: steps between pictures.
        count: pictures in a sheet of a game without classes.
        seed: of the latents.
    """

    def __init__(self, folder: Path, every: int, *, count: int = 64, seed: int = 0) -> None:
        self.folder, self.every, self.count, self.seed = folder, every, count, seed

    def __call__(self, moment: Moment) -> None:
        from .pictures import grid

        game = moment.game
        if not isinstance(game, Samples):
            return
        generator = torch.Generator().manual_seed(self.seed)
        with moment.match.averages.applied(), moment.match.plan.autocast():
            if isinstance(game, Conditional):
                columns = min(len(game.classes), CLASSES)
                labels = torch.arange(columns).repeat(LATENTS)
                latents = torch.randn(LATENTS, game.latent, generator=generator).repeat_interleave(columns, 0)
                images = decode(game, latents.to(moment.match.plan.torch_device), labels)
            else:
                columns = grid.near_square(self.count)
                images = game.sample(self.count, generator=generator)
        sheet = grid.grid(images.float().cpu(), columns=columns)
        moment.written.append(grid.save(sheet, self.folder / f"step-{moment.step:06d}.png"))


class Translations:
    """Translates the same pictures of the data again and again; the same noise, where a game draws any.

    A row is one picture, or one of either side; what stands in the columns is written beside the sheets.

    Args:
        folder: where `step-000500.png` goes.
        every: steps between pictures.
        paired: whether the data are pairs, so that the right answer can stand beside the translation.
        count: rows.
        seed: of the noise.
    """

    def __init__(self, folder: Path, every: int, *, paired: bool, count: int = ROWS, seed: int = 0) -> None:
        self.folder, self.every, self.paired, self.count, self.seed = folder, every, paired, count, seed

    def __call__(self, moment: Moment) -> None:
        from .pictures import grid, translations

        game, match = moment.game, moment.match
        if not isinstance(game, Translates):
            return
        pair = match.plan.move(match.stage.data.read(0, self.count))
        noise = making.seeded(self.seed, match.plan.torch_device)
        with match.averages.applied(), match.plan.autocast(), noise:
            columns = making.compared(game, pair.source, pair.target, paired=self.paired)
        images = torch.stack([images.float().cpu() for _, images in columns], 1).flatten(0, 1)
        heads, cell = tuple(head for head, _ in columns), (images.shape[-1], images.shape[-2])
        translations.write_layout(self.folder, translations.Layout(heads, cell))
        sheet = grid.grid(images, columns=len(columns))
        moment.written.append(grid.save(sheet, self.folder / f"step-{moment.step:06d}.png"))


class Portfolio:
    """Keeps the pictures about a run up to date: losses, evolution, real against fake, the film, the report.

    Args:
        run: whose folder.
        every: steps between updates; one is left out while updates take more than a twentieth of the time. The film,
            which costs most, is made when a stage ends.
    """

    def __init__(self, run: Run, every: int, *, count: int = CLASSES * LATENTS) -> None:
        self.run, self.every, self.count = run, every, count
        self.spent = 0.0

    def __call__(self, moment: Moment) -> None:
        from .pictures import portfolio

        if moment.done and (moment.ended or self.spent < moment.seconds / 20):
            began = time.monotonic()
            portfolio.update(self.run.folder, real=self._real(moment), film=moment.ended)
            self.spent += time.monotonic() - began

    def _real(self, moment: Moment) -> torch.Tensor | None:
        """Pictures of the data to stand beside samples; translations have what they are held against beside them."""
        if not isinstance(moment.game, Samples):
            return None
        real = getattr(moment.match.stage.data.read(0, self.count), "image", None)
        return real if real is not None and real.ndim == 4 else None
