"""A trained game, ready to make pictures: what `load` gives, and `train` and `resume` end with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import making, model, run
from .abilities import Conditional, Decodes, Samples, decode, lacking, translator
from .errors import MissingError, UsageError
from .game import Game
from .latent import classes, tours
from .latent.tours import Tour
from .latent.truncate import truncate
from .latent.walk import lerp, slerp
from .pictures.log import measured, read_log
from .pictures.tours import painter, show
from .plan import Plan
from .run import Run

WALKS = ("slerp", "linear", "explore")
OVER = ("latents", "classes")


class Trained:
    """A run with its game loaded.

    Attributes:
        run: its folder and records.
        game: the networks, averaged where the recipe averages, in evaluation mode.
        config: what the model folder says of itself.
    """

    def __init__(self, run: Run, game: Game, config: dict[str, Any], device: torch.device) -> None:
        self.run, self.game, self.config, self.device = run, game.to(device).eval(), config, device

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.run.folder

    def log(self) -> list[dict[str, Any]]:
        """What each logged step measured, in order: `step`, `stage`, `seconds`, `images_per_second`, `values`."""
        return measured(read_log(self.folder / "log.jsonl"))

    @torch.no_grad()
    def sample(
        self,
        count: int = 16,
        *,
        seed: int = 0,
        labels: Tensor | Sequence[int | str] | None = None,
        truncation: float | None = None,
    ) -> Tensor:
        """New data: for images float32 (count, C, H, W) in [-1, 1], on the CPU; the same seed gives the same.

        Args:
            count: how many.
            seed: of the latents, and of the labels if none are given.
            labels: classes by name or number, taken in turn, for a game that has classes; by default as often as in
                the data. Or float (count, K), whose rows are shares of the K classes.
            truncation: largest absolute value of a number in a latent, see `latent.truncate`; by default any.

        Raises:
            UnavailableError: this game cannot sample, or has no latents to truncate.
            UsageError: labels for a game without classes, a class that it does not know, or a truncation out of range.
        """
        if not isinstance(self.game, Samples):
            raise lacking(self.game, self.config["recipe"], "sample")
        if truncation is not None:
            self._decodes()
        generator = torch.Generator().manual_seed(seed)
        wanted = None if labels is None else self.labels(labels, count).to(self.device)
        return making.samples(self.game, count, generator, labels=wanted, truncation=truncation)

    def translate(self, images: Tensor, *, back: bool = False, seed: int = 0) -> Tensor:
        """Pictures (N, C, H, W) in [-1, 1] of any size, translated: float32 of the same shape, on the CPU.

        Args:
            images: of the source, or on the way back of the target.
            back: from the target to the source, for a game that learned both ways.
            seed: of the noise where a game has any; for most it is their dropout.

        Raises:
            UnavailableError: this game does not translate, or not back.
            UsageError: pictures of another shape.
        """
        game = translator(self.game, self.config["recipe"], back=back)
        channels = self.config["data"]["channels"]
        if images.ndim != 4 or images.shape[1] != channels or not images.numel():
            shape = tuple(images.shape)
            raise UsageError(f"images {shape} cannot be translated", fix=f"at least one, (N, {channels}, H, W)")
        return making.translated(game, images.float(), back=back, seed=seed)

    @torch.no_grad()
    def decode(self, latents: Tensor, labels: Tensor | Sequence[int | str] | None = None) -> Tensor:
        """Images float32 (N, C, H, W) in [-1, 1] of latents (N, Z); of a game with classes by default each in turn.

        Raises:
            UnavailableError: this game has no latents.
            UsageError: latents of another size, or not finite; labels as for `sample`.
        """
        game = self._decodes()
        if latents.shape[1:] != (game.latent,) or not latents.isfinite().all():
            raise UsageError(f"latents {tuple(latents.shape)} cannot be decoded", fix=f"finite, (N, {game.latent})")
        given = None if labels is None else self.labels(labels, len(latents))
        return decode(game, latents.to(self.device, torch.float32), given).float().cpu()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that can be asked for; empty for a game without."""
        return self.game.classes if isinstance(self.game, Conditional) else ()

    def labels(self, wanted: Tensor | Sequence[int | str], count: int) -> Tensor:
        """Classes by name or number, in turn until there are `count` of them, as `Conditional.decode` takes them."""
        return classes.chosen(wanted, self._classes("--labels"), count)

    def walk(
        self,
        path: str | Path | None = None,
        *,
        over: str = "latents",
        kind: str = "slerp",
        labels: Sequence[int | str] | None = None,
        seed: int = 0,
        count: int = 16,
        states: int = 8,
        steps: int = 24,
        fps: float = 24,
        max_bytes: int | None = None,
        truncation: float | None = None,
    ) -> Path:
        """Films a closed walk, through latents or through classes; points move over the true density.

        Args:
            path: `.webp`, `.gif` or `.mp4` for a film, `.png` for a sheet; by default `walk.webp` in the run's folder.
            over: `latents`, and the classes stay; or `classes`, and the latents stay.
            kind: through latents: `slerp` along great circles, `linear` along chords, `explore` the anime notebook's
                film: 15 states of a 10x10 sheet on chords.
            labels: over latents the classes of the pictures, in turn; over classes those to pass. By default all.
            seed: of the latents.
            count: pictures in a frame.
            states: latents that each picture passes.
            steps: frames from one latent, or class, to the next.
            fps: frames per second.
            max_bytes: size of a film to stay under, at the cost of quality.
            truncation: as for `sample`.

        Raises:
            UsageError: an unknown kind, or a number out of range.
            UnavailableError: this game has no latents, or makes points and its run is not at hand.
        """
        for flag, word, words in (("--kind", kind, WALKS), ("--over", over, OVER)):
            if word not in words:
                raise UsageError(f"{flag} must be one of {', '.join(words)}, got {word!r}", where=flag)
        if over == "classes":
            if kind != "slerp":
                raise UsageError("classes are mixed along straight lines", where="--kind", fix="leave it out")
            known = self._classes("--over")
            latents = self._latents(count, seed, truncation)
            tour = tours.over_classes(latents, labels or range(len(known)), known, steps)
        else:
            count, states = (100, 15) if kind == "explore" else (count, states)
            points = self._latents(states * count, seed, truncation).view(states, count, -1)
            given = None if labels is None else self.labels(labels, count)
            tour = tours.over_latents(points, given, steps, path=slerp if kind == "slerp" else lerp)
        name = "explore" if kind == "explore" else "walk" if over == "latents" else "walk-classes"
        return self.show(tour, path or self.folder / f"{name}.webp", fps=fps, max_bytes=max_bytes)

    def breed(
        self,
        parents: Sequence[int | str],
        path: str | Path | None = None,
        *,
        seed: int = 0,
        rows: int = 8,
        columns: int = 9,
        steps: int = 48,
        fps: float = 24,
        truncation: float | None = None,
    ) -> Path:
        """Draws mixtures of two classes from left to right, a latent a row; or of four between the sheet's corners.

        Args:
            parents: two classes or four, by name or number.
            path: `.png` for a sheet, `.webp`, `.gif` or `.mp4` for a film; by default `breed.png` in the run's folder.
            seed: of the latents.
            rows: of the sheet, and pictures in a frame.
            columns: of the sheet.
            steps: frames from one class to the next.
            fps: frames per second.
            truncation: as for `sample`.

        Raises:
            UsageError: another number of classes, one that there is not, or a game without classes.
        """
        known = self._classes("saddle breed")
        tour = tours.breed(self._latents(rows, seed, truncation), parents, known, columns, steps)
        return self.show(tour, path or self.folder / "breed.png", fps=fps)

    def traverse(
        self,
        coordinates: Sequence[int] | None = None,
        path: str | Path | None = None,
        *,
        labels: Sequence[int | str] | None = None,
        seed: int = 0,
        rows: int = 5,
        columns: int = 9,
        reach: float = 2.0,
        steps: int = 48,
        fps: float = 24,
        truncation: float | None = None,
    ) -> Path:
        """Draws what single coordinates of the latents do, a latent a row, its class in turn where there are any.

        Args:
            coordinates: which, counted from 0; by default the last two, where InfoGAN has its codes.
            path: `.png` for a sheet, `.webp`, `.gif` or `.mp4` for a film; by default `traverse.png` in the run's
                folder.
            labels: classes of the rows, in turn; by default all.
            seed: of the latents.
            rows: for each coordinate.
            columns: of the sheet.
            reach: each coordinate goes from minus this to this.
            steps: frames of the film on either way.
            fps: frames per second.
            truncation: as for `sample`; of all other coordinates.

        Raises:
            UsageError: a coordinate that there is not.
        """
        size = self._decodes().latent
        moved = range(max(0, size - 2), size) if coordinates is None else coordinates
        given = self.labels(labels or range(len(self.classes)), rows) if labels or self.classes else None
        latents = self._latents(rows, seed, truncation)
        tour = tours.traverse(latents, given, tuple(moved), reach=reach, columns=columns, steps=steps)
        return self.show(tour, path or self.folder / "traverse.png", fps=fps)

    def show(self, tour: Tour, path: str | Path, *, fps: float = 24, max_bytes: int | None = None) -> Path:
        """Draws a tour: as a sheet where the path ends in `.png`, else as a film."""
        draw = painter(self.folder, points=bool(self.config["data"].get("toy")))
        return show(tour, self.decode, draw, Path(path), fps=fps, max_bytes=max_bytes)

    def _latents(self, count: int, seed: int, truncation: float | None) -> Tensor:
        size, generator = self._decodes().latent, torch.Generator().manual_seed(seed)
        return truncate(torch.randn(count, size, generator=generator), truncation)

    def _decodes(self) -> Decodes:
        if not isinstance(self.game, Decodes):
            raise lacking(self.game, self.config["recipe"], "decode")
        return self.game

    def _classes(self, where: str) -> tuple[str, ...]:
        if not self.classes:
            raise UsageError(
                f"{self.config['recipe']} was not taught by class, so none can be asked for",
                where=where,
                fix="leave it out, or train a recipe with classes: saddle list",
            )
        return self.classes


def load(
    name: str | Path,
    *,
    best: bool = False,
    device: str = "auto",
    out: str | Path = "runs",
    recipe_file: str | None = None,
) -> Trained:
    """A trained run, or a model folder that somebody gave you.

    Args:
        name: a run's path, its name, `last`, or the path of a model folder.
        best: the model that scored best while the run trained, instead of the newest.
        device: where to put the game.
        out: folder of runs.
        recipe_file: the recipe, if it is a file of its author's own and you trust it.

    Raises:
        MissingError: there is no such run or model.
        CheckpointError: the model is damaged or foreign.
    """
    path = Path(name)
    given = path if (path / "model.safetensors").is_file() or path.is_file() else None
    home = Run(path) if given else run.find(str(name), Path(out))
    if best and not home.best.is_dir():
        raise MissingError(f"{home.name} kept no best model", where="--best", fix="saddle train … --eval-every N")
    game, config = model.load(home.best if best else given or home.model, recipe_file)
    return Trained(home, game, config, Plan(device).resolve().torch_device)
